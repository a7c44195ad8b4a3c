"""Tables that leave the app: CSV of exactly what a page shows, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from territory.cells import neutralise

if TYPE_CHECKING:
    import pandas as pd


def csv(frame: pd.DataFrame, name: str, *, is_demo: bool) -> Response:
    """Answer with a CSV download; a cell that a spreadsheet would run is made harmless.

    The name of a file with invented people and figures begins with "demo-".
    """
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
