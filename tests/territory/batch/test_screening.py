"""Screening a file: every row comes back with the verdict that brute force gives."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from territory import reference
from territory.batch import screen
from territory.batch.screening import ADDED, ADDED_TO_PAIRS
from territory.errors import ColumnError, FileFormatError, InputError
from territory.files import read_table, write_table
from territory.units_of_length import METRES_PER_MILE

ROOT = Path(__file__).resolve().parents[3]
OFFICES = ROOT / "data" / "demo" / "offices.csv"
FIFTY = 50 * METRES_PER_MILE


def brute_force(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest office and its distance in metres, by trying every one."""
    offices = pd.read_csv(OFFICES)
    matrix = np.stack(
        [
            Geod(ellps="WGS84").inv(lon, lat, np.full(len(lon), x), np.full(len(lon), y))[2]
            for x, y in zip(offices["lon"], offices["lat"], strict=True)
        ]
    )
    return offices["office_id"].to_numpy()[matrix.argmin(0)], matrix.min(0)


def scattered(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "lon": rng.uniform(-125, -67, rows),
            "lat": rng.uniform(25, 49, rows),
        }
    )


def test_the_fortune_500_get_the_verdict_of_brute_force(shared: Path, tmp_path: Path) -> None:
    source, target = shared / "fortune500_hifld.csv", tmp_path / "out.csv"
    report = screen(source, target, OFFICES, FIFTY)
    before = pd.read_csv(source, dtype=str, keep_default_na=False)
    after = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert report.rows == report.placed == len(after) == 500
    assert list(after.columns) == [*before.columns, *ADDED]
    pd.testing.assert_frame_equal(after[["RANK", "NAME", "ZIP"]], before[["RANK", "NAME", "ZIP"]])
    office, metres = brute_force(
        before["LONGITUDE"].astype(float).to_numpy(), before["LATITUDE"].astype(float).to_numpy()
    )
    assert after["nearest_office_id"].tolist() == office.tolist()
    np.testing.assert_allclose(
        after["distance_mi"].astype(float) * METRES_PER_MILE, metres, atol=1e-6
    )
    assert after["within_radius"].tolist() == np.where(metres <= FIFTY, "true", "false").tolist()
    assert after["verdict"].tolist() == np.where(metres <= FIFTY, "in", "out").tolist()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".geojson", ".gpkg", ".parquet"])
