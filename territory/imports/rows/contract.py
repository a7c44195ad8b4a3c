"""Contract rows: raw cells read and cleaned; a refused row with its line, reason and remedy.

Every row of a file ends in ``rows`` or in ``refused``, never in both and never in neither; what was
odd about a row that was accepted is in ``notes``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import schemas
from territory.cleaning import (
    ELSEWHERE_STATES,
    by_value,
    clean_addresses,
    codes,
    columns,
    faults,
    is_unreadable,
)
from territory.files import Table
from territory.geocoding import ORIGIN, read_origins
from territory.imports.headers import (
    ACCURACY,
    CONTRACTS,
    IS_CLOSED,
    IS_WON,
    LAST_NAME,
    check_columns,
    is_nameless,
    key_columns,
    map_headers,
)
from territory.imports.rows.cells import is_code, read_columns
from territory.imports.rows.identity import add_ids, full_names, key_text, name_the_nameless
from territory.imports.rows.log import RowLog, no_cells
from territory.imports.rows.outcomes import read_outcomes
from territory.imports.rows.strays import without_strays
from territory.imports.rows.translations import empty_translations, joined_translations
from territory.markets import clean_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

# What Salesforce says of the coordinates of an account: no better than its address, or better.
_COARSE = ("zip", "neighborhood", "city", "county", "state")
_FINE = ("address", "nearaddress", "block", "street", "extendedzip")


@dataclass(frozen=True)
class ContractRows:
    """What became of the rows of a file.

    ``rows``: the contract of the kind plus ``line`` (int64). ``refused``: ``line, key, reason,
    remedy, bucket``, the bucket being "duplicate" or "refused", the key null where the row has
    none. ``notes``: ``line, note`` of rows that were accepted although something in them was not
    understood; ``remarks``: what is to be said once of the whole file. ``mapping``: header ->
    contract column; ``ignored``: the headers that were not used; ``absent``: the contract columns
    that no header stands for, which say nothing of the rows (a blank cell says that there is none).
    ``translations``: the words of the columns that have words of their own, and what each means.
    ``unreadable``: ``line, column, value`` of cells of accepted rows that say nothing either,
    because they could not be read. ``blank``: ``line, column`` of blank cells in whose place a
    default stands.
    """

    kind: str
    rows: pd.DataFrame
    refused: pd.DataFrame
    notes: pd.DataFrame
    mapping: dict[str, str]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    translations: pd.DataFrame = field(default_factory=empty_translations)
    unreadable: pd.DataFrame = field(default_factory=no_cells)
    blank: pd.DataFrame = field(default_factory=no_cells)


def read_rows(
    kind: str,
    table: Table | pd.DataFrame,
    mapping: Mapping[str, str] | None = None,
    *,
    is_update: bool = False,
) -> ContractRows:
    """Read a table as rows of ``kind``. Each row comes out once, in order, accepted or refused.

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
    table = without_strays(table)
    headers = [str(name) for name in table.frame.columns]
    if mapping is None:
        mapping = map_headers(headers, kind)
    check_columns(kind, mapping, headers, is_update=is_update)
    used = {header: column for header, column in mapping.items() if column}

    log = RowLog(table.lines)
    raw = table.frame[list(used)].rename(columns=used).reset_index(drop=True)
    if LAST_NAME in raw:
        raw["name"] = full_names(raw)
    if kind == "opportunities" and {"stage", "outcome", IS_WON, IS_CLOSED} & set(raw):
        raw["outcome"] = read_outcomes(raw)
    contract = CONTRACTS[kind]
    rows = read_columns(contract, raw, used, table, log)
    if "country" in contract.columns:
        # Only an office file that says so can mean Antarctica.
        _clean_places(rows, raw, log, with_antarctica=kind == "offices")
        rows = _with_origins(rows, raw, log)
    if "units" in contract.columns:
        rows["units"] = clean_units(rows["units"], rows["kind"])
    absent = _absent(contract, raw)
    if is_nameless(kind, mapping, headers):
        log.remarks.append(name_the_nameless(rows, table.frame))
        absent = tuple(name for name in absent if name != "name")
    derived = add_ids(kind, rows)
    # What could not be read may be on file; only then is the row known to lack it.
    unread = _unread(contract, log) if is_update else ()
    _refuse_blanks(contract, rows, raw, log, absent, unread)
    _refuse_duplicates(contract, rows, derived, log)

    rows["line"] = log.lines
    refused = _gather_refused(contract, rows, log, table.refused)
    if not log.is_accepted.all():
        rows = rows[log.is_accepted]
    return ContractRows(
        kind=kind,
        rows=schemas.check(rows, _without(contract, (*absent, *unread)), kind),
        refused=refused,
        notes=log.notes,
        mapping=used,
        ignored=tuple(name for name in headers if name not in used),
        remarks=tuple(log.remarks),
        absent=absent,
        translations=joined_translations(log.translations),
        unreadable=log.unreadable_cells,
        blank=log.blank_cells,
    )


