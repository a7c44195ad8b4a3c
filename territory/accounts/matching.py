"""Duplicate matching: which pairs of prospects look like one company, scored, with evidence.

Proposals are meant to be right rather than complete: each rests on one of ``RULES``, whose share of
right pairs was read off real files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from territory.accounts.blocking import MatchColumns, candidates, gather
from territory.accounts.name_distance import is_slip, word_uses
from territory.units_of_length import to_miles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

NEAR_M = 8_000.0  # five miles
FARTHEST_M = 40_000.0  # beyond it no uncertainty makes two places one
THRESHOLD = 0.8
ALIKE = 80.0  # of 100: names with most of their words in common
NAMESAKES_EVERYWHERE = 5  # a name that more prospects than this have tells nobody apart
AT_ONCE = 500_000  # pairs judged at a time: bounds the memory that takes
COLUMNS = ("first_id", "second_id", "score", "evidence", "distance_m")


@dataclass(frozen=True)
class MatchRule:
    """What must be so of a pair, and how sure it then is that they are one company.

    ``needs`` names signs of ``_signs``; a sign after "!" must be missing.
    """

    score: float
    needs: tuple[str, ...]


# The first that fits counts.
RULES = (
    MatchRule(0.99, ("same_name", "same_domain", "near", "!other_street")),
    MatchRule(0.98, ("same_name", "same_street", "near")),
    MatchRule(0.95, ("same_name", "near", "!other_street", "!other_domain")),
    MatchRule(0.95, ("slip", "same_domain", "near", "!other_street")),
    MatchRule(0.93, ("slip", "same_street", "near")),
    MatchRule(0.90, ("same_name", "same_domain", "near")),
    MatchRule(0.90, ("same_name", "same_domain", "rare_name", "unplaced", "!other_street")),
    MatchRule(0.85, ("same_name", "near", "rare_name", "!other_domain")),
    MatchRule(0.85, ("slip", "near", "!other_street", "!other_domain")),
    MatchRule(0.80, ("same_name", "rare_name", "unplaced", "!other_place", "!other_domain")),
    MatchRule(0.75, ("same_name", "same_domain")),  # branches of one company, as a rule
    MatchRule(0.75, ("alike", "same_domain", "near")),  # sister companies, as a rule
    MatchRule(0.75, ("slip", "near", "!other_domain")),
    MatchRule(0.70, ("same_name", "near")),
    MatchRule(0.70, ("same_domain", "near")),
    MatchRule(0.60, ("alike", "same_domain")),
    MatchRule(0.50, ("same_name",)),
    MatchRule(0.40, ("same_domain",)),
)


def likely(
    rows: pd.DataFrame, *, near_m: float = NEAR_M, threshold: float = THRESHOLD
) -> pd.DataFrame:
    """Propose pairs of prospects that look like one company, the likeliest first.

    Names are compared without case, punctuation and legal forms; a name that differs counts only
    where it is a slip of the pen or the web address is the same. A parent and its child are no
    pair, nor are two prospects without a name. Every pair comes out once, the smaller id first;
    ties go by id. Where hundreds share a name and a place, each is paired with a few of them.

    Parameters
    ----------
    rows
        prospect_id, name and whatever there is of website, street, city, state, postal_code,
        country, parent_id, lon, lat (degrees) and uncertainty_m.
    near_m
        How far apart two addresses of one company may be, if what is uncertain about them does not
        add up to more.
    threshold
        Pairs with a lower score are left out.

    Returns
    -------
    pairs
        first_id, second_id, score (0 to 1), evidence (in words), distance_m (straight line; NaN:
        one of the two has no location).
    """
    columns = gather(rows)
    first, second = candidates(columns)
    in_order = columns.ids[first] < columns.ids[second]
    first, second = np.where(in_order, first, second), np.where(in_order, second, first)
    uses = word_uses(columns.words)
    parts = [
        _judged(
            columns, first[at : at + AT_ONCE], second[at : at + AT_ONCE], near_m, threshold, uses
        )
        for at in range(0, max(len(first), 1), AT_ONCE)
    ]
    pairs = pd.concat(parts)
    order = ["score", "first_id", "second_id"]
    return pairs.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _judged(
    columns: MatchColumns,
    first: Integers,
    second: Integers,
    near_m: float,
    threshold: float,
    uses: Mapping[str, int],
) -> pd.DataFrame:
    """Score pairs and keep those that reach the threshold, with their evidence."""
    distance_m = columns.distance_m(first, second)
    signs = _signs(columns, first, second, distance_m, near_m, uses)
    score = _scores(signs)
    positions = np.flatnonzero((score >= threshold) & (score > 0))
    first, second = first[positions], second[positions]
    signs = {name: mask[positions] for name, mask in signs.items()}
    return pd.DataFrame(
        {
            "first_id": columns.ids[first],
            "second_id": columns.ids[second],
            "score": score[positions],
            "evidence": pd.Series(
                _evidence(columns, first, second, signs, distance_m[positions]), dtype=object
            ),
            "distance_m": distance_m[positions],
        },
        columns=list(COLUMNS),
    )


def _signs(
    columns: MatchColumns,
    first: Integers,
    second: Integers,
    distance_m: Floats,
    near_m: float,
    uses: Mapping[str, int],
) -> dict[str, Bools]:
    """What is so of each pair."""

    def same(codes: Integers) -> Bools:
        is_same: Bools = (codes[first] == codes[second]) & (codes[first] >= 0)
        return is_same

    def other(codes: Integers) -> Bools:
        is_other: Bools = (
            (codes[first] != codes[second]) & (codes[first] >= 0) & (codes[second] >= 0)
        )
        return is_other

    # Two places are near where they may be one: no farther apart than what is uncertain about both
    # adds up to, but five miles always pass and more than FARTHEST_M never does.
    slack = columns.uncertainty_m[first] + columns.uncertainty_m[second]
    slack = np.clip(slack, near_m, max(near_m, FARTHEST_M))
    near = (distance_m <= slack) | (np.isnan(distance_m) & same(columns.locality))
    same_name, same_domain = same(columns.name), same(columns.domain)
    namesakes = np.bincount(columns.name[columns.name >= 0], minlength=1)
    rare = namesakes[np.maximum(columns.name[first], 0)] <= NAMESAKES_EVERYWHERE
    has_names = (columns.name[first] >= 0) & (columns.name[second] >= 0)
    slip = np.zeros(len(first), bool)
    positions = np.flatnonzero(near & has_names & ~same_name)
    slip[positions] = is_slip(columns.words, first[positions], second[positions], uses)
    alike = np.zeros(len(first), bool)
    positions = np.flatnonzero(same_domain & has_names & ~same_name)
    words = columns.words[first[positions]], columns.words[second[positions]]
    alike[positions] = process.cpdist(*words, scorer=fuzz.token_set_ratio) >= ALIKE
    return {
        "same_name": same_name,
        "slip": slip,
        "alike": alike | slip,
        "rare_name": rare,
        "same_domain": same_domain,
        "other_domain": other(columns.domain),
        "near": near,
        "unplaced": np.isnan(distance_m),
        "other_place": other(columns.locality),
        "same_street": same(columns.street),
        "other_street": other(columns.street),
    }


def _scores(signs: dict[str, Bools]) -> Floats:
    score = np.zeros(len(signs["near"]))
    # From the last rule to the first, so that the first that fits has the last word.
    for rule in reversed(RULES):
        fits = np.ones(len(score), bool)
        for sign in rule.needs:
            fits &= ~signs[sign[1:]] if sign.startswith("!") else signs[sign]
        score[fits] = rule.score
    return score


def _evidence(
    columns: MatchColumns,
    first: Integers,
    second: Integers,
    signs: dict[str, Bools],
    distance_m: Floats,
) -> list[str]:
    """Say what speaks for each pair, and what against it."""
    sentences = []
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        parts = []
        if signs["same_name"][at]:
            parts.append("same name")
        elif signs["slip"][at]:
            parts.append("name differs by a typo")
        elif signs["alike"][at]:
            parts.append("similar name")
        if signs["same_domain"][at]:
            parts.append(f"same web address {columns.domains[one]}")
        elif signs["other_domain"][at]:
            parts.append(f"but {columns.domains[one]} and {columns.domains[other]}")
        if signs["same_street"][at]:
            parts.append("same street and number")
        elif signs["other_street"][at]:
            parts.append("but another street")
        parts.append(_distance(distance_m[at], is_near=bool(signs["near"][at])))
        sentences.append(", ".join(part for part in parts if part))
    return sentences


def _distance(distance_m: float, *, is_near: bool) -> str:
    if np.isnan(distance_m):
        return "same town" if is_near else "one of the two has no location"
    miles = to_miles(distance_m)
    return "same place" if miles < 0.05 else f"{miles:,.1f} mi apart"
