"""Column cleaning: cells as people write them, read as what they mean; null where blank.

Every function takes text columns and gives back columns of the same length and index. Work is done
once per distinct text, so a million rows with fifty states cost fifty look-ups.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import codes, industries, numbers
from territory.cleaning.codes import fold
from territory.cleaning.contacts import domain, email, phone
from territory.cleaning.dates import read_dates
from territory.cleaning.distinct import by_value
from territory.cleaning.numbers import dollars, head_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_BLANK_MARKS = re.compile(r"[\W_]*\Z")
_PLAIN = re.compile(r"[-+]?(?:\d{4,}|\d{1,3}(?!\.\d{3}\Z))(?:\.\d+)?", re.ASCII)


_ERROR = re.compile(
    r"\s*(?:#(?:N/?A|NV|REF!?|BEZUG!|VALUE!?|WERT!|DIV/0!?|NAME\?|NUM!?|ZAHL!|NULL!|SPILL!|CALC!|FIELD!"
    r"|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!|GETTING_DATA|ERROR!)|#{2,}|Err:5\d\d"
    r"|n/k|n\.k\.|tb[cd]|t\.b\.[cd]\.|\?+)\s*",
    re.IGNORECASE,
)

_ERROR_STARTS = ("#", "?", "n", "N", "t", "T", "E", "e", " ", "\t", "\N{NO-BREAK SPACE}")
_LONGEST_ERROR = 20
_THOUSAND = 1000


def is_unreadable(column: pd.Series) -> pd.Series:
    """Tell which cells say nothing that can be read, which is not the same as blank.

    So are the errors of a spreadsheet (#N/A, #REF!, a column too narrow: ####) and what people
    write who do not know: n/k, TBD, ?.
    """
    texts = column.astype("str")
    may_be = texts.str.len().le(_LONGEST_ERROR) & texts.str.startswith(_ERROR_STARTS)
    candidates = column[may_be.fillna(value=False).to_numpy(bool)].unique()
    marks = [text for text in candidates if _ERROR.fullmatch(str(text))]
    return column.isin(marks) if marks else pd.Series(data=False, index=column.index)


def clean_text(column: pd.Series) -> pd.Series:
    """Trim; what says "nothing here" ("", "-", "N/A", "NOT AVAILABLE") is null."""

    def read(text: str) -> str | None:
        text = text.strip()
        is_blank = _BLANK_MARKS.match(text) or fold(text) in codes.BLANKS
        return None if is_blank else text

    return by_value(column, read)


def clean_names(column: pd.Series) -> pd.Series:
    """Trim and no more: a company may well be called NA. Null only where that is sure."""

    def read(text: str) -> str | None:
        text = text.strip()
        return None if not text or text.lower() in codes.BLANK_NAMES else text

    return by_value(column, read)


def clean_codes(column: pd.Series, table: Mapping[str, str]) -> pd.Series:
    """The standard word for each spelling in ``table`` (folded spelling -> word), else null."""
    return by_value(column, lambda text: table.get(fold(text)))


def parse_employees(column: pd.Series) -> pd.Series:
    """Head counts (float, NaN where none can be read) of texts such as "c. 38,000 (2024)".

    "2.1k", "38 thousand" and "38.000" are read as they are meant; of a range such as
    "1,001-5,000" the lower end counts, because that many are sure, and so of a range that a
    spreadsheet made a date of. A negative count is NaN.
    """
    return read_employees(column)[0]


def parse_money(column: pd.Series) -> pd.Series:
    """US dollars (float, NaN where none can be read) of texts such as "US$ 24.9 billion (2025)".

    No currency named counts as US dollars. Another currency is NaN, since nobody here knows the
    rate, unless the dollars stand beside it: "¥5.6 trillion (US$ 37 billion)". "(502.2)" is a
    loss. Of a range the lower end counts, of several figures the first.
    """
    return read_money(column)[0]


def read_employees(column: pd.Series) -> tuple[pd.Series, tuple[str, ...]]:
    """Read head counts, as ``parse_employees`` does, with remarks about the whole column."""
    counts, remarks = _numbers(column, head_count)
    sizes = [
        text for text in column.dropna().unique() if numbers.size_of_date(str(text)) is not None
    ]
    if sizes:
        rows = int(column.isin(sizes).sum())
        cells = "1 cell is a date" if rows == 1 else f"{rows:,} cells are dates"
        remarks.append(
            f"{cells} that a spreadsheet made of sizes such as 11-50. The lower end was taken: "
            f"{sizes[0]} is {numbers.size_of_date(str(sizes[0]))}."
        )
    return counts.where(counts >= 0), tuple(remarks)


def read_money(column: pd.Series, *, is_typed: bool = False) -> tuple[pd.Series, tuple[str, ...]]:
    """Read US dollars, as ``parse_money`` does, with remarks about the whole column.

    Parameters
    ----------
    is_typed
        The file has numbers as numbers, so that a point stands before decimals.
    """
    amounts, remarks = _numbers(column, dollars, usual="." if is_typed else "")
    return amounts, tuple(remarks)


def _numbers(
    column: pd.Series, read: Callable[[str, str], float | None], usual: str = ""
) -> tuple[pd.Series, list[str]]:
    """Read each distinct text once; the mark before decimals is that of the column."""
    if pd.api.types.is_numeric_dtype(column):
        plain = column.astype(float)
        return plain.where(np.isfinite(plain)), []
    texts = [str(text) for text in column.dropna().unique()]
    odd = [text for text in texts if not (text.isdecimal() or _PLAIN.fullmatch(text))]
    shown = numbers.decimal_mark(text for text in texts if "," in text or "." in text)
    mark = shown or usual
    odd_values = {text: read(text, mark) for text in odd}

    def value(text: object) -> float | None:
        written = str(text)
        return odd_values[written] if written in odd_values else float(written)

    return by_value(column, value).astype(float), _mark_remarks(odd, odd_values, mark)


def _mark_remarks(texts: Iterable[str], values: Mapping[str, float | None], mark: str) -> list[str]:
    """Say once how figures were read that nothing in their column decides."""
    open_texts = [text for text in texts if numbers.is_open(text)]
    if mark == ".,":
        unread = ", ".join(repr(text) for text in open_texts if values[text] is None)
        remark = (
            f"some figures have a point before decimals, others a comma; {unread[:60]} could be "
            "either and cannot be read. Write 1234.5, without marks for thousands."
        )
        return [remark] if unread else []
    pointed = [text for text in open_texts if "." in text and (values[text] or 0) >= _THOUSAND]
    if mark or not pointed:
        return []
    remark = (
        f"nothing shows whether the point in {pointed[0]} parts thousands or decimals. Read as "
        f"{values[pointed[0]]:,.10g}; write 1234, or 1.2340 for decimals."
    )
    return [remark]


def clean_phones(column: pd.Series, country: pd.Series | None = None) -> pd.Series:
    """Phone numbers as +12125550150, with ";ext=12" where there is an extension.

    A number without a country prefix is one of the row's country, of the US where none is known.
    What is no possible number there is kept as it is written.
    """
    texts = clean_text(column)
    if country is None:
        return by_value(texts, lambda text: phone(text, "US"))
    regions = country.where(country.notna(), "US")
    numbers = np.full(len(texts), None, dtype=object)
    for region in regions[texts.notna()].unique():
        rows = (regions == region).to_numpy()
        numbers[rows] = by_value(texts[rows], partial(phone, region=str(region))).to_numpy()
    return pd.Series(numbers, index=texts.index, name=texts.name, dtype=object)


def clean_emails(column: pd.Series) -> pd.Series:
    """E-mail addresses in standard form: without a name or "mailto:", the domain in lower case.

    What is no address is kept as it is written. Nobody asks whether the domain exists.
    """
    return by_value(clean_text(column), lambda text: email(text) or text)


def clean_domains(column: pd.Series) -> pd.Series:
    """Registered domains of web and e-mail addresses ("ox.ac.uk"); null where there is none."""
    return by_value(column, domain)


def clean_industries(column: pd.Series, system: str | None = None) -> pd.Series:
    """NAICS and SIC codes as the words that stand for them; words stay as they are.

    Parameters
    ----------
    system
        "naics" or "sic", where the header says; by default it is told from the codes.
    """
    texts = clean_text(column)
    used_system = system or industries.system_of(texts.dropna().unique())
    return by_value(texts, lambda text: industries.industry(text, used_system))


def parse_dates(column: pd.Series) -> pd.Series:
    """Calendar days as ISO text, null where none can be read; see ``dates.read_dates``."""
    return read_dates(column)[0]


def join_notes(first: pd.Series, second: pd.Series) -> pd.Series:
    """Two columns of notes as one, the first before the second; null where neither has any."""
    both = first.notna() & second.notna()
    notes = first.where(first.notna(), second).astype(object)
    notes[both] = first[both] + "; " + second[both]
    return notes.where(notes.notna(), None)
