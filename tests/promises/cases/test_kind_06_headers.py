"""Kind 6: headers are known by their words, an address is of one family, owners are reps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from territory.imports import map_headers

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

ADDRESS = {"street", "city", "state", "postal_code", "country"}


@pytest.mark.case("b04")
def test_a_salesforce_report_has_state_and_zip_and_a_footer(desk: Desk) -> None:
    report = desk.read("prospects", "b04_salesforce_report.csv")
    assert report["mapping"]["Billing State/Province"] == "state"
    assert report["mapping"]["Billing Zip/Postal Code"] == "postal_code"
    rows = desk.table("prospects").set_index("name")
    assert rows[["city", "state", "postal_code"]].to_numpy().tolist() == [
        ["Springfield", "IL", "62701"],
        ["Portland", "ME", "04101"],
        ["Toronto", "ON", "M5K 1A1"],
    ]
    assert report["refused"] == 5
    assert report["new"] == 3


@pytest.mark.case("b16")
@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("dynamics", {"prospect_id", "status", "employees", "owner_rep_id"}),
        ("erpnext", {"prospect_id"}),
        ("hubspot", {"prospect_id", "status", "industry", "revenue_usd", "owner_rep_id"}),
        ("odoo", {"prospect_id", "lat", "lon"}),
        ("pipedrive", {"prospect_id", "owner_rep_id", "lat", "lon"}),
        ("store_list", {"prospect_id", "lat", "lon"}),
        ("suitecrm", {"prospect_id", "status", "website", "industry", "employees"}),
        ("twenty", {"prospect_id", "website", "employees", "revenue_usd", "lat", "lon"}),
        ("zoho", {"prospect_id", "status", "website", "revenue_usd", "owner_rep_id"}),
    ],
)
def test_every_address_column_of_a_source_system_is_mapped(
    desk: Desk, source: str, more: set[str]
) -> None:
    report = desk.read("prospects", f"b16_{source}.csv")
    assert set(report["mapping"].values()) >= ADDRESS | more | {"name"}
    rows = desk.table("prospects")
    assert rows["postal_code"].iloc[0] == "04101"
    assert rows["state"].iloc[0] == "ME"
    assert report["refused"] == report["duplicate"] == report["unplaced"] == 0


@pytest.mark.case("b16")
def test_odoo_writes_the_country_behind_the_state_and_noughts_for_unknown_points(
    desk: Desk,
) -> None:
    report = desk.read("prospects", "b16_odoo.csv")
    assert not [note for note in report["notes"] if "state" in note["note"]]
    maine, oregon = desk.table("prospects").sort_values("state").itertuples()
    assert maine.placement == "approximate"
    assert oregon.placement == "placed"
    assert (oregon.given_lat, oregon.state) == (45.5071, "OR")
    assert maine.given_lat is None or maine.given_lat != maine.given_lat


@pytest.mark.case("b16")
def test_a_list_of_stores_is_known_by_its_store_numbers(desk: Desk) -> None:
    report = desk.read("prospects", "b16_store_list.csv")
    assert (report["new"], report["duplicate"]) == (2, 0)
    assert set(desk.table("prospects").index) == {"22537-22", "22537-23"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            ["Billing City", "Billing State", "Shipping City", "Shipping State", "Shipping Zip"],
            {"Billing City": "city", "Billing State": "state"},
        ),
        (
            ["Billing Country", "Shipping City", "Shipping State", "Shipping Zip"],
            {"Shipping City": "city", "Shipping State": "state", "Shipping Zip": "postal_code"},
        ),
        (
            ["City", "State", "Zip", "Billing City", "Billing State", "Billing Zip"],
            {"Billing City": "city", "Billing State": "state", "Billing Zip": "postal_code"},
        ),
        (
            ["Address 2: City", "Address 2: Postal Code", "Address 1: City", "Address 1: Zip"],
            {"Address 1: City": "city", "Address 1: Zip": "postal_code"},
        ),
        (
            ["HQ City", "HQ State", "Mailing City", "Mailing State", "Mailing Zip", "Country"],
            {
                "Mailing City": "city",
                "Mailing State": "state",
                "Mailing Zip": "postal_code",
                "Country": "country",
            },
        ),
    ],
)
def test_an_address_is_of_one_family(headers: list[str], expected: dict[str, str]) -> None:
    assert map_headers(headers, "prospects") == expected


def test_state_and_zip_that_are_left_out_are_told_in_red(desk: Desk) -> None:
    file = desk.write(
        "two.csv",
        "Name,Billing City,Billing Country,Shipping Region/State,Zip+4\n"
        "Osprey,Portland,United States,ME,0123\n",
    )
    report = desk.read("prospects", file, "--dry-run")
    (warning,) = report["warnings"]
    assert "'Shipping Region/State'" in warning
    assert "'Zip+4'" in warning
    desk.run("import", "prospects", file, "--dry-run")
    assert desk.last is not None
    assert "Shipping Region/State" in desk.last.stderr.split("\n")[0]


def test_an_owner_who_is_no_rep_is_a_finding(chicago: Desk) -> None:
    text = "id,name,zip,owner\n1,A,60601,Kim\n2,B,60601,Somebody Else\n3,C,60601,\n"
    chicago.read("prospects", chicago.write("owned.csv", text))
    chicago.run("assign")
    output = chicago.run("check", code=None)
    assert "1 of 3 prospects with an owner who is not a rep" in output
    assert "Somebody Else" in output


def test_words_that_mean_another_and_owners_that_are_reps_are_told(desk: Desk) -> None:
    desk.run("import", "reps", "support_reps.csv")
    names = desk.table("reps")["name"]
    file = desk.write(
        "owners.csv",
        "Account ID,Name,Type,Account Owner,Zip\n"
        f"1,A,Partner,{names.iloc[0]},60601\n2,B,Lead,Nobody Known,60601\n3,C,Lead,R9,60601\n",
    )
    report = desk.read("prospects", file, "--dry-run")
    assert report["translations"] == [
        {"column": "status", "written": "Lead", "meaning": "prospect", "rows": 2},
        {"column": "status", "written": "Partner", "meaning": "disqualified", "rows": 1},
    ]
    assert report["owners"]["sentence"].startswith("2 of 3 owners match a rep")
    assert report["owners"]["unknown"] == [{"owner": "Nobody Known", "rows": 1}]
    desk.read("prospects", file)
    assert desk.table("prospects")["owner_rep_id"].to_dict() == {
        "1": names.index[0], "2": "Nobody Known", "3": "R9",
    }  # fmt: skip
