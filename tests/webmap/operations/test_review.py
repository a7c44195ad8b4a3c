"""Rows whose place needs a person, and pairs that may be one company: settled and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from territory.geocoding import review
from territory.plans import publish
from territory.policy import GeocodingPolicy, OnlinePolicy, Policy, ProviderPolicy
from territory.store import open_store
from tests.fixtures.geocoder_server import geocoder
from tests.fixtures.importing import NOW, bring_in, own_app, press, work_off
from tests.fixtures.reading import Page

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

SETTLE = "/ops/places/prospects/settle"
TWINS = """\
Account ID,Account Name,City,State,ZIP,Website,Phone
T-1,Acme Bolts Inc.,Boise,ID,83702,https://acme-bolts.example,
T-2,ACME BOLTS,Boise,ID,83702,www.acme-bolts.example,
"""


@pytest.fixture
def app(demo_file: Path, tmp_path: Path) -> Flask:
    return own_app(demo_file, tmp_path)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser on the app, with the messy export imported."""
    client = app.test_client()
    bring_in(app, client)
    return client


def row(app: Flask, prospect_id: str = "A-2"):
    with open_store(app.config["TERRITORY"].store_url) as store, store.read() as transaction:
        found = transaction.table("prospects", prospect_id=prospect_id)
    return found.iloc[0] if len(found) else None


def places(app: Flask, prospect_id: str = "A-2"):
    with open_store(app.config["TERRITORY"].store_url) as store:
        return review.candidates(store, "prospects", prospect_id)


def test_the_list_says_n_of_m_and_opens_its_first_row(app, client):
    page = Page(client.get("/ops/places"))
    with open_store(app.config["TERRITORY"].store_url) as store:
        listed = review.work_list(store)
    assert f"{listed.total} of {sum(listed.counts.values()):,} prospects to review" in page.text
    assert len(page.rows["tbody"]) == listed.total
    assert listed.rows["geocode_note"].iloc[0][1:] in page.text  # the first letter is a capital
    scripts = [given["src"] for tag, given in page.tags if tag == "script"]
    assert any("/ops/places/prospects/map.js" in source for source in scripts)


def test_the_places_it_could_be_are_choices_with_position_and_uncertainty(app, client):
    page = Page(client.get("/ops/places?row=A-2"))
    found = places(app)
    shown = [given for tag, given in page.tags if tag == "input" and "data-candidate" in given]
    assert [one["value"] for one in shown] == found["candidate_id"].tolist()
    assert [float(one["data-lon"]) for one in shown] == found["lon"].tolist()
    assert [float(one["data-radius"]) for one in shown] == found["uncertainty_m"].tolist()


def test_the_map_of_a_row_is_a_script_of_its_own_named_by_its_content(client):
    page = Page(client.get("/ops/places?row=A-2"))
    source = next(given["src"] for _, given in page.tags if "map.js" in (given.get("src") or ""))
    response = client.get(source)
    assert "placePicker(map_" in response.text
    assert "immutable" in response.headers["Cache-Control"]
    assert "Fiserv" not in response.text
    assert client.get("/ops/places/wizards/map.js?row=A-2").status_code == 404
    assert client.get("/ops/places/prospects/map.js?row=nobody").status_code == 404


def test_a_candidate_is_accepted_and_taken_back(app, client):
    before = row(app)
    chosen = places(app).iloc[-1]
    response = press(
        client, SETTLE, subject_id="A-2", verb="choice", choice=chosen["candidate_id"], after="A-3"
    )
    assert "row=A-3" in response.location
    assert (row(app)["lon"], row(app)["lat"]) == (chosen["lon"], chosen["lat"])
    assert row(app)["placement"] in {"placed", "approximate"}
    page = Page(client.get(response.location))
    assert "A-2 accepted" in page.text
    assert "Undo" in page.text
    press(client, SETTLE, subject_id="A-2", verb="forget")
    assert row(app).equals(before)


