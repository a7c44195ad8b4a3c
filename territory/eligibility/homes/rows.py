"""Home rows: addresses of a file or a typed line, cleaned and placed, or why they cannot be.

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
    COUNTRIES,
    ELSEWHERE_STATES,
    US_STATES,
    clean_addresses,
    clean_text,
    fold,
    in_united_states,
    join_notes,
    parse_dates,
    parse_points,
    suspects,
)
from territory.geocoding import ORIGIN, place, read_origins
from territory.imports import map_headers, read_header
from territory.reference import normalise_places
from territory.schemas import ADDRESS

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.geocoding import Gazetteer
    from territory.policy import GeocodingPolicy

    Bools = npt.NDArray[np.bool_]


PLACE = ("street", "city", "state", "postal_code", "country", "lat", "lon", *ORIGIN)
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
CIRCUMSTANCES = tuple(name for name in PERSON if name != "person_id")
_HOME = re.compile(
    r"^\s*(?:home|residence|residential|employee|candidate|applicant|person)[\s_.-]*", re.IGNORECASE
)
_PO_BOX = re.compile(
    r"\bp(?:ost)?\W*o(?:ffice)?\W*box\b|\bpost(?:al)?\s*box\b|^\s*box\s+\d", re.IGNORECASE
)
# A typed line: a point, or parts of an address.
_LONGEST = 300  # characters of a typed line that are read
_DEGREES = r"([-+\N{MINUS SIGN}]?\d{1,3}(?:\.\d+)?)\s*°?\s*([NSEWnsew]?)"
_POINT = re.compile(rf"{_DEGREES}(?:\s*[,;]\s*|\s+){_DEGREES}")
_OWN_COUNTRY = re.compile(r",?\s+(USA|U\.S\.A\.|United States(?: of America)?)$", re.IGNORECASE)
_WHOLE_ZIP = r"\d{5}(?:-\d{4})?"
_ZIP = re.compile(r"(?:(.*\D)\s+)?(\d{5}(?:-\d{4})?)")
_SHORT_ZIP = re.compile(r"(?:([A-Za-z]{2})\s+)?(\d{4})")  # 01001 whose zero a sheet has eaten
_BOX = re.compile(r"\bbox\b", re.IGNORECASE)
_GIVEN = "coordinates given"
_SOURCES = (
    ("given", _GIVEN),
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
    # The home goes first; an address at work, say, only where there is no other.
    addresses = {short: read_header(short, "prospects") for short in first}
    is_named = {short: read is not None and bool(read.family) for short, read in addresses.items()}
    if any(read is not None and not read.family for read in addresses.values()):
        first = {short: name for short, name in first.items() if not is_named[short]}
    columns_by_header = map_headers(list(first), "prospects")
    mapping = {first[short]: ours for short, ours in columns_by_header.items() if ours in PLACE}
    for ours, names in PERSON.items():
        for name in (fold(ours), *names.split()):
            match = [c for c in columns if fold(c) == name and c not in mapping]
            if match:
                mapping[match[0]] = ours
                break
    return mapping


def read_homes(
    rows: pd.DataFrame,
    gazetteer: Gazetteer,
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
        The GEOCODE contract, ``fault`` (a key of ``rules.FAULTS`` or null), ``address_note``
        (what in the address was read otherwise than it is written, or contradicts itself; it
        quotes the address, so it is for no record), and the columns of ``PERSON``; on the index of
        ``rows``. ``geocode_source`` is the kind of source and not the place.
    """
    texts = {name: _texts(rows, name) for name in (*PLACE, *PERSON)}
    address, readings = clean_addresses(pd.DataFrame({name: texts[name] for name in ADDRESS}))
    state, street = address["state"], address["street"]
    lat, lon = (axis.to_numpy(float) for axis in parse_points(texts["lat"], texts["lon"]))
    has_point = (texts["lat"].notna() | texts["lon"].notna()).to_numpy(bool)
    fault = np.full(len(rows), None, dtype=object)
    american = ((address["country"] == "US") & ~state.isin(ELSEWHERE_STATES)).to_numpy(bool)
    days = {name: parse_dates(texts[name]) for name in DAYS}
    for name, day in days.items():  # a change of home that is overlooked would let a claim stand
        _mark(fault, day.isna() & texts[name].notna(), "unreadable_day")
    # The order of checks is the order of faults: the first one stands.
    _check_points(fault, lon, lat, has_point, american)
    box = street.map(lambda text: bool(_PO_BOX.search(text)), na_action="ignore")
    _mark(fault, box.eq(other=True).to_numpy(bool), "po_box")
    apart = gazetteer.contradictions(address)
    alone = pd.Series(~has_point) & state.isna() & apart.notna()
    _mark(fault, alone, "city_disagrees")
    is_guess = (texts["postal_code"].isna() & address["postal_code"].notna()).to_numpy(bool)
    _check_address(fault, address, street, has_point, is_guess, gazetteer)
    usable = has_point & pd.isna(fault)
    located = address.assign(lon=np.where(usable, lon, np.nan), lat=np.where(usable, lat, np.nan))
    origins, _ = read_origins(pd.DataFrame({name: texts[name] for name in ORIGIN}))
    homes = _place(located.join(origins), gazetteer, policy)
    _check_placed(fault, homes, usable)
    # Homes spread wider than the organisations that the gazetteer is made for.
    whole_m = gazetteer.whole_areas.reach_m(homes["geocode_source"])
    homes["uncertainty_m"] = np.fmax(homes["uncertainty_m"], whole_m)
    homes.loc[pd.notna(fault), ["lon", "lat", "uncertainty_m"]] = np.nan
    homes.loc[pd.notna(fault), ["precision", "geocode_source"]] = None
    kinds = _kind_of_source(homes["geocode_source"])
    homes["geocode_source"] = kinds.where(kinds.notna() | ~usable | pd.notna(fault), _GIVEN)
    homes = homes.drop(columns="placement")
    homes["fault"] = pd.Series(fault, dtype=object)
    is_torn = homes["fault"].isin(("city_disagrees", "state_disagrees"))
    details = apart.where(is_torn, homes["geocode_note"].where(fault == "unknown_zip", None))
    homes["address_note"] = join_notes(readings, details)
    for name in PERSON:
        homes[name] = days.get(name, texts[name])
    return homes.set_index(rows.index)


