"""A raster of the earth: cells wholly within a radius of an office, wholly beyond all, or open.

A cell is decided by bounds over its whole area: no point of it is farther from its centre, in a
straight line, than ``_half_width`` says, so its chord to an office differs from the centre's by no
more than that. Open cells are cut into 16 finer ones, down to 1/16 degree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.ellipsoid import (
    ECCENTRICITY_2,
    FLATTEST_RADIUS_M,
    SEMI_MAJOR_M,
    possibly_within,
    surely_within,
    to_ecef,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy.spatial import cKDTree

    Floats = npt.NDArray[np.float64]

_OUT, _IN, _OPEN = 0, 1, 2
_CELLS_PER_DEGREE = (1, 4, 16)
_FINEST = _CELLS_PER_DEGREE[-1]
_EDGE_M = 1e-3  # a point within rounding of a cell's edge may be counted to its neighbour


class RadiusRaster:
    """The decided cells for one set of offices and one radius; 17 MB, built in some 50 ms."""

    def __init__(self, tree: cKDTree, radius_m: float) -> None:
        inside, reach = surely_within(radius_m), float(possibly_within(radius_m))
        labels = np.full((180, 360), _OPEN, np.uint8)
        for level, per_degree in enumerate(_CELLS_PER_DEGREE):
            if level:
                finer = per_degree // _CELLS_PER_DEGREE[level - 1]
                labels = labels.repeat(finer, 0).repeat(finer, 1)
            row, column = np.nonzero(labels == _OPEN)
            centre = to_ecef((column + 0.5) / per_degree - 180, (row + 0.5) / per_degree - 90)
            half_width = _half_width(np.arange(180 * per_degree), per_degree)[row]
            chord = tree.query(centre)[0]
            decided = np.full(len(row), _OPEN, np.uint8)
            decided[chord + half_width <= inside] = _IN
            decided[chord - half_width > reach] = _OUT
            labels[row, column] = decided
        self._labels = labels.ravel()

    def look_up(
        self, lon: Floats, lat: Floats
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
        """Tell which points are surely within, and the positions of those that remain open."""
        column = np.minimum(((lon + 180) * _FINEST).astype(np.int32), 360 * _FINEST - 1)
        row = np.minimum(((lat + 90) * _FINEST).astype(np.int32), 180 * _FINEST - 1)
        label = self._labels[row * np.int32(360 * _FINEST) + column]
        return label == _IN, np.flatnonzero(label == _OPEN)


def _half_width(row: npt.NDArray[np.intp], per_degree: int) -> Floats:
    """The farthest that any point of a cell is from its centre, in metres.

    A straight line in longitude and latitude from the centre to the point is a path on the
    ellipsoid. No degree along a meridian is longer than at the poles, and none along a parallel
    longer than on the cell's edge nearest the equator; so no chord is longer than this.
    """
    south = row / per_degree - 90
    edge = np.radians(np.maximum(np.maximum(south, -(south + 1 / per_degree)), 0))
    parallel = SEMI_MAJOR_M * np.cos(edge) / np.sqrt(1 - ECCENTRICITY_2 * np.sin(edge) ** 2)
    half_cell = np.radians(0.5 / per_degree)
    width: Floats = half_cell * np.hypot(FLATTEST_RADIUS_M, parallel) + _EDGE_M
    return width
