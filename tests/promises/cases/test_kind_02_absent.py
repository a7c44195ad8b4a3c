"""Kind 2: an absent column leaves its field alone, a blank cell clears it and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk


@pytest.mark.case("b24")
def test_a_file_of_ids_names_and_head_counts_changes_head_counts_alone(desk: Desk) -> None:
    desk.run("import", "prospects", "b24_full.csv")
    before = desk.table("prospects")
    report = desk.read("prospects", "b24_partial.csv")
    after = desk.table("prospects")
    assert (report["updated"], report["cleared"], report["unreadable"]) == (1, 0, 0)
    assert after.loc["p2", "employees"] == 75
    assert after.drop(columns="employees").equals(before.drop(columns="employees"))
    p2 = after.loc["p2"]
    assert [p2[name] for name in ("status", "city", "state", "postal_code", "parent_id")] == [
        "customer", "Maple Park", "IL", "60151", "p1",
    ]  # fmt: skip
    assert (p2["industry"], p2["placement"]) == ("Tools", "approximate")


@pytest.mark.case("b24")
def test_an_office_that_is_renamed_stays_where_it_is(desk: Desk) -> None:
    desk.run("import", "offices", "support_office_chicago.csv")
    before = desk.table("offices")
    desk.run("import", "offices", "b24_office_partial.csv")
    after = desk.table("offices")
    assert after.loc["CHI", "name"] == "Chicago HQ"
    assert after.drop(columns="name").equals(before.drop(columns="name"))


def test_a_blank_cell_clears_and_the_trial_says_so_before_anything_else(desk: Desk) -> None:
    desk.run("import", "prospects", "b24_full.csv")
    path = desk.write(
        "blank.csv",
        "prospect_id,name,status,industry,employees,city,foo\n"
        "p1,Shelby Grain,,,50,Shelby,1\np2,Maple Park Tools,,,,Maple Park,2\n",
    )
    desk.run("import", "prospects", path, "--dry-run")
    assert desk.last is not None
    told = [line for line in desk.last.stderr.splitlines() if "Comparing" not in line]
    assert told[0].startswith("4 values on file would be cleared, because the cell in the file is")
    assert "industry in 2" in told[0]
    assert "status in 1" in told[0]  # a customer would be a prospect again, by default
    assert "; 4 fields cleared" in desk.last.stdout
    report = desk.read("prospects", path)
    assert report["cleared"] == 4
    assert report["cleared_fields"] == {"industry": 2, "status": 1, "employees": 1}
    rows = desk.table("prospects")
    assert rows["industry"].isna().all()
    assert pd.isna(rows.loc["p2", "employees"])
    assert rows["status"].tolist() == ["prospect", "prospect"]


def test_coordinates_that_are_cleared_count_as_one_field(desk: Desk) -> None:
    header = "prospect_id,name,city,state,lat,lon\n"
    desk.run("import", "prospects", desk.write("a.csv", header + "p,P,Chicago,IL,41.881,-87.631\n"))
    report = desk.read("prospects", desk.write("b.csv", header + "p,P,Chicago,IL,,\n"))
    assert report["cleared_fields"] == {"coordinates": 1}


def test_a_record_of_an_import_says_how_much_it_cleared(desk: Desk) -> None:
    desk.run("import", "prospects", "b24_full.csv")
    path = desk.write("blank.csv", "prospect_id,name,industry,employees\np1,Shelby Grain,,abc\n")
    desk.run("import", "prospects", path)
    assert "; 1 field cleared; 1 unreadable cell left out." in desk.run("imports", "list")
