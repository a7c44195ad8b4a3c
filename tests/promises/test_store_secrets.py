"""Where the store is and how it is opened: told to nobody by a page, its password by nothing."""

from __future__ import annotations

import http.client
import os
import re
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import create_engine, text

from territory.errors import InputError, StoreError
from territory.store import open_store, read_url, shown_url
from tests.fixtures import databases
from tests.fixtures.routes import path_of, rules
from tests.fixtures.web import NOW, make_app
from webmap import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

SECRET, TYPED = "q7Kx-secret-of-the-store", "w9Zt-typed-into-an-address"
ACCOUNT = "store_keeper"
FORMS = {
    "before the host": f"postgresql://{ACCOUNT}:{SECRET}@/{{name}}?host={{folder}}",
    "as a parameter": f"postgresql://{ACCOUNT}@/{{name}}?host={{folder}}&password={SECRET}",
}
BESIDE = f"?password={TYPED}&store=postgresql://someone:{TYPED}@/db"
TERRITORY = (sys.executable, "-c", "from territory.cli.main import main; main()")


@pytest.fixture
def guarded(postgresql_server: str) -> Iterator[tuple[Callable[[str], str], Callable[[], None]]]:
    """A database that asks for a password: its address in a form, and how to change the lock."""
    folder = parse_qs(urlsplit(postgresql_server).query)["host"][0]
    engine = create_engine(postgresql_server.replace("postgresql:", "postgresql+psycopg:"))
    rules_file = f"{folder}/data/pg_hba.conf"
    with open(rules_file) as file:  # noqa: PTH123 - a path of text, of the server's own
        before = file.read()

    def run(*statements: str) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))

    def ask_for_passwords(lines: str) -> None:
        with open(rules_file, "w") as file:  # noqa: PTH123
            file.write(lines + before)
        run("SELECT pg_reload_conf()")

    ask_for_passwords(f"local all {ACCOUNT} scram-sha-256\n")
    run(f"DROP ROLE IF EXISTS {ACCOUNT}", f"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{SECRET}'")
    url = databases.database(postgresql_server, owner=ACCOUNT)
    name = urlsplit(url).path[1:]

    hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = "

    def change() -> None:
        run(f"ALTER ROLE {ACCOUNT} PASSWORD 'another'", f"{hang_up}'{ACCOUNT}'")

    yield (lambda form: FORMS[form].format(name=name, folder=folder)), change
    run(
        f"ALTER DATABASE {name} OWNER TO postgres",
        f"{hang_up}'{ACCOUNT}'",
        f"DROP DATABASE {name}",
        f"DROP ROLE {ACCOUNT}",
    )
    ask_for_passwords("")
    engine.dispose()


def asked(address: str) -> list[str]:
    """Ask a server, as nobody, for pages, data, what is not there and a sign-in: all it says."""
    parts = urlsplit(address)
    answers = []
    for method, path in (
        ("GET", "/healthz"), ("GET", "/"), ("GET", "/sign-in"), ("GET", "/no-such-page"),
        ("GET", "/sign-in/link"), ("GET", "/api/v1/prospects"), ("GET", "/api/v1/openapi.json"),
        ("POST", "/sign-in"), ("POST", "/api/v1/eligibility"), ("PUT", "/healthz"),
    ):  # fmt: skip
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
        connection.request(method, path + BESIDE, headers={"Cookie": "territory-session=none"})
        answer = connection.getresponse()
        answers.append(f"{method} {path} {answer.status}\n{answer.headers}\n{answer.read()!r}")
        connection.close()
    return answers


@pytest.mark.postgresql
@pytest.mark.parametrize("form", FORMS)
def test_a_server_whose_store_refuses_it_tells_no_address_and_logs_no_password(
    guarded, form: str, tmp_path: Path
) -> None:
    address_in, change_password = guarded
    url = address_in(form)
    environment = os.environ | {"TERRITORY_STORE": url, "PORT": "0", "TERRITORY_VAR": str(tmp_path)}
    told = tmp_path / "told"
    with told.open("wb") as file:
        server = subprocess.Popen(
            [*TERRITORY, "serve", "--workers", "1"], env=environment, stdout=file, stderr=file
        )
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", told.read_text())):
            assert server.poll() is None, told.read_text()
            threading.Event().wait(0.1)
        in_order = asked(found[0])
        change_password()
        refused = asked(found[0])
    finally:
        server.terminate()
        server.wait()
    log = told.read_text()
    assert "GET /healthz 200" in in_order[0]
    assert "GET /healthz 503" in refused[0]
    folder = parse_qs(urlsplit(url).query)["host"][0]
    for answer in in_order + refused:
        headless = answer.replace(BESIDE, "")
        for private in (SECRET, ACCOUNT, folder, str(tmp_path), "Traceback", "psycopg"):
            assert private not in headless, answer
    assert ACCOUNT in log  # whoever runs the server is told why
    assert not [one for one in (SECRET, TYPED, "Traceback") if one in log], log


@pytest.mark.postgresql
@pytest.mark.parametrize("form", FORMS)
def test_a_command_that_cannot_open_its_store_prints_no_password(
    guarded, form: str, tmp_path: Path
) -> None:
    address_in, change_password = guarded
    url = address_in(form)
    assert SECRET not in ran(url, "user", "list", folder=tmp_path)
    change_password()
    elsewhere = url.replace("host=", "host=/nowhere")
    for broken in (url, elsewhere, url.replace("postgresql:", "mysql:"), url.replace("//", "/")):
        for command in (("user", "list"), ("serve",)):
            printed = ran(broken, *command, folder=tmp_path)
            assert printed.startswith("territory: ")
            assert SECRET not in printed


def ran(url: str, *command: str, folder: Path) -> str:
    """Run a command where it stands alone; all that it prints."""
    environment = os.environ | {"TERRITORY_VAR": str(folder), "PORT": "0"}
    done = subprocess.run(
        [*TERRITORY, "--store", url, *command],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (f"postgresql://me:{SECRET}@host/db", "me@host/db"),
        (f"postgresql://me@host/db?password={SECRET}&port=1", "password=***&port=1"),
        (f"postgresql://me@host/db?sslpassword={SECRET}", "sslpassword=***"),
        (f"postgresql://me@host/db?options={SECRET}", "options=***"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_password(given: str, shown: str) -> None:
    written = shown_url(read_url(given))
    assert shown in written
    assert SECRET not in written


@pytest.mark.parametrize(
    "given",
    [
        f"mysql://me:{SECRET}@host/db", f"mysql://me@host/db?password={SECRET}",
        f"postgresql:/me:{SECRET}@host/db", f"postgresql//me:{SECRET}@host/db",
        f"me:{SECRET}@host/db", f"://me:{SECRET}@", f"postgresql://me:{SECRET}@host:port/db",
        f"sqlite://?password={SECRET}",
    ],
)  # fmt: skip
def test_an_address_mistyped_is_refused_without_its_password(given: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, StoreError)) as caught:
        open_store(given, create=False)
    assert SECRET not in str(caught.value)


def test_settings_in_a_traceback_show_no_address():
    told = repr(Settings(store_url=f"postgresql://me:{SECRET}@h/d", queue=f"redis://:{SECRET}@h"))
    assert SECRET not in told


def test_a_failed_statement_shows_no_value(tmp_path: Path) -> None:
    with open_store(f"{tmp_path}/s.sqlite") as store, store.read() as transaction:
        with pytest.raises(Exception, match="nowhere") as caught:
            transaction.connection.execute(text("SELECT :one FROM nowhere"), {"one": SECRET})
        assert SECRET not in str(caught.value)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch) -> Flask:
    """An app whose stores are in a folder that a test may break."""
    monkeypatch.setattr("territory.store.database.BUSY_TIMEOUT_S", 0)
    place = tmp_path / "here-be-stores"
    place.mkdir()
    return make_app(
        f"sqlite:///{place}/main.sqlite", place / "var", sign_in=True, rate_limits=False,
        self_check=True, now=lambda: NOW, homes_url=f"sqlite:///{place}/homes.sqlite",
    )  # fmt: skip


def gone(place: Path) -> None:
    for file in place.glob("main.sqlite*"):
        file.unlink()
    (place / "main.sqlite").mkdir()


def damaged(place: Path) -> None:
    for file in place.glob("*.sqlite*"):
        file.unlink()
    for name in ("main.sqlite", "homes.sqlite"):
        (place / name).write_bytes(b"no database " * 1000)


def locked(place: Path) -> None:
    holder = sqlite3.connect(place / "main.sqlite", isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    locked.holders = [holder]


def emptied(place: Path) -> None:
    with sqlite3.connect(place / "main.sqlite") as connection:
        for name in ("sessions", "users", "settings", "revisions"):
            connection.execute(f'DROP TABLE "{name}"')


@pytest.mark.parametrize("break_it", [gone, damaged, locked, emptied])
def test_nobody_is_told_where_a_broken_store_is(broken, break_it, tmp_path, caplog):
    place = tmp_path / "here-be-stores"
    for one in broken.extensions.get("stores", {}).values():
        one.close()
    broken.extensions.pop("stores", None)
    break_it(place)
    client, statuses = broken.test_client(), set()
    client.set_cookie("territory-session", "none")
    for rule in rules(broken):
        for method in ("GET", "POST"):
            answer = client.open(path_of(broken, rule) + BESIDE, method=method)
            statuses.add(answer.status_code)
            told = answer.get_data(as_text=True) + str(answer.headers).replace(BESIDE, "")
            for private in ("here-be-stores", "main.sqlite", "Traceback", "sqlite3", "SELECT "):
                assert private not in told, f"{method} {rule.endpoint}: {told[:2000]}"
    assert 503 in statuses
    assert 500 not in statuses
    assert TYPED not in caplog.text
