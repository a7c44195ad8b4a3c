"""The desk of HR: exceptions for single people, and the purge of what is held of their homes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for

from territory.eligibility import desk, rules
from territory.eligibility.desk import upload_files
from territory.eligibility.rules import GrantedException, check_reference
from territory.errors import InputError
from webmap import context, security
from webmap.hr import check
from webmap.hr.home_store import homes

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.eligibility.rules import ExceptionEntry

blueprint = Blueprint("hr_people", __name__, url_prefix="/hr")
blueprint.after_request(check.keep_nowhere)

LABELS = {
    "policy": "Policy",
    "person_id": "Person",
    "reason": "Reason",
    "approver": "Approved by",
    "granted_on": "First day",
    "expires_on": "Ends before",
}
# What an exception is now: class, icon and word.
STATE_TAG = {
    "in force": ("ok", "check", "In force"),
    "not yet": ("", "dash", "Not yet"),
    "ended": ("unknown", "dash", "Ended"),
    "taken back": ("no", "cross", "Taken back"),
}


@blueprint.get("/exceptions")
@security.allows("see_decisions")
def exceptions() -> ResponseReturnValue:
    """List exceptions, the last ones first, with the form to grant one."""
    return _exceptions({"granted_on": _today()})


def _today() -> str:
    return context.now().date().isoformat()


def _exceptions(typed: dict[str, str], problem: str | None = None) -> str:
    rows = [(entry, _state(entry)) for entry in desk.exceptions(context.store())]
    return render_template(
        "hr/exceptions.html",
        place="hr_people.exceptions",
        rows=rows,
        in_force=sum(state == "in force" for _, state in rows),
        STATE_TAG=STATE_TAG,
        policies=[version.policy.name for version in check.policies_in_force()],
        typed=typed,
        problem=problem,
    )


def _state(entry: ExceptionEntry) -> str:
    """Say what an exception is today."""
    counts, today = entry.in_force, _today()
    if entry.revoked_at is not None:
        return "taken back"
    if counts is None or counts.expires_on <= today:
        return "ended"
    return "in force" if counts.granted_on <= today else "not yet"


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
        check.read_day(typed["granted_on"], LABELS["granted_on"]) or "",
        check.read_day(typed["expires_on"], LABELS["expires_on"]) or "",
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


def _purging(**told: Any) -> str:
    return render_template(
        "hr/purge.html",
        place="hr_people.purging",
        size=homes().size(),
        keep_days=desk.KEEP_DAYS,
        today=_today(),
        **{"subject": None, "held": None, "is_due": False, "report": None, "problem": None, **told},
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
    _, decisions = desk.search_decisions(context.store(), rules.Sought(subject=subject), limit=1)
    return _purging(subject=subject, held=len(homes().held_of([subject])), decisions=decisions)


@blueprint.post("/purge")
@security.allows("see_homes")
def purge() -> ResponseReturnValue:
    """Delete for good every home held of one person, or all whose time is over."""
    store, by, now = context.store(), security.person(), context.now()
    if "due" in request.form:
        report = desk.purge_due(store, homes(), by=by, now=now)
    else:
        subject = request.form.get("subject", "").strip()
        report = desk.purge_person(store, homes(), subject, by=by, now=now)
    upload_files.clear(context.settings().home_files)  # batches hold addresses too
    return _purging(report=report)
