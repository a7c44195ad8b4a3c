"""Snapshots hold every prospect, answer as brute force does, and come back from disk the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError
from territory.prospects import Filters, Near, ProspectIndex, fold_words, snapshot
from territory.prospects.fields import CHOICES, FLAGS, NUMBERS, ORDERS
from territory.prospects.word_search import WordIndex
from tests.fixtures.snapshots import draw

if TYPE_CHECKING:
    from pathlib import Path

FRAME = draw(3000, seed=3)
TAKEN = snapshot.build(FRAME, "stamp")
TARGETS = ProspectIndex(TAKEN)


def ids(rows: np.ndarray) -> list[str]:
    return TAKEN.texts["prospect_id"].take(rows)


def selected(filters: Filters, reps: frozenset[str] | None = None) -> set[str]:
    return set(ids(np.flatnonzero(TARGETS.select(filters, reps).mask)))


def expected(mask: pd.Series) -> set[str]:
    return set(FRAME.loc[mask, "prospect_id"])


def test_every_prospect_is_in_it_once() -> None:
    assert sorted(ids(np.arange(TAKEN.size))) == sorted(FRAME["prospect_id"])
    assert TAKEN.placed == FRAME["lon"].notna().sum()
    assert (TAKEN.key[:-1] <= TAKEN.key[1:]).all()
    assert np.isnan(TAKEN.column["lon"][TAKEN.placed :]).all()


def test_it_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    snapshot.save(TAKEN, tmp_path / "one")
    again = snapshot.load(tmp_path / "one")
    assert (again.stamp, again.size, again.placed) == ("stamp", TAKEN.size, TAKEN.placed)
    assert again.labels == TAKEN.labels
    for name, values in TAKEN.column.items():
        np.testing.assert_array_equal(again.column[name], values)
    assert again.texts["name"].take(np.arange(9)) == TAKEN.texts["name"].take(np.arange(9))
    assert again.row_of("p7") == TAKEN.row_of("p7") is not None
    assert not list(tmp_path.glob(".draft-*"))


def test_saving_what_another_process_saved_meanwhile_leaves_that(tmp_path: Path) -> None:
    snapshot.save(TAKEN, tmp_path / "one")
    snapshot.save(snapshot.build(FRAME, "stamp"), tmp_path / "one")
    assert snapshot.load(tmp_path / "one").stamp == "stamp"
    assert not list(tmp_path.glob(".draft-*"))


def test_a_folder_without_a_snapshot_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no snapshot"):
        snapshot.load(tmp_path)


def test_no_prospects_at_all_make_a_snapshot(tmp_path: Path) -> None:
    snapshot.save(snapshot.build(FRAME.iloc[:0], "none"), tmp_path / "none")
    none = ProspectIndex(snapshot.load(tmp_path / "none"))
    assert none.select(Filters(text="acme")).total == 0
    assert none.counts("status", Filters()) == {}
    assert len(none.first(none.select(Filters()), "score", 10)) == 0


def test_an_id_is_found_or_is_not() -> None:
    for prospect_id in FRAME["prospect_id"].head(50):
        row = TAKEN.row_of(prospect_id)
        assert row is not None
        assert ids(np.array([row])) == [prospect_id]
    assert TAKEN.row_of("p-1") is None
    assert TAKEN.row_of("zzz") is None


@pytest.mark.parametrize("name", CHOICES)
def test_choices_let_through_what_they_name(name: str) -> None:
    values = tuple(FRAME[name].drop_duplicates().head(2))
    want = tuple(None if pd.isna(value) else str(value) for value in values)
    assert selected(Filters(choices=((name, want),))) == expected(FRAME[name].isin(values))


@pytest.mark.parametrize("name", NUMBERS)
def test_ranges_hold_their_ends_and_nothing_unknown(name: str) -> None:
    got = selected(Filters(ranges=((name, 10, 20),)))
    assert got == expected(FRAME[name].between(10, 20))
    assert selected(Filters(ranges=((name, None, None),))) == expected(FRAME[name].notna())


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name: str) -> None:
    assert selected(Filters(flags=((name, False),))) == expected(~FRAME[name])


def test_whitespace_idle_and_near() -> None:
    assert selected(Filters(whitespace=True)) == expected(FRAME["stage"].isna())
    day = "2026-06-01"
    idle = FRAME["last_activity_on"].isna() | (FRAME["last_activity_on"] < day)
    assert selected(Filters(idle_since=day)) == expected(idle)
    from territory.geodesy import inverse

    here = FRAME.dropna(subset=["lon"]).iloc[0]
    placed = FRAME.dropna(subset=["lon"])
    distance = inverse(here["lon"], here["lat"], placed["lon"], placed["lat"])
    near = Near(here["lon"], here["lat"], 400_000.0)
    got = selected(Filters(near=near))
    assert got == set(placed.loc[distance <= near.radius_m, "prospect_id"])
    assert 1 < len(got) < len(FRAME)


def test_the_nearest_stand_first_or_last_and_have_a_location() -> None:
    from territory.geodesy import inverse

    rows, distance_m = TARGETS.nearest(TARGETS.select(Filters()), Near(-90.0, 40.0, 1.0))
    assert set(ids(rows)) == set(FRAME.dropna(subset=["lon"])["prospect_id"])
    lon, lat = (TAKEN.column[name][rows] for name in ("lon", "lat"))
    np.testing.assert_allclose(distance_m, inverse(-90.0, 40.0, lon, lat), atol=1e-6)
    assert (np.diff(distance_m) >= 0).all()
    turned, _ = TARGETS.nearest(TARGETS.select(Filters()), Near(-90.0, 40.0, 1.0), farthest=True)
    assert turned[0] == rows[-1] or distance_m[-1] == distance_m[-2]


@pytest.mark.parametrize("here", [(-90.0, 40.0), (-81.2, 25.1), (90.0, -40.0), (0.0, 90.0)])
@pytest.mark.parametrize("first", [1, 50, 700, 3000])
@pytest.mark.parametrize("farthest", [False, True])
def test_the_first_of_the_nearest_are_those_of_the_whole_order(here, first, farthest) -> None:
    everyone, near = TARGETS.select(Filters()), Near(*here, 1.0)
    whole = TARGETS.nearest(everyone, near, farthest=farthest)
    for some, every in zip(
        TARGETS.nearest(everyone, near, first, farthest=farthest), whole, strict=True
    ):
        assert some.tolist() == every[:first].tolist()


def test_what_reps_do_not_own_does_not_exist() -> None:
    mine = frozenset(("ana",))
    owned = FRAME["rep_id"] == "ana"
    assert selected(Filters(), mine) == expected(owned)
    assert selected(Filters(choices=(("rep_id", ("bo",)),)), mine) == set()
    assert set(TARGETS.counts("rep_id", Filters(), mine)) == {"ana"}
    counts = TARGETS.counts("status", Filters(), mine)
    assert counts == FRAME.loc[owned, "status"].value_counts().to_dict()
    assert TARGETS.select(Filters(), frozenset()).total == 0


def test_counts_follow_the_other_choices_and_not_their_own() -> None:
    filters = Filters(choices=(("status", ("customer",)), ("segment", ("small",))))
    small = FRAME[FRAME["segment"] == "small"]
    assert TARGETS.counts("status", filters) == small["status"].value_counts().to_dict()
    unknown = TARGETS.counts("industry", Filters())
    assert unknown[None] == FRAME["industry"].isna().sum()
    assert sum(unknown.values()) == len(FRAME)


def test_flags_whitespace_and_idleness_are_counted_beside_the_other_criteria() -> None:
    filters = Filters(
        flags=(("has_contacts", True),), whitespace=True, idle_since="2026-06-01",
        ranges=(("employees", 10, None),),
    )  # fmt: skip
    many = FRAME["employees"] >= 10
    idle = FRAME["last_activity_on"].isna() | (FRAME["last_activity_on"] < "2026-06-01")
    open_, has = FRAME["stage"].notna(), FRAME["has_contacts"]
    assert TARGETS.flag_counts("has_contacts", filters) == (
        (many & idle & ~open_ & has).sum(),
        (many & idle & ~open_ & ~has).sum(),
    )
    assert TARGETS.whitespace_count(filters) == (many & idle & has & ~open_).sum()
    wanted = (many & has & ~open_ & idle).sum()
    assert TARGETS.idle_count("2026-06-01", filters) == wanted
    assert TARGETS.select(filters).total == wanted
    one = Filters(choices=(("market_id", ("m1",)),))
    in_one = FRAME["market_id"] == "m1"
    assert TARGETS.counts("market_id", filters, base=one) == {
        "m1": (in_one & many & has & ~open_ & idle).sum()
    }


@given(st.integers(0, 2**32 - 1))
def test_a_choice_is_counted_as_if_it_were_left_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [name for name in CHOICES if rng.random() < 0.4]
    values = {name: [*FRAME[name].dropna().unique(), None] for name in CHOICES}
    flags = tuple((name, bool(rng.random() < 0.5)) for name in FLAGS if rng.random() < 0.3)
    filters = Filters(
        text=str(rng.choice(["", "", "steel", "acne"])),
        choices=tuple((name, tuple(rng.permutation(values[name])[:2])) for name in names),
        ranges=(("score", 5.0, None),) if rng.random() < 0.3 else (),
        flags=flags,
        whitespace=bool(rng.random() < 0.3),
        idle_since="2026-06-01" if rng.random() < 0.3 else None,
        near=Near(-95.0, 38.0, 1_500_000.0) if rng.random() < 0.3 else None,
    )
    reps = frozenset({"ana"}) if rng.random() < 0.3 else None
    fresh = ProspectIndex(TAKEN)  # nothing kept that another question has worked out
    for name in CHOICES:
        others = fresh.select(filters.without(name), reps).mask
        codes = np.bincount(TAKEN.column[name][others], minlength=len(TAKEN.labels[name]) + 1)
        found = TARGETS.counts(name, filters, reps)
        assert {value: n for value, n in found.items() if n} == {
            value: n for value, n in zip((None, *TAKEN.labels[name]), codes, strict=True) if n
        }


@pytest.mark.parametrize("order", [*ORDERS, *(f"-{name}" for name in ORDERS)])
def test_orders_are_whole_and_page_by_page(order: str) -> None:
    filters = Filters(choices=(("segment", ("small",)),))
    selection = TARGETS.select(filters)
    whole = TARGETS.first(selection, order, TAKEN.size)
    assert sorted(ids(whole)) == sorted(selected(filters))
    pages = [TARGETS.first(selection, order, 100, start=at) for at in range(0, len(whole), 100)]
    np.testing.assert_array_equal(np.concatenate(pages), whole)
    name = ORDERS[order.removeprefix("-")].column
    largest = ORDERS[order.removeprefix("-")].is_largest_first
    if name in NUMBERS and not order.startswith("-"):
        values = TAKEN.column[name][whole]
        known = values[~np.isnan(values)]
        assert (np.diff(known) <= 0).all() if largest else (np.diff(known) >= 0).all()
        assert np.isnan(values[len(known) :]).all()
    if name in NUMBERS and order.startswith("-"):
        assert not np.isnan(TAKEN.column[name][whole[0]])
        assert np.isnan(TAKEN.column[name][whole[-1]])


def test_what_is_no_choice_or_order_is_told() -> None:
    with pytest.raises(InputError, match="'colour' is no choice"):
        Filters(choices=(("colour", ("red",)),))
    with pytest.raises(InputError, match="order 'luck' is none of"):
        TARGETS.first(TARGETS.select(Filters()), "luck", 1)


def test_words_are_found_by_their_beginnings_and_with_a_slip() -> None:
    has = FRAME["name"].str.contains
    assert selected(Filters(text="acme")) == expected(has("Acme"))
    assert selected(Filters(text="  FREI acm ")) == expected(has("Acme"))
    assert selected(Filters(text="societe gener")) == expected(has("Société"))
    assert selected(Filters(text="oneil")) == expected(has("O'Neil"))
    assert fold_words("Acme™ ℌelix") == ["acmetm", "helix"]
    assert selected(Filters(text="umbrlla")) == expected(has("Umbrella"))
    assert selected(Filters(text="qumbrella")) == expected(has("Umbrella"))
    assert selected(Filters(text="glo")) == expected(has("Globex"))
    assert selected(Filters(text="gxo")) == set()
    paulo = (FRAME["city"] == "São Paulo") & has("Wayne")
    assert selected(Filters(text="wayne paolo")) == expected(paulo)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30), st.data())
def test_any_word_of_a_text_finds_it(texts: list[str], data: st.DataObject) -> None:
    index = WordIndex.of([pd.Series(texts, dtype=object)])
    row = data.draw(st.integers(0, len(texts) - 1))
    for word in fold_words(texts[row]):
        part = word[: data.draw(st.integers(1, len(word)))]
        assert index.find(part, len(texts))[row]


def test_suggestions_are_words_there_are() -> None:
    everyone = np.ones(TAKEN.size, bool)
    has = FRAME["name"].str.contains
    assert TAKEN.words.suggest("umb", everyone) == [("umbrella", has("Umbrella").sum())]
    assert TAKEN.words.suggest("umbrlla", everyone) == [("umbrella", has("Umbrella").sum())]
    assert dict(TAKEN.words.suggest("wayne s", everyone)) == {
        "steel": has("Wayne").sum(),
        "sao": (has("Wayne") & (FRAME["city"] == "São Paulo")).sum(),
    }
    assert TAKEN.words.suggest("", everyone) == []
    assert TAKEN.words.suggest("umb", ~everyone) == []


def test_what_is_out_of_reach_changes_no_search() -> None:
    """A word that stands in another's rows alone is as if nobody had ever written it."""
    frame = FRAME.head(40).assign(
        name=["Zebra Works"] * 20 + ["Zebre Works"] * 20, rep_id=["bo"] * 20 + ["ana"] * 20,
        market_id=["m1"] * 30 + ["m2"] * 10, city=None, state=None, industry=None,
    )  # fmt: skip
    ana, alone = frozenset(("ana",)), frame.tail(20)
    both, own = (ProspectIndex(snapshot.build(part, "s")) for part in (frame, alone))
    for text in ("zebra", "zebre", "zebr", "works zebra", "zibre", "bo"):
        asked = Filters(text=text)
        assert both.select(asked, ana).total == own.select(asked).total, text
        in_market = Filters(text=text, choices=(("market_id", ("m2",)),))
        assert both.select(in_market).total == (text != "bo") * 10, text
        seen, held = both.select(Filters(), ana).mask, own.select(Filters()).mask
        words = both.snapshot.words.suggest(text, seen)
        assert words == own.snapshot.words.suggest(text, held), text
