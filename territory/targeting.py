"""Which prospects of a snapshot are meant: criteria, masks, counts per choice, order.

A ``Criteria`` is what a person has chosen; a ``Scope`` of rows is what that person may see at all,
and is laid under everything: what is outside it does not exist, in any count or choice.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError
from territory.geodesy import OfficeIndex
from territory.snapshot import CHOICES, FLAGS, NULL, NUMBERS, ORDERS, Snapshot

if TYPE_CHECKING:
    import numpy.typing as npt

_KEPT_MASKS = 24
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

    def without(self, choice: str) -> Criteria:
        """Let every value of one choice through."""
        return replace(self, choices=tuple(pair for pair in self.choices if pair[0] != choice))


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
            while len(self._kept) > _KEPT_MASKS:
                self._kept.popitem(last=False)
        return found

    def counts(
        self, name: str, criteria: Criteria, reps: frozenset[str] | None = None
    ) -> dict[str | None, int]:
        """Count each value of a choice among what the *other* criteria let through; zeros too.

        None counts what is not known. The sum over all values is what would be shown with this
        choice left open.
        """
        snapshot = self.snapshot
        others = self.select(criteria.without(name), reps)
        allowed = self.select(Criteria(), reps)
        size = len(snapshot.labels[name]) + 1
        code = snapshot.column[name]
        number = np.bincount(code[others.mask], minlength=size)
        known = np.ones(size, bool) if reps is None else (
            np.bincount(code[allowed.mask], minlength=size) > 0
        )  # fmt: skip
        found: dict[str | None, int] = {
            label: int(number[at]) for at, label in enumerate(snapshot.labels[name], 1) if known[at]
        }
        if number[NULL]:
            found[None] = int(number[NULL])
        return found

    def first(
        self, selection: Selection, order: str, count: int, *, start: int = 0
    ) -> npt.NDArray[np.int64]:
        """Give the rows ``start`` to ``start + count`` of what passes, in one of ``ORDERS``.

        Raises
        ------
        InputError
            If there is no such order.
        """
        if order.removeprefix("-") not in ORDERS:
            raise InputError(f"order {order!r} is none of {', '.join(ORDERS)}.")
        ordered = self.snapshot.order[order.removeprefix("-")]
        if order.startswith("-"):
            ordered = ordered[::-1]
        found: list[npt.NDArray[np.int64]] = []
        wanted, at, size = start + count, 0, _SCAN
        while wanted > 0 and at < len(ordered):
            part = ordered[at : at + size]
            hits = part[selection.mask[part]]
            found.append(hits[:wanted].astype(np.int64))
            wanted -= len(found[-1])
            at += size
            size *= 2
        whole = np.concatenate(found) if found else np.zeros(0, np.int64)
        return whole[start:]

    def _mask(self, criteria: Criteria, reps: frozenset[str] | None) -> npt.NDArray[np.bool_]:
        snapshot = self.snapshot
        if criteria.text:
            mask = snapshot.words.find(criteria.text, snapshot.size)
        else:
            mask = np.ones(snapshot.size, bool)
        choices = list(criteria.choices)
        if reps is not None:
            choices.append(("rep_id", tuple(sorted(reps))))
        for name, values in choices:
            allowed = np.zeros(len(snapshot.labels[name]) + 1, bool)
            allowed[snapshot.codes(name, values)] = True
            mask &= allowed[snapshot.column[name]]
        for name, least, most in criteria.ranges:
            number = snapshot.column[name]
            mask &= ~np.isnan(number)
            if least is not None:
                mask &= number >= np.float32(least)
            if most is not None:
                mask &= number <= np.float32(most)
        for name, holds in criteria.flags:
            mask &= snapshot.column[name] == holds
        if criteria.whitespace:
            mask &= snapshot.column["stage"] == NULL
        if criteria.idle_since is not None:
            day = np.datetime64(criteria.idle_since, "D").astype(np.int64)
            mask &= snapshot.column["touched"] < day
        if criteria.near is not None:
            mask &= self._within(criteria.near, mask)
        return mask

    def _within(self, near: Near, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Decide by the WGS84 geodesic which of the rows lie within a radius."""
        snapshot = self.snapshot
        rows = np.flatnonzero(among[: snapshot.placed])
        index = OfficeIndex(["here"], [near.lon], [near.lat])
        lon, lat = snapshot.column["lon"][rows], snapshot.column["lat"][rows]
        inside = np.zeros(snapshot.size, bool)
        inside[rows] = index.within(lon, lat, near.radius_m) > 0
        return inside
