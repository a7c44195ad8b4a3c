"""Nearest office, exact WGS84 distance and within-radius verdicts, at the speed of a tree look-up.

A k-d tree over earth-centred coordinates finds offices by chord. Proved bounds (see
:mod:`.ellipsoid`) say what a chord means for the geodesic; whatever they leave open, a few
points per million, goes to Karney's algorithm (``pyproj.Geod.inv``). So every answer is the one a
brute-force search with ``Geod.inv`` gives. ``docs/accuracy.md`` holds the proofs and the sources.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from territory.errors import InputError
from territory.geodesy.candidates import (
    LONGEST_RADIUS_M,
    CandidateRaster,
    RadiusRaster,
    TwoNearest,
    two_nearest,
    within_chord,
)
from territory.geodesy.ellipsoid import (
    CLOSED_FORM_REACH_M,
    GEOD,
    SLACK_M,
    check_coordinates,
    check_radius,
    chord_lower_bound,
    chord_upper_bound,
    geodesic_upper_bound,
    short_geodesic,
    to_ecef,
)
from territory.policy import RadiusPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]
    Positions = npt.NDArray[np.int32]
    Integers = npt.NDArray[np.int64]

_CHUNK = 16_384  # points whose working arrays stay in cache; whole arrays cost 1.5 times as much
_RASTER_PAYS = 50_000  # points from which building a raster costs less than it saves


class Nearest(NamedTuple):
    """What :meth:`OfficeIndex.nearest` knows of each point, in the order given, shape (n,).

    ``office`` is the position in ``OfficeIndex.office_id``; ``within`` is true where ``distance_m``
    is at most the radius; ``offices_within`` counts offices that near, None if not asked for.
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
        self._order = np.argsort(ids.astype(str), kind="stable").astype(np.int32)
        self._lon, self._lat = x[self._order], y[self._order]
        self._xyz = to_ecef(self._lon, self._lat)
        self._x, self._y, self._z = np.ascontiguousarray(self._xyz.T)
        place = np.stack([self._lon, self._lat], axis=1) + 0.0  # -0.0 is 0.0
        place[place[:, 0] == -180, 0] = 180
        place[np.abs(place[:, 1]) == 90, 0] = 0
        _, first = np.unique(place, axis=0, return_index=True)
        # Without twins, or else every point would be a near tie.
        self._distinct = np.sort(first)
        self._tree = cKDTree(self._xyz[self._distinct])
        self._every = self._tree if len(first) == len(ids) else cKDTree(self._xyz)
        self._raster: RadiusRaster | None = None

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
            office_ids = ", ".join(map(repr, offices.loc[missing, "office_id"]))
            raise InputError(
                f"{int(missing.sum())} of {len(offices)} offices have no coordinates: "
                f"{office_ids}. Add lat and lon, or leave the office out."
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
        raster = self._raster_for(radius_m, len(x)) if count else None
        cells = CandidateRaster(self._tree, x, y) if len(x) >= _RASTER_PAYS else None
        candidates = cells if cells and cells.pays else None

        def work(part: slice) -> None:
            xyz = to_ecef(x[part], y[part])
            here = x[part], y[part], xyz
            pair = candidates.two_nearest(*here) if candidates else two_nearest(self._tree, xyz)
            near, s = self._settle(*here, pair, radius_m, exact)
            office[part], distance_m[part] = self._order[near], s
            if offices_within is not None:
                offices_within[part] = self._count(*here, radius_m, raster)

        _in_chunks(work, len(x), threads)
        return Nearest(office, distance_m, distance_m <= radius_m, offices_within)

    def within(
        self,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        radius_m: float = RadiusPolicy.limit_m,
        *,
        raster: bool | None = None,
        threads: int | None = None,
    ) -> Bools:
        """Tell whether any office is within the radius: the verdict alone, in less time.

        The same verdicts as :meth:`nearest`; errors and parameters as there, and one more.

        Parameters
        ----------
        raster
            Answer from a raster of cells that know what holds for all of them, built once and kept
            for the next call with this radius. Left to the number of points if not given.
        """
        x, y = check_coordinates(lon, lat)
        radius_m = check_radius(radius_m)
        cells = None if raster is False else self._raster_for(radius_m, len(x), force=bool(raster))
        inside = np.empty(len(x), np.bool_)

        def work(part: slice) -> None:
            inside[part] = self._any_within(x[part], y[part], radius_m, cells)

        _in_chunks(work, len(x), threads)
        return inside

    def pairs_within(
        self,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        radius_m: float = RadiusPolicy.limit_m,
        *,
        threads: int | None = None,
    ) -> tuple[Integers, Positions, Floats]:
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
        reach = float(chord_upper_bound(radius_m))
        parts: dict[int, tuple[Integers, Positions, Floats]] = {}

        def work(part: slice) -> None:
            xyz = to_ecef(x[part], y[part])
            row, office = within_chord(self._every, xyz, np.full(len(xyz), reach))
            s = self._karney(x[part][row], y[part][row], office)
            order = np.flatnonzero(s <= radius_m)
            order = order[np.lexsort((office[order], s[order], row[order]))]
            parts[part.start] = row[order] + part.start, self._order[office[order]], s[order]

        _in_chunks(work, len(x), threads)
        none = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
        columns = zip(none, *(parts[start] for start in sorted(parts)), strict=True)
        point, office, distance_m = (np.concatenate(column) for column in columns)
        return point, office, distance_m

    def distance_to(self, office: npt.ArrayLike, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
        """Measure from each point to the office at a position, or to one office for each point.

        Metres, by ``Geod.inv``; shape (n,).
        """
        x, y = check_coordinates(lon, lat)
        position = np.broadcast_to(np.asarray(office), x.shape)
        wrong = np.unique(position[(position < 0) | (position >= len(self))])
        if wrong.size:
            positions = ", ".join(map(str, wrong))
            raise InputError(f"No office at position {positions}: there are {len(self)}, from 0.")
        return self._karney(x, y, np.argsort(self._order)[position])

    def _settle(
        self,
        lon: Floats,
        lat: Floats,
        xyz: Floats,
        candidates: TwoNearest,
        radius_m: float,
        exact: bool,
    ) -> tuple[Integers, Floats]:
        """Settle which office is nearest, by its place inside, and how far it is, in metres.

        The office of the shortest chord, unless the bounds leave open that another's geodesic is
        shorter; such near ties are measured to every office in question.
        """
        c, second, place = candidates
        near = self._distinct[place]
        at_most = geodesic_upper_bound(c)
        band = (c > chord_lower_bound(radius_m)) & (c <= chord_upper_bound(radius_m))
        # The closed form may not decide the verdict, so the band round the radius goes to Karney;
        # so does what it does not reach, and twins' chord of 0, by which it divides.
        karney = np.flatnonzero(band | (c > CLOSED_FORM_REACH_M) | (c == 0) | exact)
        with np.errstate(divide="ignore", invalid="ignore"):  # a chord of 0, which Karney answers
            s = short_geodesic(c, at_most, xyz[:, 2], self._z.take(near))
        s[karney] = at_most[karney] = self._karney(lon[karney], lat[karney], near[karney])
        # ``second`` is infinite where cells have excluded it. First against the geodesic itself, as
        # a chord is never longer than its own: cheap, and it leaves few for the tighter bound.
        tie = np.flatnonzero(second <= at_most + SLACK_M)
        tie = tie[second[tie] <= chord_upper_bound(at_most[tie])]
        if tie.size:
            # By length, then by place: places stand in text order of the ids, so equals go to the
            # smallest id.
            row, place = within_chord(self._tree, xyz[tie], chord_upper_bound(at_most[tie]))
            office = self._distinct[place]
            length = self._karney(lon[tie][row], lat[tie][row], office)
            order = np.lexsort((office, length, row))
            first = order[np.searchsorted(row, np.arange(len(tie)))]  # row is sorted either way
            near[tie], s[tie] = office[first], length[first]
        return near, s

    def _raster_for(self, radius_m: float, points: int, force: bool = False) -> RadiusRaster | None:
        """The raster kept for this radius, or a new one where it pays."""
        raster = self._raster
        if raster is not None and raster.radius_m == radius_m:
            return raster
        if radius_m <= LONGEST_RADIUS_M and (force or points >= _RASTER_PAYS):
            self._raster = RadiusRaster(self._every, radius_m)
            return self._raster
        return None

    def _any_within(
        self, lon: Floats, lat: Floats, radius_m: float, raster: RadiusRaster | None
    ) -> Bools:
        """Tell of each point whether any office is within the radius."""
        if raster is not None:
            decided, cell = raster.look_up(lon, lat)
            inside: Bools = decided > 0
            open_ = np.flatnonzero((decided == 0) & raster.is_crossed(cell))
            lon, lat = lon[open_], lat[open_]
            row, office = raster.left_open(cell[open_])
            reached = self._pick(lon, lat, to_ecef(lon, lat), row, office, radius_m)
            inside[open_[row[reached]]] = True
            return inside
        xyz = to_ecef(lon, lat)
        reach = float(chord_upper_bound(radius_m))
        c = self._tree.query(xyz, distance_upper_bound=np.nextafter(reach, np.inf))[0]
        inside = c <= chord_lower_bound(radius_m)
        open_ = np.flatnonzero(~inside & (c <= reach))
        inside[open_] = self._count(lon[open_], lat[open_], xyz[open_], radius_m, None) > 0
        return inside

    def _count(
        self, lon: Floats, lat: Floats, xyz: Floats, radius_m: float, raster: RadiusRaster | None
    ) -> Integers:
        """Count the offices within the radius of each point."""
        if raster is not None:
            decided, cell = raster.look_up(lon, lat)
            row, office = raster.left_open(cell)
            within = self._pick(lon, lat, xyz, row, office, radius_m)
            return decided + np.bincount(row[within], minlength=len(lon))
        sure, reach = chord_lower_bound(radius_m), chord_upper_bound(radius_m)
        most = self._every.query_ball_point(xyz, reach, return_length=True)
        least: Integers = np.zeros_like(most)
        if sure >= 0:  # for a radius of a micrometre, nothing is sure
            least = self._every.query_ball_point(xyz, sure, return_length=True)
        open_ = np.flatnonzero(least != most)
        row, office = within_chord(self._every, xyz[open_], np.full(len(open_), reach))
        inside = self._karney(lon[open_][row], lat[open_][row], office) <= radius_m
        least[open_] = np.bincount(row[inside], minlength=len(open_))
        return least

    def _pick(
        self,
        lon: Floats,
        lat: Floats,
        xyz: Floats,
        row: Integers,
        office: Integers,
        radius_m: float,
    ) -> Bools:
        """Which pairs of a point, by its row, and an office are within the radius."""
        c = (xyz[:, 0].take(row) - self._x.take(office)) ** 2
        c += (xyz[:, 1].take(row) - self._y.take(office)) ** 2
        c += (xyz[:, 2].take(row) - self._z.take(office)) ** 2
        c = np.sqrt(c)
        inside: Bools = c <= chord_lower_bound(radius_m)
        open_ = np.flatnonzero(~inside & (c <= chord_upper_bound(radius_m)))
        s = self._karney(lon[row[open_]], lat[row[open_]], office[open_])
        inside[open_] = s <= radius_m
        return inside

    def _karney(self, lon: Floats, lat: Floats, office: Integers | Positions) -> Floats:
        s: Floats = GEOD.inv(lon, lat, self._lon[office], self._lat[office])[2]
        return s


def _in_chunks(work: Callable[[slice], None], points: int, threads: int | None) -> None:
    """Do ``work`` on one run of points after another, on several threads.

    That pays because numpy, the tree and PROJ all let go of the interpreter's lock.
    """
    parts = [slice(at, min(at + _CHUNK, points)) for at in range(0, points, _CHUNK)]
    threads = min(threads or os.cpu_count() or 1, len(parts))
    if threads <= 1:
        list(map(work, parts))
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))
