"""What is said of the rows of a file while it is being read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt


class Log:
    """Refusals and notes by row while a table is being read."""

    def __init__(self, lines: npt.NDArray[np.int64]) -> None:
        self.lines = lines
        self.reason = np.full(len(lines), None, dtype=object)
        self.remedy = np.full(len(lines), None, dtype=object)
        self.bucket = np.full(len(lines), None, dtype=object)
        self.taken = np.ones(len(lines), bool)
        self.notes: list[pd.DataFrame] = []

    def refuse(self, rows: Any, reasons: Any, remedy: Any, bucket: str = "refused") -> None:
        """Refuse the rows of a mask; a second reason is told after the first."""
        places = np.flatnonzero(np.asarray(rows, bool))
        self.taken[places] = False
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
            self.notes.append(pd.DataFrame({"line": self.lines[places], "note": texts}))
