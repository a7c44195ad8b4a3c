"""Real company lists through the whole import: every row in one bucket, the second time nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory import imports
from territory.files import read_table
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.imports import ImportReport
    from territory.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# Rows, the share of them that must have a place, and how many contradict their own address.
FILES = {
    "fortune500_hifld.csv": (500, 1.0, 2),
    "universities_ipeds_hd2020.csv": (6440, 1.0, 14),
    "listed_companies_financedatabase.csv": (29790, 0.94, 3),
}


@pytest.fixture(scope="module", params=FILES)
def imported(
    request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Store, ImportReport]]:
    """One of the files in a store of its own."""
    path = shared / request.param
    folder = tmp_path_factory.mktemp("real")
    with open_store(str(folder / "store.sqlite")) as store:
        yield path, store, imports.import_file(store, "prospects", path, by="me", now=NOW)


def test_every_row_of_a_real_file_ends_in_one_bucket(
    imported: tuple[Path, Store, ImportReport],
) -> None:
    path, store, report = imported
    rows, _, _ = FILES[path.name]
    assert report.rows == rows
    assert sum(report.buckets.values()) == rows
    assert report.changes["new"] + len(report.refused) == rows
    assert report.is_reconciled
    with store.read() as transaction:
        assert transaction.size("prospects") == report.changes["new"]


def test_no_row_of_a_real_file_is_refused_and_nearly_all_are_placed(
    imported: tuple[Path, Store, ImportReport],
) -> None:
    path, _, report = imported
    rows, least, contradicting = FILES[path.name]
    assert report.refused.empty
    assert report.buckets["unplaced"] + report.buckets["ambiguous"] <= (1 - least) * rows
    assert report.buckets["conflict"] == contradicting


def test_a_row_that_could_not_be_placed_says_why(
    imported: tuple[Path, Store, ImportReport],
) -> None:
    _, store, report = imported
    with store.read() as transaction:
        prospects = transaction.table("prospects")
    lost = prospects[prospects["lon"].isna()]
    assert len(lost) == report.buckets["unplaced"] + report.buckets["ambiguous"]
    assert lost["geocode_note"].notna().all()


def test_names_come_in_as_the_file_has_them(imported: tuple[Path, Store, ImportReport]) -> None:
    path, store, report = imported
    header = next(theirs for theirs, ours in report.mapping.items() if ours == "name")
    written = read_table(path).frame[header].str.strip()
    with store.read() as transaction:
        held = transaction.table("prospects", ["name"])["name"]
    assert sorted(held) == sorted(written)


def test_the_same_real_file_again_changes_nothing(
    imported: tuple[Path, Store, ImportReport],
) -> None:
    path, store, first = imported
    with store.read() as transaction:
        before = transaction.table("prospects")
    again = imports.import_file(store, "prospects", path, by="me", now=NOW)
    with store.read() as transaction:
        after = transaction.table("prospects")
    assert again.changes == {"new": 0, "updated": 0, "unchanged": first.changes["new"]}
    assert again.buckets == first.buckets
    assert again.differences.empty
    assert before.equals(after)


def test_headquarters_far_from_their_own_zip_codes_are_named_and_no_others(
    shared: Path, tmp_path: Path
) -> None:
    with open_store(str(tmp_path / "store.sqlite")) as store:
        path = shared / "fortune500_hifld.csv"
        imports.import_file(store, "prospects", path, by="me", now=NOW)
        with store.read() as transaction:
            prospects = transaction.table("prospects", ["name", "geocode_note"])
    flagged = prospects[prospects["geocode_note"].notna()]
    assert set(flagged["name"]) == {"FISERV", "FARMERS INSURANCE EXCHANGE"}
