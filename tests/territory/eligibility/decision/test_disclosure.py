"""What leaves HR tells no distance and no small count, not even by subtraction."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.eligibility.decision import decide, distance_classes, plain_reasons, suppress
from territory.eligibility.decision.disclosure import NARROWEST, class_bounds
from territory.eligibility.desk import GAINS, LOSES, OPEN, OUTCOMES, STAYS_IN, STAYS_OUT
from territory.eligibility.desk.planning import outcomes, planned, sum_up
from territory.eligibility.rules import Criterion, GrantedException
from territory.eligibility.rules.policy import Grandfathering
from territory.errors import InputError
from territory.units_of_length import METRES_PER_MILE
from tests.fixtures.eligibility_drawn import TODAY, east, homes, office, only, policy

CELL = 5


@given(
    st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 30), min_size=1),
    st.integers(2, 12),
)
def test_no_hidden_count_can_be_had_from_what_is_shown(counts: dict[str, int], cell: int) -> None:
    shown = suppress(counts, cell)
    assert shown.keys() == counts.keys()
    hidden = [name for name, count in shown.items() if count is None]
    assert all(count is None or count == counts[name] for name, count in shown.items())
    assert not [count for count in shown.values() if count is not None and 0 < count < cell]
    total = sum(counts.values())
    if 0 < total < cell:
        assert len(hidden) == len(counts)
        return
    # The total is known: what is left for the hidden ones must not pin one of them down.
    left = total - sum(count for count in shown.values() if count is not None)
    if hidden:
        assert left >= cell
        assert len(hidden) > 1
        assert any(0 < counts[name] < cell for name in hidden)
    else:
        assert left == 0


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({"a": 40, "b": 3, "c": 20}, {"a": 40, "b": None, "c": None}),
        ({"a": 40, "b": 3, "c": 2}, {"a": 40, "b": None, "c": None}),
        ({"a": 40, "b": 3, "c": 1}, {"a": None, "b": None, "c": None}),
        ({"a": 40, "b": 0, "c": 20}, {"a": 40, "b": 0, "c": 20}),
        ({"a": 3, "b": 0}, {"a": None, "b": None}),
        ({"a": 0, "b": 0}, {"a": 0, "b": 0}),
    ],
)
def test_the_smallest_other_count_is_hidden_with_a_small_one(
    counts: dict[str, int], shown: dict[str, int | None]
) -> None:
    assert suppress(counts, CELL) == shown


def test_a_shown_count_never_falls_when_the_cell_size_grows() -> None:
    counts = {"a": 40, "b": 3, "c": 20, "d": 7}
    for low, high in itertools.pairwise(range(1, 60)):
        seen = [{n for n, c in suppress(counts, cell).items() if c is None} for cell in (low, high)]
        assert len(seen[0]) <= len(seen[1])


@given(
    st.floats(1, 500, allow_nan=False),
    st.sampled_from([("mi", "geodesic"), ("km", "geodesic"), ("min", "road_time")]),
)
def test_no_class_straddles_the_limit_and_none_beside_it_is_narrow(
    limit: float, kind: tuple[str, str]
) -> None:
    unit, method = kind
    bounds = class_bounds(Criterion(limit, unit=unit, method=method))
    assert limit in bounds
    assert list(bounds) == sorted(set(bounds))
    assert all(b - a >= NARROWEST[unit] for a, b in itertools.pairwise(bounds))


def test_a_distance_is_told_as_its_class_on_its_side_of_the_limit() -> None:
    here = office("here", -100.0, 40.0)
    home = pd.concat([east(here, miles) for miles in (0, 9, 49.9999, 50.0001, 99, 300)])
    rule = policy()
    found = distance_classes(decide(home, here, rule, on=TODAY), rule)
    assert found.tolist() == [
        "0 to 10 miles", "0 to 10 miles", "25 to 50 miles", "50 to 75 miles", "75 to 100 miles",
        "over 100 miles",
    ]  # fmt: skip


def test_exactly_at_the_limit_the_class_goes_with_the_verdict() -> None:
    told = pd.DataFrame({"criterion": [1], "distance_m": [50 * METRES_PER_MILE],
                         "duration_s": [np.nan]})  # fmt: skip
    for comparison, text in (
        ("within", "25 to 50 miles"), ("more than", "25 to 50 miles"),
        ("less than", "50 to 75 miles"), ("at least", "50 to 75 miles"),
    ):  # fmt: skip
        rule = policy(Criterion(50.0, comparison=comparison))
        assert distance_classes(told, rule).tolist() == [text]


def test_no_reason_that_leaves_hr_holds_a_distance_or_why_somebody_is_excepted() -> None:
    here = office("here", -100.0, 40.0)
    granted = GrantedException("E-1", "chemotherapy", "J. Doe", "2026-01-01", "2027-01-01")
    rule = policy(
        Criterion(50.0), Criterion(30.5, method="road_distance"), review_band_m=500.0,
        exceptions=(granted,), grandfathering=Grandfathering("2010-01-01"),
    )  # fmt: skip
    home = pd.concat(
        [
            east(here, 31.27), east(here, 90.31, person_id="E-1"), east(here, 91.47),
            east(here, 49.83), east(here, 49.0, uncertainty_m=5_000.0),
            east(here, 92.61, eligible_since="2001-01-01"), homes(np.nan, np.nan),
        ],
        ignore_index=True,
    )  # fmt: skip
    decisions = decide(home, here, rule, on=TODAY)
    told = plain_reasons(decisions, rule)
    assert told.tolist() == [
        "Eligible: within the 50-mile limit of Here.",
        "Eligible: by an exception.",
        "Not eligible: on the wrong side of every limit of the policy; the nearest is Here.",
        "Too close to call: the home may be on either side of the 50-mile limit of Here.",
        "Too close to call: the home may be on either side of the 50-mile limit of Here.",
        "Eligible: an earlier decision stands.",
        "Cannot decide: no location of the home is known.",
    ]
    numbers = {text for each in told for text in re.findall(r"\d+(?:\.\d+)?", each)}
    assert numbers <= {"50"}  # the limit, and nothing that was measured
    assert all(row.split(":")[0] == word.split(":")[0]
               for row, word in zip(told, decisions["sentence"], strict=True))  # fmt: skip


def test_a_relocation_rule_says_beyond_where_it_is_eligible() -> None:
    here = office("here", -100.0, 40.0)
    rule = policy(Criterion(50.0, comparison="more than"))
    told = [plain_reasons(decide(east(here, m), here, rule, on=TODAY), rule).iloc[0]
            for m in (60, 40)]  # fmt: skip
    assert told == [
        "Eligible: beyond the 50-mile limit of Here.",
        "Not eligible: within the 50-mile limit of Here.",
    ]


# --- plans of offices ---------------------------------------------------------------------------


def _plan(miles: list[float], closing: tuple[str, ...], opening: pd.DataFrame | None = None,
          cell: int = 5):  # type: ignore[no-untyped-def]  # fmt: skip
    both = pd.concat([office("here", -100.0, 40.0), office("there", -94.0, 40.0)])
    home = pd.concat([east(both.iloc[[0]], m) for m in miles], ignore_index=True)
    rule = policy()
    after = planned(both.reset_index(drop=True), opening, closing, TODAY)
    told = outcomes(decide(home, both, rule, on=TODAY), decide(home, after, rule, on=TODAY))
    return sum_up(told, subjects=len(miles) + 3, minimum_cell=cell, policy="test 1")


def test_closing_and_opening_count_who_loses_and_who_gains() -> None:
    new = office("new", -99.0, 40.0)[["office_id", "name", "lon", "lat"]]
    miles = [*range(1, 13), *range(60, 70), *range(120, 150)]  # "new" is 53 miles east of "here"
    exact = _plan(miles, ("here",), new, cell=1)
    assert (exact.homes, exact.subjects) == (len(miles), len(miles) + 3)
    assert exact.counts == {GAINS: 10, LOSES: 3, STAYS_IN: 9, STAYS_OUT: 30, OPEN: 0}
    told = _plan(miles, ("here",), new)
    assert (told.homes, told.subjects) == (50, len(miles) + 3)  # 52, rounded down to fives
    assert told.counts == {GAINS: 10, LOSES: None, STAYS_IN: None, STAYS_OUT: 30, OPEN: 0}
    assert told.by_office[GAINS] == {"new": 10}
    # Few live so near the office that closes that the new one is too far; hidden with the next.
    assert all(count is None for count in told.by_office[LOSES].values())


def test_small_plans_are_not_told_at_all() -> None:
    told = _plan([1, 2, 3], ("here",))
    assert told.homes is None
    assert set(told.counts.values()) == {None}
    assert "some (not shown) lose it" in told.sentence


@given(
    st.lists(st.tuples(st.sampled_from(OUTCOMES), st.sampled_from("ABC")), max_size=60),
    st.integers(1, 9),
)
def test_parts_by_office_never_tell_a_hidden_sum(drawn: list[tuple[str, str]], cell: int) -> None:
    found = pd.DataFrame(drawn, columns=["outcome", "office_id"], dtype=object)
    told = sum_up(found, subjects=len(drawn), minimum_cell=cell, policy="p")
    for change in (GAINS, LOSES):
        parts = list(told.by_office[change].values())
        assert not [n for n in parts if n is not None and 0 < n < cell]
        if told.counts[change] is None:
            assert all(n is None for n in parts)
        elif None in parts:
            assert parts.count(None) > 1
            shown = sum(n for n in parts if n is not None)
            assert told.counts[change] - shown >= cell


def test_an_office_that_is_not_there_cannot_close_nor_one_that_is_open() -> None:
    here = office("here", -100.0, 40.0)
    with pytest.raises(InputError, match="'nowhere' to close"):
        planned(here, None, ["nowhere"], TODAY)
    with pytest.raises(InputError, match="'here' is there already"):
        planned(here, here, [], TODAY)
    with pytest.raises(InputError, match="minimum_cell"):
        _plan([1.0], (), cell=0)


def test_a_closing_office_stays_known_so_that_those_assigned_to_it_are_told() -> None:
    here = office("here", -100.0, 40.0)
    rule = policy(Criterion(50.0, offices="assigned"))
    home = east(here, 5, assigned_office_id="here")
    found = only(decide(home, planned(here, None, ["here"], TODAY), rule, on=TODAY))
    assert "not open" in found["sentence"]
