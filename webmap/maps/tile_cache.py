"""Drawn tiles, kept in one SQLite file that many threads and processes may use at once."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS drawn_tiles (
    scheme TEXT, ratio INTEGER, zoom INTEGER, x INTEGER, y INTEGER, png BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (scheme, ratio, zoom, x, y)
) WITHOUT ROWID
"""
FIND = """
SELECT png, checksum FROM drawn_tiles WHERE scheme=? AND ratio=? AND zoom=? AND x=? AND y=?
"""
KEEP = "INSERT OR REPLACE INTO drawn_tiles VALUES (?, ?, ?, ?, ?, ?, ?)"
WAIT_S = 2.0  # a tile that cannot be kept is drawn again
log = logging.getLogger(__name__)

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
        return self._find(key) or self._keep(key)

    def has(self, key: Key) -> bool:
        """Tell whether the tile is there already."""
        return self._find(key) is not None

    def _find(self, key: Key) -> bytes | None:
        """Give the tile from the file, None where it is not there, or not as it was kept."""
        try:
            row = self._connection().execute(FIND, key).fetchone()
        except sqlite3.DatabaseError as error:
            self._drop(error)
            return None
        is_whole = row is not None and zlib.crc32(row[0]) == row[1]
        return bytes(row[0]) if is_whole else None

    def close(self) -> None:
        """Close this thread's connection: none may be open where a process forks."""
        if getattr(self._mine, "process", None) == os.getpid():
            self._mine.connection.close()
            del self._mine.process

    def _keep(self, key: Key) -> bytes:
        scheme, ratio, zoom, x, y = key
        png = self._draw(scheme, zoom, x, y, ratio)
        row = (*key, png, zlib.crc32(png))
        try:
            with self._connection() as change:
                change.execute(
                    "INSERT OR REPLACE INTO drawn_tiles VALUES (?, ?, ?, ?, ?, ?, ?)", row
                )
        except (sqlite3.Error, OSError) as error:  # no room, or read-only: it is drawn again
            log.warning("%s: a tile was not kept (%s).", self._path, error)
        return png

    def _drop(self, error: sqlite3.DatabaseError) -> None:
        """Drop a file that is damaged: all in it can be drawn again."""
        if isinstance(error, sqlite3.OperationalError):  # busy, full or out of reach
            return
        log.warning("%s is damaged (%s); its tiles are drawn anew.", self._path, error)
        self.close()
        for end in ("", "-wal", "-shm"):
            self._path.with_name(f"{self._path.name}{end}").unlink(missing_ok=True)

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
