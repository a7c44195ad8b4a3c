"""Records beside a view: the columns of an import, so that a file that left can come back.

A view shows the plan in force; a record is the row as it is on file now. A file of both, imported,
changes nothing: every column that an import reads says what is on file, with where its location
comes from, and what is the plan's own has names that an import does not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import shapely

from territory.geocoding import ORIGIN
from territory.store import KINDS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from territory.access import Scope
    from territory.store import Transaction

# These name accounts and reps that may be beyond the reach of who exports.
_NAMES_OTHERS = ("parent_id", "owner_rep_id")


def outlines(transaction: Transaction, market_ids: pd.Series) -> npt.NDArray[np.object_]:
    """Give the outline of each market in WGS84 degrees, None where it is on file no more."""
    on_file = transaction.table("markets", ["market_id", "geometry"]).set_index("market_id")
    shapes = on_file["geometry"].reindex(market_ids).to_numpy(object, copy=True)
    shapes[pd.isna(shapes)] = None
    drawn: npt.NDArray[np.object_] = shapely.from_wkb(shapes)
    return drawn


def with_records(
    transaction: Transaction, kind: str, view: pd.DataFrame, scope: Scope, *, is_whole: bool = False
) -> pd.DataFrame:
    """Give a view the columns of an import, as they are on file now.

    Parameters
    ----------
    view
        A frame of ``views`` within ``scope``, with the key of the kind.
    is_whole
        What is on file and not in the view follows it, where ``scope`` reaches everything.

    Returns
    -------
    rows
        The columns of ``view`` in their order, then those that only a record has.
    """
    (key,) = KINDS[kind].key
    sees_all = scope.accounts.is_all
    names = [*KINDS[kind].contract.columns, *(ORIGIN if KINDS[kind].is_placed else ())]
    if not sees_all:
        names = [name for name in names if name not in _NAMES_OTHERS]
    records = transaction.table(kind, names).set_index(key, drop=False)
    rows = view.set_index(key, drop=False)
    if is_whole and sees_all:
        rows = rows.reindex(rows.index.append(records.index.difference(rows.index)))
    is_on_file, now = rows.index.isin(records.index), records.reindex(rows.index)
    columns = {name: now[name].where(is_on_file, rows.get(name, None)) for name in names}
    whole = rows.assign(**columns).reset_index(drop=True)
    texts = {str(name): column for name, column in whole.items() if column.dtype == object}
    return whole.assign(**{name: text.where(text.notna(), None) for name, text in texts.items()})
