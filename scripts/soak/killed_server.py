"""The server that ``kills.py`` kills: a company served as in production, and a person signed in."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from scripts.bench.webmap import company as companies
from scripts.bench.webmap.server import COMMAND, Server
from territory import imports, plans
from territory.access import one_time_links, sign_in, users
from territory.eligibility import desk
from territory.eligibility.homes import open_homes
from territory.eligibility.rules import Criterion, EligibilityPolicy
from territory.policy import GeocodingPolicy, OnlinePolicy, Policy, ProviderPolicy
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.soak.killed_work import Work

ROOT, PYTHON = companies.ROOT, sys.executable
BY, KILLED_COMMAND = "soak", "command"
RETRY_S, ANSWER_S = 0.2, 120.0
DELAY_S = 0.005  # of each answer of the geocoder
POLICY = "soak"
BOUNDARY = "kills-of-a-server"


class _Geocoder(BaseHTTPRequestHandler):
    """Finds a house for every address."""

    def do_GET(self) -> None:
        """Answer as Nominatim does."""
        time.sleep(DELAY_S)
        house = {
            "place_id": 1, "osm_type": "node", "class": "place", "type": "house",
            "addresstype": "place", "place_rank": 30, "importance": 0.3, "lat": "41.8857",
            "lon": "-87.6181", "display_name": "A house", "address": {},
            "boundingbox": ["41.8856", "41.8858", "-87.6182", "-87.6180"],
        }  # fmt: skip
        body = json.dumps([house]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def provider() -> Iterator[str]:
    """Run a geocoder on this machine; gives where it listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Geocoder)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Installation:
    """A company in a store, its server, and one person of sales ops and HR at a browser."""

    def __init__(self, folder: Path, url: str | None, rows: int, domain: str) -> None:
        self.folder, self.rows, self.var = folder, rows, folder / "var"
        self.url = url or f"sqlite:///{folder}/store.sqlite"
        self.homes_url = f"sqlite:///{self.var}/homes.sqlite"
        self.number = 0  # of the work so far
        self.imports = self.plans = self.decisions = self.homes = 0
        self.prospects: dict[str, float] = {}
        self._process: subprocess.Popen[str] | None = None
        self._address = ""
        self._log = (folder / "log").open("w")
        self.var.mkdir()
        self._make(domain)

    def _make(self, domain: str) -> None:
        quick = ProviderPolicy(
            "nominatim", domain, "http", min_delay_s=0, retry_wait_s=0, timeout_s=5
        )
        online = OnlinePolicy(providers=(quick,), budget=100_000)
        policy = Policy(name="soak", geocoding=GeocodingPolicy(online=online))
        now = self.now()
        rule = EligibilityPolicy(POLICY, "1", "2020-01-01", (Criterion(50.0),))
        with open_store(self.url) as store, open_homes(self.homes_url):
            for kind, rows in companies.tables(self.rows, now).items():
                path = self.folder / f"{kind}.csv"
                rows.to_csv(path, index=False)
                imports.import_file(store, kind, path, by=BY, now=now)
                self.imports += 1
                if kind == "prospects":
                    given = zip(rows["prospect_id"], rows["employees"], strict=True)
                    self.prospects = {key: float(employees) for key, employees in given}
            plans.assign(store, published_by=BY, now=now, policy=policy)
            self.plans = 1
            desk.save_policy(store, rule, by=BY, now=now)
            desk.publish_policy(store, POLICY, "1", by=BY, now=now)
            person = users.add_user(
                store, "soak@bench.invalid", name="Ann", roles={"ops", "hr"}, by=BY, now=now
            )
            link = one_time_links.make_link(store, person.user_id, "sign_in", by=BY, now=now)
            secret = sign_in.sign_in_by_link(
                store, link.secret, is_loopback=True, address=None, now=now
            ).secret
        self._cookie = f"territory-session={secret}"

    @staticmethod
    def now() -> datetime:
        """The clock of the person."""
        return datetime.now(UTC)

    def __enter__(self) -> Installation:
        """Serve."""
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        """End the server and what it started."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)
        self._log.close()

    def restart(self) -> None:
        """Serve again if nobody does; what the server itself starts again is left to it."""
        if self._process is not None and self._process.poll() is None:
            return
        environment = os.environ | {
            "TERRITORY_STORE": self.url,
            "TERRITORY_VAR": str(self.var),
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--workers", "1"],
            env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._log, text=True,
            start_new_session=True,
        )  # fmt: skip
        for line in self._process.stdout or ():
            if found := re.search(r"Serving (http://\S+)", line):
                self._address = found[1]
                return
        raise SystemExit(f"The server did not start; see {self._log.name}")

    def kill(self, target: str, work: Work) -> None:
        """Kill one target with SIGKILL; one that is not there just now is waited for."""
        if target == KILLED_COMMAND:
            work.kill()
            return
        if self._process is None:
            return
        server = Server(self._address, self._process.pid)
        if target == "server":
            parts = server.helpers()
            os.killpg(self._process.pid, signal.SIGKILL)
            if self.number % 2:  # as when the machine loses power; else the helper leaves itself
                _kill(parts)
            self._process.wait()
            return
        find = server.workers if target == "web worker" else server.helpers
        while not (parts := find()):
            time.sleep(RETRY_S / 10)
        _kill(parts)

    def ask_for_a_snapshot(self) -> None:
        """Open the page of the market, which waits for the helper, and go on."""
        threading.Thread(
            target=lambda: self.read(f"/markets/{companies.EVERYWHERE}"), daemon=True
        ).start()

    def read(self, path: str) -> str:
        """Open a page as somebody does who tries again until it is there."""
        status, text, *_ = self._until_answered("GET", path, b"", {})
        if status != 200:
            raise OSError(f"{path} is answered by {status}")
        return text

    def send(
        self, path: str, form: dict[str, str], file: tuple[str, bytes] | None = None
    ) -> tuple[int, str]:
        """Send a form, once: the status, and where it leads. ``OSError`` if nobody answers."""
        page = self._until_answered("GET", "/account", b"", {})
        token = page[1].split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        fields = {"csrf_token": token, **form}
        if file is None:
            body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = _multipart(fields, *file), f"multipart/form-data; boundary={BOUNDARY}"
        headers = {"Content-Type": kind, "Cookie": "; ".join([self._cookie, *page[2]])}
        status, _, _, location = self._ask("POST", path, body, headers)
        return status, location

    def _until_answered(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str, list[str], str]:
        until = time.monotonic() + ANSWER_S
        while True:
            try:
                answer = self._ask(method, path, body, {"Cookie": self._cookie, **headers})
            except (OSError, http.client.HTTPException):
                if time.monotonic() > until:
                    raise
            else:
                if answer[0] < 500 or time.monotonic() > until:
                    return answer
            time.sleep(RETRY_S)

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str, list[str], str]:
        place = urlsplit(self._address)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=ANSWER_S)
        try:
            origin = {"Origin": self._address.rstrip("/")}
            connection.request(method, path, body, {**headers, **origin})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            given = [each.split(";")[0] for each in answer.msg.get_all("Set-Cookie") or ()]
            cookies = [each for each in given if each.startswith("territory=")]
            return answer.status, text, cookies, answer.headers.get("Location", "")
        finally:
            connection.close()


def _kill(processes: list[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _multipart(fields: dict[str, str], name: str, body: bytes) -> bytes:
    parts = [f'form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    head = f'form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    start = f"--{BOUNDARY}\r\nContent-Disposition: ".encode()
    parts.append(head.encode() + body)
    return b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
