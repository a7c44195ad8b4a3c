"""What opening or closing offices, or another rule, would do to the homes that were decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.decision import suppress
from territory.eligibility.rules import DECISIONS, ELIGIBLE, NOT_ELIGIBLE
from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    hidden, with as many others as it takes that none can be had by subtraction.
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
        told = {name: self._told(self.counts[name]) for name in (GAINS, LOSES)}
        return (
            f"{self._told(self.homes)} homes held of {self.subjects:,} people, decided again: "
            f"{told[GAINS]} gain eligibility, {told[LOSES]} lose it ({self.policy}). Counts of "
            f"fewer than {self.minimum_cell} homes, and what would tell them, are not shown."
        )

    def _told(self, count: int | None) -> str:
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
    taken = sorted(set(opening["office_id"]) & set(offices["office_id"]))
    if taken:
        raise InputError(f"Office {', '.join(map(repr, taken))} is there already: name a new one.")
    columns = ["office_id", "name", "lon", "lat"]
    return pd.concat([after, opening[columns].astype({"lon": float, "lat": float})])


def outcomes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Say of each home what happens to it, and by which office.

    Parameters
    ----------
    before, after
        Decisions of ``eligibility.judge`` about the same homes.

    Returns
    -------
    outcomes
        ``outcome`` (one of ``OUTCOMES``) and ``office_id`` where it gains or loses.
    """
    was, now = (frame["decision"].to_numpy(object) for frame in (before, after))
    told = np.full(len(was), OPEN, dtype=object)
    told[(was == ELIGIBLE) & (now == ELIGIBLE)] = STAYS_IN
    told[(was == NOT_ELIGIBLE) & (now == NOT_ELIGIBLE)] = STAYS_OUT
    told[(was == NOT_ELIGIBLE) & (now == ELIGIBLE)] = GAINS
    told[(was == ELIGIBLE) & (now == NOT_ELIGIBLE)] = LOSES
    office = np.where(told == GAINS, after["office_id"], before["office_id"]).astype(object)
    office[~np.isin(told.astype(str), (GAINS, LOSES))] = None
    return pd.DataFrame({"outcome": told, "office_id": office}, dtype=object)


def sum_up(found: pd.DataFrame, *, subjects: int, minimum_cell: int, policy: str) -> OfficePlan:
    """Count outcomes, hiding what is too small and what would tell it."""
    if minimum_cell < 1:
        raise InputError(f"minimum_cell = {minimum_cell}: must be 1 or more.")
    told = Counter(found["outcome"])
    counts = suppress({name: told[name] for name in OUTCOMES}, minimum_cell)
    by_office = {}
    for change in (GAINS, LOSES):
        mine = found.loc[found["outcome"] == change, "office_id"].fillna("none")
        parts = {str(name): int(n) for name, n in sorted(Counter(mine).items())}
        # Without their sum the parts would give it away.
        by_office[change] = (
            dict.fromkeys(parts) if counts[change] is None else suppress(parts, minimum_cell)
        )
    total = len(found)
    return OfficePlan(
        homes=total if total == 0 or total >= minimum_cell else None,
        subjects=subjects,
        counts=counts,
        by_office=by_office,
        minimum_cell=minimum_cell,
        policy=policy,
    )


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
