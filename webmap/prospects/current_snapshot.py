"""Current snapshot: the one of the plan in force as this process has it open, and who sees what."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from flask import current_app

from territory import reports
from territory.access import Scope, scopes
from territory.errors import NotFoundError
from territory.prospects import ProspectIndex, build
from territory.units_of_length import to_miles
from webmap import context, formatting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.prospects import Field

PATIENCE_S = 0.3  # how long a request waits for the snapshot that another one is making


@dataclass(frozen=True)
class Names:
    """What the ids of a plan are called, and its radius in metres."""

    reps: dict[str, str]
    offices: dict[str, str]
    limit_m: float

    def words(self, field: Field) -> Mapping[str, str]:
        """Say the values of a field as the pages do; what has no words here is said as it is."""
        if field.name == "verdict":
            return formatting.verdicts(f"{to_miles(self.limit_m):g} mi")
        return {"rep": self.reps, "office": self.offices}.get(field.name, field.words)


@dataclass(frozen=True)
class CurrentSnapshot:
    """One state of the plan in force.

    ``index`` and ``names`` are of everybody: whoever shows a row of them has asked ``reach``.
    """

    index: ProspectIndex
    names: Names


@dataclass
class _Slot:
    current: CurrentSnapshot | None = None
    lock: Lock = field(default_factory=Lock)


def reach(scope: Scope) -> frozenset[str] | None:
    """Say whose prospects a scope shows: of these reps; None: of all and of nobody.

    Lists, maps, suggestions and files are all narrowed by this.

    Raises
    ------
    DeniedError
        If it does not reach the pipeline of those too: filters, order and score rest on it.
    """
    if scope.money != scope.accounts:
        raise scopes.DeniedError("This needs the right 'see_pipeline' beside the one to accounts.")
    return None if scope.accounts.is_all else scope.accounts.rep_ids


def current() -> CurrentSnapshot:
    """Give the prospects of the plan in force as of now, or of a moment ago while it is made.

    Raises
    ------
    NotFoundError
        Before the first plan.
    """
    today = context.settings().today().isoformat()
    stamp = build.stamp_of(context.store(), today)
    if stamp is None:
        raise NotFoundError("No plan is published yet. `territory assign` makes the first one.")
    slot = _slot()
    before = slot.current
    if before is not None and before.index.snapshot.stamp == stamp:
        return before
    # One thread makes the new one. The others would all wait for it, and nobody would answer: who
    # has waited for a moment is shown the state of a moment ago, as if he had asked sooner.
    if not slot.lock.acquire(timeout=-1 if before is None else PATIENCE_S):
        assert before is not None  # noqa: S101  else it waits
        return before
    try:
        return _renew(slot, today)
    finally:
        slot.lock.release()


def _renew(slot: _Slot, today: str) -> CurrentSnapshot:
    """Open the snapshot of now, unless another thread just did."""
    folder = Path(context.settings().var_dir) / build.FOLDER
    worker = current_app.extensions.get("worker")
    if worker is not None and not build.is_ready(context.store(), folder, today):
        worker.ask("snapshot", today)  # the rows of the plan are not for a worker to hold
    snapshot = build.ready(context.store(), folder, today)
    assert snapshot is not None  # noqa: S101  there is a plan
    if slot.current is None or slot.current.index.snapshot.stamp != snapshot.stamp:
        slot.current = CurrentSnapshot(ProspectIndex(snapshot), _names())
    return slot.current


def _names() -> Names:
    scope = Scope.everything()
    reps, offices = (read(context.store(), scope=scope) for read in (reports.reps, reports.offices))
    return Names(
        dict(zip(reps["rep_id"], reps["name"], strict=True)),
        dict(zip(offices["office_id"], offices["name"], strict=True)),
        reports.overview(context.store(), scope=scope).policy.radius.limit_m,
    )


def _slot() -> _Slot:
    """Give the slot of this process: a snapshot opened before a fork is mapped anew."""
    slots: dict[int, _Slot] = current_app.extensions.setdefault("snapshots", {})
    return slots.setdefault(os.getpid(), _Slot())
