"""Own places: rows of a file that left as an export, put back where they were.

Such a file says of each location how it was found (``geocoding.ORIGIN``). Where that, the address
and the point are those on file, nothing about the place of the row has changed, whatever decided
it: a ZIP code, a pin, an online answer. A point that was moved by hand while its origin stayed is
the company's own from now on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.geocoding import ORIGIN, geocode, shared_gazetteer
from territory.schemas import ADDRESS, GEOCODE
from territory.store import GIVEN, KINDS

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from territory.policy import Policy
    from territory.store import Transaction

    Bools = npt.NDArray[np.bool_]

_SAME_DEG = 1e-7  # a centimetre: coordinates that were written and read again differ less
_SAME_M = 1e-3


def restore_own_places(
    transaction: Transaction, kind: str, rows: pd.DataFrame, policy: Policy
) -> pd.DataFrame:
    """Give rows that come back as they left the place that they have on file.

    Every row comes back once, in the order given; those of a file that says nothing of where its
    locations come from are as they were.

    Parameters
    ----------
    rows
        As they would be written, with the columns of ``ORIGIN`` and ``origin_lon`` and
        ``origin_lat``, as the file has them.
    """
    if not set(ORIGIN.values()) <= set(rows.columns) or rows.empty:
        return rows
    key = list(KINDS[kind].key)
    names = [*ADDRESS, *GIVEN.values(), *GEOCODE.columns]
    table = transaction.rows(kind, rows[key], [*key, *names])
    stored = rows[key].merge(table, how="left", on=key, indicator=True).set_axis(rows.index)
    is_same: Bools = (stored["_merge"] == "both").to_numpy(bool, copy=True)
    for name in ADDRESS:
        is_same &= _same_text(rows[name], stored[name])
    for name, ours in ORIGIN.items():
        is_same &= _same_origin(rows[ours], stored[name])
    is_moved = np.zeros(len(rows), bool)
    for name in ("lon", "lat"):
        written, placed = rows[f"origin_{name}"].to_numpy(float), stored[name].to_numpy(float)
        is_moved |= ~np.isclose(written, placed, rtol=0, atol=_SAME_DEG, equal_nan=True)
    places = stored.loc[is_same & ~is_moved, names]
    columns: dict[str, pd.Series] = {}
    for name in names:
        values = rows[name].copy()
        values.loc[places.index] = places[name]
        columns[name] = values.astype(rows[name].dtype)
    rows = rows.assign(**columns)
    return _moved(rows, is_same & is_moved & rows["origin_lon"].notna().to_numpy(bool), policy)


def _moved(rows: pd.DataFrame, is_moved: Bools, policy: Policy) -> pd.DataFrame:
    """Place rows by the coordinates that were written over those on file."""
    at = np.flatnonzero(is_moved)
    if not len(at):
        return rows
    some = rows.iloc[at].set_axis(at)
    given = {name: some[f"origin_{name}"] for name in ("lon", "lat")}
    placed = geocode.place(
        some[list(ADDRESS)].assign(**given), shared_gazetteer(policy.geocoding), policy
    )
    rows = geocode.overlay(rows, placed)
    for name, ours in GIVEN.items():
        values = rows[ours].to_numpy(float, copy=True)
        values[at] = given[name].to_numpy(float)
        rows = rows.assign(**{ours: values})
    return rows


def _same_text(cells: pd.Series, before: pd.Series) -> Bools:
    same: Bools = ((cells == before) | (cells.isna() & before.isna())).to_numpy(bool)
    return same


def _same_origin(cells: pd.Series, before: pd.Series) -> Bools:
    """Tell where a file says of a location what is on file, or leaves it out."""
    if cells.dtype == float:
        ours, theirs = cells.to_numpy(float), before.to_numpy(float)
        close: Bools = np.isnan(ours) | np.isclose(ours, theirs, rtol=0, atol=_SAME_M)
        return close
    same: Bools = ((cells == before) | cells.isna()).to_numpy(bool)
    return same
