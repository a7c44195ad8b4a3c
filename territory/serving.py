"""Serve the pages with a production server: gunicorn, or waitress where there is no fork.

The library must not import the app that stands on it, so the app is found by its name when it is
wanted, the way every WSGI server finds one.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from territory.errors import InputError, TerritoryError

if TYPE_CHECKING:
    from collections.abc import Callable

APP = ("webmap", "create_app")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
THREADS = 8  # per worker; a request mostly waits for the database or sends bytes


def listen(host: str, port: int) -> socket.socket:
    """Take the port, before anything slow is started; 0 takes any that is free.

    Raises
    ------
    InputError
        If the host is not this machine alone, or the port is taken or not allowed.
    """
    if host not in LOOPBACK:
        raise InputError(
            f"host {host!r}: until there is sign-in, only this machine may see the pages. "
            f"Choose one of {', '.join(LOOPBACK)}."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise InputError(
            f"port {port} of {host} cannot be had ({error.strerror}). "
            "--port or PORT picks another; 0 picks a free one."
        ) from error
    taken.listen(128)
    return taken


def serve(
    store_url: str, host: str, port: int, *, workers: int, tell: Callable[[str], None]
) -> None:
    """Serve the store on loopback until told to stop; ``tell`` hears the address when it is ready.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    StoreError
        If the store is out of reach.
    """
    taken = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{taken.getsockname()[1]}/"
    os.environ["TERRITORY_STORE"] = store_url  # where the app looks for it
    module, name = APP
    try:
        app = getattr(importlib.import_module(module), name)()
    except TerritoryError:
        taken.close()
        raise
    if sys.platform == "win32":
        _by_waitress(app, taken, lambda: tell(address))
    else:
        _by_gunicorn(app, taken.detach(), workers, lambda: tell(address))


def _by_waitress(app: Any, taken: socket.socket, ready: Callable[[], None]) -> None:
    waitress = importlib.import_module("waitress")
    server = waitress.create_server(app, sockets=[taken], threads=THREADS)
    ready()
    server.run()


def _by_gunicorn(app: Any, descriptor: int, workers: int, ready: Callable[[], None]) -> None:
    """Run until a signal comes; gunicorn owns the listening socket from here on."""
    base = importlib.import_module("gunicorn.app.base")

    class Server(base.BaseApplication):  # type: ignore[misc, name-defined]
        def load_config(self) -> None:
            wanted = {
                "bind": f"fd://{descriptor}",
                "workers": workers,
                "worker_class": "gthread",
                "threads": THREADS,
                "preload_app": True,  # one copy of the reference tables for all workers
                "loglevel": "warning",
                "when_ready": lambda _: ready(),
                # Newer versions open a socket for remote control; nobody here asks for it.
                "control_socket_disable": True,
            }
            for name, value in wanted.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Server().run()
