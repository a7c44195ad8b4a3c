"""Nothing that others own changes what a rep is told: the same company with all else changed."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reports
from territory.access import Scope
from territory.prospects import ProspectIndex, snapshot
from territory.prospects.fields import CHOICE_FILTERS, COLOURS
from territory.store import open_store
from tests.fixtures.snapshots import draw
from tests.fixtures.web import REP_A, REP_B
from tests.webmap.prospects.test_viewport import NAMES, TODAY, boxes
from webmap.prospects import map_data
from webmap.prospects.facets import ListPage
from webmap.prospects.query_string import DRAWS, SIZES, ListRequest, ListScope

if TYPE_CHECKING:
    from webmap.prospects.viewport import Box

MINE = frozenset(("ana",))
FRAME = draw(3000, seed=5)


def changed(frame: pd.DataFrame) -> pd.DataFrame:
    """Change every row that is not Ana's in every cell, and add others."""
    rng = np.random.default_rng(1)
    is_mine = (frame["rep_id"] == "ana").to_numpy()
    others = draw(int((~is_mine).sum()) + 700, seed=77)
    others["prospect_id"] = [f"other-{n}" for n in range(len(others))]
    others["rep_id"] = np.where(rng.random(len(others)) < 0.5, "bo", None)
    for name in ("name", "city", "industry", "stage", "state"):
        others[name] = [f"zq{name}{n % 7}" for n in range(len(others))]
    others["lon"] = (
        frame.loc[is_mine, "lon"].sample(len(others), replace=True, random_state=1).to_numpy()
    )
    others["employees"] = 10_000_000.0
    return pd.concat([frame[is_mine], others], ignore_index=True)


BEFORE, AFTER = (ProspectIndex(snapshot.build(one, "x")) for one in (FRAME, changed(FRAME)))
values = {
    "status": ("customer", "none"), "segment": ("small", "enterprise"),
    "industry": ("Steel", "zqindustry1"), "stage": ("proposal", "none", "zqstage1"),
    "precision": ("postal",), "rep": ("bo", "ana", "none"),
    "office": ("o1",), "state": ("IL", "zqstate1"), "verdict": ("in",), "placement": ("placed",),
}  # fmt: skip
assert set(values) == {field.name for field in CHOICE_FILTERS}
asked = st.builds(
    ListRequest,
    text=st.sampled_from(("", "acme", "umbrela", "zqname1", "zqn", "chi", "glbex sao")),
    choices=st.dictionaries(
        st.sampled_from([field.name for field in CHOICE_FILTERS]), st.just(True), max_size=2
    ).flatmap(
        lambda held: st.tuples(
            *(
                st.lists(st.sampled_from(values[name]), min_size=1, unique=True).map(
                    lambda chosen, name=name: (name, tuple(chosen))
                )
                for name in held
            )
        )
    ),
    ranges=st.sampled_from(((), (("employees", 10.0, None),), (("miles", None, 30.0),))),
    flags=st.sampled_from(((), (("has_contacts", True),), (("has_findings", False),))),
    whitespace=st.booleans(),
    stale_days=st.sampled_from((None, 30, 200)),
    near=st.sampled_from((None, (-90.0, 40.0, 900.0))),
    sort=st.sampled_from(("score", "-name", "stale")),
    page=st.integers(1, 3),
    colour=st.sampled_from(COLOURS),
    size=st.sampled_from(SIZES),
    draw=st.sampled_from(DRAWS),
)
places = st.sampled_from((ListScope(), ListScope("m1"), ListScope(is_outside=True)))


def told(
    targets: ProspectIndex, one: ListRequest, box: Box, place: ListScope, chosen: str | None
) -> dict[str, Any]:
    """All that Ana is told: map, legend, suggestions, list, file, and the count of each choice."""
    list_page = ListPage(targets, one, place, MINE, NAMES, TODAY)
    return {
        "view": map_data.map_document(list_page, box, chosen),
        "suggestions": map_data.suggestions(list_page),
        "list": list_page.parts(),
        "file": list_page.ids(),
        "offices": list_page.offices_near(),
        "holds": chosen is not None and list_page.holds(chosen),
    }


def in_order(answer: dict[str, Any]) -> dict[str, Any]:
    """Put the points by id: the same point may be passed in another order among others' rows."""
    points = answer["view"]["points"]
    order = np.argsort(points["id"])
    for name, column in points.items():
        if isinstance(column, dict):
            column = [column["values"][code] for code in column["of"]]
        points[name] = [column[at] for at in order] if column else column
    return answer


