"""What ``/api/v1`` takes and gives, as an OpenAPI 3.1 document.

Which rights an operation needs is read off the rule of its view. ``test_resources.py`` holds
the document against the answers.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from webmap import security
from webmap.api import fields as api_fields
from webmap.api import parameters as api_choices
from webmap.api.fields import count, many, named, record

if TYPE_CHECKING:
    from collections.abc import Iterable

    Json = dict[str, Any]

ABOUT = """\
What the plan in force holds. Send a token as `Authorization: Bearer territory_...`; an admin makes
one, it ends on a day, and it can do no more than both its scopes and its user may. A browser that
is signed in may read with its cookie. Rows out of reach do not exist: they are in no list, no count
and no sum, and their ids are answered like ids that never were.

Lists come in pages: `shown` of `total` rows. A published plan never changes, so pages with the same
`plan_id` fit together. A parameter that is not known is refused. Text that is not known is null.
Distances are miles, `uncertainty_mi` the radius within which a location is right, coordinates
WGS84 degrees, money US dollars, times UTC."""


LISTS = {"prospects": "Prospect", "markets": "Market", "offices": "Office", "findings": "Finding"}
ANSWERS = {
    400: "A parameter or the body cannot be followed; the message names everything wrong.",
    401: "Nobody is signed in, or the token is unknown, over or revoked.",
    403: "The right is missing, or the server does not answer this machine or under this name.",
    404: "There is no such thing, or none in reach.",
    409: "The store has moved on.",
    413: "The body is too large.",
    429: "That was too often.",
    500: "The server failed; nothing was changed.",
    503: "The store does not answer.",
}


def document(server: str, cookie: str) -> Json:
    """Write the document for a server at this address whose sessions are in this cookie."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Territory",
            "version": metadata.version("territory-mapper"),
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server.rstrip("/")}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": {str(status): _failure(words) for status, words in ANSWERS.items()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of a user. The roles of an operation are the scopes, "
                    "one of which the token must have.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookie,
                    "description": "The session of a browser that is signed in.",
                },
            },
        },
    }


def _schemas() -> Json:
    rows = {
        "Prospect": api_fields.PROSPECT,
        "Contact": api_fields.CONTACT,
        "Opportunity": api_fields.OPPORTUNITY,
        "Site": api_fields.SITE,
        "Explanation": api_fields.EXPLANATION,
        "Market": api_fields.MARKET,
        "Office": api_fields.OFFICE,
        "Finding": api_fields.FINDING,
        "ProspectDetails": api_fields.DETAILS,
        "Decision": api_fields.DECISION,
        "Error": api_fields.ERROR,
    }
    pages = {f"{name}Page": _page(name) for name in LISTS.values()}
    return {name: record(fields) for name, fields in (rows | pages).items()}


def _page(of: str) -> Json:
    return {
        "plan_id": api_fields.PLAN_ID,
        "page": {"type": "integer", "minimum": 1, "description": "Which page this is"},
        "pages": count("How many pages there are"),
        "per_page": {"type": "integer", "minimum": 1, "description": "Rows of a full page"},
        "shown": count("Rows on this page"),
        "total": count("Rows on all pages"),
        "items": many(named(of)),
    }


def _failure(words: str) -> Json:
    return {"description": words, "content": {"application/json": {"schema": named("Error")}}}


def _paths() -> Json:
    paths: Json = {f"/api/v1/{kind}": {"get": _listing(kind)} for kind in LISTS}
    paths["/api/v1/prospects/{prospect_id}"] = {
        "get": operation(
            "api.prospect",
            "One prospect, with all that is on file about it and why it is whose it is",
            named("ProspectDetails"),
            failures=(400, 404),
            parameters=[
                {
                    "name": "prospect_id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": api_choices.AN_ID},
                }
            ],
        )
    }
    paths["/api/v1/openapi.json"] = {
        "get": operation("api.openapi", "This document", {"type": "object"})
    }
    paths["/api/v1/eligibility"] = {"post": _decision()}
    return paths


def _decision() -> Json:
    document = operation(
        "api_eligibility.decide",
        "Decide whether a home is within the commute radius, and put it on record",
        named("Decision"),
        status=201,
        failures=(400, 404, 409, 413),
        by_session=False,  # a page of another site could send the cookie of whoever is signed in
    )
    body = {
        "application/json": {
            "schema": api_fields.QUESTION,
            "examples": {
                name: {"value": {"home": home}} for name, home in api_fields.HOMES.items()
            },
        }
    }
    return document | {"requestBody": {"required": True, "content": body}}


def _listing(kind: str) -> Json:
    first = {"type": "integer", "minimum": 1}
    parameters = [
        _query("page", "Which page", first | {"maximum": api_choices.LAST_PAGE, "default": 1}),
        _query(
            "per_page",
            "Rows of a page",
            first | {"maximum": api_choices.MOST_ROWS, "default": api_choices.PAGE_ROWS},
        ),
        *(
            _query(name, f"Only these; `{api_choices.UNKNOWN}`: not known", _values(offered))
            for name, (_, offered) in api_choices.CHOICES[kind].items()
        ),
    ]
    document = operation(
        f"api.{kind}",
        f"The {kind} of the plan in force, page by page",
        named(f"{LISTS[kind]}Page"),
        failures=(400,),
        parameters=parameters,
    )
    document["responses"]["200"]["headers"] = {
        "Link": {
            "description": "Addresses of the next, previous, first and last page (RFC 8288)",
            "schema": {"type": "string"},
        }
    }
    return document


def _query(name: str, words: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": words, "schema": schema, "explode": True}


def _values(offered: tuple[str, ...] | None) -> Json:
    one: Json = {"type": "string", "pattern": api_choices.AN_ID}
    if offered is not None:
        one = {"type": "string", "enum": [*offered, api_choices.UNKNOWN]}
    return {"type": "array", "items": one, "minItems": 1, "maxItems": api_choices.MOST_VALUES}


def operation(
    endpoint: str,
    summary: str,
    answer: Json,
    *,
    status: int = 200,
    failures: tuple[int, ...] = (),
    parameters: list[Json] | None = None,
    by_session: bool = True,
) -> Json:
    """Say an operation; the rule of its view says who may ask."""
    rule = security.rule_of(endpoint)
    is_public = rule is None or rule.is_public
    refusals = (403, 429, 500, 503) if is_public else (401, 403, 429, 500, 503)
    return {
        "operationId": endpoint.replace(".", "_"),
        "summary": summary,
        "security": [] if is_public or rule is None else _entries(rule.capabilities, by_session),
        "parameters": parameters or [],
        "responses": {
            str(status): {
                "description": summary,
                "content": {"application/json": {"schema": answer}},
            },
            **{
                str(one): {"$ref": f"#/components/responses/{one}"}
                for one in sorted((*failures, *refusals))
            },
        },
    }


def _entries(capabilities: Iterable[str], by_session: bool) -> list[Json]:
    """Say the ways in: a token with one of the scopes, or a session."""
    ways: list[Json] = [{"token": [name]} for name in sorted(capabilities)]
    return [*ways, {"session": []}] if by_session else ways
