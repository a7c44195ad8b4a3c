"""The same table in any format, delimiter, quoting and encoding is read and imported the same."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory import imports
from territory.files import read_table
from territory.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
COLUMNS = ("prosp_id", "name", "street", "city", "state", "zip", "employees")
MAPPING = {"prosp_id": "prospect_id", "zip": "postal_code", "employees": "employees"} | {
    name: name for name in ("name", "street", "city", "state", "lat", "lon")
}
LETTERS = "abcXYZ019 ,;|\t\"'=-&<>%"
# Followed by one another or by ASCII, these bytes of Windows-1252 are no UTF-8.
WESTERN = LETTERS + "éßüñ"
ANY = WESTERN + "€–漢字Ωж\U0001f600"

Row = dict[str, Any]


def texts(letters: str) -> st.SearchStrategy[str]:
    """Text with something in it, and no apostrophe first: reading takes ours away from there."""
    text = st.text(letters, min_size=1, max_size=9)
    return text.filter(lambda text: text.strip() == text and text[0] not in "'=")


def tables(letters: str, breaks: str = "", min_size: int = 1) -> st.SearchStrategy[list[Row]]:
    """Prospects with what goes wrong in lists: ids that come again, no name, a wrong place."""
    point = st.sampled_from([(None, None), (41.87811, -87.6298), (0.0, 0.0), (-87.6298, 41.87811)])
    row = st.fixed_dictionaries(
        {
            "prosp_id": st.sampled_from(["p1", "p2", "007"]) | texts("abc019-"),
            "name": st.none() | texts(letters),
            "street": st.none() | texts(letters + breaks),
            "city": st.sampled_from([None, "Chicago", "Springfield", "Zürich"]),
            "state": st.sampled_from([None, "IL", "Illinois", "ZZ"]),
            "zip": st.sampled_from([None, "60601", "01001", "1001", "60601-1234"]),
            "employees": st.integers(0, 10**9),
            "point": point,
        }
    )
    return st.lists(row, min_size=min_size, max_size=8)


def cells(rows: list[Row]) -> list[list[Any]]:
    """The table as every reader is to give it: text, and degrees."""
    return [
        [*(None if row[name] is None else str(row[name]) for name in COLUMNS), *row["point"]]
        for row in rows
    ]


def features(rows: list[Row]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame([{name: row[name] for name in COLUMNS} for row in rows])
    frame = frame.astype({name: object for name in COLUMNS if name != "employees"})
    points = gpd.points_from_xy(*zip(*((r["point"][1], r["point"][0]) for r in rows), strict=True))
    shapes = [
        p if row["point"][0] is not None else None for p, row in zip(points, rows, strict=True)
    ]
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=4326))


def write_xlsx(rows: list[Row], path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([*COLUMNS, "lat", "lon"])
    for row in rows:
        book.active.append([*(row[name] for name in COLUMNS), *row["point"]])
    book.save(path)


def write_parquet(rows: list[Row], path: Path) -> None:
    frame = pd.DataFrame(features(rows).drop(columns="geometry"))
    frame["lat"], frame["lon"] = zip(*(row["point"] for row in rows), strict=True)
    frame.astype({"lat": float, "lon": float}).to_parquet(path)


def write_shapes(driver: str) -> Callable[[list[Row], Path], None]:
    return lambda rows, path: features(rows).to_file(path, driver=driver)


def write_zip(rows: list[Row], path: Path) -> None:
    folder = path.parent / "layer"
    folder.mkdir()
    features(rows).to_file(folder / "p.shp", encoding="utf-8")
    with zipfile.ZipFile(path, "w") as archive:
        for part in folder.iterdir():
            archive.write(part, part.name)


def write_csv(rows: list[Row], path: Path, **how: Any) -> None:
    """Write with the csv module of Python: delimiter, quoting, newline, encoding, packed or not."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=how.get("delimiter", ","),
        quoting=how.get("quoting", csv.QUOTE_MINIMAL),
        lineterminator=how.get("newline", "\n"),
    )
    writer.writerows([[*COLUMNS, "lat", "lon"], *cells(rows)])
    content = text.getvalue().encode(how.get("encoding", "utf-8"))
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


