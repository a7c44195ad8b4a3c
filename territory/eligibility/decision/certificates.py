"""A decision record as a page to print, and to sign: structured text, no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.eligibility.decision.disclosure import distance_classes, plain_reasons
from territory.eligibility.rules import LEVELS, METHOD_WORDS, UNIT_WORDS, policy_from, shown
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.eligibility.rules import Criterion, EligibilityPolicy

_BASES = {
    "distance": "distance",
    "exception": "an exception",
    "grandfathering": "an earlier decision that stands",
    "location": "what is known of the home and the person",
}
_FOOT = (
    "The home address is no part of this record. `territory eligibility verify` decides again from "
    "the recorded facts and names what differs."
)


@dataclass(frozen=True)
class Certificate:
    """What a printed decision says. ``lines``: label and text, in order; ``notes``: at the foot."""

    title: str
    verdict: str
    sentence: str
    remedy: str | None
    lines: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    digest: str

    def text(self) -> str:
        """The same as plain text."""
        width = max(len(label) for label, _ in self.lines)
        remedy = [f"What would settle it: {self.remedy}"] if self.remedy else []
        return "\n".join(
            [
                self.title,
                "=" * len(self.title),
                "",
                self.sentence,
                *remedy,
                "",
                *(f"{label + ':':{width + 1}} {text}" for label, text in self.lines),
                "",
                *self.notes,
                "",
            ]
        )


def certificate(
    record: Mapping[str, Any], *, decision_id: str | None = None, is_exact: bool = False
) -> Certificate:
    """Write a decision record out for a printed page.

    Parameters
    ----------
    record
        As ``eligibility_record.parse_record`` gives it.
    is_exact
        Whether the reader may know exact distances: HR, and the person. Otherwise they come in
        classes, and neither the record's sentence nor the reason of an exception is told.

    Raises
    ------
    PolicyError
        If the recorded rule is none.
    """
    policy = policy_from(record["policy"]["rule"], "the recorded policy")
    asked, told, made = record["asked"], record["decision"], record["made_with"]
    row = pd.DataFrame([told])
    sentence = told["sentence"] if is_exact else plain_reasons(row, policy).iloc[0]
    lines = [
        ("Decision", told["decision"]),
        ("On record as", decision_id or "not on record"),
        ("Person", asked["subject"] or "no reference given"),
        ("Decided for", asked["on"]),
        ("Policy", f"{policy.name} {policy.version}, in force since {policy.effective_from}"),
        ("Rule", "; or ".join(rule_words(criterion) for criterion in policy.any_of)),
        ("Rests on", _BASES[told["basis"]]),
        *_measured(row, told, policy, is_exact=is_exact),
        ("Asked by", f"{asked['by']}, {asked['at']}"),
        ("Made with", ", ".join(filter(None, (made["software"], made.get("routing"))))),
        ("Place data", made["data"]),
    ]
    digest = record["sha256"]["all"]
    return Certificate(
        title="Eligibility decision",
        verdict=told["decision"],
        sentence=sentence,
        remedy=told["remedy"],
        lines=tuple(lines),
        notes=(f"Record SHA-256: {digest}", _FOOT),
        digest=digest,
    )


def _measured(
    row: pd.DataFrame, told: Mapping[str, Any], policy: EligibilityPolicy, *, is_exact: bool
) -> list[tuple[str, str]]:
    """Say what was measured, exactly or in a class, and how well the home is known."""
    lines = []
    if told["office_name"]:
        lines.append(("Office", f"{told['office_name']} ({told['office_id']})"))
    if told["criterion"]:
        criterion = policy.any_of[int(told["criterion"]) - 1]
        method = METHOD_WORDS[criterion.method]
        measure = told["duration_s"] if told["distance_m"] is None else told["distance_m"]
        text = shown(measure, criterion) if is_exact else distance_classes(row, policy).iloc[0]
        lines.append((f"Distance, {method}", text))
    if told["precision"]:
        lines.append(("Home known as", LEVELS[told["precision"]]))
    if is_exact and told["uncertainty_m"] is not None:
        miles = told["uncertainty_m"] / METRES_PER_MILE
        lines.append(("Home known to", f"{miles:,.1f} miles" if miles else "the point given"))
    if is_exact and told["road_distance_m"] is not None:
        miles, minutes = told["road_distance_m"] / METRES_PER_MILE, told["road_time_s"] / 60
        lines.append(("By road", f"{miles:,.1f} miles, {minutes:,.0f} minutes"))
    return lines


def rule_words(criterion: Criterion) -> str:
    """Say "within 50 miles (straight line) of any open office, its point"."""
    offices = {
        "any_open": "any open office",
        "approved": f"an approved office ({', '.join(criterion.approved)})",
        "assigned": "the assigned office",
    }[criterion.offices]
    what = "area" if criterion.origin == "area" else "point"
    roles = f", for {', '.join(criterion.roles)}" if criterion.roles else ""
    end = "of" if criterion.is_near else "from"
    return (
        f"{criterion.comparison} {criterion.limit:g} {UNIT_WORDS[criterion.unit][0]} "
        f"({METHOD_WORDS[criterion.method]}) {end} the {what} of {offices}{roles}"
    )
