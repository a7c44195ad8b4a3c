"""Eligibility is right at the line, honest about what is not known, and says so plainly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory import reference
from territory.eligibility import decide
from territory.eligibility_area import distance_to_area
from territory.eligibility_files import example
from territory.eligibility_homes import map_home_headers, read_homes
from territory.eligibility_policy import (
    Criterion,
    EligibilityPolicy,
    Grandfathering,
    GrantedException,
    in_force,
)
from territory.eligibility_wording import FAULTS, shown
from territory.errors import InputError, PolicyError
from territory.gazetteer import Gazetteer
from territory.geodesy import ring
from territory.intake import take_in
from territory.lengths import METRES_PER_MILE
from territory.tables import read_table

GEOD = Geod(ellps="WGS84")
DEMO = Path(__file__).resolve().parents[1] / "data" / "demo" / "offices.csv"
TODAY = "2026-11-23"
LIMIT_M = 50 * METRES_PER_MILE
OFFSETS_M = (-1.0, -1e-3, 0.0, 1e-3, 1.0)


@pytest.fixture(scope="module")
def offices() -> pd.DataFrame:
    return take_in("offices", read_table(DEMO)).rows


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(reference.load())


def office(office_id: str, lon: float, lat: float, **dates: str | None) -> pd.DataFrame:
    row = {"office_id": office_id, "name": office_id.title(), "lon": lon, "lat": lat}
    return pd.DataFrame([{**row, "opened_on": None, "closed_on": None, **dates}], dtype=object)


def homes(lon: Any, lat: Any, uncertainty_m: Any = 0.0, **more: Any) -> pd.DataFrame:
    lon = np.atleast_1d(np.asarray(lon, float))
    precision = "rooftop" if np.all(np.asarray(uncertainty_m) == 0) else "postal"
    return pd.DataFrame({"lon": lon, "lat": lat, "uncertainty_m": uncertainty_m,
                         "geocode_source": "test", **more}).assign(precision=precision)  # fmt: skip


def east(of: pd.DataFrame, miles: float, **more: Any) -> pd.DataFrame:
    """One home due east of an office."""
    lon, lat, _ = GEOD.fwd(of["lon"].iat[0], of["lat"].iat[0], 90, miles * METRES_PER_MILE)
    return homes(lon, lat, **more)


def policy(*any_of: Criterion, **more: Any) -> EligibilityPolicy:
    settings = {"name": "test", "version": "1", "effective_from": "2000-01-01", **more}
    return EligibilityPolicy(any_of=any_of or (Criterion(50.0),), **settings)


def only(decisions: pd.DataFrame) -> pd.Series:
    assert len(decisions) == 1
    return decisions.iloc[0]


def points_at_the_line(lon: float, lat: float) -> tuple[np.ndarray, np.ndarray]:
    bearing, offset = np.meshgrid(np.arange(24) * 15.0, OFFSETS_M)
    many = np.ones(bearing.size)
    x, y, _ = GEOD.fwd(lon * many, lat * many, bearing.ravel(), LIMIT_M + offset.ravel())
    return x, y


PLACES = {
    "antimeridian": (179.9, -17.0),
    "antimeridian west": (-179.9, 52.0),
    "north pole": (0.0, 90.0),
    "near the south pole": (40.0, -89.9),
    "over water": (-70.0, 41.0),
    "equator": (0.0, 0.0),
}


@pytest.mark.parametrize("comparison", ["within", "less than", "more than", "at least"])
def test_every_point_at_the_line_is_decided_as_karney_has_it(
    offices: pd.DataFrame, comparison: str
) -> None:
    rule = policy(Criterion(50.0, comparison=comparison))
    places = {row.office_id: (row.lon, row.lat) for row in offices.itertuples(index=False)} | PLACES
    sides = set()
    for lon, lat in places.values():
        x, y = points_at_the_line(lon, lat)
        truth = GEOD.inv(np.full(len(x), lon), np.full(len(x), lat), x, y)[2]
        # as far as doubles go, "exactly" is on either side by some nanometres
        expected = rule.any_of[0].holds(truth)
        found = decide(homes(x, y), office("one", lon, lat), rule, on=TODAY)
        assert ((found["decision"] == "eligible") == expected).all()
        assert found["decision"].isin(["eligible", "not eligible"]).all()
        off = np.tile(np.array(OFFSETS_M), (24, 1)).T.ravel()
        clear = off != 0
        near = comparison in ("within", "less than")
        assert (expected[clear] == ((off[clear] < 0) == near)).all()
        sides |= set(found["decision"])
    assert sides == {"eligible", "not eligible"}


def test_no_sentence_at_the_line_reads_wrong(offices: pd.DataFrame) -> None:
    x, y = points_at_the_line(-104.9853, 39.7437)
    found = decide(homes(x, y), office("den", -104.9853, 39.7437), policy(), on=TODAY)
    inside = found["distance_m"] <= LIMIT_M
    read = found["sentence"].str.extract(r": ([\d.,]+) miles")[0].astype(float)
    told = read.notna()
    assert told.sum() >= 96  # all but those that are nanometres from the line
    assert ((read[told] < 50) == inside[told]).all()
    assert (read[told] != 50).all()


@pytest.mark.parametrize(
    ("miles", "text"),
    [(31.24, "31.2 miles"), (49.96, "49.96 miles"), (50.0, "50.0 miles"),
     (50.000001, "50.000001 miles"), (1234.5, "1,234.5 miles")],
)  # fmt: skip
def test_a_distance_is_shown_rounded_but_never_on_the_wrong_side(miles: float, text: str) -> None:
    assert shown(miles * METRES_PER_MILE, Criterion(50.0)) == text


def test_exactly_at_the_limit_counts_under_within_and_not_under_less_than() -> None:
    here = office("here", 0.0, 0.0)
    lon = 0.7
    exact = float(GEOD.inv(0, 0, lon, 0)[2]) / 1000
    for comparison, decision in (
        ("within", "eligible"), ("less than", "not eligible"),
        ("at least", "eligible"), ("more than", "not eligible"),
    ):  # fmt: skip
        rule = policy(Criterion(exact, unit="km", comparison=comparison))
        found = only(decide(homes(lon, 0.0), here, rule, on=TODAY))
        if rule.any_of[0].limit_si == found["distance_m"]:
            assert found["decision"] == decision
            assert "exactly at" in found["sentence"]


def test_the_sentence_says_what_a_person_needs(offices: pd.DataFrame) -> None:
    denver = offices[offices["office_id"] == "DEN"]
    home = east(denver, 31.2, uncertainty_m=3.4 * METRES_PER_MILE)
    assert only(decide(home, offices, policy(), on=TODAY))["sentence"] == (
        "Eligible: 31.2 miles (straight line) from Denver, inside the 50-mile limit; the ZIP-level "
        "location is known to 3.4 miles, which cannot change the answer."
    )


@pytest.mark.parametrize(
    ("miles", "uncertainty", "decision"),
    [(40, 9.9, "eligible"), (40, 10.1, "needs review"), (60, 9.9, "not eligible"),
     (60, 10.1, "needs review")],
)  # fmt: skip
def test_a_home_is_decided_only_if_all_of_its_circle_is_on_one_side(
    offices: pd.DataFrame, miles: float, uncertainty: float, decision: str
) -> None:
    denver = offices[offices["office_id"] == "DEN"]
    home = east(denver, miles, uncertainty_m=uncertainty * METRES_PER_MILE)
    found = only(decide(home, denver, policy(), on=TODAY))
    assert found["decision"] == decision
    assert (found["remedy"] is not None) == (decision == "needs review")


def test_a_review_band_sends_exact_homes_to_a_person() -> None:
    here = office("here", -100.0, 40.0)
    rule = policy(review_band_m=0.5 * METRES_PER_MILE)
    found = [only(decide(east(here, m), here, rule, on=TODAY)) for m in (49.4, 49.6, 50.4, 50.6)]
    assert [row["decision"] for row in found] == [
        "eligible", "needs review", "needs review", "not eligible"
    ]  # fmt: skip
    assert "review band of 0.5 miles" in found[1]["sentence"]


# --- the legal and employer cases -------------------------------------------------------------


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
    assert "routing adapter" in near["remedy"]


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
    told = [only(decide(east(here, 40), here, in_force([old, new], day), on=day))["decision"]
            for day in ("2025-12-31", "2026-01-01")]  # fmt: skip
    assert told == ["eligible", "not eligible"]
    with pytest.raises(PolicyError, match="not on 2026-01-01"):
        decide(east(here, 40), here, old, on="2026-01-01")
    with pytest.raises(PolicyError, match="0 policies hold"):
        in_force([new], "2025-01-01")
    with pytest.raises(PolicyError, match="2 policies hold"):
        in_force([old, policy(version="3")], "2025-01-01")


def test_more_than_fifty_miles_from_the_assigned_office_and_from_no_other(
    offices: pd.DataFrame,
) -> None:
    denver = offices[offices["office_id"] == "DEN"]
    for assigned, decision in (("DEN", "not eligible"), ("NYC", "eligible"), (None, None)):
        home = east(denver, 5, assigned_office_id=assigned)
        found = only(decide(home, offices, example("relocation"), on=TODAY))
        assert found["decision"] == (decision or "cannot decide")


# --- bad input ----------------------------------------------------------------------------------

BAD_ROWS: list[tuple[dict[str, str | None], str]] = [
    ({"postal_code": "00000"}, "unknown_zip"),
    ({"postal_code": "80202", "state": "MA"}, "state_disagrees"),
    ({"city": "Paris", "country": "France"}, "abroad"),
    ({"city": "Nowhere", "country": "Atlantis"}, "unknown_country"),
    ({}, "nothing_given"),
    ({"lat": "0", "lon": "0"}, "null_island"),
    ({"lat": "39.7"}, "half_given"),
    ({"lat": "north", "lon": "-105"}, "half_given"),
    ({"lat": "39.7", "lon": "-541"}, "off_globe"),
    ({"lat": "-105", "lon": "39.7", "country": "US"}, "swapped"),
    ({"lat": "39.7", "lon": "105", "state": "CO"}, "signless"),
    ({"street": "P.O. Box 12", "postal_code": "80202"}, "po_box"),
    ({"street": "po box 7", "lat": "39.7", "lon": "-105"}, "po_box"),
    ({"postal_code": "22199"}, "zip_without_area"),
    ({"city": "Springfield"}, "ambiguous_city"),
    ({"city": "Xyzzy", "state": "CO"}, "not_found"),
    ({"lat": "40.7", "lon": "-74", "postal_code": "80202", "state": "CO"}, "contradiction"),
    ({"city": "El Paso", "state": "TX", "postal_code": "77002"}, "city_disagrees"),
]


def test_every_bad_row_comes_back_with_its_reason_and_remedy(
    offices: pd.DataFrame, gazetteer: Gazetteer
) -> None:
    rows = pd.DataFrame([row for row, _ in BAD_ROWS] + [{"postal_code": "1001"}], dtype=object)
    found = read_homes(rows, gazetteer, reference.load())
    assert found["fault"].tolist() == [fault for _, fault in BAD_ROWS] + [None]
    decided = decide(found, offices, policy(), on=TODAY)
    assert (decided["decision"].iloc[:-1] == "cannot decide").all()
    assert decided["remedy"].iloc[:-1].notna().all()
    assert decided["decision"].iloc[-1] == "not eligible"  # 01001 Agawam, Massachusetts
    assert decided["office_id"].iloc[-1] == "BOS"


def test_no_sentence_quotes_the_address(offices: pd.DataFrame, gazetteer: Gazetteer) -> None:
    rows = pd.DataFrame([row for row, _ in BAD_ROWS], dtype=object)
    told = decide(read_homes(rows, gazetteer, reference.load()), offices, policy(), on=TODAY)
    for (row, _), sentence in zip(BAD_ROWS, told["sentence"], strict=True):
        given = [v for k, v in row.items() if v and k in ("postal_code", "city", "street")]
        assert not [value for value in given if value in sentence]


def test_too_coarse_a_home_is_not_decided(offices: pd.DataFrame, gazetteer: Gazetteer) -> None:
    rows = pd.DataFrame([{"city": "Denver", "state": "CO"}, {"postal_code": "80202"}], dtype=object)
    found = read_homes(rows, gazetteer, reference.load())
    strict = policy(minimum_precision="postal")
    assert decide(found, offices, strict, on=TODAY)["decision"].tolist() == [
        "cannot decide", "eligible"
    ]  # fmt: skip


def test_the_home_goes_before_other_addresses_of_a_row() -> None:
    columns = ["Employee ID", "Work ZIP", "ZIP", "Home ZIP", "Home City", "Assigned Office", "Note"]
    assert map_home_headers(columns) == {
        "Home ZIP": "postal_code", "Home City": "city", "Employee ID": "person_id",
        "Assigned Office": "assigned_office_id",
    }  # fmt: skip


def test_no_homes_are_no_trouble(offices: pd.DataFrame) -> None:
    assert decide(homes([], []), offices, policy(), on=TODAY).empty


# --- honesty ------------------------------------------------------------------------------------


def test_confident_verdicts_by_zip_code_alone_are_nearly_always_right(
    offices: pd.DataFrame, gazetteer: Gazetteer, shared: Path
) -> None:
    table = pd.read_csv(shared / "universities_ipeds_hd2020.csv", dtype=str, encoding="utf-8-sig")
    rows = pd.DataFrame({"postal_code": table["ZIP"], "state": table["STABBR"]}).astype(object)
    by_zip = decide(read_homes(rows, gazetteer, reference.load()), offices, policy(), on=TODAY)
    true = decide(
        homes(table["LONGITUD"].astype(float), table["LATITUDE"].astype(float).to_numpy()),
        offices, policy(), on=TODAY,
    )  # fmt: skip
    confident = by_zip["decision"].isin(["eligible", "not eligible"])
    wrong = confident & (by_zip["decision"] != true["decision"])
    assert wrong.sum() / confident.sum() < 0.002
    near = confident & true["distance_m"].between(25 * METRES_PER_MILE, 75 * METRES_PER_MILE)
    assert near.sum() > 500
    assert (wrong & near).sum() / near.sum() < 0.005  # where it is at stake
    assert (by_zip["decision"] == "needs review").mean() < 0.04
