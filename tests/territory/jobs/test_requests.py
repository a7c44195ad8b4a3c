"""Jobs: taken up once, reported on, stopped, recovered after a death, wherever heartbeats go."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from territory.cli.main import cli
from territory.errors import ConflictError, InputError, NotFoundError, StoreError
from territory.jobs import Heartbeats, open_heartbeats, requests
from territory.jobs.ledger import JobLedger
from territory.store import Store, open_store
from territory.timestamps import utc_text
from tests.fixtures.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory import jobs

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
GONE = 4_194_999  # above the largest process id that Linux gives


def clock() -> datetime:
    return NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        yield opened


class _Client:
    """A server of Redis, as far as it is asked."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.set, self.get = self.values.__setitem__, self.values.get

    def delete(self, *keys: str) -> None:
        for key in keys:
            self.values.pop(key, None)

    def close(self) -> None:
        self.values.clear()


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def heartbeats(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Heartbeats]:
    address = {"sqlite": str(tmp_path / "jobs.sqlite"), "redis": "redis://localhost:6379/0"}
    if request.param == "redis":
        clients = SimpleNamespace(from_url=lambda *_, **__: _Client())
        monkeypatch.setitem(
            sys.modules, "redis", SimpleNamespace(Redis=clients, RedisError=OSError)
        )
    opened = open_heartbeats(
        address.get(request.param) or request.getfixturevalue("postgresql_url")
    )
    yield opened
    opened.close()


@pytest.fixture
def in_file(tmp_path: Path) -> Iterator[Heartbeats]:
    opened = open_heartbeats(str(tmp_path / "jobs.sqlite"))
    yield opened
    opened.close()


def ask(store: Store, **arguments: Any) -> str:
    return requests.ask(store, "count", arguments, by="Ann", now=NOW)


def next_job(store: Store, heartbeats: Heartbeats, tasks: dict[str, Any]) -> jobs.Job | None:
    """Do what a worker does with the job that has waited longest."""
    job = requests.take_up(store, now=NOW)
    return job and requests.run(store, heartbeats, tasks, job, clock=clock)


def count(
    _store: Store, arguments: dict[str, Any], progress: requests.JobProgress
) -> dict[str, Any]:
    progress("Counting")
    progress.rows(3, arguments["of"])
    return {"counted": arguments["of"]}


def test_a_job_is_asked_for_run_and_its_outcome_kept(store, heartbeats):
    job_id = ask(store, of=7)
    waiting = requests.look(store, heartbeats, job_id)
    assert (waiting.state, waiting.asked_by, waiting.asked_at) == (
        "waiting", "Ann", "2026-11-23T09:30:00Z",
    )  # fmt: skip
    next_job(store, heartbeats, {"count": count})
    done = requests.look(store, heartbeats, job_id)
    assert (done.state, done.outcome, done.attempts) == ("done", {"counted": 7}, 1)
    assert (done.stage, done.done, done.total) == ("Counting", 3, 7)
    assert heartbeats.last(job_id) is None


def test_of_two_workers_that_see_a_job_one_takes_it_up(store):
    job_id = ask(store)
    with store.write() as transaction:
        ledger = JobLedger(transaction)
        assert ledger.next_waiting() == job_id
        assert ledger.claim(job_id, utc_text(NOW)).attempts == 1
        assert ledger.claim(job_id, utc_text(NOW)) is None
    assert requests.take_up(store, now=NOW) is None


def test_jobs_are_taken_up_in_the_order_asked(store, in_file):
    first, second = ask(store), ask(store)
    assert next_job(store, in_file, {"count": lambda *_: {}}).job_id == first
    assert next_job(store, in_file, {"count": lambda *_: {}}).job_id == second


def test_an_error_of_ours_ends_the_job_with_its_sentence(store, in_file):
    def fail(*_: object) -> dict[str, Any]:
        raise InputError("row 7: lon=400")

    job_id = ask(store)
    next_job(store, in_file, {"count": fail})
    assert requests.look(store, in_file, job_id).error == "row 7: lon=400"
    assert requests.look(store, in_file, job_id).state == "failed"


def test_any_other_error_ends_the_job_without_showing_its_inside(store, in_file, caplog):
    job_id = ask(store)
    job = next_job(store, in_file, {"count": lambda *_: {}["the secret"]})
    assert (job.job_id, job.state) == (job_id, "failed")
    assert "secret" not in job.error
    assert "the secret" in caplog.text


