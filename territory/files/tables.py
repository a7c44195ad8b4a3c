"""Tables from files and back: one frame of text per file, whatever its format."""

from __future__ import annotations

import contextlib
import shutil
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
from defusedxml.common import DefusedXmlException
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException
from pyogrio.errors import DataLayerError, DataSourceError

from territory.errors import FileFormatError
from territory.files.delimited import empty_refusals, neutralise, read_chunks
from territory.files.point_files import (
    count_located,
    located_sentence,
    read_features,
    read_parquet,
    write_features,
)
from territory.files.validation import check_cells, check_content, check_memory, check_size
from territory.files.workbooks import read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".geojson": "geojson",
    ".json": "geojson",
    ".gpkg": "gpkg",
    ".zip": "shapefile",
    ".shp": "shapefile",
    ".kml": "kml",
    ".kmz": "kml",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
}
WRITABLE = ("csv", "xlsx", "geojson", "kml", "gpkg", "parquet")
XLSX_MAX_ROWS = 1_048_576
XLSX_MAX_CELL = 32_767
_XLSX_ROWS = 10_000  # made ready at a time


@dataclass(frozen=True)
class Table:
    """A file as it was written.

    ``frame``: every cell as text, or null where blank; headers and order as in the file. Points of
    a geometry are columns ``lon`` and ``lat`` in WGS84 degrees, the names followed by
    " of geometry" where the file has columns of that name already.
    ``lines``: where each row begins: the line of a text file, the row of a sheet, the number of a
    feature; all from 1. ``refused``: ``line, reason, remedy`` of rows that could not be read.
    ``notes``: what else of the file was left out, a sentence each.
    """

    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    format: str
    refused: pd.DataFrame = field(default_factory=empty_refusals)
    notes: tuple[str, ...] = ()


def format_of(path: Path) -> str:
    """Tell the format of a file by its suffix.

    Raises
    ------
    FileFormatError
        If the suffix is none that this package reads.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-2:] in ([".csv", ".gz"], [".tsv", ".gz"], [".txt", ".gz"]):
        return "csv"
    name = FORMATS.get(suffixes[-1] if suffixes else "")
    if name is None:
        raise FileFormatError(
            f"{path}: {path.suffix or 'no suffix'} is no format that can be read. "
            f"Save it as one of {', '.join(FORMATS)}."
        )
    return name


def check_readable(path: Path) -> None:
    """Refuse, with one sentence, a path that is missing, a folder or an empty file."""
    if not path.exists():
        raise FileFormatError(f"{path}: there is no such file.")
    if path.is_dir():
        raise FileFormatError(f"{path}: this is a folder. Name a file in it.")
    if path.stat().st_size == 0:
        raise FileFormatError(f"{path}: the file is empty.")


def read_table(path: str | Path) -> Table:
    """Read a whole file as text, its numbers as written, its rows in the order of the file.

    Raises
    ------
    FileFormatError
        If the file is missing, a folder, empty, too large, or not what its suffix says.
    """
    path = Path(path)
    check_readable(path)
    check_size(path)
    kind = format_of(path)
    readers = {"csv": _read_csv, "xlsx": _read_xlsx}
    with reading(path, kind):
        check_content(path, kind)
        return readers.get(kind, _read_shapes)(path, kind)


@contextlib.contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn what the readers raise at a broken file into one sentence about it."""
    try:
        yield
    except (
        *(OSError, EOFError, ValueError, KeyError, SyntaxError, zlib.error, zipfile.BadZipFile),
        *(InvalidFileException, pa.ArrowException, DataSourceError, DataLayerError),
        *(RuntimeError, struct.error),  # of archives with a password or a damaged directory
    ) as error:
        is_bomb = isinstance(error.__cause__ or error, DefusedXmlException)
        message = "it declares XML entities" if is_bomb else str(error).strip().split("\n")[0]
        raise FileFormatError(f"{path}: not readable as {kind} ({message}).") from error


def _read_csv(path: Path, kind: str) -> Table:
    chunks, rows, size = [], 0, 0
    for chunk in read_chunks(path):
        rows, size = rows + len(chunk.frame), size + int(chunk.frame.memory_usage().sum())
        check_cells(path, rows, chunk.frame.shape[1])
        check_memory(path, size)
        chunks.append(chunk)
    return Table(
        pd.concat([chunk.frame for chunk in chunks], ignore_index=True),
        np.concatenate([chunk.lines for chunk in chunks]),
        kind,
        pd.concat([chunk.refused for chunk in chunks], ignore_index=True),
    )


def _read_xlsx(path: Path, kind: str) -> Table:
    sheet = read_sheet(path)
    return Table(sheet.frame, sheet.lines, kind, sheet.refused, sheet.notes)


