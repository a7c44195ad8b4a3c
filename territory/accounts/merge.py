"""Merge of two prospects: every row that it changes, before and after.

The prospect that is kept keeps its values; what it lacks comes from the one merged into it. An
address is one value: it is taken whole, with its location, and only where nothing in it contradicts
what the kept one has. A list of changes can be read before it is made, and made backwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.cleaning import fold
from territory.schemas import ADDRESS, GEOCODE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

WRITTEN = (*ADDRESS, "given_lat", "given_lon")  # where the file says that a prospect is
LOCATION = (*WRITTEN, *GEOCODE.columns)
PLACE_DECISION = "place_decisions"
# What belongs to a prospect, by the column that names a row of it.
CHILDREN = {
    "sites": "site_id",
    "contacts": "contact_id",
    "opportunities": "opportunity_id",
    "account_notes": "note_id",
    "next_steps": "step_id",
}

Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A row of the store that a merge adds (no ``before``), takes away (no ``after``) or alters.

    ``kind`` is one of ``KINDS``, ``CHILDREN`` or ``PLACE_DECISION``; ``key`` names the row. A row
    that is altered has the altered columns only.
    """

    kind: str
    key: Values
    before: Values | None
    after: Values | None


@dataclass(frozen=True)
class Prospect:
    """A prospect with all that hangs on it: rows as ``records`` gives them."""

    row: Values
    children: Mapping[str, list[Values]]  # rows of each of ``CHILDREN``
    subsidiaries: list[Values]  # prospects that name it as their parent
    named_account: Values | None
    place_decision: Values | None

    @property
    def prospect_id(self) -> str:
        """Its id."""
        return str(self.row["prospect_id"])


def records(frame: pd.DataFrame) -> list[Values]:
    """The rows of a frame as plain values, None for whatever is missing."""
    return [
        {str(name): None if _is_missing(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def filled(survivor: Values, merged: Values, *, is_placed_by_hand: bool = False) -> Values:
    """Give the columns of ``kept`` that change by what only ``merged`` knows, with their values.

    The parent is left out: ``changes`` sees to it. A location that somebody decided on
    (``is_placed_by_hand``) stays.
    """
    apart = ("prospect_id", "parent_id", *LOCATION)
    values = {
        name: value
        for name, value in merged.items()
        if name in survivor and name not in apart and survivor[name] is None and value is not None
    }
    if not is_placed_by_hand and _knows_more(survivor, merged):
        values |= {name: merged.get(name) for name in LOCATION if name in survivor}
    return {name: value for name, value in values.items() if value != survivor[name]}


def _knows_more(survivor: Values, merged: Values) -> bool:
    """Whether the address of ``merged`` has all that of ``kept`` says, and more."""
    written = {name for name in WRITTEN if survivor.get(name) is not None}
    more = {name for name in WRITTEN if merged.get(name) is not None} - written
    return bool(more) and all(_same(survivor[name], merged.get(name)) for name in written)


def _same(one: object, other: object) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return fold(one) == fold(other)
    return one == other


def changes(
    survivor: Prospect,
    merged: Prospect,
    kept_ancestors: Iterable[str],
    merged_ancestors: Iterable[str],
) -> tuple[Change, ...]:
    """List every row that merging changes, in the order in which the store can take it.

    What pointed at ``merged`` points at ``kept``. A prospect is never left its own ancestor.

    Parameters
    ----------
    kept_ancestors, merged_ancestors
        Ids of the parent of each, the parent of that, and so on.
    """
    key, old_key = {"prospect_id": survivor.prospect_id}, {"prospect_id": merged.prospect_id}
    after = filled(survivor.row, merged.row, is_placed_by_hand=survivor.place_decision is not None)
    after |= _parent(survivor, merged, tuple(kept_ancestors), tuple(merged_ancestors))
    listed = []
    if after:
        before = {name: survivor.row[name] for name in after}
        listed.append(Change("prospects", key, before, after))
    takes_place = any(name in after for name in LOCATION)
    if takes_place and merged.place_decision is not None:
        moved = merged.place_decision | {"subject_id": survivor.prospect_id}
        place_key = {name: moved[name] for name in ("kind", "subject_id")}
        listed.append(Change(PLACE_DECISION, place_key, None, moved))
    for kind, own in CHILDREN.items():
        listed += [Change(kind, {own: row[own]}, old_key, key) for row in merged.children[kind]]
    listed += [
        Change(
            "prospects",
            {"prospect_id": row["prospect_id"]},
            {"parent_id": merged.prospect_id},
            {"parent_id": survivor.prospect_id},
        )
        for row in merged.subsidiaries
        if row["prospect_id"] not in (survivor.prospect_id, merged.prospect_id)
    ]
    if merged.named_account is not None:
        listed.append(Change("named_accounts", old_key, merged.named_account, None))
        if survivor.named_account is None:
            listed.append(Change("named_accounts", key, None, merged.named_account | key))
    listed.append(Change("prospects", old_key, merged.row, None))
    return tuple(listed)


def _parent(
    survivor: Prospect, merged: Prospect, kept_above: tuple[str, ...], merged_above: tuple[str, ...]
) -> Values:
    """Give the parent of ``kept`` after the merge, if it is another one than before."""
    now, above = survivor.row["parent_id"], merged.row["parent_id"]
    both = {survivor.prospect_id, merged.prospect_id}
    if now is not None and merged.prospect_id not in kept_above:
        return {}
    # A parent that is itself below either of the two would close a ring.
    parent_id = None if above in both or both & set(merged_above) else above
    return {} if parent_id == now else {"parent_id": parent_id}
