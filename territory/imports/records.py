"""Import records: the history of imports, and what became of each row of one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.errors import InputError
from territory.files import read_table, write_table
from territory.imports.ledger import ImportLedger
from territory.imports.read_file import digest_of, is_outlines, outline_table
from territory.imports.report import ACCEPTED, OUTCOMES, ImportRecord, ImportReport, beside
from territory.store import KINDS

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.store import Store


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
    """Say what became of each row of a file: ``report.OUTCOMES``, by line.

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
    if digest_of(path) != record.digest:
        raise InputError(
            f"{path} is not the file that {import_id} read ({record.source}), or it was changed "
            "since. Give that file."
        )
    return _beside(record.kind, path, rows)


def _beside(kind: str, path: Path, outcomes: pd.DataFrame) -> pd.DataFrame:
    if is_outlines(kind, path):
        return beside(outline_table(path), outcomes)
    original = read_table(path)
    if kind == "markets":
        outcomes = _with_joined(outcomes, original.lines)
    return beside(original, outcomes)


def _with_joined(outcomes: pd.DataFrame, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Add the rows of a list of markets that were put together with an earlier row of theirs."""
    joined = pd.DataFrame({"line": np.setdiff1d(lines, outcomes["line"].to_numpy())})
    if joined.empty:
        return outcomes
    joined["bucket"], joined["note"] = ACCEPTED, "put together with an earlier row of its market"
    whole = pd.concat([outcomes, joined.reindex(columns=list(OUTCOMES)).astype({"bucket": object})])
    whole = whole.sort_values("line", kind="stable", ignore_index=True)
    return whole.astype(object).where(whole.notna(), None).astype({"line": "int64"})


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
        frame = report.outcomes
        if original is not None:
            frame = _beside(report.kind, Path(original), frame)
    else:
        frame = report
    write_table(frame, path)
    return len(frame)


def is_empty(store: Store) -> bool:
    """Whether nothing was ever imported into the store."""
    with store.read() as transaction:
        return not any(transaction.size(kind) for kind in KINDS)
