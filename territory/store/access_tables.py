"""Tables of access and audit: who may come in, and what was done.

::

    users               who may sign in; never deleted, so that the audit log keeps its names
    user_roles          what each may do
    user_reps           whose accounts a manager sees
    identities          a person at a company's own sign-on (issuer and subject) -> user
    sessions            a browser that is signed in
    sign_in_links       one-time links, to sign in or to set a password
    api_tokens          programs that ask in a user's name, within scopes
    sign_in_attempts    failures per account and per address, for the lock-out
    audit_events        who did what and when: a chain of hashes that only grows
    audit_payloads      before, after and detail of an event; the only part that may be purged

A secret (session, link, token) is never stored, only its SHA-256; of a password only its Argon2
hash. The database itself refuses to change or delete an event, and to delete a payload that no
event of the log says was purged.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table

from territory.store.tables import TEXT, metadata


def _of_user(*, primary_key: bool = False) -> Column[object]:
    return Column(
        "user_id",
        TEXT,
        ForeignKey("users.user_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


users = Table(
    "users",
    metadata,
    Column("user_id", TEXT, primary_key=True),  # user-1, user-2 ...
    Column("number", Integer, nullable=False, unique=True),
    Column("login", TEXT, nullable=False, unique=True),  # NFKC, casefolded
    Column("name", TEXT, nullable=False),
    Column("password_hash", TEXT),  # null: none is set, and none will do
    Column("rep_id", TEXT),  # whose accounts a rep sees
    Column("created_at", TEXT, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("disabled_at", TEXT),
)
user_roles = Table(
    "user_roles",
    metadata,
    _of_user(primary_key=True),
    Column("role", TEXT, primary_key=True),
)
user_reps = Table(
    "user_reps",
    metadata,
    _of_user(primary_key=True),
    Column("rep_id", TEXT, primary_key=True),
)
identities = Table(
    "identities",
    metadata,
    Column("issuer", TEXT, primary_key=True),
    Column("subject", TEXT, primary_key=True),
    _of_user(),
    Column("linked_at", TEXT, nullable=False),
    Column("linked_by", TEXT, nullable=False),
    Index(None, "user_id"),
)
sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", TEXT, primary_key=True),
    _of_user(),
    Column("method", TEXT, nullable=False),  # password, link, company
    Column("created_at", TEXT, nullable=False),
    Column("seen_at", TEXT, nullable=False),
    Column("expires_at", TEXT, nullable=False),  # whatever is done in it
    Column("ended_at", TEXT),  # signed out or revoked
    Index(None, "user_id"),
    Index(None, "expires_at"),
)
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("link_hash", TEXT, primary_key=True),
    _of_user(),
    Column("purpose", TEXT, nullable=False),  # sign_in, reset
    Column("loopback_only", Boolean, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("expires_at", TEXT, nullable=False),
    Column("used_at", TEXT),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", TEXT, primary_key=True),  # token-1, token-2 ...
    Column("number", Integer, nullable=False, unique=True),
    Column("token_hash", TEXT, nullable=False, unique=True),
    _of_user(),
    Column("name", TEXT, nullable=False),  # what it is for
    Column("scopes", TEXT, nullable=False),  # capabilities, joined by a space
    Column("created_at", TEXT, nullable=False),
    Column("created_by", TEXT, nullable=False),
    Column("expires_at", TEXT, nullable=False),
    Column("seen_at", TEXT),
    Column("revoked_at", TEXT),
    Index(None, "user_id"),
)
sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    # SHA-256 of "account" or "address" and what was typed or who asked: what was typed as a login
    # may be somebody's password.
    Column("key_hash", TEXT, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("refused", Integer, nullable=False),  # while locked, since the last event that said so
    Column("last_at", TEXT, nullable=False),
    Column("locked_until", TEXT),
    Index(None, "last_at"),
)
audit_events = Table(
    "audit_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ... no gap
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("subject_kind", TEXT, nullable=False),
    Column("subject_id", TEXT, nullable=False),
    Column("payload_hash", TEXT),  # null: the event never had a payload
    Column("previous_hash", TEXT, nullable=False),
    Column("hash", TEXT, nullable=False),
    Index(None, "at"),
    Index(None, "by"),
    Index(None, "action"),
    Index(None, "subject_kind", "subject_id"),
)
audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column(
        "number",
        Integer,
        ForeignKey("audit_events.number"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("salt", TEXT, nullable=False),  # so that a purged payload cannot be guessed by its hash
    Column("payload", TEXT, nullable=False),  # JSON object: before, after, detail
)
