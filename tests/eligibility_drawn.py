"""Small homes, offices and policies that the tests of eligibility draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Geod

from territory.eligibility_policy import Criterion, EligibilityPolicy
from territory.lengths import METRES_PER_MILE

GEOD = Geod(ellps="WGS84")
DEMO = Path(__file__).resolve().parents[1] / "data" / "demo" / "offices.csv"
TODAY = "2026-11-23"


def office(office_id: str, lon: float, lat: float, **dates: str | None) -> pd.DataFrame:
    row = {"office_id": office_id, "name": office_id.title(), "lon": lon, "lat": lat}
    return pd.DataFrame([{**row, "opened_on": None, "closed_on": None, **dates}], dtype=object)


def homes(lon: Any, lat: Any, uncertainty_m: Any = 0.0, **more: Any) -> pd.DataFrame:
    lon = np.atleast_1d(np.asarray(lon, float))
    precision = "rooftop" if np.all(np.asarray(uncertainty_m) == 0) else "postal"
    return pd.DataFrame({"lon": lon, "lat": lat, "uncertainty_m": uncertainty_m,
                         "geocode_source": "test", **more}).assign(precision=precision)  # fmt: skip


def east(of: pd.DataFrame, miles: float, **more: Any) -> pd.DataFrame:
    """One home due east of an office."""
    lon, lat, _ = GEOD.fwd(of["lon"].iat[0], of["lat"].iat[0], 90, miles * METRES_PER_MILE)
    return homes(lon, lat, **more)


def policy(*any_of: Criterion, **more: Any) -> EligibilityPolicy:
    settings = {"name": "test", "version": "1", "effective_from": "2000-01-01", **more}
    return EligibilityPolicy(any_of=any_of or (Criterion(50.0),), **settings)


def only(decisions: pd.DataFrame) -> pd.Series:
    assert len(decisions) == 1
    return decisions.iloc[0]
