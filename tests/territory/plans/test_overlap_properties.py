"""Areas may touch, nest, repeat, lie apart and cross 180 degrees: a plan is made of all of them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.files import read_polygon_table
from territory.markets import define
from territory.plans.drafts import draft
from territory.policy import Policy

COUNTIES = reference.load().counties
HAWAII, PACIFIC = (-160, 15), (176, 50)  # corners of grids: about Hawaii, and over 180 degrees
LISTS = [
    ("county", "17031"), ("county", "17031|17043"), ("county", "17197"), ("state", "IL"),
    ("metro_area", "16980"), ("zip_code", "60601|60602"), ("zip_code", "60602"),
    ("zip_code", "99950"), ("county", "02016"), ("state", "AK"),
]  # fmt: skip
PEOPLE = [(-87.63, 41.88, "60602"), (-88.1, 41.7, None), (-179.9, 51.9, None), (179.5, 52.0, None)]
CELL = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 3), st.integers(1, 3))


def features(cells: list[tuple[int, int, int, int]], corner: tuple[int, int]) -> str:
    """Boxes of a grid as GeoJSON; those beyond 180 degrees run on beyond it."""
    shapes = [
        shapely.box(x + corner[0], y + corner[1], x + w + corner[0], y + h + corner[1])
        for x, y, w, h in cells
    ]
    told = [
        {"type": "Feature", "properties": {"name": f"d{at}"}, "geometry": shape.__geo_interface__}
        for at, shape in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": told})


def read(text: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.geojson"
        path.write_text(text, "utf-8")
        table = read_polygon_table(path)
    assert not len(table.refused)
    return table.markets


def plan_of(markets: pd.DataFrame, places: list[tuple[float, float, str | None]]) -> Any:
    none = dict.fromkeys(
        ("city", "state", "country", "employees", "revenue_usd", "owner_rep_id"), None
    )
    people = pd.DataFrame(
        [
            {"prospect_id": f"p{at}", "name": f"P{at}", "status": "prospect", "lon": lon,
             "lat": lat, "postal_code": code, "precision": "rooftop", "uncertainty_m": 0.0, **none}
            for at, (lon, lat, code) in enumerate(places)
        ]
    )  # fmt: skip
    people = people.astype({"employees": float, "revenue_usd": float})
    columns = {
        "offices": "office_id name lon lat opened_on closed_on",
        "reps": "rep_id name email base_office_id",
        "territories": "territory_id name rep_id market_id segment",
        "named_accounts": "prospect_id territory_id",
    }
    tables = {kind: pd.DataFrame(columns=names.split(), dtype=object)
              for kind, names in columns.items()}  # fmt: skip
    tables["prospects"] = people
    tables["markets"] = pd.DataFrame(markets.drop(columns="geometry")).assign(
        geometry=shapely.to_wkb(markets.geometry.to_numpy())
    )
    return draft(tables, COUNTIES, Policy(), "2026-12-01")


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(CELL, min_size=1, max_size=5),
    corner=st.sampled_from([HAWAII, PACIFIC]),
    lists=st.lists(st.sampled_from(LISTS), max_size=4),
)
def test_any_areas_make_a_plan(
    cells: list[tuple[int, int, int, int]], corner: tuple[int, int], lists: list[tuple[str, str]]
) -> None:
    drawn = read(features(cells, corner))
    rows = [(f"l{at}", f"L{at}", kind, units) for at, (kind, units) in enumerate(lists)]
    listed = define(
        pd.DataFrame(rows, columns=["market_id", "name", "kind", "units"], dtype=object),
        reference.load(),
    )
    markets = pd.concat([drawn, listed], ignore_index=True)
    corners = [
        ((x + corner[0] + 180) % 360 - 180, float(y + corner[1]), None) for x, y, _, _ in cells
    ]
    plan = plan_of(markets, [*PEOPLE, *corners])
    facts = plan.parts["assignments"].set_index("prospect_id")
    holders = {
        f"p{at}": [
            row.market_id
            for row in markets.itertuples()
            if row.kind != "zip_code" and shapely.intersects_xy(row.geometry, lon, lat)
        ]
        for at, (lon, lat, code) in enumerate([*PEOPLE, *corners])
        if code is None
    }
    for prospect_id, ids in holders.items():
        if ids:
            assert facts.loc[prospect_id, "market_id"] == min(ids)
    in_two = plan.findings.loc[plan.findings["code"] == "two_markets", "subject_id"]
    assert set(in_two) >= {one for one, ids in holders.items() if len(ids) > 1}


@settings(max_examples=40, deadline=None)
@given(cells=st.lists(CELL, min_size=2, max_size=5, unique=True))
def test_boxes_overlap_where_their_cells_do_on_either_side_of_180_degrees(
    cells: list[tuple[int, int, int, int]],
) -> None:
    def share(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
        across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
        along = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
        return across > 0 and along > 0

    expected = {f"d{one}" for one, a in enumerate(cells) for b in cells[one + 1 :] if share(a, b)}
    for corner in (HAWAII, PACIFIC):
        findings = plan_of(read(features(cells, corner)), PEOPLE).findings
        overlapping = findings.loc[findings["code"] == "markets_overlap", "subject_id"]
        assert set(overlapping) == expected
