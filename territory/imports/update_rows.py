"""Upsert: rows of a file completed from the store, checked and compared with it, and written.

An absent column leaves its field alone, and so does a cell that cannot be read; a blank cell in a
column that is there clears it. What the store cannot take is refused; the cells that change are
kept, so that the import can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from territory import reference
from territory.cleaning import clean_postal_codes
from territory.errors import InputError
from territory.geocoding import geocode, shared_gazetteer
from territory.markets import clean_units, define, read_units
from territory.schemas import ADDRESS, CHANGES, GEOCODE
from territory.store import GIVEN, KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]

    from territory.policy import Policy
    from territory.store import Transaction

_PLACE = (*ADDRESS, *GIVEN.values())
_TOLD_TOGETHER = ("city", "state", "postal_code", "country")
_DRAWN_FROM = ("kind", "units")
_DRAWING = (*_DRAWN_FROM, "geometry")
# Name and rep belong to the territory, whose rows are its markets and segments.
_KNOWN_BY = {"territories": ["territory_id"]}
_CHUNK = 20_000  # rows compared and written at a time: bounds what is in memory twice


def complete(
    transaction: Transaction,
    kind: str,
    rows: pd.DataFrame,
    absent: Collection[str],
    policy: Policy,
    unread: Mapping[str, Bools] | None = None,
) -> tuple[pd.DataFrame, pd.Series]:
    """Give rows that are on file the fields which their file has no column for, or no legible cell.

    Every row comes back once, in the order given. Where the rest of an address or of a pair of
    coordinates comes from the store, the row is placed by the whole of it.

    Parameters
    ----------
    rows
        As the store holds them, null or a default in the columns that are ``absent``; markets then
        have no geometry yet.
    absent
        Columns of the contract, as ``ContractRows.absent`` names them.
    unread
        Columns of the contract with the rows of which the cell could not be read, as masks.

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
    lacking = _stored_names(kind, absent)
    masks = _stored_masks(kind, unread or {}, lacking)
    names = (*lacking, *masks)
    if not names or rows.empty:
        return rows, pd.Series(None, index=rows.index, dtype=object)
    is_partly_placed = KINDS[kind].is_placed and not _is_placeless(lacking)
    is_undrawn = kind == "markets" and bool(lacking)
    derived_from = _PLACE if is_partly_placed else _DRAWING if is_undrawn else ()
    stored, is_stored = _stored(transaction, kind, rows, (*names, *derived_from))
    filled = _filled(rows, stored, is_stored, names, masks)
    if is_partly_placed:
        filled = _placed(rows, _readdressed(filled, stored, is_stored, lacking), policy)
    if is_undrawn:
        filled = _drawn(filled, stored, is_stored)
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
    stored, is_stored = _stored(transaction, kind, rows, place_columns)
    at = np.flatnonzero(is_stored)
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


def _stored_masks(
    kind: str, unread: Mapping[str, Bools], lacking: Collection[str]
) -> dict[str, Bools]:
    """Give the rows with cells that could not be read, by the name of the store's column.

    Of a pair of coordinates the store never gives one half.
    """
    masks: dict[str, Bools] = {}
    for name, mask in unread.items():
        is_axis = KINDS[kind].is_placed and name in GIVEN
        for column in GIVEN.values() if is_axis else (name,):
            if column not in lacking:
                masks[column] = masks[column] | mask if column in masks else mask
    return masks


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
        keys = rows[key] if transaction.size(kind) else rows[key].head(0)
        table = transaction.rows(kind, keys, names)
    stored = rows[key].merge(table, how="left", on=key, indicator=True).set_axis(rows.index)
    return stored, stored["_merge"] == "both"


def _filled(
    rows: pd.DataFrame,
    stored: pd.DataFrame,
    is_stored: pd.Series,
    names: Iterable[str],
    masks: Mapping[str, Bools],
) -> pd.DataFrame:
    """Take the fields on file, but where state and country follow from one another in the file."""
    columns = {}
    is_whole = _is_whole_address(rows, names)
    for name in names:
        # A state of the file implies its country, and the other way round: of such a pair the
        # store never fills in one half that might contradict the other.
        stays = is_stored
        if name in masks:
            stays = is_stored & masks[name]
        elif name == "state":
            stays = is_stored & rows["state"].isna()
        elif name == "country":
            is_moved = rows["state"] != stored["state"] if "state" in stored else False
            stays = is_stored & ~(rows["country"].notna() & is_moved)
        if name in _TOLD_TOGETHER:
            stays &= ~is_whole
        columns[name] = stored[name].where(stays, rows[name]).astype(rows[name].dtype)
    return rows.assign(**columns)


