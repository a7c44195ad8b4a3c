"""Cells of contract columns: each column read by what its name says that it holds.

What cannot be read is null here and on the log, so that it never takes the place of a value on
file; a blank cell is null and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.cleaning import (
    AS_TEXT,
    PERIOD_REMEDY,
    by_value,
    clean_ids,
    clean_text,
    codes,
    columns,
    date_order,
    fold,
    is_cut_off,
    is_no_day,
    is_other_currency,
    is_unreadable,
    parse_pairs,
    parse_points,
    read_dates,
    read_employees,
    read_money,
    read_periods,
)
from territory.imports.headers import DEFAULTS, LAT_LON, scale_of
from territory.imports.rows.translations import translations_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.files import Table
    from territory.imports.rows.log import RowLog

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
# Words for what a text of a form must have to be one.
_MARKS = {"email": re.compile(r"\S@\S"), "phone": re.compile(r"\d\D*\d\D*\d")}
_DEGREES = ("lat", "lon")
_TYPED = ("xlsx", "parquet", "geojson", "gpkg", "shapefile")  # numbers are numbers there
_CURRENCY = frozenset(
    ("currency", "currencyisocode", "currencycode", "isocurrency", "transactioncurrency",
     "dealcurrency", "dealcurrencycode", "opportunitycurrency", "accountcurrency")
)  # fmt: skip
_US_DOLLARS = frozenset(("usd", "us", "", "usdollar", "usdollars", "dollar", "dollars"))


def is_code(name: str) -> bool:
    """Whether a column takes one of a few words, so that another one refuses its row."""
    return name in (*_CODE_TABLES, "period")


def is_number(name: str) -> bool:
    """Whether a column holds numbers."""
    return name in (*_DEGREES, "employees") or name.endswith("_usd")


def read_columns(
    contract: Any, raw: pd.DataFrame, used: Mapping[str, str], table: Table, log: RowLog
) -> pd.DataFrame:
    """Read every column of a contract; one that the file lacks is null or its default.

    Parameters
    ----------
    raw
        The cells by the names of the contract.
    used
        Header of the file -> column of the contract.
    table
        The file, whose other columns may say of which currency an amount is.
    """
    reader = _Reader(raw, used, table, log)
    return pd.DataFrame({name: reader.read(name) for name in contract.columns}, index=raw.index)


class _Reader:
    """Reads the columns of one file."""

    def __init__(
        self, raw: pd.DataFrame, used: Mapping[str, str], table: Table, log: RowLog
    ) -> None:
        self.raw, self.table, self.log = raw, table, log
        self.headers = {column: header for header, column in used.items()}
        self._degrees: dict[str, pd.Series] = {}
        dates = [name for name in raw.columns if str(name).endswith("_on")]
        self._order = date_order(raw[name] for name in dates) if len(dates) > 1 else "open"

    def read(self, name: str) -> pd.Series:
        """Read one column by what its name says that it holds."""
        if name in _DEGREES:
            return self._read_degrees(name)
        if name not in self.raw.columns:
            default = np.nan if is_number(name) else DEFAULTS.get(name)
            dtype = float if is_number(name) else object
            return pd.Series(default, index=self.raw.index, dtype=dtype)
        texts = self._legible(name)
        if name.endswith("_id"):
            ids, reasons = clean_ids(texts)
            if reasons.notna().any():
                sentences = name + " " + ids.map(repr) + " " + reasons.fillna("")
                self.log.refuse(reasons.notna(), sentences, AS_TEXT)
            return ids
        if name == "name":
            return columns.clean_names(texts)
        texts = clean_text(texts)
        if name == "period":
            return self._read_periods(texts)
        if is_code(name):
            return self._read_code(name, texts)
        if name == "employees":
            return self._checked(name, texts, *read_employees(texts))
        if name.endswith("_usd"):
            return self._read_money(name, texts)
        if name.endswith("_on"):
            texts = texts.where(~is_no_day(texts), None)
            return self._checked(name, texts, *read_dates(texts, self._order))
        if name in _MARKS:
            form = _MARKS[name]
            is_form = by_value(texts, lambda text: form.search(text) is not None)
            is_odd = texts.notna() & ~is_form.eq(other=True)
            self.log.unreadable(name, is_odd, texts)
            texts = texts.where(~is_odd, None)
        return _FORMS[name](texts) if name in _FORMS else texts

    def _legible(self, name: str) -> pd.Series:
        """Give the cells of a column, without those that say nothing which can be read."""
        cells = self.raw[name]
        is_odd = is_unreadable(cells)
        if not is_odd.any():
            return cells
        self.log.unreadable(name, is_odd, cells)
        return cells.where(~is_odd, None)

    def _checked(
        self, name: str, texts: pd.Series, values: pd.Series, remarks: tuple[str, ...]
    ) -> pd.Series:
        """Put what could not be read on the log."""
        self.log.unreadable(name, values.isna() & texts.notna(), texts)
        self.log.remarks += [f"{name}: {remark}" for remark in remarks]
        return values

    def _read_code(self, name: str, texts: pd.Series) -> pd.Series:
        table = _CODE_TABLES[name]
        values = columns.clean_codes(texts, table)
        self.log.translations.append(translations_of(name, texts, values))
        unknown = values.isna() & texts.notna()
        words = ", ".join(dict.fromkeys(table.values()))
        reasons = name + " " + texts.map(repr) + " is unknown"
        self.log.refuse(unknown, reasons, f"Write one of {words}.")
        if name in DEFAULTS:
            self.log.blank(name, texts.isna() & ~is_unreadable(self.raw[name]))
            values = values.where(texts.notna(), DEFAULTS[name])
        return values

    def _read_periods(self, texts: pd.Series) -> pd.Series:
        periods = read_periods(texts)
        self.log.translations.append(translations_of("period", texts, periods))
        reasons = "period " + texts.map(repr) + " is no year, quarter or month"
        self.log.refuse(periods.isna() & texts.notna(), reasons, PERIOD_REMEDY)
        return periods

    def _read_money(self, name: str, texts: pd.Series) -> pd.Series:
        """Read US dollars; an amount of which the file says another currency is not one."""
        header = self.headers[name]
        is_typed = self.table.format in _TYPED
        values, remarks = read_money(texts, is_typed=is_typed)
        values = values * scale_of(header, [str(name) for name in self.table.frame.columns])
        if name == "amount_usd":
            values = values.where(values >= 0)
        if is_other_currency(header):
            self.log.remarks.append(
                f"{name}: the header {header!r} names another currency than US dollars, so its "
                "amounts are not used. Convert them, or leave the column out."
            )
            is_foreign = texts.notna()
        else:
            is_foreign = texts.notna() & self._is_foreign(header)
        values = values.where(~is_foreign)
        return self._checked(name, texts, values, remarks)

    def _is_foreign(self, header: str) -> pd.Series:
        """Tell which rows name another currency in a column beside an amount."""
        for other in self.table.frame.columns:
            if fold(str(other)) in _CURRENCY | {fold(header) + "currency"}:
                cells = clean_text(self.table.frame[other]).reset_index(drop=True)
                is_ours = by_value(cells, lambda text: fold(text) in _US_DOLLARS)
                foreign = is_ours.eq(other=False)
                self.log.note(
                    foreign & self.table.frame[header].notna().to_numpy(),
                    f"{other} " + cells.map(repr) + " is not US dollars",
                )
                return foreign
        return pd.Series(data=False, index=self.raw.index)

    def _read_degrees(self, name: str) -> pd.Series:
        if not self._degrees:
            self._degrees = self._read_points()
        return self._degrees[name]

    def _read_points(self) -> dict[str, pd.Series]:
        """Read latitude and longitude together: a cell may hold both."""
        blank = pd.Series(None, index=self.raw.index, dtype=object)
        texts = {
            name: clean_text(self._legible(name)) if name in self.raw else blank
            for name in (*_DEGREES, LAT_LON)
        }
        points = dict(zip(_DEGREES, parse_points(texts["lat"], texts["lon"]), strict=True))
        if LAT_LON in self.raw:
            is_free = texts["lat"].isna() & texts["lon"].isna()
            pairs = dict(zip(_DEGREES, parse_pairs(texts[LAT_LON]), strict=True))
            points = {name: points[name].where(~is_free, pairs[name]) for name in _DEGREES}
            self.log.unreadable(
                "lat", texts[LAT_LON].notna() & is_free & pairs["lat"].isna(), texts[LAT_LON]
            )
        for name in _DEGREES:
            self.log.unreadable(name, points[name].isna() & texts[name].notna(), texts[name])
            cut = is_cut_off(points[name])
            self.log.unreadable(
                name,
                cut,
                texts[name],
                name + " " + texts[name].map(repr) + " is cut off at the width of a field",
            )
            points[name] = points[name].where(~cut)
        return points
