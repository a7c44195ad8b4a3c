"""Audit ledger: events as rows, each with the hash of the one before; of payloads alone, purged."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from territory.errors import ConflictError, InputError, StoreError
from territory.store import audit_events, audit_payloads, rows, settings

if TYPE_CHECKING:
    from collections.abc import Generator

    import pandas as pd
    from sqlalchemy import ColumnElement

    from territory.store import Transaction

GENESIS = "0" * 64  # what the first event follows
PURGE = "audit.purge"  # its subject is the number of the last event without payload
ANCHOR = "audit_anchor"  # the setting that notes the end of the log
AT_ONCE = 5_000  # events in memory while the log is read
WHOLE = audit_events.outerjoin(audit_payloads, audit_payloads.c.number == audit_events.c.number)
FIELDS = (*audit_events.c, audit_payloads.c.salt, audit_payloads.c.payload)
SHOWN = (
    *(audit_events.c[name] for name in ("number", "at", "by", "action")),
    *(audit_events.c[name] for name in ("subject_kind", "subject_id")),
    audit_payloads.c.payload,
    (audit_events.c.payload_hash.is_not(None) & audit_payloads.c.payload.is_(None)).label(
        "is_purged"
    ),
)
# Written once, since building a statement takes longer than running it.
ADD_EVENT, ADD_PAYLOAD = insert(audit_events), insert(audit_payloads)
READ_ANCHOR = select(settings.c.value).where(settings.c.name == ANCHOR)
MOVE_ANCHOR = update(settings).where(settings.c.name == ANCHOR).values(value=bindparam("end"))


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log and, where it is still held, its payload (JSON) with the salt of it."""

    number: int
    at: str
    by: str
    action: str
    subject_kind: str
    subject_id: str
    payload_hash: str | None
    previous_hash: str
    hash: str
    salt: str | None
    payload: str | None


