"""TopoJSON read as it is stored: borders as arcs that neighbours share.

Format: https://github.com/topojson/topojson-specification (quantised, delta-encoded arcs; ``~i``
is arc ``i`` backwards). Shapes built from one topology meet exactly, and two areas are neighbours
when one arc bounds both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

if TYPE_CHECKING:
    from collections.abc import Iterator

# A hundred-thousandth of a degree is at most 1.1 m; the topologies' own grid is 100 m or coarser.
GRID_DEGREES = 1e-5


@dataclass(frozen=True)
class Topology:
    """One parsed TopoJSON document."""

    document: dict[str, Any]

    @cached_property
    def arcs(self) -> list[np.ndarray]:
        """Each arc as an (n, 2) array of longitude and latitude in degrees."""
        transform = self.document["transform"]
        scale, origin = np.array(transform["scale"]), np.array(transform["translate"])
        return [
            np.round(np.cumsum(np.array(arc), axis=0) * scale + origin, 5)
            for arc in self.document["arcs"]
        ]

    def members(self, layer: str) -> list[dict[str, Any]]:
        """The geometry objects of a layer, with ``id`` and ``properties`` where they have them."""
        found = self.document["objects"][layer]
        members: list[dict[str, Any]] = found.get("geometries", [found])
        return members

    def shapes(self, layer: str) -> list[BaseGeometry]:
        """Every member of ``layer`` as a shapely geometry, not yet made valid."""
        return [self.shape(member) for member in self.members(layer)]

    def shape(self, member: dict[str, Any]) -> BaseGeometry:
        """One geometry object as a shapely geometry."""
        kind, arcs = member["type"], member["arcs"]
        if kind == "LineString":
            return shapely.LineString(self._line(arcs))
        if kind == "MultiLineString":
            return shapely.MultiLineString([self._line(line) for line in arcs])
        if kind == "Polygon":
            return shapely.union_all(list(self._polygons([arcs])))
        return shapely.union_all(list(self._polygons(arcs)))

    def shape_line(self, member: dict[str, Any]) -> np.ndarray:
        """The first ring of a polygon as (n, 2) points, also where it encloses nothing."""
        return self._line(member["arcs"][0][:1])

    def arcs_of(self, layer: str) -> list[set[int]]:
        """For each member of a polygon layer, the arcs that bound it, without direction."""
        return [
            {
                arc if arc >= 0 else ~arc
                for polygon in ([m["arcs"]] if m["type"] == "Polygon" else m["arcs"])
                for ring in polygon
                for arc in ring
            }
            for m in self.members(layer)
        ]

    def _polygons(self, polygons: list[list[list[int]]]) -> Iterator[BaseGeometry]:
        for rings in polygons:
            lines = [line for line in map(self._line, rings) if len(line) >= 4]
            if lines:
                yield shapely.make_valid(shapely.Polygon(lines[0], lines[1:]))

    def _line(self, indices: list[int]) -> np.ndarray:
        parts = [self.arcs[i] if i >= 0 else self.arcs[~i][::-1] for i in indices]
        return np.vstack([parts[0], *(part[1:] for part in parts[1:])])
