"""Geocodes in the making: the place that each row has so far, and the note on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.units_of_length import format_miles

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.geocoding.gazetteer_index import Places

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Oddities:
    """What is odd about each row: many namesakes, a postal code that is not where its city is.

    ``zip_state`` is None where the row has no ZIP code that is known; ``padded_city`` is where a
    ZIP code of three or four digits would be if noughts stood before it.
    """

    is_vague: Bools
    is_astray: Bools
    zip_state: Texts
    to_city_m: Floats
    town: Texts
    namesake: Texts
    padded_city: Texts


class Geocodes:
    """The places found so far, one for each row."""

    def __init__(self, rows: int) -> None:
        self.lon, self.lat, self.uncertainty_m = (np.full(rows, np.nan) for _ in range(3))
        self.precision, self.title = (np.full(rows, None, dtype=object) for _ in range(2))
        self.rivals, self.is_open = np.zeros(rows, np.int64), np.zeros(rows, bool)

    @property
    def is_missing(self) -> Bools:
        """Which rows have no place yet."""
        is_missing: Bools = np.isnan(self.lon)
        return is_missing

    def take(self, places: Places, rows: Ints, at: Ints, precision: str) -> None:
        """Answer ``rows``, by position, with the places at positions ``at``; -1 is no answer."""
        rows, at = rows[at >= 0], at[at >= 0]
        self.lon[rows], self.lat[rows] = places.lon[at], places.lat[at]
        self.uncertainty_m[rows] = places.uncertainty_m[at]
        self.precision[rows], self.title[rows] = precision, places.title[at]
        self.rivals[rows], self.is_open[rows] = places.rivals[at], places.is_open[at]

    def drop(self, rows: Bools) -> None:
        """Take back the answers of a mask of rows."""
        self.lon[rows] = self.lat[rows] = self.uncertainty_m[rows] = np.nan
        self.precision[rows] = self.title[rows] = None

    def frame(self, notes: Texts) -> pd.DataFrame:
        """The GEOCODE contract."""
        return pd.DataFrame(
            {
                "lon": self.lon,
                "lat": self.lat,
                "precision": pd.Series(self.precision, dtype=object),
                "uncertainty_m": self.uncertainty_m,
                "geocode_source": pd.Series(self.title, dtype=object),
                "geocode_note": pd.Series(notes, dtype=object),
                "match_score": np.nan,
                "placement": pd.Series(
                    np.where(self.is_missing, "unplaced", "approximate"), dtype=object
                ),
            }
        )


def notes_on(rows: pd.DataFrame, answers: Geocodes, odd: Oddities) -> Texts:
    """Say of each row why it was not placed, or what was odd about it; None where nothing was."""
    notes = np.full(len(rows), None, dtype=object)
    city, state, code, country = (
        rows[name].to_numpy(object) for name in ("city", "state", "postal_code", "country")
    )
    has_zip = pd.notna(odd.zip_state)
    by_zip = answers.precision == "postal"
    other_state = has_zip & pd.notna(state) & (odd.zip_state != state)
    unknown_zip = ~has_zip & pd.notna(code) & (pd.isna(country) | (country == "US"))
    for at in np.flatnonzero(other_state & by_zip):
        notes[at] = f"ZIP {code[at]} is in {odd.zip_state[at]}, the address says {state[at]}"
    apart = apart_texts(rows, odd)
    for at in np.flatnonzero(odd.is_astray):
        notes[at] = str(apart[at]) + (": placed by the city" if odd.town[at] else "")
    for at in np.flatnonzero(~answers.is_missing & ~by_zip & (answers.rivals > 0)):
        notes[at] = f"{answers.rivals[at]} more places have that name: took the largest"
    for at in np.flatnonzero(~answers.is_missing & unknown_zip):
        notes[at] = f"ZIP {code[at]} is unknown: placed by the city"
    for at in np.flatnonzero(answers.is_missing):
        about_zip = f"{_unknown(code[at], odd.padded_city[at])} and " if unknown_zip[at] else ""
        if odd.is_astray[at]:
            about_zip = f"{notes[at]}, and "
        if pd.isna(state[at]) and (
            odd.namesake[at] or (odd.padded_city[at] and pd.notna(city[at]))
        ):
            what = "correct one of them, or add" if odd.namesake[at] else "add"
            abroad = ", or the country if it is abroad" if pd.isna(country[at]) else ""
            doubt = notes[at] or _unknown(code[at], odd.padded_city[at])
            notes[at] = f"{doubt}: {what} the state{abroad}"
            continue
        where = (city[at], state[at], country[at])
        notes[at] = about_zip + _why_not(*where, code[at], is_vague=odd.is_vague[at])
    return notes


def apart_texts(rows: pd.DataFrame, odd: Oddities) -> Texts:
    """Say how far the postal code of each row is from its city; None where they agree."""
    texts = np.full(len(rows), None, dtype=object)
    city, state, code = (rows[name].to_numpy(object) for name in ("city", "state", "postal_code"))
    for at in np.flatnonzero(odd.is_astray):
        town = odd.town[at] or odd.namesake[at] or city[at]
        if odd.namesake[at] and str(city[at]).casefold() not in odd.namesake[at].casefold():
            town = f"{city[at]} ({odd.namesake[at]})"  # Torino (Turin, IT)
        what = f"postal code {code[at]} is"
        if odd.zip_state[at] is not None:
            is_own = state[at] == odd.zip_state[at]
            what = f"ZIP {code[at]} is" + ("" if is_own else f" in {odd.zip_state[at]},")
        texts[at] = f"{what} {format_miles(odd.to_city_m[at])} from {town}"
    return texts


def _unknown(code: str, padded_city: str | None) -> str:
    """What is wrong with a ZIP code that no table has."""
    if code.isdigit() and len(code) < 5:
        would = f" (with the zeros before it, it would be in {padded_city})" if padded_city else ""
        return f"ZIP {code} has {len(code)} digits{would}"
    return f"ZIP {code} is unknown"


def _why_not(
    city: str | None, state: str | None, country: str | None, code: str | None, *, is_vague: bool
) -> str:
    """Say why an address has no place, and what would give it one."""
    is_foreign = country not in (None, "US")
    if city is None and is_foreign:
        if code is None:
            return "the address has no city: add the city"
        return f"postal code {code!r} is not known here for {country}: add the city"
    if city is None:
        return "the address has no city: add a ZIP code, or city and state"
    if is_vague and state is None and not is_foreign:
        abroad = ", or the country if it is abroad" if country is None else ""
        return f"several places are called {city}: add the state{abroad}"
    where = ", ".join(name for name in (state, country) if name not in (None, "US"))
    if is_vague:
        return f"several places of like size in {where} are called {city}: choose one of them"
    if state is None and country is None:
        return f"city {city!r} comes without a state: add the state, or the country if it is abroad"
    return f"city {city!r} was not found in {where}"
