"""A small market whose every text tries to break out of the page."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from territory import snapshot, workflow
from territory.targeting import Targets
from webmap.held import Names

if TYPE_CHECKING:
    from pathlib import Path

    from territory.store import Store

TEXTS = (
    "<img src=x onerror=\"document.title='broken'\">",
    "</script><script>document.title='broken'</script>",
    "${document.title='broken'}`+(document.title='broken')+`",
    "{{7*7}}{% raw %}\"'--><svg onload=\"document.title='broken'\">",
    "\u202eevil\u0000 \u2028 M\u00e9xico & Co. <b>",
)
COMMANDS = ("=cmd|'/c calc'!A1", "@SUM(1)", "+1+cmd", "\t=1")
NAMES = tuple(text.replace("\0", "") for text in (*TEXTS, *COMMANDS))
CHICAGO = (-87.6298, 41.8781)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def market_view(name: str = "Chicago", texts: list[str] | tuple[str, ...] = TEXTS):
    """Sixty prospects round one office: a crowd downtown, three on a point, two without a place."""
    rng = np.random.default_rng(7)
    count = 60
    lon, lat = (c + rng.normal(0, 0.25, count) for c in CHICAGO)
    lon[:20], lat[:20] = (c + rng.normal(0, 0.004, 20) for c in CHICAGO)
    lon[20:23], lat[20:23] = -88.2, 41.6
    lon[58:], lat[58:] = np.nan, np.nan
    placed = ~np.isnan(lon)
    text = [texts[row % len(texts)] for row in range(count)]
    distance = np.hypot((lon - CHICAGO[0]) * 51.6, (lat - CHICAGO[1]) * 69)
    prospects = pd.DataFrame(
        {
            "prospect_id": [f"p{row}" for row in range(count)],
            "name": text,
            "lon": lon,
            "lat": lat,
            "status": ["prospect", "customer", "former", "prospect"] * (count // 4),
            "segment": ["enterprise", "mid_market", "small", "unknown", "small"] * (count // 5),
            "stage": [text[row] if row % 4 == 3 else None for row in range(count)],
            "street": text,
            "city": text,
            "state": "IL",
            "distance_mi": distance,
            "verdict": np.where(placed, np.where(distance <= 50, "in", "out"), None),
            "precision": np.where(placed, "postal", None),
            "uncertainty_mi": np.where(placed, 3.2, np.nan),
            "nearest_office_name": [texts[-1] if here else None for here in placed],
            "rep_name": text,
        }
    )  # fmt: skip
    offices = pd.DataFrame(
        {"office_id": ["CHI"], "name": [texts[0]], "lon": [CHICAGO[0]], "lat": [CHICAGO[1]]}
    )
    return SimpleNamespace(
        market_id="M", name=name, geometry=shapely.Point(CHICAGO).buffer(0.9, quad_segs=16),
        prospects=prospects, offices=offices,
    )  # fmt: skip


def held(view: SimpleNamespace) -> tuple[Targets, Names]:
    """Hold the prospects of a market as the app does."""
    rows = view.prospects.assign(
        nearest_office_id=["CHI" if here else None for here in view.prospects["verdict"].notna()],
        rep_id=view.prospects["rep_name"], industry=view.prospects["name"], market_id="M",
        placement="placed", territory_id=None, employees=10.0, revenue_usd=1.0, pipeline_usd=0.0,
        score=1.0, last_activity_on=None, has_contacts=False, is_multi_site=False,
        has_findings=False,
    )  # fmt: skip
    names = Names({}, {"CHI": TEXTS[-1]}, 50 * 1609.344)
    return Targets(snapshot.build(rows[list(snapshot.COLUMNS)], "hostile")), names


def bring(store: Store, folder: Path) -> None:
    """Import a company in which every text breaks out, and publish its plan.

    Half of the prospects have coordinates, the others only a hostile city; two and two are alike.
    """
    numbered = list(enumerate(NAMES))
    tables = {
        "offices": [["office_id", "name", "lat", "lon"], ["o", NAMES[0], 41.8781, -87.6298]],
        "reps": [
            ["rep_id", "name", "base_office_id"],
            *([f"r{n}", NAMES[n + 1], "o"] for n in range(3)),
        ],
        "markets": [["market_id", "name", "kind", "units"], ["m", NAMES[0], "state", "IL"]],
        "territories": [
            ["territory_id", "name", "rep_id", "market_id", "segment"],
            *([f"t{n}", NAMES[n], f"r{n}", "m", one]
              for n, one in enumerate(("enterprise", "mid_market", "any"))),
        ],
        "prospects": [
            ["prospect_id", "name", "status", "street", "city", "state", "website", "industry",
             "employees", "lat", "lon"],
            *([f"p{n}", name, "customer", name, "Chicago", "IL", "javascript:alert(1)", name,
               10 ** (n % 5), 41.8781 + n / 1000, -87.6298] for n, name in numbered),
            *([f"q{n}", name, "prospect", name, name, "IL", name, name, "", "", ""]
              for n, name in numbered),
            *([f"twin{n}", name, "prospect", name, "Chicago", "IL", "", name, 5,
               41.8781 + n / 1000, -87.6298] for n, name in numbered),
        ],
        "contacts": [
            ["contact_id", "prospect_id", "name", "title", "phone", "email"],
            *([f"c{n}", f"p{n}", name, name, name, name] for n, name in numbered),
        ],
        "sites": [
            ["site_id", "prospect_id", "name", "city", "state"],
            *([f"s{n}", "p0", name, name, "IL"] for n, name in numbered),
        ],
        "opportunities": [
            ["opportunity_id", "prospect_id", "name", "stage", "amount_usd"],
            *([f"d{n}", f"p{n}", name, name, 1000 * n] for n, name in numbered),
        ],
        "quotas": [["rep_id", "period", "amount_usd"], *([r, "2026", 9] for r in ("r0", "r1"))],
        "named_accounts": [["prospect_id", "territory_id"], ["q0", "t1"]],
    }  # fmt: skip
    for kind, rows in tables.items():
        path = folder / f"{kind}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        workflow.import_file(store, kind, path, by=NAMES[0], now=NOW)
    workflow.assign(store, published_by=NAMES[0], name=NAMES[1], now=NOW)
