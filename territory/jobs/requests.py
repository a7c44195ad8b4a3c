"""Background jobs: asked for, taken up by a worker, run, stopped, and recovered after a death.

A job is a row of the store; a worker takes it up, runs its task and writes down what came of it.
A worker that dies leaves its job running without a heartbeat: the next one to look puts it back,
at most `ATTEMPTS` times. So a task must be safe to run again from the start, as an import is, whose
rows, record and end are one transaction. The tasks themselves are in ``tasks``.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
import socket
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from territory.errors import ConflictError, StoreError, TerritoryError
from territory.jobs.ledger import DONE, FAILED, OPEN, RUNNING, STOPPED, WAITING, Job, JobLedger
from territory.timestamps import read_utc_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from territory.jobs.heartbeat_ledger import Heartbeats
    from territory.store import Store, Transaction

    Clock = Callable[[], datetime]
    Task = Callable[["Store", Mapping[str, Any], "JobProgress"], Mapping[str, Any]]

ATTEMPTS = 3
BEAT_S = 1.0  # how often a running job gives a heartbeat
# After so long without one its worker counts as dead; on the same machine the process list knows
# sooner. A worker is silent for as long as one call holds the interpreter: a second or two.
SILENT_S = 30.0
FRESH_S = 3.0  # a job just taken up may have given no heartbeat yet
ENDINGS = 10  # how often the end of a job is tried to be written while others hold the store
log = logging.getLogger("territory.jobs")


class StopAskedError(Exception):
    """Raised inside a task, where it reports how far it is, once somebody asked it to stop."""


def ask(
    store: Store,
    task: str,
    arguments: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    unless: Callable[[Job], str | None] | None = None,
) -> str:
    """Ask for a task and give the id of the job; a worker takes it up when it is free.

    Parameters
    ----------
    unless
        Says of a job of this task that is open or done why it makes this one needless, None where
        it does not. It is asked while nobody else can ask for a job, so that of several at once
        one is made.

    Raises
    ------
    ConflictError
        If there is such a job, with that sentence.
    """
    # Ids sort by when they were made: jobs asked for in one second are taken up in their order.
    job_id = f"job-{time.time_ns() // 1000:013x}{secrets.token_hex(2)}"
    with store.write() as transaction:
        ledger = JobLedger(transaction)
        if unless is not None:
            told = map(unless, ledger.of_task(task, (*OPEN, DONE)))
            if sentence := next(filter(None, told), None):
                raise ConflictError(sentence)
        ledger.add(job_id, task, arguments, by, utc_text(now))
    return job_id


def look(store: Store, heartbeats: Heartbeats, job_id: str) -> Job:
    """Look at a job as it is now; one that runs shows the stage of its last heartbeat.

    Raises
    ------
    NotFoundError
        If there is no such job.
    """
    with store.read() as transaction:
        job = JobLedger(transaction).find(job_id)
    return _live(heartbeats, job)


def recent(store: Store, heartbeats: Heartbeats, *, limit: int = 100) -> list[Job]:
    """List the jobs, the one asked for last first."""
    with store.read() as transaction:
        jobs = JobLedger(transaction).recent(limit=limit)
    return [_live(heartbeats, job) for job in jobs]


def _live(heartbeats: Heartbeats, job: Job) -> Job:
    last = heartbeats.last(job.job_id) if job.state == RUNNING else None
    if not last:
        return job
    stage, done, total = last["stage"], last["done"], last["total"]
    return dataclasses.replace(job, stage=stage, done=done, total=total, told_at=last["at"])


def stop(store: Store, heartbeats: Heartbeats, job_id: str, *, now: datetime) -> None:
    """Stop a job: at once if it waits; one that runs stops where it next reports.

    Raises
    ------
    NotFoundError
        If there is no such job.
    ConflictError
        If it is over already.
    """
    with store.read() as transaction:
        job = JobLedger(transaction).find(job_id)
    if not job.is_open:
        raise ConflictError(f"{job_id} is {job.state} already, since {job.ended_at}.")
    heartbeats.ask_to_stop(job_id)
    if job.state == WAITING:
        with store.write() as transaction:
            JobLedger(transaction).end(job_id, job.attempts, state=STOPPED, ended_at=utc_text(now))


def recover(store: Store, heartbeats: Heartbeats, *, now: datetime) -> list[str]:
    """Put back what a dead worker left.

    Returns the jobs that were put back. One that was lost `ATTEMPTS` times is given up.
    """
    with store.read() as transaction:
        running = JobLedger(transaction).recent([RUNNING], limit=10_000)
    lost = [job for job in running if is_lost(job, heartbeats.last(job.job_id), now)]
    for job in lost:
        _put_back(store, heartbeats, job, now)
    return [job.job_id for job in lost if job.attempts < ATTEMPTS]


def is_lost(job: Job, heartbeat: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether nobody runs a running job any more, by its last heartbeat."""
    if heartbeat is None:
        return _silent_s(str(job.told_at), now) > FRESH_S
    host, _, process = str(heartbeat["worker"]).rpartition(":")
    if host == socket.gethostname() and not _is_alive(int(process)):
        return True
    return _silent_s(heartbeat["at"], now) > SILENT_S


