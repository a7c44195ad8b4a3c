"""Parquet geometry: the column of points of a Parquet file and its coordinate system.

Three standards say which column it is: GeoParquet in the key "geo" of the file, Parquet itself
since 2025 in the logical types GEOMETRY and GEOGRAPHY, and GeoArrow in a column's extension type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from territory.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    import pyarrow.parquet as pq

_DEGREES = "OGC:CRS84"  # what all three mean where they say no coordinate system
_USUAL_NAMES = ("geometry", "geom", "wkb_geometry", "the_geom", "geog", "geography")


def geometry_column(metadata: pq.FileMetaData, schema: pa.Schema) -> tuple[str, Any] | None:
    """Name the primary geometry of a Parquet file and its CRS; none in a plain table.

    Raises
    ------
    FileFormatError
        If it is not encoded as WKB.
    """
    keys = {**(metadata.metadata or {}), **(schema.metadata or {})}
    if b"geo" in keys:
        return _of_geoparquet(json.loads(keys[b"geo"]))
    columns = {**_of_extension_types(schema), **_of_logical_types(metadata, keys)}
    name = min(columns, key=_rank, default=None)
    return None if name is None else (name, columns[name])


def _rank(name: str) -> int:
    """Prefer the usual names of a geometry; of others the first is taken."""
    known = name.lower() in _USUAL_NAMES
    return _USUAL_NAMES.index(name.lower()) if known else len(_USUAL_NAMES)


def _of_geoparquet(meta: Mapping[str, Any]) -> tuple[str, Any]:
    name = meta["primary_column"]
    column = meta["columns"][name]
    if column["encoding"] != "WKB":
        raise FileFormatError(
            f"column {name!r} is encoded as {column['encoding']}. Write it with encoding WKB."
        )
    return str(name), column.get("crs", _DEGREES)


def _of_logical_types(metadata: pq.FileMetaData, keys: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Find the columns whose logical type is GEOMETRY or GEOGRAPHY; both are WKB by definition."""
    columns = {}
    for at in range(metadata.num_columns):
        column = metadata.schema.column(at)
        if column.logical_type.type in ("GEOMETRY", "GEOGRAPHY"):
            text = json.loads(column.logical_type.to_json()).get("crs") or ""
            columns[str(column.path)] = _crs(str(text), keys)
    return columns


def _crs(text: str, keys: Mapping[bytes, bytes]) -> Any:
    """Read "srid:4326", "projjson:key of the file", PROJJSON itself or any name of a CRS."""
    kind, _, rest = text.partition(":")
    if kind == "srid":
        return _DEGREES if rest in ("0", "") else f"EPSG:{rest}"
    if kind == "projjson" and rest.encode() in keys:
        return json.loads(keys[rest.encode()])
    return text or _DEGREES


def _of_extension_types(schema: pa.Schema) -> dict[str, Any]:
    """Find the columns of GeoArrow's type for WKB."""
    columns = {}
    for field in schema:
        notes = field.metadata or {}
        if notes.get(b"ARROW:extension:name") in (b"geoarrow.wkb", b"ogc.wkb"):
            details = json.loads(notes.get(b"ARROW:extension:metadata") or b"{}")
            columns[str(field.name)] = details.get("crs") or _DEGREES
    return columns
