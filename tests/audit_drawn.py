"""What the tests of the audit log share: events, and a database tool in the wrong hands."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from territory import audit
from tests.access_drawn import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from territory.store import Store


def fill(store: Store, events: int, *, start: int = 0) -> None:
    with store.write() as transaction:
        for at in range(start, start + events):
            note(transaction, at)


def note(transaction: Any, at: int = 0, **told: Any) -> int:
    given = {
        "by": f"user-{at % 7 + 1}",
        "at": NOW + timedelta(minutes=at),
        "action": ("plan.publish", "user.add", "export.run")[at % 3],
        "subject_kind": ("plan", "user", "export")[at % 3],
        "subject_id": f"{at % 3}-{at}",
        "after": {"at": at, "name": "Ünïcode"},
    }
    return audit.record(transaction, **given | told)


def drop_triggers(path: Path) -> None:
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    connection.commit()
    connection.close()


def tamper(path: Path, *statements: tuple[str, tuple[Any, ...]] | str) -> None:
    """Change a store the way a database tool does."""
    connection = sqlite3.connect(path)
    for statement in statements:
        sql, values = (statement, ()) if isinstance(statement, str) else statement
        connection.execute(sql, values)
    connection.commit()
    connection.close()


def two_events(store: Store, **told: Any) -> None:
    """Record an event and then this one, in one transaction."""
    with store.write() as transaction:
        note(transaction)
        note(transaction, **told)
