"""Unmistakable strings in every private field; every answer to every role is searched for them."""

from __future__ import annotations

import csv
import io
import logging
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pypdf
import pytest

from territory import imports, reports
from territory.access import Scope, audit_log
from territory.eligibility import desk
from territory.plans import publish
from territory.store import open_store
from tests.fixtures.eligibility_drawn import policy
from tests.fixtures.reading import token
from tests.fixtures.routes import path_of, rules
from tests.fixtures.web import NOW, PEOPLE, add_people, make_app, sign_in
from webmap.prospects.exports import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = Path(__file__).parents[2] / "data" / "demo"
# One account of each rep, and all that is private about it.
ACCOUNTS = {"abm-industries": "a", "acadia-realty-trust": "b"}
OWNER = {"a": {"rep_a", "manager"}, "b": {"rep_b"}}
CONTACT = ("name", "title", "email", "phone")
HOME = {"street": "77 Zugvogel Canaryhomeway", "lon": "-87.6512349871", "lat": "41.8823459873"}
PASSWORDS = ("Canary-password-1aXq", "Canary-typed-2bYr")
QUERIES = ("?q=kanarie", "?q=zzz", "?page=x", "?sort=-employees")


def mark(field: str, whose: str) -> str:
    words = f"Kanarie{field}{whose}zq"
    return f"{words} 0199 1234" if field == "phone" else words  # a phone has digits


def readers() -> dict[str, set[str]]:
    """Say of each string who may read it; everybody else is searched for it."""
    told = {}
    for whose in OWNER:
        told |= {mark(name, whose): {*OWNER[whose], "ops"} for name in CONTACT}
        told[mark("account", whose)] = {*OWNER[whose], "ops", "viewer"}
        told[mark("deal", whose)] = {*OWNER[whose], "ops", "viewer"}
        told |= {mark(name, whose): {*OWNER[whose], "ops"} for name in ("note", "step")}
        told[mark("view", whose)] = {f"rep_{whose}"}
    return told | {text: {"hr"} for text in HOME.values()} | {text: set() for text in PASSWORDS}


def plant(store, folder: Path) -> None:
    """Give the two accounts private texts that stand nowhere else."""
    with (DEMO / "prospects.csv").open(encoding="utf-8", newline="") as file:
        known = {row["prospect_id"]: row for row in csv.DictReader(file)}
    tables = {
        "prospects": [list(known["3m"])],
        "contacts": [["contact_id", "prospect_id", *CONTACT]],
        "opportunities": [["opportunity_id", "prospect_id", "name", "stage", "amount_usd"]],
    }
    for prospect_id, whose in ACCOUNTS.items():
        tables["prospects"].append(
            list((known[prospect_id] | {"name": mark("account", whose)}).values())
        )
        private = [mark(name, whose) for name in CONTACT]
        private[2] += "@example.com"
        tables["contacts"].append([f"canary-{whose}", prospect_id, *private])
        deal = [f"canary-{whose}", prospect_id, mark("deal", whose), "Proposal", "1000"]
        tables["opportunities"].append(deal)
    for kind, rows in tables.items():
        path = folder / f"{kind}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        assert imports.import_file(store, kind, path, by="me", now=NOW).refused.empty
    publish.assign(store, published_by="me", name="Canary", now=NOW)


def note(app) -> None:
    """Have each rep note what was done, say what is next, and save a view, on the pages."""
    for prospect_id, whose in ACCOUNTS.items():
        client = sign_in(app, app.config["PEOPLE"][f"rep_{whose}"])
        form = {"csrf_token": token(client, "/account")}
        path = f"/prospects/{prospect_id}"
        step = {"words": mark("step", whose), "due_on": "2026-12-01"}
        view = {"name": mark("view", whose), "query": f"q={mark('view', whose)}"}
        for address, told in (
            (f"{path}/notes", {"text": mark("note", whose)}),
            (f"{path}/next-step", step),
            ("/views", view),
        ):
            assert client.post(address, data=form | told).status_code == 303


@pytest.fixture(scope="module")
def coop(demo, tmp_path_factory):
    """The app with sign-in over a demo company in which everything private is marked."""
    folder = tmp_path_factory.mktemp("coop")
    shutil.copy(demo.url.removeprefix("sqlite:///"), folder / "demo.sqlite")
    url = f"sqlite:///{folder}/demo.sqlite"
    with open_store(url) as store:
        plant(store, folder)
        ids = add_people(store)
    app = make_app(url, folder / "var", sign_in=True, rate_limits=False, now=lambda: NOW)
    app.config["PEOPLE"] = ids
    note(app)
    decide(app, ids["hr"])
    return app


def decide(app, user_id: str) -> None:
    """Have HR decide for the home, on its page."""
    rule = policy()
    with open_store(app.config["TERRITORY"].store_url) as store:
        desk.save_policy(store, rule, by="hr", now=NOW)
        desk.publish_policy(store, rule.name, rule.version, by="hr", now=NOW)
    client = sign_in(app, user_id)
    typed = f"{HOME['lat']}, {HOME['lon']}"
    form = {"csrf_token": token(client, "/account"), "home": typed, "person_id": "P-1"}
    form["policy"] = rule.name  # the example company has one in force too
    answer = client.post("/hr", data=form)
    assert answer.status_code == 200
    assert HOME["lat"] in answer.get_data(as_text=True)
    address = form | {"home": f"{HOME['street']}, Chicago, IL 60601", "person_id": "P-2"}
    assert client.post("/hr", data=address).status_code in {200, 400}


