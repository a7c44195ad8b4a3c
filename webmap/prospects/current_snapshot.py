"""The prospects of the plan in force as this process holds them, and whose of them may be seen."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from flask import current_app

from territory import reports
from territory.access import Scope, scopes
from territory.errors import NotFoundError
from territory.prospects import Targets, build
from webmap import context, security


@dataclass(frozen=True)
class Names:
    """What the ids of a plan are called, and its radius in metres."""

    reps: dict[str, str]
    offices: dict[str, str]
    limit_m: float


@dataclass(frozen=True)
class Held:
    """One state of the plan in force.

    ``targets`` and ``names`` are of everybody: whoever shows a row of them has asked ``reach``.
    """

    targets: Targets
    names: Names


@dataclass
class _Slot:
    held: Held | None = None
    lock: Lock = field(default_factory=Lock)


def reach() -> frozenset[str] | None:
    """Say whose prospects whoever asks may see: of these reps; None: of all and of nobody.

    Raises
    ------
    DeniedError
        If they may not see the pipeline of those too: filters, order and score rest on it.
    """
    scope = security.scope()
    if scope.money != scope.accounts:
        raise scopes.DeniedError("This needs the right 'see_pipeline' beside the one to accounts.")
    return None if scope.accounts.is_all else scope.accounts.rep_ids


def current() -> Held:
    """Give the prospects of the plan in force as of now.

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
    snapshot = slot.held
    if snapshot is not None and snapshot.targets.snapshot.stamp == stamp:
        return snapshot
    with slot.lock:
        return _renew(slot, today)


def _renew(slot: _Slot, today: str) -> Held:
    """Open the snapshot of now, unless another thread just did."""
    folder = Path(context.settings().var_dir) / build.FOLDER
    worker = current_app.extensions.get("worker")
    if worker is not None and not build.is_ready(context.store(), folder, today):
        worker.ask("snapshot", today)  # the rows of the plan are not for a worker to hold
    taken = build.ready(context.store(), folder, today)
    assert taken is not None  # noqa: S101  there is a plan
    if slot.held is None or slot.held.targets.snapshot.stamp != taken.stamp:
        slot.held = Held(Targets(taken), _names())
    return slot.held


def _names() -> Names:
    scope = Scope.everything()
    reps, offices = (read(context.store(), scope=scope) for read in (reports.reps, reports.offices))
    return Names(
        dict(zip(reps["rep_id"], reps["name"], strict=True)),
        dict(zip(offices["office_id"], offices["name"], strict=True)),
        reports.overview(context.store(), scope=scope).policy.radius.limit_m,
    )


def _slot() -> _Slot:
    """Give what this process holds: a snapshot opened before a fork is mapped anew."""
    slots: dict[int, _Slot] = current_app.extensions.setdefault("held", {})
    return slots.setdefault(os.getpid(), _Slot())
