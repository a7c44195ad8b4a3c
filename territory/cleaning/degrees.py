"""Degrees as people and programs write them: decimals, minutes and seconds, pairs in one cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from territory.cleaning.distinct import by_value

if TYPE_CHECKING:
    from collections.abc import Iterator

Axis: TypeAlias = Literal["lat", "lon"]

_SIGNS = str.maketrans(
    dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-")
    | dict.fromkeys("\u2032\u02b9\u2018\u2019\u00b4\u0060\u02bc", "'")
    | dict.fromkeys("\u2033\u02ba\u201c\u201d", '"')
    | dict.fromkeys("\u00ba\u02da\u2070", "\u00b0")
    | dict.fromkeys("\u00a0\u2009\u202f", " ")
)
_GUARD = re.compile(r"=?\"(.*)\"|'(.*?)'?", re.DOTALL)
_HEMISPHERE = r"N(?:orth)?|S(?:outh)?|E(?:ast)?|W(?:est)?"
_NUMBER = r"\d+(?:[.,]\d+)?"
_PLAIN = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_ANGLE = re.compile(
    rf"(?P<before>(?:{_HEMISPHERE})(?![a-z]))?\s*(?P<sign>[-+])?\s*(?P<degrees>{_NUMBER})"
    rf"\s*(?P<mark>\u00b0|deg(?:rees?)?\b\.?|d(?=\s?\d))?"
    rf"(?:(?:\s*:\s*|\s+|(?<=[\u00b0d])|-)(?P<minutes>{_NUMBER})\s*(?P<tick>'(?!')|min\b|m(?=\s?\d|\Z))?"
    rf"(?:(?:\s*:\s*|\s+|(?<=['m])|-)(?P<seconds>{_NUMBER})\s*(?:\"|''|sec\b|s(?![a-z\s]|\Z))?)?)?"
    rf"\s*(?P<after>{_HEMISPHERE})?",
    re.IGNORECASE,
)
_IN_WKT = re.compile(
    r"(?:SRID=\d+;\s*)?POINT\s*(?:Z|M|ZM)?\s*\(\s*([-+\d.eE]+)\s+([-+\d.eE]+)[\s\d.eE+-]*\)",
    re.IGNORECASE,
)
_IN_GEOJSON = re.compile(
    r"\"coordinates\"\s*:\s*\[\s*([-+\d.eE]+)\s*,\s*([-+\d.eE]+)", re.IGNORECASE
)
_LABEL = re.compile(r"\"?\b(lat|lon|lng|long)(?:itude)?\"?\s*[:=]?\s*", re.IGNORECASE)
_IN_LETTERS = re.compile(
    rf"(\d+)\s*d(?:eg)?\.?\s*({_NUMBER})\s*m(?:in)?\.?\s*({_NUMBER})\s*s(?:ec)?\.?(?=\s|\Z|[NSEW]\Z)",
    re.IGNORECASE,
)
_MINUTES = 60.0
_LAT, _LON = 90.0, 180.0
_CUT = re.compile(r"-?9{1,3}\.9{3,}0*")
_BELOW = 1.1e-3  # what may lack to a power of ten
_NINES = 6  # of a number that by itself can hardly be a place


def parse_degrees(column: pd.Series, axis: Axis | None = None) -> pd.Series:
    """Degrees (float, NaN where none can be read) of "38.9", "38,9", "77.2° W", "42°21'19.4\"N".

    Parameters
    ----------
    axis
        The one that the column is for: degrees of the other hemisphere pair are not read then.
    """
    if pd.api.types.is_numeric_dtype(column):
        plain = column.astype(float)
        return plain.where(np.isfinite(plain))
    plain = pd.to_numeric(column, errors="coerce").astype(float)
    plain = plain.where(np.isfinite(plain))
    rest = column[plain.isna() & column.notna()].astype(str)
    if len(rest):
        plain.loc[rest.index] = by_value(rest, lambda text: _degrees(text, axis)).astype(float)
    return plain


def parse_points(lat: pd.Series, lon: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Degrees of two columns of text (floats, NaN where none can be read).

    A cell that holds both ("42.3554, -71.0602") gives both where the other cell is blank or says
    the same; letters that name the other axis ("71.06 W" under lat, "42.36 N" under lon) decide.
    """
    lats = parse_degrees(lat, "lat").to_numpy(float, copy=True)
    lons = parse_degrees(lon, "lon").to_numpy(float, copy=True)
    is_unread = (np.isnan(lats) & lat.notna()) | (np.isnan(lons) & lon.notna())
    for at in np.flatnonzero(is_unread.to_numpy(bool)).tolist():
        texts = lat.iloc[at], lon.iloc[at]
        point = _point_of(*(None if pd.isna(text) else str(text) for text in texts))
        if point is not None:
            lats[at], lons[at] = point
    return pd.Series(lats, index=lat.index), pd.Series(lons, index=lon.index)


