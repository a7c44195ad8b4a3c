"""Point in polygon for many points: a table of grid cells answers most, GEOS the rest.

The globe is cut into cells of 1/k degree. A cell that no border touches lies wholly inside or
outside each area, so what holds one of its points holds them all, and that is decided once. A
point in a cell that some border does touch is put to ``shapely.intersects_xy``, with the few areas
that touch the cell. So every answer is the one GEOS gives: cells only save questions.

Which cells a border touches is found by cutting each segment at the grid lines. Along a row of
cells, inside can turn to outside only at a touched cell, so one exact test settles each run of
cells between two of them. Cells come in blocks of a quarter degree, and a block no border touches
is one entry: the table stays small whether the areas span a city or both sides of the Pacific.

Edges are straight in longitude and latitude, as in geopandas, GeoJSON and every shapefile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from territory.errors import CoordinateError, InputError
from territory.geodesy.rasterize import counted, touched_cells, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Positions = npt.NDArray[np.int32]
    AnyInts = npt.NDArray[np.integer]

BLOCKS_PER_DEGREE = 4
BLOCKS_X, BLOCKS_Y = 360 * BLOCKS_PER_DEGREE + 1, 180 * BLOCKS_PER_DEGREE + 1
RESOLUTIONS = (16, 32, 64, 128)  # cells per degree
# Finer cells leave fewer points to GEOS and cost more to decide: this many entries (16 MB) are
# decided in a third of a second. A degree of border touches about five blocks, whatever it bounds.
MOST_ENTRIES = 1 << 22
BLOCKS_PER_BORDER_DEGREE = 1.3 * BLOCKS_PER_DEGREE
CHUNK = 1 << 20  # points at a time: the more there are, the better GEOS is asked area by area
STRIDE = 1 << 16  # points looked up at a time: their columns stay in the processor's cache
POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


class _Candidates(NamedTuple):
    """The areas that may hold points of each contested cell, smallest position first."""

    start: Ints  # by slot, one longer than there are slots
    stop: Ints  # by slot: the first candidate that holds the whole cell, or the slot's end
    area: Positions
    is_sure: npt.NDArray[np.bool_]  # holds the whole cell: nothing to ask
    fallback: Positions  # by slot: the area at ``stop``, -1 for none


class PolygonIndex:
    """The areas of one set, ready to be asked which of them holds each of many points.

    An area holds the points on its border. Areas may overlap, have holes and any number of parts,
    on both sides of the antimeridian too, where 180 and -180 degrees are told apart as written; one
    may be empty or None and then holds nothing.

    Parameters
    ----------
    polygons
        Polygons and multipolygons, EPSG:4326; the place of each in this list is its position.
    cells_per_degree
        How fine the grid is: 16, 32, 64 or 128. By default the finest that is still quick to build.

    Raises
    ------
    InputError
        Naming the positions of those that are no areas or reach beyond the globe.
    """

    def __init__(self, polygons: npt.ArrayLike, cells_per_degree: int | None = None) -> None:
        self.areas = np.asarray(polygons, dtype=object)
        _refuse_what_is_no_area(self.areas)
        if cells_per_degree is None:
            cells_per_degree = _fitting_resolution(self.areas)
        if cells_per_degree not in RESOLUTIONS:
            raise InputError(
                f"cells_per_degree = {cells_per_degree!r}: take one of "
                f"{', '.join(map(str, RESOLUTIONS))}."
            )
        self.cells_per_degree = cells_per_degree
        self._bits = (cells_per_degree // BLOCKS_PER_DEGREE).bit_length() - 1
        shapely.prepare(self.areas)
        self._build()

    def __len__(self) -> int:
        return len(self.areas)

    def locate(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Positions:
        """Find the area that holds each point; the smallest position where several do.

        Parameters
        ----------
        lon, lat
            Degrees, shape (n,). NaN in either is a point without a place.

        Returns
        -------
        position
            Shape (n,), in the order given; -1 where no area holds the point or it has no place.

        Raises
        ------
        CoordinateError
            Naming the points that are off the globe.
        """
        x, y = as_points(lon, lat)
        areas = np.empty(len(x), np.int32)
        for part in _slices(len(x), CHUNK):
            areas[part] = self._locate(x[part], y[part])
        return areas

    def locate_all(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Ints, Ints]:
        """Find every area that holds each point.

        Returns
        -------
        point, position
            Both of shape (pairs,), ordered by point, then by position of the area.
        """
        x, y = as_points(lon, lat)
        pairs = [
            (part.start + point, area)
            for part in _slices(len(x), CHUNK)
            for point, area in [self._locate_all(x[part], y[part])]
        ]
        empty = np.empty(0, np.int64)
        point, area = (
            np.concatenate(column) for column in zip((empty, empty), *pairs, strict=True)
        )
        return point, area

    def _labels(self, x: Floats, y: Floats) -> Positions:
        """Read the label of each point's cell: an area, -1 for none, -2 - slot where contested."""
        labels = np.empty(len(x), np.int32)
        for part in _slices(len(x), STRIDE):
            labels[part] = self._labels_at(x[part], y[part])
        return labels

    def _labels_at(self, x: Floats, y: Floats) -> Positions:
        scale, bits = self.cells_per_degree, self._bits
        with np.errstate(invalid="ignore"):  # points without a place are overwritten below
            col, row = ((x + 180) * scale).astype(np.int32), ((y + 90) * scale).astype(np.int32)
        placed = ~np.isnan(x)
        if not placed.all():
            col, row = np.where(placed, col, 0), np.where(placed, row, 0)
        at = self._entry[(row >> bits) * BLOCKS_X + (col >> bits)]
        at += np.where(at >= self._first_cell, self._place_in_block(row, col), 0)
        labels: Positions = self._label[at]
        if not placed.all():
            labels[~placed] = -1
        return labels

    def _locate(self, x: Floats, y: Floats) -> Positions:
        labels = self._labels(x, y)
        who = np.flatnonzero(labels <= -2)
        slot = -2 - labels[who]
        turn, stop = self._many.start[slot], self._many.stop[slot]
        labels[who] = self._many.fallback[slot]
        # Each round asks one candidate of every point that is still open.
        open_ = np.flatnonzero(turn < stop)
        who, turn, stop = who[open_], turn[open_], stop[open_]
        while len(who):
            area = self._many.area[turn]
            holds = self._ask(area, x[who], y[who])
            labels[who[holds]] = area[holds]
            turn += 1
            open_ = np.flatnonzero(~holds & (turn < stop))
            who, turn, stop = who[open_], turn[open_], stop[open_]
        return labels

    def _locate_all(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        labels = self._labels(x, y)
        sole, who = np.flatnonzero(labels >= 0), np.flatnonzero(labels <= -2)
        slot = -2 - labels[who]
        start = self._many.start[slot]
        count = self._many.start[slot + 1] - start
        point, at = np.repeat(who, count), np.repeat(start, count) + counted(count)
        area, holds = self._many.area[at], self._many.is_sure[at].copy()
        ask = np.flatnonzero(~holds)
        holds[ask] = self._ask(area[ask], x[point[ask]], y[point[ask]])
        point = np.concatenate([sole, point[holds]])
        area = np.concatenate([labels[sole], area[holds]])
        order = np.lexsort((area, point))
        return point[order], area[order].astype(np.int64)

    def _ask(self, area: Positions, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
        """Put points to GEOS area by area, so that its index of one area stays in the cache."""
        small = len(self.areas) <= np.iinfo(np.uint16).max  # numpy sorts 16 bits by radix
        order = np.argsort(area.astype(np.uint16) if small else area, kind="stable")
        holds = np.empty(len(area), bool)
        holds[order] = shapely.intersects_xy(self.areas[area[order]], x[order], y[order])
        return holds

    def _build(self) -> None:
        bits, side = self._bits, 1 << self._bits
        width = BLOCKS_X << bits
        owner, row, col = touched_cells(self.areas, self.cells_per_degree, width)
        block = (row >> bits) * BLOCKS_X + (col >> bits)
        touched_blocks = unique(owner * (BLOCKS_X * BLOCKS_Y) + block)

        # Runs of untouched cells that lie inside their area: the pieces in the blocks that its
        # border touches, and the blocks between, for which the run of their lowest row speaks.
        run_owner, run_row, run_col, run_end = self._inner_runs(owner, row, col)
        blocks_below = (run_owner * BLOCKS_Y + (run_row >> bits)) * BLOCKS_X
        first = blocks_below + (run_col >> bits)
        last = blocks_below + ((run_end - 1) >> bits)
        lowest = np.flatnonzero(run_row & (side - 1) == 0)
        size = last[lowest] - first[lowest] + 1
        whole = np.repeat(first[lowest], size) + counted(size)
        whole = whole[~_is_in(whole, touched_blocks)]
        whole_owner, whole_block = np.divmod(whole, BLOCKS_X * BLOCKS_Y)
        start = np.searchsorted(touched_blocks, first)
        size = np.searchsorted(touched_blocks, last, side="right") - start
        run = np.repeat(np.arange(len(size)), size)
        run_block = touched_blocks[np.repeat(start, size) + counted(size)] % (BLOCKS_X * BLOCKS_Y)
        begin = np.maximum(run_col[run], run_block % BLOCKS_X << bits)
        end = np.minimum(run_end[run], (run_block % BLOCKS_X + 1) << bits)

        # The entries of the table: 0 for nothing, one for each untouched block that something
        # holds, then the cells of each touched block.
        mixed = unique(touched_blocks % (BLOCKS_X * BLOCKS_Y))
        plain = np.setdiff1d(whole_block, mixed)
        self._first_cell = 1 + len(plain)
        self._entry = np.zeros(BLOCKS_X * BLOCKS_Y, np.int32)
        self._entry[plain] = 1 + np.arange(len(plain))
        self._entry[mixed] = self._first_cell + (np.arange(len(mixed)) << 2 * bits)

        touched = self._entry[block] + self._place_in_block(row, col)
        at = self._entry[run_block] + self._place_in_block(run_row[run], begin)
        size = np.where(self._entry[whole_block] >= self._first_cell, side * side, 1)
        owners = np.concatenate([run_owner[run], whole_owner]).astype(np.int32)
        firsts = np.concatenate([at, self._entry[whole_block]]).astype(np.int32)
        counts = np.concatenate([end - begin, size])
        holding = np.repeat(owners, counts)
        holders = np.repeat(firsts, counts) + counted(counts).astype(np.int32)
        n_entries = self._first_cell + (len(mixed) << 2 * bits)
        self._label_entries(n_entries, owner, touched, holding, holders)

    def _place_in_block(self, row: AnyInts, col: AnyInts) -> AnyInts:
        mask = (1 << self._bits) - 1
        place: AnyInts = ((row & mask) << self._bits) | (col & mask)
        return place

    def _inner_runs(self, owner: Ints, row: Ints, col: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Find the runs of untouched cells inside their area: owner, row, first cell, end."""
        i = np.flatnonzero(
            (owner[1:] == owner[:-1]) & (row[1:] == row[:-1]) & (col[1:] > col[:-1] + 1)
        )
        x = (col[i] + 1.5) / self.cells_per_degree - 180
        y = (row[i] + 0.5) / self.cells_per_degree - 90
        i = i[shapely.intersects_xy(self.areas[owner[i]], x, y)]
        return owner[i], row[i], col[i] + 1, col[i + 1]

    def _label_entries(
        self, n_entries: int, touching: Ints, touched: Ints, holding: Positions, holders: Positions
    ) -> None:
        """Label every entry: one area or none, or a slot with its candidates."""
        label = np.full(n_entries, -1, np.int32)
        label[holders] = holding
        contested = np.zeros(n_entries, bool)
        contested[touched] = True
        contested[holders[label[holders] != holding]] = True  # held by two areas or more
        also = contested[holders]
        entry = np.concatenate([touched, holders[also]])
        area = np.concatenate([touching, holding[also]])
        is_sure = np.arange(len(entry)) >= len(touched)
        order = np.argsort(entry.astype(np.int64) * len(self.areas) + area)
        entry, area, is_sure = entry[order], area[order], is_sure[order]
        slots = np.flatnonzero(contested)
        label[slots] = -2 - np.arange(len(slots))
        start = np.append(np.searchsorted(entry, slots), len(entry))
        # Candidates are asked smallest position first, so the first that holds the whole cell ends
        # the questions: whichever area before it says yes is the smaller one.
        sure_at = np.append(np.flatnonzero(is_sure), len(entry))
        stop = np.minimum(sure_at[np.searchsorted(sure_at, start[:-1])], start[1:])
        fallback = np.where(stop < start[1:], np.append(area, -1)[stop], -1)
        self._label = label
        self._many = _Candidates(
            start, stop, area.astype(np.int32), is_sure, fallback.astype(np.int32)
        )


def _refuse_what_is_no_area(areas: npt.NDArray[np.object_]) -> None:
    kind = shapely.get_type_id(areas)
    wrong = np.flatnonzero(~np.isin(kind, (*POLYGONAL, -1)))
    bounds = shapely.bounds(areas)
    with np.errstate(invalid="ignore"):
        off = np.flatnonzero((np.abs(bounds) > (180, 90, 180, 90)).any(axis=1))
    breaches = []
    if len(wrong):
        breaches.append(f"{_some(wrong)}: no polygon")
    if len(off):
        breaches.append(
            f"{_some(off)}: reaches beyond 180 degrees of longitude or 90 of latitude; "
            "bring it to EPSG:4326, and cut it at the antimeridian"
        )
    if breaches:
        raise InputError("areas at position " + "; at position ".join(breaches) + ".")


def _fitting_resolution(areas: npt.NDArray[np.object_]) -> int:
    degrees = float(np.nansum(shapely.length(areas)))  # counts cells, measures no distance
    most_per_block = MOST_ENTRIES / max(degrees * BLOCKS_PER_BORDER_DEGREE, 1.0)
    fitting = [k for k in RESOLUTIONS if (k / BLOCKS_PER_DEGREE) ** 2 <= most_per_block]
    return max(fitting, default=RESOLUTIONS[0])


def as_points(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return both columns as doubles, NaN in longitude where either is NaN: without a place.

    Raises
    ------
    CoordinateError
        Naming the points that are off the globe, or if the columns differ in length.
    """
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise CoordinateError(
            f"lon has shape {x.shape}, lat {y.shape}: give two columns of the same length."
        )
    unplaced = np.isnan(x) | np.isnan(y)
    off = np.flatnonzero(~unplaced & ~((np.abs(x) <= 180) & (np.abs(y) <= 90)))
    if len(off):
        raise CoordinateError(
            f"points {_some(off)} are off the globe, the first at lon={x[off[0]]}, "
            f"lat={y[off[0]]} (were they swapped?)"
        )
    return (np.where(unplaced, np.nan, x), y) if unplaced.any() else (x, y)


def _some(positions: Ints) -> str:
    more = f" and {len(positions) - 5:,} more" if len(positions) > 5 else ""
    return ", ".join(map(str, positions[:5])) + more


def _slices(n: int, size: int) -> Iterator[slice]:
    return (slice(at, at + size) for at in range(0, n, size))


def _is_in(keys: Ints, ordered: Ints) -> npt.NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(keys), bool)
    at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.asarray(ordered[at] == keys)
