"""How the desk decides: homes of people, by the rule in force, put on record in one go.

Three stores meet here and nowhere else: offices and register in the store, addresses in the home
store, ways by road in the routing server, if there is one.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import reference
from territory.access import audit_log
from territory.eligibility.decision import (
    Asked,
    Person,
    canonical,
    judge,
    make_records,
    measure,
    standing,
)
from territory.eligibility.desk.batch import data_vintage, software
from territory.eligibility.homes import circumstances, given_texts, read_homes
from territory.eligibility.rules import (
    EligibilityLedger,
    is_reference,
    standing_since,
    version_in_force,
    with_exceptions,
)
from territory.errors import ConflictError, InputError
from territory.geocoding import Gazetteer
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import geopandas as gpd

    from territory.eligibility.decision import RoutingAdapter
    from territory.eligibility.homes import Homes
    from territory.eligibility.rules import EligibilityPolicy
    from territory.store import Store, Transaction

KEEP_DAYS = 90  # convention: how long an address is held after the last decision about it


@dataclass(frozen=True)
class Question:
    """What is asked, by whom and when, and what beside the homes decides it.

    Parameters
    ----------
    by, now
        The person at the desk, and the clock (aware).
    policy_name
        Which policy; may be left out where only one is published.
    on
        The day to decide for, ISO text; by default that of ``now``, in UTC.
    areas, routing
        As for ``eligibility.measure``.
    keep_days
        How long addresses are held.
    """

    by: str
    now: datetime
    policy_name: str | None = None
    on: str | None = None
    areas: gpd.GeoDataFrame | None = field(default=None, repr=False)
    routing: RoutingAdapter | None = None
    keep_days: int = KEEP_DAYS

    @property
    def day(self) -> str:
        """The day to decide for."""
        return self.on or self.today.isoformat()

    @property
    def today(self) -> Any:
        """The day of the clock."""
        return self.now.astimezone(UTC).date()

    @property
    def keep_until(self) -> str:
        """The day from which the addresses are purged by age."""
        until: str = (self.today + timedelta(days=self.keep_days)).isoformat()
        return until

    def asked(self) -> Asked:
        """The same as records have it."""
        routing = None if self.routing is None else self.routing.name
        return Asked(self.by, utc_text(self.now), self.day, software(), data_vintage(), routing)


@dataclass(frozen=True)
class Decisions:
    """What became of each home, in order: the row, and the id of its record in the register."""

    rows: pd.DataFrame
    decision_ids: list[str]
    subjects: list[str | None]
    policy: EligibilityPolicy
    keep_until: str

    @property
    def shown(self) -> str:
        """Name and version of the policy."""
        return f"{self.policy.name} {self.policy.version}"


@functools.lru_cache(maxsize=1)
def _gazetteer() -> Gazetteer:
    """Make the gazetteer once: it takes most of a second."""
    return Gazetteer(reference.load())


def place(rows: pd.DataFrame) -> pd.DataFrame:
    """Place homes offline, as ``eligibility_homes.read_homes`` does."""
    return read_homes(rows, _gazetteer(), reference.load())


def offices_on(transaction: Transaction, day: str) -> pd.DataFrame:
    """Give the offices to measure from, those closed by a day among them.

    Raises
    ------
    InputError
        If an office that is not closed is not known exactly: its error would be no one's to see.
    """
    offices = transaction.table("offices")
    exact = offices["lon"].notna() & offices["lat"].notna() & ~(offices["uncertainty_m"] > 0)
    closed = offices["closed_on"].notna() & (offices["closed_on"].fillna("") <= day)
    vague = offices.loc[~exact & ~closed, "office_id"].tolist()
    if vague:
        raise InputError(
            f"Office {', '.join(map(repr, vague))}: the place is not known exactly, so no distance "
            "from it would be. Import it with its latitude and longitude."
        )
    return offices[exact].reset_index(drop=True)


def rule_for(
    transaction: Transaction, policy_name: str | None, day: str, subjects: set[str]
) -> EligibilityPolicy:
    """Give the policy in force on a day with the exceptions of some people."""
    version = version_in_force(EligibilityLedger(transaction).policies(), day, policy_name)
    entries = EligibilityLedger(transaction).exceptions(version.policy.name, subjects)
    return with_exceptions(version.policy, entries)


def decide(store: Store, homes: Homes, rows: pd.DataFrame, question: Question) -> Decisions:
    """Decide for homes, keep their addresses apart, and put every decision on record.

    Parameters
    ----------
    rows
        Text or null in the columns of ``eligibility_homes``. Where ``person_id`` is no reference,
        nothing is kept of the home and the record is about nobody.
    """
    placed = place(rows)
    subjects = [each if is_reference(each) else None for each in placed["person_id"]]
    placed["person_id"] = pd.Series(subjects, index=placed.index, dtype=object)
    people = {each for each in subjects if each is not None}
    with store.read() as transaction:
        policy = rule_for(transaction, question.policy_name, question.day, people)
        policy.check_in_force(question.day)
        offices = offices_on(transaction, question.day)
        history = EligibilityLedger(transaction).history(people)
    facts = measure(
        placed, offices, policy, on=question.day, areas=question.areas, routing=question.routing
    )
    kept = placed.assign(subject=placed["person_id"], given=given_texts(rows))
    # The home goes first: one too many is purged by age, one too few could never be had again.
    held = homes.keep(kept, now=question.now, keep_until=question.keep_until)
    placed["home"] = pd.Series(held, index=placed.index, dtype=object)
    told = circumstances(placed)
    placed["eligible_since"] = since(placed, history, policy, question.day)
    facts = dataclasses.replace(facts, decided_on=standing(placed, policy))
    found = judge(facts, policy)
    persons = [
        Person(subject, known, home)
        for subject, known, home in zip(subjects, told, placed["home"], strict=True)
    ]
    table = _table(make_records(facts, policy, found, persons, question.asked()))
    with store.write() as transaction:
        _check_still_in_force(transaction, policy, question)
        ids = EligibilityLedger(transaction).add(table, str(question.today.year))
        if ids:
            audit_log.record(
                transaction,
                by=question.by,
                at=question.now,
                action="eligibility.decide",
                subject_kind="decision",
                subject_id=ids[0],
                detail={
                    "decisions": len(ids),
                    "last": ids[-1],
                    "policy": f"{policy.name} {policy.version}",
                    "counts": found["decision"].value_counts().to_dict(),
                },
            )
    return Decisions(found, ids, subjects, policy, question.keep_until)


def _check_still_in_force(
    transaction: Transaction, policy: EligibilityPolicy, question: Question
) -> None:
    """Refuse to write what a policy published meanwhile decides otherwise."""
    versions = EligibilityLedger(transaction).policies(policy.name)
    if version_in_force(versions, question.day, policy.name).policy.digest != policy.digest:
        raise ConflictError(
            f"{policy.name}: another version was published meanwhile, for {question.day} too. "
            "Nothing is on record; decide again."
        )


def since(
    homes: pd.DataFrame, history: pd.DataFrame, policy: EligibilityPolicy, day: str
) -> pd.Series:
    """Give since when each person is eligible by decisions up to a day, where the policy minds."""
    if policy.grandfathering is None:
        return homes["eligible_since"]
    past = history[history["decided_on"] <= day]
    found = standing_since(homes, past, policy.grandfathering)
    return pd.Series(found, index=homes.index, dtype=object)


def _table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Give the rows of the register: each record as text, and what to find it by."""
    names = (
        "subject", "home", "role", "decided_on", "decided_at", "decided_by", "policy_name",
        "policy_version", "decision", "basis", "office_id", "digest", "record",
    )  # fmt: skip
    rows = []
    for record in records:  # one at a time: a record is far larger than its text
        asked, policy, told = record["asked"], record["policy"], record["decision"]
        rows.append(
            (
                asked["subject"],
                asked["home"],
                asked["circumstances"].get("role"),
                asked["on"],
                asked["at"],
                asked["by"],
                policy["name"],
                policy["version"],
                told["decision"],
                told["basis"],
                told["office_id"],
                record["sha256"]["all"],
                canonical(record),
            )
        )
    return pd.DataFrame(rows, columns=list(names), dtype=object)


