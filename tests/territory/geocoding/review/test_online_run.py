"""A run against a real server: what it asks, keeps, leaves pending, and how it goes on."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from territory import imports
from territory.errors import InputError
from territory.geocoding import review
from territory.policy import GeocodingPolicy, OnlinePolicy, Policy, ProviderPolicy
from territory.store import Store, open_store
from tests.fixtures.geocoder_server import Geocoder, Handler, geocoder, nominatim, photon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from territory.geocoding.review import GeocodeReport

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LINES = {
    "willis": "233 S Wacker Dr, Chicago, IL 60606, United States",
    "ztwin": "233 S Wacker Dr, Chicago, IL 60606, United States",
    "boise": "250 Parkcenter Blvd, Boise, ID 83706, United States",
    "sandton": "Sandton, South Africa",
    "odd": "1 Odd St, Denver, CO 80202, United States",
}
FILE = """prospect_id,name,street,city,state,postal_code,country,lat,lon
willis,Willis,233 S Wacker Dr,Chicago,IL,60606,,,
ztwin,Twin,233 S. WACKER DR.,Chicago,IL,60606,US,,
boise,Boise Co,250 Parkcenter Blvd,Boise,ID,83706,,,
sandton,Sandton Ltd,,Sandton,,,South Africa,,
odd,Odd Inc,1 Odd St,Denver,CO,80202,,,
box,Box Inc,PO Box 9,Denver,CO,80202,,,
own,Own Inc,1 Own St,Denver,CO,80202,,39.75,-104.99
zip,Zip Inc,,Denver,CO,80202,,,
"""
WILLIS = nominatim(-87.6359, 41.8789, address={"house_number": "233"})
BOISE = nominatim(-116.181, 43.5997, address={"house_number": "250"})
TOWN = nominatim(
    28.06, -26.11, type="suburb", place_rank=19, boundingbox=["-26.2", "-26", "28", "28.1"]
)
FAR = nominatim(-73.9857, 40.7484, address={"house_number": "1"})


@pytest.fixture
def server() -> Iterator[Geocoder]:
    with geocoder() as running:
        running.known |= {
            LINES["willis"]: [WILLIS],
            LINES["boise"]: [BOISE],
            LINES["sandton"]: [TOWN],
            LINES["odd"]: [FAR],
        }
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prospects.csv"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    (folder / "prospects.csv").write_text(FILE)
    with open_store(str(folder / "store.sqlite")) as opened:
        imported(opened, folder / "prospects.csv")
    return folder / "store.sqlite"


@pytest.fixture
def store(tmp_path: Path, filled: Path) -> Iterator[Store]:
    copy = tmp_path / "store.sqlite"
    shutil.copy(filled, copy)
    with open_store(str(copy)) as opened:
        yield opened


def imported(store: Store, file: Path, policy: Policy | None = None) -> imports.ImportReport:
    return imports.import_file(store, "prospects", file, by="Ops", now=NOW, policy=policy)


def asking(server: Geocoder, *names: str, **other: object) -> Policy:
    quick = {"min_delay_s": 0, "retry_wait_s": 0, "retries": 0, "timeout_s": 0.5, **other}
    providers = tuple(
        ProviderPolicy(name=name, domain=server.domain, scheme="http", **quick)  # type: ignore[arg-type]
        for name in names or ("nominatim",)
    )
    return Policy(geocoding=GeocodingPolicy(online=OnlinePolicy(providers=providers)))


def run(store: Store, policy: Policy, **other: object) -> GeocodeReport:
    return review.geocode(store, by="Ops", now=NOW, policy=policy, **other)  # type: ignore[arg-type]


def prospects(store: Store) -> pd.DataFrame:
    with store.read() as transaction:
        return transaction.table("prospects").set_index("prospect_id")


def down(handler: Handler) -> None:
    handler.reply("down", 503)


def test_rows_are_placed_by_what_the_server_knows_each_address_asked_once(
    store: Store, server: Geocoder
) -> None:
    before = prospects(store)
    report = run(store, asking(server))
    assert sorted(server.lines) == sorted({*LINES.values()})
    assert server.lines[0] == LINES["sandton"]  # unplaced rows first
    assert server.lines[1] == LINES["willis"]  # then the address of most rows
    after = prospects(store)
    assert after["placement"].to_dict() == {
        "willis": "placed", "ztwin": "placed", "boise": "placed", "sandton": "approximate",
        "odd": "conflict", "box": "approximate", "own": "placed", "zip": "approximate",
    }  # fmt: skip
    assert after.loc["ztwin", ["lon", "lat", "geocode_source"]].tolist() == [
        -87.6359, 41.8789, "nominatim",
    ]  # fmt: skip
    assert after.loc["odd", "lon"] == before.loc["odd", "lon"]
    assert "nominatim puts it 1,6" in after.loc["odd", "geocode_note"]
    same = ["box", "own", "zip"]
    assert after.loc[same].equals(before.loc[same])
    assert (report.rows, report.waiting, report.addresses) == (8, 5, 4)
    assert (report.asked, report.requests, report.left) == (4, 4, 0)
    assert (report.bettered, report.conflicts, report.pending) == (4, 1, 0)
    assert report.errors == ()
    assert "8 rows could be placed better, 4 addresses" in report.sentence


def test_a_second_run_asks_nobody_and_the_same_file_again_changes_nothing(
    store: Store, server: Geocoder, file: Path
) -> None:
    policy = asking(server)
    run(store, policy)
    asked, after = len(server.asked), prospects(store)
    again = run(store, policy)
    assert len(server.asked) == asked
    assert (again.addresses, again.requests) == (0, 0)
    report = imported(store, file)  # under a policy that names no provider
    assert report.changes["unchanged"] == 8
    assert prospects(store).equals(after)


def test_an_import_follows_answers_about_addresses_that_are_new_to_it(
    store: Store, server: Geocoder, tmp_path: Path
) -> None:
    run(store, asking(server))
    more = tmp_path / "more.csv"
    more.write_text(FILE.splitlines()[0] + "\nnew,New,233 S Wacker Drive,Chicago,IL,60606,,,\n")
    imported(store, more)
    assert prospects(store).loc["new", "placement"] == "approximate"  # Drive is not Dr
    more.write_text(FILE.splitlines()[0] + "\nnew,New,233 s wacker dr,Chicago,IL,60606,,,\n")
    imported(store, more)
    assert prospects(store).loc["new", "placement"] == "placed"


def test_a_real_none_is_kept_and_not_asked_again(store: Store, server: Geocoder) -> None:
    server.known.clear()
    report = run(store, asking(server))
    assert report.answers["none"] == 4
    notes = prospects(store)["geocode_note"]
    assert notes["willis"] == "nominatim knows no such address"
    assert run(store, asking(server)).requests == 0


@pytest.mark.parametrize("failing", ["down", "timed out", "garbage", "quota", "key", "busy"])
def test_an_outage_leaves_rows_pending_where_they_were_and_the_next_run_places_them(
    store: Store, server: Geocoder, file: Path, failing: str
) -> None:
    behaviours = {
        "down": (lambda handler: handler.reply("", 500), "out of reach"),
        "timed out": (lambda _: time.sleep(0.3), "no answer in time"),
        "garbage": (lambda handler: handler.reply("<html>"), "cannot be read"),
        "quota": (lambda handler: handler.reply("", 402), "quota is used up"),
        "key": (lambda handler: handler.reply("", 401), "does not accept the key"),
        "busy": (lambda handler: handler.reply("", 429), "asks for fewer questions"),
    }
    server.behave, words = behaviours[failing]
    policy = asking(server, timeout_s=0.2)
    before = prospects(store)
    report = run(store, policy)
    assert len(report.errors) == 1
    assert words in report.errors[0]
    assert report.answers["none"] == 0
    assert (report.pending, report.bettered, report.left) == (5, 0, 4)
    after = prospects(store)
    notes = after.loc[list(LINES), "geocode_note"]
    assert notes.str.contains("pending: nominatim did not answer", regex=False).all()
    assert not notes.str.contains("no such address").any()
    assert after.drop(columns="geocode_note").equals(before.drop(columns="geocode_note"))
    assert imported(store, file).changes["unchanged"] == 8  # still pending after an import
    server.behave = server.answer
    assert run(store, policy).errors == ()
    healed = prospects(store)
    assert healed.loc["willis", "placement"] == "placed"
    assert not healed["geocode_note"].fillna("").str.contains("pending").any()


def test_a_provider_that_is_down_is_given_up_soon(store: Store, server: Geocoder) -> None:
    server.behave = down
    report = run(store, asking(server))
    assert report.requests == len(server.asked) == 3
    assert "not asked any more" in report.errors[0]


def test_the_next_provider_is_asked_where_one_fails_or_knows_too_little(
    store: Store, server: Geocoder
) -> None:
    house = photon(-116.181, 43.5997, housenumber="250")

    def behave(handler: Handler) -> None:
        if handler.path.startswith("/api"):
            handler.reply({"features": [house] if "Boise" in server.lines[-1] else []})
        elif "Boise" in server.lines[-1]:
            handler.reply("", 500)
        else:
            server.answer(handler)

    server.behave = behave
    report = run(store, asking(server, "nominatim", "photon"))
    after = prospects(store)
    assert after.loc["boise", ["placement", "geocode_source"]].tolist() == ["placed", "photon"]
    assert after.loc["sandton", "geocode_source"] == "nominatim"  # photon knew nothing of it
    assert len(server.asked) == 4 + 2  # Chicago and Denver were settled by the first
    assert report.errors[0].startswith("nominatim left 1 of 4 addresses unanswered")


def test_a_budget_is_kept_to_the_request_and_the_rest_is_counted(
    store: Store, server: Geocoder
) -> None:
    first = run(store, asking(server), budget=3)
    assert len(server.asked) == first.requests == 3
    assert (first.asked, first.left) == (3, 1)
    assert "Asked about 3 of 4 with 3 of at most 3 requests" in first.sentence
    assert "Left: 1 of 4 addresses; run it again." in first.sentence
    second = run(store, asking(server), budget=3)
    assert (second.asked, second.left, len(server.asked)) == (1, 0, 4)
    assert len(set(server.lines)) == 4


def test_retries_count_against_the_budget(store: Store, server: Geocoder) -> None:
    server.behave = down
    report = run(store, asking(server, retries=9), budget=4)
    assert len(server.asked) == report.requests == 4


def test_a_budget_of_nothing_asks_nobody(store: Store, server: Geocoder) -> None:
    report = run(store, asking(server), budget=0)
    assert (report.asked, report.left, server.asked) == (0, 4, [])
    with pytest.raises(InputError, match="-1"):
        run(store, asking(server), budget=-1)


def test_a_dry_run_asks_nobody_and_writes_nothing(store: Store, server: Geocoder) -> None:
    before = prospects(store)
    report = run(store, asking(server), dry_run=True, budget=3)
    assert server.asked == []
    assert report.addresses == 4
    assert "would ask nominatim about 3 of them" in report.sentence
    assert prospects(store).equals(before)
    with store.read() as transaction:
        assert transaction.setting("online_providers") is None


def test_what_people_decided_is_not_asked_about_and_their_addresses_are(
    store: Store, server: Geocoder
) -> None:
    told = {"by": "Ops", "now": NOW}
    review.mark_no_place(store, "prospects", "sandton", **told)
    review.accept(store, "prospects", "boise", **told)
    corrected = {"street": "2 Even St"}
    review.correct_address(store, "prospects", "odd", corrected, **told)
    line = "2 Even St, Denver, CO 80202, United States"
    server.known[line] = [nominatim(-104.995, 39.75, address={"house_number": "2"})]
    run(store, asking(server))
    assert sorted(server.lines) == sorted([LINES["willis"], line])
    after = prospects(store)
    assert after.loc["odd", ["placement", "street"]].tolist() == ["placed", "1 Odd St"]
    assert after.loc["odd", "geocode_source"].startswith("nominatim")
    assert after.loc["sandton", "placement"] == "unplaced"


def test_only_the_placements_of_the_policy_are_asked_for(store: Store, server: Geocoder) -> None:
    policy = asking(server)
    online = replace(policy.geocoding.online, ask=("unplaced",))
    run(store, replace(policy, geocoding=replace(policy.geocoding, online=online)))
    assert server.lines == [LINES["sandton"]]


def test_answers_are_asked_for_again_when_they_are_too_old(store: Store, server: Geocoder) -> None:
    server.known.clear()
    policy = asking(server, keep_days=30)
    run(store, policy)
    assert run(store, policy).requests == 0
    later = NOW + timedelta(days=31)
    assert review.geocode(store, by="Ops", now=later, policy=policy).requests == 4


def test_other_kinds_are_placed_too_and_those_without_a_place_are_refused(
    store: Store, server: Geocoder, tmp_path: Path
) -> None:
    path = tmp_path / "offices.csv"
    path.write_text(
        "office_id,name,street,city,state,postal_code\nB,Boise,250 Parkcenter Blvd,Boise,ID,83706\n"
    )
    imports.import_file(store, "offices", path, by="Ops", now=NOW)
    assert run(store, asking(server), kind="offices").bettered == 1
    with store.read() as transaction:
        assert transaction.table("offices")["placement"].tolist() == ["placed"]
    with pytest.raises(InputError, match="'reps'"):
        run(store, asking(server), kind="reps")
    with pytest.raises(InputError, match="No online geocoder is named"):
        run(store, Policy())
