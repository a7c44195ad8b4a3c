"""What goes wrong with the store or the disk is told on the page; reading goes on."""

from __future__ import annotations

import contextlib
import html
import re
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from territory.store import Patience, open_store
from tests.fixtures import disks
from tests.fixtures.reading import token
from tests.fixtures.web import NOW, add_people, make_app, sign_in
from webmap import context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

NOTE = "They renew in March & want <three> offices"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "PATIENCE", Patience(lock_s=0.05, writers=2, turn_s=0.05))


@pytest.fixture
def company(demo_url: str, tmp_path: Path, hasty: None) -> Flask:
    """The app with sign-in over a demo company of the test's own."""
    return company_in(demo_url, tmp_path)


def company_in(demo_url: str, folder: Path) -> Flask:
    path = shutil.copy(demo_url.removeprefix("sqlite:///"), folder / "store.sqlite")
    with open_store(str(path)) as store:
        ids = add_people(store)
    app = make_app(
        f"sqlite:///{path}", folder / "var", sign_in=True, rate_limits=False, now=lambda: NOW
    )
    app.config["PEOPLE"] = ids
    return app


def file_of(app: Flask) -> Path:
    return type(app.config["TERRITORY"].var_dir)(
        app.config["TERRITORY"].store_url.removeprefix("sqlite:///")
    )


def some_prospect(app: Flask) -> str:
    with open_store(str(file_of(app))) as store, store.read() as transaction:
        return transaction.table("prospects", ["prospect_id"])["prospect_id"].iloc[0]


def form_token(client: FlaskClient) -> str:
    return token(client, "/account")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_busy_store_asks_to_come_again_and_keeps_what_was_typed(company: Flask) -> None:
    client, prospect = sign_in(company, company.config["PEOPLE"]["ops"]), some_prospect(company)
    form = {"csrf_token": form_token(client), "text": NOTE}
    path = f"/prospects/{prospect}/notes"
    with writing(file_of(company)):
        assert client.get("/").status_code == 200
        answer = client.post(path, data=form)
        assert client.get("/healthz").status_code == 200
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    page = answer.get_data(as_text=True)
    assert "Nothing was saved: the store is busy" in page
    assert str(file_of(company)) not in page
    typed = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert html.unescape(typed["text"]) == NOTE
    # What "Try again" sends goes through now.
    again = client.post(path, data={name: html.unescape(text) for name, text in typed.items()})
    assert again.status_code in {200, 303}


def test_a_refusal_waits_for_nobody(company: Flask) -> None:
    client = sign_in(company, company.config["PEOPLE"]["viewer"])
    with writing(file_of(company)):
        assert client.get("/admin/users").status_code == 403
    assert client.get("/admin/users").status_code == 403


def test_signing_in_to_a_busy_store_gives_no_password_back(company: Flask) -> None:
    client = company.test_client()
    form = {
        "csrf_token": token(client, "/sign-in"),
        "email": "ops@example.com",
        "password": "correct horse 1",
    }
    with writing(file_of(company)):
        answer = client.post("/sign-in", data=form)
    assert answer.status_code == 503
    assert "correct horse" not in answer.get_data(as_text=True)


def test_on_a_full_disk_pages_go_on(demo_url: str, tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        app = company_in(demo_url, disk)
        client, prospect = sign_in(app, app.config["PEOPLE"]["ops"]), some_prospect(app)
        form = {"csrf_token": form_token(client)}
        disks.fill(disk)
        for path in ("/", "/ops", f"/prospects/{prospect}", "/markets", "/healthz"):
            assert client.get(path).status_code in {200, 303, 308, 404}, path
        box = "bbox=-90,40,-85,44&zoom=8"
        assert client.get(f"/view.json?market=M-CHI&{box}").status_code == 200
        for _ in range(500):  # the last free pages of the file take some notes
            answer = client.post(f"/prospects/{prospect}/notes", data={**form, "text": NOTE * 20})
            if answer.status_code != 303:
                break
        assert answer.status_code == 507
        assert "the disk is full" in answer.get_data(as_text=True)
        context_store(app).close()


def test_on_a_read_only_disk_pages_go_on(demo_url: str, tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        app = company_in(demo_url, disk)
        client, prospect = sign_in(app, app.config["PEOPLE"]["ops"]), some_prospect(app)
        form = {"csrf_token": form_token(client)}
        context_store(app).close()
        app.extensions["stores"].clear()
        disks.make_read_only(disk)
        for path in ("/", f"/prospects/{prospect}", "/healthz"):
            assert client.get(path).status_code == 200, path
        answer = client.post(f"/prospects/{prospect}/notes", data={**form, "text": NOTE})
        assert answer.status_code == 503
        assert "read-only" in answer.get_data(as_text=True)
        context_store(app).close()


def context_store(app: Flask):
    with app.app_context():
        return context.store()


@pytest.mark.parametrize("table", ["plan_assignments", "prospects", "sessions", "markets"])
def test_a_broken_page_is_told_without_a_command(company: Flask, table: str) -> None:
    client, prospect = sign_in(company, company.config["PEOPLE"]["ops"]), some_prospect(company)
    disks.break_table(file_of(company), table)
    answers = [
        client.get(path) for path in ("/", f"/prospects/{prospect}", "/ops", "/api/v1/prospects")
    ]
    for answer in answers:
        page = answer.get_data(as_text=True)
        assert answer.status_code != 500, page
        assert "sqlite3" not in page
    told = [answer for answer in answers if answer.status_code == 503]
    for answer in told:
        assert "administrator" in answer.get_data(as_text=True)
    if table in {"plan_assignments", "sessions"}:
        assert told
