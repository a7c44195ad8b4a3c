"""Market outlines: made of units or drawn as polygons; which holds a point, overlaps and gaps.

A market's outline is the union of its units', so two markets of neighbouring counties share their
border to the last digit: no sliver between them, no overlap. A point on a border belongs to the
markets on both sides, and of several the smallest ``market_id`` takes it, so two runs over the same
data agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from territory.errors import InputError
from territory.geodesy import PolygonIndex, area_km2, as_points, border_m, polygon_parts
from territory.markets import zip_areas
from territory.markets.unit_lists import SEPARATOR
from territory.markets.units import known_units
from territory.schemas import MARKETS, check

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.reference import Reference


# Borders polygons at 1:10 million wander by some hundred metres; what is thinner on average than
# this is a difference between two drawings, not ground that two markets claim.
SLIVER_WIDTH_M = 500.0
# A postal code says which ZIP-code market a place is in, unless the place is this far off it: then
# the code is another country's.
POSTAL_REACH_DEG = 1.0


def define(markets: pd.DataFrame, reference: Reference) -> gpd.GeoDataFrame:
    """Give each market its outline.

    Every market comes back once, in the order given. Counties and states are dissolved; a metro
    area is the counties that ``reference`` counts to it. The outline of ZIP codes is polygons from
    their points and approximate (``zip_areas``); it may be empty, where none has an area.

    Parameters
    ----------
    markets
        ``schemas.MARKETS``; a polygon market needs its ``geometry``, EPSG:4326, as
        ``read_polygons`` gives it.

    Returns
    -------
    markets
        The same columns, ``units`` as codes joined by "|", and ``geometry`` (EPSG:4326, valid).

    Raises
    ------
    ColumnError
        If ``markets`` breaks its contract.
    InputError
        Naming every unknown unit, market without units and polygon market without a polygon.
    """
    table = check(pd.DataFrame(markets), MARKETS, "markets")
    polygons = np.full(len(table), None, dtype=object)
    if "geometry" in table:
        polygons = table.pop("geometry").to_numpy(object)
    by_hand = table["kind"].eq("polygon").to_numpy()
    lacking = np.flatnonzero(by_hand & (shapely.is_missing(polygons) | shapely.is_empty(polygons)))
    if len(lacking):
        raise InputError(
            f"polygon markets without a polygon: {', '.join(table['market_id'].iloc[lacking])}. "
            "Import their file, or give them units and another kind."
        )
    units = known_units(table, reference)
    codes = units.groupby("market")["code"].agg(SEPARATOR.join)
    table["units"] = codes.reindex(range(len(table))).astype(object).where(~by_hand, None)
    geometry = polygons.copy()
    geometry[~by_hand] = None
    ground, owner = _ground(units, reference)
    for market in np.unique(owner):
        geometry[market] = _dissolve(ground[owner == market])
    geometry[shapely.is_missing(geometry)] = shapely.MultiPolygon()
    return gpd.GeoDataFrame(table, geometry=geometry, crs=4326)


def locate(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    markets: gpd.GeoDataFrame,
    *,
    postal_code: npt.ArrayLike | None = None,
) -> npt.NDArray[np.object_]:
    """Find the market that each headquarters stands in.

    Every point is answered exactly once, in the order given. One that several markets hold, on a
    border or where they overlap, takes the smallest ``market_id`` in text order.

    A market of ZIP codes is a list of addresses, not an area: where ``postal_code`` has a ZIP code,
    the list alone decides whether such a market holds the point, and the outline polygons for it
    counts only for points without one.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,). NaN is a prospect without a place: no market.
    markets
        As ``define`` gives them.
    postal_code
        US ZIP codes, ZIP+4 too; null, or any other text, where there is none.

    Returns
    -------
    market_id
        Shape (n,), object; None where no market holds the point.

    Raises
    ------
    CoordinateError
        Naming the points that are off the globe.
    """
    by_id = markets.sort_values("market_id", kind="stable")
    if postal_code is None or not by_id["kind"].eq("zip_code").any():
        position = PolygonIndex(by_id.geometry).locate(lon, lat)
    else:
        point, holder = _holders(lon, lat, by_id, postal_code)
        position = np.full(np.size(lon), -1)
        position[point[::-1]] = holder[::-1]  # the smallest is written last
    ids = np.array([*by_id["market_id"], None], dtype=object)  # position -1 is None
    return np.asarray(ids[position])


def locate_all(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    markets: gpd.GeoDataFrame,
    *,
    postal_code: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Find every market that holds each point, by the rules of ``locate``.

    Returns
    -------
    pairs
        point (its index in ``lon``), market_id; by_id by both. The first of a point is the one
        that ``locate`` gives; a point in no market has no row.
    """
    by_id = markets.sort_values("market_id", kind="stable")
    if postal_code is None:
        point, holder = PolygonIndex(by_id.geometry).locate_all(lon, lat)
    else:
        point, holder = _holders(lon, lat, by_id, postal_code)
    ids = by_id["market_id"].to_numpy(object)
    return pd.DataFrame({"point": point, "market_id": pd.Series(ids[holder], dtype=object)})


