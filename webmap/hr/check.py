"""The desk of HR: check one home, find past decisions, print what was decided.

What is typed about a home comes by POST and leaves in the page of the answer alone: it is in no
address, title, log or error. Pages of the desk are kept by no browser.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
from flask import Blueprint, Response, redirect, render_template, request, url_for

from territory.access import users
from territory.eligibility import desk, rules
from territory.eligibility.decision import Certificate, record_text, rule_words
from territory.eligibility.decision import certificate as decision_certificate
from territory.eligibility.desk import place
from territory.eligibility.homes import DAYS, PERSON, PLACE, read_typed
from territory.eligibility.rules import DECISIONS, PUBLISHED, is_reference, version_in_force
from territory.errors import InputError, NotFoundError
from webmap import context, security
from webmap.hr import decision_map
from webmap.hr.home_store import homes, question
from webmap.maps import RenderedMap, basemap, home_map
from webmap.pages import records, tables

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.eligibility.rules import PolicyVersion

blueprint = Blueprint("hr", __name__, url_prefix="/hr")

PAGE_ROWS = 50
FIELDS = ("home", "policy", "on", *PERSON)
ASKED_BY = "Asked by"  # the line of a certificate
SOUGHT = ("person", "verdict", "policy", "from", "until")
# How a decision is said on pages: class, icon and word, so that it reads without its colour.
DECISION_TAG = {
    "eligible": ("ok", "check", "Eligible"),
    "not eligible": ("no", "cross", "Not eligible"),
    "needs review": ("review", "wave", "Too close to call"),
    "cannot decide": ("unknown", "question", "Cannot decide"),
}
_DECISION_ID = re.compile(r"E-\d{4}-\d{6,}")
_NO_PERSON_HERE = (
    "No decision is about that reference. Search by the reference of a person, such as E-1042, or "
    "by the id of a decision; names and addresses are in no record."
)


@blueprint.after_request
def keep_nowhere(response: Response) -> Response:
    """Let no browser keep a page that may tell where somebody lives."""
    if response.mimetype != "text/javascript":
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.context_processor
def words() -> dict[str, Any]:
    """Give the templates of the desk the words for decisions."""
    return {"DECISION_TAG": DECISION_TAG, "verdict_body": verdict_body}


def verdict_body(sentence: str) -> str:
    """Leave out the verdict at the head of a sentence, where the word stands above it."""
    head, mark, body = sentence.partition(": ")
    return body if mark and head.lower() in DECISIONS else sentence


@blueprint.get("")
@security.allows("decide_eligibility")
def check() -> ResponseReturnValue:
    """Ask for a home."""
    return _desk({})


@blueprint.post("")
@security.allows("decide_eligibility")
def decide() -> ResponseReturnValue:
    """Decide for the home that is typed, put it on record and show what came of it."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    home: dict[str, str | None] = {name: typed[name] or None for name in PERSON}
    home |= read_typed(typed["home"])
    try:
        asked = question(typed["policy"] or None, read_day(typed["on"], "Decided for"))
        made = desk.decide_one(context.store(), homes(), home, asked)
    except InputError as error:
        return _desk(typed, problem=str(error)), 400
    placed = place(pd.DataFrame([home], dtype=object)).iloc[0]
    return _desk(
        typed,
        made=made,
        read_as=[(name, home[name]) for name in PLACE if home.get(name)],
        line=decision_map.line(made.record),
        certificate=written(made.record, made.decision_id, is_exact=True),
        drawn=decision_map.map_data(made.record, placed),
    )


def _desk(typed: dict[str, str], **told: Any) -> str:
    in_force = policies_in_force()
    with context.store().read() as transaction:
        offices = transaction.table("offices")
    chart = _map()
    return render_template(
        "hr/check.html",
        place="hr.check",
        typed=typed,
        policies=[(v.policy.name, v.shown, _rule(v)) for v in in_force],
        offices=records(offices[["office_id", "name"]]),
        days=DAYS,
        map=chart,
        map_script=url_for(".map_script", v=chart.tag),
        keep_days=desk.KEEP_DAYS,
        **{"made": None, "problem": None, "drawn": decision_map.nothing_drawn(), **told},
    )


def policies_in_force() -> list[PolicyVersion]:
    """Give the version of each published policy that holds today."""
    versions = desk.policies(context.store())
    today = context.now().date().isoformat()
    found = []
    for name in sorted({v.policy.name for v in versions if v.status == PUBLISHED}):
        try:
            found.append(version_in_force(versions, today, name))
        except NotFoundError:  # published, but for other days
            continue
    return found


def _rule(version: PolicyVersion) -> str:
    return "; or ".join(rule_words(criterion) for criterion in version.policy.any_of)


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


@functools.cache
def _map_on(tiles: basemap.Tiles) -> RenderedMap:
    """Draw the map once: it is the same for every home."""
    return home_map(tiles=tiles)


