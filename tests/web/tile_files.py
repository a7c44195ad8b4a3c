"""Files of map tiles as other programs write them, small."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

Key = tuple[int, int, int]  # zoom, column, row from the north-west
CREDIT = 'Maps by <a href="https://tiles.example.com/">Example &amp; Sons</a>'
PLAIN_CREDIT = "Maps by Example & Sons"


def picture(colour: str, kind: str = "PNG") -> bytes:
    """One tile of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (256, 256), colour).save(out, kind)
    return out.getvalue()


def write_mbtiles(path: Path, tiles: dict[Key, bytes | str], **metadata: str) -> Path:
    """Write tiles by key; the format counts rows from the south."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        file.execute(
            "CREATE TABLE tiles"
            " (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)"
        )
        file.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
        file.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?, ?)",
            [(z, x, 2**z - 1 - y, data) for (z, x, y), data in tiles.items()],
        )
    return path


def write_pmtiles(
    path: Path,
    tiles: dict[Key, bytes],
    kind: TileType = TileType.PNG,
    packed: Compression = Compression.NONE,
    **metadata: str,
) -> Path:
    """Write tiles by key, with the writer of the format's own package."""
    with path.open("wb") as file:
        writer = Writer(file)
        for number, data in sorted((zxy_to_tileid(*key), data) for key, data in tiles.items()):
            writer.write_tile(number, data)
        whole_world = {"min_lon_e7": -1_800_000_000, "min_lat_e7": -850_000_000,
                       "max_lon_e7": 1_800_000_000, "max_lat_e7": 850_000_000}  # fmt: skip
        centre = {"center_zoom": 0, "center_lon_e7": 0, "center_lat_e7": 0}
        writer.finalize(
            {"tile_type": kind, "tile_compression": packed, **whole_world, **centre}, metadata
        )
    return path
