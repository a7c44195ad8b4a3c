"""An app over two offices and a published policy, for the tests of batches, rules and plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from territory import accounts, eligibility_deciding, jobs, works
from territory.eligibility_deciding import Question
from territory.homes import open_homes
from territory.job_queue import open_queue
from territory.store import open_store
from territory.store.eligibility_ledger import EligibilityLedger
from tests.eligibility_stores import NOW, opened, point
from tests.web.conftest import make_app, sign_in
from tests.web.reading import Page, token

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from territory.store import Store

ROLES = ("admin", "ops", "hr", "viewer")


def hr_app(folder: Path, **settings: object) -> Flask:
    """The app, whose home store lies in the folder of the server, with a user of each role."""
    with opened(folder, homes_url=str(folder / "var" / "homes.sqlite")) as found:
        ids = {
            role: accounts.add_user(
                found.store, f"{role}@example.com", name=role, roles={role}, by="tests", now=NOW
            ).user_id
            for role in ROLES
        }
    url = f"sqlite:///{folder}/territory.sqlite"
    told = {"sign_in": True, "rate_limits": False, "now": lambda: NOW, "today": NOW.date}
    app = make_app(url, folder / "var", **{**told, **settings})
    app.config["PEOPLE"] = ids
    return app


def come_as(app: Flask, role: str) -> FlaskClient:
    return sign_in(app, app.config["PEOPLE"][role])


def store_of(app: Flask) -> Store:
    return open_store(app.config["TERRITORY"].store_url)


def press(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    """Send a form as a browser that opened a page does."""
    return client.post(path, data={"csrf_token": token(client, "/account"), **fields})


def decide_people(app: Flask, miles: dict[str, float]) -> None:
    """Decide for people some miles east of the first office."""
    rows = [{**point(far), "person_id": person} for person, far in miles.items()]
    with store_of(app) as store, open_homes(app.config["TERRITORY"].means.homes_url) as homes:
        frame = pd.DataFrame(rows, dtype=object)
        eligibility_deciding.decide(store, homes, frame, Question("hr", NOW))


def decisions(app: Flask, policy: str = "rule") -> int:
    """Count what is on record."""
    with store_of(app) as store, store.read() as transaction:
        return EligibilityLedger(transaction).count_since(policy, "0001-01-01")


def fields_of(answer: TestResponse) -> dict[str, list[str]]:
    """Give what the form of a page holds, as a browser would send it, button apart."""
    found: dict[str, list[str]] = {}
    select = ""
    for tag, given in Page(answer).tags:
        name, kind = given.get("name") or "", given.get("type") or "text"
        if tag == "select":
            select = name
        elif tag == "option" and "selected" in given:
            found.setdefault(select, []).append(str(given.get("value", "")))
        elif tag == "input" and name and (kind not in {"checkbox", "radio"} or "checked" in given):
            found.setdefault(name, []).append(str(given.get("value") or ""))
    return found


def work_off(app: Flask) -> list[jobs.Job]:
    """Do what a worker would do, until nothing waits."""
    folder, done = app.config["TERRITORY"].var_dir, []
    queue, every = open_queue(folder=folder), works.works(folder, lambda: NOW)
    with store_of(app) as store:
        queue.runner = lambda job_id: done.append(
            jobs.run(store, queue, every, job_id, clock=lambda: NOW)
        )
        while (task := queue.huey.dequeue()) is not None:
            queue.huey.execute(task)
    queue.close()
    return done
