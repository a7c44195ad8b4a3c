"""Draws the first levels of the base map when a server starts, in a process of its own.

It begins before the server forks its workers, so that they find the tiles drawn and need no
outlines in memory for them, however many they are; the server waits for none of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from webmap import basemap

FIRST_LEVELS = range(3, 7)  # what the map of all markets shows first


def start(var_dir: Path) -> subprocess.Popen[bytes] | None:
    """Start the work where any is left; it ends by itself, and soon after this process does."""
    if basemap.is_warm(var_dir, FIRST_LEVELS):
        return None
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "webmap.warmup", str(var_dir), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl+C is for the server, and this ends with it
    )


def draw(var_dir: Path, parent: int) -> int:
    """Draw what is not there yet as long as the parent lives; give how many tiles that were."""
    return basemap.warm(var_dir, FIRST_LEVELS, goes_on=lambda: os.getppid() == parent)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), int(sys.argv[2]))
