"""What each provider's words for a match mean in ours: with care, and no finer than asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from geopy.geocoders import get_geocoder_for_service
from hypothesis import given
from hypothesis import strategies as st

from territory.geocoding.online import FAILURES
from territory.geocoding.online.results import READERS, UNREADABLE, Match, read
from territory.schemas import PRECISIONS
from territory.units_of_length import METRES_PER_MILE
from tests.fixtures.geocoder_server import nominatim, photon

LINE = "1 Elm St, Boise, ID 83702, United States"
LON, LAT = -116.2, 43.6
TEN_MILES = 10 * METRES_PER_MILE


def parsed(provider: str, document: Any) -> Any:
    """What geopy itself makes of a provider's whole answer: its first result."""
    kind = get_geocoder_for_service("herev7" if provider == "here" else provider)
    bare = kind.__new__(kind)
    read_all = bare._parse_geocode if provider == "arcgis" else bare._parse_json
    return read_all(document, exactly_one=True)


def arcgis(kind: str, score: float = 100, number: str = "1", **other: str) -> Any:
    edges = {"xmin": LON - 0.001, "ymin": LAT - 0.001, "xmax": LON + 0.001, "ymax": LAT + 0.001}
    told = {"Addr_type": kind, "AddNum": number, **other}
    found = {"address": "x", "location": {"x": LON, "y": LAT}, "score": score}
    return {"candidates": [found | {"attributes": told, "extent": edges}]}


def google(point: str, types: list[str], number: str = "1", **other: object) -> Any:
    where = {
        "location": {"lat": LAT, "lng": LON},
        "location_type": point,
        "viewport": {
            "northeast": {"lat": LAT + 0.001, "lng": LON + 0.001},
            "southwest": {"lat": LAT - 0.001, "lng": LON - 0.001},
        },
    }
    part = {"long_name": number, "types": ["street_number"]}
    place = {"formatted_address": "x", "geometry": where, "types": types}
    return {"status": "OK", "results": [place | {"address_components": [part]} | other]}


def bing(entity: str, method: str = "Rooftop", confidence: str = "High") -> Any:
    found = {
        "address": {},
        "point": {"coordinates": [LAT, LON]},
        "entityType": entity,
        "confidence": confidence,
        "geocodePoints": [{"calculationMethod": method}],
        "bbox": [LAT - 0.001, LON - 0.001, LAT + 0.001, LON + 0.001],
    }
    return {"statusCode": 200, "resourceSets": [{"resources": [found]}]}


def azure(kind: str, entity: str | None = None, number: str = "1") -> Any:
    found = {
        "type": kind,
        "entityType": entity,
        "position": {"lat": LAT, "lon": LON},
        "address": {"freeformAddress": "x", "streetNumber": number},
        "matchConfidence": {"score": 0.9},
        "viewport": {
            "topLeftPoint": {"lat": LAT + 0.001, "lon": LON - 0.001},
            "btmRightPoint": {"lat": LAT - 0.001, "lon": LON + 0.001},
        },
    }
    return {"results": [found]}


def here(kind: str, number: str = "1", **other: object) -> Any:
    found = {
        "title": "x",
        "resultType": kind,
        "position": {"lat": LAT, "lng": LON},
        "address": {"houseNumber": number},
        "scoring": {"queryScore": 0.97},
        "mapView": {
            "west": LON - 0.001, "south": LAT - 0.001, "east": LON + 0.001, "north": LAT + 0.001,
        },
    }  # fmt: skip
    return {"items": [found | other]}


def pelias(layer: str, **other: object) -> Any:
    told = {"layer": layer, "name": "x", "confidence": 0.8, **other}
    point = {"type": "Point", "coordinates": [LON, LAT]}
    return {"features": [{"geometry": point, "properties": told}]}


def geocodio(kind: str) -> Any:
    found = {
        "formatted_address": "x",
        "location": {"lat": LAT, "lng": LON},
        "accuracy": 0.9,
        "accuracy_type": kind,
        "address_components": {"number": "1"},
    }
    return {"results": [found]}


def osm(**other: object) -> Any:
    return [nominatim(LON, LAT, **other)]


def kom(**other: object) -> Any:
    return {"features": [photon(LON, LAT, **other)]}


