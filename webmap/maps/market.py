"""The map of one market: its outline, all else under a veil, the offices and their rings.

folium draws this shell; ``static/prospects/map.js`` takes it over, fetches the prospects in view
(``map_data.answer`` makes the JSON) and draws them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import folium
import shapely

from territory import geodesy, units_of_length
from territory.policy import RadiusPolicy
from webmap.maps import basemap, elements
from webmap.maps.render import MAINLAND, base_chart, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from webmap.maps.render import Bounds, RenderedMap

LIMIT_M = RadiusPolicy().limit_m
OUTLINE_TOLERANCE_DEG = 0.0003  # half a pixel at zoom 11
MOST_CORNERS = 5000  # an outline with more is drawn coarser: that of a whole country to half a mile
COARSEST_DEG = 0.02
WORLD = [(-85.0, -540.0), (85.0, -540.0), (85.0, 540.0), (-85.0, 540.0)]
BUILDING = (
    '<svg viewBox="-9 -9 18 18" aria-hidden="true">'
    '<path d="M-4 5v-9h5v9M1-1h4v6M-5.500 5h11M-2-1.500h1M-2 1.500h1"/></svg>'
)


def market_map(
    name: str,
    geometry: BaseGeometry | None,
    offices: pd.DataFrame,
    *,
    prospect_url: str | None = None,
    tiles: basemap.Tiles = basemap.DRAWN,
    limit_m: float = LIMIT_M,
) -> RenderedMap:
    """Build the map of one market.

    The page puts it into an element whose ``data-view`` is the address that answers with
    ``map_data.answer`` as JSON, so that the map itself is the same under all filters.

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
    limit_m
        Radius of the rings, metres.
    """
    offices = offices.dropna(subset=["lon", "lat"])
    shape = _outline(geometry and geodesy.unrolled(geometry))
    bounds = _bounds(shape, offices)
    chart = base_chart(bounds, tiles)
    # It asks at once, and the outline is drawn while it waits.
    elements.ProspectLayer().add_to(chart)
    if shape is not None:
        _add_market(chart, shape)
    elements.ProspectsFirst().add_to(chart)
    add_offices(chart, offices, limit_m, bounds)
    elements.LinesDrawn().add_to(chart)
    return render(
        chart,
        looks="market-map",
        label=f"Map of {name}; the table beside it holds the same prospects",
        data={
            "prospect": prospect_url,
            "offices": json.dumps(office_data(offices)),
            "limit": f"{units_of_length.to_miles(limit_m):g} mi",
        },
    )


def office_data(offices: pd.DataFrame) -> dict[str, list[Any]]:
    """Give the offices that have a location, columnar: ``id``, ``name``, ``lon``, ``lat``."""
    placed = offices.dropna(subset=["lon", "lat"])
    return {
        "id": texts(placed["office_id"]),
        "name": texts(placed["name"]),
        "lon": placed["lon"].astype(float).round(5).tolist(),
        "lat": placed["lat"].astype(float).round(5).tolist(),
    }


def texts(column: pd.Series) -> list[str | None]:
    """Give a column to JSON."""
    return column.astype(object).where(column.notna(), None).tolist()


def _outline(geometry: BaseGeometry | None) -> BaseGeometry | None:
    """Simplify a border until it has few enough corners."""
    if geometry is None or geometry.is_empty:
        return None
    tolerance, simple = OUTLINE_TOLERANCE_DEG, geometry
    while simple is geometry or shapely.get_num_coordinates(simple) > MOST_CORNERS:
        simple = shapely.simplify(geometry, tolerance, preserve_topology=True)
        tolerance *= 2
        if tolerance > COARSEST_DEG:
            break
    return shapely.set_precision(simple, 1 / elements.STEPS_A_DEGREE)


def _bounds(shape: BaseGeometry | None, offices: pd.DataFrame) -> Bounds:
    """Choose the first view: the market, else the offices, else the mainland of the US."""
    if shape is not None:
        west, south, east, north = shape.bounds
        return west, south, east, north
    if len(offices):
        (west, east), lat = geodesy.shortest_arc(offices["lon"]), offices["lat"]
        return (west - 1, lat.min() - 1, east + 1, lat.max() + 1)
    return MAINLAND


def rings(shape: BaseGeometry) -> Iterator[list[tuple[float, float]]]:
    """Give every border of an area, outer and inner, as (lat, lon) pairs."""
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            for border in (part.exterior, *part.interiors):
                yield [(round(lat, 5), round(lon, 5)) for lon, lat in border.coords]


def _add_market(chart: folium.Map, shape: BaseGeometry) -> None:
    """Add the outline, and a veil over all else: the world with the market cut out."""
    borders = list(rings(shape))
    elements.TracedArea([WORLD, *borders], class_name="map-veil", stroke=False, fill=True).add_to(
        chart
    )
    elements.Traced(borders, class_name="map-market").add_to(chart)


def add_offices(chart: folium.Map, offices: pd.DataFrame, limit_m: float, bounds: Bounds) -> None:
    """Add a marker per office, and its ring where that comes near the first view.

    Number n in a class name is row n of the office data. Both stand on the turn of the view.
    """
    west, south, east, north = bounds
    turned = geodesy.nearest_turn(offices["lon"], (west + east) / 2).tolist()
    points = zip(turned, offices["lon"].tolist(), offices["lat"].tolist(), strict=True)
    for row, (lon, on_earth, lat) in enumerate(points):
        circle = geodesy.ring(on_earth, lat, limit_m, vertices=elements.RING_VERTICES)
        circle[:, 0] += lon - on_earth
        (left, low), (right, high) = circle.min(axis=0), circle.max(axis=0)
        if left < east + 1 and right > west - 1 and low < north + 1 and high > south - 1:
            looks = {"class_name": f"map-ring map-ring-{row}", "fill": True, "smooth_factor": 0}
            # One round a pole is closed along the edge of the map, which takes more corners.
            is_round_a_pole = len(circle) != elements.RING_VERTICES + 1
            ring = (
                elements.Traced([circle[:, ::-1]], **looks)
                if is_round_a_pole
                else elements.Ring(lon, lat, limit_m, **looks)
            )
            ring.add_to(chart)
        icon = folium.DivIcon(
            html=BUILDING,
            icon_size=(18, 18),
            icon_anchor=(9, 9),
            class_name=f"map-office map-office-{row}",
        )
        folium.Marker((lat, lon), icon=icon, keyboard=False).add_to(chart)
