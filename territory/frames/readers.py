"""Readers: offices, prospects and markets from files or tables as GeoDataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory import markets, reference
from territory.errors import InputError
from territory.files import read_table
from territory.frames.points import with_points
from territory.geocoding import place, shared_gazetteer
from territory.imports import read_rows
from territory.policy import GeocodingPolicy

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

_SHOWN = 5


def read_offices(path: str | Path, *, skip_refused: bool = False) -> gpd.GeoDataFrame:
    """Read our offices; see ``read_prospects``. Columns of ``schemas.OFFICES``."""
    return _read("offices", path, skip_refused=skip_refused)


def read_prospects(path: str | Path, *, skip_refused: bool = False) -> gpd.GeoDataFrame:
    """Read companies as a CRM exports them, each placed as an import would place it.

    Headers are recognized as an import recognizes them. Coordinates that the file gives are
    checked against the address; a row without them is placed by its ZIP code or city.

    Parameters
    ----------
    path
        CSV, TSV, XLSX, Parquet, GeoJSON, GeoPackage, KML or a zipped shapefile.
    skip_refused
        Leave rows out that cannot be used; ``frame.attrs["refused"]`` then lists them (line, key,
        reason, remedy, bucket). By default they are an error.

    Returns
    -------
    prospects
        ``schemas.PROSPECTS`` and ``schemas.GEOCODE`` (``lon``, ``lat`` in degrees, ``precision``,
        ``uncertainty_m`` in metres ...), and points in EPSG:4326; no point where a row could not
        be placed, and ``geocode_note`` says why. ``attrs["notes"]`` holds what was odd (line,
        note).

    Raises
    ------
    InputError
        If the file cannot be read, lacks a required column, or has rows that cannot be used.
    """
    return _read("prospects", path, skip_refused=skip_refused)


def define_markets(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Give each market its outline (EPSG:4326) by the units it is made of.

    Parameters
    ----------
    table
        market_id, name, kind ("metro_area", "county", "state", "zip_code" or "polygon") and
        units, codes or names joined by "|"; a polygon market has its geometry instead.

    Raises
    ------
    ColumnError, InputError
        Naming every row that breaks the contract and every unknown unit.
    """
    return markets.define(table, reference.load())


def _read(kind: str, path: str | Path, *, skip_refused: bool) -> gpd.GeoDataFrame:
    rows = read_rows(kind, read_table(path))
    if len(rows.refused) and not skip_refused:
        raise InputError(f"{path}: {_refusals(rows.refused)}")
    policy = GeocodingPolicy()
    placed = place(rows.rows.drop(columns="line"), shared_gazetteer(policy), policy)
    placed = placed[[name for name in placed if not str(name).startswith("origin_")]]
    frame = with_points(placed, placed["lon"].to_numpy(float), placed["lat"].to_numpy(float))
    frame.attrs.update(refused=rows.refused.to_dict("records"), notes=rows.notes.to_dict("records"))
    return frame


def _refusals(refused: pd.DataFrame) -> str:
    parts = [
        f"line {line}: {reason}. {remedy}"
        for line, reason, remedy in refused[["line", "reason", "remedy"]].head(_SHOWN).to_numpy()
    ]
    more = f" And {len(refused) - _SHOWN:,} more rows." if len(refused) > _SHOWN else ""
    return f"{len(refused):,} rows cannot be used. {' '.join(parts)}{more}"
