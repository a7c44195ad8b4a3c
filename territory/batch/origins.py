"""How well the coordinates of a file are known, where it says so, as our own exports do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import clean_text
from territory.files import arrow_text
from territory.geocoding import ORIGIN, read_origins, with_origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pyarrow as pa


def said_uncertainty(
    table: pa.Table, columns: Mapping[str, str], metres: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Give the uncertainty of the coordinates of each row, in metres.

    Parameters
    ----------
    columns
        Column of ours -> header.
    metres
        Of coordinates of which the file says nothing; NaN without coordinates.
    """
    names = [name for name in ORIGIN if name in columns]
    if not names:
        return metres
    texts = {
        name: clean_text(pd.Series(pd.array(arrow_text(table[columns[name]]), dtype="str")))
        for name in names
    }
    origins, _ = read_origins(pd.DataFrame(texts))
    given = {"precision": "rooftop", "uncertainty_m": metres, "geocode_source": "given"}
    placed = with_origins(pd.DataFrame(given, index=origins.index), origins)
    said = placed["uncertainty_m"].to_numpy(float)
    return np.where(np.isnan(metres), np.nan, said)
