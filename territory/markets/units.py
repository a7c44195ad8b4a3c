"""Units of markets: what people write for a ZIP code, county, metro area or state, as its code."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from territory.reference import Reference

SEPARATOR = "|"
_COUNTY_SUFFIX = (
    r" (?:county|parish|borough|city and borough|census area|municipality|municipio|"
    r"planning region)(?=, )"
)
_MOST_EXAMPLES = 20


class UnitNames(NamedTuple):
    """What one kind of unit is called."""

    noun: str
    code: pd.Series  # by casefolded code or name: the code; names that two units share are left out
    name: pd.Series  # by code: how it is written, for suggestions
    width: int  # digits of the code; one that a spreadsheet has robbed of its zeros is understood
    whereabouts: str  # where to look for all of them


def read_units(markets: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Take the units of all markets apart and find the code of each.

    A unit is a code (CBSA, county FIPS, state, ZIP) or a name, in any case: "Cook County, IL" or
    "Cook, IL", "Illinois", a metro area's title or a beginning that only one has ("Denver-Aurora").

    Returns
    -------
    units
        market (position, int), kind, code; in the order given, each unit of a market once.

    Raises
    ------
    InputError
        Naming each market without units, and each unit that is unknown or may be several.
    """
    whole = markets["kind"].ne("polygon").to_numpy()
    units = markets.loc[whole, ["market_id", "kind", "units"]].assign(market=np.flatnonzero(whole))
    units["unit"] = units["units"].fillna("").astype(str).str.split(SEPARATOR, regex=False)
    units = units.explode("unit", ignore_index=True)
    units["unit"] = units["unit"].str.strip()
    units = units[units["unit"].ne("")]
    bare = np.setdiff1d(np.flatnonzero(whole), units["market"])
    breaches = [
        f"market {markets['market_id'].iloc[at]!r} has no units: list them, joined by {SEPARATOR!r}"
        for at in bare
    ]
    units["code"] = pd.Series(None, index=units.index, dtype=object)
    for kind, rows in units.groupby("kind", sort=True):
        names = _names(str(kind), reference)
        codes, suggestions = _codes(rows["unit"], names)
        units.loc[rows.index, "code"] = codes
        breaches += _breaches(rows, suggestions, names)
    if breaches:
        raise InputError("; ".join(breaches) + ".")
    return units[["market", "kind", "code"]].drop_duplicates(ignore_index=True)


def _names(kind: str, reference: Reference) -> UnitNames:
    if kind == "metro_area":
        code = reference.metro_areas["cbsa_code"].astype(object)
        name = reference.metro_areas["title"]
        return _unit_names("metro area", code, name, [code, name], 5, "metro_areas")
    if kind == "state":
        states = reference.states
        code, name = states["state_code"].astype(object), states["name"]
        return _unit_names("state", code, name, [code, name, states["state_fips"]], 2, "states")
    if kind == "county":
        counties = reference.counties
        code, name = counties["county_fips"], counties["name"] + ", " + counties["state_code"]
        short = name.str.replace(_COUNTY_SUFFIX, "", case=False, regex=True)
        return _unit_names("county", code, name, [code, name, short], 5, "counties")
    code = reference.zip_codes["zip_code"]
    city = reference.zip_codes["city"] + ", " + reference.zip_codes["state_code"]
    return _unit_names("ZIP code", code, city, [code], 5, "zip_codes")


def _unit_names(
    noun: str, code: pd.Series, name: pd.Series, spellings: list[pd.Series], width: int, table: str
) -> UnitNames:
    """Gather every spelling; an earlier kind of spelling goes before a later one."""
    tables = [
        pd.DataFrame({"spelling": spelling.str.casefold(), "code": code}).drop_duplicates(
            "spelling", keep=False
        )
        for spelling in spellings
    ]
    by_spelling = pd.concat(tables).drop_duplicates("spelling").set_index("spelling")["code"]
    by_code = pd.Series(name.to_numpy(object), index=code.to_numpy(object))
    return UnitNames(noun, by_spelling, by_code, width, f"territory.reference.load().{table}")


def _codes(
    unit: pd.Series, names: UnitNames
) -> tuple[npt.NDArray[np.object_], dict[Hashable, list[str]]]:
    """Find the code of each unit; where there is none, by index, what it may have meant."""
    key = unit.str.casefold()
    if names.noun == "ZIP code":
        key = key.str.replace(r"^(\d{5})-\d{4}$", r"\1", regex=True)
    key = key.where(~key.str.fullmatch(r"\d+"), key.str.zfill(names.width))
    code = names.code.reindex(key).to_numpy(object, copy=True)
    suggestions: dict[Hashable, list[str]] = {}
    for at in np.flatnonzero(pd.isna(code)).tolist():
        text = key.iloc[at]
        begins = names.code[names.code.index.str.startswith(text)].unique()
        if len(begins) == 1 and not text.isdigit():
            code[at] = begins[0]
        else:
            suggestions[unit.index[at]] = _suggestions(text, begins, names)
    return code, suggestions


def _suggestions(key: str, begins: npt.NDArray[np.object_], names: UnitNames) -> list[str]:
    if not len(begins) and not key.isdigit():
        begins = names.code[difflib.get_close_matches(key, names.code.index, 3)].unique()
    return [f"{code} {names.name[code]}" for code in begins[:3]]


def _breaches(
    units: pd.DataFrame, suggestions: dict[Hashable, list[str]], names: UnitNames
) -> list[str]:
    if not suggestions:
        return []
    examples = units.loc[list(suggestions)[:_MOST_EXAMPLES]]
    lines = [
        f"{unit!r} of market {market!r}"
        + (f" (perhaps {', '.join(suggestions[index])})" if suggestions[index] else "")
        for index, market, unit in examples[["market_id", "unit"]].itertuples()
    ]
    more = (
        f" and {len(suggestions) - _MOST_EXAMPLES:,} more"
        if len(suggestions) > _MOST_EXAMPLES
        else ""
    )
    where = f"all {len(names.name):,} are in {names.whereabouts}"
    return [f"no single {names.noun} is called {', '.join(lines)}{more}; {where}"]
