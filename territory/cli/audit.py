"""The commands ``territory audit ...``: what was done, and proof that the log was not rewritten."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from territory.cli.options import answer, as_json, by_option, dry_run, note, now, opened, person
from territory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

BROKEN = 1
SHOWN = ("number", "at", "by", "action", "subject_kind", "subject_id")
CRITERIA = (
    click.option("--who", metavar="ID", help="Only what this one did."),
    click.option("--action", help="Only this: user.add, or user for all that begins so."),
    click.option("--kind", help="Only about this kind of subject: user, plan ..."),
    click.option("--id", "subject_id", help="Only about the subject with this id."),
    click.option("--since", metavar="DAY", help="From this day on (UTC)."),
    click.option("--until", metavar="DAY", help="Before this day (UTC)."),
)


def criteria(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that narrow a search."""
    for option in reversed(CRITERIA):
        command = option(command)
    return command


@click.group("audit")
def audit_group() -> None:
    """Read the log of who did what, and prove that nobody rewrote it.

    \b
    Example:
      territory audit verify
    """


@audit_group.command()
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="HEAD",
    help="A head that an earlier run printed and that was kept elsewhere. Repeatable.",
)
@as_json
@click.pass_context
def verify(context: click.Context, *, heads: tuple[str, ...], is_json: bool) -> None:
    """Walk the whole log; exit code 1 and the row if one was edited, deleted or moved.

    Keep the head that it prints out of the database's reach: whoever rewrites the whole log cannot
    give it the same one.

    \b
    Examples:
      territory audit verify
      territory audit verify --head 120:9f2c...
    """
    from territory import access
    from territory.access import audit_log

    store = opened(context, create=False)
    verdict = audit_log.verify(store, heads=[access.Head.parse(head) for head in heads])
    report = dataclasses.asdict(verdict) | {
        "head": str(verdict.head),
        "is_intact": verdict.is_intact,
    }
    answer(report, f"{verdict.sentence}\nHead: {verdict.head}", is_json=is_json)
    if not verdict.is_intact:
        sys.exit(BROKEN)


@audit_group.command("list")
@criteria
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@as_json
@click.pass_context
def list_events(context: click.Context, /, *, limit: int, is_json: bool, **filters: Any) -> None:
    """List events, newest first.

    \b
    Examples:
      territory audit list --action session
      territory audit list --kind user --id user-3 --since 2026-11-01
    """
    from territory.access import audit_log

    events, total = audit_log.search(opened(context, create=False), **_search(filters), limit=limit)
    if is_json:
        click.echo(json.dumps({"total": total, "events": events.to_dict("records")}, indent=2))
        return
    for event in events.to_dict("records"):
        payload = "(purged)" if event["is_purged"] else event["payload"] or ""
        words = [str(event[name]) for name in SHOWN]
        click.echo("  ".join([*words, payload]).rstrip())
    click.echo(f"{len(events):,} of {total:,} events.")


@audit_group.command()
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@criteria
@by_option
@as_json
@click.pass_context
def export(
    context: click.Context, /, *, target: Path, by: str | None, is_json: bool, **filters: Any
) -> None:
    """Write events, oldest first, to OUT (.csv, .xlsx or .parquet). The export is recorded too.

    \b
    Example:
      territory audit export audit.csv --since 2026-01-01
    """
    from territory.access import audit_log

    store = opened(context, create=False)
    rows = audit_log.export(store, target, **_search(filters), exported_by=person(by), now=now())
    answer({"rows": rows, "file": str(target)}, f"{rows:,} events in {target}.", is_json=is_json)


@audit_group.command()
@click.option("--before", required=True, metavar="DAY", help="Older than this day (UTC).")
@by_option
@dry_run
@as_json
@click.pass_context
def purge(
    context: click.Context, *, before: str, by: str | None, dry_run: bool, is_json: bool
) -> None:
    """Delete what old events say of before and after; that they happened stays, and verifies.

    \b
    Example:
      territory audit purge --before 2025-01-01 --dry-run
    """
    from territory.access import audit_log

    store = opened(context, create=False)
    report = audit_log.purge(
        store, before=_midnight("--before", before), by=person(by), now=now(), dry_run=dry_run
    )
    if report.purged == 0:
        note("Nothing is that old, or it was purged before.")
    answer(dataclasses.asdict(report), report.sentence, is_json=is_json)


def _search(filters: dict[str, str | None]) -> dict[str, Any]:
    return {
        "by": filters["who"],
        "action": filters["action"],
        "subject_kind": filters["kind"],
        "subject_id": filters["subject_id"],
        "since": _midnight("--since", filters["since"]) if filters["since"] else None,
        "until": _midnight("--until", filters["until"]) if filters["until"] else None,
    }


def _midnight(option: str, text: str) -> datetime:
    """Read the day of an option: the moment at which it begins, in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{option} {text}: no day. Write it as 2026-01-31.") from None
