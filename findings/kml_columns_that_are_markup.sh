#!/usr/bin/env bash
# A table written as KML through GDAL loses columns by their names. The driver takes "begin", "end", "timestamp" and
# "model" for parts of a placemark: a column "timestamp" to the right of "begin" and "end" puts both out of the file,
# and the other way round they put out the timestamp; "visibility", "extrude", "drawOrder" and "tessellate" are written
# as data, and read back as the placemark's own (-1, 0), not as yours; and one column called "model" makes every point a
# 3-D model, which the same driver reads back with no geometry. Nothing warns. Meets whoever exports accounts, contracts
# or equipment ("model", "begin", "end") for Google Earth with geopandas: rename such columns first. Versions: geopandas
# 1.2.0, pyogrio 0.13.0 (GDAL 3.12.4), pandas 3.1.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check geopandas==1.2.0 pyogrio==0.13.0 pandas==3.1.1
env/bin/python -W ignore - <<'END'
import sys

import geopandas as gpd


def there_and_back(**columns):
    points = gpd.points_from_xy([-87.6, -88.0], [41.9, 42.0])
    frame = gpd.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")
    frame.to_file("accounts.kml", driver="LIBKML")
    return gpd.read_file("accounts.kml"), open("accounts.kml", encoding="utf-8").read()


dated, dated_text = there_and_back(
    begin=["2026-01-01"] * 2, end=["2026-06-30"] * 2, timestamp=["2026-11-02", "2026-12-01"]
)
numbered, _ = there_and_back(visibility=[3, 4], extrude=[5, 6], drawOrder=[1, 2], tessellate=[7, 8])
modelled, _ = there_and_back(model=["X1", "X2"])
plain, _ = there_and_back(equipment=["X1", "X2"])
facts = {
    "begin and end in the file": "2026-01-01" in dated_text or "2026-06-30" in dated_text,
    "begin and end read back": int(dated[["begin", "end"]].notna().sum().sum()),
    "numbers read back": numbered[["visibility", "extrude", "drawOrder", "tessellate"]]
    .iloc[0].map(str).tolist(),
    "points with a column model": int(modelled.geometry.notna().sum()),
    "points with a column equipment": int(plain.geometry.notna().sum()),
}
for name, value in facts.items():
    print(f"{name}: {value}")
if list(facts.values()) != [False, 0, ["-1.0", "0.0", "nan", "-1.0"], 0, 2]:
    sys.exit("This has changed.")
END
