"""What the pages of HR say for rules, their versions and verdicts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.eligibility.decision import rule_words
from territory.eligibility.homes import PERSON, PLACE
from territory.eligibility.rules import (
    CANNOT_DECIDE,
    DRAFT,
    ELIGIBLE,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
    PUBLISHED,
    version_in_force,
)
from territory.errors import NotFoundError
from webmap.hr import check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.eligibility.rules import EligibilityPolicy, PolicyVersion

MEANING = {
    ELIGIBLE: "The whole location is on the right side of the limit",
    NOT_ELIGIBLE: "The whole location is on the wrong side of every limit",
    NEEDS_REVIEW: "The limit runs through where the home may be",
    CANNOT_DECIDE: "The row does not tell where the home is",
}
COLUMN = {
    "person_id": "Reference of the person",
    "street": "Street",
    "postal_code": "ZIP code",
    "lat": "Latitude",
    "lon": "Longitude",
    "assigned_office_id": "Id of the assigned office",
    "eligible_since": "Eligible since (day)",
    "home_since": "Lives there since (day)",
    "role_since": "Has the role since (day)",
}
CURRENT, COMING, REPLACED, ENDED = "In force", "Starts later", "Replaced", "Ended"


@dataclass(frozen=True)
class Shown:
    """A version of a policy as a list shows it; ``tag`` is a class, a shape and a word."""

    version: PolicyVersion
    state: str
    tag: tuple[str, str, str]
    words: str


def words() -> dict[str, Any]:
    """Give the templates the words for decisions and columns."""
    return {
        "DECISION_TAG": check.DECISION_TAG,
        "DECISION_MEANING": MEANING,
        "HOME_COLUMN": {name: COLUMN.get(name, name.capitalize()) for name in (*PLACE, *PERSON)},
    }


def words_of(policy: EligibilityPolicy) -> str:
    """Say the whole rule in one sentence."""
    return "; or ".join(rule_words(criterion) for criterion in policy.any_of)


def in_use(versions: Iterable[PolicyVersion]) -> list[PolicyVersion]:
    """Give the published ones."""
    return [version for version in versions if version.status == PUBLISHED]


def published(versions: Iterable[PolicyVersion], now: dt.datetime) -> list[Shown]:
    """Give one version of each published policy: the one in force, or else the last."""
    told = [each for each in shown(versions, now) if each.version.status == PUBLISHED]
    first: dict[str, Shown] = {}
    for each in sorted(told, key=lambda one: one.state != CURRENT):
        first.setdefault(each.version.policy.name, each)
    return sorted(first.values(), key=lambda one: one.version.policy.name)


def shown(versions: Iterable[PolicyVersion], now: dt.datetime) -> list[Shown]:
    """Give versions as a list shows them: by policy, the last one first."""
    every = list(versions)
    today = now.astimezone(dt.UTC).date().isoformat()
    ordered = sorted(every, key=lambda one: (one.policy.name, -one.number))
    return [_shown(one, every, today) for one in ordered]


TAGS = {
    CURRENT: ("ok", "check", CURRENT),
    COMING: ("", "dash", COMING),
    REPLACED: ("", "dash", REPLACED),
    ENDED: ("", "dash", ENDED),
    DRAFT: ("review", "wave", "Draft"),
}


def _shown(version: PolicyVersion, every: list[PolicyVersion], today: str) -> Shown:
    state = _state(version, every, today)
    return Shown(version, state, TAGS[state], words_of(version.policy))


def _state(version: PolicyVersion, every: list[PolicyVersion], today: str) -> str:
    rule = version.policy
    if version.status == DRAFT:
        return DRAFT
    if rule.effective_from > today:
        return COMING
    try:
        held = version_in_force(every, today, rule.name)
    except NotFoundError:
        return ENDED
    if held is version:
        return CURRENT
    return ENDED if not rule.is_in_force(today) else REPLACED
