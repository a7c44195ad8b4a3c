"""Addresses of databases: read from what a user gave, and shown without any password."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from territory.errors import InputError

DEFAULT_URL = "sqlite:///var/territory.sqlite"
# Parameters of an address that a message may show; a password may stand in any other.
SHOWN_PARAMETERS = ("host", "hostaddr", "port", "dbname", "user", "sslmode", "connect_timeout")
MISTYPED = re.compile(r"(postgres|sqlite)\w*(\+\w+)?(:(?!//)|//)")  # no name of a file
HOW_TO_NAME_ONE = "Name a store as sqlite:///folder/file.sqlite or postgresql://user@host/database."


def read_url(url: str) -> URL:
    """Make a URL of what the user gave; a bare path is a SQLite file, absolute from here on.

    Raises
    ------
    InputError
        If it names no database that this package can use.
    """
    if MISTYPED.match(url):
        raise InputError(f"{masked(url)!r} is not a store. {HOW_TO_NAME_ONE}")
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except (ArgumentError, ValueError):  # of a port that is no number
        raise InputError(f"{masked(url)!r} is not a store. {HOW_TO_NAME_ONE}") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise InputError(
            f"{masked(url)!r}: {backend} is no database for a store. {HOW_TO_NAME_ONE}"
        )
    if parsed.database in {None, "", ":memory:"}:
        raise InputError(f"{masked(url)!r} would forget everything. {HOW_TO_NAME_ONE}")
    path = Path(str(parsed.database)).expanduser().resolve()
    return parsed.set(drivername="sqlite", database=str(path))


def shown_url(url: URL) -> str:
    """Write an address without any password: for messages and logs."""
    return masked(url.render_as_string(hide_password=True))


def masked(url: str) -> str:
    """Take passwords out of what may be an address, before "@" and among its parameters."""
    before, question, parameters = url.partition("?")
    head, at, tail = before.rpartition("@")
    scheme, slashes, account = head.partition("//" if "//" in head else ":")
    place = f"{scheme}{slashes}{account.partition(':')[0] if slashes == '//' else '***'}"
    pairs = (part.partition("=") for part in parameters.split("&") if part)
    shown = (
        f"{name}={value if name.lower() in SHOWN_PARAMETERS else '***'}" for name, _, value in pairs
    )
    return f"{place + at + tail if at and slashes else before}{question}{'&'.join(shown)}"
