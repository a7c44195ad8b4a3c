"""Next steps of accounts: set, replaced, done, reopened; what is due, by day.

An account has one next step. Only a merge leaves it two: none is dropped until somebody ticks it or
sets another in place of both.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.accounts.activities import (
    clean_text,
    plan_id_in_force,
    prospect_of,
    put_on_record,
    refuse_gone,
)
from territory.accounts.activity_ledger import DONE, REPLACED, ActivityLedger
from territory.errors import ConflictError, InputError, NotFoundError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from territory.access import Scope
    from territory.accounts.activity_ledger import NextStep
    from territory.store import Store, Transaction

LONGEST_STEP = 200  # characters
LATEST_DAYS = 5 * 366  # how far ahead a next step may be


@dataclass(frozen=True)
class Due:
    """Next steps to be done, those longest due first, as ``STEP_COLUMNS``: one page of ``total``.

    ``overdue`` + ``today`` + ``later`` = ``total``; ``with_step`` of ``accounts`` have one.
    """

    rows: pd.DataFrame
    total: int
    overdue: int
    today: int
    later: int
    with_step: int
    accounts: int


def due(
    store: Store,
    *,
    scope: Scope,
    today: dt.date,
    limit: int | None = None,
    offset: int = 0,
) -> Due:
    """List what is to be done about the accounts within reach, by day, what is overdue first."""
    with store.read() as transaction:
        plan_id, ledger = plan_id_in_force(transaction), ActivityLedger(transaction)
        counts = ledger.open_counts(plan_id, scope.people, today.isoformat())
        with_step = counts.pop("accounts")
        return Due(
            ledger.steps(plan_id, scope.people, limit=limit, offset=offset),
            total=sum(counts.values()),
            with_step=with_step,
            accounts=ledger.accounts(plan_id, scope.people),
            **counts,
        )


def open_steps(
    store: Store, *, scope: Scope, rep_id: str | None = None, until: dt.date | None = None
) -> pd.DataFrame:
    """Give the next steps to be done within reach, by day, as ``STEP_COLUMNS``.

    Of one rep's accounts, and up to a day, where these are given.
    """
    last = until.isoformat() if until else None
    with store.read() as transaction:
        plan_id = plan_id_in_force(transaction)
        return ActivityLedger(transaction).steps(plan_id, scope.people, rep_id=rep_id, until=last)


def all_steps(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give every next step within reach, those to be done first, then the past ones."""
    with store.read() as transaction:
        plan_id, ledger = plan_id_in_force(transaction), ActivityLedger(transaction)
        parts = [ledger.steps(plan_id, scope.people, is_open=is_open) for is_open in (True, False)]
        return pd.concat(parts, ignore_index=True)


def set_next_step(
    store: Store,
    prospect_id: str,
    words: str,
    due_on: str,
    *,
    scope: Scope,
    by: str,
    now: datetime,
    instead_of: Collection[str] = (),
) -> str:
    """Say what is to be done next about an account, by which ISO day, and give the id of the step.

    ``instead_of`` are the ids of the next steps that the one who asks has seen: the new one
    replaces them.

    Raises
    ------
    NotFoundError
        If the plan in force has no such prospect whose next steps are within reach.
    InputError
        If words or day are none, or the day has passed or is more than five years ahead.
    ConflictError
        If other next steps stand there than were seen, or the prospect is no longer on file.
    """
    text = clean_text("next step", words, LONGEST_STEP, hint="is to be done", is_one_line=True)
    day = _day(due_on, now)
    with store.write() as transaction:
        plan_id = refuse_gone(transaction, prospect_id, scope)
        ledger = ActivityLedger(transaction)
        standing = ledger.steps(plan_id, scope.people, prospect_id=prospect_id)
        if set(standing["step_id"]) != set(instead_of):
            raise ConflictError(_moved_on(standing))
        step_id = ledger.add_step(prospect_id, text, day, at=utc_text(now), by=by)
        for old in standing["step_id"]:
            ledger.end_step(old, REPLACED, at=utc_text(now), by=by)
        before = standing[["step_id", "words", "due_on"]].to_dict("records")
        after = {"prospect_id": prospect_id, "words": text, "due_on": day}
        put_on_record(
            transaction, "next_step.set", step_id, by, now, before=before or None, after=after
        )
    return step_id


