"""Duplicate review: pairs of prospects that look like one company, to merge or to keep apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from territory.accounts import duplicates
from territory.errors import InputError
from webmap import context, formatting, security
from webmap.pages import layout

if TYPE_CHECKING:
    from collections.abc import Callable

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

VERBS: dict[str, Callable[..., object]] = {
    "merge": duplicates.merge,
    "apart": duplicates.keep_apart,
    "unmerge": duplicates.unmerge,
    "reconsider": duplicates.reconsider,
}


@blueprint.get("")
@security.allows("review_places")
def home() -> ResponseReturnValue:
    """List the pairs, the likeliest first, each with what speaks for it, and what was decided."""
    page = layout.page_number()
    first = (page - 1) * PAGE_ROWS
    pairs, total = duplicates.likely_duplicates(context.store(), offset=first, limit=PAGE_ROWS)
    decisions = duplicates.decisions(context.store())
    return render_template(
        "operations/duplicates.html",
        place="pairs.home",
        pairs=formatting.records(pairs),
        compared=COMPARED,
        **layout.pager(page, PAGE_ROWS, total),
        latest=formatting.records(decisions.head(DECIDED_ROWS)),
        decisions=len(decisions),
    )


@blueprint.get("/merge")
@security.allows("review_places")
def ask_merge() -> ResponseReturnValue:
    """Say what a merge would change."""
    kept_id, merged_id = (request.args.get(name, "") for name in ("kept", "merged"))
    report = duplicates.merge(
        context.store(),
        kept_id,
        merged_id,
        by=security.person(),
        now=context.now(),
        is_dry_run=True,
    )
    return render_template("operations/duplicates_merge.html", place="pairs.home", report=report)


@blueprint.post("")
@security.allows("review_places")
def decide() -> ResponseReturnValue:
    """Merge a pair, keep it apart, or take either back."""
    change = VERBS.get(verb := request.form.get("verb", ""))
    if change is None:
        raise InputError(f"verb: {verb[:40]!r} is none of {', '.join(VERBS)}.")
    kept_id, other_id = (request.form.get(name, "") for name in ("kept", "merged"))
    change(context.store(), kept_id, other_id, **security.on_record())
    return redirect(url_for(".home", page=request.form.get("page") or None), 303)