ROAD = {"class": "highway", "type": "primary", "place_rank": 26}
BUILT = {"class": "building", "type": "yes"}
NUMBERED = {"address": {"house_number": "1"}}
HOUSE = {"housenumber": "1"}
POINT, CENTRE = "ROOFTOP", "GEOMETRIC_CENTER"
MEANINGS = [
    ("nominatim", osm(**NUMBERED), "rooftop", None),
    ("nominatim", osm(osm_type="way", **NUMBERED), "street", None),  # reckoned along a line
    ("nominatim", osm(osm_type="way", **BUILT, **NUMBERED), "rooftop", None),
    ("nominatim", osm(address={"house_number": "99"}), "street", None),
    ("nominatim", osm(**ROAD), "street", None),
    ("nominatim", osm(**{"class": "amenity", "type": "bank"}), "street", None),
    ("nominatim", osm(type="postcode", place_rank=21), "postal", None),
    ("nominatim", osm(type="city", place_rank=16), "place", None),
    ("nominatim", osm(type="county", place_rank=12), "region", None),
    ("photon", kom(**HOUSE), "rooftop", None),
    ("photon", kom(osm_key="place", osm_value="house", **HOUSE), "street", None),
    ("photon", kom(housenumber="99"), "street", None),
    ("photon", kom(), "street", None),
    ("photon", kom(type="street"), "street", None),
    ("photon", kom(osm_key="place", osm_value="postcode", type="other"), "postal", None),
    ("photon", kom(type="city"), "place", None),
    ("photon", kom(type="state"), "region", None),
    ("arcgis", arcgis("PointAddress", 98.5), "rooftop", 0.985),
    ("arcgis", arcgis("PointAddress", number="99"), "street", 1.0),
    ("arcgis", arcgis("StreetAddress"), "street", 1.0),
    ("arcgis", arcgis("StreetName"), "street", 1.0),
    ("arcgis", arcgis("Postal"), "postal", 1.0),
    ("arcgis", arcgis("Locality", Type="City"), "place", 1.0),
    ("arcgis", arcgis("Locality", Type="State or Province"), "region", 1.0),
    ("arcgis", arcgis("LatLong"), "region", 1.0),
    ("googlev3", google(POINT, ["street_address"]), "rooftop", None),
    ("googlev3", google("RANGE_INTERPOLATED", ["street_address"]), "street", None),
    ("googlev3", google(POINT, ["street_address"], number="99"), "street", None),
    ("googlev3", google(POINT, ["street_address"], partial_match=True), "place", None),
    ("googlev3", google(CENTRE, ["route"]), "street", None),
    ("googlev3", google(CENTRE, ["establishment", "point_of_interest"]), "street", None),
    ("googlev3", google("APPROXIMATE", ["postal_code"]), "postal", None),
    ("googlev3", google("APPROXIMATE", ["locality", "political"]), "place", None),
    ("googlev3", google("APPROXIMATE", ["country", "political"]), "region", None),
    ("bing", bing("Address"), "rooftop", 1.0),
    ("bing", bing("Address", "Interpolation", "Medium"), "street", 0.5),
    ("bing", bing("RoadBlock", confidence="Low"), "street", 0.0),
    ("bing", bing("Postcode1"), "postal", 1.0),
    ("bing", bing("PopulatedPlace"), "place", 1.0),
    ("bing", bing("AdminDivision1"), "region", 1.0),
    ("azure", azure("Point Address"), "rooftop", 0.9),
    ("azure", azure("Address Range"), "street", 0.9),
    ("azure", azure("Point Address", number="99"), "street", 0.9),
    ("azure", azure("Street"), "street", 0.9),
    ("azure", azure("Geography", "PostalCodeArea"), "postal", 0.9),
    ("azure", azure("Geography", "Municipality"), "place", 0.9),
    ("tomtom", azure("Geography", "CountrySubdivision"), "region", 0.9),
    ("here", here("houseNumber", houseNumberType="PA"), "rooftop", 0.97),
    ("herev7", here("houseNumber", houseNumberType="interpolated"), "street", 0.97),
    ("here", here("houseNumber", houseNumberType="PA", houseNumberFallback=True), "street", 0.97),
    ("here", here("houseNumber", number="99", houseNumberType="PA"), "street", 0.97),
    ("here", here("street"), "street", 0.97),
    ("here", here("locality", localityType="postalCode"), "postal", 0.97),
    ("here", here("locality", localityType="city"), "place", 0.97),
    ("here", here("administrativeArea"), "region", 0.97),
    ("here", here("somethingNew"), "region", 0.97),
    ("pelias", pelias("address", accuracy="point", housenumber="1"), "rooftop", 0.8),
    ("pelias", pelias("address", accuracy="point", match_type="interpolated"), "street", 0.8),
    ("geocodeearth", pelias("postalcode"), "postal", 0.8),
    ("pelias", pelias("locality"), "place", 0.8),
    ("pelias", pelias("region"), "region", 0.8),
    ("geocodio", geocodio("rooftop"), "rooftop", 0.9),
    ("geocodio", geocodio("nearest_rooftop_match"), "street", 0.9),
    ("geocodio", geocodio("street_center"), "street", 0.9),
    ("geocodio", geocodio("place"), "place", 0.9),
    ("geocodio", geocodio("state"), "region", 0.9),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "document", "precision", "score"),
    MEANINGS,
    ids=[f"{one[0]}-{number}" for number, one in enumerate(MEANINGS)],
)
def test_every_kind_of_result_has_its_precision_and_score(
    provider: str, document: Any, precision: str, score: float | None
) -> None:
    met = read(provider, parsed(provider, document), LINE, has_street=True)
    assert (met.lon, met.lat) == (LON, LAT)
    assert met.precision == precision
    assert met.match_score == (None if score is None else pytest.approx(score))
    without = read(provider, parsed(provider, document), LINE, has_street=False)
    assert without.precision == ("place" if precision in ("rooftop", "street") else precision)


