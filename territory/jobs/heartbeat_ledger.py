"""Heartbeats of running jobs, and the wish to stop one, kept outside the store.

A long import holds the only pen of a SQLite store, and its progress must be seen all the same. What
is here may be lost: the jobs themselves are rows of the store. Everything is written as JSON, never
as pickle: whoever may write here must not be able to run code in a worker.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Column, MetaData, Table, Text, create_engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.schema import CreateTable

from territory.errors import InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Engine

BUSY_S = 30  # how long a process waits for another that writes to the SQLite file
heartbeats = Table(
    "job_heartbeats",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


class Heartbeats:
    """The last heartbeat of each running job. Threads may share it; a fork opens its own.

    Every method raises ``StoreError`` where they are out of reach.
    """

    def __init__(self, values: _Values) -> None:
        self._values = values

    def beat(self, job_id: str, heartbeat: Mapping[str, Any]) -> None:
        """Write the heartbeat of a running job."""
        self._values.put(f"beat-{job_id}", json.dumps(dict(heartbeat)))

    def last(self, job_id: str) -> dict[str, Any] | None:
        """Read the last heartbeat, None where there is none."""
        value = self._values.get(f"beat-{job_id}")
        return None if value is None else json.loads(value)

    def ask_to_stop(self, job_id: str) -> None:
        """Ask the worker that runs a job to stop it."""
        self._values.put(f"stop-{job_id}", "1")

    def is_asked_to_stop(self, job_id: str) -> bool:
        """Whether somebody asked for that."""
        return self._values.get(f"stop-{job_id}") is not None

    def forget(self, job_id: str) -> None:
        """Drop what is known of a job that nobody runs any more."""
        self._values.delete(f"beat-{job_id}", f"stop-{job_id}")

    def close(self) -> None:
        """Close the connections."""
        self._values.close()


class _Values(Protocol):
    """Texts by key, in one of the places that TERRITORY_QUEUE may name."""

    def put(self, key: str, value: str) -> None: ...
    def get(self, key: str) -> str | None: ...
    def delete(self, *keys: str) -> None: ...
    def close(self) -> None: ...


@contextmanager
def _out_of_reach(*errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise StoreError(f"The queue of jobs is out of reach ({reason}).") from error


class _Database:
    """Texts in a table of SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
        insert = dialect.insert(heartbeats)
        self._upsert = insert.on_conflict_do_update(
            index_elements=["key"], set_={"value": insert.excluded.value}
        )
        with _out_of_reach(DBAPIError), engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.execute(CreateTable(heartbeats, if_not_exists=True))

    def put(self, key: str, value: str) -> None:
        with _out_of_reach(DBAPIError), self._engine.begin() as connection:
            connection.execute(self._upsert, {"key": key, "value": value})

    def get(self, key: str) -> str | None:
        query = select(heartbeats.c.value).where(heartbeats.c.key == key)
        with _out_of_reach(DBAPIError), self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def delete(self, *keys: str) -> None:
        with _out_of_reach(DBAPIError), self._engine.begin() as connection:
            connection.execute(delete(heartbeats).where(heartbeats.c.key.in_(keys)))

    def close(self) -> None:
        self._engine.dispose()


class _Redis:
    """Texts in Redis."""

    def __init__(self, address: str) -> None:
        import redis

        self._client = redis.Redis.from_url(address, decode_responses=True)
        self._error: type[Exception] = redis.RedisError

    def put(self, key: str, value: str) -> None:
        with _out_of_reach(self._error, OSError):
            self._client.set(f"territory.{key}", value)

    def get(self, key: str) -> str | None:
        with _out_of_reach(self._error, OSError):
            value: str | None = self._client.get(f"territory.{key}")
            return value

    def delete(self, *keys: str) -> None:
        with _out_of_reach(self._error, OSError):
            self._client.delete(*(f"territory.{key}" for key in keys))

    def close(self) -> None:
        self._client.close()


def open_heartbeats(address: str | None = None, *, folder: Path = Path("var")) -> Heartbeats:
    """Open the place that ``address`` or TERRITORY_QUEUE names, by default a file in ``folder``.

    Parameters
    ----------
    address
        redis://host:port/0, rediss://..., postgresql://user@host/database, or a path to a SQLite
        file.

    Raises
    ------
    InputError
        If the address names no such place, or what it needs is not installed.
    StoreError
        If it is out of reach.
    """
    address = address or os.environ.get("TERRITORY_QUEUE") or str(folder / "jobs.sqlite")
    scheme = address.partition("://")[0] if "://" in address else "sqlite"
    openers = {"redis": _redis, "rediss": _redis, "postgresql": _postgresql, "sqlite": _sqlite}
    if scheme not in openers:
        raise InputError(
            f"{scheme}://...: this is no queue for jobs. Name redis://host:6379/0, "
            "postgresql://user@host/database or the path of a SQLite file."
        )
    return Heartbeats(openers[scheme](address))


def _sqlite(address: str) -> _Values:
    path = Path(address.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _Database(create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_S}))
    except (OSError, StoreError) as error:
        raise StoreError(f"{path}: the queue of jobs cannot be opened ({error}).") from error


def _redis(address: str) -> _Values:
    try:
        return _Redis(address)
    except ImportError as error:
        raise InputError(
            f"TERRITORY_QUEUE: the client of Redis is missing ({error}). pip install redis."
        ) from error


def _postgresql(address: str) -> _Values:
    try:
        engine = create_engine(
            address.replace("postgresql:", "postgresql+psycopg:", 1), pool_pre_ping=True
        )
    except ArgumentError as error:
        raise InputError("TERRITORY_QUEUE: this is no address of a PostgreSQL database.") from error
    except ImportError as error:
        raise InputError(
            f"TERRITORY_QUEUE: a queue in PostgreSQL needs another package ({error}). "
            "pip install 'territory-mapper[postgresql]'."
        ) from error
    return _Database(engine)
