"""Addresses of a batch: its columns read as ``Gazetteer.lookup`` wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from territory.cleaning import clean_addresses, clean_text, lost_zeros
from territory.files import arrow_text
from territory.schemas import ADDRESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from territory.files import Batch


class AddressReader:
    """Reads the addresses of a file batch by batch, all by what its first batch shows.

    Parameters
    ----------
    columns
        Column of ours -> header of the file.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._header_of = {name: columns[name] for name in ADDRESS if name in columns}
        self._has_lost_zeros: bool | None = None

    def read(self, batch: Batch, rows: npt.NDArray[np.int64]) -> tuple[pd.DataFrame, pd.Series]:
        """The addresses of some rows and notes on them, as ``clean_addresses`` gives them."""
        table = batch.table
        if self._has_lost_zeros is None:
            self._has_lost_zeros = self._shows_lost_zeros(table)
        if len(rows) < table.num_rows:
            table = table.select(list(self._header_of.values())).take(pa.array(rows))
        texts = {name: _texts(table, header) for name, header in self._header_of.items()}
        frame = pd.DataFrame(texts, index=range(len(rows)))
        return clean_addresses(frame, has_lost_zeros=self._has_lost_zeros or None)

    def _shows_lost_zeros(self, table: pa.Table) -> bool:
        header = self._header_of.get("postal_code")
        return header is not None and lost_zeros(_texts(table, header))


def _texts(table: pa.Table, header: str) -> pd.Series:
    return clean_text(pd.Series(pd.array(arrow_text(table[header]), dtype="str")))
