"""The outlines that the base map draws, made light for each zoom.

Coordinates here are the web map's own square, (0, 0) north-west to (1, 1) south-east: this module
only draws and decides nothing. Outlines are simplified as coverages, so neighbours keep one border,
to about a third of a pixel of the closest zoom they serve. The Census shoreline (counties) and
Natural Earth (all else) differ by some kilometres along the coast of the US; there the Census wins,
and what Natural Earth would leave as slivers off the coast is removed.
"""

from __future__ import annotations

import functools
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from territory.reference import Reference

TILE = 256  # css pixels
BANDS = (4, 6, 8, 10, 12)  # the closest zoom that each level of detail serves
SLIVER_DEG = 0.07
FILL_COUNTIES = 8  # from this band on, land is filled county by county: no union to wait for
Box = tuple[float, float, float, float]  # west, north, east, south


def project(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Turn degrees into the web map's square; latitudes beyond 85.05 degrees end at its edge."""
    sine = np.sin(np.radians(np.clip(lat, -85.05, 85.05)))
    x = (np.asarray(lon, float) + 180) / 360
    return x, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)


@dataclass(frozen=True)
class Layer:
    """Shapes of one kind and their boxes, shape (n, 4): west, north, east, south."""

    shapes: npt.NDArray[np.object_]
    boxes: npt.NDArray[np.float64]

    @classmethod
    def of(cls, shapes: npt.ArrayLike) -> Layer:
        """Hold the parts of ``shapes``; what has no extent is left out."""
        parts = shapely.get_parts(np.atleast_1d(np.asarray(shapes, object)))
        parts = parts[~shapely.is_empty(parts)]
        return cls(parts, shapely.bounds(parts).reshape(-1, 4))

    def within(self, box: Box) -> npt.NDArray[np.object_]:
        """Give what lies in the box, cut at its edge, each part as one shape."""
        west, north, east, south = box
        left, top, right, bottom = self.boxes.T
        near = (left <= east) & (right >= west) & (top <= south) & (bottom >= north)
        return shapely.get_parts(shapely.clip_by_rect(self.shapes[near], *box))


class Ground:
    """The outlines of every zoom band; a band is made when it is first asked for, and kept."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._bands: dict[int, dict[str, Layer]] = {}
        self._lock = threading.Lock()

    def band(self, zoom: int) -> dict[str, Layer]:
        """Give the layers for a zoom: land, lakes, home, ponds, rivers, counties, states, borders.

        ``land`` and ``lakes`` lie under ``home`` (the US), ``ponds`` are the lakes inside it.
        """
        limit = next((end for end in BANDS if zoom <= end), BANDS[-1])
        with self._lock:
            if limit not in self._bands:
                self._bands[limit] = self._make(limit)
            return self._bands[limit]

    @functools.cached_property
    def _plane(self) -> dict[str, npt.NDArray[np.object_]]:
        """Every source layer in the square of the map, the US coast settled."""
        counties = self._reference.counties
        home = shapely.union_all(counties.geometry.to_numpy())
        found = dict(self._natural_earth())
        lakes = found["lake"]
        inside = shapely.area(shapely.intersection(lakes, home)) > 0.6 * shapely.area(lakes)
        land = shapely.difference(found["land"], home)
        land = shapely.buffer(shapely.buffer(land, -SLIVER_DEG, join_style="mitre"), SLIVER_DEG)
        outside = shapely.buffer(home, SLIVER_DEG)
        plane = {
            "county": counties.geometry.to_numpy(),
            "land": land,
            "lakes": lakes[~inside],
            "ponds": lakes[inside],
            "rivers": found["river"],
            "borders": shapely.difference(
                np.concatenate([found["country_line"], found["state_line"]]), outside
            ),
        }
        return {name: shapely.transform(shapes, _to_plane) for name, shapes in plane.items()}

    def _natural_earth(self) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """Give each layer once: fine in North America, coarse elsewhere."""
        table = self._reference.basemap
        fine = table[table["detail"] == "north_america"]
        west, south, east, north = fine.total_bounds
        frame = shapely.box(west, south, east, north)
        coarse = table[table["detail"] == "world"]
        for name in ("land", "lake", "river", "country_line", "state_line"):
            far = coarse.loc[coarse["layer"] == name, "geometry"].to_numpy()
            far = shapely.difference(far, frame)
            near = fine.loc[fine["layer"] == name, "geometry"].to_numpy()
            yield name, shapely.get_parts(np.concatenate([far, near]))

    def _make(self, limit: int) -> dict[str, Layer]:
        tolerance = 0.4 / (TILE * 2**limit)
        plane = self._plane
        states = self._reference.counties["state_code"].to_numpy()
        # Simplified together, so that state lines run along the county lines.
        county = shapely.coverage_simplify(plane["county"], tolerance)
        home = county
        if limit < FILL_COUNTIES:
            home = [shapely.union_all(county[states == code]) for code in np.unique(states)]
        inner, outer = _borders(county, states)
        simple = {
            name: shapely.simplify(shapes, tolerance)
            for name, shapes in plane.items()
            if name != "county"
        }
        whole = simple | {"home": home, "counties": inner, "states": outer}
        return {name: Layer.of(shapes) for name, shapes in whole.items()}


def _to_plane(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.column_stack(project(points[:, 0], points[:, 1]))


def _borders(
    areas: npt.NDArray[np.object_], group: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Give the lines between areas of one group, and those between groups or round all, each once.

    Neighbours share their corners exactly, so a border is a pair of points that two areas have.
    """
    parts, part_area = shapely.get_parts(areas, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    pairs = np.hstack([points[:-1], points[1:]])[follows]
    turned = (pairs[:, 0] > pairs[:, 2]) | (
        (pairs[:, 0] == pairs[:, 2]) & (pairs[:, 1] > pairs[:, 3])
    )
    pairs[turned] = pairs[turned][:, [2, 3, 0, 1]]
    _, owner = np.unique(group, return_inverse=True)
    owner = owner[part_area[ring_part[ring[1:][follows]]]]
    order = np.lexsort(pairs.T)
    pairs, owner = pairs[order], owner[order]
    first = np.r_[True, (pairs[1:] != pairs[:-1]).any(axis=1)]
    start = np.flatnonzero(first)
    least, most = np.minimum.reduceat(owner, start), np.maximum.reduceat(owner, start)
    sides = np.diff(np.r_[start, len(pairs)])
    between = (least != most) | (sides == 1)
    segments = shapely.linestrings(pairs[start].reshape(-1, 2, 2))
    return tuple(
        shapely.get_parts(shapely.line_merge(shapely.multilinestrings(segments[chosen])))
        for chosen in (~between, between)
    )
