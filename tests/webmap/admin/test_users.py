"""The pages of an admin: users and ways in, tokens, the log, and what reps see of others."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest

from territory.access import audit_log, users
from territory.store import open_store
from tests.fixtures.reading import Page, token
from tests.fixtures.web import NOW, REP_A, REP_B


@pytest.fixture
def door(doors):
    with open_store(doors.config["TERRITORY"].store_url) as store:
        yield store


@pytest.fixture
def admin(client_as):
    return client_as("admin")


def press(client, path: str, **form: object):
    return client.post(path, data={"csrf_token": token(client, "/account"), **form})


@pytest.fixture
def added(admin, door, request):
    """A rep added on the page: the answer that shows the link, and the user."""
    login = f"{request.node.name[:60].lower()}@example.com"
    form = {"login": login, "name": "Neu <b>Ling</b>", "roles": ["rep"], "rep_id": REP_A}
    return press(admin, "/admin/users", **form), users.find_user(door, login)


def once(response) -> str:
    """Read the secret that the page shows this once."""
    return re.search(r'<p class="once">([^<]+)</p>', response.get_data(as_text=True))[1]


def test_a_user_is_added_and_the_link_is_shown_once(admin, added, doors):
    response, user = added
    assert response.headers["Cache-Control"] == "no-store"
    assert user.rep_id == REP_A
    assert "<b>Ling" not in response.get_data(as_text=True)
    secret = once(response).split("#")[1]
    assert secret not in admin.get(f"/admin/users/{user.user_id}").get_data(as_text=True)
    nobody = doors.test_client()
    form = {"csrf_token": token(nobody, "/sign-in/link"), "secret": secret}
    assert "Choose a password" in Page(nobody.post("/sign-in/link", data=form)).text


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"login": "a b", "name": "X", "roles": "ops"}, 400, "That is no login"),
        ({"login": "q@example.com", "name": "X"}, 400, "No role is chosen"),
        ({"login": "q@example.com", "name": "X", "roles": "king"}, 400, "No role"),
        ({"login": "q@example.com", "name": "X", "roles": "rep"}, 400, "Choose which rep"),
        ({"login": "q@example.com", "name": "X", "roles": "rep", "rep_id": "R99"}, 404, "No rep"),
        ({"login": "ops@example.com", "name": "X", "roles": "ops"}, 409, "taken"),
    ],
)
def test_what_will_not_do_is_said_and_nobody_is_added(admin, door, form, status, words):
    before = len(users.users(door))
    response = press(admin, "/admin/users", **form)
    assert (response.status_code, len(users.users(door))) == (status, before)
    assert words in Page(response).text


def test_roles_change_and_nobody_changes_the_own(admin, added, door, doors):
    _, user = added
    path = f"/admin/users/{user.user_id}"
    roles = {"roles": ["manager", "viewer"], "managed": f"{REP_A}, {REP_B}"}
    assert press(admin, f"{path}/roles", **roles).location == path
    changed = users.user(door, user.user_id)
    assert (changed.roles, changed.managed_rep_ids) == ({"manager", "viewer"}, {REP_A, REP_B})
    own = f"/admin/users/{doors.config['PEOPLE']['admin']}"
    assert press(admin, f"{own}/roles", roles=["admin", "ops"]).status_code == 409
    assert "ask another admin" in Page(admin.get(own)).text


def test_a_user_is_shut_out_and_let_in_again(admin, added, door):
    _, user = added
    path = f"/admin/users/{user.user_id}"
    press(admin, f"{path}/state", state="out")
    assert not users.user(door, user.user_id).is_active
    assert press(admin, f"{path}/link", purpose="sign_in").status_code == 409
    press(admin, f"{path}/state", state="in")
    assert users.user(door, user.user_id).is_active
    assert press(admin, f"{path}/state", state="x").status_code == 400


def test_sessions_are_shown_and_ended(admin, client_as, doors):
    rep, path = client_as("rep_b"), f"/admin/users/{doors.config['PEOPLE']['rep_b']}"
    assert "By link" in Page(admin.get(path)).text
    assert press(admin, f"{path}/sessions").location == path
    assert rep.get("/account").status_code == 303
    assert "Not signed in" in Page(admin.get(path)).text


def test_a_token_is_made_shown_once_used_and_revoked(admin, doors):
    path, client = f"/admin/users/{doors.config['PEOPLE']['ops']}", doors.test_client()
    response = press(admin, f"{path}/tokens", name="Nightly", scopes=["see_findings"], days="7")
    assert response.headers["Cache-Control"] == "no-store"
    told = {"Authorization": f"Bearer {once(response)}"}
    assert client.get("/api/v1/findings", headers=told).status_code == 200
    assert client.get("/ops/import", headers=told).status_code == 403
    token_id = re.search(r"token-\d+", Page(response).text)[0]
    assert once(response) not in admin.get("/admin/tokens").get_data(as_text=True)
    press(admin, f"/admin/tokens/{token_id}/revoke")
    assert client.get("/findings.csv", headers=told).status_code == 401
    assert "Revoked" in Page(admin.get("/admin/tokens")).text


@pytest.mark.parametrize("days", ["0", "-1", "367", "x", "", "9" * 400])
def test_a_token_lasts_a_year_at_most(admin, doors, days):
    path = f"/admin/users/{doors.config['PEOPLE']['ops']}/tokens"
    assert press(admin, path, name="N", scopes=["see_sums"], days=days).status_code == 400


def test_a_token_of_hr_reads_no_home_and_no_log(admin, doors):
    path = f"/admin/users/{doors.config['PEOPLE']['hr']}/tokens"
    for scope in ("see_homes", "see_audit", "see_decisions"):
        assert press(admin, path, name="N", scopes=[scope], days="1").status_code == 400


def test_the_log_finds_says_n_of_m_and_exports_just_that(admin, added, door):
    _, user = added
    path = f"/admin/log?action=user&subject_id={user.user_id}"
    page = Page(admin.get(path))
    _, total = audit_log.search(door, action="user", subject_id=user.user_id)
    assert f"{total} of {total} event" in page.text
    assert len(page.rows["tbody"]) == total == 1
    told = admin.get(path.replace("/log?", "/log.csv?"))
    rows = list(csv.DictReader(io.StringIO(told.get_data(as_text=True))))
    assert [row["action"] for row in rows] == ["user.add"]
    assert audit_log.search(door, action="audit.export")[0].iloc[0]["by"] != "nobody"


def test_days_of_a_search_are_whole_and_included(admin):
    day = NOW.date().isoformat()
    assert len(Page(admin.get(f"/admin/log?since={day}&until={day}")).rows["tbody"]) > 1
    assert "0 events match" in Page(admin.get("/admin/log?until=2001-01-01")).text
    assert admin.get("/admin/log?since=yesterday").status_code == 400
    assert admin.get("/admin/log?since=0001-01-01&until=9999-12-31").status_code == 200


def test_the_chain_is_verified_on_the_page(admin):
    page = Page(press(admin, "/admin/log/verify"))
    assert "Intact" in page.text
    assert "Head:" in page.text


def test_ops_and_nobody_else_says_what_reps_see_of_others(client_as, door):
    ops = client_as("ops")
    try:
        assert press(ops, "/admin/access", reps_see_names="1").status_code == 303
        assert users.access_policy(door).reps_see_names
        assert press(client_as("admin"), "/admin/access").status_code == 403
    finally:
        press(ops, "/admin/access")
    assert not users.access_policy(door).reps_see_names


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"rep_id": "R99", "roles": "rep"}, 404), ({"login": "ops@example.com"}, 409), ({}, 400)],
)
def test_the_page_is_kept_with_what_was_typed_whatever_was_wrong(admin, wrong, status):
    typed = {"login": "kept@example.com", "name": "Kept Name", "roles": "rep", **wrong}
    if status == 409:
        typed["roles"] = "ops"
    response = press(admin, "/admin/users", **typed)
    page = response.get_data(as_text=True)
    assert response.status_code == status
    assert 'value="Kept Name"' in page
    assert f'value="{typed["login"]}"' in page
    assert "Everyone who may sign in" in page  # the list of users stands above, as before


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        ({"login": "a b"}, {"login": "That is no login"}),
        ({"login": "ops@example.com"}, {"login": "This login is taken"}),
        ({"name": " "}, {"name": "A name has 1 to 200 characters."}),
        ({"roles": []}, {"roles": "No role is chosen", "managed": "but not the role manager"}),
        ({"roles": ["rep", "manager"]}, {"rep_id": "Choose which rep this user is."}),
        ({"rep_id": "R99", "roles": ["rep", "manager"]}, {"rep_id": "No rep 'R99'."}),
    ],
)
def test_each_field_of_a_new_user_says_beside_itself_what_is_wrong(admin, wrong, faults):
    typed = {
        "login": "kept@example.com", "name": "Kept Name", "roles": ["manager"], "managed": REP_A,
        "anywhere": "1", **wrong,
    }  # fmt: skip
    page = press(admin, "/admin/users", **typed).get_data(as_text=True)
    said = dict(re.findall(r'id="fault-(\w+)" role="alert">([^<]*)<', page))
    assert list(said) == list(faults)
    for field, words in faults.items():
        assert words in html.unescape(said[field])
        assert f'aria-describedby="fault-{field}"' in page
    assert "`territory" not in page
    assert f'name="managed" value="{REP_A}"' in page
    assert 'name="anywhere" value="1" checked' in page
    for role in typed["roles"]:
        assert f'value="{role}" checked' in page


def test_the_log_says_in_sentences_who_did_what(admin, added, door):
    _, user = added
    page = Page(admin.get("/admin/log")).text
    assert "Admin added Neu <b>Ling</b> as a user." in page
    assert user.user_id not in page
    rows = csv.DictReader(io.StringIO(admin.get("/admin/log.csv").get_data().decode("utf-8-sig")))
    told = {row["sentence"] for row in rows if row["subject_id"] == user.user_id}
    assert "Admin added Neu <b>Ling</b> as a user." in told
    assert "Admin made a one-time link for Neu <b>Ling</b>." in told
