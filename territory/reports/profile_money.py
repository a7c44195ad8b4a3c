"""Pipeline against quota in a market: what is open, due when, and whose quota it fills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from territory.accounts import bounds_of, coverage, period_quotas, periods_of


@dataclass(frozen=True)
class Money:
    """Open pipeline against quota, of the reps whose money may be seen.

    ``pipeline_usd`` is all that is open, ``overdue_usd`` of it was to close before ``day``,
    ``undated_usd`` has no day to close. ``periods``: kind ("month", "quarter", "year"), period,
    quota_usd, due_usd (open and to close within the period), due_share (due_usd / quota_usd; NaN
    without quota), reps_with_quota, derived (of those, whose quota of the period was made of other
    periods'). ``coverage`` is ``accounts.coverage`` of all that is open and the year's quota.
    ``by_rep``: rep_id, rep_name (both null: accounts of nobody), quota_share (the part of the
    rep's quota that counts in this market: 1 / number of the rep's markets, 0 without a territory
    here), accounts, deals, pipeline_usd, and for each kind of period quota_<kind>_usd and
    due_<kind>_usd; most pipeline first. The columns add up to the sums.
    """

    day: str
    pipeline_usd: float
    deals: int
    accounts: int
    overdue_usd: float
    undated_usd: float
    periods: pd.DataFrame
    by_rep: pd.DataFrame

    @property
    def coverage(self) -> float | None:
        """Open pipeline by the quota of the year; None without one."""
        of_year = self.periods["kind"] == "year"
        return coverage(self.pipeline_usd, float(self.periods.loc[of_year, "quota_usd"].sum()))


@dataclass(frozen=True)
class Sellers:
    """Who sells in a market, and for how much.

    ``territories``: rep_id, market_id of every territory of the reps within reach, in all markets.
    ``names``: rep_name by rep_id. ``quotas``: ``schemas.QUOTAS``.
    """

    territories: pd.DataFrame
    names: pd.Series
    quotas: pd.DataFrame


@dataclass(frozen=True)
class Subject:
    """Which market a profile is of, in which plan, and as of which day (ISO)."""

    market_id: str
    name: str
    kind: str
    plan_name: str
    day: str


def money_of(
    subject: Subject, in_money: pd.DataFrame, deals: pd.DataFrame, sellers: Sellers
) -> Money:
    """Set the open pipeline of a market against the quotas of its reps, period by period.

    Parameters
    ----------
    in_money
        rep_id of the prospects whose pipeline may be seen.
    deals
        Open opportunities: prospect_id, rep_id, amount_usd, close_on.
    """
    by_rep = _by_rep(subject.market_id, in_money, deals, sellers)
    periods = []
    close_on = deals["close_on"].fillna("")
    for kind, period in periods_of(subject.day).items():
        first, after = bounds_of(period)
        quotas = period_quotas(sellers.quotas, period).reindex(by_rep["rep_id"])
        counts = quotas["quota_usd"].notna().to_numpy() & (by_rep["quota_share"] > 0).to_numpy()
        quota = (quotas["quota_usd"].to_numpy(float) * by_rep["quota_share"]).where(counts, 0.0)
        by_rep[f"quota_{kind}_usd"] = quota.astype(float)
        due = deals[(close_on >= first) & (close_on < after)]
        by_rep[f"due_{kind}_usd"] = _by(due, by_rep["rep_id"]).to_numpy()
        sums = float(quota.sum()), float(due["amount_usd"].sum())
        periods.append(
            {
                "kind": kind,
                "period": period,
                "quota_usd": sums[0],
                "due_usd": sums[1],
                "due_share": sums[1] / sums[0] if sums[0] else np.nan,
                "reps_with_quota": int(counts.sum()),
                "derived": int((counts & quotas["is_derived"].eq(True).to_numpy()).sum()),
            }
        )
    return Money(
        day=subject.day,
        pipeline_usd=float(deals["amount_usd"].sum()),
        deals=len(deals),
        accounts=deals["prospect_id"].nunique(),
        overdue_usd=float(
            deals.loc[close_on.between("0", subject.day, "left"), "amount_usd"].sum()
        ),
        undated_usd=float(deals.loc[close_on == "", "amount_usd"].sum()),
        periods=pd.DataFrame(periods),
        by_rep=by_rep,
    )


def _by_rep(
    market_id: str, in_money: pd.DataFrame, deals: pd.DataFrame, sellers: Sellers
) -> pd.DataFrame:
    """Give a row to each rep with a territory or an account here, and to nobody if needed."""
    owned = sellers.territories.dropna(subset="rep_id")
    markets = owned.drop_duplicates(["rep_id", "market_id"])
    share = 1 / markets.groupby("rep_id").size()
    here = markets.loc[markets["market_id"] == market_id, "rep_id"]
    ids = pd.Series(pd.concat([here, in_money["rep_id"]]).unique(), dtype=object)
    ids = ids.where(ids.notna(), None)
    accounts = in_money["rep_id"].value_counts(dropna=False)
    frame = pd.DataFrame(
        {
            "rep_id": ids,
            "rep_name": rep_names(ids, sellers.names),
            "quota_share": ids.map(share).astype(float).where(ids.isin(here), 0.0),
            "accounts": _reindexed(accounts, ids).astype(int),
            "deals": _reindexed(deals["rep_id"].value_counts(dropna=False), ids).astype(int),
            "pipeline_usd": _by(deals, ids),
        }
    )
    return frame.sort_values(["pipeline_usd", "rep_id"], ascending=[False, True], ignore_index=True)


def rep_names(rep_ids: pd.Series, names: pd.Series) -> pd.Series:
    """Name each rep; None for nobody and for who has no name here."""
    rep_names = rep_ids.map(names).astype(object)
    return rep_names.where(rep_names.notna(), None)


def _by(deals: pd.DataFrame, ids: pd.Series) -> pd.Series:
    """Sum the amounts of each rep, nobody's included."""
    return _reindexed(deals.groupby("rep_id", dropna=False)["amount_usd"].sum(), ids)


def _reindexed(by_rep: pd.Series, ids: pd.Series) -> pd.Series:
    """Look up each id, null too; 0 where there is none."""
    key = by_rep.index.to_series().fillna("").astype(object)
    sums = pd.Series(by_rep.to_numpy(float), index=key.to_numpy())
    return ids.fillna("").map(sums).astype(float).fillna(0.0)
