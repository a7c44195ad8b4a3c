"""Nothing in the audit log is edited, deleted or moved without the row being named."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from territory import audit, chain
from territory.chain import GENESIS, Event, Head
from territory.errors import ConflictError, FileFormatError, InputError, StoreError
from territory.store import Store, open_store
from tests.access_drawn import NOW, empty_url, raw
from tests.test_cli import call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
EVENT_COLUMNS = (
    "number", "at", "by", "action", "subject_kind", "subject_id", "payload_hash", "previous_hash",
    "hash",
)  # fmt: skip
PAYLOAD_COLUMNS = ("number", "salt", "payload")
COLUMNS = [
    *(("audit_events", name) for name in EVENT_COLUMNS),
    *(("audit_payloads", name) for name in PAYLOAD_COLUMNS),
]


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with open_store(empty_url(request, tmp_path, "audit")) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite store with 12 events whose triggers an attacker has dropped."""
    path = tmp_path / "store.sqlite"
    with open_store(str(path)) as opened:
        fill(opened, 12)
    drop_triggers(path)
    return path


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with 10,000 events."""
    path = tmp_path_factory.mktemp("long") / "store.sqlite"
    with open_store(str(path)) as opened:
        fill(opened, 10_000)
    drop_triggers(path)
    return path


def fill(store: Store, events: int, *, start: int = 0) -> None:
    with store.write() as transaction:
        for at in range(start, start + events):
            note(transaction, at)


def note(transaction: Any, at: int = 0, **told: Any) -> int:
    given = {
        "by": f"user-{at % 7 + 1}",
        "at": NOW + timedelta(minutes=at),
        "action": ("plan.publish", "user.add", "export.run")[at % 3],
        "subject_kind": ("plan", "user", "export")[at % 3],
        "subject_id": f"{at % 3}-{at}",
        "after": {"at": at, "name": "Ünïcode"},
    }
    return audit.record(transaction, **given | told)


def two_events(store: Store, **told: Any) -> None:
    """Record an event and then this one, in one transaction."""
    with store.write() as transaction:
        note(transaction)
        note(transaction, **told)


def drop_triggers(path: Path) -> None:
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    connection.commit()
    connection.close()


def tamper(path: Path, *statements: tuple[str, tuple[Any, ...]] | str) -> None:
    """Change a store the way a database tool does."""
    connection = sqlite3.connect(path)
    for statement in statements:
        sql, values = (statement, ()) if isinstance(statement, str) else statement
        connection.execute(sql, values)
    connection.commit()
    connection.close()


def verdict_of(path: Path, *kept: Head) -> audit.AuditVerdict:
    with open_store(str(path)) as store:
        return audit.verify(store, kept=kept)


def broken(path: Path, *kept: Head) -> tuple[int | None, str | None]:
    verdict = verdict_of(path, *kept)
    assert not verdict.is_intact
    return verdict.number, verdict.problem


# What is recorded


def test_an_empty_log_stands(store: Store) -> None:
    verdict = audit.verify(store)
    assert verdict.is_intact
    assert verdict.head == Head(0, GENESIS)


def test_an_event_says_who_when_what_before_and_after(store: Store) -> None:
    with store.write() as transaction:
        number = audit.record(
            transaction,
            by="user-1",
            at=NOW,
            action="user.roles",
            subject_kind="user",
            subject_id="user-2",
            before={"roles": {"rep"}},
            after={"roles": frozenset({"ops", "hr"})},
            detail={"reason": "moved"},
        )
    found, total = audit.search(store)
    assert (number, total) == (1, 1)
    row = found.iloc[0].to_dict()
    payload = json.loads(row.pop("payload"))
    assert row == {
        "number": 1,
        "at": "2026-11-23T09:30:00Z",
        "by": "user-1",
        "action": "user.roles",
        "subject_kind": "user",
        "subject_id": "user-2",
        "is_purged": False,
    }
    assert payload == {
        "before": {"roles": ["rep"]},
        "after": {"roles": ["hr", "ops"]},
        "detail": {"reason": "moved"},
    }


def test_numbers_days_and_gaps_are_recorded_as_json_has_them(store: Store) -> None:
    told = {
        "count": np.int64(3),
        "share": np.float64(0.5),
        "gap": float("nan"),
        "day": date(2026, 1, 31),
        "moment": NOW,
        "flag": np.True_,
        "nothing": None,
    }
    with store.write() as transaction:
        note(transaction, after=told)
    assert json.loads(audit.search(store)[0]["payload"][0])["after"] == {
        "count": 3,
        "share": 0.5,
        "gap": None,
        "day": "2026-01-31",
        "moment": "2026-11-23T09:30:00Z",
        "flag": True,
        "nothing": None,
    }


@pytest.mark.parametrize("value", [object(), {"a": b"bytes"}, [object()]])
def test_what_json_has_not_is_refused_and_nothing_is_written(tmp_path: Path, value: object) -> None:
    with open_store(str(tmp_path / "s.sqlite")) as store:
        with pytest.raises(InputError, match="cannot be recorded"):
            two_events(store, after=value)
        assert audit.search(store)[1] == 0


def test_a_moment_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    with (
        open_store(str(tmp_path / "s.sqlite")) as store,
        pytest.raises(InputError, match="no time zone"),
        store.write() as transaction,
    ):
        audit.record(
            transaction,
            by="u",
            at=NOW.replace(tzinfo=None),
            action="a.b",
            subject_kind="k",
            subject_id="i",
        )


@pytest.mark.parametrize("kind", ["contact", "contacts", "eligibility_decision", "homes"])
def test_what_few_may_read_never_enters_the_log(tmp_path: Path, kind: str) -> None:
    private = {
        "contact": {"name": "Zed Quux", "email": "z@q.example", "phone": "555-0142"},
        "other": {"street": "1 Elm", "postal_code": "80202", "lat": 39.7, "distance_m": 1.5},
    }["contact" if kind.startswith("contact") else "other"]
    told = {**private, "password": "hunter2hunter2", "kept": "yes", "deep": [{**private}]}
    with open_store(str(tmp_path / "s.sqlite")) as store:
        with store.write() as transaction:
            note(transaction, subject_kind=kind, before=told, after=told, detail=told)
        payload = audit.search(store)[0]["payload"][0]
    for value in (*private.values(), "hunter2hunter2"):
        assert str(value) not in payload
    assert json.loads(payload)["after"]["kept"] == "yes"
    assert json.loads(payload)["after"]["deep"][0] == dict.fromkeys(private, "(withheld)")


def test_hostile_text_is_recorded_and_still_verifies(store: Store) -> None:
    hostile = ["a\x00b", "\ud800", "x\u202ey", "new\nline", "'; DROP TABLE audit_events; --", ""]
    with store.write() as transaction:
        for value in hostile:
            note(transaction, subject_id=value, by=value, after={value: value})
    found, total = audit.search(store)
    assert total == len(hostile)
    assert found["subject_id"].tolist()[::-1][:4] == [
        "a\\x00b", "\\ud800", "x\\u202ey", "new\\nline",
    ]  # fmt: skip
    assert audit.verify(store).is_intact


def test_a_change_and_its_event_happen_together_or_not_at_all(store: Store) -> None:
    fill(store, 3)
    with pytest.raises(InputError, match="purge alone"):
        two_events(store, action="audit.purge")
    fill(store, 2, start=3)
    verdict = audit.verify(store)
    assert verdict.is_intact
    assert verdict.events == 5


def test_whoever_only_reads_records_nothing(store: Store) -> None:
    with pytest.raises(ConflictError, match="writes"), store.read() as transaction:
        note(transaction)


def test_writers_at_the_same_time_make_one_chain(store: Store) -> None:
    def work(start: int) -> None:
        for at in range(start, start + 5):
            fill(store, 1, start=at)

    threads = [threading.Thread(target=work, args=(start * 5,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = audit.verify(store)
    assert verdict.is_intact
    assert verdict.events == 20


# What the database refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET subject_id = 'else' WHERE number = 2",
        "UPDATE audit_events SET at = at",
        "DELETE FROM audit_events WHERE number = 3",
        "DELETE FROM audit_events",
        """INSERT INTO audit_events SELECT 2, at, "by", action, subject_kind, subject_id,
           payload_hash, previous_hash, hash FROM audit_events WHERE number = 1""",
        "UPDATE audit_payloads SET payload = '{}'",
        "DELETE FROM audit_payloads WHERE number = 1",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_log(store: Store, statement: str) -> None:
    fill(store, 3)
    with pytest.raises(Exception, match="only grows"), raw(store) as connection:
        connection.execute(text(statement))
    assert audit.verify(store).is_intact


def test_neither_replace_nor_truncate_gets_past_the_guard(store: Store) -> None:
    fill(store, 3)
    if store.url.startswith("sqlite"):
        statements = [
            "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE number = 3",
            "REPLACE INTO audit_payloads VALUES (3, 'salt', '{}')",
        ]
    else:
        statements = ["TRUNCATE audit_payloads", "TRUNCATE audit_events CASCADE"]
    for statement in statements:
        with pytest.raises(Exception, match="only grows"), raw(store) as connection:
            connection.execute(text(statement))
    assert audit.verify(store).is_intact


# What verification finds


def flipped(value: Any, at: int) -> Any:
    """Change one byte of a text, or one bit of a number."""
    if isinstance(value, int):
        return value ^ (1 << 20)
    data = bytearray(value.encode())
    data[at % len(data)] ^= 1
    return data.decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape")


def flip(path: Path, table: str, column: str, number: int, at: int) -> Any:
    """Change one byte of one cell with a database tool; gives what stood there."""
    connection = sqlite3.connect(path)
    where = f"FROM {table} WHERE number = {number}"
    (old,) = connection.execute(f'SELECT "{column}" {where}').fetchone()
    new = flipped(old, at)
    put = "CAST(? AS TEXT)" if isinstance(new, bytes) else "?"
    sql = f'UPDATE {table} SET "{column}" = {put} WHERE number = {number}'  # noqa: S608
    connection.execute(sql, (new,))
    connection.commit()
    connection.close()
    return old


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_byte_changed_in_any_column_of_any_row_names_the_row(
    file: Path, table: str, column: str
) -> None:
    with open_store(str(file)) as store:
        for number in range(1, 13):
            old = flip(file, table, column, number, number * 7)
            verdict = audit.verify(store)
            assert (verdict.is_intact, verdict.number) == (False, number)
            moved = number ^ (1 << 20) if column == "number" else number
            put = f'UPDATE {table} SET "{column}" = ? WHERE number = ?'  # noqa: S608
            tamper(file, (put, (old, moved)))
        assert audit.verify(store).is_intact


def test_a_byte_changed_among_ten_thousand_events_is_found_in_seconds(long_file: Path) -> None:
    chosen = random.Random(4)  # noqa: S311
    with open_store(str(long_file)) as store:
        before = time.process_time()
        assert audit.verify(store).events == 10_000
        assert time.process_time() - before < 5
        for table, column in COLUMNS:
            number = chosen.randint(1, 10_000)
            old = flip(long_file, table, column, number, chosen.randint(0, 99))
            assert audit.verify(store).number == number, column
            moved = number ^ (1 << 20) if column == "number" else number
            put = f'UPDATE {table} SET "{column}" = ? WHERE number = ?'  # noqa: S608
            tamper(long_file, (put, (old, moved)))
        assert audit.verify(store).is_intact


def test_every_byte_of_the_anchor_counts(file: Path) -> None:
    connection = sqlite3.connect(file)
    query = "SELECT value FROM settings WHERE name = 'audit_anchor'"
    (anchor,) = connection.execute(query).fetchone()
    connection.close()
    put = "UPDATE settings SET value = ? WHERE name = 'audit_anchor'"
    with open_store(str(file)) as store:
        for at in range(len(anchor)):
            for other in (" ", "0"):
                changed = anchor[:at] + other + anchor[at + 1 :]
                if changed == anchor:
                    continue
                tamper(file, (put, (changed,)))
                assert not audit.verify(store).is_intact, (at, other)
        tamper(file, (put, (anchor,)))
        assert audit.verify(store).is_intact


def test_the_same_text_left_as_bytes_is_an_edit(file: Path) -> None:
    tamper(file, "UPDATE audit_events SET action = CAST(action AS BLOB) WHERE number = 4")
    assert broken(file) == (4, "edited")


def test_a_row_taken_out_is_named(file: Path) -> None:
    tamper(file, "DELETE FROM audit_events WHERE number IN (5, 6)")
    verdict = verdict_of(file)
    assert (verdict.number, verdict.problem) == (5, "deleted")
    assert "2 events are missing" in verdict.sentence


def test_rows_that_changed_places_are_named(file: Path) -> None:
    tamper(
        file,
        "UPDATE audit_events SET number = -1 WHERE number = 5",
        "UPDATE audit_events SET number = 5 WHERE number = 8",
        "UPDATE audit_events SET number = 8 WHERE number = -1",
    )
    verdict = verdict_of(file)
    assert (verdict.number, verdict.problem) == (5, "reordered")
    assert "what stands there was row 8" in verdict.reason


def test_a_row_taken_out_and_the_rest_moved_up_is_named(file: Path) -> None:
    put = "UPDATE audit_events SET number = ? WHERE number = ?"
    moves = [(put, (number - 1, number)) for number in range(6, 13)]
    tamper(file, "DELETE FROM audit_events WHERE number = 5", *moves)
    assert broken(file) == (5, "reordered")


def test_an_end_cut_off_is_named_by_its_first_row(file: Path) -> None:
    tamper(file, "DELETE FROM audit_events WHERE number > 9")
    verdict = verdict_of(file)
    assert (verdict.number, verdict.problem) == (10, "truncated")
    assert "3 events at the end" in verdict.reason


def test_going_on_after_an_end_was_cut_off_hides_nothing(file: Path) -> None:
    tamper(file, "DELETE FROM audit_events WHERE number > 9")
    with open_store(str(file)) as store:
        fill(store, 2, start=12)
    assert broken(file) == (10, "deleted")


def test_nothing_is_recorded_once_the_note_of_the_end_is_gone(file: Path) -> None:
    tamper(file, "DELETE FROM settings WHERE name = 'audit_anchor'")
    assert broken(file) == (None, "anchor")
    with open_store(str(file)) as store, pytest.raises(StoreError, match="audit verify"):
        fill(store, 1)


def test_a_row_rewritten_with_a_fitting_hash_is_named(file: Path) -> None:
    event = replace(read(file)[4], subject_id="else")
    put = "UPDATE audit_events SET subject_id = ?, hash = ? WHERE number = 5"
    tamper(file, (put, ("else", chain.event_hash(event))))
    assert broken(file) == (5, "rewritten")


def test_a_log_rewritten_to_its_end_is_found_by_a_head_kept_elsewhere(file: Path) -> None:
    kept = verdict_of(file).head
    rewrite(file, since=5)
    assert verdict_of(file).is_intact  # whoever holds the database can do that
    assert broken(file, kept) == (12, "rewritten")
    early = Head(3, read(file)[2].hash)
    assert verdict_of(file, early).is_intact
    assert broken(file, early, kept) == (12, "rewritten")


def test_a_log_that_was_emptied_is_found_by_a_head_kept_elsewhere(file: Path) -> None:
    kept = verdict_of(file).head
    put = ("UPDATE settings SET value = ? WHERE name = 'audit_anchor'", (str(Head()),))
    tamper(file, "DELETE FROM audit_payloads", "DELETE FROM audit_events", put)
    assert verdict_of(file).is_intact
    assert broken(file, kept) == (1, "truncated")


def test_payloads_put_in_or_taken_out_are_named(file: Path) -> None:
    with open_store(str(file)) as store, store.write() as transaction:
        note(transaction, 12, after=None)
    tamper(file, "INSERT INTO audit_payloads VALUES (13, 'salt', '{}')")
    assert broken(file) == (13, "payload_added")
    tamper(file, "UPDATE audit_payloads SET number = 99 WHERE number = 13")
    assert broken(file) == (99, "payload_added")
    tamper(file, "DELETE FROM audit_payloads WHERE number IN (4, 99)")
    assert broken(file) == (4, "payload_deleted")


@pytest.mark.parametrize("store", BOTH[1:], indirect=True)
def test_an_edit_past_the_guard_of_postgresql_names_the_row(store: Store) -> None:
    fill(store, 6)
    with raw(store) as connection:
        connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE audit_events SET \"by\" = 'x' WHERE number = 4"))
    verdict = audit.verify(store)
    assert (verdict.number, verdict.problem) == (4, "edited")


def read(path: Path) -> list[Event]:
    with open_store(str(path)) as store, store.read() as transaction:
        return list(transaction.audit.events())


def rewrite(path: Path, *, since: int) -> None:
    """Forge the log from a row on, every hash and the anchor recomputed."""
    events = read(path)
    for at in range(since - 1, len(events)):
        previous = events[at - 1].hash if at else GENESIS
        forged = replace(events[at], by="someone else", previous_hash=previous)
        events[at] = replace(forged, hash=chain.event_hash(forged))
        put = 'UPDATE audit_events SET "by" = ?, previous_hash = ?, hash = ? WHERE number = ?'
        tamper(path, (put, (forged.by, previous, events[at].hash, at + 1)))
    head = str(Head(len(events), events[-1].hash))
    tamper(path, ("UPDATE settings SET value = ? WHERE name = 'audit_anchor'", (head,)))


def drawn(texts: list[str]) -> list[Event]:
    """A chain of events that say these texts."""
    events: list[Event] = []
    for at, said in enumerate(texts):
        previous = events[-1].hash if events else GENESIS
        payload_hash = chain.digest("salt", said)
        bare = Event(at + 1, "t", said, "a", "k", said, payload_hash, previous, "", "salt", said)
        events.append(replace(bare, hash=chain.event_hash(bare)))
    return events


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.text(max_size=5), min_size=2, max_size=8),
    data=st.data(),
)
def test_whatever_is_done_to_one_row_is_found_there(texts: list[str], data: st.DataObject) -> None:
    events = drawn(texts)
    head = Head(len(events), events[-1].hash)
    assert chain.verify(events, head).is_intact
    at = data.draw(st.integers(0, len(events) - 1))
    field = data.draw(st.sampled_from([*EVENT_COLUMNS[1:], "payload", "salt", "delete", "swap"]))
    changed = list(events)
    if field == "delete":
        del changed[at]
    elif field == "swap":
        other = data.draw(st.integers(0, len(events) - 1).filter(lambda n: n != at))
        changed[at] = replace(events[other], number=at + 1)
        changed[other] = replace(events[at], number=other + 1)
        at = min(at, other)
    else:
        changed[at] = replace(events[at], **{field: data.draw(st.text(max_size=5)) + "~"})
    verdict = chain.verify(changed, head)
    assert (verdict.is_intact, verdict.number) == (False, at + 1)


def test_no_two_lists_of_parts_have_the_same_text_to_hash() -> None:
    assert chain.digest("ab", "c") != chain.digest("a", "bc")
    assert chain.digest("1") != chain.digest(1)
    assert chain.digest(None) != chain.digest("null")


def test_a_head_reads_back_and_nothing_else_is_one() -> None:
    head = Head(120, "9f" * 32)
    assert Head.parse(str(head)) == head
    for wrong in ("", "120", "x:" + "0" * 64, "1:abc", f"{head} "):
        with pytest.raises(InputError, match="no head"):
            Head.parse(wrong)


# What is searched, exported and purged


def test_a_search_narrows_counts_and_pages_newest_first(store: Store) -> None:
    fill(store, 30)
    found, total = audit.search(store, limit=4, offset=2)
    assert (found["number"].tolist(), total) == ([28, 27, 26, 25], 30)
    assert audit.search(store, by="user-1")[0]["number"].tolist() == [29, 22, 15, 8, 1]
    assert audit.search(store, action="user")[1] == 10
    assert audit.search(store, action="user.add")[1] == 10
    assert audit.search(store, action="use")[1] == 0
    assert audit.search(store, action="us%")[1] == 0
    assert audit.search(store, subject_kind="plan", subject_id="0-3")[0]["number"].tolist() == [4]
    window = {"since": NOW + timedelta(minutes=3), "until": NOW + timedelta(minutes=5)}
    assert audit.search(store, **window)[0]["number"].tolist() == [5, 4]
    none, total = audit.search(store, by="nobody")
    assert (len(none), total, list(none.columns)) == (0, 0, list(found.columns))


def test_an_export_writes_what_was_asked_for_and_is_an_event_itself(
    store: Store, tmp_path: Path
) -> None:
    with store.write() as transaction:
        note(transaction, 0, by="=cmd|' /c calc'!A1")
    fill(store, 5, start=1)
    target = tmp_path / "log.csv"
    rows = audit.export(store, target, exported_by="user-9", now=NOW, until=NOW + timedelta(days=1))
    written = pd.read_csv(target, dtype=str)
    assert (rows, written["number"].tolist()) == (6, ["1", "2", "3", "4", "5", "6"])
    assert written["by"][0].startswith("'=cmd")
    last = audit.search(store, limit=1)[0].iloc[0]
    assert (last["by"], last["action"]) == ("user-9", "audit.export")
    detail = json.loads(last["payload"])["detail"]
    assert detail == {"rows": 6, "criteria": {"until": "2026-11-24T09:30:00Z"}}


def test_an_export_that_no_format_holds_is_refused_before_anything_happens(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(FileFormatError, match=r"\.csv, \.xlsx or \.parquet"):
        audit.export(store, tmp_path / "log.geojson", exported_by="u", now=NOW)
    assert audit.search(store)[1] == 0


def test_a_purge_takes_payloads_and_leaves_a_log_that_stands(store: Store) -> None:
    fill(store, 10)
    later = NOW + timedelta(days=1)
    cut = NOW + timedelta(minutes=4)
    tried = audit.purge(store, before=cut, by="user-1", now=later, dry_run=True)
    assert (tried.purged, tried.through) == (4, 4)
    assert audit.search(store)[1] == 10
    report = audit.purge(store, before=cut, by="user-1", now=later)
    assert (report.purged, report.through, report.is_dry_run) == (4, 4, False)
    verdict = audit.verify(store)
    assert verdict.is_intact
    assert (verdict.events, verdict.purged) == (11, 4)
    found, _ = audit.search(store)
    assert found["is_purged"].tolist()[::-1] == [True] * 4 + [False] * 7
    assert (found["action"][0], found["subject_id"][0]) == ("audit.purge", "4")
    again = audit.purge(store, before=cut, by="user-1", now=later)
    assert again.purged == 0
    assert audit.search(store)[1] == 11


def test_a_purge_stops_at_the_first_event_that_is_not_older(store: Store) -> None:
    with store.write() as transaction:
        for minute in (0, 9, 1, 2):  # a clock went back
            note(transaction, minute)
    report = audit.purge(
        store, before=NOW + timedelta(minutes=5), by="u", now=NOW + timedelta(days=1)
    )
    assert (report.purged, report.through) == (1, 1)


def test_what_lies_in_the_future_is_not_purged(store: Store) -> None:
    with pytest.raises(InputError, match="future"):
        audit.purge(store, before=NOW + timedelta(seconds=1), by="u", now=NOW)


def test_only_a_purge_records_a_purge(store: Store) -> None:
    with pytest.raises(InputError, match="purge alone"), store.write() as transaction:
        note(transaction, action="audit.purge", subject_id="12")


def test_a_purge_announces_no_more_than_it_may(file: Path) -> None:
    with open_store(str(file)) as store:
        audit.purge(store, before=NOW + timedelta(minutes=4), by="u", now=NOW + timedelta(days=1))
    tamper(file, "DELETE FROM audit_payloads WHERE number = 5")
    assert broken(file) == (5, "payload_deleted")


def test_purged_text_is_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    canary = "Quuxalot-Canary-77"
    with open_store(str(path)) as store:
        with store.write() as transaction:
            note(transaction, 0, after={"note": canary})
            note(transaction, 9)
        audit.purge(store, before=NOW + timedelta(minutes=5), by="u", now=NOW + timedelta(days=1))
    assert not [p for p in tmp_path.iterdir() if canary.encode() in p.read_bytes()]
    with open_store(str(path)) as store:
        assert audit.verify(store).is_intact


def test_a_purged_payload_cannot_be_guessed_by_its_hash(store: Store) -> None:
    with store.write() as transaction:
        note(transaction, 0)
        note(transaction, 0)
    with store.read() as transaction:
        first, second = transaction.audit.events()
    assert first.payload == second.payload
    assert first.payload_hash != second.payload_hash


# The command line


def test_the_commands_verify_list_export_and_purge(file: Path, tmp_path: Path) -> None:
    done = call("audit", "verify", store=file)
    assert (done.exit_code, "12 events: none edited" in done.stdout) == (0, True)
    head = re.search(r"Head: (\S+)", done.stdout)
    assert head is not None
    assert call("audit", "verify", "--head", head[1], store=file).exit_code == 0
    listed = call("audit", "list", "--action", "user", "--limit", "2", store=file)
    assert listed.stdout.endswith("2 of 4 events.\n")
    told = json.loads(call("audit", "list", "--json", store=file).stdout)
    assert (told["total"], told["events"][0]["number"]) == (12, 12)
    target = tmp_path / "out.csv"
    assert "12 events in" in call("audit", "export", str(target), store=file).stdout
    assert len(pd.read_csv(target)) == 12
    tried = call("audit", "purge", "--before", "2026-11-23", "--dry-run", store=file)
    assert "Nothing was written" in tried.stdout
    tamper(file, "UPDATE audit_events SET subject_id = 'else' WHERE number = 7")
    failed = call("audit", "verify", "--json", store=file)
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["number"] == 7
    assert "Row 7 is broken (edited)" in call("audit", "verify", store=file).stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("verify", "--head", "5"), "no head"),
        (("list", "--since", "yesterday"), "--since yesterday: no day"),
        (("purge", "--before", "2026-13-01"), "--before 2026-13-01: no day"),
        (("purge", "--before", "9999-01-01"), "lies in the future"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    file: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = call("audit", *arguments, store=file)
    assert (done.exit_code, told in done.stderr, done.stderr.count("\n")) == (2, True, 1)


@pytest.mark.parametrize("command", ["", "verify", "list", "export", "purge"])
def test_every_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    done = call("audit", *command.split(), "--help", store=tmp_path / "none.sqlite")
    assert done.exit_code == 0
    assert f"territory audit {command}".strip() in done.stdout.split("Example")[1]
