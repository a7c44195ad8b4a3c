"""Point files: GeoParquet and what GDAL reads as text columns with lon and lat, and back."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from territory.errors import FileFormatError
from territory.files.delimited import text_frame
from territory.files.feature_ids import KML_ID, SERIAL_NOTE, are_serial, feature_ids, kml_ids_apart
from territory.files.parquet_geometry import geometry_column
from territory.files.validation import check_cells, check_memory, dataset

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_WGS84 = "EPSG:4326"
# LIBKML puts texts into CDATA and lets "]]>" end it: the plain driver escapes every text.
_DRIVERS = {".gpkg": "GPKG", ".kml": "KML", ".geojson": "GeoJSON", ".json": "GeoJSON"}
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


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file as text, its points (``parquet_geometry``) as lon and lat.

    Raises
    ------
    FileFormatError
        If it holds more cells or longer texts than memory is meant to hold.
    """
    metadata = pq.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    check_cells(path, metadata.num_rows, len(schema.names))
    # A text that comes a million times is in the file once, and stays so until its size is known.
    texts = [name for name in schema.names if _is_variable(schema.field(name).type)]
    table = pq.ParquetFile(path, read_dictionary=texts).read()
    check_memory(path, sum(_unpacked_size(column) for column in table.columns))
    name, crs = geometry_column(metadata, schema) or (None, None)
    return _text_table(path, table, name, crs)


def _is_variable(kind: pa.DataType) -> bool:
    return _is_bytes(kind) or bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _unpacked_size(column: pa.ChunkedArray) -> int:
    """Bytes of a column with its dictionary written out."""
    if not pa.types.is_dictionary(column.type) or not _is_variable(column.type.value_type):
        return int(column.nbytes)
    sizes = [
        pc.sum(pc.take(pc.binary_length(chunk.dictionary), chunk.indices)).as_py()
        for chunk in column.chunks
    ]
    return sum(size or 0 for size in sizes)


