"""Pages of HR: its policies, and the bench on which one is tried before it is saved."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, request, url_for

from territory.eligibility import desk
from territory.eligibility.rules import (
    DECISIONS,
    EXAMPLES,
    IN_FORCE,
    PUBLISHED,
    example,
    parse_eligibility_policy,
    policy_text,
)
from territory.errors import ConflictError, InputError, NotFoundError, PolicyError
from webmap import context, formatting, security
from webmap.hr import policy_form
from webmap.hr.desk import blueprint as desk_blueprint
from webmap.hr.desk import decision_request, homes
from webmap.pages import downloads

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from territory.eligibility.desk import WhatChanges
    from territory.eligibility.rules import EligibilityPolicy, PolicyVersion
    from webmap.hr.policy_form import PolicyForm

blueprint = desk_blueprint("hr_rules", __name__, "/hr/policies")

LISTED = 100  # changes that the bench shows; the file has them all


@blueprint.get("")
@security.allows("set_eligibility_policy")
def policies() -> ResponseReturnValue:
    """List the policies with their versions."""
    versions = desk.policy_states(context.store(), context.now())
    return render_template(
        "hr/policies.html", place="hr_rules.policies", versions=versions, examples=EXAMPLES
    )


@blueprint.get("/edit")
@security.allows("set_eligibility_policy")
def edit() -> ResponseReturnValue:
    """Open the form: empty, with an example, with a draft, or with the next version of a rule."""
    name, version = request.args.get("name"), request.args.get("version")
    if name and version:
        draft = _version(name, version)
        form = policy_form.of_policy(draft.policy)
        if draft.status == PUBLISHED:
            form.rule |= {"version": "", "effective_from": _tomorrow(), "effective_until": ""}
    else:
        form = policy_form.of_policy(example(request.args.get("example") or EXAMPLES[0]))
        form.rule |= {"version": "1", "effective_from": _tomorrow()}
    return _show(form)


def _tomorrow() -> str:
    return (context.now().astimezone(dt.UTC).date() + dt.timedelta(days=1)).isoformat()


def _version(name: str, version: str) -> PolicyVersion:
    """Find a version.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    for each in desk.policy_versions(context.store(), name):
        if each.policy.version == version:
            return each
    raise NotFoundError(f"No policy {name} {version}. The list of policies shows what there is.")


@blueprint.post("/edit")
@security.allows("set_eligibility_policy")
def change() -> ResponseReturnValue:
    """Change the form, try the rule on past decisions, or save it once it was tried."""
    form, (action, _, number) = policy_form.read(request.form), _action().partition("-")
    if action == "add":
        form.criteria.append(policy_form.blank())
        return _show(form)
    if action == "drop":
        form.criteria = [each for at, each in enumerate(form.criteria, 1) if str(at) != number]
        return _show(form)
    try:
        if action == "read":
            text = request.form.get("toml", "")
            return _show(policy_form.of_policy(parse_eligibility_policy(text, "The text")))
        return _try(form, action)
    except InputError as error:
        return _show(form, problem=error), 400
    except ConflictError as error:
        return _show(form, problem=error), 409


def _action() -> str:
    return request.form.get("action", "test")


def _try(form: PolicyForm, action: str) -> ResponseReturnValue:
    """Try the rule; save it where it is the very rule that was tried before."""
    policy = form.policy()
    _refuse_published(policy)
    if action == "save" and request.form.get("tried") == policy.digest:
        desk.save_policy(context.store(), policy, by=security.person(), now=context.now())
        at = f"{policy.name}-{policy.version}"
        return redirect(url_for(".policies", did="saved", _anchor=at), 303)
    past = _past(policy)
    trial = desk.what_would_change(
        context.store(),
        homes(),
        policy,
        decision_request(),
        of_policy=past,
        is_exact=security.may("see_homes"),
    )
    if action == "changes":
        return _file_of(policy, trial)
    return _show(form, policy=policy, past=past, trial=trial, was_unseen=action == "save")


def _refuse_published(policy: EligibilityPolicy) -> None:
    """Raise ``ConflictError`` before anybody tries what cannot be saved."""
    same = [one for one in desk.policy_versions(context.store(), policy.name)
            if one.policy.version == policy.version and one.status == PUBLISHED]  # fmt: skip
    if same:
        raise ConflictError(
            f"{same[0].label} is published and never changes. Give the rule another version."
        )


