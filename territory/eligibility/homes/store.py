"""The home store: addresses of people, in a database apart from every other table and file.

Nothing else in the package holds an address or the coordinates of a home. A home is kept under the
reference of a person and a commitment, which decisions bear. Purging deletes address, coordinates
and salt for good; the decisions stand::

    with open_homes("sqlite:///var/homes.sqlite") as homes:
        homes.purge_subject("E-1042", by="hr", now=now)
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from territory.eligibility.homes.ledger import (
    add_measures,
    commitment,
    delete_homes,
    homes,
    homes_format,
    measures,
    metadata,
    purges,
    select_in,
)
from territory.errors import StoreError
from territory.store import open_engine, read_url, rows, shown_url, store_error
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine


DEFAULT_URL = "sqlite:///var/homes.sqlite"
# Where a home was found to be, beside the text as given.
LOCATION = ("lon", "lat", "precision", "uncertainty_m", "geocode_source", "fault")
ASKED, AGE = "asked", "age"
FORMAT = "territory homes 2"
BEFORE_MEASURES = "territory homes 1"
BUSY_TIMEOUT_MS = 5_000  # how long a writer waits: nothing here takes longer
_SALT_BYTES = 32
_LOCK = 5_020_027  # PostgreSQL: one writer at a time, as in SQLite
_MAIN_STORE = "alembic_version"  # a table that the home store never has


class HomeStore:
    """An open home store. Threads may share it; a process that forks opens its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def label(self) -> str:
        """The address of the database without any password, for messages."""
        return shown_url(self._engine.url)

    def keep(self, table: pd.DataFrame, *, now: datetime, keep_until: str) -> list[str | None]:
        """Keep homes; one that is there for the same person is kept longer, not twice.

        Parameters
        ----------
        table
            ``subject`` (null: not kept), ``given`` (the address as given, JSON text) and
            ``LOCATION``.
        keep_until
            The day from which it is purged by age, ISO text.

        Returns
        -------
        commitments
            One per row; None for homes that were not kept.
        """
        with self._transaction(writes=True) as connection:
            subjects = table["subject"].dropna().tolist()
            stored = select_in(connection, homes.c.subject, subjects).to_dict("records")
            rows_by_identity: dict[tuple[str, str], Mapping[Any, Any]] = {
                _identity(row): row for row in stored
            }
            commitments: list[str | None] = []
            fresh: dict[str, dict[str, Any]] = {}
            again: dict[str, dict[str, Any]] = {}
            for row in table.to_dict("records"):
                if pd.isna(row["subject"]):
                    commitments.append(None)
                    continue
                # The file may name one home twice, so what goes in now counts as stored at once.
                same = rows_by_identity.get(_identity(row))
                home = _home_row(row, same, utc_text(now), keep_until)
                (fresh if same is None else again).setdefault(home["commitment"], home)
                rows_by_identity[_identity(row)] = home
                commitments.append(home["commitment"])
            rows.write(connection, homes, pd.DataFrame(list(fresh.values())))
            changed = [home for key, home in again.items() if key not in fresh]
            rows.rewrite(connection, homes, pd.DataFrame(changed))
        return commitments

    def commitments(self, table: pd.DataFrame) -> list[str | None]:
        """Give the commitments that ``keep`` would find there already; None where there is none."""
        held = self.find_by_subject(table["subject"].dropna().unique().tolist())
        known = {_identity(row): row["commitment"] for row in held.to_dict("records")}
        return [
            None if pd.isna(row["subject"]) else known.get(_identity(row))
            for row in table[["subject", "given"]].to_dict("records")
        ]

    def find(self, commitments: Iterable[str]) -> pd.DataFrame:
        """Give the homes behind commitments, those that are still held: all their columns."""
        with self._transaction() as connection:
            return select_in(connection, homes.c.commitment, list(commitments))

    def find_by_subject(self, subjects: Iterable[str]) -> pd.DataFrame:
        """Give the homes held of some people: all their columns."""
        with self._transaction() as connection:
            return select_in(connection, homes.c.subject, list(subjects))

    def keep_measures(
        self, marks: Sequence[str | None], measured: Sequence[str]
    ) -> list[str | None]:
        """Keep what decisions measured from homes; each goes when its home goes.

        Parameters
        ----------
        marks
            The commitment of each home; null: nothing is kept of it.
        measured
            What was measured, a text each.

        Returns
        -------
        commitments
            Keyed digests of the texts, the same for the same home and text; None where the home is
            not held.
        """
        with self._transaction(writes=True) as connection:
            return add_measures(connection, marks, measured)

    def find_measures(self, commitments: Iterable[str]) -> dict[str, str]:
        """Give what was measured, by its commitment, where the home is still held."""
        with self._transaction() as connection:
            table = select_in(connection, measures.c.commitment, list(commitments))
        return dict(zip(table["commitment"], table["measured"], strict=True))

    def size(self) -> int:
        """Count the homes that are held."""
        with self._transaction() as connection:
            return connection.execute(select(func.count()).select_from(homes)).scalar_one()

    def is_blank(self) -> bool:
        """Whether no home was ever kept here."""
        with self._transaction() as connection:
            notes = connection.execute(select(func.count()).select_from(purges)).scalar_one()
        return self.size() + notes == 0

    def purge_note(self, commitment: str) -> tuple[str, str, str] | None:
        """Say when, by whom and why a home was purged; None if it was not."""
        query = select(purges.c.purged_at, purges.c.purged_by, purges.c.why)
        with self._transaction() as connection:
            row = connection.execute(query.where(purges.c.commitment == commitment)).one_or_none()
        return None if row is None else (row[0], row[1], row[2])

    def subjects_due(self, now: datetime) -> set[str]:
        """Name the people of whom a home would be purged by age."""
        return self._subjects(homes.c.keep_until <= now.astimezone(UTC).date().isoformat())

    def subjects_kept_before(self, day: str) -> set[str]:
        """Name the people of whom a home was kept before a day (ISO text)."""
        return self._subjects(homes.c.kept_at < day)

    def _subjects(self, which: ColumnElement[bool]) -> set[str]:
        with self._transaction() as connection:
            return set(connection.execute(select(homes.c.subject).where(which)).scalars())

    def purge_subject(self, subject: str, *, by: str, now: datetime) -> list[str]:
        """Delete every home of one person for good; give whose each was."""
        return self._purge(homes.c.subject == subject, ASKED, by, now)

    def purge_due(self, *, by: str, now: datetime) -> list[str]:
        """Delete for good the homes whose time is over; give whose each was."""
        day = now.astimezone(UTC).date().isoformat()
        return self._purge(homes.c.keep_until <= day, AGE, by, now)

    def purge_kept_before(self, day: str, *, by: str, now: datetime) -> list[str]:
        """Delete for good the homes kept before a day (ISO text); give whose each was."""
        return self._purge(homes.c.kept_at < day, AGE, by, now)

    def _purge(self, which: ColumnElement[bool], why: str, by: str, now: datetime) -> list[str]:
        with self._transaction(writes=True) as connection:
            query = select(homes.c.commitment, homes.c.subject).where(which)
            gone = {row.commitment: row.subject for row in connection.execute(query)}
            if gone:
                notes = [
                    {"commitment": one, "purged_at": utc_text(now), "purged_by": by, "why": why}
                    for one in gone
                ]
                connection.execute(insert(purges), notes)
                delete_homes(connection, which)
        # Even when nothing was deleted now: an earlier purge may have been stopped half-way here.
        try:
            _wipe(self._engine)
        except (DBAPIError, OSError) as error:
            sentence = (
                f"{len(gone)} homes are deleted, but the file could not be rewritten. "
                "Purge again when nobody reads it."
            )
            message = f"{self.label}: {sentence} ({type(error).__name__})"
            raise StoreError(message, sentence=sentence) from None
        return list(gone.values())

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        try:
            connection = self._engine.connect().execution_options(writes=writes)
            with connection, connection.begin():
                if writes:
                    _lock_writers(connection)
                yield connection
        except DBAPIError as error:
            raise store_error(error, self.label) from None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> HomeStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_homes(url: str | None = None, *, create: bool = True) -> HomeStore:
    """Open the home store, making it where needed, readable for the one who makes it only.

    Parameters
    ----------
    url
        sqlite:///folder/file.sqlite, a bare path, or postgresql://...; by default what
        TERRITORY_HOMES says, or else ``DEFAULT_URL`` in the current folder.
    create
        False: a SQLite file that does not exist is an error.

    Raises
    ------
    InputError
        If the URL names no usable database.
    StoreError
        If it is out of reach, missing, from another version, or the store of everything else.
    """
    url = url or os.environ.get("TERRITORY_HOMES") or DEFAULT_URL
    return HomeStore(_connect(url, create=create))


