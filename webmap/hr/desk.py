"""What the pages of the HR desk share: blueprints, the home store, requests to decide, words.

What is typed about a home comes by POST and leaves in the page of the answer alone: it is in no
address, title, log or error. Pages of the desk are kept by no browser.
"""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app

from territory.eligibility.desk import REPLACED, STARTS_LATER
from territory.eligibility.homes import PERSON, PLACE
from territory.eligibility.rules import (
    CANNOT_DECIDE,
    DECISION_NAMES,
    DRAFT,
    ELIGIBLE,
    ENDED,
    IN_FORCE,
    NEEDS_REVIEW,
    NOT_ELIGIBLE,
    NOT_YET,
    TAKEN_BACK,
    policy_words,
)
from territory.errors import InputError
from webmap import context, security

if TYPE_CHECKING:
    from territory.eligibility.desk import DecisionRequest
    from territory.eligibility.homes import HomeStore

# How a decision is said on pages: class, icon and word, so that it reads without its colour.
DECISION_TAG = {
    ELIGIBLE: ("ok", "check", DECISION_NAMES[ELIGIBLE]),
    NOT_ELIGIBLE: ("no", "cross", DECISION_NAMES[NOT_ELIGIBLE]),
    NEEDS_REVIEW: ("review", "wave", DECISION_NAMES[NEEDS_REVIEW]),
    CANNOT_DECIDE: ("unknown", "question", DECISION_NAMES[CANNOT_DECIDE]),
}
DECISION_MEANING = {
    ELIGIBLE: "The whole location is on the right side of the limit",
    NOT_ELIGIBLE: "The whole location is on the wrong side of every limit",
    NEEDS_REVIEW: "The limit runs through where the home may be",
    CANNOT_DECIDE: "The row does not tell where the home is",
}
POLICY_TAG = {
    IN_FORCE: ("ok", "check", "In force"),
    STARTS_LATER: ("", "dash", "Starts later"),
    REPLACED: ("", "dash", "Replaced"),
    ENDED: ("", "dash", "Ended"),
    DRAFT: ("review", "wave", "Draft"),
}
EXCEPTION_TAG = {
    IN_FORCE: ("ok", "check", "In force"),
    NOT_YET: ("", "dash", "Not yet"),
    ENDED: ("unknown", "dash", "Ended"),
    TAKEN_BACK: ("no", "cross", "Taken back"),
}
HOME_COLUMN = {
    **{name: name.capitalize() for name in (*PLACE, *PERSON)},
    "person_id": "Reference of the person",
    "postal_code": "ZIP code",
    "lat": "Latitude",
    "lon": "Longitude",
    "assigned_office_id": "Id of the assigned office",
    "eligible_since": "Eligible since (day)",
    "home_since": "Lives there since (day)",
    "role_since": "Has the role since (day)",
}


def blueprint(name: str, import_name: str, url_prefix: str) -> Blueprint:
    """Make the blueprint of some pages of the desk: with its words, and kept by no browser."""
    pages = Blueprint(name, import_name, url_prefix=url_prefix)
    pages.after_request(keep_nowhere)
    pages.context_processor(_words)
    return pages


def keep_nowhere(response: Response) -> Response:
    """Let no browser keep a page that may tell where somebody lives."""
    if response.mimetype != "text/javascript":
        response.headers["Cache-Control"] = "no-store"
    return response


def _words() -> dict[str, Any]:
    return {
        "DECISION_TAG": DECISION_TAG,
        "DECISION_MEANING": DECISION_MEANING,
        "POLICY_TAG": POLICY_TAG,
        "EXCEPTION_TAG": EXCEPTION_TAG,
        "HOME_COLUMN": HOME_COLUMN,
        "policy_words": policy_words,
        "verdict_body": verdict_body,
    }


def verdict_body(sentence: str) -> str:
    """Leave out the verdict at the head of a sentence, where the word stands above it."""
    head, mark, body = sentence.partition(": ")
    return body if mark and head in {*DECISION_NAMES.values(), "Needs review"} else sentence


def homes() -> HomeStore:
    """Give the home store, opened once per process: connections do not survive a fork."""
    stores: dict[int, HomeStore] = current_app.extensions.setdefault("homes", {})
    if os.getpid() not in stores:
        stores[os.getpid()] = context.settings().eligibility.open_homes()
    return stores[os.getpid()]


def decision_request(policy_name: str | None = None, on: str | None = None) -> DecisionRequest:
    """Ask as whoever is signed in, now, by the areas and roads that are set up."""
    return context.settings().eligibility.request(
        by=security.person(), now=context.now(), policy_name=policy_name, on=on
    )


def read_day(text: str, label: str) -> str | None:
    """Read a day of a form, ISO text; None where the field is blank.

    Raises
    ------
    InputError
        If it is no day. The message does not repeat it.
    """
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"{label}: that is no day. Write it as 2026-01-31.") from None
