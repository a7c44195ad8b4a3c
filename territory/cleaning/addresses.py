"""Address columns: street, city, state, postal code and country as people write them.

Codes for states and countries, postal codes in form, and whole addresses in one cell taken apart.
A part that another cell of the row gives is never overruled by one read out of a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import codes
from territory.cleaning.codes import fold
from territory.cleaning.columns import clean_text
from territory.cleaning.distinct import by_value
from territory.cleaning.one_line import COMPOUND, read_one_line
from territory.cleaning.postal_codes import country_of, read_postal_codes, state_before, zip_form

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.cleaning.one_line import Parts

PARTS = ("street", "city", "state", "postal_code", "country")
_GUARD = re.compile(r'="?"?(.*?)"?"?')  # ="Boston": text that a spreadsheet shall not touch
_COUNTRY_OF = re.compile(r"\s*\([A-Z]{2}\)$")  # Odoo writes "Bayern (DE)"
_TWICE = re.compile(r"\s+-\s+|[(),/|:;\u2013\u2014]|(?<=^[A-Z]{2})-(?=[A-Z]{2,3}$)|(?<=^USA)-")
_ZIP_BEHIND = re.compile(r"(.*?\D)[\s,.-]+(\d{5}(?:-\d{4})?)")
_STATE_CODES = frozenset(codes.US_STATES.values())
_PROVINCE_CODES = frozenset(codes.CANADIAN_PROVINCES.values())


def clean_addresses(
    frame: pd.DataFrame, *, has_lost_zeros: bool | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Read addresses; every row comes back once, in order.

    A row without a country is American or Canadian if its state is. A US territory filed as a
    country is a state of the US. A country that is unknown stays as it was written.

    Parameters
    ----------
    frame
        Some of street, city, state, postal_code and country as ``clean_text`` gives them; a
        missing column counts as null.
    has_lost_zeros
        Whether the column that the postal codes are from has lost its leading zeros, where it is
        longer than ``frame``.

    Returns
    -------
    addresses
        street, city, state, postal_code, country (object dtype), on the index of ``frame``.
    notes
        What was read from what, where the cells do not show it; null where they do.
    """
    none = pd.Series(None, index=frame.index, dtype=object)
    parts = {name: _unguarded(frame.get(name, none).astype(object)) for name in PARTS}
    rows = pd.DataFrame(parts, index=frame.index)
    rows, left_out = _taken_apart(rows)
    code, state = _countries_and_states(rows)
    postal_codes, notes = read_postal_codes(
        rows["postal_code"], code, state, rows["city"], has_lost_zeros=has_lost_zeros
    )
    for at, note in left_out.items():
        notes.iloc[at] = note if notes.iloc[at] is None else f"{note}; {notes.iloc[at]}"
    rows = rows.assign(state=state, postal_code=postal_codes, country=code)
    return rows.astype(object).where(rows.notna(), None), notes


def clean_countries(column: pd.Series) -> pd.Series:
    """ISO 3166-1 alpha-2 codes of country names and codes; null where the country is unknown."""
    return by_value(column, _country_code)


def clean_states(states: pd.Series, country: pd.Series) -> pd.Series:
    """Two-letter codes of US states and Canadian provinces; others are trimmed and kept.

    A row with no country is read as a US state where it is one, else as a Canadian province.
    "US-MA", "MA - Massachusetts" and "Maine (US)" are states too.
    """
    texts = by_value(clean_text(states), lambda text: _COUNTRY_OF.sub("", text) or text)
    home = country.isna() | (country == "US")
    code = by_value(texts, _us_state).where(home, None)
    canada = (country == "CA") | (country.isna() & code.isna())
    provinces = by_value(texts.where(canada, None), _province)
    code = code.where(code.notna() | ~canada, provinces)
    code = code.where(code.notna(), texts)
    return code.astype(object).where(code.notna(), None)


def _country_code(text: str) -> str | None:
    return codes.COUNTRIES.get(fold(text)) or _one_code(_pieces(text), codes.COUNTRIES)


def _us_state(text: str) -> str | None:
    state = codes.US_STATES.get(fold(text))
    if state is None:
        pieces = [one for one in _pieces(text) if codes.COUNTRIES.get(fold(one)) != "US"]
        state = _one_code(pieces, codes.US_STATES)
    return state


def _province(text: str) -> str | None:
    province = codes.CANADIAN_PROVINCES.get(fold(text))
    if province is None:
        pieces = [one for one in _pieces(text) if fold(one) not in ("ca", "can", "canada")]
        province = _one_code(pieces, codes.CANADIAN_PROVINCES)
    return province


def _pieces(text: str) -> list[str]:
    """The parts of a cell that says a thing twice: "US-MA", "MA - Massachusetts", "Maine (US)"."""
    parts = re.split(
        r"\s+-\s+|[(),/|:;\u2013\u2014]|(?<=^[A-Z]{2})-(?=[A-Z]{2,3}$)|(?<=^USA)-", text
    )
    return [part.strip() for part in parts if part.strip()]


def _one_code(pieces: list[str], table: dict[str, str]) -> str | None:
    """The code that all pieces stand for; None where they are not of one mind."""
    answers = {table.get(fold(piece)) for piece in pieces}
    return answers.pop() if len(answers) == 1 else None


