"""Draft of a plan, from tables: segment, nearest office, verdict, market, owner, findings.

Pure: the same tables on the same day give the same draft, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from territory import markets
from territory.geodesy import OfficeIndex, PolygonIndex, verdicts
from territory.plans import assignment, checks, plan
from territory.plans.overlap_checks import shared_zip_codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from territory.policy import Policy

    Floats = npt.NDArray[np.float64]

# Facts kept with each assignment, so that a plan can explain itself later on.
FACTS = ("name", "status", "owner_rep_id", "locality", "lon", "lat", "precision", "uncertainty_m")


@dataclass(frozen=True)
class Draft:
    """A plan that is not published: its parts, by the name of the table that would hold each."""

    policy: Policy
    parts: Mapping[str, pd.DataFrame]
    counts: Mapping[str, int]
    sizes: Mapping[str, int]
    digest: str

    @property
    def findings(self) -> pd.DataFrame:
        """What is wrong with it."""
        return self.parts["findings"]


def draft(
    tables: Mapping[str, pd.DataFrame], counties: gpd.GeoDataFrame, policy: Policy, today: str
) -> Draft:
    """Work out who owns what.

    Parameters
    ----------
    tables
        As the store holds them, by kind: prospects, offices, reps, markets (geometry as WKB),
        territories, named_accounts.
    counties
        county name, state_code and geometry, for "Cook County, IL".
    today
        ISO day: offices that are not open on it do not count.
    """
    offices, areas = tables["offices"], as_areas(tables["markets"])
    is_open = open_on(offices, today)
    prospects = locate(tables["prospects"], offices[is_open], areas, counties, policy)
    assignments = assignment.assign(
        prospects,
        tables["territories"],
        tables["named_accounts"],
        policy,
        rep_names=names(tables["reps"], "rep_id"),
        market_names=names(tables["markets"], "market_id"),
        office_names=names(offices, "office_id"),
    )
    facts = pd.concat([assignments, prospects[list(FACTS)]], axis=1)
    overlaps = markets.areas.overlaps(areas)
    situation = checks.Situation(
        assigned=facts,
        in_two=in_two_markets(prospects, areas),
        overlaps=_on_the_ground(overlaps, areas),
        shared_zips=shared_zip_codes(prospects, tables["markets"]),
        offices=offices,
        reps=tables["reps"],
        markets=tables["markets"],
        territories=tables["territories"],
        named_accounts=tables["named_accounts"],
        policy=policy,
    )
    findings = checks.findings(situation)
    kinds = ("offices", "reps", "markets", "territories", "named_accounts")
    made_of = {name: tables[name] for name in kinds}
    parts = plan.with_counts({**made_of, "assignments": facts, "findings": findings})
    return Draft(
        policy=policy,
        parts=parts,
        counts=plan.totals(facts, len(findings)),
        sizes=situation.sizes,
        digest=plan.digest(policy, parts),
    )


def names(frame: pd.DataFrame, key: str) -> dict[str, str]:
    """Map the ids of a frame to its names."""
    return dict(zip(frame[key], frame["name"], strict=True))


def as_areas(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Turn markets with WKB into a GeoDataFrame in WGS84."""
    shapes = shapely.from_wkb(table["geometry"].to_numpy(object))
    return gpd.GeoDataFrame(
        table.drop(columns="geometry"), geometry=gpd.GeoSeries(shapes, crs="EPSG:4326")
    )


def open_on(offices: pd.DataFrame, today: str) -> npt.NDArray[np.bool_]:
    """Tell which offices are open on a day: from opened_on on, until the day before closed_on."""
    opened = offices["opened_on"].fillna("0000-00-00").astype(str) <= today
    closed = offices["closed_on"].fillna("9999-99-99").astype(str) <= today
    return (opened & ~closed).to_numpy(bool)


