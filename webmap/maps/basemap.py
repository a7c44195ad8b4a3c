"""The base map: PNG tiles that the app draws itself from the bundled tables, offline.

Land and water, lakes, state and county lines, and city labels, in a light and a dark scheme, at 256
pixels or, for dense screens, 512. A tile is drawn when it is first asked for and kept in an SQLite
file laid out like MBTiles; the file may be deleted at any time. Its name holds a digest of what the
tiles are drawn from, so a new release never shows old tiles.

A company may put tiles of its own in their place (``own_tiles``): those of a file come from the
same addresses, and where it has none the drawn ones do; those of a server come from there.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import shapely
from flask import Blueprint, Response, abort, current_app, request
from PIL import Image, ImageColor, ImageDraw

from territory import reference
from webmap import security
from webmap.maps.basemap_labels import STYLES, Label, Labels, font
from webmap.maps.basemap_outlines import TILE, Ground, project
from webmap.maps.tile_cache import TileStore
from webmap.maps.tile_sources import DEEPEST_ZOOM, TileFile, TileServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from webmap.maps.basemap_outlines import Layer
    from webmap.maps.tile_cache import Key

TILES_URL = "/tiles/{scheme}/{z}/{x}/{y}{r}.png"
CREDITS = "© OpenStreetMap contributors, GeoNames, Natural Earth, US Census"
MAX_ZOOM = 12
SCHEMES = ("light", "dark")
SNAP = 3  # how far a quantised colour may be from the ink it stands for, of 255
SMOOTH = 2  # outlines are drawn so many times larger, for smooth edges
SOURCES = ("basemap.py", "basemap_outlines.py", "basemap_labels.py")
TABLES = ("basemap", "counties", "states", "cities", "zip_codes", "roads")
INKS = ("water", "land", "county", "state", "road", "label", "halo", "water-label")
TOKEN = re.compile(r"--map-([a-z-]+):\s*(#[0-9a-f]{6})")
MAINLAND = (-125.0, 24.5, -66.5, 49.5)

# What each layer is painted with: (layer, ink, line width in css pixels or 0 to fill, first zoom).
PLAN = (
    ("land", "land", 0, 0),
    ("borders", "state", 0.75, 3),
    ("home", "land", 0, 0),
    ("roads", "road", 1.5, 5),
    ("lakes", "water", 0, 3),
    ("rivers", "water", 1.0, 7),
    ("counties", "county", 0.75, 7),
    ("states", "state", 1.0, 3),
)


@dataclass(frozen=True)
class Tiles:
    """What a map lies on: the address of its tiles, their credit as text, their closest zoom."""

    url: str = TILES_URL
    credit: str = CREDITS
    closest: int = MAX_ZOOM


DRAWN = Tiles()


@functools.cache
def palette(scheme: str) -> dict[str, str]:
    """Read the inks of a scheme from the design tokens: light comes first there, then dark."""
    tokens = (files("webmap") / "static" / "pages" / "tokens.css").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for name, colour in TOKEN.findall(tokens):
        found.setdefault(name, []).append(colour)
    return {name: found[name][SCHEMES.index(scheme)] for name in INKS}


@functools.cache
def ground() -> Ground:
    """Share the outlines among the threads of this process."""
    return Ground(reference.load())


@functools.cache
def labels() -> Labels:
    """Share the placed labels among the threads of this process."""
    return Labels(reference.load())


def draw(scheme: str, zoom: int, x: int, y: int, ratio: int = 1) -> bytes:
    """Draw one tile as PNG, ``ratio`` times 256 pixels wide."""
    inks = palette(scheme)
    side = TILE * ratio * SMOOTH
    image = Image.new("RGB", (side, side), inks["water"])
    pen, tiles = ImageDraw.Draw(image), 2**zoom
    margin = 3 / TILE
    box = (
        (x - margin) / tiles,
        (y - margin) / tiles,
        (x + 1 + margin) / tiles,
        (y + 1 + margin) / tiles,
    )
    layers = ground().band(zoom)
    for name, ink, width, first in PLAN:
        if zoom >= first:
            for outline, hole in _outlines(layers[name], box, tiles, (x, y), side):
                if width:
                    pen.line(outline, fill=inks[ink], width=max(1, round(width * ratio * SMOOTH)))
                else:
                    pen.polygon(outline, fill=inks["water" if hole else ink])
    image = image.reduce(SMOOTH)
    _write(image, labels().of_tile(zoom, x, y), (x, y), ratio, inks)
    return _png(image, scheme)


def _outlines(
    layer: Layer,
    box: tuple[float, float, float, float],
    tiles: int,
    corner: tuple[int, int],
    side: int,
) -> Iterator[tuple[list[tuple[float, ...]], bool]]:
    """Give each line or border in the box in pixels of the tile, and whether it is a hole."""
    for shape in layer.within(box):
        rings = (shape.exterior, *shape.interiors) if shape.geom_type == "Polygon" else (shape,)
        for number, ring in enumerate(rings):
            points = (shapely.get_coordinates(ring) * tiles - corner) * side
            if len(points) > 1:
                yield list(map(tuple, points.tolist())), number > 0


def _write(
    image: Image.Image,
    found: Iterable[Label],
    corner: tuple[int, int],
    ratio: int,
    inks: dict[str, str],
) -> None:
    """Write the labels, all halos first, so that no halo covers a neighbour's letters."""
    pen = ImageDraw.Draw(image)
    found = list(found)
    for halo in (True, False):
        for label in found:
            face, size = STYLES[label.kind]
            ink = inks["water-label" if label.kind == "water" else "label"]
            letters = font(face, size * ratio)
            at = _on_tile((label.x, label.y), corner, ratio)
            if halo:
                halo_ink = inks["halo"]
                pen.text(
                    at, label.text, fill=halo_ink, font=letters, anchor="lm",
                    stroke_width=1.5 * ratio, stroke_fill=halo_ink,
                )  # fmt: skip
                continue
            pen.text(at, label.text, fill=ink, font=letters, anchor="lm")
            if label.dot:
                cx, cy = _on_tile(label.dot, corner, ratio)
                r = 1.6 * ratio
                pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=ink)


