"""Activities: notes and next steps, written on the page or card of an account, listed by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from territory import accounts, reports
from territory.accounts import LONGEST_NOTE, LONGEST_STEP
from territory.errors import NotFoundError
from webmap import context, formatting, security
from webmap.account import onward
from webmap.pages import downloads, layout

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("work", __name__)

PAGE_ROWS = 50
CARD_NOTES = 3  # beside the map; the page of the prospect shows more


def section(details: reports.ProspectView) -> dict[str, Any]:
    """Gather what ``work.html`` shows of a prospect; nothing of one whose name alone shows."""
    if details.is_name_only:
        return {"account_work": None}
    prospect_id = str(details.prospect["prospect_id"].iloc[0])
    work = accounts.activities_of(context.store(), prospect_id, scope=security.scope())
    return {
        "account_work": work,
        "notes": formatting.records(work.notes),
        "next_steps": formatting.records(work.steps),
        "past_steps": formatting.records(work.past),
        "card_notes": CARD_NOTES,
        "longest": {"note": LONGEST_NOTE, "step": LONGEST_STEP},
        "today": context.settings().today().isoformat(),
        "me": security.person(),
    }


@blueprint.get("/next")
@security.allows("work_accounts")
def due() -> ResponseReturnValue:
    """List what is to be done about the accounts of whoever asks, by day, overdue first."""
    today, page = context.settings().today(), layout.page_number()
    first = (page - 1) * PAGE_ROWS
    seen = accounts.due(
        context.store(), scope=security.scope(), today=today, limit=PAGE_ROWS, offset=first
    )
    rows = formatting.records(seen.rows)
    return render_template(
        "prospects/next_steps.html",
        place="work.due",
        due=seen,
        rows=rows,
        reps=seen.rows["rep_id"].nunique(),
        today=today.isoformat(),
        ticked=_ticked(),
        **layout.pager(page, PAGE_ROWS, seen.total),
    )


def _ticked() -> dict[str, object] | None:
    """Find the step that was ticked just now, so that the tick can be taken back."""
    step_id, prospect_id = (request.args.get(name) for name in ("did", "about"))
    if not step_id or not prospect_id:
        return None
    try:
        work = accounts.activities_of(context.store(), prospect_id, scope=security.scope())
    except NotFoundError:  # no account of the plan, or no longer of theirs: the tick stands
        return None
    past = formatting.records(work.past)
    return next((one for one in past if one["step_id"] == step_id), None)


@blueprint.get("/next.csv")
@security.allows("export_accounts")
def due_csv() -> Response:
    """Export the next steps to be done, as far as they may leave as a file."""
    frame = accounts.open_steps(context.store(), scope=security.scope().exported)
    return downloads.table(frame, "next_steps", is_demo=layout.overview().is_demo)


@blueprint.post("/prospects/<prospect_id>/notes")
@security.allows("work_accounts")
def add_note(prospect_id: str) -> ResponseReturnValue:
    """Write a note about a prospect."""
    accounts.add_note(context.store(), prospect_id, request.form.get("text", ""), **_who())
    return _back(prospect_id)


@blueprint.post("/notes/<note_id>/take-back")
@security.allows("work_accounts")
def take_back_note(note_id: str) -> ResponseReturnValue:
    """Forget the text of a note of one's own."""
    return _back(accounts.take_back_note(context.store(), note_id, **_who()))


@blueprint.post("/prospects/<prospect_id>/next-step")
@security.allows("work_accounts")
def set_next_step(prospect_id: str) -> ResponseReturnValue:
    """Say what is next about a prospect, in place of what the form stood beside."""
    accounts.set_next_step(
        context.store(),
        prospect_id,
        request.form.get("words", ""),
        request.form.get("due_on", ""),
        instead_of=request.form.getlist("instead_of"),
        **_who(),
    )
    return _back(prospect_id)


@blueprint.post("/next-steps/<step_id>/done")
@security.allows("work_accounts")
def finish(step_id: str) -> ResponseReturnValue:
    """Tick a next step as done."""
    prospect_id = accounts.finish_next_step(context.store(), step_id, **_who())
    if request.form.get("next", "").startswith(url_for(".due")):
        return redirect(url_for(".due", did=step_id, about=prospect_id), 303)
    return _back(prospect_id)


@blueprint.post("/next-steps/<step_id>/reopen")
@security.allows("work_accounts")
def reopen(step_id: str) -> ResponseReturnValue:
    """Take a tick back."""
    return _back(accounts.reopen_next_step(context.store(), step_id, **_who()))


def _who() -> dict[str, Any]:
    return {"scope": security.scope(), "by": security.person(), "now": context.now()}


def _back(prospect_id: str) -> ResponseReturnValue:
    """Go back to where the form stood, else to the page of the prospect."""
    return redirect(onward(url_for("rep.prospect", prospect_id=prospect_id)), 303)
