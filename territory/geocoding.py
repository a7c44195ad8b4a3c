"""Address -> geocode: the coordinates a file gives, else the offline gazetteer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.geodesy import inverse
from territory.lengths import METRES_PER_MILE, format_miles
from territory.policy import GeocodingPolicy, Policy
from territory.schemas import GEOCODE

if TYPE_CHECKING:
    from territory.gazetteer import Gazetteer

# Given coordinates this much farther from their own address than it is uncertain get a note. Of the
# Fortune 500 that names Fiserv and Farmers, whose ZIP codes are in other cities than their
# coordinates, and nobody else; 25 miles would miss Farmers.
CONFLICT_M = 10 * METRES_PER_MILE
PRECISE = ("rooftop", "street")  # a row known this well is "placed", any other "approximate"


def placement_of(precision: pd.Series) -> pd.Series:
    """How far a location of such a precision can be relied on: null is "unplaced"."""
    known = np.where(precision.isin(PRECISE), "placed", "approximate")
    told = np.where(precision.isna(), "unplaced", known)
    return pd.Series(told, index=precision.index, dtype=object)


def place(
    frame: pd.DataFrame, gazetteer: Gazetteer, policy: Policy | GeocodingPolicy | None = None
) -> pd.DataFrame:
    """Add where each row is: the coordinates it gives, else what the gazetteer makes of it.

    Every row comes back once, in order; one that cannot be placed has a note that says why. Given
    coordinates are followed even where they contradict the address; the note says how far apart
    the two are, and nobody averages them.

    Parameters
    ----------
    frame
        lon, lat (WGS84 degrees, NaN where not given) and city, state, postal_code, country.
    policy
        How uncertain given coordinates are; a ``Policy`` or its ``geocoding``.

    Returns
    -------
    placed
        ``frame`` with the columns of the GEOCODE contract, in which lon and lat take the place of
        those given.
    """
    rules = policy.geocoding if isinstance(policy, Policy) else policy or GeocodingPolicy()
    lon, lat = (_given(frame, name) for name in ("lon", "lat"))
    is_given = ~(np.isnan(lon) | np.isnan(lat))
    found = gazetteer.lookup(frame)
    conflict = _conflicts(lon, lat, is_given, found)
    found.loc[is_given, "lon"], found.loc[is_given, "lat"] = lon[is_given], lat[is_given]
    found.loc[is_given, "precision"] = "rooftop"
    found.loc[is_given, "uncertainty_m"] = rules.given_uncertainty_m
    found.loc[is_given, "geocode_source"] = "given"
    found.loc[is_given, "geocode_note"] = conflict[is_given]
    is_odd = pd.notna(conflict[is_given])
    found.loc[is_given, "placement"] = np.where(is_odd, "conflict", "placed")
    return frame.assign(**{name: found[name] for name in GEOCODE.columns})


def _given(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(float, na_value=np.nan)


def _conflicts(
    lon: np.ndarray, lat: np.ndarray, is_given: np.ndarray, found: pd.DataFrame
) -> np.ndarray:
    """Say which given coordinates are far from their own address; None where they are not."""
    notes = np.full(len(found), None, dtype=object)
    both = np.flatnonzero(is_given & found["lon"].notna().to_numpy())
    there = found.iloc[both]
    apart = np.zeros(0) if not len(both) else inverse(
        lon[both], lat[both], there["lon"].to_numpy(), there["lat"].to_numpy()
    )  # fmt: skip
    far = np.flatnonzero(apart > there["uncertainty_m"].to_numpy(float) + CONFLICT_M)
    sources = there["geocode_source"].to_numpy(object)
    for at in far:
        notes[both[at]] = (
            f"the coordinates given are {format_miles(apart[at])} from {sources[at]}, "
            "where the address is"
        )
    return notes
