"""Named proxies: who asks, and whether by TLS, as a proxy of ours says; no other is believed.

A proxy is named by its address or network. What it adds is read from the right: the last address of
``X-Forwarded-For`` that is none of the named ones is whoever asks. Only that header and
``X-Forwarded-Proto`` are read: a proxy hands on what else a client writes.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Network = IPv4Network | IPv6Network

# Whoever sends one of these says that it is a proxy, or that it came through one.
FORWARDED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Real-IP",
    "X-Scheme",
    "X-Script-Name",
)
MARK = "territory.proxy"  # in the environment of a request: "named", or "unknown" for any other


class NamedProxies:
    """WSGI middleware: puts the address and scheme that a named proxy tells in their places.

    Parameters
    ----------
    proxies
        Addresses and networks.
    """

    def __init__(self, app: WSGIApplication, proxies: Sequence[str]) -> None:
        self._app = app
        self._networks = [ipaddress.ip_network(name) for name in proxies]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request as the app does."""
        if self._is_ours(environ.get("REMOTE_ADDR") or ""):
            self._read(environ)
        elif any(_variable(header) in environ for header in FORWARDED):
            environ[MARK] = "unknown"
        return self._app(environ, start_response)

    def _is_ours(self, address: str) -> bool:
        try:
            there = ipaddress.ip_address(address.strip())
        except ValueError:
            return False
        return any(there in network for network in self._networks)

    def _read(self, environ: WSGIEnvironment) -> None:
        """Take over what the proxy says; without an address it says nothing."""
        said = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if not said[-1].strip():
            if any(_variable(header) in environ for header in FORWARDED):
                environ[MARK] = "unknown"
            return
        others = [address for address in said if not self._is_ours(address)]
        environ["REMOTE_ADDR"] = (others or said[:1])[-1].strip()
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        environ["wsgi.url_scheme"] = "https" if scheme == "https" else "http"
        environ[MARK] = "named"


def _variable(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"
