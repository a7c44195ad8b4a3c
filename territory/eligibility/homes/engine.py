"""From a URL to a home store that leaves no trace of what it deleted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from territory.eligibility.homes.tables import FORMAT, homes_format, metadata
from territory.errors import StoreError
from territory.store import BUSY_TIMEOUT_S, read_url, reason

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOCK = 5_020_027  # PostgreSQL: one writer at a time, as in SQLite
_MAIN_STORE = "alembic_version"  # a table that the home store never has


def connect(given: str, *, create: bool) -> Engine:
    """Open the database, making its tables where there are none.

    Raises
    ------
    StoreError
        If it cannot be reached, is the store of everything else, or was written by another version.
    """
    url = read_url(given)
    shown = url.render_as_string(hide_password=True)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite:
        _find_file(Path(str(url.database)), create=create)
    try:
        # Values of statements are addresses: they stay out of errors and logs.
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=not is_sqlite)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"{shown}: the driver is missing ({error}). pip install 'territory-mapper[postgresql]'."
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        _make_tables(engine, shown)
    except DBAPIError as error:
        engine.dispose()
        raise StoreError(f"{shown}: {reason(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _find_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder. Name a file for the homes.")
    if path.exists():
        return
    if not create:
        raise StoreError(f"No home store at {path}. TERRITORY_HOMES names another.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made before SQLite does, so that nobody else on this machine can ever read it; its journal
        # gets the same permissions.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be made ({error.strerror}).") from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    # No write-ahead log: its pages would outlive a purge as long as somebody reads.
    cursor.execute("PRAGMA journal_mode = DELETE")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros
    cursor.execute("PRAGMA temp_store = MEMORY")  # sorting and VACUUM write no temporary files
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def lock_writers(connection: Connection) -> None:
    """Wait until no other process writes; held until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _make_tables(engine: Engine, shown: str) -> None:
    with engine.connect() as connection, connection.begin():
        if _is_ready(connection, shown):
            return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        lock_writers(connection)
        if not _is_ready(connection, shown):
            metadata.create_all(connection)
            connection.execute(insert(homes_format).values(format=FORMAT))


def _is_ready(connection: Connection, shown: str) -> bool:
    if inspect(connection).has_table(_MAIN_STORE):
        raise StoreError(
            f"{shown} is the store of everything else. Homes need a database of their own: set "
            "TERRITORY_HOMES to another."
        )
    if not inspect(connection).has_table(homes_format.name):
        return False
    found = connection.execute(select(homes_format.c.format)).scalar()
    if found != FORMAT:
        raise StoreError(
            f"{shown} was written by another version ({found!r}, not {FORMAT!r}). "
            "Upgrade territory-mapper."
        )
    return True


def wipe(engine: Engine) -> None:
    """Rewrite the whole database, so that no page of it holds what was deleted."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("VACUUM (FULL) homes"))
            return
        # Past SQLAlchemy, whose transaction VACUUM would not run in.
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.execute("VACUUM")
