"""Coarse homes: moved to the middles of fixed squares, and counts of them in round numbers.

Counts over many plans, an office moved a little each time, would tell one home by subtraction. From
the middle of a square no plan tells two homes in it apart, however many are asked for, whoever is
added or taken away between them; the squares depend on nothing but the globe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    import pandas as pd

SQUARE_MI = 10.0  # convention: as coarse as the narrower distance classes
_DEGREE_M = 111_195.0  # of latitude, on a sphere of mean radius
_NEAREST_POLE = 0.01  # cosine of latitude at which squares stop getting wider in degrees


def coarsen(homes: pd.DataFrame) -> pd.DataFrame:
    """Move homes to the middles of their squares of ``SQUARE_MI`` miles.

    Parameters
    ----------
    homes
        ``lon``, ``lat`` in degrees, WGS84, and ``uncertainty_m``, which would tell a ZIP code from
        its neighbors and becomes 0 where the home is placed.
    """
    lon, lat = homes["lon"].to_numpy(float), homes["lat"].to_numpy(float)
    height = SQUARE_MI * METRES_PER_MILE / _DEGREE_M
    middle = (np.floor(lat / height) + 0.5) * height
    width = height / np.maximum(np.cos(np.radians(middle)), _NEAREST_POLE)
    across = (np.floor(lon / width) + 0.5) * width
    uncertainty_m = homes["uncertainty_m"].to_numpy(float)
    return homes.assign(
        lon=(across + 180.0) % 360.0 - 180.0,
        lat=np.clip(middle, -90.0, 90.0),
        uncertainty_m=np.where(np.isnan(lat), uncertainty_m, 0.0),
    )


def round_count(count: int | None, step: int) -> int | None:
    """Round a count down to a multiple of a step, so that no part is larger than its whole.

    None, which is hidden, stays so.
    """
    return None if count is None else count - count % step
