"""Longitudes as a circle: the shortest arc that holds some, and the turn on which one is drawn.

On a flat map 180 and -180 degrees are at opposite edges; on the ground they are one meridian. What
lies across it has a least and a greatest longitude that say nothing of where it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import translate

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    Floats = npt.NDArray[np.float64]

TURN = 360.0


def shortest_arc(west: npt.ArrayLike, east: npt.ArrayLike | None = None) -> tuple[float, float]:
    """Find the shortest stretch of longitudes that holds all that are given.

    What need not cross 180 degrees does not, and keeps its least and greatest longitude to the
    bit; what crosses it comes as one stretch that runs on past 180 or -180.

    Parameters
    ----------
    west, east
        Degrees, shape (n,): points, or with ``east`` stretches from west to east, such as the
        bounds of the parts of an area. NaN is left out.

    Returns
    -------
    west, east
        ``west <= east``, with the middle from -180 to 180; -180 and 180 where the gaps are closed.

    Raises
    ------
    ValueError
        If no longitude is given.
    """
    start = np.atleast_1d(np.asarray(west, float))
    end = start if east is None else np.atleast_1d(np.asarray(east, float))
    is_given = ~(np.isnan(start) | np.isnan(end))
    start, end = start[is_given], end[is_given]
    if not len(start):
        raise ValueError("no longitudes: an arc of nothing is nowhere")
    # Stretches that run past an edge of the map are cut there, so that all lie on one turn.
    turn = TURN * np.floor((start + TURN / 2) / TURN)
    turn[start == TURN / 2] = 0.0
    start, end = start - turn, end - turn
    beyond = end > TURN / 2
    start = np.append(start, np.full(int(beyond.sum()), -TURN / 2))
    end = np.append(np.minimum(end, TURN / 2), np.minimum(end[beyond] - TURN, TURN / 2))
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end[order])
    gaps = start[1:] - reached[:-1]
    around = TURN - (reached[-1] - start[0])
    if not len(gaps) or gaps.max() <= around:
        return float(start[0]), float(reached[-1])
    at = int(gaps.argmax())
    first, last = float(start[at + 1]), float(reached[at]) + TURN
    return (first - TURN, last - TURN) if first + last > TURN else (first, last)


def nearest_turn(lon: npt.ArrayLike, middle: npt.ArrayLike) -> Floats:
    """Write longitudes on the turn nearest to ``middle``: within 180 degrees of it."""
    degrees = np.asarray(lon, float)
    return np.asarray(degrees + TURN * np.round((middle - degrees) / TURN), float)


def arc_of(areas: npt.ArrayLike) -> tuple[float, float]:
    """Find the shortest arc that holds some areas (degrees), empty ones left out.

    Raises
    ------
    ValueError
        If there are none, or all are empty.
    """
    bounds = shapely.bounds(shapely.get_parts(np.atleast_1d(np.asarray(areas, object))))
    return shortest_arc(bounds[:, 0], bounds[:, 2])


def unrolled(area: BaseGeometry, middle: float | None = None) -> BaseGeometry:
    """Give an area whose parts lie side by side, though 180 degrees runs between them.

    Parts that were cut at 180 degrees are one again. An area that does not cross it, or is empty,
    is the same object.

    Parameters
    ----------
    area
        Polygon or multipolygon in degrees.
    middle
        The longitude to draw it next to; by default the middle of its own shortest arc.
    """
    if area.is_empty:
        return area
    if middle is None:
        middle = sum(arc_of(area)) / 2
    parts = shapely.get_parts(area)
    bounds = shapely.bounds(parts)
    centre = (bounds[:, 0] + bounds[:, 2]) / 2
    turns = nearest_turn(centre, middle) - centre
    if not turns.any():
        return area
    moved = np.array([translate(*pair) for pair in zip(parts, turns, strict=True)], object)
    is_cut = (np.abs(bounds[:, [0, 2]]) == TURN / 2).any(axis=1)
    whole = [*moved[~is_cut], *shapely.get_parts(shapely.union_all(moved[is_cut]))]
    return whole[0] if len(whole) == 1 else shapely.multipolygons(whole)
