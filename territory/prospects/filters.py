"""What a list, a map, a count or an export is asked to show of the prospects of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from territory.errors import InputError
from territory.prospects.snapshot import CHOICES, FLAGS, NUMBERS


@dataclass(frozen=True)
class Near:
    """Within ``radius_m`` metres of a point, straight line; WGS84 degrees."""

    lon: float
    lat: float
    radius_m: float


@dataclass(frozen=True)
class Criteria:
    """What a list, a map, a count or an export is asked to show; the default is everything.

    Parameters
    ----------
    text
        Words, each of which must begin a word of the name, city, state or industry.
    choices
        Pairs of one of ``snapshot.CHOICES`` and the values let through; None is "not known".
    ranges
        Triples of one of ``snapshot.NUMBERS`` and the least and most let through, either None.
        What is not known lies in no range.
    flags
        Pairs of one of ``snapshot.FLAGS`` and whether it must hold or must not.
    whitespace
        Only prospects without an open opportunity.
    idle_since
        ISO day: only prospects without any activity since then.
    near
        Only within a radius.

    Raises
    ------
    InputError
        Naming what is no choice, number or flag.
    """

    text: str = ""
    choices: tuple[tuple[str, tuple[str | None, ...]], ...] = ()
    ranges: tuple[tuple[str, float | None, float | None], ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()
    whitespace: bool = False
    idle_since: str | None = None
    near: Near | None = None

    def __post_init__(self) -> None:
        offered = (
            ("choice", CHOICES, [name for name, _ in self.choices]),
            ("number", NUMBERS, [name for name, *_ in self.ranges]),
            ("flag", FLAGS, [name for name, _ in self.flags]),
        )
        wrong = [
            f"{name!r} is no {kind}; there are {', '.join(allowed)}"
            for kind, allowed, names in offered
            for name in names
            if name not in allowed
        ]
        if wrong:
            raise InputError("; ".join(wrong) + ".")

    def without(self, name: str) -> Criteria:
        """Leave out one choice, range or flag, or "whitespace" or "idle_since"."""
        return replace(
            self,
            choices=tuple(pair for pair in self.choices if pair[0] != name),
            ranges=tuple(entry for entry in self.ranges if entry[0] != name),
            flags=tuple(pair for pair in self.flags if pair[0] != name),
            whitespace=self.whitespace and name != "whitespace",
            idle_since=None if name == "idle_since" else self.idle_since,
        )


EVERYTHING = Criteria()
