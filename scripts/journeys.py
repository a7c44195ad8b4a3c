"""Trace the modules that one must know to follow seven journeys of a user.

    .venv/bin/python scripts/journeys.py [--list market-page] [--json] [--no-sign-in]

A new store with the demo company is used through the command line and the pages alone, so the same
script runs on any arrangement of the modules behind them, and its figures compare.

A module is *entered* when a function, method, lambda or generator written in it is called; what
runs while a module or class is made does not count, nor what ``dataclass`` writes. A *call* goes
into a module from another, that of the nearest function of ours on the stack, whatever of others
stands between (Flask, contextlib, pandas); what a template calls is called by no module. A package
is the folder that a module lies in. A template is rendered when any code of it runs.

Each journey is made once before it is traced, with another row, box or home, so imports and
reference data are no part of it. It starts where its user stands, on the open page. The first
market page is the first of a new app whose store has its snapshot. The first two journeys leave out
the command line (modules that import click), since they are about the library.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import functools
import importlib.metadata
import inspect
import io
import json
import os
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import territory
import webmap
from webmap import Settings, create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

FOLDERS = {Path(package.__path__[0]): package.__name__ for package in (territory, webmap)}
JOURNEYS = (
    "import-row", "assign-publish", "market-page", "filter-page", "filter-map", "filter-click",
    "export-csv", "home-decision", "explain",
)  # fmt: skip
FIGURES = ("modules", "calls", "packages", "package_calls", "templates")
ZOOM, REACH_DEG = 9, 0.5  # of the map when a filter is clicked, round the first of the list


@functools.cache
def place_of(file: str) -> str | None:
    """Name the module of ours that a file is, or the path of a template; None for all others."""
    path = Path(file)
    for folder, package in FOLDERS.items():
        if path.is_relative_to(folder):
            inner = path.relative_to(folder)
            if path.suffix != ".py":
                return inner.as_posix()
            return ".".join((package, *inner.with_suffix("").parts)).removesuffix(".__init__")
    return None


def package_of(module: str) -> str:
    """Name the folder that a module lies in."""
    return module if hasattr(sys.modules[module], "__path__") else module.rpartition(".")[0]


@dataclass
class Trace:
    """What a journey entered. It is the profile function that notes this."""

    modules: set[str] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, journey: Callable[..., object], *about: object, **more: object) -> Trace:
        """Make a journey and note what it enters, in threads that it starts too."""
        trace = cls()
        threading.setprofile(trace)
        sys.setprofile(trace)
        try:
            journey(*about, **more)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        return trace

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note a call of Python code. A generator is called again whenever it goes on."""
        is_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED  # no body of a module or class
        place = place_of(frame.f_code.co_filename) if is_function and event == "call" else None
        if place is None:
            return
        if "/" in place:
            self.templates.add(place)
            return
        self.modules.add(place)
        above, caller = frame.f_back, None
        while above and not (caller := place_of(above.f_code.co_filename)):
            above = above.f_back
        if caller and caller != place and "/" not in caller:
            self.calls.add((caller, place))

    def library(self) -> Trace:
        """Leave out the command line."""
        kept = {module for module in self.modules if "click" not in vars(sys.modules[module])}
        return Trace(kept, {pair for pair in self.calls if kept.issuperset(pair)}, self.templates)

    def __or__(self, other: Trace) -> Trace:
        templates = self.templates | other.templates
        return Trace(self.modules | other.modules, self.calls | other.calls, templates)

    def lists(self) -> dict[str, list[Any]]:
        """Give everything that ``FIGURES`` count, in order."""
        packages = {package_of(module) for module in self.modules}
        pairs = {(package_of(caller), package_of(callee)) for caller, callee in self.calls}
        pairs -= {(package, package) for package in packages}
        counted: tuple[set[Any], ...] = (self.modules, self.calls, packages, pairs, self.templates)
        return {name: sorted(each) for name, each in zip(FIGURES, counted, strict=True)}


