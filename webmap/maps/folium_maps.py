"""The folium maps of the app, and the shape of the data that their script fetches.

folium draws the shell: base map, veil, market outline, rings, office markers. A custom element
hands the map to a script of ours, which fetches what is on it and draws it: `ProspectLayer` to
``static/prospects/map.js``, `MarketOverview` to ``operations/map-overview.js``, `PlacePicker` to
``static/operations/map-place.js``.
folium writes texts into its script and HTML as they are, so none from outside gets there: folium
is given numbers and constants only, and the address and credit of the tiles, made harmless. Names
travel as JSON and as escaped attributes, and the script writes them with ``textContent``.

A page takes a `RenderedMap` in three parts, so that a strict Content-Security-Policy holds:
``head`` (links to our own assets, nothing inline), ``body`` (one element) and ``script``, which is
the same for every request over the same plan and is served as a file of its own.
``view.answer`` makes the JSON; ``static/prospects/map.js`` says which events the layer speaks.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import brotli
import folium
import numpy as np
import shapely
from branca.element import MacroElement
from flask import Response, request
from folium.elements import JSCSSMixin
from folium.template import Template
from folium.utilities import JsCode
from markupsafe import Markup, escape

from territory import geodesy, units_of_length
from territory.policy import RadiusPolicy
from webmap.maps import assets, basemap, compact_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import pandas as pd
    from branca.element import Element
    from shapely.geometry.base import BaseGeometry

LIMIT_M = RadiusPolicy().limit_m
OUTLINE_TOLERANCE_DEG = 0.0003  # half a pixel at zoom 11
MOST_CORNERS = 5000  # an outline with more is drawn coarser: that of a whole country to half a mile
COARSEST_DEG = 0.02
LINES_WAIT_MS = 150  # that the rings of offices wait for the first prospects
OVERVIEW_TOLERANCE_DEG = 0.01
WORLD = [(-85.0, -540.0), (85.0, -540.0), (85.0, 540.0), (-85.0, 540.0)]
MIN_ZOOM, MAX_ZOOM = 3, 16
HOME_ZOOM, HOME_TILES_ZOOM = 13, 9  # 0.01 miles a pixel; 37 miles a tile, at 40 degrees north
Bounds = tuple[float, float, float, float]  # west, south, east, north
MAINLAND: Bounds = (-125.0, 24.5, -66.5, 49.5)
BUILDING = (
    '<svg viewBox="-9 -9 18 18" aria-hidden="true">'
    '<path d="M-4 5v-9h5v9M1-1h4v6M-5.500 5h11M-2-1.500h1M-2 1.500h1"/></svg>'
)
SCHEME = JsCode('matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"')


@dataclass(frozen=True)
class RenderedMap:
    """A map in the parts a page is made of.

    ``head`` goes into the head of the page and ``body`` where the map stands; the box around it
    decides the height. ``script`` is served as a file and linked after ``head`` with ``defer``;
    ``tag`` is the digest of ``script``, for its address.
    """

    head: Markup
    body: Markup
    script: str
    tag: str

    @functools.cached_property
    def small(self) -> bytes:
        """Compress the script once: a market of a long outline has a long one."""
        return brotli.compress(self.script.encode(), quality=10)


class Handover(JSCSSMixin):
    """Hands the folium map it is added to over to a function of one of our own scripts."""

    function: str
    scripts: tuple[str, ...]
    _template = Template(
        "{% macro script(this, kwargs) %}"
        "{{ this.function }}({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self) -> None:
        super().__init__()
        self._name = type(self).__name__
        self.default_js = [(name, assets.path(name)) for name in self.scripts]
        self.default_css = [("map.css", assets.path("prospects/map.css"))]


class ProspectLayer(Handover):
    """Asks for the prospects in view and draws them."""

    function = "prospectLayer"
    scripts = ("prospects/map-symbols.js", "prospects/map.js")


class ProspectsFirst(MacroElement):
    """Draws what follows it once the first prospects are seen, or after a moment without them."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "await Promise.race([{{ this._parent.get_name() }}.answered, "
        f"new Promise((go) => setTimeout(go, {LINES_WAIT_MS}))]);"
        "await new Promise((go) => "
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go))));"
        "{% endmacro %}"
    )


