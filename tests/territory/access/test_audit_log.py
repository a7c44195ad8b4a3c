"""What was done is recorded, cannot be rewritten, is searched, exported and purged."""

from __future__ import annotations

import json
import re
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from territory.access import Head, audit_log
from territory.access.audit_ledger import GENESIS, AuditLedger
from territory.errors import ConflictError, FileFormatError, InputError
from territory.store import Store, open_store
from tests.fixtures.access_drawn import BOTH, NOW, empty_file, empty_url, raw
from tests.fixtures.audit_drawn import drop_triggers, fill, note, tamper, two_events
from tests.territory.cli.test_main import call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with open_store(empty_url(request, tmp_path, "audit")) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite store with 12 events whose triggers an attacker has dropped."""
    path = empty_file(tmp_path)
    with open_store(str(path)) as opened:
        fill(opened, 12)
    drop_triggers(path)
    return path


def test_an_empty_log_stands(store: Store) -> None:
    verdict = audit_log.verify(store)
    assert verdict.is_intact
    assert verdict.head == Head(0, GENESIS)


def test_an_event_says_who_when_what_before_and_after(store: Store) -> None:
    with store.write() as transaction:
        number = audit_log.record(
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
    found, total = audit_log.search(store)
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
    assert json.loads(audit_log.search(store)[0]["payload"][0])["after"] == {
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
    with open_store(str(empty_file(tmp_path))) as store:
        with pytest.raises(InputError, match="cannot be recorded"):
            two_events(store, after=value)
        assert audit_log.search(store)[1] == 0


def test_a_moment_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    with (
        open_store(str(empty_file(tmp_path))) as store,
        pytest.raises(InputError, match="no time zone"),
        store.write() as transaction,
    ):
        audit_log.record(
            transaction,
            by="u",
            at=NOW.replace(tzinfo=None),
            action="a.b",
            subject_kind="k",
            subject_id="i",
        )


@pytest.mark.parametrize("kind", ["contact", "contacts", "eligibility", "decision", "homes"])
def test_what_few_may_read_never_enters_the_log(tmp_path: Path, kind: str) -> None:
    private = {
        "contact": {"name": "Zed Quux", "email": "z@q.example", "phone": "555-0142"},
        "other": {
            "street": "1 Elm",
            "postal_code": "80202",
            "lat": 39.7,
            "home_lon": -104.9,
            "distance_m": 1.5,
        },
    }["contact" if kind.startswith("contact") else "other"]
    told = {**private, "password": "hunter2hunter2", "kept": "yes", "deep": [{**private}]}
    with open_store(str(empty_file(tmp_path))) as store:
        with store.write() as transaction:
            note(transaction, subject_kind=kind, before=told, after=told, detail=told)
        payload = audit_log.search(store)[0]["payload"][0]
    for value in (*private.values(), "hunter2hunter2"):
        assert str(value) not in payload
    assert json.loads(payload)["after"]["kept"] == "yes"
    assert json.loads(payload)["after"]["deep"][0] == dict.fromkeys(private, "(withheld)")


def test_hostile_text_is_recorded_and_still_verifies(store: Store) -> None:
    hostile = ["a\x00b", "\ud800", "x\u202ey", "new\nline", "'; DROP TABLE audit_events; --", ""]
    with store.write() as transaction:
        for value in hostile:
            note(transaction, subject_id=value, by=value, after={value: value})
    found, total = audit_log.search(store)
    assert total == len(hostile)
    assert found["subject_id"].tolist()[::-1][:4] == [
        "a\\x00b", "\\ud800", "x\\u202ey", "new\\nline",
    ]  # fmt: skip
    assert audit_log.verify(store).is_intact


def test_a_change_and_its_event_happen_together_or_not_at_all(store: Store) -> None:
    fill(store, 3)
    with pytest.raises(InputError, match="purge alone"):
        two_events(store, action="audit.purge")
    fill(store, 2, start=3)
    verdict = audit_log.verify(store)
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
    verdict = audit_log.verify(store)
    assert verdict.is_intact
    assert verdict.events == 20


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
    assert audit_log.verify(store).is_intact


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
    assert audit_log.verify(store).is_intact


@pytest.mark.parametrize("store", BOTH[1:], indirect=True)
def test_an_edit_past_the_guard_of_postgresql_names_the_row(store: Store) -> None:
    fill(store, 6)
    with raw(store) as connection:
        connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE audit_events SET \"by\" = 'x' WHERE number = 4"))
    verdict = audit_log.verify(store)
    assert (verdict.number, verdict.problem) == (4, "edited")


def test_a_search_narrows_counts_and_pages_newest_first(store: Store) -> None:
    fill(store, 30)
    found, total = audit_log.search(store, limit=4, offset=2)
    assert (found["number"].tolist(), total) == ([28, 27, 26, 25], 30)
    assert audit_log.search(store, by="user-1")[0]["number"].tolist() == [29, 22, 15, 8, 1]
    assert audit_log.search(store, action="user")[1] == 10
    assert audit_log.search(store, action="user.add")[1] == 10
    assert audit_log.search(store, action="use")[1] == 0
    assert audit_log.search(store, action="us%")[1] == 0
    assert audit_log.search(store, subject_kind="plan", subject_id="0-3")[0]["number"].tolist() == [
        4
    ]
    window = {"since": NOW + timedelta(minutes=3), "until": NOW + timedelta(minutes=5)}
    assert audit_log.search(store, **window)[0]["number"].tolist() == [5, 4]
    none, total = audit_log.search(store, by="nobody")
    assert (len(none), total, list(none.columns)) == (0, 0, list(found.columns))


def test_an_export_writes_what_was_asked_for_and_is_an_event_itself(
    store: Store, tmp_path: Path
) -> None:
    with store.write() as transaction:
        note(transaction, 0, by="=cmd|' /c calc'!A1")
    fill(store, 5, start=1)
    target = tmp_path / "log.csv"
    rows = audit_log.export(
        store, target, exported_by="user-9", now=NOW, until=NOW + timedelta(days=1)
    )
    written = pd.read_csv(target, dtype=str)
    assert (rows, written["number"].tolist()) == (6, ["1", "2", "3", "4", "5", "6"])
    assert written["by"][0].startswith("'=cmd")
    last = audit_log.search(store, limit=1)[0].iloc[0]
    assert (last["by"], last["action"]) == ("user-9", "audit.export")
    detail = json.loads(last["payload"])["detail"]
    assert detail == {"rows": 6, "criteria": {"until": "2026-11-24T09:30:00Z"}}


def test_an_export_that_no_format_holds_is_refused_before_anything_happens(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(FileFormatError, match=r"\.csv, \.xlsx or \.parquet"):
        audit_log.export(store, tmp_path / "log.geojson", exported_by="u", now=NOW)
    assert audit_log.search(store)[1] == 0


def test_a_purge_takes_payloads_and_leaves_a_log_that_stands(store: Store) -> None:
    fill(store, 10)
    later = NOW + timedelta(days=1)
    cut = NOW + timedelta(minutes=4)
    tried = audit_log.purge(store, before=cut, by="user-1", now=later, dry_run=True)
    assert (tried.purged, tried.through) == (4, 4)
    assert audit_log.search(store)[1] == 10
    report = audit_log.purge(store, before=cut, by="user-1", now=later)
    assert (report.purged, report.through, report.is_dry_run) == (4, 4, False)
    verdict = audit_log.verify(store)
    assert verdict.is_intact
    assert (verdict.events, verdict.purged) == (11, 4)
    found, _ = audit_log.search(store)
    assert found["is_purged"].tolist()[::-1] == [True] * 4 + [False] * 7
    assert (found["action"][0], found["subject_id"][0]) == ("audit.purge", "4")
    again = audit_log.purge(store, before=cut, by="user-1", now=later)
    assert again.purged == 0
    assert audit_log.search(store)[1] == 11


def test_a_purge_stops_at_the_first_event_that_is_not_older(store: Store) -> None:
    with store.write() as transaction:
        for minute in (0, 9, 1, 2):  # a clock went back
            note(transaction, minute)
    report = audit_log.purge(
        store, before=NOW + timedelta(minutes=5), by="u", now=NOW + timedelta(days=1)
    )
    assert (report.purged, report.through) == (1, 1)


def test_what_lies_in_the_future_is_not_purged(store: Store) -> None:
    with pytest.raises(InputError, match="future"):
        audit_log.purge(store, before=NOW + timedelta(seconds=1), by="u", now=NOW)


def test_only_a_purge_records_a_purge(store: Store) -> None:
    with pytest.raises(InputError, match="purge alone"), store.write() as transaction:
        note(transaction, action="audit.purge", subject_id="12")


def test_purged_text_is_gone_from_the_file(tmp_path: Path) -> None:
    path = empty_file(tmp_path)
    canary = "Quuxalot-Canary-77"
    with open_store(str(path)) as store:
        with store.write() as transaction:
            note(transaction, 0, after={"note": canary})
            note(transaction, 9)
        audit_log.purge(
            store, before=NOW + timedelta(minutes=5), by="u", now=NOW + timedelta(days=1)
        )
    assert not [p for p in tmp_path.iterdir() if canary.encode() in p.read_bytes()]
    with open_store(str(path)) as store:
        assert audit_log.verify(store).is_intact


def test_a_purged_payload_cannot_be_guessed_by_its_hash(store: Store) -> None:
    with store.write() as transaction:
        note(transaction, 0)
        note(transaction, 0)
    with store.read() as transaction:
        first, second = AuditLedger(transaction).events()
    assert first.payload == second.payload
    assert first.payload_hash != second.payload_hash


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
