"""A rep at work: in by a one-time link, filters, a slip of the pen, a choice, its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from territory import reports
from territory.access import Reach, Scope, one_time_links
from territory.geodesy import inverse
from territory.plans import publish
from territory.store import open_store
from territory.units_of_length import METRES_PER_MILE
from tests.browser.test_pages import DESK, PHONE, READY, Watch
from tests.fixtures.web import NOW, REP_A, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from flask import Flask
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
OWN = Reach(rep_ids=frozenset({REP_A}))
MINE = Scope(OWN, OWN, OWN, OWN, sums=OWN)
HERE = "/markets/M-NYC"
JPM = "jpmorgan-chase"


@pytest.fixture(scope="module")
def door(doors: Flask) -> Iterator[str]:
    yield from serve(doors)


@pytest.fixture
def enter(doors: Flask, door: str, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a browser and come in by a one-time link; at the end nothing may have gone wrong."""
    watch, contexts = Watch(door), []

    def come_in(who: str = "rep_a", size: dict[str, int] = DESK) -> Page:
        with open_store(doors.config["TERRITORY"].store_url) as store:
            link = one_time_links.make_link(
                store, doors.config["PEOPLE"][who], "sign_in", by="t", now=NOW
            )
        context = chromium.new_context(
            viewport=size, base_url=door, reduced_motion="reduce", has_touch=size == PHONE,
            permissions=["clipboard-read", "clipboard-write", "geolocation"],
            geolocation={"longitude": -73.9772, "latitude": 40.7601},
        )  # fmt: skip
        contexts.append(watch.over(context))
        page = context.new_page()
        page.goto(one_time_links.link_address(door, link))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/sign-in" not in address)
        return page

    yield come_in
    for context in contexts:
        context.close()
    assert watch.wrong == []


def counted(page: Page) -> str:
    return " ".join(page.locator("[data-part=bar] [role=status]").inner_text().split())


def looks(page: Page) -> dict[str, object]:
    """Say what a page shows, wherever it was opened."""
    page.wait_for_selector(READY)
    return {
        "count": counted(page),
        "map": page.locator(".map-count").inner_text(),
        "list": page.locator("[data-part=list] tbody tr").evaluate_all(
            "(rows) => rows.map((row) => [row.dataset.id, row.getAttribute('aria-current')])"
        ),
        "why": page.locator("[data-explanation]").inner_text(),
        "box": page.locator("#q").input_value(),
    }


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_rep_filters_searches_with_a_slip_chooses_reads_why_and_sends_the_link(
    enter, demo, size
) -> None:
    page = enter(size=size)
    rows = reports.market(demo, "M-NYC", scope=MINE).prospects
    page.goto(HERE)
    page.wait_for_selector(READY)
    assert counted(page) == f"{len(rows)} of {len(rows)} prospects"
    if size == PHONE:
        page.get_by_role("link", name="Filter").click()
    free = int(rows["stage"].isna().sum())
    box = page.get_by_role("checkbox", name="No open opportunity")
    beside = box.locator("xpath=..").locator(".n").inner_text()
    box.check()
    page.locator("[data-part=bar]", has_text=f"{free} of {len(rows)} prospects").wait_for()
    assert beside == str(free)
    page.locator("#q").press_sequentially("jpmorgn")
    page.wait_for_url("**q=jpmorgn*")
    page.locator("[data-part=bar]", has_text=f"1 of {len(rows)} prospects").wait_for()
    if size == PHONE:
        page.locator("#filters").get_by_role("button", name="Show 1").click()
        page.locator("#filters").wait_for(state="hidden")
    page.locator("[data-part=list] tbody tr").get_by_role("link").click()
    page.locator("#card [data-explanation]").wait_for()
    sentence = publish.explain(demo, JPM, scope=MINE).sentence
    assert page.locator("[data-explanation]").inner_text() == sentence
    page.locator(".leaflet-control-zoom-in").click()
    page.wait_for_url("**at=*")
    page.wait_for_selector(READY)

    here, again = looks(page), enter(size=size)
    assert here["list"] == [[JPM, "true"]]
    again.goto(page.url)
    assert looks(again) == here
    assert again.url == page.url
    assert again.locator("input[name=whitespace]").is_checked()


