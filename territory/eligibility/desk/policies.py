"""Policies and exceptions of the desk: save, publish, grant and revoke, and what is in force."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from territory.access import audit_log
from territory.eligibility.rules import (
    DRAFT,
    ENDED,
    IN_FORCE,
    PUBLISHED,
    EligibilityLedger,
    ExceptionEntry,
    PolicyVersion,
    check_reference,
    version_in_force,
)
from territory.errors import ConflictError, NotFoundError, PolicyError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from territory.eligibility.rules import EligibilityPolicy, GrantedException
    from territory.store import Store, Transaction

# What a version is on a day, beside DRAFT, IN_FORCE and ENDED.
STARTS_LATER, REPLACED = "starts later", "replaced"


def policy_versions(store: Store, name: str | None = None) -> list[PolicyVersion]:
    """Give the versions of policies, drafts among them, by name and number."""
    with store.read() as transaction:
        return EligibilityLedger(transaction).policies(name)


def policy_states(
    store: Store, now: datetime, name: str | None = None
) -> list[tuple[PolicyVersion, str]]:
    """Give versions with what each is today, by policy, the last one first.

    States: DRAFT, STARTS_LATER, IN_FORCE, REPLACED (by one that started later), ENDED.
    """
    versions, today = policy_versions(store, name), now.astimezone(UTC).date().isoformat()
    versions.sort(key=lambda one: (one.policy.name, -one.number))
    return [(version, _state(version, versions, today)) for version in versions]


def _state(version: PolicyVersion, versions: list[PolicyVersion], today: str) -> str:
    policy = version.policy
    if version.status == DRAFT:
        return DRAFT
    if policy.effective_from > today:
        return STARTS_LATER
    try:
        current = version_in_force(versions, today, policy.name)
    except NotFoundError:
        return ENDED
    if current is version:
        return IN_FORCE
    return REPLACED if policy.is_in_force(today) else ENDED


def published_policies(store: Store, now: datetime) -> list[PolicyVersion]:
    """Give one version of each published policy, by name: the one in force, or else the last."""
    states = [each for each in policy_states(store, now) if each[1] != DRAFT]
    by_name: dict[str, PolicyVersion] = {}
    for version, _ in sorted(states, key=lambda each: each[1] != IN_FORCE):
        by_name.setdefault(version.policy.name, version)
    return [by_name[name] for name in sorted(by_name)]


def policies_in_force(store: Store, now: datetime) -> list[PolicyVersion]:
    """Give the version of each published policy that holds today, by name of the policy."""
    return [version for version, state in policy_states(store, now) if state == IN_FORCE]


def save_policy(
    store: Store, policy: EligibilityPolicy, *, by: str, now: datetime
) -> PolicyVersion:
    """Save a draft of a policy; nothing is decided by it before it is published.

    Raises
    ------
    PolicyError
        If it names exceptions: these are about persons, and are set one by one.
    ConflictError
        If that version is published.
    """
    if policy.exceptions:
        raise PolicyError(
            f"{policy.label}: leave exceptions out of the policy and set them with "
            "`territory eligibility exceptions grant`."
        )
    with store.write() as transaction:
        saved = EligibilityLedger(transaction).save_policy(policy, at=utc_text(now), by=by)
        _note(transaction, "policy_draft", policy.name, by, now, {"version": policy.version})
    return saved


def publish_policy(
    store: Store, name: str, version: str, *, by: str, now: datetime
) -> PolicyVersion:
    """Put a draft in force from its own first day on, in place of the version before it.

    Raises
    ------
    NotFoundError
        If there is no such draft.
    ConflictError
        If it is published, or would change the rule of days that were decided for already.
    """
    with store.write() as transaction:
        ledger = EligibilityLedger(transaction)
        matches = [v for v in ledger.policies(name) if v.policy.version == version]
        if not matches:
            raise NotFoundError(
                f"No draft {name} {version}. `territory eligibility policies list` shows what "
                "there is."
            )
        draft = matches[0]
        if draft.status == PUBLISHED:
            raise ConflictError(f"{draft.label} is published already.")
        count = ledger.count_since(name, draft.policy.effective_from)
        if count:
            raise ConflictError(
                f"{count:,} decisions were taken under {name} for {draft.policy.effective_from} or "
                "later, and would not be what the rule of their day says. Let it start later."
            )
        ledger.publish_policy(name, version, at=utc_text(now), by=by)
        _note(
            transaction,
            "policy_publish",
            name,
            by,
            now,
            {"version": version, "digest": draft.policy.digest},
        )
        published = [v for v in ledger.policies(name) if v.policy.version == version]
    return published[0]


def set_exception(
    store: Store, policy_name: str, granted: GrantedException, *, by: str, now: datetime
) -> ExceptionEntry:
    """Let one person be eligible under a policy whatever the distance, until a day.

    Raises
    ------
    InputError
        If the reference might be a name or an address.
    NotFoundError
        If no policy of that name is published.
    """
    check_reference(granted.person_id)
    with store.write() as transaction:
        _check_published(transaction, policy_name)
        entry = EligibilityLedger(transaction).add_exception(
            policy_name, granted, at=utc_text(now), by=by
        )
        detail = {"policy": policy_name, "expires_on": granted.expires_on}
        _note(transaction, "exception_set", entry.exception_id, by, now, detail)
    return entry


def revoke_exception(store: Store, exception_id: str, *, by: str, now: datetime) -> ExceptionEntry:
    """Take an exception back from today on; decisions taken by it stand.

    Raises
    ------
    NotFoundError
        If there is no such exception.
    ConflictError
        If it was taken back before.
    """
    with store.write() as transaction:
        ledger = EligibilityLedger(transaction)
        entry = _exception(transaction, exception_id)
        if entry.revoked_at is not None:
            raise ConflictError(f"{exception_id} was taken back at {entry.revoked_at} already.")
        ledger.revoke_exception(exception_id, at=utc_text(now), by=by)
        _note(transaction, "exception_revoke", exception_id, by, now, {})
        return _exception(transaction, exception_id)


def exceptions(store: Store, policy_name: str | None = None) -> list[ExceptionEntry]:
    """Give all exceptions, the last ones first, ended and taken back ones among them."""
    with store.read() as transaction:
        return EligibilityLedger(transaction).exceptions(policy_name)


def _check_published(transaction: Transaction, name: str) -> None:
    versions = EligibilityLedger(transaction).policies()
    if not any(v.policy.name == name and v.status == PUBLISHED for v in versions):
        names = sorted({v.policy.name for v in versions if v.status == PUBLISHED})
        raise NotFoundError(
            f"No policy {name!r} is published; there are {', '.join(names) or 'none'}."
        )


def _exception(transaction: Transaction, exception_id: str) -> ExceptionEntry:
    for entry in EligibilityLedger(transaction).exceptions():
        if entry.exception_id == exception_id:
            return entry
    raise NotFoundError(
        f"No exception {exception_id!r}. `territory eligibility exceptions list` shows them."
    )


def _note(
    transaction: Transaction,
    action: str,
    subject_id: str,
    by: str,
    now: datetime,
    detail: dict[str, str],
) -> None:
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=f"eligibility.{action}",
        subject_kind="eligibility",
        subject_id=subject_id,
        detail=detail or None,
    )
