"""Revision cache: answers about the store, kept for as long as the tables they rest on stand.

Every transaction that writes adds one to the number of each table it wrote, in the table
``revisions`` and within the same transaction (``Store.write``). An answer is kept beside the
numbers of its tables, so it is never given once another process has changed one of them, whichever
database holds the store.
"""

from __future__ import annotations

import re
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cachetools import LRUCache
from sqlalchemy import select, text

from territory.store.tables import revisions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping

    from sqlalchemy import Connection, Engine

Answer = TypeVar("Answer")
MOST_BYTES = 64_000_000  # of answers; what was asked for longest ago goes first
PLAIN_BYTES = 1_000  # what an answer is taken to weigh where nobody says
_WRITE = re.compile(r'\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
_BUMP = text(
    "INSERT INTO revisions (kind, number) VALUES (:kind, 1) "
    "ON CONFLICT (kind) DO UPDATE SET number = revisions.number + 1"
)


def note_write(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
    """Remember which table a statement writes; an event of the engine, called for each."""
    if match := _WRITE.match(statement):
        touch(connection, match[1])


def touch(connection: Connection, table: str) -> None:
    """Remember that a table is written by this transaction."""
    touched = connection.get_execution_options().get("touched")
    if touched is not None:
        touched.add(table)


def bump(connection: Connection, tables: Iterable[str]) -> None:
    """Add one to the number of each table, within the caller's transaction."""
    numbered = [{"kind": table} for table in sorted(set(tables) - {revisions.name})]
    if numbered:
        connection.execute(_BUMP, numbered)


def cached(
    answers: LRUCache[Hashable, Answer], lock: Lock, key: Hashable, make: Callable[[], Answer]
) -> Answer:
    """Give what ``make`` answers under a key, without asking while it is among the answers.

    The lock is not held while it is made; two threads that ask at once both make it.
    """
    with lock:
        if (answer := answers.get(key)) is not None:
            return answer
    answer = make()
    with lock:
        answers[key] = answer
    return answer


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

        Treat it as frozen: others are given it too. Two threads that ask at once both ask.

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
        # The numbers were read first, so the answer is of this state or of a later one; of a
        # later one it is asked for again, and never the other way round.
        answer = make()
        with self._lock:
            self._entries[key] = _Entry(state, answer, min(weight, MOST_BYTES))
        return answer

    def state(self, tables: Collection[str]) -> tuple[int, ...]:
        """Give the number of each table; 0 where nothing was ever written."""
        numbers = self._read_sqlite() if self._path else self._read()
        return tuple(numbers.get(table, 0) for table in tables)

    def _read(self) -> Mapping[str, int]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(revisions))
            return {row.kind: row.number for row in rows}

    def _read_sqlite(self) -> Mapping[str, int]:
        """Read the numbers; a file tells within microseconds that nobody has committed since.

        ``PRAGMA data_version`` of a connection that never writes is another number after every
        commit of any other connection.
        """
        with self._lock:
            if self._connection is None:
                # The lock is held: one thread at a time.
                self._connection = sqlite3.connect(
                    str(self._path), isolation_level=None, check_same_thread=False
                )
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                rows = self._connection.execute("SELECT kind, number FROM revisions").fetchall()
                self._numbers, self._version = dict(rows), version
            return self._numbers

    def close(self) -> None:
        """Forget everything and close the connection."""
        with self._lock:
            self._entries.clear()
            self._version = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None
