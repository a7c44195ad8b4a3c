"""From a file to the store: read, take in, place, compare, write; every row accounted for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from territory import files, reference
from territory.access import audit_log
from territory.accounts import merged_ids
from territory.cleaning import columns
from territory.errors import InputError
from territory.files import Table, check_size, delimited, tables
from territory.geocoding import geocode, review, shared_gazetteer
from territory.imports import contract_rows, partial_files
from territory.imports.diff import compare
from territory.imports.headers import signature_of
from territory.imports.ledger import ImportLedger
from territory.imports.report import (
    REFUSALS,
    ImportRecord,
    ImportReport,
    count_buckets,
    outcomes_of,
)
from territory.imports.row_identity import key_text
from territory.markets import areas
from territory.schemas import CHANGES, GEOCODE
from territory.store import GIVEN, KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt

    from territory.policy import Policy
    from territory.store import Transaction

_SHAPES = ("geojson", "gpkg", "shapefile", "kml")
_IF_MERGED = "Take it out of its source, or take the merge back."
_IF_LOST = "Import what it refers to first, or correct the id."
_IF_LACKING = "Add the column, or correct the id."


@dataclass(frozen=True)
class Taken:
    """A file that was read and understood, before it meets the store.

    ``signature`` stands for its headers; ``digest`` is the sha256 of its bytes; ``absent`` are the
    columns of ours that it lacks.
    """

    kind: str
    source: str
    digest: str
    signature: str
    size: int
    rows: pd.DataFrame
    lines: npt.NDArray[np.int64]
    refused: pd.DataFrame
    notes: pd.DataFrame
    mapping: Mapping[str, str]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...]
    policy: Policy
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """Who imports, when and how.

    ``is_full``: the file claims to hold every row of its kind. ``given``: the mapping that a person
    gave, which is for the next file of these headers too.
    """

    by: str
    now: datetime
    is_full: bool = False
    is_dry_run: bool = False
    given: Mapping[str, str] | None = None


def check_kind(kind: str) -> None:
    """Refuse a kind that cannot be imported, naming those that can."""
    if kind not in KINDS:
        raise InputError(f"{kind!r} cannot be imported. The kinds are {', '.join(KINDS)}.")


def digest_of(path: Path) -> str:
    """Give the sha256 of a file's bytes, which tells whether two files are the same."""
    tables.check_readable(path)
    check_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_drawn(kind: str, path: Path) -> bool:
    """Tell whether a file holds the outlines of markets, which need no mapping."""
    return kind == "markets" and tables.format_of(path) in _SHAPES


def drawn(path: Path) -> Table:
    """Read the outlines of markets as a table of what is told of each."""
    attributes = pd.DataFrame(files.read_polygons(path).drop(columns="geometry"))
    return Table(attributes, np.arange(1, len(attributes) + 1, dtype=np.int64), "polygons")


def head(path: Path, rows: int) -> Table:
    """Read the first rows of a file, of a text file only those."""
    tables.check_readable(path)
    written = tables.format_of(path)
    if written != "csv":
        whole = tables.read_table(path)
        return Table(whole.frame.head(rows), whole.lines[:rows], written)
    with tables.reading(path, written):
        first = next(delimited.read_chunks(path, rows))
    return Table(first.frame, first.lines, written, first.refused)


def take(
    kind: str,
    path: Path,
    policy: Policy,
    *,
    mapping: Callable[[list[str]], Mapping[str, str] | None],
    source: str | None = None,
    progress: Callable[[str], None],
) -> Taken:
    """Read a file, map and check its rows, and place them offline where the kind has a location.

    Parameters
    ----------
    mapping
        Gives header -> column for the headers of the file, or None to map them by their names.
    source
        What to call the file, if not by its own name.

    Raises
    ------
    InputError
        If the file cannot be read or understood at all. Single bad rows are refused instead.
    """
    check_kind(kind)
    digest, called = digest_of(path), source or path.name
    if is_drawn(kind, path):
        return _take_outlines(path, called, digest, policy)
    table = tables.read_table(path)
    progress(f"Reading {len(table.frame):,} rows of {called}")
    headers = [str(name) for name in table.frame.columns]
    understood = contract_rows.take_in(kind, table, mapping(headers), is_update=True)
    size, left_out = len(table.frame) + len(table.refused), table.notes
    del table  # as large as the rows themselves
    pa.default_memory_pool().release_unused()  # Arrow keeps what it no longer needs
    lines = understood.rows.pop("line").to_numpy()
    rows, notes = understood.rows, understood.notes
    if kind == "markets":
        rows = _outlined(rows, understood.absent)
    if KINDS[kind].is_placed:
        notes = pd.concat([notes, _zip_notes(rows, lines)], ignore_index=True)
        progress(f"Placing {len(rows):,} rows")
        placed = geocode.place(rows, shared_gazetteer(policy.geocoding), policy)
        rows = rows.rename(columns=GIVEN)
        for name in GEOCODE.columns:
            rows[name] = placed[name].to_numpy()
    return Taken(
        kind=kind,
        source=called,
        digest=digest,
        signature=signature_of(headers),
        size=size,
        rows=rows,
        lines=lines,
        refused=understood.refused[list(REFUSALS)],
        notes=notes.sort_values("line", kind="stable", ignore_index=True),
        mapping=understood.mapping,
        ignored=tuple(understood.ignored),
        remarks=(*left_out, *understood.remarks),
        policy=policy,
        absent=understood.absent,
    )


