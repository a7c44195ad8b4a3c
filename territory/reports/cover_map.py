"""Cover map of a market book: its lines, symbols and labels on the paper.

It is drawn from the library's own geometry on an azimuthal equidistant plane round the middle of
the market, north up, so that a mile is as long everywhere as the paper can show. `draw` gives a
`Drawing` in millimetres with y down; `cover_map_svg` writes it, for a page and for paper.
Colours are light: this is for print.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyproj
import shapely

from territory import geodesy
from territory.units_of_length import METRES_PER_MILE, to_miles

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from territory.reference import Reference

    Floats = npt.NDArray[np.float64]

CREDIT = "U.S. Census Bureau, Natural Earth, GeoNames"
MARGIN = 0.06  # of the market's extent, on each side
LEAST_WIDTH_M = 4_000.0
MOST_CITIES = 14
_MILES = (0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)
OFFICE_MM = 3.2
_LABEL_MM = 2.5
_SAME_MM = 0.4  # symbols closer than this share a place
_STEP = 0.62  # of a symbol's size, between two that share a place
_GOLDEN = np.pi * (3 - np.sqrt(5))

SEGMENT_COLOURS = {
    "enterprise": "#0b63a1",
    "mid_market": "#c55e08",
    "small": "#008163",
    "unknown": "#585d69",
}
# Shape, and what it stands for; the shapes are those of the map in the app.
SHAPES = {
    "hollow circle": "No open opportunity",
    "circle": "Open opportunity",
    "square": "Customer",
    "hollow square": "Former customer",
    "cross": "Disqualified",
}


@dataclass(frozen=True)
class Shape:
    """Lines of one kind; where the style fills, they are rings (even-odd)."""

    kind: str
    lines: tuple[Floats, ...]


@dataclass(frozen=True)
class Symbol:
    """One prospect: ``shape`` of ``SHAPES``, about ``size`` wide."""

    x: float
    y: float
    shape: str
    colour: str
    size: float


@dataclass(frozen=True)
class Label:
    """Words at a point: ``anchor`` is start, middle or end; ``size`` the height of the type."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    size: float = _LABEL_MM
    is_bold: bool = False
    colour: str = "#5a564f"


@dataclass(frozen=True)
class Drawing:
    """A map of ``width`` by ``height`` millimetres, its parts from below.

    ``located`` of ``rows`` prospects have a location, ``beyond`` of these lie outside the frame.
    ``shapes_used`` and ``segments_used`` are what the legend explains.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]
    symbols: tuple[Symbol, ...]
    offices: tuple[tuple[float, float], ...]
    labels: tuple[Label, ...]
    scale_mm: float
    scale_words: str
    ring_words: str
    rows: int
    located: int
    beyond: int
    shapes_used: tuple[str, ...]
    segments_used: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say how many of how many prospects are drawn."""
        sentence = f"{self.located - self.beyond:,} of {self.rows:,} prospects are drawn"
        without = self.rows - self.located
        why = [f"{without:,} without a location"] if without else []
        why += [f"{self.beyond:,} beyond the frame"] if self.beyond else []
        return f"{sentence}; {' and '.join(why)}." if why else f"{sentence}."


