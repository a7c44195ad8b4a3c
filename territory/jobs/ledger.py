"""Jobs in the store: who asked for what, how far it is, what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from territory.errors import NotFoundError
from territory.store import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Row

    from territory.store import Transaction

WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
OPEN = (WAITING, RUNNING)


@dataclass(frozen=True)
class Job:
    """One job. Times are UTC ISO text; ``done`` of ``total`` rows, where the task counts.

    ``work`` names its task, ``told_at`` is the last heartbeat, ``attempts`` how often a worker took
    it up.
    """

    job_id: str
    work: str
    arguments: Mapping[str, Any]
    state: str
    stage: str | None
    done: int | None
    total: int | None
    outcome: Mapping[str, Any] | None = field(repr=False)
    error: str | None
    attempts: int
    asked_at: str
    asked_by: str
    started_at: str | None
    told_at: str | None
    ended_at: str | None

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN


class JobLedger:
    """The jobs of one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def add(self, job_id: str, task: str, arguments: Mapping[str, Any], by: str, at: str) -> None:
        """Note a job that waits for a worker."""
        self._connection.execute(
            insert(jobs).values(
                job_id=job_id,
                work=task,
                arguments=json.dumps(dict(arguments), sort_keys=True),
                state=WAITING,
                attempts=0,
                asked_at=at,
                asked_by=by,
            )
        )

    def find(self, job_id: str) -> Job:
        """Look up a job.

        Raises
        ------
        NotFoundError
            If there is none of that id.
        """
        row = self._connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"No job {job_id!r}. `territory jobs list` shows those there are.")
        return _job(row)

    def of_task(self, task: str, states: Iterable[str]) -> list[Job]:
        """List the jobs of a task in some states, the one asked for last first."""
        chosen = (jobs.c.work == task, jobs.c.state.in_(tuple(states)))
        query = select(jobs).where(*chosen).order_by(jobs.c.job_id.desc())
        return [_job(row) for row in self._connection.execute(query)]

    def recent(self, states: Iterable[str] | None = None, limit: int = 100) -> list[Job]:
        """List the jobs in some states, or all, the one asked for last first."""
        query = select(jobs).order_by(jobs.c.asked_at.desc(), jobs.c.job_id).limit(limit)
        if states is not None:
            query = query.where(jobs.c.state.in_(list(states)))
        return [_job(row) for row in self._connection.execute(query)]

    def next_waiting(self) -> str | None:
        """Give the id of the job that has waited longest; None where none waits."""
        query = select(jobs.c.job_id).where(jobs.c.state == WAITING)
        return self._connection.execute(
            query.order_by(jobs.c.asked_at, jobs.c.job_id).limit(1)
        ).scalar()

    def claim(self, job_id: str, at: str) -> Job | None:
        """Take up a job that waits; None where another worker has it or it was stopped."""
        claimed = self._connection.execute(
            update(jobs)
            .where(jobs.c.job_id == job_id, jobs.c.state == WAITING)
            .values(
                state=RUNNING,
                attempts=jobs.c.attempts + 1,
                started_at=at,
                told_at=at,
                stage=None,
                done=None,
                total=None,
            )
        )
        return self.find(job_id) if claimed.rowcount else None

    def put_back(self, job_id: str, attempts: int) -> bool:
        """Let a job wait again that was lost in that attempt; whether it was still running."""
        return self._change(job_id, attempts, (RUNNING,), state=WAITING)

    def end(self, job_id: str, attempts: int, **values: Any) -> bool:
        """Close an open job that is in that attempt; whether it still was.

        ``values`` are columns: ``state``, ``ended_at`` and what is known of ``stage``, ``done``,
        ``total``, ``outcome`` (an object) and ``error``.
        """
        if "outcome" in values:
            values["outcome"] = json.dumps(values["outcome"], sort_keys=True)
        return self._change(job_id, attempts, OPEN, **values)

    def _change(self, job_id: str, attempts: int, states: Iterable[str], **values: Any) -> bool:
        changed = self._connection.execute(
            update(jobs)
            .where(
                jobs.c.job_id == job_id,
                jobs.c.attempts == attempts,
                jobs.c.state.in_(list(states)),
            )
            .values(**values)
        )
        return bool(changed.rowcount)


def _job(row: Row[Any]) -> Job:
    values = dict(row._mapping)  # noqa: SLF001 - the documented way to a row as a mapping
    values["arguments"] = json.loads(values["arguments"])
    values["outcome"] = json.loads(values["outcome"]) if values["outcome"] else None
    return Job(**values)
