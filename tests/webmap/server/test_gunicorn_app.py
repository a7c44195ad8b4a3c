"""Connections that come at once are shared among the workers of a server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT_ONCE, ROUNDS = 16, 6
APP = """
import os
from flask import Flask, request

app = Flask(__name__)

@app.route("/")
def index():
    return str(os.getpid())

@app.route("/", methods=["POST"])
def length():
    return str(len(request.get_data()))
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
            "--worker-class", "webmap.server.gunicorn_app.BufferedWorker", "--chdir", str(tmp_path),
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
    until(lambda: len(who_answer(address)) == 2)  # both have started
    for _ in range(ROUNDS):
        answers = who_answer(address)
        assert sum(answers.values()) == AT_ONCE
        assert len(answers) == 2


def ask(address: tuple[str, int], head: bytes, body: bytes = b"") -> bytes:
    """Send a request; give the body of the answer, or all of it where it is no success."""
    with socket.create_connection(address, timeout=60) as one, one.makefile("rb") as answer:
        one.sendall(head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body)
        start, _, rest = answer.read().partition(b"\r\n\r\n")
    return rest if start.startswith(b"HTTP/1.1 200 ") else start


def test_half_sent_requests_hold_no_thread(address) -> None:
    start = b"POST / HTTP/1.1\r\nHost: here\r\n"
    halves = [start, start + b"Content-Length: 1000\r\n\r\nabc", b""]
    opened = [socket.create_connection(address, timeout=60) for _ in range(90)]
    for number, one in enumerate(opened):
        one.sendall(halves[number % 3])
    assert ask(address, b"GET / HTTP/1.1\nHost: here\nConnection: close").isdigit()
    first = opened[0]  # it has not been cut off by that, and may go on
    first.sendall(b"Connection: close\r\nContent-Length: 3\r\n\r\nabc")
    with first.makefile("rb") as answer:
        assert answer.read().endswith(b"\r\n\r\n3")
    for one in opened:
        one.close()


@pytest.mark.parametrize("named", [b"Cookie: a=b\n", b""])
def test_a_body_that_nobody_asked_for_is_not_taken_in(address, named) -> None:
    head = b"POST / HTTP/1.1\nHost: here\nConnection: close\n" + named
    small = b"x" * 1000
    assert ask(address, head + b"Content-Length: 1000", small) == b"1000"
    # What was announced is more than the route takes: the app has the request, without the body.
    assert ask(address, head + b"Content-Length: 100000") == b"0"
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (small, b""))
    assert ask(address, head + b"Transfer-Encoding: chunked", pieces) == b"1000"


def test_many_requests_go_over_one_connection(address) -> None:
    with socket.create_connection(address, timeout=60) as one, one.makefile("rb") as answer:
        for _ in range(3):
            one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            length = 0
            while (line := answer.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            assert answer.read(length).isdigit()
