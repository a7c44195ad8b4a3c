"""Places are looked up offline, each with precision, uncertainty, source and what was odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from territory import reference
from territory.files import read_table
from territory.geocoding import Gazetteer, geocode
from territory.imports import read_rows
from territory.policy import Policy
from territory.schemas import GEOCODE, check
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from pathlib import Path

POLICY = Policy()
WGS84 = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(reference.load(), POLICY.geocoding)


def address(*rows: tuple[str | None, str | None, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["city", "state", "postal_code", "country"], dtype=object)


def test_every_row_comes_back_once_in_the_order_given(gazetteer: Gazetteer) -> None:
    frame = address(
        ("Paris", None, None, "FR"), (None, None, None, None), ("Denver", "CO", "80202", "US")
    ).set_axis([7, 3, 5])
    found = gazetteer.lookup(frame)
    assert found.index.tolist() == [7, 3, 5]
    check(found, GEOCODE, "geocodes")
    assert found["precision"].tolist() == ["place", None, "postal"]


@pytest.mark.parametrize(
    ("row", "precision", "lat", "lon"),
    [
        (("Denver", "CO", "80202", "US"), "postal", 39.75, -105.0),
        (("Saint Paul", "MN", None, None), "place", 44.95, -93.1),
        (("ST. PAUL", "MN", None, "US"), "place", 44.95, -93.1),
        (("Zürich", None, None, "CH"), "place", 47.37, 8.55),
        (("Cincinnati", None, None, "US"), "place", 39.1, -84.5),
        (("London", "ON", "N6A 1A1", "CA"), "place", 42.98, -81.25),
        (("Frankfurt", None, "60311", "DE"), "place", 50.11, 8.68),
        ((None, None, "35294-0110", "US"), "postal", 33.5, -86.8),
    ],
)
def test_a_place_is_found_by_the_best_that_is_known(
    gazetteer: Gazetteer, row: tuple[str, str, str, str], precision: str, lat: float, lon: float
) -> None:
    found = gazetteer.lookup(address(row)).iloc[0]
    assert found["precision"] == precision
    assert found["geocode_source"]
    assert (found["lat"], found["lon"]) == pytest.approx((lat, lon), abs=0.15)
    assert found["uncertainty_m"] >= 1_600


def test_city_and_state_outvote_a_zip_code_elsewhere_and_both_are_told(
    gazetteer: Gazetteer,
) -> None:
    found = gazetteer.lookup(address(("Denver", "CO", "02110", "US"))).iloc[0]
    assert found["precision"] == "place"
    assert found["lon"] == pytest.approx(-105, abs=0.3)
    assert found["geocode_note"].startswith("ZIP 02110 is in MA, ")
    assert found["geocode_note"].endswith("mi from ZIP codes of Denver, CO: placed by the city")


def test_a_zip_code_in_the_wrong_place_leaves_both_within_the_uncertainty(
    gazetteer: Gazetteer,
) -> None:
    # Fiserv's own address: 53405 is in Racine, 53045 in Brookfield.
    both = address(
        ("Brookfield", "WI", "53405", "US"),
        (None, None, "53405", None),
        (None, None, "53045", None),
    )
    torn, racine, brookfield = (row for _, row in gazetteer.lookup(both).iterrows())
    assert (torn["placement"], torn["precision"]) == ("conflict", "place")
    assert torn["geocode_note"] == (
        "ZIP 53405 is 27.7 mi from ZIP codes of Brookfield, WI: placed by the city"
    )
    for end in (racine, brookfield):
        metres = WGS84.inv(torn["lon"], torn["lat"], end["lon"], end["lat"])[2]
        assert metres <= torn["uncertainty_m"]


@pytest.mark.parametrize(
    ("row", "placement"),
    [
        (("Hamilton", "NJ", "08690", "US"), "approximate"),  # a township; the city is elsewhere
        (("Shawnee Mission", "KS", "66202", "US"), "approximate"),
        (("Nowhere", "PA", "75081", "US"), "conflict"),  # Texas, and no city speaks for it
        (("Richardson", "PA", "75081", "US"), "approximate"),  # the city does
        (("Springfield", None, None, "US"), "ambiguous"),
        (("Springfield", None, "62701", "US"), "approximate"),
        (("London", None, None, None), "ambiguous"),
        (("Xyzzy", None, None, None), "unplaced"),
        (("Taizhou", None, None, "CN"), "ambiguous"),
        (("Suzhou", None, None, "CN"), "approximate"),  # there is a smaller one
        (("Carlton", None, None, "AU"), "ambiguous"),
        (("Carlton", "VIC", None, "AU"), "approximate"),
    ],
)
def test_how_far_an_address_can_be_relied_on(
    gazetteer: Gazetteer, row: tuple[str | None, ...], placement: str
) -> None:
    found = gazetteer.lookup(address(row)).iloc[0]  # type: ignore[arg-type]
    assert found["placement"] == placement
    assert np.isnan(found["lon"]) == (placement in {"ambiguous", "unplaced"})


def test_a_name_that_one_place_dominates_is_as_uncertain_as_the_others_are_far(
    gazetteer: Gazetteer,
) -> None:
    found = gazetteer.lookup(address(("Suzhou", None, None, "CN"))).iloc[0]
    assert "more places have that name" in found["geocode_note"]
    assert found["uncertainty_m"] > 100_000


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("Springfield", None, None, "US"), "several places are called Springfield: add the state"),
        (("London", None, None, None), "called London: add the state, or the country if it is ab"),
        (("Xyzzy", None, None, None), "'Xyzzy' comes without a state: add the state"),
        (("Taizhou", None, None, "CN"), "several places of like size in CN are called Taizhou"),
        (("London", "BC", None, "CA"), "city 'London' was not found in BC, CA"),
        (("Nowhere", "CO", "99999", "US"), "ZIP 99999 is unknown and city 'Nowhere' was not found"),
        ((None, "CO", None, "US"), "no city: add a ZIP code"),
        ((None, None, None, "FR"), "no city"),
        ((None, None, None, None), "no city"),
    ],
)
def test_what_cannot_be_placed_says_why(
    gazetteer: Gazetteer, row: tuple[str | None, ...], told: str
) -> None:
    found = gazetteer.lookup(address(row)).iloc[0]  # type: ignore[arg-type]
    assert np.isnan(found["lon"])
    assert found["precision"] is None
    assert told in found["geocode_note"]


def test_given_coordinates_win_and_count_as_exact(gazetteer: Gazetteer) -> None:
    frame = address(("Denver", "CO", "80202", "US"), ("Denver", "CO", "80202", "US"))
    placed = geocode.place(
        frame.assign(lon=[-90.0001, np.nan], lat=[40.0, np.nan]), gazetteer, POLICY
    )
    assert placed["precision"].tolist() == ["rooftop", "postal"]
    assert placed["lon"].tolist()[0] == -90.0001
    assert placed["uncertainty_m"].tolist()[0] == 0.0


@pytest.mark.parametrize(
    ("name", "placed", "median_mi", "p95_mi", "gross"),
    [
        ("fortune500_hifld.csv", 0.995, 1.3, 5.0, 0.003),
        ("universities_ipeds_hd2020.csv", 0.99, 1.3, 5.0, 0.003),
    ],
)
def test_real_headquarters_are_placed_near_their_true_coordinates(
    gazetteer: Gazetteer,
    shared: Path,
    name: str,
    placed: float,
    median_mi: float,
    p95_mi: float,
    gross: float,
) -> None:
    rows = read_rows("prospects", read_table(shared / name)).rows
    hidden = rows.assign(lon=np.nan, lat=np.nan)
    found = geocode.place(hidden, gazetteer, POLICY)
    assert found["lon"].notna().mean() >= placed
    both = (found["lon"].notna() & rows["lon"].notna()).to_numpy()
    columns = (rows["lon"], rows["lat"], found["lon"], found["lat"])
    metres = WGS84.inv(*(c.to_numpy(float)[both] for c in columns))[2]
    miles = metres / METRES_PER_MILE
    assert np.median(miles) <= median_mi
    assert np.percentile(miles, 95) <= p95_mi
    assert (miles > 50).mean() < gross
    assert 0.93 <= (metres <= found["uncertainty_m"].to_numpy(float)[both]).mean() <= 0.98


def test_the_stated_reach_of_zip_codes_is_as_honest_for_small_as_for_large(
    gazetteer: Gazetteer, shared: Path
) -> None:
    rows = read_rows("prospects", read_table(shared / "universities_ipeds_hd2020.csv"))
    found = gazetteer.lookup(rows.rows)
    known = ((found["precision"] == "postal") & rows.rows["lon"].notna()).to_numpy()
    columns = (rows.rows["lon"], rows.rows["lat"], found["lon"], found["lat"])
    metres = WGS84.inv(*(c.to_numpy(float)[known] for c in columns))[2]
    stated = found["uncertainty_m"].to_numpy(float)[known]
    for part in np.array_split(np.argsort(stated, kind="stable"), 8):
        assert 0.92 <= (metres[part] <= stated[part]).mean() <= 0.99
