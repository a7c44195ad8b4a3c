"""Feature faults: why a feature of a polygon file is no market, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from territory.files.outline_checks import misplaced

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

_POLYGONAL = ("Polygon", "MultiPolygon")


class FeatureFaults:
    """The features that are refused, with reason and remedy, while a file is read."""

    def __init__(self, name: pd.Series, market_id: pd.Series) -> None:
        self.name, self.market_id = name.to_numpy(object), market_id.to_numpy(object)
        self.by_feature: dict[int, tuple[str, str]] = {}

    def refuse(self, at: int, reason: str, remedy: str) -> None:
        """Refuse a feature; the first reason counts."""
        self.by_feature.setdefault(at, (f"{self.label(at)} {reason}", remedy))

    def label(self, at: int) -> str:
        """Call a feature by its number and its name."""
        name = self.name[at]
        return f"feature {at + 1}" + ("" if name is None else f" ({name})")

    def refuse_incomplete(self, geometry: gpd.GeoSeries) -> None:
        """Refuse features without name, id or polygon."""
        blank = pd.isna(self.name) | pd.isna(self.market_id) | (self.market_id == "")
        for at in map(int, np.flatnonzero(blank)):
            self.refuse(at, "has no name or no id", "Give it one.")
        shape = geometry.geom_type.where(~(geometry.isna() | geometry.is_empty), "nothing")
        areas = np.array([has_area(one) for one in geometry], bool)
        for at in map(int, np.flatnonzero(~areas)):
            self.refuse(
                at, f"is {shape.iloc[at]}, not a polygon", "Draw its outline, or leave it out."
            )

    def refuse_unusable(self, ground: npt.NDArray[np.object_]) -> None:
        """Refuse areas with no ground, off the globe, half round it, or where none is meant."""
        bounds = shapely.bounds(ground)
        for at in map(int, np.flatnonzero(shapely.is_empty(ground))):
            self.refuse(at, "has an outline that holds no ground", "Draw it again.")
        usable = np.array([at not in self.by_feature for at in range(len(ground))], bool)
        outlines = np.where(usable, ground, shapely.Polygon())
        for at, fault in enumerate(misplaced(outlines)):
            if fault:
                self.refuse(at, *fault)
        with np.errstate(invalid="ignore"):
            off = ~((np.abs(bounds) <= (540, 90, 540, 90)).all(axis=1))
        for at in map(int, np.flatnonzero(off)):
            west, south, east, north = bounds[at]
            self.refuse(
                at,
                f"lies off the globe, lon {west:.6g} to {east:.6g}, lat {south:.6g} to {north:.6g}",
                "The file's coordinate system is not the one it names: save it again.",
            )
        parts, owner = shapely.get_parts(ground, return_index=True)
        span = shapely.bounds(parts)
        width = span[:, 2] - span[:, 0]
        for at in map(int, np.unique(owner[(width > 180) & (width < 360)])):
            self.refuse(
                at,
                "has one part across more than half the globe",
                "Cut it at 180 degrees, as RFC 7946 section 3.1.9 says.",
            )

    def refuse_ambiguous(self, layer: pd.Series) -> None:
        """Refuse features with the id of one that has another name, or lies in another folder."""
        first: dict[str, int] = {}
        layers = layer.to_numpy(object)
        for at, market_id in enumerate(self.market_id):
            if at in self.by_feature:
                continue
            before = first.setdefault(market_id, at)
            if self.name[before] != self.name[at]:
                self.refuse(
                    at,
                    f"has the id {market_id!r} of {self.label(before)}",
                    "Give it another id.",
                )
            elif layers[before] != layers[at]:
                self.refuse(
                    at,
                    f"has the name of a market in the folder {layers[before]!r}",
                    "Give it another name, or put both into one folder.",
                )

    def table(self) -> pd.DataFrame:
        """List them: line, key, reason, remedy."""
        rows = [
            (at + 1, self.market_id[at], reason, remedy)
            for at, (reason, remedy) in sorted(self.by_feature.items())
        ]
        return pd.DataFrame(rows, columns=["line", "key", "reason", "remedy"])


def has_area(shape: shapely.Geometry | None) -> bool:
    """Tell whether a shape is a polygon or has one among its parts."""
    parts = [] if shape is None else getattr(shape, "geoms", [shape])
    return any(part.geom_type in _POLYGONAL or _has_geoms(part) for part in parts)


def _has_geoms(shape: Any) -> bool:
    return shape.geom_type == "GeometryCollection" and has_area(shape)
