"""What a row makes of the answers of online geocoders: followed only where they help and agree."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.geocoding import place, shared_gazetteer
from territory.geocoding.online import (
    FAILURES,
    FOUND,
    NONE,
    SEVERAL,
    AnswerLedger,
    ProviderAnswer,
)
from territory.geocoding.online.answers import (
    REMEMBERED,
    apply,
    choose,
    could_gain,
    lines,
    queries,
    recall,
)
from territory.geodesy import inverse
from territory.policy import GeocodingPolicy, OnlinePolicy, ProviderPolicy
from territory.schemas import GEOCODE, check
from territory.store import open_store
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.store import Store

POLICY = GeocodingPolicy(
    online=OnlinePolicy(providers=(ProviderPolicy(name="one"), ProviderPolicy(name="two")))
)
NAMES = ("one", "two")
WILLIS = {"street": "233 S Wacker Dr", "city": "Chicago", "state": "IL", "postal_code": "60606"}
AT = "2026-11-23T09:30:00Z"


def rows(*addresses: dict[str, object]) -> pd.DataFrame:
    """Rows as an import has them before it settles their place."""
    blank = dict.fromkeys(("street", "city", "state", "postal_code", "country"))
    given = {"lon": np.nan, "lat": np.nan}
    frame = pd.DataFrame([blank | given | address for address in addresses])
    placed = place(frame, shared_gazetteer(POLICY), POLICY)
    return placed.assign(given_lon=frame["lon"], given_lat=frame["lat"])


def answered(frame: pd.DataFrame, *answers: dict[str, object]) -> pd.DataFrame:
    """The frame after each row got its answer: a dict of the fields of ``ProviderAnswer``."""
    asked = queries(frame, POLICY.online)
    usual = {"provider": "one", "answer": FOUND, "precision": "rooftop", "uncertainty_m": 100.0}
    told = [
        asdict(ProviderAnswer(**(usual | {"query": query} | answer)))
        for query, answer in zip(asked, answers, strict=True)
    ]
    gaining = asked[could_gain(frame)]
    return apply(frame, choose(known(told), gaining, NAMES, POLICY.online), POLICY)


def known(told: list[dict[str, object]]) -> pd.DataFrame:
    floats = ("lon", "lat", "uncertainty_m", "match_score")
    return pd.DataFrame(told).astype(dict.fromkeys(floats, float)).astype({"answer": object})


def test_a_street_that_a_provider_knows_is_placed_with_its_source_and_score() -> None:
    found = {"lon": -87.6359, "lat": 41.8789, "match_score": 0.97}
    row = answered(rows(WILLIS), found).iloc[0]
    assert (row["lon"], row["lat"], row["precision"]) == (-87.6359, 41.8789, "rooftop")
    assert (row["placement"], row["geocode_source"]) == ("placed", "one")
    assert (row["uncertainty_m"], row["match_score"]) == (100, 0.97)
    assert row["geocode_note"] is None


def test_an_answer_that_contradicts_the_zip_code_moves_nobody_and_is_a_conflict() -> None:
    before = rows(WILLIS)
    after = answered(before, {"lon": -73.9857, "lat": 40.7484})
    row = after.iloc[0]
    assert row["placement"] == "conflict"
    assert row["lon"] == before["lon"].iloc[0]
    assert "one puts it 71" in row["geocode_note"]
    assert "mi from ZIP 60606, where the address is" in row["geocode_note"]


def test_an_answer_no_finer_than_what_is_known_changes_no_place() -> None:
    before = rows(WILLIS)
    coarse = {"lon": -87.63, "lat": 41.88, "precision": "place", "uncertainty_m": 16_000.0}
    after = answered(before, coarse)
    assert after["precision"].tolist() == ["postal"]
    assert after["geocode_note"].tolist() == ["one knows it no better than to the place"]
    assert after["lon"].tolist() == before["lon"].tolist()


def test_an_answer_its_provider_is_unsure_of_places_nobody() -> None:
    unsure = {"lon": -87.6359, "lat": 41.8789, "match_score": 0.62}
    row = answered(rows(WILLIS), unsure).iloc[0]
    assert row["precision"] == "postal"
    assert "(match score 0.62)" in row["geocode_note"]
    assert np.isnan(row["match_score"])


def test_a_place_abroad_that_the_gazetteer_does_not_know_becomes_approximate() -> None:
    frame = rows({"city": "Sandton", "country": "ZA"})
    assert frame["placement"].tolist() == ["unplaced"]
    found = {"lon": 28.06, "lat": -26.11, "precision": "place", "uncertainty_m": 16_000.0}
    row = answered(frame, found).iloc[0]
    assert (row["placement"], row["precision"], row["geocode_note"]) == (
        "approximate", "place", None,
    )  # fmt: skip


def test_a_region_places_nobody() -> None:
    found = {"lon": 24.0, "lat": -29.0, "precision": "region", "uncertainty_m": 800_000.0}
    row = answered(rows({"city": "Sandton", "country": "ZA"}), found).iloc[0]
    assert row["placement"] == "unplaced"
    assert np.isnan(row["lon"])
    assert row["geocode_note"].endswith("; one knows it no better than to the region")


def test_an_ambiguous_city_is_not_settled_by_the_town_a_provider_prefers() -> None:
    frame = rows({"city": "Springfield"}, {"city": "Springfield", "street": "1 Elm St"})
    frame["placement"] = "ambiguous"
    town = {"lon": -89.65, "lat": 39.8, "precision": "place", "uncertainty_m": 16_000.0}
    house = {"lon": -89.65, "lat": 39.8}
    after = answered(frame, town, house)
    assert after["placement"].tolist() == ["ambiguous", "placed"]


@pytest.mark.parametrize(("failure", "words"), FAILURES.items())
def test_a_provider_that_failed_leaves_the_row_pending_and_where_it_was(
    failure: str, words: str
) -> None:
    before = rows({"city": "Nowhereville", "state": "IL"}, WILLIS)
    after = answered(before, {"answer": failure}, {"answer": failure})
    told = f"pending: one did not answer ({words})"
    assert after["geocode_note"].tolist() == [
        f"city 'Nowhereville' was not found in IL; {told}",
        told,
    ]
    assert "no such address" not in " ".join(after["geocode_note"])
    pd.testing.assert_frame_equal(
        after.drop(columns="geocode_note"), before.drop(columns="geocode_note")
    )


def test_no_such_address_and_several_of_it_are_said() -> None:
    after = answered(
        rows(WILLIS, WILLIS | {"street": "1 Elm St"}), {"answer": NONE}, {"answer": SEVERAL}
    )
    assert after["geocode_note"].tolist() == [
        "one knows no such address",
        "one knows several such addresses",
    ]
    assert after["precision"].tolist() == ["postal", "postal"]


def test_the_street_of_a_later_provider_beats_the_town_of_an_earlier_one() -> None:
    frame = rows({"city": "Sandton", "country": "ZA", "street": "1 Maude St"})
    asked = queries(frame, POLICY.online)
    town = ProviderAnswer("one", asked[0], FOUND, 28.06, -26.11, "place", 16_000.0)
    house = ProviderAnswer("two", asked[0], FOUND, 28.057, -26.107, "rooftop", 100.0)
    failed = ProviderAnswer("one", asked[0], "timed_out")
    unknown = ProviderAnswer("two", asked[0], NONE)

    def best(*answers: ProviderAnswer) -> list[str]:
        told = choose(known([asdict(one) for one in answers]), asked, NAMES, POLICY.online)
        assert told is not None
        return told[["provider", "answer"]].iloc[0].tolist()

    assert best(town, house) == ["two", FOUND]
    assert best(town, unknown) == ["one", FOUND]
    assert best(failed, house) == ["two", FOUND]
    assert best(failed, unknown) == ["one", "timed_out"]


def test_only_rows_that_could_be_placed_better_are_asked_about() -> None:
    frame = rows(
        WILLIS,
        WILLIS | {"street": None},
        WILLIS | {"street": "P.O. Box 77"},
        WILLIS | {"street": "PO BOX 77, 233 S Wacker Dr"},
        WILLIS | {"street": "x" * 1_000},
        WILLIS | {"lon": -87.6, "lat": 41.9},
        {"city": "Sandton", "country": "ZA"},
        {"street": "1 Elm St"},
        {"state": "IL"},
    )
    assert could_gain(frame).tolist() == [
        True, False, False, True, False, False, True, False, False,
    ]  # fmt: skip


def test_the_same_address_written_otherwise_is_the_same_question() -> None:
    frame = rows(
        WILLIS,
        {key: text.upper() for key, text in WILLIS.items()} | {"country": "US"},
        WILLIS | {"street": "233  S. Wacker Dr."},
        WILLIS | {"street": "23 3 S Wacker Dr"},
        WILLIS | {"country": "CA"},
    )
    asked = queries(frame, POLICY.online)
    assert asked[0] == asked[1] == asked[2] == "233 s wacker dr,chicago,il,60606,us"
    assert asked.nunique() == 3


def test_a_question_names_the_country_in_words() -> None:
    names = dict(reference.load().countries[["country_code", "name"]].to_numpy())
    frame = rows(WILLIS, {"city": "Toronto", "state": "ON", "country": "CA"}, {"city": "Oz"})
    assert lines(frame, names, POLICY.online).tolist() == [
        "233 S Wacker Dr, Chicago, IL 60606, United States",
        "Toronto, ON, Canada",
        "Oz, United States",
    ]


def test_recall_reads_the_cache_and_nothing_where_nobody_was_ever_asked(tmp_path: Path) -> None:
    frame = rows(WILLIS, {"city": "Denver", "state": "CO"}).set_axis([7, 3])
    query = queries(frame, POLICY.online)[7]
    with open_store(str(tmp_path / "store.sqlite")) as store:
        with store.write() as transaction:
            found = ProviderAnswer(
                "two", query, FOUND, -87.6359, 41.8789, "rooftop", 100.0, 0.9, "Willis"
            )
            AnswerLedger(transaction).save([found], AT)
        with store.read() as transaction:
            assert recall(transaction, frame, GeocodingPolicy()) is None
            told = recall(transaction, frame, POLICY)
        assert told is not None
        assert told.index.tolist() == [7]
        assert told.iloc[0].drop("match_score").to_dict() == {
            name: value
            for name, value in asdict(found).items()
            if name not in ("query", "match_score")
        }
        with store.write() as transaction:
            transaction.set_setting(REMEMBERED, "two")
        with store.read() as transaction:  # a run was told to ask it: what it found stays
            assert recall(transaction, frame, GeocodingPolicy()) is not None


def test_many_rows_are_answered_as_a_few_are(tmp_path: Path) -> None:
    few = rows(WILLIS, WILLIS | {"street": "1 Elm St"}, {"city": "Denver", "state": "CO"})
    many = few.iloc[np.arange(1_500) % 3].reset_index(drop=True)
    told = [
        ProviderAnswer("one", query, FOUND, -87.6, 41.9, "rooftop", 100.0)
        for query in queries(few, POLICY.online).iloc[:2]
    ]
    with open_store(str(tmp_path / "store.sqlite")) as store:
        with store.write() as transaction:
            AnswerLedger(transaction).save(told[:1], AT)
        with store.read() as transaction:
            one = recall(transaction, few, POLICY)
            all_at_once = recall(transaction, many, POLICY)
    assert one is not None
    assert all_at_once is not None
    assert one.index.tolist() == [0]
    assert all_at_once.index.tolist() == list(range(0, 1_500, 3))
    assert (all_at_once["lon"] == one["lon"].iloc[0]).all()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with open_store(url) as opened:
        yield opened


def test_a_later_answer_takes_the_place_of_an_earlier_one_and_old_ones_are_dropped(
    store: Store,
) -> None:
    first = [
        ProviderAnswer("one", "q", "timed_out"),
        ProviderAnswer("one", "r", NONE),
        ProviderAnswer("two", "q", NONE),
    ]
    later = ProviderAnswer(
        "one", "q", FOUND, -87.6, 41.9, "rooftop", 100.0, None, "Ünï\t1, 'Elm' St\\N"
    )
    with store.write() as transaction:
        AnswerLedger(transaction).save(first, AT)
        AnswerLedger(transaction).save([later], "2026-12-24T00:00:00Z")
    with store.write() as transaction:
        held = AnswerLedger(transaction).all(["one"])
        assert held[["query", "answer"]].to_numpy().tolist() == [["q", FOUND], ["r", NONE]]
        assert held["address"].iloc[0] == later.address
        assert AnswerLedger(transaction).about(["one", "two"], ["q"])["provider"].tolist() == [
            "one",
            "two",
        ]
        assert AnswerLedger(transaction).about(["one"], []).empty
        assert AnswerLedger(transaction).forget("one", "2026-12-01T00:00:00Z") == 1
        assert AnswerLedger(transaction).all(["one"])["query"].tolist() == ["q"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "answer": st.sampled_from([FOUND, NONE, SEVERAL, *FAILURES]),
                "lon": st.floats(-180, 180),
                "lat": st.floats(-90, 90),
                "precision": st.sampled_from(["rooftop", "street", "postal", "place", "region"]),
                "uncertainty_m": st.floats(0, 1e6),
                "match_score": st.one_of(st.none(), st.floats(0, 1)),
            }
        ),
        min_size=6,
        max_size=6,
    )
)
def test_whatever_is_answered_every_row_comes_back_and_none_gets_worse(
    told: list[dict[str, object]],
) -> None:
    for one in told:
        if one["answer"] != FOUND:
            one.update(dict.fromkeys(("lon", "lat", "precision", "uncertainty_m"), None))
    after = answered(SIX, *told)
    assert after.index.tolist() == SIX.index.tolist()
    check(after, GEOCODE, "geocodes")
    was_placed = SIX["lon"].notna()
    before, later = SIX[was_placed], after[was_placed]
    assert (later["uncertainty_m"] <= before["uncertainty_m"]).all()
    apart = inverse(before["lon"], before["lat"], later["lon"], later["lat"])
    limit = before["uncertainty_m"] + later["uncertainty_m"] + 10 * METRES_PER_MILE
    assert (apart <= limit.to_numpy()).all()
    pd.testing.assert_series_equal(after.loc[5], SIX.loc[5])  # it has coordinates of its own


SIX = rows(
    WILLIS,
    WILLIS | {"street": "1 Elm St", "postal_code": None},
    {"city": "Sandton", "country": "ZA"},
    {"city": "Nowhereville", "state": "IL", "street": "1 Elm St"},
    {"city": "Denver", "state": "CO"},
    WILLIS | {"lon": -87.6, "lat": 41.9, "street": "2 Elm St"},
)
