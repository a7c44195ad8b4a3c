"""Explanation of an assignment: every rule asked about one prospect, in the order tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from territory.plans.assignment import RIVALS, RULE_FUNCTIONS

if TYPE_CHECKING:
    import pandas as pd

    from territory.plans.assignment import RuleContext


@dataclass(frozen=True)
class RuleStep:
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
    steps: tuple[RuleStep, ...]
    plan_id: str
    plan_name: str
    effective_from: str
    published_at: str
    published_by: str
    publisher: str
    policy_name: str
    policy_version: str

    @property
    def owner(self) -> str:
        """Who works it, in words."""
        if self.territory_id is None:
            return "Unassigned"
        return f"{self.rep_name or 'No rep'}, territory {self.territory_name} ({self.territory_id})"

    @property
    def record(self) -> str:
        """Which plan and policy decided, when, and who published it."""
        return (
            f"Plan {self.plan_name} ({self.plan_id}), published {self.published_at} by "
            f"{self.publisher}, in force since {self.effective_from}. "
            f"Policy {self.policy_name}, version {self.policy_version}."
        )

    def words(self, step: RuleStep) -> str:
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


def ask_rules(
    prospect: pd.DataFrame, context: RuleContext, *, names_rivals: bool = True
) -> tuple[RuleStep, ...]:
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
    steps: list[RuleStep] = []
    winner = 0
    for place, name in enumerate(context.policy.precedence, start=1):
        answer = RULE_FUNCTIONS[name](prospect, context)
        answers, reason = answer.territory_id[0] is not None, str(answer.reason[0])
        if not names_rivals:
            reason = reason.rpartition(RIVALS)[0] or reason
        # Rules after the winner are asked too: what they would have said is whom it beat, which
        # readers of one rep's accounts are not told.
        if winner and not names_rivals:
            steps.append(RuleStep(name, "not reached", f"Rule {winner} decides."))
        elif winner:
            otherwise = f" Without it: {reason}" if answers else f" {reason}"
            steps.append(RuleStep(name, "not reached", f"Rule {winner} decides.{otherwise}"))
        elif answers:
            winner = place
            steps.append(RuleStep(name, "won", reason))
        else:
            steps.append(RuleStep(name, "lost", reason))
    return tuple(steps)
