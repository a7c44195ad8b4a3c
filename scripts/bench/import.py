"""What it costs to bring a company list in and publish a plan of it.

    python scripts/bench/import.py [FOLDER] [--rows 100000,1000000] [--json]

Rows of ``ppp_businesses_1m.csv.gz`` in FOLDER (default: ../shared/data beside the checkout): real
companies known by ZIP code, city and state. That file has neither names nor ids, and a prospect
needs a name, so the list is written with two columns more: a made-up id and name that count up.
Smaller lists are every n-th row, so that they spread over all states.

A fresh SQLite store gets the offices, reps, markets and territories of the demo company off the
clock. On the clock, in a fresh process each: import (read, clean, place, write), then assign
(nearest office, market, owner, findings, publish); then the same file once more, which must change
nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import measure

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
FILE = "ppp_businesses_1m.csv.gz"
GROUND = ("offices", "reps", "markets", "territories")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# Seconds and MB that a list of so many rows may take.
BARS = {100_000: (30.0, 1_000.0), 1_000_000: (300.0, 2_000.0)}


def write_list(source: Path, target: Path, rows: int) -> None:
    """Write the companies as a CSV file with an id and a name each."""
    import pandas as pd

    companies = pd.read_csv(source, dtype="str")
    companies = companies.iloc[:: max(len(companies) // rows, 1)].head(rows)
    number = pd.Series(range(1, len(companies) + 1), index=companies.index).astype("str")
    companies.insert(0, "prospect_id", "ppp-" + number.str.zfill(7))
    companies.insert(1, "name", "Company " + number)
    companies.to_csv(target, index=False)


def run_one(companies: Path) -> None:
    """Import and assign one list in this process and hand the figures over."""
    from territory import workflow
    from territory.policy import read_policy
    from territory.store import open_store

    demo = resources.files(workflow.DEMO)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(str(Path(folder) / "store.sqlite")) as store,
        resources.as_file(demo) as files,
    ):
        policy = read_policy(files / "policy.toml")
        for kind in GROUND:
            workflow.import_file(
                store, kind, files / f"{kind}.csv", by="bench", now=NOW, policy=policy
            )

        def bring_in() -> workflow.ImportReport:
            return workflow.import_file(
                store, "prospects", companies, by="bench", now=NOW, policy=policy
            )

        first, imported = measure.cost_of(bring_in)
        plan, assigned = measure.cost_of(
            lambda: workflow.assign(store, published_by="bench", now=NOW, policy=policy)
        )
        again, repeated = measure.cost_of(bring_in)
    measure.hand_over(
        {
            "rows": first.rows,
            "import_s": imported.wall_s,
            "assign_s": assigned.wall_s,
            "wall_s": imported.wall_s + assigned.wall_s,
            "cpu_s": imported.cpu_s + assigned.cpu_s,
            "again_s": repeated.wall_s,
            "import_mb": imported.peak_mb,
            "assign_mb": assigned.peak_mb,
            "peak_mb": max(imported.peak_mb, assigned.peak_mb, repeated.peak_mb),
            **first.buckets,
            "reconciles": first.is_reconciled and again.is_reconciled,
            "changed_again": again.rows - again.changes["unchanged"] - len(again.refused),
            "assigned": plan.counts["prospects"] - plan.counts["unassigned"],
        }
    )


def bars(figures: dict[str, measure.Figures]) -> list[measure.Bar]:
    """The bars for lists of these sizes."""
    made = []
    for name, row in figures.items():
        if row["rows"] in BARS:
            seconds, megabytes = BARS[row["rows"]]
            made.append(measure.Bar(f"{name}, seconds", row["wall_s"], at_most=seconds))
            made.append(measure.Bar(f"{name}, MB", row["peak_mb"], at_most=megabytes))
        made.append(measure.Bar(f"{name}, changed again", row["changed_again"], at_most=0))
        made.append(measure.Bar(f"{name}, totals reconcile", row["reconciles"], at_least=1))
    return made


def main() -> None:
    parser = measure.parser(__doc__)
    parser.set_defaults(repeat=1)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--rows", default="100000,1000000", help="sizes of lists, by comma")
    parser.add_argument("--lists", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        run_one(options.lists / f"{options.contender}.csv")
        return
    source = options.folder / FILE
    if not source.is_file():
        parser.exit(2, f"There is no {source}. Give the folder that has {FILE}.\n")
    with tempfile.TemporaryDirectory() as folder:
        names = {f"{int(rows):,} rows": int(rows) for rows in options.rows.split(",")}
        for name, rows in names.items():
            write_list(source, Path(folder) / f"{name}.csv", rows)
        arguments = [str(options.folder), "--lists", folder]
        figures = measure.interleave(__file__, names, arguments, options.repeat)
    options.folder = str(options.folder)
    measure.report(figures, bars(figures), options)


if __name__ == "__main__":
    main()