def _silent_s(since: str, now: datetime) -> float:
    return (now - read_utc_text(since)).total_seconds()


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # there, asking would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's: alive
        return True
    return True


def _put_back(store: Store, heartbeats: Heartbeats, job: Job, now: datetime) -> None:
    heartbeats.forget(job.job_id)
    with store.write() as transaction:
        if job.attempts < ATTEMPTS:
            JobLedger(transaction).put_back(job.job_id, job.attempts)
            return
        words = (
            f"The worker stopped {job.attempts} times while running it, so it is not tried again. "
            "Nothing was written. Look at the worker's log; too little memory is the usual reason."
        )
        JobLedger(transaction).end(
            job.job_id, job.attempts, state=FAILED, ended_at=utc_text(now), error=words
        )


class JobProgress:
    """How far a running job is; a task is given one and reports by it."""

    def __init__(self, job: Job | None = None, clock: Clock | None = None) -> None:
        self._job, self._clock = job, clock
        self.stage: str | None = None
        self.done: int | None = None
        self.total: int | None = None
        self.is_stopping = threading.Event()

    def __call__(self, stage: str) -> None:
        """Say what is being done.

        Raises
        ------
        StopAskedError
            If somebody asked the job to stop.
        """
        self.stage, self.done, self.total = stage, None, None
        self._check()

    def rows(self, done: int, of: int | None = None) -> None:
        """Say how many rows are done, of how many."""
        self.done, self.total = done, of
        self._check()

    def end(self, transaction: Transaction, outcome: Mapping[str, Any]) -> None:
        """Write the end of the job in the transaction of its task.

        A worker that dies right after it leaves nothing to do again: of an import that ran twice
        there would be two records.
        """
        if self._job is not None and self._clock is not None:
            JobLedger(transaction).end(
                self._job.job_id,
                self._job.attempts,
                state=DONE,
                outcome=dict(outcome),
                ended_at=utc_text(self._clock()),
                **self.as_json(),
            )

    def _check(self) -> None:
        if self.is_stopping.is_set():
            raise StopAskedError

    def as_json(self) -> dict[str, Any]:
        """Give what was reported last."""
        return {"stage": self.stage, "done": self.done, "total": self.total}


def take_up(store: Store, *, now: datetime) -> Job | None:
    """Claim the job that has waited longest; None where none waits or another worker was first."""
    with store.read() as transaction:  # most often none waits, and no writer is kept waiting
        job_id = JobLedger(transaction).next_waiting()
    if job_id is None:
        return None
    with store.write() as transaction:
        return JobLedger(transaction).claim(job_id, utc_text(now))


def run(
    store: Store, heartbeats: Heartbeats, tasks: Mapping[str, Task], job: Job, *, clock: Clock
) -> Job:
    """Run a job that was taken up to its end and write down what came of it.

    What goes wrong inside a task ends the job as failed; what is none of our errors is logged too.
    """
    progress = JobProgress(job, clock)
    ending: dict[str, Any] = {
        "state": FAILED,
        "error": "The job failed because of an error in the program; its log has details.",
    }
    try:
        with _beating(heartbeats, job.job_id, progress, clock):
            outcome = tasks[job.work](store, job.arguments, progress)
        ending = {"state": DONE, "outcome": dict(outcome)}
    except StopAskedError:
        ending = {"state": STOPPED}
    except TerritoryError as error:
        ending = {"state": FAILED, "error": error.sentence}
        if error.sentence != str(error):
            log.warning("%s (%s): %s", job.job_id, job.work, error)
    except Exception:  # a task may fail in any way: the worker logs it and takes up the next job
        log.exception("%s (%s) failed inside.", job.job_id, job.work)
    finally:
        _end(store, job, clock, **progress.as_json(), **ending)
        heartbeats.forget(job.job_id)
    with store.read() as transaction:
        return JobLedger(transaction).find(job.job_id)


@contextmanager
def _beating(
    heartbeats: Heartbeats, job_id: str, progress: JobProgress, clock: Clock
) -> Iterator[None]:
    """Give heartbeats beside the task, and hear whether it shall stop."""
    worker, over = f"{socket.gethostname()}:{os.getpid()}", threading.Event()

    def beat() -> None:
        while True:
            try:
                heartbeats.beat(
                    job_id, {"worker": worker, "at": utc_text(clock()), **progress.as_json()}
                )
                if heartbeats.is_asked_to_stop(job_id):
                    progress.is_stopping.set()
            except StoreError as error:  # the task goes on; only nobody sees how far it is
                log.warning("%s: no sign of life could be given: %s", job_id, error)
            if over.wait(BEAT_S):
                break

    thread = threading.Thread(target=beat, name=f"heartbeats of {job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(store: Store, job: Job, clock: Clock, **values: Any) -> None:
    """Write the end of a job, waiting for others who write to the store."""
    for left in reversed(range(ENDINGS)):
        try:
            with store.write() as transaction:
                JobLedger(transaction).end(
                    job.job_id, job.attempts, ended_at=utc_text(clock()), **values
                )
        except StoreError:
            if not left:
                raise
        else:
            return
