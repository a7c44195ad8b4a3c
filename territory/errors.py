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
    ├── StoreError               the database is out of reach, or from another version
    │   ├── BusyError            somebody else is writing; nothing was saved, try again soon
    │   ├── FullError            the disk is full; nothing was saved, reading goes on
    │   ├── ReadOnlyError        the store may not be written; reading goes on
    │   └── DamagedError         the file of the database is broken; restore a backup
    └── GeocodingError           a provider failed; the rows stay pending and can be tried again

The command line turns an ``InputError`` or ``NotFoundError`` into one line and exit code 2; the web
app has one table from class to status.
"""


class TerritoryError(Exception):
    """Root of the errors of this package."""


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


class StoreError(TerritoryError):
    """Raised when the database is out of reach or was written by another version."""


class BusyError(StoreError):
    """Raised when somebody else is writing, for longer than one may wait. Nothing was saved."""


class FullError(StoreError):
    """Raised when there is no room left to write. Nothing was saved; reading goes on."""


class ReadOnlyError(StoreError):
    """Raised when the store may be read and not written. Nothing was saved; reading goes on."""


class DamagedError(StoreError):
    """Raised when the file of the database is broken. The message names the remedy."""


class GeocodingError(TerritoryError):
    """Raised when a provider failed. Try again later: nothing was decided and no row was lost."""
