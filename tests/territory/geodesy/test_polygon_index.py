"""The table of cells answers as brute force does, on borders too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.errors import CoordinateError, InputError
from territory.geodesy import PolygonIndex
from territory.geodesy.polygon_index import RESOLUTIONS

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


def all_pairs(areas: list[shapely.Geometry | None], xy: Array) -> set[tuple[int, int]]:
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T, crs=4326))
    ground = gpd.GeoDataFrame(geometry=gpd.GeoSeries(list(areas), crs=4326))
    joined = gpd.sjoin(points, ground, predicate="intersects")
    return set(zip(joined.index.tolist(), joined["index_right"].tolist(), strict=True))


def brute_force(areas: list[shapely.Geometry | None], xy: Array) -> list[int]:
    found = [-1] * len(xy)
    for point, area in sorted(all_pairs(areas, xy), reverse=True):
        found[point] = area
    return found


def on_borders(areas: list[shapely.Geometry | None], shares: tuple[float, ...] = (0.5,)) -> Array:
    """The vertices of the areas, and points that lie along their edges as doubles can say."""
    xy, of = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(np.array(areas, object))), return_index=True
    )
    at = np.flatnonzero(of[1:] == of[:-1])
    along = [xy[at] + share * (xy[at + 1] - xy[at]) for share in shares]
    return np.unique(np.concatenate([xy, *along]), axis=0)


def on_grid_lines(areas: list[shapely.Geometry | None], per_degree: int) -> Array:
    """The points of the areas' surroundings whose coordinates are multiples of a cell."""
    west, south, east, north = shapely.total_bounds(np.array(areas, object))
    lon = np.arange(np.floor(west), np.ceil(east) + 0.01, 1 / per_degree)
    lat = np.arange(np.floor(south), np.ceil(north) + 0.01, 1 / per_degree)
    return np.stack(np.meshgrid(lon, lat), axis=-1).reshape(-1, 2)


def assert_same(areas: list[shapely.Geometry | None], xy: Array, table: PolygonIndex) -> None:
    pairs = table.locate_all(*xy.T)
    assert table.locate(*xy.T).tolist() == brute_force(areas, xy)
    assert set(zip(*(column.tolist() for column in pairs), strict=True)) == all_pairs(areas, xy)


# Coordinates on a coarse lattice meet grid lines, corners and each other more than chance has it.
lattice = st.integers(-24, 24).map(lambda i: i / 16)
anywhere = st.floats(-1.5, 1.5, allow_nan=False)
vertices = st.tuples(st.one_of(lattice, anywhere), st.one_of(lattice, anywhere))