class LinesDrawn(MacroElement):
    """Tells the prospect layer that all that folium draws is on the map."""

    _template = Template(
        '{% macro script(this, kwargs) %}{{ this._parent.get_name() }}.fire("lines");{% endmacro %}'
    )


class MarketOverview(Handover):
    """Names every market and links to its page."""

    function = "marketOverview"
    scripts = ("operations/map-overview.js",)


class PlacePicker(Handover):
    """Shows the places that one row could be at, and a pin to drag."""

    function = "placePicker"
    scripts = ("operations/map-place.js",)


class HomeCheck(Handover):
    """Shows the office of one decision, its ring, and where the home may be."""

    function = "homeCheck"
    scripts = ("hr/map.js",)


def market_map(
    name: str,
    geometry: BaseGeometry | None,
    offices: pd.DataFrame,
    *,
    prospect_url: str | None = None,
    tiles: basemap.Tiles = basemap.DRAWN,
    limit_m: float = LIMIT_M,
) -> RenderedMap:
    """Build the map of one market: its outline, all else under a veil, the offices, their rings.

    The page puts it into an element whose ``data-view`` is the address that answers with
    ``view.answer`` as JSON, so that the map itself is the same under all filters.

    Parameters
    ----------
    name
        Labels the element.
    geometry
        EPSG:4326, or null for the prospects of no market.
    offices
        With ``office_id``, ``name``, ``lon`` and ``lat``; those without a location are left out.
    prospect_url
        The page of one prospect, with ``{id}`` where its id goes; null shows no link.
    tiles
        What the map lies on; the address may have ``{scheme}`` (light or dark) and ``{r}`` ("@2x"
        on dense screens) beside ``{z}``, ``{x}`` and ``{y}``.
    limit_m
        Radius of the rings.
    """
    offices = offices.dropna(subset=["lon", "lat"])
    shape = _outline(geometry)
    bounds = _bounds(shape, offices)
    chart = _shell(bounds, tiles)
    ProspectLayer().add_to(chart)  # it asks at once, and the outline is drawn while it waits
    if shape is not None:
        _add_market(chart, shape)
    ProspectsFirst().add_to(chart)
    _add_offices(chart, offices, limit_m, bounds)
    LinesDrawn().add_to(chart)
    return _render(
        chart,
        looks="market-map",
        label=f"Map of {name}; the table beside it holds the same prospects",
        data={
            "prospect": prospect_url,
            "offices": json.dumps(_office_data(offices)),
            "limit": f"{units_of_length.to_miles(limit_m):g} mi",
        },
    )


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
    """
    placed = offices.dropna(subset=["lon", "lat"])
    areas = shapely.simplify(_with_area(markets).geometry.to_numpy(), OVERVIEW_TOLERANCE_DEG)
    bounds = tuple(shapely.total_bounds(areas)) if len(areas) else _bounds(None, placed.iloc[:0])
    chart = _shell(bounds, tiles)
    for row, area in enumerate(areas):
        folium.Polygon(list(_rings(area)), class_name=f"map-area map-area-{row}").add_to(chart)
    _add_offices(chart, placed, limit_m, bounds)
    MarketOverview().add_to(chart)
    return _render(
        chart,
        looks="market-map overview-map",
        label="Map of all markets; the table above holds the same markets",
        data={"markets": markets_url, "market": market_url},
    )


def place_map(bounds: Bounds, *, tiles: basemap.Tiles = basemap.DRAWN) -> RenderedMap:
    """Build the small map on which the place of one row is chosen.

    The candidates are in the form beside it (``operations/map-place.js`` says how), so the script
    depends on ``bounds`` alone.
    """
    chart = _shell(bounds, tiles)
    PlacePicker().add_to(chart)
    return _render(
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
    chart = _shell(None, tiles, closest=HOME_ZOOM, closest_tiles=HOME_TILES_ZOOM)
    HomeCheck().add_to(chart)
    return _render(
        chart,
        looks="market-map home-map",
        label="Map of the office and of where the home may be; the words beside it say the same",
        data={},
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
            "id": _texts(markets["market_id"]),
            "name": _texts(markets["name"]),
            "prospects": markets["prospects"].astype(int).tolist(),
            "lon": np.round(shapely.get_x(points), 4).tolist(),
            "lat": np.round(shapely.get_y(points), 4).tolist(),
        },
        "offices": _office_data(offices),
    }


def _with_area(markets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Leave out the markets that have nothing to draw."""
    return markets[~(markets.geometry.isna() | markets.geometry.is_empty)]


