"""Files that are hostile or broken, and what is to become of each."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POINT = {"type": "Point", "coordinates": [-87.6, 41.9]}
FEATURE = {"type": "Feature", "properties": {"name": "a"}, "geometry": POINT}
KML = "<kml xmlns='http://www.opengis.net/kml/2.2'><Document>{}</Document></kml>"
SPOT = "<Placemark><name>{}</name><Point><coordinates>7,5</coordinates></Point></Placemark>"
ENTITIES = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>{}]>".format(
    "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
)
ROWS = b"a,b\n" + b"1,2\n" * 3


def archive(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in parts.items():
            whole.writestr(name, content)
    return file.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        return {name: whole.read(name) for name in whole.namelist()}


def workbook(*rows: list[Any], change: dict[str, tuple[bytes, bytes]] | None = None) -> bytes:
    """A workbook with these rows; ``change`` replaces bytes in a part of it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    with zipfile.ZipFile(file) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    for name, (old, new) in (change or {}).items():
        assert old in parts[name]
        parts[name] = parts[name].replace(old, new, 1)
    return archive(parts)


def shapefile(folder: Path, *, prefix: str = "", without: str = "", at: float = 7) -> bytes:
    points = gpd.GeoDataFrame({"name": ["a"]}, geometry=gpd.points_from_xy([at], [5]), crs=4326)
    folder.mkdir()
    points.to_file(folder / "p.shp")
    kept = [part for part in folder.iterdir() if part.suffix != without]
    return archive({f"{prefix}{part.name}": part.read_bytes() for part in kept})


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def geojson(**more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", **more, "features": [FEATURE]}).encode()


SHEET = "xl/worksheets/sheet1.xml"
LONG = "x" * 1_000_000
ONE_TEXT = pa.DictionaryArray.from_arrays(pa.array(np.zeros(500_000, np.int32)), pa.array([LONG]))
# Name of the file, how it is made (the folder is a place to work in), what is said about it.
REFUSED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty.csv": (lambda _: b"", "the file is empty"),
    "blank.csv": (lambda _: b"\xef\xbb\xbf\r\n \r\n,\r\n", "the file is blank"),
    "zeros.csv": (lambda _: b"\0" * 3_000_000, "are NUL, so this is no text"),
    "columns.csv": (lambda _: b",".join([b"c"] * 10_000) + b"\n1\n", "10,000 columns"),
    "line.csv": (lambda _: b"a,b\n" + b"1," * 9_000_000, "a line has more than 16,777,216"),
    "open_quote.csv": (
        lambda _: b'a,b\n1,2\n3,"x\n' + b"4,5\n" * 9,
        "line 3: a quote is opened there and not closed",
    ),
    "open_quote_far.csv": (
        lambda _: b'a,b\n1,"x\n' + b"4,5\n" * 500_000,
        "line 2: a quote is opened there and not closed",
    ),
    "open_header.csv": (lambda _: b'a,"b\n1,2\n', "header: unexpected end of data"),
    "workbook.csv": (lambda _: workbook(["a"], [1]), "an Excel workbook or a zip archive"),
    "old.xlsx": (lambda _: b"\xd0\xcf\x11\xe0" + b"\0" * 512, "with a password"),
    "text.xlsx": (lambda _: ROWS, "not readable as xlsx: it is of another kind"),
    "page.csv": (lambda _: b"<!DOCTYPE html><p>Sign in</p>", "a web page or other XML"),
    "features.csv": (lambda _: geojson(), "it is JSON. Name it .geojson"),
    "packed.csv": (lambda _: gzip.compress(ROWS), "packed with gzip. Name it .csv.gz"),
    "plain.csv.gz": (lambda _: ROWS, "not readable as csv: it is of another kind"),
    "short.csv.gz": (
        lambda _: gzip.compress(bytes(str(list(range(9_999))), "ascii"))[:-900],
        "so it is cut short or no table",
    ),
    "bomb.csv.gz": (lambda _: gzip.compress(b"1,2\n" * 30_000_000, 9), "would unpack to 114 MB"),
    "lie.csv.gz": (
        lambda _: gzip.compress((b"1," + b"x" * 99 + b"\n") * 900_000, 9) + gzip.compress(b"1,2\n"),
        "unpacks to more than",
    ),
    "utf16_odd.csv": (lambda _: "a,b\n1,2\n".encode("utf-16")[:-1], "truncated data"),
    "bomb.xlsx": (
        lambda _: archive({SHEET: b"0" * 200_000_000}),
        "unpacks to more than",
    ),
    "entities.xlsx": (
        lambda _: workbook(
            ["a"], [1], change={SHEET: (b"<worksheet", ENTITIES.format().encode() + b"<worksheet")}
        ),
        "declares XML entities",
    ),
    "far_row.xlsx": (
        lambda _: workbook(["a"], [1], change={SHEET: (b'<row r="2"', b'<row r="999999999999"')}),
        "a row after 1,048,576",
    ),
    "far_column.xlsx": (
        lambda _: workbook(["a"], [1], change={SHEET: (b'r="A2"', b'r="XFD2"')}),
        "row 2 has 16,384 columns",
    ),
    "short.xlsx": (lambda _: workbook(["a"], [1])[:-200], "not readable as xlsx"),
    "other.xlsx": (lambda _: archive({"a.csv": ROWS}), "not readable as xlsx"),
    "blank.xlsx": (lambda _: workbook(), "every sheet is blank"),
    "short.parquet": (lambda _: parquet(pa.table({"a": range(999)}))[:-99], "readable as parquet"),
    "bomb.parquet": (lambda _: parquet(pa.table({"a": ONE_TEXT})), "unpacks to more than 2.0 GB"),
    "cells.parquet": (
        lambda _: parquet(pa.table({f"c{i}": pa.nulls(2_000_000) for i in range(60)})),
        "more than 100,000,000 cells",
    ),
    "short.gpkg": (lambda _: b"SQLite format 3\0" + b"\1" * 900, "not readable as gpkg"),
    "short.geojson": (lambda _: geojson()[:-40], "not readable as geojson"),
    "other.geojson": (lambda _: b'{"type": "Topology", "arcs": []}', "not readable as geojson"),
    "entities.kml": (lambda _: (ENTITIES + KML.format("&i;")).encode(), "type or entities"),
    "file.kml": (
        lambda _: ("<!DOCTYPE kml [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>" + KML).encode(),
        "type or entities",
    ),
    "open.kml": (lambda _: KML.format("<Placemark>").encode()[:-30], "not readable as kml"),
    "page.kml": (lambda _: b"<!DOCTYPE html><html></html>", "not readable as kml"),
    "short.zip": (lambda folder: shapefile(folder)[:-60], "not readable as shapefile"),
    "none.zip": (lambda _: archive({"a.csv": ROWS}), "0 Shapefiles in it"),
    "bomb.zip": (lambda _: archive({"p.shp": b"\0" * 99_000_000}), "unpacks to more than"),
    "traversal.zip": (lambda folder: shapefile(folder, prefix="../../"), "points out of the"),
    "absolute.zip": (lambda folder: shapefile(folder, prefix="/etc/"), "points out of the"),
    "feet.zip": (
        lambda folder: shapefile(folder, without=".prj", at=1_150_000),
        "says no coordinate system, and x 1,150,000.0",
    ),
    "other.zip": (lambda _: archive({"p.shp": b"<OGRVRTDataSource/>"}), "is no Shapefile"),
    "kind.docx": (lambda _: b"x", "no format that can be read"),
}
# The rows that come out, and the lines that are refused.
READ: dict[str, tuple[Callable[[Path], bytes], list[list[str | None]], list[int]]] = {
    "header.csv": (lambda _: b"a,b\n", [], []),
    "header.xlsx": (lambda _: workbook(["a", "b"]), [], []),
    "twice.csv": (lambda _: b"a,a\n1,2\n", [["1", "2"]], []),
    "cell.csv": (
        lambda _: b"a,b\n1,2\n3," + LONG.encode() + b"\n5,6\n",
        [["1", "2"], ["5", "6"]],
        [3],
    ),
    "row.csv": (
        lambda _: b"a,b\n1,2\n" + b"3," * 10_000 + b"4\n5,6\n",
        [["1", "2"], ["5", "6"]],
        [3],
    ),
    "nul.csv": (lambda _: ROWS + b"Acme,x\0y\n5,6\n", [["1", "2"]] * 3 + [["5", "6"]], [5]),
    "quotes.csv": (
        lambda _: b'a,b\n1,"x "y" z"\n2,"x\n3,"y"\n4,"fine ""really"""\n',
        [["4", 'fine "really"']],
        [2, 3, 4],
    ),
    "mixed.csv": (
        lambda _: "a,b\nZürich,1\n".encode() + "Orléans,2\n€uro,3\n".encode("cp1252") + b"\x81,4\n",
        [["Zürich", "1"], ["Orléans", "2"], ["€uro", "3"], ["\x81", "4"]],
        [],
    ),
    "two_marks.csv": (lambda _: b"\xef\xbb\xbf" * 2 + b"a,b\n1,2\n", [["1", "2"]], []),
    "utf16.csv": (lambda _: "a,b\n1,ü\n".encode("utf-16-be"), [["1", "ü"]], []),
    "utf32.csv": (lambda _: "a,b\n1,ü\n".encode("utf-32"), [["1", "ü"]], []),
    "hint.csv": (lambda _: b"sep=|\r\na|b,c\r\n1|2\r\n", [["1", "2"]], []),
    "cr.csv": (lambda _: b"a;b\r1;2\r3;4\r", [["1", "2"], ["3", "4"]], []),
    "formulas.csv": (lambda _: b"a,b\n=1+1,@x\n", [["=1+1", "@x"]], []),
    "formulas.xlsx": (
        lambda _: workbook(
            ["a", "b"],
            ["=1+1", 1],
            [2, "=A2&A3"],
            [3, 4],
            change={SHEET: (b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")},
        ),
        [["2", "1"], ["3", "4"]],
        [3],
    ),
    "cells.xlsx": (
        lambda _: workbook(["day", "share", "lost"], [pd.Timestamp("2026-11-01"), 0.15, "#REF!"]),
        [["2026-11-01", "0.15", None]],
        [],
    ),
    "mac.zip": (
        lambda folder: archive(
            {**unpacked(shapefile(folder)), "__MACOSX/._p.shp": b"\0\5\x16\7", "._p.dbf": b"x"}
        ),
        [["a", "7.0", "5.0"]],
        [],
    ),
    "no_prj.zip": (
        lambda folder: shapefile(folder, prefix="layer/", without=".prj"),
        [["a", "7.0", "5.0"]],
        [],
    ),
    "named.geojson": (
        lambda _: geojson(
            crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
        ),
        [["a", "-87.6", "41.9"]],
        [],
    ),
    "nothing.parquet": (lambda _: parquet(pa.table({"a": pa.array([], pa.string())})), [], []),
}
