"""The store does the same on SQLite and on PostgreSQL, wholly or not at all."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from territory.errors import ConflictError, InputError, NotFoundError, StoreError
from territory.plans import PlanInfo, PlanLedger
from territory.plans.plan import PUBLISHED
from territory.policy import Policy, RadiusPolicy
from territory.schemas import ASSIGNMENTS
from territory.store import DEFAULT_URL, KINDS, Store, metadata, open_store
from territory.store.migrations import run
from territory.store.tables import REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = PlanInfo(
    plan_id="plan-1",
    number=1,
    name="2027-Q1",
    status=PUBLISHED,
    effective_from="2027-01-01",
    published_at="2026-11-23T09:30:00Z",
    published_by="Sales ops",
    policy=Policy(name="ours", radius=RadiusPolicy(limit_m=1234.5)),
    counts={"prospects": 1},
    digest="0",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/deep/down/store.sqlite"
        return
    yield request.getfixturevalue("postgresql_url")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


def reps(*names: str) -> pd.DataFrame:
    ids = [f"R{at}" for at in range(len(names))]
    return pd.DataFrame(
        {"rep_id": ids, "name": names, "email": None, "base_office_id": "NYC"}, dtype=object
    )


def assignments(**told: object) -> pd.DataFrame:
    row = dict.fromkeys(ASSIGNMENTS.columns) | {
        "prospect_id": "p1",
        "segment": "small",
        "rule": "unassigned",
        "reason": "No rule.",
        "distance_m": 0.1 + 0.2,
        "name": "One",
        "status": "prospect",
    }
    return pd.DataFrame([row | told])


def save(store: Store, kind: str, new: pd.DataFrame) -> None:
    with store.write() as transaction:
        transaction.save(kind, new, new.iloc[:0])


def read(store: Store, kind: str) -> pd.DataFrame:
    with store.read() as transaction:
        return transaction.table(kind)


def test_opening_twice_finds_what_was_written(url: str) -> None:
    with open_store(url) as first:
        save(first, "reps", reps("Ann", "Bob"))
    with open_store(url) as second:
        assert read(second, "reps")["name"].tolist() == ["Ann", "Bob"]


def test_text_numbers_and_gaps_come_back_as_they_went_in(store: Store) -> None:
    given = {
        "prospect_id": ["p2", "p1"],
        "name": ["Ünïcode \t\\N 'quoted' \"x\", y", "日本"],
        "status": ["prospect", "customer"],
        "postal_code": ["01001", None],
        "employees": [np.nan, 12.0],
        "revenue_usd": [0.1 + 0.2, np.nan],
    }
    columns = [column.name for column in KINDS["prospects"].table.columns]
    frame = pd.DataFrame(given).reindex(columns=columns)
    save(store, "prospects", frame)
    found = read(store, "prospects")
    assert found["prospect_id"].tolist() == ["p1", "p2"]
    ordered = found.set_index("prospect_id").loc[["p2", "p1"]].reset_index()
    assert ordered["name"].tolist() == given["name"]
    assert ordered["postal_code"].tolist() == ["01001", None]
    assert ordered["revenue_usd"].tolist()[0] == 0.1 + 0.2
    assert np.isnan(ordered["employees"].tolist()[0])
    assert found["employees"].dtype == float
    assert found["lat"].dtype == float
    assert found["city"].dtype == object


def test_ids_are_ordered_by_code_point_on_every_database(store: Store) -> None:
    frame = reps("a", "b", "c", "d").assign(rep_id=["b", "B", "a-1", "a1"])
    save(store, "reps", frame)
    assert read(store, "reps")["rep_id"].tolist() == ["B", "a-1", "a1", "b"]


def test_an_update_changes_the_rows_it_names_and_no_other(store: Store) -> None:
    before = reps("Ann", "Bob", "Cy")
    save(store, "reps", before)
    changed = before.iloc[[1]].assign(name="Robert", email=None)
    with store.write() as transaction:
        transaction.save("reps", before.iloc[:0], changed)
    assert read(store, "reps")["name"].tolist() == ["Ann", "Robert", "Cy"]


def test_a_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    def fail() -> None:
        with store.write() as transaction:
            transaction.save("reps", reps("Ann"), reps().iloc[:0])
            transaction.set_setting("half", "done")
            raise InputError("no")

    with pytest.raises(InputError, match="no"):
        fail()
    with store.read() as transaction:
        assert transaction.size("reps") == 0
        assert transaction.setting("half") is None


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    save(store, "reps", reps("Ann"))
    with store.read() as reader:
        assert reader.size("reps") == 1
        later = threading.Thread(target=save, args=(store, "reps", reps("x", "Bob").iloc[1:]))
        later.start()
        later.join()
        assert reader.size("reps") == 1
    assert len(read(store, "reps")) == 2


def test_writers_take_turns_so_that_no_count_is_lost(store: Store) -> None:
    with store.write() as transaction:
        transaction.set_setting("count", "0")

    def add() -> None:
        for _ in range(5):
            with store.write() as transaction:
                transaction.set_setting("count", str(int(transaction.setting("count") or 0) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as transaction:
        assert transaction.setting("count") == "20"


def test_a_row_of_an_unknown_prospect_is_refused_by_the_database_too(store: Store) -> None:
    stray = pd.DataFrame({"contact_id": ["c"], "prospect_id": ["nobody"], "name": ["X"]})
    with pytest.raises(ConflictError, match="nothing was written"):
        save(store, "contacts", stray)


def test_a_plan_comes_back_with_policy_counts_and_parts(store: Store) -> None:
    with store.write() as transaction:
        assert PlanLedger(transaction).plan_in_force() is None
        PlanLedger(transaction).publish(PLAN, {"assignments": assignments()})
    with store.read() as transaction:
        assert PlanLedger(transaction).plan_in_force() == PLAN
        assert PlanLedger(transaction).plan("plan-1") == PLAN
        assert PlanLedger(transaction).next_plan_number() == 2
        part = PlanLedger(transaction).plan_part("plan-1", "assignments", market_id=None)
        assert part["distance_m"].tolist() == [0.1 + 0.2]
        assert "plan_id" not in part
        with pytest.raises(NotFoundError, match=r"'plan-9'.*in force is plan-1"):
            PlanLedger(transaction).plan("plan-9")


def test_the_same_plan_is_published_once(store: Store) -> None:
    with store.write() as transaction:
        PlanLedger(transaction).publish(PLAN, {})
    with pytest.raises(ConflictError, match="plan-1"), store.write() as transaction:
        PlanLedger(transaction).publish(PLAN, {})
    with store.write() as transaction:
        PlanLedger(transaction).publish(replace(PLAN, plan_id="plan-2", number=2), {})
        latest = PlanLedger(transaction).plan_in_force()
    assert latest is not None
    assert latest.plan_id == "plan-2"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plan_assignments SET rep_id = 'me'",
        "DELETE FROM plan_assignments",
        (
            "INSERT INTO plan_assignments "
            "(plan_id, prospect_id, segment, rule, reason, name, status) "
            "VALUES ('plan-1', 'p9', 'small', 'unassigned', 'x', 'x', 'prospect')"
        ),
        "UPDATE plans SET name = 'mine'",
        "DELETE FROM plans",
    ],
)
def test_the_database_itself_refuses_to_change_a_published_plan(
    store: Store, statement: str
) -> None:
    with store.write() as transaction:
        PlanLedger(transaction).publish(PLAN, {"assignments": assignments()})
    engine = create_engine(store.url)
    with pytest.raises(Exception, match="a published plan never changes"), engine.begin() as raw:
        raw.execute(text(statement))
    engine.dispose()
    with store.read() as transaction:
        assert PlanLedger(transaction).plan_in_force() == PLAN
        assert len(PlanLedger(transaction).plan_part("plan-1", "assignments")) == 1


def test_the_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    engine = create_engine(store.url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_the_revision_in_the_schema_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(run.configure()).get_heads() == [REVISION]


def test_a_newer_database_is_left_alone(url: str) -> None:
    with open_store(url) as store:
        engine = create_engine(store.url)
        with engine.begin() as raw:
            raw.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        engine.dispose()
    with pytest.raises(StoreError, match=r"newer version.*'9999'.*Upgrade"):
        open_store(url)


def test_sqlite_runs_with_wal_and_foreign_keys_on(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with open_store(str(path)) as store, store.read() as transaction:
        assert transaction.size("reps") == 0
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_the_default_store_lies_under_var_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TERRITORY_STORE", raising=False)
    open_store().close()
    assert (tmp_path / DEFAULT_URL.removeprefix("sqlite:///")).is_file()
    monkeypatch.setenv("TERRITORY_STORE", "sqlite:///elsewhere.sqlite")
    open_store().close()
    assert (tmp_path / "elsewhere.sqlite").is_file()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("mysql://root:secret@host/db", r"mysql://root@host/db.*mysql is no database"),
        ("sqlite://", "would forget"),
        ("sqlite:///:memory:", "would forget"),
        ("://", "is not a store"),
    ],
)
def test_a_url_that_names_no_store_is_bad_input(given: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        open_store(given)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="out of reach") as caught:
        open_store(f"postgresql://me:secret@/db?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_not_made_by_those_who_only_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"No store at .*gone.sqlite.*territory demo"):
        open_store(str(tmp_path / "gone.sqlite"), create=False)
    assert not (tmp_path / "gone.sqlite").exists()


def test_a_file_that_is_no_database_and_a_folder_are_said_to_be(tmp_path: Path) -> None:
    letter = tmp_path / "letter.sqlite"
    letter.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match="not a SQLite database"):
        open_store(str(letter))
    with pytest.raises(StoreError, match="is a folder"):
        open_store(str(tmp_path))
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(str(letter / "below" / "s.sqlite"))
