"""Filters and filter masks: which rows of a snapshot pass each filter, worked out once.

A person changes one filter at a time, and every choice is counted under the *other* filters. So the
rows that miss a filter are kept for each alone, and the rest is adding: a row passes if it misses
none, and passes the others if it misses no more than the one that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache, cachedmethod

from territory.errors import InputError
from territory.geodesy import OfficeIndex
from territory.prospects.fields import CHOICES, FLAGS, NUMBERS
from territory.prospects.snapshot import NULL, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Misses = npt.NDArray[np.uint8]

_MASK_BYTES, _FEWEST = 16_000_000, 12  # a filter takes a byte per row
_FEW_CODES = 16  # up to so many, comparing with each is quicker than looking every row up
_DEGREE_M = 110_000.0  # a degree of latitude is nowhere shorter than this on the ellipsoid


@dataclass(frozen=True)
class Near:
    """Within ``radius_m`` metres of a point, straight line; WGS84 degrees."""

    lon: float
    lat: float
    radius_m: float


@dataclass(frozen=True)
class Filters:
    """What narrows a list, a map, a count or a file; the default is everything.

    Parameters
    ----------
    text
        Words, each of which must begin a word of the name, city, state or industry.
    choices
        Pairs of one of ``fields.CHOICES`` and the values let through; None is "not known".
    ranges
        Triples of one of ``fields.NUMBERS`` and the least and most let through, either None.
        What is not known lies in no range.
    flags
        Pairs of one of ``fields.FLAGS`` and whether it must hold or must not.
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

    def without(self, name: str) -> Filters:
        """Leave out one choice, range or flag, or "whitespace" or "idle_since"."""
        return replace(
            self,
            choices=tuple(pair for pair in self.choices if pair[0] != name),
            ranges=tuple(entry for entry in self.ranges if entry[0] != name),
            flags=tuple(pair for pair in self.flags if pair[0] != name),
            whitespace=self.whitespace and name != "whitespace",
            idle_since=None if name == "idle_since" else self.idle_since,
        )


EVERYTHING = Filters()


@dataclass(frozen=True)
class _Filter:
    """One of the filters: its ``name`` as ``Filters.without`` takes it, its ``kind``, its values.

    ``among`` are the filters that say which rows there are at all, for one that must know: words
    that nobody in reach has are looked for with slips of the finger.
    """

    name: str
    kind: str
    values: tuple[Any, ...]
    among: tuple[_Filter, ...] = ()


