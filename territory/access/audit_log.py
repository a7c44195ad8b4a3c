"""The audit log: who did what, when, and what was there before and after.

``record`` is called by a verb inside its own transaction, so that a change and its event happen
together or not at all. Events are chained by hashes (``hash_chain``); the database refuses to
change them. Of an event the payload alone may be purged: the chain keeps its salted hash.
"""

from __future__ import annotations

import json
import math
import secrets
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from territory.access import hash_chain
from territory.access.audit_ledger import PURGE, AuditLedger, Head
from territory.access.audit_sentences import sentences
from territory.access.hash_chain import AuditVerdict
from territory.access.user_ledger import UserLedger
from territory.errors import FileFormatError, InputError
from territory.files import check_writable, write_table
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from territory.store import Store, Transaction


FORMATS = ("csv", "xlsx", "parquet")
WITHHELD = "(withheld)"
# What never enters the log, which more people read than may read these: secrets, whatever the
# subject, and whatever is called home_...; of a contact all that says who it is, of a person's home
# all that says where; what people write about accounts and how they name their views.
SECRET_FIELDS = frozenset({"password", "secret", "token", "link"})
HOME_FIELDS = frozenset(
    {
        "street", "city", "postal_code", "zip", "address", "home", "lon", "lat", "distance_m",
        "distance_mi", "duration_s", "duration_min",
    }
)  # fmt: skip
PRIVATE_FIELDS = {
    "contact": frozenset({"name", "title", "email", "phone"}),
    "note": frozenset({"text"}),
    "next_step": frozenset({"words"}),
    "saved_view": frozenset({"name"}),
    "home": HOME_FIELDS,
    "person": HOME_FIELDS,
    "decision": HOME_FIELDS,
    "eligibility": HOME_FIELDS,
}


@dataclass(frozen=True)
class PurgeReport:
    """What ``purge`` did: payloads taken out of the events up to number ``through``."""

    purged: int
    through: int
    is_dry_run: bool

    @property
    def sentence(self) -> str:
        """The report in one line."""
        did = "would be purged. Nothing was written" if self.is_dry_run else "purged"
        return f"Payloads of {self.purged:,} events, up to number {self.through:,}, {did}."


def record(
    transaction: Transaction,
    *,
    by: str,
    at: datetime,
    action: str,
    subject_kind: str,
    subject_id: str,
    before: Any = None,
    after: Any = None,
    detail: Any = None,
) -> int:
    """Add an event to the log within the caller's transaction and give its number.

    ``by``, ``subject_kind`` and ``subject_id`` stay for ever: ids belong there, names and addresses
    do not. ``before``, ``after`` and ``detail`` are made of what JSON has, dates and NumPy scalars;
    fields that nobody may read in a log are withheld.

    Raises
    ------
    InputError
        If a value is none that can be recorded, or the action is that of ``purge``.
    """
    if action == PURGE:
        raise InputError(f"{PURGE!r} is recorded by purge alone.")
    return _append(transaction, by, at, action, subject_kind, subject_id, before, after, detail)


def _append(
    transaction: Transaction,
    by: str,
    at: datetime,
    action: str,
    subject_kind: str,
    subject_id: str,
    before: Any = None,
    after: Any = None,
    detail: Any = None,
) -> int:
    private = SECRET_FIELDS | _private(subject_kind)
    payload = {
        name: _plain(value, private)
        for name, value in (("before", before), ("after", after), ("detail", detail))
        if value is not None
    }
    return AuditLedger(transaction).append(
        at=utc_text(at),
        by=_printable(by),
        action=_printable(action),
        subject_kind=_printable(subject_kind),
        subject_id=_printable(subject_id),
        salt=secrets.token_hex(16) if payload else None,
        payload=json.dumps(payload, sort_keys=True, allow_nan=False) if payload else None,
    )


def _private(subject_kind: str) -> frozenset[str]:
    """Give the fields that are withheld for a kind of subject, whatever its number or prefix."""
    fields_by_kind = [fields for kind, fields in PRIVATE_FIELDS.items() if kind in subject_kind]
    return frozenset().union(*fields_by_kind)


