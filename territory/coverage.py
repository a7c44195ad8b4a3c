"""What is wrong with a plan or with the data under it, each with its remedy.

A finding names one subject and says one thing. To add one, write a function that gives FINDINGS
rows, name it in ``CHECKS`` and its code in ``TITLES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.lengths import format_miles
from territory.policy import SEGMENTS
from territory.schemas import ANY_SEGMENT, FINDINGS, UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from territory.policy import Policy

COLUMNS = (*FINDINGS.columns, "market_id")

# What each code means, as the head of a list of such findings.
TITLES = {
    "unplaced": "without a location",
    "outside_every_market": "outside every market",
    "two_markets": "in two markets",
    "beyond_radius": "beyond the radius of every office",
    "too_coarse": "placed too coarsely to say",
    "office_unplaced": "without a location",
    "markets_overlap": "overlapping another",
    "market_without_territory": "without a territory",
    "market_without_rep": "without a rep",
    "segments_without_territory": "with segments that nobody covers",
    "territory_without_rep": "without a rep",
    "territory_unknown_rep": "of a rep who is not on file",
    "rep_without_base_office": "without a base office",
    "rep_unknown_base_office": "with a base office that is not on file",
    "named_account_unknown_prospect": "not on file but named accounts",
}


@dataclass(frozen=True)
class Situation:
    """What the checks look at.

    ``assigned`` is ASSIGNMENTS with name, locality, lon, precision and uncertainty_m; ``in_two``
    has prospect_id, market_id and other_id of prospects that further markets hold too; ``overlaps``
    has market_id, other_id and area_km2; the others are contract frames, offices with their
    geocode.
    """

    assigned: pd.DataFrame
    in_two: pd.DataFrame
    overlaps: pd.DataFrame
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
    found = [check(situation) for check in CHECKS]
    whole = pd.concat([part for part in found if len(part)] or [found[0]], ignore_index=True)
    return whole[list(COLUMNS)]


def sum_up(found: pd.DataFrame, sizes: Mapping[str, int]) -> pd.DataFrame:
    """Count findings by code, as N of M.

    Returns
    -------
    sums
        code, severity, subject_kind, found, of, title ("12 of 1,514 prospects outside every
        market"), in the order in which the codes come.
    """
    counted = (
        found.groupby(["code", "severity", "subject_kind"], sort=False)
        .size()
        .rename("found")
        .reset_index()
    )
    counted["of"] = counted["subject_kind"].map(dict(sizes)).astype(int)
    plural = {"territory": "territories"}
    counted["title"] = [
        f"{n:,} of {m:,} {plural.get(kind, kind + 's')} {TITLES[code]}"
        for n, m, kind, code in zip(
            counted["found"], counted["of"], counted["subject_kind"], counted["code"], strict=True
        )
    ]
    return counted


def _rows(
    subject: pd.DataFrame,
    code: str,
    severity: str,
    subject_kind: str,
    message: pd.Series,
    remedy: str,
) -> pd.DataFrame:
    """One finding per row of ``subject``, whose first column identifies it."""
    blank = pd.Series(None, index=subject.index, dtype=object)
    market_id = subject.get("market_id", blank)
    return pd.DataFrame(
        {
            "code": code,
            "severity": severity,
            "subject_kind": subject_kind,
            "subject_id": subject[subject.columns[0]],
            "message": message.astype(object),
            "remedy": remedy,
            "market_id": market_id.astype(object).where(market_id.notna(), None),
        },
        columns=list(COLUMNS),
    ).astype(dict.fromkeys(COLUMNS, object))


def _where(prospects: pd.DataFrame) -> pd.Series:
    locality = prospects["locality"].fillna("")
    return prospects["name"].astype(object) + (" (" + locality + ")").where(locality != "", "")


def _near(prospects: pd.DataFrame, situation: Situation) -> pd.Series:
    """Say "51.2 mi from the Denver office", never on the wrong side of the limit."""
    limit_m = situation.policy.radius.limit_m
    miles = [format_miles(metres, limit_m) for metres in prospects["distance_m"].tolist()]
    names = situation.offices.set_index("office_id")["name"]
    office = prospects["nearest_office_id"].map(names).fillna(prospects["nearest_office_id"])
    return pd.Series(miles, index=prospects.index, dtype=object) + " from the " + office + " office"


def _unplaced(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    lost = prospects[prospects["lon"].isna()]
    return _rows(
        lost,
        "unplaced",
        "warning",
        "prospect",
        lost["name"] + " has no location: neither its ZIP code nor its city is known.",
        "Give a ZIP code, a city with its state, or coordinates.",
    )


def _outside_every_market(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    lost = prospects[prospects["lon"].notna() & prospects["market_id"].isna()]
    return _rows(
        lost,
        "outside_every_market",
        "note",
        "prospect",
        _where(lost) + " lies in no market.",
        "Add its county to a market, or name it an account of a territory.",
    )


def _two_markets(situation: Situation) -> pd.DataFrame:
    names = situation.markets.set_index("market_id")["name"]
    pairs = situation.in_two.drop_duplicates("prospect_id")
    told = situation.assigned.merge(pairs[["prospect_id", "other_id"]], on="prospect_id")
    counts, also = told["market_id"].map(names), told["other_id"].map(names)
    return _rows(
        told,
        "two_markets",
        "warning",
        "prospect",
        _where(told) + " lies in " + counts + " and in " + also + "; " + counts + " counts, "
        "by the smaller id.",
        "Take the shared area out of one of the two markets.",
    )


def _beyond_radius(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    far = prospects[prospects["verdict"] == "out"]
    return _rows(
        far,
        "beyond_radius",
        "note",
        "prospect",
        _where(far) + " is " + _near(far, situation) + f", beyond the {_limit(situation)} limit.",
        "Open an office nearer by, or serve it from afar.",
    )


def _too_coarse(situation: Situation) -> pd.DataFrame:
    prospects = situation.assigned
    close = prospects[prospects["verdict"] == "too_close_to_call"]
    known_to = pd.Series(
        [format_miles(metres) for metres in close["uncertainty_m"].tolist()],
        index=close.index,
        dtype=object,
    )
    return _rows(
        close,
        "too_coarse",
        "warning",
        "prospect",
        _where(close) + " is " + _near(close, situation) + " and its location is known to "
        + known_to + f": too close to call at {_limit(situation)}.",
        "Give a street address with coordinates.",
    )  # fmt: skip


def _limit(situation: Situation) -> str:
    return format_miles(situation.policy.radius.limit_m)


def _offices(situation: Situation) -> pd.DataFrame:
    lost = situation.offices[situation.offices["lon"].isna()]
    return _rows(
        lost[["office_id"]],
        "office_unplaced",
        "error",
        "office",
        lost["name"] + " has no location, so no distance counts from it.",
        "Give its lat and lon, or an address whose ZIP code is known.",
    )


def _overlaps(situation: Situation) -> pd.DataFrame:
    names = situation.markets.set_index("market_id")["name"]
    pairs = situation.overlaps
    listed = (
        pairs.assign(
            said=pairs["other_id"].map(names)
            + pairs["area_km2"].map(lambda area: f" ({area:,.1f} km²)")
        )
        .groupby("market_id")["said"]
        .agg(", ".join)
        .reset_index()
    )
    return _rows(
        listed[["market_id"]],
        "markets_overlap",
        "warning",
        "market",
        listed["market_id"].map(names) + " overlaps " + listed["said"] + ".",
        "Give each unit to one market only.",
    )


def _markets(situation: Situation) -> pd.DataFrame:
    owned = situation.territories
    is_bare = ~situation.markets["market_id"].isin(owned["market_id"])
    bare = situation.markets[is_bare]
    with_rep = owned.loc[owned["rep_id"].isin(situation.reps["rep_id"]), "market_id"]
    idle = situation.markets[~is_bare & ~situation.markets["market_id"].isin(with_rep)]
    without_territory = _rows(
        bare[["market_id"]],
        "market_without_territory",
        "error",
        "market",
        bare["name"] + " belongs to nobody: no territory covers it.",
        "Add a territory for it and import the territories again.",
    )
    without_rep = _rows(
        idle[["market_id"]],
        "market_without_rep",
        "error",
        "market",
        idle["name"] + " has territories but no rep.",
        "Give one of its territories a rep_id.",
    )
    return pd.concat([without_territory, without_rep])


def _segments(situation: Situation) -> pd.DataFrame:
    """Segments of prospects that no territory of an otherwise covered market takes."""
    prospects, territories = situation.assigned, situation.territories
    lost = prospects[
        (prospects["rule"] == UNASSIGNED) & prospects["market_id"].isin(territories["market_id"])
    ]
    counted = lost.groupby(["market_id", "segment"]).size().rename("lost").reset_index()
    counted["order"] = counted["segment"].map({name: at for at, name in enumerate(SEGMENTS)})
    counted = counted.sort_values(["market_id", "order"])
    counted["said"] = [
        f"{segment.replace('_', '-')} ({number:,})"
        for segment, number in zip(counted["segment"], counted["lost"], strict=True)
    ]
    listed = counted.groupby("market_id")["said"].agg(", ".join).reset_index()
    names = situation.markets.set_index("market_id")["name"]
    return _rows(
        listed[["market_id"]],
        "segments_without_territory",
        "warning",
        "market",
        listed["market_id"].map(names) + " has prospects that nobody covers: " + listed["said"]
        + ".",
        f"Add a territory for these segments, or one for segment {ANY_SEGMENT!r}.",
    )  # fmt: skip


def _territories(situation: Situation) -> pd.DataFrame:
    owned = situation.territories.drop_duplicates("territory_id")
    idle = owned[owned["rep_id"].isna()]
    strange = owned[owned["rep_id"].notna() & ~owned["rep_id"].isin(situation.reps["rep_id"])]
    without = _rows(
        idle[["territory_id"]],
        "territory_without_rep",
        "error",
        "territory",
        idle["name"] + " has no rep: what lies in it is worked by nobody.",
        "Give it a rep_id and import the territories again.",
    )
    unknown = _rows(
        strange[["territory_id"]],
        "territory_unknown_rep",
        "error",
        "territory",
        strange["name"] + " names rep " + strange["rep_id"] + ", who is not on file.",
        "Import the rep, or correct the rep_id.",
    )
    return pd.concat([without, unknown])


def _reps(situation: Situation) -> pd.DataFrame:
    reps, offices = situation.reps, situation.offices
    idle = reps[reps["base_office_id"].isna()]
    known = reps["base_office_id"].isin(offices["office_id"])
    strange = reps[reps["base_office_id"].notna() & ~known]
    without = _rows(
        idle[["rep_id"]],
        "rep_without_base_office",
        "warning",
        "rep",
        idle["name"] + " has no base office.",
        "Give a base_office_id and import the reps again.",
    )
    unknown = _rows(
        strange[["rep_id"]],
        "rep_unknown_base_office",
        "error",
        "rep",
        strange["name"] + " has the base office " + strange["base_office_id"]
        + ", which is not on file.",
        "Import that office, or correct the base_office_id.",
    )  # fmt: skip
    return pd.concat([without, unknown])


def _named_accounts(situation: Situation) -> pd.DataFrame:
    accounts = situation.named_accounts
    lost = accounts[~accounts["prospect_id"].isin(situation.assigned["prospect_id"])]
    return _rows(
        lost[["prospect_id"]],
        "named_account_unknown_prospect",
        "error",
        "prospect",
        lost["prospect_id"] + " is a named account of " + lost["territory_id"]
        + " but not on file.",
        "Import the prospect, or take it off the list of named accounts.",
    )  # fmt: skip


CHECKS: tuple[Callable[[Situation], pd.DataFrame], ...] = (
    _markets,
    _overlaps,
    _segments,
    _territories,
    _reps,
    _offices,
    _named_accounts,
    _unplaced,
    _two_markets,
    _too_coarse,
    _outside_every_market,
    _beyond_radius,
)