def test_every_format_gives_the_same_answer(tmp_path: Path, suffix: str) -> None:
    frame = scattered(200)
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    write_table(frame, source)
    report = screen(source, target, OFFICES, FIFTY)
    office, metres = brute_force(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    answered = read_table(target).frame
    assert answered["id"].astype(float).astype(int).tolist() == frame["id"].tolist()
    assert answered["nearest_office_id"].tolist() == office.tolist()
    assert report.within == int((metres <= FIFTY).sum())


def test_a_parquet_file_streams_and_keeps_its_columns_and_types(tmp_path: Path) -> None:
    frame = scattered(1000).assign(day=pd.Timestamp("2026-01-01"), name="x")
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    frame.to_parquet(source, index=False)
    screen(source, target, OFFICES, FIFTY)
    answered = pd.read_parquet(target)
    pd.testing.assert_frame_equal(answered[list(frame.columns)], frame, check_dtype=False)
    office, metres = brute_force(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    assert answered["nearest_office_id"].tolist() == office.tolist()
    assert answered["within_radius"].tolist() == (metres <= FIFTY).tolist()


def test_the_points_of_a_geoparquet_file_are_used(tmp_path: Path) -> None:
    frame = scattered(50)
    points = gpd.GeoDataFrame(
        frame[["id"]], geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="OGC:CRS84"
    )
    points.to_parquet(tmp_path / "in.parquet")
    screen(tmp_path / "in.parquet", tmp_path / "out.parquet", OFFICES, FIFTY)
    office, _ = brute_force(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    answered = gpd.read_parquet(tmp_path / "out.parquet")
    assert answered["nearest_office_id"].tolist() == office.tolist()


def test_rows_without_coordinates_are_placed_by_address_with_their_uncertainty(
    tmp_path: Path,
) -> None:
    source = tmp_path / "in.csv"
    source.write_text(
        "company,city,state,zip\nA,Denver,CO,80202\nB,Springfield,,\nC,Boulder,CO,\nD,,,1001\n"
    )
    report = screen(source, tmp_path / "out.csv", OFFICES, FIFTY)
    rows = pd.read_csv(tmp_path / "out.csv")
    assert (report.rows, report.placed, report.not_placed) == (4, 3, 1)
    assert rows["nearest_office_id"].fillna("").tolist()[:3] == ["DEN", "", "DEN"]
    assert rows["verdict"].fillna("").tolist()[:3] == ["in", "", "in"]
    assert "add the state" in rows["note"][1]
    assert rows["uncertainty_mi"][0] == pytest.approx(1, abs=0.01)


def test_all_pairs_lists_every_office_within_the_radius(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,lat,lon\na,40.3,-74.6\nb,39.0,-100.0\nc,39.7437,-104.9853\n")
    report = screen(source, tmp_path / "out.csv", OFFICES, FIFTY, all_pairs=True)
    rows = pd.read_csv(tmp_path / "out.csv")
    assert list(rows.columns) == ["id", "lat", "lon", *ADDED_TO_PAIRS]
    assert rows[["id", "office_id"]].to_numpy().tolist() == [
        ["a", "PHL"],
        ["a", "NYC"],
        ["c", "DEN"],
    ]
    assert (rows["distance_mi"] <= 50).all()
    assert (report.rows, report.written) == (3, 3)


def test_a_row_near_the_line_that_is_known_by_its_zip_code_is_too_close_to_call(
    tmp_path: Path,
) -> None:
    offices = tmp_path / "offices.csv"
    places = reference.load().zip_codes.set_index("zip_code").loc["80202"]
    lon, lat, _ = Geod(ellps="WGS84").fwd(places["lon"], places["lat"], 90, 80_000)
    offices.write_text(f"office_id,name,lat,lon\nx,X,{lat},{lon}\n")
    (tmp_path / "in.csv").write_text(
        f"zip,lat,lon\n80202,,\n80202,0,0\n80202,{places['lat']},{places['lon']}\n"
    )
    report = screen(tmp_path / "in.csv", tmp_path / "out.csv", offices, FIFTY)
    rows = pd.read_csv(tmp_path / "out.csv")
    assert rows["verdict"].tolist() == ["too_close_to_call", "too_close_to_call", "in"]
    assert rows["within_radius"].tolist() == [True] * 3
    assert "0, 0" in rows["note"][1]
    assert (report.within, report.too_close) == (3, 2)


def test_a_column_of_the_file_keeps_its_name_beside_an_addition_of_that_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "in.csv").write_text("lat,lon,note,Verdict\n40,-77,call back,guilty\n")
    report = screen(tmp_path / "in.csv", tmp_path / "out.csv", OFFICES, FIFTY)
    rows = pd.read_csv(tmp_path / "out.csv")
    assert rows.loc[0, ["note", "Verdict"]].tolist() == ["call back", "guilty"]
    assert report.columns[-2:] == ("verdict_2", "note_2")
    assert list(rows.columns[-2:]) == ["verdict_2", "note_2"]


def test_batches_join_without_a_seam(tmp_path: Path) -> None:
    frame = scattered(300_000)
    frame.to_parquet(tmp_path / "in.parquet", index=False)
    told: list[tuple[int, int | None]] = []
    report = screen(
        tmp_path / "in.parquet",
        tmp_path / "out.parquet",
        OFFICES,
        FIFTY,
        progress=lambda done, of: told.append((done, of)),
    )
    answered = pd.read_parquet(tmp_path / "out.parquet")
    assert answered["id"].tolist() == frame["id"].tolist()
    assert len(told) > 1
    assert told[-1] == (300_000, 300_000)
    at = np.r_[0:20, 262_134:262_154]  # both sides of a seam
    office, metres = brute_force(frame["lon"].to_numpy()[at], frame["lat"].to_numpy()[at])
    assert answered["nearest_office_id"].to_numpy()[at].tolist() == office.tolist()
    np.testing.assert_allclose(
        answered["distance_mi"].to_numpy()[at] * METRES_PER_MILE, metres, atol=1e-6
    )
    assert report.within == int(answered["within_radius"].sum())


def test_points_of_geoparquet_that_lack_some_are_read_all_the_same(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame(
        {"id": [1, 2, 3]}, geometry=gpd.points_from_xy([-105, 0, -77], [39.7, 0, 38.9]), crs=4326
    )
    points.loc[1, "geometry"] = None
    points.to_crs(5070).to_parquet(tmp_path / "in.parquet")
    screen(tmp_path / "in.parquet", tmp_path / "out.parquet", OFFICES, FIFTY)
    answered = gpd.read_parquet(tmp_path / "out.parquet")
    assert answered["verdict"].fillna("").tolist()[:2] == ["in", ""]
    assert "address" in answered["note"][1]


def test_a_polar_office_may_have_polar_neighbours(tmp_path: Path) -> None:
    offices = tmp_path / "offices.csv"
    offices.write_text("office_id,name,lat,lon\npole,P,-90,0\n")
    (tmp_path / "in.csv").write_text("lat,lon\n-89.9001,12.0001\n-89.0001,-170.0001\n")
    screen(tmp_path / "in.csv", tmp_path / "out.csv", offices, FIFTY)
    assert pd.read_csv(tmp_path / "out.csv")["verdict"].tolist() == ["in", "out"]


def test_a_swapped_row_deep_in_a_parquet_file_is_one_row_not_placed(tmp_path: Path) -> None:
    frame = scattered(270_000).assign(state="VA")
    frame.loc[269_000, ["lon", "lat"]] = 38.9123, -77.2123
    frame.to_parquet(tmp_path / "in.parquet", index=False)
    report = screen(tmp_path / "in.parquet", tmp_path / "out.parquet", OFFICES, FIFTY)
    assert (report.rows, report.not_placed) == (270_000, 1)
    row = pd.read_parquet(tmp_path / "out.parquet").loc[269_000]
    assert row["note"].startswith(
        "lat=-77.2123, lon=38.9123 is not in the United States, but would"
    )
    assert pd.isna(row["verdict"])


def test_offices_that_are_closed_by_a_day_do_not_count_on_it(tmp_path: Path) -> None:
    offices = tmp_path / "offices.csv"
    offices.write_text(
        "office_id,name,lat,lon,opened_on,closed_on\n"
        "a,A,40,-77,2020-01-01,2025-06-30\nb,B,41,-77,2020-01-01,\nc,C,40,-77,2030-01-01,\n"
    )
    (tmp_path / "in.csv").write_text("lat,lon\n40,-77\n")
    for day, nearest in ((None, "a"), ("2025-06-01", "a"), ("2026-01-01", "b")):
        screen(tmp_path / "in.csv", tmp_path / "out.csv", offices, FIFTY, on=day)
        assert pd.read_csv(tmp_path / "out.csv")["nearest_office_id"].tolist() == [nearest]


def test_an_empty_table_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("lat,lon\n")
    report = screen(tmp_path / "in.csv", tmp_path / "out.csv", OFFICES, FIFTY)
    assert report.rows == report.written == 0
    assert list(pd.read_csv(tmp_path / "out.csv").columns) == ["lat", "lon", *ADDED]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("a,b\n1,2\n", ColumnError, "'a', 'b'"),
        ("id,lon\n1,40\n", ColumnError, "no column 'lat'"),
        ("id,lat,lon\n1,40,-77,9\n", FileFormatError, "line 2"),
        ("", FileFormatError, "empty"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, text: str, error: type[Exception], told: str
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(text)
    with pytest.raises(error) as caught:
        screen(source, target, OFFICES, FIFTY)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


@pytest.mark.parametrize(
    ("header", "cells", "note"),
    [
        ("lat,lon", "95,10", "lat=95, lon=10 is off the globe"),
        ("lat,lon,country", "-77.2,38.9,US", "not used. Swap lat and lon"),
        ("lat,lon", "x,3", "lat 'x' cannot be read"),
        ("lat,lon", "-77.2,38.9", "(were they swapped?)"),
        ("lat,lon,state", "38.9,77.2,VA", "not used. Put a minus sign before lon"),
        ("lat,lon", "42355400,-71060200", "is off the globe"),
        ("lat,lon", "41.9,-9.99999", "lon '-9.99999' is cut off at the width of a field"),
        (
            "lat,lon",
            "#N/A,#N/A",
            "lat '#N/A' cannot be read; lon '#N/A' cannot be read; the address",
        ),
        ("lat,lon", "#REF!,#REF!", "lat '#REF!' cannot be read; lon '#REF!' cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_one_row_not_placed(
    tmp_path: Path, header: str, cells: str, note: str
) -> None:
    commas = "," * (header.count(",") - 1)
    (tmp_path / "in.csv").write_text(f"id,{header}\n1,{cells}\n2,41.9001,-87.6001{commas}\n")
    report = screen(tmp_path / "in.csv", tmp_path / "out.csv", OFFICES, FIFTY)
    assert (report.rows, report.placed, report.not_placed) == (2, 1, 1)
    rows = pd.read_csv(tmp_path / "out.csv")
    assert note in rows["note"][0]
    assert rows["distance_mi"].notna().tolist() == [False, True]


def test_a_bad_point_with_an_address_is_placed_by_the_address(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("lat,lon,city,state,zip\nx,3,Chicago,IL,60601\n")
    report = screen(tmp_path / "in.csv", tmp_path / "out.csv", OFFICES, FIFTY)
    assert report.placed == 1
    assert pd.read_csv(tmp_path / "out.csv")["note"][0].startswith("lat 'x' cannot be read")


def test_coordinates_of_two_decimals_are_as_uncertain_as_their_rounding(tmp_path: Path) -> None:
    texts = ("42.36,-71.06", "42.4,-71.1", "42,-71", "42.361,-71.06", "42.3554,-71.0602")
    (tmp_path / "in.csv").write_text("\n".join(f'"{t}"' for t in ("latlon", *texts)) + "\n")
    screen(tmp_path / "in.csv", tmp_path / "out.csv", OFFICES, FIFTY)
    miles = pd.read_csv(tmp_path / "out.csv")["uncertainty_mi"].tolist()
    assert miles == pytest.approx([0.43, 4.3, 43.1, 0, 0], rel=0.01)


def test_an_office_without_coordinates_is_named(tmp_path: Path) -> None:
    offices = tmp_path / "offices.csv"
    offices.write_text("office_id,name,lat,lon\nx,X,40,-77\ny,Y,,\n")
    (tmp_path / "in.csv").write_text("lat,lon\n40,-77\n")
    with pytest.raises(InputError, match="'y'"):
        screen(tmp_path / "in.csv", tmp_path / "out.csv", offices, FIFTY)


def test_an_office_with_swapped_coordinates_is_refused_and_named(tmp_path: Path) -> None:
    offices = tmp_path / "offices.csv"
    offices.write_text("office_id,name,city,state,lat,lon\nchi,Chicago,Chicago,IL,-87.6,41.9\n")
    (tmp_path / "in.csv").write_text("lat,lon\n41.9,-87.6\n")
    with pytest.raises(InputError, match=r"line 2.*[Ss]wap"):
        screen(tmp_path / "in.csv", tmp_path / "out.csv", offices, FIFTY)
