"""Frozen, versioned settings of every rule that decides something, read from TOML, with defaults.

A policy file holds only what differs from the defaults::

    name = "gtt-example"
    version = "2026-11-01"

    [radius]
    limit = "50mi"

    [segments]
    enterprise_min_employees = 10000
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import LengthError, PolicyError
from territory.lengths import METRES_PER_MILE, parse_length

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SEGMENTS = ("enterprise", "mid_market", "small", "unknown")
RULES = ("named_account", "retained_customer", "market_of_headquarters")


@dataclass(frozen=True)
class RadiusPolicy:
    """How near an office counts as served: a WGS84 geodesic of at most ``limit_m`` metres."""

    limit_m: float = 50 * METRES_PER_MILE


@dataclass(frozen=True)
class SegmentPolicy:
    """Who is enterprise and who is mid-market, by employees or, where larger, by yearly revenue.

    The defaults follow the common split: enterprise from 1,000 employees or $1 billion a year,
    mid-market from 100 employees or $50 million.
    """

    enterprise_min_employees: int = 1_000
    enterprise_min_revenue_usd: float = 1e9
    mid_market_min_employees: int = 100
    mid_market_min_revenue_usd: float = 5e7

    def classify(
        self, employees: npt.ArrayLike, revenue_usd: npt.ArrayLike
    ) -> npt.NDArray[np.object_]:
        """Give each company one of ``SEGMENTS``; NaN in both figures is "unknown".

        The higher of the two answers wins, so a small staff with a large revenue is enterprise.
        """
        staff, revenue = np.asarray(employees, float), np.asarray(revenue_usd, float)
        enterprise = (staff >= self.enterprise_min_employees) | (
            revenue >= self.enterprise_min_revenue_usd
        )
        mid_market = (staff >= self.mid_market_min_employees) | (
            revenue >= self.mid_market_min_revenue_usd
        )
        known = ~(np.isnan(staff) & np.isnan(revenue))
        chosen = np.select([enterprise, mid_market, known], SEGMENTS[:3], SEGMENTS[3])
        return chosen.astype(object)


@dataclass(frozen=True)
class GeocodingPolicy:
    """How far each kind of location may be from the truth, where the source does not say.

    ``no_area_uncertainty_m``: a ZIP code without an area (PO boxes, company-own codes) holds
    95 % of true locations within 10 miles. ``city_uncertainty_m``: the 95th percentile of
    city points.
    """

    given_uncertainty_m: float = 0.0
    no_area_uncertainty_m: float = 10 * METRES_PER_MILE
    city_uncertainty_m: float = 10 * METRES_PER_MILE


@dataclass(frozen=True)
class Policy:
    """The settings one plan is made under. ``name`` and ``version`` go into every record."""

    name: str = "default"
    version: str = "1"
    precedence: tuple[str, ...] = RULES
    radius: RadiusPolicy = field(default_factory=RadiusPolicy)
    segments: SegmentPolicy = field(default_factory=SegmentPolicy)
    geocoding: GeocodingPolicy = field(default_factory=GeocodingPolicy)

    def __post_init__(self) -> None:
        unknown = [rule for rule in self.precedence if rule not in RULES]
        if unknown or len(set(self.precedence)) != len(self.precedence):
            raise PolicyError(
                f"precedence = {list(self.precedence)}: name each rule once, "
                f"out of {', '.join(RULES)}."
            )


def read_policy(path: Path) -> Policy:
    """Read a policy from a TOML file; what the file leaves out keeps its default.

    Raises
    ------
    PolicyError
        If the file is no TOML, names a setting that does not exist, or a value has the wrong type.
        All breaches are named at once.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path}: not a readable TOML file ({error}).") from error
    breaches: list[str] = []
    policy: Policy | None = _build(Policy, table, "", breaches)
    if breaches or policy is None:
        raise PolicyError(f"{path}: " + "; ".join(breaches))
    return policy


def _build(kind: type[Any], table: dict[str, Any], where: str, breaches: list[str]) -> Any:
    """Make one settings object, gathering every breach instead of stopping at the first."""
    known = {item.name: item for item in dataclasses.fields(kind)}
    defaults, values = kind(), {}
    for key, value in table.items():
        name = f"{key}_m" if f"{key}_m" in known else key
        if name not in known:
            breaches.append(f"no setting {where}{key!r}; there are {', '.join(known)}")
            continue
        try:
            values[name] = _convert(value, getattr(defaults, name), f"{where}{key}.", breaches)
        except (TypeError, ValueError, LengthError) as error:
            breaches.append(f"{where}{key} = {value!r}: {error}")
    try:
        return kind(**values)
    except PolicyError as error:
        breaches.append(str(error))
        return None


def _convert(value: Any, default: Any, where: str, breaches: list[str]) -> Any:
    if dataclasses.is_dataclass(default):
        if not isinstance(value, dict):
            raise TypeError("must be a table")
        return _build(type(default), value, where, breaches)
    if isinstance(default, tuple):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, str):
        return parse_length(value)
    if isinstance(default, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"must be a number, as in {default}")
    return type(default)(value)
