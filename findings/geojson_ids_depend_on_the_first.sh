#!/usr/bin/env bash
# What becomes of the ids of GeoJSON features in GDAL depends on the id of the first one. Where it is a number, every id
# that is a text is dropped without a word, and the feature gets a free number in its place; where it is a text, numbers
# are kept as texts. A number beyond 64 bits makes a column of floats as texts ("1.1805916207174113e+21"), and the digits
# are gone. RFC 7946 allows both kinds, and files that were put together from two sources have them side by side: join by
# "id" after reading, and some rows find no partner, or another's. Read ids from the JSON itself. Meets whoever reads
# GeoJSON of more than one source with geopandas. Versions: geopandas 1.2.0, pyogrio 0.13.0 (GDAL 3.12.4), pandas 3.1.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check geopandas==1.2.0 pyogrio==0.13.0 pandas==3.1.1
env/bin/python -W ignore - <<'END'
import json
import sys

import pyogrio


def read(*ids):
    point = {"type": "Point", "coordinates": [-87.6, 41.9]}
    features = [
        {"type": "Feature", "id": one, "properties": {"name": "x"}, "geometry": point} for one in ids
    ]
    with open("m.geojson", "w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)
    frame = pyogrio.read_dataframe("m.geojson", fid_as_index=True)
    return frame["id"].tolist() if "id" in frame else None, frame.index.tolist()


facts = {
    "a number first": read(17, "west"),
    "a text first": read("west", 17),
    "beyond 64 bits": read(2**70, 1)[0],
}
for name, value in facts.items():
    print(f"{name}: {value}")
expected = {
    "a number first": (None, [17, 0]),
    "a text first": (["west", "17"], [0, 1]),
    "beyond 64 bits": ["1.1805916207174113e+21", "1"],
}
sys.exit(0 if facts == expected else "ids of features are read otherwise now")
END
