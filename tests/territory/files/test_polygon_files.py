"""Polygon files come in as markets, and what is wrong with them is told by feature."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import reference
from territory.errors import FileFormatError, InputError
from territory.files import holds_outlines, read_polygon_table, read_polygons, read_table
from territory.files.outline_checks import misplaced
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
        ({"name": "a b"}, west),
        ({"name": "A-B"}, west),
        ({"name": " "}, west),
        ({"name": "d"}, None),
        ({"name": "e"}, {"type": "Point", "coordinates": [0, 0]}),
    )
    with pytest.raises(InputError) as caught:
        read_polygons(path)
    told = str(caught.value)
    assert "feature 2 (A-B) has the id 'a-b' of feature 1 (a b)" in told
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


def test_features_of_one_name_are_one_market(tmp_path: Path) -> None:
    table = features(WEST, EAST, shapely.box(0, 0, 1, 1), Territory=["Lakes", "Lakes", "Sea"])
    table.to_file(tmp_path / "m.geojson")
    read = read_polygon_table(tmp_path / "m.geojson")
    assert read.markets["market_id"].tolist() == ["lakes", "sea"]
    assert read.lines.tolist() == [1, 3]
    assert read.markets.geometry[0].equals(shapely.box(-88, 41, -86, 42))
    assert read.remarks == ("3 polygons make 2 markets.",)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1001, 1002], ["1001", "1002"]),
        (["17", "x"], ["17", "x"]),
        ([17, "x"], ["17", "x"]),
        ([0, "x"], ["0", "x"]),
        ([7, None], ["7", "east"]),
        ([2**70, 17.0], [str(2**70), "17"]),
        ([-1, -2], ["-1", "-2"]),
        ([0, 1], ["west", "east"]),  # they only count the features
        ([None, None], ["west", "east"]),
    ],
)
def test_the_ids_of_geojson_features_are_kept(
    tmp_path: Path, ids: list[Any], expected: list[str]
) -> None:
    told = [
        {"type": "Feature", "properties": {"name": name}, "geometry": shapely.geometry.mapping(box)}
        | ({} if one is None else {"id": one})
        for name, box, one in zip(["West", "East"], [WEST, EAST], ids, strict=True)
    ]
    path = tmp_path / "m.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": told}))
    assert read_polygons(path)["market_id"].tolist() == expected
    points = read_table(path).frame
    given = points["id"].dropna().tolist() if "id" in points else []
    names = [name for name in expected if name not in ("west", "east")]
    assert given == names


def test_a_property_id_goes_before_the_id_of_the_feature(tmp_path: Path) -> None:
    path = as_geojson(tmp_path / "m.geojson", ({"name": "a", "id": "P7"}, EAST.__geo_interface__))
    path.write_text(
        path.read_text().replace('"type": "Feature",', '"type": "Feature", "id": 9,', 1)
    )
    assert read_polygons(path)["market_id"].tolist() == ["P7"]
    assert read_table(path).frame["id"].tolist() == ["P7"]


KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark id="4"><name>A</name>{data}<MultiGeometry>{east}<Point><coordinates>-86,41</coordinates>
</Point></MultiGeometry></Placemark>
<Folder><name>one</name><Folder><name>two</name><Placemark id="8"><name>B</name>{west}</Placemark>
<Placemark><name>Road</name><LineString><coordinates>0,0 1,1</coordinates></LineString></Placemark>
</Folder></Folder></Document></kml>"""


def kml(box: shapely.Polygon) -> str:
    ring = " ".join(f"{x},{y},0" for x, y in box.exterior.coords)
    return (
        f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing>"
        "</outerBoundaryIs></Polygon>"
    )


def test_kml_gives_the_polygons_of_all_folders_and_says_what_it_left_out(tmp_path: Path) -> None:
    data = '<ExtendedData><Data name="id"><value>X1</value></Data></ExtendedData>'
    path = tmp_path / "m.kml"
    path.write_text(KML.format(data=data, east=kml(EAST), west=kml(WEST)))
    with zipfile.ZipFile(tmp_path / "m.kmz", "w") as archive:
        archive.write(path, "doc.kml")
        archive.writestr("images/icon-1.png", b"x")
    for name in ("m.kml", "m.kmz"):
        table = read_polygon_table(tmp_path / name)
        assert table.markets["market_id"].tolist() == ["X1", "b"]
        assert table.markets["name"].tolist() == ["A", "B"]
        assert table.markets.geometry[0].equals(EAST)
        assert table.remarks == (
            "Left out of the folder 'two': 1 linestring (Road). Only polygons are markets.",
        )
    path.write_text(KML.format(data="", east=kml(EAST), west=kml(WEST)))
    assert read_polygons(path)["market_id"].tolist() == ["a", "b"]  # 4 and 8 are numbers only


