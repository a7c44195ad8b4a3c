"""Import reports: where each row went, what is on record of an import, what an undo did.

An outcome is what became of one row of a file: ``OUTCOMES`` are ``line`` (int64, where the row
begins), ``key`` (its id; the parts of a composite one joined by " / "), ``bucket``, ``change``
("new", "updated", "unchanged"; null where the row did not go in), ``reason`` and ``remedy`` (null
where nothing is to be done) and ``note`` (what was odd about a row that went in).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.cleaning import by_value
from territory.imports.owners import NO_OWNERS, OwnerMatch
from territory.imports.vocabulary import News
from territory.schemas import BUCKETS
from territory.store import GIVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from territory.files import Table

OUTCOMES = ("line", "key", "bucket", "change", "reason", "remedy", "note")
REFUSALS = ("line", "key", "reason", "remedy", "bucket")
ACCEPTED = "accepted"  # the bucket of rows that went in, of kinds without a location
TURNED_AWAY = ("duplicate", "refused")
_REMEDIES = {
    "approximate": "Only matters near a market border or the distance limit: set a pin.",
    "ambiguous": "Pick one of the suggested places, or add the state or ZIP code.",
    "conflict": "Correct the address or the coordinates, or accept one of them.",
    "unplaced": "Correct the address, or set a pin.",
}
_OPEN = ("ambiguous", "conflict", "unplaced")
_KNOWN_BY = {
    "postal": "located by postal code only: {}",
    "place": "located by city only: {}",
    "region": "located by region only: {}",
}


@dataclass(frozen=True)
class ImportReport:
    """Where every row of a file went.

    ``buckets`` adds up to ``rows``, and so do ``changes`` with the rows that were turned away:
    ``refused`` has line, key, reason, remedy and bucket ("duplicate" or "refused") of each. Kinds
    without a location have "accepted" in place of the buckets of places. ``notes`` has line and
    note of rows that went in although something in them was not understood; ``remarks`` are about
    the file as a whole. ``differences`` says of updated rows what changed: the key, column, before
    and after. ``outcomes`` has what became of each row (``OUTCOMES``). ``missing`` are the keys in
    the store that a full import did not mention: they stay. ``translations`` says which words were
    read as others, ``owners`` how many owners are reps;
    ``warnings`` are about the mapping;
    ``news`` says what earlier files of its source had not. ``import_id`` is None after a dry run.
    ``cleared`` counts by field the values on file that a blank cell clears; ``unreadable`` has
    line, key, column and value of each cell that could not be read, and ``stays``: what the field
    holds instead, null where the row is new or had nothing.
    """

    kind: str
    source: str
    rows: int
    buckets: Mapping[str, int]
    changes: Mapping[str, int]
    refused: pd.DataFrame
    notes: pd.DataFrame
    mapping: Mapping[str, str]
    ignored: tuple[str, ...]
    is_dry_run: bool
    outcomes: pd.DataFrame
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    import_id: str | None = None
    is_full: bool = False
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    translations: pd.DataFrame = field(default_factory=pd.DataFrame)
    owners: OwnerMatch = NO_OWNERS
    warnings: tuple[str, ...] = ()
    news: News = field(default_factory=News)
    cleared: Mapping[str, int] = field(default_factory=dict)
    unreadable: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def is_reconciled(self) -> bool:
        """Whether every row of the file is in exactly one bucket."""
        changed = sum(self.changes.values()) + len(self.refused)
        return sum(self.buckets.values()) == self.rows == changed == len(self.outcomes)

    @property
    def sentence(self) -> str:
        """The report in one line."""
        missing = f"; {len(self.missing):,} not in the file, kept as they are" * self.is_full
        nothing = " Nothing was imported." if self.is_dry_run else ""
        sums = f"{_listed(self.buckets)}; {_listed(self.changes)}"
        cells = {"cleared": sum(self.cleared.values()), "unreadable": len(self.unreadable)}
        return f"{self.kind}: {self.rows:,} rows = {sums}{_of_cells(cells)}{missing}.{nothing}"

    @property
    def clearing(self) -> str:
        """Say which fields blank cells clear, or would clear; empty for none."""
        if not self.cleared:
            return ""
        fields = ", ".join(f"{name} in {count:,}" for name, count in self.cleared.items())
        count = sum(self.cleared.values())
        values = f"{count:,} {'value' if count == 1 else 'values'} on file"
        verb = "would be cleared" if self.is_dry_run else "cleared"
        return (
            f"{values} {verb}, because the cell in the file is blank: {fields}. A column that is "
            "left out of the mapping clears nothing."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read: ``rows``, and a count per bucket and change."""
        return {
            "import_id": self.import_id,
            "kind": self.kind,
            "source": self.source,
            "rows": self.rows,
            **self.buckets,
            **self.changes,
            "cleared": sum(self.cleared.values()),
            "cleared_fields": dict(self.cleared),
            "unreadable": len(self.unreadable),
            "missing": len(self.missing),
            "reconciles": self.is_reconciled,
            "dry_run": self.is_dry_run,
            "full": self.is_full,
            "remarks": list(self.remarks),
            "warnings": list(self.warnings),
            "new_in_file": self.news.as_json(),
            "translations": self.translations.to_dict("records"),
            "owners": self.owners.as_json(),
            "refused_rows": self.refused.to_dict("records"),
            "notes": self.notes.to_dict("records"),
            "unreadable_cells": _records(self.unreadable),
            "missing_keys": list(self.missing),
            "mapping": dict(self.mapping),
            "ignored_columns": list(self.ignored),
        }


