"""How far a point is from the border of an area, along the ellipsoid; 0 inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from territory.errors import InputError
from territory.geodesy.chords import within_chord
from territory.geodesy.ellipsoid import (
    check_coordinates,
    inverse,
    longest,
    possibly_within,
    to_ecef,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_PIECE_DEG = 0.002  # a border is cut into pieces of at most 223 m
_SHRINK = (np.sqrt(5) - 1) / 2  # golden section
_STEPS = 40  # 223 m times _SHRINK ** 40 is 1 micrometre along the border, far less across
_CHUNK = 256  # points whose candidate pieces are held at once


def distance_to_area(area: shapely.Geometry, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
    """Metres from each point to the nearest point of an area's border; 0 inside and on it.

    Edges are straight in longitude and latitude, as in GeoJSON. Each border is cut into short
    pieces; bounds on chords leave those that may hold the nearest point, and along these the
    geodesic (Karney) is minimised. Holds to a micrometre.

    Parameters
    ----------
    area
        Polygon or multipolygon, EPSG:4326, not crossing the antimeridian.
    lon, lat
        Degrees, WGS84, shape (n,).

    Raises
    ------
    InputError
        If the area is empty or no area.
    """
    x, y = check_coordinates(lon, lat)
    if area is None or area.is_empty or area.geom_type not in ("Polygon", "MultiPolygon"):
        kind = "nothing" if area is None else area.geom_type
        raise InputError(f"An area must be a polygon with ground to it, not {kind}.")
    line = shapely.segmentize(area, _PIECE_DEG)
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(line)]
    start = np.concatenate([ring[:-1] for ring in rings])
    end = np.concatenate([ring[1:] for ring in rings])
    distance_m = np.zeros(len(x))
    outside = np.flatnonzero(~shapely.intersects_xy(area, x, y))
    middle = (start + end) / 2
    xyz = to_ecef(middle[:, 0], middle[:, 1])
    half = inverse(start[:, 0], start[:, 1], end[:, 0], end[:, 1]).max()  # twice what is needed
    tree = cKDTree(xyz)
    for at in range(0, len(outside), _CHUNK):
        rows = outside[at : at + _CHUNK]
        distance_m[rows] = _nearest(x[rows], y[rows], start, end, tree, float(half))
    return distance_m


def _nearest(
    lon: Floats, lat: Floats, start: Floats, end: Floats, tree: cKDTree, half: float
) -> Floats:
    """Metres to the nearest of the pieces from each point."""
    xyz = to_ecef(lon, lat)
    reach = possibly_within(longest(tree.query(xyz)[0])) + half
    row, piece = within_chord(tree, xyz, reach)
    middle = (start[piece] + end[piece]) / 2
    far = inverse(lon[row], lat[row], middle[:, 0], middle[:, 1])
    best = np.full(len(lon), np.inf)
    np.minimum.at(best, row, far)
    keep = far - half <= best[row]
    row, piece = row[keep], piece[keep]
    a, b = start[piece], end[piece]

    def measure(share: Floats) -> Floats:
        point = a + share[:, None] * (b - a)
        return inverse(lon[row], lat[row], point[:, 0], point[:, 1])

    low, high = np.zeros(len(row)), np.ones(len(row))
    for _ in range(_STEPS):
        left, right = high - _SHRINK * (high - low), low + _SHRINK * (high - low)
        nearer_left = measure(left) < measure(right)
        high, low = np.where(nearer_left, right, high), np.where(nearer_left, low, left)
    for share in ((low + high) / 2, np.zeros(len(row)), np.ones(len(row))):
        np.minimum.at(best, row, measure(share))
    return best
