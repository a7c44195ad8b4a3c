"""The desk of HR on its pages: check, find again, print, except and purge; no home leaves it."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from territory.eligibility import desk
from territory.eligibility.decision import verify
from territory.eligibility.homes import open_homes
from territory.store import open_store
from tests.fixtures.desk import add_users, check, desk_app, hr_of, send
from tests.fixtures.eligibility_stores import NOW, Desk, add_offices, point
from tests.fixtures.reading import Page
from tests.fixtures.web import make_app, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

# Norton in Kansas is some miles from the office West.
STREET, TOWN, ZIP = "1742 Canary Lane", "Norton", "67654"
LAT, LON = "40.0123456", "-99.8765432"
CANARIES = (STREET, "Canary", ZIP, LAT, LON, "40.01234", "99.87654", "40.0123", "99.8765")
MAP_DATA = re.compile(r'<script type="application/json" id="home-check">(.*?)</script>', re.DOTALL)


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return desk_app(tmp_path)


@pytest.fixture
def hr(app: Flask) -> FlaskClient:
    return hr_of(app)


@pytest.fixture
def here(app: Flask, tmp_path: Path) -> Iterator[Desk]:
    with (
        open_store(app.config["TERRITORY"].store_url) as store,
        open_homes(app.config["TERRITORY"].eligibility.homes_url) as homes,
    ):
        yield Desk(store, homes, tmp_path)


def coordinates(miles: float) -> str:
    home = point(miles)
    return f"{home['lat']}, {home['lon']}"


def map_data(response: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(MAP_DATA.search(response.text)[1])
    return found


def one_decision(hr: FlaskClient, home: str, person: str = "E-1") -> str:
    """Check a home and give the page of its decision."""
    return next(
        link for link in Page(check(hr, home, person)).links
        if re.fullmatch(r"/hr/decisions/E-\d+-\d+", link)
    )  # fmt: skip


# --- check ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("home", "word", "says", "remedy"),
    [
        (f"{STREET}, {TOWN}, KS {ZIP}", "Eligible", "inside the 50-mile limit", None),
        (coordinates(31.2), "Eligible", "31.2 miles (straight line) from West", None),
        (coordinates(49.96), "Eligible", "49.96 miles", None),
        (coordinates(70), "Not eligible", "70.0 miles (straight line) from West", None),
        ("67601", "Not eligible", "beyond the 50-mile limit", None),
        ("69025", "Too close to call", "on either side of the 50-mile limit",
         "What would settle it. The latitude and longitude"),
        (f"PO Box 12, {TOWN}, KS {ZIP}", "Cannot decide", "A PO box is not a home address.",
         "What to do. Give the latitude"),
        (STREET, "Cannot decide", "streets are not looked up here", "What to do. Add the ZIP code"),
        ("00000", "Cannot decide", "The ZIP code is unknown", "Correct the ZIP code"),
        ("0, 0", "Cannot decide", "0, 0 is a placeholder", "What to do."),
        ("Denver, CO 67654", "Cannot decide", "ZIP code and state disagree", "Correct the ZIP"),
    ],
)  # fmt: skip
def test_a_home_gets_a_word_a_sentence_and_what_would_settle_it(hr, home, word, says, remedy):
    page = Page(check(hr, home, "E-1"))
    assert f" {word} " in page.text
    assert says in page.text
    assert ("What would settle it." in page.text or "What to do." in page.text) == bool(remedy)
    assert (remedy or "") in page.text
    assert "E-2026-000001" in page.text
    assert "Feb 21, 2027 (in 90 days)" in page.text


def test_the_line_says_in_words_what_it_draws(hr):
    text = check(hr, coordinates(31.2)).text
    assert 'aria-label="The home is 31.2 miles away; the limit 50 mi"' in text
    assert 'class="limit-line' not in check(hr, "00000").text


def test_the_page_says_how_the_line_was_read(hr):
    told = Page(check(hr, f"{STREET}, {TOWN}, KS {ZIP}")).text
    assert f"Read as street {STREET}, city {TOWN}, state KS, ZIP {ZIP}" in told


def test_without_a_reference_nothing_is_kept_of_the_home(hr, here):
    assert "not kept: no reference was given" in Page(check(hr, ZIP)).text
    assert here.homes.size() == 0
    check(hr, ZIP, "E-1")
    assert here.homes.size() == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"home": ZIP, "person_id": "Jane Doe"}, "The reference of the person is no id"),
        ({"home": "", "person_id": "E-1"}, "No home is given"),
        ({"home": ZIP, "on": "tomorrow"}, "Decided for: that is no day"),
    ],
)
def test_what_cannot_be_asked_is_said_beside_the_field_and_nothing_is_on_record(
    hr, here, fields, says
):
    response = send(hr, "/hr", **fields)
    assert response.status_code == 400
    alert = re.search(r'<p class="alert"[^>]*>(.*?)</p>', response.text)[1]
    assert says in alert
    assert not [text for text in fields.values() if text and text in alert]
    assert f'value="{fields["home"]}"' in response.text  # and nothing has to be typed again
    assert desk.search_decisions(here.store)[1] == here.homes.size() == 0


def test_role_office_and_days_of_the_person_reach_the_record(hr, here):
    check(hr, ZIP, "E-1", role="engineer", assigned_office_id="west", home_since="2026-01-31",
          on="2026-11-20")  # fmt: skip
    asked = desk.decision_record(here.store, "E-2026-000001")["asked"]
    assert asked["circumstances"] == {
        "role": "engineer", "assigned_office_id": "west", "home_since": "2026-01-31"
    }  # fmt: skip
    assert (asked["on"], asked["subject"]) == ("2026-11-20", "E-1")
    assert asked["by"] == hr.application.config["PEOPLE"]["hr"]


def test_the_map_has_office_ring_circle_and_home_and_nothing_else(hr):
    drawn = map_data(check(hr, ZIP))
    assert set(drawn) == {"office", "ring", "ring_words", "home", "area", "frame"}
    assert drawn["office"] == {"name": "West office", "lat": 40.0, "lon": -100.0}
    assert drawn["home"]["words"] == "Home (ZIP code)"
    assert set(map_data(hr.get("/hr"))) == set(map_data(check(hr, "00000"))) == {"frame"}


def test_the_script_of_the_map_is_the_same_for_every_home(hr):
    pages = [hr.get("/hr"), check(hr, ZIP), check(hr, coordinates(70))]
    scripts = {re.search(r'src="(/hr/map.js[^"]*)"', page.text)[1] for page in pages}
    assert len(scripts) == 1
    script = hr.get(scripts.pop())
    assert "homeCheck(" in script.text
    assert not [place for place in ("-100.0", *CANARIES) if place in script.text]
    assert "/tiles/" in script.text
    assert '"maxNativeZoom": 9' in script.text


def test_an_office_with_an_evil_name_stays_a_text(app, hr, here):
    name = "</script><script>alert(1)</script>"
    add_offices(here.store, {"office_id": "evil", "name": name, "lon": -99.88, "lat": 39.83})
    response = check(hr, ZIP)
    assert map_data(response)["office"]["name"] == f"{name} office"
    assert name not in response.text
    assert name in Page(response).text


def test_without_a_policy_the_page_says_what_to_do(tmp_path):
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    with open_store(url) as store:
        ids = add_users(store)
    app = make_app(url, tmp_path, sign_in=True, rate_limits=False, now=lambda: NOW)
    told = Page(sign_in(app, ids["hr"]).get("/hr")).text
    assert "No policy is in force today" in told


# --- nothing leaks --------------------------------------------------------------------------------


def test_no_home_is_in_an_address_a_header_a_log_another_page_or_another_file(
    app, hr, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    answers, asked = [], []
    address = f"{STREET}, {TOWN}, KS {ZIP}"
    for home, person in ((address, "E-1"), (f"{LAT}, {LON}", "E-2"), (f"Box 7, {address}", "E-3")):
        answers.append(check(hr, home, person))
        assert home in answers[-1].text  # in the page of the answer, for whoever typed it
    answers.append(check(hr, address, address))
    answers.append(send(hr, "/hr/decisions", person=address))
    answers.append(send(hr, "/hr/purge/ask", subject=address))
    answers.append(send(hr, "/hr/purge", subject=address))
    answers.append(send(hr, "/hr/exceptions", **{**GRANT, "person_id": address}))
    pages = ["/hr", "/hr/decisions", "/hr/exceptions", "/hr/purge"]
    for number in (1, 2, 3):
        one = f"/hr/decisions/E-2026-00000{number}"
        pages += [one, f"{one}/certificate", f"{one}/certificate?distances=exact"]
        pages.append(f"{one}/record.json")
    for path in pages:
        response = hr.get(path)
        assert response.status_code == 200, path
        assert not [canary for canary in CANARIES if canary in response.text], path
        answers.append(response)
    for response in answers:
        asked.append(response.request.url)
        told = f"{response.request.url} {response.headers}"
        told += "".join(re.findall(r"<title>.*?</title>|<(?:a|form|script|link)\b[^>]*>|"
                                   r'<p class="alert.*?</p>', response.text))  # fmt: skip
        assert not [canary for canary in CANARIES if canary in told], told
    assert not [canary for canary in CANARIES if canary in caplog.text]
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file() and not path.name.startswith("homes.sqlite"):
            found = [canary for canary in CANARIES if canary.encode() in path.read_bytes()]
            # A ZIP of five digits or a short number may stand in a digest by chance.
            assert not [canary for canary in found if len(canary) > 7], path


def test_pages_of_the_desk_are_kept_by_no_browser(hr):
    check(hr, ZIP, "E-1")
    for path in ("/hr", "/hr/decisions", "/hr/decisions/E-2026-000001", "/hr/exceptions",
                 "/hr/purge", "/hr/decisions/E-2026-000001/record.json"):  # fmt: skip
        assert hr.get(path).headers["Cache-Control"] == "no-store", path
    assert check(hr, ZIP).headers["Cache-Control"] == "no-store"


# --- find again -----------------------------------------------------------------------------------


def test_decisions_are_counted_filtered_and_paged(hr, here):
    here.decide_many({f"E-{n}": 10 if n % 3 else 70 for n in range(60)})
    first = Page(hr.get("/hr/decisions"))
    assert "50 of 60 decisions" in first.text.replace("\xa0", " ")
    assert "Rows 1 to 50 of 60" in first.text
    assert "Eligible 40 Not eligible 20 Too close to call 0 Cannot decide 0" in first.text
    second = Page(hr.get("/hr/decisions?page=2"))
    assert len(second.rows["tbody"]) == 10
    assert second.rows["tbody"][-1][0].strip() == "E-2026-000001"
    only = Page(hr.get("/hr/decisions?verdict=not+eligible"))
    assert len(only.rows["tbody"]) == 20
    assert "All 60" in only.text
    assert Page(hr.get("/hr/decisions?from=2026-11-24")).rows["tbody"] == []
    assert len(Page(hr.get("/hr/decisions?until=2026-11-23&policy=rule")).rows["tbody"]) == 50


@pytest.mark.parametrize("query", ["verdict=maybe", "from=soon", "until=1742+Canary", "page=x"])
def test_a_search_that_is_none_is_refused(hr, query):
    response = hr.get(f"/hr/decisions?{query}")
    assert response.status_code == 400
    assert "Canary" not in response.text


def test_a_search_puts_no_reference_of_a_person_into_an_address(hr, here):
    here.decide("E-1042", 10)
    found = send(hr, "/hr/decisions", person=" E-1042 ", verdict="eligible")
    assert found.status_code == 200
    assert "E-1042" in found.text
    assert "person=" not in found.text
    for part in ("104", "e-10", "-1042", "\uff11\uff10\uff14"):
        assert "1 of 1 decision about" in Page(send(hr, "/hr/decisions", person=part)).text, part
    by_id = send(hr, "/hr/decisions", person="E-2026-000001")
    assert by_id.location == "/hr/decisions/E-2026-000001"
    for unknown in ("E-9", ZIP, f"{STREET}, {TOWN}", "Jane Doe"):
        response = send(hr, "/hr/decisions", person=unknown)
        assert response.status_code == 404
        assert "Location" not in response.headers
        assert unknown not in response.text


# --- one decision ---------------------------------------------------------------------------------


def test_a_decision_shows_its_record_and_that_it_stands(hr):
    page = Page(hr.get(one_decision(hr, coordinates(31.2))))
    assert "31.2 miles (straight line) from West" in page.text
    assert "The decision follows from the recorded facts, and nothing was changed." in page.text
    assert "measuring again gives the same distances" in page.text
    assert "Asked by Hr" in page.text  # who asked, by name
    assert hr.get("/hr/decisions/E-2026-000099").status_code == 404


def test_the_record_that_is_handed_out_can_be_decided_again(hr):
    path = one_decision(hr, ZIP)
    response = hr.get(f"{path}/record.json")
    assert verify(response.get_json()) == ()
    assert response.headers["Content-Disposition"].endswith('E-2026-000001.json"')
    tampered = response.get_json()
    tampered["decision"]["decision"] = "not eligible"
    assert verify(tampered)


def test_a_certificate_tells_the_distance_in_a_class_unless_asked(hr):
    path = one_decision(hr, coordinates(31.2))
    classed = Page(hr.get(f"{path}/certificate"))
    assert "31.2" not in classed.text
    assert "25 to 50 miles" in classed.text
    assert "Within the 50-mile limit of West." in classed.text
    exact = Page(hr.get(f"{path}/certificate?distances=exact"))
    assert "31.2 miles" in exact.text
    for page in (classed, exact):
        assert "Record SHA-256" in page.text
        assert "Signature" in page.text
        assert "The home address is no part of this record" in page.text
        assert "territory eligibility" not in page.text  # a command is nothing to a web user


# --- exceptions -----------------------------------------------------------------------------------

GRANT = {
    "person_id": "E-7", "policy": "rule", "reason": "hardship", "approver": "J. Doe",
    "granted_on": "2026-11-01", "expires_on": "2027-06-30",
}  # fmt: skip


def test_an_exception_is_granted_used_and_taken_back(hr):
    assert "Not eligible" in Page(check(hr, coordinates(70), "E-7")).text
    granted = send(hr, "/hr/exceptions", **GRANT)
    assert granted.status_code == 303
    listed = Page(hr.get(granted.location))
    assert "1 of 1" in listed.text
    assert "X-1 granted" in listed.text
    assert "hardship" in listed.text
    excepted = Page(check(hr, coordinates(70), "E-7"))
    assert " Eligible " in excepted.text
    assert "By an exception granted on 2026-11-01" in excepted.text
    # Neither the reason nor the approver is anybody's but HR's.
    certificate = Page(hr.get("/hr/decisions/E-2026-000002/certificate")).text
    assert "hardship" not in certificate
    assert "J. Doe" not in certificate
    back = send(hr, "/hr/exceptions/X-1/revoke")
    assert "X-1 is taken back" in Page(hr.get(back.location)).text
    assert "0 of 1" in Page(hr.get("/hr/exceptions")).text
    assert send(hr, "/hr/exceptions/X-1/revoke").status_code == 409
    assert send(hr, "/hr/exceptions/X-9/revoke").status_code == 404


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": " ", "approver": ""}, "Reason, Approved by: fill in every field"),
        ({"person_id": "Jane Doe"}, "The reference of the person is no id"),
        ({"expires_on": "2026-01-01"}, "is not after"),
        ({"expires_on": "never"}, "Ends before: that is no day"),
    ],
)
def test_an_exception_that_is_not_whole_is_refused_with_all_that_was_typed(hr, change, says):
    response = send(hr, "/hr/exceptions", **{**GRANT, **change})
    assert response.status_code == 400
    assert says in Page(response).text
    assert 'value="2026-11-01"' in response.text
    assert "No exception was ever granted" in Page(hr.get("/hr/exceptions")).text


# --- purge ----------------------------------------------------------------------------------------


def test_a_purge_is_asked_about_first_and_leaves_the_decision_standing(hr, here):
    path = one_decision(hr, ZIP)
    check(hr, coordinates(10), "E-1")
    check(hr, ZIP, "E-2")
    told = Page(send(hr, "/hr/purge/ask", subject="E-1")).text.replace("\xa0", " ")
    assert "2 homes of E-1 will be deleted for good" in told
    assert "2 decisions stay on record" in told
    assert here.homes.size() == 3
    assert "2 homes purged, 1 still held" in Page(send(hr, "/hr/purge", subject="E-1")).text
    assert here.homes.size() == 1
    page = Page(hr.get(path)).text
    assert "The decision follows from the recorded facts" in page
    assert "Its home was purged on request" in page
    assert "Purge the homes" not in page
    assert "No home of E-1 is held" in Page(send(hr, "/hr/purge/ask", subject="E-1")).text


def test_a_purge_by_age_deletes_what_is_due_only(hr, here):
    here.decide("E-1", 10, now=NOW.replace(year=2025))
    check(hr, ZIP, "E-2")
    assert (
        "Every home whose time is over on 2026-11-23"
        in Page(send(hr, "/hr/purge/ask", due="yes")).text
    )
    assert here.homes.size() == 2
    assert "1 homes purged, 1 still held" in Page(send(hr, "/hr/purge", due="yes")).text
    assert here.homes.find_by_subject(["E-2"])["subject"].tolist() == ["E-2"]


def test_a_name_is_never_purged_by_and_never_repeated(hr):
    for path in ("/hr/purge/ask", "/hr/purge"):
        response = send(hr, path, subject="Jane Doe")
        assert response.status_code == 400
        assert "Jane" not in response.text


@pytest.mark.parametrize("name", ["admin", "ops", "viewer"])
def test_nobody_but_hr_gets_in(app, name):
    client = sign_in(app, app.config["PEOPLE"][name])
    for path in ("/hr", "/hr/decisions", "/hr/decisions/E-2026-000001", "/hr/exceptions",
                 "/hr/purge", "/hr/map.js"):  # fmt: skip
        assert client.get(path).status_code == 403, path
