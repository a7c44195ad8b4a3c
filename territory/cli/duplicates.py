"""The commands ``territory duplicates ...`` and ``territory family``: who is who."""

from __future__ import annotations

import json
from typing import Any

import click

from territory.cli.options import (
    answer,
    as_json,
    by_option,
    dry_run,
    first_rows,
    now,
    opened,
    person,
    records,
)


@click.group("duplicates")
def duplicates_group() -> None:
    """Review prospects that may be the same company.

    Nothing is merged automatically. Later imports follow a merge, and a merge can be undone.

    \b
    Example:
      territory duplicates list
    """


@duplicates_group.command("list")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@as_json
@click.pass_context
def list_(context: click.Context, *, offset: int, limit: int, is_json: bool) -> None:
    """List pairs that look like the same company, most likely first, with the evidence.

    \b
    Examples:
      territory duplicates list
      territory duplicates list --offset 20 --json
    """
    from territory.accounts import duplicates

    store = opened(context, create=False)
    pairs, total = duplicates.likely_duplicates(store, offset=offset, limit=limit)
    if is_json:
        rows = records(pairs)
        click.echo(json.dumps({"total": total, "offset": offset, "pairs": rows}, indent=2))
        return
    for row in records(pairs):
        click.echo(f"{row['score']:.2f}  {row['first_id']}  {_told(row, 'first')}")
        click.echo(f"      {row['second_id']}  {_told(row, 'second')}: {row['evidence']}")
    click.echo(f"{len(pairs):,} of {total:,} pairs.")


@duplicates_group.command("merge")
@click.argument("kept_id", metavar="KEPT")
@click.argument("merged_id", metavar="MERGED")
@by_option
@dry_run
@as_json
@click.pass_context
def merge(
    context: click.Context,
    *,
    kept_id: str,
    merged_id: str,
    by: str | None,
    dry_run: bool,
    is_json: bool,
) -> None:
    """Merge two prospects: KEPT keeps its values; its blank fields are filled from MERGED.

    Sites, contacts, opportunities and subsidiaries of MERGED move to KEPT.

    \b
    Example:
      territory duplicates merge 001A 001B --dry-run
    """
    from territory.accounts import duplicates

    store = opened(context, create=False)
    report = duplicates.merge(
        store, kept_id, merged_id, by=person(by), now=now(), is_dry_run=dry_run
    )
    answer(report.as_json(), report.sentence, is_json=is_json)


@duplicates_group.command("keep-apart")
@click.argument("first_id", metavar="ONE")
@click.argument("second_id", metavar="OTHER")
@by_option
@as_json
@click.pass_context
def keep_apart(
    context: click.Context, *, first_id: str, second_id: str, by: str | None, is_json: bool
) -> None:
    """Mark two prospects as different companies, so that they are not listed again.

    \b
    Example:
      territory duplicates keep-apart 001A 001B
    """
    from territory.accounts import duplicates

    store = opened(context, create=False)
    duplicates.keep_apart(store, first_id, second_id, by=person(by), now=now())
    report = {"first_id": first_id, "second_id": second_id, "decision": "distinct"}
    answer(
        report, f"{first_id} and {second_id} are marked as different companies.", is_json=is_json
    )


@duplicates_group.command("unmerge")
@click.argument("kept_id", metavar="KEPT")
@click.argument("merged_id", metavar="MERGED")
@by_option
@as_json
@click.pass_context
def unmerge(
    context: click.Context, *, kept_id: str, merged_id: str, by: str | None, is_json: bool
) -> None:
    """Undo a merge: MERGED is restored with everything that came from it.

    \b
    Example:
      territory duplicates unmerge 001A 001B
    """
    from territory.accounts import duplicates

    store = opened(context, create=False)
    report = duplicates.unmerge(store, kept_id, merged_id, by=person(by), now=now())
    answer(report.as_json(), report.sentence, is_json=is_json)


@duplicates_group.command("reconsider")
@click.argument("first_id", metavar="ONE")
@click.argument("second_id", metavar="OTHER")
@by_option
@as_json
@click.pass_context
def reconsider(
    context: click.Context, *, first_id: str, second_id: str, by: str | None, is_json: bool
) -> None:
    """Remove the mark that two prospects are different companies, so that they may be listed again.

    \b
    Example:
      territory duplicates reconsider 001A 001B
    """
    from territory.accounts import duplicates

    store = opened(context, create=False)
    duplicates.reconsider(store, first_id, second_id, by=person(by), now=now())
    report = {"first_id": first_id, "second_id": second_id, "decision": None}
    answer(report, f"{first_id} and {second_id} may be listed again.", is_json=is_json)


@duplicates_group.command("decided")
@as_json
@click.pass_context
def decided(context: click.Context, *, is_json: bool) -> None:
    """List decisions about pairs, newest first.

    \b
    Example:
      territory duplicates decided --json
    """
    from territory import access
    from territory.accounts import duplicates

    store = opened(context, create=False)
    decisions = duplicates.decisions(store)
    if is_json:
        click.echo(json.dumps(records(decisions), indent=2))
        return
    names = access.person_names(store)
    columns = ("decided_at", "decided_by", "decision", "first_id", "second_id")
    for at, by, decision, first_id, second_id in first_rows(decisions, columns):
        what = "kept, merged into it" if decision == "merged" else "marked as different from"
        click.echo(f"{at}  {access.person_name(by, names)}: {first_id} {what} {second_id}")
    click.echo(f"{len(decisions):,} decisions.")


@click.command("family")
@click.argument("prospect_id", metavar="PROSPECT")
@as_json
@click.pass_context
def family(context: click.Context, *, prospect_id: str, is_json: bool) -> None:
    """Show the family of companies that PROSPECT belongs to, with sums over all of it.

    \b
    Example:
      territory family 001A
    """
    from territory.accounts import family

    tree = family(opened(context, create=False), prospect_id)
    if is_json:
        click.echo(json.dumps(tree.as_json(), indent=2))
        return
    for depth, own_id, name in first_rows(tree.members, ("depth", "prospect_id", "name")):
        click.echo(f"{'  ' * depth}{own_id}  {name}")
    for message, remedy in first_rows(tree.findings, ("message", "remedy")):
        click.echo(f"{message} {remedy}")
    click.echo(tree.sentence)


def _told(row: dict[str, Any], side: str) -> str:
    names = ("name", "street", "city", "state", "postal_code")
    return ", ".join(str(row[f"{side}_{name}"]) for name in names if row[f"{side}_{name}"])
