"""Kind 11: hidden sheets, bands over the header, and the geometry type of Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

ROWS = [("id", "name", "zip"), ("p1", "Acme", "60606"), ("p2", "Beta", "80202")]


@pytest.mark.case("d_dNONE")
def test_the_geometry_type_of_parquet_is_read_by_import_and_screen(desk: Desk) -> None:
    report = desk.read("prospects", "d_dNONE.parquet")
    assert (report["placed"], report["refused"]) == (2, 0)
    placed = desk.table("prospects")[["name", "lon", "lat"]].set_index("name")
    assert placed.loc["Acme Corp"].tolist() == pytest.approx([-87.6359, 41.8789])
    out = str(desk.folder / "o.csv")
    offices = ("--offices", "support_office_chicago.csv", "--radius", "50mi")
    desk.run("screen", "d_dNONE.parquet", out, *offices)
    screened = pd.read_csv(out)
    assert screened["verdict"].tolist() == ["in", "out"]


def workbook(desk: Desk, name: str, *sheets: tuple[str, str, list[tuple[object, ...]]]) -> str:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, state, rows in sheets:
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        for row in rows:
            sheet.append(row)
    path = str(desk.folder / name)
    book.save(path)
    return path


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_first_sheet_is_not_the_visible_one(desk: Desk, state: str) -> None:
    lists = [("id", "name", "zip"), ("x", "Picklist", "02110")]
    path = workbook(desk, "h.xlsx", ("Lists", state, lists), ("Accounts", "visible", ROWS))
    report = desk.read("prospects", path)
    assert desk.table("prospects").index.tolist() == ["p1", "p2"]
    assert report["remarks"] == ["The hidden sheet 'Lists' was not read."]


def test_a_hidden_sheet_with_a_formula_does_not_move_the_others(desk: Desk) -> None:
    lists = [("id", "name"), ("x", "=A2")]
    path = workbook(desk, "h.xlsx", ("Lists", "hidden", lists), ("Accounts", "visible", ROWS))
    assert desk.read("prospects", path)["new"] == 2


def test_a_workbook_of_hidden_sheets_only_is_refused(desk: Desk) -> None:
    path = workbook(desk, "h.xlsx", ("A", "visible", []), ("B", "hidden", ROWS))
    desk.run("import", "prospects", path, code=None)
    assert desk.last is not None
    assert desk.last.exit_code != 0
    assert "every visible sheet is blank; 'B' is hidden" in desk.last.output


@pytest.mark.parametrize(
    "band",
    [
        [("Accounts of the Midwest", None, None)],
        [("Accounts of the Midwest", None, None), (None, None, None)],
        [("Company", None, "Address")],
        [("Territory plan", None, None), ("Company", None, "Address")],
        [("Accounts", None, None), ("As of Dec 1, 2026", None, None)],
    ],
)
def test_a_band_over_the_header_is_not_the_header(
    desk: Desk, band: list[tuple[object, ...]]
) -> None:
    path = workbook(desk, "m.xlsx", ("Accounts", "visible", [*band, *ROWS]))
    book = openpyxl.load_workbook(path)
    for at, row in enumerate(band, 1):
        if row[0]:
            book.active.merge_cells(start_row=at, end_row=at, start_column=1, end_column=2)
    book.save(path)
    report = desk.read("prospects", path)
    assert desk.table("prospects").index.tolist() == ["p1", "p2"]
    assert "above the header" in " ".join(report["remarks"])
    report = desk.read("prospects", path, "--report", str(desk.folder / "r.csv"))
    assert pd.read_csv(desk.folder / "r.csv")["line"].tolist() == [len(band) + 2, len(band) + 3]


def test_titles_that_are_not_merged_are_left_out_above_three_names(desk: Desk) -> None:
    titles = [("Accounts",), ("As of Dec 1, 2026",)]
    path = workbook(desk, "m.xlsx", ("Accounts", "visible", [*titles, *ROWS]))
    assert len(desk.read("prospects", path)["remarks"]) == 2
    assert desk.table("prospects").index.tolist() == ["p1", "p2"]


def test_a_name_merged_with_the_cell_below_it_is_of_the_header(desk: Desk) -> None:
    rows = [("id", "name", "Address", None), (None, None, "city", "zip"), ("p1", "A", "x", "60606")]
    path = workbook(desk, "m.xlsx", ("Accounts", "visible", rows))
    book = openpyxl.load_workbook(path)
    for cells in ("A1:A2", "B1:B2", "C1:D1"):
        book.active.merge_cells(cells)
    book.save(path)
    desk.read("prospects", path)
    assert desk.table("prospects").loc["p1", ["name", "postal_code"]].tolist() == ["A", "60606"]


def test_a_list_of_one_column_keeps_its_rows(desk: Desk) -> None:
    path = workbook(desk, "m.xlsx", ("A", "visible", [("name",), ("A",), ("B",), ("C",), ("D",)]))
    assert desk.read("prospects", path)["new"] == 4


def test_a_header_with_few_names_and_no_merged_cell_stays_the_header(desk: Desk) -> None:
    rows = [("id", "name", None, "zip"), ("p1", "Acme", "x", "60606")]
    path = workbook(desk, "m.xlsx", ("Accounts", "visible", rows))
    assert desk.read("prospects", path)["new"] == 1
    assert desk.table("prospects").index.tolist() == ["p1"]
