"""Authorization: who asks, by session or token, which views they may call and which rows they see.

Every view declares by ``allows`` who may call it; an app with a view that declares nothing does not
start. ``viewer`` says who asks, by the cookie of a session or by a token, and ``scope`` which rows
may leave the store for them: every verb that reads rows is given it.

A request is let through in steps: host and origin (``origin``), the size of its body, the rule of
its view, then a form's own token (CSRF). A program with a token has no cookie that another site
could use, and sends no form token.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized

from territory.access import NOBODY, DeniedError, record_denial, scopes, sessions, users
from territory.errors import StoreError
from webmap import context, error_handlers
from webmap.security import origin
from webmap.security.permissions import in_words
from webmap.security.proxies import NamedProxies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue

    from territory.access import Scope, SignedIn, Viewer

    View = TypeVar("View", bound=Callable[..., object])


log = logging.getLogger(__name__)
RULE = "territory_rule"  # the attribute of a view that holds its rule


@dataclass(frozen=True)
class AccessRule:
    """Who may call a view: everybody, people who signed in, or whoever has one capability.

    ``for_programs``: a program may too, by a token with that capability; pages are for people.
    """

    capabilities: frozenset[str] = frozenset()
    is_public: bool = False
    for_programs: bool = False

    def lets(self, who: Viewer | None) -> bool:
        """Whether the viewer may call it."""
        if self.is_public:
            return True
        if who is None or (who.scopes is not None and not self.for_programs):
            return False
        if not self.capabilities:
            return True
        return any(scopes.can(who, capability) for capability in self.capabilities)


def allows(
    *capabilities: str, public: bool = False, signed_in: bool = False, programs: bool = False
) -> Callable[[View], View]:
    """Declare who may call a view: whoever has one of the capabilities.

    ``public`` is for everybody, ``signed_in`` for every person who signed in. ``programs`` opens
    the view to tokens too: what a page shows is wider than what a scope names, a file is not.

    Raises
    ------
    LookupError
        If there is no such capability, or not exactly one of the three is said.
    """
    capabilities_there = frozenset().union(*scopes.CAPABILITIES.values())
    if unknown := sorted(set(capabilities) - capabilities_there):
        raise LookupError(f"No capability {', '.join(unknown)}. See territory.access.CAPABILITIES.")
    if bool(capabilities) + public + signed_in != 1:
        raise LookupError("Say either capabilities, public or signed_in.")

    def declare(view: View) -> View:
        setattr(view, RULE, AccessRule(frozenset(capabilities), public, programs))
        return view

    return declare


def install(app: Flask) -> None:
    """Guard every request and mark every response."""
    settings = app.config["TERRITORY"]
    is_open = bool(settings.hosts)  # to other machines, so behind TLS
    app.config.from_mapping(
        SESSION_COOKIE_NAME="__Host-territory" if is_open else "territory",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_open,
        # A form stays good for as long as the browser keeps the cookie, however long it stood open.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,  # `check_form` does it, once it is known who asks
        MAX_CONTENT_LENGTH=origin.FORM_BYTES,
    )
    app.secret_key = settings.secret_key or signing_key(settings.var_dir)
    app.wsgi_app = NamedProxies(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]
    forms = CSRFProtect(app)
    app.before_request(origin.refuse_strangers)
    app.before_request(origin.limit_body)
    app.before_request(enforce)
    app.before_request(lambda: check_form(forms))
    app.register_error_handler(CSRFError, _refuse_form)
    app.register_error_handler(DeniedError, _refuse_denied)
    app.after_request(origin.add_headers)
    app.jinja_env.globals.update(
        csp_nonce=origin.csp_nonce, may=may, may_open=may_open, viewer=viewer
    )


def check_declared(app: Flask) -> None:
    """Refuse an app with a view that does not say who may call it.

    Raises
    ------
    LookupError
        Naming every such view.
    """
    silent = [name for name, view in app.view_functions.items() if not hasattr(view, RULE)]
    if silent:
        raise LookupError(
            f"Nobody said who may call {', '.join(sorted(silent))}. "
            "Put @security.allows(...) on each of these views."
        )


def viewer() -> Viewer | None:
    """Say who asks: by token, else by session; None is nobody. Looked up once per request.

    Where sign-in is off, it is whoever the server runs as on this machine, as sales ops.
    """
    if "viewer" not in g:
        g.viewer = _viewer()
    who: Viewer | None = g.viewer
    return who


def _viewer() -> Viewer | None:
    if not context.settings().sign_in:
        name = getpass.getuser()
        return scopes.Viewer(name, name, frozenset({"ops"}))
    credentials = request.authorization
    if credentials is not None:  # and no cookie beside it: one request is one person's
        is_token = credentials.type == "bearer" and credentials.token
        who = is_token and sessions.viewer_of_token(
            context.store(), str(credentials.token), now=context.now()
        )
        return who or None
    secret = session_secret()
    return (
        sessions.viewer_of_session(context.store(), secret, now=context.now()) if secret else None
    )


def scope() -> Scope:
    """Say which rows may leave the store for whoever asks. Worked out once per request."""
    if "scope" not in g:
        g.scope = scopes.scope_of(viewer(), users.access_policy(context.store()))
    rows: Scope = g.scope
    return rows


def person() -> str:
    """Give the id of who asks, as it goes on record."""
    who = viewer()
    return who.user_id if who else NOBODY


def on_record() -> dict[str, Any]:
    """Say by whom and when something is done, as every verb that writes is told."""
    return {"by": person(), "now": context.now()}


def may(capability: str) -> bool:
    """Whether who asks has a capability, for whichever rows."""
    return scopes.can(viewer(), capability)


def rule_of(endpoint: str) -> AccessRule | None:
    """Give the rule of a view of this app; None where there is no such view."""
    rule: AccessRule | None = getattr(current_app.view_functions.get(endpoint), RULE, None)
    return rule


def may_open(endpoint: str) -> bool:
    """Whether there is such a view and who asks may call it."""
    rule = rule_of(endpoint)
    return rule is not None and rule.lets(viewer())


def enforce() -> ResponseReturnValue | None:
    """Let whoever may call the view go on; send nobody to sign-in, refuse the others."""
    rule = rule_of(request.endpoint) if request.endpoint else None
    if rule is None:  # an address that is none: routing answers it
        return None
    if rule.lets(viewer() if not rule.is_public else None):
        return None
    who = viewer()
    if who is not None and who.scopes is not None and not rule.for_programs:
        raise DeniedError("A token opens the API and files to download, not pages. Sign in.")
    if who is not None:
        needed = " or ".join(in_words(rule.capabilities)) or "sign in as a person"
        remedy = "Ask an admin for one that does."
        if scopes.can(who, "manage_users"):  # who would be told to ask oneself
            remedy = "A role that does can be added under Users, by another admin."
        raise DeniedError(f"Your role does not let you {needed}. {remedy}")
    if request.method in origin.READS and not error_handlers.is_data():
        here = request.full_path.rstrip("?")
        return redirect(url_for("auth.sign_in", next=here if here != "/" else None), 303)
    return error_handlers.show_http(
        Unauthorized("Nobody is signed in, or no longer. Sign in first.")
    )


def check_form(forms: CSRFProtect) -> None:
    """Refuse a form without the token that only a page of this app could give it."""
    if request.authorization is None or viewer() is None:
        forms.protect(apply_exemptions=True)


def _refuse_form(_error: CSRFError) -> ResponseReturnValue:
    words = "The form was too old or not from this browser. Load the page again and repeat it."
    return error_handlers.show_http(Forbidden(words))


def _refuse_denied(error: DeniedError) -> ResponseReturnValue:
    """Record that someone asked for what is not theirs, and say so in plain words."""
    view = request.endpoint or ""
    try:
        record_denial(context.store(), view=view, method=request.method, **on_record())
    except StoreError:  # a refusal waits for no import, and needs no room on the disk
        log.warning("%s was refused %s, which could not be put on record.", person(), view)
    return error_handlers.show_denied(error)


def cookie_name() -> str:
    """Name the cookie of a session."""
    return "__Host-territory-session" if context.settings().hosts else "territory-session"


def session_secret() -> str | None:
    """Read the secret of the session that the browser sent."""
    return request.cookies.get(cookie_name())


def keep_session(response: Response, signed_in: SignedIn) -> Response:
    """Hand a new session to the browser; forms of before it are good no longer."""
    session.clear()
    response.set_cookie(
        cookie_name(),
        signed_in.secret,
        httponly=True,
        samesite="Lax",
        secure=bool(context.settings().hosts),
    )
    return response


def forget_session(response: Response) -> Response:
    """Let the browser forget the session and every page that it kept."""
    session.clear()
    is_open = bool(context.settings().hosts)
    response.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=is_open)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def signing_key(folder: Path) -> str:
    """Read the key that signs cookies, made on first use and readable by its owner only."""
    path = folder / "secret"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"secret-{secrets.token_hex(8)}"
        draft.touch(0o600)
        draft.write_text(secrets.token_urlsafe(32), "ascii")
        with contextlib.suppress(FileExistsError):  # another process was quicker
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text("ascii")
