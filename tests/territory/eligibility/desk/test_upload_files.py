"""Files of homes lie on the server for a day, or until the next purge."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from territory.cli.main import cli
from territory.eligibility.desk import upload_files
from territory.errors import FileFormatError
from territory.files import uploads
from territory.timestamps import utc_text
from tests.fixtures.eligibility_stores import NOW, opened

if TYPE_CHECKING:
    from pathlib import Path


def hand_in(folder: Path, name: str = "a.csv", *, hours: int = 0):
    folder.parent.mkdir(exist_ok=True)
    source = folder.parent / "arrived"
    source.write_text("ZIP\n80202\n", "utf-8")
    at = utc_text(NOW + timedelta(hours=hours))
    return upload_files.keep(folder, source, name=name, by="hr", at=at)


def test_only_those_go_whose_day_is_over(tmp_path):
    folder = tmp_path / "home_files"
    old, young = hand_in(folder), hand_in(folder, hours=1)
    assert upload_files.sweep(folder, NOW + timedelta(hours=24)) == 1
    assert [left.upload_id for left in uploads.newest_first(folder)] == [young.upload_id]
    assert not old.folder.exists()


def test_what_a_killed_server_left_half_arrived_goes_too(tmp_path):
    folder = tmp_path / "home_files"
    hand_in(folder)
    half = folder / f"{upload_files.INCOMING}x"
    half.write_text("80202", "utf-8")
    os.utime(half, (NOW.timestamp(), NOW.timestamp()))
    upload_files.sweep(folder, NOW + timedelta(hours=23))
    assert half.exists()
    upload_files.sweep(folder, NOW + timedelta(hours=24))
    assert list(folder.iterdir()) == []


def test_a_purge_on_the_command_line_takes_the_batches_of_the_server_with_it(tmp_path, monkeypatch):
    with opened(tmp_path) as desk:
        desk.decide("E-1", 10)
    monkeypatch.setenv("TERRITORY_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("TERRITORY_HOMES", str(tmp_path / "homes.sqlite"))
    hand_in(tmp_path / "var" / upload_files.FOLDER)
    store = str(tmp_path / "territory.sqlite")
    done = CliRunner().invoke(
        cli, ["--store", store, "eligibility", "purge", "--person", "E-1", "--by", "hr"]
    )
    assert done.exit_code == 0, done.output
    assert "1 homes purged" in done.output
    assert list((tmp_path / "var" / upload_files.FOLDER).iterdir()) == []


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.parquet", "a.zip"])
def test_a_batch_is_a_table_and_no_map(tmp_path, name):
    with pytest.raises(FileFormatError, match="a batch is a CSV or Excel file"):
        hand_in(tmp_path / "home_files", name)
    assert uploads.newest_first(tmp_path / "home_files") == []
