"""A company's own map tiles: a file of them (MBTiles or PMTiles), or the address of a server.

Tiles are pictures. A file is only read, and whatever is no picture in it counts as not there.
"""

from __future__ import annotations

import functools
import hashlib
import html
import os
import re
import sqlite3
import struct
import threading
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import (
    MagicNumberNotFound,
    SpecVersionUnsupported,
    deserialize_directory,
    find_tile,
    zxy_to_tileid,
)

from territory.errors import InputError
from webmap.settings import TILES, TILES_CREDIT

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURES = (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg")
VECTOR, UNTOLD = ("pbf", "mvt", "mlt"), ("", "unknown")
GZIP = b"\x1f\x8b"  # as vector tiles are packed, and pictures never are
DEEPEST_ZOOM = 16  # what the maps go to
DIRECTORIES = 64  # of a PMTiles file, kept unpacked; one holds some thousand tiles
MOST_CREDIT = 200
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLACEHOLDERS = {"z", "x", "y", "-y", "r", "scheme"}
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
LOOPBACK = ("localhost", "127.0.0.1")
# What reading a damaged PMTiles file may end in.
DAMAGED = (
    ValueError, KeyError, IndexError, TypeError, EOFError, OSError, OverflowError, RecursionError,
    zlib.error, struct.error, MagicNumberNotFound, SpecVersionUnsupported,
)  # fmt: skip


@dataclass(frozen=True)
class TileServer:
    """An online server of tiles: its address with {z}, {x} and {y}, its credit, its origin."""

    url: str
    credit: str
    origin: str


class _Reader(Protocol):
    """One format of file: what its tiles are, as it says, its zooms, its credit, its tiles."""

    kind: str
    zooms: tuple[int, int]
    credit: str

    def tile(self, zoom: int, x: int, y: int) -> object: ...
    def any_tile(self) -> object: ...


@dataclass(frozen=True)
class TileFile:
    """A file of tiles, open: its credit, the closest zoom it has, and a tag of its content."""

    reader: _Reader
    credit: str
    tag: str

    @property
    def closest(self) -> int:
        """The closest zoom that the file has tiles of."""
        return self.reader.zooms[1]

    def picture(self, zoom: int, x: int, y: int) -> tuple[bytes, str] | None:
        """Give one tile and its type, or None where the file has none or no picture."""
        first, last = self.reader.zooms
        if not first <= zoom <= last:
            return None
        try:
            found = self.reader.tile(zoom, x, y)
        except (sqlite3.Error, *DAMAGED):
            return None  # one place of the file is damaged; it was whole enough at the start
        kind = picture_type(found)
        return (found, kind) if isinstance(found, bytes) and kind else None


def picture_type(tile: object) -> str | None:
    """Tell the type of a picture by its first bytes; None: it is none that browsers draw here."""
    if not isinstance(tile, bytes):
        return None
    if tile[:4] == b"RIFF" and tile[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in PICTURES if tile.startswith(start)), None)


def tiles_of(setting: str | None, credit: str | None = None) -> TileFile | TileServer | None:
    """Open the file, or take the address, that the setting names; None: the app draws its own.

    Raises
    ------
    InputError
        If it is no such file, holds no pictures, or the address is not one to be used as it is.
    """
    if not setting:
        return None
    if "://" in setting:
        return _server(setting, _plain(credit or ""))
    path = Path(setting).absolute()
    with _told(path):
        reader = _open(path)
        state = path.stat()
        _check(path, reader)
    tag = hashlib.sha256(f"{path}{state.st_size}{state.st_mtime_ns}".encode()).hexdigest()[:12]
    return TileFile(reader, _plain(credit or reader.credit), tag)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong inside which file and setting it is about."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{TILES}: there is no file {path}.") from None
    except (sqlite3.Error, *DAMAGED) as error:
        raise InputError(
            f"{TILES}: {path} cannot be read as a file of map tiles ({error}). "
            "Is it whole? Name an MBTiles file or a PMTiles file of version 3."
        ) from error


def _open(path: Path) -> _Reader:
    """Choose the format by the first bytes, whatever the file is called."""
    with path.open("rb") as file:
        start = file.read(16)
    if start == b"SQLite format 3\0":
        return _Mbtiles(path)
    if start.startswith(b"PMTiles"):
        return _Pmtiles(path)
    raise InputError(f"{TILES}: {path} is neither an MBTiles nor a PMTiles file.")


def _check(path: Path, reader: _Reader) -> None:
    tile = reader.any_tile()
    is_packed = isinstance(tile, bytes) and tile.startswith(GZIP)
    if reader.kind in VECTOR or (reader.kind in UNTOLD and is_packed):
        raise InputError(
            f"{TILES}: {path} holds vector tiles, and the map takes pictures. Write the same "
            "area as PNG, JPEG or WebP tiles, for example with QGIS: Generate XYZ tiles (MBTiles)."
        )
    if picture_type(tile) is None:
        raise InputError(f"{TILES}: {path} holds no PNG, JPEG or WebP tiles.")


