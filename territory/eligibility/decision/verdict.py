"""The verdict: from measured facts and a policy to a decision with its sentence and remedy.

No home, office or map is needed to judge again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from territory.eligibility.rules import (
    CANNOT_DECIDE,
    DECISION_NAMES,
    ELIGIBLE,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
    wording,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.eligibility.rules import Criterion, EligibilityPolicy

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]
    Objects = npt.NDArray[np.object_]
    Columns = dict[str, npt.NDArray[Any]]

COLUMNS = (
    "decision", "basis", "sentence", "remedy", "criterion", "method", "office_id", "office_name",
    "distance_m", "duration_s", "uncertainty_m", "precision", "geocode_source", "road_distance_m",
    "road_time_s",
)  # fmt: skip
# Convention, not measurement: a home that is d metres off is at most this many times d off by road.
DETOUR = 1.5
SLOWEST_M_S = 5.0  # and each of those metres takes at most this long: 18 km/h
FASTEST_M_S = 60.0  # nobody drives faster (216 km/h), so no office beyond is asked for
_HOLDS, _FAILS, _REVIEW, _CANNOT, _IGNORED = 1, 0, 2, 3, -1
UNIT_OF_TIME = "road_time"


@dataclass(frozen=True)
class Measure:
    """What one criterion measured of each home, shape (n,).

    ``value``: metres or seconds, NaN where ``fault`` (a key of ``FAULTS``) says why not.
    ``is_lower_bound``: the true value is that or more. ``office``: position in the facts' offices,
    -1 for none. ``applies``: whether the criterion holds for this role at all.
    """

    value: Floats
    is_lower_bound: Bools
    office: Ints
    fault: Objects
    applies: Bools


@dataclass(frozen=True)
class DecisionFacts:
    """All that decisions rest on, with no address or coordinates of homes; arrays of shape (n,).

    ``office_id``, ``office_name``, ``office_lon`` and ``office_lat`` have a row per office.
    ``exception``: position in the policy's exceptions of the one in force, -1 for none;
    ``expired_on``: when the last one ended. ``decided_on``: the earlier decision that stands.
    """

    index: pd.Index
    office_id: Objects
    office_name: Objects
    office_lon: Floats
    office_lat: Floats
    measures: tuple[Measure, ...]
    fault: Objects
    uncertainty_m: Floats
    precision: Objects
    geocode_source: Objects
    exception: Ints
    expired_on: Objects
    decided_on: Objects
    road_distance_m: Floats
    road_time_s: Floats


class LimitComparison(NamedTuple):
    """How a criterion compares with its limit, shape (n,).

    ``code``: holds, fails, needs review, cannot be told, does not apply. ``low`` and ``high``: the
    ends of what may be the true measure. ``is_band``: the review band alone asks for review.
    """

    code: Ints
    low: Floats
    high: Floats
    is_band: Bools


def judge(facts: DecisionFacts, policy: EligibilityPolicy) -> pd.DataFrame:
    """Decide from facts; the same facts and policy give the same decisions to the last letter.

    One criterion that surely holds is enough. Without one, a criterion that may hold needs review,
    one that nobody can tell cannot be decided, and only where all surely fail is a home not
    eligible. An exception or an earlier decision is looked at where distance does not suffice.

    Returns
    -------
    decisions
        ``COLUMNS`` on ``facts.index``, in order.
    """
    rows = len(facts.index)
    comparisons = [
        compare(criterion, measure, facts, policy.review_band_m)
        for criterion, measure in zip(policy.any_of, facts.measures, strict=True)
    ]
    codes = np.stack([each.code for each in comparisons])
    codes[:, ~pd.isna(facts.fault)] = _CANNOT
    best = np.full(rows, _IGNORED)
    for code in (_FAILS, _CANNOT, _REVIEW, _HOLDS):  # the later ones matter more
        best[(codes == code).any(axis=0)] = code
    # Of several criteria that say the same, the first of the policy decides: argmax takes it.
    deciding = np.argmax(codes == best, axis=0)
    words = np.array([NOT_ELIGIBLE, ELIGIBLE, NEEDS_REVIEW, CANNOT_DECIDE, CANNOT_DECIDE], object)
    table: Columns = {"decision": words[best]}  # _IGNORED is -1, the last
    faults = np.where(pd.isna(facts.fault), _pick([m.fault for m in facts.measures], deciding),
                      facts.fault)  # fmt: skip
    bound = _pick([m.is_lower_bound for m in facts.measures], deciding).astype(bool)
    faults[(best == _CANNOT) & pd.isna(faults) & bound] = "no_routing"
    faults[best == _IGNORED] = "no_role"
    is_open = np.isin(best, (_CANNOT, _IGNORED))
    table["basis"] = np.where(is_open, "location", "distance").astype(object)
    table["sentence"], table["remedy"] = _sentences(facts, policy, comparisons, codes, best, faults)
    _add_facts(table, facts, policy, deciding, is_open & ~bound)
    _apply_standing(table, facts, policy)
    return pd.DataFrame(
        {  # text stays of objects with None, whatever pandas would make of it
            name: pd.Series(table[name], index=facts.index, dtype=table[name].dtype)
            for name in COLUMNS
        }
    )


def deciding_offices(facts: DecisionFacts, policy: EligibilityPolicy) -> Ints:
    """Give the office that each decision names, its position in the facts' offices; -1 for none."""
    table = judge(facts, policy)
    criterion = pd.to_numeric(table["criterion"]).fillna(0).to_numpy(np.int64)
    office = _pick([m.office for m in facts.measures], np.maximum(criterion - 1, 0))
    offices: Ints = np.where(criterion > 0, office, -1).astype(np.int64)
    return offices


