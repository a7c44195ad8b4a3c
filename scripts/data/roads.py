"""The main roads of North America, from a network of OpenStreetMap (ODbL) made for routing.

The network has junctions, known to 100 m, and straight links between them; it has no classes and
no curves. So both are made good here as far as they honestly can be: a road ranks by the towns it
joins, and a link is given the closest zoom that its straightness still bears.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, cKDTree

from scripts.data.sources import SCGRAPH_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.data.sources import Archives

NETWORK = "scgraph_data/world_highways.py"
BOUNDS = (-170.0, 14.0, -50.0, 72.0)
COUNTRIES = ("US", "CA", "MX")
EARTH_KM = 6371.0
ONE_PLACE_KM = 0.3  # carriageways and ramps nearer than this are one road here
MOST_WATER_KM = 5.0  # links over more water are ferries, or straight where the road goes round
DIVIDED = 0.7  # what a road with two carriageways counts for its length: it is the faster one
# Towns by rank of the roads that join them: km apart at least, people at least, first zoom.
TOWNS = ((150, 50_000, 5), (60, 15_000, 7))
OTHERS_FIRST = 9  # the first zoom of all other roads
TOWN_OFF_KM = 15.0  # a town farther from any junction joins nothing
FAR, BETWEEN, DETOUR = 5, 0.35, 1.7  # which towns are neighbours, and what way still joins them
# A link no longer than so many km is drawn up to that zoom; any link, up to zoom 8.
STRAIGHT_KM = ((6.0, 12), (15.0, 10))
ANY_LAST = 8


@dataclass(frozen=True)
class Network:
    """Junctions, shape (n,) in degrees, and links between them, shape (m,), each once."""

    lon: np.ndarray
    lat: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_divided: np.ndarray

    @property
    def km(self) -> np.ndarray:
        """Length of each link, straight."""
        at = _on_sphere(self.lon, self.lat)
        return np.linalg.norm(at[self.start] - at[self.end], axis=1)


def roads(archives: Archives, cities: pd.DataFrame, land: np.ndarray) -> gpd.GeoDataFrame:
    """Lines with the zooms they are drawn at: first_zoom, last_zoom, geometry.

    ``cities`` are the bundled ones and ``land`` the polygons of North America.
    """
    network = _ashore(_one_road(*_read(archives)), land)
    km = network.km
    first = _first_zoom(network, cities[cities["country_code"].isin(COUNTRIES)])
    last = np.select([km <= most for most, _ in STRAIGHT_KM], [z for _, z in STRAIGHT_KM], ANY_LAST)
    frames = []
    for zooms in sorted(set(zip(first.tolist(), last.tolist(), strict=True))):
        if zooms[0] <= zooms[1]:
            chosen = (first == zooms[0]) & (last == zooms[1])
            frame = gpd.GeoDataFrame(geometry=_lines(network, chosen), crs="EPSG:4326")
            frames.append(frame.assign(first_zoom=zooms[0], last_zoom=zooms[1]))
    table = pd.concat(frames, ignore_index=True)[["first_zoom", "last_zoom", "geometry"]]
    return table.astype({"first_zoom": "int8", "last_zoom": "int8"})


def _read(archives: Archives) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) as lon, lat and links (m, 2), from a module of two long literals."""
    text = archives.text(SCGRAPH_DATA, NETWORK)
    graph, nodes = (re.search(rf"^{name}=(.*)$", text, re.MULTILINE) for name in ("graph", "nodes"))
    if graph is None or nodes is None:
        raise ValueError(f"{NETWORK}: no line 'graph=' or no line 'nodes='")
    points = np.array(json.loads(nodes[1]))[:, ::-1]
    others = [re.findall(r"(\d+):", node) for node in re.findall(r"\{([^}]*)\}", graph[1])]
    links = np.column_stack(
        [np.repeat(np.arange(len(others)), [len(ends) for ends in others]),
         np.concatenate([np.array(ends, int) for ends in others])]
    )  # fmt: skip
    west, south, east, north = BOUNDS
    lon, lat = points.T
    inside = (lon > west) & (lon < east) & (lat > south) & (lat < north)
    return points, links[inside[links].all(axis=1) & (links[:, 0] < links[:, 1])]


def _one_road(points: np.ndarray, links: np.ndarray) -> Network:
    """Join junctions that are one place; what two links then share is a divided road."""
    used, links = np.unique(links, return_inverse=True)
    links = links.reshape(-1, 2)
    at = _on_sphere(*points[used].T)
    tree, place = cKDTree(at), np.full(len(used), -1)
    for one in np.argsort(-np.bincount(links.ravel()), kind="stable"):  # large crossings first
        if place[one] < 0:
            near = np.array(tree.query_ball_point(at[one], ONE_PLACE_KM))
            place[near[place[near] < 0]] = one
    _, place = np.unique(place, return_inverse=True)
    size = np.bincount(place)
    lon, lat = (np.bincount(place, side) / size for side in points[used].T)
    ends = np.sort(place[links], axis=1)
    ends, times = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0, return_counts=True)
    return Network(lon, lat, ends[:, 0], ends[:, 1], times > 1)


