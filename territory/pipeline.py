"""Open opportunities and quotas, summed the way a market page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def pipeline(opportunities: pd.DataFrame) -> pd.DataFrame:
    """Sum each prospect's open opportunities and name the stage of its largest one.

    Open is every stage that does not start with "closed". The newest activity counts closed ones
    too. On equal amounts the smallest ``opportunity_id`` names the stage.

    Returns
    -------
    pipeline
        prospect_id, stage (null: none open), pipeline_usd (0: none open), last_activity_on; one row
        per prospect that has an opportunity.
    """
    ordered = opportunities.sort_values(
        ["prospect_id", "amount_usd", "opportunity_id"], ascending=[True, False, True]
    )
    is_open = ~ordered["stage"].astype(str).str.lower().str.startswith("closed")
    named = ordered[is_open].dropna(subset="stage")
    largest = named.drop_duplicates("prospect_id").set_index("prospect_id")
    newest = ordered.sort_values("last_activity_on", kind="stable").dropna(
        subset="last_activity_on"
    )
    newest = newest.drop_duplicates("prospect_id", keep="last").set_index("prospect_id")
    whole = ordered[["prospect_id"]].drop_duplicates().reset_index(drop=True)
    known = whole["prospect_id"]
    whole["stage"] = known.map(largest["stage"]).astype(object)
    sums = ordered["amount_usd"].where(is_open).groupby(ordered["prospect_id"], sort=False).sum()
    whole["pipeline_usd"] = known.map(sums).astype(float).fillna(0.0)
    whole["last_activity_on"] = known.map(newest["last_activity_on"])
    texts = ["prospect_id", "stage", "last_activity_on"]
    whole[texts] = whole[texts].astype(object).where(whole[texts].notna(), None)
    return whole


def yearly_quotas(quotas: pd.DataFrame, year: str) -> pd.Series:
    """Give each rep's quota for a year: the year's own, or else its quarters, or else its months.

    Returns
    -------
    quotas
        amount_usd by rep_id, for the reps that have any quota in that year.
    """
    of_year = quotas[quotas["period"].str[:4] == year]
    # 0 for a year, 1 for a quarter, 2 for a month: the coarsest of a rep counts.
    is_part, is_month = of_year["period"].str.len() > 4, ~of_year["period"].str.contains("Q")
    grain = is_part.astype(int) + (is_part & is_month).astype(int)
    chosen = of_year[grain == grain.groupby(of_year["rep_id"]).transform("min")]
    return chosen.groupby("rep_id")["amount_usd"].sum()
