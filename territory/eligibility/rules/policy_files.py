"""Eligibility policies as TOML files: read, written, and the examples that ship with us."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from territory.eligibility.rules.policy import LISTS, policy_from
from territory.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.eligibility.rules.policy import EligibilityPolicy


EXAMPLES = ("fifty_miles", "road", "area_or_station", "relocation")
# What is written even where it is the default: a rule should say these things by itself.
_ALWAYS = ("unit", "comparison", "method", "offices", "until")


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


def policy_named(name: str) -> EligibilityPolicy:
    """Read an example by its name, or else a TOML file by its path."""
    return example(name) if name in EXAMPLES else read_eligibility_policy(Path(name))


def parse_eligibility_policy(text: str, where: str) -> EligibilityPolicy:
    """Read a policy from TOML text; ``where`` names it in errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{where}: not readable as TOML ({error}).") from error
    return policy_from(table, where)


def policy_text(policy: EligibilityPolicy) -> str:
    """Write a policy as TOML; reading it again gives the same policy."""
    table = _table(policy)
    criteria, exceptions = (table.pop(name, []) for name in LISTS)
    grandfathering = table.pop("grandfathering", None)
    parts = [_lines(table)]
    parts += [f"[[any_of]]\n{_lines(each)}" for each in criteria]
    if grandfathering is not None:
        parts.append(f"[grandfathering]\n{_lines(grandfathering)}")
    parts += [f"[[exceptions]]\n{_lines(each)}" for each in exceptions]
    return "\n".join(parts)


def _table(settings: Any) -> dict[str, Any]:
    """What differs from the defaults, and all that has none."""
    table: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name in LISTS:
            table[field.name] = [_table(each) for each in value]
        elif dataclasses.is_dataclass(value):
            table[field.name] = _table(value)
        elif value != field.default or field.name in _ALWAYS:
            table[field.name] = value
    return table


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in table.items())


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value))