def _ashore(network: Network, land: np.ndarray) -> Network:
    """Leave out the links that run over much water."""
    at = np.column_stack([network.lon, network.lat])
    lines = shapely.linestrings(np.stack([at[network.start], at[network.end]], axis=1))
    whole = shapely.union_all(land)
    shapely.prepare(whole)
    wet = np.flatnonzero((network.km > MOST_WATER_KM) & ~shapely.covers(whole, lines))
    dry = shapely.intersection(lines[wet], whole)
    water_km = (1 - shapely.length(dry) / shapely.length(lines[wet])) * network.km[wet]
    keep = np.ones(len(lines), bool)
    keep[wet[water_km > MOST_WATER_KM]] = False
    return Network(
        network.lon, network.lat,
        network.start[keep], network.end[keep], network.is_divided[keep],
    )  # fmt: skip


def _first_zoom(network: Network, cities: pd.DataFrame) -> np.ndarray:
    """The zoom from which each link is drawn: that of the largest towns whose way it is on."""
    count = len(network.lon)
    length = network.km * np.where(network.is_divided, DIVIDED, 1)
    start, end = network.start.astype(np.int64), network.end.astype(np.int64)
    both = np.r_[start, end], np.r_[end, start]
    graph = csr_array((np.r_[length, length], both), shape=(count, count))
    keys = both[0] * count + both[1]
    order = np.argsort(keys)
    link = np.r_[np.arange(len(start)), np.arange(len(start))][order]
    keys = keys[order]
    first = np.full(len(start), OTHERS_FIRST)
    at = _on_sphere(network.lon, network.lat)
    used = np.unique(both[0])
    for apart_km, people, zoom in reversed(TOWNS):
        for near, far in _neighbours(cities, at, used, apart_km, people):
            distance, before = dijkstra(
                graph, indices=near, return_predecessors=True, limit=apart_km * FAR * DETOUR
            )
            for town in far:
                if distance[town] <= DETOUR * np.linalg.norm(at[near] - at[town]):
                    way = [town]
                    while way[-1] != near:
                        way.append(int(before[way[-1]]))
                    ends = np.array(way)
                    first[link[np.searchsorted(keys, ends[1:] * count + ends[:-1])]] = zoom
    return first


def _neighbours(
    cities: pd.DataFrame, at: np.ndarray, used: np.ndarray, apart_km: float, people: int
) -> Iterator[tuple[int, list[int]]]:
    """The junctions of towns ``apart_km`` or more from any larger one, each with its neighbours."""
    cities = cities[cities["population"] >= people]
    cities = cities.sort_values(["population", "city_id"], ascending=[False, True])
    lon, lat = cities["lon"].to_numpy(), cities["lat"].to_numpy()
    off, junction = cKDTree(at[used]).query(_on_sphere(lon, lat))
    served = off < TOWN_OFF_KM
    lon, lat, junction = lon[served], lat[served], used[junction[served]]
    place = _on_sphere(lon, lat)
    tree, free, chosen = cKDTree(place), np.ones(len(lon), bool), []
    for town in range(len(lon)):
        if free[town]:
            chosen.append(town)
            free[tree.query_ball_point(place[town], apart_km)] = False
    lon, lat, place, junction = (values[chosen] for values in (lon, lat, place, junction))
    corners = Delaunay(np.column_stack([lon * np.cos(np.radians(40)), lat])).simplices
    pairs = np.unique(np.sort(np.vstack([corners[:, [i, (i + 1) % 3]] for i in range(3)])), axis=0)
    middle = place[pairs].mean(axis=1)
    apart = np.linalg.norm(place[pairs[:, 0]] - place[pairs[:, 1]], axis=1)
    lonely = cKDTree(place).query(middle)[0] >= BETWEEN * apart
    pairs = junction[pairs[lonely & (apart < FAR * apart_km)]]
    for near in np.unique(pairs[:, 0]):
        yield int(near), pairs[pairs[:, 0] == near, 1].tolist()


def _lines(network: Network, chosen: np.ndarray) -> np.ndarray:
    """The chosen links joined end to end, on the grid of the source."""
    at = np.round(np.column_stack([network.lon, network.lat]), 3)
    ends = np.stack([at[network.start[chosen]], at[network.end[chosen]]], axis=1)
    lines = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(ends)))
    return lines[shapely.length(lines) > 0]


def _on_sphere(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Points in km from the middle of the earth, shape (n, 3): near neighbours by chord."""
    lon, lat = np.radians(lon), np.radians(lat)
    return EARTH_KM * np.column_stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    )
