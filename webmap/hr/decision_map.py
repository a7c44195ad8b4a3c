"""What is drawn of a decision: its place on the line of the limit, and the data of its map.

The line is made from the record alone, the map needs the place of the home and so is part of the
answer to a check only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.decision import spread
from territory.eligibility.rules import UNIT_WORDS, measure_text, policy_from
from territory.geodesy import inverse, ring
from territory.labels import PRECISION
from webmap.maps import MAINLAND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.eligibility.rules import Criterion

WIDTH = 368.0  # of the line, in the units of its picture
LABEL = 46.0  # room that a number takes
RING_VERTICES, AREA_VERTICES = 256, 128
# The data of a map on which nothing is but the ground.
EMPTY_MAP = {"frame": [[MAINLAND[1], MAINLAND[0]], [MAINLAND[3], MAINLAND[2]]]}
_EARTH_M = 6_371_000.0
_MOST_LAT = 84.0


@dataclass(frozen=True)
class Number:
    """A number under the line: where it stands and on which side of that place it is written."""

    x: float
    anchor: str
    text: str


@dataclass(frozen=True)
class Line:
    """The line of the limit; x from 0 to ``WIDTH``, ``high`` beyond it for "or more"."""

    limit_x: float
    low_x: float
    high_x: float
    point_x: float
    limit: str
    numbers: tuple[Number, ...]
    is_near: bool
    words: str


@dataclass(frozen=True)
class LimitMeasure:
    """What the criterion that decided measured, metres or seconds."""

    criterion: Criterion
    value: float
    low: float
    high: float
    office: Mapping[str, Any]


def limit_measure(record: Mapping[str, Any]) -> LimitMeasure | None:
    """Read from a record what its decision was measured by; None where no distance decided."""
    decision = record["decision"]
    if decision["criterion"] is None or decision["basis"] != "distance":
        return None
    at = int(decision["criterion"]) - 1
    criterion = policy_from(record["policy"]["rule"], "the recorded policy").any_of[at]
    part = record["facts"]["measures"][at]
    value = float(part["value"])
    off = float(spread(criterion, np.array([decision["uncertainty_m"] or 0.0]))[0])
    high = math.inf if part["is_lower_bound"] else value + off
    return LimitMeasure(criterion, value, max(value - off, 0.0), high, part)


def line(record: Mapping[str, Any]) -> Line | None:
    """Draw the distance with both its ends beside the limit; None where no distance decided."""
    measure = limit_measure(record)
    if measure is None:
        return None
    limit = measure.criterion.limit_si
    ends = [end for end in (measure.low, measure.value, measure.high) if math.isfinite(end)]
    half = max(1.5 * max(abs(end - limit) for end in ends), limit / 10)
    left, right = max(0.0, limit - half), limit + half

    def x(measure: float) -> float:
        return round(WIDTH * min((measure - left) / (right - left), 1.2), 1)

    unit = measure.criterion.unit
    limit_text = f"limit {measure.criterion.limit:g} {unit}"
    return Line(
        limit_x=x(limit),
        low_x=x(measure.low),
        high_x=x(measure.high),
        point_x=x(measure.value),
        limit=limit_text,
        numbers=_numbers(measure, x(measure.low), x(measure.value), x(measure.high)),
        is_near=measure.criterion.is_near,
        words=f"{_between(measure)}; the {limit_text}",
    )


def _between(measure: LimitMeasure) -> str:
    """Say how far the home is, for whoever does not see the line."""
    if measure.low == measure.high:
        return f"The home is {measure_text(measure.value, measure.criterion)} away"
    if math.isinf(measure.high):
        return f"The home is at least {measure_text(measure.low, measure.criterion)} away"
    low, high = (measure_text(end, measure.criterion) for end in (measure.low, measure.high))
    return f"The home is between {low} and {high} away"


def _numbers(measure: LimitMeasure, low_x: float, x: float, high_x: float) -> tuple[Number, ...]:
    """Write the ends only where they do not meet the number between them."""
    unit = measure.criterion.unit
    text = _bare(measure.value, measure)
    numbers = [_number(x, text if text.endswith(unit) else f"{text} {unit}")]
    if x - low_x >= LABEL:
        numbers.append(_number(low_x, _bare(measure.low, measure)))
    if high_x - x >= LABEL and high_x <= WIDTH:
        numbers.append(_number(high_x, _bare(measure.high, measure)))
    return tuple(numbers)


def _bare(value: float, measure: LimitMeasure) -> str:
    """Write a measure without its unit, on its side of the limit."""
    text = measure_text(value, measure.criterion)
    if not text.startswith("just"):
        return text.partition(" ")[0]
    words, unit = UNIT_WORDS[measure.criterion.unit][0], measure.criterion.unit
    return f"{text.removesuffix(words)}{unit}"


def _number(x: float, text: str) -> Number:
    if x < LABEL / 2:
        return Number(max(x, 0.0), "start", text)
    return Number(x, "end" if x > WIDTH - LABEL / 2 else "middle", text)


def map_data(record: Mapping[str, Any], home: Mapping[str, Any]) -> dict[str, Any]:
    """Make what ``static/hr/map.js`` reads from the page: the frame alone where nothing is drawn.

    Parameters
    ----------
    home
        Where ``desk.decide_one`` placed it: ``lon``, ``lat``, ``uncertainty_m``,
        ``precision``.
    """
    measure = limit_measure(record)
    if measure is None or pd.isna(home["lon"]):
        return EMPTY_MAP
    lon, lat = float(measure.office["office_lon"]), float(measure.office["office_lat"])
    home_lon, home_lat = float(home["lon"]), float(home["lat"])
    turns = 360.0 * round((lon - home_lon) / 360)  # across the antimeridian
    off = float(np.nan_to_num(home["uncertainty_m"]))
    reach = float(inverse([home_lon], [home_lat], [lon], [lat])[0]) + off
    has_ring = measure.criterion.method == "geodesic" and measure.criterion.origin == "office"
    limit = measure.criterion.limit_si if has_ring else 0.0
    return {
        "office": {"name": f"{measure.office['office_name']} office", "lat": lat, "lon": lon},
        "ring": _outline(lon, lat, limit, RING_VERTICES) if has_ring else None,
        "ring_words": f"{measure.criterion.limit:g} {measure.criterion.unit}" if has_ring else None,
        "home": {"lat": home_lat, "lon": home_lon + turns, "words": _home_words(home, off)},
        "area": _outline(home_lon, home_lat, off, AREA_VERTICES, turns) if off else None,
        "frame": _frame(lon, lat, 1.08 * max(limit, reach)),
    }


def _home_words(home: Mapping[str, Any], off: float) -> str:
    return f"Home ({PRECISION[home['precision']] if off else 'coordinates given'})"


def _outline(
    lon: float, lat: float, radius_m: float, vertices: int, turns: float = 0.0
) -> list[list[float]]:
    """Draw a ring as Leaflet takes it, (lat, lon), so many degrees further east."""
    points = ring(lon, lat, radius_m, vertices)[:, ::-1] + [0.0, turns]
    outline: list[list[float]] = np.round(points, 5).tolist()
    return outline


def _frame(lon: float, lat: float, reach_m: float) -> list[list[float]]:
    """Give the box round the office that all fits in.

    It is the same whichever way the home lies, and so are the tiles that it asks for.
    """
    up = math.degrees(reach_m / _EARTH_M)
    aside = min(up / math.cos(math.radians(min(abs(lat), _MOST_LAT))), 180.0)
    south, north = max(lat - up, -_MOST_LAT), min(lat + up, _MOST_LAT)
    return [[south, lon - aside], [north, lon + aside]]
