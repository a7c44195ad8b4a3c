"""Where jobs wait for a worker and running ones give signs of life: huey over SQLite, Redis or SQL.

What a job is and came to is in the store. The queue holds what may be lost: the order to look at a
job, and once a second how far it is. The two are apart because a long import holds the only pen of
a SQLite store, and its progress must be seen all the same. Everything is written as JSON, never as
pickle: whoever may write to the queue must not be able to run code in a worker.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from territory.errors import InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NAME = "territory"
TASK = "look_at_job"
BUSY_S = 30  # how long a process waits for another that writes to a SQLite queue


class JsonSerializer(Serializer):  # type: ignore[misc]
    """Writes what huey stores as JSON."""

    def _serialize(self, data: Any) -> bytes:
        told = {"message": list(data)} if isinstance(data, Message) else {"value": data}
        return json.dumps(told).encode()

    def _deserialize(self, data: bytes) -> Any:
        told = json.loads(bytes(data))
        return Message(*told["message"]) if "message" in told else told["value"]


class Queue:
    """A queue of job ids. Threads may share it; a process that forks opens its own.

    Every method raises ``StoreError`` where the queue is out of reach.
    """

    def __init__(self, huey: Huey, troubles: tuple[type[Exception], ...] = ()) -> None:
        self.huey = huey
        self.runner: Callable[[str], None] | None = None  # what a worker does with a job's id
        self._task = huey.task(name=TASK)(self._run)
        self._troubles: tuple[type[Exception], ...] = (sqlite3.Error, OSError, *troubles)

    def _run(self, job_id: str) -> None:
        if self.runner is not None:
            self.runner(job_id)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._troubles as error:
            raise StoreError(
                f"The queue of jobs is out of reach ({' '.join(str(error).split())})."
            ) from error

    def send(self, job_id: str) -> None:
        """Ask a worker to look at a job. Twice does no harm: the store says what is still open."""
        with self._told():
            self._task(job_id)

    def waiting(self) -> set[str]:
        """Give the jobs that a worker has still to look at."""
        with self._told():
            return {task.args[0] for task in self.huey.pending()}

    def tell(self, job_id: str, sign: Mapping[str, Any]) -> None:
        """Write a sign of life of a running job."""
        with self._told():
            self.huey.put(f"sign-{job_id}", dict(sign))

    def sign(self, job_id: str) -> dict[str, Any] | None:
        """Read the last sign of life, None where there is none."""
        with self._told():
            found: dict[str, Any] | None = self.huey.get(f"sign-{job_id}", peek=True)
            return found

    def ask_to_stop(self, job_id: str) -> None:
        """Ask the worker that runs a job to stop it."""
        with self._told():
            self.huey.put(f"stop-{job_id}", 1)

    def is_asked_to_stop(self, job_id: str) -> bool:
        """Whether somebody asked for that."""
        with self._told():
            return bool(self.huey.get(f"stop-{job_id}", peek=True))

    def forget(self, job_id: str) -> None:
        """Drop the signs of a job that is over."""
        with self._told():
            for kind in ("sign", "stop"):
                self.huey.delete(f"{kind}-{job_id}")

    def close(self) -> None:
        """Close the connection of this thread."""
        self.huey.storage.close()


def open_queue(address: str | None = None, *, folder: Path = Path("var")) -> Queue:
    """Open the queue that ``address`` or TERRITORY_QUEUE names, by default a file in ``folder``.

    Parameters
    ----------
    address
        redis://host:port/0, rediss://..., postgresql://user@host/database, or a path to a SQLite
        file.

    Raises
    ------
    InputError
        If the address names no queue, or what it needs is not installed.
    StoreError
        If the queue is out of reach.
    """
    chosen = address or os.environ.get("TERRITORY_QUEUE") or str(folder / "jobs.sqlite")
    scheme = chosen.partition("://")[0] if "://" in chosen else "sqlite"
    makers = {"redis": _redis, "rediss": _redis, "postgresql": _postgresql, "sqlite": _sqlite}
    if scheme not in makers:
        raise InputError(
            f"{scheme}://...: this is no queue for jobs. Name redis://host:6379/0, "
            "postgresql://user@host/database or the path of a SQLite file."
        )
    return makers[scheme](chosen)


def _sqlite(address: str) -> Queue:
    path = Path(address.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Queue(
            SqliteHuey(
                NAME, filename=str(path), timeout=BUSY_S, results=False, serializer=JsonSerializer()
            )
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: the queue of jobs cannot be opened ({error}).") from error


def _redis(address: str) -> Queue:
    try:
        import redis
    except ImportError as error:
        raise InputError(
            f"TERRITORY_QUEUE: the client of Redis is missing ({error}). pip install redis."
        ) from error
    huey = RedisHuey(NAME, url=address, results=False, serializer=JsonSerializer())
    return Queue(huey, (redis.RedisError,))


def _postgresql(address: str) -> Queue:
    try:
        import peewee
        from huey.contrib.sql_huey import SqlHuey
    except ImportError as error:
        raise InputError(
            f"TERRITORY_QUEUE: a queue in PostgreSQL needs another package ({error}). "
            "pip install 'territory-mapper[postgresql]'."
        ) from error
    try:
        huey = SqlHuey(NAME, database=address, results=False, serializer=JsonSerializer())
    except peewee.PeeweeException as error:
        raise StoreError(f"The queue of jobs is out of reach ({error}).") from error
    return Queue(huey, (peewee.PeeweeException,))
