"""The exact decision record: what was decided, on which measures, by which rule.

It holds no address and no coordinates of the home, but distances to the metre, of which three give
the home away: a store keeps ``register_record`` in its place and the measures with the home. Its
bytes depend on what is handed in alone, and its digests show a change; they are no signature, since
whoever can write a record can write a digest. That the decision follows from the facts is checked
by deciding again.
"""

from __future__ import annotations

import hashlib
import json
import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.decision.provenance import Person, Provenance
from territory.eligibility.decision.verdict import COLUMNS, DecisionFacts, Measure, judge
from territory.eligibility.rules import FAULTS, in_present_words, policy_from
from territory.errors import FileFormatError, PolicyError
from territory.files import check_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from territory.eligibility.rules import EligibilityPolicy


FORMAT = "territory eligibility decision 1"
REGISTER_FORMAT = "territory eligibility decision 2"
SECTIONS = ("asked", "decision", "facts", "made_with", "policy")
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_FACTS = (
    "fault", "uncertainty_m", "precision", "geocode_source", "expired_on", "decided_on",
    "road_distance_m", "road_time_s",
)  # fmt: skip
_OFFICE = ("office_id", "office_name", "office_lon", "office_lat")


def make_record(
    facts: DecisionFacts,
    policy: EligibilityPolicy,
    *,
    on: str,
    row: int = 0,
    subject: str | None = None,
    circumstances: Mapping[str, str] | None = None,
    asked_by: str,
    asked_at: str,
    software: str,
    data_vintage: str,
    routing: str | None = None,
) -> dict[str, Any]:
    """Write down one decision. The same arguments give the same record, byte for byte.

    Parameters
    ----------
    facts, policy
        Of ``measure``, and the policy that they were measured for.
    row
        Which of the homes.
    subject, circumstances, on, asked_by, asked_at, software, data_vintage, routing
        See ``Person`` and ``Provenance``.
    """
    one = _take(facts, row)
    provenance = Provenance(asked_by, asked_at, on, software, data_vintage, routing)
    person = Person(subject, circumstances)
    return next(make_records(one, policy, judge(one, policy), [person], provenance))


def make_records(
    facts: DecisionFacts,
    policy: EligibilityPolicy,
    decisions: pd.DataFrame,
    people: Sequence[Person],
    provenance: Provenance,
) -> Iterator[dict[str, Any]]:
    """Write down many decisions, in order; each is what ``make_record`` gives for its row.

    Parameters
    ----------
    decisions
        What ``judge`` made of these facts and this policy.
    people
        One for each row.
    """
    for content in contents(facts, policy, decisions, people, provenance):
        yield with_digests(content)


def contents(
    facts: DecisionFacts,
    policy: EligibilityPolicy,
    decisions: pd.DataFrame,
    people: Sequence[Person],
    provenance: Provenance,
) -> Iterator[dict[str, Any]]:
    """Give what ``make_records`` writes down, without digests."""
    made_with = {
        "software": provenance.software,
        "data": provenance.data_vintage,
        "routing": provenance.routing,
    }
    rule = policy.as_dict() | {"exceptions": []}
    head = {"name": policy.name, "version": policy.version, "digest": policy.digest}
    common = {"made_with": made_with, "policy": {**head, "rule": rule}}
    rows = zip(people, _rows(_fact_columns(facts)), _measures(facts),
               _rows({name: _plain_list(decisions[name].to_numpy()) for name in COLUMNS}),
               facts.exception.tolist(), strict=True)  # fmt: skip
    for person, columns, measures, decision, exception in rows:
        content = {
            "format": FORMAT,
            "asked": {
                **({} if person.anonymous is None else {"anonymous": person.anonymous}),
                "by": provenance.by,
                "at": provenance.at,
                "on": provenance.on,
                "subject": person.subject,
                "home": person.home,
                "circumstances": None
                if person.circumstances is None
                else dict(person.circumstances),
            },
            **common,
            "facts": {"measures": list(measures), **columns},
            "decision": decision,
        }
        if exception >= 0:
            used = dict(vars(policy.exceptions[exception]))
            content["policy"] = {**head, "rule": {**rule, "exceptions": [used]}}
        yield content