def _past(policy: EligibilityPolicy) -> str:
    """Say whose decisions a rule is tried on: the choice, else its own, else any."""
    names = _names()
    choice = request.form.get("past", "")
    return next((name for name in (choice, policy.name) if name in names), (names or [choice])[0])


def _names() -> list[str]:
    versions = desk.published_policies(context.store(), context.now())
    return [version.policy.name for version in versions]


def _file_of(policy: EligibilityPolicy, trial: WhatChanges) -> Response:
    """Give every decision that would change, as CSV."""
    table = trial.changes.rename(columns={"subject": "person"})
    return downloads.table(table, "eligibility-changes", is_demo=False, of=_stem(policy))


def _show(form: PolicyForm, problem: Exception | None = None, **bench: Any) -> str:
    trial: WhatChanges | None = bench.get("trial")
    policy: EligibilityPolicy | None = bench.get("policy")
    return render_template(
        "hr/policy.html",
        place="hr_rules.policies",
        form=form,
        choices=policy_form.CHOICES,
        most=policy_form.MOST_CRITERIA,
        offices=desk.office_list(context.store())["office_id"].tolist(),
        breaches=_breaches(problem),
        names=_names(),
        past=bench.get("past", ""),
        policy=policy,
        text=policy_text(policy) if policy else None,
        trial=trial,
        was_unseen=bench.get("was_unseen", False),
        matrix=_matrix(trial) if trial else (),
        changes=formatting.records(trial.changes.head(LISTED)) if trial else (),
    )


def _breaches(problem: Exception | None) -> list[str]:
    """Give the sentence of an error, or each breach of a policy by itself."""
    if problem is None:
        return []
    if isinstance(problem, PolicyError):
        _, _, breaches = str(problem).partition(": ")
        return [_breach(part) for part in breaches.rstrip(".").split("; ")]
    return [str(problem)]


def _breach(part: str) -> str:
    """Say a breach in the words of the form: "any_of 1: limit" is limit of alternative 1."""
    setting, mark, rest = part.partition(" ")
    text = setting.replace("any_of", "alternative").replace("_", " ") + mark + rest
    return text[:1].upper() + text[1:]


def _matrix(trial: WhatChanges) -> list[dict[str, Any]]:
    """Give a row for each decision that was taken, with what each would be."""
    return [
        {
            "was": was,
            "cells": [(now, trial.counts.get((was, now), 0)) for now in DECISIONS],
            "total": sum(trial.counts.get((was, now), 0) for now in DECISIONS),
        }
        for was in DECISIONS
    ]


@blueprint.get("/publish")
@security.allows("set_eligibility_policy")
def ask_publish() -> ResponseReturnValue:
    """Say what publishing a draft would do, and what of the past it would have decided else."""
    draft = _version(request.args.get("name", ""), request.args.get("version", ""))
    return _ask(draft)


def _ask(draft: PolicyVersion, problem: Exception | None = None) -> str:
    states = desk.policy_states(context.store(), context.now(), draft.policy.name)
    in_force = [version for version, state in states if state == IN_FORCE]
    trial = desk.what_would_change(context.store(), homes(), draft.policy, decision_request())
    return render_template(
        "hr/policy_publish.html",
        place="hr_rules.policies",
        draft=draft,
        in_force=in_force[0] if in_force else None,
        trial=trial,
        matrix=_matrix(trial),
        breaches=_breaches(problem),
    )


@blueprint.post("/publish")
@security.allows("set_eligibility_policy")
def publish() -> ResponseReturnValue:
    """Put a draft in force from its own first day on."""
    draft = _version(request.form.get("name", ""), request.form.get("version", ""))
    name, version = draft.policy.name, draft.policy.version
    try:
        desk.publish_policy(context.store(), name, version, by=security.person(), now=context.now())
    except ConflictError as error:
        return _ask(draft, error), 409
    return redirect(url_for(".policies", did="published", _anchor=f"{name}-{version}"), 303)


@blueprint.get("/rule.toml")
@security.allows("set_eligibility_policy")
def rule_file() -> Response:
    """Give a version as a policy file."""
    policy = _version(request.args.get("name", ""), request.args.get("version", "")).policy
    answer = Response(policy_text(policy), mimetype="application/toml")
    name = f"{_stem(policy)}.toml"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _stem(policy: EligibilityPolicy) -> str:
    """Give name and version of a policy as part of the name of a file."""
    label = f"{policy.name}-{policy.version}"
    return "".join(sign if sign.isalnum() else "-" for sign in label)
