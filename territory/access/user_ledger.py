"""User ledger: users as rows, with roles, reps and identities at company sign-on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, true, update

from territory.store import identities, plan_assignments, rows, user_reps, user_roles, users

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from sqlalchemy import ColumnElement, Table

    from territory.access.scopes import Reach
    from territory.store import Transaction


@dataclass(frozen=True)
class User:
    """Someone who may sign in. ``login`` is folded; ``managed_rep_ids`` are a manager's reps."""

    user_id: str
    login: str
    name: str
    roles: frozenset[str]
    rep_id: str | None
    managed_rep_ids: frozenset[str]
    created_at: str
    is_active: bool
    has_password: bool


def within(rep_id: ColumnElement[Any], reach: Reach) -> ColumnElement[bool]:
    """Condition that holds for rows whose rep is within reach: every row-level rule in SQL."""
    return or_(true() if reach.is_all else rep_id.in_(sorted(reach.rep_ids)))


class UserLedger:
    """Reads and writes users."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def users(self) -> list[User]:
        """Give every user, the disabled ones too, by number."""
        return self._users(true())

    def names(self) -> dict[str, str]:
        """Give the name of every user by id."""
        rows = self._connection.execute(select(users.c.user_id, users.c.name))
        return {user_id: name for user_id, name in rows}  # noqa: C416 - rows are no mapping

    def user(self, user_id: str) -> User | None:
        """Look up a user by id."""
        return next(iter(self._users(users.c.user_id == user_id)), None)

    def user_of_login(self, login: str) -> User | None:
        """Look up a user by folded login."""
        return next(iter(self._users(users.c.login == login)), None)

    def user_of_identity(self, issuer: str, subject: str) -> User | None:
        """Look up the user that an identity at a company's sign-on belongs to."""
        is_theirs = (identities.c.issuer == issuer) & (identities.c.subject == subject)
        owner = select(identities.c.user_id).where(is_theirs).scalar_subquery()
        return next(iter(self._users(users.c.user_id == owner)), None)

    def _users(self, condition: ColumnElement[bool]) -> list[User]:
        rows = self._connection.execute(
            select(users).where(condition).order_by(users.c.number)
        ).all()
        ids = [row.user_id for row in rows]
        roles = self._lists(user_roles, "role", ids)
        reps = self._lists(user_reps, "rep_id", ids)
        return [
            User(
                user_id=row.user_id,
                login=row.login,
                name=row.name,
                roles=frozenset(roles[row.user_id]),
                rep_id=row.rep_id,
                managed_rep_ids=frozenset(reps[row.user_id]),
                created_at=row.created_at,
                is_active=row.disabled_at is None,
                has_password=row.password_hash is not None,
            )
            for row in rows
        ]

    def _lists(self, table: Table, column: str, ids: list[str]) -> defaultdict[str, list[str]]:
        query = select(table.c.user_id, table.c[column])
        if len(ids) == 1:  # a look-up, not a list of all
            query = query.where(table.c.user_id == ids[0])
        lists = defaultdict(list)
        for user_id, value in self._connection.execute(query):
            lists[user_id].append(value)
        return lists

    def add_user(self, login: str, name: str, *, at: str, by: str) -> str:
        """Add a user without password, roles or reps and give the id."""
        top: int | None = self._connection.execute(select(func.max(users.c.number))).scalar()
        number = (top or 0) + 1
        user_id = f"user-{number}"
        self._connection.execute(
            insert(users).values(
                user_id=user_id,
                number=number,
                login=login,
                name=name,
                created_at=at,
                created_by=by,
            )
        )
        return user_id

    def set_roles(
        self,
        user_id: str,
        roles: Iterable[str],
        *,
        rep_id: str | None,
        managed_rep_ids: Iterable[str],
    ) -> None:
        """Give a user these roles and reps in place of those held."""
        self._update(user_id, rep_id=rep_id)
        for table, column, values in (
            (user_roles, "role", roles),
            (user_reps, "rep_id", managed_rep_ids),
        ):
            self._connection.execute(delete(table).where(table.c.user_id == user_id))
            rows = [{"user_id": user_id, column: value} for value in sorted(set(values))]
            if rows:
                self._connection.execute(insert(table), rows)

    def set_disabled(self, user_id: str, at: str | None) -> None:
        """Shut a user out from a moment on, or let the user in again (None)."""
        self._update(user_id, disabled_at=at)

    def password_hash(self, user_id: str) -> str | None:
        """Give the hash of a user's password, None where none is set."""
        password_hash: str | None = self._connection.execute(
            select(users.c.password_hash).where(users.c.user_id == user_id)
        ).scalar()
        return password_hash

    def set_password_hash(self, user_id: str, password_hash: str) -> None:
        """Replace the hash of a user's password."""
        self._update(user_id, password_hash=password_hash)

    def _update(self, user_id: str, **values: Any) -> None:
        self._connection.execute(update(users).where(users.c.user_id == user_id).values(**values))

    def add_identity(self, issuer: str, subject: str, user_id: str, *, at: str, by: str) -> None:
        """Say that an identity at a company's sign-on is this user."""
        self._connection.execute(
            insert(identities).values(
                issuer=issuer, subject=subject, user_id=user_id, linked_at=at, linked_by=by
            )
        )

    def drop_identities(self, user_id: str) -> int:
        """Forget every identity of a user and give their number."""
        return self._connection.execute(
            delete(identities).where(identities.c.user_id == user_id)
        ).rowcount

    def accounts_within(self, plan_id: str, reach: Reach) -> pd.DataFrame:
        """Give ``prospect_id`` and ``rep_id`` of the prospects of a plan within reach, by id."""
        assignments = plan_assignments
        return rows.read(
            self._connection,
            select(assignments.c.prospect_id, assignments.c.rep_id)
            .where(assignments.c.plan_id == plan_id, within(assignments.c.rep_id, reach))
            .order_by(assignments.c.prospect_id),
        )
