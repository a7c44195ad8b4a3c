"""Tiles on disk: one that is damaged is drawn again, and a map needs no disk."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.fixtures import disks
from webmap.maps.tile_cache import TileStore

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [("light", 1, 8, x, 5) for x in range(200)]


def draw(scheme: str, zoom: int, x: int, y: int, ratio: int) -> bytes:
    return f"{scheme} {zoom} {x} {y} {ratio}".encode() * 100


def drawn(key: tuple[str, int, int, int, int]) -> bytes:
    scheme, ratio, zoom, x, y = key
    return draw(scheme, zoom, x, y, ratio)


def test_a_flipped_tile_is_drawn_again(tmp_path: Path) -> None:
    path = tmp_path / "tiles.sqlite"
    tiles = TileStore(path, draw)
    tiles.get(KEYS[0])
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE drawn_tiles SET png = CAST('not this' AS BLOB)")
    assert not tiles.has(KEYS[0])
    assert tiles.get(KEYS[0]) == drawn(KEYS[0])
    assert tiles.has(KEYS[0])


@pytest.mark.parametrize("how", ["a page", "all"])
def test_a_broken_file_is_made_anew(tmp_path: Path, how: str) -> None:
    path = tmp_path / "tiles.sqlite"
    tiles = TileStore(path, draw)
    for key in KEYS:
        tiles.get(key)
    tiles.close()
    if how == "all":
        path.write_bytes(b"not a database" * 1_000)
    else:
        data = path.read_bytes()
        path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    assert all(tiles.get(key) == drawn(key) for key in KEYS)
    assert tiles.has(KEYS[0])


def test_on_a_full_disk_tiles_are_drawn(tmp_path: Path) -> None:
    with disks.small_disk(tmp_path / "disk") as disk:
        disks.fill(disk)
        tiles = TileStore(disk / "tiles.sqlite", draw)
        assert tiles.get(KEYS[0]) == drawn(KEYS[0])
        tiles.close()
