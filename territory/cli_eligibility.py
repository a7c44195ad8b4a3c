"""The commands ``territory eligibility ...``: who lives near enough to an office, and why."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from territory.errors import InputError

if TYPE_CHECKING:
    from territory.eligibility_policy import EligibilityPolicy

DIFFERS = 1

offices_option = click.option(
    "--offices",
    "offices_path",
    required=True,
    type=click.Path(path_type=Path),
    help="File with office_id, name, lat and lon; opened_on and closed_on where they matter.",
)
policy_option = click.option(
    "--policy",
    "policy_path",
    metavar="FILE",
    help="TOML file, or one of the examples fifty_miles, road, area_or_station, relocation. "
    "Default: fifty_miles.",
)
areas_option = click.option(
    "--areas",
    "areas_path",
    type=click.Path(path_type=Path),
    help="Polygons with the ids of their offices, for a policy that measures from areas.",
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


@eligibility.command()
@click.option("--zip", "postal_code", help="ZIP code of the home.")
@click.option("--city", help="City of the home.")
@click.option("--state", help="State of the home.")
@click.option("--country", help="Country of the home, if not the United States.")
@click.option("--lat", help="Latitude of the home in degrees, in place of an address.")
@click.option("--lon", help="Longitude of the home in degrees.")
@click.option("--person", "person_id", help="Id of the person, for exceptions and the record.")
@click.option("--role", help="Role of the person, for policies that depend on it.")
@click.option("--assigned-office", "assigned_office_id", help="Id of the office assigned.")
@click.option("--eligible-since", help="Day of an earlier decision, for grandfathering.")
@click.option("--home-since", help="Day since when the home is the home.")
@click.option("--role-since", help="Day since when the role is the role.")
@offices_option
@policy_option
@areas_option
@on_option
@click.option("--by", "asked_by", help="Who asks. Default: the user signed in here.")
@click.option("--asked-at", help="When, for a record with the same bytes again. Default: now.")
@click.option(
    "--record",
    "record_path",
    type=click.Path(path_type=Path),
    help="Write the decision record to this file.",
)
@json_option
def check(
    *,
    offices_path: Path,
    policy_path: str | None,
    areas_path: Path | None,
    on: str | None,
    asked_by: str | None,
    asked_at: str | None,
    record_path: Path | None,
    is_json: bool,
    **home: str | None,
) -> None:
    """Decide for one home.

    \b
    Examples:
      territory eligibility check --zip 80202 --offices offices.csv
      territory eligibility check --lat 39.75 --lon -105 --offices offices.csv --record d.json
      territory eligibility check --zip 80202 --offices offices.csv --policy rule.toml
    """
    from territory.eligibility_batch import decide_one, read_areas, read_offices
    from territory.eligibility_record import record_text
    from territory.tables import replacing

    if not any(home[name] for name in ("postal_code", "city", "lat", "lon")):
        raise InputError("No home is given: give --zip, --city and --state, or --lat and --lon.")
    now = dt.datetime.now(dt.UTC)
    found = decide_one(
        home,
        read_offices(offices_path),
        _policy(policy_path),
        on=_day(on, now),
        areas=read_areas(areas_path),
        asked_by=asked_by or getpass.getuser(),
        asked_at=asked_at or now.isoformat(timespec="seconds"),
    )
    if record_path is not None:
        with replacing(record_path) as temporary:
            temporary.write_text(record_text(found.record), encoding="utf-8")
    if is_json:
        click.echo(json.dumps({name: _plain(value) for name, value in found.row.items()}, indent=2))
        return
    click.echo(found.row["sentence"])
    if found.row["remedy"]:
        click.echo(f"Remedy: {found.row['remedy']}")
    if record_path is not None:
        click.echo(f"Record: {record_path}")


@eligibility.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@offices_option
@policy_option
@areas_option
@on_option
@json_option
def batch(
    *,
    source: Path,
    target: Path,
    offices_path: Path,
    policy_path: str | None,
    areas_path: Path | None,
    on: str | None,
    is_json: bool,
) -> None:
    """Decide for every row of IN and write it all to OUT, in the same order and columns.

    Adds decision, reason, remedy, office_id, office_name, distance_mi, duration_min,
    uncertainty_mi and policy. A row that cannot be decided says why and stops no other.

    \b
    Examples:
      territory eligibility batch homes.csv decided.csv --offices offices.csv
      territory eligibility batch homes.xlsx decided.xlsx --offices offices.csv --policy rule.toml
    """
    from territory.eligibility_batch import decide_file, read_areas, read_offices

    report = decide_file(
        source,
        target,
        read_offices(offices_path),
        _policy(policy_path),
        on=_day(on, dt.datetime.now(dt.UTC)),
        areas=read_areas(areas_path),
    )
    click.echo(json.dumps(report.as_json(), indent=2) if is_json else report.sentence)


@eligibility.command()
@click.argument("record", type=click.Path(path_type=Path), metavar="RECORD")
@json_option
def verify(*, record: Path, is_json: bool) -> None:
    """Decide again from the facts in RECORD and name what differs; exit code 1 if anything does.

    \b
    Example:
      territory eligibility verify decision.json
    """
    from territory.eligibility_record import parse_record, verify
    from territory.errors import FileFormatError
    from territory.tables import check_readable

    check_readable(record)
    try:
        text = record.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{record}: cannot be read ({error}).") from error
    differences = verify(parse_record(text, str(record)))
    if is_json:
        click.echo(json.dumps({"verified": not differences, "differences": differences}, indent=2))
    else:
        for difference in differences:
            click.echo(f"Differs: {difference}")
        click.echo(
            f"{len(differences)} differences: this record does not stand."
            if differences
            else "Verified: the decision follows from the recorded facts, and nothing was changed."
        )
    if differences:
        sys.exit(DIFFERS)


def _policy(named: str | None) -> EligibilityPolicy:
    from territory.eligibility_files import EXAMPLES, example, read_eligibility_policy

    if named is None or named in EXAMPLES:
        return example(named or EXAMPLES[0])
    return read_eligibility_policy(Path(named))


def _day(text: str | None, now: dt.datetime) -> str:
    if text is None:
        return now.date().isoformat()
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"--on {text}: no day. Write it as 2026-01-31.") from None


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if hasattr(value, "item") else value
