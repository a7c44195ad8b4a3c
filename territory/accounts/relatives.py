"""The family of a prospect: its ultimate parent and all that belongs to it, with sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.accounts.hierarchy import SUMMED, families, family_findings
from territory.errors import NotFoundError

if TYPE_CHECKING:
    from territory.store import Store

_READ = ("prospect_id", "name", "city", "state", "status", "parent_id", *SUMMED)

_SAID = ["code", "subject_id", "message", "remedy"]


@dataclass(frozen=True)
class Family:
    """A family of companies.

    ``members``: prospect_id, name, city, state, status, parent_id, depth, children, employees,
    revenue_usd, by depth and id; the first is the ultimate parent. ``employees`` and
    ``revenue_usd`` add up what is known of all of them (None: nothing is known). ``findings`` are
    the members' parents that are not on file, and rings.
    """

    ultimate_parent_id: str
    members: pd.DataFrame
    employees: float | None
    revenue_usd: float | None
    findings: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The family in one line."""
        sums = [
            f"{prefix}{value:,.0f}{suffix}"
            for prefix, value, suffix in (
                ("", self.employees, " employees"),
                ("$", self.revenue_usd, " revenue"),
            )
            if value is not None
        ]
        totals = f": {', '.join(sums)} known" if sums else ""
        head = self.members["name"].iloc[0]
        return f"{head} ({self.ultimate_parent_id}) is a family of {len(self.members):,}{totals}."

    def as_json(self) -> dict[str, Any]:
        """The family for a program to read."""
        whole = self.members.astype(object)
        return {
            "ultimate_parent_id": self.ultimate_parent_id,
            "employees": self.employees,
            "revenue_usd": self.revenue_usd,
            "members": whole.where(whole.notna(), None).to_dict("records"),
            "findings": self.findings[_SAID].to_dict("records"),
        }


def family(store: Store, prospect_id: str) -> Family:
    """Look up the family that a prospect belongs to.

    Raises
    ------
    NotFoundError
        If there is no such prospect.
    """
    with store.read() as transaction:
        rows = transaction.table("prospects", _READ)
    totals = families(rows)
    whole = rows.drop(columns="parent_id").merge(totals, on="prospect_id")
    own = whole.loc[whole["prospect_id"] == prospect_id, "ultimate_parent_id"]
    if own.empty:
        raise NotFoundError(
            f"No prospect {prospect_id!r}. `territory export prospects FILE` lists those there are."
        )
    root = str(own.iloc[0])
    members = whole[whole["ultimate_parent_id"] == root]
    members = members.sort_values(["depth", "prospect_id"], ignore_index=True)
    findings = family_findings(rows[rows["prospect_id"].isin(members["prospect_id"])])
    sums = {name: members[f"family_{name}"].iloc[0] for name in SUMMED}
    amounts = {name: None if pd.isna(value) else float(value) for name, value in sums.items()}
    columns = [*_READ, "depth", "children"]
    return Family(
        ultimate_parent_id=root,
        members=members[columns],
        employees=amounts["employees"],
        revenue_usd=amounts["revenue_usd"],
        findings=findings,
    )
