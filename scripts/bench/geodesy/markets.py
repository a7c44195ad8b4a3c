"""Which area holds each point: this project's table of cells against what others would use.

    python scripts/bench/geodesy/markets.py                  # 1 M points, counties and metro areas
    python scripts/bench/geodesy/markets.py --n 100000 --repeat 1 --areas counties --json

Points lie around ZIP codes of all states and territories, scattered by 0.12 degrees. Areas are the
counties that ship with this project, and the metro areas dissolved from them. Every contender gets
columns of longitude and latitude and gives one position a point, the smallest that holds it, or -1;
making geometry objects, trees and tables counts, reading files does not. "kept" has its table.

Columns: ``cpu_us`` and ``wall_us`` microseconds a point; ``extra_mb`` peak memory of the work,
``peak_mb`` of its process; ``wrong`` answers that differ from geopandas `sjoin` with "intersects",
smallest position first; ``border_wrong`` the same of ``border_points``: vertices, middles of
edges, and corners of a grid of quarter degrees. ``within`` leaves points on borders without an
answer: that is what it promises, and why it is not asked for here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


import numpy as np
import shapely

from scripts.bench import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

NONE = np.iinfo(np.int64).max
SETS = ("counties", "metro_areas")
BORDER_POINTS = 50_000


class Points(NamedTuple):
    """Degrees, both of shape (n,)."""

    lon: Array
    lat: Array


def smallest(points: int, point: Array, area: Array) -> Array:
    """Reduce pairs to one answer a point."""
    found = np.full(points, NONE)
    np.minimum.at(found, point, area)
    return np.where(found == NONE, -1, found)


# --- contenders: given areas, make what answers; only a kept table is made off the clock ----------


def territory_table(areas: Array) -> Callable[[Points], Array]:
    from territory.geodesy import PolygonIndex

    table = PolygonIndex(areas)
    return lambda points: table.locate(points.lon, points.lat)


def geopandas_sjoin(areas: Array) -> Callable[[Points], Array]:
    import geopandas as gpd

    ground = gpd.GeoDataFrame(geometry=gpd.GeoSeries(areas, crs=4326))

    def locate(points: Points) -> Array:
        places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(points.lon, points.lat, crs=4326))
        joined = gpd.sjoin(places, ground, predicate="intersects")
        return smallest(len(places), joined.index.to_numpy(), joined["index_right"].to_numpy())

    return locate


def shapely_tree(areas: Array) -> Callable[[Points], Array]:
    tree = shapely.STRtree(areas)

    def locate(points: Points) -> Array:
        places = shapely.points(points.lon, points.lat)
        return smallest(len(places), *tree.query(places, predicate="intersects"))

    return locate


def shapely_boxes(areas: Array) -> Callable[[Points], Array]:
    """Boxes by tree, then prepared polygons: the best of shapely that we know how to write."""
    tree = shapely.STRtree(areas)
    shapely.prepare(areas)

    def locate(points: Points) -> Array:
        point, area = tree.query(shapely.points(points.lon, points.lat))
        order = np.argsort(area, kind="stable")
        point, area = point[order], area[order]
        holds = shapely.intersects_xy(areas[area], points.lon[point], points.lat[point])
        return smallest(len(points.lon), point[holds], area[holds])

    return locate


class Contender(NamedTuple):
    """What answers, and whether it is made on the clock."""

    make: Callable[[Array], Callable[[Points], Array]]
    is_kept: bool = False


BUILT, KEPT = "territory, table built", "territory, table kept"
GEOPANDAS, TREE, BOXES = "geopandas sjoin", "shapely STRtree", "shapely boxes, prepared"
CONTENDERS = {
    BUILT: Contender(territory_table),
    KEPT: Contender(territory_table, is_kept=True),
    GEOPANDAS: Contender(geopandas_sjoin),
    TREE: Contender(shapely_tree),
    BOXES: Contender(shapely_boxes),
}


def read_areas(name: str) -> Array:
    """Geometries in order of county or CBSA code, fresh from their bytes: nothing prepared."""
    from territory import markets, reference

    tables = reference.load()
    if name == "counties":
        areas = tables.counties.geometry
    else:
        metros = tables.metro_areas.rename(columns={"cbsa_code": "market_id", "title": "name"})
        metros = metros.assign(kind="metro_area", units=metros["market_id"])
        areas = markets.define(metros, tables).geometry
    return shapely.from_wkb(shapely.to_wkb(areas.to_numpy()))


def scattered(n: int) -> Points:
    from territory import reference

    random = np.random.default_rng(2)
    places = reference.load().zip_codes[["lon", "lat"]].to_numpy(float)
    xy = places[random.integers(0, len(places), n)] + random.normal(0, 0.12, (n, 2))
    return Points(*np.ascontiguousarray(np.clip(xy, (-180, -90), (180, 90)).T))


def on_borders(areas: Array) -> Points:
    random = np.random.default_rng(3)
    rings = shapely.get_rings(shapely.get_parts(areas))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    edge = np.flatnonzero(ring[1:] == ring[:-1])
    lattice = np.stack(np.meshgrid(np.arange(-125, -66, 0.25), np.arange(24, 50, 0.25)), axis=-1)
    drawn = [
        random.choice(kind, BORDER_POINTS // 3 + 1)
        for kind in (xy, (xy[edge] + xy[edge + 1]) / 2, lattice.reshape(-1, 2))
    ]
    return Points(*np.ascontiguousarray(np.concatenate(drawn)[:BORDER_POINTS].T))


def run_one(label: str, n: int, folder: Path) -> None:
    """Measure one contender on one set, in this process."""
    name, areas_name = label.split(" in ")
    contender = CONTENDERS[name]
    areas = shapely.from_wkb(np.load(folder / f"{areas_name}.npy", allow_pickle=True))
    points, borders = scattered(n), on_borders(areas)
    few = Points(points.lon[:100], points.lat[:100])
    contender.make(areas[:2])(few)  # imports off the clock
    areas = shapely.from_wkb(shapely.to_wkb(areas))
    kept = contender.make(areas) if contender.is_kept else None
    found, cost = measure.cost_of(lambda: (kept or contender.make(areas))(points))
    expected = np.load(folder / f"{areas_name}-found.npy")
    on_border = np.load(folder / f"{areas_name}-border.npy")
    border_found = contender.make(areas)(borders)
    measure.hand_over(
        {
            **cost.per_point(n),
            "wrong": int((found != expected).sum()),
            "border_points": len(on_border),
            "border_wrong": int((border_found != on_border).sum()),
        }
    )


def write_truth(name: str, n: int, folder: Path) -> None:
    areas = read_areas(name)
    np.save(folder / f"{name}.npy", np.array(shapely.to_wkb(areas), object), allow_pickle=True)
    locate = geopandas_sjoin(areas)
    np.save(folder / f"{name}-found.npy", locate(scattered(n)))
    np.save(folder / f"{name}-border.npy", locate(on_borders(areas)))


def bars(name: str, figures: dict[str, measure.Figures]) -> list[measure.Bar]:
    def of(contender: str, figure: str) -> float:
        return figures.get(f"{contender} in {name}", {}).get(figure, float("nan"))

    made = []
    for ours, least in ((BUILT, 5.0), (KEPT, 15.0)):
        for other in (GEOPANDAS, TREE):
            ratio = of(other, "cpu_us") / of(ours, "cpu_us")
            made.append(measure.Bar(f"{ours}, in {name}: times faster than {other}", ratio, least))
        wrong = of(ours, "wrong") + of(ours, "border_wrong")
        made.append(measure.Bar(f"{ours}, in {name}: differing answers", wrong, at_most=0))
    return made


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="points")
    parser.add_argument("--areas", default=",".join(SETS), help="counties, metro_areas or both")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        run_one(options.contender, options.n, options.folder)
        return
    sets = options.areas.split(",")
    if unknown := set(sets) - set(SETS):
        parser.error(f"--areas {', '.join(unknown)}: there are {', '.join(SETS)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in sets:
            write_truth(name, options.n, Path(folder))
        labels = [f"{contender} in {name}" for name in sets for contender in CONTENDERS]
        arguments = ["--n", str(options.n), "--folder", folder]
        figures = measure.interleave(__file__, labels, arguments, options.repeat)
    del options.folder
    measure.report(figures, [bar for name in sets for bar in bars(name, figures)], options)


if __name__ == "__main__":
    main()
