"""What was read of a store, remembered for exactly as long as nobody changes the store."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sqlalchemy import Engine

Answer = TypeVar("Answer")
KEPT = 1024  # answers; what was asked longest ago is forgotten first
KEPT_OF_STATES = 64  # these may be frames


class Memory:
    """Answers about one database, all forgotten when anybody in any process has changed it.

    A SQLite file tells: ``PRAGMA data_version`` of a connection that never writes is another number
    after every commit of any other connection, and costs microseconds. Other databases do not tell,
    so nothing is remembered of them.
    """

    def __init__(self, engine: Engine) -> None:
        is_file = engine.dialect.name == "sqlite" and engine.url.database != ":memory:"
        self._path = engine.url.database if is_file else None
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._of_states: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, read: Callable[[], Answer]) -> Answer:
        """Give what ``read`` answers under a key, without asking where it answered that before."""
        if not self._path:
            return read()
        with self._lock:
            version = self._renewed()
            if key in self._answers:
                self._answers.move_to_end(key)
                answer_there: Answer = self._answers[key]
                return answer_there
        answer = read()  # sees this version or a later one, which is then another number
        with self._lock:
            if version == self._version:
                self._answers[key] = answer
                if len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
        return answer

    def recall_of(self, state: Hashable, key: Hashable, read: Callable[[], Answer]) -> Answer:
        """Give what ``read`` answers under a key, without asking while the state is the same one.

        Whoever asks has found out the state before, and says by it all that the answer rests on.
        """
        with self._lock:
            if key in self._of_states and self._of_states[key][0] == state:
                self._of_states.move_to_end(key)
                answer_there: Answer = self._of_states[key][1]
                return answer_there
        answer = read()
        with self._lock:
            self._of_states[key] = (state, answer)
            if len(self._of_states) > KEPT_OF_STATES:
                self._of_states.popitem(last=False)
        return answer

    def _renewed(self) -> int:
        """Ask for the version, and forget everything where it is a new one."""
        if self._connection is None:
            assert self._path  # noqa: S101  asked already
            # The lock is held: one thread at a time.
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._answers.clear()
            self._version = version
        return version

    def close(self) -> None:
        """Forget everything and close the connection."""
        with self._lock:
            self._answers.clear()
            self._of_states.clear()
            self._version = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None
