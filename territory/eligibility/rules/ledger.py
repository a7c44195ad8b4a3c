"""The eligibility register: policy versions, exceptions and decisions, and its tables in the store.

A person is a reference here, never a name or an address. Policies that are published never change;
the version in force on a day is the one that starts last, up to that day.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from territory.eligibility.rules.policy import GrantedException, policy_from
from territory.eligibility.rules.references import same_person
from territory.errors import ConflictError, InputError, NotFoundError
from territory.store import eligibility_decisions as decisions
from territory.store import eligibility_exceptions as exceptions
from territory.store import eligibility_policies as policies
from territory.store import rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import pandas as pd
    from sqlalchemy import ColumnElement, Row, Table

    from territory.eligibility.rules.policy import EligibilityPolicy
    from territory.store import Transaction


DRAFT, PUBLISHED = "draft", "published"
IN_FORCE, NOT_YET, ENDED, TAKEN_BACK = EXCEPTION_STATES = (
    "in force", "not yet", "ended", "taken back",
)  # fmt: skip
_CHUNK = 10_000  # values of one IN list
LISTED = (
    "decision_id", "number", "subject", "home", "role", "decided_on", "decided_at", "decided_by",
    "policy_name", "policy_version", "decision", "basis", "office_id",
)  # fmt: skip


@dataclass(frozen=True)
class PolicyVersion:
    """One version of a policy in the register. ``number`` counts versions as they were saved."""

    policy: EligibilityPolicy
    number: int
    status: str
    saved_at: str
    saved_by: str
    published_at: str | None = None
    published_by: str | None = None

    @property
    def label(self) -> str:
        """Name and version, as reports have it."""
        return self.policy.label


@dataclass(frozen=True)
class ExceptionEntry:
    """An exception as it was set, and when it was taken back, if it was."""

    exception_id: str
    policy_name: str
    granted: GrantedException
    set_at: str
    set_by: str
    revoked_at: str | None = None
    revoked_by: str | None = None

    @property
    def in_force(self) -> GrantedException | None:
        """The exception as rules take it: it ends when it was taken back; None if at once."""
        if self.revoked_at is None or self.revoked_at[:10] >= self.granted.expires_on:
            return self.granted
        if self.revoked_at[:10] <= self.granted.granted_on:
            return None
        return dataclasses.replace(self.granted, expires_on=self.revoked_at[:10])

    def state_on(self, day: str) -> str:
        """Say what it is on a day (ISO text): one of ``EXCEPTION_STATES``."""
        if self.revoked_at is not None:
            return TAKEN_BACK
        granted = self.in_force
        if granted is None or granted.expires_on <= day:
            return ENDED
        return IN_FORCE if granted.granted_on <= day else NOT_YET


def version_in_force(
    versions: Iterable[PolicyVersion], on: str, name: str | None = None
) -> PolicyVersion:
    """Pick the published version that holds on a day (ISO text).

    Parameters
    ----------
    name
        Which policy; may be left out where only one is published.

    Raises
    ------
    NotFoundError
        If no published policy of that name holds on that day.
    InputError
        If several policies are published and none is named.
    """
    published = [version for version in versions if version.status == PUBLISHED]
    names = sorted({version.policy.name for version in published})
    if name is None and len(names) > 1:
        raise InputError(f"Several policies are published: name one of {', '.join(names)}.")
    if not published or (name is not None and name not in names):
        there_are = f"there are {', '.join(names)}" if names else "none is"
        raise NotFoundError(
            f"No policy {name or ''} is published; {there_are}. "
            "`territory eligibility policies publish FILE` publishes one."
        )
    mine = [v for v in published if v.policy.name == (name or names[0])]
    # Later versions replace earlier ones from their own first day; saved last wins a tie of days.
    started = [version for version in mine if version.policy.effective_from <= on]
    latest = max(started, key=lambda v: (v.policy.effective_from, v.number), default=None)
    if latest is None or not latest.policy.is_in_force(on):
        rules = [version.policy for version in mine]
        dates = ", ".join(
            f"{rule.version} ({rule.effective_from} to {rule.effective_until or 'open'})"
            for rule in rules
        )
        raise NotFoundError(f"{mine[0].policy.name}: no version holds on {on}; there are {dates}.")
    return latest


def with_exceptions(
    policy: EligibilityPolicy, entries: Iterable[ExceptionEntry]
) -> EligibilityPolicy:
    """Give the policy with the exceptions that the register holds for it."""
    granted = [entry.in_force for entry in entries if entry.policy_name == policy.name]
    return dataclasses.replace(policy, exceptions=tuple(each for each in granted if each))


@dataclass(frozen=True)
class DecisionFilter:
    """Which decisions to search for; None: any. Days are ISO text, both ends included.

    ``subject`` is a whole reference, ``subject_part`` any part of one, whatever its case.
    """

    subject: str | None = None
    decision: str | None = None
    policy_name: str | None = None
    policy_version: str | None = None
    decided_from: str | None = None
    decided_until: str | None = None
    subject_part: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as conditions of a query."""
        equal = ("subject", "decision", "policy_name", "policy_version")
        conditions = [
            decisions.c[name] == getattr(self, name)
            for name in equal
            if getattr(self, name) is not None
        ]
        if self.subject_part is not None:
            lower = func.lower(decisions.c.subject)
            conditions.append(lower.contains(same_person(self.subject_part), autoescape=True))
        if self.decided_from is not None:
            conditions.append(decisions.c.decided_on >= self.decided_from)
        if self.decided_until is not None:
            conditions.append(decisions.c.decided_on <= self.decided_until)
        return conditions


