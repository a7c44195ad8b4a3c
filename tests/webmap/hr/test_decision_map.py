"""The line of the limit and the frame of the map show the side that decided, and no more."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st

from territory.eligibility.rules import Criterion
from tests.fixtures.eligibility_drawn import GEOD, policy
from webmap.hr import decision_map

MILE = 1609.344
OFFICE = (-100.0, 40.0)


def record(
    miles: float, off: float, criterion: Criterion, *, bound: bool = False
) -> dict[str, Any]:
    lon, lat = OFFICE
    part = {
        "value": miles * MILE, "is_lower_bound": bound, "office_name": "West",
        "office_lon": lon, "office_lat": lat,
    }  # fmt: skip
    return {
        "decision": {
            "criterion": 1, "basis": "distance", "uncertainty_m": off * MILE,
            "distance_m": miles * MILE,
        },
        "policy": {"rule": policy(criterion, name="rule").as_dict()},
        "facts": {"measures": [part]},
    }  # fmt: skip


def home(miles: float, bearing: float, off: float = 0.0) -> pd.Series:
    lon, lat, _ = GEOD.fwd(*OFFICE, bearing, miles * MILE)
    return pd.Series({"lon": lon, "lat": lat, "uncertainty_m": off * MILE, "precision": "postal"})


@given(
    miles=st.floats(0, 3000),
    off=st.floats(0, 200),
    limit=st.sampled_from([15.0, 50.0, 100.0]),
    comparison=st.sampled_from(["within", "less than", "more than", "at least"]),
    bound=st.booleans(),
)
def test_every_end_is_drawn_on_its_side_of_the_limit(miles, off, limit, comparison, bound):
    drawn = decision_map.line(
        record(miles, off, Criterion(limit, comparison=comparison), bound=bound)
    )
    assert 0 <= drawn.low_x <= drawn.point_x <= drawn.high_x
    assert 0 <= drawn.limit_x <= decision_map.WIDTH
    assert drawn.point_x <= decision_map.WIDTH
    ends = [(max(miles - off, 0.0), drawn.low_x), (miles, drawn.point_x)]
    ends += [] if bound else [(miles + off, drawn.high_x)]
    for far, x in ends:
        assert (x - drawn.limit_x) * (far - limit) >= 0
    assert (drawn.high_x > decision_map.WIDTH) == bound
    assert drawn.is_near == (comparison in ("within", "less than"))
    for number in drawn.numbers:
        assert 0 <= number.x <= decision_map.WIDTH
    xs = sorted(number.x for number in drawn.numbers)
    assert all(b - a >= decision_map.LABEL for a, b in itertools.pairwise(xs))


def test_a_number_near_the_limit_reads_on_its_side() -> None:
    drawn = decision_map.line(record(49.96, 0, Criterion(50.0)))
    assert [number.text for number in drawn.numbers] == ["49.96 mi"]
    assert drawn.words == "The home is 49.96 miles away; the limit 50 mi"
    assert drawn.point_x < drawn.limit_x


@given(
    miles=st.floats(1, 2000),
    bearings=st.tuples(st.floats(0, 360), st.floats(0, 360)),
    off=st.sampled_from([0.0, 3.4, 12.0]),
)
def test_the_frame_does_not_tell_which_way_the_home_lies(miles, bearings, off):
    told = record(miles, off, Criterion(50.0))
    one, other = (decision_map.map_data(told, home(miles, b, off)) for b in bearings)
    np.testing.assert_allclose(one["frame"], other["frame"], atol=1e-6)
    (south, west), (north, east) = one["frame"]
    middle = (west + east) / 2
    assert math.isclose(middle, OFFICE[0], abs_tol=1e-9)
    assume(miles < 1000)
    for point in one["ring"] + (one["area"] or []):
        assert south <= point[0] <= north
        assert west <= point[1] <= east


def test_the_map_has_ring_and_circle_of_the_true_radius() -> None:
    drawn = decision_map.map_data(record(30, 3.4, Criterion(50.0)), home(30, 90, 3.4))
    assert set(drawn) == {"office", "ring", "ring_words", "home", "area", "frame"}
    for outline, (lon, lat), radius in (
        (drawn["ring"], OFFICE, 50 * MILE),
        (drawn["area"], (drawn["home"]["lon"], drawn["home"]["lat"]), 3.4 * MILE),
    ):
        assert len(outline) > 128
        for y, x in outline:
            assert abs(GEOD.inv(lon, lat, x, y)[2] - radius) < 2  # metres; five decimals are kept
    exact = decision_map.map_data(record(30, 0, Criterion(50.0)), home(30, 90))
    assert exact["area"] is None


def test_nothing_is_drawn_where_no_distance_decided() -> None:
    told = record(30, 0, Criterion(50.0))
    told["decision"] |= {"criterion": None, "basis": "location"}
    assert decision_map.line(told) is None
    assert set(decision_map.map_data(told, home(30, 90))) == {"frame"}
    by_road = record(30, 0, Criterion(50.0, method="road_distance"))
    assert decision_map.map_data(by_road, home(30, 90))["ring"] is None


def test_a_home_beyond_the_antimeridian_is_drawn_beside_its_office() -> None:
    told = record(30, 1, Criterion(50.0))
    told["facts"]["measures"][0] |= {"office_lon": 179.9, "office_lat": 0.0}
    lon, lat, _ = GEOD.fwd(179.9, 0, 90, 30 * MILE)
    assert lon < 0
    drawn = decision_map.map_data(
        told, pd.Series({"lon": lon, "lat": lat, "uncertainty_m": MILE, "precision": "postal"})
    )
    assert 180 < drawn["home"]["lon"] < 181
    assert all(180 < x < 181 for _, x in drawn["area"])
