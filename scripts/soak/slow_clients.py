#!/usr/bin/env python
"""Hold a server with slow clients, and time a signed-in page and ``/healthz`` beside them.

    scripts/soak/slow_clients.py [--seconds 60] [--json]

Starts ``territory serve`` over the example company, on this machine alone, with one thing between
it and the clients: nothing. Then 200 clients send half of their headers and wait, 50 send a body of
a kilobyte a byte a second, and 200 connect and say nothing. All the while ``/healthz`` and the
first page are asked every half second; a second is the bar.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
HALF, SLOW, IDLE = 200, 50, 200
BAR_S = 1.0
START = b"POST /imports HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@contextlib.contextmanager
def server(folder: Path):
    """Serve the example company; give the address."""
    territory = Path(sys.executable).with_name("territory")
    environment = {**os.environ, "TERRITORY_STORE": f"sqlite:///{folder}/store.sqlite",
                   "TERRITORY_VAR": str(folder / "var")}  # fmt: skip
    subprocess.run([territory, "demo"], env=environment, check=True, capture_output=True)
    command = [territory, "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield next(word for line in process.stdout for word in line.split() if "http" in word)
        finally:
            process.terminate()


def open_slow(address: str) -> tuple[list[socket.socket], list[socket.socket]]:
    """Connect all slow clients; give them all, and those that drip."""
    at = (urlsplit(address).hostname, urlsplit(address).port)
    clients = [socket.create_connection(at, timeout=30) for _ in range(HALF + SLOW + IDLE)]
    for client in clients[:HALF]:
        client.sendall(START)
    dripping = clients[HALF : HALF + SLOW]
    for client in dripping:
        client.sendall(START + b"Content-Length: 1000\r\n\r\n")
    return clients, dripping


def timed(address: str) -> float:
    """Ask for a page, whole; give the seconds."""
    start = time.monotonic()
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own server
        answer.read()
    return time.monotonic() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    times: dict[str, list[float]] = {"healthz": [], "": []}
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as address:
        clients, dripping = open_slow(address)
        until = time.monotonic() + options.seconds
        while time.monotonic() < until:
            for path, seconds in times.items():
                seconds.append(timed(address + path))
            for client in dripping:
                with contextlib.suppress(OSError):  # it has been cut off
                    client.send(b"x")
            time.sleep(0.5)
        for client in clients:
            client.close()
    figures = {
        path or "first page": {
            "asked": len(seconds),
            "median_s": round(statistics.median(seconds), 3),
            "worst_s": round(max(seconds), 3),
        }
        for path, seconds in times.items()
    }
    worst = max(figure["worst_s"] for figure in figures.values())
    print(json.dumps(figures) if options.json else figures)
    verdict = "met" if worst < BAR_S else "NOT MET"
    print(f"{verdict:8}{HALF + SLOW + IDLE} slow clients, worst: {worst} s (at most {BAR_S})")
    return 0 if worst < BAR_S else 1


if __name__ == "__main__":
    sys.exit(main())
