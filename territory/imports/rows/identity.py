"""Row identity (natural keys): the id of a row, else its name and address, else all its cells."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory import schemas
from territory.cleaning import by_value, clean_names, fold
from territory.imports.headers import FIRST_NAME, IDENTITY, LAST_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_NOT_IDENTITY = ("country",)  # often filled in later, and the state says it already
_BETWEEN = "\x1f"  # the unit separator
_UNNAMED = "Unnamed company"
_DIGESTED = 50_000  # rows that are digested at a time


def key_text(frame: pd.DataFrame, key: Sequence[str]) -> pd.Series:
    """Name each row by its key, the parts of a composite one joined by " / "."""
    if len(key) == 1:
        return frame[key[0]]
    parts = frame[list(key)].itertuples(index=False, name=None)
    return pd.Series([" / ".join(map(str, row)) for row in parts], index=frame.index, dtype=object)


def add_ids(kind: str, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Fill in missing ids from what the row is known by; tell which rows got one."""
    name = str(rows.columns[0])
    without = rows[name].isna().to_numpy(bool)
    if kind not in IDENTITY or not without.any():
        return np.zeros(len(rows), bool)
    parts = [
        by_value(rows.loc[without, column], _zip_key if column == "postal_code" else fold)
        .fillna("")
        .astype(str)
        for column in IDENTITY[kind]
        if column not in _NOT_IDENTITY
    ]
    joined = [_BETWEEN.join(row) for row in zip(*parts, strict=True)]
    if set(schemas.ADDRESS) <= set(IDENTITY[kind]):
        points = _points_instead(rows[without])
        joined = [text + point for text, point in zip(joined, points, strict=True)]
    digests = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in joined]
    rows.loc[without, name] = [f"{kind[0]}-{digest}" for digest in digests]
    return without


def _zip_key(code: str) -> str:
    """A postal code for comparison: one row with and without its lost zeros is one."""
    return code.zfill(5) if code.isdigit() and len(code) in (3, 4) else fold(code)


def _points_instead(rows: pd.DataFrame) -> list[str]:
    """Give the points of rows that have no address, to the fourth digit: some ten metres."""
    places = rows[["street", "city", "state", "postal_code"]]
    is_bare = places.isna().all(axis=1) & rows["lat"].notna() & rows["lon"].notna()
    return [
        f"{_BETWEEN}{lat:.4f} {lon:.4f}" if bare else ""
        for lat, lon, bare in zip(rows["lat"], rows["lon"], is_bare, strict=True)
    ]


def name_the_nameless(rows: pd.DataFrame, written: pd.DataFrame) -> str:
    """Give prospects names and ids, in place, and say so in a sentence.

    The name is the place. The id is a digest of all that the row says, whatever the order of the
    columns; of rows that say the same, each after the first has its number among them too.
    """
    place = rows[["city", "state", "postal_code"]]
    group = place.groupby(list(place.columns), sort=False, dropna=False).ngroup().to_numpy()
    first = place[~pd.Series(group).duplicated().to_numpy()]
    each = first.where(first.notna(), None).itertuples(index=False, name=None)
    rows["name"] = np.array([_unnamed(*row) for row in each], dtype=object)[group]
    digests = pd.Series(_digests(written[sorted(written.columns)]), dtype=object)
    number = digests.groupby(digests, sort=False).cumcount().to_numpy()
    digests[number > 0] += "-" + pd.Series(number[number > 0] + 1).astype(str).to_numpy(object)
    rows["prospect_id"] = digests.to_numpy(object)
    return (
        f"The file has neither names nor ids: {len(rows):,} companies are named by where they are, "
        "such as "
        f"{rows['name'].iloc[0] if len(rows) else _UNNAMED!r}, and told apart by all their cells."
    )


def _unnamed(city: str | None, state: str | None, postal_code: str | None) -> str:
    where = " ".join(part for part in (state, postal_code) if part)
    return ", ".join(part for part in (_UNNAMED, city, where) if part)


def _digests(written: pd.DataFrame) -> list[str]:
    """Give each row an id made from its cells; part by part, to hold few of them at once."""
    ids: list[str] = []
    for start in range(0, len(written), _DIGESTED):
        part = written.iloc[start : start + _DIGESTED]
        cells = [part[name].astype(object).where(part[name].notna(), "").tolist() for name in part]
        ids += [
            "p-" + hashlib.sha256(_BETWEEN.join(row).encode()).hexdigest()[:16]
            for row in zip(*cells, strict=True)
        ]
    return ids


def full_names(rows: pd.DataFrame) -> pd.Series:
    """Join first and last names where the file has no name of the two."""
    blank = pd.Series("", index=rows.index, dtype=object)
    first, last = (
        clean_names(rows[name]).fillna("").astype(object) if name in rows else blank
        for name in (FIRST_NAME, LAST_NAME)
    )
    both = (first + " " + last).str.strip().astype(object)
    names = clean_names(rows["name"]) if "name" in rows else pd.Series(None, rows.index, object)
    return names.where(names.notna(), both.where(both != "", None))
