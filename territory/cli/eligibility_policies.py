"""The commands ``territory eligibility policies``, ``exceptions`` and ``plan``: the rules of HR."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from territory.cli.options import (
    answer,
    as_json,
    by_option,
    now,
    opened,
    person,
    print_rows,
    read_day,
)

if TYPE_CHECKING:
    from territory.eligibility.homes import HomeStore
    from territory.eligibility.rules import ExceptionEntry, PolicyVersion


policy_name_option = click.option(
    "--policy", "policy_name", metavar="NAME", help="Published policy. Needed if there are several."
)


def opened_homes(context: click.Context) -> HomeStore:
    """Open the home store that TERRITORY_HOMES names, until the command ends."""
    from territory.eligibility.homes import open_homes

    return context.with_resource(open_homes())


@click.group("policies")
def policies() -> None:
    """Save, try and publish the rules that the desk decides by.

    \b
    Example:
      territory eligibility policies publish fifty_miles
    """


@policies.command("list")
@as_json
@click.pass_context
def list_policies(context: click.Context, *, is_json: bool) -> None:
    """List the versions of policies, drafts among them.

    \b
    Example:
      territory eligibility policies list
    """
    from territory.eligibility import desk

    versions = desk.policy_versions(opened(context, create=False))
    if is_json:
        click.echo(json.dumps([_policy_json(version) for version in versions], indent=2))
        return
    for version in versions:
        rule = version.policy
        state = f"published by {version.published_by}" if version.published_by else "draft"
        until = f" until {rule.effective_until}" if rule.effective_until else ""
        click.echo(f"{version.label}: {state}, from {rule.effective_from}{until}")
    click.echo(f"{len(versions):,} versions.")


def _policy_json(version: PolicyVersion) -> dict[str, Any]:
    return {**vars(version), "policy": version.policy.as_dict()}


@policies.command("draft")
@click.argument("file", metavar="FILE")
@by_option
@as_json
@click.pass_context
def save_draft(context: click.Context, *, file: str, by: str | None, is_json: bool) -> None:
    """Save FILE (TOML, or the name of an example) as a draft.

    \b
    Example:
      territory eligibility policies draft rule.toml
    """
    from territory.eligibility import desk, rules

    policy = rules.policy_named(file)
    saved = desk.save_policy(opened(context), policy, by=person(by), now=now())
    answer(_policy_json(saved), f"{saved.label} saved as a draft.", is_json=is_json)


@policies.command()
@click.argument("file", metavar="FILE")
@by_option
@as_json
@click.pass_context
def publish(context: click.Context, *, file: str, by: str | None, is_json: bool) -> None:
    """Save FILE (TOML, or the name of an example) and put it in force from its own first day.

    \b
    Examples:
      territory eligibility policies publish rule.toml
      territory eligibility policies publish fifty_miles
    """
    from territory.eligibility import desk, rules

    store, policy = opened(context), rules.policy_named(file)
    desk.save_policy(store, policy, by=person(by), now=now())
    published = desk.publish_policy(store, policy.name, policy.version, by=person(by), now=now())
    sentence = f"{published.label} is published, in force from {policy.effective_from}."
    answer(_policy_json(published), sentence, is_json=is_json)


@policies.command("test")
@click.argument("file", metavar="FILE")
@click.option("--of", "of_policy", metavar="NAME", help="Whose decisions. Default: the same name.")
@click.option("--exact", "is_exact", is_flag=True, help="Exact distances in the reasons; HR only.")
@as_json
@click.pass_context
def try_policy(
    context: click.Context, *, file: str, of_policy: str | None, is_exact: bool, is_json: bool
) -> None:
    """Show which past decisions would change under FILE. Nothing is written.

    \b
    Examples:
      territory eligibility policies test rule.toml
      territory eligibility policies test rule.toml --exact --json
    """
    from territory.eligibility import desk, rules

    trial = desk.what_would_change(
        opened(context, create=False),
        opened_homes(context),
        rules.policy_named(file),
        desk.DecisionRequest(person(None), now()),
        of_policy=of_policy,
        is_exact=is_exact,
    )
    if not is_json:
        print_rows(trial.changes, ("decision_id", "subject", "was", "would_be", "reason"))
    answer(trial.as_json(), trial.sentence, is_json=is_json)


@click.group("exceptions")
def exceptions() -> None:
    """Let one person be eligible whatever the distance, with reason, approver and end.

    \b
    Example:
      territory eligibility exceptions list
    """


@exceptions.command("list")
@click.option("--policy", "policy_name", metavar="NAME", help="Of this policy only.")
@as_json
@click.pass_context
def list_exceptions(context: click.Context, *, policy_name: str | None, is_json: bool) -> None:
    """List exceptions, the last ones first, ended ones among them.

    \b
    Example:
      territory eligibility exceptions list
    """
    from territory.eligibility import desk

    entries = desk.exceptions(opened(context, create=False), policy_name)
    if is_json:
        click.echo(json.dumps([_exception_json(entry) for entry in entries], indent=2))
        return
    for entry in entries:
        click.echo(_exception_text(entry))
    click.echo(f"{len(entries):,} exceptions.")


def _exception_json(entry: ExceptionEntry) -> dict[str, Any]:
    return {**vars(entry), "granted": vars(entry.granted)}


def _exception_text(entry: ExceptionEntry) -> str:
    granted = entry.granted
    back = f", taken back {entry.revoked_at} by {entry.revoked_by}" if entry.revoked_at else ""
    return (
        f"{entry.exception_id}: {granted.person_id} under {entry.policy_name}, {granted.granted_on}"
        f" to before {granted.expires_on}, approved by {granted.approver}: {granted.reason}{back}"
    )


@exceptions.command("grant")
@click.option("--person", "person_id", required=True, help="Reference of the person.")
@click.option("--policy", "policy_name", required=True, metavar="NAME", help="Published policy.")
@click.option("--reason", required=True, help="Why; it goes into the record.")
@click.option("--approver", required=True, help="Who allows it.")
@click.option("--from", "granted_on", metavar="DAY", help="First day. Default: today.")
@click.option(
    "--until", "expires_on", required=True, metavar="DAY", help="It ends before this day."
)
@by_option
@as_json
@click.pass_context
def grant(
    context: click.Context,
    /,
    *,
    policy_name: str,
    granted_on: str | None,
    expires_on: str,
    by: str | None,
    is_json: bool,
    **fields: str,
) -> None:
    """Grant an exception.

    \b
    Example:
      territory eligibility exceptions grant --person E-1042 --policy fifty-mile-rule
        --reason hardship --approver "J. Doe" --until 2027-06-30
    """
    from territory.eligibility import desk
    from territory.eligibility.rules import GrantedException

    granted = GrantedException(
        **fields,
        granted_on=read_day(granted_on, "--from") or now().date().isoformat(),
        expires_on=read_day(expires_on, "--until") or "",
    )
    store = opened(context, create=False)
    entry = desk.set_exception(store, policy_name, granted, by=person(by), now=now())
    answer(_exception_json(entry), _exception_text(entry), is_json=is_json)


@exceptions.command("revoke")
@click.argument("exception_id", metavar="ID")
@by_option
@as_json
@click.pass_context
def revoke(context: click.Context, *, exception_id: str, by: str | None, is_json: bool) -> None:
    """Take an exception back from today on.

    \b
    Example:
      territory eligibility exceptions revoke X-1
    """
    from territory.eligibility import desk

    store = opened(context, create=False)
    entry = desk.revoke_exception(store, exception_id, by=person(by), now=now())
    answer(_exception_json(entry), _exception_text(entry), is_json=is_json)


@click.command()
@click.option("--close", "closing", multiple=True, metavar="OFFICE", help="Office to close.")
@click.option(
    "--open",
    "opening",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File of offices to open: office_id, name, lat, lon.",
)
@policy_name_option
@click.option("--on", metavar="DAY", help="As of this day. Default: today.")
@click.option("--cell", type=click.IntRange(1), help="Smallest count to show. Default: 5.")
@as_json
@click.pass_context
def plan(
    context: click.Context,
    *,
    closing: tuple[str, ...],
    opening: Path | None,
    policy_name: str | None,
    on: str | None,
    cell: int | None,
    is_json: bool,
) -> None:
    """Count how many decided homes gain or lose eligibility if offices opened or closed.

    \b
    Example:
      territory eligibility plan --close DEN --open new_offices.csv
    """
    from territory.eligibility import decision, desk

    request = desk.DecisionRequest(person(None), now(), policy_name, read_day(on, "--on"))
    report = desk.plan_offices(
        opened(context, create=False),
        opened_homes(context),
        request,
        opening=None if opening is None else desk.read_offices(opening),
        closing=closing,
        minimum_cell=decision.MINIMUM_CELL if cell is None else cell,
    )
    if not is_json:
        for outcome, count in report.counts.items():
            click.echo(f"{outcome}: {'not shown' if count is None else f'{count:,}'}")
    answer(report.as_json(), report.sentence, is_json=is_json)
