"""SQLite files: opened to be written where that can be, else to be read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote


def connect(path: str | Path, **options: Any) -> sqlite3.Connection:
    """Connect to a file; ``options`` are those of ``sqlite3.connect``.

    Readers of a file in WAL mode write beside it, for one another. Where nothing can be written
    there, the file is opened as one that nobody changes, or with the log that lies beside it.
    """
    path, address = Path(path), str(path)
    if path.exists() and not os.access(path.parent, os.W_OK):
        log = path.with_name(f"{path.name}-wal")
        mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
        address = f"file:{quote(address)}?{mode}"
    connection: sqlite3.Connection = sqlite3.connect(
        address, uri=address.startswith("file:"), **options
    )
    return connection