def test_a_pin_puts_a_row_where_it_stands_and_says_who_put_it_there(app, client):
    press(client, SETTLE, subject_id="A-2", choice="pin", lat="43.1", lon="−88.2")
    placed = row(app)
    assert (placed["lat"], placed["lon"], placed["placement"]) == (43.1, -88.2, "placed")
    page = Page(client.get("/ops/places?row=A-2"))
    assert "Decided by" in page.text


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        ("here", "1", "Latitude: enter degrees such as 43.0336, not 'here'"),
        ("", "", "Latitude: enter degrees such as 43.0336, not ''"),
        ("95", "1", "off the globe"),
        ("nan", "1", "globe"),
    ],
)
def test_a_pin_that_is_no_point_is_refused_by_its_value(app, client, lat, lon, words):
    before = row(app)
    response = press(client, SETTLE, subject_id="A-2", choice="pin", lat=lat, lon=lon)
    assert response.status_code == 400
    assert words in Page(response).text
    assert row(app).equals(before)


def test_a_wrong_field_is_told_beside_it_and_nothing_typed_is_lost(client):
    pin = {
        "choice": "pin",
        "lat": "43.1 N",
        "lon": "-88.25",
        "page": "oops",
        "street": "9 New Road",
    }
    text = press(client, SETTLE, subject_id="A-2", **pin).get_data(as_text=True)
    assert 'value="43.1 N" aria-invalid="true" aria-describedby="wrong"' in text
    assert 'value="-88.25"' in text
    assert 'value="9 New Road"' in text
    assert 'value="pin" checked' in text
    address = {"choice": "address", "street": "9 New Road", "city": "", "state": "", "country": ""}
    response = press(client, SETTLE, subject_id="A-2", postal_code="", **address)
    assert response.status_code == 400
    assert 'value="9 New Road" aria-invalid="true"' in response.get_data(as_text=True)
    assert "An address needs a ZIP code" in Page(response).text


def test_a_corrected_address_places_the_row_and_leaves_the_file_alone(app, client):
    press(client, SETTLE, subject_id="A-2", choice="address", city="Brookfield", state="WI",
          postal_code="53045", street="255 Fiserv Drive", country="US")  # fmt: skip
    placed = row(app)
    assert placed["postal_code"] == "53405"
    assert placed["placement"] != "conflict"


def test_what_is_not_a_place_leaves_the_list_and_is_found_under_its_own(app, client):
    press(client, SETTLE, subject_id="A-2", verb="no_place")
    assert "A-2" not in Page(client.get("/ops/places")).rows["tbody"][0][0]
    marked = Page(client.get("/ops/places?placement=not_a_place"))
    assert "Two Places" in marked.rows["tbody"][0][0]
    assert "1 of 1" in marked.text


def test_the_same_file_again_leaves_a_decision_and_a_changed_address_ends_it(app, client):
    press(client, SETTLE, subject_id="A-2", choice="pin", lat="43.1", lon="-88.2")
    bring_in(app, client)
    assert row(app)["lat"] == 43.1


def test_nothing_chosen_or_nobody_known_is_told(client):
    assert "Choose one of the places" in Page(press(client, SETTLE, subject_id="A-2")).text
    assert press(client, SETTLE, subject_id="nobody", verb="no_place").status_code == 404
    assert press(client, SETTLE, subject_id="A-2", verb="explode").status_code == 400
    assert press(client, "/ops/places/wizards/settle", subject_id="A-2").status_code == 404
    assert press(client, SETTLE, subject_id="A-2", verb="forget").status_code == 409
    assert client.get("/ops/places?row=nobody").status_code == 404


@pytest.mark.parametrize("query", ["kind=reps", "placement=lost", "page=0"])
def test_a_list_that_there_is_not_is_refused(client, query):
    assert client.get(f"/ops/places?{query}").status_code == 400


