#!/usr/bin/env bash
# `antimeridian.bbox` gives a box across 180 degrees only where a part touches 180 itself. A shape that stands on both
# sides without touching, as New Zealand with its Chatham Islands does, gets the long way round: nearly the whole world.
# Add an islet that does touch, and the box runs from the islet east: the mainland, 12 degrees west of it, is outside.
# The same package also bends what it cuts: a box whose north edge runs along 60 N comes back up to 60.38 N, for
# `fix_polygon` takes the missing points along great circles unless it is told otherwise (great_circle=False).
# Meets whoever sets the first view of a map, or a STAC bbox, by it: take the shortest arc that holds all longitudes
# (sort them and leave out the widest gap). Versions: antimeridian 0.4.9, shapely 2.1 or later, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check antimeridian==0.4.9
env/bin/python - <<'END'
import sys

import antimeridian
from shapely import MultiPolygon, Polygon, box

mainland, chatham = box(166.4, -47.3, 178.6, -34.4), box(-176.9, -44.5, -176.1, -43.6)
apart = antimeridian.bbox(MultiPolygon([mainland, chatham]))
touching = antimeridian.bbox(MultiPolygon([mainland, box(179, -44, 180, -43), chatham]))
square = Polygon([(170, 50), (-170, 50), (-170, 60), (170, 60)])
bent = antimeridian.fix_polygon(square).bounds[3]
straight = antimeridian.fix_polygon(square, great_circle=False).bounds[3]
print(f"two islands, none touches 180:  {apart} ({apart[2] - apart[0]:.1f} degrees wide)")
print(f"with a third that touches it:   {touching}, where the mainland begins at {mainland.bounds[0]}")
print(f"a box up to 60 N, cut at 180:   up to {bent:.2f} N; with great_circle=False {straight:.2f} N")
if apart != [-176.9, -47.3, 178.6, -34.4] or touching != [179.0, -47.3, -176.1, -34.4]:
    sys.exit("This has changed.")
if (round(bent, 2), round(straight, 2)) != (60.38, 60.0):
    sys.exit("This has changed.")
END
