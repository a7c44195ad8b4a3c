"""The form of a policy: texts of the page -> policy, and back.

No WTForms: every check and message is that of ``policy_from``, and its fields would only repeat
what the template lays out by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from territory.eligibility.rules import policy_from
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from territory.eligibility.rules import Criterion, EligibilityPolicy

MOST_CRITERIA = 8
RULE = ("name", "version", "effective_from", "effective_until", "review_band",
        "minimum_precision", "decided_before")  # fmt: skip
CRITERION = ("limit", "unit", "comparison", "method", "origin", "offices", "approved", "roles")
LISTS = ("approved", "roles")
# Value and words of every choice of the form.
CHOICES = {
    "unit": {"mi": "miles", "km": "kilometres", "min": "minutes"},
    "comparison": {
        "within": "within (the limit counts)",
        "less than": "less than (it does not)",
        "at least": "at least (the limit counts)",
        "more than": "more than (it does not)",
    },
    "method": {
        "geodesic": "straight line",
        "road_distance": "distance by road",
        "road_time": "time by road",
    },
    "origin": {"office": "the office itself", "area": "the border of its area"},
    "offices": {
        "any_open": "any open office",
        "approved": "approved offices",
        "assigned": "the assigned office",
    },
    "minimum_precision": {
        "rooftop": "coordinates or exact address",
        "street": "street",
        "postal": "ZIP code",
        "place": "town",
        "region": "region",
    },
}


@dataclass
class PolicyForm:
    """What stands in the fields of the form, whether it makes a policy or not."""

    rule: dict[str, str]
    criteria: list[dict[str, str]]
    until: list[str] = field(default_factory=lambda: ["home", "role"])

    def table(self) -> dict[str, Any]:
        """Give it as a policy file has it; fields that were left empty are left out."""
        table: dict[str, Any] = {name: text for name, text in self.rule.items() if text}
        table["any_of"] = [_criterion(each) for each in self.criteria]
        decided_before = table.pop("decided_before", None)
        if decided_before:
            table["grandfathering"] = {"decided_before": decided_before, "until": self.until}
        return table

    def policy(self) -> EligibilityPolicy:
        """Make the policy.

        Raises
        ------
        PolicyError
            Naming every breach.
        """
        return policy_from(self.table(), self.rule["name"] or "The policy")


def _criterion(texts: dict[str, str]) -> dict[str, Any]:
    table: dict[str, Any] = {name: text for name, text in texts.items() if text}
    for name in LISTS:
        if name in table:
            table[name] = [part.strip() for part in table[name].split(",") if part.strip()]
    try:
        table["limit"] = float(table.get("limit", ""))
    except ValueError:
        table.setdefault("limit", "")
        table.pop("unit", None)  # "50mi" has its own
    return table


def blank() -> dict[str, str]:
    """Give one more alternative, as most rules have it."""
    return {**dict.fromkeys(CRITERION, ""), "limit": "50", "unit": "mi", "comparison": "within",
            "method": "geodesic", "origin": "office", "offices": "any_open"}  # fmt: skip


def read(fields: MultiDict[str, str]) -> PolicyForm:
    """Read the fields of a form that was sent."""
    number = fields.get("criteria", "1")
    several = int(number) if number.isascii() and number.isdigit() else 1
    return PolicyForm(
        {name: fields.get(name, "").strip() for name in RULE},
        [
            {name: fields.get(f"c{at}-{name}", "").strip() for name in CRITERION}
            for at in range(1, min(max(several, 1), MOST_CRITERIA) + 1)
        ],
        [name for name in fields.getlist("until") if name in {"home", "role"}],
    )


def of_policy(policy: EligibilityPolicy) -> PolicyForm:
    """Fill the form with a policy."""
    rule = {
        "name": policy.name,
        "version": policy.version,
        "effective_from": policy.effective_from,
        "effective_until": policy.effective_until or "",
        "review_band": _length(policy.review_band_m),
        "minimum_precision": policy.minimum_precision,
        "decided_before": "",
    }
    standing = policy.grandfathering
    if standing is None:
        return PolicyForm(rule, [_texts(each) for each in policy.any_of])
    rule["decided_before"] = standing.decided_before
    return PolicyForm(rule, [_texts(each) for each in policy.any_of], list(standing.until))


def _texts(criterion: Criterion) -> dict[str, str]:
    texts = {name: getattr(criterion, name) for name in CRITERION}
    texts |= {name: ", ".join(texts[name]) for name in LISTS}
    texts["limit"] = repr(criterion.limit).removesuffix(".0")
    return texts


def _length(metres: float) -> str:
    if not metres:
        return ""
    miles = f"{metres / METRES_PER_MILE:g}"
    return f"{miles}mi" if float(miles) * METRES_PER_MILE == metres else f"{metres!r}m"
