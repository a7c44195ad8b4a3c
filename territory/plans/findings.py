"""Findings: their codes, severities and remedies, and findings counted as N of M.

``checks`` looks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.schemas import ANY_SEGMENT, FINDINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = (*FINDINGS.columns, "market_id")


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
        "Give a ZIP code, a city with its state, or coordinates.",
    ),
    "outside_every_market": Code(
        "note",
        "prospect",
        "outside every market",
        "Add its county to a market, or name it an account of a territory.",
    ),
    "two_markets": Code(
        "warning",
        "prospect",
        "in two markets",
        "Take the shared area out of one of the two markets.",
    ),
    "beyond_radius": Code(
        "note",
        "prospect",
        "beyond the radius of every office",
        "Open an office nearer by, or serve it from afar.",
    ),
    "too_coarse": Code(
        "warning",
        "prospect",
        "placed too coarsely to say",
        "Give its coordinates.",
    ),
    "office_unplaced": Code(
        "error",
        "office",
        "without a location",
        "Give its lat and lon, or an address whose ZIP code is known.",
    ),
    "markets_overlap": Code(
        "warning",
        "market",
        "overlapping another",
        "Give each unit to one market only.",
    ),
    "zip_codes_shared": Code(
        "warning",
        "market",
        "sharing ZIP codes with another",
        "Take these ZIP codes off one of the two lists.",
    ),
    "segment_covered_twice": Code(
        "warning",
        "market",
        "with a segment that two territories cover",
        "Leave the segment to one of them, or give each its own segments.",
    ),
    "market_without_territory": Code(
        "error",
        "market",
        "without a territory",
        "Add a territory for it and import the territories again.",
    ),
    "market_without_rep": Code(
        "error",
        "market",
        "without a rep",
        "Give one of its territories a rep_id.",
    ),
    "segments_without_territory": Code(
        "warning",
        "market",
        "with segments that nobody covers",
        f"Add a territory for these segments, or one for segment {ANY_SEGMENT!r}.",
    ),
    "territory_without_rep": Code(
        "error",
        "territory",
        "without a rep",
        "Give it a rep_id and import the territories again.",
    ),
    "territory_unknown_rep": Code(
        "error",
        "territory",
        "of a rep who is not on file",
        "Import the rep, or correct the rep_id.",
    ),
    "rep_without_base_office": Code(
        "warning",
        "rep",
        "without a base office",
        "Give a base_office_id and import the reps again.",
    ),
    "rep_unknown_base_office": Code(
        "error",
        "rep",
        "with a base office that is not on file",
        "Import that office, or correct the base_office_id.",
    ),
    "account_unknown_owner": Code(
        "warning",
        "prospect",
        "owned by somebody who is no rep",
        "Import the rep, or correct the owner in the CRM and import the accounts again.",
    ),
    "named_account_unknown_prospect": Code(
        "error",
        "prospect",
        "not on file but named accounts",
        "Import the prospect, or take it off the list of named accounts.",
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
        market"), in the order in which the codes come.
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
    return counted
