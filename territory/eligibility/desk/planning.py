"""Planning: what opening or closing offices, or another policy, would do to homes once decided."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.decision import (
    MINIMUM_CELL,
    judge,
    measure,
    plain_reasons,
    standing_since,
    suppress,
)
from territory.eligibility.desk.coarse_homes import SQUARE_MI, coarsen, round_count
from territory.eligibility.desk.measured_homes import offices_on
from territory.eligibility.homes import CIRCUMSTANCES, LOCATION
from territory.eligibility.rules import (
    DECISIONS,
    ELIGIBLE,
    NOT_ELIGIBLE,
    DecisionFilter,
    EligibilityLedger,
    version_in_force,
    with_exceptions,
)
from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.eligibility.desk.settings import DecisionRequest
    from territory.eligibility.homes import HomeStore
    from territory.eligibility.rules import EligibilityPolicy
    from territory.store import Store

GAINS, LOSES = "gains", "loses"
STAYS_IN, STAYS_OUT, OPEN = "stays eligible", "stays not eligible", "cannot be told"
OUTCOMES = (GAINS, LOSES, STAYS_IN, STAYS_OUT, OPEN)
CHANGED = ("decision_id", "subject", "decided_on", "was", "would_be", "reason")


@dataclass(frozen=True)
class OfficePlan:
    """Homes by what a plan of offices would do to them; None stands for a count not shown.

    ``homes`` were decided again, of ``subjects`` people in the register; the homes of the others
    are not held. ``counts``: one for each of ``OUTCOMES``. ``by_office``: who gains by the office
    that would make them eligible, who loses by the one that did. Counts below ``minimum_cell`` are
    hidden, with as many others as it takes that none can be had by subtraction; the others are
    rounded down to a multiple of it.
    """

    homes: int | None
    subjects: int
    counts: dict[str, int | None]
    by_office: dict[str, dict[str, int | None]]
    minimum_cell: int
    policy: str

    @property
    def sentence(self) -> str:
        """The plan in one line."""
        gains, loses = (self._number(self.counts[name]) for name in (GAINS, LOSES))
        return (
            f"{self._number(self.homes)} homes held of {self.subjects:,} people, decided again: "
            f"{gains} gain eligibility, {loses} lose it ({self.policy}).{self._how_coarse}"
        )

    @property
    def _how_coarse(self) -> str:
        if self.minimum_cell == 1:
            return ""
        return (
            " An estimate that tells no single home: each is counted from the middle of its "
            f"square of {SQUARE_MI:g} miles, counts are rounded down to {self.minimum_cell}, and "
            "those of fewer, with what would tell them, are not shown."
        )

    def _number(self, count: int | None) -> str:
        return "some (not shown)" if count is None else f"{count:,}"

    def as_json(self) -> dict[str, Any]:
        """The plan for a program to read."""
        return dict(vars(self))


@dataclass(frozen=True)
class WhatChanges:
    """What another rule would make of past decisions; ``changes`` lists those that differ.

    ``counts``: (was, would be) -> number, of the ``recomputed`` ones. ``gone``: decisions that
    cannot be recomputed, because their home is purged or was never kept. ``changes`` has the
    columns ``CHANGED``, newest first.
    """

    decisions: int
    recomputed: int
    gone: int
    counts: dict[tuple[str, str], int]
    changes: pd.DataFrame
    policy: str

    @property
    def sentence(self) -> str:
        """The test in one line."""
        return (
            f"{self.recomputed:,} of {self.decisions:,} decisions decided again under "
            f"{self.policy}: {len(self.changes):,} would change; {self.gone:,} cannot be "
            "recomputed, their homes are not held."
        )

    def as_json(self) -> dict[str, Any]:
        """The test for a program to read."""
        counts = [
            {"was": was, "would_be": now, "decisions": n} for (was, now), n in self.counts.items()
        ]
        return {
            "decisions": self.decisions,
            "recomputed": self.recomputed,
            "gone": self.gone,
            "counts": counts,
            "changes": self.changes.to_dict("records"),
            "policy": self.policy,
        }


def what_would_change(
    store: Store,
    homes: HomeStore,
    draft: EligibilityPolicy,
    request: DecisionRequest,
    *,
    of_policy: str | None = None,
    is_exact: bool = False,
) -> WhatChanges:
    """Try a rule on past decisions before it is saved: which would change, and how.

    Each is decided again for its own day, as if the rule had always been in force, from the homes
    that are still held and the offices as they are now. Nothing is written.

    Parameters
    ----------
    of_policy
        Whose decisions; by default those of the policy of the draft's name.
    is_exact
        Give reasons with exact distances, for whoever may see homes; else without any.
    """
    name = of_policy or draft.name
    with store.read() as transaction:
        past, total = EligibilityLedger(transaction).search(DecisionFilter(policy_name=name))
        subjects = past["subject"].dropna().unique().tolist()
        history = EligibilityLedger(transaction).history(subjects)
        entries = EligibilityLedger(transaction).exceptions(name, subjects)
        offices = offices_on(transaction, request.day)
    rule = with_exceptions(draft, entries)
    placed = homes_of(past, homes.find(past["home"].dropna().unique().tolist()))
    trial = decide_again(placed, offices, always(rule), history, past["decided_on"], request)
    if len(trial) and not is_exact:
        trial["sentence"] = plain_reasons(trial, rule)
    return changes(past.loc[placed.index], trial, decisions=total, policy=draft.label)


def plan_offices(
    store: Store,
    homes: HomeStore,
    request: DecisionRequest,
    *,
    opening: pd.DataFrame | None = None,
    closing: Iterable[str] = (),
    minimum_cell: int = MINIMUM_CELL,
) -> OfficePlan:
    """Count how many homes would gain or lose eligibility if offices opened or closed.

    Each person counts once, with the home of the last decision, if it is still held. Homes are
    counted from the middles of squares, and counts are rounded (``coarse_homes``), so that plans
    that differ a little tell no single home. Counts of fewer homes than ``minimum_cell`` are
    hidden, and what would tell them by subtraction.

    Parameters
    ----------
    opening
        ``office_id``, ``name``, ``lon``, ``lat``.
    closing
        Ids of offices.
    minimum_cell
        The smallest count shown, and the step of the others; 1 counts homes where they are, for
        whoever may see homes.

    Raises
    ------
    InputError
        If an office to close is not in the store, or one to open is.
    NotFoundError
        If no policy holds on that day.
    """
    day = request.day
    with store.read() as transaction:
        ledger = EligibilityLedger(transaction)
        version = version_in_force(ledger.policies(), day, request.policy_name)
        last = ledger.latest(version.policy.name)
        subjects = last["subject"].tolist()
        history = ledger.history(subjects)
        policy = with_exceptions(version.policy, ledger.exceptions(version.policy.name, subjects))
        offices = offices_on(transaction, day)
    placed = homes_of(last, homes.find(last["home"].dropna().unique().tolist()))
    if minimum_cell > 1:
        placed = coarsen(placed)
    days = pd.Series(day, index=placed.index, dtype=object)
    before, after = (
        decide_again(placed, them, policy, history, days, request)
        for them in (offices, planned(offices, opening, closing, day))
    )
    return sum_up(
        outcomes(before, after),
        subjects=len(last),
        minimum_cell=minimum_cell,
        policy=version.label,
    )


def planned(
    offices: pd.DataFrame, opening: pd.DataFrame | None, closing: Iterable[str], on: str
) -> pd.DataFrame:
    """Give the offices as they would be on a day: some closed by then, others open.

    Raises
    ------
    InputError
        If an office to close is not among them, or one to open is already.
    """
    closing = list(closing)
    unknown = sorted(set(closing) - set(offices["office_id"]))
    if unknown:
        raise InputError(
            f"No office {', '.join(map(repr, unknown))} to close; there are "
            f"{', '.join(map(repr, offices['office_id'].tolist()))}."
        )
    after = offices.copy()
    after.loc[after["office_id"].isin(closing), "closed_on"] = on
    if opening is None:
        return after
    present = sorted(set(opening["office_id"]) & set(offices["office_id"]))
    if present:
        raise InputError(
            f"Office {', '.join(map(repr, present))} is there already: name a new one."
        )
    columns = ["office_id", "name", "lon", "lat"]
    return pd.concat([after, opening[columns].astype({"lon": float, "lat": float})])


def outcomes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Say of each home what happens to it, and by which office.

    Parameters
    ----------
    before, after
        Decisions of ``judge`` about the same homes.

    Returns
    -------
    outcomes
        ``outcome`` (one of ``OUTCOMES``) and ``office_id`` where it gains or loses.
    """
    was, now = (frame["decision"].to_numpy(object) for frame in (before, after))
    outcome = np.full(len(was), OPEN, dtype=object)
    outcome[(was == ELIGIBLE) & (now == ELIGIBLE)] = STAYS_IN
    outcome[(was == NOT_ELIGIBLE) & (now == NOT_ELIGIBLE)] = STAYS_OUT
    outcome[(was == NOT_ELIGIBLE) & (now == ELIGIBLE)] = GAINS
    outcome[(was == ELIGIBLE) & (now == NOT_ELIGIBLE)] = LOSES
    office = np.where(outcome == GAINS, after["office_id"], before["office_id"]).astype(object)
    office[~np.isin(outcome.astype(str), (GAINS, LOSES))] = None
    return pd.DataFrame({"outcome": outcome, "office_id": office}, dtype=object)


