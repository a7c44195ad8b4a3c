"""Numbers agree: one definition, one source and one label wherever a number stands."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory import imports, reports
from territory.access import Scope
from territory.accounts import add_note, coverage, duplicates, outcome_of_stage
from territory.cleaning import read_periods
from territory.plans import publish
from territory.store import KINDS, open_store
from tests.fixtures import scoped_company
from tests.fixtures.reading import Page
from tests.fixtures.web import make_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from territory.store import Store

ALL = Scope.everything()
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAGES = {
    "won": ("Closed Won", "Won", "won", "Closed/Won", "closedwon", "6 - Closed Won", "Closed - Win",
            "Gewonnen", "Gagné", "Ganada", "Won back", "Closed Won - lost discount", "Won by us"),
    "lost": ("Closed Lost", "Lost", "closedlost", "Closed Lost - won by competitor", "Not won",
             "Unwon", "Never won", "Won by competitor", "Disqualified", "Closed", "Verloren",
             "Nicht gewonnen", "Closed Lost - win back in Q3", "Closed, no decision", "Cancelled"),
    "open": ("Prospecting", "Negotiation", "Closing", "Win-back target", "Verbal win",
             "Nearly won", "Not closed", "Reopened", "Not yet won", "Wonderland demo", "Proposal"),
}  # fmt: skip


def put(store: Store, folder: Path, kind: str, text: str) -> imports.ImportReport:
    path = folder / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    return imports.import_file(store, kind, path, by="me", now=NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/company.sqlite") as opened:
        scoped_company.found(opened, tmp_path)
        yield opened


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    return make_app(store.url, tmp_path / "var").test_client()


def csv_rows(client: FlaskClient, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200, response.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))


# ---- won, lost, open


@pytest.mark.parametrize(
    ("stage", "outcome"), [(stage, outcome) for outcome in STAGES for stage in STAGES[outcome]]
)
def test_a_stage_is_won_lost_or_open_by_one_definition(stage: str, outcome: str) -> None:
    assert outcome_of_stage(stage) == outcome
    assert outcome_of_stage(f"  {stage.upper()} ") == outcome


@pytest.mark.parametrize(
    ("columns", "cells", "outcome"),
    [
        ("stage,is_won", "Signed,true", "won"),
        ("stage,is_closed,is_won", "Proposal,TRUE,FALSE", "lost"),
        ("stage,is_closed,is_won", "Closed Won,1,0", "lost"),
        ("stage,is_closed", "Closed Won,false", "open"),
        ("stage,is_closed", "Signed,yes", "lost"),
        ("stage,Deal - Status", "Negotiations,won", "won"),
        ("stage,Deal - Status", "Closed Won,Active", "won"),
        ("stage,probability", "Proposal,100", "open"),
        ("stage,probability", "Proposal,0", "open"),
    ],
)
def test_columns_of_the_crm_go_before_the_words_of_its_stage(
    store: Store, tmp_path: Path, columns: str, cells: str, outcome: str
) -> None:
    text = f"opportunity_id,prospect_id,amount_usd,{columns}\nO1,zqbob-1,7,{cells}\n"
    put(store, tmp_path, "opportunities", text)
    deals = reports.prospect(store, "zqbob-1", scope=ALL).opportunities.set_index("opportunity_id")
    assert deals.loc["O1", "outcome"] == outcome
    row = reports.EXPORTS["prospects"](store, scope=ALL).set_index("prospect_id").loc["zqbob-1"]
    assert row["pipeline_usd"] == 3_000 + 7 * (outcome == "open")


def test_a_later_stage_is_not_overruled_by_an_outcome_of_yesterday(
    store: Store, tmp_path: Path
) -> None:
    head = "opportunity_id,prospect_id,amount_usd,stage"
    put(store, tmp_path, "opportunities", f"{head},is_closed\nO1,zqbob-1,7,Proposal,false\n")
    put(store, tmp_path, "opportunities", f"{head}\nO1,zqbob-1,7,Closed Won\n")
    deals = reports.prospect(store, "zqbob-1", scope=ALL).opportunities.set_index("opportunity_id")
    assert deals.loc["O1", "outcome"] == "won"


# ---- all surfaces show what the store holds


def surfaces(client: FlaskClient, market_id: str) -> dict[str, object]:
    """Read the count and open pipeline of a market wherever they stand."""
    rows = csv_rows(client, f"/markets/{market_id}/prospects.csv")
    page = Page(client.get(f"/markets/{market_id}"))
    counted = re.search(r"([\d,]+) of ([\d,]+) prospects", page.text)
    assert counted is not None
    listed = client.get(f"/api/v1/prospects?market={market_id}").get_json()
    listed = next(value for value in listed.values() if isinstance(value, list))
    table = {row["market_id"]: row for row in csv_rows(client, "/markets.csv")}[market_id]
    return {
        "ids": sorted(row["prospect_id"] for row in rows),
        "counts": {
            len(rows), int(counted[1].replace(",", "")), int(counted[2].replace(",", "")),
            len(listed), int(table["prospects"]),
        },
        "pipelines": {
            sum(float(row["pipeline_usd"] or 0) for row in rows),
            sum(row["pipeline_usd"] for row in listed),
            float(table["pipeline_usd"]),
        },
        "places": {
            source: {row["prospect_id"]: (
                round(float(row["lat"]), 4), round(float(row["lon"]), 4)
            ) for row in rows_}
            for source, rows_ in (("file", rows), ("api", listed))
        },
    }  # fmt: skip


def assert_agree(client: FlaskClient, store: Store, market_id: str) -> list[str]:
    now = reports.market(store, market_id, scope=ALL).prospects
    seen = surfaces(client, market_id)
    assert seen["ids"] == sorted(now["prospect_id"])
    assert seen["counts"] == {len(now)}
    assert seen["pipelines"] == {now["pipeline_usd"].sum()}
    places = seen["places"]
    assert places["file"] == places["api"]  # type: ignore[index]
    return list(now["prospect_id"])


def test_list_file_and_api_are_those_of_the_store_after_every_change(
    client: FlaskClient, store: Store, tmp_path: Path
) -> None:
    before = assert_agree(client, store, "CHI")
    taken = put(store, tmp_path, "opportunities",
        "opportunity_id,prospect_id,name,stage,amount_usd\nO9,zqann-1,x,Closed Lost - won by "
        "competitor,9000\nO8,zqann-1,x,Proposal,11\n")  # fmt: skip
    assert assert_agree(client, store, "CHI") == before
    add_note(store, "zqann-1", "Called", scope=ALL, by="me", now=NOW)
    assert_agree(client, store, "CHI")
    imports.undo(store, taken.import_id, by="me", now=NOW)
    assert assert_agree(client, store, "CHI") == before
    put(store, tmp_path, "territories",
        "territory_id,name,rep_id,market_id,segment\nzqbob-T,T,zqann,CHI,enterprise\n"
        "zqbob-T,T,zqann,DEN,mid_market\n")  # fmt: skip
    publish.assign(store, published_by="me", now=NOW)
    assert_agree(client, store, "CHI")
    put(store, tmp_path, "prospects", "prospect_id,lat,lon\nzqann-1,39.74,-104.99\n")
    publish.assign(store, published_by="me", now=NOW)
    assert "zqann-1" not in assert_agree(client, store, "CHI")
    assert "zqann-1" in assert_agree(client, store, "DEN")
    duplicates.merge(store, "zqbob-2", "zqann-1", by="me", now=NOW)
    publish.assign(store, published_by="me", now=NOW)
    assert_agree(client, store, "DEN")


# ---- quotas and coverage


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2026", "2026"), ("FY26", "2026"), ("FY 2026", "2026"), ("2026-Q3", "2026-Q3"),
        ("Q3 2026", "2026-Q3"), ("FY26-Q3", "2026-Q3"), ("2026-03", "2026-03"),
        ("Mar 2026", "2026-03"), ("03/2026", "2026-03"), ("garbage", None), ("2026-13", None),
        ("2026-Q5", None), ("2026-00", None), ("2026-01-01", None), ("26", None), ("H1 2026", None),
    ],
)  # fmt: skip
def test_a_quota_period_is_a_year_quarter_or_month_or_is_rejected(
    store: Store, tmp_path: Path, written: str, period: str | None
) -> None:
    report = put(store, tmp_path, "quotas", f"rep_id,period,amount_usd\nzqdan,{written},5\n")
    if period is not None:
        assert report.refused.empty
        with store.read() as transaction:
            assert period in set(transaction.table("quotas")["period"])
        return
    (row,) = report.refused.to_dict("records")
    assert row["line"] == 2
    assert repr(written) in row["reason"]
    assert "2026-Q3" in row["remedy"]


def test_a_period_that_is_read_is_read_again_as_itself() -> None:
    import pandas as pd

    written = pd.Series(["FY26", "Q1 2027", "Dec-25", "7/2026"], dtype=object)
    assert read_periods(read_periods(written)).equals(read_periods(written))


def test_quotas_of_ended_and_unassigned_reps_and_odd_periods_are_told_apart(
    client: FlaskClient, store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, "reps", "rep_id,name\nleft,Left\n")
    put(store, tmp_path, "quotas",
        "rep_id,period,amount_usd\nleft,2026,111\nzqann,2026-Q3,400\n")  # fmt: skip
    with store.write() as transaction:  # as a store of before may hold it
        odd = KINDS["quotas"].table.insert().values(rep_id="zqbob", period="2026-13", amount_usd=9)
        transaction.connection.execute(odd)
    whole = reports.overview(store, scope=ALL)
    assert whole.quota_usd == 1000 + 1500 + 2000  # Ann, Bob, Cyd; Dan has no territory
    assert reports.market_summaries(store, scope=ALL)["quota_usd"].sum() == whole.quota_usd
    text = Page(client.get("/")).text
    assert "Not counted: $2,500 of 2026 quota of 1 rep without a territory." in text
    assert "Not counted: $111 of 2026 quota of 1 rep no longer in the plan." in text
    assert "1 rep has quotas for 2026 and for parts of it: the longer period counts" in text
    assert "Quota periods not understood: '2026-13'" in text


def coverages(text: str) -> set[str]:
    return set(re.findall(r"coverage (?:is )?([\d,.]+) ×", text))


def test_coverage_is_one_number_with_one_label_on_every_page(
    client: FlaskClient, store: Store
) -> None:
    markets = reports.market_summaries(store, scope=ALL)
    whole = coverage(markets["pipeline_usd"].sum(), markets["quota_usd"].sum())
    page = Page(client.get("/"))
    assert coverages(page.text) == {f"{whole:,.1f}"}
    column = [" ".join(cell.split()) for cell in page.rows["thead"][0]].index("Coverage")
    assert page.rows["tfoot"][0][column].split()[0] == f"{whole:,.1f}"
    names = markets.set_index("name")
    for row in page.rows["tbody"]:
        market = next(name for name in names.index if row[0].strip().startswith(name))
        ratio = coverage(*names.loc[market, ["pipeline_usd", "quota_usd"]])
        assert row[column].split()[0] == ("–" if ratio is None else f"{ratio:,.1f}")
        profile = Page(client.get(f"/markets/{names.loc[market, 'market_id']}/profile")).text
        assert coverages(profile) == (set() if ratio is None else {f"{ratio:,.1f}"})


def test_who_is_in_a_territory_without_a_rep_has_no_owner(store: Store, tmp_path: Path) -> None:
    before = reports.overview(store, scope=ALL).unassigned
    put(store, tmp_path, "named_accounts", "prospect_id,territory_id\nzqcyd-1,zqnobody-T\n")
    publish.assign(store, published_by="me", now=NOW)
    rows = reports.EXPORTS["prospects"](store, scope=ALL)
    # Cyd's account, and one that was imported after the first plan.
    after = reports.overview(store, scope=ALL).unassigned
    assert after == rows["rep_id"].isna().sum() == before + 2
    assert rows.set_index("prospect_id").loc["zqcyd-1", "territory_id"] == "zqnobody-T"


# ---- findings, words


def test_before_the_first_plan_findings_are_not_checked_yet(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/new.sqlite") as opened:
        put(opened, tmp_path, "offices", "office_id,name,lat,lon\nLOST,Lost,,\n")
        client = make_app(opened.url, tmp_path / "var").test_client()
        text = Page(client.get("/findings")).text
        assert "Not checked yet" in text
        assert "No findings" not in text


def test_a_finding_about_an_office_counts(client: FlaskClient, store: Store) -> None:
    findings = reports.findings(store, scope=ALL)
    assert "office" in set(findings["subject_kind"])
    rows = csv_rows(client, "/findings.csv")
    page = Page(client.get("/findings"))
    assert len(rows) == len(findings) == reports.overview(store, scope=ALL).findings
    assert f"{len(findings)} of {len(findings)} findings" in page.text


def test_a_filter_and_the_table_call_no_opportunity_by_one_name(client: FlaskClient) -> None:
    text = Page(client.get("/markets/CHI")).text
    assert text.count("No open opportunity") >= 3  # attention, stage, and the rows
    for old in ("Not known", "Whitespace: none open", "Last touch", "rename or delete"):
        assert old not in text
    card = Page(client.get("/prospects/zqann-1")).text
    for old in ("is a sum", "Known to", "still missing", "Set another", "What is next", "Nobody's"):
        assert old not in card
    assert "How the score of" in card
    assert "Location accurate to" in card
    assert "Why this owner?" in card
    assert "Why has it no owner?" in Page(client.get("/prospects/zqnobody-1")).text
