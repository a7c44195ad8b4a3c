"""Owners of a file matched to reps: by id, e-mail or name, as a CRM writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.cleaning import by_value, fold

if TYPE_CHECKING:
    from territory.store import Transaction

# The column of each kind that names a rep.
NAMED = {"prospects": "owner_rep_id", "territories": "rep_id", "quotas": "rep_id"}
_EMAIL = re.compile(r"[^\s<>()]+@[^\s<>()]+\.[^\s<>()]+")
_LAST_FIRST = re.compile(r"([^,]+),\s*([^,]+)")
_MOST = 200  # names that a report lists


@dataclass(frozen=True)
class OwnerMatch:
    """How many of the distinct owners of a file are reps.

    ``unknown`` has owner and rows (how many name it) of those that are none, the frequent first;
    ``renamed`` has owner, rep_id and rows of those that were matched by something else than the id.
    """

    owners: int
    matched: int
    unknown: pd.DataFrame
    renamed: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The match in one line; empty where the file names no owner."""
        if not self.owners:
            return ""
        if not len(self.unknown):
            return f"{self.matched:,} of {self.owners:,} owners match a rep."
        names = ", ".join(map(repr, self.unknown["owner"].head(5)))
        more = f" and {len(self.unknown) - 5:,} more" if len(self.unknown) > 5 else ""
        return (
            f"{self.matched:,} of {self.owners:,} owners match a rep by id, e-mail or name. "
            f"Without one: {names}{more}. Import these reps, or correct the owners."
        )

    def as_json(self) -> dict[str, Any]:
        """The match for a program to read."""
        return {
            "owners": self.owners,
            "matched": self.matched,
            "unknown": self.unknown.head(_MOST).to_dict("records"),
            "renamed": self.renamed.head(_MOST).to_dict("records"),
            "sentence": self.sentence,
        }


NO_OWNERS = OwnerMatch(
    0, 0, pd.DataFrame(columns=["owner", "rows"]), pd.DataFrame(columns=["owner", "rep_id", "rows"])
)


def match_owners(
    transaction: Transaction, kind: str, rows: pd.DataFrame
) -> tuple[pd.DataFrame, OwnerMatch]:
    """Put the id of the rep in place of an owner's e-mail or name.

    An owner that is no rep stays as the file has it, and so does a name that two reps share.

    Returns
    -------
    rows
        The same rows in the same order.
    match
        How many owners are reps.
    """
    column = NAMED.get(kind)
    if column is None or not rows[column].notna().any():
        return rows, NO_OWNERS
    reps = transaction.table("reps", ["rep_id", "name", "email"])
    counts = rows[column].value_counts()
    indexes = _indexes(reps)
    rep_ids = {owner: _rep_of(owner, *indexes) for owner in counts.index}
    known = {owner: rep_id for owner, rep_id in rep_ids.items() if rep_id is not None}
    listed = pd.DataFrame({"owner": counts.index.astype(object), "rows": counts.to_numpy(int)})
    listed["rep_id"] = listed["owner"].map(known)
    is_known = listed["rep_id"].notna()
    is_renamed = is_known & (listed["rep_id"] != listed["owner"])
    match = OwnerMatch(
        owners=len(listed),
        matched=int(is_known.sum()),
        unknown=listed.loc[~is_known, ["owner", "rows"]].reset_index(drop=True),
        renamed=listed.loc[is_renamed, ["owner", "rep_id", "rows"]].reset_index(drop=True),
    )
    if is_renamed.any():
        rows = rows.assign(
            **{column: by_value(rows[column], lambda owner: known.get(owner, owner))}
        )
    return rows, match


def _indexes(reps: pd.DataFrame) -> tuple[set[str], dict[str, str], dict[str, str]]:
    """Index reps by id, e-mail and name; what two of them share is nobody's."""
    by_email = _index(reps["email"].dropna().str.strip().str.casefold(), reps)
    return set(reps["rep_id"]), by_email, _index(reps["name"].dropna().map(fold), reps)


def _index(keys: pd.Series, reps: pd.DataFrame) -> dict[str, str]:
    single = keys[~keys.duplicated(keep=False)]
    return dict(zip(single, reps.loc[single.index, "rep_id"], strict=True))


def _rep_of(
    owner: str, ids: set[str], by_email: dict[str, str], by_name: dict[str, str]
) -> str | None:
    """Find the rep that an owner is: "R1", "rhea@example.com", "Rhea Holt" or "Holt, Rhea"."""
    if owner in ids:
        return owner
    for email in _EMAIL.findall(owner):
        if email.casefold() in by_email:
            return by_email[email.casefold()]
    name = re.sub(r"\s*[(<].*", "", owner)
    turned = _LAST_FIRST.sub(r"\2 \1", name)
    return by_name.get(fold(name)) or by_name.get(fold(turned))
