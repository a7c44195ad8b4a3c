"""What the system remembers. The only place that speaks SQL.

``open_store(url)`` gives a ``Store``; its ``read`` and ``write`` give a ``Transaction`` each, and
whatever happens in one happens wholly or not at all::

    with open_store("sqlite:///var/territory.sqlite") as store, store.read() as transaction:
        offices = transaction.table("offices")
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from territory.errors import ConflictError, StoreError
from territory.store import engine as engines
from territory.store.revision_cache import PLAIN_BYTES, RevisionCache, bump
from territory.store.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator
    from types import TracebackType

    from sqlalchemy import Engine

    Answer = TypeVar("Answer")


DEFAULT_URL = "sqlite:///var/territory.sqlite"


class Store:
    """An open database. Threads may share it; a process that forks opens its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.cache = RevisionCache(engine)

    @property
    def url(self) -> str:
        """The address in full, absolute, with any password: for another process, not for eyes."""
        return self._engine.url.render_as_string(hide_password=False)

    @property
    def shown(self) -> str:
        """The address without any password, for messages."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """See the store as it is at this moment; what others write meanwhile stays out of sight."""
        isolation = {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._our_errors():
            connection = self._engine.connect().execution_options(**isolation)
            with connection, connection.begin():
                yield Transaction(connection)

    def cached(
        self,
        tables: Collection[str],
        key: Hashable,
        read: Callable[[Transaction], Answer],
        *,
        weight: int = PLAIN_BYTES,
    ) -> Answer:
        """Give what ``read`` answers about the store as it is at this moment.

        While nobody has written to any of ``tables``, which the answer rests on, it is what was
        answered under the same key before. Treat it as frozen: others are given it too.
        """

        def ask() -> Answer:
            with self.read() as transaction:
                return read(transaction)

        return self.cache.get(tables, key, ask, weight=weight)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Change the store: all of it when the block ends well, nothing when it raises.

        Writers wait for one another, so what a block has read still holds when it writes.
        """
        with self._our_errors():
            touched: set[str] = set()
            options = {"writes": True, "touched": touched}
            connection = self._engine.connect().execution_options(**options)
            with connection, connection.begin():
                engines.lock_writers(connection)
                yield Transaction(connection)
                bump(connection, touched)

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        """Turn the database's errors into ours."""
        try:
            yield
        except IntegrityError as error:
            raise ConflictError(
                f"{self.shown}: refused, nothing was written ({' '.join(str(error.orig).split())})."
            ) from error
        except DBAPIError as error:
            raise StoreError(f"{self.shown}: {engines.reason(error)}") from error

    def close(self) -> None:
        """Close every connection."""
        self.cache.close()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_store(url: str | None = None, *, create: bool = True) -> Store:
    """Open a store, making it and the folder of its file, or upgrading its tables, where needed.

    Parameters
    ----------
    url
        sqlite:///folder/file.sqlite, a bare path to a SQLite file, or postgresql://...; by default
        what TERRITORY_STORE says, or else ``DEFAULT_URL`` in the current folder.
    create
        False: a SQLite file that does not exist is an error.

    Raises
    ------
    InputError
        If the URL names no usable database.
    StoreError
        If the database is out of reach, missing, or from a newer version.
    """
    address = engines.read_url(url or os.environ.get("TERRITORY_STORE") or DEFAULT_URL)
    return Store(engines.connect(address, create=create))
