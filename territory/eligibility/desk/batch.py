"""Eligibility from file to file, and of one home: reads offices, homes and areas, writes verdicts.

Needs no store, keeps none. Every row of a file comes back, in the order and with its columns.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import reference
from territory.eligibility.decision import (
    COLUMNS,
    decide,
    distance_classes,
    judge,
    make_record,
    measure,
    plain_reasons,
)
from territory.eligibility.homes import circumstances, map_home_headers, read_homes
from territory.eligibility.rules import CANNOT_DECIDE, ELIGIBLE, FAULTS, NEEDS_REVIEW, NOT_ELIGIBLE
from territory.errors import ColumnError, InputError
from territory.files import check_writable, read_polygons, read_table, write_table
from territory.geocoding import Gazetteer
from territory.imports import take_in
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import geopandas as gpd

    from territory.eligibility.decision import RoutingAdapter
    from territory.eligibility.rules import EligibilityPolicy
    from territory.files import Table

    Remedies = tuple[tuple[str, str, str, int], ...]

ADDED = (
    "decision", "reason", "remedy", "office_id", "office_name", "distance_mi", "duration_min",
    "uncertainty_mi", "policy",
)  # fmt: skip
_DISTRIBUTION = "territory-mapper"
_UNREADABLE = FAULTS["unreadable"]
_FEW_WORDS = r"^Cannot decide: ([^;:.]*)"


@dataclass(frozen=True)
class BatchReport:
    """How many rows were read and how they were decided; ``columns`` names what was added.

    ``remedies``: decision, why in a few words, what would settle it, and of how many rows that is
    said, most first.
    """

    read: int
    eligible: int
    not_eligible: int
    needs_review: int
    cannot_decide: int
    policy: str
    columns: tuple[str, ...]
    remedies: Remedies = ()

    @property
    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{self.read:,} read: {self.eligible:,} eligible, {self.not_eligible:,} not eligible, "
            f"{self.needs_review:,} need review, {self.cannot_decide:,} cannot be decided "
            f"({self.policy})."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        remedies = [
            {"decision": decision, "why": why, "remedy": remedy, "rows": rows}
            for decision, why, remedy, rows in self.remedies
        ]
        return {**asdict(self), "columns": list(self.columns), "remedies": remedies}


def read_offices(path: Path) -> pd.DataFrame:
    """Read offices with coordinates (OFFICES contract); every refused row is named at once."""
    taken = take_in("offices", read_table(path))
    if len(taken.refused):
        told = "; ".join(
            f"line {line}: {reason}. {remedy}"
            for line, reason, remedy in taken.refused[["line", "reason", "remedy"]].to_numpy()
        )
        raise InputError(f"{path}: {told}")
    return taken.rows


def read_areas(path: Path | None) -> gpd.GeoDataFrame | None:
    """Read the areas of offices: polygons with the office's id in a column id or market_id."""
    return None if path is None else read_polygons(path)


def software() -> str:
    """Name and version of this package, for records."""
    return f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}"


def data_vintage() -> str:
    """Say which tables places are looked up in: a digest of the ZIP codes and of the cities."""
    parts = []
    for name in ("zip_codes", "cities"):
        content = (resources.files(reference.PACKAGE) / f"{name}.parquet").read_bytes()
        parts.append(f"{name} {hashlib.sha256(content).hexdigest()[:12]}")
    return ", ".join(parts)


@dataclass(frozen=True)
class OneDecision:
    """A decision as a row of ``eligibility.COLUMNS`` and as a record."""

    row: dict[str, Any]
    record: dict[str, Any]


