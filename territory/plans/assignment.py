"""Assignment of prospects to territories: named rules, tried in the order the policy sets.

A rule is a function that answers for all prospects at once, and says why for each of them whether
it answers or not. ``assign`` takes the first answer; ``explain`` asks the very same rules about one
prospect, so the two cannot tell different stories. To add a rule, write the function, name it in
``RULES`` of the policy and in ``RULE_FUNCTIONS`` here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from territory.policy import SEGMENTS
from territory.schemas import ANY_SEGMENT, ASSIGNMENTS, UNASSIGNED
from territory.units_of_length import format_miles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from territory.policy import Policy

    Texts = npt.NDArray[np.object_]

# Below this a location is the building or its street, and a reader needs no warning.
PRECISE = ("rooftop", "street")
RIVALS = " Behind it, also covering the segment: "  # ends the reason of a rule
_CHUNK = 100_000  # prospects whose reasons are put together at a time


class RuleAnswer(NamedTuple):
    """What one rule says of n prospects: the territory, None where it has no answer, and why."""

    territory_id: Texts
    reason: Texts


@dataclass(frozen=True)
class RuleContext:
    """What the rules read beside the prospects themselves.

    ``territories`` and ``named_accounts`` are contract frames; the names map an id to what a reader
    calls it, and an id without a name is shown as it is.
    """

    territories: pd.DataFrame
    named_accounts: pd.DataFrame
    policy: Policy
    rep_names: Mapping[str, str]
    market_names: Mapping[str, str]
    office_names: Mapping[str, str]

    def reps_of(self, territory_id: Texts) -> Texts:
        """Give the rep of each territory, None where there is none.

        A territory has as many rows as markets and segments; all name the same rep, which imports
        see to, so the first one tells.
        """
        owners = self.territories.sort_values("territory_id").drop_duplicates("territory_id")
        return _look_up(
            dict(zip(owners["territory_id"], owners["rep_id"], strict=True)), territory_id
        )

    def worker_names(self, territory_id: Texts) -> Texts:
        """Say who works each territory: the rep's name, or that the territory has no rep."""
        rep_id = self.reps_of(territory_id)
        names = _look_up(self.rep_names, rep_id, keep=True)
        titles = self.territories.sort_values("territory_id").drop_duplicates("territory_id")
        title = dict(zip(titles["territory_id"], titles["name"], strict=True))
        no_rep = "territory " + _text(_look_up(title, territory_id, keep=True))
        return np.where(_present(names), _text(names), no_rep + ", which has no rep")


def _present(values: Texts) -> npt.NDArray[np.bool_]:
    return np.asarray(pd.notna(values), bool)


def _text(values: Texts) -> Texts:
    """Texts that can be joined: "" for None."""
    return np.where(_present(values), values, "")


def _look_up(names: Mapping[str, str], ids: Texts, *, keep: bool = False) -> Texts:
    """Translate ids; one that ``names`` does not know becomes None, or stays as it is."""
    codes, distinct = pd.factorize(ids)
    values = [names.get(one, one if keep else None) for one in distinct]
    return np.array([*values, None], dtype=object)[codes]


def _column(frame: pd.DataFrame, name: str) -> Texts:
    return frame[name].to_numpy(object)


def headquarters(prospects: pd.DataFrame, context: RuleContext) -> Texts:
    """Say where each prospect has its headquarters and how far its nearest office is.

    The distance is rounded so that it never reads on the wrong side of the policy's limit.
    """
    limit_m = context.policy.radius.limit_m
    market_id = _column(prospects, "market_id")
    market = _text(_look_up(context.market_names, market_id, keep=True))
    locality, office_id = _column(prospects, "locality"), _column(prospects, "nearest_office_id")
    area = np.where(_present(market_id), "the " + market + " market", "no market")
    where = np.where(_present(locality), " (" + _text(locality) + ")", "")
    miles = np.array(
        [format_miles(d, limit_m) if d == d else "" for d in prospects["distance_m"].tolist()],
        dtype=object,
    )
    office = _text(_look_up(context.office_names, office_id, keep=True))
    near = np.where(_present(office_id), ", " + miles + " from the " + office + " office", "")
    known_to = np.array(
        [f" Its location is accurate to about {format_miles(u)}." for u in _uncertain(prospects)],
        dtype=object,
    )
    vague = ~np.isin(_column(prospects, "precision").astype(str), PRECISE)
    sentence = "Headquartered in " + area + where + near + "." + np.where(vague, known_to, "")
    placed = prospects["lon"].notna().to_numpy()
    return np.where(placed, sentence, "No location was found, so it is in no market.")


