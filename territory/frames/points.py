"""Points of a frame: WGS84 degrees out of a geometry in any CRS, or of the columns lon and lat."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from territory.errors import ColumnError, CoordinateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Texts = npt.NDArray[np.object_]

Frame = TypeVar("Frame", bound=pd.DataFrame)
WGS84 = "EPSG:4326"
_NAMED = 5  # rows that an error names


def lon_lat(frame: pd.DataFrame, name: str) -> tuple[Floats, Floats]:
    """Give the place of each row.

    Parameters
    ----------
    frame
        Points in any CRS, or the columns ``lon`` and ``lat`` in degrees.
    name
        What errors call the frame.

    Returns
    -------
    lon, lat
        WGS84 degrees, shape (n,); NaN for a row without a place.

    Raises
    ------
    ColumnError
        If there is neither a geometry nor both columns.
    CoordinateError
        If the geometry has no CRS, is not made of points, or lies off the globe.
    """
    if has_geometry(frame):
        shapes = in_wgs84(frame, name)
        no_point = ~(shapes.isna() | shapes.is_empty | shapes.geom_type.eq("Point"))
        _refuse(no_point, f"{name}: not points", "Give one point a row, such as `.centroid`.")
        lon, lat = (np.array(axis, dtype=float) for axis in (shapes.x, shapes.y))
    elif {"lon", "lat"} <= set(frame.columns):
        lon, lat = (_degrees(frame, column, name) for column in ("lon", "lat"))
    else:
        columns = ", ".join(map(repr, frame.columns))
        raise ColumnError(
            f"{name}: no geometry and no columns 'lon' and 'lat'; it has {columns}. "
            "Make points with territory.geocode, or geopandas.points_from_xy."
        )
    with np.errstate(invalid="ignore"):
        is_off = (np.abs(lon) > 180) | (np.abs(lat) > 90) | np.isinf(lon) | np.isinf(lat)
    _refuse(
        pd.Series(is_off, frame.index),
        f"{name}: off the globe",
        "Longitude is -180 to 180, latitude -90 to 90; were they swapped, or is the CRS another?",
    )
    lost = np.isnan(lon) | np.isnan(lat)
    lon[lost] = lat[lost] = np.nan
    return lon, lat


def has_geometry(frame: pd.DataFrame) -> TypeGuard[gpd.GeoDataFrame]:
    """Whether a frame has an active geometry."""
    return isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None


def in_wgs84(frame: pd.DataFrame, name: str) -> gpd.GeoSeries:
    """Give the geometry of a frame in WGS84.

    Raises
    ------
    CoordinateError
        If it has no CRS.
    """
    if frame.crs is None:
        raise CoordinateError(
            f"{name}: the geometry has no CRS. Say which it is: frame.set_crs('EPSG:4326')."
        )
    return frame.geometry.to_crs(WGS84)


def ids(frame: pd.DataFrame, column: str) -> Texts:
    """Give the ids of a frame as text: the column of that name, else the index."""
    values = frame[column] if column in frame.columns else frame.index.to_series()
    return values.astype(str).to_numpy(object)


def with_points(frame: pd.DataFrame, lon: Floats, lat: Floats) -> gpd.GeoDataFrame:
    """Give a frame points, in its own CRS where it has one, else in WGS84; none where NaN."""
    shapes = np.array(gpd.points_from_xy(lon, lat), dtype=object)
    shapes[np.isnan(lon)] = None
    points = gpd.GeoSeries(shapes, index=frame.index, crs=WGS84)
    if has_geometry(frame):
        points = gpd.GeoSeries(points.to_crs(frame.crs), name=frame.active_geometry_name)
        return frame.set_geometry(points)
    return gpd.GeoDataFrame(frame.copy(), geometry=points, crs=WGS84)


def _degrees(frame: pd.DataFrame, column: str, name: str) -> Floats:
    read = pd.to_numeric(frame[column], errors="coerce")
    _refuse(
        read.isna() & frame[column].notna(),
        f"{name}: {column} is no number",
        "Write degrees such as 38.9, or leave the cell blank.",
    )
    return np.array(read, dtype=float)


def _refuse(is_bad: pd.Series, problem: str, remedy: str) -> None:
    rows = is_bad.index[is_bad.to_numpy(bool)]
    if len(rows):
        raise CoordinateError(f"{problem} (rows {_listed(rows)}). {remedy}")


def _listed(rows: Iterable[object]) -> str:
    names = [repr(row) for row in rows]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
