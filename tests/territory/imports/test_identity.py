"""Rows are known again, in whatever order and form they come, and without a name too."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import ColumnError
from territory.imports import import_file, read_rows
from territory.imports.rows import key_text
from territory.store import open_store

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def nameless(*rows: tuple[str | None, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["zip", "city", "state", "staff"], dtype=object)


def test_companies_without_names_are_named_by_where_they_are_and_said_to_be() -> None:
    table = nameless(
        ("601", "ADJUNTAS", "PR", "3"), (None, "Denver", "CO", "1"), (*(None,) * 3, "2")
    )
    taken = read_rows("prospects", table, {"zip": "postal_code", "city": "city", "state": "state",
                                         "staff": "employees"})  # fmt: skip
    assert taken.rows["name"].tolist() == [
        "Unnamed company, ADJUNTAS, PR 00601",
        "Unnamed company, Denver, CO",
        "Unnamed company",
    ]
    (remark,) = taken.remarks
    assert remark.startswith("The file has neither names nor ids: 3 companies are named by where")


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.lists(st.tuples(*[st.sampled_from([None, "1", "2"])] * 3), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_nameless_rows_keep_their_ids_in_any_order_of_rows_and_columns(
    rows: list[tuple[str | None, ...]], luck: Random
) -> None:
    columns = {"zip": "postal_code", "city": "city", "rank": ""}
    rows = [row for row in rows if any(row)]
    table = pd.DataFrame(rows, columns=list(columns), dtype=object)
    order, shuffled = luck.sample(list(columns), 3), luck.sample(range(len(rows)), len(rows))
    once = read_rows("prospects", table, columns)
    again = read_rows("prospects", table.iloc[shuffled].reset_index(drop=True)[order], columns)
    assert len(once.rows) == once.rows["prospect_id"].nunique() == len(rows)
    assert set(once.rows["prospect_id"]) == set(again.rows["prospect_id"])
    by_row = [
        dict(zip(taken.rows["prospect_id"], taken.rows["postal_code"], strict=True))
        for taken in (once, again)
    ]
    assert by_row[0] == by_row[1]


@pytest.mark.parametrize(
    "columns",
    [
        ["zip", "firm"],  # which may be the name
        ["state", "industry"],  # no place
        ["zip", "id"],  # an id without a name
    ],
)
def test_a_file_is_nameless_only_if_nothing_in_it_could_be_a_name(columns: list[str]) -> None:
    table = pd.DataFrame([["60601"] * len(columns)], columns=columns)
    with pytest.raises(ColumnError, match="needs 'name'"):
        read_rows("prospects", table)


def test_a_header_that_is_said_not_to_be_used_is_no_name() -> None:
    table = pd.DataFrame({"zip": ["60601"], "firm": ["x"]})
    taken = read_rows("prospects", table, {"zip": "postal_code", "firm": ""})
    assert taken.rows["name"].tolist() == ["Unnamed company, 60601"]
    assert (taken.mapping, taken.ignored) == ({"zip": "postal_code"}, ("firm",))


def test_a_real_list_without_names_comes_in_whole_and_twice_changes_nothing(
    shared: Path, tmp_path: Path
) -> None:
    path = tmp_path / "ppp.csv"
    with gzip.open(shared / "ppp_businesses_1m.csv.gz", "rt") as rows, path.open("w") as file:
        file.writelines(islice(rows, 5001))
    terms = {"by": "me", "now": datetime(2026, 11, 23, tzinfo=UTC)}
    with open_store(str(tmp_path / "store.sqlite")) as store:
        first = import_file(store, "prospects", path, **terms)
        again = import_file(store, "prospects", path, **terms)
        with store.read() as transaction:
            names = transaction.table("prospects", ["name"])["name"]
    assert (first.rows, first.changes["new"], len(first.remarks)) == (5000, 5000, 1)
    assert first.is_reconciled
    assert again.changes == {"new": 0, "updated": 0, "unchanged": 5000}
    assert names.str.startswith("Unnamed company, ").all()


def test_a_key_of_several_parts_is_told_as_one_text() -> None:
    frame = pd.DataFrame({"rep_id": ["r1", "r2"], "period": ["2026", "2027"]})
    assert key_text(frame, ["rep_id"]).tolist() == ["r1", "r2"]
    assert key_text(frame, ["rep_id", "period"]).tolist() == ["r1 / 2026", "r2 / 2027"]
