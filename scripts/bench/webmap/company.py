"""The company that ``webmap.py`` measures with: drawn prospects at real ZIP codes, in a real store.

Six files go through ``workflow.import_file`` and ``workflow.assign`` as a person's own would. There
is one market, of the 48 states of the mainland and the District, so that its page holds every
prospect; a rep owns each segment, and an office stands in each of the fifty metro areas with the
most ZIP codes.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory import imports, plans
from territory.access import users
from territory.policy import SEGMENTS
from territory.prospects import build, fields, snapshot
from territory.store import open_store

if TYPE_CHECKING:
    from datetime import datetime

ROOT = Path(__file__).resolve().parents[3]
EVERYWHERE = "M-ALL"
FEW = 100_000  # prospects of the store behind a snapshot of ten million
PEOPLE = 17  # who looks at the pages: a browser, and sixteen clients at once
BY = "bench"
STATUSES = {"prospect": 0.7, "customer": 0.2, "former": 0.06, "disqualified": 0.04}
INDUSTRIES = (
    "Software", "Banking", "Insurance", "Health care", "Retail", "Logistics", "Manufacturing",
    "Energy", "Construction", "Education", "Media", "Telecommunications", "Chemicals", "Food",
    "Real estate", "Consulting", "Aerospace", "Agriculture", "Hospitality", "Mining",
)  # fmt: skip

STAGES = ("Qualified", "Discovery", "Proposal", "Negotiation")
FIRST = ("Blue", "North", "Summit", "Cedar", "Iron", "Silver", "Harbor", "Prairie", "Granite",
         "Copper", "Maple", "Canyon", "River", "Pioneer", "Liberty", "Evergreen")  # fmt: skip
SECOND = ("Freight", "Systems", "Foods", "Health", "Steel", "Energy", "Supply", "Labs", "Partners",
          "Works", "Capital", "Networks", "Tools", "Motors", "Paper", "Data")  # fmt: skip
NOT_MAINLAND = ("AK", "HI", "PR", "VI", "GU", "MP", "AS", "AA", "AE", "AP", "FM", "MH", "PW")


@dataclass(frozen=True)
class Company:
    """A store with a plan in force: where it lies, and what it took to make it."""

    folder: Path
    prospects: int
    import_s: float
    assign_s: float

    @property
    def url(self) -> str:
        """The address of the store."""
        return f"sqlite:///{self.folder}/store.sqlite"

    @property
    def var(self) -> Path:
        """Where the app keeps snapshots and tiles."""
        return self.folder / "var"


def mainland_zips() -> pd.DataFrame:
    """Read the ZIP codes of the mainland: code, lon, lat (WGS84), city, state, metro area."""
    zips = pd.read_parquet(ROOT / "data" / "zip_codes.parquet")
    return zips[~zips["state_code"].isin(NOT_MAINLAND)].reset_index(drop=True)


def draw_prospects(zips: pd.DataFrame, size: int, seed: int = 2026) -> pd.DataFrame:
    """Draw prospects as a CRM exports them: some ZIP codes hold many, one in nine shares a point.

    Coordinates are within about 2 km of the point of the ZIP code.
    """
    rng = np.random.default_rng(seed)
    weight = rng.lognormal(0.0, 1.5, len(zips))
    at = rng.choice(len(zips), size, p=weight / weight.sum())
    spread = np.where(rng.random((size, 1)) < 0.11, 0.0, rng.normal(0, 0.008, (size, 2)))
    employees = np.clip(rng.lognormal(4.0, 1.7, size), 1, 500_000).astype(int)
    numbers = np.arange(1, size + 1)
    names = np.char.add(
        np.char.add(rng.choice(FIRST, size), " "), np.char.add(rng.choice(SECOND, size), " ")
    )
    return pd.DataFrame(
        {
            "prospect_id": np.char.add("P", numbers.astype(str)),
            "name": np.char.add(names, numbers.astype(str)),
            "status": rng.choice(list(STATUSES), size, p=list(STATUSES.values())),
            "city": zips["city"].to_numpy()[at],
            "state": zips["state_code"].to_numpy()[at],
            "postal_code": zips["zip_code"].to_numpy()[at],
            "country": "US",
            "lat": np.round(zips["lat"].to_numpy()[at] + spread[:, 0], 5),
            "lon": np.round(zips["lon"].to_numpy()[at] + spread[:, 1], 5),
            "industry": rng.choice(INDUSTRIES, size),
            "employees": employees,
            "revenue_usd": (employees * rng.lognormal(12.0, 0.6, size)).round(-3).astype(np.int64),
        }
    )


def draw_opportunities(prospects: pd.DataFrame, now: datetime, seed: int = 7) -> pd.DataFrame:
    """Draw an open opportunity for one prospect in five."""
    rng = np.random.default_rng(seed)
    some = prospects["prospect_id"].to_numpy()[rng.random(len(prospects)) < 0.2]
    days = [(now - timedelta(days=day)).date().isoformat() for day in range(400)]
    return pd.DataFrame(
        {
            "opportunity_id": np.char.add("O", some.astype(str)),
            "prospect_id": some,
            "name": "Managed network",
            "stage": rng.choice(STAGES, len(some)),
            "amount_usd": rng.lognormal(11, 1, len(some)).round(-2),
            "close_on": (now + timedelta(days=90)).date().isoformat(),
            "last_activity_on": rng.choice(days, len(some)),
        }
    )


def tables(size: int, now: datetime) -> dict[str, pd.DataFrame]:
    """Make the files of the company, in the order they are imported in."""
    zips = mainland_zips()
    metros = zips["cbsa_code"].value_counts().index[:50]
    towns = zips[zips["cbsa_code"].isin(metros)].drop_duplicates("cbsa_code")
    towns = towns.sort_values("cbsa_code").reset_index(drop=True)
    prospects = draw_prospects(zips, size)
    return {
        "offices": pd.DataFrame(
            {
                "office_id": towns["cbsa_code"],
                "name": towns["city"],
                "lat": towns["lat"],
                "lon": towns["lon"],
            }
        ),
        "reps": pd.DataFrame(
            {
                "rep_id": [f"R-{segment}" for segment in SEGMENTS],
                "name": [f"Rep of {segment}" for segment in SEGMENTS],
                "base_office_id": towns["cbsa_code"][: len(SEGMENTS)],
            }
        ),
        "markets": pd.DataFrame(
            {
                "market_id": [EVERYWHERE],
                "name": ["Mainland"],
                "kind": ["state"],
                "units": ["|".join(sorted(zips["state_code"].unique()))],
            }
        ),
        "territories": pd.DataFrame(
            {
                "territory_id": [f"T-{segment}" for segment in SEGMENTS],
                "name": [f"Mainland {segment}" for segment in SEGMENTS],
                "rep_id": [f"R-{segment}" for segment in SEGMENTS],
                "market_id": EVERYWHERE,
                "segment": SEGMENTS,
            }
        ),
        "prospects": prospects,
        "opportunities": draw_opportunities(prospects, now),
    }


def make(folder: Path, size: int, now: datetime) -> Company:
    """Import, assign and publish a company of so many prospects into a new store in a folder.

    Raises
    ------
    SystemExit
        If a row of the drawn files is refused: the bench would measure something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    company = Company(folder, size, 0.0, 0.0)
    with open_store(company.url) as store:
        started = time.perf_counter()
        for kind, rows in tables(size, now).items():
            path = folder / f"{kind}.csv"
            rows.to_csv(path, index=False)
            report = imports.import_file(store, kind, path, by=BY, now=now)
            if not report.refused.empty:
                raise SystemExit(f"{kind}: {report.refused.head(3).to_string()}")
            path.unlink()
        imported = time.perf_counter()
        plans.assign(store, published_by=BY, now=now)
        done = time.perf_counter()
        for number in range(PEOPLE):
            users.add_user(
                store,
                f"ops{number}@bench.invalid",
                name=f"Ops {number}",
                roles={"ops"},
                by=BY,
                now=now,
            )
    return replace(company, import_s=imported - started, assign_s=done - imported)


