"""The commands ``territory eligibility ...``: who lives near enough to an office, and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from territory.cli import eligibility_policies as policy_commands
from territory.cli.eligibility_policies import opened_homes
from territory.cli.jobs import var_folder
from territory.cli.options import (
    answer,
    as_json,
    by_option,
    now,
    opened,
    person,
    print_rows,
    read_day,
)
from territory.errors import InputError

if TYPE_CHECKING:
    from territory.eligibility.desk import DecisionRequest


DIFFERS = 1
USUAL = "fifty_miles"
offices_option = click.option(
    "--offices",
    "offices_path",
    type=click.Path(path_type=Path),
    help="Decide by the offices in this file (office_id, name, lat, lon, opened_on, closed_on) and "
    "keep nothing. Default: by those of the store, and the decision goes on record there.",
)
policy_option = click.option(
    "--policy",
    "policy",
    metavar="POLICY",
    help="With --offices a TOML file, or one of the examples fifty_miles, road, area_or_station, "
    "relocation (default: fifty_miles); otherwise the name of a published policy.",
)
areas_option = click.option(
    "--areas",
    "areas_path",
    type=click.Path(path_type=Path),
    help="Polygons with the ids of their offices, for a policy that measures from areas.",
)
routing_option = click.option(
    "--routing",
    "routing_url",
    envvar="TERRITORY_ROUTING",
    metavar="URL",
    help="Routing server of your own, for road rules: osrm+https://host/driving or "
    "valhalla+https://host/auto. It is told the coordinates of homes. Default: none.",
)
json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON for a program.")
on_option = click.option("--on", metavar="DAY", help="Decide for this day. Default: today.")


@click.group("eligibility")
def eligibility() -> None:
    """Decide who lives near enough to an office, say why, and keep a record.

    \b
    Example:
      territory eligibility check --zip 80202 --offices offices.csv
    """


for _command in (policy_commands.policies, policy_commands.exceptions, policy_commands.plan):
    eligibility.add_command(_command)


@eligibility.command()
@click.option("--street", help="Street address of the home; kept, not looked up.")
@click.option("--zip", "postal_code", help="ZIP code of the home.")
@click.option("--city", help="City of the home.")
@click.option("--state", help="State of the home.")
@click.option("--country", help="Country of the home, if not the United States.")
@click.option("--lat", help="Latitude of the home in degrees, in place of an address.")
@click.option("--lon", help="Longitude of the home in degrees.")
@click.option("--person", "person_id", help="Reference of the person: an id, never a name.")
@click.option("--role", help="Role of the person, for policies that depend on it.")
@click.option("--assigned-office", "assigned_office_id", help="Id of the office assigned.")
@click.option("--eligible-since", help="Day of an earlier decision, for grandfathering.")
@click.option("--home-since", help="Day since when the home is the home.")
@click.option("--role-since", help="Day since when the role is the role.")
@offices_option
@policy_option
@areas_option
@routing_option
@on_option
@by_option
@click.option("--asked-at", help="When, for a record with the same bytes again. Default: now.")
@click.option(
    "--record",
    "record_path",
    type=click.Path(path_type=Path),
    help="Write the decision record to this file.",
)
@click.option("--dry-run", is_flag=True, help="Show the answer and put nothing on record.")
@json_option
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    offices_path: Path | None,
    policy: str | None,
    areas_path: Path | None,
    routing_url: str | None,
    on: str | None,
    by: str | None,
    asked_at: str | None,
    record_path: Path | None,
    dry_run: bool,
    is_json: bool,
    **home: str | None,
) -> None:
    """Decide for one home.

    \b
    Examples:
      territory eligibility check --zip 80202 --person E-1042 --dry-run
      territory eligibility check --zip 80202 --person E-1042
      territory eligibility check --zip 80202 --offices offices.csv
      territory eligibility check --lat 39.75 --lon -105 --offices offices.csv --record d.json
    """
    from territory.eligibility import desk
    from territory.eligibility.decision import COLUMNS, open_router, record_text
    from territory.eligibility.rules import policy_named
    from territory.files import replacing

    if not any(home[name] for name in ("street", "postal_code", "city", "state", "lat", "lon")):
        raise InputError("No home is given: give --zip, --city and --state, or --lat and --lon.")
    decision_id = None
    if offices_path is None:
        if asked_at is not None:
            raise InputError("--asked-at goes with --offices: what is on record has its own time.")
        request = _request(by, policy, on, areas_path, routing_url)
        store, homes = opened(context, create=False), opened_homes(context)
        if dry_run:
            checked = desk.check_home(store, homes, home, request)
            record, verdict = checked.exact, checked.verdict
        else:
            recorded = desk.decide_one(store, homes, home, request)
            record, decision_id = recorded.record, recorded.decision_id
            verdict = recorded.verdict
    else:
        record = desk.check_one(
            home,
            desk.read_offices(offices_path),
            policy_named(policy or USUAL),
            on=read_day(on, "--on") or now().date().isoformat(),
            areas=desk.read_areas(areas_path),
            routing=open_router(routing_url),
            asked_by=person(by),
            asked_at=asked_at or now().isoformat(timespec="seconds"),
        )
        verdict = record["decision"]
    if record_path is not None:
        with replacing(record_path) as temporary:
            temporary.write_text(record_text(record), encoding="utf-8")
    decision = {name: verdict[name] for name in COLUMNS}
    if is_json:
        click.echo(json.dumps({**decision, "decision_id": decision_id}, indent=2))
        return
    click.echo(decision["sentence"])
    for label, text in (
        ("Remedy", decision["remedy"]),
        ("On record as", decision_id),
        ("Record", record_path),
    ):
        if text is not None:
            click.echo(f"{label}: {text}")


@eligibility.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@offices_option
@policy_option
@areas_option
@routing_option
@on_option
@by_option
@click.option(
    "--classes", "is_classed", is_flag=True, help="Distances in classes, for readers outside HR."
)
@json_option
@click.pass_context
def batch(
    context: click.Context,
    *,
    source: Path,
    target: Path,
    offices_path: Path | None,
    policy: str | None,
    areas_path: Path | None,
    routing_url: str | None,
    on: str | None,
    by: str | None,
    is_classed: bool,
    is_json: bool,
) -> None:
    """Decide for every row of IN and write it all to OUT, in the same order and columns.

    Adds decision, reason, remedy, office_id, office_name, distance_mi, duration_min,
    uncertainty_mi and policy, or distance_class with --classes; and decision_id where the decision
    goes on record. A row that cannot be decided says why and stops no other.

    \b
    Examples:
      territory eligibility batch homes.csv decided.csv
      territory eligibility batch homes.xlsx decided.xlsx --offices offices.csv --policy rule.toml
    """
    from territory.eligibility import desk
    from territory.eligibility.decision import open_router
    from territory.eligibility.rules import policy_named

    if offices_path is None:
        recorded = desk.decide_batch(
            opened(context, create=False),
            opened_homes(context),
            source,
            target,
            _request(by, policy, on, areas_path, routing_url),
            is_exact=not is_classed,
        )
        answer(recorded.as_json(), recorded.sentence, is_json=is_json)
        return
    report = desk.decide_file(
        source,
        target,
        desk.read_offices(offices_path),
        policy_named(policy or USUAL),
        on=read_day(on, "--on") or now().date().isoformat(),
        areas=desk.read_areas(areas_path),
        routing=open_router(routing_url),
        is_exact=not is_classed,
    )
    answer(report.as_json(), report.sentence, is_json=is_json)


@eligibility.command()
@click.argument("record", metavar="RECORD")
@json_option
@click.pass_context
def verify(context: click.Context, *, record: str, is_json: bool) -> None:
    """Decide again from the facts in RECORD and name what differs; exit code 1 if anything does.

    RECORD is a file, or the id of a decision on record; there the home is measured from again, if
    it is still held.

    \b
    Examples:
      territory eligibility verify decision.json
      territory eligibility verify E-2026-000001
    """
    from territory.eligibility import decision, desk

    if record.startswith("E-") and not Path(record).exists():
        store, homes = opened(context, create=False), opened_homes(context)
        verification = desk.verify_decision(store, homes, record)
        differences, sentence = verification.differences, verification.sentence
        report = verification.as_json()
    else:
        differences = decision.verify(decision.read_record(Path(record)))
        report = {"verified": not differences, "differences": differences}
        sentence = (
            f"{len(differences)} differences: this record does not stand."
            if differences
            else "Verified: the decision follows from the recorded facts, and nothing was changed."
        )
    if not is_json:
        for difference in differences:
            click.echo(f"Differs: {difference}")
    answer(report, sentence, is_json=is_json)
    if differences:
        sys.exit(DIFFERS)


@eligibility.command()
@click.option("--person", "subject_part", help="Reference of the person, or any part of one.")
@click.option(
    "--decision", help="eligible, not eligible, too close to call (needs review) or cannot decide."
)
@click.option("--policy", "policy_name", metavar="NAME", help="Decided by this policy.")
@click.option("--version", "policy_version", help="Decided by this version of it.")
@click.option("--from", "decided_from", metavar="DAY", help="Decided for this day or later.")
@click.option("--until", "decided_until", metavar="DAY", help="Decided for this day or before.")
@click.option("--exact", "is_exact", is_flag=True, help="Exact distances, of homes held; HR only.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
@click.pass_context
def search(
    context: click.Context, /, *, is_exact: bool, limit: int, is_json: bool, **filters: str | None
) -> None:
    """Find decisions on record, the last ones first; distances in classes.

    \b
    Examples:
      territory eligibility search --person E-1042
      territory eligibility search --decision "too close to call" --from 2026-01-01 --json
    """
    from territory.eligibility import desk
    from territory.eligibility.rules import DECISION_NAMES, DecisionFilter

    codes = {name.lower(): code for code, name in DECISION_NAMES.items()}
    filters["decision"] = codes.get(filters["decision"] or "", filters["decision"])
    if filters["decision"] not in (None, *DECISION_NAMES):
        raise InputError(f"--decision {filters['decision']}: choose one of {', '.join(codes)}.")
    for name, option in (("decided_from", "--from"), ("decided_until", "--until")):
        filters[name] = read_day(filters[name], option)
    homes = opened_homes(context) if is_exact else None
    table, total = desk.search_decisions(
        opened(context, create=False), DecisionFilter(**filters), homes=homes, limit=limit
    )
    if is_json:
        rows = json.loads(table.to_json(orient="records", double_precision=15))
        click.echo(json.dumps({"total": total, "decisions": rows}, indent=2))
        return
    print_rows(table, ("decision_id", "subject", "decided_on", "reason"))
    click.echo(f"{len(table):,} of {total:,} decisions.")


@eligibility.command()
@click.option("--person", "subject", help="Purge every address held of this person.")
@click.option("--due", is_flag=True, help="Purge the addresses whose time is over.")
@click.option("--kept-before", metavar="DAY", help="Purge the addresses kept before this day.")
@by_option
@as_json
@click.pass_context
def purge(
    context: click.Context,
    *,
    subject: str | None,
    due: bool,
    kept_before: str | None,
    by: str | None,
    is_json: bool,
) -> None:
    """Delete home addresses for good. The decisions stand and still verify.

    Batch files on the server, in $TERRITORY_VAR, that a purged person is in are removed too; the
    files of others stay.

    \b
    Examples:
      territory eligibility purge --person E-1042
      territory eligibility purge --due
    """
    from territory.eligibility import desk

    if (subject is not None) + due + (kept_before is not None) != 1:
        raise InputError("Say what to purge: one of --person ID, --due and --kept-before DAY.")
    store, homes = opened(context, create=False), opened_homes(context)
    folder = var_folder() / desk.upload_files.FOLDER
    if subject is not None:
        report = desk.purge_person(store, homes, subject, by=person(by), now=now(), folder=folder)
    else:
        day = read_day(kept_before, "--kept-before")
        report = desk.purge_due(
            store, homes, by=person(by), now=now(), kept_before=day, folder=folder
        )
    answer(report.as_json(), report.sentence, is_json=is_json)


def _request(
    by: str | None,
    policy_name: str | None,
    on: str | None,
    areas_path: Path | None,
    routing_url: str | None,
) -> DecisionRequest:
    from territory.eligibility.decision import open_router
    from territory.eligibility.desk import DecisionRequest, read_areas

    return DecisionRequest(
        person(by),
        now(),
        policy_name,
        read_day(on, "--on"),
        areas=read_areas(areas_path),
        routing=open_router(routing_url),
    )
