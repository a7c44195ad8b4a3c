"""Files that lack columns: what they say nothing of stays as it is on file.

An absent column leaves its field alone; a blank cell in a column that is there clears it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from territory import reference
from territory.cleaning import clean_postal_codes
from territory.geocoding import geocode, shared_gazetteer
from territory.imports.contract_rows import clean_units
from territory.markets import areas
from territory.schemas import ADDRESS, GEOCODE
from territory.store import GIVEN, KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from territory.policy import Policy
    from territory.store import Transaction

_PLACE = (*ADDRESS, *GIVEN.values())
_DRAWN_FROM = ("kind", "units")
_DRAWING = (*_DRAWN_FROM, "geometry")
# Name and rep belong to the territory, whose rows are its markets and segments.
_KNOWN_BY = {"territories": ["territory_id"]}


def complete(
    transaction: Transaction,
    kind: str,
    rows: pd.DataFrame,
    absent: Collection[str],
    policy: Policy,
) -> tuple[pd.DataFrame, pd.Series]:
    """Give rows that are on file the fields which their file has no column for.

    Every row comes back once, in the order given. Where the rest of an address or of a pair of
    coordinates comes from the store, the row is placed by the whole of it.

    Parameters
    ----------
    rows
        As the store holds them, null or a default in the columns that are ``absent``; markets then
        have no geometry yet.
    absent
        Columns of the contract, as ``Intake.absent`` names them.

    Returns
    -------
    rows
        The same columns.
    reason
        What a row that is not on file lacks, by the index of ``rows``; None for nothing.

    Raises
    ------
    InputError
        Naming the markets that cannot be drawn from what the file and the store say.
    """
    names = _stored_names(kind, absent)
    if not names or rows.empty:
        return rows, pd.Series(None, index=rows.index, dtype=object)
    is_partly_placed = KINDS[kind].is_placed and not _is_placeless(names)
    is_undrawn = kind == "markets"
    derived_from = _PLACE if is_partly_placed else _DRAWING if is_undrawn else ()
    stored, is_known = _stored(transaction, kind, rows, (*names, *derived_from))
    filled = _filled(rows, stored, is_known, names)
    if is_partly_placed:
        filled = _placed(rows, _readdressed(filled, stored, is_known, names), policy)
    if is_undrawn:
        filled = _drawn(filled, stored, is_known)
    return filled, _lacking(kind, filled, names)


def keep_places(
    transaction: Transaction, kind: str, rows: pd.DataFrame, absent: Collection[str]
) -> pd.DataFrame:
    """Leave rows that are on file where they are, if their file says nothing of places at all.

    Every row comes back once, in the order given.
    """
    if not KINDS[kind].is_placed or rows.empty or not _is_placeless(_stored_names(kind, absent)):
        return rows
    place_columns = tuple(GEOCODE.columns)
    stored, is_known = _stored(transaction, kind, rows, place_columns)
    at = np.flatnonzero(is_known)
    return (
        geocode.overlay(rows, stored[list(place_columns)].iloc[at].set_axis(at))
        if len(at)
        else rows
    )


def _stored_names(kind: str, absent: Collection[str]) -> tuple[str, ...]:
    """Name absent columns as the store does; half a pair of coordinates is none."""
    is_half = KINDS[kind].is_placed and not set(GIVEN).isdisjoint(absent)
    names = {*absent, *(GIVEN if is_half else ())}
    renamed = GIVEN if KINDS[kind].is_placed else {}
    return tuple(renamed.get(name, name) for name in KINDS[kind].contract.columns if name in names)


def _is_placeless(names: Collection[str]) -> bool:
    return set(_PLACE) <= set(names)


def _stored(
    transaction: Transaction, kind: str, rows: pd.DataFrame, columns: Iterable[str]
) -> tuple[pd.DataFrame, pd.Series]:
    """Read columns of the rows on file, on the index of ``rows``, and which of these are there."""
    key = _KNOWN_BY.get(kind, list(KINDS[kind].key))
    names = list(dict.fromkeys([*key, *columns]))
    if kind in _KNOWN_BY:
        table = transaction.table(kind, names).drop_duplicates(key)
    else:
        wanted = rows[key] if transaction.size(kind) else rows[key].head(0)
        table = transaction.rows(kind, wanted, names)
    stored = rows[key].merge(table, how="left", on=key, indicator=True).set_axis(rows.index)
    return stored, stored["_merge"] == "both"


def _filled(
    rows: pd.DataFrame, stored: pd.DataFrame, is_known: pd.Series, names: Iterable[str]
) -> pd.DataFrame:
    """Take the fields on file, but where state and country follow from one another in the file."""
    columns = {}
    for name in names:
        is_kept = is_known
        if name == "state":
            is_kept = is_known & rows["state"].isna()
        elif name == "country":
            is_moved = rows["state"] != stored["state"] if "state" in stored else False
            is_kept = is_known & ~(rows["country"].notna() & is_moved)
        columns[name] = stored[name].where(is_kept, rows[name]).astype(rows[name].dtype)
    return rows.assign(**columns)


def _readdressed(
    rows: pd.DataFrame, stored: pd.DataFrame, is_known: pd.Series, names: Collection[str]
) -> pd.DataFrame:
    """Read postal codes again where it is the store that says of which country they are."""
    if "country" not in names or "postal_code" in names:
        return rows
    same = clean_postal_codes(stored["postal_code"]) == rows["postal_code"]
    code = stored["postal_code"].where(is_known & same, rows["postal_code"])
    read = clean_postal_codes(code, rows["country"]).where(is_known & ~same, code)
    return rows.assign(postal_code=read.astype(object).where(read.notna(), None))


def _placed(before: pd.DataFrame, rows: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Place the rows that say more of their place than they did before."""
    differs = np.zeros(len(rows), bool)
    for name in _PLACE:
        same = (rows[name] == before[name]) | (rows[name].isna() & before[name].isna())
        differs |= ~same.to_numpy(bool)
    at = np.flatnonzero(differs)
    if not len(at):
        return rows
    wanted = rows.iloc[at].set_axis(at)
    wanted = wanted[list(ADDRESS)].assign(lon=wanted["given_lon"], lat=wanted["given_lat"])
    fresh = geocode.place(wanted, shared_gazetteer(policy.geocoding), policy)
    return geocode.overlay(rows, fresh)


