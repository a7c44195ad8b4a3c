"""A page on which a candidate asks about a ZIP code. Off by default; it stores nothing.

What is typed comes by POST and is in no address, log or record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, render_template, request

from territory.eligibility import desk
from territory.errors import InputError, NotFoundError
from webmap import context, security
from webmap.hr.desk import blueprint as desk_blueprint

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

CLOSED = "Nothing can be checked here at the moment. Ask HR."

blueprint = desk_blueprint("self_check", __name__, "/self-check")


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
        answer = desk.self_check(context.store(), typed, now=context.now(), policy_name=policy)
    except NotFoundError:  # the rule is for other days; its words are for HR
        return _show(problem=CLOSED), 503
    except InputError as error:
        return _show(problem=str(error)), 400
    return _show(typed=typed, answer=answer)


def _policy() -> str | None:
    """Name the rule to go by: the one that the settings name, or the first that was published."""
    published = [each for each in desk.policy_versions(context.store()) if each.published_at]
    name = context.settings().self_check_policy
    if name is None and published:
        return min(published, key=lambda each: (each.published_at or "", each.number)).policy.name
    return name if name in {each.policy.name for each in published} else None


def _show(**content: Any) -> str:
    return render_template("hr/self_check.html", **{"answer": None, "problem": None, **content})
