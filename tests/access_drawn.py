"""What the tests of access and of the audit log share: stores of either kind, reps, a clock."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import create_engine, text

from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from sqlalchemy import Connection

    from territory.store import Store

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def empty_url(request: pytest.FixtureRequest, folder: Path, name: str) -> str:
    """Give the address of an empty store of the kind that the fixture is asked for.

    On PostgreSQL it is a copy of one that was made before, since making the tables takes a second.
    """
    if request.param == "sqlite":
        return f"sqlite:///{folder}/{name}.sqlite"
    server: str = request.getfixturevalue("postgresql_url")
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        known = "SELECT count(*) FROM pg_database WHERE datname = 'made_before'"
        if not connection.execute(text(known)).scalar():
            connection.execute(text("CREATE DATABASE made_before"))
            open_store(server.replace("/postgres?", "/made_before?")).close()
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE made_before"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


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
