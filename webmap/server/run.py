"""Serve the pages by `HttpServer`: forks of it under gunicorn, or one where there is no fork.

Beside it runs one worker for the jobs that the pages ask for and the snapshots that they wait for.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

from territory.errors import InputError, TerritoryError
from webmap.app import create_app
from webmap.security import body_limit
from webmap.server.http_server import HttpServer
from webmap.server.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = ("127.0.0.1", "::1", "localhost")
THREADS = 8  # per worker; a request mostly waits for the database or sends bytes


def listen(host: str, port: int) -> socket.socket:
    """Take the port, before anything slow is started; 0 takes any that is free.

    Raises
    ------
    InputError
        If the host is not this machine and no other is named, or the port is taken or not allowed.
    """
    if host not in LOOPBACK and not os.environ.get("TERRITORY_HOSTS"):
        raise InputError(
            f"host {host!r}: only this machine may see the pages until TERRITORY_HOSTS names "
            f"those under which others ask. Choose one of {', '.join(LOOPBACK)}."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"port {port} of {host} cannot be had ({error.strerror}). "
            "--port or PORT picks another; 0 picks a free one."
        ) from error
    listener.listen(128)
    return listener


def serve(
    store_url: str, host: str, port: int, *, workers: int, tell: Callable[[str], None]
) -> None:
    """Serve the store until told to stop; ``tell`` hears the address when it is ready.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    StoreError
        If the store is out of reach.
    """
    listener = listen(host, port)
    in_brackets = f"[{host}]" if ":" in host else host
    address = f"http://{in_brackets}:{listener.getsockname()[1]}/"
    os.environ["TERRITORY_STORE"] = store_url  # where the app looks for it
    try:
        app = create_app()
    except TerritoryError:
        listener.close()
        raise
    settings = app.config["TERRITORY"]
    with Worker(store_url, settings.var_dir) as app.extensions["worker"]:
        if sys.platform == "win32":
            tell(address)
            HttpServer(app, listener, THREADS, body_limit(app)).run()
        else:
            from webmap.server.gunicorn_app import Server

            Server(app, listener.detach(), workers, THREADS, lambda: tell(address)).run()
