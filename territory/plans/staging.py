"""Staging of a plan: its rows are written a few at a time, while others read and write beside it.

A plan that is begun and not published is seen by nobody. What a publisher who died has left is
dropped by the next one; ``Store.alone`` says that there is no other at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.plans.plan_ledger import PlanLedger

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from territory.plans.plan import PlanInfo
    from territory.store import Store

LOCK = "publish"
CHUNK = 10_000  # rows of one transaction: others who write wait for a fraction of a second
PARTS = (
    "markets", "territories", "named_accounts", "reps", "offices", "assignments", "findings",
)  # fmt: skip


def stage(store: Store, plan: PlanInfo, parts: Mapping[str, pd.DataFrame]) -> None:
    """Write a plan that nobody sees yet, all but its publication."""
    with store.write(touches=False) as transaction:
        PlanLedger(transaction).begin(plan)
    for name, frame in parts.items():
        for start in range(0, len(frame), CHUNK):
            with store.write(touches=False) as transaction:
                chunk = frame.iloc[start : start + CHUNK]
                PlanLedger(transaction).add_rows(plan.plan_id, name, chunk)


def drop_unpublished(store: Store) -> None:
    """Delete what was staged and not published, a few rows at a time."""
    with store.read() as transaction:
        left = PlanLedger(transaction).unpublished()
    for plan_id in left:
        for name in PARTS:
            dropped = CHUNK
            while dropped == CHUNK:
                with store.write(touches=False) as transaction:
                    dropped = PlanLedger(transaction).drop_rows(plan_id, name, CHUNK)
        with store.write(touches=False) as transaction:
            PlanLedger(transaction).drop(plan_id)
