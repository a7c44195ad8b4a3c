"""The base map is drawn offline: right places, right colours, labels that do not meet."""

from __future__ import annotations

import io
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from flask import Flask
from PIL import Image, ImageColor

from territory import reference
from webmap.maps import basemap
from webmap.maps.basemap_labels import STYLES, _apart, _sides, font
from webmap.maps.basemap_outlines import TILE, Layer, _borders, project
from webmap.maps.tile_cache import TileStore

if TYPE_CHECKING:
    from pathlib import Path


TODAY = "2026-11-23"
KANSAS, LAKE_MICHIGAN, ATLANTIC, ONTARIO = (
    (-100.9, 38.9),
    (-87.0, 43.7),
    (-60.0, 33.6),
    (-84.6, 49.3),
)
PARIS, CHICAGO, PRAIRIE = (2.35, 48.86), (-87.63, 41.88), (-109.5, 46.45)


def tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    x, y = project(lon, lat)
    return int(x * 2**zoom), int(y * 2**zoom)


def ground_at(scheme: str, place: tuple[float, float], zoom: int) -> tuple[int, ...]:
    """The commonest colour in a window of 9 pixels: a label may stand on the very place."""
    column, row = tile_at(*place, zoom)
    x, y = project(*place)
    image = Image.open(io.BytesIO(basemap.draw(scheme, zoom, column, row))).convert("RGB")
    left, top = int((x * 2**zoom - column) * TILE) - 4, int((y * 2**zoom - row) * TILE) - 4
    window = image.crop((max(left, 0), max(top, 0), left + 9, top + 9))
    return max(window.getcolors(1 << 24))[1]


@pytest.mark.parametrize("scheme", basemap.SCHEMES)
@pytest.mark.parametrize(
    ("place", "ink"),
    [(KANSAS, "land"), (ONTARIO, "land"), (LAKE_MICHIGAN, "water"), (ATLANTIC, "water")],
)
@pytest.mark.parametrize("zoom", [4, 8])
def test_land_and_water_have_exactly_the_colours_of_the_tokens(scheme, place, ink, zoom) -> None:
    assert ground_at(scheme, place, zoom) == ImageColor.getrgb(basemap.palette(scheme)[ink])


def test_dark_and_light_are_told_apart_in_the_tokens() -> None:
    light, dark = (basemap.palette(scheme) for scheme in basemap.SCHEMES)
    assert set(light) == set(dark) == set(basemap.INKS)
    assert all(light[name] != dark[name] for name in light)


def test_dense_screens_get_twice_the_pixels() -> None:
    sizes = [Image.open(io.BytesIO(basemap.draw("light", 4, 4, 6, ratio))).size for ratio in (1, 2)]
    assert sizes == [(256, 256), (512, 512)]


def test_the_other_continents_are_there() -> None:
    column, row = tile_at(*PARIS, 4)
    image = Image.open(io.BytesIO(basemap.draw("light", 4, column, row))).convert("RGB")
    land = ImageColor.getrgb(basemap.palette("light")["land"])
    share = np.mean((np.asarray(image) == land).all(axis=2))
    assert 0.3 < share < 0.99


@pytest.mark.parametrize("scheme", basemap.SCHEMES)
def test_roads_are_drawn_where_their_shape_is_known(scheme: str) -> None:
    road = ImageColor.getrgb(basemap.palette(scheme)["road"])

    def share(place: tuple[float, float], zoom: int) -> float:
        drawn = Image.open(io.BytesIO(basemap.draw(scheme, zoom, *tile_at(*place, zoom))))
        return float(np.mean((np.asarray(drawn.convert("RGB")) == road).all(axis=2)))

    assert 0.002 < share(CHICAGO, 10) < 0.1
    assert 0.0005 < share(PRAIRIE, 7) < 0.02
    assert share(PRAIRIE, 10) == 0  # straight for many miles in the source, not in the world


def test_the_sources_of_the_ground_are_credited() -> None:
    assert "© OpenStreetMap contributors" in basemap.CREDITS
    assert "GeoNames" in basemap.CREDITS


def test_a_border_is_drawn_once_and_a_shore_not_at_all() -> None:
    row = np.array([shapely.box(x, 0, x + 1, 1) for x in range(3)])
    inner, between = _borders(row, np.array(["A", "A", "B"]))
    assert [line.wkt for line in inner] == ["LINESTRING (1 0, 1 1)"]
    assert [line.wkt for line in between] == ["LINESTRING (2 0, 2 1)"]


def test_islands_keep_their_borders() -> None:
    west = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)])
    inner, _ = _borders(np.array([west, shapely.box(1, 0, 2, 1)]), np.array(["A", "A"]))
    assert [line.wkt for line in inner] == ["LINESTRING (1 0, 1 1)"]


def test_a_layer_gives_only_what_reaches_into_the_box() -> None:
    layer = Layer.of([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)])
    assert [shape.bounds for shape in layer.within((0.5, 0.5, 3, 3))] == [(0.5, 0.5, 1, 1)]


