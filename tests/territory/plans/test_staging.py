"""A plan is published while others write: its rows are staged, and nobody sees half of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory.errors import BusyError
from territory.plans import PlanLedger, publish, staging
from territory.policy import Policy, RadiusPolicy
from territory.store import Patience, Store, open_store

if TYPE_CHECKING:
    from territory.plans import PlanInfo

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
NEARER = Policy(name="nearer", radius=RadiusPolicy(limit_m=30_000.0))
PARTS = tuple(f"plan_{name}" for name in staging.PARTS)


def in_force(store: Store) -> PlanInfo:
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
    assert plan is not None
    return plan


def rows_of_plans(store: Store) -> dict[str, int]:
    path = store.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in PARTS
        }
    connection.close()
    return counts


def test_others_write_between_the_rows(demo_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "CHUNK", 100)
    stage, wrote = PlanLedger.add_rows, []

    def add_rows(ledger: PlanLedger, plan_id: str, part: str, frame: object) -> None:
        stage(ledger, plan_id, part, frame)
        wrote.append(part)

    monkeypatch.setattr(PlanLedger, "add_rows", add_rows)
    before, hasty = in_force(demo_store), Patience(lock_s=20, writers=1, turn_s=0)
    with open_store(demo_store.url, patience=hasty) as other:
        seen = []

        def tell(_stage: str) -> None:
            with other.write() as transaction:  # nobody holds the pen while a plan is worked out
                transaction.set_setting("colour", "blue")
            seen.append(in_force(other).plan_id)

        report = publish.assign(
            demo_store, published_by="ops", now=NOW, policy=NEARER, progress=tell
        )
    assert report.is_published
    assert wrote.count("assignments") > 5
    assert set(seen) == {before.plan_id}
    assert in_force(demo_store).plan_id == report.plan.plan_id


def test_a_plan_whose_ground_moved_is_worked_out_again(
    demo_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, staged = staging.stage, []

    def move_the_ground(store: Store, plan: PlanInfo, parts: object) -> None:
        stage(store, plan, parts)
        staged.append(plan.plan_id)
        if len(staged) == 1:
            with store.write() as transaction:
                reps = transaction.table("reps")
                transaction.save("reps", reps.iloc[:0], reps.head(1).assign(name="Ada Renamed"))

    monkeypatch.setattr(staging, "stage", move_the_ground)
    report = publish.assign(demo_store, published_by="ops", now=NOW, policy=NEARER)
    assert len(staged) == 2
    with demo_store.read() as transaction:
        names = PlanLedger(transaction).plan_part(report.plan.plan_id, "reps")["name"]
        assert PlanLedger(transaction).unpublished() == []
    assert "Ada Renamed" in set(names)


def test_two_do_not_publish_at_once(demo_store: Store) -> None:
    with (
        open_store(demo_store.url) as other,
        other.alone(staging.LOCK),
        pytest.raises(BusyError, match="another process"),
    ):
        publish.assign(demo_store, published_by="ops", now=NOW, policy=NEARER)


def test_what_a_killed_publisher_left_is_dropped_by_the_next(demo_store: Store) -> None:
    before, rows = in_force(demo_store), rows_of_plans(demo_store)
    program = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from territory.plans import publish, staging\n"
        "from territory.policy import Policy, RadiusPolicy\n"
        "from territory.store import open_store\n"
        "stage = staging.stage\n"
        "def die(*arguments):\n"
        "    stage(*arguments)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "staging.stage = die\n"
        "policy = Policy(name='nearer', radius=RadiusPolicy(limit_m=30_000.0))\n"
        "with open_store(sys.argv[1]) as store:\n"
        "    publish.assign(store, published_by='ops', now=datetime.now(UTC), policy=policy)\n"
    )
    died = subprocess.run([sys.executable, "-c", program, demo_store.url], check=False)
    assert died.returncode == -signal.SIGKILL if os.name == "posix" else died.returncode
    assert in_force(demo_store) == before
    assert rows_of_plans(demo_store)["plan_assignments"] == 2 * rows["plan_assignments"]
    same = publish.assign(demo_store, published_by="ops", now=NOW)
    assert not same.is_published
    assert rows_of_plans(demo_store) == rows
