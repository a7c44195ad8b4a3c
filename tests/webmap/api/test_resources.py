"""The API against its own document, as everyone who may ask: no fault, no breach, no leak."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from territory import reports
from territory.access import api_tokens, users
from territory.access import scopes as access
from territory.reports import paging
from territory.store import open_store
from tests.fixtures.eligibility_stores import NOW, opened
from tests.fixtures.scoped_company import NOBODY, REPS, bring, found
from tests.fixtures.web import make_app, serve, sign_in
from webmap.api import fields as api_fields
from webmap.api.parameters import CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from schemathesis.schemas import BaseSchema
    from werkzeug.test import TestResponse

ANN, BOB = REPS[:2]
HERE = "/api/v1"
ALL_SCOPES = access.TOKEN_SCOPES
# Who asks: roles, own rep, reps managed; and with what a token may do, for those who send one.
PEOPLE: dict[str, tuple[set[str], str | None, tuple[str, ...]]] = {
    "admin": ({"admin"}, None, ()),
    "ops": ({"ops"}, None, ()),
    "manager": ({"manager"}, None, (ANN,)),
    "ann": ({"rep"}, ANN, ()),
    "bob": ({"rep"}, BOB, ()),
    "hr": ({"hr"}, None, ()),
    "viewer": ({"viewer"}, None, ()),
}
TOKENS = {
    "ann's program": ("ann", ALL_SCOPES),
    "hr's program": ("hr", ALL_SCOPES),
    "a program that reads accounts": ("ops", {"see_accounts_all"}),
    "a program that decides": ("hr", {"decide_eligibility"}),
}
OTHERS = {*REPS, NOBODY}
# What no answer to each may hold: every text of the company says whose it is.
HIDDEN = {
    "nobody": {"zq"},
    "admin": {"zq"},
    "hr": {"zq"},
    "ops": set(),
    "viewer": {"contact-"},
    "manager": OTHERS - {ANN},
    "ann": OTHERS - {ANN},
    "bob": OTHERS - {BOB},
    "ann's program": OTHERS - {ANN},
    "hr's program": {"zq"},
    "a program that reads accounts": {"contact-", "deal-"},
    "a program that decides": {"zq"},
}
DECIDE = f"{HERE}/eligibility"
LISTS = [f"{HERE}/{kind}" for kind in ("prospects", "markets", "offices", "findings")]
ONE = f"{HERE}/prospects/{{prospect_id}}"
PATHS = [*LISTS, ONE, DECIDE]
# Who tries every bound of every parameter; the others try a few of each.
THOROUGH = {"ann's program": [*LISTS, ONE], "a program that decides": [DECIDE]}
STATUSES = (200, 201, 400, 401, 403, 404, 405, 413)


@dataclass(frozen=True)
class Asker:
    """Someone who asks, by cookie or by token."""

    name: str
    sent: dict[str, str]

    def hidden_in(self, text: str) -> set[str]:
        """Whatever must not be in an answer and is."""
        return {mark for mark in HIDDEN[self.name] | {"zqlater"} if mark in text}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A company whose every text says whose it is, with a policy for homes and all roles."""
    folder = tmp_path_factory.mktemp("api")
    with opened(folder, homes_url=str(folder / "homes.sqlite")) as desk:
        found(desk.store, folder)
        # Nothing is decided while the place of an office is not known.
        bring(
            desk.store, folder, "offices", "office_id,name,lat,lon\nLOST,Lost,39.7001,-105.0001\n"
        )
        ids = {
            name: users.add_user(
                desk.store, f"{name}@example.com", name=name, roles=roles, rep_id=rep_id,
                managed_rep_ids=managed, by="tests", now=NOW,
            ).user_id
            for name, (roles, rep_id, managed) in PEOPLE.items()
        }  # fmt: skip
    app = make_app(
        f"sqlite:///{folder}/territory.sqlite", folder, sign_in=True, rate_limits=False,
        now=lambda: NOW, today=NOW.date,
    )  # fmt: skip
    app.config["PEOPLE"] = ids
    return app


