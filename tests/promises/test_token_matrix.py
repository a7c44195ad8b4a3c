"""Every token scope by every route and method: a token opens what its scope names, nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from territory.access import TOKEN_SCOPES, api_tokens, users
from territory.store import open_store
from tests.fixtures.routes import path_of, rules
from tests.fixtures.web import NOW, make_doors
from tests.promises.test_role_matrix import EVERYBODY, open_to

# Written down here once more and not asked of the app: what each scope opens when it is alone.
ACCOUNTS = {"api.prospects", "api.prospect"}
FILES = {"taking.prospects", "taking.outside", "taking.book_file", "ops.findings_csv"}
OPENS = {
    "see_sums": {"api.markets", "api.offices", "ops.markets_csv"},
    "see_accounts_all": ACCOUNTS,
    "see_accounts_own": ACCOUNTS,
    "see_contacts": set(),  # more of the accounts that another scope opens
    "see_pipeline": set(),
    "see_findings": {"api.findings"},
    "export_accounts": FILES,
    "decide_eligibility": {"api_eligibility.decide"},
}
OWNERS = {
    "see_accounts_own": ("manager", "rep_a"),
    "see_accounts_all": ("ops", "viewer"),
    "export_accounts": ("ops", "manager", "rep_a"),
    "decide_eligibility": ("hr",),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def token_of(app, role: str, scopes: set[str]) -> dict[str, str]:
    """Make a token of a person of a role; the header it is sent by."""
    with open_store(app.config["TERRITORY"].store_url) as store:
        secret = api_tokens.new_token(
            store, app.config["PEOPLE"][role], name="t", scopes=scopes,
            lifetime=timedelta(days=1), by="tests", now=NOW,
        ).secret  # fmt: skip
    return {"Authorization": f"Bearer {secret}"}


def opened_by(app, headers: dict[str, str]) -> tuple[set[str], int]:
    """Ask for everything that is not open to everybody: what opened, and how much was asked."""
    opened, count = set(), 0
    for rule in rules(app):
        if open_to(rule.endpoint) == EVERYBODY:
            continue
        for method in METHODS:
            client = app.test_client()  # no cookie of an answer helps the next request
            answer = client.open(path_of(app, rule), method=method, headers=headers, buffered=True)
            count += 1
            assert answer.status_code < 500, f"{method} {rule.endpoint}"
            if answer.status_code not in {401, 403, 405} and method in rule.methods:
                opened.add(rule.endpoint)
    return opened, count


@pytest.mark.parametrize(
    ("scope", "role"),
    [(scope, role) for scope in OPENS for role in OWNERS.get(scope, ("ops",))],
)
def test_a_scope_opens_what_it_names_and_nothing_else(doors, scope, role):
    opened, count = opened_by(doors, token_of(doors, role, {scope}))
    assert opened == OPENS[scope]
    assert count > 500


def test_every_scope_that_a_token_may_have_is_tried():
    assert set(OPENS) == TOKEN_SCOPES


def test_no_token_is_made_of_what_its_table_does_not_name(doors):
    with open_store(doors.config["TERRITORY"].store_url) as store:
        owner = users.user(store, doors.config["PEOPLE"]["ops"])
        barred = users.capabilities(owner) - TOKEN_SCOPES
    assert {"import_data", "work_accounts", "publish_plans"} <= barred
    for scope in barred:
        with pytest.raises(Exception, match=scope):
            token_of(doors, "ops", {scope})


def test_a_token_that_decides_is_told_a_class_and_no_distance(demo, tmp_path):
    """The way from a home to an office stays with HR, whichever home is asked about."""
    doors = make_doors(demo, tmp_path)  # its own: what other tests ask for may take offices away
    headers = token_of(doors, "hr", {"decide_eligibility"})
    home = {"lat": 41.8823459873, "lon": -87.6512349871}
    body = {"home": home, "record": False}
    answer = doors.test_client().post("/api/v1/eligibility", json=body, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    names = set(answer.get_json())
    assert "distance_class" in names
    assert not {name for name in names if name in {"distance_m", "distance_mi", "lat", "lon"}}
    told = answer.get_data(as_text=True)
    assert not [text for text in ("41.88", "87.65", "distance_m", "duration") if text in told]
    assert answer.get_json()["decision"]


@pytest.mark.parametrize("scopes", [{"see_accounts_all"}, {"see_accounts_all", "see_pipeline"}])
def test_contacts_come_with_their_scope_alone(doors, scopes):
    def prospect(headers):
        answer = doors.test_client().get("/api/v1/prospects/3m", headers=headers)
        assert answer.status_code == 200
        return answer.get_json()

    without = prospect(token_of(doors, "ops", scopes))
    beside = prospect(token_of(doors, "ops", {*scopes, "see_contacts"}))
    assert beside.get("contacts")
    assert not without.get("contacts")
    assert not [one["name"] for one in beside["contacts"] if one["name"] in str(without)]
