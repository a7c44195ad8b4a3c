"""Read an encyclopedia's free text on where a company sits: "77 West Wacker Drive Chicago, U.S.".

Such a text may hold a building or street, several cities with their roles ("(legal)", "(former)"),
a ZIP code, coordinates, footnotes, a country in four spellings, or no city at all. What is read is
the one location in the United States that runs the company; what cannot be read says why.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA",
    "Colorado": "CO", "Connecticut": "CT", "Delaware": "DE", "D.C.": "DC",
    "District of Columbia": "DC", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI",
    "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS",
    "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA",
    "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO", "Montana": "MT",
    "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH", "New Jersey": "NJ",
    "New Mexico": "NM", "New York": "NY", "North Carolina": "NC", "North Dakota": "ND",
    "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA", "Puerto Rico": "PR",
    "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN",
    "Texas": "TX", "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington": "WA",
    "West Virginia": "WV", "Wisconsin": "WI", "Wyoming": "WY",
}  # fmt: skip
CODES = {**STATES, **{code: code for code in STATES.values()}}

# The texts call these by name alone, without a state; no other city is meant by them.
STATELESS = {
    "New York City": ("New York", "NY"),
    "New York": ("New York", "NY"),
    "Los Angeles": ("Los Angeles", "CA"),
    "San Francisco": ("San Francisco", "CA"),
    "Austin": ("Austin", "TX"),
}
# Headquarters in no city or post town: the town in the address of the campus.
POST_TOWNS = {
    ("Washington County", "OR"): "Beaverton",
    ("Miami-Dade County", "FL"): "Miami",
    ("Chesterfield County", "VA"): "Richmond",
    ("DeWitt", "NY"): "Syracuse",
    ("Manhattan", "NY"): "New York",
}

_DMS = re.compile(r"\(?\s*\d+°[^;]*;\s*-?\d+\.\d+\s*\)?\s*,?")
_DECIMAL = re.compile(r"(-?\d+\.\d+)\s*;\s*(-?\d+\.\d+)")
_COUNTRY = re.compile(
    r"(?<=[\w).,;])\s*,?\s*\b(?:U\.S\.A\.?|U\.S\.?|USA?|United States)(?=$|[\s,;()])"
)
_NAMES = "|".join(re.escape(name) for name in sorted(CODES, key=len, reverse=True))
_PLACE = re.compile(
    # A state name before a state is a city: "90 Park Avenue, New York, NY".
    rf",\s*(?P<state>{_NAMES})(?=\s*(?:$|[,;()]|USA|\d{{5}}|and\b))"
    rf"(?!\s*,\s*(?:{_NAMES})\s*(?:$|[,;()]|\d{{5}}))"
    rf"(?P<zip>[,\s]*(?:USA)?\s*\d{{5}}(?:-\d{{4}})?)?"
)
_USA = re.compile(r"[,;]?\s*USA\b")
_ROLE = re.compile(r"[\s,]*(?:USA\b[\s,]*)*\((?P<role>[^)]*)\)")
# All up to the last sign that a location abroad ended, or words that lead up to a location.
_ABROAD = re.compile(
    r".*(?:\b(?:Australia|Canada|France|Germany|Ireland|Japan|Netherlands|Switzerland|UK"
    r"|United Kingdom)\b(?:\s*\([^)]*\))?|;|\boffice in\b|\boffices ?:)",
    re.IGNORECASE,
)
_RUNS, _ON_PAPER, _NOT_NOW = range(3)
_GONE = re.compile(r"former|sales|research|R&D|domicile", re.IGNORECASE)
_PAPER = re.compile(r"legal|registered|incorporat|financ", re.IGNORECASE)


class Headquarters(NamedTuple):
    """A location in the United States as the text gives it; absent parts are None."""

    street: str | None
    city: str
    state: str
    postal_code: str | None
    lat: float | None
    lon: float | None


class _Found(NamedTuple):
    city: str
    state: str
    street: str | None
    postal_code: str | None
    rank: int


def parse(text: str, knows: Callable[[str, str], bool], listed: str = "") -> Headquarters | None:
    """Read the headquarters in the United States out of ``text``; None when it names none.

    Of several, one that runs the company comes before a legal seat, then the one that ``listed``
    names, then the first. Former seats and sales offices are none.

    Parameters
    ----------
    text
        The free text. Coordinates in it are decimal degrees, latitude first.
    knows
        Whether a city of that name is in that state (two letters); splits "Houston Energy
        Corridor Houston, Texas" where no comma does.
    listed
        "City, State" from another column, or "": supplies the state where the text gives the city
        alone, and a post town where the text gives a place that ``knows`` does not.
    """
    clean = _tidy(text)
    found = _with_state(clean, knows) or _without_state(clean, listed)
    found = [place for place in found if place.rank < _NOT_NOW]
    if not found:
        return None
    lat, lon = _coordinates(text) if len(found) == 1 else (None, None)
    best = min(found, key=lambda place: (place.rank, place.city != plain(listed.split(",")[0])))
    city = POST_TOWNS.get((best.city, best.state), best.city)
    city = _in_gazetteer(city, best.state, knows, listed)
    street = best.street if city == best.city else _joined([best.street or "", best.city])
    return Headquarters(street, city, best.state, best.postal_code, lat, lon)


def _coordinates(text: str) -> tuple[float | None, float | None]:
    match = _DECIMAL.search(text)
    return (float(match[1]), float(match[2])) if match else (None, None)


def _tidy(text: str) -> str:
    """Take out coordinates, footnotes and stray blanks; write the country as ", USA"."""
    clean = re.sub(r"[\ufeff\u200b\xa0]", " ", text)
    clean = _DMS.sub(" ", clean)
    clean = re.sub(r"\[\w+\]|\bmailing address\b|\bUnincorporated\b", " ", clean)
    clean = _COUNTRY.sub(", USA", clean)
    clean = re.sub(r"\s+", " ", clean)
    return re.sub(r"(?:\s*,)+", ",", clean).strip(" ,.")


def _with_state(clean: str, knows: Callable[[str, str], bool]) -> list[_Found]:
    """Find every "City, State", each with what stands before it and the role after it."""
    found, start = [], 0
    for match in _PLACE.finditer(clean):
        state = CODES[match["state"]]
        street, city = _split(_own(clean[start : match.start()]), state, knows)
        role = _ROLE.match(clean, match.end())
        start = role.end() if role else match.end()
        if city:
            digits = re.search(r"\d{5}(?:-\d{4})?", match["zip"] or "")
            postal_code = digits[0] if digits else None
            found.append(_Found(city, state, street, postal_code, _rank(role)))
    return found


def _without_state(clean: str, listed: str) -> list[_Found]:
    """Find cities given by name alone: before ", USA", or at the end if another column agrees."""
    cities = dict(STATELESS)
    city, _, state = listed.partition(", ")
    if state in CODES:
        cities[city] = cities[f"{city} City"] = (plain(city), CODES[state])
    names = "|".join(re.escape(name) for name in sorted(cities, key=len, reverse=True))
    end = r",\s*USA\b" if "USA" in clean else r"$" if state in CODES else r"(?!)"
    found, start = [], 0
    for match in re.finditer(rf"\b(?P<city>{names})(?={end})", clean):
        street = _own(clean[start : match.start()]) or None
        role = _ROLE.match(clean, match.end())
        start = role.end() if role else match.end()
        found.append(_Found(*cities[match["city"]], street, None, _rank(role)))
    return found


def _own(before: str) -> str:
    """Cut off what belongs to the location before: its country, role, or "and"."""
    before = _ABROAD.sub("", _USA.sub("", before)).strip(" ,;")
    return re.sub(r"^(?:\([^)]*\)|and\b|[,;\s])+", "", before)


def _split(before: str, state: str, knows: Callable[[str, str], bool]) -> tuple[str | None, str]:
    """Split "BOK Tower Tulsa" into street and city: the longest ending that is a city there."""
    *parts, last = re.split(r"\s*[,;:]\s*", before)
    inner = re.search(r"\((?:near )?([^()]+)\)?$", last)
    if inner and knows(inner[1].strip(), state):
        return _joined([*parts, last[: inner.start()]]), inner[1].strip()
    words = last.split()
    for first in range(len(words)):
        city = " ".join(words[first:])
        if knows(city, state):
            return _joined([*parts, " ".join(words[:first])]), plain(city)
    return _joined(parts), plain(last)


def _joined(parts: list[str]) -> str | None:
    return ", ".join(part.strip() for part in parts if part.strip()) or None


def plain(city: str) -> str:
    """Write a city as its mail does: "New York City" is New York."""
    return "New York" if city == "New York City" else city.strip()


def _in_gazetteer(city: str, state: str, knows: Callable[[str, str], bool], listed: str) -> str:
    """Give a township, county or campus the name that place tables have for it."""
    if knows(city, state):
        return city
    short = re.sub(r" (?:Charter Township|Township|County)$", "", city)
    if knows(short, state):
        return short
    other, _, other_state = listed.partition(", ")
    return plain(other) if CODES.get(other_state) == state and knows(other, state) else city


def _rank(role: re.Match[str] | None) -> int:
    """Tell by its role whether a location runs the company, is its seat on paper, or is neither."""
    if not role:
        return _RUNS
    if _GONE.search(role["role"]):
        return _NOT_NOW
    runs = re.search(r"corporate|operat|executive", role["role"])
    return _ON_PAPER if _PAPER.search(role["role"]) and not runs else _RUNS
