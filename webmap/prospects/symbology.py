"""Symbology: colour by one field, size by another, and the legend that says so.

A colour belongs to a value of the whole market, not of what is in view, so that it stays the same
while the map is moved and filtered. At most seven values have a colour of their own: the commonest;
the others share the eighth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.labels import NO_BREAK, money
from territory.labels import number as labels_number
from territory.prospects import NULL, fields
from territory.reports import cover_map
from territory.schemas import STATUSES

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.prospects import Field, Snapshot
    from webmap.prospects.facets import ListPage

OWN_COLOURS = 7
OTHER = OWN_COLOURS  # the number of the colour of all else
UNKNOWN_SEGMENT = "unknown"
# What a shape stands for, in the order of the legend; the rest of its words is for print.
SHAPES = [(shape, words.partition(":")[0]) for shape, words in cover_map.SHAPES.items()]

# By status, the shape without and with an open opportunity, by number.
_SHAPE_NUMBERS = {
    status: [
        [shape for shape, _ in SHAPES].index(cover_map.shape_of(status, stage))
        for stage in (None, "open")
    ]
    for status in (None, *STATUSES)
}


@dataclass(frozen=True)
class Legend:
    """Which values of a field have colours, in the order of the colours.

    ``rest`` says what the eighth colour stands for, None where it is not needed.
    """

    field: Field
    values: tuple[str, ...]
    words: tuple[str, ...]
    rest: str | None

    def numbers(self, snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> list[int]:
        """Give the colour of each row, by number."""
        column = self.field.column
        number = np.full(len(snapshot.labels[column]) + 1, OTHER)
        for at, value in enumerate(self.values):
            number[snapshot.codes(column, (value,))] = at
        numbers: list[int] = number[snapshot.column[column][rows]].tolist()
        return numbers

    def as_json(self) -> dict[str, Any]:
        """Give the legend as the map draws it."""
        return {"title": self.field.title, "words": self.words, "rest": self.rest}


def legend(list_page: ListPage) -> Legend:
    """Choose the values that have a colour: the commonest of all that the list could show."""
    field, base = fields.BY_NAME[list_page.request.colour], list_page.scope.filters
    counts = list_page.index.counts(field.column, base, list_page.reps, base)
    sizes = {value: size for value, size in counts.items() if value not in {None, UNKNOWN_SEGMENT}}
    if field.values is not None:
        values = [value for value in field.values if value in sizes]
    else:
        values = sorted(
            (value for value in sizes if value), key=lambda value: (-sizes[value], value)
        )
    words = list_page.names.words(field)
    own = tuple(values[:OWN_COLOURS])
    rest = {
        (False, False): None,
        (True, False): "Other",
        (False, True): field.missing,
        (True, True): f"Other, or {field.missing[:1].lower()}{field.missing[1:]}",
    }[len(values) > OWN_COLOURS, len(sizes) < len(counts)]
    return Legend(field, own, tuple(words.get(value, value) for value in own), rest)


def coded(
    snapshot: Snapshot,
    name: str,
    rows: npt.NDArray[np.int64],
    words: dict[str, str] | None = None,
) -> dict[str, list[Any]]:
    """Give a choice of some rows: the values there are, each once, and each row's number of one."""
    codes, of = np.unique(snapshot.column[name][rows], return_inverse=True)
    labels = snapshot.labels[name]
    values = [None if code == NULL else labels[code - 1] for code in codes.tolist()]
    if words is not None:
        values = [None if value is None else words.get(value, value) for value in values]
    return {"values": values, "of": of.tolist()}


def shapes(snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> dict[str, list[Any]]:
    """Give the shape of each row's symbol, as `coded` does: by status, and whether one is open."""
    names = [shape for shape, _ in SHAPES]
    labels = (None, *snapshot.labels["status"])
    numbers = np.array([_SHAPE_NUMBERS.get(one, _SHAPE_NUMBERS[None]) for one in labels])
    is_open = (snapshot.column["stage"][rows] != NULL).astype(np.int64)
    return {"values": names, "of": numbers[snapshot.column["status"][rows], is_open].tolist()}


def steps(snapshot: Snapshot, size: str, rows: npt.NDArray[np.int64]) -> list[int]:
    """Give the size of each row's symbol by number, 0 for not known; nothing without a size."""
    if not size:
        return []
    field = fields.BY_NAME[size]
    values = snapshot.column[field.column][rows]
    step = np.where(np.isnan(values), 0, 1 + np.digitize(values, field.steps or ()))
    numbers: list[int] = step.tolist()
    return numbers


def size_legend(size: str) -> dict[str, Any] | None:
    """Say what the sizes stand for, from number 0 on; None without a size."""
    if not size:
        return None
    field = fields.BY_NAME[size]
    show = money if field.column.endswith("_usd") else labels_number
    low, middle, high = (show(limit).replace(NO_BREAK, " ") for limit in field.steps or ())
    words = (f"under {low}", f"{low} to {middle}", f"{middle} to {high}", f"{high} and more")
    return {"title": size, "words": ("not known", *words)}