def test_every_provider_with_a_table_is_tested() -> None:
    tested = {one[0] for one in MEANINGS} | {"google", "pickpoint", "openmapquest"}  # same reader
    assert tested == set(READERS)


def test_the_guide_names_every_provider_with_a_table_and_every_failure() -> None:
    guide = (Path(__file__).parents[4] / "docs" / "geocoding.md").read_text()
    assert [name for name in READERS if f"`{name}`" not in guide] == []
    assert [words for words in FAILURES.values() if f"| {words} |" not in guide] == []


def where(**raw: object) -> SimpleNamespace:
    return SimpleNamespace(longitude=LON, latitude=LAT, address="x", raw=raw)


def met(raw: dict[str, Any]) -> Match:
    return read("nominatim", where(**raw), LINE, has_street=True)


def test_the_uncertainty_reaches_to_the_farthest_corner_of_the_extent() -> None:
    short, long = [43.599, 43.601, -116.201, -116.199], [43.55, 43.62, -116.3, -116.19]
    assert met(nominatim(LON, LAT, **ROAD, boundingbox=short)).uncertainty_m == 1_000
    assert met(nominatim(LON, LAT, **ROAD, boundingbox=long)).uncertainty_m == pytest.approx(
        9_810, abs=50
    )
    assert met(nominatim(LON, LAT, **ROAD, boundingbox=None)).uncertainty_m == 5_000


def test_a_town_is_never_surer_than_ten_miles_and_a_house_than_a_hundred_metres() -> None:
    town = met(nominatim(LON, LAT, type="village", place_rank=19))
    house = met(nominatim(LON, LAT, **NUMBERED))
    assert (town.uncertainty_m, house.uncertainty_m) == (TEN_MILES, 100)


@pytest.mark.parametrize("edges", [["x", "1", "2", "3"], ["1", "2"], ["nan", "1", "2", "3"]])
def test_an_extent_that_is_none_gives_no_better_answer(edges: list[str]) -> None:
    raw = nominatim(LON, LAT, type="city", place_rank=16, boundingbox=edges)
    try:
        found = met(raw)
    except (ValueError, IndexError):
        return  # the answer counts as unreadable
    assert found.uncertainty_m == TEN_MILES


def test_a_provider_without_a_table_gives_towns_whatever_it_says() -> None:
    found = read("opencage", where(confidence=10), LINE, has_street=True)
    assert (found.precision, found.uncertainty_m, found.match_score) == ("place", TEN_MILES, None)


@pytest.mark.parametrize(("lon", "lat"), [(0, 0), (181, 0), (0, 91), (float("nan"), 1), (1, None)])
def test_a_point_that_is_none_is_refused(lon: Any, lat: Any) -> None:
    place = SimpleNamespace(longitude=lon, latitude=lat, address="x", raw={})
    with pytest.raises((ValueError, TypeError)):
        read("opencage", place, LINE, has_street=True)


def test_an_address_that_no_database_takes_is_made_fit() -> None:
    place = where()
    place.address = "1 Elm\x00 St\ud800\n" + "x" * 1_000
    found = read("opencage", place, LINE, has_street=True)
    assert found.address.startswith("1 Elm Stx")
    assert len(found.address) == 300


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["properties", "type", "class", "boundingbox", "extent", "geometry", "attributes",
                 "score", "place_rank", "address", "viewport", "matchConfidence", "scoring",
                 "geocodePoints", "bbox", "entityType", "housenumber", "house_number", "bounds"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(provider=st.sampled_from(sorted(READERS)), raw=junk)
def test_junk_is_refused_or_read_within_the_rules(provider: str, raw: Any) -> None:
    place = SimpleNamespace(longitude=LON, latitude=LAT, address="x", raw=raw)
    try:
        found = read(provider, place, LINE, has_street=True)
    except UNREADABLE:
        return
    assert found.precision in PRECISIONS
    assert found.uncertainty_m >= 100
    assert found.match_score is None or 0 <= found.match_score <= 1
