"""Origins: how the coordinates that come in a file were found, where the file says so.

Our own files carry ``precision``, ``uncertainty_m`` and ``geocode_source`` beside lon and lat. The
middle of a ZIP code that left with "postal" and three miles comes back as that, not as a building.
Coordinates that the gazetteer makes of the address again are nobody's own, and are not given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import by_value, fold
from territory.schemas import ADDRESS, PRECISIONS
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from territory.geocoding.gazetteer import Gazetteer

# Column of a file -> column of a frame that is to be placed.
ORIGIN = {
    "precision": "origin_precision",
    "uncertainty_m": "origin_uncertainty_m",
    "geocode_source": "origin_source",
}
GIVEN = "given"
_UNSAID = "given, with its precision"
# How far off a point is that says its precision alone; and how precise one that says how far off.
_REACH_M = {
    "rooftop": 0.0,
    "street": 160.0,
    "postal": 10 * METRES_PER_MILE,
    "place": 10 * METRES_PER_MILE,
    "region": 100 * METRES_PER_MILE,
}
_ROOFTOP_M, _STREET_M, _POSTAL_M = 100.0, 1_000.0, 25_000.0
_SAME_DEG, _SAME_M = 1e-6, 1.0


def read_origins(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Read what a file says of its coordinates.

    Parameters
    ----------
    raw
        Texts, null where blank, in those of the columns of ``ORIGIN`` that the file has.

    Returns
    -------
    origins
        The three columns that ``ORIGIN`` names, null where nothing is said.
    notes
        What was not understood of a row; null for nothing.
    """
    blank = pd.Series(None, index=raw.index, dtype=object)
    precision, reach, source = (raw.get(name, blank) for name in ORIGIN)
    folded = by_value(precision, fold)
    known = folded.where(folded.isin(PRECISIONS), None)
    metres = pd.to_numeric(reach, errors="coerce").astype(float)
    metres = metres.where((metres >= 0) & np.isfinite(metres))
    notes = blank.copy()
    for column, values, texts in (
        ("precision", known, precision),
        ("uncertainty_m", metres, reach),
    ):
        for at in np.flatnonzero(values.isna() & texts.notna()).tolist():
            lost = f"{column} {texts.iloc[at]!r} was not recognized"
            notes.iloc[at] = lost if notes.iloc[at] is None else f"{notes.iloc[at]}; {lost}"
    origins = {"origin_precision": known, "origin_uncertainty_m": metres, "origin_source": source}
    frame = pd.DataFrame(origins, index=raw.index)
    words = frame[["origin_precision", "origin_source"]].astype(object)
    return frame.assign(**words.where(words.notna(), None)), notes


def without_derived(frame: pd.DataFrame, gazetteer: Gazetteer) -> pd.DataFrame:
    """Take away coordinates that were made of the address beside them, and would be again.

    Every row comes back once, in order; ``frame`` has lon, lat, the address and ``ORIGIN``.
    """
    names = list(ORIGIN.values())
    is_made = frame["origin_precision"].notna() & frame["lon"].notna()
    is_made &= frame["origin_source"].notna() & (frame["origin_source"] != GIVEN)
    at = np.flatnonzero(is_made)
    if not len(at):
        return frame
    rows = frame.iloc[at]
    places = gazetteer.lookup(rows[list(ADDRESS)])
    same = (places["precision"] == rows["origin_precision"]).to_numpy(bool, copy=True)
    for name in ("lon", "lat"):
        apart = np.abs(places[name].to_numpy(float) - rows[name].to_numpy(float))
        same &= apart <= _SAME_DEG
    bare = frame.copy()
    blank = bare.index[at[same]]
    bare.loc[blank, ["lon", "lat", "origin_uncertainty_m"]] = np.nan
    bare.loc[blank, [name for name in names if name != "origin_uncertainty_m"]] = None
    return bare


def with_origins(geocodes: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Give the geocodes of coordinates that were given the precision that their file says.

    Parameters
    ----------
    geocodes
        ``GEOCODE`` of rows placed by their own coordinates.
    frame
        The same rows; without the columns of ``ORIGIN``, or null in them, nothing is said.
    """
    if not set(ORIGIN.values()) <= set(frame.columns):
        return geocodes
    source = frame["origin_source"].where(frame["origin_source"] != GIVEN, None)
    metres, precision = frame["origin_uncertainty_m"].astype(float), frame["origin_precision"]
    by_reach = np.select(
        [metres <= _ROOFTOP_M, metres <= _STREET_M, metres <= _POSTAL_M],
        ["rooftop", "street", "postal"],
        "place",
    )
    precision = precision.where(precision.notna() | metres.isna(), by_reach)
    metres = metres.where(metres.notna(), precision.map(_REACH_M).astype(float))
    # "rooftop" of what was given says no more than the coordinates themselves do, nor does what
    # their rounding says of them.
    is_own = (metres == 0) | ((metres - geocodes["uncertainty_m"].astype(float)).abs() <= _SAME_M)
    is_said = precision.notna() & ~((precision == "rooftop") & source.isna() & is_own)
    is_said &= geocodes["geocode_source"] == GIVEN
    return geocodes.assign(
        precision=geocodes["precision"].where(~is_said, precision),
        uncertainty_m=geocodes["uncertainty_m"].where(~is_said, metres),
        geocode_source=geocodes["geocode_source"].where(~is_said, source.fillna(_UNSAID)),
    )


def origins_on_file(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the origins that rows of the store were placed by, to place them by these again.

    ``rows`` has given_lon, given_lat and ``GEOCODE``; null where the coordinates given are not
    where the row is, or say nothing of their own.
    """
    is_there = (rows["given_lon"] == rows["lon"]) & (rows["given_lat"] == rows["lat"])
    is_there &= rows["geocode_source"].notna() & (rows["geocode_source"] != GIVEN)
    columns = {ours: rows[name].where(is_there, None) for name, ours in ORIGIN.items()}
    return pd.DataFrame(columns, index=rows.index).astype({"origin_uncertainty_m": float})
