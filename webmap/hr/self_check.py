"""A page on which a candidate asks about a ZIP code. Off by default; it stores nothing.

What is typed comes by POST and is in no address, log or record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, render_template, request

from territory.eligibility import desk
from territory.errors import InputError, NotFoundError
from webmap import context, security
from webmap.hr import check as hr
from webmap.hr import wording

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

CLOSED = "Nothing can be checked here at the moment. Ask HR."

blueprint = Blueprint("self_check", __name__, url_prefix="/self-check")
blueprint.after_request(hr.keep_nowhere)
blueprint.context_processor(hr.words)


@blueprint.before_request
def refuse_unless_open() -> None:
    """Be nowhere unless the settings open it."""
    if not context.settings().self_check:
        abort(404)


@blueprint.get("")
@security.allows(public=True)
def ask() -> ResponseReturnValue:
    """Ask for a ZIP code."""
    return _show()


@blueprint.post("")
@security.allows(public=True)
def check() -> ResponseReturnValue:
    """Answer, and forget what was asked."""
    typed, policy = request.form.get("zip", "").strip()[:20], _policy()
    if policy is None:
        return _show(problem=CLOSED), 503
    try:
        found = desk.self_check(context.store(), typed, now=context.now(), policy_name=policy)
    except NotFoundError:  # the rule is for other days; its words are for HR
        return _show(problem=CLOSED), 503
    except InputError as error:
        return _show(problem=str(error)), 400
    return _show(typed=typed, found=found)


def _policy() -> str | None:
    """Name the rule to go by: the one that the settings name, or the only one."""
    versions = wording.in_use(desk.policies(context.store()))
    names = {version.policy.name for version in versions}
    chosen = context.settings().self_check_policy
    if chosen is None and len(names) == 1:
        return names.pop()
    return chosen if chosen in names else None


def _show(**told: Any) -> str:
    return render_template("hr/self_check.html", **{"found": None, "problem": None, **told})
