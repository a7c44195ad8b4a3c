"""Opportunities and quotas: what is open, what is won, and what it comes to for a rep or market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.accounts.outcomes import outcomes
from territory.cleaning import PERIOD
from territory.plans import PlanLedger, ReadingLedger

if TYPE_CHECKING:
    from territory.access import Scope
    from territory.store import Store


def open_deals(opportunities: pd.DataFrame) -> pd.Series:
    """Tell which opportunities are open, as ``outcomes`` decides."""
    return outcomes(opportunities) == "open"


def won_deals(opportunities: pd.DataFrame) -> pd.Series:
    """Tell which opportunities are won, as ``outcomes`` decides."""
    return outcomes(opportunities) == "won"


def pipeline(opportunities: pd.DataFrame) -> pd.DataFrame:
    """Sum each prospect's open opportunities and name the stage of its largest one.

    Open is what ``outcomes`` calls so. The newest activity counts closed ones
    too. On equal amounts the smallest ``opportunity_id`` names the stage.

    Returns
    -------
    pipeline
        prospect_id, stage (null: none open), pipeline_usd (0: none open), last_activity_on; one row
        per prospect that has an opportunity.
    """
    ordered = opportunities.sort_values(
        ["prospect_id", "amount_usd", "opportunity_id"], ascending=[True, False, True]
    )
    is_open = open_deals(ordered)
    staged = ordered[is_open].dropna(subset="stage")
    largest = staged.drop_duplicates("prospect_id").set_index("prospect_id")
    newest = ordered.sort_values("last_activity_on", kind="stable").dropna(
        subset="last_activity_on"
    )
    newest = newest.drop_duplicates("prospect_id", keep="last").set_index("prospect_id")
    whole = ordered[["prospect_id"]].drop_duplicates().reset_index(drop=True)
    prospect_ids = whole["prospect_id"]
    whole["stage"] = prospect_ids.map(largest["stage"]).astype(object)
    sums = ordered["amount_usd"].where(is_open).groupby(ordered["prospect_id"], sort=False).sum()
    whole["pipeline_usd"] = prospect_ids.map(sums).astype(float).fillna(0.0)
    whole["last_activity_on"] = prospect_ids.map(newest["last_activity_on"])
    texts = ["prospect_id", "stage", "last_activity_on"]
    whole[texts] = whole[texts].astype(object).where(whole[texts].notna(), None)
    return whole


def open_amounts(by_stage: pd.DataFrame, key: str) -> pd.Series:
    """Sum what is open of amounts that are summed by stage already.

    Parameters
    ----------
    by_stage
        ``key``, stage, outcome and amount_usd.

    Returns
    -------
    open_amounts
        amount_usd by ``key``; null is a group of its own.
    """
    is_open = by_stage[open_deals(by_stage)]
    return is_open.groupby(key, dropna=False)["amount_usd"].sum()


def yearly_quotas(quotas: pd.DataFrame, year: str) -> pd.Series:
    """Give each rep's quota for a year: the year's own, or else its quarters, or else its months.

    Returns
    -------
    quotas
        amount_usd by rep_id, for the reps that have any quota in that year.
    """
    of_year = _periodic(quotas)
    of_year = of_year[of_year["period"].str[:4] == year]
    # 0 for a year, 1 for a quarter, 2 for a month: the coarsest of a rep counts.
    is_part, is_month = of_year["period"].str.len() > 4, ~of_year["period"].str.contains("Q")
    grain = is_part.astype(int) + (is_part & is_month).astype(int)
    coarsest = of_year[grain == grain.groupby(of_year["rep_id"]).transform("min")]
    return coarsest.groupby("rep_id")["amount_usd"].sum()


def period_quotas(quotas: pd.DataFrame, period: str) -> pd.DataFrame:
    """Give each rep's quota for a year ("2026"), a quarter ("2026-Q4") or a month ("2026-11").

    A year is asked of ``yearly_quotas``. A quarter or month is the period's own quota; or else a
    quarter is the sum of its months; or else the even part of the next longer period that has one,
    a third of the quarter, a quarter or a twelfth of the year.

    Returns
    -------
    quotas
        quota_usd and is_derived (made of other periods' quotas), by rep_id, for the reps that
        have any.
    """
    year = period[:4]
    by_rep = _periodic(quotas).set_index("rep_id")
    own = by_rep.loc[by_rep["period"] == period, "amount_usd"]
    if period == year:
        whole = yearly_quotas(quotas, year)
        return pd.DataFrame({"quota_usd": whole, "is_derived": ~whole.index.isin(own.index)})
    in_year = by_rep.loc[by_rep["period"] == year, "amount_usd"]
    answers = [own]
    quarter = quarter_of(period)
    if period == quarter:
        months = by_rep.loc[by_rep["period"].isin(_months_of(quarter)), "amount_usd"]
        answers += [months.groupby(level=0).sum(), in_year / 4]
    else:
        longer = by_rep.loc[by_rep["period"] == quarter, "amount_usd"]
        answers += [longer / 3, in_year / 12]
    # The first answer of each rep counts: its own quota before one made of other periods.
    quotas_usd = pd.concat(answers)
    quotas_usd = quotas_usd[~quotas_usd.index.duplicated()].sort_index().rename("quota_usd")
    return pd.DataFrame({"quota_usd": quotas_usd, "is_derived": ~quotas_usd.index.isin(own.index)})


def periods_of(day: str) -> dict[str, str]:
    """Name the month, quarter and year that an ISO day lies in, as ``schemas.QUOTAS`` does."""
    return {"month": day[:7], "quarter": quarter_of(day[:7]), "year": day[:4]}


def quarter_of(period: str) -> str:
    """Name the quarter of a month ("2026-11"), or a quarter itself."""
    if "Q" in period:
        return period
    return f"{period[:4]}-Q{(int(period[5:7]) + 2) // 3}"


def bounds_of(period: str) -> tuple[str, str]:
    """Give the first day of a period and the first day after it, as ISO text."""
    first = pd.Period(period.replace("-Q", "Q"))
    return first.start_time.date().isoformat(), (first + 1).start_time.date().isoformat()


def _periodic(quotas: pd.DataFrame) -> pd.DataFrame:
    """Leave out quotas whose period is none ("2026-13"); ``year_quotas`` says which those are."""
    return quotas[quotas["period"].astype(str).str.fullmatch(PERIOD.pattern)]


def _months_of(quarter: str) -> list[str]:
    last = 3 * int(quarter[-1])
    return [f"{quarter[:4]}-{month:02}" for month in range(last - 2, last + 1)]


@dataclass(frozen=True)
class QuotaEffect:
    """Dollars: ``open_usd`` of one account, ``quota_usd`` and ``won_usd`` of its rep in ``year``.

    Won are the opportunities of all the rep's accounts in the plan that ``outcomes`` calls so and
    that close in that year.
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
        of_rep = reading.deals(plan.plan_id, scope.money, rep_id=rep_id)
        won = of_rep[won_deals(of_rep) & (of_rep["close_on"].str[:4] == year)]
        return QuotaEffect(
            year=year,
            rep_name=str(rows["rep_name"].iloc[0] or rep_id),
            open_usd=float(pipeline(deals)["pipeline_usd"].sum()),
            quota_usd=float(quota_usd),
            won_usd=float(won["amount_usd"].sum()),
        )
