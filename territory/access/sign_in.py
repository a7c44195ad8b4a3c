"""Sign-in: by password, by a one-time link, or through a company's sign-on.

An unknown login, a wrong password and a closed account cost the same and are told the same. A
password is hashed while no other writer waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from territory.access import passwords
from territory.access.lockout import (
    UNKNOWN,
    Attempt,
    SignInError,
    check_address,
    count_attempt,
    fail_address,
    forgive,
    record_refused_user,
    refuse,
)
from territory.access.session_ledger import SessionLedger
from territory.access.sessions import SignedIn, fingerprint, is_over, open_session
from territory.access.user_ledger import UserLedger
from territory.access.users import LONGEST_NAME, fold_login, known_user, policy_in, record_of_user
from territory.errors import InputError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from territory.access.scopes import GroupRoles
    from territory.access.session_ledger import Link
    from territory.access.user_ledger import User
    from territory.store import Store, Transaction

REFUSED = "The login or the password is wrong, or the account is closed."
LINK_REFUSED = "This link has expired or does not open here. Request a new one."
LINK_USED = "This link was already used. Request a new one."
COMPANY_REFUSED = "Your company's sign-on knows you, but no account here is yours. Ask an admin."


@dataclass(frozen=True)
class Identity:
    """Who a company's sign-on says someone is; only ``issuer`` and ``subject`` identify."""

    issuer: str
    subject: str
    login: str
    name: str
    groups: tuple[str, ...] = ()


def sign_in(
    store: Store, login: str, password: str, *, address: str | None, now: datetime
) -> SignedIn:
    """Let someone in by password.

    Parameters
    ----------
    address
        The IP address of the one who asks: it is locked out too, an IPv6 one with its whole /64.

    Raises
    ------
    LockedOutError
        If the account or the address has failed too often.
    SignInError
        If the login and the password are not those of an account that is open.
    """
    attempt = count_attempt(store, login, address, now)
    known_hash = _check_password(store, attempt, password, address, now)
    better = passwords.hash_password(password) if passwords.is_dated(known_hash) else None
    with store.write() as transaction:
        user_id = _still_open(transaction, attempt)
        if user_id is not None:
            refused = forgive(transaction, attempt)
            if better is not None:
                UserLedger(transaction).set_password_hash(user_id, better)
            return open_session(transaction, user_id, "password", address, now, refused=refused)
    raise SignInError(REFUSED)


def change_password(
    store: Store,
    user_id: str,
    *,
    old: str,
    new: str,
    address: str | None,
    now: datetime,
    keep: str | None = None,
) -> None:
    """Let a user who is signed in choose a new password, and sign the user out everywhere else.

    ``keep`` is the secret of the session that stays. A wrong old password counts like one at the
    door.

    Raises
    ------
    InputError
        If the new password will not do.
    LockedOutError
        If the account or the address has failed too often.
    SignInError
        If the old password is wrong.
    NotFoundError
        If there is no such user.
    """
    with store.read() as transaction:
        user = known_user(transaction, user_id)
        least = policy_in(transaction).password_min_length
    passwords.check_password(new, least=least, names=(user.login, user.name))
    attempt = count_attempt(store, user.login, address, now)
    _check_password(store, attempt, old, address, now)
    password_hash = passwords.hash_password(new)
    with store.write() as transaction:
        if _still_open(transaction, attempt) is not None:
            forgive(transaction, attempt)
            kept_hash = fingerprint(keep) if keep else None
            _set_password(transaction, user_id, password_hash, now, "user.password", keep=kept_hash)
            return
    raise SignInError(REFUSED)


def sign_in_by_link(
    store: Store, secret: str, *, is_loopback: bool, address: str | None, now: datetime
) -> SignedIn:
    """Let someone in by a one-time link, which is used up by it.

    Raises
    ------
    LockedOutError
        If the address has failed too often.
    SignInError
        If the link is unknown, used, expired, for another purpose or not meant for this machine.
    """
    check_address(store, address, now)
    with store.write() as transaction:
        link = _good_link(transaction, secret, "sign_in", is_loopback=is_loopback, now=now)
        if link is not None:
            SessionLedger(transaction).use_link(link.link_hash, utc_text(now))
            return open_session(transaction, link.user_id, "link", address, now)
        fail_address(transaction, "link.refused", address, now)
        refusal = _link_refusal(transaction, secret)
    raise SignInError(refusal)


def purpose_of_link(store: Store, secret: str, *, is_loopback: bool, now: datetime) -> str | None:
    """Say what a link that still works is for; None for every other. It is not used up."""
    with store.read() as transaction:
        link = SessionLedger(transaction).link(fingerprint(secret))
        purpose = link.purpose if link else ""
        good = _good_link(transaction, secret, purpose, is_loopback=is_loopback, now=now)
    return good.purpose if good else None


