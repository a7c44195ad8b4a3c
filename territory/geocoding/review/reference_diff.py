"""Comparison of two builds of the reference tables: what appears, vanishes and moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely

from territory.errors import FileFormatError, InputError
from territory.geodesy import inverse
from territory.reference import Reference
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from pathlib import Path

# What places rest on, in the order in which they are told; the rest of data/ only draws or names.
TABLES = (
    "zip_codes", "cities", "city_names", "countries", "counties", "county_adjacency", "states",
    "metro_areas",
)  # fmt: skip
MOVED_M = 10.0  # a point that is this near is the same point, rounded in another way
APPEARS, VANISHES, MOVES, RECODED = "appears", "vanishes", "moves", "changes county"


@dataclass(frozen=True)
class TableChanges:
    """What another build of the tables says differently.

    ``zip_codes``: zip_code, change ("appears", "vanishes", "moves", "changes county"; one that does
    both has two rows), city, state_code, moved_m (metres, of those that move), county_before,
    county_after. ``areas``: table ("counties" or "metro_areas"), code, name, change. ``rows``: per
    table, how many rows before and after.
    """

    zip_codes: pd.DataFrame
    areas: pd.DataFrame
    rows: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The changes in one line."""
        count = self.zip_codes["change"].value_counts()
        moved = self.zip_codes["moved_m"]
        far = int((moved > METRES_PER_MILE).sum())
        return (
            f"ZIP codes: {count.get(APPEARS, 0):,} appear, {count.get(VANISHES, 0):,} vanish, "
            f"{count.get(MOVES, 0):,} move ({far:,} by more than a mile), "
            f"{count.get(RECODED, 0):,} change county. Counties and metro areas: "
            f"{len(self.areas):,} changes."
        )

    def as_json(self) -> dict[str, Any]:
        """The changes for a program to read."""
        zips = self.zip_codes.astype(object).where(self.zip_codes.notna(), None)
        return {
            "zip_codes": zips.to_dict("records"),
            "areas": self.areas.to_dict("records"),
            "rows": self.rows.to_dict("records"),
        }


def tables_in(folder: Path) -> Reference:
    """Give the tables of a folder, those of the package where it lacks one.

    Raises
    ------
    FileFormatError
        If the folder is missing or holds no table of places, or one is not readable.
    InputError
        Naming everything in which its tables are not such as this version can use.
    """
    if not folder.is_dir():
        raise FileFormatError(f"{folder}: there is no such folder.")
    names = [name for name in TABLES if (folder / f"{name}.parquet").is_file()]
    if not names:
        raise FileFormatError(
            f"{folder}: holds none of {', '.join(f'{name}.parquet' for name in TABLES)}."
        )
    tables = Reference(folder=folder.resolve())
    breaches = [text for name in names for text in _column_breaches(folder, name)]
    if not breaches:
        breaches = _row_breaches(tables)
    if breaches:
        raise InputError(f"{folder}: {'; '.join(breaches)}. Build the tables anew.")
    return tables


def _column_breaches(folder: Path, name: str) -> list[str]:
    path = folder / f"{name}.parquet"
    try:
        columns = pq.read_schema(path).names
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise FileFormatError(f"{path}: not readable as parquet ({reason}).") from error
    missing = [column for column in _columns(name) if column not in columns]
    return [f"{name} lacks {', '.join(map(repr, missing))}"] if missing else []


def _columns(name: str) -> list[str]:
    return [str(column) for column in getattr(Reference(), name).columns]


def _row_breaches(tables: Reference) -> list[str]:
    zips, counties = tables.zip_codes, tables.counties
    breaches = []
    if zips["zip_code"].duplicated().any():
        breaches.append(
            f"zip_codes has {zips['zip_code'][zips['zip_code'].duplicated()].iloc[0]} twice"
        )
    off = ~(zips["lon"].between(-180, 180) & zips["lat"].between(-90, 90))
    if off.any():
        breaches.append(f"zip_codes has {zips['zip_code'][off].iloc[0]} off the globe")
    lost = ~zips["county_fips"].isin(counties["county_fips"])
    if lost.any():
        first = zips[lost].iloc[0]
        breaches.append(
            f"{int(lost.sum()):,} ZIP codes are in counties that there are not "
            f"({first['zip_code']} in {first['county_fips']})"
        )
    return breaches


