"""Coming in, what a session opens, and going out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from territory.access import CAPABILITIES, api_tokens, audit_log, one_time_links, users
from territory.store import open_store
from tests.fixtures.reading import Page, token
from tests.fixtures.web import NOW, PEOPLE, REP_A, make_app, sign_in
from webmap import security
from webmap.security.permissions import RIGHTS

WORDS = "correct horse battery"
LANDING = "/sign-in/link"


@pytest.fixture
def door(doors):
    """The store behind the doors, to make links and look things up."""
    with open_store(doors.config["TERRITORY"].store_url) as store:
        yield store


@pytest.fixture
def reset_link(door, doors):
    """Give a link that lets a new user set a password."""

    def make(login: str) -> str:
        user = users.add_user(door, login, name="New One", roles={"viewer"}, by="t", now=NOW)
        return one_time_links.make_link(door, user.user_id, "reset", by="t", now=NOW).secret

    return make


def test_nobody_is_sent_to_sign_in_and_back_to_where_they_were_going(client_as):
    nobody = client_as("nobody")
    first = nobody.get("/findings?code=gap")
    assert (first.status_code, first.location) == (303, "/sign-in?next=/findings?code%3Dgap")
    page = Page(nobody.get(first.location))
    assert ("input", "/findings?code=gap") in [(t, g.get("value")) for t, g in page.tags]


@pytest.mark.parametrize("path", ["/markets.csv", "/overview.json", "/markets/M-BAY/map.js"])
def test_a_program_that_nobody_signed_in_is_told_so_as_data(client_as, path):
    response = client_as("nobody").get(path)
    assert response.status_code == 401
    assert response.json["error"]["title"] == "Sign in first"


def test_nobody_learns_nothing_from_the_frame_of_a_page(client_as):
    for path in ("/sign-in", "/sign-in/link", "/no-such-page"):
        text = Page(client_as("nobody").get(path)).text
        assert "Example Telecom" not in text
        assert "Findings" not in text


def test_a_password_is_set_by_a_link_and_opens_the_door(doors, reset_link):
    client, secret = doors.test_client(), reset_link("zoe@example.com")
    form = {"csrf_token": token(client, LANDING), "secret": secret}
    page = client.post(LANDING, data=form)
    assert "Choose a password" in Page(page).text
    assert "no-store" in page.headers["Cache-Control"]
    chosen = form | {"new": WORDS, "again": WORDS + "x"}
    assert "differ" in Page(client.post("/sign-in/password", data=chosen)).text
    chosen["again"] = WORDS
    assert client.post("/sign-in/password", data=chosen).location == "/sign-in?did=password"
    assert client.get("/").status_code == 303  # a password that is set is nobody who came in

    form = {"csrf_token": token(client, "/sign-in"), "login": "Zoe@Example.com", "next": "/offices"}
    wrong = client.post("/sign-in", data=form | {"password": "wrong horse battery"})
    assert wrong.status_code == 401
    assert "wrong, or the account is closed" in Page(wrong).text
    assert b"wrong horse" not in wrong.data
    right = client.post("/sign-in", data=form | {"password": WORDS})
    assert (right.status_code, right.location) == (303, "/offices")
    cookie = next(c for c in right.headers.getlist("Set-Cookie") if "territory-session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert client.get("/offices").status_code == 200

    used = client.post(LANDING, data={"csrf_token": token(client, "/account"), "secret": secret})
    assert used.status_code == 401


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil",
     "/\n/evil.example", "http:/evil"],
)  # fmt: skip
def test_no_sign_in_leads_to_another_site(doors, door, onward):
    user_id = doors.config["PEOPLE"]["viewer"]
    signed_in = client_signed_in(doors, door, user_id)
    assert signed_in.get("/sign-in", query_string={"next": onward}).location == "/"


def client_signed_in(doors: Flask, door, user_id: str):
    client = doors.test_client()
    link = one_time_links.make_link(door, user_id, "sign_in", by="t", now=NOW)
    form = {"csrf_token": token(client, LANDING), "secret": link.secret}
    assert client.post(LANDING, data=form).status_code == 303
    return client


def test_a_link_opens_once_and_for_this_machine_alone(doors, door):
    link = one_time_links.make_link(door, doors.config["PEOPLE"]["ops"], "sign_in", by="t", now=NOW)
    client = doors.test_client()
    form = {"csrf_token": token(client, LANDING), "secret": link.secret}
    assert client.get(LANDING).status_code == 200  # looking uses nothing up
    assert client.post(LANDING, data=form).location == "/"
    other = doors.test_client()
    form["csrf_token"] = token(other, LANDING)
    again = other.post(LANDING, data=form)
    assert again.status_code == 401
    assert "This link was already used. Request a new one." in Page(again).text


def test_a_form_of_before_the_sign_in_is_good_no_longer(doors, door):
    client = doors.test_client()
    link = one_time_links.make_link(
        door, doors.config["PEOPLE"]["viewer"], "sign_in", by="t", now=NOW
    )
    old = token(client, LANDING)
    client.post(LANDING, data={"csrf_token": old, "secret": link.secret})
    assert client.post("/sign-out", data={"csrf_token": old}).status_code == 403


def test_signing_out_ends_the_session_and_not_only_the_cookie(client_as):
    client = client_as("viewer")
    kept = client.get_cookie("territory-session").value
    form = {"csrf_token": token(client, "/account")}
    out = client.post("/sign-out", data=form)
    assert out.headers["Clear-Site-Data"] == '"cache"'
    assert client.get("/").status_code == 303
    client.set_cookie("territory-session", kept)
    assert client.get("/").status_code == 303
    assert client_as("viewer").get("/sign-out").status_code == 405


def test_signing_out_everywhere_ends_every_session_of_the_user(client_as):
    here, there = client_as("viewer"), client_as("viewer")
    here.post("/sign-out", data={"csrf_token": token(here, "/account"), "everywhere": "1"})
    assert there.get("/").status_code == 303


def test_a_session_ends_when_its_user_is_shut_out(doors, door, client_as):
    user = users.add_user(door, "gone@example.com", name="Gone", roles={"ops"}, by="t", now=NOW)
    client = client_signed_in(doors, door, user.user_id)
    assert client.get("/findings").status_code == 200
    users.disable_user(door, user.user_id, by="t", now=NOW)
    assert client.get("/findings").status_code == 303


def test_who_may_not_is_told_so_and_it_is_on_record(tmp_path):
    url = f"sqlite:///{tmp_path}/store.sqlite"  # its own: a log takes so many refusals and no more
    with open_store(url) as store:
        viewer = users.add_user(store, "v@example.com", name="V", roles={"viewer"}, by="t", now=NOW)
        app = make_app(url, tmp_path / "var", sign_in=True, rate_limits=False, now=lambda: NOW)
        response = sign_in(app, viewer.user_id).get("/ops/import")
        assert response.status_code == 403
        assert "Your role does not allow this" in Page(response).text
        events, total = audit_log.search(store, action="access.denied", limit=2)
    assert total == 1
    event = events.iloc[0]
    assert (event["subject_kind"], event["subject_id"]) == ("page", "imports.home")


def bearer(door, user_id: str, *scopes: str) -> dict[str, str]:
    made = api_tokens.new_token(
        door, user_id, name="t", scopes=scopes, lifetime=timedelta(days=1), by="t", now=NOW
    )
    return {"Authorization": f"Bearer {made.secret}"}


def test_a_token_opens_what_its_scopes_say_and_nothing_of_a_person(doors, door):
    ops = doors.config["PEOPLE"]["ops"]
    client, told = doors.test_client(), bearer(door, ops, "see_sums", "see_findings")
    assert client.get("/api/v1/findings", headers=told).status_code == 200
    assert client.get("/markets.csv", headers=told).status_code == 200
    assert client.get("/findings.csv", headers=told).status_code == 403
    for page in ("/findings", "/", "/overview.json", "/account"):
        assert client.get(page, headers=told).status_code == 403
    assert client.get("/findings", headers={"Authorization": "Bearer made-up"}).status_code == 303


def test_a_token_that_is_wrong_is_not_helped_by_a_cookie(client_as):
    client = client_as("ops")
    assert client.get("/findings").status_code == 200
    for wrong in ("Bearer made-up", "Basic b3BzOng=", "Bearer"):
        assert client.get("/findings.csv", headers={"Authorization": wrong}).status_code == 401


def test_a_program_with_a_token_needs_no_form_token_and_nobody_else_does_without(doors, door):
    told = bearer(door, doors.config["PEOPLE"]["hr"], "decide_eligibility")
    client, path = doors.test_client(), "/api/v1/eligibility"
    assert client.post(path, headers=told, json={}).status_code == 400
    assert client.post(path, json={}).status_code == 401
    assert client.post(path, headers={"Authorization": "Bearer made-up"}).status_code == 401


def test_the_way_about_shows_what_one_may_open(client_as):
    shown = {
        name: {link for link in Page(client_as(name).get("/about")).links if link.count("/") < 3}
        for name in PEOPLE
    }
    assert "/ops/import" in shown["ops"]
    for name in ("rep_a", "manager", "hr", "viewer", "admin"):
        assert "/ops/import" not in shown[name]
    assert "/findings" in shown["rep_a"]
    assert "/findings" not in shown["hr"]


def test_scope_and_viewer_are_those_of_the_session(doors, client_as):
    client = client_as("rep_a")
    with client:
        client.get("/account")
        assert security.viewer().rep_id == REP_A
        assert security.scope().accounts.rep_ids == {REP_A}
        assert security.person() == doors.config["PEOPLE"]["rep_a"]


def test_an_app_with_a_view_that_declares_nothing_does_not_start():
    app = Flask("x")
    app.add_url_rule("/open", "open", lambda: "")
    with pytest.raises(LookupError, match="open"):
        security.check_declared(app)


@pytest.mark.parametrize("said", [((), {}), (("fly",), {}), (("see_sums",), {"public": True})])
def test_a_rule_says_one_thing_that_exists(said):
    with pytest.raises(LookupError):
        security.allows(*said[0], **said[1])


def test_every_right_has_its_words():
    assert set(RIGHTS) == set().union(*CAPABILITIES.values())
