"""The commands ``territory token ...``: programs that ask in a user's name."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from territory.cli.options import answer, as_dict, as_json, by_option, now, opened, person
from territory.timestamps import utc_text


@click.group("token")
def tokens_group() -> None:
    """Let programs ask in a user's name, for named things and for a time.

    \b
    Example:
      territory token new ann@example.com --name reports --scope see_accounts_own --days 90
    """


@tokens_group.command()
@click.argument("login", metavar="LOGIN")
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
    from territory.access import api_tokens, users

    store = opened(context, create=False)
    user = users.find_user(store, login)
    issue = api_tokens.new_token(
        store,
        user.user_id,
        name=name,
        scopes=scopes,
        lifetime=timedelta(days=days),
        by=person(by),
        now=now(),
    )
    sentence = (
        f"{issue.secret}\n{issue.token.token_id}, until {issue.token.expires_at}. Shown this once."
    )
    answer(as_dict(issue.token) | {"secret": issue.secret}, sentence, is_json=is_json)


@tokens_group.command("list")
@as_json
@click.pass_context
def list_tokens(context: click.Context, *, is_json: bool) -> None:
    """List the tokens, the revoked and expired ones too.

    \b
    Example:
      territory token list
    """
    from territory.access import api_tokens

    tokens, at = api_tokens.tokens(opened(context, create=False)), utc_text(now())
    if is_json:
        click.echo(json.dumps([as_dict(token) for token in tokens], indent=2))
        return
    good = 0
    for token in tokens:
        state = "revoked" if token.revoked_at else "expired" if token.expires_at <= at else "good"
        good += state == "good"
        scopes = ",".join(sorted(token.scopes))
        words = (token.token_id, token.user_id, state, f"until {token.expires_at}", scopes)
        click.echo("  ".join((*words, token.name)))
    click.echo(f"{len(tokens):,} tokens, {good:,} of them good.")


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
    from territory.access import api_tokens

    store = opened(context, create=False)
    revoked = api_tokens.revoke_token(store, token_id, by=person(by), now=now())
    answer(as_dict(revoked), f"{token_id} opens nothing any more.", is_json=is_json)
