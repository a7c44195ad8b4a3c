#!/usr/bin/env python3
"""Likely duplicates: how many of those planted are found, how many pairs are false, and how fast.

    scripts/bench/imports/duplicates.py              100,000 invented companies, 3,000 of them twice
    scripts/bench/imports/duplicates.py 1000000        as many as you like
    scripts/bench/imports/duplicates.py --files DIR    the pairs in the real files of DIR

Companies get names made of words of ``NAMES`` and stand in real ZIP codes, so that many share
words, places and now and then a whole name. A planted duplicate is written as another person would:
other legal form, case, punctuation, abbreviation, a slip of the pen, its city and no ZIP code.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]

import numpy as np
import pandas as pd

from territory import reference
from territory.accounts import matching
from territory.files import read_table
from territory.geocoding import Gazetteer, geocode
from territory.imports import read_rows
from territory.policy import Policy
from territory.schemas import GEOCODE

FILES = (
    "fortune500_hifld.csv", "universities_ipeds_hd2020.csv", "listed_companies_financedatabase.csv",
)  # fmt: skip
NAMES = (
    "Acme", "Alder", "Allied", "Alpine", "Amber", "Anchor", "Apex", "Arrow", "Aspen", "Atlas",
    "Aurora", "Beacon", "Birch", "Blue", "Bright", "Cedar", "Central", "Century", "Citizens",
    "Clear", "Coastal", "Cobalt", "Copper", "Coral", "Crescent", "Crown", "Crystal", "Delta",
    "Diamond", "Eagle", "Eastern", "Edge", "Elm", "Ember", "Empire", "Evergreen", "Falcon",
    "First", "Frontier", "Gateway", "Golden", "Granite", "Great", "Harbor", "Heritage",
    "Highland", "Horizon", "Iron", "Keystone", "Lakeside", "Legacy", "Liberty", "Lincoln",
    "Maple", "Meridian", "Metro", "Midwest", "Mountain", "National", "New", "Noble", "Northern",
    "Oak", "Ocean", "Olympic", "Orchid", "Pacific", "Peak", "Pine", "Pioneer", "Premier",
    "Prime", "Quality", "Rapid", "Red", "Regal", "River", "Rock", "Royal", "Sierra", "Silver",
    "Southern", "Spring", "Star", "Sterling", "Stone", "Summit", "Sun", "Superior", "Titan",
    "Tri", "Union", "United", "Valley", "Vista", "West",
)  # fmt: skip
TRADES = (
    "Foods", "Logistics", "Manufacturing", "Partners", "Systems", "Software", "Health",
    "Dental", "Plumbing", "Roofing", "Bank", "Insurance", "Realty", "Construction", "Electric",
    "Engineering", "Consulting", "Motors", "Supply", "Tools", "Plastics", "Packaging",
    "Printing", "Media", "Energy", "Farms", "Trucking", "Aviation", "Marine", "Textiles",
    "Pharmaceuticals", "Labs",
)  # fmt: skip
FORMS = ("", " Inc", ", Inc.", " LLC", " Corp", " Corporation", " Co.", " Company", " Ltd")
SLIPS = ("suffix", "case", "punctuation", "abbreviation", "letter", "swap", "city", "no location")


def main() -> None:
    """Parse the command line and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("companies", nargs="?", type=int, default=100_000)
    parser.add_argument("--files", type=Path, metavar="DIR", help="folder of the real files")
    options = parser.parse_args()
    if options.files:
        read_files(options.files)
        return
    rows, planted = invented(options.companies, np.random.default_rng(3))
    started, cpu = time.perf_counter(), time.process_time()
    pairs = matching.likely(rows)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(rows):,} prospects: {len(pairs):,} pairs in {wall:.1f} s ({cpu:.1f} s cpu), "
          f"peak {peak:,.0f} MB")  # fmt: skip
    found = set(zip(pairs["first_id"], pairs["second_id"], strict=True))
    for slip, group in planted.groupby("slip", sort=False):
        hit = sum(pair in found for pair in zip(group["first_id"], group["second_id"], strict=True))
        print(f"  {slip:<13} {hit:>5,} of {len(group):>5,} found ({hit / len(group):.1%})")
    true = set(zip(planted["first_id"], planted["second_id"], strict=True))
    other = pairs[[pair not in true for pair in zip(pairs["first_id"], pairs["second_id"])]]  # noqa: B905
    print(f"  {len(other):,} pairs that were not planted; the first of them:")
    names = rows.set_index("prospect_id")["name"]
    for one, two, evidence in other[["first_id", "second_id", "evidence"]].head(10).to_numpy():
        print(f"    {names[one]} / {names[two]}: {evidence}")


