"""Invent what a CRM adds to a company: status, owner, sites, contacts, pipeline, quotas.

Nothing here is real. Each draw is a hash of the record's id and a purpose, so a company keeps its
invented facts when others come and go. People are joined from lists of trees and colours; mail goes
to domains and phone numbers to a range that nobody can own (RFC 2606, 555-0100 to 555-0199).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory import schemas
from territory.policy import SEGMENTS
from territory.reference import normalise_places

from . import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from territory.policy import SegmentPolicy

TODAY = pd.Timestamp("2026-11-01")
SEED = "demo-2026"
FIRST = (
    "Amber Ash Azure Basil Bay Briar Cerise Clay Coral Cyan Dune Ember Fern Flint Frost Garnet "
    "Glen Heath Hollis Ivory Ivy Jade Jasper Lark Lilac Linden Mauve Meadow Moss Ochre Olive Onyx "
    "Opal Pearl Rain River Robin Rue Rusty Saffron Sienna Sky Slate Sorrel Teal Thyme Topaz Vesper"
)
LAST = (
    "Acacia Almond Aspen Balsam Banyan Beech Boxwood Buckeye Catalpa Cherry Chestnut Cypress "
    "Ebony Elder Fig Hawthorn Hemlock Hickory Holly Hornbeam Laurel Locust Magnolia Mahogany "
    "Mangrove Mulberry Myrtle Olivewood Osage Palmetto Pawpaw Pecan Plum Poplar Redbud Redwood "
    "Sassafras Sequoia Spruce Sumac Teakwood Tupelo Walnut Wisteria Yucca Zelkova"
)
TITLES = (
    "Chief Information Officer", "VP Infrastructure", "VP Information Security",
    "Director, Network Engineering", "Director, Cloud Platforms", "Head of IT Procurement",
    "Manager, Telecom and WAN", "Senior Network Architect",
)  # fmt: skip
OPEN_STAGES = ("Discovery", "Qualified", "Proposal", "Negotiation")
PRODUCTS = ("SD-WAN", "Managed security", "Dedicated internet", "SASE", "Voice", "Cloud connect")
SITE_KINDS = ("Regional office", "Data center", "Operations center", "Distribution center", "Plant")


def invent(
    prospects: pd.DataFrame,
    towns: pd.DataFrame,
    plan: dict[str, pd.DataFrame],
    segments: SegmentPolicy,
) -> dict[str, pd.DataFrame]:
    """Give prospects with status and owner, and their sites, contacts, opportunities, quotas.

    Parameters
    ----------
    prospects
        PROSPECTS columns without status and owner_rep_id.
    towns
        As ``places.towns`` gives them: sites stand in one of their ZIP codes.
    plan
        The frames "markets", "territories" and "reps".
    segments
        Which rep of a market a company is worked by.
    """
    market = places.market_of(prospects, towns, plan["markets"])
    segment = segments.classify(prospects["employees"], prospects["revenue_usd"])
    own = _rep_of(market, segment, plan["territories"])
    known = _with_status(prospects, own, plan["reps"])
    return {
        "prospects": known,
        "sites": _sites(known, towns),
        "contacts": _contacts(known),
        "opportunities": _opportunities(known),
        "quotas": _quotas(plan["reps"]),
    }


def draw(ids: Sequence[str], purpose: str) -> npt.NDArray[np.float64]:
    """Give each id a number in [0, 1) that only its text, the purpose and the seed decide."""
    texts = (f"{SEED}/{purpose}/{key}" for key in ids)
    words = [hashlib.sha256(text.encode()).digest()[:8] for text in texts]
    return np.array([int.from_bytes(word) for word in words], dtype=np.float64) / 2.0**64


def pick(ids: Sequence[str], purpose: str, choices: Sequence[str]) -> npt.NDArray[np.object_]:
    """Give each id one of ``choices``, evenly."""
    chosen = (draw(ids, purpose) * len(choices)).astype(int)
    return np.asarray(choices, dtype=object)[chosen]


def _rep_of(
    market: pd.Series, segment: npt.NDArray[np.object_], territories: pd.DataFrame
) -> pd.Series:
    """Give the rep of each market and segment, null where no territory covers both."""
    covers = territories.assign(
        segment=territories["segment"].map(
            lambda name: SEGMENTS if name == schemas.ANY_SEGMENT else (name,)
        )
    ).explode("segment")
    rep = covers.set_index(["market_id", "segment"])["rep_id"]
    found = rep.reindex(pd.MultiIndex.from_arrays([market, segment]))
    return found.reset_index(drop=True).astype(object)


def _with_status(prospects: pd.DataFrame, own: pd.Series, reps: pd.DataFrame) -> pd.DataFrame:
    """Make about one in eight a customer; most are worked by the rep of their own market."""
    ids = prospects["prospect_id"].tolist()
    u = draw(ids, "status")
    status = np.select(
        [u < 0.14, u < 0.20, u < 0.22], ["customer", "former", "disqualified"], "prospect"
    )
    other = pd.Series(pick(ids, "owner", reps["rep_id"].tolist()), dtype=object)
    owner = own.where(own.notna() & (draw(ids, "kept") < 0.75), other)
    return prospects.assign(status=status, owner_rep_id=owner.where(status == "customer", None))


def _repeat(prospects: pd.DataFrame, numbers: npt.NDArray[np.int64], letter: str) -> pd.DataFrame:
    """Repeat each prospect as often as said; ``key`` counts within it: "nike-inc-c2"."""
    rows = prospects.loc[prospects.index.repeat(numbers)].reset_index(drop=True)
    count = rows.groupby("prospect_id").cumcount() + 1
    return rows.assign(key=rows["prospect_id"] + f"-{letter}" + count.astype(str))


def _sites(prospects: pd.DataFrame, towns: pd.DataFrame) -> pd.DataFrame:
    """Put one to six further locations of every third company in other companies' cities."""
    ids = prospects["prospect_id"].tolist()
    has = draw(ids, "has sites") < 0.33
    rows = _repeat(prospects, has * (1 + (draw(ids, "sites") * 6).astype(int)), "s")
    keys = rows["key"].tolist()
    there = prospects[["city", "state"]].drop_duplicates()
    there = there.iloc[(draw(keys, "site city") * len(there)).astype(int)].reset_index(drop=True)
    codes = towns[towns["has_area"]].groupby(["key", "state_code"])["zip_code"].agg(list)
    at = pd.MultiIndex.from_arrays([normalise_places(there["city"]), there["state"]])
    choices = codes.reindex(at).tolist()
    chance = draw(keys, "site zip code")
    zip_code = [
        of[int(u * len(of))] if isinstance(of, list) else None
        for of, u in zip(choices, chance, strict=True)
    ]
    frame = pd.DataFrame(
        {
            "site_id": keys,
            "prospect_id": rows["prospect_id"],
            "name": pick(keys, "site kind", SITE_KINDS) + " " + there["city"],
            "city": there["city"],
            "state": there["state"],
            "postal_code": zip_code,
            "country": "US",
        }
    )
    elsewhere = (frame["city"] != rows["city"]) | (frame["state"] != rows["state"])
    again = frame.duplicated(["prospect_id", "city", "state"])
    return frame[elsewhere & ~again].reset_index(drop=True)


