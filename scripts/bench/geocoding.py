"""How well addresses are placed offline, against organisations whose coordinates are known.

    python scripts/bench/geocoding.py [FOLDER] [--json]

Takes the Fortune 500 headquarters (HIFLD) and the universities (IPEDS) of FOLDER (default:
../shared/data beside the checkout), hides their coordinates, places them by address as an import
does, and measures to the true point on the ellipsoid. Errors are in miles, of the rows that were
placed. ``held`` is the share whose true point is within the uncertainty that was stated; the median
of that uncertainty is beside it, and a second table has it for ZIP codes from the least stated
radius to the largest. Rows more than 50 miles off are listed, with both places. Then the rows are
placed by the coordinates they give, and those that contradict their own address are listed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]


import numpy as np

from scripts.bench import measure
from territory import reference
from territory.files import read_table
from territory.geocoding import Gazetteer, geocode
from territory.geodesy import inverse
from territory.imports import read_rows
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = {
    "Fortune 500": "fortune500_hifld.csv",
    "universities": "universities_ipeds_hd2020.csv",
}
GROSS_MI = 50
SIZES = 6  # groups of ZIP codes, as many rows in each
# Read one by one: Fiserv writes a ZIP code of Racine, Farmers is in Woodland Hills.
CONTRADICTING = {"Fortune 500": ["FARMERS INSURANCE EXCHANGE", "FISERV"]}
LEAST_PLACED = {"Fortune 500": 0.995, "universities": 0.99}


def read(path: Path) -> pd.DataFrame:
    """Read a file as an import does."""
    return read_rows("prospects", read_table(path)).rows


def errors(rows: pd.DataFrame, gazetteer: Gazetteer) -> pd.DataFrame:
    """Place rows by address alone: GEOCODE, error_mi and is_held beside each."""
    hidden = rows.assign(lon=np.nan, lat=np.nan)
    placed = geocode.place(hidden, gazetteer)
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


def by_size(rows: pd.DataFrame) -> dict[str, measure.Figures]:
    """How honest the uncertainty of ZIP codes is, from the smallest to the largest."""
    zips = rows[(rows["precision"] == "postal") & rows["error_mi"].notna()]
    zips = zips.sort_values("uncertainty_m", kind="stable")
    parts = {}
    for part in np.array_split(np.arange(len(zips)), SIZES):
        group = zips.iloc[part]
        ends = group["uncertainty_m"].iloc[[0, -1]] / METRES_PER_MILE
        label = " to ".join(f"{end:.1f}" for end in ends) + " mi stated"
        parts[label] = {
            "rows": len(group),
            "held": float(group["is_held"].mean()),
            "median_mi": float(group["error_mi"].median()),
            "p95_mi": float(group["error_mi"].quantile(0.95)),
        }
    return parts


def conflicts(rows: pd.DataFrame, gazetteer: Gazetteer) -> list[dict[str, Any]]:
    """The rows whose own coordinates contradict their address, by name."""
    placed = geocode.place(rows, gazetteer)
    found = placed[placed["placement"] == "conflict"].sort_values("name")
    columns = ["line", "name", "city", "state", "postal_code", "geocode_note"]
    listed: list[dict[str, Any]] = json.loads(found[columns].to_json(orient="records"))
    return listed


def bars(name: str, row: measure.Figures, found: list[str]) -> list[measure.Bar]:
    """What is asked of one file."""
    expected = CONTRADICTING.get(name)
    same = [] if expected is None else [
        measure.Bar(f"{name}, exactly the known conflicts flagged", int(found == expected), 1)
    ]  # fmt: skip
    return [
        *same,
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
    gazetteer = Gazetteer(reference.load())
    read_in = {name: read(options.folder / file) for name, file in FILES.items()}
    placed = {name: errors(rows, gazetteer) for name, rows in read_in.items()}
    torn = {name: conflicts(rows, gazetteer) for name, rows in read_in.items()}
    figures = {name: sum_up(rows) | {"conflicts": len(torn[name])} for name, rows in placed.items()}
    far_off = {name: gross(rows) for name, rows in placed.items()}
    sizes = {name: by_size(rows) for name, rows in placed.items()}
    options.folder = str(options.folder)
    told = {
        name: row
        | {"gross_rows": far_off[name], "conflict_rows": torn[name], "by_size": sizes[name]}
        for name, row in figures.items()
    }
    all_bars = [
        bar
        for name, row in figures.items()
        for bar in bars(name, row, [one["name"] for one in torn[name]])
    ]
    measure.report(told if options.json else figures, all_bars, options)
    if options.json:
        return
    for name in FILES:
        tell(name, sizes[name], far_off[name], torn[name])


def tell(
    name: str,
    sizes: dict[str, measure.Figures],
    far_off: list[dict[str, Any]],
    torn: list[dict[str, Any]],
) -> None:
    """Print what is behind the figures of one file."""
    print(f"\n{name}, ZIP codes by the radius that is stated:")
    measure.table(sizes)
    print(f"\n{name}, more than {GROSS_MI} miles off: {len(far_off)}")
    for row in far_off:
        print(
            f"  {row['error_mi']:.1f} mi  {row['name']}: {row['city']}, {row['state']} "
            f"{row['postal_code']} was placed at {row['geocode_source']}, the file says "
            f"{row['true_lat']:.3f}, {row['true_lon']:.3f}"
        )
    print(f"\n{name}, coordinates that contradict their address: {len(torn)}")
    for row in torn:
        place = f"{row['city']}, {row['state']} {row['postal_code']}"
        print(f"  {row['name']}, {place}: {row['geocode_note']}")


if __name__ == "__main__":
    main()
