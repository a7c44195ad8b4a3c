"""Decide who lives within 50 miles of an office: how fast, and how wrong the usual ways are.

A million homes with coordinates, a hundred thousand rows by ZIP code from file to file (with and
without putting every decision on record), a purge of their homes, and on the same million homes the
verdicts of a sphere, of a Web Mercator buffer and of a circle of 64 points,
each held against ``pyproj.Geod.inv`` from every office.

    python scripts/bench/eligibility.py            # all, as tables
    python scripts/bench/eligibility.py --json
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]


import numpy as np
import pandas as pd
import shapely
from pyproj import Geod, Transformer

from scripts.bench import measure
from territory import imports, reference
from territory.eligibility import desk
from territory.eligibility.decision import decide
from territory.eligibility.desk import decide_file, read_offices
from territory.eligibility.homes import open_homes
from territory.eligibility.rules import example
from territory.geocoding import Gazetteer
from territory.geodesy import ring
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICES = Path(__file__).resolve().parents[2] / "data" / "demo" / "offices.csv"
DAY = "2026-11-23"
LIMIT_M = 80_467.2
SPHERE_M = 6_371_008.8  # mean radius, as the haversine formula is mostly given
SPREAD_DEG = 0.05  # about 3 miles round a ZIP code's point
GEOD = Geod(ellps="WGS84")


def make_homes(n: int) -> pd.DataFrame:
    """HomeStore round ZIP code points of the United States, drawn with a fixed seed."""
    drawn = np.random.default_rng(20261123)
    points = reference.load().zip_codes
    points = points[points["has_area"] & points["lat"].between(24, 50)]
    at = drawn.integers(0, len(points), n)
    lon = points["lon"].to_numpy()[at] + drawn.normal(0, SPREAD_DEG, n)
    lat = points["lat"].to_numpy()[at] + drawn.normal(0, SPREAD_DEG, n)
    homes = pd.DataFrame({"lon": lon, "lat": lat, "uncertainty_m": 0.0})
    return homes.assign(precision="rooftop", geocode_source="given")


def truth(homes: pd.DataFrame, offices: pd.DataFrame) -> np.ndarray:
    """Whether any office is within the limit, by Karney's geodesic to each of them."""
    lon, lat, many = homes["lon"].to_numpy(), homes["lat"].to_numpy(), np.ones(len(homes))
    inside = np.zeros(len(homes), bool)
    for x, y in offices[["lon", "lat"]].to_numpy(float):
        inside |= GEOD.inv(lon, lat, x * many, y * many)[2] <= LIMIT_M
    return inside


def by_us(homes: pd.DataFrame, offices: pd.DataFrame) -> np.ndarray:
    found = decide(homes, offices, example("fifty_miles"), on=DAY)
    return (found["decision"] == "eligible").to_numpy()


def by_sphere(homes: pd.DataFrame, offices: pd.DataFrame) -> np.ndarray:
    lon, lat = (np.radians(homes[name].to_numpy()) for name in ("lon", "lat"))
    inside = np.zeros(len(homes), bool)
    for x, y in np.radians(offices[["lon", "lat"]].to_numpy(float)):
        h = np.sin((lat - y) / 2) ** 2 + np.cos(lat) * np.cos(y) * np.sin((lon - x) / 2) ** 2
        inside |= 2 * SPHERE_M * np.arcsin(np.sqrt(h)) <= LIMIT_M
    return inside


def by_web_mercator(homes: pd.DataFrame, offices: pd.DataFrame) -> np.ndarray:
    """Distances in the metres of EPSG:3857, as a buffer of 50 miles drawn on a web map has them."""
    project = Transformer.from_crs(4326, 3857, always_xy=True).transform
    x, y = project(homes["lon"].to_numpy(), homes["lat"].to_numpy())
    inside = np.zeros(len(homes), bool)
    for u, v in zip(
        *project(offices["lon"].to_numpy(float), offices["lat"].to_numpy(float)), strict=True
    ):
        inside |= np.hypot(x - u, y - v) <= LIMIT_M
    return inside


def by_circle_64(homes: pd.DataFrame, offices: pd.DataFrame) -> np.ndarray:
    """Inside a circle of 64 points that are each 50 miles away, joined by straight lines."""
    inside = np.zeros(len(homes), bool)
    for x, y in offices[["lon", "lat"]].to_numpy(float):
        circle = shapely.Polygon(ring(x, y, LIMIT_M, 64))
        shapely.prepare(circle)
        inside |= shapely.intersects_xy(circle, homes["lon"].to_numpy(), homes["lat"].to_numpy())
    return inside


WAYS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]] = {
    "ours": by_us,
    "sphere": by_sphere,
    "web_mercator": by_web_mercator,
    "circle_64": by_circle_64,
}
BATCH = "ours, file to file by ZIP"
DESK = "ours, the same put on record"
PURGE = "ours, purge of those homes"
NOW = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)


