"""Heavy work is done in a process of its own, which ends when nobody needs it."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from territory.prospects import build
from territory.store import open_store
from tests.fixtures.web import TODAY, make_app
from webmap.maps import basemap
from webmap.server import Apart, snapshot_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
def here(own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apart]:
    """Work for the demo, of a process that ends after half a second without any."""
    monkeypatch.setenv(snapshot_worker.IDLE, "0.5")
    work = Apart(own.url, tmp_path / "var")
    yield work
    work.close()


def wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_tile_and_a_snapshot_are_made_apart_and_kept_where_all_find_them(
    here: Apart, own: Store
) -> None:
    kept = basemap.store(here.var_dir)
    assert not kept.has(TILE)
    assert here.ask("tile", TILE)
    assert kept.has(TILE)
    assert here.ask("snapshot", DAY)
    assert build.is_ready(own, here.var_dir / build.FOLDER, DAY)
    assert stat.S_IMODE(snapshot_worker.address(here.var_dir).stat().st_mode) == 0o600


def test_many_who_ask_at_once_are_answered_by_one_process(here: Apart) -> None:
    keys = [("light", 1, 5, x, 12) for x in range(6, 12)]
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(lambda key: here.ask("tile", key), keys))
    assert len(here._started) == 1


def test_it_ends_when_it_is_idle_and_is_started_again_when_asked(here: Apart) -> None:
    assert here.ask("tile", TILE)
    wait_for(lambda: not here._is_starting())
    assert not snapshot_worker.address(here.var_dir).exists()
    assert here.ask("tile", ("dark", *TILE[1:]))


def test_it_ends_with_the_server_that_it_works_for(own: Store, tmp_path: Path) -> None:
    asked = (
        "import sys, time; from pathlib import Path; from webmap.server import Apart\n"
        "here = Apart(sys.argv[1], Path(sys.argv[2]))\n"
        "print(here.ask('tile', ('light', 1, 4, 4, 6)), here._started[0].pid, flush=True)\n"
        "time.sleep(600)"
    )
    command = [sys.executable, "-c", asked, own.url, str(tmp_path / "var")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        is_done, pid = server.stdout.readline().split()
        assert is_done == "True"
        server.kill()
    wait_for(lambda: not is_there(int(pid)))


def is_there(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_what_cannot_be_asked_for_is_done_at_home(here: Apart) -> None:
    assert not here.ask("nothing of the kind", 1)
    assert here.ask("tile", TILE)
    (killed,) = here._started
    killed.kill()
    killed.wait()
    assert snapshot_worker.address(here.var_dir).exists()  # the door of nobody
    assert here.ask("tile", ("dark", *TILE[1:]))


def test_a_server_prepares_the_snapshot_and_the_first_tiles(
    here: Apart, own: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_worker, "FIRST_LEVELS", range(0))
    assert here.begin(DAY)
    wait_for(lambda: build.is_ready(own, here.var_dir / build.FOLDER, DAY))
    assert not here.begin(DAY)


def test_an_app_that_is_served_draws_no_tile_in_its_own_process(
    own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_worker, "FIRST_LEVELS", range(0))
    monkeypatch.setattr(basemap, "draw", None)  # this process could not
    app = make_app(own.url, tmp_path / "var", warm_up=True)
    answer = app.test_client().get("/tiles/light/4/4/6.png")
    assert answer.status_code == 200
    assert answer.data.startswith(b"\x89PNG")
    app.extensions["apart"].close()
