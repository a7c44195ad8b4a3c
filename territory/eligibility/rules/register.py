"""What the register of decisions knows: versions of policies, exceptions, who decided what before.

A person is a reference here, never a name or an address. Policies that are published never change;
the version in force on a day is the one that starts last, up to that day.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.eligibility.rules.wording import ELIGIBLE
from territory.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from territory.eligibility.rules.policy import (
        EligibilityPolicy,
        Grandfathering,
        GrantedException,
    )

DRAFT, PUBLISHED = "draft", "published"
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
HOW_TO_REFER = (
    "Give an id such as E-1042: up to 64 letters, digits and . _ : / -, with a digit among them; "
    "no name, no e-mail address, no spaces."
)


@dataclass(frozen=True)
class PolicyVersion:
    """One version of a policy in the register. ``number`` counts versions as they were saved."""

    policy: EligibilityPolicy
    number: int
    status: str
    saved_at: str
    saved_by: str
    published_at: str | None = None
    published_by: str | None = None

    @property
    def shown(self) -> str:
        """Name and version, as reports have it."""
        return f"{self.policy.name} {self.policy.version}"


@dataclass(frozen=True)
class ExceptionEntry:
    """An exception as it was set, and when it was taken back, if it was."""

    exception_id: str
    policy_name: str
    granted: GrantedException
    set_at: str
    set_by: str
    revoked_at: str | None = None
    revoked_by: str | None = None

    @property
    def in_force(self) -> GrantedException | None:
        """The exception as rules take it: it ends when it was taken back; None if at once."""
        if self.revoked_at is None or self.revoked_at[:10] >= self.granted.expires_on:
            return self.granted
        if self.revoked_at[:10] <= self.granted.granted_on:
            return None
        return dataclasses.replace(self.granted, expires_on=self.revoked_at[:10])


def is_reference(text: object) -> bool:
    """Whether a value is a text that can stand for a person without naming them."""
    if not isinstance(text, str) or not _REFERENCE.fullmatch(text):
        return False
    return any(sign.isdigit() for sign in text)


def check_reference(text: str) -> str:
    """Give a reference back; ``InputError`` if it might be a name or an address."""
    if not is_reference(text):
        raise InputError(f"The reference of the person is no id. {HOW_TO_REFER}")
    return text


def version_in_force(
    versions: Iterable[PolicyVersion], on: str, name: str | None = None
) -> PolicyVersion:
    """Pick the published version that holds on a day (ISO text).

    Parameters
    ----------
    name
        Which policy; may be left out where only one is published.

    Raises
    ------
    NotFoundError
        If no published policy of that name holds on that day.
    InputError
        If several policies are published and none is named.
    """
    published = [version for version in versions if version.status == PUBLISHED]
    names = sorted({version.policy.name for version in published})
    if name is None and len(names) > 1:
        raise InputError(f"Several policies are published: name one of {', '.join(names)}.")
    if not published or (name is not None and name not in names):
        there_are = f"there are {', '.join(names)}" if names else "none is"
        raise NotFoundError(
            f"No policy {name or ''} is published; {there_are}. "
            "`territory eligibility policies publish FILE` publishes one."
        )
    mine = [v for v in published if v.policy.name == (name or names[0])]
    started = [version for version in mine if version.policy.effective_from <= on]
    latest = max(started, key=lambda v: (v.policy.effective_from, v.number), default=None)
    if latest is None or not latest.policy.is_in_force(on):
        rules = [version.policy for version in mine]
        dates = ", ".join(
            f"{rule.version} ({rule.effective_from} to {rule.effective_until or 'open'})"
            for rule in rules
        )
        raise NotFoundError(f"{mine[0].policy.name}: no version holds on {on}; there are {dates}.")
    return latest


def with_exceptions(
    policy: EligibilityPolicy, entries: Iterable[ExceptionEntry]
) -> EligibilityPolicy:
    """Give the policy with the exceptions that the register holds for it."""
    granted = [entry.in_force for entry in entries if entry.policy_name == policy.name]
    return dataclasses.replace(policy, exceptions=tuple(each for each in granted if each))


def standing_since(
    homes: pd.DataFrame, history: pd.DataFrame, rule: Grandfathering
) -> npt.NDArray[np.object_]:
    """Find since when each person has been eligible without a change that the rule minds.

    The decisions of a person are read from the last one backwards, up to the first that was about
    another home or role; only those that a distance made eligible count, since an exception ends.
    A home is another one unless its commitment is the same, so after a purge earlier decisions
    count only if ``home_since`` is told.

    Parameters
    ----------
    homes
        ``person_id``, ``home`` (commitment or null), ``role``, ``home_since``, ``role_since`` and
        ``eligible_since``, which stays where it is told.
    history
        ``subject``, ``home``, ``role``, ``decided_on``, ``decision``, ``basis``, oldest first.

    Returns
    -------
    since
        ISO days or None, shape (n,).
    """
    since: npt.NDArray[np.object_] = homes["eligible_since"].to_numpy(object, copy=True)
    known = dict(tuple(history.groupby("subject", sort=False)))
    columns = [homes[name] for name in ("person_id", "home", "role", "home_since", "role_since")]
    for at, (person, home, role, moved, promoted) in enumerate(zip(*columns, strict=True)):
        if pd.notna(since[at]) or person not in known:
            continue
        minds_home = "home" in rule.until and pd.isna(moved)
        minds_role = "role" in rule.until and pd.isna(promoted)
        since[at] = _earliest(
            known[person], home, role, minds_home=minds_home, minds_role=minds_role
        )
    since[pd.isna(since)] = None
    return since


def _earliest(
    decisions: pd.DataFrame,
    home: str | None,
    role: str | None,
    *,
    minds_home: bool,
    minds_role: bool,
) -> str | None:
    """Give the day of the first decision that counts in the unbroken run of the latest ones."""
    found = None
    placed = decisions[decisions["basis"] != "location"]  # an address that was not read is no move
    columns = ["home", "role", "decided_on", "decision", "basis"]
    for its_home, its_role, day, decision, basis in placed[columns].iloc[::-1].to_numpy():
        if minds_home and (pd.isna(home) or its_home != home):
            break
        if minds_role and its_role != role and not (pd.isna(its_role) and pd.isna(role)):
            break
        if decision == ELIGIBLE and basis == "distance":
            found = day if found is None else min(day, found)
    return found
