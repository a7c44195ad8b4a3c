"""What the pages and exports show: read-only frames of the plan in force, within a scope.

Every function takes a store and sees one moment of it. Before the first plan the frames are empty
and ``overview`` says so. Distances are miles here, since these frames are for readers.

``scope`` says whose rows may leave the store, and the queries leave out the others: an account out
of reach is in no row, count or sum, and its id is answered like one that never was. Opportunities
and quotas have their own reach within that, and contacts theirs; a sum of money is null where none
of it may be seen. Markets and offices are the company's own, not anybody's row: all offices show,
and those markets in which someone within reach has a territory or a prospect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from territory import reference
from territory.access import NOTHING
from territory.accounts import outcomes
from territory.errors import NotFoundError
from territory.markets import define
from territory.plans import PlanLedger, ReadingLedger
from territory.policy import Policy
from territory.reports.view_frames import (
    FINDING_COLUMNS,
    OFFICE_COLUMNS,
    PROSPECT_COLUMNS,
    REP_COLUMNS,
    SUMMARY_COLUMNS,
    Seen,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely.geometry.base import BaseGeometry

    from territory.access import Scope
    from territory.store import Store, Transaction

# What overviews, sums and profiles rest on beside the parts of plans, which never change.
SUM_TABLES = ("plans", "prospects", "opportunities", "quotas")
DEMO_NOTICE = "demo_notice"  # setting that marks a store with invented people and figures


@dataclass(frozen=True)
class Overview:
    """The store at a glance; before the first plan, ``plan_id`` is None and every count 0.

    Counts of prospects in the plan: ``in_market`` + ``outside`` = ``prospects`` = ``placed`` +
    ``unplaced``; ``within_radius`` + ``too_close`` + ``beyond_radius`` = ``placed``. ``imported``
    is how many the store holds now. ``effective_from`` is an ISO day, ``published_at`` ISO UTC.
    Money is None where none of it may be seen. ``quota_usd`` is of reps with a territory;
    ``quota_notes`` say which quotas do not count.
    ``is_demo`` says that people and figures are invented, and ``notice`` is how to put it.
    """

    policy: Policy
    imported: int
    is_demo: bool
    notice: str | None
    plan_id: str | None = None
    plan_name: str | None = None
    effective_from: str | None = None
    published_at: str | None = None
    published_by: str | None = None
    prospects: int = 0
    placed: int = 0
    unplaced: int = 0
    in_market: int = 0
    outside: int = 0
    enterprise: int = 0
    mid_market: int = 0
    customers: int = 0
    within_radius: int = 0
    too_close: int = 0
    beyond_radius: int = 0
    unassigned: int = 0
    findings: int = 0
    open_findings: int = 0
    markets: int = 0
    offices: int = 0
    reps: int = 0
    pipeline_usd: float | None = 0.0
    quota_usd: float | None = 0.0
    quota_notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarketView:
    """One market of the plan in force, with all that its page shows.

    ``geometry`` is in WGS84 degrees. ``offices`` are those that lie in it or are the nearest to
    any of its prospects. ``radius_m`` is the policy's limit.
    """

    market_id: str
    name: str
    kind: str
    geometry: BaseGeometry
    prospects: pd.DataFrame
    offices: pd.DataFrame
    reps: pd.DataFrame
    findings: pd.DataFrame
    radius_m: float
    is_demo: bool


@dataclass(frozen=True)
class MarketArea:
    """One market of the plan in force without its prospects.

    ``geometry`` is in WGS84 degrees, ``offices`` are all of the plan, ``findings`` how many open
    ones are in reach, ``radius_m`` the policy's limit.
    """

    market_id: str
    name: str
    geometry: BaseGeometry
    offices: pd.DataFrame
    findings: int
    radius_m: float


@dataclass(frozen=True)
class ProspectView:
    """One prospect: ``prospect`` is one row of ``PROSPECT_COLUMNS``, the others contract frames.

    Where ``is_name_only``, all but ``access.NAME_COLUMNS`` is blank. ``withheld`` names the frames
    that are empty because the scope does not reach them.
    """

    prospect: pd.DataFrame
    opportunities: pd.DataFrame
    contacts: pd.DataFrame
    sites: pd.DataFrame
    is_name_only: bool = False
    withheld: frozenset[str] = frozenset()


def overview(store: Store, *, scope: Scope) -> Overview:
    """Give the plan in force and its totals."""
    # Part of the key: every event of the audit log writes to the settings.
    notice = store.cached(
        ("settings",), DEMO_NOTICE, lambda transaction: transaction.setting(DEMO_NOTICE)
    )
    return store.cached(
        SUM_TABLES,
        ("overview", scope, notice),
        lambda transaction: _overview(transaction, scope, notice),
    )


def _overview(transaction: Transaction, scope: Scope, notice: str | None) -> Overview:
    plan = PlanLedger(transaction).plan_in_force()
    is_whole = scope.counted.is_all
    imported = transaction.size("prospects") if is_whole else 0
    if plan is None:
        return Overview(Policy(), imported, notice is not None, notice)
    seen = Seen(transaction, plan, scope)
    counts, (pipeline_usd, quota_usd) = seen.totals(), seen.money()
    return Overview(
        plan.policy,
        imported if is_whole else counts["prospects"],
        notice is not None,
        notice,
        plan.plan_id,
        plan.name,
        plan.effective_from,
        plan.published_at,
        plan.published_by,
        **counts,
        markets=len(ReadingLedger(transaction).markets(plan.plan_id, scope.counted)),
        offices=len(PlanLedger(transaction).plan_part(plan.plan_id, "offices")),
        reps=len(ReadingLedger(transaction).part(plan.plan_id, "reps", scope.counted)),
        pipeline_usd=pipeline_usd,
        quota_usd=quota_usd,
        quota_notes=seen.quotas().notes if scope.money != NOTHING else (),
    )


def market_summaries(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Sum up each market of the plan in force, most prospects first, then by id.

    The columns are ``SUMMARY_COLUMNS``: counts of prospects, ``findings`` within it, how many of
    them are open (no notes), ``reps`` who own a territory there, open pipeline, and the quotas of
    its reps for the year of the plan. A rep of several markets counts with an equal share of the
    quota in each, so that the column adds up.
    """
    summed = store.cached(
        SUM_TABLES,
        ("summaries", scope),
        lambda transaction: _within(transaction, scope, SUMMARY_COLUMNS, Seen.summaries),
    )
    return summed.copy()


