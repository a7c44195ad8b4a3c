"""Policies: frozen, versioned settings of every rule that decides, from TOML, with defaults.

A policy file holds only what differs from the defaults::

    name = "gtt-example"
    version = "2026-11-01"

    [radius]
    limit = "50mi"

    [segments]
    enterprise_min_employees = 10000

    [[geocoding.online.providers]]
    name = "nominatim"
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import LengthError, PolicyError
from territory.units_of_length import METRES_PER_MILE, parse_length

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

SEGMENTS = ("enterprise", "mid_market", "small", "unknown")
SCORE_PARTS = ("segment", "size", "nearness", "whitespace", "pipeline", "staleness")
RULES = ("named_account", "retained_customer", "market_of_headquarters")
# The placements that an online geocoder may be asked to better, and the order to ask for them in.
ASKABLE = ("unplaced", "ambiguous", "approximate")
_PUBLIC_NOMINATIM = "nominatim.openstreetmap.org"


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
        is_known = ~(np.isnan(staff) & np.isnan(revenue))
        segments = np.select([enterprise, mid_market, is_known], SEGMENTS[:3], SEGMENTS[3])
        return segments.astype(object)


@dataclass(frozen=True)
class ScorePolicy:
    """How much each part weighs, and where two of them are full or empty.

    Parameters
    ----------
    segment, size, nearness, whitespace, pipeline, staleness
        Weights, not negative. ``whitespace`` counts for a prospect without an open opportunity,
        ``pipeline`` for one with, ``staleness`` for one that nobody has touched lately.
    far_m
        The nearness part falls from full at an office to nothing this far away.
    stale_days
        The staleness part is full after this many days without activity, or without any ever.

    Raises
    ------
    PolicyError
        If a weight is negative or not a number, or all are 0.
    """

    segment: float = 25.0
    size: float = 20.0
    nearness: float = 20.0
    whitespace: float = 15.0
    pipeline: float = 10.0
    staleness: float = 10.0
    far_m: float = 50 * METRES_PER_MILE
    stale_days: int = 90

    def __post_init__(self) -> None:
        wrong = [
            item.name
            for item in dataclasses.fields(self)
            if not (np.isfinite(getattr(self, item.name)) and getattr(self, item.name) >= 0)
        ]
        if wrong:
            raise PolicyError(f"score: {', '.join(wrong)} must be 0 or more")
        if not (self.best > 0 and self.far_m > 0 and self.stale_days > 0):
            raise PolicyError("score: give a weight, far_m and stale_days above 0")

    @property
    def best(self) -> float:
        """The highest score that a prospect can have."""
        return float(sum(getattr(self, name) for name in SCORE_PARTS))


@dataclass(frozen=True)
class ProviderPolicy:
    """One online geocoder and how it may be asked.

    ``name`` is what geopy calls it. ``keys`` pairs an argument of geopy's geocoder, such as
    ``api_key``, with the environment variable that holds it: the key itself is stored nowhere.
    ``domain`` is a server of one's own; empty for the provider's. ``timeout_s`` bounds the whole
    answer; ``retries`` are made after ``retry_wait_s``, twice that, and so on. Answers are asked
    for again after ``keep_days``; 0 keeps them.
    """

    name: str = ""
    domain: str = ""
    scheme: str = "https"
    keys: tuple[tuple[str, str], ...] = ()
    min_delay_s: float = 1.0
    timeout_s: float = 10.0
    retries: int = 2
    retry_wait_s: float = 5.0
    keep_days: int = 0

    def __post_init__(self) -> None:
        label = f"provider {self.name!r}"
        wrong = [
            f"{label}: {name} = {getattr(self, name)} must be {least} or more"
            for name, least in (("min_delay_s", 0), ("retries", 0), ("retry_wait_s", 0))
            if not getattr(self, name) >= least
        ]
        if not self.name:
            wrong.append("a provider without a name: give the one that geopy has for it")
        elif not (self.name.isalnum() and self.name == self.name.lower()):
            wrong.append(f"{label}: geopy writes its names in lower case, without blanks")
        if not self.timeout_s > 0:
            wrong.append(f"{label}: timeout_s = {self.timeout_s} must be more than 0")
        if self.keep_days < 0:
            wrong.append(f"{label}: keep_days = {self.keep_days} must be 0 (for ever) or more")
        if self.scheme not in ("http", "https"):
            wrong.append(f"{label}: scheme = {self.scheme!r} must be http or https")
        is_public = self.name == "nominatim" and self.domain in ("", _PUBLIC_NOMINATIM)
        if is_public and self.min_delay_s < 1:
            wrong.append(
                f"{label}: min_delay_s = {self.min_delay_s}, but {_PUBLIC_NOMINATIM} allows one "
                "question a second; name a domain of your own to ask faster"
            )
        if wrong:
            raise PolicyError("; ".join(wrong))


@dataclass(frozen=True)
class OnlinePolicy:
    """Which online geocoders may be asked, in order of trust, for which rows, and how often.

    No provider, nobody is asked: the default. ``ask`` names placements of ``ASKABLE``. ``budget``
    is the most questions of one run, retries included. An answer whose provider gives it a match
    score under ``min_match_score`` places nobody. A row without a country is in
    ``default_country`` (ISO 3166-1 alpha-2). ``contact`` tells providers whom to write to. After
    ``give_up_after`` questions in a row without an answer a provider is left alone for the run.
    """

    providers: tuple[ProviderPolicy, ...] = field(default=(), metadata={"of": ProviderPolicy})
    ask: tuple[str, ...] = ASKABLE
    budget: int = 1_000
    min_match_score: float = 0.8
    default_country: str = "US"
    contact: str = ""
    give_up_after: int = 3

    def __post_init__(self) -> None:
        wrong = []
        names = [provider.name for provider in self.providers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            wrong.append(f"providers {', '.join(twice)} are there twice: name each once")
        if unknown := [name for name in self.ask if name not in ASKABLE]:
            wrong.append(f"ask = {unknown}: there are {', '.join(ASKABLE)}")
        if self.budget < 0:
            wrong.append(f"budget = {self.budget} must be 0 or more")
        if not 0 <= self.min_match_score <= 1:
            wrong.append(f"min_match_score = {self.min_match_score} must be between 0 and 1")
        if self.give_up_after < 1:
            wrong.append(f"give_up_after = {self.give_up_after} must be 1 or more")
        if wrong:
            raise PolicyError("; ".join(wrong))

    def choosing(self, names: Iterable[str]) -> OnlinePolicy:
        """Ask these providers only, in this order; one not in the policy has the defaults."""
        by_name = {provider.name: provider for provider in self.providers}
        providers = tuple(by_name.get(name) or ProviderPolicy(name=name) for name in names)
        return dataclasses.replace(self, providers=providers)


@dataclass(frozen=True)
class GeocodingPolicy:
    """How far each kind of location may be from the truth, where the source does not say.

    ``no_area_uncertainty_m``: a ZIP code without an area (PO boxes, company-own codes) holds
    95 % of true locations within 10 miles. ``city_uncertainty_m``: the 95th percentile of
    city points. ``online``: which geocoders may be asked over the network, none by default.
    """

    given_uncertainty_m: float = 0.0
    no_area_uncertainty_m: float = 10 * METRES_PER_MILE
    city_uncertainty_m: float = 10 * METRES_PER_MILE
    online: OnlinePolicy = field(default_factory=OnlinePolicy)


def read_geocoding_record(**record: Any) -> GeocodingPolicy:
    """Make the geocoding settings that a record of a policy holds as plain JSON values."""
    online = dict(record.pop("online", {}))
    if "providers" in online:
        online["providers"] = tuple(
            ProviderPolicy(**{**one, "keys": tuple(map(tuple, one.get("keys", ())))})
            for one in online["providers"]
        )
    if "ask" in online:
        online["ask"] = tuple(online["ask"])
    return GeocodingPolicy(**record, online=OnlinePolicy(**online))


@dataclass(frozen=True)
class Policy:
    """The settings one plan is made under. ``name`` and ``version`` go into every record."""

    name: str = "default"
    version: str = "1"
    precedence: tuple[str, ...] = RULES
    radius: RadiusPolicy = field(default_factory=RadiusPolicy)
    segments: SegmentPolicy = field(default_factory=SegmentPolicy)
    geocoding: GeocodingPolicy = field(default_factory=GeocodingPolicy)
    score: ScorePolicy = field(default_factory=ScorePolicy)

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
    fields_by_name = {item.name: item for item in dataclasses.fields(kind)}
    values = {}
    for key, value in table.items():
        name = f"{key}_m" if f"{key}_m" in fields_by_name else key
        if name not in fields_by_name:
            breaches.append(f"no setting {where}{key!r}; there are {', '.join(fields_by_name)}")
            continue
        try:
            values[name] = _convert(value, fields_by_name[name], f"{where}{key}.", breaches)
        except (TypeError, ValueError, LengthError) as error:
            breaches.append(f"{where}{key} = {value!r}: {error}")
    try:
        return kind(**values)
    except PolicyError as error:
        breaches.append(str(error))
        return None


def _convert(value: Any, setting: dataclasses.Field[Any], where: str, breaches: list[str]) -> Any:
    make: Any = setting.default_factory
    default: Any = setting.default if make is dataclasses.MISSING else make()
    if dataclasses.is_dataclass(default):
        if not isinstance(value, dict):
            raise TypeError("must be a table")
        return _build(type(default), value, where, breaches)
    if "of" in setting.metadata:
        return _several(setting.metadata["of"], value, where, breaches)
    if isinstance(default, tuple):
        return _pairs(value) if isinstance(value, dict) else _texts(value)
    if setting.name.endswith("_m") and isinstance(value, str):
        return parse_length(value)
    if isinstance(default, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"must be a number, as in {default}")
    return type(default)(value)


def _pairs(value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(text)) for name, text in value.items()))


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list")
    return tuple(map(str, value))


def _several(kind: type[Any], value: Any, where: str, breaches: list[str]) -> tuple[Any, ...]:
    """Make one settings object of each table in a list; a bare name stands for its defaults."""
    if not isinstance(value, list):
        raise TypeError("must be a list")
    tables = [one if isinstance(one, dict) else {"name": str(one)} for one in value]
    settings = [_build(kind, table, where, breaches) for table in tables]
    return tuple(one for one in settings if one is not None)
