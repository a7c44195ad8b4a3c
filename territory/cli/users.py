"""The commands ``territory user ...``: who may come in, and what each may do."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from territory.cli.options import answer, as_dict, as_json, by_option, now, opened, person
from territory.errors import InputError

if TYPE_CHECKING:
    from territory.access import AccessPolicy, OneTimeLink, User

ROLES = ("admin", "ops", "manager", "rep", "hr", "viewer")
role_option = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="Repeatable."
)
rep_option = click.option("--rep", "rep_id", metavar="ID", help="Which rep this user is.")
manages_option = click.option(
    "--manages", "managed", multiple=True, metavar="ID", help="A rep of a manager. Repeatable."
)
url_option = click.option(
    "--base-url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Where the pages are served.",
)
anywhere_option = click.option(
    "--anywhere", is_flag=True, help="The link opens from other machines too."
)
login_argument = click.argument("login", metavar="LOGIN")


@click.group("user")
def users_group() -> None:
    """Say who may sign in and what each may do.

    \b
    Example:
      territory user add ann@example.com --name "Ann Ash" --role admin
    """


@users_group.command()
@login_argument
@click.option("--name", required=True, help="As pages show it.")
@role_option
@rep_option
@manages_option
@url_option
@anywhere_option
@by_option
@as_json
@click.pass_context
def add(
    context: click.Context,
    *,
    login: str,
    name: str,
    roles: tuple[str, ...],
    rep_id: str | None,
    managed: tuple[str, ...],
    base_url: str,
    anywhere: bool,
    by: str | None,
    is_json: bool,
) -> None:
    """Add a user and print a link, good once and for 24 hours, to set the password with.

    \b
    Examples:
      territory user add ann@example.com --name "Ann Ash" --role admin
      territory user add bob@example.com --name Bob --role rep --rep R1
      territory user add cy@example.com --name Cy --role manager --manages R1 --manages R2
    """
    from territory.access import one_time_links, users

    store = opened(context)
    added = users.add_user(
        store,
        login,
        name=name,
        roles=roles,
        rep_id=rep_id,
        managed_rep_ids=managed,
        by=person(by),
        now=now(),
    )
    link = one_time_links.make_link(
        store, added.user_id, "reset", by=person(by), now=now(), loopback_only=not anywhere
    )
    _show_link(link, base_url, f"{added.user_id} added.", is_json=is_json)


@users_group.command("list")
@as_json
@click.pass_context
def list_users(context: click.Context, *, is_json: bool) -> None:
    """List the users, deactivated ones too.

    \b
    Example:
      territory user list
    """
    from territory.access import users

    everybody = users.users(opened(context, create=False))
    if is_json:
        click.echo(json.dumps([as_dict(user) for user in everybody], indent=2))
        return
    for user in everybody:
        click.echo("  ".join(_words(user)))
    active = sum(user.is_active for user in everybody)
    click.echo(f"{len(everybody):,} users, {active:,} of them active.")


@users_group.command()
@login_argument
@role_option
@rep_option
@manages_option
@by_option
@as_json
@click.pass_context
def role(
    context: click.Context,
    *,
    login: str,
    roles: tuple[str, ...],
    rep_id: str | None,
    managed: tuple[str, ...],
    by: str | None,
    is_json: bool,
) -> None:
    """Give a user these roles and reps in place of those held.

    \b
    Example:
      territory user role bob@example.com --role rep --rep R1 --role viewer
    """
    from territory.access import users

    store = opened(context, create=False)
    user = users.find_user(store, login)
    changed = users.set_roles(
        store,
        user.user_id,
        roles,
        rep_id=rep_id,
        managed_rep_ids=managed,
        by=person(by),
        now=now(),
    )
    sentence = f"{user.user_id} is {', '.join(sorted(changed.roles))}."
    answer(as_dict(changed), sentence, is_json=is_json)


@users_group.command()
@login_argument
@click.option("--undo", is_flag=True, help="Reactivate the user.")
@by_option
@as_json
@click.pass_context
def disable(
    context: click.Context, *, login: str, undo: bool, by: str | None, is_json: bool
) -> None:
    """Deactivate a user at once: sessions, links, tokens and password open nothing any more.

    \b
    Example:
      territory user disable bob@example.com
    """
    from territory.access import users

    store = opened(context, create=False)
    user = users.find_user(store, login)
    change = users.enable_user if undo else users.disable_user
    changed = change(store, user.user_id, by=person(by), now=now())
    sentence = f"{user.user_id} may sign in again." if undo else f"{user.user_id} is deactivated."
    answer(as_dict(changed), sentence, is_json=is_json)


@users_group.command()
@login_argument
@url_option
@anywhere_option
@by_option
@as_json
@click.pass_context
def reset(
    context: click.Context,
    *,
    login: str,
    base_url: str,
    anywhere: bool,
    by: str | None,
    is_json: bool,
) -> None:
    """Print a link, good once and for 24 hours, to set a new password with.

    The old password works until then: `territory user disable` shuts a user out now.

    \b
    Example:
      territory user reset bob@example.com --base-url https://maps.example.com --anywhere
    """
    _link(context, login, "reset", base_url, anywhere=anywhere, by=by, is_json=is_json)


@users_group.command()
@login_argument
@url_option
@anywhere_option
@by_option
@as_json
@click.pass_context
def link(
    context: click.Context,
    *,
    login: str,
    base_url: str,
    anywhere: bool,
    by: str | None,
    is_json: bool,
) -> None:
    """Print a link, good once and for 15 minutes, that signs the user in.

    \b
    Example:
      territory user link ann@example.com
    """
    _link(context, login, "sign_in", base_url, anywhere=anywhere, by=by, is_json=is_json)


@users_group.command()
@login_argument
@click.option("--issuer", metavar="URL", help="The company's sign-on, as its tokens name it.")
@click.option("--subject", metavar="ID", help="Who the user is there, as its tokens name it.")
@click.option("--forget", is_flag=True, help="Forget every identity of the user instead.")
@by_option
@as_json
@click.pass_context
def identity(
    context: click.Context,
    *,
    login: str,
    issuer: str | None,
    subject: str | None,
    forget: bool,
    by: str | None,
    is_json: bool,
) -> None:
    """Link a user to an identity at a company's sign-on, or forget those linked.

    \b
    Examples:
      territory user identity ann@example.com --issuer https://id.example.com --subject 248289
      territory user identity ann@example.com --forget
    """
    from territory.access import users

    if forget == bool(issuer or subject):
        raise InputError("Give --issuer and --subject, or --forget.")
    store = opened(context, create=False)
    user = users.find_user(store, login)
    if forget:
        dropped = users.unlink_identities(store, user.user_id, by=person(by), now=now())
        sentence = f"{dropped} identities of {user.user_id} forgotten."
        answer({"user_id": user.user_id, "forgotten": dropped}, sentence, is_json=is_json)
        return
    users.link_identity(
        store,
        user.user_id,
        issuer=issuer or "",
        subject=subject or "",
        by=person(by),
        now=now(),
    )
    sentence = f"{user.user_id} may come in through {issuer}."
    answer({"user_id": user.user_id, "issuer": issuer}, sentence, is_json=is_json)


@users_group.command()
@click.option(
    "--reps-see-names/--reps-see-own",
    "reps_see_names",
    default=None,
    help="Whether reps see the names of others' accounts, or nothing of them.",
)
@click.option("--idle-minutes", type=int, help="A session unused for so long ends.")
@click.option("--session-hours", type=int, help="A session ends so long after sign-in.")
@click.option("--password-length", type=int, help="Characters a new password must have.")
@by_option
@as_json
@click.pass_context
def policy(
    context: click.Context,
    *,
    reps_see_names: bool | None,
    idle_minutes: int | None,
    session_hours: int | None,
    password_length: int | None,
    by: str | None,
    is_json: bool,
) -> None:
    """Show the settings of access, or change those that are named.

    \b
    Examples:
      territory user policy
      territory user policy --reps-see-names --idle-minutes 30
    """
    from territory.access import users

    store = opened(context, create=False)
    settings = {
        "reps_see_names": reps_see_names,
        "session_idle_s": None if idle_minutes is None else idle_minutes * 60,
        "session_max_s": None if session_hours is None else session_hours * 3600,
        "password_min_length": password_length,
    }
    changes: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    current = users.access_policy(store)
    if changes:
        current = dataclasses.replace(current, **changes)
        users.set_access_policy(store, current, by=person(by), now=now())
    answer(dataclasses.asdict(current), _sentences(current), is_json=is_json)


def _link(
    context: click.Context,
    login: str,
    purpose: str,
    base_url: str,
    *,
    anywhere: bool,
    by: str | None,
    is_json: bool,
) -> None:
    from territory.access import one_time_links, users

    store = opened(context, create=False)
    user = users.find_user(store, login)
    link = one_time_links.make_link(
        store, user.user_id, purpose, by=person(by), now=now(), loopback_only=not anywhere
    )
    _show_link(link, base_url, f"For {user.user_id}.", is_json=is_json)


def _show_link(link: OneTimeLink, base_url: str, sentence: str, *, is_json: bool) -> None:
    from territory.access import link_address

    address = link_address(base_url, link)
    where = "on this machine only" if link.loopback_only else "from anywhere"
    text = f"{address}\n{sentence} The link works once, {where}, until {link.expires_at}."
    report = {
        "user_id": link.user_id,
        "purpose": link.purpose,
        "link": address,
        "loopback_only": link.loopback_only,
        "expires_at": link.expires_at,
    }
    answer(report, text, is_json=is_json)


def _words(user: User) -> list[str]:
    words = [user.user_id, user.login, user.name, ",".join(sorted(user.roles)) or "no role"]
    if user.rep_id:
        words.append(f"is {user.rep_id}")
    if user.managed_rep_ids:
        words.append(f"manages {','.join(sorted(user.managed_rep_ids))}")
    if not user.is_active:
        words.append("disabled")
    return words


def _sentences(policy: AccessPolicy) -> str:
    beyond = "the names of others' accounts" if policy.reps_see_names else "own accounts only"
    return (
        f"Reps see {beyond}. A session ends after {policy.session_idle_s / 60:g} minutes unused "
        f"and {policy.session_max_s / 3600:g} hours in all. A password has "
        f"{policy.password_min_length} characters. After {policy.account_attempts} failures of an "
        f"account or {policy.address_attempts} of an address nobody comes in for "
        f"{policy.lock_s} seconds, then twice that, {policy.lock_max_s} at most."
    )
