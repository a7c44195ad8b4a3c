"""Findings: their codes, severities and remedies, and findings counted as N of M.

``checks`` looks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.schemas import ANY_SEGMENT, FINDINGS, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = (*FINDINGS.columns, "market_id")
OPEN = ("error", "warning")  # severities somebody has to act on; a note is for information only


@dataclass(frozen=True)
class Code:
    """What all findings of one code have in common; ``title`` follows "3 of 20 offices"."""

    severity: str
    subject_kind: str
    title: str
    remedy: str


CODES = {
    "unplaced": Code(
        "warning",
        "prospect",
        "without a location",
        "Add a ZIP code, a city and state, or coordinates.",
    ),
    "outside_every_market": Code(
        "note",
        "prospect",
        "outside every market",
        "Add its county to a market, or make it a named account.",
    ),
    "two_markets": Code(
        "warning",
        "prospect",
        "in two markets",
        "Remove the shared area from one of the markets.",
    ),
    "beyond_radius": Code(
        "note",
        "prospect",
        "beyond the radius of every office",
        "No action needed unless reps must be near the account.",
    ),
    "too_coarse": Code(
        "warning",
        "prospect",
        "too close to call",
        "Add a street address or set a pin.",
    ),
    "office_unplaced": Code(
        "error",
        "office",
        "without a location",
        "Add latitude and longitude, or an address with a valid ZIP code.",
    ),
    "markets_overlap": Code(
        "warning",
        "market",
        "overlapping another",
        "Remove the shared units from one of the markets.",
    ),
    "zip_codes_shared": Code(
        "warning",
        "market",
        "sharing ZIP codes with another",
        "Remove these ZIP codes from one of the markets.",
    ),
    "segment_covered_twice": Code(
        "warning",
        "market",
        "with a segment that two territories cover",
        "Keep the segment in one territory only.",
    ),
    "market_without_territory": Code(
        "error",
        "market",
        "without a territory",
        "Add a territory for this market and import territories again.",
    ),
    "market_without_rep": Code(
        "error",
        "market",
        "without a rep",
        "Assign a rep to one of its territories and import territories again.",
    ),
    "segments_without_territory": Code(
        "warning",
        "market",
        "with segments that no territory covers",
        f"Add a territory for these segments, or one with segment {ANY_SEGMENT!r} for all.",
    ),
    "territory_without_rep": Code(
        "error",
        "territory",
        "without a rep",
        "Assign a rep and import territories again.",
    ),
    "territory_unknown_rep": Code(
        "error",
        "territory",
        "with a rep who is not in your data",
        "Import the rep, or correct the rep id.",
    ),
    "rep_without_base_office": Code(
        "warning",
        "rep",
        "without a base office",
        "Add a base office and import reps again.",
    ),
    "rep_unknown_base_office": Code(
        "error",
        "rep",
        "with a base office that is not in your data",
        "Import the office, or correct the office id.",
    ),
    "account_unknown_owner": Code(
        "warning",
        "prospect",
        "with an owner who is not a rep",
        "Import the rep, or correct the owner in the CRM and import prospects again.",
    ),
    "named_account_unknown_prospect": Code(
        "error",
        "prospect",
        "on the list of named accounts but not in your data",
        "Import the prospect, or remove it from the list of named accounts.",
    ),
}


def report(
    code: str, ids: pd.Series, message: list[str], market_id: pd.Series | None = None
) -> pd.DataFrame:
    """One finding per subject; a market is in its own market."""
    definition = CODES[code]
    where = ids if definition.subject_kind == "market" else market_id
    return pd.DataFrame(
        {
            "code": code,
            "severity": definition.severity,
            "subject_kind": definition.subject_kind,
            "subject_id": ids.to_numpy(object),
            "message": message,
            "remedy": definition.remedy,
            "market_id": [None] * len(ids) if where is None else where.to_numpy(object),
        },
        columns=list(COLUMNS),
        dtype=object,
    )


def sum_up(findings: pd.DataFrame, sizes: Mapping[str, int]) -> pd.DataFrame:
    """Count findings by code, as N of M.

    Returns
    -------
    sums
        code, severity, subject_kind, found, of, title ("12 of 1,514 prospects outside every
        market"), most severe first, then in the order in which the codes come.
    """
    counted = (
        findings.groupby(["code", "severity", "subject_kind"], sort=False)
        .size()
        .rename("found")
        .reset_index()
    )
    counted["of"] = counted["subject_kind"].map(dict(sizes)).astype(int)
    plural = {"territory": "territories"}
    counted["title"] = [
        f"{n:,} of {m:,} {plural.get(kind, kind + 's')} {CODES[code].title}"
        for n, m, kind, code in zip(
            counted["found"], counted["of"], counted["subject_kind"], counted["code"], strict=True
        )
    ]
    counted["order"] = counted["severity"].map(SEVERITIES.index)
    ordered = counted.sort_values("order", kind="stable", ignore_index=True)
    return ordered.drop(columns="order")
