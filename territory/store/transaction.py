"""What can be asked of the store, and written to it, within one transaction."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, func, insert, or_, select, update

from territory import plans
from territory.errors import ConflictError, NotFoundError
from territory.store import rows, schema
from territory.store.access_ledger import AccessLedger
from territory.store.audit_ledger import AuditLedger
from territory.store.entry_ledger import EntryLedger
from territory.store.import_ledger import ImportLedger
from territory.store.job_ledger import JobLedger
from territory.store.paging_ledger import PagingLedger
from territory.store.pair_ledger import PairLedger
from territory.store.reading_ledger import ReadingLedger
from territory.store.saved_view_ledger import SavedViewLedger
from territory.store.snapshot_ledger import SnapshotLedger
from territory.store.work_ledger import WorkLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from sqlalchemy import Connection, Row

    from territory.store.answer_ledger import AnswerLedger
    from territory.store.eligibility_ledger import EligibilityLedger
    from territory.store.place_ledger import PlaceLedger


class Transaction:
    """One transaction. Frames come back ordered by key, text as object, missing as None or NaN."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def imports(self) -> ImportLedger:
        """The import records."""
        return ImportLedger(self._connection)

    @cached_property
    def jobs(self) -> JobLedger:
        """The long works that were asked for."""
        return JobLedger(self._connection)

    @cached_property
    def places(self) -> PlaceLedger:
        """The decisions about places, and the rows that wait for one."""
        from territory.store.place_ledger import PlaceLedger  # the gazetteer behind it is slow

        return PlaceLedger(self._connection)

    @cached_property
    def pairs(self) -> PairLedger:
        """What people decided about pairs of prospects."""
        return PairLedger(self._connection)

    @cached_property
    def reading(self) -> ReadingLedger:
        """What a plan says and what is on file about its prospects, row by row within a reach."""
        return ReadingLedger(self._connection)

    @cached_property
    def paging(self) -> PagingLedger:
        """One page of a long list."""
        return PagingLedger(self._connection)

    @cached_property
    def work(self) -> WorkLedger:
        """Notes and next steps of accounts."""
        return WorkLedger(self._connection)

    @cached_property
    def saved_views(self) -> SavedViewLedger:
        """Views that people keep under a name."""
        return SavedViewLedger(self._connection)

    @cached_property
    def snapshots(self) -> SnapshotLedger:
        """What a snapshot of the plan in force is made of."""
        return SnapshotLedger(self._connection)

    @cached_property
    def access(self) -> AccessLedger:
        """Users and their roles."""
        return AccessLedger(self._connection)

    @cached_property
    def entries(self) -> EntryLedger:
        """Sessions, one-time links, tokens and failed attempts to sign in."""
        return EntryLedger(self._connection)

    @cached_property
    def audit(self) -> AuditLedger:
        """The audit log."""
        return AuditLedger(self._connection)

    @cached_property
    def eligibility(self) -> EligibilityLedger:
        """Policies of eligibility, decisions and exceptions."""
        from territory.store.eligibility_ledger import EligibilityLedger  # what it needs is slow

        return EligibilityLedger(self._connection)

    @cached_property
    def answers(self) -> AnswerLedger:
        """What online geocoders answered."""
        from territory.store.answer_ledger import AnswerLedger  # what it needs is slow

        return AnswerLedger(self._connection)

    def table(
        self, kind: str, columns: Iterable[str] | None = None, **equals: str | None
    ) -> pd.DataFrame:
        """Read a table of ``KINDS``, or some of its columns.

        ``equals`` keeps the rows whose column has that value, or is null for None.
        """
        table = schema.KINDS[kind].table
        chosen = [table.c[name] for name in columns] if columns else list(table.c)
        return self._read(
            select(*chosen).where(*rows.equal(table, equals)).order_by(*table.primary_key)
        )

    def size(self, kind: str) -> int:
        """Count the rows of a table of ``KINDS``."""
        found: int = self._connection.execute(
            select(func.count()).select_from(schema.KINDS[kind].table)
        ).scalar_one()
        return found

    def save(self, kind: str, new: pd.DataFrame, updated: pd.DataFrame) -> None:
        """Insert new rows and rewrite those that changed; all columns of the table are expected."""
        table = schema.KINDS[kind].table
        rows.write(self._connection, table, new)
        rows.rewrite(self._connection, table, updated)

    def setting(self, name: str) -> str | None:
        """Look up a fact about the store itself."""
        found: str | None = self._connection.execute(
            select(schema.settings.c.value).where(schema.settings.c.name == name)
        ).scalar()
        return found

    def set_setting(self, name: str, value: str) -> None:
        """Note a fact about the store itself."""
        self._connection.execute(delete(schema.settings).where(schema.settings.c.name == name))
        self._connection.execute(insert(schema.settings).values(name=name, value=value))

    def plan(self, plan_id: str) -> plans.PlanInfo:
        """Look up a plan by its id.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        row = self._connection.execute(
            select(schema.plans).where(schema.plans.c.plan_id == plan_id)
        ).one_or_none()
        if row is None:
            latest = self.plan_in_force()
            hint = f"The plan in force is {latest.plan_id}." if latest else "There is no plan yet."
            raise NotFoundError(f"No plan {plan_id!r}. {hint}")
        return _plan(row)

    def plan_in_force(self) -> plans.PlanInfo | None:
        """Give the plan published last, None where none ever was."""
        row = self._connection.execute(
            select(schema.plans)
            .where(schema.plans.c.status == plans.PUBLISHED)
            .order_by(schema.plans.c.number.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else _plan(row)

    def next_plan_number(self) -> int:
        """Give the number of the next plan: 1, 2, 3 ..."""
        top: int | None = self._connection.execute(select(func.max(schema.plans.c.number))).scalar()
        return (top or 0) + 1

    def publish(self, plan: plans.PlanInfo, parts: Mapping[str, pd.DataFrame]) -> None:
        """Write a plan and its parts (markets, assignments ...) and freeze them.

        Raises
        ------
        ConflictError
            If a plan of this id or number is there already.
        """
        same = or_(schema.plans.c.plan_id == plan.plan_id, schema.plans.c.number == plan.number)
        if self._connection.execute(select(exists().where(same))).scalar():
            raise ConflictError(f"Plan {plan.plan_id!r} is published already. Publish a new one.")
        self._connection.execute(
            insert(schema.plans).values(
                plan_id=plan.plan_id,
                number=plan.number,
                name=plan.name,
                status=plans.DRAFT,
                effective_from=plan.effective_from,
                published_at=plan.published_at,
                published_by=plan.published_by,
                policy_name=plan.policy.name,
                policy_version=plan.policy.version,
                policy=plans.policy_json(plan.policy),
                counts=json.dumps(dict(plan.counts), sort_keys=True),
                digest=plan.digest,
            )
        )
        for name, frame in parts.items():
            table = schema.metadata.tables[f"plan_{name}"]
            rows.write(self._connection, table, frame.assign(plan_id=plan.plan_id))
        # From this statement on the database refuses every change of the plan and its parts.
        self._connection.execute(
            update(schema.plans)
            .where(schema.plans.c.plan_id == plan.plan_id)
            .values(status=plans.PUBLISHED)
        )

    def plan_part(self, plan_id: str, part: str, **equals: str | None) -> pd.DataFrame:
        """Read a part of a plan (markets, assignments ...) without its plan_id; see ``table``."""
        table = schema.metadata.tables[f"plan_{part}"]
        chosen = [column for column in table.c if column.name != "plan_id"]
        key = [column for column in table.primary_key if column.name != "plan_id"]
        return self._read(
            select(*chosen)
            .where(table.c.plan_id == plan_id, *rows.equal(table, equals))
            .order_by(*key)
        )

    def _read(self, query: Any) -> pd.DataFrame:
        return rows.read(self._connection, query)


def _plan(row: Row[Any]) -> plans.PlanInfo:
    return plans.PlanInfo(
        plan_id=row.plan_id,
        number=row.number,
        name=row.name,
        status=row.status,
        effective_from=row.effective_from,
        published_at=row.published_at or "",
        published_by=row.published_by or "",
        policy=plans.read_policy_json(row.policy),
        counts=json.loads(row.counts),
        digest=row.digest,
    )
