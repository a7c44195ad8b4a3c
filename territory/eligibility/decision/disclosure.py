"""Disclosure: what may leave HR. Distances in classes, reasons without distances, counts above a
cell size, and a decision record as a page to print and to sign, without an address.
"""  # noqa: D205

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.rules import (
    CANNOT_DECIDE,
    DECISION_NAMES,
    ELIGIBLE,
    LEVELS,
    METHOD_WORDS,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
    UNIT_WORDS,
    UNITS,
    limit_words,
    measure_text,
    policy_from,
    policy_words,
)
from territory.units_of_length import METRES_PER_MILE

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
_BASES = {
    "distance": "the distance",
    "exception": "an exception",
    "grandfathering": "an earlier decision that stands",
    "location": "what is known of the home and the person",
}
_FOOT = (
    "The home address is no part of this record. `territory eligibility verify` decides again from "
    "the recorded facts and names what differs."
)


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
        Of ``judge`` for this policy.
    """
    classes = np.full(len(decisions), None, dtype=object)
    metres, seconds = (
        pd.to_numeric(decisions[name]).to_numpy(float) for name in ("distance_m", "duration_s")
    )
    measure = np.where(np.isnan(metres), seconds, metres)
    deciding = pd.to_numeric(decisions["criterion"]).to_numpy(float)
    for at, criterion in enumerate(policy.any_of, 1):
        mine = deciding == at
        classes[mine] = measure_classes(measure[mine], criterion)
    return pd.Series(classes, index=decisions.index, dtype=object)


def measure_classes(measures: npt.NDArray[np.float64], criterion: Criterion) -> Objects:
    """Say between which bounds each measure (metres or seconds) lies; None where it is NaN."""
    bounds = class_bounds(criterion)
    # "within 50" holds at 50, "less than 50" does not: the limit goes with the side it is on.
    side = "left" if criterion.comparison in ("within", "more than") else "right"
    place = np.searchsorted(np.array(bounds) * UNITS[criterion.unit], measures, side=side)  # type: ignore[call-overload]
    classes: Objects = np.array(list(class_ends(criterion)), dtype=object)[place]
    classes[np.isnan(measures)] = None
    return classes


def class_ends(criterion: Criterion) -> dict[str, tuple[float, float]]:
    """Give every class of a criterion, ascending, with its ends in metres or seconds."""
    words, unit = UNIT_WORDS[criterion.unit][0], UNITS[criterion.unit]
    bounds = class_bounds(criterion)
    ends = {
        f"{low:g} to {high:g} {words}": (low * unit, high * unit)
        for low, high in zip((0.0, *bounds), bounds, strict=False)
    }
    return {**ends, f"over {bounds[-1]:g} {words}": (bounds[-1] * unit, np.inf)}


def plain_reasons(decisions: pd.DataFrame, policy: EligibilityPolicy) -> pd.Series:
    """Say why, without any distance, and without the reason of an exception.

    Parameters
    ----------
    decisions
        Of ``judge`` for this policy.
    """
    reasons = decisions["sentence"].to_numpy(object, copy=True)
    by_distance = (decisions["basis"] == "distance").to_numpy(bool)
    deciding = pd.to_numeric(decisions["criterion"]).fillna(0).to_numpy(int)
    for at, criterion in enumerate(policy.any_of, 1):
        for decision in (ELIGIBLE, NOT_ELIGIBLE, NEEDS_REVIEW, CANNOT_DECIDE):
            rows = (
                by_distance & (deciding == at) & (decisions["decision"] == decision).to_numpy(bool)
            )
            if rows.any():
                office = decisions["office_name"].to_numpy(object)[rows].astype(str).astype(object)
                reasons[rows] = _clause(criterion, decision, len(policy.any_of)) + office + "."
    for basis, sentence in _STANDING.items():
        reasons[(decisions["basis"] == basis).to_numpy(bool)] = sentence
    return pd.Series(reasons, index=decisions.index, dtype=object)


def _clause(criterion: Criterion, decision: str, alternatives: int) -> str:
    """Write what stands before the name of the office."""
    limit = f"{limit_words(criterion)} of "
    if decision == NEEDS_REVIEW:
        return f"Too close to call: the home may be on either side of {limit}"
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
    # One hidden part is the total less the others, so the next smallest are hidden with it.
    for name in sorted(counts, key=lambda name: (counts[name], name)):
        if not 0 < sum(counts[each] for each in hidden) < minimum:
            break
        if counts[name] > 0:
            hidden.add(name)
    return {name: None if name in hidden else count for name, count in counts.items()}


@dataclass(frozen=True)
class Certificate:
    """What a printed decision says. ``lines``: label and text, in order; ``notes``: at the foot."""

    title: str
    verdict: str
    sentence: str
    remedy: str | None
    lines: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    digest: str

    def text(self) -> str:
        """The same as plain text."""
        width = max(len(label) for label, _ in self.lines)
        remedy = [f"What would settle it: {self.remedy}"] if self.remedy else []
        return "\n".join(
            [
                self.title,
                "=" * len(self.title),
                "",
                self.sentence,
                *remedy,
                "",
                *(f"{label + ':':{width + 1}} {text}" for label, text in self.lines),
                "",
                *self.notes,
                "",
            ]
        )


def certificate(
    record: Mapping[str, Any],
    *,
    decision_id: str | None = None,
    is_exact: bool = False,
    digest: str | None = None,
) -> Certificate:
    """Write a decision record out for a printed page.

    Parameters
    ----------
    record
        As ``parse_record`` gives it; with ``is_exact`` an exact one.
    digest
        The digest to print; that of the record on record, where ``record`` is the exact one to it.
    is_exact
        Whether the reader may know exact distances: HR, and the person. Otherwise they come in
        classes, and neither the record's sentence nor the reason of an exception is given.

    Raises
    ------
    PolicyError
        If the recorded rule is none.
    """
    policy = policy_from(record["policy"]["rule"], "the recorded policy")
    request, decision, made = record["asked"], record["decision"], record["made_with"]
    row = pd.DataFrame([decision])
    sentence = decision["sentence"] if is_exact else plain_reasons(row, policy).iloc[0]
    lines = [
        ("Decision", DECISION_NAMES[decision["decision"]]),
        ("On record as", decision_id or "not on record"),
        ("Person", request["subject"] or "no reference given"),
        ("Decided for", request["on"]),
        ("Policy", f"{policy.label}, in force since {policy.effective_from}"),
        ("Rule", policy_words(policy)),
        ("Based on", _BASES[decision["basis"]]),
        *_measured(row, decision, policy, is_exact=is_exact),
        ("Asked by", f"{request['by']}, {request['at']}"),
    ]
    software = ", ".join(filter(None, (made["software"], made.get("routing"))))
    digest = digest or record["sha256"]["all"]
    return Certificate(
        title="Eligibility decision",
        verdict=DECISION_NAMES[decision["decision"]],
        sentence=sentence,
        remedy=decision["remedy"],
        lines=tuple(lines),
        notes=(
            f"Record SHA-256: {digest}",
            _FOOT,
            f"Made with {software}; place data {made['data']}.",
        ),
        digest=digest,
    )


def _measured(
    row: pd.DataFrame, decision: Mapping[str, Any], policy: EligibilityPolicy, *, is_exact: bool
) -> list[tuple[str, str]]:
    """Say what was measured, exactly or in a class, and how well the home is known."""
    lines = []
    if decision["office_name"]:
        lines.append(("Office", f"{decision['office_name']} ({decision['office_id']})"))
    if decision["criterion"]:
        criterion = policy.any_of[int(decision["criterion"]) - 1]
        method = METHOD_WORDS[criterion.method]
        if decision["decision"] == NEEDS_REVIEW and not is_exact:
            text = f"may be on either side of {limit_words(criterion)}"  # no class says that
        elif "distance_class" in decision:  # of a record that holds nothing more exact
            text = decision["distance_class"]
        elif is_exact:
            metres = decision["distance_m"]
            text = measure_text(decision["duration_s"] if metres is None else metres, criterion)
        else:
            text = distance_classes(row, policy).iloc[0]
        lines.append((f"Distance, {method}", text))
    if decision["precision"]:
        lines.append(("Home known as", LEVELS[decision["precision"]]))
    if is_exact and decision.get("uncertainty_m") is not None:
        miles = decision["uncertainty_m"] / METRES_PER_MILE
        lines.append(("Home known to", f"{miles:,.1f} miles" if miles else "the point given"))
    if is_exact and decision.get("road_distance_m") is not None:
        miles, minutes = decision["road_distance_m"] / METRES_PER_MILE, decision["road_time_s"] / 60
        lines.append(("By road", f"{miles:,.1f} miles, {minutes:,.0f} minutes"))
    return lines
