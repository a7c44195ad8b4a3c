"""What is remembered of a store: never longer than it is true, whoever changes it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from sqlalchemy import delete

from territory.access import Scope
from territory.errors import ConflictError
from territory.plans import publish
from territory.policy import Policy
from territory.reports import views
from territory.store import open_store
from territory.store.tables import prospects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.store import Store, Transaction

REPS = ["rep_id", "name", "email", "base_office_id"]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def lite(path: Path) -> Iterator[Store]:
    with open_store(str(path)) as store:
        yield store


class Asked:
    """Reads a setting and counts how often it was asked to."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, transaction: Transaction) -> str | None:
        self.times += 1
        return transaction.setting("word")


def set_word(store: Store, word: str) -> None:
    with store.write() as transaction:
        transaction.set_setting("word", word)


def fail_after_setting(store: Store, word: str) -> None:
    with store.write() as transaction:
        transaction.set_setting("word", word)
        raise ConflictError("taken back")


def test_the_store_is_asked_once_while_nobody_changes_it(lite: Store) -> None:
    asked = Asked()
    assert [lite.cached(("settings",), "word", asked) for _ in range(3)] == [None] * 3
    assert asked.times == 1


def test_a_change_by_this_store_is_seen_at_once(lite: Store) -> None:
    asked = Asked()
    for word in ("one", "two", "three"):
        set_word(lite, word)
        assert lite.cached(("settings",), "word", asked) == word


def test_a_change_by_another_store_on_the_same_file_is_seen_at_once(
    lite: Store, path: Path
) -> None:
    asked = Asked()
    lite.cached(("settings",), "word", asked)
    with open_store(str(path)) as other:
        set_word(other, "theirs")
        assert lite.cached(("settings",), "word", asked) == "theirs"


def test_a_change_by_another_process_is_seen_at_once(lite: Store, path: Path) -> None:
    asked = Asked()
    set_word(lite, "mine")
    assert lite.cached(("settings",), "word", asked) == "mine"
    text = (
        "import sys; from territory.store import open_store\n"
        "with open_store(sys.argv[1]) as store, store.write() as transaction:\n"
        "    transaction.set_setting('word', 'of a child')"
    )
    subprocess.run([sys.executable, "-c", text, str(path)], check=True)
    assert lite.cached(("settings",), "word", asked) == "of a child"


def test_what_was_taken_back_changes_nothing_and_is_not_remembered(lite: Store) -> None:
    asked = Asked()
    set_word(lite, "kept")
    with pytest.raises(ConflictError):
        fail_after_setting(lite, "lost")
    assert lite.cached(("settings",), "word", asked) == "kept"


def test_a_change_while_the_answer_is_read_is_not_missed(lite: Store) -> None:
    set_word(lite, "old")

    def slow(transaction: Transaction) -> str | None:
        found = transaction.setting("word")
        set_word(lite, "new")
        return found

    assert lite.cached(("settings",), "word", slow) == "old"
    assert lite.cached(("settings",), "word", Asked()) == "new"


def test_answers_under_different_keys_are_kept_apart(lite: Store) -> None:
    set_word(lite, "word")
    assert (
        lite.cached(("settings",), "a", lambda transaction: transaction.setting("word")) == "word"
    )
    assert lite.cached(("settings",), "b", lambda transaction: transaction.setting("other")) is None


@pytest.mark.postgresql
def test_the_other_database_remembers_and_forgets_alike(postgresql_url: str) -> None:
    asked = Asked()
    with open_store(postgresql_url) as store, open_store(postgresql_url) as other:
        for _ in range(2):
            assert store.cached(("settings",), "word", asked) is None
        assert asked.times == 1
        set_word(other, "theirs")
        assert store.cached(("settings",), "word", asked) == "theirs"
    assert asked.times == 2


@pytest.mark.postgresql
def test_rows_that_go_in_by_copy_are_counted_too(postgresql_url: str) -> None:
    with open_store(postgresql_url) as store:
        before = store.cache.state(("reps", "offices"))
        with store.write() as transaction:
            rep = pd.DataFrame([{"rep_id": "R1", "name": "Ann"}], columns=REPS, dtype=object)
            transaction.save("reps", rep, rep.head(0))
        after = store.cache.state(("reps", "offices"))
    assert after[0] > before[0]
    assert after[1] == before[1]


def test_rows_that_go_with_those_they_hang_on_are_a_change_of_their_table(
    demo_store: Store,
) -> None:
    """The database deletes them by itself: no statement names their table."""
    tables = ("prospects", "contacts", "sites", "opportunities", "offices")
    before = demo_store.cache.state(tables)
    with demo_store.write() as transaction:
        transaction.connection.execute(delete(prospects).where(prospects.c.prospect_id == "3m"))
    after = demo_store.cache.state(tables)
    assert [new > old for new, old in zip(after, before, strict=True)] == [True] * 4 + [False]


