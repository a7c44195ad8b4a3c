"""Static files under addresses that change with their content, and conditional answers.

The files are few and small, so they are read and compressed once and answered from memory.
"""

from __future__ import annotations

import functools
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
from flask import Response, abort, current_app, g, request, session

from webmap import security

if TYPE_CHECKING:
    from flask import Flask


FOLDER = Path(__file__).parents[1] / "static"
IMMUTABLE = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"


@dataclass(frozen=True)
class Static:
    """One file as it goes over the wire; ``version`` is the start of its SHA-256."""

    body: bytes
    mimetype: str
    version: str

    @functools.cached_property
    def small(self) -> bytes:
        """Compress once, as small as it goes."""
        return bytes(brotli.compress(self.body))


def install(app: Flask) -> None:
    """Serve ``/static/`` and let a browser keep what carries its version."""
    files = read(FOLDER)

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values.get("filename") in files:
            values["v"] = files[values["filename"]].version

    @app.get("/static/<path:filename>", endpoint="static")
    @security.allows(public=True)
    def serve(filename: str) -> Response:
        if filename not in files:
            abort(404)
        return answer(files[filename])

    app.after_request(spare)


def read(folder: Path) -> dict[str, Static]:
    """Read every file below a folder, by its path there."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            body = path.read_bytes()
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            version = hashlib.sha256(body).hexdigest()[:10]
            files[path.relative_to(folder).as_posix()] = Static(body, kind, version)
    return files


def answer(file: Static) -> Response:
    """Send a file, small where the browser can read that, and for ever where it names this one."""
    is_small = request.accept_encodings["br"] > 0
    response = Response(file.small if is_small else file.body, mimetype=file.mimetype)
    if is_small:
        response.headers["Content-Encoding"] = "br"
    response.vary.add("Accept-Encoding")
    is_named = request.args.get("v") == file.version
    response.headers["Cache-Control"] = IMMUTABLE if is_named else ASK_AGAIN
    response.set_etag(f"{file.version}-{'br' if is_small else 'plain'}")
    response.make_conditional(request)
    return response


def spare(response: Response) -> Response:
    """Send nothing where the browser holds what it would be sent."""
    # What the server sends from a file itself may have a length, but no bytes here.
    is_page = not response.is_streamed and not response.direct_passthrough
    if request.method == "GET" and response.status_code == 200 and is_page:
        if not response.get_etag()[0]:
            response.set_etag(_state(response), weak=True)
        response.make_conditional(request)
    return response


def _state(response: Response) -> str:
    """Give the digest of a page; its session stands for the form token, signed anew each second."""
    body, field = response.get_data(), current_app.config["WTF_CSRF_FIELD_NAME"]
    signed: str | None = g.get(field)
    if signed:
        body = body.replace(signed.encode(), session[field].encode())
    return hashlib.sha256(body).hexdigest()
