"""Who may ask, and for what: the machine, the page that a form stood on, the viewer and the rule.

Every view declares by ``allows`` who may call it; an app with a view that declares nothing does not
start. ``viewer`` says who asks, by the cookie of a session or by a token, and ``scope`` which rows
may leave the store for them: every verb that reads rows is given it.

Without other hosts in the settings the app answers loopback alone: the peer, the host it was asked
for and the absence of a proxy are checked on every request. The Host check also stops a page on
another site that points its own name at 127.0.0.1 from reading the answers.

What changes something is asked by POST, from a page of this app: the browser's word on where the
form stood is checked before the body is read, then the viewer, then the form's own token. A program
with a token has no cookie that another site could use, and sends no form token.
"""

from __future__ import annotations

import contextlib
import getpass
import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.middleware.proxy_fix import ProxyFix

from territory.access import NOBODY, DeniedError, audit_log, scopes, sessions, users
from webmap import context, error_handlers
from webmap.security.headers import add_headers, csp_nonce
from webmap.security.permissions import in_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue

    from territory.access import Scope, SignedIn, Viewer

    View = TypeVar("View", bound=Callable[..., object])


LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
READS = ("GET", "HEAD", "OPTIONS")
MB = 1 << 20
# Forms are small; a mapping of a file with thousands of columns is not.
FORM_BYTES, MAPPING_BYTES = 64 << 10, 2 * MB
UPLOADS, MAPPING = ("imports.upload", "hr_batches.upload"), "imports.try_"
RULE = "territory_rule"  # the attribute of a view that holds its rule


@dataclass(frozen=True)
class Rule:
    """Who may call a view: everybody, people who signed in, or whoever has one capability."""

    capabilities: frozenset[str] = frozenset()
    is_public: bool = False

    def lets(self, who: Viewer | None) -> bool:
        """Whether the viewer may call it; without capabilities a token opens nothing."""
        if self.is_public:
            return True
        if who is None:
            return False
        if not self.capabilities:
            return who.scopes is None
        return any(scopes.can(who, capability) for capability in self.capabilities)


def allows(
    *capabilities: str, public: bool = False, signed_in: bool = False
) -> Callable[[View], View]:
    """Declare who may call a view: whoever has one of the capabilities.

    ``public`` is for everybody, ``signed_in`` for every person who signed in.

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
        setattr(view, RULE, Rule(frozenset(capabilities), public))
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
        MAX_CONTENT_LENGTH=FORM_BYTES,
    )
    app.secret_key = settings.secret_key or kept_secret(settings.var_dir)
    if settings.proxies:
        hops = {"x_for": settings.proxies, "x_proto": settings.proxies}
        app.wsgi_app = ProxyFix(app.wsgi_app, **hops, x_host=0)  # type: ignore[method-assign]
    forms = CSRFProtect(app)
    app.before_request(refuse_strangers)
    app.before_request(limit_body)
    app.before_request(enforce)
    app.before_request(lambda: check_form(forms))
    app.register_error_handler(CSRFError, _refuse_form)
    app.register_error_handler(DeniedError, _refuse_denied)
    app.after_request(add_headers)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, may=may, may_open=may_open, viewer=viewer)


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


def refuse_strangers() -> None:
    """Answer 403 to whatever does not come from, or ask for, a machine that is named."""
    g.viewer = None  # the page of a refusal is for nobody
    _check_origin()
    del g.viewer


def _check_origin() -> None:
    settings = context.settings()
    is_near = _is_loopback(request.remote_addr)
    if not (is_near or settings.hosts):
        abort(403, "This server answers only the machine it runs on. TERRITORY_HOSTS names others.")
    name = _name(request.host)
    if not (name in settings.hosts or (is_near and name in LOOPBACK_HOSTS)):
        abort(403, f"This server is not {request.host}. Ask for the address that it was given.")
    if not settings.proxies and any(header in request.headers for header in FORWARDED):
        abort(403, "This server does not answer through a proxy unless TERRITORY_PROXIES says so.")
    if name in settings.hosts and not request.is_secure:
        abort(403, f"Ask for https://{request.host}: nothing is sent here without TLS.")
    if request.method not in READS and not _is_from_here():
        abort(403, "This was sent from a page of another site. Open the page here and try again.")


def is_this_machine() -> bool:
    """Whether who asks sits at the machine that serves, with no proxy between."""
    return (
        _is_loopback(request.remote_addr)
        and _name(request.host) in LOOPBACK_HOSTS
        and not any(header in request.headers for header in FORWARDED)
    )


def _is_from_here() -> bool:
    """Whether the browser says that the form stood on a page of this very address."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in {None, "same-origin", "none"}:
        return False
    return origin is None or origin == request.host_url.rstrip("/")


def limit_body() -> None:
    """Say how large the body may be, before any of it is read: files go to two places only."""
    request.max_content_length = {
        **dict.fromkeys(UPLOADS, context.settings().max_upload_mb * MB),
        MAPPING: MAPPING_BYTES,
    }.get(request.endpoint or "", FORM_BYTES)
    if request.endpoint == MAPPING:
        request.max_form_memory_size = MAPPING_BYTES


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


def may(capability: str) -> bool:
    """Whether who asks has a capability, for whichever rows."""
    return scopes.can(viewer(), capability)


def rule_of(endpoint: str) -> Rule | None:
    """Give the rule of a view of this app; None where there is no such view."""
    rule: Rule | None = getattr(current_app.view_functions.get(endpoint), RULE, None)
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
    if viewer() is not None:
        needed = " or ".join(in_words(rule.capabilities)) or "sign in as a person"
        raise DeniedError(f"Your role does not let you {needed}. Ask an admin for one that does.")
    if request.method in READS and not error_handlers.is_data():
        here = request.full_path.rstrip("?")
        onward = {"next": here} if here != "/" else {}
        return redirect(url_for("auth.sign_in", **onward), 303)
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
    with context.store().write() as transaction:
        audit_log.record(
            transaction,
            by=person(),
            at=context.now(),
            action="access.denied",
            subject_kind="page",
            subject_id=request.endpoint or "",
            detail={"method": request.method},
        )
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


def kept_secret(folder: Path) -> str:
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


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str | None:
    """Read the name out of a Host header, in which an IPv6 address stands in brackets."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
