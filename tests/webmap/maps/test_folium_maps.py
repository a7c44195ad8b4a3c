"""The market map: what folium writes, what the script fetches, and that no text gets between."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory import geodesy
from tests.fixtures.hostile import TEXTS, market_view
from webmap.maps import compact_lines, folium_maps

if TYPE_CHECKING:
    from types import SimpleNamespace

GEOD = Geod(ellps="WGS84")


@pytest.fixture
def view() -> SimpleNamespace:
    return market_view()


@pytest.fixture
def drawn(view) -> folium_maps.RenderedMap:
    return draw(view)


def draw(view: SimpleNamespace) -> folium_maps.RenderedMap:
    return folium_maps.market_map(
        view.name, view.geometry, view.offices, prospect_url="/prospects/{id}"
    )


def lines_of(script: str, name: str) -> list[np.ndarray]:
    """The coordinates of every folium line or area whose class is ``name``, as (lat, lon)."""
    found = re.findall(
        r"L\.(?:polyline|polygon)\(\s*(trace\(|swing\()?(\[.*?\])\)?,\s*(\{.*?\})\s*\)",
        script,
        flags=re.DOTALL,
    )
    read = {
        "": lambda points: points,
        "trace(": lambda points: [traced(line) for line in points],
        "swing(": lambda points: [swung(points)],
    }
    shapes = [read[way](json.loads(points)) for way, points, style in found if f'"{name}' in style]
    return [np.array(shape[-1] if np.ndim(shape[0][0]) else shape, float) for shape in shapes]


def traced(steps: list[list[int]]) -> np.ndarray:
    """A line as the page's script puts it together from its steps."""
    whole = np.cumsum(np.array(steps), axis=0)
    return whole / compact_lines.STEPS_A_DEGREE


def swung(waves: list[list[int]]) -> np.ndarray:
    """A ring as the page's script puts it together from its waves."""
    turn = np.outer(np.arange(compact_lines.RING_VERTICES + 1), np.arange(len(waves)))
    turn = 2 * np.pi * (turn % compact_lines.RING_VERTICES) / compact_lines.RING_VERTICES
    up, right = np.array(waves, float).T
    lon = right[0] + np.sin(turn[:, 1:]) @ right[1:]
    return np.c_[np.cos(turn) @ up, lon] / compact_lines.WAVES_A_DEGREE


@pytest.mark.parametrize("lat", [-76.0, -33.0, 0.0, 25.0, 40.0, 61.2, 71.3, 83.0])
@pytest.mark.parametrize("miles", [1, 50, 250])
def test_a_ring_comes_back_from_its_waves_to_half_a_metre(lat, miles) -> None:
    ring = geodesy.ring(179.5, lat, miles * 1609.344, vertices=compact_lines.RING_VERTICES)
    waves = compact_lines.waves_of(ring)
    if waves is None:  # a wide ring beside a pole, which travels in steps
        assert (abs(lat), miles) == (83.0, 250)
        return
    assert len(waves) <= compact_lines.MOST_WAVES + 1
    back = swung(waves)[:, ::-1]
    assert np.abs(back - ring).max() < compact_lines.WAVES_OFF_DEG  # 0.45 m of latitude
    assert (back[0] == back[-1]).all()


def test_a_ring_round_a_pole_has_no_waves() -> None:
    assert (
        compact_lines.waves_of(geodesy.ring(0, 89.9, 80_000, vertices=compact_lines.RING_VERTICES))
        is None
    )


def test_a_line_comes_back_from_its_steps_to_the_metre() -> None:
    line = np.random.default_rng(3).uniform((-90, -540), (90, 540), (500, 2))
    assert np.allclose(
        traced(compact_lines.steps_of(line)), line, rtol=0, atol=0.5 / compact_lines.STEPS_A_DEGREE
    )


def test_an_outline_of_a_country_has_few_corners_and_that_of_a_town_all_of_them() -> None:
    turn = np.linspace(0, 2 * np.pi, 40_000)
    jagged = 20 + np.random.default_rng(4).uniform(0, 0.004, len(turn))
    country = shapely.Polygon(np.c_[jagged * np.cos(turn) - 98, jagged * np.sin(turn) + 39])
    town = shapely.Polygon([(-98, 39), (-97.9, 39), (-97.9, 39.002), (-97.95, 39.1)])
    for shape, least, most in ((country, 100, folium_maps.MOST_CORNERS), (town, 5, 5)):
        view = market_view()
        script = folium_maps.market_map("m", shape, view.offices).script
        (outline,) = lines_of(script, "map-market")
        assert least <= len(outline) <= most


def test_no_text_from_outside_reaches_what_folium_writes(view) -> None:
    plain = market_view(texts=["Acme"])
    hostile, harmless = (draw(each).script for each in (view, plain))
    assert hostile == harmless
    assert not any(text in hostile for text in TEXTS)


