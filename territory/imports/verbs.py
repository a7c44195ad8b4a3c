"""The verbs of an import: preview, import, look back, download what became of each row, undo.

The clock comes in as ``now`` (aware) and the person as ``by``. Each verb is one transaction.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from territory.cleaning import clean_names
from territory.errors import ColumnError, InputError
from territory.files import tables
from territory.imports import contract_rows, headers, steps
from territory.imports.ledger import ImportLedger
from territory.imports.report import ImportRecord, ImportReport, Preview, beside
from territory.plans import policy_in_force
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from territory.policy import Policy
    from territory.store import Store

    Progress = Callable[[str], None]

_SAMPLE = 1_000  # rows by which a preview tells whether a file speaks of rows on file


def _silent(_stage: str) -> None:
    """Tell nobody."""


def preview(
    store: Store,
    kind: str,
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    rows: int = 20,
) -> Preview:
    """Show how a file would be read, without reading it into the store.

    Parameters
    ----------
    mapping
        Header -> column, "" for a header that is not to be used; by default the one that was given
        last for a file of these headers, else the one that the names of the headers suggest.
    rows
        How many rows to show.

    Raises
    ------
    InputError
        If the file cannot be read at all. A mapping that does not fit is told in ``problem``.
    """
    steps.check_kind(kind)
    path = Path(path)
    if steps.is_drawn(kind, path):
        table = steps.drawn(path)
        names = [str(name) for name in table.frame.columns]
        column_of: Mapping[str, str] = {name: name for name in names}
        origin, problem = "automatic", None
    else:
        table = steps.head(path, max(rows, _SAMPLE))
        names = [str(name) for name in table.frame.columns]
        column_of, origin = _mapping(store, kind, names, mapping)
        problem = None
        try:
            is_update = _is_on_file(store, kind, table.frame, column_of)
            contract_rows.check_columns(kind, column_of, names, is_update=is_update)
        except ColumnError as error:
            problem = str(error)
    by_column = {column: header for header, column in column_of.items()}
    needed = contract_rows.required(kind)
    columns_of_kind = headers.columns_of(kind)
    columns = {
        "column": pd.Series(columns_of_kind, dtype=object),
        "is_required": [name in needed for name in columns_of_kind],
        "header": pd.Series([by_column.get(name) for name in columns_of_kind], dtype=object),
    }
    return Preview(
        kind=kind,
        source=path.name,
        headers=tuple(names),
        rows=table.frame.head(rows).set_axis(pd.Index(table.lines[:rows], name="line"), axis=0),
        mapping={header: column for header, column in column_of.items() if column},
        origin=origin,
        columns=pd.DataFrame(columns),
        problem=problem,
    )


def _is_on_file(store: Store, kind: str, rows: pd.DataFrame, mapping: Mapping[str, str]) -> bool:
    """Tell whether any of the rows of a file has an id that is on file."""
    key = KINDS[kind].key[0]
    header = next((header for header, column in mapping.items() if column == key), None)
    if header is None or header not in rows:
        return False
    ids = clean_names(rows[header]).dropna().drop_duplicates()
    with store.read() as transaction:
        return len(ImportLedger(transaction).referring(kind, key, ids)) > 0


def _mapping(
    store: Store, kind: str, names: list[str], given: Mapping[str, str] | None
) -> tuple[Mapping[str, str], str]:
    """Choose the mapping of a file and say where it is from."""
    if given is not None:
        return given, "given"
    with store.read() as transaction:
        remembered = ImportLedger(transaction).mapping(kind, headers.signature_of(names))
    if remembered is not None:
        return remembered, "remembered"
    return headers.map_headers(names, kind), "automatic"


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
) -> ImportReport:
    """Read a file into the store: new rows are added, changed ones updated, the same ones left.

    A row that cannot be used is refused with its line, reason and remedy; the others go in. Rows
    that the file does not mention stay, and so does every field that it has no column for; a blank
    cell clears its field. The record of the import is written with the rows, in the
    same transaction.

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

    Raises
    ------
    InputError
        If the file as a whole cannot be used. Nothing is written then.
    """
    tell = progress or _silent
    taken = steps.take(
        kind,
        Path(path),
        policy or policy_in_force(store),
        mapping=lambda names: _mapping(store, kind, names, mapping)[0],
        source=source,
        progress=tell,
    )
    terms = steps.Terms(by=by, now=now, is_full=is_full, is_dry_run=dry_run, given=mapping)
    with store.read() if dry_run else store.write() as transaction:
        return steps.save(transaction, taken, terms, progress=tell)


def history(store: Store, kind: str | None = None) -> pd.DataFrame:
    """List the imports, or those of a kind, the newest first.

    Returns
    -------
    imports
        The fields of ``ImportRecord``, one row per import.
    """
    with store.read() as transaction:
        records = ImportLedger(transaction).records(kind)
    columns = [field.name for field in dataclasses.fields(ImportRecord)]
    rows = [[getattr(record, name) for name in columns] for record in records]
    return pd.DataFrame(rows, columns=columns).astype({"undone_at": object, "undone_by": object})


def import_record(store: Store, import_id: str) -> ImportRecord:
    """Look up the record of an import.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    with store.read() as transaction:
        return ImportLedger(transaction).record(import_id)


def outcomes(store: Store, import_id: str) -> pd.DataFrame:
    """Say what became of each row of a file: ``import_report.OUTCOMES``, by line.

    Raises
    ------
    NotFoundError
        If there is no such import.
    """
    with store.read() as transaction:
        ImportLedger(transaction).record(import_id)
        return ImportLedger(transaction).outcomes(import_id)


def missing_keys(store: Store, import_id: str) -> tuple[str, ...]:
    """Name what was in the store and not in the file, if that was a full one.

    Raises
    ------
    NotFoundError
        If there is no such import.
    """
    with store.read() as transaction:
        ImportLedger(transaction).record(import_id)
        return ImportLedger(transaction).missing(import_id)


def report_table(store: Store, import_id: str, path: str | Path) -> pd.DataFrame:
    """Put what became of each row beside the untouched columns of the file that was imported.

    Raises
    ------
    NotFoundError
        If there is no such import.
    InputError
        If the file is not the one that was imported.
    """
    path = Path(path)
    with store.read() as transaction:
        record = ImportLedger(transaction).record(import_id)
        rows = ImportLedger(transaction).outcomes(import_id)
    if steps.digest_of(path) != record.digest:
        raise InputError(
            f"{path} is not the file that {import_id} read ({record.source}), or it was changed "
            "since. Give that file."
        )
    return _beside(record.kind, path, rows)


def _beside(kind: str, path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    is_drawn = steps.is_drawn(kind, path)
    return beside(steps.drawn(path) if is_drawn else tables.read_table(path), rows)


def write_report(
    report: ImportReport | pd.DataFrame, path: str | Path, *, original: str | Path | None = None
) -> int:
    """Write what became of each row as a file in the format of its suffix; tell how many rows.

    In CSV and XLSX, cells that a spreadsheet would run are made harmless.

    Parameters
    ----------
    report
        The report of an import, or the frame of ``report_table``.
    original
        The file that was imported, to put its columns beside; for a report only.

    Raises
    ------
    FileFormatError
        If the suffix is none that can be written, or the sheet cannot hold so many rows.
    """
    if isinstance(report, ImportReport):
        rows = report.outcomes
        frame = rows if original is None else _beside(report.kind, Path(original), rows)
    else:
        frame = report
    tables.write_table(frame, path)
    return len(frame)
