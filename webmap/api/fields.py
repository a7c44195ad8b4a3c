"""What ``/api/v1`` speaks of, field by field: each is said once, with its type and its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from territory.eligibility.homes import PERSON
from territory.eligibility.rules import DECISIONS, METHODS
from territory.policy import RULES, SEGMENTS
from territory.schemas import MARKET_KINDS, PRECISIONS, SEVERITIES, STATUSES, UNASSIGNED, VERDICTS
from webmap.api.parameters import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    Json = dict[str, Any]


def text(words: str, *, given: bool = False, one_of: Iterable[str] = ()) -> Json:
    """Say a field of text; ``given`` is never null."""
    allowed = list(one_of)
    schema: Json = {"type": "string" if given else ["string", "null"], "description": words}
    if allowed:
        schema["enum"] = allowed if given else [*allowed, None]
    return schema


def number(words: str, low: float | None = None, high: float | None = None) -> Json:
    """Say a number that may be null."""
    schema: Json = {"type": ["number", "null"], "description": words}
    bounds = {"minimum": low, "maximum": high}
    return schema | {name: bound for name, bound in bounds.items() if bound is not None}


def count(words: str, *, given: bool = True) -> Json:
    """Say a whole number from 0 on."""
    kind = "integer" if given else ["integer", "null"]
    return {"type": kind, "minimum": 0, "description": words}


def record(fields: Json) -> Json:
    """Say an object that has all of these fields and no other."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def many(of: Json) -> Json:
    """Say a list."""
    return {"type": "array", "items": of}


def named(schema: str) -> Json:
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
    """Say an ISO day that may be null."""
    return {"type": ["string", "null"], "pattern": DAY, "description": words}


