"""Pairs of prospects that look like one company: a person merges them or keeps them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from territory.accounts import duplicates
from territory.errors import InputError
from webmap import context, security
from webmap.pages import records, tables

if TYPE_CHECKING:
    from datetime import datetime

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("pairs", __name__, url_prefix="/ops/duplicates")

PAGE_ROWS = 10
DECIDED_ROWS = 10
COMPARED = (
    ("status", "Status"),
    ("street", "Street"),
    ("city", "City"),
    ("state", "State"),
    ("postal_code", "ZIP"),
    ("website", "Website"),
    ("employees", "Employees"),
    ("parent_id", "Parent"),
)


@blueprint.get("")
@security.allows("review_places")
def home() -> ResponseReturnValue:
    """List the pairs, the likeliest first, each with what speaks for it, and what was decided."""
    page = tables.page_number()
    first = (page - 1) * PAGE_ROWS
    pairs, total = duplicates.likely_duplicates(context.store(), offset=first, limit=PAGE_ROWS)
    decided = duplicates.decisions(context.store())
    return render_template(
        "operations/duplicates.html",
        place="pairs.home",
        pairs=records(pairs),
        compared=COMPARED,
        total=total,
        page=page,
        pages=-(-total // PAGE_ROWS),
        page_size=PAGE_ROWS,
        first_row=first + 1,
        decided=records(decided.head(DECIDED_ROWS)),
        decisions=len(decided),
    )


@blueprint.get("/merge")
@security.allows("review_places")
def ask_merge() -> ResponseReturnValue:
    """Say what a merge would change."""
    kept_id, merged_id = (request.args.get(name, "") for name in ("kept", "merged"))
    report = duplicates.merge(
        context.store(), kept_id, merged_id, by=security.person(), now=_now(), is_dry_run=True
    )
    return render_template("operations/duplicates_merge.html", place="pairs.home", told=report)


@blueprint.post("")
@security.allows("review_places")
def decide() -> ResponseReturnValue:
    """Merge a pair, keep it apart, or take either back."""
    verb = request.form.get("verb", "")
    kept_id, other_id = (request.form.get(name, "") for name in ("kept", "merged"))
    if verb == "merge":
        duplicates.merge(context.store(), kept_id, other_id, by=security.person(), now=_now())
    elif verb == "apart":
        duplicates.keep_apart(context.store(), kept_id, other_id, by=security.person(), now=_now())
    elif verb == "unmerge":
        duplicates.unmerge(context.store(), kept_id, other_id, by=security.person(), now=_now())
    elif verb == "reconsider":
        duplicates.reconsider(context.store(), kept_id, other_id, by=security.person(), now=_now())
    else:
        raise InputError(f"verb: {verb[:40]!r} is none of merge, apart, unmerge, reconsider.")
    return redirect(url_for(".home", page=request.form.get("page") or None), 303)


def _now() -> datetime:
    now: datetime = current_app.config["TERRITORY"].now()
    return now
