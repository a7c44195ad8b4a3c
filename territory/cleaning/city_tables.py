"""City tables: which cities a state has, which ZIP codes a city has, for reading addresses.

Made of the reference tables once, and only for a file that has cells to be taken apart.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from territory.reference import normalise_places

if TYPE_CHECKING:
    from territory.reference import Reference


@lru_cache(maxsize=2)
def zip_states(reference: Reference) -> dict[str, str]:
    """The state of each ZIP code."""
    table = reference.zip_codes
    return dict(zip(table["zip_code"], table["state_code"], strict=True))


@lru_cache(maxsize=2)
def city_prefixes(reference: Reference) -> dict[str, set[str]]:
    """The first three digits of the ZIP codes of each city, by the key of its name."""
    table = reference.zip_codes
    prefixes: dict[str, set[str]] = {}
    keys = normalise_places(table["city"])
    for key, code in zip(keys, table["zip_code"], strict=True):
        if key:
            prefixes.setdefault(key, set()).add(code[:3])
    return prefixes


@lru_cache(maxsize=2)
def cities_by_area(reference: Reference) -> dict[str, frozenset[str]]:
    """The keys of city names in each state ("MA"), and in each other country ("country DE")."""
    table, cities = reference.zip_codes, reference.cities
    areas: dict[str, set[str]] = {}
    for state, key in zip(table["state_code"], normalise_places(table["city"]), strict=True):
        if key:
            areas.setdefault(state, set()).add(key)
    american = cities["country_code"] == "US"
    area = cities["admin1_code"].where(american, "country " + cities["country_code"])
    area_of = dict(zip(cities["city_id"], area, strict=True))
    names = reference.city_names
    for key, city_id in zip(names["key"], names["city_id"], strict=True):
        areas.setdefault(area_of[city_id], set()).add(key)
    return {name: frozenset(keys) for name, keys in areas.items()}
