"""Company sign-on against a real OpenID provider: the round trip, and every way it may not go."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from territory.access import GroupRoles, audit_log, users
from territory.errors import InputError
from territory.store import open_store
from tests.fixtures.oidc_provider import provider_on_loopback
from tests.fixtures.reading import Page
from tests.fixtures.web import NOW, REP_A, make_app, serve
from webmap.account.oidc import DENIED, DISTRUSTED, LATE, SILENT
from webmap.settings import OidcSettings, oidc_settings_from, read_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fixtures.oidc_provider import Provider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib")
BEGIN, DONE = "/sign-in/company", "/sign-in/company/done"
RULES = GroupRoles((("Sales Ops", "ops"), ("CN=HR,OU=Staff", "hr"), ("Sales", "viewer")))
BEYOND_THE_LOCK = {"REMOTE_ADDR": "127.0.0.66"}


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with provider_on_loopback() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    """The provider, honest again whatever the last test made of it."""
    running.bend = lambda _path, response: response
    running.asked.clear()
    return running


@pytest.fixture
def company(provider: Provider) -> OidcSettings:
    return OidcSettings(provider.issuer, "territory", "a secret", groups=RULES)


@pytest.fixture
def app(demo, company: OidcSettings, tmp_path) -> Flask:
    """The app of a company whose groups give roles."""
    return make(demo, company, tmp_path)


def make(demo, company: OidcSettings, folder) -> Flask:
    shutil.copy(demo.url.removeprefix("sqlite:///"), folder / "demo.sqlite")
    return make_app(
        f"sqlite:///{folder}/demo.sqlite", folder, sign_in=True, now=lambda: NOW, oidc=company
    )


@pytest.fixture
def store(app: Flask):
    with open_store(app.config["TERRITORY"].store_url) as store:
        yield store


def vouched(client: FlaskClient, sub: str, path: str = BEGIN) -> str:
    """Sign in at the provider as a browser would, and give the address that it leads back to."""
    there = client.get(path).location
    told = requests.post(there, data={"sub": sub}, allow_redirects=False, timeout=5)
    back = urlsplit(told.headers["Location"])
    assert back.path == DONE
    return f"{back.path}?{back.query}"


def come_back(client: FlaskClient, sub: str):
    return client.get(vouched(client, sub), environ_overrides=BEYOND_THE_LOCK)


def test_a_member_of_a_group_comes_in_with_its_role(app, store, provider):
    provider.knows("u1", email="Una@Example.com", name="Una Ops", groups=["Sales Ops", "Other"])
    client = app.test_client()
    response = client.get(vouched(client, "u1", f"{BEGIN}?next=/offices"))
    assert (response.status_code, response.location) == (303, "/offices")
    assert client.get("/ops/import").status_code == 200
    user = users.find_user(store, "una@example.com")
    assert (user.name, user.roles) == ("Una Ops", {"ops"})
    started, _ = audit_log.search(store, action="session.start")
    assert list(started["by"]) == [user.user_id]


def test_state_nonce_and_proof_differ_each_time_and_are_long(app, provider):
    for _ in range(2):
        app.test_client().get(app.test_client().get(BEGIN).location)
        asked_at = urlsplit(app.test_client().get(BEGIN).location)
        provider.asked.append({k: v[0] for k, v in parse_qs(asked_at.query).items()})
    first, second = provider.asked[-2:]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 20
        assert first[name] != second[name]
    assert first["code_challenge_method"] == "S256"
    assert first["response_type"] == "code"
    assert "openid" in first["scope"].split()
    assert first["redirect_uri"] == f"http://localhost{DONE}"


def test_the_code_is_exchanged_with_its_proof(app, provider):
    provider.knows("u2", email="two@example.com", groups=["Sales"])
    before = provider.verified
    assert come_back(app.test_client(), "u2").status_code == 303
    assert provider.verified == before + 1


def test_an_answer_to_another_browser_lets_nobody_in(app, provider):
    provider.knows("u3", email="three@example.com", groups=["Sales"])
    address = vouched(app.test_client(), "u3")
    other = app.test_client()
    other.get(BEGIN)  # it has a sign-in of its own under way
    response = other.get(address)
    assert response.status_code == 401
    assert LATE in Page(response).text
    assert other.get("/").location == "/sign-in"


def test_an_answer_counts_once(app, provider):
    provider.knows("u4", email="four@example.com", groups=["Sales"])
    client = app.test_client()
    address = vouched(client, "u4")
    assert client.get(address).status_code == 303
    client.delete_cookie("territory-session")
    assert client.get(address).status_code == 401


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x"])
def test_an_answer_that_nobody_asked_for_asks_nobody(app, provider, query):
    provider.bend = lambda path, _response: pytest.fail(path)
    response = app.test_client().get(f"{DONE}{query}")
    assert response.status_code == 401
    assert LATE in Page(response).text


def test_who_is_refused_there_is_refused_here_and_no_word_of_it_is_shown(app, provider):
    client = app.test_client()
    state = parse_qs(urlsplit(client.get(BEGIN).location).query)["state"][0]
    told = {"state": state, "error": "access_denied", "error_description": "Call 555-0100 now"}
    response = client.get(DONE, query_string=told)
    assert response.status_code == 401
    assert DENIED in Page(response).text
    assert "555" not in Page(response).text


def test_an_answer_of_another_issuer_is_refused(app, provider):
    provider.knows("u5", email="five@example.com", groups=["Sales"])
    client = app.test_client()
    address = vouched(client, "u5")
    assert client.get(f"{address}&iss=https://evil.example").status_code == 401


def changed(part: str, **claims: object):
    """Let the provider say something else in a JSON answer."""

    def bend(path: str, response):
        if path == part:
            response.set_data(json.dumps({**json.loads(response.get_data()), **claims}))
        return response

    return bend


@pytest.mark.parametrize(
    ("part", "claims"),
    [
        ("/.well-known/openid-configuration", {"issuer": "https://evil.example"}),
        ("/.well-known/openid-configuration", {"jwks_uri": "http://evil.example/jwks"}),
        ("/.well-known/openid-configuration", {"authorization_endpoint": "javascript:alert(1)"}),
        ("/.well-known/openid-configuration", {"token_endpoint": None}),
    ],
)
def test_a_provider_that_says_it_is_another_is_not_asked(app, provider, part, claims):
    provider.bend = changed(part, **claims)
    response = app.test_client().get(BEGIN)
    assert response.status_code == 502
    assert DISTRUSTED in Page(response).text
    provider.bend = lambda _path, told: told
    assert app.test_client().get(BEGIN).status_code == 302  # once it is put right


def forged(**changes: object):
    """Let the provider hand out an ID token whose claims were changed after it was signed."""
    import base64

    def bend(path: str, response):
        if path == "/oauth2/token":
            told = json.loads(response.get_data())
            head, body, mark = told["id_token"].split(".")
            claims = json.loads(base64.urlsafe_b64decode(body + "=="))
            body = base64.urlsafe_b64encode(json.dumps(claims | changes).encode()).decode()
            told["id_token"] = f"{head}.{body.rstrip('=')}.{mark}"
            response.set_data(json.dumps(told))
        return response

    return bend


def test_a_token_that_was_changed_lets_nobody_in(app, store, provider):
    provider.knows("u6", email="six@example.com", groups=["Other"])
    provider.bend = forged(groups=["Sales Ops"])
    response = come_back(app.test_client(), "u6")
    assert response.status_code == 502
    assert DISTRUSTED in Page(response).text
    assert users.users(store) == []


@pytest.mark.parametrize(
    ("claim", "value"),
    [("nonce", "another"), ("iss", "https://evil.example"), ("aud", "another-app"), ("exp", 1),
     ("sub", "")],
)  # fmt: skip
def test_a_token_signed_for_another_purpose_lets_nobody_in(
    app, store, provider, monkeypatch, caplog, claim, value
):
    from oidc_provider_mock import _app

    provider.knows("u7", email="seven@example.com", groups=["Sales"])
    honest = _app.OpenIDCode.generate_user_info

    def lie(*asked: object) -> dict[str, object]:
        return {**honest(*asked), claim: value}

    monkeypatch.setattr(_app.OpenIDCode, "generate_user_info", lie)
    response = come_back(app.test_client(), "u7")
    assert response.status_code == 502
    assert DISTRUSTED in Page(response).text
    assert users.users(store) == []
    if claim not in {"sub", "exp"}:
        assert claim in next(r.message for r in caplog.records if r.name == "webmap.account.oidc")


@pytest.fixture
def terse(provider, monkeypatch) -> Provider:
    """The provider, with an ID token that says nothing but who it is."""
    from oidc_provider_mock import _app

    monkeypatch.setattr(
        _app.OpenIDCode, "generate_user_info", lambda _self, user, _scope: {"sub": user.sub}
    )
    return provider


def test_groups_may_come_with_the_userinfo(app, store, terse):
    terse.knows("u8", email="eight@example.com", name="Eight", groups="CN=HR,OU=Staff")
    assert come_back(app.test_client(), "u8").status_code == 303
    assert users.find_user(store, "eight@example.com").roles == {"hr"}


def test_userinfo_of_someone_else_is_not_believed(app, store, terse):
    terse.knows("u9", email="nine@example.com", groups=["Sales"])
    terse.bend = changed("/userinfo", sub="someone-else")
    assert come_back(app.test_client(), "u9").status_code == 502
    assert users.users(store) == []


def test_who_is_in_no_group_is_out_and_who_left_one_loses_its_role(app, store, provider):
    provider.knows("u10", email="ten@example.com", groups=["Sales Ops"])
    assert come_back(app.test_client(), "u10").status_code == 303
    provider.knows("u10", email="ten@example.com", groups=["Sales"])
    assert come_back(app.test_client(), "u10").status_code == 303
    assert users.find_user(store, "ten@example.com").roles == {"viewer"}
    provider.knows("u10", email="ten@example.com", groups=[])
    response = come_back(app.test_client(), "u10")
    assert response.status_code == 401
    assert "no account here is yours" in Page(response).text


def test_a_login_that_is_taken_is_not_taken_over(app, store, provider):
    users.add_user(store, "boss@example.com", name="B", roles={"admin"}, by="t", now=NOW)
    provider.knows("u11", email="boss@example.com", groups=["Sales Ops"])
    assert come_back(app.test_client(), "u11").status_code == 401
    assert users.find_user(store, "boss@example.com").roles == {"admin"}


def test_an_address_that_the_provider_doubts_is_nobodys_login(app, store, provider):
    provider.knows(
        "u12", email="ceo@example.com", email_verified=False, preferred_username="mallory",
        groups=["Sales"],
    )  # fmt: skip
    assert come_back(app.test_client(), "u12").status_code == 303
    assert [user.login for user in users.users(store)] == ["mallory"]


def test_without_rules_an_admin_links_who_may_come(demo, company, provider, tmp_path):
    app = make(demo, replace(company, groups=None), tmp_path)
    provider.knows("u13", email="rep@example.com", groups=["Sales Ops"])
    assert come_back(app.test_client(), "u13").status_code == 401
    with open_store(app.config["TERRITORY"].store_url) as store:
        rep = users.add_user(
            store, "r@example.com", name="R", roles={"rep"}, rep_id=REP_A, by="t", now=NOW
        )
        users.link_identity(
            store, rep.user_id, issuer=company.issuer, subject="u13", by="t", now=NOW
        )
    client = app.test_client()
    assert come_back(client, "u13").status_code == 303
    assert client.get("/ops/import").status_code == 403  # its groups give nothing here


@pytest.mark.parametrize(
    "bend",
    [
        lambda _path, response: (setattr(response, "status_code", 503), response)[1],
        lambda _path, response: (response.set_data(b"<html>"), response)[1],
        lambda _path, response: (response.set_data(b"[]"), response)[1],
    ],
    ids=["out of order", "no JSON", "a list"],
)
def test_a_provider_out_of_order_is_told_in_words(app, provider, bend):
    provider.bend = bend
    response = app.test_client().get(BEGIN)
    assert response.status_code == 502
    assert SILENT in Page(response).text


def test_a_provider_that_is_gone_is_told_in_words(demo, tmp_path):
    app = make(demo, OidcSettings("http://localhost:9", "t", "s"), tmp_path)
    response = app.test_client().get(BEGIN)
    assert response.status_code == 502
    assert SILENT in Page(response).text


def test_the_button_is_there_only_with_a_provider(app, demo, tmp_path):
    assert "company account" in Page(app.test_client().get("/sign-in")).text
    (tmp_path / "without").mkdir()
    bare = make(demo, None, tmp_path / "without").test_client()
    assert "company account" not in Page(bare.get("/sign-in")).text
    assert [bare.get(path).status_code for path in (BEGIN, DONE)] == [404, 404]


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_no_round_trip_ends_on_another_site(app, provider, onward):
    provider.knows("u14", email="fourteen@example.com", groups=["Sales"])
    client = app.test_client()
    there = client.get(BEGIN, query_string={"next": onward}).location
    told = requests.post(there, data={"sub": "u14"}, allow_redirects=False, timeout=5)
    back = urlsplit(told.headers["Location"])
    assert client.get(f"{back.path}?{back.query}").location == "/"


def test_settings_are_read_from_the_environment_and_the_secret_is_not_shown():
    told = {
        "TERRITORY_OIDC_ISSUER": "https://sso.example.com/realms/a",
        "TERRITORY_OIDC_CLIENT_ID": "territory",
        "TERRITORY_OIDC_CLIENT_SECRET": "geheim",
        "TERRITORY_OIDC_GROUPS_CLAIM": "roles",
        "TERRITORY_OIDC_GROUPS": "Sales Ops=ops; CN=HR,OU=Staff=hr\nSales = rep",
    }
    company = oidc_settings_from(told)
    assert company.groups.rules == (
        ("Sales Ops", "ops"),
        ("CN=HR,OU=Staff", "hr"),
        ("Sales", "rep"),
    )
    assert company.groups_claim == "roles"
    assert "geheim" not in repr(company)
    assert oidc_settings_from({}) is None
    assert read_groups(" ; \n") is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CLIENT_SECRET": ""}, "client_secret is not set"),
        ({"ISSUER": "", "CLIENT_ID": ""}, "issuer is not set; client_id is not set"),
        ({"ISSUER": "http://sso.example.com"}, "must be an https address"),
        ({"ISSUER": "https://"}, "must be an https address"),
        ({"GROUPS": "ops"}, "'ops' is no rule"),
        ({"GROUPS": "Sales=boss"}, "No role 'boss'"),
    ],
)
def test_settings_that_will_not_do_name_all_that_is_wrong(changes, words):
    told = {"ISSUER": "https://sso.example.com", "CLIENT_ID": "t", "CLIENT_SECRET": "s"} | changes
    with pytest.raises(InputError, match=words):
        oidc_settings_from({f"TERRITORY_OIDC_{name}": value for name, value in told.items()})


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_the_round_trip_in_a_browser(app, provider, chromium):
    provider.knows("bea", email="bea@example.com", name="Bea Browser", groups=["Sales Ops"])
    wrong: list[str] = []
    with contextmanager(serve)(app) as address:
        context = chromium.new_context(base_url=address)
        context.on("console", lambda said: wrong.append(said.text) if said.type == "error" else 0)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        # The provider's own pages ask another host for a style sheet; here nobody asks one.
        context.route("**/*", stay_here)
        page = context.new_page()
        page.goto("/findings?page=1")
        page.get_by_role("link", name="Sign in with your company account").click()
        page.wait_for_url(f"{provider.issuer}/**")
        page.get_by_placeholder("sub").fill("bea")
        page.get_by_role("button", name="Authorize").click()
        page.wait_for_url(f"{address}/findings?page=1")
        expect(page.get_by_role("link", name="Bea Browser")).to_be_visible()
        assert page.locator("h1").inner_text() == "Findings"
        held = {one["name"]: one for one in context.cookies(address)}["territory-session"]
        assert held["httpOnly"]
        assert held["sameSite"] == "Lax"
        page.goto("/account")
        page.get_by_role("button", name="Sign out").first.click()
        page.wait_for_url("**/sign-in?did=out")

        page.goto("/sign-in")
        page.get_by_role("link", name="Sign in with your company account").click()
        page.get_by_role("button", name="Deny").click()
        page.wait_for_url(f"{address}{DONE}**")
        assert page.get_by_role("alert").inner_text() == DENIED
        expect(page.get_by_role("link", name="Try again")).to_be_visible()
        context.close()
    assert [words for words in wrong if "401" not in words] == []


def stay_here(way) -> None:
    if urlsplit(way.request.url).hostname in {"localhost", "127.0.0.1"}:
        way.continue_()
    else:
        way.fulfill(body="", content_type="text/css")
