"""Namesakes: whether the city beside a ZIP code can be near it, where no state says which city.

A name alone says little: townships, neighborhoods and shopping malls that no table lists are
written as the city every day ("Hollywood", "Wall", "Penn Valley"). So a ZIP code is only doubted
where every place of the name is far away, nothing near it is called alike, and the name is one that
people know. Of a million real businesses whose state was hidden 0.08 % are doubted wrongly.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from territory.geocoding.city_spellings import spellings, squeezed
from territory.geocoding.gazetteer_index import CityPoints, city_title, named_cities
from territory.geodesy import inverse
from territory.reference import normalise_place, normalise_places
from territory.units_of_length import METRES_PER_MILE, format_miles

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from territory.geocoding.gazetteer_index import Places
    from territory.reference import Reference

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Texts = npt.NDArray[np.object_]

# Suburbs have the mail of their city, and a metropolis is as wide as this beyond a ZIP code.
NAME_CONFLICT_M = 25 * METRES_PER_MILE
# Smaller places than that lend their names to nobody who could be meant without a state.
_KNOWN_HERE, _KNOWN_ABROAD = 5_000, 100_000
_SHARE = 0.1  # of the people of the largest place of a name, for one that may be meant
_NEAR_DEGREES = 0.45  # some 25 to 30 miles
_ALIKE = 0.88
_LEAST_SIGNS = 4  # of a name that others may begin with


class Namesakes:
    """The places of every name, in the US and in the world."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    @cached_property
    def points(self) -> CityPoints:
        """Every point of every American name."""
        return CityPoints(self._reference, by_state=False)

    @cached_property
    def _cities(self) -> pd.DataFrame:
        """Every name of every city of the world, the likeliest bearer of a name first."""
        return named_cities(self._reference)

    def check(
        self,
        keys: pd.Series,
        zips: tuple[Floats, Floats, Floats],
        *,
        with_abroad: Bools,
    ) -> tuple[Floats, Texts, Bools]:
        """Measure from ZIP codes to the places that their cities may be.

        Parameters
        ----------
        keys
            ``normalise_place`` of the cities.
        zips
            lon, lat (WGS84 degrees) and uncertainty_m of the ZIP codes.
        with_abroad
            Rows without a country: a place abroad may be meant.

        Returns
        -------
        metres, title, is_astray
            To the nearest place of the name in the US, or else to the largest abroad; what that
            place is called; whether the two contradict each other.
        """
        lon, lat, reach_m = zips
        metres, _ = self.points.nearest(keys, lon, lat)
        title = np.full(len(keys), None, dtype=object)
        astray = ~(metres <= reach_m + NAME_CONFLICT_M)
        doubted = np.flatnonzero(astray)
        if not len(doubted):
            return metres, title, astray
        cities = self._cities[self._cities["key"].isin(set(keys.iloc[doubted]))]
        rows_of = cities.groupby("key", sort=False).indices
        for at in doubted:
            key = str(keys.iloc[at])
            bearers = _known(cities.iloc[rows_of.get(key, [])], with_abroad=bool(with_abroad[at]))
            astray[at] = len(bearers) > 0 and not self._has_like(key, lon[at], lat[at])
            if len(bearers):
                ends = (bearers[axis].to_numpy(float) for axis in ("lon", "lat"))
                apart = inverse(
                    np.full(len(bearers), lon[at]), np.full(len(bearers), lat[at]), *ends
                )
                nearest = int(np.argmin(apart))
                metres[at] = apart[nearest]
                title[at] = str(city_title(bearers).iloc[nearest]).removeprefix("city ")
        return metres, title, astray

    def spelled(self, name: str) -> str:
        """The key that a name has anywhere in the US, spelled otherwise; else its own."""
        known = (key for key in spellings(name) if key in self.points.keys)
        return next(known, normalise_place(name))

    def _has_like(self, key: str, lon: float, lat: float) -> bool:
        """Tell whether a place near a point is called much like ``key``."""
        box = shapely.box(
            lon - _NEAR_DEGREES, lat - _NEAR_DEGREES, lon + _NEAR_DEGREES, lat + _NEAR_DEGREES
        )
        near = self.points.tree.query(box)
        return any(_is_like(key, name) for name in set(self.points.name[near]))