def _on_tile(
    point: tuple[float, float], corner: tuple[int, int], ratio: int
) -> tuple[float, float]:
    return (point[0] - corner[0] * TILE) * ratio, (point[1] - corner[1] * TILE) * ratio


def _png(image: Image.Image, scheme: str) -> bytes:
    """Write in 64 colours; the file is a third of one in full colour.

    The quantiser shifts colours a little, by tile; the inks themselves are put back as they were,
    or the plain water would show a seam between tiles.
    """
    few = image.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours = np.array(few.getpalette()).reshape(-1, 3)
    inks = np.array([ImageColor.getrgb(colour) for colour in palette(scheme).values()])
    off = np.abs(colours[:, None] - inks[None]).max(axis=2)
    nearest = off.argmin(axis=1)
    snaps = off.min(axis=1) <= SNAP
    colours[snaps] = inks[nearest[snaps]]
    few.putpalette(colours.ravel().tolist())
    out = io.BytesIO()
    few.save(out, "PNG", compress_level=6)
    return out.getvalue()


@functools.cache
def version() -> str:
    """Give a digest of all that tiles are drawn from; it changes when they would look different."""
    code, data = files("webmap.maps"), files(reference.PACKAGE)
    parts = [str(palette(scheme)).encode() for scheme in SCHEMES]
    parts += [(code / name).read_bytes() for name in SOURCES]
    parts += [(data / f"{name}.parquet").read_bytes() for name in TABLES]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[
        :12
    ]


