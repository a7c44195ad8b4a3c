"""The worker beside the server: one process that runs jobs, makes snapshots and draws tiles.

It is started again when it dies, and leaves when its standard input ends: when the server is gone,
however it went. The rows of a plan and the outlines of a continent take memory that no process
gives back, so one that made either leaves once nobody has asked for a minute; a light one follows.

Jobs are rows of the store. A page that waits for a snapshot or a tile asks by a Unix socket: no row
can be written while an import holds the store, and whoever asks hears at once when the worker dies,
and does it itself. The server listens and hands the socket on, so a request finds the next worker.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from territory.errors import TerritoryError
from territory.jobs import worker
from territory.prospects import build
from territory.store import open_store
from webmap.maps import basemap
from webmap.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from webmap.maps import Key

COMMAND = (sys.executable, "-c", "from webmap.server.worker import main; main()")
FIRST_LEVELS = range(3, 7)  # of the base map: what the map of all markets shows first
IDLE_S = 60.0
RESTART_S = 2.0  # how long after its death a worker is started again
START_S = 30.0  # that a worker may take to begin with a request
LEAVE_S = 10.0  # that a worker may take to leave
POLL_S = 0.2
THREADS = 8
log = logging.getLogger("webmap.server.worker")


class Worker:
    """The worker as the server has it: kept alive until the block ends.

    Its group of processes is its own, so that Ctrl+C reaches it through the server only. A process
    that the server forks inherits this object: it may ask, and leaves the worker alone.
    """

    def __init__(
        self,
        store_url: str,
        var_dir: Path,
        *,
        idle_s: float = IDLE_S,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._command = (*command, str(idle_s))
        # The address of the store may hold a password: arguments show, the environment does not.
        self._environment = {"TERRITORY_STORE": store_url, "TERRITORY_VAR": str(var_dir)}
        self._owner, self._over = os.getpid(), threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="keeper of the worker", daemon=True)
        self._folder: Path | None = None  # that of the socket, which only its own user may enter
        self._listener: socket.socket | None = None

    def __enter__(self) -> Worker:
        """Start the worker."""
        if os.name == "posix":
            self._folder = Path(tempfile.mkdtemp(prefix="territory-"))
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self._folder / "worker"))
            self._listener.listen(128)
        self._keeper.start()
        return self

    def ask(self, task: str, subject: object) -> bool:
        """Have one of `TASKS` done and wait for it; False if it was not done."""
        if self._folder is None:
            return False
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(START_S)
            line.connect(str(self._folder / "worker"))
            line.sendall(json.dumps([task, subject]).encode() + b"\n")
            if line.recv(1):  # it has begun, and may take as long as it takes
                line.settimeout(None)
                return bool(line.recv(1))
        return False

    def _keep(self) -> None:
        listener = [] if self._listener is None else [self._listener.fileno()]
        while not self._over.is_set():
            with subprocess.Popen(  # noqa: S603 - our own program
                (*self._command, *map(str, listener)),
                env=os.environ | self._environment,
                stdin=subprocess.PIPE,
                pass_fds=listener,
                start_new_session=True,
            ) as self._process:
                if self._over.is_set():  # asked to leave while it was being started
                    self._leave()
                code = self._process.wait()
            if code:
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
        if self._listener is not None and self._folder is not None:
            self._listener.close()
            shutil.rmtree(self._folder, ignore_errors=True)


class _Requests:
    """The requests as the worker answers them, beside its jobs."""

    def __init__(self, listener: socket.socket, settings: Settings, idle_s: float) -> None:
        self._listener, self._settings, self._idle_s = listener, settings, idle_s
        self._snapshots, self._over = threading.Lock(), threading.Event()
        self._has_made = False  # anything, so that this process holds what it takes
        self._pool = ThreadPoolExecutor(THREADS)
        self._thread = threading.Thread(target=self._listen, name="requests", daemon=True)

    def start(self) -> None:
        """Make what the first pages need, and listen."""
        self._listener.settimeout(POLL_S)
        self._thread.start()

    def close(self) -> None:
        """Finish what was begun; whoever asks from now on waits for the next worker."""
        self._over.set()
        self._thread.join()
        self._pool.shutdown()

    def _listen(self) -> None:
        running, busy_at, is_leaving = [self._pool.submit(self._prepare)], time.monotonic(), False
        while not self._over.is_set():
            running = [one for one in running if not one.done()]
            if running:
                busy_at = time.monotonic()
            elif self._has_made and not is_leaving and time.monotonic() - busy_at > self._idle_s:
                is_leaving = True
                os.kill(os.getpid(), signal.SIGINT)  # a job at hand is finished first
            with contextlib.suppress(TimeoutError):
                running.append(self._pool.submit(self._answer, self._listener.accept()[0]))

    def _answer(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as question:
            try:
                line.settimeout(None)
                task, subject = json.loads(question.readline())
                line.sendall(b"b")  # for begun
                self._has_made = True
                TASKS[task](self, subject)
                line.sendall(b"d")  # for done
            except Exception:  # whoever asked hears nothing more, and does it itself
                log.exception("A request failed.")

    def _prepare(self) -> None:
        try:  # the snapshot first: every market page waits for it
            self.make_snapshot(self._settings.today().isoformat())
            if basemap.warm(self._settings.var_dir, FIRST_LEVELS):
                self._has_made = True
        except Exception:  # the first page meets the same again, and says so
            log.exception("What the first pages need was not made.")

    def make_snapshot(self, today: str) -> None:
        """Make the snapshot of the plan in force, unless it is there; whoever asks too waits."""
        folder = self._settings.var_dir / build.FOLDER
        with self._snapshots, open_store(self._settings.store_url) as store:
            if not build.is_ready(store, folder, today):
                self._has_made = True
                build.ready(store, folder, today)

    def draw_tile(self, key: Key) -> None:
        """Draw and keep one tile, unless it is there."""
        basemap.store(self._settings.var_dir).get(key)


# What can be asked for: who does it, and how it is read.
TASKS: dict[str, Callable[[_Requests, Any], None]] = {
    "snapshot": _Requests.make_snapshot,
    "tile": lambda requests, key: requests.draw_tile(tuple(key)),
}


def main() -> None:
    """Be the worker: ``sys.argv`` is when to count as idle, in seconds, and the socket if any."""
    idle_s, *descriptors = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    settings = Settings.from_environment()
    requests = [
        _Requests(socket.socket(fileno=int(descriptor)), settings, float(idle_s))
        for descriptor in descriptors
    ]

    def ready() -> None:
        for one in requests:
            one.start()

    try:
        worker.work(
            settings.store_url,
            settings.var_dir,
            clock=settings.now,
            queue=settings.queue,
            ready=ready,
            is_bound=True,
        )
    except TerritoryError as error:
        sys.exit(f"territory: {error}")
    for one in requests:
        one.close()
