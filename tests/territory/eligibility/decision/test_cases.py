"""The legal and employer cases: roads, areas, roles, dates, exceptions."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from territory.eligibility.decision import decide
from territory.eligibility.rules import (
    FAULTS,
    PUBLISHED,
    Criterion,
    GrantedException,
    PolicyVersion,
    example,
    version_in_force,
)
from territory.eligibility.rules.policy import Grandfathering
from territory.errors import InputError, NotFoundError, PolicyError
from territory.files import read_table
from territory.geodesy import distance_to_area, ring
from territory.imports import read_rows
from territory.units_of_length import METRES_PER_MILE
from tests.fixtures.eligibility_drawn import DEMO, GEOD, TODAY, east, homes, office, only, policy


@pytest.fixture(scope="module")
def offices() -> pd.DataFrame:
    return read_rows("offices", read_table(DEMO)).rows


class Roads:
    """A road network in which every way is a quarter longer than the straight line."""

    name = "quarter longer 1"

    def routes(self, lon: Any, lat: Any, office_lon: Any, office_lat: Any) -> Any:
        metres = np.asarray(GEOD.inv(lon, lat, office_lon, office_lat)[2]) * 1.25
        return metres, metres / 20.0


def test_fifteen_miles_radial_or_twenty_by_road_differ_for_one_who_lives_between() -> None:
    town = office("town", -85.6, 44.76)
    home = east(town, 17.0)  # 21.25 by road
    road = policy(Criterion(20.0, method="road_distance"))
    radial = policy(Criterion(20.0))
    both = policy(Criterion(15.0), Criterion(20.0, method="road_distance"))
    told = [only(decide(home, town, rule, on=TODAY, routing=Roads()))
            for rule in (radial, road, both)]  # fmt: skip
    assert [row["decision"] for row in told] == ["eligible", "not eligible", "not eligible"]
    assert told[0]["road_distance_m"] == pytest.approx(21.25 * METRES_PER_MILE)
    assert "(by road)" in told[1]["sentence"]
    assert "15-mile" in told[2]["sentence"]
    assert "20-mile" in told[2]["sentence"]


def test_a_road_rule_without_roads_decides_only_what_the_straight_line_settles() -> None:
    town = office("town", -85.6, 44.76)
    far, near = (only(decide(east(town, m), town, example("road"), on=TODAY)) for m in (61, 30))
    assert far["decision"] == "not eligible"
    assert "no road is shorter" in far["sentence"]
    assert near["decision"] == "cannot decide"
    assert "routing server" in near["remedy"]


def test_one_alternative_that_nobody_can_tell_keeps_the_others_from_refusing() -> None:
    town = office("town", -85.6, 44.76)
    both = policy(Criterion(15.0), Criterion(20.0, method="road_distance"))
    told = [only(decide(east(town, m), town, both, on=TODAY))["decision"] for m in (10, 17, 21)]
    assert told == ["eligible", "cannot decide", "not eligible"]


def test_what_a_better_location_may_settle_is_reviewed_before_it_is_given_up() -> None:
    town = office("town", -85.6, 44.76)
    both = policy(Criterion(30.0, method="road_distance"), Criterion(15.0))
    found = only(decide(east(town, 16.0, uncertainty_m=5_000.0), town, both, on=TODAY))
    assert found["decision"] == "needs review"
    assert "15-mile" in found["sentence"]


def test_by_road_the_uncertainty_of_a_home_counts_with_its_detours() -> None:
    town = office("town", -85.6, 44.76)
    rule = policy(Criterion(50.0, method="road_distance"))
    told = [
        only(decide(east(town, miles, uncertainty_m=METRES_PER_MILE * 2), town, rule, on=TODAY,
                    routing=Roads()))["decision"]
        for miles in (37.0, 38.0, 42.0, 43.0)  # 46.25, 47.5, 52.5, 53.75 by road, give or take 3
    ]  # fmt: skip
    assert told == ["eligible", "needs review", "needs review", "not eligible"]


def test_fifty_miles_farther_than_three_is_fifty_three_by_road() -> None:
    # The moving-expenses example: the old work was 3 miles from the old home, so 53 count, 38 fail.
    work = office("work", -85.6, 44.76)
    rule = policy(Criterion(3.0 + 50.0, comparison="at least", method="road_distance"))
    told = [
        only(decide(east(work, miles / 1.25), work, rule, on=TODAY, routing=Roads()))["decision"]
        for miles in (38.0, 52.99, 53.01, 58.0)
    ]
    assert told == ["not eligible", "not eligible", "eligible", "eligible"]


def test_minutes_are_measured_by_road() -> None:
    town = office("town", -85.6, 44.76)
    rule = policy(Criterion(60.0, unit="min", method="road_time"))
    near, far = (only(decide(east(town, m), town, rule, on=TODAY, routing=Roads()))
                 for m in (30, 50))  # fmt: skip
    assert (near["decision"], far["decision"]) == ("eligible", "not eligible")
    assert near["sentence"].startswith("Eligible: 50.3 minutes (by road)")


def test_by_road_another_office_may_be_the_nearest() -> None:
    both = pd.concat([office("island", -85.0, 45.0), office("mainland", -85.3, 45.0)])

    class Ferry(Roads):
        def routes(self, lon: Any, lat: Any, office_lon: Any, office_lat: Any) -> Any:
            metres, seconds = super().routes(lon, lat, office_lon, office_lat)
            detour = np.where(np.asarray(office_lon) == -85.0, 100_000.0, 0.0)
            return metres + detour, seconds

    rule = policy(Criterion(50.0, method="road_distance"))
    found = only(decide(homes(-84.9, 45.0), both, rule, on=TODAY, routing=Ferry()))
    assert found["office_id"] == "mainland"
    assert found["decision"] == "eligible"


def test_the_area_is_measured_from_its_border_and_the_station_from_its_point() -> None:
    station = office("station", -120.0, 47.0)
    area = gpd.GeoDataFrame(
        {"market_id": ["station"]},
        geometry=[shapely.box(-121.0, 46.5, -120.5, 47.5)],
        crs="EPSG:4326",
    )
    rule = example("area_or_station")
    cases = {
        -120.7: ("eligible", "inside the area of Station"),
        -121.2: ("eligible", "from the area of Station"),
        -119.5: ("eligible", "from Station"),
        -122.0: ("not eligible", "15-mile limit, and "),
    }
    for lon, (decision, words) in cases.items():
        home = homes(lon, 47.0, assigned_office_id="station")
        found = only(decide(home, station, rule, on=TODAY, areas=area))
        assert found["decision"] == decision, found["sentence"]
        assert words in found["sentence"]
    with pytest.raises(InputError, match="areas of offices"):
        decide(homes(-120.0, 47.0), station, rule, on=TODAY)


def test_the_distance_to_a_border_is_that_of_the_nearest_of_its_points() -> None:
    area = shapely.Polygon([(-105.0, 39.0), (-104.0, 39.2), (-104.4, 40.0)])
    edge = shapely.get_coordinates(shapely.segmentize(area.exterior, 2e-5))
    for lon, lat in ((-106.0, 39.0), (-103.0, 39.5), (-104.5, 41.0), (-104.2, 38.0)):
        brute = GEOD.inv(np.full(len(edge), lon), np.full(len(edge), lat), *edge.T)[2].min()
        found = distance_to_area(area, [lon], [lat])[0]
        assert brute - 1e-3 < found <= brute + 1e-6
    assert distance_to_area(area, [-104.5], [39.4])[0] == 0


def test_a_ring_is_as_far_as_its_radius_says() -> None:
    disc = shapely.Polygon(ring(-105.0, 39.7, 20_000.0, 1024))
    found = distance_to_area(disc, [-105.0], [40.7])[0]
    straight = GEOD.inv(-105.0, 39.7, -105.0, 40.7)[2] - 20_000
    assert found == pytest.approx(straight, abs=0.2)


def test_a_decision_of_before_stands_until_home_or_role_change() -> None:
    here = office("here", -120.0, 47.0)
    rule = policy(Criterion(45.0), grandfathering=Grandfathering("2007-07-01"))
    cases = [
        ({"eligible_since": "2006-05-01"}, "eligible"),
        ({"eligible_since": "2007-07-01"}, "not eligible"),
        ({"eligible_since": "2006-05-01", "home_since": "2010-01-01"}, "not eligible"),
        ({"eligible_since": "2006-05-01", "home_since": "2001-01-01"}, "eligible"),
        ({"eligible_since": "2006-05-01", "role_since": "2015-03-01"}, "not eligible"),
        ({}, "not eligible"),
    ]
    for facts, decision in cases:
        found = only(decide(east(here, 60, **facts), here, rule, on=TODAY))
        assert found["decision"] == decision, facts
        assert (found["basis"] == "grandfathering") == (decision == "eligible")


def test_the_set_of_offices_depends_on_the_role(offices: pd.DataFrame) -> None:
    rule = policy(
        Criterion(50.0, offices="approved", approved=("NYC",), roles=("sales",)),
        Criterion(50.0, roles=("engineer",)),
    )
    philadelphia = offices[offices["office_id"] == "PHL"]
    told = {
        role: only(decide(east(philadelphia, 5, role=role), offices, rule, on=TODAY))
        for role in ("sales", "engineer", "pilot")
    }
    assert {role: row["decision"] for role, row in told.items()} == {
        "sales": "not eligible", "engineer": "eligible", "pilot": "cannot decide"
    }  # fmt: skip
    assert told["pilot"]["remedy"] == FAULTS["no_role"].remedy
    unknown = policy(Criterion(50.0, offices="approved", approved=("NOPE", "NYC")))
    with pytest.raises(InputError, match="'NOPE'"):
        decide(east(philadelphia, 5), offices, unknown, on=TODAY)


def test_an_office_counts_only_on_the_days_that_it_is_open() -> None:
    here = office("here", -100.0, 40.0, opened_on="2020-01-01", closed_on="2026-01-01")
    there = office("there", -90.0, 40.0)
    both = pd.concat([here, there], ignore_index=True)
    days = {"2019-12-31": "not eligible", "2020-01-01": "eligible",
            "2025-12-31": "eligible", "2026-01-01": "not eligible"}  # fmt: skip
    for day, decision in days.items():
        assert only(decide(east(here, 5), both, policy(), on=day))["decision"] == decision
    assigned = policy(Criterion(50.0, offices="assigned"))
    home = east(here, 5, assigned_office_id="here")
    closed = only(decide(home, both, assigned, on="2026-01-01"))
    assert closed["decision"] == "cannot decide"
    assert "not open" in closed["sentence"]
    alone = only(decide(east(here, 5), here, policy(), on="2026-06-01"))
    assert alone["remedy"] == FAULTS["no_open_office"].remedy


def test_an_exception_counts_for_one_person_and_ends() -> None:
    here = office("here", -100.0, 40.0)
    granted = GrantedException("E-1", "medical", "J. Doe", "2026-01-01", "2026-07-01")
    rule = policy(exceptions=(granted,))
    asked = {day: only(decide(east(here, 90, person_id="E-1"), here, rule, on=day))
             for day in ("2025-12-31", "2026-06-30", "2026-07-01")}  # fmt: skip
    assert [row["decision"] for row in asked.values()] == [
        "not eligible", "eligible", "not eligible"
    ]  # fmt: skip
    assert "approved by J. Doe: medical" in asked["2026-06-30"]["sentence"]
    assert asked["2026-07-01"]["sentence"].endswith("; an exception ended on 2026-07-01.")
    other = only(decide(east(here, 90, person_id="E-2"), here, rule, on="2026-06-30"))
    assert other["decision"] == "not eligible"
    near = only(decide(east(here, 9, person_id="E-1"), here, rule, on="2026-06-30"))
    assert near["basis"] == "distance"


def test_the_policy_of_the_day_decides() -> None:
    here = office("here", -100.0, 40.0)
    old = policy(effective_until="2026-01-01")
    new = policy(Criterion(30.0), version="2", effective_from="2026-01-01")
    versions = [PolicyVersion(each, at, PUBLISHED, "", "") for at, each in enumerate((old, new))]
    decisions = []
    for day in ("2025-12-31", "2026-01-01"):
        in_force = version_in_force(versions, day).policy
        decisions.append(only(decide(east(here, 40), here, in_force, on=day))["decision"])
    assert decisions == ["eligible", "not eligible"]
    with pytest.raises(PolicyError, match="not on 2026-01-01"):
        decide(east(here, 40), here, old, on="2026-01-01")
    with pytest.raises(NotFoundError, match="no version holds on 2025-01-01"):
        version_in_force(versions[1:], "2025-01-01")
    other = PolicyVersion(policy(name="another"), 3, PUBLISHED, "", "")
    with pytest.raises(InputError, match="Several policies are published"):
        version_in_force([*versions, other], "2025-01-01")


def test_more_than_fifty_miles_from_the_assigned_office_and_from_no_other(
    offices: pd.DataFrame,
) -> None:
    denver = offices[offices["office_id"] == "DEN"]
    for assigned, decision in (("DEN", "not eligible"), ("NYC", "eligible"), (None, None)):
        home = east(denver, 5, assigned_office_id=assigned)
        found = only(decide(home, offices, example("relocation"), on=TODAY))
        assert found["decision"] == (decision or "cannot decide")
