"""Who owns each prospect, by which rule, and why: named rules in the order the policy sets.

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
_RIVALS = " Behind it, also covering the segment: "  # ends the reason of a rule
_CHUNK = 100_000  # prospects whose reasons are put together at a time


class Answer(NamedTuple):
    """What one rule says of n prospects: the territory, None where it has no answer, and why."""

    territory_id: Texts
    reason: Texts


@dataclass(frozen=True)
class Ground:
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
        """Give the rep of each territory, None where there is none."""
        owners = self.territories.sort_values("territory_id").drop_duplicates("territory_id")
        return _look_up(
            dict(zip(owners["territory_id"], owners["rep_id"], strict=True)), territory_id
        )

    def workers(self, territory_id: Texts) -> Texts:
        """Say who works each territory: the rep's name, or that there is nobody."""
        rep_id = self.reps_of(territory_id)
        names = _look_up(self.rep_names, rep_id, keep=True)
        titles = self.territories.sort_values("territory_id").drop_duplicates("territory_id")
        title = dict(zip(titles["territory_id"], titles["name"], strict=True))
        nobody = "nobody (territory " + _shown(_look_up(title, territory_id, keep=True))
        return np.where(_known(names), _shown(names), nobody + " has no rep)")


def _known(values: Texts) -> npt.NDArray[np.bool_]:
    return np.asarray(pd.notna(values), bool)


def _shown(values: Texts) -> Texts:
    """Texts that can be joined: "" for None."""
    return np.where(_known(values), values, "")


def _look_up(names: Mapping[str, str], ids: Texts, *, keep: bool = False) -> Texts:
    """Translate ids; one that ``names`` does not know becomes None, or stays as it is."""
    codes, distinct = pd.factorize(ids)
    values = [names.get(one, one if keep else None) for one in distinct]
    return np.array([*values, None], dtype=object)[codes]


def _column(frame: pd.DataFrame, name: str) -> Texts:
    return frame[name].to_numpy(object)


def headquarters(prospects: pd.DataFrame, ground: Ground) -> Texts:
    """Say where each prospect has its headquarters and how far its nearest office is.

    The distance is rounded so that it never reads on the wrong side of the policy's limit.
    """
    limit_m = ground.policy.radius.limit_m
    market_id = _column(prospects, "market_id")
    market = _shown(_look_up(ground.market_names, market_id, keep=True))
    locality, office_id = _column(prospects, "locality"), _column(prospects, "nearest_office_id")
    area = np.where(_known(market_id), "the " + market + " market", "no market")
    where = np.where(_known(locality), " (" + _shown(locality) + ")", "")
    miles = np.array(
        [format_miles(d, limit_m) if d == d else "" for d in prospects["distance_m"].tolist()],
        dtype=object,
    )
    office = _shown(_look_up(ground.office_names, office_id, keep=True))
    near = np.where(_known(office_id), ", " + miles + " from the " + office + " office", "")
    known_to = np.array(
        [f" The location is known to {format_miles(u)}." for u in _uncertain(prospects)],
        dtype=object,
    )
    vague = ~np.isin(_column(prospects, "precision").astype(str), PRECISE)
    sentence = "Headquartered in " + area + where + near + "." + np.where(vague, known_to, "")
    placed = prospects["lon"].notna().to_numpy()
    return np.where(placed, sentence, "No location could be found, so no market can be told.")


def _uncertain(prospects: pd.DataFrame) -> list[float]:
    metres: list[float] = prospects["uncertainty_m"].fillna(0.0).tolist()
    return metres


def named_account(prospects: pd.DataFrame, ground: Ground) -> Answer:
    """Give a prospect on the list of named accounts to the territory the list says."""
    accounts = ground.named_accounts
    listed = dict(zip(accounts["prospect_id"], accounts["territory_id"], strict=True))
    territory_id = _look_up(listed, _column(prospects, "prospect_id"))
    won = "Named account of " + ground.workers(territory_id) + ", wherever it is headquartered."
    return Answer(
        territory_id, np.where(_known(territory_id), won, "Not on the list of named accounts.")
    )


