"""Rows against the store: what is new, what differs and how, what it was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.schemas import CHANGES
from territory.store import KINDS

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.store import Transaction

_CHUNK = 20_000  # rows compared and written at a time: bounds what is held twice


@dataclass(frozen=True)
class Compared:
    """How rows differ from those in the store.

    ``changes``: one of ``CHANGES`` for each row. ``differences``: the cells that changed: the key,
    column, before, after. ``past``: the changed rows as they were. ``brought``: the keys of the new
    ones.
    """

    changes: npt.NDArray[np.object_]
    differences: pd.DataFrame
    past: pd.DataFrame
    brought: pd.DataFrame


def compare(transaction: Transaction, kind: str, rows: pd.DataFrame, *, writes: bool) -> Compared:
    """Compare rows with those of the same key in the store, and write what is new or different.

    Part by part, so that neither the table nor the file is held twice.
    """
    key = list(KINDS[kind].key)
    columns = [column.name for column in KINDS[kind].table.columns]
    is_blank = not transaction.size(kind)
    changes, differences, pasts, brought = [], [], [], []
    for start in range(0, len(rows), _CHUNK) or (0,):
        part = rows.iloc[start : start + _CHUNK].reset_index(drop=True)
        stored = transaction.rows(kind, part[key].head(0) if is_blank else part[key])
        past = part[key].merge(stored, how="left", on=key, indicator=True)
        is_new = (past["_merge"] == "left_only").to_numpy()
        differs = _differs(part, past, [name for name in columns if name not in key])
        is_updated = differs.any(axis=1).to_numpy() & ~is_new
        changes.append(np.select([is_new, is_updated], CHANGES[:2], CHANGES[2]).astype(object))
        differences.append(_differences(part, past, differs[is_updated], key))
        pasts.append(past.loc[is_updated, columns])
        brought.append(part.loc[is_new, key])
        if writes:
            transaction.save(kind, part.loc[is_new, columns], part.loc[is_updated, columns])
    return Compared(np.concatenate(changes), _joined(differences), _joined(pasts), _joined(brought))


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put frames below one another; empty ones, whose types mean nothing, only where all are."""
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def _differs(rows: pd.DataFrame, before: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Tell which cells differ; missing equals missing."""
    return pd.DataFrame(
        {
            name: (rows[name] != before[name]) & ~(rows[name].isna() & before[name].isna())
            for name in columns
        },
        index=rows.index,
    )


def _differences(
    rows: pd.DataFrame, before: pd.DataFrame, differs: pd.DataFrame, key: list[str]
) -> pd.DataFrame:
    """List changed cells, one a row: the key, column, before, after. Geometry is left out."""
    plain = differs.drop(columns="geometry", errors="ignore")
    row, column = np.nonzero(plain.to_numpy())
    at, names = plain.index.to_numpy()[row], plain.columns.to_numpy(object)[column]
    listed = rows.loc[at, key].reset_index(drop=True)
    for label, frame in (("before", before), ("after", rows)):
        whole = frame[list(plain.columns)].astype(object).to_numpy()
        listed[label] = whole[at, column]
    listed.insert(len(key), "column", names)
    return listed
