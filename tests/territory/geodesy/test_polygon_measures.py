"""Areas and borders agree with Karney's polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Geod

from territory import reference
from territory.geodesy import area_km2, border_m
from territory.geodesy.polygon_measures import polygon_parts

GEOD = Geod(ellps="WGS84")
EARTH_KM2 = 510_065_621.724  # Karney 2013, table 1: the area of the WGS84 ellipsoid


def test_the_whole_globe_measures_what_the_ellipsoid_does() -> None:
    strips = [shapely.box(west, -90, west + 90, 90) for west in (-180, -90, 0, 90)]
    strips = shapely.segmentize(strips, 1.0)
    assert area_km2(strips).sum() == pytest.approx(EARTH_KM2, rel=1e-9)


def test_county_areas_and_borders_agree_with_karney() -> None:
    counties = reference.load().counties.iloc[::40].geometry.to_numpy()
    fine = shapely.segmentize(counties, 0.002)  # so short that geodesics and edges are one
    karney = [abs(GEOD.geometry_area_perimeter(county)[0]) / 1e6 for county in fine]
    np.testing.assert_allclose(area_km2(counties), karney, rtol=1e-6)
    lengths = [GEOD.geometry_length(part.boundary) for part in counties]
    np.testing.assert_allclose(border_m(counties), lengths, rtol=1e-9)


def test_holes_are_taken_off_whichever_way_rings_run() -> None:
    whole, hole = shapely.box(0, 40, 2, 42), shapely.box(0.5, 40.5, 1, 41)
    ring = shapely.difference(whole, hole)
    expected = area_km2([whole])[0] - area_km2([hole])[0]
    turned = shapely.Polygon(whole.exterior.coords[::-1], [hole.exterior.coords])
    assert area_km2([ring, turned]) == pytest.approx([expected, expected])
    assert border_m([ring])[0] == pytest.approx(border_m([whole, hole]).sum())


def test_nothing_measures_nothing() -> None:
    assert area_km2([None, shapely.Polygon()]).tolist() == [0, 0]
    assert border_m([None, shapely.MultiPolygon()]).tolist() == [0, 0]


def test_ground_has_one_element_for_each_shape_also_where_none_has_a_polygon() -> None:
    line, point = shapely.LineString([(0, 0), (1, 1)]), shapely.Point(0, 0)
    none = shapely.MultiPolygon()
    square = shapely.box(0, 0, 1, 1)
    mixed = shapely.GeometryCollection([square, line])
    for shapes, expected in (
        ([], []),
        ([line], [none]),
        ([line, point, None, shapely.Polygon()], [none] * 4),
        ([line, mixed, point], [none, shapely.MultiPolygon([square]), none]),
    ):
        assert polygon_parts(np.array(shapes, dtype=object)).tolist() == expected
