"""Outlines of markets that come back: those of units, and those that people drew.

A map file of ours says what each market is made of. A market of units whose outline is still that
of its units is one of units again; one whose outline was redrawn is a polygon from now on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from territory import reference
from territory.markets import define, read_units

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from territory.store import Transaction

_SAME_DEG = 1e-9
_SAME_SHARE = 0.01  # of the area: vintages of boundaries differ less, a redrawn border more


def outlines_of_units(markets: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Tell which outlines of a map file are those of the units named beside them.

    Parameters
    ----------
    markets
        market_id, name, kind, units and geometry, as ``files.read_polygon_table`` gives them.

    Returns
    -------
    markets
        The same rows; those of units with the codes and the outline of these, the others polygons.
    remarks
        What is to be said of the latter that name units.
    """
    is_listed = markets["kind"].ne("polygon").to_numpy(bool, copy=True)
    if not is_listed.any():
        return markets, []
    units = read_units(markets.drop(columns="geometry"), reference.load())
    is_listed[units.faults["market"].to_numpy(int)] = False
    at = np.flatnonzero(is_listed)
    drawn = markets.geometry.to_numpy().copy()
    defined = define(markets.iloc[at].drop(columns="geometry"), reference.load())
    outlines = defined.geometry.to_numpy()
    off = shapely.area(shapely.symmetric_difference(drawn[at], outlines))
    is_same = off <= _SAME_SHARE * shapely.area(outlines)
    is_listed[at[~is_same]] = False
    drawn[at[is_same]] = outlines[is_same]
    codes = markets["units"].to_numpy(object, copy=True)
    codes[at] = defined["units"].to_numpy(object)
    codes[~is_listed] = None
    redrawn = markets["name"].to_numpy(object)[at[~is_same]]
    return (
        markets.assign(kind=markets["kind"].where(is_listed, "polygon"), units=codes).set_geometry(
            drawn, crs=4326
        ),
        [f"The outline of {name!r} is not that of its units: taken as drawn." for name in redrawn],
    )


def keep_drawn_outlines(transaction: Transaction, rows: pd.DataFrame) -> pd.DataFrame:
    """Give drawn markets whose outline has not changed the very one on file.

    A file that writes coordinates as text, or starts a ring at another corner, changes nothing.

    Parameters
    ----------
    rows
        Of markets, as they would be written: geometry as WKB.
    """
    key = ["market_id"]
    on_file = transaction.rows("markets", rows[key], [*key, "kind", "geometry"])
    stored = rows[key].merge(on_file, how="left", on=key).set_axis(rows.index)
    is_drawn = rows["kind"].eq("polygon") & stored["kind"].eq("polygon") & rows["geometry"].notna()
    at = np.flatnonzero(is_drawn)
    if not len(at):
        return rows
    geometry = rows["geometry"].to_numpy(object, copy=True)
    before = stored["geometry"].to_numpy(object)
    one, other = (shapely.normalize(shapely.from_wkb(wkb[at])) for wkb in (geometry, before))
    same = at[shapely.equals_exact(one, other, _SAME_DEG)]
    geometry[same] = before[same]
    return rows.assign(geometry=geometry)
