"""From a URL to a database that is ready: connections, transactions, migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from territory.errors import InputError, StoreError
from territory.store.revision_cache import note_write
from territory.store.tables import REVISION

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

BUSY_TIMEOUT_S = 30  # how long a writer waits for another writer
# PostgreSQL lets one writer at a time through this door, as SQLite does, so that what a verb has
# read still holds when it writes.
WRITER_LOCK = 5_020_026
HOW_TO_NAME_ONE = "Name a store as sqlite:///folder/file.sqlite or postgresql://user@host/database."


def read_url(url: str) -> URL:
    """Make a URL of what the user gave; a bare path is a SQLite file, absolute from here on.

    Raises
    ------
    InputError
        If it names no database that this package can use.
    """
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except ArgumentError:
        raise InputError(f"{_masked(url)!r} is not a store. {HOW_TO_NAME_ONE}") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise InputError(
            f"{_masked(url)!r}: {backend} is no database for a store. {HOW_TO_NAME_ONE}"
        )
    if parsed.database in {None, "", ":memory:"}:
        raise InputError(f"{url!r} would forget everything. {HOW_TO_NAME_ONE}")
    path = Path(str(parsed.database)).expanduser().resolve()
    return parsed.set(drivername="sqlite", database=str(path))


def _masked(url: str) -> str:
    """Hide a password that stands where passwords stand, for use in messages."""
    head, at, tail = url.rpartition("@")
    scheme, slashes, user = head.partition("://")
    return f"{scheme}{slashes}{user.partition(':')[0]}{at}{tail}" if at else url


def connect(url: URL, *, create: bool) -> Engine:
    """Open the database, making or upgrading its tables where needed.

    Raises
    ------
    StoreError
        If it cannot be reached, does not exist and ``create`` is false, or is newer than we are.
    """
    address = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        _find_file(Path(str(url.database)), create=create)
    try:
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() == "postgresql")
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"{address}: the driver is missing ({error}). "
            "pip install 'territory-mapper[postgresql]'."
        ) from error
    event.listen(engine, "before_cursor_execute", note_write)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        _upgrade(engine, address)
    except DBAPIError as error:
        engine.dispose()
        raise StoreError(f"{address}: {reason(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def reason(error: DBAPIError) -> str:
    """Say in one line what a database said, and what to do where we know it."""
    message = " ".join(str(error.orig).split())
    if "locked" in message or "lock timeout" in message:
        return f"another process is writing ({message}). Try again when it is done."
    if "not a database" in message:
        return f"the file is not a SQLite database ({message}). Name another one."
    if "disk is full" in message or "readonly" in message:
        return f"nothing can be written there ({message}). Make room or check the permissions."
    return f"the database is out of reach or refuses ({message})."


def _find_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder. {HOW_TO_NAME_ONE}")
    if path.exists():
        return
    if not create:
        raise StoreError(
            f"No store at {path}. `territory demo` or `territory import` makes one; "
            "--store or TERRITORY_STORE names another."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be made ({error.strerror}).") from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, late and never for reads; we say BEGIN.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")  # with WAL, a crash loses no committed state
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    # A writer takes the lock at once: one that read first could not get it any more later on.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def version(connection: Connection) -> str | None:
    """Give the revision of the tables, None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


def _upgrade(engine: Engine, address: str) -> None:
    with engine.connect() as connection:
        revision = version(connection)
    if revision == REVISION:
        return
    from territory.store.migrations import run  # Alembic is slow to import and seldom needed

    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        lock_writers(connection)
        run.upgrade(connection, address)


def lock_writers(connection: Connection) -> None:
    """Wait until no other process writes; held until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