def run_batch(rows: int, offices: pd.DataFrame) -> measure.Figures:
    drawn = np.random.default_rng(7)
    points = reference.load().zip_codes
    codes = points["zip_code"].to_numpy()[drawn.integers(0, len(points), rows)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "homes.csv", Path(folder) / "decided.csv"
        pd.DataFrame({"employee_id": np.arange(rows), "home_zip": codes}).to_csv(
            source, index=False
        )
        Gazetteer(reference.load()).lookup(pd.DataFrame({"postal_code": codes[:1]}))
        report, cost = measure.cost_of(
            lambda: decide_file(source, target, offices, example("fifty_miles"), on=DAY)
        )
    return {
        "n": rows, "cpu_s": cost.cpu_s, "wall_s": cost.wall_s, **cost.per_point(rows),
        "review_share": report.needs_review / rows,
    }  # fmt: skip


def run_desk(rows: int, contender: str) -> measure.Figures:
    """The desk on a store and a home store of its own: decide a file, or purge what that kept."""
    drawn = np.random.default_rng(7)
    points = reference.load().zip_codes
    codes = points["zip_code"].to_numpy()[drawn.integers(0, len(points), rows)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        files = Path(folder)
        store = stack.enter_context(open_store(str(files / "store.sqlite")))
        homes = stack.enter_context(open_homes(str(files / "homes.sqlite")))
        imports.import_file(store, "offices", OFFICES, now=NOW, by="bench")
        desk.save_policy(store, example("fifty_miles"), by="bench", now=NOW)
        desk.publish_policy(store, "fifty-mile-rule", "1", by="bench", now=NOW)
        people = [f"E-{at}" for at in range(rows)]
        table = pd.DataFrame({"employee_id": people, "home_zip": codes})
        table.to_csv(files / "homes.csv", index=False)
        asked = desk.DecisionRequest("bench", NOW)
        desk.decide_one(store, homes, {"postal_code": codes[0]}, asked)  # tables, off the clock

        def decide() -> object:
            return desk.decide_batch(store, homes, files / "homes.csv", files / "out.csv", asked)

        if contender == DESK:
            report, cost = measure.cost_of(decide)
            done = report.on_record
        else:
            decide()
            purged, cost = measure.cost_of(
                lambda: desk.purge_due(store, homes, by="bench", now=NOW, kept_before="2027-01-01")
            )
            done = purged.purged
        size = sum(path.stat().st_size for path in files.glob("store.sqlite*"))
    return {
        "n": rows, "cpu_s": cost.cpu_s, "wall_s": cost.wall_s, **cost.per_point(rows),
        "done": done, "store_mb": size / 1e6,
    }  # fmt: skip


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="homes with coordinates")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the batch by ZIP code")
    options = parser.parse_args()
    if options.contender:
        offices = read_offices(OFFICES)
        if options.contender == BATCH:
            measure.hand_over(run_batch(options.rows, offices))
            return
        if options.contender in (DESK, PURGE):
            measure.hand_over(run_desk(options.rows, options.contender))
            return
        homes = make_homes(options.n)
        way = WAYS[options.contender]
        way(homes.head(1000), offices)  # imports and tables, off the clock
        found, cost = measure.cost_of(lambda: way(homes, offices))
        right = truth(homes, offices)
        told = {
            "n": options.n, "cpu_s": cost.cpu_s, "wall_s": cost.wall_s,
            **cost.per_point(options.n),
            "wrong_in": int((found & ~right).sum()),
            "wrong_out": int((~found & right).sum()),
        }  # fmt: skip
        measure.hand_over(told)
        return
    arguments = ["--n", str(options.n), "--rows", str(options.rows)]
    figures = measure.interleave(__file__, [*WAYS, BATCH, DESK, PURGE], arguments, options.repeat)
    # Medians are of the microseconds; the seconds are told from them.
    for each in figures.values():
        each["cpu_s"], each["wall_s"] = (
            each[name] * each["n"] / 1e6 for name in ("cpu_us", "wall_us")
        )
    ours = figures.get("ours", {})
    wrong = ours.get("wrong_in", np.nan) + ours.get("wrong_out", np.nan)
    batch, on_record = figures.get(BATCH, {}), figures.get(DESK, {})
    bars = [
        measure.Bar("verdicts of ours that are wrong", wrong, at_most=0),
        measure.Bar("seconds of CPU for 1 M homes",
                    ours.get("cpu_us", np.nan), at_most=5),
        measure.Bar("seconds of CPU for 100,000 rows, file to file",
                    batch.get("cpu_us", np.nan) / 10, at_most=15),
        measure.Bar("seconds of CPU for 100,000 rows, file to file and on record",
                    on_record.get("cpu_us", np.nan) / 10, at_most=30),
    ]  # fmt: skip
    measure.report(figures, bars, options)


if __name__ == "__main__":
    main()
