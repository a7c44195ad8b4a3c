"""Cells that a spreadsheet would run, made harmless on the way out and restored on the way in.

A spreadsheet runs a text that starts with = + - @ (or their full-width forms), a tab or a line end.
Writing such a text to CSV or XLSX puts an apostrophe before it, the convention that spreadsheets
themselves use for "this is text"; reading takes exactly that apostrophe away again, so a file of
ours read back is unchanged. Plain numbers such as -86.57 are left alone. The list of starts is
OWASP's (CSV injection).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

_STARTS = "=+\\-@\t\r\n＝＋－＠"
_DANGEROUS = re.compile(rf"'*([{_STARTS}][\s\S]*)\Z")
_NUMBER = re.compile(r"[-+]?(\d[\d,]*\.?\d*|\.\d+)([eE][-+]?\d+)?%?\Z")


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