def locate(
    prospects: pd.DataFrame,
    offices: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    counties: gpd.GeoDataFrame,
    policy: Policy,
) -> pd.DataFrame:
    """Add segment, nearest_office_id, distance_m, verdict, market_id and locality.

    Every prospect comes back exactly once, in the order given; without a location these are null,
    but for the segment. Offices without a location do not count.
    """
    number = len(prospects)
    is_placed = prospects["lon"].notna().to_numpy(bool)
    lon: Floats = prospects["lon"].to_numpy(float)[is_placed]
    lat: Floats = prospects["lat"].to_numpy(float)[is_placed]
    limit_m = policy.radius.limit_m
    office_id, distance_m = _blank(number), np.full(number, np.nan)
    verdict, market_id, locality = _blank(number), _blank(number), _blank(number)
    # Everything is worked out for those with a location and written to their places: NaN would
    # otherwise reach the spatial index.
    usable = offices[offices["lon"].notna()]
    if len(usable) and len(lon):
        index = OfficeIndex.from_frame(usable)
        nearest = index.nearest(lon, lat, limit_m, count=False)
        office_id[is_placed] = index.office_id[nearest.office]
        distance_m[is_placed] = nearest.distance_m
        uncertainty_m = prospects["uncertainty_m"].fillna(0.0).to_numpy(float)
        verdict = verdicts(distance_m, uncertainty_m, limit_m)
    if len(lon):
        if len(areas):
            codes = prospects["postal_code"].to_numpy(object)[is_placed]
            market_id[is_placed] = markets.locate(lon, lat, areas, postal_code=codes)
        locality[is_placed] = _localities(prospects[is_placed], lon, lat, counties)
    return prospects.reset_index(drop=True).assign(
        segment=policy.segments.classify(prospects["employees"], prospects["revenue_usd"]),
        nearest_office_id=office_id,
        distance_m=distance_m,
        verdict=verdict,
        market_id=market_id,
        locality=locality,
    )


def _blank(number: int) -> npt.NDArray[np.object_]:
    return np.full(number, None, dtype=object)


def _localities(
    placed: pd.DataFrame, lon: Floats, lat: Floats, counties: gpd.GeoDataFrame
) -> npt.NDArray[np.object_]:
    """Name the county each point lies in, or else its city and state or country."""
    county = PolygonIndex(counties.geometry).locate(lon, lat)
    called = (counties["name"] + ", " + counties["state_code"]).to_numpy(object)
    region = placed["state"].where(placed["state"].notna(), placed["country"])
    city = placed["city"].astype(object) + (", " + region.astype(object)).fillna("")
    elsewhere = city.where(city.notna(), region).astype(object)
    elsewhere = elsewhere.where(elsewhere.notna(), None)
    return np.where(county >= 0, called[county], elsewhere.to_numpy(object))


def _on_the_ground(overlaps: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Leave out slivers, and markets of ZIP codes that overlap: they share codes."""
    lists = areas.loc[areas["kind"] == "zip_code", "market_id"]
    both = overlaps["market_id"].isin(lists) & overlaps["other_id"].isin(lists)
    return overlaps[~overlaps["is_sliver"] & ~both]


def in_two_markets(prospects: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """List the prospects that more than one market holds.

    Markets of ZIP codes are left out: they are lists of addresses, and the outlines drawn for them
    would accuse prospects whose code is on no list.

    Returns
    -------
    pairs
        prospect_id, market_id (the one that counts), other_id; by prospect and other_id.
    """
    placed = prospects[prospects["market_id"].notna()]
    areas = areas[areas["kind"] != "zip_code"]
    columns = ["prospect_id", "market_id", "other_id"]
    if placed.empty or areas.empty:
        return pd.DataFrame(columns=columns, dtype=object)
    point, area = PolygonIndex(areas.geometry).locate_all(placed["lon"], placed["lat"])
    pairs = placed.iloc[point][["prospect_id", "market_id"]].reset_index(drop=True)
    pairs["other_id"] = areas["market_id"].to_numpy(object)[area]
    others = pairs[pairs["other_id"] != pairs["market_id"]]
    return others.sort_values(["prospect_id", "other_id"])[columns].reset_index(drop=True)
