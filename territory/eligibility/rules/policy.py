"""Eligibility policies: what "lives within 50 miles of an office" means, as frozen, dated data.

``policy_from`` makes one of a plain table and names every breach. A policy file names the
alternatives of which one is enough, each a ``[[any_of]]``::

    name = "fifty-mile-rule"
    version = "2026-01"
    effective_from = 2026-01-01

    [[any_of]]
    limit = "50mi"
    comparison = "within"
    method = "geodesic"
    offices = "any_open"
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import LengthError, PolicyError
from territory.schemas import PRECISIONS
from territory.units_of_length import METRES_PER_MILE, parse_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    Reader = Callable[[Any], Any]


# A unit in metres, or in seconds for times.
UNITS = {"mi": METRES_PER_MILE, "km": 1000.0, "min": 60.0}
# "within" and "at least" hold at the limit itself, the other two do not.
COMPARISONS: dict[str, Callable[..., Any]] = {
    "within": np.less_equal,
    "less than": np.less,
    "more than": np.greater,
    "at least": np.greater_equal,
}
METHODS = ("geodesic", "road_distance", "road_time")
ORIGINS = ("office", "area")
OFFICE_SETS = ("any_open", "approved", "assigned")
CHANGES = ("home", "role")
_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_UNIT_NAMES = {
    "mi": "mi", "mile": "mi", "miles": "mi", "km": "km", "kilometre": "km", "kilometres": "km",
    "kilometer": "km", "kilometers": "km", "min": "min", "minute": "min", "minutes": "min",
}  # fmt: skip


@dataclass(frozen=True)
class Criterion:
    """One way to be eligible: a measure from a set of offices, compared with a limit.

    Parameters
    ----------
    limit, unit
        50 and "mi", "km" or "min".
    comparison
        "within" (at most), "less than", "more than" or "at least" the limit. The last two ask how
        far away a home is, as relocation rules do; of several offices the nearest counts.
    method
        "geodesic" (straight line on the WGS84 ellipsoid), "road_distance" or "road_time".
    origin
        "office": its point. "area": the nearest border of the polygon with the office's id, and 0
        inside it.
    offices
        "any_open", "approved" (those listed in ``approved``) or "assigned" (one for each home).
        Always only those that are open on the day.
    approved
        Ids of offices.
    roles
        The roles it holds for; for all if empty.
    """

    limit: float
    unit: str = "mi"
    comparison: str = "within"
    method: str = "geodesic"
    origin: str = "office"
    offices: str = "any_open"
    approved: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = [
            f"{name} = {value!r}: choose one of {', '.join(allowed)}"
            for name, value, allowed in (
                ("unit", self.unit, UNITS),
                ("comparison", self.comparison, COMPARISONS),
                ("method", self.method, METHODS),
                ("origin", self.origin, ORIGINS),
                ("offices", self.offices, OFFICE_SETS),
            )
            if value not in allowed
        ]
        if not 0 < self.limit < math.inf:
            wrong.append(f"limit = {self.limit:g}: must be more than 0")
        if (self.unit == "min") != (self.method == "road_time"):
            wrong.append(f"limit in {self.unit} with method {self.method!r}: minutes go with "
                         "road_time, miles and kilometres with the others")  # fmt: skip
        if self.origin == "area" and self.method != "geodesic":
            wrong.append(f"origin 'area' with method {self.method!r}: areas take geodesic only")
        if (self.offices == "approved") != bool(self.approved):
            wrong.append(f"offices = {self.offices!r} with approved = {list(self.approved)}: a "
                         "list of approved offices goes with offices = 'approved'")  # fmt: skip
        if wrong:
            raise PolicyError("; ".join(wrong))

    @property
    def limit_si(self) -> float:
        """The limit in metres, or in seconds for a time."""
        return self.limit * UNITS[self.unit]

    @property
    def is_near(self) -> bool:
        """Whether it asks for nearness; relocation rules ask for distance."""
        return self.comparison in ("within", "less than")

    def holds(self, measure: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Compare measures (metres or seconds, shape (n,)) with the limit; NaN never holds."""
        is_met: npt.NDArray[np.bool_] = COMPARISONS[self.comparison](measure, self.limit_si)
        return is_met