def _office_data(offices: pd.DataFrame) -> dict[str, list[Any]]:
    placed = offices.dropna(subset=["lon", "lat"])
    return {
        "id": _texts(placed["office_id"]),
        "name": _texts(placed["name"]),
        "lon": _numbers(placed["lon"], 5),
        "lat": _numbers(placed["lat"], 5),
    }


def _texts(column: pd.Series) -> list[str | None]:
    return column.astype(object).where(column.notna(), None).tolist()


def _numbers(column: pd.Series, digits: int) -> list[float | None]:
    values = column.astype(float).round(digits)
    return values.astype(object).where(values.notna(), None).tolist()


def _shell(
    bounds: Bounds | None,
    tiles: basemap.Tiles,
    *,
    closest: int = MAX_ZOOM,
    closest_tiles: int = MAX_ZOOM,
) -> folium.Map:
    """Make the map with its ground; bounds (west, south, east, north) fill the first view.

    Without bounds the script that takes the map over chooses the view.
    """
    west, south, east, north = bounds or MAINLAND
    # What has bounds starts out of their sight, so that they are there at once and not flown to.
    chart = folium.Map(
        location=((south + north) / 2, (west + east) / 2 - (1 if bounds else 0)),
        zoom_start=closest if bounds else 8,
        tiles=None,
        min_zoom=MIN_ZOOM,
        max_zoom=closest,
        attributionControl=True,
        worldCopyJump=True,
    )
    if bounds:
        # Before the tiles, so that none is asked for at a zoom that is left at once.
        chart.fit_bounds([(south, west), (north, east)], padding=(12, 12))
    folium.TileLayer(
        tiles.url,
        attr=_harmless(tiles.credit),
        name="ground",
        control=False,
        min_zoom=MIN_ZOOM,
        max_zoom=closest,
        max_native_zoom=min(closest_tiles, tiles.closest),
        scheme=SCHEME,
    ).add_to(chart)
    return chart


def _harmless(text: str) -> str:
    """Write a text so that neither the browser nor folium, whose scripts are templates, runs it."""
    return str(escape(text)).replace("{", "&#123;").replace("}", "&#125;")


def _outline(geometry: BaseGeometry | None) -> BaseGeometry | None:
    if geometry is None or geometry.is_empty:
        return None
    tolerance, simple = OUTLINE_TOLERANCE_DEG, geometry
    while simple is geometry or shapely.get_num_coordinates(simple) > MOST_CORNERS:
        simple = shapely.simplify(geometry, tolerance, preserve_topology=True)
        tolerance *= 2
        if tolerance > COARSEST_DEG:
            break
    return shapely.set_precision(simple, 1 / compact_lines.STEPS_A_DEGREE)


def _bounds(shape: BaseGeometry | None, offices: pd.DataFrame) -> tuple[float, float, float, float]:
    """Choose the first view: the market, else the offices, else the mainland of the US."""
    if shape is not None:
        return shape.bounds
    if len(offices):
        lon, lat = offices["lon"], offices["lat"]
        return (lon.min() - 1, lat.min() - 1, lon.max() + 1, lat.max() + 1)
    return MAINLAND


