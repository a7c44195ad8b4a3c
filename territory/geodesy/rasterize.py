"""Rasterized borders: the grid cells a border passes through, by cutting segments at grid lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

# Rounding moves a border by less than 1e-11 of a cell; whatever comes this near a grid line counts
# as touching the cells on both sides.
SLACK = 1e-9


def touched_cells(
    areas: npt.NDArray[np.object_], scale: int, width: int
) -> tuple[Ints, Ints, Ints]:
    """List the cells that the border of each area touches: owner, row, column, in that order.

    A segment's ends name its first and its last cell, and the middle of each piece between two
    grid lines names one more. A border that comes within the slack of a grid line touches the cells
    across as well; that shows at a vertex, at a middle, or where a line is crossed near a corner.
    """
    parts, owner = shapely.get_parts(areas, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)  # outer and inner alike
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    owner = owner[part[ring]]
    point = (xy + np.array([180.0, 90.0])) * scale
    cell = np.floor(point)
    vertex = np.flatnonzero(_is_near_line(point).any(axis=1))
    keys = [_keys(owner, cell, width), *_keys_around(owner[vertex], point[vertex], width)]

    crosses = (ring[1:] == ring[:-1]) & (cell[1:] != cell[:-1]).any(axis=1)
    segment = np.flatnonzero(crosses)
    owner, begin, step = owner[segment], point[segment], point[segment + 1] - point[segment]
    which, share = [], []  # each crossing: its segment, and where along it from 0 to 1
    for axis in (0, 1):
        line = np.minimum(cell[segment, axis], cell[segment + 1, axis])
        count = np.abs(cell[segment + 1, axis] - cell[segment, axis]).astype(np.int64)
        at = np.repeat(np.arange(len(segment)), count)
        which.append(at)
        share.append((line[at] + 1 + counted(count) - begin[at, axis]) / step[at, axis])
    at, cut = np.concatenate(which), np.concatenate(share)
    place = begin[at] + cut[:, None] * step[at]
    corner = np.flatnonzero(_is_near_line(place).all(axis=1))
    keys += _keys_around(owner[at[corner]], place[corner], width)

    several = np.flatnonzero((np.bincount(at, minlength=len(segment)) > 1)[at])
    several = several[np.lexsort((cut[several], at[several]))]
    at, cut = at[several], cut[several]
    piece = np.flatnonzero(at[1:] == at[:-1])
    at, cut = at[piece], (cut[piece] + cut[piece + 1]) / 2
    middle = begin[at] + cut[:, None] * step[at]
    near = np.flatnonzero(_is_near_line(middle).any(axis=1))
    keys.append(_keys(owner[at], np.floor(middle), width))
    keys += _keys_around(owner[at[near]], middle[near], width)

    line_of, col = np.divmod(unique(np.concatenate(keys)), width)
    of, row = np.divmod(line_of, width)  # there are fewer rows than columns
    return of, row, col


def _is_near_line(place: Floats) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(place - np.rint(place)) < SLACK
    return near


def _keys(owner: Ints, cell: Floats, width: int) -> Ints:
    """Write owner and cell as one number that sorts by owner, row, column."""
    col, row = np.maximum(cell.T, 0).astype(np.int64)  # the slack reaches over the globe's edge
    keys: Ints = (owner * width + row) * width + col
    return keys


def _keys_around(owner: Ints, place: Floats, width: int) -> list[Ints]:
    return [
        _keys(owner, np.floor(place + np.array([dx, dy])), width)
        for dx in (-SLACK, SLACK)
        for dy in (-SLACK, SLACK)
    ]


def counted(count: Ints) -> Ints:
    """Count 0 to n - 1 for each n of ``count``, one after the other."""
    end = np.cumsum(count)
    return np.arange(end[-1] if len(end) else 0) - np.repeat(end - count, count)


def unique(keys: Ints) -> Ints:
    """Sort keys and drop repetitions; those side by side first, because borders repeat cells."""
    keys = np.sort(keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys)
    return keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
