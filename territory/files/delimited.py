"""Delimited text: any delimiter, quoting and encoding, read in chunks; formula escaping.

Encoding and delimiter are guessed here rather than by charset-normalizer and clevercsv: of 38 files
in UTF-8, UTF-16, Windows-1252 and mixtures these rules read all right, charset-normalizer 31 (a
short Windows-1252 file came out as cp1250, a mixture not at all), and clevercsv splits a table of
one column at its blanks and takes 150 to 650 ms a file.

Formula escaping (CSV injection): a spreadsheet runs a text that starts with = + - @ (or their
full-width forms), a tab or a line end. Writing such a text to CSV or XLSX puts an apostrophe before
it, the convention that spreadsheets themselves use for "this is text"; reading takes exactly that
apostrophe away again, so a file of ours read back is unchanged. Plain numbers such as -86.57 are
left alone. The list of starts is OWASP's.
"""

from __future__ import annotations

import codecs
import csv
import functools
import gzip
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from territory.errors import FileFormatError
from territory.files.validation import check_content, check_gzip, check_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

DELIMITERS = ",;\t|"
MAX_COLUMNS = 4096
MAX_LINE = 1 << 24
_CHUNK_CELLS = 2_000_000
_SAMPLE = 1 << 16
_SEP = re.compile(r"\"?sep=(.)\"?\s*\Z", re.IGNORECASE)
_FALLBACK = "territory-cp1252"
_MANY, _FEW = 0.3, 0.05  # shares of NUL bytes: UTF-16 has many in one half and few in the other
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_STARTS = "=+\\-@\t\r\n＝＋－＠"
_DANGEROUS = re.compile(rf"'*([{_STARTS}][\s\S]*)\Z")
_NUMBER = re.compile(r"[-+]?(\d[\d,]*\.?\d*|\.\d+)([eE][-+]?\d+)?%?\Z")

_Refusal: TypeAlias = "tuple[int, str, str]"  # line, reason, remedy


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
    uses: Counter[str] = Counter()
    headers = {cell for cell in cells if cell}
    names = []
    for place, cell in enumerate(cells, 1):
        name = cell if cell and cell.strip() else f"column {place}"
        uses[name] += 1
        while uses[name] > 1 and (again := f"{name} ({uses[name]})") in headers:
            uses[name] += 1
        names.append(name if uses[name] == 1 else again)
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

    The first line that is not blank is the header, after an optional ``sep=;``; blank lines are
    skipped. A row with cells missing at its end is filled with null. Refused by line are a row with
    cells beyond the header, because nobody can say which cell is the one too many, one with a NUL
    character or a cell of more than 131,072 characters, and every line of one whose quotes do not
    match. UTF-8 is expected, or UTF-16 or UTF-32 by its byte-order mark; bytes that are no UTF-8
    are read as Windows-1252, one by one, so that a file made of both comes out right.

    Raises
    ------
    FileFormatError
        If the file is no text, has no header, too many columns, a line of more than 16,777,216
        characters, or a quote that is opened and never closed.
    """
    check_content(path, "csv")
    codecs.register_error(_FALLBACK, _as_cp1252)
    with _open(path) as raw:
        encoding = _encoding(path, raw.read(_SAMPLE))
    with _open(path) as raw, io.TextIOWrapper(raw, encoding, _FALLBACK, newline="") as text:
        sample = text.read(_SAMPLE)
    with _open(path) as raw, io.TextIOWrapper(raw, encoding, _FALLBACK, newline="") as text:
        yield from _parse(path, _lines(path, text), _delimiter(sample), rows)


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() != ".gz":
        return path.open("rb")
    check_gzip(path)
    return cast("BinaryIO", _GzipFile(path))


class _GzipFile(io.BufferedIOBase):
    """A gzipped file that stops where it turns out to be a bomb."""

    def __init__(self, path: Path) -> None:
        self._path, self._archive = path, path.open("rb")
        self._file = gzip.GzipFile(fileobj=self._archive)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        block = self._file.read(size)
        check_ratio(self._path, self._file.tell(), self._archive.tell())
        return block

    read1 = read

    def close(self) -> None:
        self._file.close()
        self._archive.close()
        super().close()


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read what is no UTF-8 as Windows-1252, and what that does not know as Latin-1."""
    if not isinstance(error, UnicodeDecodeError) or error.encoding != "utf-8":
        raise error
    wrong = error.object[error.start : error.end]
    try:
        return wrong.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return wrong.decode("latin-1"), error.end


