"""What a store shows: on the command line as JSON, on the pages as numbers.

It asks by the two doors that every version has, the command ``territory`` and
``from webmap import Settings, create_app``, and imports nothing else of the project, so the same
file reads an old version and today's. Wording is left out: a sentence may be improved, a number may
not change. ``scripts/fixtures/build_old_store.py`` runs it as a program under an old version.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import json
import math
import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

SENTENCES = frozenset({"reason", "remedy", "message"})  # may be worded anew
OF_COMMANDS = SENTENCES | {
    "sentence", "home_sentence", "title", "note", "geocode_note", "evidence", "remarks", "basis",
    "money",  # counts from the day that the command is run on; pages are given a day
}  # fmt: skip
EXPLAINED = ("P-012", "P-005", "P-009", "A-02")
MARKETS = ("M-DEN", "M-CHI", "M-MKE", "M-CTS", "M-BOS", "M-PHX")
EXPORTS = (
    "prospects", "markets", "findings", "offices", "reps", "territories", "named_accounts", "sites",
    "contacts", "opportunities", "quotas", "notes", "next_steps",
)  # fmt: skip
COMMANDS: dict[str, tuple[str, ...]] = {
    "findings as of now": ("check",),
    "imports": ("imports", "list"),
    "rows of the import by pages": ("imports", "show", "import-12"),
    "what its undo would do": ("imports", "undo", "import-12", "--dry-run"),
    "what a third plan would be": ("assign", "--dry-run"),
    "places to settle": ("places", "list"),
    "likely duplicates": ("duplicates", "list"),
    "pairs decided": ("duplicates", "decided"),
    "a family": ("family", "P-004"),
    "notes": ("note", "list"),
    "next steps": ("next", "list"),
    "users": ("user", "list"),
    "settings of access": ("user", "policy"),
    "tokens": ("token", "list"),
    "jobs": ("jobs", "list"),
    "policies of HR": ("eligibility", "policies", "list"),
    "exceptions": ("eligibility", "exceptions", "list"),
    "decisions": ("eligibility", "search", "--exact"),
}
PAGES = {
    "ops": (
        "/", "/findings", "/outside", "/offices", "/next", "/ops/import", "/ops/import/import-12",
        "/ops/places", "/ops/duplicates", "/prospects/P-012", "/prospects/P-001",
        *(f"/markets/{one}" for one in MARKETS), *(f"/markets/{one}/profile" for one in MARKETS),
    ),
    "rep": ("/", "/markets/M-DEN", "/prospects/P-012"),
    "hr": ("/", "/hr/decisions", "/hr/policies", "/hr/exceptions", "/hr/purge"),
    "admin": ("/", "/admin/users", "/admin/tokens"),
}  # fmt: skip
LISTS = ("markets", "offices", "prospects/P-012")
# Days and times as pages write them; before, they were written as files write them.
A_MOMENT = re.compile(
    r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{1,2}), (\d{4})"
    r"(?:, (\d{1,2}:\d{2})[\s\u202f\u00a0]([AP]M))?"
)
A_NUMBER = re.compile(r"\d[\d,.]*")
A_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Command:
    """The command ``territory``, run in this process on one store."""

    name = "territory"

    def __init__(self, entry: Callable[[list[str]], None], folder: Path) -> None:
        self.entry = entry
        self.folder = folder

    def main(self, args: list[str], **_: object) -> None:
        """Run it for ``CliRunner``, exit codes and all."""
        self.entry(list(args))

    def __call__(self, *words: str) -> Any:
        """Give what a command answers as JSON."""
        runner = CliRunner(env=environment(self.folder))
        result = runner.invoke(self, [*words, "--json"])  # type: ignore[arg-type]
        if result.exit_code and not result.stdout:  # what does not verify exits with 1 too
            message = f"territory {' '.join(words)}: {result.output}"
            raise RuntimeError(message) from result.exception
        return json.loads(result.stdout)


def environment(folder: Path) -> dict[str, str | None]:
    """Name the stores of a folder the way the command is told of them."""
    return {
        "TERRITORY_STORE": f"sqlite:///{folder}/store.sqlite",
        "TERRITORY_HOMES": f"sqlite:///{folder}/homes.sqlite",
        "TERRITORY_VAR": str(folder / "var"),
        **dict.fromkeys(("TERRITORY_QUEUE", "TERRITORY_AREAS", "TERRITORY_ROUTING")),
    }


def read_surfaces(
    entry: Callable[[list[str]], None], folder: Path, *, password: str, at: dt.datetime
) -> dict[str, Any]:
    """Read all that the store of a folder shows at a moment.

    The reading itself is on record there afterwards: exports and sign-ins are events of the log.
    """
    command = Command(entry, folder)
    log = command("audit", "verify")  # the first command: it brings the tables up to date
    app = _app(folder, at)
    clients = {person: _signed_in(app, person, password) for person in PAGES}
    return {
        "rows per table": rows_per_table(folder),
        "audit log": _plain(log),
        "command line": dict(_command_line(command, at)),
        "pages": dict(_pages(clients)),
        "answers to programs": dict(_programs(clients["ops"])),
        "saved views": {person: _views(clients[person]) for person in ("ops", "rep")},
        "a merge taken back": _plain(command("duplicates", "unmerge", "P-001", "D-1")),
    }


def rows_per_table(folder: Path) -> dict[str, dict[str, int]]:
    """Count the rows of every table of both databases."""
    return {name: dict(_counts(folder / f"{name}.sqlite")) for name in ("store", "homes")}


def _counts(path: Path) -> Iterator[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        for (name,) in connection.execute(tables).fetchall():
            query = f'SELECT count(*) FROM "{name}"'  # noqa: S608 - the database's own name
            yield name, connection.execute(query).fetchone()[0]


def _command_line(command: Command, at: dt.datetime) -> Iterator[tuple[str, Any]]:
    for title, words in COMMANDS.items():
        yield title, _plain(command(*words))
    for one in EXPLAINED:
        yield f"why {one} is whose", _plain(command("explain", one))
    for one in MARKETS:
        yield f"profile of {one}", _plain(command("profile", one))
    for row in command("eligibility", "search")["decisions"]:
        one = row["decision_id"]
        yield f"{one} decided again", _plain(command("eligibility", "verify", one))
    closing_chicago = ("eligibility", "plan", "--close", "CHI", "--cell", "1")
    yield "without Chicago", _plain(command(*closing_chicago, "--on", at.date().isoformat()))
    with tempfile.TemporaryDirectory() as name:
        for kind in EXPORTS:
            path = Path(name) / f"{kind}.csv"
            command("export", kind, str(path))
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield f"export of {kind}", _plain(list(csv.DictReader(file)), SENTENCES)


def _pages(clients: dict[str, FlaskClient]) -> Iterator[tuple[str, list[str]]]:
    for person, paths in PAGES.items():
        for path in paths:
            response = clients[person].get(path)
            yield f"{person}: {path}", [str(response.status_code), *_numbers(response.text)]


def _programs(client: FlaskClient) -> Iterator[tuple[str, Any]]:
    for path in LISTS:
        yield path, _plain(client.get(f"/api/v1/{path}").get_json())


def _views(client: FlaskClient) -> list[str | None]:
    links = sorted(set(re.findall(r"/views/[\w-]+(?=\")", client.get("/views").text)))
    return [client.get(link).location for link in links]


def _app(folder: Path, at: dt.datetime) -> Flask:
    from webmap import Settings, create_app

    return create_app(
        Settings(
            store_url=f"sqlite:///{folder}/store.sqlite",
            homes_url=f"sqlite:///{folder}/homes.sqlite",
            var_dir=folder / "var",
            today=at.date,
            now=lambda: at,
            rate_limits=False,
        )
    )


def _signed_in(app: Flask, person: str, password: str) -> FlaskClient:
    """Come in by the password that was chosen in the old version."""
    client = app.test_client()
    token = A_TOKEN.search(client.get("/sign-in").text)
    form = {"csrf_token": token[1] if token else "", "login": f"{person}@example.com"}
    response = client.post("/sign-in", data={**form, "password": password})
    if response.status_code != HTTPStatus.SEE_OTHER:
        raise RuntimeError(f"{person} cannot sign in: {response.status_code}")
    return client


class _Reader(HTMLParser):
    """Reads the numbers of each row of a table, and of each figure beside a title."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = []
        self._is_in_row = False

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"tr", "dl"}:
            self.rows.append("")
            self._is_in_row = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"tr", "dl"}:
            self._is_in_row = False

    def handle_data(self, data: str) -> None:
        if self._is_in_row:
            self.rows[-1] += f" {data}"


