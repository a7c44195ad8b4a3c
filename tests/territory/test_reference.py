"""The bundled tables keep their contract and agree with official lists they were not built from."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory import reference
from territory.reference import Reference, normalise_place, normalise_places
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

WGS84 = Geod(ellps="WGS84")
MILE_M = 1609.344
TEXT_COLUMNS = {
    "zip_codes": ["zip_code", "city", "state_code", "county_fips", "cbsa_code"],
    "counties": ["county_fips", "name", "state_code", "cbsa_code"],
    "county_adjacency": ["county_fips", "neighbor_fips"],
    "states": ["state_code", "state_fips", "name"],
    "metro_areas": ["cbsa_code", "title"],
    "cities": ["name", "country_code", "admin1_code"],
    "city_names": ["key"],
    "countries": ["country_code", "country_code3", "name"],
    "industries": ["naics_code", "title", "edition"],
    "county_business": ["county_fips"],
    "zip_business": ["zip_code", "county_fips"],
    "basemap": ["layer", "detail"],
    "roads": [],
}
MAY_BE_NULL = {
    ("zip_codes", "city"),
    ("zip_codes", "cbsa_code"),
    ("counties", "cbsa_code"),
    ("cities", "admin1_code"),
}
CONNECTICUT = [f"091{region}0" for region in range(1, 10)]


@pytest.fixture(scope="module")
def tables() -> Reference:
    return reference.load()


def apart_miles(frame: pd.DataFrame, lon: str, lat: str) -> np.ndarray:
    """Miles between a frame's own points and those in two other columns."""
    return WGS84.inv(frame["lon"], frame["lat"], frame[lon], frame[lat])[2] / MILE_M


# The contract of the tables


@pytest.mark.parametrize("name", TEXT_COLUMNS)
def test_text_is_str_or_none_and_numbers_are_never_null(tables: Reference, name: str) -> None:
    table = getattr(tables, name)
    for column in table.columns:
        missing = table[column].isna()
        assert (name, column) in MAY_BE_NULL or not missing.any()
        if column in TEXT_COLUMNS[name]:
            assert table[column].dtype == object
            kinds = set(table[column].map(type))
            assert kinds <= {str, type(None)}
            assert "" not in set(table[column])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("zip_codes", ["zip_code"]),
        ("counties", ["county_fips"]),
        ("county_adjacency", ["county_fips", "neighbor_fips"]),
        ("states", ["state_code"]),
        ("metro_areas", ["cbsa_code"]),
        ("cities", ["city_id"]),
        ("city_names", ["key", "city_id"]),
        ("countries", ["country_code"]),
        ("county_business", ["county_fips"]),
        ("zip_business", ["zip_code", "county_fips"]),
    ],
)
def test_each_table_is_sorted_by_a_unique_key(tables: Reference, name: str, key: list[str]) -> None:
    rows = getattr(tables, name)[key]
    pd.testing.assert_frame_equal(rows.drop_duplicates().sort_values(key, ignore_index=True), rows)


def test_codes_are_text_of_full_width(tables: Reference) -> None:
    for codes in (
        tables.zip_codes["zip_code"],
        tables.zip_codes["county_fips"],
        tables.counties["county_fips"],
        tables.counties["cbsa_code"].dropna(),
        tables.county_adjacency["neighbor_fips"],
        tables.metro_areas["cbsa_code"],
        tables.county_business["county_fips"],
        tables.zip_business["zip_code"],
        tables.zip_business["county_fips"],
    ):
        assert codes.str.fullmatch(r"\d{5}").all()
    assert tables.zip_codes["zip_code"].str.startswith("0").sum() > 2_900


def test_there_are_as_many_rows_as_the_sources_have(tables: Reference) -> None:
    assert len(tables.zip_codes) > 41_000
    assert len(tables.counties) == 3_233
    assert len(tables.states) == 56
    assert len(tables.metro_areas) == 935
    american = tables.cities["country_code"] == "US"
    assert american.sum() > 21_000
    assert (tables.cities.loc[~american, "population"] >= 5_000).sum() > 55_000


