"""What it costs to screen a large Parquet file, and that its memory does not grow with the file.

    python scripts/bench/geodesy/screen.py [--rows 1000000,10000000] [--json]

Writes seeded files of points (id, lon, lat: 12 km around US cities, drawn by population) to a
temporary folder and, in a fresh process each, finds the nearest office of each, the 50-mile verdict
and how many offices are within 50 miles, Parquet to Parquet: by ``territory.batch.screen`` as a
stream, and with geopandas (EPSG:5070, ``sjoin_nearest`` and ``sjoin`` by distance, whole file in
memory) on the smallest file. Both screen a few rows first, off the clock, to load what they need.
``far`` counts points beyond the radius: equal but for those that a map projection gets wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scripts.bench import measure

LIMIT_M = 80_467.2
OFFICES = 500
WARM_UP = 1_000
PART = 1_000_000  # rows made at a time, and in a row group
OURS, GEOPANDAS = "territory screen", "geopandas"


def write_points(path: Path, rows: int, seed: int) -> None:
    """Write points around US cities, more around larger ones; the same for the same seed."""
    from territory import reference

    cities = reference.load().cities
    cities = cities[(cities["country_code"] == "US") & ~cities["admin1_code"].isin(("AK", "HI"))]
    towns = cities[["lon", "lat"]].to_numpy(float)
    share = np.maximum(cities["population"].to_numpy(float), 1)
    rng = np.random.default_rng(seed)
    schema = pa.schema([("id", pa.int64()), ("lon", pa.float64()), ("lat", pa.float64())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, PART):
            number = min(PART, rows - start)
            lon, lat = towns[rng.choice(len(towns), number, p=share / share.sum())].T
            east, north = rng.normal(0, 12 / 111.2, (2, number))
            columns = [np.arange(start, start + number), lon + east / np.cos(np.radians(lat)),
                       lat + north]  # fmt: skip
            writer.write_table(pa.table([pa.array(column) for column in columns], schema=schema))


def write_offices(path: Path) -> None:
    """Write the offices as a file that ``screen`` reads."""
    points = path.with_suffix(".parquet")
    write_points(points, OFFICES, seed=50)
    frame = pq.read_table(points).to_pandas()
    frame["id"] = [f"office-{number:03}" for number in frame["id"]]
    frame.insert(1, "name", frame["id"])
    frame.rename(columns={"id": "office_id"}).to_csv(path, index=False)


def screen(source: Path, target: Path, offices: Path) -> int:
    """Screen with this project; how many are beyond the radius."""
    from territory.batch import screen

    done = screen(source, target, offices, LIMIT_M)
    return done.rows - done.within


def geopandas_pipeline(source: Path, target: Path, offices: Path) -> int:
    """The same with geopandas."""
    import geopandas as gpd
    import pandas as pd

    points, places = pd.read_parquet(source), pd.read_csv(offices)
    left, right = (
        gpd.GeoDataFrame(
            frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="EPSG:4326"
        ).to_crs("EPSG:5070")
        for frame in (points, places[["office_id", "lon", "lat"]])
    )
    near = left.sjoin_nearest(right[["office_id", "geometry"]], distance_col="distance_m")
    near = near[~near.index.duplicated()]
    near["within_radius"] = near["distance_m"] <= LIMIT_M
    pairs = left[["geometry"]].sjoin(right[["geometry"]], predicate="dwithin", distance=LIMIT_M)
    counts = pairs.groupby(level=0).size()
    near["offices_within"] = counts.reindex(near.index, fill_value=0)
    near.drop(columns=["geometry", "index_right"]).to_parquet(target)
    return int((~near["within_radius"]).sum())


WAYS = {OURS: screen, GEOPANDAS: geopandas_pipeline}


def run_one(contender: str, folder: Path) -> None:
    """Screen one file in this process and hand the figures over."""
    way, rows = contender.split(", ")
    number = int(rows.removesuffix(" rows"))
    source, target = folder / f"{number}.parquet", folder / "screened.parquet"
    WAYS[way](folder / "warm-up.parquet", target, folder / "offices.csv")
    far, cost = measure.cost_of(lambda: WAYS[way](source, target, folder / "offices.csv"))
    target.unlink()
    measure.hand_over({**cost.per_point(number), "rows": number, "far": far})


def bars(figures: dict[str, measure.Figures], sizes: list[int]) -> list[measure.Bar]:
    """Flat memory, and faster than geopandas."""
    ours = [row for name, row in figures.items() if name.startswith(OURS)]
    theirs = [row for name, row in figures.items() if name.startswith(GEOPANDAS)]
    made = [measure.Bar("highest memory, MB", max(row["peak_mb"] for row in ours), at_most=600)]
    if len(sizes) > 1:
        growth = ours[-1]["peak_mb"] / ours[0]["peak_mb"]
        times = sizes[-1] / sizes[0]
        made.append(measure.Bar(f"memory with {times:g} times the rows", growth, at_most=1.25))
    if theirs:
        ratio = theirs[0]["cpu_us"] / ours[0]["cpu_us"]
        made.append(measure.Bar("times faster than geopandas, same file", ratio, at_least=6))
    return made


def main() -> None:
    parser = measure.parser(__doc__)
    parser.set_defaults(repeat=1)
    parser.add_argument("--rows", default="1000000,10000000", help="sizes of files, by comma")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        run_one(options.contender, options.folder)
        return
    sizes = sorted(int(rows) for rows in options.rows.split(","))
    with tempfile.TemporaryDirectory() as folder:
        write_offices(Path(folder) / "offices.csv")
        write_points(Path(folder) / "warm-up.parquet", WARM_UP, seed=1)
        for rows in sizes:
            write_points(Path(folder) / f"{rows}.parquet", rows, seed=2026)
        names = [f"{OURS}, {rows} rows" for rows in sizes]
        names.append(f"{GEOPANDAS}, {sizes[0]} rows")
        figures = measure.interleave(__file__, names, ["--folder", folder], options.repeat)
    measure.report(figures, bars(figures, sizes), options)


if __name__ == "__main__":
    main()
