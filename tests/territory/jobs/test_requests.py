"""Long works: taken up once, told about, stopped, found again after a death, whatever the queue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from territory.cli.main import cli
from territory.errors import ConflictError, InputError, NotFoundError, StoreError
from territory.jobs import Queue, open_queue, requests
from territory.jobs.ledger import JobLedger
from territory.store import Store, open_store
from territory.timestamps import utc_text
from webmap.server.serve import LocalWorker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@pytest.fixture(params=["sqlite", "postgresql"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Queue]:
    is_file = request.param == "sqlite"
    address = (
        str(tmp_path / "jobs.sqlite") if is_file else request.getfixturevalue("postgresql_url")
    )
    opened = open_queue(address)
    yield opened
    opened.huey.storage.flush_all()
    opened.close()


@pytest.fixture
def file_queue(tmp_path: Path) -> Iterator[Queue]:
    opened = open_queue(str(tmp_path / "jobs.sqlite"))
    yield opened
    opened.close()


def asked(store: Store, queue: Queue, **arguments: Any) -> str:
    return requests.ask(store, queue, "count", arguments, by="Ann", now=NOW)


def next_job(store: Store, queue: Queue, works: dict[str, Any]) -> jobs.Job | None:
    """Do what a worker does with the next order of the queue."""
    ran = []
    queue.runner = lambda job_id: ran.append(requests.run(store, queue, works, job_id, clock=clock))
    task = queue.huey.dequeue()
    queue.huey.execute(task)
    return ran[0]


def count(_store: Store, arguments: dict[str, Any], progress: requests.Progress) -> dict[str, Any]:
    progress("Counting")
    progress.rows(3, arguments["of"])
    return {"counted": arguments["of"]}


def test_a_job_is_asked_for_run_and_its_outcome_kept(store, queue):
    job_id = asked(store, queue, of=7)
    waiting = requests.look(store, queue, job_id)
    assert (waiting.state, waiting.asked_by, waiting.asked_at) == (
        "waiting", "Ann", "2026-11-23T09:30:00Z",
    )  # fmt: skip
    next_job(store, queue, {"count": count})
    done = requests.look(store, queue, job_id)
    assert (done.state, done.outcome, done.attempts) == ("done", {"counted": 7}, 1)
    assert (done.stage, done.done, done.total) == ("Counting", 3, 7)
    assert queue.sign(job_id) is None


def test_an_order_that_comes_twice_is_run_once(store, queue):
    ran = []
    job_id = asked(store, queue)
    queue.send(job_id)
    works = {"count": lambda *_: ran.append(1) or {}}
    assert next_job(store, queue, works).state == "done"
    assert next_job(store, queue, works) is None
    assert ran == [1]


def test_jobs_are_taken_up_in_the_order_asked(store, file_queue):
    first, second = asked(store, file_queue), asked(store, file_queue)
    assert next_job(store, file_queue, {"count": lambda *_: {}}).job_id == first
    assert next_job(store, file_queue, {"count": lambda *_: {}}).job_id == second


def test_an_error_of_ours_ends_the_job_with_its_sentence(store, file_queue):
    def fail(*_: object) -> dict[str, Any]:
        raise InputError("row 7: lon=400")

    job_id = asked(store, file_queue)
    next_job(store, file_queue, {"count": fail})
    assert requests.look(store, file_queue, job_id).error == "row 7: lon=400"
    assert requests.look(store, file_queue, job_id).state == "failed"


def test_any_other_error_ends_the_job_without_showing_its_inside(store, file_queue, caplog):
    job_id = asked(store, file_queue)
    with pytest.raises(IndexError):
        next_job(store, file_queue, {"count": lambda *_: {}["the secret"]})
    job = requests.look(store, file_queue, job_id)
    assert job.state == "failed"
    assert "secret" not in job.error
    assert "the secret" in caplog.text


def test_progress_is_seen_while_another_connection_holds_the_pen_of_the_store(store, file_queue):
    seen: list[jobs.Job] = []

    def slow(held: Store, _arguments: object, progress: requests.Progress) -> dict[str, Any]:
        with held.write() as transaction:
            transaction.set_setting("pen", "held")
            progress("Comparing 1,000 rows with the store")
            for _ in range(100):
                seen.append(requests.look(store, file_queue, job_id))
                if seen[-1].stage:
                    break
                time.sleep(0.05)
        return {}

    job_id = asked(store, file_queue)
    next_job(store, file_queue, {"count": slow})
    assert seen[-1].stage == "Comparing 1,000 rows with the store"
    assert seen[-1].state == "running"


def test_a_job_that_waits_is_stopped_at_once(store, queue):
    job_id = asked(store, queue)
    requests.stop(store, queue, job_id, now=NOW)
    assert requests.look(store, queue, job_id).state == "stopped"
    assert next_job(store, queue, {"count": count}) is None
    with pytest.raises(ConflictError, match="stopped already"):
        requests.stop(store, queue, job_id, now=NOW)


def test_a_job_that_runs_stops_where_it_next_tells_and_writes_nothing(store, file_queue):
    def slow(held: Store, _arguments: object, progress: requests.Progress) -> dict[str, Any]:
        requests.stop(store, file_queue, job_id, now=NOW)
        assert progress.is_stopping.wait(5)
        with held.write() as transaction:
            transaction.set_setting("half", "done")
            progress("Writing")
        return {}

    job_id = asked(store, file_queue)
    next_job(store, file_queue, {"count": slow})
    assert requests.look(store, file_queue, job_id).state == "stopped"
    with store.read() as transaction:
        assert transaction.setting("half") is None
    assert not file_queue.is_asked_to_stop(job_id)


def left_behind(store: Store, queue: Queue, **sign: Any) -> str:
    """A job that a worker took up and never ended."""
    job_id = asked(store, queue)
    queue.huey.dequeue()
    with store.write() as transaction:
        JobLedger(transaction).claim(job_id, utc_text(NOW))
    if sign:
        told = {"worker": "elsewhere:1", "at": utc_text(NOW), "stage": None, "done": None,
                "total": None}  # fmt: skip
        queue.tell(job_id, told | sign)
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
def test_a_job_whose_worker_died_is_put_back(store, file_queue, sign, after_s, is_found):
    job_id = left_behind(store, file_queue, **sign)
    now = NOW + timedelta(seconds=after_s)
    assert requests.recover(store, file_queue, now=now) == [job_id] * is_found
    assert requests.look(store, file_queue, job_id).state == ("waiting" if is_found else "running")
    assert file_queue.waiting() == {job_id} if is_found else not file_queue.waiting()


def test_a_job_is_given_up_after_three_deaths(store, file_queue):
    job_id = left_behind(store, file_queue)
    later = NOW + timedelta(minutes=1)
    for attempt in (2, 3):
        assert requests.recover(store, file_queue, now=later) == [job_id]
        with store.write() as transaction:
            assert JobLedger(transaction).claim(job_id, utc_text(NOW)).attempts == attempt
    assert requests.recover(store, file_queue, now=later) == []
    job = requests.look(store, file_queue, job_id)
    assert job.state == "failed"
    assert "died 3 times" in job.error


def test_what_waits_in_the_store_alone_is_sent_again_and_once(store, file_queue):
    job_id = asked(store, file_queue)
    file_queue.huey.storage.flush_queue()
    for _ in range(3):
        requests.recover(store, file_queue, now=NOW)
    assert file_queue.huey.pending_count() == 1
    assert file_queue.waiting() == {job_id}


def test_an_attempt_that_was_given_up_cannot_end_the_next_one(store, file_queue):
    job_id = left_behind(store, file_queue)
    requests.recover(store, file_queue, now=NOW + timedelta(minutes=1))
    with store.write() as transaction:
        JobLedger(transaction).claim(job_id, utc_text(NOW))
        assert not JobLedger(transaction).end(job_id, 1, state="done", ended_at="late")
        assert JobLedger(transaction).end(job_id, 2, state="done", ended_at="in time")


def test_an_unknown_job_is_told_with_the_remedy(store, file_queue):
    with pytest.raises(NotFoundError, match="territory jobs list"):
        requests.look(store, file_queue, "job-0")


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
        open_queue(address)


def test_a_queue_that_breaks_later_is_told_as_ours(tmp_path):
    queue = open_queue(str(tmp_path / "jobs.sqlite"))
    queue.close()
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 500)
    for file in tmp_path.glob("jobs.sqlite-*"):
        file.unlink()
    with pytest.raises(StoreError, match="queue of jobs is out of reach"):
        queue.send("job-1")


def test_nothing_in_the_queue_is_pickled(store, file_queue, tmp_path):
    asked(store, file_queue)
    file_queue.tell("job-1", {"stage": "é"})
    stored = list(file_queue.huey.storage.enqueued_items())
    stored.append(file_queue.huey.storage.peek_data("sign-job-1"))
    assert all(json.loads(bytes(item)) for item in stored)


# ---- the worker as a process

WORKER = """
import signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from territory.jobs import worker
from territory.jobs.queue import open_queue
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
worker.work(str(folder / "store.sqlite"), open_queue(str(folder / "jobs.sqlite")), {"count": slow},
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


def until(condition: Callable[[], Any], limit_s: float = 20) -> Any:
    """Wait for what another process does."""
    end = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_job_whose_worker_is_killed_in_the_middle_is_done_by_the_next(
    store, file_queue, tmp_path, death
):
    job_id = asked(store, file_queue)
    now = datetime.now(UTC)
    with start_worker(tmp_path) as first:
        until((tmp_path / "started").exists)
        if death is None:
            first.stdin.close()  # as when the server that started it is gone
        else:
            first.send_signal(death)
        assert first.wait(10) == (-9 if death == signal.SIGKILL else 0)
    assert requests.look(store, file_queue, job_id).state == "running"
    with store.read() as transaction:
        assert transaction.setting("slept") is None
    (tmp_path / "go").touch()
    with start_worker(tmp_path) as second:
        job = until(lambda: (j := requests.look(store, file_queue, job_id)).state == "done" and j)
        second.send_signal(signal.SIGINT)
        second.wait(10)
    assert (job.attempts, job.outcome) == (2, {"slept": True})
    assert (datetime.now(UTC) - now).total_seconds() < 20


def test_ctrl_c_lets_the_job_at_hand_end(store, file_queue, tmp_path):
    job_id = asked(store, file_queue)
    with start_worker(tmp_path) as worker:
        until((tmp_path / "started").exists)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(10) == 0
    assert requests.look(store, file_queue, job_id).state == "done"


def test_a_worker_beside_the_server_is_started_again_and_leaves_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr("webmap.server.serve.RESTART_S", 0.05)
    log = tmp_path / "pids"
    code = f"import os, sys; open({str(log)!r}, 'a').write(f'{{os.getpid()}}\\n'); sys.stdin.read()"

    def pids() -> list[int]:
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    with LocalWorker((sys.executable, "-c", code)):
        os.kill(until(pids)[0], signal.SIGKILL)
        until(lambda: len(pids()) == 2)
    with pytest.raises(ProcessLookupError):
        os.kill(pids()[1], 0)
    assert threading.active_count() < 10


def test_the_command_line_lists_shows_and_stops_jobs(store, file_queue, tmp_path, monkeypatch):
    monkeypatch.setenv("TERRITORY_QUEUE", str(tmp_path / "jobs.sqlite"))
    job_id = asked(store, file_queue)

    def told(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["--store", store.url, "jobs", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert job_id in told("list")
    assert json.loads(told("show", job_id, "--json"))["state"] == "waiting"
    assert "stops" in told("stop", job_id)
    assert json.loads(told("list", "--json"))["jobs"][0]["state"] == "stopped"


def test_an_unknown_work_ends_the_job_as_failed(store, file_queue):
    job_id = requests.ask(store, file_queue, "juggle", {}, by="Ann", now=NOW)
    with pytest.raises(IndexError):
        next_job(store, file_queue, {})
    assert requests.look(store, file_queue, job_id).state == "failed"