def test_the_name_of_a_market_is_escaped_in_its_label() -> None:
    name = '"><script>alert(1)</script>'
    body = draw(market_view(name=name, texts=[name])).body
    assert "<script" not in body
    assert 'aria-label="Map of &#34;&gt;&lt;script&gt;' in body
    given = re.search(r'data-offices="([^"]*)"', body)
    assert given
    assert json.loads(html.unescape(given[1]))["name"] == [name]


def test_the_head_links_our_own_files_and_holds_nothing_inline(drawn) -> None:
    tags = re.findall(r"<[^>]+>", drawn.head)
    style, script = (
        r'<link rel="stylesheet" href="/asset/[\w.-]+">',
        r'<script src="/asset/[\w.-]+" defer>',
    )
    assert tags
    assert all(re.fullmatch(f"{style}|{script}|</script>", tag) for tag in tags)
    assert re.sub(r"<[^>]+>", "", drawn.head).strip() == ""
    assert [name for name in ("leaflet", "map-symbols", "map-") if f"/asset/{name}" in drawn.head]


def test_zooming_in_is_left_to_the_reader(drawn) -> None:
    assert "viewport" not in drawn.head + drawn.body


def test_the_same_plan_gives_the_same_script_and_tag_every_time(view, drawn) -> None:
    again = draw(view)
    assert (again.script, again.tag) == (drawn.script, drawn.tag)
    view.offices = view.offices.assign(lat=view.offices["lat"] + 0.1)
    assert draw(view).tag != drawn.tag


def test_a_ring_lies_on_the_geodesic_circle_to_a_few_metres(view, drawn) -> None:
    office = view.offices.iloc[0]
    (ring,) = lines_of(drawn.script, "map-ring map-ring-0")
    assert len(ring) >= 257
    middles = (ring[1:] + ring[:-1]) / 2
    for points in (ring, middles):
        many = np.ones(len(points))
        _, _, far = GEOD.inv(office.lon * many, office.lat * many, points[:, 1], points[:, 0])
        assert np.abs(far - folium_maps.LIMIT_M).max() < 10


def test_the_outline_follows_the_market_and_the_veil_leaves_it_open(view, drawn) -> None:
    (outline,) = lines_of(drawn.script, "map-market")
    drawn_area = shapely.Polygon(outline[:, ::-1])
    assert drawn_area.symmetric_difference(view.geometry).area < 0.001 * view.geometry.area
    (hole,) = lines_of(drawn.script, "map-veil")
    assert np.array_equal(hole, outline)


def test_offices_far_from_the_market_have_a_marker_but_no_ring() -> None:
    view = market_view()
    far = view.offices.iloc[[0]].assign(office_id="LON", lon=-0.1, lat=51.5)
    view.offices = pd.concat([view.offices, far], ignore_index=True)
    script = draw(view).script
    assert f"map-office map-office-{len(view.offices) - 1}" in script
    assert f"map-ring map-ring-{len(view.offices) - 1}" not in script


def test_an_office_without_a_location_shifts_no_number() -> None:
    view = market_view()
    lost = view.offices.iloc[[0]].assign(office_id="NIL", name="Nowhere", lon=np.nan, lat=np.nan)
    view.offices = pd.concat([lost, view.offices], ignore_index=True)
    drawn = draw(view)
    first = re.search(r"L\.marker\(\s*(\[.*?\])", drawn.script)
    given = re.search(r'data-offices="([^"]*)"', drawn.body)
    assert first
    assert given
    offices = json.loads(html.unescape(given[1]))
    assert json.loads(first[1]) == [offices["lat"][0], offices["lon"][0]]


def test_a_market_without_area_or_offices_still_makes_a_map() -> None:
    view = market_view()
    view.geometry, view.offices = None, view.offices.iloc[:0]
    script = draw(view).script
    assert "map-veil" not in script
    assert "prospectLayer(" in script


def test_the_overview_draws_each_market_and_keeps_names_out_of_the_script() -> None:
    markets = gpd.GeoDataFrame(
        {
            "market_id": ["B", "A", "C"],
            "name": [TEXTS[0], "Austin", "Empty"],
            "prospects": [3, 2, 0],
        },
        geometry=[shapely.box(-98, 30, -97, 31), shapely.box(-96, 30, -95, 31), None],
        crs="EPSG:4326",
    )  # fmt: skip
    view = market_view()
    drawn = folium_maps.overview_map(
        markets, view.offices, markets_url="/m.json", market_url="/markets/{id}"
    )
    data = folium_maps.overview_data(markets, view.offices)
    json.dumps(data, allow_nan=False)
    assert data["markets"]["id"] == ["B", "A"]
    assert [len(lines_of(drawn.script, f"map-area map-area-{row}")) for row in range(3)] == [
        1,
        1,
        0,
    ]
    assert TEXTS[0] not in drawn.script


def test_maps_leave_folium_popups_and_tooltips_alone(drawn) -> None:
    assert "bindPopup" not in drawn.script
    assert "bindTooltip" not in drawn.script
    assert "$(" not in drawn.script
    assert folium.__version__ == "0.20.0"
