"""One page of a long list: which prospects stand on it, and how many there are in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from territory.access import within
from territory.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from territory.access import Reach
    from territory.store import Transaction


class PagingLedger:
    """Pages through the prospects of a plan within a reach."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def prospects(
        self,
        plan_id: str,
        reach: Reach,
        choices: Mapping[str, tuple[str | None, ...]],
        *,
        start: int,
        count: int,
    ) -> tuple[tuple[str, ...], int]:
        """Give the ids ``start`` to ``start + count``, in the order of ids, and the number of all.

        ``choices`` are of the columns of plan_assignments; None among the values is null.
        """
        assignments = tables.plan_assignments
        passes = (
            assignments.c.plan_id == plan_id,
            within(assignments.c.rep_id, reach),
            *(_one_of(assignments.c[name], values) for name, values in choices.items()),
        )
        total: int = self._connection.execute(
            select(func.count()).select_from(assignments).where(*passes)
        ).scalar_one()
        ids = self._connection.execute(
            select(assignments.c.prospect_id)
            .where(*passes)
            .order_by(assignments.c.prospect_id)
            .offset(start)
            .limit(count)
        ).scalars()
        return tuple(ids), total


def _one_of(column: ColumnElement[str], values: tuple[str | None, ...]) -> ColumnElement[bool]:
    is_named = column.in_([value for value in values if value is not None])
    return or_(is_named, column.is_(None)) if None in values else is_named
