"""The pages in a real browser: the map is there, nothing fails or is asked of another host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from territory import reports
from territory.access import Scope
from territory.plans import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MARKETS = ("M-NYC", "M-BAY", "M-CHI")
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
READY = ".market-map[data-ready=true]"
LINES = ".market-map[data-lines=true]"  # the rings of the offices, which come after the prospects


@dataclass
class Watch:
    """What a browser complains about, and whom it asks."""

    inside: str
    wrong: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> BrowserContext:
        """Listen to every page that the context opens; CSP violations come as console errors."""
        context.on("console", lambda said: self._note(said.type != "log", f"console: {said.text}"))
        context.on("weberror", lambda error: self._note(True, f"error: {error.error}"))
        context.on(
            "request",
            lambda asked: self._note(
                not asked.url.startswith((self.inside, "data:")), f"asked {asked.url}"
            ),
        )
        context.on(
            "response",
            lambda got: self._note(got.status >= 400, f"{got.status} from {got.url}"),
        )
        return context

    def _note(self, is_wrong: bool, words: str) -> None:
        if is_wrong:
            self.wrong.append(words)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """An empty page of a desk-sized browser; at the end nothing may have gone wrong."""
    watch = Watch(address)
    context = watch.over(
        chromium.new_context(viewport=DESK, base_url=address, reduced_motion="reduce")
    )
    yield context.new_page()
    context.close()
    assert watch.wrong == []


@pytest.fixture
def phone(chromium: Browser, address: str) -> Iterator[Page]:
    watch = Watch(address)
    context = watch.over(
        chromium.new_context(viewport=PHONE, base_url=address, has_touch=True, color_scheme="dark")
    )
    yield context.new_page()
    context.close()
    assert watch.wrong == []


def test_the_home_page_shows_every_market_in_table_and_map(page, demo):
    page.goto("/")
    page.locator(".overview-map").scroll_into_view_if_needed()
    page.wait_for_selector(READY)
    markets = reports.overview(demo, scope=Scope.everything()).markets
    assert page.locator("tbody tr").count() == markets
    assert page.locator(".overview-map a.map-flag").count() == markets
    page.locator("a.map-flag", has_text="Chicago").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/markets/M-CHI")


@pytest.mark.parametrize("market_id", MARKETS)
def test_a_market_page_shows_prospects_ring_and_legend(page, demo, market_id):
    page.goto(f"/markets/{market_id}")
    page.wait_for_selector(READY)
    held = reports.market(demo, market_id, scope=Scope.everything())
    placed = len(held.prospects.dropna(subset="lon"))
    assert f"{placed} of {placed} in view" in page.inner_text(".map-count")
    page.wait_for_selector(LINES)
    assert page.locator("path.map-ring").count() == len(held.offices)
    assert page.locator(".map-office").count() == len(held.offices)
    legend = page.inner_text(".map-legend")
    assert "No open opportunity" in legend
    assert "Enterprise" in legend
    assert page.locator("path.map-market").count() >= 1
    assert page.locator(".leaflet-tile-loaded").count() > 3
    # Ink other than nothing was drawn on the canvas of the prospects.
    assert page.evaluate(
        "() => { const c = document.querySelector('canvas.map-canvas');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean); }"
    )


def test_a_filter_changes_list_count_map_and_address_without_a_new_page(page, demo):
    held = reports.market(demo, "M-BAY", scope=Scope.everything()).prospects
    page.goto("/markets/M-BAY")
    page.wait_for_selector(READY)
    page.evaluate("window.same = true")
    page.get_by_role("checkbox", name="Enterprise").check()
    few = int((held["segment"] == "enterprise").sum())
    page.locator("[data-part=bar]", has_text=f"{few} of {len(held)} prospects").wait_for()
    page.locator(".map-count", has_text=f"of {few} in view").wait_for()
    assert page.url.endswith("?segment=enterprise")
    assert page.locator("[data-part=list] tbody tr").count() == min(few, 50)
    page.go_back()
    page.locator("[data-part=bar]", has_text=f"{len(held)} of {len(held)} prospects").wait_for()
    page.locator(".map-count", has_text=f"of {len(held)} in view").wait_for()
    assert not page.get_by_role("checkbox", name="Enterprise").is_checked()
    assert page.evaluate("window.same") is True


def test_a_filter_asks_for_map_and_list_at_once(page, demo):
    held = reports.market(demo, "M-BAY", scope=Scope.everything()).prospects
    few = int((held["segment"] == "enterprise").sum())
    page.goto("/markets/M-BAY")
    page.wait_for_selector(READY)
    late, views = [], []  # the list is not answered until it is let go on
    page.route("**/markets/M-BAY?*", lambda route: late.append(route))
    page.on("request", lambda asked: views.append(asked.url) if "view.json" in asked.url else None)
    page.get_by_role("checkbox", name="Enterprise").check()
    page.locator(".map-count", has_text=f"of {few} in view").wait_for()
    (asked,) = late
    assert f"{len(held)} of {len(held)} prospects" in page.inner_text("[data-part=bar]")
    asked.continue_()
    page.locator("[data-part=bar]", has_text=f"{few} of {len(held)} prospects").wait_for()
    assert page.url.endswith("?segment=enterprise")
    assert len(views) == 1  # the list, when it comes, asks for no map again


def test_words_that_are_typed_filter_and_stay_in_the_box(page):
    page.goto("/markets/M-BAY")
    page.wait_for_selector(READY)
    page.locator("#q").press_sequentially("apple cup")
    page.wait_for_url("**?q=apple+cup*")
    page.locator("[data-part=list]", has_text="Apple").wait_for()
    assert page.locator("#q").input_value() == "apple cup"
    assert page.evaluate("document.activeElement.id") == "q"


def test_a_row_opens_the_card_whose_sentence_is_that_of_the_library(page, demo):
    page.goto("/markets/M-CHI")
    page.wait_for_selector(READY)
    row = page.locator("[data-part=list] tbody tr").nth(2)
    prospect_id = row.get_attribute("data-id")
    row.get_by_role("link").click()
    card = page.locator("#card")
    card.get_by_text("Why this owner?").wait_for()
    assert card.locator("[data-explanation]").inner_text() == (
        publish.explain(demo, prospect_id, scope=Scope.everything()).sentence
    )
    assert f"prospect={prospect_id}" in page.url
    assert page.locator("tr[aria-current=true]").get_attribute("data-id") == prospect_id
    page.get_by_role("link", name="Close card").click()
    card.wait_for(state="hidden")
    assert "prospect=" not in page.url


def test_a_choice_on_the_map_opens_the_same_card(page, demo):
    prospect_id = (
        reports.market(demo, "M-CHI", scope=Scope.everything()).prospects["prospect_id"].iloc[3]
    )
    page.goto("/markets/M-CHI")
    page.wait_for_selector(READY)
    page.evaluate(
        "id => document.dispatchEvent("
        "new CustomEvent('prospect:select', {detail: {id, from: 'map'}}))",
        prospect_id,
    )
    page.locator("#card [data-explanation]").wait_for()
    assert page.locator("tr[aria-current=true]").get_attribute("data-id") == prospect_id


def test_without_javascript_the_list_filters_sorts_and_explains(chromium, address, demo):
    watch = Watch(address)
    context = watch.over(
        chromium.new_context(viewport=DESK, base_url=address, java_script_enabled=False)
    )
    page = context.new_page()
    page.goto("/markets/M-CHI")
    page.get_by_role("checkbox", name="Enterprise").check()
    page.locator("#filters").get_by_role("button", name="Show").click()
    page.wait_for_url("**segment=enterprise*")
    held = reports.market(demo, "M-CHI", scope=Scope.everything()).prospects
    few = int((held["segment"] == "enterprise").sum())
    assert page.locator("[data-part=list] tbody tr").count() == few
    page.get_by_role("link", name="Pipeline").click()
    page.locator("th[aria-sort=descending]").wait_for()
    page.locator("[data-part=list] tbody tr").first.get_by_role("link").click()
    assert page.locator("#card [data-explanation]").inner_text().startswith("Headquartered")
    context.close()
    assert watch.wrong == []


@pytest.mark.parametrize(
    "path", ["/", "/markets/M-BAY", "/outside", "/findings", "/offices", "/about", "/prospects/3m"]
)
def test_no_page_of_a_phone_scrolls_sideways_or_has_a_small_target(phone, path):
    phone.goto(path)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = phone.evaluate(
        "() => [...document.querySelectorAll('.btn, .nav a, .input')]"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)"
        ".map(e => e.textContent)"
    )
    assert small == []


def test_the_filters_of_a_phone_open_and_close_over_the_page(phone):
    phone.goto("/markets/M-BAY")
    phone.wait_for_selector(READY)
    phone.get_by_role("link", name="Filter").click()
    phone.get_by_role("checkbox", name="Customer", exact=False).first.check()
    phone.wait_for_url("**status=customer*")
    phone.locator("#filters").get_by_role("button", name="Show").click()
    phone.locator("#filters").wait_for(state="hidden")
    assert phone.locator("[data-part=bar] .pill").inner_text() == "1"


def test_hostile_names_run_nothing(chromium, hostile_address):
    watch = Watch(hostile_address)
    context = watch.over(chromium.new_context(viewport=DESK, base_url=hostile_address))
    page = context.new_page()
    for path in ("/", "/markets/m", "/markets/m?prospect=p0", "/prospects/p0", "/offices"):
        page.goto(path)
        if path in {"/", "/markets/m"}:
            page.locator(".market-map").scroll_into_view_if_needed()
            page.wait_for_selector(READY)
        assert page.title() != "broken"
        assert page.locator("img[onerror], svg[onload]").count() == 0
    context.close()
    assert watch.wrong == []


def test_the_printed_page_keeps_table_words_and_drops_controls(page):
    page.goto("/markets/M-CHI")
    page.wait_for_selector(READY)
    page.emulate_media(media="print")
    expect(page.locator(".rail")).not_to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).not_to_be_visible()
    expect(page.locator("[data-part=list] tbody tr").first).to_be_visible()


def test_a_map_that_comes_late_waits_for_its_size(page):
    held = []
    page.route("**/asset/map-*.css", lambda route: held.append(route))  # it comes last
    page.goto("/")
    page.locator("[data-late]").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert held
    assert page.locator(".leaflet-container").count() == 0
    for route in held:
        route.continue_()
    page.wait_for_selector(READY)
    box = page.locator(".folium-map").bounding_box()
    flag = page.locator(".map-flag", has_text="Denver").bounding_box()
    assert box["x"] < flag["x"] < box["x"] + box["width"]
    assert box["y"] < flag["y"] < box["y"] + box["height"]
