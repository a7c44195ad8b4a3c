"""The frames that ``views`` gives, made of one transaction, the plan in force and a scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.access import EVERYTHING, NAME_COLUMNS, NOTHING
from territory.accounts import YearQuotas, open_amounts, pipeline, year_quotas, yearly_quotas
from territory.plans import PlanLedger, ReadingLedger, count, totals, without_rivals
from territory.prospects import fields
from territory.schemas import COUNTS
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    import pandas as pd

    from territory.access import Reach, Scope
    from territory.plans import PlanInfo
    from territory.store import Transaction

PROSPECT_COLUMNS = fields.EXPORTED_COLUMNS
NUMBERS = tuple(
    name for name in PROSPECT_COLUMNS if fields.BY_COLUMN[name].kind in {"number", "degrees"}
)
SUMMARY_COLUMNS = (
    "market_id", "name", "kind", "units", "prospects", "enterprise", "mid_market", "customers",
    "within_radius", "too_close", "unassigned", "findings", "open_findings", "reps",
    "pipeline_usd", "quota_usd",
)  # fmt: skip
OFFICE_COLUMNS = (
    "office_id", "name", "street", "city", "state", "postal_code", "country", "lat", "lon",
    "opened_on", "closed_on", "prospects", "within_radius",
)  # fmt: skip
REP_COLUMNS = (
    "rep_id", "name", "email", "base_office_id", "base_office_name", "territories", "markets",
    "segments", "prospects", "customers", "pipeline_usd", "quota_usd",
)  # fmt: skip
FINDING_COLUMNS = (
    "code", "severity", "subject_kind", "subject_id", "message", "remedy", "market_id",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What a scope lets be seen of a plan. Its counts are of what ``scope.counted`` reaches."""

    transaction: Transaction
    plan: PlanInfo
    scope: Scope

    @property
    def _reading(self) -> ReadingLedger:
        return ReadingLedger(self.transaction)

    def totals(self) -> dict[str, int]:
        """Count the prospects and findings in reach; of everything the plan has kept the counts."""
        findings = self._findings_by_market(self.scope.counted)
        is_open = {"open_findings": int(findings["open"].sum())}
        if self.scope.counted.is_all:
            return {str(name): int(number) for name, number in self.plan.counts.items()} | is_open
        counted = self._reading.counted(self.plan.plan_id, self.scope.counted)
        return totals(counted, int(findings["number"].sum())) | is_open

    def money(self) -> tuple[float | None, float | None]:
        """Sum pipeline and quotas in reach, in dollars; None where none of it may be seen."""
        if self.scope.money == NOTHING:
            return None, None
        counted = self.quotas().counted
        return float(self._pipeline_by("rep_id").sum()), float(counted.sum())

    def prospects(self, **equals: str | tuple[str, ...] | None) -> pd.DataFrame:
        """Give the prospects in reach, by id; ``equals`` as in ``rows.equal``."""
        rows = self._reading.prospects(self.plan.plan_id, self.scope.accounts, **equals)
        deals = self._reading.opportunities(self.plan.plan_id, self.scope.money, **equals)
        owned = self._territories().drop_duplicates("territory_id").set_index("territory_id")
        whole = rows.merge(pipeline(deals), how="left", on="prospect_id").assign(
            uncertainty_mi=rows["uncertainty_m"] / METRES_PER_MILE,
            distance_mi=rows["distance_m"] / METRES_PER_MILE,
            territory_name=rows["territory_id"].map(owned["name"]),
        )
        if not self.scope.accounts.is_all:
            whole["reason"] = without_rivals(whole["reason"])
        is_seen = self.scope.money.mask(whole["rep_id"])
        whole["pipeline_usd"] = whole["pipeline_usd"].fillna(0.0).where(is_seen)
        texts = ["stage", "last_activity_on", "territory_name"]
        whole[texts] = whole[texts].astype(object).where(whole[texts].notna(), None)
        return whole[list(PROSPECT_COLUMNS)]

    def names_beyond(self, **equals: str | None) -> pd.DataFrame:
        """Give the prospects out of reach whose names may be seen, all else blank, by id."""
        reach = self.scope.accounts if self.scope.names_beyond else EVERYTHING
        names = self._reading.names_beyond(self.plan.plan_id, reach, **equals)
        blank: dict[str, Any] = {
            name: np.nan if name in NUMBERS else None for name in PROSPECT_COLUMNS
        }
        whole = names.assign(**{name: blank[name] for name in blank if name not in NAME_COLUMNS})
        return whole[list(PROSPECT_COLUMNS)].astype(
            {name: float if name in NUMBERS else object for name in PROSPECT_COLUMNS}
        )

    def summaries(self) -> pd.DataFrame:
        """Sum up each market."""
        reach = self.scope.counted
        whole = self._recounted(self._reading.markets(self.plan.plan_id, reach), "market_id")
        findings = self._findings_by_market(reach).reindex(whole["market_id"], fill_value=0)
        whole["open_findings"] = findings["open"].to_numpy(int)
        if not reach.is_all:
            whole["findings"] = findings["number"].to_numpy(int)
        owners = self._reading.part(self.plan.plan_id, "territories", reach)
        owners = owners.dropna(subset="rep_id").drop_duplicates(["rep_id", "market_id"])
        quota = self.quotas().counted / owners.groupby("rep_id").size()
        owners["quota_usd"] = owners["rep_id"].map(quota).fillna(0.0)
        by_market = {
            "reps": owners.groupby("market_id").size(),
            "pipeline_usd": self._pipeline_by("market_id"),
            "quota_usd": owners.groupby("market_id")["quota_usd"].sum(),
        }
        for name, amounts in by_market.items():
            whole[name] = whole["market_id"].map(amounts).astype(float).fillna(0.0)
        if self.scope.money == NOTHING:
            whole[["pipeline_usd", "quota_usd"]] = np.nan
        ordered = whole.astype({"reps": int}).sort_values(
            ["prospects", "market_id"], ascending=[False, True]
        )
        return ordered[list(SUMMARY_COLUMNS)].reset_index(drop=True)

    def offices(self) -> pd.DataFrame:
        """Give every office with the prospects in reach that it is nearest to."""
        whole = PlanLedger(self.transaction).plan_part(self.plan.plan_id, "offices")
        return self._recounted(whole, "nearest_office_id")[list(OFFICE_COLUMNS)]

    def reps(self) -> pd.DataFrame:
        """Give the reps in reach."""
        whole = self._reading.part(self.plan.plan_id, "reps", self.scope.accounts)
        offices = (
            PlanLedger(self.transaction)
            .plan_part(self.plan.plan_id, "offices")
            .set_index("office_id")
        )
        whole["base_office_name"] = whole["base_office_id"].map(offices["name"])
        owned = self._territories().groupby("rep_id")
        lists = {"territories": "territory_id", "markets": "market_id", "segments": "segment"}
        for name, column in lists.items():
            joined = owned[column].agg(lambda ids: "|".join(sorted(set(ids))))
            whole[name] = whole["rep_id"].map(joined)
        is_seen = self.scope.money.mask(whole["rep_id"])
        for name, sums in (
            ("pipeline_usd", self._pipeline_by("rep_id")),
            ("quota_usd", self._own_quotas()),
        ):
            amounts = whole["rep_id"].map(sums).astype(float)
            whole[name] = amounts.fillna(0.0).where(is_seen)
        texts = ["base_office_name", *lists]
        whole[texts] = whole[texts].astype(object).where(whole[texts].notna(), None)
        return whole[list(REP_COLUMNS)]

    def findings(self, **equals: str | None) -> pd.DataFrame:
        """Give the findings about what is in reach."""
        return self._reading.findings(self.plan.plan_id, self.scope.accounts, **equals)

    def findings_in(self, market_id: str) -> int:
        """Count the open findings of a market about what is in reach."""
        return int(self._findings_by_market(self.scope.accounts)["open"].get(market_id, 0))

    def _findings_by_market(self, reach: Reach) -> pd.DataFrame:
        counted = self._reading.findings_by_market(self.plan.plan_id, reach)
        return counted.set_index("market_id").astype(int)

    def _territories(self) -> pd.DataFrame:
        return self._reading.part(self.plan.plan_id, "territories", self.scope.accounts)

    def _recounted(self, part: pd.DataFrame, by: str) -> pd.DataFrame:
        """Count anew what markets or offices hold in reach; ``by`` is their key in assignments."""
        if self.scope.counted.is_all:
            return part
        rows = self._reading.counted(self.plan.plan_id, self.scope.counted)
        counts = count(rows, by).dropna(subset=by).set_index(by)
        numbers = counts.reindex(part[part.columns[0]], fill_value=0)
        return part.assign(**{name: numbers[name].to_numpy(int) for name in COUNTS})

    def _pipeline_by(self, key: str) -> pd.Series:
        """Sum the open opportunities of the prospects of each market or rep, and of none."""
        return open_amounts(
            self._reading.amounts_by_stage(self.plan.plan_id, self.scope.money, key), key
        )

    def quotas(self) -> YearQuotas:
        """Give the quotas in reach for the year of the plan, told apart."""
        quotas = self._reading.on_file("quotas", self.plan.plan_id, self.scope.money)
        reps, territories = (
            self._reading.part(self.plan.plan_id, part, EVERYTHING)
            for part in ("reps", "territories")
        )
        return year_quotas(quotas, reps, territories, self.plan.effective_from[:4])

    def _own_quotas(self) -> pd.Series:
        """Give the quota of each rep in reach for the year of the plan, with a territory or not."""
        quotas = self._reading.on_file("quotas", self.plan.plan_id, self.scope.money)
        return yearly_quotas(quotas, self.plan.effective_from[:4])
