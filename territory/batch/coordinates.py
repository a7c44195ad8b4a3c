"""Coordinates of a batch of rows: degrees as given, and what is odd of a row, without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from territory.cleaning import clean_text, is_cut_off, is_unreadable, parse_pairs, parse_points
from territory.files import arrow_text, read_wkb
from territory.imports import LAT_LON

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from territory.files import Batch

    Floats = npt.NDArray[np.float64]


def read(
    batch: Batch, columns: Mapping[str, str], geometry: tuple[str, Any] | None
) -> tuple[Floats, Floats, dict[int, str]]:
    """Read the coordinates of each row; NaN where there are none, or none that can be read.

    Parameters
    ----------
    columns
        Contract column -> header.
    geometry
        The column of the geometry and its CRS, used where there are no columns of coordinates.

    Returns
    -------
    lon, lat
        WGS84 degrees; arrays of the caller's own.
    notes
        What could not be read, by the position of the row.
    """
    headers = [columns[name] for name in ("lat", "lon") if name in columns]
    is_pair = len(headers) == len(("lat", "lon"))
    if geometry is not None and not is_pair:
        name, crs = geometry
        lon, lat = read_wkb(batch.table[name], crs)
        return lon, lat, {}
    if is_pair and all(_is_number(batch.table[header].type) for header in headers):
        # to_numpy gives NaN for null.
        lat, lon = (np.array(batch.table[name].to_numpy(), dtype=np.float64) for name in headers)
        return lon, lat, {}
    return _read_texts({n: _texts(batch, columns.get(n)) for n in ("lat", "lon", LAT_LON)})


def _read_texts(texts: dict[str, pd.Series]) -> tuple[Floats, Floats, dict[int, str]]:
    """Read degrees of text, which may be of both axes in one cell; note what cannot be read."""
    points = dict(zip(("lat", "lon"), parse_points(texts["lat"], texts["lon"]), strict=True))
    is_pair = texts["lat"].isna() & texts["lon"].isna() & texts[LAT_LON].notna()
    if is_pair.any():
        pairs = parse_pairs(texts[LAT_LON].where(is_pair, None))
        for name, pair in zip(("lat", "lon"), pairs, strict=True):
            points[name] = points[name].where(~is_pair, pair)
        texts = {**texts, "lat": texts["lat"].where(~is_pair, texts[LAT_LON])}
    notes: dict[int, str] = {}
    for name, degrees in points.items():
        is_cut = is_cut_off(degrees)
        for rows, words in (
            (degrees.isna() & texts[name].notna(), "cannot be read"),
            (is_cut, "is cut off at the width of a field"),
        ):
            for at in np.flatnonzero(rows).tolist():
                before = f"{notes[at]}; " if at in notes else ""
                notes[at] = f"{before}{name} {texts[name].iloc[at]!r} {words}"
        points[name] = degrees.where(~is_cut)
    lat, lon = (np.array(points[name], dtype=np.float64) for name in ("lat", "lon"))
    return lon, lat, notes


def _texts(batch: Batch, header: str | None) -> pd.Series:
    """Give the text of a column, errors such as #N/A too; null where it is blank, or missing."""
    if header is None:
        return pd.Series(None, index=range(batch.table.num_rows), dtype=object)
    written = pd.Series(pd.array(arrow_text(batch.table[header]), dtype="str"))
    return clean_text(written).where(~is_unreadable(written), written)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
