"""The register record: what a store keeps of a decision, with every measure in its distance class.

What it says follows from the classes, the offices and the outcome of each criterion alone, so that
two homes in the same classes leave the same record: whoever reads it, however many of them, can
place a home no better than the classes do. The exact measures lie with the home, under a digest
whose key is the home's salt; both go when the home is purged, and the record still verifies.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.decision.disclosure import class_ends, measure_classes, plain_reasons
from territory.eligibility.decision.record import (
    FORMAT,
    REGISTER_FORMAT,
    canonical,
    decide_exactly,
    facts_from,
    plain_value,
    signed,
    verify_with,
    with_digests,
)
from territory.eligibility.decision.verdict import COLUMNS, compare, judge
from territory.eligibility.rules import policy_from
from territory.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from territory.eligibility.decision.verdict import DecisionFacts
    from territory.eligibility.rules import Criterion, EligibilityPolicy


# What of a decision and its facts may outlive the home.
_DECISION = (
    "decision", "basis", "sentence", "remedy", "criterion", "method", "office_id", "office_name",
    "precision", "geocode_source",
)  # fmt: skip
DECISION = (*_DECISION, "distance_class")
_FACTS = ("fault", "precision", "geocode_source", "expired_on", "decided_on")
_MEASURE = ("fault", "is_lower_bound", "applies", "office_id", "office_name")
_EXACT = ("facts", "decision")
_RESTATED = "restated"
_OUTCOMES = ("fails", "holds", "needs review", "cannot be told", "does not apply")  # code -1: last
# A class stands for a measure in it when a record is judged again; so little off is on its side.
_OFF_M = 1e-3


def measured_text(content: Mapping[str, Any]) -> str:
    """Give what of an exact record must lie with the home, as canonical JSON."""
    return canonical({name: content[name] for name in _EXACT})


def register_records(
    exact: Iterable[tuple[Mapping[str, Any], str | None]],
    facts: DecisionFacts,
    policy: EligibilityPolicy,
    decisions: pd.DataFrame,
) -> Iterator[tuple[dict[str, Any], str]]:
    """Write down decisions for a store: each record, and its canonical text.

    Parameters
    ----------
    exact
        What an exact record holds of each (``record.contents``), and the commitment to what was
        measured (``measured_text``); None where it is not kept.
    facts, policy, decisions
        What they were made of, row by row.
    """
    criteria = _criteria(facts, policy)
    sentences = _sentences(decisions, policy).tolist()
    rule: Mapping[str, Any] | None = None
    for (content, mark), parts, sentence in zip(
        exact, zip(*criteria, strict=True), sentences, strict=True
    ):
        if content["policy"] is not rule:  # most rows share one, whose text is written once
            rule = content["policy"]
            ready = {name: canonical(content[name]) for name in ("made_with", "policy")}
        yield signed(_content(content, parts, sentence, mark), ready)


def register_record(
    exact: Mapping[str, Any], mark: str | None, *, restated: str | None = None
) -> dict[str, Any]:
    """Write an exact record down for a store, as ``register_records`` does for many.

    Parameters
    ----------
    restated
        The id of a decision that was on record exactly, for records that replace such ones.
    """
    policy = policy_from(exact["policy"]["rule"], "the recorded policy")
    facts = facts_from(exact["facts"], policy)
    decisions = pd.DataFrame([exact["decision"]], columns=list(COLUMNS), dtype=object)
    if restated is not None:
        exact = {**exact, "made_with": {**exact["made_with"], _RESTATED: restated}}
    return next(register_records([(exact, mark)], facts, policy, decisions))[0]


def exact_record(record: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """Give the exact record again, from the one in the store and what lay with the home."""
    content = {**record, **measured, "format": FORMAT}
    for section, name in (("asked", "measures"), ("made_with", _RESTATED)):
        content[section] = {key: part for key, part in content[section].items() if key != name}
    return with_digests({name: value for name, value in content.items() if name != "sha256"})


def is_exact(record: Mapping[str, Any]) -> bool:
    """Whether a record holds distances to the metre."""
    return bool(record["format"] == FORMAT)


def is_restated(record: Mapping[str, Any]) -> bool:
    """Whether a record replaces one of an earlier version that held distances to the metre."""
    return _RESTATED in record["made_with"]


def verify(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Decide again from the recorded facts and say all that differs; empty if nothing does.

    A record of a store is decided again from the class and the outcome of each criterion.

    Raises
    ------
    FileFormatError
        If the facts cannot be read as facts.
    """
    if is_exact(record):
        return verify_with(record, decide_exactly)
    return (*verify_with(record, _decide_again), *_compare_outcomes(record))


