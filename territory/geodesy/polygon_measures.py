"""Area, border and distance of polygons on the WGS84 ellipsoid.

Edges are straight in longitude and latitude, as in GeoJSON and everywhere in this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from territory.errors import InputError
from territory.geodesy.candidates import within_chord
from territory.geodesy.ellipsoid import (
    ECCENTRICITY_2,
    GEOD,
    SEMI_MAJOR_M,
    check_coordinates,
    chord_upper_bound,
    geodesic_upper_bound,
    inverse,
    to_ecef,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Gauss-Legendre, 4 points: exact to the eighth power of an edge's change in latitude.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_SHARES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_PIECE_DEG = 0.002  # a border is cut into pieces of at most 223 m
_SHRINK = (np.sqrt(5) - 1) / 2  # golden section
_STEPS = 40  # 223 m times _SHRINK ** 40 is 1 micrometre along the border, far less across
_CHUNK = 256  # points whose candidate pieces are held at once


def area_km2(areas: npt.ArrayLike) -> Floats:
    """Measure areas on the ellipsoid, in square kilometres.

    The area is the one that ``PolygonIndex`` decides by. Along an edge the integral of the zone's
    area between the equator and latitude phi, a^2 q(phi) / 2 per radian (Snyder, Map Projections,
    1987, eq. 3-12), is taken by quadrature; holes count as negative because their rings run the
    other way round.

    Parameters
    ----------
    areas
        Valid polygons and multipolygons, EPSG:4326, shape (n,); None and empty ones measure 0.
    """
    xy, owner, segment = _edges(shapely.normalize(np.asarray(areas, dtype=object)))
    begin, end = np.radians(xy[segment]), np.radians(xy[segment + 1])
    phi = begin[:, 1, None] + _SHARES * (end[:, 1] - begin[:, 1])[:, None]
    strip = (_zone(phi) @ _WEIGHTS) * (end[:, 0] - begin[:, 0])
    total = np.bincount(owner[segment], strip, minlength=np.size(areas))
    return np.abs(total) * SEMI_MAJOR_M**2 / 2 / 1e6


def border_m(areas: npt.ArrayLike) -> Floats:
    """Measure the borders of areas, holes included, in metres: the geodesics between vertices."""
    xy, owner, segment = _edges(np.asarray(areas, dtype=object))
    *_, length = GEOD.inv(*xy[segment].T, *xy[segment + 1].T)
    return np.bincount(owner[segment], length, minlength=np.size(areas)).astype(np.float64)


def distance_to_area(area: shapely.Geometry, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
    """Metres from each point to the nearest point of an area's border; 0 inside and on it.

    Each border is cut into short pieces; bounds on chords leave those that may hold the nearest
    point, and along these the geodesic (Karney) is minimised. Holds to a micrometre.

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
    # The nearest middle bounds the answer from above; a piece reaches half its length further.
    reach = chord_upper_bound(geodesic_upper_bound(tree.query(xyz)[0])) + half
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

    # On so short a piece the distance falls and then rises, so golden section finds its least; the
    # ends are asked as well, for it never tries them.
    low, high = np.zeros(len(row)), np.ones(len(row))
    for _ in range(_STEPS):
        left, right = high - _SHRINK * (high - low), low + _SHRINK * (high - low)
        nearer_left = measure(left) < measure(right)
        high, low = np.where(nearer_left, right, high), np.where(nearer_left, low, left)
    for share in ((low + high) / 2, np.zeros(len(row)), np.ones(len(row))):
        np.minimum.at(best, row, measure(share))
    return best


def polygon_parts(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Keep the polygons of each shape and drop the points and lines where areas only touch.

    Every shape comes back once, in the order given; one without a polygon as an empty multipolygon.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    is_polygon = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(
        parts
    )
    ground = np.full(len(shapes), shapely.MultiPolygon(), dtype=object)
    if is_polygon.any():  # without any, shapely gives back nothing at all and leaves ``out`` alone
        shapely.multipolygons(parts[is_polygon], indices=owner[is_polygon], out=ground)
    return ground


def _edges(
    areas: npt.NDArray[np.object_],
) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """List coordinates, the area each belongs to, and where a segment of a ring begins."""
    parts, owner = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    return xy, owner[part[ring]], np.flatnonzero(ring[1:] == ring[:-1])


def _zone(phi: Floats) -> Floats:
    e = np.sqrt(ECCENTRICITY_2)
    sine = np.sin(phi)
    zone: Floats = (1 - ECCENTRICITY_2) * (
        sine / (1 - ECCENTRICITY_2 * sine**2) + np.arctanh(e * sine) / e
    )
    return zone
