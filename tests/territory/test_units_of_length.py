"""Distances are read with a unit and shown on the right side of a limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from territory.errors import LengthError
from territory.units_of_length import METRES_PER_MILE, format_miles, parse_length

FIFTY = 50 * METRES_PER_MILE


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("50mi", 80_467.2),
        (" 50 MI ", 80_467.2),
        ("80.5 km", 80_500),
        ("1200m", 1200),
        (".5mi", 804.672),
    ],
)
def test_a_distance_with_a_unit_is_read_as_metres(text: str, metres: float) -> None:
    assert parse_length(text) == pytest.approx(metres, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["50", "-5mi", "0mi", "mi", "", "fifty miles", "5 furlongs", "nan mi", "1e3mi"]
)
def test_anything_else_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(LengthError, match=repr(text)[1:-1].replace(".", r"\.") or "''"):
        parse_length(text)


@given(st.floats(0, 2e7))
@example(FIFTY)
@example(math.nextafter(FIFTY, 0))
@example(math.nextafter(FIFTY, math.inf))
@example(49.96 * METRES_PER_MILE)
def test_a_shown_distance_never_crosses_the_limit(metres: float) -> None:
    shown = float(format_miles(metres, FIFTY).removesuffix(" mi").replace(",", ""))
    if abs(metres - FIFTY) > 1e-5:
        assert (shown < 50) == (metres < FIFTY)
        assert (shown > 50) == (metres > FIFTY)


def test_near_the_limit_as_many_digits_as_it_takes_are_shown() -> None:
    assert format_miles(49.96 * METRES_PER_MILE, FIFTY) == "49.96 mi"
    assert format_miles(49.96 * METRES_PER_MILE) == "50.0 mi"
    assert format_miles(FIFTY, FIFTY) == "50.0 mi"
    assert format_miles(22.34 * METRES_PER_MILE, FIFTY) == "22.3 mi"