def _encoding(path: Path, start: bytes) -> str:
    """Decide the encoding from the byte-order mark, or from where NUL bytes are.

    Raises
    ------
    FileFormatError
        If so many bytes are NUL that this is no text.
    """
    # UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    # Latin text in UTF-16 without a mark has a NUL in every high byte, and so on one side only.
    even, odd = start[::2].count(0), start[1::2].count(0)
    half = len(start) / 2
    if max(even, odd) > _MANY * half and min(even, odd) < _FEW * half:
        return "utf-16-le" if odd > even else "utf-16-be"
    if even + odd > _FEW * len(start):
        raise FileFormatError(
            f"{path}: {even + odd:,} of its first {len(start):,} bytes are NUL, so this is no text "
            "table. Export it again as CSV."
        )
    return "utf-8"


def _delimiter(sample: str) -> str:
    """Choose the delimiter under which the first rows agree best on more than one column."""
    lines = io.StringIO(sample, newline="").readlines()
    lines = lines[:-1] if len(sample) == _SAMPLE else lines
    match = _SEP.match(lines[0].lstrip("\ufeff")) if lines else None
    if match:
        return match[1]
    best, best_score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        try:
            reader = csv.reader(lines, delimiter=candidate)
            widths = [len(row) for row in itertools.islice(reader, 50) if row]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            if score > best_score:
                best, best_score = candidate, score
    return best


