"""The market map as a reader meets it: pointed at, walked with the keyboard, fed hostile names."""

from __future__ import annotations

import datetime as dt
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from flask import Flask, Response, request
from pyproj import Geod
from werkzeug.serving import make_server

from territory import geodesy
from territory.prospects import ProspectIndex, snapshot
from tests.fixtures.hostile import TEXTS, held, market_view
from tests.fixtures.snapshots import draw
from webmap.maps import assets, basemap, market_map
from webmap.maps.market import LIMIT_M
from webmap.prospects import map_data, query_string
from webmap.prospects.facets import ListPage
from webmap.security import origin

if TYPE_CHECKING:
    from webmap.prospects.current_snapshot import Names

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>whole</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/tokens.css">
<link rel="stylesheet" href="/page.css">{}</head><body><main><h1>Map</h1>
<div class="box" data-view="{}">{}</div></main>
<script src="/script.js" defer></script></body></html>"""


def crowd() -> ProspectIndex:
    """Nine thousand round Chicago, 3,000 of them at one point."""
    frame = draw(9000, seed=2)
    place = np.random.default_rng(4).normal((-87.63, 41.88), 0.3, (9000, 2))
    place[:3000] = -89.9, 41.0
    return ProspectIndex(snapshot.build(frame.assign(lon=place[:, 0], lat=place[:, 1]), "many"))


MANY = crowd()


def answer(index: ProspectIndex, names: Names) -> dict[str, object]:
    """Answer as the app does to somebody who may see everything."""
    list_request, scope = query_string.read(request.args), query_string.ListScope()
    list_page = ListPage(index, list_request, scope, None, names, dt.date(2026, 11, 23))
    box = query_string.read_box(request.args)
    return map_data.map_document(list_page, box, request.args.get("prospect"))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server of one page with a hostile market, under the policy of the app."""
    app = Flask(__name__)
    app.config["TERRITORY"] = SimpleNamespace(var_dir=tmp_path_factory.mktemp("var"))
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(basemap.blueprint)
    app.after_request(origin.add_headers)
    view = market_view(name=TEXTS[0])
    drawn = market_map(view.name, view.geometry, view.offices, prospect_url="/prospects/{id}")
    tokens = (assets.files("webmap") / "static" / "pages" / "tokens.css").read_text()
    for path, text, kind in (
        ("/", PAGE.format(drawn.head, "/view.json", drawn.body), "text/html"),
        ("/many", PAGE.format(drawn.head, "/many.json", drawn.body), "text/html"),
        ("/script.js", drawn.script, "text/javascript"),
        ("/tokens.css", tokens, "text/css"),
        ("/page.css", "body { margin: 0 } .box { height: 500px }", "text/css"),
    ):
        app.add_url_rule(path, path, lambda text=text, kind=kind: Response(text, mimetype=kind))
    few, names = held(view)
    for path, kept in (("/view.json", few), ("/many.json", MANY)):
        app.add_url_rule(path, path, lambda kept=kept: answer(kept, names))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium, address):
    """The page once its map is ready; afterwards nothing may have gone wrong in it."""
    context = chromium.new_context(viewport={"width": 1000, "height": 600}, reduced_motion="reduce")
    page = context.new_page()
    wrong, outside = [], []
    page.on("console", lambda said: wrong.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            outside.append(asked.url) if not asked.url.startswith((address, "data:")) else None
        ),
    )
    page.add_init_script(
        "window.heard = [];"
        "for (const name of ['select', 'hover', 'view', 'loaded', 'place'])"
        " document.addEventListener(`prospect:${name}`, (e) => heard.push([name, e.detail]));"
    )
    page.goto(address)
    page.wait_for_selector("[data-ready=true]")
    yield page
    assert (wrong, outside, page.title()) == ([], [], "whole")
    context.close()


def tell(page, name: str, **detail: object) -> None:
    page.evaluate(
        "([name, detail]) => document.dispatchEvent(new CustomEvent(`prospect:${name}`, {detail}))",
        [name, detail | {"from": "table"}],
    )


def heard(page, name: str) -> list[dict]:
    """Read what the map said on its own."""
    return [
        detail
        for said, detail in page.evaluate("heard")
        if said == name and detail["from"] == "map"
    ]


def walk_to(page, wanted) -> str:
    """Walk from symbol to symbol until one reads as wanted."""
    page.focus(".map-cursor")
    for key in ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"] * 5:
        said = page.get_attribute(".map-cursor", "aria-label")
        if wanted(said):
            return said
        page.keyboard.press(key)
    raise AssertionError(f"the last symbol on the way was {said!r}")


def test_the_map_says_how_many_of_how_many_it_shows(page) -> None:
    assert page.inner_text(".map-count") == "58 of 58 in view, 2 without a location"
    assert heard(page, "loaded") == [{"total": 60, "placed": 58, "from": "map"}]


