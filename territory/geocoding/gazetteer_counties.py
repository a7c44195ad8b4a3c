"""Which county a point stands in, and how far it is from the state that it should be in."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from territory.geodesy import inverse

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.reference import Reference

    Floats = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.object_]


class Surroundings:
    """Counties and states of the bundled tables, for a few points at a time."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    @cached_property
    def _counties(self) -> tuple[shapely.STRtree, Texts]:
        table = self._reference.counties
        names: Texts = (table["name"] + ", " + table["state_code"]).to_numpy(object)
        return shapely.STRtree(table.geometry.to_numpy()), names

    def county_of(self, lon: Floats, lat: Floats) -> Texts:
        """Name the county of each point, "Cook County, IL"; None where there is none."""
        tree, names = self._counties
        found = np.full(len(lon), None, dtype=object)
        known = np.flatnonzero(~np.isnan(lon))
        points = shapely.points(lon[known], lat[known])
        at, county = tree.query(points, predicate="intersects")
        found[known[at[::-1]]] = names[county[::-1]]  # on a border the first of them
        return found

    def outside_state_m(self, lon: Floats, lat: Floats, state: Texts) -> Floats:
        """Metres from each point to its state, 0 within it; NaN where the state is unknown."""
        metres = np.full(len(lon), np.nan)
        table = self._reference.states
        for code, area in zip(table["state_code"], table.geometry, strict=True):
            rows = np.flatnonzero((state == code) & ~np.isnan(lon))
            if not len(rows):
                continue
            shapely.prepare(area)
            metres[rows] = 0.0
            out = rows[~shapely.contains_xy(area, lon[rows], lat[rows])]
            points = shapely.points(lon[out], lat[out])
            ends = shapely.get_coordinates(shapely.shortest_line(points, area)).reshape(-1, 4)
            metres[out] = inverse(*ends.T)
        return metres
