"""Each prospect has one owner, by the first rule that answers, and knows why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.plans import assignment
from territory.plans.assignment import RULE_FUNCTIONS, RuleContext
from territory.plans.explanation import ask_rules
from territory.policy import RULES, SEGMENTS, Policy
from territory.schemas import ANY_SEGMENT, ASSIGNMENTS, UNASSIGNED, check
from territory.units_of_length import METRES_PER_MILE

NAMES = {
    "rep_names": {"ann": "Ann Ash", "bob": "Bob Birch", "cy": "Cy Cedar"},
    "market_names": {"CHI": "Chicago", "DEN": "Denver"},
    "office_names": {"O1": "Loop"},
}
OWNERS = {"T1": "ann", "T2": "bob", "T3": "cy", "T4": None}


def territories(*rows: str) -> pd.DataFrame:
    """Make territories of lines such as "T1 CHI enterprise"."""
    split = [row.split() for row in rows]
    return pd.DataFrame(
        {
            "territory_id": [one for one, _, _ in split],
            "name": [f"{one} land" for one, _, _ in split],
            "rep_id": [OWNERS[one] for one, _, _ in split],
            "market_id": [market for _, market, _ in split],
            "segment": [segment for _, _, segment in split],
        },
        dtype=object,
    )


def named(**accounts: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"prospect_id": list(accounts), "territory_id": list(accounts.values())}, dtype=object
    )


def prospect(**told: object) -> dict[str, object]:
    return {
        "prospect_id": "p",
        "name": "Acme",
        "status": "prospect",
        "segment": "enterprise",
        "market_id": "CHI",
        "owner_rep_id": None,
        "nearest_office_id": "O1",
        "distance_m": 22.3 * METRES_PER_MILE,
        "verdict": "in",
        "locality": "Cook County, IL",
        "lon": -87.0,
        "lat": 41.0,
        "precision": "rooftop",
        "uncertainty_m": 0.0,
        **told,
    }


LAND = territories("T1 CHI enterprise", "T2 CHI mid_market", "T3 DEN any")
NOWHERE = {
    "lon": np.nan,
    "lat": np.nan,
    "precision": None,
    "uncertainty_m": np.nan,
    "market_id": None,
    "locality": None,
    "nearest_office_id": None,
    "distance_m": np.nan,
    "verdict": None,
}


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    whole = pd.DataFrame(list(rows))
    texts = [name for name in whole if name not in {"lon", "lat", "uncertainty_m", "distance_m"}]
    return (
        whole.astype(dict.fromkeys(texts, object))
        .where(whole.notna(), None)
        .astype(dict.fromkeys(["lon", "lat", "uncertainty_m", "distance_m"], float))
    )


def assign(
    *rows: dict[str, object],
    land: pd.DataFrame = LAND,
    accounts: pd.DataFrame | None = None,
    policy: Policy | None = None,
) -> pd.DataFrame:
    on_list = named() if accounts is None else accounts
    found = assignment.assign(frame(*rows), land, on_list, policy or Policy(), **NAMES)
    return check(found, ASSIGNMENTS, "assignments")


def decided(*rows: dict[str, object], **options: object) -> list[tuple[object, ...]]:
    found = assign(*rows, **options)  # type: ignore[arg-type]
    return list(found[["rule", "territory_id", "rep_id"]].itertuples(index=False, name=None))


def test_the_market_of_the_headquarters_and_the_segment_find_the_territory() -> None:
    found = assign(prospect())
    assert found[["rule", "territory_id", "rep_id"]].to_numpy().tolist() == [
        ["market_of_headquarters", "T1", "ann"]
    ]
    assert found["reason"][0] == (
        "Headquartered in the Chicago market (Cook County, IL), 22.3 mi from the Loop office. "
        "In this market, segment enterprise is covered by Ann Ash."
    )


def test_a_named_account_goes_before_customer_and_market() -> None:
    row = prospect(status="customer", owner_rep_id="bob")
    assert decided(row, accounts=named(p="T3")) == [("named_account", "T3", "cy")]
    assert assign(row, accounts=named(p="T3"))["reason"][0] == (
        "Named account of Cy Cedar, regardless of where it is headquartered."
    )


def test_a_customer_stays_with_its_rep_in_the_territory_that_fits_best() -> None:
    land = territories("T1 CHI enterprise", "T2 CHI any")
    land["rep_id"] = "ann"
    row = prospect(status="customer", owner_rep_id="ann", segment="small")
    assert decided(row, land=land) == [("retained_customer", "T2", "ann")]
    elsewhere = row | {"market_id": "DEN"}
    assert decided(elsewhere, land=land) == [("retained_customer", "T1", "ann")]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"status": "former", "owner_rep_id": "bob"}, "Not a customer today."),
        (
            {"status": "customer"},
            "A customer, but its record names no current owner.",
        ),
        (
            {"status": "customer", "owner_rep_id": "zed"},
            "A customer of zed, who has no territory in this plan.",
        ),
    ],
)
def test_who_is_no_retained_customer_is_told_why(told: dict[str, object], reason: str) -> None:
    answer = RULE_FUNCTIONS["retained_customer"](frame(prospect(**told)), ground())
    assert answer.territory_id.tolist() == [None]
    assert answer.reason.tolist() == [reason]


def test_the_very_segment_goes_before_any_and_then_the_smallest_id() -> None:
    land = territories("T3 CHI any", "T2 CHI enterprise", "T1 CHI any")
    small = prospect(prospect_id="q", segment="small")
    assert decided(prospect(), small, land=land) == [
        ("market_of_headquarters", "T2", "bob"),
        ("market_of_headquarters", "T1", "ann"),
    ]
    assert assign(prospect(), land=land)["reason"][0].endswith(
        "In this market, segment enterprise is covered by Bob Birch. "
        "Behind it, also covering the segment: T1, T3."
    )


def test_a_territory_without_a_rep_owns_but_says_that_nobody_works_it() -> None:
    land = territories("T4 CHI any")
    assert decided(prospect(), land=land) == [("market_of_headquarters", "T4", None)]
    assert (
        "covered by territory T4 land, which has no rep."
        in (assign(prospect(), land=land)["reason"][0])
    )


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (NOWHERE, "No location was found, so it is in no market."),
        (
            {"market_id": None},
            "Headquartered in no market (Cook County, IL), 22.3 mi from the Loop office.",
        ),
        (
            {"segment": "small"},
            (
                "Headquartered in the Chicago market (Cook County, IL), 22.3 mi from the Loop "
                "office. No territory covers segment small in this market."
            ),
        ),
        (
            {"segment": "mid_market", "market_id": "NEW", "locality": None},
            (
                "Headquartered in the NEW market, 22.3 mi from the Loop office. "
                "No territory covers segment mid-market in this market."
            ),
        ),
    ],
)
def test_who_stays_unassigned_is_told_why(told: dict[str, object], reason: str) -> None:
    found = assign(prospect(**told))
    assert found["rule"].tolist() == [UNASSIGNED]
    assert found[["territory_id", "rep_id"]].to_numpy().tolist() == [[None, None]]
    assert found["reason"].tolist() == [reason]


def test_a_coarse_location_says_how_far_it_is_known() -> None:
    coarse = prospect(precision="postal", uncertainty_m=3.4 * METRES_PER_MILE)
    assert (
        "Loop office. Its location is accurate to about 3.4 mi. In this market"
        in assign(coarse)["reason"][0]
    )


def test_a_distance_near_the_limit_never_reads_on_the_wrong_side() -> None:
    near = prospect(distance_m=49.96 * METRES_PER_MILE)
    beyond = prospect(prospect_id="q", distance_m=50.04 * METRES_PER_MILE)
    told = assign(near, beyond)["reason"]
    assert "49.96 mi from" in told[0]
    assert "50.04 mi from" in told[1]


def test_the_order_of_the_policy_decides_and_a_rule_left_out_never_answers() -> None:
    row = prospect(status="customer", owner_rep_id="bob")
    reverse = Policy(precedence=RULES[::-1])
    accounts = named(p="T3")
    assert decided(row, accounts=accounts, policy=reverse)[0][0] == "market_of_headquarters"
    only = Policy(precedence=("named_account",))
    assert decided(row, policy=only) == [(UNASSIGNED, None, None)]
    assert assign(row, policy=only)["reason"][0] == "Not on the list of named accounts."


def test_no_prospects_are_assigned_to_nobody() -> None:
    none = frame(prospect()).iloc[:0]
    found = assignment.assign(none, LAND, named(), Policy(), **NAMES)
    assert len(found) == 0
    assert list(found.columns) == list(ASSIGNMENTS.columns)


def test_without_any_territory_everybody_is_unassigned() -> None:
    assert decided(prospect(), land=LAND.iloc[:0]) == [(UNASSIGNED, None, None)]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "prospect_id": st.uuids().map(str),
            "status": st.sampled_from(["prospect", "customer", "former"]),
            "segment": st.sampled_from(SEGMENTS),
            "market_id": st.sampled_from(["CHI", "DEN", None]),
            "owner_rep_id": st.sampled_from(["ann", "bob", "zed", None]),
        }
    ),
    min_size=1,
    max_size=6,
)
LANDS = st.lists(
    st.tuples(
        st.sampled_from(list(OWNERS)),
        st.sampled_from(["CHI", "DEN"]),
        st.sampled_from([*SEGMENTS, ANY_SEGMENT]),
    ).map(" ".join),
    unique=True,
    max_size=8,
)


@settings(deadline=None, max_examples=20)
@given(rows=ROWS, lands=LANDS, data=st.data())
def test_everyone_comes_back_once_in_order_whatever_the_order_of_the_land(
    rows: list[dict[str, object]], lands: list[str], data: st.DataObject
) -> None:
    everyone = [prospect(**row) for row in rows]
    accounts = named(**{str(rows[0]["prospect_id"]): "T2"})
    found = assign(*everyone, land=territories(*lands), accounts=accounts)
    assert found["prospect_id"].tolist() == [row["prospect_id"] for row in rows]
    shuffled = data.draw(st.permutations(lands))
    again = assign(*everyone, land=territories(*shuffled), accounts=accounts)
    pd.testing.assert_frame_equal(found, again)


@settings(deadline=None, max_examples=20)
@given(rows=ROWS, lands=LANDS)
def test_the_steps_of_an_explanation_agree_with_the_assignment(
    rows: list[dict[str, object]], lands: list[str]
) -> None:
    land = territories(*lands)
    everyone = frame(*(prospect(**row) for row in rows))
    found = assignment.assign(everyone, land, named(), Policy(), **NAMES)
    for at, said in found.iterrows():
        steps = ask_rules(everyone.loc[[at]], ground(land))
        assert [step.rule for step in steps] == list(RULES)
        won = [step for step in steps if step.outcome == "won"]
        if said["rule"] == UNASSIGNED:
            assert not won
            assert steps[-1].reason == said["reason"]
        else:
            assert [(step.rule, step.reason) for step in won] == [(said["rule"], said["reason"])]
            after = steps[steps.index(won[0]) + 1 :]
            assert all(step.outcome == "not reached" for step in after)


def ground(land: pd.DataFrame = LAND) -> RuleContext:
    return RuleContext(land, named(), Policy(), **NAMES)


def test_a_rule_that_was_not_reached_says_whom_it_would_have_chosen() -> None:
    whole = replace(ground(), named_accounts=named(p="T3"))
    first, second, third = ask_rules(frame(prospect()), whole)
    assert (first.outcome, second.outcome, third.outcome) == ("won", "not reached", "not reached")
    assert second.reason == "Rule 1 decides. Not a customer today."
    assert third.reason.startswith("Rule 1 decides. Without it: Headquartered in the")


def test_every_rule_of_the_policy_has_its_function() -> None:
    assert tuple(RULE_FUNCTIONS) == RULES