def retained_customer(prospects: pd.DataFrame, ground: Ground) -> Answer:
    """Leave a customer with the rep who works it today.

    A rep of several territories keeps it in the one that covers its market and segment, or else in
    the one with the smallest id.
    """
    owner, status = _column(prospects, "owner_rep_id"), _column(prospects, "status")
    customer = (status == "customer") & _known(owner)
    covering = _covering(ground.territories)
    covering = covering[_known(covering["rep_id"].to_numpy(object))]
    fitting = _first(covering, ["rep_id", "market_id", "segment"])
    any_of_rep = _first(ground.territories.dropna(subset="rep_id"), ["rep_id"])
    keys = [owner, _column(prospects, "market_id"), _column(prospects, "segment")]
    fits = _match(fitting, keys)
    territory_id = np.where(_known(fits), fits, _match(any_of_rep, keys[:1]))
    territory_id[~customer] = None
    name = _shown(_look_up(ground.rep_names, owner, keep=True))
    lost = np.select(
        [status != "customer", ~_known(owner)],
        ["Not a customer today.", "A customer, but the file names no rep who works it today."],
        "A customer of " + name + ", who has no territory in this plan.",
    )
    won = "A customer of " + name + " today, and customers stay with their rep."
    return Answer(territory_id, np.where(_known(territory_id), won, lost))


def market_of_headquarters(prospects: pd.DataFrame, ground: Ground) -> Answer:
    """Give a prospect to the territory that covers its segment in the market of its headquarters.

    A territory for this very segment goes before one for any segment, then the smallest id decides;
    the reason names the others.
    """
    covering = _covering(ground.territories)
    keys = [_column(prospects, "market_id"), _column(prospects, "segment")]
    territory_id = _match(_first(covering, ["market_id", "segment"]), keys)
    others = (
        covering.groupby(["market_id", "segment"])["territory_id"]
        .agg(lambda ids: ", ".join(list(dict.fromkeys(ids))[1:]))
        .rename("territory_id")
        .reset_index()
    )
    also = _match(others[others["territory_id"] != ""], keys)
    tie = np.where(_known(also), _RIVALS + _shown(also) + ".", "")
    segment = pd.Series(keys[1]).str.replace("_", "-").to_numpy(object)
    where = headquarters(prospects, ground)
    won = (
        where + " Segment " + segment + " is worked by " + ground.workers(territory_id) + " there."
    )
    in_market = _known(keys[0])
    lost = where + np.where(in_market, " No territory covers segment " + segment + " there.", "")
    return Answer(territory_id, np.where(_known(territory_id), won + tie, lost))


def _covering(territories: pd.DataFrame) -> pd.DataFrame:
    """Spell "any segment" out, best first: the very segment, then any, then the smallest id."""
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
    wanted = pd.DataFrame(dict(zip(by, keys, strict=True)))
    # A null never equals a null here: nobody's market is not a market.
    values = wanted.merge(table.dropna(subset=by), how="left", on=by)[value]
    return values.astype(object).where(values.notna(), None).to_numpy(object)


