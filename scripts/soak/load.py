#!/usr/bin/env python
"""Fifty clients of seven people read everything there is, for three minutes; beside an older build.

    scripts/soak/load.py [--seconds 180] [--beside CHECKOUT] [--json]

Serves the example company of this checkout, and then that of CHECKOUT (a clone of an older commit
with its own ``.venv``, made by ``scripts/setup``), on this machine alone. The people come in by the
links that ``territory serve`` prints. What each may open is found by following the links of the
pages, market maps and downloads included, until ``PAGES`` are known; then each client asks for one
of them after another, without a pause, chosen by a seed.

Bars: no answer of 500 or more; p99 at most a third of the older build's; the memory of all
processes of the server, once it has come to rest, within 5 % of what it was at rest after a third
of that load.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CLIENTS, PAGES, REST_S = 50, 60, 10.0
LEFT_ALONE = re.compile(r"^/(static/|sign-out|sign-in|oidc)")
WARMING = 1 / 3  # of the seconds: workers fill their caches
P99_RATIO, GROWTH = 1 / 3, 1.05


@dataclass
class Tally:
    """What the clients were told: a status by each answer, and its seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


@contextmanager
def serving(checkout: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Serve the example company of a checkout; give the process and each person's link."""
    territory = checkout / ".venv" / "bin" / "territory"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "TERRITORY_STORE": f"sqlite:///{folder}/store.sqlite",
            "TERRITORY_VAR": f"{folder}/var",
            "PYTHONUNBUFFERED": "1",
        }
        subprocess.run([territory, "demo"], env=environment, check=True, capture_output=True)
        with (
            (Path(folder) / "log").open("w") as log,
            subprocess.Popen(
                [territory, "serve", "--port", "0"],
                env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            ) as process,
        ):  # fmt: skip
            try:
                yield process.pid, _links(process)
            finally:
                process.terminate()
                process.wait(60)


def _links(process: subprocess.Popen[str]) -> dict[str, str]:
    links: dict[str, str] = {}
    for line in process.stdout or ():
        if found := re.search(r"^\s+(\S.*?)\s+(http://\S+#\S+)", line):
            links[found[1]] = found[2]
        if len(links) == 7:
            break
    return links


def sign_in(link: str) -> str:
    """Come in by a one-time link; give the cookies."""
    address, _, secret = link.partition("#")
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
    connection.request("GET", place.path)
    answer = connection.getresponse()
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.read().decode())
    cookies = _cookies(answer)
    form = urlencode({"csrf_token": token[1] if token else "", "secret": secret})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Origin": f"http://{place.netloc}",
    }
    connection.request("POST", place.path, body=form, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 303 and answer.status != 302:
        raise SystemExit(f"Signing in was answered by {answer.status}.")
    cookies |= _cookies(answer)
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _cookies(answer: http.client.HTTPResponse) -> dict[str, str]:
    given = [text.split(";")[0].partition("=") for text in answer.msg.get_all("Set-Cookie") or ()]
    return {name: value for name, _, value in given}


def find_pages(address: str, cookie: str) -> list[str]:
    """Open page after page from the first one on, and give the paths that were answered."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=120)
    waiting, seen, pages = ["/"], {"/"}, []
    while waiting and len(pages) < PAGES:
        path = waiting.pop(0)
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            continue
        pages.append(path)
        if "html" not in answer.headers.get("Content-Type", ""):
            continue
        for target in re.findall(r'(?:href|data-[a-z-]+)="(/[^"#]*)', body.decode()):
            target = urlsplit(urljoin(path, unescape(target)))._replace(fragment="").geturl()
            if target not in seen and not LEFT_ALONE.match(target):
                seen.add(target)
                waiting.append(target)
    return pages


def ask(place: tuple[str, int], cookie: str, pages: list[str], until: float, tally: Tally) -> None:
    """Be one client until a moment of the monotonic clock."""
    chosen = random.Random(threading.current_thread().name)  # noqa: S311 - a repeatable choice
    connection = http.client.HTTPConnection(*place, timeout=120)
    while time.monotonic() < until:
        path = chosen.choice(pages)
        start = time.monotonic()
        try:
            connection.request("GET", path, headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            tally.errors[type(error).__name__] += 1
            connection.close()
            continue
        tally.statuses[answer.status] += 1
        tally.seconds.append(time.monotonic() - start)
        tally.slowest = sorted([*tally.slowest, (tally.seconds[-1], path)], reverse=True)[:5]


def ask_all(
    place: tuple[str, int],
    cookies: list[str],
    pages: list[list[str]],
    seconds: float,
    tally: Tally,
) -> None:
    """Let all clients ask for some seconds; each is one of the people."""
    until = time.monotonic() + seconds
    clients = [
        threading.Thread(
            target=ask,
            args=(place, cookies[at % len(cookies)], pages[at % len(pages)], until, tally),
            name=f"client-{at}",
        )
        for at in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def memory_mb(pid: int) -> float:
    """Sum what a process and its descendants hold, shared pages counted once (Pss)."""
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0.0
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own / 1024 + sum(memory_mb(child) for child in children)


def soak(checkout: Path, seconds: float) -> dict[str, object]:
    """Serve a checkout, let everybody read, and give the figures."""
    tally = Tally()
    with serving(checkout) as (pid, links):
        address = next(iter(links.values()))
        place = (str(urlsplit(address).hostname), urlsplit(address).port or 80)
        people = [sign_in(link) for link in links.values()]
        pages = [find_pages(address, cookie) for cookie in people]
        ask_all(place, people, pages, seconds * WARMING, Tally())
        time.sleep(REST_S)
        warm = memory_mb(pid)
        ask_all(place, people, pages, seconds, tally)
        time.sleep(REST_S)
        rest = memory_mb(pid)
    centiles = statistics.quantiles(tally.seconds, n=100)
    return {
        "people": len(people),
        "pages": sum(map(len, pages)),
        "requests": len(tally.seconds),
        "p50_s": round(centiles[49], 3),
        "p99_s": round(centiles[98], 3),
        "worst_s": round(max(tally.seconds), 3),
        "slowest": [f"{seconds:.2f} s {path}" for seconds, path in tally.slowest],
        "statuses": {str(status): number for status, number in sorted(tally.statuses.items())},
        "connection_errors": dict(tally.errors),
        "warm_mb": round(warm),
        "after_mb": round(rest),
    }


def main() -> int:
    """Print the figures and the bars; give 1 where one is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--beside", type=Path, help="a checkout of an older commit with its .venv")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = {"this": soak(ROOT, options.seconds)}
    if options.beside:
        figures["older"] = soak(options.beside.resolve(), options.seconds)
    this = figures["this"]
    failed = sum(number for status, number in this["statuses"].items() if status >= "500")
    broken = sum(this["connection_errors"].values())
    growth = this["after_mb"] / this["warm_mb"]
    bars = [
        (f"answers of 500 or more: {failed} (at most 0)", not failed),
        (f"broken connections: {broken} (at most 0)", not broken),
        (f"memory at rest: {growth:.3f} of the warm server's (at most {GROWTH})", growth <= GROWTH),
    ]
    if options.beside:
        ratio = this["p99_s"] / figures["older"]["p99_s"]
        bars.append((f"p99: {ratio:.2f} of the older build's (at most 0.33)", ratio <= P99_RATIO))
    print(json.dumps(figures, indent=None if options.json else 1))
    for text, met in bars:
        print(f"{'met' if met else 'NOT MET':8}{text}")
    return 0 if all(met for _, met in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
