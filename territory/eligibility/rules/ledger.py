"""What the store holds of eligibility: versions of policies, decisions, exceptions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from territory.eligibility.rules.policy import GrantedException
from territory.eligibility.rules.policy_files import policy_from
from territory.eligibility.rules.register import DRAFT, PUBLISHED, ExceptionEntry, PolicyVersion
from territory.errors import ConflictError, NotFoundError
from territory.store import eligibility_decisions as decisions
from territory.store import eligibility_exceptions as exceptions
from territory.store import eligibility_policies as policies
from territory.store import rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd
    from sqlalchemy import ColumnElement, Row, Table

    from territory.eligibility.rules.policy import EligibilityPolicy
    from territory.store import Transaction

_CHUNK = 10_000  # values of one IN list
LISTED = (
    "decision_id", "number", "subject", "home", "role", "decided_on", "decided_at", "decided_by",
    "policy_name", "policy_version", "decision", "basis", "office_id",
)  # fmt: skip


@dataclass(frozen=True)
class Sought:
    """Which decisions are looked for; None: any. Days are ISO text, both ends included."""

    subject: str | None = None
    decision: str | None = None
    policy_name: str | None = None
    policy_version: str | None = None
    decided_from: str | None = None
    decided_until: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same as conditions of a query."""
        equal = ("subject", "decision", "policy_name", "policy_version")
        found = [
            decisions.c[name] == getattr(self, name)
            for name in equal
            if getattr(self, name) is not None
        ]
        if self.decided_from is not None:
            found.append(decisions.c.decided_on >= self.decided_from)
        if self.decided_until is not None:
            found.append(decisions.c.decided_on <= self.decided_until)
        return found


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
                f"{policy.name} {policy.version} is published and never changes. Save it under "
                "another version."
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

    def add(self, found: pd.DataFrame, year: str) -> list[str]:
        """Add decisions and give their ids; one whose record is there already keeps its id.

        ``found`` has every column of the table but decision_id and number.
        """
        known = self._ids(found["digest"].unique())
        fresh = found[~found["digest"].isin(known)].drop_duplicates("digest")
        number = self._next(decisions)
        numbers = range(number, number + len(fresh))
        ids = [f"E-{year}-{each:06d}" for each in numbers]
        rows.write(self._connection, decisions, fresh.assign(decision_id=ids, number=numbers))
        known |= dict(zip(fresh["digest"], ids, strict=True))
        return [known[digest] for digest in found["digest"]]

    def _ids(self, digests: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in _parts(digests):
            query = select(decisions.c.digest, decisions.c.decision_id)
            held = self._connection.execute(query.where(decisions.c.digest.in_(part)))
            found.update((row.digest, row.decision_id) for row in held)
        return found

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
        self, sought: Sought, *, offset: int = 0, limit: int | None = None
    ) -> tuple[pd.DataFrame, int]:
        """Read decisions, the last ones first, and how many there are in all: table and total."""
        conditions = sought.conditions()
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
        sought = Sought(policy_name=policy_name, decided_from=day)
        found: int = self._connection.execute(
            select(func.count()).select_from(decisions).where(*sought.conditions())
        ).scalar_one()
        return found

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
            found = list(self._connection.execute(query))
        else:
            found = [
                row
                for part in _parts(subjects)
                for row in self._connection.execute(query.where(exceptions.c.subject.in_(part)))
            ]
        return [_entry(row) for row in sorted(found, key=lambda row: -row.number)]

    def _next(self, table: Table) -> int:
        top: int | None = self._connection.execute(select(func.max(table.c.number))).scalar()
        return (top or 0) + 1


def _parts(values: Iterable[str]) -> list[list[str]]:
    listed = list(values)
    return [listed[at : at + _CHUNK] for at in range(0, len(listed), _CHUNK)]


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(
        policy=policy_from(json.loads(row.rule), f"{row.name} {row.version}"),
        number=row.number,
        status=row.status,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        published_at=row.published_at,
        published_by=row.published_by,
    )


def _entry(row: Row[Any]) -> ExceptionEntry:
    granted = GrantedException(
        row.subject, row.reason, row.approver, row.granted_on, row.expires_on
    )
    return ExceptionEntry(
        row.exception_id,
        row.policy_name,
        granted,
        row.set_at,
        row.set_by,
        row.revoked_at,
        row.revoked_by,
    )
