"""How well addresses are placed offline, against organisations whose coordinates are known.

    python scripts/bench/geocoding.py [FOLDER] [--json]

Takes the Fortune 500 headquarters (HIFLD) and the universities (IPEDS) of FOLDER (default:
../shared/data beside the checkout), hides their coordinates, places them by address as an import
does, and measures to the true point on the ellipsoid. Errors are in miles, of the rows that were
placed. ``held`` is the share whose true point is within the uncertainty that was stated; the median
of that uncertainty is beside it. Rows more than 50 miles off are listed, with both places.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import measure
import numpy as np

from territory import geocoding, intake, reference, tables
from territory.gazetteer import Gazetteer
from territory.geodesy import inverse
from territory.lengths import METRES_PER_MILE

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = {
    "Fortune 500": "fortune500_hifld.csv",
    "universities": "universities_ipeds_hd2020.csv",
}
GROSS_MI = 50
LEAST_PLACED = {"Fortune 500": 0.995, "universities": 0.99}


def errors(path: Path) -> pd.DataFrame:
    """Place the rows of a file by address alone: GEOCODE, error_mi and is_held beside each."""
    rows = intake.take_in("prospects", tables.read_table(path)).rows
    hidden = rows.assign(lon=np.nan, lat=np.nan)
    placed = geocoding.place(hidden, Gazetteer(reference.load()))
    known = np.flatnonzero((placed["lon"].notna() & rows["lon"].notna()).to_numpy())
    metres = np.full(len(rows), np.nan)
    there = (frame.iloc[known][axis].to_numpy(float) for frame in (placed, rows)
             for axis in ("lon", "lat"))  # fmt: skip
    metres[known] = inverse(*there)
    return placed.assign(
        error_mi=metres / METRES_PER_MILE,
        is_held=metres <= placed["uncertainty_m"].to_numpy(float),
        true_lon=rows["lon"],
        true_lat=rows["lat"],
    )


def sum_up(rows: pd.DataFrame) -> measure.Figures:
    """The figures of one file."""
    error = rows["error_mi"].dropna()
    median, p95, p99 = np.percentile(error, (50, 95, 99)).tolist()
    return {
        "rows": len(rows),
        "placed": float(rows["lon"].notna().mean()),
        "median_mi": median,
        "p95_mi": p95,
        "p99_mi": p99,
        "held": float(rows.loc[error.index, "is_held"].mean()),
        "stated_mi": float(rows["uncertainty_m"].median()) / METRES_PER_MILE,
        "gross": int((error > GROSS_MI).sum()),
    }


def gross(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows that are far off, worst first."""
    far = rows[rows["error_mi"] > GROSS_MI].sort_values("error_mi", ascending=False)
    columns = ["line", "name", "city", "state", "postal_code", "error_mi", "geocode_source",
               "true_lon", "true_lat", "geocode_note"]  # fmt: skip
    listed: list[dict[str, Any]] = json.loads(far[columns].to_json(orient="records"))
    return listed


def bars(name: str, row: measure.Figures) -> list[measure.Bar]:
    """What is asked of one file."""
    return [
        measure.Bar(f"{name}, share placed", row["placed"], at_least=LEAST_PLACED[name]),
        measure.Bar(f"{name}, median error in miles", row["median_mi"], at_most=1.3),
        measure.Bar(f"{name}, 95 % of errors within miles", row["p95_mi"], at_most=5),
        measure.Bar(f"{name}, share over 50 miles", row["gross"] / row["rows"], at_most=0.003),
        measure.Bar(f"{name}, share within stated uncertainty", row["held"], 0.93, 0.98),
    ]


def main() -> None:
    parser = measure.parser(__doc__)
    parser.set_defaults(repeat=1)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    options = parser.parse_args()
    absent = [name for name in FILES.values() if not (options.folder / name).is_file()]
    if absent:
        parser.exit(2, f"There is no {' and no '.join(absent)} in {options.folder}.\n")
    placed = {name: errors(options.folder / file) for name, file in FILES.items()}
    figures = {name: sum_up(rows) for name, rows in placed.items()}
    far_off = {name: gross(rows) for name, rows in placed.items()}
    options.folder = str(options.folder)
    told = {name: row | {"gross_rows": far_off[name]} for name, row in figures.items()}
    all_bars = [bar for name, row in figures.items() for bar in bars(name, row)]
    measure.report(told if options.json else figures, all_bars, options)
    if options.json:
        return
    for name, rows in far_off.items():
        print(f"\n{name}, more than {GROSS_MI} miles off:")
        for row in rows:
            print(
                f"  {row['error_mi']:.1f} mi  {row['name']}: {row['city']}, {row['state']} "
                f"{row['postal_code']} was placed at {row['geocode_source']}, the file says "
                f"{row['true_lat']:.3f}, {row['true_lon']:.3f}"
            )


if __name__ == "__main__":
    main()
