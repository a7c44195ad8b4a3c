"""Newer tables of places: what they change is told before, and then it is so."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from territory import imports, reference
from territory.cli.main import cli
from territory.errors import FileFormatError, InputError
from territory.geocoding import review
from territory.geocoding.review import reference_update
from territory.geocoding.review.reference_diff import TABLES, compare, tables_in
from territory.plans import publish
from territory.policy import Policy
from territory.prospects import build as snapshots
from territory.reference import Reference
from territory.store import Store, open_store
from territory.units_of_length import METRES_PER_MILE
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CHICAGO, DENVER = "60601", "80202"


def build(folder: Path, **changes: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """A changed copy of some tables."""
    folder.mkdir(exist_ok=True)
    for name, change in changes.items():
        change(getattr(Reference(), name).copy()).to_parquet(folder / f"{name}.parquet")
    return folder


def renewed_zips(zips: pd.DataFrame) -> pd.DataFrame:
    """60601 is where Denver is, 60602 is gone, 60603 has another county, 00001 is new."""
    zips = zips.set_index("zip_code")
    columns = ["lon", "lat", "county_fips", "cbsa_code"]
    zips.loc[CHICAGO, columns] = zips.loc[DENVER, columns].to_numpy()
    zips.loc["60603", "county_fips"] = "17043"
    zips.loc["00001"] = zips.loc["60604"]
    return zips.drop("60602").sort_index().reset_index()


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return build(tmp_path / "tables", zip_codes=renewed_zips)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Prospects of Chicago and a market of two metro areas, placed with the tables in use."""
    files = {
        "markets": "market_id,name,kind,units\nchi,Chicago,metro_area,16980\n"
        "den,Denver,metro_area,19740\n",
        "prospects": "prospect_id,name,postal_code,city,state,lat,lon\n"
        "moves,Moves,60601,Chicago,IL,,\nlost,Lost,60602,,,,\nstays,Stays,60604,Chicago,IL,,\n"
        "given,Given,60601,Chicago,IL,41.886,-87.62\npinned,Pinned,60601,Chicago,IL,,\n"
        "fixed,Fixed,60604,Chicago,IL,,\nfound,Found,00001,,,,\n",
    }
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        for kind, text in files.items():
            (tmp_path / f"{kind}.csv").write_text(text)
            imports.import_file(opened, kind, tmp_path / f"{kind}.csv", by="t", now=NOW)
        review.pin(opened, "prospects", "pinned", -87.63, 41.88, by="t", now=NOW)
        review.correct_address(
            opened, "prospects", "fixed", {"postal_code": CHICAGO, "city": None}, by="t", now=NOW
        )
        yield opened


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of tables that may be overwritten."""
    folder = tmp_path / f"package_of_{tmp_path.name}"  # a name of its own: imported once
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name in ("zip_codes.parquet", "vintage.toml"):
        shutil.copy(ROOT / "data" / name, folder)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(reference, "PACKAGE", folder.name)
    return folder


def rows_of(store: Store) -> pd.DataFrame:
    with store.read() as transaction:
        return transaction.table("prospects").set_index("prospect_id")


def test_zip_codes_that_appear_vanish_and_move_are_named_with_how_far(tables: Path) -> None:
    changes = compare(Reference(), tables_in(tables))
    told = changes.zip_codes.set_index(["zip_code", "change"])
    assert set(told.index) == {
        ("00001", "appears"), ("60602", "vanishes"), ("60601", "moves"),
        ("60601", "changes county"), ("60603", "changes county"),
    }  # fmt: skip
    assert told.loc[(CHICAGO, "moves"), "moved_m"] / METRES_PER_MILE == pytest.approx(921, abs=3)
    assert told.loc[("60603", "changes county"), "county_after"] == "17043"
    assert changes.areas.empty
    assert "1 appear, 1 vanish, 1 move (1 by more than a mile), 2 change county" in changes.sentence


def test_a_build_held_against_itself_has_no_changes() -> None:
    changes = compare(Reference(), Reference())
    assert changes.zip_codes.empty
    assert changes.areas.empty
    assert (changes.rows["before"] == changes.rows["after"]).all()


def test_counties_that_change_metro_area_or_shape_are_named(tmp_path: Path) -> None:
    def change(counties: pd.DataFrame) -> pd.DataFrame:
        counties = counties.set_index("county_fips")
        counties.loc["17043", "cbsa_code"] = "19740"
        counties.loc["17031", "geometry"] = counties.loc["17031", "geometry"].buffer(0.01)
        counties.loc["17089", "name"] = "Kain County"
        return counties.reset_index()

    areas = compare(Reference(), tables_in(build(tmp_path / "t", counties=change))).areas
    assert dict(zip(areas["code"], areas["change"], strict=True)) == {
        "17043": "changes metro area", "17031": "is drawn anew", "17089": "is renamed",
    }  # fmt: skip


def test_an_update_tells_first_what_it_changes_and_writes_nothing(
    store: Store, tables: Path
) -> None:
    before = rows_of(store)
    told = reference_update.preview(store, tables)
    rows = told.rows.set_index("id")
    assert not told.is_written
    assert rows["change"].to_dict() == {
        "moves": "moves", "lost": "is lost", "fixed": "moves", "found": "is found",
        "given": "is known differently",
    }  # fmt: skip
    assert rows.loc["moves", ["market_before", "market_after"]].tolist() == ["chi", "den"]
    assert rows.loc["given", "placement_after"] == "conflict"
    assert rows.loc["lost", "market_after"] is None
    assert told.vintage_before != told.vintage_after
    pd.testing.assert_frame_equal(rows_of(store), before)


def test_an_update_does_what_was_told_and_once_only(
    store: Store, tables: Path, package: Path
) -> None:
    told, before = reference_update.preview(store, tables), rows_of(store)
    done = reference_update.update(store, tables, by="ops", now=NOW)
    pd.testing.assert_frame_equal(done.rows, told.rows)
    after = rows_of(store)
    changed = (after["lon"].fillna(0) != before["lon"].fillna(0)).to_numpy()
    assert set(after.index[changed]) == {"moves", "lost", "fixed", "found"}
    assert after.loc["pinned", "geocode_source"].startswith("pin by t")
    assert (package / "zip_codes.parquet").read_bytes() == (
        tables / "zip_codes.parquet"
    ).read_bytes()
    assert sorted(path.name for path in package.iterdir() if path.suffix == ".new") == []
    with reference.using(tables_in(tables)):
        assert reference_update.status(store).stale == 0
        assert reference_update.preview(store).rows.empty
    found = reference_update.status(store)
    assert found.stale == 5  # held against the tables that this process still has
    assert found.placed_with == {
        "vintage": done.vintage_after, "at": "2026-11-23T09:30:00Z", "by": "ops",
    }  # fmt: skip


def test_the_map_is_made_anew_after_an_update(
    store: Store, tables: Path, package: Path, tmp_path: Path
) -> None:
    """No import and no decision tells of it, and yet places are others."""
    today, folder = "2026-11-23", tmp_path / "snapshots"
    publish.assign(store, published_by="t", now=NOW, policy=Policy())
    before = snapshots.ready(store, folder, today)
    reference_update.update(store, tables, by="t", now=NOW)
    assert not snapshots.is_ready(store, folder, today)
    after = snapshots.ready(store, folder, today)
    assert before is not None
    assert after is not None
    assert after.stamp != before.stamp


def test_markets_are_drawn_anew_with_their_counties(
    store: Store, tmp_path: Path, package: Path
) -> None:
    def change(counties: pd.DataFrame) -> pd.DataFrame:
        is_cook = counties["county_fips"] == "17031"
        return counties.assign(cbsa_code=np.where(is_cook, "19740", counties["cbsa_code"]))

    tables = build(tmp_path / "t", counties=change)
    told = reference_update.preview(store, tables)
    assert told.markets == ("chi", "den")
    rows = told.rows.set_index("id")
    assert set(rows["change"]) == {"changes market"}
    assert set(rows["market_after"]) == {"den"}
    reference_update.update(store, tables, by="ops", now=NOW)
    with reference.using(tables_in(tables)):
        assert reference_update.preview(store).markets == ()


def test_what_is_stopped_half_way_is_named_and_goes_on(
    store: Store, tables: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(store)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reference_update.json, "dumps", stop)
        with pytest.raises(KeyboardInterrupt):
            reference_update.update(store, tables, by="ops", now=NOW)
    pd.testing.assert_frame_equal(rows_of(store), before)
    with reference.using(tables_in(tables)):
        assert reference_update.status(store).stale == 5
        assert len(reference_update.update(store, by="ops", now=NOW).rows) == 5
        assert reference_update.status(store).stale == 0


def test_tables_that_do_not_fit_are_refused_with_every_reason(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such folder"):
        tables_in(tmp_path / "none")
    with pytest.raises(FileFormatError, match=r"holds none of zip_codes\.parquet"):
        tables_in(tmp_path)
    bare = build(tmp_path / "bare", zip_codes=lambda zips: zips[["zip_code", "lon"]])
    with pytest.raises(InputError, match="zip_codes lacks 'lat', 'city'"):
        tables_in(bare)

    def spoil(zips: pd.DataFrame) -> pd.DataFrame:
        zips.loc[[0, 1], "zip_code"] = "00601"
        zips.loc[2, "lat"] = 910.0
        zips.loc[3, "county_fips"] = "99999"
        return zips

    with pytest.raises(InputError) as caught:
        tables_in(build(tmp_path / "spoilt", zip_codes=spoil))
    for part in ("00601 twice", "off the globe", "1 ZIP codes are in counties that there are not"):
        assert part in str(caught.value)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "zip_codes.parquet").write_bytes(b"no parquet")
    with pytest.raises(FileFormatError, match="not readable as parquet"):
        tables_in(tmp_path / "broken")


def test_tables_that_cannot_be_replaced_leave_everything_as_it_was(
    store: Store, tables: Path, package: Path
) -> None:
    (package / "zip_codes.parquet").unlink()
    (package / "zip_codes.parquet").mkdir()
    before = rows_of(store)
    with pytest.raises(FileFormatError, match="cannot be replaced"):
        reference_update.update(store, tables, by="ops", now=NOW)
    pd.testing.assert_frame_equal(rows_of(store), before)
    assert not list(package.glob("*.new"))


def test_the_commands_tell_ask_and_change(
    store: Store, tables: Path, package: Path, tmp_path: Path
) -> None:
    def run(*arguments: str, answer: str = "") -> tuple[int, str]:
        command = ["--store", store.url, "data", *arguments]
        result = CliRunner().invoke(cli, command, input=answer)
        return result.exit_code, result.stdout if "--json" in arguments else result.output

    code, told = run("status", "--json")
    assert code == 0
    assert json.loads(told)["stale"] == 0
    assert json.loads(told)["sources"]
    report = tmp_path / "changes.csv"
    code, told = run("update", "--from", str(tables), "--dry-run", "--report", str(report))
    assert code == 0
    assert "ZIP 60601 (Chicago, IL) moves by 921.1 mi" in told
    assert "prospects moves (Moves) moves by 921.1 mi; market chi -> den" in told
    assert "Nothing was written." in told
    assert len(report.read_text().splitlines()) == 6
    assert run("update", "--from", str(tables), answer="n\n")[0] == 1
    assert rows_of(store).loc["lost", "placement"] == "approximate"
    assert run("update", "--from", str(tables), "--json")[0] != 0
    code, told = run("update", "--from", str(tables), "--yes", "--json")
    assert json.loads(told)["written"]
    assert rows_of(store).loc["lost", "placement"] == "unplaced"


def test_the_sources_on_file_are_those_of_the_build() -> None:
    from scripts.data import description

    assert (ROOT / "data" / "vintage.toml").read_text("utf-8") == description.vintage()


def test_every_table_of_places_is_part_of_the_vintage(tmp_path: Path) -> None:
    whole = reference_update.vintage_of(Reference())
    for name in TABLES:
        folder = tmp_path / name
        build(folder, **{name: lambda table: table.iloc[1:]})
        assert reference_update.vintage_of(Reference(folder=folder)) != whole
