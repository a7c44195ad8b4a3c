"""What belongs to a headquarters: its parent, its sites and the markets that those lie in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from territory import markets
from territory.plans import PlanLedger, ReadingLedger
from territory.reports.view_frames import Seen
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.access import Scope
    from territory.store import Store, Transaction

SITE_COLUMNS = (
    "site_id", "name", "city", "state", "lon", "lat", "precision", "uncertainty_mi", "lies",
    "market_name",
)  # fmt: skip
PARENT_COLUMNS = ("prospect_id", "name", "city", "state", "rep_name")
# Where a site lies: in the market of its headquarters, in another one, in none.
HERE, ELSEWHERE, NOWHERE = "here", "elsewhere", "nowhere"


@dataclass(frozen=True)
class Footprint:
    """The sites and the parent of one prospect; all is empty for a prospect out of reach.

    ``sites``: ``SITE_COLUMNS``, by id; lon and lat in WGS84 degrees, ``lies`` null where there is
    no location, ``market_name`` null in no market and in one that nobody within reach works in.
    ``parent``: ``PARENT_COLUMNS``, one row, or none where there is no parent or it is out of reach.
    """

    sites: pd.DataFrame
    parent: pd.DataFrame

    def count(self, lies: str) -> int:
        """How many sites lie there."""
        return int((self.sites["lies"] == lies).sum())

    @property
    def located(self) -> int:
        """How many sites have a location."""
        return int(self.sites["lies"].notna().sum())


def footprint(store: Store, prospect_id: str, *, scope: Scope) -> Footprint:
    """Find the sites and the parent of a prospect of the plan in force."""
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
        if plan is None:
            return Footprint(_empty(SITE_COLUMNS), _empty(PARENT_COLUMNS))
        seen = Seen(transaction, plan, scope)
        sites = ReadingLedger(transaction).on_file(
            "sites", plan.plan_id, scope.accounts, prospect_id=prospect_id
        )
        sites["uncertainty_mi"] = sites["uncertainty_m"] / METRES_PER_MILE
        sites["lies"], sites["market_name"] = None, None
        if len(sites):
            _locate(transaction, seen, prospect_id, sites)
        return Footprint(sites[list(SITE_COLUMNS)], _parent(transaction, seen, prospect_id))


def _locate(transaction: Transaction, seen: Seen, prospect_id: str, sites: pd.DataFrame) -> None:
    """Say of each site where it lies, and the market's name as far as that may be said."""
    plan_id = seen.plan.plan_id
    lon, lat = (sites[name].to_numpy(float) for name in ("lon", "lat"))
    areas = _near(PlanLedger(transaction).plan_part(plan_id, "markets"), lon, lat)
    codes = sites["postal_code"].to_numpy(object)
    held_by = markets.locate(lon, lat, areas, postal_code=codes)
    of_headquarters = PlanLedger(transaction).plan_part(
        plan_id, "assignments", prospect_id=prospect_id
    )
    home = of_headquarters["market_id"].iloc[0] if len(of_headquarters) else None
    lies = np.where(held_by == home, HERE, ELSEWHERE).astype(object)
    lies[pd.isna(held_by)] = NOWHERE
    lies[np.isnan(lon)] = None
    sites["lies"] = pd.Series(lies, dtype=object)
    reached = ReadingLedger(transaction).markets(plan_id, seen.scope.counted)
    names = dict(zip(reached["market_id"], reached["name"], strict=True))
    sites["market_name"] = pd.Series([names.get(one) for one in held_by], dtype=object)


def _near(
    areas: pd.DataFrame, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
) -> gpd.GeoDataFrame:
    """Keep the markets that can hold one of a few points: the others need no table made."""
    outlines = shapely.from_wkb(areas["geometry"].to_numpy(object))
    west, south, east, north = shapely.bounds(outlines).T[:, :, None]
    is_near = ((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)).any(axis=1)
    is_near |= areas["kind"].eq("zip_code").to_numpy()  # what such a market holds is a list
    near = areas[is_near].drop(columns="geometry")
    return gpd.GeoDataFrame(near, geometry=outlines[is_near], crs=4326).reset_index(drop=True)


def _parent(transaction: Transaction, seen: Seen, prospect_id: str) -> pd.DataFrame:
    """Give the parent as far as it may be seen: a parent out of reach is none at all."""
    parent_id = ReadingLedger(transaction).parent_id(
        seen.plan.plan_id, seen.scope.accounts, prospect_id=prospect_id
    )
    if parent_id is None:
        return _empty(PARENT_COLUMNS)
    parent = seen.prospects(prospect_id=parent_id)
    if parent.empty:
        parent = seen.names_beyond(prospect_id=parent_id)
    return parent[list(PARENT_COLUMNS)]


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))
