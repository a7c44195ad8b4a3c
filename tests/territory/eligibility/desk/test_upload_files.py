"""Files of homes lie on the server for a day, or until somebody in them is purged."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from territory.cli.main import cli
from territory.eligibility.desk import purge_due, upload_files
from territory.errors import FileFormatError
from territory.files import uploads
from territory.timestamps import utc_text
from tests.fixtures.eligibility_stores import NOW, opened

if TYPE_CHECKING:
    from pathlib import Path


def hand_in(folder: Path, name: str = "a.csv", *, hours: int = 0, text: str = "ZIP\n80202\n"):
    folder.parent.mkdir(exist_ok=True)
    source = folder.parent / "arrived"
    source.unlink(missing_ok=True)  # the file before it is a link to the same bytes
    source.write_text(text, "utf-8")
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


def test_a_purge_on_the_command_line_takes_the_files_that_the_person_is_in(tmp_path, monkeypatch):
    with opened(tmp_path) as desk:
        desk.decide("E-1", 10)
    monkeypatch.setenv("TERRITORY_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("TERRITORY_HOMES", str(tmp_path / "homes.sqlite"))
    folder = tmp_path / "var" / upload_files.FOLDER
    gone = [
        hand_in(folder, text="Anything,ZIP\nE-2,80202\n e-1 ,80203\n"),
        hand_in(folder, text="id,ZIP\nE-2,80202\nE-3,80202,too,many\n"),
    ]
    stays = hand_in(folder, text="id,ZIP\nE-2,80202\nE-11,80203\n")
    store = str(tmp_path / "territory.sqlite")
    done = CliRunner().invoke(
        cli, ["--store", store, "eligibility", "purge", "--person", "E-1", "--by", "hr"]
    )
    assert done.exit_code == 0, done.output
    assert "1 homes purged" in done.output
    assert "2 batch files removed" in done.output
    assert [each.upload_id for each in uploads.newest_first(folder)] == [stays.upload_id]
    assert not any(each.folder.exists() for each in gone)


def test_a_purge_of_what_is_due_leaves_the_files_of_others(tmp_path):
    folder = tmp_path / "var" / upload_files.FOLDER
    with opened(tmp_path) as desk:
        desk.decide("E-1", 10, now=NOW - timedelta(days=91))
        desk.decide("E-2", 10)
        over = hand_in(folder, hours=-24, text="id,ZIP\nE-3,80202\n")
        due = hand_in(folder, text="id,ZIP\nE-1,80202\n")
        stays = hand_in(folder, text="id,ZIP\nE-2,80202\n")
        report = purge_due(desk.store, desk.homes, by="clock", now=NOW, folder=folder)
        assert (report.purged, report.left, report.files) == (1, 1, 2)
        assert [each.upload_id for each in uploads.newest_first(folder)] == [stays.upload_id]
        assert not over.folder.exists()
        assert not due.folder.exists()
        later = purge_due(
            desk.store, desk.homes, by="clock", now=NOW, folder=folder, kept_before="2026-11-24"
        )
        assert (later.purged, later.left, later.files) == (1, 0, 1)
        assert uploads.newest_first(folder) == []


def test_a_purge_that_was_stopped_before_the_homes_went_takes_the_files_again(
    tmp_path, monkeypatch
):
    folder = tmp_path / "var" / upload_files.FOLDER
    with opened(tmp_path) as desk:
        desk.decide("E-1", 10, now=NOW - timedelta(days=91))
        hand_in(folder, text="id,ZIP\nE-1,80202\n")
        with monkeypatch.context() as broken:
            broken.setattr(upload_files, "discard_of", stopped)
            with pytest.raises(KeyboardInterrupt):
                purge_due(desk.store, desk.homes, by="clock", now=NOW, folder=folder)
        report = purge_due(desk.store, desk.homes, by="clock", now=NOW, folder=folder)
    assert (report.purged, report.files) == (1, 1)
    assert uploads.newest_first(folder) == []


def stopped(*_: object) -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.parquet", "a.zip"])
def test_a_batch_is_a_table_and_no_map(tmp_path, name):
    with pytest.raises(FileFormatError, match="a batch is a CSV or Excel file"):
        hand_in(tmp_path / "home_files", name)
    assert uploads.newest_first(tmp_path / "home_files") == []