WRITERS: dict[str, Callable[[list[Row], Path], None]] = {
    "t.csv": write_csv,
    "t.xlsx": write_xlsx,
    "t.parquet": write_parquet,
    "geo.parquet": lambda rows, path: features(rows).to_parquet(path),
    "t.geojson": write_shapes("GeoJSON"),
    "t.gpkg": write_shapes("GPKG"),
    "t.kml": write_shapes("LIBKML"),
    "t.zip": write_zip,
}
quick = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_cells(path: Path) -> list[list[Any]]:
    frame = read_table(path).frame
    if "name" not in frame and "Name" in frame:  # a KML file calls it so
        frame = frame.rename(columns={"Name": "name"})
    frame = frame.reindex(columns=[*COLUMNS, "lat", "lon"]).astype({"lat": float, "lon": float})
    return known(frame)


def known(frame: pd.DataFrame) -> list[list[Any]]:
    rows: list[list[Any]] = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return rows


@pytest.mark.parametrize("name", WRITERS)
@settings(quick, max_examples=20)
@given(rows=tables(ANY))
def test_every_format_gives_the_cells_that_were_written(name: str, rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        WRITERS[name](rows, path)
        assert read_cells(path) == cells(rows)


@settings(quick, max_examples=100)
@given(
    rows=tables(ANY, "\r\n") | tables(WESTERN),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]),
    name=st.sampled_from(["t.csv", "t.txt", "t.tsv", "t.csv.gz"]),
)
def test_any_delimiter_quoting_line_end_and_encoding_gives_the_cells_that_were_written(
    rows: list[Row], delimiter: str, quoting: int, newline: str, encoding: str, name: str
) -> None:
    letters = set("".join(str(text) for row in cells(rows) for text in row[:-2]))
    if not letters <= set(WESTERN):
        encoding = "utf-8" if encoding == "cp1252" else encoding
    if letters & {"\r", "\n"}:
        quoting = csv.QUOTE_ALL  # the writer would leave one of them bare
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        how = {"delimiter": delimiter, "quoting": quoting, "newline": newline, "encoding": encoding}
        write_csv(rows, path, **how)
        assert read_cells(path) == cells(rows)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "empty.sqlite"
    open_store(str(path)).close()
    return path


def mapping_of(path: Path) -> dict[str, str]:
    headers = read_table(path).frame.columns
    return {
        h: MAPPING.get(h.lower(), "") for h in headers if not (h == "Name" and "name" in headers)
    }


@settings(quick, max_examples=5)
@given(rows=tables(ANY, min_size=5))
def test_each_row_of_any_file_ends_in_one_bucket_whatever_its_format(
    empty: Path, rows: list[Row]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(empty, Path(folder) / "store.sqlite")
        told = {}
        with open_store(str(copy)) as store:
            for name, write in WRITERS.items():
                path = Path(folder) / name
                write(rows, path)
                terms: Any = {"by": "test", "now": NOW, "mapping": mapping_of(path)}
                report = imports.import_file(store, "prospects", path, **terms)
                assert report.is_reconciled
                assert report.outcomes["line"].is_unique
                assert sum(report.buckets.values()) == report.rows == len(rows)
                told[name] = known(report.outcomes[["key", "bucket"]])
                # What the first file brought, the same table in another format does not change.
                changes = report.changes["new"] + report.changes["updated"]
                taken = len(rows) - len(report.refused)
                assert changes == (taken if name == "t.csv" else 0)
            with store.read() as transaction:
                held = transaction.table("prospects", ["name"])
        assert all(told[name] == told["t.csv"] for name in WRITERS)
        assert set(held["name"]) <= {row["name"] for row in rows}


def test_a_sheet_that_was_not_read_is_told_with_the_import(empty: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("West")):
        sheet.append(["prospect_id", "name"])
        sheet.append([sheet.title, "Acme"])
    book.save(tmp_path / "t.xlsx")
    with open_store(str(shutil.copy(empty, tmp_path / "store.sqlite"))) as store:
        path = tmp_path / "t.xlsx"
        report = imports.import_file(store, "prospects", path, by="test", now=NOW)
    assert report.rows == 1
    assert report.remarks == ("Only the sheet 'Sheet' was read, not 'West'.",)