@settings(deadline=None, max_examples=100)
@given(boxes, asked, places, st.sampled_from((None, "p1", "p2", "p3", "other-1")))
def test_what_others_own_changes_no_answer_to_any_question(
    box: Box, one: ListRequest, place: ListScope, chosen: str | None
) -> None:
    if 2**box.zoom * (box.east - box.west) > 4000:
        return
    before, after = (in_order(told(t, one, box, place, chosen)) for t in (BEFORE, AFTER))
    for name in before:
        assert before[name] == after[name], name
    assert "zq" not in json.dumps(after["view"] | {"said": after["suggestions"]})
    own = set(FRAME.loc[FRAME["rep_id"] == "ana", "prospect_id"])
    assert own >= {*after["file"], *after["view"]["points"]["id"]}


@pytest.fixture(scope="module")
def everyone(doors) -> pd.DataFrame:
    with open_store(doors.config["TERRITORY"].store_url) as store:
        return reports.EXPORTS["prospects"](store, scope=Scope.everything())


QUERIES = (
    "", f"rep={REP_B}", f"rep={REP_A}&rep={REP_B}", "rep=none", "q=a", "whitespace=1", "stale=30",
    "colour=rep", "draw=density", "near=-87.63,41.88,3000", "colour=industry&size=pipeline",
    "sort=-employees", "has_contacts=1&precision=place", "q=zzzzz",
    "status=customer&segment=enterprise",
)  # fmt: skip
WORLD = "bbox=-179,-60,179,75&zoom=2"


def test_a_rep_is_answered_of_own_rows_alone_at_every_address(client_as, everyone) -> None:
    """Ask as rep A of every market, the own ones and the others'."""
    client = client_as("rep_a")
    own = set(everyone.loc[everyone["rep_id"] == REP_A, "prospect_id"])
    others = everyone[everyone["rep_id"] != REP_A]
    secret = others.loc[others["rep_id"] == REP_B, "prospect_id"].iloc[0]
    markets = sorted(everyone["market_id"].dropna().unique())
    counted = 0
    for place in ("", "outside=1", *(f"market={one}" for one in markets)):
        for query in QUERIES:
            for chosen in ("", f"&prospect={secret}"):
                answer = client.get(f"/view.json?{query}&{place}&{WORLD}{chosen}").get_json()
                assert set(answer["points"]["id"]) <= own
                assert answer["total"] <= len(own)
                drawn = answer["density"]["count"] if "density" in query else (
                    answer["clusters"]["count"] + [1] * answer["in_points"]
                )  # fmt: skip
                assert sum(drawn) == answer["placed"] <= answer["shown"] <= answer["total"]
                counted += 1
        for text in ("a", "an", "com", others["name"].iloc[0][:5], "chicago"):
            said = client.get(f"/suggest.json?q={text}&{place}").get_json()["suggestions"]
            names = set(everyone.loc[everyone["prospect_id"].isin(own), "name"])
            assert {one["text"] for one in said if one["kind"] == "name"} <= names
            assert all(one["count"] <= len(own) for one in said)
    assert counted == 2 * len(QUERIES) * (2 + len(markets))


def test_list_file_and_card_of_a_market_hold_own_rows_alone(client_as, everyone) -> None:
    client = client_as("rep_a")
    mine, theirs = (everyone[everyone["rep_id"] == one] for one in (REP_A, REP_B))
    shared = sorted(set(mine["market_id"].dropna()))
    for market_id in shared:
        for query in QUERIES:
            path = f"/markets/{market_id}"
            page = client.get(f"{path}?{query}").get_data(as_text=True)
            others = everyone[(everyone["market_id"] == market_id) & (everyone["rep_id"] != REP_A)]
            leaked = [one for one in others["prospect_id"] if f'data-id="{one}"' in page]
            assert not leaked
            file = client.get(f"{path}/prospects.csv?{query}").get_data(as_text=True)
            ids = {row["prospect_id"] for row in csv.DictReader(io.StringIO(file))}
            assert ids <= set(mine["prospect_id"])
    for one in theirs["prospect_id"].head(5):
        assert client.get(f"/markets/{shared[0]}?prospect={one}").status_code == 404
        assert client.get(f"/prospects/{one}").status_code == 404