def parse_pairs(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Latitudes and longitudes (floats, NaN where none can be read) of cells that hold both.

    "42.3554, -71.0602" has the latitude first, as people write it; "POINT (-71.06 42.36)" and
    GeoJSON have it second. Letters, labels and numbers beyond 90 decide otherwise.
    """
    points = by_value(column, lambda text: _pair(text, is_certain=True))
    lat = points.map(lambda point: point[0], na_action="ignore").astype(float)
    return lat, points.map(lambda point: point[1], na_action="ignore").astype(float)


def is_cut_off(column: pd.Series) -> pd.Series:
    """Tell which degrees are the largest that some field could hold, such as -9.99999.

    A program that writes -87.63 into a field with room for one digit before the point leaves the
    bound of the field there. One such number of six nines counts, a shorter one where it comes
    again.
    """
    cut = pd.Series(data=False, index=column.index)
    size = np.abs(column.to_numpy(float))
    with np.errstate(invalid="ignore"):
        is_near = sum(np.abs(size - bound) < _BELOW for bound in (10.0, 100.0, 1000.0))
    at = np.flatnonzero(is_near)
    texts = pd.Series([f"{value:.10g}" for value in column.iloc[at]], dtype=object)
    counts = texts[[bool(_CUT.fullmatch(text)) for text in texts]].value_counts()
    bounds = [t for t, count in counts.items() if count > 1 or str(t).count("9") >= _NINES]
    cut.iloc[at[texts.isin(bounds).to_numpy(bool)]] = True
    return cut


def _degrees(text: str, axis: Axis | None = None) -> float | None:
    reading = _angle(text)
    if reading is None:
        return None
    value, letter_axis = reading
    return value if letter_axis is None or axis in (None, letter_axis) else None


def _angle(text: str) -> tuple[float, Axis | None] | None:
    """Read degrees and the axis that a letter of them names."""
    text = _bare(text)
    if _PLAIN.fullmatch(text):
        value = float(text.replace(",", "."))
        return (value, None) if np.isfinite(value) else None
    match = _ANGLE.fullmatch(text)
    if match is None or (match["before"] and match["after"]):
        return None
    letter = (match["before"] or match["after"] or "").upper()[:1]
    parts = [match[name] for name in ("degrees", "minutes", "seconds")]
    is_marked = bool(match["mark"] or match["tick"] or letter or ":" in text or parts[2])
    numbers = [float(part.replace(",", ".")) for part in parts if part]
    if len(numbers) > 1 and not (is_marked and _is_sexagesimal(numbers)):
        return None
    if not letter and "-" in text[1:]:  # 42-21-19 could be a date or a range
        return None
    value = sum(number / _MINUTES**power for power, number in enumerate(numbers))
    if match["sign"] == "-":
        if letter in ("N", "E"):
            return None
        value = -value
    elif letter in ("S", "W"):
        value = -value
    axis: Axis | None = None if not letter else "lat" if letter in "NS" else "lon"
    return value, axis


def _bare(text: str) -> str:
    """Take off what guards a cell against a spreadsheet, and write signs in one way."""
    text = _IN_LETTERS.sub("\\1\u00b0\\2'\\3\"", text.translate(_SIGNS)).strip()
    if (match := _GUARD.fullmatch(text)) and (inner := (match[1] or match[2] or "").strip()):
        text = inner
    return text


def _is_sexagesimal(numbers: list[float]) -> bool:
    """Tell whether all but the last are whole, and minutes and seconds below sixty."""
    is_whole = all(number.is_integer() for number in numbers[:-1])
    return is_whole and all(number < _MINUTES for number in numbers[1:])


def _point_of(lat: str | None, lon: str | None) -> tuple[float, float] | None:
    """Read the two cells of a row that cannot be read each by itself."""
    if lat is None or lon is None or lat.strip() == lon.strip():
        text = lat or lon
        return None if text is None else _pair(text, is_certain=False)
    first, second = _angle(lat), _angle(lon)
    if first and second and (first[1], second[1]) == ("lon", "lat"):
        return second[0], first[0]
    return None


def _pair(text: str, *, is_certain: bool) -> tuple[float, float] | None:
    """Read latitude and longitude of one text; ``is_certain``: the cell is known to hold both."""
    text = _bare(text)
    for pattern in (_IN_WKT, _IN_GEOJSON):
        if match := pattern.search(text):
            return _ordered(_angle(match[2]), _angle(match[1]))
    labels = [label.lower() for label in _LABEL.findall(text)]
    text = _LABEL.sub(" ", text).strip(" ()[]{}")
    for first, second in _halves(text, is_certain=is_certain or bool(labels)):
        one, other = _angle(first), _angle(second)
        if one is None or other is None:
            continue
        if labels[:1] and labels[0] != "lat":
            one, other = other, one
        point = _ordered(one, other)
        if point is not None:
            return point
    return None


def _halves(text: str, *, is_certain: bool) -> Iterator[tuple[str, str]]:
    """Give the ways to part a text in two."""
    for mark in (";", "|", "/", ", ", "\n", "\t"):
        if text.count(mark) == 1:
            first, _, second = text.partition(mark)
            yield first, second
    if text.count(",") == 1:
        first, _, second = text.partition(",")
        # "42,3554" is one number with a decimal comma.
        if is_certain or second.lstrip().startswith("-") or ("." in first and "." in second):
            yield first, second
    if match := re.fullmatch(r"([NSEW].*?)\s*[,;]?\s*([NSEW].+?)", text, re.IGNORECASE):
        yield match[1], match[2]
    if match := re.fullmatch(r"(.*[NSEW])\s*[,;]?\s*(.+?)", text, re.IGNORECASE):
        yield match[1], match[2]
    if match := re.fullmatch(rf"(\S+)\s+([-+]?{_NUMBER})", text):
        yield match[1], match[2]


def _ordered(
    lat: tuple[float, Axis | None] | None, lon: tuple[float, Axis | None] | None
) -> tuple[float, float] | None:
    """Put latitude before longitude, where letters or sizes say that they changed places."""
    if lat is None or lon is None:
        return None
    (first, first_axis), (second, second_axis) = lat, lon
    if first_axis is not None and first_axis == second_axis:
        return None
    is_swapped = first_axis == "lon" or second_axis == "lat"
    if first_axis is second_axis is None:
        is_swapped = abs(first) > _LAT >= abs(second)
    if is_swapped:
        first, second = second, first
    return (first, second) if abs(first) <= _LAT and abs(second) <= _LON else None
