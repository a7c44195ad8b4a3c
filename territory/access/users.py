"""User administration: users, their roles and identities, and the access policy.

Each is one transaction that records its event in the audit log. A message names no person: whoever
reads an error page or a log need not learn who there is. ``by`` is an id (of a user, or of the one
at the command line), since it stays in the log for ever.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import TYPE_CHECKING

from territory.access import audit_log
from territory.access.scopes import (
    CAPABILITIES,
    ROLES,
    AccessPolicy,
    check_roles,
    read_access_policy,
)
from territory.access.session_ledger import SessionLedger
from territory.access.user_ledger import User, UserLedger
from territory.errors import ConflictError, InputError, NotFoundError
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from territory.access.session_ledger import Session
    from territory.store import Store, Transaction


POLICY = "access_policy"  # the setting that holds it
LONGEST_NAME = 200
NO_USER = "There is no such user. `territory user list` shows those there are."


def fold_login(login: str) -> str:
    """Write a login as it is compared: no case, one way to write each character.

    Raises
    ------
    InputError
        If it is empty, too long or has blanks or control characters.
    """
    folded = unicodedata.normalize("NFKC", login.strip()).casefold()
    if not folded or len(folded) > LONGEST_NAME or not folded.isprintable() or " " in folded:
        message = (
            f"That is no login. It has 1 to {LONGEST_NAME} characters without blanks, "
            "as an e-mail address has."
        )
        raise InputError(message, fields={"login": message})
    return folded


def users(store: Store) -> list[User]:
    """Give every user, the disabled ones too."""
    with store.read() as transaction:
        return UserLedger(transaction).users()


def user(store: Store, user_id: str) -> User:
    """Look up a user by id.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    with store.read() as transaction:
        return known_user(transaction, user_id)


def find_user(store: Store, login: str) -> User:
    """Look up a user by login.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    with store.read() as transaction:
        user = UserLedger(transaction).user_of_login(fold_login(login))
    if user is None:
        raise NotFoundError(NO_USER)
    return user


def add_user(
    store: Store,
    login: str,
    *,
    name: str,
    roles: Iterable[str],
    rep_id: str | None = None,
    managed_rep_ids: Iterable[str] = (),
    by: str,
    now: datetime,
) -> User:
    """Add a user, who has no password and cannot sign in until a link lets one be set.

    Raises
    ------
    InputError
        If the login is none, or the roles and reps do not fit together.
    ConflictError
        If the login is taken.
    NotFoundError
        If the store has no such rep.
    """
    folded = fold_login(login)
    if not name.strip() or len(name) > LONGEST_NAME:
        message = f"A name has 1 to {LONGEST_NAME} characters."
        raise InputError(message, fields={"name": message})
    with store.write() as transaction:
        if UserLedger(transaction).user_of_login(folded):
            message = "This login is taken. Choose another."
            raise ConflictError(message, fields={"login": message})
        user_id = UserLedger(transaction).add_user(folded, name.strip(), at=utc_text(now), by=by)
        _give_roles(transaction, user_id, roles, rep_id, managed_rep_ids)
        added = known_user(transaction, user_id)
        record_of_user(transaction, by, now, "user.add", user_id, after=_facts(added))
    return added


def set_roles(
    store: Store,
    user_id: str,
    roles: Iterable[str],
    *,
    rep_id: str | None = None,
    managed_rep_ids: Iterable[str] = (),
    by: str,
    now: datetime,
) -> User:
    """Give a user these roles and reps in place of those held; it holds from the next request on.

    Raises
    ------
    InputError
        If the roles and reps do not fit together.
    ConflictError
        If nobody would be left to manage users, or someone changes the own roles.
    NotFoundError
        If there is no such user or rep.
    """
    if by == user_id:
        raise ConflictError("Nobody changes the own roles. Ask another admin.")
    with store.write() as transaction:
        before = known_user(transaction, user_id)
        _give_roles(transaction, user_id, roles, rep_id, managed_rep_ids)
        _check_admin_left(transaction, before)
        after = known_user(transaction, user_id)
        record_of_user(
            transaction, by, now, "user.roles", user_id, before=_facts(before), after=_facts(after)
        )
    return after


def disable_user(store: Store, user_id: str, *, by: str, now: datetime) -> User:
    """Shut a user out at once: no session, link, token or password opens anything from now on.

    Raises
    ------
    ConflictError
        If nobody would be left to manage users.
    NotFoundError
        If there is no such user.
    """
    with store.write() as transaction:
        before = known_user(transaction, user_id)
        UserLedger(transaction).set_disabled(user_id, utc_text(now))
        _check_admin_left(transaction, before)
        ended = SessionLedger(transaction).end_sessions(user_id, utc_text(now))
        SessionLedger(transaction).drop_links(user_id)
        record_of_user(
            transaction, by, now, "user.disable", user_id, detail={"sessions_ended": ended}
        )
        return known_user(transaction, user_id)


def enable_user(store: Store, user_id: str, *, by: str, now: datetime) -> User:
    """Let a user in again; the tokens that were not revoked open again what they did.

    Raises
    ------
    NotFoundError
        If there is no such user.
    """
    with store.write() as transaction:
        known_user(transaction, user_id)
        UserLedger(transaction).set_disabled(user_id, None)
        record_of_user(transaction, by, now, "user.enable", user_id)
        return known_user(transaction, user_id)


def link_identity(
    store: Store, user_id: str, *, issuer: str, subject: str, by: str, now: datetime
) -> None:
    """Say that an identity at a company's sign-on (OpenID issuer and subject) is this user.

    Raises
    ------
    InputError
        If the issuer or the subject is blank.
    ConflictError
        If the identity is somebody's already.
    NotFoundError
        If there is no such user.
    """
    if not issuer.strip() or not subject.strip():
        raise InputError("An identity needs the issuer and the subject of the provider.")
    with store.write() as transaction:
        known_user(transaction, user_id)
        if UserLedger(transaction).user_of_identity(issuer, subject):
            raise ConflictError("This identity is linked to a user already. Unlink it first.")
        UserLedger(transaction).add_identity(issuer, subject, user_id, at=utc_text(now), by=by)
        record_of_user(transaction, by, now, "identity.link", user_id, detail={"issuer": issuer})


def unlink_identities(store: Store, user_id: str, *, by: str, now: datetime) -> int:
    """Forget every identity of a user at company sign-on and give their number.

    Raises
    ------
    NotFoundError
        If there is no such user.
    """
    with store.write() as transaction:
        known_user(transaction, user_id)
        dropped = UserLedger(transaction).drop_identities(user_id)
        record_of_user(
            transaction, by, now, "identity.unlink", user_id, detail={"dropped": dropped}
        )
    return dropped


def sessions(store: Store, user_id: str) -> list[Session]:
    """Give the sessions of a user that have not ended, the latest first."""
    with store.read() as transaction:
        return SessionLedger(transaction).sessions(user_id)


def end_sessions(store: Store, user_id: str, *, by: str, now: datetime) -> int:
    """Sign a user out everywhere and give the number of sessions that ended.

    Raises
    ------
    NotFoundError
        If there is no such user.
    """
    with store.write() as transaction:
        known_user(transaction, user_id)
        ended = SessionLedger(transaction).end_sessions(user_id, utc_text(now))
        record_of_user(
            transaction, by, now, "session.revoke", user_id, detail={"sessions_ended": ended}
        )
    return ended


def access_policy(store: Store) -> AccessPolicy:
    """Give the settings of access, the default ones until some are set."""
    return store.cached(("settings",), POLICY, policy_in)


def policy_in(transaction: Transaction) -> AccessPolicy:
    """Give the settings of access as a transaction sees them."""
    return read_access_policy(transaction.setting(POLICY))


def set_access_policy(store: Store, policy: AccessPolicy, *, by: str, now: datetime) -> None:
    """Change the settings of access; they hold from the next request on."""
    with store.write() as transaction:
        before = policy_in(transaction)
        transaction.set_setting(POLICY, policy.as_json())
        audit_log.record(
            transaction,
            by=by,
            at=now,
            action="access_policy.set",
            subject_kind="setting",
            subject_id=POLICY,
            before=dataclasses.asdict(before),
            after=dataclasses.asdict(policy),
        )


def known_user(transaction: Transaction, user_id: str) -> User:
    """Look up a user by id within a transaction.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    user = UserLedger(transaction).user(user_id)
    if user is None:
        raise NotFoundError(NO_USER)
    return user


