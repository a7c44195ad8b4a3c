"""Exact records of earlier versions in the store: found, and replaced by register records.

They were never deleted before, so whatever is left of them starts with the first decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from territory.store import eligibility_decisions as decisions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.store import Transaction

_IS_EXACT = decisions.c.record.contains('"format":"territory eligibility decision 1"')


class ExactRecordsLedger:
    """Reads and replaces exact records, within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def any(self) -> bool:
        """Whether there are any: the first decision tells, since it is replaced last."""
        first = select(decisions.c.number, _IS_EXACT.label("is_exact"))
        row = self._connection.execute(first.order_by(decisions.c.number).limit(1)).one_or_none()
        return row is not None and bool(row.is_exact)

    def last(self, before: int | None, limit: int) -> list[tuple[int, str, str, str]]:
        """Give some below a number, the last ones first: number, id, digest, record."""
        columns = (decisions.c[name] for name in ("number", "decision_id", "digest", "record"))
        query = select(*columns).where(_IS_EXACT)
        if before is not None:
            query = query.where(decisions.c.number < before)
        found = self._connection.execute(query.order_by(decisions.c.number.desc()).limit(limit))
        return [(row.number, row.decision_id, row.digest, row.record) for row in found]

    def replace(self, records: Iterable[tuple[str, str, str]]) -> int:
        """Put register records (digest before, digest, record) in their place; count them."""
        if self._connection.dialect.name == "sqlite":
            # What is replaced is overwritten in the file, not only forgotten.
            self._connection.exec_driver_sql("PRAGMA secure_delete = ON")
        count = 0
        for before, digest, record in records:
            same = decisions.c.digest == before
            changed = update(decisions).where(same).values(digest=digest, record=record)
            count += self._connection.execute(changed).rowcount
        return count
