"""Make the snapshot of the plan in force and keep it until anything in it has changed."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from territory.access import EVERYTHING
from territory.accounts import pipeline
from territory.plans import PlanLedger, ReadingLedger
from territory.prospects import score, snapshot
from territory.prospects.ledger import SnapshotLedger
from territory.prospects.snapshot import COLUMNS, Snapshot
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from territory.plans import PlanInfo
    from territory.store import Store, Transaction

FOLDER = "snapshots"  # where a server keeps them, within its own folder
# What a snapshot is made of beside the plan itself, which never changes.
TABLES = ("prospects", "opportunities", "contacts", "sites")
_LENGTH = 20  # characters of a digest that name a folder


def stamp_of(store: Store, today: str) -> str | None:
    """Name the state of the store that a snapshot would show; None before the first plan.

    ``today`` (ISO day) is part of it, because scores count days.
    """
    plan = store.cached(("plans",), "plan in force", _plan_in_force)
    if plan is None:
        return None
    facts = (plan.plan_id, plan.digest, *map(str, store.cache.state(TABLES)), today)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:_LENGTH]


def _plan_in_force(transaction: Transaction) -> PlanInfo | None:
    return PlanLedger(transaction).plan_in_force()


def is_ready(store: Store, folder: Path, today: str) -> bool:
    """Tell whether there is nothing to make: the snapshot is there, or no plan yet."""
    stamp = stamp_of(store, today)
    return stamp is None or (folder / stamp).is_dir()


def ready(store: Store, folder: Path, today: str) -> Snapshot | None:
    """Open the snapshot of the plan in force, making it first where it is not there.

    Older snapshots in ``folder`` are deleted; who has one open keeps it. None before the first
    plan.
    """
    stamp = stamp_of(store, today)
    if stamp is None:
        return None
    wanted = folder / stamp
    if not wanted.is_dir():
        with store.read() as transaction:
            rows = gather(transaction, today)
        snapshot.save(snapshot.build(rows, stamp), wanted)
        _forget_others(folder, wanted)
    return snapshot.load(wanted)


def gather(transaction: Transaction, today: str) -> pd.DataFrame:
    """Read ``snapshot.COLUMNS`` of every prospect of the plan in force."""
    plan = PlanLedger(transaction).plan_in_force()
    assert plan is not None  # noqa: S101  the caller has asked
    ledger = SnapshotLedger(transaction)
    rows = ledger.prospects(plan.plan_id)
    rows["distance_mi"] = rows.pop("distance_m") / METRES_PER_MILE
    rows["uncertainty_mi"] = rows.pop("uncertainty_m") / METRES_PER_MILE
    opportunities = ReadingLedger(transaction).opportunities(plan.plan_id, EVERYTHING)
    deals = pipeline(opportunities).set_index("prospect_id")
    for name in ("stage", "last_activity_on"):
        rows[name] = rows["prospect_id"].map(deals[name]).astype(object)
        rows[name] = rows[name].where(rows[name].notna(), None)
    rows["pipeline_usd"] = rows["prospect_id"].map(deals["pipeline_usd"]).astype(float).fillna(0.0)
    for name, ids in (
        ("has_contacts", ledger.with_contacts()),
        ("is_multi_site", ledger.with_sites()),
        ("has_findings", ledger.with_findings(plan.plan_id)),
    ):
        rows[name] = rows["prospect_id"].isin(ids["prospect_id"])
    rows["score"] = score.score(rows, plan.policy.score, today)
    return rows[list(COLUMNS)]


def _forget_others(folder: Path, current: Path) -> None:
    for other in folder.iterdir():
        if other != current and other.is_dir() and not other.name.startswith(".draft-"):
            shutil.rmtree(other, ignore_errors=True)
