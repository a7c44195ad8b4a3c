"""Every answer of the index is the one that brute force by Karney's algorithm gives."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from territory.errors import CoordinateError, InputError, LengthError
from territory.geodesy import OfficeIndex
from tests.conftest import ROOT
from tests.territory.geodesy.test_ellipsoid import PLACES, draw

if TYPE_CHECKING:
    from territory.geodesy.office_index import Nearest

GEOD = Geod(ellps="WGS84")
LIMIT_M = 80_467.2
HALF_THE_EARTH_M = 20_003_931.4
NEAR_EDGES = [
    (179.999, 52.1),
    (-179.95, -16.8),
    (180, 0),
    (12, 89.9),
    (-70, -90),
    (0, 90),
    (33, -89.4),
]


def matrix(index_lon, index_lat, lon, lat) -> np.ndarray:
    """Geodesics from every point (row) to every office (column), in metres."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    many = np.ones(len(lon))
    return np.stack(
        [
            GEOD.inv(lon, lat, x * many, y * many)[2]
            for x, y in zip(index_lon, index_lat, strict=True)
        ],
        axis=1,
    )


def first_in_text_order(ids: np.ndarray, metres: np.ndarray) -> np.ndarray:
    order = np.argsort(ids.astype(str), kind="stable")
    return order[metres[:, order].argmin(axis=1)]


def assert_equals_brute_force(found: Nearest, ids, metres: np.ndarray, radius_m: float) -> None:
    assert (found.office == first_in_text_order(ids, metres)).all()
    assert (found.within == (metres.min(axis=1) <= radius_m)).all()
    assert (found.within == (found.distance_m <= radius_m)).all()
    assert (found.offices_within == (metres <= radius_m).sum(axis=1)).all()
    assert (np.abs(found.distance_m - metres.min(axis=1)) < 15e-9).all()


def hard_world(kind: str, offices: int, points: int):
    """Offices, twins among them; points at the line, at bisectors, antipodes and anywhere."""
    rng = np.random.default_rng([PLACES.index(kind), offices])
    x, y = draw(kind, offices, rng)
    if offices > 5:
        x[1], y[1] = x[0], y[0]
        x[3], y[3] = x[2] + (1e-9 if x[2] < 179 else -1e-9), y[2]
    ids = np.array([f"office {k}" for k in rng.permutation(offices)], object)
    one, other = rng.integers(0, offices, (2, points))
    sign = rng.choice([-1, 1], points)
    tiny = sign * rng.choice([200, 1, 0.01, 0.001, 1e-6, 0], points)
    line = GEOD.fwd(x[one], y[one], rng.uniform(0, 360, points), LIMIT_M + tiny)[:2]
    azimuth, _, length = GEOD.inv(x[one], y[one], x[other], y[other])
    bisector = GEOD.fwd(x[one], y[one], azimuth, length / 2 + tiny)[:2]
    lat = np.clip(-y[one] + rng.normal(0, 0.1, points), -90, 90)
    antipode = ((x[one] + 360) % 360 - 180, lat)
    places = [line, bisector, antipode, draw("globe", points, rng), (x, y)]
    lon, lat = (np.concatenate(axis) for axis in zip(*places, strict=True))
    return ids, x, y, lon, lat


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("offices", [1, 2, 7, 60])
def test_hard_worlds_are_answered_as_by_brute_force(kind: str, offices: int) -> None:
    ids, x, y, lon, lat = hard_world(kind, offices, points=400)
    metres = matrix(x, y, lon, lat)
    index = OfficeIndex(ids, x, y)
    for radius_m in (LIMIT_M, 0, 1e-6, 1e5, 9e5, 1.5e7, 1.9e7, HALF_THE_EARTH_M):
        found = index.nearest(lon, lat, radius_m)
        assert_equals_brute_force(found, ids, metres, radius_m)
        for raster in (False, True):
            fresh = OfficeIndex(ids, x, y)
            assert (fresh.within(lon, lat, radius_m, raster=raster) == found.within).all()


