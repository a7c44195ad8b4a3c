"""Searching a tree of offices by chord, the straight line in metres."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy.spatial import cKDTree

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]


def two_nearest(tree: cKDTree, xyz: Floats) -> tuple[Floats, Floats, Integers]:
    """Find the two offices nearest to each point.

    Returns
    -------
    nearest_m, second_m, office
        Shape (n,): both chords, the second infinite where there is one office only; the nearest's
        place in the tree.
    """
    chord, place = tree.query(xyz, k=2)
    nearest, second = np.ascontiguousarray(chord.T)
    return nearest, second, place[:, 0]


def within_chord(tree: cKDTree, xyz: Floats, chord_m: Floats) -> tuple[Integers, Integers]:
    """Every (row, place) whose chord is at most that of the row, sorted by both."""
    lists = tree.query_ball_point(xyz, chord_m, return_sorted=True)
    row = np.repeat(np.arange(len(lists)), np.fromiter(map(len, lists), np.int64, len(lists)))
    return row, np.fromiter(chain.from_iterable(lists), np.int64, len(row))
