"""Nearest office, distance and 50-mile verdict: this project against what others would use.

::

    python scripts/bench/geodesy/radius.py              # 1 M points x 500 offices, three rounds
    python scripts/bench/geodesy/radius.py --postgis    # with a throw-away PostGIS
    python scripts/bench/geodesy/radius.py --n 10000000 --only territory,scipy --repeat 1
    python scripts/bench/geodesy/radius.py --n 20000 --repeat 1 --json

Points lie around US cities, drawn by population and scattered by 12 km; offices are drawn from the
same cities. Only the 48 contiguous states, where EPSG:5070 is at home. Whoever compares every pair
runs on fewer points, and so does everyone but this project and the bare tree above 1 M; costs are
per point, so they compare.

Columns: ``cpu_us`` and ``wall_us`` microseconds a point, one thread (PostGIS: client and server);
``extra_mb`` peak memory of the work, ``peak_mb`` of its process; ``points`` how many it ran on;
``wrong`` verdicts among them and ``wrong_office`` nearest offices; ``line_wrong`` verdicts of
``line_points`` whose nearest office is 50 miles away, plus or minus 1 mm to 1 km. Truth is
``pyproj.Geod.inv`` to every office that a sphere puts within 2 % of its nearest, since a sphere
errs by less than 1 %; no code of this project has a part in it.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


import numpy as np

from scripts.bench import measure
from scripts.bench.geodesy import postgis

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[Any]

LIMIT_M = 80_467.2
SPHERE_M = 6_371_008.8
FAR_STATES = ("AK", "HI", "PR", "VI", "GU", "AS", "MP")
LINE_POINTS = 20_000


class World(NamedTuple):
    """Degrees of points (n,) and offices (m,)."""

    lon: Array
    lat: Array
    office_lon: Array
    office_lat: Array


class Answer(NamedTuple):
    """Verdicts (n,), and positions of the nearest offices where they were asked for."""

    within: Array
    office: Array | None = None


class Contender(NamedTuple):
    """How to answer, and on how many pairs of a point and an office at most."""

    answer: Callable[[World], Answer]
    most_pairs: float


# --- this project -----------------------------------------------------------------------------


def territory_nearest(world: World, *, count: bool = False, exact: bool = False) -> Answer:
    found = office_index(world).nearest(
        world.lon, world.lat, LIMIT_M, count=count, exact=exact, threads=1
    )
    return Answer(found.within, found.office)


def territory_counted(world: World) -> Answer:
    return territory_nearest(world, count=True)


def territory_exact(world: World) -> Answer:
    return territory_nearest(world, exact=True)


def territory_within(world: World, *, raster: bool = False) -> Answer:
    index = office_index(world)
    return Answer(index.within(world.lon, world.lat, LIMIT_M, raster=raster, threads=1))


def territory_raster(world: World) -> Answer:
    return territory_within(world, raster=True)


def office_index(world: World) -> Any:
    from territory.geodesy import OfficeIndex

    ids = [f"{position:06d}" for position in range(len(world.office_lon))]
    return OfficeIndex(ids, world.office_lon, world.office_lat)


# --- others -----------------------------------------------------------------------------------


def unit_sphere(lon: Array, lat: Array) -> Array:
    lam, phi = np.radians(lon), np.radians(lat)
    flat = np.cos(phi)
    return np.stack([flat * np.cos(lam), flat * np.sin(lam), np.sin(phi)], axis=1)


def bare_tree(world: World) -> Answer:
    from scipy.spatial import cKDTree

    tree = cKDTree(unit_sphere(world.office_lon, world.office_lat))
    chord, office = tree.query(unit_sphere(world.lon, world.lat))
    return Answer(2 * SPHERE_M * np.arcsin(chord / 2) <= LIMIT_M, office)


def ball_tree(world: World) -> Answer:
    from sklearn.neighbors import BallTree

    offices = np.radians(np.stack([world.office_lat, world.office_lon], axis=1))
    points = np.radians(np.stack([world.lat, world.lon], axis=1))
    angle, office = BallTree(offices, metric="haversine").query(points)
    return Answer(angle[:, 0] * SPHERE_M <= LIMIT_M, office[:, 0])


def sjoin_nearest(world: World) -> Answer:
    import geopandas as gpd

    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(world.lon, world.lat, crs=4326))
    offices = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(world.office_lon, world.office_lat, crs=4326)
    )
    joined = gpd.sjoin_nearest(points.to_crs(5070), offices.to_crs(5070), distance_col="distance_m")
    joined = joined[~joined.index.duplicated()]
    return Answer(joined["distance_m"].to_numpy() <= LIMIT_M, joined["index_right"].to_numpy())


def shapely_dwithin(world: World) -> Answer:
    import shapely
    from pyproj import Transformer

    albers = Transformer.from_crs(4326, 5070, always_xy=True)
    points = shapely.points(*albers.transform(world.lon, world.lat))
    offices = shapely.points(*albers.transform(world.office_lon, world.office_lat))
    within = np.zeros(len(points), bool)
    tree = shapely.STRtree(offices)
    within[tree.query(points, predicate="dwithin", distance=LIMIT_M)[0]] = True
    return Answer(within)


def pyproj_brute(world: World) -> Answer:
    from pyproj import Geod

    geod, offices = Geod(ellps="WGS84"), len(world.office_lon)
    office, distance_m = np.empty(len(world.lon), int), np.empty(len(world.lon))
    step = max(1, 1_000_000 // offices)
    for at in range(0, len(world.lon), step):
        part = slice(at, at + step)
        n = len(world.lon[part])
        matrix = geod.inv(
            np.repeat(world.lon[part], offices),
            np.repeat(world.lat[part], offices),
            np.tile(world.office_lon, n),
            np.tile(world.office_lat, n),
        )[2].reshape(n, offices)
        office[part], distance_m[part] = matrix.argmin(axis=1), matrix.min(axis=1)
    return Answer(distance_m <= LIMIT_M, office)


def geopy_loop(world: World) -> Answer:
    from geopy.distance import geodesic

    places = list(zip(world.office_lat.tolist(), world.office_lon.tolist(), strict=True))
    office, distance_m = [], []
    for point in zip(world.lat.tolist(), world.lon.tolist(), strict=True):
        lengths = [geodesic(point, place).meters for place in places]
        distance_m.append(min(lengths))
        office.append(lengths.index(distance_m[-1]))
    return Answer(np.array(distance_m) <= LIMIT_M, np.array(office))


OURS, COUNTED, EXACT = "territory nearest", "territory nearest, counted", "territory nearest, exact"
VERDICT, RASTER = "territory verdict", "territory verdict, raster"
TREE, BALL, GEOPANDAS = "scipy cKDTree, sphere", "scikit-learn BallTree", "geopandas sjoin_nearest"
DWITHIN, BRUTE, GEOPY = "shapely dwithin", "pyproj brute force", "geopy loop"
KNN, ST_DWITHIN = "PostGIS KNN", "PostGIS ST_DWithin"
ALL, MILLION = np.inf, 500e6
CONTENDERS = {
    OURS: Contender(territory_nearest, ALL),
    COUNTED: Contender(territory_counted, ALL),
    EXACT: Contender(territory_exact, ALL),
    TREE: Contender(bare_tree, ALL),
    GEOPANDAS: Contender(sjoin_nearest, MILLION),
    BALL: Contender(ball_tree, MILLION),
    BRUTE: Contender(pyproj_brute, 4e6),
    GEOPY: Contender(geopy_loop, 60e3),
    VERDICT: Contender(territory_within, ALL),
    RASTER: Contender(territory_raster, ALL),
    DWITHIN: Contender(shapely_dwithin, MILLION),
}
POSTGIS: dict[str, float] = {KNN: 100e6, ST_DWITHIN: 100e6}


# --- data and truth ---------------------------------------------------------------------------


def make_world(points: int, offices: int) -> World:
    """Draw points and offices around US cities by population; the same every time."""
    from territory import reference

    cities = reference.load().cities
    cities = cities[(cities["country_code"] == "US") & ~cities["admin1_code"].isin(FAR_STATES)]
    towns = cities[["lon", "lat"]].to_numpy(float)
    share = np.maximum(cities["population"].to_numpy(float), 1)
    share /= share.sum()
    rng = np.random.default_rng(2026)

    def scattered(town: Array, km: float) -> tuple[Array, Array]:
        lon, lat = towns[town].T
        east, north = rng.normal(0, km / 111.2, (2, len(town)))
        return lon + east / np.cos(np.radians(lat)), lat + north

    office_towns = rng.choice(len(towns), offices, replace=False, p=share)
    office_lon, office_lat = scattered(office_towns, 2)
    return World(*scattered(rng.choice(len(towns), points, p=share), 12), office_lon, office_lat)


def make_line(world: World, points: int) -> World:
    """Draw points whose nearest office is 50 miles away, 1 mm to 1 km more or less.

    As many to the millimetre as to the hundred metres.
    """
    from pyproj import Geod

    geod, rng, many = Geod(ellps="WGS84"), np.random.default_rng(50), 20 * points
    office = rng.integers(0, len(world.office_lon), many)
    off = rng.choice([-1, 1], many) * 10 ** rng.uniform(-3, 3, many)
    lon, lat, _ = geod.fwd(
        world.office_lon[office], world.office_lat[office], rng.uniform(0, 360, many), LIMIT_M + off
    )
    drawn = world._replace(lon=lon, lat=lat)
    kept = np.flatnonzero(truth(drawn).office == office)[:points]
    return drawn._replace(lon=lon[kept], lat=lat[kept])


def truth(world: World) -> Answer:
    """Nearest office and verdict by ``Geod.inv``, without any code or bound of this project."""
    from pyproj import Geod
    from scipy.spatial import cKDTree

    geod = Geod(ellps="WGS84")
    tree = cKDTree(unit_sphere(world.office_lon, world.office_lat))
    within, office = np.empty(len(world.lon), bool), np.empty(len(world.lon), np.int32)
    for at in range(0, len(world.lon), 100_000):
        part = slice(at, at + 100_000)
        xyz = unit_sphere(world.lon[part], world.lat[part])
        lists = tree.query_ball_point(xyz, 1.02 * tree.query(xyz)[0] + 1e-9, return_sorted=True)
        sizes = np.array([len(near) for near in lists])
        row, near = np.repeat(np.arange(len(xyz)), sizes), np.concatenate(lists).astype(int)
        metres = geod.inv(
            world.lon[part][row],
            world.lat[part][row],
            world.office_lon[near],
            world.office_lat[near],
        )[2]
        order = np.lexsort((near, metres, row))
        first = order[np.cumsum(sizes) - sizes]
        office[part], within[part] = near[first], metres[first] <= LIMIT_M
    return Answer(within, office)


def save(folder: Path, world: World, line: World) -> None:
    for name, what in (("world", world), ("line", line)):
        for field, column in {**what._asdict(), **truth(what)._asdict()}.items():
            np.save(folder / f"{name}_{field}.npy", column)


def load(folder: Path, name: str, most_pairs: float) -> tuple[World, Answer]:
    """Read what ``save`` wrote; the truth stays on disk until it is compared."""
    offices = [np.load(folder / f"{name}_office_{axis}.npy") for axis in ("lon", "lat")]
    lon = np.load(folder / f"{name}_lon.npy", mmap_mode="r")
    part = slice(0, int(max(min(len(lon), most_pairs // len(offices[0])), 1)))
    lat = np.load(folder / f"{name}_lat.npy", mmap_mode="r")[part]
    right = [np.load(folder / f"{name}_{f}.npy", mmap_mode="r")[part] for f in Answer._fields]
    return World(np.array(lon[part]), np.array(lat), *offices), Answer(*right)


# --- one contender, all contenders ------------------------------------------------------------


def run_one(options: argparse.Namespace) -> None:
    """Measure one contender in this process and hand the figures over."""
    name, folder = options.contender, Path(options.folder)
    most_pairs = POSTGIS[name] if name in POSTGIS else CONTENDERS[name].most_pairs
    line, line_right = load(folder, "line", most_pairs)
    world, right = load(folder, "world", most_pairs)
    if name in POSTGIS:
        asker = postgis.Asker(options.socket, LIMIT_M, nearest=name == KNN)
        asker.load(line)
        line_answer = Answer(asker.ask()[0])
        asker.load(world)
        (within, office), cost = measure.cost_of(asker.ask, asker.server_cpu)
        answer = Answer(within, office if name == KNN else None)
    else:
        line_answer = CONTENDERS[name].answer(line)  # this warms up too
        answer, cost = measure.cost_of(lambda: CONTENDERS[name].answer(world))
    figures = cost.per_point(len(world.lon))
    figures |= {"points": len(world.lon), "wrong": int((answer.within != right.within).sum())}
    figures["wrong_office"] = (
        None if answer.office is None else int((answer.office != right.office).sum())
    )
    figures["line_wrong"] = int((line_answer.within != line_right.within).sum())
    figures["line_points"] = len(line.lon)
    measure.hand_over(figures)


def bars(figures: dict[str, measure.Figures]) -> list[measure.Bar]:
    """The bars of this comparison, where both sides ran."""

    def times(what: str, ours: str, other: str, at_least: float) -> list[measure.Bar]:
        if not {ours, other} <= figures.keys():
            return []
        ratio = figures[other]["cpu_us"] / figures[ours]["cpu_us"]
        return [measure.Bar(f"{what}, times faster than {other}", ratio, at_least=at_least)]

    made = [
        *times("nearest, distance, verdict", OURS, GEOPANDAS, 4),
        *times("nearest, distance, verdict", OURS, BALL, 15),
        *times("nearest, distance, verdict", OURS, KNN, 40),
        *times("verdict alone", VERDICT, DWITHIN, 4),
        *times("verdict alone", VERDICT, ST_DWITHIN, 15),
        *times("verdict alone, raster", RASTER, DWITHIN, 20),
        *times("verdict alone, raster", RASTER, ST_DWITHIN, 60),
    ]
    if {OURS, TREE} <= figures.keys():
        ratio = figures[OURS]["cpu_us"] / figures[TREE]["cpu_us"]
        made.append(
            measure.Bar("nearest, distance, verdict, cost over a bare tree", ratio, at_most=1.6)
        )
    ours = [row for name, row in figures.items() if name.startswith("territory")]
    wrong = sum(row["wrong"] + row["line_wrong"] + (row["wrong_office"] or 0) for row in ours)
    made.append(measure.Bar("wrong verdicts and offices of this project", wrong, at_most=0))
    peak = max((row["peak_mb"] for row in ours), default=0.0)
    made.append(measure.Bar("highest memory of this project, MB", peak, at_most=750))
    return made


def main() -> None:
    parser = measure.parser(__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="points")
    parser.add_argument("--offices", type=int, default=500)
    parser.add_argument(
        "--only", default="", help="names that contenders must begin with, by comma"
    )
    parser.add_argument("--postgis", action="store_true", help="start a throw-away PostGIS too")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--socket", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        run_one(options)
        return
    asked = options.postgis
    if asked and not postgis.find_programs():
        print(
            "skipped PostGIS: no such server here (Debian: postgresql-15-postgis-3)",
            file=sys.stderr,
        )
        asked = False
    names = [*CONTENDERS, *(POSTGIS if asked else ())]
    names = [name for name in names if name.startswith(tuple(options.only.split(",")))]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = make_world(options.n, options.offices)
        save(folder, world, make_line(world, LINE_POINTS))
        del world
        arguments = ["--folder", str(folder)]
        if asked:
            arguments += ["--socket", str(stack.enter_context(postgis.server(folder)))]
        figures = measure.interleave(__file__, names, arguments, options.repeat)
    measure.report(figures, bars(figures), options)


if __name__ == "__main__":
    main()
