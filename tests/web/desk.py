"""The desk of HR over two offices and a published policy, with users of some roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory import accounts
from tests.eligibility_stores import NOW, opened
from tests.web.conftest import make_app, sign_in
from tests.web.reading import token

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from territory.store import Store


ROLES = ("hr", "ops", "admin", "viewer")


def add_users(store: Store) -> dict[str, str]:
    """Add a user of each role that needs no rep, and give their ids."""
    return {
        role: accounts.add_user(
            store, f"{role}@example.com", name=role.title(), roles={role}, by="tests", now=NOW
        ).user_id
        for role in ROLES
    }


def desk_app(folder: Path) -> Flask:
    """An app of its own, whose home store lies beside the store."""
    with opened(folder) as found:
        ids = add_users(found.store)
    app = make_app(
        f"sqlite:///{folder}/territory.sqlite",
        folder,
        sign_in=True,
        rate_limits=False,
        now=lambda: NOW,
        today=NOW.date,
    )
    app.config["PEOPLE"] = ids
    return app


def hr_of(app: Flask) -> FlaskClient:
    return sign_in(app, app.config["PEOPLE"]["hr"])


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form as a browser that opened the page does."""
    return client.post(path, data={"csrf_token": token(client, "/hr/purge"), **fields})


def check(client: FlaskClient, home: str, person_id: str = "", **more: str) -> TestResponse:
    return send(client, "/hr", home=home, person_id=person_id, **more)
