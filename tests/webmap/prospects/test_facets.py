"""Every number beside a filter is how many the list shows once that filter is chosen."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.promises.test_view_scope import BEFORE, asked, places
from tests.webmap.prospects.test_viewport import NAMES, TODAY
from webmap.prospects.facets import ListPage
from webmap.prospects.query_string import ListScope

if TYPE_CHECKING:
    from webmap.prospects.query_string import ListRequest

reaches = st.sampled_from((None, frozenset(("ana",)), frozenset(("ana", "bo"))))


def listed(one: ListRequest, place: ListScope, reps: frozenset[str] | None) -> ListPage:
    return ListPage(BEFORE, one, place, reps, NAMES, TODAY)


def with_one(entries: tuple, name: str, *value: object) -> tuple:
    """Choose one value of a filter in place of what was chosen of it."""
    return (*(entry for entry in entries if entry[0] != name), (name, *value))


@settings(deadline=None, max_examples=60)
@given(asked, places, reaches)
def test_the_number_beside_a_choice_is_what_it_shows(
    one: ListRequest, place: ListScope, reps: frozenset[str] | None
) -> None:
    here = listed(one, place, reps)

    def shown(**changes: object) -> int:
        return listed(dataclasses.replace(one, **changes), place, reps).selection.total

    for facet in here.facets():
        for option in (*facet.options, *facet.more):
            choices = with_one(one.choices, facet.name, (option.value,))
            assert shown(choices=choices) == option.count, (facet.name, option.value)
    for option in here.flags():
        flags = with_one(one.flags, option.name, option.value == "1")
        assert shown(flags=flags) == option.count, option
    for option in here.stale():
        assert shown(stale_days=int(option.value)) == option.count, option
    assert shown(whitespace=True) == here.parts()["whitespace"]
    if costliest := here.costliest():
        without = listed(one.without(costliest[0]), place, reps)
        assert without.selection.total == costliest[1]


@given(asked, reaches, st.booleans())
def test_round_a_point_the_list_goes_by_the_distance_it_shows(
    one: ListRequest, reps: frozenset[str] | None, is_turned: bool
) -> None:
    sort = "-near" if is_turned else "near"
    one = dataclasses.replace(one, near=(-90.0, 40.0, 900.0), sort=sort, page=1)
    here = listed(one, ListScope(), reps)
    miles = [row["near_mi"] for row in here.parts()["page_rows"]]
    assert miles == sorted(miles, reverse=is_turned)
    assert all(mile <= 900 for mile in miles)
    assert sorted(here.ids()) == sorted(
        listed(dataclasses.replace(one, sort="score"), ListScope(), reps).ids()
    )


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("aple", "Apple Inc."), ("apple cuppertino", "Apple Inc."), ("cuppertino", "Apple Inc."),
        ("wels farg", "Wells Fargo"), ("inte", "Intel"),
    ],
)  # fmt: skip
def test_a_slip_finds_all_the_same(client, typed: str, found: str) -> None:
    query = {"q": typed}
    page = client.get("/markets/M-BAY", query_string=query).get_data(as_text=True)
    assert f">{found}</a>" in page
    said = client.get("/suggest.json", query_string={"q": typed, "market": "M-BAY"}).get_json()
    assert found in [one["text"] for one in said["suggestions"] if one["kind"] == "name"]
    view = {"market": "M-BAY", "bbox": "-130,30,-110,45", "zoom": 6, "q": typed}
    assert found in client.get("/view.json", query_string=view).get_json()["points"]["name"]


def test_every_filter_of_the_issue_stands_on_the_page(client) -> None:
    page = client.get("/markets/M-BAY").get_data(as_text=True)
    for name in (
        "q", "status", "segment", "industry", "stage", "precision", "verdict", "whitespace",
        "stale", "has_contacts", "is_multi_site", "has_findings", "near", "within",
        "employees_from", "revenue_to", "pipeline_from", "miles_to", "score_from", "draw",
        "colour", "size",
    ):  # fmt: skip
        assert f'name="{name}"' in page, name
