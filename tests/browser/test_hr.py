"""A single check in a real browser: card, map, pin; and no address that tells of a home."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from territory.eligibility import desk
from territory.eligibility.rules import Criterion
from territory.eligibility.rules.policy import Grandfathering
from territory.store import open_store
from tests.browser.test_pages import DESK, PHONE, READY, Watch
from tests.fixtures.desk import desk_app, hr_of
from tests.fixtures.eligibility_drawn import policy
from tests.fixtures.eligibility_stores import LAT, LON, NOW, point
from tests.fixtures.hr_apps import decisions
from tests.fixtures.web import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ZIP = "67654"
ADDRESS = f"1742 Canary Lane, Norton, KS {ZIP}"
TILE = re.compile(r"/tiles/(?:light|dark)/(\d+)/(\d+)/(\d+)")
PATIENCE_MS = 30_000  # tiles are drawn when they are first asked for


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return desk_app(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    yield from serve(app)


@pytest.fixture
def opened(chromium: Browser, address: str, app: Flask) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser signed in as HR; at the end nothing may have gone wrong in it."""
    watch, contexts = Watch(address), []
    cookie = hr_of(app).get_cookie("territory-session")

    def open_(**settings: object) -> BrowserContext:
        context = watch.over(
            chromium.new_context(
                **{"viewport": DESK, "base_url": address, "reduced_motion": "reduce", **settings}
            )
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        contexts.append(context)
        return context

    yield open_
    for context in contexts:
        context.close()
    assert watch.wrong == []


@pytest.fixture
def page(opened: Callable[..., BrowserContext]) -> Page:
    return opened().new_page()


def check(page: Page, home: str, person: str = "E-1") -> None:
    page.goto("/hr")
    page.get_by_label("Home address, ZIP or coordinates").fill(home)
    page.get_by_label("Person, by reference").fill(person)
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator(".verdict").wait_for()


def record(page: Page, home: str, person: str = "E-1") -> None:
    """Check a home and put the answer on record."""
    check(page, home, person)
    page.get_by_role("button", name="Record decision").click()
    page.get_by_role("link", name="Certificate").wait_for()


def test_a_home_is_checked_and_shown_with_office_ring_and_circle(page):
    check(page, ADDRESS)
    page.wait_for_selector(READY)
    assert page.get_by_role("heading", name="Eligible").evaluate(
        "e => e === document.activeElement"
    )
    assert "inside the 50-mile limit" in page.locator(".say").inner_text()
    assert page.title() == "Check a home · Territory"
    drawn = page.eval_on_selector_all(
        ".leaflet-map-pane path, .leaflet-map-pane .leaflet-marker-icon",
        "all => all.filter(e => !e.parentNode.closest('.map-office'))"
        ".map(e => [...e.classList].find(name => /^(map|home)-/.test(name)))",
    )
    assert sorted(drawn) == ["home-anchor", "home-dot", "map-office", "map-ring", "map-uncertainty"]
    labels = page.locator(".home-label").all_inner_texts()
    assert sorted(labels) == ["50 mi", "Home (ZIP code)", "West office"]
    # All of it is in view: the ring and the circle stand inside the box of the map.
    frame = page.locator(".home-map").bounding_box()
    for name in ("path.map-ring", "path.map-uncertainty"):
        box = page.locator(f".home-map {name}").bounding_box()
        assert box["x"] >= frame["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
        assert box["y"] >= frame["y"]
        assert box["y"] + box["height"] <= frame["y"] + frame["height"]


def test_no_address_and_no_line_of_the_server_tells_where_a_home_is(page, caplog):
    caplog.set_level(logging.DEBUG)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.all_headers()}"))
    home = point(12.3456)
    for typed in (ADDRESS, f"{home['lat']}, {home['lon']}"):
        check(page, typed)
        page.wait_for_selector(READY)
        page.wait_for_load_state("networkidle")
        page.locator(".home-map").click()  # zooms and pans as a person would
        closer = page.get_by_role("button", name="Zoom in")
        while closer.get_attribute("aria-disabled") == "false":
            closer.click()
            page.wait_for_timeout(150)
        page.wait_for_load_state("networkidle")
    told = "\n".join(asked) + caplog.text
    assert "POST /hr" in caplog.text
    assert not [part for part in (ZIP, "Canary", "Norton", *home.values(), home["lat"][:7],
                                  home["lon"][:7]) if part in told]  # fmt: skip
    zooms = {int(z) for z, _, _ in TILE.findall(told)}
    assert zooms
    assert max(zooms) <= 9


def test_the_tiles_are_the_same_whichever_way_the_home_lies(opened):
    seen = []
    for miles in (30, -30):
        page = opened().new_page()
        tiles: set[str] = set()
        page.on("request", lambda request, tiles=tiles: tiles.update(TILE.findall(request.url)))
        home = point(miles)
        check(page, f"{home['lat']}, {home['lon']}")
        page.wait_for_selector(READY)
        page.wait_for_load_state("networkidle")
        east = page.evaluate(
            "JSON.parse(document.getElementById('home-check').textContent).home.lon"
        )
        assert (east > LON) == (miles > 0)
        seen.append(tiles)
    assert seen[0] == seen[1]
    assert seen[0]


def test_a_pin_fills_in_the_field_and_is_checked(page):
    check(page, f"{LAT}, {LON}")
    page.wait_for_selector(READY)
    page.get_by_role("button", name="Pin on map").click()
    field = page.get_by_label("Home address, ZIP or coordinates")
    before = field.input_value()
    assert re.fullmatch(r"-?\d+\.\d+, -?\d+\.\d+", before)
    assert page.locator(".map-pin").evaluate("e => e === document.activeElement")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    lat, lon = map(float, field.input_value().split(", "))
    assert lon > float(before.split(", ")[1])
    said = page.locator("[data-pin-said]").inner_text()
    assert re.match(r"The pin counts as known to \d+\.\d+ miles at this zoom", said)
    box = page.locator(".home-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 90, box["y"] + box["height"] / 2 + 40)
    lat2, lon2 = map(float, field.input_value().split(", "))
    assert lat2 < lat
    assert lon2 != lon
    page.get_by_role("button", name="Check").click()
    page.locator(".map-pin").wait_for(state="detached")  # the answer takes its place
    page.get_by_text("Read as latitude").wait_for()
    assert page.locator(".home-map path.home-dot").count() == 1
    assert page.locator(".home-map path.map-uncertainty").count() == 1  # what its pixel covers


def test_a_check_and_a_recording_are_sent_once_however_often_the_button_is_pressed(page, app):
    page.goto("/hr")
    page.get_by_label("Home address, ZIP or coordinates").fill(ZIP)
    sent, before = [], decisions(app)
    page.on("request", lambda request: sent.append(1) if request.method == "POST" else None)
    page.get_by_role("button", name="Check").dblclick(no_wait_after=True)
    page.locator(".verdict").wait_for()
    assert (len(sent), decisions(app)) == (1, before)  # an address that is tried is no decision
    page.get_by_text("Nothing is on record, and nothing is kept of the home.").wait_for()
    page.get_by_role("button", name="Record decision").dblclick(no_wait_after=True)
    page.get_by_role("link", name="Certificate").wait_for()
    assert (len(sent), decisions(app)) == (2, before + 1)


def test_without_javascript_all_but_the_map_is_there(opened):
    page = opened(java_script_enabled=False).new_page()
    record(page, ZIP, "E-77")
    expect(page.get_by_role("heading", name="Eligible")).to_be_visible()
    note, box = (page.locator(f".map-panel{x}").bounding_box() for x in (" noscript p", ""))
    assert box["y"] < note["y"] < box["y"] + box["height"] - note["height"]
    page.get_by_role("link", name="Certificate").click()
    expect(page.get_by_role("heading", name="Eligibility decision")).to_be_visible()
    page.goto("/hr/decisions")
    page.get_by_label("Person or decision").fill("E-77")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("about E-77").wait_for()
    assert page.url.endswith("/hr/decisions")
    page.locator("tbody th a").first.click()
    page.get_by_role("button", name="Purge the homes of E-77").click()
    page.get_by_role("button", name="Purge 1 home").click()
    assert "1 homes purged" in page.inner_text(".done")


def test_a_certificate_prints_without_the_frame_of_the_page(page):
    record(page, ZIP)
    page.get_by_role("link", name="Certificate").click()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".sheet")).to_be_visible()
    expect(page.locator(".sheet .big")).to_be_visible()
    for hidden in (".top", ".btn", ".chips"):
        assert page.locator(f"{hidden}:visible").count() == 0, hidden
    expect(page.locator(".foot.print-only")).to_be_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="Letter"))) == 1


