"""The figures of a market are sums of its rows, of whose rows may be seen, and say of how many."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from territory import demo as demo_company
from territory import reference, reports
from territory.access import EVERYTHING, NOTHING, Reach, Scope
from territory.accounts import opportunities
from territory.cli.main import cli
from territory.errors import NotFoundError
from territory.markets.size import market_size
from territory.reference import Reference
from territory.reports import FEW, Profile
from territory.reports.profile import SIZES, Sellers, Subject, concentration, profile
from territory.store import Store, open_store
from tests.fixtures.scoped_company import NOBODY, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = Scope.everything()
TABLES = reference.load()
ANYWHERE = shapely.Point(0, 0)
DENVER_ZIPS = "80202|80203"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(str(tmp_path_factory.mktemp("demo") / "demo.sqlite")) as store:
        demo_company.load_demo(store, now=NOW)
        yield store


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("company")
    with open_store(str(folder / "company.sqlite")) as store:
        found(store, folder)
        yield store


def file(kind: str) -> list[dict[str, str]]:
    text = (resources.files("territory_data.demo") / f"{kind}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def counts(frame: pd.DataFrame) -> dict[str, int]:
    pairs = zip(frame["group"], frame["prospects"], strict=True)
    return {group: number for group, number in pairs if number}


# How big the market is


def figures_of(fips: str) -> pd.Series:
    return TABLES.county_business.set_index("county_fips").loc[fips]


def test_a_market_of_counties_takes_them_whole() -> None:
    size = market_size("county", "17031|08031", ANYWHERE, TABLES)
    assert size.employment == figures_of("17031")["employment"] + figures_of("08031")["employment"]
    assert size.establishments == sum(
        figures_of(one)["establishments"] for one in size.counties["county_fips"]
    )
    assert size.counties["county_fips"].tolist() == ["17031", "08031"]
    assert size.basis == "2 of 2 counties have figures; each counts whole."


def test_metro_areas_and_states_are_their_counties() -> None:
    metro = market_size("metro_area", "16980", ANYWHERE, TABLES)
    held = TABLES.counties.loc[TABLES.counties["cbsa_code"] == "16980", "county_fips"]
    figures = TABLES.county_business.set_index("county_fips")
    assert metro.wages_usd == figures.loc[held, "wages_usd"].sum()
    state = market_size("state", "CT", ANYWHERE, TABLES)
    assert (state.with_figures, len(state.counties)) == (9, 9)


def test_a_county_without_figures_is_named_and_counted_as_missing() -> None:
    size = market_size("county", "66010|15003", ANYWHERE, TABLES)
    assert size.basis.startswith("1 of 2 counties have figures")
    assert size.employment == figures_of("15003")["employment"]
    assert size.counties["employment"].isna().tolist() == [False, True]
    nothing = market_size("county", "66010", ANYWHERE, TABLES)
    assert (nothing.employment, nothing.wages_usd, nothing.mean_wage_usd) == (None, None, None)


def test_zip_codes_take_their_share_of_the_business_addresses() -> None:
    size = market_size("zip_code", DENVER_ZIPS, ANYWHERE, TABLES)
    zips = TABLES.zip_business
    expected = sum(
        share * figures_of(fips)["employment"]
        for code, fips, share in zips.itertuples(index=False)
        if code in DENVER_ZIPS.split("|")
    )
    assert size.employment == round(expected)
    assert 0 < size.counties["share"].iloc[0] < 1
    assert (size.zip_codes, size.zip_codes_in_business, size.in_part) == (2, 2, 1)


def test_all_zip_codes_of_a_county_are_the_whole_county() -> None:
    zips = TABLES.zip_business
    codes = zips.loc[zips["county_fips"] == "08031", "zip_code"]
    size = market_size("zip_code", "|".join(codes), ANYWHERE, TABLES)
    denver = size.counties[size.counties["county_fips"] == "08031"].iloc[0]
    assert denver["share"] == 1.0
    assert denver["employment"] == figures_of("08031")["employment"]


def test_a_zip_code_without_a_business_address_counts_nothing_and_is_told() -> None:
    bare = ~TABLES.zip_codes["zip_code"].isin(TABLES.zip_business["zip_code"])
    code = TABLES.zip_codes.loc[bare, "zip_code"].iloc[0]
    size = market_size("zip_code", code, ANYWHERE, TABLES)
    assert (size.zip_codes, size.zip_codes_in_business, size.employment) == (1, 0, 0)
    assert size.basis.endswith("lies in 1 ZIP codes (1 without a business address).")


def test_a_drawn_market_is_the_zip_codes_whose_point_lies_in_it() -> None:
    box = shapely.box(-105.0, 39.7, -104.9, 39.8)
    zips = TABLES.zip_codes
    inside = zips[zips["lon"].between(-105.0, -104.9) & zips["lat"].between(39.7, 39.8)]
    drawn = market_size("polygon", None, box, TABLES)
    listed = market_size("zip_code", "|".join(inside["zip_code"]), ANYWHERE, TABLES)
    assert drawn.zip_codes == len(inside) > 5
    assert drawn.employment == listed.employment > 0
    assert market_size("polygon", None, shapely.box(0, 0, 1, 1), TABLES).employment is None


def test_figures_of_tables_of_ones_own_are_used(tmp_path: Path) -> None:
    own = pd.DataFrame(
        {"county_fips": ["08031"], "establishments": [1], "employment": [2], "wages_usd": [3]}
    )
    own.to_parquet(tmp_path / "county_business.parquet")
    size = market_size("county", "08031|17031", ANYWHERE, Reference(folder=tmp_path))
    assert (size.establishments, size.employment, size.wages_usd) == (1, 2, 3)
    assert size.with_figures == 1


# Sums over hand-made rows

PROSPECTS = pd.DataFrame(
    [
        ("a", "customer", "enterprise", "r1", "Energy", 60.0),
        ("b", "prospect", "enterprise", "r1", "Energy", 30.0),
        ("c", "prospect", "small", "r2", None, np.nan),
        ("d", "former", "mid_market", None, "Retail", 10.0),
        ("e", "customer", "mid_market", "r2", "Retail", 0.0),
    ],
    columns=["prospect_id", "status", "segment", "rep_id", "industry", "employees"],
).assign(name=lambda frame: frame["prospect_id"].str.upper())
DEALS = pd.DataFrame(
    [
        ("1", "a", "Proposal", 100.0, "2026-11-30"),
        ("2", "a", "Proposal", 50.0, "2026-10-01"),
        ("3", "b", "Closed won", 900.0, "2026-11-02"),
        ("4", "c", "Qualified", 25.0, None),
        ("5", "d", "Qualified", 25.0, "2027-01-01"),
    ],
    columns=["opportunity_id", "prospect_id", "stage", "amount_usd", "close_on"],
)
NO_DEALS = DEALS[:0].assign(rep_id=None)
QUOTAS = pd.DataFrame(
    [("r1", "2026", 1200.0), ("r1", "2026-11", 40.0), ("r2", "2026-Q4", 60.0)],
    columns=["rep_id", "period", "amount_usd"],
)
SELLERS = Sellers(
    pd.DataFrame(
        [("r1", "here"), ("r1", "here"), ("r1", "there"), ("r2", "here")],
        columns=["rep_id", "market_id"],
    ),
    pd.Series({"r1": "Ann", "r2": "Bob"}),
    QUOTAS,
)
SUBJECT = Subject("here", "Here", "county", "2026", "2026-11-20")


def sum_up(
    *, accounts: Reach = EVERYTHING, money: Reach = EVERYTHING, day: str = "2026-11-20"
) -> Profile:
    owner = DEALS["prospect_id"].map(PROSPECTS.set_index("prospect_id")["rep_id"])
    deals = DEALS.assign(rep_id=owner.astype(object).where(owner.notna(), None))
    size = market_size("county", "17031", ANYWHERE, TABLES)
    return profile(
        Subject("here", "Here", "county", "2026", day),
        size,
        PROSPECTS,
        PROSPECTS[accounts.mask(PROSPECTS["rep_id"])],
        deals[money.mask(deals["rep_id"])],
        SELLERS,
        accounts=accounts,
        money=money,
    )


def test_groups_count_prospects_and_customers_and_add_up() -> None:
    told = sum_up()
    assert counts(told.by_status) == {"prospect": 2, "customer": 2, "former": 1}
    assert counts(told.by_segment) == {"enterprise": 2, "mid_market": 2, "small": 1}
    assert told.by_segment.set_index("group")["customers"].to_dict() == {
        "enterprise": 1, "mid_market": 1, "small": 0, "unknown": 0,
    }  # fmt: skip
    assert told.by_industry["group"].tolist() == ["Energy", "Retail", "unknown"]
    assert counts(told.by_size) == {"1 to 49": 2, "50 to 249": 1, "unknown": 2}
    for name in ("by_status", "by_segment", "by_size", "by_industry"):
        frame = getattr(told, name)
        assert frame["prospects"].sum() == told.prospects == 5
        assert frame["customers"].sum() == told.customers == 2
        assert frame["share"].sum() == pytest.approx(1)
    assert told.penetration == 0.4


@pytest.mark.parametrize(
    ("employees", "size"),
    [(1, 0), (49, 0), (50, 1), (249, 1), (250, 2), (999, 2), (1_000, 3), (9_999, 3), (10_000, 4)],
)
def test_each_size_class_holds_what_its_name_says(employees: float, size: int) -> None:
    one = PROSPECTS.head(1).assign(employees=float(employees))
    told = profile(
        SUBJECT, market_size("county", "17031", ANYWHERE, TABLES), one, one, NO_DEALS, SELLERS,
        accounts=NOTHING, money=NOTHING,
    )  # fmt: skip
    assert counts(told.by_size) == {SIZES[size]: 1}


def test_concentration_is_the_share_of_the_ten_largest_and_the_squared_shares() -> None:
    found = concentration(pd.Series([60.0, 30.0, 10.0, 0.0, np.nan]), 5)
    assert found is not None
    assert (found.accounts, found.among, found.top, found.top_share) == (3, 5, 3, 1.0)
    assert found.hhi == pytest.approx(3600 + 900 + 100)
    assert found.steps == ((1, 0.6), (3, 1.0))
    equal = concentration(pd.Series([7.0] * 40), 40)
    assert equal is not None
    assert (equal.top_share, equal.hhi, equal.equal_accounts) == pytest.approx((0.25, 250, 40))
    assert dict(equal.steps) == pytest.approx({1: 0.025, 3: 0.075, 10: 0.25, 30: 0.75, 40: 1.0})
    assert concentration(pd.Series([0.0, np.nan]), 2) is None


def test_top_accounts_come_in_the_order_given_with_pipeline_and_rep() -> None:
    top = sum_up().top_accounts
    assert top["name"].tolist() == ["A", "B", "C", "D", "E"]
    assert top["pipeline_usd"].tolist() == [150.0, 0.0, 25.0, 25.0, 0.0]
    assert top["rep_name"].tolist() == ["Ann", "Ann", "Bob", None, "Bob"]


def test_pipeline_is_what_is_open_and_each_period_has_what_is_due_in_it() -> None:
    money = sum_up().money
    assert money is not None
    assert (money.pipeline_usd, money.deals, money.accounts) == (200.0, 4, 3)
    assert (money.overdue_usd, money.undated_usd) == (50.0, 25.0)
    periods = money.periods.set_index("kind")
    assert periods["period"].tolist() == ["2026-11", "2026-Q4", "2026"]
    assert periods["due_usd"].tolist() == [100.0, 150.0, 150.0]
    # Ann sells in two markets: half of her quotas counts. Bob's month is a third of his quarter.
    assert periods["quota_usd"].tolist() == [20.0 + 20.0, 20.0 + 60.0, 600.0 + 60.0]
    assert periods.loc["month", "due_share"] == 2.5
    assert money.coverage == 200 / 660
    assert periods["reps_with_quota"].tolist() == [2, 2, 2]
    # The quarter of Ann is that of her months, the year of Bob that of his quarters.
    assert periods["derived"].tolist() == [1, 1, 1]


def test_the_rows_of_the_reps_add_up_and_accounts_of_nobody_have_one() -> None:
    money = sum_up().money
    assert money is not None
    rows = money.by_rep.set_index("rep_id")
    assert rows["rep_name"].tolist() == ["Ann", "Bob", None]
    assert rows["pipeline_usd"].tolist() == [150.0, 25.0, 25.0]
    assert rows["accounts"].sum() == 5
    assert rows["quota_share"].tolist() == [0.5, 1.0, 0.0]
    for kind, quota, due in money.periods[["kind", "quota_usd", "due_usd"]].itertuples(index=False):
        assert rows[f"quota_{kind}_usd"].sum() == quota
        assert rows[f"due_{kind}_usd"].sum() == due


def test_whitespace_is_who_has_nothing_open() -> None:
    assert sum_up().whitespace == 2  # b's only opportunity is closed, e has none


def test_out_of_reach_counts_and_nothing_else() -> None:
    own = Reach(rep_ids=frozenset({"r1"}))
    told = sum_up(accounts=own, money=own)
    assert (told.prospects, told.readable, told.in_money) == (5, 2, 2)
    assert told.top_accounts["prospect_id"].tolist() == ["a", "b"]
    assert (told.employees, told.whitespace) == (90.0, 1)
    assert told.money is not None
    assert told.money.pipeline_usd == 150.0
    blind = sum_up(accounts=NOTHING, money=NOTHING)
    assert counts(blind.by_status) == counts(sum_up().by_status)
    assert (blind.money, blind.whitespace, blind.employee_concentration) == (None, None, None)
    assert (len(blind.top_accounts), blind.employees) == (0, 0.0)


def test_a_rare_industry_is_not_named_to_who_may_only_count() -> None:
    own = Reach(rep_ids=frozenset({"r1"}))
    assert counts(sum_up(accounts=NOTHING, money=NOTHING).by_industry) == {FEW: 4, "unknown": 1}
    assert counts(sum_up(accounts=own, money=own).by_industry) == {
        "Energy": 2, FEW: 2, "unknown": 1,
    }  # fmt: skip


def test_no_prospect_at_all_makes_an_empty_profile() -> None:
    told = profile(
        SUBJECT, market_size("county", "17031", ANYWHERE, TABLES), PROSPECTS[:0], PROSPECTS[:0],
        NO_DEALS,
        Sellers(SELLERS.territories[:0], SELLERS.names, QUOTAS[:0]),
        accounts=EVERYTHING, money=EVERYTHING,
    )  # fmt: skip
    assert (told.prospects, told.penetration, told.whitespace) == (0, None, 0)
    assert told.money is not None
    assert told.money.periods["due_share"].isna().all()
    json.dumps(told.as_json())


# Quotas of periods


@pytest.mark.parametrize(
    ("given", "period", "expected", "is_derived"),
    [
        ({"2026-11": 5, "2026-Q4": 60, "2026": 1200}, "2026-11", 5, False),
        ({"2026-Q4": 60, "2026": 1200}, "2026-11", 20, True),
        ({"2026": 1200}, "2026-11", 100, True),
        ({"2026-10": 1, "2026-12": 2, "2026": 1200}, "2026-Q4", 3, True),
        ({"2026": 1200, "2026-Q1": 7}, "2026-Q4", 300, True),
        ({"2026-Q1": 7, "2026-Q4": 8}, "2026", 15, True),
        ({"2026-Q1": 7, "2026": 9}, "2026", 9, False),
        ({"2025-11": 5, "2026-01": 9}, "2026-11", None, None),
    ],
)
def test_a_quota_is_the_periods_own_or_made_of_others(
    given: dict[str, float], period: str, expected: float | None, is_derived: bool | None
) -> None:
    quotas = pd.DataFrame(
        [("r", when, float(amount)) for when, amount in given.items()],
        columns=["rep_id", "period", "amount_usd"],
    )
    answer = opportunities.period_quotas(quotas, period)
    assert answer["quota_usd"].tolist() == ([] if expected is None else [expected])
    assert answer["is_derived"].tolist() == ([] if is_derived is None else [is_derived])


def test_periods_are_named_as_quotas_name_them_and_end_where_the_next_begins() -> None:
    assert opportunities.periods_of("2026-12-31") == {
        "month": "2026-12", "quarter": "2026-Q4", "year": "2026",
    }  # fmt: skip
    assert opportunities.periods_of("2027-01-01")["quarter"] == "2027-Q1"
    assert opportunities.bounds_of("2026-02") == ("2026-02-01", "2026-03-01")
    assert opportunities.bounds_of("2026-Q4") == ("2026-10-01", "2027-01-01")
    assert opportunities.bounds_of("2026") == ("2026-01-01", "2027-01-01")


# The demo company, counted by hand


@pytest.fixture(scope="module")
def markets(demo: Store) -> list[str]:
    return reports.market_summaries(demo, scope=ALL)["market_id"].tolist()


def test_every_market_of_the_demo_has_the_figures_that_its_rows_add_up_to(
    demo: Store, markets: list[str]
) -> None:
    deals = file("opportunities")
    for market_id in markets:
        told = reports.market_profile(demo, market_id, scope=ALL)
        rows = reports.market(demo, market_id, scope=ALL).prospects.to_dict("records")
        assert told.prospects == told.readable == told.in_money == len(rows)
        assert counts(told.by_status) == Counter(row["status"] for row in rows)
        assert counts(told.by_segment) == Counter(row["segment"] for row in rows)
        assert counts(told.by_industry) == Counter(row["industry"] or "unknown" for row in rows)
        staff = sorted((row["employees"] for row in rows if row["employees"] >= 0), reverse=True)
        assert (told.with_employees, told.employees) == (len(staff), sum(staff))
        named = {row["prospect_id"]: row for row in rows}
        assert told.top_accounts["employees"].dropna().tolist() == staff[:10]
        for one in told.top_accounts.to_dict("records"):
            assert one["name"] == named[one["prospect_id"]]["name"]
            assert one["rep_name"] == named[one["prospect_id"]]["rep_name"]
        mine = [
            deal for deal in deals
            if deal["prospect_id"] in named and not deal["stage"].lower().startswith("closed")
        ]  # fmt: skip
        assert told.money is not None
        assert told.money.pipeline_usd == sum(float(deal["amount_usd"]) for deal in mine)
        assert told.whitespace == len(rows) - len({deal["prospect_id"] for deal in mine})
        due = [deal for deal in mine if deal["close_on"].startswith("2026-11")]
        assert told.money.periods["due_usd"].iloc[0] == sum(float(one["amount_usd"]) for one in due)
        json.dumps(told.as_json())


def test_the_year_agrees_with_the_table_of_all_markets(demo: Store, markets: list[str]) -> None:
    summaries = reports.market_summaries(demo, scope=ALL).set_index("market_id")
    for market_id in markets:
        money = reports.market_profile(demo, market_id, scope=ALL).money
        assert money is not None
        row = summaries.loc[market_id]
        assert money.periods["quota_usd"].iloc[2] == pytest.approx(row["quota_usd"])
        assert money.pipeline_usd == pytest.approx(row["pipeline_usd"])


# Whose rows


def scope_of(rep: str, *, sums: Reach = NOTHING) -> Scope:
    own = Reach(rep_ids=frozenset({rep}))
    return Scope(own, own, own, own, sums=sums)


def texts(value: Any) -> str:
    return json.dumps(value.as_json())


@pytest.mark.parametrize("rep", ["zqann", "zqbob", "zqcyd"])
def test_a_rep_gets_the_sums_of_the_own_accounts_alone(company: Store, rep: str) -> None:
    told = reports.market_profile(company, "CHI" if rep == "zqann" else "DEN", scope=scope_of(rep))
    others = {"zqann", "zqbob", "zqcyd", "zqdan", NOBODY} - {rep}
    assert not [other for other in others if other in texts(told)]
    view = reports.market(company, told.market_id, scope=scope_of(rep))
    assert told.prospects == len(view.prospects)
    assert told.money is not None
    assert told.money.pipeline_usd == view.prospects["pipeline_usd"].sum()
    assert told.money.by_rep["rep_id"].tolist() in ([rep], [])


def test_a_rep_gets_the_same_whatever_is_changed_of_others(company: Store, tmp_path: Path) -> None:
    others = frozenset({"zqbob", "zqcyd", "zqdan", NOBODY})
    with open_store(str(tmp_path / "other.sqlite")) as other:
        found(other, tmp_path, others)
        one, two = (
            texts(reports.market_profile(store, "CHI", scope=scope_of("zqann")))
            for store in (company, other)
        )
    assert one == two


def test_who_may_see_sums_only_sees_counts_and_nobodys_money_or_name(company: Store) -> None:
    whole = reports.market_profile(company, "CHI", scope=ALL)
    told = reports.market_profile(company, "CHI", scope=Scope(sums=EVERYTHING))
    assert (told.prospects, told.customers) == (whole.prospects, whole.customers)
    assert told.by_segment.equals(whole.by_segment)
    assert (told.money, told.whitespace, told.pipeline_concentration) == (None, None, None)
    assert (told.employees, len(told.top_accounts)) == (0.0, 0)
    assert "zq" not in texts(told)


def test_accounts_without_the_right_to_the_pipeline_show_none_of_it(company: Store) -> None:
    told = reports.market_profile(company, "CHI", scope=Scope(accounts=EVERYTHING, sums=EVERYTHING))
    assert told.readable == told.prospects
    assert (told.money, told.whitespace, told.pipeline_concentration, told.in_money) == (
        None,
        None,
        None,
        0,
    )
    assert told.top_accounts["pipeline_usd"].isna().all()


def test_money_of_the_own_accounts_among_all_says_of_how_many(company: Store) -> None:
    own = Reach(rep_ids=frozenset({"zqann"}))
    told = reports.market_profile(
        company, "CHI", scope=Scope(accounts=EVERYTHING, pipeline=own, sums=EVERYTHING)
    )
    assert (told.prospects, told.readable, told.in_money) == (5, 5, 2)
    assert told.money is not None
    assert told.money.pipeline_usd == 290
    shown = told.top_accounts.set_index("prospect_id")["pipeline_usd"]
    assert shown.dropna().index.str.startswith("zqann").all()


def test_a_market_out_of_reach_is_answered_like_none(company: Store) -> None:
    with pytest.raises(NotFoundError) as beyond:
        reports.market_profile(company, "NYC", scope=scope_of("zqann"))
    with pytest.raises(NotFoundError) as never:
        reports.market_profile(company, "XXX", scope=scope_of("zqann"))
    assert str(beyond.value).replace("NYC", "XXX") == str(never.value)


# The command


def test_the_command_prints_the_figures_and_json(demo: Store) -> None:
    run = CliRunner().invoke(cli, ["--store", demo.url, "profile", "M-DEN"])
    assert run.exit_code == 0, run.output
    whole = CliRunner().invoke(cli, ["--store", demo.url, "profile", "M-DEN", "--json"])
    told = json.loads(whole.output)
    assert f"{told['prospects']:,} prospects" in run.output
    assert f"{told['size']['employment']:,.0f}" in run.output
    assert told["size"]["basis"] in run.output