def test_words_find_a_row_and_no_match_offers_a_way_out(client):
    assert len(Page(client.get("/ops/places?q=two+places")).rows["tbody"]) == 1
    page = Page(client.get("/ops/places?q=zzzz"))
    assert "Remove “zzzz”" in page.text


def test_nobody_is_asked_online_unless_the_policy_names_a_provider(client):
    response = press(client, "/ops/places/prospects/geocode")
    assert response.status_code == 400
    assert "names no online geocoder" in Page(response).text


# ---- duplicates


@pytest.fixture
def twins(app: Flask) -> FlaskClient:
    client = app.test_client()
    bring_in(app, client, TWINS)
    return client


def pair(client: FlaskClient) -> tuple[str, str]:
    """The ids of the pair that the page offers to merge: the one kept, the one that goes."""
    link = next(link for link in Page(client.get("/ops/duplicates")).links if "merged=T-" in link)
    told = dict(part.split("=") for part in link.split("?")[1].split("&"))
    return told["kept"], told["merged"]


def test_a_pair_is_shown_with_its_evidence_side_by_side(twins):
    page = Page(twins.get("/ops/duplicates"))
    assert "same" in page.text
    assert "Acme Bolts Inc." in page.text
    assert "ACME BOLTS" in page.text
    assert sorted(pair(twins)) == ["T-1", "T-2"]


def test_a_pair_is_merged_after_saying_what_that_does_and_taken_back(app, twins):
    kept, merged = pair(twins)
    before = {name: row(app, name) for name in (kept, merged)}
    asked = Page(twins.get(f"/ops/duplicates/merge?kept={kept}&merged={merged}"))
    assert f"Merge {merged} into {kept}" in asked.text
    assert row(app, merged) is not None  # asking is not doing
    press(twins, "/ops/duplicates", verb="merge", kept=kept, merged=merged)
    assert row(app, merged) is None
    assert f"{merged} merged into {kept}" in Page(twins.get("/ops/duplicates")).text
    press(twins, "/ops/duplicates", verb="unmerge", kept=kept, merged=merged)
    assert all(row(app, name).equals(held) for name, held in before.items())


def test_a_pair_that_is_kept_apart_is_not_proposed_until_it_is_reconsidered(twins):
    kept, merged = pair(twins)
    press(twins, "/ops/duplicates", verb="apart", kept=kept, merged=merged)
    page = Page(twins.get("/ops/duplicates"))
    assert "are not duplicates" in page.text
    assert not [link for link in page.links if "merged=T-" in link]
    press(twins, "/ops/duplicates", verb="reconsider", kept=kept, merged=merged)
    assert sorted(pair(twins)) == ["T-1", "T-2"]


def test_a_pair_that_there_is_not_is_told(twins):
    assert twins.get("/ops/duplicates/merge?kept=T-1&merged=nobody").status_code == 404
    assert twins.get("/ops/duplicates/merge?kept=T-1&merged=T-1").status_code == 400
    assert (
        press(twins, "/ops/duplicates", verb="marry", kept="T-1", merged="T-2").status_code == 400
    )


def test_the_worker_asks_the_geocoder_that_the_policy_names(app, client):
    with geocoder() as server, open_store(app.config["TERRITORY"].store_url) as store:
        provider = ProviderPolicy(
            name="nominatim", domain=server.domain, scheme="http", min_delay_s=0, retries=0
        )
        online = OnlinePolicy(providers=(provider,), budget=3)
        policy = Policy(geocoding=GeocodingPolicy(online=online))
        publish.assign(store, published_by="Ops", now=NOW, policy=policy)
        assert "Ask nominatim" in Page(client.get("/ops/places")).text
        job = press(client, "/ops/places/prospects/geocode").location
        (done,) = work_off(app)
        assert done.outcome["sentence"] in Page(client.get(job)).text
        assert 0 < len(server.asked) <= 3