@st.composite
def some_area(draw: st.DrawFn) -> shapely.Geometry | None:
    ring = draw(st.lists(vertices, min_size=3, max_size=9))
    ground = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
    if draw(st.booleans()):
        ground = shapely.difference(ground, shapely.box(-0.25, -0.25, 0.5, 0.3))
    polygons = shapely.get_parts(ground)
    polygons = polygons[shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON]
    return draw(st.sampled_from([shapely.multipolygons(polygons), *polygons[:1], None]))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    areas=st.lists(some_area(), min_size=1, max_size=6),
    per_degree=st.sampled_from((None, *RESOLUTIONS)),
    shift=st.sampled_from([(0.0, 0.0), (-87.0, 41.0), (178.5, -88.5), (-178.5, 88.5)]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_point_gets_the_answer_of_brute_force(
    areas: list[shapely.Geometry | None],
    per_degree: int | None,
    shift: tuple[float, float],
    seed: int,
) -> None:
    moved = [shapely.transform(a, lambda xy: xy + shift) if a is not None else a for a in areas]
    xy = np.concatenate(
        [
            np.random.default_rng(seed).uniform(-1.5, 1.5, (200, 2)) + shift,
            on_borders(moved, (0.5, 0.25, 0.1)),
            np.stack(np.meshgrid(*[np.arange(-24, 25) / 16] * 2), axis=-1).reshape(-1, 2) + shift,
        ]
    )
    assert_same(moved, xy, PolygonIndex(moved, per_degree))


def test_a_point_on_a_shared_border_belongs_to_the_smaller_position() -> None:
    west, east = shapely.box(-1, 0, 0, 1), shapely.box(0, 0, 1, 1)
    assert PolygonIndex([west, east]).locate([0, 0, 0], [0, 0.5, 1]).tolist() == [0, 0, 0]
    assert PolygonIndex([east, west]).locate([0, 0, 0], [0, 0.5, 1]).tolist() == [0, 0, 0]


def test_the_rim_of_a_hole_belongs_to_the_area_and_its_inside_does_not() -> None:
    ring = shapely.difference(shapely.box(0, 0, 3, 3), shapely.box(1, 1, 2, 2))
    assert PolygonIndex([ring]).locate([1, 1.5, 0.5], [1.5, 1.5, 0.5]).tolist() == [0, -1, 0]


def test_overlapping_areas_are_all_told_and_the_smallest_position_wins() -> None:
    areas = [shapely.box(1, 1, 2, 2), shapely.box(0, 0, 3, 3), shapely.box(1.5, 0, 4, 3)]
    table = PolygonIndex(areas)
    assert table.locate([1.75, 0.5, 2.5, 3.5, 5], [1.5] * 5).tolist() == [0, 1, 1, 2, -1]
    point, area = table.locate_all([1.75, 0.5, 5], [1.5] * 3)
    assert (point.tolist(), area.tolist()) == ([0, 0, 0, 1], [0, 1, 2, 1])


def test_areas_on_both_sides_of_the_antimeridian_and_up_to_the_poles() -> None:
    pacific = shapely.union(shapely.box(170, -90, 180, 90), shapely.box(-180, -90, -170, 90))
    lon, lat = [180, -180, 175, -175, 169, 180, 0], [0, 0, 90, -90, 0, 90, 90]
    assert PolygonIndex([pacific]).locate(lon, lat).tolist() == [0, 0, 0, 0, -1, 0, -1]


def test_points_without_a_place_and_sets_without_ground_have_no_answer() -> None:
    nothing = PolygonIndex([None, shapely.Polygon()])
    assert nothing.locate([0, np.nan], [0, 1]).tolist() == [-1, -1]
    assert [column.tolist() for column in nothing.locate_all([0.0], [0.0])] == [[], []]
    assert PolygonIndex([]).locate([1.0], [2.0]).tolist() == [-1]
    box = PolygonIndex([shapely.box(-1, -1, 1, 1)])
    assert box.locate([0, np.nan, 0, np.nan], [0, 0, np.nan, np.nan]).tolist() == [0, -1, -1, -1]
    assert box.locate([], []).tolist() == []


def test_a_table_of_the_whole_globe_stays_small() -> None:
    halves = [shapely.box(-180, -90, 0, 90), shapely.box(0, -90, 180, 90)]
    table = PolygonIndex(halves)
    size = table._label.nbytes + table._entry.nbytes
    assert size < 40e6
    assert table.locate([-90, 90, 0, -0.001, 0.001], [10] * 5).tolist() == [0, 1, 0, 0, 1]


def test_points_off_the_globe_are_refused_by_index() -> None:
    table = PolygonIndex([shapely.box(0, 0, 1, 1)])
    with pytest.raises(CoordinateError, match=r"points 1, 2 are off the globe.*lon=38.9, lat=-97"):
        table.locate([0.5, 38.9, np.inf], [0.5, -97.0, 0.0])
    with pytest.raises(CoordinateError, match="same length"):
        table.locate([0.5, 1], [0.5])


def test_what_is_no_area_on_the_globe_is_refused_by_position() -> None:
    with pytest.raises(InputError, match=r"position 1: no polygon; at position 2: reaches beyond"):
        PolygonIndex([shapely.box(0, 0, 1, 1), shapely.Point(0, 0), shapely.box(170, 0, 190, 1)])
    with pytest.raises(InputError, match="cells_per_degree = 10"):
        PolygonIndex([], 10)


@pytest.mark.parametrize("per_degree", [16, 32])
def test_real_counties_give_the_answer_of_brute_force_on_and_off_their_borders(
    per_degree: int,
) -> None:
    counties = reference.load().counties
    areas = counties[counties["state_code"].isin(["CO", "RI", "AK"])].geometry.tolist()
    random = np.random.default_rng(11)
    borders = on_borders(areas)
    xy = np.concatenate(
        [
            borders[random.permutation(len(borders))[:8_000]],
            random.choice(on_grid_lines(areas[-100:], 4), 4_000),
            borders[random.permutation(len(borders))[:8_000]] + random.normal(0, 0.02, (8_000, 2)),
        ]
    )
    assert_same(areas, np.clip(xy, (-180, -90), (180, 90)), PolygonIndex(areas, per_degree))
