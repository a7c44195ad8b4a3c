"""Reading a file for import: its rows mapped, cleaned and placed, before they meet the store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from territory import files, reference
from territory.cleaning import zip_notes
from territory.errors import InputError
from territory.files import (
    Table,
    check_readable,
    check_size,
    format_of,
    read_chunks,
    read_table,
    reading,
)
from territory.geocoding import ORIGIN, geocode, shared_gazetteer, without_derived
from territory.imports.headers import map_headers, signature_of
from territory.imports.report import REFUSALS
from territory.imports.rows import (
    empty_translations,
    no_cells,
    outlines_of_units,
    read_market_rows,
    read_rows,
)
from territory.markets import define
from territory.schemas import GEOCODE
from territory.store import GIVEN, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from territory.policy import Policy


@dataclass(frozen=True)
class SourceFile:
    """A file that was read and contract, before it meets the store.

    ``signature`` stands for its headers; ``digest`` is the sha256 of its bytes; ``absent``,
    ``unreadable`` and ``blank`` are those of ``ContractRows``.
    """

    kind: str
    source: str
    digest: str
    signature: str
    size: int
    rows: pd.DataFrame
    lines: npt.NDArray[np.int64]
    refused: pd.DataFrame
    notes: pd.DataFrame
    mapping: Mapping[str, str]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...]
    policy: Policy
    absent: tuple[str, ...] = ()
    translations: pd.DataFrame = field(default_factory=empty_translations)
    unreadable: pd.DataFrame = field(default_factory=no_cells)
    blank: pd.DataFrame = field(default_factory=no_cells)


def check_kind(kind: str) -> None:
    """Refuse a kind that cannot be imported, naming those that can."""
    if kind not in KINDS:
        raise InputError(f"{kind!r} cannot be imported. The kinds are {', '.join(KINDS)}.")


def digest_of(path: Path) -> str:
    """Give the sha256 of a file's bytes, which tells whether two files are the same."""
    check_readable(path)
    check_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_outlines(kind: str, path: Path) -> bool:
    """Tell whether a file holds the outlines of markets, which need no mapping."""
    return kind == "markets" and files.holds_outlines(path)


def outline_table(path: Path) -> Table:
    """Read the attributes of the outlines of markets as a table."""
    table = files.read_polygon_table(path)
    rows = pd.DataFrame(table.markets.drop(columns="geometry"))
    return Table(rows, table.lines, "polygons", table.refused.drop(columns="key"), table.remarks)


def head(path: Path, rows: int) -> Table:
    """Read the first rows of a file, of a text file only those."""
    check_readable(path)
    file_format = format_of(path)
    if file_format != "csv":
        whole = read_table(path)
        return Table(whole.frame.head(rows), whole.lines[:rows], file_format)
    with reading(path, file_format):
        first = next(read_chunks(path, rows))
    return Table(first.frame, first.lines, file_format, first.refused)


def read_source(
    kind: str,
    path: Path,
    policy: Policy,
    mapping: Callable[[list[str]], Mapping[str, str] | None],
    *,
    source: str | None = None,
    progress: Callable[[str], None],
) -> SourceFile:
    """Read a file, map and check its rows, and place them offline where the kind has a location.

    Parameters
    ----------
    mapping
        Gives header -> column for the headers of the file, or None to map them by their names.
    source
        What to call the file, if not by its own name.

    Raises
    ------
    InputError
        If the file cannot be read or contract at all. Single bad rows are refused instead.
    """
    check_kind(kind)
    digest, called = digest_of(path), source or path.name
    if is_outlines(kind, path):
        return _read_outlines(path, called, digest, policy)
    table = read_table(path)
    progress(f"Reading {len(table.frame):,} rows of {called}")
    headers = [str(name) for name in table.frame.columns]
    columns = mapping(headers)
    if kind == "markets":
        return _read_markets(table, columns, called, digest, policy)
    contract = read_rows(kind, table, columns, is_update=True)
    size, left_out = len(table.frame) + len(table.refused), table.notes
    # From here on only the contract rows are needed: the raw table is as large as they are, and
    # Arrow keeps freed memory to itself until it is told to give it back.
    del table
    pa.default_memory_pool().release_unused()
    lines = contract.rows.pop("line").to_numpy()
    rows, notes = contract.rows, contract.notes
    if KINDS[kind].is_placed:
        notes = pd.concat([notes, _zip_notes(rows, lines)], ignore_index=True)
        progress(f"Placing {len(rows):,} rows")
        gazetteer = shared_gazetteer(policy.geocoding)
        if set(ORIGIN.values()) <= set(rows.columns):
            rows = without_derived(rows, gazetteer)
        placed = geocode.place(rows, gazetteer, policy)
        rows = rows.rename(columns=GIVEN)
        for name in GEOCODE.columns:
            rows[name] = placed[name].to_numpy()
    return SourceFile(
        kind=kind,
        source=called,
        digest=digest,
        signature=signature_of(headers),
        size=size,
        rows=rows,
        lines=lines,
        refused=contract.refused[list(REFUSALS)],
        notes=notes.sort_values("line", kind="stable", ignore_index=True),
        mapping=contract.mapping,
        ignored=tuple(contract.ignored),
        remarks=(*left_out, *contract.remarks),
        policy=policy,
        absent=contract.absent,
        unreadable=contract.unreadable,
        blank=contract.blank,
        translations=contract.translations,
    )


