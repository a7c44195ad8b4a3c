"""Kind 5: a city that contradicts its ZIP code is asked about, with or without a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from territory import frames

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

OFFICES = "support_offices_det_bos.csv"


@pytest.mark.case("b03")
def test_a_city_far_from_its_zip_code_is_never_placed_by_the_zip_code(desk: Desk) -> None:
    desk.read("prospects", "b03_city_against_zip.csv")
    rows = desk.table("prospects")
    assert rows["placement"].isin(("conflict", "ambiguous")).all()
    assert rows["lon"].isna().all()
    for city, note in zip(("Boston", "Berlin", "Zürich"), rows["geocode_note"], strict=True):
        assert city in note
        assert " mi from " in note
    assert rows.loc["3", "postal_code"] == "8001"


@pytest.mark.case("b03")
def test_a_home_whose_city_and_zip_code_disagree_cannot_be_decided(desk: Desk) -> None:
    desk.run("eligibility", "batch", "b03_homes.csv", str(desk.folder / "o.csv"),
             "--offices", str(desk.cases / OFFICES))  # fmt: skip
    rows = pd.read_csv(desk.folder / "o.csv", dtype=str).set_index("person")
    assert rows.loc[["E1", "E2", "E3", "E4"], "decision"].eq("cannot decide").all()
    assert "ZIP 02110 is in MA, 2,699.8 mi from San Francisco, CA" in rows.loc["E3", "reason"]
    assert "Berlin" in rows.loc["E4", "reason"]
    assert rows.loc["E5", "decision"] == "eligible"  # Cambridge is next to 02110


@pytest.mark.case("b03")
def test_screening_and_frames_follow_no_such_zip_code_either(desk: Desk) -> None:
    homes = str(desk.cases / "b03_homes.csv")
    desk.run("screen", homes, str(desk.folder / "s.csv"), "--offices", str(desk.cases / OFFICES),
             "--radius", "50mi")  # fmt: skip
    rows = pd.read_csv(desk.folder / "s.csv", dtype=str).set_index("person")
    assert rows.loc[["E1", "E3", "E4"], "verdict"].isna().all()
    assert rows.loc["E3", "note"].startswith("ZIP 02110 is in MA, 2,699.8 mi from San Francisco")
    assert rows.loc["E5", "verdict"] == "in"
    placed = frames.geocode(pd.read_csv(homes, dtype=str)).set_index("person")
    assert placed.loc[["E1", "E3", "E4"], "placement"].eq("ambiguous").all()


@pytest.mark.parametrize(
    ("city", "code"),
    [
        ("Cambridge", "02110"), ("Hollywood", "90028"), ("Brooklyn Park", "55443"),
        ("Nashville", "37013"), ("Kansas City", "66101"), ("Mpls", "55401"),
        ("Penn Valley", "19072"), ("McHenry", "21541"), ("Manchester", "08759"),
        ("So. San Francisco", "94080"), ("Fairlawn", "07410"), ("Wall", "07719"),
        ("Research Park", "27709"), ("Westminister", "80234"),
    ],
)  # fmt: skip
def test_suburbs_townships_and_slips_of_the_pen_keep_their_zip_code(city: str, code: str) -> None:
    row = frames.geocode(pd.DataFrame({"city": [city], "zip": [code]})).iloc[0]
    assert (row["placement"], row["precision"]) == ("approximate", "postal")


@pytest.mark.parametrize(
    ("city", "code", "country"),
    [
        ("Springfield", "02110", None), ("Portland", "60601", None), ("Denver", "02110", "US"),
        ("Paris", "75008", None), ("München", "80301", None), ("Palo Alto", "10001", None),
        ("San Francisco", "2110", None), ("Torino", "10121", None),
    ],
)  # fmt: skip
def test_other_cities_far_from_their_zip_codes_are_asked_about(
    city: str, code: str, country: str | None
) -> None:
    frame = pd.DataFrame({"city": [city], "zip": [code], "country": [country]})
    row = frames.geocode(frame).iloc[0]
    assert row["placement"] in {"conflict", "ambiguous"}
    assert row["precision"] != "postal"
    assert city in row["geocode_note"]


def test_a_home_says_what_its_zip_code_was_read_as(desk: Desk) -> None:
    path = desk.write("homes.csv", "person,city,state,zip\nA,Boston,MA,2110\nB,,,2110\nC,,,02903\n")
    desk.run("eligibility", "batch", path, str(desk.folder / "o.csv"),
             "--offices", str(desk.cases / OFFICES))  # fmt: skip
    rows = pd.read_csv(desk.folder / "o.csv", dtype=str).set_index("person")
    assert rows.loc["A", "decision"] == "eligible"
    assert "ZIP '2110' was read as 02110: the state is MA" in rows.loc["A", "reason"]
    assert rows.loc["B", "decision"] == "cannot decide"
