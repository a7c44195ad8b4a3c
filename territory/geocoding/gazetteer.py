"""Offline places: a ZIP code, a city and state, a city abroad, each with its uncertainty.

ZIP points come before city points because they are nearer to where organisations are; the ZIP
points of a city come before the point of the city itself because a name shared by two places of a
state misleads them less (measured: docs/data.md). A ZIP code that lies far outside the city beside
it is a slip of the pen: there the city counts, and the row says so.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import by_value
from territory.geocoding.city_spellings import StateSpellings
from territory.geocoding.gazetteer_index import (
    GAP,
    AreaIndex,
    CityPoints,
    Places,
    PostalAreas,
    city_places,
    largest_countries,
    named_cities,
    zip_city_places,
    zip_places,
)
from territory.geocoding.geocodes import Geocodes, Oddities, apart_texts, notes_on
from territory.geocoding.namesakes import Namesakes, ZipDoubts
from territory.geocoding.regions import REGION_CODES, REGIONS
from territory.geocoding.whole_areas import WholeAreas
from territory.geodesy import inverse
from territory.policy import GeocodingPolicy, OnlinePolicy
from territory.reference import load, normalise_place, normalise_places
from territory.units_of_length import METRES_PER_MILE

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
# Postal codes abroad are coarser, and so are the names of cities: suburbs, prefectures, counties.
_POSTAL_CONFLICT_M = 50 * METRES_PER_MILE
# What follows the name of an Asian city in many addresses: Yongin-si, Hsinchu City.
_CITY_WORD = re.compile(r" (?:city|si|shi|gu|gun)$")


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
    def whole_areas(self) -> WholeAreas:
        """How far homes may be from the point of a place: farther than organisations are."""
        return WholeAreas(self.reference)

    @cached_property
    def likeliest_country(self) -> pd.Series:
        """The country of the likeliest city of each name, by ``normalise_places`` of the name."""
        return largest_countries(self.reference)

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
        cities = cities[cities["country_code"].isin(list(REGIONS))]
        region = cities["country_code"] + "." + cities["admin1_code"]
        return city_places(cities.assign(region=region), "region", self._policy)

    @cached_property
    def _countries(self) -> Places:
        return city_places(named_cities(self.reference), "country_code", self._policy)

    @cached_property
    def _names(self) -> pd.Index:
        names: pd.Index = pd.Index(self.reference.city_names["key"].unique())
        return names

    @cached_property
    def _namesakes(self) -> Namesakes:
        return Namesakes(self.reference)

    @cached_property
    def _spellings(self) -> StateSpellings:
        return StateSpellings((frozenset(self._zip_cities.keys), frozenset(self._us_cities.keys)))

    @cached_property
    def _doubts(self) -> ZipDoubts:
        return ZipDoubts(self.reference.zip_codes, self._zip_codes, self._namesakes)

    @cached_property
    def _postal_areas(self) -> PostalAreas:
        return PostalAreas(self.reference, self._policy)

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
        city, and the note says how far apart the two are; without a state it is ambiguous. Abroad
        the city goes before the postal code.

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
        rows, which = _distinct(frame)
        return self._place(rows)[0].iloc[which].set_index(frame.index)

    def contradictions(self, frame: pd.DataFrame) -> pd.Series:
        """Say of each row how far its postal code is from its city; null where they agree.

        Takes what ``lookup`` takes; on the index of ``frame``.
        """
        rows, which = _distinct(frame)
        _, odd = self._place(rows)
        return pd.Series(apart_texts(rows, odd), dtype=object).iloc[which].set_axis(frame.index)

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

    def _place(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, Oddities]:
        """Place distinct addresses; tell also what is odd about them."""
        american = _is_american(rows["country"])
        city = self._spelled(
            rows, by_value(rows["city"], lambda name: normalise_place(name) or None)
        )
        in_state = _join(rows["state"].where(american), city)
        answers = self._place_by_city(rows, city, in_state)
        without_state = american & rows["state"].isna()
        vague = (answers.rivals > 0) & without_state.to_numpy(bool) | answers.is_open
        nowhere = np.flatnonzero(rows["country"].isna() & without_state & city.notna())
        vague[nowhere] |= self._is_known(city.iloc[nowhere])
        answers.drop(vague)
        zip_at = self._zip_at(rows["postal_code"].where(american))
        is_astray, to_city, namesake = self._doubted(rows, city, in_state, zip_at)
        town = answers.title.copy()
        trusted = np.flatnonzero((zip_at >= 0) & ~is_astray)
        answers.take(self._zip_codes, trusted, zip_at[trusted], "postal")
        self._reach_to_zip(answers, np.flatnonzero(is_astray & ~answers.is_missing), zip_at)
        abroad = np.flatnonzero((~american & rows["postal_code"].notna()).to_numpy(bool))
        is_astray[abroad] |= self._place_by_postal_area(rows, answers, vague, abroad, to_city)
        padded_city = self._doubts.would_be(rows, city)
        zip_state = self._zip_states[zip_at]
        zip_state[zip_at < 0] = None
        odd = Oddities(vague, is_astray, zip_state, to_city, town, namesake, padded_city)
        geocodes = answers.frame(notes_on(rows, answers, odd))
        geocodes.loc[(vague | is_astray) & answers.is_missing, "placement"] = "ambiguous"
        contradicts = is_astray & american.to_numpy(bool)
        contradicts |= self._is_elsewhere(rows, zip_at, to_city, city)
        geocodes.loc[contradicts & ~answers.is_missing, "placement"] = "conflict"
        return geocodes, odd

    def _doubted(
        self, rows: pd.DataFrame, city: pd.Series, in_state: pd.Series, zip_at: Ints
    ) -> tuple[Bools, Floats, Texts]:
        """Doubt ZIP codes far from the city beside them: metres to it, its name if stateless."""
        reach = self._zip_codes.uncertainty_m[zip_at]
        to_city = self._zip_to_city_m(in_state, zip_at)
        # Other names of a city may be those of a township that has ZIP codes of its own.
        is_astray = (to_city > reach + CONFLICT_M) & (self._zip_cities.find(in_state) >= 0)
        namesake = np.full(len(rows), None, object)
        alone = np.flatnonzero((zip_at >= 0) & (rows["state"].isna() & city.notna()).to_numpy(bool))
        if len(alone):
            metres, title, is_far = self._doubts.of(
                rows.iloc[alone], city.iloc[alone], zip_at[alone]
            )
            at = alone[is_far]
            is_astray[at], to_city[at], namesake[at] = True, metres, title
        return is_astray, to_city, namesake

    def _spelled(self, rows: pd.DataFrame, city: pd.Series) -> pd.Series:
        """The key of each city; of one that its state does not have, that of another spelling."""
        american = _is_american(rows["country"]) & city.notna()
        in_state = _join(rows["state"].where(american), city)
        at = np.flatnonzero(in_state.notna().to_numpy(bool))
        at = at[self._zip_cities.find(in_state.iloc[at]) < 0]
        if len(at):
            at = at[self._us_cities.find(in_state.iloc[at]) < 0]
        alone = np.flatnonzero((american & rows["state"].isna()).to_numpy(bool))
        if len(alone):
            alone = alone[~self._is_known(city.iloc[alone])]
            alone = alone[~city.iloc[alone].isin(self._namesakes.points.keys).to_numpy(bool)]
        answers = city.to_numpy(object, copy=True)
        for row in at.tolist():
            state, name = rows["state"].iloc[row], rows["city"].iloc[row]
            answers[row] = self._spellings.in_state(state, name)
        for row in alone.tolist():
            answers[row] = self._namesakes.spelled(rows["city"].iloc[row])
        return pd.Series(answers, index=city.index, dtype=object)

    def _place_by_postal_area(
        self, rows: pd.DataFrame, answers: Geocodes, vague: Bools, at: Ints, to_city: Floats
    ) -> Bools:
        """Place foreign rows by postal code where their city does not; tell which contradict it."""
        torn = np.zeros(len(at), bool)
        if not len(at):
            return torn
        areas = self._postal_areas
        area = areas.find(rows["postal_code"].iloc[at], rows["country"].iloc[at])
        missing = answers.is_missing[at] & (area >= 0)
        both = np.flatnonzero(~answers.is_missing[at] & (area >= 0))
        answers.take(areas.places, at[missing], area[missing], "postal")
        vague[at[missing]] = False
        rows_both, places = at[both], areas.places
        apart = inverse(answers.lon[rows_both], answers.lat[rows_both],
                        places.lon[area[both]], places.lat[area[both]])  # fmt: skip
        limit = answers.uncertainty_m[rows_both] + places.uncertainty_m[area[both]]
        torn[both] = apart > limit + _POSTAL_CONFLICT_M
        to_city[at[torn]] = apart[torn[both]]
        reach = apart[torn[both]] + places.uncertainty_m[area[torn]]
        answers.uncertainty_m[at[torn]] = np.maximum(answers.uncertainty_m[at[torn]], reach)
        return torn

    def _reach_to_zip(self, answers: Geocodes, rows: Ints, zip_at: Ints) -> None:
        """Let the uncertainty reach from the city to the ZIP code: either of them may be wrong."""
        places, at = self._zip_codes, zip_at[rows]
        apart = inverse(answers.lon[rows], answers.lat[rows], places.lon[at], places.lat[at])
        both = np.maximum(answers.uncertainty_m[rows], apart + places.uncertainty_m[at])
        answers.uncertainty_m[rows] = both

    def _place_by_city(self, rows: pd.DataFrame, city: pd.Series, in_state: pd.Series) -> Geocodes:
        american = _is_american(rows["country"])
        region = _join(rows["country"], rows["state"]).map(REGION_CODES)
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
        answers = Geocodes(len(rows))
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


def shared_gazetteer(policy: GeocodingPolicy) -> Gazetteer:
    """Give the gazetteer of a policy on the tables in use, made once in a process.

    Which online geocoders may be asked makes no difference to it.
    """
    return _shared(replace(policy, online=OnlinePolicy()), load())


@lru_cache(maxsize=4)
def _shared(policy: GeocodingPolicy, reference: Reference) -> Gazetteer:
    return Gazetteer(reference, policy)


def _distinct(frame: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
    """The different addresses of a frame, and which of them each row has."""
    whole = pd.DataFrame({name: frame.get(name) for name in ADDRESS}, index=frame.index)
    whole = whole.astype(object).where(whole.notna(), None).reset_index(drop=True)
    which = whole.groupby(list(ADDRESS), sort=False, dropna=False).ngroup().to_numpy()
    _, first = np.unique(which, return_index=True)
    return whole.iloc[first].reset_index(drop=True), which.astype(np.int64)


def _is_american(country: pd.Series) -> pd.Series:
    return country.isna() | (country == "US")


def _join(area: pd.Series, name: pd.Series) -> pd.Series:
    """The key of a name in an area; null where either is."""
    both = area.notna() & name.notna()
    keys = pd.Series(None, index=area.index, dtype=object)
    keys[both] = area[both].astype(object) + GAP + name[both].astype(object)
    return keys
