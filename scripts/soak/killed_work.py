"""The work that ``kills.py`` kills something beside: what a person does, and what it must leave."""

from __future__ import annotations

import http.client
import sqlite3
import subprocess
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pandas as pd

from scripts.bench.webmap.company import mainland_zips
from scripts.soak.killed_server import BY, POLICY, PYTHON, RETRY_S, ROOT
from territory import imports
from territory.access import audit_log
from territory.eligibility import desk
from territory.eligibility.homes import open_homes
from territory.eligibility.rules import EligibilityLedger
from territory.errors import NotFoundError
from territory.files import uploads
from territory.jobs.ledger import RUNNING, WAITING, JobLedger
from territory.plans import PlanLedger, policy_in_force
from territory.store import open_store
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.soak.killed_server import Installation

LOST = (OSError, http.client.HTTPException)  # nobody answered
LOOK_S = 0.02
PUBLISH = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from territory import plans
from territory.store import open_store
with open_store(sys.argv[1]) as store:
    policy = plans.policy_in_force(store)
    policy = replace(policy, radius=replace(policy.radius, limit_m=float(sys.argv[2])))
    plans.assign(
        store, published_by="soak", now=datetime.now(UTC), policy=policy,
        progress=lambda stage: print(stage, flush=True),
    )
"""


class Work:
    """Something that a person does; ``faults`` are what was found wrong after it.

    ``began`` is set when the work proper begins, ``ended`` when the person has seen it done.
    """

    def __init__(self, server: Installation) -> None:
        self.server, self.faults = server, list[str]()
        self.began, self.ended = threading.Event(), threading.Event()
        server.number += 1
        self.number = server.number

    def prepare(self) -> None:
        """Make what the work needs, before anybody is killed."""

    def act(self) -> None:
        """Do it, as a person who tries again what was not answered."""
        raise NotImplementedError

    def kill(self) -> None:
        """Kill the command that does it, if one does."""

    def is_under_way(self) -> bool:
        """Tell whether it is being done now."""
        return True

    def stage(self) -> str:
        """Say how far it is."""
        return "asked for"

    def check(self) -> None:
        """Note as faults what is lost, doubled or damaged."""
        with open_store(self.server.url) as store, store.read() as transaction:
            held = transaction.table("prospects", ["prospect_id", "employees"])
            stored = dict(zip(held["prospect_id"], held["employees"].astype(float), strict=True))
            ledger = PlanLedger(transaction)
            numbers = ledger.next_plan_number() - 1, len(ledger.unpublished())
            open_jobs = JobLedger(transaction).recent([RUNNING, WAITING])
            counted = EligibilityLedger(transaction).count_since(POLICY, "0001-01-01")
            verdict = imports.history(store), audit_log.verify(store)
            events = {
                action: audit_log.search(store, action=action, limit=1)[1]
                for action in ("import.commit", "plan.publish")
            }
        self.check_own()
        server = self.server
        expected = server.prospects
        wrong = [key for key in expected.keys() | stored.keys()
                 if expected.get(key) != stored.get(key)]  # fmt: skip
        self.must(not wrong, f"{len(wrong)} prospects are not as the files say: {wrong[:3]}")
        self.same("imports", len(verdict[0]), server.imports)
        self.same("events of imports", events["import.commit"], server.imports)
        self.same("plans, and begun", numbers, (server.plans, 0))
        self.same("events of plans", events["plan.publish"], server.plans)
        self.same("decisions", counted, server.decisions)
        self.same("open jobs", [job.job_id for job in open_jobs], [])
        self.must(verdict[1].is_intact, f"the audit chain: {verdict[1]}")
        with open_homes(server.homes_url) as homes:
            self.same("homes", homes.size(), server.homes)
        for url in (server.url, server.homes_url):
            if url.startswith("sqlite"):
                with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                    told = connection.execute("PRAGMA integrity_check").fetchone()[0]
                self.same("integrity_check", told, "ok")

    def check_own(self) -> None:
        """Note what is wrong with this very work."""

    def must(self, is_so: bool, fault: str) -> None:
        """Note a fault where something is not so."""
        if not is_so:
            self.faults.append(fault)

    def same(self, name: str, found: object, expected: object) -> None:
        """Note a fault where a count is another one."""
        self.must(found == expected, f"{name}: {found}, not {expected}")

    def bring_in(self, rows: pd.DataFrame) -> str | None:
        """Import prospects without the server; gives the id of the import."""
        path = self.server.folder / f"brought-{self.number}.csv"
        rows.to_csv(path, index=False)
        with open_store(self.server.url) as store:
            report = imports.import_file(store, "prospects", path, by=BY, now=self.server.now())
        self.server.imports += 1
        return report.import_id

    def companies(self) -> pd.DataFrame:
        """Draw a file: half of the companies with other figures, and some new ones."""
        size = self.server.rows
        old = [f"P{at}" for at in range(1, size // 2 + 1)]
        new = [f"new-{self.number}-{at}" for at in range(size // 10)]
        return pd.DataFrame(
            {
                "prospect_id": [*old, *new],
                "name": [f"Company {key}" for key in [*old, *new]],
                "city": "Chicago", "state": "IL", "postal_code": "60601", "country": "US",
                "employees": self.number,
            }
        )  # fmt: skip

    def people(self, prefix: str, *, nameless: bool) -> pd.DataFrame:
        """Draw a file of homes, every second one without a reference where ``nameless``."""
        size = self.server.rows // 4
        zips = mainland_zips()["zip_code"].sample(size, random_state=self.number)
        ids = [None if nameless and at % 2 else f"{prefix}-{self.number}-{at}"
               for at in range(size)]  # fmt: skip
        return pd.DataFrame({"person_id": ids, "postal_code": zips.to_numpy()})


class Undo(Work):
    """An import taken back, in the worker of pages."""

    def prepare(self) -> None:
        """Import what is taken back."""
        self.import_id = self.bring_in(self.companies())

    def is_undone(self) -> bool:
        """Tell whether the store says so."""
        with open_store(self.server.url) as store:
            return imports.import_record(store, str(self.import_id)).undone_at is not None

    def act(self) -> None:
        """Press the button until it is undone."""
        self.began.set()
        while not self.is_undone():
            with suppress(*LOST):
                self.server.send(f"/ops/import/{self.import_id}/undo", {})
            time.sleep(RETRY_S)

    def check_own(self) -> None:
        """It is undone once."""
        with open_store(self.server.url) as opened:
            told = audit_log.search(opened, action="import.undo", subject_id=self.import_id)[1]
        self.same("events of the undo", told, 1)


class Purge(Work):
    """Homes whose time is over purged with their files, in the worker of pages."""

    def prepare(self) -> None:
        """Decide about people whose homes are kept until today, and leave a file of theirs."""
        self.rows, server = self.people("D", nameless=False), self.server
        source, now = server.folder / f"due-{self.number}.csv", server.now()
        self.rows.to_csv(source, index=False)
        request = desk.DecisionRequest(BY, now, POLICY, keep_days=0)
        with open_store(server.url) as store, open_homes(server.homes_url) as homes:
            desk.decide_batch(store, homes, source, source.with_suffix(".out.csv"), request)
        server.decisions += len(self.rows)
        self.file = desk.upload_files.keep(
            self.folder, source, name=source.name, by=BY, at=utc_text(now)
        )

    @property
    def folder(self) -> Path:
        """Where files of homes lie."""
        return self.server.var / desk.upload_files.FOLDER

    def act(self) -> None:
        """Press the button until it is answered."""
        self.began.set()
        while True:
            with suppress(*LOST):
                if self.server.send("/hr/purge", {"due": "yes"})[0] == 200:
                    return
            time.sleep(RETRY_S)

    def check_own(self) -> None:
        """No home is left of them, nor a file."""
        with open_homes(self.server.homes_url) as homes:
            self.same("homes left", len(homes.find_by_subject(self.rows["person_id"])), 0)
        with suppress(NotFoundError):
            uploads.find(self.folder, self.file.upload_id)
            self.faults.append("the file of the purged people is still there")


class Publish(Work):
    """A plan published by a command."""

    command: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        """Choose a radius that is a meter longer, so that it is another plan."""
        with open_store(self.server.url) as store:
            self.limit_m = policy_in_force(store).radius.limit_m + 1.0

    def is_published(self) -> bool:
        """Tell whether that radius is in force."""
        with open_store(self.server.url) as store:
            return policy_in_force(store).radius.limit_m == self.limit_m

    def act(self) -> None:
        """Publish, again where the command died before it was done."""
        while not self.is_published():
            with subprocess.Popen(
                [PYTHON, "-c", PUBLISH, self.server.url, str(self.limit_m)],
                cwd=ROOT, stdout=subprocess.PIPE, text=True,
            ) as self.command:  # fmt: skip
                for _ in self.command.stdout or ():
                    self.began.set()
        self.server.plans += 1

    def kill(self) -> None:
        """Kill the command."""
        if self.command is not None:
            self.command.kill()
