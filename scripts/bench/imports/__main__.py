"""Where the rows of real files go when they are imported, and what it costs to plan with them.

    python scripts/bench/imports [FOLDER] [--small] [--json]

The four files of FOLDER (default: ../shared/data beside the checkout) as they are: the Fortune 500,
universities, listed companies and a million small businesses known by ZIP code only
(``ppp_businesses_1m.csv.gz``); and every tenth row of the last one, 100,000. ``--small`` leaves out
the million.

Each goes, in a fresh process, into a fresh SQLite store that has the offices, reps, markets and
territories of the demo company. On the clock: import (read, clean, place, write), assign (nearest
office, market, owner, findings, publish), and the same file once more, which must change nothing.
Printed are the rows in each bucket, their shares, and the seconds and memory of each step.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


from scripts.bench import measure

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data"
LARGE = "ppp_businesses_1m.csv.gz"
TENTH = "ppp_businesses_100k.csv"
FILES = (
    "fortune500_hifld.csv",
    "universities_ipeds_hd2020.csv",
    "listed_companies_financedatabase.csv",
    TENTH,
    LARGE,
)
GROUND = ("offices", "reps", "markets", "territories")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# Seconds and MB that a list may take from file to plan.
BARS = {TENTH: (30.0, 1_000.0), LARGE: (300.0, 2_000.0)}
BUCKETS = ("placed", "approximate", "ambiguous", "conflict", "unplaced", "duplicate", "refused")
SHOWN = ("rows", "import_s", "assign_s", "again_s", "wall_s", "cpu_s", "import_mb", "assign_mb",
         "again_mb", "peak_mb", "assigned", "changed_again")  # fmt: skip


def write_tenth(source: Path, target: Path) -> None:
    """Write every tenth row of the million, so that they spread over all states."""
    with gzip.open(source, "rt") as rows, target.open("w") as file:
        for number, row in enumerate(rows):
            if number % 10 == 0 or not number:
                file.write(row)


def run_one(companies: Path) -> None:
    """Import and assign one list in this process and hand the figures over."""
    from territory import demo as demo_company
    from territory import imports, plans
    from territory.policy import read_policy
    from territory.store import open_store

    demo = resources.files(demo_company.PACKAGE).joinpath("demo")
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(str(Path(folder) / "store.sqlite")) as store,
        resources.as_file(demo) as files,
    ):
        policy = read_policy(files / "policy.toml")

        def bring_in(kind: str, path: Path) -> measure.Figures:
            """Import a file and keep the figures of its report, which is as large as the file."""
            report = imports.import_file(store, kind, path, by="bench", now=NOW, policy=policy)
            changed = report.changes["new"] + report.changes["updated"]
            told = {"rows": report.rows, "reconciles": report.is_reconciled, "changed": changed}
            return told | dict(report.buckets)

        def plan() -> dict[str, int]:
            return plans.assign(store, published_by="bench", now=NOW, policy=policy).counts

        for kind in GROUND:
            bring_in(kind, files / f"{kind}.csv")
        told, imported = measure.cost_of(lambda: bring_in("prospects", companies))
        counts, assigned = measure.cost_of(plan)
        again, repeated = measure.cost_of(lambda: bring_in("prospects", companies))
    measure.hand_over(
        {
            **told,
            "import_s": imported.wall_s,
            "assign_s": assigned.wall_s,
            "again_s": repeated.wall_s,
            "wall_s": imported.wall_s + assigned.wall_s,
            "cpu_s": imported.cpu_s + assigned.cpu_s,
            "import_mb": imported.peak_mb,
            "assign_mb": assigned.peak_mb,
            "again_mb": repeated.peak_mb,
            "peak_mb": max(imported.peak_mb, assigned.peak_mb, repeated.peak_mb),
            "reconciles": told["reconciles"] and again["reconciles"],
            "changed_again": again["changed"],
            "assigned": counts["prospects"] - counts["unassigned"],
        }
    )


def bars(figures: dict[str, measure.Figures]) -> list[measure.Bar]:
    """The bars for these files."""
    made = []
    for name, row in figures.items():
        if name in BARS:
            seconds, megabytes = BARS[name]
            made.append(measure.Bar(f"{name}, seconds", row["wall_s"], at_most=seconds))
            made.append(measure.Bar(f"{name}, MB", row["peak_mb"], at_most=megabytes))
        made.append(measure.Bar(f"{name}, changed again", row["changed_again"], at_most=0))
        made.append(measure.Bar(f"{name}, totals reconcile", row["reconciles"], at_least=1))
    return made


def shares(figures: dict[str, measure.Figures]) -> dict[str, measure.Figures]:
    """Rows and share of each bucket, as a person reads them."""
    return {
        name: {bucket: f"{row[bucket]:,} ({row[bucket] / row['rows']:.1%})" for bucket in BUCKETS}
        for name, row in figures.items()
    }


def main() -> None:
    parser = measure.parser(__doc__)
    parser.set_defaults(repeat=1)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--small", action="store_true", help="leave out the million rows")
    parser.add_argument("--lists", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        whole = options.folder / options.contender
        run_one(whole if whole.is_file() else options.lists / options.contender)
        return
    if not (options.folder / LARGE).is_file():
        parser.exit(2, f"There is no {options.folder / LARGE}. Give the folder that has it.\n")
    with tempfile.TemporaryDirectory() as folder:
        write_tenth(options.folder / LARGE, Path(folder) / TENTH)
        names = [name for name in FILES if not (options.small and name == LARGE)]
        arguments = [str(options.folder), "--lists", folder]
        figures = measure.interleave(__file__, names, arguments, options.repeat)
    options.folder, options.lists = str(options.folder), None
    if options.json:
        measure.report(figures, bars(figures), options)
        return
    measure.table(shares(figures))
    costs = {name: {key: row[key] for key in SHOWN} for name, row in figures.items()}
    measure.report(costs, bars(figures), options)


if __name__ == "__main__":
    main()
