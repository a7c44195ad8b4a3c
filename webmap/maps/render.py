"""Rendered maps: a folium map on our ground, taken apart into what a page is made of.

A page takes a `RenderedMap` in three parts, so that a strict Content-Security-Policy holds:
``head`` (links to our own assets, nothing inline), ``body`` (one element) and ``script``, which is
the same for every request over the same plan and is served as a file of its own.

folium writes texts into its script and HTML as they are, so none from outside gets there: folium
is given numbers and constants only, and the address and credit of the tiles, made harmless. Names
travel as JSON and as escaped attributes, and our scripts write them with ``textContent``.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import brotli
import folium
from flask import Response, request
from folium.utilities import JsCode
from markupsafe import Markup, escape

from webmap.maps import assets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branca.element import Element

    from webmap.maps.basemap import Tiles

MIN_ZOOM, MAX_ZOOM = 3, 16
Bounds = tuple[float, float, float, float]  # west, south, east, north
MAINLAND: Bounds = (-125.0, 24.5, -66.5, 49.5)
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
        return bytes(brotli.compress(self.script.encode(), quality=10))

    def script_response(self) -> Response:
        """Serve the script; a browser keeps what its address names by digest."""
        is_small = request.accept_encodings["br"] > 0
        response = Response(self.small if is_small else self.script, mimetype="text/javascript")
        if is_small:
            response.headers["Content-Encoding"] = "br"
        response.vary.add("Accept-Encoding")
        if request.args.get("v") == self.tag:
            response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return response


def base_chart(
    bounds: Bounds | None,
    tiles: Tiles,
    *,
    closest: int = MAX_ZOOM,
    closest_tiles: int = MAX_ZOOM,
) -> folium.Map:
    """Make a folium map with its ground; bounds (degrees) fill the first view.

    Without bounds the script that takes the map over chooses the view. The address of ``tiles`` may
    have ``{scheme}`` (light or dark) and ``{r}`` ("@2x" on dense screens) beside ``{z}``, ``{x}``
    and ``{y}``.
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


def render(
    chart: folium.Map, *, looks: str, label: str, data: dict[str, str | None]
) -> RenderedMap:
    """Take a folium map apart; the same map gives the same script in every process.

    ``looks`` are the classes of its element, ``label`` names it, and ``data`` are its ``data-``
    attributes; those that are None are left out.
    """
    assets.localise()
    figure: Any = chart.get_root()  # a branca Figure, though it says Element
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
    script = f"(async function () {{\n{figure.script.render()}\n}})();\n"
    return RenderedMap(head, body, script, hashlib.sha256(script.encode()).hexdigest()[:12])


def _number(element: Element, numbers: Iterator[int]) -> None:
    """Replace folium's random element ids by a count."""
    element._id = str(next(numbers))  # noqa: SLF001
    for child in element._children.values():  # noqa: SLF001
        _number(child, numbers)
