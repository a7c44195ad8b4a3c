"""Decide eligibility: homes of people, by the policy in force, put on record in one go.

Three stores meet here and nowhere else: offices and register in the store, addresses in the home
store, ways by road in the routing server, if there is one.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import audit_log
from territory.eligibility.decision import (
    contents,
    data_vintage,
    distance_classes,
    make_record,
    measure,
    measured_text,
    parse_record,
    plain_reasons,
    register_records,
    software,
    with_digests,
)
from territory.eligibility.decision import decide as decide_homes
from territory.eligibility.desk.measured_homes import (
    addresses_of,
    judge_homes,
    measure_homes,
    offices_on,
    place,
    policy_for,
)
from territory.eligibility.desk.settings import DecisionRequest
from territory.eligibility.homes import PLACE, circumstances
from territory.eligibility.rules import (
    EligibilityLedger,
    check_reference,
    remedy_for_candidate,
    version_in_force,
)
from territory.errors import ConflictError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    import geopandas as gpd

    from territory.eligibility.decision import RoutingAdapter
    from territory.eligibility.homes import HomeStore
    from territory.eligibility.rules import EligibilityPolicy
    from territory.store import Store, Transaction

_CHUNK = 5_000  # homes whose measures are kept in one transaction
_ZIP = re.compile(r"[0-9]{5}(?:-[0-9]{4})?")
_POINT = ("lon", "lat", "uncertainty_m", "precision")
_REGISTER = (
    "subject", "home", "role", "decided_on", "decided_at", "decided_by", "policy_name",
    "policy_version", "decision", "basis", "office_id", "digest", "record",
)  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """What became of each home, in order: where it is, its decision, and the id of its record."""

    homes: pd.DataFrame = field(repr=False)
    rows: pd.DataFrame
    decision_ids: list[str]
    subjects: list[str | None]
    policy: EligibilityPolicy
    keep_until: str
    first: dict[str, Any] | None = field(repr=False)  # the exact record of the first home


@dataclass(frozen=True)
class CheckedHome:
    """The answer for one home, of which nothing is on record.

    ``reason`` and ``distance_class`` are what may leave HR. ``exact`` is the exact record, whose
    measures go with the home; ``home`` has lon, lat, uncertainty_m and precision, for the map of
    this answer alone.
    """

    reason: str
    distance_class: str | None
    exact: dict[str, Any] = field(repr=False)
    home: dict[str, Any] = field(repr=False)

    @property
    def verdict(self) -> dict[str, Any]:
        """Decision, sentence, remedy and what they rest on: ``decision.COLUMNS``, exactly."""
        verdict: dict[str, Any] = self.exact["decision"]
        return verdict


@dataclass(frozen=True)
class RecordedDecision(CheckedHome):
    """One decision on record; ``kept_until`` is an ISO day.

    ``record`` is what the store keeps. ``kept_until`` is None where no address is held, because the
    person has no reference.
    """

    decision_id: str
    record: dict[str, Any]
    kept_until: str | None


@dataclass(frozen=True)
class SelfCheck:
    """The answer to a candidate who gives a ZIP code. Nothing of it is stored."""

    decision: str
    sentence: str
    remedy: str | None
    policy: str


def decide_one(
    store: Store, homes: HomeStore, home: Mapping[str, str | None], request: DecisionRequest
) -> RecordedDecision:
    """Decide for one home and put the decision on record; the address goes to the home store.

    The same request at the same moment is the same decision, byte for byte.

    Parameters
    ----------
    home
        Texts in the columns of homes: ``PLACE``, and of ``PERSON`` what is known.

    Raises
    ------
    InputError
        If no home is given, or ``person_id`` might be a name or an address.
    NotFoundError
        If no policy holds on that day.
    """
    _check_home(home)
    decisions = decide(store, homes, pd.DataFrame([dict(home)], dtype=object), request)
    decision_id = decisions.decision_ids[0]
    with store.read() as transaction:
        text = EligibilityLedger(transaction).decision(decision_id).record
    checked = _checked(decisions.homes, decisions.rows, decisions.policy, decisions.first or {})
    return RecordedDecision(
        **vars(checked),
        decision_id=decision_id,
        record=parse_record(text, decision_id),
        kept_until=None if decisions.subjects[0] is None else decisions.keep_until,
    )


def check_home(
    store: Store, homes: HomeStore, home: Mapping[str, str | None], request: DecisionRequest
) -> CheckedHome:
    """Answer for one home as ``decide_one`` would, and keep nothing: no record, no address.

    Parameters and errors are those of ``decide_one``.
    """
    _check_home(home)
    rows = pd.DataFrame([dict(home)], dtype=object)
    case = measure_homes(store, rows, request)
    case.placed["home"] = pd.Series(homes.commitments(addresses_of(case, rows)), dtype=object)
    facts, verdicts, persons = judge_homes(case, request)
    first = next(contents(facts, case.policy, verdicts, persons, request.provenance()))
    return _checked(case.placed, verdicts, case.policy, first)


def _check_home(home: Mapping[str, str | None]) -> None:
    if not any(home.get(name) for name in PLACE):
        raise InputError("No home is given: give a ZIP code, a city and state, or coordinates.")
    if home.get("person_id"):
        check_reference(str(home["person_id"]))


def _checked(
    homes: pd.DataFrame, verdicts: pd.DataFrame, policy: EligibilityPolicy, first: dict[str, Any]
) -> CheckedHome:
    """Give the answer about the first home."""
    return CheckedHome(
        reason=plain_reasons(verdicts, policy).iloc[0],
        distance_class=distance_classes(verdicts, policy).iloc[0],
        exact=with_digests(first),
        home={name: homes[name].iloc[0] for name in _POINT},
    )


def check_one(
    home: Mapping[str, str | None],
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    *,
    on: str,
    asked_by: str,
    asked_at: str,
    areas: gpd.GeoDataFrame | None = None,
    routing: RoutingAdapter | None = None,
) -> dict[str, Any]:
    """Decide for one home, texts in the columns of homes, and keep nothing: give the record."""
    homes = place(pd.DataFrame([dict(home)], dtype=object))
    return make_record(
        measure(homes, offices, policy, on=on, areas=areas, routing=routing),
        policy,
        on=on,
        subject=home.get("person_id"),
        circumstances=circumstances(homes)[0],
        asked_by=asked_by,
        asked_at=asked_at,
        software=software(),
        data_vintage=data_vintage(),
        routing=None if routing is None else routing.name,
    )


def self_check(
    store: Store, zip_code: str, *, now: datetime, policy_name: str | None = None
) -> SelfCheck:
    """Answer a candidate who gives a ZIP code, and store nothing.

    Raises
    ------
    InputError
        If it is no ZIP code. The message does not repeat it.
    NotFoundError
        If no policy is in force.
    """
    code = zip_code.strip()
    if not _ZIP.fullmatch(code):
        raise InputError("That is no ZIP code. Give its five digits.")
    request = DecisionRequest("", now, policy_name)
    with store.read() as transaction:
        policy = policy_for(transaction, policy_name, request.day, set())
        offices = offices_on(transaction, request.day)
    rows = place(pd.DataFrame({"postal_code": [code]}, dtype=object))
    row = decide_homes(rows, offices, policy, on=request.day).iloc[0]
    remedy = remedy_for_candidate(row["remedy"])
    return SelfCheck(row["decision"], row["sentence"], remedy, policy.label)


def decide(
    store: Store,
    homes: HomeStore,
    rows: pd.DataFrame,
    request: DecisionRequest,
    *,
    decided: Callable[[int], object] = lambda _: None,
) -> Decisions:
    """Decide for homes, keep their addresses apart, and put every decision on record.

    Parameters
    ----------
    rows
        Text or null in the columns of homes (``PLACE`` and ``PERSON``). Where ``person_id`` is no
        reference, nothing is kept of the home and the record is about nobody.
    decided
        Hears how many rows are decided; may stop it by raising, and then nothing is on record.
    """
    case = measure_homes(store, rows, request)
    placed, policy = case.placed, case.policy
    # The home goes first: one too many is purged by age, one too few could never be had again.
    commitments = homes.keep(
        addresses_of(case, rows), now=request.now, keep_until=request.keep_until
    )
    placed["home"] = pd.Series(commitments, index=placed.index, dtype=object)
    facts, verdicts, persons = judge_homes(case, request)
    subjects = case.subjects
    exact = contents(facts, policy, verdicts, persons, request.provenance())
    kept = _keep_measures(homes, exact, commitments, decided)
    table = _table(register_records(kept, facts, policy, verdicts))
    with store.write() as transaction:
        _check_still_in_force(transaction, policy, request)
        ids = EligibilityLedger(transaction).add(table, str(request.today.year))
        if ids:
            audit_log.record(
                transaction,
                by=request.by,
                at=request.now,
                action="eligibility.decide",
                subject_kind="decision",
                subject_id=ids[0],
                detail={
                    "decisions": len(ids),
                    "last": ids[-1],
                    "policy": policy.label,
                    "counts": verdicts["decision"].value_counts().to_dict(),
                },
            )
    first = next(contents(facts, policy, verdicts, persons, request.provenance()), None)
    return Decisions(placed, verdicts, ids, subjects, policy, request.keep_until, first)


def _keep_measures(
    homes: HomeStore,
    exact: Iterable[dict[str, Any]],
    commitments: Iterable[str | None],
    decided: Callable[[int], object],
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Put what was measured beside each home; give each exact content with its commitment."""
    pairs, rows = zip(exact, commitments, strict=True), 0
    while chunk := list(itertools.islice(pairs, _CHUNK)):
        measured = [measured_text(content) for content, _ in chunk]
        marks = homes.keep_measures([mark for _, mark in chunk], measured)
        yield from zip([content for content, _ in chunk], marks, strict=True)
        rows += len(chunk)
        decided(rows)


def _check_still_in_force(
    transaction: Transaction, policy: EligibilityPolicy, request: DecisionRequest
) -> None:
    """Refuse to write what a policy published meanwhile decides otherwise."""
    versions = EligibilityLedger(transaction).policies(policy.name)
    if version_in_force(versions, request.day, policy.name).policy.digest != policy.digest:
        raise ConflictError(
            f"{policy.name}: another version was published meanwhile, for {request.day} too. "
            "Nothing is on record; decide again."
        )


def _table(records: Iterable[tuple[dict[str, Any], str]]) -> pd.DataFrame:
    """Give the rows of the register: each record as text, and what to find it by."""
    rows = []
    for record, text in records:  # one at a time: a record is far larger than its text
        request, policy, decision = record["asked"], record["policy"], record["decision"]
        rows.append(
            (
                request["subject"],
                request["home"],
                request["circumstances"].get("role"),
                request["on"],
                request["at"],
                request["by"],
                policy["name"],
                policy["version"],
                decision["decision"],
                decision["basis"],
                decision["office_id"],
                record["sha256"]["all"],
                text,
            )
        )
    return pd.DataFrame(rows, columns=list(_REGISTER), dtype=object)
