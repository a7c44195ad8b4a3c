"""Eligibility of a file of homes: rows in, the same rows out with their verdicts.

Every row comes back, in the order and with its columns. ``decide_batch`` puts the decisions on
record; ``decide_file`` needs no store and keeps none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.eligibility.decision import decide as decide_homes
from territory.eligibility.decision import distance_classes, plain_reasons
from territory.eligibility.desk.decide import decide
from territory.eligibility.desk.measured_homes import place
from territory.eligibility.desk.reference_conflicts import conflict_sentence, reference_conflicts
from territory.eligibility.homes import map_home_headers
from territory.eligibility.rules import (
    CANNOT_DECIDE,
    DECISION_NAMES,
    ELIGIBLE,
    FAULTS,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
)
from territory.errors import ColumnError, InputError
from territory.files import check_writable, read_table, write_table
from territory.imports import read_rows
from territory.progress import silent
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import geopandas as gpd

    from territory.eligibility.decision import RoutingAdapter
    from territory.eligibility.desk.settings import DecisionRequest
    from territory.eligibility.homes import HomeStore
    from territory.eligibility.rules import EligibilityPolicy
    from territory.files import Table
    from territory.progress import Progress
    from territory.store import Store

    Remedies = tuple[tuple[str, str, str, int], ...]

ADDED = (
    "decision", "reason", "remedy", "office_id", "office_name", "distance_mi", "duration_min",
    "uncertainty_mi", "policy",
)  # fmt: skip
_IN_FILES = {code: name.lower() for code, name in DECISION_NAMES.items()}
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
            f"{self.needs_review:,} too close to call, {self.cannot_decide:,} cannot be decided "
            f"({self.policy})."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        remedies = [
            {"decision": decision, "why": why, "remedy": remedy, "rows": rows}
            for decision, why, remedy, rows in self.remedies
        ]
        return {**asdict(self), "columns": list(self.columns), "remedies": remedies}


@dataclass(frozen=True)
class RecordedBatch:
    """What became of a file: verdicts by number, and how many rows are on record, about whom."""

    report: BatchReport
    on_record: int
    without_reference: int

    @property
    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{self.report.sentence} {self.on_record:,} of {self.report.read:,} rows are on "
            f"record; {self.without_reference:,} of them are not linked to a person, having no "
            "reference."
        )

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            **self.report.as_json(),
            "on_record": self.on_record,
            "without_reference": self.without_reference,
        }


def read_offices(path: Path) -> pd.DataFrame:
    """Read offices with coordinates (OFFICES contract); every refused row is named at once."""
    offices = read_rows("offices", read_table(path))
    if len(offices.refused):
        refusals = "; ".join(
            f"line {line}: {reason}. {remedy}"
            for line, reason, remedy in offices.refused[["line", "reason", "remedy"]].to_numpy()
        )
        raise InputError(f"{path}: {refusals}")
    return offices.rows


def decide_batch(
    store: Store,
    homes: HomeStore,
    source: Path,
    target: Path,
    request: DecisionRequest,
    *,
    is_exact: bool = False,
    mapping: Mapping[str, str] | None = None,
    progress: Progress = silent,
    rows_done: Callable[[int, int], object] = lambda _done, _of: None,
) -> RecordedBatch:
    """Decide for every row of a file, put it on record, and write the rows with their verdicts.

    Every row comes back at its place, in its columns, with decision, reason, remedy, office,
    distance (exact, or in classes), policy and decision_id after them. A row that cannot be read
    is not on record. ``target`` is replaced only once all went well.

    Parameters
    ----------
    mapping
        Header -> column of homes (``PLACE``, ``PERSON``); by default what the headers seem to mean.
    progress
        Hears what is being done; may stop it by raising, and then nothing is on record.
    rows_done
        Hears how many rows of the file are done, of how many; may stop it likewise.

    Raises
    ------
    FileFormatError, ColumnError
        If the file cannot be read, has no homes in it, or cannot be written.
    NotFoundError
        If no policy holds on that day.
    """
    check_writable(target)
    progress("Reading the file")
    batch = read_batch(source, mapping)
    conflicts = reference_conflicts(batch.rows, batch.table.lines)
    if conflicts:
        raise InputError(f"{source.name}: {conflict_sentence(conflicts)}")
    unreadable = len(batch.table.refused)
    in_file = unreadable + len(batch.rows)
    progress(f"Deciding {in_file:,} rows and writing their verdicts")
    rows_done(unreadable, in_file)
    decisions = decide(
        store,
        homes,
        batch.rows,
        request,
        decided=lambda rows: rows_done(unreadable + rows, in_file),
    )
    added = _columns(decisions.rows, decisions.homes, decisions.policy, is_exact=is_exact)
    added["decision_id"] = decisions.decision_ids
    report = _write_batch(batch, added, target, decisions.policy.label)
    return RecordedBatch(report, len(decisions.decision_ids), decisions.subjects.count(None))


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
    homes = place(batch.rows)
    decisions = decide_homes(homes, offices, policy, on=on, areas=areas, routing=routing)
    added = _columns(decisions, homes, policy, is_exact=is_exact)
    return _write_batch(batch, added, target, policy.label)


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
        Header -> column of homes (``PLACE``, ``PERSON``); by default what the headers seem to mean.

    Raises
    ------
    FileFormatError
        If the file cannot be read as what its suffix says.
    ColumnError
        If it has neither coordinates nor an address.
    """
    table = read_table(source)
    columns = [str(name) for name in table.frame.columns]
    mapping = dict(mapping) if mapping is not None else map_home_headers(columns)
    check_mapping(mapping, columns, str(source))
    return BatchFile(table, table.frame[list(mapping)].rename(columns=mapping))


