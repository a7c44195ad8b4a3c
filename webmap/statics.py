"""Static files under addresses that change with their content, and conditional answers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Response, request

if TYPE_CHECKING:
    from flask import Flask

    from webmap.maps import RenderedMap

IMMUTABLE = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    """Give ``url_for('static', ...)`` a version and let a browser keep what carries it."""
    versions = digests(Path(str(app.static_folder)))

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values.get("filename") in versions:
            values["v"] = versions[values["filename"]]

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in {200, 304}:
            name = (request.view_args or {}).get("filename", "")
            current = request.args.get("v") == versions.get(name)
            response.headers["Cache-Control"] = IMMUTABLE if current else "public, no-cache"
        elif request.method == "GET" and response.status_code == 200 and not response.is_streamed:
            if not response.get_etag()[0]:
                response.add_etag(weak=True)
            response.make_conditional(request)
        return response


def script(drawn: RenderedMap) -> Response:
    """Serve the script of a map; a browser keeps what its address names by digest."""
    response = Response(drawn.script, mimetype="text/javascript")
    if request.args.get("v") == drawn.tag:
        response.headers["Cache-Control"] = IMMUTABLE.replace("public", "private")
    return response


def digests(folder: Path) -> dict[str, str]:
    """Name every file below ``folder`` with ten hex digits of its SHA-256."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:10]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
