"""API tokens: a program that asks in a user's name, for no more than the user may, for a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from territory.access.scopes import TOKEN_SCOPES
from territory.access.session_ledger import SessionLedger, Token
from territory.access.sessions import fingerprint, new_secret
from territory.access.users import capabilities, known_user, record_of_user
from territory.errors import ConflictError, InputError, NotFoundError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from territory.store import Store

PREFIX = "territory_"  # by which a token that was left in a public place is recognised
LONGEST = timedelta(days=366)
LONGEST_NAME = 200


@dataclass(frozen=True)
class NewToken:
    """A token as it is shown once: ``secret`` is nowhere else."""

    secret: str = field(repr=False)
    token: Token


def new_token(
    store: Store,
    user_id: str,
    *,
    name: str,
    scopes: Iterable[str],
    lifetime: timedelta,
    by: str,
    now: datetime,
) -> NewToken:
    """Make a token that can do what both ``scopes`` and, at the time it is used, its user may.

    Raises
    ------
    InputError
        If the name or the scopes will not do, or the token would last longer than a year.
    ConflictError
        If the user is disabled.
    NotFoundError
        If there is no such user.
    """
    wanted_scopes = frozenset(scopes)
    secret = PREFIX + new_secret()
    with store.write() as transaction:
        owner = known_user(transaction, user_id)
        if not owner.is_active:
            raise ConflictError("This user is disabled. `territory user disable --undo` ends that.")
        _check(name, wanted_scopes, capabilities(owner) & TOKEN_SCOPES, lifetime)
        unnumbered = Token(
            token_id="",
            user_id=user_id,
            name=name.strip(),
            scopes=wanted_scopes,
            created_at=utc_text(now),
            created_by=by,
            expires_at=utc_text(now + lifetime),
        )
        token = SessionLedger(transaction).add_token(unnumbered, fingerprint(secret))
        detail = {"id": token.token_id, "scopes": wanted_scopes, "expires_at": token.expires_at}
        record_of_user(transaction, by, now, "token.new", user_id, detail=detail)
    return NewToken(secret, token)


def _check(
    name: str, wanted_scopes: frozenset[str], allowed: frozenset[str], lifetime: timedelta
) -> None:
    breaches = []
    if not name.strip() or len(name) > LONGEST_NAME:
        breaches.append(f"its name must have 1 to {LONGEST_NAME} characters")
    if not wanted_scopes:
        breaches.append("it has no scope")
    if beyond := sorted(wanted_scopes - allowed):
        breaches.append(f"its user may not give it {', '.join(beyond)}")
    if not timedelta() < lifetime <= LONGEST:
        breaches.append(f"it must last {LONGEST.days} days at most, and more than nothing")
    if breaches:
        names = ", ".join(sorted(allowed)) or "none"
        raise InputError(f"No token was made: {'; '.join(breaches)}. Scopes to give: {names}.")


def tokens(store: Store) -> list[Token]:
    """Give every token, the revoked and expired ones too, without its secret."""
    with store.read() as transaction:
        return SessionLedger(transaction).tokens()


def revoke_token(store: Store, token_id: str, *, by: str, now: datetime) -> Token:
    """Let a token open nothing from now on; twice changes nothing.

    Raises
    ------
    NotFoundError
        If there is no such token.
    """
    with store.write() as transaction:
        token = SessionLedger(transaction).token(token_id)
        if token is None:
            raise NotFoundError("There is no such token. `territory token list` shows them.")
        if token.revoked_at is None:
            SessionLedger(transaction).revoke_token(token_id, utc_text(now))
            detail = {"id": token_id}
            record_of_user(transaction, by, now, "token.revoke", token.user_id, detail=detail)
        return SessionLedger(transaction).token(token_id) or token
