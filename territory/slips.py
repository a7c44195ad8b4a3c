"""Whether two company names differ by a slip of the pen only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

_WORTH_A_LOOK = 80.0  # of 100: names less alike than this differ by more than a slip
_FEW = 2  # a word that more names than this have is a word, not a slip
_LONG, _LONGER = 5, 9  # letters from which a word may have one slip, and two
# Words that add nothing to a name where one of the two has them and the other has not.
_EMPTY = frozenset(
    (
        "america", "brands", "com", "enterprises", "global", "group", "holding", "holdings",
        "industries", "international", "partners", "services", "solutions", "technologies", "us",
        "usa", "worldwide",
    )
)  # fmt: skip


def is_slip(names: npt.NDArray[np.object_], first: Integers, second: Integers) -> Bools:
    """Tell of each pair of rows of ``names`` (see ``name_key``) whether it is a slip.

    Letters swapped, dropped, doubled or mistaken after the first in a long word that is hardly in
    use otherwise, blanks, the order of words, and words such as "Group" that one of the two leaves
    out. Never a figure, and never one word of common use for another: First Bank is not Fifth Bank.
    """
    found = np.zeros(len(first), bool)
    if not len(first):
        return found
    one, other = names[first], names[second]
    score = process.cpdist(one, other, scorer=fuzz.token_sort_ratio, score_cutoff=_WORTH_A_LOOK)
    asked = np.flatnonzero(score)
    uses = _uses(names) if len(asked) else {}
    for at in asked:
        found[at] = _differs_by_a_slip(one[at].split(), other[at].split(), uses)
    return found


def _uses(names: npt.NDArray[np.object_]) -> dict[str, int]:
    """In how many different names each word occurs."""
    counts: dict[str, int] = {}
    for name in set(names):
        for word in set(name.split()):
            counts[word] = counts.get(word, 0) + 1
    return counts


def _differs_by_a_slip(one: list[str], other: list[str], uses: Mapping[str, int]) -> bool:
    mine = [word for word in one if word not in other]
    yours = [word for word in other if word not in one]
    if "".join(mine) == "".join(yours):  # blanks, or the order
        return True
    mine, yours = ([w for w in words if w not in _EMPTY] for words in (mine, yours))
    if not mine and not yours:
        return one[0] == other[0]
    if len(mine) != len(yours) or any(_has_digit(word) for word in (*mine, *yours)):
        return False
    pairs = zip(sorted(mine), sorted(yours), strict=True)
    return all(_is_misspelt(a, b, uses) for a, b in pairs)


def _is_misspelt(one: str, other: str, uses: Mapping[str, int]) -> bool:
    length = min(len(one), len(other))
    if one[0] != other[0] or length < _LONG or min(uses.get(one, 0), uses.get(other, 0)) > _FEW:
        return False
    return OSA.distance(one, other) <= (2 if length >= _LONGER else 1)


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)