@pytest.mark.parametrize("kind", ["contiguous states", "antimeridian", "poles"])
def test_many_points_are_answered_as_by_brute_force(kind: str) -> None:
    """So many that cells answer for their points; lines of cells and of offices among them."""
    ids, x, y, *_ = hard_world(kind, 12, points=1)
    rng = np.random.default_rng(8)
    office, bearing = rng.integers(0, 12, 60_000), rng.uniform(0, 360, 60_000)
    lon, lat, _ = GEOD.fwd(x[office], y[office], bearing, 10 ** rng.uniform(0, 5.5, 60_000))
    lon[:20_000] = np.round(lon[:20_000] * 16) / 16
    lat[5_000:25_000] = np.round(lat[5_000:25_000] * 16) / 16
    metres, index = matrix(x, y, lon, lat), OfficeIndex(ids, x, y)
    found = index.nearest(lon, lat, LIMIT_M)
    assert_equals_brute_force(found, ids, metres, LIMIT_M)
    assert (index.within(lon, lat, LIMIT_M) == found.within).all()
    assert (index.nearest(lon, lat, LIMIT_M, exact=True).distance_m == metres.min(axis=1)).all()


def test_a_crowd_of_offices_in_one_cell_is_told_apart() -> None:
    rng = np.random.default_rng(3)
    x, y = -77 + rng.normal(0, 0.01, 14), 38.9 + rng.normal(0, 0.01, 14)
    ids = np.arange(14).astype(str).astype(object)
    lon, lat = -77 + rng.normal(0, 0.2, 60_000), 38.9 + rng.normal(0, 0.2, 60_000)
    found = OfficeIndex(ids, x, y).nearest(lon, lat, 5_000)
    assert_equals_brute_force(found, ids, matrix(x, y, lon, lat), 5_000)


def test_points_too_scattered_for_cells_are_answered_all_the_same() -> None:
    ids, x, y, *_ = hard_world("globe", 3, points=1)
    lon, lat = draw("globe", 60_000, np.random.default_rng(4))
    found = OfficeIndex(ids, x, y).nearest(lon, lat, 2e6)
    assert_equals_brute_force(found, ids, matrix(x, y, lon, lat), 2e6)


degrees_east = st.floats(-180, 180, allow_subnormal=False) | st.sampled_from([-180.0, 180.0, 0.0])
degrees_north = st.floats(-90, 90, allow_subnormal=False) | st.sampled_from([-90.0, 90.0, 0.0])


@given(
    offices=st.lists(st.tuples(degrees_east, degrees_north), min_size=1, max_size=8),
    points=st.lists(st.tuples(degrees_east, degrees_north), min_size=1, max_size=8),
    radius_m=st.floats(0, HALF_THE_EARTH_M),
)
@example(offices=[(180, 5), (-180, 5)], points=[(179, 5)], radius_m=LIMIT_M)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_world_is_answered_as_by_brute_force(offices, points, radius_m) -> None:
    (x, y), (lon, lat) = np.array(offices).T, np.array(points).T
    metres = matrix(x, y, lon, lat)
    index = OfficeIndex([str(k) for k in range(len(x))], x, y)
    found = index.nearest(lon, lat, radius_m)
    best = metres.min(axis=1)
    # Places that are one by rule (a pole, the antimeridian) may differ by rounding in brute force.
    assert metres[np.arange(len(lon)), found.office] == pytest.approx(best, rel=0, abs=15e-9)
    assert found.distance_m == pytest.approx(best, rel=0, abs=15e-9)
    assert (found.within == (found.distance_m <= radius_m)).all()
    clear = np.abs(best - radius_m) > 15e-9
    assert (found.within == (best <= radius_m))[clear].all()
    assert (index.within(lon, lat, radius_m) == found.within)[clear].all()


def demo_offices() -> list[tuple[float, float]]:
    with (ROOT / "data" / "demo" / "offices.csv").open(encoding="utf-8") as file:
        return [
            (float(row["lon"]), float(row["lat"])) for row in csv.DictReader(file) if row["lon"]
        ]


