"""The app as it really runs, from outside: ``territory serve`` in a process of its own.

Pages of plain folium come from processes of their own too. The app's workers are found by
``/proc``, and what they hold in memory and spend of the processor is read there.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.bench.webmap.company import BY, ROOT
from territory.access import one_time_links, users
from territory.access import sign_in as entry
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from measure import Figures

    from scripts.bench.webmap.company import Company

WORKERS = 2
PLAIN_FOLIUM = ROOT / "scripts" / "bench" / "webmap" / "plain_folium" / "serve_page.py"
FOLIUM_PAGES = ("Marker", "FastMarkerCluster", "GeoJson")
MAKE_S = 120  # a page that takes longer to make is left out
COMMAND = (sys.executable, "-c", "from territory.cli.main import main; main()")
TICKS_A_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """What one process holds, in MB, the files of the snapshot left out.

    ``resident`` counts all, ``share`` divides pages by who else has them, ``own`` is what nobody
    else has.
    """

    resident: float
    share: float
    own: float
    snapshot: float


@dataclass(frozen=True)
class Server:
    """A server that answers at ``address`` (with a slash at its end)."""

    address: str
    pid: int

    def workers(self) -> list[int]:
        """Find the processes that answer: forks of the server, with its command line."""
        return [child for child in _children(self.pid) if _command(child) == _command(self.pid)]

    def helpers(self) -> list[int]:
        """Find the process beside them, which runs jobs, draws tiles and makes snapshots."""
        return [child for child in _children(self.pid) if _command(child) != _command(self.pid)]

    def cpu_s(self) -> float:
        """Give the processor seconds of all workers together so far."""
        return sum(cpu_s(worker) for worker in self.workers())


def cpu_s(pid: int) -> float:
    """Give the processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_S


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def memory(pid: int) -> Memory:
    """Read what a process holds."""
    sums = {"Rss": 0.0, "Pss": 0.0, "Private_Clean": 0.0, "Private_Dirty": 0.0}
    snapshot, is_snapshot = 0.0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            is_snapshot = "/snapshots/" in line
            continue
        key, _, value = line.partition(":")
        if key in sums:
            kilobytes = int(value.split()[0])
            if not is_snapshot:
                sums[key] += kilobytes / 1024
            elif key == "Rss":
                snapshot += kilobytes / 1024
    own = sums["Private_Clean"] + sums["Private_Dirty"]
    return Memory(sums["Rss"], sums["Pss"], own, snapshot)


@contextmanager
def serving(company: Company) -> Iterator[Server]:
    """Run the production server over a company until the block ends."""
    environment = os.environ | {
        "TERRITORY_STORE": company.url,
        "TERRITORY_VAR": str(company.var),
        "PYTHONUNBUFFERED": "1",
    }
    command = [*COMMAND, "serve", "--port", "0", "--workers", str(WORKERS)]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        try:
            yield Server(_address(process, said), process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _address(process: subprocess.Popen[str], said: object) -> str:
    for line in process.stdout:
        if found := re.search(r"Serving (http://\S+)", line):
            return found[1]
    said.seek(0)
    raise SystemExit(f"The server did not start: {said.read()[-2000:]}")


def sign_in(company: Company, people: int) -> list[str]:
    """Let people in by one-time links and give their cookies."""
    now = datetime.now(UTC)
    cookies = []
    with open_store(company.url) as store:
        for user in users.users(store)[:people]:
            link = one_time_links.make_link(store, user.user_id, "sign_in", by=BY, now=now)
            signed_in = entry.sign_in_by_link(
                store, link.secret, is_loopback=True, address=None, now=now
            )
            cookies.append(signed_in.secret)
    return cookies


@contextmanager
def serving_folium(name: str, points: pd.DataFrame) -> Iterator[tuple[str, Figures]]:
    """Serve a plain folium page of some points; gives its address and what it took to make.

    Raises
    ------
    TimeoutError
        If folium takes longer than ``MAKE_S`` to make it.
    """
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        points.to_parquet(file.name)
        with subprocess.Popen(
            [sys.executable, str(PLAIN_FOLIUM), name, file.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                if not select.select([process.stdout], [], [], MAKE_S)[0]:
                    raise TimeoutError(f"folium did not make the page in {MAKE_S} s")
                told = json.loads(process.stdout.readline())
                yield f"http://127.0.0.1:{told.pop('port')}/", told
            finally:
                process.kill()
