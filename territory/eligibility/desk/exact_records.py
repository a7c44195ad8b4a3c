"""Exact measures of earlier versions: moved from the store to the homes that they belong to.

Until version 2 of the record, the store kept distances to the metre. Those of a home that is held
go to it and are purged with it; those of a home that is purged, or was never kept, are deleted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from territory.access import audit_log
from territory.eligibility.decision import (
    canonical,
    is_exact,
    measured_text,
    register_record,
)
from territory.eligibility.decision import exact_record as exact_again
from territory.eligibility.desk.exact_records_ledger import ExactRecordsLedger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from territory.eligibility.homes import HomeStore
    from territory.store import Store

_CHUNK = 1_000  # records of one transaction
MOVED_BY = "upgrade"


def register_and_exact(
    texts: Sequence[str], homes: HomeStore | None
) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Read records of the store: what outlives the home, and the exact record while it is held.

    Parameters
    ----------
    homes
        For those who may know exact distances; None: nothing exact is given.
    """
    records: list[dict[str, Any]] = [json.loads(text) for text in texts]
    marks = [mark for each in records if (mark := each["asked"].get("measures"))]
    measured = {} if homes is None else homes.find_measures(marks)
    return [_both(each, measured, is_told=homes is not None) for each in records]


def _both(
    record: dict[str, Any], measured: Mapping[str, str], *, is_told: bool
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    if is_exact(record):  # of an earlier version, and not moved yet
        return register_record(record, None), record if is_told else None
    text = measured.get(record["asked"].get("measures"))
    return record, None if text is None else exact_again(record, json.loads(text))


def move_measures(store: Store, homes: HomeStore, *, now: datetime) -> int:
    """Move what earlier versions measured exactly out of the store; count the decisions.

    Verdicts, offices, classes and days stay; the digest of a record that was replaced is another.
    Stopped half-way, it goes on where it was the next time.
    """
    with store.read() as transaction:
        if not ExactRecordsLedger(transaction).any():
            return 0
    moved, last, is_end = 0, None, False
    while not is_end:
        rows = _rows(store, last)
        is_end, rows = len(rows) <= _CHUNK, rows[:_CHUNK]
        # The first decision stays until the file is rewritten: it says that there is work to do.
        moved += _replace(store, homes, rows[:-1] if is_end else rows)
        last = rows[-1][0]
    store.rewrite("eligibility_decisions")
    moved += _replace(store, homes, rows[-1:])
    with store.write() as transaction:
        audit_log.record(
            transaction,
            by=MOVED_BY,
            at=now,
            action="eligibility.measures_moved",
            subject_kind="eligibility",
            subject_id="decisions",
            detail={"decisions": moved},
        )
    store.rewrite("eligibility_decisions")
    return moved


def _rows(store: Store, before: int | None) -> list[tuple[int, str, str, str]]:
    with store.read() as transaction:
        return ExactRecordsLedger(transaction).last(before, _CHUNK + 1)


def _replace(store: Store, homes: HomeStore, rows: Sequence[tuple[int, str, str, str]]) -> int:
    exact = [json.loads(text) for *_, text in rows]
    marks = homes.keep_measures(
        [each["asked"].get("home") for each in exact], [measured_text(each) for each in exact]
    )
    records = [
        register_record(each, mark, restated=decision_id)
        for each, mark, (_, decision_id, *_) in zip(exact, marks, rows, strict=True)
    ]
    replaced = [
        (before, record["sha256"]["all"], canonical(record))
        for (_, _, before, _), record in zip(rows, records, strict=True)
    ]
    with store.write() as transaction:
        return ExactRecordsLedger(transaction).replace(replaced)
