"""Tables of an import, page by page: its outcome buckets, changed cells and missing rows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from flask import request

from territory.errors import InputError
from territory.imports import outcomes, write_report
from webmap import formatting
from webmap.pages import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from territory.store import Store

PAGE_ROWS = 50
WIDTH = 1000  # of the bar, in its own units
LEAST = 6  # of a bar for a bucket that is not empty
OPEN = ("ambiguous", "conflict", "unplaced")
# What a bucket is called, its colour, and what it means.
BUCKETS = {
    "accepted": ("Accepted", "b-ok", "imported"),
    "placed": ("Placed", "b-ok", "street or better"),
    "approximate": ("Approximate", "b-ap", "ZIP or city level"),
    "ambiguous": ("Ambiguous", "b-rv", "several places fit"),
    "conflict": ("Conflict", "b-cf", "address and coordinates disagree"),
    "unplaced": ("Unplaced", "b-un", "no place found"),
    "duplicate": ("Duplicate", "b-du", "repeated in the file"),
    "refused": ("Rejected", "b-no", "cannot be used"),
}
# What is looked at first, where there is any of it.
URGENT = ("refused", "duplicate", *OPEN, "approximate", "placed", "accepted")
DIFFERENCES, MISSING, UNREADABLE = "differences", "missing", "unreadable"
OTHERS = {
    DIFFERENCES: "Changed fields",
    MISSING: "Not in the file",
    UNREADABLE: "Unreadable cells",
}
CHANGES = ("new", "updated", "unchanged")


@dataclass(frozen=True)
class TablePage:
    """Some rows of ``total``; the first shown is number ``first``, counted from 1."""

    rows: list[dict[str, Any]]
    total: int
    first: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.total // PAGE_ROWS)


@dataclass(frozen=True)
class TableRequest:
    """What a page of an import is asked to show: a bucket or another table, a change, a page."""

    what: str
    change: str | None
    number: int

    @classmethod
    def read(cls, counts: Mapping[str, int]) -> TableRequest:
        """Read the query.

        Raises
        ------
        InputError
            If it asks for what there is not.
        """
        urgent = next((name for name in URGENT if counts.get(name)), next(iter(counts)))
        what, change = request.args.get("show") or urgent, request.args.get("change") or None
        if what not in {*counts, *OTHERS}:
            raise InputError(f"show: {what[:40]!r} is none of {', '.join(counts)}.")
        if change is not None and change not in CHANGES:
            raise InputError(f"change: {change[:40]!r} is none of {', '.join(CHANGES)}.")
        return cls(what, change, layout.page_number())

    @property
    def title(self) -> str:
        """Say what it is in a word."""
        return OTHERS.get(self.what) or BUCKETS[self.what][0]

    def of_files(self, folder: Path) -> TablePage:
        """Take the page out of the tables that a job left."""
        if self.what in OTHERS:
            path = folder / f"{self.what}.parquet"  # an older import has left fewer tables
            table = pq.read_table(path) if path.exists() else pa.table({"line": []})
        else:
            is_in_bucket = pc.field("bucket") == self.what
            if self.change:
                is_in_bucket &= pc.field("change") == self.change
            table = pq.read_table(folder / "outcomes.parquet", filters=is_in_bucket)
        first = (self.number - 1) * PAGE_ROWS
        return self._page(table.slice(first, PAGE_ROWS).to_pandas(), table.num_rows)

    def of_store(self, store: Store, import_id: str) -> TablePage:
        """Take the page out of the record of an import that has left no tables here."""
        rows = outcomes(store, import_id)
        rows = rows[rows["bucket"] == self.what]
        if self.change:
            rows = rows[rows["change"] == self.change]
        first = (self.number - 1) * PAGE_ROWS
        return self._page(rows.iloc[first : first + PAGE_ROWS], len(rows))

    def _page(self, rows: pd.DataFrame, total: int) -> TablePage:
        return TablePage(
            formatting.records(rows), total, (self.number - 1) * PAGE_ROWS + 1, self.number
        )


def buckets(counts: Mapping[str, int], *, is_trial: bool = False) -> list[dict[str, Any]]:
    """Give each bucket with its words and its part of the bar; bars add up to the width."""
    will_be = {"accepted": "will be imported"} if is_trial else {}
    ordered = {name: counts[name] for name in BUCKETS if name in counts}
    widths = dict(zip(ordered, _widths(list(ordered.values())), strict=True))
    starts, at = [], 0
    for name, count in ordered.items():
        words, colour, meaning = BUCKETS[name]
        starts.append(
            {
                "name": name,
                "words": words,
                "colour": colour,
                "meaning": will_be.get(name, meaning),
                "count": count,
                "at": at,
                "width": widths[name],
            }
        )
        at += widths[name]
    return starts


def _widths(counts: list[int]) -> Iterator[int]:
    """Share the bar out by size; what is there at all can be seen."""
    some = [count for count in counts if count]
    free, whole = WIDTH - LEAST * len(some), sum(some)
    for count in counts:
        yield LEAST + round(free * count / whole) if count else 0


def open_rows(counts: Mapping[str, int]) -> int:
    """Count the rows that need a person."""
    return sum(counts.get(name, 0) for name in OPEN)


def write_once(path: Path, make: Callable[[], pd.DataFrame]) -> Path:
    """Write a report where it is not written yet; the outcome of an import never changes."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{secrets.token_hex(4)}-{path.name}")
        try:
            write_report(make(), draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return path
