"""Six rows that are placed each in another way, and how they come into a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import geocoding, placing
from territory.gazetteer import shared_gazetteer
from territory.policy import Policy
from territory.schemas import GEOCODE, PROSPECTS

if TYPE_CHECKING:
    from territory.store import Store

POLICY = Policy()
CHICAGO = (-87.6229, 41.8858)
# prospect_id, city, state, postal_code, country, given_lon, given_lat
ROWS = (
    ("chicago", "Chicago", "IL", "60601", "US", *CHICAGO),
    ("denver", "Denver", "CO", "80202", "US", np.nan, np.nan),
    ("fiserv", "Brookfield", "WI", "53405", "US", -88.1069, 43.0606),
    ("nowhere", "Xyzzy", "CO", None, "US", np.nan, np.nan),
    ("springfield", "Springfield", None, None, "US", np.nan, np.nan),
    ("swapped", "Chicago", "IL", "60601", "US", *CHICAGO[::-1]),
)


def rows(*written: tuple[Any, ...]) -> pd.DataFrame:
    """Rows as an import reads them, before they are placed."""
    texts = ["prospect_id", "city", "state", "postal_code", "country"]
    frame = pd.DataFrame(written, columns=[*texts, "given_lon", "given_lat"])
    frame = frame.astype(dict.fromkeys(texts, object))
    frame = frame.where(frame.notna(), None).astype(
        dict.fromkeys(("given_lon", "given_lat"), float)
    )
    for name, column in PROSPECTS.columns.items():
        if name not in frame and name not in {"lon", "lat"}:
            is_number = str(column.dtype) == "float64"
            frame[name] = np.nan if is_number else pd.Series(None, frame.index, dtype=object)
    return frame.assign(name="Firm " + frame["prospect_id"], status="prospect")


def placed(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a file, placed by what they give, as they come to ``settle``."""
    asked = frame.assign(lon=frame["given_lon"], lat=frame["given_lat"])
    found = geocoding.place(asked, shared_gazetteer(POLICY.geocoding), POLICY)
    return frame.assign(**{name: found[name] for name in GEOCODE.columns})


def bring(store: Store, *written: tuple[Any, ...]) -> pd.DataFrame:
    """Bring rows into the store as an import does, and give what was written."""
    with store.write() as transaction:
        settled = placing.settle(transaction, "prospects", placed(rows(*written)), POLICY)
        held = set(transaction.table("prospects", ["prospect_id"])["prospect_id"])
        is_held = settled["prospect_id"].isin(held)
        transaction.save("prospects", settled[~is_held], settled[is_held])
    return settled.set_index("prospect_id")


def stored(store: Store, subject_id: str) -> pd.Series:
    with store.read() as transaction:
        return transaction.table("prospects", prospect_id=subject_id).iloc[0]


def row_of(subject_id: str, **other: Any) -> tuple[Any, ...]:
    """One of ``ROWS`` with other values."""
    names = ("prospect_id", "city", "state", "postal_code", "country", "given_lon", "given_lat")
    found = next(row for row in ROWS if row[0] == subject_id)
    return tuple((dict(zip(names, found, strict=True)) | other).values())
