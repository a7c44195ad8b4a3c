"""Files go in and out in every format, and what went in comes out."""

from __future__ import annotations

import gzip
import string
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import FileFormatError
from territory.files import read_table, write_table
from territory.files.delimited import is_executable

HOSTILE = ["=cmd|' /C calc'!A0", "+1 703 555", "-2+3", "@SUM(A1)", "\tx", "＝1+1", "'=a", "''=a"]


def cells(frame: pd.DataFrame) -> list[list[str | None]]:
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


# Text that XML and SQLite carry; an empty text is the same as null and left out.
plain = st.text(
    st.sampled_from(string.printable[:95] + "éß漢\U0001f600'\""), min_size=1, max_size=8
)
anything = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def rows_of(cell: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str | None]]]:
    cell_or_none = st.none() | cell | st.sampled_from(HOSTILE)
    return st.lists(st.lists(cell_or_none, min_size=3, max_size=3), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(rows=rows_of(anything))
def test_a_csv_of_any_text_reads_back_as_it_was(rows: list[list[str | None]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_table(pd.DataFrame(rows, columns=["a", "b b", "=c"], dtype=object), path)
        table = read_table(path)
        assert list(table.frame.columns) == ["a", "b b", "'=c"]
        assert cells(table.frame) == rows
        assert not len(table.refused)


@pytest.mark.parametrize("suffix", ["xlsx", "parquet", "geojson", "gpkg"])
@settings(deadline=None, max_examples=12, derandomize=True)
@given(rows=rows_of(plain))
def test_every_other_format_reads_back_as_it_was(suffix: str, rows: list[list[str | None]]) -> None:
    rows = [[f"r{number}", *row] for number, row in enumerate(rows)]
    frame = pd.DataFrame(rows, columns=["id", "a", "b b", "c"], dtype=object)
    if suffix in ("geojson", "gpkg"):
        frame = frame.assign(lon="-77.25", lat="38.5")
        rows = [[*row, "-77.25", "38.5"] for row in rows]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"t.{suffix}"
        write_table(frame, path)
        read = read_table(path).frame
        # A sheet has no column where no cell of it holds anything, but its header stays.
        assert cells(read) == rows
        assert list(read.columns) == list(frame.columns)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_encoding_and_delimiter_is_recognised(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = f'name{delimiter}city\r\n"A{delimiter} B"{delimiter}Zürich – Süd\r\nC{delimiter}Orléans'
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["name", "city"]
    assert cells(table.frame) == [[f"A{delimiter} B", "Zürich – Süd"], ["C", "Orléans"]]


def test_lines_are_those_of_the_file_whatever_is_quoted_or_blank(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'\r\na,b\r\n1,"x\r\ny"\r\n\r\n2,z\r\n3\r\n')
    table = read_table(tmp_path / "t.csv")
    assert table.lines.tolist() == [3, 6, 7]
    assert cells(table.frame) == [["1", "x\r\ny"], ["2", "z"], ["3", None]]


def test_a_row_with_a_cell_too_many_is_refused_by_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4,5\n6,7,\n")
    table = read_table(tmp_path / "t.csv")
    assert cells(table.frame) == [["1", "2"], ["6", "7"]]
    assert table.refused["line"].tolist() == [3]
    assert table.refused["reason"].tolist() == ["3 cells under a header of 2"]


def test_headers_that_repeat_or_are_blank_get_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Name,Name,,Name (2)\n1,2,3,4\n")
    assert list(read_table(tmp_path / "t.csv").frame.columns) == [
        "Name", "Name (3)", "column 3", "Name (2)",
    ]  # fmt: skip


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write("zip,city\n01001,Agawam\n")
    assert cells(read_table(tmp_path / "t.csv.gz").frame) == [["01001", "Agawam"]]


def test_a_sheet_gives_its_cells_as_they_are_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([])
    sheet.append(["zip", "n", "f", "day", "yes", None])
    sheet.append([1001, 38000, 0.1, pd.Timestamp("2026-11-01"), True, None])
    sheet["A3"].number_format = "00000"
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert cells(table.frame) == [["01001", "38000", "0.1", "2026-11-01", "true"]]
    assert table.lines.tolist() == [3]


def test_what_a_workbook_holds_beside_its_first_sheet_is_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["#N/A"])
    for title in ("blank", "West"):
        book.create_sheet(title)
    book["West"].append(["id"])
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").notes == (
        "Only the sheet 'Sheet' was read, not 'West'.",
        "1 cells with an error, A2 first, cannot be read.",
    )


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_no_cell_that_a_spreadsheet_would_run_is_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    numbers = ["-86.57", "+1,234.5", "-1e-5", "5%"]
    write_table(pd.DataFrame({"=x": [*HOSTILE, *numbers]}), path)
    if suffix == "csv":
        raw = pd.read_csv(path, header=None, dtype=str)[0].tolist()
    else:
        rows = openpyxl.load_workbook(path).active.iter_rows()
        found = [row[0] for row in rows]
        assert all(cell.data_type == "s" for cell in found)
        raw = [cell.value for cell in found]
    assert all(text.startswith("'") for text in raw[: len(HOSTILE) + 1])
    assert raw[len(HOSTILE) + 1 :] == numbers
    assert not any(is_executable(number) for number in numbers)


def test_points_of_a_zipped_shapefile_come_as_degrees(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame(
        {"name": ["Reston"]}, geometry=gpd.points_from_xy([-77.3411], [38.9687]), crs=4326
    )
    points.to_crs(5070).to_file(tmp_path / "p.shp")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for part in tmp_path.glob("p.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    frame = read_table(tmp_path / "p.zip").frame
    assert frame["name"].tolist() == ["Reston"]
    np.testing.assert_allclose(frame[["lon", "lat"]].astype(float), [[-77.3411, 38.9687]])


def test_every_folder_of_a_kml_file_is_read(tmp_path: Path) -> None:
    spot = "<Placemark><name>{}</name><Point><coordinates>{},5,0</coordinates></Point></Placemark>"
    folders = "".join(f"<Folder><name>{n}</name>{spot.format(n, 7)}</Folder>" for n in "ab")
    (tmp_path / "t.kml").write_text(
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{folders}</Document></kml>'
    )
    frame = read_table(tmp_path / "t.kml").frame
    assert frame[["Name", "lon", "lat"]].to_numpy().tolist() == [
        ["a", "7.0", "5.0"],
        ["b", "7.0", "5.0"],
    ]


def test_points_of_geoparquet_do_not_hide_columns_of_the_same_name(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame(
        {"lat": [1], "n": [7]}, geometry=gpd.points_from_xy([-77], [38]), crs=4326
    )
    points.to_parquet(tmp_path / "t.parquet")
    frame = read_table(tmp_path / "t.parquet").frame
    assert frame.iloc[0].to_dict() == {
        "lat": "1",
        "n": "7",
        "lon": "-77.0",
        "lat of geometry": "38.0",
    }


def test_features_without_a_point_have_no_coordinates(shared: Path) -> None:
    frame = read_table(shared / "zcta_polygons_dc_2010.geojson").frame
    assert len(frame) == 53
    assert frame[["lon", "lat"]].isna().all(axis=None)


def test_real_files_keep_every_row_and_their_first_header(shared: Path) -> None:
    table = read_table(shared / "fortune500_hifld.csv")
    assert table.frame.columns[0] == "X"
    assert len(table.frame) == 500
    assert table.lines.tolist() == list(range(2, 502))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"\n \n,\n", "blank"),
        ("t.csv", b"a,b\n1,\0\n", "NUL"),
        ("t.csv", b'a,b\n1,"' + b"x\n" * 140_000, "line 2: a quote is opened there and not closed"),
        ("t.csv", b",".join([b"c"] * 5000) + b"\n", "5,000 columns"),
        ("t.csv.gz", b"no gzip", "not readable as csv"),
        ("t.xlsx", b"PK no workbook", "not readable as xlsx"),
        ("t.gpkg", b"no package", "not readable as gpkg"),
        ("t.geojson", b'{"type": "Feat', "not readable as geojson"),
        ("t.parquet", b"PAR1", "not readable as parquet"),
        ("t.zip", b"PK", "not readable as shapefile"),
        ("t.kml", b"<kml", "not readable as kml"),
        ("t.xls", b"x", "no format that can be read"),
        ("t", b"x", "no suffix"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=told) as caught:
        read_table(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(FileFormatError, match="folder"):
        read_table(tmp_path)


def test_a_workbook_cut_short_gets_one_sentence(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a": ["x"] * 500}), tmp_path / "t.xlsx")
    whole = (tmp_path / "t.xlsx").read_bytes()
    for size in range(100, len(whole), len(whole) // 15):
        (tmp_path / "cut.xlsx").write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            read_table(tmp_path / "cut.xlsx")


def test_a_file_is_replaced_by_a_whole_one_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_text("the old one")
    with pytest.raises(FileFormatError, match="characters"):
        write_table(pd.DataFrame({"a": ["x" * 40_000]}), path)
    assert path.read_text() == "the old one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.xlsx"]


@pytest.mark.parametrize("name", ["t.doc", "t.shp", "missing/t.csv"])
def test_what_cannot_be_written_gets_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileFormatError, match="written"):
        write_table(pd.DataFrame({"a": ["x"]}), tmp_path / name)


def test_a_map_format_needs_coordinates(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="lacks lon and lat"):
        write_table(pd.DataFrame({"a": ["x"]}), tmp_path / "t.geojson")
