"""The book of a market: cover with map, profile, and every account with why it is whose it is.

`gather` reads it within a scope; a page shows it and `reports.book_pdf` writes it as PDF. Tables
are in words here, so that both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import reference
from territory.errors import InputError
from territory.labels import NOTHING, SEGMENT, STATUS, money, number, share
from territory.markets import SHARE_SOURCE, SOURCE
from territory.prospects import score
from territory.reports import cover_map, views
from territory.reports import profile as profiles
from territory.units_of_length import METRES_PER_MILE, format_miles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.access import Scope
    from territory.policy import ScorePolicy
    from territory.reports.cover_map import Drawing
    from territory.reports.profile import Concentration, Profile
    from territory.reports.views import MarketView, Overview
    from territory.store import Store

MOST_ACCOUNTS = 10_000
INDUSTRIES = 8  # named; the others are one row
MAP_MM = (182.0, 150.0)
VERDICT = {
    "in": "Within {limit}",
    "out": "Beyond {limit}",
    "too_close_to_call": "Too close to call",
}
PERIOD = {"month": "Month", "quarter": "Quarter", "year": "Year"}


@dataclass(frozen=True)
class Choice:
    """Which prospects a book is of: their ids in order, out of how many, and how it was chosen.

    ``filters`` and ``order`` are words.
    """

    ids: tuple[str, ...]
    total: int
    filters: tuple[str, ...]
    order: str


@dataclass(frozen=True)
class Table:
    """A table in words: the columns from ``numbers`` on hold numbers, ``note`` says of what."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int = 1


@dataclass(frozen=True)
class Account:
    """One account in words; ``reason`` is why it is whose it is."""

    number: int
    name: str
    place: str
    industry: str
    segment: str
    status: str
    miles: str
    verdict: str
    employees: str
    stage: str
    pipeline: str
    owner: str
    reason: str


@dataclass(frozen=True)
class Book:
    """A market on paper.

    ``prospects`` (``view_frames.PROSPECT_COLUMNS``) are those shown, in order, of ``total``.
    ``day`` is the ISO day that it was made on.
    """

    market: MarketView
    plan: Overview
    profile: Profile
    prospects: pd.DataFrame
    total: int
    filters: tuple[str, ...]
    order: str
    day: str
    drawing: Drawing = field(repr=False)

    @property
    def count(self) -> str:
        """How many of how many accounts are in it."""
        return f"{len(self.prospects):,} of {self.total:,} prospects"

    @property
    def plan_words(self) -> str:
        """Which plan it is of."""
        return f"Plan {self.plan.plan_name} in force since {self.plan.effective_from}"

    @property
    def chosen_words(self) -> str:
        """How the accounts were chosen and ordered."""
        by = f"Filters: {'; '.join(self.filters)}" if self.filters else "No filter"
        return f"{by}. Ordered {self.order}."

    @property
    def limit(self) -> str:
        """The radius of the policy, such as "50 mi"."""
        return f"{self.market.radius_m / METRES_PER_MILE:g} mi"

    @property
    def figures(self) -> tuple[tuple[str, str, str], ...]:
        """The few figures of the cover: what, how much, of what."""
        profile, of = self.profile, f"of {self.profile.prospects:,} in the market"
        figures = [
            ("Accounts in this book", f"{len(self.prospects):,}", f"of {self.total:,} prospects"),
            ("Customers", f"{profile.customers:,}", of),
        ]
        if profile.whitespace is not None:
            figures.append(("Whitespace", f"{profile.whitespace:,}", f"of {profile.in_money:,}"))
        if profile.money is not None:
            figures.append(
                ("Open pipeline", money(profile.money.pipeline_usd), _deals(profile.money.deals))
            )
        return tuple(figures)

    def accounts(self) -> Iterable[Account]:
        """Give the accounts, in order."""
        frame = self.prospects.astype(object).where(self.prospects.notna(), None)
        for at, row in enumerate(frame.to_dict("records"), 1):
            yield self._account(at, row)

    def _account(self, at: int, row: dict[Any, Any]) -> Account:
        miles, usd, limit_m = row["distance_mi"], row["pipeline_usd"], self.market.radius_m
        verdict = VERDICT.get(row["verdict"], "Cannot decide").format(limit=self.limit)
        place = ", ".join(part for part in (row["city"], row["state"]) if part)
        return Account(
            number=at,
            name=row["name"] or row["prospect_id"],
            place=place or "No place on file",
            industry=row["industry"] or "",
            segment=SEGMENT.get(row["segment"], NOTHING),
            status=STATUS.get(row["status"], NOTHING),
            miles=NOTHING if miles is None else format_miles(miles * METRES_PER_MILE, limit_m),
            verdict=verdict,
            employees=number(row["employees"]),
            stage=row["stage"] or "No open opportunity",
            pipeline="" if usd is None or not row["stage"] else money(usd),
            owner=row["rep_name"] or "Nobody",
            reason=row["reason"] or "",
        )

    def tables(self) -> tuple[Table, ...]:
        """Give the profile of the market."""
        profile = self.profile
        of = f"Of all {profile.prospects:,} prospects of the market, whatever the filters."
        head = ("Prospects", "Customers", "Share")
        tables = [
            _size(profile),
            Table("By status", of, ("Status", *head), _groups(profile.by_status, STATUS)),
            Table("By segment", of, ("Segment", *head), _groups(profile.by_segment, SEGMENT)),
            Table("By employees", of, ("Employees", *head), _groups(profile.by_size, {})),
            Table("By industry", of, ("Industry", *head), _industries(profile.by_industry)),
        ]
        if len(profile.top_accounts):
            tables.append(_top(profile))
        if profile.money is not None:
            tables += [_periods(profile), _reps(profile)]
        return tuple(tables)


