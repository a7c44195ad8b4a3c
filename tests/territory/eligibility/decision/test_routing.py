"""Ways by road come from a real server on loopback, and homes go nowhere else."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from territory.eligibility.decision import decide, open_router
from territory.eligibility.decision.routing import CHUNK, OsrmRouter, RoutingError, ValhallaRouter
from territory.eligibility.rules import Criterion
from territory.errors import InputError
from territory.units_of_length import METRES_PER_MILE
from tests.fixtures.eligibility_drawn import GEOD, TODAY, east, homes, office, only, policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DETOUR, SPEED_M_S = 1.25, 20.0
ISLAND_LON = -150.0  # west of it there is no road, north of 80 no way


class Handler(BaseHTTPRequestHandler):
    """Speaks both interfaces over roads that are a quarter longer than the straight line."""

    server: Server

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        if self.server.broken:
            self._send(*self.server.broken.pop(0))
            return
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        assert query["annotations"] == ["distance,duration"]
        points = [tuple(map(float, p.split(","))) for p in url.path.rsplit("/", 1)[1].split(";")]
        target = points[int(query["destinations"][0])]
        sources = [points[int(at)] for at in query["sources"][0].split(";")]
        if any(lon < ISLAND_LON - 20 for lon, _ in sources):
            self._send(400, {"code": "NoSegment", "message": "could not find a segment"})
            return
        ways = [_way(*home, *target) for home in sources]
        self._send(200, {
            "code": "Ok",
            "distances": [[way[0]] for way in ways],
            "durations": [[way[1]] for way in ways],
            "sources": [{"distance": 5000.0 if lon < ISLAND_LON else 3.0} for lon, _ in sources],
            "destinations": [{"distance": 1.0}],
        })  # fmt: skip

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(body)
        if self.server.broken:
            self._send(*self.server.broken.pop(0))
            return
        assert (self.path, body["costing"], body["units"]) == (
            "/sources_to_targets", "auto", "kilometers"
        )  # fmt: skip
        if any(point["lon"] < ISLAND_LON for point in body["sources"]):
            self._send(400, {"error_code": 171, "error": "No suitable edges near location"})
            return
        target = body["targets"][0]
        rows = []
        for at, home in enumerate(body["sources"]):
            metres, seconds = _way(home["lon"], home["lat"], target["lon"], target["lat"])
            km = None if metres is None else metres / 1000
            rows.append([{"distance": km, "time": seconds, "from_index": at, "to_index": 0}])
        self._send(200, {"sources_to_targets": rows, "units": "kilometers"})

    def _send(self, status: int, told: Any) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Any] = []
        self.broken: list[tuple[int, Any]] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _way(lon: float, lat: float, to_lon: float, to_lat: float) -> tuple[Any, Any]:
    if lat > 80:
        return None, None
    metres = float(GEOD.inv(lon, lat, to_lon, to_lat)[2]) * DETOUR
    return metres, metres / SPEED_M_S


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


KINDS: dict[str, Callable[[str], OsrmRouter | ValhallaRouter]] = {
    "osrm": OsrmRouter,
    "valhalla": ValhallaRouter,
}


@pytest.fixture(params=list(KINDS))
def router(request: pytest.FixtureRequest, server: Server) -> OsrmRouter | ValhallaRouter:
    return KINDS[request.param](server.base)


def test_each_home_gets_the_way_to_its_own_office(
    router: OsrmRouter | ValhallaRouter, server: Server
) -> None:
    drawn = np.random.default_rng(1)
    rows = CHUNK + 20
    lon, lat = drawn.uniform(-105, -104, rows), drawn.uniform(39, 40, rows)
    to_lon = np.where(np.arange(rows) % 3 == 0, -104.5, -105.5)
    metres, seconds = router.routes(lon, lat, to_lon, np.full(rows, 39.5))
    expected = np.asarray(GEOD.inv(lon, lat, to_lon, np.full(rows, 39.5))[2]) * DETOUR
    np.testing.assert_allclose(metres, expected, atol=0.1)  # coordinates go out to a centimetre
    np.testing.assert_allclose(seconds, expected / SPEED_M_S, atol=0.1)
    assert len(server.seen) == 2


def test_a_home_on_no_road_or_without_a_way_is_nan_and_stops_no_other(
    router: OsrmRouter | ValhallaRouter,
) -> None:
    lon = np.array([-105.0, -175.0, -105.1, -160.0, -105.2])
    lat = np.array([39.0, 39.0, 85.0, 39.0, 39.1])
    metres, seconds = router.routes(lon, lat, np.full(5, -104.5), np.full(5, 39.5))
    assert np.isnan(metres).tolist() == [False, True, True, True, False]
    assert np.isnan(seconds).tolist() == [False, True, True, True, False]


def test_straight_line_road_and_time_stand_side_by_side(
    router: OsrmRouter | ValhallaRouter,
) -> None:
    town = office("town", -105.0, 39.7)
    found = only(decide(east(town, 30), town, policy(), on=TODAY, routing=router))
    assert found["decision"] == "eligible"
    assert found["road_distance_m"] == pytest.approx(37.5 * METRES_PER_MILE, abs=0.1)
    assert found["road_time_s"] == pytest.approx(37.5 * METRES_PER_MILE / SPEED_M_S, abs=0.1)
    road = policy(Criterion(35.0, method="road_distance"))
    assert only(decide(east(town, 30), town, road, on=TODAY, routing=router))["decision"] == (
        "not eligible"
    )


def test_a_home_without_a_road_cannot_be_decided_by_road(
    router: OsrmRouter | ValhallaRouter,
) -> None:
    town = office("town", -155.0, 39.7)
    road = policy(Criterion(50.0, method="road_distance"))
    found = only(decide(homes(-155.1, 39.7), town, road, on=TODAY, routing=router))
    assert (found["decision"], found["basis"]) == ("cannot decide", "location")
    assert "no route" in found["sentence"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([(500, {"code": "Broken"})], "refused: 500"),
        ([(400, {"code": "TooBig", "error_code": 153})], "refused: 400"),
        ([(302, b"")], "no JSON"),
        ([(200, b"<html>")], "no JSON"),
        ([(200, {"distances": [[1.0]]})], "something else"),
        ([(200, {"sources_to_targets": []})], "something else"),
        ([(503, {})] * 3, "refused: 503"),
    ],
)
def test_a_server_that_fails_is_an_error_and_never_an_answer(
    router: OsrmRouter | ValhallaRouter,
    server: Server,
    answers: list[tuple[int, Any]],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.broken = list(answers)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RoutingError, match=told) as raised:
        router.routes(*(np.array([x]) for x in (-104.987654, 39.5, -104.5, 39.5)))
    assert "104.98" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert "104.98" not in caplog.text


def test_a_busy_server_is_asked_again(router: OsrmRouter | ValhallaRouter, server: Server) -> None:
    server.broken = [(503, {}), (429, {})]
    metres, _ = router.routes(*(np.array([x]) for x in (-105.0, 39.5, -104.5, 39.5)))
    assert not np.isnan(metres).any()


def test_a_server_out_of_reach_is_told_without_where_somebody_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving() as gone:
        base = gone.base
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RoutingError, match="out of reach") as raised:
        OsrmRouter(base).routes(*(np.array([x]) for x in (-104.987654, 39.5, -104.5, 39.5)))
    assert "104.98" not in str(raised.value) + caplog.text


def test_no_url_is_no_adapter() -> None:
    assert open_router(None) is None
    assert open_router("") is None


def test_a_url_names_kind_profile_and_vintage(server: Server) -> None:
    found = open_router(f"osrm+{server.base}/car#osm-2026-11-01")
    assert isinstance(found, OsrmRouter)
    assert found.name == "osrm car, map osm-2026-11-01"
    found.routes(*(np.array([x]) for x in (-105.0, 39.5, -104.5, 39.5)))
    assert server.seen[0].startswith("/table/v1/car/")
    other = open_router("valhalla+https://roads.example.org")
    assert isinstance(other, ValhallaRouter)
    assert other.name == "valhalla auto, map of unknown vintage"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:5000", "osrm", "osrm+ftp://127.0.0.1", "osrm+http://",
        "google+https://x.example", "osrm+http://router.example.org/driving",
        "osrm+http://8.8.8.8/driving", "osrm+https://ann:secret@host.example/driving",
        "osrm+https://host.example/dri-ving",
    ],
)  # fmt: skip
def test_a_url_that_homes_should_not_go_to_is_refused(url: str) -> None:
    with pytest.raises(InputError) as raised:
        open_router(url)
    assert "secret" not in str(raised.value)
