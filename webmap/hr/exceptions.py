"""Pages of HR: exceptions for single people, and the purge of what is held of their homes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for

from territory.eligibility import desk
from territory.eligibility.rules import IN_FORCE, DecisionFilter, GrantedException, check_reference
from territory.errors import InputError
from webmap import context, security
from webmap.hr.desk import blueprint as desk_blueprint
from webmap.hr.desk import homes, read_day

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = desk_blueprint("hr_people", __name__, "/hr")

LABELS = {
    "policy": "Policy",
    "person_id": "Person",
    "reason": "Reason",
    "approver": "Approved by",
    "granted_on": "First day",
    "expires_on": "Ends before",
}


@blueprint.get("/exceptions")
@security.allows("see_decisions")
def exceptions() -> ResponseReturnValue:
    """List exceptions, the last ones first, with the form to grant one."""
    return _exceptions({"granted_on": _today()})


def _today() -> str:
    return context.now().date().isoformat()


def _exceptions(typed: dict[str, str], problem: str | None = None) -> str:
    store, now = context.store(), context.now()
    rows = [(entry, entry.state_on(_today())) for entry in desk.exceptions(store)]
    return render_template(
        "hr/exceptions.html",
        place="hr_people.exceptions",
        rows=rows,
        in_force=sum(state == IN_FORCE for _, state in rows),
        policies=[version.policy.name for version in desk.policies_in_force(store, now)],
        typed=typed,
        problem=problem,
    )


@blueprint.post("/exceptions")
@security.allows("set_eligibility_policy")
def grant() -> ResponseReturnValue:
    """Let one person be eligible whatever the distance, until a day."""
    typed = {name: request.form.get(name, "").strip()[:500] for name in LABELS}
    try:
        entry = desk.set_exception(
            context.store(),
            typed["policy"],
            _granted(typed),
            by=security.person(),
            now=context.now(),
        )
    except InputError as error:
        return _exceptions(typed, str(error)), 400
    return redirect(url_for(".exceptions", did="granted", about=entry.exception_id), 303)


def _granted(typed: dict[str, str]) -> GrantedException:
    """Read the exception of the form.

    Raises
    ------
    InputError
        Naming every field that is blank, or one that is no day.
    """
    blank = [label for name, label in LABELS.items() if not typed[name]]
    if blank:
        raise InputError(f"{', '.join(blank)}: fill in every field; all of it goes on record.")
    return GrantedException(
        check_reference(typed["person_id"]),
        typed["reason"],
        typed["approver"],
        read_day(typed["granted_on"], LABELS["granted_on"]) or "",
        read_day(typed["expires_on"], LABELS["expires_on"]) or "",
    )


@blueprint.post("/exceptions/<exception_id>/revoke")
@security.allows("set_eligibility_policy")
def revoke(exception_id: str) -> ResponseReturnValue:
    """Take an exception back from today on."""
    entry = desk.revoke_exception(
        context.store(), exception_id, by=security.person(), now=context.now()
    )
    return redirect(url_for(".exceptions", did="revoked", about=entry.exception_id), 303)


@blueprint.get("/purge")
@security.allows("see_homes")
def purging() -> ResponseReturnValue:
    """Ask whose home is to be purged."""
    return _purging()


def _purging(**answer: Any) -> str:
    return render_template(
        "hr/purge.html",
        place="hr_people.purging",
        size=homes().size(),
        keep_days=desk.KEEP_DAYS,
        today=_today(),
        **{"subject": None, "homes": 0, "is_due": False, "report": None, "problem": None, **answer},
    )


@blueprint.post("/purge/ask")
@security.allows("see_homes")
def ask_purge() -> ResponseReturnValue:
    """Say what a purge would delete, before it does."""
    if "due" in request.form:
        return _purging(is_due=True)
    try:
        subject = check_reference(request.form.get("subject", "").strip())
    except InputError as error:
        return _purging(problem=str(error)), 400
    _, decisions = desk.search_decisions(context.store(), DecisionFilter(subject=subject), limit=1)
    return _purging(
        subject=subject, homes=len(homes().find_by_subject([subject])), decisions=decisions
    )


@blueprint.post("/purge")
@security.allows("see_homes")
def purge() -> ResponseReturnValue:
    """Delete for good every home held of one person, or all whose time is over."""
    store, by, now = context.store(), security.person(), context.now()
    folder = context.settings().home_files
    if "due" in request.form:
        report = desk.purge_due(store, homes(), by=by, now=now, folder=folder)
    else:
        subject = request.form.get("subject", "").strip()
        report = desk.purge_person(store, homes(), subject, by=by, now=now, folder=folder)
    return _purging(report=report)
