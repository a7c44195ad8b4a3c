"""Notes, next steps and saved views on the pages: forms without a script, whose they are, words."""

from __future__ import annotations

import csv
import io
import json
import shutil
from urllib.parse import parse_qs, urlsplit

import pytest

from territory import reports
from territory.access import Scope, audit_log
from territory.accounts import ActivityLedger, activities_of
from territory.prospects.saved_view_ledger import SavedViewLedger
from territory.store import open_store
from tests.fixtures.hostile import TEXTS
from tests.fixtures.reading import Page, token
from tests.fixtures.web import NOW, REP_A, REP_B, add_people, make_app, sign_in

ALL = Scope.everything()
DAY = "2026-12-01"


@pytest.fixture(scope="module")
def desk(demo, tmp_path_factory):
    """The app with sign-in over a copy of the demo company, for these tests alone."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(demo.url.removeprefix("sqlite:///"), folder / "demo.sqlite")
    url = f"sqlite:///{folder}/demo.sqlite"
    with open_store(url) as store:
        ids = add_people(store)
    app = make_app(url, folder / "var", sign_in=True, rate_limits=False, now=lambda: NOW)
    app.config["PEOPLE"] = ids
    return app


@pytest.fixture(scope="module")
def as_(desk):
    clients = {}

    def give(name):
        if name not in clients:
            clients[name] = sign_in(desk, desk.config["PEOPLE"][name])
        return clients[name]

    return give


@pytest.fixture(scope="module")
def store(desk):
    with open_store(desk.config["TERRITORY"].store_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def accounts(store):
    """Accounts in a market of each of the two reps: {rep: [(prospect_id, market_id) ...]}."""
    everyone = reports.EXPORTS["prospects"](store, scope=ALL).dropna(subset="market_id")
    return {
        rep: list(
            everyone[everyone["rep_id"] == rep][["prospect_id", "market_id"]].itertuples(
                index=False, name=None
            )
        )
        for rep in (REP_A, REP_B)
    }


def post(client, path, **form):
    return client.post(path, data={"csrf_token": token(client, "/account"), **form})


def hidden(client, path, name, action) -> list[str]:
    """Read the hidden fields of one name in the forms of a page that lead to one action."""
    found, here = [], False
    for tag, given in Page(client.get(path)).tags:
        here = given.get("action") == action if tag == "form" else here
        if tag == "input" and here and given.get("name") == name:
            found.append(str(given["value"]))
    return found


def open_steps(store, prospect_id):
    return activities_of(store, prospect_id, scope=ALL).steps


def test_a_rep_notes_sets_replaces_and_ticks_by_forms_alone(as_, store, accounts):
    (prospect_id, market_id), client = accounts[REP_A][0], as_("rep_a")
    page, card = f"/prospects/{prospect_id}", f"/markets/{market_id}?prospect={prospect_id}"
    answer = post(client, f"{page}/notes", text="Called the buyer", next=card)
    assert (answer.status_code, answer.location) == (303, card)
    assert post(client, f"{page}/notes", text="And again").location == page
    step_form = f"{page}/next-step"
    post(client, step_form, words="Send the offer", due_on=DAY)
    first = open_steps(store, prospect_id)["step_id"].tolist()
    for address in (page, card):
        shown = Page(client.get(address)).text
        assert "Called the buyer Rep A, Nov 20, 2026, 12:00 PM UTC (just now)" in shown
        assert "Send the offer Dec 1, 2026 (in 8 days) set by Rep A" in shown
        assert hidden(client, address, "instead_of", step_form) == first
    post(client, step_form, words="Visit", due_on="2026-11-30", instead_of=first)
    (second,) = open_steps(store, prospect_id)["step_id"]
    assert "Send the offer Replaced by Rep A" in Page(client.get(page)).text
    post(client, f"/next-steps/{second}/done")
    shown = Page(client.get(page)).text
    assert "No next step yet." in shown
    assert "Visit Done by Rep A" in shown
    post(client, f"/next-steps/{second}/reopen")
    assert open_steps(store, prospect_id)["words"].tolist() == ["Visit"]


def test_what_is_refused_says_the_remedy_and_changes_nothing(as_, store, accounts):
    prospect_id, client = accounts[REP_A][1][0], as_("rep_a")
    path = f"/prospects/{prospect_id}"
    for where, form, status, words in (
        ("notes", {"text": " "}, 400, "Write what was done"),
        ("notes", {"text": "x" * 2001}, 400, "Shorten it by 1."),
        ("next-step", {"words": "Call", "due_on": "1.12."}, 400, "Write it as 2027-01-31"),
        ("next-step", {"words": "Call", "due_on": "2026-01-01"}, 400, "has passed"),
        ("next-step", {"words": "Call", "due_on": DAY, "instead_of": "step-1"}, 409, "meanwhile"),
    ):
        answer = post(client, f"{path}/{where}", **form)
        assert answer.status_code == status
        assert words in Page(answer).text
    told = activities_of(store, prospect_id, scope=ALL)
    assert (told.note_count, len(told.steps)) == (0, 0)


def test_another_rep_reads_and_writes_nothing_there(as_, store, accounts):
    prospect_id = accounts[REP_A][2][0]
    path = f"/prospects/{prospect_id}"
    post(as_("rep_a"), f"{path}/notes", text="for Rep A alone")
    post(as_("rep_a"), f"{path}/next-step", words="step of Rep A", due_on=DAY)
    (step_id,) = open_steps(store, prospect_id)["step_id"]
    (note_id,) = activities_of(store, prospect_id, scope=ALL).notes["note_id"]
    other = as_("rep_b")
    for answer in (
        post(other, f"{path}/notes", text="x"),
        post(other, f"{path}/next-step", words="x", due_on=DAY),
        post(other, f"/next-steps/{step_id}/done"),
        post(other, f"/next-steps/{step_id}/reopen"),
        post(other, f"/notes/{note_id}/take-back"),
    ):
        assert answer.status_code == 404
        assert "Rep A" not in answer.get_data(as_text=True)
    assert "Rep A" not in other.get("/next").get_data(as_text=True)
    for reader in ("manager", "ops"):
        assert "for Rep A alone" in as_(reader).get(path).get_data(as_text=True)
    assert post(as_("manager"), f"/notes/{note_id}/take-back").status_code == 403
    seen = Page(as_("viewer").get(path)).text
    assert "Next step and notes Not available in your role." in seen
    assert post(as_("viewer"), f"{path}/notes", text="x").status_code == 403
    told = activities_of(store, prospect_id, scope=ALL)
    assert (told.note_count, len(told.steps)) == (1, 1)


def test_an_author_takes_a_note_back_on_the_page(as_, store, accounts):
    prospect_id, client = accounts[REP_A][3][0], as_("rep_a")
    path = f"/prospects/{prospect_id}"
    post(client, f"{path}/notes", text="a slip")
    (note_id,) = activities_of(store, prospect_id, scope=ALL).notes["note_id"]
    assert f'action="/notes/{note_id}/take-back"' in client.get(path).get_data(as_text=True)
    assert f"/notes/{note_id}/" not in as_("ops").get(path).get_data(as_text=True)
    post(client, f"/notes/{note_id}/take-back")
    shown = Page(client.get(path)).text
    assert "a slip" not in shown
    assert "Deleted by its author" in shown


def test_the_card_shows_three_notes_and_says_of_how_many(as_, accounts):
    (prospect_id, market_id), client = accounts[REP_A][4], as_("rep_a")
    for n in range(5):
        post(client, f"/prospects/{prospect_id}/notes", text=f"note number {n}")
    card = Page(client.get(f"/markets/{market_id}?prospect={prospect_id}")).text
    assert "note number 4" in card
    assert "note number 1" not in card
    assert "3 of 5\N{NO-BREAK SPACE}notes".replace("\N{NO-BREAK SPACE}", " ") in card
    assert "note number 0" in Page(client.get(f"/prospects/{prospect_id}")).text


def test_next_steps_stand_by_day_overdue_first_with_counts_and_an_undo(as_, store, accounts):
    client = as_("rep_b")
    assert "No next steps yet" in Page(client.get("/next")).text
    days = ("2026-11-25", "2026-11-22", "2026-11-23")
    for (prospect_id, _), day in zip(accounts[REP_B], days, strict=False):
        post(client, f"/prospects/{prospect_id}/next-step", words=f"on {day}", due_on=day)
    page = Page(client.get("/next"))
    assert (
        f"1 overdue, 1 today, 1 later · 3 of {len_of(store, REP_B)} accounts have one" in page.text
    )
    groups = [row[0].strip() for row in page.rows["tbody"] if len(row) == 1]
    assert groups == [
        "Overdue Nov 22, 2026 (yesterday)", "Today Nov 23, 2026 (today)",
        "Nov 25, 2026 (in 2 days)",
    ]  # fmt: skip
    (step_id,) = open_steps(store, accounts[REP_B][1][0])["step_id"]
    answer = post(client, f"/next-steps/{step_id}/done", next="/next")
    assert answer.location.startswith("/next?")
    done = Page(client.get(answer.location)).text
    assert "on 2026-11-22 is done" in done
    assert "0 overdue" in done
    for about in ("3m", "no-such", accounts[REP_A][0][0]):
        answer = client.get(f"/next?did=step-1&about={about}")
        assert answer.status_code == 200
        assert "is done" not in Page(answer).text
    answer = post(client, f"/next-steps/{step_id}/reopen", next="/next")
    assert "1 overdue" in Page(client.get(answer.location)).text
    rows = list(csv.DictReader(io.StringIO(client.get("/next.csv").get_data(as_text=True))))
    assert [row["due_on"] for row in rows] == sorted(days)
    events = audit_log.search(store, action="rows.export", subject_kind="next_steps")[0]
    assert events["by"].tolist() == [client.application.config["PEOPLE"]["rep_b"]]


def test_a_step_about_what_left_the_plan_stands_without_a_link_and_can_be_ticked(as_, store):
    with store.write() as transaction:
        step_id = ActivityLedger(transaction).add_step("gone-1", "left over", DAY, at=DAY, by="x")
    assert "left over" not in Page(as_("rep_a").get("/next")).text
    page = Page(as_("ops").get("/next"))
    assert "gone-1 Not in the current plan" in page.text
    assert "/prospects/gone-1#work" not in page.links
    answer = post(as_("ops"), f"/next-steps/{step_id}/done", next="/next")
    assert as_("ops").get(answer.location).status_code == 200
    assert "left over" not in Page(as_("ops").get("/next")).text


def len_of(store, rep_id) -> str:
    everyone = reports.EXPORTS["prospects"](store, scope=ALL)
    return f"{int((everyone['rep_id'] == rep_id).sum()):,}"


def test_exports_of_a_market_carry_the_next_step_and_the_last_note(as_, accounts):
    (prospect_id, market_id), client = accounts[REP_A][5], as_("rep_a")
    post(client, f"/prospects/{prospect_id}/notes", text="=SUM(1)")
    post(client, f"/prospects/{prospect_id}/next-step", words="Call", due_on=DAY)
    text = client.get(f"/markets/{market_id}/prospects.csv").get_data(as_text=True)
    rows = {row["prospect_id"]: row for row in csv.DictReader(io.StringIO(text))}
    told = rows[prospect_id]
    assert (told["next_step"], told["next_step_on"]) == ("Call", DAY)
    assert told["last_note"] == "'=SUM(1)"


def test_hostile_words_are_text_on_every_page(as_, accounts):
    (prospect_id, market_id), client = accounts[REP_A][6], as_("rep_a")
    path = f"/prospects/{prospect_id}"
    for text in TEXTS:
        post(client, f"{path}/notes", text=text)
        post(client, "/views", name=text[:80], market_id=market_id, query="")
    post(client, f"{path}/next-step", words=TEXTS[0], due_on=DAY)
    for address in (path, f"/markets/{market_id}?prospect={prospect_id}", "/next", "/views"):
        tags = Page(client.get(address)).tags
        assert not [tag for tag, given in tags if {"onerror", "onload", "onclick"} & given.keys()]
        assert not [given for tag, given in tags if tag == "script" and "src" not in given]


# Saved views


def saved(client) -> dict[str, str]:
    """Views on the page of views: name to address."""
    page = Page(client.get("/views"))
    links = [link for link in page.links if link.startswith("/views/")]
    return dict(zip([row[0].strip() for row in page.rows["tbody"]], links, strict=True))


def test_a_view_keeps_what_the_address_says_and_nothing_else(as_, accounts):
    (prospect_id, market_id), client = accounts[REP_B][0], as_("rep_b")
    query = (
        "?q=inc&status=prospect&sort=-employees&colour=status&at=7.25,41.5,-87.25&page=3"
        f"&prospect={prospect_id}&evil=%3Cscript%3E&near=-87.6,41.9,50"
    )
    here = f"/markets/{market_id}{query}"
    answer = post(client, "/views", name="Mine", market_id=market_id, query=query, next=here)
    assert answer.location == here
    gone = client.get(saved(client)["Mine"])
    assert gone.status_code == 303
    parts = urlsplit(gone.location)
    assert parts.path == f"/markets/{market_id}"
    assert parse_qs(parts.query) == {
        "q": ["inc"], "status": ["prospect"], "sort": ["-employees"], "colour": ["status"],
        "at": ["7.25,41.5,-87.25"], "prospect": [prospect_id], "near": ["-87.6,41.9,50"],
    }  # fmt: skip
    assert client.get(gone.location).status_code == 200
    menu = client.get(f"/markets/{market_id}").get_data(as_text=True)
    assert f'href="{saved(client)["Mine"]}">Mine</a>' in menu


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sort=up", "is none of"),
        ("q=" + "x" * 201, "more than 200"),
        ("near=here", "is not lon,lat,miles"),
        ("&".join(f"a{n}=1" for n in range(1_001)), "at most 1,000 parts"),
    ],
)
def test_an_address_that_cannot_be_followed_is_not_kept(as_, accounts, query, words):
    client = as_("rep_b")
    answer = post(client, "/views", name="No", market_id=accounts[REP_B][0][1], query=query)
    assert answer.status_code == 400
    assert words in Page(answer).text
    assert "No" not in saved(client)


@pytest.mark.parametrize("at", ["", "99,1,1", "7,91,0", "7,0,181", "7,a,b", "1,1,1,1", "7,1,<b>"])
def test_a_stand_of_the_map_that_is_none_is_left_out(as_, accounts, at):
    client, market_id = as_("ops"), accounts[REP_B][0][1]
    post(client, "/views", name="Stand", market_id=market_id, query=f"q=a&at={at}")
    address = saved(client)["Stand"]
    assert parse_qs(urlsplit(client.get(address).location).query) == {"q": ["a"]}
    post(client, f"{address}/delete")


def test_views_are_renamed_deleted_and_deleted_ones_saved_again(as_, accounts):
    client, market_id = as_("manager"), accounts[REP_A][0][1]
    post(client, "/views", name="One", market_id=market_id, query="q=a&status=customer")
    post(client, "/views", name="Two", query="")  # of the list outside every market
    assert client.get(saved(client)["Two"]).location == "/outside"
    answer = post(client, "/views", name="ONE", market_id=market_id, query="")
    assert answer.status_code == 409
    assert "Choose another name" in Page(answer).text
    post(client, f"{saved(client)['One']}/rename", name="Uno")
    assert set(saved(client)) == {"Uno", "Two"}
    address = client.get(saved(client)["Uno"]).location
    undo = post(client, f"{saved(client)['Uno']}/delete").location
    assert set(saved(client)) == {"Two"}
    form = {
        name: value
        for tag, given in Page(client.get(undo)).tags
        if tag == "input" and (name := given.get("name")) and (value := given.get("value"))
        and name in {"name", "market_id", "query"} and value != "Two"
    }  # fmt: skip
    post(client, "/views", **form)
    assert client.get(saved(client)["Uno"]).location == address


def test_nobody_opens_renames_or_deletes_anothers_view(as_, accounts):
    market_id = accounts[REP_A][0][1]
    post(as_("rep_a"), "/views", name="Ours", market_id=market_id, query="q=a")
    address = saved(as_("rep_a"))["Ours"]
    for other in ("rep_b", "manager", "ops", "viewer"):
        client = as_(other)
        assert "Ours" not in saved(client)
        for answer in (
            client.get(address),
            post(client, f"{address}/rename", name="Theirs"),
            post(client, f"{address}/delete"),
        ):
            assert answer.status_code == 404
            assert "Ours" not in answer.get_data(as_text=True)
    assert "Ours" in saved(as_("rep_a"))


def test_a_link_sent_to_another_shows_only_what_is_theirs(as_, store, accounts):
    everyone = reports.EXPORTS["prospects"](store, scope=ALL)
    both = {m for _, m in accounts[REP_A]} & {m for _, m in accounts[REP_B]}
    markets = sorted(both) or [accounts[REP_A][0][1]]
    market_id = markets[0]
    post(as_("rep_a"), "/views", name="Sent", market_id=market_id, query="sort=name")
    link = as_("rep_a").get(saved(as_("rep_a"))["Sent"]).location
    hers = everyone[(everyone["market_id"] == market_id) & (everyone["rep_id"] == REP_A)]
    seen = as_("rep_b").get(link)
    listed = {given.get("data-id") for tag, given in Page(seen).tags if tag == "tr"}
    assert not listed & set(hers["prospect_id"])
    mine = as_("rep_a").get(link)
    assert {given.get("data-id") for tag, given in Page(mine).tags if tag == "tr"} & set(
        hers["prospect_id"]
    )


def test_a_market_out_of_reach_is_not_saved(as_, store, accounts):
    own = {market_id for _, market_id in accounts[REP_A]}
    other = next(m for _, m in accounts[REP_B] if m not in own)
    answer = post(as_("rep_a"), "/views", name="Theirs", market_id=other, query="")
    assert answer.status_code == 404


def test_a_chosen_prospect_that_is_gone_does_not_break_a_view(as_, store, accounts):
    (prospect_id, market_id), client = accounts[REP_A][0], as_("ops")
    other = next(one for one, m in accounts[REP_B] if m != market_id)
    post(client, "/views", name="Chosen", market_id=market_id, query=f"prospect={prospect_id}")
    with store.write() as transaction:
        mine = SavedViewLedger(transaction)
        (view,) = [
            one for one in mine.views(client.application.config["PEOPLE"]["ops"])
            if one.name == "Chosen"
        ]  # fmt: skip
        mine.remove(view.view_id)
        mine.add(
            client.application.config["PEOPLE"]["ops"], name="Chosen", name_key="chosen",
            market_id=market_id, query=json.dumps({"q": "a", "prospect": other}), saved_at="",
        )  # fmt: skip
    assert client.get(saved(client)["Chosen"]).location == f"/markets/{market_id}?q=a"


def test_without_sign_in_whoever_sits_here_has_views_too(demo, tmp_path):
    shutil.copy(demo.url.removeprefix("sqlite:///"), tmp_path / "demo.sqlite")
    client = make_app(f"sqlite:///{tmp_path}/demo.sqlite", tmp_path).test_client()
    form = {"csrf_token": token(client, "/markets/M-CHI"), "market_id": "M-CHI"}
    client.post("/views", data={**form, "name": "Local", "query": "q=a"})
    assert client.get(saved(client)["Local"]).location == "/markets/M-CHI?q=a"