RULE_FUNCTIONS: Mapping[str, Callable[[pd.DataFrame, Ground], Answer]] = {
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
    ground = Ground(
        territories,
        named_accounts,
        policy,
        rep_names or {},
        market_names or {},
        office_names or {},
    )
    # A reason is put together from a dozen columns of text, which are only held for a part.
    starts = range(0, max(len(prospects), 1), _CHUNK)
    return pd.concat([_assign(prospects.iloc[at : at + _CHUNK], ground) for at in starts])


def _assign(prospects: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    number = len(prospects)
    territory_id: Texts = np.full(number, None, dtype=object)
    rule: Texts = np.full(number, UNASSIGNED, dtype=object)
    reason: Texts = np.full(number, "No rule is set that could answer.", dtype=object)
    for name in ground.policy.precedence:
        is_open = rule == UNASSIGNED
        answer = RULE_FUNCTIONS[name](prospects, ground)
        wins = is_open & _known(answer.territory_id)
        reason[is_open] = answer.reason[is_open]
        territory_id[wins] = answer.territory_id[wins]
        rule[wins] = name
    facts = prospects[
        ["prospect_id", "segment", "market_id", "nearest_office_id", "distance_m", "verdict"]
    ]
    whole = facts.assign(
        territory_id=territory_id, rep_id=ground.reps_of(territory_id), rule=rule, reason=reason
    )
    return whole[list(ASSIGNMENTS.columns)].astype(
        dict.fromkeys(("territory_id", "rep_id", "rule", "reason"), object)
    )


@dataclass(frozen=True)
class Step:
    """One rule that was asked: its outcome is "won", "lost" or "not reached"."""

    rule: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Why a prospect is whose it is: one sentence, then every rule in the order tried.

    ``effective_from`` is the day since when the plan is in force, ``published_at`` UTC; both ISO.
    """

    prospect_id: str
    name: str
    rule: str
    territory_id: str | None
    territory_name: str | None
    rep_id: str | None
    rep_name: str | None
    sentence: str
    steps: tuple[Step, ...]
    plan_id: str
    plan_name: str
    effective_from: str
    published_at: str
    published_by: str
    policy_name: str
    policy_version: str

    @property
    def owner(self) -> str:
        """Who works it, in words."""
        if self.territory_id is None:
            return "Unassigned"
        return f"{self.rep_name or 'Nobody'}, territory {self.territory_name} ({self.territory_id})"

    @property
    def record(self) -> str:
        """Which plan and policy decided, when, and who published it."""
        return (
            f"Plan {self.plan_name} ({self.plan_id}), published {self.published_at} by "
            f"{self.published_by}, in force since {self.effective_from}. "
            f"Policy {self.policy_name}, version {self.policy_version}."
        )

    def words(self, step: Step) -> str:
        """What to say of a rule: the owner, where ``sentence`` has said the reason already."""
        is_said = step.outcome == "won" and step.reason == self.sentence
        return self.owner if is_said else step.reason

    def lines(self) -> list[str]:
        """Tell it as plain text, the very sentences that the page shows."""
        return [
            f"{self.name} ({self.prospect_id}): {self.owner}",
            self.sentence,
            *(
                f"{place}. {rule_name(step.rule)}, {step.outcome}: {self.words(step)}"
                for place, step in enumerate(self.steps, start=1)
            ),
            self.record,
        ]


def rule_name(rule: str) -> str:
    """Write a rule as people say it: "Market of headquarters"."""
    return rule.replace("_", " ").capitalize()


def without_rivals(reasons: pd.Series) -> pd.Series:
    """Leave out of reasons which other territories cover the segment too."""
    return reasons.str.rsplit(_RIVALS, n=1).str[0]


def explain(
    prospect: pd.DataFrame, ground: Ground, *, names_rivals: bool = True
) -> tuple[Step, ...]:
    """Ask every rule of the policy about one prospect, in order.

    A rule after the winner is "not reached"; its step still says what it would have answered, so
    that a reader sees whom the winner beat.

    Parameters
    ----------
    prospect
        One row with the columns that ``assign`` reads.
    names_rivals
        Whether to say whom the winner beat.
    """
    steps: list[Step] = []
    winner = 0
    for place, name in enumerate(ground.policy.precedence, start=1):
        answer = RULE_FUNCTIONS[name](prospect, ground)
        answers, reason = answer.territory_id[0] is not None, str(answer.reason[0])
        if not names_rivals:
            reason = reason.rpartition(_RIVALS)[0] or reason
        if winner and not names_rivals:
            steps.append(Step(name, "not reached", f"Rule {winner} decides."))
        elif winner:
            otherwise = f" It would have said: {reason}" if answers else f" {reason}"
            steps.append(Step(name, "not reached", f"Rule {winner} decides.{otherwise}"))
        elif answers:
            winner = place
            steps.append(Step(name, "won", reason))
        else:
            steps.append(Step(name, "lost", reason))
    return tuple(steps)
