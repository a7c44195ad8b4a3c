"""Homes measured and judged by the policy in force, before anything of them is kept.

A check, a decision on record and a batch come to their verdicts here, in the same way.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory import reference
from territory.eligibility.decision import Person, judge, measure, standing, standing_since
from territory.eligibility.homes import address_texts, circumstances, read_homes
from territory.eligibility.rules import (
    EligibilityLedger,
    read_reference,
    version_in_force,
    with_exceptions,
)
from territory.errors import InputError
from territory.geocoding import Gazetteer
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from territory.eligibility.decision import DecisionFacts
    from territory.eligibility.desk.settings import DecisionRequest
    from territory.eligibility.rules import EligibilityPolicy
    from territory.store import Store, Transaction


@dataclass(frozen=True)
class MeasuredHomes:
    """Homes to decide, measured: all that is known before it is known whether they were kept."""

    placed: pd.DataFrame
    subjects: list[str | None]
    policy: EligibilityPolicy
    history: pd.DataFrame
    facts: DecisionFacts


def measure_homes(store: Store, rows: pd.DataFrame, request: DecisionRequest) -> MeasuredHomes:
    """Place homes and measure from them, by the policy in force."""
    placed = place(rows)
    with store.read() as transaction:
        ledger = EligibilityLedger(transaction)
        subjects = ledger.spellings([read_reference(each) for each in placed["person_id"]])
        placed["person_id"] = pd.Series(subjects, index=placed.index, dtype=object)
        people = {each for each in subjects if each is not None}
        policy = policy_for(transaction, request.policy_name, request.day, people)
        policy.check_in_force(request.day)
        offices = offices_on(transaction, request.day)
        history = ledger.history(people)
    if request.batch_id is not None:  # what an earlier attempt recorded is no earlier decision
        own = history["decided_at"] == utc_text(request.now)
        history = history[~(own & (history["decided_by"] == request.by))]
    facts = measure(
        placed, offices, policy, on=request.day, areas=request.areas, routing=request.routing
    )
    return MeasuredHomes(placed, subjects, policy, history, facts)


def addresses_of(case: MeasuredHomes, rows: pd.DataFrame) -> pd.DataFrame:
    """Give the homes as the home store takes them."""
    return case.placed.assign(subject=case.placed["person_id"], given=address_texts(rows))


def judge_homes(
    case: MeasuredHomes, request: DecisionRequest
) -> tuple[DecisionFacts, pd.DataFrame, list[Person]]:
    """Decide, once each home has its commitment: facts, decisions, and whom each is about."""
    facts, placed, rule = case.facts, case.placed, case.policy.grandfathering
    circumstances_of = circumstances(placed)
    if rule is not None:  # only now, since whether somebody moved shows in the commitment
        placed["eligible_since"] = standing_since(placed, case.history, rule, request.day)
        facts = dataclasses.replace(facts, decided_on=standing(placed, rule))
    persons = [
        Person(subject, about, home, _anonymous(request, row) if subject is None else None)
        for row, (subject, about, home) in enumerate(
            zip(case.subjects, circumstances_of, placed["home"], strict=True)
        )
    ]
    return facts, judge(facts, case.policy), persons


def _anonymous(request: DecisionRequest, row: int) -> str:
    """Tell a person without a reference from all others, in this file and in any other."""
    if request.batch_id is None:
        return secrets.token_hex(8)
    # A batch is asked for at a moment, and every attempt at it is of that moment.
    identity = f"{request.batch_id} {utc_text(request.now)} {row}"
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def policy_for(
    transaction: Transaction, policy_name: str | None, day: str, subjects: set[str]
) -> EligibilityPolicy:
    """Give the policy in force on a day with the exceptions of some people."""
    version = version_in_force(EligibilityLedger(transaction).policies(), day, policy_name)
    entries = EligibilityLedger(transaction).exceptions(version.policy.name, subjects)
    return with_exceptions(version.policy, entries)


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
            "from it would be. Import it with latitude and longitude of four decimals or more."
        )
    return offices[exact].reset_index(drop=True)


def office_list(store: Store) -> pd.DataFrame:
    """Give every office to choose from: id, name, city, state and ``closed_on``.

    They name no person and no account, so they are the same for every reader.
    """
    with store.read() as transaction:
        return transaction.table("offices", ["office_id", "name", "city", "state", "closed_on"])


def place(rows: pd.DataFrame) -> pd.DataFrame:
    """Place homes offline, as ``homes.read_homes`` does."""
    return read_homes(rows, _gazetteer())


@functools.lru_cache(maxsize=1)
def _gazetteer() -> Gazetteer:
    """Make the gazetteer once: it takes most of a second."""
    return Gazetteer(reference.load())