@dataclass(frozen=True)
class _Plane:
    """Where degrees lie on the paper."""

    forward: pyproj.Transformer
    middle: tuple[float, float]  # metres on the plane
    scale: float  # millimetres a metre
    width: float
    height: float

    def place(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
        """Give millimetres from the top left, shape (n, 2)."""
        x, y = self.forward.transform(np.asarray(lon, float), np.asarray(lat, float))
        return np.stack(
            [
                self.width / 2 + (np.asarray(x) - self.middle[0]) * self.scale,
                self.height / 2 - (np.asarray(y) - self.middle[1]) * self.scale,
            ],
            axis=-1,
        )

    def shape(self, geometry: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        """Put geometries (degrees) on the paper, cut at its edges."""
        placed = shapely.transform(geometry, lambda xy: self.place(xy[:, 0], xy[:, 1]))
        is_broken = ~shapely.is_valid(placed)
        placed[is_broken] = shapely.make_valid(placed[is_broken])
        cut = shapely.clip_by_rect(placed, 0, 0, self.width, self.height)
        return np.asarray(cut[~shapely.is_empty(cut)], object)

    def bounds(self) -> tuple[float, float, float, float]:
        """Give west, south, east, north of the paper and somewhat more, in degrees."""
        along = np.linspace(-0.6, 0.6, 25)
        side = np.full(25, 0.6)
        x = np.concatenate([along, along, side, -side]) * self.width / self.scale
        y = np.concatenate([side, -side, along, along]) * self.height / self.scale
        lon, lat = self.forward.transform(
            x + self.middle[0], y + self.middle[1], direction="INVERSE"
        )
        centre, _ = self.forward.transform(*self.middle, direction="INVERSE")
        lon = (np.asarray(lon) - centre + 180) % 360 - 180 + centre
        return lon.min(), max(np.min(lat), -90.0), lon.max(), min(np.max(lat), 90.0)


def draw(
    geometry: BaseGeometry,
    offices: pd.DataFrame,
    prospects: pd.DataFrame,
    tables: Reference,
    *,
    limit_m: float,
    width: float,
    height: float,
) -> Drawing:
    """Draw a market.

    Parameters
    ----------
    geometry
        The market in WGS84 degrees.
    offices
        name, lon, lat; those without a location are left out.
    prospects
        lon, lat, status, segment, stage.
    tables
        The ground is drawn from.
    limit_m
        Radius of the rings round the offices.
    width, height
        Of the paper, in millimetres.
    """
    plane = _plane(geometry := geodesy.unrolled(geometry), width, height)
    ground = _ground(plane, tables, geometry)
    placed = offices.dropna(subset=["lon", "lat"])
    spots = plane.place(placed["lon"], placed["lat"])
    rings = [
        geodesy.ring(lon, lat, limit_m)
        for lon, lat in zip(placed["lon"].tolist(), placed["lat"].tolist(), strict=True)
    ]
    inside = _within(spots, plane)
    symbols, located, beyond = _symbols(prospects, plane, spots)
    names = [
        Label(x + 2.4, y + 0.9, str(name), size=2.9, is_bold=True, colour="#17202c")
        for (x, y), name in zip(spots[inside].tolist(), placed["name"][inside], strict=True)
    ]
    miles, words = _scale(plane)
    return Drawing(
        width,
        height,
        (
            *ground,
            _outline("market", plane, [geometry]),
            Shape("ring", _lines(plane.shape(np.array([shapely.linestrings(r) for r in rings])))),
            Shape("frame", (_rectangle(width, height),)),
        ),
        tuple(symbols),
        tuple((float(x), float(y)) for x, y in spots[inside]),
        (*_cities(plane, tables, names, symbols), *names),
        miles,
        words,
        f"{to_miles(limit_m):g} miles from an office, in a straight line",
        len(prospects),
        located,
        beyond,
        tuple(one for one in SHAPES if any(symbol.shape == one for symbol in symbols)),
        tuple(one for one in SEGMENT_COLOURS if (prospects["segment"] == one).any()),
    )


def shape_of(status: str | None, stage: str | None) -> str:
    """Say by which shape a prospect is drawn."""
    if status == "customer":
        return "square"
    if status == "former":
        return "hollow square"
    if status == "disqualified":
        return "cross"
    return "circle" if isinstance(stage, str) else "hollow circle"


def _plane(geometry: BaseGeometry, width: float, height: float) -> _Plane:
    """Fit the market into the paper."""
    centre = shapely.centroid(geometry)
    plane = pyproj.CRS(f"+proj=aeqd +lon_0={centre.x} +lat_0={centre.y} +datum=WGS84 +units=m")
    forward = pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True)
    x, y = forward.transform(*shapely.get_coordinates(geometry).T)
    across, along = (max(np.ptp(side) * (1 + 2 * MARGIN), LEAST_WIDTH_M) for side in (x, y))
    return _Plane(
        forward,
        (float(np.min(x) + np.ptp(x) / 2), float(np.min(y) + np.ptp(y) / 2)),
        float(min(width / across, height / along)),
        width,
        height,
    )


def _ground(plane: _Plane, tables: Reference, geometry: BaseGeometry) -> list[Shape]:
    """Draw what lies under the symbols."""
    base = tables.basemap
    fine = base[base["detail"] == "north_america"]
    box = plane.bounds()
    land = _cut(fine[fine["layer"] == "land"].geometry.to_numpy(), box)
    if not len(land):
        land = _cut(base[base["layer"] == "land"].geometry.to_numpy(), box)
    dry = shapely.union_all(plane.shape(land))
    lakes = shapely.union_all(
        plane.shape(_cut(fine[fine["layer"] == "lake"].geometry.to_numpy(), box))
    )
    market = shapely.union_all(plane.shape(np.array([geometry])))
    states = plane.shape(_cut(fine[fine["layer"] == "state_line"].geometry.to_numpy(), box))
    counties = _cut(shapely.boundary(tables.counties.geometry.to_numpy()), box)
    return [
        Shape("water", (_rectangle(plane.width, plane.height),)),
        Shape("land", _rings([dry])),
        Shape("market_land", _rings([shapely.intersection(dry, market)])),
        Shape("lake", _rings([shapely.intersection(lakes, dry)])),
        Shape("county", _lines(plane.shape(counties))),
        Shape("state", _lines(states)),
    ]


def _cut(
    geometry: npt.NDArray[np.object_], box: tuple[float, float, float, float]
) -> npt.NDArray[np.object_]:
    """Cut geometries (degrees) at a box whose longitudes may run past 180."""
    west, south, east, north = box
    pieces = []
    for turn in (-360.0, 0.0, 360.0):
        cut = shapely.clip_by_rect(geometry, west + turn, south, east + turn, north)
        pieces.append(cut[~shapely.is_empty(cut)])
    return np.asarray(shapely.segmentize(np.concatenate(pieces), 0.5), object)


def _outline(kind: str, plane: _Plane, geometry: list[BaseGeometry]) -> Shape:
    return Shape(kind, _lines(plane.shape(shapely.boundary(np.array(geometry)))))


def _rectangle(width: float, height: float) -> Floats:
    return np.array([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], float)


def _rings(geometry: Iterable[BaseGeometry]) -> tuple[Floats, ...]:
    """Give every border of areas, outer and inner."""
    parts = shapely.get_parts(shapely.get_parts(np.array(list(geometry), object)))
    return _lines(shapely.get_rings(parts[shapely.get_type_id(parts) == 3]))


def _lines(geometry: npt.NDArray[np.object_]) -> tuple[Floats, ...]:
    """Give lines as points, to a hundredth of a millimetre."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    lines = shapely.simplify(parts[np.isin(shapely.get_type_id(parts), (1, 2))], 0.05)
    return tuple(np.round(shapely.get_coordinates(line), 2) for line in lines)


def _within(spots: Floats, plane: _Plane) -> npt.NDArray[np.bool_]:
    return np.asarray(((spots >= 0) & (spots <= (plane.width, plane.height))).all(axis=1))


def _symbols(
    prospects: pd.DataFrame, plane: _Plane, offices: Floats
) -> tuple[list[Symbol], int, int]:
    """Draw the prospects with a location, and say how many these are and how many lie beyond."""
    placed = prospects.dropna(subset=["lon", "lat"])
    spots = plane.place(placed["lon"].astype(float), placed["lat"].astype(float))
    inside = _within(spots, plane)
    size = 2.2 if len(placed) <= 300 else 1.6 if len(placed) <= 2_000 else 1.1
    rows, spots = placed[inside], _apart(spots[inside], size, offices)
    columns = (rows[name] for name in ("status", "segment", "stage"))
    symbols = [
        Symbol(
            round(x, 2),
            round(y, 2),
            shape_of(status, stage),
            SEGMENT_COLOURS.get(segment, SEGMENT_COLOURS["unknown"]),
            size,
        )
        for (x, y), status, segment, stage in zip(spots.tolist(), *columns, strict=True)
    ]
    return symbols, len(placed), int((~inside).sum())


def _apart(spots: Floats, size: float, offices: Floats) -> Floats:
    """Set the symbols that share a place side by side in a spiral round it, clear of an office."""
    # The spiral of a sunflower (Vogel 1979): a golden angle a step keeps all at one distance.
    cell = pd.DataFrame(np.round(spots / _SAME_MM).astype(int)).groupby([0, 1])
    turn = cell.cumcount().to_numpy()
    for office in offices:
        clear = (OFFICE_MM / 2 + size) / (size * _STEP)
        turn = turn + clear**2 * (np.hypot(*(spots - office).T) < OFFICE_MM / 2)
    angle, reach = turn * _GOLDEN, size * _STEP * np.sqrt(turn)
    moved: Floats = spots + np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1)
    return moved


def _cities(
    plane: _Plane, tables: Reference, offices: list[Label], symbols: list[Symbol]
) -> list[Label]:
    """Name the largest cities that keep clear of the offices, the symbols and each other."""
    west, south, east, north = plane.bounds()
    cities = tables.cities
    is_along = (cities["lon"] - west) % 360 <= east - west
    near = cities[is_along & cities["lat"].between(south, north)].nlargest(200, "population")
    spots = plane.place(near["lon"], near["lat"])
    boxes = [_box(label) for label in offices]
    dots = np.array([(symbol.x, symbol.y) for symbol in symbols]).reshape(-1, 2)
    labels: list[Label] = []
    for (x, y), name in zip(spots.tolist(), near["name"], strict=True):
        label = Label(round(x, 2), round(y - 1.2, 2), str(name), anchor="middle")
        box = _box(label)
        is_inside = box[0] > 1 and box[2] < plane.width - 1 and 1 < box[1] < plane.height - 4
        if is_inside and not _holds(box, dots) and not any(_meet(box, one) for one in boxes):
            boxes.append(box)
            labels.append(label)
        if len(labels) == MOST_CITIES:
            break
    return labels


def _box(label: Label) -> tuple[float, float, float, float]:
    """Guess the room that a label takes, with some air."""
    long = len(label.text) * label.size * 0.55
    left = label.x - (long / 2 if label.anchor == "middle" else 0)
    return left - 1.5, label.y - label.size - 1, left + long + 1.5, label.y + 1.5


def _holds(box: tuple[float, float, float, float], dots: Floats) -> bool:
    return bool(((dots > box[:2]) & (dots < box[2:])).all(axis=1).any())


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _scale(plane: _Plane) -> tuple[float, str]:
    """Choose the longest round number of miles that takes up to a quarter of the width."""
    mile = METRES_PER_MILE * plane.scale
    miles = max((one for one in _MILES if one * mile <= plane.width / 4), default=_MILES[0])
    return round(miles * mile, 2), f"{miles:g} mi"