@pytest.mark.parametrize("centre", [*demo_offices(), *NEAR_EDGES], ids=str)
@pytest.mark.parametrize("off_m", [0.001, 0.01, 1, 200])
def test_points_just_inside_are_in_and_points_just_outside_are_out(
    centre: tuple[float, float], off_m: float
) -> None:
    bearing, many = np.arange(0, 360, 15.0), np.ones(24)
    lon, lat = np.concatenate(
        [
            GEOD.fwd(centre[0] * many, centre[1] * many, bearing, (LIMIT_M + off) * many)[:2]
            for off in (-off_m, off_m)
        ],
        axis=1,
    )
    index = OfficeIndex(["the office"], [centre[0]], [centre[1]])
    inside = np.repeat([True, False], 24)
    assert (index.nearest(lon, lat, LIMIT_M).within == inside).all()
    for raster in (False, True):
        assert (index.within(lon, lat, LIMIT_M, raster=raster) == inside).all()
    assert len(index.pairs_within(lon, lat, LIMIT_M)[0]) == 24


def test_a_point_exactly_at_the_radius_is_within_and_one_bit_less_is_not() -> None:
    ids, x, y, lon, lat = hard_world("contiguous states", 2, points=60)
    index = OfficeIndex(ids, x, y)
    for point_lon, point_lat in zip(lon, lat, strict=True):
        exact = index.nearest([point_lon], [point_lat], exact=True).distance_m[0]
        assert index.nearest([point_lon], [point_lat], exact).within[0]
        if exact > 0:
            found = index.nearest([point_lon], [point_lat], np.nextafter(exact, 0))
            assert not found.within[0]
            assert found.distance_m[0] > np.nextafter(exact, 0)
            assert found.offices_within[0] == 0


def test_the_published_geodesics_are_met_by_the_index(shared) -> None:
    lines = np.loadtxt(shared / "geodtest_sample_2000.txt")
    for lat1, lon1, _, lat2, lon2, _, s12 in lines[:, :7]:
        index = OfficeIndex(["end"], [(lon2 + 180) % 360 - 180], [lat2])
        error = abs(index.nearest([lon1], [lat1]).distance_m[0] - s12)
        assert error <= max(1e-8 * s12, 15e-9)


def test_twins_and_ties_go_to_the_smallest_id_in_text_order() -> None:
    twins = OfficeIndex(["9", "b", "10", "a"], [-77, -77, -77, -80], [38, 38, 38, 38])
    found = twins.nearest([-77, -77.3], [38, 38.2])
    assert list(twins.office_id[found.office]) == ["10", "10"]
    assert list(found.offices_within) == [3, 3]
    mirrored = OfficeIndex(["south", "north"], [10, 10], [-1, 1])
    assert list(mirrored.office_id[mirrored.nearest([10, 11], [0, 0]).office]) == ["north"] * 2
    one_place = OfficeIndex(["west", "east", "top", "pole"], [-180, 180, 5, 90], [7, 7, 90, 90])
    found = one_place.nearest([179.5, -179.5, 33], [7, 7, 89])
    assert list(one_place.office_id[found.office]) == ["east", "east", "pole"]


def test_equal_ids_are_allowed_and_the_first_of_twins_wins() -> None:
    index = OfficeIndex(["a", "a"], [1, 1], [2, 2])
    assert index.nearest([1], [2]).office[0] == 0


def test_no_points_have_no_answers() -> None:
    index = OfficeIndex(["a"], [1], [2])
    found = index.nearest([], [])
    assert [len(column) for column in found] == [0, 0, 0, 0]
    assert len(index.within([], [])) == 0
    assert [len(column) for column in index.pairs_within([], [])] == [0, 0, 0]


def test_a_point_on_an_office_is_no_distance_away() -> None:
    lon, lat = np.array([*demo_offices(), *NEAR_EDGES]).T
    index = OfficeIndex(np.arange(len(lon)).astype(str), lon, lat)
    assert (index.nearest(lon, lat, 0).distance_m == 0).all()
    assert index.within(lon, lat, 0).all()


