"""Every route by every method as every role: who may, may; nobody else does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from territory.access import TOKEN_SCOPES, api_tokens, users
from territory.store import open_store
from tests.fixtures.reading import token
from tests.fixtures.routes import path_of, rules
from tests.fixtures.web import NOW, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYBODY = {"nobody", *PEOPLE}
SIGNED_IN = set(PEOPLE)
SELLING = {"ops", "manager", "rep_a", "rep_b"}
READING = {*SELLING, "viewer"}
# Written down here once more and not asked of the app: by endpoint, else by blueprint.
OPEN_TO = {
    "static": EVERYBODY,
    "assets": EVERYBODY,
    "ops.healthz": EVERYBODY,
    "auth.sign_in": EVERYBODY,
    "auth.let_in": EVERYBODY,
    "auth.link": EVERYBODY,
    "auth.use_link": EVERYBODY,
    "auth.set_password": EVERYBODY,
    "auth": SIGNED_IN,
    "oidc": EVERYBODY,
    "tiles": SIGNED_IN,
    "ops.findings": READING,
    "ops.findings_csv": SELLING,
    "ops": SIGNED_IN,
    "taking": SELLING,
    "rep": READING,
    "view": READING,
    "profile": SIGNED_IN,
    "work": SELLING,
    "saved": READING,
    "home_screen": EVERYBODY,
    "imports": {"ops"},
    "worklist": {"ops"},
    "pairs": {"ops"},
    "job_pages": {"ops"},
    "admin.policy": {"ops"},
    "admin.set_policy": {"ops"},
    "admin": {"admin"},
    "hr": {"hr"},
    "self_check": EVERYBODY,
    "api.openapi": EVERYBODY,
    "api.prospects": READING,
    "api.prospect": READING,
    "api.findings": READING,
    "api": SIGNED_IN,
    "api_eligibility": {"hr"},
    "hr_people": {"hr"},
}
ALONE = "127.0.0.77"  # failures at the door are counted by address: nobody else stands at this one
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def open_to(endpoint: str) -> set[str]:
    blueprint = endpoint.split(".")[0]
    told = OPEN_TO.get(endpoint) or OPEN_TO.get("hr" if blueprint[:3] == "hr_" else blueprint)
    assert told, f"{endpoint}: say in OPEN_TO who may call it"
    return told


def is_sent_to_sign_in(response) -> bool:
    to_the_door = response.status_code == 303 and response.location.split("?")[0] == "/sign-in"
    return to_the_door or response.status_code == 401


def is_denied(response) -> bool:
    return response.status_code == 403 and b"Your role does not allow this" in response.data


@pytest.mark.parametrize("role", ["nobody", *PEOPLE])
def test_every_route_by_every_method(doors, client_as, role, capsys):
    client, count = client_as(role), 0
    form = token(client, "/sign-in" if role == "nobody" else "/account")
    for rule in rules(doors):
        for method, data in tries(form):
            response = client.open(
                path_of(doors, rule), method=method, data=data, buffered=True,
                environ_overrides={"REMOTE_ADDR": ALONE},
            )  # fmt: skip
            count += 1
            wrong = judge(doors, rule, role, method, data, response)
            assert not wrong, f"{rule.endpoint} as {role} by {method}, {data}: {wrong}"
            if rule.endpoint == "auth.sign_out" and response.status_code == 303:
                client = client_as(role)
                form = token(client, "/account")
    with capsys.disabled():
        print(f"\n{role}: {count:,} combinations of {len(rules(doors))} routes tried")  # noqa: T201
    assert count == len(rules(doors)) * len(list(tries(form)))


def tries(form: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every method, the unsafe ones without and with the token of a form."""
    yield from (("GET", {}), ("HEAD", {}))
    for method in UNSAFE:
        yield from ((method, {}), (method, {"csrf_token": form}))


def judge(app, rule, role: str, method: str, data: dict[str, str], response) -> str | None:
    """Say what is wrong with an answer; None where it is as it must be."""
    status = response.status_code
    if status >= 500:
        return f"failed with {status}"
    if method not in rule.methods:
        is_other = method in app.url_map.bind("localhost").allowed_methods(path_of(app, rule))
        return None if is_other or status == 405 else f"took a method it has not: {status}"
    denied = status == 403 and (method == "HEAD" or is_denied(response))
    unsigned = status == 403 and b"The form was too old" in response.data
    if role not in open_to(rule.endpoint):
        right = is_sent_to_sign_in(response) if role == "nobody" else denied
        return None if right else f"was not turned away: {status}"
    if method in UNSAFE and not data:
        return None if unsigned else f"took a form without token: {status}"
    return f"turned away: {status}" if denied or unsigned else None


@pytest.mark.parametrize("role", sorted(SIGNED_IN))
def test_a_session_that_is_over_opens_nothing(doors, client_as, role):
    client = client_as(role)
    client.post("/sign-out", data={"csrf_token": token(client, "/account")})
    for rule in rules(doors):
        if "nobody" not in open_to(rule.endpoint) and "GET" in rule.methods:
            assert is_sent_to_sign_in(client.get(path_of(doors, rule))), rule.endpoint


DOWNLOADS = {
    "taking.prospects", "taking.outside", "taking.book_file", "ops.markets_csv", "ops.findings_csv",
}  # fmt: skip


def test_a_token_opens_no_page(doors):
    """Ask for every address by a token of every scope: the API answers, and files to download."""
    opened, store = set(), open_store(doors.config["TERRITORY"].store_url)
    for role in ("ops", "hr", "viewer"):
        owner = users.user(store, doors.config["PEOPLE"][role])
        secret = api_tokens.new_token(
            store,
            owner.user_id,
            name="t",
            scopes=users.capabilities(owner) & TOKEN_SCOPES,
            lifetime=timedelta(days=1),
            by="t",
            now=NOW,
        ).secret
        client, headers = doors.test_client(), {"Authorization": f"Bearer {secret}"}
        for rule in rules(doors):
            if open_to(rule.endpoint) != EVERYBODY:
                method = "GET" if "GET" in rule.methods else "POST"
                answer = client.open(path_of(doors, rule), method=method, headers=headers)
                opened |= {rule.endpoint} if answer.status_code != 403 else set()
    store.close()
    assert {name for name in opened if not name.startswith("api")} == DOWNLOADS
    assert {"api.prospects", "api.findings", "api_eligibility.decide"} <= opened