class EligibilityLedger:
    """Reads and writes the register, within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def policies(self, name: str | None = None) -> list[PolicyVersion]:
        """Read the versions of policies, by name and number."""
        query = select(policies).order_by(policies.c.name, policies.c.number)
        if name is not None:
            query = query.where(policies.c.name == name)
        return [_version(row) for row in self._connection.execute(query)]

    def save_policy(self, policy: EligibilityPolicy, *, at: str, by: str) -> PolicyVersion:
        """Save a draft in place of any earlier draft of the same name and version.

        Raises
        ------
        ConflictError
            If that version is published.
        """
        same = (policies.c.name == policy.name, policies.c.version == policy.version)
        status = self._connection.execute(select(policies.c.status).where(*same)).scalar()
        if status == PUBLISHED:
            raise ConflictError(
                f"{policy.label} is published and never changes. Save it under another version."
            )
        self._connection.execute(delete(policies).where(*same))
        saved = PolicyVersion(policy, self._next(policies), DRAFT, at, by)
        self._connection.execute(
            insert(policies).values(
                name=policy.name,
                version=policy.version,
                number=saved.number,
                status=DRAFT,
                rule=json.dumps(policy.as_dict(), sort_keys=True),
                digest=policy.digest,
                saved_at=at,
                saved_by=by,
            )
        )
        return saved

    def publish_policy(self, name: str, version: str, *, at: str, by: str) -> None:
        """Freeze a draft: from here on the database refuses to change it."""
        self._connection.execute(
            update(policies)
            .where(policies.c.name == name, policies.c.version == version)
            .values(status=PUBLISHED, published_at=at, published_by=by)
        )

    def add(self, table: pd.DataFrame, year: str) -> list[str]:
        """Add decisions and give their ids; one whose record is there already keeps its id.

        ``table`` has every column of the register but decision_id and number.
        """
        ids_by_digest = self._ids(table["digest"].unique())
        fresh = table[~table["digest"].isin(ids_by_digest)].drop_duplicates("digest")
        number = self._next(decisions)
        numbers = range(number, number + len(fresh))
        ids = [f"E-{year}-{each:06d}" for each in numbers]
        rows.write(self._connection, decisions, fresh.assign(decision_id=ids, number=numbers))
        ids_by_digest |= dict(zip(fresh["digest"], ids, strict=True))
        return [ids_by_digest[digest] for digest in table["digest"]]

    def _ids(self, digests: Collection[str]) -> dict[str, str]:
        ids: dict[str, str] = {}
        query = select(decisions.c.digest, decisions.c.decision_id)
        for part in _parts(digests):
            recorded = self._connection.execute(query.where(decisions.c.digest.in_(part)))
            ids.update((row.digest, row.decision_id) for row in recorded)
        return ids

    def spellings(self, references: Sequence[str | None]) -> list[str | None]:
        """Write references as they are on record; of a person who is new, as they come first."""
        keys = {same_person(each) for each in references if each is not None}
        spelling: dict[str, str] = {}
        for table in (decisions, exceptions):
            lower = func.lower(table.c.subject)
            for part in _parts(sorted(keys)):
                rows_found = self._connection.execute(
                    select(table.c.subject).distinct().where(lower.in_(part))
                )
                for subject in sorted(row.subject for row in rows_found):
                    spelling.setdefault(same_person(subject), subject)
        return [
            None if each is None else spelling.setdefault(same_person(each), each)
            for each in references
        ]

    def decision(self, decision_id: str) -> Row[Any]:
        """Read one decision, with its record.

        Raises
        ------
        NotFoundError
            If there is none of that id.
        """
        row = self._connection.execute(
            select(decisions).where(decisions.c.decision_id == decision_id)
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                f"No decision {decision_id!r}. `territory eligibility search` lists them."
            )
        return row

    def search(
        self, where: DecisionFilter, *, offset: int = 0, limit: int | None = None
    ) -> tuple[pd.DataFrame, int]:
        """Read decisions, the last ones first, and how many there are in all: table and total."""
        conditions = where.conditions()
        total: int = self._connection.execute(
            select(func.count()).select_from(decisions).where(*conditions)
        ).scalar_one()
        query = select(*(decisions.c[name] for name in LISTED), decisions.c.record)
        query = query.where(*conditions).order_by(decisions.c.number.desc())
        return rows.read(self._connection, query.offset(offset).limit(limit)), total

    def latest(self, policy_name: str) -> pd.DataFrame:
        """Read the last decision about each person under a policy, with its record."""
        last = (
            select(func.max(decisions.c.number))
            .where(decisions.c.policy_name == policy_name, decisions.c.subject.is_not(None))
            .group_by(decisions.c.subject)
        )
        query = select(*(decisions.c[name] for name in LISTED), decisions.c.record)
        query = query.where(decisions.c.number.in_(last)).order_by(decisions.c.number)
        return rows.read(self._connection, query)

    def history(self, subjects: Collection[str]) -> pd.DataFrame:
        """Read all decisions about some people, oldest first, without their records."""
        import pandas as pd

        query = select(*(decisions.c[name] for name in LISTED))
        parts = [
            rows.read(self._connection, query.where(decisions.c.subject.in_(part)))
            for part in _parts(subjects) or [[]]
        ]
        return pd.concat(parts).sort_values(["decided_on", "number"], ignore_index=True)

    def count_since(self, policy_name: str, day: str) -> int:
        """Count the decisions under a policy for a day or a later one."""
        conditions = DecisionFilter(policy_name=policy_name, decided_from=day).conditions()
        count: int = self._connection.execute(
            select(func.count()).select_from(decisions).where(*conditions)
        ).scalar_one()
        return count

    def add_exception(
        self, policy_name: str, granted: GrantedException, *, at: str, by: str
    ) -> ExceptionEntry:
        """Add an exception."""
        number = self._next(exceptions)
        entry = ExceptionEntry(f"X-{number}", policy_name, granted, at, by)
        self._connection.execute(
            insert(exceptions).values(
                exception_id=entry.exception_id,
                number=number,
                policy_name=policy_name,
                subject=granted.person_id,
                reason=granted.reason,
                approver=granted.approver,
                granted_on=granted.granted_on,
                expires_on=granted.expires_on,
                set_at=at,
                set_by=by,
            )
        )
        return entry

    def revoke_exception(self, exception_id: str, *, at: str, by: str) -> None:
        """Note that an exception was taken back."""
        self._connection.execute(
            update(exceptions)
            .where(exceptions.c.exception_id == exception_id)
            .values(revoked_at=at, revoked_by=by)
        )

    def exceptions(
        self, policy_name: str | None = None, subjects: Collection[str] | None = None
    ) -> list[ExceptionEntry]:
        """Read exceptions, the last ones first."""
        query = select(exceptions)
        if policy_name is not None:
            query = query.where(exceptions.c.policy_name == policy_name)
        if subjects is None:
            entries = list(self._connection.execute(query))
        else:
            entries = [
                row
                for part in _parts(subjects)
                for row in self._connection.execute(query.where(exceptions.c.subject.in_(part)))
            ]
        return [_entry(row) for row in sorted(entries, key=lambda row: -row.number)]

    def _next(self, table: Table) -> int:
        top: int | None = self._connection.execute(select(func.max(table.c.number))).scalar()
        return (top or 0) + 1


def _parts(values: Iterable[str]) -> list[list[str]]:
    listed = list(values)
    return [listed[at : at + _CHUNK] for at in range(0, len(listed), _CHUNK)]


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(
        policy_from(json.loads(row.rule), f"{row.name} {row.version}"),
        *(row.number, row.status, row.saved_at, row.saved_by, row.published_at, row.published_by),
    )


def _entry(row: Row[Any]) -> ExceptionEntry:
    return ExceptionEntry(
        row.exception_id,
        row.policy_name,
        GrantedException(row.subject, row.reason, row.approver, row.granted_on, row.expires_on),
        *(row.set_at, row.set_by, row.revoked_at, row.revoked_by),
    )
