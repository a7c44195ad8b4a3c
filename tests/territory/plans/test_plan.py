"""A plan counts what it holds, knows its twin, and carries its policy; the money adds up."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from territory.accounts import pipeline, yearly_quotas
from territory.plans import plan
from territory.policy import GeocodingPolicy, Policy, RadiusPolicy, ScorePolicy, SegmentPolicy

POLICY = Policy(
    name="ours",
    version="3",
    precedence=("retained_customer", "named_account"),
    radius=RadiusPolicy(limit_m=0.1 + 0.2),
    segments=SegmentPolicy(enterprise_min_employees=7),
    geocoding=GeocodingPolicy(city_uncertainty_m=5.5),
    score=ScorePolicy(size=1 / 3),
)
SAID = pd.DataFrame(
    {
        "prospect_id": ["a", "b", "c", "d"],
        "market_id": ["M1", "M1", None, None],
        "rep_id": ["R1", "R2", "R1", None],
        "nearest_office_id": ["O1", "O1", "O1", None],
        "segment": ["enterprise", "mid_market", "enterprise", "unknown"],
        "status": ["customer", "prospect", "prospect", "customer"],
        "rule": ["named_account", "named_account", "named_account", "unassigned"],
        "verdict": ["in", "too_close_to_call", "out", None],
        "precision": ["rooftop", "postal", "place", None],
    },
    dtype=object,
)
NONE_FOUND = pd.DataFrame({"market_id": []}, dtype=object)


def test_a_policy_comes_back_from_its_record_to_the_last_bit() -> None:
    assert plan.read_policy_json(plan.policy_json(POLICY)) == POLICY


def test_a_setting_newer_than_the_record_has_its_default() -> None:
    told = json.loads(plan.policy_json(POLICY))
    del told["geocoding"], told["score"]
    del told["segments"]["mid_market_min_employees"]
    read = plan.read_policy_json(json.dumps(told))
    assert read.geocoding == GeocodingPolicy()
    assert read.score == ScorePolicy()
    assert read.segments == POLICY.segments


def test_the_totals_of_a_plan_add_up_to_its_prospects() -> None:
    counts = plan.totals(SAID, 0)
    assert counts == {
        "prospects": 4,
        "placed": 3,
        "unplaced": 1,
        "in_market": 2,
        "outside": 2,
        "enterprise": 2,
        "mid_market": 1,
        "customers": 2,
        "within_radius": 1,
        "too_close": 1,
        "beyond_radius": 1,
        "unassigned": 1,
        "findings": 0,
    }


@pytest.mark.parametrize("by", ["market_id", "rep_id", "nearest_office_id"])
def test_the_counts_of_each_group_sum_to_the_total(by: str) -> None:
    counted = plan.count(SAID, by)
    assert counted["prospects"].sum() == 4
    assert counted["customers"].sum() == 2
    assert counted[by].isna().sum() == 1


def test_markets_reps_and_offices_carry_their_counts_and_nobody_has_none() -> None:
    parts = {
        "markets": pd.DataFrame({"market_id": ["M2", "M1"]}),
        "reps": pd.DataFrame({"rep_id": ["R1", "R9"]}),
        "offices": pd.DataFrame({"office_id": ["O1"]}),
        "assignments": SAID,
        "findings": pd.DataFrame({"market_id": ["M1", None, "M1"]}),
    }
    counted = plan.with_counts(parts)
    assert counted["markets"]["prospects"].tolist() == [0, 2]
    assert counted["markets"]["findings"].tolist() == [0, 2]
    assert counted["reps"]["customers"].tolist() == [1, 0]
    assert counted["offices"]["within_radius"].tolist() == [1]
    assert "prospects" not in parts["markets"]


def test_the_digest_knows_a_plan_again_and_notices_any_change() -> None:
    digest = plan.digest(POLICY, {"assignments": SAID, "findings": NONE_FOUND})
    assert digest == plan.digest(POLICY, {"findings": NONE_FOUND, "assignments": SAID.copy()})
    other = SAID.copy()
    other.loc[3, "rule"] = "named_account"
    assert plan.digest(POLICY, {"assignments": other, "findings": NONE_FOUND}) != digest
    assert plan.digest(Policy(), {"assignments": SAID, "findings": NONE_FOUND}) != digest


def test_the_digest_tells_missing_from_empty_and_one_bit_from_none() -> None:
    def of(*values: object) -> str:
        return plan.digest(POLICY, {"x": pd.DataFrame({"y": pd.Series(values, dtype=object)})})

    assert len({of(None), of(""), of("None"), of("a", "b"), of("a\x1fb"), of()}) == 6
    assert of(0.3) != of(0.1 + 0.2)
    assert of(None) == of(np.nan)


def deals(*rows: tuple[object, ...]) -> pd.DataFrame:
    names = ["opportunity_id", "prospect_id", "stage", "amount_usd", "last_activity_on"]
    frame = pd.DataFrame(list(rows), columns=names)
    return frame.astype({"stage": object, "last_activity_on": object})


def test_open_deals_add_up_and_the_largest_names_the_stage() -> None:
    found = pipeline(
        deals(
            ("o1", "p1", "Proposal", 10.0, "2026-01-01"),
            ("o3", "p1", "Qualified", 30.0, None),
            ("o2", "p1", "Discovery", 30.0, "2026-02-01"),
            ("o4", "p1", "Closed won", 500.0, "2026-03-01"),
            ("o5", "p2", "closed lost", 5.0, None),
        )
    )
    assert found.to_dict("records") == [
        {
            "prospect_id": "p1",
            "stage": "Discovery",
            "pipeline_usd": 70.0,
            "last_activity_on": "2026-03-01",
        },
        {"prospect_id": "p2", "stage": None, "pipeline_usd": 0.0, "last_activity_on": None},
    ]


def test_an_open_deal_without_an_amount_still_has_a_stage() -> None:
    found = pipeline(deals(("o1", "p1", "Proposal", np.nan, None)))
    assert found[["stage", "pipeline_usd"]].to_numpy().tolist() == [["Proposal", 0.0]]


def test_no_deals_are_no_pipeline() -> None:
    assert pipeline(deals()).empty


def test_the_years_own_quota_goes_before_its_quarters_and_months() -> None:
    quotas = pd.DataFrame(
        [
            ("ann", "2026", 100.0),
            ("ann", "2026-Q1", 30.0),
            ("bob", "2026-Q1", 30.0),
            ("bob", "2026-Q2", 20.0),
            ("bob", "2026-01", 7.0),
            ("cy", "2026-01", 7.0),
            ("cy", "2026-12", 5.0),
            ("dee", "2025", 9.0),
        ],
        columns=["rep_id", "period", "amount_usd"],
    )
    assert yearly_quotas(quotas, "2026").to_dict() == {"ann": 100.0, "bob": 50.0, "cy": 12.0}
    assert yearly_quotas(quotas.iloc[:0], "2026").to_dict() == {}