def test_connecticut_is_the_nine_planning_regions(tables: Reference) -> None:
    regions = tables.counties[tables.counties["state_code"] == "CT"]
    assert regions["county_fips"].tolist() == CONNECTICUT
    assert regions["name"].str.endswith(" Planning Region").all()
    zips = tables.zip_codes[tables.zip_codes["state_code"] == "CT"]
    in_state = zips["county_fips"].isin(CONNECTICUT)
    assert in_state.all()


def test_every_code_that_a_table_refers_to_exists(tables: Reference) -> None:
    counties = set(tables.counties["county_fips"])
    areas = set(tables.metro_areas["cbsa_code"])
    assert set(tables.zip_codes["county_fips"]) <= counties
    assert set(tables.county_adjacency["county_fips"]) <= counties
    assert set(tables.counties["cbsa_code"].dropna()) == areas
    assert set(tables.counties["state_code"]) == set(tables.states["state_code"])
    assert set(tables.city_names["city_id"]) == set(tables.cities["city_id"])
    assert set(tables.cities["country_code"]) <= set(tables.countries["country_code"])


def test_a_zip_code_is_in_the_metro_area_of_its_county(tables: Reference) -> None:
    area = tables.counties.set_index("county_fips")["cbsa_code"]
    expected = tables.zip_codes["county_fips"].map(area)
    assert expected.fillna("").tolist() == tables.zip_codes["cbsa_code"].fillna("").tolist()


def test_shapes_are_valid_areas_in_degrees(tables: Reference) -> None:
    for table in (tables.counties, tables.states):
        assert table.crs == "EPSG:4326"
        assert table.is_valid.all()
        assert set(table.geom_type) <= {"Polygon", "MultiPolygon"}
        assert (shapely.area(table.geometry) > 0).all()


def test_counties_do_not_overlap_and_fill_their_states(tables: Reference) -> None:
    county_deg2 = pd.Series(shapely.area(tables.counties.geometry.to_numpy()))
    filled = county_deg2.groupby(tables.counties["state_code"]).sum()
    states = pd.Series(shapely.area(tables.states.geometry.to_numpy()), tables.states["state_code"])
    assert (filled / states).between(1 - 1e-9, 1 + 1e-6).all()


def test_adjacency_runs_both_ways_and_never_to_itself(tables: Reference) -> None:
    pairs = tables.county_adjacency
    assert (pairs["county_fips"] != pairs["neighbor_fips"]).all()
    turned = pairs.rename(columns={"county_fips": "neighbor_fips", "neighbor_fips": "county_fips"})[
        list(pairs)
    ]
    turned = turned.sort_values(["county_fips", "neighbor_fips"], ignore_index=True)
    pd.testing.assert_frame_equal(turned, pairs)


def test_at_the_four_corners_two_pairs_of_counties_touch_in_a_point(tables: Reference) -> None:
    pairs = tables.county_adjacency.set_index(["county_fips", "neighbor_fips"])
    border_m = pairs["shared_border_m"]
    assert border_m["04001", "08083"] == 0  # Apache, Arizona and Montezuma, Colorado
    assert border_m["35045", "49037"] == 0  # San Juan, New Mexico and San Juan, Utah
    assert border_m["04001", "49037"] > 50_000


def test_shared_borders_are_as_long_as_the_shapes_say(tables: Reference) -> None:
    shapes = tables.counties.set_index("county_fips").geometry
    pairs = tables.county_adjacency.sample(100, random_state=20)
    one, other = (shapes[pairs[name]].to_numpy() for name in ("county_fips", "neighbor_fips"))
    common = shapely.intersection(one, other)
    lengths_m = [WGS84.geometry_length(shape) for shape in common]
    np.testing.assert_allclose(pairs["shared_border_m"], lengths_m, atol=0.1)


def test_uncertainty_is_ten_miles_without_an_area_and_a_mile_at_least(
    tables: Reference,
) -> None:
    zips = tables.zip_codes
    assert (zips.loc[~zips["has_area"], "uncertainty_m"] == round(10 * MILE_M)).all()
    assert zips["uncertainty_m"].between(1609, 300_000).all()
    assert 33_000 < zips["has_area"].sum() < 33_800


