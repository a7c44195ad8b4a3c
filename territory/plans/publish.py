"""Assign, check and explain: a plan worked out, published as the next version, and asked why.

Each is one transaction. The clock comes in as ``now`` (aware), so that a run can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from territory import reference
from territory.access import audit_log, person_name, person_names
from territory.errors import ConflictError, NotFoundError
from territory.plans import drafts, staging
from territory.plans.assignment import RuleContext, without_rivals
from territory.plans.explanation import Explanation, ask_rules
from territory.plans.findings import sum_up
from territory.plans.plan import PUBLISHED, PlanInfo
from territory.plans.plan_ledger import PlanLedger
from territory.plans.read_ledger import ReadingLedger
from territory.progress import silent
from territory.store import touch
from territory.timestamps import utc_text

if TYPE_CHECKING:
    import pandas as pd

    from territory.access import Reach, Scope
    from territory.policy import Policy
    from territory.progress import Progress
    from territory.store import Store, Transaction


# What a plan is made of, and the columns of prospects that decide anything in it.
_MADE_OF = ("offices", "reps", "markets", "territories", "named_accounts")
_RESTS_ON = (*_MADE_OF, "prospects", "plans")
STAGINGS = 2  # how often a plan is worked out while others write
_DECIDING = (
    "prospect_id", "name", "status", "city", "state", "postal_code", "country", "employees",
    "revenue_usd", "owner_rep_id", "lon", "lat", "precision", "uncertainty_m",
)  # fmt: skip


@dataclass(frozen=True)
class AssignReport:
    """What ``assign`` did.

    ``plan`` is None after a dry run, and the plan in force where nothing has changed.
    """

    plan: PlanInfo | None
    is_published: bool
    counts: dict[str, int]
    findings: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The report in one line."""
        counts = self.counts
        assigned = counts["prospects"] - counts["unassigned"]
        sentence = (
            f"{assigned:,} of {counts['prospects']:,} prospects assigned, "
            f"{counts['within_radius']:,} within the radius of an office, "
            f"{counts['findings']:,} findings"
        )
        if self.plan is None:
            return f"{sentence}. Nothing was written."
        if not self.is_published:
            plan_id = self.plan.plan_id
            return f"{sentence}. Nothing has changed since {plan_id}, which remains in force."
        since = f"in force since {self.plan.effective_from}"
        return f"{sentence}. Published as {self.plan.plan_id}, {since}."

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            "plan_id": self.plan.plan_id if self.plan else None,
            "published": self.is_published,
            **self.counts,
        }


@dataclass(frozen=True)
class CheckReport:
    """Findings and, per code, N of M."""

    findings: pd.DataFrame
    sums: pd.DataFrame


