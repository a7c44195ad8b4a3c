"""Kind 15: of the second file of a source only what is new is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

FIRST = "Key,Company,Type,Account Owner,Zip,Rank\n1,A,Lead,Ann,60601,9\n"
MAPPING = 'kind = "prospects"\n[mapping]\n"Key" = "prospect_id"\n"Company" = "name"\n"Rank" = ""\n'


def test_new_headers_values_and_owners_are_told(desk: Desk) -> None:
    first = desk.read("prospects", desk.write("a.csv", FIRST))
    assert first["new_in_file"] == {"since": None, "headers": [], "words": {}}
    again = desk.read("prospects", desk.write("b.csv", FIRST), "--dry-run")
    assert again["new_in_file"] == {"since": "import-1", "headers": [], "words": {}}
    more = (
        "Key,Company,Type,Account Owner,Zip,Rank,Region\n"
        "1,A,Lead,Ann,60601,9,West\n2,B,Partner,Bo,60601,9,West\n"
    )
    report = desk.read("prospects", desk.write("c.csv", more), "--dry-run")
    assert report["new_in_file"] == {
        "since": "import-1",
        "headers": ["Region"],
        "words": {"status": ["Partner"], "owner_rep_id": ["Bo"]},
    }
    desk.run("import", "prospects", str(desk.folder / "c.csv"), "--dry-run")
    assert desk.last is not None
    assert "New since import-1: headers 'Region'." in desk.last.stderr


def test_what_a_person_matched_counts_for_a_file_with_more_or_fewer_headers(desk: Desk) -> None:
    mapping = desk.write("m.toml", MAPPING + '"Type" = "industry"\n"Zip" = "postal_code"\n')
    desk.read("prospects", desk.write("a.csv", FIRST), "--mapping", mapping)
    fewer = desk.read("prospects", desk.write("b.csv", "Key,Type\n1,Mining\n"), "--dry-run")
    assert fewer["mapping"] == {"Key": "prospect_id", "Type": "industry"}
    text = "Key,Company,Type,Zip,Website\n1,A,Mining,60601,a.example\n"
    more = desk.read("prospects", desk.write("c.csv", text), "--dry-run")
    assert more["mapping"] == {
        "Key": "prospect_id", "Company": "name", "Type": "industry", "Zip": "postal_code",
        "Website": "website",
    }  # fmt: skip


def test_an_import_that_was_taken_back_is_not_the_file_before(desk: Desk) -> None:
    desk.read("prospects", desk.write("a.csv", FIRST))
    desk.run("imports", "undo", "import-1")
    again = desk.read("prospects", desk.write("b.csv", FIRST), "--dry-run")
    assert again["new_in_file"]["since"] is None