@pytest.mark.parametrize(
    ("zip_code", "city", "county_fips", "lon", "lat"),
    [
        ("99505", "Jber", "02020", -149.65, 61.28),  # GeoNames has it 320 miles away
        ("99506", "Jber", "02020", -149.80, 61.27),
        ("99519", "Anchorage", "02020", -149.90, 61.22),  # its census area is at Prudhoe Bay
        ("99695", "Anchorage", "02020", -149.90, 61.22),
        ("01001", "Agawam", "25013", -72.62, 42.07),
        ("22102", "Mc Lean", "51059", -77.23, 38.95),
        ("72716", "Bentonville", "05007", -94.21, 36.37),  # a company's own, without area
    ],
)
def test_points_stand_where_the_city_is(
    tables: Reference, zip_code: str, city: str, county_fips: str, lon: float, lat: float
) -> None:
    row = tables.zip_codes.set_index("zip_code").loc[zip_code]
    assert (row["city"], row["county_fips"]) == (city, county_fips)
    assert WGS84.inv(row["lon"], row["lat"], lon, lat)[2] < 2_000


def test_zip_codes_stand_in_or_next_to_their_county(tables: Reference) -> None:
    zips = tables.zip_codes
    tree = shapely.STRtree(tables.counties.geometry.to_numpy())
    point, county = tree.query(shapely.points(zips["lon"], zips["lat"]), predicate="intersects")
    held = pd.Series(tables.counties["county_fips"].to_numpy()[county], index=point)
    held = held[~held.index.duplicated()].reindex(zips.index)
    assert (held.to_numpy() == zips["county_fips"].to_numpy()).mean() > 0.975
    assert held.isna().sum() < 100  # harbours


def test_the_base_map_is_valid_and_light(tables: Reference) -> None:
    basemap = tables.basemap
    assert basemap.crs == "EPSG:4326"
    assert basemap.is_valid.all()
    assert shapely.get_num_coordinates(basemap.geometry.to_numpy()).sum() < 300_000
    assert set(basemap["detail"]) == {"world", "north_america"}
    fine = basemap[basemap["detail"] == "north_america"]
    assert fine["layer"].unique().tolist() == [
        "land", "lake", "river", "state_line", "country_line",
    ]  # fmt: skip


@pytest.mark.parametrize("detail", ["world", "north_america"])
@pytest.mark.parametrize(
    ("lon", "lat", "is_land"),
    [
        (-98.5, 39.8, True),  # Kansas
        (-101.0, 45.0, True),  # South Dakota
        (-72.0, 51.0, True),  # Quebec
        (-100.0, 25.0, True),  # Nuevo Leon
        (-155.5, 19.6, True),  # Hawaii
        (-150.0, 65.0, True),  # Alaska
        (-145.0, 52.0, False),  # Gulf of Alaska
        (-140.0, 70.9, False),  # Beaufort Sea: no ring round the antimeridian covers it
        (-65.0, 35.0, False),  # Atlantic
    ],
)
def test_land_is_land_on_the_base_map(
    tables: Reference, detail: str, lon: float, lat: float, is_land: bool
) -> None:
    land = tables.basemap[
        (tables.basemap["layer"] == "land") & (tables.basemap["detail"] == detail)
    ]
    assert land.intersects(shapely.Point(lon, lat)).any() == is_land


@pytest.mark.parametrize(
    ("lon", "lat"), [(-74.0, 40.7), (-87.6, 41.9), (-105.0, 39.7), (-96.8, 32.8), (-108.5, 45.8)]
)
def test_main_roads_reach_the_large_towns(tables: Reference, lon: float, lat: float) -> None:
    main = tables.roads[tables.roads["first_zoom"] == 5]
    assert shapely.distance(main.geometry.to_numpy(), shapely.Point(lon, lat)).min() < 0.15
    assert len(main) < len(tables.roads) / 5


@pytest.mark.parametrize(("closest", "longest_km"), [(12, 6), (10, 15)])
def test_no_road_is_straighter_than_its_closest_zoom_bears(
    tables: Reference, closest: int, longest_km: float
) -> None:
    lines = tables.roads.geometry[tables.roads["last_zoom"] == closest].to_numpy()
    points, line = shapely.get_coordinates(lines, return_index=True)
    lon, lat = points.T
    lengths_m = WGS84.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2][line[1:] == line[:-1]]
    assert len(lengths_m) > 1_000
    assert lengths_m.max() < longest_km * 1000 + 200  # the grid of the source is 100 m


