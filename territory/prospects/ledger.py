"""Snapshot ledger: the columns that a snapshot of the plan in force is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from territory.prospects.fields import FIELDS, Field
from territory.store import rows, tables

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import ColumnElement

    from territory.store import Transaction

_TABLES = {"plan": tables.plan_assignments, "company": tables.prospects}
_IN_SNAPSHOT = tuple(one for one in FIELDS if one.source in _TABLES and one.kind != "detail")


def column_of(field: Field) -> ColumnElement[Any]:
    """Give the column that holds a field of the plan or the company; of a flag, whether it does."""
    column = _TABLES[field.source].c[field.source_column]
    return column.is_not(None).label(field.column) if field.kind == "flag" else column


class SnapshotLedger:
    """Reads the columns of ``fields.SNAPSHOT_COLUMNS`` in bulk."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def prospects(self, plan_id: str) -> pd.DataFrame:
        """Read the prospects of a plan: decided facts, and the company as it is now."""
        assignments, companies = _TABLES.values()
        query = (
            select(*map(column_of, _IN_SNAPSHOT))
            .select_from(assignments)
            .outerjoin(companies, companies.c.prospect_id == assignments.c.prospect_id)
            .where(assignments.c.plan_id == plan_id)
        )
        return rows.read(self._connection, query)

    def with_rows(self, source: str, plan_id: str) -> pd.Series:
        """List the prospects that have contacts, sites beside the headquarters, or findings."""
        findings = tables.plan_findings
        query = {
            "contacts": select(tables.contacts.c.prospect_id),
            "sites": select(tables.sites.c.prospect_id),
            "findings": select(findings.c.subject_id.label("prospect_id")).where(
                findings.c.plan_id == plan_id, findings.c.subject_kind == "prospect"
            ),
        }[source]
        return rows.read(self._connection, query.distinct())["prospect_id"]
