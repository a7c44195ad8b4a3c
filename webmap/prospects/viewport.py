"""Viewport: points in view where there are few, clusters with true counts where there are many.

Or, asked for density, how many there are in each square of a grid.

A cell of the view is a square of ``CELL_PX`` screen pixels; its prospects are one run of the
snapshot's rows, so its count under any filters is a difference of two running totals, and a view
of the whole country costs as much as one of a street.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError
from territory.prospects import BITS, mercator, morton, unproject

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.prospects import Selection, Snapshot

TILE_PX = 256
CELL_PX, EDGE_PX = 64, 8  # a cluster's cell; a view is counted to this many pixels
MOST_POINTS = 2000  # a view with more is clustered
BLOCK = 3  # 2**3 squares a side are looked up in one go
SAMPLE = 32  # members that place a cluster
MIDDLE = (0.25, 0.75)  # clusters keep to the middle of their cell, so that none meet
FULL_TURN = 360.0
SQUARE_PX = 16  # of the density
CLASSES = 5


@dataclass(frozen=True)
class Box:
    """A view: WGS84 degrees and the zoom of the map. Wraps at the antimeridian (west > east).

    Raises
    ------
    InputError
        If it is no view of this earth.
    """

    west: float
    south: float
    east: float
    north: float
    zoom: int

    def __post_init__(self) -> None:
        numbers = (self.west, self.south, self.east, self.north)
        if not all(np.isfinite(numbers)) or not -90 <= self.south <= self.north <= 90:
            raise InputError("bbox: give west,south,east,north in degrees, south below north.")
        if not 0 <= self.zoom <= BITS - 8:
            raise InputError(f"zoom {self.zoom}: give a whole number from 0 to {BITS - 8}.")

    @property
    def width(self) -> float:
        """How many degrees it is wide, on its way east; all turns of a map that shows several."""
        width = self.east - self.west
        return width if width >= 0 else width % FULL_TURN

    def widened(self, share: float) -> Box:
        """Give the view with a margin, a share of its width and height, on every side."""
        aside, above = share * self.width, share * (self.north - self.south)
        return Box(
            self.west - aside,
            max(self.south - above, -90),
            self.west + self.width + aside,
            min(self.north + above, 90),
            self.zoom,
        )


@dataclass(frozen=True)
class View:
    """What a view holds: ``total`` prospects, as ``rows`` or, when there are many, as clusters.

    ``clusters`` has lon, lat (degrees) and count; a cell with a single prospect is one of ``rows``.
    """

    total: int
    rows: npt.NDArray[np.int64]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    count: npt.NDArray[np.int64]

    @classmethod
    def nothing(cls, total: int) -> View:
        """Of so many prospects, draw none."""
        none = np.zeros(0)
        return cls(total, none.astype(np.int64), none, none, none.astype(np.int64))


@dataclass(frozen=True)
class Density:
    """How many there are in each square of ``SQUARE_PX`` pixels that holds any.

    ``x`` and ``y`` number the squares from the north-western corner of the Web Mercator world on.
    ``total`` is as in ``View``; the ``count`` of a square is all of it, also beyond the edge.
    ``limits`` are the least counts of the second class and those above it.
    """

    total: int
    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    limits: tuple[int, ...]


def look(
    snapshot: Snapshot,
    selection: Selection,
    box: Box,
    most: int = MOST_POINTS,
    margin: float = 0.0,
) -> View:
    """See what is in view of what was selected.

    ``total`` counts the view widened to whole squares of ``EDGE_PX`` pixels, because a symbol so
    near the edge still shows. What is given to draw reaches further by ``margin``, a share of the
    view, so that it is there already when the map is dragged; ``most`` is how many that may be
    before they are clustered. Clusters count all of their cell, also what lies beyond the edge.
    """
    total = _count(selection, *_edges(snapshot, box))
    wide = box.widened(margin)
    first, last = _edges(snapshot, wide)
    if _count(selection, first, last) <= most:
        return dataclasses.replace(View.nothing(total), rows=_members(selection, first, last))
    parts = [_clusters(snapshot, selection, part, box.zoom) for part in _cells(wide, CELL_PX)]
    rows, lon, lat, count = (np.concatenate(values) for values in zip(*parts, strict=True))
    return View(total, rows, lon, lat, count)


def density(snapshot: Snapshot, selection: Selection, box: Box, margin: float = 0.0) -> Density:
    """Count what was selected by squares of the view and its margin.

    The limits of the classes follow all that was selected, in view or not, so that a colour stands
    for the same number wherever the map is moved.
    """
    total = _count(selection, *_edges(snapshot, box))
    parts = []
    for part in _cells(box.widened(margin), SQUARE_PX):
        x, y, _, count = _squares(snapshot, selection, part, _level(SQUARE_PX, box.zoom))
        parts.append((x[count > 0], y[count > 0], count[count > 0]))
    x, y, count = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Density(total, x, y, count, class_limits(_fullest(snapshot, selection, box.zoom)))


def square_deg(zoom: int) -> float:
    """Give the width of a square of the density in degrees of longitude."""
    return FULL_TURN / 2.0 ** _level(SQUARE_PX, zoom)


def class_limits(most: int) -> tuple[int, ...]:
    """Divide the counts from 1 to ``most`` into at most five classes, each by the same factor.

    Gives the least count of every class but the first, to one digit where that leaves none empty.
    """
    limits, least = [], 1
    for step in range(1, CLASSES):
        exact = max(most, 1) ** (step / CLASSES)
        least = max(least + 1, int(float(f"{exact:.0e}")))
        limits.append(least)
    return tuple(limit for limit in limits if limit <= most)


def _fullest(snapshot: Snapshot, selection: Selection, zoom: int) -> int:
    """Count what the fullest square of a zoom holds of what was selected, wherever it lies."""
    shift = np.uint64(2 * (BITS - _level(SQUARE_PX, zoom)))
    # Rows stand in the order of their keys, so those of one square stand together: it ends where
    # the key without the bits below the square becomes another.
    square = snapshot.key[: snapshot.placed] >> shift
    ends = np.append(np.flatnonzero(square[1:] != square[:-1]) + 1, snapshot.placed)
    return int(np.diff(selection.before[ends], prepend=0).max(initial=0))


def _edges(snapshot: Snapshot, box: Box) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the runs of rows in a view: first row, and first row beyond."""
    runs = [_runs(snapshot, part, _level(EDGE_PX, box.zoom)) for part in _cells(box, EDGE_PX)]
    first, last = (np.concatenate(ends) for ends in zip(*runs, strict=True))
    return first, last


