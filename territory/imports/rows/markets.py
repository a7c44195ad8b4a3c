"""Rows of market files: units read, and the rows of one market put together.

Lists of markets come with a row for each market and its units in one cell, or with a row for each
unit: ZIP and Territory, or County, State and Territory. A row that says what is no unit is refused
by itself; the others go in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import by_value, clean_names, clean_text, codes, columns, fold
from territory.files import Table, id_from_name
from territory.imports import REFUSALS
from territory.imports.headers import check_columns, words_of
from territory.markets import MIXABLE, as_counties, likely_kinds, read_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.reference import Reference

# What a header of units says of their kind; one that is not here says nothing.
_HEADERS = {
    "zip_code": "zip zips zipcode zipcodes zip5 zip3 postalcode postalcodes postcode zcta zcta5",
    "county": "county counties countyname countyfips countyfipscode fips fipscode countycode",
    "metro_area": "cbsa cbsacode msa msacode metro metroarea metroareas metrocode cbsatitle",
    "state": "state states statecode statename stateabbr stabbr st",
}
_KIND_OF_HEADER = {header: kind for kind, names in _HEADERS.items() for header in names.split()}
_NOUNS = {
    "zip_code": "ZIP codes",
    "county": "counties",
    "metro_area": "metro areas",
    "state": "states",
}
_MOST_REMARKS = 10
# "ZIP from" and "ZIP to", "Start Postal Code" and "End Postal Code".
_ZIP_WORDS = frozenset(("zip", "zipcode", "postal", "postcode", "postalcode"))
_FIRST_WORDS = frozenset(("from", "start", "begin", "beginning", "low", "lower", "first", "min"))
_LAST_WORDS = frozenset(("to", "thru", "through", "end", "ending", "high", "upper", "last", "max"))
_ROW_NUMBERS = ("id", "fid", "objectid", "rowid", "recordid", "row", "no")


@dataclass(frozen=True)
class MarketRows:
    """A market file as a table of our columns with one row for each market.

    ``refused`` are ``report.REFUSALS`` of rows that are in no market, ``notes`` line and note of
    markets, ``remarks`` sentences about the file, ``absent`` columns that were only guessed: what
    is on file goes before them. ``ranges`` are the headers of the ends of ranges of ZIP codes.
    """

    table: Table
    refused: pd.DataFrame
    notes: pd.DataFrame
    remarks: tuple[str, ...]
    absent: tuple[str, ...] = ()
    ranges: tuple[str, str] | tuple[()] = ()


@dataclass
class _Findings:
    """Refusals and notes while a file is read."""

    refused: list[tuple[int, str | None, str, str, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, row: pd.Series, reason: str, remedy: str, bucket: str = "refused") -> None:
        """Refuse a row."""
        self.refused.append((int(row["line"]), row["market_id"], reason, remedy, bucket))


def read_market_rows(table: Table, mapping: Mapping[str, str], reference: Reference) -> MarketRows:
    """Read the units of a market file and put the rows of each market together.

    Parameters
    ----------
    mapping
        Header -> column of ours, "" for one that is not used.

    Raises
    ------
    ColumnError
        If the mapping does not fit, or lacks what nothing can stand in for.
    """
    headers = [str(name) for name in table.frame.columns]
    check_columns("markets", mapping, headers, is_update=True)
    used = {header: column for header, column in mapping.items() if column}
    header_of = {column: header for header, column in used.items()}
    rows = table.frame[list(used)].rename(columns=used).reset_index(drop=True).astype(object)
    if "state" in rows and not {"units", "kind"} & set(rows):
        rows = rows.rename(columns={"state": "units"})
        header_of["units"] = header_of["state"]
    ends = () if "units" in rows else _range_headers(headers)
    if ends:
        first, last = (clean_text(table.frame[name]).astype(object) for name in ends)
        joined = first.where(last.isna() | (first == last), first + "-" + last)
        rows["units"] = joined.where(first.notna(), last).to_numpy(object)
        header_of["units"] = "zip"
    rows, remarks = _with_ids(rows, header_of.get("market_id", ""))
    rows["line"] = table.lines
    findings = _Findings()
    if "units" in rows:
        for name in ("units", "state"):
            rows[name] = clean_text(rows[name]) if name in rows else None
        rows = _with_kinds(rows, header_of["units"], findings, reference)
        is_readable = rows["kind"].isin(_NOUNS) & rows["market_id"].notna()
        markets = _put_together(rows[is_readable].reset_index(drop=True), findings, reference)
        if len(markets) < is_readable.sum() - len(findings.refused):
            count = int(is_readable.sum()) - len(findings.refused)
            plural = "s" if len(markets) > 1 else ""
            remarks += (f"{count:,} rows make {len(markets):,} market{plural}.",)
        rows = pd.concat([markets, rows[~is_readable]]).sort_values("line", kind="stable")
    is_guessed = "kind" not in header_of and fold(header_of.get("units", "")) not in _KIND_OF_HEADER
    if is_guessed and "kind" in rows and rows["kind"].isna().all():
        rows = rows.drop(columns="kind")
    absent = ("kind",) if is_guessed and "kind" in rows else ()
    return replace(_market_rows(table, rows, findings, remarks, absent), ranges=ends)


def _range_headers(headers: list[str]) -> tuple[str, str] | tuple[()]:
    """Find the two columns in which ranges of ZIP codes begin and end."""
    words = {header: frozenset(words_of(header)) for header in headers}
    ends = [
        [header for header in headers if words[header] & _ZIP_WORDS and words[header] & names]
        for names in (_FIRST_WORDS, _LAST_WORDS)
    ]
    return (ends[0][0], ends[1][0]) if all(len(some) == 1 for some in ends) else ()


def _market_rows(
    table: Table,
    rows: pd.DataFrame,
    findings: _Findings,
    remarks: tuple[str, ...],
    absent: tuple[str, ...],
) -> MarketRows:
    refused = pd.DataFrame(findings.refused, columns=["line", "key", "reason", "remedy", "bucket"])
    rows = rows[~rows["line"].isin(refused["line"])]
    lines = rows["line"].to_numpy(np.int64)
    notes = pd.DataFrame(findings.notes, columns=["line", "note"])
    notes = notes.sort_values("line", kind="stable", ignore_index=True)
    frame = rows.drop(columns=["state", "line"], errors="ignore").reset_index(drop=True)
    return MarketRows(
        Table(frame.astype(object), lines, table.format, table.refused, table.notes),
        refused[list(REFUSALS)],
        notes,
        (
            *remarks,
            *(_remark(line, note) for line, note in notes.head(_MOST_REMARKS).to_numpy()),
        ),
        absent,
    )


def _remark(line: int, note: str) -> str:
    """Say a note of the line that it is about, which may be a later one of the same market."""
    return (
        f"{note[:1].upper()}{note[1:]}." if note.startswith("line ") else f"Line {line:,}: {note}."
    )


def _with_ids(rows: pd.DataFrame, header: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Fill in missing ids from the names of markets; ids that only number the rows are none."""
    rows = rows.copy()
    remarks: tuple[str, ...] = ()
    for name in ("market_id", "name"):
        if name in rows:
            rows[name] = clean_names(rows[name]).astype(object)
    names = rows.get("name", pd.Series(None, index=rows.index, dtype=object))
    ids = rows.get("market_id", pd.Series(None, index=rows.index, dtype=object))
    if fold(header) in _ROW_NUMBERS and ids.is_unique and names.dropna().duplicated().any():
        remarks = (f"{header!r} numbers the rows: markets are told apart by their names.",)
        ids = pd.Series(None, index=rows.index, dtype=object)
    made = by_value(names, id_from_name)
    rows["market_id"] = ids.where(ids.notna(), made)
    return rows, remarks


