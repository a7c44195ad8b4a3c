"""Rollback of an import: what it brought goes, what it changed is as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory import access
from territory.access import UserLedger, audit_log
from territory.accounts import MERGED, ActivityLedger, DuplicateLedger, merged_ids
from territory.errors import ConflictError
from territory.geocoding import review
from territory.imports import update_rows
from territory.imports.ledger import IS_NEW, ImportLedger
from territory.imports.report import UndoReport
from territory.imports.rows import key_text
from territory.plans import PlanLedger
from territory.store import KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from territory.imports.report import ImportRecord
    from territory.store import Store, Transaction

_NAMED = 5  # keys that a message names; the rest is counted


def undo(
    store: Store, import_id: str, *, by: str, now: datetime, dry_run: bool = False
) -> UndoReport:
    """Take an import back: what it brought goes, what it changed is as it was before.

    Notes and next steps about prospects that go stay on file, and the report counts them.

    Raises
    ------
    NotFoundError
        If there is no such import.
    ConflictError
        If it was undone already, or if something rests on it: a later import of the same rows, rows
        of other kinds that name the new ones, a row that is no longer there. Nothing is written.
    """
    with store.read() if dry_run else store.write() as transaction:
        ledger = ImportLedger(transaction)
        record = ledger.record(import_id)
        if record.undone_at is not None:
            who = access.person_name(record.undone_by, UserLedger(transaction).names())
            raise ConflictError(f"{import_id} was undone already, {record.undone_at} by {who}.")
        key = list(KINDS[record.kind].key)
        touched = ledger.before(import_id)
        is_new = touched[IS_NEW].to_numpy(bool)
        new_keys, past = touched.loc[is_new, key], touched[~is_new].drop(columns=IS_NEW)
        reasons = [
            *_touched_later(transaction, record, touched[key]),
            *_rests_on(transaction, record.kind, new_keys),
            *_no_longer_there(transaction, record.kind, touched[key]),
            *_merged_into(transaction, record.kind, new_keys),
            *_dangling(transaction, record.kind, past),
        ]
        if reasons:
            raise ConflictError(f"{import_id} cannot be undone: {'; '.join(reasons)}.")
        is_about = record.kind == "prospects"
        stays = ActivityLedger(transaction).filed(
            new_keys["prospect_id"].tolist() if is_about else []
        )
        if not dry_run:
            ledger.remove(record.kind, new_keys)
            _restore(transaction, record.kind, past)
            ledger.mark_undone(import_id, utc_text(now), by)
            audit_log.record(
                transaction,
                by=by,
                at=now,
                action="import.undo",
                subject_kind="import",
                subject_id=import_id,
                after={
                    "kind": record.kind,
                    "removed": len(new_keys),
                    "restored": len(past),
                    "stays": stays,
                },
            )
    return UndoReport(import_id, record.kind, len(new_keys), len(past), dry_run, **stays)


def _restore(transaction: Transaction, kind: str, past: pd.DataFrame) -> None:
    """Write rows as they were, except for what people have decided about them since."""
    none = past.head(0)
    transaction.save(kind, none, past)
    if kind == "territories":
        update_rows.refuse_two_owners(transaction, past)
    rows, _ = merged_ids.resolve(transaction, kind, past)
    if KINDS[kind].is_placed and len(rows):
        rows = review.place_again(
            transaction, kind, rows, PlanLedger(transaction).policy_in_force()
        )
    transaction.save(kind, none, rows)


def _touched_later(transaction: Transaction, record: ImportRecord, keys: pd.DataFrame) -> list[str]:
    """Name the later imports that brought or changed rows of this one, the newest first."""
    key = list(KINDS[record.kind].key)
    ours = key_text(keys, key)
    reasons = []
    for later in ImportLedger(transaction).records(record.kind):
        if later.number > record.number and later.undone_at is None:
            theirs = key_text(ImportLedger(transaction).before(later.import_id, key), key)
            same = ours[ours.isin(theirs)]
            if len(same):
                reasons.append(
                    f"{later.import_id} ({later.source}, {later.imported_at}) changed "
                    f"{_count(same, record.kind)} since: undo it first"
                )
    return reasons


def _rests_on(transaction: Transaction, kind: str, new_keys: pd.DataFrame) -> list[str]:
    """Name the rows of other kinds that would lose what they belong to."""
    reasons = []
    for other, other_kind in KINDS.items():
        for column, target_kind in other_kind.references:
            if target_kind != kind:
                continue
            target = KINDS[kind].key[0]
            going = _going(transaction, kind, new_keys, target)
            rows = ImportLedger(transaction).referring(other, column, going)
            if len(rows):
                names = key_text(rows, list(other_kind.key))
                reasons.append(
                    f"{_count(names, other)} belong to {kind} that it brought: undo the import of "
                    "those first"
                )
    return reasons


def _going(transaction: Transaction, kind: str, new_keys: pd.DataFrame, target: str) -> pd.Series:
    """Name what nobody would know any more: of territories, those that lose all their rows."""
    names = new_keys[target].drop_duplicates()
    key = list(KINDS[kind].key)
    if len(key) == 1 or names.empty:
        return names
    rows = transaction.table(kind, key)
    stays = rows[~key_text(rows, key).isin(key_text(new_keys, key))]
    return names[~names.isin(stays[target])]


def _no_longer_there(transaction: Transaction, kind: str, keys: pd.DataFrame) -> list[str]:
    """Name the rows that were taken out of the store since, such as by a merge."""
    key = list(KINDS[kind].key)
    stored = key_text(transaction.rows(kind, keys, key), key)
    ours = key_text(keys, key)
    absent = ours[~ours.isin(stored)]
    return [f"{_count(absent, kind)} are no longer there"] if len(absent) else []


def _merged_into(transaction: Transaction, kind: str, new_keys: pd.DataFrame) -> list[str]:
    """Name the prospects that others were merged into, which would be lost with them."""
    if kind != "prospects":
        return []
    decisions = DuplicateLedger(transaction).decisions()
    names = new_keys["prospect_id"]
    survivors = names[names.isin(decisions.loc[decisions["decision"] == MERGED, "first_id"])]
    if survivors.empty:
        return []
    return [f"others were merged into {_count(survivors, kind)}: take that back first"]


def _dangling(transaction: Transaction, kind: str, past: pd.DataFrame) -> list[str]:
    """Name the rows that would again belong to what is no longer there."""
    if past.empty:
        return []
    reason = update_rows.dangling(transaction, kind, past).dropna()
    return list(dict.fromkeys(reason))[:_NAMED]


def _count(names: pd.Series, kind: str) -> str:
    """Count rows and name the first of them."""
    first = ", ".join(names.head(_NAMED))
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{len(names):,} {kind} ({first}{more})"