def _map() -> RenderedMap:
    return _map_on(basemap.under_homes())


@blueprint.get("/map.js")
@security.allows("decide_eligibility")
def map_script() -> Response:
    """Serve the script of the map, in which there is no home and no office."""
    return _map().script_response()


@blueprint.get("/decisions")
@security.allows("see_decisions")
def decisions() -> ResponseReturnValue:
    """List past decisions, the last ones first."""
    return _decisions(_query(request.args))


@blueprint.post("/decisions")
@security.allows("see_decisions")
def search() -> ResponseReturnValue:
    """Search by what is typed: only references and ids that are on record get into an address."""
    query = _query(request.form)
    person = query.get("person", "")
    if _DECISION_ID.fullmatch(person):
        return redirect(url_for(".decision", decision_id=person), 303)
    if person and not _is_known(person):
        return _decisions(query | {"person": ""}, problem=_NO_PERSON_HERE), 404
    return redirect(url_for(".decisions", **query), 303)


def _is_known(person: str) -> bool:
    if not is_reference(person):
        return False
    _, total = desk.search_decisions(context.store(), rules.Sought(subject=person), limit=1)
    return total > 0


def _query(given: Any) -> dict[str, Any]:
    """Read which decisions are asked for.

    Raises
    ------
    InputError
        If a verdict or a day is none.
    """
    query = {name: given.get(name, "").strip()[:100] for name in SOUGHT}
    if query["verdict"] and query["verdict"] not in DECISIONS:
        raise InputError(f"verdict: choose one of {', '.join(DECISIONS)}.")
    for name, label in (("from", "First day"), ("until", "Last day")):
        read_day(query[name], label)
    return {name: value for name, value in query.items() if value}


def _sought(query: dict[str, str]) -> rules.Sought:
    return rules.Sought(
        subject=query.get("person") or None,
        decision=query.get("verdict"),
        policy_name=query.get("policy"),
        decided_from=query.get("from"),
        decided_until=query.get("until"),
    )


def _decisions(query: dict[str, str], problem: str | None = None) -> str:
    store, page = context.store(), tables.page_number()
    first = (page - 1) * PAGE_ROWS
    found, total = desk.search_decisions(
        store, _sought(query), is_exact=True, offset=first, limit=PAGE_ROWS
    )
    others = {name: value for name, value in query.items() if name != "verdict"}
    counts = {
        verdict: desk.search_decisions(store, _sought({**others, "verdict": verdict}), limit=1)[1]
        for verdict in DECISIONS
    }
    return render_template(
        "hr/decisions.html",
        place="hr.decisions",
        query=query,
        others=others,
        counts=counts,
        rows=records(found),
        total=total,
        page=page,
        pages=-(-total // PAGE_ROWS),
        page_size=PAGE_ROWS,
        first_row=first + 1,
        names=sorted({version.policy.name for version in desk.policies(store)}),
        problem=problem,
    )


def written(record: dict[str, Any], decision_id: str, *, is_exact: bool) -> Certificate:
    """Write a decision out, with the names of those who have an account beside their ids."""
    told = decision_certificate(record, decision_id=decision_id, is_exact=is_exact)
    names = {user.user_id: user.name for user in users.users(context.store())}
    by = record["asked"]["by"]
    if by not in names:
        return told
    lines = tuple(
        (label, f"{names[by]} ({by}){text.removeprefix(by)}" if label == ASKED_BY else text)
        for label, text in told.lines
    )
    return dataclasses.replace(told, lines=lines)


@blueprint.get("/decisions/<decision_id>")
@security.allows("see_decisions")
def decision(decision_id: str) -> ResponseReturnValue:
    """Show one decision, and whether it still stands."""
    record = desk.decision_record(context.store(), decision_id)
    return render_template(
        "hr/decision.html",
        place="hr.decisions",
        decision_id=decision_id,
        record=record,
        told=record["decision"],
        line=decision_map.line(record),
        certificate=written(record, decision_id, is_exact=True),
        verified=desk.verify_decision(context.store(), homes(), decision_id),
    )


@blueprint.get("/decisions/<decision_id>/certificate")
@security.allows("see_decisions")
def certificate(decision_id: str) -> ResponseReturnValue:
    """Show a decision as it is printed and signed: distances in classes, exact only if asked."""
    record = desk.decision_record(context.store(), decision_id)
    is_exact = request.args.get("distances") == "exact"
    return render_template(
        "hr/decision_certificate.html",
        place="hr.decisions",
        decision_id=decision_id,
        told=record["decision"],
        is_exact=is_exact,
        certificate=written(record, decision_id, is_exact=is_exact),
    )


@blueprint.get("/decisions/<decision_id>/record.json")
@security.allows("see_decisions")
def record_file(decision_id: str) -> Response:
    """Give the record itself, which `territory eligibility verify` reads."""
    text = record_text(desk.decision_record(context.store(), decision_id))
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{decision_id}.json"'
    return response