def _count(selection: Selection, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> int:
    """Count the selected rows in some runs."""
    return int((selection.before[last] - selection.before[first]).sum())


def _level(pixels: int, zoom: int) -> int:
    """Give the level of the quadtree whose squares are so many pixels wide at a zoom."""
    return zoom + (TILE_PX // pixels).bit_length() - 1


def _cells(box: Box, pixels: int) -> list[tuple[int, int, int, int]]:
    """Give the squares that a view touches: first and last column, first and last row.

    Two sets of them where the view crosses the antimeridian.
    """
    grid = 2 ** _level(pixels, box.zoom)
    _, (bottom, top) = mercator([0.0, 0.0], [box.south, box.north])
    rows = (int(np.clip(top * grid, 0, grid - 1)), int(np.clip(bottom * grid, 0, grid - 1)))
    width = box.width
    if width >= FULL_TURN:
        return [(0, grid - 1, *rows)]
    west = (box.west + FULL_TURN / 2) % FULL_TURN
    first, last = (int(lon / FULL_TURN * grid) for lon in (west, west + width))
    if last < grid:
        return [(first, last, *rows)]
    if last - grid >= first:
        return [(0, grid - 1, *rows)]
    return [(first, grid - 1, *rows), (0, last - grid, *rows)]


def _runs(
    snapshot: Snapshot, part: tuple[int, int, int, int], level: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the runs of rows in a rectangle of squares: first row, and first row beyond.

    Blocks of ``2**BLOCK`` squares a side that lie inside are one run each; of those that straddle
    the edge each square is. Runs that meet are joined.
    """
    # A square of the quadtree is one interval of Morton keys, and so is every block of 2**n by 2**n
    # squares that is aligned to its size. Looking up the inside by blocks and only the rim by
    # squares makes the number of intervals follow the edge of the view rather than its area.
    left, right, top, bottom = part[0], part[1] + 1, part[2], part[3] + 1
    down = min(BLOCK, level)
    west, north = -(-left >> down), -(-top >> down)
    east, south = max(right >> down, west), max(bottom >> down, north)
    inner = (west << down, east << down, north << down, south << down)
    if east == west or south == north:
        strips = [(left, right, top, bottom)]
    else:
        strips = [
            (left, right, top, inner[2]),
            (left, right, inner[3], bottom),
            (left, inner[0], inner[2], inner[3]),
            (inner[1], right, inner[2], inner[3]),
        ]
    pieces = [(_grid(*strip), level) for strip in strips]
    pieces.append((_grid(west, east, north, south), level - down))
    starts, ends = [], []
    for squares, of_level in pieces:
        shift = np.uint64(2 * (BITS - of_level))
        starts.append(squares << shift)
        ends.append((squares + np.uint64(1)) << shift)
    start, end = np.sort(np.concatenate(starts)), np.sort(np.concatenate(ends))
    # No two squares overlap, so sorted starts and sorted ends are of the same intervals one by one;
    # where one begins at the key at which another ends, both are one run.
    is_gap = start[1:] != end[:-1]
    start, end = start[np.r_[True, is_gap]], end[np.r_[is_gap, True]]
    return np.searchsorted(snapshot.key, start), np.searchsorted(snapshot.key, end)


def _grid(left: int, right: int, top: int, bottom: int) -> npt.NDArray[np.uint64]:
    """Give the Morton key of each square of a rectangle, ``right`` and ``bottom`` left out."""
    across, along = np.arange(left, right), np.arange(top, bottom)
    none = np.zeros(1, np.int64)
    return (morton(across, none)[None, :] | morton(none, along)[:, None]).ravel()


def _members(
    selection: Selection, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """List the selected rows in some runs."""
    has = selection.before[last] > selection.before[first]
    parts = [
        np.flatnonzero(selection.mask[start:end]) + start
        for start, end in zip(first[has], last[has], strict=True)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _clusters(
    snapshot: Snapshot, selection: Selection, part: tuple[int, int, int, int], zoom: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Give the rows that are alone in their square, and lon, lat and count of the other squares."""
    level = _level(CELL_PX, zoom)
    x, y, first, count = _squares(snapshot, selection, part, level)
    alone, many = count == 1, count > 1
    rows = _nth(selection, first[alone])
    x, y, first, count = x[many], y[many], first[many], count[many]
    # The mean of all members would read them all. Some at even steps along the curve are spread
    # over the square as all of them are, and a cluster need not be placed better.
    share = np.linspace(0, 1, SAMPLE)
    sample = _nth(selection, first[:, None] + np.round(share * (count[:, None] - 1)).astype(int))
    inside = mercator(snapshot.column["lon"][sample], snapshot.column["lat"][sample])
    middle = [
        (corner + np.clip((axis * 2**level).mean(axis=1) - corner, *MIDDLE)) / 2**level
        for corner, axis in ((x, inside[0]), (y, inside[1]))
    ]
    return rows, *unproject(*middle), count


def _squares(
    snapshot: Snapshot, selection: Selection, part: tuple[int, int, int, int], level: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give column and row of the squares of a part, how many come before each, and its count."""
    left, right, top, bottom = part
    x, y = (
        axis.ravel() for axis in np.meshgrid(np.arange(left, right + 1), np.arange(top, bottom + 1))
    )
    shift = np.uint64(2 * (BITS - level))
    square = _grid(left, right + 1, top, bottom + 1)
    first = selection.before[np.searchsorted(snapshot.key, square << shift)].astype(np.int64)
    beyond = np.searchsorted(snapshot.key, (square + np.uint64(1)) << shift)
    return x, y, first, selection.before[beyond] - first


def _nth(selection: Selection, rank: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Find the rows that have so many selected rows before them."""
    # Of another type than what it is looked up in, numpy would copy all of that first.
    passed = (rank + 1).astype(selection.before.dtype)
    positions: npt.NDArray[np.int64] = np.searchsorted(selection.before, passed) - 1
    return positions
