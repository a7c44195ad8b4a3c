"""Offline places: a ZIP code, a city and state, a city abroad, each with its uncertainty.

ZIP points come before city points because they are nearer to where organisations are; the ZIP
points of a city come before the point of the city itself because a name shared by two places of a
state misleads them less (measured: docs/data.md). A ZIP code that lies far outside the city beside
it is a slip of the pen: there the city counts, and the row says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import by_value
from territory.geocoding.gazetteer_index import (
    GAP,
    AreaIndex,
    CityPoints,
    Places,
    city_places,
    named_cities,
    zip_city_places,
    zip_places,
)
from territory.geodesy import inverse
from territory.policy import GeocodingPolicy, OnlinePolicy
from territory.reference import load, normalise_place, normalise_places
from territory.units_of_length import METRES_PER_MILE, format_miles

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.reference import Reference

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Texts = npt.NDArray[np.object_]

ADDRESS = ("city", "state", "postal_code", "country")
# What is this much farther from a place than the place is uncertain contradicts it. Of 6,940
# headquarters and universities 5 have a ZIP code that contradicts the city beside it so, and all 5
# are in the city; nearer than that ZIP code and city are right about as often.
CONFLICT_M = 10 * METRES_PER_MILE
# What follows the name of an Asian city in many addresses: Yongin-si, Hsinchu City.
_CITY_WORD = re.compile(r" (?:city|si|shi|gu|gun)$")
# GeoNames numbers the provinces and states of countries other than ours.
_REGIONS = {
    "AU": {
        "ACT": "01", "NSW": "02", "NT": "03", "QLD": "04", "SA": "05", "TAS": "06", "VIC": "07",
        "WA": "08",
    },
    "BR": {
        "AC": "01", "AL": "02", "AM": "04", "AP": "03", "BA": "05", "CE": "06", "DF": "07",
        "ES": "08", "GO": "29", "MA": "13", "MG": "15", "MS": "11", "MT": "14", "PA": "16",
        "PB": "17", "PE": "30", "PI": "20", "PR": "18", "RJ": "21", "RN": "22", "RO": "24",
        "RR": "25", "RS": "23", "SC": "26", "SE": "28", "SP": "27", "TO": "31",
    },
    "CA": {
        "AB": "01", "BC": "02", "MB": "03", "NB": "04", "NL": "05", "NS": "07", "NT": "13",
        "NU": "14", "ON": "08", "PE": "09", "QC": "10", "SK": "11", "YT": "12",
    },
}  # fmt: skip
_REGION_CODES = {
    country + GAP + state: f"{country}.{number}"
    for country, states in _REGIONS.items()
    for state, number in states.items()
}


class Gazetteer:
    """Places addresses from bundled tables, the same answer every time, without a network.

    Parameters
    ----------
    reference
        The bundled tables; read on the first look-up.
    policy
        How uncertain a ZIP code without an area and a city are.
    """

    def __init__(self, reference: Reference, policy: GeocodingPolicy | None = None) -> None:
        self.reference = reference
        self._policy = policy or GeocodingPolicy()

    @cached_property
    def _zip_codes(self) -> Places:
        return zip_places(self.reference.zip_codes, self._policy)

    @cached_property
    def _zip_states(self) -> Texts:
        states: Texts = self.reference.zip_codes["state_code"].to_numpy(object)
        return states

    @cached_property
    def _zip_city_keys(self) -> pd.Series:
        table = self.reference.zip_codes
        return _join(table["state_code"], normalise_places(table["city"]))

    @cached_property
    def _zip_cities(self) -> Places:
        return zip_city_places(self.reference.zip_codes, self._policy)

    @cached_property
    def _city_points(self) -> CityPoints:
        return CityPoints(self.reference)

    @cached_property
    def _us_cities(self) -> Places:
        return city_places(named_cities(self.reference, "US"), "admin1_code", self._policy)

    @cached_property
    def _regions(self) -> Places:
        cities = named_cities(self.reference)
        cities = cities[cities["country_code"].isin(list(_REGIONS))]
        region = cities["country_code"] + "." + cities["admin1_code"]
        return city_places(cities.assign(region=region), "region", self._policy)

    @cached_property
    def _countries(self) -> Places:
        return city_places(named_cities(self.reference), "country_code", self._policy)

    @cached_property
    def surroundings(self) -> AreaIndex:
        """Which county a point is in, and how far from a state."""
        return AreaIndex(self.reference)

    def lookup(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Place each row by its address; every row comes back once, in order.

        In turn: the point of the ZIP code; the middle (median) of the ZIP points of that city and
        state; the city in that state; the city in that country. A row without a country counts as
        American. Where several cities of like size bear the name none is taken. A ZIP code that
        lies far outside the city beside it is not followed: the row is a conflict, placed by the
        city, and the note says how far apart the two are.

        Parameters
        ----------
        frame
            city, state, postal_code, country as intake cleans them; a missing column counts as
            null.

        Returns
        -------
        geocodes
            The GEOCODE contract on the index of ``frame``: lon and lat (WGS84 degrees), precision
            ("postal" or "place"), uncertainty_m, geocode_source, geocode_note (null where nothing
            was odd), placement. No place: lon, lat, precision and uncertainty_m are null.
        """
        whole = pd.DataFrame({name: frame.get(name) for name in ADDRESS}, index=frame.index)
        whole = whole.astype(object).where(whole.notna(), None).reset_index(drop=True)
        which = whole.groupby(list(ADDRESS), sort=False, dropna=False).ngroup().to_numpy()
        _, first = np.unique(which, return_index=True)
        answers = self._place(whole.iloc[first].reset_index(drop=True))
        return answers.iloc[which].set_index(frame.index)

    def zip_points(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Look up the ZIP codes of American rows, whatever else their address says.

        Returns
        -------
        points
            lon, lat (WGS84 degrees), uncertainty_m, title ("ZIP 80202") and state_code on the
            index of ``frame``; null where the code is unknown or there is none.
        """
        at = self._zip_at(frame["postal_code"].where(_is_american(frame["country"])))
        places, is_hit = self._zip_codes, at >= 0
        columns = {
            "lon": np.where(is_hit, places.lon[at], np.nan),
            "lat": np.where(is_hit, places.lat[at], np.nan),
            "uncertainty_m": np.where(is_hit, places.uncertainty_m[at], np.nan),
            "title": pd.Series(places.title[at], frame.index).where(is_hit, None),
            "state_code": pd.Series(self._zip_states[at], frame.index).where(is_hit, None),
        }
        return pd.DataFrame(columns, index=frame.index)

    def _zip_at(self, codes: pd.Series) -> Ints:
        return self._zip_codes.find(by_value(codes, lambda code: code[:5]))

    def _place(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Place distinct addresses."""
        city = by_value(rows["city"], lambda name: normalise_place(name) or None)
        american = _is_american(rows["country"])
        in_state = _join(rows["state"].where(american), city)
        answers = self._place_by_city(rows, city, in_state)
        without_state = american & rows["state"].isna()
        vague = (answers.rivals > 0) & without_state.to_numpy(bool) | answers.is_open
        nowhere = np.flatnonzero(rows["country"].isna() & without_state & city.notna())
        vague[nowhere] |= self._is_known(city.iloc[nowhere])
        answers.drop(vague)
        zip_at = self._zip_at(rows["postal_code"].where(american))
        reach = self._zip_codes.uncertainty_m[zip_at]
        to_city = self._zip_to_city_m(in_state, zip_at)
        # Other names of a city may be those of a township that has ZIP codes of its own.
        is_astray = (to_city > reach + CONFLICT_M) & (self._zip_cities.find(in_state) >= 0)
        town = answers.title.copy()
        trusted = np.flatnonzero((zip_at >= 0) & ~is_astray)
        answers.take(self._zip_codes, trusted, zip_at[trusted], "postal")
        self._reach_to_zip(answers, np.flatnonzero(is_astray), zip_at)
        oddities = _Oddities(vague, is_astray, zip_at, to_city, town)
        geocodes = answers.frame(self._notes(rows, answers, oddities))
        geocodes.loc[vague & answers.is_missing, "placement"] = "ambiguous"
        contradicts = is_astray | self._is_elsewhere(rows, zip_at, to_city, city)
        geocodes.loc[contradicts & ~answers.is_missing, "placement"] = "conflict"
        return geocodes

    def _reach_to_zip(self, answers: _Geocodes, rows: Ints, zip_at: Ints) -> None:
        """Let the uncertainty reach from the city to the ZIP code: either of them may be wrong."""
        places, at = self._zip_codes, zip_at[rows]
        apart = inverse(answers.lon[rows], answers.lat[rows], places.lon[at], places.lat[at])
        both = np.maximum(answers.uncertainty_m[rows], apart + places.uncertainty_m[at])
        answers.uncertainty_m[rows] = both

    def _place_by_city(self, rows: pd.DataFrame, city: pd.Series, in_state: pd.Series) -> _Geocodes:
        american = _is_american(rows["country"])
        region = _join(rows["country"], rows["state"]).map(_REGION_CODES)
        asks_country = ~american & region.isna()
        asks_country |= (rows["country"] == "US") & rows["state"].isna()
        in_country = _join(rows["country"].where(asks_country), city)
        steps = (
            ("_zip_cities", in_state),
            ("_us_cities", in_state),
            ("_regions", _join(region, city)),
            ("_countries", in_country),
            ("_countries", by_value(in_country, lambda key: _CITY_WORD.sub("", key))),
        )
        answers = _Geocodes(len(rows))
        for name, keys in steps:
            rows_left = np.flatnonzero(answers.is_missing & keys.notna().to_numpy())
            if len(rows_left):  # a table is only built for those who ask it
                places: Places = getattr(self, name)
                answers.take(places, rows_left, places.find(keys.iloc[rows_left]), "place")
        return answers

    def _is_known(self, names: pd.Series) -> Bools:
        """Tell which names any city of the world bears."""
        is_name: Bools = self._names.get_indexer(pd.Index(names)) >= 0
        return is_name

    @cached_property
    def _names(self) -> pd.Index:
        names: pd.Index = pd.Index(self.reference.city_names["key"].unique())
        return names

    def _zip_to_city_m(self, in_state: pd.Series, zip_at: Ints) -> Floats:
        """From the ZIP point to the nearest point of the city; 0 in the ZIP code's own city."""
        metres = np.full(len(zip_at), np.nan)
        both = np.flatnonzero((zip_at >= 0) & in_state.notna().to_numpy())
        at = zip_at[both]
        is_own = self._zip_city_keys.to_numpy(object)[at] == in_state.to_numpy(object)[both]
        metres[both[is_own]] = 0.0
        other, at = both[~is_own], at[~is_own]
        if len(other):
            places = self._zip_codes
            metres[other] = self._city_points.nearest_m(
                in_state.iloc[other], places.lon[at], places.lat[at]
            )
        return metres

    def _is_elsewhere(
        self, rows: pd.DataFrame, zip_at: Ints, to_city: Floats, city: pd.Series
    ) -> Bools:
        """Tell the rows whose ZIP code is in another state, with no city that speaks for it."""
        state = rows["state"]
        other_state = (zip_at >= 0) & state.notna().to_numpy(bool)
        other_state &= self._zip_states[zip_at] != state.to_numpy(object)
        doubtful = np.flatnonzero(other_state & np.isnan(to_city))
        in_zip_state = _join(pd.Series(self._zip_states[zip_at]), city)
        near = np.zeros(len(rows), bool)
        if len(doubtful):
            there = self._zip_to_city_m(in_zip_state.iloc[doubtful], zip_at[doubtful])
            near[doubtful] = there <= self._zip_codes.uncertainty_m[zip_at[doubtful]] + CONFLICT_M
        return other_state & np.isnan(to_city) & ~near

    def _notes(self, rows: pd.DataFrame, answers: _Geocodes, odd: _Oddities) -> Texts:
        """Say of each row why it was not placed, or what was odd about it."""
        notes = np.full(len(rows), None, dtype=object)
        city, state, code, country = (rows[name].to_numpy(object) for name in ADDRESS)
        zip_state, has_zip = self._zip_states[odd.zip_at], odd.zip_at >= 0
        by_zip = answers.precision == "postal"
        other_state = has_zip & pd.notna(state) & (zip_state != state)
        unknown_zip = ~has_zip & pd.notna(code) & (pd.isna(country) | (country == "US"))
        for at in np.flatnonzero(other_state & by_zip):
            notes[at] = f"ZIP {code[at]} is in {zip_state[at]}, the address says {state[at]}"
        for at in np.flatnonzero(odd.is_astray):
            where = f" in {zip_state[at]}," if other_state[at] else ""
            notes[at] = (
                f"ZIP {code[at]} is{where} {format_miles(odd.to_city_m[at])} from "
                f"{odd.town[at] or city[at]}" + (": placed by the city" if odd.town[at] else "")
            )
        for at in np.flatnonzero(~answers.is_missing & ~by_zip & (answers.rivals > 0)):
            notes[at] = f"{answers.rivals[at]} more places have that name: took the largest"
        for at in np.flatnonzero(~answers.is_missing & unknown_zip):
            notes[at] = f"ZIP {code[at]} is unknown: placed by the city"
        for at in np.flatnonzero(answers.is_missing):
            about_zip = f"ZIP {code[at]} is unknown and " if unknown_zip[at] else ""
            about_zip = f"{notes[at]}, and " if odd.is_astray[at] else about_zip
            reason = _why_not(city[at], state[at], country[at], is_vague=odd.is_vague[at])
            notes[at] = about_zip + reason
        return notes


def shared_gazetteer(policy: GeocodingPolicy) -> Gazetteer:
    """Give the gazetteer of a policy on the tables in use, made once in a process.

    Which online geocoders may be asked makes no difference to it.
    """
    return _shared(replace(policy, online=OnlinePolicy()), load())


@lru_cache(maxsize=4)
def _shared(policy: GeocodingPolicy, reference: Reference) -> Gazetteer:
    return Gazetteer(reference, policy)


@dataclass(frozen=True)
class _Oddities:
    """What is odd about each row: many namesakes, a ZIP code that is not where its city is."""

    is_vague: Bools
    is_astray: Bools
    zip_at: Ints
    to_city_m: Floats
    town: Texts


class _Geocodes:
    """The places found so far, one for each row."""

    def __init__(self, rows: int) -> None:
        self.lon, self.lat, self.uncertainty_m = (np.full(rows, np.nan) for _ in range(3))
        self.precision, self.title = (np.full(rows, None, dtype=object) for _ in range(2))
        self.rivals, self.is_open = np.zeros(rows, np.int64), np.zeros(rows, bool)

    @property
    def is_missing(self) -> Bools:
        is_missing: Bools = np.isnan(self.lon)
        return is_missing

    def take(self, places: Places, rows: Ints, at: Ints, precision: str) -> None:
        """Answer ``rows``, by position, with the places at positions ``at``; -1 is no answer."""
        rows, at = rows[at >= 0], at[at >= 0]
        self.lon[rows], self.lat[rows] = places.lon[at], places.lat[at]
        self.uncertainty_m[rows] = places.uncertainty_m[at]
        self.precision[rows], self.title[rows] = precision, places.title[at]
        self.rivals[rows], self.is_open[rows] = places.rivals[at], places.is_open[at]

    def drop(self, rows: Bools) -> None:
        """Take back the answers of a mask of rows."""
        self.lon[rows] = self.lat[rows] = self.uncertainty_m[rows] = np.nan
        self.precision[rows] = self.title[rows] = None

    def frame(self, notes: Texts) -> pd.DataFrame:
        """The GEOCODE contract."""
        return pd.DataFrame(
            {
                "lon": self.lon,
                "lat": self.lat,
                "precision": pd.Series(self.precision, dtype=object),
                "uncertainty_m": self.uncertainty_m,
                "geocode_source": pd.Series(self.title, dtype=object),
                "geocode_note": pd.Series(notes, dtype=object),
                "match_score": np.nan,
                "placement": pd.Series(
                    np.where(self.is_missing, "unplaced", "approximate"), dtype=object
                ),
            }
        )


def _is_american(country: pd.Series) -> pd.Series:
    return country.isna() | (country == "US")


def _join(area: pd.Series, name: pd.Series) -> pd.Series:
    """The key of a name in an area; null where either is."""
    both = area.notna() & name.notna()
    keys = pd.Series(None, index=area.index, dtype=object)
    keys[both] = area[both].astype(object) + GAP + name[both].astype(object)
    return keys


def _why_not(city: str | None, state: str | None, country: str | None, *, is_vague: bool) -> str:
    """Say why an address has no place, and what would give it one."""
    if city is None:
        return "the address has no city: add a ZIP code, or city and state"
    if is_vague and state is None and country in (None, "US"):
        abroad = ", or the country if it is abroad" if country is None else ""
        return f"several places are called {city}: add the state{abroad}"
    where = ", ".join(name for name in (state, country) if name not in (None, "US"))
    if is_vague:
        return f"several places of like size in {where} are called {city}: choose one of them"
    if state is None and country is None:
        return f"city {city!r} comes without a state: add the state, or the country if it is abroad"
    return f"city {city!r} was not found in {where}"
