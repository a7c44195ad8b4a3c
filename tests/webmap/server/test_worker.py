"""The worker beside a server: asked for tiles and snapshots, started again, gone with it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from territory.jobs import open_heartbeats, requests
from territory.prospects import build
from territory.store import open_store
from tests.fixtures.waiting import until
from tests.fixtures.web import NOW, TODAY, make_app
from webmap.maps import basemap
from webmap.server import Worker
from webmap.server.worker import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.store import Store

DAY = TODAY.isoformat()
TILE = ("light", 1, 4, 4, 6)


@pytest.fixture
def own(demo: Store, tmp_path: Path) -> Iterator[Store]:
    """The demo in a store of the test's own: other processes open it and close it again."""
    copy = tmp_path / "own.sqlite"
    shutil.copy(demo.url.removeprefix("sqlite:///"), copy)
    with open_store(str(copy)) as store:
        yield store


@pytest.fixture
def worker(own: Store, tmp_path: Path) -> Iterator[Worker]:
    """The worker of the demo's server, which leaves when nobody has asked for half a second."""
    with Worker(own.url, tmp_path / "var", idle_s=0.5) as running:
        yield running


def pid(worker: Worker) -> int:
    process = until(lambda: worker._process)
    return process.pid


def test_a_tile_and_a_snapshot_are_made_apart_and_kept_where_all_find_them(
    worker: Worker, own: Store, tmp_path: Path
) -> None:
    kept = basemap.store(tmp_path / "var")
    assert not kept.has(TILE)
    assert worker.ask("tile", TILE)
    assert kept.has(TILE)
    assert worker.ask("snapshot", DAY)
    assert build.is_ready(own, tmp_path / "var" / build.FOLDER, DAY)
    assert stat.S_IMODE(worker._folder.stat().st_mode) == 0o700


def test_many_who_ask_at_once_are_answered_by_one_process(own: Store, tmp_path: Path) -> None:
    keys = [("light", 1, 5, x, 12) for x in range(6, 12)]
    with Worker(own.url, tmp_path / "var") as worker, ThreadPoolExecutor(6) as pool:
        first = pid(worker)
        assert all(pool.map(lambda key: worker.ask("tile", key), keys))
        assert pid(worker) == first


def test_one_that_made_something_leaves_when_it_is_idle_and_a_light_one_answers(
    worker: Worker,
) -> None:
    assert worker.ask("tile", TILE)
    first = pid(worker)
    until(lambda: pid(worker) != first)
    assert worker.ask("tile", ("dark", *TILE[1:]))


def test_it_ends_with_the_server_that_it_works_for(own: Store, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from webmap.server import Worker\n"
        "with Worker(sys.argv[1], Path(sys.argv[2])) as worker:\n"
        "    is_done = worker.ask('tile', ('light', 1, 4, 4, 6))\n"
        "    print(is_done, worker._process.pid, flush=True)\n"
        "    time.sleep(600)"
    )
    command = [sys.executable, "-c", code, own.url, str(tmp_path / "var")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        is_done, worker_pid = server.stdout.readline().split()
        assert is_done == "True"
        server.kill()
    until(lambda: not is_there(int(worker_pid)))


def is_there(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_what_cannot_be_asked_for_is_done_at_home(worker: Worker) -> None:
    assert not worker.ask("nothing of the kind", 1)
    assert worker.ask("tile", TILE)


def test_whoever_asks_hears_at_once_when_the_worker_dies_and_the_next_one_answers(
    own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webmap.server.worker.RESTART_S", 0.05)
    begins = (
        "import os, socket, sys\n"
        "line, _ = socket.socket(fileno=int(sys.argv[2])).accept()\n"
        "line.sendall(b'b'); os.abort()"
    )
    with Worker(own.url, tmp_path, command=(sys.executable, "-c", begins)) as worker:
        assert not worker.ask("tile", TILE)
        worker._command = (*COMMAND, "60")
        until(lambda: worker.ask("tile", TILE))


def test_a_worker_is_started_again_when_it_dies_and_leaves_with_the_server(
    own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webmap.server.worker.RESTART_S", 0.05)
    log = tmp_path / "pids"
    code = f"import os, sys; open({str(log)!r}, 'a').write(f'{{os.getpid()}}\\n'); sys.stdin.read()"

    def pids() -> list[int]:
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    with Worker(own.url, tmp_path, command=(sys.executable, "-c", code)):
        os.kill(until(pids)[0], signal.SIGKILL)
        until(lambda: len(pids()) == 2)
    with pytest.raises(ProcessLookupError):
        os.kill(pids()[1], 0)
    assert threading.active_count() < 10


def test_a_server_prepares_the_snapshot_and_the_first_tiles(
    worker: Worker, own: Store, tmp_path: Path
) -> None:
    folder, kept = tmp_path / "var" / build.FOLDER, basemap.store(tmp_path / "var")
    until(lambda: folder.is_dir() and any(folder.iterdir()))
    until(lambda: kept.has(("dark", 1, 3, 1, 3)))


def test_it_takes_up_the_jobs_that_pages_ask_for(
    worker: Worker, own: Store, tmp_path: Path
) -> None:
    job_id = requests.ask(own, "juggle", {}, by="Ann", now=NOW)
    heartbeats = open_heartbeats(folder=tmp_path / "var")
    until(lambda: requests.look(own, heartbeats, job_id).state == "failed")  # there is none such
    heartbeats.close()


def test_an_app_that_is_served_draws_no_tile_in_its_own_process(
    worker: Worker, own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basemap, "draw", None)  # this process could not
    app = make_app(own.url, tmp_path / "var")
    app.extensions["worker"] = worker
    answer = app.test_client().get("/tiles/light/4/4/6.png")
    assert answer.status_code == 200
    assert answer.data.startswith(b"\x89PNG")
