"""Units of length: distances as people write them; inside the library, metres as a float."""

from __future__ import annotations

import math
import re

from territory.errors import LengthError

METRES_PER_MILE = 1609.344
METRES_PER_UNIT = {"mi": METRES_PER_MILE, "km": 1000.0, "m": 1.0}
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*([a-z]*)\s*", re.IGNORECASE)
_NAMES = {
    "mile": "mi",
    "miles": "mi",
    "kilometre": "km",
    "kilometres": "km",
    "metre": "m",
    "metres": "m",
}


def parse_length(text: str) -> float:
    """Read "50mi", "80.5 km" or "1200m" as metres.

    The unit is never guessed: a bare number is refused, because 50 may mean either.

    Raises
    ------
    LengthError
        If the text is no positive, finite distance with a unit.
    """
    match = _LENGTH.fullmatch(text)
    unit = match and _NAMES.get(match[2].lower(), match[2].lower())
    if not match or unit not in METRES_PER_UNIT:
        raise LengthError(
            f"{text!r} is not a distance. Write a number and mi, km or m, such as 50mi."
        )
    metres = float(match[1]) * METRES_PER_UNIT[unit]
    if not 0 < metres < math.inf:
        raise LengthError(
            f"{text!r} is not a distance that can be searched: it must be more than 0."
        )
    return metres


def to_miles(metres: float) -> float:
    """Convert metres to international miles. Works on arrays too."""
    return metres / METRES_PER_MILE


def format_square_miles(area_km2: float) -> str:
    """Write an area in square miles: "262 sq mi"; small ones with a decimal."""
    area = area_km2 / (METRES_PER_MILE / 1000) ** 2
    return f"{area:,.0f} sq mi" if area >= 10 else f"{max(area, 0.1):,.1f} sq mi"


def format_miles(metres: float, limit_m: float | None = None) -> str:
    """Write a distance in miles, rounded so that it never reads on the wrong side of ``limit_m``.

    One decimal as a rule; as many as it takes near the limit, so that 49.96 of 50 is not "50.0".
    """
    for digits in range(1, 10):
        text = f"{to_miles(metres):,.{digits}f}"
        if limit_m is None:
            break
        rounded, limit = float(text.replace(",", "")), round(to_miles(limit_m), 9)
        if (rounded <= limit) == (metres <= limit_m) and (rounded == limit) == (metres == limit_m):
            break
    return f"{text} mi"