def _lines(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    """Give the lines of a text without the marks and hints before its header."""
    is_first = True
    for line in iter(functools.partial(text.readline, MAX_LINE), ""):
        if len(line) == MAX_LINE:
            raise FileFormatError(
                f"{path}: a line has more than {MAX_LINE:,} characters, so this is no table of "
                "rows. Export it again as CSV."
            )
        if is_first:
            is_first, bare = False, line.lstrip("\ufeff")
            yield "\n" if _SEP.match(bare) else bare
        else:
            yield line


def _parse(path: Path, lines: Iterator[str], delimiter: str, rows: int) -> Iterator[Chunk]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), None)
    except csv.Error as error:
        raise FileFormatError(
            f"{path}: line {reader.line_num:,}, the header: {error}. Close the quote there."
        ) from error
    if header is None:
        raise FileFormatError(f"{path}: the file is blank. Its first line must name columns.")
    if len(header) > MAX_COLUMNS:
        raise FileFormatError(
            f"{path}: {len(header):,} columns, more than the {MAX_COLUMNS:,} a table may have."
        )
    if any("\0" in cell for cell in header):
        raise FileFormatError(f"{path}: the header holds a NUL character. Export it again as CSV.")
    names = name_columns(header)
    rows = max(min(rows, _CHUNK_CELLS // len(names)), 1)
    is_first = True
    while True:
        starts, cells, broken = _read_rows(path, reader, rows)
        if not cells and not broken and not is_first:
            return
        yield _chunk(names, cells, np.asarray(starts, np.int64), broken)
        is_first = False


def _read_rows(
    path: Path, reader: Any, rows: int
) -> tuple[list[int], list[list[str]], list[_Refusal]]:
    """Read up to so many rows: the line on which each begins, its cells, and the broken lines."""
    starts: list[int] = []
    cells: list[list[str]] = []
    broken: list[_Refusal] = []
    before = reader.line_num
    while len(cells) < rows:
        try:
            for row in itertools.islice(reader, rows - len(cells)):
                cells.append(row)
                starts.append(before + 1)
                before = reader.line_num
            break
        except csv.Error as error:
            # The reader goes on with the next line.
            broken += _broken(path, before + 1, reader.line_num, str(error))
            before = reader.line_num
    return starts, cells, broken


def _broken(path: Path, first: int, last: int, message: str) -> list[_Refusal]:
    """Refuse the lines of a row that cannot be read.

    Raises
    ------
    FileFormatError
        If a quote swallows what follows it, so that nobody can tell where rows begin again.
    """
    if "larger" in message and first == last:
        reason = f"a cell of more than {csv.field_size_limit():,} characters"
        return [(first, reason, "Shorten it; is a quote left open there?")]
    if "larger" in message or "end of data" in message:
        raise FileFormatError(
            f"{path}: line {first:,}: a quote is opened there and not closed. Close it, or write "
            "two for one inside a cell."
        )
    lines = f"lines {first:,} to {last:,}: " if last > first else ""
    reason = f"{lines}a quote stands inside a quoted cell, or closes it too early"
    return [
        (line, reason, "Write two quotes for one inside a cell.") for line in range(first, last + 1)
    ]


def _chunk(
    names: list[str],
    cells: list[list[str]],
    lines: npt.NDArray[np.int64],
    refused: list[_Refusal],
) -> Chunk:
    width = len(names)
    if any(len(row) != width for row in cells):
        widths = np.array([len(row) if any(row[width:]) else min(len(row), width) for row in cells])
        # A blank line is no row; in a table of one column an empty cell is written as "".
        refused += [
            (
                int(lines[at]),
                f"{widths[at]:,} cells under a header of {width:,}",
                "Put quotes around the cell that holds the delimiter.",
            )
            for at in np.flatnonzero(widths > width)
        ]
        keep = np.flatnonzero((widths > 0) & (widths <= width))
        filler = [""] * width
        cells = [(cells[at] + filler)[:width] for at in keep]
        lines = lines[keep]
    columns = zip(*cells, strict=True) if cells else ([] for _ in names)
    arrays = [pa.array(column, pa.string()) for column in columns]
    holds_nul = np.zeros(len(lines), bool)
    for array in arrays:
        holds_nul |= pc.match_substring(array, "\0").to_numpy(zero_copy_only=False)
    refused += [
        (int(line), "a cell holds a NUL character", "Export the file again, or take it out.")
        for line in lines[holds_nul]
    ]
    if holds_nul.any():
        arrays = [array.filter(pa.array(~holds_nul)) for array in arrays]
    frame = text_frame(dict(zip(names, arrays, strict=True)))
    columns_of_refused = zip(*sorted(refused), strict=True) if refused else ((), (), ())
    return Chunk(frame.apply(restore), lines[~holds_nul], refusals(*columns_of_refused))


def is_executable(text: str) -> bool:
    """Tell whether a spreadsheet might run this cell, apostrophes before it not counted."""
    match = _DANGEROUS.match(text)
    return match is not None and not _NUMBER.match(match[1])


def neutralise(column: pd.Series) -> pd.Series:
    """Put an apostrophe before every text that a spreadsheet might run; the rest stays as it is."""
    return _replace(column, rf"[{_STARTS}']", lambda text: "'" + text)


def restore(column: pd.Series) -> pd.Series:
    """Take away the apostrophe that ``neutralise`` put before a text."""
    return _replace(column, "'", lambda text: text[1:])


def _replace(column: pd.Series, start: str, change: Callable[[str], str]) -> pd.Series:
    """Change the executable ones among the few cells that begin like ``start``."""
    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return column
    is_text = column.map(lambda cell: isinstance(cell, str)) if column.dtype == object else None
    texts = column[is_text] if is_text is not None else column.dropna()
    suspects = texts[texts.astype("str").str.match(start)]
    cells = suspects[[is_executable(cell) for cell in suspects]]
    if cells.empty:
        return column
    column = column.copy()
    column.loc[cells.index] = [change(cell) for cell in cells]
    return column
