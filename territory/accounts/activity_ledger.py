"""Ledger of activities: notes and next steps of accounts, read within a reach.

They belong to whoever has the prospect in the plan. Those of a prospect that is in no plan any more
are read by whoever reaches everything, so that none is lost.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, insert, select, update

from territory.access import within
from territory.store import account_notes, next_steps, rows, tables, users

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import ColumnElement, Select, Table

    from territory.access import Reach
    from territory.store import Transaction

NOTE_COLUMNS = (
    "note_id", "prospect_id", "name", "market_id", "rep_id", "rep_name", "text", "written_at",
    "written_by", "author", "taken_back_at", "in_plan", "on_file",
)  # fmt: skip
STEP_COLUMNS = (
    "step_id", "prospect_id", "name", "market_id", "rep_id", "rep_name", "words", "due_on",
    "set_at", "set_by", "setter", "outcome", "ended_at", "ended_by", "ender", "in_plan", "on_file",
)  # fmt: skip


@dataclass(frozen=True)
class Note:
    """A note as it is kept."""

    note_id: str
    prospect_id: str
    text: str
    written_by: str
    taken_back_at: str | None


@dataclass(frozen=True)
class NextStep:
    """A next step as it is kept; ``outcome`` is None while it is to be done."""

    step_id: str
    prospect_id: str
    words: str
    due_on: str
    outcome: str | None
    ended_at: str | None


DONE, REPLACED = "done", "replaced"
_AT_ONCE = 10_000  # ids in one statement: SQLite takes 32,766 values


class ActivityLedger:
    """Reads and writes notes and next steps. ``plan_id`` is the plan that says whose they are."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def notes(
        self,
        plan_id: str | None,
        reach: Reach,
        *,
        prospect_id: str | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Read notes as ``NOTE_COLUMNS``, the newest first."""
        notes = account_notes
        query = self._about(notes, plan_id, reach, NOTE_COLUMNS, {"author": "written_by"})
        if prospect_id is not None:
            query = query.where(notes.c.prospect_id == prospect_id)
        return self._read(query.order_by(notes.c.number.desc()).limit(limit))

    def note_count(self, prospect_id: str) -> int:
        """Count the notes about a prospect."""
        query = select(func.count()).where(account_notes.c.prospect_id == prospect_id)
        count: int = self._connection.execute(query).scalar_one()
        return count

    def steps(
        self,
        plan_id: str | None,
        reach: Reach,
        *,
        prospect_id: str | None = None,
        rep_id: str | None = None,
        until: str | None = None,
        is_open: bool = True,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Read next steps as ``STEP_COLUMNS``: those to be done by day, those past newest first.

        ``until`` is the last day, and ``rep_id`` whose accounts, that are wanted.
        """
        steps, assignments = next_steps, tables.plan_assignments
        ended = steps.c.outcome.is_(None) if is_open else steps.c.outcome.is_not(None)
        names = {"setter": "set_by", "ender": "ended_by"}
        query = self._about(steps, plan_id, reach, STEP_COLUMNS, names).where(ended)
        if prospect_id is not None:
            query = query.where(steps.c.prospect_id == prospect_id)
        if rep_id is not None:
            query = query.where(assignments.c.rep_id == rep_id)
        if until is not None:
            query = query.where(steps.c.due_on <= until)
        order = (
            (steps.c.due_on, steps.c.number) if is_open
            else (steps.c.ended_at.desc(), steps.c.number.desc())
        )  # fmt: skip
        return self._read(query.order_by(*order).limit(limit).offset(offset))

    def open_counts(self, plan_id: str | None, reach: Reach, today: str) -> dict[str, int]:
        """Count what is to be done: ``overdue``, ``today``, ``later``.

        ``accounts`` are those of the plan that have any.
        """
        assignments, due_on = tables.plan_assignments, next_steps.c.due_on
        counts = {
            "overdue": func.sum(case((due_on < today, 1), else_=0)),
            "today": func.sum(case((due_on == today, 1), else_=0)),
            "later": func.sum(case((due_on > today, 1), else_=0)),
            "accounts": func.count(assignments.c.prospect_id.distinct()),
        }
        rows = self._connection.execute(
            select(*counts.values())
            .select_from(next_steps)
            .outerjoin(assignments, self._in_plan(next_steps, plan_id))
            .where(next_steps.c.outcome.is_(None), within(assignments.c.rep_id, reach))
        ).one()
        return {name: int(number or 0) for name, number in zip(counts, rows, strict=True)}

    def owners(self, plan_id: str | None, reach: Reach, prospect_id: str) -> list[str | None]:
        """Give the rep who has a prospect in a plan, None for nobody; empty: out of reach."""
        assignments = tables.plan_assignments
        mine = (assignments.c.plan_id == plan_id) & (assignments.c.prospect_id == prospect_id)
        query = select(assignments.c.rep_id).where(mine, within(assignments.c.rep_id, reach))
        return list(self._connection.execute(query).scalars())

    def is_on_file(self, prospect_id: str) -> bool:
        """Whether the store has a prospect, whatever the plan says."""
        now = tables.prospects
        query = select(now.c.prospect_id).where(now.c.prospect_id == prospect_id)
        return self._connection.execute(query).scalar() is not None

    def accounts(self, plan_id: str | None, reach: Reach) -> int:
        """Count the prospects of a plan within reach."""
        assignments = tables.plan_assignments
        query = select(func.count()).where(
            assignments.c.plan_id == plan_id, within(assignments.c.rep_id, reach)
        )
        count: int = self._connection.execute(query).scalar_one()
        return count

    def latest_notes(self, plan_id: str | None, reach: Reach) -> pd.DataFrame:
        """Read ``prospect_id`` and ``text`` of the newest note of each prospect that has one."""
        notes, assignments = account_notes, tables.plan_assignments
        last = (
            select(func.max(notes.c.number))
            .where(notes.c.taken_back_at.is_(None))
            .group_by(notes.c.prospect_id)
        )
        return self._read(
            select(notes.c.prospect_id, notes.c.text)
            .join(assignments, self._in_plan(notes, plan_id))
            .where(notes.c.number.in_(last), within(assignments.c.rep_id, reach))
            .order_by(notes.c.prospect_id)
        )

    def filed(self, prospect_ids: list[str]) -> dict[str, int]:
        """Count the ``notes`` and the open ``next_steps`` about some prospects."""
        counts = {"notes": 0, "next_steps": 0}
        for at in range(0, len(prospect_ids), _AT_ONCE):
            part = prospect_ids[at : at + _AT_ONCE]
            for name, table in (("notes", account_notes), ("next_steps", next_steps)):
                query = select(func.count()).where(table.c.prospect_id.in_(part))
                if table is next_steps:
                    query = query.where(next_steps.c.outcome.is_(None))
                counts[name] += self._connection.execute(query).scalar_one()
        return counts

    def note(self, note_id: str) -> Note | None:
        """Look up a note by id."""
        columns = account_notes.c
        query = select(
            columns.note_id,
            columns.prospect_id,
            columns.text,
            columns.written_by,
            columns.taken_back_at,
        )
        row = self._connection.execute(query.where(columns.note_id == note_id)).one_or_none()
        return None if row is None else Note(*row)

    def step(self, step_id: str) -> NextStep | None:
        """Look up a next step by id."""
        columns = next_steps.c
        query = select(
            columns.step_id,
            columns.prospect_id,
            columns.words,
            columns.due_on,
            columns.outcome,
            columns.ended_at,
        )
        row = self._connection.execute(query.where(columns.step_id == step_id)).one_or_none()
        return None if row is None else NextStep(*row)

    def add_note(self, prospect_id: str, text: str, *, at: str, by: str) -> str:
        """Write a note and give its id."""
        note_id = f"note-{secrets.token_hex(8)}"
        values = {"prospect_id": prospect_id, "text": text, "written_at": at, "written_by": by}
        number = self._next_number(account_notes)
        self._connection.execute(
            insert(account_notes).values(note_id=note_id, number=number, **values)
        )
        return note_id

    def take_back_note(self, note_id: str, *, at: str) -> None:
        """Forget the text of a note; that there was one stays."""
        self._connection.execute(
            update(account_notes)
            .where(account_notes.c.note_id == note_id)
            .values(text="", taken_back_at=at)
        )

    def add_step(self, prospect_id: str, words: str, due_on: str, *, at: str, by: str) -> str:
        """Write a next step and give its id."""
        step_id = f"step-{secrets.token_hex(8)}"
        values = {"prospect_id": prospect_id, "words": words, "due_on": due_on}
        number = self._next_number(next_steps)
        self._connection.execute(
            insert(next_steps).values(
                step_id=step_id, number=number, set_at=at, set_by=by, **values
            )
        )
        return step_id

    def end_step(
        self, step_id: str, outcome: str | None, *, at: str | None, by: str | None
    ) -> None:
        """Say what became of a next step; None for all: it is to be done again."""
        self._connection.execute(
            update(next_steps)
            .where(next_steps.c.step_id == step_id)
            .values(outcome=outcome, ended_at=at, ended_by=by)
        )

    def _about(
        self,
        table: Table,
        plan_id: str | None,
        reach: Reach,
        columns: tuple[str, ...],
        people: dict[str, str],
    ) -> Select[Any]:
        """Select a table with the prospect, market and rep of each row and the names of people."""
        assignments, now, reps = tables.plan_assignments, tables.prospects, tables.plan_reps
        joined = table.outerjoin(assignments, self._in_plan(table, plan_id))
        joined = joined.outerjoin(now, now.c.prospect_id == table.c.prospect_id)
        joined = joined.outerjoin(
            reps,
            (reps.c.plan_id == assignments.c.plan_id) & (reps.c.rep_id == assignments.c.rep_id),
        )
        by_name: dict[str, ColumnElement[Any]] = {
            **{column.name: column for column in table.c},
            "name": func.coalesce(assignments.c.name, now.c.name),
            "market_id": assignments.c.market_id,
            "rep_id": assignments.c.rep_id,
            "rep_name": reps.c.name,
            "in_plan": assignments.c.prospect_id.is_not(None),
            "on_file": now.c.prospect_id.is_not(None),
        }
        for label, column in people.items():
            person = users.alias(f"{label}_user")
            joined = joined.outerjoin(person, person.c.user_id == table.c[column])
            by_name[label] = func.coalesce(person.c.name, table.c[column])
        selected = [by_name[name].label(name) for name in columns]
        return select(*selected).select_from(joined).where(within(assignments.c.rep_id, reach))

    def _in_plan(self, table: Table, plan_id: str | None) -> ColumnElement[bool]:
        assignments = tables.plan_assignments
        return (assignments.c.plan_id == plan_id) & (
            assignments.c.prospect_id == table.c.prospect_id
        )

    def _next_number(self, table: Table) -> int:
        top: int | None = self._connection.execute(select(func.max(table.c.number))).scalar()
        return (top or 0) + 1

    def _read(self, query: Select[Any]) -> pd.DataFrame:
        return rows.read(self._connection, query)
