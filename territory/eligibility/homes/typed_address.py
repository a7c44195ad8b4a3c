"""One line in which a person types where somebody lives -> the columns of a home.

Nothing is looked up and nothing is guessed: what the line does not say plainly stays in ``street``
or ``city``, where it cannot place a home by itself.
"""

from __future__ import annotations

import re

from territory.cleaning import COUNTRIES, US_STATES, fold

LONGEST = 300
_DEGREES = r"([-+\N{MINUS SIGN}]?\d{1,3}(?:\.\d+)?)\s*°?\s*([NSEWnsew]?)"
_POINT = re.compile(rf"{_DEGREES}(?:\s*[,;]\s*|\s+){_DEGREES}")
_OWN_COUNTRY = re.compile(r",?\s+(USA|U\.S\.A\.|United States(?: of America)?)$", re.IGNORECASE)
_ZIP = re.compile(r"(?:(.*\D)\s+)?(\d{5}(?:-\d{4})?)")
_SHORT_ZIP = re.compile(r"(?:([A-Za-z]{2})\s+)?(\d{4})")  # 01001 whose zero a sheet has eaten
_BOX = re.compile(r"\bbox\b", re.IGNORECASE)


def read_typed(text: str) -> dict[str, str]:
    """Read "39.75, -105", "80202" or "1200 17th St, Denver, CO 80202".

    Returns
    -------
    home
        Those columns of ``eligibility_homes.PLACE`` that the line gives; empty for a blank line.
    """
    line = " ".join(text[:LONGEST].split()).strip(" ,;")
    return _read_point(line) or _read_address(line)


def _read_point(line: str) -> dict[str, str]:
    found = _POINT.fullmatch(line)
    if found is None:
        return {}
    first, second = (f"{number} {side.upper()}".strip() for number, side in
                     (found.group(1, 2), found.group(3, 4)))  # fmt: skip
    if first[-1] in "EW" and second[-1] in "NS":
        first, second = second, first
    return {"lat": first, "lon": second}


def _read_address(line: str) -> dict[str, str]:
    home: dict[str, str] = {}
    own = _OWN_COUNTRY.search(line)
    if own:
        home["country"], line = own[1], line[: own.start()]
    parts = [part.strip() for part in re.split(r"[,;]", line) if part.strip()]
    if len(parts) > 1 and fold(parts[-1]) in COUNTRIES and fold(parts[-1]) not in US_STATES:
        home["country"] = parts.pop()
    if not parts:
        return home
    last = _read_end(parts.pop(), parts, home)
    if last:
        parts.append(last)
    if parts and not any(sign.isdigit() for sign in parts[-1]) and not _BOX.search(parts[-1]):
        home["city"] = parts.pop()
    if parts:
        street = ", ".join(parts)
        home["street"] = line if _BOX.search(street) else street
    return home


def _read_end(part: str, before: list[str], home: dict[str, str]) -> str:
    """Take state and ZIP code off the last part, and off ``before``; give what is left of it."""
    found = _ZIP.fullmatch(part) or _SHORT_ZIP.fullmatch(part)
    if found:
        home["postal_code"], part = found[2], found[1] or ""
        if not part and before and fold(before[-1]) in US_STATES:
            part = before.pop()
    if fold(part) in US_STATES and (found or before):
        home["state"] = part
        return ""
    rest, _, word = part.rpartition(" ")
    if rest and re.fullmatch("[A-Z]{2}", word) and fold(word) in US_STATES:
        home["state"], part = word, rest
    return part