def _contacts(prospects: pd.DataFrame) -> pd.DataFrame:
    """Invent one to three people for six companies in ten."""
    ids = prospects["prospect_id"].tolist()
    has = draw(ids, "has contacts") < 0.6
    rows = _repeat(prospects, has * (1 + (draw(ids, "contacts") * 3).astype(int)), "c")
    keys = rows["key"].tolist()
    first, last = pick(keys, "first name", FIRST.split()), pick(keys, "last name", LAST.split())
    name = pd.Series(first + " " + last)
    phone = (draw(keys, "phone") * 100).astype(int)
    domain = rows["prospect_id"] + ".example.com"
    return pd.DataFrame(
        {
            "contact_id": keys,
            "prospect_id": rows["prospect_id"],
            "name": name,
            "title": pick(keys, "title", TITLES),
            "email": name.str.lower().str.replace(" ", ".") + "@" + domain,
            "phone": [f"555-01{number:02d}" for number in phone],
        }
    )


def _opportunities(prospects: pd.DataFrame) -> pd.DataFrame:
    """Invent one to three deals for a third of the companies; customers have won one."""
    ids = prospects["prospect_id"].tolist()
    customer = (prospects["status"] == "customer").to_numpy()
    has = customer | ((draw(ids, "has deals") < 0.3) & (prospects["status"] == "prospect"))
    rows = _repeat(prospects, has * (1 + (draw(ids, "deals") * 3).astype(int)), "o")
    keys = rows["key"].tolist()
    u = draw(keys, "stage")
    first = rows["key"].str.endswith("-o1") & (rows["status"] == "customer")
    stage = np.where(u < 0.8, pick(keys, "open stage", OPEN_STAGES), "Closed lost")
    stage = pd.Series(np.where(first, "Closed won", stage), dtype=object)
    is_open = stage.isin(OPEN_STAGES)
    days = (draw(keys, "close") * 300).astype(int) + 7
    quiet = (draw(keys, "activity") ** 2 * 240).astype(int) + 1
    close = TODAY + pd.to_timedelta(np.where(is_open, days, -days), unit="D")
    last = pd.Series(TODAY - pd.to_timedelta(quiet, unit="D"))
    last = last.where(is_open, pd.Series(close))
    staff = rows["employees"].fillna(1_000).clip(200, 200_000)
    amount = 400 * staff**0.7 * np.exp(2 * (draw(keys, "amount") - 0.5))
    return pd.DataFrame(
        {
            "opportunity_id": keys,
            "prospect_id": rows["prospect_id"],
            "name": pick(keys, "product", PRODUCTS),
            "stage": stage,
            "amount_usd": (amount / 500).round() * 500,
            "close_on": close.strftime("%Y-%m-%d"),
            "last_activity_on": last.dt.strftime("%Y-%m-%d"),
        }
    )


def _quotas(reps: pd.DataFrame) -> pd.DataFrame:
    """Give each rep a quota for 2026, its quarters and its months; the months add up."""
    ids = reps["rep_id"].tolist()
    month = (15 + (draw(ids, "quota") * 11).round()) * 10_000
    periods = [("2026", 12)]
    periods += [(f"2026-Q{quarter}", 3) for quarter in range(1, 5)]
    periods += [(f"2026-{number:02d}", 1) for number in range(1, 13)]
    frames = [
        pd.DataFrame({"rep_id": ids, "period": period, "amount_usd": month * months})
        for period, months in periods
    ]
    return pd.concat(frames).sort_values(["rep_id", "period"], ignore_index=True)
