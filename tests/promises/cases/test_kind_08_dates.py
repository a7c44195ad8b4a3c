"""Kind 8: the order of day and month by the column, moments on their own day, sizes as dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest

from territory.files import write_table

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk

DEALS = "opportunity_id,prospect_id,stage,close_on,last_activity_on\n"


@pytest.fixture
def account(desk: Desk) -> Desk:
    """A desk with the account that the opportunities belong to."""
    desk.run("import", "prospects", desk.write("a.csv", "prospect_id,name\nA-1,A\n"))
    return desk


def days(desk: Desk, name: str) -> list[str | None]:
    desk.run("import", "opportunities", name)
    days: list[str | None] = desk.table("opportunities")["close_on"].tolist()
    return days


@pytest.mark.case("d_mixed")
def test_one_day_beyond_twelve_decides_for_the_column(account: Desk) -> None:
    assert days(account, "d_mixed.csv") == ["2026-11-05", "2026-11-13", "2026-11-25", "2026-12-01"]


@pytest.mark.case("d_op2")
def test_so_it_does_in_a_file_of_two(account: Desk) -> None:
    assert days(account, "d_op2.csv") == ["2026-11-13", "2026-02-11"]


def test_where_nothing_decides_the_american_order_is_taken_and_said_once(account: Desk) -> None:
    rows = "o1,A-1,Won,05/11/2026,\no2,A-1,Won,11/02/2026,\n"
    report = account.read("opportunities", account.write("o.csv", DEALS + rows))
    assert account.table("opportunities")["close_on"].tolist() == ["2026-05-11", "2026-11-02"]
    (remark,) = report["remarks"]
    assert "no date shows whether the day or the month stands first" in remark
    assert "05/11/2026 is May 11, 2026" in remark


def test_another_column_of_dates_decides_before_custom_does(account: Desk) -> None:
    rows = "o1,A-1,Won,05/11/2026,25/10/2026\n"
    report = account.read("opportunities", account.write("o.csv", DEALS + rows))
    row = account.table("opportunities").loc["o1"]
    assert (row["close_on"], row["last_activity_on"]) == ("2026-11-05", "2026-10-25")
    assert report["remarks"] == []


def test_where_both_orders_occur_what_could_be_either_is_not_read(account: Desk) -> None:
    account.run(
        "import", "opportunities", account.write("o.csv", DEALS + "o3,A-1,Won,2026-01-01,\n")
    )
    rows = "o1,A-1,Won,13/11/2026,\no2,A-1,Won,11/25/2026,\no3,A-1,Won,05/11/2026,\n"
    report = account.read("opportunities", account.write("p.csv", DEALS + rows))
    assert account.table("opportunities")["close_on"].tolist() == [
        "2026-11-13", "2026-11-25", "2026-01-01",
    ]  # fmt: skip
    assert report["unreadable"] == 1
    assert "'05/11/2026' could be either and cannot be read" in report["remarks"][0]


@pytest.mark.case("d_win")
@pytest.mark.parametrize("suffix", ["gpkg", "geojson"])
def test_a_moment_stays_on_its_day(account: Desk, suffix: str) -> None:
    assert days(account, f"d_win.{suffix}") == ["2026-11-02", "2026-11-03"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_so_it_does_in_files_without_geometry(account: Desk, suffix: str) -> None:
    import pandas as pd

    moment = pd.Series(pd.to_datetime(["2026-11-02T20:00:00-06:00"])).dt.tz_convert(
        "America/Chicago"
    )
    frame = pd.DataFrame({"opportunity_id": ["W1"], "prospect_id": "A-1", "stage": "Won"})
    frame["close_on"] = moment if suffix == "parquet" else moment.dt.strftime("%Y-%m-%dT%H:%M:%S%z")
    path = account.folder / f"moments.{suffix}"
    write_table(frame, path)
    assert days(account, str(path)) == ["2026-11-02"]


def test_days_are_read_as_spreadsheets_and_crms_write_them(account: Desk) -> None:
    texts = ["45000", "11/15/2026 5:30 PM", "Nov 1, 2026", "1-Nov-26", "2026-11-05T23:30:00Z",
             "20261105", "1. Nov 2026", "0000-00-00", "2026-11"]  # fmt: skip
    rows = "".join(f'o{at},A-1,Won,"{text}",\n' for at, text in enumerate(texts))
    report = account.read("opportunities", account.write("o.csv", DEALS + rows))
    assert account.table("opportunities")["close_on"].tolist() == [
        "2023-03-15", "2026-11-15", "2026-11-01", "2026-11-01", "2026-11-05",
        "2026-11-05", "2026-11-01", None, None,
    ]  # fmt: skip
    assert [cell["value"] for cell in report["unreadable_cells"]] == ["2026-11"]
    (remark,) = report["remarks"]
    assert remark == "close_on: 1 cell holds day numbers of a spreadsheet: 45000 is 2023-03-15."


@pytest.mark.case("b05")
def test_sizes_that_a_workbook_took_for_dates_are_sizes_again(desk: Desk) -> None:
    report = desk.read("prospects", "b05_employees_as_dates.xlsx")
    assert desk.table("prospects")["employees"].tolist() == [11, 1, 2, 51]
    assert (
        "3 cells are dates that a spreadsheet made of sizes such as 11-50" in report["remarks"][0]
    )


def test_so_are_they_in_a_text_file_and_in_other_countries(desk: Desk) -> None:
    texts = [
        "Nov-50",
        "10-Jan",
        "10-Feb",
        "51-200",
        "1/10/2026",
        "11/1/1950",
        "01.Okt",
        "2-Oct-2026",
    ]
    rows = "".join(f"p{at},P{at},{text}\n" for at, text in enumerate(texts))
    report = desk.read("prospects", desk.write("s.csv", "prospect_id,name,employees\n" + rows))
    assert desk.table("prospects")["employees"].tolist() == [11, 1, 2, 51, 1, 11, 1, 2]
    assert report["unreadable"] == 0


def test_a_workbook_of_dates_and_texts_gives_the_same_days(account: Desk) -> None:
    import datetime as dt

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(DEALS.strip().split(","))
    sheet.append(["o1", "A-1", "Won", dt.datetime(2026, 11, 2, 20, 0), None])  # noqa: DTZ001
    sheet.append(["o2", "A-1", "Won", 45000, None])
    book.save(account.folder / "d.xlsx")
    assert days(account, str(account.folder / "d.xlsx")) == ["2026-11-02", "2023-03-15"]
