"""The commands ``territory places ...``: rows whose place needs a person, and what is decided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from territory.cli.options import answer, as_json, by_option, now, opened, person, records

if TYPE_CHECKING:
    from territory.geocoding.review import Geocode

KINDS = ("prospects", "offices", "sites")
PLACEMENTS = ("placed", "approximate", "ambiguous", "conflict", "unplaced", "not_a_place")

kind_argument = click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
id_argument = click.argument("subject_id", metavar="ID")


@click.group("places")
def places() -> None:
    """Review records whose address needs a decision.

    KIND is one of prospects, offices, sites. A decision holds until the address or the
    coordinates of the file change.

    \b
    Example:
      territory places list
    """


@places.command("list")
@click.argument("kind", type=click.Choice(KINDS), default="prospects", metavar="[KIND]")
@click.option(
    "--placement",
    "placements",
    multiple=True,
    type=click.Choice(PLACEMENTS),
    help="Which rows; may be given several times. Default: conflict, ambiguous and unplaced.",
)
@click.option("--text", help="Words that the id, name, city or postal code must have.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@as_json
@click.pass_context
def list_(
    context: click.Context,
    *,
    kind: str,
    placements: tuple[str, ...],
    text: str | None,
    offset: int,
    limit: int,
    is_json: bool,
) -> None:
    """List records by how reliable their location is, one page at a time.

    \b
    Examples:
      territory places list
      territory places list prospects --placement conflict --text boston --json
    """
    from territory import access
    from territory.geocoding import review

    store = opened(context, create=False)
    page = review.work_list(
        store,
        kind,
        placements=placements or review.WAITING,
        text=text,
        offset=offset,
        limit=limit,
    )
    if is_json:
        head = {"total": page.total, "offset": offset, "counts": dict(page.counts)}
        click.echo(json.dumps({**head, "rows": records(page.rows)}, indent=2))
        return
    names = access.person_names(store)
    for row in records(page.rows):
        where = " ".join(row[name] for name in ("city", "state", "postal_code") if row[name])
        who = access.person_name(row["decided_by"], names)
        stale = f" Changed since {who} decided." if row["is_stale"] else ""
        source = row["geocode_note"] or row["geocode_source"] or "no location"
        name = row["name"] or "no name"
        click.echo(f"{row['placement']}  {row['subject_id']}  {name}, {where}: {source}.{stale}")
    counts = ", ".join(f"{number:,} {name}" for name, number in page.counts.items())
    click.echo(f"{len(page.rows):,} of {page.total:,} rows. All {kind}: {counts}.")


@places.command()
@kind_argument
@id_argument
@as_json
@click.pass_context
def candidates(context: click.Context, *, kind: str, subject_id: str, is_json: bool) -> None:
    """List the places that fit a record, most likely first.

    \b
    Example:
      territory places candidates prospects fiserv
    """
    from territory.geocoding import review
    from territory.units_of_length import format_miles

    table = review.candidates(opened(context, create=False), kind, subject_id)
    if is_json:
        click.echo(json.dumps(records(table), indent=2))
        return
    for row in records(table):
        reach = f"within {format_miles(row['uncertainty_m'])}" if row["uncertainty_m"] else "exact"
        click.echo(
            f"{row['candidate_id']}  {row['label']} ({row['lat']:.5f}, {row['lon']:.5f}; "
            f"{row['precision']}, {reach}): {row['why']}"
        )
    click.echo(f"{len(table):,} places. `territory places accept {kind} ID --candidate CODE`.")


@places.command()
@kind_argument
@id_argument
@click.option("--lat", type=float, required=True, help="Latitude in degrees.")
@click.option("--lon", type=float, required=True, help="Longitude in degrees.")
@by_option
@as_json
@click.pass_context
def pin(
    context: click.Context,
    *,
    kind: str,
    subject_id: str,
    lat: float,
    lon: float,
    by: str | None,
    is_json: bool,
) -> None:
    """Set the location of a record by coordinates.

    \b
    Example:
      territory places pin prospects fiserv --lat 43.0605 --lon -88.1065
    """
    from territory.geocoding import review

    store = opened(context, create=False)
    _tell(review.pin(store, kind, subject_id, lon, lat, by=person(by), now=now()), is_json=is_json)


@places.command()
@kind_argument
@id_argument
@click.option("--candidate", metavar="CODE", help="One of its candidates. Default: where it is.")
@by_option
@as_json
@click.pass_context
def accept(
    context: click.Context,
    *,
    kind: str,
    subject_id: str,
    candidate: str | None,
    by: str | None,
    is_json: bool,
) -> None:
    """Accept the location of a record, or one of its candidates.

    \b
    Example:
      territory places accept prospects fiserv
    """
    from territory.geocoding import review

    store = opened(context, create=False)
    geocode = review.accept(store, kind, subject_id, candidate, by=person(by), now=now())
    _tell(geocode, is_json=is_json)


@places.command()
@kind_argument
@id_argument
@click.option("--street")
@click.option("--city")
@click.option("--state")
@click.option("--zip", "postal_code", help="ZIP or other postal code.")
@click.option("--country")
@by_option
@as_json
@click.pass_context
def correct(
    context: click.Context,
    *,
    kind: str,
    subject_id: str,
    street: str | None,
    city: str | None,
    state: str | None,
    postal_code: str | None,
    country: str | None,
    by: str | None,
    is_json: bool,
) -> None:
    """Locate a record by a corrected address. What is left out is as in its file; "" is blank.

    \b
    Example:
      territory places correct prospects fiserv --zip 53045
    """
    from territory.geocoding import review

    address = {
        "street": street,
        "city": city,
        "state": state,
        "postal_code": postal_code,
        "country": country,
    }
    changes = {name: text for name, text in address.items() if text is not None}
    store = opened(context, create=False)
    geocode = review.correct_address(store, kind, subject_id, changes, by=person(by), now=now())
    _tell(geocode, is_json=is_json)


@places.command("not-a-place")
@kind_argument
@id_argument
@by_option
@as_json
@click.pass_context
def not_a_place(
    context: click.Context, *, kind: str, subject_id: str, by: str | None, is_json: bool
) -> None:
    """Mark a record as not a place, so that it is not listed again.

    \b
    Example:
      territory places not-a-place prospects test-account
    """
    from territory.geocoding import review

    store = opened(context, create=False)
    geocode = review.mark_no_place(store, kind, subject_id, by=person(by), now=now())
    _tell(geocode, is_json=is_json)


@places.command()
@kind_argument
@id_argument
@by_option
@as_json
@click.pass_context
def forget(
    context: click.Context, *, kind: str, subject_id: str, by: str | None, is_json: bool
) -> None:
    """Undo a decision and locate the record as its file says.

    \b
    Example:
      territory places forget prospects fiserv
    """
    from territory.geocoding import review

    store = opened(context, create=False)
    _tell(review.forget(store, kind, subject_id, by=person(by), now=now()), is_json=is_json)


def _tell(geocode: Geocode, *, is_json: bool) -> None:
    if geocode.lon is None or geocode.lat is None:
        sentence = f"{geocode.placement}: {geocode.geocode_note}."
    else:
        note = f" ({geocode.geocode_note})" if geocode.geocode_note else ""
        where = f"{geocode.lat:.5f}, {geocode.lon:.5f}: {geocode.geocode_source}{note}"
        sentence = f"{geocode.placement} at {where}."
    answer(geocode.as_json(), sentence, is_json=is_json)
