"""Look-up tables of the gazetteer: points by the key that an address asks for, and areas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from territory.geodesy import inverse
from territory.reference import normalise_places, normalise_postal_code
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.policy import GeocodingPolicy
    from territory.reference import Reference

    Floats = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.object_]

GAP = "\x1f"  # between the area and the name in a key
# An alternate name is only followed to a place this many times larger than one that bears the name.
_MAIN_NAME_WEIGHT = 5
# A namesake this near is the same town listed twice; one this much smaller is not meant; and one
# that is not even this much smaller may be meant as well as the largest.
_SAME_TOWN_M = 30_000.0
_DOMINANT = 5
_LIKE_SIZE = 2
_SPREAD = 0.95
_SHORT_CODE = 5  # digits of a postal code, of which two may be zeros that were lost; else one
# The table of ZIP codes states this many radii of a circle as large as the area, at least a mile.
_RADII_STATED = 1.5
_LEAST_M = METRES_PER_MILE
# Organisations gather: the larger an area, the less of it they use. Fitted to 96 % of 6,200
# universities, which it holds evenly from the smallest areas to the largest; of 450 headquarters
# that had no part in the fit it holds 95 % (docs/data.md). For r miles: 2 r^(2/3) miles.
_REACH, _REACH_POWER = 2.0, 2 / 3


@dataclass(frozen=True)
class Places:
    """Points looked up by a text key.

    ``rivals`` counts others that the key may mean as well, ``is_open`` tells where one of them may
    be meant as well as the point itself.
    """

    keys: pd.Index
    lon: Floats
    lat: Floats
    uncertainty_m: Floats
    title: npt.NDArray[np.object_]
    rivals: npt.NDArray[np.int64]
    is_open: npt.NDArray[np.bool_]

    def find(self, keys: pd.Series) -> npt.NDArray[np.int64]:
        """The position of each key; -1 where there is none."""
        positions: npt.NDArray[np.int64] = self.keys.get_indexer(pd.Index(keys)).astype(np.int64)
        return positions


class CityPoints:
    """Every point that an American city is known by: its ZIP codes and its namesakes.

    Parameters
    ----------
    by_state
        Look cities up by state and name; False: by the name alone, wherever it is borne.
    """

    def __init__(self, reference: Reference, *, by_state: bool = True) -> None:
        zip_codes = reference.zip_codes[reference.zip_codes["city"].notna()]
        cities = named_cities(reference, "US")
        # Out of its state a name that a place goes by beside its own means nobody: Blue Island,
        # Illinois, was Portland once.
        is_meant = cities["admin1_code"].notna() & (cities["is_main"] | by_state)
        cities = cities[is_meant]
        names = pd.concat([normalise_places(zip_codes["city"]), cities["key"]]).to_numpy(object)
        states = pd.concat([zip_codes["state_code"], cities["admin1_code"]]).to_numpy(object)
        code, keys = pd.factorize(states + GAP + names if by_state else names, sort=False)
        self.keys = frozenset(keys)
        order = np.argsort(code, kind="stable")
        self._start = np.searchsorted(code[order], np.arange(len(keys) + 1))
        self._index = pd.Index(keys)
        both = pd.concat([zip_codes[["lon", "lat"]], cities[["lon", "lat"]]]).iloc[order]
        self._lon, self._lat = both["lon"].to_numpy(float), both["lat"].to_numpy(float)
        self.name, self.state = names[order], states[order]

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The points themselves, in degrees."""
        return shapely.STRtree(shapely.points(self._lon, self._lat))

    def nearest_m(self, keys: pd.Series, lon: Floats, lat: Floats) -> Floats:
        """Metres from each point to the nearest point of its city; NaN where none is known."""
        return self.nearest(keys, lon, lat)[0]

    def nearest(
        self, keys: pd.Series, lon: Floats, lat: Floats
    ) -> tuple[Floats, npt.NDArray[np.int64]]:
        """As ``nearest_m``, and the position of that point in ``name`` and ``state`` (-1: none)."""
        metres = np.full(len(keys), np.nan)
        point = np.full(len(keys), -1)
        city = self._index.get_indexer(pd.Index(keys))
        rows = np.flatnonzero((city >= 0) & ~np.isnan(lon))
        if not len(rows):
            return metres, point
        first, size = self._start[city[rows]], np.diff(self._start)[city[rows]]
        ends = np.cumsum(size)
        each = np.repeat(np.arange(len(rows)), size)
        at = np.arange(ends[-1]) - np.repeat(ends - size, size) + np.repeat(first, size)
        rows_each = rows[each]
        apart = inverse(lon[rows_each], lat[rows_each], self._lon[at], self._lat[at])
        least = np.minimum.reduceat(apart, ends - size)
        metres[rows] = least
        is_least = apart == least[each]
        point[rows[each[is_least][::-1]]] = at[is_least][::-1]  # of equals the first
        return metres, point


