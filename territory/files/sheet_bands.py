"""Sheet bands: titles and merged cells above the header of a sheet, which are no header."""

from __future__ import annotations

import dataclasses
import itertools
import re
import zipfile
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from openpyxl.utils import range_boundaries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    # First column, first row, last column, last row, from 1.
    Range = tuple[int, int, int, int]

_MOST_BANDS = 5
_BLOCK = 1 << 20
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s+ref=[\"']([A-Z]+\d+:[A-Z]+\d+)[\"']")
_MOST_TITLES = 3
_LEAST_UNDER_A_TITLE = 3  # cells of a header under a title that is not merged


class Row(Protocol):
    """A row of a sheet that is not blank."""

    @property
    def line(self) -> int:
        """Its number in the sheet."""

    @property
    def texts(self) -> list[str | None]:
        """Its cells."""


AnyRow = TypeVar("AnyRow", bound=Row)


def merged_ranges(path: Path, sheet: Any) -> list[Range]:
    """List the merged cells of a sheet that is open for reading only."""
    ranges: list[Range] = []
    name = str(sheet._worksheet_path).lstrip("/")  # noqa: SLF001  # openpyxl tells it nowhere else
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        tail = b""
        while block := file.read(_BLOCK):
            text = tail + block
            ends = [0]
            for match in _MERGED.finditer(text):
                ranges.append(range_boundaries(match[1].decode()))
                ends.append(match.end())
            tail = text[max(ends[-1], len(text) - 100) :]
    return ranges


def split_bands(
    rows: Iterator[AnyRow], merges: Callable[[], list[Range]]
) -> tuple[list[AnyRow], AnyRow | None, Iterator[AnyRow]]:
    """Part the rows of a sheet into bands above the header, the header, and what is below.

    A band is one cell, or has merged cells side by side, and stands above a row of more cells that
    are all texts and all different. A cell merged with one below it is a name of the header.
    """
    first = list(itertools.islice(rows, _MOST_BANDS + 1))
    pairs = list(itertools.pairwise(first))
    is_odd = any(_may_span(*pair) or _fill_each_other(*pair) for pair in pairs)
    ranges = merges() if is_odd else []  # to find them, the whole sheet is read
    bands = 0
    for at, (row, below) in enumerate(pairs):
        if _filled(row) == _filled(below) == 1 and at + 1 < _MOST_TITLES:
            continue  # a title of several lines, if a header follows
        is_title = _filled(row) == 1 and (
            _filled(below) >= _LEAST_UNDER_A_TITLE or _is_merged(below, ranges)
        )
        is_band = _may_span(row, below) and (is_title or _is_merged(row, ranges))
        if not is_band and not _share_a_cell(row, below, ranges):
            break
        bands = at + 1
    return _parted(first[:bands], itertools.chain(first, rows), ranges)


def _is_merged(row: Row, ranges: list[Range]) -> bool:
    """Tell whether a row has cells that are merged side by side."""
    return any(top <= row.line <= bottom and right > left for left, top, right, bottom in ranges)


def _parted(
    bands: list[AnyRow], rows: Iterator[AnyRow], ranges: list[Range]
) -> tuple[list[AnyRow], AnyRow | None, Iterator[AnyRow]]:
    rows = itertools.islice(rows, len(bands), None)
    header = next(rows, None)
    if header is None or not bands:
        return bands, header, rows
    texts = list(header.texts)
    for band in bands:
        for left, top, _, bottom in ranges:
            if top <= band.line <= bottom and bottom >= header.line and left <= len(band.texts):
                texts += [None] * (left - len(texts))
                texts[left - 1] = texts[left - 1] or band.texts[left - 1]
    return bands, dataclasses.replace(header, texts=texts), rows  # type: ignore[type-var]


def _fill_each_other(row: Row, below: Row) -> bool:
    """Tell whether each of two rows has cells where the other one is blank."""
    cells = list(itertools.zip_longest(row.texts, below.texts))
    return any(a and not b for a, b in cells) and any(b and not a for a, b in cells)


def _share_a_cell(row: Row, below: Row, ranges: list[Range]) -> bool:
    """Tell whether two rows are one header: cells merged over both, and side by side above."""
    tall = any(top <= row.line and bottom >= below.line for _, top, _, bottom in ranges)
    return tall and _is_merged(row, ranges)


def _filled(row: Row) -> int:
    return sum(bool(text) for text in row.texts)


def _may_span(row: Row, below: Row) -> bool:
    """Tell whether a row looks like the header under one that only spans it."""
    texts = [text for text in below.texts if text]
    is_named = all(re.search(r"[^\W\d]", text) for text in texts)
    return len(texts) > _filled(row) and is_named and len(set(texts)) == len(texts)


def band_note(line: int, texts: list[str | None]) -> str:
    """Say that a row above the header was not read."""
    words = " ".join(text for text in texts if text)[:60]
    return f"Row {line:,} above the header was not read: {words!r}."