def check_one(
    home: Mapping[str, str | None],
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    *,
    on: str,
    asked_by: str,
    asked_at: str,
    areas: gpd.GeoDataFrame | None = None,
    routing: RoutingAdapter | None = None,
) -> OneDecision:
    """Decide for one home, texts in the columns of ``eligibility_homes``, and keep nothing."""
    tables = reference.load()
    rows = pd.DataFrame([dict(home)], dtype=object)
    homes = read_homes(rows, Gazetteer(tables), tables)
    facts = measure(homes, offices, policy, on=on, areas=areas, routing=routing)
    record = make_record(
        facts,
        policy,
        on=on,
        subject=home.get("person_id"),
        circumstances=circumstances(homes)[0],
        asked_by=asked_by,
        asked_at=asked_at,
        software=software(),
        data_vintage=data_vintage(),
        routing=None if routing is None else routing.name,
    )
    row = judge(facts, policy).iloc[0]
    return OneDecision({name: row[name] for name in COLUMNS}, record)


@dataclass(frozen=True)
class BatchFile:
    """A file of homes: as it was read, and its columns that say anything of a home or a person."""

    table: Table
    rows: pd.DataFrame


def read_batch(source: Path, mapping: Mapping[str, str] | None = None) -> BatchFile:
    """Read a file of homes.

    Parameters
    ----------
    mapping
        Header -> column of ``eligibility_homes``; by default what the headers seem to mean.

    Raises
    ------
    FileFormatError
        If the file cannot be read as what its suffix says.
    ColumnError
        If it has neither coordinates nor an address.
    """
    table = read_table(source)
    columns = [str(name) for name in table.frame.columns]
    chosen = dict(mapping) if mapping is not None else map_home_headers(columns)
    check_mapping(chosen, columns, str(source))
    return BatchFile(table, table.frame[list(chosen)].rename(columns=chosen))


def check_mapping(mapping: Mapping[str, str], columns: list[str], source: str) -> None:
    """Raise ``ColumnError`` where a mapping (header -> column) does not tell where people live."""
    unknown = sorted(set(mapping) - set(columns))
    if unknown:
        raise ColumnError(f"{source}: no column {', '.join(map(repr, unknown))} to map.")
    found = Counter(mapping.values())
    twice = [
        f"{' and '.join(header for header in mapping if mapping[header] == name)} are both {name!r}"
        for name, headers in found.items()
        if headers > 1
    ]
    if twice:
        raise ColumnError(f"{source}: {'; '.join(twice)}. Choose one header for each column.")
    if not {"postal_code", "city"} & set(found) and not {"lat", "lon"} <= set(found):
        raise ColumnError(
            f"{source}: no columns 'postal_code', 'city' and 'state', nor 'lat' and 'lon'; it has "
            f"{', '.join(map(repr, columns))}. Rename or add them."
        )


def exact_columns(decisions: pd.DataFrame, policy: str) -> pd.DataFrame:
    """Give the columns to add to a file, with distances: ``ADDED``. For those who may know them."""
    return pd.DataFrame(
        {
            "decision": decisions["decision"],
            "reason": decisions["sentence"],
            "remedy": decisions["remedy"],
            "office_id": decisions["office_id"],
            "office_name": decisions["office_name"],
            "distance_mi": decisions["distance_m"] / METRES_PER_MILE,
            "duration_min": decisions["duration_s"] / 60.0,
            "uncertainty_mi": decisions["uncertainty_m"] / METRES_PER_MILE,
            "policy": policy,
        }
    )


def classed_columns(decisions: pd.DataFrame, policy: EligibilityPolicy, shown: str) -> pd.DataFrame:
    """Give the columns to add to a file that may leave HR: distances in classes."""
    return pd.DataFrame(
        {
            "decision": decisions["decision"],
            "reason": plain_reasons(decisions, policy),
            "remedy": decisions["remedy"],
            "office_id": decisions["office_id"],
            "office_name": decisions["office_name"],
            "distance_class": distance_classes(decisions, policy),
            "policy": shown,
        }
    )