@dataclass(frozen=True)
class Head:
    """The end of the log at some moment: how many events, and the hash of the last."""

    count: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read what ``str`` of a head gave.

        Raises
        ------
        InputError
            If it is no head.
        """
        match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text)
        if match is None:
            raise InputError("That is no head. `territory audit verify` prints one, as 120:9f2c...")
        return cls(int(match[1]), match[2])


def digest(*parts: Any) -> str:
    """Hash parts so that no two lists of parts look the same."""
    # ``repr`` catches what is no text any more: a database tool can leave bytes in a text column.
    text = json.dumps(parts, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def event_hash(event: Event, number: int | None = None) -> str:
    """Hash everything an event says and the hash of the one before, as if it had this number."""
    return digest(
        event.number if number is None else number,
        event.at,
        event.by,
        event.action,
        event.subject_kind,
        event.subject_id,
        event.payload_hash,
        event.previous_hash,
    )


class AuditLedger:
    """Appends to the log and reads it; the database refuses anything else."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def append(
        self,
        *,
        at: str,
        by: str,
        action: str,
        subject_kind: str,
        subject_id: str,
        salt: str | None = None,
        payload: str | None = None,
    ) -> int:
        """Add an event to the end of the log and give its number.

        Raises
        ------
        ConflictError
            If the transaction only reads: two could then take the same number.
        StoreError
            If the note of the log's end is gone, which only tampering does.
        """
        if not self._connection.get_execution_options().get("writes", False):
            raise ConflictError("An event is recorded by a transaction that writes: store.write().")
        # The note, not the last row: where the end was cut off, a gap stays to be seen.
        head = self.anchor()
        if head is None:
            raise StoreError(
                f"The setting {ANCHOR!r} is gone or unreadable, so nothing can be recorded. "
                "`territory audit verify` says what else is broken; restore a backup."
            )
        event = Event(
            number=head.count + 1,
            at=at,
            by=by,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            payload_hash=None if payload is None else digest(salt, payload),
            previous_hash=head.hash,
            hash="",
            salt=salt,
            payload=payload,
        )
        columns = {name: getattr(event, name) for name in audit_events.c.keys()}  # noqa: SIM118
        end = Head(event.number, event_hash(event))
        self._connection.execute(ADD_EVENT, columns | {"hash": end.hash})
        if payload is not None:
            private = {"number": event.number, "salt": salt, "payload": payload}
            self._connection.execute(ADD_PAYLOAD, private)
        self._connection.execute(MOVE_ANCHOR, {"end": str(end)})
        return event.number

    def anchor(self) -> Head | None:
        """Give the end of the log as the store noted it, None where the note is unreadable."""
        text = self._connection.execute(READ_ANCHOR).scalar()
        try:
            return Head.parse(str(text))
        except InputError:
            return None

    def events(self) -> Generator[Event, None, None]:
        """Read every event with its payload, in order, few at a time; close it when done."""
        query = select(*FIELDS).select_from(WHOLE).order_by(audit_events.c.number)
        with self._connection.execution_options(yield_per=AT_ONCE).execute(query) as result:
            for row in result:
                yield Event(*row)

    def stray_payload(self) -> int | None:
        """Give the number of a payload that belongs to no event, None where there is none."""
        query = (
            select(audit_payloads.c.number)
            .outerjoin(audit_events, audit_events.c.number == audit_payloads.c.number)
            .where(audit_events.c.number.is_(None))
            .order_by(audit_payloads.c.number)
            .limit(1)
        )
        number: int | None = self._connection.execute(query).scalar()
        return number

    def purged_through(self) -> int:
        """Give the number of the last event whose payload the log says was purged, 0 for none."""
        row = self._connection.execute(
            select(audit_events.c.subject_id).where(audit_events.c.action == PURGE)
        ).scalars()
        return max((int(number) for number in row if str(number).isdecimal()), default=0)

    def search(
        self, criteria: dict[str, str | None], *, limit: int | None, offset: int
    ) -> tuple[pd.DataFrame, int]:
        """Give events, newest first, and how many there are in all.

        ``criteria``: ``by``, ``action`` (or the part of it before a dot), ``subject_kind``,
        ``subject_id``, ``since`` and ``until`` (UTC text, the first included, the last not).
        """
        conditions = _conditions(criteria)
        total: int = self._connection.execute(
            select(func.count()).select_from(audit_events).where(*conditions)
        ).scalar_one()
        query = select(*SHOWN).select_from(WHOLE).where(*conditions)
        query = query.order_by(audit_events.c.number.desc()).limit(limit).offset(offset)
        frame = rows.read(self._connection, query)
        return frame.assign(is_purged=frame["is_purged"].astype(bool)), total

    def last_before(self, moment: str) -> int:
        """Give the number up to which every event is older than a moment (UTC text)."""
        first_kept: int | None = self._connection.execute(
            select(func.min(audit_events.c.number)).where(audit_events.c.at >= moment)
        ).scalar()
        if first_kept is not None:
            return first_kept - 1
        last: int | None = self._connection.execute(
            select(func.max(audit_events.c.number))
        ).scalar()
        return last or 0

    def payloads_through(self, number: int) -> int:
        """Count the payloads of the events up to a number."""
        count: int = self._connection.execute(
            select(func.count())
            .select_from(audit_payloads)
            .where(audit_payloads.c.number <= number)
        ).scalar_one()
        return count

    def purge_through(self, number: int) -> None:
        """Delete the payloads of the events up to a number, which an event must have announced."""
        if self._connection.dialect.name == "sqlite":
            # What is deleted is overwritten in the file, not only forgotten.
            self._connection.exec_driver_sql("PRAGMA secure_delete = ON")
        self._connection.execute(delete(audit_payloads).where(audit_payloads.c.number <= number))


def _conditions(criteria: dict[str, str | None]) -> list[ColumnElement[bool]]:
    events: Any = audit_events.c
    conditions: list[ColumnElement[bool]] = []
    for name, value in criteria.items():
        if value is None:
            continue
        if name == "since":
            conditions.append(events.at >= value)
        elif name == "until":
            conditions.append(events.at < value)
        elif name == "action":
            family = events.action.startswith(f"{value}.", autoescape=True)
            conditions.append(or_(events.action == value, family))
        else:
            conditions.append(events[name] == value)
    return conditions
