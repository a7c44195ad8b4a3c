#!/usr/bin/env bash
# A workbook that counts its days from 1904, as Excel for Mac long did and still offers, comes through GDAL (geopandas,
# pyogrio, QGIS) with every date four years and a day early, and durations beyond a day lose the day: 2026-11-02 is read
# as 2022-11-01, 30 hours as 6. openpyxl, calamine and polars read the same file right. All dates stay plausible.
# Meets whoever reads close dates or hire dates out of workbooks through the spatial stack instead of a spreadsheet
# reader. Versions: pyogrio 0.13.0 (GDAL 3.12.4), openpyxl 3.1.5, python-calamine 0.9.1, pandas 3.1.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check \
  geopandas==1.2.0 pyogrio==0.13.0 pandas==3.1.1 openpyxl==3.1.5 python-calamine==0.9.1
env/bin/python -W ignore - <<'END'
import datetime as dt
import sys

import openpyxl
import pandas as pd
import pyogrio
from openpyxl.utils.datetime import CALENDAR_MAC_1904

book = openpyxl.Workbook()
book.epoch = CALENDAR_MAC_1904
book.active.append(["close_on", "drive"])
book.active.append([dt.date(2026, 11, 2), dt.timedelta(hours=30)])
book.save("deals.xlsx")
read = {
    "openpyxl": pd.read_excel("deals.xlsx", engine="openpyxl"),
    "calamine": pd.read_excel("deals.xlsx", engine="calamine"),
    "GDAL": pyogrio.read_dataframe("deals.xlsx"),
}
days = {name: str(pd.Timestamp(frame["close_on"].iloc[0]).date()) for name, frame in read.items()}
hours = {name: str(frame["drive"].iloc[0]) for name, frame in read.items()}
for name in read:
    print(f"{name:9} close_on {days[name]}, drive {hours[name]}")
if days != {"openpyxl": "2026-11-02", "calamine": "2026-11-02", "GDAL": "2022-11-01"} or hours["GDAL"] != "06:00:00":
    sys.exit("This has changed.")
END
