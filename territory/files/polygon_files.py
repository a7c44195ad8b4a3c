"""Polygon files: market outlines from GeoJSON, KML, KMZ, GeoPackage and Shapefile."""

from __future__ import annotations

import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from territory.cleaning import fold
from territory.errors import FileFormatError, InputError
from territory.files.feature_faults import FeatureFaults, has_area
from territory.files.feature_ids import (
    KML_ID,
    SERIAL_NOTE,
    are_serial,
    feature_ids,
    kml_ids_apart,
)
from territory.files.parquet_geometry import geometry_column
from territory.files.tables import check_readable, format_of, reading
from territory.files.validation import check_cells, check_content, check_size, dataset
from territory.schemas import MARKET_KINDS

if TYPE_CHECKING:
    import numpy.typing as npt

SUFFIXES = (
    *(".geojson", ".json", ".kml", ".kmz", ".gpkg", ".shp", ".zip"),
    *(".parquet", ".geoparquet"),
)
# Folded; the one to prefer first. A Shapefile cuts names off after ten characters.
NAME_COLUMNS = (
    *("name", "marketname", "marketnam", "market", "territoryname", "territory", "territories"),
    *("salesterritory", "salesterri", "regionname", "region", "district", "title", "label"),
    "namelsad",
)
ID_COLUMNS = ("marketid", "territoryid", "territoryi", "id", "code", "geoid")
_COLLECTION = shapely.GeometryType.GEOMETRYCOLLECTION
_LAYER = "layer of the file"
_FORMATS = ("geojson", "gpkg", "shapefile", "kml")
_MOST_NAMES = 5


@dataclass(frozen=True)
class PolygonTable:
    """What became of the features of a polygon file.

    ``markets`` as ``read_polygons`` gives them, ``lines`` the number of the first feature of each,
    from 1. ``refused``: line, key, reason, remedy of features that are no market. ``remarks``: what
    else was left out or put together, a sentence each.
    """

    markets: gpd.GeoDataFrame
    lines: npt.NDArray[np.int64]
    refused: pd.DataFrame
    remarks: tuple[str, ...]


def read_polygons(
    path: Path | str, *, name_column: str | None = None, id_column: str | None = None
) -> gpd.GeoDataFrame:
    """Read markets drawn as polygons; the features of one name are one market.

    Any coordinate system becomes EPSG:4326, invalid rings are mended, parts beyond the antimeridian
    come back on the other side of it. Of KML the points and lines are left out.

    Parameters
    ----------
    path
        GeoJSON (.geojson, .json), KML (.kml, .kmz), GeoPackage (.gpkg), Shapefile (.shp, or all of
        it in a .zip) or GeoParquet (.parquet, .geoparquet).
    name_column, id_column
        The columns that hold name and id, if they are none of ``NAME_COLUMNS``, ``ID_COLUMNS``.
        Without any id the id is made from the name: "Greater Boston" is "greater-boston".

    Returns
    -------
    markets
        market_id, name, kind ("polygon"), units (None), geometry (EPSG:4326, valid), in file order.
        Where the file has the columns kind and units, as our own have, these are as it says.

    Raises
    ------
    FileFormatError
        If the file is none of these, has several layers, no coordinate system or no name column.
    InputError
        Naming every feature without a name, with an id used before, with no ground to it, or where
        it cannot be meant.
    """
    table = read_polygon_table(path, name_column=name_column, id_column=id_column)
    if len(table.refused):
        sentences = (f"{row.reason}. {row.remedy}" for row in table.refused.itertuples())
        raise InputError(f"{Path(path).name}: {' '.join(sentences)}")
    return table.markets


def read_polygon_table(
    path: Path | str, *, name_column: str | None = None, id_column: str | None = None
) -> PolygonTable:
    """Read markets drawn as polygons; a feature that is none is refused by itself.

    Raises
    ------
    FileFormatError
        As in ``read_polygons``.
    """
    path = Path(path)
    table, remarks = _read(path)
    if table.crs is None:
        raise FileFormatError(
            f"{path.name}: says no coordinate system. Put the .prj beside the .shp, or save the "
            "file as GeoJSON in longitude and latitude."
        )
    names = _column(table, name_column, NAME_COLUMNS)
    if names is None:
        columns = table.columns.drop([table.geometry.name, _LAYER], errors="ignore")
        raise FileFormatError(
            f"{path.name}: no column holds the markets' names; the file has "
            f"{', '.join(map(repr, columns))}. Rename one to 'name'."
        )
    name = _texts(table[names])
    ids = _column(table, id_column, ID_COLUMNS)
    market_id = name.map(id_from_name, na_action="ignore")
    if ids is not None:
        market_id = _texts(table[ids]).where(table[ids].notna(), market_id)
    faults = FeatureFaults(name, market_id)
    faults.refuse_incomplete(table.geometry)
    if not len(table):
        ground = np.empty(0, dtype=object)
    else:
        ground = _mend(_polygons_of(table.geometry.to_crs(4326).to_numpy(), faults))
    faults.refuse_unusable(ground)
    faults.refuse_ambiguous(table[_LAYER])
    return _put_together(name, market_id, _made_of(table), ground, faults, remarks)