def _known(cities: pd.DataFrame, *, with_abroad: bool) -> pd.DataFrame:
    """The cities of a name that people know; those abroad only where no American one is."""
    home = (cities["country_code"] == "US").to_numpy(bool)
    main = cities["is_main"].to_numpy(bool)
    people = cities["population"].fillna(0).to_numpy(float)
    least = max(_KNOWN_HERE, people[home & main].max(initial=0) * _SHARE)
    known: pd.DataFrame = cities[home & main & (people >= least)]
    if known.empty and with_abroad:
        known = cities[~home & (people >= _KNOWN_ABROAD)].head(1)
    return known


class ZipDoubts:
    """ZIP codes against the cities beside them, where no state says which city is meant."""

    def __init__(self, zip_codes: pd.DataFrame, places: Places, namesakes: Namesakes) -> None:
        self._zip_codes, self._places, self._namesakes = zip_codes, places, namesakes

    @cached_property
    def _own(self) -> Texts:
        """The key of the city that each ZIP code is of."""
        keys: Texts = normalise_places(self._zip_codes["city"]).to_numpy(object)
        return keys

    def of(self, rows: pd.DataFrame, keys: pd.Series, zip_at: Ints) -> tuple[Floats, Texts, Bools]:
        """Find the rows whose ZIP code can not be right if their city is.

        Returns
        -------
        metres, title, is_doubted
            How far from which place, of the doubted rows; and which rows those are.
        """
        is_doubted = np.zeros(len(rows), bool)
        at = np.flatnonzero(self._own[zip_at] != keys.to_numpy(object))
        if not len(at):
            return np.empty(0), np.empty(0, object), is_doubted
        metres, title, astray = self._check(rows.iloc[at], keys.iloc[at], zip_at[at])
        is_doubted[at[astray]] = True
        return metres[astray], title[astray], is_doubted

    def would_be(self, rows: pd.DataFrame, keys: pd.Series) -> Texts:
        """Say where American ZIP codes would be that lack their zeros, and how far from their city.

        None where there is no such ZIP code.
        """
        texts = np.full(len(rows), None, dtype=object)
        american = rows["country"].isna() | (rows["country"] == "US")
        codes = rows["postal_code"].where(american).astype("str")
        short = np.flatnonzero(codes.str.fullmatch(r"\d{3,4}", na=False).to_numpy(bool))
        if not len(short):
            return texts
        padded = codes.iloc[short].str.zfill(5)
        zip_at = self._places.find(padded)
        city, state = (self._zip_codes[name].to_numpy(object) for name in ("city", "state_code"))
        for at, code, zips in zip(short, padded, zip_at, strict=True):
            if zips >= 0:
                where = (code, city[zips], state[zips])
                texts[at] = ", ".join(part for part in where if isinstance(part, str))
        has_city = (zip_at >= 0) & keys.iloc[short].notna().to_numpy(bool)
        short, zip_at = short[has_city], zip_at[has_city]
        metres, title, _ = self._check(rows.iloc[short], keys.iloc[short], zip_at)
        for at, far, town in zip(short, metres, title, strict=True):
            if town is not None:
                texts[at] += f", {format_miles(far)} from {town}"
        return texts

    def _check(
        self, rows: pd.DataFrame, keys: pd.Series, zip_at: Ints
    ) -> tuple[Floats, Texts, Bools]:
        places = self._places
        return self._namesakes.check(
            keys,
            (places.lon[zip_at], places.lat[zip_at], places.uncertainty_m[zip_at]),
            with_abroad=rows["country"].isna().to_numpy(bool),
        )


def _is_like(key: str, other: str) -> bool:
    """Tell whether two names may mean one place: words left out, blanks, a slip of the pen."""
    one, two = set(key.split()), set(other.split())
    if one <= two or two <= one:
        return True
    short, long = sorted((squeezed(key), squeezed(other)), key=len)
    if len(short) >= _LEAST_SIGNS and long.startswith(short):
        return True
    matcher = SequenceMatcher(None, short, long)
    return matcher.real_quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE
