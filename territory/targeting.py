"""Which prospects of a snapshot are meant: criteria, masks, counts per choice, order.

A ``Criteria`` is what a person has chosen; a ``Scope`` of rows is what that person may see at all,
and is laid under everything: what is outside it does not exist, in any count or choice.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import InputError
from territory.geodesy import OfficeIndex
from territory.snapshot import CHOICES, FLAGS, NULL, NUMBERS, ORDERS, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

_KEPT_BYTES, _FEWEST_MASKS = 48_000_000, 4  # of masks; a million rows take 5 MB each
_KEPT_TALLIES = 1024
_FEW_CODES = 16  # up to so many, comparing with each is quicker than a histogram
_SCAN = 4096  # rows of an order that are looked at in one go


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
        told = (
            ("choice", CHOICES, [name for name, _ in self.choices]),
            ("number", NUMBERS, [name for name, *_ in self.ranges]),
            ("flag", FLAGS, [name for name, _ in self.flags]),
        )
        wrong = [
            f"{name!r} is no {kind}; there are {', '.join(known)}"
            for kind, known, names in told
            for name in names
            if name not in known
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


@dataclass(frozen=True)
class Selection:
    """The rows that pass: ``mask`` (bool per row) and ``before``, how many pass before each row."""

    mask: npt.NDArray[np.bool_]
    before: npt.NDArray[np.int32]

    @property
    def total(self) -> int:
        """How many pass."""
        return int(self.before[-1])


class Targets:
    """A snapshot with the masks that were asked for lately. Threads may share it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._kept: OrderedDict[tuple[Criteria, frozenset[str] | None], Selection] = OrderedDict()
        self._tallies: OrderedDict[tuple[Any, ...], npt.NDArray[np.int64]] = OrderedDict()
        self._knowns: dict[str, int] = {}
        self._lock = Lock()

    def select(self, criteria: Criteria, reps: frozenset[str] | None = None) -> Selection:
        """Find the rows that pass; ``reps`` limits them to what these reps own (None: no limit)."""
        asked = (criteria, reps)
        with self._lock:
            if found := self._kept.get(asked):
                self._kept.move_to_end(asked)
                return found
        mask = self._mask(criteria, reps)
        before = np.zeros(len(mask) + 1, np.int32)
        np.cumsum(mask, out=before[1:])
        found = Selection(mask, before)
        with self._lock:
            self._kept[asked] = found
            most = max(_FEWEST_MASKS, _KEPT_BYTES // (mask.nbytes + before.nbytes))
            while len(self._kept) > most:
                self._kept.popitem(last=False)
        return found

    def counts(
        self,
        name: str,
        criteria: Criteria,
        reps: frozenset[str] | None = None,
        base: Criteria = EVERYTHING,
    ) -> dict[str | None, int]:
        """Count each value of a choice among what the *other* criteria let through; zeros too.

        The values are those that occur in what ``base`` lets through; None counts what is not
        known. The sum over all values is what would be shown with this choice left open.
        """
        labels = self.snapshot.labels[name]
        number = self._tally(name, criteria.without(name), reps)
        is_known = self._tally(name, base, reps) > 0
        found: dict[str | None, int] = {
            label: int(number[at]) for at, label in enumerate(labels, 1) if is_known[at]
        }
        if is_known[NULL]:
            found[None] = int(number[NULL])
        return found

    def _tally(
        self, name: str, criteria: Criteria, reps: frozenset[str] | None
    ) -> npt.NDArray[np.int64]:
        """Count each code of a choice, kept for when it is asked again."""
        asked = (name, criteria, reps)
        with self._lock:
            if (found := self._tallies.get(asked)) is not None:
                self._tallies.move_to_end(asked)
                return found
        selection, codes = self.select(criteria, reps), self.snapshot.column[name]
        found = _count_codes(codes, selection, len(self.snapshot.labels[name]) + 1)
        with self._lock:
            self._tallies[asked] = found
            while len(self._tallies) > _KEPT_TALLIES:
                self._tallies.popitem(last=False)
        return found

    def flag_counts(
        self, name: str, criteria: Criteria, reps: frozenset[str] | None = None
    ) -> tuple[int, int]:
        """Count for how many a flag holds and for how many not, the *other* criteria given."""
        others = self.select(criteria.without(name), reps)
        holds = int(np.count_nonzero(self.snapshot.column[name] & others.mask))
        return holds, others.total - holds

    def whitespace_count(self, criteria: Criteria, reps: frozenset[str] | None = None) -> int:
        """Count those without an open opportunity, the *other* criteria given."""
        others = self.select(criteria.without("whitespace"), reps)
        return int(np.count_nonzero((self.snapshot.column["stage"] == NULL) & others.mask))

    def idle_count(self, day: str, criteria: Criteria, reps: frozenset[str] | None = None) -> int:
        """Count those without activity since an ISO day, the *other* criteria given."""
        others = self.select(criteria.without("idle_since"), reps)
        return int(np.count_nonzero(self._idle(day) & others.mask))

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
            known = self._known(ORDERS[name][0])
            parts = [ordered[:known][::-1], ordered[known:]]
        found: list[npt.NDArray[np.int64]] = []
        wanted = start + count
        for part in parts:
            for rows in _scan(part):
                hits = rows[selection.mask[rows]][:wanted]
                found.append(hits.astype(np.int64))
                wanted -= len(hits)
                if wanted <= 0:
                    return np.concatenate(found)[start:]
        whole = np.concatenate(found) if found else np.zeros(0, np.int64)
        return whole[start:]

    def nearest(
        self, selection: Selection, near: Near, *, farthest: bool = False
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Give the rows that pass and have a location by their distance from a point, and that.

        In metres on the WGS84 ellipsoid. On a tie the row that is earlier in the snapshot stands
        first.
        """
        rows = np.flatnonzero(selection.mask[: self.snapshot.placed])
        lon, lat = (self.snapshot.column[name][rows] for name in ("lon", "lat"))
        here = OfficeIndex(["here"], [near.lon], [near.lat])
        distance_m = here.nearest(lon, lat, count=False).distance_m
        order = np.argsort(-distance_m if farthest else distance_m, kind="stable")
        return rows[order], distance_m[order]

    def _known(self, column: str) -> int:
        """Count the rows whose value of a column is known."""
        if column not in NUMBERS:
            return self.snapshot.size
        if column not in self._knowns:
            self._knowns[column] = int(np.count_nonzero(~np.isnan(self.snapshot.column[column])))
        return self._knowns[column]

    def _idle(self, day: str) -> npt.NDArray[np.bool_]:
        idle: npt.NDArray[np.bool_] = self.snapshot.column["touched"] < np.datetime64(
            day, "D"
        ).astype(np.int64)
        return idle

    def _mask(self, criteria: Criteria, reps: frozenset[str] | None) -> npt.NDArray[np.bool_]:
        snapshot = self.snapshot
        mask = np.ones(snapshot.size, bool)
        # Reach and market first: a word is looked for among those rows as if there were no others.
        if reps is not None:
            self._let_through(mask, "rep_id", tuple(sorted(reps)))
        for name, values in criteria.choices:
            if name == "market_id":
                self._let_through(mask, name, values)
        if criteria.text:
            mask = snapshot.words.find(criteria.text, snapshot.size, mask)
        for name, values in criteria.choices:
            if name != "market_id":
                self._let_through(mask, name, values)
        self._keep_in_ranges(mask, criteria.ranges)
        for name, holds in criteria.flags:
            mask &= snapshot.column[name] == holds
        if criteria.whitespace:
            mask &= snapshot.column["stage"] == NULL
        if criteria.idle_since is not None:
            mask &= self._idle(criteria.idle_since)
        if criteria.near is not None:
            mask &= self._within(criteria.near, mask)
        return mask

    def _keep_in_ranges(
        self,
        mask: npt.NDArray[np.bool_],
        ranges: tuple[tuple[str, float | None, float | None], ...],
    ) -> None:
        for name, least, most in ranges:
            number = self.snapshot.column[name]
            mask &= ~np.isnan(number)
            if least is not None:
                mask &= number >= np.float32(least)
            if most is not None:
                mask &= number <= np.float32(most)

    def _let_through(
        self, mask: npt.NDArray[np.bool_], name: str, values: tuple[str | None, ...]
    ) -> None:
        column, codes = self.snapshot.column[name], self.snapshot.codes(name, values)
        if len(codes) <= _FEW_CODES:
            passes = np.zeros(len(mask), bool)
            for code in codes:
                passes |= column == code
            mask &= passes
            return
        allowed = np.zeros(len(self.snapshot.labels[name]) + 1, bool)
        allowed[codes] = True
        mask &= allowed[column]

    def _within(self, near: Near, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Decide by the WGS84 geodesic which of the rows lie within a radius."""
        snapshot = self.snapshot
        rows = np.flatnonzero(among[: snapshot.placed])
        index = OfficeIndex(["here"], [near.lon], [near.lat])
        lon, lat = snapshot.column["lon"][rows], snapshot.column["lat"][rows]
        inside = np.zeros(snapshot.size, bool)
        inside[rows] = index.within(lon, lat, near.radius_m) > 0
        return inside


def _count_codes(
    codes: npt.NDArray[Any], selection: Selection, size: int
) -> npt.NDArray[np.int64]:
    """Count how many of the selected rows have each code from 0 to ``size - 1``.

    Neither way picks rows out by the mask, which costs four times as much as the counting.
    """
    mask = selection.mask
    if size <= _FEW_CODES:
        return np.array([np.count_nonzero((codes == code) & mask) for code in range(size)])
    found = np.bincount(codes * mask, minlength=size)
    found[0] -= len(mask) - selection.total  # the others, which the product made 0
    return found


def _scan(ordered: npt.NDArray[np.int32]) -> Iterator[npt.NDArray[np.int32]]:
    """Give the rows of an order in growing parts, so that a first page needs few of them."""
    at, size = 0, _SCAN
    while at < len(ordered):
        yield ordered[at : at + size]
        at += size
        size *= 2
