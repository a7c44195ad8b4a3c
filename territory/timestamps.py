"""Timestamps: the one text form in which the store, files and records hold a moment, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from territory.errors import InputError

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def utc_text(moment: datetime) -> str:
    """Write a moment as every table has it: 2026-11-23T09:30:00Z.

    Raises
    ------
    InputError
        If the moment does not say its time zone.
    """
    if moment.tzinfo is None:
        raise InputError(f"{moment.isoformat()} has no time zone. Give it in UTC.")
    return moment.astimezone(UTC).strftime(FORMAT)


def read_utc_text(text: str) -> datetime:
    """Read a moment as every table has it; aware, in UTC."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)
