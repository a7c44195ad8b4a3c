"""Serve the pages with a production server: gunicorn, or waitress where there is no fork.

Beside it runs one worker for the jobs that the pages ask for. It is a process of its own, is
started again when it dies, and ends with the server, however that ends.

The library must not import the app that stands on it, so the app is found by its name when it is
wanted, the way every WSGI server finds one.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from territory.errors import InputError, TerritoryError

if TYPE_CHECKING:
    from collections.abc import Callable

APP = ("webmap", "create_app")
WARM = ("webmap.server.preload", "warm")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
WORKER = (sys.executable, "-c", "from territory.cli.main import main; main(['work', '--bound'])")
RESTART_S = 2.0  # how long after its death a worker is started again
LEAVE_S = 10.0  # how long a worker may take to leave
THREADS = 8  # per worker; a request mostly waits for the database or sends bytes
M_ARENA_MAX, ARENAS = -8, 2  # <malloc.h> of the GNU C library


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
    """Serve the store until told to stop; ``tell`` hears the address when it is ready.

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
    try:
        app = _named(APP)()
    except TerritoryError:
        taken.close()
        raise
    with LocalWorker():
        if sys.platform == "win32":
            _by_waitress(app, taken, lambda: tell(address))
        else:
            _by_gunicorn(app, taken.detach(), workers, lambda: tell(address))


class LocalWorker:
    """A worker beside the server, kept alive until the block ends.

    It leaves when its standard input ends, which also happens when this process is killed. Its
    group of processes is its own, so that Ctrl+C reaches it through the server only. A process
    that the server forks inherits this object and leaves the worker alone.
    """

    def __init__(self, command: tuple[str, ...] = WORKER) -> None:
        self._command, self._owner = command, os.getpid()
        self._over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="keeper of the worker", daemon=True)

    def __enter__(self) -> LocalWorker:
        """Start the worker."""
        self._keeper.start()
        return self

    def _keep(self) -> None:
        while not self._over.is_set():
            with subprocess.Popen(  # noqa: S603 - our own program
                self._command, stdin=subprocess.PIPE, start_new_session=True
            ) as self._process:
                if self._over.is_set():  # told to leave while it was being started
                    self._leave()
                self._process.wait()
            self._over.wait(RESTART_S)

    def _leave(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def __exit__(self, *_: object) -> None:
        """Let the worker leave what it does, and wait until it is gone."""
        if os.getpid() != self._owner:
            return
        self._over.set()
        self._leave()
        self._keeper.join(LEAVE_S)
        if self._keeper.is_alive() and self._process is not None:
            self._process.kill()


def _named(what: tuple[str, str]) -> Callable[..., Any]:
    """Find a function of the app."""
    module, name = what
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _by_waitress(app: Any, taken: socket.socket, ready: Callable[[], None]) -> None:
    waitress = importlib.import_module("waitress")
    server = waitress.create_server(
        app,
        sockets=[taken],
        threads=THREADS,
        clear_untrusted_proxy_headers=False,  # the app itself refuses those it does not trust
    )
    ready()
    server.run()


def _share_heaps() -> None:
    """Keep every thread from a heap of its own, whose gaps no other thread can use.

    A fifth of what a worker held lay in such gaps. Python runs one thread at a time, so none waits.
    C libraries other than GNU's have no such thing.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(M_ARENA_MAX, ARENAS)


def _by_gunicorn(app: Any, descriptor: int, workers: int, ready: Callable[[], None]) -> None:
    """Run until a signal comes; gunicorn owns the listening socket from here on."""
    base = importlib.import_module("gunicorn.app.base")
    _share_heaps()

    class Server(base.BaseApplication):  # type: ignore[misc, name-defined]
        def load_config(self) -> None:
            wanted = {
                "bind": f"fd://{descriptor}",
                "workers": workers,
                "worker_class": "webmap.server.fair_worker.FairWorker",
                "threads": THREADS,
                "preload_app": True,  # one copy of the reference tables for all workers
                "loglevel": "warning",
                "when_ready": lambda _: ready(),
                "on_starting": lambda _: _named(WARM)(app),
                # What is there now is never looked through, which would copy it.
                "pre_fork": lambda _server, _worker: gc.freeze(),
                # Newer versions open a socket for remote control; nobody here asks for it.
                "control_socket_disable": True,
            }
            for name, value in wanted.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Server().run()