def _server(url: str, credit: str) -> TileServer:
    """Take an address apart; what is not plainly safe in a policy of the browser is refused."""
    bare = PLACEHOLDER.sub("0", url)
    wrong = None
    try:
        parts, port = urlsplit(bare), urlsplit(bare).port
    except ValueError:
        raise InputError(f"{TILES}={url}: that is no web address.") from None
    host = parts.hostname or ""
    names = PLACEHOLDER.findall(url)
    if not HOST.fullmatch(host) or PLACEHOLDER.search(urlsplit(url).netloc):
        wrong = "name one host, in plain letters"
    elif parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        wrong = "it must begin with https://"
    elif parts.username is not None or "@" in parts.netloc:
        wrong = "leave out the user and the password; every browser would learn them"
    elif re.search(r"[\s'\"<>\\;,]", url) or re.search(r"[{}]", bare) or parts.fragment:
        wrong = "it has characters that an address has not"
    elif {"z", "x"} - set(names) or not {"y", "-y"} & set(names) or set(names) - PLACEHOLDERS:
        wrong = "it needs {z}, {x} and {y}, and may have {r} and {scheme} (light or dark)"
    elif not credit:
        wrong = f"set {TILES_CREDIT} to the credit that its maps ask for"
    if wrong:
        raise InputError(f"{TILES}={url}: {wrong}.")
    return TileServer(url, credit, f"{parts.scheme}://{host}" + (f":{port}" if port else ""))


def _plain(text: str) -> str:
    """Take the text out of a credit that may be HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())[:MOST_CREDIT]


def _check_end(path: Path, size: int) -> None:
    """Refuse a file that is shorter than it says itself, as a broken copy is."""
    missing = size - path.stat().st_size
    if missing > 0:
        raise ValueError(f"it ends {missing:,} bytes too early")


class _Mbtiles:
    """An SQLite file of tiles whose rows count from the south."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            head = file.read(32)
        page, pages = int.from_bytes(head[16:18]), int.from_bytes(head[28:32])
        _check_end(path, (page if page > 1 else 65_536) * pages)
        self._address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        self._mine = threading.local()
        told = dict(self._ask("SELECT name, value FROM metadata WHERE typeof(value) = 'text'"))
        self.kind, self.credit = told.get("format", ""), told.get("attribution", "")
        ((first, last),) = self._ask("SELECT MIN(zoom_level), MAX(zoom_level) FROM tiles")
        if first is None:
            raise ValueError("it has no tiles")
        self.zooms = int(first), min(int(last), DEEPEST_ZOOM)

    def tile(self, zoom: int, x: int, y: int) -> object:
        rows = self._ask(
            "SELECT tile_data FROM tiles WHERE zoom_level=? AND tile_column=? AND tile_row=?",
            (zoom, x, 2**zoom - 1 - y),
        )
        return rows[0][0] if rows else None

    def any_tile(self) -> object:
        return self._ask("SELECT tile_data FROM tiles LIMIT 1")[0][0]

    def _ask(self, query: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        """Ask over one connection per thread; a forked child opens its own."""
        if getattr(self._mine, "process", None) != os.getpid():
            self._mine.connection = sqlite3.connect(self._address, uri=True)
            self._mine.process = os.getpid()
        found: list[tuple[Any, ...]] = self._mine.connection.execute(query, values).fetchall()
        return found


class _Pmtiles:
    """A PMTiles file of version 3, mapped into memory."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = MmapSource(file)
        reader = Reader(self._bytes)
        self._header = reader.header()
        _check_end(path, self._header["tile_data_offset"] + self._header["tile_data_length"])
        self.kind = self._header["tile_type"].name.lower()
        told = reader.metadata() if self._header["metadata_length"] else {}
        self.credit = str(told.get("attribution", "")) if isinstance(told, dict) else ""
        self.zooms = self._header["min_zoom"], min(self._header["max_zoom"], DEEPEST_ZOOM)
        self._directory = functools.lru_cache(DIRECTORIES)(
            lambda offset, length: deserialize_directory(self._bytes(offset, length))
        )

    def tile(self, zoom: int, x: int, y: int) -> object:
        wanted = zxy_to_tileid(zoom, x, y)
        offset, length = self._header["root_offset"], self._header["root_length"]
        for _ in range(4):  # so many levels of directories there are at most
            entry = find_tile(self._directory(offset, length), wanted)
            if entry is None:
                return None
            if entry.run_length:
                return self._bytes(self._header["tile_data_offset"] + entry.offset, entry.length)
            offset, length = self._header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def any_tile(self) -> object:
        tiles = all_tiles(self._bytes)
        return next((tile for _, tile in tiles), None)
