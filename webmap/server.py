"""Serve the app with a production server: gunicorn with threads, or waitress where it does not run."""

from __future__ import annotations

import dataclasses
import ipaddress
import sys
import threading
from typing import TYPE_CHECKING, Any

import click

from territory.errors import InputError
from webmap import Settings, basemap, create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from flask import Flask

THREADS = 4
FIRST_LEVELS = range(3, 7)  # of the base map: what the map of all markets shows


def run(
    _package: ModuleType, store_url: str | None, *, host: str, port: int, workers: int = 1
) -> None:
    """Serve until the process is stopped; print the address once it answers.

    Raises
    ------
    InputError
        If ``host`` is not this machine: there is no sign-in yet.
    """
    check_loopback(host)
    settings = Settings.from_environment()
    if store_url:
        settings = dataclasses.replace(settings, store_url=store_url)
    if sys.platform == "win32":
        _waitress(create_app(settings), host, port)
    else:
        _gunicorn(lambda: create_app(settings), host, port, workers)


def check_loopback(host: str) -> None:
    """Refuse an address that others can reach."""
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise InputError(
            f"host {host!r}: until there is sign-in, only this machine may see the pages. "
            "Use 127.0.0.1."
        )


def warm(app: Flask) -> None:
    """Read the outlines of the base map and draw its first levels, beside the first requests."""
    var_dir = app.config["TERRITORY"].var_dir

    def draw() -> None:
        basemap.ground()
        basemap.warm(var_dir, FIRST_LEVELS)

    threading.Thread(target=draw, name="base map", daemon=True).start()


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _waitress(app: Flask, host: str, port: int) -> None:
    from waitress import create_server  # noqa: PLC0415  (one of the two servers is not installed)

    server = create_server(app, host=host, port=port, threads=THREADS)
    warm(app)
    click.echo(f"Serving {_address(host, server.effective_port)}")
    server.run()


def _gunicorn(make_app: Callable[[], Flask], host: str, port: int, workers: int) -> None:
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415

    class Server(BaseApplication):
        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                "workers": workers,
                "worker_class": "gthread",
                "threads": THREADS,
                "keepalive": 30,
                "loglevel": "warning",
                "post_worker_init": lambda worker: warm(worker.app.callable),
                "when_ready": lambda arbiter: click.echo(
                    f"Serving {_address(*arbiter.LISTENERS[0].sock.getsockname()[:2])}"
                ),
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return make_app()

    Server().run()
