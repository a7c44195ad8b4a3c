"""The commands ``territory eligibility ...``: who lives near enough to an office, and why."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from territory.cli import eligibility_desk as desk_commands
from territory.cli.eligibility_desk import opened_homes, read_day, read_policy
from territory.cli.options import answer, by_option, now, opened, person
from territory.errors import InputError

if TYPE_CHECKING:
    from territory.eligibility.desk import Question

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
    "policy_named",
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
on_option = click.option("--on", metavar="DAY", help="Decide for this day. Default: today.")
json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON for a program.")


@click.group("eligibility")
def eligibility() -> None:
    """Decide who lives near enough to an office, say why, and keep a record.

    \b
    Example:
      territory eligibility check --zip 80202 --offices offices.csv
    """


for command in (
    desk_commands.policies,
    desk_commands.exceptions,
    desk_commands.search,
    desk_commands.purge,
    desk_commands.plan,
):
    eligibility.add_command(command)


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
@json_option
@click.pass_context
def check(
    context: click.Context,
    /,
    *,
    offices_path: Path | None,
    policy_named: str | None,
    areas_path: Path | None,
    routing_url: str | None,
    on: str | None,
    by: str | None,
    asked_at: str | None,
    record_path: Path | None,
    is_json: bool,
    **home: str | None,
) -> None:
    """Decide for one home.

    \b
    Examples:
      territory eligibility check --zip 80202 --person E-1042
      territory eligibility check --zip 80202 --offices offices.csv
      territory eligibility check --lat 39.75 --lon -105 --offices offices.csv --record d.json
    """
    from territory.eligibility import desk
    from territory.eligibility.decision import open_router, record_text
    from territory.eligibility.desk import check_one, read_areas, read_offices
    from territory.files import replacing

    if not any(home[name] for name in ("postal_code", "city", "lat", "lon")):
        raise InputError("No home is given: give --zip, --city and --state, or --lat and --lon.")
    decision_id = None
    if offices_path is None:
        if asked_at is not None:
            raise InputError("--asked-at goes with --offices: what is on record has its own time.")
        question = _question(by, policy_named, on, areas_path, routing_url)
        made = desk.decide_one(opened(context, create=False), opened_homes(context), home, question)
        row, record, decision_id = made.row, made.record, made.decision_id
    else:
        found = check_one(
            home,
            read_offices(offices_path),
            read_policy(policy_named or USUAL),
            on=read_day(on, "--on") or now().date().isoformat(),
            areas=read_areas(areas_path),
            routing=open_router(routing_url),
            asked_by=person(by),
            asked_at=asked_at or now().isoformat(timespec="seconds"),
        )
        row, record = found.row, found.record
    if record_path is not None:
        with replacing(record_path) as temporary:
            temporary.write_text(record_text(record), encoding="utf-8")
    if is_json:
        told = {name: _plain(value) for name, value in row.items()}
        click.echo(json.dumps({**told, "decision_id": decision_id}, indent=2))
        return
    click.echo(row["sentence"])
    for label, text in (
        ("Remedy", row["remedy"]),
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
    policy_named: str | None,
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
    from territory.eligibility.desk import decide_file, read_areas, read_offices

    if offices_path is None:
        recorded = desk.decide_batch(
            opened(context, create=False),
            opened_homes(context),
            source,
            target,
            _question(by, policy_named, on, areas_path, routing_url),
            is_exact=not is_classed,
        )
        answer(recorded.as_json(), recorded.sentence, is_json=is_json)
        return
    report = decide_file(
        source,
        target,
        read_offices(offices_path),
        read_policy(policy_named or USUAL),
        on=read_day(on, "--on") or now().date().isoformat(),
        areas=read_areas(areas_path),
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
    from territory.eligibility import desk

    if record.startswith("E-") and not Path(record).exists():
        found = desk.verify_decision(opened(context, create=False), opened_homes(context), record)
        differences, told, sentence = found.differences, found.as_json(), found.sentence
    else:
        differences = _verify_file(Path(record))
        told = {"verified": not differences, "differences": differences}
        sentence = (
            f"{len(differences)} differences: this record does not stand."
            if differences
            else "Verified: the decision follows from the recorded facts, and nothing was changed."
        )
    if not is_json:
        for difference in differences:
            click.echo(f"Differs: {difference}")
    answer(told, sentence, is_json=is_json)
    if differences:
        sys.exit(DIFFERS)


def _verify_file(path: Path) -> tuple[str, ...]:
    from territory.eligibility.decision import parse_record, verify
    from territory.errors import FileFormatError
    from territory.files import check_readable

    check_readable(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read ({error}).") from error
    return verify(parse_record(text, str(path)))


def _question(
    by: str | None,
    policy_name: str | None,
    on: str | None,
    areas_path: Path | None,
    routing_url: str | None,
) -> Question:
    from territory.eligibility.decision import open_router
    from territory.eligibility.desk import Question, read_areas

    return Question(
        person(by),
        now(),
        policy_name,
        read_day(on, "--on"),
        areas=read_areas(areas_path),
        routing=open_router(routing_url),
    )


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if hasattr(value, "item") else value
