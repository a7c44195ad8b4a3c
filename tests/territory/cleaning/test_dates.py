"""Dates are days, in the order that their column shows."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.cleaning.dates import date_order, is_no_day, read_dates

DAYS = st.lists(st.dates(dt.date(1970, 1, 1), dt.date(2060, 12, 31)), min_size=1, max_size=12)


def column(*texts: str | None) -> pd.Series:
    return pd.Series(texts, dtype=object)


@settings(deadline=None, derandomize=True)
@given(days=DAYS, form=st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%m/%d/%Y", "%m/%d/%Y %I:%M %p"]))
def test_no_day_is_ever_read_in_an_order_that_its_column_denies(
    days: list[dt.date], form: str
) -> None:
    texts = [day.strftime(form) for day in days]
    read, remarks = read_dates(column(*texts))
    if any(day.day > 12 for day in days):
        assert read.tolist() == [day.isoformat() for day in days]
        assert remarks == ()
    elif form.startswith("%d") and any(day.day != day.month for day in days):
        assert "no date shows whether" in remarks[0]
    elif not form.startswith("%d"):
        assert read.tolist() == [day.isoformat() for day in days]


@settings(deadline=None, derandomize=True)
@given(days=DAYS, form=st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%b %d, %Y",
                                       "%d %B %Y", "%Y%m%d", "%A, %d %B %Y"]))  # fmt: skip
def test_what_can_be_read_in_one_way_only_is(days: list[dt.date], form: str) -> None:
    read, remarks = read_dates(column(*(day.strftime(form) for day in days)))
    assert read.tolist() == [day.isoformat() for day in days]
    assert remarks == ()


@pytest.mark.parametrize(
    "text", ["2027-02-30", "31/02/2026", "Nov-26", "2026", "2026-11", "soon", "13/13/2026", "5",
             "12345678", "99999", "1/2", "11/5/20266"],
)  # fmt: skip
def test_what_is_no_day_is_not_read(text: str) -> None:
    assert read_dates(column(text))[0].tolist() == [None]


def test_dots_are_judged_by_themselves() -> None:
    read, remarks = read_dates(column("5.11.2026", "11/13/2026", "05/11/2026"))
    assert read.tolist() == ["2026-11-05", "2026-11-13", "2026-05-11"]
    assert remarks == ()


def test_other_columns_decide_where_a_column_does_not() -> None:
    order = date_order([column("13/11/2026"), column("1.2.2026", None)])
    assert order == "day"
    assert read_dates(column("05/11/2026"), order)[0].tolist() == ["2026-11-05"]


def test_a_day_of_noughts_is_none() -> None:
    texts = column("0000-00-00", "0000-00-00 00:00:00", "2026-11-05", None)
    assert is_no_day(texts).tolist() == [True, True, False, False]
