"""What may leave HR: distances in classes, reasons without distances, counts above a cell size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.eligibility.rules import (
    CANNOT_DECIDE,
    ELIGIBLE,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
    UNIT_WORDS,
    UNITS,
    limit_words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from territory.eligibility.rules import Criterion, EligibilityPolicy

    Objects = npt.NDArray[np.object_]

MINIMUM_CELL = 5  # convention: a count of fewer people is not shown
# Bounds of the classes, in the unit of the limit. The limit itself is one more, so that a class
# never straddles it; a bound nearer to it than the narrowest class allows gives way.
BOUNDS = {
    "mi": (10.0, 25.0, 50.0, 75.0, 100.0),
    "km": (15.0, 40.0, 80.0, 120.0, 160.0),
    "min": (15.0, 30.0, 45.0, 60.0, 90.0, 120.0),
}
NARROWEST = {"mi": 5.0, "km": 8.0, "min": 10.0}
_STANDING = {
    "exception": "Eligible: by an exception.",
    "grandfathering": "Eligible: an earlier decision stands.",
}


def class_bounds(criterion: Criterion) -> tuple[float, ...]:
    """Give the bounds between the classes of a criterion, ascending, in the unit of its limit."""
    limit, narrowest = criterion.limit, NARROWEST[criterion.unit]
    usual = [bound for bound in BOUNDS[criterion.unit] if abs(bound - limit) >= narrowest]
    return tuple(sorted([limit, *usual]))


def distance_classes(decisions: pd.DataFrame, policy: EligibilityPolicy) -> pd.Series:
    """Say between which bounds each measure lies ("25 to 50 miles"); None where there is none.

    The class is on the side of the limit that the measure is on, the limit itself included.

    Parameters
    ----------
    decisions
        Of ``eligibility.judge`` for this policy.
    """
    told = np.full(len(decisions), None, dtype=object)
    metres, seconds = (
        pd.to_numeric(decisions[name]).to_numpy(float) for name in ("distance_m", "duration_s")
    )
    measure = np.where(np.isnan(metres), seconds, metres)
    chosen = pd.to_numeric(decisions["criterion"]).to_numpy(float)
    for at, criterion in enumerate(policy.any_of, 1):
        mine = (chosen == at) & ~np.isnan(measure)
        bounds = class_bounds(criterion)
        words = UNIT_WORDS[criterion.unit][0]
        ends = zip((0.0, *bounds), bounds, strict=False)
        labels = [f"{low:g} to {high:g} {words}" for low, high in ends]
        labels.append(f"over {bounds[-1]:g} {words}")
        # "within 50" holds at 50, "less than 50" does not: the limit goes with the side it is on.
        side = "left" if criterion.comparison in ("within", "more than") else "right"
        place = np.searchsorted(np.array(bounds) * UNITS[criterion.unit], measure[mine], side=side)  # type: ignore[call-overload]
        told[mine] = np.array(labels, dtype=object)[place]
    return pd.Series(told, index=decisions.index, dtype=object)


def plain_reasons(decisions: pd.DataFrame, policy: EligibilityPolicy) -> pd.Series:
    """Say why, without any distance, and without the reason of an exception.

    Parameters
    ----------
    decisions
        Of ``eligibility.judge`` for this policy.
    """
    told = decisions["sentence"].to_numpy(object, copy=True)
    by_distance = (decisions["basis"] == "distance").to_numpy(bool)
    chosen = pd.to_numeric(decisions["criterion"]).fillna(0).to_numpy(int)
    for at, criterion in enumerate(policy.any_of, 1):
        for decision in (ELIGIBLE, NOT_ELIGIBLE, NEEDS_REVIEW, CANNOT_DECIDE):
            rows = by_distance & (chosen == at) & (decisions["decision"] == decision).to_numpy(bool)
            if rows.any():
                office = decisions["office_name"].to_numpy(object)[rows].astype(str).astype(object)
                told[rows] = _clause(criterion, decision, len(policy.any_of)) + office + "."
    for basis, sentence in _STANDING.items():
        told[(decisions["basis"] == basis).to_numpy(bool)] = sentence
    return pd.Series(told, index=decisions.index, dtype=object)


def _clause(criterion: Criterion, decision: str, alternatives: int) -> str:
    """Write what stands before the name of the office."""
    limit = f"{limit_words(criterion)} of "
    if decision == NEEDS_REVIEW:
        return f"Needs review: it cannot be told on which side of {limit}"
    if decision == NOT_ELIGIBLE and alternatives > 1:
        return "Not eligible: on the wrong side of every limit of the policy; the nearest is "
    is_inside = (decision == ELIGIBLE) == criterion.is_near
    return f"{decision.capitalize()}: {'within' if is_inside else 'beyond'} {limit}"


def suppress(counts: Mapping[str, int], minimum: int = MINIMUM_CELL) -> dict[str, int | None]:
    """Hide small counts, and as many others as it takes that none can be had by subtraction.

    ``counts`` are parts of one whole, whose sum is taken to be known where it is at least
    ``minimum``; below that everything is hidden. None stands for hidden. What is hidden sums to at
    least ``minimum`` and to two parts or more, unless all is.
    """
    total = sum(counts.values())
    if 0 < total < minimum:
        return dict.fromkeys(counts)
    hidden = {name for name, count in counts.items() if 0 < count < minimum}
    for name in sorted(counts, key=lambda name: (counts[name], name)):
        if not 0 < sum(counts[each] for each in hidden) < minimum:
            break
        if counts[name] > 0:
            hidden.add(name)
    return {name: None if name in hidden else count for name, count in counts.items()}
