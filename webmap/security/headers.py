"""What a browser may do with an answer: the content security policy and the usual headers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import current_app, g, request

from webmap import context

if TYPE_CHECKING:
    from flask import Response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# What shows nothing by itself may do nothing: whatever stands in a picture, a script or an answer.
NO_PAGE = frozenset({"application/json", "image/png", "text/css", "text/javascript"})
NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
TLS_ONLY = "max-age=31536000"  # a year: what was once asked for by https is never asked without


def csp_nonce() -> str:
    """Give the nonce of this response; only a page that asks for it lets a nonce run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def content_security_policy(nonce: str | None = None, tiles: str | None = None) -> str:
    """Everything from this server, nothing inline but what carries the nonce, no eval.

    ``tiles`` is the one other host that pictures may come from, if the settings name one.
    """
    host = f" {tiles}" if tiles else ""
    mark = f" 'nonce-{nonce}'" if nonce else ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{mark}",
            f"style-src 'self'{mark}",
            f"img-src 'self' data:{host}",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _of_page() -> str:
    return content_security_policy(g.get("csp_nonce"), current_app.extensions.get("tile_host"))


def add_headers(response: Response) -> Response:
    """Add the policy and the usual headers; what a store answered stays private."""
    response.headers.setdefault(
        "Content-Security-Policy", NOTHING if response.mimetype in NO_PAGE else _of_page()
    )
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure and context.settings().hosts:
        response.headers["Strict-Transport-Security"] = TLS_ONLY
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response