def _identity(row: Mapping[Any, Any]) -> tuple[str, str]:
    """What two rows have in common that are the same home of the same person."""
    return (row["subject"], row["given"].casefold())


def _home_row(
    row: Mapping[Any, Any], same: Mapping[Any, Any] | None, kept_at: str, keep_until: str
) -> dict[str, Any]:
    """Give the row to write: a new home, or the stored one, at the place it has this time."""
    location = {name: None if pd.isna(row[name]) else row[name] for name in LOCATION}
    if same is not None:
        return {**same, **location, "keep_until": max(same["keep_until"], keep_until)}
    salt = secrets.token_hex(_SALT_BYTES)
    return {
        "commitment": commitment(salt, row["given"]),
        "salt": salt,
        "subject": row["subject"],
        "given": row["given"],
        **location,
        "kept_at": kept_at,
        "keep_until": keep_until,
    }


def _connect(address: str, *, create: bool) -> Engine:
    """Open the database, making its tables where there are none.

    Raises
    ------
    StoreError
        If it cannot be reached, is the store of everything else, or was written by another version.
    """
    url = read_url(address)
    if url.get_backend_name() == "sqlite":
        _find_file(Path(str(url.database)), create=create)
    # Values of statements are addresses: they stay out of errors and logs.
    return open_engine(url, _set_up_sqlite, _make_tables, hide_parameters=True)


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
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    # No write-ahead log: its pages would outlive a purge as long as somebody reads.
    cursor.execute("PRAGMA journal_mode = DELETE")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros
    cursor.execute("PRAGMA temp_store = MEMORY")  # sorting and VACUUM write no temporary files
    cursor.close()


