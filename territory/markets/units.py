"""Units of markets: what people write for a ZIP code, county, metro area or state, as its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.errors import InputError
from territory.markets.county_units import read_county
from territory.markets.former_counties import FORMER_COUNTIES
from territory.markets.unit_lists import SEPARATOR, split_units
from territory.markets.unit_names import NOUNS, metro_key, state_key, unit_names
from territory.markets.unit_reading import Reading, not_known, refused
from territory.markets.zip_units import read_zip

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.markets.unit_names import UnitNames
    from territory.reference import Reference

_MOST_EXAMPLES = 20
_SAMPLE = 40  # cells by which the kind of a column is recognized
_NEARLY_ALL = 0.8
# Kinds that a market may have units of at once: all are made of whole counties.
MIXABLE = ("county", "metro_area", "state")
# 05000US17031, 860Z200US60601: how the Census Bureau writes codes in its tables.
_GEOID = re.compile(r"^(?:\d[0-9A-Z]*)?US(?=\d+$)")


@dataclass(frozen=True)
class Units:
    """The units of markets, and what is wrong or odd about them.

    ``members``: market (position, int), kind, code; in the order given, each unit of a market once.
    ``faults``: market, reason, remedy; ``notes``: market, note. Each of a market once.
    """

    members: pd.DataFrame
    faults: pd.DataFrame
    notes: pd.DataFrame

    @property
    def codes(self) -> pd.Series:
        """The codes of each market joined by "|", by its position."""
        return self.members.groupby("market")["code"].agg(SEPARATOR.join)


def read_units(markets: pd.DataFrame, reference: Reference) -> Units:
    """Take the units of all markets apart and find the code of each.

    A unit is a code (CBSA, county FIPS, state, ZIP) or a name, in any case: "Cook County, IL" or
    "Cook, IL", "Illinois", a metro area's title or a beginning that only one has ("Denver-Aurora").
    Of ZIP codes also a range (60601-60610) and what they begin with (606, 606*, 606xx).

    Parameters
    ----------
    markets
        market_id, kind, units; where there is a column ``state``, it is the state of units that
        name none.
    """
    whole = markets["kind"].ne("polygon").to_numpy()
    rows = markets.loc[whole, ["market_id", "kind", "units"]].assign(market=np.flatnonzero(whole))
    rows["state"] = markets.loc[whole, "state"] if "state" in markets else None
    rows["units"] = [
        split_units("" if pd.isna(text) else str(text), kind)
        for text, kind in zip(rows["units"], rows["kind"], strict=True)
    ]
    bare = rows.loc[~rows["units"].astype(bool), "market"].tolist()
    faults = [
        (at, "no units", "List its ZIP codes, counties, metro areas or states.") for at in bare
    ]
    units = rows.explode("units", ignore_index=True).dropna(subset="units")
    parts = [pd.DataFrame({"market": [], "kind": [], "code": [], "at": []}, dtype=object)]
    notes: list[tuple[int, str]] = []
    for kind, group in units.groupby("kind", sort=False):
        readings = _read(str(kind), group, reference)
        part, part_faults, part_notes = _gather(str(kind), group, readings)
        parts.append(part)
        faults += part_faults
        notes += part_notes
    members = pd.concat([part for part in parts if len(part)] or parts)
    members = members.sort_values("at", kind="stable")[["market", "kind", "code"]]
    members = members.drop_duplicates(ignore_index=True).astype({"market": np.intp})
    return Units(
        members,
        pd.DataFrame(sorted(faults), columns=["market", "reason", "remedy"]),
        pd.DataFrame(sorted(notes), columns=["market", "note"]),
    )


def known_units(markets: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Give ``read_units(...).members`` of markets that all are understood.

    Raises
    ------
    InputError
        Naming each market without units, and each unit that is unknown or may be several.
    """
    units = read_units(markets, reference)
    if len(units.faults):
        ids = markets["market_id"].to_numpy(object)
        raise InputError(
            " ".join(
                f"Market {ids[at]!r}: {reason}. {remedy}"
                for at, reason, remedy in units.faults.to_numpy()
            )
        )
    return units.members


def likely_kinds(units: pd.Series, state: pd.Series, reference: Reference) -> list[tuple[str, ...]]:
    """List the kinds that each cell of units can be read as: one where it says what it is.

    Where a column has one kind nearly throughout, that is the kind of every cell in it.
    """
    sample = np.unique(np.linspace(0, len(units) - 1, min(len(units), _SAMPLE)).astype(int))
    fits = pd.DataFrame(
        {kind: _fits(kind, units.iloc[sample], state.iloc[sample], reference) for kind in NOUNS}
    )
    shares = fits.mean()
    common = shares[shares >= _NEARLY_ALL]
    if len(common) == 1:
        return [(str(common.index[0]),)] * len(units)
    if len(sample) < len(units):
        return [tuple(map(str, common.index))] * len(units)
    return [tuple(kind for kind in NOUNS if row[kind]) for row in fits.to_dict("records")]


def _fits(
    kind: str, units: pd.Series, state: pd.Series, reference: Reference
) -> npt.NDArray[np.bool_]:
    rows = pd.DataFrame({"market_id": range(len(units)), "kind": kind, "units": units.to_numpy()})
    faults = read_units(rows.assign(state=state.to_numpy()), reference).faults
    fits = np.ones(len(units), bool)
    fits[faults["market"].to_numpy(int)] = False
    return fits


