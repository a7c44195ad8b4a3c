"""Kind 9: lists of markets as people keep them, read or refused row by row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import shapely

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk


def units(desk: Desk) -> dict[str, list[str]]:
    table = desk.table("markets")
    return {key: text.split("|") for key, text in table["units"].items()}


@pytest.mark.case("b08")
def test_three_digits_are_a_zone_and_said_to_be(desk: Desk) -> None:
    report = desk.read("markets", "b08_zip3_markets.csv")
    codes = units(desk)["M1"]
    assert {code[:3] for code in codes} == {"601", "602", "603", "606"}
    assert "Line 2: 601 was read as all that begin with 601" in " ".join(report["remarks"])


@pytest.mark.case("b14")
def test_counties_are_known_by_their_names(desk: Desk) -> None:
    desk.run("import", "markets", "b14_counties_by_name.csv")
    assert units(desk) == {"M1": ["17031"], "M2": ["17099", "17037", "17043"], "M3": ["35013"]}


@pytest.mark.case("b14")
def test_counties_of_the_past_are_refused_with_their_successors(desk: Desk) -> None:
    desk.run("import", "markets", "b14_old_fips.csv")
    assert desk.last is not None
    by_line = dict(line.split(": ", 1) for line in desk.last.output.splitlines()[:4])
    for line, successors in {
        "line 2": ("09120", "09140", "09190"),
        "line 3": ("46102",),
        "line 4": ("02063", "02066", "02158"),
        "line 5": ("51019",),
    }.items():
        assert all(code in by_line[line] for code in successors)
    assert units(desk) == {}
    assert "(...)" not in desk.last.output
    assert "territory." not in desk.last.output


@pytest.mark.case("b14")
def test_a_county_of_connecticut_is_refused_with_its_planning_regions(desk: Desk) -> None:
    (refused,) = desk.read("markets", "b14_connecticut.csv")["refused_rows"]
    assert refused["line"] == 2
    assert all(code in refused["reason"] for code in ("09120", "09140", "09190"))


@pytest.mark.case("b14")
def test_one_bad_row_refuses_one_row(desk: Desk) -> None:
    report = desk.read("markets", "b14_one_bad_row.csv")
    assert [(row["line"], row["key"]) for row in report["refused_rows"]] == [(3, "M2")]
    assert units(desk) == {"M1": ["17031"]}
    assert report["reconciles"]


@pytest.mark.case("b15")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b15_long_with_ids.csv", {"M1": ["60601", "60602", "60603"], "M2": ["60201"]}),
        ("b15_zip_territory.csv", {"north": ["60601", "60602"], "south": ["60603"]}),
        ("b15_county_territory.csv", {"north": ["17031", "17097"], "south": ["17163"]}),
    ],
)
def test_a_row_for_each_unit_makes_a_row_for_each_market(
    desk: Desk, name: str, expected: dict[str, list[str]]
) -> None:
    report = desk.read("markets", name)
    assert units(desk) == expected
    assert (report["new"], report["reconciles"]) == (2, True)
    assert "rows make 2 markets." in report["remarks"][-1]
    assert desk.read("markets", name)["unchanged"] == 2


@pytest.mark.case("b15")
def test_ranges_and_beginnings_stand_for_their_zip_codes(desk: Desk) -> None:
    desk.run("import", "markets", "b15_ranges.csv")
    codes = units(desk)
    assert codes["M1"] == [f"606{number:02}" for number in range(1, 11)]
    assert {code[:3] for code in codes["M2"]} == {"602"}
    assert {code[:3] for code in codes["M3"]} == {"603"}
    assert codes["M4"] == ["60201", "60202", "60203"]


LONG = "Sales Territory,FIPS,Rep\n"


def test_one_bad_row_of_a_long_list_is_refused_alone(desk: Desk) -> None:
    name = desk.write("l.csv", f"{LONG}North,17031,A\nNorth,46113,A\nSouth,17043,B\nSouth,,B\n")
    report = desk.read("markets", name)
    assert [row["line"] for row in report["refused_rows"]] == [3, 5]
    assert units(desk) == {"north": ["17031"], "south": ["17043"]}
    assert report["reconciles"]


def test_a_row_that_says_nothing_new_is_a_duplicate(desk: Desk) -> None:
    report = desk.read("markets", desk.write("l.csv", f"{LONG}N,17031,A\nN,17031,A\nN,17043,A\n"))
    (duplicate,) = report["refused_rows"]
    assert (duplicate["line"], duplicate["bucket"]) == (3, "duplicate")
    assert "has these units already, on line 2" in duplicate["reason"]
    assert units(desk) == {"n": ["17031", "17043"]}


def test_metro_areas_counties_and_states_in_one_market_count_as_counties(desk: Desk) -> None:
    text = "market_id,name,kind,units\nM,Mix,county,17031\nM,Mix,metro area,16580\nM,Mix,state,DC\n"
    report = desk.read("markets", desk.write("m.csv", text))
    table = desk.table("markets")
    assert table.loc["M", "kind"] == "county"
    assert {"17031", "17019", "11001"} <= set(units(desk)["M"])
    assert "count as counties" in " ".join(report["remarks"])


def test_zip_codes_and_counties_in_one_market_are_two_markets(desk: Desk) -> None:
    text = "market_id,name,kind,units\nM,Mix,county,17031\nM,Mix,zip,53140\nN,Fine,zip,53140\n"
    report = desk.read("markets", desk.write("m.csv", text))
    assert [row["line"] for row in report["refused_rows"]] == [2, 3]
    assert "counties (line 2) and ZIP codes (line 3)" in report["refused_rows"][0]["reason"]
    assert "give both to one territory" in report["refused_rows"][0]["remedy"]
    assert units(desk) == {"N": ["53140"]}


def test_without_a_kind_the_units_say_what_they_are(desk: Desk) -> None:
    text = 'Market,Units\nLoop,60601-60603\nCook,17031\nMetro,16980\nLake,IL|WI\nDu,"Du Page, IL"\n'
    desk.read("markets", desk.write("m.csv", text))
    kinds = desk.table("markets")["kind"].to_dict()
    assert kinds == {
        "loop": "zip_code", "cook": "county", "metro": "metro_area", "lake": "state", "du": "county"
    }  # fmt: skip


def test_numbers_of_rows_are_no_ids_of_markets(desk: Desk) -> None:
    report = desk.read("markets", desk.write("m.csv", "ID,ZIP,Territory\n1,60601,A\n2,60602,A\n"))
    assert units(desk) == {"a": ["60601", "60602"]}
    assert "'ID' numbers the rows" in report["remarks"][0]


def test_rows_of_one_id_with_two_names_are_refused_after_the_first(desk: Desk) -> None:
    text = "market_id,name,kind,units\nM,A,zip,60601\nM,B,zip,60602\nM,,zip,60603\n"
    (refused,) = desk.read("markets", desk.write("m.csv", text))["refused_rows"]
    assert refused["line"] == 3
    assert "'M' is called 'A' on line 2" in refused["reason"]
    assert units(desk) == {"M": ["60601", "60603"]}


def test_a_list_that_lacks_names_updates_the_units_of_markets_on_file(desk: Desk) -> None:
    text = "market_id,name,kind,units\nM,A,zip,60601\nN,B,county,17031\n"
    desk.read("markets", desk.write("m.csv", text))
    report = desk.read("markets", desk.write("n.csv", "market_id,units\nM,60601|606*\nN,46113\n"))
    assert (report["updated"], report["refused"]) == (1, 1)
    assert "46102" in report["refused_rows"][0]["reason"]
    assert {code[:3] for code in units(desk)["M"]} == {"606"}
    assert units(desk)["N"] == ["17031"]
    table = desk.table("markets")
    assert table["name"].to_dict() == {"M": "A", "N": "B"}


def located(desk: Desk, points: str) -> dict[str, str | None]:
    """Assign the prospects of a file to the markets on file; give the market of each."""
    desk.run("import", "offices", "support_office_chicago.csv")
    desk.run("import", "reps", "support_reps.csv")
    desk.run("import", "prospects", points)
    desk.run("assign")
    desk.run("export", "prospects", str(desk.folder / "o.csv"))
    table = pd.read_csv(desk.folder / "o.csv", dtype=str).set_index("prospect_id")
    return table["market_id"].astype(object).where(table["market_id"].notna(), None).to_dict()


@pytest.mark.case("b06")
def test_a_swapped_outline_is_refused_with_the_county_that_was_meant(desk: Desk) -> None:
    report = desk.read("markets", "b06_swapped_polygon.geojson")
    (refused,) = report["refused_rows"]
    assert "lies in Antarctica; with lat and lon swapped it is Cook County, IL" in refused["reason"]
    assert units(desk) == {}
    swapped = json.loads((desk.cases / "b06_swapped_polygon.geojson").read_text("utf-8"))
    ring = swapped["features"][0]["geometry"]["coordinates"][0]
    swapped["features"][0]["geometry"]["coordinates"][0] = [point[::-1] for point in ring]
    desk.run("import", "markets", desk.write("m.geojson", json.dumps(swapped)))
    assert located(desk, "b06_prospects.csv") == {"l1": "chicago-loop"}


@pytest.mark.case("b09")
@pytest.mark.parametrize("name", ["b09_my_maps.kml", "b09_my_maps.kmz"])
def test_polygons_of_google_my_maps_keep_their_holes(desk: Desk, name: str) -> None:
    report = desk.read("markets", name)
    assert desk.table("markets")["name"].tolist() == ["Ring"]
    assert "Left out of the folder 'Pins': 1 point (HQ)." in report["remarks"][0]
    market_of = located(desk, "b09_points.csv")
    assert [market_of[name] for name in ("b3", "b4", "b5")] == [None, None, "ring"]


@pytest.mark.case("p09")
def test_polygons_of_geojson_keep_their_holes(desk: Desk) -> None:
    desk.run("import", "markets", "p09_holes.geojson")
    market_of = located(desk, "b09_points.csv")
    assert [market_of[name] for name in ("b3", "b4", "b5")] == [None, None, "S"]


@pytest.mark.case("b15")
def test_territory_is_a_name_and_its_polygons_are_one_market(desk: Desk) -> None:
    report = desk.read("markets", "b15_polygons_named_territory.geojson")
    assert desk.table("markets")["name"].to_dict() == {"north": "North", "south": "South"}
    assert report["remarks"] == ["3 polygons make 2 markets."]


@pytest.mark.case("p10")
@pytest.mark.parametrize(
    "name", ["p10_mac.zip", "p10_nocpg.zip", "p10_stateplane.zip", "p10_upper.zip"]
)
def test_zipped_shapefiles_are_read_as_they_come(desk: Desk, name: str) -> None:
    assert desk.read("markets", name)["new"] == 2
    assert desk.table("markets")["name"].tolist() == ["North", "Süd"]


@pytest.mark.case("p10")
def test_web_mercator_is_brought_to_degrees_and_a_file_without_system_refused(desk: Desk) -> None:
    assert desk.read("markets", "p10_mercator.geojson")["new"] == 1
    desk.run("import", "markets", "p10_noprj.zip", code=None)
    assert desk.last is not None
    assert desk.last.exit_code != 0
    assert "Put the .prj beside the .shp" in desk.last.output


@pytest.mark.case("p02")
def test_numeric_zip_codes_of_points_keep_their_zeros(desk: Desk) -> None:
    desk.run("import", "prospects", "p02_numeric_zip.geojson")
    assert desk.table("prospects")["postal_code"].unique().tolist() == ["01730"]


def test_one_bad_polygon_is_refused_alone(desk: Desk) -> None:
    text = json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"name": name}, "geometry": shape}
                for name, shape in {
                    "Good": shapely.box(-88, 41, -87, 42).__geo_interface__,
                    "Pin": {"type": "Point", "coordinates": [-87.5, 41.5]},
                    "Swapped": shapely.box(41, -88, 42, -87).__geo_interface__,
                }.items()
            ],
        }
    )
    report = desk.read("markets", desk.write("m.geojson", text))
    assert [row["line"] for row in report["refused_rows"]] == [2, 3]
    assert desk.table("markets").index.tolist() == ["good"]
    assert report["reconciles"]


def test_drawn_markets_in_a_list_keep_the_outline_on_file(desk: Desk) -> None:
    desk.run("import", "markets", "d_mint.geojson")
    text = "market_id,name,kind,units\n17,West,polygon,\n19,New,polygon,\n"
    report = desk.read("markets", desk.write("m.csv", text))
    assert (report["unchanged"], report["refused"]) == (1, 1)
    assert "without its outline" in report["refused_rows"][0]["reason"]


def test_zip_codes_on_two_lists_and_segments_covered_twice_are_findings(desk: Desk) -> None:
    desk.read("markets", desk.write("m.csv", "ZIP,Territory\n60601,A\n60602,A\n60602,B\n60603,B\n"))
    desk.run("import", "offices", "support_office_chicago.csv")
    desk.run("import", "reps", "support_reps.csv")
    header = "territory_id,name,rep_id,market_id,segment\n"
    rows = "T1,One,R1,a,any\nT2,Two,R9,a,any\nT3,Three,R9,b,any\n"
    desk.run("import", "territories", desk.write("t.csv", header + rows))
    people = "prospect_id,name,city,state,zip\np1,Acme,Chicago,IL,60602\np2,Beta,Chicago,IL,60601\n"
    desk.run("import", "prospects", desk.write("p.csv", people))
    desk.run("assign")
    desk.run("export", "findings", str(desk.folder / "f.csv"))
    findings = pd.read_csv(desk.folder / "f.csv").set_index("code")["message"]
    assert findings["zip_codes_shared"] == (
        "A shares 60602 with B. 1 account counts in A, which has the smaller id: Acme."
    )
    assert findings["segment_covered_twice"] == (
        "A: One (T1) and Two (T2) both cover every segment. 2 accounts go to T1, which has "
        "the smaller id: Acme, Beta."
    )
    assert "markets_overlap" not in findings


def test_a_report_has_every_row_of_a_long_list(desk: Desk) -> None:
    name = desk.write("l.csv", f"{LONG}N,17031,A\nN,46113,A\nN,17043,A\nS,17097,A\n")
    desk.run("import", "markets", name, "--report", str(desk.folder / "r.csv"))
    report = pd.read_csv(desk.folder / "r.csv")
    assert report["line"].tolist() == [2, 3, 4, 5]
    assert report["bucket"].tolist() == ["accepted", "refused", "accepted", "accepted"]
    assert report["note"].tolist()[2] == "put together with an earlier row of its market"


@pytest.mark.parametrize(
    "header", ["ZIP From,ZIP To", "zip_from,zipTo", "Start Postal Code,End Postal Code"]
)
def test_the_ends_of_a_range_may_stand_in_two_columns(desk: Desk, header: str) -> None:
    text = (
        f"{header},Territory\n60601,60603,North\n60201,60201,South\n60202,,South\n60699,60601,X\n"
    )
    report = desk.read("markets", desk.write("r.csv", text))
    assert units(desk) == {"north": ["60601", "60602", "60603"], "south": ["60201", "60202"]}
    assert report["ignored_columns"] == []
    assert "ends before it begins" in report["refused_rows"][0]["reason"]
