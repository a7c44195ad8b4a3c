"""The decision record: what was decided, on which facts, by which rule; it can be judged again.

It holds no address and no coordinates of the home. Its bytes depend on what is handed in alone, and
its digests show a change; they are no signature, since whoever can write a record can write a
digest. That the decision follows from the facts is checked by deciding again.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility_files import policy_from
from territory.eligibility_verdict import COLUMNS, Facts, Measure, judge
from territory.eligibility_wording import FAULTS
from territory.errors import FileFormatError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.eligibility_policy import EligibilityPolicy

FORMAT = "territory eligibility decision 1"
SECTIONS = ("asked", "decision", "facts", "made_with", "policy")
_FACTS = (
    "fault", "uncertainty_m", "precision", "geocode_source", "expired_on", "decided_on",
    "road_distance_m", "road_time_s",
)  # fmt: skip


def make_record(
    facts: Facts,
    policy: EligibilityPolicy,
    *,
    on: str,
    row: int = 0,
    subject: str | None = None,
    asked_by: str,
    asked_at: str,
    software: str,
    data_vintage: str,
) -> dict[str, Any]:
    """Write down one decision. The same arguments give the same record, byte for byte.

    Parameters
    ----------
    facts, policy
        Of ``eligibility.measure``, and the policy that they were measured for.
    on
        The day that was decided for, ISO text.
    row
        Which of the homes.
    subject
        An id of the person, never an address.
    asked_by, asked_at
        Who wanted to know, and when (ISO text, UTC).
    software, data_vintage
        Name and version of this package; what the tables were that places were looked up in.
    """
    one = _take(facts, row)
    used = policy.exceptions[int(one.exception[0])] if one.exception[0] >= 0 else None
    rule = policy.as_dict()
    rule["exceptions"] = [e for e in rule["exceptions"] if used and e == _plain(used)]
    content = {
        "format": FORMAT,
        "asked": {"by": asked_by, "at": asked_at, "on": on, "subject": subject},
        "made_with": {"software": software, "data": data_vintage},
        "policy": {
            "name": policy.name,
            "version": policy.version,
            "digest": policy.digest,
            "rule": rule,
        },
        "facts": _facts_dict(one),
        "decision": _decision(one, policy),
    }
    return {**content, "sha256": _digests(content)}


def _plain(used: Any) -> dict[str, Any]:
    plain: dict[str, Any] = dict(vars(used))
    return plain


def canonical(content: Any) -> str:
    """JSON with sorted keys and no blanks; floats as their shortest text that reads back equal."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def record_text(record: Mapping[str, Any]) -> str:
    """The text of a record file: sorted and indented, so that people can read and compare it."""
    return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def parse_record(text: str, where: str) -> dict[str, Any]:
    """Read the text of a record file; ``FileFormatError`` if it is none."""
    try:
        record = json.loads(text)
    except ValueError as error:
        raise FileFormatError(f"{where}: no decision record, not even JSON ({error}).") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else record
        raise FileFormatError(f"{where}: no decision record: format is {found!r}, not {FORMAT!r}.")
    lacking = [name for name in (*SECTIONS, "sha256") if not isinstance(record.get(name), dict)]
    if lacking:
        raise FileFormatError(f"{where}: the record lacks {', '.join(map(repr, lacking))}.")
    return record


