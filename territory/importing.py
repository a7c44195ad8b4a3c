"""From a file to the store: read, take in, place, compare, write; every row accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from territory import geocoding, intake, markets, tables
from territory.errors import InputError
from territory.schemas import BUCKETS, CHANGES, GEOCODE
from territory.store import GIVEN, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from territory.gazetteer import Gazetteer
    from territory.policy import Policy
    from territory.reference import Reference
    from territory.store import Transaction

PRECISE = ("rooftop", "street")  # a row known this well is "placed", any other "approximate"
_SHAPES = ("geojson", "gpkg", "shapefile", "kml")
_REFUSALS = ("line", "reason", "remedy", "bucket")


@dataclass(frozen=True)
class ImportReport:
    """Where every row of a file went.

    ``buckets`` adds up to ``rows``, and so do ``changes`` with the rows that were turned away:
    ``refused`` has line, reason, remedy and bucket ("duplicate" or "refused") of each. Kinds
    without a location have "accepted" in place of the buckets of places. ``notes`` has line and
    note of rows that went in although something in them was not understood. ``differences`` says
    of updated rows what changed: the key, column, before and after.
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
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def is_reconciled(self) -> bool:
        """Whether every row of the file is in exactly one bucket."""
        changed = sum(self.changes.values()) + len(self.refused)
        return sum(self.buckets.values()) == self.rows == changed

    @property
    def sentence(self) -> str:
        """The report in one line."""
        buckets = ", ".join(f"{n:,} {name}" for name, n in self.buckets.items())
        changes = ", ".join(f"{n:,} {name}" for name, n in self.changes.items())
        nothing = " Nothing was written." if self.is_dry_run else ""
        return f"{self.kind}: {self.rows:,} rows = {buckets}; {changes}.{nothing}"

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read: ``rows``, and a count per bucket and change."""
        return {
            "kind": self.kind,
            "source": self.source,
            "rows": self.rows,
            **self.buckets,
            **self.changes,
            "reconciles": self.is_reconciled,
            "dry_run": self.is_dry_run,
            "refused_rows": self.refused.to_dict("records"),
            "notes": self.notes.to_dict("records"),
            "mapping": dict(self.mapping),
            "ignored_columns": list(self.ignored),
        }


@dataclass(frozen=True)
class Taken:
    """A file that was read and understood, before it meets the store."""

    kind: str
    source: str
    size: int
    rows: pd.DataFrame
    lines: pd.Series
    refused: pd.DataFrame
    notes: pd.DataFrame
    mapping: Mapping[str, str]
    ignored: tuple[str, ...]


def take(
    kind: str,
    path: Path,
    reference: Reference,
    policy: Policy,
    gazetteer: Callable[[], Gazetteer],
    *,
    progress: Callable[[str], None],
) -> Taken:
    """Read a file, map and check its rows, and place them offline where the kind has a location.

    Raises
    ------
    InputError
        If the file cannot be read or understood at all. Single bad rows are refused instead.
    """
    if kind not in KINDS:
        raise InputError(f"{kind!r} cannot be imported. The kinds are {', '.join(KINDS)}.")
    if kind == "markets" and tables.format_of(path) in _SHAPES:
        shapes = markets.read_polygons(path)
        rows = pd.DataFrame(shapes.drop(columns="geometry"))
        rows["geometry"] = shapely.to_wkb(shapes.geometry.to_numpy())
        lines = pd.Series(np.arange(1, len(rows) + 1))
        none = pd.DataFrame(columns=list(_REFUSALS))
        notes = pd.DataFrame(columns=["line", "note"])
        return Taken(kind, path.name, len(rows), rows, lines, none, notes, {}, ())
    table = tables.read_table(path)
    progress(f"Reading {len(table.frame):,} rows of {path.name}")
    understood = intake.take_in(kind, table)
    size = len(table.frame) + len(table.refused)
    del table  # as large as the rows themselves
    rows = understood.rows.drop(columns="line").reset_index(drop=True)
    if kind == "markets":
        shapes = markets.define(rows, reference)
        rows = rows.assign(geometry=shapely.to_wkb(shapes.geometry.to_numpy()))
    if KINDS[kind].is_placed:
        progress(f"Placing {len(rows):,} rows")
        placed = geocoding.place(rows, gazetteer(), policy)
        given = rows.rename(columns=GIVEN)
        rows = pd.concat([given, placed[list(GEOCODE.columns)].reset_index(drop=True)], axis=1)
    return Taken(
        kind,
        path.name,
        size,
        rows,
        understood.rows["line"].reset_index(drop=True),
        understood.refused[list(_REFUSALS)],
        understood.notes,
        understood.mapping,
        tuple(understood.ignored),
    )


def save(transaction: Transaction, taken: Taken, *, dry_run: bool) -> ImportReport:
    """Write what is new or different, and report on every row. A dry run only reports."""
    kind = KINDS[taken.kind]
    lost = _dangling(transaction, taken)
    is_lost = lost.notna()
    refused = pd.DataFrame(
        {
            "line": taken.lines[is_lost],
            "reason": lost[is_lost],
            "remedy": "Import what it refers to first, or correct the id.",
            "bucket": "refused",
        }
    )
    rows = taken.rows[~is_lost].reset_index(drop=True) if is_lost.any() else taken.rows
    if taken.kind == "territories":
        _refuse_two_owners(transaction, rows)
    held = transaction.table(taken.kind)
    columns = list(held.columns)
    key = list(kind.key)
    before = rows[key].merge(held, how="left", on=key, indicator=True)
    del held  # as large as the rows themselves
    is_new = (before["_merge"] == "left_only").to_numpy()
    differs = _differs(rows, before, [name for name in columns if name not in key])
    is_updated = differs.any(axis=1).to_numpy() & ~is_new
    if not dry_run:
        transaction.save(taken.kind, rows.loc[is_new, columns], rows.loc[is_updated, columns])
    whole = pd.concat([taken.refused, refused]).sort_values("line", ignore_index=True)
    numbers = (int(is_new.sum()), int(is_updated.sum()), int((~is_new & ~is_updated).sum()))
    return ImportReport(
        kind=taken.kind,
        source=taken.source,
        rows=taken.size,
        buckets=_buckets(rows, whole["bucket"], is_placed=kind.is_placed),
        changes=dict(zip(CHANGES, numbers, strict=True)),
        refused=whole,
        notes=taken.notes,
        mapping=taken.mapping,
        ignored=taken.ignored,
        is_dry_run=dry_run,
        differences=_differences(rows, before, differs[is_updated], key),
    )


def _differs(rows: pd.DataFrame, before: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Tell which cells differ; missing equals missing."""
    return pd.DataFrame(
        {
            name: (rows[name] != before[name]) & ~(rows[name].isna() & before[name].isna())
            for name in columns
        },
        index=rows.index,
    )


