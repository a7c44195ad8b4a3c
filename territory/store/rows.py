"""Rows: frames into tables and back, in bulk, and the transaction that they are read in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    Double,
    Integer,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from territory.store.revision_cache import touch
from territory.store.tables import KINDS, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt
    from sqlalchemy import ColumnElement, Connection, Select, Table

KEY_CHUNK = 5_000  # keys of one statement: three parts of each stay under SQLite's 32,766
CHUNK = 20_000  # rows a statement is handed at once: bounds the memory that bound values take


def read(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Run a query: text comes back as object with None, numbers as float with NaN."""
    described = [(column.name, column.type) for column in query.selected_columns]
    parts: list[list[npt.NDArray[Any]]] = [[_array([], kind)] for _, kind in described]
    for rows in connection.execute(query).partitions(CHUNK):
        for part, (_, kind), values in zip(parts, described, zip(*rows, strict=True), strict=True):
            part.append(_array(values, kind))
    columns = {}
    for name, _ in described:
        whole = np.concatenate(parts.pop(0))
        columns[name] = pd.Series(whole, dtype=whole.dtype)
    return pd.DataFrame(columns)


def _array(values: Sequence[Any], kind: object) -> npt.NDArray[Any]:
    """Hold the values of a column; the same text once, however many rows have it."""
    if isinstance(kind, Double):
        return np.array(values, dtype=float)
    if isinstance(kind, Integer):
        return np.array(values, dtype=int)
    texts = np.empty(len(values), dtype=object)
    one: dict[Any, Any] = {}
    texts[:] = [one.setdefault(value, value) for value in values]
    return texts


def _tuples(frame: pd.DataFrame, names: list[str]) -> list[tuple[Any, ...]]:
    """Turn a frame into rows of plain Python values, None for whatever is missing."""
    columns = []
    for name in names:
        column = frame[name]
        columns.append(column.astype(object).where(column.notna(), None).tolist())
    return list(zip(*columns, strict=True))


def equal(
    table: Table, values: Mapping[str, str | tuple[str, ...] | None]
) -> list[ColumnElement[bool]]:
    """Conditions in which null equals null; several values let each of them through."""
    return [
        table.c[name].in_(value)
        if isinstance(value, tuple)
        else table.c[name].is_(None)
        if value is None
        else table.c[name] == value
        for name, value in values.items()
    ]


def write(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Insert every row of ``frame``; columns that the table does not have are left out.

    SQLite takes plain tuples, PostgreSQL a COPY: both skip the work per row that the general way of
    binding values costs.
    """
    names = [column.name for column in table.columns if column.name in frame.columns]
    for start in range(0, len(frame), CHUNK):
        rows = _tuples(frame.iloc[start : start + CHUNK], names)
        if connection.dialect.name == "postgresql":
            _copy(connection, table, names, rows)
        else:
            statement = insert(table).values({name: bindparam(name) for name in names})
            compiled = statement.compile(dialect=connection.dialect)
            connection.exec_driver_sql(str(compiled), rows)


def _copy(
    connection: Connection, table: Table, names: list[str], rows: list[tuple[Any, ...]]
) -> None:
    import psycopg  # only where PostgreSQL is used
    from psycopg import sql

    touch(connection, table.name)  # no statement of SQLAlchemy's passes its event
    cursor: Any = connection.connection.cursor()
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError("COPY", None, error) from error
    except psycopg.Error as error:
        raise DBAPIError("COPY", None, error) from error
    finally:
        cursor.close()


def rewrite(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Update the rows that ``frame`` names by the table's key, in every other column it has."""
    key = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns if column.name in frame.columns]
    changed = [name for name in names if name not in key]
    if frame.empty or not changed:
        return
    statement = (
        update(table)
        .where(*(table.c[name] == bindparam(f"key_{name}") for name in key))
        .values({name: bindparam(name) for name in changed})
    )
    labels = [f"key_{name}" if name in key else name for name in names]
    for start in range(0, len(frame), CHUNK):
        rows = _tuples(frame.iloc[start : start + CHUNK], names)
        connection.execute(statement, [dict(zip(labels, row, strict=True)) for row in rows])


def among(table: Table, keys: pd.DataFrame) -> Iterable[ColumnElement[bool]]:
    """Give conditions that together hold for the rows of these keys, a bounded number each."""
    names = [column.name for column in table.primary_key]
    columns = [table.c[name] for name in names]
    for start in range(0, len(keys), KEY_CHUNK):
        part = keys[names].iloc[start : start + KEY_CHUNK]
        if len(names) == 1:
            yield columns[0].in_(part[names[0]].tolist())
        else:
            yield tuple_(*columns).in_(list(part.itertuples(index=False, name=None)))


class Transaction:
    """One transaction. Frames come back ordered by key, text as object, missing as None or NaN."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """The connection, for the ledgers of the packages."""
        return self._connection

    def table(
        self, kind: str, columns: Iterable[str] | None = None, **equals: str | None
    ) -> pd.DataFrame:
        """Read a table of ``KINDS``, or some of its columns.

        ``equals`` keeps the rows whose column has that value, or is null for None.
        """
        table = KINDS[kind].table
        selected = [table.c[name] for name in columns] if columns else list(table.c)
        return read(
            self._connection,
            select(*selected).where(*equal(table, equals)).order_by(*table.primary_key),
        )

    def rows(
        self, kind: str, keys: pd.DataFrame, columns: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Read the rows of a kind that have these keys, or some of their columns, in any order."""
        table = KINDS[kind].table
        selected = [table.c[name] for name in columns] if columns else list(table.c)
        parts = [
            read(self._connection, select(*selected).where(some)) for some in among(table, keys)
        ]
        if parts:
            return pd.concat(parts, ignore_index=True)
        return read(self._connection, select(*selected).where(false()))

    def size(self, kind: str) -> int:
        """Count the rows of a table of ``KINDS``."""
        count: int = self._connection.execute(
            select(func.count()).select_from(KINDS[kind].table)
        ).scalar_one()
        return count

    def save(self, kind: str, new: pd.DataFrame, updated: pd.DataFrame) -> None:
        """Insert new rows and rewrite those that changed; all columns of the table are expected."""
        table = KINDS[kind].table
        write(self._connection, table, new)
        rewrite(self._connection, table, updated)

    def setting(self, name: str) -> str | None:
        """Look up a fact about the store itself."""
        value: str | None = self._connection.execute(
            select(settings.c.value).where(settings.c.name == name)
        ).scalar()
        return value

    def set_setting(self, name: str, value: str) -> None:
        """Note a fact about the store itself."""
        self._connection.execute(delete(settings).where(settings.c.name == name))
        self._connection.execute(insert(settings).values(name=name, value=value))
