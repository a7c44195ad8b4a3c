"""The worker: a process that takes up jobs one after the other until it is asked to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from territory.eligibility.desk import EligibilitySettings, move_measures, upload_files
from territory.errors import NotFoundError, StoreError
from territory.jobs import requests
from territory.jobs.heartbeat_ledger import open_heartbeats
from territory.jobs.tasks import tasks_by_name
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from territory.jobs.ledger import Job
    from territory.store import Store

WATCH_S = 5.0  # how often a worker looks for jobs that another one left behind
POLL_S = 0.5  # how long a job may wait for a worker that is free
log = logging.getLogger("territory.jobs.worker")


def work(
    store_url: str,
    folder: Path,
    *,
    clock: requests.Clock,
    queue: str | None = None,
    tasks: Mapping[str, requests.Task] | None = None,
    ready: Callable[[], None] = lambda: None,
    is_bound: bool = False,
) -> None:
    """Work until a signal comes: at SIGINT the job at hand is finished first, at SIGTERM it is not.

    What is left in the middle starts again from its beginning, here or in another worker. Runs in
    the main thread of a process, which is over when this returns.

    Parameters
    ----------
    folder
        What the server keeps its files in.
    queue
        Where heartbeats go, as ``open_heartbeats`` has it.
    tasks
        What jobs may ask for, by name; by default all of ``tasks``.
    ready
        Called when the worker listens.
    is_bound
        Stop when the standard input ends, that is when the process that started this one is gone.

    Raises
    ------
    StoreError
        If the store or the heartbeats are out of reach.
    """
    store, heartbeats = open_store(store_url), open_heartbeats(queue, folder=folder)
    by_name = tasks or tasks_by_name(folder, clock)
    over = threading.Event()
    job: Job | None = None
    requests.recover(store, heartbeats, now=clock())

    def next_job() -> None:
        nonlocal job
        job = requests.take_up(store, now=clock())
        if job is None:
            over.wait(POLL_S)
        else:
            requests.run(store, heartbeats, by_name, job, clock=clock)

    def take_up_jobs() -> None:
        while not over.is_set():
            _tried(next_job, over)

    def watch() -> None:
        _tried(lambda: _move_measures(store, folder, clock), over)
        while not over.wait(WATCH_S):
            _tried(lambda: requests.recover(store, heartbeats, now=clock()), over)
            _tried(lambda: upload_files.sweep(folder / upload_files.FOLDER, clock()), over)

    def finish(*_: object) -> None:
        over.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    # The jobs run in a thread of their own, so that a signal is heard in the middle of one.
    signal.signal(signal.SIGINT, finish)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runner = threading.Thread(target=take_up_jobs, name="jobs", daemon=True)
    try:
        runner.start()
        threading.Thread(target=watch, name="watch over jobs", daemon=True).start()
        if is_bound:
            threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
        ready()
        runner.join()
    except KeyboardInterrupt:
        # The thread is in the middle of a job: leaving the interpreter under it could crash.
        if job is not None:
            _tried(lambda: heartbeats.forget(job.job_id), over)
        logging.shutdown()
        os._exit(0)
    heartbeats.close()
    store.close()


def _move_measures(store: Store, folder: Path, clock: requests.Clock) -> None:
    """Take out of the store what earlier versions measured exactly, if its homes are here."""
    with EligibilitySettings.from_environment(folder).open_homes() as homes:
        if not homes.is_blank():
            move_measures(store, homes, now=clock())


def _tried(action: Callable[[], object], over: threading.Event) -> None:
    """Do what is done again anyway, where the store, the heartbeats or a file are not there now."""
    try:
        action()
    except (NotFoundError, OSError, StoreError) as error:
        log.warning("%s Tried again in %g s.", error, WATCH_S)
        over.wait(WATCH_S)


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a lock held here would outlive us
        pass
    os.kill(os.getpid(), signal.SIGTERM)
