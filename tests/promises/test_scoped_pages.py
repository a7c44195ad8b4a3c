"""Each role sees its own rows on every page, in every file and in every sum."""

from __future__ import annotations

import csv
import io
import json

import pytest

from territory import reports
from territory.access import Reach, Scope, audit_log
from territory.store import open_store
from tests.fixtures.reading import Page, figure
from tests.fixtures.web import REP_A, REP_B

ALL = Scope.everything()
OWN = Reach(rep_ids=frozenset({REP_A}))
MINE = Scope(OWN, OWN, OWN, OWN, sums=OWN)


@pytest.fixture(scope="module")
def store(doors):
    with open_store(doors.config["TERRITORY"].store_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def everyone(store):
    return reports.EXPORTS["prospects"](store, scope=ALL)


def csv_rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))


@pytest.mark.parametrize("role", ["rep_a", "manager"])
def test_a_rep_sees_own_prospects_alone_in_list_and_file(client_as, store, everyone, role):
    client = client_as(role)
    for market_id in reports.market_summaries(store, scope=MINE)["market_id"]:
        here = everyone[(everyone["market_id"] == market_id) & (everyone["rep_id"] == REP_A)]
        own = set(here["prospect_id"])
        rows = csv_rows(client.get(f"/markets/{market_id}/prospects.csv"))
        assert {row["prospect_id"] for row in rows} == own
        assert f"of {len(own)} prospects" in Page(client.get(f"/markets/{market_id}")).text


def test_the_totals_of_a_rep_are_those_of_own_rows_and_reconcile(client_as, store, everyone):
    page = Page(client_as("rep_a").get("/"))
    own = everyone[everyone["rep_id"] == REP_A]
    seen = reports.overview(store, scope=MINE)
    body, (sums, words) = page.rows["tbody"], page.rows["tfoot"]
    assert len(body) == seen.markets < reports.overview(store, scope=ALL).markets
    assert figure(sums[1]) == seen.in_market == own["market_id"].notna().sum()
    assert "that you can see." in words[0]
    exported = csv_rows(client_as("rep_a").get("/markets.csv"))
    assert sum(int(row["prospects"]) for row in exported) == seen.in_market


def test_what_is_anothers_is_answered_like_what_never_was(client_as, store, everyone):
    client = client_as("rep_a")
    other = everyone.loc[everyone["rep_id"] == REP_B, "prospect_id"].iloc[0]
    markets = reports.market_summaries(store, scope=ALL)["market_id"]
    far = min(set(markets) - set(reports.market_summaries(store, scope=MINE)["market_id"]))
    for path, one, never in (
        ("/prospects/{}", other, "nobody-at-all"),
        ("/markets/{}", far, "M-NONE"),
        ("/markets/{}/map.js", far, "M-NONE"),
        ("/markets/{}/prospects.csv", far, "M-NONE"),
        ("/findings?market={}", far, "M-NONE"),
    ):
        refused, absent = (client.get(path.format(which)) for which in (one, never))
        assert refused.status_code == absent.status_code == 404, path
        words = refused.get_data(as_text=True).replace(one, never)
        assert Page(absent).text in (Page(refused).text.replace(one, never), words)


def test_a_rep_is_shown_findings_about_own_rows_alone(client_as, store):
    rows = csv_rows(client_as("rep_a").get("/findings.csv"))
    mine, every = (reports.findings(store, scope=scope) for scope in (MINE, ALL))
    assert len(rows) == len(mine) < len(every)
    assert {row["subject_id"] for row in rows} == set(mine["subject_id"])


@pytest.mark.parametrize("role", ["hr", "admin"])
def test_who_sees_sums_sees_every_count_and_neither_row_nor_money(client_as, store, role):
    response = client_as(role).get("/")
    page, seen = Page(response), reports.overview(store, scope=ALL)
    assert figure(page.rows["tfoot"][0][1]) == seen.in_market
    assert "the counts do not add up" not in page.rows["tfoot"][1][0]
    assert "not available in your role" in page.text
    assert "$" not in page.text
    opened = [link for link in page.links if link.startswith(("/markets/", "/findings"))]
    assert opened
    assert all(link.endswith("/profile") for link in opened)
    rows = csv_rows(client_as(role).get("/markets.csv"))
    assert sum(int(row["prospects"]) for row in rows) == seen.in_market
    assert {row["pipeline_usd"] for row in rows} == {""}


def test_a_viewer_reads_every_account_and_no_contact(client_as, store, everyone):
    with store.read() as transaction:
        one = transaction.table("contacts")["prospect_id"].iloc[0]
    text = Page(client_as("viewer").get(f"/prospects/{one}")).text
    assert "Contacts Invented for the demo" not in text
    assert "Not available in your role." in text
    assert "No contact on file" not in text


def test_every_file_is_on_record_with_who_and_how_many_rows(client_as, doors, store):
    client = client_as("rep_a")
    market_id = reports.market_summaries(store, scope=MINE)["market_id"].iloc[0]
    for path, kind, of in (
        ("/markets.csv", "markets", "plan"),
        ("/findings.csv", "findings", "plan"),
        (f"/markets/{market_id}/prospects.csv", "prospects", market_id),
        ("/outside/prospects.csv", "prospects", "outside"),
    ):
        rows = csv_rows(client.get(path))
        event = audit_log.search(store, action="rows.export", limit=1)[0].iloc[0]
        assert event["by"] == doors.config["PEOPLE"]["rep_a"]
        assert (event["subject_kind"], event["subject_id"]) == (kind, of)
        assert json.loads(event["payload"])["detail"] == {"format": "csv", "rows": len(rows)}
