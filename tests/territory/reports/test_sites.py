"""Where the sites of a company lie, whom it belongs to, and what it does to a quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from territory.access import EVERYTHING, NOTHING, Reach, Scope
from territory.accounts import quota_effect
from territory.accounts.opportunities import QuotaEffect
from territory.plans import publish
from territory.reports import ELSEWHERE, HERE, NOWHERE, footprint
from territory.store import Store, open_store
from tests.fixtures.scoped_company import NOW, bring, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = Scope.everything()
ANN, BOB = (Reach(rep_ids=frozenset({one})) for one in ("zqann", "zqbob"))
SITES = """site_id,prospect_id,name,lat,lon,postal_code
a-loop,zqann-1,Loop,41.88,-87.63,
b-denver,zqann-1,Denver,39.74,-104.99,
c-boise,zqann-1,Boise,43.61,-116.2,
d-lost,zqann-1,Lost,,,
e-listed,zqann-1,Listed,43.61,-116.2,83702
f-off-the-list,zqann-1,Off the list,43.61,-116.2,83703
"""
DEALS = """opportunity_id,prospect_id,name,stage,amount_usd,close_on
w1,zqann-1,signed,Closed Won,300,2026-03-01
w2,zqann-2,signed,closed - won,100,2026-12-31
w3,zqann-2,last year,Closed won,9000,2025-12-31
w4,zqann-2,no day,Closed won,9000,
w5,zqann-2,gone,Closed lost,9000,2026-05-05
w6,zqbob-1,of another,Closed won,9000,2026-05-05
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("footprint")
    with open_store(str(folder / "company.sqlite")) as store:
        found(store, folder)
        bring(store, folder, "markets", "market_id,name,kind,units\nBOI,Boise,zip_code,83702\n")
        bring(store, folder, "sites", SITES)
        bring(store, folder, "opportunities", DEALS)
        publish.assign(store, published_by="me", now=NOW)
        yield store


def test_each_site_is_said_to_lie_here_in_another_market_or_in_none(company: Store) -> None:
    seen = footprint(company, "zqann-1", scope=ALL)
    told = seen.sites.set_index("site_id")[["lies", "market_name"]].to_dict("index")
    assert told == {
        "a-loop": {"lies": HERE, "market_name": "Chicago"},
        "b-denver": {"lies": ELSEWHERE, "market_name": "Denver"},
        "c-boise": {"lies": NOWHERE, "market_name": None},
        "d-lost": {"lies": None, "market_name": None},
        "e-listed": {"lies": ELSEWHERE, "market_name": "Boise"},
        "f-off-the-list": {"lies": NOWHERE, "market_name": None},
        "site-zqann-1": {"lies": ELSEWHERE, "market_name": "Denver"},
    }
    assert (seen.located, seen.count(ELSEWHERE), seen.count(NOWHERE)) == (6, 3, 2)


def test_a_market_that_nobody_in_reach_works_in_is_not_named(company: Store) -> None:
    seen = footprint(company, "zqann-1", scope=Scope(ANN)).sites.set_index("site_id")
    assert seen.loc["b-denver", ["lies", "market_name"]].tolist() == [ELSEWHERE, None]
    assert seen.loc["a-loop", "market_name"] == "Chicago"


def test_a_parent_out_of_reach_is_none_at_all(company: Store) -> None:
    assert footprint(company, "zqann-1", scope=ALL).parent["prospect_id"].tolist() == ["zqbob-1"]
    assert footprint(company, "zqann-1", scope=Scope(ANN)).parent.empty
    assert footprint(company, "zqann-2", scope=Scope(ANN)).parent["name"].tolist() == [
        "zqann-1 Inc"
    ]
    named = footprint(company, "zqann-1", scope=Scope(ANN, names_beyond=True)).parent
    assert named["name"].tolist() == ["zqbob-1 Inc"]
    assert named["city"].isna().all()


def test_of_a_prospect_out_of_reach_nothing_is_said(company: Store) -> None:
    for scope in (Scope(BOB, BOB, BOB), Scope(NOTHING, sums=EVERYTHING)):
        seen = footprint(company, "zqann-1", scope=scope)
        assert seen.sites.empty
        assert seen.parent.empty
        assert quota_effect(company, "zqann-1", scope=scope) is None


def test_open_pipeline_is_set_against_what_the_rep_has_still_to_win(company: Store) -> None:
    seen = quota_effect(company, "zqann-1", scope=ALL)
    assert seen == QuotaEffect("2026", "zqann", 290.0, 1000.0, 400.0)
    assert seen.missing_usd == 600.0
    assert quota_effect(company, "zqann-1", scope=Scope(ANN, pipeline=ANN)) == seen
    assert quota_effect(company, "zqann-1", scope=Scope(ANN)) is None
    reached = quota_effect(company, "zqbob-1", scope=ALL)
    assert reached is not None
    assert (reached.won_usd, reached.missing_usd) == (9000.0, 0.0)
    assert quota_effect(company, "zqnobody-1", scope=ALL) is None


def test_before_the_first_plan_there_is_nothing(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "empty.sqlite")) as store:
        assert footprint(store, "x", scope=ALL).sites.empty
        assert quota_effect(store, "x", scope=ALL) is None
