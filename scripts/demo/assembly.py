"""Put the demo company together: every file's frame under its contract, and the account of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from territory import schemas

from . import companies, invented, places, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from territory.policy import Policy


class Demo(NamedTuple):
    """The files and what became of the input.

    ``frames``: file name without ".csv" -> frame of that contract. ``outcomes``: one per company of
    ``gathered``, in its order. ``unknown_cities``: headquarters that no place table has.
    """

    frames: dict[str, pd.DataFrame]
    gathered: pd.DataFrame
    outcomes: list[str]
    unknown_cities: list[str]


def assemble(indices: Mapping[str, Any], policy: Policy) -> Demo:
    """Build every frame from the package's indices. The same input gives the same frames."""
    gathered = companies.gather(indices)
    towns = places.towns()
    knows = places.knower(towns)
    prospects, outcomes = companies.read(gathered, knows)
    frames = {
        "offices": plan.offices(),
        "markets": plan.markets(),
        "reps": plan.reps(),
        "territories": plan.territories(),
        "named_accounts": plan.named_accounts(),
    }
    frames |= invented.invent(prospects, towns, frames, policy.segments)
    checked = {
        kind: schemas.check(frame, getattr(schemas, kind.upper()), f"{kind}.csv")
        for kind, frame in frames.items()
    }
    cities = zip(prospects["city"], prospects["state"], strict=True)
    unknown = [f"{city}, {state}" for city, state in cities if not knows(city, state)]
    return Demo(checked, gathered, outcomes, sorted(unknown))


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as this folder keeps it: whole numbers without a point, Unix line ends."""
    text: str = frame.to_csv(index=False, lineterminator="\n", float_format="%.12g")
    return text


def account(demo: Demo) -> list[str]:
    """Tell what became of every company, in lines whose numbers add up."""
    gathered, prospects = demo.gathered, demo.frames["prospects"]
    texts = gathered["headquarters"].notna()
    return [
        f"{gathered['entries'].sum():6,}  entries in all indices",
        f"{len(gathered):6,}  companies, {texts.sum():,} of them with a headquarters text:",
        *(f"{number:6,}    {outcome}" for outcome, number in Counter(demo.outcomes).most_common()),
        f"{len(prospects):6,}  prospects written",
        f"{len(demo.unknown_cities):6,}  in a city that no place table has: "
        + ("; ".join(demo.unknown_cities) or "none"),
    ]
