"""JSON schemas of ``/api/v1``: every field of every answer and body, with its type and meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from territory.eligibility.homes import PERSON
from territory.eligibility.homes import PLACE as HOME_COLUMNS
from territory.eligibility.rules import DECISION_NAMES, DECISIONS, METHODS
from territory.policy import RULES, SEGMENTS
from territory.schemas import (
    MARKET_KINDS,
    OUTCOMES,
    PRECISIONS,
    SEVERITIES,
    STATUSES,
    UNASSIGNED,
    VERDICTS,
)
from webmap.api.parameters import LONGEST_VALUE, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    Json = dict[str, Any]


def text(words: str, *, nullable: bool = True, one_of: Iterable[str] = ()) -> Json:
    """Describe a field of text, or one of a few texts."""
    allowed = list(one_of)
    schema: Json = {"type": ["string", "null"] if nullable else "string", "description": words}
    if allowed:
        schema["enum"] = [*allowed, None] if nullable else allowed
    return schema


def number(words: str, low: float | None = None, high: float | None = None) -> Json:
    """Describe a number that may be null."""
    schema: Json = {"type": ["number", "null"], "description": words}
    bounds = {"minimum": low, "maximum": high}
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def count(words: str, *, nullable: bool = False) -> Json:
    """Describe a whole number from 0 on."""
    kind = ["integer", "null"] if nullable else "integer"
    return {"type": kind, "minimum": 0, "description": words}


def record(fields: Json) -> Json:
    """Describe an object that has all of these fields and no other."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def array(items: Json) -> Json:
    """Describe a list."""
    return {"type": "array", "items": items}


def reference(schema: str) -> Json:
    """Point to one of the schemas of the document."""
    return {"$ref": f"#/components/schemas/{schema}"}


ADDRESS = {
    "street": text("Street and number"),
    "city": text("City"),
    "state": text("State, two letters"),
    "postal_code": text("ZIP code, with its leading zeros"),
    "country": text("Country"),
}
PLACE = {
    "lat": number("Latitude", -90, 90),
    "lon": number("Longitude", -180, 180),
}
DAY = r"^\d{4}-\d\d-\d\d$"


def day(words: str) -> Json:
    """Describe an ISO day that may be null."""
    return {"type": ["string", "null"], "pattern": DAY, "description": words}


