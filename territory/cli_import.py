"""The command ``territory import``: bring a file into the store."""

from __future__ import annotations

from pathlib import Path

import click

from territory.terminal import (
    KINDS,
    Progress,
    answer,
    as_json,
    dry_run,
    first_rows,
    note,
    now,
    opened,
    person,
)


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path))
@dry_run
@as_json
@click.pass_context
def import_(context: click.Context, *, kind: str, file: Path, dry_run: bool, is_json: bool) -> None:
    """Read FILE into the store. The same file twice changes nothing.

    KIND is one of offices, prospects, reps, markets, territories, named_accounts, sites, contacts,
    opportunities, quotas. A row that cannot be used is refused with its line; the others go in.

    \b
    Examples:
      territory import offices offices.csv
      territory import prospects accounts.xlsx --dry-run
    """
    from territory import workflow

    store = opened(context)
    report = workflow.import_file(
        store, kind, file, by=person(None), now=now(), dry_run=dry_run, progress=Progress()
    )
    if not is_json:
        for line, reason, remedy in first_rows(report.refused, ("line", "reason", "remedy")):
            note(f"line {line}: {reason} {remedy}")
        if report.ignored:
            note(f"Columns not used: {', '.join(report.ignored)}.")
    answer(report.as_json(), report.sentence, is_json=is_json)
