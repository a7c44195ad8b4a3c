"""Tables of the home store, and the exact measures of decisions, which go when the home goes.

::

    homes      an address with its place, its salt, and until when it is kept
    measures   what a decision measured from a home to the metre, beside its salt's keyed digest
    purges     which homes are gone, when, by whom and why
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Column, Double, Index, MetaData, Table, Text, delete, select

from territory.store import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

_CHUNK = 10_000  # values of one IN list: below the limit of any SQLite
metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
homes_format = Table("homes_format", metadata, Column("format", TEXT, primary_key=True))
homes = Table(
    "homes",
    metadata,
    Column("commitment", TEXT, primary_key=True),
    Column("salt", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("given", TEXT, nullable=False),  # JSON object: the address and coordinates as given
    Column("lon", Double),
    Column("lat", Double),
    Column("precision", TEXT),
    Column("uncertainty_m", Double),
    Column("geocode_source", TEXT),
    Column("fault", TEXT),
    Column("kept_at", TEXT, nullable=False),
    Column("keep_until", TEXT, nullable=False),  # ISO day: purged by age from then on
    Index(None, "subject"),
    Index(None, "keep_until"),
)
measures = Table(
    "measures",
    metadata,
    Column("commitment", TEXT, primary_key=True),  # ``commitment`` of what was measured
    Column("home", TEXT, nullable=False),  # the commitment of its home
    Column("measured", TEXT, nullable=False),  # JSON object: exact facts and their decision
    Index(None, "home"),
)
purges = Table(
    "purges",
    metadata,
    Column("commitment", TEXT, primary_key=True),
    Column("purged_at", TEXT, nullable=False),
    Column("purged_by", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),  # asked, age
)


def commitment(salt: str, given: str) -> str:
    """Give the digest that stands for a text: HMAC-SHA256 with the salt (hex) as its key.

    Whoever has not the salt cannot try texts out until one fits, however few there may be.
    """
    return hmac.new(bytes.fromhex(salt), given.encode(), hashlib.sha256).hexdigest()


def select_in(
    connection: Connection,
    column: Column[Any],
    values: Sequence[str],
    columns: Sequence[Column[Any]] = (),
) -> pd.DataFrame:
    """Read rows whose column has one of many values: some columns, or all of the table."""
    listed, table = list(values), column.table
    query = select(*(columns or table.columns)).order_by(*table.primary_key)
    chunks = [listed[at : at + _CHUNK] for at in range(0, len(listed), _CHUNK)]
    parts = [rows.read(connection, query.where(column.in_(part))) for part in chunks or [[]]]
    return pd.concat(parts, ignore_index=True)


def add_measures(
    connection: Connection, marks: Sequence[str | None], measured: Sequence[str]
) -> list[str | None]:
    """Keep what decisions measured from homes, where the home is held; see ``keep_measures``."""
    wanted = [mark for mark in marks if mark]
    held = select_in(connection, homes.c.commitment, wanted, [homes.c.commitment, homes.c.salt])
    salts = dict(zip(held["commitment"], held["salt"], strict=True))
    commitments: list[str | None] = []
    fresh: dict[str, tuple[str, str]] = {}
    for mark, text in zip(marks, measured, strict=True):
        salt = salts.get(mark)
        commitments.append(None if salt is None else commitment(salt, text))
        if mark is not None and commitments[-1] is not None:
            fresh[commitments[-1]] = (mark, text)
    key = measures.c.commitment
    for known in select_in(connection, key, list(fresh), [key])["commitment"]:
        del fresh[known]
    table = pd.DataFrame(
        [(key, *values) for key, values in fresh.items()],
        columns=["commitment", "home", "measured"],
        dtype=object,
    )
    rows.write(connection, measures, table)
    return commitments


def delete_homes(connection: Connection, which: ColumnElement[bool]) -> None:
    """Delete homes, and all that was measured from them."""
    gone = select(homes.c.commitment).where(which)
    connection.execute(delete(measures).where(measures.c.home.in_(gone)))
    connection.execute(delete(homes).where(which))
