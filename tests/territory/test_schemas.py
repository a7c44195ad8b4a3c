"""Frames are held to their contracts, and every breach is told at once."""

from __future__ import annotations

import pandas as pd
import pytest

from territory.errors import ColumnError
from territory.schemas import OFFICES, TERRITORIES, check


def test_optional_columns_are_added_and_unknown_ones_kept() -> None:
    frame = pd.DataFrame({"extra": [1], "office_id": ["a"], "name": ["A"], "lat": ["1.5"]})
    checked = check(frame, OFFICES, "offices.csv")
    assert list(checked)[:2] == ["office_id", "name"]
    assert list(checked)[-1] == "extra"
    assert checked["lat"].tolist() == [1.5]
    assert checked["city"].tolist() == [None]


def test_a_missing_column_is_named_with_what_there_is() -> None:
    with pytest.raises(
        ColumnError, match=r"offices\.csv: missing 'office_id'; the file has 'name'"
    ):
        check(pd.DataFrame({"name": ["A"]}), OFFICES, "offices.csv")


def test_all_breaches_are_told_with_row_and_value() -> None:
    frame = pd.DataFrame(
        {"office_id": ["a", "a", "c"], "name": ["x", "y", None], "lat": [1, 2, 200]}
    )
    with pytest.raises(ColumnError) as caught:
        check(frame, OFFICES, "offices.csv")
    for told in ("row 1: 'a'", "row 3: None", "row 3: 200.0"):
        assert told in str(caught.value)


def test_a_key_of_several_columns_must_be_unique() -> None:
    row = {"territory_id": "t", "name": "T", "rep_id": "r", "market_id": "m", "segment": "any"}
    with pytest.raises(ColumnError, match=r"territories\.csv"):
        check(pd.DataFrame([row, row]), TERRITORIES, "territories.csv")
