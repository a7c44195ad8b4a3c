"""The overview of all markets: what is drawn, and what its script fetches."""

from __future__ import annotations

import json

import geopandas as gpd
import shapely

from tests.fixtures.hostile import TEXTS, market_view
from tests.webmap.maps.test_market import lines_of
from webmap.maps import overview_data, overview_map


def test_the_overview_draws_each_market_and_keeps_names_out_of_the_script() -> None:
    markets = gpd.GeoDataFrame(
        {
            "market_id": ["B", "A", "C"],
            "name": [TEXTS[0], "Austin", "Empty"],
            "prospects": [3, 2, 0],
        },
        geometry=[shapely.box(-98, 30, -97, 31), shapely.box(-96, 30, -95, 31), None],
        crs="EPSG:4326",
    )  # fmt: skip
    view = market_view()
    drawn = overview_map(markets, view.offices, markets_url="/m.json", market_url="/markets/{id}")
    data = overview_data(markets, view.offices)
    json.dumps(data, allow_nan=False)
    assert data["markets"]["id"] == ["B", "A"]
    assert [len(lines_of(drawn.script, f"map-area map-area-{row}")) for row in range(3)] == [
        1,
        1,
        0,
    ]
    assert TEXTS[0] not in drawn.script