def _with_kinds(
    rows: pd.DataFrame, header: str, findings: _Findings, reference: Reference
) -> pd.DataFrame:
    """Say of which kind the units are: by their column, their header, or what they look like."""
    has_column = "kind" in rows
    if has_column:
        written = clean_text(rows["kind"])
        kinds = columns.clean_codes(written, codes.MARKET_KINDS)
        rows = rows.assign(kind=kinds.where(kinds.notna(), written))
    else:
        rows = rows.assign(kind=_KIND_OF_HEADER.get(fold(header)))
    is_open = rows["kind"].isna() & rows["units"].notna()
    if not is_open.any():
        return rows
    texts = rows.loc[is_open, "units"]
    likely = likely_kinds(texts, rows.loc[is_open, "state"], reference)
    rows.loc[is_open, "kind"] = [one[0] if len(one) == 1 else None for one in likely]
    if not has_column and rows["kind"].isna().all():
        return rows
    for (_, row), some in zip(rows[is_open].iterrows(), likely, strict=True):
        if len(some) != 1:
            nouns = " or ".join(_NOUNS[kind] for kind in some)
            findings.refuse(
                row,
                f"{row['units']!r} may be {nouns}" if some else f"{row['units']!r} is no unit",
                f"Say in a column kind which: {', '.join(_NOUNS)}.",
            )
    return rows


