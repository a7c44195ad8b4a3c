"""Eligibility policies from TOML, with every breach named; the examples that ship with us."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

from territory.eligibility.rules.policy import (
    Criterion,
    EligibilityPolicy,
    Grandfathering,
    GrantedException,
)
from territory.errors import LengthError, PolicyError
from territory.units_of_length import parse_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Reader = Callable[[Any], Any]

EXAMPLES = ("fifty_miles", "road", "area_or_station", "relocation")
_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_UNIT_NAMES = {
    "mi": "mi", "mile": "mi", "miles": "mi", "km": "km", "kilometre": "km", "kilometres": "km",
    "kilometer": "km", "kilometers": "km", "min": "min", "minute": "min", "minutes": "min",
}  # fmt: skip


def read_eligibility_policy(path: Path) -> EligibilityPolicy:
    """Read a policy from a TOML file.

    Raises
    ------
    PolicyError
        If the file is no TOML or breaks a rule of policies; all breaches are named at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read ({error}).") from error
    return parse_eligibility_policy(text, str(path))


def example(name: str) -> EligibilityPolicy:
    """Read a policy that ships with this package; ``EXAMPLES`` lists the names."""
    if name not in EXAMPLES:
        raise PolicyError(f"No example {name!r}: there are {', '.join(EXAMPLES)}.")
    file = f"eligibility_{name}.toml"
    return parse_eligibility_policy(
        (resources.files("territory_data") / file).read_text(encoding="utf-8"), file
    )


def parse_eligibility_policy(text: str, where: str) -> EligibilityPolicy:
    """Read a policy from TOML text; ``where`` names it in errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where}: not readable as TOML ({error}).") from error
    return policy_from(table, where)


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


def policy_text(policy: EligibilityPolicy) -> str:
    """Write a policy as TOML; reading it again gives the same policy."""
    table = _told(policy)
    criteria, exceptions = (table.pop(name, []) for name in _LISTS)
    grandfathering = table.pop("grandfathering", None)
    parts = [_lines(table)]
    parts += [f"[[any_of]]\n{_lines(each)}" for each in criteria]
    if grandfathering is not None:
        parts.append(f"[grandfathering]\n{_lines(grandfathering)}")
    parts += [f"[[exceptions]]\n{_lines(each)}" for each in exceptions]
    return "\n".join(parts)


def _told(settings: Any) -> dict[str, Any]:
    """Give what differs from the defaults, and all that has none."""
    told: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name in _LISTS:
            told[field.name] = [_told(each) for each in value]
        elif dataclasses.is_dataclass(value):
            told[field.name] = _told(value)
        elif value != field.default or field.name in _ALWAYS:
            told[field.name] = value
    return told


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_written(value)}\n" for name, value in table.items())


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value))


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
_LISTS = ("any_of", "exceptions")
# What is written even where it is the default: a rule should say these things by itself.
_ALWAYS = ("unit", "comparison", "method", "offices", "until")


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
        elif name in _LISTS:
            parts = value if isinstance(value, list) else [value]
            built = [
                _build(read, part, f"{where}{key} {at}: ", breaches)  # type: ignore[arg-type]
                for at, part in enumerate(parts, 1)
            ]
            values[name] = tuple(built)
        elif isinstance(read, type):
            values[name] = None if value is None else _build(read, value, f"{key}: ", breaches)
        else:
            try:
                values[name] = read(value)
            except (TypeError, LengthError) as error:
                breaches.append(f"{where}{key} = {value!r}: {error}")
    needed = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.name not in table
    ]
    breaches.extend(f"{where}{name} is missing" for name in needed)
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
    found = _LIMIT.fullmatch(text) if isinstance(text, str) else None
    unit = found and _UNIT_NAMES.get(found[2].lower())
    if not found or not unit:
        breaches.append(
            f"{where}limit = {text!r}: write a number and mi, km or min, such as '50mi'"
        )
        return {key: value for key, value in table.items() if key != "limit"}
    return {**table, "limit": float(found[1]), "unit": unit}
