"""Pages of HR: check one home, search past decisions, print a certificate."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, request, url_for

from territory.access import users
from territory.eligibility import desk
from territory.eligibility.decision import Certificate, record_text
from territory.eligibility.decision import certificate as decision_certificate
from territory.eligibility.homes import DAYS, PERSON, PLACE, read_typed_address
from territory.eligibility.rules import DECISIONS, DecisionFilter
from territory.errors import InputError
from territory.units_of_length import METRES_PER_MILE
from webmap import context, formatting, security
from webmap.hr import decision_map
from webmap.hr.desk import blueprint as desk_blueprint
from webmap.hr.desk import decision_request, homes, read_day
from webmap.maps import RenderedMap, basemap, home_map
from webmap.pages import layout

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.eligibility.desk import CheckedHome, RecordedDecision
    from territory.eligibility.homes import HomeStore

blueprint = desk_blueprint("hr", __name__, "/hr")

PAGE_ROWS = 50
FIELDS = ("home", "pin_m", "policy", "on", *PERSON)
MOST_PIN_M = 8_046.72  # 5 miles: a pin on a map that shows more says too little
ASKED_BY = "Asked by"  # the line of a certificate
QUERY = ("person", "verdict", "policy", "from", "until")
_DECISION_ID = re.compile(r"E-\d{4}-\d{6,}")
_NO_PERSON_HERE = (
    "No decision is about such a reference. Search by the reference of a person, such as E-1042, "
    "by a part of it, or by the id of a decision; names and addresses are in no record."
)
_ANOTHER_ANSWER = (
    "The answer is another one by now, so nothing was put on record. Read it, then record it."
)


@blueprint.get("")
@security.allows("decide_eligibility")
def check() -> ResponseReturnValue:
    """Ask for a home."""
    return _desk({})


@blueprint.post("")
@security.allows("decide_eligibility")
def decide() -> ResponseReturnValue:
    """Answer for the home that is typed; put it on record only where that was asked for."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    home: dict[str, str | None] = {name: typed[name] or None for name in PERSON}
    home |= read_typed_address(typed["home"])
    try:
        if home.get("lat") and typed["pin_m"]:
            home["uncertainty_m"] = _pin_uncertainty(typed["pin_m"])
        question = decision_request(typed["policy"] or None, read_day(typed["on"], "Decided for"))
        checked = desk.check_home(context.store(), homes(), home, question)
        if "record" not in request.form:
            return _answer(typed, home, checked)
        if request.form["record"] != _shown(checked):
            return _answer(typed, home, checked, problem=_ANOTHER_ANSWER), 409
        recorded = desk.decide_one(context.store(), homes(), home, question)
    except InputError as error:
        return _desk(typed, problem=str(error)), 400
    return _answer(typed, home, recorded, recorded=recorded)


def _pin_uncertainty(text: str) -> str:
    """Read how far off a pin may be: what a pixel, or half a finger, covers on its map.

    Raises
    ------
    InputError
        If it is no number, or the map showed too much.
    """
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text):
        raise InputError("The place of the pin was not understood. Place it again.")
    if float(text) > MOST_PIN_M:
        raise InputError(
            f"The pin is known to {float(text) / METRES_PER_MILE:,.1f} miles only, because the map "
            "shows too much. Zoom in to the street of the home and place the pin again."
        )
    return text


def _shown(checked: CheckedHome) -> str:
    """Say which answer is shown, so that no other one is put on record in its place."""
    policy = checked.exact["policy"]
    return f"{checked.verdict['decision']} by {policy['name']} {policy['version']}"


def _answer(
    typed: dict[str, str],
    home: dict[str, str | None],
    checked: CheckedHome,
    recorded: RecordedDecision | None = None,
    problem: str | None = None,
) -> str:
    decision_id = recorded.decision_id if recorded else None
    record = recorded.record if recorded else checked.exact
    return _desk(
        typed,
        problem=problem,
        checked=checked,
        recorded=recorded,
        shown=_shown(checked),
        read_as=[(name, home[name]) for name in PLACE if home.get(name)],
        line=decision_map.line(checked.exact),
        certificate=_certificate(record, checked.exact, decision_id),
        map_data=decision_map.map_data(checked.exact, checked.home),
    )


def _desk(typed: dict[str, str], **answer: Any) -> str:
    store, chart = context.store(), _map()
    return render_template(
        "hr/check.html",
        place="hr.check",
        typed=typed,
        policies=desk.policies_in_force(store, context.now()),
        offices=formatting.records(desk.office_list(store)),
        days=DAYS,
        map=chart,
        map_script=url_for(".map_script", v=chart.tag),
        keep_days=desk.KEEP_DAYS,
        **{
            "checked": None,
            "recorded": None,
            "problem": None,
            "map_data": decision_map.EMPTY_MAP,
            **answer,
        },
    )


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
    """List past decisions, the last ones first; those of one person are asked for by POST."""
    query = _query(request.args)
    query.pop("person", None)
    return _decisions(query, layout.page_number())


