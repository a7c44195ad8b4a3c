"""Merged ids: rows of a file read in the light of the merges in force.

A row of a prospect that was merged away counts as a duplicate, and whatever names that prospect
means the one that was kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import access
from territory.access import UserLedger
from territory.accounts import merge
from territory.accounts.duplicate_ledger import MERGED, DuplicateLedger
from territory.cleaning import short_forms
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.store import Transaction

# The column of each kind that names a prospect.
NAMED = {
    "sites": "prospect_id",
    "contacts": "prospect_id",
    "opportunities": "prospect_id",
    "named_accounts": "prospect_id",
    "prospects": "parent_id",
}

# The columns of each kind that hold ids of one column, and the kind of record that they name.
_REFERRED = {
    "offices": {"office_id": "offices"},
    "prospects": {"prospect_id": "prospects", "parent_id": "prospects", "owner_rep_id": "reps"},
    "reps": {"rep_id": "reps", "base_office_id": "offices"},
    "markets": {"market_id": "markets"},
    "territories": {"rep_id": "reps", "market_id": "markets"},
    "named_accounts": {"prospect_id": "prospects"},
    "sites": {"site_id": "sites", "prospect_id": "prospects"},
    "contacts": {"contact_id": "contacts", "prospect_id": "prospects"},
    "opportunities": {"opportunity_id": "opportunities", "prospect_id": "prospects"},
    "quotas": {"rep_id": "reps"},
}


def resolve(
    transaction: Transaction, kind: str, rows: pd.DataFrame
) -> tuple[pd.DataFrame, pd.Series]:
    """Read rows of a file in the light of the merges in force.

    Whatever names a prospect that was merged away (a site's prospect_id, a parent_id) names the
    one that was kept. A kept prospect has its blanks filled as the merge filled them, from the
    merged row where the file has it, so that the same file changes nothing. A merge whose kept
    prospect is neither in the store nor in the file is not in force.

    Parameters
    ----------
    rows
        Rows of ``kind`` as the store holds them, geocode and all.

    Returns
    -------
    rows
        The same rows in the same order.
    reason
        Why a row does not count, by the index of ``rows``: its prospect was merged away. Else None.
    """
    reason = pd.Series(np.full(len(rows), None), index=rows.index, dtype=object)
    column = NAMED.get(kind)
    if column is None:
        return rows, reason
    decisions = DuplicateLedger(transaction).decisions()
    decisions = decisions[decisions["decision"] == MERGED]
    if decisions.empty:
        return rows, reason
    at_hand = set(rows["prospect_id"].dropna()) if kind == "prospects" else set()
    roots = _roots(decisions, at_hand)
    if kind == "prospects":
        names = UserLedger(transaction).names()
        reason = _reasons(rows["prospect_id"], decisions, roots, names)
        rows = _fill(transaction, rows, decisions, roots)
    is_renamed = rows[column].isin(roots)
    renamed = rows[column].mask(is_renamed, rows[column].map(roots))
    if kind == "prospects":
        renamed = renamed.where(renamed != rows["prospect_id"], None)
    if kind == "named_accounts":
        again = is_renamed & (
            renamed.duplicated() | renamed.isin(set(rows.loc[~is_renamed, column]))
        )
        reasons = "prospect " + rows[column].map(repr) + " was merged into " + renamed.map(repr)
        reason = reason.mask(again, reasons + ", which the file names as well")
    return rows.assign(**{column: renamed}), reason


def _roots(decisions: pd.DataFrame, at_hand: set[str]) -> dict[str, str]:
    """Which prospect each one that was merged away is now, through however many merges."""
    merges = decisions[~decisions["has_second"]]
    step = dict(zip(merges["second_id"], merges["first_id"], strict=True))
    # A chain of merges ends at the last prospect that is there, in the store or in the file. No
    # database rule forbids a ring of decisions, so each is walked once.
    here = at_hand | set(decisions.loc[decisions["has_first"], "first_id"])
    roots = {}
    for name in step:
        at, path, last = name, {name}, None
        while (at := step.get(at, "")) and at not in path:
            path.add(at)
            last = at if at in here else last
        if last is not None:
            roots[name] = last
    return roots


def _reasons(
    ids: pd.Series,
    decisions: pd.DataFrame,
    roots: dict[str, str],
    names: Mapping[str, str],
) -> pd.Series:
    columns = (decisions[name] for name in ("second_id", "decided_by", "decided_at"))
    who = access.person_name
    reasons = {
        name: f"{name!r} was merged into {roots[name]!r} by {who(by, names)} on {at[:10]}"
        for name, by, at in zip(*columns, strict=True)
        if name in roots
    }
    reason = ids.map(reasons).astype(object)
    return reason.where(reason.notna(), None)


def _fill(
    transaction: Transaction, rows: pd.DataFrame, decisions: pd.DataFrame, roots: dict[str, str]
) -> pd.DataFrame:
    """Fill the blanks of kept prospects as their merges did."""
    ids = rows["prospect_id"]
    ids = ids[ids.isin({*roots, *roots.values()})]
    at = dict(zip(ids, ids.index, strict=True))
    by_hand = DuplicateLedger(transaction).placed_by_hand()
    filled: dict[Any, merge.Values] = {}
    for first_id, second_id in _in_order(decisions, roots):
        root = roots[second_id]
        index = at.get(root)
        if index is None:
            continue
        survivor = filled.get(index) or merge.records(rows.loc[[index]])[0]
        if second_id in at:
            merged = merge.records(rows.loc[[at[second_id]]])[0]
        else:
            merged = DuplicateLedger(transaction).image(first_id, second_id) or {}
        is_fixed = root in by_hand and not _took_place(transaction, first_id, second_id)
        values = merge.filled(survivor, merged, is_placed_by_hand=is_fixed)
        parent = merged.get("parent_id")
        if (
            survivor["parent_id"] is None
            and parent
            and root not in DuplicateLedger(transaction).ancestors(parent)
        ):
            values["parent_id"] = parent
        if values:
            filled[index] = survivor | values
    if not filled:
        return rows
    rows = rows.copy()
    changed = pd.DataFrame.from_dict(filled, orient="index")
    for name in rows.columns:
        rows.loc[changed.index, name] = changed[name].astype(rows[name].dtype)
    return rows


def _took_place(transaction: Transaction, first_id: str, second_id: str) -> bool:
    """Whether a merge gave the kept prospect the location of the other one."""
    decision = DuplicateLedger(transaction).decision(first_id, second_id)
    return decision is not None and any(
        change.kind == "prospects"
        and change.key["prospect_id"] == first_id
        and not set(merge.LOCATION).isdisjoint(change.after or ())
        for change in decision.changes
    )


def _in_order(decisions: pd.DataFrame, roots: dict[str, str]) -> list[tuple[str, str]]:
    """Pairs (kept, merged) as they filled one another: oldest first, each before its own."""
    merges = decisions[decisions["second_id"].isin(set(roots)) & ~decisions["has_second"]]
    above = dict(zip(merges["second_id"], merges["first_id"], strict=True))
    decided_at = dict(zip(merges["second_id"], merges["decided_at"], strict=True))

    def path(name: str) -> tuple[str, ...]:
        walked: list[str] = []
        at = name
        while at in above and at != roots[name]:
            walked.append(f"{decided_at[at]} {at}")
            at = above[at]
        return tuple(reversed(walked))

    return [(above[name], name) for name in sorted(above, key=path)]


def as_on_file(transaction: Transaction, kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Name records as the store does, which may hold Salesforce ids of 15 characters.

    Rows read today have those of 18. Where the store knows a record by the shorter form alone, so
    do the rows, in their own id and in whatever they refer to.
    """
    columns = {}
    for column, other in _REFERRED[kind].items():
        short = short_forms(rows[column])
        if short.isna().all():
            continue
        key = KINDS[other].key[0]
        on_file = _on_file(transaction, other, key, short)
        is_short = short.isin(on_file)
        if not is_short.any():
            continue
        whole = _on_file(transaction, other, key, rows.loc[is_short, column])
        is_short &= ~rows[column].isin(whole)
        columns[column] = rows[column].mask(is_short, short)
    return rows.assign(**columns) if columns else rows


def _on_file(transaction: Transaction, kind: str, key: str, ids: pd.Series) -> set[str]:
    keys = ids.dropna().drop_duplicates().to_frame(key)
    return set(transaction.rows(kind, keys, [key])[key])
