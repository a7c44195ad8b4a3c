"""Uploads: files handed in on the page, kept on disk until they are discarded.

``<folder>/<upload_id>/`` holds the file, named "file" and its suffix whatever it was called before,
``upload.json`` with what is known of it, and a folder of Parquet tables per job that read it. The
name that a browser gave is text to show, never a path.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from territory.errors import FileFormatError, NotFoundError, TerritoryError
from territory.files.tables import format_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD = "upload.json"
ID = re.compile(r"[0-9a-f]{16}")
SUFFIX = re.compile(r"(\.(csv|tsv|txt)\.gz|\.[a-z]{3,10})$")
NAME_LENGTH = 200
CHUNK = 1 << 20


@dataclass(frozen=True)
class Upload:
    """A file as it was handed in.

    ``name`` is what its owner calls it, ``size`` is in bytes, ``uploaded_at`` UTC ISO text.
    ``mapping`` is what a person chose (header to column), None while nobody chose anything.
    ``trial`` and ``commit`` are the ids of the last jobs that read it dry and for good.
    """

    upload_id: str
    folder: Path
    kind: str
    name: str
    suffix: str
    sha256: str
    size: int
    uploaded_at: str
    uploaded_by: str
    is_full: bool = False
    mapping: Mapping[str, str] | None = None
    trial: str | None = None
    commit: str | None = None

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.folder / f"file{self.suffix}"

    def tables(self, job_id: str) -> Path:
        """Give the folder in which a job leaves its tables."""
        return self.folder / job_id


def suffix_of(name: str) -> str:
    """Give the suffix that tells how to read a file of this name.

    Raises
    ------
    FileFormatError
        If it is none that this package reads.
    """
    title = display_name(name)
    match = SUFFIX.search(title.lower())
    plain = f"file{match[0]}" if match else "file"
    try:
        format_of(Path(plain))
    except FileFormatError as error:
        raise FileFormatError(str(error).replace(plain, title, 1)) from None
    return match[0] if match else ""


def display_name(name: str) -> str:
    """Make a name that is safe to show in one line: its last part, without control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(letter for letter in last if letter.isprintable())
    return printable.strip()[:NAME_LENGTH] or "file without a name"


def keep(
    folder: Path, source: Path, *, name: str, kind: str, is_full: bool, by: str, at: str
) -> Upload:
    """Give a file that has arrived a place of its own; ``source`` may be removed afterwards.

    Raises
    ------
    FileFormatError
        If its name has no suffix that this package reads.
    """
    suffix = suffix_of(name)
    upload_id = secrets.token_hex(8)
    own = folder / upload_id
    own.mkdir(parents=True, mode=0o700)
    target = own / f"file{suffix}"
    try:
        target.hardlink_to(source)  # nothing is copied on the same disk
    except OSError:
        shutil.copyfile(source, target)
    upload = Upload(
        upload_id=upload_id,
        folder=own,
        kind=kind,
        name=display_name(name),
        suffix=suffix,
        sha256=_digest(target),
        size=target.stat().st_size,
        uploaded_at=at,
        uploaded_by=by,
        is_full=is_full,
    )
    save(upload)
    return upload


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
    return digest.hexdigest()


def save(upload: Upload) -> None:
    """Write down what is known of an upload: whole or not at all."""
    record = dataclasses.asdict(upload)
    del record["folder"]
    draft = upload.folder / f"{RECORD}.{secrets.token_hex(4)}"
    draft.write_text(json.dumps(record, indent=1), "utf-8")
    draft.replace(upload.folder / RECORD)


def find(folder: Path, upload_id: str) -> Upload:
    """Look up an upload.

    Raises
    ------
    NotFoundError
        If there is none of that id, or it was discarded.
    """
    own = folder / upload_id
    if not ID.fullmatch(upload_id) or not (own / RECORD).is_file():
        raise NotFoundError(
            f"No upload {upload_id[:40]!r}: it may have been removed. Drop it again."
        )
    record = json.loads((own / RECORD).read_text("utf-8"))
    return Upload(folder=own, **record)


def newest_first(folder: Path) -> list[Upload]:
    """List the uploads of a folder."""
    uploads = [find(folder, own.name) for own in _folders(folder)]
    return sorted(uploads, key=lambda upload: (upload.uploaded_at, upload.upload_id), reverse=True)


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for own in folder.iterdir():
            if ID.fullmatch(own.name) and (own / RECORD).is_file():
                yield own


def of_digest(folder: Path, sha256: str) -> Upload | None:
    """Find an upload whose file has this content, None where none is kept."""
    return next((upload for upload in newest_first(folder) if upload.sha256 == sha256), None)


@contextmanager
def name_in_errors(upload: Upload) -> Iterator[None]:
    """Let errors speak of the file by the name that its owner gave it."""
    try:
        yield
    except TerritoryError as error:
        words = str(error).replace(str(upload.path), upload.name)
        raise type(error)(words.replace(upload.path.name, upload.name)) from error


def discard(upload: Upload) -> None:
    """Remove an upload and all that was made of it."""
    shutil.rmtree(upload.folder, ignore_errors=True)