class PostalAreas:
    """Areas of postal codes outside the US, by how their codes begin."""

    def __init__(self, reference: Reference, policy: GeocodingPolicy) -> None:
        table = reference.postal_areas
        self._longest = int(table["prefix"].str.len().max())
        self._digits: dict[str, int] = dict(
            zip(table["country_code"], table["digits"], strict=True)
        )
        self.places = Places(
            pd.Index(table["country_code"] + GAP + table["prefix"]),
            table["lon"].to_numpy(float),
            table["lat"].to_numpy(float),
            np.maximum(table["spread_m"].to_numpy(float), policy.city_uncertainty_m),
            ("postal codes " + table["prefix"] + ", " + table["country_code"]).to_numpy(object),
            np.zeros(len(table), np.int64),
            np.zeros(len(table), bool),
        )

    def find(self, codes: pd.Series, country: pd.Series) -> npt.NDArray[np.int64]:
        """The position in ``places`` of each postal code of a country; -1 where there is none.

        Zeros that a spreadsheet has eaten are put back: the country says how many digits it has.
        """
        at = np.full(len(codes), -1)
        pairs = zip(codes, country, strict=True)
        keys = pd.Series([self._key(code, land) for code, land in pairs], dtype=object)
        lands = country.reset_index(drop=True)
        for length in range(1, self._longest + 1):
            rest = np.flatnonzero((at < 0) & (keys.str.len() >= length).to_numpy(bool))
            if len(rest):
                at[rest] = self.places.find(lands.iloc[rest] + GAP + keys.iloc[rest].str[:length])
        return at

    def _key(self, code: str, country: str) -> str:
        key, digits = normalise_postal_code(code, country), self._digits.get(country, 0)
        if not digits or not key:
            return key
        lost = digits - len(key)  # negative: an older kind of code
        return key.zfill(digits) if 0 <= lost <= (1 if digits > _SHORT_CODE else 2) else ""


def zip_places(zip_codes: pd.DataFrame, policy: GeocodingPolicy) -> Places:
    """The point of each ZIP code, and within how many metres of it organisations are."""
    stated = zip_codes["uncertainty_m"].to_numpy(float)
    radius_mi = stated / _RADII_STATED / METRES_PER_MILE
    reach = np.where(stated > _LEAST_M, _REACH * radius_mi**_REACH_POWER * METRES_PER_MILE, stated)
    has_area = zip_codes["has_area"].to_numpy(bool)
    return Places(
        pd.Index(zip_codes["zip_code"]),
        zip_codes["lon"].to_numpy(float),
        zip_codes["lat"].to_numpy(float),
        np.where(has_area, reach, policy.no_area_uncertainty_m),
        ("ZIP " + zip_codes["zip_code"]).to_numpy(object),
        np.zeros(len(zip_codes), np.int64),
        np.zeros(len(zip_codes), bool),
    )


def zip_city_places(zip_codes: pd.DataFrame, policy: GeocodingPolicy) -> Places:
    """The median of the ZIP points of each city; as uncertain as 95 % of them are far from it."""
    zip_codes = zip_codes[zip_codes["city"].notna()]
    key = zip_codes["state_code"] + GAP + normalise_places(zip_codes["city"])
    middle = zip_codes.groupby(key)[["lon", "lat"]].transform("median")
    spread = pd.Series(
        inverse(middle["lon"], middle["lat"], zip_codes["lon"], zip_codes["lat"]), zip_codes.index
    )
    first = ~key.duplicated()
    reach = spread.groupby(key).quantile(_SPREAD).reindex(key[first]).to_numpy()
    title = zip_city_title(zip_codes)
    return Places(
        pd.Index(key[first]),
        middle.loc[first, "lon"].to_numpy(float),
        middle.loc[first, "lat"].to_numpy(float),
        np.maximum(reach, policy.city_uncertainty_m),
        title[first].to_numpy(object),
        np.zeros(int(first.sum()), np.int64),
        np.zeros(int(first.sum()), bool),
    )


def zip_city_title(zip_codes: pd.DataFrame) -> pd.Series:
    """What the ZIP codes of a city are called where they stand for a row."""
    return "ZIP codes of " + zip_codes["city"] + ", " + zip_codes["state_code"]