def test_progress_is_seen_while_another_connection_holds_the_pen_of_the_store(store, in_file):
    seen: list[jobs.Job] = []

    def slow(held: Store, _arguments: object, progress: requests.JobProgress) -> dict[str, Any]:
        with held.write() as transaction:
            transaction.set_setting("pen", "held")
            progress("Comparing 1,000 rows with the store")
            for _ in range(100):
                seen.append(requests.look(store, in_file, job_id))
                if seen[-1].stage:
                    break
                time.sleep(0.05)
        return {}

    job_id = ask(store)
    next_job(store, in_file, {"count": slow})
    assert seen[-1].stage == "Comparing 1,000 rows with the store"
    assert seen[-1].state == "running"


def test_a_job_that_waits_is_stopped_at_once(store, heartbeats):
    job_id = ask(store)
    requests.stop(store, heartbeats, job_id, now=NOW)
    assert requests.look(store, heartbeats, job_id).state == "stopped"
    assert next_job(store, heartbeats, {"count": count}) is None
    with pytest.raises(ConflictError, match="stopped already"):
        requests.stop(store, heartbeats, job_id, now=NOW)


def test_a_job_that_runs_stops_where_it_next_tells_and_writes_nothing(store, in_file):
    def slow(held: Store, _arguments: object, progress: requests.JobProgress) -> dict[str, Any]:
        requests.stop(store, in_file, job_id, now=NOW)
        assert progress.is_stopping.wait(5)
        with held.write() as transaction:
            transaction.set_setting("half", "done")
            progress("Writing")
        return {}

    job_id = ask(store)
    next_job(store, in_file, {"count": slow})
    assert requests.look(store, in_file, job_id).state == "stopped"
    with store.read() as transaction:
        assert transaction.setting("half") is None
    assert not in_file.is_asked_to_stop(job_id)


def left_behind(store: Store, heartbeats: Heartbeats, **sign: Any) -> str:
    """A job that a worker took up and never ended."""
    job_id = ask(store)
    with store.write() as transaction:
        JobLedger(transaction).claim(job_id, utc_text(NOW))
    if sign:
        heartbeat = {"worker": "elsewhere:1", "at": utc_text(NOW), "stage": None, "done": None,
                     "total": None}  # fmt: skip
        heartbeats.beat(job_id, heartbeat | sign)
    return job_id


@pytest.mark.parametrize(
    ("sign", "after_s", "is_found"),
    [
        ({}, 1, False),  # it was taken up only now
        ({}, 10, True),  # its worker left in an orderly way
        ({"worker": "elsewhere:1"}, 10, False),
        ({"worker": "elsewhere:1"}, 31, True),  # silent for too long
        ({"worker": f"{os.uname().nodename}:{GONE}"}, 1, True),  # no such process here
        ({"worker": f"{os.uname().nodename}:{os.getpid()}"}, 1, False),
    ],
)
def test_a_job_whose_worker_died_is_put_back(store, in_file, sign, after_s, is_found):
    job_id = left_behind(store, in_file, **sign)
    now = NOW + timedelta(seconds=after_s)
    assert requests.recover(store, in_file, now=now) == [job_id] * is_found
    assert requests.look(store, in_file, job_id).state == ("waiting" if is_found else "running")
    taken_up = requests.take_up(store, now=now)
    assert (taken_up is not None and taken_up.attempts == 2) == is_found


def test_a_job_is_given_up_after_three_deaths(store, in_file):
    job_id = left_behind(store, in_file)
    later = NOW + timedelta(minutes=1)
    for attempt in (2, 3):
        assert requests.recover(store, in_file, now=later) == [job_id]
        with store.write() as transaction:
            assert JobLedger(transaction).claim(job_id, utc_text(NOW)).attempts == attempt
    assert requests.recover(store, in_file, now=later) == []
    job = requests.look(store, in_file, job_id)
    assert job.state == "failed"
    assert "stopped 3 times" in job.error


def test_what_waits_needs_nothing_but_the_store_to_be_taken_up_and_once(store, tmp_path):
    job_id = ask(store)
    empty = open_heartbeats(str(tmp_path / "new.sqlite"))
    for _ in range(3):
        assert requests.recover(store, empty, now=NOW) == []
    assert next_job(store, empty, {"count": lambda *_: {}}).job_id == job_id
    assert next_job(store, empty, {"count": lambda *_: {}}) is None
    empty.close()


def test_an_attempt_that_was_given_up_cannot_end_the_next_one(store, in_file):
    job_id = left_behind(store, in_file)
    requests.recover(store, in_file, now=NOW + timedelta(minutes=1))
    with store.write() as transaction:
        JobLedger(transaction).claim(job_id, utc_text(NOW))
        assert not JobLedger(transaction).end(job_id, 1, state="done", ended_at="late")
        assert JobLedger(transaction).end(job_id, 2, state="done", ended_at="in time")