def assign(
    store: Store,
    *,
    published_by: str,
    now: datetime,
    name: str | None = None,
    policy: Policy | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> AssignReport:
    """Work out who owns what and publish it as the next version of the plan.

    If the outcome, and all it rests on, is that of the plan in force, nothing is published: the
    same input changes nothing.

    Parameters
    ----------
    name
        What people call the plan; by default the day.
    policy
        By default the policy of the plan in force.

    Raises
    ------
    ConflictError
        If there are no prospects or no markets to assign.
    """
    if dry_run:
        with store.read() as transaction:
            draft = _draft(transaction, policy, _day(now), progress or silent)
        return AssignReport(None, False, dict(draft.counts), draft.findings)
    tell = progress or silent
    with store.alone(staging.LOCK):
        staging.drop_unpublished(store)
        for _ in range(STAGINGS):
            if report := _stage_and_publish(store, name, published_by, now, policy, tell):
                return report
            tell("What the plan rests on has changed meanwhile; it is worked out again")
        # Others change it again and again: they wait now.
        with store.write() as transaction:
            return publish_plan(transaction, name, published_by, now, policy, tell)


def _stage_and_publish(
    store: Store,
    name: str | None,
    published_by: str,
    now: datetime,
    policy: Policy | None,
    tell: Progress,
) -> AssignReport | None:
    """Work a plan out while others write, and publish it; None where they changed its ground."""
    before = store.cache.state(_RESTS_ON)
    with store.read() as transaction:
        draft = _draft(transaction, policy, _day(now), tell)
        latest = PlanLedger(transaction).plan_in_force()
        number = PlanLedger(transaction).next_plan_number()
    if latest and latest.digest == draft.digest:
        return AssignReport(latest, False, dict(draft.counts), draft.findings)
    plan = _plan_of(draft, number, name, published_by, now)
    tell(f"Publishing {plan.plan_id}")
    try:
        staging.stage(store, plan, draft.parts)
        with store.write() as transaction:
            is_current = store.cache.state(_RESTS_ON) == before
            if is_current:
                PlanLedger(transaction).freeze(plan.plan_id)
                touch(transaction.connection, *(f"plan_{part}" for part in draft.parts))
                _record(transaction, plan, latest, draft, now)
    except BaseException:
        staging.drop_unpublished(store)
        raise
    if not is_current:
        staging.drop_unpublished(store)
        return None
    return AssignReport(plan, True, dict(draft.counts), draft.findings)


def publish_plan(
    transaction: Transaction,
    name: str | None,
    published_by: str,
    now: datetime,
    policy: Policy | None,
    tell: Progress,
) -> AssignReport:
    """Work out a plan and publish it within a transaction, unless it is that in force already."""
    draft = _draft(transaction, policy, _day(now), tell)
    latest = PlanLedger(transaction).plan_in_force()
    # The digest covers the policy, what the plan was made of and what it says: where it is the
    # same, a new version would differ in its number and day only.
    if latest and latest.digest == draft.digest:
        return AssignReport(latest, False, dict(draft.counts), draft.findings)
    number = PlanLedger(transaction).next_plan_number()
    plan = _plan_of(draft, number, name, published_by, now)
    tell(f"Publishing {plan.plan_id}")
    PlanLedger(transaction).publish(plan, draft.parts)
    _record(transaction, plan, latest, draft, now)
    return AssignReport(plan, True, dict(draft.counts), draft.findings)


def _plan_of(
    draft: drafts.Draft, number: int, name: str | None, published_by: str, now: datetime
) -> PlanInfo:
    return PlanInfo(
        plan_id=f"plan-{number}",
        number=number,
        name=name or _day(now),
        status=PUBLISHED,
        effective_from=_day(now),
        published_at=utc_text(now),
        published_by=published_by,
        policy=draft.policy,
        counts=draft.counts,
        digest=draft.digest,
    )


def _record(
    transaction: Transaction,
    plan: PlanInfo,
    latest: PlanInfo | None,
    draft: drafts.Draft,
    now: datetime,
) -> None:
    audit_log.record(
        transaction,
        by=plan.published_by,
        at=now,
        action="plan.publish",
        subject_kind="plan",
        subject_id=plan.plan_id,
        before={"plan": latest.plan_id, "digest": latest.digest} if latest else None,
        after={"name": plan.name, "digest": plan.digest, **draft.counts},
    )


def _draft(
    transaction: Transaction, policy: Policy | None, today: str, tell: Progress
) -> drafts.Draft:
    frames = {kind: transaction.table(kind) for kind in _MADE_OF}
    frames["prospects"] = transaction.table("prospects", _DECIDING)
    for kind in ("prospects", "markets"):
        if frames[kind].empty:
            raise ConflictError(
                f"There are no {kind} to assign. `territory import {kind} FILE` brings them in."
            )
    rules = policy or PlanLedger(transaction).policy_in_force()
    tell(f"Assigning {len(frames['prospects']):,} prospects")
    return drafts.draft(frames, reference.load().counties, rules, today)


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


def check(store: Store, *, now: datetime) -> pd.DataFrame:
    """Find what is wrong with the store as it is now, published or not: FINDINGS and market_id."""
    return check_report(store, now=now).findings


def check_report(store: Store, *, now: datetime) -> CheckReport:
    """Find what is wrong with the store as it is now, with totals as N of M."""
    with store.read() as transaction:
        draft = _draft(transaction, None, _day(now), silent)
    return CheckReport(draft.findings, sum_up(draft.findings, draft.sizes))


def explain(store: Store, prospect_id: str, *, scope: Scope) -> Explanation:
    """Say why a prospect is whose it is in the plan in force, from what the plan itself recorded.

    Whom the winner beat is told to those who reach every account.

    Raises
    ------
    NotFoundError
        If there is no plan, or the plan has no such prospect within reach.
    """
    is_whole = scope.accounts.is_all
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
        if plan is None:
            raise NotFoundError("No plan is published yet. `territory assign` makes one.")
        facts = ReadingLedger(transaction).prospects(
            plan.plan_id, scope.accounts, prospect_id=prospect_id
        )
        if facts.empty:
            is_newer = is_whole and len(transaction.table("prospects", prospect_id=prospect_id))
            hint = (
                "It was imported later: `territory assign` takes it in."
                if is_newer
                else "`territory export prospects` lists those there are."
            )
            raise NotFoundError(f"No prospect {prospect_id!r} in {plan.plan_id}. {hint}")
        parts = {kind: PlanLedger(transaction).plan_part(plan.plan_id, kind) for kind in _MADE_OF}
    context = RuleContext(
        parts["territories"],
        parts["named_accounts"],
        plan.policy,
        _rep_names(parts["reps"], facts, scope.accounts),
        drafts.names(parts["markets"], "market_id"),
        drafts.names(parts["offices"], "office_id"),
    )
    row = facts.iloc[0]
    territory_names = drafts.names(parts["territories"], "territory_id")
    return Explanation(
        prospect_id=prospect_id,
        name=row["name"],
        rule=row["rule"],
        territory_id=row["territory_id"],
        territory_name=territory_names.get(row["territory_id"]),
        rep_id=row["rep_id"],
        rep_name=context.rep_names.get(row["rep_id"], row["rep_id"]),
        sentence=row["reason"] if is_whole else without_rivals(facts["reason"]).iloc[0],
        steps=ask_rules(facts, context, names_rivals=is_whole),
        plan_id=plan.plan_id,
        plan_name=plan.name,
        effective_from=plan.effective_from,
        published_at=plan.published_at,
        published_by=plan.published_by,
        publisher=person_name(plan.published_by, person_names(store)),
        policy_name=plan.policy.name,
        policy_version=plan.policy.version,
    )


def _rep_names(reps: pd.DataFrame, facts: pd.DataFrame, reach: Reach) -> dict[str, str]:
    """Name the reps within reach; the others, the CRM's owner among them, are "another rep"."""
    names = drafts.names(reps, "rep_id")
    if reach.is_all:
        return names
    ids = {*names, *facts["owner_rep_id"].dropna()}
    return {one: names.get(one, one) if reach.holds(one) else "another rep" for one in ids}
