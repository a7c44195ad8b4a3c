"""The market book as a page and as a file, on the screen, on paper, and for whom."""

from __future__ import annotations

import io
import json
import unicodedata
from typing import TYPE_CHECKING

import pandas as pd
import pypdf
import pytest
from playwright.sync_api import expect

from territory import reports
from territory.access import Reach, Scope, audit_log
from territory.store import open_store
from tests.fixtures.reading import Page

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

BOOK = "/markets/M-BAY/book"
QUERY = "?segment=enterprise&sort=-employees"


def names(client: FlaskClient, query: str = "") -> list[str]:
    """The companies of the export under the same query, in its order."""
    data = client.get(f"/markets/M-BAY/prospects.csv{query}").data
    return pd.read_csv(io.BytesIO(data))["name"].tolist()


def shown(page: Page) -> list[list[str]]:
    """The rows of the list, with the reason in a row of its own."""
    at = next(n for n, row in enumerate(page.rows["tbody"]) if row[0].strip() == "1")
    return page.rows["tbody"][at:]


def words(response: TestResponse) -> str:
    pages = pypdf.PdfReader(io.BytesIO(response.data)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.parametrize("query", ["", QUERY])
def test_the_page_lists_what_the_filters_show_with_why(client, demo, query):
    held = reports.market(demo, "M-BAY", scope=Scope.everything()).prospects
    reasons = dict(zip(held["name"], held["reason"], strict=True))
    rows = shown(Page(client.get(BOOK + query)))
    expected = names(client, query)
    assert expected
    assert len(rows) == 2 * len(expected)
    for name, row, reason in zip(expected, rows[::2], rows[1::2], strict=True):
        assert row[1].strip().startswith(name)
        assert reason[0].split() == reasons[name].split()


def test_the_page_says_how_many_of_how_many_and_what_was_chosen(client):
    page = Page(client.get(BOOK + QUERY))
    count = len(names(client, QUERY))
    assert f"{count} of 98 prospects" in page.text
    assert "Filters: Enterprise. Ordered fewest employees first." in page.text
    assert "Plan Example Telecom in force since 2026-11-20" in page.text
    assert f"{count} of {count} prospects are drawn." in page.text


def test_the_list_leads_to_the_book_and_the_book_back_under_the_same_filters(client):
    listed = Page(client.get("/markets/M-BAY?segment=enterprise&sort=-employees&page=1"))
    assert BOOK + QUERY in listed.links
    links = Page(client.get(BOOK + QUERY)).links
    assert "/markets/M-BAY" + QUERY in links
    assert [link for link in links if ".pdf" in link] == [
        f"{BOOK}.pdf{QUERY}&paper={paper}" for paper in ("letter", "a4")
    ]
    assert not [link for link in Page(client.get("/outside")).links if "book" in link]


@pytest.mark.parametrize(("paper", "width"), [("letter", 612), ("a4", 595)])
def test_the_file_holds_the_same_accounts_in_the_same_order(client, paper, width):
    response = client.get(f"{BOOK}.pdf{QUERY}&paper={paper}")
    assert response.mimetype == "application/pdf"
    told = response.headers["Content-Disposition"]
    assert told == "attachment; filename=demo-book-M-BAY.pdf"
    text = words(response)
    expected = names(client, QUERY)
    at = [text.index(f" {number} {name} ") for number, name in enumerate(expected, 1)]
    assert at == sorted(at)
    assert f"{len(expected)} of 98 prospects" in text
    box = pypdf.PdfReader(io.BytesIO(response.data)).pages[0].mediabox
    assert round(float(box.width)) == width


def test_paper_that_nobody_has_is_refused(client):
    response = client.get(f"{BOOK}.pdf?paper=vellum")
    assert response.status_code == 400
    assert "is none of letter, a4" in Page(response).text


@pytest.mark.parametrize(("path", "form"), [(BOOK, "page"), (f"{BOOK}.pdf", "pdf")])
def test_a_rep_has_own_accounts_alone_and_each_book_is_on_record(client_as, doors, path, form):
    client, people = client_as("rep_a"), doors.config["PEOPLE"]
    with open_store(doors.config["TERRITORY"].store_url) as store:
        every = reports.EXPORTS["prospects"](store, scope=Scope.everything())
        mine = every[every["rep_id"] == "R01"]
        market_id = mine["market_id"].dropna().iloc[0]
        response = client.get(path.replace("M-BAY", market_id))
        text = words(response) if form == "pdf" else Page(response).text
        event = audit_log.search(store, action="rows.export", limit=1)[0].iloc[0]
        own = mine[mine["market_id"] == market_id]
        assert event["by"] == people["rep_a"]
        assert (event["subject_kind"], event["subject_id"]) == ("book", market_id)
        assert json.loads(event["payload"])["detail"] == {"format": form, "rows": len(own)}
    assert f"{len(own)} of {len(own)} prospects" in text
    others = every[(every["market_id"] == market_id) & (every["rep_id"] != "R01")]
    theirs = set(others["name"]) - set(own["name"])
    assert theirs
    assert not [name for name in theirs if f" {name} " in text]
    far = min(set(every["market_id"].dropna()) - set(mine["market_id"].dropna()))
    with open_store(doors.config["TERRITORY"].store_url) as store:
        reach = Reach(rep_ids=frozenset({"R01"}))
        if far in set(reports.market_summaries(store, scope=Scope(reach))["market_id"]):
            return
    assert client.get(path.replace("M-BAY", far)).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "hr", "admin"])
