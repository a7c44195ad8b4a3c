"""What people decide about places holds as long as the file says the same, and no longer."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from territory.errors import ConflictError, CoordinateError, InputError, NotFoundError
from territory.geocoding import review
from territory.geocoding.review import ReviewLedger, evidence, placement
from territory.imports import import_file
from territory.schemas import ADDRESS, GEOCODE
from territory.store import open_store
from tests.fixtures.placed_rows import CHICAGO, POLICY, ROWS, bring, placed, row_of, rows, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from territory.store import Store

WHO: dict[str, Any] = {"by": "Ann", "now": datetime(2026, 11, 23, 9, 30, tzinfo=UTC)}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with ``ROWS`` in it and nothing decided; copy it before you change it."""
    path = tmp_path_factory.mktemp("places") / "template.sqlite"
    with open_store(str(path)) as store:
        bring(store, *ROWS)
    return path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    """``ROWS`` in a store of the test's own."""
    copy = tmp_path / "store.sqlite"
    shutil.copy(template, copy)
    with open_store(str(copy)) as opened:
        yield opened


# --- decisions ----------------------------------------------------------------------------------


def test_a_pin_goes_before_the_file_and_stays_when_the_file_comes_again(store: Store) -> None:
    done = review.pin(store, "prospects", "fiserv", -88.1, 43.05, **WHO)
    assert (done.lon, done.lat, done.precision, done.placement) == (
        -88.1,
        43.05,
        "rooftop",
        "placed",
    )
    assert done.geocode_source == "pin by Ann on 2026-11-23"
    before = stored(store, "fiserv")
    bring(store, row_of("fiserv"))
    pd.testing.assert_series_equal(stored(store, "fiserv"), before)


@pytest.mark.parametrize(
    "change", [{"postal_code": "53045"}, {"city": "Racine"}, {"given_lat": 43.2}]
)
def test_a_pin_ends_with_what_it_was_made_on_and_the_list_says_so(
    store: Store, change: dict[str, Any]
) -> None:
    review.pin(store, "prospects", "fiserv", -90.0, 40.0, **WHO)
    bring(store, row_of("fiserv", **change))
    now = stored(store, "fiserv")
    assert now["lon"] != -90.0
    assert "changed since Ann placed it on 2026-11-23" in now["geocode_note"]
    listed = review.work_list(store, placements=review.LISTED, text="fiserv").rows.iloc[0]
    assert listed["is_stale"]
    assert (listed["decision"], listed["decided_by"]) == ("pin", "Ann")
    bring(store, row_of("fiserv"))
    assert stored(store, "fiserv")["lon"] == -90.0, "the old address is back, and so is its pin"


def test_accepting_ends_a_conflict_where_the_row_stands(store: Store) -> None:
    assert stored(store, "fiserv")["placement"] == "conflict"
    done = review.accept(store, "prospects", "fiserv", **WHO)
    assert (done.lon, done.lat, done.placement) == (-88.1069, 43.0606, "placed")
    assert done.geocode_source == "the coordinates given, accepted by Ann on 2026-11-23"
    assert done.geocode_note is None
    assert "fiserv" not in set(review.work_list(store).rows["subject_id"])


def test_a_candidate_is_accepted_with_its_own_precision(store: Store) -> None:
    found = review.candidates(store, "prospects", "fiserv").set_index("label")
    chosen = found.loc["ZIP 53045"]
    done = review.accept(store, "prospects", "fiserv", chosen["candidate_id"], **WHO)
    assert (done.precision, done.placement) == ("postal", "approximate")
    assert done.uncertainty_m == chosen["uncertainty_m"]
    again = review.accept(store, "prospects", "fiserv", **WHO)
    assert again.geocode_source == "ZIP 53045, accepted by Ann on 2026-11-23"


def test_a_corrected_address_places_the_row_and_leaves_the_files_own(store: Store) -> None:
    done = review.correct_address(
        store, "prospects", "nowhere", {"city": "Boulder", "postal_code": "80302-1234"}, **WHO
    )
    assert (done.precision, done.placement) == ("postal", "approximate")
    assert done.geocode_source == "ZIP 80302 (address corrected by Ann on 2026-11-23)"
    assert stored(store, "nowhere")["city"] == "Xyzzy"
    labels = review.candidates(store, "prospects", "nowhere")["label"].tolist()
    assert labels[0] == "ZIP 80302"
    bring(store, row_of("nowhere"))
    assert stored(store, "nowhere")["lon"] == done.lon


def test_a_correction_that_has_no_place_says_so_and_can_be_answered_later(store: Store) -> None:
    done = review.correct_address(store, "prospects", "denver", {"postal_code": ""}, **WHO)
    assert done.precision == "place"
    done = review.correct_address(store, "prospects", "denver", {"city": "Xyzzy"}, **WHO)
    assert done.precision == "postal", "what is left out is as in the file"
    done = review.correct_address(
        store, "prospects", "denver", {"city": "Xyzzy", "postal_code": None}, **WHO
    )
    assert (done.lon, done.placement) == (None, "unplaced")
    with store.read() as transaction:
        frame = transaction.table("prospects", prospect_id="denver")
        asked = placement.addressed(transaction, "prospects", frame)
    assert asked[["city", "state", "postal_code"]].iloc[0].tolist() == ["Xyzzy", "CO", None]