def _plain(value: Any, private: frozenset[str]) -> Any:
    """Turn a value into what JSON has, private fields withheld at any depth."""
    if isinstance(value, dict):
        return {
            str(name): WITHHELD
            if inner is not None and (name in private or str(name).startswith("home_"))
            else _plain(inner, private)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(inner, private) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(inner, private) for inner in value), key=str)
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise InputError(f"A {type(value).__name__} cannot be recorded. Give text, numbers or a dict.")


def _printable(text: str) -> str:
    """Write out what no database or terminal should be handed: control characters, surrogates."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in str(text)
    )


def verify(store: Store, *, heads: Sequence[Head] = ()) -> AuditVerdict:
    """Walk the whole log and name the first row that was edited, deleted or moved, if any was.

    ``heads`` are those that earlier verdicts gave and that were kept out of the database's reach:
    they find a log that was rewritten from some row to its end, anchor and all.
    """
    with store.read() as transaction:
        ledger = AuditLedger(transaction)
        anchor, through = ledger.anchor(), ledger.purged_through()
        with closing(ledger.events()) as events:
            verdict = hash_chain.verify(events, anchor, heads=heads, purged_through=through)
        stray = ledger.stray_payload() if verdict.is_intact else None
    if stray is None:
        return verdict
    reason = "there is a payload of this number and no event."
    return AuditVerdict(
        verdict.events, verdict.purged, verdict.head, stray, "payload_added", reason
    )


def search(
    store: Store,
    *,
    by: str | None = None,
    action: str | None = None,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = 50,
    offset: int = 0,
) -> tuple[pd.DataFrame, int]:
    """Give events, newest first, and how many there are in all.

    The columns are number, at, by, action, subject_kind, subject_id, payload (JSON text) and
    is_purged. ``action`` also takes the part before the dot: "user" finds "user.add". ``since`` is
    included, ``until`` is not.
    """
    criteria = _criteria(by, action, subject_kind, subject_id, since, until)
    with store.read() as transaction:
        return AuditLedger(transaction).search(criteria, limit=limit, offset=offset)


def _criteria(
    by: str | None,
    action: str | None,
    subject_kind: str | None,
    subject_id: str | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, str | None]:
    return {
        "by": by,
        "action": action,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "since": utc_text(since) if since else None,
        "until": utc_text(until) if until else None,
    }


def export(
    store: Store,
    path: str | Path,
    *,
    exported_by: str,
    now: datetime,
    by: str | None = None,
    action: str | None = None,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Write the events that ``search`` would find, oldest first, and give their number.

    A column ``sentence`` says each event in words, with the names that users have now. The export
    is an event itself, recorded before the file is written.

    Raises
    ------
    FileFormatError
        If the suffix is not .csv, .xlsx or .parquet, or the file cannot be written.
    """
    if check_writable(Path(path)) not in FORMATS:
        raise FileFormatError(f"{path}: an audit log is written as .csv, .xlsx or .parquet.")
    criteria = _criteria(by, action, subject_kind, subject_id, since, until)
    filters = {name: value for name, value in criteria.items() if value is not None}
    with store.write() as transaction:
        rows, total = AuditLedger(transaction).search(criteria, limit=None, offset=0)
        detail = {"rows": total, "criteria": filters}
        _append(transaction, exported_by, now, "audit.export", "audit", "log", detail=detail)
        names = {user.user_id: user.name for user in UserLedger(transaction).users()}
    rows["sentence"] = sentences(rows.to_dict("records"), names)
    write_table(rows.iloc[::-1].reset_index(drop=True), path)
    return total


def purge(
    store: Store, *, before: datetime, by: str, now: datetime, dry_run: bool = False
) -> PurgeReport:
    """Delete the payloads of all events older than a moment; their rows and hashes stay.

    Where clocks went back, it stops at the first event that is not older.

    Raises
    ------
    InputError
        If ``before`` lies in the future.
    """
    if before > now:
        raise InputError(f"{utc_text(before)} lies in the future. Name a day that is past.")
    with store.read() if dry_run else store.write() as transaction:
        ledger = AuditLedger(transaction)
        through = ledger.last_before(utc_text(before))
        report = PurgeReport(ledger.payloads_through(through), through, dry_run)
        if report.purged and not dry_run:
            detail = {"before": utc_text(before), "payloads": report.purged}
            # Announced first: the database lets go of no payload that no event speaks of.
            _append(transaction, by, now, PURGE, "audit", str(through), detail=detail)
            ledger.purge_through(through)
    return report
