"""Ledger of saved views: every query is about one owner's alone."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from territory.store import saved_views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from territory.store import Transaction


@dataclass(frozen=True)
class SavedView:
    """An address under a name: the list of a market (None: of no market) and its query string."""

    view_id: str
    name: str
    market_id: str | None
    query: Mapping[str, str | list[str]]
    saved_at: str


class SavedViewLedger:
    """Reads and writes the views of an owner."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def views(self, owner_id: str) -> list[SavedView]:
        """Give the views of an owner, by name."""
        return self._views(saved_views.c.owner_id == owner_id)

    def view(self, owner_id: str, view_id: str) -> SavedView | None:
        """Look up a view of an owner by its id."""
        is_it = (saved_views.c.owner_id == owner_id) & (saved_views.c.view_id == view_id)
        return next(iter(self._views(is_it)), None)

    def view_of_name(self, owner_id: str, name_key: str) -> SavedView | None:
        """Look up a view of an owner by its name as it is compared."""
        is_it = (saved_views.c.owner_id == owner_id) & (saved_views.c.name_key == name_key)
        return next(iter(self._views(is_it)), None)

    def _views(self, condition: ColumnElement[bool]) -> list[SavedView]:
        query = select(saved_views).where(condition).order_by(saved_views.c.name_key)
        return [
            SavedView(row.view_id, row.name, row.market_id, json.loads(row.query), row.saved_at)
            for row in self._connection.execute(query)
        ]

    def add(self, owner_id: str, *, name: str, name_key: str, **values: Any) -> str:
        """Write a view and give its id; ``values`` are market_id, query (JSON) and saved_at."""
        top: int | None = self._connection.execute(select(func.max(saved_views.c.number))).scalar()
        view_id = f"view-{secrets.token_hex(8)}"
        self._connection.execute(
            insert(saved_views).values(
                view_id=view_id,
                number=(top or 0) + 1,
                owner_id=owner_id,
                name=name,
                name_key=name_key,
                **values,
            )
        )
        return view_id

    def rename(self, view_id: str, name: str, name_key: str) -> None:
        """Give a view another name."""
        self._connection.execute(
            update(saved_views)
            .where(saved_views.c.view_id == view_id)
            .values(name=name, name_key=name_key)
        )

    def remove(self, view_id: str) -> None:
        """Delete a view."""
        self._connection.execute(delete(saved_views).where(saved_views.c.view_id == view_id))
