"""Activities (CRM) of an account: its notes and next steps together, and who may touch them.

Notes and next steps are kept apart from what the CRM says: no import and no undo touches them, and
a new plan hands them to the new rep with the account. Whoever may see the contacts of an account
reads them and, with the right to work accounts, writes them. Merging two prospects moves them to
the one that is kept. A note is never changed; its author may take it back, which forgets its text.
A next step is done or replaced, and stays on record.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.access import NOTHING, audit_log
from territory.accounts.activity_ledger import ActivityLedger
from territory.accounts.duplicate_ledger import MERGED, DuplicateLedger
from territory.errors import ConflictError, InputError, NotFoundError
from territory.plans import PlanLedger

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from territory.access import Scope
    from territory.accounts.activity_ledger import NextStep, Note
    from territory.store import Store, Transaction

SHOWN = 20  # notes of one account at once
PAST_STEPS = 5
# What exports of prospects have beside what the plan and the CRM say.
ACTIVITY_COLUMNS = ("next_step", "next_step_on", "last_note")


@dataclass(frozen=True)
class Activities:
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


def activities_of(
    store: Store, prospect_id: str, *, scope: Scope, limit: int = SHOWN
) -> Activities:
    """Give the notes and next steps of an account of the plan in force.

    Raises
    ------
    NotFoundError
        If the plan has no such prospect, or none within reach.
    """
    with store.read() as transaction:
        plan_id, rep_id = _account(transaction, prospect_id, scope, is_read=True)
        ledger, people = ActivityLedger(transaction), scope.people
        is_withheld = not people.holds(rep_id)
        reach = NOTHING if is_withheld else people
        columns = {
            "notes": ledger.notes(plan_id, reach, prospect_id=prospect_id, limit=limit),
            "steps": ledger.steps(plan_id, reach, prospect_id=prospect_id),
            "past": ledger.steps(
                plan_id, reach, prospect_id=prospect_id, is_open=False, limit=PAST_STEPS
            ),
        }
        return Activities(
            prospect_id,
            note_count=0 if is_withheld else ledger.note_count(prospect_id),
            is_on_file=ledger.is_on_file(prospect_id),
            is_withheld=is_withheld,
            **columns,
        )


def with_activities(store: Store, prospects: pd.DataFrame, *, scope: Scope) -> pd.DataFrame:
    """Add ``ACTIVITY_COLUMNS`` to a frame with prospect_id: the first step due, its day, last note.

    They are blank for accounts whose notes are out of reach.
    """
    with store.read() as transaction:
        plan_id, ledger = plan_id_in_force(transaction), ActivityLedger(transaction)
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


def prospect_of(
    transaction: Transaction, activity: Note | NextStep | None, scope: Scope, missing: str
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
    reach, plan_id = scope.accounts if is_read else scope.people, plan_id_in_force(transaction)
    owners = ActivityLedger(transaction).owners(plan_id, reach, prospect_id)
    if plan_id is None or not owners:
        raise NotFoundError(
            f"No prospect {prospect_id!r} in the plan in force. `territory export prospects` "
            "lists those there are."
        )
    return plan_id, owners[0]


def refuse_gone(transaction: Transaction, prospect_id: str, scope: Scope) -> str:
    """Refuse to write about what the next plan leaves out; gives the plan in force."""
    plan_id, _ = _account(transaction, prospect_id, scope)
    if ActivityLedger(transaction).is_on_file(prospect_id):
        return plan_id
    decisions = DuplicateLedger(transaction).decisions()
    gone = (decisions["second_id"] == prospect_id) & (decisions["decision"] == MERGED)
    why = "merged into another one" if gone.any() else "taken back with its import"
    raise ConflictError(
        f"{prospect_id!r} was {why} since {plan_id}, and the next plan leaves it out. "
        "Nothing was written: write it at the account that is kept."
    )


def plan_id_in_force(transaction: Transaction) -> str | None:
    """Give the id of the plan in force, None before the first one."""
    plan = PlanLedger(transaction).plan_in_force()
    return plan.plan_id if plan else None


def clean_text(kind: str, text: str, longest: int, *, hint: str, is_one_line: bool = False) -> str:
    """Write a text as it is kept: one way to write each character, no control characters.

    Raises
    ------
    InputError
        If nothing is left of it, or more than ``longest`` characters are.
    """
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(
        char for char in lines if char == "\n" or unicodedata.category(char) not in ("Cc", "Cs")
    ).strip()
    if is_one_line:
        clean = " ".join(clean.split())
    if not clean:
        raise InputError(f"The {kind} is empty. Write what {hint}.")
    if len(clean) > longest:
        raise InputError(
            f"The {kind} has {len(clean):,} characters, and {longest:,} are kept. Shorten it by "
            f"{len(clean) - longest:,}."
        )
    return clean


def put_on_record(
    transaction: Transaction, action: str, subject_id: str, by: str, now: datetime, **images: Any
) -> None:
    """Put on record who did what to which note or step; the log keeps no words of it."""
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=action,
        subject_kind=action.partition(".")[0],
        subject_id=subject_id,
        **images,
    )
