"""Points in files: GeoParquet and whatever GDAL reads become text columns with lon and lat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from territory.delimited import text_frame
from territory.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_WGS84 = "EPSG:4326"
_WKB_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


def day_text(text: str) -> str:
    """Drop the time of a moment that is midnight: a date without a time of day is a date."""
    return text.removesuffix(".000000").removesuffix(" 00:00:00")


def arrow_text(column: pa.ChunkedArray) -> pa.Array:
    """Turn an Arrow column into text; numbers take their shortest exact form."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        array = column.cast(pa.string())
    elif pa.types.is_nested(kind):
        array = pa.chunked_array([[None if v is None else str(v) for v in column.to_pylist()]])
        array = array.cast(pa.string())
    else:
        array = column.cast(pa.string())
        if pa.types.is_timestamp(kind):
            texts = [None if text is None else day_text(text) for text in array.to_pylist()]
            array = pa.chunked_array([pa.array(texts, pa.string())])
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def geometry_column(schema: pa.Schema) -> tuple[str, Any] | None:
    """Name the primary geometry of a GeoParquet schema and its CRS; none in plain Parquet."""
    stored = (schema.metadata or {}).get(b"geo")
    if stored is None:
        return None
    meta = json.loads(stored)
    name = meta["primary_column"]
    column = meta["columns"][name]
    if column["encoding"] != "WKB":
        raise FileFormatError(
            f"column {name!r} is encoded as {column['encoding']}. Write it with encoding WKB."
        )
    return name, column.get("crs", "OGC:CRS84")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file as text; the primary geometry of a GeoParquet file as lon and lat."""
    file = pq.ParquetFile(path)
    geometry = geometry_column(file.schema_arrow)
    name, crs = geometry or (None, None)
    return _text_table(file.read(), name, crs)


def _text_table(table: pa.Table, geometry: str | None, crs: Any) -> pd.DataFrame:
    columns = {
        name: arrow_text(table[name])
        for name in table.column_names
        if name != geometry and not _is_bytes(table[name].type)
    }
    frame = text_frame(columns) if columns else pd.DataFrame(index=range(table.num_rows))
    if geometry in table.column_names:
        points = read_points(table[geometry].to_pandas().to_numpy(), crs)
        if not _repeats(frame, points):
            for name, values in zip(("lon", "lat"), points, strict=True):
                title = name if name not in frame.columns else f"{name} of geometry"
                texts = [None if np.isnan(value) else repr(float(value)) for value in values]
                frame[title] = pd.array(texts, dtype="str")
    return frame


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _repeats(frame: pd.DataFrame, points: Any) -> bool:
    """Tell whether the columns lon and lat say the same as the geometry, as in our own files."""
    return {"lon", "lat"} <= set(frame.columns) and all(
        np.allclose(pd.to_numeric(frame[name], "coerce"), values, atol=1e-9, equal_nan=True)
        for name, values in zip(("lon", "lat"), points, strict=True)
    )


def read_features(path: Path, kind: str) -> pd.DataFrame:
    """Read the one layer of a GeoJSON, GeoPackage or Shapefile, or all layers of a KML file.

    Raises
    ------
    FileFormatError
        If there is no layer, or more than one in a file that is no KML.
    """
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if not layers or (len(layers) > 1 and kind != "kml"):
        raise FileFormatError(
            f"{path}: {len(layers)} layers ({', '.join(layers)}); there must be one."
        )
    return pd.concat([_read_layer(path, layer) for layer in layers], ignore_index=True)


def _read_layer(path: Path, layer: str) -> pd.DataFrame:
    meta, table = pyogrio.read_arrow(path, layer=layer)
    return _text_table(table, meta["geometry_name"] or "wkb_geometry", meta["crs"])


def read_points(wkb: npt.NDArray[np.object_], crs: Any) -> tuple[Any, Any]:
    """Longitude and latitude (WGS84 degrees) of points; NaN where a shape is no single point."""
    shapes = shapely.from_wkb(wkb)
    is_point = shapely.get_num_coordinates(shapes) == 1
    lon, lat = np.full(len(shapes), np.nan), np.full(len(shapes), np.nan)
    lon[is_point], lat[is_point] = shapely.get_coordinates(shapes[is_point]).T
    return to_wgs84(lon, lat, crs)


def read_wkb(column: pa.ChunkedArray, crs: Any) -> tuple[Any, Any]:
    """Longitude and latitude (WGS84 degrees) of a WKB column, NaN where it is null or no point.

    Plain points, 21 bytes each, are read where they lie: no geometry is made for a point.
    """
    array = column.combine_chunks().cast(pa.binary())
    parts = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    points = [point for point in map(_view_points, parts) if point is not None]
    if len(points) < len(parts):
        return read_points(column.to_pandas().to_numpy(object), crs)
    lon, lat = (np.concatenate([p[i] for p in points] or [np.empty(0)]) for i in range(2))
    return to_wgs84(lon, lat, crs)


def _view_points(array: pa.BinaryArray) -> tuple[Any, Any] | None:
    """The x and y of WKB points in little-endian order; None where anything else is among them."""
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    if array.null_count or not len(array) or (np.diff(ends) != _WKB_POINT.itemsize).any():
        return None if len(array) else (np.empty(0), np.empty(0))
    view = np.frombuffer(data, _WKB_POINT, len(array), int(ends[0]))
    if (view["order"] != 1).any() or (view["kind"] != 1).any():
        return None
    return view["x"].copy(), view["y"].copy()


def to_wgs84(lon: Any, lat: Any, crs: Any) -> tuple[Any, Any]:
    """Turn coordinates of ``crs`` into WGS84 degrees; none given counts as WGS84."""
    if crs is None:
        return lon, lat
    source = pyproj.CRS.from_user_input(crs)
    if source.is_geographic and source.equals(pyproj.CRS(_WGS84), ignore_axis_order=True):
        return lon, lat
    return pyproj.Transformer.from_crs(source, _WGS84, always_xy=True).transform(lon, lat)


def write_features(
    frame: pd.DataFrame,
    path: Path,
    points: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> None:
    """Write a frame as GeoJSON or GeoPackage, by the suffix.

    Each row lies at its ``points`` (longitudes, latitudes; WGS84 degrees), or else at its ``lon``
    and ``lat``.
    """
    missing = [name for name in ("lon", "lat") if name not in frame.columns]
    if points is None and missing:
        raise FileFormatError(
            f"{path.name}: a {path.suffix} file needs lon and lat; the table lacks "
            f"{' and '.join(missing)}. Write .csv instead."
        )
    given = points or tuple(
        pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in ("lon", "lat")
    )
    lon, lat = (np.asarray(values, dtype=np.float64) for values in given)
    shapes = shapely.points(lon, lat)
    shapes[np.isnan(lon) | np.isnan(lat)] = None
    features = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, frame.index), crs=_WGS84)
    is_package = path.suffix.lower() == ".gpkg"
    options = {"FID": "_fid", "GEOMETRY_NAME": "_geometry"} if is_package else {}
    try:
        pyogrio.write_dataframe(
            features,
            path,
            driver="GPKG" if is_package else "GeoJSON",
            layer_options=options,
        )
    except (DataSourceError, DataLayerError, pyogrio.errors.FieldError) as error:
        raise FileFormatError(f"{path.name}: cannot hold this table ({error}).") from error