def paths(app) -> list[str]:
    """Every address that is read, with the ids of both accounts and of their markets."""
    with open_store(app.config["TERRITORY"].store_url) as store:
        scope = Scope.everything()
        rows = [reports.prospect(store, one, scope=scope).prospect for one in ACCOUNTS]
        ids = audit_log.search(store, subject_kind="import", limit=3)[0]["subject_id"].tolist()
    markets = pd.concat(rows)["market_id"].dropna().unique().tolist()
    found = []
    for rule in rules(app):
        if "GET" not in rule.methods:
            continue
        given = [{}]
        if "market_id" in rule.arguments:
            given = [{"market_id": market_id} for market_id in markets]
        if "prospect_id" in rule.arguments:
            given = [{"prospect_id": one} for one in ACCOUNTS]
        if rule.endpoint.startswith("taking.") and "suffix" in rule.arguments:
            given = [{**one, "suffix": form} for one in given for form, *_ in FORMATS]
        if "import_id" in rule.arguments:
            given = [{"import_id": one} for one in ids or ["import-1"]]
        found += [path_of(app, rule, **one) for one in given]
    return sorted(set(found))


def variants(path: str) -> list[str]:
    """The address where it lists things: searched, sorted, chosen from."""
    if not path.startswith(("/markets/", "/outside", "/findings", "/ops/", "/hr/", "/admin/log")):
        return []
    chosen = [f"?prospect={one}" for one in ACCOUNTS] if path.startswith("/markets/") else []
    return [path + query for query in (*QUERIES, *chosen)]


def answers(client, app) -> Iterator[tuple[str, str]]:
    """Every address that is read, with all that was answered."""
    for path in paths(app):
        response = client.get(path, buffered=True)
        yield path, told(response)
        if response.status_code == 200:
            for address in variants(path):
                yield address, told(client.get(address, buffered=True))


def told(response) -> str:
    """All that an answer says: in its head, its body, the sheets of a workbook, pages of a PDF."""
    bodies = [response.data]
    if response.mimetype == "application/pdf":
        pages = pypdf.PdfReader(io.BytesIO(response.data)).pages
        bodies = ["\n".join(page.extract_text() for page in pages).encode()]
    if zipfile.is_zipfile(io.BytesIO(response.data)):
        with zipfile.ZipFile(io.BytesIO(response.data)) as file:
            bodies = [file.read(name) for name in file.namelist()]
    return str(response.headers) + "".join(body.decode("utf-8", "replace") for body in bodies)


@pytest.mark.parametrize("role", ["nobody", *PEOPLE])
def test_no_answer_holds_what_is_not_for_its_reader(coop, role, caplog):
    caplog.set_level(logging.DEBUG)
    client = coop.test_client() if role == "nobody" else sign_in(coop, coop.config["PEOPLE"][role])
    secrets = [text for text, who in readers().items() if role not in who]
    seen, count = set(), 0
    for address, answer in answers(client, coop):
        count += 1
        leaked = [text for text in secrets if text in answer]
        assert not leaked, f"{role} read {leaked} at {address}"
        seen |= {text for text in readers() if text in answer}
    assert count > 40
    assert not [text for text in readers() if text in caplog.text]
    missing = {text for text, who in readers().items() if role in who and "Kanarie" in text} - seen
    assert not missing, f"{role} should have found {missing}: the search is blind"


@pytest.mark.parametrize("role", ["nobody", *PEOPLE])
def test_no_refusal_of_a_form_repeats_what_was_typed_in_secret(coop, role, caplog):
    caplog.set_level(logging.DEBUG)
    client = coop.test_client() if role == "nobody" else sign_in(coop, coop.config["PEOPLE"][role])
    form = {
        "csrf_token": token(client, "/sign-in" if role == "nobody" else "/account"),
        "password": PASSWORDS[0], "old": PASSWORDS[0], "new": PASSWORDS[1], "again": "other",
    }  # fmt: skip
    secrets = [text for text, who in readers().items() if role not in who]
    for rule in rules(coop):
        if "POST" not in rule.methods or rule.endpoint == "auth.sign_out":
            continue
        for prospect_id in ACCOUNTS:
            path = path_of(coop, rule, prospect_id=prospect_id)
            response = client.post(
                path, data=form, buffered=True, environ_overrides={"REMOTE_ADDR": "127.0.0.78"}
            )
            leaked = [text for text in secrets if text in told(response)]
            assert not leaked, f"{role} read {leaked} of POST {path}"
            assert response.status_code < 500, path
    assert not [text for text in readers() if text in caplog.text]


def test_the_log_of_events_holds_none_of_it(coop):
    with open_store(coop.config["TERRITORY"].store_url) as store:
        events = audit_log.search(store, limit=None)[0].to_csv()
    private = {text for text, who in readers().items() if "account" not in text}
    assert not [text for text in private if text in events]


def test_no_home_is_in_the_store_of_accounts(coop):
    url = coop.config["TERRITORY"].store_url.removeprefix("sqlite:///")
    with open(url, "rb") as file:  # noqa: PTH123
        content = file.read()
    assert not [text for text in HOME.values() if text.encode() in content]
    assert mark("phone", "a").encode() in content  # so the search can find
