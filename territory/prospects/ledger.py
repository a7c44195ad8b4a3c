"""Snapshot ledger: the columns that a snapshot of the plan in force is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from territory.store import rows, tables

if TYPE_CHECKING:
    import pandas as pd

    from territory.store import Transaction

_DECIDED = (
    "prospect_id", "name", "status", "segment", "market_id", "territory_id", "rep_id",
    "nearest_office_id", "verdict", "lon", "lat", "precision", "uncertainty_m", "distance_m",
)  # fmt: skip
_COMPANY = ("industry", "city", "state", "employees", "revenue_usd", "placement")


class SnapshotLedger:
    """Reads the columns of ``prospects.snapshot`` in bulk."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def prospects(self, plan_id: str) -> pd.DataFrame:
        """Read the prospects of a plan: decided facts, and the company as it is now."""
        assignments, now = tables.plan_assignments, tables.prospects
        query = (
            select(*(assignments.c[name] for name in _DECIDED), *(now.c[name] for name in _COMPANY))
            .select_from(assignments)
            .outerjoin(now, now.c.prospect_id == assignments.c.prospect_id)
            .where(assignments.c.plan_id == plan_id)
        )
        return rows.read(self._connection, query)

    def with_contacts(self) -> pd.DataFrame:
        """List the prospects that have a contact."""
        return self._ids(select(tables.contacts.c.prospect_id).distinct())

    def with_sites(self) -> pd.DataFrame:
        """List the prospects that have a site beside the headquarters."""
        return self._ids(select(tables.sites.c.prospect_id).distinct())

    def with_findings(self, plan_id: str) -> pd.DataFrame:
        """List the prospects that a finding of the plan is about."""
        findings = tables.plan_findings
        subject = findings.c.subject_id.label("prospect_id")
        return self._ids(
            select(subject)
            .where(findings.c.plan_id == plan_id, findings.c.subject_kind == "prospect")
            .distinct()
        )

    def _ids(self, query: object) -> pd.DataFrame:
        return rows.read(self._connection, query)  # type: ignore[arg-type]
