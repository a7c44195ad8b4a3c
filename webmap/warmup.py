"""Prepares what the first pages need when a server starts, in a process of its own.

That is the snapshot of the plan in force and the first levels of the base map. It begins before the
server forks its workers, so that they find both and need no outlines in memory for it, however many
they are; the server waits for none of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from territory import snapshotting
from territory.store import open_store
from webmap import basemap

STORE = "TERRITORY_STORE"
BEGIN = "import sys; from webmap import warmup; warmup.main(*sys.argv[1:])"
FIRST_LEVELS = range(3, 7)  # what the map of all markets shows first


def start(store_url: str, var_dir: Path, today: str) -> subprocess.Popen[bytes] | None:
    """Start the work where any is left; it ends by itself, and soon after this process does."""
    with open_store(store_url) as store:
        has_snapshot = snapshotting.is_ready(store, var_dir / snapshotting.FOLDER, today)
    if has_snapshot and basemap.is_warm(var_dir, FIRST_LEVELS):
        return None
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", BEGIN, str(var_dir), today, str(os.getpid())],
        env={**os.environ, STORE: store_url},  # it may hold a password, and arguments show
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl+C is for the server, and this ends with it
    )


def take(store_url: str, var_dir: Path, today: str) -> None:
    """Make the snapshot of the plan in force, unless it is there."""
    with open_store(store_url) as store:
        snapshotting.ready(store, var_dir / snapshotting.FOLDER, today)


def draw(var_dir: Path, parent: int) -> int:
    """Draw what is not there yet as long as the parent lives; give how many tiles that were."""
    return basemap.warm(var_dir, FIRST_LEVELS, goes_on=lambda: os.getppid() == parent)


def main(var_dir: str, today: str, parent: str) -> None:
    """Do it all: the snapshot first, which every market page waits for."""
    take(os.environ[STORE], Path(var_dir), today)
    draw(Path(var_dir), int(parent))