def _read_markets(
    table: Table, columns: Mapping[str, str] | None, source: str, digest: str, policy: Policy
) -> SourceFile:
    headers = [str(name) for name in table.frame.columns]
    columns = map_headers(headers, "markets") if columns is None else columns
    markets = read_market_rows(table, columns, reference.load())
    contract = read_rows("markets", markets.table, is_update=True)
    lines = contract.rows.pop("line").to_numpy()
    parts = [part for part in (contract.refused, markets.refused) if len(part)]
    refused = pd.concat(parts).sort_values("line", kind="stable") if parts else contract.refused
    notes = pd.concat([contract.notes, markets.notes])
    absent = (*contract.absent, *markets.absent)
    return SourceFile(
        kind="markets",
        source=source,
        digest=digest,
        signature=signature_of(headers),
        size=len(contract.rows) + len(refused),
        rows=_with_outlines(contract.rows, absent),
        lines=lines,
        refused=refused[list(REFUSALS)].reset_index(drop=True),
        notes=notes[notes["line"].isin(lines)].sort_values(
            "line", kind="stable", ignore_index=True
        ),
        mapping={header: column for header, column in columns.items() if column},
        ignored=tuple(name for name in headers if name not in {*columns, *markets.ranges}),
        remarks=(*table.notes, *markets.remarks, *contract.remarks),
        policy=policy,
        absent=absent,
        unreadable=contract.unreadable,
        blank=contract.blank,
    )


def _with_outlines(rows: pd.DataFrame, absent: tuple[str, ...]) -> pd.DataFrame:
    """Draw markets; those of which only the store knows the rest wait until it is asked."""
    geometry = np.full(len(rows), None, dtype=object)
    if not absent:
        is_listed = rows["kind"].ne("polygon").to_numpy()
        shapes = define(rows[is_listed], reference.load())
        geometry[is_listed] = shapely.to_wkb(shapes.geometry.to_numpy())
    return rows.assign(geometry=geometry)


def _zip_notes(rows: pd.DataFrame, lines: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Say of rows that are known by their ZIP code where that one is special: line and note."""
    zips = reference.load().zip_codes
    without_area = frozenset(zips.loc[~zips["has_area"], "zip_code"])
    codes = rows["postal_code"].where(rows["lat"].isna(), None)
    notes = zip_notes(codes, rows["country"], without_area)
    at = notes.notna().to_numpy()
    return pd.DataFrame({"line": lines[at], "note": notes[at].to_numpy(object)})


def _read_outlines(path: Path, source: str, digest: str, policy: Policy) -> SourceFile:
    table = files.read_polygon_table(path)
    shapes, remarks = outlines_of_units(table.markets)
    rows = pd.DataFrame(shapes.drop(columns="geometry"))
    rows["geometry"] = shapely.to_wkb(shapes.geometry.to_numpy())
    return SourceFile(
        kind="markets",
        source=source,
        digest=digest,
        signature="",
        size=len(rows) + len(table.refused),
        rows=rows,
        lines=table.lines,
        refused=table.refused.assign(bucket="refused")[list(REFUSALS)],
        notes=pd.DataFrame(columns=["line", "note"]),
        mapping={},
        ignored=(),
        remarks=(*table.remarks, *remarks),
        policy=policy,
    )