def test_the_link_of_a_rep_shows_another_rep_nothing_of_it(enter) -> None:
    page = enter("rep_b")
    for address in (f"{HERE}?prospect={JPM}", f"/prospects/{JPM}"):
        answer = page.request.get(address)
        assert answer.status == 404
        assert "JPMorgan" not in answer.text()
    page.goto(f"{HERE}?q=jpmorgan")
    page.wait_for_selector(READY)
    assert counted(page).startswith("0 of ")
    assert "JPMorgan" not in page.locator("main").inner_text()


def test_what_is_typed_is_answered_with_words_and_names_also_after_a_slip(enter) -> None:
    page = enter()
    page.goto(HERE)
    page.wait_for_selector(READY)
    for typed, wanted in (("jpm", "JPMorgan Chase"), ("jpmorgn chse", "JPMorgan Chase")):
        page.locator("#q").fill("")
        page.locator("#q").press_sequentially(typed)
        page.wait_for_function(
            "(name) => [...document.querySelectorAll('#suggestions option')]"
            ".some((one) => one.value === name)",
            arg=wanted,
        )


def test_list_and_map_point_at_the_same_one_both_ways(enter) -> None:
    page = enter()
    page.goto(f"{HERE}?q=adp")
    page.wait_for_selector(READY)
    row = page.locator("tr[data-id=adp]")
    row.hover()
    page.wait_for_function("() => document.querySelector('.map-tip').textContent === 'ADP'")
    page.mouse.move(5, 5)
    page.focus(".map-cursor")
    page.keyboard.press("Enter")
    page.locator("#card h2", has_text="ADP").wait_for()
    assert "sel" in (row.get_attribute("class") or "")
    marked = "() => document.querySelector('tr[data-id=adp]').classList.contains('hover')"
    for _ in range(50):  # the map makes room for the card, and the symbol moves with it
        x, y = page.evaluate(
            "() => { const box = document.querySelector('.map-cursor').getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; }"
        )
        page.mouse.move(5, 5)
        page.mouse.move(x, y)
        page.wait_for_timeout(100)
        if page.evaluate(marked):
            break
    assert page.evaluate(marked)


def test_an_address_is_copied_by_keyboard_and_opens_in_the_readers_own_program(enter, demo) -> None:
    page = enter()
    page.goto(f"{HERE}?prospect={JPM}")
    page.wait_for_selector(READY)
    row = reports.prospect(demo, JPM, scope=MINE).prospect.iloc[0]
    button = page.get_by_role("button", name="Copy address")
    button.focus()
    page.keyboard.press("Enter")
    page.locator("[data-copied]", has_text="Copied").wait_for()
    said = page.evaluate("navigator.clipboard.readText()")
    assert said.startswith(str(row["street"] or row["city"]))
    assert page.evaluate("document.activeElement.hasAttribute('data-copy')")
    link = page.get_by_role("link", name="Open in map app").get_attribute("href")
    assert link.startswith(f"geo:{row['lat']:.5f},{row['lon']:.5f}?q=")


def test_sites_are_counted_listed_and_drawn_as_spokes(enter, demo) -> None:
    sites = reports.EXPORTS["sites"](demo, scope=MINE)
    rows = reports.market(demo, "M-NYC", scope=MINE).prospects
    wide = sites[sites["prospect_id"].isin(rows["prospect_id"])]["prospect_id"].value_counts()
    prospect_id, count = wide.index[0], int(wide.iloc[0])
    page = enter()
    page.goto(f"{HERE}?prospect={prospect_id}")
    page.wait_for_selector(READY)
    assert f"of {count} sites" in page.locator("[data-reach]").inner_text().replace("\xa0", " ")
    assert page.locator("[data-site]").count() == count
    page.locator(".map-legend", has_text="Site of the chosen company").wait_for()
    zoom = "() => Number(new URL(location.href).searchParams.get('at')?.split(',')[0] ?? 99)"
    page.get_by_role("button", name="Show all on the map").click()
    page.wait_for_url("**at=*")
    page.wait_for_selector(READY)
    assert page.evaluate(zoom) <= 5
    page.get_by_role("link", name="Close card").click()
    page.locator(".map-legend", has_text="Site of the chosen company").wait_for(state="hidden")


