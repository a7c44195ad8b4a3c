"""Fields are declared once, and every use of them names fields that it can use."""

from __future__ import annotations

import pytest

from territory.prospects import fields
from territory.prospects.fields import BY_COLUMN, BY_NAME, FIELDS, ORDERS


def test_names_and_columns_are_those_of_one_field_each() -> None:
    assert len(BY_NAME) == len(BY_COLUMN) == len(FIELDS)


@pytest.mark.parametrize("name", fields.FILTERS)
def test_a_filter_says_what_it_is_about(name: str) -> None:
    field = BY_NAME[name]
    assert field.kind in {"choice", "number", "flag"}
    assert field.yes and field.no if field.kind == "flag" else field.label
    assert not field.words or set(field.words) >= set(field.values or ())


def test_uses_are_of_the_kinds_that_they_can_show() -> None:
    assert {BY_NAME[name].kind for name in fields.COLOURS} == {"choice"}
    assert all(BY_NAME[name].steps for name in fields.SIZES)
    assert {BY_NAME[name].source for name in fields.API} <= {"plan", "company"}
    columns = {*fields.SNAPSHOT_COLUMNS, "touched"}
    assert {BY_NAME[name].column for name in (*fields.FILTERS, *fields.LISTED)} <= columns
    assert {order.column for order in ORDERS.values()} <= columns


def test_a_file_keeps_its_columns_in_their_order() -> None:
    assert fields.EXPORTED_COLUMNS == (
        "prospect_id", "name", "status", "segment", "street", "city", "state", "postal_code",
        "country", "lat", "lon", "precision", "uncertainty_mi", "market_id", "market_name",
        "territory_id", "territory_name", "rep_id", "rep_name", "rule", "reason",
        "nearest_office_id", "nearest_office_name", "distance_mi", "verdict", "website", "industry",
        "employees", "revenue_usd", "stage", "pipeline_usd", "last_activity_on",
    )  # fmt: skip