def gather(
    store: Store, market_id: str, *, scope: Scope, day: str, choice: Choice | None = None
) -> Book:
    """Read the book of a market of the plan in force: what ``scope.exported`` reaches.

    Parameters
    ----------
    day
        ISO day, from which scores and quotas count.
    choice
        Which prospects, in which order; by default all, best score first.

    Raises
    ------
    NotFoundError
        If the plan has no such market, or none within reach.
    InputError
        If the accounts would fill no book that anybody reads.
    """
    scope = scope.exported
    market, plan = (
        views.market(store, market_id, scope=scope),
        views.overview(store, scope=scope),
    )
    if choice is None:
        whole = _by_score(market.prospects, plan.policy.score, day)
        choice = Choice(tuple(whole["prospect_id"]), len(whole), (), "best score first")
    rows = in_order(market.prospects, choice.ids)
    if len(rows) > MOST_ACCOUNTS:
        raise InputError(
            f"A book of {len(rows):,} accounts is more than {MOST_ACCOUNTS:,}. Filter the list, "
            "or export it as CSV or XLSX."
        )
    width, height = MAP_MM
    return Book(
        market=market,
        plan=plan,
        profile=profiles.market_profile(store, market_id, scope=scope, day=day),
        prospects=rows,
        total=choice.total,
        filters=choice.filters,
        order=choice.order,
        day=day,
        drawing=cover_map.draw(
            market.geometry,
            market.offices,
            rows,
            reference.load(),
            limit_m=market.radius_m,
            width=width,
            height=height,
        ),
    )


def in_order(frame: pd.DataFrame, ids: Iterable[str]) -> pd.DataFrame:
    """Keep the rows with these ids, in their order, as far as the frame has them."""
    order = {one: at for at, one in enumerate(ids)}
    listed = frame[frame["prospect_id"].isin(order)]
    return listed.iloc[np.argsort(listed["prospect_id"].map(order).to_numpy(), kind="stable")]


def _by_score(prospects: pd.DataFrame, policy: ScorePolicy, day: str) -> pd.DataFrame:
    """Put the best score first; equal ones by id, as the list does."""
    points = score.score(prospects, policy, day)
    return prospects.iloc[np.lexsort((prospects["prospect_id"].to_numpy(str), -points))]


