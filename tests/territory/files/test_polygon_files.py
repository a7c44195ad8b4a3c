"""Polygon files come in as markets, and what is wrong with them is told by feature."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from territory.errors import FileFormatError, InputError
from territory.files import read_polygons
from territory.markets.areas import locate
from territory.schemas import MARKETS, check

if TYPE_CHECKING:
    from pathlib import Path

EAST, WEST = shapely.box(-87, 41, -86, 42), shapely.box(-88, 41, -87, 42)


def features(*shapes: Any, **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def as_geojson(path: Path, *pairs: tuple[dict[str, Any], Any]) -> Path:
    told = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for properties, geometry in pairs
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": told}))
    return path


@pytest.mark.parametrize("suffix", [".geojson", ".json", ".gpkg", ".shp"])
def test_every_format_gives_the_same_markets(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"markets{suffix}"
    driver = "GeoJSON" if suffix == ".json" else None
    features(WEST, EAST, name=["Lake West", "Lake East"]).to_file(path, driver=driver)
    markets = read_polygons(path)
    assert list(markets.columns) == [*MARKETS.columns, "geometry"]
    assert markets["market_id"].tolist() == ["lake-west", "lake-east"]
    assert markets["name"].tolist() == ["Lake West", "Lake East"]
    assert markets["kind"].tolist() == ["polygon"] * 2
    assert markets["units"].tolist() == [None, None]
    assert markets.crs == "EPSG:4326"
    assert shapely.equals(markets.geometry.to_numpy(), [WEST, EAST]).all()
    check(markets.drop(columns="geometry"), MARKETS, "markets")


def test_a_zipped_shapefile_in_state_plane_feet_is_brought_to_degrees(tmp_path: Path) -> None:
    features(WEST, EAST, MARKET=["a", "b"], CODE=["01", "02"]).to_crs(3435).to_file(
        tmp_path / "plane.shp"
    )
    with zipfile.ZipFile(tmp_path / "plane.zip", "w") as archive:
        for part in tmp_path.glob("plane.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    markets = read_polygons(tmp_path / "plane.zip")
    assert markets["market_id"].tolist() == ["01", "02"]
    assert markets["name"].tolist() == ["a", "b"]
    np.testing.assert_allclose(markets.total_bounds, (-88, 41, -86, 42), atol=1e-6)


def test_a_ring_that_crosses_itself_is_mended(tmp_path: Path) -> None:
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    features(bow_tie, name=["bow"]).to_file(tmp_path / "bow.gpkg")
    markets = read_polygons(tmp_path / "bow.gpkg")
    assert markets.geometry.is_valid.all()
    assert locate([0.25, 1.75, 1], [1, 1, 0.25], markets).tolist() == ["bow", "bow", None]


def test_what_reaches_beyond_the_antimeridian_comes_back_on_the_other_side(tmp_path: Path) -> None:
    features(shapely.box(175, -20, 185, -15), name=["Fiji"]).to_file(tmp_path / "fiji.gpkg")
    markets = read_polygons(tmp_path / "fiji.gpkg")
    found = locate([177, 180, -180, -176, -174, 174], [-17] * 6, markets)
    assert found.tolist() == ["fiji"] * 4 + [None] * 2


def test_columns_can_be_named(tmp_path: Path) -> None:
    features(WEST, EAST, name=["x", "y"], region=["W", "E"], key=[7, 8]).to_file(
        tmp_path / "m.gpkg"
    )
    markets = read_polygons(tmp_path / "m.gpkg", name_column="region", id_column="key")
    assert markets[["market_id", "name"]].to_numpy().tolist() == [["7", "W"], ["8", "E"]]
    with pytest.raises(FileFormatError, match="No column 'area'; the file has 'name'"):
        read_polygons(tmp_path / "m.gpkg", name_column="area")


def test_a_shapefile_without_coordinate_system_is_refused(tmp_path: Path) -> None:
    features(WEST, name=["a"]).to_file(tmp_path / "bare.shp")
    (tmp_path / "bare.prj").unlink()
    with pytest.raises(FileFormatError, match=r"bare.shp: says no coordinate system.*\.prj"):
        read_polygons(tmp_path / "bare.shp")


def test_a_file_without_names_is_refused_with_its_columns(tmp_path: Path) -> None:
    features(WEST, zone=[1], size=[2]).to_file(tmp_path / "m.gpkg")
    with pytest.raises(FileFormatError, match=r"names; the file has 'zone', 'size'. Rename one"):
        read_polygons(tmp_path / "m.gpkg")


def test_all_bad_features_are_named_at_once(tmp_path: Path) -> None:
    west = shapely.geometry.mapping(WEST)
    path = as_geojson(
        tmp_path / "bad.geojson",
        ({"name": "a"}, west),
        ({"name": "a"}, west),
        ({"name": " "}, west),
        ({"name": "d"}, None),
        ({"name": "e"}, {"type": "Point", "coordinates": [0, 0]}),
    )
    with pytest.raises(InputError) as caught:
        read_polygons(path)
    told = str(caught.value)
    assert "feature 2 (a) has the id 'a' of a feature before it" in told
    assert "feature 3 has no name or no id" in told
    assert "feature 4 (d) is nothing, not a polygon" in told
    assert "feature 5 (e) is Point, not a polygon" in told


def test_ground_that_is_none_or_goes_round_the_globe_is_refused(tmp_path: Path) -> None:
    flat = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}
    round_ = shapely.geometry.mapping(shapely.box(-179, 0, 179, 5))
    metres = shapely.geometry.mapping(shapely.box(400_000, 4_000_000, 500_000, 4_100_000))
    path = as_geojson(
        tmp_path / "odd.geojson",
        ({"name": "flat"}, flat),
        ({"name": "round"}, round_),
        ({"name": "metres"}, metres),
    )
    with pytest.raises(InputError) as caught:
        read_polygons(path)
    told = str(caught.value)
    assert "feature 1 (flat) has an outline that holds no ground" in told
    assert "feature 2 (round) has one part across more than half the globe" in told
    assert "feature 3 (metres) lies off the globe, lon 400000 to 500000" in told


def test_files_of_other_kinds_and_broken_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text("x")
    with pytest.raises(FileFormatError, match=r"m\.txt: polygons are read from \.geojson"):
        read_polygons(tmp_path / "m.txt")
    (tmp_path / "m.gpkg").write_bytes(b"not a database")
    with pytest.raises(FileFormatError, match=r"m\.gpkg: not readable as gpkg"):
        read_polygons(tmp_path / "m.gpkg")
    with pytest.raises(FileFormatError, match=r"none\.geojson: there is no such file"):
        read_polygons(tmp_path / "none.geojson")


def test_a_geopackage_of_several_layers_is_refused_with_their_names(tmp_path: Path) -> None:
    for layer in ("old", "new"):
        features(WEST, name=["a"]).to_file(tmp_path / "two.gpkg", layer=layer)
    with pytest.raises(FileFormatError, match="has 2 layers with geometry: old, new"):
        read_polygons(tmp_path / "two.gpkg")