def _is_whole_address(rows: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Tell which rows give by the text of another column what their file has no column for."""
    places = [name for name in ("city", "postal_code") if name in names and name in rows]
    whole: pd.Series = rows[places].notna().any(axis=1)
    return whole


def _readdressed(
    rows: pd.DataFrame, stored: pd.DataFrame, is_stored: pd.Series, names: Collection[str]
) -> pd.DataFrame:
    """Read postal codes again where it is the store that says of which country they are."""
    if {"country", "state"}.isdisjoint(names) or "postal_code" in names:
        return rows
    same = clean_postal_codes(stored["postal_code"]) == rows["postal_code"]
    code = stored["postal_code"].where(is_stored & same, rows["postal_code"])
    codes = clean_postal_codes(code, rows["country"], rows["state"]).where(is_stored & ~same, code)
    return rows.assign(postal_code=codes.astype(object).where(codes.notna(), None))


def _placed(before: pd.DataFrame, rows: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Place the rows that say more of their place than they did before."""
    differs = np.zeros(len(rows), bool)
    for name in _PLACE:
        differs |= _differs(rows[name], before[name]).to_numpy(bool)
    at = np.flatnonzero(differs)
    if not len(at):
        return rows
    moved = rows.iloc[at].set_axis(at)
    places = moved[list(ADDRESS)].assign(lon=moved["given_lon"], lat=moved["given_lat"])
    placed = geocode.place(places, shared_gazetteer(policy.geocoding), policy)
    return geocode.overlay(rows, placed)


def _drawn(rows: pd.DataFrame, stored: pd.DataFrame, is_stored: pd.Series) -> pd.DataFrame:
    """Give markets their outline: the one on file, or a new one of what they are made of now."""
    rows = rows.assign(units=clean_units(rows["units"], rows["kind"]))
    is_same = is_stored.copy()
    for name in _DRAWN_FROM:
        is_same &= ~_differs(rows[name], stored[name])
    geometry = stored["geometry"].where(is_same, None).to_numpy(object, copy=True)
    is_listed = rows["kind"].ne("polygon") & rows[["name", "kind"]].notna().all(axis=1)
    at = np.flatnonzero(~is_same & is_listed)
    if len(at):
        markets = rows.iloc[at][list(KINDS["markets"].contract.columns)].reset_index(drop=True)
        units = read_units(markets, reference.load())
        at = np.delete(at, units.faults["market"].to_numpy(int))
        markets = markets.drop(index=units.faults["market"].tolist())
        shapes = define(markets, reference.load())
        geometry[at] = shapely.to_wkb(shapes.geometry.to_numpy())
        rows.loc[rows.index[at], "units"] = shapes["units"].to_numpy(object)
    return rows.assign(geometry=geometry)


def keep_outlines(
    transaction: Transaction, kind: str, rows: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the outlines that people drew from the store, where a list of markets has none.

    Returns
    -------
    rows
        The same rows, markets with their geometry.
    faults
        reason and remedy of markets that cannot be drawn, by the index of ``rows``; None for none.
    """
    faults = pd.DataFrame(None, index=rows.index, columns=["reason", "remedy"], dtype=object)
    undrawn = (
        rows["geometry"].isna() if kind == "markets" else pd.Series(data=False, index=rows.index)
    )
    if not undrawn.any():
        return rows, faults
    stored, _ = _stored(transaction, kind, rows, _DRAWING)
    by_hand = rows["kind"].eq("polygon") & stored["kind"].eq("polygon") & undrawn
    rows = rows.assign(geometry=rows["geometry"].where(~by_hand, stored["geometry"]))
    faults.loc[undrawn & ~by_hand & rows["kind"].eq("polygon")] = (
        "a market drawn as a polygon, without its outline",
        "Import its outline: KML, GeoJSON, GeoPackage or a zipped Shapefile.",
    )
    listed = rows[undrawn & rows["kind"].ne("polygon") & rows["kind"].notna()]
    units = read_units(listed.reset_index(drop=True), reference.load())
    for at, reason, remedy in units.faults.itertuples(index=False):
        faults.loc[listed.index[at]] = (reason, remedy)
    return rows, faults


def _lacking(kind: str, rows: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Say which required fields rows lack for want of a column; None where there is none."""
    reason = pd.Series(None, index=rows.index, dtype=object)
    contract = KINDS[kind].contract.columns
    for name in (name for name in names if name in contract and not contract[name].nullable):
        is_blank = rows[name].isna()
        so_far = (reason + "; ").where(reason.notna(), "")
        reason = reason.where(~is_blank, so_far + f"no {name}, and the row is new")
    return reason


def dangling(transaction: Transaction, kind: str, rows: pd.DataFrame) -> pd.Series:
    """Say of each row which id it names that the store does not know; null for none."""
    reason = pd.Series(None, index=rows.index, dtype=object)
    for column, other in KINDS[kind].references:
        target = KINDS[other].key[0]
        ids = transaction.table(other, [target])[target]
        is_lost = rows[column].notna() & ~rows[column].isin(ids)
        name = column + " " + rows.loc[is_lost, column].map(repr)
        reason[is_lost] = name + f" is not among the {other}"
    return reason


def refuse_two_owners(transaction: Transaction, rows: pd.DataFrame) -> None:
    """Refuse rows after which a territory would have two reps or two names.

    Raises
    ------
    InputError
        Naming every such territory with both values. Nothing is written.
    """
    key = list(KINDS["territories"].key)
    merged = pd.concat([transaction.table("territories"), rows]).drop_duplicates(key, keep="last")
    breaches = []
    for column in ("rep_id", "name"):
        values = merged.groupby("territory_id")[column].agg(
            lambda names: sorted({"none" if one is None else str(one) for one in names})
        )
        clash = values[values.map(len) > 1]
        breaches += [
            f"territory {one!r} has {column} {' and '.join(map(repr, names))}"
            for one, names in clash.items()
        ]
    if breaches:
        raise InputError(
            f"{'; '.join(breaches)}. A territory has one rep and one name: give all its rows, "
            "those imported before too, the same."
        )


@dataclass(frozen=True)
class RowChanges:
    """How rows differ from those in the store.

    ``of_rows``: one of ``CHANGES`` for each row. ``differences``: the cells that changed: the key,
    column, before, after. ``past``: the changed rows as they were. ``new_keys``: the keys of the
    new ones.
    """

    of_rows: npt.NDArray[np.object_]
    differences: pd.DataFrame
    past: pd.DataFrame
    new_keys: pd.DataFrame


def write_rows(
    transaction: Transaction, kind: str, rows: pd.DataFrame, *, writes: bool
) -> RowChanges:
    """Compare rows with those of the same key in the store, and write what is new or different.

    Part by part, so that neither the table nor the file is in memory twice; a dry run
    (not ``writes``) only compares.
    """
    key = list(KINDS[kind].key)
    columns = [column.name for column in KINDS[kind].table.columns]
    is_blank = not transaction.size(kind)
    changes, differences, pasts, new_keys = [], [], [], []
    for start in range(0, len(rows), _CHUNK) or (0,):
        part = rows.iloc[start : start + _CHUNK].reset_index(drop=True)
        stored = transaction.rows(kind, part[key].head(0) if is_blank else part[key])
        past = part[key].merge(stored, how="left", on=key, indicator=True)
        is_new = (past["_merge"] == "left_only").to_numpy()
        differs = pd.DataFrame(
            {name: _differs(part[name], past[name]) for name in columns if name not in key},
            index=part.index,
        )
        is_updated = differs.any(axis=1).to_numpy() & ~is_new
        changes.append(np.select([is_new, is_updated], CHANGES[:2], CHANGES[2]).astype(object))
        differences.append(_differences(part, past, differs[is_updated], key))
        pasts.append(past.loc[is_updated, columns])
        new_keys.append(part.loc[is_new, key])
        if writes:
            transaction.save(kind, part.loc[is_new, columns], part.loc[is_updated, columns])
    return RowChanges(
        np.concatenate(changes), _joined(differences), _joined(pasts), _joined(new_keys)
    )


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put frames below one another; empty ones, whose types mean nothing, only where all are."""
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def _differs(cells: pd.Series, before: pd.Series) -> pd.Series:
    """Tell which cells differ; missing equals missing, which pandas denies of NaN and None."""
    return (cells != before) & ~(cells.isna() & before.isna())


def _differences(
    rows: pd.DataFrame, before: pd.DataFrame, differs: pd.DataFrame, key: list[str]
) -> pd.DataFrame:
    """List changed cells, one a row: the key, column, before, after. Geometry is left out."""
    cells = differs.drop(columns="geometry", errors="ignore")
    row, column = np.nonzero(cells.to_numpy())
    at, names = cells.index.to_numpy()[row], cells.columns.to_numpy(object)[column]
    listed = rows.loc[at, key].reset_index(drop=True)
    for label, frame in (("before", before), ("after", rows)):
        whole = frame[list(cells.columns)].astype(object).to_numpy()
        listed[label] = whole[at, column]
    listed.insert(len(key), "column", names)
    return listed
