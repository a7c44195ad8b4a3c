"""Candidate offices of a point: by a k-d tree over chords, or by a raster of cells of the earth.

A raster knows what holds for every point of a cell. For one radius: how many offices surely hold
all of the cell within it, and which offices' lines may cross the cell; every other office is surely
too far from all of it. For the nearest office: which offices can be it anywhere in the cell. A
point asks its cell and measures to the few offices left open.

A cell is decided by bounds over its whole area: no point of it is farther from its centre, in a
straight line, than ``_half_width`` says, so its chord to an office differs from the centre's by no
more than that.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.spatial import cKDTree

from territory.geodesy.ellipsoid import (
    ECCENTRICITY_2,
    MAX_CURVATURE_RADIUS_M,
    SEMI_MAJOR_M,
    chord_lower_bound,
    chord_upper_bound,
    geodesic_upper_bound,
    to_ecef,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

# Shape (n,): chord to the nearest office and to the second; the nearest's place in the tree.
TwoNearest: TypeAlias = "tuple[Floats, Floats, Integers]"

LONGEST_RADIUS_M = 1_000_000.0  # beyond, most cells know most offices, and a raster saves little
_COARSE_CELLS_PER_DEGREE = (0.25, 1)
_FINEST_CELLS_PER_DEGREE = 16
_CELLS_TO_RADIUS_M = 650_000.0  # radius times cells a degree: 1/8 degree for 50 miles is cheapest
_CUT = 4  # a coarse cell for candidates is so many finest ones wide
_FEW_CANDIDATES, _MOST_CANDIDATES = 4, 8  # more than few: cut the cell; than most: ask the tree
_POINTS_A_CELL = 4  # fewer points than this in a cell do not pay for its candidates
_AT_ONCE = 16_384
_EDGE_M = 1e-3  # a point within rounding of a cell's edge may be counted to its neighbour


class RadiusRaster:
    """What the cells know of one set of offices and one radius; a few MB, built in some 10 ms.

    Parameters
    ----------
    tree
        The offices, by earth-centred coordinates in metres.
    radius_m
        Metres, at most ``LONGEST_RADIUS_M``.
    """

    def __init__(self, tree: cKDTree, radius_m: float) -> None:
        self.radius_m = radius_m
        cells = np.clip(_CELLS_TO_RADIUS_M / max(radius_m, 1), 1, _FINEST_CELLS_PER_DEGREE)
        self._per_degree = 2 ** int(np.log2(cells))
        reach = float(chord_upper_bound(radius_m))
        row, column, half_width = self._cells_in_reach(tree, reach)
        centre = _centre(row, column, self._per_degree)
        pair = cKDTree(centre).sparse_distance_matrix(
            tree, reach + half_width.max(initial=0), output_type="ndarray"
        )
        cell, office, chord = pair["i"], pair["j"], pair["v"]
        # Triangle inequality: no chord from the cell differs from its centre's by more than the
        # half width, so the bounds on one chord become bounds on all of them.
        holds = chord + half_width[cell] <= chord_lower_bound(radius_m)
        crosses = np.flatnonzero(~holds & (chord - half_width[cell] <= reach))
        crosses = crosses[np.lexsort((office[crosses], cell[crosses]))]
        # Entry 0 stands for all cells that no office comes near.
        self._entry = np.zeros(180 * 360 * self._per_degree**2, np.int32)
        self._entry[row * (360 * self._per_degree) + column] = np.arange(1, len(row) + 1)
        self._sure = np.bincount(cell[holds] + 1, minlength=len(row) + 1)
        self._office = office[crosses].astype(np.int64)
        self._size = np.bincount(cell[crosses] + 1, minlength=len(row) + 1)
        self._start = np.cumsum(self._size) - self._size

    def look_up(self, lon: Floats, lat: Floats) -> tuple[Integers, Integers]:
        """Tell how many offices surely hold each point, and the entry of its cell."""
        cell = self._entry[_cell(lon, lat, self._per_degree)]
        return self._sure[cell], cell

    def is_crossed(self, cell: Integers) -> npt.NDArray[np.bool_]:
        """Whether a cell leaves any office open."""
        return self._size[cell] > 0

    def left_open(self, cell: Integers) -> tuple[Integers, Integers]:
        """List (row, office) for every office that the cell in that row leaves open, row by row."""
        size = self._size[cell]
        row = np.repeat(np.arange(len(cell)), size)
        first = self._start[cell] - (np.cumsum(size) - size)
        return row, self._office[np.arange(len(row)) + first[row]]

    def _cells_in_reach(self, tree: cKDTree, reach: float) -> tuple[Integers, Integers, Floats]:
        """Row, column and half width of every cell that some office may reach."""
        row, column = (axis.ravel() for axis in np.indices((45, 90)))
        levels = (*_COARSE_CELLS_PER_DEGREE, self._per_degree)
        for per_degree, finer in zip(levels, (*levels[1:], None), strict=True):
            half_width = _half_width(row, per_degree)
            farthest = reach + half_width.max(initial=0)
            chord = tree.query(_centre(row, column, per_degree), distance_upper_bound=farthest)[0]
            near = np.flatnonzero(chord <= reach + half_width)
            row, column = row[near], column[near]
            if finer:
                cut = int(finer / per_degree)
                down, right = (axis.ravel() for axis in np.indices((cut, cut)))
                row = (row[:, None] * cut + down).ravel()
                column = (column[:, None] * cut + right).ravel()
        return row, column, half_width[near]


class CandidateRaster:
    """Which offices can be the nearest in each cell that some of the points stand in.

    An office is out of a whole cell when, at every point of it, its chord is longer than any
    geodesic to the office nearest to the centre can be. Coarse cells come first; only where one
    leaves several offices do its parts get candidates of their own.

    Parameters
    ----------
    tree
        The offices, by earth-centred coordinates in metres.
    lon, lat
        The points that will be asked about, in degrees; one or more.
    """

    def __init__(self, tree: cKDTree, lon: Floats, lat: Floats) -> None:
        self._tree = tree
        self._x, self._y, self._z = np.ascontiguousarray(tree.data.T)
        fine, cut = _FINEST_CELLS_PER_DEGREE, _CUT
        south_north = np.array([lat.min(), lat.max()])
        self._first, last = _cell(np.array([-180.0, 180.0]), south_north, fine)
        self._entry = np.zeros(last + 1 - self._first, np.int32)
        for at in range(0, len(lon), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            self._entry[_cell(lon[part], lat[part], fine) - self._first] = 1
        cells = np.flatnonzero(self._entry)
        self.pays = len(cells) * _POINTS_A_CELL <= len(lon)
        if not self.pays:
            return
        row, column = np.divmod(cells + self._first, 360 * fine)
        side = 360 * fine // cut
        whole, of = np.unique(row // cut * side + column // cut, return_inverse=True)
        office, size = self._candidates(*np.divmod(whole, side), fine / cut)
        split = np.flatnonzero(size[of] > _FEW_CANDIDATES)
        fine_office, fine_size = self._candidates(row[split], column[split], fine)
        of[split] = len(whole) + np.arange(len(split))
        self._entry[cells] = of
        self._office = np.hstack([office, fine_office])
        self._size = np.concatenate([size, fine_size])

    def _candidates(
        self, row: Integers, column: Integers, per_degree: float
    ) -> tuple[Integers, Integers]:
        """Offices nearest to each cell's centre, shape (rank, cell), and how many of them count."""
        half_width = _half_width(row, per_degree)
        chord, office = self._tree.query(_centre(row, column, per_degree), k=_MOST_CANDIDATES + 1)
        # From anywhere in the cell the office nearest to its centre has at most this geodesic; one
        # whose chord is beyond the bound even at the near edge of the cell is nowhere nearer.
        bound = chord_upper_bound(geodesic_upper_bound(chord[:, 0] + half_width)) + half_width
        return office.T, (chord <= bound[:, None]).sum(axis=1)

    def two_nearest(self, lon: Floats, lat: Floats, xyz: Floats) -> TwoNearest:
        """Find the nearest office of each point by chord; a cell with too many asks the tree.

        Returns
        -------
        nearest_m, second_m, office
            Shape (n,): chord of the nearest office and of the second, infinite where no second can
            be as near by geodesic; the nearest's place in the tree.
        """
        cell = self._entry.take(_cell(lon, lat, _FINEST_CELLS_PER_DEGREE) - self._first)
        size = self._size.take(cell)
        many = np.flatnonzero(size > _MOST_CANDIDATES)
        size[many] = 1
        x, y, z = np.ascontiguousarray(xyz.T)
        office = self._office[0].take(cell)
        nearest = self._chord_2(x, y, z, office)
        second = np.full(len(cell), np.inf)
        for rank in range(1, _MOST_CANDIDATES):
            rows = np.flatnonzero(size > rank)
            if not rows.size:
                break
            other = self._office[rank].take(cell.take(rows))
            chord_2 = self._chord_2(x.take(rows), y.take(rows), z.take(rows), other)
            before = nearest.take(rows)
            second[rows] = np.minimum(second.take(rows), np.maximum(chord_2, before))
            nearest[rows] = np.minimum(chord_2, before)
            closer = np.flatnonzero(chord_2 < before)
            office[rows.take(closer)] = other.take(closer)
        nearest, second = np.sqrt(nearest), np.sqrt(second)
        if many.size:
            nearest[many], second[many], office[many] = two_nearest(self._tree, xyz[many])
        return nearest, second, office

    def _chord_2(self, x: Floats, y: Floats, z: Floats, office: Integers) -> Floats:
        """The chord squared of each point to the office beside it."""
        chord_2: Floats = (x - self._x.take(office)) ** 2
        chord_2 += (y - self._y.take(office)) ** 2
        chord_2 += (z - self._z.take(office)) ** 2
        return chord_2


