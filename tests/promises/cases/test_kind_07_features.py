"""Kind 7: the ids of features of map files are kept, and numbers within a file are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.promises.cases.conftest import Desk


@pytest.mark.case("d1")
def test_a_second_kml_file_overwrites_nothing(desk: Desk) -> None:
    assert desk.read("prospects", "d1_one.kml")["new"] == 2
    report = desk.read("prospects", "d1_two.kml")
    assert (report["new"], report["updated"]) == (2, 0)
    assert len(set(desk.table("prospects")["name"])) == 4


@pytest.mark.case("d1")
def test_the_order_of_a_kml_file_says_nothing(desk: Desk) -> None:
    assert desk.read("prospects", "d1_mon.kml")["new"] == 3
    before = desk.table("prospects")["name"].to_dict()
    report = desk.read("prospects", "d1_tue.kml")
    assert (report["new"], report["refused"]) == (0, 0)
    assert desk.table("prospects")["name"].to_dict() == before


def pins(*places: tuple[str, float, float]) -> str:
    marks = "".join(
        f'<Placemark id="{at}"><name>{name}</name><Point><coordinates>{lon},{lat}</coordinates>'
        "</Point></Placemark>"
        for at, (name, lon, lat) in enumerate(places)
    )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'


def test_pins_of_one_name_and_no_address_are_told_apart_by_where_they_are(desk: Desk) -> None:
    here, there = ("Depot", -87.63, 41.88), ("Depot", -104.99, 39.74)
    report = desk.read("prospects", desk.write("a.kml", pins(here, there)))
    assert (report["new"], report["duplicate"]) == (2, 0)
    report = desk.read("prospects", desk.write("b.kml", pins(there, ("Depot", -71.06, 42.36))))
    assert (report["new"], report["unchanged"]) == (1, 1)


@pytest.mark.case("d_int", "d_str")
@pytest.mark.parametrize("name", ["d_int.geojson", "d_str.geojson"])
def test_ids_of_features_are_the_identity_of_rows(desk: Desk, name: str) -> None:
    assert desk.read("prospects", name)["new"] == 2
    assert desk.table("prospects").index.tolist() == ["1001", "1002"]
    report = desk.read("prospects", "d_int2.geojson")
    assert (report["new"], report["updated"]) == (0, 2)


@pytest.mark.case("d_mint", "d_mstr")
def test_integers_and_texts_are_the_same_ids_of_markets(desk: Desk) -> None:
    assert desk.read("markets", "d_mint.geojson")["new"] == 2
    assert desk.table("markets").index.tolist() == ["17", "18"]
    assert desk.read("markets", "d_mstr.geojson")["unchanged"] == 2


def test_numbers_from_nought_are_no_ids(desk: Desk) -> None:
    feature = (
        '{{"type":"Feature","id":{},"properties":{{"name":"{}","zip":"60606"}},"geometry":null}}'
    )
    for names in (["A", "B"], ["C", "D"]):
        rows = ",".join(feature.format(at, name) for at, name in enumerate(names))
        text = f'{{"type":"FeatureCollection","features":[{rows}]}}'
        report = desk.read("prospects", desk.write("m.geojson", text))
        assert report["new"] == 2
        assert "only count them from 0" in " ".join(report["remarks"])
    assert set(desk.table("prospects")["name"]) == {"A", "B", "C", "D"}
