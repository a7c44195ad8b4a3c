"""A company's own tiles: from a file or a server, on its credit, and nothing else let in."""

from __future__ import annotations

import gzip
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import escape
from pmtiles.reader import MemorySource, Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid

from territory.errors import InputError
from tests.fixtures.hostile import TEXTS
from tests.fixtures.tile_files import CREDIT, PLAIN_CREDIT, picture, write_mbtiles, write_pmtiles
from tests.fixtures.web import make_app, serve
from webmap import Settings
from webmap import settings as app_settings
from webmap.maps import MAINLAND, TileServer, basemap, place_map
from webmap.maps.tile_sources import TileFile, tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from playwright.sync_api import Page

    from tests.fixtures.tile_files import Key

RED, GREEN, BLUE = (picture(colour) for colour in ("#ff0000", "#00ff00", "#0000ff"))
TILES = {(3, 1, 2): RED, (3, 1, 5): GREEN, (14, 4203, 6084): BLUE}
WRITERS = {"mbtiles": write_mbtiles, "pmtiles": write_pmtiles}
SERVER = "https://tiles.example.com/{z}/{x}/{y}.png"
STYLES = {"WEBP": "image/webp", "JPEG": "image/jpeg", "PNG": "image/png"}


@pytest.fixture(params=WRITERS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One file of each format with the same three tiles."""
    name = f"our map's #1?.{request.param}"
    return WRITERS[request.param](tmp_path / name, TILES, attribution=CREDIT)


def app_with(tmp_path: Path, tiles: object, credit: str | None = None) -> Flask:
    """An app over an empty store."""
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    return make_app(url, tmp_path / "var", tiles=str(tiles), tiles_credit=credit)


# A file of tiles


def test_a_tile_of_the_file_is_given_as_it_is_and_north_is_up(path: Path) -> None:
    tiles = tiles_of(str(path))
    assert isinstance(tiles, TileFile)
    for key, data in TILES.items():
        assert tiles.picture(*key) == (data, "image/png")
    for key in [(3, 1, 3), (2, 0, 0), (15, 0, 0), (14, 0, 0)]:
        assert tiles.picture(*key) is None
    assert (tiles.closest, tiles.credit) == (14, PLAIN_CREDIT)


def test_where_the_file_has_none_the_drawn_tile_is_served(tmp_path: Path, path: Path) -> None:
    client = app_with(tmp_path, path).test_client()
    for scheme in basemap.SCHEMES:
        assert client.get(f"/tiles/{scheme}/3/1/2.png").data == RED
        assert client.get(f"/tiles/{scheme}/3/1/2@2x.png").data == RED
        drawn = client.get(f"/tiles/{scheme}/3/2/2.png").data
        assert drawn == basemap.draw(scheme, 3, 2, 2)
    beyond = client.get("/tiles/light/14/4203/6085.png")
    assert (beyond.status_code, beyond.mimetype) == (200, "image/png")
    assert client.get("/tiles/light/15/8406/12168.png").status_code == 404


def test_a_tile_of_the_file_is_known_again_until_the_file_changes(tmp_path: Path, path) -> None:
    client = app_with(tmp_path, path).test_client()
    tag = client.get("/tiles/light/3/1/2.png").headers["ETag"]
    known = {"If-None-Match": tag}
    assert client.get("/tiles/light/3/1/2.png", headers=known).status_code == 304
    path.unlink()
    WRITERS[path.suffix[1:]](path, {(3, 1, 2): GREEN})
    client = app_with(tmp_path, path).test_client()
    assert client.get("/tiles/light/3/1/2.png", headers=known).data == GREEN


@pytest.mark.parametrize("kind", STYLES)
@pytest.mark.parametrize("name", WRITERS)
def test_the_type_of_a_tile_is_told_by_its_bytes(tmp_path: Path, name: str, kind: str) -> None:
    path = WRITERS[name](tmp_path / "tiles", {(0, 0, 0): picture("red", kind)})
    answer = app_with(tmp_path, path).test_client().get("/tiles/light/0/0/0.png")
    assert answer.mimetype == STYLES[kind]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "tile",
    [b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"GIF89a"],
)
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_picture_is_not_there(tmp_path: Path, name: str, tile: bytes) -> None:
    path = WRITERS[name](tmp_path / "tiles", {(3, 0, 0): RED, (3, 1, 2): tile})
    answer = app_with(tmp_path, path).test_client().get("/tiles/light/3/1/2.png")
    assert answer.data == basemap.draw("light", 3, 1, 2)


def test_text_in_the_place_of_a_tile_is_not_there_either(tmp_path: Path) -> None:
    path = write_mbtiles(tmp_path / "tiles", {(3, 0, 0): RED, (3, 1, 2): "<b>text</b>"})
    answer = app_with(tmp_path, path).test_client().get("/tiles/light/3/1/2.png")
    assert answer.data == basemap.draw("light", 3, 1, 2)


def test_the_file_is_only_read(path: Path) -> None:
    before = path.read_bytes()
    path.chmod(0o444)
    tiles = tiles_of(str(path))
    assert isinstance(tiles, TileFile)
    assert tiles.picture(3, 1, 2) is not None
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def ask(tiles: TileFile) -> list[object]:
    with ThreadPoolExecutor(6) as threads:
        return list(threads.map(lambda key: tiles.picture(*key), list(TILES) * 20))


def test_threads_and_forked_workers_share_it(path: Path) -> None:
    tiles = tiles_of(str(path))
    assert isinstance(tiles, TileFile)
    wanted = [(data, "image/png") for data in TILES.values()] * 20
    assert ask(tiles) == wanted
    FORKED["tiles"] = tiles  # goes over by the fork, as in a server, and not by a pickle
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_ask_inherited, [0, 1], chunksize=1) == [wanted, wanted]
    FORKED.clear()


FORKED: dict[str, TileFile] = {}


def _ask_inherited(_: int) -> list[object]:
    return ask(FORKED["tiles"])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Key, bytes]]:
    """A PMTiles file of so many tiles that it needs directories within its directory."""
    tiles = {
        (8, x, y): RED[:8] + bytes([x, y]) * (x * y % 23)
        for x in range(0, 256, 2)
        for y in range(200)
    }
    return write_pmtiles(tmp_path_factory.mktemp("large") / "large.pmtiles", tiles), tiles


def test_a_large_file_is_found_by_its_inner_directories(large) -> None:
    path, tiles = large
    found = tiles_of(str(path))
    assert isinstance(found, TileFile)
    assert Reader(MemorySource(path.read_bytes())).header()["leaf_directory_length"] > 0
    assert all(found.picture(*key) == (data, "image/png") for key, data in tiles.items())
    assert found.picture(8, 1, 0) is None


def test_where_a_file_is_damaged_inside_the_drawn_tile_is_served(tmp_path: Path, large) -> None:
    header = Reader(MemorySource(large[0].read_bytes())).header()
    end = header["leaf_directory_offset"] + header["leaf_directory_length"]
    damaged = bytearray(large[0].read_bytes())
    damaged[end - 400 : end] = bytes(400)
    path = tmp_path / "damaged.pmtiles"
    path.write_bytes(damaged)
    client = app_with(tmp_path, path).test_client()
    assert client.get("/tiles/light/8/0/0.png").data == large[1][8, 0, 0]
    last = max(large[1], key=lambda key: zxy_to_tileid(*key))
    answer = client.get(f"/tiles/light/8/{last[1]}/{last[2]}.png")
    assert (answer.status_code, answer.data) == (200, basemap.draw("light", *last))


# What is refused at the start


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_vector_tiles_are_refused_with_the_remedy(tmp_path, name, told, packed) -> None:
    tile = b"\x1a\x05layer"
    data = {(3, 1, 2): gzip.compress(tile) if packed else tile}
    path = tmp_path / f"streets.{name}"
    if name == "mbtiles":
        write_mbtiles(path, data, **({"format": "pbf"} if told else {}))
    else:
        kind = TileType.MVT if told else TileType.UNKNOWN
        write_pmtiles(path, data, kind, Compression.GZIP if packed else Compression.NONE)
    with pytest.raises(InputError) as refused:
        app_with(tmp_path, path)
    assert str(path) in str(refused.value)
    remedy = "QGIS" if told or packed else "no PNG, JPEG or WebP tiles"
    assert remedy in str(refused.value)


def broken(path: Path) -> dict[str, bytes]:
    """What may be left of a file."""
    whole = path.read_bytes()
    return {
        "nothing": b"",
        "text": b"<!doctype html><title>Sign in</title>",
        "begins": whole[: len(whole) // 8],
        "all but the end": whole[:-9],
        "header only": whole[:127],
        "noise": whole[:16] + bytes(range(256)) * 40,
    }


@pytest.mark.parametrize(
    "how", ["nothing", "text", "begins", "all but the end", "header only", "noise"]
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, path: Path, how: str) -> None:
    path.write_bytes(broken(path)[how])
    with pytest.raises(InputError) as refused:
        app_with(tmp_path, path)
    assert str(path) in str(refused.value)
    assert "TERRITORY_TILES" in str(refused.value)


@pytest.mark.parametrize("name", ["missing.mbtiles", ".", "empty.mbtiles", "other.sqlite"])
def test_a_wrong_path_is_refused_by_name(tmp_path: Path, name: str) -> None:
    write_mbtiles(tmp_path / "empty.mbtiles", {})
    write_mbtiles(tmp_path / "other.sqlite", {(0, 0, 0): b"no picture"})
    with pytest.raises(InputError, match="TERRITORY_TILES") as refused:
        app_with(tmp_path, tmp_path / name)
    assert str(tmp_path) in str(refused.value)


# A server of tiles


def test_the_policy_of_the_browser_opens_for_that_host_alone(tmp_path: Path) -> None:
    plain = app_with(tmp_path, "").test_client().get("/about")
    opened = app_with(tmp_path, SERVER, "Example").test_client().get("/about")
    before, after = (
        answer.headers["Content-Security-Policy"].split("; ") for answer in (plain, opened)
    )
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("img-src 'self' data:", "img-src 'self' data: https://tiles.example.com")
    ]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (SERVER, "https://tiles.example.com"),
        ("https://Tiles.Example.com:8443/{scheme}/{z}/{x}/{-y}{r}.jpg?key=1", None),
        ("http://127.0.0.1:8081/{z}/{x}/{y}", "http://127.0.0.1:8081"),
    ],
)
def test_the_origin_is_the_scheme_host_and_port(url: str, origin: str | None) -> None:
    tiles = tiles_of(url, "Example")
    assert isinstance(tiles, TileServer)
    assert tiles.origin == (origin or "https://tiles.example.com:8443")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://tiles.example.com/{z}/{x}/{y}.png", "https://"),
        ("ftp://tiles.example.com/{z}/{x}/{y}.png", "https://"),
        ("https://*.example.com/{z}/{x}/{y}.png", "one host"),
        ("https://{s}.example.com/{z}/{x}/{y}.png", "one host"),
        ("https://{z}.example.com/{z}/{x}/{y}.png", "one host"),
        ("https:///{z}/{x}/{y}.png", "one host"),
        ("https://[::1]/{z}/{x}/{y}.png", "one host"),
        ("https://[/{z}/{x}/{y}.png", "no web address"),
        ("https://tiles.example.com:port/{z}/{x}/{y}.png", "no web address"),
        ("https://me:secret@tiles.example.com/{z}/{x}/{y}.png", "password"),
        ("https://tiles.example.com/{z}/{x}.png", "{y}"),
        ("https://tiles.example.com/{q}/{z}/{x}/{y}.png", "{scheme}"),
        ("https://tiles.example.com/{z}/{x}/{y}; script-src *", "characters"),
        ("https://tiles.example.com/{z}/{x}/{y}.png\n", "characters"),
        ("https://tiles.example.com/{z}/{x}/{y}<script>", "characters"),
        ("https://tiles.example.com/{{z}}/{x}/{y}.png", "characters"),
        ("https://tiles.example.com/{%raw%}/{z}/{x}/{y}.png", "{scheme}"),
        ("https://tiles.example.com; script-src *; x/{z}/{x}/{y}", "one host"),
    ],
)
def test_an_address_that_is_not_plainly_safe_is_refused(url: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        tiles_of(url, "Example")
    assert says in str(refused.value)


def test_a_server_needs_its_credit() -> None:
    with pytest.raises(InputError, match="TERRITORY_TILES_CREDIT"):
        tiles_of(SERVER, " <b> </b> ")


# On the map


def test_the_map_asks_where_the_settings_say_and_gives_the_credit(tmp_path: Path, path) -> None:
    with app_with(tmp_path, SERVER, "Example & Sons").app_context():
        assert basemap.under_maps() == basemap.Tiles(SERVER, "Example & Sons", 16)
        assert basemap.under_homes() == basemap.DRAWN  # nobody else learns where HR looks
    with app_with(tmp_path, path).app_context():
        under = basemap.under_maps()
        assert under == basemap.under_homes()
        assert under.url.startswith(basemap.TILES_URL)
        assert under.credit == f"{PLAIN_CREDIT}; around it {basemap.CREDITS}"
        assert under.closest == 14
    with app_with(tmp_path, "").app_context():
        assert basemap.under_maps() == basemap.DRAWN


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_credit_comes_to_the_browser_as_text(text: str) -> None:
    script = place_map(MAINLAND, tiles=basemap.Tiles(SERVER, text)).script
    credit = str(escape(text)).replace("{", "&#123;").replace("}", "&#125;")
    assert str(htmlsafe_json_dumps(credit)) in script
    assert "<" not in credit


def test_the_setting_is_read_from_the_environment(monkeypatch, path: Path) -> None:
    monkeypatch.setenv(app_settings.TILES, str(path))
    monkeypatch.setenv(app_settings.TILES_CREDIT, "Ours")
    settings = Settings.from_environment()
    assert (settings.tiles, settings.tiles_credit) == (str(path), "Ours")


def test_the_page_about_the_data_names_the_host_and_the_credit(demo_url, tmp_path: Path) -> None:
    plain = make_app(demo_url, tmp_path).test_client().get("/about").text
    assert "Nothing on these pages comes from another host." in plain
    assert "OpenStreetMap contributors" in plain
    served = make_app(demo_url, tmp_path, tiles=SERVER, tiles_credit="A <b> Sons")
    told = served.test_client().get("/about").text
    assert "come from https://tiles.example.com;" in told
    assert "A Sons" in told
    assert "Nothing on these pages" not in told


# In a browser

HOSTILE_CREDIT = "&lt;img src=x onerror=\"document.title='broken'\"&gt; " + "; ".join(TEXTS[:3])


@pytest.fixture(params=WRITERS)
def with_file(request, demo_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of an app whose tiles are red, on the credit of somebody hostile."""
    tiles = {
        (z, x, y): RED + bytes([z, x]) for z in (3, 4, 5) for x in range(2**z) for y in range(2**z)
    }
    path = WRITERS[request.param](tmp_path / "ours", tiles, attribution=HOSTILE_CREDIT)
    yield from serve(make_app(demo_url, tmp_path / "var", tiles=str(path)))


@pytest.fixture
def with_server(demo_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of an app whose tiles come from elsewhere."""
    yield from serve(make_app(demo_url, tmp_path / "var", tiles=SERVER, tiles_credit="A & Sons"))


@pytest.fixture
def page(chromium) -> Iterator[Page]:
    """A page that notes in ``page.asked`` what it asked for; the other server is played here."""
    context = chromium.new_context(viewport={"width": 900, "height": 700})
    page = context.new_page()
    page.asked, wrong = [], []
    page.route(
        "https://tiles.example.com/**",
        lambda route: route.fulfill(body=GREEN, content_type="image/png"),
    )
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda said: wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []
    assert page.title() != "broken"
    context.close()


def look(page: Page, address: str) -> tuple[list[str], str]:
    """Open the map of all markets: what was asked of other hosts, and the credit as it reads."""
    page.goto(address)
    page.locator(".overview-map").scroll_into_view_if_needed()
    page.wait_for_selector(".overview-map[data-ready=true]")
    page.wait_for_selector(".leaflet-tile-loaded")
    page.wait_for_load_state("networkidle")
    own = (address + "/", "data:")
    outside = [url for url in page.asked if not url.startswith(own)]
    return outside, page.inner_text(".leaflet-control-attribution")


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_an_app_with_a_file_shows_its_tiles_and_asks_no_other_host(page, with_file) -> None:
    outside, credit = look(page, with_file)
    assert outside == []
    colour = page.evaluate(
        "() => { const tile = document.querySelector('.leaflet-tile-loaded');"
        " const canvas = document.createElement('canvas').getContext('2d');"
        " canvas.drawImage(tile, 0, 0); return [...canvas.getImageData(9, 9, 1, 1).data]; }"
    )
    assert colour == [255, 0, 0, 255]
    assert "<img src=x onerror=\"document.title='broken'\">" in credit
    assert basemap.CREDITS in credit
    assert page.locator(".leaflet-control-attribution img").count() == 0


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_with_a_server_the_browser_asks_there_for_tiles_and_nowhere_else(page, with_server) -> None:
    outside, credit = look(page, with_server)
    assert outside
    assert all(url.startswith("https://tiles.example.com/") for url in outside)
    assert not any("/tiles/light/" in url for url in page.asked)
    assert "A & Sons" in credit
    assert basemap.CREDITS not in credit
