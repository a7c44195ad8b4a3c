"""Formatting for pages: labels, numbers, dates and addresses as text; rows of frames as records."""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flask import current_app, has_request_context, request

from territory import access
from territory.labels import (
    KIND,
    NO_BREAK,
    NOTHING,
    PLACEMENT,
    PRECISION,
    RULE,
    SEGMENT,
    SEVERITY,
    STATUS,
    is_known,
    money,
    number,
    share,
)
from territory.reports import FEW
from territory.units_of_length import METRES_PER_MILE, format_miles
from webmap import context

if TYPE_CHECKING:
    import pandas as pd
    from flask import Flask


NOBODY = "Nobody"
FINDING = {
    "unplaced": "Not placed",
    "outside_every_market": "Outside every market",
    "two_markets": "Overlap: in two markets",
    "beyond_radius": "Beyond the radius",
    "too_coarse": "Too close to call",
    "office_unplaced": "Office not placed",
    "markets_overlap": "Overlap: two markets share an area",
    "zip_codes_shared": "Overlap: two markets share ZIP codes",
    "segment_covered_twice": "Overlap: two territories cover a segment",
    "market_without_territory": "Gap: market without territory",
    "market_without_rep": "Gap: market without rep",
    "segments_without_territory": "Gap: segment without territory",
    "territory_without_rep": "Territory without rep",
    "territory_unknown_rep": "Territory with unknown rep",
    "rep_without_base_office": "Rep without base office",
    "rep_unknown_base_office": "Rep with unknown base office",
    "account_unknown_owner": "Owner is not a rep",
    "named_account_unknown_prospect": "Named account not in your data",
}
# A tag is a class, an icon and a word, so that it reads without its colour.
VERDICT_TAG = {
    "in": ("ok", "check"),
    "out": ("no", "cross"),
    "too_close_to_call": ("review", "wave"),
    None: ("", "dash"),
}
SEVERITY_TAG = {
    "error": ("no", "cross", SEVERITY["error"]),
    "warning": ("review", "wave", SEVERITY["warning"]),
    "note": ("", "dash", SEVERITY["note"]),
}
PLACEMENT_TAG = {
    "placed": ("ok", "check", PLACEMENT["placed"]),
    "approximate": ("", "dash", PLACEMENT["approximate"]),
    "ambiguous": ("review", "wave", PLACEMENT["ambiguous"]),
    "conflict": ("review", "wave", PLACEMENT["conflict"]),
    "unplaced": ("no", "cross", PLACEMENT["unplaced"]),
    "not_a_place": ("", "dash", PLACEMENT["not_a_place"]),
}
COLUMN = {
    "lat": "Latitude",
    "lon": "Longitude",
    "given_lat": "Latitude (from file)",
    "given_lon": "Longitude (from file)",
    "postal_code": "ZIP or postal code",
    "employees": "Employees",
    "revenue_usd": "Revenue, $",
    "amount_usd": "Amount, $",
    "uncertainty_m": "Accuracy, m",
    "owner_rep_id": "Owner",
    "email": "Email",
}


