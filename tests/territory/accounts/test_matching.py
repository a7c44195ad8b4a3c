"""What looks like one company is proposed, with evidence; what only sounds alike is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.accounts import matching
from territory.accounts.matching import likely
from territory.cleaning import name_key
from territory.cleaning.company_names import UNNAMED
from territory.files import read_table
from territory.imports import read_rows
from territory.imports.rows import identity

if TYPE_CHECKING:
    from pathlib import Path

CHICAGO = {"city": "Chicago", "state": "IL", "country": "US", "lon": -87.63, "lat": 41.88}
EVANSTON = {"city": "Evanston", "state": "IL", "country": "US", "lon": -87.69, "lat": 42.05}
MIAMI = {"city": "Miami", "state": "FL", "country": "US", "lon": -80.19, "lat": 25.77}
NOWHERE: dict[str, Any] = {}


def rows(*given: dict[str, Any]) -> pd.DataFrame:
    """Prospects p0, p1 ... of which the columns given are known."""
    frame = pd.DataFrame([{"prospect_id": f"p{at}", **one} for at, one in enumerate(given)])
    numbers = [name for name in ("lon", "lat", "uncertainty_m") if name in frame]
    texts = frame.columns.difference(numbers)
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame


def pair(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    """The evidence for two prospects, None where they are not proposed."""
    found = likely(rows(one, other))
    return None if found.empty else found["evidence"].iloc[0]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The J. M. Smucker Company, Inc.", "jm smucker"),
        ("A. O. Smith", "ao smith"),
        ("AO Smith Corp.", "ao smith"),
        ("Procter & Gamble Co", "procter gamble"),
        ("Procter and Gamble", "procter gamble"),
        ("Société Générale S.A.", "societe generale"),
        ("Macy's", "macys"),
        ("Lowe\u2019s Companies, Inc.", "lowes"),
        ("Fresenius Medical Care AG & Co. KGaA", "fresenius medical care"),
        ("Walt Disney Company, The", "walt disney"),
        ("Acme Mfg. L.L.C.", "acme manufacturing"),
        ("Moorim SP Co., Ltd.", "moorim sp"),
        ("The Co", "co"),
        ("S.A.", "sa"),
        ("3M", "3m"),
        ("!!!", ""),
        (f"{UNNAMED}, Chicago, IL 60606", ""),
    ],
)
def test_a_name_without_what_does_not_tell_it_apart(name: str, key: str) -> None:
    assert name_key(name) == key


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.text(max_size=40))
def test_a_name_key_is_its_own_key(name: str) -> None:
    key = name_key(name)
    assert name_key(key.upper()) == key or len(key.split()) > 1


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (
            {"name": "Acme Inc", **CHICAGO},
            {"name": "ACME, LLC", **CHICAGO},
            "same name, same place",
        ),
        ({"name": "Acme", **CHICAGO}, {"name": "Acme", **NOWHERE}, "no location"),
        (
            {"name": "Acme", "website": "http://www.acme.com/x", **CHICAGO},
            {"name": "The Acme Co.", "website": "ACME.COM", **CHICAGO},
            "same web address acme.com",
        ),
        ({"name": "Lakeside Roofing", **CHICAGO}, {"name": "Lakseide Roofing", **CHICAGO}, "typo"),
        ({"name": "Lakeside Roofing", **CHICAGO}, {"name": "Lake Side Roofing", **CHICAGO}, "same"),
        ({"name": "Acme Foods", **CHICAGO}, {"name": "Acme Foods USA", **CHICAGO}, "typo"),
        (
            {"name": "Acme", "street": "1 N. Main Street", "website": "acme.com", **CHICAGO},
            {"name": "Acme", "street": "1 Main St", "website": "acme.org", **CHICAGO},
            "same street and number",
        ),
        (
            {"name": "Acme", "street": "1 Main St", **CHICAGO},
            {"name": "Acme", "street": "9 Oak St", **CHICAGO},
            "but another street",
        ),
    ],
)
def test_a_likely_pair_says_what_speaks_for_it(
    one: dict[str, Any], other: dict[str, Any], told: str
) -> None:
    assert told in (pair(one, other) or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "Acme", **CHICAGO}, {"name": "Acme", **MIAMI}),
        ({"name": "First Bank", **CHICAGO}, {"name": "Fifth Bank", **CHICAGO}),
        ({"name": "School District 204", **CHICAGO}, {"name": "School District 203", **CHICAGO}),
        ({"name": "Acme", **CHICAGO}, {"name": "Apex", **CHICAGO}),
        ({"name": "Anritsu", **CHICAGO}, {"name": "Sanritsu", **CHICAGO}),
        ({"name": "Kolmar", **CHICAGO}, {"name": "Kolmar Holdings", **CHICAGO}),
        ({"name": f"{UNNAMED}, 60606", **CHICAGO}, {"name": f"{UNNAMED}, 60606", **CHICAGO}),
        (
            {"name": "Acme", "website": "acme.com", **CHICAGO},
            {"name": "Acme", "website": "acme-roofing.com", **CHICAGO},
        ),
        (
            {"name": "Bunker Hill College", "website": "mass.edu", **CHICAGO},
            {"name": "Roxbury College", "website": "mass.edu", **CHICAGO},
        ),
        (
            {"name": "Joe's Pizza", "website": "facebook.com/joes", **CHICAGO},
            {"name": "Ann's Cakes", "website": "facebook.com/anns", **CHICAGO},
        ),
        (
            {"name": "Acme", "prospect_id": "a", **CHICAGO},
            {"name": "Acme", "parent_id": "a", **CHICAGO},
        ),
    ],
)
def test_what_only_sounds_alike_is_not_proposed(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert pair(one, other) is None
    assert pair(other, one) is None


def test_a_common_word_in_place_of_another_is_no_slip() -> None:
    """Of two words each in use, one in place of the other is another name."""
    trades = ("Foods", "Labs", "Bank")
    names = [f"{word} {trade}" for word in ("Marina", "Marine") for trade in trades]
    assert likely(rows(*({"name": name, **CHICAGO} for name in names))).empty
    assert pair({"name": "Marina Foods", **CHICAGO}, {"name": "Marine Foods", **CHICAGO})


def test_how_far_apart_counts_together_with_what_is_uncertain() -> None:
    one, other = {"name": "Acme Foods", **CHICAGO}, {"name": "Acme Foods", **EVANSTON}
    assert pair(one, other) is None  # 12 miles
    vague = {"uncertainty_m": 10_000.0}
    assert pair(one | vague, other | vague) == "same name, 12.1 mi apart"
    assert len(likely(rows(one, other), near_m=25_000)) == 1


def test_a_name_that_many_have_needs_more_than_a_place_nearby() -> None:
    crowd = [
        {"name": "First Baptist Church", "street": f"{at} Main St", **CHICAGO} for at in range(8)
    ]
    assert likely(rows(*crowd)).empty
    assert len(likely(rows(*crowd[:2]))) == 1


def test_a_thousand_of_one_name_and_place_give_a_bounded_number_of_pairs() -> None:
    found = likely(rows(*({"name": "Acme", **CHICAGO} for _ in range(1_000))))
    assert 999 <= len(found) <= 12_000
    assert set(found["first_id"]) | set(found["second_id"]) == {f"p{at}" for at in range(1_000)}


@pytest.mark.parametrize("apart_degrees", [0.0023, 0.05])
def test_places_on_either_side_of_any_grid_line_meet(apart_degrees: float) -> None:
    """A walk of 95 km in steps of 250 m; at each stands a company, and a slip of it farther on."""
    told = [
        {"name": name, "lon": -87.63 + at * 0.003 + shift, "lat": 41.88 + at * 0.0023 + shift}
        for at in range(380)
        for name, shift in ((f"{word(at)}stone", 0.0), (f"{word(at)}sotne", apart_degrees))
    ]
    found = likely(rows(*told))
    expected = {tuple(sorted((f"p{at}", f"p{at + 1}"))) for at in range(0, 760, 2)}
    assert set(zip(found["first_id"], found["second_id"], strict=True)) >= expected


def word(number: int) -> str:
    """A word of its own for each number, unlike all others."""
    return "".join(chr(97 + int(digit)) * 2 for digit in f"{number:03}")


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.data())
def test_pairs_come_once_smaller_id_first_whatever_the_order_of_rows(data: st.DataObject) -> None:
    names = st.sampled_from(["Acme Foods", "ACME FOODS INC", "Acme Fodos", "Apex Labs", "", "The"])
    places = st.sampled_from([CHICAGO, EVANSTON, MIAMI, NOWHERE])
    sites = st.sampled_from([None, "acme.com", "apex.com"])
    drawn = data.draw(st.lists(st.tuples(names, places, sites), max_size=9))
    table = rows(*({"name": n, "website": w, **p} for n, p, w in drawn)) if drawn else rows(
        {"name": "Acme"}
    )  # fmt: skip
    found = likely(table, threshold=0)
    shuffled = table.iloc[data.draw(st.permutations(range(len(table))))].reset_index(drop=True)
    pd.testing.assert_frame_equal(likely(shuffled, threshold=0), found)
    assert (found["first_id"] < found["second_id"]).all()
    assert not found.duplicated(["first_id", "second_id"]).any()
    assert found["score"].is_monotonic_decreasing
    assert found["score"].between(0, 1).all()
    assert found["evidence"].map(len).gt(0).all()


def test_no_prospects_give_no_pairs() -> None:
    none = likely(rows({"name": "Acme"}).iloc[:0])
    assert list(none.columns) == list(matching.COLUMNS)
    assert none.empty


def test_pairs_in_real_files_are_few_and_were_read_to_be_right(shared: Path) -> None:
    """Placed, 40 pairs of listed companies and 5 of universities; all were read: the same company.

    Here they are not placed, so only what stands in the same town can meet.
    """
    counts = {}
    for name in ("fortune500_hifld", "universities_ipeds_hd2020", "listed_companies"):
        path = next(shared.glob(f"{name}*.csv"))
        taken = read_rows("prospects", read_table(path)).rows
        counts[name] = len(likely(taken.drop(columns=["lat", "lon"])))
    assert counts == {
        "fortune500_hifld": 0,
        "universities_ipeds_hd2020": 3,
        "listed_companies": 44,
    }


def test_companies_without_a_name_are_called_what_intake_calls_them() -> None:
    assert identity._UNNAMED == UNNAMED
