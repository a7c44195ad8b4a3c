"""Address -> geocode: the coordinates a file gives, else the offline gazetteer.

Coordinates are checked against the address beside them. They are followed even where they
contradict it, and the note says how far apart the two are; nobody averages them. Only coordinates
that fit their address when read another way (swapped, with a lost sign) are not followed: the row
is placed by its address until somebody decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import ELSEWHERE_STATES, in_country, readings, rounding_m
from territory.geocoding.gazetteer import CONFLICT_M
from territory.geocoding.origins import with_origins
from territory.geodesy import inverse
from territory.policy import GeocodingPolicy, Policy
from territory.schemas import GEOCODE
from territory.units_of_length import format_miles

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.geocoding.gazetteer import Gazetteer
    from territory.geocoding.gazetteer_index import AreaIndex

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.object_]


PRECISE = ("rooftop", "street")  # a row known this well is "placed", any other "approximate"


def placement_of(precision: pd.Series) -> pd.Series:
    """How far a location of such a precision can be relied on: null is "unplaced"."""
    by_precision = np.where(precision.isin(PRECISE), "placed", "approximate")
    placements = np.where(precision.isna(), "unplaced", by_precision)
    return pd.Series(placements, index=precision.index, dtype=object)


def place(
    frame: pd.DataFrame, gazetteer: Gazetteer, policy: Policy | GeocodingPolicy | None = None
) -> pd.DataFrame:
    """Add where each row is: the coordinates it gives, else what the gazetteer makes of it.

    Every row comes back once, in order; one that cannot be placed has a note that says why.
    Coordinates more than ``CONFLICT_M`` farther from the ZIP code (the city where there is none)
    than that is uncertain, or as far outside the state, are a conflict.

    Parameters
    ----------
    frame
        lon, lat (WGS84 degrees, NaN where not given) and city, state, postal_code, country; how
        the coordinates were found in the columns of ``origins.ORIGIN``, if at all.
    policy
        How uncertain given coordinates are at least whose file does not say it; a ``Policy`` or
        its ``geocoding``. Those of two decimals or fewer are as uncertain as their rounding makes
        them.

    Returns
    -------
    placed
        ``frame`` with the columns of the GEOCODE contract, in which lon and lat take the place of
        those given.
    """
    rules = policy.geocoding if isinstance(policy, Policy) else policy or GeocodingPolicy()
    lon, lat = (_given(frame, name) for name in ("lon", "lat"))
    at = np.flatnonzero(~(np.isnan(lon) | np.isnan(lat)))
    geocodes = gazetteer.lookup(frame)
    if len(at):
        there = geocodes.iloc[at].set_axis(at)
        check = _CoordinateCheck(lon[at], lat[at], frame.iloc[at].set_axis(at), there, gazetteer)
        is_misread = check.is_misread
        given_m = np.maximum(rules.given_uncertainty_m, rounding_m(lon[at], lat[at]))
        checked = there.assign(
            lon=np.where(is_misread, there["lon"], lon[at]),
            lat=np.where(is_misread, there["lat"], lat[at]),
            precision=there["precision"].where(is_misread, "rooftop"),
            uncertainty_m=there["uncertainty_m"].where(is_misread, given_m),
            geocode_source=there["geocode_source"].where(is_misread, "given"),
            geocode_note=check.notes,
        )
        checked = with_origins(checked, frame.iloc[at].set_axis(at))
        placement = placement_of(checked["precision"]).mask(check.is_conflict, "conflict")
        geocodes = overlay(geocodes, checked.assign(placement=placement))
    return frame.assign(**{name: geocodes[name] for name in GEOCODE.columns})


def overlay(rows: pd.DataFrame, geocodes: pd.DataFrame) -> pd.DataFrame:
    """Give ``rows`` the GEOCODE of some of them; the index of ``geocodes`` is their position."""
    at = geocodes.index.to_numpy()
    columns = {}
    for name in GEOCODE.columns:
        values = rows[name].to_numpy(copy=True)
        values[at] = geocodes[name].to_numpy()
        columns[name] = pd.Series(values, index=rows.index, dtype=rows[name].dtype)
    return rows.assign(**columns)


def _given(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(float, na_value=np.nan)


@dataclass
class _CoordinateCheck:
    """Given coordinates against their own address; one element for each row.

    The anchor is where the address says they should be: the point of the ZIP code, or else of the
    city.
    """

    lon: Floats
    lat: Floats
    frame: pd.DataFrame
    by_address: pd.DataFrame
    gazetteer: Gazetteer

    def __post_init__(self) -> None:
        zips = self.gazetteer.zip_points(self.frame)
        self.has_zip = zips["lon"].notna().to_numpy(bool)
        self.zip_state: Texts = zips["state_code"].to_numpy(object)
        by_zip = pd.Series(self.has_zip, index=zips.index)
        sources = {"title": "geocode_source"}
        self.anchor = pd.DataFrame(
            {
                name: zips[name].where(by_zip, self.by_address[sources.get(name, name)])
                for name in ("lon", "lat", "uncertainty_m", "title")
            }
        )

    def _apart_m(self, lon: Floats, lat: Floats) -> Floats:
        """From points to their anchors; NaN where either is missing."""
        apart = np.full(len(lon), np.nan)
        there = self.anchor["lon"].to_numpy(float), self.anchor["lat"].to_numpy(float)
        both = np.flatnonzero(~(np.isnan(lon) | np.isnan(there[0])))
        apart[both] = inverse(lon[both], lat[both], there[0][both], there[1][both])
        return apart

    @cached_property
    def _limit_m(self) -> Floats:
        return self.anchor["uncertainty_m"].to_numpy(float) + CONFLICT_M

    @cached_property
    def _metres(self) -> Floats:
        return self._apart_m(self.lon, self.lat)

    @cached_property
    def _is_far(self) -> Bools:
        far: Bools = self._metres > self._limit_m
        return far

    @property
    def _areas(self) -> AreaIndex:
        return self.gazetteer.surroundings

    @cached_property
    def _state(self) -> Texts:
        """The state of American rows; None of others."""
        american = self.frame["country"].isna() | (self.frame["country"] == "US")
        american &= ~self.frame["state"].isin(ELSEWHERE_STATES)
        state: Texts = self.frame["state"].where(american, None).to_numpy(object)
        return state

    def _outside_m(self, lon: Floats, lat: Floats, mask: Bools) -> Floats:
        """How far points are outside the state of the address; NaN where it names none of ours."""
        metres = np.full(len(lon), np.nan)
        metres[mask] = self._areas.outside_state_m(lon[mask], lat[mask], self._state[mask])
        return metres

    @cached_property
    def _outside_state_m(self) -> Floats:
        """As ``_outside_m``, asked only where no ZIP code speaks for the state."""
        return self._outside_m(self.lon, self.lat, ~self._is_far & (self.zip_state != self._state))

    @cached_property
    def _is_outside(self) -> Bools:
        outside: Bools = self._outside_state_m > CONFLICT_M
        return outside

    @cached_property
    def _reading(self) -> tuple[Texts, Floats]:
        """How the coordinates would fit, and how near; None where they fit or nothing helps.

        Where the address has no place of its own, its state, or the box round its country, stands
        in for it.
        """
        how = np.full(len(self.lon), None, dtype=object)
        nearest = np.full(len(self.lon), np.inf)
        country = self.frame["country"].to_numpy(object)
        is_abroad = self.frame["state"].isin(ELSEWHERE_STATES).to_numpy(bool)
        is_placeless = self.anchor["lon"].isna().to_numpy(bool) & ~is_abroad
        is_placeless &= pd.notna(country) & ~in_country(self.lon, self.lat, country)
        for name, lon, lat in readings(self.lon, self.lat):
            apart = self._apart_m(lon, lat)
            fits = self._is_far & (apart <= self._limit_m) & (apart < nearest)
            inside = is_placeless & pd.isna(how) & in_country(lon, lat, country)
            inside &= ~(self._outside_m(lon, lat, inside) > CONFLICT_M)
            how[fits | inside] = name
            nearest[fits] = apart[fits]
        return how, nearest

    @cached_property
    def is_misread(self) -> Bools:
        """Which coordinates fit their address when read another way."""
        misread: Bools = pd.notna(self._reading[0])
        return misread

    @property
    def is_conflict(self) -> Bools:
        """Which coordinates contradict their address."""
        return self._is_far | self._is_outside | self.is_misread

    @property
    def notes(self) -> Texts:
        """What is odd about each row; None where nothing is."""
        notes = np.full(len(self.lon), None, dtype=object)
        titles = self.anchor["title"].to_numpy(object)
        far = np.flatnonzero(self._is_far)
        here = self._areas.county_of(self.lon[far], self.lat[far])
        anchors = (self.anchor[axis].to_numpy(float)[far] for axis in ("lon", "lat"))
        there = self._areas.county_of(*anchors)
        for at, county, other in zip(far, here, there, strict=True):
            is_told = county is not None and other is not None and county != other
            notes[at] = (
                f"the coordinates given{f' ({county})' * is_told} are "
                f"{format_miles(self._metres[at])} from {titles[at]}{f' ({other})' * is_told}, "
                "where the address is"
            )
        for at in np.flatnonzero(self._is_outside):
            notes[at] = (
                f"the coordinates given are {format_miles(self._outside_state_m[at])} outside "
                f"{self.frame['state'].iloc[at]}, where the address is"
            )
        self._note_readings(notes)
        self._note_cities(notes, titles)
        return notes

    def _note_readings(self, notes: Texts) -> None:
        how, nearest = self._reading
        is_placed = self.by_address["lon"].notna().to_numpy(bool)
        for at in np.flatnonzero(self.is_misread):
            done = "placed by the address" if is_placed[at] else "not placed"
            if np.isinf(nearest[at]):
                area = self._state[at] or self.frame["country"].iloc[at]
                note = (
                    f"the coordinates given, lat={self.lat[at]:.10g} and lon={self.lon[at]:.10g}, "
                    f"are not in {area}, but would be {how[at]}"
                )
            else:
                fit = format_miles(nearest[at])
                note = f"{notes[at]}; {how[at]} they would be {fit} from it"
            notes[at] = f"{note}: {done} until somebody decides"

    def _note_cities(self, notes: Texts, titles: Texts) -> None:
        """Say which side the coordinates take where the ZIP code contradicts the city."""
        torn = (self.by_address["placement"] == "conflict").to_numpy(bool) & self.has_zip
        city = self.by_address["geocode_source"].to_numpy(object)
        for at in np.flatnonzero(torn & ~self.is_misread & (city != titles)):
            if notes[at] is None:
                notes[at] = f"the coordinates given fit {titles[at]} and not {city[at]}"
            else:
                points = (self.by_address["lon"].iloc[at], self.by_address["lat"].iloc[at])
                metres = inverse(self.lon[at], self.lat[at], *points)
                notes[at] += f"; they are {format_miles(float(metres[0]))} from {city[at]}"
