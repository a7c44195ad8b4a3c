"""Each row is placed by what it gives, and what contradicts it is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from territory import reference
from territory.gazetteer import Gazetteer
from territory.geocoding import place
from territory.policy import GeocodingPolicy, Policy
from territory.schemas import GEOCODE, check


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(reference.load())


def row(**cells: object) -> pd.DataFrame:
    blank = {"city": None, "state": None, "postal_code": None, "country": "US"}
    return pd.DataFrame([{"lon": np.nan, "lat": np.nan} | blank | cells])


def test_given_coordinates_are_followed_with_the_uncertainty_of_the_policy(
    gazetteer: Gazetteer,
) -> None:
    given = row(lon=-104.99, lat=39.75, city="Denver", state="CO", postal_code="80202")
    policy = Policy(geocoding=GeocodingPolicy(given_uncertainty_m=30))
    found = place(given, gazetteer, policy).iloc[0]
    assert found[["lon", "lat", "precision", "uncertainty_m", "geocode_source"]].tolist() == [
        -104.99, 39.75, "rooftop", 30, "given",
    ]  # fmt: skip
    assert found["geocode_note"] is None


def test_given_coordinates_far_from_their_address_are_followed_and_told(
    gazetteer: Gazetteer,
) -> None:
    found = place(row(lon=-87.6, lat=41.9, postal_code="80202"), gazetteer).iloc[0]
    assert (found["lon"], found["lat"]) == (-87.6, 41.9)
    assert "mi from ZIP 80202" in found["geocode_note"]


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
