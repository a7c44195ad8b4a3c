"""Outline checks: areas that lie where nobody can have meant, and the place that was meant.

The evidence is where towns are: an area in which nobody lives, and which is an American county or a
big city once lat and lon are swapped or the minus sign is put back, was written wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from territory import reference
from territory.cleaning import ANTARCTIC_LAT, in_country

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from territory.reference import Reference

    Floats = npt.NDArray[np.float64]

_WAYS: tuple[tuple[str, Callable[[Floats], Floats]], ...] = (
    ("with lat and lon swapped", lambda xy: xy[:, ::-1]),
    ("with a minus sign before lon", lambda xy: xy * (-1, 1)),
    ("with lat and lon swapped and a minus sign before lon", lambda xy: xy[:, ::-1] * (-1, 1)),
)
_BIG_CITY = 100_000  # people: where one lives in the other reading and nobody in this, it is meant
_MANY_TIMES = 100


class OutlineFault(NamedTuple):
    """What is wrong with where an area lies, and what to do."""

    reason: str
    remedy: str


def misplaced(outlines: npt.NDArray[np.object_]) -> list[OutlineFault | None]:
    """Say which areas lie where they cannot be meant; None of those that may.

    Parameters
    ----------
    outlines
        Polygons in degrees, longitude first, which may reach beyond 90 degrees of latitude.
    """
    tables = reference.load()
    counties = shapely.STRtree(tables.counties.geometry.to_numpy())
    at_home = np.zeros(len(outlines), bool)
    at_home[np.unique(counties.query(outlines, predicate="intersects")[0])] = True
    return [
        None if is_home or shapely.is_empty(outline) else _fault(outline, tables, counties)
        for outline, is_home in zip(outlines, at_home, strict=True)
    ]


def _fault(
    outline: shapely.Geometry, tables: Reference, counties: shapely.STRtree
) -> OutlineFault | None:
    west, south, east, north = outline.bounds
    is_off = south < -90 or north > 90
    if not is_off and (west < -180 or east > 180):
        return None  # beyond the antimeridian: it comes back on the other side
    is_antarctic = north < ANTARCTIC_LAT
    middle = shapely.point_on_surface(outline)
    x, y = np.array([middle.x]), np.array([middle.y])
    if not is_off and in_country(x, y, np.array(["CA"], dtype=object))[0]:
        return None
    people = 0 if is_off else _people(outline, tables)
    where = "off the globe" if is_off else "in Antarctica" if is_antarctic else _near(x, y, tables)
    for how, turn in _WAYS:
        other = shapely.transform(outline, turn)
        if not _is_on_globe(other):
            continue
        county = _county(other, tables, counties)
        others = _people(other, tables)
        is_meant = is_off or is_antarctic or others > _MANY_TIMES * people
        is_city = "swapped" in how and not people and others >= _BIG_CITY
        if (county and is_meant) or is_city:
            what = county or _biggest_city(other, tables)
            return OutlineFault(f"lies {where}; {how} it is {what}", f"Write it {how}.")
    if is_antarctic:
        return OutlineFault(f"lies {where}", "Correct its coordinates.")
    return None


def _is_on_globe(outline: shapely.Geometry) -> bool:
    west, south, east, north = outline.bounds
    return bool(west >= -180 and east <= 180 and south >= -90 and north <= 90)


def _inside(outline: shapely.Geometry, tables: Reference) -> npt.NDArray[np.bool_]:
    """Tell which cities of the world lie in an area."""
    lon, lat = tables.cities["lon"].to_numpy(float), tables.cities["lat"].to_numpy(float)
    west, south, east, north = outline.bounds
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    inside[inside] = shapely.intersects_xy(outline, lon[inside], lat[inside])
    return np.asarray(inside)


def _people(outline: shapely.Geometry, tables: Reference) -> int:
    return int(tables.cities["population"].to_numpy(float)[_inside(outline, tables)].sum())


def _biggest_city(outline: shapely.Geometry, tables: Reference) -> str:
    cities = tables.cities[_inside(outline, tables)]
    row = cities.iloc[int(np.argmax(cities["population"].to_numpy(float)))]
    return f"{row['name']}, {row['country_code']}"


def _county(outline: shapely.Geometry, tables: Reference, counties: shapely.STRtree) -> str | None:
    """Name the county that has most of the area; None where it lies in none."""
    hits = counties.query(outline, predicate="intersects")
    if not len(hits):
        return None
    shared = shapely.area(shapely.intersection(counties.geometries[hits], outline))
    row = tables.counties.iloc[hits[int(np.argmax(shared))]]
    return f"{row['name']}, {row['state_code']}"


def _near(lon: Floats, lat: Floats, tables: Reference) -> str:
    """Name the city that is nearest, to say where something lies; no distance is measured."""
    cities = tables.cities
    shrink = np.cos(np.radians(lat))
    turn = (cities["lon"].to_numpy(float) - lon + 180) % 360 - 180
    off = (turn * shrink) ** 2 + (cities["lat"].to_numpy(float) - lat) ** 2
    row = cities.iloc[int(np.argmin(off))]
    return f"near {row['name']} ({row['country_code']})"
