"""Delimited text as people export it: any delimiter, quoting and encoding, read in chunks."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from territory.cells import restore
from territory.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

DELIMITERS = ",;\t|"
MAX_COLUMNS = 4096
_SAMPLE = 1 << 16
_BLOCK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows of a file.

    ``frame`` holds text or null; ``lines`` the line, from 1, on which each row begins.
    ``refused`` has ``line, reason, remedy`` of the rows that do not fit under the header.
    """

    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    refused: pd.DataFrame


def empty_refusals() -> pd.DataFrame:
    """A table of refused rows that holds none."""
    return refusals([], [], [])


def refusals(lines: Sequence[int], reasons: Sequence[str], remedies: Sequence[str]) -> pd.DataFrame:
    """A table of refused rows: ``line`` (int64), ``reason`` and ``remedy`` (text)."""
    return pd.DataFrame(
        {
            "line": np.asarray(lines, np.int64),
            "reason": pd.Series(list(reasons), dtype=object),
            "remedy": pd.Series(list(remedies), dtype=object),
        }
    )


def name_columns(cells: Sequence[str | None]) -> list[str]:
    """Name each column as its header cell says.

    A blank one becomes "column 5"; a name that comes again becomes "Name (2)", so that every
    column can be told from the others.
    """
    seen: Counter[str] = Counter()
    taken = {cell for cell in cells if cell}
    names = []
    for place, cell in enumerate(cells, 1):
        name = cell if cell and cell.strip() else f"column {place}"
        seen[name] += 1
        while seen[name] > 1 and (again := f"{name} ({seen[name]})") in taken:
            seen[name] += 1
        names.append(name if seen[name] == 1 else again)
    return names


def text_frame(columns: dict[str, pa.Array]) -> pd.DataFrame:
    """Make a frame of text columns from Arrow text arrays; an empty text is null."""
    frame = {}
    for name, array in columns.items():
        blank = pc.equal(array, "")
        filled = pc.if_else(blank, pa.scalar(None, array.type), array)
        frame[name] = pd.array(filled, dtype="str")
    return pd.DataFrame(frame)


def read_chunks(path: Path, rows: int = 100_000) -> Iterator[Chunk]:
    """Read a delimited file, plain or gzipped, ``rows`` rows at a time; at least one chunk.

    The first line that is not blank is the header; blank lines are skipped. A row with cells
    missing at its end is filled with null. A row with cells beyond the header is refused by line,
    because nobody can say which cell is the one too many.

    Raises
    ------
    FileFormatError
        If the file holds NUL bytes, no header, too many columns, or a cell of more than 131,072
        characters (a quote left open, as a rule).
    """
    encoding = _encoding(path)
    with _open(path) as raw, io.TextIOWrapper(raw, encoding) as text:
        delimiter = _delimiter(text.read(_SAMPLE))
    with _open(path) as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        yield from _parse(path, text, delimiter, rows)


def _open(path: Path) -> BinaryIO:
    is_packed = path.suffix.lower() == ".gz"
    return cast("BinaryIO", gzip.open(path, "rb") if is_packed else path.open("rb"))


def _encoding(path: Path) -> str:
    """Decide the encoding from the byte-order mark, or from what the whole file can be read as."""
    with _open(path) as file:
        start = file.read(_SAMPLE)
        for mark, name in _BOMS:
            if start.startswith(mark):
                return name
        if b"\0" in start:
            even, odd = start[::2].count(0), start[1::2].count(0)
            if max(even, odd) > 0.3 * len(start) / 2:
                return "utf-16-le" if odd > even else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        block, read = start, 0
        while block:
            if b"\0" in block:
                raise FileFormatError(
                    f"{path}: byte {read + block.index(0):,} is NUL, so this is no text table. "
                    "Export it again as CSV."
                )
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return "cp1252" if _fits(path, "cp1252") else "latin-1"
            read += len(block)
            block = file.read(_BLOCK)
    return "utf-8" if not decoder.getstate()[0] else "cp1252"


def _fits(path: Path, encoding: str) -> bool:
    with _open(path) as file:
        try:
            for block in iter(lambda: file.read(_BLOCK), b""):
                block.decode(encoding)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(sample: str) -> str:
    """Choose the delimiter under which the first rows agree best on more than one column."""
    text = sample.rsplit("\n", 1)[0] if len(sample) >= _SAMPLE // 2 else sample
    best, best_score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        try:
            reader = csv.reader(text.splitlines(keepends=True), delimiter=candidate)
            widths = [len(row) for row in itertools.islice(reader, 50) if row]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            if score > best_score:
                best, best_score = candidate, score
    return best


def _parse(path: Path, lines: Iterable[str], delimiter: str, rows: int) -> Iterator[Chunk]:
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), None)
        if header is None:
            raise FileFormatError(f"{path}: the file is blank. Its first line must name columns.")
        if len(header) > MAX_COLUMNS:
            raise FileFormatError(
                f"{path}: {len(header):,} columns, more than the {MAX_COLUMNS:,} a table may have."
            )
        names = name_columns(header)
        before, is_first = reader.line_num, True
        while True:
            ends, cells = [before], []
            for row in itertools.islice(reader, rows):
                cells.append(row)
                ends.append(reader.line_num)
            if not cells and not is_first:
                return
            yield _chunk(names, cells, np.asarray(ends[:-1], np.int64) + 1)
            before, is_first = ends[-1], False
    except csv.Error as error:
        raise FileFormatError(
            f"{path}: line {reader.line_num:,}: {error}. Is a quote left open there?"
        ) from error


def _chunk(names: list[str], cells: list[list[str]], lines: npt.NDArray[np.int64]) -> Chunk:
    width = len(names)
    refused = empty_refusals()
    if any(len(row) != width for row in cells):
        widths = np.array([len(row) if any(row[width:]) else min(len(row), width) for row in cells])
        # A blank line is no row; in a table of one column an empty cell is written as "".
        surplus = np.flatnonzero(widths > width)
        refused = refusals(
            lines[surplus].tolist(),
            [f"{widths[at]} cells under a header of {width}" for at in surplus],
            ["Put quotes around the cell that holds the delimiter."] * len(surplus),
        )
        keep = np.flatnonzero((widths > 0) & (widths <= width))
        filler = [""] * width
        cells = [(cells[at] + filler)[:width] for at in keep]
        lines = lines[keep]
    columns = zip(*cells, strict=True) if cells else ([] for _ in names)
    frame = text_frame(
        {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    )
    return Chunk(frame.apply(restore), lines, refused)
