"""Planning offices: how many decided homes gain or lose eligibility, as counts that name nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from flask import render_template, request

from territory.eligibility import desk
from territory.eligibility.desk import GAINS, LOSES, OPEN, OUTCOMES, STAYS_IN, STAYS_OUT, place
from territory.eligibility.homes import read_typed_address
from territory.errors import InputError
from webmap import context, formatting, security
from webmap.hr.desk import blueprint as desk_blueprint
from webmap.hr.desk import decision_request, homes, read_day

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.eligibility.desk import OfficePlan

blueprint = desk_blueprint("hr_planning", __name__, "/hr/planning")

OPENINGS = 3  # offices that one plan may open
OUTCOME = {
    GAINS: ("ok", "check", "Gains eligibility"),
    LOSES: ("no", "cross", "Loses eligibility"),
    STAYS_IN: ("", "dash", "Stays eligible"),
    STAYS_OUT: ("", "dash", "Stays not eligible"),
    OPEN: ("unknown", "question", "Cannot decide"),
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
        question = decision_request(typed["policy"] or None, read_day(typed["on"], "As of"))
        opening, notes = _opening(typed["opening"])
        report = desk.plan_offices(
            context.store(), homes(), question, opening=opening, closing=_closing(typed, opening)
        )
    except InputError as error:
        return _show(typed, problem=str(error)), 400
    return _show(typed, report=report, notes=notes)


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
    openings = [
        (name or f"New office {at}", text) for at, (name, text) in enumerate(typed, 1) if text
    ]
    if not openings:
        return None, []
    rows = pd.DataFrame([read_typed_address(text) for _, text in openings], dtype=object)
    placed = place(rows)
    lost = [name for (name, _), fault in zip(openings, placed["fault"], strict=True) if fault]
    if lost:
        raise InputError(
            f"{', '.join(lost)}: the place was not found. Give latitude and longitude, a ZIP code, "
            "or a city and state."
        )
    names = [name for name, _ in openings]
    ids = [f"planned-{at}" for at in range(1, len(openings) + 1)]
    frame = pd.DataFrame({"office_id": ids, "name": names,
                          "lon": placed["lon"].to_numpy(float),
                          "lat": placed["lat"].to_numpy(float)})  # fmt: skip
    vague = placed["uncertainty_m"].to_numpy(float) > 0
    notes = [name for name, is_vague in zip(names, vague, strict=True) if is_vague]
    return frame, notes


def _show(
    typed: dict[str, Any],
    *,
    report: OfficePlan | None = None,
    problem: str | None = None,
    notes: list[str] | None = None,
) -> str:
    store = context.store()
    offices = formatting.records(desk.office_list(store))
    names = {each["office_id"]: each["name"] for each in offices}
    names |= {f"planned-{at}": name for at, (name, _) in enumerate(typed["opening"], 1) if name}
    return render_template(
        "hr/planning.html",
        place="hr_planning.home",
        typed=typed,
        offices=offices,
        names=names,
        policies=desk.published_policies(store, context.now()),
        report=report,
        outcomes=OUTCOMES,
        OUTCOME=OUTCOME,
        problem=problem,
        vague=notes or [],
    )
