"""Market size: the establishments, jobs and wages of its counties, whole or in part.

The figures are those of ``reference.county_business``, for counties. A market of counties, metro
areas or states takes them whole. One of ZIP codes, and a drawn one by the ZIP codes whose point
lies in it, takes of each county the share of the business addresses that those ZIP codes have
(``reference.zip_business``): an estimate, as if jobs and wages were spread like addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from territory.markets.unit_lists import SEPARATOR

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from territory.reference import Reference

SOURCE = "US Bureau of Labor Statistics, Quarterly Census of Employment and Wages, 2025"
SHARE_SOURCE = "HUD-USPS ZIP code crosswalk, 4th quarter of 2025"
FIGURES = ("establishments", "employment", "wages_usd")


@dataclass(frozen=True)
class MarketSize:
    """What the counties of a market add up to.

    ``counties``: county_fips, name, state_code, share (0 to 1: how much of the county counts),
    establishments, employment, wages_usd (that share of the county's; NaN where the county has no
    figures), most employment first. The sums are over those with figures, None where none has any.
    ``zip_codes`` is how many a market of ZIP codes or a polygon has, ``zip_codes_in_business`` how
    many of them have a business address; None where counties count whole.
    """

    counties: pd.DataFrame
    establishments: float | None
    employment: float | None
    wages_usd: float | None
    zip_codes: int | None = None
    zip_codes_in_business: int | None = None

    @property
    def with_figures(self) -> int:
        """How many of the counties have figures."""
        return int(self.counties["employment"].notna().sum())

    @property
    def in_part(self) -> int:
        """How many of the counties count in part only."""
        return int((self.counties["share"] < 1).sum())

    @property
    def mean_wage_usd(self) -> float | None:
        """Wages of the year per job."""
        return self.wages_usd / self.employment if self.wages_usd and self.employment else None

    @property
    def basis(self) -> str:
        """How the figures were made, in one sentence, with N of M."""
        text = f"{self.with_figures:,} of {len(self.counties):,} counties have figures"
        if self.zip_codes is None:
            return f"{text}; each counts whole."
        bare = self.zip_codes - (self.zip_codes_in_business or 0)
        without = f" ({bare:,} without a business address)" if bare else ""
        return (
            f"{text}; {self.in_part:,} of {len(self.counties):,} count in part, by the share of "
            f"their business addresses that lies in {self.zip_codes:,} ZIP codes{without}."
        )

    def as_json(self) -> dict[str, Any]:
        """The size for a program to read."""
        counties = self.counties.astype(object).where(self.counties.notna(), None)
        return {
            "establishments": self.establishments,
            "employment": self.employment,
            "wages_usd": self.wages_usd,
            "counties": len(self.counties),
            "counties_with_figures": self.with_figures,
            "counties_in_part": self.in_part,
            "zip_codes": self.zip_codes,
            "zip_codes_in_business": self.zip_codes_in_business,
            "basis": self.basis,
            "source": SOURCE,
            "by_county": counties.to_dict("records"),
        }


def market_size(
    kind: str, units: str | None, geometry: BaseGeometry, reference: Reference
) -> MarketSize:
    """Add up the figures of a market's counties.

    Parameters
    ----------
    kind, units
        As in ``schemas.MARKETS``; units are codes joined by "|", as ``markets.define`` gives them.
    geometry
        The outline, WGS84 degrees; looked at only where ``kind`` is "polygon".
    """
    codes = (units or "").split(SEPARATOR)
    if kind in ("zip_code", "polygon"):
        zips = reference.zip_codes
        inside = (
            zips["zip_code"].isin(codes)
            if kind == "zip_code"
            else pd.Series(shapely.contains_xy(geometry, zips["lon"], zips["lat"]), zips.index)
        )
        members = zips.loc[inside, ["zip_code", "county_fips"]]
        businesses = reference.zip_business.merge(members[["zip_code"]], on="zip_code")
        shares = businesses.groupby("county_fips")["business_share"].sum()
        # A county without a business address in the list stays named, with nothing of it.
        bare = pd.Index(
            members.loc[~members["zip_code"].isin(businesses["zip_code"]), "county_fips"]
        )
        shares = shares.reindex(shares.index.union(bare.unique()), fill_value=0.0)
        return _sum(shares, reference, len(members), businesses["zip_code"].nunique())
    counties = reference.counties
    column = {"metro_area": "cbsa_code", "county": "county_fips", "state": "state_code"}[kind]
    whole = counties.loc[counties[column].isin(codes), "county_fips"]
    return _sum(pd.Series(1.0, index=whole), reference)


def _sum(
    shares: pd.Series,
    reference: Reference,
    zip_codes: int | None = None,
    zip_codes_in_business: int | None = None,
) -> MarketSize:
    """Take a share (0 to 1, by county_fips) of the figures of each county."""
    names = reference.counties.set_index("county_fips")[["name", "state_code"]]
    figures = reference.county_business.set_index("county_fips")[list(FIGURES)]
    # The shares of all ZIP codes of a county add up to 1 but for rounding.
    share = shares.where(shares < 1 - 1e-9, 1.0)
    weighted = figures.reindex(share.index).mul(share, axis=0).astype(float)
    frame = pd.concat(
        [pd.DataFrame(names).reindex(share.index), share.rename("share"), weighted], axis=1
    )
    frame = frame.rename_axis("county_fips").reset_index()
    frame = frame.sort_values(
        ["employment", "county_fips"], ascending=[False, True], ignore_index=True
    )
    sums = {
        name: float(np.round(frame[name].sum())) if frame[name].notna().any() else None
        for name in FIGURES
    }
    return MarketSize(
        frame,
        **sums,
        zip_codes=zip_codes,
        zip_codes_in_business=zip_codes_in_business,
    )
