"""A store that is busy, full, read-only or damaged says so, and what can be read is read."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from territory.errors import BusyError, DamagedError, FullError, ReadOnlyError
from territory.store import Patience, open_store
from tests.fixtures import disks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASTY = Patience(lock_s=0.05, writers=2, turn_s=0.05)


@pytest.fixture
def path(demo_file: Path, tmp_path: Path) -> Path:
    return shutil.copy(demo_file, tmp_path / "store.sqlite")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Be another process that holds the pen."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_busy_store_is_read_and_says_that_nothing_was_saved(path: Path) -> None:
    with open_store(str(path), patience=HASTY) as store, writing(path):
        with store.read() as transaction:
            assert transaction.size("prospects") > 1_000
        with (
            pytest.raises(BusyError, match=r"Nothing was saved\. Try again"),
            store.write() as transaction,
        ):
            transaction.set_setting("colour", "blue")
    with open_store(str(path)) as store, store.read() as transaction:
        assert transaction.setting("colour") is None


def test_no_more_threads_wait_than_may(path: Path) -> None:
    patience = Patience(lock_s=60, writers=1, turn_s=0)
    with open_store(str(path), patience=patience) as store:
        entered, over = threading.Event(), threading.Event()

        def write() -> None:
            with store.write() as transaction:
                transaction.set_setting("colour", "blue")
                entered.set()
                over.wait(60)

        thread = threading.Thread(target=write)
        thread.start()
        assert entered.wait(60)
        with pytest.raises(BusyError), store.write():  # at once, though the lock is patient
            pass
        over.set()
        thread.join()
        with store.write() as transaction:
            assert transaction.setting("colour") == "blue"


def test_impatience_of_one_is_not_that_of_the_next(path: Path) -> None:
    with open_store(str(path)) as store:
        with writing(path), pytest.raises(BusyError), store.write(wait_s=0):
            pass
        with store.read() as transaction:
            waits = transaction.connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    assert waits == 30_000


def test_a_full_disk_is_read_and_writes_nothing(demo_file: Path, tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        path = shutil.copy(demo_file, disk / "store.sqlite")
        with open_store(str(path)) as store:
            with store.read() as transaction:
                before = transaction.size("prospects")
            disks.fill(disk)
            with pytest.raises(FullError, match="no room left"), store.write() as transaction:
                transaction.set_setting("colour", "blue" * 1_000_000)
            with store.read() as transaction:
                assert transaction.size("prospects") == before
                assert transaction.setting("colour") is None
            (disk / "filling").unlink()
            with store.write() as transaction:
                transaction.set_setting("colour", "blue")


def test_a_read_only_disk_is_read(demo_file: Path, tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        path = shutil.copy(demo_file, disk / "store.sqlite")
        disks.make_read_only(disk)
        with open_store(str(path)) as store:
            with store.read() as transaction:
                assert transaction.size("prospects") > 1_000
            assert store.cache.state(("plans",))[0] > 0
            with pytest.raises(ReadOnlyError, match="read and not written"), store.write() as one:
                one.set_setting("colour", "blue")


def test_a_file_that_may_only_be_read_is_read(path: Path) -> None:
    path.chmod(0o444)
    with open_store(str(path)) as store:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            pytest.skip("root may write to every file")
        with store.read() as transaction:
            assert transaction.size("prospects") > 1_000
        with pytest.raises(ReadOnlyError), store.write():
            pass


def test_a_broken_page_is_told_with_the_remedy(path: Path) -> None:
    disks.break_table(path, "prospects")
    with open_store(str(path)) as store:
        with pytest.raises(DamagedError, match=r"put the newest backup back.*\.recover"):  # noqa: SIM117
            with store.read() as transaction:
                transaction.table("prospects")
        with store.read() as transaction:
            assert transaction.size("offices") > 0


def test_a_broken_page_of_revisions_is_told_too(path: Path) -> None:
    disks.break_table(path, "revisions")
    with open_store(str(path)) as store, pytest.raises(DamagedError):
        store.cached(("plans",), "size", lambda transaction: transaction.size("offices"))


def test_the_command_line_says_it_in_one_line(path: Path) -> None:
    disks.break_table(path, "plan_assignments")
    command = [sys.executable, "-c", "from territory.cli.main import main; main()"]
    done = subprocess.run(
        [*command, "--store", str(path), "export", "prospects", str(path.parent / "out.csv")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the file is damaged" in done.stderr
    assert ".recover" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
