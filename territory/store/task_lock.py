"""Task lock: one process at a time at a task of many transactions; it ends with the process."""

from __future__ import annotations

import sys
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@contextmanager
def alone(engine: Engine, task: str) -> Iterator[bool]:
    """Hold the lock of a task until the block ends; False where another process has it."""
    if engine.dialect.name == "sqlite":
        with _of_file(Path(f"{engine.url.database}-{task}.lock")) as is_alone:
            yield is_alone
        return
    key = {"key": zlib.crc32(task.encode())}
    with engine.connect() as connection:
        is_alone = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar())
        connection.commit()  # the lock is the session's, not the transaction's
        try:
            yield is_alone
        finally:
            if is_alone:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
                connection.commit()


@contextmanager
def _of_file(path: Path) -> Iterator[bool]:
    # Windows has no lock of this kind; a store there is one person's.
    if sys.platform == "win32":
        yield True
        return
    import fcntl

    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
