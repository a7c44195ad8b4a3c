"""Upload files of homes: batches to be decided, apart from all other uploads and not for long.

Each holds the addresses of many people, so it is no upload like others. It lies in a folder of its
own, readable for its owner only, and goes with its verdicts a day after it came, when somebody
removes it, or when the home of anybody in it is purged.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from territory.access import audit_log
from territory.eligibility.desk.batch import check_mapping, read_batch
from territory.eligibility.desk.reference_conflicts import conflict_sentence, reference_conflicts
from territory.eligibility.homes import map_home_headers
from territory.eligibility.rules import is_reference
from territory.errors import ColumnError, FileFormatError, NotFoundError, TerritoryError
from territory.files import read_table, uploads
from territory.imports import head

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from territory.files import Upload
    from territory.store import Store

FOLDER = "home_files"  # below the folder of what the server keeps
KIND = "homes"
KEPT_S = 24 * 3600  # convention: how long a file of homes may lie on the server
INCOMING = "incoming-"  # how names begin of what is still arriving
SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".xlsx", ".xlsm")


def keep(folder: Path, source: Path, *, name: str, by: str, at: str) -> Upload:
    """Give a file of homes that has arrived a place of its own.

    Raises
    ------
    FileFormatError
        If it is neither a CSV nor an Excel file by its name.
    """
    if uploads.suffix_of(name) not in SUFFIXES:
        raise FileFormatError(
            f"{uploads.display_name(name)}: a batch is a CSV or Excel file. Save it as one."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return uploads.keep(folder, source, name=name, kind=KIND, is_full=False, by=by, at=at)


@dataclass(frozen=True)
class HomesPreview:
    """How a file of homes would be read.

    ``rows`` are the first ones as written, on the index of their lines; ``mapping`` is header ->
    column of homes; ``problem`` says why it cannot be decided that way, or is None;
    ``nameless`` counts the rows here whose person has something that is no reference.
    """

    headers: tuple[str, ...]
    rows: pd.DataFrame
    mapping: Mapping[str, str]
    problem: str | None
    nameless: int


def preview(upload: Upload, rows: int = 20) -> HomesPreview:
    """Read the first rows, under the mapping that a person chose or the one we would choose.

    Raises
    ------
    FileFormatError
        If the file cannot be read at all.
    """
    with uploads.name_in_errors(upload):
        table = head(upload.path, rows)
    headers = [str(name) for name in table.frame.columns]
    mapping = map_home_headers(headers) if upload.mapping is None else upload.mapping
    problem = None
    try:
        check_mapping(mapping, headers, upload.name)
    except ColumnError as error:
        problem = str(error)
    first = table.frame.head(rows).set_index(table.lines[:rows])
    if problem is None:
        whole = read_batch(upload.path, mapping)
        conflicts = reference_conflicts(whole.rows, whole.table.lines)
        problem = conflict_sentence(conflicts) if conflicts else None
    people = [first[header] for header, column in mapping.items() if column == "person_id"]
    references = people[0].dropna().astype(str).str.strip() if people else pd.Series(dtype=object)
    nameless = sum(not is_reference(each) for each in references)
    return HomesPreview(tuple(headers), first, mapping, problem, nameless)


def verdicts_of(upload: Upload) -> Path:
    """Where the rows of a file are with their verdicts, once they are decided."""
    suffix = ".xlsx" if upload.suffix in {".xlsx", ".xlsm"} else ".csv"
    return upload.folder / f"verdicts{suffix}"


def choose(upload: Upload, mapping: Mapping[str, str]) -> Upload:
    """Note which headers a person chose."""
    upload = dataclasses.replace(upload, mapping=dict(mapping))
    uploads.save(upload)
    return upload


def assign(upload: Upload, job_id: str) -> None:
    """Note which job decides the file."""
    uploads.save(dataclasses.replace(upload, commit=job_id))


def until(upload: Upload) -> datetime:
    """Give the moment at which a file is removed whatever happens."""
    since = datetime.fromisoformat(upload.uploaded_at).astimezone(UTC)
    return datetime.fromtimestamp(since.timestamp() + KEPT_S, UTC)


def sweep(folder: Path, now: datetime, *, kept_before: str | None = None) -> int:
    """Remove the files whose time is over; return how many there were.

    Parameters
    ----------
    kept_before
        A day (ISO text): files that came before it go too.
    """
    over = [
        upload
        for upload in uploads.newest_first(folder)
        if until(upload) <= now or upload.uploaded_at < (kept_before or "")
    ]
    for upload in over:
        uploads.discard(upload)
    for part in folder.glob(f"{INCOMING}*"):  # of a server that was killed
        if part.stat().st_mtime + KEPT_S <= now.timestamp():
            part.unlink(missing_ok=True)
    return len(over)


def discard_of(folder: Path, subjects: Collection[str]) -> int:
    """Remove the files that any of some people is in; return how many there were.

    A file that cannot be read, as a whole or in a line, may hold anybody, and goes.
    """
    wanted = {subject.casefold() for subject in subjects}
    holding = [upload for upload in uploads.newest_first(folder) if _holds(upload, wanted)]
    for upload in holding:
        uploads.discard(upload)
    return len(holding)


def _holds(upload: Upload, wanted: set[str]) -> bool:
    """Whether any cell of a file, whatever its column, is one of some references, folded."""
    if not wanted:
        return False
    try:
        table = read_table(upload.path)
    except TerritoryError:
        return True
    columns = (column.dropna().astype(str) for _, column in table.frame.items())
    return bool(len(table.refused)) or any(
        column.str.strip().str.casefold().isin(wanted).any() for column in columns
    )


def take_verdicts(store: Store, upload: Upload, *, by: str, now: datetime) -> Path:
    """Give the file with verdicts to whoever takes it away, and put that on record.

    Raises
    ------
    NotFoundError
        If it is not there: not decided yet, or removed.
    """
    path = verdicts_of(upload)
    if not path.is_file():
        raise NotFoundError(
            f"No verdicts of batch {upload.upload_id} are on the server. Hand the file in again."
        )
    with store.write() as transaction:
        audit_log.record(
            transaction,
            by=by,
            at=now,
            action="eligibility.download",
            subject_kind="batch",
            subject_id=upload.upload_id,
        )
    return path
