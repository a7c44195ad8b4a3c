"""The smaller maps: the overview of all markets, the place of one row, the home of one check.

Each is a shell that folium draws and one of our scripts takes over: ``operations/map-overview.js``,
``operations/map-place.js`` and ``hr/map.js``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import shapely

from territory import geodesy
from webmap.maps import basemap
from webmap.maps.elements import HomeCheck, MarketOverview, PlacePicker
from webmap.maps.market import LIMIT_M, add_offices, office_data, rings, texts
from webmap.maps.render import MAINLAND, base_chart, render

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from webmap.maps.render import Bounds, RenderedMap

OVERVIEW_TOLERANCE_DEG = 0.01
HOME_ZOOM, HOME_TILES_ZOOM = 13, 9  # 0.01 miles a pixel; 37 miles a tile, at 40 degrees north


def overview_map(
    markets: gpd.GeoDataFrame,
    offices: pd.DataFrame,
    *,
    markets_url: str,
    market_url: str | None,
    tiles: basemap.Tiles = basemap.DRAWN,
    limit_m: float = LIMIT_M,
) -> RenderedMap:
    """Build the map of all markets: outlines, offices with their rings, names that are links.

    Parameters
    ----------
    markets
        Of which ``geometry`` (EPSG:4326) is drawn, rows in the order of `overview_data`.
    offices
        Those without a location are left out.
    markets_url
        Answers with `overview_data` as JSON.
    market_url
        The page of one market, with ``{id}`` where its id goes; None makes no links.
    limit_m
        Radius of the rings, metres.
    """
    placed = offices.dropna(subset=["lon", "lat"])
    areas, bounds = _with_area(markets).geometry.to_numpy(), MAINLAND
    if len(areas):
        west, east = geodesy.arc_of(areas)
        areas = [geodesy.unrolled(area, (west + east) / 2) for area in areas]
        areas = shapely.simplify(areas, OVERVIEW_TOLERANCE_DEG)
        _, south, _, north = shapely.total_bounds(areas)
        bounds = west, float(south), east, float(north)
    chart = base_chart(bounds, tiles)
    for row, area in enumerate(areas):
        folium.Polygon(list(rings(area)), class_name=f"map-area map-area-{row}").add_to(chart)
    add_offices(chart, placed, limit_m, bounds)
    MarketOverview().add_to(chart)
    return render(
        chart,
        looks="market-map overview-map",
        label="Map of all markets; the table above holds the same markets",
        data={"markets": markets_url, "market": market_url},
    )


def overview_data(markets: gpd.GeoDataFrame, offices: pd.DataFrame) -> dict[str, Any]:
    """Make what ``static/operations/map-overview.js`` fetches from ``markets_url``.

    ``markets`` has ``market_id``, ``name``, ``prospects`` (their number) and ``geometry``; names
    that would meet give way in the order of the rows. The answer is columnar: ``markets`` with
    ``id``, ``name``, ``prospects``, ``lon``, ``lat``, and ``offices`` with ``id``, ``name``,
    ``lon``, ``lat``, only those with a location.
    """
    markets = _with_area(markets)
    points = shapely.point_on_surface(markets.geometry.to_numpy())
    return {
        "markets": {
            "id": texts(markets["market_id"]),
            "name": texts(markets["name"]),
            "prospects": markets["prospects"].astype(int).tolist(),
            "lon": np.round(shapely.get_x(points), 4).tolist(),
            "lat": np.round(shapely.get_y(points), 4).tolist(),
        },
        "offices": office_data(offices),
    }


def _with_area(markets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Leave out the markets that have nothing to draw."""
    return markets[~(markets.geometry.isna() | markets.geometry.is_empty)]


def place_map(bounds: Bounds, *, tiles: basemap.Tiles = basemap.DRAWN) -> RenderedMap:
    """Build the small map on which the place of one row is chosen.

    The candidates are in the form beside it (``operations/map-place.js`` says how), so the script
    depends on ``bounds`` (degrees) alone.
    """
    chart = base_chart(bounds, tiles)
    PlacePicker().add_to(chart)
    return render(
        chart,
        looks="market-map place-map",
        label="Map of the places it could be; the choices below are the same",
        data={},
    )


def home_map(*, tiles: basemap.Tiles = basemap.DRAWN) -> RenderedMap:
    """Build the map of one eligibility check; it is the same for every home.

    What is on it stands in the page that the answer came with (``static/hr/map.js`` says how). Its
    tiles are of the size of a county at least, so that no address of a tile tells where
    anybody lives.
    """
    chart = base_chart(None, tiles, closest=HOME_ZOOM, closest_tiles=HOME_TILES_ZOOM)
    HomeCheck().add_to(chart)
    return render(
        chart,
        looks="market-map home-map",
        label="Map of the office and of where the home may be; the words beside it say the same",
        data={},
    )