def test_ring_outline_office_legend_and_credit_are_on_the_map(page) -> None:
    page.wait_for_selector("[data-lines=true]")
    assert page.locator("path.map-ring").count() == 1
    assert page.locator("path.map-market").count() == 1
    assert page.get_attribute(".map-office-0", "aria-label") == f"Office: {TEXTS[0]}"
    legend = page.inner_text(".map-legend")
    for words in (
        "No open opportunity",
        "Open opportunity",
        "Customer",
        "Enterprise",
        "Mid-market",
    ):
        assert words in legend
    assert basemap.CREDITS in page.inner_text(".leaflet-control-attribution")


def test_rings_are_drawn_on_the_geodesic_circle(page) -> None:
    geod = Geod(ellps="WGS84")
    cases = [(lat, miles) for lat in (-76.0, -33.0, 0.0, 40.0, 61.2, 71.3, 83.0)
             for miles in (1, 50, 250)]  # fmt: skip
    rings = page.evaluate(
        "(cases) => cases.map(([lat, miles]) => mapLines.ring(lat, 179.5, miles * 1609.344, 256))",
        cases,
    )
    for (lat, miles), points in zip(cases, rings, strict=True):
        ring = np.array(points)[:, ::-1]
        drawn = geodesy.ring(179.5, lat, miles * 1609.344, vertices=256)
        assert len(ring) == 257
        assert (ring[0] == ring[-1]).all()
        if len(drawn) == len(ring):  # no pole within
            assert np.abs(ring - drawn).max() < 1e-8  # a millimetre
        many = np.ones(len(ring))
        far = geod.inv(179.5 * many, lat * many, *ring.T)[2]
        assert np.abs(far - miles * 1609.344).max() < 0.01
    office = page.evaluate("JSON.parse(document.querySelector('[data-offices]').dataset.offices)")
    ring = np.array(
        page.evaluate("([lat, lon, m]) => mapLines.ring(lat, lon, m, 256)",
                      [office["lat"][0], office["lon"][0], LIMIT_M])
    )  # fmt: skip
    middles, many = (ring[1:] + ring[:-1]) / 2, np.ones(256)
    far = geod.inv(office["lon"][0] * many, office["lat"][0] * many, middles[:, 1], middles[:, 0])
    assert np.abs(far[2] - LIMIT_M).max() < 10


def test_hostile_names_are_shown_letter_by_letter_and_never_run(page) -> None:
    for row, text in enumerate(TEXTS, 30):
        tell(page, "hover", id=f"p{row}")
        assert page.evaluate("document.querySelector('.map-tip').textContent") == text
        tell(page, "select", id=f"p{row}")
        assert page.evaluate("document.querySelector('.map-popup h3').textContent") == text
        assert page.locator(".map-popup img, .map-popup script, .map-popup h3 *").count() == 0
        link = page.get_attribute(".map-popup a[href^='/prospects/']", "href")
        assert link == f"/prospects/p{row}"
    page.wait_for_load_state("networkidle")  # and no picture was asked for


def test_choosing_a_row_draws_its_uncertainty_and_the_map_does_not_echo(page) -> None:
    tell(page, "select", id="p40")
    assert page.locator("path.map-uncertainty").count() == 1
    assert "Location accurate to about 3.2 mi" in page.inner_text(".map-popup")
    assert heard(page, "select") == []
    tell(page, "select", id=None)
    assert page.locator("path.map-uncertainty").count() == 0
    page.wait_for_selector(".map-popup", state="detached")
    assert heard(page, "select") == []


def test_a_prospect_without_a_location_can_be_chosen_without_harm(page) -> None:
    tell(page, "select", id="p59")
    tell(page, "hover", id="p59")
    assert page.locator(".map-popup").count() == 0


def test_the_keyboard_walks_the_symbols_and_opens_one(page) -> None:
    said = walk_to(page, lambda words: "together" in words)
    said = walk_to(page, lambda words: "together" not in words)
    assert any(said.startswith(text) for text in TEXTS)
    page.keyboard.press("Enter")
    chosen = heard(page, "select")[-1]
    shown = page.evaluate("document.querySelector('.map-popup h3').textContent")
    assert shown == TEXTS[int(chosen["id"][1:]) % len(TEXTS)]
    page.keyboard.press("Escape")
    assert heard(page, "select")[-1]["id"] is None
    page.wait_for_selector(".map-popup", state="detached")


def test_entering_a_crowd_comes_closer_and_the_numbers_still_add_up(page) -> None:
    walk_to(page, lambda words: "together" in words)
    page.keyboard.press("Enter")
    page.wait_for_function("() => heard.filter(([name]) => name === 'view').length > 1")
    inside = heard(page, "view")[-1]
    assert 20 <= inside["inView"] < 58
    assert inside["shown"] == 58
    assert page.inner_text(".map-count").startswith(f"{inside['inView']} of 58 in view")


