"""A query string is read whole, written back the same, and refused with every fault named."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from territory.errors import InputError
from territory.prospects import Near
from territory.prospects.fields import COLOURS, FLAGS, ORDERS, RANGE_FILTERS
from territory.schemas import STATUSES
from webmap.prospects.query_string import (
    DRAWS,
    NEAREST,
    SIZES,
    UNKNOWN,
    ListRequest,
    ListScope,
    read,
    read_box,
    read_scope,
)

RANGED = [field.name for field in RANGE_FILTERS]
TODAY = dt.date(2026, 11, 23)
numbers = st.one_of(st.none(), st.integers(-1000, 10**7).map(float))
asked = st.builds(
    ListRequest,
    text=st.sampled_from(("", "acme", "são paulo")),
    choices=st.lists(st.sampled_from(STATUSES), unique=True).map(
        lambda values: (("status", tuple(values)),) if values else ()
    ),
    ranges=st.dictionaries(st.sampled_from(RANGED), st.tuples(numbers, numbers)).map(
        lambda held: tuple(
            (name, *held[name]) for name in RANGED if name in held and held[name] != (None, None)
        )
    ),
    flags=st.dictionaries(st.sampled_from(FLAGS), st.booleans()).map(
        lambda held: tuple((name, held[name]) for name in FLAGS if name in held)
    ),
    whitespace=st.booleans(),
    stale_days=st.one_of(st.none(), st.integers(1, 400)),
    near=st.one_of(st.none(), st.tuples(*[st.integers(1, 80).map(float)] * 3)),
    sort=st.sampled_from([sign + name for name in (*ORDERS, NEAREST) for sign in ("", "-")]),
    page=st.integers(1, 99),
    colour=st.sampled_from(COLOURS),
    size=st.sampled_from(SIZES),
    draw=st.sampled_from(DRAWS),
).filter(lambda one: one.near is not None or one.sort.removeprefix("-") != NEAREST)


@given(asked)
def test_what_is_written_is_read_back(one: ListRequest) -> None:
    assert read(MultiDict(one.query())) == one


@given(asked)
def test_what_narrows_can_be_taken_away(one: ListRequest) -> None:
    left = one
    for name in one.active:
        left = left.without(name)
    assert left.active == ()
    sort = "score" if one.sort.removeprefix("-") == NEAREST else one.sort
    assert left == ListRequest(
        sort=sort, page=left.page, colour=one.colour, size=one.size, draw=one.draw
    )


def test_an_address_becomes_criteria() -> None:
    one = read(
        MultiDict(
            [
                ("q", "  acme   corp "), ("status", "customer"), ("industry", UNKNOWN),
                ("rep", "ana"), ("employees", "100.."), ("has_contacts", "0"), ("stale", "90"),
                ("near", "-87.6,41.9,25"),
            ]
        )
    )  # fmt: skip
    filters = one.filters(TODAY, ListScope("m1"))
    assert filters.text == "acme corp"
    assert dict(filters.choices) == {
        "status": ("customer",),
        "industry": (None,),
        "rep_id": ("ana",),
        "market_id": ("m1",),
    }
    assert filters.ranges == (("employees", 100.0, None),)
    assert filters.flags == (("has_contacts", False),)
    assert filters.idle_since == "2026-08-25"
    assert filters.near == Near(-87.6, 41.9, 25 * 1609.344)


def test_a_form_says_ranges_and_places_in_its_own_way() -> None:
    form = MultiDict(
        [
            ("employees_from", "100"), ("employees_to", ""), ("revenue_to", "5e6"), ("miles", ".."),
            ("near", "-87.6,41.9"), ("within", "10"), ("has_contacts", "0"), ("has_contacts", "1"),
            ("is_multi_site", "1"), ("colour", ""),
        ]
    )  # fmt: skip
    one = read(form)
    assert one.ranges == (("employees", 100.0, None), ("revenue", None, 5e6))
    assert one.near == (-87.6, 41.9, 10.0)
    assert one.flags == (("is_multi_site", True),)
    assert read(MultiDict(one.query())) == one
    assert read(MultiDict({"near": "-87.6,41.9"})).near == (-87.6, 41.9, 25.0)


def test_the_nearest_stand_first_where_a_point_is_named_and_nothing_else_is_asked() -> None:
    near = {"near": "-87.6,41.9,25"}
    assert read(MultiDict(near)).sort == "near"
    assert read(MultiDict(near | {"sort": "score"})).sort == "score"
    assert read(MultiDict(near | {"sort": "-near"})).sort == "-near"
    assert read(MultiDict({"sort": "-near"})).sort == "score"
    assert read(MultiDict({})).sort == "score"


def test_a_list_is_of_one_market_of_none_or_of_all() -> None:
    assert read_scope(MultiDict({"market": "m1"})).filters.choices == (("market_id", ("m1",)),)
    assert read_scope(MultiDict({"outside": "1"})).filters.choices == (("market_id", (None,)),)
    assert read_scope(MultiDict()).filters.choices == ()


def test_everything_wrong_is_named_at_once() -> None:
    query = {
        "status": "gone", "employees": "many..", "miles": "5", "near": "1", "stale": "-1",
        "sort": "luck", "page": "0", "whitespace": "yes", "q": "x" * 201,
        "colour": "luck", "size": "luck", "draw": "luck",
    }  # fmt: skip
    with pytest.raises(InputError) as told:
        read(MultiDict(query))
    for name in query:
        assert f"{name}:" in str(told.value)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"bbox": "1,2,3", "zoom": "4"},
        {"bbox": "1,2,3,4", "zoom": "x"},
        {"bbox": "nan,2,3,4", "zoom": "4"},
        {"bbox": "1,2,3,inf", "zoom": "4"},
        {"bbox": "1,2,3,4", "zoom": "99"},
        {"bbox": "1,5,3,4", "zoom": "3"},
        {"bbox": "-180,-80,180,80", "zoom": "18"},
        {"bbox": "1,-80,1.001,80", "zoom": "18"},
    ],
)
def test_what_is_no_view_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InputError):
        read_box(MultiDict(query))
