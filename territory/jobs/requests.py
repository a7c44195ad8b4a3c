"""Long works that outlive the browser that asked for them and the server that runs them.

A job is a row of the store; a worker takes it up, runs its work and writes down what came of it.
A worker that dies leaves its job running without a sign of life: the next one to look puts it back,
at most `ATTEMPTS` times. So a work must be safe to run again from the start, as an import is, whose
rows and record are one transaction. The works themselves are in ``works``.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from territory.errors import ConflictError, StoreError, TerritoryError
from territory.jobs.ledger import DONE, FAILED, OPEN, RUNNING, STOPPED, WAITING, Job, JobLedger
from territory.timestamps import read_utc_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from territory.jobs.queue import Queue
    from territory.store import Store

    Clock = Callable[[], datetime]
    Work = Callable[["Store", Mapping[str, Any], "Progress"], Mapping[str, Any]]


ATTEMPTS = 3
BEAT_S = 1.0  # how often a running job gives a sign of life
# After so long without one its worker counts as dead; on the same machine the process list knows
# sooner. A worker is silent for as long as one call holds the interpreter: a second or two.
SILENT_S = 30.0
FRESH_S = 3.0  # a job just taken up may have given no sign yet
ENDINGS = 10  # how often the end of a job is tried to be written while others hold the store
log = logging.getLogger("territory.jobs")


class StopAskedError(Exception):
    """Raised inside a work, where it tells how far it is, once somebody asked it to stop."""


def ask(
    store: Store, queue: Queue, work: str, arguments: Mapping[str, Any], *, by: str, now: datetime
) -> str:
    """Ask for a work and give the id of the job; a worker takes it up when it is free."""
    job_id = f"job-{secrets.token_hex(6)}"
    with store.write() as transaction:
        JobLedger(transaction).add(job_id, work, arguments, by, utc_text(now))
    queue.send(job_id)
    return job_id


def look(store: Store, queue: Queue, job_id: str) -> Job:
    """Look at a job as it is now; one that runs shows the stage of its last sign of life.

    Raises
    ------
    NotFoundError
        If there is no such job.
    """
    with store.read() as transaction:
        job = JobLedger(transaction).find(job_id)
    return _live(queue, job)


def listed(store: Store, queue: Queue, *, limit: int = 100) -> list[Job]:
    """List the jobs, the one asked for last first."""
    with store.read() as transaction:
        found = JobLedger(transaction).listed(limit=limit)
    return [_live(queue, job) for job in found]


def _live(queue: Queue, job: Job) -> Job:
    sign = queue.sign(job.job_id) if job.state == RUNNING else None
    if not sign:
        return job
    told = {name: sign[name] for name in ("stage", "done", "total")}
    return dataclasses.replace(job, **told, told_at=sign["at"])


def stop(store: Store, queue: Queue, job_id: str, *, now: datetime) -> None:
    """Stop a job: at once if it waits; one that runs stops where it next tells how far it is.

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
    queue.ask_to_stop(job_id)
    if job.state == WAITING:
        with store.write() as transaction:
            JobLedger(transaction).end(job_id, job.attempts, state=STOPPED, ended_at=utc_text(now))


def recover(store: Store, queue: Queue, *, now: datetime) -> list[str]:
    """Put back what a dead worker left, and send what waits without anybody knowing.

    Returns the jobs that were put back. One that was lost `ATTEMPTS` times is given up.
    """
    with store.read() as transaction:
        held = JobLedger(transaction).listed(OPEN, limit=10_000)
    running = [job for job in held if job.state == RUNNING]
    lost = [job for job in running if is_lost(job, queue.sign(job.job_id), now)]
    for job in lost:
        _put_back(store, queue, job, now)
    again = [job.job_id for job in lost if job.attempts < ATTEMPTS]
    known = queue.waiting()
    for job in reversed(held):
        if (job.state == WAITING or job.job_id in again) and job.job_id not in known:
            queue.send(job.job_id)
    return again


def is_lost(job: Job, sign: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether nobody runs a running job any more, by its last sign of life."""
    if sign is None:
        return _silent_s(str(job.told_at), now) > FRESH_S
    host, _, process = str(sign["worker"]).rpartition(":")
    if host == socket.gethostname() and not _is_alive(int(process)):
        return True
    return _silent_s(sign["at"], now) > SILENT_S


def _silent_s(since: str, now: datetime) -> float:
    told = read_utc_text(since)
    return (now - told).total_seconds()


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


def _put_back(store: Store, queue: Queue, job: Job, now: datetime) -> None:
    queue.forget(job.job_id)
    with store.write() as transaction:
        if job.attempts < ATTEMPTS:
            JobLedger(transaction).put_back(job.job_id, job.attempts)
            return
        words = (
            f"The worker died {job.attempts} times in the middle of it, so it is not tried again. "
            "Nothing was written. Look at the worker's log; too little memory is the usual reason."
        )
        JobLedger(transaction).end(
            job.job_id, job.attempts, state=FAILED, ended_at=utc_text(now), error=words
        )


class Progress:
    """How far a running job is; what a work is given to tell it with."""

    def __init__(self) -> None:
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

    def _check(self) -> None:
        if self.is_stopping.is_set():
            raise StopAskedError

    def told(self) -> dict[str, Any]:
        """Give what was told last."""
        return {"stage": self.stage, "done": self.done, "total": self.total}


def run(
    store: Store, queue: Queue, works: Mapping[str, Work], job_id: str, *, clock: Clock
) -> Job | None:
    """Take up a job, run it to its end and write down what came of it.

    None where it was not there to be taken. What goes wrong inside a work ends the job as failed
    and leaves this function only where it is none of our errors.
    """
    with store.write() as transaction:
        job = JobLedger(transaction).claim(job_id, utc_text(clock()))
    if job is None:
        return None
    progress = Progress()
    ended: dict[str, Any] = {"state": FAILED, "error": "The work failed inside; its log has more."}
    try:
        with _beating(queue, job_id, progress, clock):
            outcome = works[job.work](store, job.arguments, progress)
        ended = {"state": DONE, "outcome": dict(outcome)}
    except StopAskedError:
        ended = {"state": STOPPED}
    except TerritoryError as error:
        ended = {"state": FAILED, "error": str(error)}
    finally:
        _end(store, job, clock, **progress.told(), **ended)
        queue.forget(job_id)
    with store.read() as transaction:
        return JobLedger(transaction).find(job_id)


@contextmanager
def _beating(queue: Queue, job_id: str, progress: Progress, clock: Clock) -> Iterator[None]:
    """Give signs of life beside the work, and hear whether it shall stop."""
    worker, over = f"{socket.gethostname()}:{os.getpid()}", threading.Event()

    def beat() -> None:
        while True:
            try:
                queue.tell(job_id, {"worker": worker, "at": utc_text(clock()), **progress.told()})
                if queue.is_asked_to_stop(job_id):
                    progress.is_stopping.set()
            except StoreError as error:  # the work goes on; only nobody sees how far it is
                log.warning("%s: no sign of life could be given: %s", job_id, error)
            if over.wait(BEAT_S):
                break
        queue.close()

    thread = threading.Thread(target=beat, name=f"signs of {job_id}", daemon=True)
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