@functools.cache
def store(folder: Path) -> TileStore:
    """Open the file of tiles in a folder, one object per process."""
    return TileStore(folder.absolute() / f"tiles-{version()}.sqlite", draw)


def warm(
    folder: Path,
    levels: Iterable[int],
    *,
    bounds: tuple[float, float, float, float] = MAINLAND,
    schemes: Iterable[str] = SCHEMES,
    ratios: Iterable[int] = (1,),
) -> int:
    """Draw the tiles of ``levels`` within ``bounds`` that are not there yet.

    ``bounds`` are west, south, east and north in degrees. With all tiles there it reads the file
    and no tables.

    Returns
    -------
    drawn
        How many tiles were drawn.
    """
    kept, drawn = store(folder), 0
    for key in _keys(levels, bounds, schemes, ratios):
        if not kept.has(key):
            kept.get(key)
            drawn += 1
    return drawn


def _keys(
    levels: Iterable[int],
    bounds: tuple[float, float, float, float],
    schemes: Iterable[str],
    ratios: Iterable[int],
) -> Iterator[Key]:
    west, south, east, north = bounds
    (left, right), (bottom, top) = project([west, east], [south, north])
    for zoom in levels:
        tiles = 2**zoom
        for x in range(int(left * tiles), int(right * tiles) + 1):
            for y in range(int(top * tiles), int(bottom * tiles) + 1):
                for scheme in schemes:
                    for ratio in ratios:
                        yield scheme, ratio, zoom, x, y


def own_tiles() -> TileFile | TileServer | None:
    """Give the tiles that this app was started with; None: those that are drawn."""
    found: TileFile | TileServer | None = current_app.extensions.get("own_tiles")
    return found


def under_maps() -> Tiles:
    """Say what the maps of this app lie on."""
    own = own_tiles()
    if isinstance(own, TileServer):
        return Tiles(own.url, own.credit, DEEPEST_ZOOM)
    return under_homes()


def under_homes() -> Tiles:
    """Say what a map lies on that no other host may know of."""
    own = own_tiles()
    if not isinstance(own, TileFile):
        return DRAWN
    # The drawn tiles stand round it and at the zooms that it lacks, so their credit stays.
    credit = f"{own.credit}; around it {CREDITS}" if own.credit else CREDITS
    return Tiles(f"{TILES_URL}?v={own.tag}", credit, max(MAX_ZOOM, own.closest))


def _drawn(key: Key) -> bytes:
    """Give a drawn tile; one that is not there yet is drawn apart from this worker if possible."""
    kept, worker = (
        store(current_app.config["TERRITORY"].var_dir),
        current_app.extensions.get("worker"),
    )
    if worker is not None and not kept.has(key):
        worker.ask("tile", key)
    return kept.get(key)


blueprint = Blueprint("tiles", __name__, url_prefix="/tiles")


@blueprint.get("/<any(light, dark):scheme>/<int:z>/<int:x>/<int:y><any('', '@2x'):dense>.png")
@security.allows("see_sums")
def serve(scheme: str, z: int, x: int, y: int, dense: str) -> Response:
    """Answer for one tile; what is off the map or closer than there are tiles is not found."""
    own = own_tiles()
    file = own if isinstance(own, TileFile) else None
    if z > max(MAX_ZOOM, file.closest if file else 0) or x >= 2**z or y >= 2**z:
        abort(404)
    picture = file.picture(z, x, y) if file else None
    data, kind = picture or (None, "image/png")
    ratio = 2 if dense else 1
    made = file.tag if file and picture else f"{version()}-{scheme}-{ratio}"
    response = Response(mimetype=kind)
    response.set_etag(f"{made}-{z}-{x}-{y}")
    response.cache_control.public = True
    response.cache_control.max_age = 24 * 3600
    if request.if_none_match.contains(response.get_etag()[0] or ""):
        response.status_code = 304
        return response
    if data is None:
        data = _drawn((scheme, ratio, z, x, y))
    response.set_data(data)
    return response