def test_a_job_that_ended_with_what_it_wrote_is_not_done_again_after_a_death(store, in_file):
    def task(held: Store, _: object, progress: requests.JobProgress) -> dict[str, Any]:
        with held.write() as transaction:
            progress.end(transaction, {"written": 1})
        raise MemoryError  # as good as dead: nothing after the transaction counts

    job_id = ask(store)
    job = next_job(store, in_file, {"count": task})
    assert (job.state, job.outcome, job.error) == ("done", {"written": 1}, None)
    assert requests.recover(store, in_file, now=NOW + timedelta(minutes=1)) == []
    assert requests.look(store, in_file, job_id).attempts == 1


def test_an_unknown_job_is_told_with_the_remedy(store, in_file):
    with pytest.raises(NotFoundError, match="territory jobs list"):
        requests.look(store, in_file, "job-0")


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("mysql://here/jobs", InputError, "this is no queue"),
        ("/proc/nowhere/jobs.sqlite", StoreError, "cannot be opened"),
        ("postgresql://nobody@127.0.0.1:1/none", StoreError, "out of reach"),
    ],
)
def test_a_queue_that_cannot_be_had_is_told_in_a_sentence(address, error, words):
    with pytest.raises(error, match=words):
        open_heartbeats(address)


def test_a_queue_that_breaks_later_is_told_as_ours(tmp_path):
    heartbeats = open_heartbeats(str(tmp_path / "jobs.sqlite"))
    heartbeats.close()
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 500)
    for file in tmp_path.glob("jobs.sqlite-*"):
        file.unlink()
    with pytest.raises(StoreError, match="queue of jobs is out of reach"):
        heartbeats.beat("job-1", {})


def test_no_heartbeat_is_pickled(in_file, tmp_path):
    in_file.beat("job-1", {"stage": "é"})
    in_file.ask_to_stop("job-1")
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as connection:
        values = dict(connection.execute("SELECT key, value FROM job_heartbeats"))
    assert sorted(values) == ["beat-job-1", "stop-job-1"]
    assert json.loads(values["beat-job-1"]) == {"stage": "é"}


# ---- the worker as a process

WORKER = """
import signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from territory.jobs import worker
folder = Path(sys.argv[1])
def asked_to_leave():
    # Once it has come, the next Ctrl+C is left to Python.
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler
def slow(store, arguments, progress):
    progress("Sleeping")
    (folder / "started").touch()
    with store.write() as transaction:
        transaction.set_setting("slept", "yes")
        while not (folder / "go").exists() and not asked_to_leave():
            time.sleep(0.02)
    return {"slept": True}
worker.WATCH_S = 0.2
worker.work(str(folder / "store.sqlite"), folder, tasks={"count": slow},
            clock=lambda: datetime.now(UTC), ready=lambda: print("ready", flush=True),
            is_bound=True)
"""


def start_worker(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_job_whose_worker_is_killed_in_the_middle_is_done_by_the_next(
    store, in_file, tmp_path, death
):
    job_id = ask(store)
    with start_worker(tmp_path) as first:
        until((tmp_path / "started").exists)
        if death is None:
            first.stdin.close()  # as when the server that started it is gone
        else:
            first.send_signal(death)
        assert first.wait(10) == (-9 if death == signal.SIGKILL else 0)
    assert requests.look(store, in_file, job_id).state == "running"
    with store.read() as transaction:
        assert transaction.setting("slept") is None
    (tmp_path / "go").touch()
    with start_worker(tmp_path) as second:
        job = until(lambda: (j := requests.look(store, in_file, job_id)).state == "done" and j)
        second.send_signal(signal.SIGINT)
        second.wait(10)
    assert (job.attempts, job.outcome) == (2, {"slept": True})


def test_ctrl_c_lets_the_job_at_hand_end(store, in_file, tmp_path):
    job_id = ask(store)
    with start_worker(tmp_path) as worker:
        until((tmp_path / "started").exists)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(10) == 0
    assert requests.look(store, in_file, job_id).state == "done"


def test_the_command_line_lists_shows_and_stops_jobs(store, in_file, tmp_path, monkeypatch):
    monkeypatch.setenv("TERRITORY_QUEUE", str(tmp_path / "jobs.sqlite"))
    job_id = ask(store)

    def told(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["--store", store.url, "jobs", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert job_id in told("list")
    assert json.loads(told("show", job_id, "--json"))["state"] == "waiting"
    assert told("stop", job_id) == f"{job_id} is being stopped.\n"
    assert json.loads(told("list", "--json"))["jobs"][0]["state"] == "stopped"


def test_an_unknown_work_ends_the_job_as_failed(store, in_file):
    job_id = requests.ask(store, "juggle", {}, by="Ann", now=NOW)
    next_job(store, in_file, {})
    assert requests.look(store, in_file, job_id).state == "failed"