@pytest.fixture(scope="module")
def askers(app: Flask) -> dict[str, Asker]:
    held = {"nobody": Asker("nobody", {})}
    for name in PEOPLE:
        cookie = sign_in(app, app.config["PEOPLE"][name]).get_cookie("territory-session")
        held[name] = Asker(name, {"Cookie": f"territory-session={cookie.value}"})
    with open_store(app.config["TERRITORY"].store_url) as store:
        for name, (owner, scopes) in TOKENS.items():
            user = users.user(store, app.config["PEOPLE"][owner])
            made = api_tokens.new_token(
                store, user.user_id, name=name, scopes=users.capabilities(user) & set(scopes),
                lifetime=timedelta(days=1), by="tests", now=NOW,
            )  # fmt: skip
            held[name] = Asker(name, {"Authorization": f"Bearer {made.secret}"})
    return held


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    yield from serve(app)


def ask(app: Flask, asker: Asker, path: str, body: object = None, **query: object):
    """Ask, and hold whatever is answered to the document."""
    client = app.test_client()
    if "Cookie" in asker.sent:
        client.set_cookie(*asker.sent["Cookie"].split("=", 1))
    headers = {name: value for name, value in asker.sent.items() if name != "Cookie"}
    answer = client.open(
        f"{HERE}{path}", method="GET" if body is None else "POST", json=body,
        query_string=query or None, headers=headers,
    )  # fmt: skip
    check_answer(client.get(f"{HERE}/openapi.json").json, answer)
    return answer


def check_answer(document: dict, answer: TestResponse) -> None:
    """Hold the body of an answer to what the document says of its path, method and status."""
    request = answer.request
    path = re.sub(r"(?<=/prospects/).+", "{prospect_id}", request.path)
    said_of = document["paths"][path][request.method.lower()]["responses"][str(answer.status_code)]
    if "$ref" in said_of:
        said_of = document["components"]["responses"][said_of["$ref"].rsplit("/", 1)[1]]
    schema = said_of["content"]["application/json"]["schema"]
    rules = jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
    wrong = [(list(one.instance_path), one.message) for one in rules.iter_errors(answer.json)]
    assert wrong == [], (request.method, request.url, answer.status_code)


def schemas_in(node: object, at: str = "") -> Iterator[tuple[str, dict]]:
    """Walk every property of every object that the document describes."""
    if isinstance(node, dict):
        for name, schema in (node.get("properties") or {}).items():
            yield f"{at}.{name}", schema
        for name, inner in node.items():
            yield from schemas_in(inner, f"{at}.{name}")
    elif isinstance(node, list):
        for inner in node:
            yield from schemas_in(inner, at)


