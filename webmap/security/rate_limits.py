"""Rate limits: how often each person may ask, and each address that nobody signed in from.

The counts are of one process and end with it. ``TERRITORY_LIMITS`` names a store that all processes
share, such as redis://localhost:6379.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING

from flask import make_response, request
from flask_limiter import Limiter
from werkzeug.exceptions import TooManyRequests

from territory.access import network_of
from webmap import error_handlers
from webmap.security import authorization

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue
    from werkzeug.exceptions import HTTPException

KNOCKS = "20 per minute; 200 per hour"  # at the door, beside the lock-out of access.lockout
EXPORTS = "30 per minute; 300 per hour"
SEARCHES = "120 per minute"
PAGES = "1200 per minute"  # a map asks for some forty tiles at once
DOOR = ("auth.", "oidc.", "self_check.")  # open to everybody, and counted all the same


def install(app: Flask) -> None:
    """Count every request but those for static files."""
    limiter = Limiter(
        key_func=who_asks,
        app=app,
        default_limits=[limit],
        default_limits_exempt_when=is_free,
        strategy="moving-window",
        storage_uri=os.environ.get("TERRITORY_LIMITS") or "memory://",
        enabled=is_counting(app),
    )

    clock = _WallClock()

    @app.before_request
    def forget_the_future() -> None:
        # Counts of a time that has not come yet would hold until it has.
        if clock.was_put_back():
            limiter.reset()

    # Before the limiter's own, which was there first.
    asked_first = app.before_request_funcs[None]
    asked_first.insert(0, asked_first.pop())

    @app.errorhandler(429)
    def wait(_error: HTTPException) -> ResponseReturnValue:
        answer = make_response(error_handlers.show_http(TooManyRequests()))
        if limiter.current_limit:
            left_s = limiter.current_limit.reset_at - time.time()  # the end in whole seconds, up
            longest_s = limiter.current_limit.limit.get_expiry()
            answer.headers["Retry-After"] = str(max(1, min(longest_s, math.ceil(left_s))))
        return answer


class _WallClock:
    """Tells when the clock on the wall was put back, by the one that never is."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.monotonic()

    def was_put_back(self) -> bool:
        """Whether it was by more than a second since the last time this was asked."""
        before_s, self._ahead_s = self._ahead_s, time.time() - time.monotonic()
        return self._ahead_s < before_s - 1


def is_counting(app: Flask) -> bool:
    """Whether this app counts: not where one person is alone at the machine."""
    settings = app.config["TERRITORY"]
    return bool(settings.sign_in and settings.rate_limits)


def who_asks() -> str:
    """Name whoever is counted: the one signed in, else the address."""
    who = authorization.viewer()
    return who.user_id if who else network_of(request.remote_addr)


def limit() -> str:
    """Say how often this view may be asked for."""
    endpoint = request.endpoint or ""
    rule = authorization.rule_of(endpoint)
    if endpoint.startswith(DOOR) and request.method == "POST":
        return KNOCKS
    if rule is not None and ("export_accounts" in rule.capabilities or is_download()):
        return EXPORTS
    is_search = request.args.get("q") and endpoint != "view.view"  # a map asks at every move
    return SEARCHES if is_search else PAGES


def is_download() -> bool:
    """Whether the answer is a file that somebody keeps."""
    return request.path.endswith((".csv", ".xlsx", ".geojson", ".kml", ".gpkg"))


def is_free() -> bool:
    """Whether the view is for everybody, as scripts, styles and the state of the app are."""
    rule = authorization.rule_of(request.endpoint or "")
    is_door = (request.endpoint or "").startswith(DOOR)
    return rule is None or (rule.is_public and not is_door)
