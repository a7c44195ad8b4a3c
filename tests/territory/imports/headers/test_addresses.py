"""A header of an address is read by its words, however they are put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.imports.headers import address_columns, read_header, words_of

FAMILIES = {
    "billing": ["Billing", "Bill-to", "Invoice"],
    "shipping": ["Shipping", "Ship To", "Delivery"],
    "mailing": ["Mailing"],
    "headquarters": ["HQ", "Headquarters", "Head Office"],
    "registered": ["Registered"],
    "physical": ["Physical", "Visiting"],
    "primary": ["Primary", "Main"],
    "other": ["Other"],
    "": ["", "Company", "Account", "Organization -"],
}
FIELDS = {
    "street": ["Street", "Street Address", "Address Line 1", "Address"],
    "city": ["City", "Town", "City/Town", "City Name"],
    "state": ["State", "State/Province", "Province", "State/Region", "State Code"],
    "postal_code": ["Zip", "ZIP/Postal Code", "Postcode", "Postal Code", "Zip Code", "Post Code"],
    "country": ["Country", "Country/Region", "Country Code"],
    "lat": ["Latitude", "Lat"],
    "lon": ["Longitude", "Lng"],
}
FAMILY = st.sampled_from([(name, word) for name, words in FAMILIES.items() for word in words])
FIELD = st.sampled_from([(name, word) for name, words in FIELDS.items() for word in words])
FORM = st.sampled_from(
    [
        str.strip,
        lambda text: text.strip().upper(),
        lambda text: "_".join(words_of(text)),
        lambda text: "".join(word.capitalize() for word in words_of(text)),
        lambda text: text.strip() + " (text only)",
        lambda text: "_".join(words_of(text)) + "__c",
    ]
)


THREE = [(f, c) for f in ("Billing", "Shipping", "") for c in ("City", "State", "Zip")]


@given(FAMILY, FIELD, FORM)
def test_family_and_field_are_read_from_any_spelling(family, field, form) -> None:
    header = form(f"{family[1]} {field[1]}")
    read = read_header(header, "prospects")
    assert read is not None, header
    assert (read.family, read.field) == (family[0], field[0]), header


@given(st.permutations(THREE), st.sets(st.integers(0, 8)))
def test_city_state_and_zip_are_never_of_two_addresses(order, left_out) -> None:
    headers = [f"{f} {c}".strip() for at, (f, c) in enumerate(order) if at not in left_out]
    columns = address_columns(headers, "prospects")
    named = {header.split()[0] for header in columns.values()} & {"Billing", "Shipping"}
    assert len(named) <= 1
    assert not (columns.get("city") == "City" and named)


@pytest.mark.parametrize(
    "header",
    [
        "Email Address", "Address Type", "IP Address", "Address 2", "Street 2", "Zip+4", "County",
        "Region", "Status", "Statement Date", "Store Number", "Line", "Account Code", "Code",
        "Organization - House number of Address", "Office City", "Country Manager", "Latency",
    ],
)  # fmt: skip
def test_what_is_no_field_of_an_address_is_none(header: str) -> None:
    assert read_header(header, "prospects") is None


def test_the_city_of_the_account_is_not_that_of_its_store() -> None:
    headers = ["Account City", "Account State", "Store City", "Store State"]
    assert address_columns(headers, "sites") == {"city": "Store City", "state": "Store State"}
