"""Query of a snapshot: which prospects pass filters, facet counts, order, the nearest ones.

``Filters`` are what a person has chosen; ``reps`` are whose rows that person may see at all, and
that is laid under everything: what is outside does not exist, in any count or choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache, cachedmethod

from territory.errors import InputError
from territory.geodesy import SLACK_M, OfficeIndex, geodesic_upper_bound, to_ecef
from territory.prospects.fields import NUMBERS, ORDERS
from territory.prospects.filters import EVERYTHING, FilterIndex, Filters, Near, untouched_since
from territory.prospects.snapshot import NULL, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import numpy.typing as npt

_SELECTION_BYTES, _FEWEST = 40_000_000, 4  # of selections kept; never fewer than four
_ROW_BYTES = 1 + np.dtype(np.int32).itemsize  # of a selection
_COUNTS = 1024  # kept, each a number per value of a choice
_FEW_CODES = 12  # up to so many, comparing with each is quickest
_PAIRED_FROM = 200_000  # rows from which on two at a time pay for the larger table
_BYTE = 256
_SCAN = 4096  # rows of an order that are looked at in one go


@dataclass(frozen=True)
class Selection:
    """The rows that pass: ``mask``, bool per row."""

    mask: npt.NDArray[np.bool_]

    @cached_property
    def total(self) -> int:
        """How many pass."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def before(self) -> npt.NDArray[np.int32]:
        """How many pass before each row, and after the last one."""
        before = np.zeros(len(self.mask) + 1, np.int32)
        np.cumsum(self.mask, out=before[1:])
        return before

    @property
    def weight(self) -> int:
        """Bytes that it takes once all is known of it."""
        return len(self.mask) * _ROW_BYTES