def _numbers(page: str) -> list[str]:
    reader = _Reader()
    reader.feed(page)
    rows = [" ".join(A_NUMBER.findall(A_MOMENT.sub(_iso, row))) for row in reader.rows]
    return [row for row in rows if row]


def _iso(moment: re.Match[str]) -> str:
    """Write a day or a time of a page as files write it."""
    month, day, year, clock, half = moment.groups()
    at = dt.datetime.strptime(f"{day} {month} {year}", "%d %b %Y")  # noqa: DTZ007 - a day
    if clock is None:
        return f"{at:%Y-%m-%d}"
    return f"{at:%Y-%m-%d} {dt.datetime.strptime(f'{clock} {half}', '%I:%M %p'):%H:%M}"  # noqa: DTZ007


def _plain(value: Any, without: frozenset[str] = OF_COMMANDS) -> Any:
    """Leave wording out, and of fractions what another machine may count differently.

    Rows of the same columns become columns, so that a version may add one.
    """
    if isinstance(value, dict):
        return {name: _plain(one, without) for name, one in value.items() if name not in without}
    if isinstance(value, list):
        if value and all(isinstance(row, dict) and row.keys() == value[0].keys() for row in value):
            return _plain({name: [row[name] for row in value] for name in value[0]}, without)
        return [_plain(one, without) for one in value]
    if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+(e-?\d+)?", value):
        return _plain(float(value))
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value


def main() -> None:
    """Print what a store shows now, as JSON: ``surfaces.py MODULE:FUNCTION FOLDER PASSWORD``."""
    entry, folder, password = sys.argv[1:]
    module, name = entry.split(":")
    at = dt.datetime.now(dt.UTC).replace(microsecond=0)
    command = getattr(importlib.import_module(module), name)
    surfaces = read_surfaces(command, Path(folder), password=password, at=at)
    json.dump({"read at": at.isoformat(), "password": password, **surfaces}, sys.stdout)


if __name__ == "__main__":
    main()
