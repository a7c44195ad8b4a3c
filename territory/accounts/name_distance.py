"""Name distance: whether two company names differ by a slip of the pen only."""

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
# A spelling that more names than this have, and more than this share of the names that have the
# other one, is a word of its own, not a slip.
_FEW, _SHARE = 2, 0.02
_LONG, _LONGER = 5, 9  # letters from which a word may have one slip, and two
_ALONE = 7  # letters of a name of one word that may have a slip
# Words that add nothing to a name where one of the two has them and the other has not. Holding,
# Group and Global are not among them: as often as not that is the parent.
_EMPTY = frozenset(
    (
        "america", "brands", "com", "enterprises", "industries", "international", "partners",
        "services", "solutions", "technologies", "us", "usa", "worldwide",
    )
)  # fmt: skip


def is_slip(
    names: npt.NDArray[np.object_], first: Integers, second: Integers, uses: Mapping[str, int]
) -> Bools:
    """Tell of each pair of rows of ``names`` (see ``name_key``) whether it is a slip.

    Letters swapped, dropped, doubled or mistaken after the first in a long word that is hardly in
    use otherwise, blanks, the order of words, and words such as "USA" that one of the two leaves
    out. Never a figure, and never one word of common use for another: First Bank is not Fifth Bank.
    ``uses`` is what ``word_uses`` says of all names.
    """
    is_slip_of = np.zeros(len(first), bool)
    if not len(first):
        return is_slip_of
    cores = {name: _core(name) for name in {*names[first], *names[second]}}
    one, other = ([cores[name] for name in names[places]] for places in (first, second))
    score = process.cpdist(one, other, scorer=fuzz.token_sort_ratio, score_cutoff=_WORTH_A_LOOK)
    for at in np.flatnonzero(score):
        is_slip_of[at] = _differs_by_a_slip(one[at].split(), other[at].split(), uses)
    return is_slip_of


def _core(name: str) -> str:
    """A name without the words that add nothing, its first word apart."""
    first, *rest = name.split()
    return " ".join([first, *(word for word in rest if word not in _EMPTY)])


def word_uses(names: npt.NDArray[np.object_]) -> dict[str, int]:
    """In how many different names each word occurs."""
    counts: dict[str, int] = {}
    for name in set(names):
        for word in set(name.split()):
            counts[word] = counts.get(word, 0) + 1
    return counts


def _differs_by_a_slip(one: list[str], other: list[str], uses: Mapping[str, int]) -> bool:
    mine = [word for word in one if word not in other]
    yours = [word for word in other if word not in one]
    if "".join(mine) == "".join(yours):  # blanks, the order, or words that add nothing
        return True
    if min(len(one), len(other)) == 1 and min(map(len, (*one, *other))) < _ALONE:
        return False
    if len(mine) != len(yours) or any(_has_digit(word) for word in (*mine, *yours)):
        return False
    pairs = zip(sorted(mine), sorted(yours), strict=True)
    return all(_is_misspelt(a, b, uses) for a, b in pairs)


def _is_misspelt(one: str, other: str, uses: Mapping[str, int]) -> bool:
    length = min(len(one), len(other))
    rare, common = sorted((uses.get(one, 0), uses.get(other, 0)))
    if one[0] != other[0] or length < _LONG or rare > max(_FEW, _SHARE * common):
        return False
    return OSA.distance(one, other) <= (2 if length >= _LONGER else 1)


def _has_digit(word: str) -> bool:
    return any(letter.isdigit() for letter in word)
