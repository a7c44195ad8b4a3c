#!/usr/bin/env python
"""Kill the server, its parts and a publisher (SIGKILL) while they work, and count what is left.

    scripts/soak/kills.py [--kills 100] [--seed 7] [--rows 1600] [--work import]
                          [--database URL] [--json]

Serves a company on this machine alone and lets a person import, geocode, decide a batch of homes,
publish, undo an import and purge homes, in turn. Each time one of ``TARGETS`` is killed, at a
moment from the seed: the worker of jobs, the worker of pages, the helper while it makes a snapshot
(the same process as the worker of jobs), all of the server at once, or the command that publishes.
What is killed whole is served again, and the person sends again what was not answered. Then the
store must hold what the files say: rows with their values, one import, one plan, one decision a
person, no home that was purged; the audit chain must verify, SQLite find its files sound, and no
job be open. Exit code 1 where it is ever otherwise.

``--database`` names an empty database; by default a SQLite file that is thrown away.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from scripts.soak.killed_jobs import Batch, Geocode, Import
from scripts.soak.killed_server import KILLED_COMMAND, Installation, provider
from scripts.soak.killed_work import Publish, Purge, Undo, Work

WORK: dict[str, type[Work]] = {
    "import": Import, "geocode": Geocode, "batch": Batch, "publish": Publish, "undo": Undo,
    "purge": Purge,
}  # fmt: skip
TARGETS = ("job worker", "web worker", "helper", "server")
PATIENCE_S = 180.0  # until work that was killed counts as lost


def do(work: Work) -> threading.Thread:
    """Let the person do it, beside us."""

    def act() -> None:
        try:
            work.act()
        except Exception as error:  # noqa: BLE001 - whatever went wrong is a finding
            work.faults.append(f"{type(error).__name__}: {error}")
        finally:
            work.ended.set()
            work.began.set()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def plan(kills: int, names: list[str], dice: random.Random) -> list[tuple[str, str]]:
    """Spread kills over all pairs of work and target, in an order from the seed."""
    pairs = [(work, target) for work in names for target in TARGETS]
    pairs += [("publish", KILLED_COMMAND)] * ("publish" in names)
    chosen: list[tuple[str, str]] = []
    while len(chosen) < kills:
        dice.shuffle(pairs)
        chosen += pairs
    return chosen[:kills]


def durations(server: Installation, names: set[str]) -> dict[str, float]:
    """Let every kind of work be done once unharmed: how long each takes."""
    told = {}
    for name in sorted(names):
        work = WORK[name](server)
        work.prepare()
        thread = do(work)
        work.began.wait(PATIENCE_S)
        start = time.monotonic()
        thread.join(PATIENCE_S)
        told[name] = time.monotonic() - start
        work.check()
        if work.faults or thread.is_alive():
            raise SystemExit(f"{name} failed though nobody was killed: {work.faults}")
    return told


def soak(server: Installation, options: argparse.Namespace) -> list[dict[str, object]]:
    """Kill as often as was asked, and say what was found each time."""
    dice = random.Random(options.seed)  # noqa: S311 - repeatable
    pairs = plan(options.kills, options.work or list(WORK), dice)
    lasts = durations(server, {work for work, _ in pairs})
    found = []
    for number, (name, target) in enumerate(pairs, 1):
        work = WORK[name](server)
        work.prepare()
        moment = dice.uniform(0.02, 0.9) * lasts[name]
        thread = do(work)
        work.began.wait(PATIENCE_S)
        if target == "helper":
            server.ask_for_a_snapshot()
        work.ended.wait(moment)
        stage = work.stage()
        is_under_way = not work.ended.is_set() and work.is_under_way()
        server.kill(target, work)
        server.restart()
        thread.join(PATIENCE_S)
        if thread.is_alive():
            work.faults.append(f"not done after {PATIENCE_S:g} s")
        work.check()
        found.append(
            {
                "kill": number, "target": target, "work": name, "moment_s": round(moment, 2),
                "during": is_under_way, "stage": stage, "faults": work.faults,
            }
        )  # fmt: skip
        if not options.json:
            state = "during" if is_under_way else "beside"
            result = "; ".join(work.faults) or "whole"
            print(
                f"{number:3} {target:10} {name:8} {state} it, after {moment:.2f} s ({stage}): "
                f"{result}",
                flush=True,
            )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7, help="of the moments and their order")
    parser.add_argument("--rows", type=int, default=1_600, help="companies")
    parser.add_argument("--work", choices=list(WORK), action="append", help="only this; repeatable")
    parser.add_argument("--database", help="URL of an empty database")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, provider() as domain:
        server = Installation(Path(folder), options.database, options.rows, domain)
        with server:
            found = soak(server, options)
    faulty = [one for one in found if one["faults"]]
    during = sum(bool(one["during"]) for one in found)
    if options.json:
        print(json.dumps({"kills": len(found), "during": during, "found": found}))
    else:
        per = Counter(f"{one['target']}, {one['work']}" for one in found if one["during"])
        print("during:", ", ".join(f"{count} {name}" for name, count in sorted(per.items())))
        print(
            f"{len(found) - len(faulty)} of {len(found)} kills left everything whole; {during} "
            f"landed during the work; {time.monotonic() - start:.0f} s."
        )
    return bool(faulty)


if __name__ == "__main__":
    sys.exit(main())
