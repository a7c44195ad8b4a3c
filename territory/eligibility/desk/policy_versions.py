"""The rules of the desk: policies, exceptions, and what another rule or office would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from territory.access import audit_log
from territory.eligibility.decision import MINIMUM_CELL
from territory.eligibility.desk.decide import Question, again, always, decide_again, offices_on
from territory.eligibility.desk.planning import (
    OfficePlan,
    WhatChanges,
    changes,
    outcomes,
    planned,
    sum_up,
)
from territory.eligibility.rules import (
    PUBLISHED,
    EligibilityLedger,
    ExceptionEntry,
    PolicyVersion,
    Sought,
    check_reference,
    version_in_force,
    with_exceptions,
)
from territory.errors import ConflictError, NotFoundError, PolicyError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from territory.eligibility.homes import Homes
    from territory.eligibility.rules import EligibilityPolicy, GrantedException
    from territory.store import Store, Transaction


def policies(store: Store, name: str | None = None) -> list[PolicyVersion]:
    """Give the versions of policies, drafts among them, by name and number."""
    with store.read() as transaction:
        return EligibilityLedger(transaction).policies(name)


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
            f"{policy.name} {policy.version}: leave exceptions out of the policy and set them with "
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
        found = [v for v in ledger.policies(name) if v.policy.version == version]
        if not found:
            raise NotFoundError(
                f"No draft {name} {version}. `territory eligibility policies list` shows what "
                "there is."
            )
        draft = found[0]
        if draft.status == PUBLISHED:
            raise ConflictError(f"{draft.shown} is published already.")
        taken = ledger.count_since(name, draft.policy.effective_from)
        if taken:
            raise ConflictError(
                f"{taken:,} decisions were taken under {name} for {draft.policy.effective_from} or "
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


def what_would_change(
    store: Store,
    homes: Homes,
    draft: EligibilityPolicy,
    question: Question,
    *,
    of_policy: str | None = None,
) -> WhatChanges:
    """Try a rule on past decisions before it is saved: which would change, and how.

    Each is decided again for its own day, as if the rule had always been in force, from the homes
    that are still held and the offices as they are now. Nothing is written.

    Parameters
    ----------
    of_policy
        Whose decisions; by default those of the policy of the draft's name.
    """
    name = of_policy or draft.name
    with store.read() as transaction:
        past, total = EligibilityLedger(transaction).search(Sought(policy_name=name))
        subjects = past["subject"].dropna().unique().tolist()
        history = EligibilityLedger(transaction).history(subjects)
        entries = EligibilityLedger(transaction).exceptions(name, subjects)
        offices = offices_on(transaction, question.day)
    rule = with_exceptions(draft, entries)
    held = again(past, homes.held(past["home"].dropna().unique().tolist()))
    told = decide_again(held, offices, always(rule), history, past["decided_on"], question)
    shown = f"{draft.name} {draft.version}"
    return changes(past.loc[held.index], told, decisions=total, policy=shown)


def plan_offices(
    store: Store,
    homes: Homes,
    question: Question,
    *,
    opening: pd.DataFrame | None = None,
    closing: Iterable[str] = (),
    minimum_cell: int = MINIMUM_CELL,
) -> OfficePlan:
    """Count how many homes would gain or lose eligibility if offices opened or closed.

    Each person counts once, with the home of the last decision, if it is still held. Counts of
    fewer homes than ``minimum_cell`` are hidden, and what would tell them by subtraction.

    Parameters
    ----------
    opening
        ``office_id``, ``name``, ``lon``, ``lat``.
    closing
        Ids of offices.

    Raises
    ------
    InputError
        If an office to close is not in the store, or one to open is.
    NotFoundError
        If no policy holds on that day.
    """
    day = question.day
    with store.read() as transaction:
        ledger = EligibilityLedger(transaction)
        version = version_in_force(ledger.policies(), day, question.policy_name)
        last = ledger.latest(version.policy.name)
        subjects = last["subject"].tolist()
        history = ledger.history(subjects)
        policy = with_exceptions(version.policy, ledger.exceptions(version.policy.name, subjects))
        offices = offices_on(transaction, day)
    held = again(last, homes.held(last["home"].dropna().unique().tolist()))
    days = pd.Series(day, index=held.index, dtype=object)
    before, after = (
        decide_again(held, them, policy, history, days, question)
        for them in (offices, planned(offices, opening, closing, day))
    )
    return sum_up(
        outcomes(before, after),
        subjects=len(last),
        minimum_cell=minimum_cell,
        policy=version.shown,
    )


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
