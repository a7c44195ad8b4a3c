"""Kind 4: export then import changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from territory import geocode
from tests.promises.cases.conftest import Desk

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("csv", "xlsx", "geojson", "gpkg", "kml", "parquet")
PLACE = ["lon", "lat", "precision", "uncertainty_m", "geocode_source", "placement"]


@pytest.mark.case("b02")
@pytest.mark.parametrize("form", FORMATS)
def test_prospects_come_back_as_they_left(chicago: Desk, form: str) -> None:
    chicago.run("import", "prospects", "b02_prospects.csv")
    chicago.run("assign")
    before = chicago.table("prospects")
    path = str(chicago.folder / f"o.{form}")
    chicago.run("export", "prospects", path)
    report = chicago.read("prospects", path)
    assert (report["new"], report["updated"], report["unchanged"]) == (0, 0, 3), report
    after = chicago.table("prospects")
    pd.testing.assert_frame_equal(after, before)
    assert after.loc["p1", ["precision", "placement"]].tolist() == ["postal", "approximate"]
    assert after.loc["p1", "uncertainty_m"] == pytest.approx(1609, abs=1)
    assert after.loc["p2", "owner_rep_id"] == "R9"
    again = chicago.run("assign")
    assert "1 within" in again, again
    assert "2 findings" in again, again


def fill(desk: Desk) -> Desk:
    """Put rows of every kind into a store, places of every precision among them."""
    desk.run("import", "markets", "b01_two_touching.geojson")
    desk.run("import", "prospects", "b02_prospects.csv")
    rows = (
        "prospect_id,name,status,street,city,state,zip,lat,lon,website,industry,employees,"
        "revenue,parent_id,owner_rep_id\n"
        "a1,=Cell & Co,customer,1 Main St,Chicago,IL,60601,41.88391,-87.62187,a.example.com,"
        "541512,50,1234567.89,p1,R1\n"
        "a2,Nowhere,prospect,,,,,,,,,,,,\n"
        "a3,Far,prospect,,Chicago,IL,60601,42.88,-87.62,,,,,,\n"
        "a4,Swapped,prospect,,Chicago,IL,60601,-87.62,41.88,,,,,,\n"
        "a5,Springfield,prospect,,Springfield,,,,,,,,,,\n"
        "a6,Berlin GmbH,former,,Berlin,,,,,,,,,,\n"
    )
    desk.run("import", "prospects", desk.write("more.csv", rows))
    for kind, text in OTHERS.items():
        desk.run("import", kind, desk.write(f"{kind}.csv", text))
    return desk


OTHERS = {
    "contacts": "contact_id,prospect_id,name,title,email,phone\n"
    "c1,p1,'=Ann,CEO,a@example.com,312 555 0100\nc2,p2,Bo,,,\n",
    "sites": "site_id,prospect_id,name,city,state,postal_code,lat,lon\n"
    "s1,p1,Dock,Gary,IN,46402,,\ns2,p2,Yard,,,,41.5,-88.5\n",
    "opportunities": "opportunity_id,prospect_id,name,stage,amount_usd,close_on\n"
    "o1,p1,Deal,Open,1234567.89,2026-11-02\no2,p2,,Won,,\n",
    "quotas": "rep_id,period,amount_usd\nR1,2026,1000000\nR9,2026-Q4,250000.5\n",
    "named_accounts": "prospect_id,territory_id\np3,T1\n",
}
KINDS = ("offices", "reps", "markets", "territories", "prospects", *OTHERS)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("is_planned", [False, True], ids=["before a plan", "with a plan"])
def test_every_kind_comes_back_as_it_left(chicago: Desk, form: str, *, is_planned: bool) -> None:
    desk = fill(chicago)
    if is_planned:
        desk.run("assign")
    for kind in KINDS:
        before, path = desk.table(kind), str(desk.folder / f"{kind}-out.{form}")
        desk.run("export", kind, path)
        report = desk.read(kind, path)
        changes = {name: report[name] for name in ("rows", "new", "updated", "unchanged")}
        rows = len(before)
        assert changes == {"rows": rows, "new": 0, "updated": 0, "unchanged": rows}, (kind, changes)
        pd.testing.assert_frame_equal(desk.table(kind), before)


def test_a_store_made_of_exports_has_the_same_places(chicago: Desk, tmp_path: Path) -> None:
    desk = fill(chicago)
    desk.run("export", "prospects", str(desk.folder / "out.csv"))
    (tmp_path / "copy").mkdir()
    copy = Desk(tmp_path / "copy", desk.cases)
    copy.run("import", "prospects", str(desk.folder / "out.csv"))
    one, other = desk.table("prospects"), copy.table("prospects")
    others = [name for name in one if name not in ("given_lon", "given_lat", "geocode_note")]
    kept = one.index != "a4"  # which coordinates were swapped is known where they were
    pd.testing.assert_frame_equal(one.loc[kept, others], other.loc[kept, others])
    assert other.loc["p1", ["given_lon", "given_lat"]].isna().all()  # nobody gave them


PIN = "prospect_id,name,city,state,zip,lat,lon,precision,uncertainty_m,geocode_source\n"


def test_coordinates_keep_the_precision_that_their_file_says(chicago: Desk) -> None:
    text = PIN + (
        "x1,A,Chicago,IL,60601,41.9001,-87.7001,postal,3000,their own map\n"
        "x2,B,Chicago,IL,60601,41.9001,-87.7001,,,\n"
        "x3,C,Chicago,IL,60601,41.9001,-87.7001,place,,\n"
        "x4,D,Chicago,IL,60601,41.9001,-87.7001,,400,\n"
        "x5,E,Chicago,IL,60601,41.9001,-87.7001,perhaps,-1,\n"
    )
    report = chicago.read("prospects", chicago.write("x.csv", text))
    table = chicago.table("prospects")
    assert table.loc["x1", PLACE[2:]].tolist() == ["postal", 3000, "their own map", "approximate"]
    assert table.loc["x2", PLACE[2:]].tolist() == ["rooftop", 0, "given", "placed"]
    assert table.loc["x3", ["precision", "placement"]].tolist() == ["place", "approximate"]
    assert table.loc["x3", "uncertainty_m"] == pytest.approx(16_093, abs=1)
    assert table.loc["x4", ["precision", "uncertainty_m"]].tolist() == ["street", 400]
    assert table.loc["x5", "precision"] == "rooftop"
    assert any("'perhaps' was not recognized" in note["note"] for note in report["notes"])
    # And keep it when all is placed anew.
    assert "0 rows change" in chicago.run("data", "update", "--dry-run")
    pd.testing.assert_frame_equal(chicago.table("prospects")[PLACE], table[PLACE])


def test_a_point_that_was_corrected_in_the_file_is_the_company_s_own(chicago: Desk) -> None:
    chicago.run("import", "prospects", "b02_prospects.csv")
    path = chicago.folder / "out.csv"
    chicago.run("export", "prospects", str(path))
    frame = pd.read_csv(path, dtype=str)
    frame.loc[frame["prospect_id"] == "p1", ["lat", "lon"]] = ["41.1901", "-87.3501"]
    frame.to_csv(path, index=False)
    assert chicago.read("prospects", str(path))["updated"] == 1
    row = chicago.table("prospects").loc["p1"]
    assert row[PLACE].tolist() == [-87.3501, 41.1901, "rooftop", 0, "given", "placed"]


def test_an_address_that_was_corrected_in_the_file_moves_the_row(chicago: Desk) -> None:
    chicago.run("import", "prospects", "b02_prospects.csv")
    path = chicago.folder / "out.csv"
    chicago.run("export", "prospects", str(path))
    frame = pd.read_csv(path, dtype=str)
    row = frame["prospect_id"] == "p3"
    frame.loc[row, ["city", "postal_code"]] = ["Rockford", "61101"]
    frame.loc[row, ["lat", "lon"]] = [None, None]
    frame.to_csv(path, index=False)
    assert chicago.read("prospects", str(path))["updated"] == 1
    assert chicago.table("prospects").loc["p3", "geocode_source"].startswith("ZIP 61101")


def test_the_rep_of_a_plan_is_no_owner_where_a_file_has_no_owners(chicago: Desk) -> None:
    chicago.run("import", "prospects", "b02_prospects.csv")
    chicago.run("assign")
    path = chicago.folder / "out.csv"
    chicago.run("export", "prospects", str(path))
    pd.read_csv(path, dtype=str).drop(columns=["owner_rep_id", "parent_id"]).to_csv(path)
    assert chicago.read("prospects", str(path))["updated"] == 0
    assert chicago.table("prospects")["owner_rep_id"].tolist() == [None, "R9", None]


def test_a_change_since_the_plan_is_not_taken_back(chicago: Desk) -> None:
    chicago.run("import", "prospects", "b02_prospects.csv")
    chicago.run("assign")
    later = "prospect_id,name,status\np1,Shelby Grain Inc,customer\nq1,New Co,prospect\n"
    chicago.run("import", "prospects", chicago.write("later.csv", later))
    path = str(chicago.folder / "out.xlsx")
    assert "1 more came after the plan" in chicago.run("export", "prospects", path)
    report = chicago.read("prospects", path)
    assert (report["new"], report["updated"], report["unchanged"]) == (0, 0, 3)
    assert chicago.table("prospects").loc["p1", "status"] == "customer"


def test_screening_honors_the_precision_of_an_export(chicago: Desk) -> None:
    text = PIN.replace("city,state,zip,", "") + (
        "x1,A,41.3001,-87.1701,postal,1609,ZIP 46377\nx2,B,41.3001,-87.1701,rooftop,0,given\n"
    )
    path, out = chicago.write("x.csv", text), chicago.folder / "screened.csv"
    offices = "support_office_chicago.csv"
    chicago.run("screen", path, str(out), "--offices", offices, "--radius", "47mi")
    rows = pd.read_csv(out).set_index("prospect_id")
    assert rows["uncertainty_mi"].tolist() == pytest.approx([1.0, 0.0], abs=0.01)
    assert rows["verdict"].tolist() == ["too_close_to_call", "in"]


def test_eligibility_and_the_library_honor_it_too(chicago: Desk) -> None:
    text = "employee_id,lat,lon,precision,uncertainty_m\nE1,41.3,-87.17,postal,1609\n"
    path, out = chicago.write("homes.csv", text), chicago.folder / "decided.csv"
    chicago.run("eligibility", "batch", path, str(out), "--offices", "support_office_chicago.csv")
    (row,) = pd.read_csv(out).to_dict("records")
    assert row["uncertainty_mi"] == pytest.approx(1.0, abs=0.01)
    (place,) = geocode(pd.read_csv(path)).to_dict("records")
    assert (place["precision"], place["uncertainty_m"], place["placement"]) == (
        "postal", 1609, "approximate",
    )  # fmt: skip
