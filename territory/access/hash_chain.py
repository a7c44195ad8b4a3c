"""Verification of the audit log: a walk along its chain of hashes, to the first row that broke it.

Whoever changes, takes away or moves a row breaks the chain there; whoever cuts its end breaks with
the anchor, and whoever rewrites all of it with a head that was kept elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from territory.access.audit_ledger import Event, Head, digest, event_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class AuditVerdict:
    """Whether the log stands. ``number`` is the first broken row, ``problem`` what befell it.

    ``problem`` is one of edited, deleted, reordered, truncated, rewritten, payload_edited,
    payload_deleted, payload_added, anchor; None for a log that stands. ``head`` is the end that was
    reached, to be kept elsewhere.
    """

    events: int
    purged: int
    head: Head
    number: int | None = None
    problem: str | None = None
    reason: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether no row was changed, taken away or moved."""
        return self.problem is None

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        if self.is_intact:
            purged = f", {self.purged:,} of them with purged payloads" if self.purged else ""
            return f"{self.events:,} events{purged}: none edited, deleted or moved."
        where = "The anchor" if self.number is None else f"Row {self.number:,}"
        return f"{where} is broken ({self.problem}): {self.reason}"


class Breach(Exception):  # noqa: N818  never leaves this module
    """Raised where the chain breaks."""

    def __init__(self, number: int | None, problem: str, reason: str) -> None:
        super().__init__(reason)
        self.number, self.problem, self.reason = number, problem, reason


def verify(
    events: Iterable[Event],
    anchor: Head | None,
    *,
    heads: Sequence[Head] = (),
    purged_through: int = 0,
) -> AuditVerdict:
    """Walk the log from its first event and stop at the first breach.

    Parameters
    ----------
    events
        In the order of their numbers.
    anchor
        The end as the log itself noted it; None where the note is gone or unreadable.
    heads
        Heads that were exported earlier.
    purged_through
        The number up to which the log says that payloads were purged.
    """
    walk = _Walk({head.count: head for head in heads}, purged_through)
    try:
        for event in events:
            walk.step(event, anchor)
        walk.end(anchor, heads)
    except Breach as breach:
        return AuditVerdict(
            walk.head.count, walk.purged, walk.head, breach.number, breach.problem, breach.reason
        )
    return AuditVerdict(walk.head.count, walk.purged, walk.head)


class _Walk:
    """Where a verification stands."""

    def __init__(self, heads: dict[int, Head], purged_through: int) -> None:
        self.head, self.purged = Head(), 0
        self._kept, self._purged_through = heads, purged_through

    def step(self, event: Event, anchor: Head | None) -> None:
        number = self.head.count + 1
        if event.number != number:
            raise _gap(number, event.number)
        if event_hash(event) != event.hash:
            raise _changed(event, max(anchor.count if anchor else 0, number))
        if event.previous_hash != self.head.hash:
            raise Breach(
                max(number - 1, 1),
                "rewritten",
                f"row {number:,}, whose own hash is right, follows another hash.",
            )
        self._check_payload(event)
        self.head = Head(number, event.hash)
        expected = self._kept.get(number, self.head)
        if expected != self.head:
            raise Breach(number, "rewritten", "a head that was kept has another hash for it.")

    def _check_payload(self, event: Event) -> None:
        if event.payload is None:
            if event.payload_hash is None:
                return
            if event.number > self._purged_through:
                raise Breach(event.number, "payload_deleted", "no purge that is recorded did that.")
            self.purged += 1
        elif event.payload_hash is None:
            raise Breach(event.number, "payload_added", "the event never had a payload.")
        elif digest(event.salt, event.payload) != event.payload_hash:
            raise Breach(event.number, "payload_edited", "the payload has another hash.")

    def end(self, anchor: Head | None, heads: Sequence[Head]) -> None:
        last = self.head.count
        promised = max([anchor.count if anchor else 0, *(head.count for head in heads)])
        if promised > last:
            raise Breach(
                last + 1, "truncated", f"{promised - last:,} events at the end are missing."
            )
        if anchor is None:
            raise Breach(None, "anchor", "the setting 'audit_anchor' is gone or unreadable.")
        if anchor != self.head:
            raise Breach(
                None, "anchor", f"it says {anchor.count:,} events, the log has {last:,}, "
                "or the hash of the last is another."
            )  # fmt: skip


def _gap(number: int, next_number: int) -> Breach:
    if next_number < number:
        return Breach(next_number, "edited", "its number is none that the log gives.")
    missing = (
        f"{next_number - number:,} events are missing"
        if next_number - number > 1
        else "it is missing"
    )
    return Breach(number, "deleted", f"{missing}; the next that is there is {next_number:,}.")


def _changed(event: Event, count: int) -> Breach:
    """Tell a row that was changed from one that was moved whole."""
    for number in range(1, count + 1):
        if event_hash(event, number) == event.hash:
            return Breach(event.number, "reordered", f"what stands there was row {number:,}.")
    return Breach(event.number, "edited", "what it says has another hash.")
