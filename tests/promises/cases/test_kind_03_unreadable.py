"""Kind 3: what cannot be read never takes the place of a value on file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

HEADER = "prospect_id,name,employees,revenue_usd,country,state,city,lat,lon\n"
GOOD = HEADER + "p,P,50,1000000,US,IL,Chicago,41.8811,-87.6311\n"
DEAL = "opportunity_id,prospect_id,stage,amount_usd,close_on\n"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("employees", "n/k"), ("employees", "abc"), ("employees", "5%"), ("employees", "0x10"),
        ("employees", "1__0"), ("employees", "1e400"), ("employees", "-3"), ("employees", "#REF!"),
        ("employees", "12 dozen"), ("employees", "####"), ("revenue_usd", "EUR 5m"),
        ("revenue_usd", "$5 CAD"), ("revenue_usd", "12.5%"), ("revenue_usd", "1.2.3"),
        ("revenue_usd", "#VALUE!"), ("country", "Freedonia"), ("state", "ZZ"), ("state", "#N/A"),
        ("city", "#NAME?"), ("city", "tbd"), ("lat", "41.881.100"), ("lat", "95"), ("lat", "?"),
        ("lat", "9.99999"), ("lon", "-9.99999"), ("lon", "abc"), ("lon", ""),
    ],
)  # fmt: skip
def test_the_old_value_stays_and_the_row_is_reported(desk: Desk, column: str, value: str) -> None:
    desk.run("import", "prospects", desk.write("good.csv", GOOD))
    before = desk.table("prospects")
    cells = dict(zip(HEADER.strip().split(","), GOOD.splitlines()[1].split(","), strict=True))
    cells[column] = value
    bad = desk.write("bad.csv", HEADER + ",".join(f'"{cell}"' for cell in cells.values()) + "\n")
    report = desk.read("prospects", bad)
    assert desk.table("prospects").equals(before)
    assert (report["unchanged"], report["updated"], report["cleared"]) == (1, 0, 0)
    assert report["unreadable"] == 1
    (cell,) = report["unreadable_cells"]
    assert cell["line"] == 2
    assert report["notes"][0]["line"] == 2
    desk.run("import", "prospects", bad, "--dry-run")
    assert desk.last is not None
    assert "; 1 unreadable cell left out" in desk.last.stdout
    assert "line 2: " in desk.last.stderr


def test_other_kinds_keep_their_dates_amounts_and_addresses(chicago: Desk) -> None:
    chicago.run("import", "prospects", chicago.write("p.csv", GOOD))
    chicago.run("import", "opportunities", chicago.write("o.csv", DEAL + "o,p,Won,5,2026-11-02\n"))
    bad = chicago.write("bad.csv", DEAL + "o,p,Won,n/k,2027-02-30\n")
    report = chicago.read("opportunities", bad)
    assert (report["unchanged"], report["unreadable"]) == (1, 2)
    row = chicago.table("opportunities").loc["o"]
    assert (row["amount_usd"], row["close_on"]) == (5, "2026-11-02")
    contacts = "contact_id,prospect_id,name,email,phone\n"
    chicago.run(
        "import", "contacts", chicago.write("c.csv", contacts + "c,p,Jo,j@x.com,3125550100\n")
    )
    report = chicago.read("contacts", chicago.write("d.csv", contacts + "c,p,#N/A,jo at x,ask\n"))
    assert (report["unchanged"], report["unreadable"]) == (1, 3)


def test_a_cell_with_an_error_in_a_workbook_clears_nothing(desk: Desk) -> None:
    desk.run("import", "prospects", desk.write("good.csv", GOOD))
    before = desk.table("prospects")
    path = desk.folder / "errors.xlsx"
    frame = pd.DataFrame([["p", "P", "#N/A"]], columns=["prospect_id", "name", "employees"])
    with pd.ExcelWriter(path) as writer:
        frame.to_excel(writer, index=False)
        cell = writer.book.active["C2"]
        cell.value, cell.data_type = "#N/A", "e"
    report = desk.read("prospects", str(path))
    assert report["unreadable"] == 1
    assert desk.table("prospects").equals(before)


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (("1.234",), 1234), (("1,234",), 1234), (("1,5E+06",), 1.5e6), (("1.5E+06",), 1.5e6),
        (("1.234", "12.5"), 1.234), (("1,234", "12,5"), 1.234), (("1.234", "1.234.567"), 1234),
        (("1.234", "1,250.00"), 1.234), (("1,234", "1.250,00"), 1.234), (("1.234", "0,5"), 1234),
        (("1.234", "0,5", "0.5"), None), (("0x10",), None), (("1__0",), None), (("1e400",), None),
        (("5%",), None), (("1e3",), 1000),
    ],
)  # fmt: skip
def test_a_figure_is_the_same_for_people_and_for_money(
    desk: Desk, cells: tuple[str, ...], value: float | None
) -> None:
    rows = "".join(f'p{at},P{at},"{cell}","{cell}"\n' for at, cell in enumerate(cells))
    text = "prospect_id,name,employees,revenue_usd\n" + rows
    desk.run("import", "prospects", desk.write("figures.csv", text))
    row = desk.table("prospects").loc["p0", ["employees", "revenue_usd"]]
    assert [None if pd.isna(cell) else cell for cell in row] == [value, value]


def test_an_amount_in_another_currency_is_no_amount_in_dollars(desk: Desk) -> None:
    desk.run("import", "prospects", desk.write("p.csv", GOOD))
    text = "opportunity_id,prospect_id,stage,Amount,Amount Currency\n"
    text += "o1,p,Won,5,USD\no2,p,Won,6,EUR\n"
    report = desk.read("opportunities", desk.write("o.csv", text))
    amounts = desk.table("opportunities")["amount_usd"]
    assert (amounts["o1"], pd.isna(amounts["o2"]), report["unreadable"]) == (5, True, 1)
    assert any("'EUR' is not US dollars" in note["note"] for note in report["notes"])
    text = "prospect_id,name,Annual Revenue (EUR)\np,P,7\n"
    report = desk.read("prospects", desk.write("r.csv", text))
    assert desk.table("prospects").loc["p", "revenue_usd"] == 1_000_000
    assert "names another currency than US dollars" in report["remarks"][0]


@pytest.mark.case("p03")
def test_decimal_commas_are_read(desk: Desk) -> None:
    report = desk.read("prospects", "p03_decimal_comma.csv")
    assert (report["placed"], report["unplaced"]) == (3, 0)
    assert [cell["value"] for cell in report["unreadable_cells"]] == ["Netherland"]
    row = desk.table("prospects").set_index("name").loc["Brasserie A"]
    assert (row["given_lat"], row["given_lon"]) == (45.764, 4.8357)


@pytest.mark.case("p14")
def test_names_and_phones_guarded_against_formulas_come_back_as_they_were(desk: Desk) -> None:
    desk.run("import", "prospects", "p14_prospects.csv")
    desk.run("import", "contacts", "p14_contacts.csv")
    names = desk.table("prospects")["name"]
    assert names.loc[["a1", "a2", "a3", "a5"]].tolist() == [
        "+Plus Inc", "@Home Care", "=Nil Labs", "=quoted",
    ]  # fmt: skip
    assert desk.table("prospects").loc["a3", "street"] == "-5 Odd St"
    contacts = desk.table("contacts")
    assert contacts["phone"].tolist() == ["+13125550100", "+13125550199"]
    assert contacts.loc["c2", "name"] == "-Dash"
    assert "007" in names.index
