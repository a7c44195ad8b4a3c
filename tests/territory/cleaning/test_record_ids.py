"""Ids in one form, and those that a spreadsheet changed."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.cleaning import clean_ids, short_forms
from territory.cleaning.record_ids import check_characters, salesforce_id

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
RECORD = st.text(ALPHABET, min_size=9, max_size=9).map(lambda text: "0015e0" + text)


@pytest.mark.parametrize(
    ("short", "check"),
    [
        ("0015e00000AbCde", "AAF"),
        ("0015e00000AbCdE", "AAV"),
        ("00D300000000000", "EAA"),
    ],
)
def test_the_check_characters_say_which_letters_are_capitals(short: str, check: str) -> None:
    assert check_characters(short) == check


@given(RECORD)
def test_both_forms_and_those_without_case_are_one_id(short: str) -> None:
    whole = salesforce_id(short)
    assert whole[:15] == short
    assert salesforce_id(whole) == whole
    assert {salesforce_id(whole.upper()), salesforce_id(whole.lower())} == {whole}
    assert short_forms(pd.Series([whole], dtype=object)).tolist() == [short]


@given(RECORD, RECORD)
def test_ids_that_differ_in_case_alone_stay_two(one: str, other: str) -> None:
    assert (salesforce_id(one) == salesforce_id(other)) == (one == other)


@pytest.mark.parametrize(
    "text", ["123456789012345", "ABCDEFGHIJKLMNO", "a1b2c3d4e5f6a7b", "001Hs00003AbCdEfGA", "C-1"]
)
def test_ids_of_other_systems_stay_as_they_are(text: str) -> None:
    ids, reasons = clean_ids(pd.Series([text], dtype=object))
    assert ids.tolist() == [text]
    assert reasons.isna().all()


@pytest.mark.parametrize(
    ("column", "ids", "refused"),
    [
        (["1001.0", "1002.00", None], ["1001", "1002", None], []),
        (["1001.0", "1002"], ["1001.0", "1002"], [0]),
        (["1001.0", "A-7"], ["1001.0", "A-7"], [0]),
        (["1.0", "1.1", "1.10"], ["1.0", "1.1", "1.10"], []),
        (["1.23E+17", "1,23E+17", "1e+17", "1E17", "12E4"], None, [0, 1, 2]),
    ],
)
def test_numbers_that_were_ids(
    column: list[str | None], ids: list[str | None] | None, refused: list[int]
) -> None:
    read, reasons = clean_ids(pd.Series(column, dtype=object))
    assert read.tolist() == (ids or column)
    assert reasons.index[reasons.notna()].tolist() == refused
