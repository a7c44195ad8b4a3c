"""Ledger for readers of a plan: what it says and what is on file, cut down to a reach.

A row belongs to the rep who has its prospect in the plan. Where a reach is not everything, rows of
nobody are out of it, and so is whatever was imported after the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, false, func, not_, or_, select, true

from territory.access import within
from territory.plans.findings import OPEN
from territory.store import rows, tables

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import ColumnElement, Select

    from territory.access import Reach
    from territory.store import Transaction

# What a page shows of a company beside what its plan recorded.
COMPANY_COLUMNS = (
    "street", "city", "state", "postal_code", "country", "website", "industry", "employees",
    "revenue_usd", "geocode_note",
)  # fmt: skip
# What ``plans.count`` looks at.
_COUNTED = (
    "market_id", "rep_id", "nearest_office_id", "segment", "status", "precision", "verdict", "rule",
)  # fmt: skip
_PARTS_OF_REPS = {"territories": tables.plan_territories, "reps": tables.plan_reps}


class ReadingLedger:
    """Reads rows within a reach. ``equals`` are as in ``rows.equal``."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def prospects(
        self, plan_id: str, reach: Reach, **equals: str | tuple[str, ...] | None
    ) -> pd.DataFrame:
        """Read the prospects of a plan, by id.

        The columns of plan_assignments, the address and company columns of prospects as they are
        now, and rep_name, market_name and nearest_office_name as they were in the plan.
        """
        assignments, now = tables.plan_assignments, tables.prospects
        query = select(
            *(column for column in assignments.c if column.name != "plan_id"),
            *(now.c[name] for name in COMPANY_COLUMNS),
            tables.plan_reps.c.name.label("rep_name"),
            tables.plan_markets.c.name.label("market_name"),
            tables.plan_offices.c.name.label("nearest_office_name"),
        ).select_from(assignments)
        query = query.outerjoin(now, now.c.prospect_id == assignments.c.prospect_id)
        for part, its_key, key in (
            (tables.plan_reps, "rep_id", "rep_id"),
            (tables.plan_markets, "market_id", "market_id"),
            (tables.plan_offices, "office_id", "nearest_office_id"),
        ):
            same_plan = part.c.plan_id == assignments.c.plan_id
            query = query.outerjoin(part, same_plan & (part.c[its_key] == assignments.c[key]))
        return self._read(
            query.where(
                assignments.c.plan_id == plan_id,
                within(assignments.c.rep_id, reach),
                *rows.equal(assignments, equals),
            ).order_by(assignments.c.prospect_id)
        )

    def profiled(self, plan_id: str, reach: Reach, **equals: str | None) -> pd.DataFrame:
        """Read ``profile.PROSPECT_COLUMNS`` of the prospects of a plan, in no order."""
        assignments = tables.plan_assignments
        return self._read(
            self._companies(plan_id, reach, (assignments.c.status, assignments.c.segment), equals)
        )

    def largest(self, plan_id: str, reach: Reach, most: int, **equals: str | None) -> pd.DataFrame:
        """Read prospect_id, name and ``profile.PROSPECT_COLUMNS`` of those with most employees."""
        assignments, employees = tables.plan_assignments, tables.prospects.c.employees
        columns = (
            assignments.c.prospect_id,
            assignments.c.name,
            assignments.c.status,
            assignments.c.segment,
        )
        query = self._companies(plan_id, reach, columns, equals)
        order = (employees.is_(None), employees.desc(), assignments.c.prospect_id)
        return self._read(query.order_by(*order).limit(most))

    def _companies(
        self, plan_id: str, reach: Reach, columns: tuple[Any, ...], equals: dict[str, str | None]
    ) -> Select[Any]:
        """Select columns of a plan's prospects, their rep, and industry and employees of now."""
        assignments, now = tables.plan_assignments, tables.prospects
        return (
            select(*columns, assignments.c.rep_id, now.c.industry, now.c.employees)
            .select_from(assignments)
            .outerjoin(now, now.c.prospect_id == assignments.c.prospect_id)
            .where(
                assignments.c.plan_id == plan_id,
                within(assignments.c.rep_id, reach),
                *rows.equal(assignments, equals),
            )
        )

    def names_beyond(self, plan_id: str, reach: Reach, **equals: str | None) -> pd.DataFrame:
        """Read ``access.NAME_COLUMNS`` of the prospects of a plan that are out of reach, by id."""
        assignments, reps = tables.plan_assignments, tables.plan_reps
        same = (reps.c.plan_id == assignments.c.plan_id) & (reps.c.rep_id == assignments.c.rep_id)
        others = or_(assignments.c.rep_id.is_(None), not_(within(assignments.c.rep_id, reach)))
        beyond = false() if reach.is_all else others
        return self._read(
            select(
                assignments.c.prospect_id,
                assignments.c.name,
                assignments.c.rep_id,
                reps.c.name.label("rep_name"),
            )
            .select_from(assignments)
            .outerjoin(reps, same)
            .where(assignments.c.plan_id == plan_id, beyond, *rows.equal(assignments, equals))
            .order_by(assignments.c.prospect_id)
        )

    def opportunities(
        self, plan_id: str, reach: Reach, **equals: str | tuple[str, ...] | None
    ) -> pd.DataFrame:
        """Read the opportunities of a plan's prospects with the market and rep of each.

        ``equals`` are of the columns of plan_assignments.
        """
        assignments, deals = tables.plan_assignments, tables.opportunities
        return self._read(
            select(*deals.c, assignments.c.market_id, assignments.c.rep_id)
            .select_from(deals)
            .join(assignments, assignments.c.prospect_id == deals.c.prospect_id)
            .where(
                assignments.c.plan_id == plan_id,
                within(assignments.c.rep_id, reach),
                *rows.equal(assignments, equals),
            )
            .order_by(deals.c.opportunity_id)
        )

    def amounts_by_stage(self, plan_id: str, reach: Reach, key: str) -> pd.DataFrame:
        """Sum the opportunities of a plan's prospects by a column of plan_assignments and stage.

        Gives ``key``, stage, outcome and amount_usd.
        """
        assignments, deals = tables.plan_assignments, tables.opportunities
        by = (assignments.c[key], deals.c.stage, deals.c.outcome)
        return self._read(
            select(*by, func.sum(deals.c.amount_usd).label("amount_usd"))
            .select_from(deals)
            .join(assignments, assignments.c.prospect_id == deals.c.prospect_id)
            .where(assignments.c.plan_id == plan_id, within(assignments.c.rep_id, reach))
            .group_by(*by)
        )

    def parent_id(self, plan_id: str, reach: Reach, *, prospect_id: str) -> str | None:
        """Read what a prospect within reach names as its parent; None where it names none."""
        assignments, now = tables.plan_assignments, tables.prospects
        query = (
            select(now.c.parent_id)
            .join(assignments, assignments.c.prospect_id == now.c.prospect_id)
            .where(
                assignments.c.plan_id == plan_id,
                assignments.c.prospect_id == prospect_id,
                within(assignments.c.rep_id, reach),
            )
        )
        parent_id: str | None = self._connection.execute(query).scalar_one_or_none()
        return parent_id

    def deals(self, plan_id: str, reach: Reach, **equals: str | None) -> pd.DataFrame:
        """Read ``profile.DEAL_COLUMNS`` of the opportunities of a plan's prospects, in no order."""
        assignments, deals = tables.plan_assignments, tables.opportunities
        return self._read(
            select(
                deals.c.prospect_id, assignments.c.rep_id, deals.c.stage, deals.c.outcome,
                deals.c.amount_usd, deals.c.close_on,
            )
            .select_from(deals)
            .join(assignments, assignments.c.prospect_id == deals.c.prospect_id)
            .where(
                assignments.c.plan_id == plan_id, within(assignments.c.rep_id, reach),
                *rows.equal(assignments, equals),
            )
        )  # fmt: skip

    def counted(self, plan_id: str, reach: Reach) -> pd.DataFrame:
        """Count the prospects of a plan that are alike in all that ``plans.count`` looks at."""
        assignments = tables.plan_assignments
        columns = [assignments.c[name] for name in _COUNTED]
        return self._read(
            select(*columns, func.count().label("number"))
            .where(assignments.c.plan_id == plan_id, within(assignments.c.rep_id, reach))
            .group_by(*columns)
        )

    def part(self, plan_id: str, part: str, reach: Reach) -> pd.DataFrame:
        """Read the territories or reps of a plan without its plan_id, by id."""
        table = _PARTS_OF_REPS[part]
        key = [column for column in table.primary_key if column.name != "plan_id"]
        return self._read(
            select(*(column for column in table.c if column.name != "plan_id"))
            .where(table.c.plan_id == plan_id, within(table.c.rep_id, reach))
            .order_by(*key)
        )

    def markets(self, plan_id: str, reach: Reach, **equals: str | None) -> pd.DataFrame:
        """Read the markets of a plan in which a rep within reach has a territory or a prospect.

        Their counts are those of the plan, whatever the reach.
        """
        table = tables.plan_markets
        mine = [
            table.c.market_id.in_(
                select(other.c.market_id).where(
                    other.c.plan_id == plan_id, within(other.c.rep_id, reach)
                )
            )
            for other in (tables.plan_territories, tables.plan_assignments)
        ]
        return self._read(
            select(*(column for column in table.c if column.name != "plan_id"))
            .where(
                table.c.plan_id == plan_id,
                true() if reach.is_all else or_(*mine),
                *rows.equal(table, equals),
            )
            .order_by(table.c.market_id)
        )

    def findings(self, plan_id: str, reach: Reach, **equals: str | None) -> pd.DataFrame:
        """Read the findings of a plan about prospects, territories and reps within reach.

        What is wrong with an office or a market is told to those who reach everything: it speaks of
        everybody's prospects.
        """
        table = tables.plan_findings
        return self._read(
            select(*(column for column in table.c if column.name != "plan_id"))
            .where(self._about(plan_id, reach), *rows.equal(table, equals))
            .order_by(table.c.code, table.c.subject_kind, table.c.subject_id)
        )

    def findings_by_market(self, plan_id: str, reach: Reach) -> pd.DataFrame:
        """Count what ``findings`` gives by market_id, as ``number``; null is a row of its own.

        ``open`` of them must be solved or are worth a look (``findings.OPEN``).
        """
        market, severity = tables.plan_findings.c.market_id, tables.plan_findings.c.severity
        is_open = case((severity.in_(OPEN), 1), else_=0)
        return self._read(
            select(market, func.count().label("number"), func.sum(is_open).label("open"))
            .where(self._about(plan_id, reach))
            .group_by(market)
        )

    def _about(self, plan_id: str, reach: Reach) -> ColumnElement[bool]:
        """Condition that a finding of a plan is about what is within reach."""
        table = tables.plan_findings
        mine = [
            and_(
                table.c.subject_kind == kind,
                table.c.subject_id.in_(
                    select(owned.c[f"{kind}_id"]).where(
                        owned.c.plan_id == plan_id, within(owned.c.rep_id, reach)
                    )
                ),
            )
            for kind, owned in (
                ("prospect", tables.plan_assignments),
                ("territory", tables.plan_territories),
                ("rep", tables.plan_reps),
            )
        ]
        return and_(table.c.plan_id == plan_id, true() if reach.is_all else or_(*mine))

    def on_file(
        self, kind: str, plan_id: str | None, reach: Reach, **equals: str | None
    ) -> pd.DataFrame:
        """Read a table of ``KINDS`` that belongs to prospects or to reps.

        Whoever reaches everything has it as it was imported; others have of territories and named
        accounts what the plan says.
        """
        table = tables.KINDS[kind].table
        if not reach.is_all:
            table = tables.metadata.tables.get(f"plan_{kind}", table)
        columns = [column for column in table.c if column.name != "plan_id"]
        query: Select[Any] = select(*columns).where(*rows.equal(table, equals))
        if not reach.is_all:
            query = query.where(self._owned(table, plan_id, reach))
        return self._read(query.order_by(*table.primary_key))

    def _owned(self, table: Any, plan_id: str | None, reach: Reach) -> ColumnElement[bool]:
        assignments = tables.plan_assignments
        whose = (
            within(table.c.rep_id, reach)
            if "rep_id" in table.c
            else table.c.prospect_id.in_(
                select(assignments.c.prospect_id).where(
                    assignments.c.plan_id == plan_id, within(assignments.c.rep_id, reach)
                )
            )
        )
        return and_(whose, table.c.plan_id == plan_id) if "plan_id" in table.c else whose

    def _read(self, query: Select[Any]) -> pd.DataFrame:
        return rows.read(self._connection, query)