def _countries_and_states(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    country, state = rows["country"], rows["state"]
    code = clean_countries(country)
    territory = code.isin(codes.US_TERRITORIES)
    state = state.where(~territory | state.notna(), code)
    code = code.where(~territory, "US")
    as_written = clean_text(country)
    code = code.where(code.notna() | as_written.isna(), as_written)
    bare = (code.isna() & state.isna() & rows["postal_code"].notna()).to_numpy(bool)
    if bare.any():
        own = rows["postal_code"].where(bare, None)
        code = code.where(~bare, by_value(own, country_of))
        state = state.where(~bare | code.notna(), by_value(own, state_before))

    state = clean_states(state, code)
    blank = code.isna() & state.notna()
    code = code.where(~(blank & state.isin(_STATE_CODES)), "US")
    blank &= code.isna() & state.isin(_PROVINCE_CODES)
    code = code.where(~blank, "CA")
    return code.astype(object).where(code.notna(), None), state


def _unguarded(column: pd.Series) -> pd.Series:
    """Leave out what keeps a spreadsheet from reading a cell: ="02110"."""
    guarded = column.astype("str").str.startswith("=", na=False).to_numpy(bool)
    if not guarded.any():
        return column
    bare = by_value(column.where(guarded, None), lambda text: _GUARD.fullmatch(text)[1])  # type: ignore[index]
    return column.where(~guarded, clean_text(bare))


def _taken_apart(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[int, str]]:
    """Take whole addresses out of single cells, where the row has room for their parts.

    Returns
    -------
    rows, notes
        Notes, by position, of cells that said more than the columns of an address can take.
    """
    notes: dict[int, str] = {}
    rows = _state_cells(rows)
    compound = by_value(rows["city"], lambda text: COMPOUND.search(text) is not None)
    rows = _filled(rows, "city", compound.eq(other=True), notes)
    rows = _filled(rows, "street", rows["city"].isna() & rows["street"].notna(), notes)
    code = rows["city"].isna() & rows["postal_code"].notna()
    if code.any():
        worded = by_value(
            rows["postal_code"].where(code, None),
            lambda text: zip_form(text) is None and re.search(r"[A-Za-z]{3}", text) is not None,
        )
        rows = _filled(rows, "postal_code", worded.eq(other=True), notes)
    return rows, notes


def _state_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Take the ZIP code out of a cell of a state: "MA 02110"."""
    both = (rows["state"].notna() & rows["postal_code"].isna()).to_numpy(bool)
    if not both.any():
        return rows
    cells = by_value(rows["state"].where(both, None), _ZIP_BEHIND.fullmatch)
    at = np.flatnonzero(cells.notna().to_numpy(bool))
    at = at[[_us_state(cells.iloc[row][1]) is not None for row in at]]
    columns = {name: rows[name].to_numpy(object, copy=True) for name in ("state", "postal_code")}
    for name, group in (("state", 1), ("postal_code", 2)):
        columns[name][at] = [cells.iloc[row][group] for row in at]
    return rows.assign(**columns)


def _filled(
    rows: pd.DataFrame, source: str, mask: pd.Series, notes: dict[int, str]
) -> pd.DataFrame:
    """Put the parts read from the cells of one column where they belong, if they fit the row."""
    at = np.flatnonzero(mask.to_numpy(bool))
    if not len(at):
        return rows
    columns = {name: rows[name].to_numpy(object, copy=True) for name in PARTS}
    answers: dict[str, Parts] = {}
    for row in at.tolist():
        text = str(columns[source][row])
        if text not in answers:
            answers[text] = read_one_line(text)
        parts = answers[text]
        given = {name: columns[name][row] for name in PARTS if name != source}
        if parts and _fits(parts, given) and _take(columns, row, source, parts):
            place = " ".join(
                parts[name] for name in ("city", "state", "postal_code") if name in parts
            )
            notes[row] = f"{source} {text!r} was read as {place}"
    return rows.assign(**columns)


def _fits(parts: Parts, given: dict[str, object]) -> bool:
    """Tell whether what a text says agrees with the other cells of its row."""
    forms = {
        "state": lambda text: _us_state(text) or _province(text) or fold(text),
        "postal_code": lambda text: zip_form(text) or fold(text).upper(),
        "country": lambda text: _country_code(text) or fold(text),
        "city": fold,
    }
    state = given.get("state")
    is_abroad = parts.get("country", "US") not in ("US", "CA")
    if is_abroad and isinstance(state, str) and _us_state(state) is not None:
        return False
    for name, form in forms.items():
        other = given.get(name)
        if name in parts and isinstance(other, str) and form(parts[name]) != form(other):
            return False
    return True


def _take(columns: dict[str, npt.NDArray[np.object_]], row: int, source: str, parts: Parts) -> bool:
    """Write the parts into blank cells; tell whether the text said more than they do."""
    street = columns["street"][row]
    for name in PARTS:
        if name not in (source, "street") and name in parts and pd.isna(columns[name][row]):
            columns[name][row] = parts[name]
    if source == "street":  # with more behind the address it stays whole
        columns["street"][row] = street if "rest" in parts else parts.get("street")
        return False
    columns[source][row] = parts.get(source)
    if pd.isna(street):
        columns["street"][row] = parts.get("street")
    return "rest" in parts or (pd.notna(street) and "street" in parts)
