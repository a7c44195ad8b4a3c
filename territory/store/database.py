"""Database: what the system remembers. The only package that speaks SQL beside the ledgers.

``open_store(url)`` gives a ``Store``; its ``read`` and ``write`` give a ``Transaction`` each, and
whatever happens in one happens wholly or not at all::

    with open_store("sqlite:///var/territory.sqlite") as store, store.read() as transaction:
        offices = transaction.table("offices")
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchModuleError

from territory.errors import BusyError, RefusedWriteError, StoreError
from territory.store import sqlite_files, task_lock
from territory.store.database_errors import store_error
from territory.store.database_url import (
    DEFAULT_URL,
    HOW_TO_NAME_ONE,
    masked,
    read_url,
    shown_url,
)
from territory.store.revision_cache import PLAIN_BYTES, RevisionCache, bump, note_write
from territory.store.rows import Transaction
from territory.store.tables import REVISION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator
    from types import TracebackType

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

    Answer = TypeVar("Answer")


BUSY_TIMEOUT_S = 30  # how long a writer waits for another writer
# PostgreSQL lets one writer at a time through this door, as SQLite does, so that what a verb has
# read still holds when it writes.
WRITER_LOCK = 5_020_026


@dataclass(frozen=True)
class Patience:
    """How long those who write wait for one another, and how many of a process may at once.

    ``turn_s`` is how long one waits to be among the ``writers`` of this process, ``lock_s`` how
    long it then waits for the writers of other processes.
    """

    lock_s: float = BUSY_TIMEOUT_S
    writers: int = 1_000
    turn_s: float = BUSY_TIMEOUT_S


class Store:
    """An open database. Threads may share it; a process that forks opens its own."""

    def __init__(self, engine: Engine, patience: Patience | None = None) -> None:
        self._engine = engine
        self._patience = patience or Patience()
        self._turns = threading.BoundedSemaphore(self._patience.writers)
        self.cache = RevisionCache(engine)

    @property
    def url(self) -> str:
        """The address in full, absolute, with any password: for another process, not for eyes."""
        return self._engine.url.render_as_string(hide_password=False)

    @property
    def shown(self) -> str:
        """The address without any password, for messages."""
        return shown_url(self._engine.url)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """See the store as it is at this moment; what others write meanwhile stays out of sight."""
        options: dict[str, Any] = {"patience_s": self._patience.lock_s}
        if not self._is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"
        with self._our_errors():
            connection = self._engine.connect().execution_options(**options)
            with connection, connection.begin():
                yield Transaction(connection)

    def cached(
        self,
        tables: Collection[str],
        key: Hashable,
        read: Callable[[Transaction], Answer],
        *,
        weight: int = PLAIN_BYTES,
    ) -> Answer:
        """Give what ``read`` answers about the store as it is at this moment.

        While nobody has written to any of ``tables``, which the answer rests on, it is what was
        answered under the same key before. Treat it as frozen: others are given it too.
        """

        def ask() -> Answer:
            with self.read() as transaction:
                return read(transaction)

        return self.cache.get(tables, key, ask, weight=weight)

    @contextmanager
    def write(self, *, wait_s: float | None = None, touches: bool = True) -> Iterator[Transaction]:
        """Change the store: all of it when the block ends well, nothing when it raises.

        Writers wait for one another, so what a block has read still holds when it writes.

        Parameters
        ----------
        wait_s
            How long to wait for others who write; by default as long as the store's patience.
        touches
            False: what is written is out of everybody's sight so far, so no answer changes.

        Raises
        ------
        BusyError
            If others have been writing for longer than this store's patience.
        """
        with self._our_errors(), self._turn(wait_s):
            touched: set[str] = set()
            patience_s = self._patience.lock_s if wait_s is None else wait_s
            options = {"writes": True, "touched": touched, "patience_s": patience_s}
            connection = self._engine.connect().execution_options(**options)
            with connection, connection.begin():
                _lock_writers(connection)
                yield Transaction(connection)
                if touches:
                    bump(connection, touched)

    @contextmanager
    def alone(self, task: str) -> Iterator[None]:
        """Be the only process at a task of many transactions.

        Raises
        ------
        BusyError
            If another one is at it.
        """
        with task_lock.alone(self._engine, task) as is_alone:
            if not is_alone:
                raise BusyError(f"{self.shown}: another process is at this already. Try again.")
            yield

    @contextmanager
    def _turn(self, wait_s: float | None) -> Iterator[None]:
        # Whoever waits holds a thread that could answer somebody who only reads.
        turn_s = self._patience.turn_s
        if not self._turns.acquire(timeout=turn_s if wait_s is None else min(wait_s, turn_s)):
            raise BusyError(f"{self.shown}: others are writing. Nothing was saved. Try again soon.")
        try:
            yield
        finally:
            self._turns.release()

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise RefusedWriteError(
                f"{self.shown}: refused, nothing was written ({' '.join(str(error.orig).split())})."
            ) from error
        except DBAPIError as error:
            raise store_error(error, self.shown) from error

    def rewrite(self, table: str) -> None:
        """Rewrite the database, so that no page and no log of it holds what a table held before.

        Raises
        ------
        StoreError
            If somebody reads or writes it meanwhile.
        """
        with self._our_errors():
            options = {"isolation_level": "AUTOCOMMIT"}
            with self._engine.connect().execution_options(**options) as connection:
                if not self._is_sqlite:
                    quoted = connection.dialect.identifier_preparer.quote(table)
                    connection.exec_driver_sql(f"VACUUM (FULL) {quoted}")
                    return
                # Past SQLAlchemy, whose transaction VACUUM would not run in.
                raw: Any = connection.connection.driver_connection
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        self.cache.close()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_store(
    url: str | None = None, *, create: bool = True, patience: Patience | None = None
) -> Store:
    """Open a store, making it and the folder of its file, or upgrading its tables, where needed.

    Parameters
    ----------
    url
        sqlite:///folder/file.sqlite, a bare path to a SQLite file, or postgresql://...; by default
        what TERRITORY_STORE says, or else ``DEFAULT_URL`` in the current folder.
    create
        False: a SQLite file that does not exist is an error.
    patience
        How long writers wait; by default as long as a person at a terminal would.

    Raises
    ------
    InputError
        If the URL names no usable database.
    StoreError
        If the database is out of reach, missing, or from a newer version.
    """
    address = read_url(url or os.environ.get("TERRITORY_STORE") or DEFAULT_URL)
    return Store(_connect(address, create=create), patience)


def _connect(url: URL, *, create: bool) -> Engine:
    """Open the database, making or upgrading its tables where needed.

    Raises
    ------
    StoreError
        If it cannot be reached, does not exist and ``create`` is false, or is newer than we are.
    """
    if url.get_backend_name() == "sqlite":
        _find_file(Path(str(url.database)), create=create)
    engine = open_engine(url, _set_up_sqlite, _upgrade)
    event.listen(engine, "before_cursor_execute", note_write)
    return engine


def open_engine(
    url: URL,
    set_up_sqlite: Callable[[Any, object], None],
    prepare: Callable[[Engine, str], None],
    **options: Any,
) -> Engine:
    """Open a database whose transactions begin when we say so, its tables made or upgraded.

    Parameters
    ----------
    set_up_sqlite
        Sets the pragmas of a new connection to SQLite.
    prepare
        Makes or upgrades the tables; is given the address without its password, for messages.

    Raises
    ------
    StoreError
        If the driver is missing, the database is out of reach, or ``prepare`` refuses it.
    """
    address = shown_url(url)
    is_sqlite = url.get_backend_name() == "sqlite"
    options = {"hide_parameters": True, **options}  # no row of anybody in a traceback
    try:
        if is_sqlite:
            path = str(url.database)
            options["creator"] = lambda: sqlite_files.connect(path, check_same_thread=False)
        engine = create_engine(url, pool_pre_ping=not is_sqlite, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"{address}: the driver is missing ({error}). "
            "pip install 'territory-mapper[postgresql]'."
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        prepare(engine, address)
    except DBAPIError as error:
        engine.dispose()
        raise store_error(error, address) from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _find_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{masked(str(path))} is a folder. {HOW_TO_NAME_ONE}")
    if path.exists():
        return
    if not create:
        raise StoreError(
            f"No store at {masked(str(path))}. `territory demo` or `territory import` makes one; "
            "--store or TERRITORY_STORE names another."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{masked(str(path.parent))} cannot be made ({error.strerror})."
        ) from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, late and never for reads; we say BEGIN.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")  # with WAL, a crash loses no committed state
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get("writes", False)
    if (patience_s := options.get("patience_s")) is not None:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(1000 * patience_s)}")
    # A writer takes the lock at once: one that read first could not get it any more later on.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: Connection) -> str | None:
    """Give the revision of the tables, None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


def _upgrade(engine: Engine, address: str) -> None:
    with engine.connect() as connection:
        revision = _version(connection)
    if revision == REVISION:
        return
    from territory.store.migrations import run  # Alembic is slow to import and seldom needed

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        _lock_writers(connection)
        run.upgrade(connection, address)


def _lock_writers(connection: Connection) -> None:
    """Wait until no other process writes; held until the transaction ends."""
    if connection.dialect.name == "postgresql":
        if (patience_s := connection.get_execution_options().get("patience_s")) is not None:
            wait_ms = max(int(1000 * patience_s), 1)  # 0 would be for ever
            connection.execute(text(f"SET LOCAL lock_timeout = {wait_ms}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