def _read_shapes(path: Path, kind: str) -> Table:
    frame = read_parquet(path) if kind == "parquet" else read_features(path, kind)
    notes = tuple(frame.attrs.pop("notes", ()))
    return Table(frame, np.arange(1, len(frame) + 1, dtype=np.int64), kind, notes=notes)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Hand out a path to write to, and put the file in place of ``target`` once all went well.

    Raises
    ------
    FileFormatError
        If the folder of ``target`` is missing or may not be written.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
    except OSError as error:
        raise FileFormatError(f"{target}: cannot be written ({error.strerror}).") from error
    try:
        yield folder / target.name
        if target.is_dir():
            raise FileFormatError(f"{target}: this is a folder. Name a file in it.")
        (folder / target.name).replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_writable(path: Path) -> str:
    """Tell the format to write by the suffix of a path, or refuse it with one sentence."""
    kind = FORMATS.get(path.suffix.lower())
    if kind not in WRITABLE:
        raise FileFormatError(
            f"{path}: {path.suffix or 'no suffix'} is no format that can be written. "
            "Use .csv, .xlsx, .geojson, .kml, .gpkg or .parquet."
        )
    return kind


def write_table(
    frame: pd.DataFrame,
    path: str | Path,
    *,
    points: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    shapes: npt.NDArray[np.object_] | None = None,
) -> None:
    """Write a frame in the format of the suffix; an older file is replaced only by a whole one.

    In CSV and XLSX, texts that a spreadsheet would run get an apostrophe before them
    (``delimited``). GeoJSON, KML and GeoPackage take ``shapes``, or ``points``, longitudes and
    latitudes (WGS84 degrees), or else the columns ``lon`` and ``lat``; a row without has no
    geometry. How many rows have a location is said in the file where its format has a place for it.

    Raises
    ------
    FileFormatError
        If the suffix is none that can be written, or the format cannot hold the table.
    """
    path = Path(path)
    writers = {"csv": write_csv, "xlsx": _write_xlsx, "parquet": _write_parquet}
    writer = writers.get(check_writable(path))
    with replacing(path) as temporary:
        if writer is None:
            write_features(frame, temporary, points, shapes)
        else:
            writer(frame, temporary)


def write_csv(frame: pd.DataFrame, path: Path, *, append: bool = False) -> None:
    """Write UTF-8 with commas and CRLF line ends (RFC 4180); ``append`` leaves out the header."""
    safe = _neutral(frame)
    for name in safe.columns[[kind.kind == "b" for kind in safe.dtypes]]:
        safe[name] = np.where(safe[name], "true", "false")
    safe.to_csv(
        path,
        index=False,
        header=not append,
        mode="a" if append else "w",
        lineterminator="\r\n",
        encoding="utf-8",
    )


def _neutral(frame: pd.DataFrame) -> pd.DataFrame:
    safe = frame.apply(neutralise) if len(frame) else frame.copy()
    safe.columns = neutralise(pd.Series([str(name) for name in frame.columns])).tolist()
    return safe


def _write_xlsx(frame: pd.DataFrame, path: Path) -> None:
    if len(frame) >= XLSX_MAX_ROWS:
        raise FileFormatError(
            f"{path.name}: {len(frame):,} rows; a sheet holds {XLSX_MAX_ROWS - 1:,}. "
            "Write .csv or .parquet."
        )
    safe = _neutral(frame)
    _check_lengths(safe, path)
    book = openpyxl.Workbook(write_only=True)
    rows_located = count_located(frame)
    if rows_located is not None:
        book.properties.description = located_sentence(len(frame), rows_located)
    sheet = book.create_sheet("table")
    sheet.append(safe.columns.tolist())
    for start in range(0, len(safe), _XLSX_ROWS):
        part = safe.iloc[start : start + _XLSX_ROWS].astype(object)
        for row in part.where(part.notna(), None).itertuples(index=False, name=None):
            sheet.append([_sheet_value(value) for value in row])
    book.save(path)


def _check_lengths(frame: pd.DataFrame, path: Path) -> None:
    """Refuse a text that no cell of a sheet holds."""
    for name in frame.columns[[kind.kind == "O" for kind in frame.dtypes]]:
        for value in frame[name]:
            if isinstance(value, str) and len(value) > XLSX_MAX_CELL:
                raise FileFormatError(
                    f"{path.name}: the cell that begins {value[:40]!r} has {len(value):,} "
                    f"characters; a sheet holds {XLSX_MAX_CELL:,}. Write .csv or .parquet."
                )


def _sheet_value(value: Any) -> Any:
    if not isinstance(value, str):
        return value.item() if isinstance(value, np.generic) else value
    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)
