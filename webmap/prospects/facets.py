"""What the list of prospects and its filters show, read from the snapshot the map is read from.

Every choice says how many there are under the *other* filters, so that no number is a dead end.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import request

from territory.geodesy import inverse
from territory.units_of_length import METRES_PER_MILE
from webmap import context, formatting
from webmap.prospects import current_snapshot, query_string, symbology
from webmap.prospects.query_string import COLOURS, NEAREST, PAGE_ROWS, SIZES, UNKNOWN, column_of

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from territory.prospects import Criteria, Selection, Targets
    from webmap.prospects.current_snapshot import Names
    from webmap.prospects.query_string import Asked, Place

SHORT = 8  # values of a choice that stand at once; the others unfold
STALE_DAYS = (30, 90, 180, 365)
# The choices of the page: their titles, and whether they stand open.
CHOICES = {
    "status": ("Status", True),
    "segment": ("Segment", True),
    "verdict": ("Straight line to the nearest office", True),
    "stage": ("Stage", False),
    "industry": ("Industry", False),
    "rep": ("Rep", False),
    "office": ("Nearest office", False),
    "state": ("State", False),
    "precision": ("Precision of the location", False),
    "placement": ("Placement", False),
}
FLAGS = (
    ("has_contacts", True, "Contact on file"),
    ("has_contacts", False, "No contact on file"),
    ("is_multi_site", True, "Several sites"),
    ("is_multi_site", False, "One site"),
    ("has_findings", True, "With findings"),
    ("has_findings", False, "Without findings"),
)
RANGE_WORDS = {
    "employees": "Employees",
    "revenue": "Revenue, $",
    "pipeline": "Pipeline, $",
    "miles": "Miles to the nearest office",
    "score": "Score",
}
DRAW_WORDS = {"symbols": "Every prospect", "density": "Density per square"}
NOT_KNOWN = "Not known"
ORDER_WORDS = {
    "score": "best score first",
    "name": "by company",
    "distance": "nearest to an office first",
    "employees": "most employees first",
    "revenue": "largest revenue first",
    "pipeline": "largest pipeline first",
    "stale": "longest untouched first",
    "near": "nearest to the point first",
    "-score": "lowest score first",
    "-name": "by company, turned round",
    "-distance": "farthest from an office first",
    "-employees": "fewest employees first",
    "-revenue": "smallest revenue first",
    "-pipeline": "smallest pipeline first",
    "-stale": "last touched first",
    "-near": "farthest from the point first",
}
_NEVER = -(2**31)  # the day of a prospect that nobody ever touched


@dataclass(frozen=True)
class Option:
    """One box to tick: ``count`` is how many it stands for under the other filters."""

    name: str
    value: str
    words: str
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    """The boxes of one choice; ``more`` are those that unfold."""

    name: str
    title: str
    options: tuple[Option, ...]
    more: tuple[Option, ...]
    is_open: bool


@dataclass(frozen=True)
class Listed:
    """One list as it was asked for: the prospects of a place, under filters, for somebody."""

    prospects: Targets
    asked: Asked
    place: Place
    reps: frozenset[str] | None
    names: Names
    today: dt.date

    @property
    def criteria(self) -> Criteria:
        """Say what was asked for in the words of the library."""
        return self.asked.criteria(self.today, self.place)

    @property
    def selection(self) -> Selection:
        """Find what is shown."""
        return self.prospects.select(self.criteria, self.reps)

    @property
    def total(self) -> int:
        """Count all that could be shown."""
        return self.prospects.select(self.place.criteria, self.reps).total

    def parts(self) -> dict[str, Any]:
        """Gather what ``lists.html`` and ``filters.html`` show."""
        list_request, passing, total = self.asked, self.selection.total, self.total
        first = (list_request.page - 1) * PAGE_ROWS
        rows = self.ordered(PAGE_ROWS, start=first)
        costliest = None if passing else self.costliest()
        return {
            "filters": list_request,
            "facets": self.facets(),
            "flags": self.flags(),
            "whitespace": self.prospects.whitespace_count(self.criteria, self.reps),
            "stale": self.stale(),
            "ranges": self.ranges(),
            "colours": {name: symbology.TITLES[name] for name in COLOURS},
            "sizes": SIZES,
            "draws": DRAW_WORDS,
            "shown": passing,
            "total": total,
            "page_rows": self.rows(rows),
            "page_size": PAGE_ROWS,
            "pages": -(-passing // PAGE_ROWS),
            "first_row": first + 1,
            "costliest": costliest,
            "costliest_words": costliest and self.told(costliest[0]),
        }

    def facets(self) -> list[Facet]:
        """Count every choice that there is one to make of."""
        facets = (self._facet(name, *words) for name, words in CHOICES.items())
        return [facet for facet in facets if facet is not None]

    def _facet(self, name: str, title: str, is_open: bool) -> Facet | None:
        counts = self.prospects.counts(
            column_of(name), self.criteria, self.reps, self.place.criteria
        )
        values = self.asked.chosen(name)
        words = symbology.words_of(name, self.names)
        options = [
            Option(name, value or UNKNOWN, words.get(value, value) if value else NOT_KNOWN, count,
                   (value or UNKNOWN) in values)
            for value, count in self._ordered(name, counts)
        ]  # fmt: skip
        if len(options) < 2 and not values:
            return None
        at_once = options if len(options) <= SHORT + 1 else [
            option for at, option in enumerate(options) if at < SHORT or option.is_chosen
        ]  # fmt: skip
        rest = tuple(option for option in options if option not in at_once)
        return Facet(name, title, tuple(at_once), rest, is_open or bool(values))

    def _ordered(self, name: str, counts: dict[str | None, int]) -> list[tuple[str | None, int]]:
        """Put values in their own order, or the commonest first; what is not known stands last."""
        offered = query_string.OFFERED[name]
        if offered is not None:
            return [(value, counts[value]) for value in (*offered, None) if value in counts]
        return sorted(
            counts.items(), key=lambda entry: (entry[0] is None, -entry[1], entry[0] or "")
        )

    def flags(self) -> list[Option]:
        """Count what holds or does not hold; a "not" stands there only where it says something."""
        flags = dict(self.asked.flags)
        facets = []
        for name, holds, words in FLAGS:
            yes, no = self.prospects.flag_counts(name, self.criteria, self.reps)
            is_chosen = flags.get(name) is holds
            if holds or name == "has_contacts" or is_chosen:
                count = yes if holds else no
                facets.append(Option(name, "1" if holds else "0", words, count, is_chosen))
        return facets

    def stale(self) -> list[Option]:
        """Count those whom nobody touched for so many days."""
        wanted = self.asked.stale_days
        return [
            Option("stale", str(days), f"{days:,} days", self._idle(days), days == wanted)
            for days in sorted({*STALE_DAYS, *filter(None, (wanted,))})
        ]

    def _idle(self, days: int) -> int:
        day = query_string.idle_since(self.today, days)
        return self.prospects.idle_count(day, self.criteria, self.reps)

    def ranges(self) -> list[dict[str, Any]]:
        """Give every range with its ends as they were asked for."""
        ends = {name: (low, high) for name, low, high in self.asked.ranges}
        return [
            {"name": name, "words": words, "ends": ends.get(name, (None, None))}
            for name, words in RANGE_WORDS.items()
        ]

    def offices_near(self) -> set[str]:
        """Give the offices that are the nearest one of anybody here."""
        counts = self.prospects.counts(
            "nearest_office_id", self.place.criteria, self.reps, self.place.criteria
        )
        return {one for one in counts if one is not None}

    def rows(self, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
        """Give rows of the snapshot to a template, None for what is not known."""
        snapshot = self.prospects.snapshot
        columns: dict[str, list[Any]] = {
            "prospect_id": snapshot.texts["prospect_id"].take(rows),
            "name": snapshot.texts["name"].take(rows),
        }
        for name in ("lon", "lat", "distance_mi", "employees", "pipeline_usd", "score"):
            values = snapshot.column[name][rows].astype(float).tolist()
            columns[name] = [None if value != value else value for value in values]
        for name in ("status", "segment", "verdict", "stage", "city", "state", "industry"):
            labels = (None, *snapshot.labels[name])
            columns[name] = [labels[code] for code in snapshot.column[name][rows].tolist()]
        columns["near_mi"] = self._miles_from_point(rows)
        days = snapshot.column["touched"][rows].tolist()
        columns["touched"] = [
            None if day == _NEVER else str(np.datetime64(day, "D")) for day in days
        ]
        return [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]

    def _miles_from_point(self, rows: npt.NDArray[np.int64]) -> list[float | None]:
        """Give the distance of rows from the point that near names; None where it names none."""
        if (here := self.asked.here) is None:
            return [None] * len(rows)
        lon, lat = (self.prospects.snapshot.column[name][rows] for name in ("lon", "lat"))
        distance_m = inverse(here.lon, here.lat, lon, lat)
        miles: list[float | None] = (distance_m / METRES_PER_MILE).tolist()
        return miles

    def costliest(self) -> tuple[str, int] | None:
        """Name the filter whose removal shows the most, and how many that would be."""
        gains = {
            name: dataclasses.replace(self, asked=self.asked.without(name)).selection.total
            for name in self.asked.active
        }
        best = max(gains, key=lambda name: gains[name], default=None)
        return (best, gains[best]) if best and gains[best] else None

    def told(self, name: str) -> str:
        """Say a filter as the page shows it."""
        if name == "text":
            return f"“{self.asked.text}”"
        if values := self.asked.chosen(name):
            words = symbology.words_of(name, self.names) | {UNKNOWN: NOT_KNOWN}
            return " and ".join(words.get(value, value) for value in values)
        return {
            "whitespace": "Whitespace",
            "stale_days": f"Quiet for {self.asked.stale_days} days",
            "near": "Near",
            **RANGE_WORDS,
            **{flag: words for flag, holds, words in FLAGS if (flag, holds) in self.asked.flags},
        }[name]

    def holds(self, prospect_id: str) -> bool:
        """Tell whether a prospect is of this place and within reach, shown or not."""
        row = self.prospects.snapshot.row_of(prospect_id)
        everyone = self.prospects.select(self.place.criteria, self.reps)
        return row is not None and bool(everyone.mask[row])

    def ids(self) -> list[str]:
        """Give the ids of all that is shown, in the order of the list."""
        rows = self.ordered(self.selection.total)
        return self.prospects.snapshot.texts["prospect_id"].take(rows)

    def ordered(self, count: int, *, start: int = 0) -> npt.NDArray[np.int64]:
        """Give the rows ``start`` to ``start + count`` of what is shown, in the order asked for."""
        sort, here = self.asked.sort, self.asked.here
        if here is None or sort.removeprefix("-") != NEAREST:
            return self.prospects.first(self.selection, sort, count, start=start)
        rows, _ = self.prospects.nearest(
            self.selection, here, start + count, farthest=sort.startswith("-")
        )
        return rows[start:]


def listed(place: Place) -> Listed:
    """Read what this request asks of a place.

    Raises
    ------
    InputError
        Naming all that cannot be followed.
    """
    list_request, reps, now = (
        query_string.read(request.args),
        current_snapshot.reach(),
        current_snapshot.current(),
    )
    return Listed(now.targets, list_request, place, reps, now.names, context.settings().today())


def order_words(sort: str) -> str:
    """Say how a list is ordered."""
    return ORDER_WORDS[sort]


def sort_of(name: str, current: str) -> str:
    """Give the order that a click on a head asks for: its own first, then turned round."""
    return f"-{name}" if current == name else name


def touched(day: str | None) -> str:
    """Say when somebody last did something, in days."""
    if day is None:
        return "never"
    return formatting.day(day).partition(" (")[2].removesuffix(")")
