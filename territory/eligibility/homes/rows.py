"""Rows about people's homes as files have them -> homes that can be decided, or why not.

Stricter than placing a prospect: what is good enough for a map is not good enough for a decision
about a person. So a row that contradicts itself is not placed by guessing which half is right.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.cleaning import (
    ANTARCTIC_LAT,
    ELSEWHERE_STATES,
    clean_address,
    clean_text,
    codes,
    fold,
    in_united_states,
    parse_dates,
    parse_degrees,
    suspects,
)
from territory.geocoding import place
from territory.imports import map_headers

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.geocoding import Gazetteer
    from territory.policy import GeocodingPolicy
    from territory.reference import Reference

    Bools = npt.NDArray[np.bool_]

PLACE = ("street", "city", "state", "postal_code", "country", "lat", "lon")
DAYS = ("eligible_since", "home_since", "role_since")
# What else may be known of a person, and the headers it goes by, folded.
PERSON = {
    "person_id": "personid employeeid candidateid workerid applicantid id",
    "role": "role jobrole jobfunction position jobtitle",
    "assigned_office_id": "assignedofficeid assignedoffice officeid office workplace",
    "eligible_since": "eligiblesince decidedon",
    "home_since": "homesince addresssince movedon",
    "role_since": "rolesince positionsince",
}
_HOME = re.compile(
    r"^\s*(?:home|residence|residential|employee|candidate|applicant|person)[\s_.-]*", re.IGNORECASE
)
_PO_BOX = re.compile(
    r"\bp(?:ost)?\W*o(?:ffice)?\W*box\b|\bpost(?:al)?\s*box\b|^\s*box\s+\d", re.IGNORECASE
)
_SOURCES = (
    ("given", "coordinates given"),
    ("ZIP codes of ", "ZIP codes of the city"),
    ("ZIP ", "ZIP code"),
    ("city ", "city"),
)


def map_home_headers(columns: list[str]) -> dict[str, str]:
    """Say which column of a file is which of ``PLACE`` and ``PERSON``: header -> ours.

    "Home ZIP" goes before "ZIP"; an assigned office is not taken for the home.
    """
    ordered = sorted(columns, key=lambda name: _HOME.match(name) is None)  # stable
    bare = {name: _HOME.sub("", name) or name for name in ordered}
    first: dict[str, str] = {}
    for name, short in bare.items():
        first.setdefault(short, name)
    found = map_headers(list(first), "prospects")
    mapping = {first[short]: ours for short, ours in found.items() if ours in PLACE}
    for ours, names in PERSON.items():
        for wanted in (fold(ours), *names.split()):
            match = [c for c in columns if fold(c) == wanted and c not in mapping]
            if match:
                mapping[match[0]] = ours
                break
    return mapping


def read_homes(
    rows: pd.DataFrame,
    gazetteer: Gazetteer,
    reference: Reference,
    policy: GeocodingPolicy | None = None,
) -> pd.DataFrame:
    """Place homes, or say why not. Every row comes back once, in order.

    Parameters
    ----------
    rows
        Text or null, in the columns ``PLACE`` and ``PERSON``; a missing column counts as null.

    Returns
    -------
    homes
        The GEOCODE contract, ``fault`` (a key of ``eligibility_wording.FAULTS`` or null), and the
        columns of ``PERSON``; on the index of ``rows``. ``geocode_source`` tells the kind of
        source and not the place.
    """
    texts = {name: _texts(rows, name) for name in (*PLACE, *PERSON)}
    country, state, postal_code = clean_address(
        texts["country"], texts["state"], texts["postal_code"]
    )
    lat, lon = (parse_degrees(texts[name]).to_numpy(float) for name in ("lat", "lon"))
    has_point = (texts["lat"].notna() | texts["lon"].notna()).to_numpy(bool)
    address = pd.DataFrame(
        {"city": texts["city"], "state": state, "postal_code": postal_code, "country": country}
    ).astype(object)
    fault = np.full(len(rows), None, dtype=object)
    american = ((country == "US") & ~state.isin(ELSEWHERE_STATES)).to_numpy(bool)
    days = {name: parse_dates(texts[name]) for name in DAYS}
    for name, day in days.items():  # a change of home that is overlooked would let a claim stand
        _mark(fault, day.isna() & texts[name].notna(), "unreadable_day")
    _check_points(fault, lon, lat, has_point, american)
    box = texts["street"].map(lambda text: bool(_PO_BOX.search(text)), na_action="ignore")
    _mark(fault, box.eq(other=True).to_numpy(bool), "po_box")
    _check_address(fault, address, texts["street"], has_point, reference)
    usable = has_point & pd.isna(fault)
    given = address.assign(lon=np.where(usable, lon, np.nan), lat=np.where(usable, lat, np.nan))
    homes = _place(given, gazetteer, policy)
    _check_placed(fault, homes, usable)
    homes.loc[pd.notna(fault), ["lon", "lat", "uncertainty_m"]] = np.nan
    homes.loc[pd.notna(fault), ["precision", "geocode_source"]] = None
    homes["geocode_source"] = _kind_of_source(homes["geocode_source"])
    homes = homes.drop(columns="placement")
    homes["fault"] = pd.Series(fault, dtype=object)
    for name in PERSON:
        homes[name] = days.get(name, texts[name])
    return homes.set_index(rows.index)


def given_texts(rows: pd.DataFrame) -> list[str]:
    """Give each home as it was given: the texts of ``PLACE`` that are not blank, as JSON."""
    columns = [_texts(rows, name).tolist() for name in PLACE]
    return [
        json.dumps(
            {name: text for name, text in zip(PLACE, texts, strict=True) if isinstance(text, str)},
            sort_keys=True,
            ensure_ascii=False,
        )
        for texts in zip(*columns, strict=True)
    ]


def circumstances(homes: pd.DataFrame) -> list[dict[str, str]]:
    """Give what is known of each person beside the home, for records: ``PERSON`` less the id."""
    names = [name for name in PERSON if name != "person_id"]
    columns = [homes[name].tolist() for name in names]
    return [
        {name: value for name, value in zip(names, values, strict=True) if isinstance(value, str)}
        for values in zip(*columns, strict=True)
    ]


def _texts(rows: pd.DataFrame, name: str) -> pd.Series:
    if name not in rows:
        return pd.Series(None, index=range(len(rows)), dtype=object)
    return clean_text(rows[name].reset_index(drop=True)).astype(object)


def _mark(fault: npt.NDArray[np.object_], rows: Any, code: str) -> None:
    """Note a fault where there is none yet: the first that is found is told."""
    fault[np.asarray(rows, bool) & pd.isna(fault)] = code


def _check_points(
    fault: npt.NDArray[np.object_],
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
    has_point: Bools,
    american: Bools,
) -> None:
    with np.errstate(invalid="ignore"):
        off = (np.abs(lon) > 180) | (np.abs(lat) > 90) | np.isinf(lon) | np.isinf(lat)
        _mark(fault, has_point & (np.isnan(lon) | np.isnan(lat)), "half_given")
        _mark(fault, (lon == 0) & (lat == 0), "null_island")
        odd = american & suspects(lon, lat)
        _mark(fault, odd & in_united_states(lat, lon), "swapped")
        _mark(fault, odd & in_united_states(-np.abs(lon), lat), "signless")
        _mark(fault, off, "off_globe")
        _mark(fault, lat < ANTARCTIC_LAT, "antarctic")


def _check_address(
    fault: npt.NDArray[np.object_],
    address: pd.DataFrame,
    street: pd.Series,
    has_point: Bools,
    reference: Reference,
) -> None:
    """Say what is wrong with addresses that have to place a home by themselves."""
    alone = ~has_point
    country, state, code = (address[name] for name in ("country", "state", "postal_code"))
    blank = address.isna().all(axis=1) & street.isna()
    _mark(fault, alone & blank, "nothing_given")
    foreign = country.notna() & (country != "US")
    known = country.isin(set(codes.COUNTRIES.values()))
    _mark(fault, alone & foreign & ~known, "unknown_country")
    _mark(fault, alone & (foreign | state.isin(ELSEWHERE_STATES)), "abroad")
    table = reference.zip_codes
    at = pd.Index(table["zip_code"]).get_indexer(pd.Index(code.astype("str").str[:5]))
    has_zip = code.notna().to_numpy(bool)
    _mark(fault, alone & has_zip & (at < 0), "unknown_zip")
    _mark(fault, alone & (at >= 0) & ~table["has_area"].to_numpy(bool)[at], "zip_without_area")
    other = (table["state_code"].to_numpy(object)[at] != state.to_numpy(object)) & state.notna()
    _mark(fault, alone & (at >= 0) & other, "state_disagrees")
    vague = ~has_zip & address["city"].notna() & state.isna()
    _mark(fault, alone & vague, "ambiguous_city")


def _place(
    given: pd.DataFrame, gazetteer: Gazetteer, policy: GeocodingPolicy | None
) -> pd.DataFrame:
    homes = place(given, gazetteer, policy)
    names = ["lon", "lat", "precision", "uncertainty_m", "geocode_source", "geocode_note"]
    return homes[[*names, "placement"]]


def _check_placed(fault: npt.NDArray[np.object_], homes: pd.DataFrame, has_point: Bools) -> None:
    """Take back placements that the gazetteer itself has doubts about."""
    doubted = homes["geocode_note"].notna().to_numpy(bool)
    parted = (homes["precision"].eq("postal") | homes["placement"].eq("conflict")).to_numpy(bool)
    placed = homes["lon"].notna().to_numpy(bool)
    _mark(fault, doubted & has_point, "contradiction")
    _mark(fault, doubted & ~has_point & parted, "city_disagrees")
    _mark(fault, doubted & ~has_point & placed, "ambiguous_city")
    _mark(fault, ~placed, "not_found")


def _kind_of_source(source: pd.Series) -> pd.Series:
    kinds = pd.Series(None, index=source.index, dtype=object)
    for start, kind in reversed(_SOURCES):
        kinds[source.astype("str").str.startswith(start).fillna(value=False)] = kind
    return kinds