def invented(size: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prospects of which 3 in 100 are there twice, and those pairs with the slip of each."""
    places = reference.load().zip_codes
    at = rng.integers(0, len(places), size)
    surnames = np.array(sorted(set(places["city"].dropna())))
    words = [rng.choice(NAMES, size), rng.choice(surnames, size), rng.choice(TRADES, size)]
    base = pd.Series(words[0]) + " " + words[1] + " " + words[2]
    rows = pd.DataFrame(
        {
            "prospect_id": [f"p{number:07}" for number in range(size)],
            "name": base + rng.choice(FORMS, size),
            "website": None,
            "street": None,
            "city": places["city"].to_numpy()[at],
            "state": places["state_code"].to_numpy()[at],
            "postal_code": places["zip_code"].to_numpy()[at],
            "country": "US",
            "parent_id": None,
            "lon": places["lon"].to_numpy()[at],
            "lat": places["lat"].to_numpy()[at],
            "uncertainty_m": places["uncertainty_m"].to_numpy()[at],
        }
    )
    twice = rng.choice(size, size * 3 // 100, replace=False)
    copies = rows.iloc[twice].copy().reset_index(drop=True)
    slips = pd.Series(rng.choice(SLIPS, len(copies)))
    copies["name"] = [
        misspelt(base.iloc[at], slip, rng) for at, slip in zip(twice, slips, strict=True)
    ]
    copies["prospect_id"] = [f"q{number:07}" for number in range(len(copies))]
    copies.loc[slips == "city", "postal_code"] = None
    nowhere = ["street", "city", "state", "postal_code", "lon", "lat", "uncertainty_m"]
    copies.loc[slips == "no location", nowhere] = None
    planted = pd.DataFrame(
        {
            "first_id": rows["prospect_id"].to_numpy()[twice],
            "second_id": copies["prospect_id"],
            "slip": slips,
        }
    )
    return pd.concat([rows, copies], ignore_index=True), planted


def misspelt(name: str, slip: str, rng: np.random.Generator) -> str:
    """Write a name as another person would."""
    words = name.split()
    if slip == "case":
        return name.upper()
    if slip == "punctuation":
        return f"The {words[0]}-{' '.join(words[1:])}, L.L.C."
    if slip == "abbreviation":
        return name.replace("Manufacturing", "Mfg").replace("Saint", "St.") + " Intl."
    if slip in ("letter", "swap"):
        longest = max(range(len(words)), key=lambda place: len(words[place]))
        word = words[longest]
        at = int(rng.integers(1, max(len(word) - 2, 2)))
        words[longest] = (
            word[:at] + word[at + 1 :]
            if slip == "letter"
            else word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        )
        return " ".join(words)
    return name + str(rng.choice(FORMS))


def read_files(folder: Path) -> None:
    """Print every pair proposed in the real files."""
    demo = ROOT / "data" / "demo" / "prospects.csv"
    gazetteer = Gazetteer(reference.load(), Policy().geocoding)
    for path in (demo, *(folder / name for name in FILES)):
        rows = read_rows("prospects", read_table(path)).rows.reset_index(drop=True)
        placed = geocode.place(rows, gazetteer, Policy())[list(GEOCODE.columns)]
        whole = pd.concat(
            [rows.drop(columns=["lat", "lon"]), placed.reset_index(drop=True)], axis=1
        )
        started = time.perf_counter()
        pairs = matching.likely(whole)
        seconds = time.perf_counter() - started
        print(f"{path.name}: {len(pairs):,} pairs of {len(rows):,} rows, {seconds:.1f} s")
        known = whole.set_index("prospect_id")
        for one, two, score, evidence in pairs[list(matching.COLUMNS[:4])].to_numpy():
            told = [f"{known.at[at, 'name']}, {known.at[at, 'city']}" for at in (one, two)]
            print(f"  {score:.2f} {told[0]} / {told[1]}: {evidence}")


if __name__ == "__main__":
    main()