def test_density_is_a_switch_that_stays_in_the_address_and_says_its_classes(enter) -> None:
    page = enter()
    page.goto(HERE)
    page.wait_for_selector(READY)
    page.get_by_text("Density, colour and size on the map").click()
    page.locator("select[name=draw]").select_option(label="Density per square")
    page.wait_for_url("**draw=density*")
    page.locator(".map-legend", has_text="Density: prospects per square").wait_for()
    legend = page.locator(".map-legend").inner_text()
    assert " mi wide" in legend
    assert "and more" in legend
    assert "Colour" not in legend
    page.reload()
    page.locator(".map-legend", has_text="Density: prospects per square").wait_for()
    page.focus(".map-cursor")
    said = page.get_attribute(".map-cursor", "aria-label")
    assert "in this square, Enter shows them" in said
    page.keyboard.press("Enter")
    page.wait_for_url("**at=*")


def within(rows: pd.DataFrame, lon: float, lat: float, miles: float) -> int:
    placed = rows.dropna(subset=["lon"])
    distance_m = inverse(lon, lat, placed["lon"], placed["lat"])
    return int((distance_m <= miles * METRES_PER_MILE).sum())


def test_near_me_asks_on_request_and_keeps_the_position_out_of_the_address(enter, demo) -> None:
    page, asked = enter(), []
    page.on("request", lambda one: asked.append(one.url))
    rows = reports.market(demo, "M-NYC", scope=MINE).prospects
    page.goto(HERE)
    page.wait_for_selector(READY)
    assert not [url for url in asked if "near=" in url]
    page.get_by_text("Near a place").click()
    page.locator("input[name=within]").fill("5")
    page.get_by_role("button", name="Near me").click()
    few = within(rows, -73.9772, 40.7601, 5)
    assert 0 < few < len(rows)
    page.locator("[data-part=bar]", has_text=f"{few} of {len(rows)} prospects").wait_for()
    page.locator(".map-count", has_text=f"of {few} in view").wait_for()
    page.wait_for_selector("path.map-near")
    assert "near=" not in page.url
    assert "-73.97" not in page.url
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert "73.97" not in kept
    where = {url.split("?")[0].removeprefix(page.url.split("/markets")[0]) for url in asked
             if "73.97" in url}  # fmt: skip
    assert where == {HERE, "/view.json"}


def test_a_point_picked_on_the_map_filters_and_is_in_the_address(enter, demo) -> None:
    page = enter()
    rows = reports.market(demo, "M-NYC", scope=MINE).prospects
    page.goto(f"{HERE}?within=10")
    page.wait_for_selector(READY)
    page.get_by_text("Near a place").click()
    page.get_by_role("button", name="Pick on the map").click()
    page.locator(".map-picking").wait_for()
    box = page.locator(".market-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**near=*")
    near = parse_qs(urlsplit(page.url).query)["near"][0]
    lon, lat, miles = map(float, near.split(","))
    page.locator(
        "[data-part=bar]", has_text=f"{within(rows, lon, lat, miles)} of {len(rows)} prospects"
    ).wait_for()


def test_the_keyboard_goes_from_filters_to_map_to_list_to_card_as_the_eye_does(enter) -> None:
    page = enter()
    page.goto(f"{HERE}?prospect={JPM}")
    page.wait_for_selector(READY)
    page.focus("#q")
    passed, where = [], ""
    for _ in range(140):
        page.keyboard.press("Tab")
        where = page.evaluate(
            "() => { const e = document.activeElement;"
            " return e.closest('#filters') ? 'filters' : e.closest('.mapbox') ? 'map'"
            " : e.closest('.listpane') ? 'list' : e.closest('#card') ? 'card' : ''; }"
        )
        if where and (not passed or passed[-1] != where):
            passed.append(where)
        if where == "card":
            break
    assert passed == ["filters", "map", "list", "card"]


@pytest.mark.parametrize("width", [360, 390, 1280, 3840])
def test_nothing_scrolls_sideways_from_360_to_4k(enter, width) -> None:
    page = enter(size={"width": width, "height": 800 if width < 2000 else 2160})
    for query in (f"?prospect={JPM}", "?draw=density", "?q=nobody"):
        page.goto(HERE + query)
        page.wait_for_selector(READY)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width > 1100:  # a bench as tall as the screen, whatever is unfolded in its parts
            page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