@pytest.mark.parametrize("path", [BOOK, f"{BOOK}.pdf"])
def test_who_may_not_export_has_no_book(client_as, role, path):
    assert client_as(role).get(path).status_code == 403


@pytest.mark.parametrize("path", ["/markets/m/book", "/markets/m/book.pdf"])
def test_hostile_names_stay_text_in_the_book(hostile_app, path):
    response = hostile_app.test_client().get(path)
    assert response.status_code == 200
    if path.endswith(".pdf"):
        assert "=cmd|'/c calc'!A1" in words(response)
        return
    page = Page(response)
    assert not [given for tag, given in page.tags if tag == "img" or "onload" in given]
    assert not [given for _, given in page.tags if "style" in given]
    assert "{{7*7}}" in page.text
    assert "Example" not in page.text


@pytest.mark.browser
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_page_prints_light_without_controls_and_repeats_its_heads(address, chromium, paper):
    context = chromium.new_context(color_scheme="dark")
    page = context.new_page()
    wrong = []
    page.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address + BOOK)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    data = page.pdf(format=paper)
    page.emulate_media(media="print", color_scheme="dark")
    ink, ground = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    context.close()
    assert (ink, ground) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert not wrong
    read = (one.extract_text() for one in pypdf.PdfReader(io.BytesIO(data)).pages)
    pages = [" ".join(unicodedata.normalize("NFKC", text).split()) for text in read]
    told = " ".join(pages)
    assert "Back to the list" not in told
    assert "PDF, Letter" not in told
    listed = [text for text in pages if "Headquartered in the San Francisco Bay" in text]
    assert len(listed) > 3
    for text in listed:
        assert "Nearest office" in text, "the head of the list"
        assert "98 of 98 prospects" in text, "the foot of the list"
    assert "25 mi" in pages[0]
    assert "U.S. Census Bureau" in pages[0]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390, 360])
def test_menu_and_book_work_by_keyboard_and_fit_the_screen(address, chromium, width):
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/markets/M-BAY")
    summary = page.locator("details.take > summary")
    summary.focus()
    page.keyboard.press("Enter")
    menu = page.locator("details.take .menu")
    expect(menu).to_be_visible()
    box = menu.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    heights = [link.bounding_box()["height"] for link in menu.locator("a").all()]
    assert len(heights) == 6
    assert min(heights) >= 44
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Market book").click()
    page.wait_for_url("**/book")
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0
    context.close()


@pytest.mark.browser
def test_the_menu_works_without_a_script(address, chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/markets/M-BAY?segment=enterprise")
    page.locator("details.take > summary").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="KML").click()
    assert started.value.suggested_filename == "demo-prospects-M-BAY.kml"
    page.get_by_role("link", name="Market book").click()
    expect(page.get_by_role("heading", name="San Francisco Bay")).to_be_visible()
    context.close()
