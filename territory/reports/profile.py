"""Market profile: how big a market is, who is headquartered there, how far it is worked.

Everything is a sum or a list over rows that a scope let through: ``profile`` is told whose accounts
may be read and whose money may be seen, and says beside each figure how many rows it is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from territory import reference
from territory.access import NOTHING
from territory.accounts import open_deals
from territory.markets import market_size
from territory.plans import ReadingLedger
from territory.policy import SEGMENTS
from territory.reports import views
from territory.reports.profile_money import Money, Sellers, Subject, money_of, rep_names
from territory.schemas import STATUSES

if TYPE_CHECKING:
    from territory.access import Reach, Scope
    from territory.markets import MarketSize
    from territory.store import Store

TOP = 10
_STEPS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
# Lower bounds, by employees; above the last there is no bound.
SIZES = ("1 to 49", "50 to 249", "250 to 999", "1,000 to 9,999", "10,000 or more")
_SIZE_BOUNDS = (50.0, 250.0, 1_000.0, 10_000.0)
UNKNOWN = "unknown"
FEW = "fewer than 5 each"  # industries too rare to be named to who may count accounts only
_RARE = 5
PROSPECT_COLUMNS = ("status", "segment", "rep_id", "industry", "employees")
DEAL_COLUMNS = ("prospect_id", "rep_id", "stage", "outcome", "amount_usd", "close_on")
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
        document: dict[str, Any] = {
            "market_id": self.market_id,
            "name": self.name,
            "kind": self.kind,
            "plan": self.plan_name,
            "size": self.size.as_json(),
            **{name: getattr(self, name) for name in _PLAIN},
            "penetration": self.penetration,
        }
        for name in ("by_status", "by_segment", "by_size", "by_industry", "top_accounts"):
            document[name] = _records(getattr(self, name))
        for name in ("employee_concentration", "pipeline_concentration"):
            concentration = getattr(self, name)
            document[name] = concentration and {
                **vars(concentration),
                "equal_accounts": concentration.equal_accounts,
            }
        money = self.money
        document["money"] = money and {
            **vars(money),
            "periods": _records(money.periods),
            "by_rep": _records(money.by_rep),
        }
        return document


_PLAIN = (
    "prospects", "readable", "in_money", "customers", "with_employees", "employees", "whitespace",
)  # fmt: skip


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
    counted = readable.dropna(subset="employees")
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
        with_employees=len(counted),
        employees=float(counted["employees"].sum()),
        top_accounts=_top(largest, open_usd, sellers.names, money),
        employee_concentration=concentration(counted["employees"], len(readable)),
        whitespace=len(in_money) - len(open_usd) if sees_money else None,
        pipeline_concentration=concentration(open_usd, len(in_money)),
        money=money_of(subject, in_money, opened, sellers) if sees_money else None,
    )


def concentration(amounts: pd.Series, among: int) -> Concentration | None:
    """Say how much the largest of some amounts hold; None where all is 0."""
    shares = amounts[amounts > 0].to_numpy(float)
    total = float(shares.sum())
    if not len(shares):
        return None
    top = min(TOP, len(shares))
    running = np.cumsum(np.sort(shares)[::-1]) / total
    numbers = [number for number in _STEPS if number < len(shares)] + [len(shares)]
    return Concentration(
        accounts=len(shares),
        among=among,
        total=total,
        top=top,
        top_share=float(running[top - 1]),
        hhi=float(((shares / total) ** 2).sum()) * 10_000,
        steps=tuple((number, float(running[number - 1])) for number in numbers),
    )


def _size_classes(employees: pd.Series) -> pd.Series:
    """Sort head counts into ``SIZES``; not known, or nobody, is "unknown"."""
    count = employees.to_numpy(float)
    at = np.searchsorted(_SIZE_BOUNDS, count, side="right")  # NaN goes past the last
    is_known = count >= 1
    labels = np.where(is_known, np.array(SIZES, dtype=object)[np.where(is_known, at, 0)], UNKNOWN)
    return pd.Series(labels, index=employees.index, dtype=object)


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
    sizes = np.bincount(code, minlength=len(labels))
    customers = np.bincount(code[is_customer], minlength=len(labels))
    groups = pd.DataFrame(
        {"prospects": sizes, "customers": customers}, index=pd.Index(labels, dtype=object)
    )
    if order is not None:
        groups = groups.reindex(list(order), fill_value=0)
    else:
        is_rest = groups.index.isin([UNKNOWN, FEW])
        along = np.lexsort((np.arange(len(groups)), -sizes, is_rest))
        groups = groups.iloc[along]
    groups["share"] = groups["prospects"] / max(len(prospects), 1)
    return groups.rename_axis("group").reset_index()


def _top(
    largest: pd.DataFrame, open_usd: pd.Series, names: pd.Series, money: Reach
) -> pd.DataFrame:
    """Add the open pipeline, where it may be seen, and the rep."""
    pipeline_usd = largest["prospect_id"].map(open_usd).astype(float).fillna(0.0)
    rows = largest.assign(
        pipeline_usd=pipeline_usd.where(money.mask(largest["rep_id"])),
        rep_name=rep_names(largest["rep_id"], names),
    )
    columns = [
        "prospect_id", "name", "status", "segment", "industry", "rep_name", "employees",
        "pipeline_usd",
    ]  # fmt: skip
    return rows[columns]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    whole = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in whole.to_dict("records")]


def market_profile(
    store: Store, market_id: str, *, scope: Scope, day: str | None = None
) -> Profile:
    """Give the profile of one market of the plan in force.

    Counts are of the prospects that ``scope`` counts, lists and employees of the accounts it shows,
    pipeline and quota of the reps whose money it shows. The size of the market is public.

    Parameters
    ----------
    day
        ISO day in the month, quarter and year that quotas are of; by default the day since which
        the plan is in force.

    Raises
    ------
    NotFoundError
        If the plan has no such market, or none within reach.
    """
    with store.read() as transaction:
        row, seen = views.find_market(transaction, market_id, scope)
        plan, reading = seen.plan, ReadingLedger(transaction)
        reps = reading.part(plan.plan_id, "reps", scope.accounts)
        return profile(
            Subject(market_id, row["name"], row["kind"], plan.name, day or plan.effective_from),
            market_size(
                row["kind"], row["units"], shapely.from_wkb(row["geometry"]), reference.load()
            ),
            reading.profiled(plan.plan_id, scope.counted, market_id=market_id),
            reading.largest(plan.plan_id, scope.accounts, TOP, market_id=market_id),
            reading.deals(plan.plan_id, scope.money, market_id=market_id),
            Sellers(
                reading.part(plan.plan_id, "territories", scope.money),
                reps.set_index("rep_id")["name"],
                reading.on_file("quotas", plan.plan_id, scope.money),
            ),
            accounts=scope.accounts,
            money=scope.money,
        )
