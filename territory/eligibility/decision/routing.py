"""Routing adapters: distance and time by road from an OSRM or Valhalla server. Off by default.

Whoever sets a server up hands it the coordinates of homes, so it is named by hand
(``TERRITORY_ROUTING``), reached without proxies and redirects, and over plain HTTP only where the
network is one's own. No error and no log line of this module holds a coordinate.

Both servers look for the fastest way and tell its length and time; that is not always the shortest.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import requests

from territory.errors import InputError, TerritoryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

CHUNK = 50  # homes per request: half of what either server takes as it comes
TIMEOUT_S = 20.0
TRIES = 3
PAUSE_S = 0.2  # before the second try; doubled before each further one
FARTHEST_FROM_ROAD_M = 1_000.0  # a point farther from any road than this has no way by road
_BUSY = frozenset({429, 502, 503, 504})
HOW_TO_NAME_ONE = (
    "Name a routing server as osrm+https://host/profile or valhalla+https://host/costing, with "
    "#vintage of its map at the end, for example osrm+http://127.0.0.1:5000/driving#osm-2026-11-01."
)


class RoutingError(TerritoryError):
    """Raised when the routing server fails. Nothing was decided; try again when it answers."""


class Unreachable(NamedTuple):
    """What a server says of points that are on no road it knows."""

    status: int
    code: Any


class _Server:
    """Speaks to a server: one session, patience, errors without coordinates."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no password file that nobody asked for
        logging.getLogger("urllib3.connectionpool").addFilter(_without_paths)

    def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Send a request and give status and JSON; busy servers are asked again."""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE_S * 2 ** (attempt - 1))
            try:
                answer = self._session.request(
                    method, self.base + path, timeout=TIMEOUT_S, allow_redirects=False, **more
                )
            except requests.Timeout:
                raise RoutingError(
                    f"{self.base} is silent for {TIMEOUT_S:g} s. Nothing was decided; try again."
                ) from None  # what is left out holds the coordinates
            except requests.RequestException as error:
                if attempt + 1 < TRIES:
                    continue
                raise RoutingError(
                    f"{self.base} is out of reach ({type(error).__name__}). Nothing was decided; "
                    "check the server or leave TERRITORY_ROUTING unset."
                ) from None
            if answer.status_code not in _BUSY:
                break
        try:
            return answer.status_code, answer.json()
        except ValueError:
            raise RoutingError(
                f"{self.base} answered {answer.status_code} and no JSON. Check that it is the "
                "routing server."
            ) from None


class _Router:
    """Asks for the ways to one office after the other, a chunk of homes at a time."""

    name: str
    _server: _Server
    _nowhere: tuple[Unreachable, ...]

    def routes(
        self, lon: Floats, lat: Floats, office_lon: Floats, office_lat: Floats
    ) -> tuple[Floats, Floats]:
        """Length in metres and time in seconds of the way from each home to its office.

        Degrees, WGS84, all of shape (n,); NaN where there is no way.

        Raises
        ------
        RoutingError
            If the server fails, or answers what cannot be understood.
        """
        ways = np.full((2, len(lon)), np.nan)
        offices, which = np.unique(
            np.column_stack([office_lon, office_lat]), axis=0, return_inverse=True
        )
        for at, office in enumerate(offices):
            rows = np.flatnonzero(which.ravel() == at)
            for start in range(0, len(rows), CHUNK):
                part = rows[start : start + CHUNK]
                homes = np.column_stack([lon[part], lat[part]])
                ways[:, part] = self._ways(homes, office)
        return ways[0], ways[1]

    def _ways(self, homes: Floats, office: Floats) -> Floats:
        """Ask for some homes; those on no road are singled out by halving. Shape (2, n)."""
        status, body = self._ask(homes, office)
        if status == 200:
            return self._checked(body, homes)
        if Unreachable(status, self._code(body)) not in self._nowhere:
            raise RoutingError(
                f"{self._server.base} refused: {status} {self._code(body)}. Check its profile, its "
                "limits and its map."
            )
        if len(homes) == 1:
            return np.full((2, 1), np.nan)
        middle = len(homes) // 2
        halves = [self._ways(part, office) for part in (homes[:middle], homes[middle:])]
        return np.concatenate(halves, axis=1)

    def _checked(self, body: Any, homes: Floats) -> Floats:
        try:
            ways = self._read(body)
        except (KeyError, TypeError, ValueError, IndexError):
            ways = np.empty((2, 0))
        if ways.shape != (2, len(homes)) or (ways < 0).any():
            raise RoutingError(
                f"{self._server.base} answered something else than {len(homes)} lengths and times. "
                "Check that its version speaks this interface."
            )
        return ways

    def _ask(self, homes: Floats, office: Floats) -> tuple[int, Any]:
        raise NotImplementedError

    def _read(self, body: Any) -> Floats:
        raise NotImplementedError

    def _code(self, body: Any) -> Any:
        raise NotImplementedError


class OsrmRouter(_Router):
    """Ways from an OSRM server, by its table service (API version 1)."""

    _nowhere = (Unreachable(400, "NoSegment"), Unreachable(400, "NoTable"))

    def __init__(self, base: str, profile: str = "driving", vintage: str = "") -> None:
        self._server = _Server(base)
        self._profile = profile
        self.name = _name("osrm", profile, vintage)

    def _ask(self, homes: Floats, office: Floats) -> tuple[int, Any]:
        points = ";".join(f"{lon:.7f},{lat:.7f}" for lon, lat in [*homes.tolist(), office.tolist()])
        sources = ";".join(map(str, range(len(homes))))
        query = {
            "sources": sources,
            "destinations": str(len(homes)),
            "annotations": "distance,duration",
            "generate_hints": "false",
        }
        path = f"/table/v1/{self._profile}/{points}"
        return self._server.ask("GET", path, params=query)

    def _read(self, body: Mapping[str, Any]) -> Floats:
        ways = np.array(
            [[row[0] for row in body[name]] for name in ("distances", "durations")], dtype=float
        )
        # OSRM goes to the nearest road however far it is, and says how far it went.
        off = np.array([point.get("distance", 0.0) for point in body["sources"]], dtype=float)
        office_off = float(body["destinations"][0].get("distance", 0.0))
        ways[:, (off > FARTHEST_FROM_ROAD_M) | (office_off > FARTHEST_FROM_ROAD_M)] = np.nan
        return ways

    def _code(self, body: Any) -> Any:
        return body.get("code") if isinstance(body, dict) else None


class ValhallaRouter(_Router):
    """Ways from a Valhalla server, by its matrix service."""

    _nowhere = tuple(Unreachable(400, code) for code in (170, 171, 442))

    def __init__(self, base: str, costing: str = "auto", vintage: str = "") -> None:
        self._server = _Server(base)
        self._costing = costing
        self.name = _name("valhalla", costing, vintage)

    def _ask(self, homes: Floats, office: Floats) -> tuple[int, Any]:
        def point(lon: float, lat: float) -> dict[str, float]:
            return {"lon": lon, "lat": lat, "search_cutoff": FARTHEST_FROM_ROAD_M}

        body = {
            "sources": [point(*home) for home in homes.tolist()],
            "targets": [point(*office.tolist())],
            "costing": self._costing,
            "units": "kilometers",
            "verbose": True,
        }
        return self._server.ask("POST", "/sources_to_targets", json=body)

    def _read(self, body: Mapping[str, Any]) -> Floats:
        rows = [row[0] for row in body["sources_to_targets"]]
        ways = np.array([[row[name] for row in rows] for name in ("distance", "time")], dtype=float)
        ways[0] *= 1000.0
        # Without a way some versions leave both out, others tell a length of 0 and no time.
        ways[:, np.isnan(ways).any(axis=0)] = np.nan
        return ways

    def _code(self, body: Any) -> Any:
        return body.get("error_code") if isinstance(body, dict) else None


_KINDS: dict[str, tuple[type[OsrmRouter | ValhallaRouter], str]] = {
    "osrm": (OsrmRouter, "driving"),
    "valhalla": (ValhallaRouter, "auto"),
}


def open_router(url: str | None) -> OsrmRouter | ValhallaRouter | None:
    """Make the adapter that a URL names; None for no URL.

    Raises
    ------
    InputError
        If the URL names no routing server, or one that coordinates of homes should not go to.
    """
    if not url:
        return None
    kind, _, address = url.partition("+")
    parts = urlsplit(address)
    if kind not in _KINDS or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"TERRITORY_ROUTING names no routing server. {HOW_TO_NAME_ONE}")
    if parts.username is not None or parts.query:
        raise InputError(f"{parts.hostname}: no password and no query here. {HOW_TO_NAME_ONE}")
    if parts.scheme == "http" and not _is_own(parts.hostname):
        raise InputError(
            f"{parts.hostname}: homes travel there in the open. Use https, or a server in your "
            "own network."
        )
    router, usual = _KINDS[kind]
    path, _, last = parts.path.rpartition("/")
    profile = last or usual
    if not re.fullmatch(r"\w+", profile):
        raise InputError(f"{profile!r} is no profile of a routing server. {HOW_TO_NAME_ONE}")
    return router(f"{parts.scheme}://{parts.netloc}{path}", profile, parts.fragment)


def _name(kind: str, profile: str, vintage: str) -> str:
    """What a record says of the server: never its address."""
    return f"{kind} {profile}, map {vintage or 'of unknown vintage'}"


def _is_own(host: str) -> bool:
    """Whether a host is this machine, a private address or a name without dots."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return address.is_loopback or address.is_private


def _without_paths(entry: logging.LogRecord) -> bool:
    """Keep paths out of debug logs where they hold coordinates."""
    return not any("/table/v1/" in str(part) for part in entry.args or ())
