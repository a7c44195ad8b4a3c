"""Plan checks: what is wrong with a plan or with the data under it, each with its remedy.

A finding names one subject and says one thing. To add one, write a function that gives FINDINGS
rows, name it in ``CHECKS`` and its code in ``findings.CODES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.labels import KIND
from territory.plans.findings import COLUMNS, report
from territory.plans.overlap_checks import check_covered_twice, check_shared_zip_codes
from territory.policy import SEGMENTS
from territory.schemas import UNASSIGNED
from territory.units_of_length import format_miles, format_square_miles, to_miles

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.policy import Policy


@dataclass(frozen=True)
class Situation:
    """What the checks look at.

    ``assigned`` is ASSIGNMENTS with name, locality, lon, precision and uncertainty_m; ``in_two``
    has prospect_id, market_id and other_id of prospects that further markets hold too; ``overlaps``
    has market_id, other_id and area_km2; ``shared_zips`` is ``shared_zip_codes``; the others are
    contract frames, offices with their geocode.
    """

    assigned: pd.DataFrame
    in_two: pd.DataFrame
    overlaps: pd.DataFrame
    shared_zips: pd.DataFrame
    offices: pd.DataFrame
    reps: pd.DataFrame
    markets: pd.DataFrame
    territories: pd.DataFrame
    named_accounts: pd.DataFrame
    policy: Policy

    @property
    def sizes(self) -> dict[str, int]:
        """How many subjects there are of each kind: the M of "N of M"."""
        return {
            "prospect": len(self.assigned),
            "office": len(self.offices),
            "market": len(self.markets),
            "territory": int(self.territories["territory_id"].nunique()),
            "rep": len(self.reps),
        }


def findings(situation: Situation) -> pd.DataFrame:
    """Run every check.

    Returns
    -------
    findings
        FINDINGS and ``market_id`` (where the subject is, null for nowhere), ordered by the list of
        checks and then by subject; a subject has each code at most once.
    """
    frames = [check(situation) for check in CHECKS]
    whole = pd.concat(frames, ignore_index=True)
    return whole[list(COLUMNS)]


def _told(template: str, **parts: pd.Series | list[str]) -> list[str]:
    """Fill a sentence in for every row."""
    rows = zip(*parts.values(), strict=True)
    return [template.format(**dict(zip(parts, row, strict=True))) for row in rows]


def _called(ids: pd.Series, frame: pd.DataFrame) -> list[str]:
    """Give the names of ids, themselves where ``frame`` does not know them."""
    names = dict(zip(frame[frame.columns[0]], frame["name"], strict=True))
    return [names.get(one, one) for one in ids]


def _where(prospects: pd.DataFrame) -> list[str]:
    """Say "Allstate (Cook County, IL)"."""
    return [
        f"{name} ({locality})" if isinstance(locality, str) and locality else name
        for name, locality in zip(prospects["name"], prospects["locality"], strict=True)
    ]


def _near(prospects: pd.DataFrame, situation: Situation) -> list[str]:
    """Say "51.2 mi from the Denver office", never on the wrong side of the limit."""
    limit_m = situation.policy.radius.limit_m
    miles = [format_miles(metres, limit_m) for metres in prospects["distance_m"].tolist()]
    office = _called(prospects["nearest_office_id"], situation.offices)
    return _told("{miles} from the {office} office", miles=miles, office=office)


def _limit(situation: Situation) -> str:
    return f"{to_miles(situation.policy.radius.limit_m):g} mi"


def _unplaced(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    lost = prospects[prospects["lon"].isna()]
    return report(
        "unplaced",
        lost["prospect_id"],
        _told(
            "{name} has no location: neither its ZIP code nor its city was found.",
            name=lost["name"],
        ),
    )


def _outside_every_market(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    lost = prospects[prospects["lon"].notna() & prospects["market_id"].isna()]
    return report(
        "outside_every_market",
        lost["prospect_id"],
        _told("{who} is in no market.", who=_where(lost)),
    )


def _two_markets(situation: Situation) -> pd.DataFrame:
    pairs = situation.in_two.drop_duplicates("prospect_id")
    torn = situation.assigned.merge(pairs[["prospect_id", "other_id"]], on="prospect_id")
    return report(
        "two_markets",
        torn["prospect_id"],
        _told(
            "{who} is in both {counts} and {also}. It is counted in {counts}, which has the "
            "smaller id.",
            who=_where(torn),
            counts=_called(torn["market_id"], situation.markets),
            also=_called(torn["other_id"], situation.markets),
        ),
        torn["market_id"],
    )


def _beyond_radius(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    far = prospects[prospects["verdict"] == "out"]
    return report(
        "beyond_radius",
        far["prospect_id"],
        _told(
            "{who} is {near}, beyond the " + _limit(situation) + " limit.",
            who=_where(far),
            near=_near(far, situation),
        ),
        far["market_id"],
    )


def _too_coarse(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    close = prospects[prospects["verdict"] == "too_close_to_call"]
    return report(
        "too_coarse",
        close["prospect_id"],
        _told(
            "{who} is {near} and its location is accurate to about {known_to}: too close to call "
            "at " + _limit(situation) + ".",
            who=_where(close),
            near=_near(close, situation),
            known_to=[format_miles(metres) for metres in close["uncertainty_m"].tolist()],
        ),
        close["market_id"],
    )


def _offices(situation: Situation) -> pd.DataFrame:
    lost = situation.offices[situation.offices["lon"].isna()]
    return report(
        "office_unplaced",
        lost["office_id"],
        _told("{name} has no location, so it is left out of all distances.", name=lost["name"]),
    )


def _overlaps(situation: Situation) -> pd.DataFrame:
    pairs = situation.overlaps
    others = _told(
        "{other} ({units}{area})",
        other=_called(pairs["other_id"], situation.markets),
        units=_shared_units(pairs, situation.markets),
        area=[format_square_miles(area) for area in pairs["area_km2"].tolist()],
    )
    listed = _listed(pairs["market_id"], others)
    return report(
        "markets_overlap",
        listed["market_id"],
        _told(
            "{name} overlaps {others}.",
            name=_called(listed["market_id"], situation.markets),
            others=listed["said"],
        ),
    )


def _shared_units(pairs: pd.DataFrame, markets: pd.DataFrame) -> list[str]:
    """Count the units that both markets of a pair list, "11 ZIP codes, "; empty where none is."""
    if pairs.empty:
        return []
    made_of = {
        market_id: (kind, set(str(units or "").split("|")) - {""})
        for market_id, kind, units in markets[["market_id", "kind", "units"]].itertuples(
            index=False
        )
    }
    words = []
    for market_id, other_id in pairs[["market_id", "other_id"]].itertuples(index=False):
        (kind, units), (other_kind, others) = made_of[market_id], made_of[other_id]
        shared = len(units & others) if kind == other_kind else 0
        words.append(f"{shared:,} {KIND[kind][shared > 1]}, " if shared else "")
    return words


def _listed(market_id: pd.Series, words: list[str]) -> pd.DataFrame:
    """Join what is said of each market into one list, in the order given."""
    by_market: dict[str, list[str]] = {}
    for market, text in zip(market_id, words, strict=True):
        by_market.setdefault(market, []).append(text)
    joined = {"market_id": list(by_market), "said": [", ".join(x) for x in by_market.values()]}
    return pd.DataFrame(joined, dtype=object)


def _markets(situation: Situation) -> pd.DataFrame:
    markets, owned = situation.markets, situation.territories
    is_owned = markets["market_id"].isin(owned["market_id"])
    with_rep = owned.loc[owned["rep_id"].isin(situation.reps["rep_id"]), "market_id"]
    bare, idle = markets[~is_owned], markets[is_owned & ~markets["market_id"].isin(with_rep)]
    without_territory = report(
        "market_without_territory",
        bare["market_id"],
        _told("{name} has no owner: no territory covers it.", name=bare["name"]),
    )
    without_rep = report(
        "market_without_rep",
        idle["market_id"],
        _told("{name} is covered by territories, but none of them has a rep.", name=idle["name"]),
    )
    return pd.concat([without_territory, without_rep])


def _segments(situation: Situation) -> pd.DataFrame:
    """Segments of prospects that no territory of an otherwise covered market takes."""
    prospects, territories = situation.assigned, situation.territories
    lost = prospects[
        (prospects["rule"] == UNASSIGNED) & prospects["market_id"].isin(territories["market_id"])
    ]
    counted = lost.groupby(["market_id", "segment"]).size().rename("lost").reset_index()
    counted["order"] = [SEGMENTS.index(segment) for segment in counted["segment"]]
    counted = counted.sort_values(["market_id", "order"])
    segments = _told(
        "{segment} ({number:,})",
        segment=[segment.replace("_", "-") for segment in counted["segment"]],
        number=counted["lost"],
    )
    listed = _listed(counted["market_id"], segments)
    return report(
        "segments_without_territory",
        listed["market_id"],
        _told(
            "{name} has prospects in segments that no territory covers: {segments}.",
            name=_called(listed["market_id"], situation.markets),
            segments=listed["said"],
        ),
    )


def _territories(situation: Situation) -> pd.DataFrame:
    owned = situation.territories.drop_duplicates("territory_id")
    idle = owned[owned["rep_id"].isna()]
    strange = owned[owned["rep_id"].notna() & ~owned["rep_id"].isin(situation.reps["rep_id"])]
    without = report(
        "territory_without_rep",
        idle["territory_id"],
        _told("{name} has no rep, so its prospects have no owner.", name=idle["name"]),
    )
    unknown = report(
        "territory_unknown_rep",
        strange["territory_id"],
        _told(
            "{name} is assigned to rep {rep}, who is not in your data.",
            name=strange["name"],
            rep=strange["rep_id"],
        ),
    )
    return pd.concat([without, unknown])


def _reps(situation: Situation) -> pd.DataFrame:
    reps, offices = situation.reps, situation.offices
    has_base = reps["base_office_id"].notna()
    idle = reps[~has_base]
    strange = reps[has_base & ~reps["base_office_id"].isin(offices["office_id"])]
    without = report(
        "rep_without_base_office",
        idle["rep_id"],
        _told("{name} has no base office.", name=idle["name"]),
    )
    unknown = report(
        "rep_unknown_base_office",
        strange["rep_id"],
        _told(
            "{name} has base office {office}, which is not in your data.",
            name=strange["name"],
            office=strange["base_office_id"],
        ),
    )
    return pd.concat([without, unknown])


def _named_accounts(situation: Situation) -> pd.DataFrame:
    accounts = situation.named_accounts
    lost = accounts[~accounts["prospect_id"].isin(situation.assigned["prospect_id"])]
    return report(
        "named_account_unknown_prospect",
        lost["prospect_id"],
        _told(
            "{prospect} is a named account of {territory} but not in your data.",
            prospect=lost["prospect_id"],
            territory=_called(lost["territory_id"], situation.territories),
        ),
    )


def _owners(situation: Situation) -> pd.DataFrame:
    """Name the accounts whose owner is no rep on file; without reps there is nobody to be."""
    accounts, reps = situation.assigned, situation.reps
    if "owner_rep_id" not in accounts or reps.empty:
        return report("account_unknown_owner", pd.Series(dtype=object), [])
    is_strange = accounts["owner_rep_id"].notna()
    is_strange &= ~accounts["owner_rep_id"].isin(reps["rep_id"])
    strange = accounts[is_strange]
    return report(
        "account_unknown_owner",
        strange["prospect_id"],
        _told(
            "{name} is owned by {owner}, who does not match a rep by id, email or name.",
            name=_where(strange),
            owner=strange["owner_rep_id"],
        ),
        strange["market_id"],
    )


CHECKS: tuple[Callable[[Situation], pd.DataFrame], ...] = (
    _markets,
    _overlaps,
    check_shared_zip_codes,
    _segments,
    check_covered_twice,
    _territories,
    _reps,
    _offices,
    _named_accounts,
    _owners,
    _unplaced,
    _two_markets,
    _too_coarse,
    _outside_every_market,
    _beyond_radius,
)
