"""Build of snapshots: make the one of the plan in force, and keep it until anything has changed."""

from __future__ import annotations

import hashlib
import logging
import shutil
from typing import TYPE_CHECKING

from territory.access import EVERYTHING
from territory.accounts import pipeline
from territory.errors import InputError
from territory.plans import PlanLedger, ReadingLedger
from territory.prospects import score, snapshot
from territory.prospects.fields import FIELDS, SNAPSHOT_COLUMNS
from territory.prospects.ledger import SnapshotLedger
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from territory.plans import PlanInfo
    from territory.prospects.snapshot import Snapshot
    from territory.store import Store, Transaction

FOLDER = "snapshots"  # where a server keeps them, within its own folder
# What a snapshot is made of beside the plan itself, which never changes.
TABLES = ("prospects", "opportunities", "contacts", "sites")
log = logging.getLogger(__name__)
_METHOD = "outcomes of opportunities"  # what else decides the values; name it anew if that changes
_LENGTH = 20  # characters of a digest that name a folder


def stamp_of(store: Store, today: str) -> str | None:
    """Name the state of the store that a snapshot would show; None before the first plan.

    ``today`` (ISO day) is part of it, because scores count days, and so are the columns, so that
    another version with other fields does not open a snapshot without them.
    """
    plan = store.cached(("plans",), "plan in force", _plan_in_force)
    if plan is None:
        return None
    state = map(str, store.cache.state(TABLES))
    facts = (plan.plan_id, plan.digest, *state, ",".join(SNAPSHOT_COLUMNS), _METHOD, today)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:_LENGTH]


def _plan_in_force(transaction: Transaction) -> PlanInfo | None:
    return PlanLedger(transaction).plan_in_force()


def is_ready(store: Store, folder: Path, today: str) -> bool:
    """Tell whether there is nothing to make: the snapshot is there, or no plan yet."""
    stamp = stamp_of(store, today)
    return stamp is None or (folder / stamp).is_dir()


def ready(store: Store, folder: Path, today: str) -> Snapshot | None:
    """Open the snapshot of the plan in force, making it first where it is not there.

    Older snapshots in ``folder`` are deleted; who has one open keeps it. One that is damaged is
    made again; where none can be kept, for want of room, it is in memory alone. None before the
    first plan.
    """
    stamp = stamp_of(store, today)
    if stamp is None:
        return None
    current = folder / stamp
    if current.is_dir():
        try:
            return snapshot.load(current)
        except InputError as error:
            log.warning("%s", error)
            shutil.rmtree(current, ignore_errors=True)
    with store.read() as transaction:
        made = snapshot.build(gather(transaction, today), stamp)
    try:
        snapshot.save(made, current)
        _forget_others(folder, current)
        return snapshot.load(current)
    except (OSError, InputError) as error:
        log.warning("The snapshot is in memory alone: %s", error)
        return made


def gather(transaction: Transaction, today: str) -> pd.DataFrame:
    """Read ``fields.SNAPSHOT_COLUMNS`` of every prospect of the plan in force."""
    plan = PlanLedger(transaction).plan_in_force()
    assert plan is not None  # noqa: S101  the caller has asked
    ledger = SnapshotLedger(transaction)
    rows = ledger.prospects(plan.plan_id)
    opportunities = ReadingLedger(transaction).opportunities(plan.plan_id, EVERYTHING)
    deals = pipeline(opportunities).set_index("prospect_id")
    for field in FIELDS:
        if field.column.endswith("_mi"):
            rows[field.column] = rows.pop(field.source_column) / METRES_PER_MILE
        elif field.source == "pipeline":
            values = rows["prospect_id"].map(deals[field.column])
            rows[field.column] = (
                values.astype(float).fillna(0.0)  # no opportunity is no dollar
                if field.kind == "number"
                else values.astype(object).where(values.notna(), None)
            )
        elif field.source in {"contacts", "sites", "findings"}:
            ids = ledger.with_rows(field.source, plan.plan_id)
            rows[field.column] = rows["prospect_id"].isin(ids)
    rows["score"] = score.score(rows, plan.policy.score, today)
    return rows[list(SNAPSHOT_COLUMNS)]


def _forget_others(folder: Path, current: Path) -> None:
    for other in folder.iterdir():
        if other != current and other.is_dir() and not other.name.startswith(".draft-"):
            shutil.rmtree(other, ignore_errors=True)
