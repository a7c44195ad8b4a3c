"""User administration: users, their roles and ways in, their tokens, and what reps may see."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from territory import access
from territory.access import ROLES, TOKEN_SCOPES, api_tokens, one_time_links
from territory.errors import ConflictError, InputError, NotFoundError
from territory.timestamps import utc_text
from webmap import context, security
from webmap.account import unkept
from webmap.error_handlers import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue


blueprint = Blueprint("admin", __name__, url_prefix="/admin")

REFUSED = (InputError, NotFoundError, ConflictError)  # told on the page, which keeps what was typed
LONGEST_DAYS = api_tokens.LONGEST.days


@blueprint.get("/users")
@security.allows("manage_users")
def users() -> ResponseReturnValue:
    """List everyone who may sign in, and those deactivated."""
    return _users()


def _users(error: Exception | None = None) -> str:
    rows = access.users.users(context.store())
    return render_template(
        "admin/users.html",
        place="admin.users",
        users=rows,
        active=sum(user.is_active for user in rows),
        roles=ROLES,
        error=error,
    )


@blueprint.post("/users")
@security.allows("manage_users")
def add() -> ResponseReturnValue:
    """Add a user and show, once, the link to set the password with."""
    form = request.form
    try:
        new_user = access.users.add_user(
            context.store(),
            form.get("login", ""),
            name=form.get("name", ""),
            **_roles(),
            **security.on_record(),
        )
    except REFUSED as error:
        return _users(error), STATUS[type(error)]
    return _with_link(new_user.user_id, "reset")


def _roles() -> dict[str, Any]:
    """Read roles and reps out of a form."""
    return {
        "roles": request.form.getlist("roles"),
        "rep_id": request.form.get("rep_id", "").strip() or None,
        "managed_rep_ids": request.form.get("managed", "").replace(",", " ").split(),
    }


@blueprint.get("/users/<user_id>")
@security.allows("manage_users")
def user(user_id: str) -> ResponseReturnValue:
    """Show one user: roles, ways in, sessions, tokens."""
    return _user(user_id)


def _user(user_id: str, **once: object) -> str:
    """Show a user; ``once`` is what is shown this once: a problem, a link or a token."""
    store = context.store()
    user = access.users.user(store, user_id)
    return render_template(
        "admin/user.html",
        place="admin.users",
        user=user,
        roles=ROLES,
        sessions=access.users.sessions(store, user_id),
        tokens=[one for one in api_tokens.tokens(store) if one.user_id == user_id],
        scopes=sorted(access.users.capabilities(user) & TOKEN_SCOPES),
        longest_days=LONGEST_DAYS,
        is_self=user_id == security.person(),
        at=utc_text(context.now()),
        **once,
    )


@blueprint.post("/users/<user_id>/roles")
@security.allows("manage_users")
def set_roles(user_id: str) -> ResponseReturnValue:
    """Give a user other roles."""
    return _change(user_id, access.users.set_roles, **_roles())


@blueprint.post("/users/<user_id>/state")
@security.allows("manage_users")
def set_state(user_id: str) -> ResponseReturnValue:
    """Deactivate a user, or reactivate."""
    change = {"out": access.users.disable_user, "in": access.users.enable_user}.get(
        request.form.get("state", "")
    )
    if change is None:
        raise InputError("state: say in or out.")
    return _change(user_id, change)


@blueprint.post("/users/<user_id>/sessions")
@security.allows("manage_users")
def end_sessions(user_id: str) -> ResponseReturnValue:
    """Sign a user out everywhere."""
    return _change(user_id, access.users.end_sessions)


def _change(user_id: str, change: Callable[..., object], **values: object) -> ResponseReturnValue:
    """Change something about a user and show it, or say why not beside the form."""
    try:
        change(context.store(), user_id, **values, **security.on_record())
    except REFUSED as error:
        return _user(user_id, error=error), STATUS[type(error)]
    return redirect(url_for(".user", user_id=user_id), 303)


@blueprint.post("/users/<user_id>/link")
@security.allows("manage_users")
def link(user_id: str) -> ResponseReturnValue:
    """Make a one-time link and show it this once."""
    return _with_link(user_id, request.form.get("purpose", ""))


def _with_link(user_id: str, purpose: str) -> ResponseReturnValue:
    new_link = one_time_links.make_link(
        context.store(),
        user_id,
        purpose,
        loopback_only="anywhere" not in request.form,
        **security.on_record(),
    )
    return unkept(
        _user(
            user_id, link=new_link, address=one_time_links.link_address(request.host_url, new_link)
        )
    )


@blueprint.get("/tokens")
@security.allows("manage_users")
def tokens() -> ResponseReturnValue:
    """List the tokens of all users."""
    all_tokens = api_tokens.tokens(context.store())
    at = utc_text(context.now())
    return render_template(
        "admin/tokens.html",
        place="admin.tokens",
        tokens=all_tokens,
        good=sum(one.revoked_at is None and one.expires_at > at for one in all_tokens),
        names=names_by_id(),
        at=at,
    )


def names_by_id() -> dict[str, str]:
    """Give what each user is called."""
    return {user.user_id: user.name for user in access.users.users(context.store())}


@blueprint.post("/users/<user_id>/tokens")
@security.allows("manage_users")
def new_token(user_id: str) -> ResponseReturnValue:
    """Make a token in a user's name and show it this once."""
    try:
        token = api_tokens.new_token(
            context.store(),
            user_id,
            name=request.form.get("name", ""),
            scopes=request.form.getlist("scopes"),
            lifetime=timedelta(days=_days(request.form.get("days", ""))),
            **security.on_record(),
        )
    except REFUSED as error:
        return _user(user_id, error=error), STATUS[type(error)]
    return unkept(_user(user_id, token=token))


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LONGEST_DAYS):
        raise InputError(f"days: {text[:20]!r} is none; write 1 to {LONGEST_DAYS}.")
    return int(text)


@blueprint.post("/tokens/<token_id>/revoke")
@security.allows("manage_users")
def revoke(token_id: str) -> ResponseReturnValue:
    """Let a token open nothing from now on."""
    api_tokens.revoke_token(context.store(), token_id, **security.on_record())
    return redirect(url_for(".tokens"), 303)


@blueprint.get("/access")
@security.allows("set_access_policy")
def policy() -> ResponseReturnValue:
    """Show the settings of access."""
    return render_template(
        "admin/policy.html",
        place="admin.policy",
        policy=access.users.access_policy(context.store()),
    )


@blueprint.post("/access")
@security.allows("set_access_policy")
def set_policy() -> ResponseReturnValue:
    """Let reps see the names of accounts that are not theirs, or not."""
    policy = dataclasses.replace(
        access.users.access_policy(context.store()),
        reps_see_names="reps_see_names" in request.form,
    )
    access.users.set_access_policy(context.store(), policy, **security.on_record())
    return redirect(url_for(".policy"), 303)
