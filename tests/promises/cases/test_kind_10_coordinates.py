"""Kind 10: coordinates as people write them; one that cannot be read is one row, not a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

SCREEN = ("--offices", "support_offices_det_bos.csv", "--radius", "50mi")


@pytest.mark.case("b23")
def test_a_file_of_every_way_to_write_a_place_is_screened_row_by_row(desk: Desk) -> None:
    target = desk.folder / "o.csv"
    sentence = desk.run("screen", "b23_coordinates.csv", str(target), *SCREEN)
    assert "19 read, 12 placed" in sentence
    rows = pd.read_csv(target, dtype={"name": str}, na_values=[""], keep_default_na=False)
    rows = rows.set_index("name")
    at_home = ["comma decimal", "dms", "deg hemi", "unicode minus", "trailing", "quote", "dm",
               "both in lat"]  # fmt: skip
    assert (rows.loc[at_home, "distance_mi"] < 0.001).all()
    lost = ["zero", "swapped", "microdegrees", "blank", "nan", "excel err", "thousands"]
    assert rows.loc[lost, "distance_mi"].isna().all()
    assert rows.loc[lost, "note"].notna().all()
    assert "with a minus sign" in rows.loc["lost sign", "note"]
    assert rows.loc["two decimals", "uncertainty_mi"] == pytest.approx(0.43, abs=0.01)
    assert rows.loc["int", "verdict"] == "too_close_to_call"


@pytest.mark.case("b23")
def test_latitude_and_longitude_in_one_cell(desk: Desk) -> None:
    target = desk.folder / "o.csv"
    desk.run("screen", "b23_lat_lon_in_one.csv", str(target), *SCREEN)
    assert pd.read_csv(target)["distance_mi"][0] < 0.001
    desk.run("import", "prospects", "b23_lat_lon_in_one.csv")
    row = desk.table("prospects").iloc[0]
    assert (row["given_lat"], row["given_lon"]) == (42.3554, -71.0602)


@pytest.mark.case("b23")
def test_an_import_reads_the_same_places(desk: Desk) -> None:
    report = desk.read("prospects", "b23_coordinates.csv")
    rows = desk.table("prospects").set_index("name")
    for name in ("comma decimal", "dms", "unicode minus", "quote", "dm", "both in lat"):
        row = rows.loc[name]
        assert (row["given_lat"], row["given_lon"]) == pytest.approx((42.3554, -71.0602), abs=1e-4)
    assert rows.loc["two decimals", "uncertainty_m"] == pytest.approx(692, abs=1)
    assert rows.loc["dms", "uncertainty_m"] == 0
    assert {cell["value"] for cell in report["unreadable_cells"]} >= {"42.355.400", "#N/A"}
    assert report["refused"] == 2  # swapped, in Antarctica, and microdegrees, off the globe


@pytest.mark.parametrize("axis", ["lon", "lat"])
def test_a_column_cut_off_by_another_programs_field_is_noticed(desk: Desk, axis: str) -> None:
    points = [("41.881", "-9.9999"), ("42.361", "-9.9999"), ("40.711", "-9.9999")]
    if axis == "lat":
        points = [("9.99999", lon) for lon in ("-87.631", "-71.061", "-74.011")]
    rows = "".join(f"p{i},P{i},Chicago,IL,{lat},{lon}\n" for i, (lat, lon) in enumerate(points))
    header = "prospect_id,name,city,state,lat,lon\n"
    report = desk.read("prospects", desk.write("cut.csv", header + rows))
    assert (report["unreadable"], report["approximate"]) == (3, 3)
    assert any("is cut off at the width of a field" in note["note"] for note in report["notes"])
    target = desk.folder / "o.csv"
    desk.run("screen", str(desk.folder / "cut.csv"), str(target), *SCREEN)
    assert pd.read_csv(target)["note"].str.contains("is cut off").all()
