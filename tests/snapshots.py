"""Prospects for the tests of snapshots: drawn from a seed, clumped as real ones are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from territory import snapshot

NAMES = ("Acme Freight", "Globex", "Société Générale", "Umbrella Health", "Wayne Steel", "O'Neil")


def draw(size: int, seed: int = 0) -> pd.DataFrame:
    """Draw prospects of ``snapshot.COLUMNS``; some share a point, some have none."""
    rng = np.random.default_rng(seed)

    def some(values: tuple[str | None, ...]) -> np.ndarray:
        return np.array(values, object)[rng.integers(0, len(values), size)]

    towns = rng.uniform((-125, 25), (-66, 49), (max(size // 20, 1), 2))
    at = towns[rng.integers(0, len(towns), size)]
    point = np.where(rng.random((size, 1)) < 0.5, at, at + rng.normal(0, 0.2, (size, 2)))
    point[rng.random(size) < 0.05] = np.nan
    numbers = {
        name: np.where(rng.random(size) < 0.2, np.nan, rng.integers(0, 50, size).astype(float))
        for name in snapshot.NUMBERS
    }
    return pd.DataFrame(
        {
            "prospect_id": [f"p{n}" for n in rng.permutation(size)],
            "name": some(NAMES),
            "lon": point[:, 0],
            "lat": point[:, 1],
            "status": some(("prospect", "customer", "former")),
            "segment": some(("enterprise", "mid_market", "small")),
            "industry": some(("Steel", "Health Care", None)),
            "stage": some(("proposal", None, None)),
            "precision": some(("rooftop", "postal")),
            "placement": some(("placed", "approximate")),
            "verdict": some(("in", "out", None)),
            "market_id": some(("m1", "m2", None)),
            "territory_id": some(("t1", "t2")),
            "rep_id": some(("ana", "bo", None)),
            "nearest_office_id": some(("o1", "o2")),
            "city": some(("Chicago", "São Paulo", "Reno")),
            "state": some(("IL", "NV", None)),
            **numbers,
            "last_activity_on": some(("2026-01-05", "2026-10-31", None)),
            **{name: rng.random(size) < 0.5 for name in snapshot.FLAGS},
        }
    )
