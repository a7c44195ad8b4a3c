"""Colour by one field, size by another, and the legend that says so.

A colour belongs to a value of the whole market, not of what is in view, so that it stays the same
while the map is moved and filtered. At most seven values have a colour of their own: the commonest;
the others share the eighth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.labels import NO_BREAK, SEGMENT, STATUS, money
from territory.labels import number as labels_number
from territory.policy import SEGMENTS
from territory.prospects import NULL
from territory.reports import cover_map
from territory.schemas import PRECISIONS, STATUSES, VERDICTS
from territory.units_of_length import to_miles
from webmap import formatting
from webmap.prospects.query_string import RANGED, column_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.prospects import Criteria, Snapshot, Targets
    from webmap.prospects.current_snapshot import Names

OWN_COLOURS = 7
OTHER = OWN_COLOURS  # the number of the colour of all else
UNKNOWN_SEGMENT = "unknown"
# The fields whose values are few and have an order of their own.
ORDERED = {
    "segment": tuple(one for one in SEGMENTS if one != UNKNOWN_SEGMENT),
    "status": STATUSES,
    "verdict": VERDICTS,
    "precision": PRECISIONS,
}
TITLES = {
    "segment": "segment", "status": "status", "verdict": "distance", "stage": "stage",
    "industry": "industry", "precision": "precision of the location", "rep": "rep",
    "office": "nearest office",
}  # fmt: skip
# What a shape stands for, in the order of the legend; the rest of its words is for print.
SHAPES = [(shape, words.partition(":")[0]) for shape, words in cover_map.SHAPES.items()]
# Where one size ends and the next begins.
MONEY = ("revenue", "pipeline")
STEPS = {
    "score": (25.0, 50.0, 75.0),
    "employees": (100.0, 1_000.0, 10_000.0),
    "revenue": (10e6, 100e6, 1e9),
    "pipeline": (1.0, 100e3, 1e6),
}


@dataclass(frozen=True)
class Legend:
    """Which values of a field have colours, in the order of the colours.

    ``rest`` says what the eighth colour stands for, None where it is not needed.
    """

    field: str
    values: tuple[str, ...]
    words: tuple[str, ...]
    rest: str | None

    def numbers(self, snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> list[int]:
        """Give the colour of each row, by number."""
        column = column_of(self.field)
        number = np.full(len(snapshot.labels[column]) + 1, OTHER)
        for at, value in enumerate(self.values):
            number[snapshot.codes(column, (value,))] = at
        numbers: list[int] = number[snapshot.column[column][rows]].tolist()
        return numbers

    def told(self) -> dict[str, Any]:
        """Give the legend as the map draws it."""
        return {"title": TITLES[self.field], "words": self.words, "rest": self.rest}


def words_of(field: str, names: Names) -> dict[str, str]:
    """Say the values of a field as the pages do; what has no words here is said as it is."""
    labels_of: dict[str, dict[str, str]] = {
        "segment": SEGMENT,
        "status": STATUS,
        "verdict": formatting.verdicts(f"{to_miles(names.limit_m):g} mi"),
        "precision": formatting.PRECISION,
        "placement": {key: words for key, (_, _, words) in formatting.PLACEMENT_TAG.items()},
        "rep": names.reps,
        "office": names.offices,
    }
    return labels_of.get(field, {})


def legend(
    prospects: Targets, field: str, base: Criteria, reps: frozenset[str] | None, names: Names
) -> Legend:
    """Choose the values that have a colour: the commonest of what ``base`` lets through."""
    counts = prospects.counts(column_of(field), base, reps, base)
    labels_of = {
        value: count for value, count in counts.items() if value not in {None, UNKNOWN_SEGMENT}
    }
    if field in ORDERED:
        values = [value for value in ORDERED[field] if value in labels_of]
    else:
        values = sorted(
            (value for value in labels_of if value), key=lambda value: (-labels_of[value], value)
        )
    words = words_of(field, names)
    own = tuple(values[:OWN_COLOURS])
    rest = {
        (False, False): None,
        (True, False): "Other",
        (False, True): "Not known",
        (True, True): "Other or not known",
    }[len(values) > OWN_COLOURS, len(labels_of) < len(counts)]
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
    numbers = np.array(
        [
            [names.index(cover_map.shape_of(status, stage)) for stage in (None, "open")]
            for status in (None, *snapshot.labels["status"])
        ]
    )
    is_open = (snapshot.column["stage"][rows] != NULL).astype(np.int64)
    return {"values": names, "of": numbers[snapshot.column["status"][rows], is_open].tolist()}


def steps(snapshot: Snapshot, size: str, rows: npt.NDArray[np.int64]) -> list[int]:
    """Give the size of each row's symbol by number, 0 for not known; nothing without a size."""
    if not size:
        return []
    values = snapshot.column[RANGED[size]][rows]
    step = np.where(np.isnan(values), 0, 1 + np.digitize(values, STEPS[size]))
    numbers: list[int] = step.tolist()
    return numbers


def size_legend(size: str) -> dict[str, Any] | None:
    """Say what the sizes stand for, from number 0 on; None without a size."""
    if not size:
        return None
    show = money if size in MONEY else labels_number
    low, middle, high = (show(limit).replace(NO_BREAK, " ") for limit in STEPS[size])
    words = (f"under {low}", f"{low} to {middle}", f"{middle} to {high}", f"{high} and more")
    return {"title": size, "words": ("not known", *words)}