def test_a_number_never_comes_again_after_a_backup_is_put_back(lite: Store, path: Path) -> None:
    """A snapshot on the disk is named by it: one of a bad import would pass for the good one's."""
    set_word(lite, "one")
    with sqlite3.connect(path) as file, sqlite3.connect(path.with_name("backup")) as backup:
        file.backup(backup)
    set_word(lite, "bad")
    bad = lite.cache.state(("settings",))
    lite.close()
    path.with_name("backup").rename(path)
    with open_store(str(path)) as store:
        set_word(store, "good")
        assert store.cache.state(("settings",)) > bad


def test_an_answer_cannot_rest_on_a_table_that_there_is_not(lite: Store) -> None:
    with pytest.raises(KeyError, match="prospect"):
        lite.cached(("prospect",), "word", Asked())


def test_an_answer_outlives_changes_of_tables_that_it_does_not_rest_on(lite: Store) -> None:
    asked = Asked()
    for word in ("one", "two"):
        set_word(lite, word)
        assert lite.cached(("plans",), "word", asked) == "one"
    assert asked.times == 1


def test_each_transaction_that_writes_a_table_counts_once(lite: Store) -> None:
    set_word(lite, "one")
    one, nothing = lite.cache.state(("settings", "plans"))
    with lite.write() as transaction:
        transaction.set_setting("word", "two")
        transaction.set_setting("other", "three")
    two = lite.cache.state(("settings",))[0]
    assert two > one
    assert nothing == 0
    with pytest.raises(ConflictError):
        fail_after_setting(lite, "lost")
    assert lite.cache.state(("settings", "plans")) == (two, 0)


def test_totals_follow_every_import_and_plan_and_no_visit(demo_store: Store) -> None:
    """Whoever is seen by the minute must not make each page count everything anew."""
    scope = Scope.everything()
    before = views.overview(demo_store, scope=scope)
    with demo_store.write() as transaction:
        transaction.set_setting("word", "of no matter")
    assert views.overview(demo_store, scope=scope) is before
    summed = views.market_summaries(demo_store, scope=scope)
    summed["prospects"] = 0
    assert views.market_summaries(demo_store, scope=scope)["prospects"].sum() > 0
    publish.assign(demo_store, published_by="me", now=NOW, policy=Policy())
    assert views.overview(demo_store, scope=scope).plan_id != before.plan_id


class Slow:
    """An answer that is worked out once the test lets it; counts who began."""

    def __init__(self, answer: str = "it") -> None:
        self.answer, self.began, self.may_end = answer, 0, Event()
        self.has_begun = Event()

    def __call__(self) -> str:
        self.began += 1
        self.has_begun.set()
        assert self.may_end.wait(60)
        if self.answer == "none":
            raise ConflictError("none")
        return self.answer


def test_of_many_who_ask_at_once_one_works_it_out(lite: Store) -> None:
    make = Slow()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(lite.cache.get, ("settings",), "k", make)
        assert make.has_begun.wait(60)
        others = [pool.submit(lite.cache.get, ("settings",), "k", make) for _ in range(7)]
        wait(others, timeout=0.2)  # time enough for one that does not wait to begin
        make.may_end.set()
        assert {one.result() for one in (first, *others)} == {"it"}
    assert make.began == 1


def test_who_waits_for_one_that_fails_works_it_out(lite: Store) -> None:
    failing, good = Slow("none"), Slow()
    good.may_end.set()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lite.cache.get, ("settings",), "k", failing)
        assert failing.has_begun.wait(60)
        other = pool.submit(lite.cache.get, ("settings",), "k", good)
        wait([other], timeout=0.2)
        assert good.began == 0
        failing.may_end.set()
        with pytest.raises(ConflictError):
            first.result()
        assert other.result() == "it"


def test_who_asks_after_a_change_is_not_given_what_was_asked_before_it(lite: Store) -> None:
    old, new = Slow("old"), Slow("new")
    new.may_end.set()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lite.cache.get, ("settings",), "k", old)
        assert old.has_begun.wait(60)
        set_word(lite, "changed")
        assert pool.submit(lite.cache.get, ("settings",), "k", new).result() == "new"
        old.may_end.set()
        assert first.result() == "old"


def test_an_answer_may_ask_for_others_and_for_itself(lite: Store) -> None:
    depth = []

    def make() -> int:
        depth.append(1)
        return lite.cache.get(("settings",), "k", make) if len(depth) < 3 else len(depth)

    assert lite.cache.get(("settings",), "k", make) == 3
