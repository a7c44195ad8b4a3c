"""Ledger of plans: look up, publish, read a part. A published plan is never written again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, insert, or_, select, tuple_, update

from territory.errors import ConflictError, NotFoundError
from territory.plans.plan import DRAFT, PUBLISHED, PlanInfo, policy_json, read_policy_json
from territory.policy import Policy
from territory.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from sqlalchemy import Row, Table

    from territory.store import Store, Transaction


class PlanLedger:
    """Plans and their parts within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def plan(self, plan_id: str) -> PlanInfo:
        """Look up a plan by its id.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        row = self._connection.execute(
            select(tables.plans).where(tables.plans.c.plan_id == plan_id)
        ).one_or_none()
        if row is None:
            latest = self.plan_in_force()
            hint = f"The plan in force is {latest.plan_id}." if latest else "There is no plan yet."
            raise NotFoundError(f"No plan {plan_id!r}. {hint}")
        return _plan(row)

    def plan_in_force(self) -> PlanInfo | None:
        """Give the plan published last, None where none ever was."""
        row = self._connection.execute(
            select(tables.plans)
            .where(tables.plans.c.status == PUBLISHED)
            .order_by(tables.plans.c.number.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else _plan(row)

    def policy_in_force(self) -> Policy:
        """Give the policy of the plan in force, or the default one before the first plan."""
        plan = self.plan_in_force()
        return plan.policy if plan else Policy()

    def next_plan_number(self) -> int:
        """Give the number of the next plan: 1, 2, 3 ..."""
        top: int | None = self._connection.execute(select(func.max(tables.plans.c.number))).scalar()
        return (top or 0) + 1

    def publish(self, plan: PlanInfo, parts: Mapping[str, pd.DataFrame]) -> None:
        """Write a plan and its parts (markets, assignments ...) and freeze them.

        Raises
        ------
        ConflictError
            If a plan of this id or number is there already.
        """
        self.begin(plan)
        for name, frame in parts.items():
            self.add_rows(plan.plan_id, name, frame)
        self.freeze(plan.plan_id)

    def begin(self, plan: PlanInfo) -> None:
        """Write a plan that nobody sees yet, to be filled by ``add_rows``.

        Raises
        ------
        ConflictError
            If a plan of this id or number is there already.
        """
        same = or_(tables.plans.c.plan_id == plan.plan_id, tables.plans.c.number == plan.number)
        if self._connection.execute(select(exists().where(same))).scalar():
            raise ConflictError(f"Plan {plan.plan_id!r} is published already. Publish a new one.")
        self._connection.execute(
            insert(tables.plans).values(
                plan_id=plan.plan_id,
                number=plan.number,
                name=plan.name,
                status=DRAFT,
                effective_from=plan.effective_from,
                published_at=plan.published_at,
                published_by=plan.published_by,
                policy_name=plan.policy.name,
                policy_version=plan.policy.version,
                policy=policy_json(plan.policy),
                counts=json.dumps(dict(plan.counts), sort_keys=True),
                digest=plan.digest,
            )
        )

    def add_rows(self, plan_id: str, part: str, frame: pd.DataFrame) -> None:
        """Write rows of a part of a plan that is not published yet."""
        rows.write(self._connection, _table(part), frame.assign(plan_id=plan_id))

    def freeze(self, plan_id: str) -> None:
        """Publish a plan: from here on the database refuses every change of it and its parts."""
        self._connection.execute(
            update(tables.plans).where(tables.plans.c.plan_id == plan_id).values(status=PUBLISHED)
        )

    def unpublished(self) -> list[str]:
        """Give the ids of plans that were begun and not published."""
        query = select(tables.plans.c.plan_id).where(tables.plans.c.status != PUBLISHED)
        return list(self._connection.execute(query).scalars())

    def drop_rows(self, plan_id: str, part: str, most: int) -> int:
        """Delete up to so many rows of a part of an unpublished plan; how many were there."""
        table = _table(part)
        key = tuple_(*table.primary_key)
        some = select(*table.primary_key).where(table.c.plan_id == plan_id).limit(most)
        return self._connection.execute(delete(table).where(key.in_(some))).rowcount

    def drop(self, plan_id: str) -> None:
        """Delete an unpublished plan."""
        self._connection.execute(delete(tables.plans).where(tables.plans.c.plan_id == plan_id))

    def plan_part(self, plan_id: str, part: str, **equals: str | None) -> pd.DataFrame:
        """Read a part of a plan (markets, assignments ...) without its plan_id.

        ``equals`` keeps the rows whose column has that value, or is null for None.
        """
        table = _table(part)
        columns = [column for column in table.c if column.name != "plan_id"]
        key = [column for column in table.primary_key if column.name != "plan_id"]
        return rows.read(
            self._connection,
            select(*columns)
            .where(table.c.plan_id == plan_id, *rows.equal(table, equals))
            .order_by(*key),
        )


def policy_in_force(store: Store) -> Policy:
    """Give the policy of the plan in force, or the default one before the first plan."""
    with store.read() as transaction:
        return PlanLedger(transaction).policy_in_force()


def _table(part: str) -> Table:
    return tables.metadata.tables[f"plan_{part}"]


def _plan(row: Row[Any]) -> PlanInfo:
    return PlanInfo(
        plan_id=row.plan_id,
        number=row.number,
        name=row.name,
        status=row.status,
        effective_from=row.effective_from,
        published_at=row.published_at or "",
        published_by=row.published_by or "",
        policy=read_policy_json(row.policy),
        counts=json.loads(row.counts),
        digest=row.digest,
    )
