"""Grandfathering: whether an earlier decision about a person still stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.eligibility.rules import ELIGIBLE

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.eligibility.rules import Grandfathering

    Objects = npt.NDArray[np.object_]


def standing_since(
    homes: pd.DataFrame, history: pd.DataFrame, rule: Grandfathering, day: str
) -> pd.Series:
    """Find since when each person has been eligible, up to a day, without a change that counts.

    The decisions of a person are read from the last one backwards, up to the first that was about
    another home or role; only those that a distance made eligible count, since an exception ends.
    A home is another one unless its commitment is the same, so after a purge earlier decisions
    count only if ``home_since`` is given.

    Parameters
    ----------
    homes
        ``person_id``, ``home`` (commitment or null), ``role``, ``home_since``, ``role_since`` and
        ``eligible_since``, which stays where it is given.
    history
        ``subject``, ``home``, ``role``, ``decided_on``, ``decision``, ``basis``, oldest first.

    Returns
    -------
    since
        ISO days or None, on the index of ``homes``.
    """
    since: npt.NDArray[np.object_] = homes["eligible_since"].to_numpy(object, copy=True)
    past = history[history["decided_on"] <= day]
    decisions_of = dict(tuple(past.groupby("subject", sort=False)))
    columns = [homes[name] for name in ("person_id", "home", "role", "home_since", "role_since")]
    for at, (person, home, role, moved, promoted) in enumerate(zip(*columns, strict=True)):
        if pd.notna(since[at]) or person not in decisions_of:
            continue
        minds_home = "home" in rule.until and pd.isna(moved)
        minds_role = "role" in rule.until and pd.isna(promoted)
        since[at] = _earliest(
            decisions_of[person], home, role, minds_home=minds_home, minds_role=minds_role
        )
    since[pd.isna(since)] = None
    return pd.Series(since, index=homes.index, dtype=object)


def _earliest(
    decisions: pd.DataFrame,
    home: str | None,
    role: str | None,
    *,
    minds_home: bool,
    minds_role: bool,
) -> str | None:
    """Give the day of the first decision that counts in the unbroken run of the latest ones."""
    earliest = None
    placed = decisions[decisions["basis"] != "location"]  # an address that was not read is no move
    columns = ["home", "role", "decided_on", "decision", "basis"]
    # Backwards from the last: the run ends at the first decision about another home or role.
    for its_home, its_role, day, decision, basis in placed[columns].iloc[::-1].to_numpy():
        if minds_home and (pd.isna(home) or its_home != home):
            break
        if minds_role and its_role != role and not (pd.isna(its_role) and pd.isna(role)):
            break
        if decision == ELIGIBLE and basis == "distance":
            earliest = day if earliest is None else min(day, earliest)
    return earliest


def standing(homes: pd.DataFrame, rule: Grandfathering) -> Objects:
    """Give the day of the earlier decision that still stands; None where there is none.

    Looks at ``eligible_since``, ``home_since`` and ``role_since`` alone.
    """
    days = np.full(len(homes), None, dtype=object)
    if "eligible_since" not in homes:
        return days
    decided = homes["eligible_since"].to_numpy(object)
    day = np.where(pd.isna(decided), "9999-99-99", decided).astype(str)
    stands = day < rule.decided_before
    for change in rule.until:
        if f"{change}_since" not in homes:
            continue
        changed = homes[f"{change}_since"].to_numpy(object)
        stands &= pd.isna(changed) | (np.where(pd.isna(changed), "", changed).astype(str) <= day)
    days[stands] = decided[stands]
    return days
