"""TopoJSON as the two map packages store it: quantised, delta-encoded arcs (``~i``: backwards).

Format: https://github.com/topojson/topojson-specification
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


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

    def shapes(self, layer: str) -> np.ndarray:
        """Every member of ``layer`` as a valid shapely geometry."""
        return np.array([self._shape(member) for member in self.members(layer)], dtype=object)

    def _shape(self, member: dict[str, Any]) -> BaseGeometry:
        kind, arcs = member["type"], member["arcs"]
        if kind == "LineString":
            return shapely.LineString(self._line(arcs))
        if kind == "MultiLineString":
            return shapely.MultiLineString([self._line(line) for line in arcs])
        polygons = [arcs] if kind == "Polygon" else arcs
        rings = [[self._line(ring) for ring in polygon] for polygon in polygons]
        # Quantising folds what is small to a line; four points are the least that enclose land.
        whole = [
            shapely.Polygon(outer, [hole for hole in holes if len(hole) >= 4])
            if len(outer) >= 4
            else shapely.LineString(outer)
            for outer, *holes in rings
        ]
        return shapely.union_all(shapely.make_valid(np.array(whole, dtype=object)))

    def _line(self, indices: list[int]) -> np.ndarray:
        parts = [self.arcs[i] if i >= 0 else self.arcs[~i][::-1] for i in indices]
        return np.vstack([parts[0], *(part[1:] for part in parts[1:])])