def as_counties(kind: str, codes: list[str], reference: Reference) -> list[str]:
    """Give the counties that units of one of ``MIXABLE`` are made of, exactly."""
    column = {"county": "county_fips", "metro_area": "cbsa_code", "state": "state_code"}[kind]
    counties = reference.counties
    return list(counties.loc[counties[column].isin(codes), "county_fips"])


def _read(kind: str, group: pd.DataFrame, reference: Reference) -> list[Reading]:
    """Read units one by one; those that are plain codes without a look at anything else."""
    names = unit_names(kind, reference)
    # Codes of four digits in a list show that its zeros were lost on the way.
    loses_zeros = group.loc[group["units"].str.fullmatch(r"\d{4}"), "market_id"].unique()
    in_such = group["market_id"].isin(loses_zeros)
    seen: dict[tuple[str, str | None, bool], Reading] = {}
    readings, misses = [], 0
    for text, state, lost in zip(group["units"], group["state"], in_such, strict=True):
        if text in names.titles:
            readings.append(Reading((text,)))
            continue
        key = (text, None if pd.isna(state) else str(state), bool(lost))
        if key not in seen:
            plain = _GEOID.sub("", text).removesuffix(".0")
            seen[key] = _read_one(plain, *key[1:], names, reference)
            misses += not seen[key].codes
            if misses == _MOST_EXAMPLES:  # to look for what was meant takes its time
                names = replace(names, suggests=False)
        readings.append(seen[key])
    return readings


def _read_one(
    text: str, state: str | None, loses_zeros: bool, names: UnitNames, reference: Reference
) -> Reading:
    if names.kind == "zip_code":
        reading = read_zip(text, state, names, loses_zeros=loses_zeros)
    elif names.kind == "county":
        reading = read_county(text, state, names, reference)
    else:
        reading = _read_name(text, names)
    return reading if reading.codes else _of_other_kind(text, names.kind, reference) or reading


def _of_other_kind(text: str, kind: str, reference: Reference) -> Reading | None:
    """Refuse a code that is none of its kind but one of another, saying of which."""
    if not re.fullmatch(r"\d{5}", text) or text in FORMER_COUNTIES:
        return None
    for other in ("county", "metro_area", "zip_code"):
        names = unit_names(other, reference)
        if other != kind and text in names.titles:
            return refused(
                f"{text!r} is no {NOUNS[kind]} but the {names.noun} {names.titles[text]}",
                f"Write the kind {other}, or correct it.",
            )
    return None


def _read_name(text: str, names: UnitNames) -> Reading:
    """Read a state or a metro area by its code, its name or the beginning of one."""
    key = _key(text, names)
    codes = names.codes.get(key, ())
    if not codes and not key.isdigit() and names.kind == "metro_area":
        codes = names.beginning(key)
    if len(codes) == 1:
        return Reading(codes)
    if not codes and names.kind == "metro_area":
        city, _, states = text.rpartition(",")
        codes = tuple(
            code
            for code, title in names.titles.items()
            if _is_of(title, city or text, states if city else "")
        )
        if len(codes) == 1:
            return Reading(codes, f"{text} was read as {names.title(codes[0])}")
    return not_known(text, names, codes or names.similar(key) if not key.isdigit() else ())


def _is_of(title: str, city: str, states: str) -> bool:
    """Tell whether a metro area has a city among its first names, in one of some states."""
    cities, _, of_states = title.rpartition(", ")
    wanted = set(re.findall(r"[A-Z]{2}", states.upper()))
    first = city.split("-")[0].strip().casefold()
    return first in cities.casefold().split("-") and wanted <= set(of_states.split("-"))


def _key(text: str, names: UnitNames) -> str:
    """Spell a state or metro area as ``names`` does."""
    key = metro_key(text) if names.kind == "metro_area" else state_key(text)
    return key.zfill(names.width) if key.isdigit() else key


def _gather(
    kind: str, group: pd.DataFrame, readings: list[Reading]
) -> tuple[pd.DataFrame, list[tuple[int, str, str]], list[tuple[int, str]]]:
    """Put readings together: a row for each code, and of each market its faults and notes."""
    market = group["market"].to_numpy()
    counts = [len(reading.codes) for reading in readings]
    members = pd.DataFrame(
        {
            "market": np.repeat(market, counts),
            "kind": kind,
            "code": [code for reading in readings for code in reading.codes],
            "at": np.repeat(group.index.to_numpy(), counts),
        },
        dtype=object,
    )
    bad: dict[int, list[Reading]] = {}
    odd: dict[int, list[str]] = {}
    for at, reading in zip(market.tolist(), readings, strict=True):
        if reading.reason:
            bad.setdefault(at, []).append(reading)
        elif reading.note:
            odd.setdefault(at, []).append(reading.note)
    faults = [(at, _reasons(some), _remedies(some)) for at, some in bad.items()]
    notes = [(at, _listed(some)) for at, some in odd.items()]
    return members, faults, notes


def _reasons(readings: list[Reading]) -> str:
    return _listed([str(reading.reason) for reading in readings])


def _remedies(readings: list[Reading]) -> str:
    return " ".join(dict.fromkeys(str(one.remedy) for one in readings[:_MOST_EXAMPLES]))


def _listed(texts: list[str]) -> str:
    distinct = list(dict.fromkeys(texts))
    more = f"; and {len(distinct) - _MOST_EXAMPLES:,} more" * (len(distinct) > _MOST_EXAMPLES)
    return "; ".join(distinct[:_MOST_EXAMPLES]) + more
