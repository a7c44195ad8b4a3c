"""What was done about an account and what is to be done next, in the words of whoever works it.

Notes and next steps are kept apart from what the CRM says: no import and no undo touches them, and
a new plan hands them to the new rep with the account. Whoever may see the contacts of an account
reads them and, with the right to work accounts, writes them. Merging two prospects moves them to
the one that is kept. A note is never changed; its author may take it back, which forgets its text.
A next step is done or replaced, and stays on record.

An account has one next step. Only a merge leaves it two: none is dropped until somebody ticks it or
sets another in place of both.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import NOTHING, DeniedError, audit_log
from territory.accounts.activity_ledger import (
    DONE,
    REPLACED,
    WorkLedger,
)
from territory.accounts.duplicate_ledger import MERGED, PairLedger
from territory.errors import ConflictError, InputError, NotFoundError
from territory.plans import PlanLedger
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from territory.access import Scope
    from territory.accounts.activity_ledger import Note, Step
    from territory.store import Store, Transaction


LONGEST_NOTE, LONGEST_STEP = 2_000, 200  # characters
LATEST_DAYS = 5 * 366  # how far ahead a next step may be
SHOWN = 20  # notes of one account at once
PAST_STEPS = 5
# What exports of prospects have beside what the plan and the CRM say.
WORK_COLUMNS = ("next_step", "next_step_on", "last_note")


@dataclass(frozen=True)
class AccountWork:
    """The notes and next steps of one account.

    ``notes`` are the newest of ``note_count``, as ``NOTE_COLUMNS``; ``steps`` those to be done and
    ``past`` the last ones that were, as ``STEP_COLUMNS``. ``is_on_file`` is False for a prospect
    that was merged away or taken back with its import since the plan was published: it takes no
    more notes. All is empty where ``is_withheld``.
    """

    prospect_id: str
    notes: pd.DataFrame
    note_count: int
    steps: pd.DataFrame
    past: pd.DataFrame
    is_on_file: bool
    is_withheld: bool = False


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


def work_of(store: Store, prospect_id: str, *, scope: Scope, limit: int = SHOWN) -> AccountWork:
    """Give the notes and next steps of an account of the plan in force.

    Raises
    ------
    NotFoundError
        If the plan has no such prospect, or none within reach.
    """
    with store.read() as transaction:
        plan_id, rep_id = _account(transaction, prospect_id, scope, is_read=True)
        ledger, people = WorkLedger(transaction), scope.people
        is_withheld = not people.holds(rep_id)
        reach = NOTHING if is_withheld else people
        columns = {
            "notes": ledger.notes(plan_id, reach, prospect_id=prospect_id, limit=limit),
            "steps": ledger.steps(plan_id, reach, prospect_id=prospect_id),
            "past": ledger.steps(
                plan_id, reach, prospect_id=prospect_id, is_open=False, limit=PAST_STEPS
            ),
        }
        return AccountWork(
            prospect_id,
            note_count=0 if is_withheld else ledger.note_count(prospect_id),
            is_on_file=ledger.is_on_file(prospect_id),
            is_withheld=is_withheld,
            **columns,
        )


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
        plan_id, ledger = _plan_id(transaction), WorkLedger(transaction)
        counts = ledger.open_counts(plan_id, scope.people, today.isoformat())
        with_step = counts.pop("accounts")
        return Due(
            ledger.steps(plan_id, scope.people, limit=limit, offset=offset),
            total=sum(counts.values()),
            with_step=with_step,
            accounts=ledger.accounts(plan_id, scope.people),
            **counts,
        )


def notes(store: Store, *, scope: Scope, prospect_id: str | None = None) -> pd.DataFrame:
    """Give notes within reach, of one account or of all, newest first, as ``NOTE_COLUMNS``.

    ``in_plan`` and ``on_file`` tell whether the plan in force and the store have the prospect.
    Notes about one that the plan has not reach only those who reach everything.
    """
    with store.read() as transaction:
        plan_id = _plan_id(transaction)
        return WorkLedger(transaction).notes(plan_id, scope.people, prospect_id=prospect_id)


def steps(
    store: Store, *, scope: Scope, rep_id: str | None = None, until: dt.date | None = None
) -> pd.DataFrame:
    """Give the next steps to be done within reach, by day, as ``STEP_COLUMNS``.

    Of one rep's accounts, and up to a day, where these are given.
    """
    last = until.isoformat() if until else None
    with store.read() as transaction:
        plan_id = _plan_id(transaction)
        return WorkLedger(transaction).steps(plan_id, scope.people, rep_id=rep_id, until=last)


def all_steps(store: Store, *, scope: Scope) -> pd.DataFrame:
    """Give every next step within reach, those to be done first, then the past ones."""
    with store.read() as transaction:
        plan_id, ledger = _plan_id(transaction), WorkLedger(transaction)
        parts = [ledger.steps(plan_id, scope.people, is_open=is_open) for is_open in (True, False)]
        return pd.concat(parts, ignore_index=True)


def with_work(store: Store, prospects: pd.DataFrame, *, scope: Scope) -> pd.DataFrame:
    """Add ``WORK_COLUMNS`` to a frame with prospect_id: what is due first, its day, the last note.

    They are blank for accounts whose notes are out of reach.
    """
    with store.read() as transaction:
        plan_id, ledger = _plan_id(transaction), WorkLedger(transaction)
        first = ledger.steps(plan_id, scope.people).drop_duplicates("prospect_id")
        last = ledger.latest_notes(plan_id, scope.people)
    first, ids = first.set_index("prospect_id"), prospects["prospect_id"]
    columns = {
        "next_step": ids.map(first["words"]),
        "next_step_on": ids.map(first["due_on"]),
        "last_note": ids.map(last.set_index("prospect_id")["text"]),
    }
    return prospects.assign(
        **{
            name: column.astype(object).where(column.notna(), None)
            for name, column in columns.items()
        }
    )


def add_note(
    store: Store, prospect_id: str, text: str, *, scope: Scope, by: str, now: datetime
) -> str:
    """Write down what was done about an account and give the id of the note.

    Raises
    ------
    NotFoundError
        If the plan in force has no such prospect whose notes are within reach.
    InputError
        If the text is empty or too long.
    ConflictError
        If the prospect was merged away or taken back with its import since.
    """
    words = _text("note", text, LONGEST_NOTE)
    with store.write() as transaction:
        _refuse_gone(transaction, prospect_id, scope)
        note_id = WorkLedger(transaction).add_note(prospect_id, words, at=utc_text(now), by=by)
        payload = {"prospect_id": prospect_id, "text": words, "characters": len(words)}
        _record(transaction, "note.add", note_id, by, now, after=payload)
    return note_id


def take_back_note(store: Store, note_id: str, *, scope: Scope, by: str, now: datetime) -> str:
    """Forget the text of a note and give the id of its prospect; that there was a note stays.

    Raises
    ------
    NotFoundError
        If there is no such note within reach.
    DeniedError
        If somebody else wrote it.
    ConflictError
        If it was taken back already.
    """
    with store.write() as transaction:
        note = WorkLedger(transaction).note(note_id)
        hint = "Load the page of the account again to see those there are."
        prospect_id = _prospect_of(transaction, note, scope, f"No note {note_id!r}. {hint}")
        if note is None or note.written_by != by:
            raise DeniedError("Only who wrote a note takes it back. Write another one beside it.")
        if note.taken_back_at is not None:
            raise ConflictError(f"This note was taken back already, {note.taken_back_at}.")
        WorkLedger(transaction).take_back_note(note_id, at=utc_text(now))
        payload = {"prospect_id": prospect_id, "text": note.text, "characters": len(note.text)}
        _record(transaction, "note.take_back", note_id, by, now, before=payload)
    return prospect_id


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
    text, day = _text("next step", words, LONGEST_STEP), _day(due_on, now)
    with store.write() as transaction:
        plan_id = _refuse_gone(transaction, prospect_id, scope)
        ledger = WorkLedger(transaction)
        standing = ledger.steps(plan_id, scope.people, prospect_id=prospect_id)
        if set(standing["step_id"]) != set(instead_of):
            raise ConflictError(_moved_on(standing))
        step_id = ledger.add_step(prospect_id, text, day, at=utc_text(now), by=by)
        for old in standing["step_id"]:
            ledger.end_step(old, REPLACED, at=utc_text(now), by=by)
        before = standing[["step_id", "words", "due_on"]].to_dict("records")
        after = {"prospect_id": prospect_id, "words": text, "due_on": day}
        _record(transaction, "next_step.set", step_id, by, now, before=before or None, after=after)
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
        WorkLedger(transaction).end_step(step_id, DONE, at=utc_text(now), by=by)
        payload = {"prospect_id": prospect_id, "words": step.words, "due_on": step.due_on}
        after = {**payload, "outcome": DONE}
        _record(transaction, "next_step.done", step_id, by, now, before=payload, after=after)
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
        plan_id, ledger = _plan_id(transaction), WorkLedger(transaction)
        standing = ledger.steps(plan_id, scope.people, prospect_id=prospect_id)
        if step.outcome != DONE:
            raise ConflictError("This next step is not done, so no tick can be taken back.")
        if len(standing):
            raise ConflictError(_moved_on(standing))
        ledger.end_step(step_id, None, at=None, by=None)
        payload = {"prospect_id": prospect_id, "words": step.words, "due_on": step.due_on}
        before = {**payload, "outcome": DONE}
        _record(transaction, "next_step.reopen", step_id, by, now, before=before, after=payload)
    return prospect_id


def _step(transaction: Transaction, step_id: str, scope: Scope) -> tuple[Step, str]:
    step = WorkLedger(transaction).step(step_id)
    missing = f"No next step {step_id!r}. `territory next list` shows those to be done."
    prospect_id = _prospect_of(transaction, step, scope, missing)
    if step is None:  # for the type checker: told above
        raise NotFoundError(missing)
    return step, prospect_id


def _prospect_of(
    transaction: Transaction, activity: Note | Step | None, scope: Scope, missing: str
) -> str:
    """Give the prospect that a note or step is about; one out of reach is like one that is none."""
    if activity is None:
        raise NotFoundError(missing)
    if not scope.people.is_all:
        try:
            _account(transaction, activity.prospect_id, scope)
        except NotFoundError:
            raise NotFoundError(missing) from None
    return str(activity.prospect_id)


def _account(
    transaction: Transaction, prospect_id: str, scope: Scope, *, is_read: bool = False
) -> tuple[str, str | None]:
    """Give the plan and the rep of an account whose notes are within reach.

    Where ``is_read``, of one that is itself within reach, whatever of its notes.
    """
    reach, plan_id = scope.accounts if is_read else scope.people, _plan_id(transaction)
    owners = WorkLedger(transaction).owners(plan_id, reach, prospect_id)
    if plan_id is None or not owners:
        raise NotFoundError(
            f"No prospect {prospect_id!r} in the plan in force. `territory export prospects` "
            "lists those there are."
        )
    return plan_id, owners[0]


def _refuse_gone(transaction: Transaction, prospect_id: str, scope: Scope) -> str:
    """Refuse to write about what the next plan leaves out; gives the plan in force."""
    plan_id, _ = _account(transaction, prospect_id, scope)
    if WorkLedger(transaction).is_on_file(prospect_id):
        return plan_id
    decided = PairLedger(transaction).decisions()
    gone = (decided["second_id"] == prospect_id) & (decided["decision"] == MERGED)
    why = "merged into another one" if gone.any() else "taken back with its import"
    raise ConflictError(
        f"{prospect_id!r} was {why} since {plan_id}, and the next plan leaves it out. "
        "Nothing was written: write it at the account that is kept."
    )


def _plan_id(transaction: Transaction) -> str | None:
    plan = PlanLedger(transaction).plan_in_force()
    return plan.plan_id if plan else None


def _text(kind: str, text: str, longest: int) -> str:
    """Write a text as it is kept: one way to write each character, no control characters."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(
        char for char in lines if char == "\n" or unicodedata.category(char) not in ("Cc", "Cs")
    ).strip()
    if longest == LONGEST_STEP:
        clean = " ".join(clean.split())
    if not clean:
        raise InputError(f"The {kind} is empty. Write what {_ASKED[kind]}.")
    if len(clean) > longest:
        raise InputError(
            f"The {kind} has {len(clean):,} characters, and {longest:,} are kept. Shorten it by "
            f"{len(clean) - longest:,}."
        )
    return clean


_ASKED = {"note": "was done", "next step": "is to be done"}


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


def _record(
    transaction: Transaction, action: str, subject_id: str, by: str, now: datetime, **told: Any
) -> None:
    """Put on record who did what to which note or step; the log keeps no words of it."""
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=action,
        subject_kind=action.partition(".")[0],
        subject_id=subject_id,
        **told,
    )