PROSPECT = {
    "prospect_id": text("Id of the prospect", given=True),
    "name": text("Name of the company", given=True),
    "status": text("Where it stands with us", given=True, one_of=STATUSES),
    "segment": text("Segment by number of employees", given=True, one_of=SEGMENTS),
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
    "rule": text("Rule that decided", given=True, one_of=(*RULES, UNASSIGNED)),
    "reason": text("Why, in one sentence", given=True),
    "nearest_office_id": text("The nearest of our offices"),
    "nearest_office_name": text("Name of that office"),
    "distance_mi": number("Straight line to it on the ellipsoid, miles", 0),
    "verdict": text("Within the radius or not; null: no location", one_of=VERDICTS),
    "website": text("Web address as it was imported"),
    "industry": text("Industry"),
    "employees": count("Number of employees", given=False),
    "revenue_usd": number("Revenue of a year, US dollars"),
    "stage": text("Stage of the open opportunity that is furthest"),
    "pipeline_usd": number("Open opportunities, US dollars; null: not in reach", 0),
    "last_activity_on": day("Last activity on any opportunity"),
}
CONTACT = {
    "contact_id": text("Id of the contact", given=True),
    "prospect_id": text("Id of the prospect", given=True),
    "name": text("Name", given=True),
    "title": text("Title"),
    "email": text("E-mail address"),
    "phone": text("Telephone number"),
}
OPPORTUNITY = {
    "opportunity_id": text("Id of the opportunity", given=True),
    "prospect_id": text("Id of the prospect", given=True),
    "name": text("Name"),
    "stage": text("Stage", given=True),
    "amount_usd": number("Amount, US dollars", 0),
    "close_on": day("Day it is to close"),
    "last_activity_on": day("Last activity"),
}
SITE = {
    "site_id": text("Id of the site", given=True),
    "prospect_id": text("Id of the prospect", given=True),
    "name": text("Name of the site"),
    **ADDRESS,
    **PLACE,
}
EXPLANATION = {
    "sentence": text("Why it is whose it is", given=True),
    "steps": many(
        record(
            {
                "rule": text("Name of the rule", given=True),
                "outcome": text("What came of it", given=True,
                                one_of=("won", "lost", "not reached")),
                "reason": text("Why", given=True),
            }
        )
    ),
    "effective_from": {"type": "string", "format": "date",
                       "description": "Day since when the plan is in force"},
    "policy": text("Name of the policy that the plan was decided with", given=True),
    "policy_version": text("Version of that policy", given=True),
}  # fmt: skip
MARKET = {
    "market_id": text("Id of the market", given=True),
    "name": text("Name", given=True),
    "kind": text("What it is made of", given=True, one_of=MARKET_KINDS),
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
    "unassigned": count("Of them, nobody's"),
    "findings": count("Findings in it"),
    "reps": count("Reps with a territory in it"),
    "pipeline_usd": number("Open opportunities, US dollars; null: not in reach", 0),
    "quota_usd": number("Quotas of its reps for the year of the plan; null: not in reach", 0),
}
OFFICE = {
    "office_id": text("Id of the office", given=True),
    "name": text("Name", given=True),
    **ADDRESS,
    **PLACE,
    "opened_on": day("Day it opened"),
    "closed_on": day("Day it closed"),
    "prospects": count("Prospects that have it as their nearest"),
    "within_radius": count("Of them, within the radius"),
}
FINDING = {
    "code": text("Kind of finding", given=True),
    "severity": text("How grave", given=True, one_of=SEVERITIES),
    "subject_kind": text("What it is about", given=True, one_of=SUBJECTS),
    "subject_id": text("Id of that", given=True),
    "message": text("What is wrong", given=True),
    "remedy": text("What to do", given=True),
    "market_id": text("Market it is in; null: in none"),
}
PLAN_ID = text("Plan in force; null before the first one")
WITHHELD = ("contacts", "opportunities", "sites")
DETAILS = {
    "plan_id": text("Plan in force", given=True),
    "prospect": named("Prospect"),
    "contacts": many(named("Contact")),
    "opportunities": many(named("Opportunity")),
    "sites": many(named("Site")),
    "withheld": {
        **many(text("A list", given=True, one_of=WITHHELD)),
        "description": "Lists that are empty because they are not in reach",
    },
    "explanation": named("Explanation"),
}
ERROR = {
    "error": record(
        {
            "status": {"type": "integer", "description": "The status of the answer"},
            "title": text("What happened", given=True),
            "message": text("What is wrong, and what to do", given=True),
        }
    )
}
DECISION = {
    "decision_id": text("Id under which the decision is on record", given=True),
    "decision": text("What was decided", given=True, one_of=DECISIONS),
    "basis": text("What it rests on", given=True,
                  one_of=("distance", "exception", "grandfathering", "location")),
    "reason": text("Why, without a distance", given=True),
    "remedy": text("What would settle it; null where nothing is open"),
    "distance_class": text("Between which bounds the distance lies, such as '25 to 50 miles'"),
    "method": text("How the distance was measured", one_of=METHODS),
    "office_id": text("Office that it was measured from"),
    "office_name": text("Name of that office"),
    "precision": text("What the location of the home is good for", one_of=PRECISIONS),
    "policy": text("Name of the policy", given=True),
    "policy_version": text("Version of the policy", given=True),
    "decided_on": {"type": "string", "format": "date", "description": "Day decided for"},
    "decided_at": {"type": "string", "format": "date-time", "description": "When, UTC"},
    "sha256": text("Digest of the record, for a certificate", given=True),
    "address_kept_until": day("Day after which the address is purged; null: none is kept"),
}  # fmt: skip
_MEASURE = {"type": ["string", "number", "null"], "maxLength": 300}
HOME = {
    **{name: {"type": ["string", "null"], "maxLength": 300} for name in (*ADDRESS, *PERSON)},
    "lat": _MEASURE | {"description": "Latitude, WGS84 degrees"},
    "lon": _MEASURE | {"description": "Longitude, WGS84 degrees"},
}
HOMES = {
    "a ZIP code": {"postal_code": "80202"},
    "an address": {"street": "1600 Broadway", "city": "Denver", "state": "CO"},
    "coordinates": {"lat": 39.74, "lon": -104.99, "person_id": "E-1017"},
}
QUESTION = {
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
        "policy": {"type": ["string", "null"], "maxLength": 300,
                   "description": "Name of the policy; by default the one in force"},
        "on": {"type": ["string", "null"], "pattern": r"^(\d{4}-\d\d-\d\d)?$",
               "description": "Day to decide for, such as 2026-01-31; by default today"},
    },
    "required": ["home"],
    "additionalProperties": False,
}  # fmt: skip
