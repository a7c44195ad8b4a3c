"""Plan versions: what a plan is, what it counts, and when two are the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.policy import GeocodingPolicy, Policy, RadiusPolicy, SegmentPolicy
from territory.schemas import UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAFT, PUBLISHED = "draft", "published"


@dataclass(frozen=True)
class PlanInfo:
    """One version of the plan. It never changes once its status is "published".

    ``effective_from`` is an ISO day, ``published_at`` ISO UTC. ``counts`` says how many prospects
    went where; ``digest`` is the same for two plans that were made of the same and say the same.
    """

    plan_id: str
    number: int
    name: str
    status: str
    effective_from: str
    published_at: str
    published_by: str
    policy: Policy
    counts: Mapping[str, float]
    digest: str


def policy_json(policy: Policy) -> str:
    """Write every setting of a policy as JSON, for the record of a plan."""
    return json.dumps(dataclasses.asdict(policy), sort_keys=True)


def read_policy_json(text: str) -> Policy:
    """Read what ``policy_json`` wrote; a setting that is newer than the record has its default."""
    told: dict[str, Any] = json.loads(text)
    rooms = {"radius": RadiusPolicy, "segments": SegmentPolicy, "geocoding": GeocodingPolicy}
    made = {name: kind(**told.pop(name, {})) for name, kind in rooms.items()}
    return Policy(**{**told, "precedence": tuple(told["precedence"])}, **made)


def count(assignments: pd.DataFrame) -> pd.DataFrame:
    """Count prospects per market, the null market being "outside every market".

    Parameters
    ----------
    assignments
        ASSIGNMENTS with ``status`` and ``precision``.

    Returns
    -------
    counts
        market_id and whole numbers: prospects, placed, enterprise, mid_market, customers,
        within_radius, too_close, beyond_radius, unassigned. Sums over all rows are totals of the
        plan; within_radius + too_close + beyond_radius = placed wherever there is an office.
    """
    verdict, segment = assignments["verdict"], assignments["segment"]
    flags = pd.DataFrame(
        {
            "market_id": assignments["market_id"],
            "prospects": 1,
            "placed": assignments["precision"].notna(),
            "enterprise": segment == "enterprise",
            "mid_market": segment == "mid_market",
            "customers": assignments["status"] == "customer",
            "within_radius": verdict == "in",
            "too_close": verdict == "too_close_to_call",
            "beyond_radius": verdict == "out",
            "unassigned": assignments["rule"] == UNASSIGNED,
        }
    )
    return flags.groupby("market_id", dropna=False).sum().astype(int).reset_index()


def totals(assignments: pd.DataFrame, findings: pd.DataFrame) -> dict[str, int]:
    """Sum ``count`` over the whole plan; add unplaced, in_market, outside and findings.

    in_market + outside = prospects = placed + unplaced: the unplaced are outside every market too.
    """
    per_market = count(assignments)
    whole = per_market.drop(columns="market_id").sum()
    outside = per_market[per_market["market_id"].isna()]
    lost = int(outside["prospects"].sum())
    return {
        **{str(name): int(number) for name, number in whole.items()},
        "unplaced": int(whole["prospects"] - whole["placed"]),
        "in_market": int(whole["prospects"]) - lost,
        "outside": lost,
        "findings": len(findings),
    }


def digest(policy: Policy, parts: Mapping[str, pd.DataFrame]) -> str:
    """Hash what a plan is made of and says; the order of the parts does not matter.

    Rows count in the order given. Numbers enter as Python writes them, so every bit counts.
    """
    whole = hashlib.sha256(policy_json(policy).encode())
    for name in sorted(parts):
        frame = parts[name]
        whole.update(f"\x1d{name}\x1d{len(frame)}".encode())
        for column in frame.columns:
            held = frame[column].astype(object).where(frame[column].notna(), None)
            whole.update(f"\x1e{column}\x1e".encode())
            whole.update("\x1f".join(map(repr, held.tolist())).encode())
    return whole.hexdigest()