@dataclass(frozen=True)
class ImportRecord:
    """What the store remembers of an import. Times are UTC, ISO text; ``digest`` is a sha256.

    ``undone_at`` and ``undone_by`` are None while the import stands.
    """

    import_id: str
    number: int
    kind: str
    source: str
    digest: str
    imported_at: str
    imported_by: str
    is_full: bool
    rows: int
    buckets: Mapping[str, int]
    changes: Mapping[str, int]
    mapping: Mapping[str, str]
    cells: Mapping[str, int] = field(default_factory=dict)
    undone_at: str | None = None
    undone_by: str | None = None

    @property
    def sentence(self) -> str:
        """The record in one line."""
        undone = f" Undone {self.undone_at} by {self.undone_by}." if self.undone_at else ""
        return (
            f"{self.import_id}: {self.source}, {self.imported_at} by {self.imported_by}. "
            f"{self.kind}: {self.rows:,} rows = {_listed(self.buckets)}; "
            f"{_listed(self.changes)}{_of_cells(self.cells)}.{undone}"
        )


@dataclass(frozen=True)
class UndoReport:
    """What an undo did: so many new rows removed, so many changed rows as they were before.

    ``notes`` and ``next_steps`` are about prospects that were removed: they stay on file, and are
    there again once the prospects are.
    """

    import_id: str
    kind: str
    removed: int
    restored: int
    is_dry_run: bool = False
    notes: int = 0
    next_steps: int = 0

    @property
    def sentence(self) -> str:
        """The report in one line."""
        nothing = " Nothing was changed." if self.is_dry_run else ""
        return (
            f"{self.import_id} undone: {self.removed:,} {self.kind} removed, "
            f"{self.restored:,} as they were before.{self.stays}{nothing}"
        )

    @property
    def stays(self) -> str:
        """What was written about prospects that go, in a sentence; empty for nothing."""
        if not self.notes and not self.next_steps:
            return ""
        return (
            f" Notes and next steps about the removed records are kept (notes: {self.notes:,}, "
            f"next steps: {self.next_steps:,}): `territory export notes` has it."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            "import_id": self.import_id,
            "kind": self.kind,
            "removed": self.removed,
            "restored": self.restored,
            "notes": self.notes,
            "next_steps": self.next_steps,
            "dry_run": self.is_dry_run,
        }


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _of_cells(counts: Mapping[str, int]) -> str:
    """Say how many fields were cleared and how many cells could not be read, where any were."""
    cleared, unreadable = counts.get("cleared", 0), counts.get("unreadable", 0)
    fields = f"; {cleared:,} {'field' if cleared == 1 else 'fields'} cleared" * bool(cleared)
    cells = f"; {unreadable:,} unreadable {'cell' if unreadable == 1 else 'cells'} left out"
    return fields + cells * bool(unreadable)