def test_a_link_to_a_map_and_an_archive_without_one_are_refused(tmp_path: Path) -> None:
    link = "<kml><Document><NetworkLink><Link><href>x</href></Link></NetworkLink></Document></kml>"
    (tmp_path / "m.kml").write_text(link)
    with pytest.raises(FileFormatError, match="only links to a map that is online"):
        read_polygons(tmp_path / "m.kml")
    with zipfile.ZipFile(tmp_path / "m.kmz", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(FileFormatError, match="no KML file in it"):
        read_polygons(tmp_path / "m.kmz")


def square(lon: float, lat: float, half: float = 0.2) -> shapely.Polygon:
    return shapely.box(lon - half, lat - half, lon + half, lat + half)


@pytest.mark.parametrize(
    ("lon", "lat", "words"),
    [
        (41.9, -87.7, "lies in Antarctica; with lat and lon swapped it is Cook County, IL"),
        (39.74, -104.99, "off the globe; with lat and lon swapped it is"),
        (87.7, 41.9, "with a minus sign before lon it is Cook County, IL"),
        (41.9, 87.7, "with lat and lon swapped and a minus sign before lon it is Cook County"),
        (43.7, -79.4, "lies in Antarctica; with lat and lon swapped it is Toronto, CA"),
        (52.5, 13.4, "with lat and lon swapped it is Berlin, DE"),
        (0, -80, "lies in Antarctica"),
    ],
)
def test_an_area_where_nobody_can_have_meant_it_is_refused_with_the_place_meant(
    tmp_path: Path, lon: float, lat: float, words: str
) -> None:
    path = as_geojson(tmp_path / "m.geojson", ({"name": "m"}, square(lon, lat).__geo_interface__))
    (refused,) = read_polygon_table(path).refused["reason"]
    assert words in refused


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(-87.7, 41.9), (-104.99, 39.74), (-79.4, 43.7), (13.4, 52.5), (116.4, 39.9), (174.8, -36.8),
     (-149.9, 61.2), (-155.5, 19.6), (144.8, 13.5), (-66.1, 18.4), (-110, 48.9), (-70, 44)],
)  # fmt: skip
def test_areas_in_their_place_are_taken_as_they_are(tmp_path: Path, lon: float, lat: float) -> None:
    path = as_geojson(tmp_path / "m.geojson", ({"name": "m"}, square(lon, lat).__geo_interface__))
    assert len(read_polygons(path)) == 1


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(reference.load().counties) - 1))
def test_no_county_is_doubted_and_every_county_turned_round_is(at: int) -> None:
    outline = reference.load().counties.geometry.iloc[at]
    swapped = shapely.transform(outline, lambda xy: xy[:, ::-1])
    assert misplaced(np.array([outline], dtype=object)) == [None]
    if reference.load().counties["state_code"].iloc[at] not in ("AS", "GU", "MP"):
        (fault,) = misplaced(np.array([swapped], dtype=object))
        assert fault is not None
        assert "with lat and lon swapped it is" in fault.reason


def test_geoparquet_gives_the_same_markets(tmp_path: Path) -> None:
    table = features(WEST, EAST, Territory=["Lake West", "Lake East"], id=[7, 8])
    table.to_crs(3857).to_parquet(tmp_path / "m.parquet")
    markets = read_polygons(tmp_path / "m.parquet")
    assert markets["market_id"].tolist() == ["7", "8"]
    np.testing.assert_allclose(markets.total_bounds, (-88, 41, -86, 42), atol=1e-9)
    assert holds_outlines(tmp_path / "m.parquet")
    table.drop(columns="geometry").to_parquet(tmp_path / "t.parquet")
    assert not holds_outlines(tmp_path / "t.parquet")
    with pytest.raises(FileFormatError, match="no column of outlines"):
        read_polygons(tmp_path / "t.parquet")
