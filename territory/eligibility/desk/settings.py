"""Settings of the eligibility desk, and the request to decide that they make.

Settings say where homes are kept, and which areas and roads there are; a request adds who asks,
when, by which policy and for which day.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from territory.eligibility.decision import Provenance, data_vintage, open_router, software
from territory.eligibility.homes import HomeStore, open_homes
from territory.files import read_polygons
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from datetime import date, datetime

    import geopandas as gpd

    from territory.eligibility.decision import RoutingAdapter

HOMES = "homes.sqlite"  # in the folder of what the server keeps, unless another is named
KEEP_DAYS = 90  # convention: how long an address is held after the last decision about it


@dataclass(frozen=True)
class DecisionRequest:
    """A request to decide: by whom and when, and what beside the homes decides it.

    Parameters
    ----------
    by, now
        The person at the desk, and the clock (aware).
    policy_name
        Which policy; may be left out where only one is published.
    on
        The day to decide for, ISO text; by default that of ``now``, in UTC.
    areas, routing
        As for ``decision.measure``.
    keep_days
        How long addresses are held.
    batch_id
        Of a file that may be decided in several attempts: people without a reference are told apart
        by it and by their row, so that a later attempt finds its own records. By default by chance.
    """

    by: str
    now: datetime
    policy_name: str | None = None
    on: str | None = None
    areas: gpd.GeoDataFrame | None = field(default=None, repr=False)
    routing: RoutingAdapter | None = None
    keep_days: int = KEEP_DAYS
    batch_id: str | None = None

    @property
    def day(self) -> str:
        """The day to decide for."""
        return self.on or self.today.isoformat()

    @property
    def today(self) -> date:
        """The day of the clock, in UTC."""
        return self.now.astimezone(UTC).date()

    @property
    def keep_until(self) -> str:
        """The day from which the addresses are purged by age."""
        return (self.today + timedelta(days=self.keep_days)).isoformat()

    def provenance(self) -> Provenance:
        """The same as records have it."""
        routing = None if self.routing is None else self.routing.name
        return Provenance(
            self.by, utc_text(self.now), self.day, software(), data_vintage(), routing
        )


@dataclass(frozen=True)
class EligibilitySettings:
    """Where the home store is, and what policies about areas and roads need, if anything is set.

    ``areas`` is a file of polygons that bear the ids of their offices, ``routing`` the URL of a
    server of your own that knows roads (``decision.open_router``).
    """

    homes_url: str = field(repr=False)
    areas: Path | None = None
    routing: str | None = None

    @classmethod
    def from_environment(cls, folder: Path) -> EligibilitySettings:
        """Take what is set of TERRITORY_HOMES, TERRITORY_AREAS and TERRITORY_ROUTING."""
        areas = os.environ.get("TERRITORY_AREAS")
        return cls(
            os.environ.get("TERRITORY_HOMES") or f"sqlite:///{folder / HOMES}",
            Path(areas) if areas else None,
            os.environ.get("TERRITORY_ROUTING") or None,
        )

    def open_homes(self) -> HomeStore:
        """Open the home store."""
        return open_homes(self.homes_url)

    def request(
        self,
        *,
        by: str,
        now: datetime,
        policy_name: str | None = None,
        on: str | None = None,
        batch_id: str | None = None,
    ) -> DecisionRequest:
        """Make a request to decide under these settings.

        Raises
        ------
        FileFormatError
            If the areas cannot be read.
        InputError
            If the routing server is none that homes should be sent to.
        """
        areas = None if self.areas is None else _areas(self.areas)
        routing = None if self.routing is None else open_router(self.routing)
        return DecisionRequest(
            by, now, policy_name, on, areas=areas, routing=routing, batch_id=batch_id
        )


def read_areas(path: Path | None) -> gpd.GeoDataFrame | None:
    """Read the areas of offices: polygons with the office's id in a column id or market_id."""
    return None if path is None else read_polygons(path)


@functools.lru_cache(maxsize=1)
def _areas(path: Path) -> gpd.GeoDataFrame:
    return read_polygons(path)
