"""Labels of eligibility: decisions, units, methods, faults with remedies; sentences about them.

A decision says one plain sentence, and what to do where it is open.

No sentence quotes an address or coordinates: it goes into records that outlive them.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
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
# The one name of each verdict, for whoever reads; the codes above are for programs and records.
DECISION_NAMES = {
    ELIGIBLE: "Eligible",
    NOT_ELIGIBLE: "Not eligible",
    NEEDS_REVIEW: "Too close to call",
    CANNOT_DECIDE: "Cannot decide",
}
UNIT_WORDS = {"mi": ("miles", "mile"), "km": ("kilometers", "kilometer"), "min": ("minutes",) * 2}
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


# How earlier versions said the same: what is on record keeps its words, and still verifies.
_FORMER_WORDS = {
    "Needs review: ": "Too close to call: ",
    "kilometre": "kilometer",
    "a hair under": "just under",
    "a hair over": "just over",
    "no home was given": "no address was given",
    "one of latitude and longitude is missing or no number":
        "one of latitude and longitude is missing or is not a number",
    "coordinates 0, 0 mean that nobody knew the place": "0, 0 is a placeholder",
    "the coordinates are off the globe": "the coordinates are not on the globe",
    "Correct the coordinates.":
        "Correct them: latitude runs from -90 to 90, longitude from -180 to 180.",
    "latitude and longitude seem to be swapped for": "latitude and longitude look swapped for",
    "a post box is not where anybody lives": "a PO box is not a home address",
    "it is for post boxes or one organisation": "it is for PO boxes or one organization",
    "the address was not found": "no location of the home is known",
    "Correct the address. ": "",
    "Hand in a polygon": "Add a polygon",
    "Set up a routing adapter": "Set up a routing server",
    " round the ": " around the ",
}  # fmt: skip
_FORMER_END = re.compile(r"good until the day before (\d{4}-\d\d-\d\d)")


class Fault(NamedTuple):
    """Why nothing can be decided, and what to do about it."""

    reason: str
    remedy: str


_STREET = "Give the latitude and longitude of the home's street address."
_STREET_TO_HR = "Give HR your street address."
FAULTS = {
    "unreadable_day": Fault(
        "a day about the person could not be read", "Write days as 2026-01-31."
    ),
    "nothing_given": Fault("no address was given", _STREET),
    "no_place_named": Fault(
        "neither a ZIP code nor a city could be read from the address, and streets are not looked "
        "up here",
        "Add the ZIP code, or city and state.",
    ),
    "half_given": Fault(
        "one of latitude and longitude is missing or is not a number", "Give both in degrees."
    ),
    "null_island": Fault("0, 0 is a placeholder", _STREET),
    "off_globe": Fault(
        "the coordinates are not on the globe",
        "Correct them: latitude runs from -90 to 90, longitude from -180 to 180.",
    ),
    "swapped_globe": Fault("latitude and longitude look swapped", "Swap them."),
    "swapped": Fault(
        "latitude and longitude look swapped for an address in the United States", "Swap them."
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
    "po_box": Fault("a PO box is not a home address", _STREET),
    "unknown_zip": Fault("the ZIP code is unknown", "Correct the ZIP code. " + _STREET),
    "short_zip": Fault(
        "the ZIP code does not have five digits",
        "Give all five digits, or the country if it is abroad.",
    ),
    "zip_without_area": Fault(
        "the ZIP code has no area: it is for PO boxes or one organization", _STREET
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
    "unknown_city": Fault(
        "no city of that name is known here, and no state or ZIP code stands beside it",
        "Correct the city, and add the state and the ZIP code.",
    ),
    "city_abroad": Fault(
        "streets are not looked up here, and without a state the city is most likely one outside "
        "the United States",
        "Add the state or the ZIP code if the home is in the United States; otherwise give its "
        "latitude and longitude.",
    ),
    "abroad": Fault(
        "an address outside the United States is not looked up here",
        "Give the latitude and longitude of the home.",
    ),
    "unknown_country": Fault("the country is unknown", "Correct the country."),
    "city_not_found": Fault(
        "no city of that name is known in that state",
        "Correct the city or the state, or add the ZIP code. " + _STREET,
    ),
    "not_found": Fault("no location of the home is known", _STREET),
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
    "no_area": Fault("the office has no area", "Add a polygon with the id of the office."),
    "no_routing": Fault(
        "roads cannot be measured here and the straight line does not settle it",
        "Set up a routing server, or look the route up and decide by hand.",
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
    return f"just {'under' if side < 0 else 'over'} {limit:g} {words}"


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


def in_present_words(text: str) -> str:
    """Say a sentence or remedy of an earlier version in the words of this one."""
    for former, present in _FORMER_WORDS.items():
        text = text.replace(former, present)
    return _FORMER_END.sub(lambda end: f"valid through {day_before(end[1])}", text)


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
        f"{band_m / UNITS[criterion.unit]:.3g} {UNIT_WORDS[criterion.unit][0]} around "
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
        f"Eligible: by an exception granted on {exception.granted_on}, valid through "
        f"{day_before(exception.expires_on)}, approved by {exception.approver}: {exception.reason}."
    )


def day_before(day: str) -> str:
    """Give the last day of what ends before a day; ISO text."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


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


def remedy_for_candidate(remedy: str | None) -> str | None:
    """Say to the person who may live there what a remedy says to HR."""
    if remedy is None or "latitude and longitude" not in remedy.lower():
        return remedy
    return (
        remedy.removesuffix(_STREET) + _STREET_TO_HR if remedy.endswith(_STREET) else _STREET_TO_HR
    )


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
