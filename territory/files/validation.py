"""File validation before any reader: a file is what its name says, and of a bearable size.

A reader that is handed a foreign file may do what nobody asked for. GDAL picks its driver by what a
file contains, so a "GeoJSON" that is really a virtual layer would read other files of this machine,
or ask other hosts; a link in place of a coordinate system is followed; a small archive may unpack
to a full disk. All of that is refused here, with one sentence, before the file is opened.
"""

from __future__ import annotations

import io
import json
import mmap
import os
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from territory.errors import FileFormatError

MAX_FILE_BYTES = 1 << 30
MAX_UNPACKED_BYTES = 2 << 30
MAX_CELLS = 100_000_000
# An archive of real rows unpacks to 5 to 40 times its size; a bomb to 1,000 times.
MAX_RATIO = 100
ALWAYS_UNPACKED_BYTES = 4 << 20

_START = 1 << 10
_SIGNATURES = (
    (b"PK\x03\x04", "archive"),
    (b"PK\x05\x06", "archive"),
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "parquet"),
    (b"SQLite format 3\0", "database"),
    (b"\xd0\xcf\x11\xe0", "old_office"),
    (b"%PDF", "pdf"),
    (b"\x00\x00\x27\x0a", "shapes"),
)
_DESCRIPTIONS = {
    "archive": "an Excel workbook or a zip archive",
    "gzip": "packed with gzip",
    "parquet": "a Parquet file",
    "database": "a GeoPackage or another SQLite database",
    "old_office": "a workbook of an Excel before 2007, or one with a password",
    "pdf": "a PDF document",
    "shapes": "a Shapefile",
    "markup": "a web page or other XML",
    "json": "JSON",
    "text": "of another kind",
}
_REMEDIES = {
    "archive": "Name it .xlsx if it is a workbook, or unpack it.",
    "gzip": "Name it .csv.gz if a CSV file is packed in it.",
    "parquet": "Name it .parquet.",
    "database": "Name it .gpkg if it is a GeoPackage.",
    "old_office": "Save it as .xlsx, without a password.",
    "shapes": "Put all its parts into one .zip.",
    "json": "Name it .geojson if it is GeoJSON.",
}
_EXPECTED = {
    "csv": "text",
    "xlsx": "archive",
    "geojson": "json",
    "gpkg": "database",
    "kml": "markup",
    "parquet": "parquet",
}
_MARKUP = re.compile(rb"<(?:\?xml|!doctype|!--|html|kml)", re.IGNORECASE)
_JSON = re.compile(rb'\{\s*["}]')


def check_content(path: Path, kind: str) -> None:
    """Refuse a file that begins like another kind of file than its name says.

    Raises
    ------
    FileFormatError
        Saying what the file is instead, and what to do.
    """
    expected = _EXPECTED.get(kind, "archive" if path.suffix.lower() == ".zip" else "shapes")
    packed = {".gz": "gzip", ".kmz": "archive"}
    expected = packed.get(path.suffix.lower(), expected)
    with path.open("rb") as file:
        content = _content(file.read(_START))
    if content != expected:
        remedy = _REMEDIES.get(content, "Export it again.")
        raise FileFormatError(
            f"{path}: not readable as {kind}: it is {_DESCRIPTIONS[content]}. {remedy}"
        )


def _content(start: bytes) -> str:
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            return name
    text = start.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe \t\r\n")
    if _MARKUP.match(text):
        return "markup"
    return "json" if _JSON.match(text) else "text"


def check_size(path: Path) -> None:
    """Refuse a file larger than what is read as a whole.

    Raises
    ------
    FileFormatError
        With both sizes.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise FileFormatError(
            f"{path}: {size / 2**30:,.1f} GB, more than the {MAX_FILE_BYTES / 2**30:,.1f} GB that "
            "can be read at once. Split it."
        )


def check_cells(path: Path, rows: int, columns: int) -> None:
    """Refuse a table of more cells than memory is meant to hold."""
    if rows * max(columns, 1) > MAX_CELLS:
        raise FileFormatError(
            f"{path}: {rows:,} rows of {columns:,} columns, more than {MAX_CELLS:,} cells. "
            "Split it, or leave out columns."
        )


def check_memory(path: Path, size: int) -> None:
    """Refuse content of more bytes than memory is meant to hold."""
    if size > MAX_UNPACKED_BYTES:
        raise FileFormatError(
            f"{path}: unpacks to more than {MAX_UNPACKED_BYTES / 2**30:,.1f} GB. Split it."
        )


def check_ratio(path: Path, unpacked: int, packed: int) -> None:
    """Refuse what unpacks to more than a table of its size can be."""
    most = ALWAYS_UNPACKED_BYTES + MAX_RATIO * packed
    if unpacked > most:
        raise FileFormatError(
            f"{path}: unpacks to more than {most / 2**20:,.0f} MB. Unpack it yourself, see that it "
            "holds what you expect, and save it as CSV or Parquet."
        )


def check_gzip(path: Path) -> None:
    """Refuse a gzipped file whose last four bytes, the size of its content, say it is a bomb."""
    packed = path.stat().st_size
    with path.open("rb") as file:
        file.seek(-min(packed, 4), os.SEEK_END)
        unpacked = int.from_bytes(file.read(), "little")
    if unpacked > ALWAYS_UNPACKED_BYTES + MAX_RATIO * packed:
        raise FileFormatError(
            f"{path}: would unpack to {unpacked / 2**20:,.0f} MB, so it is cut short or no table. "
            "Pack it anew, or give the file that is in it."
        )


def check_archive(path: Path) -> list[str]:
    """Refuse an archive that unpacks to too much; give the names in it, without those of macOS."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    check_ratio(path, unpacked, path.stat().st_size)
    check_memory(path, unpacked)
    names = [entry.filename for entry in entries]
    return [name for name in names if not PurePosixPath(name).name.startswith("._")]


