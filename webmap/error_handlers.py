"""Error handlers: one table from the class of an error to its status and words, as page or JSON."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from flask import current_app, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from territory.access import LockedOutError, SignInError
from territory.errors import (
    BusyError,
    ConflictError,
    DamagedError,
    FullError,
    GeocodingError,
    InputError,
    NotFoundError,
    ReadOnlyError,
    StoreError,
    TerritoryError,
)
from webmap import formatting

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

    from territory.access import DeniedError

STATUS = {
    InputError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    StoreError: 503,
    FullError: 507,
    GeocodingError: 502,
    SignInError: 401,
    LockedOutError: 429,
    TerritoryError: 500,
}
# What happened, and what to do when the error itself does not say.
WORDS = {
    400: ("This could not be done", "Go back, or start from Markets."),
    401: ("Sign in first", "Sign in to continue."),
    403: ("Not from this address", "Open the address your admin gave you."),
    404: ("Not found", "It does not exist, or your role does not include it. Start from Markets."),
    405: ("This page cannot be opened directly", "Start from Markets."),
    409: ("Somebody changed this meanwhile", "Go back and load the page again."),
    413: (
        "The upload is too large",
        "Split the file, or ask an admin to raise the limit.",
    ),
    429: ("Too many requests", "Wait a minute, then try again."),
    500: (
        "Something went wrong on this page",
        "Nothing was changed. Try again, and tell an admin if it happens again.",
    ),
    502: ("The geocoding service did not answer", "Nothing is lost. Try again later."),
    503: ("The database does not answer", "Nothing is lost. Try again in a moment."),
}
# What the library says of these names files and commands, which are not for a page.
STORE_WORDS: dict[type[TerritoryError], tuple[str, str]] = {
    BusyError: (
        "Nothing was saved: the store is busy",
        (
            "Somebody else is saving something large, an import or a new plan. Everything can "
            "still be looked at. Wait a few seconds, then try again."
        ),
    ),
    FullError: (
        "Nothing was saved: the disk is full",
        "Everything can still be looked at. Ask your administrator to make room, then try again.",
    ),
    ReadOnlyError: (
        "Nothing was saved: the store is read-only",
        "Everything can still be looked at. Ask your administrator to let the store be written.",
    ),
    DamagedError: (
        "The store is damaged",
        (
            "Part of its file cannot be read. Do not enter anything more; ask your administrator "
            "to put the newest backup back."
        ),
    ),
}
SECRETS = ("auth", "hr")  # blueprints whose forms hold passwords and homes
RETRY_S = 5  # when to come again where others write
FAULTS = {
    errno.ENOSPC: FullError, errno.EDQUOT: FullError,
    errno.EROFS: ReadOnlyError, errno.EACCES: ReadOnlyError,
}  # fmt: skip
DENIED = ("Your role does not allow this", "Go back, or start from Markets.")
DATA = (".json", ".csv", ".xlsx", ".js", ".png", ".svg", ".geojson", ".kml", ".gpkg", "/healthz")


def install(app: Flask) -> None:
    """Register every class of the table, HTTP errors and whatever else fails."""
    for kind in STATUS:
        app.register_error_handler(kind, show_ours)
    app.register_error_handler(OSError, show_system)
    app.register_error_handler(HTTPException, show_http)


def show_ours(error: TerritoryError) -> ResponseReturnValue:
    """Show an error of the library with its own sentence, which names value and remedy.

    What its message says beyond that (addresses and paths of the server) goes to the log alone.
    """
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    words = STORE_WORDS.get(type(error))
    if error.sentence == str(error):
        return _answer(status, error.sentence)
    current_app.logger.warning("%s %s: %s", request.method, request.endpoint, error)
    answer = make_response(_answer(status, None if words else error.sentence, words))
    if isinstance(error, BusyError):
        answer.headers["Retry-After"] = str(RETRY_S)
    return answer


def show_system(error: OSError) -> ResponseReturnValue:
    """Show that a file could not be written for want of room or permission.

    Raises
    ------
    OSError
        Any other, as it came: the server failed.
    """
    kind = FAULTS.get(error.errno or 0)
    if kind is None:
        raise error
    return show_ours(kind(str(error)))


def show_http(error: HTTPException) -> ResponseReturnValue:
    """Show an error of the protocol; only sentences that this app wrote reach the page."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    written_here = error.description != type(error).description and status < 500
    answer = make_response(_answer(status, str(error.description) if written_here else None))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def show_denied(error: DeniedError) -> ResponseReturnValue:
    """Say that who asks may not, which is another thing than coming from the wrong place."""
    return _answer(403, str(error), DENIED)


def is_data() -> bool:
    """Whether a program reads the answer, which can follow no form and read no page."""
    return request.path.startswith("/api/") or request.path.endswith(DATA)


def _form() -> list[tuple[str, str]] | None:
    """Give what was typed, to be sent once more; None where that is a file or somebody's secret."""
    is_secret = (request.blueprint or "").startswith(SECRETS)
    if request.method != "POST" or request.files or is_secret:
        return None
    typed = list(request.form.items(multi=True))
    return None if any("password" in name for name, _ in typed) else typed


def _answer(
    status: int, sentence: str | None, words: tuple[str, str] | None = None
) -> ResponseReturnValue:
    sentence = formatting.for_pages(sentence) if sentence else None
    title, remedy = words or WORDS.get(status, WORDS[500 if status >= 500 else 400])
    if is_data():
        message = sentence or remedy
        return jsonify(error={"status": status, "title": title, "message": message}), status
    again = _form() if status in {503, 507} else None
    texts = {"status": status, "title": title, "sentence": sentence, "remedy": remedy}
    try:
        return render_template("pages/error.html", again=again, **texts), status
    except StoreError:  # the frame of a page says who is signed in, which cannot be read
        return render_template("pages/error_bare.html", **texts), status
