"""Decisions that HR can stand behind: what is printed beside a verdict is about that verdict."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.eligibility.decision import (
    certificate,
    decide,
    make_record,
    measure,
    register_record,
    verify,
)
from territory.eligibility.desk import (
    check_home,
    decide_batch,
    place,
    read_offices,
    search_decisions,
    upload_files,
)
from territory.eligibility.desk import decide as deciding
from territory.eligibility.homes import read_typed_address
from territory.eligibility.rules import (
    DECISION_NAMES,
    ELIGIBLE,
    NOT_ELIGIBLE,
    Criterion,
    DecisionFilter,
)
from territory.errors import InputError
from territory.geodesy import OfficeIndex
from territory.store import open_store
from territory.units_of_length import METRES_PER_MILE
from tests.conftest import ROOT
from tests.fixtures.desk import check, desk_app, hr_of, look, send
from tests.fixtures.eligibility_drawn import DEMO, GEOD, TODAY, east, office, only, policy
from tests.fixtures.eligibility_stores import opened, point
from tests.fixtures.reading import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.eligibility.rules import EligibilityPolicy
    from tests.fixtures.eligibility_stores import Desk


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


# --- a certificate never contradicts its verdict --------------------------------------------------

LIMITS = {"mi": (5.0, 10.0, 25.0, 49.9, 50.0, 75.0, 100.0), "km": (8.0, 40.0, 80.0, 160.0)}
UNIT_M = {"mi": METRES_PER_MILE, "km": 1_000.0}


@st.composite
def criteria(draw: st.DrawFn) -> Criterion:
    unit = draw(st.sampled_from(list(LIMITS)))
    comparison = draw(st.sampled_from(["within", "less than", "more than", "at least"]))
    return Criterion(draw(st.sampled_from(LIMITS[unit])), unit=unit, comparison=comparison)


@st.composite
def homes_near_a_limit(draw: st.DrawFn) -> tuple[EligibilityPolicy, float, float]:
    """A rule, and a home so many meters east of the office, known to so many meters."""
    rule = policy(
        *draw(st.lists(criteria(), min_size=1, max_size=2)),
        review_band_m=draw(st.sampled_from([0.0, 500.0])),
    )
    limit_m = rule.any_of[0].limit * UNIT_M[rule.any_of[0].unit]
    off_m = draw(st.sampled_from([-0.001, 0.001, 1.0, -40.0, 40.0, 9_000.0, -9_000.0, 1e5]))
    uncertainty_m = draw(st.sampled_from([0.0, 5.0, 3_000.0, 60_000.0]))
    return rule, max(0.0, limit_m + off_m), uncertainty_m


def holds(low: float, high: float, criterion: Criterion) -> bool | None:
    """Whether what is printed, from ``low`` to ``high``, is on the side of the limit that holds."""
    if low == high == criterion.limit:
        return criterion.comparison in ("within", "at least")
    if high <= criterion.limit:
        return criterion.is_near
    return not criterion.is_near if low >= criterion.limit else None


def printed_ends(text: str, criterion: Criterion) -> tuple[float, float]:
    """Read the ends of a measure or class as a reader of the certificate does."""
    numbers = [float(number.replace(",", "")) for number in re.findall(r"[\d,]+(?:\.\d+)?", text)]
    if text.startswith(("over", "just over")):
        return numbers[0], np.inf
    if text.startswith("just under"):
        return 0.0, numbers[0]
    if len(numbers) == 1 and numbers[0] != criterion.limit:
        return numbers[0], numbers[0]
    return numbers[0], numbers[-1]


@given(homes_near_a_limit(), st.booleans())
@settings(deadline=None)
def test_a_certificate_never_contradicts_its_verdict(case, is_exact):
    rule, far_m, uncertainty_m = case
    here = office("here", -100.0, 40.0)
    home = east(here, far_m / METRES_PER_MILE, uncertainty_m=uncertainty_m)
    facts = measure(home, here, rule, on=TODAY)
    exact = make_record(
        facts, rule, on=TODAY, asked_by="hr", asked_at="2026-11-23T10:00:00Z", software="s",
        data_vintage="d",
    )  # fmt: skip
    record = exact if is_exact else register_record(exact, None)
    decision, page = record["decision"], certificate(record, is_exact=is_exact)
    lines = dict(page.lines)
    assert page.verdict == lines["Decision"] == DECISION_NAMES[decision["decision"]]
    assert page.sentence.startswith(f"{page.verdict}: ")
    assert (page.remedy is None) == (decision["decision"] in (ELIGIBLE, NOT_ELIGIBLE))
    if not decision["criterion"]:
        return
    criterion = rule.any_of[int(decision["criterion"]) - 1]
    printed = next(text for label, text in page.lines if label.startswith("Distance, "))
    if decision["decision"] in (ELIGIBLE, NOT_ELIGIBLE):
        is_inside = (decision["decision"] == ELIGIBLE) == criterion.is_near
        assert holds(*printed_ends(printed, criterion), criterion) is (
            decision["decision"] == ELIGIBLE
        )
        if not is_exact and "every limit" not in page.sentence:
            assert ("within" if is_inside else "beyond") in page.sentence
    elif not is_exact:
        assert printed.startswith("may be on either side of ")


# --- people without a reference, and references that are one person -------------------------------


@pytest.fixture
def here(tmp_path) -> Iterator[Desk]:
    with opened(tmp_path) as found:
        yield found


def test_people_without_a_reference_are_each_their_own(here):
    frame = pd.DataFrame([{**point(10), "person_id": None}] * 73, dtype=object)
    ids = deciding.decide(here.store, here.homes, frame, here.ask()).decision_ids
    alone = {here.decide(None, 10).decision_id for _ in range(2)}
    assert len(set(ids) | alone) == 75
    assert search_decisions(here.store)[1] == 75
    assert here.homes.size() == 0


def test_one_reference_in_several_spellings_is_one_person(here):
    here.decide("E-1042", 10)
    for spelling in ("e-1042", " E-1042 ", "\uff25-\uff11\uff10\uff14\uff12"):
        assert here.decide(spelling, 10).exact["asked"]["subject"] == "E-1042"
    assert search_decisions(here.store, DecisionFilter(subject="E-1042"))[1] >= 1
    assert search_decisions(here.store, DecisionFilter(subject_part="104"))[1] >= 1
    assert search_decisions(here.store, DecisionFilter(subject_part="9"))[1] == 0


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["E-1042,67654", "E-7,67654", "E-1042,69025"], "E-1042 has 2 homes (lines 2 and 4)"),
        (["E-1042,67654", "e-1042,67654"], "E-1042 and e-1042 (lines 2 and 3) are read as one"),
        (["E-1042,67654", "\uff25-1042,67654"], "are read as one person"),
    ],
)
def test_a_batch_tells_unclear_references_before_anything_is_decided(here, rows, says):
    source = here.folder / "homes.csv"
    source.write_text("\n".join(["employee_id,home_zip", *rows]), encoding="utf-8")
    with pytest.raises(InputError) as told:
        decide_batch(here.store, here.homes, source, here.folder / "out.csv", here.ask())
    assert says in str(told.value)
    assert search_decisions(here.store)[1] == here.homes.size() == 0
    upload = upload_files.keep(here.folder / "files", source, name="homes.csv", by="hr",
                               at="2026-11-23T10:00:00Z")  # fmt: skip
    assert says in str(upload_files.preview(upload).problem)


# --- trying an address is not a decision ----------------------------------------------------------


def test_a_check_answers_as_the_decision_would_and_keeps_nothing(here):
    home = {**point(10), "person_id": "E-1"}
    checked = check_home(here.store, here.homes, home, here.ask())
    assert search_decisions(here.store)[1] == here.homes.size() == 0
    assert here.decide("E-1", 10).verdict == checked.verdict


def test_the_page_records_on_the_button_alone(tmp_path):
    app = desk_app(tmp_path)
    hr = hr_of(app)
    assert "Record decision" in look(hr, "67654", "E-1").text
    with open_store(app.config["TERRITORY"].store_url) as store:
        assert search_decisions(store)[1] == 0
        other = send(hr, "/hr", home="67654", person_id="E-1", record="not eligible by rule 1")
        assert other.status_code == 409
        assert search_decisions(store)[1] == 0
        assert "E-2026-000001" in check(hr, "67654", "E-1").text
        assert search_decisions(store)[1] == 1


# --- a pin is known to what its map shows ---------------------------------------------------------


def test_a_pin_carries_its_pixel_into_page_and_record(tmp_path):
    app = desk_app(tmp_path)
    hr, home = hr_of(app), point(49.9)
    typed = f"{home['lat']}, {home['lon']}"
    assert "Too close to call" in Page(look(hr, typed, "E-1", pin_m="2500")).text
    recorded = check(hr, typed, "E-1", pin_m="2500")
    assert "Home known to" in Page(recorded).text
    assert "1.6 miles" in Page(recorded).text
    assert "Eligible" in Page(look(hr, typed, "E-1", pin_m="100")).text


def test_a_pin_on_a_map_that_shows_too_much_is_refused_with_the_remedy(tmp_path):
    hr, home = hr_of(desk_app(tmp_path)), point(10)
    answer = look(hr, f"{home['lat']}, {home['lon']}", "E-1", pin_m="20000")
    assert answer.status_code == 400
    assert "Zoom in to the street of the home" in answer.text