# Reading


def test_no_table_is_read_before_it_is_asked_for() -> None:
    tables = Reference()
    assert vars(tables) == {"package": "territory_data", "folder": None}
    assert len(tables.metro_areas) == 935
    assert set(vars(tables)) == {"package", "folder", "metro_areas"}


def test_all_callers_share_one_set_of_tables() -> None:
    assert reference.load() is reference.load()


# Place names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("St. Louis", "SAINT LOUIS"),
        ("Ft Worth", "Fort Worth"),
        ("Mt. Laurel", "Mount Laurel"),
        ("Zürich", "zurich"),
        ("Łódź", "Lodz"),
        ("Straße", "Strasse"),
        ("Coeur d'Alene", "Coeur d’Alene"),
        ("Winston-Salem", "Winston Salem"),
        ("Washington, D.C.", "WASHINGTON DC"),
        ("City of Commerce", "Commerce"),
        ("Town of Vail", "Vail"),
        ("N. Little Rock", "North Little Rock"),
        ("Arlington Hts", "Arlington Heights"),
        ("Paris (La Défense)", "Paris"),
        ("Bryn Athyn & Co", "bryn athyn and co"),
        ("  Boston ", "Boston"),
        ("TOKYO", "tokyo"),
    ],
)
def test_spellings_of_one_place_share_a_key(one: str, other: str) -> None:
    assert normalise_place(one) == normalise_place(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kansas City", "Kansas"),
        ("Saint Paul", "Paul"),
        ("ド", "ト"),  # the mark makes another letter, it is no accent
        ("東京", "京都"),
    ],
)
def test_different_places_keep_different_keys(one: str, other: str) -> None:
    assert normalise_place(one) != normalise_place(other)


def test_normalising_twice_changes_nothing(tables: Reference) -> None:
    keys = tables.city_names["key"].iloc[::50]
    again = normalise_places(keys)
    differs = keys[(again != keys).to_numpy()]
    assert differs.tolist() == []


def test_a_series_of_names_keeps_order_index_and_nulls() -> None:
    names = pd.Series(["St. Paul", None, "Saint Paul", "(!)"], index=[3, 1, 4, 1], name="city")
    found = normalise_places(names)
    assert found.tolist() == ["st paul", None, "st paul", ""]
    assert found.index.tolist() == [3, 1, 4, 1]
    assert found.name == "city"


@pytest.mark.parametrize(
    ("name", "country_code", "admin1_code", "lon", "lat"),
    [
        ("New York", "US", "NY", -74.01, 40.71),
        ("NYC", "US", "NY", -74.01, 40.71),
        ("Saint Louis", "US", "MO", -90.20, 38.63),
        ("San Juan", "US", "PR", -66.11, 18.47),
        ("Munich", "DE", "02", 11.58, 48.14),
        ("München", "DE", "02", 11.58, 48.14),
        ("東京", "JP", "40", 139.69, 35.69),
        ("Hong Kong", "HK", None, 114.17, 22.28),
    ],
)
def test_the_largest_city_of_a_name_is_the_one_meant(
    tables: Reference, name: str, country_code: str, admin1_code: str | None, lon: float, lat: float
) -> None:
    ids = tables.city_names.loc[tables.city_names["key"] == normalise_place(name), "city_id"]
    cities = tables.cities[tables.cities["city_id"].isin(ids)]
    cities = cities[cities["country_code"] == country_code]
    largest = cities.loc[cities["population"].idxmax()]
    assert largest["admin1_code"] == admin1_code
    assert WGS84.inv(largest["lon"], largest["lat"], lon, lat)[2] < 5_000


# Against official lists that the tables were not built from


def test_counties_belong_to_the_metro_areas_of_the_official_delineation(
    tables: Reference, shared: Path
) -> None:
    official = pd.read_csv(shared / "cbsa_delineation_2023.csv", dtype=str)
    fips = official["FIPS State Code"] + official["FIPS County Code"]
    expected = dict(zip(fips, official["CBSA Code"], strict=True))
    counties = tables.counties
    found = counties.loc[counties["cbsa_code"].notna(), ["county_fips", "cbsa_code"]]
    assert dict(found.to_numpy()) == expected
    titles = dict(zip(official["CBSA Code"], official["CBSA Title"], strict=True))
    assert dict(tables.metro_areas.to_numpy()) == titles


