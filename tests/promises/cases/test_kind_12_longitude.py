"""Kind 12: what lies across 180 degrees opens where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from territory import reference
from territory.frames import explore
from territory.markets import define
from territory.reports import cover_map
from tests.fixtures.web import make_app
from webmap.maps import market_map, overview_map
from webmap.prospects.viewport import Box

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

FIRST_VIEW = re.compile(r"\.fitBounds\(\s*(\[\[.*?\]\])", re.DOTALL)
FIJI = shapely.MultiPolygon([shapely.box(177, -19, 180, -16), shapely.box(-180, -19, -179, -16)])


def first_view(script: str) -> tuple[float, ...]:
    """Give west, south, east, north of the view that a map opens with."""
    corners = FIRST_VIEW.findall(script)[-1]  # Leaflet itself, where it is in the page, has others
    south, west, north, east = map(float, re.findall(r"-?[\d.]+", corners))
    return west, south, east, north


@pytest.fixture
def alaska(desk: Desk) -> Desk:
    """Markets, offices and prospects on both sides of 180 degrees, assigned."""
    desk.run("import", "reps", desk.write("reps.csv", "rep_id,name\nR01,Ada\n"))
    for kind in ("markets", "territories", "offices", "prospects"):
        desk.run("import", kind, f"b07_{kind}.csv")
    desk.run("assign")
    return desk


@pytest.mark.case("b07")
def test_alaska_opens_on_alaska_with_all_in_view(alaska: Desk) -> None:
    client = make_app(alaska.url, alaska.folder).test_client()
    page = client.get("/markets/M-AK").text
    script = re.search(r'src="([^"]*map\.js[^"]*)"', page.replace("&amp;", "&"))
    assert script
    west, south, east, north = first_view(client.get(script[1]).text)
    assert (west, east) == pytest.approx((-187.6, -130.0), abs=0.2)
    view = {"market": "M-AK", "bbox": f"{west},{south},{east},{north}", "zoom": "3"}
    answer = client.get("/view.json", query_string=view).json
    assert (answer["in_view"], answer["placed"]) == (2, 2)


@pytest.mark.case("b07")
def test_the_home_page_opens_on_the_arc_of_all_markets(alaska: Desk) -> None:
    client = make_app(alaska.url, alaska.folder).test_client()
    script = re.search(r'src="([^"]*overview\.js[^"]*)"', client.get("/").text)
    assert script
    west, _, east, _ = first_view(client.get(script[1].replace("&amp;", "&")).text)
    assert (west, east) == pytest.approx((-215.4, -130.0), abs=0.3)  # from Guam to Alaska


def test_offices_and_rings_stand_on_the_turn_of_the_view() -> None:
    offices = pd.DataFrame({"office_id": ["A", "S"], "name": ["A", "S"],
                            "lon": [-176.65, 179.6], "lat": [51.88, 51.95]})  # fmt: skip
    script = market_map("Outside", None, offices).script
    assert first_view(script)[::2] == pytest.approx((-181.4, -175.65))
    assert re.search(r"L\.marker\(\s*\[51\.95, -180\.4", script)
    assert "mapLines.ring(51.95, -180.4" in script


def test_an_outline_cut_at_180_is_drawn_as_one_ring() -> None:
    markets = gpd.GeoDataFrame(
        {"market_id": ["F"], "name": ["Fiji"], "prospects": [1]}, geometry=[FIJI], crs=4326
    )
    none = pd.DataFrame(columns=["office_id", "name", "lon", "lat"])
    script = overview_map(markets, none, markets_url="/m", market_url=None).script
    assert first_view(script)[::2] == pytest.approx((177, 181))
    assert first_view(market_map("Fiji", FIJI, none).script)[::2] == pytest.approx((177, 181))


def test_the_library_map_opens_where_the_points_and_areas_are() -> None:
    points = pd.DataFrame({"lon": [179.5, -179.5, np.nan], "lat": [-17.0, -18.0, np.nan]})
    areas = gpd.GeoDataFrame({"name": ["Fiji"]}, geometry=[FIJI], crs=4326)
    drawn = explore(points, areas=areas, offices=points, radius="50mi")
    assert isinstance(drawn, folium.Map)
    page = drawn.get_root().render()
    assert first_view(page)[::2] == pytest.approx((179.5, 180.5))
    assert "180.5" in page
    only = explore(points.assign(lon=np.nan), areas=areas).get_root().render()
    assert first_view(only)[::2] == pytest.approx((177, 181))


def test_the_map_of_the_book_is_drawn_round_the_market() -> None:
    none = pd.DataFrame(columns=["name", "lon", "lat"])
    prospects = pd.DataFrame(
        {"lon": [178.0, -179.5], "lat": [-17.0, -18.0], "status": "prospect", "segment": "unknown",
         "stage": None}
    )  # fmt: skip
    drawing = cover_map.draw(
        FIJI, none, prospects, reference.load(), limit_m=80_000.0, width=180, height=180
    )
    assert (drawing.located, drawing.beyond) == (2, 0)
    (market,) = (shape for shape in drawing.shapes if shape.kind == "market")
    assert len(market.lines) == 1
    # Four degrees of longitude at 17 south are 425 km; twice the margin of 6 % is added.
    spots = np.array([(symbol.x, symbol.y) for symbol in drawing.symbols])
    assert 90 < np.ptp(spots[:, 0]) < 120


@pytest.mark.parametrize(("west", "east"), [(170, -130), (170, 230), (-190, -130)])
def test_a_view_across_180_widens_however_it_is_written(west: float, east: float) -> None:
    box = Box(west, 50, east, 60, 4)
    wide = box.widened(0.1)
    assert (box.width, wide.width) == pytest.approx((60, 72))
    assert wide.west == pytest.approx(west - 6)


def test_a_market_of_the_whole_country_opens_from_attu_to_maine() -> None:
    row = {"market_id": ["M"], "name": ["M"], "kind": ["state"], "units": ["AK|ME"]}
    (outline,) = define(pd.DataFrame(row), reference.load()).geometry
    none = pd.DataFrame(columns=["office_id", "name", "lon", "lat"])
    west, _, east, _ = first_view(market_map("M", outline, none).script)
    assert (west, east) == pytest.approx((-187.6, -66.9), abs=0.2)
