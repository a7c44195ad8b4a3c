"""Uploads: files are written where they stay while they arrive, never held in memory."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any

import flask
from flask import request

from territory.errors import InputError
from territory.files import uploads
from territory.timestamps import utc_text
from webmap import context, security

if TYPE_CHECKING:
    from pathlib import Path

    from territory.files import Upload

INCOMING = "incoming-"
ABANDONED_S = 24 * 3600  # what is still arriving after a day never will


class Request(flask.Request):
    """A request whose files go where they stay, where that is what they are for."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> Any:
        if self.endpoint not in security.UPLOADS:
            return super()._get_file_stream(*args, **kwargs)
        folder = folder_of(self.endpoint)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep(folder)
        return tempfile.NamedTemporaryFile("wb+", dir=folder, prefix=INCOMING)


def folder_of(endpoint: str | None) -> Path:
    """Give the folder for the files that a view takes in: those of homes lie apart."""
    settings = context.settings()
    return settings.uploads if endpoint == security.UPLOADS[0] else settings.home_files


def sweep(folder: Path) -> None:
    """Remove what a server that was killed had not received whole."""
    for left in folder.glob(f"{INCOMING}*"):
        if time.time() - left.stat().st_mtime > ABANDONED_S:
            left.unlink(missing_ok=True)


def arrived() -> tuple[Path, str]:
    """Give the file of this request, as it lies on disk, and the name that its owner gave it.

    Raises
    ------
    InputError
        If there is none, or it is empty.
    """
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InputError("No file was chosen. Choose one, or drop it on the field.")
    file.stream.flush()
    if file.stream.tell() == 0 and file.stream.seek(0, 2) == 0:
        raise InputError(f"{uploads.display_name(file.filename)}: the file is empty.")
    return folder_of(request.endpoint) / str(file.stream.name), file.filename


def keep(kind: str, *, is_full: bool) -> Upload:
    """Keep the file of this request.

    Raises
    ------
    InputError
        If there is none, it is empty, or its name has no suffix that can be read.
    """
    path, name = arrived()
    settings = context.settings()
    return uploads.keep(
        settings.uploads,
        path,
        name=name,
        kind=kind,
        is_full=is_full,
        by=security.person(),
        at=utc_text(settings.now()),
    )