def id_from_name(name: str) -> str:
    """Make an id of a name: "Greater Boston" is "greater-boston"."""
    return re.sub(r"\W+", "-", name.casefold()).strip("-")


def _read(path: Path) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the features of a file, and say what of it was left out."""
    if path.suffix.lower() not in SUFFIXES:
        raise FileFormatError(
            f"{path.name}: polygons are read from {', '.join(SUFFIXES)}; save it as one of them."
        )
    check_readable(path)
    check_size(path)
    kind = format_of(path)
    if kind == "parquet":
        with reading(path, kind):
            check_content(path, kind)
            return _read_parquet(path), []
    try:
        source = dataset(path, kind)
        with warnings.catch_warnings(), kml_ids_apart():
            warnings.simplefilter("ignore")  # of fields and ids it reads in its own way
            return _read_layers(path, source, kind)
    except (
        *(DataSourceError, DataLayerError, ValueError, SyntaxError, OSError),
        *(zipfile.BadZipFile, RuntimeError),
    ) as error:
        raise FileFormatError(
            f"{path.name}: cannot be read as {path.suffix} ({error}). Save it again, or as GeoJSON."
        ) from error


def _read_parquet(path: Path) -> gpd.GeoDataFrame:
    metadata = pq.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    check_cells(path, metadata.num_rows, len(schema.names))
    name, crs = geometry_column(metadata, schema) or (None, None)
    if name is None:
        raise FileFormatError(f"{path.name}: has no column of outlines. Save it as GeoJSON.")
    frame = pq.ParquetFile(path).read().to_pandas()
    outlines = gpd.GeoSeries(shapely.from_wkb(frame.pop(name).to_numpy(object)), crs=crs)
    frame[_LAYER] = path.stem
    return gpd.GeoDataFrame(frame, geometry=outlines)


def holds_outlines(path: Path) -> bool:
    """Tell whether a file is of a format of outlines, or a Parquet file that has a geometry."""
    kind = format_of(path)
    if kind != "parquet":
        return kind in _FORMATS
    check_readable(path)
    with reading(path, kind):
        check_content(path, kind)
        metadata = pq.read_metadata(path)
        return geometry_column(metadata, metadata.schema.to_arrow_schema()) is not None


def _read_layers(path: Path, source: str, kind: str) -> tuple[gpd.GeoDataFrame, list[str]]:
    layers = [str(layer) for layer, shape in pyogrio.list_layers(source) if shape is not None]
    if kind == "kml":
        return _read_folders(path, source, layers)
    if len(layers) != 1:
        raise FileFormatError(
            f"{path.name}: has {len(layers)} layers with geometry"
            f"{': ' if layers else ''}{', '.join(layers)}. Save the one with the markets alone."
        )
    table = pyogrio.read_dataframe(source, layer=layers[0])
    table[_LAYER] = layers[0]
    ids = feature_ids(path) if kind == "geojson" else None
    if ids is None or len(ids) != len(table):
        return table, []
    table = table.drop(columns="id", errors="ignore")
    if are_serial(ids):
        return table, [SERIAL_NOTE]
    table["id"] = pd.Series(ids, index=table.index, dtype=object)
    return table, []


def _read_folders(path: Path, source: str, layers: list[str]) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the polygons of all folders of a KML file; its points and lines are left out."""
    tables, remarks = [], []
    for layer in layers:
        table = pyogrio.read_dataframe(source, layer=layer)
        if not len(table) or "geometry" not in table:
            continue
        is_area = np.array([has_area(shape) for shape in table.geometry], bool)
        if not is_area.all():
            remarks.append(_left_out(layer, table[~is_area]))
        table[_LAYER] = layer
        tables.append(table[is_area].drop(columns=KML_ID, errors="ignore"))
    areas = [table for table in tables if len(table)]
    if not areas:
        raise FileFormatError(
            f"{path.name}: it has no polygon. {' '.join(remarks)} Draw the outline of each market."
        )
    return gpd.GeoDataFrame(pd.concat(areas, ignore_index=True), crs=areas[0].crs), remarks


