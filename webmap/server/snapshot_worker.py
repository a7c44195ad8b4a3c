"""Heavy work in a process of its own, one for all workers of a server, which ends when it is idle.

Drawing tiles takes the outlines of a continent into memory, and a snapshot all rows of a plan. Each
worker would hold that for ever; here one process does, for as long as there is something to do. It
is started with the server, for the snapshot of the plan in force and the first tiles, and again by
whoever asks for more. Who cannot reach it does the work at home.

It listens on a Unix socket that only its own user may open. A question is one line of JSON, one of
``JOBS`` with what it is about; the answer is a line that says "done", or none.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import select
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from territory.prospects import build
from territory.store import open_store
from webmap.maps import basemap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from webmap.maps import Key

FIRST_LEVELS = range(3, 7)  # of the base map: what the map of all markets shows first
IDLE_S = 60.0
START_S = 30.0  # that a process may take to begin
LONGEST_PATH = 100  # of a Unix socket, in bytes
STORE, IDLE = "TERRITORY_STORE", "TERRITORY_APART_IDLE"
BEGIN = "import sys; from webmap.server import snapshot_worker; snapshot_worker.main(*sys.argv[1:])"


@dataclass(frozen=True)
class Apart:
    """Where a server and its workers, which are forks of it, have their work done.

    ``_alive`` is a pipe whose end to write to only they hold, so that it is closed when all of them
    are gone, however they went.
    """

    store_url: str
    var_dir: Path
    _alive: tuple[int, int] = field(default_factory=os.pipe, compare=False)
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list, compare=False)

    def begin(self, today: str) -> bool:
        """Have what the first pages need prepared, without waiting; False where it is there."""
        with open_store(self.store_url) as store:
            has_snapshot = build.is_ready(store, self.var_dir / build.FOLDER, today)
        if has_snapshot and basemap.is_warm(self.var_dir, FIRST_LEVELS):
            return False
        self._start(today)
        return True

    def ask(self, job: str, about: object) -> bool:
        """Have one of ``JOBS`` done, starting the process if need be; False if it was not done."""
        try:
            with self._connected() as line, line.makefile("rw", encoding="utf-8") as told:
                told.write(json.dumps({"job": job, "about": about}) + "\n")
                told.flush()
                return told.readline() == "done\n"
        except OSError:
            return False

    def _connected(self) -> socket.socket:
        """Connect, or start the process and connect; of many who ask at once one starts it."""
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return self._connect()
        self.var_dir.mkdir(parents=True, exist_ok=True)
        with (self.var_dir / "apart.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            until = time.monotonic() + START_S
            while True:
                try:
                    return self._connect()
                except (FileNotFoundError, ConnectionRefusedError):
                    if time.monotonic() > until:
                        raise
                    if not self._is_starting():
                        self._start()
                    time.sleep(0.02)

    def _connect(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(address(self.var_dir)))
        except OSError:
            line.close()
            raise
        return line

    def _start(self, today: str = "") -> None:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", BEGIN, str(self.var_dir), str(self._alive[0]), today],
            env={**os.environ, STORE: self.store_url},  # it may hold a password; arguments show
            stdin=subprocess.DEVNULL,
            pass_fds=self._alive[:1],
            start_new_session=True,  # Ctrl+C is for the server, and this ends with it
        )
        self._started.append(process)

    def _is_starting(self) -> bool:
        """Whether a process that was started from here is still there; forget the others."""
        self._started[:] = [process for process in self._started if process.poll() is None]
        return bool(self._started)

    def close(self) -> None:
        """Hang up, and see what was started from here end."""
        for end in self._alive:
            os.close(end)
        for process in self._started:
            process.wait()
        self._started.clear()


def address(var_dir: Path) -> Path:
    """Say where the process listens."""
    near = var_dir.absolute() / "apart.sock"
    if len(os.fsencode(near)) <= LONGEST_PATH:
        return near
    named = hashlib.sha256(os.fsencode(near)).hexdigest()[:20]
    return Path(tempfile.gettempdir()) / f"territory-{os.getuid()}-{named}.sock"


@dataclass(frozen=True)
class Work:
    """What the process does, in which store and folder, while ``alive`` is not closed."""

    store_url: str
    var_dir: Path
    alive: int
    _taking: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def goes_on(self) -> bool:
        """Whether the server that this works for is still there."""
        return not select.select([self.alive], [], [], 0)[0]

    def take(self, today: str) -> None:
        """Make the snapshot of the plan in force, unless it is there; whoever asks too waits."""
        with self._taking, open_store(self.store_url) as store:
            build.ready(store, self.var_dir / build.FOLDER, today)

    def draw(self, key: Key) -> None:
        """Draw and keep one tile, unless it is there."""
        basemap.store(self.var_dir).get(key)


# What can be asked for: who does it, and how it is read.
JOBS: dict[str, Callable[[Work, Any], None]] = {
    "snapshot": lambda here, about: here.take(str(about)),
    "tile": lambda here, about: here.draw(tuple(about)),
}


class _Line(socketserver.StreamRequestHandler):
    """Does one job for whoever asks."""

    server: _Listener

    def handle(self) -> None:
        with self.server.busy():
            told = json.loads(self.rfile.readline())
            JOBS[told["job"]](self.server.here, told["about"])
            self.wfile.write(b"done\n")


class _Listener(socketserver.ThreadingUnixStreamServer):
    """Listens until nobody has asked for a while, or the server is gone."""

    timeout = 0.5
    daemon_threads = True

    def __init__(self, here: Work, idle_s: float) -> None:
        self.here, self._idle_s = here, idle_s
        self._lock, self._at_work, self._last = threading.Lock(), 0, time.monotonic()
        before = os.umask(0o177)
        try:
            address(here.var_dir).unlink(missing_ok=True)
            super().__init__(str(address(here.var_dir)), _Line)
        finally:
            os.umask(before)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Count who is at work."""
        with self._lock:
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1
                self._last = time.monotonic()

    def is_wanted(self) -> bool:
        """Whether to go on listening."""
        with self._lock:
            is_idle = not self._at_work and time.monotonic() - self._last > self._idle_s
        return not is_idle and self.here.goes_on()

    def prepare(self, today: str) -> None:
        """Make what the first pages need: the snapshot first, which every market page waits for."""
        with self.busy():
            self.here.take(today)
            basemap.warm(self.here.var_dir, FIRST_LEVELS, goes_on=self.here.goes_on)


def main(var_dir: str, alive: str, today: str) -> None:
    """Listen and work; with ``today`` prepare what the first pages need as well."""
    here = Work(os.environ[STORE], Path(var_dir), int(alive))
    here.var_dir.mkdir(parents=True, exist_ok=True)
    with (here.var_dir / "apart.run").open("w") as alone:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another one listens, or is about to
        with _Listener(here, float(os.environ.get(IDLE, IDLE_S))) as listener:
            if today:
                threading.Thread(target=listener.prepare, args=(today,), daemon=True).start()
            while listener.is_wanted():
                listener.handle_request()
            address(here.var_dir).unlink(missing_ok=True)
