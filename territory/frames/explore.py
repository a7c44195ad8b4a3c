"""Explore: points, offices and markets of a frame on a folium map that needs no network.

Leaflet is written into the page itself, and what lies under the map are the outlines of states and
lakes that the package carries, so the map also opens on a plane. Texts of the frame are data, never
markup: folium puts tooltips into the page as HTML and compiles its script as a template.
"""

from __future__ import annotations

import functools
import html
from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import pandas as pd
import shapely
from branca.element import Element
from shapely.affinity import translate

from territory import reference
from territory.errors import ColumnError
from territory.frames.points import has_geometry, in_wgs84, lon_lat, require_frame
from territory.geodesy import arc_of, nearest_turn, ring, shortest_arc, unrolled
from territory.units_of_length import parse_length

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import numpy.typing as npt

COLORS = ("#3949c6", "#c2410c", "#0f766e", "#a21caf", "#4d7c0f", "#b45309", "#0369a1", "#6b7280")
_INK, _GRAY, _SEA, _LAND = "#111827", "#6b7280", "#dbe7f3", "#fbfaf7"
Box = tuple[float, float, float, float]  # west, south, east, north in degrees
_AROUND_DEG = 10.0  # what lies under the map reaches this far beyond what is on it
_SIMPLE_DEG = 0.01
_VERTICES = 256  # of a ring: 6 m short of a 50-mile circle at most


def explore(
    frame: pd.DataFrame,
    *,
    offices: pd.DataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
    radius: str | None = None,
    color: str | None = None,
    tooltip: Iterable[str] | str | None = None,
) -> folium.Map:
    """Draw a frame on a map; save it with ``.save("map.html")`` or show it in a notebook.

    Parameters
    ----------
    frame
        Points in any CRS, or the columns ``lon`` and ``lat``; rows without a place are left out
        and counted in the legend.
    offices
        Points likewise, drawn as squares, with a ring of ``radius`` ("50mi") round each. The ring
        is a geodesic circle of 256 vertices; it is drawn and decides nothing.
    areas
        Outlines of markets, in any CRS.
    color
        A column by whose values points are colored: the seven commonest have a color of their own.
    tooltip
        Columns shown when a point is pointed at; by default all but the geometry.

    Raises
    ------
    ColumnError
        If ``color`` or ``tooltip`` names a column that is not there.
    CoordinateError
        If points cannot be read; see ``screen``.
    """
    columns = _shown(frame, tooltip)
    if color is not None and color not in frame.columns:
        raise ColumnError(f"color: there is no column {color!r}.")
    lon, lat = lon_lat(frame, "frame")
    view = _OfflineMap(tiles=None, prefer_canvas=True)
    bounds = _bounds(lon, lat, offices, areas)
    middle = (bounds[0] + bounds[2]) / 2  # all is drawn on the turn of the view
    _draw_ground(view, bounds)
    if areas is not None:
        _draw_areas(view, areas, middle)
    if offices is not None:
        _draw_offices(view, offices, radius, middle)
    names = _draw_points(view, frame, nearest_turn(lon, middle), lat, columns, color)
    _draw_legend(view, color, names, int(np.isnan(lon).sum()), len(frame))
    west, south, east, north = bounds
    view.fit_bounds([[south, west], [north, east]])  # folium takes (lat, lon)
    return view


class _OfflineMap(folium.Map):
    """A folium map whose scripts and styles stand in the page."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012  folium's own attribute
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        script, style = _leaflet()
        sea = ".leaflet-container{background:" + _SEA + "}"
        page: Any = self.get_root()
        page.header.add_child(Element(f"<style>{style}{sea}</style>"), name="leaflet_style")
        page.header.add_child(Element(f"<script>{script}</script>"), name="leaflet_script")


@functools.cache
def _leaflet() -> tuple[str, str]:
    """Give Leaflet's script and style as folium-offline carries them."""
    from offlinefolium.elements import _res

    # By the names of the files: an app in the same process may have pointed folium elsewhere.
    script, style = (
        next(text for address, text in _res.items() if address.endswith(f"/{name}"))
        for name in ("leaflet.js", "leaflet.css")
    )
    return script.replace("</script", r"<\/script"), style


