"""A small file in the form of each source system is read whole: every field that it has."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory import imports
from territory.imports.headers import SYSTEMS, SourceSystem, recognize
from territory.store import open_store
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.store import Store

FILES = ROOT / "tests" / "fixtures" / "source_systems"
NOW = datetime(2026, 11, 23, 9, 41, tzinfo=UTC)
each_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.slug)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the account and the rep that the files refer to."""
    with open_store(str(tmp_path / "s.sqlite")) as store:
        for kind, text in (
            ("reps", "rep_id,name,email\nR9,Kim,k@example.com\n"),
            ("prospects", "prospect_id,name,city,state\nA-1,Osprey,Boise,ID\n"),
        ):
            file = tmp_path / f"{kind}.csv"
            file.write_text(text)
            imports.import_file(store, kind, file, by="Ann", now=NOW)
        yield store


@each_system
def test_the_headers_are_mapped_as_the_table_says(system: SourceSystem) -> None:
    with (FILES / f"{system.slug}.csv").open(encoding="utf-8", newline="") as file:
        headers = next(csv.reader(file))
    assert headers == list(system.columns)
    known = {header: column for header, column in system.columns.items() if column}
    assert imports.map_headers(headers, system.kind) == known
    assert imports.map_headers(list(reversed(headers)), system.kind) == known


@each_system
def test_a_file_is_read_whole_and_says_nothing_odd(store: Store, system: SourceSystem) -> None:
    path = FILES / f"{system.slug}.csv"
    report = imports.import_file(store, system.kind, path, by="Ann", now=NOW)
    assert report.changes["new"] + report.changes["unchanged"] == 1
    assert report.warnings == ()
    assert not len(report.owners.unknown)
    with store.read() as transaction:
        rows = transaction.table(system.kind)
    row = rows[rows[rows.columns[0]] != "A-1"].iloc[0]
    if system.kind in ("prospects", "sites"):
        is_in_one_cell = "city" not in system.columns.values()
        places = report.buckets["placed"] + report.buckets["approximate"]
        assert places == 1 or (is_in_one_cell and report.buckets["unplaced"] == 1)
        assert report.buckets["conflict"] == 0
    if system.kind == "prospects" and "postal_code" in system.columns.values():
        assert (row["city"], row["state"], row["postal_code"]) == ("Portland", "ME", "04101")
    if "owner_rep_id" in system.columns.values():
        assert row["owner_rep_id"] == "R9"
    if system.kind == "contacts":
        assert row["name"] == "Jo Doe"


@each_system
def test_a_file_is_recognized_by_its_headers(system: SourceSystem) -> None:
    if len(system.columns) >= 5:
        assert recognize(system.columns, system.kind) in (system.name, "")


def test_headers_of_no_system_are_of_none() -> None:
    assert recognize(["id", "name", "city", "state", "zip", "color"], "prospects") == ""


def test_the_table_in_the_docs_is_the_one_of_the_code() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "docs" / "source_systems.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