def write_batch(batch: BatchFile, added: pd.DataFrame, target: Path, policy: str) -> BatchReport:
    """Write the rows of a file, in their order and columns, with more columns after them.

    A row that could not be read comes back at its place and says why. A column that the file has
    already gets "_2".

    Parameters
    ----------
    added
        decision, reason, remedy, policy and more, one row for each that was read.
    """
    names = _free_names([str(name) for name in batch.table.frame.columns], added.columns)
    renamed = added.rename(columns=names)
    whole = pd.concat([batch.table.frame, renamed], axis=1)
    whole = _with_unreadable(whole, batch.table, names, policy)
    write_table(whole, target)
    counts = Counter(whole[names["decision"]])
    return BatchReport(
        read=len(whole),
        eligible=counts[ELIGIBLE],
        not_eligible=counts[NOT_ELIGIBLE],
        needs_review=counts[NEEDS_REVIEW],
        cannot_decide=counts[CANNOT_DECIDE],
        policy=policy,
        columns=tuple(names.values()),
        remedies=_remedies(whole, names),
    )


def _remedies(whole: pd.DataFrame, names: Mapping[str, str]) -> Remedies:
    """Count what would settle the rows that are open; no distance is among the words."""
    decision, reason, remedy = (whole[names[name]] for name in ("decision", "reason", "remedy"))
    why = reason.where(decision == CANNOT_DECIDE, "").astype(str).str.extract(_FEW_WORDS)[0]
    told = zip(decision, why.fillna(""), remedy.where(remedy.notna(), None), strict=True)
    counts = Counter(each for each in told if each[2] is not None)
    return tuple((*each, rows) for each, rows in counts.most_common())


def decide_file(
    source: Path,
    target: Path,
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    *,
    on: str,
    areas: gpd.GeoDataFrame | None = None,
    routing: RoutingAdapter | None = None,
    is_exact: bool = True,
) -> BatchReport:
    """Decide for every row of a file and write the rows with ``ADDED`` after their columns.

    A row that cannot be decided, or not even be read, comes back at its place and says why.
    ``target`` is replaced only once all went well. Needs no store and keeps no record.

    Parameters
    ----------
    is_exact
        False: distances in classes, for readers outside HR.

    Raises
    ------
    FileFormatError
        If a file cannot be read, or written as what its suffix says.
    ColumnError
        If ``source`` has neither coordinates nor an address.
    """
    check_writable(target)
    batch = read_batch(source)
    tables = reference.load()
    homes = read_homes(batch.rows, Gazetteer(tables), tables)
    decisions = decide(homes, offices, policy, on=on, areas=areas, routing=routing)
    shown = f"{policy.name} {policy.version}"
    added = (
        exact_columns(decisions, shown) if is_exact else classed_columns(decisions, policy, shown)
    )
    return write_batch(batch, added, target, shown)


def _with_unreadable(
    whole: pd.DataFrame, table: Table, names: Mapping[str, str], policy: str
) -> pd.DataFrame:
    """Put rows that could not be read at their place, without the cells nobody could tell apart."""
    if not len(table.refused):
        return whole
    lost = pd.DataFrame(None, index=range(len(table.refused)), columns=whole.columns, dtype=object)
    reasons = table.refused["reason"].astype(str).to_numpy(object)
    lines = table.refused["line"].astype(str).to_numpy(object)
    told = f"Cannot decide: {_UNREADABLE.reason}: line " + lines + ", " + reasons + "."
    lost[names["decision"]], lost[names["reason"]] = CANNOT_DECIDE, told
    lost[names["remedy"]], lost[names["policy"]] = _UNREADABLE.remedy, policy
    order = np.argsort(
        np.concatenate([table.lines, table.refused["line"].to_numpy(np.int64)]), kind="stable"
    )
    both = pd.concat([whole.astype(object), lost], ignore_index=True)
    return both.iloc[order].reset_index(drop=True)


def _free_names(taken: list[str], wanted: Iterable[str]) -> dict[str, str]:
    """Names for the columns to add; "_2" follows one that the file has already."""
    used = {name.casefold() for name in taken}
    names = {}
    for name in wanted:
        free, number = name, 2
        while free.casefold() in used:
            free, number = f"{name}_{number}", number + 1
        names[name] = free
    return names