@dataclass(frozen=True)
class Grandfathering:
    """Who was eligible before ``decided_before`` stays so until a change of ``until``."""

    decided_before: str
    until: tuple[str, ...] = CHANGES

    def __post_init__(self) -> None:
        odd = [change for change in self.until if change not in CHANGES]
        if odd:
            raise PolicyError(f"until = {list(self.until)}: choose from {', '.join(CHANGES)}")


@dataclass(frozen=True)
class GrantedException:
    """One person is eligible whatever the distance, from ``granted_on`` to before ``expires_on``.

    Every exception ends: one that should last is granted again.
    """

    person_id: str
    reason: str
    approver: str
    granted_on: str
    expires_on: str

    def __post_init__(self) -> None:
        if self.expires_on <= self.granted_on:
            raise PolicyError(
                f"exception of {self.person_id}: expires_on {self.expires_on} is not after "
                f"granted_on {self.granted_on}"
            )


@dataclass(frozen=True)
class EligibilityPolicy:
    """The rule that eligibility is decided by; in force from ``effective_from`` to before
    ``effective_until``.

    Parameters
    ----------
    any_of
        The alternatives; one that holds is enough.
    review_band_m
        Straight-line and road distances this near to a limit are looked at by a person, however
        well the home is known.
    minimum_precision
        One of ``schemas.PRECISIONS``; a home known less precisely cannot be decided.
    """  # noqa: D205

    name: str
    version: str
    effective_from: str
    any_of: tuple[Criterion, ...]
    effective_until: str | None = None
    review_band_m: float = 0.0
    minimum_precision: str = "place"
    grandfathering: Grandfathering | None = None
    exceptions: tuple[GrantedException, ...] = ()

    def __post_init__(self) -> None:
        wrong = []
        if not self.any_of:
            wrong.append("no [[any_of]]: give at least one criterion")
        if self.effective_until is not None and self.effective_until <= self.effective_from:
            wrong.append(
                f"effective_until {self.effective_until} is not after effective_from "
                f"{self.effective_from}"
            )
        if self.minimum_precision not in PRECISIONS:
            wrong.append(
                f"minimum_precision = {self.minimum_precision!r}: choose one of "
                f"{', '.join(PRECISIONS)}"
            )
        if not 0 <= self.review_band_m < math.inf:
            wrong.append(f"review_band = {self.review_band_m}: must be 0 or more")
        if wrong:
            raise PolicyError("; ".join(wrong))

    @property
    def label(self) -> str:
        """Name and version, as reports have it."""
        return f"{self.name} {self.version}"

    def is_in_force(self, on: str) -> bool:
        """Whether it holds on a day (ISO text)."""
        return self.effective_from <= on and (
            self.effective_until is None or on < self.effective_until
        )

    def check_in_force(self, on: str) -> None:
        """Raise ``PolicyError`` if it does not hold on a day (ISO text)."""
        if not self.is_in_force(on):
            until = f" until {self.effective_until}" if self.effective_until else ""
            raise PolicyError(
                f"{self.label} holds from {self.effective_from}{until}, "
                f"not on {on}. Take the version of that day."
            )

    def as_dict(self) -> dict[str, Any]:
        """Everything in it, of types that JSON has."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain

    @property
    def digest(self) -> str:
        """SHA-256 of the rule: two policies with one digest differ in exceptions at most.

        Exceptions are about persons, so a record holds its own person's and nobody else's.
        """
        rule = self.as_dict() | {"exceptions": []}
        text = json.dumps(rule, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def policy_from(table: Mapping[str, Any], where: str) -> EligibilityPolicy:
    """Make a policy of a table as TOML has it, or of ``EligibilityPolicy.as_dict``.

    Raises
    ------
    PolicyError
        Naming every breach.
    """
    breaches: list[str] = []
    policy = _build(EligibilityPolicy, table, "", breaches)
    if breaches or policy is None:
        raise PolicyError(f"{where}: " + "; ".join(breaches) + ".")
    return policy  # type: ignore[no-any-return]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("must be a text that is not blank")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list of texts")
    return tuple(_text(part) for part in value)


def _day(value: Any) -> str:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise TypeError("must be a day such as 2026-01-31") from None


def _optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("must be a number with its unit, such as '50mi'")
    return float(value)


def _metres(value: Any) -> float:
    if not isinstance(value, str):
        return _number(value)
    return 0.0 if re.fullmatch(r"\s*0\s*(mi|km|m)?\s*", value) else parse_length(value)


# How each setting is read; a name that ends in ":" is a table or a list of tables.
_READ: dict[type[Any], dict[str, Reader | type[Any]]] = {
    Criterion: {
        "limit": _number, "unit": _text, "comparison": _text, "method": _text, "origin": _text,
        "offices": _text, "approved": _texts, "roles": _texts,
    },
    Grandfathering: {"decided_before": _day, "until": _texts},
    GrantedException: {
        "person_id": _text, "reason": _text, "approver": _text, "granted_on": _day,
        "expires_on": _day,
    },
    EligibilityPolicy: {
        "name": _text, "version": _text, "effective_from": _day,
        "effective_until": _optional(_day), "review_band_m": _metres, "minimum_precision": _text,
        "any_of": Criterion, "grandfathering": Grandfathering, "exceptions": GrantedException,
    },
}  # fmt: skip
LISTS = ("any_of", "exceptions")


def _build(kind: type[Any], table: Any, where: str, breaches: list[str]) -> Any:
    """Make one settings object, gathering every breach instead of stopping at the first."""
    if not isinstance(table, dict):
        breaches.append(f"{where or 'policy'}: must be a table, not {table!r}")
        return None
    readers, before = _READ[kind], len(breaches)
    values: dict[str, Any] = {}
    for key, value in _spread_limit(kind, table, where, breaches).items():
        name = f"{key}_m" if f"{key}_m" in readers else key
        read = readers.get(name)
        if read is None:
            breaches.append(f"no setting {where}{key!r}; there are {', '.join(readers)}")
        elif name in LISTS:
            parts = value if isinstance(value, list) else [value]
            elements = [
                _build(read, part, f"{where}{key} {at}: ", breaches)  # type: ignore[arg-type]
                for at, part in enumerate(parts, 1)
            ]
            values[name] = tuple(elements)
        elif isinstance(read, type):
            values[name] = None if value is None else _build(read, value, f"{key}: ", breaches)
        else:
            try:
                values[name] = read(value)
            except (TypeError, LengthError) as error:
                breaches.append(f"{where}{key} = {value!r}: {error}")
    required = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.name not in table
    ]
    breaches.extend(f"{where}{name} is missing" for name in required)
    if len(breaches) > before:
        return None
    try:
        return kind(**values)
    except PolicyError as error:
        breaches.append(f"{where}{error}")
        return None


def _spread_limit(
    kind: type[Any], table: dict[str, Any], where: str, breaches: list[str]
) -> dict[str, Any]:
    """Turn limit = "50mi" into its number and unit; the unit is never guessed."""
    text = table.get("limit")
    if kind is not Criterion or "limit" not in table or "unit" in table:
        return table
    match = _LIMIT.fullmatch(text) if isinstance(text, str) else None
    unit = match and _UNIT_NAMES.get(match[2].lower())
    if not match or not unit:
        breaches.append(
            f"{where}limit = {text!r}: write a number and mi, km or min, such as '50mi'"
        )
        return {key: value for key, value in table.items() if key != "limit"}
    return {**table, "limit": float(match[1]), "unit": unit}
