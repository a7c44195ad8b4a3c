"""Each row is placed by what it gives, and what contradicts it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from territory import reference
from territory.geocoding import Gazetteer, place
from territory.policy import GeocodingPolicy, Policy
from territory.schemas import GEOCODE, check

if TYPE_CHECKING:
    from collections.abc import Callable

WGS84 = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(reference.load())


def row(**cells: object) -> pd.DataFrame:
    blank = {"city": None, "state": None, "postal_code": None, "country": "US"}
    return pd.DataFrame([{"lon": np.nan, "lat": np.nan} | blank | cells])


def test_given_coordinates_are_followed_with_the_uncertainty_of_the_policy(
    gazetteer: Gazetteer,
) -> None:
    given = row(lon=-104.9901, lat=39.75, city="Denver", state="CO", postal_code="80202")
    policy = Policy(geocoding=GeocodingPolicy(given_uncertainty_m=30))
    found = place(given, gazetteer, policy).iloc[0]
    assert found[["lon", "lat", "precision", "uncertainty_m", "geocode_source"]].tolist() == [
        -104.9901, 39.75, "rooftop", 30, "given",
    ]  # fmt: skip
    assert found["geocode_note"] is None


def test_given_coordinates_far_from_their_address_are_followed_and_told(
    gazetteer: Gazetteer,
) -> None:
    found = place(row(lon=-87.6, lat=41.9, postal_code="80202"), gazetteer).iloc[0]
    assert (found["lon"], found["lat"]) == (-87.6, 41.9)
    assert "mi from ZIP 80202" in found["geocode_note"]


def test_both_counties_and_the_city_that_fits_are_named(gazetteer: Gazetteer) -> None:
    given = row(lon=-88.1069, lat=43.0606, city="Brookfield", state="WI", postal_code="53405")
    found = place(given, gazetteer).iloc[0]
    assert found["placement"] == "conflict"
    assert found["geocode_source"] == "given"
    told = "given (Waukesha County, WI) are 27.8 mi from ZIP 53405 (Racine County, WI), where the"
    assert told in found["geocode_note"]
    assert "mi from ZIP codes of Brookfield, WI" in found["geocode_note"]


def test_coordinates_that_side_with_the_zip_code_are_placed_and_the_city_is_told(
    gazetteer: Gazetteer,
) -> None:
    given = row(lon=-87.81, lat=42.71, city="Brookfield", state="WI", postal_code="53405")
    found = place(given, gazetteer).iloc[0]
    assert found["placement"] == "placed"
    told = "the coordinates given fit ZIP 53405 and not ZIP codes of Brookfield, WI"
    assert found["geocode_note"] == told


@pytest.mark.parametrize(
    ("cells", "placement"),
    [
        ({"lon": -104.99, "lat": 39.75, "state": "CO"}, "placed"),
        ({"lon": -104.99, "lat": 39.75, "state": "OH"}, "conflict"),
        ({"lon": -104.99, "lat": 39.75, "state": "OH", "postal_code": "80202"}, "conflict"),
        ({"lon": -94.60, "lat": 39.1, "state": "KS", "city": "Nowhere"}, "placed"),  # at the line
        ({"lon": 2.35, "lat": 48.85, "city": "Paris", "country": "FR"}, "placed"),
        ({"lon": 2.35, "lat": 48.85, "city": "Lyon", "country": "FR"}, "conflict"),
        ({"lon": 2.35, "lat": 48.85, "city": "Xyzzy", "country": "FR"}, "placed"),
    ],
)
def test_coordinates_are_held_against_zip_code_city_and_state(
    gazetteer: Gazetteer, cells: dict[str, object], placement: str
) -> None:
    found = place(row(**cells), gazetteer).iloc[0]
    assert found["placement"] == placement
    assert (found["lon"], found["lat"]) == (cells["lon"], cells["lat"])
    assert (found["geocode_note"] is None) == (placement == "placed")


def test_coordinates_outside_their_state_say_how_far(gazetteer: Gazetteer) -> None:
    found = place(row(lon=-104.99, lat=39.75, state="NE"), gazetteer).iloc[0]
    near = WGS84.inv(-104.99, 39.75, -104.053, 41.0)[2] / 1609.344  # the corner of Nebraska
    told = found["geocode_note"].removeprefix("the coordinates given are ")
    assert float(told.split()[0]) == pytest.approx(near, abs=2)
    assert told.endswith("mi outside NE, where the address is")


@pytest.mark.parametrize(
    ("lon", "lat", "how"),
    [
        (41.8858, -87.6229, "swapped"),
        (87.6229, 41.8858, "with the other sign before lon"),
        (-87.6229, -41.8858, "with the other sign before lat"),
        (41.8858, 87.6229, "swapped, and with the other sign before lon"),
    ],
)
def test_misread_coordinates_are_proposed_and_never_applied(
    gazetteer: Gazetteer, lon: float, lat: float, how: str
) -> None:
    chicago = row(lon=lon, lat=lat, city="Chicago", state="IL", postal_code="60601")
    found = place(chicago, gazetteer).iloc[0]
    by_zip = place(row(postal_code="60601"), gazetteer).iloc[0]
    assert found["placement"] == "conflict"
    assert (
        found[["lon", "lat", "precision"]].tolist() == by_zip[["lon", "lat", "precision"]].tolist()
    )
    assert f"; {how} they would be 0." in found["geocode_note"]


def test_misread_coordinates_without_an_address_are_not_followed(gazetteer: Gazetteer) -> None:
    found = place(row(lon=41.9, lat=-87.6, state="IL"), gazetteer).iloc[0]
    assert found["placement"] == "conflict"
    assert np.isnan(found["lon"])
    assert found["geocode_note"] == (
        "the coordinates given, lat=-87.6 and lon=41.9, are not in IL, but would be swapped: "
        "not placed until somebody decides"
    )


def test_a_reading_in_another_state_is_no_proposal(gazetteer: Gazetteer) -> None:
    found = place(row(lon=41.9, lat=-87.6, state="CA"), gazetteer).iloc[0]
    assert (found["placement"], found["geocode_source"]) == ("conflict", "given")


@settings(max_examples=40, deadline=None)
@given(
    at=st.integers(0, 41_000),
    way=st.sampled_from([lambda x, y: (y, x), lambda x, y: (-x, y), lambda x, y: (y, -x)]),
)
def test_any_american_point_is_recognised_however_it_was_misread(
    gazetteer: Gazetteer, at: int, way: Callable[[float, float], tuple[float, float]]
) -> None:
    zip_code = reference.load().zip_codes.iloc[at]
    lon, lat = way(zip_code["lon"], zip_code["lat"])
    if abs(lat) > 90:
        return  # off the globe is refused when a file is read
    found = place(row(lon=lon, lat=lat, postal_code=zip_code["zip_code"]), gazetteer).iloc[0]
    assert found["placement"] == "conflict"
    assert (found["lon"], found["lat"]) == (zip_code["lon"], zip_code["lat"])


def test_a_row_without_coordinates_is_placed_by_its_address(gazetteer: Gazetteer) -> None:
    found = place(row(city="Denver", state="CO", postal_code="80202"), gazetteer).iloc[0]
    assert found["precision"] == "postal"
    assert found["lon"] == pytest.approx(-105, abs=0.1)


def test_half_a_pair_of_coordinates_is_none(gazetteer: Gazetteer) -> None:
    found = place(row(lon=-87.6, postal_code="80202"), gazetteer).iloc[0]
    assert found["precision"] == "postal"


def test_every_row_comes_back_in_order_with_its_other_columns(gazetteer: Gazetteer) -> None:
    frame = pd.concat([row(postal_code="80202"), row(), row(lon=1.0, lat=2.0)]).set_axis([9, 9, 4])
    found = place(frame.assign(name=["a", "b", "c"]), gazetteer)
    assert found["name"].tolist() == ["a", "b", "c"]
    assert found.index.tolist() == [9, 9, 4]
    assert found["precision"].tolist() == ["postal", None, "rooftop"]
    check(found, GEOCODE, "geocodes")


def test_a_million_rows_of_few_addresses_cost_few_look_ups(gazetteer: Gazetteer) -> None:
    frame = pd.concat([row(postal_code="80202"), row(postal_code="10001")])
    many = frame.iloc[np.arange(200_000) % 2].reset_index(drop=True)
    found = place(many, gazetteer)
    assert found["lon"].nunique() == 2
    assert found["lon"].iloc[::2].nunique() == 1


def test_no_rows_are_no_rows(gazetteer: Gazetteer) -> None:
    found = place(row().iloc[:0], gazetteer)
    assert len(found) == 0
    assert set(GEOCODE.columns) <= set(found.columns)
