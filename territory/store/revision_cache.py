"""Revision cache: answers about the store, kept for as long as the tables they rest on stand.

Every transaction that writes gives each table it wrote a higher number, in the table ``revisions``
and within the same transaction (``Store.write``). An answer is kept beside the numbers of its
tables, so it is never given once another process has changed one of them, whichever database holds
the store.
"""

from __future__ import annotations

import functools
import re
import sqlite3
import time
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from threading import Lock, local
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cachetools import LRUCache
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

# The tables of the other modules are imported for ``metadata`` to be whole.
from territory.store import (  # noqa: F401
    access_tables,
    activity_tables,
    eligibility_tables,
    import_tables,
    sqlite_files,
)
from territory.store.database_errors import store_error
from territory.store.database_url import shown_url
from territory.store.tables import metadata, revisions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping

    from sqlalchemy import Connection, Engine

Answer = TypeVar("Answer")
MOST_BYTES = 64_000_000  # of answers; what was asked for longest ago goes first
PLAIN_BYTES = 1_000  # what an answer is taken to weigh where nobody says
MOST_WAIT_S = 30.0  # for another thread that works the same answer out
_WRITE = re.compile(r'\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
# The clock in microseconds, or one more where that was given out already: a number never comes
# again, not even where a backup is put back and written to anew, whose snapshots lie on the disk.
_BUMP = text(
    "INSERT INTO revisions (kind, number) VALUES (:kind, :now) ON CONFLICT (kind) DO UPDATE SET "
    "number = CASE WHEN excluded.number > revisions.number THEN excluded.number "
    "ELSE revisions.number + 1 END"
)


def note_write(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    """Remember which table a statement writes; an event of the engine, called for each."""
    if match := _WRITE.match(statement):
        verb, table = match.groups()
        is_delete = verb[0] in "dD"
        touch(connection, *(_deleted_with(table) if is_delete else (table,)))


def touch(connection: Connection, *tables: str) -> None:
    """Remember that tables are written by this transaction."""
    touched = connection.get_execution_options().get("touched")
    if touched is not None:
        touched.update(tables)


@functools.cache
def _deleted_with(table: str) -> frozenset[str]:
    """Name a table and those whose rows go with its rows by a foreign key, which no event tells."""
    children = {
        other.name
        for other in metadata.tables.values()
        for key in other.foreign_keys
        if key.ondelete == "CASCADE" and key.column.table.name == table
    }
    return frozenset({table}).union(*(_deleted_with(child) for child in children))


def bump(connection: Connection, tables: Iterable[str]) -> None:
    """Give each table a higher number, within the caller's transaction."""
    now = time.time_ns() // 1_000
    # In one order, so that two transactions never wait for each other's rows.
    numbered = [{"kind": table, "now": now} for table in sorted(set(tables) - {revisions.name})]
    if numbered:
        connection.execute(_BUMP, numbered)


class _Entry(NamedTuple):
    state: tuple[int, ...]
    answer: Any
    weight: int


class RevisionCache:
    """Answers by key, each good for one state of its tables. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        is_sqlite = engine.dialect.name == "sqlite"
        self._path = engine.url.database if is_sqlite else None
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._numbers: Mapping[str, int] = {}
        self._entries: LRUCache[Hashable, _Entry] = LRUCache(
            MOST_BYTES, getsizeof=lambda entry: entry.weight
        )
        self._flights: dict[Hashable, Future[Any]] = {}  # by key and state
        self._thread = local()
        self._lock = Lock()

    def get(
        self,
        tables: Collection[str],
        key: Hashable,
        make: Callable[[], Answer],
        *,
        weight: int = PLAIN_BYTES,
    ) -> Answer:
        """Give what ``make`` answers under a key, without asking while its tables stand.

        Treat it as frozen: others are given it too. Where many threads ask at once, one works it
        out and the others wait for it; where it fails or takes longer than ``MOST_WAIT_S``, each
        works it out. A thread that is working out an answer waits for nobody.

        Parameters
        ----------
        tables
            Names of all tables that the answer rests on.
        weight
            How many bytes the answer takes, roughly.
        """
        state = self.state(tables)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.state == state:
                answer: Answer = entry.answer
                return answer
            flight = self._flights.get((key, state))
            own: Future[Answer] | None = None
            if flight is None:
                own = self._flights[key, state] = Future()
        if flight is not None and not self._is_working():
            with suppress(CancelledError, TimeoutError):
                waited: Answer = flight.result(MOST_WAIT_S)
                return waited
        # The numbers were read first, so the answer is of this state or of a later one; of a
        # later one it is asked for again, and never the other way round.
        try:
            answer = self._work_out(make)
            with self._lock:
                self._entries[key] = _Entry(state, answer, min(weight, MOST_BYTES))
            if own is not None:
                own.set_result(answer)
            return answer
        finally:
            if own is not None:
                own.cancel()  # says that there is no answer, where it was not set
                with self._lock:
                    del self._flights[key, state]

    def _is_working(self) -> bool:
        return getattr(self._thread, "depth", 0) > 0

    def _work_out(self, make: Callable[[], Answer]) -> Answer:
        depth = getattr(self._thread, "depth", 0)
        self._thread.depth = depth + 1
        try:
            return make()
        finally:
            self._thread.depth = depth

    def state(self, tables: Collection[str]) -> tuple[int, ...]:
        """Give the number of each table; 0 where nothing was ever written."""
        numbers = self._read_sqlite() if self._path else self._read()
        return tuple(numbers[table] for table in tables)

    def _read(self) -> Mapping[str, int]:
        # One statement needs no transaction around it, which is two more ways to the server.
        options = {"isolation_level": "AUTOCOMMIT"}
        with (
            self._our_errors(),
            self._engine.connect().execution_options(**options) as connection,
        ):
            rows = connection.execute(select(revisions)).all()
        return dict.fromkeys(metadata.tables, 0) | {row.kind: row.number for row in rows}

    def _read_sqlite(self) -> Mapping[str, int]:
        """Read the numbers; a file tells within microseconds that nobody has committed since.

        ``PRAGMA data_version`` of a connection that never writes is another number after every
        commit of any other connection.
        """
        with self._lock, self._our_errors():
            if self._connection is None:
                # The lock is held: one thread at a time.
                self._connection = sqlite_files.connect(
                    str(self._path), isolation_level=None, check_same_thread=False
                )
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                rows = self._connection.execute("SELECT kind, number FROM revisions").fetchall()
                self._numbers = dict.fromkeys(metadata.tables, 0) | dict(rows)
                self._version = version
            return self._numbers

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, DBAPIError) as error:
            self._version = None
            raise store_error(error, shown_url(self._engine.url)) from error

    def close(self) -> None:
        """Forget everything and close the connection."""
        with self._lock:
            self._entries.clear()
            self._version = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None