def _lock_writers(connection: Connection) -> None:
    """Wait until no other process writes; held until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _make_tables(engine: Engine, label: str) -> None:
    with engine.connect() as connection, connection.begin():
        if _is_ready(connection, label):
            return
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        _lock_writers(connection)
        if not _is_ready(connection, label):
            is_new = not inspect(connection).has_table(homes_format.name)
            metadata.create_all(connection)
            set_format = insert(homes_format) if is_new else update(homes_format)
            connection.execute(set_format.values(format=FORMAT))


def _is_ready(connection: Connection, label: str) -> bool:
    if inspect(connection).has_table(_MAIN_STORE):
        raise StoreError(
            f"{label} is the store of everything else. Homes need a database of their own: set "
            "TERRITORY_HOMES to another."
        )
    if not inspect(connection).has_table(homes_format.name):
        return False
    written = connection.execute(select(homes_format.c.format)).scalar()
    if written == BEFORE_MEASURES:
        return False
    if written != FORMAT:
        raise StoreError(
            f"{label} was written by another version ({written!r}, not {FORMAT!r}). "
            "Upgrade territory-mapper."
        )
    return True


def _wipe(engine: Engine) -> None:
    """Rewrite the whole database, so that no page of it holds what was deleted."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("VACUUM (FULL) homes, measures"))
            return
        # Past SQLAlchemy, whose transaction VACUUM would not run in.
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.execute("VACUUM")