def _size(profile: Profile) -> Table:
    size = profile.size
    source = SOURCE if size.zip_codes is None else f"{SOURCE}; {SHARE_SOURCE}"
    rows = (
        ("Establishments", number(size.establishments)),
        ("Jobs", number(size.employment)),
        ("Wages of a year", money(size.wages_usd)),
        ("Wages per job", money(size.mean_wage_usd)),
    )
    return Table("All business in the market", f"{size.basis} {source}.", ("", "Figure"), rows)


def _groups(frame: pd.DataFrame, words: dict[str, str]) -> tuple[tuple[str, ...], ...]:
    whole = int(frame["prospects"].sum())
    rows = zip(frame["group"], frame["prospects"], frame["customers"], strict=True)
    return tuple(
        (words.get(group, "Not known" if group == "unknown" else group), f"{n:,}", f"{c:,}",
         share(n, whole))
        for group, n, c in rows
    )  # fmt: skip


def _industries(frame: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Name the largest; the others are one row, so that the column adds up."""
    rest = frame.iloc[INDUSTRIES:]
    if len(rest) < 2:
        return _groups(frame, {})
    others = {"group": f"{len(rest):,} others", **rest.sum(numeric_only=True)}
    whole = pd.concat([frame.iloc[:INDUSTRIES], pd.DataFrame([others])], ignore_index=True)
    return _groups(whole.astype({"prospects": int, "customers": int}), {})


def _top(profile: Profile) -> Table:
    rows = zip(
        profile.top_accounts["name"],
        profile.top_accounts["status"].map(STATUS),
        profile.top_accounts["employees"],
        profile.top_accounts["pipeline_usd"],
        strict=True,
    )
    note = (
        f"{profile.with_employees:,} of {profile.readable:,} accounts tell their employees. "
        f"{_concentration(profile.employee_concentration, 'employees')}"
    )
    return Table(
        "Largest accounts",
        note.strip(),
        ("Company", "Status", "Employees", "Open pipeline"),
        tuple((str(name), status, number(count), money(usd)) for name, status, count, usd in rows),
        numbers=2,
    )


def _concentration(concentration: Concentration | None, what: str) -> str:
    if concentration is None:
        return ""
    return (
        f"The {concentration.top:,} largest hold {share(concentration.top_share, 1)} of the {what}."
    )


def _periods(profile: Profile) -> Table:
    pipeline = profile.money
    assert pipeline is not None  # noqa: S101  the caller has asked
    rows = tuple(
        (
            f"{PERIOD.get(row['kind'], row['kind'])} {row['period']}",
            money(row["due_usd"]),
            money(row["quota_usd"]),
            share(row["due_usd"], row["quota_usd"]),
        )
        for row in pipeline.periods.to_dict("records")
    )
    covered = pipeline.coverage
    note = (
        f"{money(pipeline.pipeline_usd)} open in {_deals(pipeline.deals)} with "
        f"{pipeline.accounts:,} of {profile.in_money:,} accounts, as of {pipeline.day}. "
        f"{_concentration(profile.pipeline_concentration, 'pipeline')}"
    )
    if covered is not None:
        note += f" Coverage: {covered:.1f} × the quota of the year."
    head = ("Period", "To close", "Quota", "To close / quota")
    return Table("Pipeline against quota", note.strip(), head, rows)


def _reps(profile: Profile) -> Table:
    assert profile.money is not None  # noqa: S101  the caller has asked
    rows = tuple(
        (
            row["rep_name"] or "Nobody",
            f"{row['accounts']:,}",
            f"{row['deals']:,}",
            money(row["pipeline_usd"]),
            money(row["quota_year_usd"]),
        )
        for row in profile.money.by_rep.astype(object)
        .where(profile.money.by_rep.notna(), None)
        .to_dict("records")
    )
    return Table(
        "By rep",
        "Of a rep with several markets an equal part of the quota counts in each.",
        ("Rep", "Accounts", "Opportunities", "Open pipeline", "Quota of the year"),
        rows,
    )


def _deals(count: int) -> str:
    return f"{count:,} {'opportunity' if count == 1 else 'opportunities'}"
