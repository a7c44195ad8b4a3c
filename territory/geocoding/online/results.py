"""What each online geocoder's result means in our words: precision, uncertainty, match score.

Every provider has words of its own for how well it met an address; the tables below give each a
``Level``. Whatever a provider says, a result is never finer than the question: one without a street
gives no street, and a house number that was not asked for gives the street only. A provider that is
in no table gives towns. docs/geocoding.md has it as a table.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.geodesy import inverse
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Raw = Mapping[str, Any]
    Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees


@dataclass(frozen=True)
class Level:
    """How well a kind of result knows a place, in metres.

    The uncertainty reaches as far as the result's own extent does, and never less than
    ``least_m``; it is ``alone_m`` where the provider gives no extent.
    """

    precision: str
    least_m: float
    alone_m: float


BUILDING = Level("rooftop", 100, 100)
NUMBER = Level("street", 500, 500)  # a house number reckoned between two known ones
STREET = Level("street", 1_000, 5_000)
POSTAL = Level("postal", METRES_PER_MILE, 10 * METRES_PER_MILE)
PLACE = Level("place", 10 * METRES_PER_MILE, 10 * METRES_PER_MILE)
REGION = Level("region", 50 * METRES_PER_MILE, 500 * METRES_PER_MILE)
# What reading a result of an unexpected shape raises.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError)
_FINEST_FIRST = (BUILDING, NUMBER, STREET, POSTAL, PLACE, REGION)


@dataclass(frozen=True)
class Reading:
    """What a result says of itself: its level, score (0 to 1), house number and extent."""

    level: Level
    score: float | None = None
    number: str | None = None
    bounds: Bounds | None = None


@dataclass(frozen=True)
class Match:
    """A place that a provider gave: WGS84 degrees, precision, uncertainty, score, address."""

    lon: float
    lat: float
    precision: str
    uncertainty_m: float
    match_score: float | None
    address: str


def read(provider: str, location: Any, line: str, *, has_street: bool) -> Match:
    """Read one result of geopy, conservatively.

    Parameters
    ----------
    provider
        geopy's name of the geocoder.
    location
        geopy's ``Location``.
    line
        What was asked.

    Raises
    ------
    ValueError
        If the point is off the globe, at 0, 0 or no number at all. Results of an unexpected shape
        raise one of ``UNREADABLE``.
    """
    lon, lat = float(location.longitude), float(location.latitude)
    if not (math.isfinite(lon) and abs(lon) <= 180 and abs(lat) <= 90) or (lon, lat) == (0, 0):
        raise ValueError(f"lon={lon}, lat={lat} is no place")
    reading = READERS.get(provider, _unknown)(location.raw)
    level = _no_finer(reading, line, has_street=has_street)
    reach = _reach(lon, lat, reading.bounds)
    return Match(
        lon,
        lat,
        level.precision,
        level.alone_m if reach is None else max(reach, level.least_m),
        reading.score,
        "".join(letter for letter in str(location.address) if letter.isprintable())[:300],
    )


def _no_finer(reading: Reading, line: str, *, has_street: bool) -> Level:
    """Make a level no finer than the question."""
    if not has_street and _is_finer(reading.level, POSTAL):
        return PLACE  # some building of that name in the town, not what was asked for
    is_other = reading.number and not _tokens(reading.number) <= _tokens(line)
    return STREET if is_other and _is_finer(reading.level, STREET) else reading.level


def _is_finer(level: Level, than: Level) -> bool:
    return _FINEST_FIRST.index(level) < _FINEST_FIRST.index(than)


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", str(text).casefold()))


def _reach(lon: float, lat: float, bounds: Bounds | None) -> float | None:
    """How far the farthest corner of an extent is, in metres; None where there is no extent."""
    if bounds is None or not all(math.isfinite(edge) for edge in bounds):
        return None
    west, south, east, north = bounds
    if not (max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90):
        return None
    corners_lon, corners_lat = [west, west, east, east], [south, north, south, north]
    return float(inverse([lon] * 4, [lat] * 4, corners_lon, corners_lat).max())


def _bounds(edges: Sequence[Any] | None) -> Bounds | None:
    """Read west, south, east, north as numbers."""
    if edges is None:
        return None
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north


def _box(raw: Raw | None, names: Sequence[str]) -> Bounds | None:
    """Read the four edges of an extent by their names: west, south, east, north."""
    return _bounds([raw[name] for name in names]) if raw else None


def _score(value: Any, best: float = 1.0) -> float | None:
    """Bring a score to 0 to 1; None where there is none."""
    score = math.nan if value is None else float(value) / best
    return None if math.isnan(score) else min(max(score, 0.0), 1.0)


def _unknown(_raw: Raw) -> Reading:
    return Reading(PLACE)


def _nominatim(raw: Raw) -> Reading:
    """Nominatim: importance is fame, not match, so there is no score."""
    kind = (raw.get("class") or raw.get("category"), raw.get("type"))
    address_type = raw.get("addresstype") or raw.get("type")
    number = (raw.get("address") or {}).get("house_number")
    rank = int(raw.get("place_rank") or 0)
    edges = raw.get("boundingbox")  # south, north, west, east
    bounds = _bounds([edges[2], edges[0], edges[3], edges[1]]) if edges else None
    if address_type == "postcode" or kind[1] in ("postcode", "postal_code"):
        level = POSTAL
    elif number:
        level = _osm_house(kind, raw.get("osm_type"))
    elif rank >= 26 or kind[0] == "highway":  # 26 and finer: streets, and what stands in them
        level = STREET
    else:
        level = PLACE if rank >= 13 else REGION
    return Reading(level, None, number, bounds)


def _osm_house(kind: tuple[Any, Any], osm_type: Any) -> Level:
    """A numbered way that is no building is a line along which numbers are reckoned."""
    is_line = kind in (("place", "house"), ("place", "houses")) and str(osm_type)[:1] in ("w", "W")
    return NUMBER if is_line else BUILDING


def _photon(raw: Raw) -> Reading:
    """Photon: no score; its search forgives spelling, so the checks of the question matter."""
    properties = raw["properties"]
    kind, number = (
        (properties.get("osm_key"), properties.get("osm_value")),
        properties.get("housenumber"),
    )
    edges = properties.get("extent")  # west, north, east, south
    bounds = _bounds([edges[0], edges[3], edges[2], edges[1]]) if edges else None
    place_type = properties.get("type")
    if kind[1] in ("postcode", "postal_code"):
        level = POSTAL
    elif number:
        level = _osm_house(kind, properties.get("osm_type"))
    elif place_type in ("house", "street"):
        level = STREET
    else:
        level = PLACE if place_type in ("locality", "district", "city") else REGION
    return Reading(level, None, number, bounds)


_ARCGIS = {
    **dict.fromkeys(("Subaddress", "PointAddress", "Parcel"), BUILDING),
    **dict.fromkeys(("StreetAddress", "StreetInt", "StreetBetween", "StreetMidBlock"), NUMBER),
    **dict.fromkeys(("StreetAddressExt", "StreetName", "DistanceMarker", "POI"), STREET),
    **dict.fromkeys(("Postal", "PostalLoc", "PostalExt"), POSTAL),
    "Locality": PLACE,
}
_ARCGIS_REGION = re.compile(r"county|state|province|country|region|territory|zone", re.IGNORECASE)


def _arcgis(raw: Raw) -> Reading:
    attributes = raw.get("attributes") or {}
    level = _ARCGIS.get(str(attributes.get("Addr_type")), REGION)
    if level is PLACE and _ARCGIS_REGION.search(str(attributes.get("Type") or "")):
        level = REGION
    bounds = _box(raw.get("extent"), ("xmin", "ymin", "xmax", "ymax"))
    return Reading(level, _score(raw.get("score"), 100), attributes.get("AddNum") or None, bounds)


_GOOGLE_POINTS = {"ROOFTOP": BUILDING, "RANGE_INTERPOLATED": NUMBER}
_GOOGLE_TYPES = (  # the first that a result has
    (("street_address", "premise", "subpremise", "route", "intersection"), STREET),
    (("establishment", "point_of_interest"), STREET),
    (("postal_code",), POSTAL),
    (("locality", "postal_town", "sublocality", "neighborhood"), PLACE),
    (("administrative_area_level_3", "administrative_area_level_4"), PLACE),
)


def _google(raw: Raw) -> Reading:
    """Google: no score; a partial match met something else, so it is no finer than its town."""
    where, types = raw["geometry"], raw.get("types") or []
    kinds = (level for names, level in _GOOGLE_TYPES if not set(names).isdisjoint(types))
    level = next(kinds, REGION)
    if level is STREET:
        level = _GOOGLE_POINTS.get(where.get("location_type"), STREET)
    if raw.get("partial_match") and _is_finer(level, PLACE):
        level = PLACE
    numbers = [
        part.get("long_name")
        for part in raw.get("address_components") or []
        if "street_number" in (part.get("types") or [])
    ]
    view = where.get("bounds") or where.get("viewport")
    corners = view and [
        view["southwest"]["lng"],
        view["southwest"]["lat"],
        view["northeast"]["lng"],
        view["northeast"]["lat"],
    ]
    return Reading(level, None, numbers[0] if numbers else None, _bounds(corners))


_BING_POINTS = {
    **dict.fromkeys(("Rooftop", "Parcel"), BUILDING),
    **dict.fromkeys(("Interpolation", "InterpolationOffset"), NUMBER),
}
_BING_SCORES = {"High": 1.0, "Medium": 0.5, "Low": 0.0}


def _bing(raw: Raw) -> Reading:
    kind = str(raw.get("entityType"))
    if kind == "Address":
        points = raw.get("geocodePoints") or [{}]
        level = _BING_POINTS.get(points[0].get("calculationMethod"), STREET)
    elif kind.startswith(("Road", "PointOfInterest")):
        level = STREET
    elif kind.startswith("Postcode"):
        level = POSTAL
    else:
        level = PLACE if kind in ("PopulatedPlace", "Neighborhood") else REGION
    edges = raw.get("bbox")  # south, west, north, east
    bounds = _bounds([edges[1], edges[0], edges[3], edges[2]]) if edges else None
    return Reading(level, _BING_SCORES.get(str(raw.get("confidence"))), None, bounds)


_TOMTOM = {
    "Point Address": BUILDING,
    "Address Range": NUMBER,
    **dict.fromkeys(("Street", "Cross Street", "POI"), STREET),
}


def _tomtom(raw: Raw) -> Reading:
    """TomTom and Azure Maps, which answers in TomTom's words."""
    kind, entity = raw.get("type"), str(raw.get("entityType") or "")
    level = _TOMTOM.get(str(kind), REGION)
    if entity == "PostalCodeArea":
        level = POSTAL
    elif entity.startswith(("Municipality", "Neighbourhood")):
        level = PLACE
    view = raw.get("boundingBox") or raw.get("viewport")
    corners = view and [
        view["topLeftPoint"]["lon"],
        view["btmRightPoint"]["lat"],
        view["btmRightPoint"]["lon"],
        view["topLeftPoint"]["lat"],
    ]
    score = _score((raw.get("matchConfidence") or {}).get("score"))
    return Reading(level, score, (raw.get("address") or {}).get("streetNumber"), _bounds(corners))


