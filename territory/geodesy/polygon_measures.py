"""Areas and lengths of borders on the WGS84 ellipsoid, for polygons in longitude and latitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from territory.geodesy.ellipsoid import ECCENTRICITY_2, GEOD, SEMI_MAJOR_M

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Gauss-Legendre, 4 points: exact to the eighth power of an edge's change in latitude.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_SHARES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


def area_km2(areas: npt.ArrayLike) -> Floats:
    """Measure areas on the ellipsoid, in square kilometres.

    Edges are straight in longitude and latitude, as everywhere in this package: the area is the one
    that ``AreaTable`` decides by. Along an edge the integral of the zone's area between the equator
    and latitude phi, a^2 q(phi) / 2 per radian (Snyder, Map Projections, 1987, eq. 3-12), is taken
    by quadrature; holes count as negative because their rings run the other way round.

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


def ground_of(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
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