def _rows(columns: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _fact_columns(facts: DecisionFacts) -> dict[str, list[Any]]:
    return {name: _plain_list(getattr(facts, name)) for name in _FACTS}


def _measures(facts: DecisionFacts) -> Iterator[tuple[dict[str, Any], ...]]:
    """Give what each criterion measured, row by row."""
    offices = [
        dict(zip(_OFFICE, values, strict=True))
        for values in zip(*(_plain_list(getattr(facts, name)) for name in _OFFICE), strict=True)
    ]
    nowhere = dict.fromkeys(_OFFICE)
    parts = []
    for m in facts.measures:
        columns = {"value": m.value, "fault": m.fault}
        flags = {"is_lower_bound": m.is_lower_bound, "applies": m.applies}
        lists = {name: _plain_list(values) for name, values in columns.items()}
        lists |= {name: values.tolist() for name, values in flags.items()}
        at = [offices[office] if office >= 0 else nowhere for office in m.office.tolist()]
        parts.append([{**row, **where} for row, where in zip(_rows(lists), at, strict=True)])
    return zip(*parts, strict=True)


def _plain_list(values: npt.NDArray[Any]) -> list[Any]:
    """An array as JSON has it; NaN and the like are null."""
    if values.dtype.kind == "f":
        return [None if math.isnan(value) else value for value in values.tolist()]
    return [plain_value(value) for value in values.tolist()]


def canonical(content: Any) -> str:
    """JSON with sorted keys and no blanks; floats as their shortest text that reads back equal."""
    return _CANONICAL.encode(content)


def record_text(record: Mapping[str, Any]) -> str:
    """The text of a record file: sorted and indented, so that people can read and compare it."""
    return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_record(path: Path) -> dict[str, Any]:
    """Read a record file; ``FileFormatError`` if it is none."""
    check_readable(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read ({error}).") from error
    return parse_record(text, str(path))


def parse_record(text: str, where: str) -> dict[str, Any]:
    """Read the text of a record file; ``FileFormatError`` if it is none."""
    try:
        record = json.loads(text)
    except ValueError as error:
        raise FileFormatError(f"{where}: no decision record, not even JSON ({error}).") from error
    if not isinstance(record, dict) or record.get("format") not in (FORMAT, REGISTER_FORMAT):
        name = record.get("format") if isinstance(record, dict) else record
        raise FileFormatError(
            f"{where}: no decision record: format is {name!r}, not {REGISTER_FORMAT!r}."
        )
    lacking = [name for name in (*SECTIONS, "sha256") if not isinstance(record.get(name), dict)]
    if lacking:
        raise FileFormatError(f"{where}: the record lacks {', '.join(map(repr, lacking))}.")
    return record


def verify_with(
    record: Mapping[str, Any],
    decide_again: Callable[[Mapping[str, Any], EligibilityPolicy], dict[str, Any]],
) -> tuple[str, ...]:
    """Decide again from the recorded facts and say all that differs; empty if nothing does.

    Parameters
    ----------
    decide_again
        Makes the decision of a record from its facts and its policy; ``decide_exactly`` for exact
        ones. Errors of Python where the facts are none.

    Raises
    ------
    FileFormatError
        If the facts cannot be read as facts.
    """
    differences = [
        f"{name}: was changed after the record was made (digest {is_[:12]}, recorded {was[:12]})"
        for name, is_, was in _compare_digests(record)
        if is_ != was
    ]
    try:
        policy = policy_from(record["policy"]["rule"], "the recorded policy")
        policy.check_in_force(str(record["asked"]["on"]))
        again = decide_again(record["facts"], policy)
        differences += _compare_roles(record, policy)
    except PolicyError as error:
        return (*differences, f"policy: {error}")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FileFormatError(
            f"The record cannot be decided again: {type(error).__name__} ({error}). "
            "Ask for it from where it was made."
        ) from error
    subject, on = record["asked"].get("subject"), record["asked"]["on"]
    differences += [
        f"policy.exception of {each.person_id}: is not for {subject!r} on {on}"
        for each in policy.exceptions
        if each.person_id != subject or not each.granted_on <= on < each.expires_on
    ]
    head = {"name": policy.name, "version": policy.version, "digest": policy.digest}
    differences += [
        f"policy.{name}: recorded {record['policy'].get(name)!r}, the rule says {value!r}"
        for name, value in head.items()
        if record["policy"].get(name) != value
    ]
    differences += [
        f"decision.{name}: recorded {record['decision'].get(name)!r}, the facts say "
        f"{again.get(name)!r}"
        for name in sorted({*again, *record["decision"]})
        if _in_present_words(record["decision"].get(name)) != again.get(name)
    ]
    return tuple(differences)


def _in_present_words(value: Any) -> Any:
    return in_present_words(value) if isinstance(value, str) else value


def _compare_roles(record: Mapping[str, Any], policy: EligibilityPolicy) -> list[str]:
    """Say which criteria were applied, or left out, against the recorded role."""
    circumstances = record["asked"].get("circumstances")
    if circumstances is None:
        return []
    role = circumstances.get("role")
    return [
        f"facts.measures {at}: applies is {part['applies']}, the rule says otherwise for {role!r}"
        for at, (part, rule) in enumerate(
            zip(record["facts"]["measures"], policy.any_of, strict=True), 1
        )
        if part["applies"] != (not rule.roles or role in rule.roles)
    ]


def digest_of(content: Any) -> str:
    """SHA-256 of canonical JSON."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def with_digests(content: Mapping[str, Any]) -> dict[str, Any]:
    """Add one digest for each section, so that a change can be named, and one over all."""
    return signed(content)[0]


def signed(
    content: Mapping[str, Any], ready: Mapping[str, str] = MappingProxyType({})
) -> tuple[dict[str, Any], str]:
    """Give a record with its digests, and its canonical text.

    Parameters
    ----------
    ready
        The canonical text of sections that many records share.
    """
    texts = {name: ready.get(name) or canonical(part) for name, part in content.items()}
    parts = {name: hashlib.sha256(texts[name].encode()).hexdigest() for name in SECTIONS}
    digests = {**parts, "all": digest_of({**parts, "format": content["format"]})}
    texts["sha256"] = canonical(digests)
    text = ",".join(f'"{name}":{texts[name]}' for name in sorted(texts))
    return {**content, "sha256": digests}, f"{{{text}}}"


def _compare_digests(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    content = {name: part for name, part in record.items() if name != "sha256"}
    recorded, again = record["sha256"], with_digests(content)["sha256"]
    return [(name, digest, str(recorded.get(name))) for name, digest in again.items()]


def decide_exactly(table: Mapping[str, Any], policy: EligibilityPolicy) -> dict[str, Any]:
    """Decide from the facts of an exact record."""
    row = judge(facts_from(table, policy), policy).iloc[0]
    return {name: plain_value(row[name]) for name in COLUMNS}


def plain_value(value: Any) -> Any:
    """A value of a frame as JSON has it; NaN and the like are null."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _take(facts: DecisionFacts, row: int) -> DecisionFacts:
    """The facts of one home."""
    at = slice(row, row + 1)
    measures = tuple(
        Measure(*(getattr(m, name)[at] for name in Measure.__dataclass_fields__))
        for m in facts.measures
    )
    whole = ("index", "measures", *_OFFICE)
    names = [name for name in DecisionFacts.__dataclass_fields__ if name not in whole]
    return DecisionFacts(
        index=pd.RangeIndex(1),
        measures=measures,
        **{name: getattr(facts, name) for name in _OFFICE},
        **{name: getattr(facts, name)[at] for name in names},
    )


def facts_from(table: Mapping[str, Any], policy: EligibilityPolicy) -> DecisionFacts:
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
    return DecisionFacts(
        index=pd.RangeIndex(1),
        office_id=np.array([part["office_id"] for part in parts], dtype=object),
        office_name=np.array([part["office_name"] for part in parts], dtype=object),
        office_lon=np.full(len(parts), np.nan),  # of no weight once distances are known
        office_lat=np.full(len(parts), np.nan),
        measures=measures,
        exception=np.array([0 if policy.exceptions else -1], np.int64),
        **{name: number(table[name]) if name in numbers else thing(table[name]) for name in _FACTS},
    )