def sum_up(table: pd.DataFrame, *, subjects: int, minimum_cell: int, policy: str) -> OfficePlan:
    """Count outcomes, hiding what is too small and what would tell it."""
    if minimum_cell < 1:
        raise InputError(f"minimum_cell = {minimum_cell}: must be 1 or more.")
    numbers = Counter(table["outcome"])
    counts = suppress({name: numbers[name] for name in OUTCOMES}, minimum_cell)
    by_office = {}
    for change in (GAINS, LOSES):
        mine = table.loc[table["outcome"] == change, "office_id"].fillna("none")
        parts = {str(name): int(n) for name, n in sorted(Counter(mine).items())}
        # Without their sum the parts would give it away.
        by_office[change] = (
            dict.fromkeys(parts) if counts[change] is None else suppress(parts, minimum_cell)
        )
    total = len(table)
    return OfficePlan(
        homes=round_count(total if total == 0 or total >= minimum_cell else None, minimum_cell),
        subjects=subjects,
        counts=_rounded(counts, minimum_cell),
        by_office={name: _rounded(parts, minimum_cell) for name, parts in by_office.items()},
        minimum_cell=minimum_cell,
        policy=policy,
    )


def _rounded(counts: dict[str, int | None], step: int) -> dict[str, int | None]:
    return {name: round_count(count, step) for name, count in counts.items()}