def _give_roles(
    transaction: Transaction,
    user_id: str,
    roles: Iterable[str],
    rep_id: str | None,
    managed_rep_ids: Iterable[str],
) -> None:
    new_roles, managed = check_roles(roles), frozenset(managed_rep_ids)
    breaches = {}
    if not new_roles:
        breaches["roles"] = f"no role is chosen; there are {', '.join(ROLES)}"
    for field, role, has_reps, choose, without in (
        ("rep_id", "rep", rep_id is not None, "choose which rep this user is", "a rep is chosen"),
        ("managed", "manager", bool(managed), "choose the reps this manager leads",
         "reps to lead are chosen"),
    ):  # fmt: skip
        if role in new_roles and not has_reps:
            breaches[field] = choose
        elif has_reps and role not in new_roles:
            breaches[field] = f"{without}, but not the role {role}"
    if breaches:
        raise InputError(
            _as_sentence("; ".join(breaches.values())),
            fields={field: _as_sentence(words) for field, words in breaches.items()},
        )
    own_and_managed = managed | ({rep_id} if rep_id else set())
    rep_ids = set(transaction.table("reps", ["rep_id"])["rep_id"]) if own_and_managed else set()
    if unknown := sorted(own_and_managed - rep_ids):
        message = f"No rep {', '.join(map(repr, unknown))}. `territory export reps` lists them."
        wrong = {"rep_id": rep_id in unknown, "managed": bool(managed & set(unknown))}
        raise NotFoundError(
            message, fields={field: message for field, is_wrong in wrong.items() if is_wrong}
        )
    UserLedger(transaction).set_roles(user_id, new_roles, rep_id=rep_id, managed_rep_ids=managed)


def _as_sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _check_admin_left(transaction: Transaction, before: User) -> None:
    """Refuse what takes away the last user who can manage users."""
    if not before.is_active or "manage_users" not in capabilities(before):
        return
    left = [
        user
        for user in UserLedger(transaction).users()
        if user.is_active and "manage_users" in capabilities(user)
    ]
    if not left:
        raise ConflictError("Nobody would be left to manage users. Make another one admin first.")


def capabilities(user: User) -> frozenset[str]:
    """Give all that the roles of a user allow."""
    return frozenset().union(*(CAPABILITIES[role] for role in user.roles))


def _facts(user: User) -> dict[str, object]:
    return {
        "roles": user.roles,
        "rep_id": user.rep_id,
        "managed_rep_ids": user.managed_rep_ids,
    }


def record_of_user(
    transaction: Transaction,
    by: str,
    now: datetime,
    action: str,
    user_id: str,
    *,
    before: object = None,
    after: object = None,
    detail: object = None,
) -> None:
    """Add an event about a user to the audit log."""
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=action,
        subject_kind="user",
        subject_id=user_id,
        before=before,
        after=after,
        detail=detail,
    )
