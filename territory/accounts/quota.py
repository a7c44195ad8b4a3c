"""What one account's open pipeline would do to the quota of its rep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from territory.accounts.opportunities import pipeline, yearly_quotas
from territory.plans import PlanLedger, ReadingLedger

if TYPE_CHECKING:
    from territory.access import Scope
    from territory.store import Store


@dataclass(frozen=True)
class QuotaEffect:
    """Dollars: ``open_usd`` of one account, ``quota_usd`` and ``won_usd`` of its rep in ``year``.

    Won are the opportunities of all the rep's accounts in the plan whose stage says "closed won"
    and that close in that year.
    """

    year: str
    rep_name: str
    open_usd: float
    quota_usd: float
    won_usd: float

    @property
    def missing_usd(self) -> float:
        """What is still to be won; 0 once the quota is reached."""
        return max(self.quota_usd - self.won_usd, 0.0)


def quota_effect(store: Store, prospect_id: str, *, scope: Scope) -> QuotaEffect | None:
    """Set the open pipeline of an account against its rep's quota for the year of the plan.

    None where the money is out of reach, nobody works the account, or its rep has no quota.
    """
    with store.read() as transaction:
        plan, reading = PlanLedger(transaction).plan_in_force(), ReadingLedger(transaction)
        if plan is None:
            return None
        rows = reading.prospects(plan.plan_id, scope.money, prospect_id=prospect_id)
        rep_id = rows["rep_id"].iloc[0] if len(rows) else None
        if rep_id is None:
            return None
        year = plan.effective_from[:4]
        quotas = reading.on_file("quotas", plan.plan_id, scope.money, rep_id=rep_id)
        quota_usd = yearly_quotas(quotas, year).get(rep_id, 0.0)
        if not quota_usd > 0:
            return None
        deals = reading.opportunities(plan.plan_id, scope.money, prospect_id=prospect_id)
        return QuotaEffect(
            year=year,
            rep_name=str(rows["rep_name"].iloc[0] or rep_id),
            open_usd=float(pipeline(deals)["pipeline_usd"].sum()),
            quota_usd=float(quota_usd),
            won_usd=reading.won_usd(plan.plan_id, scope.money, rep_id, year),
        )