class ProspectIndex:
    """A snapshot with the selections that were asked for lately. Threads may share it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._filter_index = FilterIndex(snapshot)
        self._lock = Lock()
        most = max(_SELECTION_BYTES, _FEWEST * snapshot.size * _ROW_BYTES)
        self._selections: LRUCache[Hashable, Selection] = LRUCache(
            most, getsizeof=lambda selection: selection.weight
        )
        self._counts: LRUCache[Hashable, npt.NDArray[np.int64]] = LRUCache(_COUNTS)
        self._sizes_known: dict[str, int] = {}

    @cachedmethod(attrgetter("_selections"), lock=attrgetter("_lock"))
    def select(self, filters: Filters, reps: frozenset[str] | None = None) -> Selection:
        """Find the rows that pass; ``reps`` limits them to what these reps own (None: no limit)."""
        return Selection(self._filter_index.passing(filters, reps))

    def counts(
        self,
        name: str,
        filters: Filters,
        reps: frozenset[str] | None = None,
        base: Filters = EVERYTHING,
    ) -> dict[str | None, int]:
        """Count each value of a choice among what the *other* filters let through; zeros too.

        The values are those that occur in what ``base`` lets through; None counts what is not
        known. The sum over all values is what would be shown with this choice left open.
        """
        labels = self.snapshot.labels[name]
        number = self._count(
            name, filters.without(name), reps, lambda: self._others(name, filters, reps)
        )
        is_known = self._count(name, base, reps, lambda: self.select(base, reps).mask) > 0
        counts: dict[str | None, int] = {
            label: int(number[at]) for at, label in enumerate(labels, 1) if is_known[at]
        }
        if is_known[NULL]:
            counts[None] = int(number[NULL])
        return counts

    @cachedmethod(
        attrgetter("_counts"),
        key=lambda _self, name, filters, reps, _passing: (name, filters, reps),
        lock=attrgetter("_lock"),
    )
    def _count(
        self,
        name: str,
        filters: Filters,  # noqa: ARG002  of the key
        reps: frozenset[str] | None,  # noqa: ARG002  of the key
        passing: Callable[[], npt.NDArray[np.bool_]],
    ) -> npt.NDArray[np.int64]:
        """Count each code of a choice among what the filters let through: the ``passing`` rows."""
        codes, size = self.snapshot.column[name], len(self.snapshot.labels[name]) + 1
        return count_codes(codes, passing(), size)

    def _others(
        self, name: str, filters: Filters, reps: frozenset[str] | None
    ) -> npt.NDArray[np.bool_]:
        """Find the rows that the filters but one let through."""
        if filters.without(name) == filters:
            return self.select(filters, reps).mask
        return self._filter_index.passing_others(filters, reps, name)

    def flag_counts(
        self, name: str, filters: Filters, reps: frozenset[str] | None = None
    ) -> tuple[int, int]:
        """Count for how many a flag holds and for how many not, the *other* filters given."""
        others = self._others(name, filters, reps)
        holds = int(np.count_nonzero(self.snapshot.column[name] & others))
        return holds, int(np.count_nonzero(others)) - holds

    def whitespace_count(self, filters: Filters, reps: frozenset[str] | None = None) -> int:
        """Count those without an open opportunity, the *other* filters given."""
        others = self._others("whitespace", filters, reps)
        return int(np.count_nonzero((self.snapshot.column["stage"] == NULL) & others))

    def idle_count(self, day: str, filters: Filters, reps: frozenset[str] | None = None) -> int:
        """Count those without activity since an ISO day, the *other* filters given."""
        others = self._others("idle_since", filters, reps)
        return int(np.count_nonzero(untouched_since(self.snapshot, day) & others))

    def first(
        self, selection: Selection, order: str, count: int, *, start: int = 0
    ) -> npt.NDArray[np.int64]:
        """Give the rows ``start`` to ``start + count`` of what passes, in one of ``ORDERS``.

        "-" before an order turns it round; what is not known stands last either way.

        Raises
        ------
        InputError
            If there is no such order.
        """
        name = order.removeprefix("-")
        if name not in ORDERS:
            raise InputError(f"order {order!r} is none of {', '.join(ORDERS)}.")
        ordered = self.snapshot.order[name]
        parts = [ordered]
        if order.startswith("-"):
            size = self._size_known(ORDERS[name].column)
            parts = [ordered[:size][::-1], ordered[size:]]  # what is not known stays last
        pieces: list[npt.NDArray[np.int64]] = []
        missing = start + count
        for part in parts:
            for rows in _scan(part):
                hits = rows[selection.mask[rows]][:missing]
                pieces.append(hits.astype(np.int64))
                missing -= len(hits)
                if missing <= 0:
                    return np.concatenate(pieces)[start:]
        whole = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
        return whole[start:]

    def nearest(
        self, selection: Selection, near: Near, first: int | None = None, *, farthest: bool = False
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Give the rows that pass and have a location by their distance from a point, and that.

        In metres on the WGS84 ellipsoid; only the ``first`` so many, where that is given. On a tie
        the row that is earlier in the snapshot stands first.
        """
        rows = np.flatnonzero(selection.mask[: self.snapshot.placed])
        if first is not None and 0 < first < len(rows):
            rows = rows[self._may_be_first(rows, near, first, farthest=farthest)]
        lon, lat = (self.snapshot.column[name][rows] for name in ("lon", "lat"))
        here = OfficeIndex(["here"], [near.lon], [near.lat])
        distance_m = here.nearest(lon, lat, count=False).distance_m
        order = np.argsort(-distance_m if farthest else distance_m, kind="stable")
        return rows[order][:first], distance_m[order][:first]

    def _may_be_first(
        self, rows: npt.NDArray[np.int64], near: Near, first: int, *, farthest: bool
    ) -> npt.NDArray[np.bool_]:
        """Rule out by the chord which rows cannot be among the ``first`` by the geodesic.

        Of each row the geodesic lies between its chord and ``geodesic_upper_bound`` of that. So a
        row whose chord is longer than what the nearest ``first`` can be at most is none of them;
        the geodesic itself is worked out for the few that are left.
        """
        lon, lat = (self.snapshot.column[name][rows] for name in ("lon", "lat"))
        here = to_ecef(np.array([near.lon]), np.array([near.lat]))
        chord_m = np.sqrt(np.square(to_ecef(lon, lat) - here).sum(axis=1))
        if farthest:  # no geodesic is shorter than its chord
            least_m = np.partition(chord_m, -first)[-first]
            return np.asarray(geodesic_upper_bound(chord_m) + SLACK_M >= least_m)
        most_m = geodesic_upper_bound(np.partition(chord_m, first - 1)[first - 1])
        return np.asarray(chord_m <= most_m + SLACK_M)

    def _size_known(self, column: str) -> int:
        """Count the rows whose value of a column is known."""
        if column not in NUMBERS:
            return self.snapshot.size
        if column not in self._sizes_known:
            self._sizes_known[column] = int(
                np.count_nonzero(~np.isnan(self.snapshot.column[column]))
            )
        return self._sizes_known[column]


def _scan(ordered: npt.NDArray[np.int32]) -> Iterator[npt.NDArray[np.int32]]:
    """Give the rows of an order in growing parts, so that a first page needs few of them."""
    at, size = 0, _SCAN
    while at < len(ordered):
        yield ordered[at : at + size]
        at += size
        size *= 2


def count_codes(
    codes: npt.NDArray[Any], mask: npt.NDArray[np.bool_], size: int
) -> npt.NDArray[np.int64]:
    """Count how many rows of a mask have each code from 0 to ``size - 1``.

    No row is picked out by the mask, which would cost more than the counting: the product of code
    and mask is 0 for a row that is not meant. Of codes of one byte each, two neighbours are counted
    as one number of two bytes, which halves the work; the sums over either byte are the counts.
    """
    if size <= _FEW_CODES:
        return np.array([np.count_nonzero((codes == code) & mask) for code in range(size)])
    meant = codes * mask
    if codes.dtype.itemsize > 1 or len(codes) < _PAIRED_FROM:
        counts = np.bincount(meant, minlength=size)
    else:
        even = len(meant) // 2 * 2
        pairs = np.bincount(meant[:even].view(np.uint16), minlength=_BYTE**2)
        table = pairs.reshape(_BYTE, _BYTE)
        counts = table.sum(axis=0) + table.sum(axis=1)
        counts += np.bincount(meant[even:], minlength=_BYTE)
        counts = counts[:size]
    counts[0] -= len(mask) - np.count_nonzero(mask)  # they were counted as code 0 by the product
    return counts
