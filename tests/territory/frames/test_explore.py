"""The explored map asks no host, draws what it is given, and lets no text out of its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import territory
from territory.errors import ColumnError
from territory.frames.explore import _leaflet
from webmap.maps import assets

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

HOSTILE = (
    "<img src=x onerror=window.ran=1>",
    "</script><script>window.ran=1</script>",
    "`${window.ran=1}`",
    "{{ 7 * 191 }}",
    "{% raw %}",
    "'\"\\u003cb\\u003e",
)


def frame(names: tuple[str, ...] = ("A", "B")) -> gpd.GeoDataFrame:
    lon = [-87.6 - n / 20 for n in range(len(names))]
    points = gpd.points_from_xy(lon, [41.9] * len(names), crs=4326)
    return gpd.GeoDataFrame({"name": names, "kind": names}, geometry=points)


def test_the_page_names_no_address_that_a_browser_would_ask() -> None:
    page = territory.explore(frame(), offices=frame(), radius="50mi").get_root().render()
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//(?!leafletjs\.com)", page)
    assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", page)
    assert "L.map(" in page


def test_an_app_in_the_same_process_changes_nothing() -> None:
    before = territory.explore(frame()).get_root().render()
    assets.localise()  # points the classes of folium at paths of the app, as each app does
    _leaflet.cache_clear()
    after = territory.explore(frame()).get_root().render()
    assert len(after) == len(before)
    assert "/asset/" not in after


def test_a_row_without_a_place_is_counted_and_not_drawn() -> None:
    rows = frame(("A", "B", "C"))
    rows.loc[1, "geometry"] = None
    page = territory.explore(rows).get_root().render()
    assert "2 of 3 on the map" in page
    assert page.count('"type": "Point"') == 2


def test_an_empty_frame_still_gives_a_map() -> None:
    assert "0 of 0 on the map" in territory.explore(frame().iloc[:0]).get_root().render()


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ColumnError, match="'owner'"):
        territory.explore(frame(), color="owner")
    with pytest.raises(ColumnError, match="'owner', 'rank'"):
        territory.explore(frame(), tooltip=["owner", "name", "rank"])


def test_cells_and_headers_of_any_kind_are_shown() -> None:
    odd = frame().assign(tags=[["a", "b"], np.array([1, 2])])
    odd.columns = ["same", *odd.columns[1:-1], "same"]
    page = territory.explore(odd.assign(n=pd.NaT).rename(columns={"n": 5})).get_root().render()
    assert page.count("\\u003cb\\u003esame") + page.count("<b>same") >= 4
    one = territory.explore(odd, tooltip="same", color="geometry")
    assert "2 of 2 on the map" in one.get_root().render()


@pytest.mark.browser
def test_no_text_of_a_frame_runs_and_no_host_is_asked(tmp_path: Path, chromium: Browser) -> None:
    path = tmp_path / "map.html"
    territory.explore(
        frame(HOSTILE),
        offices=frame(HOSTILE).rename(columns={"kind": "office_id"}),
        radius="50mi",
        color="kind",
    ).save(path)
    page = chromium.new_page()
    asked, errors, texts = [], [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("canvas")
    box = page.locator(".leaflet-container").bounding_box()
    for step in range(20):  # over every point, so that each tooltip opens
        page.mouse.move(box["x"] + box["width"] * step / 19, box["y"] + box["height"] / 2)
        texts.append(page.inner_text("body"))
    assert not errors
    assert page.evaluate("window.ran === undefined")
    assert any("{{ 7 * 191 }}" in text for text in texts)
    assert not any("1337" in text for text in texts)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()