def _rings(shape: BaseGeometry) -> Iterator[list[tuple[float, float]]]:
    """Give every border of an area, outer and inner, as (lat, lon) pairs."""
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            for border in (part.exterior, *part.interiors):
                yield [(round(lat, 5), round(lon, 5)) for lon, lat in border.coords]


def _add_market(chart: folium.Map, shape: BaseGeometry) -> None:
    """Add the outline, and a veil over all else: the world with the market cut out."""
    borders = list(_rings(shape))
    compact_lines.TracedArea(
        [WORLD, *borders], class_name="map-veil", stroke=False, fill=True
    ).add_to(chart)
    compact_lines.Traced(borders, class_name="map-market").add_to(chart)


def _add_offices(chart: folium.Map, offices: pd.DataFrame, limit_m: float, bounds: Bounds) -> None:
    """Add a marker per office, and its ring where that comes near the first view.

    Number n in a class name is row n of the office data.
    """
    west, south, east, north = bounds
    points = zip(offices["lon"].tolist(), offices["lat"].tolist(), strict=True)
    for row, (lon, lat) in enumerate(points):
        circle = geodesy.ring(lon, lat, limit_m, vertices=compact_lines.RING_VERTICES)
        (left, low), (right, high) = circle.min(axis=0), circle.max(axis=0)
        if left < east + 1 and right > west - 1 and low < north + 1 and high > south - 1:
            looks = {"class_name": f"map-ring map-ring-{row}", "fill": True, "smooth_factor": 0}
            waves = compact_lines.waves_of(circle)
            ring = (
                compact_lines.Ring(waves, **looks)
                if waves
                else compact_lines.Traced([circle[:, ::-1]], **looks)
            )
            ring.add_to(chart)
        icon = folium.DivIcon(
            html=BUILDING,
            icon_size=(18, 18),
            icon_anchor=(9, 9),
            class_name=f"map-office map-office-{row}",
        )
        folium.Marker((lat, lon), icon=icon, keyboard=False).add_to(chart)


def _render(
    chart: folium.Map, *, looks: str, label: str, data: dict[str, str | None]
) -> RenderedMap:
    """Take the map apart; the same map gives the same script in every process."""
    assets.localise()
    figure = chart.get_root()
    _number(figure, itertools.count())
    figure.render()
    links = [link.url for link in figure.header._children.values() if hasattr(link, "url")]  # noqa: SLF001
    head = Markup("\n").join(
        Markup('<link rel="stylesheet" href="{}">').format(url)
        if url.endswith(".css")
        else Markup('<script src="{}" defer></script>').format(url)
        for url in links
    )
    attributes = Markup(" ").join(
        Markup('data-{}="{}"').format(key, value) for key, value in data.items() if value
    )
    body = Markup(
        '<div class="folium-map {}" id="{}" role="region" aria-label="{}" {}></div>'
    ).format(looks, chart.get_name(), label, attributes)
    script = f"(async function () {{\n{compact_lines.UNPACK}\n{figure.script.render()}\n}})();\n"
    return RenderedMap(head, body, script, hashlib.sha256(script.encode()).hexdigest()[:12])


def _number(element: Element, numbers: Iterator[int]) -> None:
    """Replace folium's random element ids by a count."""
    element._id = str(next(numbers))  # noqa: SLF001
    for child in element._children.values():  # noqa: SLF001
        _number(child, numbers)


def script(drawn: RenderedMap) -> Response:
    """Serve the script of a map; a browser keeps what its address names by digest."""
    is_small = request.accept_encodings["br"] > 0
    response = Response(drawn.small if is_small else drawn.script, mimetype="text/javascript")
    if is_small:
        response.headers["Content-Encoding"] = "br"
    response.vary.add("Accept-Encoding")
    if request.args.get("v") == drawn.tag:
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