def _text(value: Any) -> str:
    """Write a value so that neither the page nor folium's template reads anything into it."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    text = f"{value:,.1f}" if isinstance(value, float) else str(value)
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;").replace("`", "&#96;")


def _shown(frame: pd.DataFrame, tooltip: Iterable[str] | str | None) -> list[str]:
    require_frame(frame, "frame")
    geometry = frame.active_geometry_name if has_geometry(frame) else None
    if tooltip is None:
        return [name for name in frame.columns if name != geometry]
    names = [tooltip] if isinstance(tooltip, str) else list(tooltip)
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise ColumnError(f"tooltip: there is no column {', '.join(map(repr, lacking))}.")
    return names


def _bounds(
    lon: np.ndarray, lat: np.ndarray, offices: pd.DataFrame | None, areas: gpd.GeoDataFrame | None
) -> Box:
    """Give west, south, east, north of the points, else of the areas, else of the offices."""
    if not np.isnan(lon).all():
        return _box(lon, lat)
    shapes = None if areas is None else in_wgs84(areas, "areas")
    if shapes is not None and not (shapes.isna() | shapes.is_empty).all():
        _, south, _, north = shapes.total_bounds
        west, east = arc_of(shapes.to_numpy())
        return west, float(south), east, float(north)
    if offices is not None and len(offices):
        return _box(*lon_lat(offices, "offices"))
    return -125.0, 24.0, -66.0, 50.0  # the lower 48 states


def _box(lon: np.ndarray, lat: np.ndarray) -> Box:
    west, east = shortest_arc(lon)
    return west, float(np.nanmin(lat)), east, float(np.nanmax(lat))


def _draw_ground(view: folium.Map, bounds: Box) -> None:
    """Draw the land and the states round what is on the map."""
    west, south, east, north = bounds
    box = (west - _AROUND_DEG, south - _AROUND_DEG, east + _AROUND_DEG, north + _AROUND_DEG)
    tables = reference.load()
    world = tables.basemap
    land = world.geometry[world["layer"].eq("land") & world["detail"].eq("world")].to_numpy()
    style = {"color": "#c9c5bb", "weight": 1, "fillColor": _LAND, "fillOpacity": 1.0}
    for shapes in (land, tables.states.geometry.to_numpy()):
        _geojson(view, [_feature(shape, {}) for shape in _cut(shapes, box)], style)


def _cut(shapes: npt.NDArray[np.object_], box: Box) -> list[Any]:
    """Cut polygons at a box and make them light; they are scenery and decide nothing."""
    west, south, east, north = box
    parts, pieces = shapely.get_parts(shapes), []
    for turn in (-360.0, 0.0, 360.0):
        edges = (west - turn, south, east - turn, north)
        near = parts[shapely.intersects(parts, shapely.box(*edges))]
        near = shapely.simplify(shapely.clip_by_rect(near, *edges), _SIMPLE_DEG)
        pieces += [translate(piece, turn) for piece in near]
    return [piece for piece in pieces if not piece.is_empty]


def _draw_areas(view: folium.Map, areas: gpd.GeoDataFrame, middle: float) -> None:
    name = next((c for c in ("name", "market_id") if c in areas.columns), None)
    labels = areas[name] if name else areas.index
    shapes = in_wgs84(areas, "areas")
    features = [
        _feature(unrolled(shape, middle), {"label": _text(label)})
        for shape, label in zip(shapes, labels, strict=True)
        if shape is not None and not shape.is_empty
    ]
    style = {"color": COLORS[0], "weight": 2, "fillColor": COLORS[0], "fillOpacity": 0.08}
    _geojson(view, features, style, labelled=True)


def _draw_offices(
    view: folium.Map, offices: pd.DataFrame, radius: str | None, middle: float
) -> None:
    lon, lat = lon_lat(offices, "offices")
    turns = nearest_turn(lon, middle) - lon
    if radius is not None:
        limit_m = parse_length(str(radius))
        rings = [
            _feature(translate(shapely.LineString(ring(x, y, limit_m, _VERTICES)), turn), {})
            for x, y, turn in zip(lon, lat, turns, strict=True)
            if not np.isnan(x)
        ]
        _geojson(view, rings, {"color": _GRAY, "weight": 1, "dashArray": "4 4", "fill": False})
    name = next((c for c in ("name", "office_id") if c in offices.columns), None)
    labels = offices[name] if name else offices.index
    features = [
        _feature(shapely.Point(x, y), {"label": _text(label)})
        for x, y, label in zip(lon + turns, lat, labels, strict=True)
        if not np.isnan(x)
    ]
    marker = folium.CircleMarker(
        radius=7, weight=3, color=_INK, fill=True, fill_color="#ffffff", fill_opacity=1.0
    )
    _geojson(view, features, None, labelled=True, marker=marker)


def _draw_points(
    view: folium.Map,
    frame: pd.DataFrame,
    lon: np.ndarray,
    lat: np.ndarray,
    columns: list[str],
    color: str | None,
) -> dict[str, str]:
    """Draw the points in one layer and give what each color stands for."""
    values = pd.Series(map(_text, frame[color])) if color else pd.Series("", index=frame.index)
    commonest = list(values.value_counts().index[: len(COLORS) - 1]) if color else [""]
    color_of = dict(zip(commonest, COLORS, strict=False))
    texts = [  # by position: a name may stand twice
        (_text(name), frame.iloc[:, int(at)].map(_text).tolist())
        for name in dict.fromkeys(columns)
        for at in np.flatnonzero(frame.columns == name)
    ]
    features = [
        _feature(
            shapely.Point(lon[at], lat[at]),
            {
                "label": "<br>".join(f"<b>{name}</b> {cells[at]}" for name, cells in texts),
                "color": color_of.get(value, COLORS[-1]),
            },
        )
        for at, value in enumerate(values)
        if not np.isnan(lon[at])
    ]
    marker = folium.CircleMarker(radius=5, weight=1, color="#ffffff", fill=True, fill_opacity=0.9)
    _geojson(view, features, None, labelled=bool(columns), marker=marker, colored=True)
    others = {"other": COLORS[-1]} if len(set(values)) > len(commonest) else {}
    return color_of | others if color else {}


def _draw_legend(
    view: folium.Map, color: str | None, names: dict[str, str], lost: int, total: int
) -> None:
    lines = [f"{total - lost:,} of {total:,} on the map"]
    lines += [
        f'<span style="background:{ink};display:inline-block;width:10px;height:10px;'
        f'border-radius:5px"></span> {name or "none"}'
        for name, ink in names.items()
    ]
    title = [f"<b>{_text(color)}</b>"] if color else []
    box = (
        '<div style="position:fixed;left:10px;bottom:10px;z-index:1000;background:#fff;'
        'padding:6px 10px;font:13px sans-serif;border-radius:4px">'
        + "<br>".join([*title, *lines])
        + "</div>"
    )
    page: Any = view.get_root()
    page.html.add_child(Element(box))


def _feature(shape: Any, properties: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(shape),
        "properties": properties,
    }


def _geojson(
    view: folium.Map,
    features: list[dict[str, Any]],
    style: dict[str, Any] | None,
    *,
    labelled: bool = False,
    marker: folium.CircleMarker | None = None,
    colored: bool = False,
) -> None:
    if not features:
        return

    def style_of(feature: dict[str, Any]) -> dict[str, Any]:
        if colored:
            return {"fillColor": feature["properties"]["color"]}
        return style or {}

    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=style_of,
        marker=marker,
        tooltip=folium.GeoJsonTooltip(["label"], labels=False) if labelled else None,
        smooth_factor=0,
    ).add_to(view)
