"""The commands ``territory note ...`` and ``territory next ...``: what was done, what is due."""

from __future__ import annotations

import json
from datetime import date

import click

from territory.cli.options import (
    answer,
    as_json,
    by_option,
    call,
    first_rows,
    now,
    opened,
    person,
    read_day,
    records,
)

id_argument = click.argument("prospect_id", metavar="ID")


@click.group("note")
def note_group() -> None:
    """Add and list notes about accounts, separate from the CRM.

    \b
    Example:
      territory note list
    """


@note_group.command()
@id_argument
@click.argument("text", metavar="TEXT")
@by_option
@as_json
@click.pass_context
def add(
    context: click.Context, *, prospect_id: str, text: str, by: str | None, is_json: bool
) -> None:
    """Write a note about a prospect.

    \b
    Example:
      territory note add walmart "Met the head of purchasing; she wants the price list."
    """
    from territory import accounts

    note_id = call(context, accounts.add_note, prospect_id, text, by=by)
    answer({"note_id": note_id}, f"Note added to {prospect_id}: {note_id}.", is_json=is_json)


@note_group.command("list")
@click.argument("prospect_id", metavar="[ID]", required=False)
@as_json
@click.pass_context
def list_notes(context: click.Context, *, prospect_id: str | None, is_json: bool) -> None:
    """List notes, newest first: about one prospect, or all.

    \b
    Example:
      territory note list walmart
    """
    from territory import accounts
    from territory.access import Scope

    store = opened(context, create=False)
    notes = accounts.list_notes(store, scope=Scope.everything(), prospect_id=prospect_id)
    if is_json:
        click.echo(json.dumps(records(notes), indent=2))
        return
    columns = ("written_at", "prospect_id", "author", "text", "on_file")
    for at, about, author, text, on_file in first_rows(notes, columns):
        gone = "" if on_file else " (no longer on file)"
        click.echo(f"{at}  {about}{gone}  {author}: {text or 'taken back'}")
    click.echo(f"{len(notes):,} notes.")


@click.group("next")
def next_group() -> None:
    """Set next steps for accounts, and list what is due.

    \b
    Example:
      territory next list --rep R01
    """


@next_group.command("list")
@click.option("--rep", "rep_id", metavar="REP", help="Only the accounts of this rep.")
@click.option("--until", metavar="DAY", help="Only what is due by this day, as 2027-01-31.")
@as_json
@click.pass_context
def list_steps(
    context: click.Context, *, rep_id: str | None, until: str | None, is_json: bool
) -> None:
    """List next steps by due date, overdue first.

    \b
    Example:
      territory next list --rep R01 --until 2027-01-31
    """
    from territory import accounts
    from territory.access import Scope

    last_day = read_day(until, "--until", "2027-01-31")
    steps = accounts.open_steps(
        opened(context, create=False),
        scope=Scope.everything(),
        rep_id=rep_id,
        until=date.fromisoformat(last_day) if last_day else None,
    )
    if is_json:
        click.echo(json.dumps(records(steps), indent=2))
        return
    today, columns = now().date().isoformat(), ("due_on", "prospect_id", "words", "step_id")
    for day, about, words, step_id in first_rows(steps, columns):
        click.echo(f"{day}{' overdue' if day < today else ''}  {about}: {words}  ({step_id})")
    overdue = int((steps["due_on"] < today).sum())
    click.echo(f"{len(steps):,} next steps, {overdue:,} overdue.")


@next_group.command("set")
@id_argument
@click.argument("words", metavar="WORDS")
@click.option("--on", "due_on", required=True, metavar="DAY", help="Due date, as 2027-01-31.")
@click.option("--replace", is_flag=True, help="Replace the current next step.")
@by_option
@as_json
@click.pass_context
def set_(
    context: click.Context,
    *,
    prospect_id: str,
    words: str,
    due_on: str,
    replace: bool,
    by: str | None,
    is_json: bool,
) -> None:
    """Set the next step for a prospect, with a due date.

    \b
    Example:
      territory next set walmart "Send the price list" --on 2027-01-31 --replace
    """
    from territory import accounts
    from territory.access import Scope

    store, scope = opened(context, create=False), Scope.everything()
    standing = accounts.activities_of(store, prospect_id, scope=scope).steps["step_id"].tolist()
    step_id = accounts.set_next_step(
        store,
        prospect_id,
        words,
        due_on,
        scope=scope,
        by=person(by),
        now=now(),
        instead_of=standing if replace else (),
    )
    answer({"step_id": step_id}, f"Next about {prospect_id}: {step_id}.", is_json=is_json)


@next_group.command()
@click.argument("step_id", metavar="STEP")
@by_option
@as_json
@click.pass_context
def done(context: click.Context, *, step_id: str, by: str | None, is_json: bool) -> None:
    """Mark a next step as done.

    \b
    Example:
      territory next done step-0123456789abcdef
    """
    from territory import accounts

    prospect_id = call(context, accounts.finish_next_step, step_id, by=by)
    answer({"prospect_id": prospect_id}, f"{step_id} of {prospect_id} is done.", is_json=is_json)
