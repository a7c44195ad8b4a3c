"""Kind 10: addresses in one column, guarded, abbreviated and foreign, are read or told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk


def _notes(report: dict[str, object]) -> dict[int, str]:
    listed = report["notes"]
    assert isinstance(listed, list)
    return {one["line"]: one["note"] for one in listed}


@pytest.mark.case("b17")
@pytest.mark.parametrize(
    ("name", "second"),
    [("b17_one_line_address.csv", "97201"), ("b17_city_state_zip.csv", None)],
)
def test_a_whole_address_in_one_cell_is_placed(desk: Desk, name: str, second: str | None) -> None:
    desk.read("prospects", name)
    rows = desk.table("prospects").set_index("name")
    assert rows.loc["Tamarack Paper", ["city", "state", "postal_code"]].tolist() == [
        "Portland", "ME", "04101",
    ]  # fmt: skip
    assert rows.loc["Gullwing Optics", ["city", "state"]].tolist() == ["Portland", "OR"]
    assert rows.loc["Gullwing Optics", "postal_code"] == second or second is None
    assert rows["placement"].eq("approximate").all()


@pytest.mark.case("b17")
def test_the_same_file_of_whole_addresses_again_changes_nothing_and_a_move_moves(
    desk: Desk,
) -> None:
    text = 'id,name,address\n1,Tamarack,"{}"\n'
    path = desk.write("one.csv", text.format("20 Mill Rd, Portland, ME 04101"))
    desk.read("prospects", path)
    assert desk.read("prospects", path)["unchanged"] == 1
    desk.write("one.csv", text.format("5 Bay St, Boston, MA 02110"))
    desk.read("prospects", path)
    row = desk.table("prospects").loc["1"]
    assert row[["street", "city", "state", "postal_code"]].tolist() == [
        "5 Bay St", "Boston", "MA", "02110",
    ]  # fmt: skip
    assert row["geocode_source"] == "ZIP 02110"


@pytest.mark.case("b18")
def test_guarded_and_mistyped_zip_codes(desk: Desk) -> None:
    report = desk.read("prospects", "b18_guarded_zips.csv")
    rows = desk.table("prospects")
    assert rows.loc[["1", "2", "3", "4"], "geocode_source"].eq("ZIP 02110").all()
    assert _notes(report) == {
        5: "ZIP 'O2110' was read as 02110",
        6: "postal_code '7521' is no ZIP code",
    }
    typo = rows.loc["5"]
    assert typo["geocode_source"] == "ZIP codes of Dallas, TX"
    assert typo["geocode_note"] == "ZIP 7521 is unknown: placed by the city"
    assert typo["postal_code"] == "7521"


@pytest.mark.case("b18")
def test_cities_as_the_census_and_people_write_them(desk: Desk) -> None:
    desk.read("prospects", "b18_city_spellings.csv")
    sources = desk.table("prospects")["geocode_source"].tolist()
    cities = ["Nashville, TN", "Indianapolis, IN", "Honolulu, HI", "South San Francisco, CA",
              "North Hollywood, CA", "Boston, MA", "Minneapolis, MN"]  # fmt: skip
    assert [source.removeprefix("ZIP codes of ").removeprefix("city ") for source in sources] == (
        cities
    )


@pytest.mark.case("b20")
def test_postal_codes_abroad_are_placed(desk: Desk) -> None:
    desk.read("prospects", "b20_postal_codes_abroad.csv")
    rows = desk.table("prospects")
    assert rows["placement"].eq("approximate").all()
    for key, (lon, lat) in {
        "1": (-75.7, 45.4), "2": (-0.13, 51.5), "3": (13.4, 52.5), "4": (-79.4, 43.65),
        "5": (103.85, 1.29),
    }.items():  # fmt: skip
        assert rows.loc[key, "lon"] == pytest.approx(lon, abs=0.25)
        assert rows.loc[key, "lat"] == pytest.approx(lat, abs=0.2)


@pytest.mark.case("b20")
def test_a_postal_code_that_is_not_known_has_a_remedy_that_is_true(desk: Desk) -> None:
    path = desk.write("abroad.csv", "id,name,zip,country\n1,A,310000,CN\n2,B,XX9 9XX,GB\n")
    desk.read("prospects", path)
    notes = desk.table("prospects")["geocode_note"]
    assert notes.str.endswith("add the city").all()
    assert not notes.str.contains("add a ZIP code").any()


@pytest.mark.case("p05")
def test_the_five_spellings_of_zip_codes(desk: Desk) -> None:
    report = desk.read("prospects", "p05_zip_forms.csv")
    codes = desk.table("prospects")["postal_code"].tolist()
    assert codes == ["02110"] * 4 + ["00601"]
    assert _notes(report)[2] == "ZIP '2110-1234' was read as 02110: the state is MA"


@pytest.mark.case("p13")
def test_homes_come_out_with_the_right_reasons(desk: Desk) -> None:
    desk.run("eligibility", "batch", "p13_homes.csv", str(desk.folder / "o.csv"),
             "--offices", str(desk.cases / "support_offices_det_bos.csv"))  # fmt: skip
    rows = pd.read_csv(desk.folder / "o.csv", dtype=str).set_index("person")
    for people, words in {
        ("E1", "E2", "E3", "E12", "E17"): "outside the United States",
        ("E4",): "the ZIP code does not have five digits",
        ("E6",): "a PO box",
        ("E15",): "Antarctica",
        ("E16",): "a negative longitude",
        ("E24", "E25"): "several places",
        ("E26",): "0, 0 is a placeholder",
        ("E27",): "ZIP code and state disagree",
        ("E28",): "far from the address",
    }.items():
        assert rows.loc[list(people), "reason"].str.contains(words, regex=False).all(), people
    others = ["E5", "E9", "E10", "E13", "E18", "E19", "E20", "E21", "E22"]
    assert rows.loc[others, "decision"].eq("eligible").all()
