"""Session ledger: sessions, one-time links, API tokens and failed attempts, as rows.

Secrets come here hashed and are compared by their hash alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from territory.store import api_tokens, sessions, sign_in_attempts, sign_in_links

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping, Table

from territory.store import Transaction


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. ``method`` is password, link or company."""

    session_hash: str
    user_id: str
    method: str
    created_at: str
    seen_at: str
    expires_at: str
    ended_at: str | None = None


@dataclass(frozen=True)
class Link:
    """A one-time link. ``purpose`` is sign_in or reset."""

    link_hash: str
    user_id: str
    purpose: str
    loopback_only: bool
    created_at: str
    created_by: str
    expires_at: str
    used_at: str | None = None


@dataclass(frozen=True)
class Token:
    """A program that asks in a user's name. ``scopes`` are capabilities; ``name`` says what for."""

    token_id: str
    user_id: str
    name: str
    scopes: frozenset[str]
    created_at: str
    created_by: str
    expires_at: str
    seen_at: str | None = None
    revoked_at: str | None = None


@dataclass(frozen=True)
class Attempts:
    """Failures of one account or address. ``refused`` were turned away while it was locked."""

    key_hash: str
    failures: int = 0
    refused: int = 0
    last_at: str = ""
    locked_until: str | None = None


class SessionLedger:
    """Reads and writes the ways in."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def add_session(self, session: Session) -> None:
        """Note that someone has signed in."""
        self._connection.execute(insert(sessions).values(**vars(session)))

    def session(self, session_hash: str) -> Session | None:
        """Look up a session, ended or not."""
        row = self._one(sessions, sessions.c.session_hash == session_hash)
        return None if row is None else Session(**row)

    def sessions(self, user_id: str) -> list[Session]:
        """Give the sessions of a user that have not ended, the latest first."""
        rows = self._connection.execute(
            select(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
            .order_by(sessions.c.created_at.desc(), sessions.c.session_hash)
        )
        return [Session(**row) for row in rows.mappings()]

    def end_session(self, session_hash: str, at: str) -> None:
        """End one session."""
        self._connection.execute(
            update(sessions).where(sessions.c.session_hash == session_hash).values(ended_at=at)
        )

    def end_sessions(self, user_id: str, at: str, *, keep: str | None = None) -> int:
        """End the sessions of a user, but the one with the hash ``keep``, and give their number."""
        conditions = [sessions.c.user_id == user_id, sessions.c.ended_at.is_(None)]
        if keep is not None:
            conditions.append(sessions.c.session_hash != keep)
        return self._connection.execute(
            update(sessions).where(*conditions).values(ended_at=at)
        ).rowcount

    def touch_session(self, session_hash: str, at: str) -> None:
        """Note when a session was last seen."""
        self._connection.execute(
            update(sessions).where(sessions.c.session_hash == session_hash).values(seen_at=at)
        )

    def touch_token(self, token_id: str, at: str) -> None:
        """Note when a token was last seen."""
        self._connection.execute(
            update(api_tokens).where(api_tokens.c.token_id == token_id).values(seen_at=at)
        )

    def add_link(self, link: Link) -> None:
        """Keep a one-time link."""
        self._connection.execute(insert(sign_in_links).values(**vars(link)))

    def link(self, link_hash: str) -> Link | None:
        """Look up a link, used or not."""
        row = self._one(sign_in_links, sign_in_links.c.link_hash == link_hash)
        return None if row is None else Link(**row)

    def use_link(self, link_hash: str, at: str) -> None:
        """Note that a link was used."""
        self._connection.execute(
            update(sign_in_links).where(sign_in_links.c.link_hash == link_hash).values(used_at=at)
        )

    def drop_links(self, user_id: str) -> int:
        """Forget the links of a user that were not used and give their number."""
        return self._connection.execute(
            delete(sign_in_links).where(
                sign_in_links.c.user_id == user_id, sign_in_links.c.used_at.is_(None)
            )
        ).rowcount

    def add_token(self, token: Token, token_hash: str) -> Token:
        """Keep a token under a new id and give it back with that."""
        top: int | None = self._connection.execute(select(func.max(api_tokens.c.number))).scalar()
        number = (top or 0) + 1
        numbered = replace(token, token_id=f"token-{number}")
        columns = vars(numbered) | {"scopes": " ".join(sorted(token.scopes))}
        self._connection.execute(
            insert(api_tokens).values(**columns, number=number, token_hash=token_hash)
        )
        return numbered

    def token(self, token_id: str) -> Token | None:
        """Look up a token by id, revoked or not."""
        row = self._one(api_tokens, api_tokens.c.token_id == token_id)
        return None if row is None else _token(row)

    def token_of_hash(self, token_hash: str) -> Token | None:
        """Look up a token by the hash of its secret, revoked or not."""
        row = self._one(api_tokens, api_tokens.c.token_hash == token_hash)
        return None if row is None else _token(row)

    def tokens(self) -> list[Token]:
        """Give every token, the revoked ones too, by number."""
        query = select(api_tokens).order_by(api_tokens.c.number)
        return [_token(row) for row in self._connection.execute(query).mappings()]

    def revoke_token(self, token_id: str, at: str) -> None:
        """Let a token open nothing from now on."""
        self._connection.execute(
            update(api_tokens).where(api_tokens.c.token_id == token_id).values(revoked_at=at)
        )

    def attempts(self, key_hash: str) -> Attempts:
        """Look up the failures of an account or address; none are none."""
        row = self._one(sign_in_attempts, sign_in_attempts.c.key_hash == key_hash)
        return Attempts(key_hash) if row is None else Attempts(**row)

    def save_attempts(self, attempts: Attempts) -> None:
        """Write the failures of an account or address over what was there."""
        self.forget_attempts(attempts.key_hash)
        self._connection.execute(insert(sign_in_attempts).values(**vars(attempts)))

    def forget_attempts(self, key_hash: str) -> None:
        """Forget the failures of an account or address."""
        self._connection.execute(
            delete(sign_in_attempts).where(sign_in_attempts.c.key_hash == key_hash)
        )

    def tidy(self, *, expired: str, quiet: str) -> None:
        """Drop sessions and links that expired before a moment, failures older than another."""
        for column, moment in (
            (sessions.c.expires_at, expired),
            (sign_in_links.c.expires_at, expired),
            (sign_in_attempts.c.last_at, quiet),
        ):
            self._connection.execute(delete(column.table).where(column < moment))

    def _one(self, table: Table, condition: ColumnElement[bool]) -> RowMapping | None:
        return self._connection.execute(select(table).where(condition)).mappings().one_or_none()


def _token(row: RowMapping) -> Token:
    columns = {item.name: row[item.name] for item in fields(Token)}
    return Token(**columns | {"scopes": frozenset(row["scopes"].split())})
