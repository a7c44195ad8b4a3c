"""Lists of units in one cell: where one ends and the next begins, as people write them."""

from __future__ import annotations

import re

import pandas as pd

from territory.cleaning import US_STATES, fold

SEPARATOR = "|"
_PADDED = ("metro_area", "county", "zip_code")
_BREAKS = re.compile(r"[|;\n\r\t]")
_QUOTES = " \"'[]{}\u00a0="
_COUNTRY = ("us", "usa", "unitedstates", "unitedstatesofamerica")
# 60201 to 60203, 60201 - 60203: the blanks go, so that a range is one word.
_RANGE = re.compile(
    r"(?<=[\d*xX])\s*(?:[-\u2010-\u2015]|\.{2,}|\b(?:to|thru|through)\b)\s*(?=\d)", re.IGNORECASE
)
_BETWEEN_CODES = re.compile(r"[,/&+]|\band\b|\s", re.IGNORECASE)
_CODE = re.compile(r"['\"]?\d[\d\-]*(?:[*#?%_]+|[xX]+|\.{3}|\.0)?['\"]?")
# The end of a metro area's title: "IL-IN", "TX Metro Area".
_STATES_OF_METRO = re.compile(
    r"(?:[A-Z]{2}-)*[A-Z]{2}(?:$|\s+(?:metro|micro|\(|msa\b))", re.IGNORECASE
)


def split_units(text: str, kind: str | None = None) -> list[str]:
    """Take a cell apart into units.

    Units are parted by "|", ";", a line break or a comma, codes also by blanks. The comma of "Cook
    County, IL" parts nothing, unless ``kind`` is "state".

    >>> split_units("Cook County, IL, 17043; 60201 to 60203")
    ['Cook County, IL', '17043', '60201-60203']
    """
    units: list[str] = []
    for piece in _BREAKS.split(text.strip(_QUOTES)):
        ranged = _RANGE.sub("-", piece)
        words = [word for word in _BETWEEN_CODES.split(ranged) if word]
        if words and all(map(_CODE.fullmatch, words)):
            units += words
        else:
            units += _split_names(ranged, joins_states=kind != "state")
    return [unit for unit in (unit.strip(_QUOTES) for unit in units) if unit]


def _split_names(text: str, *, joins_states: bool) -> list[str]:
    """Part names at commas, but keep a state with the name before it."""
    names: list[str] = []
    is_open = False  # whether the last name could still be followed by its state
    for word in (part.strip(_QUOTES) for part in text.split(",")):
        if not word or (names and fold(word) in _COUNTRY):
            continue
        is_state = fold(word) in US_STATES or bool(_STATES_OF_METRO.match(word))
        if joins_states and is_state and is_open:
            names[-1] += f", {word}"
            is_open = False
        else:
            names.append(word)
            is_open = not word.isdigit() and not (is_state and len(word) == 2)
    return names


def clean_units(units: pd.Series, kind: pd.Series) -> pd.Series:
    """Units joined by "|", codes with the leading zeros that spreadsheets lose.

    Three digits of a ZIP code stay as they are: they are the beginning of many.
    """
    cells = zip(units, kind, strict=True)
    joined = [None if pd.isna(text) else _cell(str(text), one) for text, one in cells]
    return pd.Series(joined, index=units.index, dtype=object)


def _cell(text: str, kind: str | None) -> str | None:
    parts = split_units(text, kind)
    if kind in _PADDED:
        parts = [part.zfill(5) if part.isdigit() and len(part) > 3 else part for part in parts]
    return SEPARATOR.join(parts) or None
