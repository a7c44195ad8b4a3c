"""What the pages and exports show: read-only frames of the plan in force.

Every function takes a store and sees one moment of it. Before the first plan the frames are empty
and ``overview`` says so. Distances are miles here, since these frames are for readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import shapely

from territory.errors import NotFoundError
from territory.lengths import METRES_PER_MILE
from territory.pipeline import pipeline, yearly_quotas
from territory.policy import Policy

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from territory import plans
    from territory.store import Store, Transaction

PROSPECT_COLUMNS = (
    "prospect_id", "name", "status", "segment", "street", "city", "state", "postal_code", "country",
    "lat", "lon", "precision", "uncertainty_mi", "market_id", "market_name", "territory_id",
    "territory_name", "rep_id", "rep_name", "rule", "reason", "nearest_office_id",
    "nearest_office_name", "distance_mi", "verdict", "website", "industry", "employees",
    "revenue_usd", "stage", "pipeline_usd", "last_activity_on",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "market_id", "name", "kind", "units", "prospects", "enterprise", "mid_market", "customers",
    "within_radius", "too_close", "unassigned", "findings", "reps", "pipeline_usd", "quota_usd",
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
DEMO_NOTICE = "demo_notice"  # setting that marks a store with invented people and figures


@dataclass(frozen=True)
class Overview:
    """The store at a glance; before the first plan, ``plan_id`` is None and every count 0.

    Counts of prospects in the plan: ``in_market`` + ``outside`` = ``prospects`` = ``placed`` +
    ``unplaced``; ``within_radius`` + ``too_close`` + ``beyond_radius`` = ``placed``. ``imported``
    is how many the store holds now. ``effective_from`` is an ISO day, ``published_at`` ISO UTC.
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
    markets: int = 0
    offices: int = 0
    reps: int = 0
    pipeline_usd: float = 0.0
    quota_usd: float = 0.0


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
    plan: plans.PlanInfo
    radius_m: float
    is_demo: bool


@dataclass(frozen=True)
class ProspectView:
    """One prospect: ``prospect`` is one row of ``PROSPECT_COLUMNS``, the others contract frames."""

    prospect: pd.DataFrame
    opportunities: pd.DataFrame
    contacts: pd.DataFrame
    sites: pd.DataFrame


def overview(store: Store) -> Overview:
    """Give the plan in force and its totals."""
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        imported = transaction.size("prospects")
        notice = transaction.setting(DEMO_NOTICE)
        if plan is None:
            return Overview(Policy(), imported, notice is not None, notice)
        deals = pipeline(transaction.opportunities_of_plan(plan.plan_id))
        parts = {
            kind: len(transaction.plan_part(plan.plan_id, kind))
            for kind in ("markets", "offices", "reps")
        }
        return Overview(
            plan.policy,
            imported,
            notice is not None,
            notice,
            plan.plan_id,
            plan.name,
            plan.effective_from,
            plan.published_at,
            plan.published_by,
            **{str(name): int(number) for name, number in plan.counts.items()},
            **parts,
            pipeline_usd=float(deals["pipeline_usd"].sum()),
            quota_usd=float(_quotas(transaction, plan).sum()),
        )


def market_summaries(store: Store) -> pd.DataFrame:
    """Sum up each market of the plan in force, most prospects first, then by id.

    The columns are ``SUMMARY_COLUMNS``: counts of prospects, ``findings`` within it, ``reps`` who
    own a territory there, open pipeline, and the quotas of its reps for the year of the plan. A rep
    of several markets counts with an equal share of the quota in each, so that the column adds up.
    """
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        if plan is None:
            return pd.DataFrame(columns=list(SUMMARY_COLUMNS))
        return _summaries(transaction, plan)


def market(store: Store, market_id: str) -> MarketView:
    """Give one market of the plan in force.

    Raises
    ------
    NotFoundError
        If the plan has no such market.
    """
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        found = pd.DataFrame()
        if plan is not None:
            found = transaction.plan_part(plan.plan_id, "markets", market_id=market_id)
        if plan is None or found.empty:
            raise NotFoundError(
                f"No market {market_id!r} in the plan in force. `territory export markets` lists "
                "those there are."
            )
        row = found.iloc[0]
        geometry = shapely.from_wkb(row["geometry"])
        prospects = _prospects(transaction, plan, market_id=market_id)
        offices = _offices(transaction, plan)
        near = offices["office_id"].isin(prospects["nearest_office_id"].dropna())
        inside = shapely.contains_xy(geometry, offices["lon"], offices["lat"])
        reps = _reps(transaction, plan)
        return MarketView(
            market_id=market_id,
            name=row["name"],
            kind=row["kind"],
            geometry=geometry,
            prospects=prospects,
            offices=offices[near | inside].reset_index(drop=True),
            reps=reps[_lists(reps["markets"], market_id)].reset_index(drop=True),
            findings=transaction.plan_part(plan.plan_id, "findings", market_id=market_id),
            plan=plan,
            radius_m=plan.policy.radius.limit_m,
            is_demo=transaction.setting(DEMO_NOTICE) is not None,
        )


def prospect(store: Store, prospect_id: str) -> ProspectView:
    """Give one prospect of the plan in force with what is on file about it.

    Raises
    ------
    NotFoundError
        If the plan has no such prospect.
    """
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        found = pd.DataFrame()
        if plan is not None:
            found = _prospects(transaction, plan, prospect_id=prospect_id)
        if found.empty:
            raise NotFoundError(
                f"No prospect {prospect_id!r} in the plan in force. `territory export prospects` "
                "lists those there are."
            )
        kinds = ("opportunities", "contacts", "sites")
        return ProspectView(
            found, *(transaction.table(kind, prospect_id=prospect_id) for kind in kinds)
        )


