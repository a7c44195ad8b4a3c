"""Plan versions: what a plan is, what it counts, and when two are the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.policy import Policy, RadiusPolicy, ScorePolicy, SegmentPolicy, read_geocoding_record
from territory.schemas import COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAFT, PUBLISHED = "draft", "published"
_CHUNK = 50_000  # rows that are written out for the digest at a time


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
    document: dict[str, Any] = json.loads(text)
    readers: dict[str, Any] = {
        "radius": RadiusPolicy,
        "segments": SegmentPolicy,
        "geocoding": read_geocoding_record,
        "score": ScorePolicy,
    }
    parts = {name: reader(**document.pop(name, {})) for name, reader in readers.items()}
    return Policy(**{**document, "precedence": tuple(document["precedence"])}, **parts)


def count(assignments: pd.DataFrame, by: str) -> pd.DataFrame:
    """Count prospects by market_id, rep_id or nearest_office_id; null is a group of its own.

    Parameters
    ----------
    assignments
        ASSIGNMENTS with ``status`` and ``precision``; ``number``, if there is such a column, is how
        many prospects a row stands for.

    Returns
    -------
    counts
        ``by`` and ``COUNTS``, whole numbers. Sums over all rows are totals of the plan.
    """
    verdict, segment = assignments["verdict"], assignments["segment"]
    flags = pd.DataFrame(
        {
            "prospects": True,
            "placed": assignments["precision"].notna(),
            "enterprise": segment == "enterprise",
            "mid_market": segment == "mid_market",
            "customers": assignments["status"] == "customer",
            "within_radius": verdict == "in",
            "too_close": verdict == "too_close_to_call",
            "beyond_radius": verdict == "out",
            "unassigned": assignments["rep_id"].isna(),
        },
        index=assignments.index,
    )
    numbers = flags.mul(assignments["number"], axis=0) if "number" in assignments else flags
    return numbers.groupby(assignments[by], dropna=False).sum().astype(int).reset_index()


def with_counts(parts: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add ``COUNTS`` to the markets, reps and offices of a plan, and findings to the markets.

    A plan does not change, so its pages need not count again.
    """
    keys = {"markets": "market_id", "reps": "rep_id", "offices": "nearest_office_id"}
    counted = dict(parts)
    for part, by in keys.items():
        frame = parts[part]
        counts = count(parts["assignments"], by).dropna(subset=by).set_index(by)
        numbers = counts.reindex(frame[frame.columns[0]], fill_value=0).reset_index(drop=True)
        counted[part] = pd.concat([frame.reset_index(drop=True), numbers], axis=1)
    by_market = parts["findings"].groupby("market_id").size()
    ids = counted["markets"]["market_id"]
    counted["markets"]["findings"] = by_market.reindex(ids, fill_value=0).to_numpy(int)
    return counted


def totals(assignments: pd.DataFrame, findings: int) -> dict[str, int]:
    """Sum ``COUNTS`` over the whole plan; add unplaced, in_market, outside and findings.

    in_market + outside = prospects = placed + unplaced: the unplaced are outside every market too.
    """
    per_market = count(assignments, "market_id")
    whole = per_market[list(COUNTS)].sum()
    lost = int(per_market.loc[per_market["market_id"].isna(), "prospects"].sum())
    return {
        **{str(name): int(number) for name, number in whole.items()},
        "unplaced": int(whole["prospects"] - whole["placed"]),
        "in_market": int(whole["prospects"]) - lost,
        "outside": lost,
        "findings": findings,
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
            values = frame[column].astype(object).where(frame[column].notna(), None)
            whole.update(f"\x1e{column}\x1e".encode())
            for start in range(0, len(values), _CHUNK):  # all at once, a million reasons take 1 GB
                text = "\x1f".join(map(repr, values.iloc[start : start + _CHUNK].tolist()))
                whole.update(f"\x1f{text}".encode() if start else text.encode())
    return whole.hexdigest()
