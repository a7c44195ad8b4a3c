"""A small market whose every text tries to break out of the page."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import shapely

from territory import snapshot
from territory.targeting import Targets
from webmap.held import Names

TEXTS = (
    "<img src=x onerror=\"document.title='broken'\">",
    "</script><script>document.title='broken'</script>",
    "${document.title='broken'}`+(document.title='broken')+`",
    "{{7*7}}{% raw %}\"'--><svg onload=\"document.title='broken'\">",
    "\u202eevil\u0000 \u2028 M\u00e9xico & Co. <b>",
)
CHICAGO = (-87.6298, 41.8781)


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
