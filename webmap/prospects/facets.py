"""Facets and rows of a list of prospects, read from the snapshot that the map is read from.

Every choice says how many there are under the *other* filters, so that no number is a dead end.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import request

from territory.geodesy import inverse
from territory.prospects import NEVER, fields
from territory.units_of_length import METRES_PER_MILE
from webmap import context, formatting, security
from webmap.prospects import current_snapshot, query_string
from webmap.prospects.query_string import NEAREST, PAGE_ROWS, SIZES, UNKNOWN

if TYPE_CHECKING:
    import datetime as dt

    import numpy.typing as npt

    from territory.prospects import Field, Filters, ProspectIndex, Selection
    from webmap.prospects.current_snapshot import Names
    from webmap.prospects.query_string import ListRequest, ListScope

SHORT = 8  # values of a choice that stand at once; the others unfold
STALE_DAYS = (30, 90, 180, 365)
DRAW_WORDS = {"symbols": "Every prospect", "density": "Density per square"}
NEAREST_WORDS = {
    NEAREST: "nearest to the point first",
    f"-{NEAREST}": "farthest from the point first",
}


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
    is_leading: bool


@dataclass(frozen=True)
class ListPage:
    """One list as it was asked for: the prospects of a scope, under filters, for somebody.

    ``reps`` are whose prospects that one may see, as ``current_snapshot.reach`` says.
    """

    index: ProspectIndex
    request: ListRequest
    scope: ListScope
    reps: frozenset[str] | None
    names: Names
    today: dt.date

    @property
    def filters(self) -> Filters:
        """Say what was asked for in the words of the library."""
        return self.request.filters(self.today, self.scope)

    @property
    def selection(self) -> Selection:
        """Find what is shown."""
        return self.index.select(self.filters, self.reps)

    @property
    def everyone(self) -> Selection:
        """Find what could be shown, no filter chosen."""
        return self.index.select(self.scope.filters, self.reps)

    def parts(self) -> dict[str, Any]:
        """Gather what ``lists.html`` and ``filters.html`` show."""
        list_request, passing = self.request, self.selection.total
        first = (list_request.page - 1) * PAGE_ROWS
        costliest = None if passing else self.costliest()
        return {
            "filters": list_request,
            "facets": self.facets(),
            "flags": self.flags(),
            "whitespace": self.index.whitespace_count(self.filters, self.reps),
            "stale": self.stale(),
            "ranges": self.ranges(),
            "colours": {name: fields.BY_NAME[name].title for name in fields.COLOURS},
            "sizes": SIZES,
            "draws": DRAW_WORDS,
            "shown": passing,
            "total": self.everyone.total,
            "page_rows": self.rows(self.ordered(PAGE_ROWS, start=first)),
            "page_size": PAGE_ROWS,
            "pages": -(-passing // PAGE_ROWS),
            "first_row": first + 1,
            "costliest": costliest,
            "costliest_words": costliest and self.words_of(costliest[0]),
        }

    def facets(self) -> list[Facet]:
        """Count every choice that there is one to make of."""
        facets = (self._facet(field) for field in fields.CHOICE_FILTERS)
        return [facet for facet in facets if facet is not None]

    def _facet(self, field: Field) -> Facet | None:
        counts = self.index.counts(field.column, self.filters, self.reps, self.scope.filters)
        values = self.request.values_of(field.name)
        words = self.names.words(field)
        options = [
            Option(field.name, value or UNKNOWN,
                   words.get(value, value) if value else field.missing, count,
                   (value or UNKNOWN) in values)
            for value, count in _ordered(field, counts)
        ]  # fmt: skip
        if len(options) < 2 and not values:
            return None
        # One more stands at once where its place would else be taken by the words "1 more".
        at_once = options if len(options) <= SHORT + 1 else [
            option for at, option in enumerate(options) if at < SHORT or option.is_chosen
        ]  # fmt: skip
        rest = tuple(option for option in options if option not in at_once)
        is_open = field.is_leading or bool(values)
        return Facet(field.name, field.label, tuple(at_once), rest, is_open, field.is_leading)

    def flags(self) -> list[Option]:
        """Count what holds or does not hold; a "not" stands there only where it says something."""
        flags = dict(self.request.flags)
        options = []
        for field in fields.FLAG_FILTERS:
            yes, no = self.index.flag_counts(field.column, self.filters, self.reps)
            value = flags.get(field.name)
            options.append(Option(field.name, "1", field.yes, yes, value is True))
            if field.offers_no or value is False:
                options.append(Option(field.name, "0", field.no, no, value is False))
        return options

    def stale(self) -> list[Option]:
        """Count those whom nobody touched for so many days."""
        chosen_days = self.request.stale_days
        return [
            Option("stale", str(days), f"{days:,} days", self._idle(days), days == chosen_days)
            for days in sorted({*STALE_DAYS, *filter(None, (chosen_days,))})
        ]

    def _idle(self, days: int) -> int:
        day = query_string.idle_since(self.today, days)
        return self.index.idle_count(day, self.filters, self.reps)

    def ranges(self) -> list[dict[str, Any]]:
        """Give every range with its ends as they were asked for."""
        ends = {name: (low, high) for name, low, high in self.request.ranges}
        return [
            {"name": field.name, "words": field.label, "ends": ends.get(field.name, (None, None))}
            for field in fields.RANGE_FILTERS
        ]

    def offices_near(self) -> set[str]:
        """Give the offices that are the nearest one of anybody here."""
        counts = self.index.counts(
            "nearest_office_id", self.scope.filters, self.reps, self.scope.filters
        )
        return {one for one in counts if one is not None}

    def rows(self, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
        """Give rows of the snapshot to a template, None for what is not known."""
        snapshot = self.index.snapshot
        columns: dict[str, list[Any]] = {
            name: snapshot.texts[name].take(rows) for name in fields.TEXTS
        }
        for field in map(fields.BY_NAME.__getitem__, fields.LISTED):
            values = snapshot.column[field.column][rows]
            if field.kind == "choice":
                labels = (None, *snapshot.labels[field.column])
                columns[field.column] = [labels[code] for code in values.tolist()]
            else:
                numbers = values.astype(float).tolist()
                columns[field.column] = [None if one != one else one for one in numbers]
        columns["near_mi"] = self._miles_from_point(rows)
        days = snapshot.column["touched"][rows].tolist()
        columns["touched"] = [
            None if day == NEVER else str(np.datetime64(day, "D")) for day in days
        ]
        return [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]

    def _miles_from_point(self, rows: npt.NDArray[np.int64]) -> list[float | None]:
        """Give the distance of rows from the point that near names; None where it names none."""
        if (here := self.request.here) is None:
            return [None] * len(rows)
        lon, lat = (self.index.snapshot.column[name][rows] for name in ("lon", "lat"))
        distance_m = inverse(here.lon, here.lat, lon, lat)
        miles: list[float | None] = (distance_m / METRES_PER_MILE).tolist()
        return miles

    def costliest(self) -> tuple[str, int] | None:
        """Name the filter whose removal shows the most, and how many that would be."""
        gains = {
            name: dataclasses.replace(self, request=self.request.without(name)).selection.total
            for name in self.request.active
        }
        best = max(gains, key=lambda name: gains[name], default=None)
        return (best, gains[best]) if best and gains[best] else None

    def words_of(self, name: str) -> str:
        """Say a filter as the page shows it, by its name in ``ListRequest.active``."""
        if name == "text":
            return f"“{self.request.text}”"
        if values := self.request.values_of(name):
            choice = fields.BY_NAME[name]
            words = {**self.names.words(choice), UNKNOWN: choice.missing}
            return " and ".join(words.get(value, value) for value in values)
        if (field := fields.BY_NAME.get(name)) is None:
            return {
                "whitespace": "No open opportunity",
                "stale_days": f"No activity for {self.request.stale_days} days",
                "near": "Near",
            }[name]
        if field.kind == "flag":
            return field.yes if dict(self.request.flags)[name] else field.no
        return field.label

    def holds(self, prospect_id: str) -> bool:
        """Tell whether a prospect is of this scope and within reach, shown or not."""
        row = self.index.snapshot.row_of(prospect_id)
        return row is not None and bool(self.everyone.mask[row])

    def ids(self) -> list[str]:
        """Give the ids of all that is shown, in the order of the list."""
        rows = self.ordered(self.selection.total)
        return self.index.snapshot.texts["prospect_id"].take(rows)

    def ordered(self, count: int, *, start: int = 0) -> npt.NDArray[np.int64]:
        """Give the rows ``start`` to ``start + count`` of what is shown, in the order asked for."""
        sort, here = self.request.sort, self.request.here
        if here is None or sort.removeprefix("-") != NEAREST:
            return self.index.first(self.selection, sort, count, start=start)
        rows, _ = self.index.nearest(
            self.selection, here, start + count, farthest=sort.startswith("-")
        )
        return rows[start:]


def _ordered(field: Field, counts: dict[str | None, int]) -> list[tuple[str | None, int]]:
    """Put values in their own order, or the commonest first; what is not known stands last."""
    if field.values is not None:
        return [(value, counts[value]) for value in (*field.values, None) if value in counts]
    return sorted(counts.items(), key=lambda entry: (entry[0] is None, -entry[1], entry[0] or ""))


def list_page(scope: ListScope) -> ListPage:
    """Read what this request asks of a scope, for whoever asks.

    Raises
    ------
    InputError
        Naming all that cannot be followed.
    """
    list_request = query_string.read(request.args)
    reps, now = current_snapshot.reach(security.scope()), current_snapshot.current()
    return ListPage(now.index, list_request, scope, reps, now.names, context.settings().today())


def order_words(sort: str) -> str:
    """Say how a list is ordered."""
    if sort in NEAREST_WORDS:
        return NEAREST_WORDS[sort]
    order = fields.ORDERS[sort.removeprefix("-")]
    return order.turned if sort.startswith("-") else order.words


def sort_of(name: str, current: str) -> str:
    """Give the order that a click on a head asks for: its own first, then turned round."""
    return f"-{name}" if current == name else name


def touched(day: str | None) -> str:
    """Say when somebody last did something, in days."""
    if day is None:
        return "never"
    return formatting.day_distance(day)
