"""Hosts, origins and response headers: who is answered, and what a browser may do with it.

Without other hosts in the settings the app answers loopback alone: the peer, the host it was asked
for and the absence of a proxy are checked on every request. The Host check also stops a page on
another site that points its own name at 127.0.0.1 from reading the answers.

What changes something is asked by POST, from a page of this app: the browser's word on where the
form stood is checked before the body is read. Every answer says what may be loaded beside it
(content security policy) and that no other site may use it.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import abort, current_app, g, request
from werkzeug.exceptions import HTTPException

from webmap import context
from webmap.security.proxies import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from webmap.settings import Settings

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
READS = ("GET", "HEAD", "OPTIONS")
MB = 1 << 20
# Forms are small; a mapping of a file with thousands of columns is not.
FORM_BYTES, MAPPING_BYTES = 64 << 10, 2 * MB
UPLOADS, MAPPING = ("imports.upload", "hr_batches.upload"), "imports.try_"
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
    if request.environ.get(MARK) == "unknown":
        abort(403, "This server does not answer through a proxy unless TERRITORY_PROXIES names it.")
    if name in settings.hosts and is_near and MARK not in request.environ and settings.proxies:
        abort(403, "The proxy must say who asks, by X-Forwarded-For.")
    if name in settings.hosts and not request.is_secure:
        abort(403, f"Ask for https://{request.host}: nothing is sent here without TLS.")
    if request.method not in READS and not _is_from_here():
        abort(403, "This was sent from a page of another site. Open the page here and try again.")


def is_this_machine() -> bool:
    """Whether who asks sits at the machine that serves, with no proxy between."""
    return (
        _is_loopback(request.remote_addr)
        and _name(request.host) in LOOPBACK_HOSTS
        and MARK not in request.environ
    )


def _is_from_here() -> bool:
    """Whether the browser says that the form stood on a page of this very address."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in {None, "same-origin", "none"}:
        return False
    return origin is None or origin == request.host_url.rstrip("/")


def limit_body() -> None:
    """Say how large the body may be, before any of it is read: files go to two places only."""
    request.max_content_length = _body_bytes(current_app, request.endpoint)
    if request.endpoint == MAPPING:
        request.max_form_memory_size = MAPPING_BYTES


def body_limit(app: Flask) -> Callable[[str, str, bool], int]:
    """Give what says how many bytes of a body the server takes in, before the app is asked.

    Its arguments are the method, the path, and whether the request carries a cookie or a token;
    one that carries neither has no file to leave.
    """
    routes = app.url_map.bind("localhost")

    def limit(method: str, path: str, named: bool) -> int:
        if not named:
            return FORM_BYTES
        try:
            endpoint, _ = routes.match(path, method=method)
        except HTTPException:  # no such page, or elsewhere
            return FORM_BYTES
        return _body_bytes(app, endpoint)

    return limit


def _body_bytes(app: Flask, endpoint: str | None) -> int:
    if endpoint == MAPPING:
        return MAPPING_BYTES
    if endpoint in UPLOADS:
        settings: Settings = app.config["TERRITORY"]
        return settings.max_upload_mb * MB
    return FORM_BYTES


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
