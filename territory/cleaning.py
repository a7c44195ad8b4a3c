"""Cells as people write them, read as what they mean; null where they are blank or mean nothing.

Every function takes a text column and gives back one of the same length and index. Work is done
once per distinct text, so a million rows with fifty states cost fifty look-ups.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import codes
from territory.codes import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BLANK_MARKS = re.compile(r"[\W_]*\Z")
_SCALES = {
    **dict.fromkeys(("k", "thousand", "thousands", "tsd"), 1e3),
    "lakh": 1e5,
    **dict.fromkeys(("m", "mm", "mn", "mio", "mil", "mill", "million", "millions"), 1e6),
    "crore": 1e7,
    **dict.fromkeys(("b", "bn", "bln", "bil", "billion", "billions", "mrd"), 1e9),
    **dict.fromkeys(("t", "tn", "trn", "trillion", "trillions"), 1e12),
}
_DIGITS = r"\d{1,3}(?:[,.'\u2019\s]\d{3})+(?:[.,]\d+)?(?![\d])|\d+(?:[.,]\d+)?|\.\d+"
_AMOUNT = re.compile(
    rf"(?P<before>\D{{0,30}}?)(?P<number>{_DIGITS})\s*(?P<scale>[a-z]+\b)?"
    rf"(?:\+?\s*(?:-|\u2013|\u2014|to)\s*\D{{0,4}}(?:{_DIGITS})\s*(?P<range_scale>[a-z]+\b)?)?"
    r"(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
_DOLLARS = re.compile(r"(?:US|U\.S\.|U)?\s?\$S?|\bUSD?|\bdollars?\b", re.IGNORECASE)
_OTHER_MONEY = re.compile(
    r"[€£¥₹₩₽₺₪฿]|(?:\b(?:CA|C|AU|A|HK|NZ|SG|S|R|NT|MX|JP|CN))\$|kr\b|\b(?:EUR|GBP|JPY|CAD|AUD|CHF|CNY|RMB"
    r"|INR|SEK|NOK|DKK|KRW|BRL|MXN|ZAR|HKD|SGD|NZD|TWD|RUB|TRY|ILS|PLN|euros?|pounds?|yen|yuan)\b",
    re.IGNORECASE,
)
_WORDS_BEFORE = re.compile(
    r"[\s~<>≈±+.:(]*(?:(?:c|ca|circa|about|approx|approximately|around|over|more than|at least|"
    r"up to|nearly|almost|est|estimated|under|less than)\b[\s.~:]*)*",
    re.IGNORECASE,
)
_DATE_FORMATS = ("%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%b %d, %Y", "%B %d, %Y",
                 "%d %b %Y", "%d %B %Y", "%d-%b-%Y")  # fmt: skip
_DEGREES = re.compile(r"([-+\u2212]?\d+(?:[.,]\d+)?)\s*°?\s*([NSEW]?)", re.IGNORECASE)


def by_value(column: pd.Series, read: Callable[[str], Any]) -> pd.Series:
    """Read each distinct text once; null where the cell or the answer is null (object dtype)."""
    places, distinct = pd.factorize(column)
    answers = np.empty(len(distinct) + 1, dtype=object)
    answers[:-1] = [read(text) for text in distinct]
    answers[-1] = None  # where factorize put null
    return pd.Series(answers[places], index=column.index, name=column.name, dtype=object)


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


def clean_countries(column: pd.Series) -> pd.Series:
    """ISO 3166-1 alpha-2 codes of country names and codes; null where the country is unknown."""
    return clean_codes(column, codes.COUNTRIES)


def clean_states(states: pd.Series, country: pd.Series) -> pd.Series:
    """Two-letter codes of US states and Canadian provinces; others are trimmed and kept.

    A row with no country is read as a US state where it is one, else as a Canadian province.
    """
    texts = clean_text(states)
    home = country.isna() | (country == "US")
    found = clean_codes(texts, codes.US_STATES).where(home, None)
    canada = (country == "CA") | (country.isna() & found.isna())
    found = found.where(found.notna() | ~canada, clean_codes(texts, codes.CANADIAN_PROVINCES))
    return _or(found, texts)


def clean_postal_codes(postal_codes: pd.Series, country: pd.Series | None = None) -> pd.Series:
    """Postal codes in the form of their country; a row with no country counts as US.

    US: five digits with the leading zeros that spreadsheets lose (1001 -> 01001), the four digits
    of ZIP+4 left out. Canada and Britain: upper case with the usual blank. Elsewhere: trimmed, in
    upper case. What does not look like a code of its country is kept as it is.
    """
    texts = clean_text(postal_codes)
    if country is None:
        return by_value(texts, _us_code)
    forms: tuple[tuple[pd.Series, Callable[[str], str]], ...] = (
        (country.isna() | (country == "US"), _us_code),
        (country == "CA", _canadian_code),
        (country == "GB", _british_code),
    )
    cleaned = texts.str.upper().astype(object).where(texts.notna(), None)
    for rows, read in forms:
        if rows.any():
            cleaned = cleaned.where(~rows, by_value(texts.where(rows, None), read))
    return cleaned


def _us_code(text: str) -> str:
    if found := re.fullmatch(r"(\d{3,5})(?:\.0+)?", text):
        return found[1].zfill(5)
    if found := re.fullmatch(r"(\d{4,5})\s*[-\u2013 ]\s*(?:\d{4}|0)?", text):
        return found[1].zfill(5)
    if found := re.fullmatch(r"(\d{7,9})(?:\.0+)?", text):
        return found[1].zfill(9)[:5]
    return text


def _canadian_code(text: str) -> str:
    code = fold(text).upper()
    if re.fullmatch(r"[A-Z]\d[A-Z]\d[A-Z]\d", code):
        return f"{code[:3]} {code[3:]}"
    return text.upper()


def _british_code(text: str) -> str:
    code = fold(text).upper()
    return f"{code[:-3]} {code[-3:]}" if re.fullmatch(r"[A-Z]{1,2}\d.*\d[A-Z]{2}", code) else text


def parse_employees(column: pd.Series) -> pd.Series:
    """Head counts (float, NaN where none can be read) of texts such as "c. 38,000 (2024)".

    "2.1k", "38 thousand" and "38.000" are read as they are meant; of a range such as
    "1,001-5,000" the lower end counts, because that many are sure. A negative count is NaN.
    """
    in_threes = column.astype("str").str.fullmatch(r"\s*\d{1,3}(\.\d{3})+\s*").fillna(value=False)
    texts = column.where(~in_threes, column.astype("str").str.replace(".", "", regex=False))
    counts = _numbers(texts, lambda text: _amount(text, is_count=True))
    return counts.where(counts >= 0)


def parse_money(column: pd.Series) -> pd.Series:
    """US dollars (float, NaN where none can be read) of texts such as "US$ 24.9 billion (2025)".

    No currency named counts as US dollars; another currency is NaN, since nobody here knows the
    rate. "(502.2)" is a loss. Of a range the lower end counts, of several figures the first.
    """
    return _numbers(column, lambda text: _amount(text, is_count=False))


def _numbers(column: pd.Series, read: Callable[[str], float | None]) -> pd.Series:
    """Read plain numbers at once, the rest one distinct text at a time."""
    plain = pd.to_numeric(column, errors="coerce").astype(float)
    plain = plain.where(np.isfinite(plain))
    rest = column[plain.isna() & column.notna()].astype(str)
    if len(rest):
        plain.loc[rest.index] = by_value(rest, read).astype(float)
    return plain


def _amount(text: str, *, is_count: bool) -> float | None:
    text = text.strip()
    is_loss = re.fullmatch(r"[^\d(]*\([^()]*\)", text) is not None
    found = _AMOUNT.match(text)
    if not found or found["after"].lstrip().startswith("%"):
        return None
    before = found["before"]
    if not is_count:
        after = f"{found['scale'] or ''} {found['after']}"[:12]
        has_dollars = _DOLLARS.search(before) is not None
        if _OTHER_MONEY.search(before) or (not has_dollars and _OTHER_MONEY.search(after)):
            return None
        before = _DOLLARS.sub("", before)
    sign = -1.0 if is_loss or re.search(r"[-\u2212]\s*$", before) else 1.0
    if not _WORDS_BEFORE.fullmatch(re.sub(r"[-\u2212]\s*$", "", before)):
        return None
    scale = _SCALES.get((found["scale"] or "").lower())
    if scale is None:
        scale = _SCALES.get((found["range_scale"] or "").lower(), 1.0)
    return sign * _digits(found["number"], is_count=is_count and scale == 1.0) * scale


def _digits(number: str, *, is_count: bool) -> float:
    """Read digits with whichever marks for thousands and decimals they were written."""
    number = re.sub(r"['\u2019\s]", "", number)
    comma, point = number.rfind(","), number.rfind(".")
    if comma >= 0 and point >= 0:
        mark = "," if comma > point else "."
        other = "." if mark == "," else ","
        return float(number.replace(other, "").replace(mark, "."))
    if comma >= 0:
        in_threes = re.fullmatch(r"\d{1,3}(,\d{3})+", number)
        return float(number.replace(",", "" if in_threes else "."))
    in_threes = re.fullmatch(r"\d{1,3}(\.\d{3})+", number)
    if in_threes and (is_count or number.count(".") > 1):
        return float(number.replace(".", ""))
    return float(number)


def parse_degrees(column: pd.Series) -> pd.Series:
    """Degrees (float, NaN where none can be read) of "38.9", "38,9", "77.2° W" or "38.9N"."""

    def read(text: str) -> float | None:
        found = _DEGREES.fullmatch(text.strip())
        if not found:
            return None
        value = float(found[1].replace(",", ".").replace("\u2212", "-"))
        return -value if found[2].upper() in ("S", "W") and value > 0 else value

    plain = pd.to_numeric(column, errors="coerce").astype(float)
    rest = column[plain.isna() & column.notna()].astype(str)
    if len(rest):
        plain.loc[rest.index] = by_value(rest, read).astype(float)
    return plain


def parse_dates(column: pd.Series) -> pd.Series:
    """Calendar days as ISO text, null where none can be read; 11/1/2026 is the American order."""

    def read(text: str) -> str | None:
        text = text.strip()
        if re.match(r"\d{4}-\d\d-\d\d(?:[T ]|\Z)", text):
            day = pd.to_datetime(text[:10], format="%Y-%m-%d", errors="coerce")
            return None if pd.isna(day) else text[:10]
        for form in _DATE_FORMATS:
            day = pd.to_datetime(text, format=form, errors="coerce")
            if not pd.isna(day):
                return str(day.date())
        return None

    return by_value(column, read)


def _or(first: pd.Series, second: pd.Series) -> pd.Series:
    """``first``, and where it is null ``second``."""
    chosen: pd.Series = first.where(first.notna(), second)
    return chosen.astype(object).where(chosen.notna(), None)