@pytest.mark.parametrize("zoom", [4, 6, 9, 12])
def test_labels_do_not_meet(zoom: int) -> None:
    column, row = tile_at(*CHICAGO, zoom)
    found = {
        label
        for x in range(column - 1, column + 2)
        for y in range(row - 1, row + 2)
        for label in basemap.labels().of_tile(zoom, x, y)
    }
    boxes = []
    for label in sorted(found, key=lambda label: (label.text, label.x)):
        face, size = STYLES[label.kind]
        at = label.dot or (label.x + font(face, size).getlength(label.text) / 2, label.y)
        sides = _sides(label.text, label.kind, *at, font(face, size).getlength(label.text))
        boxes.append(next(box for side, box in sides if (side.x, side.y) == (label.x, label.y)))
    assert len(boxes) > 3
    assert all(_apart(a, b, 0) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_label_over_an_edge_is_drawn_by_both_tiles() -> None:
    zoom, (column, row) = 8, tile_at(*CHICAGO, 8)
    edge = (column + 1) * TILE
    here, there = (set(basemap.labels().of_tile(zoom, x, row)) for x in (column, column + 1))
    crossing = {
        label
        for label in here | there
        if label.x < edge < label.x + font(*STYLES[label.kind]).getlength(label.text)
        and row * TILE + 12 < label.y < (row + 1) * TILE - 12
    }
    assert crossing <= here & there


def test_city_names_keep_their_accents() -> None:
    column, row = tile_at(-73.57, 45.5, 6)
    named = {
        label.text
        for x in (column - 1, column, column + 1)
        for label in basemap.labels().of_tile(6, x, row)
    }
    assert any(name.startswith("Montr\u00e9al") for name in named)


@pytest.mark.parametrize("face", ["plain", "bold", "slant"])
def test_the_font_has_every_letter_of_the_labelled_names(face: str) -> None:
    cities = reference.load().cities
    near = cities[cities["country_code"].isin(["US", "CA", "MX", "GB", "DE", "FR", "ES", "PL"])]
    letters = sorted(set("".join(near["name"])) - {" "})
    drawn = font(face, 24)
    blank = bytes(drawn.getmask("\uffff"))
    missing = [letter for letter in letters if bytes(drawn.getmask(letter)) == blank]
    assert missing == []


class Drawings:
    """Draws a tile as its own key, and keeps count."""

    def __init__(self) -> None:
        self.made: list[tuple[object, ...]] = []
        self._lock = threading.Lock()

    def __call__(self, *key: object) -> bytes:
        with self._lock:
            self.made.append(key)
        return repr(key).encode()


def test_a_tile_is_drawn_once_and_then_kept(tmp_path: Path) -> None:
    drawings = Drawings()
    key = ("light", 1, 3, 2, 1)
    assert not TileStore(tmp_path / "tiles.sqlite", drawings).has(key)
    answers = {TileStore(tmp_path / "tiles.sqlite", drawings).get(key) for _ in range(3)}
    assert answers == {b"('light', 3, 2, 1, 1)"}
    assert len(drawings.made) == 1


def ask_for_all(path: Path) -> list[bytes]:
    kept = TileStore(path, Drawings())
    with ThreadPoolExecutor(8) as threads:
        return list(
            threads.map(kept.get, [("dark", 1, 5, x, y) for x in range(8) for y in range(8)])
        )


def test_threads_and_processes_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tiles.sqlite"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.map(ask_for_all, [path] * 3)
    assert answers[0] == answers[1] == answers[2]
    assert len(set(answers[0])) == 64
    idle = Drawings()
    assert TileStore(path, idle).get(("dark", 1, 5, 7, 7)) == answers[0][-1]
    assert idle.made == []


@pytest.fixture
def client(tmp_path: Path):
    app = Flask(__name__)
    app.config["TERRITORY"] = SimpleNamespace(var_dir=tmp_path)
    app.register_blueprint(basemap.blueprint)
    return app.test_client()


def test_a_tile_is_served_as_png_and_known_again(client) -> None:
    first = client.get("/tiles/light/4/4/6.png")
    assert first.mimetype == "image/png"
    assert first.data.startswith(b"\x89PNG")
    again = client.get("/tiles/light/4/4/6.png", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert client.get("/tiles/light/4/4/6@2x.png").data != first.data


@pytest.mark.parametrize(
    "path",
    ["light/4/16/6.png", "light/4/4/16.png", "light/13/0/0.png", "pink/4/4/6.png",
     "light/4/-1/6.png", "light/4/4/6@3x.png", "light/4/4/6.jpg"],
)  # fmt: skip
def test_what_is_off_the_map_is_not_found(client, path: str) -> None:
    assert client.get(f"/tiles/{path}").status_code == 404


def test_warming_draws_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    window = {"bounds": (-90.0, 40.0, -85.0, 44.0), "schemes": ["light"]}
    first = basemap.warm(tmp_path, [4, 5], **window)
    assert first >= 2
    assert basemap.warm(tmp_path, [4, 5], **window) == 0
