"""Rows that need a person are listed, each with every place it could be at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from territory.cli import main
from territory.geocoding import review
from territory.geocoding.online import AnswerLedger, ProviderAnswer
from territory.geocoding.online.answers import queries
from territory.geocoding.online.answers import settings as online_settings
from territory.store import open_store
from tests.fixtures import databases
from tests.fixtures.placed_rows import CHICAGO, POLICY, ROWS, bring, placed, row_of, rows, stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.store import Store

WHO: dict[str, Any] = {"by": "Ann", "now": datetime(2026, 11, 23, 9, 30, tzinfo=UTC)}


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """``ROWS`` in a database of either kind; a test that changes it changes it back."""
    url = str(tmp_path_factory.mktemp("places") / "store.sqlite")
    if request.param == "postgresql":
        url = databases.database(request.getfixturevalue("postgresql_server"))
    with open_store(url) as opened:
        bring(opened, *ROWS)
        yield opened


# --- the list and the candidates ----------------------------------------------------------------


def test_the_list_holds_who_needs_a_person_page_by_page(store: Store) -> None:
    whole = review.work_list(store)
    assert whole.rows["subject_id"].tolist() == ["fiserv", "nowhere", "springfield", "swapped"]
    assert whole.total == 4
    assert whole.counts == {
        "placed": 1, "approximate": 1, "ambiguous": 1, "conflict": 2, "unplaced": 1,
        "not_a_place": 0,
    }  # fmt: skip
    pages = [review.work_list(store, offset=at, limit=3) for at in (0, 3, 6)]
    assert [len(page.rows) for page in pages] == [3, 1, 0]
    assert {page.total for page in pages} == {4}
    assert_frame_equal(pd.concat([p.rows for p in pages[:2]], ignore_index=True), whole.rows)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("BROOK 53405", ["fiserv"]),
        ("firm springfield", ["springfield"]),
        ("chicago denver", []),
        ("%", []),
        ("spring_ield", []),
    ],
)
def test_words_narrow_the_list_and_its_counts(store: Store, words: str, found: list[str]) -> None:
    listed = review.work_list(store, text=words)
    assert listed.rows["subject_id"].tolist() == found
    assert listed.total == len(found)


def test_candidates_of_a_contradiction_hold_all_sides_of_it(store: Store) -> None:
    found = review.candidates(store, "prospects", "fiserv")
    labels = found["label"].tolist()
    assert labels[0] == "the coordinates given"
    assert labels[1:5] == ["ZIP codes of Brookfield, WI", "ZIP 53405", "ZIP 53045", "ZIP 53005"]
    assert found["why"][0] == "27.8 mi from ZIP 53405"
    assert found["why"][3] == "a ZIP code of Brookfield one typo away from 53405"
    assert found["candidate_id"].is_unique
    again = review.candidates(store, "prospects", "fiserv")
    assert_frame_equal(found, again)


def test_candidates_of_swapped_coordinates_begin_with_the_swap(store: Store) -> None:
    first = review.candidates(store, "prospects", "swapped").iloc[0]
    assert first["label"] == "the coordinates given, swapped"
    assert (first["lon"], first["lat"]) == CHICAGO
    done = review.accept(store, "prospects", "swapped", first["candidate_id"], **WHO)
    assert (done.lon, done.lat, done.placement) == (*CHICAGO, "placed")
    review.forget(store, "prospects", "swapped", **WHO)


def test_candidates_of_a_name_are_all_that_bear_it_at_home_first(store: Store) -> None:
    found = review.candidates(store, "prospects", "springfield")
    assert len(found) > 20
    assert found["label"].head(3).tolist() == [
        "city Springfield, MO", "city Springfield, MA", "city Springfield, IL"
    ]  # fmt: skip
    assert (found["precision"] == "place").all()


def test_what_a_provider_answered_is_followed_and_offered(store: Store) -> None:
    street = {"street": "1 E Wacker Dr"}
    frame = placed(rows(row_of("chicago", given_lon=np.nan, given_lat=np.nan))).assign(**street)
    query = queries(frame, online_settings(POLICY)).iloc[0]
    found = ProviderAnswer(
        "photon", query, "found", -87.626, 41.887, "rooftop", 25.0, None, "1 East Wacker"
    )
    with store.write() as transaction:
        AnswerLedger(transaction).save([found], "2026-11-23T09:00:00Z")
        transaction.set_setting("online_providers", "photon")
        settled = review.settle(transaction, "prospects", frame, POLICY)
        transaction.save("prospects", frame.iloc[:0], settled)
    now = stored(store, "chicago")
    assert (now["lon"], now["geocode_source"], now["placement"]) == (-87.626, "photon", "placed")
    offered = review.candidates(store, "prospects", "chicago").iloc[0]
    assert offered["label"] == "photon: 1 East Wacker"
    with store.write() as transaction:
        AnswerLedger(transaction).forget("photon", "2027")
    bring(store, *ROWS)


def test_places_are_settled_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "store.sqlite")
    with open_store(path) as store:
        bring(store, *ROWS)

    def run(*arguments: str) -> str:
        main.main(["--store", path, "places", *arguments])
        return capsys.readouterr().out

    assert run("list").endswith(
        "4 of 4 rows. All prospects: 1 placed, 1 approximate, 1 ambiguous, 2 conflict, "
        "1 unplaced, 0 not_a_place.\n"
    )
    found = json.loads(run("candidates", "prospects", "swapped", "--json"))
    code = found[0]["candidate_id"]
    assert code in run("candidates", "prospects", "swapped")
    accepted = run("accept", "prospects", "swapped", "--candidate", code, "--by", "Bo")
    assert accepted.startswith("placed at 41.88580, -87.62290: the coordinates given, swapped, acc")
    assert "ZIP 53045" in run("correct", "prospects", "fiserv", "--zip", "53045")
    assert run("pin", "prospects", "nowhere", "--lat", "40", "--lon", "-105").startswith("placed")
    assert run("not-a-place", "prospects", "springfield").startswith("unplaced: marked as not a")
    assert json.loads(run("list", "--json"))["total"] == 0
    assert run("forget", "prospects", "nowhere").startswith("unplaced: city 'Xyzzy'")
    with pytest.raises(SystemExit) as ended:
        run("accept", "prospects", "nobody")
    assert ended.value.code == 2
    assert "No 'nobody' among the prospects" in capsys.readouterr().err
