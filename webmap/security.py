"""Who may ask, what may be sent here, and what a browser may do with the answer.

Sign-in does not exist yet, so the app answers loopback alone: the peer, the host it was asked for
and the absence of a proxy are checked on every request. The Host check also stops a page on another
site that points its own name at 127.0.0.1 from reading the answers.

What changes something is asked by POST, from a page of this app: the browser's word on where the
form stood is checked before the body is read, and then the form's own token. Only pages with a form
set the cookie that the token belongs to.
"""

from __future__ import annotations

import contextlib
import getpass
import ipaddress
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import abort, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden

from webmap import failures

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
COOKIES = {
    "SESSION_COOKIE_NAME": "territory",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    # A form stays good for as long as the browser keeps the cookie, however long it stood open.
    "WTF_CSRF_TIME_LIMIT": None,
}
READS = ("GET", "HEAD", "OPTIONS")
MB = 1 << 20
# Forms are small; a mapping of a file with thousands of columns is not.
FORM_BYTES, MAPPING_BYTES = 64 << 10, 2 * MB
UPLOAD, MAPPING = "imports.upload", "imports.try_"


def install(app: Flask) -> None:
    """Guard every request and mark every response."""
    settings = app.config["TERRITORY"]
    app.config.from_mapping(COOKIES, MAX_CONTENT_LENGTH=FORM_BYTES)
    app.secret_key = settings.secret_key or kept_secret(settings.var_dir)
    app.before_request(refuse_strangers)
    app.before_request(limit_body)
    app.register_error_handler(CSRFError, _refuse_form)
    CSRFProtect(app)
    app.after_request(add_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def refuse_strangers() -> None:
    """Answer 403 to anything that does not come from, and ask for, this machine."""
    if not _is_loopback(request.remote_addr):
        abort(403, "This server answers only the machine it runs on until sign-in is set up.")
    if _name(request.host) not in LOOPBACK_HOSTS:
        abort(403, f"This server is not {request.host}. Ask for 127.0.0.1 or localhost.")
    if any(name in request.headers for name in FORWARDED):
        abort(403, "This server does not answer through a proxy until sign-in is set up.")

    if request.method not in READS and not _is_from_here():
        abort(403, "This was sent from a page of another site. Open the page here and try again.")


def _is_from_here() -> bool:
    """Whether the browser says that the form stood on a page of this very address."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in {None, "same-origin", "none"}:
        return False
    return origin is None or origin == request.host_url.rstrip("/")


def limit_body() -> None:
    """Say how large the body may be, before any of it is read: files go to one place only."""
    settings = current_app.config["TERRITORY"]
    request.max_content_length = {
        UPLOAD: settings.max_upload_mb * MB,
        MAPPING: MAPPING_BYTES,
    }.get(request.endpoint or "", FORM_BYTES)
    if request.endpoint == MAPPING:
        request.max_form_memory_size = MAPPING_BYTES


def _refuse_form(_error: CSRFError) -> ResponseReturnValue:
    words = "The form was too old or not from this browser. Load the page again and repeat it."
    return failures.show_http(Forbidden(words))


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


def person() -> str:
    """Who is at work: until there is sign-in, whoever the server runs as on this machine."""
    return getpass.getuser()


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


def csp_nonce() -> str:
    """Give the nonce of this response; only a page that asks for it lets a nonce run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def content_security_policy(nonce: str | None = None) -> str:
    """Everything from this server, nothing inline but what carries the nonce, no eval."""
    mark = f" 'nonce-{nonce}'" if nonce else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{mark}",
            f"style-src 'self'{mark}",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def add_headers(response: Response) -> Response:
    """Add the policy and the usual headers; what a store answered stays private."""
    response.headers.setdefault(
        "Content-Security-Policy", content_security_policy(g.get("csp_nonce"))
    )
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response
