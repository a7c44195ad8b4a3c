"""Postal codes are read in the form of their country; lost zeros are put back for a reason."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.cleaning import clean_postal_codes, lost_zeros, zip_notes
from territory.cleaning.postal_codes import country_of, read_postal_codes


def one(text: str | None) -> pd.Series:
    return pd.Series([text], dtype=object)


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("35294-0110", "US", "35294"),
        ("35294\u20130110", None, "35294"),
        ("352940110", "US", "35294"),
        (" 60606 ", "US", "60606"),
        ("60606\u00a0", "US", "60606"),
        ("60606.0", None, "60606"),
        ("60,606", None, "60606"),
        ('="02110"', None, "02110"),
        ('"02110"', None, "02110"),
        ("'02110", None, "02110"),
        ("`02110", None, "02110"),
        ("MA-02110", None, "02110"),
        ("MA 02110-1234", None, "02110"),
        ("US-02110", None, "02110"),
        ("ZIP: 02110", None, "02110"),
        ("02110 USA", None, "02110"),
        ("O2110", None, "02110"),
        ("0211O-1234", None, "02110"),
        ("6O6O6", None, "60606"),
        ("TX-02110", None, "TX-02110"),  # no ZIP code of Texas
        ("OOOOO", None, "OOOOO"),
        ("123456", None, "123456"),
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
    assert clean_postal_codes(one(text), one(country))[0] == code


@pytest.mark.parametrize(
    ("text", "state", "city", "code", "why"),
    [
        ("2110", "MA", None, "02110", "the state is MA"),
        ("2110.0", "MA", None, "02110", "the state is MA"),
        ("2110-1234", "MA", None, "02110", "the state is MA"),
        ("21101234", "MA", None, "02110", "the state is MA"),
        ("2,110", "MA", None, "02110", "the state is MA"),
        ("601", "PR", None, "00601", "the state is PR"),
        ("501", "NY", None, "00501", "the state is NY"),
        ("6390", "NY", None, "06390", "the state is NY"),
        ("2110", None, "Boston", "02110", "Boston has ZIP codes that begin with 021"),
        ("8001", None, "Zürich", "8001", None),
        ("7521", "TX", "Dallas", "7521", None),
        ("7410", "TX", "Dallas", "7410", None),  # a ZIP code of New Jersey
        ("6060", "IL", "Chicago", "6060", None),  # one of Connecticut
        ("2110", None, None, "2110", None),
        ("601", None, None, "601", None),
        ("60606", "IL", None, "60606", None),
    ],
)
def test_zeros_are_put_back_where_state_or_city_speak_for_them_and_a_note_says_so(
    text: str, state: str | None, city: str | None, code: str, why: str | None
) -> None:
    codes, notes = read_postal_codes(one(text), one(None), one(state), one(city))
    assert codes[0] == code
    assert notes[0] == (None if why is None else f"ZIP {text!r} was read as {code}: {why}")


@pytest.mark.parametrize(
    ("column", "is_shown"),
    [
        (["60601", "94105", "2110", "1001", "6103"], True),
        (["60601.0", "2110.0"], True),
        (["60601", "94105", "2110", "01001", "6103"], False),  # one kept its zero
        (["60601", "60602", "60603", "6060"], False),  # a slip of the pen
        (["8001", "8002", "8003", "8004"], False),  # Switzerland, perhaps
        (["10115", "20095", "80331", "1067", "4109", "6108", "8056"], False),  # Germany
        (["60601", "94105"], False),
    ],
)
def test_a_column_shows_whether_its_zeros_are_lost(column: list[str], *, is_shown: bool) -> None:
    texts = pd.Series(column, dtype=object)
    none = pd.Series(None, index=texts.index, dtype=object)
    assert lost_zeros(texts) == is_shown
    codes, notes = read_postal_codes(texts, none, none, none)
    short = texts.str.replace(".0", "").str.len() < 5
    assert (codes.str.len() == 5)[short].all() == is_shown or not short.any()
    assert notes[short].notna().all() == is_shown or not short.any()


def test_a_letter_for_a_digit_is_told_and_a_guard_is_not() -> None:
    texts = pd.Series(["O2110", '="02110"', "'02110", "02110"], dtype=object)
    none = pd.Series(None, index=texts.index, dtype=object)
    _, notes = read_postal_codes(texts, none, none, none)
    assert notes.tolist() == ["ZIP 'O2110' was read as 02110", None, None, None]


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("K2C 3M5", "CA"), ("k2c3m5", "CA"), ("SW1A 1AA", "GB"), ("D-10115", "DE"),
        ("CH-8001", "CH"), ("S-111 20", "SE"), ("DE-10115", "DE"), ("02110", None),
        ("MA-02110", None), ("10115", None), ("8001", None),
    ],
)  # fmt: skip
def test_some_codes_show_their_country(text: str, country: str | None) -> None:
    assert country_of(text) == country


def test_special_zip_codes_are_told() -> None:
    zip_codes = reference.load().zip_codes
    without = set(zip_codes.loc[~zip_codes["has_area"], "zip_code"])
    texts = pd.Series(["09012", "34002", "96201", "60680", "60606", "1001", None, "09012"])
    country = pd.Series(["US", None, "US", "US", "US", "US", "US", "DE"])
    notes = zip_notes(texts, country, without)
    assert ["military" in (note or "") for note in notes] == [True] * 3 + [False] * 5
    assert "60680 has no area" in notes[3]
    assert notes[4:].isna().all()


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.lists(st.none() | st.text(), max_size=8))
def test_whatever_is_written_gives_a_code_or_stays(texts: list[str | None]) -> None:
    column = pd.Series(texts, index=range(5, 5 + len(texts)), dtype=object)
    codes = clean_postal_codes(column)
    assert codes.index.equals(column.index)
    assert clean_postal_codes(codes).equals(codes)
