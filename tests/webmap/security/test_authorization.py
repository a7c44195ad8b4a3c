"""Who is answered, what a browser may do with the answer, and what it may keep."""

from __future__ import annotations

import time

import pytest
from itsdangerous import TimestampSigner

from territory.access import ROLES, users
from territory.store import open_store
from tests.fixtures.reading import token
from tests.fixtures.routes import path_of, rules
from tests.fixtures.web import NOW, REP_A, sign_in
from webmap.security import HEADERS
from webmap.security.authorization import signing_key
from webmap.security.origin import content_security_policy

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def paths(app) -> list[str]:
    """One address of every route that is read, with ids of the demo."""
    return [path_of(app, rule) for rule in rules(app)]


def test_every_route_refuses_whoever_is_not_this_machine(app):
    assert len(paths(app)) > 15
    for path in paths(app):
        for stranger in ("192.0.2.7", "2001:db8::7", None):
            response = app.test_client().get(path, environ_overrides={"REMOTE_ADDR": stranger})
            assert response.status_code == 403, (path, stranger)
            assert b"only the machine it runs on" in response.data
            assert b"Example Telecom" not in response.data


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "127.0.0.1.attacker.example",
        "192.0.2.7",
        "[::2]",
        "[x",
        "user@",
        "localhost.evil.example:80",
    ],
)
def test_another_name_for_this_machine_is_refused(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "localhost:8000", "[::1]:8000"]
)
def test_loopback_names_are_answered_on_any_port(client, host):
    assert client.get("/about", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
def test_a_proxy_is_refused_unless_the_settings_count_it(client, name):
    assert client.get("/", headers={name: "127.0.0.1"}).status_code == 403


def test_every_answer_carries_the_strict_policy_and_the_usual_headers(app):
    for path in [*paths(app), "/nothing", "/markets/x?page=0"]:
        response = app.test_client().get(path, buffered=True)
        is_page = response.mimetype not in {
            "application/json", "image/png", "text/css", "text/javascript",
        }  # fmt: skip
        policy = STRICT if is_page else NOTHING
        assert response.headers["Content-Security-Policy"] == policy, path
        told = dict(response.headers)
        if response.status_code == 200 and path in {"/markets/M-BAY", "/outside"}:  # "Near me"
            told["Permissions-Policy"] = told["Permissions-Policy"].replace("(self)", "()", 1)
        for name, value in HEADERS.items():
            assert told[name] == value, path
        has_form = b'name="csrf_token"' in response.data
        assert ("Set-Cookie" in response.headers) is has_form, path


def test_the_cookie_of_a_form_is_for_this_site_and_for_no_script(client):
    cookie = client.get("/ops/import").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def writing(app) -> list[str]:
    """One address of every route that changes something."""
    return [path_of(app, rule) for rule in rules(app) if "POST" in rule.methods]


def test_nothing_is_changed_without_the_token_of_a_form(doors):
    with open_store(doors.config["TERRITORY"].store_url) as store:
        roles = set(ROLES) - {"manager"}
        anybody = users.add_user(
            store, "all@example.com", name="All", roles=roles, rep_id=REP_A, by="tests", now=NOW
        )
    client = sign_in(doors, anybody.user_id)
    by_forms = [path for path in writing(doors) if not path.startswith("/api/")]
    assert len(by_forms) > 30
    for path in by_forms:
        for data in ({}, {"csrf_token": "made-up"}):
            response = client.post(path, data=data)
            assert response.status_code == 403, path
            assert b"The form was too old" in response.data, path


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_on_another_site_is_refused_before_its_body_is_read(app, client, headers):
    for path in writing(app):
        response = client.post(path, data={"csrf_token": token(client)}, headers=headers)
        assert response.status_code == 403
        assert b"a page of another site" in response.data


def test_a_form_of_this_page_is_taken(client):
    same = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    response = client.post(
        "/ops/places/prospects/settle", data={"csrf_token": token(client)}, headers=same
    )
    assert response.status_code == 400
    assert b"Choose one of the places" in response.data


def test_the_key_of_cookies_is_made_once_and_read_by_its_owner_only(tmp_path):
    first, second = signing_key(tmp_path), signing_key(tmp_path)
    assert first == second
    assert len(first) > 40
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
    assert signing_key(tmp_path / "other") != first


def test_a_nonce_opens_the_policy_for_itself_alone():
    policy = content_security_policy("abc")
    assert "script-src 'self' 'nonce-abc'" in policy
    assert "unsafe" not in policy


def test_what_comes_from_the_store_is_private_and_asked_for_again(client):
    for path in (
        "/",
        "/markets/M-BAY",
        "/view.json?market=M-BAY&bbox=-124,36,-120,39&zoom=8",
        "/findings.csv",
    ):
        assert client.get(path).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path", ["/", "/markets/M-BAY", "/view.json?market=M-BAY&bbox=-124,36,-120,39&zoom=8"]
)
@pytest.mark.parametrize("coding", ["gzip", "br", "identity"])
def test_what_has_not_changed_is_not_sent_twice(client, monkeypatch, path, coding):
    first = client.get(path, headers={"Accept-Encoding": coding})
    later = int(time.time()) + 60  # a form's token tells the second at which it was signed
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: later)
    again = {"Accept-Encoding": coding, "If-None-Match": first.headers["ETag"]}
    second = client.get(path, headers=again)
    assert first.headers.get("Content-Encoding", "identity") == coding
    assert (second.status_code, second.data) == (304, b"")


def test_a_static_file_is_kept_for_ever_under_the_name_of_its_content(app, client):
    with app.test_request_context():
        named = app.url_for("static", filename="pages/app.css")
    plain = named.split("?")[0]
    assert (
        client.get(named, buffered=True).headers["Cache-Control"]
        == "public, max-age=31536000, immutable"
    )
    for other in (plain, plain + "?v=0000000000"):
        assert client.get(other, buffered=True).headers["Cache-Control"] == "public, no-cache"


def test_a_static_file_is_sent_compressed_and_once(client):
    first = client.get("/static/pages/app.css", headers={"Accept-Encoding": "br"}, buffered=True)
    assert first.headers["Content-Encoding"] == "br"
    again = {"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]}
    assert client.get("/static/pages/app.css", headers=again, buffered=True).status_code == 304


def test_no_path_leads_out_of_the_static_folder(client):
    for path in (
        "/static/../__init__.py",
        "/static/%2e%2e/__init__.py",
        "/static/x/../../__init__.py",
    ):
        assert client.get(path).status_code in {400, 404}
