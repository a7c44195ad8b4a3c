"""Reads the outlines of the base map and draws its first levels beside the first requests.

It waits for a request because a server may fork after the app is made, and threads do not survive
that.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from webmap import basemap

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

FIRST_LEVELS = range(3, 7)  # what the map of all markets shows first


def install(app: Flask, var_dir: Path) -> None:
    """Start the work with the first request that each process answers."""
    started: set[int] = set()

    @app.before_request
    def start() -> None:
        if os.getpid() not in started:
            started.add(os.getpid())
            threading.Thread(target=draw, args=(var_dir,), name="base map").start()


def draw(var_dir: Path) -> None:
    """Draw what is not there yet, and leave the outlines in memory for the next tiles.

    The thread is no daemon: one that the interpreter leaves behind inside GEOS aborts the process.
    It ends by itself, within a tile or two, once the main thread has.
    """
    basemap.ground()
    basemap.warm(var_dir, FIRST_LEVELS, goes_on=threading.main_thread().is_alive)
