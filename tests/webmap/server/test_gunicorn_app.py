"""Connections that come at once are shared among the workers of a server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT_ONCE, ROUNDS = 16, 6
APP = """
import os

def app(environ, start):
    told = str(os.getpid()).encode()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
    return [told]
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Serve by two workers an app that says which of them answers."""
    (tmp_path / "which.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        os.set_inheritable(listener.fileno(), True)
        command = [
            sys.executable, "-m", "gunicorn", "which:app", "--bind", f"fd://{listener.fileno()}",
            "--workers", "2", "--threads", "4", "--log-level", "error",
            "--worker-class", "webmap.server.gunicorn_app.FairWorker", "--chdir", str(tmp_path),
            "--no-control-socket",
        ]  # fmt: skip
        with subprocess.Popen(command, pass_fds=[listener.fileno()]) as server:
            yield listener.getsockname()
            server.terminate()


def who_answer(address: tuple[str, int]) -> Counter[str]:
    """Connect many times before anything is asked; count whom the answers are from."""
    opened = [socket.create_connection(address, timeout=30) for _ in range(AT_ONCE)]
    for one in opened:
        one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    answers: Counter[str] = Counter()
    for one in opened:
        with one, one.makefile("rb") as told:
            answers[told.read().rpartition(b"\r\n\r\n")[2].decode()] += 1
    return answers


def test_no_worker_takes_all_that_comes_at_once(address) -> None:
    until = time.monotonic() + 30
    while len(who_answer(address)) < 2:  # until both have started
        assert time.monotonic() < until
    for _ in range(ROUNDS):
        answers = who_answer(address)
        assert sum(answers.values()) == AT_ONCE
        assert len(answers) == 2
