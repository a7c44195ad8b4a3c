"""Reference data version: which tables of places are in use, and what others would change.

A row of the store is placed with the tables that were there on the day. Tables get old, and new
ones move places: a ZIP code vanishes, a county is redrawn, a prospect changes market. ``status``
tells which rows would be placed differently now; ``update`` tells what will change, places the
rows again and, with the tables of a folder, takes those into use.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from territory import reference
from territory.access import audit_log
from territory.errors import FileFormatError
from territory.geocoding.review import placement
from territory.geocoding.review.ledger import PLACED_KINDS
from territory.geocoding.review.reference_diff import (
    MOVED_M,
    TABLES,
    TableChanges,
    compare,
    tables_in,
)
from territory.geodesy import inverse
from territory.markets import define, locate
from territory.plans import PlanLedger
from territory.progress import silent
from territory.reference import Reference
from territory.schemas import ADDRESS, GEOCODE
from territory.store import KINDS
from territory.timestamps import utc_text
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from territory.store import Store, Transaction

    Progress = Callable[[str], None]


SETTING = "vintage"  # the fact about a store that says with which tables its rows were placed last
_CHUNK = 50_000  # rows placed at a time
_SAME_DEG = 1e-9
_COLUMNS = (*ADDRESS, "given_lon", "given_lat", *GEOCODE.columns)


@dataclass(frozen=True)
class Status:
    """The tables in use and the rows of the store.

    ``vintage`` stands for the tables' content, ``sources`` says what they were made from.
    ``placed_with`` is what the last update noted: vintage, at (UTC), by; None before the first.
    ``rows``: per kind, how many rows there are and how many the tables would place differently now.
    """

    vintage: str
    sources: tuple[str, ...]
    placed_with: dict[str, str] | None
    rows: pd.DataFrame

    @property
    def stale(self) -> int:
        """How many rows the tables in use would place differently."""
        return int(self.rows["stale"].sum())

    @property
    def sentence(self) -> str:
        """The status in one line."""
        total = int(self.rows["rows"].sum())
        remedy = " `territory data update` places them again." if self.stale else ""
        return (
            f"Tables {self.vintage}. {self.stale:,} of {total:,} rows would be placed differently "
            f"with them.{remedy}"
        )

    def as_json(self) -> dict[str, Any]:
        """The status for a program to read."""
        return {
            "vintage": self.vintage,
            "sources": list(self.sources),
            "placed_with": self.placed_with,
            "rows": self.rows.to_dict("records"),
            "stale": self.stale,
        }


@dataclass(frozen=True)
class ReferenceUpdate:
    """What other tables change, or changed.

    ``tables`` compares them with those in use; None where they are the same. ``rows`` are the rows
    of the store that change: kind, id, name, change ("is found", "is lost", "moves", "changes
    market" or "is known differently", the first that holds), moved_m (metres), placement and market
    before and after.
    ``markets`` names the markets whose outline is drawn anew.
    """

    vintage_before: str
    vintage_after: str
    tables: TableChanges | None
    rows: pd.DataFrame
    markets: tuple[str, ...]
    is_written: bool

    @property
    def sentence(self) -> str:
        """The renewal in one line."""
        count = self.rows["change"].value_counts()
        far = int((self.rows["moved_m"] > METRES_PER_MILE).sum())
        is_new = (self.rows["market_before"] != self.rows["market_after"]).sum()
        nothing = "" if self.is_written else " Nothing was written."
        return (
            f"{len(self.rows):,} rows change: {count.get('is found', 0):,} are found, "
            f"{count.get('is lost', 0):,} are lost, {far:,} move by more than a mile; "
            f"{int(is_new):,} prospects change market; {len(self.markets):,} markets are drawn "
            f"anew.{nothing}"
        )

    def as_json(self) -> dict[str, Any]:
        """The renewal for a program to read."""
        rows = self.rows.astype(object).where(self.rows.notna(), None)
        return {
            "vintage_before": self.vintage_before,
            "vintage_after": self.vintage_after,
            "written": self.is_written,
            "tables": self.tables.as_json() if self.tables else None,
            "rows": rows.to_dict("records"),
            "markets": list(self.markets),
        }


def vintage_of(tables: Reference) -> str:
    """Give twelve hex digits that stand for the content of the tables places rest on."""
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update(tables.content(name))
    return digest.hexdigest()[:12]


def status(store: Store, *, progress: Progress | None = None) -> Status:
    """Tell which tables are in use and which rows of the store they would place differently."""
    tell = progress or silent
    with store.read() as transaction:
        noted = transaction.setting(SETTING)
        counts = [
            {"kind": kind, "rows": transaction.size(kind), "stale": len(_differing(both))}
            for kind, both in _placed_anew(transaction, tell)
        ]
    return Status(
        vintage_of(reference.load()),
        _sources(),
        json.loads(noted) if noted else None,
        pd.DataFrame(counts, columns=["kind", "rows", "stale"]),
    )


def _sources() -> tuple[str, ...]:
    text = (resources.files(reference.PACKAGE) / "vintage.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["sources"])


def preview(
    store: Store, folder: Path | None = None, *, progress: Progress | None = None
) -> ReferenceUpdate:
    """Say what an update would change, without changing anything.

    Parameters
    ----------
    folder
        Where the new tables are, as name.parquet; None for those in use, which may be newer than
        the rows of the store.

    Raises
    ------
    FileFormatError
        If the folder holds no tables that can be read.
    InputError
        If the tables do not fit, or a market is made of units that they do not have.
    """
    tables = tables_in(folder) if folder else reference.load()
    with reference.using(tables), store.read() as transaction:
        return _renew(transaction, tables, progress or silent)[0]


def update(
    store: Store,
    folder: Path | None = None,
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
) -> ReferenceUpdate:
    """Take the tables of a folder into use and place every row of the store again.

    The tables are put in place first, the rows follow in one transaction: stopped in between, the
    rows are as they were, ``status`` names them, and another update goes on. Published plans do not
    change; a server goes on with the tables it has read until it is started again.

    Raises
    ------
    FileFormatError
        If the folder holds no tables that can be read, or the tables in use cannot be replaced.
    InputError
        As in ``preview``.
    """
    tables = tables_in(folder) if folder else reference.load()
    with reference.using(tables), store.write() as transaction:
        changes, written = _renew(transaction, tables, progress or silent)
        if folder:
            _install(folder)
        for kind, rows in written.items():
            transaction.save(kind, rows.iloc[:0], rows)
        at = utc_text(now)
        note = {"vintage": changes.vintage_after, "at": at, "by": by}
        transaction.set_setting(SETTING, json.dumps(note))
        audit_log.record(
            transaction,
            by=by,
            at=now,
            action="tables.update",
            subject_kind="tables",
            subject_id=changes.vintage_after,
            after={"moved": {kind: len(rows) for kind, rows in written.items()}},
        )
    return ReferenceUpdate(**{**vars(changes), "is_written": True})


def _install(folder: Path) -> None:
    """Put the tables of a folder in the place of the package's, each by a whole file."""
    with resources.as_file(resources.files(reference.PACKAGE)) as package:
        for name in TABLES:
            new = folder / f"{name}.parquet"
            if not new.is_file():
                continue
            target = package / new.name
            try:
                shutil.copyfile(new, target.with_suffix(".new"))
                target.with_suffix(".new").replace(target)
            except OSError as error:
                with contextlib.suppress(OSError):
                    target.with_suffix(".new").unlink()
                raise FileFormatError(
                    f"{target}: cannot be replaced ({error.strerror}). Run this as the user who "
                    "installed the package, or install a version of it with these tables."
                ) from error


@dataclass(frozen=True)
class _BeforeAfter:
    """The rows of a kind as they are and as the tables in use place them; the same index."""

    kind: str
    before: pd.DataFrame
    after: pd.DataFrame


def _placed_anew(transaction: Transaction, tell: Progress) -> list[tuple[str, _BeforeAfter]]:
    policy = PlanLedger(transaction).policy_in_force()
    kinds = []
    for kind in PLACED_KINDS:
        key = KINDS[kind].key[0]
        before = transaction.table(kind, [key, "name", *_COLUMNS])
        parts = []
        for start in range(0, len(before), _CHUNK):
            tell(f"Placing {kind}: {start:,} of {len(before):,}")
            part = before.iloc[start : start + _CHUNK].reset_index(drop=True)
            parts.append(placement.place_again(transaction, kind, part, policy))
        after = pd.concat(parts, ignore_index=True) if parts else before
        kinds.append((kind, _BeforeAfter(kind, before, after)))
    return kinds


def _differing(both: _BeforeAfter) -> pd.Index:
    """The rows whose geocode is another one, beyond rounding of a position."""
    differs = (_moved_m(both) > MOVED_M) | _has_place(both.before) ^ _has_place(both.after)
    for name in ("precision", "placement"):
        differs |= _texts(both.before[name]) != _texts(both.after[name])
    return pd.Index(np.flatnonzero(differs))


def _texts(column: pd.Series) -> Any:
    return column.fillna("").to_numpy(object)


def _has_place(rows: pd.DataFrame) -> Any:
    return rows["lon"].notna().to_numpy(bool)


def _moved_m(both: _BeforeAfter) -> Any:
    moved = np.zeros(len(both.before))
    at = np.flatnonzero(_has_place(both.before) & _has_place(both.after))
    points = [rows[name].to_numpy(float)[at]
              for rows in (both.before, both.after) for name in ("lon", "lat")]  # fmt: skip
    moved[at] = inverse(*points) if len(at) else 0
    return moved


def _renew(
    transaction: Transaction, tables: Reference, tell: Progress
) -> tuple[ReferenceUpdate, dict[str, pd.DataFrame]]:
    """Say what the tables in use change, and give the rows to write."""
    bundled = Reference()
    noted = transaction.setting(SETTING)
    installed = vintage_of(bundled)
    is_new = vintage_of(tables) != installed
    placed_with = json.loads(noted)["vintage"] if noted else installed
    vintages = (installed if is_new else placed_with), vintage_of(tables)
    changes = compare(bundled, tables) if is_new else None
    shapes, redrawn = _markets(transaction)
    changes_by_kind, written = [], {"markets": redrawn}
    for kind, both in _placed_anew(transaction, tell):
        key = KINDS[kind].key[0]
        at = _differing(both)
        written[kind] = both.after.loc[at, [key, *GEOCODE.columns]]
        none = np.full(len(both.before), None, dtype=object)
        was_in = is_in = none
        if kind == "prospects":
            tell(f"Locating {len(both.before):,} prospects")
            was_in, is_in = _located(both.before, shapes[0]), _located(both.after, shapes[1])
            at = at.union(pd.Index(np.flatnonzero(was_in != is_in)))
        changes_by_kind.append(_changes(both, at, was_in, is_in))
    rows = pd.concat(changes_by_kind, ignore_index=True)
    names = tuple(redrawn["market_id"])
    return ReferenceUpdate(*vintages, changes, rows, names, is_written=False), written


def _markets(
    transaction: Transaction,
) -> tuple[tuple[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.DataFrame]:
    """The markets as they are and as the tables in use draw them, and the rows that differ."""
    markets = transaction.table("markets")
    shapes = shapely.from_wkb(markets["geometry"].to_numpy(object))
    before = gpd.GeoDataFrame(markets.drop(columns="geometry"), geometry=shapes, crs=4326)
    if markets.empty:
        return (before, before), markets
    by_hand = pd.Series(shapes, dtype=object).where(markets["kind"] == "polygon", None)
    after = define(markets.assign(geometry=by_hand), reference.load())
    differs = ~shapely.equals_exact(shapes, after.geometry.to_numpy(), _SAME_DEG)
    outlines = pd.Series(shapely.to_wkb(after.geometry.to_numpy()), dtype=object)
    redrawn = markets.assign(geometry=outlines)[differs]
    return (before, after), redrawn


def _located(rows: pd.DataFrame, shapes: gpd.GeoDataFrame) -> Any:
    if shapes.empty:
        return np.full(len(rows), None, dtype=object)
    return locate(
        rows["lon"].to_numpy(float),
        rows["lat"].to_numpy(float),
        shapes,
        postal_code=rows["postal_code"].to_numpy(object),
    )


def _changes(
    both: _BeforeAfter, at: pd.Index, market_before: Any, market_after: Any
) -> pd.DataFrame:
    """The rows that change, one by one: ``ReferenceUpdate.rows``."""
    before, after = both.before.loc[at], both.after.loc[at]
    was, is_now = _has_place(before), _has_place(after)
    moved = np.where(was & is_now, _moved_m(both)[at], np.nan)
    market_before, market_after = market_before[at], market_after[at]
    choices = [~was & is_now, was & ~is_now, moved > MOVED_M, market_before != market_after]
    names = ["is found", "is lost", "moves", "changes market"]
    columns = {
        "kind": both.kind,
        "id": before[KINDS[both.kind].key[0]].to_numpy(object),
        "name": before["name"].to_numpy(object),
        "change": np.select(choices, names, "is known differently"),
        "moved_m": moved,
        "placement_before": before["placement"].to_numpy(object),
        "placement_after": after["placement"].to_numpy(object),
        "market_before": market_before,
        "market_after": market_after,
    }
    texts = {name: pd.Series(values, index=at, dtype=object) for name, values in columns.items()}
    return pd.DataFrame(texts).astype({"moved_m": float})