def overlaps(markets: gpd.GeoDataFrame, *, sliver_width_m: float = SLIVER_WIDTH_M) -> pd.DataFrame:
    """List the pairs of markets that share ground, most of it first.

    A border in common is no overlap. ``width_m`` is twice the shared area by its border's length,
    the mean width of something long and thin.

    Returns
    -------
    overlaps
        market_id, other_id (the larger id), area_km2 and width_m on the ellipsoid, is_sliver (bool,
        mean width under ``sliver_width_m``): two drawings of one border, not a quarrel.
    """
    ids, outlines = markets["market_id"].to_numpy(object), markets.geometry.to_numpy()
    one, other = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    pair = ids[one] < ids[other]
    one, other = one[pair], other[pair]
    ground = polygon_parts(shapely.intersection(outlines[one], outlines[other]))
    pairs = pd.DataFrame({"market_id": ids[one], "other_id": ids[other]}, dtype=object)
    pairs = pd.concat([pairs, _size(ground, sliver_width_m)], axis=1)
    pairs = pairs[pairs["area_km2"] > 0]
    return pairs.sort_values(
        ["area_km2", "market_id", "other_id"], ascending=[False, True, True], ignore_index=True
    )


def gaps(
    markets: gpd.GeoDataFrame,
    counties: gpd.GeoDataFrame | None = None,
    *,
    sliver_width_m: float = SLIVER_WIDTH_M,
) -> gpd.GeoDataFrame:
    """List the ground that markets enclose and none of them holds, largest first.

    To find the prospects in gaps, ask ``PolygonIndex(gaps.geometry).locate``.

    Returns
    -------
    gaps
        between (the markets around it, joined by "|"), area_km2, width_m, is_sliver as in
        ``overlaps``, geometry; with ``counties`` (of ``reference``) also ``counties``: those that
        lie in it, by a point inside each, as codes joined by "|".
    """
    outlines = markets.geometry.to_numpy()
    whole = shapely.get_parts(shapely.union_all(outlines))
    rings, part = shapely.get_rings(whole, return_index=True)
    inner = np.append(False, part[1:] == part[:-1]) if len(part) else np.empty(0, bool)
    hole = shapely.polygons(rings[inner])
    at, market = shapely.STRtree(outlines).query(hole, predicate="intersects")
    # An island market within the hole is ground that is held.
    hole = polygon_parts(shapely.difference(hole, shapely.union_all(outlines)))
    around = pd.Series(markets["market_id"].to_numpy(object)[market], dtype=object)
    between = around.groupby(at).agg(lambda names: SEPARATOR.join(sorted(names)))
    holes = pd.DataFrame({"between": between.reindex(range(len(hole))).to_numpy(object)})
    holes = pd.concat([holes, _size(hole, sliver_width_m)], axis=1)
    if counties is not None:
        holes["counties"] = _counties_in(hole, counties)
    frame = gpd.GeoDataFrame(holes, geometry=hole, crs=4326)
    frame = frame[frame["area_km2"] > 0]
    return frame.sort_values(["area_km2", "between"], ascending=[False, True], ignore_index=True)


