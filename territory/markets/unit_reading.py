"""Reading of one unit: the codes it stands for, or why it stands for none and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.markets.unit_names import UnitNames

_MOST_SUGGESTIONS = 3


class Reading(NamedTuple):
    """What a unit was read as: codes, and a note where it was not written as a code; or why not."""

    codes: tuple[str, ...] = ()
    note: str | None = None
    reason: str | None = None
    remedy: str | None = None


def refused(reason: str, remedy: str) -> Reading:
    """Refuse a unit."""
    return Reading((), None, reason, remedy)


def not_known(text: str, names: UnitNames, candidates: Sequence[str] = ()) -> Reading:
    """Refuse a unit that no code or name stands for, or several do."""
    some = ", ".join(names.title(code) for code in candidates[:_MOST_SUGGESTIONS])
    reason = f"no single {names.noun} is called {text!r}{f' (perhaps {some})' if some else ''}"
    return refused(reason, "Correct it, or write its code.")