def reset_password(
    store: Store,
    secret: str,
    password: str,
    *,
    is_loopback: bool,
    address: str | None,
    now: datetime,
) -> None:
    """Set a password by a one-time link, end every session of the user, and use the link up.

    Raises
    ------
    InputError
        If the password will not do; the link still works then.
    LockedOutError
        If the address has failed too often.
    SignInError
        If the link is unknown, used, expired, for another purpose or not meant for this machine.
    """
    check_address(store, address, now)
    with store.read() as transaction:
        link = _good_link(transaction, secret, "reset", is_loopback=is_loopback, now=now)
        user = known_user(transaction, link.user_id) if link else None
        least = policy_in(transaction).password_min_length
    password_hash = ""
    if user is not None:
        passwords.check_password(password, least=least, names=(user.login, user.name))
        password_hash = passwords.hash_password(password)
    with store.write() as transaction:
        link = _good_link(transaction, secret, "reset", is_loopback=is_loopback, now=now)
        if link is not None and password_hash:
            SessionLedger(transaction).use_link(link.link_hash, utc_text(now))
            _set_password(transaction, link.user_id, password_hash, now, "user.reset")
            return
        fail_address(transaction, "link.refused", address, now)
        refusal = _link_refusal(transaction, secret)
    raise SignInError(refusal)


def sign_in_by_identity(
    store: Store,
    identity: Identity,
    *,
    groups: GroupRoles | None,
    address: str | None,
    now: datetime,
) -> SignedIn:
    """Let someone in whom a company's sign-on has vouched for.

    With ``groups`` the groups decide: roles are set anew at each sign-in, an unknown identity in
    one of them becomes a new user, and whoever is in none is out. Without, an admin links
    identities to users and gives the roles. An account is never taken over by its login alone.

    Raises
    ------
    SignInError
        If no account here is theirs.
    """
    with store.write() as transaction:
        user = UserLedger(transaction).user_of_identity(identity.issuer, identity.subject)
        if groups is not None:
            user = _settle_groups(transaction, user, identity, groups, now)
        if user is not None and user.is_active and user.roles:
            return open_session(transaction, user.user_id, "company", address, now)
        user_id = user.user_id if user else UNKNOWN
        detail = {"method": "company", "issuer": identity.issuer, "address": address}
        record_refused_user(transaction, "session.refused", user_id, detail, now)
    raise SignInError(COMPANY_REFUSED)


def _check_password(
    store: Store, attempt: Attempt, password: str, address: str | None, now: datetime
) -> str:
    """Give the hash that the password is right for.

    Raises
    ------
    SignInError
        If it is right for none.
    """
    if passwords.is_right(attempt.password_hash, password) and attempt.password_hash:
        return attempt.password_hash
    with store.write() as transaction:
        refuse(transaction, attempt, address, now)
    raise SignInError(REFUSED)


def _still_open(transaction: Transaction, attempt: Attempt) -> str | None:
    """Give the id of the user, None where account or password changed while it was looked at."""
    if attempt.user is None:
        return None
    user = UserLedger(transaction).user(attempt.user.user_id)
    is_same = UserLedger(transaction).password_hash(attempt.user.user_id) == attempt.password_hash
    return user.user_id if user is not None and user.is_active and is_same else None


def _good_link(
    transaction: Transaction, secret: str, purpose: str, *, is_loopback: bool, now: datetime
) -> Link | None:
    link = SessionLedger(transaction).link(fingerprint(secret))
    if link is None or link.purpose != purpose or link.used_at is not None:
        return None
    if is_over(link, now) or (link.loopback_only and not is_loopback):
        return None
    return link if known_user(transaction, link.user_id).is_active else None


def _link_refusal(transaction: Transaction, secret: str) -> str:
    """Say why a link is refused: who has its secret may know that it was used."""
    link = SessionLedger(transaction).link(fingerprint(secret))
    return LINK_REFUSED if link is None or link.used_at is None else LINK_USED


def _set_password(
    transaction: Transaction,
    user_id: str,
    password_hash: str,
    now: datetime,
    action: str,
    *,
    keep: str | None = None,
) -> None:
    UserLedger(transaction).set_password_hash(user_id, password_hash)
    ended = SessionLedger(transaction).end_sessions(user_id, utc_text(now), keep=keep)
    SessionLedger(transaction).drop_links(user_id)
    detail = {"sessions_ended": ended}
    record_of_user(transaction, user_id, now, action, user_id, detail=detail)


def _settle_groups(
    transaction: Transaction,
    user: User | None,
    identity: Identity,
    groups: GroupRoles,
    now: datetime,
) -> User | None:
    """Make roles what the groups say they are; add whoever comes for the first time."""
    roles = groups.roles_of(identity.groups)
    if user is None:
        return _new_colleague(transaction, identity, roles, now) if roles else None
    if roles == user.roles:
        return user
    UserLedger(transaction).set_roles(
        user.user_id, roles, rep_id=user.rep_id, managed_rep_ids=user.managed_rep_ids
    )
    record_of_user(
        transaction,
        "sign-on",
        now,
        "user.roles",
        user.user_id,
        before={"roles": user.roles},
        after={"roles": roles},
    )
    return replace(user, roles=roles)


def _new_colleague(
    transaction: Transaction, identity: Identity, roles: frozenset[str], now: datetime
) -> User | None:
    try:
        login = fold_login(identity.login)
    except InputError:
        return None
    if UserLedger(transaction).user_of_login(login):
        return None  # whose it is, an admin says by linking the identity
    at = utc_text(now)
    name = identity.name.strip()[:LONGEST_NAME] or login
    user_id = UserLedger(transaction).add_user(login, name, at=at, by="sign-on")
    UserLedger(transaction).set_roles(user_id, roles, rep_id=None, managed_rep_ids=())
    UserLedger(transaction).add_identity(
        identity.issuer, identity.subject, user_id, at=at, by="sign-on"
    )
    after = {"roles": roles, "issuer": identity.issuer}
    record_of_user(transaction, "sign-on", now, "user.add", user_id, after=after)
    return known_user(transaction, user_id)
