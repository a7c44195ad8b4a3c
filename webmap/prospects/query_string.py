"""Query strings of lists and maps: the filters, order, colours and sizes that an address asks for.

The page, its map, its list, every export and every saved view read the same query string, so they
show the same prospects::

    q=acme  status=customer&status=prospect  employees=100..5000  near=-87.63,41.88,25
    whitespace=1  stale=90  has_contacts=1  sort=-score  page=2  colour=status  size=employees
    draw=density

A form cannot write ranges, so it says ``employees_from`` and ``employees_to``, and ``near=lon,lat``
with ``within`` in miles.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.errors import InputError
from territory.prospects import Filters, Near, fields, mercator
from territory.units_of_length import METRES_PER_MILE
from webmap.prospects.viewport import TILE_PX, Box

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

PAGE_ROWS = 50
LONGEST_TEXT = 200
MOST_VALUES = 100  # of one choice in one address
FARTHEST_MI = 3000.0
USUAL_MI = 25.0  # round a point that was given without a radius
WIDEST_PX = 10_000  # of a view: more than any screen shows
SIZES = ("", *fields.SIZES)  # of the symbols of the map; "" for one size
DRAWS = ("symbols", "density")  # each prospect by itself, or how many there are in each square
NEAREST = "near"  # the order by the distance from the point that near names
UNKNOWN = "none"  # the value that stands for "not known" in an address


@dataclass(frozen=True)
class ListScope:
    """Where the list is of: one market, what lies outside every market, or all within reach."""

    market_id: str | None = None
    is_outside: bool = False

    @property
    def choices(self) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
        """Say it as a choice of filters."""
        if self.is_outside:
            return (("market_id", (None,)),)
        return () if self.market_id is None else (("market_id", (self.market_id,)),)

    @property
    def filters(self) -> Filters:
        """All that is there, no filter chosen."""
        return Filters(choices=self.choices)


@dataclass(frozen=True)
class ListRequest:
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
    colour: str = fields.COLOURS[0]
    size: str = ""
    draw: str = DRAWS[0]

    def filters(self, today: dt.date, scope: ListScope) -> Filters:
        """Say it in the words of the library."""
        choices = [
            (column, tuple(None if value == UNKNOWN else value for value in values))
            for column, values in _by_column(self.choices)
        ]
        choices.extend(scope.choices)
        idle = None if self.stale_days is None else idle_since(today, self.stale_days)
        return Filters(
            text=self.text,
            choices=tuple(choices),
            ranges=_by_column(self.ranges),
            flags=_by_column(self.flags),
            whitespace=self.whitespace,
            idle_since=idle,
            near=self.here,
        )

    @property
    def here(self) -> Near | None:
        """The point that near names and the radius round it; None where it names none."""
        if self.near is None:
            return None
        lon, lat, miles = self.near
        return Near(lon, lat, miles * METRES_PER_MILE)

    @property
    def usual_sort(self) -> str:
        """The order where none is asked for: the nearest first where a point is named."""
        return ListRequest.sort if self.near is None else NEAREST

    def values_of(self, name: str) -> tuple[str, ...]:
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

    def without(self, name: str) -> ListRequest:
        """Take one filter away, by its name in ``active``."""
        changed: dict[str, Any] = {
            kind: tuple(entry for entry in getattr(self, kind) if entry[0] != name)
            for kind in ("choices", "ranges", "flags")
        }
        if name in _EMPTY:
            changed[name] = _EMPTY[name]
        if name == "near" and self.sort.removeprefix("-") == NEAREST:
            changed["sort"] = ListRequest.sort
        return dataclasses.replace(self, page=1, **changed)

    def query(self, **changes: Any) -> dict[str, Any]:
        """Give the query string with changes; what is the default is left out."""
        other = dataclasses.replace(self, **changes)
        pairs: dict[str, Any] = {"q": other.text} if other.text else {}
        pairs |= {name: list(values) for name, values in other.choices}
        pairs |= {name: f"{_plain(low)}..{_plain(high)}" for name, low, high in other.ranges}
        pairs |= {name: "1" if holds else "0" for name, holds in other.flags}
        if other.whitespace:
            pairs["whitespace"] = "1"
        if other.stale_days is not None:
            pairs["stale"] = str(other.stale_days)
        if other.near is not None:
            pairs["near"] = ",".join(_plain(number) for number in other.near)
        if other.sort != other.usual_sort:
            pairs["sort"] = other.sort
        if other.page != 1:
            pairs["page"] = str(other.page)
        if other.colour != ListRequest.colour:
            pairs["colour"] = other.colour
        if other.size:
            pairs["size"] = other.size
        if other.draw != ListRequest.draw:
            pairs["draw"] = other.draw
        return pairs


def _by_column(entries: tuple[tuple[Any, ...], ...]) -> tuple[Any, ...]:
    """Call what an address names by its column."""
    return tuple((fields.BY_NAME[name].column, *values) for name, *values in entries)


_EMPTY: dict[str, Any] = {"text": "", "whitespace": False, "stale_days": None, "near": None}


def idle_since(today: dt.date, days: int) -> str:
    """Give the ISO day since which nothing happened, when nothing did for so many days."""
    return (today - dt.timedelta(days=days)).isoformat()


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:.10g}"


@dataclass
class _QueryReader:
    """Reads the parts of a query string and gathers what is wrong with it."""

    query: MultiDict[str, str]
    breaches: list[str] = dataclasses.field(default_factory=list)

    def refuse(self, name: str, value: str, remedy: str) -> None:
        self.breaches.append(f"{name}: {value[:LONGEST_TEXT]!r} {remedy}")

    def choices(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        choices = []
        for field in fields.CHOICE_FILTERS:
            name, offered = field.name, field.values
            values = tuple(dict.fromkeys(filter(None, self.query.getlist(name))))
            if offered is not None:
                wrong = [value for value in values if value not in (*offered, UNKNOWN)]
                if wrong:
                    self.refuse(name, ", ".join(wrong), f"is none of {', '.join(offered)}")
            if len(values) > MOST_VALUES:
                self.refuse(name, f"{len(values)} values", f"are more than {MOST_VALUES}")
            if values:
                choices.append((name, values))
        return tuple(choices)

    def ranges(self) -> tuple[tuple[str, float | None, float | None], ...]:
        ranges = []
        for name in (field.name for field in fields.RANGE_FILTERS):
            low, dots, high = self.query.get(name, "..").strip().partition("..")
            if not dots:
                self.refuse(name, low, "is no range: write 100..5000, 100.. or ..5000")
                continue
            low = self.query.get(f"{name}_from", "").strip() or low
            high = self.query.get(f"{name}_to", "").strip() or high
            ends = [self.number(name, end) if end else None for end in (low, high)]
            if ends != [None, None]:
                ranges.append((name, ends[0], ends[1]))
        return tuple(ranges)

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
        """Read a flag; both yes and no ticked is as good as neither."""
        texts = set(filter(None, self.query.getlist(name)))
        if wrong := sorted(texts - {"0", "1"}):
            self.refuse(name, wrong[0], "is neither 1 (yes) nor 0 (no)")
        return {"0": False, "1": True}[texts.pop()] if len(texts) == 1 and not wrong else None

    def near(self) -> tuple[float, float, float] | None:
        if not (text := self.query.get("near", "").strip()):
            return None
        parts = text.split(",")
        if len(parts) == 2:
            parts.append(self.query.get("within", "").strip() or _plain(USUAL_MI))
        numbers = [self.number("near", part) for part in parts]
        if len(parts) != 3 or None in numbers:
            self.refuse("near", text, "is not lon,lat,miles")
            return None
        lon, lat, miles = (float(number or 0) for number in numbers)
        if not (-180 <= lon <= 180 and -90 <= lat <= 90 and 0 < miles <= FARTHEST_MI):
            self.refuse("near", text, f"is no place on earth with up to {FARTHEST_MI:,.0f} miles")
            return None
        return lon, lat, miles

    def sort(self, *, has_point: bool) -> str:
        usual = NEAREST if has_point else ListRequest.sort
        text = self.query.get("sort") or usual
        if text.removeprefix("-") == NEAREST:
            return text if has_point else usual
        if text.removeprefix("-") not in fields.ORDERS:
            self.refuse("sort", text, f"is none of {', '.join((*fields.ORDERS, NEAREST))}")
            return usual
        return text

    def one_of(self, name: str, offered: tuple[str, ...]) -> str:
        text = self.query.get(name) or offered[0]
        if text not in offered:
            self.refuse(name, text, f"is none of {', '.join(filter(None, offered))}")
            return offered[0]
        return text


def read(query: MultiDict[str, str]) -> ListRequest:
    """Read a query string.

    Raises
    ------
    InputError
        Naming every value that cannot be followed, all at once.
    """
    reader = _QueryReader(query)
    text = " ".join(query.get("q", "").split())
    if len(text) > LONGEST_TEXT:
        reader.refuse("q", f"{len(text):,} characters", f"are more than {LONGEST_TEXT}")
    stale = query.get("stale", "").strip()
    flags = [(field.name, reader.yes(field.name)) for field in fields.FLAG_FILTERS]
    near = reader.near()
    list_request = ListRequest(
        text=text,
        choices=reader.choices(),
        ranges=reader.ranges(),
        flags=tuple((name, holds) for name, holds in flags if holds is not None),
        whitespace=bool(reader.yes("whitespace")),
        stale_days=reader.whole("stale", stale, 36_500) if stale else None,
        near=near,
        sort=reader.sort(has_point=near is not None),
        page=reader.whole("page", query.get("page", "1"), 10**8),
        colour=reader.one_of("colour", fields.COLOURS),
        size=reader.one_of("size", SIZES),
        draw=reader.one_of("draw", DRAWS),
    )
    if reader.breaches:
        raise InputError("; ".join(reader.breaches) + ".")
    return list_request


def read_scope(query: MultiDict[str, str]) -> ListScope:
    """Read where the list is of: ``market=ID``, ``outside=1``, or nothing for all within reach."""
    return ListScope(query.get("market") or None, query.get("outside") == "1")


def read_box(query: MultiDict[str, str]) -> Box:
    """Read which view is asked for: bbox=west,south,east,north and zoom.

    Raises
    ------
    InputError
        If it is no view, or one that no screen can show.
    """
    text, zoom = query.get("bbox", ""), query.get("zoom", "")
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        box = Box(west, south, east, north, int(zoom))
    except (ValueError, OverflowError):
        raise InputError(
            f"bbox {text[:LONGEST_TEXT]!r} and zoom {zoom[:LONGEST_TEXT]!r}: give "
            "bbox=west,south,east,north in degrees and a whole zoom."
        ) from None
    _, (bottom, top) = mercator([0.0, 0.0], [south, north])
    world_px = TILE_PX * 2.0**box.zoom
    if max(min(box.width / 360, 1.0), bottom - top) * world_px > WIDEST_PX:
        raise InputError(
            f"bbox {text[:LONGEST_TEXT]!r} at zoom {box.zoom} is more than {WIDEST_PX:,} pixels. "
            "Ask for a smaller view or zoom out."
        )
    return box
