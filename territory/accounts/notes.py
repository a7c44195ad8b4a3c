"""Notes about accounts: written down, taken back by their author, listed within a reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.access import DeniedError
from territory.accounts.activities import (
    clean_text,
    plan_id_in_force,
    prospect_of,
    put_on_record,
    refuse_gone,
)
from territory.accounts.activity_ledger import ActivityLedger
from territory.errors import ConflictError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from territory.access import Scope
    from territory.store import Store

LONGEST_NOTE = 2_000  # characters


def list_notes(store: Store, *, scope: Scope, prospect_id: str | None = None) -> pd.DataFrame:
    """Give notes within reach, of one account or of all, newest first, as ``NOTE_COLUMNS``.

    ``in_plan`` and ``on_file`` tell whether the plan in force and the store have the prospect.
    Notes about one that the plan has not reach only those who reach everything.
    """
    with store.read() as transaction:
        plan_id = plan_id_in_force(transaction)
        return ActivityLedger(transaction).notes(plan_id, scope.people, prospect_id=prospect_id)


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
    words = clean_text("note", text, LONGEST_NOTE, hint="was done")
    with store.write() as transaction:
        refuse_gone(transaction, prospect_id, scope)
        note_id = ActivityLedger(transaction).add_note(prospect_id, words, at=utc_text(now), by=by)
        payload = {"prospect_id": prospect_id, "text": words, "characters": len(words)}
        put_on_record(transaction, "note.add", note_id, by, now, after=payload)
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
        note = ActivityLedger(transaction).note(note_id)
        hint = "Load the page of the account again to see those there are."
        prospect_id = prospect_of(transaction, note, scope, f"No note {note_id!r}. {hint}")
        if note is None or note.written_by != by:
            raise DeniedError("Only who wrote a note takes it back. Write another one beside it.")
        if note.taken_back_at is not None:
            raise ConflictError(f"This note was taken back already, {note.taken_back_at}.")
        ActivityLedger(transaction).take_back_note(note_id, at=utc_text(now))
        payload = {"prospect_id": prospect_id, "text": note.text, "characters": len(note.text)}
        put_on_record(transaction, "note.take_back", note_id, by, now, before=payload)
    return prospect_id
