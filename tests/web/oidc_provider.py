"""A real OpenID provider on this machine; it holds clients to PKCE and can be led astray."""

from __future__ import annotations

import base64
import hashlib
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from flask import request
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask, Response


@dataclass
class Provider:
    """Where the provider listens, what it was asked, and what it is to change of its answers.

    ``bend`` takes the path and the response of any answer before it goes out.
    """

    issuer: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    proofs: dict[str, str] = field(default_factory=dict)
    verified: int = 0
    bend: Callable[[str, Response], Response] = lambda _path, response: response

    def knows(self, sub: str, **claims: Any) -> None:
        """Add a user of the company, or change what is said of one."""
        requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=5).raise_for_status()


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _watch(app: Flask, provider: Provider) -> None:
    """Note the challenge that a code was given for, and refuse the code to whoever lacks its proof.

    The provider itself knows no PKCE.
    """

    @app.before_request
    def check() -> Any:
        if request.path == "/oauth2/authorize":
            provider.asked.append(request.args.to_dict())
        if request.path == "/oauth2/token":
            code, verifier = request.form.get("code", ""), request.form.get("code_verifier", "")
            if provider.proofs.pop(code, None) != _challenge(verifier):
                return {"error": "invalid_grant"}, 400
            provider.verified += 1
        return None

    @app.after_request
    def note(response: Response) -> Response:
        if request.path == "/oauth2/authorize" and response.location:
            code = parse_qs(urlsplit(response.location).query).get("code")
            if code:
                provider.proofs[code[0]] = request.args.get("code_challenge", "")
        return provider.bend(request.path, response)


@contextmanager
def provider_on_loopback() -> Iterator[Provider]:
    """Serve the provider under another name than the app, as another site is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is built on parts of Authlib that are to go
        import oidc_provider_mock

        app = oidc_provider_mock.app(require_nonce=True)
    provider = Provider()
    _watch(app, provider)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider.issuer = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()
