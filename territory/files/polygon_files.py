"""Polygon files: market outlines from GeoJSON, GeoPackage and Shapefile, zipped or not."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from territory.errors import FileFormatError, InputError
from territory.files.tables import check_readable, format_of
from territory.files.validation import check_size, dataset

if TYPE_CHECKING:
    import numpy.typing as npt

SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".zip")
NAME_COLUMNS = ("name", "market_name", "market", "title", "label", "namelsad")
ID_COLUMNS = ("market_id", "id", "code", "geoid")


def read_polygons(
    path: Path | str, *, name_column: str | None = None, id_column: str | None = None
) -> gpd.GeoDataFrame:
    """Read markets drawn as polygons, one feature each.

    Any coordinate system becomes EPSG:4326, invalid rings are mended, parts beyond the antimeridian
    come back on the other side of it.

    Parameters
    ----------
    path
        GeoJSON (.geojson, .json), GeoPackage (.gpkg) or Shapefile (.shp, or all of it in a .zip).
    name_column, id_column
        The columns that hold name and id, if they are none of ``NAME_COLUMNS``, ``ID_COLUMNS``.
        Without any id column the id is made from the name: "Greater Boston" is "greater-boston".

    Returns
    -------
    markets
        market_id, name, kind ("polygon"), units (None), geometry (EPSG:4326, valid), in file order.

    Raises
    ------
    FileFormatError
        If the file is none of these, has several layers, no coordinate system or no name column.
    InputError
        Naming every feature without a name, with an id used before, or with no ground to it.
    """
    path = Path(path)
    table = _read(path)
    if table.crs is None:
        raise FileFormatError(
            f"{path.name}: says no coordinate system. Put the .prj beside the .shp, or save the "
            "file as GeoJSON in longitude and latitude."
        )
    names = _column(table, name_column, NAME_COLUMNS)
    if names is None:
        raise FileFormatError(
            f"{path.name}: no column holds the markets' names; the file has "
            f"{', '.join(map(repr, table.columns.drop(table.geometry.name)))}. "
            "Rename one to 'name'."
        )
    name = _texts(table[names])
    ids = _column(table, id_column, ID_COLUMNS)
    market_id = name.map(id_from_name, na_action="ignore") if ids is None else _texts(table[ids])
    breaches = _breaches(name, market_id, table.geometry)
    if not breaches:
        outlines = table.geometry.to_crs(4326)
        ground = _mend(outlines.to_numpy())
        breaches = _unusable(name, ground)
    if breaches:
        raise InputError(f"{path.name}: {'; '.join(breaches)}.")
    columns = {"market_id": market_id, "name": name, "kind": "polygon", "units": None}
    frame = pd.DataFrame(columns, dtype=object).reset_index(drop=True)
    return gpd.GeoDataFrame(frame, geometry=_wrap(ground), crs=4326)


def _read(path: Path) -> gpd.GeoDataFrame:
    if path.suffix.lower() not in SUFFIXES:
        raise FileFormatError(
            f"{path.name}: polygons are read from {', '.join(SUFFIXES)}; save it as one of them."
        )
    check_readable(path)
    check_size(path)
    try:
        source = dataset(path, format_of(path))
        layers = [str(layer) for layer, kind in pyogrio.list_layers(source) if kind is not None]
        if len(layers) != 1:
            raise FileFormatError(
                f"{path.name}: has {len(layers)} layers with geometry"
                f"{': ' if layers else ''}{', '.join(layers)}. Save the one with the markets alone."
            )
        return pyogrio.read_dataframe(source, layer=layers[0])
    except (
        *(DataSourceError, DataLayerError, ValueError, SyntaxError, OSError),
        *(zipfile.BadZipFile, RuntimeError),
    ) as error:
        raise FileFormatError(
            f"{path.name}: cannot be read as {path.suffix} ({error}). Save it again, or as GeoJSON."
        ) from error


def _column(table: gpd.GeoDataFrame, column: str | None, names: tuple[str, ...]) -> str | None:
    """Find the column asked for, or the first of ``names``, whatever its case."""
    if column is not None:
        if column not in table.columns:
            raise FileFormatError(
                f"No column {column!r}; the file has {', '.join(map(repr, table.columns))}."
            )
        return column
    by_key = {str(name).casefold(): str(name) for name in reversed(table.columns)}
    return next((by_key[key] for key in names if key in by_key), None)


def _texts(column: pd.Series) -> pd.Series:
    texts = column.astype(object).where(column.notna(), None)
    texts = texts.map(lambda value: str(value).strip() or None, na_action="ignore")
    return texts.astype(object).where(texts.notna(), None)


def id_from_name(name: str) -> str:
    """Make an id of a name: "Greater Boston" is "greater-boston"."""
    return re.sub(r"\W+", "-", name.casefold()).strip("-")


def _breaches(name: pd.Series, market_id: pd.Series, geometry: gpd.GeoSeries) -> list[str]:
    what = [f"feature {at + 1} ({text})" for at, text in enumerate(name)]
    blank = name.isna() | market_id.isna()
    again = market_id.duplicated() & ~blank
    shape = geometry.geom_type.where(~(geometry.isna() | geometry.is_empty), "nothing")
    wrong = ~shape.isin(["Polygon", "MultiPolygon"])
    return [
        *(f"feature {at + 1} has no name or no id: give it one" for at in np.flatnonzero(blank)),
        *(
            f"{what[at]} has the id {market_id.iloc[at]!r} of a feature before it: "
            "merge the two or tell them apart"
            for at in np.flatnonzero(again)
        ),
        *(
            f"{what[at]} is {shape.iloc[at]}, not a polygon: draw its outline or leave it out"
            for at in np.flatnonzero(wrong)
        ),
    ]


def _mend(outlines: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    # "structure" keeps rings as what they were drawn as, outlines and holes; the older "linework"
    # turns overlaps of parts into holes.
    ground: npt.NDArray[np.object_] = shapely.make_valid(
        shapely.force_2d(outlines), method="structure", keep_collapsed=False
    )
    return ground


def _unusable(name: pd.Series, ground: npt.NDArray[np.object_]) -> list[str]:
    what = [f"feature {at + 1} ({text})" for at, text in enumerate(name)]
    bounds = shapely.bounds(ground)
    empty = shapely.is_empty(ground)
    with np.errstate(invalid="ignore"):
        off = ~empty & ~((np.abs(bounds) <= (540, 90, 540, 90)).all(axis=1))
    parts, owner = shapely.get_parts(ground, return_index=True)
    span = shapely.bounds(parts)
    crossing = np.unique(owner[(span[:, 2] - span[:, 0] > 180) & (span[:, 2] - span[:, 0] < 360)])
    return [
        *(
            f"{what[at]} has an outline that holds no ground: draw it again"
            for at in np.flatnonzero(empty)
        ),
        *(
            f"{what[at]} lies off the globe, lon {bounds[at, 0]:.6g} to {bounds[at, 2]:.6g}, lat "
            f"{bounds[at, 1]:.6g} to {bounds[at, 3]:.6g}: the file's coordinate system is not "
            "the one it names"
            for at in np.flatnonzero(off)
        ),
        *(
            f"{what[at]} has one part across more than half the globe: cut it at 180 degrees, as "
            "RFC 7946 section 3.1.9 says"
            for at in np.setdiff1d(crossing, np.flatnonzero(off))
        ),
    ]


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
