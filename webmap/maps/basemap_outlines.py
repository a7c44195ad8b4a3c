"""The outlines that the base map draws, made light for each zoom.

Coordinates here are the web map's own square, (0, 0) north-west to (1, 1) south-east: this module
only draws and decides nothing. Outlines are simplified as coverages, so neighbours keep one border,
to less than half a pixel of the closest zoom they serve. The shore of the US is that of its
counties; what the generalised land would leave off it as slivers is removed.
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

    import geopandas as gpd
    import numpy.typing as npt

    from territory.reference import Reference

TILE = 256  # css pixels
BANDS = (4, 6, 8, 10, 12)  # the closest zoom that each level of detail serves
NORTH_AMERICA = (-180.0, 5.0, -50.0, 84.0)  # where the bundled base map has its fine layers
SLIVER_DEG = 0.004  # the fine land is generalised to 0.002 degrees, the counties are not
NEAR_DEG = 0.04  # what the bundled lines have this near to the US, the state lines show already
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
        return np.asarray(shapely.get_parts(shapely.clip_by_rect(self.shapes[near], *box)))


class Ground:
    """The outlines of every zoom band; a band is made when it is first asked for, and kept."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._bands: dict[int, dict[str, Layer]] = {}
        self._lock = threading.Lock()

    def band(self, zoom: int) -> dict[str, Layer]:
        """Give the layers for a zoom, by name; ``home`` is the land of the US."""
        limit = next((end for end in BANDS if zoom <= end), BANDS[-1])
        with self._lock:
            if limit not in self._bands:
                self._bands[limit] = self._make(limit)
            return self._bands[limit]

    @functools.cached_property
    def _plane(self) -> dict[str, npt.NDArray[np.object_]]:
        """Every source layer in the square of the map, the US coast settled."""
        county = self._reference.counties.geometry.to_numpy()
        home = shapely.union_all(self._reference.states.geometry.to_numpy())
        found = dict(self._natural_earth())
        shapely.prepare(home)
        land, touched = found["land"], shapely.intersects(home, found["land"])
        abroad = shapely.difference(land[touched], home)
        abroad = shapely.buffer(abroad, -SLIVER_DEG, join_style="mitre", quad_segs=1)
        abroad = shapely.buffer(abroad, SLIVER_DEG, join_style="mitre", quad_segs=1)
        near = shapely.buffer(home, NEAR_DEG, quad_segs=1)
        shapely.prepare(near)
        lines = np.concatenate([found["country_line"], found["state_line"]])
        ashore = np.unique(shapely.STRtree(lines).query(shapely.get_parts(abroad), "intersects")[1])
        far = np.unique(shapely.STRtree(lines).query(land[~touched], "intersects")[1])
        lines = lines[np.union1d(ashore, far)]  # borders in the middle of a lake help nobody
        plane = {
            "county": county,
            "land": np.concatenate([land[~touched], abroad]),
            "lakes": found["lake"],
            "rivers": found["river"],
            "borders": _joined(lines[~shapely.intersects(near, lines)]),
        }
        return {name: shapely.transform(shapes, _to_plane) for name, shapes in plane.items()}

    @functools.cached_property
    def _roads(self) -> gpd.GeoDataFrame:
        table = self._reference.roads
        return table.set_geometry(shapely.transform(table.geometry.to_numpy(), _to_plane))

    def _natural_earth(self) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """Give each layer once: fine in North America, coarse elsewhere."""
        table = self._reference.basemap
        layer, fine = table["layer"].to_numpy(object), table["detail"] == "north_america"
        shapes = table.geometry.to_numpy()
        frame = shapely.box(*NORTH_AMERICA)
        for name in ("land", "lake", "river", "country_line", "state_line"):
            far = shapes[(layer == name) & ~fine]
            crosses = shapely.intersects(frame, far)
            cut = shapely.difference(far[crosses], frame)
            near = shapes[(layer == name) & fine]
            yield name, shapely.get_parts(np.concatenate([far[~crosses], cut, near]))

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
        roads = self._roads
        seen = (roads["first_zoom"] <= limit) & (roads["last_zoom"] >= limit)
        simple = {
            name: shapely.simplify(shapes, tolerance)
            for name, shapes in plane.items()
            if name != "county"
        }
        whole = simple | {
            "home": home,
            "roads": shapely.simplify(roads.geometry[seen].to_numpy(), tolerance),
            "counties": inner,
            "states": outer,
        }
        return {name: Layer.of(shapes) for name, shapes in whole.items()}


def _to_plane(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.column_stack(project(points[:, 0], points[:, 1]))


def _borders(
    areas: npt.NDArray[np.object_], group: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Give the lines between areas of one group, and those between groups, each once.

    Neighbours share their corners exactly, so a border is a pair of points that two areas have;
    what only one has is shore, which the fill shows.
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
    segments = shapely.linestrings(pairs[start].reshape(-1, 2, 2))
    return _joined(segments[(least == most) & (sides > 1)]), _joined(segments[least != most])


def _joined(lines: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Join lines end to end into as few as possible."""
    simple = shapely.get_parts(lines)
    return np.asarray(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(simple))))