def _outlined(rows: pd.DataFrame, absent: tuple[str, ...]) -> pd.DataFrame:
    """Draw markets; those of which only the store knows the rest wait until it is asked."""
    if absent:
        return rows.assign(geometry=None)
    shapes = areas.define(rows, reference.load())
    return rows.assign(geometry=shapely.to_wkb(shapes.geometry.to_numpy()))


def _zip_notes(rows: pd.DataFrame, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Say of rows that are known by their ZIP code where that one is special: line and note."""
    zips = reference.load().zip_codes
    without_area = frozenset(zips.loc[~zips["has_area"], "zip_code"])
    codes = rows["postal_code"].where(rows["lat"].isna(), None)
    texts = columns.zip_notes(codes, rows["country"], without_area)
    at = texts.notna().to_numpy()
    return pd.DataFrame({"line": lines[at], "note": texts[at].to_numpy(object)})


def _take_outlines(path: Path, source: str, digest: str, policy: Policy) -> Taken:
    shapes = files.read_polygons(path)
    rows = pd.DataFrame(shapes.drop(columns="geometry"))
    rows["geometry"] = shapely.to_wkb(shapes.geometry.to_numpy())
    return Taken(
        kind="markets",
        source=source,
        digest=digest,
        signature="",
        size=len(rows),
        rows=rows,
        lines=np.arange(1, len(rows) + 1, dtype=np.int64),
        refused=pd.DataFrame(columns=list(REFUSALS)),
        notes=pd.DataFrame(columns=["line", "note"]),
        mapping={},
        ignored=(),
        remarks=(),
        policy=policy,
    )


def save(
    transaction: Transaction, taken: Taken, terms: Terms, *, progress: Callable[[str], None]
) -> ImportReport:
    """Write what is new or different with its record, and report on every row.

    A dry run only reports.
    """
    kind = KINDS[taken.kind]
    key = list(kind.key)
    rows, lines, refused = _sift(transaction, taken)
    notes = taken.notes[~taken.notes["line"].isin(refused["line"])]
    if taken.kind == "territories":
        refuse_two_owners(transaction, rows)
    rows = review.settle(transaction, taken.kind, rows, taken.policy)
    rows = partial_files.keep_places(transaction, taken.kind, rows, taken.absent)
    missing = _missing(transaction, taken, rows, refused) if terms.is_full else ()
    progress(f"Comparing {len(rows):,} rows with the store")
    compared = compare(transaction, taken.kind, rows, writes=not terms.is_dry_run)
    outcomes = outcomes_of(rows, lines, key_text(rows, key), compared.changes, refused, notes)
    counts = pd.Series(compared.changes).value_counts()
    number = ImportLedger(transaction).next_number()
    record = ImportRecord(
        import_id=f"import-{number}",
        number=number,
        kind=taken.kind,
        source=taken.source,
        digest=taken.digest,
        imported_at=utc_text(terms.now),
        imported_by=terms.by,
        is_full=terms.is_full,
        rows=taken.size,
        buckets=count_buckets(outcomes, is_placed=kind.is_placed),
        changes={name: int(counts.get(name, 0)) for name in CHANGES},
        mapping=taken.mapping,
    )
    if not terms.is_dry_run:
        progress(f"Recording what became of {taken.size:,} rows")
        ImportLedger(transaction).add(record, outcomes, missing, compared.past, compared.brought)
        if terms.given is not None:
            ImportLedger(transaction).remember(
                taken.kind, taken.signature, terms.given, record.imported_at, terms.by
            )
        audit_log.record(
            transaction,
            by=terms.by,
            at=terms.now,
            action="import.commit",
            subject_kind="import",
            subject_id=record.import_id,
            after={
                "kind": record.kind,
                "file": record.source,
                "digest": record.digest,
                "rows": record.rows,
                **record.buckets,
                **record.changes,
            },
        )
    return ImportReport(
        kind=record.kind,
        source=record.source,
        rows=record.rows,
        buckets=record.buckets,
        changes=record.changes,
        refused=refused,
        notes=notes,
        mapping=taken.mapping,
        ignored=taken.ignored,
        is_dry_run=terms.is_dry_run,
        outcomes=outcomes,
        differences=compared.differences,
        import_id=None if terms.is_dry_run else record.import_id,
        is_full=terms.is_full,
        missing=missing,
        remarks=taken.remarks,
    )


def _sift(
    transaction: Transaction, taken: Taken
) -> tuple[pd.DataFrame, npt.NDArray[np.int64], pd.DataFrame]:
    """Turn away what the store cannot take: the rows that stay, their lines, all refusals.

    Those are rows of prospects that were merged away, new rows that lack a required column, and
    rows that name what is not there.

    Raises
    ------
    ColumnError
        If the file lacks a required column and none of its rows is on file.
    """
    rows, merged = merged_ids.resolve(transaction, taken.kind, taken.rows)
    rows, lacking = partial_files.complete(
        transaction, taken.kind, rows, taken.absent, taken.policy
    )
    lost = dangling(transaction, taken.kind, rows)
    is_merged, is_lacking, is_lost = (
        reason.notna().to_numpy() for reason in (merged, lacking, lost)
    )
    if len(rows) and (is_lacking & ~is_merged).all():
        contract_rows.check_columns(taken.kind, taken.mapping, [*taken.mapping, *taken.ignored])
    stays = ~(is_merged | is_lacking | is_lost)
    if stays.all():
        return rows, taken.lines, taken.refused
    away = pd.DataFrame(
        {
            "line": taken.lines,
            "key": key_text(rows, KINDS[taken.kind].key),
            "reason": merged.where(is_merged, lacking.where(is_lacking, lost)),
            "remedy": np.select([is_merged, is_lacking], [_IF_MERGED, _IF_LACKING], _IF_LOST),
            "bucket": np.where(is_merged, "duplicate", "refused"),
        }
    )[~stays]
    parts = [part for part in (taken.refused, away) if len(part)]
    whole = pd.concat(parts).sort_values("line", kind="stable", ignore_index=True)
    return rows[stays].reset_index(drop=True), taken.lines[stays], whole


def _missing(
    transaction: Transaction, taken: Taken, rows: pd.DataFrame, refused: pd.DataFrame
) -> tuple[str, ...]:
    """Name the rows of the store that a file which claims to have them all does not mention."""
    key = list(KINDS[taken.kind].key)
    stored = key_text(transaction.table(taken.kind, key), key)
    is_told = stored.isin(key_text(rows, key)) | stored.isin(refused["key"])
    return tuple(stored[~is_told])


def dangling(transaction: Transaction, kind: str, rows: pd.DataFrame) -> pd.Series:
    """Say of each row which id it names that the store does not know; null for none."""
    reason = pd.Series(None, index=rows.index, dtype=object)
    for column, referenced in KINDS[kind].references:
        target = KINDS[referenced].key[0]
        targets = transaction.table(referenced, [target])[target]
        is_lost = rows[column].notna() & ~rows[column].isin(targets)
        reasons = column + " " + rows.loc[is_lost, column].map(repr)
        reason[is_lost] = reasons + f" is not among the {referenced}"
    return reason


def refuse_two_owners(transaction: Transaction, rows: pd.DataFrame) -> None:
    """Refuse rows after which a territory would have two reps or two names.

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
            lambda owners: sorted({"none" if one is None else str(one) for one in owners})
        )
        clash = values[values.map(len) > 1]
        breaches += [
            f"territory {one!r} has {column} {' and '.join(map(repr, owners))}"
            for one, owners in clash.items()
        ]
    if breaches:
        raise InputError(
            f"{'; '.join(breaches)}. A territory has one rep and one name: give all its rows, "
            "those imported before too, the same."
        )
