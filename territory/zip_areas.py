"""The ground around a ZIP code, drawn from points: an approximation, and said to be one.

A ZIP code is a set of mail routes, not an area, and the tables that ship with this package hold one
point for each. The ground nearer to that point than to any other ZIP code's is a fair drawing of
where its addresses are, good for an outline on a map and for a location without a postal code.
Who has a ZIP code in the address is never decided by it: see ``markets.locate``.

Codes without an area of their own (post office boxes, one organisation's own code) get no ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

MARGIN_DEG = 1.5  # how far beyond the ZIP codes of one state its neighbours are looked at


def draw(
    codes: npt.ArrayLike, owner: npt.ArrayLike, zip_codes: pd.DataFrame, states: gpd.GeoDataFrame
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Draw the ground of lists of ZIP codes, within the outlines of their states.

    The cells are Voronoi cells of the points, state by state, with longitude shrunk by the cosine
    of the state's middle latitude, so that "nearer" means nearer on the ground.

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
    wanted = pd.DataFrame({"zip_code": codes, "owner": owner}, dtype=object)
    sites = zip_codes[zip_codes["has_area"]]
    wanted = wanted.merge(sites, on="zip_code")
    outline = states.set_index("state_code").geometry
    ground, owners = [], []
    for state, listed in wanted.groupby("state_code", sort=True):
        cells = _cells(listed, sites)
        for of, mine in pd.Series(cells, dtype=object).groupby(listed["owner"].to_numpy(int)):
            whole = shapely.union_all(mine.to_numpy())
            if state in outline.index:
                whole = shapely.intersection(whole, outline[state])
            ground.append(whole)
            owners.append(of)
    return np.array(ground, dtype=object), np.array(owners, dtype=np.intp)


def _cells(listed: pd.DataFrame, sites: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Give the Voronoi cell of each listed ZIP code among all sites near them."""
    low = listed[["lon", "lat"]].min() - MARGIN_DEG
    high = listed[["lon", "lat"]].max() + MARGIN_DEG
    near = sites[sites["lon"].between(low.lon, high.lon) & sites["lat"].between(low.lat, high.lat)]
    shrink = np.array([np.cos(np.radians((low.lat + high.lat) / 2)), 1.0])
    point, site = np.unique(near[["lon", "lat"]].to_numpy(float), axis=0, return_inverse=True)
    frame = shapely.box(*(low.to_numpy(float) * shrink), *(high.to_numpy(float) * shrink))
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(point * shrink), extend_to=frame, ordered=True)
    )
    if len(point) == 1:  # one point alone has no neighbours to be told from
        cells = np.array([frame], dtype=object)
    cells = shapely.transform(cells, lambda xy: xy / shrink)
    at = pd.Series(site.ravel(), index=near["zip_code"]).loc[listed["zip_code"]]
    return np.asarray(cells[at.to_numpy()], dtype=object)