def make_most(folder: Path, size: int, now: datetime) -> Company:
    """Make a company whose snapshot alone holds so many; the store behind it has a few of them.

    Page, list, filters and map read the snapshot, so they are what they would be; the card of a
    prospect would not be.
    """
    few = make(folder, FEW, now)
    today = now.date().isoformat()
    with open_store(few.url) as store:
        kept = build.ready(store, few.var / "snapshots", today)
    if kept is None:
        raise SystemExit("No plan was published.")
    many = snapshot.build(_multiplied(kept, size), kept.stamp)
    shutil.rmtree(few.var / "snapshots" / kept.stamp)
    snapshot.save(many, few.var / "snapshots" / kept.stamp)
    return replace(few, prospects=size)


def _multiplied(kept: snapshot.Snapshot, size: int) -> pd.DataFrame:
    """Draw ``SNAPSHOT_COLUMNS`` of many from those of few, each at a place of its own near by."""
    rng = np.random.default_rng(10)
    of = rng.integers(0, kept.placed, size)
    numbers = pd.Series(np.arange(size)).astype(str)
    days = pd.Series(kept.column["touched"][of].astype("datetime64[D]")).dt.strftime("%Y-%m-%d")
    some = {
        name: pd.Series(np.array([None, *kept.labels[name]], object)[kept.column[name][of]])
        for name in fields.CHOICES
    }
    made = {
        "prospect_id": "P" + numbers,
        "name": pd.Series(rng.choice(FIRST, size)) + " " + pd.Series(rng.choice(SECOND, size)),
        "lon": kept.column["lon"][of] + rng.normal(0, 0.05, size),
        "lat": kept.column["lat"][of] + rng.normal(0, 0.05, size),
        **some,
        **{name: kept.column[name][of].astype(float) for name in fields.NUMBERS},
        "last_activity_on": days.where(kept.column["touched"][of] > 0, None),
        **{name: kept.column[name][of] for name in fields.FLAGS},
    }
    return pd.DataFrame(made)[list(fields.SNAPSHOT_COLUMNS)]
