#!/usr/bin/env bash
# Whole numbers of 64 bits written into an Esri file geodatabase come back as floating point: the id 9007199254740993
# returns as 9007199254740992.0 and its neighbour with it, two companies under one id. GDAL writes them as doubles unless
# it is told which ArcGIS will read the file (TARGET_ARCGIS_VERSION=ARCGIS_PRO_3_2_OR_LATER). GeoPackage and shapefile
# keep them. Nothing warns. Meets whoever hands CRM record ids (HubSpot's have 11 to 16 digits) to a GIS team.
# Versions: pyogrio 0.13.0 (GDAL 3.12.4), geopandas 1.2.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check geopandas==1.2.0 pyogrio==0.13.0
env/bin/python -W ignore - <<'END'
import sys

import geopandas as gpd

ids = [9007199254740992, 9007199254740993]
frame = gpd.GeoDataFrame(
    {"record": ids}, geometry=gpd.points_from_xy([-87.6, -88.0], [41.9, 42.0]), crs="EPSG:4326"
)
frame.to_file("plain.gdb", driver="OpenFileGDB")
frame.to_file("new.gdb", driver="OpenFileGDB", TARGET_ARCGIS_VERSION="ARCGIS_PRO_3_2_OR_LATER")
frame.to_file("same.gpkg")
read = {name: gpd.read_file(name)["record"] for name in ("plain.gdb", "new.gdb", "same.gpkg")}
for name, column in read.items():
    print(f"{name:10} {column.dtype}: {column.tolist()}, {column.nunique()} of 2 ids")
if [column.nunique() for column in read.values()] != [1, 2, 2]:
    sys.exit("This has changed.")
END
