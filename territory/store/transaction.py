"""What can be asked of the store, and written to it, within one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import delete, false, func, insert, select

from territory.store import rows as row_writer
from territory.store import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


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
        table = tables.KINDS[kind].table
        selected = [table.c[name] for name in columns] if columns else list(table.c)
        return self._read(
            select(*selected).where(*row_writer.equal(table, equals)).order_by(*table.primary_key)
        )

    def rows(
        self, kind: str, keys: pd.DataFrame, columns: Iterable[str] | None = None
    ) -> pd.DataFrame:
        """Read the rows of a kind that have these keys, or some of their columns, in any order."""
        table = tables.KINDS[kind].table
        selected = [table.c[name] for name in columns] if columns else list(table.c)
        parts = [
            self._read(select(*selected).where(some)) for some in row_writer.among(table, keys)
        ]
        if parts:
            return pd.concat(parts, ignore_index=True)
        return self._read(select(*selected).where(false()))

    def size(self, kind: str) -> int:
        """Count the rows of a table of ``KINDS``."""
        count: int = self._connection.execute(
            select(func.count()).select_from(tables.KINDS[kind].table)
        ).scalar_one()
        return count

    def save(self, kind: str, new: pd.DataFrame, updated: pd.DataFrame) -> None:
        """Insert new rows and rewrite those that changed; all columns of the table are expected."""
        table = tables.KINDS[kind].table
        row_writer.write(self._connection, table, new)
        row_writer.rewrite(self._connection, table, updated)

    def setting(self, name: str) -> str | None:
        """Look up a fact about the store itself."""
        value: str | None = self._connection.execute(
            select(tables.settings.c.value).where(tables.settings.c.name == name)
        ).scalar()
        return value

    def set_setting(self, name: str, value: str) -> None:
        """Note a fact about the store itself."""
        self._connection.execute(delete(tables.settings).where(tables.settings.c.name == name))
        self._connection.execute(insert(tables.settings).values(name=name, value=value))

    def _read(self, query: Any) -> pd.DataFrame:
        return row_writer.read(self._connection, query)
