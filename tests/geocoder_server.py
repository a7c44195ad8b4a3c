"""A geocoder on loopback that speaks Nominatim's and Photon's JSON, and fails as it is told to."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Behaviour = Callable[["Handler"], None]


def nominatim(lon: float, lat: float, **other: Any) -> dict[str, Any]:
    """One house as Nominatim describes it."""
    told = {
        "place_id": 1,
        "osm_type": "node",
        "class": "place",
        "type": "house",
        "addresstype": "place",
        "place_rank": 30,
        "importance": 0.3,
        "lat": str(lat),
        "lon": str(lon),
        "display_name": "A house",
        "boundingbox": [str(lat - 5e-5), str(lat + 5e-5), str(lon - 5e-5), str(lon + 5e-5)],
        "address": {},
    }
    return told | other


def photon(lon: float, lat: float, **other: Any) -> dict[str, Any]:
    """One house as Photon describes it."""
    told = {"osm_key": "building", "osm_value": "yes", "osm_type": "W", "type": "house"}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": told | other,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers a question by what the server was told about it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it would hold every answer back for 40 ms
    server: Geocoder

    def do_GET(self) -> None:
        """Note the question, then behave as the test wants."""
        split = urlsplit(self.path)
        self.server.asked.append({name: held[0] for name, held in parse_qs(split.query).items()})
        self.server.times.append(time.monotonic())
        self.server.agents.append(self.headers["User-Agent"])
        self.server.behave(self)

    def reply(self, body: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send JSON, or text as it is."""
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Serve until the other side has gone, which tests of time-outs do early."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


class Geocoder(ThreadingHTTPServer):
    """The server: ``asked`` has the parameters of every request, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, str]] = []
        self.times: list[float] = []
        self.agents: list[str] = []
        self.known: dict[str, Any] = {}
        self.behave: Behaviour = self.answer

    @property
    def domain(self) -> str:
        """Where it listens, as a policy names it."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def lines(self) -> list[str]:
        """The addresses that were asked about, in order."""
        return [asked["q"] for asked in self.asked]

    def answer(self, handler: Handler) -> None:
        """Answer from ``known``, by the address in full; nothing found for any other."""
        found = self.known.get(self.lines[-1], [])
        is_photon = handler.path.startswith("/api")
        handler.reply({"type": "FeatureCollection", "features": found} if is_photon else found)


@contextmanager
def geocoder() -> Iterator[Geocoder]:
    """Run a server as long as the block lasts."""
    server = Geocoder()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
