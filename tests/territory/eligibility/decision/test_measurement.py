"""Eligibility is right at the line, honest about what is not known, and says so plainly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from territory import reference
from territory.eligibility.decision import decide
from territory.eligibility.homes import map_home_headers, read_homes
from territory.eligibility.rules import Criterion, measure_text
from territory.files import read_table
from territory.geocoding import Gazetteer
from territory.imports import read_rows
from territory.units_of_length import METRES_PER_MILE
from tests.fixtures.eligibility_drawn import DEMO, GEOD, TODAY, east, homes, office, only, policy

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_M = 50 * METRES_PER_MILE
OFFSETS_M = (-1.0, -1e-3, 0.0, 1e-3, 1.0)


@pytest.fixture(scope="module")
def offices() -> pd.DataFrame:
    return read_rows("offices", read_table(DEMO)).rows


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(reference.load())


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
    assert measure_text(miles * METRES_PER_MILE, Criterion(50.0)) == text


def test_exactly_at_the_limit_counts_under_within_and_not_under_less_than() -> None:
    here = office("here", 0.0, 0.0)
    lon = np.linspace(0.5, 0.9, 50)
    metres = GEOD.inv(np.zeros(50), np.zeros(50), lon, np.zeros(50))[2]
    at = np.flatnonzero(metres / 1000 * 1000 == metres)[0]  # a limit in km that is just that far
    for comparison, decision in (
        ("within", "eligible"), ("less than", "not eligible"),
        ("at least", "eligible"), ("more than", "not eligible"),
    ):  # fmt: skip
        rule = policy(Criterion(metres[at] / 1000, unit="km", comparison=comparison))
        found = only(decide(homes(lon[at], 0.0), here, rule, on=TODAY))
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
    ({"city": "Xyzzy", "state": "CO"}, "city_not_found"),
    ({"lat": "40.7", "lon": "-74", "postal_code": "80202", "state": "CO"}, "contradiction"),
    ({"postal_code": "80202", "home_since": "last week"}, "unreadable_day"),
    ({"city": "El Paso", "state": "TX", "postal_code": "77002"}, "city_disagrees"),
]


def test_every_bad_row_comes_back_with_its_reason_and_remedy(
    offices: pd.DataFrame, gazetteer: Gazetteer
) -> None:
    rows = pd.DataFrame([row for row, _ in BAD_ROWS] + [{"postal_code": "1001"}], dtype=object)
    found = read_homes(rows, gazetteer)
    assert found["fault"].tolist() == [fault for _, fault in BAD_ROWS] + [None]
    decided = decide(found, offices, policy(), on=TODAY)
    assert (decided["decision"].iloc[:-1] == "cannot decide").all()
    assert decided["remedy"].iloc[:-1].notna().all()
    assert decided["decision"].iloc[-1] == "not eligible"  # 01001 Agawam, Massachusetts
    assert decided["office_id"].iloc[-1] == "BOS"


def test_no_sentence_quotes_the_address(offices: pd.DataFrame, gazetteer: Gazetteer) -> None:
    rows = pd.DataFrame([row for row, _ in BAD_ROWS], dtype=object)
    told = decide(read_homes(rows, gazetteer), offices, policy(), on=TODAY)
    for (row, _), sentence in zip(BAD_ROWS, told["sentence"], strict=True):
        given = [v for k, v in row.items() if v and k in ("postal_code", "city", "street")]
        assert not [value for value in given if value in sentence]


def test_too_coarse_a_home_is_not_decided(offices: pd.DataFrame, gazetteer: Gazetteer) -> None:
    rows = pd.DataFrame([{"city": "Denver", "state": "CO"}, {"postal_code": "80202"}], dtype=object)
    found = read_homes(rows, gazetteer)
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
    by_zip = decide(read_homes(rows, gazetteer), offices, policy(), on=TODAY)
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
