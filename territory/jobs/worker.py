"""The worker: a process that takes up jobs one after the other until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from huey.signals import SIGNAL_INTERRUPTED

from territory.errors import NotFoundError, StoreError
from territory.jobs import requests
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from territory.jobs.queue import Queue

WATCH_S = 5.0  # how often a worker looks for jobs that another one left behind
POLL_S = 0.5  # how long a job may wait for a worker that is free
log = logging.getLogger("territory.jobs.worker")


def work(
    store_url: str,
    queue: Queue,
    works: Mapping[str, requests.Work],
    *,
    clock: requests.Clock,
    ready: Callable[[], None] = lambda: None,
    tidy: Callable[[], object] = lambda: None,
    is_bound: bool = False,
) -> None:
    """Work until a signal comes: at SIGINT the job at hand is finished first, at SIGTERM it is not.

    What is left in the middle starts again from its beginning, here or in another worker. Runs in
    the main thread of a process, which is over when this returns.

    Parameters
    ----------
    ready
        Called when the worker listens.
    tidy
        Called every few seconds, to remove what nobody may keep any longer.
    is_bound
        Stop when the standard input ends, that is when the process that started this one is gone.

    Raises
    ------
    StoreError
        If the store or the queue is out of reach.
    """
    store, over = open_store(store_url), threading.Event()
    queue.runner = lambda job_id: _run(
        lambda: requests.run(store, queue, works, job_id, clock=clock)
    )
    requests.recover(store, queue, now=clock())

    def watch() -> None:
        while not over.wait(WATCH_S):
            _run(lambda: requests.recover(store, queue, now=clock()))
            _run(tidy)
        queue.close()

    interrupted = []

    @queue.huey.signal(SIGNAL_INTERRUPTED)  # type: ignore[untyped-decorator]
    def leave(_signal: str, task: object) -> None:
        interrupted.append(task)
        queue.forget(task.args[0])  # type: ignore[attr-defined]

    # huey would look for tasks of a later hour every second; there are none.
    consumer = queue.huey.create_consumer(
        workers=1, periodic=False, max_delay=POLL_S, scheduler_interval=60
    )
    threading.Thread(target=watch, name="watch over jobs", daemon=True).start()
    if is_bound:
        threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    ready()
    consumer.run()
    over.set()
    if interrupted:
        # The thread is in the middle of a job: leaving the interpreter under it could crash.
        logging.shutdown()
        os._exit(0)
    store.close()


def _run(action: Callable[[], object]) -> None:
    """Do what is done again anyway where the store, the queue or a file is not there this time."""
    try:
        action()
    except (NotFoundError, OSError, StoreError) as error:
        log.warning("%s Tried again in %g s.", error, WATCH_S)


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a lock held here would outlive us
        pass
    os.kill(os.getpid(), signal.SIGTERM)