def test_an_approved_person_stays_approved_after_a_stricter_policy(page, app):
    home = point(30)
    typed = f"{home['lat']}, {home['lon']}"
    record(page, typed, "E-1042")
    strict = policy(
        Criterion(20.0), name="rule", version="2", effective_from="2027-01-01",
        grandfathering=Grandfathering("2027-01-01", until=("home",)),
    )  # fmt: skip
    with open_store(app.config["TERRITORY"].store_url) as store:
        desk.save_policy(store, strict, by="hr", now=NOW)
        desk.publish_policy(store, "rule", "2", by="hr", now=NOW)
    for person, word in (("E-1042", "Eligible"), ("E-2", "Not eligible")):
        page.goto("/hr")
        page.get_by_label("Home address, ZIP or coordinates").fill(typed)
        page.get_by_label("Person, by reference").fill(person)
        page.get_by_text("More about the person").click()
        page.get_by_label("Decided for").fill("2027-02-01")
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator(".verdict .big, .verdict h2").first).to_have_text(word)
        stands = page.locator(".verdict").get_by_text("decided on 2026-11-23")
        expect(stands).to_have_count(1 if person == "E-1042" else 0)
        page.get_by_role("button", name="Record decision").click()
        page.get_by_role("link", name="Certificate").click()
        expect(page.locator(".sheet .big")).to_have_text(word)
        expect(page.locator(".sheet")).to_contain_text("rule 2")
        standing = "an earlier decision that stands" if person == "E-1042" else "the distance"
        expect(page.locator(".sheet")).to_contain_text(re.compile(rf"Based on\s*{standing}"))
        if person == "E-1042":
            expect(page.locator(".sheet .say")).to_have_text("An earlier decision stands.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_phone_scrolls_sideways_or_has_a_small_target(opened, scheme):
    page = opened(viewport=PHONE, has_touch=True, color_scheme=scheme).new_page()
    record(page, ADDRESS)
    page.wait_for_selector(READY)
    one = page.locator(".record header a").get_attribute("href")
    paths = [None, "/hr", "/hr/decisions", one, f"{one}/certificate", "/hr/exceptions", "/hr/purge"]
    for path in paths:
        if path:
            page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        small = page.evaluate(
            "() => [...document.querySelectorAll('.btn, .nav a, .input, summary')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)"
            ".map(e => e.textContent)"
        )
        assert small == [], path


def test_every_page_has_one_heading_labels_and_at_most_one_filled_button(page):
    record(page, ADDRESS)
    one = page.locator(".record header a").get_attribute("href")
    paths = [None, "/hr", "/hr/decisions", one, f"{one}/certificate", "/hr/exceptions", "/hr/purge"]
    for path in paths:
        if path:
            page.goto(path)
        assert page.locator("h1").count() == 1, path
        assert page.locator(".btn.primary:visible").count() <= 1, path
        nameless = page.evaluate(
            "() => [...document.querySelectorAll('input:not([type=hidden]), select, button')]"
            ".filter(e => !e.labels?.length && !e.textContent.trim()).map(e => e.outerHTML)"
        )
        assert nameless == [], path
