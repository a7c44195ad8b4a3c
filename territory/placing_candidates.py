"""The places that one row could be at, for a person to choose from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from territory.gazetteer import Gazetteer
    from territory.policy import GeocodingPolicy

COLUMNS = (
    "candidate_id", "label", "lon", "lat", "precision", "uncertainty_m", "source", "why",
)  # fmt: skip


def candidates(row: pd.Series, gazetteer: Gazetteer, policy: GeocodingPolicy) -> pd.DataFrame:
    """List the places that a row could be at, the likeliest first: ``COLUMNS``."""
    found = []
    if pd.notna(row["given_lon"]):
        found.append(
            {
                "label": "the coordinates given",
                "lon": row["given_lon"],
                "lat": row["given_lat"],
                "precision": "rooftop",
                "uncertainty_m": policy.given_uncertainty_m,
                "source": "given",
                "why": "as the file says",
            }
        )
    there = gazetteer.lookup(row.to_frame().T).iloc[0]
    if pd.notna(there["lon"]):
        found.append(
            {
                "label": there["geocode_source"],
                **{name: there[name] for name in ("lon", "lat", "precision", "uncertainty_m")},
                "source": "gazetteer",
                "why": there["geocode_note"] or "its address",
            }
        )
    frame = pd.DataFrame(found, columns=list(COLUMNS[1:]))
    ids = [
        hashlib.sha256(f"{label}|{lon:.6f}|{lat:.6f}".encode()).hexdigest()[:8]
        for label, lon, lat in zip(frame["label"], frame["lon"], frame["lat"], strict=True)
    ]
    frame.insert(0, "candidate_id", ids)
    return frame
