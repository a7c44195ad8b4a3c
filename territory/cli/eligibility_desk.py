"""The commands of the eligibility desk: policies, exceptions, search, purge, plans of offices."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from territory.cli.jobs import var_folder
from territory.cli.options import answer, as_json, by_option, first_rows, now, opened, person
from territory.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from territory.eligibility.homes import Homes
    from territory.eligibility.rules import EligibilityPolicy, ExceptionEntry, PolicyVersion

DIFFERS = 1
policy_name_option = click.option(
    "--policy", "policy_name", metavar="NAME", help="Published policy. Needed if there are several."
)


def opened_homes(context: click.Context) -> Homes:
    """Open the home store that TERRITORY_HOMES names, until the command ends."""
    from territory.eligibility.homes import open_homes

    return context.with_resource(open_homes())


def read_day(text: str | None, option: str) -> str | None:
    """Read a day, ISO text."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"{option} {text}: no day. Write it as 2026-01-31.") from None


def read_policy(named: str) -> EligibilityPolicy:
    """Read a policy from a TOML file, or one that ships with the package."""
    from territory.eligibility.rules import EXAMPLES, example, read_eligibility_policy

    return example(named) if named in EXAMPLES else read_eligibility_policy(Path(named))


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

    found = desk.policies(opened(context, create=False))
    if is_json:
        click.echo(json.dumps([_policy_json(version) for version in found], indent=2))
        return
    for version in found:
        rule = version.policy
        told = f"published by {version.published_by}" if version.published_by else "draft"
        until = f" until {rule.effective_until}" if rule.effective_until else ""
        click.echo(f"{version.shown}: {told}, from {rule.effective_from}{until}")
    click.echo(f"{len(found):,} versions.")


def _policy_json(version: PolicyVersion) -> dict[str, Any]:
    return {**vars(version), "policy": version.policy.as_dict()}


@policies.command("draft")
@click.argument("named", metavar="FILE")
@by_option
@as_json
@click.pass_context
def save_draft(context: click.Context, *, named: str, by: str | None, is_json: bool) -> None:
    """Save FILE (TOML, or the name of an example) as a draft.

    \b
    Example:
      territory eligibility policies draft rule.toml
    """
    from territory.eligibility import desk

    saved = desk.save_policy(opened(context), read_policy(named), by=person(by), now=now())
    answer(_policy_json(saved), f"{saved.shown} saved as a draft.", is_json=is_json)


@policies.command()
@click.argument("named", metavar="FILE")
@by_option
@as_json
@click.pass_context
def publish(context: click.Context, *, named: str, by: str | None, is_json: bool) -> None:
    """Save FILE (TOML, or the name of an example) and put it in force from its own first day.

    \b
    Examples:
      territory eligibility policies publish rule.toml
      territory eligibility policies publish fifty_miles
    """
    from territory.eligibility import desk

    store, rule = opened(context), read_policy(named)
    desk.save_policy(store, rule, by=person(by), now=now())
    done = desk.publish_policy(store, rule.name, rule.version, by=person(by), now=now())
    told = f"{done.shown} is published, in force from {rule.effective_from}."
    answer(_policy_json(done), told, is_json=is_json)


