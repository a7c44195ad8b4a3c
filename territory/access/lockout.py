"""Sign-in lockout: attempts counted per account and per address, with back-off.

Every attempt is counted before the password is looked at, so that a hundred guesses at once are
still a hundred guesses; what proves right is taken back. What was typed as a login is kept hashed:
it may be somebody's password.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from territory.access.refusals import record_refusal
from territory.access.scopes import AccessPolicy, network_of
from territory.access.session_ledger import SessionLedger
from territory.access.sessions import fingerprint
from territory.access.user_ledger import UserLedger
from territory.access.users import fold_login, policy_in
from territory.errors import InputError, TerritoryError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.access.session_ledger import Attempts
    from territory.access.user_ledger import User
    from territory.store import Store, Transaction

QUIET = timedelta(days=1)  # after which failures are forgotten
CLOCKS_APART = timedelta(seconds=5)  # of servers that share a store
NOBODY = "nobody"  # who did what nobody signed in did
UNKNOWN = "unknown"  # whose account it was where none is known


class SignInError(TerritoryError):
    """Raised when nobody is let in; the message never says which part was wrong."""


class LockedOutError(SignInError):
    """Raised after too many failures. ``retry_after_s`` says when to try again."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many attempts. Try again in {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Attempt:
    """An attempt that was counted, and what the password is to be held against."""

    account: str
    address: str
    user: User | None
    password_hash: str | None


def count_attempt(store: Store, login: str, address: str | None, now: datetime) -> Attempt:
    """Count an attempt as a failure of account and address until it proves none.

    Raises
    ------
    LockedOutError
        If there were too many before.
    """
    try:
        folded = fold_login(login)
    except InputError:
        folded = ""  # nobody's login
    keys = _account_key(folded), _address_key(address)
    with store.write() as transaction:
        policy = policy_in(transaction)
        counters = [SessionLedger(transaction).attempts(key) for key in keys]
        locked_s = max(_locked_s(attempts, now) for attempts in counters)
        user = UserLedger(transaction).user_of_login(folded)
        if locked_s:
            _turn_away(transaction, counters, user, address, now)
        else:
            limits = (policy.account_attempts, policy.address_attempts)
            for attempts, limit in zip(counters, limits, strict=True):
                SessionLedger(transaction).save_attempts(_failed(attempts, limit, policy, now))
        SessionLedger(transaction).tidy(expired=utc_text(now - QUIET), quiet=utc_text(now - QUIET))
        active = user if user is not None and user.is_active else None
        known_hash = UserLedger(transaction).password_hash(active.user_id) if active else None
    if locked_s:
        raise LockedOutError(locked_s)
    return Attempt(*keys, active, known_hash)


def check_address(store: Store, address: str | None, now: datetime) -> None:
    """Turn away whoever comes from an address that failed too often.

    Raises
    ------
    LockedOutError
        If it did.
    """
    with store.read() as transaction:
        locked_s = _locked_s(SessionLedger(transaction).attempts(_address_key(address)), now)
    if locked_s:
        raise LockedOutError(locked_s)


def fail_address(transaction: Transaction, action: str, address: str | None, now: datetime) -> None:
    """Count and record a failure for which there is no account."""
    policy = policy_in(transaction)
    attempts = SessionLedger(transaction).attempts(_address_key(address))
    failed = _failed(attempts, policy.address_attempts, policy, now)
    SessionLedger(transaction).save_attempts(failed)
    record_refused_user(transaction, action, UNKNOWN, {"address": address}, now)


def record_refused_user(
    transaction: Transaction,
    action: str,
    user_id: str,
    detail: Mapping[str, object],
    now: datetime,
) -> None:
    """Put on record, as far as the log has room, that somebody was not let in."""
    record_refusal(
        transaction,
        now,
        by=NOBODY,
        action=action,
        subject_kind="user",
        subject_id=user_id,
        detail=detail,
    )


def refuse(transaction: Transaction, attempt: Attempt, address: str | None, now: datetime) -> None:
    """Record that an attempt failed, and how many were turned away since that was last said."""
    turned_away = max(
        _take_refused(transaction, SessionLedger(transaction).attempts(key))
        for key in (attempt.account, attempt.address)
    )
    user_id = attempt.user.user_id if attempt.user else UNKNOWN
    detail = {"method": "password", "address": address, "turned_away_before": turned_away}
    record_refused_user(transaction, "session.refused", user_id, detail, now)


def forgive(transaction: Transaction, attempt: Attempt) -> int:
    """Take back what was counted, for it was no failure; of an address only this one attempt.

    Gives how many were turned away since that was last said.
    """
    policy = policy_in(transaction)
    account = SessionLedger(transaction).attempts(attempt.account)
    SessionLedger(transaction).forget_attempts(attempt.account)
    address = SessionLedger(transaction).attempts(attempt.address)
    failures = max(address.failures - 1, 0)
    is_shut = policy.lock_for_s(failures, policy.address_attempts) > 0
    locked_until = address.locked_until if is_shut else None
    SessionLedger(transaction).save_attempts(
        replace(address, failures=failures, refused=0, locked_until=locked_until)
    )
    return max(account.refused, address.refused)


def _turn_away(
    transaction: Transaction,
    counters: list[Attempts],
    user: User | None,
    address: str | None,
    now: datetime,
) -> None:
    """Count who comes while the door is shut; the first of them is an event of the log.

    The others are told by the next event, so that nobody fills the log by knocking.
    """
    shut = [attempts for attempts in counters if _locked_s(attempts, now)]
    if not any(attempts.refused for attempts in shut):
        user_id = user.user_id if user else UNKNOWN
        record_refused_user(transaction, "session.locked", user_id, {"address": address}, now)
    for attempts in shut:
        SessionLedger(transaction).save_attempts(
            replace(attempts, refused=attempts.refused + 1, last_at=utc_text(now))
        )


def _take_refused(transaction: Transaction, attempts: Attempts) -> int:
    """Say how many were turned away since it was last said."""
    if attempts.refused:
        SessionLedger(transaction).save_attempts(replace(attempts, refused=0))
    return attempts.refused


def _failed(attempts: Attempts, limit: int, policy: AccessPolicy, now: datetime) -> Attempts:
    is_old = attempts.last_at < utc_text(now - QUIET)
    failures = 1 if is_old else attempts.failures + 1
    shut_s = policy.lock_for_s(failures, limit)
    return replace(
        attempts,
        failures=failures,
        last_at=utc_text(now),
        locked_until=utc_text(now + timedelta(seconds=shut_s)) if shut_s else None,
    )


def _locked_s(attempts: Attempts, now: datetime) -> int:
    """How many seconds the door stays shut, 0 where it is open.

    A lock that began in the future was set before the clock was put back. It is over: else it would
    last until the clock is there again. What failed stays counted, so the next failure shuts the
    door again, for twice as long.
    """
    if attempts.locked_until is None or attempts.last_at > utc_text(now + CLOCKS_APART):
        return 0
    left = datetime.fromisoformat(attempts.locked_until) - now
    return max(math.ceil(left.total_seconds()), 0)


def _account_key(folded: str) -> str:
    return fingerprint(f"account {folded}")


def _address_key(address: str | None) -> str:
    return fingerprint(f"address {network_of(address)}")
