"""Sign-in by a company's sign-on: OpenID Connect, by Authlib, with state, nonce and PKCE.

The way in is an ordinary link, since a form may lead nowhere but here. Whoever comes back is let in
by ``access.sign_in`` alone: this module only learns from the provider who they are. What the
provider or the network does wrong is told on a page of its own, without a word of what they sent.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import (
    Blueprint,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from joserfc.errors import JoseError
from requests import RequestException

from territory.access import SignInError, sign_in
from territory.errors import TerritoryError
from webmap import context, security
from webmap.account import sign_in as pages
from webmap.settings import is_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask
    from flask.typing import ResponseReturnValue

    from webmap.settings import OidcSettings

blueprint = Blueprint("oidc", __name__, url_prefix="/sign-in/company")
log = logging.getLogger(__name__)

NAME = "company"
ONWARD = "company_onward"
WAIT_S = 10  # for any answer of the provider
# Signed with a key that the provider alone has; a secret that both know would sign for either.
SIGNED_BY = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
                       "ES512", "EdDSA", "Ed25519"})  # fmt: skip
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LATE = "This sign-in was begun elsewhere or too long ago. Begin it again here."
DENIED = "Your company's sign-on did not let you in."
DISTRUSTED = "What your company's sign-on answered cannot be trusted. Tell an admin."
SILENT = "Your company's sign-on does not answer as it should. Try again later, or tell an admin."


class SignOnError(TerritoryError):
    """Raised when the company's sign-on is out of reach or answers what cannot be used."""


def install(app: Flask) -> None:
    """Get the provider of the settings ready, unasked, and tell the sign-in page of it."""
    provider = app.config["TERRITORY"].oidc
    app.jinja_env.globals["has_company"] = provider is not None
    if provider is not None:
        OAuth(app).register(
            NAME,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "default_timeout": WAIT_S,
            },
        )


@blueprint.get("")
@security.allows(public=True)
def begin() -> ResponseReturnValue:
    """Send the browser to the company's sign-on; who is signed in goes on."""
    if security.viewer() is not None:
        return redirect(pages.onward(), 303)
    client, provider = _provider()
    for key in [key for key in session if key.startswith(f"_state_{NAME}_")]:
        del session[key]  # a cookie holds few of them; the sign-in begun last counts
    session[ONWARD] = pages.onward()
    try:
        _discover(client, provider)
        answer: ResponseReturnValue = client.authorize_redirect(url_for(".finish", _external=True))
    except SignOnError as error:
        return _problem(error, 502)
    return answer


@blueprint.get("/done")
@security.allows(public=True)
def finish() -> ResponseReturnValue:
    """Let in whom the company's sign-on has vouched for to this very browser."""
    client, provider = _provider()
    onward = session.pop(ONWARD, None) or url_for("ops.home")
    try:
        identity = _identity(client, provider)
        signed_in = sign_in.sign_in_by_identity(
            context.store(),
            identity,
            groups=provider.groups,
            address=request.remote_addr,
            now=context.now(),
        )
    except SignInError as error:
        return _problem(error, 401)
    except SignOnError as error:
        return _problem(error, 502)
    return pages.welcome(signed_in, onward)


def _provider() -> tuple[Any, OidcSettings]:
    """Give the client and the settings of the company's sign-on; 404 where there is none."""
    provider = context.settings().oidc
    if provider is None:
        abort(404)
    return current_app.extensions["authlib.integrations.flask_client"].create_client(NAME), provider


def _problem(error: TerritoryError, status: int) -> ResponseReturnValue:
    page = render_template("account/oidc_settings.html", place="oidc.begin", problem=str(error))
    return page, status


def _identity(client: Any, provider: OidcSettings) -> sign_in.Identity:
    """Learn who came back, by the code in the address, asked for with this browser's secrets.

    Raises
    ------
    SignInError
        If the provider refused, or this browser did not begin the sign-in.
    SignOnError
        If the provider is out of reach or what it answers cannot be trusted.
    """
    _check_return(client, provider)
    _discover(client, provider)
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    token = _ask(lambda: client.authorize_access_token(claims_options=options))
    claims = dict(token.get("userinfo") or {})
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise SignOnError(DISTRUSTED)
    if provider.groups is not None and provider.groups_claim not in claims:
        claims = _more(client, token, claims)
    return sign_in.Identity(
        provider.issuer,
        claims["sub"],
        login=_login(claims),
        name=str(claims.get("name") or ""),
        groups=_groups(claims.get(provider.groups_claim)),
    )


def _check_return(client: Any, provider: OidcSettings) -> None:
    """Refuse what no sign-in of this browser can have led to, before anybody is asked."""
    state = request.args.get("state", "")
    begun = client.framework.get_state_data(session, state)
    if "error" in request.args:  # some say no without the state
        client.framework.clear_state_data(session, state)
        raise SignInError(DENIED)
    is_theirs = request.args.get("iss", provider.issuer) == provider.issuer
    if begun is None or not is_theirs or "code" not in request.args:
        raise SignInError(LATE)


def _discover(client: Any, provider: OidcSettings) -> None:
    """Read once what the provider says of itself, and hold it to the issuer of the settings."""
    metadata = _ask(client.load_server_metadata)
    if metadata.get("issuer") != provider.issuer or not all(
        is_safe(metadata.get(at)) for at in ENDPOINTS
    ):
        client.server_metadata.clear()  # to be read again once the provider is put right
        log.warning("company sign-on: the issuer or an address it names is not what it must be")
        raise SignOnError(DISTRUSTED)
    offered = metadata.get("id_token_signing_alg_values_supported") or ()
    allowed = [name for name in offered if name in SIGNED_BY] or ["RS256"]
    client.server_metadata["id_token_signing_alg_values_supported"] = allowed


def _more(client: Any, token: Mapping[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """Add what the userinfo of the provider says of the same person, where it has one."""
    if not is_safe(client.server_metadata.get("userinfo_endpoint")):
        return claims
    userinfo = _ask(lambda: dict(client.userinfo(token=token)))
    if userinfo.get("sub") != claims["sub"]:
        log.warning("company sign-on: userinfo spoke of someone else")
        raise SignOnError(DISTRUSTED)
    return {**userinfo, **claims}


def _ask(question: Callable[[], Any]) -> Any:
    """Turn what can go wrong with a provider into our errors; what it said stays out of the log."""
    try:
        return question()
    except JoseError as error:
        log.warning("company sign-on: %s", error)
        raise SignOnError(DISTRUSTED) from None
    except OAuthError as error:
        log.warning("company sign-on: %s", error.error)
        raise SignInError(DENIED) from None
    except (RequestException, ValueError, KeyError, TypeError, RuntimeError) as error:
        log.warning("company sign-on: %s", error)
        raise SignOnError(SILENT) from None


def _login(claims: Mapping[str, Any]) -> str:
    """Give what a new user is called by: an address the provider does not doubt, else its name."""
    is_doubted = claims.get("email_verified") is False
    names = (None if is_doubted else claims.get("email"), claims.get("preferred_username"))
    return next((str(name) for name in names if name), str(claims["sub"]))


def _groups(claim: object) -> tuple[str, ...]:
    """Read the groups, which a provider may give as one text."""
    groups = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return tuple(group for group in groups if isinstance(group, str))