def test_pairs_are_all_pairs_within_by_point_then_distance_then_id() -> None:
    ids, x, y, lon, lat = hard_world("contiguous states", 60, points=500)
    metres, index = matrix(x, y, lon, lat), OfficeIndex(ids, x, y)
    point, office, distance_m = index.pairs_within(lon, lat, 4e5)
    assert (distance_m == metres[point, office]).all()
    assert len(point) == (metres <= 4e5).sum()
    assert len(set(zip(point.tolist(), office.tolist(), strict=True))) == len(point)
    keys = list(zip(point, distance_m, ids[office].astype(str), strict=True))
    assert keys == sorted(keys)


def test_the_count_can_be_left_out() -> None:
    assert OfficeIndex(["a"], [1], [2]).nearest([1], [2], count=False).offices_within is None


def test_threads_change_nothing() -> None:
    ids, x, y, *_ = hard_world("contiguous states", 60, points=1)
    lon, lat = draw("contiguous states", 40_000, np.random.default_rng(5))
    index = OfficeIndex(ids, x, y)
    for alone, together in zip(
        index.nearest(lon, lat, 3e5, threads=1),
        index.nearest(lon, lat, 3e5, threads=3),
        strict=True,
    ):
        assert (alone == together).all()
    pairs = index.pairs_within(lon, lat, 3e5, threads=1), index.pairs_within(lon, lat, 3e5)
    assert all((one == other).all() for one, other in zip(*pairs, strict=True))


def test_one_raster_answers_one_radius_only() -> None:
    ids, x, y, lon, lat = hard_world("contiguous states", 7, points=200)
    index, metres = OfficeIndex(ids, x, y), matrix(x, y, lon, lat).min(axis=1)
    for radius_m in (LIMIT_M, 1_000, LIMIT_M, 5e6):
        assert (index.within(lon, lat, radius_m, raster=True) == (metres <= radius_m)).all()


def test_distance_to_an_office_is_karneys() -> None:
    index = OfficeIndex(["b", "a"], [-77, -80], [38, 39])
    assert (index.distance_to(1, [-77], [38]) == GEOD.inv(-77, 38, -80, 39)[2]).all()
    assert (index.distance_to([0, 1], [-77, -80], [38, 39]) == 0).all()
    with pytest.raises(InputError, match="No office at position 2: there are 2"):
        index.distance_to(2, [-77], [38])


def test_a_frame_of_offices_is_indexed_in_its_order() -> None:
    frame = pd.DataFrame({"office_id": ["b", "a"], "lon": [-77.0, -80.0], "lat": [38.0, 39.0]})
    index = OfficeIndex.from_frame(frame)
    assert len(index) == 2
    assert list(index.office_id) == ["b", "a"]
    assert index.nearest([-80], [39]).office[0] == 1


def test_offices_that_cannot_be_measured_from_are_all_named() -> None:
    frame = pd.DataFrame(
        {"office_id": ["hq", "north", "south"], "lon": [-77, None, 1], "lat": [38, 2, None]}
    )
    with pytest.raises(InputError, match="2 of 3 offices have no coordinates: 'north', 'south'"):
        OfficeIndex.from_frame(frame)
    with pytest.raises(CoordinateError, match=r"hq: lon=38.9, lat=-97.2 \(were they swapped\?\)"):
        OfficeIndex(["hq"], [38.9], [-97.2])
    with pytest.raises(InputError, match="no office to measure from"):
        OfficeIndex([], [], [])
    with pytest.raises(InputError, match="2 office ids for 1 places"):
        OfficeIndex(["a", "b"], [1], [1])


@pytest.mark.parametrize("verb", ["nearest", "within", "pairs_within"])
def test_points_and_radii_that_are_none_are_refused(verb: str) -> None:
    ask = getattr(OfficeIndex(["a"], [1], [2]), verb)
    with pytest.raises(CoordinateError, match=r"1 of 2 points .* index 1: lon=nan, lat=2"):
        ask([1, np.nan], [2, 2])
    for radius_m in (-5, np.nan, np.inf):
        with pytest.raises(LengthError, match="radius of"):
            ask([1], [2], radius_m)
