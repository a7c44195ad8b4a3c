"""Cells as people write them are read as what they mean."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import cleaning, codes, reference
from territory.coordinates import faults, in_united_states, suspects


def one(text: str | None) -> pd.Series:
    return pd.Series([text], dtype=object)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("c. 38,000 (2024)", 38_000),
        ("~2,500", 2_500),
        ("approx. 1.200", 1_200),
        ("38.000", 38_000),
        ("38 000", 38_000),
        ("2.1M", 2_100_000),
        ("38k", 38_000),
        ("38 thousand", 38_000),
        ("1,001-5,000", 1_001),
        ("10,001+", 10_001),
        ("12 employees", 12),
        ("1,234.0", 1_234),
        ("over 100,000", 100_000),
        ("0", 0),
        ("-1", None),
        ("lots", None),
        ("12%", None),
        ("inf", None),
        ("FY 2024", None),
    ],
)
def test_employees_are_read_as_people_write_them(text: str, count: float | None) -> None:
    read = cleaning.parse_employees(one(text))[0]
    assert math.isnan(read) if count is None else read == count


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("US$ 24.9 billion (2025)", 24.9e9),
        ("$681,000,000,000", 681e9),
        ("2.1M", 2.1e6),
        ("USD 12m", 12e6),
        ("1.2T", 1.2e12),
        ("(502.2)", -502.2),
        ("$(502.2)", -502.2),
        ("-$5m", -5e6),
        ("$-5m", -5e6),
        ("US$3.2 billion (€2.9bn)", 3.2e9),
        ("$1M-$5M", 1e6),
        ("10-50M", 10e6),
        ("24.9 billion USD", 24.9e9),
        ("1.234.567,89", 1_234_567.89),
        ("1,5 Mio", 1.5e6),
        ("USD 1 200 000", 1.2e6),
        ("24.9 billion (2025), 22 (2024)", 24.9e9),
        ("24.900", 24.9),
        ("€3.2bn", None),
        ("JP¥ 2 trillion", None),
        ("C$ 4bn", None),
        ("24.9 billion EUR", None),
        ("3 bn CHF", None),
        ("FY2024 $3bn", None),
        ("unknown", None),
    ],
)
def test_money_is_read_as_dollars_or_not_at_all(text: str, dollars: float | None) -> None:
    read = cleaning.parse_money(one(text))[0]
    assert math.isnan(read) if dollars is None else read == pytest.approx(dollars)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(0, 10**12))
def test_a_figure_reads_the_same_however_it_is_grouped(number: int) -> None:
    written = [f"{number}", f"{number:,}", f"US$ {number:,} (2025)", f"c. {number:,}"]
    assert cleaning.parse_money(pd.Series(written)).tolist() == [number] * 4
    assert cleaning.parse_employees(pd.Series(written[:2])).tolist() == [number] * 2


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.lists(st.none() | st.text(), max_size=8))
def test_whatever_is_written_gives_an_answer_for_each_row(texts: list[str | None]) -> None:
    column = pd.Series(texts, index=range(5, 5 + len(texts)), dtype=object)
    for read in (
        cleaning.parse_money,
        cleaning.parse_employees,
        cleaning.parse_degrees,
        cleaning.parse_dates,
        cleaning.clean_text,
        cleaning.clean_postal_codes,
        cleaning.clean_countries,
    ):
        assert read(column).index.equals(column.index)


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("1001", None, "01001"),
        ("501", "US", "00501"),
        ("1001.0", "US", "01001"),
        ("35294-0110", "US", "35294"),
        ("352940110", "US", "35294"),
        ("10010110", "US", "01001"),
        ("1001-0110", "US", "01001"),
        (" 60606 ", "US", "60606"),
        ("m5v2t6", "CA", "M5V 2T6"),
        ("sw1a1aa", "GB", "SW1A 1AA"),
        ("1001", "HU", "1001"),
        ("ABC", "US", "ABC"),
        ("N/A", "US", None),
    ],
)
def test_postal_codes_get_the_form_of_their_country(
    text: str, country: str | None, code: str | None
) -> None:
    assert cleaning.clean_postal_codes(one(text), one(country))[0] == code


@pytest.mark.parametrize(
    ("text", "country", "state"),
    [
        ("wisconsin", None, "WI"),
        ("D.C.", "US", "DC"),
        ("Mass.", "US", "MA"),
        ("tx", "US", "TX"),
        ("Ontario", None, "ON"),
        ("Québec", "CA", "QC"),
        ("ZZ", "US", "ZZ"),
        ("Bayern", "DE", "Bayern"),
        ("WA", "AU", "WA"),
    ],
)
def test_states_become_codes_where_they_have_one(
    text: str, country: str | None, state: str
) -> None:
    assert cleaning.clean_states(one(text), one(country))[0] == state


@pytest.mark.parametrize(
    ("text", "code"),
    [("U.S.A.", "US"), ("united states of america", "US"), ("England", "GB"), ("KOR", "KR"),
     ("Côte d'Ivoire", "CI"), ("Curacao", "CW"), ("NA", "NA"), ("Freedonia", None)],
)  # fmt: skip
def test_countries_become_codes(text: str, code: str | None) -> None:
    assert cleaning.clean_countries(one(text))[0] == code


def test_no_spelling_means_two_things() -> None:
    for text in (codes._STATES, codes._PROVINCES, codes._STATUSES, codes._SEGMENTS):
        spellings = [
            (codes.fold(spelling), entry.split()[0])
            for entry in text.replace("\n", " ").split(";")
            for spelling in (entry.split()[0], *entry.strip().partition(" ")[2].split(","))
            if spelling.strip()
        ]
        assert len({name for name, _ in set(spellings)}) == len(set(spellings))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T10:00:00Z", "2026-11-01"),
        ("11/1/2026", "2026-11-01"),
        ("1.11.2026", "2026-11-01"),
        ("Nov 1, 2026", "2026-11-01"),
        ("2026-02-30", None),
        ("soon", None),
    ],
)
def test_dates_are_days(text: str, day: str | None) -> None:
    assert cleaning.parse_dates(one(text))[0] == day


def test_degrees_may_name_their_hemisphere() -> None:
    texts = pd.Series(["38.9", "38,9", "77.2° W", "33.9 S", "N/A", None])
    read = cleaning.parse_degrees(texts).to_numpy()
    np.testing.assert_array_equal(read, [38.9, 38.9, -77.2, -33.9, np.nan, np.nan])


@pytest.mark.parametrize(
    ("lon", "lat", "american", "told"),
    [
        (-77.2, 38.9, True, None),
        (13.4, 52.5, False, None),
        (13.4, 52.5, True, None),
        (38.9, -77.2, True, "the other way round"),
        (38.9, -77.2, False, "were they swapped?"),
        (77.2, 38.9, True, "with lon negative"),
        (38.9, -122.4, False, "off the globe (were they swapped?)"),
        (200.0, 10.0, False, "lon=200 is off the globe"),
        (float("inf"), 10.0, False, "off the globe"),
        (144.8, 13.5, True, None),
        (-170.7, -14.3, True, None),
        (179.0, 52.0, True, None),
        (np.nan, np.nan, True, None),
    ],
)
def test_coordinates_that_cannot_be_meant_are_told(
    lon: float, lat: float, american: bool, told: str | None
) -> None:
    x, y = np.array([lon]), np.array([lat])
    reason, remedy = faults(x, y, np.array([american]))
    assert (reason[0] is None) == (remedy[0] is None) == (told is None)
    if told is not None:
        assert told in reason[0]
        assert suspects(x, y)[0]


def test_every_american_zip_code_lies_in_the_boxes_of_the_united_states() -> None:
    zip_codes = reference.load().zip_codes
    soil = ~zip_codes["state_code"].isin(["AA", "AE", "AP", "FM", "MH", "PW"])
    points = zip_codes[soil]
    assert in_united_states(points["lon"].to_numpy(), points["lat"].to_numpy()).all()
