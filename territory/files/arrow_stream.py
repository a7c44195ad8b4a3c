"""Arrow stream: files as batches of rows and back, so that memory does not grow with the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from territory.errors import FileFormatError
from territory.files.delimited import read_chunks
from territory.files.parquet_geometry import geometry_column
from territory.files.point_files import arrow_text
from territory.files.tables import (
    check_readable,
    check_writable,
    format_of,
    read_table,
    reading,
    write_csv,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

# Rows at a time: enough that per-batch work does not count, few enough to stay small.
_PARQUET_ROWS = 1 << 18
_TEXT_ROWS = 50_000
_PARQUET_BUFFER = 1 << 16


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a file as they were written.

    ``first_row`` is the number, from 1, of the first of them; ``lines`` where each begins in a text
    file, or None where the file has no lines.
    """

    table: pa.Table
    first_row: int
    lines: npt.NDArray[np.int64] | None = None

    def label(self, at: int) -> str:
        """How to call the row at a position in a message."""
        row = f"row {self.first_row + at:,}"
        return row if self.lines is None else f"{row} (line {self.lines[at]:,})"


@dataclass(frozen=True)
class Source:
    """A file to be read once, batch by batch; ``rows`` is None where nobody knows beforehand.

    ``geometry`` is the column of WKB points and its CRS, if the file is Parquet with one.
    """

    path: Path
    format: str
    columns: tuple[str, ...]
    rows: int | None
    geometry: tuple[str, Any] | None
    batches: Iterator[Batch]


def open_source(path: Path) -> Source:
    """Open a file of any format that ``read_table`` reads; Parquet and CSV are streamed.

    Raises
    ------
    FileFormatError
        If the file is missing, a folder, empty, or not what its suffix says; while reading, if a
        row of a text file does not fit under the header.
    """
    check_readable(path)
    kind = format_of(path)
    if kind == "parquet":
        return _open_parquet(path)
    if kind == "csv":
        chunks = read_chunks(path, _TEXT_ROWS)
        with reading(path, kind):
            first = next(chunks)
        columns = tuple(first.frame.columns)
        return Source(path, kind, columns, None, None, _text_batches(path, first, chunks))
    table = read_table(path)
    batch = Batch(_to_arrow(table.frame), 1)
    return Source(path, kind, tuple(table.frame.columns), len(table.frame), None, iter([batch]))


def _open_parquet(path: Path) -> Source:
    with reading(path, "parquet"):
        # Buffering ahead would keep what was read of every row group so far.
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_PARQUET_BUFFER)
        geometry = geometry_column(file.metadata, file.schema_arrow)
    columns = tuple(file.schema_arrow.names)
    rows = file.metadata.num_rows
    return Source(path, "parquet", columns, rows, geometry, _parquet_batches(path, file))


def _parquet_batches(path: Path, file: pq.ParquetFile) -> Iterator[Batch]:
    done = 0
    batches = file.iter_batches(batch_size=_PARQUET_ROWS)
    while True:
        with reading(path, "parquet"):
            batch = next(batches, None)
        if batch is None:
            break
        yield Batch(pa.Table.from_batches([batch]), done + 1)
        done += len(batch)
    if not done:
        yield Batch(file.schema_arrow.empty_table(), 1)


def _text_batches(path: Path, first: Any, chunks: Iterator[Any]) -> Iterator[Batch]:
    done, chunk = 0, first
    while chunk is not None:
        if len(chunk.refused):
            message = "; ".join(
                f"line {line:,}: {reason}"
                for line, reason in chunk.refused[["line", "reason"]].head().to_numpy()
            )
            raise FileFormatError(
                f"{path}: {len(chunk.refused):,} rows do not fit under the header: {message}. "
                f"{chunk.refused['remedy'].iloc[0]}"
            )
        yield Batch(_to_arrow(chunk.frame), done + 1, chunk.lines)
        done += len(chunk.frame)
        with reading(path, "csv"):
            chunk = next(chunks, None)


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    fields = pa.schema([(str(name), pa.string()) for name in frame.columns])
    table = pa.Table.from_pandas(frame, schema=fields, preserve_index=False)
    return table.replace_schema_metadata(None)


# Longitude and latitude (WGS84 degrees, NaN: nowhere) of the rows of a table.
Points: TypeAlias = "tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]"


class Sink(Protocol):
    """Where batches go; nothing is complete before ``close``."""

    def write(self, table: pa.Table, points: Points, /) -> None:
        """Add rows and where they are; every table has the same columns."""

    def close(self) -> None:
        """Finish the file."""


def open_sink(path: Path) -> Sink:
    """Open a file to write, by its suffix; Parquet and CSV are streamed."""
    kinds: dict[str, Callable[[Path], Sink]] = {"parquet": _ParquetSink, "csv": _CsvSink}
    return kinds.get(check_writable(path), _WholeSink)(path)


class _ParquetSink:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table, _points: Points) -> None:
        if self._writer is None:
            # A dictionary of floats is built, found useless and thrown away, page by page.
            dictionary = [f.name for f in table.schema if not pa.types.is_floating(f.type)]
            self._writer = pq.ParquetWriter(self._path, table.schema, use_dictionary=dictionary)
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _CsvSink:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._append = False

    def write(self, table: pa.Table, _points: Points) -> None:
        write_csv(_text_frame(table), self._path, append=self._append)
        self._append = True

    def close(self) -> None:
        pass


class _WholeSink:
    """For formats that are written in one go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: list[pa.Table] = []
        self._points: list[Points] = []

    def write(self, table: pa.Table, points: Points) -> None:
        self._tables.append(table)
        self._points.append(points)

    def close(self) -> None:
        table = pa.concat_tables(self._tables)
        frame = table.drop_columns(_binary(table)).to_pandas(integer_object_nulls=True)
        lon, lat = (np.concatenate(part) for part in zip(*self._points, strict=True))
        write_table(frame, self._path, points=(lon, lat))


def _text_frame(table: pa.Table) -> pd.DataFrame:
    """Every column as text in its shortest exact form; bytes have none and are left out."""
    plain = table.drop_columns(_binary(table))
    return pd.DataFrame(
        {name: pd.array(arrow_text(plain[name]), dtype="str") for name in plain.column_names}
    )


def _binary(table: pa.Table) -> list[str]:
    binary = (pa.types.is_binary, pa.types.is_large_binary)
    return [field.name for field in table.schema if any(test(field.type) for test in binary)]
