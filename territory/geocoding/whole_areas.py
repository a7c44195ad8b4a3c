"""Whole areas of ZIP codes and cities: how far from its point a home in one may be.

The gazetteer states how far organisations are from the point of a place, because they gather. Homes
spread wider, so a decision about one goes by the radius that the table of ZIP codes states, and by
all ZIP codes of a city with their radii (docs/accuracy.md says how many homes those hold).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from territory.geocoding.gazetteer_index import zip_city_title
from territory.geodesy import inverse
from territory.reference import normalise_places

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from territory.reference import Reference


class WholeAreas:
    """Reaches of whole areas, by the title that ``geocode_source`` has for a place."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def reach_m(self, source: pd.Series) -> npt.NDArray[np.float64]:
        """Metres from the point of each ``geocode_source`` to the end of its area.

        NaN where it is no ZIP code and no city of ZIP codes.
        """
        reach: npt.NDArray[np.float64] = self._reaches.reindex(pd.Index(source)).to_numpy(float)
        return reach

    @cached_property
    def _reaches(self) -> pd.Series:
        zip_codes = self._reference.zip_codes
        stated = zip_codes["uncertainty_m"].to_numpy(float)
        alone = pd.Series(stated, "ZIP " + zip_codes["zip_code"])
        named = zip_codes[zip_codes["city"].notna()]
        key = [named["state_code"], normalise_places(named["city"])]
        middle = named.groupby(key)[["lon", "lat"]].transform("median")
        apart = inverse(middle["lon"], middle["lat"], named["lon"], named["lat"])
        # A ZIP code without an area is a counter for post boxes: nobody lives there.
        radius = named["uncertainty_m"].where(named["has_area"], 0.0).to_numpy(float)
        farthest = pd.Series(apart + radius, named.index).groupby(key).transform("max")
        cities = pd.Series(farthest.to_numpy(float), zip_city_title(named))
        both = pd.concat([alone, cities])
        return both.groupby(level=0).max()
