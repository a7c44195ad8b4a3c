"""Frame verbs: geocode, screen, locate, assign and decide, from GeoDataFrame to GeoDataFrame."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory import cleaning, geocoding, markets, plans, reference
from territory.eligibility import decision, homes, rules
from territory.errors import ColumnError
from territory.frames.contract_frames import (
    completed,
    header_map,
    home_texts,
    ids_as_text,
    market_contract,
    names_by_id,
    office_contract,
    office_index,
    open_on,
    prospect_contract,
    read_day,
    text_array,
    text_series,
    uncertainties,
    with_columns,
    with_degrees,
)
from territory.frames.points import (
    Frame,
    has_geometry,
    lon_lat,
    with_points,
)
from territory.geodesy import verdicts
from territory.policy import GeocodingPolicy, Policy
from territory.schemas import ADDRESS, NAMED_ACCOUNTS, TERRITORIES, check
from territory.units_of_length import parse_length

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from territory.eligibility.rules import EligibilityPolicy

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
        coordinates, if any: points in any CRS, or degrees under headers such as lat and lon, with
        precision, uncertainty_m and geocode_source where these say how they were found.
    policy
        How uncertain given coordinates are that do not say it.

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
    header_of = header_map(frame, "prospects")
    columns = {name: text_series(frame, header_of.get(name)) for name in ADDRESS}
    given, remarks = cleaning.clean_addresses(pd.DataFrame(columns))
    if has_geometry(frame) or {"lon", "lat"} <= set(header_of):
        given["lon"], given["lat"] = lon_lat(with_degrees(frame, header_of), "frame")
        said = {name: text_series(frame, header_of.get(name)) for name in geocoding.ORIGIN}
        given = given.join(geocoding.read_origins(pd.DataFrame(said))[0])
    elif not {"street", "city", "postal_code"} & set(header_of):
        headers = ", ".join(map(repr, frame.columns))
        raise ColumnError(
            f"frame: no coordinates, no 'postal_code' and no 'city'; it has {headers}. "
            "Rename or add them."
        )
    placed = geocoding.place(given, geocoding.shared_gazetteer(settings), settings)
    placed["geocode_note"] = cleaning.join_notes(remarks, placed["geocode_note"])
    lon, lat = (placed[name].to_numpy(float) for name in ("lon", "lat"))
    return with_points(with_columns(frame, placed, _GEOCODED), lon, lat)


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
    index = office_index(open_on(offices, on))
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
        nearest_office_id=text_array(office_id),
        distance_m=distance_m,
        within_radius=pd.Series(within, frame.index),
        offices_within=pd.Series(offices_within, frame.index),
        verdict=text_array(verdicts(distance_m, uncertainties(frame), limit_m)),
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
    market_id = markets.locate(lon, lat, market_contract(areas), postal_code=codes)
    return frame.assign(market_id=text_array(market_id))


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
        ``revenue_usd`` and ``owner_rep_id``, what is missing counts as not known; a point without
        ``precision`` counts as given, to the building.
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
    prospects = prospect_contract(located).assign(
        segment=lambda rows: rules_of_plan.segments.classify(rows["employees"], rows["revenue_usd"])
    )
    accounts = pd.DataFrame(columns=["prospect_id", "territory_id"], dtype=object)
    if named_accounts is not None:
        accounts = check(
            ids_as_text(named_accounts, NAMED_ACCOUNTS), NAMED_ACCOUNTS, "named_accounts"
        )
    owned = plans.assignment.assign(
        prospects,
        check(
            completed(ids_as_text(territories, TERRITORIES), TERRITORIES),
            TERRITORIES,
            "territories",
        ),
        accounts,
        rules_of_plan,
        office_names=names_by_id(offices, "office_id"),
        market_names=names_by_id(areas, "market_id"),
    )
    return with_columns(located, owned, (*_LOCATED, *_OWNED))


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
    day = read_day(on) or dt.datetime.now(dt.UTC).date().isoformat()
    tables = reference.load()
    placed = homes.read_homes(home_texts(frame), geocoding.Gazetteer(tables))
    decided = decision.decide(placed, office_contract(offices), _eligibility(policy), on=day)
    decided = decided.rename(columns={"sentence": "reason"})
    names = ("decision", "reason", "remedy", "office_id", "distance_m", "uncertainty_m")
    return with_columns(frame, decided, names)


def _eligibility(policy: EligibilityPolicy | str | Path) -> EligibilityPolicy:
    if isinstance(policy, rules.EligibilityPolicy):
        return policy
    return rules.policy_named(str(policy))
