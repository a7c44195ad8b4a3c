#!/usr/bin/env bash
# `geopy.Point` finds coordinates inside a text and drops the rest without a word. Degrees and minutes that are parted by
# blanks, "41 30 N 81 0 W" (41.5 north, 81 west), come out as 81 north, 0 east; decimal commas, "41,5 81,5", as 81 north,
# 5 east; and "41.5 N -81 W" lies in Kyrgyzstan, because two signs for west make east. With degree signs, or with one
# sign for west, the same places are read right. No error, no warning: all three are latitudes and longitudes.
# Meets whoever lets geopy read coordinates that people typed: check the text against a form of your own first.
# Versions: geopy 2.5.0, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check geopy==2.5.0
env/bin/python - <<'END'
import sys
import warnings

from geopy.point import Point

warnings.simplefilter("error")
EXPECTED = {
    "41°30'N 81°0'W": (41.5, -81.0),
    "41.5 N 81 W": (41.5, -81.0),
    "41 30 N 81 0 W": (81.0, 0.0),
    "41,5 81,5": (81.0, 5.0),
    "41.5 N -81 W": (41.5, 81.0),
}
read = {text: tuple(Point(text))[:2] for text in EXPECTED}
for text, (lat, lon) in read.items():
    print(f"{text!r:20} read as latitude {lat}, longitude {lon}")
if read != EXPECTED:
    sys.exit("This has changed.")
END
