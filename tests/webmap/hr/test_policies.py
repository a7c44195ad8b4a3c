"""Policies on their bench, plans of offices, the self-check, and the desk for programs."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.access import api_tokens
from territory.eligibility import desk
from territory.eligibility.homes import open_homes
from territory.eligibility.rules import (
    EXAMPLES,
    METHODS,
    UNITS,
    Criterion,
    EligibilityPolicy,
    example,
    parse_eligibility_policy,
    policy_text,
)
from territory.eligibility.rules.policy import COMPARISONS, OFFICE_SETS, ORIGINS, Grandfathering
from territory.schemas import PRECISIONS
from tests.fixtures.eligibility_drawn import policy
from tests.fixtures.eligibility_stores import LAT, LON, NOW
from tests.fixtures.hr_apps import (
    come_as,
    decide_people,
    decisions,
    fields_of,
    hr_app,
    press,
    store_of,
)
from tests.fixtures.reading import Page, token
from webmap.hr import policy_form

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

EDIT = "/hr/policies/edit"
NEXT = f"{EDIT}?name=rule&version=1"
MILES = {f"E-{n}": far for n, far in enumerate((10, 20, 30, 42, 44, 46, 48, 60, 70, 80), 1)}
HOME = {"lat": LAT, "lon": LON + 0.1}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    made = hr_app(tmp_path)
    decide_people(made, MILES)
    return made


@pytest.fixture
def hr(app: Flask) -> FlaskClient:
    return come_as(app, "hr")


def edited(client: FlaskClient, action: str, answer: TestResponse | None = None, **changed: str):
    """Press a button of the form, with some fields changed; ``answer`` is the page it stands on."""
    fields = fields_of(answer or client.get(NEXT))
    fields |= {name: [value] for name, value in changed.items()}
    return client.post(EDIT, data={**fields, "action": action})


def versions(app: Flask) -> list[tuple[str, str, str]]:
    with store_of(app) as store:
        return [(v.policy.name, v.policy.version, v.status) for v in desk.policy_versions(store)]


def test_the_bench_shows_which_past_decisions_would_change_and_how(app, hr):
    answer = edited(hr, "test", version="2", **{"c1-limit": "45"})
    page = Page(answer)
    assert "10 of 10 decisions decided again under rule 2: 2 would change" in page.text
    flow = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in page.rows["tbody"][:4]}
    assert flow["Eligible"] == ["5", "2", "–", "–", "7"]
    assert flow["Not eligible"] == ["–", "3", "–", "–", "3"]
    changed = [row for row in page.rows["tbody"][4:] if row[0].strip().startswith("E-2026")]
    assert [row[0].split()[1].rstrip(",") for row in changed] == ["E-7", "E-6"]
    assert all("Eligible" in row[1] and "Not eligible" in row[1] for row in changed)
    assert "beyond the 45-mile limit" in changed[0][2]
    assert versions(app) == [("rule", "1", "published")]
    assert decisions(app) == 10


def test_no_rule_is_saved_that_was_not_tried_as_it_is(app, hr):
    first = edited(hr, "save", version="2", **{"c1-limit": "45"})
    assert "Not saved yet: look at this first." in Page(first).text
    other = edited(hr, "save", first, **{"c1-limit": "40"})
    assert "Not saved yet" in Page(other).text
    assert versions(app) == [("rule", "1", "published")]
    assert edited(hr, "save", other).location == "/hr/policies?did=saved#rule-2"
    assert versions(app) == [("rule", "1", "published"), ("rule", "2", "draft")]


def test_all_that_changes_comes_as_a_file(hr):
    got = edited(hr, "changes", version="2", **{"c1-limit": "45"})
    rows = list(csv.DictReader(io.StringIO(got.get_data(as_text=True))))
    assert [(row["person"], row["was"], row["would_be"]) for row in rows] == [
        ("E-7", "eligible", "not eligible"), ("E-6", "eligible", "not eligible"),
    ]  # fmt: skip
    assert "eligibility-changes-rule-2.csv" in got.headers["Content-Disposition"]


def test_every_breach_of_a_rule_is_named_at_once_and_the_fields_stay(hr):
    answer = edited(hr, "test", version="", review_band="wide", **{"c1-limit": "near"})
    page = Page(answer)
    assert answer.status_code == 400
    for words in ("3 things stand in the way", "Version is missing", "Review band = 'wide'",
                  "Alternative 1: limit = 'near'"):  # fmt: skip
        assert words in page.text
    assert fields_of(answer)["c1-limit"] == ["near"]


def test_a_limit_may_bear_its_own_unit(hr):
    answer = edited(hr, "test", version="2", **{"c1-limit": "80 km"})
    assert "Within 80 kilometers (straight line)" in Page(answer).text


def test_a_published_version_is_told_before_it_is_tried(hr):
    answer = edited(hr, "test", version="1")
    assert answer.status_code == 409
    assert "rule 1 is published and never changes" in Page(answer).text


def test_alternatives_are_added_and_removed(hr):
    two = edited(hr, "add")
    assert fields_of(two)["criteria"] == ["2"]
    changed = edited(hr, "drop-1", two, **{"c2-limit": "15"})
    assert fields_of(changed)["criteria"] == ["1"]
    assert fields_of(changed)["c1-limit"] == ["15"]


def test_a_policy_file_is_read_into_the_form(hr):
    fields = fields_of(hr.get(NEXT)) | {"toml": [policy_text(example("area_or_station"))]}
    found = fields_of(hr.post(EDIT, data={**fields, "action": "read"}))
    assert found["criteria"] == ["2"]
    assert found["c1-origin"] == ["area"]
    assert found["decided_before"] == ["2020-01-01"]
    assert found["until"] == ["home"]
    broken = hr.post(EDIT, data={**fields, "toml": "name = ", "action": "read"})
    assert broken.status_code == 400
    assert "Not readable as TOML" in Page(broken).text


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_opens_in_the_form(hr, name):
    assert fields_of(hr.get(f"{EDIT}?example={name}"))["name"] == [example(name).name]


def test_a_draft_is_published_once_and_asked_before(app, hr):
    saved = edited(hr, "save", edited(hr, "test", version="2", **{"c1-limit": "45"}))
    assert saved.status_code == 303
    asked = Page(hr.get("/hr/policies/publish?name=rule&version=2"))
    assert "Publish rule 2?" in asked.text
    assert "2 would change" in asked.text
    answer = press(hr, "/hr/policies/publish", name="rule", version="2")
    assert answer.location == "/hr/policies?did=published#rule-2"
    assert versions(app)[1] == ("rule", "2", "published")
    assert press(hr, "/hr/policies/publish", name="rule", version="2").status_code == 409
    assert "Starts later" in Page(hr.get("/hr/policies")).text


def test_a_rule_is_not_published_for_days_that_were_decided_for(app, hr):
    past = edited(hr, "test", version="2", effective_from="2026-11-01")
    assert edited(hr, "save", past).status_code == 303
    answer = press(hr, "/hr/policies/publish", name="rule", version="2")
    assert answer.status_code == 409
    assert "10 decisions were taken under rule for 2026-11-01 or later" in Page(answer).text
    assert versions(app)[1] == ("rule", "2", "draft")


def test_a_version_is_had_as_a_file_and_read_back(hr):
    got = hr.get("/hr/policies/rule.toml?name=rule&version=1").get_data(as_text=True)
    assert parse_eligibility_policy(got, "file").name == "rule"
    assert hr.get("/hr/policies/rule.toml?name=rule&version=9").status_code == 404


days = st.dates().map(lambda day: day.isoformat())
names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1)
words = names.filter(lambda text: "," not in text)


@st.composite
def criteria(draw) -> Criterion:
    method = draw(st.sampled_from(METHODS))
    offices = draw(st.sampled_from(OFFICE_SETS))
    return Criterion(
        limit=draw(st.floats(1e-3, 1e6)),
        unit="min" if method == "road_time" else draw(st.sampled_from(["mi", "km"])),
        comparison=draw(st.sampled_from(sorted(COMPARISONS))),
        method=method,
        origin=draw(st.sampled_from(ORIGINS)) if method == "geodesic" else "office",
        offices=offices,
        approved=tuple(draw(st.lists(words, min_size=1, max_size=3)))
        if offices == "approved"
        else (),
        roles=tuple(draw(st.lists(words, max_size=2))),
    )


@st.composite
def rules(draw) -> EligibilityPolicy:
    standing = st.builds(Grandfathering, days, st.sampled_from([("home",), ("home", "role")]))
    return EligibilityPolicy(
        draw(names),
        draw(names),
        draw(days),
        tuple(draw(st.lists(criteria(), min_size=1, max_size=3))),
        review_band_m=draw(st.sampled_from([0.0, 804.672, 1000.0, 0.1])),
        minimum_precision=draw(st.sampled_from(PRECISIONS)),
        grandfathering=draw(st.none() | standing),
    )


@given(rules())
def test_a_rule_is_the_same_after_its_file_and_after_the_form(rule):
    assert parse_eligibility_policy(policy_text(rule), "file") == rule
    assert policy_form.of_policy(rule).policy() == rule


def test_the_form_offers_all_that_a_policy_may_say():
    known = {"unit": UNITS, "comparison": COMPARISONS, "method": METHODS, "origin": ORIGINS,
             "offices": OFFICE_SETS, "minimum_precision": PRECISIONS}  # fmt: skip
    assert {name: set(told) for name, told in policy_form.CHOICES.items()} == {
        name: set(values) for name, values in known.items()
    }


def plan(client: FlaskClient, **fields: object) -> TestResponse:
    return press(client, "/hr/planning", **fields)


def test_a_plan_counts_who_gains_and_loses_and_names_nobody(app, hr):
    decide_people(app, {"E-11": 75, "E-12": 76})  # five stay out: as many as it takes to be shown
    page = Page(plan(hr, close="west"))
    told = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in page.rows["tbody"]}
    assert told["Loses eligibility"][0] == "5"  # 7, rounded down
    assert told["Loses eligibility"][-1] == "5 through West"
    assert told["Gains eligibility"][0] == "0"
    assert page.rows["tfoot"][0][1].strip() == "10"
    assert not any(person in page.text for person in MILES)


def test_counts_below_the_cell_size_are_not_shown_nor_what_would_tell_them(hr):
    # Two of the three that are too far live near enough to the new office.
    page = Page(plan(hr, **{"open-1": "Third", "at-1": f"{LAT}, {LON + 2.2}"}))
    told = {row[0].strip(): row[1].strip() for row in page.rows["tbody"]}
    assert told["Gains eligibility"] == "not shown"
    assert told["Stays not eligible"] == "not shown"
    assert "some (not shown) gain eligibility" in page.text


def test_a_new_office_may_be_told_by_a_zip_code_and_a_place_nobody_knows_is_told(hr):
    page = Page(plan(hr, **{"open-1": "Boise", "at-1": "83702"}))
    assert "taken at its centre: Boise" in page.text
    lost = plan(hr, **{"open-1": "Nowhere", "at-1": "99999", "open-2": "Boise", "at-2": "83702"})
    assert lost.status_code == 400
    assert "Nowhere: the place was not found" in Page(lost).text
    assert "The plan changes nothing" in Page(plan(hr)).text


def self_checking(folder: Path, **more: object) -> Flask:
    return hr_app(folder, self_check=True, **more)


def ask(client: FlaskClient, zip_code: str) -> TestResponse:
    data = {"csrf_token": token(client, "/self-check"), "zip": zip_code}
    return client.post("/self-check", data=data)


def test_the_self_check_is_nowhere_unless_it_is_opened(app):
    stranger = app.test_client()
    assert stranger.get("/self-check").status_code == 404


def test_the_self_check_answers_anybody_and_stores_nothing(tmp_path):
    app = self_checking(tmp_path)
    stranger = app.test_client()
    page = Page(ask(stranger, "80202"))
    assert "Not eligible" in page.text
    assert "This is no decision" in page.text
    assert "unknown" in Page(ask(stranger, "99999")).text
    wrong = ask(stranger, "4711 Quokka Boulevard")
    assert wrong.status_code == 400
    assert "Quokka" not in wrong.get_data(as_text=True)
    assert decisions(app) == 0
    with open_homes(app.config["TERRITORY"].eligibility.homes_url) as homes:
        assert homes.size() == 0


def test_the_self_check_goes_on_when_a_second_policy_is_published(tmp_path):
    app = self_checking(tmp_path)
    stranger = app.test_client()
    before = Page(ask(stranger, "67654")).text
    assert "Eligible" in before
    strict = policy(Criterion(1.0), name="a stricter one")
    with store_of(app) as store:
        desk.save_policy(store, strict, by="hr", now=NOW)
        desk.publish_policy(store, strict.name, strict.version, by="hr", now=NOW)
    assert Page(ask(stranger, "67654")).text == before  # the one published first goes on


def test_the_self_check_asks_hr_where_no_rule_can_be_told(tmp_path):
    app = self_checking(tmp_path, self_check_policy="other")
    answer = ask(app.test_client(), "80202")
    assert answer.status_code == 503
    assert "Nothing can be checked here at the moment. Ask HR." in Page(answer).text


def test_who_asks_the_self_check_too_often_is_told_to_wait(tmp_path):
    stranger = self_checking(tmp_path, rate_limits=True).test_client()
    form = token(stranger, "/self-check")
    asked = [
        stranger.post("/self-check", data={"csrf_token": form, "zip": "80202"}).status_code
        for _ in range(21)
    ]
    assert asked == [200] * 20 + [429]


def bearer(app: Flask, role: str = "hr", *scopes: str) -> dict[str, str]:
    with store_of(app) as store:
        made = api_tokens.new_token(
            store, app.config["PEOPLE"][role], name="program", by="tests", now=NOW,
            scopes=scopes or ["decide_eligibility"], lifetime=timedelta(days=1),
        )  # fmt: skip
    return {"Authorization": f"Bearer {made.secret}"}


def call(app: Flask, headers: dict[str, str], body: object) -> TestResponse:
    return app.test_client().post("/api/v1/eligibility", json=body, headers=headers)


def test_a_program_decides_with_a_token_and_the_decision_is_on_record(app, hr):
    answer = call(app, bearer(app), {"home": {**HOME, "person_id": "P-1"}, "on": "2026-11-20"})
    assert answer.status_code == 201
    told = answer.json
    assert told["decision"] == "eligible"
    assert told["distance_class"] == "0 to 10 miles"
    assert told["decided_on"] == "2026-11-20"
    assert told["address_kept_until"] == "2027-02-21"
    assert decisions(app) == 11
    assert f"{told['decision_id']} " in Page(hr.get(f"/hr/decisions/{told['decision_id']}")).text
    assert "distance_m" not in answer.get_data(as_text=True)


def test_a_home_that_cannot_be_decided_is_an_answer_with_a_remedy(app):
    told = call(app, bearer(app), {"home": {"postal_code": "99999"}}).json
    assert told["decision"] == "cannot decide"
    assert told["remedy"].startswith("Correct the ZIP code.")
    assert told["address_kept_until"] is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "Send JSON"),
        ({}, "home: give an object"),
        ({"home": {}}, "No home is given"),
        ({"home": {"postal_code": 80202}}, "home: postal_code must be texts"),
        ({"home": {"lat": True, "lon": 1}}, "home: lat must be texts"),
        ({"home": {"quokka": "x"}}, "home: 1 unknown names"),
        ({"home": HOME, "quokka": 1}, "body: 1 unknown names"),
        ({"home": HOME, "on": "quokka"}, "on: that is no day"),
        ({"home": {**HOME, "person_id": "Jo Quokka"}}, "The reference of the person is no id"),
        ({"home": {"city": "quokka" * 100}}, "home: city must be texts"),
    ],
)
def test_what_is_wrong_with_a_call_is_told_and_no_value_of_it_repeated(app, body, words):
    answer = call(app, bearer(app), body)
    assert answer.status_code == 400
    assert words in answer.json["error"]["message"]
    assert "uokka" not in answer.get_data(as_text=True)
    assert decisions(app) == 10


def test_json_nested_beyond_reason_is_refused(app):
    nested = "[" * 30_000 + "]" * 30_000
    headers = {**bearer(app), "Content-Type": "application/json"}
    answer = app.test_client().post("/api/v1/eligibility", headers=headers, data=nested)
    assert answer.status_code == 400
    assert "Send JSON" in answer.json["error"]["message"]


def test_nobody_decides_without_a_token_of_hr_that_says_so(app, hr):
    body = {"home": HOME}
    assert call(app, {}, body).status_code in {401, 403}
    assert call(app, {"Authorization": "Bearer nonsense"}, body).status_code == 401
    assert call(app, bearer(app, "hr", "see_sums"), body).status_code == 403
    assert call(app, bearer(app, "ops", "see_sums"), body).status_code == 403
    # A page of another site could send the cookie of whoever is signed in.
    assert hr.post("/api/v1/eligibility", json=body).status_code == 403
    assert decisions(app) == 10


def test_a_token_that_decides_opens_no_page_of_hr(app):
    client, told = app.test_client(), bearer(app)
    for path in ("/hr/batches", "/hr/policies", "/hr/planning"):
        assert client.get(path, headers=told).status_code == 403


@pytest.mark.parametrize("role", ["admin", "ops", "viewer"])
def test_nobody_but_hr_sees_rules_and_plans(app, role):
    other = come_as(app, role)
    for path in ("/hr/policies", EDIT, "/hr/policies/publish", "/hr/planning"):
        assert other.get(path).status_code == 403
    assert press(other, EDIT, action="test").status_code == 403
