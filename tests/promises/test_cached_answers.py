"""Whatever is cached names every table that it was read from, so that no write of one is missed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, Table, event
from sqlalchemy.sql import visitors

from territory.access import sessions, users
from territory.accounts import duplicates
from territory.prospects import build
from territory.store.revision_cache import RevisionCache
from tests.fixtures.web import NOW, TODAY, make_app

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator
    from pathlib import Path

    from territory.store import Store

PAGES = (
    "/",
    "/overview.js",
    "/markets/M-NYC",
    "/markets/M-NYC?q=bank",
    "/markets/M-NYC/map.js",
    "/markets/M-NYC/profile",
    "/outside",
    "/offices",
    "/views",
)


@contextmanager
def reading() -> Iterator[set[str]]:
    """Note the tables that statements of this process read, while it is open."""
    names: set[str] = set()

    def note(_connection: object, statement: Any, *_: object) -> None:
        parts = visitors.iterate(statement)
        names.update(part.name for part in parts if isinstance(part, Table))

    event.listen(Engine, "before_execute", note)
    try:
        yield names
    finally:
        event.remove(Engine, "before_execute", note)


@pytest.fixture
def undeclared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Hashable, set[str]]]:
    """Keys of what is cached from here on, and the tables read for it that it did not name."""
    keys: list[tuple[Hashable, set[str]]] = []
    get = RevisionCache.get

    def watched(
        self: RevisionCache, tables: Collection[str], key: Hashable, make: Any, **more: Any
    ) -> Any:
        def make_watched() -> Any:
            with reading() as names:
                answer = make()
            # The parts of a published plan never change, so another plan is the only change.
            parts = {name for name in names if "plans" in tables and name.startswith("plan_")}
            keys.append((key, names - parts - set(tables) - {"revisions"}))
            return answer

        return get(self, tables, key, make_watched, **more)

    monkeypatch.setattr(RevisionCache, "get", watched)
    return keys


def test_whatever_a_page_keeps_names_the_tables_it_was_read_from(
    demo_url: str, tmp_path: Path, undeclared: list[tuple[Hashable, set[str]]]
) -> None:
    client = make_app(demo_url, tmp_path / "var").test_client()
    for path in PAGES:
        assert client.get(path).status_code == 200, path
    assert len(undeclared) > 8
    assert [(key, names) for key, names in undeclared if names] == []


def test_whatever_the_library_keeps_names_the_tables_it_was_read_from(
    demo_store: Store, undeclared: list[tuple[Hashable, set[str]]]
) -> None:
    user = users.add_user(demo_store, "ann", name="Ann", roles={"ops"}, by="me", now=NOW)
    with demo_store.write() as transaction:
        session = sessions.open_session(transaction, user.user_id, "link", None, NOW)
    users.access_policy(demo_store)
    assert sessions.viewer_of_session(demo_store, session.secret, now=NOW) is not None
    duplicates.likely_duplicates(demo_store)
    build.stamp_of(demo_store, TODAY.isoformat())
    assert len(undeclared) == 4
    assert [(key, names) for key, names in undeclared if names] == []


def test_a_snapshot_names_the_tables_it_is_made_of(demo_store: Store) -> None:
    with demo_store.read() as transaction, reading() as names:
        build.gather(transaction, TODAY.isoformat())
    assert {name for name in names if not name.startswith("plan_")} == {"plans", *build.TABLES}
