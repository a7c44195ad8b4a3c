"""Workbooks (XLSX): the first visible sheet that holds anything, its cells as they are meant."""

from __future__ import annotations

import contextlib
import warnings
import zipfile
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pyarrow as pa

from territory.errors import FileFormatError
from territory.files.delimited import MAX_COLUMNS, name_columns, refusals, restore, text_frame
from territory.files.point_files import day_text
from territory.files.sheet_bands import band_note, merged_ranges, split_bands
from territory.files.validation import check_archive, check_cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

MAX_ROWS = 1_048_576  # what a sheet holds
_BLOCK = 1 << 20
_BATCH_CELLS = 1_000_000
_EXACT = 10**15  # a spreadsheet keeps 15 digits of a number


@dataclass(frozen=True)
class Sheet:
    """A sheet as ``tables.Table`` wants it; ``notes`` says what was left out, a sentence each."""

    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    refused: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    line: int
    texts: list[str | None]
    uncomputed: str | None  # the first cell whose formula has no value, as "B7 (=A7&A8)"
    errors: list[str]  # the cells that hold an error, such as #REF!


def read_sheet(path: Path) -> Sheet:
    """Read the first visible sheet that is not blank; its first row with cells is the header.

    Titles and merged bands above the header are left out (``sheet_bands``), and so are hidden
    sheets; ``notes`` says so.

    Formulas give the value that the spreadsheet computed last. A row with a formula whose value was
    never computed is refused, because to read it as blank would lose what it says. Cells with an
    error such as #REF! have its text; ``notes`` counts them.

    Raises
    ------
    FileFormatError
        If every sheet is blank, a sheet is larger than a sheet can be, or the workbook is damaged.
    """
    check_archive(path)
    try:
        return _read(path)
    except (AttributeError, IndexError, TypeError, OverflowError) as error:  # of openpyxl
        raise FileFormatError(
            f"{path}: not readable as xlsx: the workbook is damaged ({error}). Save it again."
        ) from error


def _read(path: Path) -> Sheet:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations that it leaves out
        with contextlib.ExitStack() as stack:
            values = _open(path, stack, data_only=True)
            formulas = _open(path, stack, data_only=False) if _holds_formulas(path) else None
            sheets = list(enumerate(values.worksheets))
            hidden = [sheet for _, sheet in sheets if sheet.sheet_state != "visible"]
            visible = [(at, sheet) for at, sheet in sheets if sheet not in hidden]
            for at, sheet in visible:
                rows = _rows(path, sheet, formulas and formulas.worksheets[at])
                bands, header, rows = split_bands(rows, partial(merged_ranges, path, sheet))
                if header is not None:
                    notes = [band_note(band.line, band.texts) for band in bands]
                    notes += _other_sheets(path, sheet, [one for _, one in visible], hidden)
                    return _gather(path, header, rows, notes)
            unread = [sheet.title for sheet in hidden if _holds_rows(path, sheet)]
    if unread:
        raise FileFormatError(
            f"{path}: every visible sheet is blank; {', '.join(map(repr, unread))} is hidden. "
            "Unhide the sheet to be read."
        )
    raise FileFormatError(f"{path}: every sheet is blank.")


def _other_sheets(path: Path, sheet: Any, visible: list[Any], hidden: list[Any]) -> list[str]:
    """Say which sheets were not read although they hold something."""
    others = [one.title for one in visible if one is not sheet and _holds_rows(path, one)]
    unseen = [one.title for one in hidden if _holds_rows(path, one)]
    notes = []
    if others:
        listed = ", ".join(map(repr, others))
        notes.append(f"Only the sheet {sheet.title!r} was read, not {listed}.")
    if unseen:
        plural = "s" * (len(unseen) > 1)
        verb = "were" if plural else "was"
        notes.append(f"The hidden sheet{plural} {', '.join(map(repr, unseen))} {verb} not read.")
    return notes


def _open(path: Path, stack: contextlib.ExitStack, *, data_only: bool) -> Any:
    file = stack.enter_context(path.open("rb"))  # it would leave a damaged one open
    book = openpyxl.load_workbook(file, read_only=True, data_only=data_only)
    stack.callback(book.close)
    return book


def _holds_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_holds(archive, name, (b"<f>", b"<f ", b":f>", b":f ")) for name in sheets)


def _holds(archive: zipfile.ZipFile, name: str, marks: tuple[bytes, ...]) -> bool:
    with archive.open(name) as file:
        tail = b""
        while block := file.read(_BLOCK):
            if any(mark in tail + block for mark in marks):
                return True
            tail = block[-8:]
    return False


