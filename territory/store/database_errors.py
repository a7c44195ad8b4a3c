"""Database errors in our words: busy, full, read-only or damaged, each with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.errors import BusyError, DamagedError, FullError, ReadOnlyError, StoreError

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy.exc import DBAPIError

# What SQLite and PostgreSQL say of each, in small letters, and what we say then.
_KINDS: tuple[tuple[type[StoreError], tuple[str, ...], str], ...] = (
    (
        BusyError,
        ("is locked", "lock timeout", "could not serialize"),
        "another process is writing ({message}). Nothing was saved. Try again when it is done.",
    ),
    (
        FullError,
        ("disk is full", "no space left", "disk i/o error", "could not extend file"),
        (
            "the disk has no room left ({message}). Nothing was saved; what is there can be read. "
            "Make room, then try again."
        ),
    ),
    (
        ReadOnlyError,
        ("readonly", "read-only"),
        (
            "the store can be read and not written ({message}). Nothing was saved. Check the "
            "permissions of its file and folder, and whether the disk is mounted to be written."
        ),
    ),
    (
        DamagedError,
        ("malformed", "invalid page", "could not read block"),
        (
            "the file is damaged ({message}). Stop writing to it and put the newest backup back. "
            'Without one, `sqlite3 STORE ".recover" | sqlite3 RECOVERED` saves what can be read, '
            "and `territory audit verify` says what of the log is whole."
        ),
    ),
    (
        StoreError,
        ("not a database",),
        "the file is not a SQLite database ({message}). Name another one, or put a backup back.",
    ),
)


def store_error(error: DBAPIError | sqlite3.Error, store: str) -> StoreError:
    """Turn what a database raised into the error of ours that says what to do.

    Parameters
    ----------
    store
        The address of the store without a password.
    """
    message = " ".join(str(getattr(error, "orig", error)).split())
    for kind, words, sentence in _KINDS:
        if any(word in message.lower() for word in words):
            return kind(f"{store}: {sentence.format(message=message)}")
    return StoreError(f"{store}: the database is out of reach or refuses ({message}).")
