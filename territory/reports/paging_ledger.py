"""One page of a long list: which prospects stand on it, and how many there are in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from territory.access import within
from territory.prospects import column_of, fields
from territory.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, FromClause

    from territory.access import Reach
    from territory.prospects import Field
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

        ``choices`` are of columns of ``fields.API``; None among the values is null.
        """
        assignments, companies = tables.plan_assignments, tables.prospects
        values_by_field = {fields.BY_COLUMN[name]: values for name, values in choices.items()}
        source: FromClause = assignments
        if any(field.source == "company" for field in values_by_field):
            same = companies.c.prospect_id == assignments.c.prospect_id
            source = assignments.outerjoin(companies, same)
        passes = (
            assignments.c.plan_id == plan_id,
            within(assignments.c.rep_id, reach),
            *(_one_of(field, values) for field, values in values_by_field.items()),
        )
        total: int = self._connection.execute(
            select(func.count()).select_from(source).where(*passes)
        ).scalar_one()
        ids = self._connection.execute(
            select(assignments.c.prospect_id)
            .select_from(source)
            .where(*passes)
            .order_by(assignments.c.prospect_id)
            .offset(start)
            .limit(count)
        ).scalars()
        return tuple(ids), total


def _one_of(field: Field, values: tuple[str | None, ...]) -> ColumnElement[bool]:
    column = column_of(field)
    named = [value for value in values if value is not None]
    is_named = column.in_([value == "1" for value in named] if field.kind == "flag" else named)
    return or_(is_named, column.is_(None)) if None in values else is_named