def _records(cells: pd.DataFrame) -> list[dict[str, Any]]:
    whole = cells.astype(object)
    records = whole.where(whole.notna(), None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


def cells_of_rows(
    cells: pd.DataFrame, rows: pd.DataFrame, lines: npt.NDArray[np.int64], keys: pd.Series
) -> pd.DataFrame:
    """Give cells of a file (line, column ...) their rows' ``key`` and what the field holds now.

    Cells of rows that did not go in are left out.
    """
    cells = cells[cells["line"].isin(lines)].reset_index(drop=True)
    at = pd.Index(lines).get_indexer(pd.Index(cells["line"]))
    stays = np.full(len(cells), None, dtype=object)
    for name in cells["column"].unique():
        same = (cells["column"] == name).to_numpy()
        column = rows[GIVEN[name] if GIVEN.get(name) in rows else name].to_numpy(object)
        stays[same] = column[at[same]]
    return cells.assign(key=keys.to_numpy(object)[at], stays=stays)


def outcomes_of(
    rows: pd.DataFrame,
    lines: npt.NDArray[np.int64],
    keys: pd.Series,
    changes: npt.NDArray[np.object_],
    refused: pd.DataFrame,
    notes: pd.DataFrame,
) -> pd.DataFrame:
    """Say what became of each row of a file, in the order of its lines.

    Parameters
    ----------
    rows
        Those that went in; with the columns of the GEOCODE contract if they have a location.
    lines, keys, changes
        Of ``rows``, one by one.
    refused
        ``REFUSALS`` of those that did not.
    notes
        line and note of rows that went in; several of one line are told together.

    Returns
    -------
    outcomes
        ``OUTCOMES``.
    """
    bucket = rows["placement"].reset_index(drop=True) if "placement" in rows else ACCEPTED
    reason, note = _reasons(rows)
    accepted = pd.DataFrame(
        {
            "line": lines,
            "key": keys.to_numpy(object),
            "bucket": bucket,
            "change": changes,
            "reason": reason,
            "remedy": None,
            "note": note,
        }
    ).astype({"bucket": object, "remedy": object})
    for name, remedy in _REMEDIES.items():
        accepted.loc[accepted["bucket"] == name, "remedy"] = remedy
    _add_notes(accepted, notes)
    if not len(refused):
        return accepted
    away = refused.assign(change=None, note=None)[list(OUTCOMES)]
    whole = pd.concat([accepted, away]) if len(accepted) else away
    whole = whole.sort_values("line", kind="stable", ignore_index=True)
    texts = whole[list(OUTCOMES[1:])].astype(object)
    return whole[["line"]].join(texts.where(texts.notna(), None))


def _add_notes(outcomes: pd.DataFrame, notes: pd.DataFrame) -> None:
    """Put what is noted of a line before what is noted of its place, in place."""
    by_line = notes.groupby("line")["note"].agg("; ".join)
    at = np.flatnonzero(outcomes["line"].isin(by_line.index))
    texts = by_line.loc[outcomes["line"].to_numpy()[at]].to_numpy(object)
    place_notes = outcomes["note"].to_numpy(object)[at]
    joined = [
        text if pd.isna(place) else f"{text}; {place}"
        for text, place in zip(texts, place_notes, strict=True)
    ]
    outcomes.loc[at, "note"] = np.array(joined, dtype=object)


def _reasons(
    rows: pd.DataFrame,
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Say why a row is not placed, and what else there is to say of its place."""
    reason, note = (np.full(len(rows), None, dtype=object) for _ in range(2))
    if "placement" not in rows:
        return reason, note
    place_note = rows["geocode_note"].to_numpy(object)
    has_note = pd.notna(place_note)
    is_open = rows["placement"].isin(_OPEN).to_numpy()
    # Of a row that waits for a person the geocoder's note is the reason why; of others a remark.
    reason[has_note & is_open] = place_note[has_note & is_open]
    note[has_note & ~is_open] = place_note[has_note & ~is_open]
    is_rough = (rows["placement"] == "approximate").to_numpy()
    for precision, words in _KNOWN_BY.items():
        same = is_rough & (rows["precision"] == precision).to_numpy()
        reason[same] = by_value(rows.loc[same, "geocode_source"], words.format)
    return reason, note


def count_buckets(outcomes: pd.DataFrame, *, is_placed: bool) -> dict[str, int]:
    """Count the rows in each bucket, the empty ones too, in the order in which they are told."""
    counts = outcomes["bucket"].value_counts()
    names = BUCKETS if is_placed else (ACCEPTED, *TURNED_AWAY)
    return {name: int(counts.get(name, 0)) for name in names}


def beside(original: Table, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Put what became of each row beside the columns of the file, which stay as they were.

    A row that could not be read under the header has blanks in place of its cells. A column of
    ours whose name the file has already gets ``territory_`` before it.
    """
    theirs = set(original.frame.columns)
    names = {name: f"territory_{name}" if name in theirs else name for name in OUTCOMES}
    ours = outcomes.rename(columns=names).set_index(names["line"], drop=False)
    written = original.frame.set_axis(pd.Index(original.lines), axis=0)
    whole = written.reindex(ours.index)
    return pd.concat([whole, ours], axis=1).reset_index(drop=True)
