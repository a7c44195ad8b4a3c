"""Who may ask, and what a browser may do with the answer.

Sign-in does not exist yet, so the app answers loopback alone: the peer, the host it was asked for
and the absence of a proxy are checked on every request. The Host check also stops a page on another
site that points its own name at 127.0.0.1 from reading the answers.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import abort, g, request

if TYPE_CHECKING:
    from flask import Flask, Response

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


def install(app: Flask) -> None:
    """Guard every request and mark every response."""
    app.before_request(refuse_strangers)
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
