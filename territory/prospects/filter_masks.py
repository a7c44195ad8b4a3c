"""Which rows of a snapshot miss what is asked for: each criterion alone, worked out once.

A person filters one criterion at a time, and every choice is counted under the *other* criteria. So
the rows that miss a criterion are kept for each alone, and the rest is adding: a row passes if it
misses none, and passes the others if it misses no more than the one that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache, cachedmethod

from territory.geodesy import OfficeIndex
from territory.prospects.snapshot import NULL, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy.typing as npt

    from territory.prospects.filters import Criteria, Near

    Mask = npt.NDArray[np.bool_]
    Misses = npt.NDArray[np.uint8]

_MASK_BYTES, _FEWEST = 16_000_000, 12  # a criterion takes a byte per row
_FEW_CODES = 16  # up to so many, comparing with each is quicker than looking every row up
_DEGREE_M = 110_000.0  # a degree of latitude is nowhere shorter than this on the ellipsoid


@dataclass(frozen=True)
class _Part:
    """One criterion: its ``name`` as ``Criteria.without`` takes it, its ``kind``, what it ``asks``.

    ``among`` are the parts that say which rows there are at all, for a criterion that must know.
    """

    name: str
    kind: str
    asks: tuple[Any, ...]
    among: tuple[_Part, ...] = ()


class Sieve:
    """Finds the rows that pass. Threads may share it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._lock = Lock()
        self._masks: LRUCache[Hashable, Misses] = LRUCache(
            max(_MASK_BYTES, _FEWEST * snapshot.size), getsizeof=lambda misses: misses.nbytes
        )
        self._ways: dict[str, Callable[[_Part], Mask]] = {
            "choice": self._in_choice,
            "range": self._in_range,
            "flag": self._with_flag,
            "whitespace": self._in_whitespace,
            "idle": self._idle,
            "text": self._with_words,
            "near": self._within,
        }

    def passing(self, criteria: Criteria, reps: frozenset[str] | None) -> Mask:
        """Tell which rows pass; ``reps`` limits them to what these reps own (None: no limit)."""
        return np.equal(self._sum(_parts(criteria, reps)), 0)

    def passing_others(self, criteria: Criteria, reps: frozenset[str] | None, name: str) -> Mask:
        """Tell which rows pass ``criteria.without(name)``, mostly at the cost of one comparison."""
        parts = _parts(criteria, reps)
        if any(base.name == name for part in parts for base in part.among):
            return self.passing(criteria.without(name), reps)
        own = self._sum(tuple(part for part in parts if part.name == name))
        return np.equal(self._sum(parts), own)

    def _sum(self, parts: tuple[_Part, ...]) -> Misses:
        """Count by row how many of the parts it misses."""
        return self._missed(parts[0]) if len(parts) == 1 else self._added(parts)

    @cachedmethod(attrgetter("_masks"), lock=attrgetter("_lock"))
    def _added(self, parts: tuple[_Part, ...]) -> Misses:
        misses = np.zeros(self._snapshot.size, np.uint8)
        for part in parts:
            misses += self._missed(part)
        return misses

    @cachedmethod(attrgetter("_masks"), lock=attrgetter("_lock"))
    def _missed(self, part: _Part) -> Misses:
        return (~self._ways[part.kind](part)).view(np.uint8)

    def _in_choice(self, part: _Part) -> Mask:
        name, *values = part.asks
        column, codes = self._snapshot.column[name], self._snapshot.codes(name, tuple(values))
        if len(codes) > _FEW_CODES:
            allowed = np.zeros(len(self._snapshot.labels[name]) + 1, bool)
            allowed[codes] = True
            return np.asarray(allowed[column])
        passes = np.zeros(len(column), bool)
        for code in codes:
            passes |= column == code
        return passes

    def _in_range(self, part: _Part) -> Mask:
        name, least, most = part.asks
        number = self._snapshot.column[name]
        passes: Mask = ~np.isnan(number)
        if least is not None:
            passes &= number >= np.float32(least)
        if most is not None:
            passes &= number <= np.float32(most)
        return passes

    def _with_flag(self, part: _Part) -> Mask:
        name, holds = part.asks
        return np.asarray(self._snapshot.column[name] == holds)

    def _in_whitespace(self, _part: _Part) -> Mask:
        return np.asarray(self._snapshot.column["stage"] == NULL)

    def _idle(self, part: _Part) -> Mask:
        return untouched_since(self._snapshot, *part.asks)

    def _with_words(self, part: _Part) -> Mask:
        """Look for words as if there were no other rows than those the text is looked for among."""
        (text,) = part.asks
        return self._snapshot.words.find(text, self._snapshot.size, self._sum(part.among) == 0)

    def _within(self, part: _Part) -> Mask:
        """Decide by the WGS84 geodesic which rows lie within a radius."""
        near: Near = part.asks[0]
        lat = self._snapshot.column["lat"][: self._snapshot.placed]
        far = near.radius_m / _DEGREE_M
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


def _parts(criteria: Criteria, reps: frozenset[str] | None) -> tuple[_Part, ...]:
    """Take criteria apart, reach and market first."""
    choices = [
        _Part(name, "choice", (name, *values))
        for name, values in sorted(criteria.choices, key=lambda choice: choice[0] != "market_id")
    ]
    reach = [] if reps is None else [_Part("", "choice", ("rep_id", *sorted(reps)))]
    base = (*reach, *(part for part in choices if part.name == "market_id"))
    parts = [*reach, *choices]
    parts += [_Part(one[0], "range", one) for one in criteria.ranges]
    parts += [_Part(one[0], "flag", one) for one in criteria.flags]
    if criteria.whitespace:
        parts.append(_Part("whitespace", "whitespace", ()))
    if criteria.idle_since is not None:
        parts.append(_Part("idle_since", "idle", (criteria.idle_since,)))
    if criteria.text:
        parts.append(_Part("text", "text", (criteria.text,), base))
    if criteria.near is not None:
        parts.append(_Part("near", "near", (criteria.near,)))
    return tuple(parts)
