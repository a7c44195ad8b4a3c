"""Downloads: tables as files, safe to open in a spreadsheet and put on record."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response

from territory.reports import exports
from webmap import context, security

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

PIECE = 256 << 10  # bytes sent at a time
MIMETYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "gpkg": "application/geopackage+sqlite3",
    "pdf": "application/pdf",
}


def table(
    frame: pd.DataFrame, kind: str, form: str = "csv", *, is_demo: bool, of: str | None = None
) -> Response:
    """Answer with rows as a file, in their order, and put on record who took how many.

    ``of`` is the part of the plan that the rows are of, if not all of it. A cell that a spreadsheet
    would run is made harmless. The name of a file with invented people and figures begins with
    "demo-". The header ``X-Rows`` says how many rows there are, ``X-Located`` how many of them have
    a location.
    """
    with ExitStack() as stack:
        path = folder(stack) / f"{kind}.{form}"
        report = exports.write(
            context.store(),
            frame,
            kind,
            path,
            by=security.person(),
            now=context.now(),
            of=of or "plan",
        )
        name = f"{kind}-{of}" if of else kind
        response = download(path, name, stack.pop_all(), is_demo=is_demo)
    response.headers["X-Rows"] = str(report.rows)
    if report.located is not None:
        response.headers["X-Located"] = str(report.located)
    return response


def folder(stack: ExitStack) -> Path:
    """Make a folder of this user's that is gone when the stack closes."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="territory-")))


def download(path: Path, name: str, stack: ExitStack, *, is_demo: bool) -> Response:
    """Answer with a file, piece by piece, under a name of ours with its own suffix.

    ``stack`` is closed once the file is sent, or whoever asked is gone.
    """
    form = path.suffix.removeprefix(".")
    response = Response(_pieces(path, stack), mimetype=MIMETYPES[form])
    response.call_on_close(stack.close)
    response.content_length = path.stat().st_size
    response.headers.set(
        "Content-Disposition",
        "attachment",
        filename=f"{'demo-' if is_demo else ''}{name}.{form}",
    )
    return response


def _pieces(path: Path, stack: ExitStack) -> Iterator[bytes]:
    with stack, path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
