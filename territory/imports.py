"""The verbs of an import: preview, import, look back, download what became of each row, undo.

The clock comes in as ``now`` (aware) and the person as ``by``. Each verb is one transaction.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from territory import headers, importing, intake, placing, resolving, tables
from territory.errors import ColumnError, ConflictError, InputError
from territory.identity import key_text
from territory.import_report import (
    ImportRecord,
    ImportReport,
    Preview,
    UndoReport,
    beside,
    moment,
)
from territory.policy import Policy
from territory.store import KINDS
from territory.store.import_ledger import IS_NEW
from territory.store.pair_ledger import MERGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from territory.store import Store, Transaction

    Progress = Callable[[str], None]

__all__ = [
    "ImportRecord",
    "ImportReport",
    "Preview",
    "UndoReport",
    "history",
    "import_file",
    "import_record",
    "missing_keys",
    "outcomes",
    "policy_in_force",
    "preview",
    "report_table",
    "undo",
    "write_report",
]

_NAMED = 5  # keys that a message names; the rest is counted


def policy_in_force(store: Store) -> Policy:
    """Give the policy of the plan in force, or the default one before the first plan."""
    with store.read() as transaction:
        return _policy(transaction)


def _policy(transaction: Transaction) -> Policy:
    plan = transaction.plan_in_force()
    return plan.policy if plan else Policy()


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
    importing.check_kind(kind)
    path = Path(path)
    if importing.is_drawn(kind, path):
        table = importing.drawn(path)
        names = [str(name) for name in table.frame.columns]
        chosen: Mapping[str, str] = {name: name for name in names}
        origin, problem = "automatic", None
    else:
        table = importing.head(path, rows)
        names = [str(name) for name in table.frame.columns]
        chosen, origin = _mapping(store, kind, names, mapping)
        problem = None
        try:
            intake.check_columns(kind, chosen, names)
        except ColumnError as error:
            problem = str(error)
    by_column = {column: header for header, column in chosen.items()}
    needed = intake.required(kind)
    columns = [
        {"column": name, "is_required": name in needed, "header": by_column.get(name)}
        for name in intake.CONTRACTS[kind].columns
    ]
    return Preview(
        kind=kind,
        source=path.name,
        headers=tuple(names),
        rows=table.frame.head(rows).set_axis(pd.Index(table.lines[:rows], name="line"), axis=0),
        mapping={header: column for header, column in chosen.items() if column},
        origin=origin,
        columns=pd.DataFrame(columns).astype({"header": object}),
        problem=problem,
    )


def _mapping(
    store: Store, kind: str, names: list[str], given: Mapping[str, str] | None
) -> tuple[Mapping[str, str], str]:
    """Choose the mapping of a file and say where it is from."""
    if given is not None:
        return given, "given"
    with store.read() as transaction:
        remembered = transaction.imports.mapping(kind, headers.signature_of(names))
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
    that the file does not mention stay. The record of the import is written with the rows, in the
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
    taken = importing.take(
        kind,
        Path(path),
        policy or policy_in_force(store),
        mapping=lambda names: _mapping(store, kind, names, mapping)[0],
        source=source,
        progress=tell,
    )
    terms = importing.Terms(by=by, now=now, is_full=is_full, is_dry_run=dry_run, given=mapping)
    with store.read() if dry_run else store.write() as transaction:
        return importing.save(transaction, taken, terms, progress=tell)


def history(store: Store, kind: str | None = None) -> pd.DataFrame:
    """List the imports, or those of a kind, the newest first.

    Returns
    -------
    imports
        The fields of ``ImportRecord``, one row per import.
    """
    with store.read() as transaction:
        records = transaction.imports.records(kind)
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
        return transaction.imports.record(import_id)


def outcomes(store: Store, import_id: str) -> pd.DataFrame:
    """Say what became of each row of a file: ``import_report.OUTCOMES``, by line.

    Raises
    ------
    NotFoundError
        If there is no such import.
    """
    with store.read() as transaction:
        transaction.imports.record(import_id)
        return transaction.imports.outcomes(import_id)


def missing_keys(store: Store, import_id: str) -> tuple[str, ...]:
    """Name what was in the store and not in the file, if that was a full one.

    Raises
    ------
    NotFoundError
        If there is no such import.
    """
    with store.read() as transaction:
        transaction.imports.record(import_id)
        return transaction.imports.missing(import_id)


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
        record = transaction.imports.record(import_id)
        told = transaction.imports.outcomes(import_id)
    if importing.digest_of(path) != record.digest:
        raise InputError(
            f"{path} is not the file that {import_id} read ({record.source}), or it was changed "
            "since. Give that file."
        )
    return _beside(record.kind, path, told)


def _beside(kind: str, path: Path, told: pd.DataFrame) -> pd.DataFrame:
    is_drawn = importing.is_drawn(kind, path)
    return beside(importing.drawn(path) if is_drawn else tables.read_table(path), told)


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
        told = report.outcomes
        frame = told if original is None else _beside(report.kind, Path(original), told)
    else:
        frame = report
    tables.write_table(frame, path)
    return len(frame)


def undo(
    store: Store, import_id: str, *, by: str, now: datetime, dry_run: bool = False
) -> UndoReport:
    """Take an import back: what it brought goes, what it changed is as it was before.

    Raises
    ------
    NotFoundError
        If there is no such import.
    ConflictError
        If it was undone already, or if something rests on it: a later import of the same rows, rows
        of other kinds that name the new ones, a row that is no longer there. Nothing is written.
    """
    with store.read() if dry_run else store.write() as transaction:
        ledger = transaction.imports
        record = ledger.record(import_id)
        if record.undone_at is not None:
            raise ConflictError(
                f"{import_id} was undone already, {record.undone_at} by {record.undone_by}."
            )
        key = list(KINDS[record.kind].key)
        touched = ledger.before(import_id)
        is_new = touched[IS_NEW].to_numpy(bool)
        brought, past = touched.loc[is_new, key], touched[~is_new].drop(columns=IS_NEW)
        reasons = [
            *_touched_later(transaction, record, touched[key]),
            *_rests_on(transaction, record.kind, brought),
            *_gone(transaction, record.kind, touched[key]),
            *_kept(transaction, record.kind, brought),
            *_lost(transaction, record.kind, past),
        ]
        if reasons:
            raise ConflictError(f"{import_id} cannot be undone: {'; '.join(reasons)}.")
        if not dry_run:
            ledger.remove(record.kind, brought)
            _restore(transaction, record.kind, past)
            ledger.mark_undone(import_id, moment(now), by)
    return UndoReport(import_id, record.kind, len(brought), len(past), dry_run)


def _restore(transaction: Transaction, kind: str, past: pd.DataFrame) -> None:
    """Write rows as they were, except for what people have decided about them since."""
    none = past.head(0)
    transaction.save(kind, none, past)
    if kind == "territories":
        importing.refuse_two_owners(transaction, past)
    rows, _ = resolving.resolve(transaction, kind, past)
    if KINDS[kind].is_placed and len(rows):
        rows = placing.place_again(transaction, kind, rows, _policy(transaction))
    transaction.save(kind, none, rows)


def _touched_later(transaction: Transaction, record: ImportRecord, keys: pd.DataFrame) -> list[str]:
    """Name the later imports that brought or changed rows of this one, the newest first."""
    key = list(KINDS[record.kind].key)
    ours = key_text(keys, key)
    reasons = []
    for later in transaction.imports.records(record.kind):
        if later.number > record.number and later.undone_at is None:
            theirs = key_text(transaction.imports.before(later.import_id, key), key)
            same = ours[ours.isin(theirs)]
            if len(same):
                reasons.append(
                    f"{later.import_id} ({later.source}, {later.imported_at}) changed "
                    f"{_count(same, record.kind)} since: undo it first"
                )
    return reasons


def _rests_on(transaction: Transaction, kind: str, brought: pd.DataFrame) -> list[str]:
    """Name the rows of other kinds that would lose what they belong to."""
    reasons = []
    for other, told in KINDS.items():
        for column, named in told.references:
            if named != kind:
                continue
            target = KINDS[kind].key[0]
            going = _going(transaction, kind, brought, target)
            rows = transaction.imports.referring(other, column, going)
            if len(rows):
                names = key_text(rows, list(told.key))
                reasons.append(
                    f"{_count(names, other)} belong to {kind} that it brought: undo the import of "
                    "those first"
                )
    return reasons


def _going(transaction: Transaction, kind: str, brought: pd.DataFrame, target: str) -> pd.Series:
    """Name what nobody would know any more: of territories, those that lose all their rows."""
    names = brought[target].drop_duplicates()
    key = list(KINDS[kind].key)
    if len(key) == 1 or names.empty:
        return names
    held = transaction.table(kind, key)
    stays = held[~key_text(held, key).isin(key_text(brought, key))]
    return names[~names.isin(stays[target])]


def _gone(transaction: Transaction, kind: str, keys: pd.DataFrame) -> list[str]:
    """Name the rows that were taken out of the store since, such as by a merge."""
    key = list(KINDS[kind].key)
    held = key_text(transaction.imports.stored(kind, keys, key), key)
    ours = key_text(keys, key)
    absent = ours[~ours.isin(held)]
    return [f"{_count(absent, kind)} are no longer there"] if len(absent) else []


def _kept(transaction: Transaction, kind: str, brought: pd.DataFrame) -> list[str]:
    """Name the prospects that others were merged into, which would be lost with them."""
    if kind != "prospects":
        return []
    decided = transaction.pairs.decisions()
    names = brought["prospect_id"]
    kept = names[names.isin(decided.loc[decided["decision"] == MERGED, "first_id"])]
    return [f"others were merged into {_count(kept, kind)}: take that back first"] * bool(len(kept))


def _lost(transaction: Transaction, kind: str, past: pd.DataFrame) -> list[str]:
    """Name the rows that would again belong to what is no longer there."""
    if past.empty:
        return []
    reason = importing.dangling(transaction, kind, past).dropna()
    return list(dict.fromkeys(reason))[:_NAMED]


def _count(names: pd.Series, kind: str) -> str:
    """Count rows and name the first of them."""
    shown = ", ".join(names.head(_NAMED))
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{len(names):,} {kind} ({shown}{more})"
