"""What earlier versions kept in the store to the meter moves to the homes it belongs to."""

from __future__ import annotations

import json
import lzma
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from territory.access import audit_log
from territory.eligibility import desk
from territory.eligibility.desk import exact_records
from territory.eligibility.homes import open_homes
from territory.store import open_store
from tests.conftest import ROOT
from tests.fixtures.eligibility_stores import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.eligibility.homes import HomeStore
    from territory.store import Store

OLD = ROOT / "tests" / "fixtures" / "old_store"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[tuple[Store, HomeStore]]:
    for name in ("store", "homes"):
        packed = (OLD / f"{name}.sqlite.xz").read_bytes()
        (tmp_path / f"{name}.sqlite").write_bytes(lzma.decompress(packed))
    with (
        open_store(f"{tmp_path}/store.sqlite") as store,
        open_homes(f"{tmp_path}/homes.sqlite") as homes,
    ):
        yield store, homes


def records(path: Path) -> dict[str, dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT decision_id, record FROM eligibility_decisions")
        return {one: json.loads(text) for one, text in rows}


def measures(record: dict[str, Any]) -> set[str]:
    """Every way of a record, as text; how well a ZIP is known is told of prospects too."""
    facts, decision = record["facts"], record["decision"]
    values = [part["value"] for part in facts["measures"]]
    names = ("distance_m", "duration_s", "road_distance_m", "road_time_s")
    values += [decision[name] for name in names]
    return {json.dumps(value) for value in values if value}


def test_they_move_to_the_homes_that_are_held_and_nothing_is_left_in_the_file(old, tmp_path):
    store, homes = old
    path = tmp_path / "store.sqlite"
    was = records(path)
    held = {one: desk.verify_decision(store, homes, one).home == "held" for one in was}
    assert set(held.values()) == {True, False}
    before = desk.search_decisions(store, homes=homes)[0].set_index("decision_id")
    assert desk.move_measures(store, homes, now=NOW) == len(was)
    now = records(path)
    files = b"".join(each.read_bytes() for each in tmp_path.glob("store.sqlite*"))
    for one, record in was.items():
        verification = desk.verify_decision(store, homes, one)
        assert verification.stands, verification.differences
        assert (verification.home == "held") == held[one]
        assert "SHA-256 printed before" in verification.home_sentence
        assert not [number for number in measures(record) if number.encode() in files]
        assert record["sha256"]["all"].encode() not in files
        assert desk.exact_decision_record(store, homes, one) == (record if held[one] else None)
        assert "uncertainty" not in json.dumps(now[one])
        assert now[one]["decision"]["decision"] == record["decision"]["decision"]
    after = desk.search_decisions(store, homes=homes)[0].set_index("decision_id")
    kept = [one for one, is_held in held.items() if is_held]
    assert after.loc[kept, "distance_m"].equals(before.loc[kept, "distance_m"])
    assert after.drop(index=kept)["distance_m"].isna().all()
    assert desk.move_measures(store, homes, now=NOW) == 0
    assert audit_log.verify(store).is_intact
    assert audit_log.search(store)[0]["action"].iloc[0] == "eligibility.measures_moved"


def test_a_move_that_is_stopped_goes_on_the_next_time(old, tmp_path, monkeypatch):
    store, homes = old
    path = tmp_path / "store.sqlite"
    monkeypatch.setattr(exact_records, "_CHUNK", 2)
    rewrite = type(store).rewrite

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(store), "rewrite", stopped)
    with pytest.raises(KeyboardInterrupt):
        desk.move_measures(store, homes, now=NOW)
    formats = [each["format"][-1] for each in records(path).values()]
    assert sorted(formats) == ["1", *"2" * (len(formats) - 1)]
    for one in records(path):
        assert desk.verify_decision(store, homes, one).stands
    monkeypatch.setattr(type(store), "rewrite", rewrite)
    assert desk.move_measures(store, homes, now=NOW) == 1
    assert {each["format"][-1] for each in records(path).values()} == {"2"}


def test_a_purge_moves_them_first(old, tmp_path):
    store, homes = old
    was = records(tmp_path / "store.sqlite")
    desk.purge_due(store, homes, by="hr", now=NOW, kept_before="2999-01-01")
    assert homes.size() == 0
    files = b"".join(each.read_bytes() for each in tmp_path.glob("*.sqlite*"))
    for one, record in was.items():
        assert not [number for number in measures(record) if number.encode() in files]
        assert desk.verify_decision(store, homes, one).stands


def test_the_store_takes_no_other_change_of_a_decision(old, tmp_path):
    store, homes = old
    path = tmp_path / "store.sqlite"
    change = (
        "UPDATE eligibility_decisions SET record = replace(record, 'decision 1\"', 'decision 2\"')"
    )
    with closing(sqlite3.connect(path)) as connection:
        for more in (", decision = 'eligible'", ", subject = 'E-9'", ", number = number + 1000"):
            with pytest.raises(sqlite3.IntegrityError, match="never changes"):
                connection.execute(change + more)
        with pytest.raises(sqlite3.IntegrityError, match="never changes"):
            connection.execute("UPDATE eligibility_decisions SET record = record || ' '")
    desk.move_measures(store, homes, now=NOW)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="never changes"),
    ):
        connection.execute("UPDATE eligibility_decisions SET digest = 'x'")
