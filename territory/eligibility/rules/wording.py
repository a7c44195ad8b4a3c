"""Labels of eligibility: decisions, units, methods, faults with remedies; sentences about them.

A decision says one plain sentence, and what to do where it is open.

No sentence quotes an address or coordinates: it goes into records that outlive them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.eligibility.rules.policy import UNITS

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.eligibility.rules.policy import (
        Criterion,
        EligibilityPolicy,
        Grandfathering,
        GrantedException,
    )

    Texts = npt.NDArray[np.object_]


ELIGIBLE, NOT_ELIGIBLE = "eligible", "not eligible"
NEEDS_REVIEW, CANNOT_DECIDE = "needs review", "cannot decide"
DECISIONS = (ELIGIBLE, NOT_ELIGIBLE, NEEDS_REVIEW, CANNOT_DECIDE)
UNIT_WORDS = {"mi": ("miles", "mile"), "km": ("kilometres", "kilometre"), "min": ("minutes",) * 2}
METHOD_WORDS = {
    "geodesic": "straight line",
    "road_distance": "by road",
    "road_time": "by road",
}
LEVELS = {
    "rooftop": "location given",
    "street": "street-level location",
    "postal": "ZIP-level location",
    "place": "city-level location",
    "region": "region-level location",
}
_MOST_DIGITS = 9


class Fault(NamedTuple):
    """Why nothing can be decided, and what to do about it."""

    reason: str
    remedy: str


_STREET = "Give the latitude and longitude of the home's street address."
FAULTS = {
    "unreadable_day": Fault(
        "a day about the person could not be read", "Write days as 2026-01-31."
    ),
    "nothing_given": Fault("no home was given", _STREET),
    "half_given": Fault(
        "one of latitude and longitude is missing or no number", "Give both in degrees."
    ),
    "null_island": Fault("coordinates 0, 0 mean that nobody knew the place", _STREET),
    "off_globe": Fault("the coordinates are off the globe", "Correct the coordinates."),
    "swapped": Fault(
        "latitude and longitude seem to be swapped for an address in the United States",
        "Swap them.",
    ),
    "signless": Fault(
        "the coordinates are not in the United States, as the address is, but would be with a "
        "negative longitude",
        "Put a minus sign before the longitude.",
    ),
    "antarctic": Fault("the coordinates are in Antarctica", "Correct or swap the coordinates."),
    "contradiction": Fault(
        "the coordinates are far from the address beside them", "Correct one of the two."
    ),
    "po_box": Fault("a post box is not where anybody lives", _STREET),
    "unknown_zip": Fault("the ZIP code is unknown", "Correct the ZIP code. " + _STREET),
    "zip_without_area": Fault(
        "the ZIP code has no area: it is for post boxes or one organisation", _STREET
    ),
    "state_disagrees": Fault(
        "ZIP code and state disagree", "Correct the ZIP code or the state of the home."
    ),
    "city_disagrees": Fault(
        "the ZIP code is far from the city beside it", "Correct the ZIP code or the city."
    ),
    "ambiguous_city": Fault(
        "several places bear the name of the city", "Add the state and the ZIP code."
    ),
    "abroad": Fault(
        "an address outside the United States is not looked up here",
        "Give the latitude and longitude of the home.",
    ),
    "unknown_country": Fault("the country is unknown", "Correct the country."),
    "not_found": Fault("the address was not found", "Correct the address. " + _STREET),
    "too_coarse": Fault("the home is known less precisely than the policy asks", _STREET),
    "no_role": Fault(
        "the policy has no rule for this role, or none was given", "Give the role of the person."
    ),
    "no_assigned_office": Fault(
        "the policy measures from the assigned office and none was given",
        "Give the id of the office that the person is assigned to.",
    ),
    "unknown_office": Fault(
        "the assigned office is not in the list of offices", "Correct the office id."
    ),
    "closed_office": Fault(
        "the assigned office is not open on that day", "Assign an office that is open."
    ),
    "no_open_office": Fault(
        "none of the policy's offices is open on that day", "Check the offices' dates."
    ),
    "no_area": Fault("the office has no area", "Hand in a polygon with the id of the office."),
    "no_routing": Fault(
        "roads cannot be measured here and the straight line does not settle it",
        "Set up a routing adapter, or look the route up and decide by hand.",
    ),
    "no_route": Fault("no route was found", "Look the route up and decide by hand."),
    "unreadable": Fault("the row could not be read", "Correct the row in the file."),
}


def measure_text(measure: float, criterion: Criterion) -> str:
    """Write metres or seconds in the unit of the limit, never on the wrong side of it.

    One decimal as a rule; as many as it takes near the limit, so that 49.96 of 50 is not "50.0".
    """
    words = UNIT_WORDS[criterion.unit][0]
    value, limit = measure / UNITS[criterion.unit], criterion.limit
    side = np.sign(measure - criterion.limit_si)
    for digits in range(1, _MOST_DIGITS + 1):
        text = f"{value:.{digits}f}"
        if np.sign(float(text) - limit) == side:
            return f"{value:,.{digits}f} {words}"
    return f"a hair {'under' if side < 0 else 'over'} {limit:g} {words}"


def measure_texts(measures: npt.NDArray[np.float64], criterion: Criterion) -> Texts:
    """``measure_text`` of each measure, shape (n,): each distinct text is written once."""
    unit = UNITS[criterion.unit]
    tenths = np.rint(measures / unit * 10)
    near = np.abs(measures - criterion.limit_si) <= 0.11 * unit
    texts = np.empty(len(measures), dtype=object)
    distinct, which = np.unique(tenths[~near], return_inverse=True)
    words = UNIT_WORDS[criterion.unit][0]
    written = np.array([f"{value / 10:,.1f} {words}" for value in distinct.tolist()] + [""], object)
    texts[~near] = written[which.ravel()]
    texts[near] = [measure_text(value, criterion) for value in measures[near].tolist()]
    return texts


def limit_words(criterion: Criterion) -> str:
    """Say "the 50-mile limit"."""
    return f"the {criterion.limit:g}-{UNIT_WORDS[criterion.unit][1]} limit"


def _origin(criterion: Criterion, office: str) -> str:
    return f"the area of {office}" if criterion.origin == "area" else office


def around(
    criterion: Criterion, office: str, side: int, *, is_inside: bool, is_lower_bound: bool
) -> tuple[str, str]:
    """Write what stands before and after the distance in the clause of a settled criterion.

    ``side`` is -1, 0 or 1: the distance is less than, exactly or more than the limit.
    """
    limit = limit_words(criterion)
    counts = "counts" if criterion.comparison in ("within", "at least") else "does not count"
    where = {-1: f"inside {limit}", 0: f"exactly at {limit}, which {counts}", 1: f"beyond {limit}"}
    place = _origin(criterion, office)
    if is_inside:
        return "", f" away: inside {place}, and so {where[side]}"
    if is_lower_bound:
        way = (
            "straight line at 216 km/h" if criterion.unit == "min"
            else "straight line; no road is shorter"
        )  # fmt: skip
        return "at least ", f" ({way}) from {place}, {where[side]}"
    return "", f" ({METHOD_WORDS[criterion.method]}) from {place}, {where[side]}"


def between(criterion: Criterion, office: str, low: float, high: float) -> str:
    """Write the clause of a criterion whose limit runs through what may be the distance."""
    place, how = _origin(criterion, office), METHOD_WORDS[criterion.method]
    ends = f"between {measure_text(low, criterion)} and {measure_text(high, criterion)}"
    return f"{ends} ({how}) from {place}, on either side of {limit_words(criterion)}"


def in_band(criterion: Criterion, office: str, measure: float, band_m: float) -> str:
    """Write the clause of a distance that the policy wants a person to look at."""
    place, how = _origin(criterion, office), METHOD_WORDS[criterion.method]
    return (
        f"{measure_text(measure, criterion)} ({how}) from {place}, in the review band of "
        f"{band_m / UNITS[criterion.unit]:.3g} {UNIT_WORDS[criterion.unit][0]} round "
        f"{limit_words(criterion)}"
    )


def known_to(precision: str | None, uncertainty_m: float, unit: str) -> str:
    """Say "the ZIP-level location is known to 3.4 miles"."""
    unit = "mi" if unit == "min" else unit
    value, words = uncertainty_m / UNITS[unit], UNIT_WORDS[unit][0]
    size = f"{value:,.1f} {words}" if value >= 0.05 else f"less than 0.1 {words}"
    return f"the {LEVELS.get(precision or '', 'location')} is known to {size}"


def by_exception(exception: GrantedException) -> str:
    """Say that somebody is eligible whatever the distance, and why."""
    return (
        f"Eligible: by an exception granted on {exception.granted_on}, good until the day before "
        f"{exception.expires_on}, approved by {exception.approver}: {exception.reason}."
    )


def by_grandfathering(rule: Grandfathering, decided_on: str) -> str:
    """Say that an earlier decision stands."""
    return (
        f"Eligible: decided on {decided_on}, before {rule.decided_before}, and no change of "
        f"{' or '.join(rule.until)} since."
    )


def review_remedy(precision: str | None, *, is_band: bool, is_road: bool) -> str:
    """Say what would settle a decision that needs review."""
    if is_band:
        return "A person decides: the policy asks for that so near the limit."
    if is_road:
        return "The street address of the home, and its route, would settle it."
    if precision in ("rooftop", "street"):
        return "More exact coordinates of the home would settle it."
    return "The latitude and longitude of the home's street address would settle it."


def criterion_words(criterion: Criterion) -> str:
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


def policy_words(policy: EligibilityPolicy) -> str:
    """Say the whole rule: its alternatives, joined by "or"."""
    return "; or ".join(criterion_words(criterion) for criterion in policy.any_of)
