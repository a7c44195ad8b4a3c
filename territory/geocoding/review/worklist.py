"""Which rows need a person, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from territory.errors import InputError
from territory.geocoding.review.decisions import evidence
from territory.geocoding.review.ledger import PlaceLedger
from territory.schemas import PLACEMENTS
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from territory.store import Store

PLACED_KINDS = tuple(name for name, kind in KINDS.items() if kind.is_placed)
WAITING = ("conflict", "ambiguous", "unplaced")  # a person is needed
LISTED = (*PLACEMENTS, "not_a_place")  # what a work list can be asked for


@dataclass(frozen=True)
class WorkList:
    """Rows that wait for a person.

    ``rows`` has the columns of the kind's table, with ``subject_id`` (its key) in front, and what
    was decided: decision, decided_by, decided_at (null: nothing) and is_stale (the address or the
    coordinates of the file have changed since). ``total`` counts the rows that match, of which
    ``rows`` are one page; ``counts`` those of each placement that match the text, and as
    "not_a_place" those that somebody marked so, which are not among the unplaced.
    """

    rows: pd.DataFrame
    total: int
    counts: Mapping[str, int]


def work_list(
    store: Store,
    kind: str = "prospects",
    *,
    placements: Iterable[str] = WAITING,
    text: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> WorkList:
    """List rows, by id, that need a person, or whose place can be relied on so far.

    Parameters
    ----------
    placements
        Out of ``LISTED``: the placements of the schema, and "not_a_place".
    text
        Words that the id, name, city or postal code of a row must all have.

    Raises
    ------
    InputError
        If the kind has no location, or a placement does not exist.
    """
    check_kind(kind)
    wanted = list(dict.fromkeys(placements))
    unknown = [name for name in wanted if name not in LISTED]
    if unknown or offset < 0 or limit < 1:
        raise InputError(
            f"placements {wanted}, offset {offset}, limit {limit}: name some of "
            f"{', '.join(LISTED)}, an offset from 0 and a limit from 1."
        )
    key = KINDS[kind].key[0]
    with store.read() as transaction:
        counts = PlaceLedger(transaction).counts(kind, text)
        total = sum(counts[name] for name in wanted)
        rows = PlaceLedger(transaction).page(kind, wanted, text, offset, limit if total else 0)
        decisions = PlaceLedger(transaction).decisions(kind)
    rows.insert(0, "subject_id", rows[key])
    told = ["decision", "decided_by", "decided_at", "evidence"]
    said = decisions.set_index("subject_id")[told].reindex(rows["subject_id"]).astype(object)
    for name, values in said.where(said.notna(), None).items():
        rows[name] = values.to_numpy()
    digest = rows.pop("evidence")
    rows["is_stale"] = (digest.notna() & (evidence(rows) != digest)).astype(bool)
    return WorkList(rows, total, counts)


def check_kind(kind: str) -> None:
    """Refuse a kind without a location."""
    if kind not in PLACED_KINDS:
        raise InputError(f"{kind!r} have no places. The kinds that do: {', '.join(PLACED_KINDS)}.")
