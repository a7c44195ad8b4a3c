"""What the build asks the bundled place tables: is there such a town, and which county is it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.reference import load, normalise_place, normalise_places

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


def towns() -> pd.DataFrame:
    """Give every US post town with its ZIP codes.

    Returns
    -------
    towns
        key (normalised name), state_code, zip_code, county_fips, cbsa_code, has_area (False: post
        boxes and single companies); sorted by ZIP code, those that have an area first.
    """
    zips = load().zip_codes.dropna(subset=["city"])
    zips = zips.assign(key=normalise_places(zips["city"]))
    ordered = zips.sort_values(["has_area", "zip_code"], ascending=[False, True], kind="stable")
    columns = ["key", "state_code", "zip_code", "county_fips", "cbsa_code", "has_area"]
    return ordered[columns].reset_index(drop=True)


def knower(towns: pd.DataFrame) -> Callable[[str, str], bool]:
    """Give the question "is a place of that name in that state", by the normalised name.

    Post towns first, then cities and suburbs that have no post office of their name.
    """
    cities = load().cities
    cities = cities[cities["country_code"].isin(["US", "PR"])]
    state = cities["admin1_code"].where(cities["country_code"] == "US", "PR")
    named = load().city_names.merge(cities.assign(state=state), on="city_id")
    known = set(zip(towns["key"], towns["state_code"], strict=True))
    known |= set(zip(named["key"], named["state"], strict=True))
    return lambda city, state: (normalise_place(city), state) in known


def market_of(prospects: pd.DataFrame, towns: pd.DataFrame, markets: pd.DataFrame) -> pd.Series:
    """Give the market of each prospect's town, by its first ZIP code; None outside all.

    Near enough to invent who works a customer; assignment proper goes by the point.
    """
    first = towns.drop_duplicates(["key", "state_code"])
    found = prospects.assign(key=normalise_places(prospects["city"]))[["key", "state"]].merge(
        first, how="left", left_on=["key", "state"], right_on=["key", "state_code"]
    )
    units = markets.assign(unit=markets["units"].str.split("|")).explode("unit")
    units = units.sort_values("market_id").drop_duplicates("unit").set_index("unit")["market_id"]
    codes = found[["zip_code", "county_fips", "cbsa_code", "state"]]
    by_unit = codes.apply(lambda code: code.map(units))
    return (
        by_unit.bfill(axis=1).iloc[:, 0].astype(object).where(lambda market: market.notna(), None)
    )
