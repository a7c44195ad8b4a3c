"""The market map: what folium writes, what the script fetches, and that no text gets between."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import folium
import numpy as np
import pandas as pd
import pytest
import shapely

from territory import geodesy
from tests.fixtures.hostile import TEXTS, market_view
from webmap.maps import RenderedMap, elements, market, market_map

if TYPE_CHECKING:
    from types import SimpleNamespace


@pytest.fixture
def view() -> SimpleNamespace:
    return market_view()


@pytest.fixture
def drawn(view) -> RenderedMap:
    return draw(view)


def draw(view: SimpleNamespace) -> RenderedMap:
    return market_map(view.name, view.geometry, view.offices, prospect_url="/prospects/{id}")


def lines_of(script: str, name: str) -> list[np.ndarray]:
    """The coordinates of every folium line or area whose class is ``name``, as (lat, lon)."""
    found = re.findall(
        r"L\.(?:polyline|polygon)\(\s*(mapLines\.trace\()?(\[.*?\])(?:, \d+\))?,\s*(\{.*?\})\s*\)",
        script,
        flags=re.DOTALL,
    )
    shapes = [
        [traced(line) for line in json.loads(points)] if way else json.loads(points)
        for way, points, style in found
        if f'"{name}' in style
    ]
    return [np.array(shape[-1] if np.ndim(shape[0][0]) else shape, float) for shape in shapes]


def traced(steps: list[list[int]]) -> np.ndarray:
    """A line as the page's script puts it together from its steps."""
    whole = np.cumsum(np.array(steps), axis=0)
    return whole / elements.STEPS_A_DEGREE


def test_an_outline_of_a_country_has_few_corners_and_that_of_a_town_all_of_them() -> None:
    turn = np.linspace(0, 2 * np.pi, 40_000)
    jagged = 20 + np.random.default_rng(4).uniform(0, 0.004, len(turn))
    country = shapely.Polygon(np.c_[jagged * np.cos(turn) - 98, jagged * np.sin(turn) + 39])
    town = shapely.Polygon([(-98, 39), (-97.9, 39), (-97.9, 39.002), (-97.95, 39.1)])
    for shape, least, most in ((country, 100, market.MOST_CORNERS), (town, 5, 5)):
        view = market_view()
        script = market_map("m", shape, view.offices).script
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
    assert [name for name in ("leaflet", "map-") if f"/asset/{name}" in drawn.head]


def test_zooming_in_is_left_to_the_reader(drawn) -> None:
    assert "viewport" not in drawn.head + drawn.body


def test_the_same_plan_gives_the_same_script_and_tag_every_time(view, drawn) -> None:
    again = draw(view)
    assert (again.script, again.tag) == (drawn.script, drawn.tag)
    view.offices = view.offices.assign(lat=view.offices["lat"] + 0.1)
    assert draw(view).tag != drawn.tag


def test_a_ring_travels_as_the_office_and_the_limit(view, drawn) -> None:
    office = view.offices.iloc[0]
    (values,) = re.findall(r"mapLines\.ring\((.*?)\), \{[^}]*map-ring map-ring-0", drawn.script)
    assert [float(value) for value in values.split(", ")] == [
        office.lat, office.lon, market.LIMIT_M, elements.RING_VERTICES,
    ]  # fmt: skip


def test_a_ring_round_a_pole_is_closed_along_the_edge_of_the_map(view) -> None:
    view.offices = view.offices.iloc[:1].assign(lon=0.0, lat=89.9)
    script = market_map("m", None, view.offices).script
    assert "mapLines.ring" not in script
    (ring,) = lines_of(script, "map-ring map-ring-0")
    circle = geodesy.ring(0, 89.9, market.LIMIT_M, vertices=elements.RING_VERTICES)
    assert np.allclose(ring, circle[:, ::-1], rtol=0, atol=0.5 / elements.STEPS_A_DEGREE)


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


def test_maps_leave_folium_popups_and_tooltips_alone(drawn) -> None:
    assert "bindPopup" not in drawn.script
    assert "bindTooltip" not in drawn.script
    assert "$(" not in drawn.script
    assert folium.__version__ == "0.20.0"