def market_outlines(store: Store, *, scope: Scope) -> gpd.GeoDataFrame:
    """Give ``market_summaries`` with the outline of each market, in EPSG:4326.

    What is made of units is dissolved anew, which is ten times quicker than to read the stored
    shapes market by market; only drawn polygons are read.
    """
    markets = market_summaries(store, scope=scope)
    is_of_units = markets["kind"] != "polygon"
    columns = ["market_id", "name", "kind", "units"]
    outlines = define(markets.loc[is_of_units, columns], reference.load())
    shapes = dict(zip(outlines["market_id"], outlines.geometry, strict=True))
    for market_id in markets.loc[~is_of_units, "market_id"]:
        shapes[market_id] = market(store, market_id, scope=scope).geometry
    return gpd.GeoDataFrame(
        markets, geometry=[shapes[one] for one in markets["market_id"]], crs="EPSG:4326"
    )


def market(store: Store, market_id: str, *, scope: Scope) -> MarketView:
    """Give one market of the plan in force.

    Raises
    ------
    NotFoundError
        If the plan has no such market, or none within reach.
    """
    with store.read() as transaction:
        row, seen = find_market(transaction, market_id, scope)
        geometry = shapely.from_wkb(row["geometry"])
        prospects, offices, reps = seen.prospects(market_id=market_id), seen.offices(), seen.reps()
        near = offices["office_id"].isin(prospects["nearest_office_id"].dropna())
        inside = shapely.contains_xy(geometry, offices["lon"], offices["lat"])
        return MarketView(
            market_id=market_id,
            name=row["name"],
            kind=row["kind"],
            geometry=geometry,
            prospects=prospects,
            offices=offices[near | inside].reset_index(drop=True),
            reps=reps[_lists(reps["markets"], market_id)].reset_index(drop=True),
            findings=seen.findings(market_id=market_id),
            radius_m=seen.plan.policy.radius.limit_m,
            is_demo=transaction.setting(DEMO_NOTICE) is not None,
        )


def market_area(store: Store, market_id: str, *, scope: Scope) -> MarketArea:
    """Give one market of the plan in force without reading its prospects.

    Raises
    ------
    NotFoundError
        If the plan has no such market, or none within reach.
    """
    with store.read() as transaction:
        row, seen = find_market(transaction, market_id, scope)
        return MarketArea(
            market_id=market_id,
            name=row["name"],
            geometry=shapely.from_wkb(row["geometry"]),
            offices=seen.offices(),
            findings=seen.findings_in(market_id),
            radius_m=seen.plan.policy.radius.limit_m,
        )


