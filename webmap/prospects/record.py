"""Record of one prospect: all that its page and its card show, and its score as the sum it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory import labels, plans, reports
from territory.accounts import quota_effect
from territory.prospects import score
from territory.reports import ELSEWHERE, HERE, NOWHERE, footprint
from webmap import context, formatting, security
from webmap.pages import layout
from webmap.prospects import activities

if TYPE_CHECKING:
    from territory.reports import Footprint


RECORD_BYTES = 50_000  # what the frames and rows of one record take
# All that a plan, what is on file about an account, and who wrote it lie in.
RESTS_ON = (
    "plans", "prospects", "sites", "contacts", "opportunities", "quotas", "offices", "reps",
    "markets", "territories", "named_accounts", "account_notes", "next_steps", "pair_decisions",
    "place_decisions", "imports", "users", "user_reps", "user_roles",
)  # fmt: skip


@dataclass(frozen=True)
class ScorePart:
    """What one part of a score gives: ``points`` of ``most``, and from what."""

    title: str
    words: str
    points: float
    most: float


@dataclass(frozen=True)
class Score:
    """A score and the parts that add up to it."""

    points: float
    most: float
    parts: tuple[ScorePart, ...]


def record(prospect_id: str) -> dict[str, Any]:
    """Gather what ``record.html`` shows of one prospect; of one out of reach, its name and rep.

    The card beside a map and the page of the same account are asked for one after the other, and a
    rep comes back to both; what they rest on seldom changes in between.
    """
    today = context.settings().today().isoformat()
    return layout.cached(
        ("record", prospect_id, security.person(), today),
        lambda: _record(prospect_id),
        tables=RESTS_ON,
        weight=RECORD_BYTES,
    )


def _record(prospect_id: str) -> dict[str, Any]:
    scope = security.scope()
    details = reports.prospect(context.store(), prospect_id, scope=scope)
    explanation = effect = None
    if not details.is_name_only:
        explanation = plans.explain(context.store(), prospect_id, scope=scope)
        effect = quota_effect(context.store(), prospect_id, scope=scope)
    return {
        "prospect": formatting.records(details.prospect)[0],
        "opportunities": formatting.records(details.opportunities),
        "contacts": formatting.records(details.contacts),
        "footprint": _footprint_sections(footprint(context.store(), prospect_id, scope=scope)),
        "quota_effect": effect,
        "withheld": details.withheld,
        "explanation": explanation,
        "score": _score(details),
        **activities.section(details),
    }


def _footprint_sections(sites: Footprint) -> dict[str, Any]:
    """Give sites and parent to the template, with the counts of where the sites lie."""
    return {
        "sites": formatting.records(sites.sites),
        "parent": formatting.records(sites.parent),
        "located": sites.located,
        **{where: sites.count(where) for where in (HERE, ELSEWHERE, NOWHERE)},
    }


def _score(details: reports.ProspectView) -> Score | None:
    """Take the score apart for whoever sees all that it rests on."""
    if details.is_name_only or "opportunities" in details.withheld:
        return None
    prospect = details.prospect
    policy, today = layout.overview().policy.score, context.settings().today().isoformat()
    parts = score.parts(prospect, policy, today)
    words = _words({str(name): value for name, value in prospect.iloc[0].items()})
    return Score(
        float(score.score(prospect, policy, today)[0]),
        policy.best,
        tuple(
            ScorePart(*words[name], float(points[0]), float(getattr(policy, name)))
            for name, points in parts.items()
        ),
    )


def _words(row: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Say what each part looked at."""
    is_open = labels.is_known(row["stage"])
    employees = labels.number(row["employees"])
    touched = row["last_activity_on"]
    return {
        "segment": ("Segment", labels.SEGMENT.get(row["segment"], "Not known")),
        "size": ("Size", f"{employees} employees"),
        "nearness": ("Near", formatting.miles(row["distance_mi"])),
        "whitespace": ("Open opportunity", "one is open" if is_open else "none (whitespace)"),
        "pipeline": ("Pipeline", f"{labels.money(row['pipeline_usd'])} open"),
        "staleness": (
            "Last activity",
            formatting.day(touched) if labels.is_known(touched) else "no activity recorded",
        ),
    }