def _drawn(rows: pd.DataFrame, stored: pd.DataFrame, is_known: pd.Series) -> pd.DataFrame:
    """Give markets their outline: the one on file, or a new one of what they are made of now."""
    rows = rows.assign(units=clean_units(rows["units"], rows["kind"]))
    is_same = is_known.copy()
    for name in _DRAWN_FROM:
        is_same &= (rows[name] == stored[name]) | (rows[name].isna() & stored[name].isna())
    geometry = stored["geometry"].where(is_same, None).to_numpy(object, copy=True)
    at = np.flatnonzero(~is_same & rows[["name", "kind"]].notna().all(axis=1))
    if len(at):
        wanted = rows.iloc[at][list(KINDS["markets"].contract.columns)]
        geometry[at] = shapely.to_wkb(areas.define(wanted, reference.load()).geometry.to_numpy())
    return rows.assign(geometry=geometry)


def _lacking(kind: str, rows: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Say which required fields rows lack for want of a column; None where there is none."""
    reason = pd.Series(None, index=rows.index, dtype=object)
    contract = KINDS[kind].contract.columns
    for name in (name for name in names if name in contract and not contract[name].nullable):
        is_blank = rows[name].isna()
        so_far = (reason + "; ").where(reason.notna(), "")
        reason = reason.where(~is_blank, so_far + f"no {name}, and the row is new")
    return reason
