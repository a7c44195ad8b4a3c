"""Points of a frame: WGS84 degrees out of a geometry in any CRS, or of the columns lon and lat."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeGuard, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from territory import cleaning
from territory.errors import ColumnError, CoordinateError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
        Points in any CRS, or the columns ``lon`` and ``lat`` in degrees, as numbers or text.
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
    require_frame(frame, name)
    if has_geometry(frame):
        shapes = in_wgs84(frame, name)
        no_point = ~(shapes.isna() | shapes.is_empty | shapes.geom_type.eq("Point"))
        _refuse(
            no_point,
            shapes.geom_type,
            f"{name}: not points",
            "Give one point a row, such as `.centroid`.",
        )
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
        [f"lon {x:g}, lat {y:g}" for x, y in zip(lon, lat, strict=True)] if is_off.any() else (),
        f"{name}: off the globe",
        "Longitude is -180 to 180, latitude -90 to 90; were they swapped, or is the CRS another?",
    )
    lost = np.isnan(lon) | np.isnan(lat)
    lon[lost] = lat[lost] = np.nan
    return lon, lat


def require_frame(frame: object, name: str) -> None:
    """Refuse what is no frame, such as a GeoSeries.

    Raises
    ------
    InputError
        Saying what it is.
    """
    if not isinstance(frame, pd.DataFrame):
        remedy = " Make it one: series.to_frame('geometry')." if hasattr(frame, "to_frame") else ""
        raise InputError(f"{name}: a {type(frame).__name__} is no (Geo)DataFrame.{remedy}")


def has_geometry(frame: pd.DataFrame) -> TypeGuard[gpd.GeoDataFrame]:
    """Whether a frame has an active geometry."""
    return isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None


def in_wgs84(frame: pd.DataFrame, name: str) -> gpd.GeoSeries:
    """Give the geometry of a frame in WGS84.

    Raises
    ------
    ColumnError
        If there is no geometry.
    CoordinateError
        If it has no CRS.
    """
    require_frame(frame, name)
    if not has_geometry(frame):
        raise ColumnError(
            f"{name}: no geometry, and it takes a GeoDataFrame. "
            "Make one with territory.define_markets, or geopandas.GeoDataFrame."
        )
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


def numbers(
    column: pd.Series,
    read: Callable[[pd.Series], pd.Series],
    name: str,
    remedy: str,
    error: type[InputError] = ColumnError,
) -> Floats:
    """Read a column of numbers, as an import would where it is text; NaN where it is blank.

    Raises
    ------
    ColumnError
        Or ``error``, naming the rows that hold something else.
    """
    if pd.api.types.is_numeric_dtype(column):
        return np.array(column, dtype=float, copy=True)
    plain = column.reset_index(drop=True).astype(object)
    texts = cleaning.clean_text(plain.where(plain.isna(), plain.astype(str)))
    values = read(texts)
    is_bad = pd.Series((values.isna() & texts.notna()).to_numpy(), column.index)
    _refuse(is_bad, map(repr, texts), f"{name} is no number", remedy, error)
    return np.array(values, dtype=float)


def _degrees(frame: pd.DataFrame, column: str, name: str) -> Floats:
    remedy = "Write degrees such as 38.9, or leave the cell blank."
    return numbers(
        frame[column], cleaning.parse_degrees, f"{name}: {column}", remedy, CoordinateError
    )


def _refuse(
    is_bad: pd.Series,
    values: Iterable[object],
    problem: str,
    remedy: str,
    error: type[InputError] = CoordinateError,
) -> None:
    """Raise where rows are bad, naming the first of them by label and value."""
    bad = is_bad.to_numpy(bool)
    number = int(bad.sum())
    if number:
        shown = itertools.compress(zip(is_bad.index, values, strict=True), bad)
        named = [f"{row!r}: {value}" for row, value in itertools.islice(shown, _NAMED)]
        more = f" and {number - _NAMED:,} more" if number > _NAMED else ""
        raise error(f"{problem} (rows {'; '.join(named)}{more}). {remedy}")
