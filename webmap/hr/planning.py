"""Planning offices: how many decided homes gain or lose eligibility, as counts that name nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from flask import Blueprint, render_template, request

from territory.eligibility import desk
from territory.eligibility.desk import GAINS, LOSES, OPEN, OUTCOMES, STAYS_IN, STAYS_OUT, place
from territory.eligibility.homes import read_typed
from territory.errors import InputError
from webmap import context, security
from webmap.hr import check, wording
from webmap.hr.home_store import homes, question
from webmap.pages import records

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.eligibility.desk import OfficePlan

blueprint = Blueprint("hr_planning", __name__, url_prefix="/hr/planning")
blueprint.after_request(check.keep_nowhere)
blueprint.context_processor(wording.words)

OPENINGS = 3  # offices that one plan may open
OUTCOME = {
    GAINS: ("ok", "check", "Gains eligibility"),
    LOSES: ("no", "cross", "Loses eligibility"),
    STAYS_IN: ("", "dash", "Stays eligible"),
    STAYS_OUT: ("", "dash", "Stays not eligible"),
    OPEN: ("unknown", "question", "Cannot be told"),
}


@blueprint.get("")
@security.allows("see_decisions")
def home() -> ResponseReturnValue:
    """Ask which offices would close and which would open."""
    return _show({"closing": [], "opening": _openings()})


@blueprint.post("")
@security.allows("see_decisions")
def plan() -> ResponseReturnValue:
    """Count what the plan would do; nothing of it is kept."""
    typed: dict[str, Any] = {
        "closing": request.form.getlist("close"),
        "opening": _openings(),
        "on": request.form.get("on", ""),
        "policy": request.form.get("policy", ""),
    }
    try:
        asked = question(typed["policy"] or None, check.read_day(typed["on"], "As of"))
        opening, notes = _opening(typed["opening"])
        found = desk.plan_offices(
            context.store(), homes(), asked, opening=opening, closing=_closing(typed, opening)
        )
    except InputError as error:
        return _show(typed, problem=str(error)), 400
    return _show(typed, found=found, notes=notes)


def _closing(typed: dict[str, Any], opening: pd.DataFrame | None) -> list[str]:
    """Give the offices to close.

    Raises
    ------
    InputError
        If none is, and none is opened either.
    """
    closing: list[str] = typed["closing"]
    if opening is None and not closing:
        raise InputError("The plan changes nothing: close an office, or open one.")
    return closing


def _openings() -> list[tuple[str, str]]:
    """Read the offices to open, name and place."""
    return [
        (
            request.form.get(f"open-{at}", "").strip()[:100],
            request.form.get(f"at-{at}", "").strip()[:200],
        )
        for at in range(1, OPENINGS + 1)
    ]


def _opening(typed: list[tuple[str, str]]) -> tuple[pd.DataFrame | None, list[str]]:
    """Place the offices to open, and say how well each is known.

    Raises
    ------
    InputError
        Naming every one that cannot be placed.
    """
    given = [(name or f"New office {at}", text) for at, (name, text) in enumerate(typed, 1) if text]
    if not given:
        return None, []
    rows = pd.DataFrame([read_typed(text) for _, text in given], dtype=object)
    placed = place(rows)
    lost = [name for (name, _), fault in zip(given, placed["fault"], strict=True) if fault]
    if lost:
        raise InputError(
            f"{', '.join(lost)}: the place was not found. Give latitude and longitude, a ZIP code, "
            "or a city and state."
        )
    names = [name for name, _ in given]
    ids = [f"planned-{at}" for at in range(1, len(given) + 1)]
    frame = pd.DataFrame({"office_id": ids, "name": names,
                          "lon": placed["lon"].to_numpy(float),
                          "lat": placed["lat"].to_numpy(float)})  # fmt: skip
    vague = placed["uncertainty_m"].to_numpy(float) > 0
    notes = [name for name, is_vague in zip(names, vague, strict=True) if is_vague]
    return frame, notes


def _show(
    typed: dict[str, Any],
    *,
    found: OfficePlan | None = None,
    problem: str | None = None,
    notes: list[str] | None = None,
) -> str:
    with context.store().read() as transaction:
        table = transaction.table("offices")
    offices = records(table[["office_id", "name", "city", "state", "closed_on"]])
    names = {each["office_id"]: each["name"] for each in offices}
    names |= {f"planned-{at}": name for at, (name, _) in enumerate(typed["opening"], 1) if name}
    return render_template(
        "hr/planning.html",
        place="hr_planning.home",
        typed=typed,
        offices=offices,
        names=names,
        policies=wording.published(desk.policies(context.store()), context.now()),
        found=found,
        outcomes=OUTCOMES,
        OUTCOME=OUTCOME,
        problem=problem,
        vague=notes or [],
    )