def named_cities(reference: Reference, country_code: str | None = None) -> pd.DataFrame:
    """Every name of every city, of one country or all, the likeliest bearer of a name first."""
    cities = reference.cities
    if country_code is not None:
        cities = cities[cities["country_code"] == country_code]
    names = reference.city_names.merge(cities, on="city_id")
    weight = np.where(names["is_main"], _MAIN_NAME_WEIGHT, 1)
    names["rank"] = (names["population"].fillna(0) + 1) * weight
    order = np.lexsort((names["city_id"], -names["rank"]))
    return names.iloc[order]


def largest_countries(reference: Reference) -> pd.Series:
    """Give the country of the likeliest bearer of each name of a city, by the name's key."""
    named = named_cities(reference)[["key", "country_code"]]
    ours = normalise_places(reference.zip_codes["city"].dropna()).drop_duplicates()
    both = pd.concat([named, pd.DataFrame({"key": ours, "country_code": "US"})])
    return both.drop_duplicates("key").set_index("key")["country_code"]


def city_title(cities: pd.DataFrame) -> pd.Series:
    """What a city is called where it stands for a row: "city Paris, FR", "city Dallas, TX"."""
    place = cities["admin1_code"].where(cities["country_code"] == "US", cities["country_code"])
    return "city " + cities["name"] + ", " + place.fillna("US")


def city_places(cities: pd.DataFrame, area: str, policy: GeocodingPolicy) -> Places:
    """The likeliest city of each name in each ``area`` (the column of a state or a country).

    Its rivals bear the name too, are far away and not much smaller; with rivals the uncertainty
    reaches to the farthest of them, because nobody can say which one is meant.
    """
    cities = cities[cities[area].notna()]
    code, keys = pd.factorize(cities[area] + GAP + cities["key"])
    _, best = np.unique(code, return_index=True)  # codes count up in order of appearance
    lon, lat, people, rank = (
        cities[name].to_numpy(float) for name in ("lon", "lat", "population", "rank")
    )
    champion = best[code]
    is_other = champion != np.arange(len(code))
    could = np.flatnonzero(is_other & (people * _DOMINANT >= people[champion]))
    there = champion[could]
    apart = inverse(lon[could], lat[could], lon[there], lat[there])
    far = apart > _SAME_TOWN_M
    uncertainty = np.full(len(best), policy.city_uncertainty_m)
    np.maximum.at(uncertainty, code[could[far]], apart[far])
    rival = could[far]
    is_like = rank[rival] * _LIKE_SIZE >= rank[champion[rival]]
    is_open = np.zeros(len(best), bool)
    is_open[code[rival[is_like]]] = True
    return Places(
        pd.Index(keys),
        lon[best],
        lat[best],
        uncertainty,
        city_title(cities.iloc[best]).to_numpy(object),
        np.bincount(code[rival], minlength=len(best)).astype(np.int64),
        is_open,
    )


class AreaIndex:
    """Counties and states of the bundled tables, for a few points at a time."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    @cached_property
    def _counties(self) -> tuple[shapely.STRtree, Texts]:
        table = self._reference.counties
        names: Texts = (table["name"] + ", " + table["state_code"]).to_numpy(object)
        return shapely.STRtree(table.geometry.to_numpy()), names

    def county_of(self, lon: Floats, lat: Floats) -> Texts:
        """Name the county of each point, "Cook County, IL"; None where there is none."""
        tree, names = self._counties
        counties = np.full(len(lon), None, dtype=object)
        rows = np.flatnonzero(~np.isnan(lon))
        points = shapely.points(lon[rows], lat[rows])
        at, county = tree.query(points, predicate="intersects")
        counties[rows[at[::-1]]] = names[county[::-1]]  # on a border the first of them
        return counties

    def outside_state_m(self, lon: Floats, lat: Floats, state: Texts) -> Floats:
        """Metres from each point to its state, 0 within it; NaN where the state is unknown."""
        metres = np.full(len(lon), np.nan)
        table = self._reference.states
        for code, area in zip(table["state_code"], table.geometry, strict=True):
            rows = np.flatnonzero((state == code) & ~np.isnan(lon))
            if not len(rows):
                continue
            shapely.prepare(area)
            metres[rows] = 0.0
            out = rows[~shapely.contains_xy(area, lon[rows], lat[rows])]
            points = shapely.points(lon[out], lat[out])
            ends = shapely.get_coordinates(shapely.shortest_line(points, area)).reshape(-1, 4)
            metres[out] = inverse(*ends.T)
        return metres
