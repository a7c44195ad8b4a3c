"""A line that a person types is read into the columns of a home, or left alone."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.cleaning import US_STATES
from territory.eligibility.desk import place
from territory.eligibility.homes import PLACE, read_typed_address


@pytest.mark.parametrize(
    ("line", "home"),
    [
        ("80550", {"postal_code": "80550"}),
        (" 80550-1234 ", {"postal_code": "80550-1234"}),
        ("1001", {"postal_code": "1001"}),
        ("MA 1001", {"state": "MA", "postal_code": "1001"}),
        ("39.7392, -104.9903", {"lat": "39.7392", "lon": "-104.9903"}),
        ("39.7392 \N{MINUS SIGN}104.9903", {"lat": "39.7392", "lon": "\N{MINUS SIGN}104.9903"}),
        ("39.7392° N; 104.9903° W", {"lat": "39.7392 N", "lon": "104.9903 W"}),
        ("104.9903 W, 39.7392 N", {"lat": "39.7392 N", "lon": "104.9903 W"}),
        ("0, 0", {"lat": "0", "lon": "0"}),
        ("Denver, CO", {"city": "Denver", "state": "CO"}),
        ("Denver CO", {"city": "Denver", "state": "CO"}),
        ("Denver, Colorado", {"city": "Denver", "state": "Colorado"}),
        ("New York", {"city": "New York"}),
        ("New York, NY 10001", {"city": "New York", "state": "NY", "postal_code": "10001"}),
        ("Mount Washington", {"city": "Mount Washington"}),
        ("Paris, France", {"city": "Paris", "country": "France"}),
        ("Ontario, CA", {"city": "Ontario", "state": "CA"}),
        ("Denver CO 80202 USA", {"city": "Denver", "state": "CO", "postal_code": "80202",
                                 "country": "USA"}),
        ("1200 17th St, Denver, CO 80202", {"street": "1200 17th St", "city": "Denver",
                                            "state": "CO", "postal_code": "80202"}),
        ("1200 17th St, Apt 5, Denver, CO, 80202", {"street": "1200 17th St, Apt 5",
                                                    "city": "Denver", "state": "CO",
                                                    "postal_code": "80202"}),
        ("1200 17th St Denver CO 80202", {"street": "1200 17th St Denver", "state": "CO",
                                          "postal_code": "80202"}),
        ("1200 17th St", {"street": "1200 17th St"}),
        ("12345 6789", {"street": "12345 6789"}),
        ("PO Box 12345", {"street": "PO Box 12345", "postal_code": "12345"}),
        ("Box 12, Denver, CO 80202", {"street": "Box 12, Denver, CO 80202", "city": "Denver",
                                      "state": "CO", "postal_code": "80202"}),
        (" , ", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_a_line_says_what_it_says(line: str, home: dict[str, str]) -> None:
    assert read_typed_address(line) == home


@given(
    street=st.from_regex(r"[1-9]\d{0,3} [A-Z][a-z]{2,8} (St|Ave)", fullmatch=True),
    city=st.from_regex(r"[A-Z][a-z]{3,9}( [A-Z][a-z]{3,9})?", fullmatch=True),
    state=st.sampled_from(sorted(set(US_STATES.values()))),
    postal_code=st.from_regex(r"\d{5}(-\d{4})?", fullmatch=True),
)
def test_an_address_with_commas_is_read_whole(
    street: str, city: str, state: str, postal_code: str
) -> None:
    told = {"street": street, "city": city, "state": state, "postal_code": postal_code}
    assert read_typed_address(f"{street}, {city}, {state} {postal_code}") == told
    assert read_typed_address(f"  {street} ,{city},{state},  {postal_code},") == told


@given(st.text(max_size=400))
def test_any_line_gives_texts_in_the_columns_of_a_home(line: str) -> None:
    found = read_typed_address(line)
    assert set(found) <= set(PLACE)
    assert all(text and _letters(text) in _letters(line) for name, text in found.items()
               if name not in ("lat", "lon"))  # fmt: skip


def _letters(text: str) -> str:
    return re.sub(r"[\s,;]+", "", text)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("PO Box 12, Denver, CO 80202", "po_box"),
        ("Box 12345", "po_box"),
        ("Denver, NY 80202", "state_disagrees"),
        ("Paris, France", "abroad"),
        ("Springfield", "ambiguous_city"),
        ("0, 0", "null_island"),
        ("39.7, 104.9", None),
        ("80202, Denver", "ambiguous_city"),
        ("80202", None),
    ],
)
def test_a_line_that_does_not_say_enough_places_nobody(line: str, fault: str | None) -> None:
    row = place(pd.DataFrame([read_typed_address(line)], dtype=object)).iloc[0]
    assert row["fault"] == fault
    assert pd.isna(row["lon"]) == (fault is not None)