def _uncertain(prospects: pd.DataFrame) -> list[float]:
    metres: list[float] = prospects["uncertainty_m"].fillna(0.0).tolist()
    return metres


def named_account(prospects: pd.DataFrame, context: RuleContext) -> RuleAnswer:
    """Give a prospect on the list of named accounts to the territory the list says."""
    accounts = context.named_accounts
    listed = dict(zip(accounts["prospect_id"], accounts["territory_id"], strict=True))
    territory_id = _look_up(listed, _column(prospects, "prospect_id"))
    won = (
        "Named account of "
        + context.worker_names(territory_id)
        + ", regardless of where it is headquartered."
    )
    return RuleAnswer(
        territory_id, np.where(_present(territory_id), won, "Not on the list of named accounts.")
    )


def retained_customer(prospects: pd.DataFrame, context: RuleContext) -> RuleAnswer:
    """Leave a customer with the rep who works it today.

    A rep of several territories keeps it in the one that covers its market and segment, or else in
    the one with the smallest id.
    """
    owner, status = _column(prospects, "owner_rep_id"), _column(prospects, "status")
    customer = (status == "customer") & _present(owner)
    covering = by_segment(context.territories)
    covering = covering[_present(covering["rep_id"].to_numpy(object))]
    # A rep may own several territories. The customer stays in the one that covers where it is, so
    # that it counts there; only where none covers it does the smallest id decide.
    fitting = _first(covering, ["rep_id", "market_id", "segment"])
    any_of_rep = _first(context.territories.dropna(subset="rep_id"), ["rep_id"])
    keys = [owner, _column(prospects, "market_id"), _column(prospects, "segment")]
    fits = _match(fitting, keys)
    territory_id = np.where(_present(fits), fits, _match(any_of_rep, keys[:1]))
    territory_id[~customer] = None
    name = _text(_look_up(context.rep_names, owner, keep=True))
    lost = np.select(
        [status != "customer", ~_present(owner)],
        ["Not a customer today.", "A customer, but its record names no current owner."],
        "A customer of " + name + ", who has no territory in this plan.",
    )
    won = "A customer of " + name + " today, and customers stay with their rep."
    return RuleAnswer(territory_id, np.where(_present(territory_id), won, lost))


def market_of_headquarters(prospects: pd.DataFrame, context: RuleContext) -> RuleAnswer:
    """Give a prospect to the territory that covers its segment in the market of its headquarters.

    A territory for this very segment goes before one for any segment, then the smallest id decides;
    the reason names the others.
    """
    covering = by_segment(context.territories)
    keys = [_column(prospects, "market_id"), _column(prospects, "segment")]
    territory_id = _match(_first(covering, ["market_id", "segment"]), keys)
    # All but the first of each key, in order, once each: the winner's rivals, for the reason only.
    others = (
        covering.groupby(["market_id", "segment"])["territory_id"]
        .agg(lambda ids: ", ".join(list(dict.fromkeys(ids))[1:]))
        .rename("territory_id")
        .reset_index()
    )
    also = _match(others[others["territory_id"] != ""], keys)
    tie = np.where(_present(also), RIVALS + _text(also) + ".", "")
    segment = pd.Series(keys[1]).str.replace("_", "-").to_numpy(object)
    where = headquarters(prospects, context)
    won = (
        where
        + " In this market, segment "
        + segment
        + " is covered by "
        + context.worker_names(territory_id)
        + "."
    )
    in_market = _present(keys[0])
    lost = where + np.where(
        in_market, " No territory covers segment " + segment + " in this market.", ""
    )
    return RuleAnswer(territory_id, np.where(_present(territory_id), won + tie, lost))


