"""The frame verbs keep index, columns and CRS, agree with the store, and name what is wrong."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

import territory
from territory.errors import ColumnError, CoordinateError, InputError, LengthError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable

DEMO = Path(__file__).resolve().parents[3] / "data" / "demo"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GEOD = Geod(ellps="WGS84")
CHICAGO, DENVER = (-87.6359, 41.8789), (-104.9853, 39.7437)


def points(*places: tuple[float, float], index: list[str] | None = None) -> gpd.GeoDataFrame:
    lon, lat = zip(*places, strict=True)
    index = index or [f"p{n}" for n in range(len(places))]
    return gpd.GeoDataFrame(
        {"label": list(index)}, geometry=gpd.points_from_xy(lon, lat, crs=4326), index=index
    )


AREA = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4326, index=["p0"])
OFFICES = points(CHICAGO, DENVER, index=["CHI", "DEN"])


@pytest.fixture(scope="module")
def offices() -> gpd.GeoDataFrame:
    return territory.read_offices(DEMO / "offices.csv")


@pytest.fixture(scope="module")
def prospects() -> gpd.GeoDataFrame:
    return territory.read_prospects(DEMO / "prospects.csv")


@pytest.fixture(scope="module")
def areas() -> gpd.GeoDataFrame:
    return territory.define_markets(pd.read_csv(DEMO / "markets.csv", dtype=str))


@pytest.mark.parametrize("crs", [4326, 3857, 5070, 2163])
def test_screen_measures_on_the_ellipsoid_whatever_the_crs(crs: int) -> None:
    frame = points((-87.9, 42.1), (-105.3, 40.0), (-87.0, 30.0)).to_crs(crs)
    screened = territory.screen(frame, OFFICES.to_crs(3857), "50mi")
    expected = [
        GEOD.inv(-87.9, 42.1, *CHICAGO)[2],
        GEOD.inv(-105.3, 40.0, *DENVER)[2],
        GEOD.inv(-87.0, 30.0, *CHICAGO)[2],
    ]
    assert np.allclose(screened["distance_m"], expected, atol=1e-3)
    assert screened["nearest_office_id"].tolist() == ["CHI", "DEN", "CHI"]
    assert screened["within_radius"].tolist() == [True, True, False]
    assert screened["verdict"].tolist() == ["in", "in", "out"]
    assert screened.crs == frame.crs
    assert screened.index.equals(frame.index)
    assert list(screened)[: len(frame.columns)] == list(frame)
    assert screened.geometry.geom_equals(frame.geometry).all()


def test_a_row_without_a_point_has_no_answer_and_keeps_its_row() -> None:
    frame = points(CHICAGO, DENVER)
    frame.loc["p1", "geometry"] = None
    screened = territory.screen(frame, OFFICES, "50mi")
    assert screened["within_radius"].tolist() == [True, pd.NA]
    assert screened["offices_within"].tolist() == [1, pd.NA]
    assert screened.loc["p1", ["nearest_office_id", "verdict"]].isna().all()
    assert np.isnan(screened.loc["p1", "distance_m"])


def test_a_place_known_too_coarsely_is_too_close_to_call() -> None:
    lon, lat, _ = GEOD.fwd(*CHICAGO, 270, 80_000)
    frame = points((lon, lat), (lon, lat)).assign(uncertainty_m=[0.0, 1_000.0])
    assert territory.screen(frame, OFFICES, "50mi")["verdict"].tolist() == [
        "in",
        "too_close_to_call",
    ]


def test_columns_of_degrees_do_as_well_as_points() -> None:
    frame = pd.DataFrame({"lat": [41.88], "lon": [-87.63]}, index=[7])
    screened = territory.screen(frame, OFFICES, "1200m")
    assert type(screened) is pd.DataFrame
    assert screened.index.tolist() == [7]
    assert screened["within_radius"].tolist() == [True]


def test_offices_that_are_not_open_on_the_day_do_not_count() -> None:
    offices = OFFICES.assign(opened_on=["2020-01-01", "2027-01-01"], closed_on=[None, None])
    frame = points(DENVER)
    assert territory.screen(frame, offices, "50mi", on="2026-12-01")[
        "nearest_office_id"
    ].tolist() == ["CHI"]
    assert territory.screen(frame, offices, "50mi", on="2027-01-01")[
        "nearest_office_id"
    ].tolist() == ["DEN"]


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        (points(CHICAGO).set_crs(None, allow_override=True), CoordinateError, "has no CRS"),
        (AREA, CoordinateError, "'p0': Polygon"),
        (pd.DataFrame({"lon": [1.0]}), ColumnError, "no geometry and no columns 'lon' and 'lat'"),
        (
            pd.DataFrame({"lon": [41.9], "lat": [-187.6]}),
            CoordinateError,
            r"0: lon 41.9, lat -187.6\).*were they swapped",
        ),
        (points(CHICAGO).geometry, InputError, "GeoSeries is no .*to_frame"),
        (
            points(CHICAGO).assign(uncertainty_m="a"),
            ColumnError,
            "uncertainty_m is no number .*'a'",
        ),
        (
            pd.DataFrame({"lon": ["x"], "lat": [1]}, index=["a"]),
            CoordinateError,
            "lon is no number .*'a': 'x'",
        ),
    ],
)
def test_a_frame_that_cannot_be_placed_is_refused_by_name(
    frame: pd.DataFrame, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        territory.screen(frame, OFFICES, "50mi")


def test_degrees_as_text_are_read_as_an_import_reads_them() -> None:
    texts = pd.DataFrame(
        {"lon": ["-87,6359", " ", "104.9853 W"], "lat": ["41,8789", "", "39.7437"]}
    )
    texts.index = ["a", "a", "b"]
    screened = territory.screen(texts, OFFICES, "50mi")
    assert screened["nearest_office_id"].fillna("").tolist() == ["CHI", "", "DEN"]
    assert screened[["lon", "lat"]].equals(texts)


def test_texts_have_one_dtype_also_where_all_are_null() -> None:
    nowhere = territory.screen(points((np.nan, np.nan)), OFFICES, "50mi")
    somewhere = territory.screen(points(CHICAGO), OFFICES, "50mi")
    assert nowhere.dtypes.equals(somewhere.dtypes)


@pytest.mark.parametrize("form", [str, dt.date.fromisoformat, pd.Timestamp])
def test_days_are_texts_dates_or_timestamps(form: Callable[[str], object]) -> None:
    offices = OFFICES.assign(
        opened_on=[form("2026-01-01"), None], closed_on=[None, form("2026-01-31")]
    )
    for on in ("2026-03-01", dt.date(2026, 3, 1), pd.Timestamp("2026-03-01")):
        screened = territory.screen(points(DENVER), offices, "50mi", on=on)
        assert screened["nearest_office_id"].tolist() == ["CHI"]
        assert territory.decide(points(DENVER), offices, on=on)["office_id"].tolist() == ["CHI"]
    with pytest.raises(InputError, match="'3/1/2026' is no day"):
        territory.screen(points(DENVER), offices, "50mi", on="3/1/2026")


def test_ids_that_are_numbers_and_figures_that_are_text_are_found_by_assign(
    areas: gpd.GeoDataFrame,
) -> None:
    frame = points(CHICAGO, DENVER).assign(prospect_id=[1, 2], employees=["10k", None])
    territories = pd.DataFrame({"territory_id": [7], "market_id": ["M-CHI"], "segment": ["any"]})
    named = pd.DataFrame({"prospect_id": [2], "territory_id": [7]})
    owned = territory.assign(frame, territories, areas=areas, offices=OFFICES, named_accounts=named)
    assert owned["rule"].tolist() == ["market_of_headquarters", "named_account"]
    assert owned["segment"].tolist() == ["enterprise", "unknown"]
    with pytest.raises(ColumnError, match="missing 'prospect_id'"):
        territory.assign(
            frame, territories, areas=areas, offices=OFFICES, named_accounts=named[["territory_id"]]
        )
    with pytest.raises(ColumnError, match=r"employees is no number .*'p1': 'many'"):
        territory.assign(
            frame.assign(employees=["5", "many"]), territories, areas=areas, offices=OFFICES
        )


def test_areas_without_outlines_are_refused() -> None:
    with pytest.raises(ColumnError, match="areas: no geometry"):
        territory.locate(points(CHICAGO), pd.DataFrame({"market_id": ["M"]}))


def test_a_radius_without_a_unit_and_no_office_at_all_are_refused() -> None:
    with pytest.raises(LengthError):
        territory.screen(points(CHICAGO), OFFICES, "50")
    with pytest.raises(LengthError, match="mi, km or m"):
        territory.screen(points(CHICAGO), OFFICES, 50)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no office"):
        territory.screen(points(CHICAGO), OFFICES.iloc[:0], "50mi")


def test_geocode_reads_the_headers_that_an_import_reads() -> None:
    frame = pd.DataFrame(
        {
            "Company": ["A", "B", "C"],
            "Billing City": ["Denver", None, "Nowhereville"],
            "Billing State": ["CO", None, "CO"],
            "Zip": ["80202", 60601, None],
        },
        index=["x", "y", "z"],
    )
    placed = territory.geocode(frame)
    assert placed.crs.to_epsg() == 4326
    assert placed.index.tolist() == ["x", "y", "z"]
    assert list(placed)[:4] == list(frame)
    assert placed["precision"].fillna("none").tolist() == ["postal", "postal", "none"]
    assert placed["uncertainty_m"].iloc[:2].between(1_000, 20_000).all()
    assert placed.geometry.isna().tolist() == [False, False, True]
    assert placed.loc["z", "geocode_note"]


def test_geocode_tells_where_points_and_addresses_disagree() -> None:
    frame = (
        points(CHICAGO, CHICAGO).to_crs(3857).assign(city=["Chicago", "Denver"], state=["IL", "CO"])
    )
    placed = territory.geocode(frame)
    assert placed["placement"].tolist() == ["placed", "conflict"]
    assert placed.crs == frame.crs
    assert placed.geometry.distance(frame.geometry).max() < 1e-3
    with pytest.raises(ColumnError, match="no coordinates, no 'postal_code'"):
        territory.geocode(pd.DataFrame({"name": ["A"]}))


def test_locate_gives_a_border_to_the_smallest_id(areas: gpd.GeoDataFrame) -> None:
    halves = gpd.GeoDataFrame(
        geometry=gpd.GeoSeries.from_wkt(
            ["POLYGON((0 0,2 0,2 2,0 2,0 0))", "POLYGON((-2 0,0 0,0 2,-2 2,-2 0))"],
            index=["EAST", "A-WEST"],
            crs=4326,
        )
    )
    frame = points((1, 1), (0, 1), (-1, 1), (5, 5))
    located = territory.locate(frame, halves)["market_id"]
    assert located.fillna("none").tolist() == ["EAST", "A-WEST", "A-WEST", "none"]
    assert territory.locate(points(CHICAGO), areas)["market_id"].tolist() == ["M-CHI"]


def test_assign_says_what_the_published_plan_says(
    prospects: gpd.GeoDataFrame,
    offices: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    demo_store: territory.store.Store,
    tmp_path: Path,
) -> None:
    policy = territory.read_policy(DEMO / "policy.toml")
    tables = {
        n: pd.read_csv(DEMO / f"{n}.csv", dtype=str) for n in ("territories", "named_accounts")
    }
    owned = territory.assign(
        prospects.to_crs(5070),
        tables["territories"],
        areas=areas,
        offices=offices,
        named_accounts=tables["named_accounts"],
        policy=policy,
        on="2026-11-20",
    )
    everything = territory.access.Scope.everything()
    path = tmp_path / "plan.csv"
    territory.export(demo_store, "prospects", path, scope=everything, by="tests", now=NOW)
    plan = pd.read_csv(path, dtype=str).set_index("prospect_id")
    ours = owned.set_index("prospect_id").loc[plan.index]
    names = ["territory_id", "rep_id", "rule", "market_id", "verdict", "segment"]
    assert len(plan) == len(prospects)
    for name in names:
        assert ours[name].fillna("").tolist() == plan[name].fillna("").tolist(), name
    assert ours["reason"].str.len().gt(10).all()
    assert owned.crs.to_epsg() == 5070


def test_decide_needs_no_more_than_an_address() -> None:
    homes = pd.DataFrame({"zip": ["80202", "60601", "59718", "ABC"]}, index=list("abcd"))
    decided = territory.decide(homes, OFFICES, on="2026-12-01")
    assert decided["decision"].tolist() == ["eligible", "eligible", "not eligible", "cannot decide"]
    assert decided["office_id"].tolist()[:2] == ["DEN", "CHI"]
    assert decided.loc["d", "remedy"]
    assert list(decided)[:1] == ["zip"]


def test_decide_takes_points_to_the_last_digit_and_policies_by_name_or_file(tmp_path: Path) -> None:
    limit_m = 50 * 1609.344
    places = [GEOD.fwd(*CHICAGO, 270, limit_m + off)[:2] for off in (-0.01, 0.01)]
    decided = territory.decide(points(*places), OFFICES, "fifty_miles", on="2026-12-01")
    assert decided["decision"].tolist() == ["eligible", "not eligible"]
    with pytest.raises(PolicyError):
        territory.decide(points(CHICAGO), OFFICES, tmp_path / "none.toml")


def test_readers_refuse_a_file_with_unusable_rows_or_list_them(tmp_path: Path) -> None:
    path = tmp_path / "companies.csv"
    path.write_text("prospect_id,name,lat,lon\nA,Good,41.9,-87.6\nA,Twice,41.9,-87.6\n")
    with pytest.raises(InputError, match="line 3"):
        territory.read_prospects(path)
    frame = territory.read_prospects(path, skip_refused=True)
    assert frame["prospect_id"].tolist() == ["A"]
    assert [row["line"] for row in frame.attrs["refused"]] == [3]


def test_a_point_that_says_nothing_of_itself_is_not_called_vague() -> None:
    territories = pd.DataFrame({"territory_id": ["T"], "market_id": ["M"], "segment": ["any"]})
    areas = gpd.GeoDataFrame(
        {"market_id": ["M"]}, geometry=[shapely.box(-88, 41, -87, 42)], crs=4326
    )
    owned = territory.assign(points(CHICAGO), territories, areas=areas, offices=OFFICES)
    assert owned["territory_id"].tolist() == ["T"]
    assert "known to" not in owned["reason"].iloc[0]