def compare(before: Reference, after: Reference) -> TableChanges:
    """Say what the second build of the tables has differently from the first."""
    sizes = [
        {"table": name, "before": len(getattr(before, name)), "after": len(getattr(after, name))}
        for name in TABLES
    ]
    areas = [
        _area_changes(name, getattr(before, name), getattr(after, name), key, title)
        for name, key, title in (
            ("counties", "county_fips", "name"),
            ("metro_areas", "cbsa_code", "title"),
        )
    ]
    return TableChanges(
        _zip_changes(before.zip_codes, after.zip_codes),
        pd.concat(areas, ignore_index=True),
        pd.DataFrame(sizes),
    )


def _zip_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    columns = ["zip_code", "lon", "lat", "city", "state_code", "county_fips"]
    both = before[columns].merge(
        after[columns], on="zip_code", how="outer", suffixes=("_before", "_after"), indicator=True
    )
    moved = np.full(len(both), np.nan)
    stays = (both["_merge"] == "both").to_numpy()
    points = [both.loc[stays, f"{name}_{when}"].to_numpy(float)
              for when in ("before", "after") for name in ("lon", "lat")]  # fmt: skip
    moved[stays] = inverse(*points)
    is_recoded = stays & (both["county_fips_before"] != both["county_fips_after"]).to_numpy()
    is_moved = stays & (moved > MOVED_M)
    parts = [
        both[mask].assign(change=change, moved_m=np.where(is_moved, moved, np.nan)[mask])
        for change, mask in (
            (APPEARS, (both["_merge"] == "right_only").to_numpy()),
            (VANISHES, (both["_merge"] == "left_only").to_numpy()),
            (MOVES, is_moved),
            (RECODED, is_recoded),
        )
    ]
    whole = pd.concat(parts).sort_values("zip_code", kind="stable", ignore_index=True)
    changes = pd.DataFrame({"zip_code": whole["zip_code"], "change": whole["change"]})
    for name in ("city", "state_code"):
        now = whole[f"{name}_after"]
        changes[name] = now.where(now.notna(), whole[f"{name}_before"])
    changes["moved_m"] = whole["moved_m"].where(whole["change"] == MOVES)
    changes["county_before"] = whole["county_fips_before"]
    changes["county_after"] = whole["county_fips_after"]
    return changes


def _area_changes(
    table: str, before: pd.DataFrame, after: pd.DataFrame, key: str, title: str
) -> pd.DataFrame:
    both = before.merge(after, on=key, how="outer", suffixes=("_before", "_after"), indicator=True)
    change = both["_merge"].map({"left_only": VANISHES, "right_only": APPEARS}).astype(object)
    stays = (both["_merge"] == "both").to_numpy()
    change[stays & (both[f"{title}_before"] != both[f"{title}_after"])] = "is renamed"
    if "cbsa_code_before" in both:
        then, now = both["cbsa_code_before"].fillna(""), both["cbsa_code_after"].fillna("")
        change[stays & (then != now).to_numpy()] = "changes metro area"
        at = np.flatnonzero(stays)
        shapes = [both[f"geometry_{when}"].to_numpy(object)[at] for when in ("before", "after")]
        same = shapely.equals_exact(*shapes, 1e-9)
        redrawn = np.zeros(len(both), bool)
        redrawn[at] = ~same
        change[redrawn & change.isna()] = "is drawn anew"
    name = both[f"{title}_after"].where(both[f"{title}_after"].notna(), both[f"{title}_before"])
    changes = pd.DataFrame({"table": table, "code": both[key], "name": name, "change": change})
    return changes[changes["change"].notna()].reset_index(drop=True)
