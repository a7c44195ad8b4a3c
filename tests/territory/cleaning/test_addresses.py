"""Addresses are read as people write them: codes, whole addresses in one cell, nothing lost."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.cleaning import clean_addresses, clean_text
from territory.cleaning.addresses import PARTS, clean_countries, clean_states
from territory.cleaning.one_line import read_one_line
from territory.reference import load

Parts = dict[str, str | None]


def one(text: str | None) -> pd.Series:
    return pd.Series([text], dtype=object)


def read(**cells: str | None) -> tuple[Parts, str | None]:
    """The parts of one address that are known, and the note on it."""
    frame = pd.DataFrame({name: clean_text(one(text)) for name, text in cells.items()})
    addresses, notes = clean_addresses(frame)
    assert tuple(addresses.columns) == PARTS
    row = addresses.iloc[0]
    return {str(name): text for name, text in row.items() if pd.notna(text)}, notes.iloc[0]


@pytest.mark.parametrize(
    ("text", "country", "state"),
    [
        ("wisconsin", None, "WI"),
        ("D.C.", "US", "DC"),
        ("Mass.", "US", "MA"),
        ("tx", "US", "TX"),
        ("US-MA", None, "MA"),
        ("USA-MA", "US", "MA"),
        ("MA - Massachusetts", None, "MA"),
        ("Massachusetts (MA)", None, "MA"),
        ("Maine (US)", None, "ME"),
        ("Maine, United States", None, "ME"),
        ("MA/NH", None, "MA/NH"),  # of two minds
        ("Ontario", None, "ON"),
        ("CA-ON", None, "ON"),
        ("Ontario (CA)", "CA", "ON"),
        ("Québec", "CA", "QC"),
        ("ZZ", "US", "ZZ"),
        ("Bayern", "DE", "Bayern"),
        ("WA", "AU", "WA"),
    ],
)
def test_states_become_codes_where_they_have_one(
    text: str, country: str | None, state: str
) -> None:
    assert clean_states(one(text), one(country))[0] == state


@pytest.mark.parametrize(
    ("text", "code"),
    [("U.S.A.", "US"), ("united states of america", "US"), ("England", "GB"), ("KOR", "KR"),
     ("Côte d'Ivoire", "CI"), ("Curacao", "CW"), ("NA", "NA"), ("Freedonia", None),
     ("US - United States", "US"), ("Germany (DE)", "DE"), ("DE / AT", None)],
)  # fmt: skip
def test_countries_become_codes(text: str, code: str | None) -> None:
    assert clean_countries(one(text))[0] == code


@pytest.mark.parametrize(
    ("text", "street", "city", "state", "code", "country"),
    [
        ("20 Mill Rd, Portland, ME 04101", "20 Mill Rd", "Portland", "ME", "04101", None),
        ("20 Mill Rd, Portland, ME, 04101-1234, US", "20 Mill Rd", "Portland", "ME", "04101", None),
        ("5 Bay St, Portland, OR 97201, USA", "5 Bay St", "Portland", "OR", "97201", None),
        ("20 Mill Rd\nPortland, ME 04101\nUnited States", "20 Mill Rd", "Portland", "ME", "04101",
         None),
        ("20 Mill Rd<br>Portland ME 04101", "20 Mill Rd", "Portland", "ME", "04101", None),
        ("20 Mill Rd Portland ME 04101", "20 Mill Rd", "Portland", "ME", "04101", None),
        ("350 Fifth Avenue New York NY 10118", "350 Fifth Avenue", "New York", "NY", "10118", None),
        ("Suite 4, Kansas City, Missouri 64108", "Suite 4", "Kansas City", "MO", "64108", None),
        ("1 A St, Charleston, West Virginia 25301", "1 A St", "Charleston", "WV", "25301", None),
        ("1600 Pennsylvania Ave NW, Washington, DC 20500", "1600 Pennsylvania Ave NW",
         "Washington", "DC", "20500", None),
        ("Portland, ME 04101", None, "Portland", "ME", "04101", None),
        ("Portland, OR", None, "Portland", "OR", None, None),
        ("Portland, Oregon, USA", None, "Portland", "OR", None, "US"),
        ("Portland ME", None, "Portland", "ME", None, None),
        ("New York, New York", None, "New York", "NY", None, None),
        ("Washington, D.C.", None, "Washington", "DC", None, None),
        ("Washington DC", None, "Washington", "DC", None, None),
        ("Boston 02110", None, "Boston", None, "02110", None),
        ("Toronto, ON M5V 2T6", None, "Toronto", "ON", "M5V 2T6", "CA"),
        ("1 King St W, Toronto, ON M5H 1A1, Canada", "1 King St W", "Toronto", "ON", "M5H 1A1",
         "CA"),
        ("Toronto, CA", None, "Toronto", None, None, "CA"),  # Ontario is in California, not Toronto
        ("Ontario, CA", None, "Ontario", "CA", None, None),
        ("Berlin, DE", None, "Berlin", None, None, "DE"),
        ("Atlanta, Georgia", None, "Atlanta", "GA", None, None),
        ("Tbilisi, Georgia", None, "Tbilisi", None, None, "GE"),
        ("Paris (France)", None, "Paris", None, None, "FR"),
        ("Perth, WA, Australia", None, "Perth", "WA", None, "AU"),
        ("10 Downing St, London SW1A 2AA, UK", "10 Downing St", "London", None, "SW1A 2AA", "GB"),
        ("Unter den Linden 1, 10117 Berlin, Germany", "Unter den Linden 1", "Berlin", None,
         "10117", "DE"),
        ("Bahnhofstr. 1, CH-8001 Zürich", "Bahnhofstr. 1", "Zürich", None, "CH-8001", "CH"),
    ],
)  # fmt: skip
def test_an_address_in_one_cell_is_taken_apart(
    text: str,
    street: str | None,
    city: str | None,
    state: str | None,
    code: str | None,
    country: str | None,
) -> None:
    parts = {
        "street": street,
        "city": city,
        "state": state,
        "postal_code": code,
        "country": country,
    }
    expected = {name: part for name, part in parts.items() if part is not None}
    assert read_one_line(text) == expected


@pytest.mark.parametrize(
    "text",
    ["Boston", "Winston-Salem", "12 Elm St", "1 Main St, Suite 500", "PO Box 12", "12345", "",
     ",", "Lee's Summit", "Mumbai, Maharashtra", "Suite 97201", "La Plata",
     "Coeur d'Alene", "CUMBER,AD"],
)  # fmt: skip
def test_what_is_no_whole_address_stays_as_it_is(text: str) -> None:
    assert read_one_line(text) == {}


def test_the_last_address_of_a_text_counts_and_nothing_of_the_text_is_lost() -> None:
    text = "was 1 Elm St, Boston, MA 02110; now 5 Bay St, Portland, OR 97201 (rear)"
    parts, _ = read(street=text)
    assert parts == {
        "street": text, "city": "Portland", "state": "OR", "postal_code": "97201", "country": "US",
    }  # fmt: skip


def test_cells_of_their_own_are_never_overruled() -> None:
    text = "20 Mill Rd, Portland, ME 04101"
    parts, _ = read(street=text, city="Boston", state="MA", postal_code="02110")
    assert parts["street"] == text
    assert (parts["city"], parts["state"], parts["postal_code"]) == ("Boston", "MA", "02110")
    parts, _ = read(city="Portland, ME", state="OR")
    assert (parts["city"], parts["state"]) == ("Portland, ME", "OR")
    parts, _ = read(city="Portland, ME", state="Maine")
    assert (parts["city"], parts["state"]) == ("Portland", "ME")


def test_a_whole_address_in_the_column_of_cities_gives_its_street_too() -> None:
    parts, note = read(city="20 Mill Rd, Portland, ME 04101")
    assert (parts["street"], parts["city"], note) == ("20 Mill Rd", "Portland", None)
    parts, note = read(street="Dock 4", city="20 Mill Rd, Portland, ME 04101")
    assert parts["street"] == "Dock 4"
    assert note == "city '20 Mill Rd, Portland, ME 04101' was read as Portland ME 04101"


@pytest.mark.parametrize(
    ("cells", "state", "code"),
    [
        ({"state": "MA 02110"}, "MA", "02110"),
        ({"state": "Massachusetts, 02110"}, "MA", "02110"),
        ({"postal_code": "MA-02110"}, "MA", "02110"),
        ({"city": '="Boston"', "state": '="MA"', "postal_code": '="02110"'}, "MA", "02110"),
        ({"postal_code": "Boston, MA 02110"}, "MA", "02110"),
        ({"postal_code": "K2C 3M5"}, None, "K2C 3M5"),
    ],
)
def test_parts_in_the_cells_of_others_are_found(cells: Parts, state: str | None, code: str) -> None:
    parts, _ = read(**cells)
    assert (parts.get("state"), parts["postal_code"]) == (state, code)
    assert parts["country"] == ("US" if state else "CA")


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.data())
def test_an_address_joined_is_taken_apart_again(data: st.DataObject) -> None:
    table = load().zip_codes
    table = table[table["city"].notna() & table["state_code"].isin(["ME", "NY", "TX", "CA", "WV"])]
    row = table.iloc[data.draw(st.integers(0, len(table) - 1))]
    street = data.draw(
        st.sampled_from(["20 Mill Rd", "Suite 4, 1 Elm St", "PO Box 12", "1 St Ave"])
    )
    country = data.draw(st.sampled_from(["", ", USA", "\nUnited States"]))
    gap = data.draw(st.sampled_from([", ", "\n", "<br>"]))
    text = f"{street}{gap}{row['city']}, {row['state_code']} {row['zip_code']}{country}"
    assert read_one_line(text) == {
        "street": street, "city": row["city"], "state": row["state_code"],
        "postal_code": row["zip_code"],
    }  # fmt: skip


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.lists(st.tuples(*(st.none() | st.text(max_size=20) for _ in PARTS)), max_size=6))
def test_whatever_is_written_every_row_comes_back(rows: list[tuple[str | None, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=list(PARTS), index=range(3, 3 + len(rows)), dtype=object)
    addresses, notes = clean_addresses(frame)
    assert addresses.index.equals(frame.index)
    assert notes.index.equals(frame.index)
