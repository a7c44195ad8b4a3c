"""Row log: refusals, notes and unreadable cells by row while a table is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.files import empty_refusals

if TYPE_CHECKING:
    import numpy.typing as npt

CELLS = ("line", "column", "value")


class RowLog:
    """Refusals, notes and unreadable cells by row."""

    def __init__(self, lines: npt.NDArray[np.int64]) -> None:
        self.lines = lines
        self.reason = np.full(len(lines), None, dtype=object)
        self.remedy = np.full(len(lines), None, dtype=object)
        self.bucket = np.full(len(lines), None, dtype=object)
        self.is_accepted = np.ones(len(lines), bool)
        self.remarks: list[str] = []
        self.translations: list[pd.DataFrame] = []
        self._notes: list[pd.DataFrame] = []
        self._unreadable: list[pd.DataFrame] = []
        self._blank: list[pd.DataFrame] = []

    def refuse(self, rows: Any, reasons: Any, remedy: Any, bucket: str = "refused") -> None:
        """Refuse the rows of a mask; a second reason is told after the first."""
        places = np.flatnonzero(np.asarray(rows, bool))
        self.is_accepted[places] = False
        reasons, remedies = (np.broadcast_to(np.asarray(x, object), len(self.lines))
                             for x in (reasons, remedy))  # fmt: skip
        for at in places:
            before = (
                (f"{self.reason[at]}; ", f"{self.remedy[at]} ") if self.reason[at] else ("",) * 2
            )
            self.reason[at] = f"{before[0]}{reasons[at]}"
            self.remedy[at] = f"{before[1]}{remedies[at]}"
            self.bucket[at] = self.bucket[at] or bucket

    def note(self, rows: Any, notes: pd.Series | str) -> None:
        """Note something of the rows of a mask: one text for all, or one for each row."""
        places = np.flatnonzero(np.asarray(rows, bool))
        if len(places):
            texts = notes if isinstance(notes, str) else notes.to_numpy()[places]
            self._notes.append(pd.DataFrame({"line": self.lines[places], "note": texts}))

    def unreadable(
        self, column: str, rows: Any, texts: pd.Series, notes: pd.Series | str | None = None
    ) -> None:
        """Note cells that cannot be read: they leave what is on file as it is."""
        places = np.flatnonzero(np.asarray(rows, bool))
        if not len(places):
            return
        values = texts.to_numpy(object)[places]
        cells = {"line": self.lines[places], "column": column, "value": values}
        self._unreadable.append(pd.DataFrame(cells))
        if notes is None:
            notes = column + " " + texts.map(repr) + " was not recognized"
        self.note(rows, notes)

    def is_unreadable(self, column: str) -> npt.NDArray[np.bool_]:
        """Tell of which rows a cell of the column could not be read."""
        parts = [part["line"] for part in self._unreadable if part["column"].iloc[0] == column]
        return np.isin(self.lines, pd.concat(parts)) if parts else np.zeros(len(self.lines), bool)

    def blank(self, column: str, rows: Any) -> None:
        """Note blank cells in whose place the default of their column stands."""
        places = np.flatnonzero(np.asarray(rows, bool))
        if len(places):
            self._blank.append(pd.DataFrame({"line": self.lines[places], "column": column}))

    @property
    def notes(self) -> pd.DataFrame:
        """``line, note`` of accepted rows, by line."""
        none = empty_refusals()[["line"]].assign(note=pd.Series(dtype=object))
        return self._of_accepted(self._notes, none)

    @property
    def unreadable_cells(self) -> pd.DataFrame:
        """``CELLS`` of accepted rows, by line."""
        return self._of_accepted(self._unreadable, no_cells())

    @property
    def blank_cells(self) -> pd.DataFrame:
        """``line, column`` of accepted rows, by line."""
        return self._of_accepted(self._blank, no_cells()[["line", "column"]])

    def _of_accepted(self, parts: list[pd.DataFrame], none: pd.DataFrame) -> pd.DataFrame:
        rows = pd.concat(parts) if parts else none
        rows = rows[rows["line"].isin(self.lines[self.is_accepted])]
        return rows.sort_values("line", kind="stable", ignore_index=True)


def no_cells() -> pd.DataFrame:
    """A table of unreadable cells that holds none."""
    texts = pd.Series(dtype=object)
    return empty_refusals()[["line"]].assign(column=texts, value=texts)
