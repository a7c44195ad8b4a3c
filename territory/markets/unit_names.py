"""Names of units: every spelling of a county, metro area, state or ZIP code, and its code."""

from __future__ import annotations

import bisect
import difflib
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from territory.cleaning import US_STATES, fold
from territory.markets.former_counties import FORMER_COUNTIES
from territory.reference import normalise_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.reference import Reference

NOUNS = {
    "zip_code": "ZIP code",
    "county": "county",
    "metro_area": "metro area",
    "state": "state",
}
_SUFFIX = re.compile(
    r"(?<=\w)\s+(?:county|co\.?|cnty\.?|parish|(?:city and )?borough|census area|municipality|"
    r"municipio|planning region|\(?city\)?|island|district)$",
    re.IGNORECASE,
)
_CITY_OF = re.compile(r"^(?:the )?city of (.+)$", re.IGNORECASE)
_METRO_WORDS = re.compile(
    r"\b(?:metropolitan|micropolitan|metro|statistical|area|msa|cbsa)\b|\([^)]*\)", re.IGNORECASE
)
_COUNTRY = re.compile(r"[\s,]+(?:USA?|U\.S\.A?\.|United States)\.?$", re.IGNORECASE)
# "Cook (IL)", "Cook County, Illinois", "Cook County IL"; "IL - Cook", "IL: Cook".
_STATE_LAST = re.compile(r"^(?P<name>.+?)\s*[,(/]\s*(?P<state>[^,()/]+?)\)?$")
_STATE_FIRST = re.compile(r"^(?P<state>[A-Za-z .]+?)\s*(?:[:/|]|\s-\s|-(?=\S))\s*(?P<name>.+)$")
_MOST_SUGGESTIONS = 3


@dataclass(frozen=True)
class UnitNames:
    """What the units of one kind are called.

    ``codes``: spelling -> codes, several where it is the name of several; ``titles``: code -> how
    it is written; ``width``: digits of a code; ``suggests``: whether to look for similar names.
    """

    kind: str
    codes: dict[str, tuple[str, ...]]
    titles: dict[str, str]
    width: int
    suggests: bool = True

    @property
    def noun(self) -> str:
        """What one of them is called."""
        return NOUNS[self.kind]

    def title(self, code: str) -> str:
        """Write a unit: its code and its name."""
        return f"{code} {self.titles[code]}"

    @cached_property
    def _in_order(self) -> list[str]:
        return sorted(self.titles)

    def between(self, first: str, last: str) -> tuple[str, ...]:
        """List the codes from one to another, in order."""
        codes = self._in_order
        return tuple(codes[bisect.bisect_left(codes, first) : bisect.bisect_right(codes, last)])

    def beginning(self, text: str) -> tuple[str, ...]:
        """List the codes of the units whose spelling begins with a text."""
        hits = (code for key, codes in self.codes.items() if key.startswith(text) for code in codes)
        return tuple(dict.fromkeys(hits))

    def similar(self, text: str) -> tuple[str, ...]:
        """List the codes of units that are spelled almost so."""
        if not self.suggests:
            return ()
        keys = difflib.get_close_matches(text, self.codes, _MOST_SUGGESTIONS)
        return tuple(dict.fromkeys(code for key in keys for code in self.codes[key]))


@lru_cache(maxsize=16)
def unit_names(kind: str, reference: Reference) -> UnitNames:
    """Gather the spellings of a kind of unit; the more exact one goes before the shorter one."""
    if kind == "metro_area":
        code, title = (reference.metro_areas[name] for name in ("cbsa_code", "title"))
        spellings = [code, title.map(metro_key)]
        return _unit_names(kind, code, title, spellings, 5)
    if kind == "state":
        states = reference.states
        code, title = states["state_code"], states["name"]
        return _unit_names(
            kind, code, title, [code.str.casefold(), title.map(fold), states["state_fips"]], 2
        )
    if kind == "county":
        counties = reference.counties
        code, name, state = (counties[one] for one in ("county_fips", "name", "state_code"))
        whole = pd.Series(map(county_key, name, state), index=code.index)
        short = pd.Series(map(county_key, name.map(short_name), state), index=code.index)
        return _unit_names(kind, code, name + ", " + state, [code, whole, short], 5)
    zips = reference.zip_codes
    code = zips["zip_code"]
    return _unit_names(kind, code, zips["city"] + ", " + zips["state_code"], [code], 5)


def _unit_names(
    kind: str, code: pd.Series, title: pd.Series, spellings: Iterable[pd.Series], width: int
) -> UnitNames:
    codes: dict[str, tuple[str, ...]] = {}
    for spelling in spellings:
        of_this_kind: dict[str, tuple[str, ...]] = {}
        for text, one in zip(spelling, code, strict=True):
            of_this_kind[text] = (*of_this_kind.get(text, ()), str(one))
        codes = of_this_kind | codes
    return UnitNames(kind, codes, dict(zip(code.astype(str), title, strict=True)), width)


def county_key(name: str, state: str | None) -> str:
    """Spell a county for comparison: "Du Page" as "DuPage", "Saint Clair" as "St. Clair"."""
    city = _CITY_OF.match(name)
    plain = normalise_place(f"{city[1]} city" if city else name).replace(" ", "")
    return f"{plain},{(state or '').casefold()}"


def short_name(name: str) -> str:
    """Drop what says that it is a county: "Cook" for "Cook County"."""
    return _SUFFIX.sub("", name.strip())


def metro_key(title: str) -> str:
    """Spell a metro area for comparison."""
    return fold(_METRO_WORDS.sub(" ", title))


def state_key(name: str) -> str:
    """Spell a state for comparison; "Ill." is "il"."""
    key = fold(name)
    return US_STATES.get(key, key).casefold()


def split_state(text: str) -> tuple[str, str | None]:
    """Take the state off a name: "Cook County, Illinois" is "Cook County" and "IL"."""
    text = _COUNTRY.sub("", text.strip())
    last = _STATE_LAST.match(text)
    if last and (state := US_STATES.get(fold(last["state"]))):
        return last["name"], state
    words = text.split()
    for count in (1, 2, 3):  # "Cook County IL", "Doña Ana County New Mexico"
        if len(words) > count:
            tail = " ".join(words[-count:])
            state = US_STATES.get(fold(tail))
            if state and (len(tail) > 2 or tail.isupper()):
                return " ".join(words[:-count]), state
    first = _STATE_FIRST.match(text)
    if first and (state := US_STATES.get(fold(first["state"]))):
        return first["name"], state
    return text, None


# Their spellings with and without "County", and the code each had.
FORMER_NAMES = {
    county_key(spelling(name), state): code
    for code, former in FORMER_COUNTIES.items()
    for name, state in [former.name.rsplit(", ", 1)]
    for spelling in (str, short_name)
}