def two_nearest(tree: cKDTree, xyz: Floats) -> TwoNearest:
    """Find the two offices nearest to each point.

    Returns
    -------
    nearest_m, second_m, office
        Shape (n,): both chords, the second infinite where there is one office only; the nearest's
        place in the tree.
    """
    chord, place = tree.query(xyz, k=2)
    nearest, second = np.ascontiguousarray(chord.T)
    return nearest, second, place[:, 0]


def within_chord(tree: cKDTree, xyz: Floats, chord_m: Floats) -> tuple[Integers, Integers]:
    """Every (row, place) whose chord is at most that of the row, sorted by both."""
    lists = tree.query_ball_point(xyz, chord_m, return_sorted=True)
    row = np.repeat(np.arange(len(lists)), np.fromiter(map(len, lists), np.int64, len(lists)))
    return row, np.fromiter(chain.from_iterable(lists), np.int64, len(row))


def _cell(lon: Floats, lat: Floats, per_degree: int) -> npt.NDArray[np.int32]:
    """The number of each point's cell, row by row from the south west."""
    side = 360 * per_degree
    column = np.minimum(((lon + 180) * per_degree).astype(np.int32), side - 1)
    row = np.minimum(((lat + 90) * per_degree).astype(np.int32), side // 2 - 1)
    return row * np.int32(side) + column


def _centre(row: Integers, column: Integers, per_degree: float) -> Floats:
    lon, lat = (column + 0.5) / per_degree - 180, (row + 0.5) / per_degree - 90
    return to_ecef(np.asarray(lon, np.float64), np.asarray(lat, np.float64))


def _half_width(row: Integers, per_degree: float) -> Floats:
    """The farthest that any point of a cell is from its centre, in metres.

    A straight line in longitude and latitude from the centre to the point is a path on the
    ellipsoid. No degree along a meridian is longer than at the poles, and none along a parallel
    longer than on the cell's parallel nearest the equator; so no chord is longer than this.
    """
    south = row / per_degree - 90
    nearest_equator = np.radians(np.clip(0, south, south + 1 / per_degree))
    squash = np.sqrt(1 - ECCENTRICITY_2 * np.sin(nearest_equator) ** 2)
    parallel = SEMI_MAJOR_M * np.cos(nearest_equator) / squash
    width: Floats = np.radians(0.5 / per_degree) * np.hypot(MAX_CURVATURE_RADIUS_M, parallel)
    return width + _EDGE_M