def test_no_place_leaves_the_list_of_work_and_can_be_listed(store: Store) -> None:
    before = review.work_list(store)
    done = review.mark_no_place(store, "prospects", "nowhere", **WHO)
    assert (done.lon, done.placement) == (None, "unplaced")
    assert done.geocode_note == "marked as not a place by Ann on 2026-11-23"
    after = review.work_list(store)
    assert after.total == before.total - 1
    assert "nowhere" not in after.rows["subject_id"].tolist()
    assert after.counts["not_a_place"] == 1
    assert after.counts["unplaced"] == before.counts["unplaced"] - 1
    marked = review.work_list(store, placements=["not_a_place"])
    assert marked.rows["subject_id"].tolist() == ["nowhere"]
    bring(store, row_of("nowhere"))
    assert review.work_list(store).total == after.total


@pytest.mark.parametrize("subject_id", [row[0] for row in ROWS])
def test_what_is_taken_back_leaves_no_trace(store: Store, subject_id: str) -> None:
    before = stored(store, subject_id)
    review.pin(store, "prospects", subject_id, 1.0, 2.0, **WHO)
    review.mark_no_place(store, "prospects", subject_id, **WHO)
    review.forget(store, "prospects", subject_id, **WHO)
    pd.testing.assert_series_equal(stored(store, subject_id), before)


def test_what_cannot_be_decided_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(CoordinateError, match=r"lat=-104.99.*swapped"):
        review.pin(store, "prospects", "denver", 39.7, -104.99, **WHO)
    with pytest.raises(CoordinateError, match="nan"):
        review.pin(store, "prospects", "denver", float("nan"), 1, **WHO)
    with pytest.raises(NotFoundError, match="'nobody'"):
        review.pin(store, "prospects", "nobody", 1, 1, **WHO)
    with pytest.raises(InputError, match="'reps' have no places"):
        review.pin(store, "reps", "denver", 1, 1, **WHO)
    with pytest.raises(InputError, match="Say who"):
        review.pin(store, "prospects", "denver", 1, 1, **WHO | {"by": " "})
    with pytest.raises(ConflictError, match="no place to accept"):
        review.accept(store, "prospects", "nowhere", **WHO)
    with pytest.raises(ConflictError, match="no candidate 'x'"):
        review.accept(store, "prospects", "denver", "x", **WHO)
    with pytest.raises(InputError, match="zip: an address has"):
        review.correct_address(store, "prospects", "denver", {"zip": "1"}, **WHO)
    blank = dict.fromkeys(ADDRESS, "")
    with pytest.raises(InputError, match="needs a ZIP code, or a city"):
        review.correct_address(store, "prospects", "denver", blank, **WHO)
    with pytest.raises(ConflictError, match="Nothing was decided about 'denver'"):
        review.forget(store, "prospects", "denver", **WHO)
    with pytest.raises(InputError, match="name some of placed, approximate"):
        review.work_list(store, placements=["lost"])
    with store.read() as transaction:
        assert ReviewLedger(transaction).decisions("prospects").empty


# --- outdated coordinates -----------------------------------------------------------------------


def test_coordinates_that_stay_while_the_address_moves_far_are_a_conflict(store: Store) -> None:
    moved = row_of("chicago", city="Denver", state="CO", postal_code="80202")
    now = bring(store, moved).loc["chicago"]
    assert now["placement"] == "conflict"
    assert now["geocode_source"] == "ZIP 80202"
    assert "those of an earlier address: 9" in now["geocode_note"]
    before = stored(store, "chicago")
    bring(store, moved)
    pd.testing.assert_series_equal(stored(store, "chicago"), before)
    bring(store, row_of("chicago", city="Denver", state="CO", postal_code="80202",
                        given_lon=-104.99, given_lat=39.75))  # fmt: skip
    assert stored(store, "chicago")["geocode_source"] == "given", "new coordinates are trusted"


def test_coordinates_are_doubted_when_the_company_moves_round_the_corner(store: Store) -> None:
    frame = placed(rows(row_of("chicago"))).assign(street="1 E Wacker Dr")
    with store.write() as transaction:
        transaction.save("prospects", frame.iloc[:0], frame)
        moved = frame.assign(street="200 N Michigan Ave")
        now = review.settle(transaction, "prospects", moved, POLICY).iloc[0]
        again = moved.assign(**now[list(GEOCODE.columns)])
        transaction.save("prospects", frame.iloc[:0], again)
        later = review.settle(transaction, "prospects", moved, POLICY).iloc[0]
    assert (now["placement"], now["geocode_source"]) == ("approximate", "ZIP 60601")
    assert later.equals(now)


