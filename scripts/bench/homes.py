"""Where people live against "by ZIP code": how often a confident verdict about a home is wrong.

A million real addresses with coordinates (OpenAddresses, Overture Maps and NH GRANIT, about forty a
ZIP code, in the package random-address-extended) are decided by their ZIP code alone, or by city
and state alone, and held against the verdict of their own coordinates. An address counts for as
many people as live in its ZIP code, divided by the addresses there are of it. What the addresses
are not: a sample of homes alone (shops and offices have addresses too), and free of slips (a wrong
ZIP code in the source counts as a wrong verdict here; nothing is left out for being far away).

    python scripts/bench/homes.py            # tables
    python scripts/bench/homes.py --json
    python scripts/bench/homes.py --sample tests/fixtures/cases/home_addresses.csv
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]


import numpy as np
import pandas as pd

from scripts.bench import measure
from scripts.data.sources import Archives, Source
from scripts.data.zip_codes import zip_areas
from territory.eligibility.decision import decide
from territory.eligibility.desk import place, read_offices
from territory.eligibility.rules import Criterion, EligibilityPolicy
from territory.geodesy import OfficeIndex, inverse
from territory.units_of_length import METRES_PER_MILE

ADDRESSES = Source(
    "PyPI", "random-address-extended", "1.3.2",
    "25167096fb146b1ff1c804c2b5c2f19ae7c86ceda1ba6cb6069aa03e3ff1ff44",
    "MIT; data of OpenAddresses, Overture Maps and NH GRANIT by their own open licences",
    "Real addresses of all states with ZIP code and coordinates; 2026",
)  # fmt: skip
OFFICES = ROOT / "data" / "demo" / "offices.csv"
DAY = "2026-11-23"
LIMITS = (50.0, 25.0, 100.0)  # miles
MOST_WRONG = 0.005
SAMPLED = 3_000
BY = {
    "ZIP code": ["postal_code"],
    "ZIP code and state": ["postal_code", "state"],
    "city and state": ["city", "state"],
}
_QUERY = """
select p.code as postal_code, c.name as city, s.code as state, a.lat_e7 / 1e7 as lat,
       a.lng_e7 / 1e7 as lon
from addresses a join postal_codes p on p.id = a.postal_code_id
join states s on s.id = a.state_id join cities c on c.id = a.city_id order by a.id
"""


def addresses(archives: Archives) -> pd.DataFrame:
    """Every address: postal_code, city, state, lat, lon, and people it stands for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "addresses.sqlite"
        path.write_bytes(archives.content(ADDRESSES, "random_address/addresses-us-all.sqlite"))
        connection = sqlite3.connect(path)
        table = pd.read_sql(_QUERY, connection)
        connection.close()
    people = table["postal_code"].map(zip_areas(archives)["population"]).fillna(0.0)
    return table.assign(people=people / table.groupby("postal_code")["lat"].transform("size"))


def verdicts(homes: pd.DataFrame, limit: float) -> np.ndarray:
    """What the desk says of each home."""
    policy = EligibilityPolicy("rule", "1", "2000-01-01", any_of=(Criterion(limit),))
    decisions = decide(homes, read_offices(OFFICES), policy, on=DAY)
    told: np.ndarray = decisions["decision"].to_numpy(object)
    return told


def distance_m(table: pd.DataFrame) -> np.ndarray:
    """Metres from each address itself to the nearest office."""
    index = OfficeIndex.from_frame(read_offices(OFFICES))
    near = index.nearest(table["lon"].to_numpy(), table["lat"].to_numpy(), count=False, exact=True)
    return near.distance_m


def figures(table: pd.DataFrame) -> dict[str, measure.Figures]:
    """Shares of people, in per cent, for each way to say where somebody lives and each limit."""
    people, metres = table["people"].to_numpy(), distance_m(table)
    rows: dict[str, measure.Figures] = {}
    for name, columns in BY.items():
        distinct = table[columns].drop_duplicates()
        which = pd.MultiIndex.from_frame(distinct).get_indexer_for(
            pd.MultiIndex.from_frame(table[columns])
        )
        homes = place(distinct.astype(object)).reset_index(drop=True)
        of = homes.iloc[which]
        is_known = of["lon"].notna().to_numpy()
        apart = np.full(len(table), np.nan)
        apart[is_known] = inverse(
            *of.loc[is_known, ["lon", "lat"]].to_numpy().T,
            *table.loc[is_known, ["lon", "lat"]].to_numpy().T,
        )
        is_within = apart <= of["uncertainty_m"].to_numpy()
        for limit in LIMITS:
            told = verdicts(homes, limit)[which]
            sure = np.isin(told, ("eligible", "not eligible"))
            is_wrong = sure & ((told == "eligible") != (metres <= limit * METRES_PER_MILE))
            near = np.abs(metres / METRES_PER_MILE / limit - 1) <= 0.5

            def share(of: np.ndarray, among: np.ndarray) -> float:
                return float(100 * people[of & among].sum() / people[among].sum())

            rows[f"{name}, {limit:g} miles"] = {
                "confident": share(sure, np.ones(len(sure), bool)),
                "review": share(told == "needs review", np.ones(len(sure), bool)),
                "no_answer": share(told == "cannot decide", np.ones(len(sure), bool)),
                "wrong_of_confident": share(is_wrong, sure),
                "wrong_of_confident_near": share(is_wrong, sure & near),
                "within_radius": share(is_within, is_known),
                "addresses_wrong": int(is_wrong.sum()),
            }
    return rows


def write_sample(table: pd.DataFrame, path: Path) -> None:
    """Write a sample: ZIP code, coordinates and how it was drawn.

    "people": by how many people each address stands for, all over the country. "line": one address
    of each ZIP code within 4 miles of a limit.
    """
    metres = distance_m(table) / METRES_PER_MILE
    near = np.min([np.abs(metres - limit) for limit in LIMITS], axis=0) <= 4
    people = table.sample(SAMPLED, weights=table["people"], random_state=20261201)
    line = table[near & (table["people"] > 0)].sample(frac=1.0, random_state=20261201)
    both = pd.concat(
        [people.assign(drawn="people"), line.drop_duplicates("postal_code").assign(drawn="line")]
    ).sort_values(["drawn", "postal_code"])
    both[["postal_code", "lat", "lon", "drawn"]].round(5).to_csv(path, index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="keep the fetched packages in this folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sample", type=Path, help="write the sample of the tests and stop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        table = addresses(Archives((options.cache or Path(scratch)).resolve()))
    if options.sample:
        write_sample(table, options.sample)
        return
    rows = figures(table)
    if options.json:
        print(json.dumps({"addresses": len(table), "figures": rows}, indent=1))
    else:
        print(f"{len(table):,} addresses; per cent of the people they stand for")
        measure.table(rows)
    worst = max(each["wrong_of_confident"] for name, each in rows.items() if "ZIP" in name)
    sys.exit(int(worst >= 100 * MOST_WRONG))


if __name__ == "__main__":
    main()