def _pick(parts: list[npt.NDArray[Any]], deciding: Ints) -> npt.NDArray[Any]:
    """Of several arrays take, for each row, the one that decides."""
    return np.stack(parts)[deciding, np.arange(len(deciding))]


def _add_facts(
    table: Columns, facts: DecisionFacts, policy: EligibilityPolicy, deciding: Ints, is_void: Bools
) -> None:
    """Add the columns that say what the decision rests on."""
    value = _pick([m.value for m in facts.measures], deciding).astype(float)
    office = _pick([m.office for m in facts.measures], deciding).astype(np.int64)
    value[is_void] = np.nan
    has = ~np.isnan(value)
    is_time = np.array([c.method == UNIT_OF_TIME for c in policy.any_of])[deciding]
    methods = np.array([c.method for c in policy.any_of], object)[deciding]
    columns: Columns = {
        "criterion": deciding + 1,
        "method": methods,
        "office_id": facts.office_id[office],
        "office_name": facts.office_name[office],
    }
    for name, values in columns.items():
        column = values.astype(object)
        column[~has] = None
        table[name] = column
    table["distance_m"] = np.where(is_time, np.nan, value)
    table["duration_s"] = np.where(is_time, value, np.nan)
    for name in ("uncertainty_m", "precision", "geocode_source", "road_distance_m", "road_time_s"):
        table[name] = getattr(facts, name)


def _sentences(
    facts: DecisionFacts,
    policy: EligibilityPolicy,
    comparisons: list[LimitComparison],
    codes: npt.NDArray[np.int64],
    best: Ints,
    faults: Objects,
) -> tuple[Objects, Objects]:
    """Write the sentence and the remedy of each row."""
    rows = len(best)
    body, remedy = (np.full(rows, None, dtype=object) for _ in range(2))
    for at, criterion in enumerate(policy.any_of):
        measure, comparison = facts.measures[at], comparisons[at]
        mine = (codes[at] == best) & ((best != _HOLDS) | pd.isna(body))
        settled = np.flatnonzero(mine & np.isin(best, (_HOLDS, _FAILS)))
        _join(body, settled, _clauses(criterion, measure, facts, settled))
        review = np.flatnonzero(mine & (best == _REVIEW))
        _join(body, review, _open_clauses(criterion, measure, facts, comparison, review, policy))
        first = review[pd.isna(remedy[review])]
        remedy[first] = [
            wording.review_remedy(
                facts.precision[i],
                is_band=bool(comparison.is_band[i]),
                is_road=criterion.method != "geodesic",
            )
            for i in first.tolist()
        ]
    is_open = np.isin(best, (_CANNOT, _IGNORED))
    for fault in pd.unique(faults[is_open]):
        reason, its_remedy = wording.FAULTS[fault]
        same = is_open & (faults == fault)
        body[same], remedy[same] = reason, its_remedy
    unit = policy.any_of[0].unit
    codes_in_order = (NOT_ELIGIBLE, ELIGIBLE, NEEDS_REVIEW, CANNOT_DECIDE, CANNOT_DECIDE)
    heads = np.array([f"{DECISION_NAMES[code]}: " for code in codes_in_order], object)
    return heads[best] + body + _how_well_known(facts, unit, best) + ".", remedy


def _join(body: Objects, rows: Ints, clauses: Objects) -> None:
    """Put a clause after those that a row has already."""
    again = ~pd.isna(body[rows])
    body[rows[again]] = body[rows[again]] + ", and " + clauses[again]
    body[rows[~again]] = clauses[~again]


def _clauses(criterion: Criterion, measure: Measure, facts: DecisionFacts, rows: Ints) -> Objects:
    """Write the clauses of settled rows; what they have in common is written once."""
    if not len(rows):
        return np.empty(0, dtype=object)
    value, office = measure.value[rows], measure.office[rows]
    bound = measure.is_lower_bound[rows]
    side = np.sign(value - criterion.limit_si).astype(np.int64)
    is_inside = (value == 0) & (criterion.origin == "area")
    # Rows with the same office, side and kind of distance differ in the number alone: a batch of a
    # million homes has a few hundred such keys.
    key = ((office * 3 + side + 1) * 2 + is_inside) * 2 + bound
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    pairs = [
        wording.around(
            criterion,
            facts.office_name[office[i]],
            int(side[i]),
            is_inside=bool(is_inside[i]),
            is_lower_bound=bool(bound[i]),
        )
        for i in first.tolist()
    ]
    before, after = (np.array(texts, dtype=object) for texts in zip(*pairs, strict=True))
    clauses: Objects = before[which] + wording.measure_texts(value, criterion) + after[which]
    return clauses