def changes(past: pd.DataFrame, again: pd.DataFrame, *, decisions: int, policy: str) -> WhatChanges:
    """Compare past decisions with what another rule makes of the same homes.

    Parameters
    ----------
    past
        ``decision_id``, ``subject``, ``decided_on`` and ``decision``, newest first.
    again
        ``decision`` and ``sentence`` of the same rows in the same order.
    decisions
        How many there are in all, recomputed or not.
    """
    was, now = (frame["decision"].to_numpy(object) for frame in (past, again))
    pairs = Counter(zip(was.tolist(), now.tolist(), strict=True))
    counts = {(a, b): pairs[a, b] for a in DECISIONS for b in DECISIONS if pairs[a, b]}
    differs = np.flatnonzero(was != now)
    listed = past[["decision_id", "subject", "decided_on"]].iloc[differs].reset_index(drop=True)
    listed["was"], listed["would_be"] = was[differs], now[differs]
    listed["reason"] = again["sentence"].to_numpy(object)[differs]
    return WhatChanges(
        decisions=decisions,
        recomputed=len(past),
        gone=decisions - len(past),
        counts=counts,
        changes=listed[list(CHANGED)],
        policy=policy,
    )


def homes_of(decisions: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Give the homes of decisions, as ``measure`` takes them, from the home store.

    Parameters
    ----------
    decisions
        Rows of the register with their records.
    stored
        What the home store has of their homes; the others are left out.

    Returns
    -------
    homes
        Indexed as ``decisions``, those whose home is held.
    """
    location = stored.set_index("commitment")
    mine = decisions[decisions["home"].isin(location.index)]
    homes = location.loc[mine["home"], list(LOCATION)].set_index(mine.index)
    circumstances = [json.loads(text)["asked"]["circumstances"] or {} for text in mine["record"]]
    for name in CIRCUMSTANCES:
        homes[name] = pd.Series(
            [each.get(name) for each in circumstances], mine.index, dtype=object
        )
    homes["person_id"], homes["home"] = mine["subject"], mine["home"]
    return homes


def always(policy: EligibilityPolicy) -> EligibilityPolicy:
    """Give a policy as if it had always been in force, to try it on past days."""
    return dataclasses.replace(policy, effective_from="0001-01-01", effective_until=None)


def decide_again(
    homes: pd.DataFrame,
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    history: pd.DataFrame,
    days: pd.Series,
    request: DecisionRequest,
) -> pd.DataFrame:
    """Decide stored homes by another policy, each for its own day; nothing is put on record."""
    parts = []
    # By day, since offices open, exceptions and what came before differ from day to day.
    for day, rows in homes.groupby(days.loc[homes.index], sort=True):
        mine = rows
        if policy.grandfathering is not None:
            since = standing_since(rows, history, policy.grandfathering, str(day))
            mine = rows.assign(eligible_since=since)
        facts = measure(
            mine, offices, policy, on=str(day), areas=request.areas, routing=request.routing
        )
        parts.append(judge(facts, policy))
    if not parts:
        return pd.DataFrame({"decision": np.empty(0, object), "sentence": np.empty(0, object)})
    return pd.concat(parts).loc[homes.index]
