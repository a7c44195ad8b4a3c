"""The score of one prospect as the sum that it is, each part in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory import labels
from territory.prospects import score
from webmap import context, formatting
from webmap.pages import layout

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Part:
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
    parts: tuple[Part, ...]


def score_of(prospect: pd.DataFrame) -> Score:
    """Take the score of one prospect apart; ``prospect`` is one row of ``PROSPECT_COLUMNS``."""
    policy, today = layout.overview().policy.score, context.settings().today().isoformat()
    parts = score.parts(prospect, policy, today)
    words = _words(prospect.iloc[0].to_dict())
    return Score(
        float(score.score(prospect, policy, today)[0]),
        policy.best,
        tuple(
            Part(*words[name], float(points[0]), float(getattr(policy, name)))
            for name, points in parts.items()
        ),
    )


def _words(row: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Say what each part looked at."""
    is_open = labels.known(row["stage"])
    employees = labels.number(row["employees"])
    touched = row["last_activity_on"]
    return {
        "segment": ("Segment", labels.SEGMENT.get(row["segment"], "Not known")),
        "size": ("Size", f"{employees} employees"),
        "nearness": ("Near", formatting.miles(row["distance_mi"])),
        "whitespace": ("Whitespace", "an opportunity is open" if is_open else "none is open"),
        "pipeline": ("Pipeline", f"{labels.money(row['pipeline_usd'])} open"),
        "staleness": ("Quiet", formatting.day(touched) if labels.known(touched) else "since ever"),
    }
