"""Where people live: a store of its own, apart from every other table, file and database role.

Nothing else in the package holds an address or the coordinates of a home. A home is kept under the
reference of a person and a commitment, which decisions bear. Purging deletes address, coordinates
and salt for good; the decisions stand::

    with open_homes("sqlite:///var/homes.sqlite") as homes:
        homes.purge_subject("E-1042", by="hr", now=now)
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import DBAPIError

from territory.eligibility.homes import engine as engines
from territory.eligibility.homes.tables import homes, purges
from territory.errors import StoreError
from territory.store import reason, rows
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import Column, ColumnElement, Connection, Engine


DEFAULT_URL = "sqlite:///var/homes.sqlite"
# Where a home was found to be, beside the text as given.
LOCATION = ("lon", "lat", "precision", "uncertainty_m", "geocode_source", "fault")
ASKED, AGE = "asked", "age"
_CHUNK = 10_000  # values of one IN list: below the limit of any SQLite
_SALT_BYTES = 32


def commitment(salt: str, given: str) -> str:
    """Give the digest that stands for a home: HMAC-SHA256 with the salt (hex) as its key."""
    return hmac.new(bytes.fromhex(salt), given.encode(), hashlib.sha256).hexdigest()


class Homes:
    """An open home store. Threads may share it; a process that forks opens its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def shown(self) -> str:
        """The address of the database without any password, for messages."""
        return self._engine.url.render_as_string(hide_password=True)

    def keep(self, found: pd.DataFrame, *, now: datetime, keep_until: str) -> list[str | None]:
        """Keep homes; one that is held for the same person is kept longer, not twice.

        Parameters
        ----------
        found
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
            held = self._select(connection, homes.c.subject, found["subject"].dropna().tolist())
            known: dict[tuple[str, str], Mapping[Any, Any]] = {
                _identity(row): row for row in held.to_dict("records")
            }
            told: list[str | None] = []
            fresh: dict[str, dict[str, Any]] = {}
            again: dict[str, dict[str, Any]] = {}
            for row in found.to_dict("records"):
                if pd.isna(row["subject"]):
                    told.append(None)
                    continue
                same = known.get(_identity(row))
                kept = _kept(row, same, utc_text(now), keep_until)
                (fresh if same is None else again).setdefault(kept["commitment"], kept)
                known[_identity(row)] = kept
                told.append(kept["commitment"])
            rows.write(connection, homes, pd.DataFrame(list(fresh.values())))
            changed = [kept for key, kept in again.items() if key not in fresh]
            rows.rewrite(connection, homes, pd.DataFrame(changed))
        return told

    def held(self, commitments: Iterable[str]) -> pd.DataFrame:
        """Give the homes behind commitments, those that are still held: all their columns."""
        with self._transaction() as connection:
            return self._select(connection, homes.c.commitment, list(commitments))

    def held_of(self, subjects: Iterable[str]) -> pd.DataFrame:
        """Give the homes held of some people: all their columns."""
        with self._transaction() as connection:
            return self._select(connection, homes.c.subject, list(subjects))

    def size(self) -> int:
        """Count the homes that are held."""
        with self._transaction() as connection:
            found: int = connection.execute(select(func.count()).select_from(homes)).scalar_one()
        return found

    def purged(self, one: str) -> tuple[str, str, str] | None:
        """Say when, by whom and why a home was purged; None if it was not."""
        query = select(purges.c.purged_at, purges.c.purged_by, purges.c.why)
        with self._transaction() as connection:
            row = connection.execute(query.where(purges.c.commitment == one)).one_or_none()
        return None if row is None else (row[0], row[1], row[2])

    def purge_subject(self, subject: str, *, by: str, now: datetime) -> int:
        """Delete every home of one person for good; return how many there were."""
        return self._purge(homes.c.subject == subject, ASKED, by, now)

    def purge_due(self, *, by: str, now: datetime) -> int:
        """Delete for good the homes whose time is over; return how many there were."""
        day = now.astimezone(UTC).date().isoformat()
        return self._purge(homes.c.keep_until <= day, AGE, by, now)

    def purge_kept_before(self, day: str, *, by: str, now: datetime) -> int:
        """Delete for good the homes kept before a day (ISO text); return how many there were."""
        return self._purge(homes.c.kept_at < day, AGE, by, now)

    def _purge(self, which: ColumnElement[bool], why: str, by: str, now: datetime) -> int:
        with self._transaction(writes=True) as connection:
            gone = list(connection.execute(select(homes.c.commitment).where(which)).scalars())
            if gone:
                notes = [
                    {"commitment": one, "purged_at": utc_text(now), "purged_by": by, "why": why}
                    for one in gone
                ]
                connection.execute(insert(purges), notes)
                connection.execute(delete(homes).where(which))
        # Even when nothing was deleted now: an earlier purge may have been stopped half-way here.
        try:
            engines.wipe(self._engine)
        except (DBAPIError, OSError) as error:
            raise StoreError(
                f"{self.shown}: {len(gone)} homes are deleted, but the file could not be rewritten "
                f"({type(error).__name__}). Purge again when nobody reads it."
            ) from None
        return len(gone)

    @staticmethod
    def _select(connection: Connection, column: Column[Any], values: Sequence[str]) -> pd.DataFrame:
        parts = [
            rows.read(
                connection, select(homes).where(column.in_(part)).order_by(*homes.primary_key)
            )
            for part in _chunks(list(values)) or [[]]
        ]
        return pd.concat(parts, ignore_index=True)

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        try:
            connection = self._engine.connect().execution_options(writes=writes)
            with connection, connection.begin():
                if writes:
                    engines.lock_writers(connection)
                yield connection
        except DBAPIError as error:
            raise StoreError(f"{self.shown}: {reason(error)}") from None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Homes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_homes(url: str | None = None, *, create: bool = True) -> Homes:
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
    chosen = url or os.environ.get("TERRITORY_HOMES") or DEFAULT_URL
    return Homes(engines.connect(chosen, create=create))


def _identity(row: Mapping[Any, Any]) -> tuple[str, str]:
    """What two rows have in common that are the same home of the same person."""
    return (row["subject"], row["given"].casefold())


def _kept(
    row: Mapping[Any, Any], same: Mapping[Any, Any] | None, kept_at: str, keep_until: str
) -> dict[str, Any]:
    """Give the row to write: a new home, or one that is held, at the place found this time."""
    location = {name: _plain(row[name]) for name in LOCATION}
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


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def _chunks(values: list[str]) -> list[list[str]]:
    return [values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK)]
