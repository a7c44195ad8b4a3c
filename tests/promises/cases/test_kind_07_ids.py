"""Kind 7: one record has one id, and one that a spreadsheet changed is never taken for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from territory.store import open_store

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

SHORT, LONG = "0015e00000AbCde", "0015e00000AbCdeAAF"


@pytest.mark.case("b11")
def test_salesforce_ids_of_15_and_18_characters_are_one(desk: Desk) -> None:
    assert desk.read("prospects", "b11_accounts_15.csv")["new"] == 2
    assert desk.read("opportunities", "b11_opportunities_18.csv")["accepted"] == 2
    report = desk.read("prospects", "b11_accounts_18.csv")
    assert (report["new"], report["refused"], report["duplicate"]) == (0, 0, 0)
    accounts = desk.table("prospects")
    assert accounts["name"].to_dict() == {
        LONG: "Quince Motors", "0015e00000AbCdEAAV": "Quartz Motors",
    }  # fmt: skip
    deals = desk.table("opportunities").set_index("name")["prospect_id"]
    assert accounts["name"][deals["Deal 1"]] == "Quince Motors"
    assert accounts["name"][deals["Deal 2"]] == "Quartz Motors"


@pytest.mark.parametrize("kind", ["contacts", "sites", "opportunities"])
def test_whatever_refers_to_an_account_does_so_by_either_form(desk: Desk, kind: str) -> None:
    desk.read("prospects", "b11_accounts_18.csv")
    file = desk.write(
        "of.csv",
        f"Id,Account ID,Name,Stage,City,State\nX1,{SHORT},One,New,Denver,CO\n"
        f"X2,{LONG},Two,New,Denver,CO\n",
    )
    assert desk.read(kind, file)["new"] == 2
    assert set(desk.table(kind)["prospect_id"]) == {LONG}


def test_parents_named_accounts_and_owners_resolve_too(desk: Desk) -> None:
    desk.read("reps", desk.write("r.csv", "User ID,Full Name\n0055e00000XyZab,Ann Lee\n"))
    desk.read(
        "prospects",
        desk.write(
            "p.csv",
            "Id,Name,ParentId,OwnerId\n"
            f"{LONG},Child,0015e00000AbCdE,0055e00000XyZabAAF\n0015e00000AbCdEAAV,Parent,,\n",
        ),
    )
    child = desk.table("prospects").loc[LONG]
    assert child["parent_id"] == "0015e00000AbCdEAAV"
    assert child["owner_rep_id"] == desk.table("reps").index[0]


def test_a_store_that_holds_the_shorter_form_keeps_it(desk: Desk) -> None:
    owner = pd.DataFrame(
        {"rep_id": ["0055e00000XyZab"], "name": ["Ann"], "email": None, "base_office_id": None},
        dtype=object,
    )
    with open_store(desk.url) as store, store.write() as transaction:
        transaction.save("reps", owner, owner.head(0))
    report = desk.read("reps", desk.write("r.csv", "User ID,Name\n0055e00000XyZabAAF,Ann Lee\n"))
    assert (report["new"], report["updated"]) == (0, 1)
    text = "Id,Name,OwnerId\nA-1,Acme,0055e00000XyZabAAF\n"
    desk.read("prospects", desk.write("p.csv", text))
    assert desk.table("prospects")["owner_rep_id"].tolist() == ["0055e00000XyZab"]


@pytest.mark.case("d_long")
def test_ids_that_excel_rounded_are_refused_and_never_one_account(desk: Desk) -> None:
    report = desk.read("prospects", "d_long.xlsx")
    assert (report["refused"], report["new"], report["duplicate"]) == (2, 0, 0)
    assert all("ormat the column as text" in row["remedy"] for row in report["refused_rows"])


def test_ids_that_a_program_made_numbers_of(desk: Desk) -> None:
    desk.read("prospects", desk.write("a.csv", "id,name,city,state\n1001,A,Chicago,IL\n"))
    floats = desk.write("b.csv", "id,name,city,state\n1001.0,A,Chicago,IL\n1002.0,B,Denver,CO\n")
    report = desk.read("prospects", floats)
    assert (report["new"], report["unchanged"]) == (1, 1)
    mixed = desk.write(
        "c.csv", "id,name,city,state\n1001.0,A,Chicago,IL\nA-7,B,Denver,CO\n1.23E+17,C,Boston,MA\n"
    )
    report = desk.read("prospects", mixed)
    assert (report["new"], report["refused"]) == (1, 2)
    assert set(desk.table("prospects").index) == {"1001", "1002", "A-7"}