def _text_table(path: Path, table: pa.Table, geometry: str | None, crs: Any) -> pd.DataFrame:
    columns = {
        name: arrow_text(table[name])
        for name in table.column_names
        if name != geometry and not _is_bytes(_value_type(table[name].type))
    }
    frame = text_frame(columns) if columns else pd.DataFrame(index=range(table.num_rows))
    if geometry in table.column_names:
        wkb = table[geometry].cast(_value_type(table[geometry].type))
        points = read_points(wkb.to_pandas().to_numpy(), crs)
        if crs is None:
            _check_degrees(path, *points)
        if not _repeats(frame, points):
            for name, values in zip(("lon", "lat"), points, strict=True):
                title = name if name not in frame.columns else f"{name} of geometry"
                texts = [None if np.isnan(value) else repr(float(value)) for value in values]
                frame[title] = pd.array(texts, dtype="str")
    return frame


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check_degrees(path: Path, lon: Any, lat: Any) -> None:
    """Refuse points that are no degrees in a file that does not say what they are."""
    off = np.flatnonzero((np.abs(lon) > 180) | (np.abs(lat) > 90))
    if len(off):
        at = off[0]
        raise FileFormatError(
            f"{path}: says no coordinate system, and x {lon[at]:,.1f}, y {lat[at]:,.1f} of feature "
            f"{at + 1:,} are no degrees. Put the .prj beside the .shp, or save it as GeoJSON."
        )


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
    source = dataset(path, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fields and features it reads in its own way
        layers = [str(name) for name in pyogrio.list_layers(source)[:, 0]]
        if not layers or (len(layers) > 1 and kind != "kml"):
            raise FileFormatError(
                f"{path}: {len(layers)} layers ({', '.join(layers)}); there must be one."
            )
        frames = [_read_layer(path, source, layer) for layer in layers]
    return pd.concat(frames, ignore_index=True)


def _read_layer(path: Path, source: str, layer: str) -> pd.DataFrame:
    # GDAL would take texts such as 2026/11/01 for dates and write them in its own way, and turn
    # moments into UTC, which moves an evening in America to the next day.
    options = {"DATE_AS_STRING": "YES"} if source.startswith("GeoJSON:") else {}
    with kml_ids_apart():
        meta, table = pyogrio.read_arrow(source, layer=layer, datetime_as_string=True, **options)
    check_cells(path, table.num_rows, table.num_columns)
    if KML_ID in table.column_names:
        table = table.drop_columns(KML_ID)
    frame = _text_table(path, table, meta["geometry_name"] or "wkb_geometry", meta["crs"])
    return _with_ids(frame, feature_ids(path)) if source.startswith("GeoJSON:") else frame


def _with_ids(frame: pd.DataFrame, ids: list[str | None] | None) -> pd.DataFrame:
    """Put the ids of features in front; those that only count them are left out."""
    if ids is None or len(ids) != len(frame):
        return frame
    rest = frame.drop(columns="id", errors="ignore")
    if are_serial(ids):
        rest.attrs["notes"] = (SERIAL_NOTE,)
    else:
        rest.insert(0, "id", pd.Series(ids, rest.index, dtype="str"))
    return rest


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


def count_located(frame: pd.DataFrame) -> int | None:
    """Count the rows with a location; None where the columns ``lon`` and ``lat`` are missing."""
    if not {"lon", "lat"} <= set(frame.columns):
        return None
    lon, lat = (pd.to_numeric(frame[name], errors="coerce").notna() for name in ("lon", "lat"))
    return int((lon & lat).sum())


def located_sentence(rows: int, rows_located: int) -> str:
    """Say how many of the rows have a location."""
    return f"{rows_located:,} of {rows:,} have a location."


def _shapes(
    frame: pd.DataFrame, path: Path, points: tuple[npt.ArrayLike, npt.ArrayLike] | None
) -> npt.NDArray[np.object_]:
    """Give the points of rows, None for a row without one."""
    missing = [name for name in ("lon", "lat") if name not in frame.columns]
    if points is None and missing:
        raise FileFormatError(
            f"{path.name}: a {path.suffix} file needs lon and lat; the table lacks "
            f"{' and '.join(missing)}. Write .csv instead."
        )
    columns = points or tuple(
        pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in ("lon", "lat")
    )
    lon, lat = (np.asarray(values, dtype=np.float64) for values in columns)
    shapes: npt.NDArray[np.object_] = shapely.points(lon, lat)
    shapes[np.isnan(lon) | np.isnan(lat)] = None
    return shapes


def write_features(
    frame: pd.DataFrame,
    path: Path,
    points: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    shapes: npt.NDArray[np.object_] | None = None,
) -> None:
    """Write a frame as GeoJSON, KML or GeoPackage, by the suffix.

    Each row has its ``shapes`` (WGS84 degrees; None: none), or lies at its ``points`` (longitudes,
    latitudes), or else at its ``lon`` and ``lat``; one without is written without geometry. The
    description of the layer, in KML the name of its folder, says how many have a location.
    """
    shapes = _shapes(frame, path, points) if shapes is None else shapes
    is_placed = ~shapely.is_missing(shapes)
    features = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, frame.index), crs=_WGS84)
    rows_located = int(is_placed.sum())
    driver = _DRIVERS[path.suffix.lower()]
    layer, options = path.stem, {"DESCRIPTION": located_sentence(len(frame), rows_located)}
    if driver == "GPKG":
        options |= {"FID": "_fid", "GEOMETRY_NAME": "_geometry"}
    if driver == "KML":
        layer_name = f"{path.stem}_{rows_located}_of_{len(frame)}_with_a_location"
        layer, options = re.sub(r"\W", "_", layer_name, flags=re.ASCII), {}
    try:
        pyogrio.write_dataframe(features, path, layer=layer, driver=driver, layer_options=options)
    except (DataSourceError, DataLayerError, pyogrio.errors.FieldError) as error:
        raise FileFormatError(f"{path.name}: cannot hold this table ({error}).") from error
