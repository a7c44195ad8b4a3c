"""Which names the base map shows, and where: cities, states and waters that do not meet.

Coordinates are css pixels of the whole map at one zoom, from its north-west corner.
"""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from PIL import ImageFont

from territory.reference import normalise_places
from webmap.maps.basemap_outlines import TILE, project

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pandas as pd

    from territory.reference import Reference
    from webmap.maps.basemap_outlines import Box

WATERS = (  # name, lon, lat, first zoom: the bundled lakes have no names
    ("Lake Superior", -87.9, 47.75, 5),
    ("Lake Michigan", -87.05, 43.4, 5),
    ("Lake Huron", -82.4, 44.9, 5),
    ("Lake Erie", -81.2, 42.22, 5),
    ("Lake Ontario", -77.9, 43.65, 6),
    ("Great Salt Lake", -112.6, 41.2, 8),
    ("Atlantic Ocean", -66.0, 33.0, 3),
    ("Pacific Ocean", -133.0, 36.0, 3),
)
BLOCK_ZOOM = 6  # the zoom whose tiles are the blocks that labels are placed in
MOST_LABELS_ZOOM = 12
QUARTER_MOST = 1_000_000  # people; a larger part of a city is named whatever the post calls it
ROOMY = 1.4  # a state's name may be so many times as long as the state is wide
FACES = {"plain": "Regular", "bold": "Semibold", "slant": "It"}


@functools.cache
def font(face: str, size: float) -> ImageFont.FreeTypeFont:
    """Open Source Sans Pro, which has the accents that Pillow's own font lacks."""
    source = files("font_source_sans_pro") / "files" / f"SourceSansPro-{FACES[face]}.ttf"
    with as_file(source) as path:
        return ImageFont.truetype(str(path), size)


@dataclass(frozen=True)
class Label:
    """A text at (x, y), in css pixels of one zoom's whole map; ``dot`` marks where a city is."""

    text: str
    kind: str  # city, large, state, water
    x: float
    y: float
    dot: tuple[float, float] | None


STYLES = {  # face and size in css pixels
    "city": ("plain", 12),
    "large": ("bold", 13),
    "state": ("plain", 11),
    "water": ("slant", 13),
}