class Page(HTMLParser):
    """A page as a browser reads it: its tags, and its forms by their ids and fields."""

    def __init__(self, client: FlaskClient, address: str) -> None:
        super().__init__()
        self.address = address
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: dict[str, tuple[str, dict[str, str]]] = {}  # address and fields
        self._open: tuple[str, dict[str, str]] = ("", {})
        self.feed(fetch(client, address).get_data(as_text=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag, and a field with the form that it stands in."""
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        if tag == "form":
            self._open = (values.get("action", self.address), {})
            self.forms[values.get("id", "")] = self._open
        elif tag == "input" and values.get("type") not in {"checkbox", "file"}:
            name = values.get("name", "")
            self._open[1][name] = values.get("value", "")
            self.forms[name] = self._open

    def every(self, name: str, of: str | None = None) -> list[str]:
        """Give every value of an attribute, of one kind of tags."""
        return [values[name] for tag, values in self.tags if name in values and of in {None, tag}]


def fetch(
    client: FlaskClient, address: str, form: dict[str, str] | None = None, **headers: str
) -> TestResponse:
    """Ask for an address, or send a form there, and read the answer to its end."""
    response = client.post(address, data=form) if form else client.get(address, headers=headers)
    text = response.get_data()
    if response.status_code >= 400:
        raise RuntimeError(f"{address}: {response.status}\n{text!r}")
    return response


def send(client: FlaskClient, page: Page, **typed: str) -> TestResponse:
    """Fill in and send the form of a page that has these fields."""
    address, fields = page.forms[next(iter(typed))]
    return fetch(client, address, {**fields, **typed})


def find(client: FlaskClient, form: str, *arguments: str) -> Page:
    """Open the page that has such a form, and these arguments in its address."""
    routes = client.application.url_map.bind("localhost")
    for link in dict.fromkeys(Page(client, "/").every("href", "a")):
        path = link.partition("?")[0]
        if routes.test(path) and set(routes.match(path)[1]) == set(arguments):
            page = Page(client, link)
            if form in page.forms:
                return page
    raise LookupError(f"The first page links to no page with a form {form!r}.")


class Company:
    """The demo company in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"sqlite:///{folder}/territory.sqlite"
        scripts = importlib.metadata.entry_points(group="console_scripts")
        self._main = scripts["territory"].load()
        self.command("demo")

    def command(self, *words: str) -> str:
        """Run ``territory`` in this process and give what it prints."""
        output, before = io.StringIO(), sys.argv
        sys.argv = ["territory", "--store", self.url, *words]
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                self._main()
        except SystemExit as stop:
            if stop.code:
                raise RuntimeError(f"territory {' '.join(words)}: {output.getvalue()}") from stop
        finally:
            sys.argv = before
        return output.getvalue()

    def take_in(self, prospect_id: str, city: str) -> None:
        """Import a file of one prospect."""
        file, row = self.folder / "row.csv", f"{prospect_id},Works,prospect,{city},CO,US"
        file.write_text(f"prospect_id,name,status,city,state,country\n{row}\n", encoding="utf-8")
        self.command("import", "prospects", str(file))

    def client(self, role: str, *, is_signed_in: bool = True) -> FlaskClient:
        """Open a new app as someone of a role, who comes in by a one-time link."""
        settings = Settings(
            store_url=self.url,
            var_dir=self.folder / "var",
            sign_in=is_signed_in,
            now=lambda: dt.datetime.now(dt.UTC),
            today=lambda: dt.datetime.now(dt.UTC).date(),
        )
        client = create_app(settings).test_client()
        if is_signed_in:
            words = self.command("user", "link", f"{role}@example.com").split()
            link = urlsplit(next(word for word in words if "#" in word))
            send(client, Page(client, link.path), secret=link.fragment)
        return client


def filter_click(client: FlaskClient, page: Page, number: int) -> tuple[Trace, Trace]:
    """Tick a box: the page's script asks for the page's parts and for what the map shows."""
    boxes = [values for _, values in page.tags if values.get("type") == "checkbox"]
    ticked = urlencode({boxes[number]["name"]: boxes[number]["value"]})
    lon, lat = (
        float(next(filter(None, page.every(f"data-{name}", "tr")))) for name in ("lon", "lat")
    )
    sides = (lon - REACH_DEG, lat - REACH_DEG, lon + REACH_DEG, lat + REACH_DEG)
    view = urlencode({"bbox": ",".join(f"{side:.5f}" for side in sides), "zoom": ZOOM})
    return (
        Trace.of(fetch, client, f"{page.forms['filters'][0]}?{ticked}", Prefer="return=minimal"),
        Trace.of(fetch, client, f"{page.every('data-view')[0]}&{ticked}&{view}"),
    )


def trace_all(company: Company, *, is_signed_in: bool) -> dict[str, Trace]:
    """Make every journey twice and give the second one of each."""
    traces = dict.fromkeys(JOURNEYS, Trace())
    for role in ("ops", "hr"):
        company.command("user", "add", f"{role}@example.com", "--name", role, "--role", role)
    for prospect_id, city in (("W1", "Boulder"), ("X1", "Denver")):
        traces["import-row"] = Trace.of(company.take_in, prospect_id, city).library()
        traces["assign-publish"] = Trace.of(company.command, "assign").library()
    ops = company.client("ops", is_signed_in=is_signed_in)
    address = find(ops, "filters", "market_id").address  # which opens it once
    ops = company.client("ops", is_signed_in=is_signed_in)
    traces["market-page"] = Trace.of(fetch, ops, address)
    for number in range(2):
        page, view = filter_click(ops, Page(ops, address), number)
        traces |= {"filter-page": page, "filter-map": view, "filter-click": page | view}
    for _ in range(2):
        links = Page(ops, address).every("href", "a")
        traces["export-csv"] = Trace.of(fetch, ops, next(link for link in links if ".csv" in link))
    hr = company.client("hr")
    for person, home in (("E-1", "Boulder, CO 80301"), ("E-2", "Loveland, CO 80538")):
        desk = find(hr, "home")
        traces["home-decision"] = Trace.of(send, hr, desk, home=home, person_id=person)
    for prospect_id in ("W1", "X1"):
        traces["explain"] = Trace.of(company.command, "explain", prospect_id)
    return traces


def main() -> None:
    """Print the figures of every journey, or the modules of one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--list", choices=JOURNEYS, help="print the modules of one journey")
    parser.add_argument("--json", action="store_true", help="print every name as JSON")
    parser.add_argument(
        "--no-sign-in", action="store_true", help="leave sessions out of the market"
    )
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("TERRITORY_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        traces = trace_all(Company(Path(folder)), is_signed_in=not options.no_sign_in)
    lists = {name: trace.lists() for name, trace in traces.items()}
    if options.list:
        print("\n".join(lists[options.list]["modules"]))
    elif options.json:
        print(json.dumps(lists, indent=2))
    else:
        print("".join(f"{title:>15}" for title in ("", *FIGURES)))
        for name, names in lists.items():
            print(f"{name:>15}" + "".join(f"{len(names[figure]):>15}" for figure in FIGURES))


if __name__ == "__main__":
    main()