def _put_together(rows: pd.DataFrame, findings: _Findings, reference: Reference) -> pd.DataFrame:
    """Read units, refuse the rows that are not understood, and give each market once."""
    units = read_units(rows, reference)
    for at, reason, remedy in units.faults.itertuples(index=False):
        findings.refuse(rows.loc[at], reason, remedy)
    lists = units.members.groupby("market")["code"].agg(list)
    rows["codes"] = lists.reindex(range(len(rows)))
    rows["note"] = units.notes.set_index("market")["note"].reindex(range(len(rows)))
    rows = rows.drop(index=units.faults["market"].tolist())
    is_single = ~rows["market_id"].duplicated(keep=False)
    single = rows[is_single]
    findings.notes += list(
        single.loc[single["note"].notna(), ["line", "note"]].itertuples(index=False, name=None)
    )
    markets = [single.assign(units=single["codes"].map("|".join))]
    for _, group in rows[~is_single].groupby("market_id", sort=False):
        markets.append(_one_market(group, findings, reference))
    return pd.concat(markets).drop(columns=["codes", "note"])


def _one_market(group: pd.DataFrame, findings: _Findings, reference: Reference) -> pd.DataFrame:
    """Give the one row that the rows of a market make; refuse those that contradict the first."""
    first = group.iloc[0]
    if "name" in group:
        names = group["name"].dropna()
        name = names.iloc[0] if len(names) else None
        differs = group["name"].notna() & (group["name"] != name)
        for _, row in group[differs].iterrows():
            findings.refuse(
                row,
                f"market {row['market_id']!r} is called {name!r} on line {first['line']:,}",
                "Give its rows one name, or another id.",
            )
        group = group[~differs]
        first = group.iloc[0].copy()
        first["name"] = name
    kinds = dict(group.drop_duplicates("kind")[["kind", "line"]].to_numpy())
    if len(kinds) > 1 and not set(kinds) <= set(MIXABLE):
        listed = " and ".join(f"{_NOUNS[kind]} (line {line:,})" for kind, line in kinds.items())
        for _, row in group.iterrows():
            findings.refuse(
                row,
                f"market {row['market_id']!r} is made of {listed}",
                "Make two markets of it, and give both to one territory.",
            )
        return group.head(0)
    lists = [
        as_counties(kind, listed, reference) if len(kinds) > 1 else listed
        for kind, listed in zip(group["kind"], group["codes"], strict=True)
    ]
    line_of: dict[str, int] = {}
    for (_, row), unit_codes in zip(group.iterrows(), lists, strict=True):
        if set(unit_codes) <= set(line_of):
            lines = ", ".join(
                f"{line:,}" for line in sorted({line_of[code] for code in unit_codes})
            )
            reason = f"market {row['market_id']!r} has these units already, on line {lines}"
            findings.refuse(row, reason, "Keep one of the two.", "duplicate")
        for code in unit_codes:
            line_of.setdefault(code, int(row["line"]))
    first = first.copy()
    first["kind"] = "county" if len(kinds) > 1 else first["kind"]
    first["units"] = "|".join(line_of)
    if len(kinds) > 1:
        findings.notes.append((int(first["line"]), "its metro areas and states count as counties"))
    for line, note in group.loc[group["note"].notna(), ["line", "note"]].itertuples(index=False):
        where = "" if line == first["line"] else f"line {line:,}: "
        findings.notes.append((int(first["line"]), f"{where}{note}"))
    return first.to_frame().T