def _left_out(folder: str, table: gpd.GeoDataFrame) -> str:
    """Say which features of a folder are no areas."""
    kinds = table.geom_type.fillna("without a place").value_counts()
    listed = ", ".join(
        f"{count:,} {str(kind).lower()}{'s' * (count > 1)}" for kind, count in kinds.items()
    )
    column = _column(table, None, NAME_COLUMNS)
    names = [] if column is None else table[column].dropna().astype(str).tolist()
    some = ", ".join(names[:_MOST_NAMES]) + ", ..." * (len(names) > _MOST_NAMES)
    return (
        f"Left out of the folder {folder!r}: {listed}{f' ({some})' if some else ''}. "
        "Only polygons are markets."
    )


def _column(table: pd.DataFrame, column: str | None, names: tuple[str, ...]) -> str | None:
    """Find the column asked for, or the first of ``names``, however it is spelled."""
    if column is not None:
        if column not in table.columns:
            raise FileFormatError(
                f"No column {column!r}; the file has {', '.join(map(repr, table.columns))}."
            )
        return column
    by_key = {fold(str(name)): str(name) for name in reversed(table.columns)}
    matches = (by_key[key] for key in names if key in by_key)
    return next((name for name in matches if table[name].notna().any() or not len(table)), None)


def _texts(column: pd.Series) -> pd.Series:
    texts = column.astype(object).where(column.notna(), None)
    texts = texts.map(lambda value: str(value).strip() or None, na_action="ignore")
    return texts.astype(object).where(texts.notna(), None)


def _made_of(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Read the columns ``kind`` and ``units`` of our own files; without them a polygon is drawn."""
    blank = pd.Series(None, index=table.index, dtype=object)
    kind, units = (
        _texts(table[name]) if name in table.columns else blank for name in ("kind", "units")
    )
    is_listed = kind.isin(MARKET_KINDS) & (kind != "polygon") & units.notna()
    return pd.DataFrame(
        {"kind": kind.where(is_listed, "polygon"), "units": units.where(is_listed, None)}
    )


def _put_together(
    name: pd.Series,
    market_id: pd.Series,
    made_of: pd.DataFrame,
    ground: npt.NDArray[np.object_],
    faults: FeatureFaults,
    remarks: list[str],
) -> PolygonTable:
    """Unite the features of each market."""
    at = np.array([at for at in range(len(name)) if at not in faults.by_feature], int)
    frame = pd.DataFrame({"market_id": market_id, "name": name}, dtype=object)
    frame = frame.assign(**made_of).iloc[at].reset_index(drop=True)
    group = frame.groupby("market_id", sort=False).ngroup().to_numpy()
    is_first = ~frame["market_id"].duplicated().to_numpy()
    outlines = _wrap(ground[at])
    united = outlines[is_first].copy()
    for number in np.flatnonzero(np.bincount(group) > 1) if len(group) else ():
        united[number] = shapely.union_all(outlines[group == number])
    if is_first.sum() < len(at):
        plural = "s" if is_first.sum() > 1 else ""
        remarks = [*remarks, f"{len(at):,} polygons make {is_first.sum():,} market{plural}."]
    markets = frame[is_first].reset_index(drop=True)
    return PolygonTable(
        gpd.GeoDataFrame(markets, geometry=united, crs=4326),
        at[is_first] + 1,
        faults.table(),
        tuple(remarks),
    )


def _polygons_of(
    outlines: npt.NDArray[np.object_], faults: FeatureFaults
) -> npt.NDArray[np.object_]:
    """Take the polygons out of collections; what is refused becomes empty."""
    ground = np.asarray(outlines, dtype=object).copy()
    ground[list(faults.by_feature)] = shapely.Polygon()
    for at in np.flatnonzero(shapely.get_type_id(ground) == _COLLECTION):
        parts = shapely.get_parts(shapely.get_parts(ground[at]))
        areas = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        ground[at] = shapely.multipolygons(areas)
    return ground


def _mend(outlines: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    # "structure" keeps rings as what they were drawn as, outlines and holes; the older "linework"
    # turns overlaps of parts into holes.
    ground: npt.NDArray[np.object_] = shapely.make_valid(
        shapely.force_2d(outlines), method="structure", keep_collapsed=False
    )
    return ground


def _wrap(ground: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Bring what reaches beyond 180 degrees back on the globe, from the other side."""
    bounds = shapely.bounds(ground)
    for at in np.flatnonzero((bounds[:, 0] < -180) | (bounds[:, 2] > 180)):
        pieces = [
            shapely.transform(
                shapely.intersection(ground[at], shapely.box(turn - 180, -90, turn + 180, 90)),
                lambda xy, turn=turn: xy - (turn, 0),
            )
            for turn in (-360, 0, 360)
        ]
        whole = shapely.union_all(pieces)
        polygons = shapely.get_parts(whole)
        ground[at] = shapely.multipolygons(
            polygons[shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON]
        )
    return ground
