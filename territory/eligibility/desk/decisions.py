"""The verbs of the eligibility desk: decide, search, verify, purge; and the rules of it.

The clock comes in as ``now`` (aware), the person at the desk as ``by``. Exact distances are given
only where ``is_exact`` says that the reader may know them; otherwise they come in classes. Verbs
about policies, exceptions and plans of offices are in ``eligibility_rules`` and can be had from
here too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import audit_log
from territory.eligibility.decision import (
    COLUMNS,
    distance_classes,
    plain_reasons,
)
from territory.eligibility.decision import decide as decide_homes
from territory.eligibility.decision import record as eligibility_record
from territory.eligibility.desk import batch as eligibility_batch
from territory.eligibility.desk.batch import BatchReport, read_batch, write_batch
from territory.eligibility.desk.decide import (
    Question,
    decide,
    offices_on,
    place,
    rule_for,
)
from territory.eligibility.rules import EligibilityLedger, Sought, check_reference, policy_from
from territory.errors import InputError
from territory.files import check_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from territory.eligibility.homes import Homes
    from territory.eligibility.rules import EligibilityPolicy
    from territory.store import Store


FOUND = (
    "decision_id", "subject", "decided_on", "decided_at", "decided_by", "policy_name",
    "policy_version", "decision", "basis", "office_id", "office_name", "reason", "remedy",
)  # fmt: skip
EXACT = ("distance_m", "duration_s", "uncertainty_m")
_ZIP = re.compile(r"[0-9]{5}(?:-[0-9]{4})?")
_PLACE = ("postal_code", "city", "lat", "lon")


@dataclass(frozen=True)
class Decided:
    """One decision on record: ``row`` has ``eligibility.COLUMNS``, ``kept_until`` is an ISO day.

    ``reason`` and ``distance_class`` are what may leave HR. ``kept_until`` is None where no address
    is held, because the person has no reference.
    """

    decision_id: str
    row: dict[str, Any]
    reason: str
    distance_class: str | None
    record: dict[str, Any]
    kept_until: str | None


@dataclass(frozen=True)
class RecordedBatch:
    """What became of a file: verdicts by number, and how many rows are on record, about whom."""

    report: BatchReport
    on_record: int
    without_reference: int

    @property
    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{self.report.sentence} {self.on_record:,} of {self.report.read:,} rows are on "
            f"record; {self.without_reference:,} of them about nobody, for want of a reference."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            **self.report.as_json(),
            "on_record": self.on_record,
            "without_reference": self.without_reference,
        }


@dataclass(frozen=True)
class SelfCheck:
    """What a candidate who gives a ZIP code is told. Nothing of it is stored."""

    decision: str
    sentence: str
    remedy: str | None
    policy: str


@dataclass(frozen=True)
class PurgeReport:
    """How many homes were deleted for good, and how many are left."""

    purged: int
    left: int

    @property
    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{self.purged:,} homes purged, {self.left:,} still held. The decisions stand; copies "
            "in backups are not reached from here."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {"purged": self.purged, "left": self.left}


def decide_one(
    store: Store, homes: Homes, home: Mapping[str, str | None], question: Question
) -> Decided:
    """Decide for one home and put the decision on record; the address goes to the home store.

    The same question asked again at the same moment is the same decision, byte for byte.

    Parameters
    ----------
    home
        Texts in the columns of ``eligibility_homes``: ``PLACE``, and of ``PERSON`` what is known.

    Raises
    ------
    InputError
        If no home is given, or ``person_id`` might be a name or an address.
    NotFoundError
        If no policy holds on that day.
    """
    if not any(home.get(name) for name in _PLACE):
        raise InputError("No home is given: give a ZIP code, a city and state, or coordinates.")
    if home.get("person_id"):
        check_reference(str(home["person_id"]).strip())
    found = decide(store, homes, pd.DataFrame([dict(home)], dtype=object), question)
    row = found.rows.iloc[0]
    return Decided(
        decision_id=found.decision_ids[0],
        row={name: row[name] for name in COLUMNS},
        reason=plain_reasons(found.rows, found.policy).iloc[0],
        distance_class=distance_classes(found.rows, found.policy).iloc[0],
        record=decision_record(store, found.decision_ids[0]),
        kept_until=None if found.subjects[0] is None else found.keep_until,
    )


def decide_batch(
    store: Store,
    homes: Homes,
    source: Path,
    target: Path,
    question: Question,
    *,
    is_exact: bool = False,
    mapping: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = lambda _: None,
) -> RecordedBatch:
    """Decide for every row of a file, put it on record, and write the rows with their verdicts.

    Every row comes back at its place, in its columns, with decision, reason, remedy, office,
    distance (exact, or in classes), policy and decision_id after them. A row that cannot be read
    is not on record. ``target`` is replaced only once all went well.

    Parameters
    ----------
    mapping
        Header -> column of ``eligibility_homes``; by default what the headers seem to mean.
    progress
        Told what is being done; may stop it by raising, and then nothing is on record.

    Raises
    ------
    FileFormatError, ColumnError
        If the file cannot be read, has no homes in it, or cannot be written.
    NotFoundError
        If no policy holds on that day.
    """
    check_writable(target)
    progress("Reading the file")
    batch = read_batch(source, mapping)
    progress(f"Deciding {len(batch.rows):,} rows and writing their verdicts")
    found = decide(store, homes, batch.rows, question)
    added = (
        eligibility_batch.exact_columns(found.rows, found.shown)
        if is_exact
        else eligibility_batch.classed_columns(found.rows, found.policy, found.shown)
    )
    added["decision_id"] = found.decision_ids
    report = write_batch(batch, added, target, found.shown)
    return RecordedBatch(report, len(found.decision_ids), found.subjects.count(None))


def self_check(
    store: Store, zip_code: str, *, now: datetime, policy_name: str | None = None
) -> SelfCheck:
    """Answer a candidate who gives a ZIP code, and store nothing.

    Raises
    ------
    InputError
        If it is no ZIP code. The message does not repeat it.
    NotFoundError
        If no policy is in force.
    """
    code = zip_code.strip()
    if not _ZIP.fullmatch(code):
        raise InputError("That is no ZIP code. Give its five digits.")
    question = Question("", now, policy_name)
    with store.read() as transaction:
        policy = rule_for(transaction, policy_name, question.day, set())
        offices = offices_on(transaction, question.day)
    rows = place(pd.DataFrame({"postal_code": [code]}, dtype=object))
    row = decide_homes(rows, offices, policy, on=question.day).iloc[0]
    told = f"{policy.name} {policy.version}"
    return SelfCheck(row["decision"], row["sentence"], row["remedy"], told)


def search_decisions(
    store: Store,
    sought: Sought | None = None,
    *,
    is_exact: bool = False,
    offset: int = 0,
    limit: int | None = 100,
) -> tuple[pd.DataFrame, int]:
    """Find decisions, the last ones first, and say how many there are in all.

    Returns
    -------
    found
        ``FOUND``, and ``distance_class``, or with ``is_exact`` the columns ``EXACT``.
    total
        However many are asked for.
    """
    with store.read() as transaction:
        listed, total = EligibilityLedger(transaction).search(
            sought or Sought(), offset=offset, limit=limit
        )
    records = [json.loads(text) for text in listed["record"]]
    told = pd.DataFrame([each["decision"] for each in records], columns=list(COLUMNS))
    names = [name for name in listed.columns if name not in told.columns]
    found = pd.concat([listed[names], told], axis=1)
    if is_exact:
        found = found.rename(columns={"sentence": "reason"})
        return found[[*FOUND, *EXACT]].astype(dict.fromkeys(EXACT, float)), total
    found["reason"], found["distance_class"] = _without_distances(found, records)
    return found[[*FOUND, "distance_class"]], total


def _without_distances(
    found: pd.DataFrame, records: list[dict[str, Any]]
) -> tuple[pd.Series, pd.Series]:
    """Give reasons and classes of decisions that were taken by several policies."""
    rules: dict[str, EligibilityPolicy] = {}
    for each in records:
        part = each["policy"]
        if part["digest"] not in rules:
            rules[part["digest"]] = policy_from(part["rule"], part["name"])
    digests = pd.Series([each["policy"]["digest"] for each in records], found.index, dtype=object)
    reasons, classes = (pd.Series(None, found.index, dtype=object) for _ in range(2))
    for digest, rows in found.groupby(digests):
        reasons[rows.index] = plain_reasons(rows, rules[str(digest)])
        classes[rows.index] = distance_classes(rows, rules[str(digest)])
    return reasons, classes


def decision_record(store: Store, decision_id: str) -> dict[str, Any]:
    """Give the record of a decision, as it was made; for those who may know exact distances.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    with store.read() as transaction:
        row = EligibilityLedger(transaction).decision(decision_id)
    return eligibility_record.parse_record(row.record, decision_id)


def purge_person(
    store: Store, homes: Homes, subject: str, *, by: str, now: datetime
) -> PurgeReport:
    """Delete every address held of one person for good; the decisions stand."""
    purged = homes.purge_subject(check_reference(subject), by=by, now=now)
    _note_purge(store, subject, purged, by, now)
    return PurgeReport(purged, homes.size())


def purge_due(
    store: Store, homes: Homes, *, by: str, now: datetime, kept_before: str | None = None
) -> PurgeReport:
    """Delete the addresses whose time is over, or that were kept before a day (ISO text)."""
    if kept_before is None:
        purged = homes.purge_due(by=by, now=now)
    else:
        purged = homes.purge_kept_before(kept_before, by=by, now=now)
    _note_purge(store, "by age", purged, by, now)
    return PurgeReport(purged, homes.size())


def _note_purge(store: Store, subject: str, purged: int, by: str, now: datetime) -> None:
    with store.write() as transaction:
        audit_log.record(
            transaction,
            by=by,
            at=now,
            action="eligibility.purge",
            subject_kind="person",
            subject_id=subject,
            detail={"homes_purged": purged},
        )