def find_market(transaction: Transaction, market_id: str, scope: Scope) -> tuple[pd.Series, Seen]:
    """Find a market within reach, and what the scope lets be seen of its plan.

    Raises
    ------
    NotFoundError
        If the plan has no such market, or none within reach.
    """
    plan = PlanLedger(transaction).plan_in_force()
    rows = pd.DataFrame()
    if plan is not None:
        rows = ReadingLedger(transaction).markets(plan.plan_id, scope.counted, market_id=market_id)
    if plan is None or rows.empty:
        raise NotFoundError(
            f"No market {market_id!r} in the plan in force. `territory export markets` lists "
            "those there are."
        )
    return rows.iloc[0], Seen(transaction, plan, scope)


def prospect(store: Store, prospect_id: str, *, scope: Scope) -> ProspectView:
    """Give one prospect of the plan in force with what is on file about it.

    Raises
    ------
    NotFoundError
        If the plan has no such prospect, or none within reach.
    """
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
        rows, is_name_only = pd.DataFrame(), False
        if plan is not None:
            seen = Seen(transaction, plan, scope)
            rows = seen.prospects(prospect_id=prospect_id)
            if is_name_only := rows.empty:
                rows = seen.names_beyond(prospect_id=prospect_id)
        if plan is None or rows.empty:
            raise NotFoundError(
                f"No prospect {prospect_id!r} in the plan in force. `territory export prospects` "
                "lists those there are."
            )
        reaches = {
            "opportunities": scope.money,
            "contacts": scope.people,
            "sites": scope.accounts,
        }
        parts = {
            kind: ReadingLedger(transaction).on_file(
                kind, plan.plan_id, reach, prospect_id=prospect_id
            )
            for kind, reach in reaches.items()
        }
        deals = parts["opportunities"]
        parts["opportunities"] = deals.assign(outcome=outcomes(deals))
        rep_id = rows["rep_id"].iloc[0]
        return ProspectView(
            rows,
            parts["opportunities"],
            parts["contacts"],
            parts["sites"],
            is_name_only=is_name_only,
            withheld=frozenset(kind for kind, reach in reaches.items() if not reach.holds(rep_id)),
        )


def outside(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give the prospects in no market, the unplaced ones included, as ``PROSPECT_COLUMNS``."""
    return _frame(store, scope, PROSPECT_COLUMNS, lambda seen: seen.prospects(market_id=None))


def prospects(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give every prospect of the plan in force, by id, as ``PROSPECT_COLUMNS``.

    Those beyond reach whose names may be seen are among them, blank but for these.
    """
    return _frame(store, scope, PROSPECT_COLUMNS, _with_names)


def _with_names(seen: Seen) -> pd.DataFrame:
    whole = pd.concat([seen.prospects(), seen.names_beyond()])
    return whole.sort_values("prospect_id", ignore_index=True)


def offices(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give the offices of the plan in force: ``prospects`` have it as their nearest one."""
    return _frame(store, scope, OFFICE_COLUMNS, Seen.offices)


def reps(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give the reps of the plan in force with what they own and are to sell.

    ``territories``, ``markets`` and ``segments`` are ids joined by "|".
    """
    return _frame(store, scope, REP_COLUMNS, Seen.reps)


def findings(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give the findings of the plan in force: FINDINGS and ``market_id`` (null: in no market).

    Where not everything is in reach, they are those of its prospects, territories and reps.
    """
    return _frame(store, scope, FINDING_COLUMNS, Seen.findings)


def _frame(
    store: Store, scope: Scope, columns: tuple[str, ...], read: Callable[[Seen], pd.DataFrame]
) -> pd.DataFrame:
    """Read a frame of the plan in force; an empty one before the first plan."""
    with store.read() as transaction:
        return _within(transaction, scope, columns, read)


def _within(
    transaction: Transaction,
    scope: Scope,
    columns: tuple[str, ...],
    read: Callable[[Seen], pd.DataFrame],
) -> pd.DataFrame:
    plan = PlanLedger(transaction).plan_in_force()
    if plan is None:
        return pd.DataFrame(columns=list(columns))
    return read(Seen(transaction, plan, scope))


def _lists(joined: pd.Series, one: str) -> pd.Series:
    """Tell which of the lists, joined by "|", hold ``one``."""
    return ("|" + joined.fillna("").astype(str) + "|").str.contains(f"|{one}|", regex=False)