class FilterIndex:
    """Finds the rows that pass. Threads may share it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._lock = Lock()
        self._masks: LRUCache[Hashable, Misses] = LRUCache(
            max(_MASK_BYTES, _FEWEST * snapshot.size), getsizeof=lambda misses: misses.nbytes
        )
        self._ways: dict[str, Callable[[_Filter], Mask]] = {
            "choice": self._in_choice,
            "range": self._in_range,
            "flag": self._with_flag,
            "whitespace": self._in_whitespace,
            "idle": self._idle,
            "text": self._with_words,
            "near": self._within,
        }

    def passing(self, filters: Filters, reps: frozenset[str] | None) -> Mask:
        """Tell which rows pass; ``reps`` limits them to what these reps own (None: no limit)."""
        return np.equal(self._sum(_split(filters, reps)), 0)

    def passing_others(self, filters: Filters, reps: frozenset[str] | None, name: str) -> Mask:
        """Tell which rows pass ``filters.without(name)``, mostly at the cost of one comparison."""
        parts = _split(filters, reps)
        # Without what the words are looked for among, other words may be near enough: no sum that
        # was taken with it says which rows pass then.
        if any(base.name == name for part in parts for base in part.among):
            return self.passing(filters.without(name), reps)
        own = self._sum(tuple(part for part in parts if part.name == name))
        return np.equal(self._sum(parts), own)

    def _sum(self, parts: tuple[_Filter, ...]) -> Misses:
        """Count by row how many of the parts it misses."""
        return self._missed(parts[0]) if len(parts) == 1 else self._added(parts)

    @cachedmethod(attrgetter("_masks"), lock=attrgetter("_lock"))
    def _added(self, parts: tuple[_Filter, ...]) -> Misses:
        # One byte holds the sum: there are fewer filters than 256, one per field and a few.
        misses = np.zeros(self._snapshot.size, np.uint8)
        for part in parts:
            misses += self._missed(part)
        return misses

    @cachedmethod(attrgetter("_masks"), lock=attrgetter("_lock"))
    def _missed(self, part: _Filter) -> Misses:
        return (~self._ways[part.kind](part)).view(np.uint8)

    def _in_choice(self, part: _Filter) -> Mask:
        name, *labels = part.values
        column, codes = self._snapshot.column[name], self._snapshot.codes(name, tuple(labels))
        if len(codes) > _FEW_CODES:
            allowed = np.zeros(len(self._snapshot.labels[name]) + 1, bool)
            allowed[codes] = True
            return np.asarray(allowed[column])
        passes = np.zeros(len(column), bool)
        for code in codes:
            passes |= column == code
        return passes

    def _in_range(self, part: _Filter) -> Mask:
        name, least, most = part.values
        number = self._snapshot.column[name]
        passes: Mask = ~np.isnan(number)
        # The ends are rounded as the column is, or 0.1 would not lie in the range from 0.1 on.
        if least is not None:
            passes &= number >= np.float32(least)
        if most is not None:
            passes &= number <= np.float32(most)
        return passes

    def _with_flag(self, part: _Filter) -> Mask:
        name, holds = part.values
        return np.asarray(self._snapshot.column[name] == holds)

    def _in_whitespace(self, _part: _Filter) -> Mask:
        return np.asarray(self._snapshot.column["stage"] == NULL)

    def _idle(self, part: _Filter) -> Mask:
        return untouched_since(self._snapshot, *part.values)

    def _with_words(self, part: _Filter) -> Mask:
        """Look for words as if there were no other rows than those the text is looked for among."""
        (text,) = part.values
        return self._snapshot.words.find(text, self._snapshot.size, self._sum(part.among) == 0)

    def _within(self, part: _Filter) -> Mask:
        """Decide by the WGS84 geodesic which rows lie within a radius."""
        near: Near = part.values[0]
        lat = self._snapshot.column["lat"][: self._snapshot.placed]
        far = near.radius_m / _DEGREE_M  # of longitude no such bound holds near the poles
        rows = np.flatnonzero((lat >= near.lat - far) & (lat <= near.lat + far))
        index = OfficeIndex(["here"], [near.lon], [near.lat])
        inside = np.zeros(self._snapshot.size, bool)
        lon = self._snapshot.column["lon"][rows]
        inside[rows] = index.within(lon, lat[rows], near.radius_m) > 0
        return inside


def untouched_since(snapshot: Snapshot, day: str) -> Mask:
    """Tell whom nobody touched since an ISO day."""
    day_number = np.datetime64(day, "D").astype(np.int64)
    idle: Mask = snapshot.column["touched"] < day_number
    return idle


def _split(filters: Filters, reps: frozenset[str] | None) -> tuple[_Filter, ...]:
    """Give the filters one by one, those of reach and market first."""
    choices = [
        _Filter(name, "choice", (name, *values))
        for name, values in sorted(filters.choices, key=lambda choice: choice[0] != "market_id")
    ]
    reach = [] if reps is None else [_Filter("", "choice", ("rep_id", *sorted(reps)))]
    base = (*reach, *(part for part in choices if part.name == "market_id"))
    parts = [*reach, *choices]
    parts += [_Filter(bounds[0], "range", bounds) for bounds in filters.ranges]
    parts += [_Filter(flag[0], "flag", flag) for flag in filters.flags]
    if filters.whitespace:
        parts.append(_Filter("whitespace", "whitespace", ()))
    if filters.idle_since is not None:
        parts.append(_Filter("idle_since", "idle", (filters.idle_since,)))
    if filters.text:
        parts.append(_Filter("text", "text", (filters.text,), base))
    if filters.near is not None:
        parts.append(_Filter("near", "near", (filters.near,)))
    return tuple(parts)