@policies.command("test")
@click.argument("named", metavar="FILE")
@click.option("--of", "of_policy", metavar="NAME", help="Whose decisions. Default: the same name.")
@as_json
@click.pass_context
def try_policy(context: click.Context, *, named: str, of_policy: str | None, is_json: bool) -> None:
    """Show which past decisions would change under FILE. Nothing is written.

    \b
    Example:
      territory eligibility policies test rule.toml
    """
    from territory.eligibility import desk

    found = desk.what_would_change(
        opened(context, create=False),
        opened_homes(context),
        read_policy(named),
        desk.Question(person(None), now()),
        of_policy=of_policy,
    )
    if not is_json:
        _say(found.changes, ("decision_id", "subject", "was", "would_be"))
    answer(found.as_json(), found.sentence, is_json=is_json)


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

    found = desk.exceptions(opened(context, create=False), policy_name)
    if is_json:
        click.echo(json.dumps([_exception_json(entry) for entry in found], indent=2))
        return
    for entry in found:
        click.echo(_exception_text(entry))
    click.echo(f"{len(found):,} exceptions.")


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
    **told: str,
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
        **told,
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
@click.option("--person", "subject", help="Reference of the person.")
@click.option("--decision", help="eligible, not eligible, needs review or cannot decide.")
@click.option("--policy", "policy_name", metavar="NAME", help="Decided by this policy.")
@click.option("--version", "policy_version", help="Decided by this version of it.")
@click.option("--from", "decided_from", metavar="DAY", help="Decided for this day or later.")
@click.option("--until", "decided_until", metavar="DAY", help="Decided for this day or before.")
@click.option("--exact", "is_exact", is_flag=True, help="Exact distances; for HR only.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@as_json
@click.pass_context
def search(
    context: click.Context, /, *, is_exact: bool, limit: int, is_json: bool, **sought: str | None
) -> None:
    """Find decisions on record, the last ones first; distances in classes.

    \b
    Examples:
      territory eligibility search --person E-1042
      territory eligibility search --decision "needs review" --from 2026-01-01 --json
    """
    from territory.eligibility import desk, rules
    from territory.eligibility.rules import DECISIONS

    if sought["decision"] not in (None, *DECISIONS):
        raise InputError(f"--decision {sought['decision']}: choose one of {', '.join(DECISIONS)}.")
    for name, option in (("decided_from", "--from"), ("decided_until", "--until")):
        sought[name] = read_day(sought[name], option)
    found, total = desk.search_decisions(
        opened(context, create=False), rules.Sought(**sought), is_exact=is_exact, limit=limit
    )
    if is_json:
        rows = json.loads(found.to_json(orient="records", double_precision=15))
        click.echo(json.dumps({"total": total, "decisions": rows}, indent=2))
        return
    _say(found, ("decision_id", "subject", "decided_on", "reason"))
    click.echo(f"{len(found):,} of {total:,} decisions.")


@click.command()
@click.option("--person", "subject", help="Purge every address held of this person.")
@click.option("--due", is_flag=True, help="Purge the addresses whose time is over.")
@click.option("--kept-before", metavar="DAY", help="Purge the addresses kept before this day.")
@by_option
@as_json
@click.pass_context
def purge(
    context: click.Context,
    *,
    subject: str | None,
    due: bool,
    kept_before: str | None,
    by: str | None,
    is_json: bool,
) -> None:
    """Delete home addresses for good. The decisions stand and still verify.

    Batches that lie on the server, in $TERRITORY_VAR, hold addresses too and go with them.

    \b
    Examples:
      territory eligibility purge --person E-1042
      territory eligibility purge --due
    """
    from territory.eligibility import desk
    from territory.eligibility.desk import upload_files

    if (subject is not None) + due + (kept_before is not None) != 1:
        raise InputError("Say what to purge: one of --person ID, --due and --kept-before DAY.")
    store, homes = opened(context, create=False), opened_homes(context)
    if subject is not None:
        report = desk.purge_person(store, homes, subject, by=person(by), now=now())
    else:
        day = read_day(kept_before, "--kept-before")
        report = desk.purge_due(store, homes, by=person(by), now=now(), kept_before=day)
    upload_files.clear(var_folder() / upload_files.FOLDER)
    answer(report.as_json(), report.sentence, is_json=is_json)


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
    from territory.eligibility.desk import read_offices

    question = desk.Question(person(None), now(), policy_name, read_day(on, "--on"))
    found = desk.plan_offices(
        opened(context, create=False),
        opened_homes(context),
        question,
        opening=None if opening is None else read_offices(opening),
        closing=closing,
        minimum_cell=decision.MINIMUM_CELL if cell is None else cell,
    )
    if not is_json:
        for outcome, count in found.counts.items():
            click.echo(f"{outcome}: {'not shown' if count is None else f'{count:,}'}")
    answer(found.as_json(), found.sentence, is_json=is_json)


def _say(frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Print the first rows of a frame, and say how many more there are."""
    for row in first_rows(frame, columns):
        click.echo("  ".join("-" if value is None else str(value) for value in row))
