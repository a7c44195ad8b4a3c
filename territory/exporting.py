"""What leaves the system as a file: the plan in force, and the rest of the store as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from territory import tables, views
from territory.errors import InputError, NotFoundError
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from territory.store import Store


def _table(kind: str) -> Callable[[Store], pd.DataFrame]:
    def whole(store: Store) -> pd.DataFrame:
        with store.read() as transaction:
            return transaction.table(kind).drop(columns="geometry", errors="ignore")

    return whole


OF_THE_PLAN: dict[str, Callable[[Store], pd.DataFrame]] = {
    "prospects": views.prospects,
    "markets": views.market_summaries,
    "findings": views.findings,
    "offices": views.offices,
    "reps": views.reps,
}
# What can be exported: parts of the plan in force, and the rest of the store as it is.
EXPORTS = {
    **OF_THE_PLAN,
    **{kind: _table(kind) for kind in KINDS if kind not in OF_THE_PLAN},
}


def export(store: Store, kind: str, path: str | Path) -> int:
    """Write a frame to a file in the format of its suffix and give the number of rows.

    Raises
    ------
    InputError
        If there is no such kind, or the file cannot be written.
    NotFoundError
        If the kind is part of the plan and there is no plan yet.
    """
    if kind not in EXPORTS:
        raise InputError(f"{kind!r} cannot be exported. The kinds are {', '.join(EXPORTS)}.")
    if kind in OF_THE_PLAN and views.overview(store).plan_id is None:
        raise NotFoundError("No plan is published yet. `territory assign` makes one.")
    frame = EXPORTS[kind](store)
    tables.write_table(frame, Path(path))
    return len(frame)
