"""Notes and next steps: whose they are, what they survive, who reads them, what is on record."""

from __future__ import annotations

import contextlib
import json
import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from territory import accounts, imports, reports
from territory.access import DeniedError, Reach, Scope, audit_log
from territory.accounts import LONGEST_NOTE, LONGEST_STEP, duplicates
from territory.accounts.activities import ACTIVITY_COLUMNS
from territory.cli.main import main
from territory.errors import ConflictError, InputError, NotFoundError
from territory.plans import publish
from territory.store import open_store
from tests.fixtures.access_drawn import BOTH, empty_url
from tests.fixtures.scoped_company import bring, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.store import Store

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ALL = Scope.everything()
ANN, BOB = (Reach(rep_ids=frozenset({rep})) for rep in ("zqann", "zqbob"))
OF_ANN, OF_BOB = (Scope(reach, reach, reach, reach, sums=reach) for reach in (ANN, BOB))
READER = Scope(accounts=ALL.accounts, pipeline=ALL.pipeline, sums=ALL.sums)  # a viewer
HER, HIS = "zqann-1", "zqbob-1"
AS_ANN = {"scope": OF_ANN, "by": "user-1", "now": NOW}


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company in a file that each test copies."""
    folder = tmp_path_factory.mktemp("company")
    with open_store(str(folder / "company.sqlite")) as store:
        found(store, folder)
    return folder / "company.sqlite"


@pytest.fixture
def company(founded: Path, tmp_path: Path) -> Iterator[Store]:
    with open_store(str(shutil.copy(founded, tmp_path))) as store:
        yield store


def texts(store: Store, prospect_id: str, scope: Scope = ALL) -> list[str]:
    return accounts.activities_of(store, prospect_id, scope=scope).notes["text"].tolist()


def to_do(store: Store, prospect_id: str) -> list[str]:
    return accounts.activities_of(store, prospect_id, scope=ALL).steps["words"].tolist()


def outcomes(store: Store, prospect_id: str) -> list[tuple[str, str]]:
    past = accounts.activities_of(store, prospect_id, scope=ALL).past
    return list(past[["words", "outcome"]].itertuples(index=False, name=None))


@pytest.fixture(params=BOTH)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with open_store(empty_url(request, tmp_path, "worked")) as store:
        found(store, tmp_path)
        yield store


def test_a_day_of_work_is_the_same_in_either_database(either: Store) -> None:
    accounts.add_note(either, HER, "Called.\r\nShe is away.", **AS_ANN)
    accounts.add_note(either, HER, "Çalled again", **AS_ANN)
    first = accounts.set_next_step(either, HER, "Send prices", "2026-11-30", **AS_ANN)
    second = accounts.set_next_step(
        either, HER, "Visit", "2026-11-25", instead_of=[first], **AS_ANN
    )
    work = accounts.activities_of(either, HER, scope=OF_ANN)
    assert work.notes["text"].tolist() == ["Çalled again", "Called.\nShe is away."]
    assert set(work.notes["written_at"]) == {"2026-11-23T09:30:00Z"}
    assert set(work.notes["author"]) == {"user-1"}
    assert (work.note_count, work.is_on_file, work.is_withheld) == (2, True, False)
    assert work.steps[["step_id", "words", "due_on"]].to_numpy().tolist() == [
        [second, "Visit", "2026-11-25"]
    ]
    assert outcomes(either, HER) == [("Send prices", "replaced")]
    seen = accounts.due(either, scope=OF_ANN, today=date(2026, 11, 25))
    assert (seen.total, seen.overdue, seen.today, seen.later) == (1, 0, 1, 0)
    assert (seen.with_step, seen.accounts) == (1, 2)
    accounts.finish_next_step(either, second, **AS_ANN)
    assert to_do(either, HER) == []
    accounts.reopen_next_step(either, second, **AS_ANN)
    assert to_do(either, HER) == ["Visit"]
    table = accounts.with_activities(either, pd.DataFrame({"prospect_id": [HIS, HER]}), scope=ALL)
    assert table[list(ACTIVITY_COLUMNS)].to_numpy().tolist() == [
        [None, None, None],
        ["Visit", "2026-11-25", "Çalled again"],
    ]
    assert audit_log.verify(either).is_intact


def test_what_is_due_stands_by_day_with_what_is_overdue_first(company: Store) -> None:
    for prospect_id, day in (("zqann-1", "2026-12-01"), ("zqbob-1", "2026-11-23"),
                             ("zqcyd-1", "2026-11-22")):  # fmt: skip
        accounts.set_next_step(company, prospect_id, f"Call {day}", day, scope=ALL, by="o", now=NOW)
    seen = accounts.due(company, scope=ALL, today=date(2026, 11, 23))
    assert seen.rows["due_on"].tolist() == ["2026-11-22", "2026-11-23", "2026-12-01"]
    assert (seen.overdue, seen.today, seen.later, seen.total) == (1, 1, 1, 3)
    page = accounts.due(company, scope=ALL, today=date(2026, 11, 23), limit=1, offset=1)
    assert page.rows["prospect_id"].tolist() == ["zqbob-1"]
    assert page.total == 3
    until = accounts.open_steps(company, scope=ALL, until=date(2026, 11, 23))
    assert len(until) == 2
    assert accounts.open_steps(company, scope=ALL, rep_id="zqann")["prospect_id"].tolist() == [HER]


def test_anothers_notes_are_like_none_and_nothing_is_written_there(company: Store) -> None:
    note = accounts.add_note(company, HER, "secret of Ann", **AS_ANN)
    step = accounts.set_next_step(company, HER, "secret step", "2026-12-01", **AS_ANN)
    as_bob = {"scope": OF_BOB, "by": "user-2", "now": NOW}
    for ask in (
        lambda: accounts.activities_of(company, HER, scope=OF_BOB),
        lambda: accounts.add_note(company, HER, "x", **as_bob),
        lambda: accounts.set_next_step(company, HER, "x", "2026-12-01", **as_bob),
        lambda: accounts.take_back_note(company, note, **as_bob),
        lambda: accounts.finish_next_step(company, step, **as_bob),
        lambda: accounts.reopen_next_step(company, step, **as_bob),
    ):
        with pytest.raises(NotFoundError) as told:
            ask()
        assert "secret" not in str(told.value)
        assert HER not in str(told.value) or "No prospect" in str(told.value)
    assert accounts.list_notes(company, scope=OF_BOB).empty
    assert accounts.open_steps(company, scope=OF_BOB).empty
    assert accounts.due(company, scope=OF_BOB, today=NOW.date()).total == 0
    frame = pd.DataFrame({"prospect_id": [HER]})
    assert (
        accounts.with_activities(company, frame, scope=OF_BOB)[list(ACTIVITY_COLUMNS)]
        .isna()
        .all()
        .all()
    )
    assert texts(company, HER) == ["secret of Ann"]
    assert to_do(company, HER) == ["secret step"]


def test_who_reads_accounts_and_no_contacts_reads_no_notes(company: Store) -> None:
    accounts.add_note(company, HER, "for few", **AS_ANN)
    accounts.set_next_step(company, HER, "for few", "2026-12-01", **AS_ANN)
    seen = accounts.activities_of(company, HER, scope=READER)
    assert seen.is_withheld
    assert seen.note_count == len(seen.notes) == len(seen.steps) == len(seen.past) == 0
    assert accounts.due(company, scope=READER, today=NOW.date()).accounts == 0


def test_only_the_author_takes_a_note_back_and_then_its_text_is_gone(company: Store) -> None:
    note = accounts.add_note(company, HER, "a slip of the pen", **AS_ANN)
    with pytest.raises(DeniedError, match="Only who wrote"):
        accounts.take_back_note(company, note, scope=ALL, by="ops", now=NOW)
    assert accounts.take_back_note(company, note, **AS_ANN) == HER
    assert texts(company, HER) == [""]
    assert "slip" not in accounts.list_notes(company, scope=ALL).to_csv()
    with pytest.raises(ConflictError, match="taken back already"):
        accounts.take_back_note(company, note, **AS_ANN)
    frame = pd.DataFrame({"prospect_id": [HER]})
    assert accounts.with_activities(company, frame, scope=ALL)["last_note"].tolist() == [None]


@pytest.mark.parametrize(
    ("words", "day", "remedy"),
    [
        ("", "2026-12-01", "Write what is to be done"),
        (" \n\x00 ", "2026-12-01", "Write what is to be done"),
        ("x" * (LONGEST_STEP + 7), "2026-12-01", "Shorten it by 7"),
        ("Call", "soon", "Write it as 2027-01-31"),
        ("Call", "", "Write it as 2027-01-31"),
        ("Call", "2026-11-21", "from 2026-11-23 on"),
        ("Call", "2032-01-01", "Give an earlier day"),
    ],
)
def test_a_next_step_that_is_none_is_refused_with_the_remedy(
    company: Store, words: str, day: str, remedy: str
) -> None:
    with pytest.raises(InputError, match=remedy):
        accounts.set_next_step(company, HER, words, day, **AS_ANN)
    assert to_do(company, HER) == []


def test_a_note_has_text_within_the_limit(company: Store) -> None:
    accounts.add_note(company, HER, "é" * LONGEST_NOTE, **AS_ANN)
    with pytest.raises(InputError, match="2,001 characters, and 2,000 are kept"):
        accounts.add_note(company, HER, "x" * (LONGEST_NOTE + 1), **AS_ANN)
    with pytest.raises(InputError, match="Write what was done"):
        accounts.add_note(company, HER, "\t\u0007", **AS_ANN)


def test_of_two_who_set_a_step_at_once_the_second_is_told_and_replaces_nothing(
    company: Store,
) -> None:
    accounts.set_next_step(company, HER, "Ann's", "2026-12-01", **AS_ANN)
    told = {"scope": ALL, "by": "ops", "now": NOW}
    with pytest.raises(ConflictError, match="user-1 set a next step meanwhile"):
        accounts.set_next_step(company, HER, "ops'", "2026-12-02", **told)
    assert to_do(company, HER) == ["Ann's"]
    with pytest.raises(ConflictError, match="done meanwhile"):
        accounts.set_next_step(company, HIS, "x", "2026-12-02", instead_of=["step-1"], **told)


def test_a_step_ends_once_and_comes_back_only_where_none_stands(company: Store) -> None:
    first = accounts.set_next_step(company, HER, "First", "2026-12-01", **AS_ANN)
    with pytest.raises(ConflictError, match="not done"):
        accounts.reopen_next_step(company, first, **AS_ANN)
    accounts.finish_next_step(company, first, **AS_ANN)
    with pytest.raises(ConflictError, match="done already"):
        accounts.finish_next_step(company, first, **AS_ANN)
    accounts.set_next_step(company, HER, "Second", "2026-12-02", **AS_ANN)
    with pytest.raises(ConflictError, match="meanwhile"):
        accounts.reopen_next_step(company, first, **AS_ANN)
    assert to_do(company, HER) == ["Second"]


def test_an_import_and_its_undo_leave_notes_alone(company: Store, tmp_path: Path) -> None:
    accounts.add_note(company, HER, "stays", **AS_ANN)
    accounts.set_next_step(company, HER, "stays too", "2026-12-01", **AS_ANN)
    path = tmp_path / "again.csv"
    path.write_text(f"prospect_id,name,status,employees\n{HER},Other name,customer,7\n")
    report = imports.import_file(company, "prospects", path, by="me", now=NOW)
    assert texts(company, HER) == ["stays"]
    undone = imports.undo(company, str(report.import_id), by="me", now=NOW)
    assert (undone.notes, undone.next_steps) == (0, 0)
    assert texts(company, HER) == ["stays"]
    assert to_do(company, HER) == ["stays too"]


def test_notes_of_a_prospect_whose_import_is_undone_stay_and_come_back_with_it(
    company: Store, tmp_path: Path
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("prospect_id,name,lat,lon,employees\nnew-1,New Inc,41.88,-87.63,5000\n")
    report = imports.import_file(company, "prospects", path, by="me", now=NOW)
    publish.assign(company, published_by="me", now=NOW)
    told = {"scope": ALL, "by": "ops", "now": NOW}
    accounts.add_note(company, "new-1", "first call", **told)
    accounts.set_next_step(company, "new-1", "second call", "2026-12-01", **told)
    tried = imports.undo(company, str(report.import_id), by="me", now=NOW, dry_run=True)
    undone = imports.undo(company, str(report.import_id), by="me", now=NOW)
    for one in (tried, undone):
        assert (one.notes, one.next_steps) == (1, 1)
        assert "are kept (notes: 1, next steps: 1)" in one.sentence
    # The plan in force has it still: read, but no more written.
    assert not accounts.activities_of(company, "new-1", scope=ALL).is_on_file
    with pytest.raises(ConflictError, match="taken back with its import"):
        accounts.add_note(company, "new-1", "third", **told)
    publish.assign(company, published_by="me", now=NOW)
    left = accounts.list_notes(company, scope=ALL)
    assert left[["prospect_id", "text", "in_plan", "on_file"]].to_numpy().tolist() == [
        ["new-1", "first call", False, False]
    ]
    seen = accounts.due(company, scope=ALL, today=NOW.date())
    assert (seen.total, seen.with_step) == (1, 0)  # of no account of the plan
    accounts.finish_next_step(company, seen.rows["step_id"].iloc[0], **told)
    accounts.reopen_next_step(company, seen.rows["step_id"].iloc[0], **told)
    assert accounts.list_notes(company, scope=OF_ANN).empty
    imports.import_file(company, "prospects", path, by="me", now=NOW + timedelta(days=1))
    publish.assign(company, published_by="me", now=NOW)
    assert texts(company, "new-1") == ["first call"]
    assert to_do(company, "new-1") == ["second call"]


def test_a_merge_moves_notes_and_steps_and_taking_it_back_returns_them(company: Store) -> None:
    kept, gone = "zqann-1", "zqann-2"
    for one in (kept, gone):
        accounts.add_note(company, one, f"note {one}", **AS_ANN)
        accounts.set_next_step(company, one, f"step {one}", f"2026-12-0{one[-1]}", **AS_ANN)
    told = {"by": "ops", "now": NOW}
    assert (
        "1 note, 1 next step moved to it" in duplicates.merge(company, kept, gone, **told).sentence
    )
    assert texts(company, kept) == [f"note {gone}", f"note {kept}"]
    assert to_do(company, kept) == [f"step {kept}", f"step {gone}"]  # none is dropped
    frame = pd.DataFrame({"prospect_id": [kept]})
    shown = accounts.with_activities(company, frame, scope=ALL)
    assert shown["next_step"].tolist() == [f"step {kept}"]
    with pytest.raises(ConflictError, match="merged into another one"):
        accounts.add_note(company, gone, "too late", **AS_ANN)
    duplicates.unmerge(company, kept, gone, **told)
    for one in (kept, gone):
        assert texts(company, one) == [f"note {one}"]
        assert to_do(company, one) == [f"step {one}"]


def test_a_step_set_after_a_merge_takes_the_place_of_both(company: Store) -> None:
    kept, gone = "zqann-1", "zqann-2"
    ids = [
        accounts.set_next_step(company, one, f"step {one}", "2026-12-01", **AS_ANN)
        for one in (kept, gone)
    ]
    duplicates.merge(company, kept, gone, by="ops", now=NOW)
    accounts.set_next_step(company, kept, "one for both", "2026-12-03", instead_of=ids, **AS_ANN)
    assert to_do(company, kept) == ["one for both"]
    assert {outcome for _, outcome in outcomes(company, kept)} == {"replaced"}


def test_a_new_plan_hands_the_notes_to_the_new_rep(company: Store, tmp_path: Path) -> None:
    accounts.add_note(company, HER, "hers", **AS_ANN)
    bring(company, tmp_path, "named_accounts", f"prospect_id,territory_id\n{HER},zqbob-T\n")
    publish.assign(company, published_by="me", now=NOW)
    assert texts(company, HER, OF_BOB) == ["hers"]
    with pytest.raises(NotFoundError):
        accounts.activities_of(company, HER, scope=OF_ANN)


def test_each_change_is_an_event_before_and_after_without_the_words(company: Store) -> None:
    note = accounts.add_note(company, HER, "Canarywords", **AS_ANN)
    accounts.take_back_note(company, note, **AS_ANN)
    first = accounts.set_next_step(company, HER, "Canarywords", "2026-12-01", **AS_ANN)
    step = accounts.set_next_step(
        company, HER, "Canarywords", "2026-12-02", instead_of=[first], **AS_ANN
    )
    accounts.finish_next_step(company, step, **AS_ANN)
    accounts.reopen_next_step(company, step, **AS_ANN)
    events, _ = audit_log.search(company, by="user-1", limit=None)
    assert events["action"].tolist()[::-1] == [
        "note.add", "note.take_back", "next_step.set", "next_step.set", "next_step.done",
        "next_step.reopen",
    ]  # fmt: skip
    assert "Canarywords" not in events.to_csv()
    told = json.loads(events["payload"].iloc[2])
    assert [one["due_on"] for one in told["before"]] == ["2026-12-01"]
    assert told["after"]["due_on"] == "2026-12-02"
    assert told["after"]["prospect_id"] == HER


def test_files_of_prospects_notes_and_steps_hold_what_is_in_reach(
    company: Store, tmp_path: Path
) -> None:
    accounts.add_note(company, HER, "=note of Ann", **AS_ANN)
    accounts.set_next_step(company, HER, "step of Ann", "2026-12-01", **AS_ANN)
    accounts.add_note(company, HIS, "note of Bob", scope=OF_BOB, by="user-2", now=NOW)
    for kind in ("prospects", "notes", "next_steps"):
        path = tmp_path / f"{kind}.csv"
        reports.export(company, kind, path, scope=OF_ANN, by="user-1", now=NOW)
        told = path.read_text()
        assert "of Bob" not in told
        assert "of Ann" in told
    rows = pd.read_csv(tmp_path / "prospects.csv").set_index("prospect_id")
    assert rows.loc[HER, "next_step_on"] == "2026-12-01"
    assert rows.loc[HER, "last_note"] == "'=note of Ann"


def test_the_command_line_notes_lists_and_ticks(
    company: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: str) -> str:
        with pytest.raises(SystemExit) if words[0] == "fails" else contextlib.nullcontext():
            main(["--store", company.url, *[word for word in words if word != "fails"]])
        return capsys.readouterr().out

    far = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    call("note", "add", HER, "Called", "--by", "ann")
    assert "ann: Called" in call("note", "list", HER)
    assert json.loads(call("note", "list", "--json"))[0]["text"] == "Called"
    told = json.loads(call("next", "set", HER, "Visit", "--on", far, "--json"))
    call("fails", "next", "set", HER, "Again", "--on", far)
    again = json.loads(call("next", "set", HER, "Again", "--on", far, "--replace", "--json"))
    assert told["step_id"] not in call("next", "list")
    assert f"{HER}: Again" in call("next", "list", "--rep", "zqann", "--until", far)
    assert "0 next steps" in call("next", "list", "--rep", "zqbob")
    call("next", "done", again["step_id"])
    assert json.loads(call("next", "list", "--json")) == []
    call("fails", "next", "list", "--until", "soon")
