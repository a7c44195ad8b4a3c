#!/usr/bin/env python
"""Publish a plan of many prospects while twenty people read and five write notes.

    scripts/soak/busy_store.py [--n 56000,1000000] [--folder FOLDER] [--json]

Makes a company (`scripts/bench/webmap` draws it; ``--folder`` keeps it for another run), serves it
on this machine alone, and publishes a new plan of it from a process of its own. Until that is done
the readers ask for the first page, the list, the map and ``/healthz`` every half second, and the
writers add notes. Bars: reads under a second at p99, no answer of 500 or more but the announced
503 with Retry-After to those who write.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import numpy as np

from scripts.bench.webmap import load
from scripts.bench.webmap import server as servers
from scripts.bench.webmap.__main__ import prepared
from scripts.bench.webmap.company import EVERYWHERE

if TYPE_CHECKING:
    from scripts.bench.webmap.company import Company

READERS, WRITERS = 20, 5
PAUSE_S, LEAST_S, MOST_S = 0.5, 10.0, 900.0
BAR_S = 1.0
PUBLISH = """
import sys
from datetime import UTC, datetime
from territory import plans
from territory.policy import Policy, RadiusPolicy
from territory.store import open_store
with open_store(sys.argv[1]) as store:
    with store.read() as one:
        limit_m = plans.PlanLedger(one).policy_in_force().radius.limit_m
    policy = Policy(name="soak", radius=RadiusPolicy(limit_m=limit_m + 1.0))
    plans.assign(store, published_by="soak", now=datetime.now(UTC), policy=policy)
"""


@dataclass
class Tally:
    """What readers and writers were told."""

    reads: list[float] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


def ask(
    address: str, cookie: str, path: str, form: dict[str, str] | None = None
) -> tuple[int, bool, float, str]:
    """Ask for a page or send a form: status, whether it says when to come again, seconds, text."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=120)
    headers = {"Cookie": cookie, "Origin": address.rstrip("/")}
    start = time.monotonic()
    if form is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", path, urlencode(form), headers)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    told = answer.status, "Retry-After" in answer.headers, time.monotonic() - start, text
    for given in answer.msg.get_all("Set-Cookie") or ():
        text += f"\n{given}"
    connection.close()
    return (*told[:3], text)


def form_of(address: str, cookie: str) -> tuple[str, str]:
    """Get the token of a form, and the cookies that belong to it."""
    *_, text = ask(address, cookie, "/account")
    token = text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    given = [line.split(";")[0] for line in text.splitlines() if line.startswith("territory=")]
    return token, "; ".join([cookie, *given])


def read(address: str, cookie: str, number: int, over: threading.Event, tally: Tally) -> None:
    """Be a reader."""
    paths = ["/", "/healthz", f"/markets/{EVERYWHERE}", *list(load.paths())[:8]]
    while not over.is_set():
        number += 1
        path = paths[number % len(paths)]
        status, _, seconds, _ = ask(address, cookie, path)
        tally.reads.append(seconds)
        tally.slowest.append((round(seconds, 2), path[:60]))
        tally.told["read" if status == 200 else f"read {status}"] += 1
        over.wait(PAUSE_S)


def write(address: str, cookie: str, number: int, over: threading.Event, tally: Tally) -> None:
    """Be a writer."""
    token, cookies = form_of(address, cookie)
    while not over.is_set():
        number += WRITERS
        form = {"csrf_token": token, "text": f"Note {number}"}
        status, is_announced, seconds, _ = ask(
            address, cookies, f"/prospects/P{number}/notes", form
        )
        tally.writes.append(seconds)
        is_later = status == 503 and is_announced
        name = "written" if status in {200, 303} else "told to come again" if is_later else status
        tally.told[str(name)] += 1
        over.wait(PAUSE_S)


def soak(company: Company) -> dict[str, object]:
    """Publish once with everybody beside it."""
    cookies = [f"territory-session={one}" for one in servers.sign_in(company, 5)]
    tally, over = Tally(), threading.Event()
    with servers.serving(company) as server:
        ask(server.address, cookies[0], f"/markets/{EVERYWHERE}")  # the snapshot is made
        people = [(read, at) for at in range(READERS)] + [(write, at) for at in range(WRITERS)]
        threads = [
            threading.Thread(
                target=who, args=(server.address, cookies[at % len(cookies)], at, over, tally)
            )
            for who, at in people
        ]
        start = time.monotonic()
        with subprocess.Popen([sys.executable, "-c", PUBLISH, company.url], cwd=ROOT) as publisher:
            for thread in threads:
                thread.start()
            code = publisher.wait(MOST_S)
        publish_s = time.monotonic() - start
        over.wait(max(0.0, LEAST_S - publish_s))
        over.set()
        for thread in threads:
            thread.join()
    bad = sum(
        count for name, count in tally.told.items() if name.removeprefix("read ").startswith("5")
    )
    return {
        "n": company.prospects, "publish_s": publish_s, "published": code == 0,
        "read_p50_s": float(np.percentile(tally.reads, 50)),
        "read_p99_s": float(np.percentile(tally.reads, 99)),
        "read_worst_s": max(tally.reads), "write_worst_s": max(tally.writes),
        "slowest": sorted(tally.slowest, reverse=True)[:5],
        "errors": bad, **tally.told, "load_average": os.getloadavg()[0],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--n", default="56000,1000000", help="prospects, separated by commas")
    parser.add_argument("--folder", type=Path, help="where companies are kept for another run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, options.n.split(",")):
            figures = soak(prepared(options.folder or Path(folder), size))
            print(json.dumps(figures) if options.json else figures)
            is_met = figures["published"] and not figures["errors"]
            is_met = is_met and float(str(figures["read_p99_s"])) < BAR_S
            missed += not is_met
            print(
                f"{'met' if is_met else 'NOT MET':8}{size:,} published beside {READERS} readers "
                f"and {WRITERS} writers: p99 of reads {figures['read_p99_s']:.2f} s "
                f"(under {BAR_S}), {figures['errors']} errors"
            )
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
