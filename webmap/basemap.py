"""The base map: PNG tiles that the app draws itself from the bundled geometry."""

from __future__ import annotations

from flask import Blueprint, Response, abort

TILES_URL = "/tiles/{scheme}/{z}/{x}/{y}{r}.png"
CREDITS = "U.S. Census Bureau, Natural Earth, GeoNames"
MAX_ZOOM = 12

blueprint = Blueprint("tiles", __name__, url_prefix="/tiles")


@blueprint.get("/<scheme>/<int:z>/<int:x>/<name>.png")
def serve(scheme: str, z: int, x: int, name: str) -> Response:
    """Answer for one tile."""
    abort(404)
