"""The places that one row could be at, for a person to choose from.

What is read from the row itself comes before what only bears the same name; within that the
likelier and nearer comes first.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.cleaning import in_country, readings
from territory.geocoding import CONFLICT_M, city_title, place
from territory.geodesy import inverse
from territory.reference import normalise_place, normalise_places
from territory.schemas import ADDRESS
from territory.units_of_length import METRES_PER_MILE, format_miles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.geocoding import Gazetteer
    from territory.policy import GeocodingPolicy

COLUMNS = ("candidate_id", "label", "lon", "lat", "precision", "uncertainty_m", "source", "why")
_FIT, _OWN, _ONLINE, _ADDRESS, _SLIP, _NAMESAKE, _ODD = range(7)
_SAME_PLACE_M = 5 * METRES_PER_MILE  # two points of one town are one choice

Candidate = dict[str, Any]


def candidates(
    row: pd.Series, gazetteer: Gazetteer, policy: GeocodingPolicy, answers: pd.DataFrame
) -> pd.DataFrame:
    """List the places that a row could be at, the likeliest first.

    Parameters
    ----------
    row
        The address, given_lon and given_lat (WGS84 degrees, NaN where not given).
    answers
        What online providers found for the address: provider, lon, lat, precision, uncertainty_m,
        match_score, address.

    Returns
    -------
    candidates
        ``COLUMNS``: candidate_id stays the same as long as the place does; why is one sentence.
    """
    frame = (
        row[list(ADDRESS)]
        .to_frame()
        .T.assign(lon=float(row["given_lon"]), lat=float(row["given_lat"]))
    )
    frame = frame.reset_index(drop=True)
    anchor = _anchor(frame, gazetteer)
    places = [
        *_given(frame, gazetteer, policy, anchor),
        *_online(answers, anchor),
        *_by_address(frame, gazetteer),
        *_slips(frame, gazetteer, anchor),
        *_namesakes(frame, gazetteer, policy),
    ]
    places = _distinct(sorted(places, key=lambda one: one["rank"]))
    for one in places:
        text = f"{one['label']}|{one['lon']:.6f}|{one['lat']:.6f}"
        one["candidate_id"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    return pd.DataFrame(places, columns=list(COLUMNS))


def _anchor(frame: pd.DataFrame, gazetteer: Gazetteer) -> pd.Series:
    """Where the address should be: the point of its ZIP code, or else of its city."""
    by_zip = gazetteer.zip_points(frame).iloc[0]
    if pd.notna(by_zip["lon"]):
        return by_zip
    return gazetteer.lookup(frame).iloc[0].rename({"geocode_source": "title"})


def _apart_m(lon: float, lat: float, anchor: pd.Series) -> float:
    if pd.isna(anchor["lon"]):
        return np.nan
    return float(inverse(lon, lat, float(anchor["lon"]), float(anchor["lat"]))[0])


def _far(lon: float, lat: float, anchor: pd.Series) -> str:
    """How far a point is from where the address should be."""
    metres = _apart_m(lon, lat, anchor)
    if np.isnan(metres):
        return "the address has no place of its own"
    return f"{format_miles(metres)} from {anchor['title']}"


def _given(
    frame: pd.DataFrame, gazetteer: Gazetteer, policy: GeocodingPolicy, anchor: pd.Series
) -> Iterator[Candidate]:
    """The coordinates of the file, and how else they can be read where they do not fit."""
    lon, lat = (frame[axis].to_numpy(float) for axis in ("lon", "lat"))
    if np.isnan(lon[0]) or np.isnan(lat[0]):
        return
    placed = place(frame, gazetteer, policy).iloc[0]
    is_misread = placed["geocode_source"] != "given"
    exact = {
        "precision": "rooftop",
        "uncertainty_m": policy.given_uncertainty_m,
        "source": "given",
    }
    yield exact | {
        "rank": (_ODD if is_misread else _OWN, 0.0),
        "label": "the coordinates given",
        "lon": lon[0],
        "lat": lat[0],
        "why": _far(lon[0], lat[0], anchor),
    }
    if placed["placement"] != "conflict":
        return
    limit = anchor["uncertainty_m"] + CONFLICT_M
    country = frame["country"].to_numpy(object)
    for how, other_lon, other_lat in readings(lon, lat):
        if np.isnan(other_lat[0]):
            continue
        metres = _apart_m(other_lon[0], other_lat[0], anchor)
        is_near = metres <= limit
        if is_near or (np.isnan(metres) and in_country(other_lon, other_lat, country)[0]):
            yield exact | {
                "rank": (_FIT if is_near else _ODD, metres),
                "label": f"the coordinates given, {how}",
                "lon": other_lon[0],
                "lat": other_lat[0],
                "why": _far(other_lon[0], other_lat[0], anchor),
            }


def _online(answers: pd.DataFrame, anchor: pd.Series) -> Iterator[Candidate]:
    for answer in answers.to_dict("records"):
        score = answer["match_score"]
        sure = "" if pd.isna(score) else f", match {score:.2f}"
        yield {
            "rank": (_ONLINE, answer["uncertainty_m"]),
            "label": f"{answer['provider']}: {answer['address'] or answer['precision']}",
            **{name: answer[name] for name in ("lon", "lat", "precision", "uncertainty_m")},
            "source": answer["provider"],
            "why": _far(answer["lon"], answer["lat"], anchor) + sure,
        }


def _by_address(frame: pd.DataFrame, gazetteer: Gazetteer) -> Iterator[Candidate]:
    """The ZIP code, and the city by itself; first the one that the gazetteer follows."""
    followed = gazetteer.lookup(frame).iloc[0]["geocode_source"]
    by_zip = gazetteer.zip_points(frame).iloc[0]
    if pd.notna(by_zip["lon"]):
        yield {
            "rank": (_ADDRESS, float(by_zip["title"] != followed)),
            "label": by_zip["title"],
            **{name: by_zip[name] for name in ("lon", "lat", "uncertainty_m")},
            "precision": "postal",
            "source": "gazetteer",
            "why": "the ZIP code of the address",
        }
    city = gazetteer.lookup(frame.assign(postal_code=None)).iloc[0]
    if pd.notna(city["lon"]):
        yield {
            "rank": (_ADDRESS, float(city["geocode_source"] != followed)),
            "label": city["geocode_source"],
            **{name: city[name] for name in ("lon", "lat", "precision", "uncertainty_m")},
            "source": "gazetteer",
            "why": "the city of the address",
        }


def _slips(frame: pd.DataFrame, gazetteer: Gazetteer, anchor: pd.Series) -> Iterator[Candidate]:
    """ZIP codes of the city that are one slip of the pen from one that cannot be right."""
    row = frame.iloc[0]
    code_given = str(row["postal_code"] or "")[:5]
    is_sound = pd.notna(anchor["lon"]) and gazetteer.lookup(frame).iloc[0]["precision"] == "postal"
    if is_sound or len(code_given) < 5 or pd.isna(row["city"]):
        return
    table = gazetteer.reference.zip_codes
    there = table[table["state_code"] == row["state"]]
    there = there[normalise_places(there["city"]) == normalise_place(row["city"])]
    near = there["zip_code"][[_is_slip(code, code_given) for code in there["zip_code"]]]
    points = gazetteer.zip_points(pd.DataFrame({"postal_code": near, "country": "US"}))
    for code, point in zip(near, points.to_dict("records"), strict=True):
        yield {
            "rank": (_SLIP, float(sorted(code) != sorted(code_given))),
            "label": point["title"],
            **{name: point[name] for name in ("lon", "lat", "uncertainty_m")},
            "precision": "postal",
            "source": "gazetteer",
            "why": f"a ZIP code of {row['city']} one typo away from {code_given}",
        }


def _is_slip(one: str, other: str) -> bool:
    """Tell whether one digit differs, or two that stand side by side are swapped."""
    differing = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differing) == 2:
        first, second = differing
        return second == first + 1 and one[first] + one[second] == other[second] + other[first]
    return len(differing) == 1


def _namesakes(
    frame: pd.DataFrame, gazetteer: Gazetteer, policy: GeocodingPolicy
) -> Iterator[Candidate]:
    """Every city that bears the name: of the state, then of the country; the largest first."""
    row = frame.iloc[0]
    if pd.isna(row["city"]):
        return
    reference = gazetteer.reference
    names = reference.city_names
    ids = names.loc[names["key"] == normalise_place(row["city"]), ["city_id", "is_main"]]
    cities = reference.cities.merge(ids.groupby("city_id", as_index=False)["is_main"].any())
    land = "US" if pd.isna(row["country"]) else row["country"]
    at_home = cities["country_code"] == land
    in_state = at_home & (cities["admin1_code"] == row["state"])
    people = cities["population"].fillna(0)
    for city, label, near, home, number in zip(
        cities.to_dict("records"), city_title(cities), in_state, at_home, people, strict=True
    ):
        other_name = "" if city["is_main"] else f", also called {row['city']}"
        yield {
            "rank": (_NAMESAKE, (2 - near - home, not city["is_main"], -number)),
            "label": label,
            "lon": city["lon"],
            "lat": city["lat"],
            "precision": "place",
            "uncertainty_m": policy.city_uncertainty_m,
            "source": "gazetteer",
            "why": f"a place of {number:,.0f} people{other_name}",
        }


def _distinct(places: list[Candidate]) -> list[Candidate]:
    """Leave out a town that is listed already under another name."""
    distinct: list[Candidate] = []
    lon, lat = (np.array([one[axis] for one in places], float) for axis in ("lon", "lat"))
    towns: list[int] = []
    for at, one in enumerate(places):
        if one["precision"] == "place":
            apart = inverse(np.full(len(towns), lon[at]), np.full(len(towns), lat[at]),
                            lon[towns], lat[towns])  # fmt: skip
            if (apart < _SAME_PLACE_M).any():
                continue
            towns.append(at)
        distinct.append(one)
    return distinct
