"""What an admin does: users and their ways in, tokens, and the log of who did what."""

from __future__ import annotations

import dataclasses
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from territory.access import ROLES, TOKEN_SCOPES, api_tokens, audit_log, one_time_links
from territory.access import users as accounts
from territory.errors import InputError
from territory.timestamps import utc_text
from webmap import context, formatting, security
from webmap.account import unkept
from webmap.pages import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from territory.access import AuditVerdict

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

LOG_ROWS = 50
LAST_DAY = datetime(9999, 12, 30, tzinfo=UTC)  # after which there is no day to search before
LONGEST_DAYS = api_tokens.LONGEST.days


@blueprint.get("/users")
@security.allows("manage_users")
def users() -> ResponseReturnValue:
    """List everyone who may sign in, and those shut out."""
    return _users()


def _users(problem: str | None = None) -> str:
    rows = accounts.users(context.store())
    return render_template(
        "admin/users.html",
        place="admin.users",
        users=rows,
        active=sum(user.is_active for user in rows),
        roles=ROLES,
        problem=problem,
    )


@blueprint.post("/users")
@security.allows("manage_users")
def add() -> ResponseReturnValue:
    """Add a user and show, once, the link to set the password with."""
    form = request.form
    try:
        added = accounts.add_user(
            context.store(),
            form.get("login", ""),
            name=form.get("name", ""),
            **_roles(),
            **security.on_record(),
        )
    except InputError as error:
        return _users(str(error)), 400
    return _with_link(added.user_id, "reset")


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


def _user(user_id: str, **shown: object) -> str:
    """Show a user; ``shown`` is what is told this once: a problem, a link or a token."""
    store = context.store()
    user = accounts.user(store, user_id)
    return render_template(
        "admin/user.html",
        place="admin.users",
        user=user,
        roles=ROLES,
        sessions=accounts.sessions(store, user_id),
        tokens=[one for one in api_tokens.tokens(store) if one.user_id == user_id],
        scopes=sorted(accounts.capabilities(user) & TOKEN_SCOPES),
        longest_days=LONGEST_DAYS,
        is_self=user_id == security.person(),
        at=utc_text(context.now()),
        **shown,
    )


@blueprint.post("/users/<user_id>/roles")
@security.allows("manage_users")
def set_roles(user_id: str) -> ResponseReturnValue:
    """Give a user other roles."""
    return _done(
        user_id,
        lambda: accounts.set_roles(context.store(), user_id, **_roles(), **security.on_record()),
    )


@blueprint.post("/users/<user_id>/state")
@security.allows("manage_users")
def set_state(user_id: str) -> ResponseReturnValue:
    """Shut a user out, or let the user in again."""
    change = {"out": accounts.disable_user, "in": accounts.enable_user}.get(
        request.form.get("state", "")
    )
    if change is None:
        raise InputError("state: say in or out.")
    return _done(user_id, lambda: change(context.store(), user_id, **security.on_record()))


@blueprint.post("/users/<user_id>/sessions")
@security.allows("manage_users")
def end_sessions(user_id: str) -> ResponseReturnValue:
    """Sign a user out everywhere."""
    return _done(
        user_id, lambda: accounts.end_sessions(context.store(), user_id, **security.on_record())
    )


def _done(user_id: str, change: Callable[[], object]) -> ResponseReturnValue:
    """Change something about a user and show it, or say why not beside the form."""
    try:
        change()
    except InputError as error:
        return _user(user_id, problem=str(error)), 400
    return redirect(url_for(".user", user_id=user_id), 303)


@blueprint.post("/users/<user_id>/link")
@security.allows("manage_users")
def link(user_id: str) -> ResponseReturnValue:
    """Make a one-time link and show it this once."""
    return _with_link(user_id, request.form.get("purpose", ""))


def _with_link(user_id: str, purpose: str) -> ResponseReturnValue:
    made = one_time_links.make_link(
        context.store(),
        user_id,
        purpose,
        loopback_only="anywhere" not in request.form,
        **security.on_record(),
    )
    return unkept(
        _user(user_id, link=made, address=one_time_links.link_address(request.host_url, made))
    )


