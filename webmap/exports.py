"""Tables that leave the app: CSV of exactly what a page shows, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from territory import exporting
from territory.cells import neutralise
from webmap import opened, security

if TYPE_CHECKING:
    import pandas as pd


def csv(frame: pd.DataFrame, kind: str, *, is_demo: bool, of: str | None = None) -> Response:
    """Answer with a CSV download and put on record who took how many rows.

    ``of`` is the part of the plan that the rows are of, if not all of it. A cell that a spreadsheet
    would run is made harmless. The name of a file with invented people and figures begins with
    "demo-".
    """
    exporting.record(
        opened.store(),
        kind,
        rows=len(frame),
        form="csv",
        by=security.person(),
        now=opened.now(),
        of=of or "plan",
    )
    name = f"{kind}-{of}" if of else kind
    safe = frame.assign(**{column: neutralise(frame[column]) for column in frame.columns})
    response = Response(safe.to_csv(index=False, lineterminator="\r\n"), mimetype="text/csv")
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{'demo-' if is_demo else ''}{name}.csv"
    )
    return response


def records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Give rows to a template, with ``None`` for every missing value."""
    whole = frame.astype(object)
    rows: list[dict[str, object]] = whole.where(whole.notna(), None).to_dict("records")
    return rows
