"""Work once per distinct text of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable


def by_value(column: pd.Series, read: Callable[[str], Any]) -> pd.Series:
    """Read each distinct text once; null where the cell or the answer is null (object dtype)."""
    places, distinct = pd.factorize(column)
    answers = np.empty(len(distinct) + 1, dtype=object)
    answers[:-1] = [read(text) for text in distinct]
    answers[-1] = None  # where factorize put null
    return pd.Series(answers[places], index=column.index, name=column.name, dtype=object)
