"""Sessions: who it is that asks, by the secret of a session or token.

Each request sees users, roles and policy as they are in the store at that moment, so that what an
admin takes away is gone at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from territory.access.scopes import Viewer
from territory.access.session_ledger import Session, SessionLedger
from territory.access.user_ledger import UserLedger
from territory.access.users import access_policy, policy_in, record_of_user
from territory.errors import StoreError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from territory.access.scopes import AccessPolicy
    from territory.access.session_ledger import Link, Token
    from territory.store import Store, Transaction

# What says whose a session is. The policy is asked for apart: events write to its table.
_TABLES = ("sessions", "users", "user_roles", "user_reps")
# What began further in the future than clocks of servers differ began before the clock was put
# back, and would last for longer than was promised: it is over.
CLOCKS_APART = timedelta(minutes=5)
SEEN_EVERY = timedelta(minutes=1)  # how exactly it is known when a session was last seen


@dataclass(frozen=True)
class SignedIn:
    """A new session as the browser gets it: ``secret`` goes into its cookie and nowhere else."""

    secret: str = field(repr=False)
    user_id: str
    expires_at: str


def new_secret() -> str:
    """Make a secret of 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Hash a random secret, or a key that must not be read back, for the store."""
    # What JSON lets through may be half a character: wrong, but no reason to fall over.
    folded = unicodedata.normalize("NFKC", secret).encode("utf-8", "surrogatepass")
    return hashlib.sha256(folded).hexdigest()


def viewer_of_session(store: Store, secret: str, *, now: datetime) -> Viewer | None:
    """Say who asks in a session; None where it is unknown, over, or its user shut out."""
    session_hash = fingerprint(secret)
    session, viewer = store.cached(
        _TABLES, ("session", session_hash), lambda transaction: _session(transaction, session_hash)
    )
    if session is None or not _is_open(session, access_policy(store), now):
        return None
    if viewer is not None and session.seen_at <= utc_text(now - SEEN_EVERY):
        _touch(store, lambda ledger: ledger.touch_session(session_hash, utc_text(now)))
    return viewer


def viewer_of_token(store: Store, secret: str, *, now: datetime) -> Viewer | None:
    """Say in whose name a program asks; None where the token is unknown, over or revoked."""
    with store.read() as transaction:
        token = SessionLedger(transaction).token_of_hash(fingerprint(secret))
        if token is None or token.revoked_at is not None or is_over(token, now):
            return None
        viewer = _viewer(transaction, token.user_id, token.scopes)
    if viewer is not None and (token.seen_at or "") <= utc_text(now - SEEN_EVERY):
        _touch(store, lambda ledger: ledger.touch_token(token.token_id, utc_text(now)))
    return viewer


def _touch(store: Store, note: Callable[[SessionLedger], None]) -> None:
    """Note when somebody was last seen, unless that has to wait or cannot be written.

    A page must not wait for an import to end, nor fail on a full disk, only to say that it was
    asked for: the note is left to a later request.
    """
    with contextlib.suppress(StoreError), store.write(wait_s=0) as transaction:
        note(SessionLedger(transaction))


def sign_out(store: Store, secret: str, *, now: datetime) -> None:
    """End a session; one that is unknown or over is left as it is."""
    with store.write() as transaction:
        session = SessionLedger(transaction).session(fingerprint(secret))
        if session is not None and session.ended_at is None:
            SessionLedger(transaction).end_session(session.session_hash, utc_text(now))
            record_of_user(transaction, session.user_id, now, "session.end", session.user_id)


def open_session(
    transaction: Transaction,
    user_id: str,
    method: str,
    address: str | None,
    now: datetime,
    *,
    refused: int = 0,
) -> SignedIn:
    """Open a session within a transaction; ``refused`` were turned away before."""
    secret = new_secret()
    at = utc_text(now)
    expires_at = utc_text(now + timedelta(seconds=policy_in(transaction).session_max_s))
    SessionLedger(transaction).add_session(
        Session(fingerprint(secret), user_id, method, at, at, expires_at)
    )
    detail = {"method": method, "address": address, "turned_away_before": refused}
    record_of_user(transaction, user_id, now, "session.start", user_id, detail=detail)
    return SignedIn(secret, user_id, expires_at)


def is_over(given: Session | Link | Token, now: datetime) -> bool:
    """Tell whether the time of a session, link or token has passed, or not yet begun."""
    begins, ends = utc_text(now + CLOCKS_APART), utc_text(now)
    return given.created_at > begins or given.expires_at <= ends


def _session(transaction: Transaction, session_hash: str) -> tuple[Session | None, Viewer | None]:
    """Give a session and whose it is: None where there is none, or its user is shut out."""
    session = SessionLedger(transaction).session(session_hash)
    return session, None if session is None else _viewer(transaction, session.user_id, None)


def _is_open(session: Session, policy: AccessPolicy, now: datetime) -> bool:
    idle = timedelta(seconds=policy.session_idle_s)
    longest = timedelta(seconds=policy.session_max_s)
    return (
        session.ended_at is None
        and not is_over(session, now)
        and utc_text(now - idle) < session.seen_at <= utc_text(now + CLOCKS_APART)
        and session.created_at > utc_text(now - longest)
    )


def _viewer(transaction: Transaction, user_id: str, scopes: frozenset[str] | None) -> Viewer | None:
    user = UserLedger(transaction).user(user_id)
    if user is None or not user.is_active:
        return None
    return Viewer(user_id, user.name, user.roles, user.rep_id, user.managed_rep_ids, scopes)