def by_segment(territories: pd.DataFrame) -> pd.DataFrame:
    """Spell "any segment" out, best first: the very segment, then any, then the smallest id."""
    # The rank goes before the id, so a territory for the very segment beats one for any whatever
    # their ids; equal ranks are decided by the smallest id, so that two runs agree.
    is_any = territories["segment"] == ANY_SEGMENT
    spelt = [territories[~is_any].assign(rank=0)]
    spelt += [territories[is_any].assign(segment=segment, rank=1) for segment in SEGMENTS]
    return pd.concat(spelt).sort_values(["rank", "territory_id"], kind="stable")


def _first(territories: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Keep the first territory of each key, in the order given, or by id where there is no rank."""
    order = territories if "rank" in territories else territories.sort_values("territory_id")
    return order.drop_duplicates(by)[[*by, "territory_id"]]


def _match(table: pd.DataFrame, keys: list[Texts]) -> Texts:
    """Look the keys up in the table whose columns are the keys and, last, ``territory_id``."""
    *by, value = table.columns
    query = pd.DataFrame(dict(zip(by, keys, strict=True)))
    # A merge in pandas matches null with null; here nobody's market is not a market.
    values = query.merge(table.dropna(subset=by), how="left", on=by)[value]
    return values.astype(object).where(values.notna(), None).to_numpy(object)


def without_rivals(reasons: pd.Series) -> pd.Series:
    """Leave out of reasons which other territories cover the segment too."""
    return reasons.str.rsplit(RIVALS, n=1).str[0]


RULE_FUNCTIONS: Mapping[str, Callable[[pd.DataFrame, RuleContext], RuleAnswer]] = {
    "named_account": named_account,
    "retained_customer": retained_customer,
    "market_of_headquarters": market_of_headquarters,
}


def assign(
    prospects: pd.DataFrame,
    territories: pd.DataFrame,
    named_accounts: pd.DataFrame,
    policy: Policy,
    *,
    rep_names: Mapping[str, str] | None = None,
    market_names: Mapping[str, str] | None = None,
    office_names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Give each prospect its territory and rep by the first rule of the policy that answers.

    Every prospect comes back exactly once, in the order given; one that no rule answers for has the
    rule "unassigned" and the last rule's reason. Ties go to the smallest territory id, so two runs
    over the same data agree.

    Parameters
    ----------
    prospects
        PROSPECTS with GEOCODE (WGS84 degrees, metres), and ``segment``, ``market_id``,
        ``nearest_office_id``, ``distance_m``, ``verdict`` and ``locality`` (text such as
        "Cook County, IL", or null).
    territories, named_accounts
        Contract frames.
    rep_names, market_names, office_names
        What the reasons call them, by id.

    Returns
    -------
    assignments
        ASSIGNMENTS.
    """
    context = RuleContext(
        territories,
        named_accounts,
        policy,
        rep_names or {},
        market_names or {},
        office_names or {},
    )
    # A reason is put together from a dozen columns of text, which are only held for a part.
    starts = range(0, max(len(prospects), 1), _CHUNK)
    return pd.concat([_assign(prospects.iloc[at : at + _CHUNK], context) for at in starts])


def _assign(prospects: pd.DataFrame, context: RuleContext) -> pd.DataFrame:
    number = len(prospects)
    territory_id: Texts = np.full(number, None, dtype=object)
    rule: Texts = np.full(number, UNASSIGNED, dtype=object)
    reason: Texts = np.full(number, "The policy has no rules.", dtype=object)
    for name in context.policy.precedence:
        # The first rule that answers wins. A rule that does not leaves its reason behind, which the
        # next one overwrites: an unassigned prospect is told why the last rule had no answer.
        is_open = rule == UNASSIGNED
        answer = RULE_FUNCTIONS[name](prospects, context)
        wins = is_open & _present(answer.territory_id)
        reason[is_open] = answer.reason[is_open]
        territory_id[wins] = answer.territory_id[wins]
        rule[wins] = name
    facts = prospects[
        ["prospect_id", "segment", "market_id", "nearest_office_id", "distance_m", "verdict"]
    ]
    whole = facts.assign(
        territory_id=territory_id, rep_id=context.reps_of(territory_id), rule=rule, reason=reason
    )
    return whole[list(ASSIGNMENTS.columns)].astype(
        dict.fromkeys(("territory_id", "rep_id", "rule", "reason"), object)
    )
