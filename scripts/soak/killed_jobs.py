"""The work of jobs that ``kills.py`` kills something beside: an import, geocoding, a batch."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from scripts.soak.killed_server import POLICY
from scripts.soak.killed_work import LOOK_S, LOST, Work
from territory.eligibility.rules import EligibilityLedger
from territory.files import uploads
from territory.jobs import tasks
from territory.jobs.ledger import DONE, OPEN, RUNNING, Job, JobLedger
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

STATES = (*OPEN, DONE, "failed", "stopped")


class JobWork(Work):
    """Work that the worker of jobs does."""

    task: ClassVar[str]
    job: Job | None = None

    def belongs(self, job: Job) -> bool:
        """Tell whether a job is this work's."""
        raise NotImplementedError

    def find(self) -> Job | None:
        """Look up the job as it is now, the last one that was asked for."""
        with open_store(self.server.url) as store, store.read() as transaction:
            found = JobLedger(transaction).of_task(self.task, STATES)
        return next((job for job in found if self.belongs(job)), None)

    def wait(self, ask: Callable[[], object]) -> None:
        """Ask for the job, again where it is not there or failed, until it is done."""
        while True:
            job = self.find()
            if job is None or job.state in ("failed", "stopped"):
                if job is not None:
                    self.faults.append(f"the job {job.state}: {job.error}")
                    return
                with suppress(*LOST):
                    ask()
            elif job.state == DONE:
                self.job = job
                return
            elif job.state == RUNNING:
                self.began.set()
            time.sleep(LOOK_S)

    def is_under_way(self) -> bool:
        """Tell whether a worker has it now."""
        job = self.find()
        return job is not None and job.state == RUNNING

    def stage(self) -> str:
        """Say how often it was taken up."""
        job = self.find()
        return "no job" if job is None else f"job {job.state}, attempt {job.attempts}"


class Import(JobWork):
    """A file of companies handed in and imported."""

    task = tasks.IMPORT

    def prepare(self) -> None:
        """Draw the file, and hand it in: only the import is killed."""
        self.rows, self.name = self.companies(), f"soak-{self.number}.csv"
        body = self.rows.to_csv(index=False).encode()
        self.server.send("/ops/import", {"kind": "prospects"}, (self.name, body))
        found = uploads.newest_first(self.server.var / tasks.UPLOADS)
        self.upload = next(each for each in found if each.name == self.name)
        self.wait_for_trial()

    def wait_for_trial(self) -> None:
        """Wait for the dry run that begins by itself."""
        while True:
            with open_store(self.server.url) as store, store.read() as transaction:
                jobs = JobLedger(transaction).of_task(self.task, OPEN)
            if not jobs:
                return
            time.sleep(LOOK_S)

    def belongs(self, job: Job) -> bool:
        """Tell whether a job imports this file for good."""
        return job.arguments["upload_id"] == self.upload.upload_id and not job.arguments["dry_run"]

    def act(self) -> None:
        """Press the button that imports it."""
        self.wait(lambda: self.server.send(f"/ops/import/files/{self.upload.upload_id}/commit", {}))
        self.server.imports += 1
        figures = dict(zip(self.rows["prospect_id"], self.rows["employees"], strict=True))
        self.server.prospects |= {key: float(value) for key, value in figures.items()}

    def check_own(self) -> None:
        """The report of the job is that of the import, and its tables are there."""
        outcome = (self.job.outcome if self.job else None) or {}
        self.same("rows of the report", outcome.get("rows"), len(self.rows))
        text = self.server.read(f"/ops/import/{outcome.get('import_id')}")
        self.must(self.name in text, "the page of the import does not name its file")
        uploads.discard(self.upload)


class Geocode(JobWork):
    """Addresses asked about at the geocoder of this machine."""

    task = tasks.GEOCODE

    def prepare(self) -> None:
        """Bring in addresses that nobody was asked about."""
        size = max(20, self.server.rows // 20)
        self.ids = [f"G-{self.number}-{at}" for at in range(size)]
        self.seen = {job.job_id for job in self._all()}
        self.bring_in(
            pd.DataFrame(
                {
                    "prospect_id": self.ids,
                    "name": [f"House {key}" for key in self.ids],
                    "street": [f"{at + 1} East {self.number}th Street" for at in range(size)],
                    "city": "Chicago", "state": "IL", "postal_code": "60601", "country": "US",
                    "employees": self.number,
                }
            )
        )  # fmt: skip
        self.server.prospects |= dict.fromkeys(self.ids, float(self.number))

    def _all(self) -> list[Job]:
        with open_store(self.server.url) as store, store.read() as transaction:
            return JobLedger(transaction).of_task(self.task, STATES)

    def belongs(self, job: Job) -> bool:
        """Tell whether a job was asked for by this work."""
        return job.job_id not in self.seen

    def act(self) -> None:
        """Press the button that asks the geocoders."""
        self.wait(lambda: self.server.send("/ops/places/prospects/geocode", {}))

    def check_own(self) -> None:
        """Every address has its answer."""
        with open_store(self.server.url) as opened, opened.read() as transaction:
            rows = transaction.table("prospects", ["prospect_id", "geocode_source"])
        ours = rows[rows["prospect_id"].isin(self.ids)]
        found = ours["geocode_source"].str.contains("nominatim").sum()
        self.same("addresses with an answer", int(found), len(self.ids))


class Batch(JobWork):
    """A file of homes decided, every second person without a reference."""

    task = tasks.DECIDE

    def prepare(self) -> None:
        """Draw the file, and hand it in."""
        self.rows, self.name = self.people("B", nameless=True), f"homes-{self.number}.csv"
        body = self.rows.to_csv(index=False).encode()
        self.page = self.server.send("/hr/batches", {}, (self.name, body))[1]

    def belongs(self, job: Job) -> bool:
        """Tell whether a job decides this file."""
        return self.page.endswith(str(job.arguments["batch_id"]))

    def act(self) -> None:
        """Press the button that decides."""
        form = {
            "policy": POLICY, "on": self.server.now().date().isoformat(), "distances": "classes",
            "column-0": "person_id", "column-1": "postal_code",
        }  # fmt: skip
        self.wait(lambda: self.server.send(f"{self.page}/decide", form))
        self.server.decisions += len(self.rows)
        self.server.homes += int(self.rows["person_id"].notna().sum())

    def check_own(self) -> None:
        """One decision a person, and a verdict for every row."""
        people = set(self.rows["person_id"].dropna())
        with open_store(self.server.url) as opened, opened.read() as transaction:
            decided = EligibilityLedger(transaction).history(people)["subject"]
        self.same("decisions about people", sorted(decided), sorted(people))
        lines = self.server.read(f"{self.page}/verdicts.csv").strip().splitlines()
        self.same("verdicts", len(lines) - 1, len(self.rows))
        self.server.send(f"{self.page}/remove", {})
