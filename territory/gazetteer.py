"""Offline places: a ZIP code, a city and state, a city abroad, each with its uncertainty.

ZIP points come before city points because they are nearer to where organisations are; the ZIP
points of a city come before the point of the city itself because a name shared by two places of a
state misleads them less (measured: docs/data.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import by_value
from territory.geodesy import inverse
from territory.lengths import METRES_PER_MILE, format_miles
from territory.policy import GeocodingPolicy
from territory.reference import load, normalise_place, normalise_places

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.reference import Reference

ADDRESS = ("city", "state", "postal_code", "country")
_KEY = "\x1f"
# An alternate name is only followed to a place this many times larger than one that bears the name.
_MAIN_NAME_WEIGHT = 5
# A namesake this near is the same town listed twice; one this much smaller is not meant.
_SAME_TOWN_M = 30_000.0
_DOMINANT = 5
# How far a ZIP code may be from its city before it is worth a note.
_ODD_DISTANCE_M = 50 * METRES_PER_MILE
_SPREAD = 0.95
# What follows the name of an Asian city in many addresses: Yongin-si, Hsinchu City.
_CITY_WORD = re.compile(r" (?:city|si|shi|gu|gun)$")
# GeoNames numbers the provinces of Canada.
_PROVINCES = {
    "AB": "01", "BC": "02", "MB": "03", "NB": "04", "NL": "05", "NS": "07", "NT": "13",
    "NU": "14", "ON": "08", "PE": "09", "QC": "10", "SK": "11", "YT": "12",
}  # fmt: skip


@dataclass(frozen=True)
class _Places:
    """Points looked up by a text key; ``rivals`` counts others that the key may mean as well."""

    keys: pd.Index
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    uncertainty_m: npt.NDArray[np.float64]
    title: npt.NDArray[np.object_]
    rivals: npt.NDArray[np.int64]

    def find(self, keys: pd.Series) -> npt.NDArray[np.int64]:
        """The position of each key; -1 where there is none."""
        found: npt.NDArray[np.int64] = self.keys.get_indexer(pd.Index(keys)).astype(np.int64)
        return found


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
        self._reference = reference
        self._policy = policy or GeocodingPolicy()

    @cached_property
    def _zip_codes(self) -> _Places:
        return _zip_places(self._reference.zip_codes, self._policy)

    @cached_property
    def _zip_states(self) -> npt.NDArray[np.object_]:
        states: npt.NDArray[np.object_] = self._reference.zip_codes["state_code"].to_numpy(object)
        return states

    @cached_property
    def _zip_cities(self) -> _Places:
        return _zip_city_places(self._reference.zip_codes, self._policy)

    @cached_property
    def _us_cities(self) -> _Places:
        return _city_places(_named_cities(self._reference, "US"), "admin1_code", self._policy)

    @cached_property
    def _provinces(self) -> _Places:
        return _city_places(_named_cities(self._reference, "CA"), "admin1_code", self._policy)

    @cached_property
    def _countries(self) -> _Places:
        return _city_places(_named_cities(self._reference), "country_code", self._policy)

    def lookup(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Place each row by its address; every row comes back once, in order.

        In turn: the point of the ZIP code; the middle (median) of the ZIP points of that city and
        state; the city in that state; the city in that country, the largest of its name. A row
        without a country counts as American. Where ZIP code and state disagree the ZIP code is
        followed unless the city is known in that state; the note says so either way.

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
            was odd). No place: all null but the note.
        """
        whole = pd.DataFrame({name: frame.get(name) for name in ADDRESS}, index=frame.index)
        whole = whole.astype(object).where(whole.notna(), None).reset_index(drop=True)
        which = whole.groupby(list(ADDRESS), sort=False, dropna=False).ngroup().to_numpy()
        _, first = np.unique(which, return_index=True)
        answers = self._place(whole.iloc[first].reset_index(drop=True))
        return answers.iloc[which].set_index(frame.index)

    def _place(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Place distinct addresses."""
        city = by_value(rows["city"], lambda name: normalise_place(name) or None)
        american = rows["country"].isna() | (rows["country"] == "US")
        canadian = rows["country"] == "CA"
        in_state = _join(rows["state"].where(american), city)
        in_province = _join(rows["state"].map(_PROVINCES).where(canadian), city)
        asks_country = ~american | ((rows["country"] == "US") & rows["state"].isna())
        in_country = _join(rows["country"].where(asks_country), city)
        bare = by_value(in_country, lambda key: _CITY_WORD.sub("", key))
        steps = (
            ("_zip_cities", in_state),
            ("_us_cities", in_state),
            ("_provinces", in_province),
            ("_countries", in_country),
            ("_countries", bare),
        )
        answers = _Answers(len(rows))
        for name, keys in steps:
            asked = np.flatnonzero(answers.is_open & keys.notna().to_numpy())
            if len(asked):  # a table is only built for those who ask it
                answers.take(getattr(self, name), asked, keys.iloc[asked], "place")
        vague = (answers.rivals > 0) & (american & rows["state"].isna()).to_numpy()
        answers.drop(vague)
        town = answers.copy()
        codes = by_value(rows["postal_code"].where(american), lambda code: code[:5])
        zip_at = self._zip_codes.find(codes)
        trusted = np.flatnonzero((zip_at >= 0) & ~self._is_elsewhere(answers, zip_at, rows))
        answers.take(self._zip_codes, trusted, codes.iloc[trusted], "postal")
        notes = self._notes(rows, answers, town, zip_at, vague)
        return answers.frame(notes, vague)

    def _is_elsewhere(
        self, town: _Answers, zip_at: npt.NDArray[np.int64], rows: pd.DataFrame
    ) -> npt.NDArray[np.bool_]:
        """Tell the rows whose ZIP code is in another state than a city that is known there."""
        state = rows["state"].to_numpy(object)
        other_state = (zip_at >= 0) & rows["state"].notna().to_numpy(bool)
        other_state &= self._zip_states[zip_at] != state
        far = self._zip_distance_m(town, zip_at) > _ODD_DISTANCE_M
        return other_state & far

    def _zip_distance_m(
        self, town: _Answers, zip_at: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """From the ZIP point to the point of the town; NaN where either is unknown."""
        distance = np.full(len(zip_at), np.nan)
        both = np.flatnonzero((zip_at >= 0) & ~town.is_open)
        places, at = self._zip_codes, zip_at[both]
        distance[both] = inverse(places.lon[at], places.lat[at], town.lon[both], town.lat[both])
        return distance

    def _notes(
        self,
        rows: pd.DataFrame,
        answers: _Answers,
        town: _Answers,
        zip_at: npt.NDArray[np.int64],
        vague: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.object_]:
        """Say of each row why it was not placed, or what was odd about it."""
        notes = np.full(len(rows), None, dtype=object)
        city, state, code, country = (rows[name].to_numpy(object) for name in ADDRESS)
        distance = self._zip_distance_m(town, zip_at)
        zip_state = self._zip_states[zip_at]
        has_zip = zip_at >= 0
        by_zip = answers.precision == "postal"
        other_state = has_zip & pd.notna(state) & (zip_state != state)
        far = distance > np.maximum(_ODD_DISTANCE_M, 2 * town.uncertainty_m)
        abroad = pd.notna(country) & (country != "US")
        unknown_zip = ~has_zip & pd.notna(code) & ~abroad
        for at in np.flatnonzero(other_state & by_zip):
            notes[at] = f"ZIP {code[at]} is in {zip_state[at]}, the address says {state[at]}"
        for at in np.flatnonzero(other_state & ~by_zip):
            notes[at] = (
                f"ZIP {code[at]} is in {zip_state[at]}, {format_miles(distance[at])} from "
                f"{town.title[at]}: placed by the city"
            )
        for at in np.flatnonzero(far & ~other_state):
            notes[at] = f"ZIP {code[at]} is {format_miles(distance[at])} from {town.title[at]}"
        for at in np.flatnonzero(~answers.is_open & ~by_zip & (answers.rivals > 0)):
            notes[at] = f"{answers.rivals[at]} more places have that name: took the largest"
        for at in np.flatnonzero(~answers.is_open & unknown_zip):
            notes[at] = f"ZIP {code[at]} is unknown: placed by the city"
        for at in np.flatnonzero(answers.is_open):
            zip_said = f"ZIP {code[at]} is unknown and " if unknown_zip[at] else ""
            notes[at] = zip_said + _why_not(city[at], state[at], country[at], vague=vague[at])
        return notes


@lru_cache(maxsize=4)
def shared_gazetteer(policy: GeocodingPolicy) -> Gazetteer:
    """Give the gazetteer of a policy on the bundled tables, made once in a process."""
    return Gazetteer(load(), policy)


class _Answers:
    """The places found so far, one for each row."""

    def __init__(self, rows: int) -> None:
        self.lon, self.lat, self.uncertainty_m = (np.full(rows, np.nan) for _ in range(3))
        self.precision, self.title = (np.full(rows, None, dtype=object) for _ in range(2))
        self.rivals = np.zeros(rows, np.int64)

    @property
    def is_open(self) -> npt.NDArray[np.bool_]:
        is_open: npt.NDArray[np.bool_] = np.isnan(self.lon)
        return is_open

    def copy(self) -> _Answers:
        other = _Answers(0)
        for name, values in vars(self).items():
            setattr(other, name, values.copy())
        return other

    def take(
        self, places: _Places, rows: npt.NDArray[np.int64], keys: pd.Series, precision: str
    ) -> None:
        """Answer ``rows``, by position, with the places that their ``keys`` name, if any."""
        at = places.find(keys)
        rows, at = rows[at >= 0], at[at >= 0]
        self.lon[rows], self.lat[rows] = places.lon[at], places.lat[at]
        self.uncertainty_m[rows] = places.uncertainty_m[at]
        self.precision[rows], self.title[rows] = precision, places.title[at]
        self.rivals[rows] = places.rivals[at]

    def drop(self, rows: npt.NDArray[np.bool_]) -> None:
        """Take back the answers of a mask of rows."""
        self.lon[rows] = self.lat[rows] = self.uncertainty_m[rows] = np.nan
        self.precision[rows] = self.title[rows] = None

    def frame(self, notes: npt.NDArray[np.object_], vague: npt.NDArray[np.bool_]) -> pd.DataFrame:
        placement = np.where(self.is_open, "unplaced", "approximate").astype(object)
        placement[vague] = "ambiguous"
        return pd.DataFrame(
            {
                "lon": self.lon,
                "lat": self.lat,
                "precision": pd.Series(self.precision, dtype=object),
                "uncertainty_m": self.uncertainty_m,
                "geocode_source": pd.Series(self.title, dtype=object),
                "geocode_note": pd.Series(notes, dtype=object),
                "match_score": np.nan,
                "placement": placement,
            }
        )


def _join(area: pd.Series, name: pd.Series) -> pd.Series:
    """The key of a name in an area; null where either is."""
    both = area.notna() & name.notna()
    keys = pd.Series(None, index=area.index, dtype=object)
    keys[both] = area[both].astype(object) + _KEY + name[both].astype(object)
    return keys


def _why_not(city: str | None, state: str | None, country: str | None, *, vague: bool) -> str:
    """Say why an address has no place, and what would give it one."""
    if city is None:
        return "the address has no city: add a ZIP code, or city and state"
    if vague:
        return f"several places are called {city}: add the state"
    if state is None and country is None:
        return f"city {city!r} comes without a state: add the state, or the country if it is abroad"
    return f"city {city!r} was not found in {state if country in (None, 'US') else country}"


def _zip_places(zip_codes: pd.DataFrame, policy: GeocodingPolicy) -> _Places:
    uncertainty = zip_codes["uncertainty_m"].where(
        zip_codes["has_area"], policy.no_area_uncertainty_m
    )
    return _Places(
        pd.Index(zip_codes["zip_code"]),
        zip_codes["lon"].to_numpy(float),
        zip_codes["lat"].to_numpy(float),
        uncertainty.to_numpy(float),
        ("ZIP " + zip_codes["zip_code"]).to_numpy(object),
        np.zeros(len(zip_codes), np.int64),
    )


def _zip_city_places(zip_codes: pd.DataFrame, policy: GeocodingPolicy) -> _Places:
    """The median of the ZIP points of each city; as uncertain as 95 % of them are far from it."""
    zip_codes = zip_codes[zip_codes["city"].notna()]
    key = zip_codes["state_code"] + _KEY + normalise_places(zip_codes["city"])
    middle = zip_codes.groupby(key)[["lon", "lat"]].transform("median")
    spread = pd.Series(
        inverse(middle["lon"], middle["lat"], zip_codes["lon"], zip_codes["lat"]), zip_codes.index
    )
    first = ~key.duplicated()
    reach = spread.groupby(key).quantile(_SPREAD).reindex(key[first]).to_numpy()
    title = "ZIP codes of " + zip_codes["city"] + ", " + zip_codes["state_code"]
    return _Places(
        pd.Index(key[first]),
        middle.loc[first, "lon"].to_numpy(float),
        middle.loc[first, "lat"].to_numpy(float),
        np.maximum(reach, policy.city_uncertainty_m),
        title[first].to_numpy(object),
        np.zeros(int(first.sum()), np.int64),
    )


def _named_cities(reference: Reference, country_code: str | None = None) -> pd.DataFrame:
    """Every name of every city, of one country or all, the likeliest bearer of a name first."""
    cities = reference.cities
    if country_code is not None:
        cities = cities[cities["country_code"] == country_code]
    named = reference.city_names.merge(cities, on="city_id")
    weight = np.where(named["is_main"], _MAIN_NAME_WEIGHT, 1)
    named["rank"] = (named["population"].fillna(0) + 1) * weight
    order = np.lexsort((named["city_id"], -named["rank"]))
    return named.iloc[order]


def _city_places(named: pd.DataFrame, area: str, policy: GeocodingPolicy) -> _Places:
    """The likeliest city of each name in each ``area`` (the column of a state or a country).

    Its rivals bear the name too, are far away and not much smaller; with rivals the uncertainty
    reaches to the farthest of them, because nobody can say which one is meant.
    """
    named = named[named[area].notna()]
    code, keys = pd.factorize(named[area] + _KEY + named["key"])
    _, best = np.unique(code, return_index=True)  # codes count up in order of appearance
    lon, lat, people = (named[name].to_numpy(float) for name in ("lon", "lat", "population"))
    champion = best[code]
    is_other = champion != np.arange(len(code))
    could = np.flatnonzero(is_other & (people * _DOMINANT >= people[champion]))
    there = champion[could]
    apart = inverse(lon[could], lat[could], lon[there], lat[there])
    far = apart > _SAME_TOWN_M
    uncertainty = np.full(len(best), policy.city_uncertainty_m)
    np.maximum.at(uncertainty, code[could[far]], apart[far])
    first = named.iloc[best]
    place = first["admin1_code"].where(first["country_code"] == "US", first["country_code"])
    return _Places(
        pd.Index(keys),
        lon[best],
        lat[best],
        uncertainty,
        ("city " + first["name"] + ", " + place).to_numpy(object),
        np.bincount(code[could[far]], minlength=len(best)).astype(np.int64),
    )