def check_mapping(mapping: Mapping[str, str], columns: list[str], source: str) -> None:
    """Raise ``ColumnError`` where a mapping (header -> column) does not say where people live."""
    unknown = sorted(set(mapping) - set(columns))
    if unknown:
        raise ColumnError(f"{source}: no column {', '.join(map(repr, unknown))} to map.")
    uses = Counter(mapping.values())
    twice = [
        f"{' and '.join(header for header in mapping if mapping[header] == name)} are both {name!r}"
        for name, headers in uses.items()
        if headers > 1
    ]
    if twice:
        raise ColumnError(f"{source}: {'; '.join(twice)}. Choose one header for each column.")
    if not {"street", "postal_code", "city"} & set(uses) and not {"lat", "lon"} <= set(uses):
        raise ColumnError(
            f"{source}: no columns 'postal_code', 'city' and 'state', nor 'lat' and 'lon'; it has "
            f"{', '.join(map(repr, columns))}. Rename or add them."
        )


def _columns(
    decisions: pd.DataFrame, homes: pd.DataFrame, policy: EligibilityPolicy, *, is_exact: bool
) -> pd.DataFrame:
    """Give the columns to add to a file: ``ADDED``; for readers outside HR, classed distances.

    What an address was read as is told beside the address itself, and in no record.
    """
    notes = homes["address_note"].set_axis(decisions.index)
    sentences = decisions["sentence"].astype(object)
    sentences = sentences.where(notes.isna(), sentences + " " + notes + ".")
    columns = {
        "decision": decisions["decision"].map(_IN_FILES),
        "reason": sentences if is_exact else plain_reasons(decisions, policy),
        "remedy": decisions["remedy"],
        "office_id": decisions["office_id"],
        "office_name": decisions["office_name"],
    }
    if is_exact:
        columns |= {
            "distance_mi": decisions["distance_m"] / METRES_PER_MILE,
            "duration_min": decisions["duration_s"] / 60.0,
            "uncertainty_mi": decisions["uncertainty_m"] / METRES_PER_MILE,
        }
    else:
        columns["distance_class"] = distance_classes(decisions, policy)
    return pd.DataFrame({**columns, "policy": policy.label})


def _write_batch(batch: BatchFile, added: pd.DataFrame, target: Path, policy: str) -> BatchReport:
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
    codes = {word: code for code, word in _IN_FILES.items()}
    counts = Counter(whole[names["decision"]].map(codes))
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
    why = (
        reason.where(decision == _IN_FILES[CANNOT_DECIDE], "")
        .astype(str)
        .str.extract(_FEW_WORDS)[0]
    )
    codes = {word: code for code, word in _IN_FILES.items()}
    answers = zip(
        decision.map(codes), why.fillna(""), remedy.where(remedy.notna(), None), strict=True
    )
    counts = Counter(each for each in answers if each[2] is not None)
    return tuple((*each, rows) for each, rows in counts.most_common())


def _with_unreadable(
    whole: pd.DataFrame, table: Table, names: Mapping[str, str], policy: str
) -> pd.DataFrame:
    """Put rows that could not be read at their place, without the cells nobody could tell apart."""
    if not len(table.refused):
        return whole
    lost = pd.DataFrame(None, index=range(len(table.refused)), columns=whole.columns, dtype=object)
    reasons = table.refused["reason"].astype(str).to_numpy(object)
    lines = table.refused["line"].astype(str).to_numpy(object)
    sentences = f"Cannot decide: {_UNREADABLE.reason}: line " + lines + ", " + reasons + "."
    lost[names["decision"]], lost[names["reason"]] = _IN_FILES[CANNOT_DECIDE], sentences
    lost[names["remedy"]], lost[names["policy"]] = _UNREADABLE.remedy, policy
    order = np.argsort(
        np.concatenate([table.lines, table.refused["line"].to_numpy(np.int64)]), kind="stable"
    )
    both = pd.concat([whole.astype(object), lost], ignore_index=True)
    return both.iloc[order].reset_index(drop=True)


def _free_names(present: list[str], additions: Iterable[str]) -> dict[str, str]:
    """Names for the columns to add; "_2" follows one that the file has already."""
    used = {name.casefold() for name in present}
    names = {}
    for name in additions:
        free, number = name, 2
        while free.casefold() in used:
            free, number = f"{name}_{number}", number + 1
        names[name] = free
    return names
