"""Frame verbs: geocode, screen, locate, assign and decide, from GeoDataFrame to GeoDataFrame."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from territory import cleaning, geocoding, markets, plans, reference
from territory.eligibility import decision, homes, rules
from territory.errors import ColumnError, InputError
from territory.frames.points import (
    Frame,
    has_geometry,
    ids,
    in_wgs84,
    lon_lat,
    numbers,
    require_frame,
    with_points,
)
from territory.geodesy import OfficeIndex, verdicts
from territory.imports import map_headers
from territory.policy import GeocodingPolicy, Policy
from territory.schemas import ADDRESS, NAMED_ACCOUNTS, OFFICES, PROSPECTS, TERRITORIES, check
from territory.units_of_length import parse_length

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from territory.eligibility.rules import EligibilityPolicy

_TEXT = pd.Series([""]).dtype  # object before pandas 3, then str
_GEOCODED = ("precision", "uncertainty_m", "placement", "geocode_source", "geocode_note")
_LOCATED = ("segment", "market_id", "nearest_office_id", "distance_m", "verdict")
_OWNED = ("territory_id", "rep_id", "rule", "reason")


def geocode(frame: pd.DataFrame, *, policy: GeocodingPolicy | None = None) -> gpd.GeoDataFrame:
    """Place each row: by the coordinates it has, else by its ZIP code or city, offline.

    Every row comes back once, in order, on its index. Coordinates are checked against the address
    beside them; where the two disagree, ``placement`` is "conflict" and ``geocode_note`` says how
    far apart they are.

    Parameters
    ----------
    frame
        Addresses under headers as an import knows them (city, state, ZIP, country ...), and
        coordinates, if any: points in any CRS, or degrees under headers such as lat and lon.
    policy
        How uncertain given coordinates are.

    Returns
    -------
    frame
        Its columns, then precision ("rooftop", "street", "postal", "place"; null: not placed),
        uncertainty_m (metres), placement, geocode_source and geocode_note; points in the CRS of
        ``frame``, EPSG:4326 where it has none; no point where a row could not be placed.

    Raises
    ------
    ColumnError
        If there is neither a place nor an address in it.
    CoordinateError
        If coordinates are off the globe or unreadable; the message names the rows.
    """
    settings = policy or GeocodingPolicy()
    header_of = _headers(frame, "prospects")
    columns = {name: _texts(frame, header_of.get(name)) for name in ADDRESS}
    country, state, postal_code = cleaning.clean_address(
        columns["country"], columns["state"], columns["postal_code"]
    )
    given = pd.DataFrame(
        {"city": columns["city"], "state": state, "postal_code": postal_code, "country": country}
    )
    if has_geometry(frame) or {"lon", "lat"} <= set(header_of):
        given["lon"], given["lat"] = lon_lat(_with_degrees(frame, header_of), "frame")
    elif not {"city", "postal_code"} & set(header_of):
        headers = ", ".join(map(repr, frame.columns))
        raise ColumnError(
            f"frame: no coordinates, no 'postal_code' and no 'city'; it has {headers}. "
            "Rename or add them."
        )
    placed = geocoding.place(given, geocoding.shared_gazetteer(settings), settings)
    lon, lat = (placed[name].to_numpy(float) for name in ("lon", "lat"))
    return with_points(_with_columns(frame, placed, _GEOCODED), lon, lat)


def screen(
    frame: Frame, offices: pd.DataFrame, radius: str, *, on: dt.date | str | None = None
) -> Frame:
    """Find the nearest office of each point, how far it is, and whether that is within a radius.

    Distances are geodesics on the WGS84 ellipsoid; a point exactly on the radius is within.

    Parameters
    ----------
    frame
        Points in any CRS, or the columns ``lon`` and ``lat``. With a column ``uncertainty_m``
        (metres, as ``geocode`` gives it) a place known too coarsely is "too_close_to_call".
    offices
        Points likewise; ``office_id``, or else the index, is what they are called.
    radius
        With its unit: "50mi", "80km", "1200m".
    on
        ISO day: leave out offices that open later or are closed by then (opened_on, closed_on).

    Returns
    -------
    frame
        With nearest_office_id, distance_m, within_radius (boolean, null without a place),
        offices_within (how many) and verdict ("in", "out", "too_close_to_call", null).

    Raises
    ------
    LengthError
        If the radius has no unit or is not positive.
    InputError
        If there is no office, or one without a place.
    """
    limit_m = parse_length(str(radius))
    index = _office_index(_open_on(offices, on))
    lon, lat = lon_lat(frame, "frame")
    at = np.flatnonzero(~np.isnan(lon))
    near = index.nearest(lon[at], lat[at], limit_m)
    number = len(frame)
    office_id, distance_m = np.full(number, None, object), np.full(number, np.nan)
    office_id[at], distance_m[at] = index.office_id[near.office], near.distance_m
    within = pd.array([None] * number, dtype="boolean")
    offices_within = pd.array([None] * number, dtype="Int64")
    within[at], offices_within[at] = near.within, near.offices_within
    return frame.assign(
        nearest_office_id=_text_column(office_id),
        distance_m=distance_m,
        within_radius=pd.Series(within, frame.index),
        offices_within=pd.Series(offices_within, frame.index),
        verdict=_text_column(verdicts(distance_m, _uncertainty_m(frame), limit_m)),
    )


def locate(frame: Frame, areas: gpd.GeoDataFrame) -> Frame:
    """Add the market that each point lies in: ``market_id``, null where none holds it.

    A point that several markets hold, on a border or where they overlap, goes to the smallest
    ``market_id`` in text order, so two runs agree.

    Parameters
    ----------
    frame
        Points in any CRS, or the columns ``lon`` and ``lat``. A market of ZIP codes is a list of
        addresses: a column ``postal_code`` decides it where there is one.
    areas
        Polygons in any CRS; ``market_id``, or else the index, is what they are called.
        ``define_markets`` makes them of counties, metro areas, states or ZIP codes.
    """
    lon, lat = lon_lat(frame, "frame")
    codes = frame["postal_code"].to_numpy(object) if "postal_code" in frame.columns else None
    market_id = markets.locate(lon, lat, _markets(areas), postal_code=codes)
    return frame.assign(market_id=_text_column(market_id))


def assign(
    frame: Frame,
    territories: pd.DataFrame,
    *,
    areas: gpd.GeoDataFrame,
    offices: pd.DataFrame,
    named_accounts: pd.DataFrame | None = None,
    policy: Policy | None = None,
    on: dt.date | str | None = None,
) -> Frame:
    """Give each prospect its territory and rep by the first rule of the policy that answers.

    The rules are those of a published plan, in the policy's order of precedence: named account,
    retained customer, market of the headquarters. Ties go to the smallest territory id.

    Parameters
    ----------
    frame
        Points as for ``screen``. Of ``prospect_id`` (else the index), ``status``, ``employees``,
        ``revenue_usd``, ``owner_rep_id`` and ``precision``, what is missing counts as not known.
    territories
        territory_id, market_id, segment ("enterprise", "mid_market", ... or "any"), and name and
        rep_id if known; one row per market and segment.
    areas, offices
        As for ``locate`` and ``screen``.
    named_accounts
        prospect_id, territory_id.
    on
        ISO day for which offices must be open; all count by default.

    Returns
    -------
    frame
        With segment, market_id, nearest_office_id, distance_m, verdict, territory_id, rep_id, rule
        and reason, one sentence.

    Raises
    ------
    ColumnError
        If ``territories`` or ``named_accounts`` breaks its contract.
    """
    rules_of_plan = policy or Policy()
    limit = f"{rules_of_plan.radius.limit_m}m"
    located = screen(locate(frame, areas), offices, limit, on=on)
    prospects = _prospects(located).assign(
        segment=lambda rows: rules_of_plan.segments.classify(rows["employees"], rows["revenue_usd"])
    )
    accounts = pd.DataFrame(columns=["prospect_id", "territory_id"], dtype=object)
    if named_accounts is not None:
        accounts = check(
            _ids_as_text(named_accounts, NAMED_ACCOUNTS), NAMED_ACCOUNTS, "named_accounts"
        )
    owned = plans.assignment.assign(
        prospects,
        check(
            _completed(_ids_as_text(territories, TERRITORIES), TERRITORIES),
            TERRITORIES,
            "territories",
        ),
        accounts,
        rules_of_plan,
        office_names=_names(offices, "office_id"),
        market_names=_names(areas, "market_id"),
    )
    return _with_columns(located, owned, (*_LOCATED, *_OWNED))


def decide(
    frame: Frame,
    offices: pd.DataFrame,
    policy: EligibilityPolicy | str | Path = "fifty_miles",
    *,
    on: dt.date | str | None = None,
) -> Frame:
    """Decide for each home whether its person lives near enough to an office.

    Parameters
    ----------
    frame
        Homes: addresses or degrees under headers as the desk knows them, or points in any CRS.
    offices
        Points as for ``screen``.
    policy
        A policy, the path of its TOML file, or the name of one that ships with the package.
    on
        ISO day that is decided for; by default today (UTC).

    Returns
    -------
    frame
        With decision ("eligible", "not eligible", "needs review", "cannot decide"), reason,
        remedy, office_id, distance_m and uncertainty_m; null where nothing can be measured.

    Raises
    ------
    PolicyError
        If the policy cannot be read or is not in force on that day.
    """
    day = _day(on) or dt.datetime.now(dt.UTC).date().isoformat()
    tables = reference.load()
    placed = homes.read_homes(_home_texts(frame), geocoding.Gazetteer(tables), tables)
    decided = decision.decide(placed, _office_contract(offices), _eligibility(policy), on=day)
    decided = decided.rename(columns={"sentence": "reason"})
    names = ("decision", "reason", "remedy", "office_id", "distance_m", "uncertainty_m")
    return _with_columns(frame, decided, names)


def _eligibility(policy: EligibilityPolicy | str | Path) -> EligibilityPolicy:
    if isinstance(policy, rules.EligibilityPolicy):
        return policy
    return rules.policy_named(str(policy))


def _headers(frame: pd.DataFrame, kind: str) -> dict[str, str]:
    """Map our columns to the headers that stand for them."""
    require_frame(frame, "frame")
    headers = [str(name) for name in frame.columns if not _is_geometry(frame, name)]
    return {column: header for header, column in map_headers(headers, kind).items() if column}


def _is_geometry(frame: pd.DataFrame, name: object) -> bool:
    return isinstance(frame, gpd.GeoDataFrame) and name == frame.active_geometry_name


def _texts(frame: pd.DataFrame, header: str | None) -> pd.Series:
    """Give a column as text on a plain index, null where there is nothing."""
    if header is None:
        return pd.Series(None, index=range(len(frame)), dtype=object)
    values = frame[header].reset_index(drop=True).astype(object)
    texts = values.where(values.isna(), values.astype(str))
    return cleaning.clean_text(texts)


def _with_degrees(frame: pd.DataFrame, header_of: dict[str, str]) -> pd.DataFrame:
    """Call the columns of degrees lon and lat; a geometry goes before them."""
    names = {} if has_geometry(frame) else {header_of[name]: name for name in ("lon", "lat")}
    renamed: pd.DataFrame = frame.rename(columns=names)
    return renamed


def _with_columns(frame: Frame, rows: pd.DataFrame, names: Iterable[str]) -> Frame:
    """Put columns of ``rows``, which are in the same order, after those of a frame."""
    return frame.assign(**{name: _text_column(rows[name].to_numpy()) for name in names})


def _uncertainty_m(frame: pd.DataFrame) -> np.ndarray:
    if "uncertainty_m" not in frame.columns:
        return np.zeros(len(frame))
    metres = numbers(
        frame["uncertainty_m"], _metres, "frame: uncertainty_m", "Write metres, or leave it blank."
    )
    return np.nan_to_num(metres, nan=0.0, posinf=np.inf)


def _metres(texts: pd.Series) -> pd.Series:
    read: pd.Series = pd.to_numeric(texts, errors="coerce")
    return read


def _text_column(values: np.ndarray) -> pd.api.extensions.ExtensionArray | np.ndarray:
    """Give texts the dtype that pandas has for text, also where all of them are null."""
    return pd.Series(values, dtype=_TEXT).array if values.dtype == object else values


def _ids_as_text(frame: pd.DataFrame, contract: object) -> pd.DataFrame:
    """Write the ids of a table as ``ids`` does those of a frame, so that 3 is found as "3"."""
    require_frame(frame, "table")
    names = [name for name in contract.columns if name.endswith("_id") and name in frame]  # type: ignore[attr-defined]
    texts = {name: frame[name].astype(object) for name in names}
    return frame.assign(**{name: t.where(t.isna(), t.astype(str)) for name, t in texts.items()})


def _day(day: dt.date | str | None) -> str | None:
    """Give a day as ISO text.

    Raises
    ------
    InputError
        If a text is none.
    """
    if day is None:
        return None
    try:
        text = day if isinstance(day, str) else str(day)[:10]
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"on: {day!r} is no day. Write it like 2026-01-31.") from None


def _days(column: pd.Series) -> pd.Series:
    """Give days as ISO text, whether they are text, dates or timestamps."""
    days = column.astype(object)
    return days.where(days.isna(), days.astype(str).str[:10]).where(days.notna(), None)


def _open_on(offices: pd.DataFrame, on: dt.date | str | None) -> pd.DataFrame:
    day = _day(on)
    if day is None:
        return offices
    is_open = pd.Series(data=True, index=offices.index)
    if "opened_on" in offices:
        is_open &= offices["opened_on"].isna() | (_days(offices["opened_on"]).fillna("") <= day)
    if "closed_on" in offices:
        is_open &= offices["closed_on"].isna() | (_days(offices["closed_on"]).fillna("") > day)
    rows: pd.DataFrame = offices[is_open]
    return rows


def _office_contract(offices: pd.DataFrame) -> pd.DataFrame:
    """Give offices as the contract has them: id and name as text, degrees, days."""
    office_id = ids(offices, "office_id")
    lon, lat = lon_lat(offices, "offices")
    columns = {
        name: _days(offices[name]) if name in offices else None
        for name in ("opened_on", "closed_on")
    }
    rows = _completed(pd.DataFrame(columns, index=offices.index), OFFICES)
    names = offices["name"].to_numpy(object) if "name" in offices.columns else office_id
    rows = rows.assign(office_id=office_id, name=names, lon=lon, lat=lat)
    return rows.reset_index(drop=True)


def _office_index(offices: pd.DataFrame) -> OfficeIndex:
    if not len(offices):
        raise InputError("There is no office to measure from: give at least one.")
    return OfficeIndex.from_frame(_office_contract(offices))


def _markets(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    is_defined = {"kind", "units"} <= set(areas.columns)
    kind, units = (areas["kind"], areas["units"]) if is_defined else ("polygon", None)
    return gpd.GeoDataFrame(
        {"market_id": ids(areas, "market_id"), "kind": kind, "units": units},
        index=areas.index,
        geometry=in_wgs84(areas, "areas").to_numpy(),
        crs="EPSG:4326",
    )


def _prospects(located: pd.DataFrame) -> pd.DataFrame:
    """Give located prospects as the rules of a plan read them."""
    lon, lat = lon_lat(located, "frame")
    rows = _completed(pd.DataFrame(located), PROSPECTS, "precision", "uncertainty_m", "locality")
    for name, read in (
        ("employees", cleaning.parse_employees),
        ("revenue_usd", cleaning.parse_money),
    ):
        remedy = "Write a plain number, or leave the cell blank."
        rows[name] = numbers(rows[name], read, f"frame: {name}", remedy)
    state = rows["state"].where(rows["state"].notna(), rows["country"])
    locality = rows["city"].astype(object) + (", " + state.astype(object)).fillna("")
    return rows.assign(
        prospect_id=ids(located, "prospect_id"), lon=lon, lat=lat, locality=locality
    ).reset_index(drop=True)


def _completed(frame: pd.DataFrame, contract: object, *more: str) -> pd.DataFrame:
    """Add the columns of a contract that a frame lacks, all null."""
    numbers = {"employees", "revenue_usd", "lon", "lat", "uncertainty_m"}
    names = [*contract.columns, *more]  # type: ignore[attr-defined]
    lacking = {
        name: np.nan if name in numbers else pd.Series(None, index=frame.index, dtype=object)
        for name in names
        if name not in frame.columns
    }
    rows = frame.assign(**lacking)
    if contract is TERRITORIES:
        rows["name"] = rows["name"].where(rows["name"].notna(), rows["territory_id"])
    return rows


def _names(frame: pd.DataFrame, key: str) -> dict[str, str]:
    if "name" not in frame.columns:
        return {}
    return dict(zip(ids(frame, key), frame["name"], strict=True))


def _home_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Give homes as text under the desk's columns; degrees lose no digit on the way."""
    require_frame(frame, "frame")
    headers = [str(name) for name in frame.columns if not _is_geometry(frame, name)]
    mapping = homes.map_home_headers(headers)
    texts = {column: _texts(frame, header) for header, column in mapping.items() if column}
    if has_geometry(frame):
        lon, lat = lon_lat(frame, "frame")
        for name, degrees in (("lon", lon), ("lat", lat)):
            texts[name] = pd.Series(
                [None if np.isnan(value) else repr(float(value)) for value in degrees], dtype=object
            )
    if not texts:
        listed = ", ".join(map(repr, frame.columns))
        raise ColumnError(f"frame: no address and no coordinates of homes; it has {listed}.")
    return pd.DataFrame(texts)
