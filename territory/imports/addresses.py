"""Addresses and coordinates of a file, brought into form before anything is placed by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import ELSEWHERE_STATES, clean_address, codes, columns, faults
from territory.imports.headers import ACCURACY

if TYPE_CHECKING:
    from territory.imports.row_log import Log

# What Salesforce says of the coordinates of an account: no better than its address, or better.
_COARSE = ("zip", "neighborhood", "city", "county", "state")
_FINE = ("address", "nearaddress", "block", "street", "extendedzip")


def clean_places(rows: pd.DataFrame, raw: pd.DataFrame, log: Log, *, with_antarctica: bool) -> None:
    """Bring country, state, postal code and coordinates into form, in place."""
    written = columns.clean_names(raw["country"]) if "country" in raw else rows["country"]
    rows["country"], rows["state"], rows["postal_code"] = clean_address(
        written, rows["state"], rows["postal_code"]
    )
    known_country = rows["country"].isna() | rows["country"].isin(set(codes.COUNTRIES.values()))
    log.note(~known_country, "country " + written.map(repr) + " is unknown")
    is_american = rows["country"] == "US"
    unknown = is_american & rows["state"].notna()
    unknown &= ~rows["state"].isin(set(codes.US_STATES.values()))
    log.note(unknown, "state " + rows["state"].map(repr) + " is no US state")

    if "lat" not in rows:
        return
    half = rows["lat"].isna() ^ rows["lon"].isna()
    log.note(half, "one of lat and lon is missing: neither was used")
    nought = (rows["lat"] == 0) & (rows["lon"] == 0)
    log.note(nought, "coordinates 0, 0 mean that nobody knew: not used")
    rows.loc[half | nought, ["lat", "lon"]] = np.nan
    if ACCURACY in raw:
        _drop_coarse(rows, columns.clean_text(raw[ACCURACY]), log)
    _check_coordinates(rows, log, is_american, with_antarctica=with_antarctica)


def _drop_coarse(rows: pd.DataFrame, accuracy: pd.Series, log: Log) -> None:
    """Leave coordinates unused that their own source calls no better than the address, in place."""
    given, folded = rows["lat"].notna(), columns.by_value(accuracy, codes.fold)
    unknown = given & folded.notna() & ~folded.isin((*_COARSE, *_FINE))
    log.note(unknown, ACCURACY + " " + accuracy.map(repr) + " is unknown")
    has_address = rows["postal_code"].notna() | rows["city"].notna()
    coarse = given & folded.isin(_COARSE) & has_address
    log.note(coarse, "the coordinates given are only those of the " + accuracy + ": not used")
    rows.loc[coarse, ["lat", "lon"]] = np.nan


def _check_coordinates(
    rows: pd.DataFrame, log: Log, is_american: pd.Series, *, with_antarctica: bool
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
    log.note(unused, pd.Series(reasons, index=rows.index) + ": not used")
    rows.loc[unused, ["lat", "lon"]] = np.nan
    is_hopeless = is_off | ~at_home | with_antarctica  # an office has nobody to settle it later
    log.refuse(is_odd & ~unused & is_hopeless, reasons, remedies)