def _open_clauses(
    criterion: Criterion,
    measure: Measure,
    facts: DecisionFacts,
    comparison: LimitComparison,
    rows: Ints,
    policy: EligibilityPolicy,
) -> Objects:
    """Write the clauses of rows that need review, one by one: they are few."""
    clauses = np.empty(len(rows), dtype=object)
    clauses[:] = [
        wording.in_band(criterion, facts.office_name[at], value, policy.review_band_m)
        if is_band
        else wording.between(criterion, facts.office_name[at], low, high)
        for at, value, low, high, is_band in zip(
            measure.office[rows].tolist(),
            measure.value[rows].tolist(),
            *(
                part[rows].tolist()
                for part in (comparison.low, comparison.high, comparison.is_band)
            ),
            strict=True,
        )
    ]
    return clauses


def _how_well_known(facts: DecisionFacts, unit: str, best: Ints) -> Objects:
    """Say how well each home is known, where that is not exactly."""
    _, which = np.unique(np.nan_to_num(facts.uncertainty_m), return_inverse=True)
    level, kind = pd.factorize(facts.precision)
    decided = np.isin(best, (_HOLDS, _FAILS))
    counts = decided * 1 + (best == _REVIEW) * 2
    key = (which.ravel() * (len(kind) + 1) + level + 1) * 3 + counts
    _, first, again = np.unique(key, return_index=True, return_inverse=True)
    texts = np.full(len(first), "", dtype=object)
    for at, i in enumerate(first.tolist()):
        size = float(np.nan_to_num(facts.uncertainty_m[i]))
        if size > 0 and counts[i]:
            end = ", which cannot change the answer" if decided[i] else ""
            texts[at] = f"; {wording.known_to(facts.precision[i], size, unit)}{end}"
    endings: Objects = texts[again.ravel()]
    return endings


def _apply_standing(table: Columns, facts: DecisionFacts, policy: EligibilityPolicy) -> None:
    """Let exceptions and earlier decisions stand where distance does not make eligible."""
    decision, basis, sentence, remedy = (
        table[name] for name in ("decision", "basis", "sentence", "remedy")
    )
    short = decision != ELIGIBLE
    rule = policy.grandfathering
    for at in np.flatnonzero(short & ~pd.isna(facts.expired_on)).tolist():
        text = sentence[at].removesuffix(".")
        sentence[at] = f"{text}; an exception ended on {facts.expired_on[at]}."
    if rule is not None:
        for at in np.flatnonzero(short & ~pd.isna(facts.decided_on)).tolist():
            basis[at] = "grandfathering"
            sentence[at] = wording.by_grandfathering(rule, facts.decided_on[at])
    for at in np.flatnonzero(short & (facts.exception >= 0)).tolist():
        basis[at] = "exception"
        sentence[at] = wording.by_exception(policy.exceptions[facts.exception[at]])
    stands = np.isin(basis.astype(str), ("exception", "grandfathering"))
    decision[stands], remedy[stands] = ELIGIBLE, None


def spread(criterion: Criterion, uncertainty_m: Floats) -> Floats:
    """How far a measure may be off because the home is not known better: metres or seconds."""
    if criterion.method == "geodesic":
        return uncertainty_m
    by_road = uncertainty_m * DETOUR
    return by_road / SLOWEST_M_S if criterion.method == UNIT_OF_TIME else by_road


def compare(
    criterion: Criterion, measure: Measure, facts: DecisionFacts, band_m: float
) -> LimitComparison:
    """Compare a criterion with its limit, for every home."""
    with np.errstate(invalid="ignore"):
        off = spread(criterion, facts.uncertainty_m)
        low = np.maximum(measure.value - off, 0.0)
        high = np.where(measure.is_lower_bound, np.inf, measure.value + off)
        at_low, at_high = criterion.holds(low), criterion.holds(high)
        # Both ends of what may be the true measure on one side of the limit: nothing between them
        # can be on the other, since each comparison is monotone.
        settled = at_low == at_high
        is_band = np.zeros(len(low), bool)
        if band_m > 0 and criterion.method != UNIT_OF_TIME:
            is_band = settled & ~measure.is_lower_bound
            is_band &= np.abs(measure.value - criterion.limit_si) <= band_m
    code = np.where(settled, np.where(at_low, _HOLDS, _FAILS), _REVIEW)
    code[is_band] = _REVIEW
    code[measure.is_lower_bound & ~settled] = _CANNOT
    code[np.isnan(measure.value)] = _CANNOT
    code[~measure.applies] = _IGNORED
    return LimitComparison(code, low, high, is_band)
