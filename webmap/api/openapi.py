"""The OpenAPI 3.1 document of ``/api/v1``: its operations, who may call them and their answers.

Which rights an operation needs is read off the rule of its view; parameters come from the table
that the reader goes by; ``test_resources.py`` holds every answer against the document. It is
written by hand because flask-smorest cannot hold an answer to its schema (marshmallow leaves a
missing field out unsaid), ignores unknown and repeated parameters, and takes over the error pages
of the whole app.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from webmap import security
from webmap.api import fields, parameters
from webmap.api.fields import array, count, record, reference

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
        "Prospect": fields.PROSPECT,
        "Contact": fields.CONTACT,
        "Opportunity": fields.OPPORTUNITY,
        "Site": fields.SITE,
        "Explanation": fields.EXPLANATION,
        "Market": fields.MARKET,
        "Office": fields.OFFICE,
        "Finding": fields.FINDING,
        "ProspectDetails": fields.DETAILS,
        "Decision": fields.DECISION,
        "Error": fields.ERROR,
    }
    pages = {f"{name}Page": _page(name) for name in LISTS.values()}
    return {name: record(columns) for name, columns in (rows | pages).items()}


def _page(of: str) -> Json:
    return {
        "plan_id": fields.PLAN_ID,
        "page": {"type": "integer", "minimum": 1, "description": "Which page this is"},
        "pages": count("How many pages there are"),
        "per_page": {"type": "integer", "minimum": 1, "description": "Rows of a full page"},
        "shown": count("Rows on this page"),
        "total": count("Rows on all pages"),
        "items": array(reference(of)),
    }


def _failure(words: str) -> Json:
    return {"description": words, "content": {"application/json": {"schema": reference("Error")}}}


def _paths() -> Json:
    paths: Json = {f"/api/v1/{kind}": {"get": _listing(kind)} for kind in LISTS}
    paths["/api/v1/prospects/{prospect_id}"] = {
        "get": operation(
            "api.prospect",
            "One prospect, with all that is on file about it and why it is whose it is",
            reference("ProspectDetails"),
            failures=(400, 404),
            queries=[
                {
                    "name": "prospect_id",
                    "in": "path",
                    "description": "Id of the prospect",
                    "required": True,
                    "schema": {"type": "string", "pattern": parameters.AN_ID},
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
        reference("Decision"),
        status=201,
        failures=(400, 404, 409, 413),
        by_session=False,  # a page of another site could send the cookie of whoever is signed in
    )
    body = {
        "application/json": {
            "schema": fields.QUESTION,
            "examples": {name: {"value": {"home": home}} for name, home in fields.HOMES.items()},
        }
    }
    created = document["responses"]["201"]
    answered = {**created, "description": "The answer, of which nothing is on record"}
    responses = {**document["responses"], "200": answered}
    return document | {
        "requestBody": {"required": True, "content": body},
        "responses": responses,
    }


def _listing(kind: str) -> Json:
    paging = [
        _query(name, words, {"type": "integer", "minimum": 1, "maximum": most, "default": default})
        for name, (words, most, default) in parameters.PAGING.items()
    ]
    choices = [
        _query(name, f"Only these; `{parameters.UNKNOWN}`: not known", _values(offered))
        for name, (_, offered) in parameters.CHOICES[kind].items()
    ]
    document = operation(
        f"api.{kind}",
        f"The {kind} of the plan in force, page by page",
        reference(f"{LISTS[kind]}Page"),
        failures=(400,),
        queries=[*paging, *choices],
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
    one: Json = {"type": "string", "pattern": parameters.AN_ID}
    if offered is not None:
        one = {"type": "string", "enum": [*offered, parameters.UNKNOWN]}
    return {"type": "array", "items": one, "minItems": 1, "maxItems": parameters.MOST_VALUES}


def operation(
    endpoint: str,
    summary: str,
    answer: Json,
    *,
    status: int = 200,
    failures: tuple[int, ...] = (),
    queries: list[Json] | None = None,
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
        "parameters": queries or [],
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
