"""ZIP code areas drawn from points by Voronoi cells: an approximation, and said to be one.

A ZIP code is a set of mail routes, not an area, and the tables that ship with this package hold one
point for each. The ground nearer to that point than to any other ZIP code's is a fair drawing of
where its addresses are, good for an outline on a map and for a location without a postal code.
It holds 73 % of the 5,910 universities of IPEDS 2020 whose code has an area; the others stand in
a neighbour's. So who has a ZIP code in the address is never decided by it: see ``markets.locate``.

Codes without an area of their own (post office boxes, one organisation's own code) get no ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from territory.geodesy import polygon_parts

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt


def draw(
    codes: npt.ArrayLike, owner: npt.ArrayLike, zip_codes: pd.DataFrame, states: gpd.GeoDataFrame
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Draw the ground of lists of ZIP codes, within the outlines of their states.

    The cells are Voronoi cells of the points of one state, with longitude shrunk by the cosine of
    its middle latitude, so that "nearer" means nearer on the ground. All cells of a state fill it.

    Parameters
    ----------
    codes, owner
        ZIP codes, all in ``zip_codes``, and the number of the list each belongs to, shape (n,).
    zip_codes, states
        Tables of ``reference.Reference``.

    Returns
    -------
    ground, owner
        Polygons in EPSG:4326, one for each list and state where any code has an area.
    """
    members = pd.DataFrame({"zip_code": codes, "owner": owner}, dtype=object)
    sites = zip_codes[zip_codes["has_area"]]
    members = members.merge(sites, on="zip_code")
    outline = states.set_index("state_code").geometry
    grounds, owners = [np.empty(0, dtype=object)], [np.empty(0, dtype=np.intp)]
    for state, rows in members.groupby("state_code", sort=True):
        if state not in outline.index:  # a military address, a state in free association
            continue
        cells = _cells(rows, sites[sites["state_code"] == state], outline[state])
        by_owner = pd.Series(cells, dtype=object).groupby(rows["owner"].to_numpy(np.intp))
        whole = by_owner.agg(lambda mine: shapely.union_all(mine.to_numpy()))
        grounds.append(_within(outline[state], whole.to_numpy(object)))
        owners.append(whole.index.to_numpy(np.intp))
    return np.concatenate(grounds), np.concatenate(owners)


def _cells(
    rows: pd.DataFrame, sites: pd.DataFrame, outline: shapely.Geometry
) -> npt.NDArray[np.object_]:
    """Give the Voronoi cell of each listed ZIP code among all sites of its state."""
    west, south, east, north = outline.bounds
    shrink = np.array([np.cos(np.radians((south + north) / 2)), 1.0])
    point, site = np.unique(sites[["lon", "lat"]].to_numpy(float), axis=0, return_inverse=True)
    if len(point) == 1:  # alone: there is nothing to be nearer to
        return np.full(len(rows), outline, dtype=object)
    frame = shapely.box(west * shrink[0], south, east * shrink[0], north)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(point * shrink), extend_to=frame, ordered=True)
    )
    cells = shapely.transform(cells, lambda xy: xy / shrink)
    at = pd.Series(site.ravel(), index=sites["zip_code"]).loc[rows["zip_code"]]
    return np.asarray(cells[at.to_numpy()], dtype=object)


def _within(outline: shapely.Geometry, ground: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    shapely.prepare(outline)
    beyond = ~shapely.contains_properly(outline, ground)
    cut = ground.copy()
    cut[beyond] = polygon_parts(shapely.intersection(ground[beyond], outline))
    return cut
