"""The commands ``territory user ...`` and ``territory token ...``: people and programs."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from territory.terminal import answer, as_json, by_option, now, opened, person

if TYPE_CHECKING:
    from territory.access import AccessPolicy
    from territory.accounts import User
    from territory.links import OneTimeLink

ROLES = ("admin", "ops", "manager", "rep", "hr", "viewer")
role_option = click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(ROLES), help="Repeatable."
)
rep_option = click.option("--rep", "rep_id", metavar="ID", help="Who a rep is in the plan.")
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
    from territory import accounts, links

    store = opened(context)
    added = accounts.add_user(
        store,
        login,
        name=name,
        roles=roles,
        rep_id=rep_id,
        managed_rep_ids=managed,
        by=person(by),
        now=now(),
    )
    link = links.make_link(
        store, added.user_id, "reset", by=person(by), now=now(), loopback_only=not anywhere
    )
    _show_link(link, base_url, f"{added.user_id} added.", is_json=is_json)


@users_group.command("list")
@as_json
@click.pass_context
def list_users(context: click.Context, *, is_json: bool) -> None:
    """List the users, those shut out too.

    \b
    Example:
      territory user list
    """
    from territory import accounts

    found = accounts.users(opened(context, create=False))
    if is_json:
        click.echo(json.dumps([_plain(user) for user in found], indent=2))
        return
    for user in found:
        click.echo("  ".join(_words(user)))
    click.echo(f"{len(found):,} users, {sum(user.is_active for user in found):,} of them active.")


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
    from territory import accounts

    store = opened(context, create=False)
    user = accounts.find_user(store, login)
    changed = accounts.set_roles(
        store,
        user.user_id,
        roles,
        rep_id=rep_id,
        managed_rep_ids=managed,
        by=person(by),
        now=now(),
    )
    told = f"{user.user_id} is {', '.join(sorted(changed.roles))}."
    answer(_plain(changed), told, is_json=is_json)


@users_group.command()
@login_argument
@click.option("--undo", is_flag=True, help="Let the user in again.")
@by_option
@as_json
@click.pass_context
def disable(
    context: click.Context, *, login: str, undo: bool, by: str | None, is_json: bool
) -> None:
    """Shut a user out at once: sessions, links, tokens and password open nothing any more.

    \b
    Example:
      territory user disable bob@example.com
    """
    from territory import accounts

    store = opened(context, create=False)
    user = accounts.find_user(store, login)
    change = accounts.enable_user if undo else accounts.disable_user
    changed = change(store, user.user_id, by=person(by), now=now())
    told = f"{user.user_id} may sign in again." if undo else f"{user.user_id} is shut out."
    answer(_plain(changed), told, is_json=is_json)


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
    from territory import accounts

    store = opened(context, create=False)
    asked = {
        "reps_see_names": reps_see_names,
        "session_idle_s": None if idle_minutes is None else idle_minutes * 60,
        "session_max_s": None if session_hours is None else session_hours * 3600,
        "password_min_length": password_length,
    }
    changes: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    chosen = accounts.access_policy(store)
    if changes:
        chosen = dataclasses.replace(chosen, **changes)
        accounts.set_access_policy(store, chosen, by=person(by), now=now())
    answer(dataclasses.asdict(chosen), _sentences(chosen), is_json=is_json)


@click.group("token")
def tokens_group() -> None:
    """Let programs ask in a user's name, for named things and for a time.

    \b
    Example:
      territory token new ann@example.com --name reports --scope see_accounts_own --days 90
    """


@tokens_group.command()
@login_argument
@click.option("--name", required=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, required=True, help="Repeatable.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True)
@by_option
@as_json
@click.pass_context
def new(
    context: click.Context,
    *,
    login: str,
    name: str,
    scopes: tuple[str, ...],
    days: int,
    by: str | None,
    is_json: bool,
) -> None:
    """Make a token and print it, this once.

    \b
    Example:
      territory token new ann@example.com --name reports --scope see_accounts_all --days 30
    """
    from territory import accounts, api_tokens

    store = opened(context, create=False)
    user = accounts.find_user(store, login)
    made = api_tokens.new_token(
        store,
        user.user_id,
        name=name,
        scopes=scopes,
        lifetime=timedelta(days=days),
        by=person(by),
        now=now(),
    )
    told = f"{made.secret}\n{made.token.token_id}, until {made.token.expires_at}. Shown this once."
    answer(_plain(made.token) | {"secret": made.secret}, told, is_json=is_json)


@tokens_group.command("list")
@as_json
@click.pass_context
def list_tokens(context: click.Context, *, is_json: bool) -> None:
    """List the tokens, the revoked and expired ones too.

    \b
    Example:
      territory token list
    """
    from territory import api_tokens
    from territory.access import utc_text

    found, at = api_tokens.tokens(opened(context, create=False)), utc_text(now())
    if is_json:
        click.echo(json.dumps([_plain(token) for token in found], indent=2))
        return
    good = 0
    for token in found:
        state = "revoked" if token.revoked_at else "expired" if token.expires_at <= at else "good"
        good += state == "good"
        scopes = ",".join(sorted(token.scopes))
        words = (token.token_id, token.user_id, state, f"until {token.expires_at}", scopes)
        click.echo("  ".join((*words, token.name)))
    click.echo(f"{len(found):,} tokens, {good:,} of them good.")


@tokens_group.command()
@click.argument("token_id", metavar="ID")
@by_option
@as_json
@click.pass_context
def revoke(context: click.Context, *, token_id: str, by: str | None, is_json: bool) -> None:
    """Let a token open nothing from now on.

    \b
    Example:
      territory token revoke token-3
    """
    from territory import api_tokens

    store = opened(context, create=False)
    revoked = api_tokens.revoke_token(store, token_id, by=person(by), now=now())
    answer(_plain(revoked), f"{token_id} opens nothing any more.", is_json=is_json)


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
    from territory import accounts, links

    store = opened(context, create=False)
    user = accounts.find_user(store, login)
    made = links.make_link(
        store, user.user_id, purpose, by=person(by), now=now(), loopback_only=not anywhere
    )
    _show_link(made, base_url, f"For {user.user_id}.", is_json=is_json)


def _show_link(made: OneTimeLink, base_url: str, sentence: str, *, is_json: bool) -> None:
    from territory.links import link_address

    address = link_address(base_url, made)
    where = "on this machine only" if made.loopback_only else "from anywhere"
    told = f"{address}\n{sentence} The link works once, {where}, until {made.expires_at}."
    report = {
        "user_id": made.user_id,
        "purpose": made.purpose,
        "link": address,
        "loopback_only": made.loopback_only,
        "expires_at": made.expires_at,
    }
    answer(report, told, is_json=is_json)


def _plain(record: Any) -> dict[str, Any]:
    """A user or token as JSON has it."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in dataclasses.asdict(record).items()
    }


def _words(user: User) -> list[str]:
    words = [user.user_id, user.login, user.name, ",".join(sorted(user.roles)) or "no role"]
    if user.rep_id:
        words.append(f"is {user.rep_id}")
    if user.managed_rep_ids:
        words.append(f"manages {','.join(sorted(user.managed_rep_ids))}")
    if not user.is_active:
        words.append("disabled")
    return words


def _sentences(chosen: AccessPolicy) -> str:
    beyond = "the names of others' accounts" if chosen.reps_see_names else "own accounts only"
    return (
        f"Reps see {beyond}. A session ends after {chosen.session_idle_s / 60:g} minutes unused "
        f"and {chosen.session_max_s / 3600:g} hours in all. A password has "
        f"{chosen.password_min_length} characters. After {chosen.account_attempts} failures of an "
        f"account or {chosen.address_attempts} of an address nobody comes in for "
        f"{chosen.lock_s} seconds, then twice that, {chosen.lock_max_s} at most."
    )
