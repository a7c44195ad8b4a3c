"""Criteria as they stand in an address, and the snapshot that answers them, opened once a process.

The page, its map, its list, every export and every saved view read the same query string, so they
show the same prospects::

    q=acme  status=customer&status=prospect  employees=100..5000  near=-87.63,41.88,25
    whitespace=1  stale=90  has_contacts=1  sort=-score  page=2
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import current_app

from territory import snapshotting
from territory.errors import InputError
from territory.lengths import METRES_PER_MILE
from territory.policy import SEGMENTS
from territory.schemas import PLACEMENTS, PRECISIONS, STATUSES, VERDICTS
from territory.snapshot import FLAGS, ORDERS
from territory.targeting import Criteria, Near, Targets
from webmap import shell
from webmap.viewport import Box

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

PAGE_ROWS = 50
LONGEST_TEXT = 200
MOST_VALUES = 100  # of one choice in one address
FARTHEST_MI = 3000.0
# The choices a page offers; None: whatever values the plan has.
OFFERED: dict[str, tuple[str, ...] | None] = {
    "status": STATUSES,
    "segment": SEGMENTS,
    "verdict": VERDICTS,
    "industry": None,
    "stage": None,
    "precision": PRECISIONS,
    "placement": PLACEMENTS,
    "rep": None,
    "office": None,
    "state": None,
}
_COLUMNS = {"rep": "rep_id", "office": "nearest_office_id"}
UNKNOWN = "none"  # the value that stands for "not known" in an address
RANGED = {
    "miles": "distance_mi",
    "employees": "employees",
    "revenue": "revenue_usd",
    "pipeline": "pipeline_usd",
    "score": "score",
}


@dataclass(frozen=True)
class Asked:
    """One reading of a query string. An empty choice lets everything through."""

    text: str = ""
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ranges: tuple[tuple[str, float | None, float | None], ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()
    whitespace: bool = False
    stale_days: int | None = None
    near: tuple[float, float, float] | None = None  # lon, lat, miles
    sort: str = "score"
    page: int = 1

    def criteria(self, today: dt.date, market_id: str | None = None) -> Criteria:
        """Say it in the words of the library; ``market_id`` keeps to one market."""
        choices = [
            (_COLUMNS.get(name, name), tuple(None if one == UNKNOWN else one for one in values))
            for name, values in self.choices
        ]
        if market_id is not None:
            choices.append(("market_id", (market_id,)))
        idle = None
        if self.stale_days is not None:
            idle = (today - dt.timedelta(days=self.stale_days)).isoformat()
        near = None
        if self.near is not None:
            lon, lat, miles = self.near
            near = Near(lon, lat, miles * METRES_PER_MILE)
        return Criteria(
            text=self.text,
            choices=tuple(choices),
            ranges=tuple((RANGED[name], low, high) for name, low, high in self.ranges),
            flags=self.flags,
            whitespace=self.whitespace,
            idle_since=idle,
            near=near,
        )

    def chosen(self, name: str) -> tuple[str, ...]:
        """Give the values let through of one choice; none: all."""
        return dict(self.choices).get(name, ())

    @property
    def active(self) -> tuple[str, ...]:
        """Name what narrows the list, in the order it stands on the page."""
        singles = [
            name for name in ("text", "whitespace", "stale_days", "near") if getattr(self, name)
        ]
        parts = (self.choices, self.ranges, self.flags)
        return (*singles, *(entry[0] for part in parts for entry in part))

    def without(self, name: str) -> Asked:
        """Take one filter away, by its name in ``active``."""
        changed: dict[str, Any] = {
            kind: tuple(entry for entry in getattr(self, kind) if entry[0] != name)
            for kind in ("choices", "ranges", "flags")
        }
        if name in _EMPTY:
            changed[name] = _EMPTY[name]
        return dataclasses.replace(self, page=1, **changed)

    def query(self, **changes: Any) -> dict[str, Any]:
        """Give the query string with changes; what is the default is left out."""
        other = dataclasses.replace(self, **changes)
        found: dict[str, Any] = {"q": other.text} if other.text else {}
        found |= {name: list(values) for name, values in other.choices}
        found |= {name: f"{_plain(low)}..{_plain(high)}" for name, low, high in other.ranges}
        found |= {name: "1" if holds else "0" for name, holds in other.flags}
        if other.whitespace:
            found["whitespace"] = "1"
        if other.stale_days is not None:
            found["stale"] = str(other.stale_days)
        if other.near is not None:
            found["near"] = ",".join(_plain(number) for number in other.near)
        if other.sort != Asked.sort:
            found["sort"] = other.sort
        if other.page != 1:
            found["page"] = str(other.page)
        return found


_EMPTY: dict[str, Any] = {"text": "", "whitespace": False, "stale_days": None, "near": None}


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.10g}"


@dataclass
class _Reader:
    """Reads the parts of a query string and gathers what is wrong with it."""

    query: MultiDict[str, str]
    breaches: list[str] = field(default_factory=list)

    def refuse(self, name: str, value: str, remedy: str) -> None:
        self.breaches.append(f"{name}: {value[:LONGEST_TEXT]!r} {remedy}")

    def choices(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        found = []
        for name, offered in OFFERED.items():
            values = tuple(dict.fromkeys(filter(None, self.query.getlist(name))))
            if offered is not None:
                wrong = [value for value in values if value not in (*offered, UNKNOWN)]
                if wrong:
                    self.refuse(name, ", ".join(wrong), f"is none of {', '.join(offered)}")
            if len(values) > MOST_VALUES:
                self.refuse(name, f"{len(values)} values", f"are more than {MOST_VALUES}")
            if values:
                found.append((name, values))
        return tuple(found)

    def ranges(self) -> tuple[tuple[str, float | None, float | None], ...]:
        found = []
        for name in RANGED:
            if not (text := self.query.get(name, "").strip()):
                continue
            low, dots, high = text.partition("..")
            ends = [self.number(name, end) if end else None for end in (low, high)]
            if not dots:
                self.refuse(name, text, "is no range: write 100..5000, 100.. or ..5000")
            elif ends != [None, None]:
                found.append((name, ends[0], ends[1]))
        return tuple(found)

    def number(self, name: str, text: str) -> float | None:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.refuse(name, text, "is no number")
            return None
        return number

    def whole(self, name: str, text: str, most: int) -> int:
        if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= most:
            return int(text)
        self.refuse(name, text, f"is no whole number from 1 to {most:,}")
        return 1

    def yes(self, name: str) -> bool | None:
        text = self.query.get(name, "")
        if text not in ("", "0", "1"):
            self.refuse(name, text, "is neither 1 (yes) nor 0 (no)")
        return {"0": False, "1": True}.get(text)

    def near(self) -> tuple[float, float, float] | None:
        if not (text := self.query.get("near", "").strip()):
            return None
        parts = text.split(",")
        numbers = [self.number("near", part) for part in parts]
        if len(parts) != 3 or None in numbers:
            self.refuse("near", text, "is not lon,lat,miles")
            return None
        lon, lat, miles = (float(number or 0) for number in numbers)
        if not (-180 <= lon <= 180 and -90 <= lat <= 90 and 0 < miles <= FARTHEST_MI):
            self.refuse("near", text, f"is no place on earth with up to {FARTHEST_MI:,.0f} miles")
            return None
        return lon, lat, miles

    def sort(self) -> str:
        text = self.query.get("sort", Asked.sort)
        if text.removeprefix("-") not in ORDERS:
            self.refuse("sort", text, f"is none of {', '.join(ORDERS)}")
            return Asked.sort
        return text


def read(query: MultiDict[str, str]) -> Asked:
    """Read a query string.

    Raises
    ------
    InputError
        Naming every value that cannot be followed, all at once.
    """
    reader = _Reader(query)
    text = " ".join(query.get("q", "").split())
    if len(text) > LONGEST_TEXT:
        reader.refuse("q", f"{len(text):,} characters", f"are more than {LONGEST_TEXT}")
    stale = query.get("stale", "").strip()
    flags = [(name, reader.yes(name)) for name in FLAGS]
    asked = Asked(
        text=text,
        choices=reader.choices(),
        ranges=reader.ranges(),
        flags=tuple((name, holds) for name, holds in flags if holds is not None),
        whitespace=bool(reader.yes("whitespace")),
        stale_days=reader.whole("stale", stale, 36_500) if stale else None,
        near=reader.near(),
        sort=reader.sort(),
        page=reader.whole("page", query.get("page", "1"), 10**8),
    )
    if reader.breaches:
        raise InputError("; ".join(reader.breaches) + ".")
    return asked


def read_box(query: MultiDict[str, str]) -> Box:
    """Read which view is asked for: bbox=west,south,east,north and zoom.

    Raises
    ------
    InputError
        If it is no view.
    """
    text, zoom = query.get("bbox", ""), query.get("zoom", "")
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        return Box(west, south, east, north, int(zoom))
    except (ValueError, OverflowError):
        raise InputError(
            f"bbox {text[:LONGEST_TEXT]!r} and zoom {zoom[:LONGEST_TEXT]!r}: give "
            "bbox=west,south,east,north in degrees and a whole zoom."
        ) from None


@dataclass
class _Kept:
    stamp: str | None = None
    targets: Targets | None = None
    lock: Lock = field(default_factory=Lock)


def current() -> Targets | None:
    """Give the prospects of the plan in force as of now; None before the first plan."""
    settings = current_app.config["TERRITORY"]
    opened: dict[int, _Kept] = current_app.extensions.setdefault("targets", {})
    kept = opened.setdefault(os.getpid(), _Kept())
    today = settings.today().isoformat()
    stamp = snapshotting.stamp_of(shell.store(), today)
    if stamp == kept.stamp:
        return kept.targets
    with kept.lock:
        folder = Path(settings.var_dir) / "snapshots"
        taken = snapshotting.ready(shell.store(), folder, today)
        kept.targets = Targets(taken) if taken else None
        kept.stamp = taken.stamp if taken else None
        return kept.targets
