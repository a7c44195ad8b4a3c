"""Postal codes: ZIP codes and codes abroad in the form of their country, with the zeros they lost.

A ZIP code of three or four digits is one whose leading zeros a spreadsheet has eaten, or a slip, or
a code of another country. It is completed where the state, the city or its whole column speaks for
that, and a note says so; else it stays as it is written.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import codes
from territory.cleaning.city_tables import city_prefixes, zip_states
from territory.cleaning.codes import fold
from territory.cleaning.columns import clean_text
from territory.cleaning.distinct import by_value
from territory.reference import load, normalise_place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]

# The first three digits of ZIP codes that begin with a nought, by state (USPS Publication 65).
_NOUGHTS = {
    "NY": (5, 63), "PR": (6, 7, 9), "VI": (8,), "MA": (*range(10, 28), 55), "RI": (28, 29),
    "NH": range(30, 39), "ME": range(39, 50), "VT": range(50, 60), "CT": range(60, 70),
    "NJ": range(70, 90), "AE": range(90, 99),
}  # fmt: skip
_STATES_BY_PREFIX: dict[str, set[str]] = {}
for _state, _numbers in _NOUGHTS.items():
    for _number in _numbers:
        _STATES_BY_PREFIX.setdefault(f"{_number:03}", set()).add(_state)
# What a spreadsheet is kept from eating zeros by: ="02110", '02110, and quotes around a cell.
_GUARDS = "='\"`\u2018\u2019\u201c\u201d\u00b4 \t\u00a0\u200b\ufeff"
_DIGITS = re.compile(r"(\d{3,5})(?:\.0+)?")
_PLUS_FOUR = re.compile(r"(\d{3,5})\s*[-\u2013\u2014+ ]\s*(?:\d{4}|0)?")
_NINE = re.compile(r"(\d{3,5})\d{4}(?:\.0+)?")
_THOUSANDS = re.compile(r"\d{1,2},\d{3}")  # a number format: 60,601
_NUMBER = re.compile(r"\d+\.0+|\d{1,2},\d{3}")  # what a column of numbers writes
_LETTERS = re.compile(r"(?=(?:\D?\d){3})[\dOoIl|]{5}(?:-\d{4})?")  # O2110: letters for digits
_DIGIT_OF = str.maketrans("OoIl|", "00111")
_BEHIND = re.compile(r"(\d{5})(?:-\d{4})?[\s,]+(?:us|usa|u\.s\.a\.|united states)", re.IGNORECASE)
_BEFORE = re.compile(r"([A-Za-z]{2,3})[\s.:-]*(\d.*)")
_CANADIAN = re.compile(
    r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\s?\d[ABCEGHJ-NPRSTV-Z]\d", re.IGNORECASE
)
_BRITISH = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{2}", re.IGNORECASE)
# Letters before a code on the continent: those of cars, or the code of the country.
_EUROPEAN = re.compile(r"([A-Z]{1,3})\s?-\s?(\d{3}\s?\d{1,3})", re.IGNORECASE)
_CARS = {
    "D": "DE", "A": "AT", "F": "FR", "I": "IT", "B": "BE", "L": "LU", "S": "SE", "N": "NO",
    "FIN": "FI", "E": "ES", "P": "PT", "H": "HU", "SLO": "SI",
} | {code: code for code in ("DE", "AT", "CH", "FR", "IT", "BE", "LU", "SE", "NO", "FI", "ES",
                             "PT", "HU", "SI", "NL", "DK", "PL", "CZ", "SK", "LT", "LV", "EE",
                             "RO", "BG", "HR", "GR", "LI")}  # fmt: skip
_LEAST_KNOWN = 0.7  # of the whole codes of a column, for it to be one of ZIP codes
_LEAST_CONFIRMED = 0.8  # of the short codes that have a state
_ENOUGH = 3  # different short codes that are all ZIP codes: no slip of the pen


def read_postal_codes(
    postal_codes: pd.Series,
    country: pd.Series,
    state: pd.Series,
    city: pd.Series,
    *,
    has_lost_zeros: bool | None = None,
) -> tuple[pd.Series, pd.Series]:
    """Read postal codes in the form of their country; a row with no country counts as US.

    US: five digits, without the four of ZIP+4 and the guards and letters around them. Canada and
    Britain: upper case with the usual blank. Elsewhere: trimmed, in upper case. What does not look
    like a code of its country is kept as it is.

    Parameters
    ----------
    country, state
        Codes as ``clean_addresses`` makes them; null where unknown.
    has_lost_zeros
        Whether the column of all these codes has; by default it is judged by those given here.

    Returns
    -------
    codes, notes
        On the same index. Notes say what was read from what, where the cell does not show it.
    """
    texts = clean_text(postal_codes)
    notes = pd.Series(np.full(len(texts), None), index=texts.index, dtype=object)
    answers = texts.str.upper().astype(object).where(texts.notna(), None)
    abroad: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("CA", _canadian_code),
        ("GB", _british_code),
    )
    for code, read in abroad:
        rows = (country == code).to_numpy(bool)
        if rows.any():
            answers = answers.where(~rows, by_value(texts.where(rows, None), read))
    home = (country.isna() | (country == "US")).to_numpy(bool)
    own = texts.where(home, None)
    forms = by_value(own, zip_form)
    answers = answers.where(~home, forms.where(forms.notna(), by_value(own, _unguarded)))
    lettered = by_value(own, lambda text: _has_letters(_unguarded(text)))
    for at in np.flatnonzero(lettered.eq(other=True).to_numpy(bool)).tolist():
        notes.iloc[at] = f"ZIP {texts.iloc[at]!r} was read as {forms.iloc[at]}"
    short = np.flatnonzero((forms.str.len() < 5).fillna(value=False).to_numpy(bool))
    if len(short):
        zeros = _LostZeros(forms, own, state, city, short)
        done, reasons = zeros.completed(has_lost_zeros=has_lost_zeros)
        answers.iloc[short[done]] = zeros.padded[done]
        for at, code, reason in zip(short[done], zeros.padded[done], reasons[done], strict=True):
            notes.iloc[at] = f"ZIP {texts.iloc[at]!r} was read as {code}: {reason}"
    return answers.astype(object), notes


def clean_postal_codes(
    postal_codes: pd.Series, country: pd.Series | None = None, state: pd.Series | None = None
) -> pd.Series:
    """As ``read_postal_codes``, codes alone; without a state nothing is completed."""
    none = pd.Series(None, index=postal_codes.index, dtype=object)
    lands, states = (none if column is None else column for column in (country, state))
    return read_postal_codes(postal_codes, lands, states, none, has_lost_zeros=False)[0]


def lost_zeros(postal_codes: pd.Series) -> bool:
    """Tell whether a column of ZIP codes, by itself, shows that its leading zeros are lost."""
    texts = clean_text(postal_codes)
    forms = by_value(texts, zip_form)
    short = np.flatnonzero((forms.str.len() < 5).fillna(value=False).to_numpy(bool))
    none = pd.Series(None, index=texts.index, dtype=object)
    return bool(len(short)) and _LostZeros(forms, texts, none, none, short).is_shown


def zip_form(text: str) -> str | None:
    """The digits of a US ZIP code: five, or the three or four that are left; None if it is none."""
    plain = _unguarded(text)
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    for form in (_DIGITS, _PLUS_FOUR, _NINE, _BEHIND):
        if match := form.fullmatch(plain):
            return match[1]
    if _LETTERS.fullmatch(plain):
        return plain.translate(_DIGIT_OF)[:5]
    if match := _BEFORE.fullmatch(plain):
        code = zip_form(match[2])
        if code is not None and len(code) == 5 and _is_zip_prefix(match[1], code):
            return code
    return None


def state_before(text: str) -> str | None:
    """The state that stands before a ZIP code in its cell: "MA-02110"."""
    match = _BEFORE.fullmatch(_unguarded(text))
    state = codes.US_STATES.get(fold(match[1])) if match else None
    return state if state and zip_form(text) else None


def country_of(text: str) -> str | None:
    """The country that a postal code shows by its own form; None where it may be American."""
    plain = _unguarded(text)
    if _CANADIAN.fullmatch(plain):
        return "CA"
    if _BRITISH.fullmatch(plain):
        return "GB"
    match = _EUROPEAN.fullmatch(plain)
    return _CARS.get(match[1].upper()) if match and zip_form(text) is None else None


def _is_zip_prefix(letters: str, code: str) -> bool:
    """Tell whether letters before a ZIP code are its state's, or the country's."""
    word = fold(letters)
    if word in ("us", "usa", "zip"):
        return True
    state = codes.US_STATES.get(word)
    return state is not None and zip_states(load()).get(code, state) == state


def _has_letters(text: str) -> bool:
    """Tell whether letters stand for digits of a ZIP code."""
    return not text[:5].isdigit() and _LETTERS.fullmatch(text) is not None


def _unguarded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(_GUARDS)


def _canadian_code(text: str) -> str:
    code = fold(text).upper()
    if re.fullmatch(r"[A-Z]\d[A-Z]\d[A-Z]\d", code):
        return f"{code[:3]} {code[3:]}"
    return text.upper()


def _british_code(text: str) -> str:
    code = fold(text).upper()
    return f"{code[:-3]} {code[-3:]}" if re.fullmatch(r"[A-Z]{1,2}\d.*\d[A-Z]{2}", code) else text


class _LostZeros:
    """What speaks for completing the short codes of a column; one element for each of them."""

    def __init__(
        self,
        forms: pd.Series,
        texts: pd.Series,
        state: pd.Series,
        city: pd.Series,
        short: npt.NDArray[np.int64],
    ) -> None:
        self._forms, self._texts = forms, texts
        self.padded = forms.iloc[short].str.zfill(5).to_numpy(object)
        self._state, self._city = (one.iloc[short].to_numpy(object) for one in (state, city))
        known = zip_states(load())
        self._is_known = np.array([code in known for code in self.padded], bool)
        self._has_state: Bools = pd.notna(self._state)
        self._by_state = np.array(
            [
                state in _STATES_BY_PREFIX.get(code[:3], ())
                for code, state in zip(self.padded, self._state, strict=True)
            ],
            bool,
        )

    @cached_property
    def _by_city(self) -> Bools:
        by_city = np.zeros(len(self.padded), bool)
        for at in np.flatnonzero(~self._has_state & pd.notna(self._city)):
            prefixes = city_prefixes(load()).get(normalise_place(self._city[at]), ())
            by_city[at] = self.padded[at][:3] in prefixes
        return by_city

    @cached_property
    def is_confirmed(self) -> bool:
        """Whether states and cities confirm it of most that can be: files are merged of several."""
        confirmed = self._by_state | self._by_city
        stated = self._by_state[self._has_state]
        return bool(confirmed.sum() >= _ENOUGH) and (
            not len(stated) or bool(stated.mean() >= _LEAST_CONFIRMED)
        )

    @cached_property
    def is_proven(self) -> bool:
        """Whether the column lost its zeros for certain: that is confirmed, or all are numbers."""
        if self.is_confirmed:
            return True
        confirmed = self._by_state | self._by_city
        different = len(set(self.padded[self._is_known])) >= _ENOUGH
        is_number = any(_NUMBER.fullmatch(text) for text in self._texts.dropna().unique())
        return self.is_shown and bool(confirmed.any() or is_number or different)

    @cached_property
    def is_shown(self) -> bool:
        """Whether the column looks so: no code has a zero in front, and some must have had."""
        known = zip_states(load())
        whole = self._forms[(self._forms.str.len() == 5).fillna(value=False)].unique()
        ours = [code for code in whole if code in known]
        if any(code[0] == "0" for code in ours) or len(ours) < _LEAST_KNOWN * len(whole):
            return False
        if (self._by_state | self._by_city).any():
            return True
        cut_off = {code[:size] for code in ours for size in (3, 4)}
        is_slip = any(code.lstrip("0") in cut_off for code in self.padded)
        return bool(ours) and bool(self._is_known.all()) and not is_slip

    def completed(self, *, has_lost_zeros: bool | None) -> tuple[Bools, npt.NDArray[np.object_]]:
        """Which codes are to be completed, and what speaks for it."""
        reasons = np.full(len(self.padded), None, dtype=object)
        by_city = self._by_city
        for at in np.flatnonzero(self._by_state):
            reasons[at] = f"the state is {self._state[at]}"
        for at in np.flatnonzero(by_city):
            start = self.padded[at][:3]
            reasons[at] = f"{self._city[at]} has ZIP codes that begin with {start}"
        has_city = pd.notna(self._city)
        # A code that contradicts its state is only followed where a city can outvote it.
        rest = self._is_known & pd.isna(reasons)
        rest &= ~self._has_state | (has_city & self.is_confirmed)
        if (
            rest.any() and not self.is_proven
        ):  # then a state or a city that is silent speaks against
            is_shown = self.is_shown if has_lost_zeros is None else has_lost_zeros
            rest &= is_shown & ~has_city
        reasons[rest] = "its column has lost its leading zeros"
        return pd.notna(reasons), reasons


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