CELL = 120  # letters of a cell that a page shows
WEB_SCHEMES = ("http", "https")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[`\"'(A-Z])")
TIME_ZONE = "time_zone"  # the cookie
LONGEST_ZONE = 40


def install(app: Flask) -> None:
    """Make the words known to every template."""
    app.jinja_env.filters.update(
        number=number,
        money=money,
        miles=miles,
        share=share,
        date=date,
        day=day,
        plural=plural,
        or_nothing=or_nothing,
        finding=finding,
        web_address=web_address,
        host=host,
        position=position,
        postal_address=postal_address,
        geo_address=geo_address,
        moment=moment,
        sentence=sentence,
        for_pages=for_pages,
        person=person,
        kind_words=kind_words,
        column_words=column_words,
        size=size,
        industry=industry,
    )
    app.jinja_env.globals.update(
        STATUS=STATUS,
        SEGMENT=SEGMENT,
        PRECISION=PRECISION,
        RULE=RULE,
        KIND=KIND,
        VERDICT_TAG=VERDICT_TAG,
        SEVERITY_TAG=SEVERITY_TAG,
        PLACEMENT_TAG=PLACEMENT_TAG,
    )


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows to a template, with ``None`` for every missing value."""
    filled = frame.astype(object)
    return filled.where(filled.notna(), None).to_dict("records")  # type: ignore[return-value]


def cells(rows: pd.DataFrame) -> list[list[str | None]]:
    """Give the cells of the first rows of a file, each as short as a page can show."""
    return [
        [None if value != value or value is None else str(value)[:CELL] for value in row]
        for row in rows.astype(object).itertuples(index=False, name=None)
    ]


def or_nothing(value: Any, nothing: str = NOTHING) -> Any:
    """Give the value, or a dash."""
    return value if is_known(value) else nothing


def miles(value: float | None, limit_m: float | None = None, *, unit: bool = True) -> str:
    """Miles to 0.1, and near the limit to as many digits as keep them on their side of it."""
    if value is None or not is_known(value):
        return NOTHING
    text = format_miles(value * METRES_PER_MILE, limit_m)
    return text.replace(" ", NO_BREAK) if unit else text.removesuffix(" mi")


def date(value: str | dt.date | None) -> str:
    """A day as pages write it: ``Dec 3, 2026``. Files and records have it in ISO."""
    if not is_known(value):
        return NOTHING
    return _date(dt.date.fromisoformat(str(value)[:10]))


def _date(value: dt.date) -> str:
    return f"{value:%b} {value.day}, {value.year}"


def day(value: str | dt.date | None) -> str:
    """A day and how far it is: ``Jul 1, 2026 (145 days ago)``."""
    return f"{date(value)} ({distance})" if (distance := day_distance(value)) else date(value)


def day_distance(value: str | dt.date | None) -> str:
    """How far a day is from today: ``145 days ago``; empty for none."""
    if not is_known(value):
        return ""
    today = current_app.config["TERRITORY"].today()
    passed = (today - dt.date.fromisoformat(str(value)[:10])).days
    near = {0: "today", 1: "yesterday", -1: "tomorrow"}
    words = f"{passed:,} days ago" if passed > 0 else f"in {-passed:,} days"
    return near.get(passed, words)


def moment(value: str | None) -> str:
    """A time in the reader's zone and how far it is: ``Nov 23, 2026, 4:41 AM EST (just now)``."""
    if not value:
        return NOTHING
    when = dt.datetime.fromisoformat(value)
    local = when.astimezone(time_zone())
    clock = f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
    text = f"{_date(local.date())}, {clock} {local.tzname()}"
    passed = int((current_app.config["TERRITORY"].now() - when).total_seconds())
    if not 0 <= passed < 24 * 3600:
        return f"{text} ({day_distance(local.date())})"
    for seconds, unit in ((3600, "hour"), (60, "minute")):
        if passed >= seconds:
            return f"{text} ({plural(passed // seconds, unit)} ago)"
    return f"{text} (just now)"


def time_zone() -> dt.tzinfo:
    """Give the reader's time zone, which the script of every page puts in a cookie; else UTC."""
    name = request.cookies.get(TIME_ZONE, "") if has_request_context() else ""
    return _zone(name) if len(name) <= LONGEST_ZONE else dt.UTC


@functools.lru_cache(maxsize=128)
def _zone(name: str) -> dt.tzinfo:
    # Whoever asks writes the cookie, and a zone is looked up as a path: only a listed one is.
    return zoneinfo.ZoneInfo(name) if name in _zones() else dt.UTC


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def person(person_id: str | None) -> str:
    """Give the name of who is on record: ``Dana Reyes``, ``root (server account)``."""
    return access.person_name(person_id, access.person_names(context.store()))


def for_pages(text: str) -> str:
    """Leave out of a message each sentence that names a command: pages offer no command line."""
    return " ".join(one for one in _SENTENCE_END.split(text) if "`territory " not in one)


def sentence(text: str) -> str:
    """Begin with a capital, as a sentence does; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def kind_words(kind: str) -> str:
    """What rows of a kind are called: ``Named accounts``."""
    return kind.replace("_", " ").capitalize()


def column_words(column: str) -> str:
    """What a column of ours is called."""
    return COLUMN.get(column) or column.replace("_", " ").capitalize()


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 rep``, ``24 reps``."""
    return f"{count:,}{NO_BREAK}{one if count == 1 else many or one + 's'}"


def finding(code: str) -> str:
    """What a finding is called."""
    return FINDING.get(code, code.replace("_", " ").capitalize())


def size(group: str) -> str:
    """What a class of sizes by employees is called: ``50 to 249``."""
    return "Not known" if group == "unknown" else group


def industry(group: str) -> str:
    """What an industry is called."""
    return {"unknown": "Industry not known", FEW: "Industries with fewer than 5 each"}.get(
        group, group
    )


def verdicts(limit: str) -> dict[str, str]:
    """What a verdict is called, given the limit in words."""
    return {
        "in": f"Within {limit}",
        "out": f"Beyond {limit}",
        "too_close_to_call": "Too close to call",
    }


def units(kind: str, codes: str | None) -> str:
    """Say what a market is made of: ``1 metro area``, ``22 counties``, ``1 drawn area``."""
    one, many = KIND[kind]
    return plural(len((codes or kind).split("|")), one, many)


def web_address(text: str) -> str | None:
    """Make a link of a website as a file gives it; anything but http and https is no link."""
    address = text if "//" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in WEB_SCHEMES and "." in (parts.hostname or "") and parts.port != 0
    except ValueError:  # a port that is no number, as in javascript:alert(1)
        return None
    return address if is_web else None


def host(text: str) -> str:
    """Show a website without what every website has."""
    return text.split("//")[-1].removeprefix("www.").rstrip("/")


def position(place: dict[str, Any]) -> str:
    """Write coordinates so that no sign can be lost: ``44.95302 N, 92.99522 W``."""
    lat, lon = place["lat"], place["lon"]
    return f"{abs(lat):.5f} {'S' if lat < 0 else 'N'}, {abs(lon):.5f} {'W' if lon < 0 else 'E'}"


def postal_address(place: dict[str, Any]) -> str:
    """Write an address in one line; empty where none is on file."""
    region = " ".join(filter(None, (place["state"], place["postal_code"])))
    country = place["country"] if place["country"] != "US" else None
    return ", ".join(filter(None, (place["street"], place["city"], region, country)))


def geo_address(place: dict[str, Any]) -> str:
    """Name a place for the reader's own map program, as a geo URI (RFC 5870) with the address.

    Asks for the point itself where no street is known, so that none is made up.
    """
    lat, lon = place["lat"], place["lon"]
    point = "0,0" if lat is None else f"{lat:.5f},{lon:.5f}"
    words = postal_address(place) if place["street"] or lat is None else point
    return f"geo:{point}?q={quote(words, safe=',')}"
