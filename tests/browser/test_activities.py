"""A rep's day in a real browser: say what is next, tick it, save a view and open its link again."""

from __future__ import annotations

import getpass
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from territory import accounts
from territory.access import Scope
from territory.prospects.saved_view_ledger import SavedViewLedger
from territory.store import open_store
from tests.browser.test_pages import DESK, PHONE, READY, Watch
from tests.fixtures.web import NOW, make_app, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ALL = Scope.everything()
HERE = {"latitude": 41.8826, "longitude": -87.6226}


@pytest.fixture(scope="module")
def worked(demo, tmp_path_factory):
    """An app of these tests' own over a copy of the demo company."""
    folder = tmp_path_factory.mktemp("worked")
    shutil.copy(demo.url.removeprefix("sqlite:///"), folder / "demo.sqlite")
    return make_app(f"sqlite:///{folder}/demo.sqlite", folder / "var", now=lambda: NOW)


@pytest.fixture(scope="module")
def at(worked) -> Iterator[str]:
    yield from serve(worked)


@pytest.fixture
def store(worked):
    with open_store(worked.config["TERRITORY"].store_url) as opened:
        yield opened


@pytest.fixture(params=[DESK, PHONE], ids=["1280", "390"])
def screen(request: pytest.FixtureRequest, chromium: Browser, at: str) -> Iterator[Page]:
    """An empty page of a desk and of a phone; at the end nothing may have gone wrong."""
    watch = Watch(at)
    context = watch.over(
        chromium.new_context(
            viewport=request.param, base_url=at, has_touch=request.param is PHONE,
            reduced_motion="reduce", geolocation=HERE, permissions=["geolocation"],
        )
    )  # fmt: skip
    yield context.new_page()
    context.close()
    assert watch.wrong == []


def query(page: Page) -> dict[str, str]:
    return page.evaluate("() => Object.fromEntries(new URLSearchParams(location.search))")


def test_a_rep_says_what_is_next_notes_and_ticks_without_a_new_page(screen, store):
    width = screen.viewport_size["width"]
    prospect_id = {1280: "abbott-laboratories", 390: "cdw"}[width]
    screen.goto(f"/markets/M-CHI?prospect={prospect_id}")
    screen.wait_for_selector(READY)
    screen.evaluate("() => { window.isSamePage = true; }")
    work = screen.locator("#work")
    work.get_by_label("Next step", exact=True).fill("Send the price list")
    work.get_by_label("Due", exact=True).fill("2026-12-01")
    work.get_by_role("button", name="Save next step").click()
    work.get_by_text("Dec 1, 2026 (in 8 days)").wait_for()
    work.get_by_label("Note", exact=True).fill("Called: she is away.\nTry on Monday.")
    work.get_by_role("button", name="Add note").click()
    work.get_by_text("Try on Monday.").wait_for()
    told = accounts.activities_of(store, prospect_id, scope=ALL)
    assert told.notes["text"].tolist() == ["Called: she is away.\nTry on Monday."]
    assert told.steps["words"].tolist() == ["Send the price list"]
    assert screen.evaluate("document.documentElement.scrollWidth") <= width
    work.get_by_role("button", name=re.compile("^Done")).click()
    work.get_by_text("No next step yet.").wait_for()
    work.get_by_text("1 earlier step").click()
    work.get_by_role("button", name="Not done yet").click()
    work.get_by_role("button", name=re.compile("^Done")).wait_for()
    assert screen.evaluate("window.isSamePage")
    screen.goto("/next")
    row = screen.locator("tbody tr", has_text="Send the price list").first
    assert screen.evaluate("document.documentElement.scrollWidth") <= width
    row.get_by_role("button", name="Done").click()
    screen.get_by_role("button", name="Undo").click()
    screen.wait_for_url("**/next")
    assert len(accounts.activities_of(store, prospect_id, scope=ALL).steps) == 1


def assert_alike(now: dict[str, str], kept: dict[str, str]) -> None:
    """The same filters, and the same place but for a pixel: the middle falls on whole ones."""
    places = [[float(part) for part in one.pop("at").split(",")] for one in (now, dict(kept))]
    assert now == {name: value for name, value in kept.items() if name != "at"}
    assert places[0] == pytest.approx(places[1], abs=360 / 256 / 2 ** places[1][0])


