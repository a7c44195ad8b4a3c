"""Screening a file: every row comes back with the verdict that brute force gives."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from territory import tables
from territory.errors import ColumnError, CoordinateError, FileFormatError, InputError
from territory.lengths import METRES_PER_MILE
from territory.screening import ADDED, ADDED_TO_PAIRS, screen

ROOT = Path(__file__).resolve().parents[1]
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
    tables.write_table(frame, source)
    report = screen(source, target, OFFICES, FIFTY)
    office, metres = brute_force(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    answered = tables.read_table(target).frame
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
    assert "add the state" in rows["screen_note"][1]
    assert rows["uncertainty_mi"][0] >= 1


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
    assert (report.rows, report.pairs) == (3, 3)


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("a,b\n1,2\n", ColumnError, "'a', 'b'"),
        ("id,lat,lon\n1,95,10\n", CoordinateError, "row 1: lat=95"),
        ("id,lat,lon,country\n1,-77.2,38.9,US\n", CoordinateError, "Swap"),
        ("id,lat,lon,verdict\n1,40,-77,x\n", ColumnError, "'verdict'"),
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


def test_an_office_without_coordinates_is_named(tmp_path: Path) -> None:
    offices = tmp_path / "offices.csv"
    offices.write_text("office_id,name,lat,lon\nx,X,40,-77\ny,Y,,\n")
    (tmp_path / "in.csv").write_text("lat,lon\n40,-77\n")
    with pytest.raises(InputError, match="'y'"):
        screen(tmp_path / "in.csv", tmp_path / "out.csv", offices, FIFTY)
