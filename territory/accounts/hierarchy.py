"""Account hierarchy: companies and their parents, and what a whole family comes to.

Rings and parents that nobody knows are findings; they never stop or loop anything, and every
prospect is in exactly one family, so that sums over families are sums over prospects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.errors import NotFoundError
from territory.plans import COLUMNS as FINDING_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.store import Store

    Integers = npt.NDArray[np.int64]

SUMMED = ("employees", "revenue_usd")
_NOBODY = -1
_COLUMNS = ("prospect_id", "name", "city", "state", "status", "parent_id", *SUMMED)
_FINDING = ["code", "subject_id", "message", "remedy"]


@dataclass(frozen=True)
class Family:
    """A family of companies.

    ``members``: prospect_id, name, city, state, status, parent_id, depth, children, employees,
    revenue_usd, by depth and id; the first is the ultimate parent. ``employees`` and
    ``revenue_usd`` add up what is known of all of them (None: nothing is known). ``findings`` are
    the members' parents that are not on file, and rings.
    """

    ultimate_parent_id: str
    members: pd.DataFrame
    employees: float | None
    revenue_usd: float | None
    findings: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The family in one line."""
        sums = [
            f"{prefix}{value:,.0f}{suffix}"
            for prefix, value, suffix in (
                ("", self.employees, " employees"),
                ("$", self.revenue_usd, " revenue"),
            )
            if value is not None
        ]
        totals = f": {', '.join(sums)} known" if sums else ""
        head = self.members["name"].iloc[0]
        return f"{head} ({self.ultimate_parent_id}) is a family of {len(self.members):,}{totals}."

    def as_json(self) -> dict[str, Any]:
        """The family for a program to read."""
        whole = self.members.astype(object)
        return {
            "ultimate_parent_id": self.ultimate_parent_id,
            "employees": self.employees,
            "revenue_usd": self.revenue_usd,
            "members": whole.where(whole.notna(), None).to_dict("records"),
            "findings": self.findings[_FINDING].to_dict("records"),
        }


def family(store: Store, prospect_id: str) -> Family:
    """Look up the family that a prospect belongs to.

    Raises
    ------
    NotFoundError
        If there is no such prospect.
    """
    with store.read() as transaction:
        rows = transaction.table("prospects", _COLUMNS)
    totals = families(rows)
    whole = rows.drop(columns="parent_id").merge(totals, on="prospect_id")
    own = whole.loc[whole["prospect_id"] == prospect_id, "ultimate_parent_id"]
    if own.empty:
        raise NotFoundError(
            f"No prospect {prospect_id!r}. `territory export prospects FILE` lists those there are."
        )
    root = str(own.iloc[0])
    members = whole[whole["ultimate_parent_id"] == root]
    members = members.sort_values(["depth", "prospect_id"], ignore_index=True)
    findings = family_findings(rows[rows["prospect_id"].isin(members["prospect_id"])])
    sums = {name: members[f"family_{name}"].iloc[0] for name in SUMMED}
    amounts = {name: None if pd.isna(value) else float(value) for name, value in sums.items()}
    columns = [*_COLUMNS, "depth", "children"]
    return Family(
        ultimate_parent_id=root,
        members=members[columns],
        employees=amounts["employees"],
        revenue_usd=amounts["revenue_usd"],
        findings=findings,
    )


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
    in_ring = parent >= 0
    below = np.bincount(parent[in_ring], minlength=len(parent))
    leaves = np.flatnonzero(in_ring & (below == 0))
    while len(leaves):
        in_ring[leaves] = False
        above = parent[leaves]
        np.subtract.at(below, above, 1)
        above = np.unique(above)
        leaves = above[in_ring[above] & (below[above] == 0)]
    return in_ring


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
