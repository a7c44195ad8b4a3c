"""Degrees are read as people write them, or not at all."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.cleaning import rounding_m
from territory.cleaning.degrees import is_cut_off, parse_degrees, parse_pairs, parse_points


def column(*texts: object) -> pd.Series:
    return pd.Series(texts, dtype=object)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 599), st.sampled_from("NSEW"))
def test_minutes_and_seconds_are_parts_of_sixty(
    whole: int, minutes: int, tenths: int, letter: str
) -> None:
    seconds = tenths / 10
    degrees = (whole + minutes / 60 + seconds / 3600) * (-1 if letter in "SW" else 1)
    forms = (
        f"{whole}°{minutes:02}'{seconds}\"{letter}", f"{whole} {minutes} {seconds} {letter}",
        f"{letter} {whole}° {minutes}′ {seconds}″", f"{whole}:{minutes:02}:{seconds}{letter}",
        f"{whole}d{minutes}m{seconds}s{letter}", f"{whole}-{minutes:02}-{seconds}{letter}",
        f"{whole}° {minutes + seconds / 60:.9f}' {letter}",
        f"{whole} deg {minutes}' {seconds}\" {letter}",
    )  # fmt: skip
    assert parse_degrees(column(*forms)).tolist() == pytest.approx([degrees] * len(forms), abs=1e-8)


@pytest.mark.parametrize(
    "text", ["42.355.400", "42 60 10 N", "42.5 21 10 N", "-42 N", "42 35", "N 42 N", "1e400", "abc",
             "2026-11-05", "42,355,400", "10:30 am", "42 21 19 19"],
)  # fmt: skip
def test_what_is_no_angle_is_not_read(text: str) -> None:
    assert math.isnan(parse_degrees(column(text))[0])


@pytest.mark.parametrize(
    "text", ["42.3554, -71.0602", "42.3554,-71.0602", "(42.3554, -71.0602)", "42.3554 -71.0602",
             "POINT (-71.0602 42.3554)", "SRID=4326;POINT(-71.0602 42.3554)",
             '{"type": "Point", "coordinates": [-71.0602, 42.3554]}', "42,3554; -71,0602",
             "42.3554 N, 71.0602 W", "71.0602 W 42.3554 N", "N42.3554 W71.0602",
             "lat: 42.3554, lon: -71.0602", "lng=-71.0602;lat=42.3554", "42.3554/-71.0602"],
)  # fmt: skip
def test_both_coordinates_of_one_cell(text: str) -> None:
    for lat, lon in (parse_pairs(column(text)), parse_points(column(text), column(None))):
        assert (lat[0], lon[0]) == (42.3554, -71.0602)


def test_one_number_is_no_pair_and_letters_of_the_other_axis_decide() -> None:
    lat, lon = parse_points(column("42,3554", "71.06 W", "71.06 W"), column(None, "42.36 N", None))
    assert lat.tolist()[:2] == [42.3554, 42.36]
    assert lon.tolist()[1] == -71.06
    assert np.isnan([lon[0], lat[2], lon[2]]).all()


def test_bounds_of_a_field_are_no_places() -> None:
    values = pd.Series([-9.99999, 9.9999, 9.9999, 42.3, 99.9999, None, 9.9998, 999.999])
    assert is_cut_off(values).tolist() == [True, True, True, False, True, False, False, True]


@settings(deadline=None, derandomize=True)
@given(st.floats(-80, 80), st.floats(-179, 179), st.integers(0, 2))
def test_the_true_place_is_within_the_rounding(lat: float, lon: float, decimals: int) -> None:
    rounded = round(lat, decimals), round(lon, decimals)
    metres = rounding_m(np.array([rounded[1]]), np.array([rounded[0]]))[0]
    off = np.hypot(lat - rounded[0], (lon - rounded[1]) * math.cos(math.radians(lat))) * 111_320
    assert off <= metres * 1.05
    assert rounding_m(np.array([-71.0602]), np.array([42.3554]))[0] == 0