def test_a_view_is_saved_as_it_is_now_and_its_link_opens_it_again(screen, store, worked):
    name = f"Customers {screen.viewport_size['width']}"
    screen.goto("/markets/M-CHI")
    screen.wait_for_selector(READY)
    screen.get_by_role("button", name="Zoom in").click()
    screen.wait_for_url("**at=*")
    if screen.viewport_size["width"] == PHONE["width"]:
        screen.get_by_role("link", name="Filter").click()
    screen.locator("#filters").get_by_role("checkbox", name="Customer", exact=False).first.check()
    screen.wait_for_url("**status=customer*")
    if screen.viewport_size["width"] == PHONE["width"]:
        screen.locator("#filters").get_by_role("button", name="Show").click()
    shown = screen.locator("[data-part=bar] b").first.inner_text()
    kept = query(screen)
    assert set(kept) == {"status", "at"}
    menu = screen.locator("details.menu")
    menu.locator("summary").click()
    menu.get_by_label("Name this view").fill(name)
    menu.get_by_role("button", name="Save view").click()
    link = menu.get_by_role("link", name=name)
    link.wait_for()
    assert_alike(query(screen), kept)
    address = link.get_attribute("href")
    screen.goto("/")
    screen.goto(address)
    screen.wait_for_selector(READY)
    assert_alike(query(screen), kept)
    assert screen.locator("[data-part=bar] b").first.inner_text() == shown
    screen.keyboard.press("Tab")
    screen.locator("details.menu summary").click()
    screen.keyboard.press("Escape")
    assert screen.locator("details.menu[open]").count() == 0
    screen.goto("/views")
    row = screen.locator("tbody tr", has_text=name)
    row.get_by_role("button", name="Delete").click()
    screen.get_by_role("button", name="Undo").click()
    screen.wait_for_url("**/views")
    screen.get_by_role("link", name=name).click()
    assert_alike(query(screen), kept)


def test_the_position_of_the_reader_is_in_no_view(screen, store, worked):
    name = f"Round me {screen.viewport_size['width']}"
    screen.goto("/markets/M-CHI")
    screen.wait_for_selector(READY)
    if screen.viewport_size["width"] == PHONE["width"]:
        screen.get_by_role("link", name="Filter").click()
    screen.get_by_text("Near a place").click()
    with screen.expect_response(lambda answer: "view.json" in answer.url and "near=" in answer.url):
        screen.get_by_role("button", name="Near me").click()
    screen.keyboard.press("Escape")
    menu = screen.locator("details.menu")
    menu.locator("summary").click()
    menu.get_by_label("Name this view").fill(name)
    menu.get_by_role("button", name="Save view").click()
    menu.get_by_role("link", name=name).wait_for()
    with store.read() as transaction:
        held = SavedViewLedger(transaction).views(getpass.getuser())
    (view,) = [one for one in held if one.name == name]
    assert set(view.query) <= {"at"}


def test_an_open_menu_outlives_a_change_of_the_filters(chromium, at):
    watch = Watch(at)
    context = watch.over(chromium.new_context(viewport=DESK, base_url=at))
    page = context.new_page()
    page.goto("/markets/M-CHI")
    page.wait_for_selector(READY)
    page.locator("details.menu summary").click()
    page.get_by_label("Name this view").fill("Half typed")
    page.evaluate(
        "() => { const box = document.querySelector('#filters [name=status][value=customer]');"
        " box.checked = true; box.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    page.wait_for_url("**status=customer*")
    page.locator("[data-part=bar] .chip.on").wait_for()
    assert page.get_by_label("Name this view").input_value() == "Half typed"
    assert page.locator("details.menu").count() == 1
    context.close()
    assert watch.wrong == []


def test_what_is_refused_stays_typed_with_the_reason_beside_it(chromium, at, store):
    watch = Watch(at)
    context = watch.over(chromium.new_context(viewport=DESK, base_url=at))
    page = context.new_page()
    page.goto("/prospects/3m")
    told = {"scope": ALL, "by": "somebody else", "now": NOW}
    accounts.set_next_step(store, "3m", "Theirs", "2026-12-05", **told)
    work = page.locator("#work")
    work.get_by_label("Next step", exact=True).fill("Mine, long thought about")
    work.get_by_label("Due", exact=True).fill("2026-12-01")
    work.get_by_role("button", name="Save next step").click()
    work.get_by_role("alert").wait_for()
    assert "somebody else set a next step meanwhile" in work.get_by_role("alert").inner_text()
    assert work.get_by_label("Next step", exact=True).input_value() == "Mine, long thought about"
    context.close()
    assert [words for words in watch.wrong if "409" not in words] == []


def test_all_of_it_works_without_scripts(chromium, at, store):
    watch = Watch(at)
    context = watch.over(
        chromium.new_context(viewport=PHONE, base_url=at, java_script_enabled=False)
    )
    page = context.new_page()
    page.goto("/markets/M-CHI?status=prospect&prospect=ulta-beauty")
    page.get_by_label("Next step", exact=True).fill("By hand")
    page.get_by_label("Due", exact=True).fill("2026-12-01")
    page.get_by_role("button", name="Save next step").click()
    page.wait_for_url("**/markets/M-CHI?status=prospect&prospect=ulta-beauty#work")
    expect(page.get_by_text("By hand", exact=True).first).to_be_visible()
    page.locator("details.menu summary").click()
    page.get_by_label("Name this view").fill("By hand too")
    page.get_by_role("button", name="Save view").click()
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="By hand too").click()
    page.wait_for_url("**/markets/M-CHI?status=prospect&prospect=ulta-beauty")
    context.close()
    assert watch.wrong == []


def test_a_browser_finds_the_manifest_of_the_page_without_fault(chromium, at):
    watch = Watch(at)
    context = watch.over(chromium.new_context(viewport=PHONE, base_url=at))
    page = context.new_page()
    page.goto("/markets/M-CHI?status=customer")
    session = context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["url"] == f"{at}/app.webmanifest?start=/markets/M-CHI?status%3Dcustomer"
    assert found["errors"] == []
    context.close()
    assert watch.wrong == []