def address_texts(rows: pd.DataFrame) -> list[str]:
    """Give each home as it came: the texts of ``PLACE`` that are not blank, as JSON."""
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
    """Give what is known of each person beside the home, for records: ``CIRCUMSTANCES``."""
    columns = [homes[name].tolist() for name in CIRCUMSTANCES]
    return [
        {
            name: value
            for name, value in zip(CIRCUMSTANCES, values, strict=True)
            if isinstance(value, str)
        }
        for values in zip(*columns, strict=True)
    ]


def _texts(rows: pd.DataFrame, name: str) -> pd.Series:
    if name not in rows:
        return pd.Series(None, index=range(len(rows)), dtype=object)
    return clean_text(rows[name].reset_index(drop=True)).astype(object)


def _mark(fault: npt.NDArray[np.object_], rows: Any, code: str) -> None:
    """Note a fault where there is none yet: the first one stands."""
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
        turned = (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
        _mark(fault, turned, "swapped_globe")
        _mark(fault, off, "off_globe")
        _mark(fault, lat < ANTARCTIC_LAT, "antarctic")


def _check_address(
    fault: npt.NDArray[np.object_],
    address: pd.DataFrame,
    street: pd.Series,
    has_point: Bools,
    is_guess: Bools,
    gazetteer: Gazetteer,
) -> None:
    """Say what is wrong with addresses that have to place a home by themselves."""
    alone = ~has_point
    country, state, code = (address[name] for name in ("country", "state", "postal_code"))
    blank = address.isna().all(axis=1) & street.isna()
    _mark(fault, alone & blank, "nothing_given")
    foreign = country.notna() & (country != "US")
    is_country = country.isin(set(COUNTRIES.values()))
    _mark(fault, alone & foreign & ~is_country, "unknown_country")
    _mark(fault, alone & (foreign | state.isin(ELSEWHERE_STATES)), "abroad")
    table = gazetteer.reference.zip_codes
    at = pd.Index(table["zip_code"]).get_indexer(pd.Index(code.astype("str").str[:5]))
    has_zip = code.notna().to_numpy(bool)
    is_whole = code.str.fullmatch(_WHOLE_ZIP, na=False).to_numpy(bool)
    # "1742 Canary Lane" reads like "8001 Zürich", whose four digits are a postal code.
    _mark(fault, alone & has_zip & (at < 0) & ~is_whole & is_guess, "no_place_named")
    _mark(fault, alone & has_zip & (at < 0) & ~is_whole, "short_zip")
    _mark(fault, alone & has_zip & (at < 0), "unknown_zip")
    _mark(fault, alone & (at >= 0) & ~table["has_area"].to_numpy(bool)[at], "zip_without_area")
    other = (table["state_code"].to_numpy(object)[at] != state.to_numpy(object)) & state.notna()
    _mark(fault, alone & (at >= 0) & other, "state_disagrees")
    _mark(fault, alone & ~has_zip & address["city"].isna(), "no_place_named")
    vague = ~has_zip & address["city"].notna() & state.isna()
    names = pd.Index(normalise_places(address["city"]))
    land = gazetteer.likeliest_country.reindex(names).set_axis(address.index)
    _mark(fault, alone & vague & land.isna(), "unknown_city")
    is_state = names.isin(US_STATES)  # "Colorado" alone is hardly the one in Brazil
    _mark(fault, alone & vague & (land != "US") & ~is_state, "city_abroad")
    _mark(fault, alone & vague, "ambiguous_city")


def _place(
    located: pd.DataFrame, gazetteer: Gazetteer, policy: GeocodingPolicy | None
) -> pd.DataFrame:
    homes = place(located, gazetteer, policy)
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
    _mark(fault, ~placed, "city_not_found")  # a city and a state: all else was told before


def _kind_of_source(source: pd.Series) -> pd.Series:
    kinds = pd.Series(None, index=source.index, dtype=object)
    for start, kind in reversed(_SOURCES):
        kinds[source.astype("str").str.startswith(start).fillna(value=False)] = kind
    return kinds


def read_typed_address(text: str) -> dict[str, str]:
    """Read "39.75, -105", "80202" or "1200 17th St, Denver, CO 80202".

    Returns
    -------
    home
        Those columns of ``PLACE`` that the line gives; empty for a blank line.
    """
    line = " ".join(text[:_LONGEST].split()).strip(" ,;")
    return _read_point(line) or _read_address(line)


def _read_point(line: str) -> dict[str, str]:
    match = _POINT.fullmatch(line)
    if match is None:
        return {}
    first, second = (f"{number} {side.upper()}".strip() for number, side in
                     (match.group(1, 2), match.group(3, 4)))  # fmt: skip
    if first[-1] in "EW" and second[-1] in "NS":
        first, second = second, first
    return {"lat": first, "lon": second}


def _read_address(line: str) -> dict[str, str]:
    home: dict[str, str] = {}
    own = _OWN_COUNTRY.search(line)
    if own:
        home["country"], line = own[1], line[: own.start()]
    parts = [part.strip() for part in re.split(r"[,;]", line) if part.strip()]
    if parts and fold(parts[-1]) in COUNTRIES and fold(parts[-1]) not in US_STATES:
        home["country"] = parts.pop()
    if not parts:
        return home
    last = _read_end(parts.pop(), parts, home)
    if last:
        parts.append(last)
    if parts and not any(sign.isdigit() for sign in parts[-1]) and not _BOX.search(parts[-1]):
        home["city"] = parts.pop()
    if parts:
        street = ", ".join(parts)
        home["street"] = line if _BOX.search(street) else street
    return home


def _read_end(part: str, before: list[str], home: dict[str, str]) -> str:
    """Take state and ZIP code off the last part, and off ``before``; give what is left of it."""
    match = _ZIP.fullmatch(part) or _SHORT_ZIP.fullmatch(part)
    if match:
        home["postal_code"], part = match[2], match[1] or ""
        if not part and before and fold(before[-1]) in US_STATES:
            part = before.pop()
    is_code = re.fullmatch("[A-Z]{2}", part) is not None
    if (fold(part) in US_STATES and (match or before or is_code)) or (is_code and before):
        home["state"] = part
        return ""
    rest, _, word = part.rpartition(" ")
    if rest and re.fullmatch("[A-Z]{2}", word) and fold(word) in US_STATES:
        home["state"], part = word, rest
    return part