def _compare_outcomes(record: Mapping[str, Any]) -> Iterator[str]:
    """Say which outcomes do not go with their classes."""
    try:
        policy = policy_from(record["policy"]["rule"], "the recorded policy")
    except PolicyError:  # said already
        return
    parts = record["facts"]["measures"]
    criteria = _criteria(_stand_ins(record["facts"], policy), policy)
    for at, (part, ((_, outcome, _),)) in enumerate(zip(parts, criteria, strict=True), 1):
        if outcome != part["outcome"]:
            yield f"facts.measures {at}: {part['class']} {outcome}, recorded {part['outcome']!r}"


def _criteria(
    facts: DecisionFacts, policy: EligibilityPolicy
) -> list[list[tuple[str | None, str, bool]]]:
    """Give the class, the outcome and whether a band asked for review, by criterion and row."""
    columns = []
    for criterion, measure in zip(policy.any_of, facts.measures, strict=True):
        comparison = compare(criterion, measure, facts, policy.review_band_m)
        outcomes = np.array(_OUTCOMES, dtype=object)[comparison.code]
        classes = measure_classes(measure.value, criterion)
        rows = (classes.tolist(), outcomes.tolist(), comparison.is_band.tolist())
        columns.append(list(zip(*rows, strict=True)))
    return columns


def _sentences(decisions: pd.DataFrame, policy: EligibilityPolicy) -> pd.Series:
    """Say why without any distance; an exception or an earlier decision in full."""
    by_distance = decisions["basis"] == "distance"
    return plain_reasons(decisions, policy).where(by_distance, decisions["sentence"])


def _content(
    exact: Mapping[str, Any],
    parts: Sequence[tuple[str | None, str, bool]],
    sentence: str,
    mark: str | None,
) -> dict[str, Any]:
    facts, decision = exact["facts"], exact["decision"]
    measures = [
        {
            **{name: measure[name] for name in _MEASURE},
            "class": distance_class,
            "outcome": outcome,
            "is_band": is_band,
        }
        for measure, (distance_class, outcome, is_band) in zip(
            facts["measures"], parts, strict=True
        )
    ]
    at = decision["criterion"]
    return {
        "format": REGISTER_FORMAT,
        "asked": {**exact["asked"], "measures": mark},
        "made_with": exact["made_with"],
        "policy": exact["policy"],
        "facts": {"measures": measures, **{name: facts[name] for name in _FACTS}},
        "decision": {
            **{name: decision[name] for name in _DECISION},
            "sentence": sentence,
            "distance_class": None if at is None else measures[int(at) - 1]["class"],
        },
    }


def _stand_ins(table: Mapping[str, Any], policy: EligibilityPolicy) -> DecisionFacts:
    """Give facts whose measures stand for the classes."""
    measures = [
        {**part, "value": _stand_in(part, criterion, policy.review_band_m)}
        for part, criterion in zip(table["measures"], policy.any_of, strict=True)
    ]
    exact = {"road_distance_m": None, "road_time_s": None, "uncertainty_m": _OFF_M}
    return facts_from({**table, **exact, "measures": measures}, policy)


def _decide_again(table: Mapping[str, Any], policy: EligibilityPolicy) -> dict[str, Any]:
    facts = _stand_ins(table, policy)
    decisions = judge(facts, policy)
    row = decisions.iloc[0]
    decision = {name: plain_value(row[name]) for name in _DECISION}
    at = decision["criterion"]
    return {
        **decision,
        "sentence": _sentences(decisions, policy).iloc[0],
        "distance_class": None if at is None else table["measures"][int(at) - 1]["class"],
    }


def _stand_in(part: Mapping[str, Any], criterion: Criterion, band_m: float) -> float | None:
    """Give a measure (metres or seconds) with the outcome of a class, if it can have that one."""
    ends = class_ends(criterion)
    if part["class"] not in ends:
        return None
    low, high = ends[part["class"]]
    limit, side = criterion.limit_si, -1.0 if high <= criterion.limit_si else 1.0
    if part["outcome"] not in ("holds", "fails"):
        # Within the band but surely on one side, or the limit itself, known a little less well.
        return limit + side * 10 * _OFF_M if part["is_band"] and band_m > 0 else limit
    # The end away from the limit, so that neither a band nor what is not known reaches it.
    far = low if side < 0 else high
    return far if math.isfinite(far) else 10.0 * low + band_m
