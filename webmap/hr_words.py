"""What the pages of HR say for rules and verdicts, and how they read days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from territory.eligibility_policy import METHODS
from territory.eligibility_register import DRAFT, PUBLISHED, version_in_force
from territory.eligibility_wording import (
    CANNOT_DECIDE,
    ELIGIBLE,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
    UNIT_WORDS,
)
from territory.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.eligibility_policy import Criterion, EligibilityPolicy
    from territory.eligibility_register import PolicyVersion

# A tag is a class, a shape and a word, so that it reads without its colour.
VERDICT = {
    ELIGIBLE: ("ok", "check", "Eligible"),
    NOT_ELIGIBLE: ("no", "cross", "Not eligible"),
    NEEDS_REVIEW: ("review", "wave", "Too close to call"),
    CANNOT_DECIDE: ("unknown", "ask", "Cannot decide"),
}
MEANING = {
    ELIGIBLE: "The whole location is on the right side of the limit",
    NOT_ELIGIBLE: "The whole location is on the wrong side of every limit",
    NEEDS_REVIEW: "The limit runs through where the home may be",
    CANNOT_DECIDE: "The row does not tell where the home is",
}
OFFICES = {
    "any_open": "any open office",
    "approved": "an approved office",
    "assigned": "the assigned office",
}
METHOD = dict(zip(METHODS, ("in a straight line", "by road", "by road"), strict=True))
CURRENT, COMING, REPLACED, ENDED = "In force", "Starts later", "Replaced", "Ended"


@dataclass(frozen=True)
class Shown:
    """A version of a policy as a list shows it; ``tag`` is a class, a shape and a word."""

    version: PolicyVersion
    state: str
    tag: tuple[str, str, str]
    words: str


def criterion_words(criterion: Criterion) -> str:
    """Say one alternative: "within 50 miles, in a straight line, of any open office"."""
    unit = UNIT_WORDS[criterion.unit][criterion.limit == 1]
    place = OFFICES[criterion.offices]
    if criterion.offices == "approved":
        place = f"{' or '.join(criterion.approved)}"
    if criterion.origin == "area":
        place = f"the area of {place}"
    way = "of" if criterion.is_near else "from"
    roles = f", for {' and '.join(criterion.roles)}" if criterion.roles else ""
    return (
        f"{criterion.comparison} {criterion.limit:g} {unit}, {METHOD[criterion.method]}, "
        f"{way} {place}{roles}"
    )


def rule_words(policy: EligibilityPolicy) -> str:
    """Say the whole rule in one sentence."""
    told = ", or ".join(criterion_words(each) for each in policy.any_of)
    return f"{told[:1].upper()}{told[1:]}"


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
    return Shown(version, state, TAGS[state], rule_words(version.policy))


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


def read_day(text: str, what: str) -> str | None:
    """Read a day of a form; None where it was left empty.

    Raises
    ------
    InputError
        If it is none.
    """
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise InputError(f"{what} is no day. Write it as 2026-01-31.") from None