PROSPECT = {
    "prospect_id": text("Id of the prospect", nullable=False),
    "name": text("Name of the company", nullable=False),
    "status": text("Where it stands with us", nullable=False, one_of=STATUSES),
    "segment": text("Segment by number of employees", nullable=False, one_of=SEGMENTS),
    **ADDRESS,
    **PLACE,
    "precision": text("What the location is good for; null: no location", one_of=PRECISIONS),
    "uncertainty_mi": number("How far the location may be off, miles", 0),
    "market_id": text("Market of its headquarters; null: in none"),
    "market_name": text("Name of that market"),
    "territory_id": text("Territory it is assigned to; null: to none"),
    "territory_name": text("Name of that territory"),
    "rep_id": text("Rep who works it; null: nobody"),
    "rep_name": text("Name of that rep"),
    "rule": text("Rule that decided", nullable=False, one_of=(*RULES, UNASSIGNED)),
    "reason": text("Why, in one sentence", nullable=False),
    "nearest_office_id": text("The nearest of our offices"),
    "nearest_office_name": text("Name of that office"),
    "distance_mi": number("Straight line to it on the ellipsoid, miles", 0),
    "verdict": text("Within the radius or not; null: no location", one_of=VERDICTS),
    "website": text("Web address as it was imported"),
    "industry": text("Industry"),
    "employees": count("Number of employees", nullable=True),
    "revenue_usd": number("Revenue of a year, US dollars"),
    "stage": text("Stage of the largest open opportunity; null: none open"),
    "pipeline_usd": number("Open opportunities, US dollars; null: not in reach", 0),
    "last_activity_on": day("Last activity on any opportunity"),
}
CONTACT = {
    "contact_id": text("Id of the contact", nullable=False),
    "prospect_id": text("Id of the prospect", nullable=False),
    "name": text("Name", nullable=False),
    "title": text("Title"),
    "email": text("E-mail address"),
    "phone": text("Telephone number"),
}
OPPORTUNITY = {
    "opportunity_id": text("Id of the opportunity", nullable=False),
    "prospect_id": text("Id of the prospect", nullable=False),
    "name": text("Name"),
    "stage": text("Stage", nullable=False),
    "amount_usd": number("Amount, US dollars", 0),
    "close_on": day("Day it is to close"),
    "last_activity_on": day("Last activity"),
    "outcome": text("Open, won or lost", nullable=False, one_of=OUTCOMES),
}
SITE = {
    "site_id": text("Id of the site", nullable=False),
    "prospect_id": text("Id of the prospect", nullable=False),
    "name": text("Name of the site"),
    **ADDRESS,
    **PLACE,
}
EXPLANATION = {
    "sentence": text("Why it is whose it is", nullable=False),
    "steps": array(
        record(
            {
                "rule": text("Name of the rule", nullable=False),
                "outcome": text("What came of it", nullable=False,
                                one_of=("won", "lost", "not reached")),
                "reason": text("Why", nullable=False),
            }
        )
    ),
    "effective_from": {"type": "string", "format": "date",
                       "description": "Day since when the plan is in force"},
    "policy": text("Name of the policy that the plan was decided with", nullable=False),
    "policy_version": text("Version of that policy", nullable=False),
}  # fmt: skip
MARKET = {
    "market_id": text("Id of the market", nullable=False),
    "name": text("Name", nullable=False),
    "kind": text("What it is made of", nullable=False, one_of=MARKET_KINDS),
    "units": {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "description": "Codes of the units it is made of; null: a polygon",
    },
    "prospects": count("Prospects in it"),
    "enterprise": count("Of them, enterprise"),
    "mid_market": count("Of them, mid-market"),
    "customers": count("Of them, customers"),
    "within_radius": count("Of them, within the radius of an office"),
    "too_close": count("Of them, too close to the limit to call"),
    "unassigned": count("Of them, those that no rep works"),
    "findings": count("Findings in it"),
    "open_findings": count("Of them, to act on: notes are left out"),
    "reps": count("Reps with a territory in it"),
    "pipeline_usd": number("Open opportunities, US dollars; null: not in reach", 0),
    "quota_usd": number("Quotas of its reps for the year of the plan; null: not in reach", 0),
}
OFFICE = {
    "office_id": text("Id of the office", nullable=False),
    "name": text("Name", nullable=False),
    **ADDRESS,
    **PLACE,
    "opened_on": day("Day it opened"),
    "closed_on": day("Day it closed"),
    "prospects": count("Prospects that have it as their nearest"),
    "within_radius": count("Of them, within the radius"),
}
FINDING = {
    "code": text("Kind of finding", nullable=False),
    "severity": text("How severe", nullable=False, one_of=SEVERITIES),
    "subject_kind": text("What it is about", nullable=False, one_of=SUBJECTS),
    "subject_id": text("Id of that", nullable=False),
    "message": text("What is wrong", nullable=False),
    "remedy": text("What to do", nullable=False),
    "market_id": text("Market it is in; null: in none"),
}
PLAN_ID = text("Plan in force; null before the first one")
WITHHELD = ("contacts", "opportunities", "sites")
DETAILS = {
    "plan_id": text("Plan in force", nullable=False),
    "prospect": reference("Prospect"),
    "contacts": array(reference("Contact")),
    "opportunities": array(reference("Opportunity")),
    "sites": array(reference("Site")),
    "withheld": {
        **array(text("A list", nullable=False, one_of=WITHHELD)),
        "description": "Lists that are empty because they are not in reach",
    },
    "explanation": reference("Explanation"),
}
ERROR = {
    "error": record(
        {
            "status": {"type": "integer", "description": "The status of the answer"},
            "title": text("What happened", nullable=False),
            "message": text("What is wrong, and what to do", nullable=False),
        }
    )
}
DECISION = {
    "decision_id": text("Id under which the decision is on record; null: it is not"),
    "decision": text("What was decided", nullable=False, one_of=DECISIONS),
    "verdict": text("The decision as pages name it", nullable=False,
                    one_of=tuple(DECISION_NAMES.values())),
    "basis": text("What it rests on", nullable=False,
                  one_of=("distance", "exception", "grandfathering", "location")),
    "reason": text("Why, without a distance", nullable=False),
    "remedy": text("What would settle it; null where nothing is open"),
    "distance_class": text("Between which bounds the distance lies, such as '25 to 50 miles'"),
    "method": text("How the distance was measured", one_of=METHODS),
    "office_id": text("Office that it was measured from"),
    "office_name": text("Name of that office"),
    "precision": text("What the location of the home is good for", one_of=PRECISIONS),
    "policy": text("Name of the policy", nullable=False),
    "policy_version": text("Version of the policy", nullable=False),
    "decided_on": {"type": "string", "format": "date", "description": "Day decided for"},
    "decided_at": {"type": "string", "format": "date-time", "description": "When, UTC"},
    "sha256": text("Digest of the record, for a certificate; null: there is none"),
    "address_kept_until": day("Day after which the address is purged; null: none is kept"),
}  # fmt: skip
PERSON_FIELDS = {
    "person_id": "Id of the person, which is no name",
    "role": "Role, which a policy may have a radius for",
    "assigned_office_id": "Office that the person is assigned to",
    "eligible_since": "Day since which the person has been eligible",
    "home_since": "Day since which this has been the home",
    "role_since": "Day since which the person has had the role",
}
_VALUE = {"type": ["string", "null"], "maxLength": LONGEST_VALUE}
_DEGREES = _VALUE | {"type": ["string", "number", "null"]}
_HOME_FIELDS = {
    **{name: _VALUE | {"description": schema["description"]} for name, schema in ADDRESS.items()},
    "lat": _DEGREES | {"description": "Latitude, WGS84 degrees"},
    "lon": _DEGREES | {"description": "Longitude, WGS84 degrees"},
    "precision": _VALUE
    | {"description": "What the coordinates are good for, if not for a building: postal, place"},
    "uncertainty_m": _DEGREES | {"description": "How far off they may be, metres"},
    "geocode_source": _VALUE | {"description": "Where the coordinates come from"},
    **{name: _VALUE | {"description": words} for name, words in PERSON_FIELDS.items()},
}
# A column of the library that has no words here fails at import, not in a request.
HOME = {name: _HOME_FIELDS[name] for name in (*HOME_COLUMNS, *PERSON)}
HOMES = {
    "a ZIP code": {"postal_code": "80202"},
    "an address": {"street": "1600 Broadway", "city": "Denver", "state": "CO"},
    "coordinates": {"lat": 39.74, "lon": -104.99, "person_id": "E-1017"},
}
QUESTION: Json = {
    "type": "object",
    "properties": {
        "home": {
            "type": "object",
            "properties": HOME,
            "minProperties": 1,
            "additionalProperties": False,
            "description": "A ZIP code, a city and state, an address or coordinates; of the person "
            "an id that is no name, and days, if they are known",
        },
        "policy": {"type": ["string", "null"], "maxLength": LONGEST_VALUE,
                   "description": "Name of the policy; by default the one in force"},
        "on": {"type": ["string", "null"], "pattern": r"^(\d{4}-\d\d-\d\d)?$",
               "description": "Day to decide for, such as 2026-01-31; by default today"},
        "record": {"type": "boolean", "default": True,
                   "description": "false: answer only, and put nothing on record"},
    },
    "required": ["home"],
    "additionalProperties": False,
}  # fmt: skip
