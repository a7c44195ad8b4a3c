"""Web app manifest, by which a phone puts a page of ours on its home screen.

A market, its filters and the stand of its map are in its address, so that is what is put there;
from any other page it is the first one. Browsers fetch the manifest without cookies, so it is for
everybody, and says nothing but the address that it was asked for.
"""

from __future__ import annotations

import json

from flask import Blueprint, Response, request, url_for

from webmap import security
from webmap.account.sign_in import is_ours

blueprint = Blueprint("home_screen", __name__)

LONGEST = 4_000
ICONS = (("icon-192.png", "any"), ("icon-512.png", "any"), ("icon-maskable-512.png", "maskable"))
GROUND = "#f6f7f9"  # --bg of tokens.css, while the page loads
BAR = "#ffffff"  # --surface


@blueprint.get("/app.webmanifest")
@security.allows(public=True)
def manifest() -> Response:
    """Serve the manifest; ``start`` is the page to open, the first one unless it is of ours."""
    start = _start(request.args.get("start", ""))
    document = {
        "id": start,
        "name": "Territory",
        "short_name": "Territory",
        "description": "Your market: who to call next, and why.",
        "start_url": start,
        "scope": url_for("ops.home"),
        "display": "minimal-ui",
        "background_color": GROUND,
        "theme_color": BAR,
        "icons": [
            {
                "src": url_for("static", filename=f"pages/{name}"),
                "sizes": "x".join([name.rsplit("-", 1)[1].removesuffix(".png")] * 2),
                "type": "image/png",
                "purpose": purpose,
            }
            for name, purpose in ICONS
        ],
    }
    return Response(json.dumps(document, indent=1), mimetype="application/manifest+json")


def _start(text: str) -> str:
    """Read the page to open: one of this app, else the first."""
    return text if is_ours(text) and len(text) <= LONGEST else url_for("ops.home")
