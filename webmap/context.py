"""Request context: the settings, the clock and the store of this app."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import current_app

from territory.store import Patience, open_store

if TYPE_CHECKING:
    from datetime import datetime

    from territory.store import Store
    from webmap.settings import Settings

# A thread that waits for its turn to write answers nobody who reads: of the eight of a process,
# three wait at most, and a fourth is told to come again.
PATIENCE = Patience(lock_s=2.0, writers=3, turn_s=0.25)


def settings() -> Settings:
    """Give what this app was started with."""
    app_settings: Settings = current_app.config["TERRITORY"]
    return app_settings


def now() -> datetime:
    """Read the clock of this app."""
    return settings().now()


def store() -> Store:
    """Give the store of this app, opened once per process: connections do not survive a fork."""
    stores: dict[int, Store] = current_app.extensions.setdefault("stores", {})
    if os.getpid() not in stores:
        stores[os.getpid()] = open_store(settings().store_url, patience=PATIENCE)
    return stores[os.getpid()]
