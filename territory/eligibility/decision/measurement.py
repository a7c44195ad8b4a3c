"""Measurement: the distances from homes to offices that a policy asks for, and the decision.

Facts come first (``measure``), the verdict from the facts alone second (``judge``). A decision
record holds the facts, so that anybody can judge again a year later without the home.

A decision is taken from the unrounded distance and the uncertainty of the home. Both ends of
distance plus or minus uncertainty must be on one side of the limit; that is sound, because no home
can be farther from its office than its point is, plus the uncertainty (triangle inequality).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from territory.eligibility.decision.grandfathering import standing
from territory.eligibility.decision.verdict import (
    FASTEST_M_S,
    UNIT_OF_TIME,
    DecisionFacts,
    Measure,
    deciding_offices,
    judge,
)
from territory.errors import InputError
from territory.geodesy import OfficeIndex, distance_to_area
from territory.schemas import PRECISIONS

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from territory.eligibility.rules import Criterion, EligibilityPolicy

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]
    Objects = npt.NDArray[np.object_]


class RoutingAdapter(Protocol):
    """A service or table that knows roads. ``name`` and its version go into records."""

    name: str

    def routes(
        self, lon: Floats, lat: Floats, office_lon: Floats, office_lat: Floats
    ) -> tuple[Floats, Floats]:
        """Length in metres and time in seconds of the way from each home to its office.

        Degrees, WGS84, all of shape (n,); NaN where there is no way.
        """


def decide(
    homes: pd.DataFrame,
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    *,
    on: str,
    areas: gpd.GeoDataFrame | None = None,
    routing: RoutingAdapter | None = None,
) -> pd.DataFrame:
    """Decide for each home. Every home comes back once, in order, with a decision and a reason.

    Parameters are those of :func:`measure`.

    Returns
    -------
    decisions
        ``COLUMNS`` on the index of ``homes``: decision (one of ``DECISIONS``), basis ("distance",
        "exception", "grandfathering", "location"), sentence, remedy (None where nothing is open),
        criterion (from 1; the one that decided), method, office, distance_m or duration_s,
        uncertainty_m, precision, geocode_source, and the way by road where routing is set up.
    """
    facts = measure(homes, offices, policy, on=on, areas=areas, routing=routing)
    return judge(facts, policy)


def measure(
    homes: pd.DataFrame,
    offices: pd.DataFrame,
    policy: EligibilityPolicy,
    *,
    on: str,
    areas: gpd.GeoDataFrame | None = None,
    routing: RoutingAdapter | None = None,
) -> DecisionFacts:
    """Gather the facts of each home: distances to the nearest office that counts, and the rest.

    Parameters
    ----------
    homes
        The GEOCODE contract; may have ``fault`` (a key of ``FAULTS`` or null), ``role``,
        ``assigned_office_id``, ``person_id`` (for exceptions), ``eligible_since``,
        ``home_since`` and ``role_since`` (ISO days, for grandfathering).
    offices
        The OFFICES contract with coordinates.
    on
        The day that is decided for, ISO text: offices open, exceptions and the policy in force.
    areas
        ``market_id`` (an office id) and geometry, EPSG:4326, for criteria with origin "area".
    routing
        Knows roads. Without it a road rule decides only what the straight line settles.

    Raises
    ------
    PolicyError
        If the policy is not in force on that day.
    InputError
        If offices have no coordinates, the policy approves offices that are not in the list, or
        needs areas and there are none.
    """
    policy.check_in_force(on)
    if not len(offices):
        raise InputError("There is no office to measure from: give at least one.")
    homes_at = _HomeArrays.of(homes, policy)
    if areas is None and any(criterion.origin == "area" for criterion in policy.any_of):
        raise InputError(
            f"{policy.name} measures from the areas of offices: hand them in, as polygons that "
            "bear the ids of their offices."
        )
    offices_at = _Offices(offices, on, areas)
    measures = tuple(_measure(each, homes_at, offices_at, routing) for each in policy.any_of)
    exception, expired_on = _exceptions(homes, policy, on)
    rule = policy.grandfathering
    facts = DecisionFacts(
        homes.index,
        offices_at.office_id,
        offices_at.name,
        offices_at.lon,
        offices_at.lat,
        measures,
        homes_at.fault,
        homes_at.uncertainty_m,
        homes_at.precision,
        _objects(homes, "geocode_source"),
        exception,
        expired_on,
        _no_texts(len(homes)) if rule is None else standing(homes, rule),
        np.full(len(homes), np.nan),
        np.full(len(homes), np.nan),
    )
    if routing is None or not len(homes):
        return facts
    # Only the verdict says which office decides, and the way by road is told beside that one.
    office = deciding_offices(facts, policy)
    road = np.full((2, len(homes)), np.nan)
    has = np.flatnonzero(homes_at.is_known & (office >= 0))
    road[:, has] = offices_at.routes(routing, homes_at.lon[has], homes_at.lat[has], office[has])
    return dataclasses.replace(facts, road_distance_m=road[0], road_time_s=road[1])


@dataclass(frozen=True)
class _HomeArrays:
    lon: Floats
    lat: Floats
    uncertainty_m: Floats
    precision: Objects
    fault: Objects
    role: Objects
    assigned: Objects

    @property
    def is_known(self) -> Bools:
        is_known: Bools = pd.isna(self.fault)
        return is_known

    @classmethod
    def of(cls, homes: pd.DataFrame, policy: EligibilityPolicy) -> _HomeArrays:
        lon, lat, uncertainty_m = (
            homes[name].to_numpy(float) for name in ("lon", "lat", "uncertainty_m")
        )
        precision = _objects(homes, "precision")
        fault = _objects(homes, "fault")
        unknown = np.isnan(lon) | np.isnan(lat) | np.isnan(uncertainty_m)
        fault[unknown & pd.isna(fault)] = "not_found"
        with np.errstate(invalid="ignore"):
            off = (np.abs(lon) > 180) | (np.abs(lat) > 90)
        fault[off & pd.isna(fault)] = "off_globe"
        fine = PRECISIONS[: PRECISIONS.index(policy.minimum_precision) + 1]
        fault[~np.isin(precision.astype(str), fine) & pd.isna(fault)] = "too_coarse"
        return cls(
            lon,
            lat,
            uncertainty_m,
            precision,
            fault,
            _objects(homes, "role"),
            _objects(homes, "assigned_office_id"),
        )


class _Offices:
    """Offices with what is open on a day, and their areas."""

    def __init__(self, offices: pd.DataFrame, on: str, areas: gpd.GeoDataFrame | None) -> None:
        self.index = OfficeIndex.from_frame(offices)
        self.office_id: Objects = offices["office_id"].to_numpy(object)
        self.name: Objects = offices["name"].to_numpy(object)
        self.lon, self.lat = (offices[name].to_numpy(float) for name in ("lon", "lat"))
        opened, closed = _objects(offices, "opened_on"), _objects(offices, "closed_on")
        self.is_open: Bools = np.array(
            [
                (pd.isna(a) or a <= on) and (pd.isna(b) or b > on)
                for a, b in zip(opened, closed, strict=True)
            ],
            bool,
        )
        self.areas: dict[Any, Any] = (
            {} if areas is None else dict(zip(areas["market_id"], areas.geometry, strict=True))
        )

    def counting(self, criterion: Criterion) -> Ints:
        """Positions of the offices that an any-open or approved criterion measures from."""
        if criterion.offices == "approved":
            unknown = sorted(set(criterion.approved) - set(self.office_id))
            if unknown:
                raise InputError(
                    f"The policy approves {', '.join(map(repr, unknown))}, not in the list of "
                    f"offices, which has {', '.join(map(repr, self.office_id[:20]))}."
                )
            listed = np.isin(self.office_id.astype(str), criterion.approved)
            return np.flatnonzero(self.is_open & listed)
        return np.flatnonzero(self.is_open)

    def routes(
        self, routing: RoutingAdapter, lon: Floats, lat: Floats, office: Ints
    ) -> tuple[Floats, Floats]:
        return routing.routes(lon, lat, self.lon[office], self.lat[office])


def _measure(
    criterion: Criterion, homes: _HomeArrays, places: _Offices, routing: RoutingAdapter | None
) -> Measure:
    """Measure one criterion for all homes."""
    rows = len(homes.lon)
    measure = Measure(
        np.full(rows, np.nan),
        np.zeros(rows, bool),
        np.full(rows, -1, np.int64),
        _no_texts(rows),
        np.isin(homes.role.astype(str), criterion.roles)
        if criterion.roles
        else np.ones(rows, bool),
    )
    if criterion.offices == "assigned":
        offices = np.arange(len(places.office_id))
        _assign(homes, places, measure)
    else:
        offices = places.counting(criterion)
        if not len(offices):
            measure.fault[:] = "no_open_office"
    open_rows = np.flatnonzero(homes.is_known & measure.applies & pd.isna(measure.fault))
    if not len(open_rows):
        return measure
    if criterion.origin == "area":
        _measure_areas(criterion, homes, places, offices, open_rows, measure)
        return measure
    lon, lat = homes.lon[open_rows], homes.lat[open_rows]
    if criterion.offices == "assigned":
        measure.value[open_rows] = places.index.distance_to(measure.office[open_rows], lon, lat)
    else:
        index = OfficeIndex(places.office_id[offices], places.lon[offices], places.lat[offices])
        near = index.nearest(lon, lat, count=False, exact=True)
        measure.office[open_rows], measure.value[open_rows] = offices[near.office], near.distance_m
    if criterion.method != "geodesic":
        _measure_roads(criterion, homes, places, offices, open_rows, measure, routing)
    return measure


def _assign(homes: _HomeArrays, places: _Offices, measure: Measure) -> None:
    """Find the office each home is assigned to, or say what is wrong with it."""
    has_office = ~pd.isna(homes.assigned)
    at = pd.Index(places.office_id).get_indexer(pd.Index(homes.assigned)).astype(np.int64)
    measure.fault[has_office & (at < 0)] = "unknown_office"
    measure.fault[~has_office] = "no_assigned_office"
    measure.fault[has_office & (at >= 0) & ~places.is_open[at]] = "closed_office"
    measure.office[:] = np.where(has_office, at, -1)


def _measure_areas(
    criterion: Criterion,
    homes: _HomeArrays,
    places: _Offices,
    offices: Ints,
    rows: Ints,
    measure: Measure,
) -> None:
    """Measure to the nearest border among the areas of the offices that count."""
    for office in offices[np.argsort(places.office_id[offices].astype(str), kind="stable")]:
        area = places.areas.get(places.office_id[office])
        is_assigned = criterion.offices == "assigned"
        mine = rows[measure.office[rows] == office] if is_assigned else rows
        if area is None or not len(mine):
            continue
        distance_m = distance_to_area(area, homes.lon[mine], homes.lat[mine])
        nearer = ~(distance_m >= measure.value[mine])
        measure.value[mine[nearer]] = distance_m[nearer]
        measure.office[mine[nearer]] = office
    measure.fault[rows[np.isnan(measure.value[rows])]] = "no_area"


def _measure_roads(
    criterion: Criterion,
    homes: _HomeArrays,
    places: _Offices,
    offices: Ints,
    rows: Ints,
    measure: Measure,
    routing: RoutingAdapter | None,
) -> None:
    """Replace straight lines by roads: the best over all offices that could be within the limit."""
    is_time = criterion.method == UNIT_OF_TIME
    straight = measure.value[rows]
    if routing is None:
        measure.is_lower_bound[rows] = True
        measure.value[rows] = straight / FASTEST_M_S if is_time else straight
        return
    lon, lat = homes.lon[rows], homes.lat[rows]
    # No road is shorter than the straight line, and nobody is faster than FASTEST_M_S: an office
    # beyond this cannot be within the limit. The nearest one is asked for all the same.
    reach = criterion.limit_si * (FASTEST_M_S if is_time else 1.0)
    best = np.full(len(rows), np.nan)
    if criterion.offices == "assigned":
        best = places.routes(routing, lon, lat, measure.office[rows])[int(is_time)]
    else:
        index = OfficeIndex(places.office_id[offices], places.lon[offices], places.lat[offices])
        row, near, _ = index.pairs_within(lon, lat, reach)
        office = offices[near]
        nearest = measure.office[rows]
        row, office = (
            np.concatenate([np.arange(len(rows)), row]),
            np.concatenate([nearest, office]),
        )
        value = places.routes(routing, lon[row], lat[row], office)[int(is_time)]
        # The shortest way of each home; ties go to the first office id.
        order = np.lexsort((places.office_id[office].astype(str), value, row))
        order = order[~np.isnan(value[order])]
        reached, first = np.unique(row[order], return_index=True)
        best[reached] = value[order[first]]
        measure.office[rows[reached]] = office[order[first]]
    measure.value[rows] = best
    measure.fault[rows[np.isnan(best)]] = "no_route"


def _exceptions(homes: pd.DataFrame, policy: EligibilityPolicy, on: str) -> tuple[Ints, Objects]:
    """Find the exception in force for each person, and when the last one before ended."""
    person = _objects(homes, "person_id").tolist()
    valid: dict[str, int] = {}
    ended: dict[str, str] = {}
    for at, granted in enumerate(policy.exceptions):
        if granted.granted_on <= on < granted.expires_on:
            valid.setdefault(granted.person_id, at)
        elif granted.expires_on <= on:
            ended[granted.person_id] = max(granted.expires_on, ended.get(granted.person_id, ""))
    if not policy.exceptions:
        return np.full(len(homes), -1, np.int64), _no_texts(len(homes))
    return (
        np.array([valid.get(who, -1) for who in person], np.int64),
        np.array([ended.get(who) for who in person], dtype=object),
    )


def _no_texts(rows: int) -> Objects:
    return np.full(rows, None, dtype=object)


def _objects(frame: pd.DataFrame, name: str) -> Objects:
    """A column as an array of our own, None for null or missing."""
    if name not in frame:
        return _no_texts(len(frame))
    values: Objects = frame[name].astype(object).to_numpy(copy=True)
    values[pd.isna(values)] = None
    return values
