"""Overlap checks: ZIP codes on the lists of two markets, segments that two territories cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from territory.plans.assignment import by_segment
from territory.plans.findings import report
from territory.policy import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.plans.checks import Situation

_MOST_CODES, _MOST_NAMES = 10, 5


def shared_zip_codes(prospects: pd.DataFrame, markets: pd.DataFrame) -> pd.DataFrame:
    """List the ZIP codes that are on the lists of two markets, and who has one in the address.

    Returns
    -------
    shared
        market_id (the smallest, which counts), other_id, zip_code, prospect_ids (a list); by all
        three.
    """
    lists = markets.loc[markets["kind"] == "zip_code", ["market_id", "units"]].dropna()
    lists = lists.assign(zip_code=lists["units"].str.split("|", regex=False)).explode("zip_code")
    lists = lists.sort_values(["zip_code", "market_id"]).drop_duplicates(["zip_code", "market_id"])
    lists = lists[lists["zip_code"].duplicated(keep=False)]
    columns = ["market_id", "other_id", "zip_code", "prospect_ids"]
    if lists.empty:  # so it is nearly always, and then nobody's code is looked at
        return pd.DataFrame(columns=columns, dtype=object)
    first = lists.drop_duplicates("zip_code")[["zip_code", "market_id"]]
    others = lists[lists["zip_code"].duplicated()].rename(columns={"market_id": "other_id"})
    shared = first.merge(others[["zip_code", "other_id"]], on="zip_code")
    codes = prospects["postal_code"].astype(object).where(prospects["postal_code"].notna(), "")
    code = codes.astype(str).str[:5]
    is_there = code.isin(first["zip_code"]) & prospects["market_id"].notna()
    keys = [prospects["market_id"][is_there], code[is_there].rename("zip_code")]
    ids = prospects["prospect_id"][is_there].groupby(keys).agg(list).rename("prospect_ids")
    shared = shared.merge(ids.reset_index(), how="left", on=["market_id", "zip_code"])
    shared["prospect_ids"] = [x if isinstance(x, list) else [] for x in shared["prospect_ids"]]
    return shared[columns].sort_values(columns[:3], ignore_index=True)


def check_shared_zip_codes(situation: Situation) -> pd.DataFrame:
    """Find the markets that share ZIP codes with another."""
    names = dict(zip(situation.markets["market_id"], situation.markets["name"], strict=True))
    messages: dict[str, str] = {}
    for market_id, rows in situation.shared_zips.groupby("market_id", sort=True):
        lists = "; ".join(
            f"{_some(part['zip_code'].tolist(), _MOST_CODES)} with {names[other_id]}"
            for other_id, part in rows.groupby("other_id", sort=True)
        )
        people = dict.fromkeys(one for some in rows["prospect_ids"] for one in some)
        accounts = _accounts(list(people), situation, f"count in {names[market_id]}")
        messages[str(market_id)] = f"{names[market_id]} shares {lists}. {accounts}"
    ids = pd.Series(list(messages), dtype=object)
    return report("zip_codes_shared", ids, list(messages.values()))


def check_covered_twice(situation: Situation) -> pd.DataFrame:
    """Find the markets where two territories cover a segment, neither more closely."""
    markets = dict(zip(situation.markets["market_id"], situation.markets["name"], strict=True))
    titles = situation.territories.drop_duplicates("territory_id")
    title = dict(zip(titles["territory_id"], titles["name"], strict=True))
    messages: dict[str, list[str]] = {}
    for (market_id, rivals), segments in _ties(situation.territories).items():
        whole = len(segments) == len(SEGMENTS)
        words = "every segment" if whole else "segment " + ", ".join(segments).replace("_", "-")
        assigned = situation.assigned
        ids = assigned.loc[
            (assigned["rule"] == "market_of_headquarters")
            & (assigned["market_id"] == market_id)
            & assigned["segment"].isin(segments),
            "prospect_id",
        ]
        workers = " and ".join(f"{title[one]} ({one})" for one in rivals)
        accounts = _accounts(ids.tolist(), situation, f"go to {rivals[0]}")
        messages.setdefault(market_id, []).append(
            f"{markets.get(market_id, market_id)}: {workers} both cover {words}. {accounts}"
        )
    ids = pd.Series(list(messages), dtype=object)
    return report("segment_covered_twice", ids, [" ".join(x) for x in messages.values()])


def _ties(territories: pd.DataFrame) -> Mapping[tuple[str, tuple[str, ...]], list[str]]:
    """Map markets and the territories that rival there to the segments they rival for."""
    best = by_segment(territories)
    rank = best.groupby(["market_id", "segment"])["rank"].transform("min")
    best = best[best["rank"] == rank].drop_duplicates(["market_id", "segment", "territory_id"])
    rivals: dict[tuple[str, str], list[str]] = {}
    for market_id, segment, territory_id in best[
        ["market_id", "segment", "territory_id"]
    ].to_numpy():
        rivals.setdefault((market_id, segment), []).append(territory_id)
    ties: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for market_id, segment in sorted(rivals, key=lambda key: (key[0], SEGMENTS.index(key[1]))):
        ids = tuple(rivals[market_id, segment])
        if len(ids) > 1:
            ties.setdefault((market_id, ids), []).append(segment)
    return ties


def _accounts(ids: Sequence[str], situation: Situation, outcome: str) -> str:
    """Say how many accounts that is about, and name the first."""
    if not ids:
        return "No account is affected yet."
    assigned = situation.assigned
    names = dict(zip(assigned["prospect_id"], assigned["name"], strict=True))
    noun = "account" if len(ids) == 1 else "accounts"
    verb = (
        outcome.replace("count ", "counts ").replace("go ", "goes ") if len(ids) == 1 else outcome
    )
    some = _some([names.get(one, one) for one in ids], _MOST_NAMES)
    return f"{len(ids):,} {noun} {verb}, which has the smaller id: {some}."


def _some(texts: list[str], most: int) -> str:
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
