"""Companies and their parents: who belongs to whom, and what a whole family comes to.

Rings and parents that nobody knows are findings; they never stop or loop anything, and every
prospect is in exactly one family, so that sums over families are sums over prospects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.plans import COLUMNS as FINDING_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

SUMMED = ("employees", "revenue_usd")
_NOBODY = -1


def families(prospects: pd.DataFrame) -> pd.DataFrame:
    """Tell of each prospect which family it is in and what stands below it.

    Every prospect comes back once, in the order given. The ultimate parent of a ring, and of what
    hangs on it, is the ring's smallest id. A parent that is not among the prospects is ignored.

    Parameters
    ----------
    prospects
        prospect_id (unique), parent_id, and employees and revenue_usd where they are summed.

    Returns
    -------
    families
        prospect_id, parent_id (None where it is unknown or closes the ring), ultimate_parent_id
        (its own where it has no parent), depth (0: ultimate parent), children, descendants, and
        for each of ``SUMMED`` that ``prospects`` has ``family_`` and its name: the prospect's own
        and that of all below it (NaN where none of them is known).
    """
    ids = prospects["prospect_id"].to_numpy(object)
    parent = _parents(prospects)
    parent[_ring_heads(parent, ids)] = _NOBODY
    depth, root = _depths(parent)
    children = np.bincount(parent[parent >= 0], minlength=len(ids))
    names = np.full(len(ids), None, dtype=object)
    names[parent >= 0] = ids[parent[parent >= 0]]
    sums = pd.DataFrame(
        {
            "prospect_id": ids,
            "parent_id": names,
            "ultimate_parent_id": ids[root],
            "depth": depth,
            "children": children,
            "descendants": _summed(np.ones(len(ids)), parent, depth).astype(np.int64) - 1,
        }
    )
    for name in (name for name in SUMMED if name in prospects):
        own = prospects[name].to_numpy(float)
        is_known = _summed((~np.isnan(own)).astype(float), parent, depth) > 0
        sums[f"family_{name}"] = np.where(
            is_known, _summed(np.nan_to_num(own), parent, depth), np.nan
        )
    return sums


def family_findings(prospects: pd.DataFrame) -> pd.DataFrame:
    """List parents that are not on file and rings of parents, as FINDINGS with market_id."""
    ids = prospects["prospect_id"].to_numpy(object)
    parent_ids = prospects["parent_id"]
    parent = _parents(prospects)
    is_lost = (parent_ids.notna() & ~parent_ids.isin(set(ids))).to_numpy()
    ring = _rings(parent)
    own = (parent_ids == prospects["prospect_id"]).to_numpy()
    rows = [
        *(
            ("parent_unknown", ids[at], f"Its parent {parent_ids.iloc[at]!r} is not on file.",
             "Import the parent, or correct the parent_id.")
            for at in np.flatnonzero(is_lost)
        ),
        *(
            ("parent_ring", ids[at], "It is its own parent." if own[at] else
             f"It is its own ancestor by way of {parent_ids.iloc[at]!r}.",
             "Correct the parent_id of one in the ring.")
            for at in np.flatnonzero(ring | own)
        ),
    ]  # fmt: skip
    findings = pd.DataFrame(rows, columns=["code", "subject_id", "message", "remedy"], dtype=object)
    findings = findings.assign(severity="warning", subject_kind="prospect", market_id=None)
    return findings[list(FINDING_COLUMNS)]


def _parents(prospects: pd.DataFrame) -> Integers:
    """Place of each prospect's parent; -1 for none, an unknown one, or the prospect itself."""
    places = pd.Index(prospects["prospect_id"]).get_indexer(pd.Index(prospects["parent_id"]))
    places = np.where(prospects["parent_id"].isna(), _NOBODY, places)
    own = np.arange(len(prospects))
    parent: Integers = np.where(places == own, _NOBODY, places).astype(np.int64)
    return parent


def _rings(parent: Integers) -> npt.NDArray[np.bool_]:
    """Which places stand in a ring.

    Leaves are taken off until none is left; what then remains is rings, since each has one parent.
    """
    left = parent >= 0
    below = np.bincount(parent[left], minlength=len(parent))
    leaves = np.flatnonzero(left & (below == 0))
    while len(leaves):
        left[leaves] = False
        above = parent[leaves]
        np.subtract.at(below, above, 1)
        above = np.unique(above)
        leaves = above[left[above] & (below[above] == 0)]
    return left


def _ring_heads(parent: Integers, ids: npt.NDArray[np.object_]) -> list[int]:
    """Place of the smallest id of each ring."""
    waiting = set(np.flatnonzero(_rings(parent)).tolist())
    heads = []
    while waiting:
        ring = [waiting.pop()]
        while (above := int(parent[ring[-1]])) in waiting:
            waiting.remove(above)
            ring.append(above)
        heads.append(min(ring, key=lambda place: str(ids[place])))
    return heads


def _depths(parent: Integers) -> tuple[Integers, Integers]:
    """How many parents stand above each place, and the topmost; ``parent`` has no rings."""
    own = np.arange(len(parent))
    top = np.where(parent >= 0, parent, own)
    steps = (parent >= 0).astype(np.int64)
    while True:  # each round doubles how far up is known
        further = top[top]
        if (further == top).all():
            return steps, top
        steps += steps[top]
        top = further


def _summed(
    values: npt.NDArray[np.float64], parent: Integers, depth: Integers
) -> npt.NDArray[np.float64]:
    """Add to each value those of all below it, from the lowest level up."""
    total = values.copy()
    for level in range(int(depth.max(initial=0)), 0, -1):
        places = np.flatnonzero(depth == level)
        np.add.at(total, parent[places], total[places])
    return total
