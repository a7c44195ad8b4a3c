"""What leaves the system as a file: the plan in force, and the rest of the store as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from territory import account_work, audit, tables, views
from territory.errors import InputError, NotFoundError
from territory.store import KINDS

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from territory.access import Reach, Scope
    from territory.store import Store


class Read(Protocol):
    """Reads a whole frame, as far as a scope reaches."""

    def __call__(self, store: Store, *, scope: Scope) -> pd.DataFrame:
        """Give the frame."""


def _table(kind: str) -> Read:
    def whole(store: Store, *, scope: Scope) -> pd.DataFrame:
        with store.read() as transaction:
            plan = transaction.plan_in_force()
            plan_id = plan.plan_id if plan else None
            return transaction.reading.on_file(kind, plan_id, _reach(kind, scope))

    return whole


def _reach(kind: str, scope: Scope) -> Reach:
    """Say whose rows of a table show."""
    if kind == "contacts":
        return scope.people
    return scope.money if kind in ("opportunities", "quotas") else scope.accounts


OF_THE_PLAN: dict[str, Read] = {
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
    "notes": account_work.notes,
    "next_steps": account_work.all_steps,
}


def export(
    store: Store, kind: str, path: str | Path, *, scope: Scope, by: str, now: datetime
) -> int:
    """Write a frame to a file in the format of its suffix and give the number of rows.

    The frame holds what ``scope.exported`` reaches; that of prospects has the next step and the
    last note of each beside it. The export is an event of the audit log,
    recorded before the file is written.

    Raises
    ------
    InputError
        If there is no such kind, or the file cannot be written.
    NotFoundError
        If the kind is part of the plan and there is no plan yet.
    """
    if kind not in EXPORTS:
        raise InputError(f"{kind!r} cannot be exported. The kinds are {', '.join(EXPORTS)}.")
    form = tables.check_writable(Path(path))
    if kind in OF_THE_PLAN and not _has_plan(store):
        raise NotFoundError("No plan is published yet. `territory assign` makes one.")
    frame = EXPORTS[kind](store, scope=scope.exported)
    if kind == "prospects":
        frame = account_work.with_work(store, frame, scope=scope.exported)
    record(store, kind, rows=len(frame), form=form, by=by, now=now)
    tables.write_table(frame, Path(path))
    return len(frame)


def record(
    store: Store, kind: str, *, rows: int, form: str, by: str, now: datetime, of: str = "plan"
) -> None:
    """Put on record that rows leave the system as a file.

    ``of`` is what they belong to, such as the id of a market; ``form`` the format: csv, xlsx ...
    """
    with store.write() as transaction:
        audit.record(
            transaction,
            by=by,
            at=now,
            action="rows.export",
            subject_kind=kind,
            subject_id=of,
            detail={"rows": rows, "format": form},
        )


def _has_plan(store: Store) -> bool:
    with store.read() as transaction:
        return transaction.plan_in_force() is not None