@blueprint.post("/decisions")
@security.allows("see_decisions")
def search() -> ResponseReturnValue:
    """Search by what is typed; no reference of a person gets into an address."""
    query = _query(request.form)
    person = query.get("person", "")
    if _DECISION_ID.fullmatch(person):
        return redirect(url_for(".decision", decision_id=person), 303)
    if person and not _is_on_record(person):
        return _decisions(query | {"person": ""}, 1, problem=_NO_PERSON_HERE), 404
    if person:
        return _decisions(query, layout.page_number(request.form))
    return redirect(url_for(".decisions", **query), 303)


def _is_on_record(person: str) -> bool:
    _, total = desk.search_decisions(context.store(), DecisionFilter(subject_part=person), limit=1)
    return total > 0


def _query(fields: Any) -> dict[str, Any]:
    """Read which decisions to search for.

    Raises
    ------
    InputError
        If a verdict or a day is none.
    """
    query = {name: fields.get(name, "").strip()[:100] for name in QUERY}
    if query["verdict"] and query["verdict"] not in DECISIONS:
        raise InputError(f"verdict: choose one of {', '.join(DECISIONS)}.")
    for name, label in (("from", "First day"), ("until", "Last day")):
        read_day(query[name], label)
    return {name: value for name, value in query.items() if value}


def _filter(query: dict[str, str]) -> DecisionFilter:
    return DecisionFilter(
        subject_part=query.get("person") or None,
        decision=query.get("verdict"),
        policy_name=query.get("policy"),
        decided_from=query.get("from"),
        decided_until=query.get("until"),
    )


def _decisions(query: dict[str, str], page: int, problem: str | None = None) -> str:
    store = context.store()
    first = (page - 1) * PAGE_ROWS
    table, total = desk.search_decisions(
        store, _filter(query), homes=_homes_to_see(), offset=first, limit=PAGE_ROWS
    )
    others = {name: value for name, value in query.items() if name != "verdict"}
    counts = {
        verdict: desk.search_decisions(store, _filter({**others, "verdict": verdict}), limit=1)[1]
        for verdict in DECISIONS
    }
    return render_template(
        "hr/decisions.html",
        place="hr.decisions",
        query=query,
        others=others,
        counts=counts,
        rows=formatting.records(table),
        **layout.pager(page, PAGE_ROWS, total),
        names=sorted({version.policy.name for version in desk.policy_versions(store)}),
        problem=problem,
    )


def _homes_to_see() -> HomeStore | None:
    """Give the home store to who may see homes: what was measured from them lies there."""
    return homes() if security.may("see_homes") else None


def _exact(decision_id: str) -> dict[str, Any] | None:
    """Give the exact record, as long as its home is held, to who may see homes."""
    store = _homes_to_see()
    if store is None:
        return None
    return desk.exact_decision_record(context.store(), store, decision_id)


def _certificate(
    record: dict[str, Any], exact: dict[str, Any] | None, decision_id: str | None
) -> Certificate:
    """Write a decision out, with the names of those who have an account beside their ids."""
    page = decision_certificate(
        record if exact is None else exact,
        decision_id=decision_id,
        is_exact=exact is not None,
        digest=record["sha256"]["all"],
    )
    names = {user.user_id: user.name for user in users.users(context.store())}
    by = record["asked"]["by"]
    if by not in names:
        return page
    lines = tuple(
        (label, f"{names[by]}{text.removeprefix(by)}" if label == ASKED_BY else text)
        for label, text in page.lines
    )
    return dataclasses.replace(page, lines=lines)


@blueprint.get("/decisions/<decision_id>")
@security.allows("see_decisions")
def decision(decision_id: str) -> ResponseReturnValue:
    """Show one decision, and whether it still stands."""
    record, exact = desk.decision_record(context.store(), decision_id), _exact(decision_id)
    return render_template(
        "hr/decision.html",
        place="hr.decisions",
        decision_id=decision_id,
        record=record,
        decision=(exact or record)["decision"],
        line=None if exact is None else decision_map.line(exact),
        certificate=_certificate(record, exact, decision_id),
        verified=desk.verify_decision(context.store(), homes(), decision_id),
    )


@blueprint.get("/decisions/<decision_id>/certificate")
@security.allows("see_decisions")
def certificate(decision_id: str) -> ResponseReturnValue:
    """Show a decision as it is printed and signed: distances in classes, exact only if asked."""
    record, exact = desk.decision_record(context.store(), decision_id), _exact(decision_id)
    wanted = exact if request.args.get("distances") == "exact" else None
    return render_template(
        "hr/decision_certificate.html",
        place="hr.decisions",
        decision_id=decision_id,
        decision=record["decision"],
        is_exact=wanted is not None,
        has_exact=exact is not None,
        certificate=_certificate(record, wanted, decision_id),
    )


@blueprint.get("/decisions/<decision_id>/record.json")
@security.allows("see_decisions")
def record_file(decision_id: str) -> Response:
    """Give the record itself, which `territory eligibility verify` reads."""
    text = record_text(desk.decision_record(context.store(), decision_id))
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{decision_id}.json"'
    return response