def test_a_filter_of_the_page_takes_the_others_off_the_map(page) -> None:
    tell(page, "reload", url="/view.json?status=former")
    page.wait_for_function("() => heard.filter(([name]) => name === 'loaded').length === 2")
    assert page.inner_text(".map-count") == (
        "14 of 14 in view, 45 filtered out, 1 without a location"
    )
    assert heard(page, "loaded")[-1] == {"total": 60, "placed": 14, "from": "map"}
    tell(page, "reload", url="/view.json")
    page.wait_for_function("() => heard.filter(([name]) => name === 'loaded').length === 3")
    assert page.inner_text(".map-count").startswith("58 of 58")


def test_colour_and_size_are_told_by_the_legend(page) -> None:
    tell(page, "reload", url="/view.json?colour=status&size=employees&near=-87.63,41.88,5")
    page.wait_for_function("() => heard.filter(([name]) => name === 'loaded').length === 2")
    said = page.inner_text(".map-legend")
    assert "Colour: status" in said
    assert "Prospect" in said
    assert "Size: employees" in said
    assert "under 100" in said
    assert page.locator("path.map-near").count() == 1


def test_density_puts_everybody_into_squares_and_says_what_they_stand_for(page) -> None:
    tell(page, "reload", url="/view.json?draw=density")
    page.locator(".map-legend", has_text="Density: prospects per square").wait_for()
    page.wait_for_selector("[data-ready=true]")
    assert page.inner_text(".map-count") == "58 of 58 in view, 2 without a location"
    said = page.inner_text(".map-legend")
    assert "mi wide" in said
    assert "Shape" not in said
    said = walk_to(page, lambda words: "prospects in this square" in words)
    before, count = page.inner_text(".map-count"), int(said.split()[0])
    assert 1 < count <= 58
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(was) => document.querySelector('.map-count').innerText !== was", arg=before
    )
    tell(page, "select", id="p40")
    page.wait_for_selector(".map-popup")
    tell(page, "reload", url="/view.json")
    page.locator(".map-legend", has_text="Shape: status").wait_for()


def test_those_who_share_a_point_fan_out_and_each_can_be_reached(page, address) -> None:
    page.goto(f"{address}?at=16,41.6,-88.2")
    page.wait_for_selector("[data-ready=true]")
    said = set()
    page.focus(".map-cursor")
    for key in ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"] * 3:
        said.add(page.get_attribute(".map-cursor", "aria-label"))
        page.keyboard.press(key)
    assert len({words for words in said if words.startswith(TEXTS[:3])}) == 3


def test_sites_are_spokes_of_the_chosen_one_and_go_with_it(page) -> None:
    tell(page, "select", id="p40")
    sites = [{"id": "s1", "lon": -88.4, "lat": 41.9}, {"id": "s2", "lon": -100, "lat": 35}]
    tell(page, "sites", sites=sites)
    page.locator(".map-legend", has_text="Site of the chosen company").wait_for()
    tell(page, "sites", pointed="s1")
    tell(page, "sites", sites=sites, all=True)
    assert int(settle(page)["at"].split(",")[0]) < 8
    tell(page, "select", id="p41")
    page.locator(".map-legend", has_text="Site of the chosen company").wait_for(state="hidden")


def test_a_place_is_named_by_a_click_when_the_page_asks_for_one(page) -> None:
    tell(page, "pick", on=True)
    page.mouse.click(500, 200)
    (named,) = heard(page, "place")
    assert -90 < named["lon"] < -86
    assert 40 < named["lat"] < 44
    page.mouse.click(500, 200)
    assert len(heard(page, "place")) == 1


def settle(page) -> dict:
    """Wait until what the map shows is what it would be answered now."""
    page.wait_for_timeout(60)
    page.wait_for_selector(".leaflet-zoom-anim", state="detached")
    page.wait_for_selector("[data-ready=true]")
    return heard(page, "view")[-1]


def test_many_are_counted_by_the_server_and_every_one_is_in_a_number(page, address) -> None:
    page.goto(f"{address}many")
    page.wait_for_selector("[data-ready=true]")
    seen = settle(page)
    assert seen["total"] == seen["shown"] == 9000
    assert seen["inView"] > 8000
    said = walk_to(page, lambda words: "together" in words)
    assert int(said.split()[0].replace(",", "")) > 5
    before = page.inner_text(".map-count")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(was) => document.querySelector('.map-count').innerText !== was", arg=before
    )
    closer = settle(page)
    assert closer["inView"] < seen["inView"]
    assert closer["at"]


