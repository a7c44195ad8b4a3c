"""Provenance of a decision: whom it is about, who asked and when, and what answered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata, resources
from typing import TYPE_CHECKING

from territory import reference

if TYPE_CHECKING:
    from collections.abc import Mapping

_DISTRIBUTION = "territory-mapper"


@dataclass(frozen=True)
class Person:
    """Whom a decision is about.

    ``subject``: a reference, never a name or an address. ``circumstances``: what the rule may ask
    of the person (role, assigned_office_id, days), by name; None is not written down. ``home``: the
    commitment to the home. ``anonymous``: a mark for a person without a reference, by
    chance or by batch and row, so that no two of them are one.
    """

    subject: str | None = None
    circumstances: Mapping[str, str] | None = None
    home: str | None = None
    anonymous: str | None = None


@dataclass(frozen=True)
class Provenance:
    """Who asked, when (ISO text, UTC), for which day, and what answered.

    ``software`` and ``data_vintage``: name and version of this package, and of the tables that
    places were looked up in. ``routing``: the name of the routing adapter, where there is one.
    """

    by: str
    at: str
    on: str
    software: str
    data_vintage: str
    routing: str | None = None


def software() -> str:
    """Name and version of this package, for records."""
    return f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}"


def data_vintage() -> str:
    """Say which tables places are looked up in: a digest of the ZIP codes and of the cities."""
    parts = []
    for name in ("zip_codes", "cities"):
        content = (resources.files(reference.PACKAGE) / f"{name}.parquet").read_bytes()
        parts.append(f"{name} {hashlib.sha256(content).hexdigest()[:12]}")
    return ", ".join(parts)
