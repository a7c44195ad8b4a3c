"""Kill an import at random moments, again and again, and see that the store is whole each time.

    python scripts/soak/kill_imports.py [--times 50] [--rows 4000] [--store URL] [--seed 7] [--json]

Every round imports another file: the same companies with other figures, and some new ones. Half of
the imports are killed (SIGKILL) at a moment of the whole run, half at one of the writing. Then the
store must hold exactly the rows from before or exactly those from after, its record of imports must
say the same, SQLite must find the file sound, and the same import once more must go through and
leave exactly the rows from after. Exit code 1 if it is ever otherwise.

``--store`` names an empty store; by default a SQLite file that is thrown away.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from territory.geocoding import shared_gazetteer
from territory.imports import history as imports_history
from territory.imports import import_file
from territory.imports import outcomes as imports_outcomes
from territory.policy import GeocodingPolicy
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ZIPS = ("60601", "02108", "1001", "80202", "00000", "")
WRITING = "Comparing"  # the stage of an import with which its transaction begins
State = dict[str, float]


def write_file(path: Path, number: int, rows: int) -> State:
    """Write the companies of a round and say which id has how many employees in it."""
    told = {f"p{at:05d}": float(number) for at in range(rows)}
    told |= {f"new-{number}-{at}": float(number) for at in range(rows // 20)}
    lines = [
        f"{key},Company {key},{ZIPS[at % len(ZIPS)]},{employees:.0f}"
        for at, (key, employees) in enumerate(told.items())
    ]
    path.write_text("\n".join(["prospect_id,name,zip,employees", *lines, ""]))
    return told


def bring_in(url: str, path: Path, tell: Callable[[str], None]) -> None:
    with open_store(url) as store:
        import_file(store, "prospects", path, by="soak", now=NOW, progress=tell)


class Child:
    """An import in a process of its own, forked off so that nothing has to be loaded again."""

    def __init__(self, url: str, path: Path) -> None:
        self._ear, mouth = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                bring_in(url, path, lambda stage: os.write(mouth, f"{stage}\n".encode()) and None)
                code = 0
            finally:
                os._exit(code)
        os.close(mouth)

    def wait_for(self, stage: str) -> None:
        """Wait until it tells of a stage, or is at its end."""
        heard = b""
        while stage.encode() not in heard and (more := os.read(self._ear, 1 << 12)):
            heard += more

    def wait(self) -> int:
        """Wait for its end: 0, or the number of the signal that killed it, negative."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._ear)
        return os.waitstatus_to_exitcode(status)


def held(url: str) -> State:
    with open_store(url) as store, store.read() as transaction:
        rows = transaction.table("prospects", ["prospect_id", "employees"])
    return dict(zip(rows["prospect_id"], rows["employees"], strict=True))


def faults(url: str, imports: int) -> list[str]:
    """Say what is wrong with the store, whatever rows it holds."""
    found = []
    with open_store(url) as store:
        history = imports_history(store)
        for record in history.itertuples():
            outcomes = imports_outcomes(store, record.import_id)
            if not len(outcomes) == record.rows == sum(record.buckets.values()):
                found.append(f"{record.import_id} does not add up")
    if len(history) != imports:
        found.append(f"{len(history)} imports are on record, not {imports}")
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            told = connection.execute("PRAGMA integrity_check").fetchone()[0]
        connection.close()
        if told != "ok":
            found.append(f"integrity_check: {told}")
    return found


def soak(url: str, folder: Path, options: argparse.Namespace) -> tuple[Counter[str], list[str]]:
    """Kill as often as was asked; count what was found and name every fault."""
    path, dice = folder / "companies.csv", random.Random(options.seed)  # noqa: S311
    shared_gazetteer(GeocodingPolicy())
    before: State = {}
    for number in (0, 1):  # the first makes the store, the second is timed
        before |= write_file(path, number, options.rows)
        start = time.perf_counter()
        child = Child(url, path)
        child.wait_for(WRITING)
        reading_s = time.perf_counter() - start
        if child.wait():
            return Counter(), ["an import that nobody killed failed"]
        whole_s = time.perf_counter() - start
    seen: Counter[str] = Counter()
    wrong, imports = [], 2
    for number in range(2, options.times + 2):
        after = before | write_file(path, number, options.rows)
        child = Child(url, path)
        if number % 2:
            time.sleep(dice.uniform(0, 1.1 * whole_s))
        else:
            child.wait_for(WRITING)
            time.sleep(dice.uniform(0, 1.1 * (whole_s - reading_s)))
        os.kill(child.pid, signal.SIGKILL)
        seen["killed" if child.wait() else "finished before"] += 1
        now = held(url)
        state = "before" if now == before else "after" if now == after else "broken"
        seen[state] += 1
        imports += state == "after"
        found = faults(url, imports) + ["rows of both"] * (state == "broken")
        if Child(url, path).wait() or held(url) != after:
            found.append("the import does not go through any more")
        imports += 1
        wrong += [f"round {number}: {one}" for one in found + faults(url, imports)]
        before = after
    return seen, wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=50, help="how many imports to kill")
    parser.add_argument("--rows", type=int, default=4_000, help="rows of a file, and a few more")
    parser.add_argument("--store", help="URL of an empty store")
    parser.add_argument("--seed", type=int, default=7, help="of the random moments")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.store or f"sqlite:///{folder}/store.sqlite"
        seen, wrong = soak(url, Path(folder), options)
    if options.json:
        print(json.dumps({"times": options.times, **seen, "faults": wrong}))
    else:
        for line in wrong:
            print(line)
        told = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
        print(f"{options.times} imports: {told}; {len(wrong)} faults.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
