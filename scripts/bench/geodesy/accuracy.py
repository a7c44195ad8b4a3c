"""How wrong the usual ways to decide "within 50 miles" are: the figures of ``docs/accuracy.md``.

    python scripts/bench/geodesy/accuracy.py [--json]

No timing, no randomness. Each row asks one way for the distance between a centre and points that
lie exactly 50 miles from it by ``pyproj.Geod``, on 720 bearings, and tells how far its answer is
off in metres: least and most over all bearings and centres, the contiguous states' latitudes (25 to
49) apart from the whole globe (0 to 80).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]


import numpy as np
from pyproj import Geod, Transformer

from scripts.bench import measure
from territory.geodesy import (
    chord_lower_bound,
    chord_upper_bound,
    geodesic_upper_bound,
    inverse,
    ring,
    short_geodesic,
    to_ecef,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Way = Callable[[Array, Array, Array, Array], Array]

LIMIT_M = 80_467.2
GEOD = Geod(ellps="WGS84")
SPHERE_M, EQUATOR_M = 6_371_008.8, 6_378_137.0
BEARINGS = np.arange(0, 360, 0.5)


def haversine(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
    """Great circle on a sphere of the earth's mean radius."""
    lam1, phi1, lam2, phi2 = map(np.radians, (lon1, lat1, lon2, lat2))
    half = np.sin((phi2 - phi1) / 2) ** 2
    half += np.cos(phi1) * np.cos(phi2) * np.sin((lam2 - lam1) / 2) ** 2
    metres: Array = 2 * SPHERE_M * np.arcsin(np.sqrt(half))
    return metres


def planar(crs: int) -> Way:
    """Straight line between projected coordinates."""
    project = Transformer.from_crs(4326, crs, always_xy=True).transform

    def way(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
        (x1, y1), (x2, y2) = project(lon1, lat1), project(lon2, lat2)
        metres: Array = np.hypot(x2 - x1, y2 - y1)
        return metres

    return way


def degrees(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
    """Degrees taken for equal lengths everywhere, 111.32 km each."""
    metres: Array = np.hypot(lon2 - lon1, lat2 - lat1) * np.radians(EQUATOR_M)
    return metres


def chord(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
    """Straight line through the earth."""
    metres: Array = np.linalg.norm(to_ecef(lon1, lat1) - to_ecef(lon2, lat2), axis=1)
    return metres


def closed_form(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
    """What this project shows up to 150 km."""
    p, q = to_ecef(lon1, lat1), to_ecef(lon2, lat2)
    c = np.linalg.norm(p - q, axis=1)
    return short_geodesic(c, geodesic_upper_bound(c), p[:, 2], q[:, 2])


def errors(way: Way, latitudes: Array, lon: float) -> Array:
    """Metres by which ``way`` is off, over all bearings from a centre at each latitude."""
    lat = np.repeat(latitudes, len(BEARINGS))
    east = np.full(len(lat), lon)
    bearing = np.tile(BEARINGS, len(latitudes))
    lon2, lat2, _ = GEOD.fwd(east, lat, bearing, np.full(len(lat), LIMIT_M))
    return way(east, lat, lon2, lat2) - LIMIT_M


def chord_polygon_shortfall(vertices: int) -> float:
    """How far the middle of a drawn ring's edge lies inside the true ring, in metres, at 39 N."""
    line = ring(-77, 39, LIMIT_M, vertices)
    middle = (line[1:] + line[:-1]) / 2
    return float((LIMIT_M - inverse(-77, 39, middle[:, 0], middle[:, 1])).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object instead of tables"
    )
    options = parser.parse_args()
    ways = {
        "degrees as lengths": degrees,
        "Web Mercator (EPSG:3857)": planar(3857),
        "US Albers (EPSG:5070)": planar(5070),
        "sphere (haversine)": haversine,
        "chord": chord,
        "closed form": closed_form,
    }
    figures: dict[str, measure.Figures] = {}
    for name, way in ways.items():
        states, globe = errors(way, np.arange(25, 49.5, 0.5), -96.0), None
        if name != "US Albers (EPSG:5070)":
            globe = errors(way, np.arange(0, 80.5, 0.5), -96.0)
        figures[name] = {
            "states_least_m": float(states.min()),
            "states_most_m": float(states.max()),
            "globe_least_m": None if globe is None else float(globe.min()),
            "globe_most_m": None if globe is None else float(globe.max()),
        }
    short = {f"ring of {n} vertices": chord_polygon_shortfall(n) for n in (32, 64, 256)}
    band_m = float(chord_upper_bound(LIMIT_M)) - chord_lower_bound(LIMIT_M)
    if options.json:
        print(json.dumps({"ways": figures, "drawn_short_m": short, "band_m": band_m}, indent=1))
        return
    measure.table(figures)
    for name, metres in short.items():
        print(f"{name}: falls up to {metres:.3g} m short at 39 N")
    print(f"chords that the bounds leave open at 50 miles: {band_m:.3f} m wide")


if __name__ == "__main__":
    main()
