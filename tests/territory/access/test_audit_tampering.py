"""Whoever edits, deletes or moves a row of the audit log is found, and the row is named."""

from __future__ import annotations

import random
import sqlite3
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.access import Head, audit_ledger, audit_log, hash_chain
from territory.access.audit_ledger import GENESIS, AuditLedger, Event
from territory.errors import InputError, StoreError
from territory.store import open_store
from tests.fixtures.access_drawn import NOW, empty_file
from tests.fixtures.audit_drawn import drop_triggers, fill, note, tamper

if TYPE_CHECKING:
    from pathlib import Path

    from territory import access

EVENT_COLUMNS = (
    "number", "at", "by", "action", "subject_kind", "subject_id", "payload_hash", "previous_hash",
    "hash",
)  # fmt: skip
PAYLOAD_COLUMNS = ("number", "salt", "payload")
COLUMNS = [
    *(("audit_events", name) for name in EVENT_COLUMNS),
    *(("audit_payloads", name) for name in PAYLOAD_COLUMNS),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite store with 12 events whose triggers an attacker has dropped."""
    path = empty_file(tmp_path)
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


def read(path: Path) -> list[Event]:
    with open_store(str(path)) as store, store.read() as transaction:
        return list(AuditLedger(transaction).events())


def rewrite(path: Path, *, since: int) -> None:
    """Forge the log from a row on, every hash and the anchor recomputed."""
    events = read(path)
    for at in range(since - 1, len(events)):
        previous = events[at - 1].hash if at else GENESIS
        forged = replace(events[at], by="someone else", previous_hash=previous)
        events[at] = replace(forged, hash=audit_ledger.event_hash(forged))
        put = 'UPDATE audit_events SET "by" = ?, previous_hash = ?, hash = ? WHERE number = ?'
        tamper(path, (put, (forged.by, previous, events[at].hash, at + 1)))
    head = str(Head(len(events), events[-1].hash))
    tamper(path, ("UPDATE settings SET value = ? WHERE name = 'audit_anchor'", (head,)))


def drawn(texts: list[str]) -> list[Event]:
    """A chain of events that say these texts."""
    events: list[Event] = []
    for at, said in enumerate(texts):
        previous = events[-1].hash if events else GENESIS
        payload_hash = audit_ledger.digest("salt", said)
        bare = Event(at + 1, "t", said, "a", "k", said, payload_hash, previous, "", "salt", said)
        events.append(replace(bare, hash=audit_ledger.event_hash(bare)))
    return events


def verdict_of(path: Path, *kept: Head) -> access.AuditVerdict:
    with open_store(str(path)) as store:
        return audit_log.verify(store, heads=kept)


def broken(path: Path, *kept: Head) -> tuple[int | None, str | None]:
    verdict = verdict_of(path, *kept)
    assert not verdict.is_intact
    return verdict.number, verdict.problem


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_byte_changed_in_any_column_of_any_row_names_the_row(
    file: Path, table: str, column: str
) -> None:
    with open_store(str(file)) as store:
        for number in range(1, 13):
            old = flip(file, table, column, number, number * 7)
            verdict = audit_log.verify(store)
            assert (verdict.is_intact, verdict.number) == (False, number)
            moved = number ^ (1 << 20) if column == "number" else number
            put = f'UPDATE {table} SET "{column}" = ? WHERE number = ?'  # noqa: S608
            tamper(file, (put, (old, moved)))
        assert audit_log.verify(store).is_intact


def test_a_byte_changed_among_ten_thousand_events_is_found_in_seconds(long_file: Path) -> None:
    chosen = random.Random(4)  # noqa: S311
    with open_store(str(long_file)) as store:
        before = time.process_time()
        assert audit_log.verify(store).events == 10_000
        assert time.process_time() - before < 5
        for table, column in COLUMNS:
            number = chosen.randint(1, 10_000)
            old = flip(long_file, table, column, number, chosen.randint(0, 99))
            assert audit_log.verify(store).number == number, column
            moved = number ^ (1 << 20) if column == "number" else number
            put = f'UPDATE {table} SET "{column}" = ? WHERE number = ?'  # noqa: S608
            tamper(long_file, (put, (old, moved)))
        assert audit_log.verify(store).is_intact


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
                assert not audit_log.verify(store).is_intact, (at, other)
        tamper(file, (put, (anchor,)))
        assert audit_log.verify(store).is_intact


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
    tamper(file, (put, ("else", audit_ledger.event_hash(event))))
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


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.text(max_size=5), min_size=2, max_size=8),
    data=st.data(),
)
def test_whatever_is_done_to_one_row_is_found_there(texts: list[str], data: st.DataObject) -> None:
    events = drawn(texts)
    head = Head(len(events), events[-1].hash)
    assert hash_chain.verify(events, head).is_intact
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
    verdict = hash_chain.verify(changed, head)
    assert (verdict.is_intact, verdict.number) == (False, at + 1)


def test_no_two_lists_of_parts_have_the_same_text_to_hash() -> None:
    assert audit_ledger.digest("ab", "c") != audit_ledger.digest("a", "bc")
    assert audit_ledger.digest("1") != audit_ledger.digest(1)
    assert audit_ledger.digest(None) != audit_ledger.digest("null")


def test_a_head_reads_back_and_nothing_else_is_one() -> None:
    head = Head(120, "9f" * 32)
    assert Head.parse(str(head)) == head
    for wrong in ("", "120", "x:" + "0" * 64, "1:abc", f"{head} "):
        with pytest.raises(InputError, match="no head"):
            Head.parse(wrong)


def test_a_purge_announces_no_more_than_it_may(file: Path) -> None:
    with open_store(str(file)) as store:
        audit_log.purge(
            store, before=NOW + timedelta(minutes=4), by="u", now=NOW + timedelta(days=1)
        )
    tamper(file, "DELETE FROM audit_payloads WHERE number = 5")
    assert broken(file) == (5, "payload_deleted")
