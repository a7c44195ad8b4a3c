"""Options and frames that commands share: the store, the clock, progress, days and answers."""

from __future__ import annotations

import dataclasses
import getpass
import json
import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from territory.store import Store

PATIENCE_S = 2.0  # how long a work may be silent
SHOWN = 20  # rows of a list that a terminal is shown; the rest is counted

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON for a program to read.")
dry_run = click.option("--dry-run", is_flag=True, help="Report only; write nothing.")
by_option = click.option("--by", help="Name to record. Default: the login on this machine.")


def opened(context: click.Context, *, create: bool = True) -> Store:
    """Open the store that the options name and close it when the command ends."""
    from territory.store import open_store

    return context.with_resource(open_store(context.obj, create=create))


def call(
    context: click.Context,
    verb: Callable[..., Any],
    *arguments: object,
    by: str | None = None,
    **options: object,
) -> Any:
    """Call a verb of the library on the store, as who may see everything does it now."""
    from territory.access import Scope

    store, scope = opened(context, create=False), Scope.everything()
    return verb(store, *arguments, scope=scope, by=person(by), now=now(), **options)


def now() -> datetime:
    """The one clock of the command line."""
    return datetime.now(UTC)


def person(by: str | None) -> str:
    """Who is at work: the one named, else the user signed in here."""
    return by or getpass.getuser()


def named(store: Store, record: Any, *fields: str) -> Any:
    """Give a record with the names of people in place of their ids, to print a line of it."""
    from territory import access

    names = access.person_names(store)
    return dataclasses.replace(
        record, **{one: access.person_name(getattr(record, one), names) for one in fields}
    )


def note(text: str) -> None:
    """Tell how a long work goes; on stderr, so that stdout holds the answer only."""
    click.echo(text, err=True)


class Progress:
    """Tells how a work goes once it has taken a while, and then now and again; on stderr."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def __call__(self, stage: str) -> None:
        """Say what is being done."""
        if time.monotonic() - self._told_at >= PATIENCE_S:
            self._told_at = time.monotonic()
            note(f"{stage} ...")

    def rows(self, done: int, of: int | None) -> None:
        """Say how many rows are done."""
        self(f"{done:,} rows" if of is None else f"{done:,} of {of:,} rows")


def read_day(text: str | None, option: str, example: str = "2026-01-31") -> str | None:
    """Read the day of an option, ISO text; None where it is left out.

    Raises
    ------
    InputError
        If it is no day.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"{option} {text}: no day. Write it as {example}.") from None


def answer(report: dict[str, Any], sentence: str, *, is_json: bool) -> None:
    """Print a report the way that was asked for."""
    click.echo(json.dumps(report, indent=2) if is_json else sentence)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a frame as JSON has them: null for what is missing."""
    values = frame.astype(object)
    rows = values.where(values.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def as_dict(record: Any) -> dict[str, Any]:
    """Give a dataclass as JSON has it, with its sets sorted."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in dataclasses.asdict(record).items()
    }


def print_rows(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Print the first rows of a frame, and say how many more there are."""
    for row in first_rows(frame, columns):
        click.echo("  ".join("-" if value is None else str(value) for value in row))


def first_rows(frame: pd.DataFrame, columns: Iterable[str]) -> list[tuple[Any, ...]]:
    """Give the first rows of a frame, and say how many more there are."""
    if len(frame) > SHOWN:
        note(f"The first {SHOWN} of {len(frame):,}; --json lists them all.")
    return list(frame[list(columns)].head(SHOWN).itertuples(index=False, name=None))
