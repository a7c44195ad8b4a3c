"""Decisions on record: search, read and verify them, and purge the homes behind them.

The clock comes in as ``now`` (aware), the person at the desk as ``by``. A decision on record has
distances in classes, and can be verified a year later, with its home or without; exact ones lie
with the home and are given only to who hands in the home store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import audit_log
from territory.eligibility.decision import (
    COLUMNS,
    DECISION,
    data_vintage,
    exact_record,
    is_exact,
    is_restated,
    parse_record,
    plain_reasons,
    register_record,
    verify,
)
from territory.eligibility.desk import upload_files
from territory.eligibility.desk.exact_records import move_measures, register_and_exact
from territory.eligibility.homes import commitment
from territory.eligibility.rules import (
    DecisionFilter,
    EligibilityLedger,
    check_reference,
    policy_from,
)
from territory.geodesy import inverse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Row

    from territory.eligibility.homes import HomeStore
    from territory.eligibility.rules import EligibilityPolicy
    from territory.store import Store

SEARCH_COLUMNS = (
    "decision_id", "subject", "decided_on", "decided_at", "decided_by", "policy_name",
    "policy_version", "decision", "basis", "office_id", "office_name", "reason", "remedy",
)  # fmt: skip
EXACT_COLUMNS = ("distance_m", "duration_s", "uncertainty_m")
HELD, PURGED, NEVER, LOST = "held", "purged", "never kept", "not held"
_SLACK_M = 1e-6  # another machine's mathematics may differ in the last digits
_GIVEN = "coordinates given"
_RESTATED = (
    "An upgrade moved its exact distances out of the record: a SHA-256 printed before is another."
)


@dataclass(frozen=True)
class HomePurgeReport:
    """How many homes were deleted for good, how many are left, how many batch files went too."""

    purged: int
    left: int
    files: int = 0

    @property
    def sentence(self) -> str:
        """The report in one line."""
        files = f" {self.files:,} batch files removed." if self.files else ""
        return (
            f"{self.purged:,} homes purged, {self.left:,} still held.{files} The decisions stand; "
            "copies in backups are not reached from here."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {"purged": self.purged, "left": self.left, "files": self.files}


@dataclass(frozen=True)
class Verification:
    """The outcome of verifying a decision: it stands where ``differences`` is empty.

    ``home``: one of "held", "purged", "never kept", "not held"; ``home_sentence`` says what that
    means for this decision.
    """

    decision_id: str
    differences: tuple[str, ...]
    home: str
    home_sentence: str

    @property
    def stands(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def sentence(self) -> str:
        """The outcome in one line."""
        if self.differences:
            return f"{self.decision_id}: {len(self.differences)} differences; it does not stand."
        return (
            f"{self.decision_id} verified: the decision follows from the recorded facts, and "
            f"nothing was changed. {self.home_sentence}"
        )

    def as_json(self) -> dict[str, Any]:
        """The outcome for a program to read."""
        return {
            "decision_id": self.decision_id,
            "verified": self.stands,
            "differences": list(self.differences),
            "home": self.home,
            "home_sentence": self.home_sentence,
        }


def search_decisions(
    store: Store,
    where: DecisionFilter | None = None,
    *,
    homes: HomeStore | None = None,
    offset: int = 0,
    limit: int | None = 100,
) -> tuple[pd.DataFrame, int]:
    """Find decisions, the last ones first, and say how many there are in all.

    Parameters
    ----------
    homes
        For those who may know exact distances: where they are, as long as the home is held.

    Returns
    -------
    table
        ``SEARCH_COLUMNS`` and ``distance_class``; with ``homes`` ``EXACT_COLUMNS`` too, null where
        the home is not held.
    total
        However many are asked for.
    """
    with store.read() as transaction:
        listed, total = EligibilityLedger(transaction).search(
            where or DecisionFilter(), offset=offset, limit=limit
        )
    both = register_and_exact(listed["record"].tolist(), homes)
    kept = pd.DataFrame([each["decision"] for each, _ in both], columns=list(DECISION))
    names = [name for name in listed.columns if name not in kept.columns]
    table = pd.concat([listed[names], kept], axis=1)
    table["reason"] = table["sentence"] if homes is not None else _plain_reasons(table, both)
    if homes is None:
        return table[[*SEARCH_COLUMNS, "distance_class"]], total
    exact = pd.DataFrame(
        [each["decision"] if each else {} for _, each in both], columns=list(COLUMNS)
    )
    table["reason"] = exact["sentence"].where(exact["sentence"].notna(), table["reason"])
    floats = exact[list(EXACT_COLUMNS)].astype(float)
    return pd.concat([table[[*SEARCH_COLUMNS, "distance_class"]], floats], axis=1), total


def _plain_reasons(
    table: pd.DataFrame, records: list[tuple[dict[str, Any], dict[str, Any] | None]]
) -> pd.Series:
    """Give reasons that may leave HR, of decisions that were taken by several policies."""
    rules: dict[str, EligibilityPolicy] = {}
    for each, _ in records:
        part = each["policy"]
        if part["digest"] not in rules:
            rules[part["digest"]] = policy_from(part["rule"], part["name"])
    digests = pd.Series(
        [each["policy"]["digest"] for each, _ in records], table.index, dtype=object
    )
    reasons = pd.Series(None, table.index, dtype=object)
    for digest, rows in table.groupby(digests):
        reasons[rows.index] = plain_reasons(rows, rules[str(digest)])
    return reasons


def decision_record(store: Store, decision_id: str) -> dict[str, Any]:
    """Give the record of a decision: with distances in classes, whether its home is held or not.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    return _record(store, decision_id, None)[0]


