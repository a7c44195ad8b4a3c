"""The pages of the demo company: what they say, what they add up to, what they let out."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from territory import reports
from territory.access import Scope
from territory.cli.main import cli
from territory.plans import publish
from tests.fixtures.hostile import TEXTS
from tests.fixtures.reading import Page, figure
from tests.fixtures.web import make_app

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

MARKET = "/markets/M-BAY"
PAGES = {
    "/": "Markets",
    MARKET: "San Francisco Bay",
    "/prospects/3m": "3M",
    "/outside": "Outside every market",
    "/findings": "Findings",
    "/offices": "Offices",
    "/about": "About this data",
}
FILTERS = (
    "",
    "?segment=enterprise",
    "?q=san+francisco&verdict=in",
    "?status=customer&sort=-employees",
)


def csv_rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_every_page_says_what_it_is_and_which_plan_it_shows(client, path, title):
    response = client.get(path)
    page = Page(response)
    assert response.status_code == 200
    assert f"{title} · Territory" in page.text or f"{title} market · Territory" in page.text
    assert "Plan Example Telecom in force" in page.text
    assert [tag for tag, _ in page.tags].count("h1") == 1


@pytest.mark.parametrize("path", PAGES)
def test_every_page_marks_the_demo_and_names_no_other_host(client, path):
    page = Page(client.get(path))
    assert "Demo company" in page.text
    sources = [given.get("src") or given.get("href") for tag, given in page.tags if tag != "a"]
    assert not [source for source in sources if source and "//" in source]


def test_every_link_of_every_page_leads_somewhere(client):
    links = {link.split("#")[0] for path in PAGES for link in Page(client.get(path)).links}
    inside = sorted(link for link in links if link.startswith("/"))
    assert len(inside) > 200
    for link in inside[::12]:
        assert client.get(link).status_code == 200, link


def test_the_table_of_markets_adds_up_to_the_file(client, demo):
    page = Page(client.get("/"))
    seen = reports.overview(demo, scope=Scope.everything())
    body, (sums, told) = page.rows["tbody"], page.rows["tfoot"]
    assert len(body) == seen.markets
    for column in (1, 2, 3, 4, 5, 6, 7):
        assert figure(sums[column]) == sum(figure(row[column]) for row in body), column
    assert figure(sums[1]) == seen.in_market
    assert f"{seen.in_market:,} in markets" in told[0]
    assert "the counts do not add up" not in told[0]
    assert seen.in_market + seen.outside == seen.prospects


def test_a_market_lists_its_prospects_fifty_at_a_time_and_says_n_of_m(client, demo):
    held = reports.market(demo, "M-BAY", scope=Scope.everything()).prospects
    first, second = (Page(client.get(f"{MARKET}?page={page}")) for page in (1, 2))
    assert f"{len(held)} of {len(held)} prospects" in first.text
    assert [len(page.rows["tbody"]) for page in (first, second)] == [50, len(held) - 50]
    assert f"Rows 51 to {len(held)} of {len(held)}" in second.text


@pytest.mark.parametrize("query", FILTERS)
def test_list_map_and_export_hold_the_same_prospects(client, query):
    listed = [
        given["data-id"]
        for number in (1, 2)
        for tag, given in Page(
            client.get(f"{MARKET}{query}{'&' if query else '?'}page={number}")
        ).tags
        if tag == "tr" and "data-id" in given
    ]
    everywhere = "bbox=-130,20,-60,55&zoom=4&market=M-BAY"
    data = client.get(f"/view.json{query or '?'}&{everywhere}").get_json()
    exported = csv_rows(client.get(f"{MARKET}/prospects.csv{query}"))
    assert listed
    assert listed == [row["prospect_id"] for row in exported]
    assert set(data["points"]["id"]) == {row["prospect_id"] for row in exported if row["lon"]}
    assert (data["shown"], data["total"]) == (len(listed), 98)


def main_of(response: TestResponse) -> str:
    """What stands in a page, but its map and the marks against forged forms."""
    text = response.get_data(as_text=True)
    main = text[text.index("<main ") : text.index("</main>")]
    main = re.sub(r'<div class="mapbox".*?</noscript></div>', "", main, flags=re.DOTALL)
    return " ".join(re.sub(r'name="csrf_token" value="[^"]*"', "", main).split())


@pytest.mark.parametrize("path", [f"{MARKET}?segment=enterprise", "/outside", "/markets/M-NONE"])
def test_a_script_is_sent_what_stands_in_a_page_without_its_frame_and_map(client, path):
    whole, parts = client.get(path), client.get(path, headers={"Prefer": "return=minimal"})
    assert all("Prefer" in answer.headers["Vary"] for answer in (whole, parts))
    assert whole.status_code == parts.status_code
    assert main_of(parts) == main_of(whole)
    for words in ("mapbox", '<header class="top', "<footer", "<script", "<link"):
        assert words not in parts.get_data(as_text=True)


def test_counts_beside_the_choices_follow_the_other_filters(client, demo):
    held = reports.market(demo, "M-BAY", scope=Scope.everything()).prospects
    page = Page(client.get(f"{MARKET}?segment=enterprise"))
    customers = held[(held["segment"] == "enterprise") & (held["status"] == "customer")]
    assert f"Customer {len(customers)}" in page.text
    assert f"Mid-market {(held['segment'] == 'mid_market').sum()}" in page.text


def test_a_list_sorts_both_ways_and_tells_so(client):
    up, down = (Page(client.get(f"{MARKET}?sort={sort}")) for sort in ("distance", "-distance"))
    miles = [float(row[2]) for row in up.rows["tbody"]]
    assert miles == sorted(miles)
    assert float(down.rows["tbody"][0][2]) >= max(miles)
    assert ("th", "descending") in [(tag, given.get("aria-sort")) for tag, given in down.tags]


def test_no_match_names_the_filter_that_costs_most(client):
    page = Page(client.get(f"{MARKET}?q=zzzz&segment=enterprise"))
    assert "0 of 98 prospects match. Remove “zzzz” to see 48" in page.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/markets/nowhere", 404, "No market 'nowhere'"),
        ("/prospects/nobody", 404, "No prospect 'nobody'"),
        (f"{MARKET}?prospect=3m", 404, "No prospect '3m' in this market"),
        (f"{MARKET}?segment=huge&sort=x&page=0", 400, "segment: 'huge' is none of enterprise"),
        (f"{MARKET}?segment=huge&sort=x&page=0", 400, "sort: 'x' is none of score"),
        (f"{MARKET}?segment=huge&sort=x&page=0", 400, "page: '0' is no whole number"),
        (f"{MARKET}?page={'9' * 5000}", 400, "is no whole number"),
        (f"{MARKET}?q={'a' * 300}", 400, "more than 200"),
        ("/findings?code=nonsense", 400, "'nonsense'"),
        ("/findings?page=-1", 400, "'-1' is no page"),
        ("/nothing/here", 404, "Not found"),
    ],
)
def test_what_is_not_there_is_told_with_the_value_and_a_way_on(client, path, status, words):
    response = client.get(path)
    page = Page(response)
    assert response.status_code == status
    assert words in page.text
    assert "Open Markets" in page.text


def test_an_error_on_a_data_address_is_json_of_one_shape(client):
    response = client.get("/markets/nowhere/prospects.csv")
    assert response.status_code == 404
    assert response.get_json()["error"].keys() == {"status", "title", "message"}
    assert "'nowhere'" in response.get_json()["error"]["message"]


def test_no_page_changes_anything_by_another_method(client):
    assert client.post("/").status_code == 405
    assert client.delete(MARKET).status_code == 405


def test_a_failure_is_told_without_its_inside(demo_url, tmp_path):
    app = make_app(demo_url, tmp_path)
    app.add_url_rule("/broken", "broken", lambda: {}["secret of the house"])
    response = app.test_client().get("/broken")
    assert response.status_code == 500
    assert "Nothing was changed" in Page(response).text
    assert "secret" not in response.get_data(as_text=True)


def test_a_lost_store_is_told_on_a_page_with_its_frame(tmp_path):
    app = make_app(f"sqlite:///{tmp_path}/lost.sqlite", tmp_path)
    for file in tmp_path.glob("lost.sqlite*"):
        file.unlink()
    (tmp_path / "lost.sqlite").write_bytes(b"no database at all" * 500)
    client = app.test_client()
    page = client.get("/")
    assert page.status_code == 503
    assert "The database does not answer" in Page(page).text
    assert client.get("/healthz").status_code == 503


def test_an_empty_store_says_what_will_be_here_and_the_one_step(empty):
    page = Page(empty.get("/"))
    assert "No markets yet" in page.text
    assert "Import your data" in page.text
    assert empty.get("/healthz").get_json() == {"empty": True, "status": "ready"}
    for path in ("/findings", "/outside", "/offices", "/about"):
        assert empty.get(path).status_code == 200, path


@pytest.mark.parametrize("prospect_id", ["3m", "walmart", "aci-worldwide"])
def test_the_page_and_the_command_line_explain_with_the_same_words(client, demo_url, prospect_id):
    told = CliRunner().invoke(cli, ["--store", demo_url, "explain", prospect_id]).output
    page = Page(client.get(f"/prospects/{prospect_id}"))
    lines = [line.strip() for line in told.splitlines()]
    sentence, record = lines[1], lines[-1]
    assert sentence.endswith(".")
    assert sentence in page.text
    assert record in page.text


def test_a_card_beside_the_map_says_what_the_page_of_its_own_says(client, demo):
    prospect_id = (
        reports.market(demo, "M-BAY", scope=Scope.everything()).prospects["prospect_id"].iloc[0]
    )
    card = Page(client.get(f"{MARKET}?prospect={prospect_id}"))
    alone = Page(client.get(f"/prospects/{prospect_id}"))
    sentence = publish.explain(demo, prospect_id, scope=Scope.everything()).sentence
    assert sentence in card.text
    assert sentence in alone.text


def test_findings_of_one_kind_and_market_are_what_is_exported(client, demo):
    query = "?market=M-BAY&code=too_coarse"
    page, exported = (
        Page(client.get(f"/findings{query}")),
        csv_rows(client.get(f"/findings.csv{query}")),
    )
    found = reports.market(demo, "M-BAY", scope=Scope.everything()).findings
    expected = set(found.loc[found["code"] == "too_coarse", "subject_id"])
    assert {row["subject_id"] for row in exported} == expected
    assert len(page.rows["tbody"]) == len(expected)


def test_what_is_invented_is_marked_on_page_and_file(client):
    assert (
        "Invented for the demo customer status, rep, stage and pipeline"
        in Page(client.get(MARKET)).text
    )
    for path in ("/markets.csv", f"{MARKET}/prospects.csv", "/findings.csv"):
        assert "filename=demo-" in client.get(path).headers["Content-Disposition"]


def test_a_store_of_ones_own_is_not_called_a_demo(hostile_app):
    client = hostile_app.test_client()
    for path in ("/", "/markets/m", "/prospects/p0", "/offices", "/about"):
        text = Page(client.get(path)).text
        assert "Invented" not in text, path
        assert "Demo" not in text, path


def test_hostile_names_stay_text_on_every_page(hostile_app):
    client = hostile_app.test_client()
    for path in ("/", "/markets/m?prospect=p0", "/prospects/p0", "/findings", "/offices", "/about"):
        page = Page(client.get(path))
        assert not [given for tag, given in page.tags if tag == "img" or "onload" in given], path
        assert not [link for link in page.links if link.startswith("javascript:")], path
    text = Page(client.get("/markets/m")).text
    assert TEXTS[0] in text
    assert "{{7*7}}" in text


def test_no_cell_of_an_export_runs_in_a_spreadsheet(hostile_app):
    rows = csv_rows(hostile_app.test_client().get("/markets/m/prospects.csv"))
    cells = [cell for row in rows for cell in row.values()]
    assert "'=cmd|'/c calc'!A1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\t", "+1+"))]


def test_each_map_script_is_named_by_its_content(client):
    for path in ("/", MARKET):
        scripts = [given["src"] for tag, given in Page(client.get(path)).tags if "src" in given]
        named = next(src for src in scripts if ".js?v=" in src and "/static/" not in src)
        assert "immutable" in client.get(named).headers["Cache-Control"]
        assert "immutable" not in client.get(named.split("?")[0]).headers["Cache-Control"]
