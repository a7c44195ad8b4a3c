"""The app under gunicorn: forks that share what was read before, each with a server of its own."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.base import Worker

from webmap.security import body_limit
from webmap.server import preload
from webmap.server.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask


class BufferedWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """Serves by `HttpServer`, which slow clients cannot stop, as long as its parent lives.

    gunicorn's own threads read requests themselves, so that as many half-sent ones as there are
    threads stop the server. With its ``reuse_port`` each worker has a socket of its own, but chance
    deals the connections, and gunicorn says that it is ready before any worker listens.
    """

    def run(self) -> None:
        """Serve until a signal comes or the parent is gone."""
        (listener,) = self.sockets
        server = HttpServer(self.wsgi, listener.sock, self.cfg.threads, body_limit(self.wsgi))
        while self.alive and self.ppid == os.getppid():
            self.notify()
            server.turn()
        server.finish(self.cfg.graceful_timeout)


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
            "worker_class": BufferedWorker,
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
