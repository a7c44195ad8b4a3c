"""Scripts and styles of the maps, served by the app itself: no page asks another host for anything.

folium names its scripts and styles by addresses on outside hosts. The package ``folium-offline``
carries the text of every one of them; `localise` points folium at ``/asset/<stem>-<digest>.<kind>``
instead, and `asset` answers for those names. A name holds the digest of the content, so it may be
cached for ever. The app's own scripts of maps and their style go the same way; each script is its
parts of `OWN` joined in their order, so that a page asks for one file.

folium-offline keeps its texts in a private table (``elements._res``): both packages are pinned to
exact versions, and ``tests/webmap/maps/test_assets.py`` holds the table against every folium class.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import brotli
import folium
import folium.plugins
from flask import Blueprint, Response, abort, request
from folium.elements import JSCSSMixin

from webmap import security

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of what a plain folium map loads, our pages need Leaflet alone: jQuery, Bootstrap, Font Awesome
# and awesome-markers serve popups and icons that we do not use (2.9 MB of 3.1 MB).
NEEDED = {"leaflet", "leaflet_css"}
PROSPECT_PARTS = ("symbols", "data", "picture", "legend", "pointer", "keyboard", "layer")
OWN = {
    "prospects/map.css": ("prospects/map.css",),
    "prospects/map.js": (
        "maps/parts.js", "maps/lines.js",
        *(f"prospects/map/{part}.js" for part in PROSPECT_PARTS),
    ),
    "operations/map-overview.js": (
        "maps/parts.js", "maps/lines.js", "operations/map-overview.js",
    ),
    "operations/map-place.js": ("maps/parts.js", "maps/pin.js", "operations/map-place.js"),
    "hr/map.js": ("maps/parts.js", "maps/pin.js", "hr/map.js"),
}  # fmt: skip
MIMETYPES = {"js": "text/javascript", "css": "text/css"}
YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True)
class Asset:
    """One file as it goes over the wire. ``name`` carries the digest of ``body``."""

    name: str
    body: bytes

    @property
    def mimetype(self) -> str:
        """Tell the media type by the suffix."""
        return MIMETYPES[self.name.rsplit(".", 1)[1]]

    @property
    def etag(self) -> str:
        """Give the digest in the name, which changes with the content and with nothing else."""
        return self.name.rsplit(".", 1)[0].rsplit("-", 1)[1]

    @functools.cached_property
    def brotli(self) -> bytes:
        """Compress once, as small as it goes."""
        return bytes(brotli.compress(self.body, mode=brotli.MODE_TEXT))

    @functools.cached_property
    def gzip(self) -> bytes:
        """Compress once, for clients without brotli; the same bytes in every process."""
        return gzip.compress(self.body, 9, mtime=0)


def outside_links() -> Iterator[tuple[type, str, str]]:
    """Give (class, attribute, address) of every script and style that folium's classes name."""
    classes = [JSCSSMixin]
    while classes:
        kind = classes.pop()
        classes += kind.__subclasses__()
        for attribute in ("default_js", "default_css"):
            for _, address in kind.__dict__.get(attribute, ()):
                if "//" in address:
                    yield kind, attribute, address


@functools.cache
def library() -> dict[str, Asset]:
    """Hold every asset by what it is asked for under: an outside address, or a name of `OWN`.

    An address that folium-offline does not carry raises ``KeyError`` here, at the start, and not
    as a blank map later.
    """
    from offlinefolium.elements import _res

    bodies = {address: _res[address].encode() for _, _, address in outside_links()}
    folder = files("webmap") / "static"
    bodies |= {
        name: b"".join((folder / part).read_bytes() for part in parts)
        for name, parts in OWN.items()
    }
    return {source: _named(source, body) for source, body in bodies.items()}


def _named(source: str, body: bytes) -> Asset:
    """Name a text after the last part of its source and the digest of its content."""
    last = source.rstrip("/").rsplit("/", 1)[-1].split("?")[0].lower()
    stem, _, suffix = last.rpartition(".")
    kind = suffix if suffix in MIMETYPES else "js"
    return Asset(f"{stem or last}-{hashlib.sha256(body).hexdigest()[:12]}.{kind}", body)


@functools.cache
def _by_name() -> dict[str, Asset]:
    return {one.name: one for one in library().values()}


def asset(name: str) -> Asset | None:
    """Find an asset by its name with digest; ``None`` where there is none of that content."""
    return _by_name().get(name)


def path(source: str) -> str:
    """Give the path that serves a file of ours (``hr/map.js``) or of an outside address."""
    return f"/asset/{library()[source].name}"


@functools.cache
def localise() -> None:
    """Point every folium class at our own paths; of the plain map's files keep those in NEEDED.

    folium reads these class attributes whenever a map is rendered, so they are replaced once per
    process. Later calls do nothing.
    """
    library()
    for kind, attribute in {(kind, attribute) for kind, attribute, _ in outside_links()}:
        links = [
            (name, path(address) if "//" in address else address)
            for name, address in kind.__dict__[attribute]
            if kind is not folium.Map or name in NEEDED
        ]
        setattr(kind, attribute, links)


blueprint = Blueprint("assets", __name__, url_prefix="/asset")


@blueprint.get("/<name>")
@security.allows(public=True)
def serve(name: str) -> Response:
    """Answer for one asset: compressed beforehand, kept by the browser for a year."""
    file = asset(name)
    if file is None:
        abort(404)
    response = Response(file.body, mimetype=file.mimetype)
    encoding = request.accept_encodings.best_match(["br", "gzip"])
    if encoding:
        response.set_data(file.brotli if encoding == "br" else file.gzip)
        response.headers["Content-Encoding"] = encoding
    response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.cache_control.max_age = YEAR_S
    response.set_etag(f"{file.etag}-{encoding or 'plain'}")
    response.make_conditional(request)
    return response