@pytest.mark.parametrize(
    "street", ["1 East Wacker Drive", "1 E. Wacker Dr., Suite 900", "1 E WACKER DR #12", None]
)
def test_another_way_to_write_the_same_address_changes_nothing(store: Store, street: str) -> None:
    frame = placed(rows(row_of("chicago"))).assign(street="1 E Wacker Dr")
    with store.write() as transaction:
        transaction.save("prospects", frame.iloc[:0], frame)
        written = frame.assign(street=street, postal_code="60601-1802", city="CHICAGO")
        now = review.settle(transaction, "prospects", written, POLICY).iloc[0]
    assert (now["placement"], now["geocode_source"]) == ("placed", "given")


def test_a_decision_about_doubted_coordinates_stands_and_the_doubt_outlives_it(
    store: Store,
) -> None:
    moved = row_of("chicago", city="Denver", state="CO", postal_code="80202")
    bring(store, moved)
    review.pin(store, "prospects", "chicago", -104.98, 39.74, **WHO)
    bring(store, moved)
    assert stored(store, "chicago")["lon"] == -104.98
    review.forget(store, "prospects", "chicago", **WHO)
    now = stored(store, "chicago")
    assert (now["placement"], now["geocode_source"]) == ("conflict", "ZIP 80202")


def test_doubted_coordinates_are_kept_where_the_new_address_has_no_place(store: Store) -> None:
    now = bring(store, row_of("chicago", city="Xyzzy", postal_code=None)).loc["chicago"]
    assert (now["lon"], now["lat"]) == CHICAGO
    assert now["placement"] == "conflict"
    assert "the new one has no place: city 'Xyzzy' was not found in IL" in now["geocode_note"]


# --- promises -----------------------------------------------------------------------------------

text_or_none = st.none() | st.text("ab 1", max_size=3)
degrees = st.just(np.nan) | st.floats(-90, 90, allow_nan=False)
said = st.tuples(*[text_or_none] * len(ADDRESS), degrees, degrees)


@given(one=said, other=said)
def test_evidence_is_equal_where_what_was_said_is_equal(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    frame = pd.DataFrame([one, one, other], columns=[*ADDRESS, "given_lon", "given_lat"])
    frame = frame.astype(dict.fromkeys(ADDRESS, object))
    first, same, last = evidence(frame)
    numbers = [[f"{x:.7f}" for x in row[len(ADDRESS) :]] for row in (one, other)]
    texts = [[text or "" for text in row[: len(ADDRESS)]] for row in (one, other)]
    assert first == same
    is_equal = [[n.replace("-0.0000000", "0.0000000") for n in row] for row in numbers]
    assert (first == last) == (texts[0] == texts[1] and is_equal[0] == is_equal[1])


VERBS: tuple[Callable[[Store, str], object], ...] = (
    lambda store, one: review.pin(store, "prospects", one, 1.0, 2.0, **WHO),
    lambda store, one: review.mark_no_place(store, "prospects", one, **WHO),
    lambda store, one: review.correct_address(
        store, "prospects", one, {"postal_code": "02110", "city": "Boston", "state": "MA"}, **WHO
    ),
)
SOURCES = ("pin by Ann", "decision", "ZIP 02110 (address corrected by Ann")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(decided=st.dictionaries(st.sampled_from([row[0] for row in ROWS]), st.integers(0, 2)))
def test_every_row_settles_once_in_order_and_only_the_decided_differ(
    store: Store, decided: dict[str, int]
) -> None:
    before = bring(store, *ROWS)
    for subject_id, verb in decided.items():
        VERBS[verb](store, subject_id)
    after = bring(store, *ROWS[::-1])
    for subject_id in decided:
        review.forget(store, "prospects", subject_id, **WHO)
    assert after.index.tolist() == [row[0] for row in ROWS[::-1]]
    free = [row[0] for row in ROWS if row[0] not in decided]
    assert_frame_equal(after.loc[free], before.loc[free])
    for subject_id, verb in decided.items():
        assert after.loc[subject_id, "geocode_source"].startswith(SOURCES[verb])


# --- the whole way ------------------------------------------------------------------------------


def test_a_file_imported_again_leaves_what_was_decided_alone(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(
        "id,name,city,state,zip,lat,lon\n"
        "a,Alpha,Brookfield,WI,53405,43.0606,-88.1069\nb,Beta,Springfield,,,,\n"
    )
    with open_store(str(tmp_path / "store.sqlite")) as store:
        first = import_file(store, "prospects", path, **WHO)
        assert (first.buckets["conflict"], first.buckets["ambiguous"]) == (1, 1)
        review.accept(store, "prospects", "a", **WHO)
        review.correct_address(store, "prospects", "b", {"state": "IL"}, **WHO)
        again = import_file(store, "prospects", path, **WHO)
        assert again.changes == {"new": 0, "updated": 0, "unchanged": 2}
        assert (again.buckets["placed"], again.buckets["approximate"]) == (1, 1)
