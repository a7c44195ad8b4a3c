"""The app under gunicorn: forks that share what was read before, and connections in equal parts."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from webmap.server import preload

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from flask import Flask

WAIT_S, LONGEST_S = 0.0005, 0.002


class FairWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves by threads, and leaves new connections to the workers that have fewer.

    Workers listen on one socket, and of sixteen connections that come at once one of two often
    takes all. With gunicorn's ``reuse_port`` each has a socket of its own, but chance deals the
    connections, and gunicorn says that it is ready before any worker listens.
    """

    def accept(self, listener: socket.socket) -> None:
        """Take a connection that is still there after a wait; requests go on in their threads."""
        time.sleep(min(self.nr_conns * WAIT_S, LONGEST_S))
        super().accept(listener)


class Server(BaseApplication):  # type: ignore[misc]
    """Runs until a signal comes. gunicorn owns the listening socket, a file descriptor."""

    def __init__(
        self, app: Flask, descriptor: int, workers: int, threads: int, ready: Callable[[], None]
    ) -> None:
        preload.share_heaps()
        self._app = app
        self._options: dict[str, Any] = {
            "bind": f"fd://{descriptor}",
            "workers": workers,
            "worker_class": FairWorker,
            "threads": threads,
            "preload_app": True,  # one copy of the reference tables for all workers
            "loglevel": "warning",
            "when_ready": lambda _: ready(),
            "on_starting": lambda _: preload.warm(app),
            # What is there now is never looked through, which would copy it.
            "pre_fork": lambda _server, _worker: gc.freeze(),
            # Newer versions open a socket for remote control; nobody here asks for it.
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        """Set what this version of gunicorn knows."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Give the app."""
        return self._app