def _holds_rows(path: Path, sheet: Any) -> bool:
    return next(_rows(path, sheet, None), None) is not None


def _rows(path: Path, values: Any, formulas: Any) -> Iterator[_Row]:
    """Give the rows of a sheet that are not blank, without the blank cells at their ends."""
    values.reset_dimensions()
    if formulas is not None:
        formulas.reset_dimensions()
    formula_rows = iter(()) if formulas is None else formulas.iter_rows()
    for line, row in enumerate(values.iter_rows(), 1):
        if line > MAX_ROWS:
            raise FileFormatError(f"{path}: a row after {MAX_ROWS:,}, which no sheet can hold.")
        with_formulas = next(formula_rows, ())
        if not row:  # a row that the file leaves out: a million of them may stand before the next
            continue
        uncomputed = _uncomputed(row, with_formulas)
        texts = [_text(cell) for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        if len(texts) > MAX_COLUMNS:
            raise FileFormatError(
                f"{path}: row {line:,} has {len(texts):,} columns, more than the {MAX_COLUMNS:,} a "
                "table may have. Delete what stands far to the right."
            )
        errors = [cell.coordinate for cell in row if cell.data_type == "e"]
        if texts or uncomputed or errors:
            yield _Row(line, texts, uncomputed, errors)


def _uncomputed(row: tuple[Any, ...], formulas: tuple[Any, ...]) -> str | None:
    for value, formula in zip(row, formulas, strict=False):
        if formula.data_type == "f" and value.value is None and value.data_type != "str":
            source = getattr(formula.value, "text", formula.value)
            return f"{formula.coordinate} ({str(source)[:40]})"
    return None


def _text(cell: Any) -> str | None:
    """Write a cell as it is meant: 1001 shown under the format 00000 is "01001"."""
    value = cell.value
    if value is None:
        return None
    if isinstance(value, str):  # an error such as #REF! too: it is not the same as blank
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    if isinstance(value, int) and abs(value) >= _EXACT:
        return f"{value:.15E}"  # as Excel shows it: of a longer number it has only 15 digits left
    if isinstance(value, int):
        number_format = str(cell.number_format)
        return str(value).zfill(len(number_format)) if set(number_format) == {"0"} else str(value)
    return day_text(str(value))


def _gather(path: Path, header: _Row, rows: Iterator[_Row], notes: list[str]) -> Sheet:
    if header.uncomputed:
        raise FileFormatError(
            f"{path}: the header cell {header.uncomputed} holds a formula that was never computed. "
            "Open the workbook in a spreadsheet and save it."
        )
    lines: list[int] = []
    refused: list[_Row] = []
    batches: list[list[pa.Array]] = []
    texts: list[list[str | None]] = []
    errors: list[str] = []
    width = len(header.texts)
    for row in rows:
        errors += row.errors
        if row.uncomputed:
            refused.append(row)
            continue
        lines.append(row.line)
        texts.append(row.texts)
        width = max(width, len(row.texts))
        if len(texts) * width >= _BATCH_CELLS:
            check_cells(path, len(lines), width)
            batches.append(_arrays(texts, width))
            texts = []
    batches.append(_arrays(texts, width))
    columns = [_column(batches, at) for at in range(width)]
    heads = header.texts + [None] * (width - len(header.texts))
    columns_in_use = [at for at in range(width) if heads[at] or columns[at].null_count < len(lines)]
    names = name_columns([heads[at] for at in columns_in_use])
    frame = text_frame({name: columns[at] for name, at in zip(names, columns_in_use, strict=True)})
    if errors:
        notes.append(f"{len(errors):,} cells with an error, {errors[0]} first, cannot be read.")
    return Sheet(
        frame.apply(restore),
        np.asarray(lines, np.int64),
        refusals(
            [row.line for row in refused],
            [f"the value of the formula in {row.uncomputed} was never computed" for row in refused],
            ["Open the workbook in a spreadsheet and save it."] * len(refused),
        ),
        tuple(notes),
    )


def _arrays(rows: list[list[str | None]], width: int) -> list[pa.Array]:
    filler: list[str | None] = [None] * width
    columns = zip(*((row + filler)[:width] for row in rows), strict=True) if rows else [()] * width
    return [pa.array(column, pa.string()) for column in columns]


def _column(batches: list[list[pa.Array]], at: int) -> pa.Array:
    parts = [
        batch[at] if at < len(batch) else pa.nulls(len(batch[0]), pa.string()) for batch in batches
    ]
    return pa.concat_arrays(parts)
