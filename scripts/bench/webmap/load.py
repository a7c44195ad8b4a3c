"""Many at once: sixteen people who look about the map, each with a session of their own.

``wrk`` asks where it is installed, else threads of another Python process, which takes more of the
processor itself. Both ask only the loopback address, for a few seconds.
"""

from __future__ import annotations

import http.client
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


import numpy as np

from scripts.bench.webmap.company import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measure import Figures

CLIENTS = 16
# What is on a screen of 1280 x 800 at these places, from the whole country to a street.
VIEWS = (
    (-98.6, 39.8, 4), (-87.6, 41.9, 6), (-74.0, 40.7, 8), (-118.2, 34.0, 10), (-95.4, 29.8, 12),
    (-84.4, 33.7, 9), (-104.9, 39.7, 14),
)  # fmt: skip
FILTERS = (
    {},
    {"status": "customer"},
    {"segment": "enterprise"},
    {"status": "prospect", "verdict": "in"},
    {"whitespace": "1"},
    {"industry": "Banking", "employees": "100..5000"},
    {"stale": "90"},
)
WIDE, HIGH = 1000, 450  # pixels of a map
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate, br"}

LUA = """
local paths, cookies = {%(paths)s}, {%(cookies)s}
local turn, made = 0, 0
function setup(thread) thread:set("first", made); made = made + 1 end
function init(args) turn = first * 7919 end
function request()
  turn = turn + 1
  return wrk.format("GET", paths[turn %% #paths + 1], {
    ["Cookie"] = "territory-session=" .. cookies[turn %% #cookies + 1],
    ["Accept"] = "application/json", ["Accept-Encoding"] = "gzip, deflate, br"})
end
function done(summary, latency, requests)
  local bad = summary.errors
  local told = {
    requests = summary.requests, us = summary.duration, p50 = latency:percentile(50),
    p95 = latency:percentile(95), p99 = latency:percentile(99),
    errors = bad.connect + bad.read + bad.write + bad.status + bad.timeout}
  for name, value in pairs(told) do io.write(string.format("told %%s %%d\\n", name, value)) end
end
"""


def paths() -> Iterator[str]:
    """Give what is asked: every view under every filter."""
    for (lon, lat, zoom), filters in itertools.product(VIEWS, FILTERS):
        aside = 360 * WIDE / 2 / (256 * 2**zoom)
        above = aside * HIGH / WIDE * np.cos(np.radians(lat))
        box = (lon - aside, lat - above, lon + aside, lat + above)
        bbox = ",".join(f"{edge:.5f}" for edge in box)
        yield "/view.json?" + urlencode(
            {"market": EVERYWHERE, **filters, "bbox": bbox, "zoom": zoom}
        )


def tool() -> str:
    """Name what asks."""
    return "wrk" if shutil.which("wrk") else "threads of another Python process"


def ask_many(address: str, cookies: list[str], seconds: int) -> Figures:
    """Ask for ``seconds`` at 16 clients: requests a second, latencies in ms, errors."""
    if shutil.which("wrk"):
        return _by_wrk(address, cookies, seconds)
    command = [sys.executable, __file__, address, str(seconds), *cookies]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _by_wrk(address: str, cookies: list[str], seconds: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        texts = {
            "paths": ", ".join(json.dumps(path) for path in paths()),
            "cookies": ", ".join(json.dumps(cookie) for cookie in cookies),
        }
        script.write_text(LUA % texts)
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "10s", "--latency",
             "-s", str(script), address],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    told = {name: int(value) for name, value in re.findall(r"told (\w+) (\d+)", done.stdout)}
    return {
        "per_s": told["requests"] / told["us"] * 1e6,
        "p50_ms": told["p50"] / 1000,
        "p95_ms": told["p95"] / 1000,
        "p99_ms": told["p99"] / 1000,
        "errors": told["errors"],
        "requests": told["requests"],
    }


def _by_threads(address: str, cookies: list[str], seconds: float) -> Figures:
    asked, took, errors = list(paths()), [], []
    ends = time.perf_counter() + seconds

    def client(number: int) -> None:
        place = urlsplit(address)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
        headers = HEADERS | {"Cookie": f"territory-session={cookies[number % len(cookies)]}"}
        for turn in itertools.count(number * 7):
            started = time.perf_counter()
            if started > ends:
                return
            try:
                connection.request("GET", asked[turn % len(asked)], headers=headers)
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                errors.append(str(error))
                connection.close()
                continue
            if answer.status != 200:
                errors.append(str(answer.status))
            took.append(time.perf_counter() - started)

    started = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - started
    p50, p95, p99 = 1000 * np.percentile(took, [50, 95, 99])
    return {
        "per_s": len(took) / spent,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "errors": len(errors),
        "requests": len(took),
    }


if __name__ == "__main__":
    print(json.dumps(_by_threads(sys.argv[1], sys.argv[3:], float(sys.argv[2]))))