def _differences(
    rows: pd.DataFrame, before: pd.DataFrame, differs: pd.DataFrame, key: list[str]
) -> pd.DataFrame:
    """List changed cells, one a row: the key, column, before, after. Geometry is left out."""
    told = differs.drop(columns="geometry", errors="ignore")
    row, column = np.nonzero(told.to_numpy())
    at, names = told.index.to_numpy()[row], told.columns.to_numpy(object)[column]
    listed = rows.loc[at, key].reset_index(drop=True)
    for label, frame in (("before", before), ("after", rows)):
        whole = frame[list(told.columns)].astype(object).to_numpy()
        listed[label] = whole[at, column]
    listed.insert(len(key), "column", names)
    return listed


def _buckets(rows: pd.DataFrame, refused: pd.Series, *, is_placed: bool) -> dict[str, int]:
    turned_away = {name: int((refused == name).sum()) for name in ("duplicate", "refused")}
    if not is_placed:
        return {"accepted": len(rows), **turned_away}
    precise, none = rows["precision"].isin(PRECISE), rows["precision"].isna()
    counts = {
        "placed": int(precise.sum()),
        "approximate": int((~precise & ~none).sum()),
        "unplaced": int(none.sum()),
        **turned_away,
    }
    return {name: int(counts.get(name, 0)) for name in BUCKETS}


def _dangling(transaction: Transaction, taken: Taken) -> pd.Series:
    """Say of each row which id it names that the store does not know; null for none."""
    reason = pd.Series(None, index=taken.rows.index, dtype=object)
    for column, kind in KINDS[taken.kind].references:
        target = KINDS[kind].key[0]
        known = transaction.table(kind, [target])[target]
        is_lost = taken.rows[column].notna() & ~taken.rows[column].isin(known)
        told = column + " " + taken.rows.loc[is_lost, column].map(repr)
        reason[is_lost] = told + f" is not among the {kind}"
    return reason


def _refuse_two_owners(transaction: Transaction, rows: pd.DataFrame) -> None:
    """Refuse a file after which a territory would have two reps or two names.

    Raises
    ------
    InputError
        Naming every such territory with both values. Nothing is written.
    """
    key = list(KINDS["territories"].key)
    merged = pd.concat([transaction.table("territories"), rows]).drop_duplicates(key, keep="last")
    breaches = []
    for column in ("rep_id", "name"):
        values = merged.groupby("territory_id")[column].agg(
            lambda held: sorted({"none" if one is None else str(one) for one in held})
        )
        clash = values[values.map(len) > 1]
        breaches += [
            f"territory {one!r} has {column} {' and '.join(map(repr, held))}"
            for one, held in clash.items()
        ]
    if breaches:
        raise InputError(
            f"{'; '.join(breaches)}. A territory has one rep and one name: give all its rows, "
            "those imported before too, the same."
        )