def described(address: str, asker: Asker, path: str, *, is_thorough: bool) -> BaseSchema:
    """Read what the app says of one path, to be tried by someone, with ids of others among it."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": asker.sent,
            "seed": 23,
            "continue-on-failure": True,
            "generation": {"max-examples": 8 if is_thorough else 3, "database": "none"},
            "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": is_thorough}},
            "checks": {
                # Which members of a home go together, no schema says; words refuse a bad one.
                "positive_data_acceptance": {"enabled": path != DECIDE},
                # It leaves the cookie in and takes the right answer to that for a fault.
                "ignored_auth": {"enabled": "Cookie" not in asker.sent},
            },
        }
    )
    schema = schemathesis.openapi.from_url(f"{address}{HERE}/openapi.json", config=config)
    for parameter in schema.raw_schema["paths"][path].get("get", {}).get("parameters", []):
        values = {
            "prospect_id": [f"{ANN}-1", f"{BOB}-1", f"{NOBODY}-1"],
            "rep": [[BOB], [NOBODY]],
            "market": [["DEN"], ["none"]],
        }.get(parameter["name"], [])
        if values:
            parameter["examples"] = {str(at): {"value": one} for at, one in enumerate(values)}
    return schema.include(path=path)


def wrong_of(event: ScenarioFinished) -> list[tuple[str, str, str]]:
    return [
        (event.recorder.label, check.name, str(check.failure_info.failure))
        for checks in event.recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    ]


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("name", ["nobody", *PEOPLE, *TOKENS])
def test_every_answer_is_as_the_document_says_and_leaks_nothing(address, askers, name, capsys):
    asker, wrong, statuses = askers[name], [], Counter()
    for path in PATHS:
        is_thorough = path in THOROUGH.get(name, ())
        schema = described(address, asker, path, is_thorough=is_thorough)
        for event in from_schema(schema).execute():
            assert not isinstance(event, NonFatalError | FatalError), event
            if not isinstance(event, ScenarioFinished):
                continue
            wrong += wrong_of(event)
            for one in event.recorder.interactions.values():
                assert one.response is not None, one.request.uri
                statuses[one.response.status_code] += 1
                assert one.response.status_code in STATUSES, (one.request.uri, one.response.text)
                if one.response.status_code < 300:
                    leak = asker.hidden_in(one.response.text)
                    assert not leak, (one.request.method, one.request.uri, leak)
    assert wrong == []
    with capsys.disabled():
        print(f"\n{name}: {dict(sorted(statuses.items()))}")  # noqa: T201
    assert statuses.total() > 15 * len(PATHS) if name in THOROUGH else 2 * len(PATHS)
    if DECIDE in THOROUGH.get(name, ()):
        assert statuses[201] > 0


def test_the_document_says_every_address_of_the_api_and_no_other(app, askers):
    told = ask(app, askers["nobody"], "/openapi.json").json
    said = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, methods in told["paths"].items()
        for method in methods
    }
    there = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(HERE)
    }
    assert said == there
    assert told["openapi"] == "3.1.0"
    for methods in told["paths"].values():
        for said_of in methods.values():
            for way in said_of["security"]:
                assert set(way) <= set(told["components"]["securitySchemes"])


def test_every_field_and_parameter_of_the_document_says_what_it_means(app, askers):
    document = ask(app, askers["nobody"], "/openapi.json").json
    fields = dict(schemas_in(document))
    assert len(fields) > 100
    nameless = {
        at for at, schema in fields.items()
        if not ({"description", "$ref"} & set(schema) or "$ref" in schema.get("items", {})
                or "properties" in schema or "properties" in schema.get("items", {}))
    }  # fmt: skip
    assert nameless == set()
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert all(one["description"] for one in operation["parameters"])


@pytest.mark.parametrize("path", [f"/{kind}" for kind in CHOICES] + ["/prospects/x"])
def test_the_document_has_every_parameter_that_is_read_and_no_other(app, askers, path):
    """A refusal names the parameters that the reader goes by."""
    document = ask(app, askers["nobody"], "/openapi.json").json
    said_of = document["paths"][f"{HERE}{path}".replace("/x", "/{prospect_id}")]["get"]
    said = [one["name"] for one in said_of["parameters"] if one["in"] == "query"]
    message = ask(app, askers["ops"], path, nothing="1").json["error"]["message"]
    assert message == f"nothing: no such parameter; there are {', '.join(said) or 'none'}."


def test_the_document_has_every_value_of_a_home_that_is_read_and_no_other(app, askers):
    document = ask(app, askers["nobody"], "/openapi.json").json
    body = document["paths"][DECIDE]["post"]["requestBody"]["content"]["application/json"]
    asker = askers["a program that decides"]
    for where, schema, sent in (
        ("body", body["schema"], {"nothing": "1"}),
        ("home", body["schema"]["properties"]["home"], {"home": {"nothing": "1"}}),
    ):
        message = ask(app, asker, "/eligibility", sent).json["error"]["message"]
        offered = message.removeprefix(f"{where}: 1 unknown names. There are ").removesuffix(".")
        assert set(offered.split(", ")) == set(schema["properties"])
    for example in body["examples"].values():
        answer = ask(app, asker, "/eligibility", example["value"])
        assert answer.status_code == 201, answer.json


def test_the_document_says_every_column(app):
    for kind, fields in {
        "prospects": api_fields.PROSPECT,
        "markets": api_fields.MARKET,
        "offices": api_fields.OFFICE,
        "findings": api_fields.FINDING,
    }.items():
        assert tuple(fields) == paging.COLUMNS[kind]
        assert {column for column, _ in CHOICES[kind].values()} == set(paging.CHOICES[kind])


@pytest.mark.parametrize("kind", list(CHOICES))
@pytest.mark.parametrize("name", ["ops", "ann", "a program that reads accounts"])
def test_following_the_links_gives_every_row_in_reach_once(app, askers, name, kind):
    asker = askers[name]
    whole = ask(app, asker, f"/{kind}", per_page=500)
    if whole.status_code == 403:
        assert (name, kind) in {
            ("a program that reads accounts", other) for other in ("markets", "offices", "findings")
        }
        return
    wanted, query, rows = whole.json["items"], {"per_page": "2"}, []
    while query:
        page = ask(app, asker, f"/{kind}", **query)
        told = page.json
        assert told["shown"] == len(told["items"]) <= 2
        assert told["total"] == len(wanted) == whole.json["total"]
        assert told["pages"] == -(-len(wanted) // 2)
        rows += told["items"]
        onward = re.search(r'<([^>]+)>; rel="next"', page.headers.get("Link", ""))
        query = parse_qs(urlsplit(onward[1]).query) if onward else None
    assert rows == wanted
    assert wanted or (name, kind) == ("ann", "findings")


def test_what_is_in_reach_is_what_the_pages_tell(app, askers):
    with open_store(app.config["TERRITORY"].store_url) as store:
        own = access.Reach(rep_ids=frozenset({ANN}))
        seen = reports.EXPORTS["prospects"](store, scope=access.Scope(own, own, own))
    told = ask(app, askers["ann"], "/prospects").json["items"]
    assert [row["prospect_id"] for row in told] == list(seen["prospect_id"])
    assert [row["pipeline_usd"] for row in told] == list(seen["pipeline_usd"])
    one = ask(app, askers["ann"], f"/prospects/{ANN}-1").json
    assert len(one["contacts"]) == 2
    assert {row["amount_usd"] for row in one["opportunities"]} == {250, 40}
    assert [row["site_id"] for row in one["sites"]] == [f"site-{ANN}-1"]
    assert one["withheld"] == []
    assert one["explanation"]["sentence"] == one["prospect"]["reason"]
    assert [step["outcome"] for step in one["explanation"]["steps"]].count("won") == 1


def test_a_token_shows_no_more_than_its_scopes(app, askers):
    one = ask(app, askers["a program that reads accounts"], f"/prospects/{ANN}-1").json
    assert one["withheld"] == ["contacts", "opportunities"]
    assert one["contacts"] == one["opportunities"] == []
    assert one["prospect"]["pipeline_usd"] is None
    assert one["prospect"]["stage"] is None


@pytest.mark.parametrize("name", ["ann", "ann's program", "manager"])
def test_the_id_of_another_is_answered_like_one_that_never_was(app, askers, name):
    answers = {
        ask(app, askers[name], f"/prospects/{one}").get_data(as_text=True).replace(one, "X")
        for one in (f"{BOB}-1", f"{NOBODY}-1", "zqlater-1", "never")
    }
    assert len(answers) == 1
    assert '"status":404' in answers.pop()


@pytest.mark.parametrize("query", [{"rep": BOB}, {"rep": "never"}, {"rep": "none"}])
def test_asking_for_rows_of_others_finds_as_many_as_there_never_were(app, askers, query):
    told = ask(app, askers["ann"], "/prospects", **query).json
    assert (told["total"], told["pages"], told["items"]) == (0, 0, [])


def test_names_that_reps_may_see_on_the_pages_are_not_in_the_api(app, askers):
    url = app.config["TERRITORY"].store_url
    with open_store(url) as store:
        users.set_access_policy(store, access.AccessPolicy(reps_see_names=True), by="t", now=NOW)
        try:
            assert ask(app, askers["ann"], f"/prospects/{BOB}-1").status_code == 404
            assert BOB not in ask(app, askers["ann"], "/prospects").get_data(as_text=True)
        finally:
            users.set_access_policy(store, access.AccessPolicy(), by="t", now=NOW)


def test_choices_narrow_a_list_and_none_stands_for_what_is_not_known(app, askers):
    told = ask(app, askers["ops"], "/prospects", market=["none", "DEN"]).json["items"]
    assert {row["market_id"] for row in told} == {None, "DEN"}
    told = ask(app, askers["ops"], "/prospects", status="customer", rep=BOB).json["items"]
    assert {(row["status"], row["rep_id"]) for row in told} == {("customer", BOB)}
    told = ask(app, askers["ops"], "/findings", subject="office").json["items"]
    assert {row["subject_id"] for row in told} == {"LOST"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/prospects?paeg=2", "paeg: no such parameter; there are page, per_page, market"),
        ("/offices?market=CHI", "market: no such parameter; there are page, per_page"),
        ("/prospects/x?page=1", "page: no such parameter; there are none"),
        ("/prospects?page=0", "page: '0' is not one whole number from 1"),
        ("/prospects?page=1&page=2", "page: '1, 2' is not one whole number"),
        ("/prospects?per_page=501", "from 1 to 500"),
        ("/prospects?per_page=٣", "is not one whole number"),
        ("/prospects?status=lost", "status: 'lost' is not prospect, customer"),
        ("/prospects?market=", "market: '' is not an id"),
        ("/prospects?market=%00", "is not an id"),
        ("/prospects/%07", "an id has 1 to 200 characters"),
        ("/prospects?status=lost&page=x", "page: 'x' is not one whole number"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_its_remedy(app, askers, path, words):
    answer = ask(app, askers["ops"], path)
    assert answer.status_code == 400
    assert words in answer.json["error"]["message"]


def test_a_refusal_says_all_that_is_wrong(app, askers):
    message = ask(app, askers["ops"], "/prospects?status=lost&page=x&a=b").json["error"]["message"]
    assert all(word in message for word in ("status", "page", "a: no such"))


def test_whoever_is_not_known_is_told_how_to_say_who_they_are(app, askers):
    for asker in (askers["nobody"], Asker("x", {"Authorization": "Bearer territory_wrong"})):
        answer = ask(app, asker, "/prospects")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="territory"'
    assert ask(app, askers["admin"], "/prospects").status_code == 403


def test_a_wrong_token_is_not_saved_by_a_good_cookie(app, askers):
    both = {**askers["ops"].sent, "Authorization": "Bearer territory_wrong"}
    assert ask(app, Asker("x", both), "/prospects").status_code == 401


def test_a_wrong_method_is_told_the_right_ones(app):
    answer = app.test_client().put(f"{HERE}/offices")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json["error"]["status"] == 405


def test_before_the_first_plan_the_lists_are_empty(tmp_path):
    client = make_app(f"sqlite:///{tmp_path}/empty.sqlite", tmp_path).test_client()
    for kind in CHOICES:
        told = client.get(f"{HERE}/{kind}").json
        assert (told["plan_id"], told["total"], told["pages"], told["items"]) == (None, 0, 0, [])
    assert client.get(f"{HERE}/prospects/x").status_code == 404
