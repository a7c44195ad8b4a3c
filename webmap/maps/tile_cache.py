"""Drawn tiles, kept in one SQLite file that many threads and processes may use at once."""

from __future__ import annotations

import os
import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS tiles (
    scheme TEXT, ratio INTEGER, zoom INTEGER, x INTEGER, y INTEGER, png BLOB NOT NULL,
    PRIMARY KEY (scheme, ratio, zoom, x, y)
) WITHOUT ROWID
"""
WAIT_S = 20.0

Key = tuple[str, int, int, int, int]  # scheme, ratio, zoom, x, y


class TileStore:
    """A file of tiles. What is asked for and not there is drawn, kept and given.

    Two who ask for the same missing tile at once may both draw it; tiles are drawn the same every
    time, so it does not matter whose is kept.
    """

    def __init__(self, path: Path, draw: Callable[..., bytes]) -> None:
        self._path, self._draw = path, draw
        self._mine = threading.local()

    def get(self, key: Key) -> bytes:
        """Give the tile, from the file or newly drawn."""
        found = self._connection().execute(
            "SELECT png FROM tiles WHERE scheme=? AND ratio=? AND zoom=? AND x=? AND y=?", key
        )
        row = found.fetchone()
        return bytes(row[0]) if row else self._keep(key)

    def has(self, key: Key) -> bool:
        """Tell whether the tile is there already."""
        found = self._connection().execute(
            "SELECT 1 FROM tiles WHERE scheme=? AND ratio=? AND zoom=? AND x=? AND y=?", key
        )
        return found.fetchone() is not None

    def close(self) -> None:
        """Close this thread's connection: none may be open where a process forks."""
        if getattr(self._mine, "process", None) == os.getpid():
            self._mine.connection.close()
            del self._mine.process

    def _keep(self, key: Key) -> bytes:
        scheme, ratio, zoom, x, y = key
        png = self._draw(scheme, zoom, x, y, ratio)
        with self._connection() as change:
            change.execute("INSERT OR IGNORE INTO tiles VALUES (?, ?, ?, ?, ?, ?)", (*key, png))
        return png

    def _connection(self) -> sqlite3.Connection:
        """Open one connection per thread; a forked child opens its own."""
        if getattr(self._mine, "process", None) != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=WAIT_S)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(SCHEMA)
            self._mine.connection, self._mine.process = connection, os.getpid()
        connection_of_thread: sqlite3.Connection = self._mine.connection
        return connection_of_thread
