"""The WGS84 ellipsoid: geodesics, their bounds by the chord, a closed form for short ones, rings.

The straight line between two points of the ellipsoid (the chord) is cheap to search by, the
geodesic is what decides; the bounds here tie one to the other. ``docs/accuracy.md`` proves them in
plain words.

Symbols: ``c`` chord, ``s`` geodesic, both in metres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pyproj import Geod

from territory.errors import CoordinateError, LengthError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# WGS84 is a defined in NIMA TR8350.2: semi-major axis and flattening; the rest follows from them.
SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1 - FLATTENING)
ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING)
SECOND_ECCENTRICITY_2 = ECCENTRICITY_2 / (1 - ECCENTRICITY_2)
# The radii between which every radius of curvature lies: b²/a, of the meridian at the equator, and
# a²/b, of every line at a pole.
MIN_CURVATURE_RADIUS_M = SEMI_MAJOR_M * (1 - ECCENTRICITY_2)
MAX_CURVATURE_RADIUS_M = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2)
GEOD = Geod(ellps="WGS84")

# Coordinates in doubles are good to 4 nm and Karney's distances to 15 nm: what lies nearer to a
# bound than this is left open and goes to Karney.
SLACK_M = 1e-6
CLOSED_FORM_REACH_M = 150_000.0
# Schur's theorem asks for an arc of at most half a circle, s <= pi r. Below this chord that holds:
# a longer geodesic spans more than pi r / a on the sphere the ellipsoid is squeezed into, so its
# chord is more than 2 b sin(pi r / 2a) = 2.006 r.
_SCHUR_CHORD_M = 1.9 * MIN_CURVATURE_RADIUS_M
_LONGEST_RING_M = 10_000_000.0  # a quarter of the earth
_SHOWN = 5


def check_coordinates(
    lon: npt.ArrayLike, lat: npt.ArrayLike, labels: npt.ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Return longitude and latitude as equally long, contiguous arrays of degrees on the globe.

    Parameters
    ----------
    lon, lat
        Degrees, WGS84; a single number counts as an array of one.
    labels
        What to call the points in an error; their index if not given.

    Raises
    ------
    CoordinateError
        If the lengths differ, a value is no number, missing, infinite or out of range. The message
        names the first points with their values and says what may have happened to them.
    """
    try:
        x = np.atleast_1d(np.ascontiguousarray(lon, dtype=np.float64))
        y = np.atleast_1d(np.ascontiguousarray(lat, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise CoordinateError(
            f"Longitude and latitude must be numbers in degrees ({error})."
        ) from None
    if x.ndim != 1 or x.shape != y.shape:
        raise CoordinateError(
            f"lon has shape {x.shape} and lat {y.shape}: give one of each for every point."
        )
    if x.size and not (_farthest(x) <= 180 and _farthest(y) <= 90):  # NaN fails both
        bad = np.flatnonzero(~((np.abs(x) <= 180) & (np.abs(y) <= 90)))
        names = [f"index {i}" for i in bad] if labels is None else np.asarray(labels, object)[bad]
        messages = "; ".join(
            f"{name}: lon={a:.12g}, lat={b:.12g} ({_remedy(a, b)})"
            for name, a, b in zip(names[:_SHOWN], x[bad[:_SHOWN]], y[bad[:_SHOWN]], strict=True)
        )
        more = f"; and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
        raise CoordinateError(
            f"{len(bad):,} of {len(x):,} points are not on the globe: {messages}{more}."
        )
    return x, y


def _farthest(values: Floats) -> float:
    return float(max(values.max(), -values.min()))


def _remedy(lon: float, lat: float) -> str:
    if not (np.isfinite(lon) and np.isfinite(lat)):
        return "missing or infinite: place the point first or leave it out"
    if abs(lon) <= 90 < abs(lat) <= 180:
        return "were they swapped?"
    if 180 < lon <= 360 and abs(lat) <= 90:
        return "subtract 360 from the longitude"
    return "degrees are meant, longitude -180 to 180, latitude -90 to 90"


def check_radius(radius_m: float) -> float:
    """Return a radius in metres that can be searched: finite, 0 or more; else ``LengthError``."""
    radius = float(radius_m)
    if not 0 <= radius < np.inf:
        raise LengthError(f"A radius of {radius_m} m cannot be searched: it must be 0 or more.")
    return radius


def to_ecef(lon: Floats, lat: Floats) -> Floats:
    """Earth-centred, earth-fixed coordinates in metres, shape (n, 3), good to 4 nm."""
    lam, phi = np.radians(lon), np.radians(lat)
    sin_phi = np.sin(phi)
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2 * sin_phi * sin_phi)
    axis_distance = normal * np.cos(phi)
    xyz = np.empty((len(lam), 3))
    np.multiply(axis_distance, np.cos(lam), out=xyz[:, 0])
    np.multiply(axis_distance, np.sin(lam), out=xyz[:, 1])
    np.multiply(normal * (1 - ECCENTRICITY_2), sin_phi, out=xyz[:, 2])
    return xyz


def geodesic_upper_bound(chord_m: Floats) -> Floats:
    """The longest geodesic that ends of this chord can have, in metres.

    A geodesic's curvature in space is at most 1 / ``MIN_CURVATURE_RADIUS_M``, so by Schur's theorem
    its chord is at least that of a circle arc of that radius and the same length. Near antipodes,
    where that says nothing, half an equator bounds every geodesic.
    """
    half = np.minimum(chord_m, _SCHUR_CHORD_M) / (2 * MIN_CURVATURE_RADIUS_M)
    arc: Floats = 2 * MIN_CURVATURE_RADIUS_M * np.arcsin(half)
    return np.where(chord_m < _SCHUR_CHORD_M, arc, np.pi * SEMI_MAJOR_M)


def chord_lower_bound(geodesic_m: float) -> float:
    """The chord, in metres, up to which the geodesic is surely no longer than ``geodesic_m``.

    The longer of two: the inverse of :func:`geodesic_upper_bound`, capped where Schur's theorem
    ends, and the chord that a geodesic as long as this spans at least on the squeezed sphere.
    """
    # Only up to half a circle do longer arcs have longer chords: beyond it sine falls again.
    diameter = 2 * MIN_CURVATURE_RADIUS_M
    schur = diameter * np.sin(min(geodesic_m / diameter, np.pi / 2))
    stretched = 2 * SEMI_MINOR_M * np.sin(min(geodesic_m / (2 * SEMI_MAJOR_M), np.pi / 2))
    return float(max(min(schur, _SCHUR_CHORD_M), stretched)) - SLACK_M


def chord_upper_bound(geodesic_m: npt.ArrayLike) -> Floats:
    """The chord, in metres, beyond which the geodesic is surely longer than ``geodesic_m``.

    A chord is never longer than its geodesic. Near antipodes a second bound is tighter: squeezing
    the ellipsoid into the unit sphere of its reduced latitudes divides every path by b or more, and
    every chord by a or less.
    """
    s = np.asarray(geodesic_m, dtype=np.float64)
    squeezed = 2 * SEMI_MAJOR_M * np.sin(np.minimum(s / (2 * SEMI_MINOR_M), np.pi / 2))
    bound: Floats = np.minimum(s, squeezed) + SLACK_M
    return bound


def short_geodesic(chord_m: Floats, longest_m: Floats, z1_m: Floats, z2_m: Floats) -> Floats:
    """Length of the geodesics of up to ``CLOSED_FORM_REACH_M`` from chord and heights z alone.

    The geodesic is taken as a circle arc over its chord, with 0.8 of the normal curvature along the
    chord at its middle and 0.1 of that at each end, which cancels the error's leading term: off by
    less than 15 nm up to 150 km, measured in ``test_office_index.py``. This is a series, not a
    bound, so the answer is held between the two bounds and never decides a verdict or a tie.

    On x'Wx = 1, W = diag(1/a², 1/a², 1/b²), the curvature along the unit tangent t at p is
    t'Wt / sqrt(p'WWp); everything in it follows from the chord and the two z.

    Parameters
    ----------
    chord_m, longest_m, z1_m, z2_m
        Metres, shape (n,): the chord (more than 0), its ``geodesic_upper_bound``, and the third
        earth-centred coordinate of either end.
    """
    e2 = SECOND_ECCENTRICITY_2
    c2, dz = chord_m * chord_m, z2_m - z1_m
    w = (c2 + e2 * dz * dz) / (2 * SEMI_MAJOR_M**2)  # half of d'Wd for the chord d
    middle = 1 - w / 2
    curvature = np.sqrt(middle / (middle + e2 * ((z1_m + z2_m) / (2 * SEMI_MINOR_M)) ** 2))
    curvature *= 0.8 * (1 + e2 * dz * dz / c2)
    for z, inward in ((z1_m, w), (z2_m, -w)):  # the chord, laid into the tangent plane of each end
        normal = 1 + e2 * (z / SEMI_MINOR_M) ** 2
        tangent_z = dz + inward / normal * (z * (1 + e2))
        tangent_2 = c2 - w * w / normal * SEMI_MAJOR_M**2
        curvature += 0.1 * (1 + e2 * tangent_z * tangent_z / tangent_2) / np.sqrt(normal)
    diameter = 2 * SEMI_MAJOR_M / curvature
    length: Floats = diameter * np.arcsin(chord_m / diameter)
    return np.minimum(np.maximum(length, chord_m), longest_m)


def inverse(
    lon1: npt.ArrayLike, lat1: npt.ArrayLike, lon2: npt.ArrayLike, lat2: npt.ArrayLike
) -> Floats:
    """Length in metres of the shortest way from each first point to its second, shape (n,).

    Karney's algorithm (2013) as PROJ has it, good to 15 nm anywhere on earth. One point stands
    against many.
    """
    x1, y1 = check_coordinates(lon1, lat1)
    x2, y2 = check_coordinates(lon2, lat2)
    x1, y1, x2, y2 = (np.ascontiguousarray(v) for v in np.broadcast_arrays(x1, y1, x2, y2))
    s: Floats = GEOD.inv(x1, y1, x2, y2)[2]
    return s


def ring(lon: float, lat: float, radius_m: float, vertices: int = 256) -> Floats:
    """Draw the points at ``radius_m`` from a centre as a closed line. It never decides anything.

    Longitudes run on past 180 or -180 instead of jumping. A ring round a pole has no inside on a
    flat map, so it is closed along the map's edge at that pole.

    Returns
    -------
    line
        Longitude and latitude in degrees, shape (m, 2); the last point is the first.
    """
    x, y = check_coordinates(lon, lat)
    if not 0 < check_radius(radius_m) < _LONGEST_RING_M:
        raise LengthError(
            f"A ring of {radius_m} m cannot be drawn: it must be more than 0 and less than "
            f"{_LONGEST_RING_M:,.0f} m."
        )
    # From the vertex nearest the pole, so that a ring round it spans half the map to either side.
    bearing = np.linspace(0, 360, vertices + 1) + (180 if y[0] < 0 else 0)
    many = np.ones(vertices + 1)
    east, north, _ = GEOD.fwd(x * many, y * many, bearing, radius_m * many)
    line = np.stack([np.unwrap(east, period=360), north], axis=1)
    line[:, 0] += 360 * np.round((x - line[:, 0].mean()) / 360)
    turned = line[-1, 0] - line[0, 0]
    if abs(turned) > 180:
        pole = 90.0 if y[0] > 0 else -90.0
        return np.vstack([line, [line[-1, 0], pole], [line[0, 0], pole], line[0]])
    line[-1] = line[0]
    return line
