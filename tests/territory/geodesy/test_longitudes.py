"""Longitudes are a circle: arcs, turns, and areas across 180 degrees."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from territory.geodesy import arc_of, nearest_turn, shortest_arc, unrolled

degrees = st.floats(-180, 180, allow_nan=False).map(lambda x: round(x, 3))
stretches = st.lists(st.tuples(degrees, st.floats(0, 170).map(lambda x: round(x, 3))), min_size=1)


@pytest.mark.parametrize(
    ("west", "east", "arc"),
    [
        ([-125.0, -66.5], None, (-125.0, -66.5)),
        ([10.25], None, (10.25, 10.25)),
        ([180.0], None, (180.0, 180.0)),
        ([-180.0, 180.0], None, (180.0, 180.0)),
        ([-176.65, 179.6], None, (-180.4, -176.65)),
        ([172.0, 179.0, -179.0], None, (172.0, 181.0)),
        ([144.7, -66.0], None, (-215.3, -66.0)),
        ([172.0, -180.0], [180.0, -130.0], (-188.0, -130.0)),  # Alaska as it is cut
        ([170.0], [190.0], (170.0, 190.0)),  # drawn past the edge of the map
        ([-180.0], [180.0], (-180.0, 180.0)),  # Antarctica
        ([0.0, np.nan, 1.0], None, (0.0, 1.0)),
        ([-90.0, 90.0], None, (-90.0, 90.0)),  # both ways are as long: not across 180
    ],
)
def test_the_arc_is_the_shortest(west: list[float], east: list[float] | None, arc: object) -> None:
    assert shortest_arc(west, east) == pytest.approx(arc)


def test_of_nothing_there_is_no_arc() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        shortest_arc([np.nan])


@given(stretches)
def test_an_arc_holds_all_and_none_is_shorter(rows: list[tuple[float, float]]) -> None:
    start = np.array([row[0] for row in rows])
    end = start + [row[1] for row in rows]
    west, east = shortest_arc(start, end)
    width = east - west
    assert -180 <= (west + east) / 2 <= 180
    assert 0 <= width <= 360
    lead = (start - west + 1e-9) % 360
    assert (lead + (end - start) <= width + 1e-6).all() or width == 360
    # By the definition: an arc begins where one of the stretches does.
    least = min(((end - first) % 360 + 0).max() if _holds(start, end, first) else 360.0
                for first in start)  # fmt: skip
    assert width <= least + 1e-6


def _holds(start: np.ndarray, end: np.ndarray, first: float) -> bool:
    """Whether a walk east from ``first`` enters every stretch before it leaves it."""
    return bool(((start - first) % 360 + (end - start) < 360).all())


@given(st.lists(degrees, min_size=1), degrees)
def test_the_nearest_turn_is_the_same_place_within_half_a_turn(lon: list[float], at: float) -> None:
    moved = nearest_turn(lon, at)
    assert (np.abs(moved - at) <= 180 + 1e-9).all()
    assert np.allclose((moved - lon) % 360 % 360, 0) or np.allclose((moved - lon) / 360 % 1, 0)


def test_an_area_cut_at_180_is_one_again() -> None:
    cut = shapely.MultiPolygon([shapely.box(170, -20, 180, -10), shapely.box(-180, -20, -170, -10)])
    whole = unrolled(cut)
    assert whole.geom_type == "Polygon"
    assert whole.bounds == pytest.approx((170, -20, 190, -10))
    assert arc_of([cut]) == pytest.approx((170, 190))
    assert unrolled(cut, -200).bounds == pytest.approx((-190, -20, -170, -10))


def test_an_area_that_crosses_nothing_is_the_same_object() -> None:
    for area in (shapely.box(-90, 40, -80, 45), shapely.Polygon()):
        assert unrolled(area) is area
