"""Cleared fields: the values on file that blank cells of a file take away, counted by field."""

from __future__ import annotations

import pandas as pd

from territory.imports.rows import key_text
from territory.store import GIVEN, KINDS

_POINT = "coordinates"
_AXES = dict.fromkeys(GIVEN.values(), _POINT)


def cleared_fields(differences: pd.DataFrame, kind: str, blank: pd.DataFrame) -> dict[str, int]:
    """Count the cells that a blank cell of the file clears, by field; the most first.

    Parameters
    ----------
    differences
        The cells that change, as ``RowChanges`` has them.
    blank
        The key of the row (``key_text``) and ``column`` of blank cells in whose place a default
        stands, so that the field is not null.
    """
    if differences.empty:
        return {}
    fields = _fields(kind)
    is_cleared = (
        differences["after"].isna()
        & differences["before"].notna()
        & differences["column"].isin(fields)
    )
    if len(blank):
        keys = key_text(differences, KINDS[kind].key)
        pairs = pd.MultiIndex.from_arrays([keys, differences["column"]])
        is_cleared |= pairs.isin(pd.MultiIndex.from_frame(blank[["key", "column"]]))
    counts = differences.loc[is_cleared, "column"].replace(_AXES).value_counts().to_dict()
    if _POINT in counts:  # a latitude and a longitude are one place
        counts[_POINT] = -(-counts[_POINT] // len(_AXES))
    return {str(name): int(count) for name, count in counts.items()}


def _fields(kind: str) -> list[str]:
    """Name the fields of a kind as the store does, without those that follow from others."""
    renamed = GIVEN if KINDS[kind].is_placed else {}
    return [renamed.get(name, name) for name in KINDS[kind].contract.columns]
