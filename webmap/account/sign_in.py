"""Sign-in by password or one-time link, sign-out, and the page of one's own account.

The secret of a link stands behind #, which no browser sends: the page hands it on by POST, so that
nothing that only looks at an address uses the link up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for

from territory.access import CAPABILITIES, ROLES, LockedOutError, SignInError, sessions, users
from territory.access import sign_in as entry
from territory.errors import InputError
from webmap import context, security
from webmap.security import in_words

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response

    from territory.access import SignedIn, User, Viewer

blueprint = Blueprint("auth", __name__)


@blueprint.get("/sign-in")
@security.allows(public=True)
def sign_in() -> ResponseReturnValue:
    """Ask for login and password; who is signed in goes on."""
    if security.viewer() is not None:
        return redirect(onward(), 303)
    return _door()


@blueprint.post("/sign-in")
@security.allows(public=True)
def let_in() -> ResponseReturnValue:
    """Let someone in by password."""
    try:
        signed_in = entry.sign_in(
            context.store(),
            request.form.get("login", ""),
            request.form.get("password", ""),
            address=request.remote_addr,
            now=context.now(),
        )
    except SignInError as error:
        return _refused(error, _door)
    return welcome(signed_in, onward())


def _door(problem: str | None = None) -> str:
    return render_template(
        "account/sign_in.html",
        place="auth.sign_in",
        problem=problem,
        onward=onward(),
        login=request.form.get("login", ""),
    )


def _refused(error: SignInError, page: object) -> ResponseReturnValue:
    """Show the page again with what was wrong, and when to try again."""
    answer = make_response(page(str(error)), 401)  # type: ignore[operator]
    if isinstance(error, LockedOutError):
        answer.status_code = 429
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def welcome(signed_in: SignedIn, onward: str) -> Response:
    """Give the browser its new session and go on; one that it had ends."""
    _end_session()
    return security.keep_session(make_response(redirect(onward, 303)), signed_in)


def _end_session() -> None:
    secret = security.session_secret()
    if secret:
        sessions.sign_out(context.store(), secret, now=context.now())


def onward(otherwise: str | None = None) -> str:
    """Read where to go on to: a page of this app, else ``otherwise``, else the first."""
    address = request.values.get("next", "")
    return address if is_ours(address) else otherwise or url_for("ops.home")


def is_ours(address: str) -> bool:
    """Whether an address is the path of a page of this app, whatever a browser makes of it."""
    if not address.startswith("/") or address.startswith("//"):
        return False
    if not address.isprintable() or "\\" in address:
        return False
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc


@blueprint.get("/sign-in/link")
@security.allows(public=True)
def link() -> ResponseReturnValue:
    """Show the button that uses a link; a script fills in the secret that stands behind #."""
    return _landing()


@blueprint.post("/sign-in/link")
@security.allows(public=True)
def use_link() -> ResponseReturnValue:
    """Use a link: come in, or go on to choose a password."""
    secret, is_near = request.form.get("secret", "").strip(), security.is_this_machine()
    purpose = entry.purpose_of_link(context.store(), secret, is_loopback=is_near, now=context.now())
    if purpose == "reset":
        return _choose(secret)
    try:
        signed_in = entry.sign_in_by_link(
            context.store(),
            secret,
            is_loopback=is_near,
            address=request.remote_addr,
            now=context.now(),
        )
    except SignInError as error:
        return _refused(error, _landing)
    return welcome(signed_in, url_for("ops.home"))


def _landing(problem: str | None = None) -> str:
    return render_template("account/link.html", place="auth.link", problem=problem)


@blueprint.post("/sign-in/password")
@security.allows(public=True)
def set_password() -> ResponseReturnValue:
    """Set a password by a link; nobody is signed in by it."""
    secret, new = request.form.get("secret", ""), request.form.get("new", "")
    try:
        _check_same(new)
        entry.reset_password(
            context.store(),
            secret,
            new,
            is_loopback=security.is_this_machine(),
            address=request.remote_addr,
            now=context.now(),
        )
    except InputError as error:
        return _choose(secret, str(error)), 400
    except SignInError as error:
        return _refused(error, _landing)
    return redirect(url_for(".sign_in", did="password"), 303)


def _check_same(new: str) -> None:
    if new != request.form.get("again", ""):
        raise InputError("The two passwords differ. Write the same one twice.")


def _choose(secret: str, problem: str | None = None) -> Response:
    least = users.access_policy(context.store()).password_min_length
    return unkept(
        render_template(
            "account/password.html", place="auth.link", secret=secret, problem=problem, least=least
        )
    )


def unkept(page: str) -> Response:
    """Send a page with a secret on it, which the browser must keep nowhere."""
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/account")
@security.allows(signed_in=True)
def account() -> ResponseReturnValue:
    """Show who is signed in, what that opens, and offer the way out."""
    return _own()


def _own(problem: str | None = None) -> str:
    who = _who()
    return render_template(
        "account/account.html",
        place="auth.account",
        roles=[role for role in ROLES if role in who.roles],
        rights=in_words(frozenset().union(*(CAPABILITIES[role] for role in who.roles))),
        user=_user(who),
        sessions=_sessions(who),
        least=users.access_policy(context.store()).password_min_length,
        problem=problem,
    )


def _who() -> Viewer:
    who = security.viewer()
    if who is None:  # the rule of the view let nobody through
        raise SignInError("Nobody is signed in.")
    return who


def _user(who: Viewer) -> User | None:
    """Look the viewer up; None where sign-in is off and there is no user."""
    return users.user(context.store(), who.user_id) if context.settings().sign_in else None


def _sessions(who: Viewer) -> int:
    return len(users.sessions(context.store(), who.user_id))


@blueprint.post("/account/password")
@security.allows(signed_in=True)
def change_password() -> ResponseReturnValue:
    """Choose another password; every other session of the user ends."""
    new = request.form.get("new", "")
    try:
        _check_same(new)
        entry.change_password(
            context.store(),
            _who().user_id,
            old=request.form.get("old", ""),
            new=new,
            address=request.remote_addr,
            now=context.now(),
            keep=security.session_secret(),
        )
    except InputError as error:
        return make_response(_own(str(error)), 400)
    except SignInError as error:
        return _refused(error, _own)
    return redirect(url_for(".account", did="password"), 303)


@blueprint.post("/sign-out")
@security.allows(signed_in=True)
def sign_out() -> ResponseReturnValue:
    """End the session; with ``everywhere``, every session of the user."""
    if "everywhere" in request.form:
        who = _who()
        users.end_sessions(context.store(), who.user_id, by=who.user_id, now=context.now())
    _end_session()
    answer = make_response(redirect(url_for(".sign_in", did="out"), 303))
    return security.forget_session(answer)
