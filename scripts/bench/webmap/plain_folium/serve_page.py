"""Serve points on a plain folium page, as its documentation shows, with every file from here.

    python serve_page.py Marker|FastMarkerCluster|GeoJson POINTS.parquet

Its scripts and styles come from ``folium-offline`` by the app's ``/asset``, the base map is the
app's, and the page is compressed beforehand: what is measured is the page, not the server. Prints
one line of JSON when it is ready, and ends with its standard input.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import folium
import pandas as pd
from flask import Flask, Response
from folium.plugins import FastMarkerCluster
from werkzeug.serving import WSGIRequestHandler, make_server

from webmap.maps import assets, basemap

MIDDLE, ZOOM = (39.5, -98.0), 4


class Quiet(WSGIRequestHandler):
    """Answers without a line per request."""

    def log(self, *_: object) -> None:
        """Say nothing."""


def _map() -> folium.Map:
    tiles = basemap.TILES_URL.replace("{scheme}", "light").replace("{r}", "")
    return folium.Map(
        MIDDLE, zoom_start=ZOOM, tiles=tiles, attr=basemap.CREDITS, max_zoom=16, prefer_canvas=True
    )


def markers(points: pd.DataFrame) -> folium.Map:
    """One ``Marker`` with a popup a prospect."""
    chart = _map()
    for at, name in zip(points[["lat", "lon"]].to_numpy(), points["name"], strict=True):
        folium.Marker(at.tolist(), popup=folium.Popup(name, parse_html=True)).add_to(chart)
    return chart


def fast_clusters(points: pd.DataFrame) -> folium.Map:
    """Clustered by the browser from bare coordinates, without a word about any."""
    chart = _map()
    FastMarkerCluster(points[["lat", "lon"]].to_numpy().tolist()).add_to(chart)
    return chart


def geojson(points: pd.DataFrame) -> folium.Map:
    """One GeoJSON layer of circles on a canvas, with a tooltip of the name."""
    chart = _map()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"name": name},
        }
        for lon, lat, name in zip(
            points["lon"].tolist(), points["lat"].tolist(), points["name"], strict=True
        )
    ]
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        marker=folium.CircleMarker(radius=4),
        tooltip=folium.GeoJsonTooltip(["name"]),
    ).add_to(chart)
    return chart


PAGES = {"Marker": markers, "FastMarkerCluster": fast_clusters, "GeoJson": geojson}


def localise_all() -> None:
    """Point every folium class at our own paths, and leave out none of its files."""
    for kind, attribute, _ in list(assets.outside_links()):
        links = [
            (name, assets.path(address) if "//" in address else address)
            for name, address in kind.__dict__[attribute]
        ]
        setattr(kind, attribute, links)


def main() -> None:
    name, points = sys.argv[1:]
    assets.library()
    localise_all()
    started = time.perf_counter()
    text = PAGES[name](pd.read_parquet(points)).get_root().render()
    made = {"make_s": time.perf_counter() - started, "page_bytes": len(text.encode())}
    body = gzip.compress(text.encode(), 6)
    app = Flask(__name__)
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(basemap.blueprint)
    headers = {"Content-Encoding": "gzip"}
    app.add_url_rule("/", "page", lambda: Response(body, mimetype="text/html", headers=headers))
    with tempfile.TemporaryDirectory() as folder:
        app.config["TERRITORY"] = SimpleNamespace(var_dir=Path(folder))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"port": server.server_port, **made}), flush=True)
        sys.stdin.read()  # until whoever started this ends
        server.shutdown()


if __name__ == "__main__":
    main()
