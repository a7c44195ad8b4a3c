"""Addresses in one cell: "20 Mill Rd, Portland, ME 04101, USA" taken apart.

What counts is the last city, state and ZIP code of a text; behind them only a country may stand.
A state is only read from the end of a cell where it can be nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from territory.cleaning import codes
from territory.cleaning.city_tables import cities_by_area
from territory.cleaning.codes import fold
from territory.cleaning.postal_codes import country_of
from territory.reference import load, normalise_place

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST = 300  # signs of a cell that are read
_BREAKS = re.compile(r"<br\s*/?>|[\r\n|;]+|\s[\u2022\u00b7]\s", re.IGNORECASE)
_ZIP = re.compile(r"(?<![\w-])(\d{5}|\d{4}$)(?:\s?[-\u2013]\s?\d{4})?(?![\w-])")
_STREET = re.compile(
    r"\d|\b(?:st|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|hwy|highway|pkwy|parkway|"
    r"suite|ste|floor|box|plaza|way|building|bldg)\.?(?=$|\s)",
    re.IGNORECASE,
)
_CANADIAN = re.compile(r"\b([ABCEGHJ-NPRSTVXY]\d[A-Z])\s?(\d[A-Z]\d)$", re.IGNORECASE)
_BRITISH = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})$", re.IGNORECASE)
_CODE_FIRST = re.compile(r"((?:[A-Z]{1,3}\s?-\s?)?\d{4,6}|\d{3}\s\d{2}|\d{2}-\d{3})\s+(\D{2,})")
_CODE_LAST = re.compile(r"(\D{2,}?)\s+(\d{4,7}|\d{5}-\d{3}|\d{3}-\d{4}|\d{3}\s\d{2,3})")
_LONGEST_CODE = 3
_MOST_WORDS = 5  # of the name of a city, where no comma says where it begins
# Signs of a cell of a city that hold more than its name: a comma, a digit, a state behind it.
COMPOUND = re.compile(r"[,;|\n<]|\d|\s[A-Z]{2}\.?$|\s[A-Z]\.[A-Z]\.$")

Parts = dict[str, str]


def read_one_line(text: str) -> Parts:
    """Read the parts of an address in one cell: street, city, state, postal_code, country.

    States and countries come out as codes, the rest as it is written. Empty where no city with a
    state, a country or a postal code can be told; "rest" is what stands behind the address.
    """
    line = _BREAKS.sub(", ", text[:_LONGEST])
    line = " ".join(line.split()).strip(" ,.")
    return _by_zip(line) or _by_end(line) or {}


def _by_zip(line: str) -> Parts:
    """Read by the last ZIP code with a state before it."""
    for match in reversed(list(_ZIP.finditer(line))):
        segments = _segments(line[: match.start()])
        if not segments:
            continue
        state, before = _state_at_end(segments.pop())
        if state is None:
            continue
        if before:
            segments.append(before)
        if not segments and state == "DC":
            segments.append("Washington")
        parts = _with_city(segments, state)
        behind = line[match.end() :].strip(" ,.()")
        if behind and codes.COUNTRIES.get(fold(behind)) == "US":
            behind = ""
        return (
            parts | {"state": state, "postal_code": match[1]} | ({"rest": behind} if behind else {})
        )
    return {}


def _by_end(line: str) -> Parts:
    """Read by the state, province or country that the line ends with."""
    segments = _segments(line)
    if len(segments) == 1:
        return _without_comma(segments[0])
    if not segments:
        return {}
    code = _CODE_FIRST.fullmatch(segments[-1])
    if code and (foreign := country_of(code[1])):
        return _abroad(segments, foreign)
    if re.fullmatch(r"\d{5}(?:-\d{4})?", segments[-1]) and not _STREET.search(segments[-2]):
        street = ", ".join(segments[:-2])
        parts = {"city": segments[-2], "postal_code": segments[-1]}
        return parts | ({"street": street} if street else {})
    country = codes.COUNTRIES.get(fold(segments[-1]))
    if country == "US":
        segments.pop()
        if len(segments) == 1:
            return _without_comma(segments[0], need=False) | {"country": "US"}
        return _by_state(segments) | {"country": "US"}
    home = _by_state(segments)
    is_known = bool(home.get("city")) and _is_city(home["city"], home["state"])
    if home and (is_known or country is None):
        return home
    province = _by_province(segments, country)
    if province:
        return province
    if country is not None:
        abroad = _abroad(segments[:-1], country)
        is_there = _is_city(abroad.get("city", ""), f"country {country}")
        is_code = len(fold(segments[-1])) <= _LONGEST_CODE  # of two or three letters, by chance
        if is_there or not (home or (is_code and "postal_code" not in abroad)):
            return abroad
    return home


def _segments(text: str) -> list[str]:
    return [part for part in (one.strip(" .-") for one in text.split(",")) if part]


def _state_at_end(segment: str) -> tuple[str | None, str]:
    """The state that a segment ends with, the longest name first, and what stands before it."""
    words = segment.split()
    for size in (3, 2, 1):
        if len(words) < size:
            continue
        word = " ".join(words[-size:])
        state = codes.US_STATES.get(fold(word))
        before = " ".join(words[:-size])
        if state == "DC" and size > 1 and fold(word).startswith("washington"):
            before = f"{before}, Washington" if before else "Washington"
        if state:
            return state, before.rstrip(" -")
    return None, segment


def _with_city(segments: list[str], state: str) -> Parts:
    """The city is the last of some segments, or the end of it where a street goes before."""
    if not segments:
        return {}
    last = segments[-1].split(", ")[-1]
    before = [*segments[:-1], *segments[-1].split(", ")[:-1]]
    known = _cities(state)
    city = last
    if normalise_place(last) not in known:
        words = last.split()
        for size in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
            if normalise_place(" ".join(words[-size:])) in known:
                if _STREET.search(" ".join(words[:-size])):
                    city = " ".join(words[-size:])
                break
        else:
            if _STREET.search(last):
                city = ""
    street = ", ".join([*before, last[: len(last) - len(city)].strip()]).strip(" ,")
    return {name: part for name, part in (("street", street), ("city", city)) if part}


def _by_state(segments: list[str]) -> Parts:
    """Read "..., City, ST" and "..., City ST"."""
    state, before = _state_at_end(segments[-1])
    if state is None:
        return {}
    if before and before != "Washington":
        if not re.search(r"[\s.][A-Z]{2}$", segments[-1]):  # a state's name may be part of a city's
            return {}
        parts = _with_city([*segments[:-1], before], state)
    else:
        parts = _with_city([*segments[:-1], *([before] if before else [])], state)
    return parts | {"state": state} if parts.get("city") else {}


def _by_province(segments: list[str], country: str | None) -> Parts:
    """Read "..., Toronto, ON M5V 2T6" with Canada behind it or not."""
    if country not in (None, "CA"):
        return {}
    before = segments[:-1] if country else list(segments)
    code = _CANADIAN.search(before[-1]) if before else None
    if code:
        rest = before.pop()[: code.start()].strip(" ,")
        before += [rest] if rest else []
    if not before:
        return {}
    words = before[-1].split()
    province, name = None, ""
    for size in (3, 2, 1):
        if len(words) >= size:
            province = codes.CANADIAN_PROVINCES.get(fold(" ".join(words[-size:])))
            if province:
                name = " ".join(words[:-size])
                break
    if province is None or not (code or country or len(segments) > 1):
        return {}
    before = [*before[:-1], *([name] if name else [])]
    if not before:
        return {}
    parts = {"city": before[-1], "state": province, "country": "CA"}
    if code:
        parts["postal_code"] = f"{code[1]} {code[2]}".upper()
    street = ", ".join(before[:-1])
    return parts | ({"street": street} if street else {})


def _abroad(segments: list[str], country: str) -> Parts:
    """Read the city and the postal code before the name of a country."""
    if not segments:
        return {}
    last = segments[-1]
    parts: Parts = {"country": country}
    british = _BRITISH.search(last) if country == "GB" else None
    if british:
        parts["postal_code"] = british[1].upper()
        last = last[: british.start()].strip(" ,")
    elif match := _CODE_FIRST.fullmatch(last):
        parts["postal_code"], last = match[1], match[2]
    elif match := _CODE_LAST.fullmatch(last):
        last, parts["postal_code"] = match[1], match[2]
    before = segments[:-1]
    if not last and before:
        last = before.pop()
    if not last or any(sign.isdigit() for sign in last):
        return {}
    area = f"country {country}"
    if before and not _is_city(last, area) and _is_city(before[-1], area):  # "Perth, WA"
        parts["state"], last = last, before.pop()
    street = ", ".join(before)
    return parts | {"city": last} | ({"street": street} if street else {})


def _without_comma(line: str, *, need: bool = True) -> Parts:
    """Read "Portland ME", "Boston 02110", "10115 Berlin" and "Paris (France)"."""
    if match := re.fullmatch(r"(.{2,}?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]", line):
        country = codes.COUNTRIES.get(fold(match[2]))
        state = codes.US_STATES.get(fold(match[2]))
        if state and _is_city(match[1], state):
            return {"city": match[1], "state": state}
        if country and _is_city(match[1], f"country {country}"):
            return {"city": match[1], "country": country}
    state, before = _state_at_end(line)
    is_code = state is not None and bool(re.search(r"\s(?:[A-Z]{2}|[A-Z]\.[A-Z])\.?$", line))
    if state and before and is_code and not _STREET.search(before) and _is_city(before, state):
        return {"city": before, "state": state}
    if state and before and (is_code or not need):
        parts = _with_city([before], state)
        if parts.get("street") and parts.get("city"):
            return parts | {"state": state}
    match = re.fullmatch(r"(\D{2,}?)\s+(\d{5})(?:-\d{4})?", line)
    if match and not _STREET.search(match[1]):
        return {"city": match[1].strip(), "postal_code": match[2]}
    if match := _CODE_FIRST.fullmatch(line):
        parts = {"city": match[2].strip(), "postal_code": match[1]}
        country = country_of(match[1])
        return parts | ({"country": country} if country else {})
    return {} if need else {"city": line}


def _cities(area: str) -> Collection[str]:
    return cities_by_area(load()).get(area, frozenset())


def _is_city(name: str, area: str) -> bool:
    return normalise_place(name) in _cities(area)
