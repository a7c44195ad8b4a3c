"""The profile of a market: how big it is, who is headquartered there, how far it is worked.

Everything is a sum or a list over rows that a scope let through: ``profile`` is told whose accounts
may be read and whose money may be seen, and says beside each figure how many rows it is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.access import NOTHING
from territory.accounts import bounds_of, open_deals, period_quotas, periods_of
from territory.policy import SEGMENTS
from territory.schemas import STATUSES

if TYPE_CHECKING:
    from territory.access import Reach
    from territory.markets import MarketSize

TOP = 10
_STEPS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
# Lower bounds, by employees; above the last there is no bound.
SIZES = ("1 to 49", "50 to 249", "250 to 999", "1,000 to 9,999", "10,000 or more")
_SIZE_BOUNDS = (50.0, 250.0, 1_000.0, 10_000.0)
UNKNOWN = "unknown"
FEW = "fewer than 5 each"  # industries too rare to be named to who may count accounts only
_RARE = 5
PROSPECT_COLUMNS = ("status", "segment", "rep_id", "industry", "employees")
DEAL_COLUMNS = ("prospect_id", "rep_id", "stage", "amount_usd", "close_on")
GROUP_COLUMNS = ("group", "prospects", "customers", "share")


@dataclass(frozen=True)
class Concentration:
    """How much of something the largest accounts hold.

    ``accounts`` is how many hold any of it, of ``among`` in all; ``top`` how many the largest are
    (at most ``TOP``), ``top_share`` what they hold of ``total`` (0 to 1). ``hhi`` is the
    Herfindahl-Hirschman index, the sum of squared shares times 10,000: 10,000 is one account alone,
    10,000 / n is n equal ones. ``steps`` pairs numbers of accounts, the largest first, with the
    share that so many hold together.
    """

    accounts: int
    among: int
    total: float
    top: int
    top_share: float
    hhi: float
    steps: tuple[tuple[int, float], ...]

    @property
    def equal_accounts(self) -> float:
        """How many accounts of equal size would be as concentrated."""
        return 10_000 / self.hhi


@dataclass(frozen=True)
class Money:
    """Open pipeline against quota, of the reps whose money may be seen.

    ``pipeline_usd`` is all that is open, ``overdue_usd`` of it was to close before ``day``,
    ``undated_usd`` has no day to close. ``periods``: kind ("month", "quarter", "year"), period,
    quota_usd, due_usd (open and to close within the period), coverage (due_usd / quota_usd),
    pipeline_coverage (pipeline_usd / quota_usd; NaN without quota), reps_with_quota, derived (of
    those, whose quota of the period was made of other periods').
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


@dataclass(frozen=True)
class Profile:
    """One market in figures.

    ``prospects`` are those that count, ``readable`` those of them whose rows may be read,
    ``in_money`` those whose pipeline may be seen. ``by_status``, ``by_segment``, ``by_size`` and
    ``by_industry`` have ``GROUP_COLUMNS``: the group, its prospects, its customers, and its share
    of all prospects (0 to 1); statuses, segments and sizes in their order and with zeros,
    industries most first, not known (``UNKNOWN``) last. Each adds up to ``prospects``. An industry
    with fewer than five prospects, none of them readable, is in ``FEW``: its name could be one
    account's.

    Of readable accounts: ``employees`` in all of the ``with_employees`` who tell them,
    ``top_accounts`` (prospect_id, name, status, segment, industry, rep_name, employees,
    pipeline_usd: NaN where not to be seen), most employees first, then by id, and
    ``employee_concentration``. ``whitespace`` counts those of ``in_money`` without an open
    opportunity. What may not be seen, or of which there is nothing, is None.
    """

    market_id: str
    name: str
    kind: str
    plan_name: str
    size: MarketSize
    prospects: int
    readable: int
    in_money: int
    customers: int
    by_status: pd.DataFrame
    by_segment: pd.DataFrame
    by_size: pd.DataFrame
    by_industry: pd.DataFrame
    with_employees: int
    employees: float
    top_accounts: pd.DataFrame
    employee_concentration: Concentration | None
    whitespace: int | None
    pipeline_concentration: Concentration | None
    money: Money | None

    @property
    def penetration(self) -> float | None:
        """Customers of all prospects, 0 to 1."""
        return self.customers / self.prospects if self.prospects else None

    def as_json(self) -> dict[str, Any]:
        """The profile for a program to read."""
        told: dict[str, Any] = {
            "market_id": self.market_id,
            "name": self.name,
            "kind": self.kind,
            "plan": self.plan_name,
            "size": self.size.as_json(),
            **{name: getattr(self, name) for name in _PLAIN},
            "penetration": self.penetration,
        }
        for name in ("by_status", "by_segment", "by_size", "by_industry", "top_accounts"):
            told[name] = _records(getattr(self, name))
        for name in ("employee_concentration", "pipeline_concentration"):
            found = getattr(self, name)
            told[name] = found and {**vars(found), "equal_accounts": found.equal_accounts}
        money = self.money
        told["money"] = money and {
            **vars(money),
            "periods": _records(money.periods),
            "by_rep": _records(money.by_rep),
        }
        return told


_PLAIN = (
    "prospects", "readable", "in_money", "customers", "with_employees", "employees", "whitespace",
)  # fmt: skip


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


def profile(
    subject: Subject,
    size: MarketSize,
    prospects: pd.DataFrame,
    largest: pd.DataFrame,
    deals: pd.DataFrame,
    sellers: Sellers,
    *,
    accounts: Reach,
    money: Reach,
) -> Profile:
    """Sum up a market.

    Parameters
    ----------
    prospects
        ``PROSPECT_COLUMNS`` of every prospect that counts, one row each.
    largest
        prospect_id, name and ``PROSPECT_COLUMNS`` of the ``TOP`` largest that may be read, ordered.
    deals
        ``DEAL_COLUMNS`` of the opportunities whose money may be seen.
    accounts, money
        Whose rows may be read, and whose opportunities and quotas; the rest only counts.
    """
    readable = prospects[accounts.mask(prospects["rep_id"])]
    sees_money = money != NOTHING
    in_money = prospects[money.mask(prospects["rep_id"])]
    opened = deals[open_deals(deals)]
    open_usd = opened.groupby("prospect_id")["amount_usd"].sum()
    told = readable.dropna(subset="employees")
    return Profile(
        market_id=subject.market_id,
        name=subject.name,
        kind=subject.kind,
        plan_name=subject.plan_name,
        size=size,
        prospects=len(prospects),
        readable=len(readable),
        in_money=len(in_money),
        customers=int((prospects["status"] == "customer").sum()),
        by_status=_groups(prospects, prospects["status"], STATUSES),
        by_segment=_groups(prospects, prospects["segment"], SEGMENTS),
        by_size=_groups(prospects, _size_classes(prospects["employees"]), (*SIZES, UNKNOWN)),
        by_industry=_groups(prospects, _industries(prospects["industry"], readable["industry"])),
        with_employees=len(told),
        employees=float(told["employees"].sum()),
        top_accounts=_top(largest, open_usd, sellers.names, money),
        employee_concentration=concentration(told["employees"], len(readable)),
        whitespace=len(in_money) - len(open_usd) if sees_money else None,
        pipeline_concentration=concentration(open_usd, len(in_money)),
        money=_money(subject, in_money, opened, sellers) if sees_money else None,
    )


def concentration(amounts: pd.Series, among: int) -> Concentration | None:
    """Say how much the largest of some amounts hold; None where all is 0."""
    held = amounts[amounts > 0].to_numpy(float)
    total = float(held.sum())
    if not len(held):
        return None
    top = min(TOP, len(held))
    running = np.cumsum(np.sort(held)[::-1]) / total
    numbers = [number for number in _STEPS if number < len(held)] + [len(held)]
    return Concentration(
        accounts=len(held),
        among=among,
        total=total,
        top=top,
        top_share=float(running[top - 1]),
        hhi=float(((held / total) ** 2).sum()) * 10_000,
        steps=tuple((number, float(running[number - 1])) for number in numbers),
    )


def _size_classes(employees: pd.Series) -> pd.Series:
    """Sort head counts into ``SIZES``; not known, or nobody, is "unknown"."""
    count = employees.to_numpy(float)
    at = np.searchsorted(_SIZE_BOUNDS, count, side="right")  # NaN goes past the last
    known = count >= 1
    chosen = np.where(known, np.array(SIZES, dtype=object)[np.where(known, at, 0)], UNKNOWN)
    return pd.Series(chosen, index=employees.index, dtype=object)


def _industries(industry: pd.Series, readable: pd.Series) -> pd.Series:
    """Put the rare industries, of which nothing may be read, together."""
    if len(readable) == len(industry):
        return industry
    number = industry.value_counts()
    rare = number.index[number < _RARE].difference(pd.Index(readable.dropna()))
    return industry.where(~industry.isin(rare), FEW)


def _groups(
    prospects: pd.DataFrame, group: pd.Series, order: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """Count the prospects and customers of each group, as ``GROUP_COLUMNS``."""
    is_customer = (prospects["status"] == "customer").to_numpy()
    code, labels = pd.factorize(group.fillna(UNKNOWN), sort=True)
    held = np.bincount(code, minlength=len(labels))
    customers = np.bincount(code[is_customer], minlength=len(labels))
    found = pd.DataFrame(
        {"prospects": held, "customers": customers}, index=pd.Index(labels, dtype=object)
    )
    if order is not None:
        found = found.reindex(list(order), fill_value=0)
    else:
        is_rest = found.index.isin([UNKNOWN, FEW])
        along = np.lexsort((np.arange(len(found)), -held, is_rest))
        found = found.iloc[along]
    found["share"] = found["prospects"] / max(len(prospects), 1)
    return found.rename_axis("group").reset_index()


def _top(
    largest: pd.DataFrame, open_usd: pd.Series, names: pd.Series, money: Reach
) -> pd.DataFrame:
    """Add the open pipeline, where it may be seen, and the rep."""
    pipeline_usd = largest["prospect_id"].map(open_usd).astype(float).fillna(0.0)
    found = largest.assign(
        pipeline_usd=pipeline_usd.where(money.mask(largest["rep_id"])),
        rep_name=_names(largest["rep_id"], names),
    )
    columns = [
        "prospect_id", "name", "status", "segment", "industry", "rep_name", "employees",
        "pipeline_usd",
    ]  # fmt: skip
    return found[columns]


def _money(
    subject: Subject, in_money: pd.DataFrame, deals: pd.DataFrame, sellers: Sellers
) -> Money:
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
                "coverage": sums[1] / sums[0] if sums[0] else np.nan,
                "pipeline_coverage": deals["amount_usd"].sum() / sums[0] if sums[0] else np.nan,
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


def _sum(deals: pd.DataFrame, chosen: pd.Series) -> float:
    return float(deals.loc[chosen, "amount_usd"].sum())


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
            "rep_name": _names(ids, sellers.names),
            "quota_share": ids.map(share).astype(float).where(ids.isin(here), 0.0),
            "accounts": _reindexed(accounts, ids).astype(int),
            "deals": _reindexed(deals["rep_id"].value_counts(dropna=False), ids).astype(int),
            "pipeline_usd": _by(deals, ids),
        }
    )
    return frame.sort_values(["pipeline_usd", "rep_id"], ascending=[False, True], ignore_index=True)


def _names(rep_ids: pd.Series, names: pd.Series) -> pd.Series:
    """Name each rep; None for nobody and for who has no name here."""
    named = rep_ids.map(names).astype(object)
    return named.where(named.notna(), None)


def _by(deals: pd.DataFrame, ids: pd.Series) -> pd.Series:
    """Sum the amounts of each rep, nobody's included."""
    return _reindexed(deals.groupby("rep_id", dropna=False)["amount_usd"].sum(), ids)


def _reindexed(by_rep: pd.Series, ids: pd.Series) -> pd.Series:
    """Look up each id, null too; 0 where there is none."""
    key = by_rep.index.to_series().fillna("").astype(object)
    found = pd.Series(by_rep.to_numpy(float), index=key.to_numpy())
    return ids.fillna("").map(found).astype(float).fillna(0.0)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    whole = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in whole.to_dict("records")]
