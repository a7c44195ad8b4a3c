"""Markets from units and polygons, and which of them holds a headquarters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.errors import ColumnError, CoordinateError, InputError
from territory.geodesy import area_km2
from territory.markets import areas

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ["market_id", "name", "kind", "units"]
DENVER, CHICAGO, BERLIN = (-104.99, 39.74), (-87.63, 41.88), (13.4, 52.5)


def rows(*units: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame([(i, i.title(), kind, text) for i, kind, text in units], columns=COLUMNS)


def defined(*units: tuple[str, str, str | None]) -> gpd.GeoDataFrame:
    return areas.define(rows(*units), reference.load())


def drawn(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    frame = rows(*((name, "polygon", None) for name in shapes))
    return gpd.GeoDataFrame(frame, geometry=list(shapes.values()), crs=4326)


def at(frame: gpd.GeoDataFrame, *places: tuple[float, float], **more: list[str | None]) -> list:
    return areas.locate(*np.array(places).T, frame, **more).tolist()


# --- define ---------------------------------------------------------------------------------------


def test_each_kind_of_unit_becomes_ground_in_the_order_given() -> None:
    frame = defined(
        ("west", "metro_area", "denver-aurora|14500"),
        ("cook", "county", "Cook, IL"),
        ("east", "state", "Connecticut|RI"),
        ("loop", "zip_code", "60601|60602|60603|60604|60605|60606"),
    )
    assert frame["market_id"].tolist() == ["west", "cook", "east", "loop"]
    assert frame["units"].tolist()[:3] == ["19740|14500", "17031", "CT|RI"]
    assert frame.crs == "EPSG:4326"
    assert frame.geometry.is_valid.all()
    assert at(frame, DENVER, CHICAGO, (-72.68, 41.77), BERLIN) == ["west", "cook", "east", None]


def test_a_market_has_the_area_of_its_units_and_no_inner_borders() -> None:
    counties = reference.load().counties
    of_colorado = counties[counties["state_code"] == "CO"]
    market = defined(("co", "county", "|".join(of_colorado["county_fips"])))
    assert shapely.get_num_interior_rings(market.geometry.iloc[0]) == 0
    assert area_km2(market.geometry)[0] == pytest.approx(area_km2(of_colorado.geometry).sum())


def test_all_metro_areas_are_defined_without_an_overlap_that_counts() -> None:
    table = reference.load().metro_areas
    code = table["cbsa_code"]
    frame = areas.define(
        pd.DataFrame(
            {"market_id": code, "name": table["title"], "kind": "metro_area", "units": code}
        ),
        reference.load(),
    )
    assert len(frame) == 935
    assert frame.geometry.is_valid.all()
    assert not frame.geometry.is_empty.any()
    assert areas.overlaps(frame)["is_sliver"].all()
    assert areas.overlaps(frame)["area_km2"].sum() < 1e-3


def test_a_polygon_market_keeps_its_polygon_beside_markets_of_units() -> None:
    frame = pd.concat([rows(("co", "state", "CO")), drawn(box=shapely.box(0, 0, 1, 1))])
    both = areas.define(frame, reference.load())
    assert both["units"].tolist() == ["CO", None]
    assert at(both, DENVER, (0.5, 0.5)) == ["co", "box"]


def test_unknown_units_and_missing_polygons_are_refused() -> None:
    with pytest.raises(InputError, match=r"Market 'a': .*'Atlantis'.*Market 'b': .*'Mu'"):
        defined(("a", "state", "Atlantis"), ("b", "state", "CO|Mu"))
    with pytest.raises(InputError, match="polygon markets without a polygon: p, q"):
        defined(("p", "polygon", None), ("co", "state", "CO"), ("q", "polygon", None))
    with pytest.raises(ColumnError, match="'region'"):
        defined(("a", "region", "x"))


def test_no_markets_are_no_error() -> None:
    none = defined()
    assert none.empty
    assert at(none, DENVER) == [None]
    assert areas.overlaps(none).empty
    assert areas.gaps(none).empty


# --- locate ---------------------------------------------------------------------------------------


def test_the_smallest_id_takes_a_shared_border_whatever_the_order_of_the_markets() -> None:
    frame = drawn(b=shapely.box(0, 0, 1, 1), a=shapely.box(1, 0, 2, 1), c=shapely.box(0, 1, 2, 2))
    corner, border, inside = (1.0, 1.0), (0.5, 1.0), (1.5, 1.5)
    for shuffled in (frame, frame.iloc[::-1], frame.iloc[[1, 2, 0]]):
        assert at(shuffled, corner, border, inside) == ["a", "b", "c"]


def test_every_border_between_real_counties_goes_to_the_smaller_code() -> None:
    counties = reference.load().counties
    pair = counties[counties["county_fips"].isin(["08001", "08031", "08059", "08005"])]
    frame = defined(*((code, "county", code) for code in pair["county_fips"]))
    border = shapely.get_coordinates(pair.geometry)
    owners = areas.locate_all(*border.T, frame).groupby("point")["market_id"].agg(list)
    assert owners.map(len).max() >= 3  # corners of three counties are among them
    assert owners.map(min).tolist() == areas.locate(*border.T, frame).tolist()


def test_points_without_a_place_are_in_no_market_and_points_off_the_globe_are_refused() -> None:
    frame = drawn(a=shapely.box(-1, -1, 1, 1))
    assert at(frame, (np.nan, 0), (0, np.nan), (0, 0)) == [None, None, "a"]
    with pytest.raises(CoordinateError, match="points 1 are off the globe"):
        at(frame, (0, 0), (41.9, -187.6))


def test_the_markets_handed_in_are_left_as_they_were() -> None:
    frame = drawn(b=shapely.box(0, 0, 1, 1), a=shapely.box(1, 0, 2, 1))
    before = frame.copy()
    at(frame, (0.5, 0.5))
    pd.testing.assert_frame_equal(frame, before)


# --- ZIP-code markets -----------------------------------------------------------------------------


def test_a_zip_code_market_holds_the_addresses_on_its_list_wherever_they_stand_nearby() -> None:
    frame = defined(("loop", "zip_code", "60601|60602"), ("z-cook", "county", "17031"))
    beside = (-87.70, 41.95)  # on the North Side, miles from the Loop
    loop = (-87.6225, 41.8858)
    assert at(frame, beside, postal_code=["60601-4321"]) == ["loop"]
    assert at(frame, loop, postal_code=["60622"]) == ["z-cook"]
    assert at(frame, loop, postal_code=[None]) == ["loop"]  # no code: the ground drawn for it
    assert at(frame, loop, postal_code=["SW1A 1AA"]) == ["loop"]
    assert at(frame, (np.nan, np.nan), postal_code=["60601"]) == [None]


def test_the_same_digits_in_another_country_are_no_zip_code() -> None:
    frame = defined(("denver", "zip_code", "80202|80203"))
    munich = (11.57, 48.14)
    assert at(frame, munich, DENVER, postal_code=["80202", "80202"]) == [None, "denver"]


def test_a_code_on_two_lists_goes_to_the_smaller_market_and_both_are_told() -> None:
    frame = defined(("b", "zip_code", "80202"), ("a", "zip_code", "80202|80203"))
    assert at(frame, DENVER, postal_code=["80202"]) == ["a"]
    lon, lat = [[degrees] for degrees in DENVER]
    told = areas.locate_all(lon, lat, frame, postal_code=["80202"])
    assert told.to_numpy().tolist() == [[0, "a"], [0, "b"]]


def test_zip_codes_are_drawn_within_their_state_around_their_points() -> None:
    table = reference.load().zip_codes
    rhode_island = table[(table["state_code"] == "RI") & table["has_area"]]
    frame = defined(
        *((code, "zip_code", code) for code in rhode_island["zip_code"]), ("~ri", "state", "RI")
    )
    cells, state = frame.geometry.iloc[:-1], frame.geometry.iloc[-1]
    assert shapely.union_all(cells).symmetric_difference(state).area < 1e-9 * state.area
    assert areas.overlaps(frame.iloc[:-1])["is_sliver"].all()
    inland = shapely.contains_xy(state, rhode_island["lon"], rhode_island["lat"])
    found = areas.locate(rhode_island["lon"], rhode_island["lat"], frame)
    assert inland.mean() > 0.9
    assert found[inland].tolist() == rhode_island["zip_code"][inland].tolist()


def test_a_code_without_an_area_gets_no_ground_and_is_held_by_its_address() -> None:
    table = reference.load().zip_codes
    boxes = table[~table["has_area"] & (table["state_code"] == "CO")].iloc[0]
    frame = defined(("boxes", "zip_code", boxes["zip_code"]))
    assert frame.geometry.is_empty.all()
    assert at(frame, (boxes["lon"], boxes["lat"])) == [None]
    assert at(frame, (boxes["lon"], boxes["lat"]), postal_code=[boxes["zip_code"]]) == ["boxes"]


def test_drawn_zip_codes_hold_the_share_of_universities_that_is_claimed(shared: Path) -> None:
    table = pd.read_csv(shared / "universities_ipeds_hd2020.csv", dtype=str, encoding="latin-1")
    codes = reference.load().zip_codes.query("has_area and state_code in ['CO', 'MA', 'TX']")
    table = table.assign(zip_code=table["ZIP"].str[:5])
    table = table[table["zip_code"].isin(codes["zip_code"])]
    frame = defined(*((code, "zip_code", code) for code in table["zip_code"].unique()))
    found = areas.locate(table["LONGITUD"].astype(float), table["LATITUDE"].astype(float), frame)
    assert (found == table["zip_code"]).mean() > 0.65


# --- overlaps, gaps, outlines ---------------------------------------------------------------------


def test_overlaps_measure_shared_ground_and_tell_slivers_apart() -> None:
    frame = drawn(
        b=shapely.box(0, 0, 1, 1),
        a=shapely.box(0.5, 0, 1.5, 1),
        c=shapely.box(1.499, 0, 2, 1),
        d=shapely.box(0, 1, 1, 2),
    )
    found = areas.overlaps(frame)
    assert found[["market_id", "other_id", "is_sliver"]].to_numpy().tolist() == [
        ["a", "b", False],
        ["a", "c", True],
    ]
    half = shapely.box(0.5, 0, 1, 1)
    assert found["area_km2"].iloc[0] == pytest.approx(area_km2([half])[0])
    assert found["width_m"].iloc[1] == pytest.approx(111, abs=1)  # 0.001 degrees at the equator


def test_borders_and_corners_in_common_are_no_overlap() -> None:
    frame = defined(("a", "county", "08031"), ("b", "county", "08001"), ("c", "county", "08005"))
    assert areas.overlaps(frame).empty


@st.composite
def squares(draw: st.DrawFn) -> gpd.GeoDataFrame:
    """Markets on a grid so coarse that they often touch, nest, are equal or lie apart."""
    corner = st.tuples(*[st.integers(0, 4)] * 2)
    drawings = draw(st.lists(st.tuples(corner, st.integers(1, 3)), min_size=1, max_size=4))
    boxes = [shapely.box(x, y, x + side, y + side) for (x, y), side in drawings]
    return drawn(**{f"m{at}": box for at, box in enumerate(boxes)})


@settings(max_examples=60, deadline=None)
@given(frame=squares())
def test_markets_that_touch_nest_or_are_equal_overlap_by_the_ground_they_share(
    frame: gpd.GeoDataFrame,
) -> None:
    pairs = areas.overlaps(frame)
    outlines = frame.set_index("market_id").geometry
    expected = {
        (one, other)
        for one in outlines.index
        for other in outlines.index
        if one < other and shapely.intersection(outlines[one], outlines[other]).area > 0
    }
    assert set(pairs[["market_id", "other_id"]].itertuples(index=False, name=None)) == expected
    assert list(pairs) == ["market_id", "other_id", "area_km2", "width_m", "is_sliver"]
    assert pairs["is_sliver"].dtype == bool
    enclosed = areas.gaps(frame)
    assert list(enclosed) == ["between", "area_km2", "width_m", "is_sliver", "geometry"]
    assert enclosed["is_sliver"].dtype == bool


def test_gaps_are_enclosed_ground_with_the_markets_around_it_and_the_counties_in_it() -> None:
    tables = reference.load()
    around = tables.county_adjacency.query("county_fips == '08031'")["neighbor_fips"]
    frame = defined(*((code, "county", code) for code in around))
    found = areas.gaps(frame, tables.counties)
    denver = tables.counties.query("county_fips == '08031'").geometry
    assert found["counties"].tolist() == ["08031"]
    assert set(found["between"].iloc[0].split("|")) == set(around)
    assert found["area_km2"].iloc[0] == pytest.approx(area_km2(denver)[0], rel=1e-6)
    assert not found["is_sliver"].any()
    whole = pd.concat([frame, defined(("08031", "county", "08031"))], ignore_index=True)
    assert areas.gaps(gpd.GeoDataFrame(whole, crs=4326)).empty


def test_a_market_within_a_gap_is_not_part_of_it() -> None:
    ring = shapely.difference(shapely.box(0, 0, 4, 4), shapely.box(1, 1, 3, 3))
    found = areas.gaps(drawn(ring=ring, island=shapely.box(1.5, 1.5, 2, 2)))
    left = shapely.difference(shapely.box(1, 1, 3, 3), shapely.box(1.5, 1.5, 2, 2))
    assert found["area_km2"].tolist() == pytest.approx(area_km2([left]).tolist())
    assert found["between"].tolist() == ["island|ring"]