def dataset(path: Path, kind: str) -> str:
    """Name a vetted file in such a way that GDAL opens it with the driver of its kind only.

    Raises
    ------
    FileFormatError
        If the file is not what its name says, or would make its reader look elsewhere.
    """
    check_content(path, kind)
    whole = path.resolve()
    if kind == "geojson":
        _check_crs(whole)
        return f"GeoJSON:{whole}"
    if kind == "gpkg":
        return f"GPKG:{whole}"
    if kind == "kml":
        return _packed_kml(whole) if path.suffix.lower() == ".kmz" else _plain_kml(whole)
    return _shapes(whole) if path.suffix.lower() == ".zip" else str(whole)


def _shapes(path: Path) -> str:
    inside = [name for name in check_archive(path) if name.lower().endswith(".shp")]
    if len(inside) != 1:
        raise FileFormatError(
            f"{path}: {len(inside)} Shapefiles in it; there must be one. "
            "Zip the .shp, .shx, .dbf and .prj of one layer."
        )
    name = inside[0]
    _check_entry(path, name)
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        content = _content(file.read(_START))
    if content != "shapes":
        raise FileFormatError(f"{path}: {name!r} in it is no Shapefile. Zip it anew.")
    return f"/vsizip/{{{path}}}/{name}"


def _check_entry(path: Path, name: str) -> None:
    if ".." in PurePosixPath(name).parts or name.startswith("/"):
        raise FileFormatError(
            f"{path}: the entry {name!r} points out of the archive. Zip it anew, without folders."
        )


def _plain_kml(path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _check_kml(path, file, content)
    return str(path)


def _packed_kml(path: Path) -> str:
    """Name the document of a KMZ archive, which is the first KML file in it."""
    inside = [name for name in check_archive(path) if name.lower().endswith(".kml")]
    if not inside:
        raise FileFormatError(f"{path}: there is no KML file in it. Export it again.")
    _check_entry(path, inside[0])
    with zipfile.ZipFile(path) as archive:
        content = archive.read(inside[0])
    _check_kml(path, io.BytesIO(content), content)
    return f"/vsizip/{{{path}}}/{inside[0]}"


def _check_kml(path: Path, file: IO[bytes], content: Any) -> None:
    """Refuse XML that declares entities, is no KML, or tells GDAL to look elsewhere."""
    try:
        _, root = next(iter(iterparse(file, events=("start",), forbid_dtd=True)))
    except DefusedXmlException as error:
        raise FileFormatError(
            f"{path}: not readable as kml: it declares a document type or entities. Export it "
            "again without."
        ) from error
    if root.tag.rpartition("}")[2] != "kml":
        raise FileFormatError(
            f"{path}: not readable as kml: its root is <{root.tag}>, not <kml>. Export it again."
        )
    if re.search(rb"(?i)OGRVRT|OGRWFS|opengis\.net/gml", content):
        raise FileFormatError(f"{path}: not readable as kml: it is made of other files.")
    if content.find(b"NetworkLink") >= 0 and content.find(b"Placemark") < 0:
        raise FileFormatError(
            f"{path}: it only links to a map that is online. Export the data itself: in Google My "
            'Maps without "Keep data up to date with network link KML".'
        )


def _letter(letter: str) -> str:
    """A letter of a JSON name, as itself or escaped."""
    codes = "|".join(f"{ord(case):02x}" for case in (letter, letter.upper()))
    return rf"(?:{letter}|\\u00(?:{codes}))"


_CRS = re.compile(f"(?i)[\"']{''.join(map(_letter, 'crs'))}[\"']".encode())
_NO_NAME = re.compile(rb"\s*[,}\]]")
_NO_OBJECT = re.compile(rb'\s*:\s*(?:null|"[^"\\]*")')
_OBJECT = re.compile(rb"\s*:\s*(\{[^{}]*(?:\{[^{}]*\}[^{}]*)?\})")


def _check_crs(path: Path) -> None:
    """Refuse GeoJSON whose coordinate system is a link: GDAL would follow it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for match in _CRS.finditer(content):
            end = match.end()
            if _NO_NAME.match(content, end) or _NO_OBJECT.match(content, end):
                continue
            members = _OBJECT.match(content, end)
            if members is None or not _is_named(members[1]):
                raise FileFormatError(
                    f"{path}: its coordinate system is not given by a name. Save it in longitude "
                    "and latitude, as RFC 7946 says."
                )


def _is_named(text: bytes) -> bool:
    try:
        crs = json.loads(text)
    except ValueError:
        return False
    return {str(value).lower() for key, value in crs.items() if key.lower() == "type"} == {"name"}