def again(decisions: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Give the homes of decisions, as ``eligibility.measure`` takes them, from the home store.

    Parameters
    ----------
    decisions
        Rows of the register with their records.
    held
        What the home store holds of their homes; the others are left out.

    Returns
    -------
    homes
        Indexed as ``decisions``, those whose home is held.
    """
    location = held.set_index("commitment")
    mine = decisions[decisions["home"].isin(location.index)]
    names = ["lon", "lat", "precision", "uncertainty_m", "geocode_source", "fault"]
    homes = location.loc[mine["home"], names].set_index(mine.index)
    known = [json.loads(text)["asked"]["circumstances"] or {} for text in mine["record"]]
    for name in ("role", "assigned_office_id", "eligible_since", "home_since", "role_since"):
        homes[name] = pd.Series([each.get(name) for each in known], mine.index, dtype=object)
    homes["person_id"], homes["home"] = mine["subject"], mine["home"]
    return homes


def always(policy: EligibilityPolicy) -> EligibilityPolicy:
    """Give a policy as if it had always been in force, to try it on past days."""
    return dataclasses.replace(policy, effective_from="0001-01-01", effective_until=None)


def decide_again(
    homes: pd.DataFrame,
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    history: pd.DataFrame,
    days: pd.Series,
    question: Question,
) -> pd.DataFrame:
    """Decide held homes by another rule, each for its own day; nothing is put on record."""
    parts = []
    for day, rows in homes.groupby(days.loc[homes.index], sort=True):
        mine = rows.assign(eligible_since=since(rows, history, policy, str(day)))
        facts = measure(
            mine, offices, policy, on=str(day), areas=question.areas, routing=question.routing
        )
        parts.append(judge(facts, policy))
    if not parts:
        return pd.DataFrame({"decision": np.empty(0, object), "sentence": np.empty(0, object)})
    return pd.concat(parts).loc[homes.index]