def test_adjacent_counties_are_those_of_the_census(tables: Reference, shared: Path) -> None:
    listed = pd.read_csv(shared / "county_adjacency_2024.txt", sep="|", dtype=str)
    listed = listed[listed["County GEOID"] != listed["Neighbor GEOID"]]
    official = set(map(frozenset, listed[["County GEOID", "Neighbor GEOID"]].to_numpy()))
    pairs = tables.county_adjacency
    found = set(map(frozenset, pairs[["county_fips", "neighbor_fips"]].to_numpy()))
    assert found - official == {frozenset(("12063", "13087"))}  # Jackson FL and Decatur GA
    assert len(official - found) <= 171  # nearly all across water; see data/README.md


def test_each_county_holds_the_internal_point_of_the_census(
    tables: Reference, shared: Path
) -> None:
    official = pd.read_csv(shared / "counties_gazetteer_2025.txt", sep="|", dtype={"GEOID": str})
    official = official.set_index("GEOID")
    shapes = tables.counties.set_index("county_fips").geometry.reindex(official.index)
    points = shapely.points(official["INTPTLONG"], official["INTPTLAT"])
    outside = official.index[~shapely.intersects(shapes.to_numpy(), points)]
    # Points on water: the shapes end at the shore.
    assert set(outside) == {"06075", "12037", "15005", "22087", "23013", "48007"}


def test_universities_stand_in_the_county_they_report(tables: Reference, shared: Path) -> None:
    real = pd.read_csv(
        shared / "universities_ipeds_hd2020.csv", dtype={"COUNTYCD": str}, encoding="utf-8-sig"
    )
    real["county_fips"] = real["COUNTYCD"].str.zfill(5)
    shapes = tables.counties.set_index("county_fips").geometry
    known = real[real["county_fips"].isin(shapes.index)]  # without the old Connecticut
    points = shapely.points(known["LONGITUD"], known["LATITUDE"])
    inside = shapely.intersects(shapes[known["county_fips"]].to_numpy(), points)
    assert (len(known), inside.sum()) == (6_366, 6_359)


def test_zip_codes_are_near_the_centres_of_the_census(tables: Reference, shared: Path) -> None:
    official = pd.read_csv(shared / "zcta_gazetteer_2025.txt", sep="|", dtype={"GEOID": str})
    both = tables.zip_codes.merge(official, left_on="zip_code", right_on="GEOID")
    assert len(both) == len(official)
    miles = apart_miles(both, "INTPTLONG", "INTPTLAT")
    assert np.quantile(miles, 0.50) < 1.2
    assert np.quantile(miles, 0.95) < 6.0
    assert (miles > 20).sum() <= 95
    # Alaskan areas whose addresses are elsewhere; our points stand with the addresses.
    assert set(both.loc[miles > 100, "zip_code"]) == {"99503", "99519", "99695", "99701", "99706"}
    area = both[both["has_area"] & (both["uncertainty_m"] > 1609)]
    ratio = np.pi * (area["uncertainty_m"] / 1.5) ** 2 / area["ALAND"]
    assert ratio.quantile([0.05, 0.95]).between(0.98, 1.02).all()


def test_every_delivery_zip_code_of_the_usps_is_there(tables: Reference, shared: Path) -> None:
    listed = pd.read_csv(shared / "usps_zip_locale_detail.csv", dtype=str)
    missing = set(listed["DELIVERY ZIPCODE"]) - set(tables.zip_codes["zip_code"])
    # Palau, Micronesia and the Marshall Islands are not in the US and have no county.
    assert missing == {"96940", "96941", "96942", "96943", "96944", "96960", "96970"}
    physical = listed.drop_duplicates("DELIVERY ZIPCODE").merge(
        tables.zip_codes, left_on="DELIVERY ZIPCODE", right_on="zip_code"
    )
    assert (physical["PHYSICAL STATE"] == physical["state_code"]).mean() > 0.999


