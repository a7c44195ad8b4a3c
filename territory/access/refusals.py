"""Refusals on record: the log takes so many events of them and no more; the others are counted.

Whoever is refused could fill the log by asking again and again, or from many addresses. So the
first refusal of a person at a page is an event, and those of the next ten minutes are counted; and
of each action the log takes ``MOST`` events an hour, whoever they are of. The next event that is
written tells how many were not.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from territory.access import audit_log
from territory.access.session_ledger import SessionLedger
from territory.access.sessions import fingerprint
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.access.session_ledger import Attempts
    from territory.store import Store, Transaction

MOST, HOUR = 500, timedelta(hours=1)
REPEATING = timedelta(minutes=10)
DENIAL_WAIT_S = 0.5  # how long the record of a refusal waits for others who write


def record_denial(store: Store, *, view: str, method: str, by: str, now: datetime) -> None:
    """Put on record that someone asked for a view that is not theirs; a refusal waits for nobody.

    Raises
    ------
    BusyError
        If others are writing: then it is not on record.
    """
    with store.write(wait_s=DENIAL_WAIT_S) as transaction:
        record_refusal(
            transaction,
            now,
            by=by,
            action="access.denied",
            subject_kind="page",
            subject_id=view,
            detail={"method": method},
            same=f"{by} {method} {view}",
        )


def record_refusal(
    transaction: Transaction,
    now: datetime,
    *,
    by: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    detail: Mapping[str, object],
    same: str | None = None,
) -> bool:
    """Add an event as far as there is room in the log; else count it, and give False.

    The event tells, where it is not 0, as ``repeated`` how often the same went unwritten since it
    was last written, and as ``unwritten`` how many of this action did for want of room.

    Parameters
    ----------
    same
        Who asked for what: repeats within ``REPEATING`` are counted only.
    """
    ledger = SessionLedger(transaction)
    own = ledger.attempts(fingerprint(f"refusal {action} {same}")) if same is not None else None
    if own is not None and _is_running(own, REPEATING, now):
        ledger.save_attempts(replace(own, refused=own.refused + 1))
        return False
    every = ledger.attempts(fingerprint(f"refusals {action}"))
    if not _is_running(every, HOUR, now):
        every = replace(every, failures=0, last_at=utc_text(now))
    if every.failures >= MOST:
        ledger.save_attempts(replace(every, refused=every.refused + 1))
        return False
    ledger.save_attempts(replace(every, failures=every.failures + 1, refused=0))
    if own is not None:
        ledger.save_attempts(replace(own, refused=0, last_at=utc_text(now)))
    counted = {"repeated": own.refused if own else 0, "unwritten": every.refused}
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        detail={**detail, **{name: number for name, number in counted.items() if number}},
    )
    return True


def _is_running(attempts: Attempts, span: timedelta, now: datetime) -> bool:
    """Tell whether a span that began at ``last_at`` still runs; one of the future does not."""
    return bool(attempts.last_at) and utc_text(now - span) < attempts.last_at <= utc_text(now)
