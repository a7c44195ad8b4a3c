"""Nearest office, exact WGS84 distance and within-radius verdicts, at the speed of a tree look-up.

A k-d tree over earth-centred coordinates finds offices by chord. Proved bounds (see
:mod:`territory.ellipsoid`) say what a chord means for the geodesic; whatever they leave open, a few
points per million, goes to Karney's algorithm (``pyproj.Geod.inv``). So every answer is the one a
brute-force search with ``Geod.inv`` gives. ``docs/accuracy.md`` holds the proofs and the sources.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from territory.ellipsoid import (
    CLOSED_FORM_REACH_M,
    GEOD,
    check_coordinates,
    check_radius,
    inverse,
    longest,
    possibly_within,
    ring,
    short_geodesic,
    surely_within,
    to_ecef,
)
from territory.errors import InputError
from territory.policy import RadiusPolicy
from territory.raster import RadiusRaster

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]
    Positions = npt.NDArray[np.int32]

__all__ = ["Nearest", "OfficeIndex", "inverse", "ring", "verdicts"]

_CHUNK = 16_384  # points whose working arrays stay in cache; whole arrays cost 1.5 times as much
_RASTER_PAYS = (
    200_000  # points from which building a raster for one radius costs less than it saves
)


class Nearest(NamedTuple):
    """What :meth:`OfficeIndex.nearest` knows of each point, in the order given, shape (n,).

    ``office`` is the position in ``OfficeIndex.office_id``; ``within`` says whether ``distance_m``
    is at most the radius; ``offices_within`` counts the offices inside the radius and is None where
    it was not asked for.
    """

    office: Positions
    distance_m: Floats
    within: Bools
    offices_within: Positions | None


class OfficeIndex:
    """Offices, ready to be searched by exact geodesic distance; safe to share between threads.

    Equally distant offices, twins at one place among them, are decided by the smallest office id in
    text order. Longitude 180 and -180 are one place, and so is every longitude at a pole.

    Attributes
    ----------
    office_id
        The ids in the order given; the positions in every answer point into it.

    Raises
    ------
    CoordinateError
        If an office is not on the globe; the message names all of them.
    InputError
        If there is no office, or not one id for each.
    """

    def __init__(self, office_id: npt.ArrayLike, lon: npt.ArrayLike, lat: npt.ArrayLike) -> None:
        ids = np.atleast_1d(np.asarray(office_id, dtype=object))
        x, y = check_coordinates(lon, lat, labels=ids if np.size(lon) == len(ids) else None)
        if len(ids) != len(x):
            raise InputError(f"{len(ids)} office ids for {len(x)} places: give one id for each.")
        if not len(ids):
            raise InputError("There is no office to measure from: give at least one.")
        self.office_id: npt.NDArray[np.object_] = ids
        # Inside, offices stand in text order of their ids: the first of equals is the smallest.
        self._given = np.argsort(ids.astype(str), kind="stable").astype(np.int32)
        self._lon, self._lat = x[self._given], y[self._given]
        self._xyz = to_ecef(self._lon, self._lat)
        place = np.stack([self._lon, self._lat], axis=1) + 0.0  # -0.0 is 0.0
        place[place[:, 0] == -180, 0] = 180
        place[np.abs(place[:, 1]) == 90, 0] = 0
        _, first = np.unique(place, axis=0, return_index=True)
        # Without twins, or else every point would be a near tie.
        self._distinct = np.sort(first)
        self._tree = cKDTree(self._xyz[self._distinct])
        self._every = self._tree if len(first) == len(ids) else cKDTree(self._xyz)
        self._rasters: dict[float, RadiusRaster] = {}

    @classmethod
    def from_frame(cls, offices: pd.DataFrame) -> OfficeIndex:
        """Index a frame of the ``OFFICES`` contract; positions follow its rows.

        Raises
        ------
        InputError
            If offices have no coordinates; the message names all of them.
        """
        missing = offices["lon"].isna() | offices["lat"].isna()
        if missing.any():
            named = ", ".join(map(repr, offices.loc[missing, "office_id"]))
            raise InputError(
                f"{int(missing.sum())} of {len(offices)} offices have no coordinates: {named}. "
                "Add lat and lon, or leave the office out."
            )
        return cls(offices["office_id"], offices["lon"], offices["lat"])

    def __len__(self) -> int:
        return len(self.office_id)

    def nearest(
        self,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        radius_m: float = RadiusPolicy.limit_m,
        *,
        count: bool = True,
        exact: bool = False,
        threads: int | None = None,
    ) -> Nearest:
        """Find the nearest office of each point, how far it is and whether it is within reach.

        Office, verdict and count are those of a brute-force search by ``Geod.inv`` from the point
        to every office. The distance is within 15 nm of it, never contradicts the verdict, and is
        ``Geod.inv``'s own beyond 150 km.

        Parameters
        ----------
        lon, lat
            Degrees, WGS84, shape (n,).
        radius_m
            Metres, 0 or more; a point exactly that far away is within.
        count
            Count the offices within the radius too.
        exact
            Take every distance from ``Geod.inv``, to the last bit; costs twice the time.
        threads
            How many to use; one for each processor if not given.

        Raises
        ------
        CoordinateError
            If points are not on the globe; the message names them by index.
        LengthError
            If the radius is negative or no number.
        """
        x, y = check_coordinates(lon, lat)
        radius_m = check_radius(radius_m)
        office = np.empty(len(x), np.int32)
        distance_m = np.empty(len(x))
        offices_within = np.empty(len(x), np.int32) if count else None

        def work(part: slice) -> None:
            xyz = to_ecef(x[part], y[part])
            chord, found = self._two_nearest(xyz)
            near, s = self._measure(x[part], y[part], xyz, chord, found, radius_m, exact=exact)
            office[part], distance_m[part] = self._given[near], s
            if offices_within is not None:
                offices_within[part] = s <= radius_m
                second = chord[:, 1] if self._every is self._tree else chord[:, 0]
                several = np.flatnonzero(second <= possibly_within(radius_m))
                offices_within[part.start + several] = self._count(
                    x[part][several], y[part][several], xyz[several], radius_m
                )

        _in_chunks(work, len(x), threads)
        return Nearest(office, distance_m, distance_m <= radius_m, offices_within)

    def within(
        self,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        radius_m: float = RadiusPolicy.limit_m,
        *,
        threads: int | None = None,
    ) -> Bools:
        """Tell whether any office is within the radius: the verdict alone, for many points at once.

        The same verdicts as :meth:`nearest`, in a fraction of the time. Many points are answered
        from a raster of cells that are decided as a whole, kept for the next call with this radius.
        Parameters and errors as in :meth:`nearest`.
        """
        x, y = check_coordinates(lon, lat)
        radius_m = check_radius(radius_m)
        raster = self._rasters.get(radius_m)
        if raster is None and len(x) >= _RASTER_PAYS:
            raster = RadiusRaster(self._tree, radius_m)
            self._rasters = {radius_m: raster}
        inside = np.empty(len(x), np.bool_)

        def work(part: slice) -> None:
            if raster is None:
                inside[part] = self._any_within(x[part], y[part], radius_m)
                return
            decided_in, open_ = raster.look_up(x[part], y[part])
            decided_in[open_] = self._any_within(x[part][open_], y[part][open_], radius_m)
            inside[part] = decided_in

        _in_chunks(work, len(x), threads)
        return inside

    def pairs_within(
        self,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        radius_m: float = RadiusPolicy.limit_m,
        *,
        threads: int | None = None,
    ) -> tuple[npt.NDArray[np.int64], Positions, Floats]:
        """List every pair of a point and an office within the radius.

        Ordered by point, then distance, then office id. The distances are ``Geod.inv``'s own.
        Parameters and errors as in :meth:`nearest`.

        Returns
        -------
        point, office, distance_m
            Three arrays of one length: position of the point, position of the office, metres.
        """
        x, y = check_coordinates(lon, lat)
        radius_m = check_radius(radius_m)
        parts: dict[int, tuple[npt.NDArray[np.int64], Positions, Floats]] = {}

        def work(part: slice) -> None:
            row, office = self._candidates(
                self._every, to_ecef(x[part], y[part]), possibly_within(radius_m)
            )
            s = self._karney(x[part][row], y[part][row], office)
            order = np.flatnonzero(s <= radius_m)
            order = order[np.lexsort((office[order], s[order], row[order]))]
            parts[part.start] = row[order] + part.start, self._given[office[order]], s[order]

        _in_chunks(work, len(x), threads)
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
        point, office, distance_m = zip(*(parts[start] for start in sorted(parts)), strict=True)
        return np.concatenate(point), np.concatenate(office), np.concatenate(distance_m)

    def distance_to(self, office: npt.ArrayLike, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
        """Measure from each point to the office at a position, or to one office for each point.

        Metres, by ``Geod.inv``; shape (n,).
        """
        x, y = check_coordinates(lon, lat)
        position = np.broadcast_to(np.asarray(office), x.shape)
        wrong = np.unique(position[(position < 0) | (position >= len(self))])
        if wrong.size:
            raise InputError(
                f"No office at position {', '.join(map(str, wrong))}: there are {len(self)}, "
                "counted from 0."
            )
        place = np.argsort(self._given)
        return self._karney(x, y, place[position])

    def _two_nearest(self, xyz: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
        """Chords to the two nearest places, shape (n, 2), and the nearest's place, shape (n,)."""
        chord, found = self._tree.query(xyz, k=2)  # a single office leaves the second at infinity
        return chord, found[:, 0]

    def _measure(
        self,
        lon: Floats,
        lat: Floats,
        xyz: Floats,
        chord: Floats,
        found: npt.NDArray[np.intp],
        radius_m: float,
        *,
        exact: bool,
    ) -> tuple[npt.NDArray[np.intp], Floats]:
        """Settle which office is nearest and how far it is, in metres."""
        near = self._distinct[found]
        c, second = chord.T
        at_most = longest(c)
        by_karney = (c > surely_within(radius_m)) & (c <= possibly_within(radius_m))
        by_karney |= (c > CLOSED_FORM_REACH_M) | (c == 0)
        if exact:
            by_karney[:] = True
        far = np.flatnonzero(by_karney)
        with np.errstate(divide="ignore", invalid="ignore"):  # a chord of 0, which Karney answers
            s = short_geodesic(c, xyz[:, 2], self._xyz[near, 2])
        s[far] = at_most[far] = self._karney(lon[far], lat[far], near[far])
        tie = np.flatnonzero(second <= possibly_within(at_most))
        if tie.size:
            limit = possibly_within(at_most[tie])
            row, place = self._candidates(self._tree, xyz[tie], limit)
            office = self._distinct[place]
            length = self._karney(lon[tie][row], lat[tie][row], office)
            order = np.lexsort((office, length, row))
            first = order[np.searchsorted(row, np.arange(len(tie)))]  # row is sorted either way
            near[tie], s[tie] = office[first], length[first]
        return near, s

    def _any_within(self, lon: Floats, lat: Floats, radius_m: float) -> Bools:
        xyz = to_ecef(lon, lat)
        reach = float(possibly_within(radius_m))
        c = self._tree.query(xyz, distance_upper_bound=np.nextafter(reach, np.inf))[0]
        inside: Bools = c <= surely_within(radius_m)
        open_ = np.flatnonzero(~inside & (c <= reach))
        if open_.size:
            inside[open_] = self._count_by_karney(lon[open_], lat[open_], xyz[open_], radius_m) > 0
        return inside

    def _count(self, lon: Floats, lat: Floats, xyz: Floats, radius_m: float) -> Positions:
        """Count the offices within the radius; where the bounds disagree, by Karney."""
        reach = max(surely_within(radius_m), 0)
        least = self._every.query_ball_point(xyz, reach, return_length=True)
        most = self._every.query_ball_point(xyz, possibly_within(radius_m), return_length=True)
        open_ = np.flatnonzero(least != most)
        least[open_] = self._count_by_karney(lon[open_], lat[open_], xyz[open_], radius_m)
        counted: Positions = least.astype(np.int32)
        return counted

    def _count_by_karney(
        self, lon: Floats, lat: Floats, xyz: Floats, radius_m: float
    ) -> npt.NDArray[np.int64]:
        row, office = self._candidates(self._every, xyz, possibly_within(radius_m))
        inside = self._karney(lon[row], lat[row], office) <= radius_m
        return np.bincount(row[inside], minlength=len(lon))

    @staticmethod
    def _candidates(
        tree: cKDTree, xyz: Floats, chord_m: Floats
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Every (row, place) with a chord of at most ``chord_m``, sorted by both."""
        lists = tree.query_ball_point(xyz, chord_m, return_sorted=True)
        sizes = np.fromiter(map(len, lists), np.int64, len(lists))
        row = np.repeat(np.arange(len(lists)), sizes)
        place = np.fromiter((p for found in lists for p in found), np.int64, len(row))
        return row, place

    def _karney(self, lon: Floats, lat: Floats, office: npt.NDArray[np.integer]) -> Floats:
        s: Floats = GEOD.inv(lon, lat, self._lon[office], self._lat[office])[2]
        return s


def verdicts(
    distance_m: npt.ArrayLike, uncertainty_m: npt.ArrayLike, limit_m: float
) -> npt.NDArray[np.object_]:
    """Say "in", "out" or "too_close_to_call" for locations known to within an uncertainty.

    In when even the far side of the uncertainty is within the limit, out when even its near side is
    beyond; with an uncertainty of 0 that is ``distance_m <= limit_m``. None where either is NaN.
    """
    d, u = np.broadcast_arrays(np.asarray(distance_m, float), np.asarray(uncertainty_m, float))
    if (u < 0).any():
        raise InputError(f"An uncertainty must be 0 m or more, not {u[u < 0][0]}.")
    choices: Callable[..., npt.NDArray[np.object_]] = np.select
    return choices(
        [np.isnan(d) | np.isnan(u), d + u <= limit_m, d - u > limit_m],
        [np.full(d.shape, value, object) for value in (None, "in", "out")],
        np.full(d.shape, "too_close_to_call", object),
    )


def _in_chunks(work: Callable[[slice], None], points: int, threads: int | None) -> None:
    """Do ``work`` on one run of points after another, on several threads.

    That pays because numpy, the tree and PROJ all let go of the interpreter's lock.
    """
    parts = [slice(at, min(at + _CHUNK, points)) for at in range(0, points, _CHUNK)]
    threads = min(threads or os.cpu_count() or 1, len(parts))
    if threads <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, parts):
            pass