def exact_decision_record(
    store: Store, homes: HomeStore, decision_id: str
) -> dict[str, Any] | None:
    """Give the exact record of a decision, for those who may know it; None once its home is gone.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    return _record(store, decision_id, homes)[1]


def _record(
    store: Store, decision_id: str, homes: HomeStore | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    with store.read() as transaction:
        row = EligibilityLedger(transaction).decision(decision_id)
    parse_record(row.record, decision_id)
    return register_and_exact([row.record], homes)[0]


def verify_decision(store: Store, homes: HomeStore, decision_id: str) -> Verification:
    """Decide again from the recorded facts; measure again too, where the home is still held.

    Raises
    ------
    NotFoundError
        If there is no such decision.
    FileFormatError
        If its record is none any more.
    """
    with store.read() as transaction:
        row = EligibilityLedger(transaction).decision(decision_id)
        versions = EligibilityLedger(transaction).policies(row.policy_name)
    record = parse_record(row.record, decision_id)
    differences = [*verify(record), *_compare_columns(row, record)]
    published = [v.policy.digest for v in versions if v.policy.version == row.policy_version]
    if record["policy"].get("digest") not in published:
        differences.append("policy.digest: is not that of the version in the register")
    home, sentence, more = _home(record, homes, is_sound=not differences)
    if is_restated(record):
        sentence += f" {_RESTATED}"
    return Verification(decision_id, (*differences, *more), home, sentence)


def _compare_columns(row: Row[Any], record: Mapping[str, Any]) -> list[str]:
    """Say where the row of the register and its record part."""
    request, policy, decision = record["asked"], record["policy"], record["decision"]
    recorded = {
        "subject": request.get("subject"),
        "home": request.get("home"),
        "decided_on": request.get("on"),
        "decided_at": request.get("at"),
        "decided_by": request.get("by"),
        "policy_name": policy.get("name"),
        "policy_version": policy.get("version"),
        "decision": decision.get("decision"),
        "basis": decision.get("basis"),
        "office_id": decision.get("office_id"),
        "digest": record["sha256"].get("all"),
    }
    return [
        f"register.{name}: is {getattr(row, name)!r}, the record says {value!r}"
        for name, value in recorded.items()
        if getattr(row, name) != value
    ]


def _home(
    record: Mapping[str, Any], homes: HomeStore, *, is_sound: bool
) -> tuple[str, str, list[str]]:
    """Say what is known of the home, and what measuring from it again finds."""
    mark = record["asked"].get("home")
    if mark is None:
        return NEVER, "No home was kept with it, so nothing can be measured again.", []
    stored = homes.find([mark])
    if stored.empty:
        purge = homes.purge_note(mark)
        if purge is None:
            return LOST, "Its home is not in this home store, and no purge of it is noted.", []
        at, by, why = purge
        reason = "on request" if why == "asked" else "by age"
        return PURGED, f"Its home was purged {reason} at {at} by {by}; the decision stands.", []
    home = stored.iloc[0]
    if commitment(home["salt"], home["given"]) != mark:
        return HELD, "Its home was changed.", ["home: was changed after it was kept"]
    exact, more = _measured(record, homes, home["salt"]) if is_sound else (None, [])
    if home["geocode_source"] != _GIVEN and record["made_with"]["data"] != data_vintage():
        return HELD, "Its home is held; other tables of places were used then.", more
    more += [] if exact is None else _measure_again(exact, float(home["lon"]), float(home["lat"]))
    return HELD, "Its home is held, and measuring again gives the same distances.", more


def _measured(
    record: Mapping[str, Any], homes: HomeStore, salt: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """Give the exact record from what lies with the home, and what is wrong with that."""
    if is_exact(record):  # of an earlier version, which kept it all in the store
        return dict(record), []
    mark = record["asked"]["measures"]
    text = homes.find_measures([mark]).get(mark) if mark else None
    if text is None:
        return None, ["measures: are not with the home"]
    if commitment(salt, text) != mark:
        return None, ["measures: were changed after they were kept"]
    exact = exact_record(record, json.loads(text))
    differences = [f"measures: {each}" for each in verify(exact)]
    again = register_record(exact, mark)
    differences += [
        f"{name}: is not what the measures say"
        for name in ("facts", "decision")
        if again[name] != record[name]
    ]
    return exact, differences


def _measure_again(record: Mapping[str, Any], lon: float, lat: float) -> list[str]:
    """Compare straight lines from the held home with those in the record."""
    differences = []
    rules = record["policy"]["rule"]["any_of"]
    for at, (part, rule) in enumerate(zip(record["facts"]["measures"], rules, strict=False), 1):
        recorded = part["value"]
        if recorded is None or (rule["method"], rule["origin"]) != ("geodesic", "office"):
            continue
        again = inverse([lon], [lat], [part["office_lon"]], [part["office_lat"]])[0]
        if not abs(again - recorded) <= _SLACK_M:
            differences.append(
                f"facts.measures {at}: measured again from the home, the distance differs"
            )
    return differences


def purge_person(
    store: Store,
    homes: HomeStore,
    subject: str,
    *,
    by: str,
    now: datetime,
    folder: Path | None = None,
) -> HomePurgeReport:
    """Delete every address held of one person for good; the decisions stand.

    Parameters
    ----------
    folder
        Where files of homes lie (``upload_files``): those that the person is in go, no others.
    """
    move_measures(store, homes, now=now)
    purged = homes.purge_subject(check_reference(subject), by=by, now=now)
    files = 0 if folder is None else upload_files.discard_of(folder, {subject})
    _note_purge(store, subject, len(purged), by, now)
    return HomePurgeReport(len(purged), homes.size(), files)


def purge_due(
    store: Store,
    homes: HomeStore,
    *,
    by: str,
    now: datetime,
    kept_before: str | None = None,
    folder: Path | None = None,
) -> HomePurgeReport:
    """Delete the addresses whose time is over, or that were kept before a day (ISO text).

    Parameters
    ----------
    folder
        Where files of homes lie (``upload_files``): those go whose time is over, that came before
        the day, or that somebody is in whose home is deleted now.
    """
    move_measures(store, homes, now=now)
    files = 0
    if folder is not None:  # first: once the homes are gone, nobody knows whose files go with them
        files = upload_files.sweep(folder, now, kept_before=kept_before)
        going = (
            homes.subjects_due(now)
            if kept_before is None
            else homes.subjects_kept_before(kept_before)
        )
        files += upload_files.discard_of(folder, going)
    if kept_before is None:
        purged = homes.purge_due(by=by, now=now)
    else:
        purged = homes.purge_kept_before(kept_before, by=by, now=now)
    _note_purge(store, "by age", len(purged), by, now)
    return HomePurgeReport(len(purged), homes.size(), files)


def _note_purge(store: Store, subject: str, purged: int, by: str, now: datetime) -> None:
    with store.write() as transaction:
        audit_log.record(
            transaction,
            by=by,
            at=now,
            action="eligibility.purge",
            subject_kind="person",
            subject_id=subject,
            detail={"homes_purged": purged},
        )