class Labels:
    """Which labels a zoom shows: decided for a block of tiles at once, so neighbours agree.

    Up to zoom 6 the world is one block; closer in, a block is one tile of zoom 6, and no label
    crosses its edge. A block is decided when one of its tiles is first asked for, and kept.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._blocks: dict[tuple[int, int, int], dict[tuple[int, int], list[Label]]] = {}
        self._lock = threading.Lock()

    def of_tile(self, zoom: int, x: int, y: int) -> list[Label]:
        """Give the labels that reach into a tile."""
        closer = max(0, zoom - BLOCK_ZOOM)
        block = (zoom, x >> closer, y >> closer) if closer else (zoom, 0, 0)
        with self._lock:
            if block not in self._blocks:
                self._blocks[block] = _by_tile(self._placed(*block))
            return self._blocks[block].get((x, y), [])

    def _placed(self, zoom: int, column: int, row: int) -> Iterator[tuple[Label, Box]]:
        """Place the weightiest first; one that finds no free side is left out."""
        side = TILE * 2 ** max(0, zoom - BLOCK_ZOOM) if zoom > BLOCK_ZOOM else TILE * 2**zoom
        edge = (column * side, row * side, (column + 1) * side, (row + 1) * side)
        taken: defaultdict[tuple[int, int], list[Box]] = defaultdict(list)
        gap = 4 if zoom <= BLOCK_ZOOM else 14  # closer in, labels give way to what is on the map
        for text, kind, px, py in self._wanted(zoom, column, row):
            face, size = STYLES[kind]
            for label, box in _sides(text, kind, px, py, font(face, size).getlength(text)):
                cells = list(_cells(box, 16))
                if _inside(box, edge) and all(
                    _apart(box, other, gap) for cell in cells for other in taken[cell]
                ):
                    for cell in cells:
                        taken[cell].append(box)
                    yield label, box
                    break

    @functools.cached_property
    def _cities(self) -> dict[str, npt.NDArray[Any]]:
        """The cities from the largest down, with their place and their block of zoom 6.

        In the US, of the smaller ones only those that the post delivers to: GeoNames lists city
        quarters as places too.
        """
        table = self._reference.cities
        table = table[
            (table["country_code"] != "US")
            | (table["population"] >= QUARTER_MOST)
            | self._has_post(table)
        ].sort_values(["population", "city_id"], ascending=[False, True], kind="stable")
        x, y = project(table["lon"].to_numpy(), table["lat"].to_numpy())
        country = table["country_code"].to_numpy(object)
        return {
            "name": table["name"].to_numpy(object),
            "x": x,
            "y": y,
            "block": (x * 2**BLOCK_ZOOM).astype(int) * 2**BLOCK_ZOOM
            + (y * 2**BLOCK_ZOOM).astype(int),
            # Abroad a city must be larger to be named.
            "weight": table["population"].to_numpy(float)
            / np.select([country == "US", np.isin(country, ["CA", "MX"])], [1, 2], 4),
        }

    def _has_post(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        places = self._reference.zip_codes[["city", "state_code"]].drop_duplicates()
        post = set(zip(normalise_places(places["city"]), places["state_code"], strict=True))
        names = zip(normalise_places(table["name"]), table["admin1_code"], strict=True)
        return np.fromiter((name in post for name in names), bool, len(table))

    def _wanted(self, zoom: int, column: int, row: int) -> Iterator[tuple[str, str, float, float]]:
        span = TILE * 2**zoom
        near = zoom > BLOCK_ZOOM
        for name, lon, lat, first in WATERS:
            x, y = project(lon, lat)
            here = (int(x * 2**BLOCK_ZOOM), int(y * 2**BLOCK_ZOOM)) == (column, row)
            if zoom >= first and (here or not near):
                yield name, "water", float(x) * span, float(y) * span
        if 4 <= zoom <= BLOCK_ZOOM:
            yield from self._state_names(span)
        cities = self._cities
        least = 300 if zoom >= MOST_LABELS_ZOOM else 3e6 / 2.3 ** (zoom - 2)
        wanted = cities["weight"] >= least
        if near:
            wanted &= cities["block"] == column * 2**BLOCK_ZOOM + row
        large = cities["weight"][wanted] >= 12 * max(least, 4000)
        yield from zip(
            cities["name"][wanted],
            np.where(large, "large", "city").tolist(),
            (cities["x"][wanted] * span).tolist(),
            (cities["y"][wanted] * span).tolist(),
            strict=True,
        )

    def _state_names(self, span: int) -> Iterator[tuple[str, str, float, float]]:
        states = self._reference.states
        for name, shape in zip(states["name"], states.geometry, strict=True):
            west, _, east, _ = shape.bounds
            text = " ".join(name.upper()).replace("   ", "  ")
            point = shapely.maximum_inscribed_circle(shape, 0.05).coords[0]
            x, y = project(*point)
            if ROOMY * (east - west) / 360 * span > font(*STYLES["state"]).getlength(text):
                yield text, "state", float(x) * span, float(y) * span


def _sides(text: str, kind: str, x: float, y: float, wide: float) -> Iterator[tuple[Label, Box]]:
    """Give the places a label may take: a city's to the right, left, above or below its dot."""
    if kind in {"state", "water"}:
        yield Label(text, kind, x - wide / 2, y, None), (x - wide / 2, y - 8, x + wide / 2, y + 8)
        return
    for left, middle in (
        (x + 5, y),
        (x - 5 - wide, y),
        (x - wide / 2, y - 11),
        (x - wide / 2, y + 11),
    ):
        box = (min(left, x - 3), min(middle, y) - 8, max(left + wide, x + 3), max(middle, y) + 8)
        yield Label(text, kind, left, middle, (x, y)), box


def _cells(box: Box, margin: float) -> Iterator[tuple[int, int]]:
    west, north, east, south = (int(v // TILE) for v in (
        box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin))  # fmt: skip
    for column in range(west, east + 1):
        for row in range(north, south + 1):
            yield column, row


def _inside(box: Box, edge: Box) -> bool:
    return box[0] > edge[0] and box[1] > edge[1] and box[2] < edge[2] and box[3] < edge[3]


def _apart(one: Box, other: Box, gap: float) -> bool:
    return (
        one[2] + gap < other[0]
        or other[2] + gap < one[0]
        or one[3] + gap / 2 < other[1]
        or other[3] + gap / 2 < one[1]
    )


def _by_tile(
    placed: Iterator[tuple[Label, Box]],
) -> dict[tuple[int, int], list[Label]]:
    tiles = defaultdict(list)
    for label, box in placed:
        for cell in _cells(box, 4):
            tiles[cell].append(label)
    return dict(tiles)
