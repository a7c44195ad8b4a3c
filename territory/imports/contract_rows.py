"""Raw rows -> contract rows, each refused row with its line, the reason and the remedy.

Every row of a file ends in ``rows`` or in ``refused``, never in both and never in neither; what was
odd about a row that was taken is in ``notes``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import schemas
from territory.cleaning import codes, columns, parse_employees, parse_money
from territory.errors import ColumnError
from territory.files import Table, empty_refusals
from territory.imports.addresses import clean_places
from territory.imports.headers import check_mapping, map_headers, scale_of
from territory.imports.row_identity import (
    IDENTITY,
    add_ids,
    is_nameless,
    key_text,
    name_the_nameless,
)
from territory.imports.row_log import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


CONTRACTS = {
    "offices": schemas.OFFICES,
    "prospects": schemas.PROSPECTS,
    "sites": schemas.SITES,
    "contacts": schemas.CONTACTS,
    "opportunities": schemas.OPPORTUNITIES,
    "reps": schemas.REPS,
    "quotas": schemas.QUOTAS,
    "markets": schemas.MARKETS,
    "territories": schemas.TERRITORIES,
    "named_accounts": schemas.NAMED_ACCOUNTS,
}
_DEFAULTS = {"status": "prospect", "segment": schemas.ANY_SEGMENT}
_CODE_TABLES = {
    "status": codes.STATUSES,
    "segment": codes.SEGMENTS,
    "kind": codes.MARKET_KINDS,
}
_FORMS = {
    "email": columns.clean_emails,
    "phone": columns.clean_phones,
    "industry": columns.clean_industries,
}
_PADDED_UNITS = ("metro_area", "county", "zip_code")


@dataclass(frozen=True)
class Intake:
    """What became of a file.

    ``rows``: the contract of the kind plus ``line`` (int64). ``refused``: ``line, key, reason,
    remedy, bucket``, the bucket being "duplicate" or "refused", the key null where the row has
    none. ``notes``: ``line, note`` of rows that were taken although something in them was not
    understood; ``remarks``: what is to be said once of the whole file. ``mapping``: header ->
    contract column; ``ignored``: the headers that were not used; ``absent``: the contract columns
    that no header stands for, which say nothing of the rows (a blank cell says that there is none).
    """

    kind: str
    rows: pd.DataFrame
    refused: pd.DataFrame
    notes: pd.DataFrame
    mapping: dict[str, str]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def take_in(
    kind: str,
    table: Table | pd.DataFrame,
    mapping: Mapping[str, str] | None = None,
    *,
    is_update: bool = False,
) -> Intake:
    """Read a table as rows of ``kind``. Each row comes out once, in order, taken or refused.

    A row without an id gets one made from its name and address, so the same row gets the same id
    from any file. Prospects of a file that has neither ids nor names, only places, are named by
    where they are and told apart by their whole row (``is_nameless``). Coordinates 0, 0 count as
    not given; US states, countries, ZIP codes, statuses, figures and dates are read as people write
    them (``territory.cleaning``).

    Parameters
    ----------
    kind
        One of ``CONTRACTS``.
    table
        A file from ``read_table``, or a frame of text whose first row stands on line 2.
    mapping
        Header -> column of ours, "" for a header that is not to be used; by default
        ``map_headers`` decides.
    is_update
        The rows may be on file already, so that a file with their ids may lack required columns:
        null in ``rows`` then.

    Raises
    ------
    ColumnError
        If a column that the kind cannot do without is missing, or the mapping does not fit.
    """
    if isinstance(table, pd.DataFrame):
        lines = np.arange(2, len(table) + 2, dtype=np.int64)
        table = Table(table.reset_index(drop=True), lines, "frame")
    headers = [str(name) for name in table.frame.columns]
    if mapping is None:
        mapping = map_headers(headers, kind)
    check_columns(kind, mapping, headers, is_update=is_update)
    used = {header: column for header, column in mapping.items() if column}

    log = Log(table.lines)
    raw = table.frame[list(used)].rename(columns=used).reset_index(drop=True)
    contract = CONTRACTS[kind]
    scales = {column: scale_of(header, headers) for header, column in used.items()}
    rows = pd.DataFrame(
        {name: _read_column(name, raw, scales, log) for name in contract.columns}, index=raw.index
    )
    if "country" in contract.columns:
        # Only an office file that says so can mean Antarctica.
        clean_places(rows, raw, log, with_antarctica=kind == "offices")
    if "units" in contract.columns:
        rows["units"] = clean_units(rows["units"], rows["kind"])
    absent = _absent(contract, raw)
    remarks: tuple[str, ...] = ()
    if is_nameless(kind, mapping, headers):
        remarks = (name_the_nameless(rows, table.frame),)
        absent = tuple(name for name in absent if name != "name")
    derived = add_ids(kind, rows)
    _refuse_blanks(contract, rows, raw, log, absent)
    _refuse_duplicates(contract, rows, derived, log)

    rows["line"] = log.lines
    refused = _gather_refused(contract, rows, log, table.refused)
    if not log.taken.all():
        rows = rows[log.taken]
    return Intake(
        kind=kind,
        rows=schemas.check(rows, _without(contract, absent), kind),
        refused=refused,
        notes=_gather_notes(log),
        mapping=used,
        ignored=tuple(name for name in headers if name not in used),
        remarks=remarks,
        absent=absent,
    )


def _absent(contract: Any, raw: pd.DataFrame) -> tuple[str, ...]:
    """Name the columns that a file lacks, but for the key, which is made up or has a default."""
    key = _keys(contract)
    return tuple(name for name in contract.columns if name not in raw and name not in key)


def _without(contract: Any, absent: tuple[str, ...]) -> Any:
    """Give the contract of rows whose absent columns are still to be filled in."""
    return contract.update_columns({name: {"nullable": True} for name in absent})


def _gather_refused(
    contract: Any, rows: pd.DataFrame, log: Log, unread: pd.DataFrame
) -> pd.DataFrame:
    """List the rows that were refused, and those that could not be read, by line."""
    away = ~log.taken
    refused = pd.DataFrame(
        {
            "line": log.lines[away],
            "key": key_text(rows[away], _keys(contract)).to_numpy(object),
            "reason": log.reason[away],
            "remedy": log.remedy[away],
            "bucket": log.bucket[away],
        }
    )
    parts = [unread.assign(key=None, bucket="refused"), refused]
    frames = [part for part in parts if len(part)] or [refused]
    return pd.concat(frames).sort_values("line", kind="stable", ignore_index=True)


def _keys(contract: Any) -> list[str]:
    """Name the columns by which a contract tells its rows apart."""
    unique = contract.unique or [name for name, column in contract.columns.items() if column.unique]
    return list(unique)


def _gather_notes(log: Log) -> pd.DataFrame:
    none = empty_refusals()[["line"]].assign(note=pd.Series(dtype=object))
    notes = pd.concat(log.notes) if log.notes else none
    notes = notes[notes["line"].isin(log.lines[log.taken])]
    return notes.sort_values("line", kind="stable", ignore_index=True)


def required(kind: str) -> tuple[str, ...]:
    """Name the columns that a file of a kind cannot do without."""
    contract = CONTRACTS[kind]
    first = next(iter(contract.columns))
    return tuple(
        name
        for name, column in contract.columns.items()
        if not column.nullable
        and name not in _DEFAULTS
        and not (name == first and kind in IDENTITY)
    )


def check_columns(
    kind: str, mapping: Mapping[str, str], headers: list[str], *, is_update: bool = False
) -> None:
    """Refuse a mapping that does not fit, or that lacks a column which nothing can stand in for.

    For rows that may be on file already (``is_update``) what is on file stands in, as long as the
    file has their ids.

    Raises
    ------
    ColumnError
        Saying all that is wrong with it.
    """
    check_mapping(mapping, headers, kind)
    missing = [name for name in required(kind) if name not in mapping.values()]
    ids = [name for name in _keys(CONTRACTS[kind]) if name not in _DEFAULTS]
    if is_update and set(ids) <= set(mapping.values()):
        return
    if missing and not is_nameless(kind, mapping, headers):
        raise ColumnError(
            f"A file of {kind} needs {', '.join(map(repr, missing))}; this one has "
            f"{', '.join(map(repr, headers))}. Rename a column, or give a mapping."
        )


def _read_column(name: str, raw: pd.DataFrame, scales: Mapping[str, float], log: Log) -> pd.Series:
    """Read one column by what its name says it holds."""
    is_number = name in ("lat", "lon", "employees") or name.endswith("_usd")
    if name not in raw.columns:
        default = np.nan if is_number else _DEFAULTS.get(name)
        return pd.Series(default, index=raw.index, dtype=float if is_number else object)
    if name == "name" or name.endswith("_id"):
        return columns.clean_names(raw[name])
    texts = columns.clean_text(raw[name])
    if name in ("lat", "lon"):
        read = columns.parse_degrees(texts)
    elif name == "employees":
        read = parse_employees(texts)
    elif name.endswith("_usd"):
        read = parse_money(texts) * scales[name]
        if name == "amount_usd":
            read = read.where(read >= 0)
    elif name.endswith("_on"):
        read = columns.parse_dates(texts)
    elif name in _CODE_TABLES:
        return _read_code(name, texts, log)
    else:
        return _FORMS[name](texts) if name in _FORMS else texts
    log.note(read.isna() & texts.notna(), name + " " + texts.map(repr) + " was not understood")
    return read


def _read_code(name: str, texts: pd.Series, log: Log) -> pd.Series:
    table = _CODE_TABLES[name]
    read = columns.clean_codes(texts, table)
    unknown = read.isna() & texts.notna()
    words = ", ".join(dict.fromkeys(table.values()))
    log.refuse(unknown, name + " " + texts.map(repr) + " is unknown", f"Write one of {words}.")
    if name in _DEFAULTS:
        read = read.where(texts.notna(), _DEFAULTS[name])
    return read


def clean_units(units: pd.Series, kind: pd.Series) -> pd.Series:
    """Unit codes joined by "|", with the leading zeros that spreadsheets lose."""

    def read(text: str) -> str:
        parts = [part.strip() for part in re.split(r"[|;,\n]", text)]
        return "|".join(part for part in parts if part)

    def pad(text: str) -> str:
        return "|".join(part.zfill(5) if part.isdigit() else part for part in text.split("|"))

    joined = columns.by_value(units, read)
    padded = columns.by_value(joined, pad)
    return padded.where(kind.isin(_PADDED_UNITS), joined)


def _refuse_blanks(
    contract: Any, rows: pd.DataFrame, raw: pd.DataFrame, log: Log, absent: tuple[str, ...]
) -> None:
    """Refuse rows that lack what their kind cannot do without."""
    for name, column in contract.columns.items():
        if column.nullable or name in absent:
            continue
        written = raw[name].notna() if name in raw else pd.Series(data=False, index=raw.index)
        refused_already = written & (name in _CODE_TABLES)
        log.refuse(rows[name].isna() & ~refused_already, f"no {name}", f"Fill in {name}.")


def _refuse_duplicates(
    contract: Any, rows: pd.DataFrame, derived: npt.NDArray[np.bool_], log: Log
) -> None:
    """Refuse a row whose id an earlier row has taken, naming the line of that one."""
    keys = _keys(contract)
    taken = rows.loc[log.taken, keys]
    again = taken.duplicated().to_numpy()
    if not again.any():
        return
    # The rank of a key names its first row: ngroup numbers groups in order of appearance.
    group = taken.groupby(keys, sort=False).ngroup().to_numpy()
    at = taken.index.to_numpy()
    first_line = log.lines[at[~again]][group[again]]
    values = taken[again].astype(str).to_numpy().tolist()
    reasons = pd.Series(None, index=rows.index, dtype=object)
    reasons[at[again]] = [
        f"the same name and address as line {line}"
        if is_derived
        else f"{' '.join(keys)} {' '.join(key)!r} is on line {line} already"
        for is_derived, key, line in zip(derived[at[again]], values, first_line, strict=True)
    ]
    log.refuse(reasons.notna(), reasons.to_numpy(), "Keep one of the two.", "duplicate")