def _moved_on(standing: pd.DataFrame) -> str:
    """Say what stands there in place of what was seen."""
    if standing.empty:
        return "The next step was done meanwhile. Load the page again, then set the next one."
    row = standing.iloc[-1]
    return (
        f"{row['setter']} set a next step meanwhile, {row['set_at']}: {row['words']!r} by "
        f"{row['due_on']}. Yours is not kept: load the page again, then set it in place of that."
    )


def finish_next_step(store: Store, step_id: str, *, scope: Scope, by: str, now: datetime) -> str:
    """Tick a next step as done and give the id of its prospect.

    Raises
    ------
    NotFoundError
        If there is no such next step within reach.
    ConflictError
        If it was done or replaced already.
    """
    with store.write() as transaction:
        step, prospect_id = _step(transaction, step_id, scope)
        if step.outcome is not None:
            raise ConflictError(
                f"This next step was {step.outcome} already, {step.ended_at}. Load the page again."
            )
        ActivityLedger(transaction).end_step(step_id, DONE, at=utc_text(now), by=by)
        payload = {"prospect_id": prospect_id, "words": step.words, "due_on": step.due_on}
        after = {**payload, "outcome": DONE}
        put_on_record(transaction, "next_step.done", step_id, by, now, before=payload, after=after)
    return prospect_id


def reopen_next_step(store: Store, step_id: str, *, scope: Scope, by: str, now: datetime) -> str:
    """Take the tick back: the step is to be done again. Gives the id of its prospect.

    Raises
    ------
    NotFoundError
        If there is no such next step within reach.
    ConflictError
        If it was not done, or the account has another next step since.
    """
    with store.write() as transaction:
        step, prospect_id = _step(transaction, step_id, scope)
        plan_id, ledger = plan_id_in_force(transaction), ActivityLedger(transaction)
        standing = ledger.steps(plan_id, scope.people, prospect_id=prospect_id)
        if step.outcome != DONE:
            raise ConflictError("This next step is not done, so no tick can be taken back.")
        if len(standing):
            raise ConflictError(_moved_on(standing))
        ledger.end_step(step_id, None, at=None, by=None)
        payload = {"prospect_id": prospect_id, "words": step.words, "due_on": step.due_on}
        before = {**payload, "outcome": DONE}
        put_on_record(
            transaction, "next_step.reopen", step_id, by, now, before=before, after=payload
        )
    return prospect_id


def _step(transaction: Transaction, step_id: str, scope: Scope) -> tuple[NextStep, str]:
    step = ActivityLedger(transaction).step(step_id)
    missing = f"No next step {step_id!r}. `territory next list` shows those to be done."
    prospect_id = prospect_of(transaction, step, scope, missing)
    if step is None:  # for the type checker: told above
        raise NotFoundError(missing)
    return step, prospect_id


def _day(text: str, now: datetime) -> str:
    """Read the day of a next step; yesterday by UTC may still be today where somebody is."""
    try:
        day = dt.datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise InputError(f"{text[:40]!r} is no day. Write it as 2027-01-31.") from None
    today = now.astimezone(dt.UTC).date()
    if day < today - dt.timedelta(days=1):
        raise InputError(
            f"{day.isoformat()} has passed. Give a day from {today.isoformat()} on, and write down "
            "as a note what was done."
        )
    if day > today + dt.timedelta(days=LATEST_DAYS):
        raise InputError(f"{day.isoformat()} is more than five years ahead. Give an earlier day.")
    return day.isoformat()
