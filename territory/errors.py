"""Every error that this package raises on purpose.

::

    TerritoryError               the root: catch this to catch them all
    ├── InputError               what was handed in is wrong; the message says where and what to do
    │   ├── ColumnError          a table lacks a column, or a column holds what it must not
    │   ├── FileFormatError      a file cannot be read or written as what it claims to be
    │   ├── CoordinateError      a longitude or latitude is off the globe, swapped or missing
    │   ├── LengthError          a distance such as "50mi" that is no distance
    │   └── PolicyError          a policy file breaks the rules of policies
    ├── NotFoundError            an id that the store does not know
    ├── ConflictError            the store has moved on, or the verb does not fit its state
    │   └── RefusedWriteError    the database itself refused what was to be written
    ├── StoreError               the database is out of reach, or from another version
    │   ├── BusyError            somebody else is writing; nothing was saved, try again soon
    │   ├── FullError            the disk is full; nothing was saved, reading goes on
    │   ├── ReadOnlyError        the store may not be written; reading goes on
    │   └── DamagedError         the file of the database is broken; restore a backup
    └── GeocodingError           a provider failed; the rows stay pending and can be tried again

The command line turns an ``InputError`` or ``NotFoundError`` into one line and exit code 2; the web
app has one table from class to status and shows the ``sentence`` of an error, never its message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class TerritoryError(Exception):
    """Root of the errors of this package.

    Parameters
    ----------
    fields
        Where a form was wrong: name of a field -> what is wrong in it.
    """

    def __init__(self, *args: object, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(*args)
        self.fields = dict(fields or {})

    @property
    def sentence(self) -> str:
        """What any reader of a page may be told: the message, unless it names places of ours."""
        return str(self)


class InputError(TerritoryError):
    """Raised when what was handed in is wrong. The message names the value and the remedy."""


class ColumnError(InputError):
    """Raised when a table lacks a column or a column holds what it must not."""


class FileFormatError(InputError):
    """Raised when a file cannot be read or written as what it claims to be."""


class CoordinateError(InputError):
    """Raised when coordinates are off the globe, swapped or missing where they must not be."""


class LengthError(InputError):
    """Raised when a text such as "50mi" does not say a distance."""


class PolicyError(InputError):
    """Raised when a policy breaks the rules of policies."""


class NotFoundError(TerritoryError):
    """Raised when an id is not in the store. The message says how to list what there is."""


class ConflictError(TerritoryError):
    """Raised when a verb does not fit the state of the store, for example publishing twice."""


class RefusedWriteError(ConflictError):
    """Raised when the database refuses a write. The message quotes it; the sentence does not."""

    @property
    def sentence(self) -> str:
        """What any reader of a page may be told."""
        return "The database refused this change. Nothing was written."


class StoreError(TerritoryError):
    """Raised when the database is out of reach or was written by another version.

    The message may name the address of the database, a path or what the driver said: it is for
    the command line and the log of the server.

    Parameters
    ----------
    sentence
        What any reader of a page may be told in its place; by default that of the class.
    """

    default_sentence = "The database cannot be used now. The log of the server says why."

    def __init__(self, message: str, *, sentence: str | None = None) -> None:
        super().__init__(message)
        self._sentence = sentence or self.default_sentence

    @property
    def sentence(self) -> str:
        """What any reader of a page may be told."""
        return self._sentence


class BusyError(StoreError):
    """Raised when somebody else is writing, for longer than one may wait. Nothing was saved."""

    default_sentence = "Somebody else was saving for too long. Nothing was saved; try again."


class FullError(StoreError):
    """Raised when there is no room left to write. Nothing was saved; reading goes on."""

    default_sentence = "The disk of the server is full. Nothing was saved."


class ReadOnlyError(StoreError):
    """Raised when the store may be read and not written. Nothing was saved; reading goes on."""

    default_sentence = "The store cannot be written. Nothing was saved."


class DamagedError(StoreError):
    """Raised when the file of the database is broken. The message names the remedy."""

    default_sentence = "The store is damaged. Put the newest backup back."


class GeocodingError(TerritoryError):
    """Raised when a provider failed. Try again later: nothing was decided and no row was lost."""
