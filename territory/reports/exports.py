"""What leaves the system as a file: the plan in force, and the rest of the store as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from territory import accounts
from territory.access import audit_log
from territory.errors import InputError
from territory.files import check_writable, count_located, located_sentence, write_table
from territory.plans import PlanLedger, ReadingLedger
from territory.reports import views
from territory.reports.records import outlines, with_records
from territory.store import KINDS

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt
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
            plan = PlanLedger(transaction).plan_in_force()
            plan_id = plan.plan_id if plan else None
            return ReadingLedger(transaction).on_file(kind, plan_id, _reach(kind, scope))

    return whole


def _reach(kind: str, scope: Scope) -> Reach:
    """Say whose rows of a table show."""
    if kind == "contacts":
        return scope.people
    return scope.money if kind in ("opportunities", "quotas") else scope.accounts


# What a plan shows of a kind that is imported too, and what only a plan has.
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
    "notes": accounts.list_notes,
    "next_steps": accounts.all_steps,
}


MAPS = ("geojson", "gpkg", "kml")


@dataclass(frozen=True)
class Taken:
    """What went into a file.

    ``located`` is how many rows have a location, None for no places; ``later`` how many more are on
    file that came after the plan.
    """

    rows: int
    located: int | None
    path: Path
    later: int = 0

    @property
    def sentence(self) -> str:
        """The report in one line."""
        text = f"{self.rows:,} rows in {self.path}."
        if self.later:
            text += f" {self.later:,} more came after the plan. `territory assign` takes them in."
        if self.located is None:
            return text
        return f"{text} {located_sentence(self.rows, self.located)}"

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        places = {} if self.located is None else {"located": self.located}
        later = {"later": self.later} if self.later else {}
        return {"rows": self.rows, **places, **later, "file": str(self.path)}


def export(
    store: Store, kind: str, path: str | Path, *, scope: Scope, by: str, now: datetime
) -> Taken:
    """Write a frame to a file in the format of its suffix.

    The frame holds what ``scope.exported`` reaches, each record as it is on file with what the plan
    in force says of it beside it, or without a plan all records; that of prospects has the next
    step and the last note of each too. Imported again, it changes nothing. The export is an event
    of the audit log, recorded before the file is written.

    Raises
    ------
    InputError
        If there is no such kind, or the file cannot be written.
    """
    if kind not in EXPORTS:
        raise InputError(f"{kind!r} cannot be exported. The kinds are {', '.join(EXPORTS)}.")
    check_writable(Path(path))
    view = EXPORTS[kind](store, scope=scope.exported)
    later = _not_in_plan(store, kind, view, scope.exported)
    frame = complete(store, kind, view, scope=scope.exported, is_whole=later is None)
    report = write(store, frame, kind, Path(path), by=by, now=now)
    return replace(report, later=later or 0)


def _not_in_plan(store: Store, kind: str, view: pd.DataFrame, scope: Scope) -> int | None:
    """Count the records that are on file and not in the plan in force; None: there is no plan."""
    with store.read() as transaction:
        if PlanLedger(transaction).plan_in_force() is None:
            return None
        if not (kind in OF_THE_PLAN and kind in KINDS and scope.accounts.is_all):
            return 0
        (key,) = KINDS[kind].key
        return int((~transaction.table(kind, [key])[key].isin(view[key])).sum())


def complete(
    store: Store, kind: str, view: pd.DataFrame, *, scope: Scope, is_whole: bool = False
) -> pd.DataFrame:
    """Give a view what its file has beside it: records as they are on file, and activities.

    ``is_whole`` as in ``records.with_records``.
    """
    if kind in OF_THE_PLAN and kind in KINDS:
        with store.read() as transaction:
            view = with_records(transaction, kind, view, scope, is_whole=is_whole)
    return accounts.with_activities(store, view, scope=scope) if kind == "prospects" else view


def write(
    store: Store,
    frame: pd.DataFrame,
    kind: str,
    path: Path,
    *,
    by: str,
    now: datetime,
    of: str = "plan",
) -> Taken:
    """Write rows that may leave, in their order, once it is on record that they do.

    ``of`` is what they belong to, as in ``record``; the suffix of ``path`` picks the format.

    Raises
    ------
    FileFormatError
        If the suffix is none that can be written, or the format cannot hold the rows.
    """
    form = check_writable(path)
    record(store, kind, rows=len(frame), form=form, by=by, now=now, of=of)
    write_table(frame, path, shapes=_shapes(store, frame, kind) if form in MAPS else None)
    return Taken(len(frame), count_located(frame), path)


def _shapes(store: Store, frame: pd.DataFrame, kind: str) -> npt.NDArray[np.object_] | None:
    """Give the outlines of markets, none of what is no place, and leave points to the columns."""
    if kind == "markets":
        with store.read() as transaction:
            return outlines(transaction, frame["market_id"])
    is_place = {"lon", "lat"} <= set(frame.columns)
    return None if is_place else np.full(len(frame), None, dtype=object)


def record(
    store: Store, kind: str, *, rows: int, form: str, by: str, now: datetime, of: str = "plan"
) -> None:
    """Put on record that rows leave the system as a file.

    ``of`` is what they belong to, such as the id of a market; ``form`` the format: csv, xlsx ...
    """
    with store.write() as transaction:
        audit_log.record(
            transaction,
            by=by,
            at=now,
            action="rows.export",
            subject_kind=kind,
            subject_id=of,
            detail={"rows": rows, "format": form},
        )
