"""A record of the register holds classes alone, and the decision follows from them."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.eligibility.decision import (
    exact_record,
    judge,
    make_record,
    measure,
    parse_record,
    record_text,
    register_record,
    verify,
)
from territory.eligibility.rules import Criterion, GrantedException
from territory.eligibility.rules.policy import Grandfathering
from tests.fixtures.eligibility_drawn import GEOD, TODAY, homes, office, policy

OFFICES = pd.concat([office("here", -100.0, 40.0), office("there", -98.0, 40.5)])


class Roads:
    name = "roads 1"

    def routes(self, lon: Any, lat: Any, x: Any, y: Any) -> Any:
        metres = GEOD.inv(lon, lat, x, y)[2] * 1.2
        return metres, metres / 20.0


CRITERIA = st.builds(
    Criterion,
    limit=st.sampled_from([10.0, 20.0, 48.0, 50.0, 90.0]),
    unit=st.sampled_from(["mi", "km"]),
    comparison=st.sampled_from(["within", "less than", "more than", "at least"]),
    method=st.sampled_from(["geodesic", "road_distance"]),
    offices=st.sampled_from(["any_open", "assigned"]),
    roles=st.sampled_from([(), ("sales",)]),
) | st.builds(
    Criterion, limit=st.sampled_from([30.0, 60.0]), unit=st.just("min"), method=st.just("road_time")
)
CASES = st.fixed_dictionaries(
    {
        "any_of": st.lists(CRITERIA, min_size=1, max_size=3),
        "miles": st.floats(0, 150),
        "azimuth": st.floats(0, 360),
        "uncertainty_m": st.sampled_from([0.0, 900.0, 30_000.0]),
        "band": st.sampled_from([0.0, 3_000.0, 40_000.0]),
        "role": st.sampled_from([None, "sales", "pilot"]),
        "assigned": st.sampled_from([None, "here", "gone"]),
        "fault": st.sampled_from([None, None, "po_box"]),
        "routing": st.sampled_from([None, Roads()]),
        "person": st.sampled_from(["E-1", "E-2", None]),
        "since": st.sampled_from([None, "2001-01-01"]),
    }
)


def made(case: dict[str, Any]) -> dict[str, Any]:
    """The exact record of a drawn home under a drawn policy."""
    lon, lat, _ = GEOD.fwd(-100.0, 40.0, case["azimuth"], case["miles"] * 1609.344)
    home = homes(lon, lat, case["uncertainty_m"]).assign(
        role=case["role"], assigned_office_id=case["assigned"], fault=case["fault"],
        person_id=case["person"], eligible_since=case["since"],
    )  # fmt: skip
    granted = (
        GrantedException("E-1", "hardship", "J. Doe", "2026-01-01", "2027-01-01"),
        GrantedException("E-2", "hardship", "J. Doe", "2025-01-01", "2026-01-01"),
    )
    rule = policy(
        *case["any_of"], review_band_m=case["band"], exceptions=granted,
        grandfathering=Grandfathering("2010-01-01"),
    )  # fmt: skip
    facts = measure(home, OFFICES, rule, on=TODAY, routing=case["routing"])
    return make_record(
        facts, rule, on=TODAY, subject=case["person"], circumstances={"role": case["role"]},
        asked_by="hr", asked_at="now", software="x", data_vintage="y",
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(case=CASES)
def test_every_decision_follows_from_its_classes_and_comes_back_exact(case: dict[str, Any]) -> None:
    exact = made(case)
    record = register_record(exact, "mark")
    assert verify(parse_record(record_text(record), "r.json")) == ()
    for name in ("decision", "basis", "remedy", "criterion", "office_id"):
        assert record["decision"][name] == exact["decision"][name]
    measured = {name: exact[name] for name in ("facts", "decision")}
    again = exact_record(record, measured)
    asked = dict(exact["asked"])
    assert again == {**exact, "asked": asked}
    assert verify(again) == ()


@settings(max_examples=200, deadline=None)
@given(case=CASES)
def test_no_number_of_a_register_record_is_a_measure(case: dict[str, Any]) -> None:
    exact = made(case)
    record = register_record(exact, None)
    told = json.dumps({name: record[name] for name in ("facts", "decision")})
    bounds = {"0", "2", "5", "8", "10", "15", "20", "25", "30", "40", "45", "48", "50", "60", "75",
              "80", "90", "100", "120", "160", "1", "3"}  # fmt: skip
    days = re.sub(r"\d{4}-\d{2}-\d{2}", "", told)
    assert set(re.findall(r"\d+(?:\.\d+)?", days)) <= bounds


CHANGES = [
    (("decision", "decision"), "not eligible", "decision.decision: recorded 'not eligible'"),
    (("decision", "distance_class"), "0 to 10 miles", "decision.distance_class"),
    (("decision", "office_id"), "there", "decision.office_id"),
    (("asked", "measures"), "other", "asked: was changed"),
    (("facts", "measures", 0, "class"), "50 to 75 miles", "facts.measures 1: 50 to 75 miles fails"),
    (("facts", "measures", 0, "outcome"), "fails", "facts.measures 1: 25 to 50 miles holds"),
    (("policy", "rule", "any_of", 0, "limit"), 75.0, "policy.digest"),
]


@pytest.mark.parametrize(("path", "value", "named"), CHANGES, ids=lambda v: str(v)[:40])
def test_what_was_tampered_with_is_named(path: tuple[Any, ...], value: Any, named: str) -> None:
    lon, lat, _ = GEOD.fwd(-100.0, 40.0, 30, 50_000)
    rule = policy(Criterion(50.0))
    facts = measure(homes(lon, lat), office("here", -100.0, 40.0), rule, on=TODAY)
    assert judge(facts, rule)["decision"].tolist() == ["eligible"]
    exact = make_record(facts, rule, on=TODAY, asked_by="hr", asked_at="now", software="x",
                        data_vintage="y")  # fmt: skip
    record = register_record(exact, None)
    part = record
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    told = verify(record)
    assert any(each.startswith(named) for each in told), told


def test_two_homes_in_the_same_classes_leave_the_same_record() -> None:
    rule = policy(Criterion(50.0), Criterion(90.0, method="road_distance"))
    records = []
    for miles, uncertainty_m in ((26.0, 0.0), (49.0, 0.0)):
        lon, lat, _ = GEOD.fwd(-100.0, 40.0, 200 + miles, miles * 1609.344)
        home = homes(lon, lat, uncertainty_m)
        facts = measure(home, office("here", -100.0, 40.0), rule, on=TODAY)
        exact = make_record(facts, rule, on=TODAY, asked_by="hr", asked_at="now", software="x",
                            data_vintage="y")  # fmt: skip
        records.append(record_text(register_record(exact, None)))
    assert records[0] == records[1]