def _ground(
    units: pd.DataFrame, reference: Reference
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Gather the outlines of all units, and the position of the market that each belongs to."""
    counties, states = reference.counties, reference.states
    tables = {
        "metro_area": counties.set_index("cbsa_code"),
        "county": counties.set_index("county_fips"),
        "state": states.set_index("state_code"),
    }
    pieces = []
    for kind, table in tables.items():
        mine = units[units["kind"] == kind].join(table[["geometry"]], on="code", how="inner")
        pieces.append((mine["geometry"].to_numpy(object), mine["market"].to_numpy(np.intp)))
    zips = units[units["kind"] == "zip_code"]
    pieces.append(zip_areas.draw(zips["code"], zips["market"], reference.zip_codes, states))
    ground, owner = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return ground, owner


def _dissolve(units: npt.NDArray[np.object_]) -> shapely.Geometry:
    """Unite units; where their borders match, as they should, without computing a point."""
    if shapely.coverage_is_valid(units):
        return shapely.coverage_union_all(units)
    return shapely.union_all(units)


def _holders(
    lon: npt.ArrayLike, lat: npt.ArrayLike, markets: gpd.GeoDataFrame, postal_code: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pair points with positions of markets: ZIP-code markets by the code where there is one."""
    x, y = as_points(lon, lat)
    texts = pd.Series(np.asarray(postal_code, dtype=object), dtype="str")
    code = texts.str.extract(r"^\s*(\d{5})(?:-?\d{4})?\s*$", expand=False)
    has_code = code.notna().to_numpy() & ~np.isnan(x)
    coded, bare = np.flatnonzero(has_code), np.flatnonzero(~has_code)
    outlines = markets.geometry.to_numpy()
    is_list = markets["kind"].eq("zip_code").to_numpy()
    by_ground, ground = PolygonIndex(outlines).locate_all(x[bare], y[bare])
    others = np.where(is_list, None, outlines)
    by_other, other = PolygonIndex(others).locate_all(x[coded], y[coded])

    lists = markets["units"].str.split(SEPARATOR, regex=False).reset_index(drop=True)[is_list]
    lists = lists.explode().rename("code").rename_axis("market").reset_index()
    pairs = pd.DataFrame({"point": coded, "code": code.iloc[coded]}).merge(lists, on="code")
    by_list, listing = pairs["point"].to_numpy(np.int64), pairs["market"].to_numpy(np.int64)
    west, south, east, north = shapely.bounds(outlines[listing]).T
    reach, x, y = POSTAL_REACH_DEG, x[by_list], y[by_list]
    abroad = (x < west - reach) | (x > east + reach) | (y < south - reach) | (y > north + reach)

    point = np.concatenate([bare[by_ground], coded[by_other], by_list[~abroad]])
    holder = np.concatenate([ground, other, listing[~abroad]])
    order = np.lexsort((holder, point))
    return point[order], holder[order]


def _size(ground: npt.NDArray[np.object_], sliver_width_m: float) -> pd.DataFrame:
    area = area_km2(ground)
    border = border_m(ground)
    width = 2e6 * np.divide(area, border, out=np.zeros_like(area), where=border > 0)
    return pd.DataFrame({"area_km2": area, "width_m": width, "is_sliver": width < sliver_width_m})


def _counties_in(
    holes: npt.NDArray[np.object_], counties: gpd.GeoDataFrame
) -> npt.NDArray[np.object_]:
    inside = shapely.point_on_surface(counties.geometry.to_numpy())
    inside = shapely.get_x(inside), shapely.get_y(inside)
    point, hole = PolygonIndex(holes).locate_all(*inside)
    codes = pd.Series(counties["county_fips"].to_numpy(object)[point], dtype=object).groupby(hole)
    return codes.agg(SEPARATOR.join).reindex(range(len(holes))).to_numpy(object)
