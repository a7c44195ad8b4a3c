"""Duplicates (record linkage): pairs proposed with evidence, merged or kept apart by a person.

``resolve`` makes every later import heed the merges in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import audit_log
from territory.accounts import matching
from territory.accounts import merge as merging
from territory.accounts.duplicate_ledger import DISTINCT, MERGED, DuplicateDecision, DuplicateLedger
from territory.errors import ConflictError, InputError, NotFoundError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from territory.accounts.merge import Change, Prospect
    from territory.store import Store, Transaction


_SHOWN = (
    "name", "status", "street", "city", "state", "postal_code", "country", "website", "employees",
    "parent_id", "lon", "lat", "precision",
)  # fmt: skip
_PARTS = {
    "sites": ("site", "sites"),
    "contacts": ("contact", "contacts"),
    "opportunities": ("opportunity", "opportunities"),
    "named_accounts": ("named account", "named accounts"),
    "account_notes": ("note", "notes"),
    "next_steps": ("next step", "next steps"),
}
# The pairs found last in each open store, and the state they were found in.
_PAIRS_BYTES = 1_000_000


@dataclass(frozen=True)
class MergeReport:
    """What a merge changes, or what taking it back restored.

    ``left`` lists what was not restored because it has been changed or removed since.
    """

    kept_id: str
    merged_id: str
    evidence: str
    changes: tuple[Change, ...]
    is_dry_run: bool = False
    is_undone: bool = False
    left: tuple[str, ...] = ()

    @property
    def filled(self) -> tuple[str, ...]:
        """The columns that the kept prospect gets from the other one."""
        for change in self.changes:
            if change.kind == "prospects" and change.key["prospect_id"] == self.kept_id:
                return tuple(change.after or ())
        return ()

    @property
    def moved(self) -> dict[str, int]:
        """How many rows of each kind change hands; a prospect here is a subsidiary."""
        own = (self.kept_id, self.merged_id)
        counts: dict[str, int] = {}
        for change in self.changes:
            is_own = change.kind == "prospects" and change.key["prospect_id"] in own
            is_gone = change.kind == "named_accounts" and change.after is not None
            if not is_own and not is_gone and change.kind != merging.PLACE_DECISION:
                counts[change.kind] = counts.get(change.kind, 0) + 1
        return counts

    @property
    def sentence(self) -> str:
        """The report in one line."""
        parts = [
            f"{count:,} {_PARTS.get(kind, ('subsidiary', 'subsidiaries'))[count != 1]}"
            for kind, count in self.moved.items()
        ]
        if self.is_undone:
            left = f" Left as it is now: {', '.join(self.left)}." if self.left else ""
            back = f" {', '.join(parts)} went back to it." if parts else ""
            return f"{self.merged_id} is back beside {self.kept_id}.{back}{left}"
        moves = f"; {', '.join(parts)} moved to it" if parts else ""
        fills = f"; {', '.join(self.filled)} filled in" if self.filled else ""
        nothing = " Nothing was written." if self.is_dry_run else ""
        return f"{self.merged_id} is merged into {self.kept_id}{moves}{fills}.{nothing}"

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            "kept_id": self.kept_id,
            "merged_id": self.merged_id,
            "evidence": self.evidence,
            "filled": list(self.filled),
            "moved": self.moved,
            "left": list(self.left),
            "dry_run": self.is_dry_run,
        }


def likely_duplicates(
    store: Store, *, offset: int = 0, limit: int | None = 50
) -> tuple[pd.DataFrame, int]:
    """List pairs of prospects that look like one company, the likeliest first, and count them all.

    Pairs that somebody has called distinct are left out. Looking for the pairs takes seconds per
    100,000 prospects; they are kept as long as nothing that they rest on changes.

    Returns
    -------
    pairs
        first_id, second_id, score (0 to 1), evidence, distance_m, kept_id (the one to keep, if
        nobody knows better: a customer first, then the one of which more is known), and of either
        side what tells it apart: first_name, second_name, first_city ...
    total
        How many pairs there are in all.
    """
    likely = _pairs(store)
    with store.read() as transaction:
        table = DuplicateLedger(transaction).decisions()
        distinct = table[table["decision"] == DISTINCT]
        apart = pd.MultiIndex.from_frame(distinct[["first_id", "second_id"]])
        pairs = likely[~pd.MultiIndex.from_frame(likely[["first_id", "second_id"]]).isin(apart)]
        page = pairs.iloc[offset : None if limit is None else offset + limit]
        page = page.reset_index(drop=True)
        ids = list(dict.fromkeys([*page["first_id"], *page["second_id"]]))
        prospects = DuplicateLedger(transaction).prospects(ids).set_index("prospect_id")
    for side in ("first", "second"):
        own = prospects[list(_SHOWN)].reindex(page[f"{side}_id"]).reset_index(drop=True)
        page = page.join(own.add_prefix(f"{side}_"))
    weight = prospects.notna().sum(axis=1) + 100 * (prospects["status"] == "customer")
    first, second = (weight.reindex(page[f"{side}_id"]).to_numpy() for side in ("first", "second"))
    page.insert(5, "kept_id", page["first_id"].where(first >= second, page["second_id"]))
    return page, len(pairs)


def _pairs(store: Store) -> pd.DataFrame:
    """Give likely duplicates among all prospects; a second and more where one has changed."""
    return store.cached(
        ("prospects",),
        "likely duplicates",
        lambda transaction: matching.likely(DuplicateLedger(transaction).compared()),
        weight=_PAIRS_BYTES,
    )


def decisions(store: Store) -> pd.DataFrame:
    """List what was decided about pairs, newest first.

    first_id (of a merge the one kept), second_id, decision ("merged", "distinct"), evidence,
    decided_at, decided_by.
    """
    with store.read() as transaction:
        rows = DuplicateLedger(transaction).decisions().drop(columns=["has_first", "has_second"])
    return rows.iloc[::-1].reset_index(drop=True)


def merge(
    store: Store, kept_id: str, merged_id: str, *, by: str, now: datetime, is_dry_run: bool = False
) -> MergeReport:
    """Make one prospect of two: ``kept_id`` stays, ``merged_id`` goes.

    The kept one keeps its values, what it lacks is filled in from the other; sites, contacts,
    opportunities, notes, next steps, subsidiaries and a named account move to it. ``unmerge`` takes
    it back.

    Raises
    ------
    NotFoundError
        If one of the two is not in the store.
    InputError
        If both ids are the same.
    """
    if is_dry_run:
        with store.read() as transaction:
            return _planned(transaction, kept_id, merged_id, is_dry_run=True)
    with store.write() as transaction:
        report = _planned(transaction, kept_id, merged_id, is_dry_run=False)
        DuplicateLedger(transaction).apply(report.changes)
        DuplicateLedger(transaction).record(
            DuplicateDecision(
                kept_id, merged_id, MERGED, report.evidence, utc_text(now), by, report.changes
            )
        )
        _put_on_record(transaction, "merge", (kept_id, merged_id), report.evidence, by, now)
        return report


def _planned(
    transaction: Transaction, kept_id: str, merged_id: str, *, is_dry_run: bool
) -> MergeReport:
    survivor, merged = _both(transaction, kept_id, merged_id)
    ledger = DuplicateLedger(transaction)
    changes = merging.changes(
        survivor, merged, ledger.ancestors(kept_id), ledger.ancestors(merged_id)
    )
    return MergeReport(kept_id, merged_id, _evidence(survivor, merged), changes, is_dry_run)


def keep_apart(store: Store, first_id: str, second_id: str, *, by: str, now: datetime) -> None:
    """Note that two prospects are not the same company; they are not proposed again.

    Raises
    ------
    NotFoundError
        If one of the two is not in the store.
    InputError
        If both ids are the same.
    """
    with store.write() as transaction:
        evidence = _evidence(*_both(transaction, first_id, second_id))
        first, second = sorted((first_id, second_id))
        DuplicateLedger(transaction).record(
            DuplicateDecision(first, second, DISTINCT, evidence, utc_text(now), by)
        )
        _put_on_record(transaction, "keep_apart", (first, second), evidence, by, now)


def reconsider(store: Store, first_id: str, second_id: str, *, by: str, now: datetime) -> None:
    """Forget that two prospects were called distinct, so that they may be proposed again.

    Raises
    ------
    NotFoundError
        If nobody called them distinct.
    """
    with store.write() as transaction:
        decision = DuplicateLedger(transaction).decision(first_id, second_id)
        if decision is None or decision.decision != DISTINCT:
            raise NotFoundError(
                f"{first_id!r} and {second_id!r} are not marked as different companies. "
                "`territory duplicates decided` lists what was decided."
            )
        DuplicateLedger(transaction).forget(first_id, second_id)
        _put_on_record(transaction, "reconsider", (first_id, second_id), None, by, now)


def _put_on_record(
    transaction: Transaction,
    decision: str,
    pair: tuple[str, str],
    evidence: str | None,
    by: str,
    now: datetime,
) -> None:
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=f"duplicates.{decision}",
        subject_kind="prospect",
        subject_id=pair[0],
        detail={"other": pair[1], "evidence": evidence},
    )


def unmerge(store: Store, kept_id: str, merged_id: str, *, by: str, now: datetime) -> MergeReport:
    """Take a merge back: the merged prospect returns with all that came from it.

    What has been changed since, by an import or by hand, stays as it is now. The two count as
    distinct from then on (``reconsider`` forgets that).

    Raises
    ------
    NotFoundError
        If no such merge is recorded.
    ConflictError
        If the kept prospect was itself merged away since, or the merged one is in the store again.
    """
    with store.write() as transaction:
        ledger = DuplicateLedger(transaction)
        decision = ledger.decision(kept_id, merged_id)
        if decision is None or decision.decision != MERGED or decision.first_id != kept_id:
            raise NotFoundError(
                f"No merge of {merged_id!r} into {kept_id!r} is recorded. "
                "`territory duplicates decided` lists what was decided."
            )
        _refuse_unmerge(ledger.decisions(), kept_id, merged_id)
        undone, left = [], []
        for change in reversed(decision.changes):
            if change.after is None or ledger.current(change) == change.after:
                undone.append(merging.Change(change.kind, change.key, change.after, change.before))
            else:
                left.append(_label(change))
        ledger.apply(undone)
        first, second = sorted((kept_id, merged_id))
        evidence = f"merge of {merged_id} into {kept_id} taken back"
        ledger.record(DuplicateDecision(first, second, DISTINCT, evidence, utc_text(now), by))
        _put_on_record(transaction, "unmerge", (kept_id, merged_id), evidence, by, now)
        return MergeReport(
            kept_id, merged_id, evidence, tuple(undone), is_undone=True, left=tuple(left)
        )


def _refuse_unmerge(table: pd.DataFrame, kept_id: str, merged_id: str) -> None:
    here = table[(table["first_id"] == kept_id) & (table["second_id"] == merged_id)]
    if here["has_second"].any():
        raise ConflictError(
            f"{merged_id!r} is in the store again, so the merge is no longer in force. "
            f"`territory duplicates keep-apart {kept_id} {merged_id}` settles it."
        )
    onward = table[(table["decision"] == MERGED) & (table["second_id"] == kept_id)]
    merges = onward[~onward["has_second"]]
    if len(merges):
        into = merges["first_id"].iloc[0]
        raise ConflictError(
            f"{kept_id!r} was itself merged into {into!r} since. Undo that first. "
            f"`territory duplicates unmerge {into} {kept_id}` does."
        )


def _label(change: Change) -> str:
    key = " ".join(map(str, change.key.values()))
    columns = f" ({', '.join(change.after)})" if change.before and change.after else ""
    return f"{change.kind} {key}{columns}"


def _both(transaction: Transaction, first_id: str, second_id: str) -> tuple[Prospect, Prospect]:
    if first_id == second_id:
        raise InputError(f"{first_id!r} is one prospect: give the ids of two.")
    prospects = {
        name: DuplicateLedger(transaction).prospect(name) for name in (first_id, second_id)
    }
    for name, prospect in prospects.items():
        if prospect is None:
            into = DuplicateLedger(transaction).decisions()
            into = into[(into["second_id"] == name) & (into["decision"] == MERGED)]
            hint = (
                f"It was merged into {into['first_id'].iloc[-1]!r}."
                if len(into)
                else "`territory export prospects FILE` lists those there are."
            )
            raise NotFoundError(f"No prospect {name!r}. {hint}")
    first, second = prospects[first_id], prospects[second_id]
    if first is None or second is None:  # for the type checker: told above
        raise NotFoundError(f"No prospect {first_id!r} or {second_id!r}.")
    return first, second


def _evidence(one: Prospect, other: Prospect) -> str:
    """Say what speaks for two prospects being one company."""
    pairs = matching.likely(pd.DataFrame([one.row, other.row]), threshold=0)
    return str(pairs["evidence"].iloc[0]) if len(pairs) else "no evidence but the person's decision"