def test_points_and_states_differ_from_their_neighbours_as_often_as_the_docs_say(
    tables: Reference,
) -> None:
    zips = tables.zip_codes
    assert zips.duplicated(["lon", "lat"], keep=False).sum() == 4_689
    state = tables.counties.set_index("county_fips")["state_code"]
    assert (zips["county_fips"].map(state) != zips["state_code"]).sum() == 20


@pytest.mark.parametrize(
    ("name", "zip_column", "lon", "lat", "share", "p95_miles"),
    [
        ("fortune500_hifld.csv", "ZIP", "LONGITUDE", "LATITUDE", 0.92, 3.8),
        ("universities_ipeds_hd2020.csv", "ZIP", "LONGITUD", "LATITUDE", 0.955, 4.6),
    ],
)
def test_the_uncertainty_holds_most_real_organisations(
    tables: Reference,
    shared: Path,
    name: str,
    zip_column: str,
    lon: str,
    lat: str,
    share: float,
    p95_miles: float,
) -> None:
    real = pd.read_csv(shared / name, dtype={zip_column: str}, encoding="utf-8-sig")
    real["zip_code"] = real[zip_column].str[:5].str.zfill(5)
    both = real[["zip_code", lon, lat]].merge(tables.zip_codes, on="zip_code")
    assert len(both) / len(real) > 0.999
    miles = apart_miles(both, lon, lat)
    assert (miles * MILE_M <= both["uncertainty_m"]).mean() > share
    assert np.quantile(miles, 0.50) < 1.2
    assert np.quantile(miles, 0.95) < p95_miles
    assert np.quantile(miles, 0.99) < 12


# Business


def test_every_county_has_its_business_but_the_nine_that_the_docs_name(tables: Reference) -> None:
    business = tables.county_business
    assert len(business) == 3_224
    lacking = set(tables.counties["county_fips"]) - set(business["county_fips"])
    assert lacking == {
        "15005", "60010", "60020", "60050", "66010", "69085", "69100", "69110", "69120",
    }  # fmt: skip
    assert set(business["county_fips"]) < set(tables.counties["county_fips"])
    assert (business[["establishments", "employment", "wages_usd"]] > 0).all().all()
    assert set(CONNECTICUT) < set(business["county_fips"])


def test_business_adds_up_to_what_the_country_is_known_to_have(tables: Reference) -> None:
    business = tables.county_business
    is_american = ~business["county_fips"].str[:2].isin(["72", "78"])
    jobs, wages = business.loc[is_american, ["employment", "wages_usd"]].sum()
    assert 149e6 < jobs < 156e6  # less by 3.6 % than all: what is placed in no county
    assert 70_000 < wages / jobs < 85_000
    biggest = business.nlargest(3, "employment")["county_fips"]
    assert biggest.tolist() == ["06037", "17031", "36061"]


def test_the_zip_codes_of_a_county_share_all_its_business(tables: Reference) -> None:
    shares = tables.zip_business
    assert shares["business_share"].between(0, 1, inclusive="right").all()
    sums = shares.groupby("county_fips")["business_share"].sum()
    assert sums.to_numpy() == pytest.approx(1)
    lacking = set(tables.county_business["county_fips"]) - set(sums.index)
    assert lacking == {"02195", "02282", "48269", "72049"}


def test_most_business_of_a_county_is_where_most_of_its_zip_codes_have_their_county(
    tables: Reference,
) -> None:
    own = tables.zip_business.merge(tables.zip_codes, on="zip_code", suffixes=("", "_most"))
    inside = own[own["county_fips"] == own["county_fips_most"]]
    share = inside.groupby("county_fips")["business_share"].sum()
    assert share.median() > 0.95
    assert (share > 0.5).mean() > 0.99


# The papers


def test_the_readme_states_what_describe_prints() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "data" / "build.py"), "--describe"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert set(filter(None, printed.splitlines())) <= set(readme.splitlines())


def test_the_readme_credits_every_source_that_asks_for_it() -> None:
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    for needed in (
        "GeoNames",
        "SimpleMaps",
        "CC BY 4.0",
        "Natural Earth",
        "Census Bureau",
        "HUD",
        "BLS",
    ):
        assert needed in readme
    assert not re.search(r"/(?:work|home|opt|tmp)/", readme)