def test_a_crowd_at_one_point_is_listed_where_it_cannot_be_drawn(page, address) -> None:
    page.goto(f"{address}many?at=16,41.0,-89.9")
    page.wait_for_selector("[data-ready=true]")
    assert page.inner_text(".map-count").startswith("3,000 of 9,000 in view")
    said = walk_to(page, lambda words: "together" in words)
    assert said.startswith("3,000 prospects")
    page.keyboard.press("Enter")
    (named,) = heard(page, "place")
    assert (round(named["lon"], 2), round(named["lat"], 2), named["miles"]) == (-89.9, 41.0, 0.1)


def test_one_inside_a_cluster_can_be_chosen_and_is_brought_into_sight(page, address) -> None:
    row = int(np.argmax(MANY.snapshot.column["lon"][: MANY.snapshot.placed]))
    chosen = MANY.snapshot.texts["prospect_id"][row]
    page.goto(f"{address}many?at=11,41.0,-89.9")
    page.wait_for_selector("[data-ready=true]")
    tell(page, "select", id=chosen)
    page.wait_for_selector(".map-popup")
    name = page.evaluate("document.querySelector('.map-popup h3').textContent")
    assert name == MANY.snapshot.texts["name"][row]
    settle(page)
    assert page.locator(".map-popup").count() == 1


def test_what_was_fetched_is_not_fetched_again(page) -> None:
    asked = []
    page.on("request", lambda one: asked.append(one.url) if "view.json" in one.url else None)
    page.focus(".map-cursor")
    page.keyboard.press("ArrowRight")
    page.locator(".leaflet-control-zoom-in").click()
    settle(page)
    assert asked == []
    for _ in range(3):
        page.locator(".leaflet-control-zoom-out").click()
        settle(page)
    assert len(asked) == 2


def test_where_a_zoom_ends_is_asked_while_it_is_under_way_and_once(chromium, address) -> None:
    context = chromium.new_context(viewport={"width": 1000, "height": 600})
    page = context.new_page()
    page.goto(f"{address}many?at=7,41.5,-88.5")
    page.wait_for_selector("[data-ready=true]")
    page.evaluate(
        "() => { const ask = window.fetch; window.asked = []; window.fetch = (url, ...rest) => {"
        " asked.push([new URL(url).searchParams.get('zoom'),"
        " document.querySelector('.leaflet-zoom-anim') !== null]); return ask(url, ...rest); }; }"
    )
    for number, way in enumerate(("in", "out"), 1):
        page.locator(f".leaflet-control-zoom-{way}").click()
        page.wait_for_function("(number) => asked.length >= number", arg=number)
        page.wait_for_selector(".market-map:not(:has(.leaflet-zoom-anim))[data-ready=true]")
    assert page.evaluate("asked") == [["8", True], ["7", True]]
    context.close()


def test_the_map_follows_the_size_of_its_box_and_keeps_what_is_chosen_in_sight(page) -> None:
    tell(page, "select", id="p40")
    page.evaluate("document.querySelector('.market-map').style.width = '420px'")
    page.wait_for_function("() => document.querySelector('.map-canvas').offsetWidth < 600")
    page.wait_for_function(
        "() => document.querySelector('.map-popup').getBoundingClientRect().right <= 420"
    )


def test_clusters_hold_every_point_exactly_once(page) -> None:
    counts = page.evaluate(
        """() => {
          const points = [], keepOff = [{x: 5, y: 5, r: 12}];
          let seed = 1;
          const next = () => (seed = seed * 48271 % 2147483647) / 2147483647;
          for (let i = 0; i < 4000; i++)
            points.push({i, n: 1, x: 900 * next() ** 2, y: 600 * next() ** 3});
          for (let i = 4000; i < 4040; i++) points.push({i, n: 1, x: 450, y: 300});
          for (let k = 0; k < 100; k++)
            points.push({i: -1, n: 7, x: 900 * next(), y: 600 * next()});
          return [false, true].map((loose) => {
            const copies = points.map((p) => ({...p}));
            const items = prospectSymbols.arrange(copies, loose, keepOff);
            const members = items.flatMap((item) => item.members);
            const groups = items.filter((item) => item.count > 1);
            const counted = items.reduce((sum, item) => sum + item.count, 0);
            const meet = (a, b) => a !== b && Math.hypot(a.x - b.x, a.y - b.y) < a.r + b.r;
            const met = groups.filter((a) => groups.some((b) => meet(a, b)));
            return [members.length, new Set(members).size, counted, met.length];
          });
        }"""
    )
    assert counts == [[4040, 4040, 4740, 0], [4040, 4040, 4740, 0]]


def test_a_phone_gets_a_folded_legend_and_room_for_fingers(chromium, address) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 700}, has_touch=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("[data-ready=true]")
    assert page.get_attribute("details.map-legend", "open") is None
    sizes = page.locator(".leaflet-control-zoom a").evaluate_all(
        "(links) => links.map((link) => link.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
