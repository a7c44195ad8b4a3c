"""Decisions that HR can stand behind: what is printed beside a verdict is about that verdict."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from territory import reference
from territory.eligibility.decision import decide, make_record, measure, verify
from territory.eligibility.desk import place, read_offices
from territory.eligibility.homes import read_typed_address
from territory.eligibility.rules import Criterion
from territory.geodesy import OfficeIndex
from territory.units_of_length import METRES_PER_MILE
from tests.conftest import ROOT
from tests.fixtures.eligibility_drawn import DEMO, GEOD, TODAY, east, office, only, policy


class CrowFlies:
    """A router that answers with the straight line, so that the office asked for shows."""

    name = "crow"

    def routes(self, lon, lat, office_lon, office_lat):
        metres = np.asarray(GEOD.inv(lon, lat, office_lon, office_lat)[2], float)
        return metres, metres / 20.0


# --- the way by road is that to the office which decides ------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_way_by_road_is_that_to_the_office_that_decides(order):
    near, far = office("near", -105.0, 39.7), office("far", -92.0, 39.7)
    offices = pd.concat([near, far], ignore_index=True)
    rules = (Criterion(20.0, offices="assigned"), Criterion(50.0))
    home = east(near, 10.6, assigned_office_id="far")
    row = only(
        decide(home, offices, policy(*(rules[at] for at in order)), on=TODAY, routing=CrowFlies())
    )
    assert (row["decision"], row["office_id"]) == ("eligible", "near")
    assert row["road_distance_m"] == pytest.approx(10.6 * METRES_PER_MILE, rel=1e-6)


def test_no_way_by_road_stands_beside_a_decision_that_names_no_office():
    row = only(
        decide(
            east(office("a", -105.0, 39.7), 5, fault="po_box"),
            office("a", -105.0, 39.7),
            policy(),
            on=TODAY,
            routing=CrowFlies(),
        )
    )
    assert row["office_id"] is None
    assert np.isnan(row["road_distance_m"])


# --- "which cannot change the answer" holds for the whole area of a ZIP code or a city ------------

LIMITS = (50.0, 25.0, 100.0)
MOST_WRONG = 0.005  # of confident verdicts by ZIP code (scripts/bench/homes.py has them all)
SAMPLE = ROOT / "tests" / "fixtures" / "cases" / "home_addresses.csv"  # real addresses


@pytest.fixture(scope="module")
def offices() -> OfficeIndex:
    return OfficeIndex.from_frame(read_offices(DEMO))


def decided(rows: pd.DataFrame, limit: float) -> pd.DataFrame:
    homes = place(rows.astype(object))
    return decide(homes, read_offices(DEMO), policy(Criterion(limit)), on=TODAY)


def is_confident(decisions: pd.DataFrame) -> np.ndarray:
    return decisions["decision"].isin(("eligible", "not eligible")).to_numpy()


@pytest.mark.parametrize("limit", LIMITS)
def test_a_zip_code_is_certain_only_where_its_whole_stated_radius_is(limit, offices):
    table = reference.load().zip_codes
    table = table[table["has_area"]].reset_index(drop=True)
    found = decided(table[["zip_code"]].set_axis(["postal_code"], axis=1), limit)
    near = offices.nearest(*table[["lon", "lat"]].to_numpy().T, count=False, exact=True)
    room = np.abs(near.distance_m - limit * METRES_PER_MILE)
    sure = is_confident(found)
    assert sure.sum() > 25_000
    assert table["zip_code"][sure & (room < table["uncertainty_m"])].tolist() == []


@pytest.mark.parametrize("zip_code", ["03037", "12550", "55060"])
def test_a_zip_code_whose_radius_crosses_the_line_is_too_close_to_call(zip_code):
    row = reference.load().zip_codes.set_index("zip_code").loc[zip_code]
    x, y, _ = GEOD.fwd(
        row["lon"], row["lat"], 90, 50 * METRES_PER_MILE - 0.99 * row["uncertainty_m"]
    )
    homes = place(pd.DataFrame({"postal_code": [zip_code]}, dtype=object))
    found = only(decide(homes, office("a", x, y), policy(), on=TODAY))
    assert found["decision"] == "needs review"


def test_a_city_reaches_to_the_end_of_its_farthest_zip_code():
    table = reference.load().zip_codes
    mine = table[
        (table["city"] == "Saint Louis") & (table["state_code"] == "MO") & table["has_area"]
    ]
    home = place(pd.DataFrame([{"city": "Saint Louis", "state": "MO"}], dtype=object)).iloc[0]
    far = GEOD.inv(*np.broadcast_arrays(home["lon"], home["lat"], mine["lon"], mine["lat"]))[2]
    assert home["geocode_source"] == "ZIP codes of the city"
    assert home["uncertainty_m"] >= (far + mine["uncertainty_m"]).max() - 1


@pytest.mark.parametrize("limit", LIMITS)
def test_confident_verdicts_by_zip_code_are_right_about_where_people_live(limit, offices):
    sample = pd.read_csv(SAMPLE, dtype={"postal_code": str})
    found = decided(sample[["postal_code"]], limit)
    lon, lat = sample[["lon", "lat"]].to_numpy().T
    is_in = offices.nearest(lon, lat, count=False, exact=True).distance_m <= limit * METRES_PER_MILE
    sure = is_confident(found)
    wrong = sure & ((found["decision"] == "eligible").to_numpy() != is_in)
    by_people = (sample["drawn"] == "people").to_numpy()
    assert by_people.sum() == 3_000
    assert (wrong & by_people).sum() / (sure & by_people).sum() < MOST_WRONG
    # Inside the radius that the table states there is not one.
    points = reference.load().zip_codes.set_index("zip_code").reindex(sample["postal_code"])
    apart = GEOD.inv(points["lon"], points["lat"], lon, lat)[2]
    assert sample["postal_code"][wrong & (apart <= points["uncertainty_m"].to_numpy())].empty


# --- reasons are true ones ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("Hauptstraße 5, Frankfurt", "the city is most likely one outside the United States"),
        ("Hauptstraße 5, 60311 Frankfurt", "streets are not looked up here"),
        ("Hauptstraße 5, Frankfurt, Germany", "an address outside the United States"),
        ("1200 17th St", "neither a ZIP code nor a city could be read"),
        ("1200 17th St, Xyzzy, CO", "no city of that name is known in that state"),
        ("Xyzzy", "no city of that name is known here"),
        ("Springfield", "several places bear the name of the city"),
        ("Toronto, ON", "an address outside the United States"),
        ("Germany", "an address outside the United States"),
        ("CO", "neither a ZIP code nor a city could be read"),
        ("2110", "the ZIP code does not have five digits"),
        ("-105, 39.75", "latitude and longitude look swapped"),
        ("200, 300", "the coordinates are not on the globe"),
        ("PO Box 12", "a PO box is not a home address"),
        ("--", "no address was given"),
    ],
)
def test_every_reason_is_true_of_what_was_typed(typed, reason):
    home = place(pd.DataFrame([read_typed_address(typed) or {"city": typed}], dtype=object))
    found = only(decide(home, read_offices(DEMO), policy(), on=TODAY))
    assert found["decision"] == "cannot decide"
    assert reason in found["sentence"]
    assert found["remedy"]


def test_a_record_in_the_words_of_an_earlier_version_still_verifies():
    row = pd.DataFrame([{"postal_code": "67654", "street": "PO Box 12"}], dtype=object)
    a = office("a", -100.0, 40.0)
    record = make_record(measure(place(row), a, policy(), on=TODAY), policy(), on=TODAY,
                         asked_by="hr", asked_at="2026-11-23T10:00:00Z", software="territory 0",
                         data_vintage="zip_codes 1")  # fmt: skip
    former = json.loads(json.dumps(record))
    former["decision"]["sentence"] = "Cannot decide: a post box is not where anybody lives."
    assert [
        text for text in verify(former) if not text.startswith(("decision: was", "all: was"))
    ] == []
    former["decision"]["sentence"] = "Cannot decide: a post box is fine."
    assert [text for text in verify(former) if text.startswith("decision.sentence")]
