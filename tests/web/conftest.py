"""The demo company behind the real app; loaded once per session."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from territory import accounts, entry, links
from territory import demo as demo_company
from territory.store import open_store
from tests.web import hostile
from webmap import Settings, create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser

    from territory.store import Store

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


# Who comes to the doors: name, roles, own rep, reps managed.
REP_A, REP_B = "R01", "R02"
PEOPLE = {
    "admin": ({"admin"}, None, ()),
    "ops": ({"ops"}, None, ()),
    "manager": ({"manager"}, None, (REP_A,)),
    "rep_a": ({"rep"}, REP_A, ()),
    "rep_b": ({"rep"}, REP_B, ()),
    "hr": ({"hr"}, None, ()),
    "viewer": ({"viewer"}, None, ()),
}


def make_app(url: str, folder: Path, **settings: object) -> Flask:
    """An app without sign-in, in which whoever asks is sales ops, unless the settings say else."""
    settings = {"sign_in": False, "today": lambda: TODAY, **settings}
    return create_app(Settings(store_url=url, var_dir=folder, **settings))


def add_people(store: Store) -> dict[str, str]:
    """Add one user of each kind and give their ids."""
    return {
        name: accounts.add_user(
            store, f"{name}@example.com", name=name.replace("_", " ").title(), roles=roles,
            rep_id=rep_id, managed_rep_ids=managed, by="tests", now=NOW,
        ).user_id
        for name, (roles, rep_id, managed) in PEOPLE.items()
    }  # fmt: skip


def sign_in(app: Flask, user_id: str) -> FlaskClient:
    """Give a client that came in by a one-time link."""
    store_url, now = app.config["TERRITORY"].store_url, app.config["TERRITORY"].now()
    with open_store(store_url) as store:
        link = links.make_link(store, user_id, "sign_in", by="tests", now=now)
        signed_in = entry.sign_in_by_link(
            store, link.secret, is_loopback=True, address=None, now=now
        )
    client = app.test_client()
    client.set_cookie("territory-session", signed_in.secret)
    return client


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a store that holds the demo company."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.sqlite"
    with open_store(url) as store:
        demo_company.load_demo(store, now=NOW)
    return url


@pytest.fixture(scope="session")
def demo(demo_url: str) -> Iterator[Store]:
    with open_store(demo_url) as store:
        yield store


@pytest.fixture(scope="session")
def app(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_app(demo_url, tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="session")
def doors(demo: Store, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app with sign-in over a copy of the demo company, with one user of each kind."""
    folder = tmp_path_factory.mktemp("doors")
    shutil.copy(demo.url.removeprefix("sqlite:///"), folder / "demo.sqlite")
    url = f"sqlite:///{folder}/demo.sqlite"
    with open_store(url) as store:
        ids = add_people(store)
    app = make_app(url, folder / "var", sign_in=True, rate_limits=False, now=lambda: NOW)
    app.config["PEOPLE"] = ids
    return app


@pytest.fixture(scope="session")
def client_as(doors: Flask) -> Callable[[str], FlaskClient]:
    """Give a client signed in as one of ``PEOPLE``, or as nobody."""
    return lambda name: (
        doors.test_client() if name == "nobody" else sign_in(doors, doors.config["PEOPLE"][name])
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def empty(tmp_path: Path) -> FlaskClient:
    """The app over a store that nothing was imported into."""
    return make_app(f"sqlite:///{tmp_path}/empty.sqlite", tmp_path).test_client()


@pytest.fixture(scope="session")
def hostile_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The app over a plan whose every name tries to break out of its place. It is no demo."""
    folder = tmp_path_factory.mktemp("hostile")
    url = f"sqlite:///{folder}/hostile.sqlite"
    with open_store(url) as store:
        hostile.bring(store, folder)
    return make_app(url, folder)


def serve(app: Flask) -> Iterator[str]:
    """Serve an app on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def address(app: Flask) -> Iterator[str]:
    yield from serve(app)


@pytest.fixture(scope="session")
def hostile_address(hostile_app: Flask) -> Iterator[str]:
    yield from serve(hostile_app)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of a session: the synchronous API of Playwright starts once per process."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium (apt-get install chromium)")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
