"""What the tests of access and of the audit log share: stores of either kind, reps, a clock."""

from __future__ import annotations

import functools
import json
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import create_engine

from territory import accounts, api_tokens, audit, entry, passwords, sessions
from territory.access import AccessPolicy, Viewer
from territory.lockout import LockedOutError, SignInError
from territory.store import open_store
from territory.store.access_ledger import AccessLedger
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from territory.store import Store

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
PASSWORD = "correct horse battery"  # noqa: S105
HERE = "192.0.2.7"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@functools.cache
def _made_before() -> bytes:
    """Give an empty SQLite store as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        open_store(str(path)).close()
        return path.read_bytes()


@functools.cache
def _database_made_before(server: str) -> str:
    """Give the name of a database on the server that holds an empty store."""
    url = databases.database(server)
    open_store(url).close()
    return url.partition("@/")[2].partition("?")[0]


def empty_file(folder: Path, name: str = "store") -> Path:
    """Give an empty SQLite store."""
    path = folder / f"{name}.sqlite"
    path.write_bytes(_made_before())
    return path


def empty_url(request: pytest.FixtureRequest, folder: Path, name: str) -> str:
    """Give the address of an empty store of the kind that the fixture is asked for.

    It is a copy of one that was made before, since making the tables takes longer than most tests.
    """
    if request.param == "sqlite":
        return f"sqlite:///{empty_file(folder, name)}"
    server: str = request.getfixturevalue("postgresql_server")
    return databases.database(server, template=_database_made_before(server))


@contextmanager
def raw(store: Store) -> Iterator[Connection]:
    """Give a connection past everything that guards the store but its triggers."""
    engine = create_engine(store.url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def add_reps(store: Store, *rep_ids: str) -> None:
    """Put reps into the store that users may stand for."""
    frame = pd.DataFrame(
        {"rep_id": rep_ids, "name": rep_ids, "email": None, "base_office_id": None}, dtype=object
    )
    with store.write() as transaction:
        transaction.save("reps", frame, frame.iloc[:0])


def furnished(store: Store) -> Store:
    add_reps(store, "R1", "R2", "R3")
    add(store, "root@example.com", "admin", password=None)
    return store


@functools.cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


def add(store: Store, login: str, *roles: str, password: str | None = PASSWORD, **told: Any) -> str:
    """Add a user with a password and give the id."""
    user = accounts.add_user(store, login, name="Ann Ash", roles=roles, by="cli", now=NOW, **told)
    if password is not None:
        with store.write() as transaction:
            AccessLedger(transaction).set_password_hash(user.user_id, password_hash())
    return user.user_id


def enter(
    store: Store,
    login: str = "ann@example.com",
    password: str = PASSWORD,
    *,
    address: str | None = HERE,
    after: float = 0,
) -> sessions.SignedIn:
    now = NOW + timedelta(seconds=after)
    return entry.sign_in(store, login, password, address=address, now=now)


def outcome(store: Store, *given: str, **told: Any) -> str:
    """Say how an attempt to sign in ended."""
    try:
        enter(store, *given, **told)
    except LockedOutError:
        return "locked"
    except SignInError:
        return "refused"
    return "in"


def viewer(store: Store, secret: str, after: float = 1) -> Viewer | None:
    return sessions.viewer_of_session(store, secret, now=NOW + timedelta(seconds=after))


def set_policy(store: Store, **told: Any) -> None:
    accounts.set_access_policy(store, AccessPolicy(**told), by="user-1", now=NOW)


def actions(store: Store) -> list[str]:
    return [str(told) for told in audit.search(store, limit=None)[0]["action"][::-1]]


def details(store: Store, action: str) -> list[dict[str, Any]]:
    found = audit.search(store, action=action, limit=None)[0]
    return [json.loads(payload)["detail"] for payload in found["payload"][::-1]]


def by_link(
    store: Store, secret: str, *, is_loopback: bool = True, after: float = 0
) -> sessions.SignedIn:
    now = NOW + timedelta(seconds=after)
    return entry.sign_in_by_link(store, secret, is_loopback=is_loopback, address=HERE, now=now)


def new_token(store: Store, user_id: str, *scopes: str, days: float = 30) -> api_tokens.NewToken:
    return api_tokens.new_token(
        store,
        user_id,
        name="reports",
        scopes=scopes or ["see_sums"],
        lifetime=timedelta(days=days),
        by="user-1",
        now=NOW,
    )
