"""Kind 13: the counties and states that come along are a coverage, as their source has them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory import reference
from territory.markets import define
from tests.conftest import ROOT

WGS84 = Geod(ellps="WGS84")
# Made by scripts/fixtures/measure_counties.py from the source, unrounded.
SOURCE = pd.read_csv(ROOT / "tests" / "fixtures" / "county_source.csv", index_col="state_code")


@pytest.mark.parametrize("table", ["counties", "states"])
def test_neighbors_meet_side_by_side(table: str) -> None:
    shapes = getattr(reference.load(), table).geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.coverage_union_all(shapes)
    assert shapely.area(whole) == pytest.approx(shapely.area(shapes).sum(), rel=1e-12)


def test_counties_are_as_whole_and_as_long_as_in_their_source() -> None:
    tables = reference.load()
    counties = tables.counties.set_index("county_fips")
    borders = tables.county_adjacency.groupby("county_fips")["shared_border_m"].sum()
    rows = pd.DataFrame(
        {
            "counties": 1,
            "parts": shapely.get_num_geometries(counties.geometry.to_numpy()).astype(int),
            "outline_m": [WGS84.geometry_area_perimeter(one)[1] for one in counties.geometry],
            "border_m": borders.reindex(counties.index).fillna(0.0),
        },
        index=counties.index,
    )
    ours = rows.groupby(counties["state_code"]).sum()
    pd.testing.assert_frame_equal(ours[["counties", "parts"]], SOURCE[["counties", "parts"]])
    for name in ("outline_m", "border_m"):
        np.testing.assert_allclose(ours[name], SOURCE[name], rtol=1e-6, atol=1, err_msg=name)


@pytest.mark.parametrize(
    ("one", "other", "border_m"),
    [
        ("04001", "04017", 402_033),  # Apache and Navajo, Arizona: was 342,260
        ("04001", "49037", 85_050),  # Apache and San Juan, Utah: was 73,922
        ("01003", "01053", 28_982),  # Baldwin and Escambia, Alabama: was 27,396
        ("01003", "12033", 115_192),  # Baldwin and Escambia, Florida
    ],
)
def test_the_borders_that_were_short_are_as_long_as_in_the_source(
    one: str, other: str, border_m: float
) -> None:
    shapes = reference.load().counties.set_index("county_fips").geometry
    pairs = reference.load().county_adjacency.set_index(["county_fips", "neighbor_fips"])
    assert pairs["shared_border_m"][one, other] == pytest.approx(border_m, abs=1)
    common = shapely.intersection(shapes[one], shapes[other])
    assert WGS84.geometry_length(common) == pytest.approx(border_m, abs=1)


@pytest.mark.parametrize("county", ["01003", "04001"])  # Baldwin, Apache
def test_a_market_of_a_county_that_is_one_piece_is_one_piece(county: str) -> None:
    row = {"market_id": ["M"], "name": ["M"], "kind": ["county"], "units": [county]}
    (outline,) = define(pd.DataFrame(row), reference.load()).geometry
    assert shapely.get_num_geometries(outline) == 1


def test_pairs_that_touch_are_neighbors() -> None:
    counties = reference.load().counties
    shapes = counties.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    codes = counties["county_fips"].to_numpy()
    touching = {(codes[a], codes[b]) for a, b in zip(one, other, strict=True) if a != b}
    pairs = reference.load().county_adjacency[["county_fips", "neighbor_fips"]]
    listed = set(pairs.itertuples(index=False, name=None))
    assert touching <= listed
    assert len(listed - touching) == 6  # three corners that are open by less than a metre
