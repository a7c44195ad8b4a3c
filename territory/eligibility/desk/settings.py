"""What the desk has at hand beside the store: where homes are kept, areas of offices, and roads."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from territory.eligibility.decision import open_router
from territory.eligibility.desk.batch import read_areas
from territory.eligibility.desk.decide import Question
from territory.eligibility.homes import Homes, open_homes

if TYPE_CHECKING:
    from datetime import datetime

    import geopandas as gpd

HOMES = "homes.sqlite"  # in the folder of what the server keeps, unless another is named


@dataclass(frozen=True)
class Means:
    """Where the home store is, and what policies about areas and roads need, if anything is set.

    ``areas`` is a file of polygons that bear the ids of their offices, ``routing`` the URL of a
    server of your own that knows roads (``routing.open_router``).
    """

    homes_url: str = field(repr=False)
    areas: Path | None = None
    routing: str | None = None

    @classmethod
    def from_environment(cls, folder: Path) -> Means:
        """Take what is set of TERRITORY_HOMES, TERRITORY_AREAS and TERRITORY_ROUTING."""
        areas = os.environ.get("TERRITORY_AREAS")
        return cls(
            os.environ.get("TERRITORY_HOMES") or f"sqlite:///{folder / HOMES}",
            Path(areas) if areas else None,
            os.environ.get("TERRITORY_ROUTING") or None,
        )

    def open_homes(self) -> Homes:
        """Open the home store."""
        return open_homes(self.homes_url)

    def question(
        self, *, by: str, now: datetime, policy_name: str | None = None, on: str | None = None
    ) -> Question:
        """Ask by these means.

        Raises
        ------
        FileFormatError
            If the areas cannot be read.
        InputError
            If the routing server is none that homes should be sent to.
        """
        areas = None if self.areas is None else _areas(self.areas)
        return Question(by, now, policy_name, on, areas=areas, routing=open_router(self.routing))


@functools.lru_cache(maxsize=1)
def _areas(path: Path) -> gpd.GeoDataFrame | None:
    return read_areas(path)