_HERE = {
    **dict.fromkeys(("street", "intersection", "addressBlock", "place"), STREET),
    "postalCodePoint": POSTAL,
    "locality": PLACE,
}


def _here(raw: Raw) -> Reading:
    kind = str(raw.get("resultType"))
    level = _HERE.get(kind, REGION)
    if kind == "houseNumber":
        is_point = raw.get("houseNumberType") == "PA" and not raw.get("houseNumberFallback")
        level = BUILDING if is_point else NUMBER
    elif raw.get("localityType") == "postalCode":
        level = POSTAL
    score = _score((raw.get("scoring") or {}).get("queryScore"))
    bounds = _box(raw.get("mapView"), ("west", "south", "east", "north"))
    return Reading(level, score, (raw.get("address") or {}).get("houseNumber"), bounds)


_PELIAS = {
    **dict.fromkeys(("street", "intersection", "venue"), STREET),
    "postalcode": POSTAL,
    **dict.fromkeys(("locality", "localadmin", "borough", "neighbourhood"), PLACE),
}


def _pelias(raw: Raw) -> Reading:
    properties = raw["properties"]
    level = _PELIAS.get(str(properties.get("layer")), REGION)
    if properties.get("layer") == "address":
        is_point = properties.get("accuracy") == "point" and properties.get("match_type") in (
            None,
            "exact",
        )
        level = BUILDING if is_point else NUMBER
    score = _score(properties.get("confidence"))
    return Reading(level, score, properties.get("housenumber"), _bounds(raw.get("bbox")))


_GEOCODIO = {
    **dict.fromkeys(("rooftop", "point"), BUILDING),
    **dict.fromkeys(("range_interpolation", "nearest_rooftop_match"), NUMBER),
    **dict.fromkeys(("street_center", "intersection"), STREET),
    "place": PLACE,
}


def _geocodio(raw: Raw) -> Reading:
    level = _GEOCODIO.get(str(raw.get("accuracy_type")), REGION)
    number = (raw.get("address_components") or {}).get("number")
    return Reading(level, _score(raw.get("accuracy")), number)


READERS: dict[str, Callable[[Raw], Reading]] = {
    **dict.fromkeys(("nominatim", "pickpoint", "openmapquest"), _nominatim),
    "photon": _photon,
    "arcgis": _arcgis,
    **dict.fromkeys(("google", "googlev3"), _google),
    "bing": _bing,
    **dict.fromkeys(("azure", "tomtom"), _tomtom),
    **dict.fromkeys(("here", "herev7"), _here),
    **dict.fromkeys(("pelias", "geocodeearth"), _pelias),
    "geocodio": _geocodio,
}