def _absent(contract: Any, raw: pd.DataFrame) -> tuple[str, ...]:
    """Name the columns that a file lacks, but for the key, which is made up or has a default."""
    key = key_columns(contract)
    return tuple(name for name in contract.columns if name not in raw and name not in key)


def _unread(contract: Any, log: RowLog) -> tuple[str, ...]:
    """Name the required columns, but for the key, with cells that could not be read."""
    required = {name for name, column in contract.columns.items() if not column.nullable}
    required -= set(key_columns(contract))
    return tuple(name for name in sorted(required) if log.is_unreadable(name).any())


def _without(contract: Any, absent: tuple[str, ...]) -> Any:
    """Give the contract of rows whose absent columns are still to be filled in."""
    return contract.update_columns({name: {"nullable": True} for name in absent})


def _gather_refused(
    contract: Any, rows: pd.DataFrame, log: RowLog, unread: pd.DataFrame
) -> pd.DataFrame:
    """List the rows that were refused, and those that could not be read, by line."""
    away = ~log.is_accepted
    refused = pd.DataFrame(
        {
            "line": log.lines[away],
            "key": key_text(rows[away], key_columns(contract)).to_numpy(object),
            "reason": log.reason[away],
            "remedy": log.remedy[away],
            "bucket": log.bucket[away],
        }
    )
    parts = [unread.assign(key=None, bucket="refused"), refused]
    # Empty frames are left out: pandas deprecates that their types do not count in a concat.
    filled = [part for part in parts if len(part)] or [refused]
    return pd.concat(filled).sort_values("line", kind="stable", ignore_index=True)


def _refuse_blanks(
    contract: Any,
    rows: pd.DataFrame,
    raw: pd.DataFrame,
    log: RowLog,
    absent: tuple[str, ...],
    unread: tuple[str, ...],
) -> None:
    """Refuse rows that lack what their kind cannot do without."""
    for name, column in contract.columns.items():
        if column.nullable or name in absent:
            continue
        written = raw[name].notna() if name in raw else pd.Series(data=False, index=raw.index)
        refused_already = written & is_code(name)
        is_blank = rows[name].isna() & ~refused_already
        if name in unread:
            is_blank &= ~log.is_unreadable(name)
        log.refuse(is_blank, f"no {name}", f"Fill in {name}.")


def _refuse_duplicates(
    contract: Any, rows: pd.DataFrame, derived: npt.NDArray[np.bool_], log: RowLog
) -> None:
    """Refuse a row whose id an earlier row has, naming the line of that one."""
    keys = key_columns(contract)
    accepted = rows.loc[log.is_accepted, keys]
    again = accepted.duplicated().to_numpy()
    if not again.any():
        return
    # The rank of a key names its first row: ngroup numbers groups in order of appearance.
    group = accepted.groupby(keys, sort=False).ngroup().to_numpy()
    at = accepted.index.to_numpy()
    first_line = log.lines[at[~again]][group[again]]
    key_parts = accepted[again].astype(str).to_numpy().tolist()
    reasons = pd.Series(None, index=rows.index, dtype=object)
    reasons[at[again]] = [
        f"the same name and address as line {line}"
        if is_derived
        else f"{' '.join(keys)} {' '.join(key)!r} is on line {line} already"
        for is_derived, key, line in zip(derived[at[again]], key_parts, first_line, strict=True)
    ]
    log.refuse(reasons.notna(), reasons.to_numpy(), "Keep one of the two.", "duplicate")


