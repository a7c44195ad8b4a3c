"""Column cleaning: cells as people write them, read as what they mean; null where blank.

Every function takes text columns and gives back columns of the same length and index. Work is done
once per distinct text, so a million rows with fifty states cost fifty look-ups.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.cleaning import codes, industries
from territory.cleaning.codes import fold
from territory.cleaning.contacts import domain, email, phone
from territory.cleaning.numbers import dollars, head_count

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_BLANK_MARKS = re.compile(r"[\W_]*\Z")
_DATE_FORMATS = ("%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%b %d, %Y", "%B %d, %Y",
                 "%d %b %Y", "%d %B %Y", "%d-%b-%Y")  # fmt: skip
_STATE_OF = re.compile(r"\s*\([A-Z]{2}\)$")  # Odoo writes "Maine (US)"
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
    texts = by_value(clean_text(states), lambda text: _STATE_OF.sub("", text) or text)
    home = country.isna() | (country == "US")
    code = clean_codes(texts, codes.US_STATES).where(home, None)
    canada = (country == "CA") | (country.isna() & code.isna())
    code = code.where(code.notna() | ~canada, clean_codes(texts, codes.CANADIAN_PROVINCES))
    return _or(code, texts)


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
    postal_codes = texts.str.upper().astype(object).where(texts.notna(), None)
    for rows, read in forms:
        if rows.any():
            postal_codes = postal_codes.where(~rows, by_value(texts.where(rows, None), read))
    return postal_codes


def _us_code(text: str) -> str:
    if match := re.fullmatch(r"(\d{3,5})(?:\.0+)?", text):
        return match[1].zfill(5)
    if match := re.fullmatch(r"(\d{4,5})\s*[-\u2013 ]\s*(?:\d{4}|0)?", text):
        return match[1].zfill(5)
    if match := re.fullmatch(r"(\d{7,9})(?:\.0+)?", text):
        return match[1].zfill(9)[:5]
    return text


def _canadian_code(text: str) -> str:
    code = fold(text).upper()
    if re.fullmatch(r"[A-Z]\d[A-Z]\d[A-Z]\d", code):
        return f"{code[:3]} {code[3:]}"
    return text.upper()


def _british_code(text: str) -> str:
    code = fold(text).upper()
    return f"{code[:-3]} {code[-3:]}" if re.fullmatch(r"[A-Z]{1,2}\d.*\d[A-Z]{2}", code) else text


def clean_address(
    country: pd.Series, state: pd.Series, postal_code: pd.Series
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Country code, state code and postal code in form.

    A row without a country is American or Canadian if its state is. A US territory filed as a
    country is a state of the US. A country that is unknown stays as it was as_written.
    """
    code = clean_countries(country)
    territory = code.isin(codes.US_TERRITORIES)
    state = state.where(~territory | state.notna(), code)
    code = code.where(~territory, "US")
    as_written = clean_text(country)
    code = code.where(code.notna() | as_written.isna(), as_written)

    state = clean_states(state, code)
    blank = code.isna() & state.notna()
    code = code.where(~(blank & state.isin(set(codes.US_STATES.values()))), "US")
    blank &= code.isna() & state.isin(set(codes.CANADIAN_PROVINCES.values()))
    code = code.where(~blank, "CA")
    code = code.astype(object).where(code.notna(), None)
    return code, state, clean_postal_codes(postal_code, code)


def parse_employees(column: pd.Series) -> pd.Series:
    """Head counts (float, NaN where none can be read) of texts such as "c. 38,000 (2024)".

    "2.1k", "38 thousand" and "38.000" are read as they are meant; of a range such as
    "1,001-5,000" the lower end counts, because that many are sure. A negative count is NaN.
    """
    in_threes = column.astype("str").str.fullmatch(r"\s*\d{1,3}(\.\d{3})+\s*").fillna(value=False)
    texts = column.where(~in_threes, column.astype("str").str.replace(".", "", regex=False))
    counts = _numbers(texts, head_count)
    return counts.where(counts >= 0)


def parse_money(column: pd.Series) -> pd.Series:
    """US dollars (float, NaN where none can be read) of texts such as "US$ 24.9 billion (2025)".

    No currency named counts as US dollars. Another currency is NaN, since nobody here knows the
    rate, unless the dollars stand beside it: "¥5.6 trillion (US$ 37 billion)". "(502.2)" is a
    loss. Of a range the lower end counts, of several figures the first.
    """
    return _numbers(column, dollars)


def _numbers(column: pd.Series, read: Callable[[str], float | None]) -> pd.Series:
    """Read plain numbers at once, the rest one distinct text at a time."""
    plain = pd.to_numeric(column, errors="coerce").astype(float)
    plain = plain.where(np.isfinite(plain))
    rest = column[plain.isna() & column.notna()].astype(str)
    if len(rest):
        plain.loc[rest.index] = by_value(rest, read).astype(float)
    return plain


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


def zip_notes(
    postal_codes: pd.Series, country: pd.Series, without_area: Collection[str]
) -> pd.Series:
    """Say what is special about a US ZIP code in form; null where nothing is.

    Military mail is delivered by way of a post office in New York, Miami or San Francisco, so the
    ZIP code does not say where the addressee is. A code without an area is one of post boxes, or
    of a single company or building.

    Parameters
    ----------
    without_area
        ZIP codes that have no area (``Reference.zip_codes``, has_area).
    """

    def read(code: str) -> str | None:
        if codes.MILITARY_ZIPS.fullmatch(code):
            return f"ZIP {code} is military mail, which does not say where the addressee is"
        if code in without_area:
            return f"ZIP {code} has no area: post boxes only, or one company's or building's own"
        return None

    home = country.isna() | (country == "US")
    return by_value(postal_codes.where(home, None), read)


def parse_degrees(column: pd.Series) -> pd.Series:
    """Degrees (float, NaN where none can be read) of "38.9", "38,9", "77.2° W" or "38.9N"."""

    def read(text: str) -> float | None:
        match = _DEGREES.fullmatch(text.strip())
        if not match:
            return None
        value = float(match[1].replace(",", ".").replace("\u2212", "-"))
        return -value if match[2].upper() in ("S", "W") and value > 0 else value

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
    column: pd.Series = first.where(first.notna(), second)
    return column.astype(object).where(column.notna(), None)