def verify(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Decide again from the recorded facts and say all that differs; empty if nothing does.

    Raises
    ------
    FileFormatError
        If the facts cannot be read as facts.
    """
    told = [
        f"{name}: was changed after the record was made (digest {is_[:12]}, recorded {was[:12]})"
        for name, is_, was in _compare_digests(record)
        if is_ != was
    ]
    try:
        policy = policy_from(record["policy"]["rule"], "the recorded policy")
        policy.check_in_force(str(record["asked"]["on"]))
        facts = _facts_from(record["facts"], policy)
        again = _decision(facts, policy)
    except PolicyError as error:
        return (*told, f"policy: {error}")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FileFormatError(
            f"The record cannot be decided again: {type(error).__name__} ({error}). "
            "Ask for it from where it was made."
        ) from error
    asked = record["asked"]
    told += [
        f"policy.exception of {e.person_id}: is not for {asked.get('subject')!r} on {asked['on']}"
        for e in policy.exceptions
        if e.person_id != asked.get("subject") or not e.granted_on <= asked["on"] < e.expires_on
    ]
    head = {"name": policy.name, "version": policy.version, "digest": policy.digest}
    told += [
        f"policy.{name}: recorded {record['policy'].get(name)!r}, the rule says {value!r}"
        for name, value in head.items()
        if record["policy"].get(name) != value
    ]
    told += [
        f"decision.{name}: recorded {record['decision'].get(name)!r}, the facts say "
        f"{again.get(name)!r}"
        for name in sorted({*again, *record["decision"]})
        if record["decision"].get(name) != again.get(name)
    ]
    return tuple(told)


def _digest(content: Any) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _digests(content: Mapping[str, Any]) -> dict[str, str]:
    """One digest for each section, so that a change can be named, and one over all."""
    parts = {name: _digest(content[name]) for name in SECTIONS}
    return {**parts, "all": _digest({**parts, "format": content["format"]})}


def _compare_digests(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    recorded = record["sha256"]
    return [(name, found, str(recorded.get(name))) for name, found in _digests(record).items()]


def _decision(facts: Facts, policy: EligibilityPolicy) -> dict[str, Any]:
    row = judge(facts, policy).iloc[0]
    return {name: _json(row[name]) for name in COLUMNS}


def _json(value: Any) -> Any:
    """A value of a frame as JSON has it; NaN and the like are null."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _take(facts: Facts, row: int) -> Facts:
    """The facts of one home."""
    at = slice(row, row + 1)
    measures = tuple(
        Measure(*(getattr(m, name)[at] for name in Measure.__dataclass_fields__))
        for m in facts.measures
    )
    kept = ("index", "office_id", "office_name", "measures")
    rest = {n: getattr(facts, n)[at] for n in Facts.__dataclass_fields__ if n not in kept}
    return Facts(
        index=pd.RangeIndex(1),
        office_id=facts.office_id,
        office_name=facts.office_name,
        measures=measures,
        **rest,
    )


def _facts_dict(one: Facts) -> dict[str, Any]:
    measures = []
    for m in one.measures:
        office = int(m.office[0])
        measures.append(
            {
                "value": _json(m.value[0]),
                "is_lower_bound": bool(m.is_lower_bound[0]),
                "office_id": one.office_id[office] if office >= 0 else None,
                "office_name": one.office_name[office] if office >= 0 else None,
                "fault": _json(m.fault[0]),
                "applies": bool(m.applies[0]),
            }
        )
    return {"measures": measures, **{name: _json(getattr(one, name)[0]) for name in _FACTS}}


def _facts_from(table: Mapping[str, Any], policy: EligibilityPolicy) -> Facts:
    """Facts as a record has them; errors of Python where they are none."""
    parts = table["measures"]
    if len(parts) != len(policy.any_of):
        raise ValueError(f"{len(parts)} measures for {len(policy.any_of)} criteria")
    odd = [f for f in (table["fault"], *(p["fault"] for p in parts)) if f and f not in FAULTS]
    if odd:
        raise ValueError(f"unknown fault {odd[0]!r}")

    def number(value: Any) -> np.ndarray:
        return np.array([np.nan if value is None else float(value)])

    def thing(value: Any) -> np.ndarray:
        return np.array([value], dtype=object)

    measures = tuple(
        Measure(
            number(part["value"]),
            np.array([bool(part["is_lower_bound"])]),
            np.array([at if part["office_id"] is not None else -1], np.int64),
            thing(part["fault"]),
            np.array([bool(part["applies"])]),
        )
        for at, part in enumerate(parts)
    )
    numbers = ("uncertainty_m", "road_distance_m", "road_time_s")
    return Facts(
        index=pd.RangeIndex(1),
        office_id=np.array([part["office_id"] for part in parts], dtype=object),
        office_name=np.array([part["office_name"] for part in parts], dtype=object),
        measures=measures,
        exception=np.array([0 if policy.exceptions else -1], np.int64),
        **{name: number(table[name]) if name in numbers else thing(table[name]) for name in _FACTS},
    )