@blueprint.get("/tokens")
@security.allows("manage_users")
def tokens() -> ResponseReturnValue:
    """List the tokens of all users."""
    every = api_tokens.tokens(context.store())
    at = utc_text(context.now())
    return render_template(
        "admin/tokens.html",
        place="admin.tokens",
        tokens=every,
        good=sum(one.revoked_at is None and one.expires_at > at for one in every),
        names=_names(),
        at=at,
    )


def _names() -> dict[str, str]:
    return {user.user_id: user.name for user in accounts.users(context.store())}


@blueprint.post("/users/<user_id>/tokens")
@security.allows("manage_users")
def new_token(user_id: str) -> ResponseReturnValue:
    """Make a token in a user's name and show it this once."""
    try:
        made = api_tokens.new_token(
            context.store(),
            user_id,
            name=request.form.get("name", ""),
            scopes=request.form.getlist("scopes"),
            lifetime=timedelta(days=_days(request.form.get("days", ""))),
            **security.on_record(),
        )
    except InputError as error:
        return _user(user_id, problem=str(error)), 400
    return unkept(_user(user_id, token=made))


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


@blueprint.get("/log")
@security.allows("see_audit")
def log() -> ResponseReturnValue:
    """Search the log of who did what, newest first."""
    return _log()


def _log(verdict: AuditVerdict | None = None) -> str:
    asked, page = _asked(), layout.page_number()
    first = (page - 1) * LOG_ROWS
    events, total = audit_log.search(
        context.store(), **_criteria(asked), limit=LOG_ROWS, offset=first
    )
    return render_template(
        "admin/log.html",
        place="admin.log",
        asked=asked,
        query={name: text for name, text in asked.items() if text},
        events=formatting.records(events),
        **layout.pager(page, LOG_ROWS, total),
        names=_names(),
        verdict=verdict,
    )


def _asked() -> dict[str, str]:
    names = ("by", "action", "subject_kind", "subject_id", "since", "until")
    return {name: request.args.get(name, "").strip()[:200] for name in names}


def _criteria(texts: dict[str, str]) -> dict[str, Any]:
    """Read what is asked for; ``until`` is the last day that is included."""
    criteria: dict[str, Any] = {name: text or None for name, text in texts.items()}
    for name in ("since", "until"):
        criteria[name] = _day(name, texts[name]) if texts[name] else None
    if criteria["until"]:
        criteria["until"] = min(criteria["until"], LAST_DAY) + timedelta(days=1)
    return criteria


def _day(name: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{name}: {text[:20]!r} is no day. Write it as 2026-01-31.") from None


@blueprint.get("/log.csv")
@security.allows("see_audit")
def log_csv() -> Response:
    """Give exactly the events that the search finds, oldest first; that is an event too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        audit_log.export(
            context.store(),
            path,
            exported_by=security.person(),
            now=context.now(),
            **_criteria(_asked()),
        )
        response = Response(path.read_bytes(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="log.csv")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/log/verify")
@security.allows("see_audit")
def verify() -> ResponseReturnValue:
    """Walk the whole log and say whether it was rewritten anywhere."""
    return _log(audit_log.verify(context.store()))


@blueprint.get("/access")
@security.allows("set_access_policy")
def policy() -> ResponseReturnValue:
    """Show the settings of access."""
    return render_template(
        "admin/policy.html", place="admin.policy", policy=accounts.access_policy(context.store())
    )


@blueprint.post("/access")
@security.allows("set_access_policy")
def set_policy() -> ResponseReturnValue:
    """Let reps see the names of accounts that are not theirs, or not."""
    policy = dataclasses.replace(
        accounts.access_policy(context.store()), reps_see_names="reps_see_names" in request.form
    )
    accounts.set_access_policy(context.store(), policy, **security.on_record())
    return redirect(url_for(".policy"), 303)