def outside(store: Store) -> pd.DataFrame:
    """Give the prospects in no market, the unplaced ones included, as ``PROSPECT_COLUMNS``."""
    return _in_plan(store, market_id=None)


def prospects(store: Store) -> pd.DataFrame:
    """Give every prospect of the plan in force, by id, as ``PROSPECT_COLUMNS``."""
    return _in_plan(store)


def _in_plan(store: Store, **equals: str | None) -> pd.DataFrame:
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        if plan is None:
            return pd.DataFrame(columns=list(PROSPECT_COLUMNS))
        return _prospects(transaction, plan, **equals)


def offices(store: Store) -> pd.DataFrame:
    """Give the offices of the plan in force: ``prospects`` have it as their nearest one."""
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        if plan is None:
            return pd.DataFrame(columns=list(OFFICE_COLUMNS))
        return _offices(transaction, plan)


def reps(store: Store) -> pd.DataFrame:
    """Give the reps of the plan in force with what they own and are to sell.

    ``territories``, ``markets`` and ``segments`` are ids joined by "|".
    """
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        if plan is None:
            return pd.DataFrame(columns=list(REP_COLUMNS))
        return _reps(transaction, plan)


def findings(store: Store) -> pd.DataFrame:
    """Give the findings of the plan in force: FINDINGS and ``market_id`` (null: in no market)."""
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        if plan is None:
            return pd.DataFrame(columns=list(FINDING_COLUMNS))
        return transaction.plan_part(plan.plan_id, "findings")


def _prospects(
    transaction: Transaction, plan: plans.PlanInfo, **equals: str | None
) -> pd.DataFrame:
    said = transaction.prospects_of_plan(plan.plan_id, **equals)
    deals = pipeline(transaction.opportunities_of_plan(plan.plan_id, **equals))
    owned = transaction.plan_part(plan.plan_id, "territories").drop_duplicates("territory_id")
    whole = said.merge(deals, how="left", on="prospect_id").assign(
        uncertainty_mi=said["uncertainty_m"] / METRES_PER_MILE,
        distance_mi=said["distance_m"] / METRES_PER_MILE,
        territory_name=said["territory_id"].map(owned.set_index("territory_id")["name"]),
    )
    whole["pipeline_usd"] = whole["pipeline_usd"].fillna(0.0)
    texts = ["stage", "last_activity_on", "territory_name"]
    whole[texts] = whole[texts].astype(object).where(whole[texts].notna(), None)
    return whole[list(PROSPECT_COLUMNS)]


def _summaries(transaction: Transaction, plan: plans.PlanInfo) -> pd.DataFrame:
    whole = transaction.plan_part(plan.plan_id, "markets")
    owners = transaction.plan_part(plan.plan_id, "territories").dropna(subset="rep_id")
    owners = owners.drop_duplicates(["rep_id", "market_id"])[["rep_id", "market_id"]]
    quota = _quotas(transaction, plan) / owners.groupby("rep_id").size()
    owners["quota_usd"] = owners["rep_id"].map(quota).fillna(0.0)
    by_market = {
        "reps": owners.groupby("market_id").size(),
        "pipeline_usd": _pipeline_by(transaction, plan, "market_id"),
        "quota_usd": owners.groupby("market_id")["quota_usd"].sum(),
    }
    for name, amounts in by_market.items():
        whole[name] = whole["market_id"].map(amounts).astype(float).fillna(0.0)
    ordered = whole.astype({"reps": int}).sort_values(
        ["prospects", "market_id"], ascending=[False, True]
    )
    return ordered[list(SUMMARY_COLUMNS)].reset_index(drop=True)


def _pipeline_by(transaction: Transaction, plan: plans.PlanInfo, key: str) -> pd.Series:
    """Sum the open opportunities of the prospects of each market or rep."""
    deals = transaction.opportunities_of_plan(plan.plan_id)
    money = pipeline(deals).merge(deals[["prospect_id", key]].drop_duplicates())
    return money.groupby(key)["pipeline_usd"].sum()


def _quotas(transaction: Transaction, plan: plans.PlanInfo) -> pd.Series:
    return yearly_quotas(transaction.table("quotas"), plan.effective_from[:4])


def _offices(transaction: Transaction, plan: plans.PlanInfo) -> pd.DataFrame:
    return transaction.plan_part(plan.plan_id, "offices")[list(OFFICE_COLUMNS)]


def _reps(transaction: Transaction, plan: plans.PlanInfo) -> pd.DataFrame:
    whole = transaction.plan_part(plan.plan_id, "reps")
    bases = transaction.plan_part(plan.plan_id, "offices").set_index("office_id")["name"]
    owned = transaction.plan_part(plan.plan_id, "territories").groupby("rep_id")
    whole["base_office_name"] = whole["base_office_id"].map(bases)
    lists = {"territories": "territory_id", "markets": "market_id", "segments": "segment"}
    for name, column in lists.items():
        joined = owned[column].agg(lambda ids: "|".join(sorted(set(ids))))
        whole[name] = whole["rep_id"].map(joined)
    amounts = {
        "pipeline_usd": _pipeline_by(transaction, plan, "rep_id"),
        "quota_usd": _quotas(transaction, plan),
    }
    for name, sums in amounts.items():
        whole[name] = whole["rep_id"].map(sums).astype(float).fillna(0.0)
    texts = ["base_office_name", *lists]
    whole[texts] = whole[texts].astype(object).where(whole[texts].notna(), None)
    return whole[list(REP_COLUMNS)]


def _lists(joined: pd.Series, one: str) -> pd.Series:
    """Tell which of the lists, joined by "|", hold ``one``."""
    return ("|" + joined.fillna("").astype(str) + "|").str.contains(f"|{one}|", regex=False)
