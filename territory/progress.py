"""Progress of long work, told stage by stage to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]  # is given one sentence a stage


def silent(_stage: str) -> None:
    """Tell nobody."""
