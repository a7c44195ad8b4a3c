"""Import of one file, from end to end: read, refused or placed, written, and put on record.

The clock comes in as ``now`` (aware) and the person as ``by``. An import is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.access import audit_log
from territory.accounts import merged_ids
from territory.geocoding import review
from territory.imports import owners, update_rows
from territory.imports.cleared_fields import cleared_fields
from territory.imports.headers import check_columns, map_headers, signature_of, warnings_of
from territory.imports.ledger import ImportLedger
from territory.imports.read_file import read_source
from territory.imports.report import (
    ImportRecord,
    ImportReport,
    cells_of_rows,
    count_buckets,
    outcomes_of,
)
from territory.imports.rows import (
    changed_translations,
    keep_drawn_outlines,
    key_text,
    restore_own_places,
)
from territory.imports.vocabulary import (
    Vocabulary,
    columns_as_before,
    last_of_source,
    news_of,
    words_of,
)
from territory.plans import policy_in_force
from territory.progress import silent
from territory.schemas import CHANGES
from territory.store import KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import numpy.typing as npt

    from territory.imports.read_file import SourceFile
    from territory.policy import Policy
    from territory.progress import Progress
    from territory.store import Store, Transaction

_IF_MERGED = "Take it out of its source, or take the merge back."
_IF_LOST = "Import what it refers to first, or correct the id."
_IF_LACKING = "Add the column, or correct the id."


@dataclass(frozen=True)
class Terms:
    """Who imports, when and how.

    ``is_full``: the file claims to hold every row of its kind. ``mapping``: the one that a person
    gave, which is for the next file of these headers too.
    """

    by: str
    now: datetime
    is_full: bool = False
    is_dry_run: bool = False
    mapping: Mapping[str, str] | None = None


def import_file(
    store: Store,
    kind: str,
    path: str | Path,
    *,
    by: str,
    now: datetime,
    mapping: Mapping[str, str] | None = None,
    is_full: bool = False,
    policy: Policy | None = None,
    dry_run: bool = False,
    source: str | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
    on_record: Callable[[Transaction, ImportReport], object] | None = None,
) -> ImportReport:
    """Read a file into the store: new rows are added, changed ones updated, the same ones left.

    A row that cannot be used is refused with its line, reason and remedy; the others go in. Rows
    that the file does not mention stay, and so does every field that it has no column for; a blank
    cell clears its field, and one that cannot be read leaves what is on file. The record of the
    import is written with the rows, in the same transaction.

    Parameters
    ----------
    kind
        One of ``store.KINDS``.
    mapping
        See ``preview``. One that is given is remembered for the next file of these headers.
    is_full
        The file claims to hold every row of its kind: rows it does not mention are reported.
    policy
        How places are looked up; by default the policy of the plan in force.
    source
        What to call the file; by default its name.
    warn
        Called with what is likely to be wrong with the mapping, before any row is read.
    on_record
        Called in the transaction once all is written: what it writes stands or falls with the
        import. Not called by a dry run.

    Raises
    ------
    InputError
        If the file as a whole cannot be used. Nothing is written then.
    """
    tell = progress or silent

    def choose(names: list[str]) -> Mapping[str, str]:
        chosen = mapping_for(store, kind, names, mapping)[0]
        if warn is not None:
            for sentence in warnings_of(kind, chosen, names):
                warn(sentence)
        return chosen

    file = read_source(
        kind,
        Path(path),
        policy or policy_in_force(store),
        mapping=choose,
        source=source,
        progress=tell,
    )
    terms = Terms(by=by, now=now, is_full=is_full, is_dry_run=dry_run, mapping=mapping)
    with store.read() if dry_run else store.write() as transaction:
        report = save_source(transaction, file, terms, progress=tell)
        if on_record is not None and not dry_run:
            on_record(transaction, report)
    return report


def mapping_for(
    store: Store, kind: str, names: list[str], mapping: Mapping[str, str] | None
) -> tuple[Mapping[str, str], str]:
    """Choose the mapping of a file: the one given, remembered, or by names; and say which it is."""
    if mapping is not None:
        return mapping, "given"
    with store.read() as transaction:
        remembered = ImportLedger(transaction).mapping(kind, signature_of(names))
        earlier = ImportLedger(transaction).vocabularies(kind)
    if remembered is not None:
        return remembered, "remembered"
    last = last_of_source(names, earlier)
    if last is not None and last.is_chosen:
        return columns_as_before(kind, names, last), "remembered"
    return map_headers(names, kind), "automatic"


def save_source(
    transaction: Transaction, file: SourceFile, terms: Terms, *, progress: Callable[[str], None]
) -> ImportReport:
    """Write what is new or different with its record, and report on every row.

    A dry run only reports.
    """
    kind = KINDS[file.kind]
    key = list(kind.key)
    rows = merged_ids.as_on_file(transaction, file.kind, file.rows)
    rows, owner_match = owners.match_owners(transaction, file.kind, rows)
    rows, lines, refused = _sift(transaction, file, rows)
    notes = file.notes[~file.notes["line"].isin(refused["line"])]
    if file.kind == "territories":
        update_rows.refuse_two_owners(transaction, rows)
    # Answers and pins that people gave come before what the gazetteer says, and so do the places
    # on file where the file says nothing of places.
    rows = review.settle(transaction, file.kind, rows, file.policy)
    rows = update_rows.keep_places(transaction, file.kind, rows, file.absent)
    rows = restore_own_places(transaction, file.kind, rows, file.policy)
    if file.kind == "markets":
        rows = keep_drawn_outlines(transaction, rows)
    missing = _missing(transaction, file, rows, refused) if terms.is_full else ()
    progress(f"Comparing {len(rows):,} rows with the store")
    changes = update_rows.write_rows(transaction, file.kind, rows, writes=not terms.is_dry_run)
    keys = key_text(rows, key)
    outcomes = outcomes_of(rows, lines, keys, changes.of_rows, refused, notes)
    unreadable = cells_of_rows(file.unreadable, rows, lines, keys)
    blank = cells_of_rows(file.blank, rows, lines, keys)
    cleared = cleared_fields(changes.differences, file.kind, blank)
    counts = pd.Series(changes.of_rows).value_counts()
    headers = [*file.mapping, *file.ignored]
    words = words_of(file.translations, file.rows)
    news = news_of(headers, words, ImportLedger(transaction).vocabularies(file.kind))
    number = ImportLedger(transaction).next_number()
    record = ImportRecord(
        import_id=f"import-{number}",
        number=number,
        kind=file.kind,
        source=file.source,
        digest=file.digest,
        imported_at=utc_text(terms.now),
        imported_by=terms.by,
        is_full=terms.is_full,
        rows=file.size,
        buckets=count_buckets(outcomes, is_placed=kind.is_placed),
        changes={name: int(counts.get(name, 0)) for name in CHANGES},
        cells={"cleared": sum(cleared.values()), "unreadable": len(unreadable)},
        mapping=file.mapping,
    )
    if not terms.is_dry_run:
        progress(f"Recording what became of {file.size:,} rows")
        ImportLedger(transaction).add(
            record,
            outcomes,
            missing,
            changes.past,
            changes.new_keys,
            _vocabulary(file, headers, words),
        )
        if terms.mapping is not None:
            ImportLedger(transaction).remember(
                file.kind, file.signature, terms.mapping, record.imported_at, terms.by
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
                **record.cells,
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
        mapping=file.mapping,
        ignored=file.ignored,
        is_dry_run=terms.is_dry_run,
        outcomes=outcomes,
        differences=changes.differences,
        import_id=None if terms.is_dry_run else record.import_id,
        is_full=terms.is_full,
        missing=missing,
        remarks=file.remarks,
        translations=changed_translations(file.translations),
        owners=owner_match,
        warnings=warnings_of(file.kind, file.mapping, headers),
        news=news,
        cleared=cleared,
        unreadable=unreadable,
    )


def _vocabulary(
    file: SourceFile, headers: list[str], words: Mapping[str, tuple[str, ...]]
) -> Vocabulary:
    columns = {header: file.mapping.get(header, "") for header in headers}
    is_chosen = dict(file.mapping) != map_headers(headers, file.kind)
    return Vocabulary(columns, words, is_chosen)


def _missing(
    transaction: Transaction, file: SourceFile, rows: pd.DataFrame, refused: pd.DataFrame
) -> tuple[str, ...]:
    """Name the rows of the store that a file which claims to have them all does not mention."""
    key = list(KINDS[file.kind].key)
    keys = key_text(transaction.table(file.kind, key), key)
    is_present = keys.isin(key_text(rows, key)) | keys.isin(refused["key"])
    return tuple(keys[~is_present])


def _sift(
    transaction: Transaction, file: SourceFile, file_rows: pd.DataFrame
) -> tuple[pd.DataFrame, npt.NDArray[np.int64], pd.DataFrame]:
    """Turn away what the store cannot take: the rows that stay, their lines, all refusals.

    Those are rows of prospects that were merged away, new rows that lack a required column, and
    rows that name what is not there.

    Raises
    ------
    ColumnError
        If the file lacks a required column and none of its rows is on file.
    """
    rows, merged = merged_ids.resolve(transaction, file.kind, file_rows)
    unread = {
        str(name): np.isin(file.lines, cells["line"])
        for name, cells in file.unreadable.groupby("column", sort=False)
    }
    rows, lacking = update_rows.complete(
        transaction, file.kind, rows, file.absent, file.policy, unread
    )
    rows, undrawn = update_rows.keep_outlines(transaction, file.kind, rows)
    lost = update_rows.dangling(transaction, file.kind, rows)
    is_merged, is_lacking, is_undrawn, is_lost = (
        reason.notna().to_numpy() for reason in (merged, lacking, undrawn["reason"], lost)
    )
    if len(rows) and (is_lacking & ~is_merged).all():
        check_columns(file.kind, file.mapping, [*file.mapping, *file.ignored])
    # The first reason counts: a row of a merged prospect is a duplicate, whatever else it lacks.
    stays = ~(is_merged | is_lacking | is_undrawn | is_lost)
    if stays.all():
        return rows, file.lines, file.refused
    away = pd.DataFrame(
        {
            "line": file.lines,
            "key": key_text(rows, KINDS[file.kind].key),
            "reason": merged.where(
                is_merged, lacking.where(is_lacking, undrawn["reason"].where(is_undrawn, lost))
            ),
            "remedy": np.select(
                [is_merged, is_lacking, is_undrawn],
                [_IF_MERGED, _IF_LACKING, undrawn["remedy"]],
                _IF_LOST,
            ),
            "bucket": np.where(is_merged, "duplicate", "refused"),
        }
    )[~stays]
    parts = [part for part in (file.refused, away) if len(part)]
    whole = pd.concat(parts).sort_values("line", kind="stable", ignore_index=True)
    return rows[stays].reset_index(drop=True), file.lines[stays], whole
