"""What pages load comes from this machine, compressed, and may be kept for ever."""

from __future__ import annotations

import gzip
import re

import brotli
import folium
import pytest
from flask import Flask

from webmap.maps import assets


@pytest.fixture
def client():
    app = Flask(__name__)
    app.register_blueprint(assets.blueprint)
    return app.test_client()


def test_every_script_and_style_that_folium_and_its_plugins_name_is_in_the_store() -> None:
    from offlinefolium.elements import _res

    assets.localise()
    named = set(assets.library()) - set(assets.OWN)
    assert named == named & set(_res)
    assert len(named) >= 70


def test_no_folium_class_names_another_host_once_localised() -> None:
    assets.localise()
    assert list(assets.outside_links()) == []


def test_a_plain_folium_map_loads_leaflet_and_nothing_else() -> None:
    assets.localise()
    links = [*folium.Map.default_js, *folium.Map.default_css]
    assert [name for name, _ in links] == ["leaflet", "leaflet_css"]
    assert all(assets.asset(link.removeprefix("/asset/")) is not None for _, link in links)


def test_leaflet_is_the_version_that_folium_names() -> None:
    assets.localise()
    script = assets.asset(folium.Map.default_js[0][1].removeprefix("/asset/"))
    assert script is not None
    assert b"Leaflet 1.9.3" in script.body[:200]


@pytest.mark.parametrize("name", assets.OWN)
def test_our_own_files_ask_no_other_host_and_write_no_html(name: str) -> None:
    text = assets.library()[name].body.decode()
    assert not re.search(r"https?:|//[a-z]+\.", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", text)


def test_the_styles_that_maps_load_ask_no_other_host() -> None:
    assets.localise()
    for source in (folium.Map.default_css[0][1], assets.path("prospects/map.css")):
        found = assets.asset(source.removeprefix("/asset/"))
        assert found is not None
        assert not re.search(rb"url\(\s*['\"]?(?!data:|#)|@import", found.body)


def test_a_name_changes_with_the_content() -> None:
    one, other = (assets._named("map.js", body) for body in (b"one", b"other"))
    assert one.name != other.name
    assert one.name == assets._named("map.js", b"one").name


@pytest.mark.parametrize(
    ("accepted", "open_it"), [("br, gzip", brotli.decompress), ("gzip", gzip.decompress)]
)
def test_a_file_comes_compressed_as_the_browser_asks(client, accepted, open_it) -> None:
    answer = client.get(assets.path("prospects/map.js"), headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert open_it(answer.data) == assets.library()["prospects/map.js"].body
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_file_comes_plain_to_a_client_without_compression(client) -> None:
    answer = client.get(assets.path("prospects/map.css"), headers={"Accept-Encoding": ""})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == assets.library()["prospects/map.css"].body


def test_a_known_tag_is_answered_without_a_body(client) -> None:
    first = client.get(assets.path("prospects/map.css"))
    again = client.get(
        assets.path("prospects/map.css"), headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304
    assert again.data == b""


@pytest.mark.parametrize("name", ["map.js", "map-000000000000.js", "..%2Fsecurity.py", "x"])
def test_only_known_names_are_served(client, name: str) -> None:
    assert client.get(f"/asset/{name}").status_code == 404


def test_what_a_map_page_loads_stays_small(client) -> None:
    assets.localise()
    paths = [link for _, link in (*folium.Map.default_js, *folium.Map.default_css)]
    paths += [assets.path(name) for name in ("prospects/map.js", "prospects/map.css")]
    sizes = [len(client.get(path, headers={"Accept-Encoding": "br"}).data) for path in paths]
    assert sum(sizes) < 70_000