def _clean_places(
    rows: pd.DataFrame, raw: pd.DataFrame, log: RowLog, *, with_antarctica: bool
) -> None:
    """Bring country, state, postal code and coordinates into form, in place."""
    written = rows["country"]
    if "country" in raw:
        written = columns.clean_names(raw["country"].where(~is_unreadable(raw["country"]), None))
    addresses, notes = clean_addresses(rows.assign(country=written))
    log.note(notes.notna(), notes)
    for name in addresses:
        rows[name] = addresses[name]
    is_country = rows["country"].isna() | rows["country"].isin(set(codes.COUNTRIES.values()))
    notes = "country " + written.map(repr) + " is unknown"
    log.unreadable("country", ~is_country, written, notes)
    is_american = rows["country"] == "US"
    unknown = is_american & rows["state"].notna()
    unknown &= ~rows["state"].isin(set(codes.US_STATES.values()))
    notes = "state " + rows["state"].map(repr) + " is no US state"
    log.unreadable("state", unknown, rows["state"], notes)

    is_odd = is_american & ~rows["postal_code"].fillna("00000").str.fullmatch(r"\d{5}")
    notes = "postal_code " + rows["postal_code"].map(repr) + " is no ZIP code"
    log.unreadable("postal_code", is_odd, rows["postal_code"], notes)
    if "lat" not in rows:
        return
    half = rows["lat"].isna() ^ rows["lon"].isna()
    _drop_halves(rows, raw, half, log)
    nought = (rows["lat"] == 0) & (rows["lon"] == 0)
    log.note(nought, "coordinates 0, 0 mean that nobody knew: not used")
    rows.loc[nought, ["lat", "lon"]] = np.nan
    if ACCURACY in raw:
        _drop_coarse(rows, columns.clean_text(raw[ACCURACY]), log)
    _check_coordinates(rows, log, is_american, with_antarctica=with_antarctica)


def _with_origins(rows: pd.DataFrame, raw: pd.DataFrame, log: RowLog) -> pd.DataFrame:
    """Add what the file says of where its coordinates come from, and the coordinates as written."""
    texts = {name: columns.clean_text(raw[name]) for name in ORIGIN if name in raw}
    if not texts or "lat" not in rows:
        return rows
    origins, notes = read_origins(pd.DataFrame(texts, index=raw.index))
    log.note(notes.notna(), notes)
    return rows.join(origins).assign(origin_lon=rows["lon"], origin_lat=rows["lat"])


def _drop_halves(rows: pd.DataFrame, raw: pd.DataFrame, half: pd.Series, log: RowLog) -> None:
    """Leave a latitude without a longitude unused, and the other way round, in place."""
    words = "one of lat and lon is missing: neither was used"
    is_known = log.is_unreadable("lat") | log.is_unreadable("lon")
    if not {"lat", "lon"} <= set(raw.columns):
        is_known[:] = True  # the file lacks the column: that is said of no single cell
    log.note(half & is_known, words)
    _leave_out(rows, half & ~is_known, log, words)
    rows.loc[half, ["lat", "lon"]] = np.nan


def _leave_out(rows: pd.DataFrame, mask: Any, log: RowLog, notes: pd.Series | str) -> None:
    """Leave coordinates unused that cannot be a place, in place; those on file stay."""
    for name, cells in (("lat", mask & rows["lat"].notna()), ("lon", mask & rows["lat"].isna())):
        log.unreadable(name, cells, rows[name].map("{:.10g}".format), notes)
    rows.loc[mask, ["lat", "lon"]] = np.nan


def _drop_coarse(rows: pd.DataFrame, accuracy: pd.Series, log: RowLog) -> None:
    """Leave coordinates unused that their own source calls no better than the address, in place."""
    has_point, folded = rows["lat"].notna(), by_value(accuracy, codes.fold)
    unknown = has_point & folded.notna() & ~folded.isin((*_COARSE, *_FINE))
    log.note(unknown, ACCURACY + " " + accuracy.map(repr) + " is unknown")
    has_address = rows["postal_code"].notna() | rows["city"].notna()
    coarse = has_point & folded.isin(_COARSE) & has_address
    log.note(coarse, "the coordinates given are only those of the " + accuracy + ": not used")
    rows.loc[coarse, ["lat", "lon"]] = np.nan


def _check_coordinates(
    rows: pd.DataFrame, log: RowLog, is_american: pd.Series, *, with_antarctica: bool
) -> None:
    """Refuse coordinates that nothing can be made of, in place.

    Those on the globe that are far from their address (swapped, without a sign) stay as they are:
    where the row is placed they become a conflict, with the other reading as a proposal. Those off
    the globe are not used where there is an address to go by.
    """
    lon, lat = rows["lon"].to_numpy(float), rows["lat"].to_numpy(float)
    at_home = (is_american & ~rows["state"].isin(ELSEWHERE_STATES)).to_numpy(bool)
    reasons, remedies = faults(lon, lat, at_home, with_antarctica=with_antarctica)
    is_odd = pd.notna(reasons)
    with np.errstate(invalid="ignore"):
        is_off = (np.abs(lat) > 90) | (np.abs(lon) > 180)
    has_address = (rows["postal_code"].notna() | rows["city"].notna()).to_numpy(bool)
    unused = is_odd & is_off & has_address
    _leave_out(rows, unused, log, pd.Series(reasons, index=rows.index) + ": not used")
    is_hopeless = is_off | ~at_home | with_antarctica  # an office has nobody to settle it later
    log.refuse(is_odd & ~unused & is_hopeless, reasons, remedies)
